# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Every system call that touches the disk, failed and killed at its Nth use.

A session over a pipe does all that changes mail, while strace makes the Nth use
of one system call fail, or the process die there.  Whatever the session was
told by a tagged OK must be so afterwards, for the next imapd and for Dovecot;
what it was not told may have happened or not; nothing else may be lost or
change its UID, and no mod-sequence is taken back.  (The steps between durable
states are stopped one by one in tests/unit/test_maildir_steps.c; this test
knows nothing of them.)
"""

import os
import re
import shutil
import subprocess

import pytest

from imapclient import Client, Closed
from maildirs import Maildir, crlf, message
from record import Record, check_record
from servers import (IMAPD, MAIL_GID, MAIL_UID, as_mail_user, dovecot_pipe_argv,
                     imapd_pipe_argv, run_dir)

# What to fail, and how: the call, and errors that a disk can give.
FAULTS = [
    ("openat", "EMFILE"), ("openat", "ENOSPC"), ("read", "EIO"),
    ("pread64", "EIO"), ("getdents64", "EIO"), ("write", "ENOSPC"),
    ("pwrite64", "EIO"), ("writev", "ENOSPC"), ("fsync", "EIO"),
    ("fdatasync", "EIO"), ("rename", "EIO"), ("renameat", "EIO"),
    ("renameat2", "ENOSPC"), ("link", "EMLINK"), ("linkat", "EMLINK"),
    ("unlink", "EIO"), ("unlinkat", "EIO"), ("mkdir", "ENOSPC"),
    ("mkdirat", "ENOSPC"), ("ftruncate", "EIO"), ("fstat", "EIO"),
    ("newfstatat", "EIO"), ("utimensat", "EIO"), ("inotify_init1", "EMFILE"),
    ("inotify_add_watch", "ENOSPC"), ("mmap", "ENOMEM"),
]
KILLED = ["openat", "write", "writev", "fsync", "fdatasync", "rename",
          "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat",
          "mkdirat", "mkdir", "close", "ftruncate", "utimensat"]
USES_MAX = 400


@pytest.fixture(scope="module")
def top():
    d = run_dir()
    os.chown(d, MAIL_UID, MAIL_GID)
    yield d
    shutil.rmtree(d)


class Box:
    """A Maildir as it is before each run: a session has been there, and what
    it did is on record."""

    def __init__(self, top):
        self.root = top / "Maildir"
        shutil.rmtree(self.root, ignore_errors=True)
        if not (top / "First").exists():
            self.make()
            self.root.rename(top / "First")
        subprocess.run(["cp", "-a", top / "First", self.root], check=True)

    def make(self):
        self.mail = Maildir(self.root, MAIL_UID, MAIL_GID)
        for n in range(6):
            self.mail.deliver(message(f"old {n}", n=n), flags="",
                              name=f"17000000{n:02}.M1P1.host")
        self.mail.make("Box")
        lines = ["3 V1700000077 N7 G0123456789abcdef0123456789abcdef"]
        lines += [f"{n + 1} :17000000{n:02}.M1P1.host" for n in range(6)]
        self.mail.write(self.root / "dovecot-uidlist",
                        ("\n".join(lines) + "\n").encode())
        with Client.pipe(imapd_pipe_argv(self.root),
                         stderr=subprocess.DEVNULL, **as_mail_user()) as c:
            c.ok("SELECT INBOX")
            c.ok("STORE 6 +FLAGS (\\Answered)")
            c.ok("LOGOUT")


def work(c):
    """All that changes mail; yields (what, result) as it is answered."""
    for what, args in (
            ("select", ("SELECT INBOX",)),
            ("flag", ("UID STORE 1 +FLAGS.SILENT (\\Flagged)",)),
            ("keyword", ("UID STORE 2 +FLAGS.SILENT (kept)",)),
            ("append", ("APPEND INBOX (\\Seen)", crlf(message("new")))),
            ("copy", ("UID COPY 3 Box",)),
            ("move", ("UID MOVE 4 Box",)),
            ("delete", ("UID STORE 5 +FLAGS.SILENT (\\Deleted)",)),
            ("expunge", ("UID EXPUNGE 5",)),
            ("create", ("CREATE Made",)),
            ("rename", ("RENAME Made Renamed",)),
            ("subscribe", ("SUBSCRIBE Renamed",)),
            ("noop", ("NOOP",))):
        yield what, c.cmd(*args)


def run_with(top, inject):
    """The work under strace: (what was answered OK, was the fault met)."""
    trace = top / "trace"
    trace.unlink(missing_ok=True)
    argv = ["strace", "-f", "-qq", "-o", str(trace), "-e", "signal=none",
            "-e", f"trace={inject.split(':')[0]}", "-e", f"inject={inject}",
            # strace makes the call fail by giving it the number -1, for which
            # seccomp would end the process.
            str(IMAPD), "-o", "sandbox=no", "-d", str(top / "Maildir")]
    done = set()
    try:
        c = Client.pipe(argv, stderr=subprocess.DEVNULL, **as_mail_user())
    except (Closed, AssertionError):
        return done, True
    try:
        for what, r in work(c):
            assert r.status in ("OK", "NO", "BAD"), r
            if r.status == "OK":
                done.add(what)
    except (Closed, ConnectionError, BrokenPipeError):
        pass
    finally:
        c.close()
    text = trace.read_text(errors="replace") if trace.exists() else ""
    return done, "INJECTED" in text or "killed by SIGKILL" in text \
        or ":signal" in inject and "noop" not in done


def subjects(c, folder):
    """{uid: (subject, flags)}"""
    c.ok(f"SELECT {folder}")
    got = c.uid_fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    return {u: (re.search(rb"Subject: (.*)\r\n", m[
        "BODY[HEADER.FIELDS (SUBJECT)]"]).group(1).decode(),
        {str(f) for f in m["FLAGS"]} - {"\\Recent"})
        for u, m in got.items()}


def check(c, done, inject):
    """What was promised is there, and nothing else is lost."""
    validity = c.ok("SELECT INBOX").codes("UIDVALIDITY")[0].data
    assert validity == [1700000077], inject
    inbox, box = subjects(c, "INBOX"), subjects(c, "Box")
    names = {s for s, _ in inbox.values()} | {s for s, _ in box.values()}
    for n in range(6):
        subject, uid = f"old {n}", n + 1
        if uid == 4:            # moved, or not
            assert subject in names, f"{inject}: {subject} is lost"
            continue
        if uid == 5 and "delete" in done:
            # From then on the expunge may have happened, told or not.
            if "expunge" in done:
                assert uid not in inbox, inject
            continue
        if uid == 5 and uid not in inbox:
            # Deleted without having been told so: only by the expunge.
            continue
        assert uid in inbox, f"{inject}: {subject} is lost"
        assert inbox[uid][0] == subject, f"{inject}: {uid} is another"
    if "flag" in done:
        assert "\\Flagged" in inbox[1][1], inject
    if "keyword" in done:
        assert "kept" in inbox[2][1], inject
    new = [u for u, (s, _) in inbox.items() if s == "new"]
    if "append" in done:
        assert len(new) == 1, inject
    assert all(u >= 7 for u in new) and len(new) <= 1, inject
    if "copy" in done:
        assert "old 2" in {s for s, _ in box.values()}, inject
    if "move" in done:
        assert 4 not in inbox, inject
        assert "old 3" in {s for s, _ in box.values()}, inject
    names = c.list("", "*")
    if "rename" in done:
        assert "Renamed" in names and "Made" not in names, inject
    elif "create" in done:
        assert {"Made", "Renamed"} & set(names), inject
    if "subscribe" in done:
        assert "Renamed" in c.list("", "*", "LSUB"), inject


def flags(top):
    return Maildir(top / "Maildir", MAIL_UID, MAIL_GID).flags()


def check_modseqs(top, before, stopped, was, inject):
    now = flags(top)
    # The bases of UIDs 1 to 6 tell which they are.
    check_record(before, stopped, Record(top / "Maildir"),
                 {u + 1 for u in range(6)
                  for base in [f"17000000{u:02}.M1P1.host"]
                  if base in now and now[base] != was[base]}, inject)


def one(top, inject):
    Box(top)
    before, was = Record(top / "Maildir"), flags(top)
    assert before.modseq.keys() == set(range(1, 7)) and before.highest > 0
    assert before.modseq[6] > before.modseq[5]
    done, met = run_with(top, inject)
    stopped = Record(top / "Maildir")
    # Killed between making the lock and writing its pid: that one is waited
    # for, 120 seconds, as the crash table of lock.c says.
    for lock in top.glob("Maildir/**/dovecot-uidlist.lock"):
        if lock.stat().st_size == 0:
            lock.unlink()
    for argv in (imapd_pipe_argv(top / "Maildir"),
                 dovecot_pipe_argv(top / "Maildir", top)):
        # The lock of a killed process names a pid that is gone.
        with Client.pipe(argv, stderr=subprocess.DEVNULL,
                         **as_mail_user()) as c:
            check(c, done, f"{inject} ({argv[0]})")
        if argv[0] == IMAPD:
            check_modseqs(top, before, stopped, was, inject)
    return met


def every_use(top, fault):
    for n in range(1, USES_MAX):
        if not one(top, f"{fault}:when={n}"):
            return n - 1
    raise AssertionError(f"{fault}: no end after {USES_MAX} uses")


def test_work_without_faults(top):
    """All is answered OK, so that the faults have something to break."""
    Box(top)
    before = Record(top / "Maildir")
    done, met = run_with(top, "openat:error=EIO:when=60000")
    assert not met
    now = Record(top / "Maildir")
    assert now.gone.keys() == {4, 5} and now.modseq.keys() == {1, 2, 3, 6, 7}
    assert {u for u, n in now.modseq.items() if n > before.highest} == {1, 2, 7}
    assert done == {"select", "flag", "keyword", "append", "copy", "move",
                    "delete", "expunge", "create", "rename", "subscribe",
                    "noop"}


@pytest.mark.parametrize("call, error", FAULTS,
                         ids=[f"{c}-{e}" for c, e in FAULTS])
def test_failed(top, call, error):
    every_use(top, f"{call}:error={error}")


@pytest.mark.parametrize("call", KILLED)
def test_killed(top, call):
    every_use(top, f"{call}:signal=SIGKILL")
