#!/usr/bin/env python3
# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Compare random searches with search_reference.py.

    search_compare.py [--corpus FILE.tgz] [--messages N] [--programs N]
                      [--seed N] [--changes | --uncached]

A sample of the corpus, and messages made to be searched, are served by imapd
(IMAPD_PREFIX) over a pipe.  Each program is run as SEARCH, UID SEARCH or
ESEARCH, and its answer compared.  With --changes another session sets and
clears flags all the while, on every second message; then the programs leave
flags alone, or those messages out.  With --uncached nothing that was read for
one program is there for the next.

Exit status 1 if there is a difference.
"""

import argparse
import datetime
import pathlib
import random
import re
import shutil
import sys
import threading
import time
import unicodedata

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "imap")]

import compare                                              # noqa: E402
import search_messages                                      # noqa: E402
from maildirs import Maildir                                # noqa: E402
from search_reference import Mail, matches, spell           # noqa: E402
from servers import MAIL_GID, MAIL_UID                      # noqa: E402

START = 1000000000      # internal dates: one message each five hours
STEP = 5 * 3600
FLAGS = ["", "S", "RS", "FS", "DS", "ST", "F", None]     # None: in new/
KEYWORDS = ["$Work", "project-x"]


# ---- programs --------------------------------------------------------------

class Programs:
    """Random programs about these messages."""

    def __init__(self, rng, mails, with_flags=True):
        self.rng, self.mails = rng, mails
        self.with_flags = with_flags
        self.today = datetime.date.today()

    def program(self, depth=0):
        r = self.rng.random()
        if depth < 4 and r < 0.14:
            return ("NOT", self.program(depth + 1))
        if depth < 4 and r < 0.32:
            return ("OR", self.program(depth + 1), self.program(depth + 1))
        if depth < 4 and r < 0.44:
            return ("AND", [self.program(depth + 1)
                            for _ in range(self.rng.randint(1, 4))])
        return self.key()

    def key(self):
        rng = self.rng
        kind = rng.choice(["flag", "date", "sent", "size", "set", "subject",
                           "address", "header", "body", "text", "body", "text",
                           "other"])
        if kind == "flag" and not self.with_flags:
            kind = "set"
        return getattr(self, kind)()

    def flag(self):
        rng = self.rng
        if rng.random() < 0.3:
            return (rng.choice(["KEYWORD", "UNKEYWORD"]),
                    rng.choice(KEYWORDS + ["$WORK", "nobody-has-it"]))
        return (rng.choice(
            "ANSWERED DELETED DRAFT FLAGGED SEEN UNANSWERED UNDELETED UNDRAFT "
            "UNFLAGGED UNSEEN RECENT OLD NEW".split()),)

    def date(self):
        t = START + self.rng.randrange(-1, len(self.mails) + 1) * STEP
        return (self.rng.choice(["BEFORE", "ON", "SINCE"]),
                datetime.date.fromtimestamp(t))

    def sent(self):
        days = [m.sent for m in self.mails if m.sent]
        day = self.rng.choice(days) + datetime.timedelta(
            self.rng.choice([-1, 0, 0, 0, 1]))
        return (self.rng.choice(["SENTBEFORE", "SENTON", "SENTSINCE"]), day)

    def size(self):
        size = self.rng.choice(self.mails).size
        return (self.rng.choice(["LARGER", "SMALLER"]),
                max(0, size + self.rng.choice([-1, 0, 1, 100, -size])))

    def other(self):
        rng = self.rng
        kind = rng.randrange(4)
        if kind == 0:
            return ("ALL",) if rng.random() < .5 else ("SAVEDATESUPPORTED",)
        if kind == 1:       # some seconds pass until it is run
            age = int(time.time()) - rng.choice(self.mails).internal
            return (rng.choice(["OLDER", "YOUNGER"]), age + STEP // 2)
        if kind == 2:
            return (rng.choice(["SAVEDBEFORE", "SAVEDON", "SAVEDSINCE"]),
                    self.today + datetime.timedelta(rng.choice([-2, 2])))
        return ("MODSEQ", rng.choice([0, 1, 2 ** 62])
                if not self.with_flags else rng.choice(self.mails).modseq)

    def set(self):
        rng = self.rng
        is_uid = rng.random() < .5
        top = self.mails[-1].uid + 50 if is_uid else len(self.mails)

        def end():
            return "*" if rng.random() < .1 else str(rng.randint(1, top))
        pieces = [end() if rng.random() < .3 else f"{end()}:{end()}"
                  for _ in range(rng.choice([1, 1, 2, 5, 40]))]
        return ("UID" if is_uid else "SEQ", ",".join(pieces))

    def piece(self, text):
        """A part of the text, in some other case or form."""
        rng = self.rng
        n = rng.choice([1, 2, 3, 5, 8, 13, 40, 200])
        at = rng.randrange(max(1, len(text) - n + 1))
        # U+FFFD is what could not be decoded: how many there are is nobody's
        # business.  NUL can stand in no literal (RFC 3501 4.3).
        piece = re.split("[\ufffd\0]", text[at:at + n])[0]
        if rng.random() < .03:
            piece += "\u00b6"           # next to never in a message
        if rng.random() < .3:
            piece = piece.swapcase()
        form = rng.choice([None, None, "NFC", "NFD", "NFKC", "NFKD"])
        piece = unicodedata.normalize(form, piece) if form else piece
        return piece.replace("\n", "\r\n") if rng.random() < .5 else piece

    def subject(self):
        return self.field(["subject"])

    def address(self):
        return self.field(["from", "to", "cc", "bcc"])

    def field(self, names):
        name = self.rng.choice(names)
        texts = self.rng.choice(self.mails).values.get(name.encode()) or [""]
        return (name.upper(), self.piece(self.rng.choice(texts)))

    def header(self):
        mail = self.rng.choice(self.mails)
        names = sorted(n for n in mail.values if n) or [b"subject"]
        name = self.rng.choice(names)
        text = self.piece(self.rng.choice(mail.values.get(name, [""])))
        if self.rng.random() < .2:
            text = ""
        return ("HEADER", name.decode("latin-1").title(), text)

    def body(self):
        texts = [t for t in self.rng.choice(self.mails).body if t] or ["x"]
        return ("BODY", self.piece(self.rng.choice(texts)))

    def text(self):
        mail = self.rng.choice(self.mails)
        texts = [t for t in mail.body if t] + [mail.header] * 2
        return ("TEXT", self.piece(self.rng.choice(texts)))


def is_sendable(program):
    """8-bit header names are no header-fld-name that every client could send;
    a name in capitals must fold back to itself."""
    if program[0] == "HEADER":
        return program[1].isascii() and program[1].isprintable() and \
            program[1] != ""
    return all(is_sendable(p) for a in program[1:]
               for p in (a if isinstance(a, list) else [a])
               if isinstance(p, tuple))


# ---- the mailbox -----------------------------------------------------------

def is_plain_mime(raw):
    """Its Content- fields can be read in one way only: what imapd makes of
    others is compared with Dovecot (compare.py), not here."""
    for name, value in re.findall(rb"(?im)^content-(type|transfer-encoding):"
                                  rb"[ \t]*(.*)$", raw):
        rule = rb"[\w.+-]+/[\w.+-]+[ \t]*([;(].*)?" \
            if name.lower() == b"type" else \
            rb"(?i)(7bit|8bit|binary|base64|quoted-printable)"
        if not re.fullmatch(rule, value.rstrip(b"\r")) or \
                value.count(b'"') % 2:
            return False
    return True


def messages(corpus, n, rng):
    texts = list(compare.corpus(corpus))
    texts = [texts[i] for i in sorted(rng.sample(range(len(texts)),
                                                 min(n, len(texts))))]
    texts += [m for _, m in compare.made_messages()
              if 0 < len(m) < 100000 and is_plain_mime(m)]
    return texts + list(search_messages.messages())


def deliver(directory, texts):
    mail = Maildir(directory / "Maildir", MAIL_UID, MAIL_GID)
    for i, b in enumerate(texts):
        mail.deliver(b, flags=FLAGS[i % len(FLAGS)], mtime=START + i * STEP,
                     name="%d.M%06dP1.host" % (START + i, i))


def open_box(directory, texts, rng):
    """(client, mails): with keywords set, and all that IMAP says of each."""
    c = compare.imapd(directory)
    c.ok("SELECT INBOX")
    mails = [Mail(b) for b in texts]
    for k in KEYWORDS:
        some = rng.sample(range(1, len(mails) + 1), len(mails) // 3)
        c.ok("STORE %s +FLAGS.SILENT (%s)" % (",".join(map(str, some)), k))
    got = c.ok("FETCH 1:* (UID FLAGS RFC822.SIZE)").fetch()
    assert len(got) == len(mails)
    for seq, mail in enumerate(mails, 1):
        mail.seq, mail.uid = seq, got[seq]["UID"]
        mail.flags = {str(f) for f in got[seq]["FLAGS"]}
        mail.is_recent = "\\Recent" in mail.flags
        mail.internal = START + (seq - 1) * STEP
        mail.saved = time.time()
        assert got[seq]["RFC822.SIZE"] == mail.size
        mail.modseq = modseq_of(c.ok(f"UID SEARCH UID {mail.uid} MODSEQ 1"))
    return c, mails


def modseq_of(result):
    return int(re.search(rb"\(MODSEQ (\d+)\)", result.one("SEARCH").raw)[1])


def run(c, program, form):
    """The answer as a list of sequence numbers or UIDs, and its mod-sequence
    (None: not told)."""
    if isinstance(program, tuple) and program[0] == "AND":
        text = b" ".join(spell(p) for p in program[1])
    else:
        text = spell(program)
    tag = c.tag()
    head = {"SEARCH": "SEARCH CHARSET UTF-8 ",
            "UID": "UID SEARCH CHARSET UTF-8 ",
            "ESEARCH": "SEARCH RETURN (ALL) CHARSET UTF-8 "}[form]
    c.send(f"{tag} {head}".encode() + text + b"\r\n")
    r = c.tagged(tag)
    assert r.status == "OK", (text, r)
    raw = r.one("ESEARCH" if form == "ESEARCH" else "SEARCH").raw
    modseq = re.search(rb"\(?MODSEQ (\d+)\)?", raw)
    if form == "ESEARCH":
        m = re.search(rb" ALL ([0-9:,]+)", raw)
        found = [n for piece in (m[1].decode().split(",") if m else [])
                 for lo, _, hi in [piece.partition(":")]
                 for n in range(int(lo), int(hi or lo) + 1)]
    else:
        found = [int(n) for n in re.sub(rb"\(.*\)", b"", raw).split()[2:]]
    return found, modseq and int(modseq[1])


def has_key(program, key):
    return program[0] == key or any(
        has_key(p, key) for a in program[1:]
        for p in (a if isinstance(a, list) else [a]) if isinstance(p, tuple))


def check(c, mails, program, form, all_mails):
    """A line about the difference, or None.  mails: those whose answer is
    determined."""
    now = int(time.time())
    last_seq, last_uid = all_mails[-1].seq, all_mails[-1].uid
    want = [m for m in mails
            if matches(program, m, now, last_seq, last_uid)]
    got, modseq = run(c, program, form)
    number = (lambda m: m.uid) if form == "UID" else (lambda m: m.seq)
    known = {number(m) for m in mails}
    by_number = {number(m): m for m in all_mails}
    ours, theirs = [n for n in got if n in known], [number(m) for m in want]
    if ours != theirs:
        extra, missing = set(ours) - set(theirs), set(theirs) - set(ours)
        return (f"{program!r}\n   imapd alone has seq "
                f"{sorted(by_number[n].seq for n in extra)[:9]}, the reference "
                f"{sorted(by_number[n].seq for n in missing)[:9]}")
    if len(mails) == len(all_mails):
        highest = max((m.modseq for m in want), default=None)
        if (modseq is not None) != (has_key(program, "MODSEQ")
                                    and highest is not None):
            return f"{program!r}\n   mod-sequence {modseq}"
        if modseq is not None and modseq != highest:
            return f"{program!r}\n   mod-sequence {modseq}, not {highest}"
    return None


def change_flags(directory, n, stop, errors):
    """Another session: every second message gets and loses flags."""
    rng = random.Random(n)
    try:
        with compare.imapd(directory) as c:
            c.ok("SELECT INBOX")
            while not stop.is_set():
                some = ",".join(str(2 * rng.randint(1, n // 2))
                                for _ in range(5))
                c.ok(f"STORE {some} {rng.choice('+-')}FLAGS.SILENT "
                     f"({rng.choice(['$Work', chr(92) + 'Seen', 'project-x'])})")
                time.sleep(0.005)
    except Exception as e:          # shown by the thread that waits
        errors.append(e)


def search(directory, args):
    """The differences."""
    rng = random.Random(args.seed)
    texts = messages(args.corpus, args.messages, rng)
    deliver(directory, texts)
    cache = directory / "Maildir/imapd.cache"
    if args.uncached:       # nothing can be kept where a directory is
        cache.mkdir()
    c, mails = open_box(directory, texts, rng)
    stop, errors, found = threading.Event(), [], []
    determined = mails[::2] if args.changes else mails
    other = threading.Thread(target=change_flags, args=(
        directory, len(mails), stop, errors))
    if args.changes:
        other.start()
    programs = Programs(rng, mails, with_flags=not args.changes)
    flagged = Programs(rng, mails)
    try:
        for i in range(args.programs):
            maker = flagged if args.changes and i % 2 else programs
            program = maker.program()
            while not is_sendable(program):
                program = maker.program()
            about = determined if maker is flagged and args.changes else mails
            if args.changes and has_key(program, "MODSEQ"):
                about = determined
            difference = check(c, about, program,
                               rng.choice(["SEARCH", "UID", "ESEARCH"]), mails)
            if difference:
                found.append(difference)
    finally:
        stop.set()
        if args.changes:
            other.join()
    if errors:
        raise errors[0]
    c.logout()
    assert cache.is_dir() if args.uncached else cache.stat().st_size > 100000
    return found


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--corpus", type=pathlib.Path)
    p.add_argument("--messages", type=int, default=600)
    p.add_argument("--programs", type=int, default=500)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--changes", action="store_true")
    p.add_argument("--uncached", action="store_true")
    args = p.parse_args()
    import servers
    top = servers.run_dir()
    try:
        args.corpus = args.corpus or compare.fetch_corpus(top)
        found = search(top, args)
    finally:
        shutil.rmtree(top)
    for line in found:
        print(line)
    print(f"seed {args.seed}: {args.programs} programs, "
          f"{len(found)} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
