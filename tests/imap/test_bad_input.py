# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Bad input: a clear tagged BAD or NO, the whole command consumed, the session
alive, nothing lost; ten bad commands in a row end it; who stalls is cut off."""

import os
import random
import socket
import time

import pytest

from imapclient import Client, Closed
from maildirs import message


BAD_LINES = [
    "NONSENSE", "NONSENSE with arguments", "SELECT", "SELECT  INBOX",
    "SELECT INBOX extra", 'SELECT "INBOX', "SELECT {}", "SELECT {x}",
    "SELECT {-1}", "SELECT {3", "SELECT (INBOX)", "SELECT IN\x01BOX",
    "NOOP now", "CLOSE it", "EXPUNGE all", "UID", "UID NONSENSE 1",
    "UID FETCH", "COPY", "COPY 1", "COPY x Box", "APPEND", "APPEND INBOX",
    "APPEND INBOX text", 'APPEND INBOX "no literal"', "STATUS INBOX",
    "LIST", 'LIST ""', "RENAME a", "ENABLE", "IDLE x", "NAMESPACE x",
    "ID", "ID (", 'ID ("a")', "LOGOUT now", "CAPABILITY x", "\\Seen", "*", "%",
    "SELECT \"a\\b\"",
]


@pytest.mark.imapd
@pytest.mark.parametrize("line", BAD_LINES)
def test_bad_command(inbox, line):
    r = inbox.bad(line)
    assert r.text
    assert inbox.ok("FETCH 1 UID").fetch() == {1: {"UID": 1}}


@pytest.mark.parametrize("junk", [
    b"\r\n", b" \r\n", b"   NOOP\r\n", b"a\r\n", b"a \r\n", b"a  NOOP\r\n",
    b"\0\0\0\r\n", b"\xff\xfe\xfd\r\n", b"a\xe9 NOOP\r\n", b"(((\r\n",
    b"{5}\r\n", b"* NOOP\r\n", b"+ NOOP\r\n", b"a NO\0OP\r\n", b"\x16\x03\x01\r\n",
    b"GET / HTTP/1.1\r\n", b"\\ x\r\n", b'" x\r\n', b"a NOOP\n",
])
@pytest.mark.parametrize("before_login", [True, False])
def test_junk_lines(connect, login, junk, before_login):
    c = connect() if before_login else login()
    c.send(junk)
    c.send(b"z NOOP\r\n")
    while True:
        r = c.read()
        if r.tag == "z":
            break
        assert r.status in ("BAD", "OK", "NO")
    assert r.status == "OK"


@pytest.mark.imapd
def test_too_long_line(make_server):
    s = make_server({"max_line": 65536})
    c = s.login(s.account("u"))
    c.send(b"a SELECT " + b"x" * 200000 + b"\r\nb NOOP\r\n")
    assert c.tagged("a").status in ("BAD", "NO")
    assert c.tagged("b").status == "OK"


@pytest.mark.imapd
def test_too_long_line_before_login(connect, account):
    c = connect()
    c.send(b"a LOGIN " + b"x" * 20000 + b" y\r\n")
    c.send(f'b LOGIN {account.name} "{account.password}"\r\n')
    while True:
        r = c.read()
        if r.tag == "b":
            break
        assert r.status == "BAD"
    assert r.status == "OK"


@pytest.mark.imapd
def test_endless_line(make_server):
    """No line end ever: cut off, without eating the memory."""
    s = make_server({"max_line": 65536})
    c = s.login(s.account("u"))
    c.send(b"a SELECT ")
    try:
        for _ in range(2000):
            c.send(b"x" * 65536)
    except (ConnectionError, TimeoutError):
        return
    c.send(b"\r\nb NOOP\r\n")
    r = c.read()
    assert r.status in ("BAD", "BYE", "NO")


@pytest.mark.imapd
@pytest.mark.parametrize("size", [
    "5000000", "4294967295", "4294967296", "18446744073709551615",
    "18446744073709551616", "99999999999999999999999999"])
def test_too_large_literal(inbox, size):
    """Refused before it is sent."""
    inbox.send(f"a SELECT {{{size}}}\r\n")
    r = inbox.read()
    assert r.tag == "a" and r.status in ("BAD", "NO"), r
    assert inbox.ok("FETCH 1 UID").fetch() == {1: {"UID": 1}}


@pytest.mark.imapd
def test_too_large_literal_before_login(connect, account):
    c = connect()
    c.send("a LOGIN {100000}\r\n")
    r = c.read()
    assert r.tag == "a" and r.status in ("BAD", "NO"), r
    c.login(account.name, account.password)


@pytest.mark.imapd
def test_too_large_nonsync_literal_is_consumed(inbox):
    inbox.send(b"a SELECT {3000000+}\r\n" + b"x NOOP\r\n" * 375000
               + b"\r\nb NOOP\r\n")
    while True:
        r = inbox.read()
        if r.tag == "b":
            break
        assert r.tag == "a" or r.status == "BYE", f"literal was run: {r}"
        assert r.status in ("BAD", "NO", "BYE")
        if r.status == "BYE":
            assert inbox.is_closed()
            return


@pytest.mark.differs("reads a literal behind an unknown command as commands")
def test_bad_command_consumes_its_literals(inbox):
    inbox.send(b"a NONSENSE {10+}\r\nx NOOP\r\ny {4+}\r\nabcd z\r\nb NOOP\r\n")
    assert inbox.tagged("a").status == "BAD"
    assert inbox.tagged("b").status == "OK"



@pytest.mark.imapd
def test_ten_bad_commands(inbox):
    for i in range(9):
        inbox.bad("NONSENSE")
    inbox.send("a NONSENSE\r\n")
    assert inbox.is_closed()
    assert inbox.log[-1].status == "BYE"


@pytest.mark.imapd
def test_ten_literals_that_are_too_large(inbox):
    for _ in range(9):
        inbox.send("a SELECT {5000000}\r\n")
        assert inbox.tagged("a").status == "NO"
    inbox.send("a SELECT {5000000}\r\n")
    assert inbox.is_closed()
    assert inbox.log[-1].status == "BYE"


@pytest.mark.imapd
def test_a_good_command_forgives(inbox):
    for _ in range(3):
        for i in range(9):
            inbox.bad("NONSENSE")
        inbox.ok("NOOP")


@pytest.mark.imapd
def test_ten_bad_commands_before_login(connect):
    c = connect()
    try:
        for _ in range(11):
            c.send("a NONSENSE\r\n")
    except ConnectionError:
        pass
    assert c.is_closed()
    assert c.log[-1].status == "BYE"


@pytest.mark.imapd
def test_not_utf8(inbox):
    for command in (b"CREATE {2+}\r\n\xc3\x28",
                    b"SEARCH SUBJECT \"\xff\"",
                    b"SEARCH CHARSET UTF-8 BODY {1+}\r\n\xe9",
                    b"SEARCH CHARSET US-ASCII BODY {1+}\r\n\xe9",
                    b"SEARCH CHARSET SHIFT_JIS TEXT {1+}\r\n\x81",
                    b"STORE 1 +FLAGS (\xe9)", b"LIST \"\" \"\xff*\"",
                    b"SELECT \"\xff\xfe\""):       # which unselects
        inbox.send(b"a " + command + b"\r\n")
        r = inbox.tagged("a")
        assert r.status in ("BAD", "NO"), command
        assert "\ufffd" not in r.text
    inbox.ok("NOOP")


def test_no_response_splitting(client):
    """What a client sent never ends a line of ours."""
    for command in ("SELECT", "STATUS", "DELETE", "RENAME"):
        client.send(b"a %s {24+}\r\nx\r\n* 9 EXISTS\r\na OK hi!\r\n"
                    % command.encode())
        r = client.read()
        assert r.tag == "a" and r.status in ("NO", "BAD"), r
        client.ok("NOOP")


@pytest.mark.differs("reads a literal behind an unknown command as commands")
def test_nothing_is_lost(account, inbox):
    """After all kinds of nonsense the mail is as it was."""
    before = {p.name: p.read_bytes() for p in account.mail.files()}
    rng = random.Random(7)
    words = ["FETCH", "STORE", "1:*", "(", ")", "BODY[", "]", "{3+}\r\nabc",
             '"', "FLAGS", "\\Seen", "SEARCH", "NOT", "COPY", "UID", "MOVE",
             "APPEND", "INBOX", "RENAME", "..", "\x7f", "0", "4294967296"]
    for i in range(200):
        tag = f"f{i}"
        line = tag + " X " + " ".join(
            rng.choice(words) for _ in range(rng.randrange(1, 9)))
        inbox.send(line.encode("latin-1") + b"\r\n")
        while inbox.read().tag != tag:
            pass
        inbox.ok("NOOP")
    assert {p.name: p.read_bytes() for p in account.mail.files()} == before



# ---- those who stall -------------------------------------------------------

@pytest.mark.imapd
def test_silent_before_login(make_server):
    s = make_server({"login_timeout": "5s"})
    c = s.connect()
    t = time.monotonic()
    assert c.is_closed(15)
    assert 3 < time.monotonic() - t < 10
    assert c.log[-1].status == "BYE"


@pytest.mark.imapd
def test_login_deadline_is_total(make_server):
    """A byte now and then does not help."""
    s = make_server({"login_timeout": "5s"})
    c = s.connect()
    t = time.monotonic()
    with pytest.raises((Closed, ConnectionError)):
        while time.monotonic() - t < 15:
            c.send(b"x")
            if c.is_readable(0.5):
                while True:
                    c.read()
    assert time.monotonic() - t < 10


@pytest.mark.imapd
def test_silent_in_handshake(make_server):
    s = make_server({"login_timeout": "5s"})
    with socket.create_connection(("127.0.0.1", s.tls_port), 15) as sock:
        t = time.monotonic()
        assert sock.recv(10) == b""
        assert time.monotonic() - t < 10


@pytest.mark.imapd
def test_stall_in_a_literal(make_server):
    s = make_server({"stall_timeout": "10s"})
    a = s.account("u")
    c = s.login(a)
    c.send(b"a APPEND INBOX {1000}\r\n")
    assert c.read().tag == "+"
    c.send(b"half")
    t = time.monotonic()
    assert c.is_closed(30)
    assert 5 < time.monotonic() - t < 20
    assert not a.mail.files()
    assert not list((a.mail.root / "tmp").iterdir())


@pytest.mark.imapd
def test_peer_that_does_not_read(make_server):
    s = make_server({"stall_timeout": "10s"})
    a = s.account("u")
    for n in range(10):
        a.mail.deliver(message(body="x" * 2000000 + "\n", n=n), flags="")
    waiting = set(_children(s.process.pid))     # for the next connection
    with s.login(a) as c:
        c.ok("SELECT INBOX")
        c.send("a FETCH 1:* BODY.PEEK[]\r\n")
        assert set(_children(s.process.pid)) - waiting
        assert _ends(s, waiting, 30), "still writing to somebody who does not read"


@pytest.mark.imapd
def test_reset_by_peer(server, account, login):
    """RST instead of FIN, in the middle of output."""
    account.mail.deliver(message(body="x" * 3000000 + "\n"), flags="")
    c = login()
    c.ok("SELECT INBOX")
    c.send("a FETCH 1 BODY.PEEK[]\r\n")
    c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                      b"\1\0\0\0\0\0\0\0")
    c.sock.close()
    time.sleep(0.3)
    assert login().ok("NOOP")


def _ends(server, waiting, seconds):
    """Do the processes of a server's only session end?"""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not set(_children(server.process.pid)) - waiting:
            return True
        time.sleep(0.2)
    return False


