# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""A client that keeps its cache by QRESYNC alone, cut off at any moment, while
another client and a program that knows nothing of IMAP change the mailbox: the
cache must always become what a fresh FETCH says.

The client follows RFC 7162 section 6 to the letter: it takes over a
mod-sequence only with the tagged response, and HIGHESTMODSEQ before anything
it has seen in MODSEQ.

    IMAPD_TEST_LONG=1   many more rounds
"""

import os
import random

import pytest

from imapclient import pairs
from maildirs import message
from uidsets import compact, expand

SEEDS = range(40 if os.environ.get("IMAPD_TEST_LONG") else 5)
ROUNDS = 60
FLAGS = ["\\Seen", "\\Flagged", "\\Answered", "\\Draft", "$a", "$b"]
LETTERS = "DFRS"


class Cache:
    """What the client has, and takes along when it is cut off."""

    def __init__(self):
        self.validity = None
        self.modseq = None
        self.mails = {}         # UID: set of flags
        self.next = 1           # the first UID it has never seen


class Resyncer:
    def __init__(self, rng, login):
        self.rng, self.login = rng, login
        self.cache = Cache()
        self.client = None

    # ---- the session --------------------------------------------------------

    def connect(self):
        rng, cache = self.rng, self.cache
        self.client = self.login()
        self.client.ok("ENABLE QRESYNC")
        self.numbers = []       # UID of each message number; None: not told
        parameter = ""
        if cache.modseq is not None:
            parts = f"{cache.validity} {cache.modseq}"
            uids = sorted(cache.mails)
            if uids and rng.random() < 0.6:
                # More UIDs than it has do no harm.
                parts += " " + rng.choice([compact(uids), f"1:{uids[-1]}"])
            if uids and rng.random() < 0.4:
                some = sorted(rng.sample(range(len(uids)),
                                         rng.randint(1, len(uids))))
                parts += " (%s %s)" % (compact([n + 1 for n in some]),
                                       compact([uids[n] for n in some]))
            parameter = f" (QRESYNC ({parts}))"
        r = self.client.ok(f"SELECT INBOX{parameter}")
        validity = r.codes("UIDVALIDITY")[0].data[0]
        assert cache.validity in (None, validity)
        cache.validity = validity
        assert r.codes("HIGHESTMODSEQ")
        self.take(r)
        # Only to be able to check each number that is told from here on.
        if self.numbers:
            self.command("FETCH 1:* (UID)")

    def cut(self):
        """No LOGOUT, and perhaps an answer that is never read."""
        if self.rng.random() < 0.5:
            self.client.send("x NOOP\r\n")
        self.client.close()
        self.client = None

    def command(self, text):
        r = self.client.ok(text)
        self.take(r)
        return r

    # ---- what is told -------------------------------------------------------

    def take(self, r):
        cache, told, seen = self.cache, 0, 0
        for x in r.untagged + [r.done]:
            if x.name == "EXISTS":
                assert x.number >= len(self.numbers), r
                self.numbers += [None] * (x.number - len(self.numbers))
            elif x.name == "EXPUNGE":
                raise AssertionError(f"EXPUNGE: {r}")
            elif x.name == "VANISHED":
                self.vanished(x, r)
            elif x.name == "FETCH":
                seen = max(seen, self.fetched(x))
            if x.code == "HIGHESTMODSEQ":
                # Never lower than it was told before.
                assert x.data[0] >= (cache.modseq or 1), r
                told = x.data[0]
        cache.modseq = told or max(cache.modseq, seen)

    def vanished(self, x, r):
        uids = expand(x.data[-1])
        is_earlier = x.data[0] == ["EARLIER"]
        for uid in uids:
            self.cache.mails.pop(uid, None)
        if is_earlier:
            return
        for uid in uids:
            # One that has just arrived has a number and no UID yet.
            assert uid in self.numbers or None in self.numbers, \
                f"VANISHED of what was not told: {uid} in {r}"
            self.numbers.remove(uid if uid in self.numbers else None)

    def fetched(self, x):
        """The mod-sequence that is told, or 0."""
        items = pairs(x.data[0])
        assert x.number <= len(self.numbers), x
        known = self.numbers[x.number - 1]
        uid = items.get("UID", known)
        assert known in (None, uid), f"number {x.number} is {known}: {x}"
        self.numbers[x.number - 1] = uid
        if uid is not None and "FLAGS" in items:
            self.cache.mails[uid] = {str(f) for f in items["FLAGS"]} \
                - {"\\Recent"}
        return items["MODSEQ"][0] if "MODSEQ" in items else 0

    # ---- what it does -------------------------------------------------------

    def fetch_new(self):
        """New messages are found by UID, not by mod-sequence."""
        r = self.command(f"UID FETCH {self.cache.next}:* (FLAGS)")
        uids = [pairs(x.data[0])["UID"] for x in r.all("FETCH")]
        self.cache.next = max([self.cache.next - 1, *uids]) + 1

    def act(self):
        rng = self.rng
        n = len(self.numbers)
        number = rng.randint(1, n) if n else None
        uids = sorted(self.cache.mails)
        uid = rng.choice(uids) if uids else 1
        flag = rng.choice(FLAGS)
        sign = rng.choice("+-")
        choices = ["NOOP", "NOOP", f"UID FETCH {uid} (FLAGS)",
                   f"UID STORE {uid} {sign}FLAGS ({flag})",
                   f"UID FETCH {uid} (BODY[TEXT])",
                   f"UID STORE {uid} +FLAGS (\\Deleted)",
                   "EXPUNGE", f"UID EXPUNGE {uid}", "UID SEARCH SEEN",
                   f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {self.cache.modseq} "
                   "VANISHED)"]
        if n:
            # Numbers: expunges must wait.
            choices += [f"FETCH {number} (FLAGS)", f"FETCH {number} (BODY[])",
                        f"STORE {number} {sign}FLAGS ({flag})",
                        f"STORE {number} (UNCHANGEDSINCE {self.cache.modseq}) "
                        f"{sign}FLAGS ({flag})", f"SEARCH {number} SEEN"] * 2
        r = self.client.cmd(rng.choice(choices))
        assert r.status in ("OK", "NO"), r
        self.take(r)


class Other:
    """Another client, which knows nothing of mod-sequences."""

    def __init__(self, rng, login):
        self.rng, self.client = rng, login()
        self.client.ok("SELECT INBOX")

    def act(self):
        rng, c = self.rng, self.client
        uids = sorted(c.uid_fetch("1:*", "UID"))
        some = compact(sorted(rng.sample(uids, rng.randint(
            1, min(4, len(uids)))))) if uids else "1"
        flag = rng.choice(FLAGS)
        act = rng.randrange(8)
        if act == 0:
            c.append("INBOX", message(), flag)
        elif act == 1:
            c.ok(f"UID STORE {some} +FLAGS.SILENT (\\Deleted)")
            c.ok("EXPUNGE")
        elif act == 2:
            c.ok(f"UID COPY {some} INBOX")
        elif act == 3:
            c.ok(f"UID MOVE {some} Other")
        elif act == 4:
            c.ok(f"UID STORE {some} +FLAGS (\\Deleted)")
            c.ok("CLOSE")
            c.ok("SELECT INBOX")
        else:
            c.ok(f"UID STORE {some} {rng.choice('+-')}FLAGS ({flag})")


class Foreign:
    """A program that knows what a Maildir is, and nothing of us."""

    def __init__(self, rng, mail):
        self.rng, self.mail = rng, mail

    def act(self):
        rng = self.rng
        files = self.mail.files()
        act = rng.randrange(5)
        if act == 0 or not files:
            self.mail.deliver(flags=rng.choice([None, "", "S"]))
            return
        path = rng.choice(files)
        if act == 1:
            path.unlink()
            return
        base, _, info = path.name.partition(":2,")
        letter = rng.choice(LETTERS)
        new = set(info) ^ {letter}
        os.rename(path, path.parent.parent / "cur" /
                  f"{base}:2,{''.join(sorted(new))}")


def fresh(login):
    c = login()
    c.ok("EXAMINE INBOX")
    return {uid: {str(f) for f in m["FLAGS"]} - {"\\Recent"}
            for uid, m in c.uid_fetch("1:*", "FLAGS").items()}


@pytest.mark.imapd
@pytest.mark.parametrize("seed", SEEDS)
def test_cache_is_always_right(account, login, seed):
    rng = random.Random(seed)
    for _ in range(12):
        account.mail.deliver(flags="")
    a = Resyncer(rng, login)
    a.connect()
    a.client.ok("CREATE Other")
    a.fetch_new()
    actors = [Other(rng, login), Foreign(rng, account.mail)]
    for _ in range(ROUNDS):
        for _ in range(rng.randrange(4)):
            rng.choice(actors).act()
        for _ in range(rng.randrange(4)):
            a.act()
            if rng.random() < 0.5:
                rng.choice(actors).act()
        if rng.random() < 0.6:
            a.cut()
            if rng.random() < 0.5:
                rng.choice(actors).act()
            if rng.random() < 0.05:
                (account.mail.root / "imapd.journal").unlink(missing_ok=True)
            a.connect()
        else:
            a.command("NOOP")
        a.fetch_new()
        assert a.cache.mails == fresh(login)
        a.command("NOOP")
        assert a.cache.mails == fresh(login)
