# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""INPROGRESS (RFC 9585), and what becomes of a command nobody waits for."""

import os
import pathlib
import shutil
import socket
import time

import pytest

from imapclient import Client
from maildirs import Maildir, message
from servers import MAIL_GID, MAIL_UID, as_mail_user, run_dir

MESSAGES = 1500
pytestmark = pytest.mark.imapd


@pytest.fixture(scope="module")
def root():
    """Many messages, as links to a few."""
    top = run_dir()
    mail = Maildir(top / "Maildir", MAIL_UID, MAIL_GID)
    mail.make("Box")
    first = mail.deliver(message(body="x" * 20000 + "\n"), flags="",
                         name="1.M1P1.host")
    for n in range(2, MESSAGES + 1):
        os.link(first, first.with_name(f"{n}.M1P1.host:2,"))
    yield mail.root
    shutil.rmtree(top)


@pytest.fixture
def hasty(root):
    """A session that shows signs of life each millisecond, not each ten
    seconds."""
    build = pathlib.Path(os.environ["IMAPD_BUILD"])
    c = Client.pipe([str(build / "tests/session/session_pipe"), str(root),
                     "progress=1"], timeout=120, **as_mail_user())
    c.ok("SELECT INBOX")
    yield c
    c.close()


def signs(result, tag, goal):
    """The numbers of the notifications, which must be as RFC 9585 4 has it."""
    out = [r for r in result.untagged if r.code == "INPROGRESS"]
    assert out and result.done.code != "INPROGRESS"
    done = []
    for r in out:
        (the_tag, n, all_), = r.data
        assert the_tag == tag.encode() and r.status == "OK"
        assert str(all_).upper() == "NIL" or all_ is None if goal is None \
            else int(all_) == goal and int(n) < goal
        done.append(int(n))
    assert done == sorted(set(done))
    return done


def run(c, *args):
    r = c.ok(*args)
    return r, f"t{c.n}"


def test_search_and_fetch(hasty):
    assert "INPROGRESS" in hasty.capability()
    r, tag = run(hasty, "SEARCH BODY nowhere")
    signs(r, tag, MESSAGES)
    assert r.untagged[-1].name == "SEARCH"
    r, tag = run(hasty, "UID SEARCH RETURN (COUNT) BODY nowhere")
    signs(r, tag, MESSAGES)
    r, tag = run(hasty, "FETCH 1:1000 (UID ENVELOPE BODYSTRUCTURE)")
    signs(r, tag, 1000)
    assert len(r.fetch()) == 1000


def test_no_sign_of_what_is_quick(hasty):
    r = hasty.ok("SEARCH UNDELETED")
    assert not r.codes("INPROGRESS")


def test_store_copy_move_expunge(hasty):
    r, tag = run(hasty, "STORE 1:* +FLAGS.SILENT (\\Flagged)")
    signs(r, tag, MESSAGES)
    r, tag = run(hasty, "COPY 1:* Box")
    signs(r, tag, MESSAGES)
    r, tag = run(hasty, "MOVE 1:400 Box")
    signs(r, tag, 400)
    assert len(r.all("EXPUNGE")) == 400
    hasty.ok("STORE 1:400 +FLAGS.SILENT (\\Deleted)")
    r, tag = run(hasty, "EXPUNGE")
    signs(r, tag, 400)
    assert len(r.all("EXPUNGE")) == 400
    assert hasty.status("Box", "MESSAGES")["MESSAGES"] == MESSAGES + 400


def test_multiappend(hasty):
    n = 200
    hasty.send(b"m1 APPEND Box" + b" {5+}\r\nA: b\n" * n + b"\r\n")
    r = hasty.tagged("m1")
    assert r.status == "OK" and signs(r, "m1", None)[-1] < n


def test_tag_with_a_bracket(hasty):
    hasty.send("a]b SEARCH BODY nowhere\r\n")
    r = hasty.tagged("a]b")
    told = [x for x in r.untagged if b"INPROGRESS" in x.raw]
    assert told and all(x.raw.startswith(b"* OK [INPROGRESS (NIL ")
                        for x in told)


# ---- clients that go -------------------------------------------------------

@pytest.fixture(params=[False, True], ids=["plain", "TLS"])
def slow(account, login, request):
    """A client in the middle of a search that takes half a minute."""
    for n in range(400):
        account.mail.deliver(message(body="x" * 2000 + "\n"), flags="",
                             name=f"{n}.M1P1.host")
    c = login(tls=request.param)
    c.ok("SELECT INBOX")
    c.send("s SEARCH " + "".join(f"OR BODY nowhere{n} "
                                  for n in range(60000)) + "BODY x0\r\n")
    assert not c.is_readable(1)
    return c


def ended(server, account, seconds):
    """Its session has said in the log how it ended, within that time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if any(line.startswith("session ") and f"user={account.name} " in line
               for line in server.log_text().splitlines()):
            return True
        time.sleep(0.05)
    return False


def test_client_gone(server, account, slow):
    """Its search ends, though there was nothing to be said for long."""
    slow.close()
    assert ended(server, account, 3)


@pytest.mark.parametrize("slow", [False], ids=["plain"], indirect=True)
def test_client_that_only_stopped_sending(server, account, slow):
    """It is told that the search goes on, and not left.  (TLS has no such
    half: what is said behind a close_notify is nobody's.)"""
    slow.sock.shutdown(socket.SHUT_WR)
    r = slow.read()
    assert r.code == "INPROGRESS" and b'("s" ' in r.raw
    assert not slow.is_readable(1)
    assert not ended(server, account, 0.2)
