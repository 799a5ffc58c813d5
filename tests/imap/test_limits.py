# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""What one client, one user or one address may use up."""

import contextlib
import re
import socket
import time

import pytest

from imapclient import Client, Closed

pytestmark = pytest.mark.imapd()


def test_sessions_of_a_user(make_server):
    s = make_server({"max_connections_user": 2})
    joe, jane = s.account("joe"), s.account("jane")
    one, two = s.login(joe), s.login(joe, tls=True)
    c = s.connect()
    r = c.cmd(f'LOGIN joe "{joe.password}"')
    assert r.status == "NO" and r.done.code == "LIMIT"
    assert "user-limit" in s.log_text()
    s.login(jane)
    # A slot comes back when its session ends, however.
    two.sock.close()
    time.sleep(0.3)
    c.login(joe.name, joe.password)
    one.ok("NOOP")


def test_connections_of_an_address(make_server):
    s = make_server({"max_connections_address": 3})
    time.sleep(1)               # the one that looked whether it serves ends
    held = [s.connect() for _ in range(3)]
    c = Client.tcp("127.0.0.1", s.port)
    assert c.greeting.status == "BYE" and c.greeting.code == "LIMIT"
    assert "connection-limit" in s.log_text()
    held.pop().logout()
    time.sleep(0.3)
    s.connect().ok("NOOP")


def test_login_timeout(make_server):
    s = make_server({"login_timeout": "5s"})
    began = time.monotonic()
    c = s.connect()
    for _ in range(8):
        with contextlib.suppress(Closed, ConnectionError):
            c.cmd("NOOP")       # does not start the time anew
        time.sleep(0.7)
    with pytest.raises((Closed, ConnectionError)):
        c.ok("NOOP")
    assert time.monotonic() - began < 9


def test_silent_peer_in_a_handshake(make_server):
    s = make_server({"login_timeout": "5s"})
    sock = socket.create_connection(("127.0.0.1", s.tls_port), 10)
    sock.sendall(b"\x16\x03\x01\x02\x00\x01")
    began = time.monotonic()
    with contextlib.suppress(ConnectionError):
        while sock.recv(100):
            pass
    assert 3 < time.monotonic() - began < 9


def test_tries_and_delays(make_server):
    s = make_server()
    s.account("joe")
    c = s.connect()
    took = []
    for _ in range(3):
        began = time.monotonic()
        r = c.cmd("LOGIN joe wrong")
        assert r.status == "NO" and r.done.code == "AUTHENTICATIONFAILED"
        took.append(time.monotonic() - began)
    assert took[0] >= 0.9 and took[0] < took[1] < took[2]
    assert c.read().status == "BYE"
    with pytest.raises(Closed):
        c.read()
    lines = [x for x in s.log_text().splitlines() if "auth-failed" in x]
    assert [re.search(r" attempt=(\d+)", x)[1] for x in lines] == list("123")


def test_ten_bad_commands(make_server):
    s = make_server()
    c = s.connect()
    c.send("".join(f"x{i} NONSENSE\r\n" for i in range(20)))
    for i in range(10):
        assert c.tagged(f"x{i}").status == "BAD"
    assert c.read().status == "BYE"
    with pytest.raises(Closed):
        c.read()


def test_health_check_leaves_no_trace(make_server):
    s = make_server()
    before = s.log_text()
    for port in (s.port, s.tls_port):
        socket.create_connection(("127.0.0.1", port)).close()
    time.sleep(0.3)
    assert s.log_text() == before


def test_no_descriptor_is_lost(make_server):
    """Many connections later the listener holds what it held."""
    import os
    s = make_server()
    joe = s.account("joe")
    fds = f"/proc/{s.process.pid}/fd"
    s.login(joe).logout()
    before = len(os.listdir(fds))
    for i in range(20):
        s.login(joe, tls=bool(i % 2)).logout()
        with contextlib.suppress(Closed):
            s.connect().close()
    time.sleep(0.3)
    assert len(os.listdir(fds)) == before


def test_capabilities_by_network(make_server):
    s = make_server({"capability_networks": "127.0.0.0/8 -IDLE -MOVE",
                     "capability": "-NAMESPACE"})
    joe = s.account("joe", extra="capability=-UNSELECT")
    c = s.connect()
    assert "IDLE" not in c.capability()
    c.login(joe.name, joe.password)
    caps = c.capability()
    assert not {"IDLE", "MOVE", "NAMESPACE", "UNSELECT"} & set(caps)
    assert "UIDPLUS" in caps
