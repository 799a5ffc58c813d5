# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Mail that Dovecot's zlib plugin compressed is served as if it were plain."""

import gzip
import shutil
import subprocess

import pytest

from maildirs import crlf, message
from servers import IMAPD

pytestmark = pytest.mark.imapd


def has_zstd():
    out = subprocess.run(["ldd", IMAPD], capture_output=True, text=True).stdout
    return "libzstd" in out and shutil.which("zstd")


def zstd(data):
    return subprocess.run(["zstd", "-qc"], input=data, check=True,
                          capture_output=True).stdout


@pytest.fixture(params=["gzip", "zstd"])
def pack(request):
    if request.param == "gzip":
        return gzip.compress
    if not has_zstd():
        pytest.skip("built without zstd")
    return zstd


def large(n=40000):
    """Lines that all differ, some 3 MB."""
    return message("large", "".join(
        f"line {i} {i * 7919 % 104729:06} {'x' * (i % 70)}\n"
        for i in range(n)))


SIZES = ["", ",S={plain}", ",S={plain},W={served}", ",S=1,W=2", ",W=99999"]


@pytest.mark.parametrize("hints", SIZES)
def test_as_plain(account, client, pack, hints):
    """Whatever the name says of sizes."""
    plain = message("packed", "One.\nTwo.\n" * 50)
    packed = pack(plain)
    hints = hints.format(plain=len(plain), served=len(crlf(plain)))
    account.mail.deliver(packed, flags="", name=f"1700000000.M1P1.host{hints}")
    client.ok("SELECT INBOX")
    got = client.fetch_one(1, "(RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY[] "
                           "BODY[TEXT]<5.10> BODY[HEADER.FIELDS (SUBJECT)])")
    assert got["BODY[]"] == crlf(plain)
    assert got["ENVELOPE"][1] == b"packed"
    assert got["BODY[TEXT]<5>"] == crlf(plain).partition(
        b"\r\n\r\n")[2][5:15]
    if hints not in (",S=1,W=2", ",W=99999"):
        assert got["RFC822.SIZE"] == len(crlf(plain))
    assert client.ok("SEARCH BODY Two.").search() == [1]
    assert client.fetch_one(1, "RFC822.SIZE")["RFC822.SIZE"] == \
        len(crlf(plain))


def test_copied(account, client, pack):
    plain = message("packed")
    account.mail.deliver(pack(plain), flags="S",
                         name=f"1700000000.M1P1.host,S={len(plain)}")
    client.ok("CREATE Box")
    client.ok("SELECT INBOX")
    client.ok("COPY 1 Box")
    client.ok("MOVE 1 Box")
    client.ok("SELECT Box")
    got = client.uid_fetch("1:*", "(BODY.PEEK[])")
    assert [m["BODY[]"] for m in got.values()] == [crlf(plain)] * 2


def test_cut_and_damaged(account, client, pack):
    """An answer for each, a literal as long as announced, and the readable
    beginning of what was cut."""
    plain = large(2000)
    packed = pack(plain)
    n = len(packed)
    files = [packed[:n * k // 10] for k in range(1, 10)]
    files += [packed[:k] + b"\xff\x00\xff" + packed[k + 3:]
              for k in range(20, n, n // 7)]
    files += [packed[:4], packed[:-1], packed + b"\0" * 100,
              b"\x1f\x8b\x08 no gzip", b"\x28\xb5\x2f\xfd no zstd"]
    for k, data in enumerate(files):
        account.mail.deliver(data, flags="",
                             name=f"17000000{k:02}.M1P1.host,S={len(plain)}")
    client.ok("SELECT INBOX")
    for k in range(len(files)):
        got = client.fetch_one(k + 1, "(RFC822.SIZE BODY.PEEK[])")
        assert got["RFC822.SIZE"] == len(got["BODY[]"]), k
        # zstd gives out whole blocks of 128 KiB; without one, the file.
        if 2 < k < 9 and pack is gzip.compress:
            assert len(got["BODY[]"]) > 100
            assert crlf(plain).startswith(got["BODY[]"][:-2])
    assert len(client.ok("FETCH 1:* (ENVELOPE BODYSTRUCTURE)").all("FETCH")) \
        == len(files)
    assert client.ok("SEARCH TEXT nowhere").search() == []


@pytest.mark.timeout(120)
def test_slices(account, login, pack):
    """A large message in slices, forwards and backwards: neither time nor
    memory by the square."""
    plain = large(300000)
    served = crlf(plain)
    account.mail.deliver(pack(plain), flags="", name="1700000000.M1P1.host")
    c = login()
    c.ok("SELECT INBOX")
    step = 256 * 1024
    offsets = list(range(0, len(served), step))
    whole = b"".join(c.fetch_one(1, f"BODY.PEEK[]<{o}.{step}>")[f"BODY[]<{o}>"]
                     for o in offsets)
    assert whole == served
    for o in reversed(offsets):
        part = c.fetch_one(1, f"BODY.PEEK[]<{o}.{step}>")[f"BODY[]<{o}>"]
        assert part == served[o:o + step]


@pytest.mark.timeout(60)
def test_bomb(account, client, pack):
    """Far more than any message: served as it lies there, the session lives."""
    one = pack(b"\0" * (1 << 24))
    account.mail.deliver(one * 65, flags="", name="1700000000.M1P1.host")
    account.mail.deliver(flags="", name="1700000001.M1P1.host")
    client.ok("SELECT INBOX")
    got = client.fetch_one(1, "(RFC822.SIZE BODY.PEEK[])")
    assert got["RFC822.SIZE"] == len(got["BODY[]"]) < 1 << 21
    assert client.fetch_one(2, "BODY.PEEK[]")["BODY[]"]


@pytest.mark.parametrize("hints", SIZES)
def test_larger_and_smaller(account, login, pack, hints):
    """By the size that is served, kept or not."""
    plain = message("packed", "One and the same line.\n" * 500)
    hints = hints.format(plain=len(plain), served=len(crlf(plain)))
    account.mail.deliver(pack(plain), flags="",
                         name=f"1700000000.M1P1.host{hints}")
    size = len(crlf(plain))
    for _ in range(2):
        c = login()
        c.ok("SELECT INBOX")
        for n in (10, len(plain) // 4, size - 1, size, size + 1, 3 * size):
            assert c.ok(f"SEARCH LARGER {n}").search() == [1] * (size > n)
            assert c.ok(f"SEARCH SMALLER {n}").search() == [1] * (size < n)
        assert c.fetch_one(1, "RFC822.SIZE")["RFC822.SIZE"] == size
