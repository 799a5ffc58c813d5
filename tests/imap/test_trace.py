# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""The line at the end of a session, and the trace of one user's sessions."""

import os
import re
import time

import pytest

from maildirs import message
from servers import MAIL_GID, MAIL_UID

pytestmark = pytest.mark.imapd


def last_session(server, seconds=3):
    """The keys of the newest "session" line."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        lines = [x for x in server.log_text().splitlines()
                 if re.search(r"\bsession .*\breason=", x)]
        if lines:
            return dict((k, v.strip('"')) for k, v in re.findall(
                r'([a-z]+)=("[^"]*"|\S*)', lines[-1]))
        time.sleep(0.05)
    raise AssertionError(server.log_text()[-2000:])


def test_session_line(make_server):
    s = make_server()
    a = s.account("u")
    for n in range(3):
        a.mail.deliver(message(n=n), flags="")
    with s.login(a) as c:
        c.ok('ID ("name" "Some\\"Client" "version" "1.0")')
        c.ok("SELECT INBOX")
        c.ok("FETCH 1:2 BODY.PEEK[]")
        c.append("INBOX", message("more"))
        c.ok("STORE 1 +FLAGS (\\Deleted)")
        c.ok("EXPUNGE")
        c.logout()
    keys = last_session(s)
    assert keys["user"] == "u" and keys["reason"] == "logout"
    assert keys["last"] == "LOGOUT" and int(keys["commands"]) >= 7
    assert (keys["fetched"], keys["appended"], keys["expunged"]) \
        == ("2", "1", "1")
    assert int(keys["in"]) > 100 and int(keys["out"]) > 500


def test_session_line_of_who_just_goes(make_server):
    s = make_server()
    c = s.login(s.account("u"))
    c.ok("SELECT INBOX")
    c.close()
    keys = last_session(s)
    assert keys["reason"] == "client closed" and keys["last"] == "SELECT"


def test_trace(make_server):
    s = make_server(start=False)
    traces = s.dir / "trace"
    s.settings["trace_directory"] = traces
    s.write_conf()
    s.start()
    mine, other = s.account("mine"), s.account("other")
    traces.mkdir()
    directory = traces / "mine"
    directory.mkdir()
    os.chown(directory, MAIL_UID, MAIL_GID)
    for a in (mine, other):
        with s.login(a) as c:
            c.ok("SELECT INBOX")
            c.logout()
    path, = directory.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    text = path.read_text()
    assert "SELECT INBOX\n" in text.replace("\r", "")
    assert "* 0 EXISTS" in text and "BYE" in text
    assert mine.password not in text
    assert [x.name for x in traces.iterdir()] == ["mine"]
