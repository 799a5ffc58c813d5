# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""What is read of a file for a part of it: once anybody has asked for its
parts, that part and nothing else, with one read; and that they are the same
then, also after the file was changed."""

import base64
import os
import re

import pytest

from test_looks import Session

pytestmark = pytest.mark.imapd

KINDS = ["text/plain", "application/x-a", "application/x-b", "message/rfc822"]
PIECE = 65536


def body(n):
    """About 200 kB each, so that all of them still fit into memory."""
    if KINDS[n] == "message/rfc822":
        return (b"Subject: inside\nContent-Type: multipart/mixed; "
                b"boundary=y\n\n--y\n\nfirst\n--y\n\n" +
                b"second %d\n" % n * 20000 + b"--y--\n")
    if n % 2:
        return base64.encodebytes(bytes(range(256)) * 600)
    return b"line of part %d\n" % n * 12000


@pytest.fixture
def mail(account):
    text = b"Subject: parts\nContent-Type: multipart/mixed; boundary=x\n\n"
    for n, kind in enumerate(KINDS):
        text += b"--x\nContent-Type: %s\n" % kind.encode()
        if n % 2 and kind != "message/rfc822":
            text += b"Content-Transfer-Encoding: base64\n"
        text += b"\n" + body(n) + b"\n"
    text += b"--x--\n"
    # Without S= its beginning would be read to see whether it is compressed.
    path = account.mail.deliver(
        text, flags="", name=f"1600000000.M1P1.host,S={len(text)}")
    account.mail.path = path
    # Nobody is still writing to it.
    os.utime(path, (1600000000, 1600000000))
    return account.mail


def served(b):
    return b.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def look(mail, *items):
    """(the values, the reads of the message's file) in a session of its own"""
    with Session(mail.root, calls="pread64,read,preadv") as s:
        s.c.ok("SELECT INBOX")
        s.lines()
        r = s.c.ok(f"FETCH 1 ({' '.join(items)})")
        reads = [m for line in s.lines() if "/cur/" in line and
                 (m := re.search(r", (\d+), (\d+)\) = (\d+)$", line))]
        s.c.ok("LOGOUT")
    return (r.fetch()[1],
            [(int(m.group(2)), int(m.group(3))) for m in reads])


PARTS = ["1", "2", "3", "4", "4.MIME", "4.HEADER", "4.TEXT", "4.1", "4.2",
         "5"]


@pytest.mark.parametrize("first", ["BODYSTRUCTURE", "BODY.PEEK[2]"])
def test_one_read(mail, first):
    size = mail.path.stat().st_size
    _, reads = look(mail, first)
    assert sum(n for _, n in reads) == size      # else nothing is shown
    for n in range(3):
        got, reads = look(mail, f"BODY.PEEK[{n + 1}]")
        want = served(body(n))
        assert got[f"BODY[{n + 1}]"] == want
        assert len(reads) == 1
        assert reads[0][1] <= max(len(body(n)), PIECE)
    got, reads = look(mail, "BINARY.PEEK[2]")
    assert got["BINARY[2]"] == bytes(range(256)) * 600
    assert len(reads) == 1 and reads[0][1] == len(body(1))
    got, reads = look(mail, "BODY.PEEK[4.2]<100.50>")
    assert got["BODY[4.2]<100>"] == served(b"second 3\n" * 20000)[100:150]
    assert len(reads) == 1 and reads[0][1] <= PIECE


def test_the_same(mail):
    """Kept or not, and after another message took its place."""
    items = [f"BODY.PEEK[{p}]" for p in PARTS]
    items += ["BINARY.PEEK[2]", "BINARY.SIZE[4.2]", "BODY.PEEK[4.HEADER.FIELDS"
              " (SUBJECT)]", "BODY.PEEK[1]<70000.500>"]
    first, _ = look(mail, *items)
    again, reads = look(mail, *items)
    assert first == again
    text = mail.path.read_bytes()
    mail.path.write_bytes(text.replace(b"inside", b"INS") + b"\n")
    os.utime(mail.path, (1600000000, 1600000000))
    changed, _ = look(mail, "BODY.PEEK[4.HEADER]", "BODY.PEEK[4.2]")
    assert b"INS\r\n" in changed["BODY[4.HEADER]"]
    assert changed["BODY[4.2]"] == first["BODY[4.2]"]
