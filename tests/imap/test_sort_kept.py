# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""SORT by texts, whose order is kept: the same answers while mail comes and
goes, and after all that was kept is lost."""

import random
import re

import pytest

import sortreference
from maildirs import message
from test_looks import Session

pytestmark = pytest.mark.imapd

CRITERIA = ["SUBJECT", "REVERSE SUBJECT", "FROM SUBJECT", "REVERSE TO ARRIVAL",
            "DISPLAYFROM REVERSE DISPLAYTO", "CC REVERSE SUBJECT"]
START = 1600000000


class Box:
    def __init__(self, mail, seed):
        self.mail, self.rnd, self.made = mail, random.Random(seed), 0

    def word(self):
        return "".join(self.rnd.choices("abcd", k=self.rnd.randint(0, 4)))

    def deliver(self, n):
        for _ in range(n):
            self.made += 1
            self.mail.deliver(message(
                self.rnd.choice(["", "Re: ", "[x] "]) + self.word(), "x\n",
                From=f"{self.word()} <{self.word()}@x>",
                To=f"{self.word()} <{self.word()}@x>",
                Cc=self.rnd.choice([None, f"{self.word()}@y"])),
                flags="S", mtime=START + self.made,
                name=f"{START + self.made}.M{self.made:06}P1.host")

    def lose(self, n):
        for f in self.rnd.sample(self.mail.files(), n):
            f.unlink()


def compare(client):
    client.ok("SELECT INBOX")
    msgs = sortreference.messages(
        client.ok(f"FETCH 1:* {sortreference.ITEMS}").fetch())
    some = [m for m in msgs if m.number % 3]
    only = ",".join(str(m.number) for m in some)
    for criteria in CRITERIA:
        for of, which in ((msgs, "ALL"), (some, only), (msgs, "ALL")):
            assert client.ok(f"SORT ({criteria}) UTF-8 {which}").one(
                "SORT").data == sortreference.sort(of, criteria.split()), \
                (criteria, which[:4])
    return client


@pytest.mark.parametrize("seed", range(3))
def test_mail_comes_and_goes(account, login, seed):
    box = Box(account.mail, seed)
    box.deliver(400)
    for come, go in ((0, 0), (3, 0), (20, 50), (200, 10), (1, 1), (40, 350),
                     (300, 0), (0, 0)):
        box.deliver(come)
        box.lose(go)
        compare(login())
    (box.mail.root / "imapd.cache").unlink()
    compare(compare(login()))


def bytes_read(mail, command):
    with Session(mail.root, calls="pread64") as s:
        s.c.ok("SELECT INBOX")
        s.lines()
        r = s.c.ok(command)
        n = sum(int(m.group(1)) for line in s.lines() if "imapd.cache" in line
                and (m := re.search(r"\) = (\d+)$", line)))
        s.c.ok("LOGOUT")
    return r.one("SORT").data, n


def test_texts_are_not_read_again(account):
    """One of many is put between the others without reading them all."""
    for n in range(1500):
        account.mail.deliver(message(f"{n * 7919 % 1500:04} " + "x" * 400),
                             flags="S", name=f"{START + n}.M1P1.host",
                             mtime=START)
    command = "SORT (SUBJECT) UTF-8 ALL"
    bytes_read(account.mail, command)
    want, order = bytes_read(account.mail, command)
    # Half of that is to see what there is; the texts are 600 kB.
    assert order < 300 * 1024
    account.mail.deliver(message("0749 y"), flags="S", mtime=START,
                         name=f"{START + 2000}.M1P1.host")
    bytes_read(account.mail, command)       # its own text is kept
    got, placed = bytes_read(account.mail, command)
    at = want.index(1 + next(n for n in range(1500)
                             if n * 7919 % 1500 == 749))
    assert got == want[:at + 1] + [1501] + want[at + 1:]
    assert placed < order + 256 * 1024


def test_a_smaller_mailbox(account):
    """The order of what is left is kept anew when much has come."""
    box = Box(account.mail, 5)
    box.deliver(1500)
    command = "SORT (SUBJECT) UTF-8 ALL"
    for _ in range(2):
        _, order = bytes_read(account.mail, command)
    box.lose(700)
    box.deliver(300)
    for _ in range(3):
        _, again = bytes_read(account.mail, command)
    assert again < order + 64 * 1024