def _children(pid):
    out = []
    for p in os.listdir("/proc"):
        try:
            with open(f"/proc/{p}/stat") as f:
                fields = f.read().rpartition(")")[2].split()
        except (OSError, ValueError):
            continue
        if fields and fields[1] == str(pid) and fields[0] != "Z":
            out.append(int(p))
    return out


@pytest.mark.imapd
def test_sigterm_says_bye(make_server):
    s = make_server()
    waiting = set(_children(s.process.pid))
    c = s.login(s.account("u"))
    c.ok("SELECT INBOX")
    for pid in set(_children(s.process.pid)) - waiting:
        os.kill(pid, 15)
    assert c.is_closed(10)
    assert c.log[-1].status == "BYE"


@pytest.mark.imapd
def test_listener_survives_everything(make_server):
    """After the worst of clients the next one is served."""
    s = make_server()
    a = s.account("u")
    for junk in (b"", b"\0" * 100000, b"\x16\x03\x01\x02\x00" * 1000,
                 b"a " * 50000, os.urandom(50000), b"{" * 9000 + b"\r\n"):
        for port in (s.port, s.tls_port):
            with socket.create_connection(("127.0.0.1", port), 5) as sock:
                try:
                    sock.sendall(junk)
                except ConnectionError:
                    pass
    c = s.login(a)
    c.ok("NOOP")
    with pytest.raises(Exception):
        Client.tls("127.0.0.1", s.port, timeout=5)
    s.login(a, tls=True).ok("NOOP")
