# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""imapd.cache: the same answers, without the files."""

import os

import pytest

from maildirs import crlf, message
from test_fetch import MULTI

pytestmark = pytest.mark.imapd

ITEMS = ("(UID RFC822.SIZE INTERNALDATE ENVELOPE BODY BODYSTRUCTURE "
         "BODY.PEEK[HEADER.FIELDS (From subject X-None)] "
         "BODY.PEEK[HEADER.FIELDS.NOT (Received)])")


@pytest.fixture
def mail(account):
    account.mail.deliver(MULTI, flags="S", name="1707124272.M1P1.host",
                         mtime=1707124272)
    for n in range(2, 30):
        account.mail.deliver(message(f"Number {n}", "x\n" * n), flags="S",
                             name=f"{1707124272 + n}.M1P1.host",
                             mtime=1707124272 + n)
    return account.mail


def answer(client, items=ITEMS, which="1:*"):
    """What the server says, byte by byte."""
    client.ok("EXAMINE INBOX")
    r = client.ok(f"FETCH {which} {items}")
    return [x.raw for x in r.untagged]


def shut(mail):
    """Nobody can open a message any more."""
    for f in mail.files():
        os.chmod(f, 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="mail of a user of its own")
def test_answers_without_files(mail, login):
    first = answer(login())
    assert (mail.root / "imapd.cache").exists()
    shut(mail)
    assert answer(login()) == first
    c = login()
    assert answer(c, which="7") == first[6:7]
    # Another order, other letters: the same fields.
    again = answer(c, "BODY.PEEK[HEADER.FIELDS (x-none FROM Subject)]", "3")
    assert b"Number 3" in again[0]
    # What was never asked for takes the file.
    assert c.cmd("FETCH 1 BODY.PEEK[HEADER.FIELDS (To)]").status == "NO"


@pytest.mark.skipif(os.geteuid() != 0, reason="mail of a user of its own")
def test_status_size_without_files(mail, login):
    first = login().ok("STATUS INBOX (SIZE)").one("STATUS").raw
    shut(mail)
    assert login().ok("STATUS INBOX (SIZE)").one("STATUS").raw == first
    (mail.root / "imapd.cache").unlink()
    assert login().ok("STATUS INBOX (SIZE)").one("STATUS").raw != first


def test_lost(mail, login):
    first = answer(login())
    (mail.root / "imapd.cache").unlink()
    assert answer(login()) == first
    assert answer(login()) == first


@pytest.mark.parametrize("at", [0, 9, 30, 60, 200, 2000])
def test_damaged(mail, login, at):
    first = answer(login())
    path = mail.root / "imapd.cache"
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)
    assert answer(login()) == first
    assert answer(login()) == first


def test_torn(mail, login):
    """What somebody did not write to its end is cut off, in the sandbox."""
    first = answer(login())
    path = mail.root / "imapd.cache"
    before = path.read_bytes()
    path.write_bytes(before + b"torn")
    answer(login(), "BODY.PEEK[HEADER.FIELDS (Cc)]")
    after = path.read_bytes()
    assert after.startswith(before) and len(after) > len(before) + 4
    assert not after.startswith(before + b"torn")
    assert answer(login()) == first


def test_file_that_was_rewritten(mail, login):
    """Nobody should; then the length of BODY[] is that of the file."""
    answer(login())
    data = message("Another", "now much longer than it was before\n" * 10)
    mail.files()[4].write_bytes(data)
    c = login()
    c.ok("SELECT INBOX")
    r = c.fetch_one(5, "(BODY.PEEK[])")
    assert r["BODY[]"] == crlf(data)
    r = c.fetch_one(5, "(RFC822.SIZE BODY.PEEK[])")
    assert r["RFC822.SIZE"] == len(crlf(data)) == len(r["BODY[]"])


def test_expunged_and_delivered(mail, login):
    """No answer is that of another message."""
    answer(login())
    c = login()
    c.ok("SELECT INBOX")
    c.ok(r"STORE 2:20 +FLAGS (\Deleted)")
    c.ok("EXPUNGE")
    mail.deliver(message("Late", "late\n"), name="1809999999.M1P1.host")
    c.ok("NOOP")
    got = answer(login(), "(UID ENVELOPE)")
    assert len(got) == 11
    assert b"Late" in got[-1] and b"UID 30 " in got[-1]
    assert answer(login(), "(UID ENVELOPE)") == got


def test_file_that_is_being_written(mail, login):
    """cp into new/, caught half way: what was seen of it is not kept."""
    whole = message("Slow", "line\n" * 500)
    path = mail.root / "new" / "1809999999.M1P1.host"
    with open(path, "wb") as f:
        f.write(whole[:20])
        f.flush()
        answer(login())
        login().ok("EXAMINE INBOX")
        f.write(whole[20:1000])
        f.flush()
        answer(login())
        f.write(whole[1000:])
    os.utime(path, (1707130000, 1707130000))    # cp -p, rsync -t
    got = answer(login())
    (mail.root / "imapd.cache").unlink()
    assert answer(login()) == got
