# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""The same with a quota: what a failed or killed system call leaves, the next
GETQUOTA counts right, and mail is as safe as without."""

import re
import shutil
import subprocess

import pytest

from imapclient import Client, Closed
from maildirs import Maildir, crlf, message
from servers import (IMAPD, MAIL_GID, MAIL_UID, as_mail_user)
from test_faults import top                         # noqa: F401

FAULTS = [
    ("openat", "EMFILE"), ("openat", "EIO"), ("fstat", "EIO"),
    ("pread64", "EIO"), ("getdents64", "EIO"), ("write", "ENOSPC"),
    ("fdatasync", "EIO"), ("renameat", "EIO"), ("unlinkat", "EIO"),
    ("newfstatat", "EIO"),
]
KILLED = ["openat", "write", "fdatasync", "renameat", "renameat2", "unlinkat"]
USES_MAX = 400
OPTIONS = ["-o", "quota=*:storage=1M:messages=8", "-o", "sandbox=no"]


def make(top):
    root = top / "Maildir"
    shutil.rmtree(root, ignore_errors=True)
    mail = Maildir(root, MAIL_UID, MAIL_GID)
    for n in range(4):
        mail.deliver(message(f"old {n}", n=n), flags="",
                     name=f"17000000{n:02}.M1P1.host")
    mail.make("Box")
    lines = ["3 V1700000077 N5 G0123456789abcdef0123456789abcdef"]
    lines += [f"{n + 1} :17000000{n:02}.M1P1.host" for n in range(4)]
    mail.write(root / "dovecot-uidlist", ("\n".join(lines) + "\n").encode())


def work(c):
    for what, args in (
            ("select", ("SELECT INBOX",)),
            ("append", ("APPEND INBOX (\\Seen)", crlf(message("new")))),
            ("copy", ("UID COPY 1:2 Box",)),
            ("expunge", ("UID STORE 1 +FLAGS.SILENT (\\Deleted)",)),
            ("expunge", ("UID EXPUNGE 1",)),
            ("over", ("UID COPY 1:* Box",)),
            ("delete", ("DELETE Box",))):
        yield what, c.cmd(*args)


def run_with(top, inject):
    trace = top / "trace"
    trace.unlink(missing_ok=True)
    argv = ["strace", "-f", "-qq", "-o", str(trace), "-e", "signal=none",
            "-e", f"trace={inject.split(':')[0]}", "-e", f"inject={inject}",
            str(IMAPD), *OPTIONS, "-d", str(top / "Maildir")]
    done = {}
    try:
        with Client.pipe(argv, stderr=subprocess.DEVNULL,
                         **as_mail_user()) as c:
            for what, r in work(c):
                assert r.status in ("OK", "NO", "BAD"), r
                done[what] = r
    except (Closed, ConnectionError, AssertionError) as e:
        if isinstance(e, AssertionError) and "greeting" not in str(e) \
                and done:
            raise
    text = trace.read_text(errors="replace") if trace.exists() else ""
    return done, "INJECTED" in text or ":signal" in inject \
        and "delete" not in done


def truth(root):
    files = [p for d in [root, *root.glob(".[!.]*")] if d.is_dir()
             for sub in ("new", "cur") if (d / sub).is_dir()
             for p in (d / sub).iterdir()]
    return sum(int(m.group(1)) if (m := re.search(r",S=(\d+)", p.name))
               else p.stat().st_size for p in files), len(files)


def check(top, done, inject):
    root = top / "Maildir"
    with Client.pipe([str(IMAPD), *OPTIONS, "-d", str(root)],
                     stderr=subprocess.DEVNULL, **as_mail_user()) as c:
        values = c.ok("GETQUOTAROOT INBOX").one("QUOTA").data[1]
        size, n = truth(root)
        assert values[1] == (size + 1023) // 1024, inject
        assert values[4] == n, inject
        c.ok("SELECT INBOX")
        got = c.uid_fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    names = [re.search(rb"Subject: (.*)\r\n", m[
        "BODY[HEADER.FIELDS (SUBJECT)]"]).group(1).decode()
        for m in got.values()]
    for k in range(1, 4):
        assert names.count(f"old {k}") == 1, inject
    if "append" in done and done["append"].status == "OK":
        assert names.count("new") == 1, inject
    if "over" in done and {"append", "copy"} <= set(done) and all(
            done[w].status == "OK" for w in ("append", "copy", "expunge")):
        # 4 + 1 + 2 - 1 = 6 of 8, and 4 more
        assert done["over"].status == "NO", inject


def every_use(top, fault):
    for n in range(1, USES_MAX):
        inject = f"{fault}:when={n}"
        make(top)
        done, met = run_with(top, inject)
        for lock in top.glob("Maildir/**/dovecot-uidlist.lock"):
            if lock.stat().st_size == 0:
                lock.unlink()
        check(top, done, inject)
        if not met:
            return
    raise AssertionError(f"{fault}: no end after {USES_MAX} uses")


def test_work_without_faults(top):                  # noqa: F811
    make(top)
    done, met = run_with(top, "openat:error=EIO:when=60000")
    assert not met
    assert {w: r.status for w, r in done.items()} == {
        "select": "OK", "append": "OK", "copy": "OK", "expunge": "OK",
        "over": "NO", "delete": "OK"}
    assert done["over"].code == "OVERQUOTA"
    check(top, done, "none")


@pytest.mark.parametrize("call, error", FAULTS,
                         ids=[f"{c}-{e}" for c, e in FAULTS])
def test_failed(top, call, error):                  # noqa: F811
    every_use(top, f"{call}:error={error}")


@pytest.mark.parametrize("call", KILLED)
def test_killed(top, call):                         # noqa: F811
    every_use(top, f"{call}:signal=SIGKILL")
