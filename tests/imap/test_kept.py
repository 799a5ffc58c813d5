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


def put(path, data, mtime):
    path.write_bytes(data)
    os.utime(path, (mtime, mtime))


def parts(n, size):
    text = b"Subject: parts\nContent-Type: multipart/mixed; boundary=x\n\n"
    for i in range(n):
        text += b"--x\n\npart %d\n" % i + b"line\n" * (size // 5)
    return text + b"--x--\n"


def test_large_message_that_is_cut_and_mended(account, login):
    """Open while it is cut; what was made of the piece is not kept."""
    text = parts(8, 300000)
    path = account.mail.deliver(text, flags="", mtime=1700000000,
                                name=f"1700000000.M1P1.host,S={len(text)}")
    want = login()
    want.ok("EXAMINE INBOX")
    want = want.fetch_one(1, "(BODY.PEEK[7] BODYSTRUCTURE RFC822.SIZE)")
    (account.mail.root / "imapd.cache").unlink()
    c = login()
    c.ok("EXAMINE INBOX")
    c.fetch_one(1, "BODY.PEEK[]<0.10>")
    os.truncate(path, 600000)
    c.cmd("FETCH 1 (BODYSTRUCTURE BODY.PEEK[2])")
    c.cmd("FETCH 1 (RFC822.SIZE BODY.PEEK[7])")
    put(path, text, 1700000000)
    for _ in range(2):
        c.ok("LOGOUT")
        c = login()
        c.ok("EXAMINE INBOX")
        assert c.fetch_one(1, "(BODY.PEEK[7] BODYSTRUCTURE RFC822.SIZE)") == \
            want


@pytest.mark.parametrize("hint", ["", ",S=SIZE"])
def test_file_that_was_rewritten_as_long(account, login, hint):
    """Other lines and other parts in as many bytes: what is sent of it is
    what is there."""
    one = b"A: b\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\n" + \
        b"a" * 40 + b"\n--x\n\nlast\n--x--\n"
    two = one.replace(b"a" * 40 + b"\n--x\n\nlast",
                      b"b\nb\nb\n--x\n\nother" + b"c\n" * 17)
    assert len(one) == len(two)
    path = account.mail.deliver(one, flags="", mtime=1700000000,
                                name="1700000000.M1P1.host" +
                                hint.replace("SIZE", str(len(one))))
    items = "(BODY.PEEK[1] BODY.PEEK[2] BODY.PEEK[] BODY.PEEK[TEXT])"
    for text in one, two:
        put(path, text, 1700000000 + text.count(b"b\n"))
        for _ in range(2):
            c = login()
            c.ok("EXAMINE INBOX")
            got = c.fetch_one(1, items)
            assert got["BODY[]"] == crlf(text)
            assert got["BODY[TEXT]"] == crlf(text).partition(
                b"\r\n\r\n")[2]
            first = text.split(b"--x\n\n")[1].removesuffix(b"\n")
            assert got["BODY[1]"] == crlf(first)
            c.ok("LOGOUT")


@pytest.mark.skipif(os.geteuid() != 0, reason="mail of a user of its own")
def test_many_header_names(mail, login):
    """Whatever names clients make up, the usual things are kept."""
    for i in range(3):
        c = login()
        c.ok("EXAMINE INBOX")
        for n in range(40):
            c.ok(f"SEARCH HEADER X-{i}-{n} a")
            c.ok(f"FETCH 1 BODY.PEEK[HEADER.FIELDS (X-{i}-{n})]")
    items = "(UID RFC822.SIZE INTERNALDATE ENVELOPE BODYSTRUCTURE)"
    first = answer(login(), items)
    shut(mail)
    assert answer(login(), items) == first
