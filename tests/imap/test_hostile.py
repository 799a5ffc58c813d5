# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Messages made to take long or to take much memory: one session, measured.

Each message is served in two sizes.  What the session's process uses of the
processor may grow as the message does, and no faster: twice the size may take
three times as long (the clock ticks are coarse, and the machine has other work)
and no more.  Its memory is bounded, whatever the message.
"""

import os
import pathlib
import select
import subprocess

import pytest

from maildirs import Maildir
from servers import (MAIL_GID, MAIL_UID, as_mail_user, imapd_pipe_argv,
                     run_dir)

pytestmark = pytest.mark.imapd()

TICK = 1 / os.sysconf("SC_CLK_TCK")
SLACK = 5 * TICK
MEMORY = 32 << 20       # at most, in all of the session

MP = b"Content-Type: multipart/mixed; boundary="


def nested(n):
    """Multiparts in multiparts, none of them closed."""
    return b"".join(MP + b"b%d\n\n--b%d\n" % (i, i) for i in range(n))


def prefixes(n):
    """100 boundaries, each the beginning of the next, and lines that nearly
    are one of them."""
    names = [b"b" * i for i in range(1, 101)]
    return b"".join(MP + b + b"\n\n--" + b + b"\n" for b in names) + \
        b"".join(b"\n--%sc\n-- b" % (b"b" * (i % 99)) for i in range(n))


def words(n):
    return b"Subject:" + b" =?utf-8?q?=C3=A9?=" * n


# name: (message of size n, n)
MESSAGES = {
    "no header, no line end": (lambda n: b">" * n, 200 << 20),
    "a body of one line": (lambda n: b"\n" + b">" * n, 200 << 20),
    "a body of one line, a boundary open": (
        lambda n: MP + b"x\n\n--x\n\n" + b"-" * n, 50 << 20),
    "empty lines": (lambda n: b"\n" * n, 20 << 20),
    "CRs": (lambda n: b"\n" + b"\r" * n, 20 << 20),
    "header lines": (lambda n: b"X: y\n" * n, 1000000),
    "lines that are no fields": (lambda n: b"x\n" * n, 1000000),
    "a field of many lines": (lambda n: b"Subject: x\n" + b" y\n" * n,
                              1000000),
    "a field of one line": (lambda n: b"Subject: " + b"x" * n, 50 << 20),
    "addresses": (lambda n: b"To: a@b" + b", a@b" * n, 100000),
    "address fields": (lambda n: b"To: a@b\n" * n, 100000),
    "comments in comments": (lambda n: b"To: " + b"(" * n, 1000000),
    "quotes": (lambda n: b"To: " + b'"' * n, 1000000),
    "groups": (lambda n: b"To: " + b"a:" * n, 500000),
    "routes": (lambda n: b"To: <" + b"@a," * n, 500000),
    "encoded words": (words, 1000000),
    "encoded words in unknown charsets": (
        lambda n: b"Subject:" + b" =?x?q?a?=" * n, 1000000),
    "encoded words without an end": (
        lambda n: b"Subject:" + b" =?utf-8?q?a" * n, 1000000),
    "a parameter in pieces": (lambda n: b"Content-Type: text/plain" + b"".join(
        b";\n a*%d=b" % i for i in range(n)), 100000),
    "parameters": (lambda n: b"Content-Type: text/plain" + b";a=b" * n,
                   500000),
    "languages": (lambda n: b"Content-Language: en" + b",en" * n, 500000),
    "parts": (lambda n: MP + b"x\n\n" + b"--x\n\ny\n" * n, 100000),
    "parts without a body": (lambda n: MP + b"x\n\n" + b"--x\n" * n, 500000),
    "parts with many parameters": (
        lambda n: MP + b"x\n\n" + (b"--x\nContent-Type: a/b" + b";a=b" * 200 +
                                   b"\n\ny\n") * n, 20000),
    "parts with long fields": (
        lambda n: MP + b"x\n\n" + (b"--x\nContent-ID: " + b"x" * 10000 +
                                   b"\n\ny\n") * n, 20000),
    "messages with many addresses": (
        lambda n: MP + b"x\n\n" + (b"--x\nContent-Type: message/rfc822\n\nTo: " +
                                   b"a," * 5000 + b"\n\ny\n") * n, 10000),
    "nested multiparts": (nested, 10000),
    "nested messages": (lambda n: b"Content-Type: message/rfc822\n\n" * n,
                        10000),
    "the same boundary, nested": (lambda n: (MP + b"x\n\n--x\n") * n, 10000),
    "boundaries that are prefixes": (prefixes, 500000),
    "a boundary that never comes": (lambda n: MP + b"x\n\n" + b"--y\n" * n,
                                    2000000),
    "a long boundary": (lambda n: MP + b"x" * n + b"\n\n--" + b"x" * n,
                        1000000),
    "quoted-printable": (lambda n: b"Content-Transfer-Encoding: "
                         b"quoted-printable\n\n" + b"=3D" * n, 5000000),
    "soft breaks": (lambda n: b"Content-Transfer-Encoding: "
                    b"quoted-printable\n\n" + b"= \n" * n, 5000000),
    "blanks in quoted-printable": (lambda n: b"Content-Transfer-Encoding: "
                                   b"quoted-printable\n\n" + b" " * n,
                                   10000000),
    "base64": (lambda n: b"Content-Transfer-Encoding: base64\n\n" +
               b"AAAA" * n, 5000000),
    "padding": (lambda n: b"Content-Transfer-Encoding: base64\n\n" + b"=" * n,
                20000000),
    "HTML": (lambda n: b"Content-Type: text/html\n\n" + b"<" * n, 20000000),
}

COMMANDS = ["FETCH 1 (ENVELOPE BODYSTRUCTURE RFC822.SIZE)",
            "FETCH 1 (BODY.PEEK[1] BODY.PEEK[1.MIME] BINARY.SIZE[1])",
            "FETCH 1 BODY.PEEK[HEADER.FIELDS (To X)]",
            "SEARCH TEXT needle",
            "SEARCH SUBJECT needle",
            "SEARCH OR TO needle HEADER Content-Type needle"]


class Session:
    """A client that keeps nothing of what it reads but the ends."""

    def __init__(self, directory):
        self.process = subprocess.Popen(
            imapd_pipe_argv(directory / "Maildir"), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, bufsize=0, **as_mail_user())
        self.read_until(b"\n")
        self.run("SELECT INBOX")

    def read_until(self, last):
        end = b""
        while not end.endswith(b"\n") or last not in end:
            assert select.select([self.process.stdout], [], [], 120)[0], \
                "the server is silent"
            b = self.process.stdout.read(1 << 20)
            assert b, "the server is gone"
            end = (end + b)[-400:]
        return end

    def run(self, command):
        """The tagged response."""
        self.process.stdin.write(b"tag-of-mine %s\r\n" % command.encode())
        end = self.read_until(b"tag-of-mine ")
        return end[end.rindex(b"tag-of-mine "):]

    def seconds(self):
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * TICK

    def peak(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) << 10

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(30) == 0


def measure(data):
    """{command: seconds of the session's process}, peak bytes"""
    top = run_dir()
    try:
        mail = Maildir(top / "Maildir", MAIL_UID, MAIL_GID)
        mail.deliver(data, flags="S")
        del data
        s = Session(top)
        took = {}
        for command in COMMANDS:
            before = s.seconds()
            answer = s.run(command)
            assert answer.startswith((b"tag-of-mine OK", b"tag-of-mine NO")), \
                (command, answer)
            took[command] = s.seconds() - before
        peak = s.peak()
        s.close()
        return took, peak
    finally:
        subprocess.run(["rm", "-rf", top], check=True)


@pytest.mark.parametrize("kind", MESSAGES)
def test_hostile(kind):
    make, n = MESSAGES[kind]
    once, peak = measure(make(n // 2))
    twice, peak_twice = measure(make(n))
    for command in COMMANDS:
        assert twice[command] <= 3 * once[command] + SLACK, \
            (command, once[command], twice[command])
    assert peak_twice < MEMORY, (peak, peak_twice)
