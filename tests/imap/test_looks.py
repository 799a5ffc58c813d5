# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""What a look at a mailbox costs: which directories are read, and when.

strace tells.  It may not read the memory of imapd's sessions, nor what their
descriptors are; so this is a session without processes around it
(tests/session), and imapd where its log is asked for.
"""

import os
import pathlib
import re
import subprocess
import time

import pytest

import servers
from imapclient import Client
from maildirs import message

pytestmark = pytest.mark.imapd

BUILD = pathlib.Path(os.environ.get("IMAPD_BUILD", "../.."))
# Times younger than 20 ms prove nothing (maildir/scan.c).
QUIET = 0.3


class Session:
    """A session under strace."""

    def __init__(self, root, *inject, calls="getdents,getdents64"):
        self.trace = pathlib.Path(root).parent / "trace"
        self.trace.unlink(missing_ok=True)
        self.told = 0
        self.c = Client.pipe(
            ["strace", "-qq", "-y", "-o", str(self.trace), "-e",
             "signal=none", "-e", f"trace={calls}",
             *(a for i in inject for a in ("-e", f"inject={i}")), "--",
             str(BUILD / "tests/session/session_pipe"), str(root)],
            stderr=subprocess.DEVNULL, **servers.as_mail_user())

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.c.close()

    def lines(self):
        """Calls since the last time this was asked.  strace has written them
        before the answer was."""
        lines = self.trace.read_text(errors="replace").splitlines()
        new, self.told = lines[self.told:], len(lines)
        return new

    def ok(self, command, *args):
        """(the result, the directories that were read for it)"""
        self.lines()
        r = self.c.ok(command, *args)
        read = set()
        for line in self.lines():
            m = re.match(r"getdents(?:64)?\(\d+<([^>]*)>", line)
            assert m, line
            read.add(pathlib.Path(m.group(1)).name)
        return r, read

    def reads(self, command):
        return self.ok(command)[1]


def put_on_record(session, command="SELECT INBOX"):
    """As a session leaves it that had nothing to do for a moment."""
    session.c.ok(command)
    time.sleep(QUIET)
    session.c.ok("NOOP")


@pytest.fixture
def mail(account):
    for n in range(30):
        account.mail.deliver(message(n=n), flags="")
        account.mail.deliver(message(n=n), folder="Box")
    return account.mail


def in_cur(mail, n):
    return [p for p in mail.files() if p.parent.name == "cur"][n]


def test_what_is_read_is_seen(mail):
    """The first SELECT of all: else the others would prove nothing."""
    with Session(mail.root) as s:
        assert {"new", "cur"} <= s.reads("SELECT INBOX")


def test_nothing_changed(mail):
    with Session(mail.root) as s:
        put_on_record(s)
        put_on_record(s, "SELECT Box")
        s.c.ok("LOGOUT")
    with Session(mail.root) as s:
        for command in ("STATUS INBOX (MESSAGES UNSEEN UIDNEXT)",
                        "SELECT INBOX", "NOOP", "FETCH 1:* FLAGS", "NOOP",
                        "CHECK", "STATUS Box (MESSAGES)", "EXAMINE Box",
                        "NOOP", "SELECT INBOX", "UNSELECT", "SELECT Box",
                        "CLOSE", "SELECT INBOX", "LOGOUT"):
            assert s.reads(command) == set(), command


@pytest.mark.parametrize("size", [30, 3000])
def test_delivery_before_select(mail, size):
    """Only new/ is read, whatever lies in cur/."""
    for n in range(size - 30):
        mail.deliver(b"\n", flags="S", name=f"1600000000.M{n}P1.host")
    with Session(mail.root) as s:
        put_on_record(s)
        s.c.ok("LOGOUT")
    mail.deliver()
    with Session(mail.root) as s:
        r, read = s.ok("SELECT INBOX")
        assert r.exists() == size + 1 and read == {"new"}
        assert s.reads("NOOP") == set()


@pytest.mark.parametrize("command", ["SELECT", "EXAMINE"])
def test_delivery_to_a_session(mail, command):
    with Session(mail.root) as s:
        put_on_record(s)
        s.c.ok("LOGOUT")
    with Session(mail.root) as s:
        # With no command between, that could have started the watch.
        assert s.reads(f"{command} INBOX") == set()
        for n in range(31, 34):
            mail.deliver()
            r, read = s.ok("NOOP")
            assert r.exists() == n and read == set()


def test_foreign_changes_to_a_session(mail):
    """Renamed for flags, removed, put into cur/ by others."""
    with Session(mail.root) as s:
        put_on_record(s)
        s.c.ok("LOGOUT")
    with Session(mail.root) as s:
        assert s.reads("SELECT INBOX") == set()
        p = in_cur(mail, 4)
        p.rename(f"{p}F")
        r, read = s.ok("NOOP")
        assert list(r.fetch()) == [5] and read == set()
        in_cur(mail, 7).unlink()
        r, read = s.ok("NOOP")
        assert [x.number for x in r.all("EXPUNGE")] == [8] and read == set()
        mail.deliver(flags="S")
        r, read = s.ok("NOOP")
        assert r.exists() == 30 and read == set()
        # Our own changes are no reason to look, either.
        for command in ("STORE 1:5 +FLAGS (\\Seen one)", "NOOP",
                        "COPY 1:3 INBOX", "NOOP", "COPY 1:3 Box", "NOOP",
                        "STORE 9 +FLAGS (\\Deleted)", "EXPUNGE", "NOOP"):
            assert s.reads(command) & {"new", "cur"} == set() \
                or command.endswith(" Box"), command


def test_watch_goes_along(mail):
    """From mailbox to mailbox and back, each is watched from SELECT on; with
    one inotify instance, which is not closed: the kernel takes its time."""
    calls = "getdents64,inotify_init1,inotify_add_watch,close"
    with Session(mail.root) as s:
        put_on_record(s)
        put_on_record(s, "SELECT Box")
        s.c.ok("LOGOUT")
    with Session(mail.root, calls=calls) as s:
        for n in range(1, 4):
            for folder in ("INBOX", "Box"):
                s.c.ok(f"SELECT {folder}")
                mail.deliver(folder=folder)
                r = s.c.ok("NOOP")
                assert r.exists() == 30 + n
                time.sleep(QUIET)
                s.c.ok("NOOP")
        lines = s.lines()
    assert sum("inotify_init1(" in x for x in lines) == 1
    assert [x for x in lines if x.startswith("close(")]
    assert not [x for x in lines if "close(" in x and "inotify" in x]
    assert not [x for x in lines if "getdents64(" in x and "/cur>" in x]


def test_events_are_lost(mail):
    """More of them than the kernel keeps: everything is looked at, once."""
    limit = int(pathlib.Path(
        "/proc/sys/fs/inotify/max_queued_events").read_text())
    if limit > 200000:
        pytest.skip(f"{limit} events would have to be made")
    with Session(mail.root) as s:
        s.c.ok("SELECT INBOX")
        p = in_cur(mail, 4)
        for _ in range(limit // 4 + 10):        # two events a rename
            p.rename(f"{p}F")
            pathlib.Path(f"{p}F").rename(p)
        in_cur(mail, 7).unlink()
        p.rename(f"{p}T")
        r, read = s.ok("NOOP")
        assert {"new", "cur"} <= read
        assert [x.number for x in r.all("EXPUNGE")] == [8]
        assert list(r.fetch()) == [5]
        mail.deliver()
        r, read = s.ok("NOOP")
        assert r.exists() == 30 and read == set()


def test_idle_settles(mail):
    """What an idle session has seen, who comes next need not look for."""
    with Session(mail.root) as s:
        put_on_record(s)
        s.c.ok("LOGOUT")
    with Client.pipe(servers.imapd_pipe_argv(mail.root),
                     stderr=subprocess.DEVNULL,
                     **servers.as_mail_user()) as idle:
        idle.ok("SELECT INBOX")
        idle.send("i IDLE\r\n")
        while idle.read().tag != "+":
            pass
        for n in range(31, 34):
            mail.deliver()
            while idle.read().name != "EXISTS":
                pass
            time.sleep(QUIET)
            with Session(mail.root) as s:
                r, read = s.ok("SELECT INBOX")
                assert r.exists() == n and read == set()
        idle.send("DONE\r\n")
        idle.tagged("i")


# ---- without inotify -------------------------------------------------------

@pytest.mark.parametrize("inject, reason", [
    ("inotify_init1:error=EMFILE", "instance"),
    ("inotify_add_watch:error=ENOSPC", "watche"),
    ("inotify_add_watch:error=ENOSPC:when=2+2", "watche")])
def test_polling(account, inject, reason):
    """No instance, or no watch: NOOP and IDLE notice all the same, and the log
    says why, once."""
    m = account.mail
    m.deliver(flags="")
    log = m.root.parent / "log"
    argv = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "signal=none",
            "-e", f"trace={inject.split(':')[0]}", "-e", f"inject={inject}",
            # A call that strace makes fail has the number -1, for which
            # seccomp would end the process.
            servers.IMAPD, "-o", "sandbox=no", "-o", "log=stderr", "-d", m.root]
    with open(log, "wb") as f, Client.pipe(
            [str(a) for a in argv], stderr=f, **servers.as_mail_user()) as c:
        c.ok("SELECT INBOX")
        assert "polling" in log.read_text()
        m.deliver()
        assert c.ok("NOOP").exists() == 2
        p = in_cur(m, 0)
        p.rename(f"{p}F")
        assert list(c.ok("NOOP").fetch()) == [1]
        in_cur(m, 0).unlink()
        c.ok("NOOP")
        for n in (2, 3):
            c.send("i IDLE\r\n")
            while c.read().tag != "+":
                pass
            m.deliver()
            while c.read().name != "EXISTS":
                pass
            c.send("DONE\r\n")
            c.tagged("i")
            assert c.ok("SEARCH ALL").search() == list(range(1, n + 1))
        assert not list((m.root / "new").iterdir())
    text = log.read_text()
    assert text.count("polling") == 1, text
    assert f"no inotify {reason}s left" in text


def test_the_end_is_told_before_anything_is_closed(mail):
    """To close an inotify instance takes the kernel 10 ms."""
    with Session(mail.root, calls="shutdown,close,exit_group") as s:
        s.c.ok("SELECT INBOX")
        s.lines()
        s.c.ok("LOGOUT")
        s.c.close()
        lines = s.lines()
    assert any("inotify" in line for line in lines), lines
    assert lines[0].startswith("shutdown("), lines
