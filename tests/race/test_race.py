# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Short races: tests/race/run is the long one."""

import os
import pathlib
import random
import subprocess
import sys
import threading

import pytest

import servers
from maildirs import message

HERE = pathlib.Path(__file__).resolve().parent
SECONDS = 8
# Fixed, so that a failure is not a matter of luck alone.
SEED = 20240205
MESSAGES = 24
STORES = 5000           # by each of the two
ROUNDS = 100            # and so often all is compared


@pytest.mark.parametrize("options", [[], ["--delete-index"],
                                     ["--dovecot", "0", "--messages", "60"]],
                         ids=["all", "delete-index", "imapd-alone"])
def test_race(options):
    p = subprocess.run(
        [sys.executable, HERE / "run", "--seconds", str(SECONDS),
         "--seed", str(SEED), *options],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert p.returncode == 0, p.stdout


@pytest.fixture
def two_servers():
    # What is asked here has nothing to do with power cuts.
    config = {"fsync": "no"}
    a, b = servers.Imapd(config=config), servers.Imapd(config=config)
    try:
        account = a.account("u")
        b.add_user(account, "", None)
        yield account, a.start(), b.start()
    finally:
        a.remove()
        b.remove()


class Setter(threading.Thread):
    """Changes flags that are its own on messages that are everybody's.  Nobody
    else touches these flags, so each answer must show what it has set."""

    def __init__(self, server, account, flags, seed, barrier):
        super().__init__()
        self.client = server.login(account)
        self.flags, self.rng = flags, random.Random(seed)
        self.barrier = barrier
        self.want = {uid: set() for uid in range(1, MESSAGES + 1)}
        self.error = None

    def run(self):
        try:
            self.client.ok("SELECT INBOX")
            for _ in range(ROUNDS):
                self.barrier.wait()
                for _ in range(STORES // ROUNDS):
                    self.store()
                self.barrier.wait()
                self.client.ok("NOOP")
                self.check(self.client.ok("UID FETCH 1:* (UID FLAGS)"))
        except Exception as e:      # shown by the main thread
            self.error = e
            self.barrier.abort()

    def check(self, r):
        for n, m in r.fetch().items():      # numbers are UIDs here
            got = set(map(str, m["FLAGS"])) & set(self.flags)
            assert got == self.want[n], f"{n}: {got}, not {self.want[n]}"

    def store(self):
        r = self.rng
        first = r.randint(1, MESSAGES)
        last = min(MESSAGES, first + r.choice([0, 0, 0, 1, 5, MESSAGES]))
        flags = r.sample(self.flags, r.randint(1, 3))
        add = r.random() < 0.5
        for uid in range(first, last + 1):
            if add:
                self.want[uid] |= set(flags)
            else:
                self.want[uid] -= set(flags)
        self.check(self.client.ok(
            f"{r.choice(['', 'UID '])}STORE {first}:{last} "
            f"{'+' if add else '-'}FLAGS{r.choice(['', '.SILENT'])} "
            f"({' '.join(flags)})"))


class Renamer(threading.Thread):
    """A mail reader that sets and takes F by renaming what it finds."""

    def __init__(self, mail):
        super().__init__(daemon=True)
        self.mail, self.rng = mail, random.Random(f"{SEED}/renamer")
        self.stop = threading.Event()
        self.flagged = set()

    def run(self):
        while not self.stop.is_set():
            name = self.rng.choice(os.listdir(self.mail.root / "cur"))
            base, _, info = name.partition(":2,")
            letters = set(info) ^ {"F"}
            try:
                os.rename(self.mail.root / "cur" / name, self.mail.root / "cur"
                          / (base + ":2," + "".join(sorted(letters))))
            except FileNotFoundError:
                continue        # somebody was faster
            self.flagged ^= {base}


def test_concurrent_stores_lose_nothing(two_servers):
    """Two sessions and a mail reader, different flags of the same messages:
    each change counts.  The keywords are new to the mailbox, and made in the
    race too."""
    account, a, b = two_servers
    for n in range(MESSAGES):
        account.mail.deliver(message(n=n), flags="",
                             name=f"{1700000000 + n}.M1P1.host")
    barrier = threading.Barrier(2)
    both = [
        Setter(a, account, ["\\Seen", "a1", "a2", "a3", "a4"],
               f"{SEED}/a", barrier),
        Setter(b, account, ["\\Answered", "\\Draft", "b1", "b2", "b3", "b4"],
               f"{SEED}/b", barrier)]
    renamer = Renamer(account.mail)
    for t in (*both, renamer):
        t.start()
    for t in both:
        t.join()
    renamer.stop.set()
    renamer.join()
    errors = [t.error for t in both if t.error is not None]
    assert not errors, errors
    want = {uid: both[0].want[uid] | both[1].want[uid]
            for uid in range(1, MESSAGES + 1)}
    for base in renamer.flagged:
        want[int(base.split(".")[0]) - 1700000000 + 1].add("\\Flagged")
    fresh = a.login(account)
    fresh.ok("SELECT INBOX")
    for who in (fresh, both[0].client, both[1].client):
        who.ok("NOOP")
        got = who.uid_fetch("1:*", "(UID FLAGS)")
        assert {uid: set(map(str, m["FLAGS"])) - {"\\Recent"}
                for uid, m in got.items()} == want
        who.close()
