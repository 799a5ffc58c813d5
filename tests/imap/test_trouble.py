# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Disk full, no permission, read-only, unmounted: the right response code (RFC
5530), the mail as it was, and service again as soon as the trouble is over."""

import os
import resource
import shutil
import subprocess

import pytest

from imapclient import Client, Closed
from maildirs import Maildir, message
from servers import MAIL_GID, MAIL_UID, as_mail_user, imapd_pipe_argv, run_dir

pytestmark = [
    pytest.mark.imapd,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount"),
]
BIG = b"Subject: big\r\n\r\n" + b"x" * 70 * 15000 + b"\r\n"


def mount(*args):
    r = subprocess.run(["mount", *map(str, args)], capture_output=True)
    if r.returncode != 0:
        pytest.skip(f"cannot mount: {r.stderr.decode()}")


@pytest.fixture
def disk():
    """A file system of one megabyte, full up to what a test frees."""
    d = run_dir() / "disk"
    d.mkdir()
    mount("-t", "tmpfs", "-o", "size=1m,mode=755", "tmpfs", d)
    os.chown(d, MAIL_UID, MAIL_GID)
    yield d
    while subprocess.run(["umount", "-l", d], capture_output=True
                         ).returncode == 0:
        pass
    shutil.rmtree(d.parent)


@pytest.fixture
def mail(disk):
    m = Maildir(disk / "Maildir", MAIL_UID, MAIL_GID)
    for n in range(3):
        m.deliver(message(f"old {n}", n=n), flags="",
                  name=f"17000000{n:02}.M1P1.host")
        m.deliver(message(f"box {n}", n=n), flags="S", folder="Box",
                  name=f"18000000{n:02}.M1P1.host")
    with session(m.root) as c:
        c.ok("SELECT Box")
        c.ok("SELECT INBOX")
        c.ok("SUBSCRIBE Box")
        c.ok("STORE 1 +FLAGS.SILENT (known)")
    return m


def session(root, **kw):
    return Client.pipe(imapd_pipe_argv(root), stderr=subprocess.DEVNULL,
                       **as_mail_user(), **kw)


def fill(disk, leave=0):
    """No block is free but leave of them."""
    big = disk / "ballast"
    with open(big, "wb", buffering=0) as f:
        try:
            while True:
                f.write(b"x" * 4096)
        except OSError:
            pass
    os.truncate(big, (big.stat().st_size // 4096 - leave) * 4096)
    return big


def state(m):
    """All that lies in a Maildir but tmp/, by path."""
    return {str(p.relative_to(m.root)): p.read_bytes()
            for p in sorted(m.root.rglob("*"))
            if p.is_file() and p.parent.name != "tmp"
            and p.name not in ("imapd.index", "imapd.journal", "imapd.cache")}


def mail_in(files):
    """All but the numbers, which may have been taken and not used."""
    return {k: v for k, v in files.items() if "dovecot-uid" not in k}


def no_leftovers(m):
    for p in m.root.rglob("*"):
        assert p.parent.name != "tmp", p
        assert not p.name.startswith("..imapd"), p
        assert not p.name.endswith((".lock", ".tmp")), p


CHANGES = [
    ("APPEND INBOX", BIG), ("APPEND INBOX (flagged)", BIG),
    ("COPY 1:3 Box",), ("UID COPY 1:3 Box",), ("MOVE 1:3 Box",),
    ("CREATE New",), ("CREATE New/Sub",), ("RENAME INBOX Saved",),
    ("SUBSCRIBE Other",), ("UNSUBSCRIBE Box",),
    ("STORE 1 +FLAGS (another)",),
]


# ---- full ------------------------------------------------------------------

@pytest.mark.parametrize("change", CHANGES, ids=lambda c: c[0])
def test_full(disk, mail, change):
    """Whatever the block is that is missing: either all is done, or nothing."""
    done = 0
    for leave in range(8):
        before = state(mail)
        ballast = fill(disk, leave)
        with session(mail.root) as c:
            c.ok("SELECT INBOX")
            r = c.cmd(*change)
            if r.status == "NO":
                assert r.code == "OVERQUOTA", r
                assert mail_in(state(mail)) == mail_in(before)
                no_leftovers(mail)
                ballast.unlink()
                c.ok("NOOP")
                assert c.ok("SELECT INBOX").exists() == 3
                if leave > 4:
                    c.ok("EXAMINE Box")
            else:
                assert r.status == "OK"
                done += 1
        ballast.unlink(missing_ok=True)
        if done:
            break
    with session(mail.root) as c:
        # Nothing that was there has changed its UID or its content.
        c.ok("EXAMINE Box")
        got = c.uid_fetch("1:3", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        assert [b"box %d" % n in got[n + 1][
            "BODY[HEADER.FIELDS (SUBJECT)]"] for n in range(3)] == [True] * 3


def test_full_and_what_still_works(disk, mail):
    """Reading, flags, and above all making room."""
    fill(disk)
    with session(mail.root) as c:
        assert c.ok("SELECT INBOX").exists() == 3
        assert c.fetch_one(1, "BODY.PEEK[]")["BODY[]"]
        c.ok("STORE 1 +FLAGS (\\Deleted)")
        c.ok("STORE 2 +FLAGS (\\Seen known)")
        c.ok("STATUS Box (MESSAGES UNSEEN)")
        c.ok('LIST "" "*"')
        c.ok("EXPUNGE")
        c.ok("RENAME Box Other")
        c.ok("DELETE Other")
        c.ok("SELECT INBOX")
    assert mail.flags()["1700000001.M1P1.host"] == "Sa"


def test_full_and_new_mail(disk, mail):
    """There is no room for its UID: the rest is shown all the same, and room
    can be made; then it is there."""
    new = mail.deliver(message("new"))
    big = fill(disk)
    with session(mail.root) as c:
        assert c.ok("SELECT INBOX").exists() == 3
        assert c.fetch_one(1, "BODY.PEEK[]")["BODY[]"]
        c.ok("STORE 1 +FLAGS (\\Deleted)")
        c.ok("EXPUNGE")
        assert c.ok("STATUS INBOX (MESSAGES)").all("STATUS")
        os.truncate(big, 0)
        c.ok("NOOP")
        got = c.uid_fetch("4", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        assert b"new" in got[4]["BODY[HEADER.FIELDS (SUBJECT)]"]
    assert not new.exists()
    with session(mail.root) as c:
        assert c.ok("SELECT INBOX").exists() == 3


def test_full_alert_once(disk, mail):
    fill(disk)
    with session(mail.root) as c:
        r = c.no("APPEND INBOX", BIG)
        assert r.code == "OVERQUOTA" and len(r.codes("ALERT")) == 1
        r = c.no("APPEND INBOX", BIG)
        assert not r.codes("ALERT")


def test_multiappend_all_or_nothing(disk, mail):
    """The second message does not fit: the first is not there either."""
    fill(disk, 20)
    small = b"Subject: small\r\n\r\nx\r\n"
    before = state(mail)
    with session(mail.root) as c:
        c.send(b"a APPEND INBOX {%d+}\r\n%s {%d+}\r\n%s\r\n" % (
            len(small), small, len(BIG), BIG))
        assert c.tagged("a").code == "OVERQUOTA"
        assert state(mail) == before
        no_leftovers(mail)


@pytest.mark.parametrize("limit", [20000, 200])
def test_file_size_limit(mail, limit):
    """softlimit -f: an error, not the end of the process."""
    def lower():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    before = state(mail)
    with Client.pipe(imapd_pipe_argv(mail.root), stderr=subprocess.DEVNULL,
                     preexec_fn=lower, **as_mail_user()) as c:
        c.ok("SELECT INBOX")
        assert c.no("APPEND INBOX", BIG).code == "LIMIT"
        assert state(mail) == before
        c.ok("NOOP")


# ---- not allowed -----------------------------------------------------------

def tree(root):
    return [p for p in [root, *root.rglob("*")] if p.is_dir()]


def read_only(mail, how):
    if how == "permissions":
        for p in tree(mail.root):
            os.chown(p, 0, 0)
            p.chmod(0o755)
        for p in mail.root.rglob("*"):
            if p.is_file():
                os.chown(p, 0, 0)
                p.chmod(0o644)
    else:
        mount("--bind", mail.root, mail.root)
        mount("-o", "remount,bind,ro", mail.root)


@pytest.mark.parametrize("how", ["permissions", "mount"])
def test_read_only(mail, how):
    """Read as ever, with the UIDs that are known and more for what is new; no
    change succeeds, and none is half done."""
    mail.deliver(message("new"), name="1900000000.M1P1.host")
    read_only(mail, how)
    before = state(mail)
    with session(mail.root) as c:
        r = c.ok("SELECT INBOX")
        assert r.exists() == 4 and r.code == "READ-ONLY"
        got = c.uid_fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        assert sorted(got) == [1, 2, 3, 4]
        assert b"new" in got[4]["BODY[HEADER.FIELDS (SUBJECT)]"]
        assert "known" in got[1]["FLAGS"]
        assert c.ok("UID SEARCH SUBJECT old").search() == [1, 2, 3]
        assert c.status("Box", "MESSAGES UIDNEXT") == {
            "MESSAGES": 3, "UIDNEXT": 4}
        assert set(c.list("", "*")) == {"INBOX", "Box"}
        assert set(c.list("", "*", "LSUB")) == {"Box"}
        for change in CHANGES + [("DELETE Box",), ("RENAME Box Other",),
                                 ("EXPUNGE",), ("STORE 1 +FLAGS (\\Seen)",)]:
            r = c.cmd(*change)
            assert r.status == "NO", (change, r)
            assert r.code in ("NOPERM", "READ-ONLY"), (change, r)
        c.ok("CLOSE")
        c.ok("SELECT INBOX")
        c.ok("NOOP")
    assert state(mail) == before


@pytest.mark.parametrize("locked, change, code", [
    (".", ("CREATE New",), "NOPERM"),
    (".", ("RENAME Box New",), "NOPERM"),
    (".", ("DELETE Box",), "NOPERM"),
    (".", ("SUBSCRIBE New",), "NOPERM"),
    (".Box", ("APPEND Box", b"Subject: x\r\n\r\nx\r\n"), "NOPERM"),
    (".Box", ("COPY 1:3 Box",), "NOPERM"),
    (".Box/tmp", ("APPEND Box", b"Subject: x\r\n\r\nx\r\n"), "NOPERM"),
    (".Box/cur", ("APPEND Box (\\Seen)", b"Subject: x\r\n\r\nx\r\n"),
     "NOPERM"),
    (".Box/cur", ("MOVE 1:3 Box",), "NOPERM"),
    ("cur", ("STORE 1 +FLAGS (\\Seen)",), "NOPERM"),
    ("cur", ("MOVE 1:3 Box",), "NOPERM"),
    (".Box", ("SELECT Box",), None),
])
def test_one_directory_not_writable(mail, locked, change, code):
    with session(mail.root) as c:
        c.ok("SELECT INBOX")
        d = mail.root / locked
        os.chown(d, 0, 0)
        d.chmod(0o755)
        files = {str(p) for p in mail.files() + mail.files("Box")}
        r = c.cmd(*change)
        if code is None:
            assert r.status == "OK", r
        else:
            assert r.status == "NO" and r.code == code, r
        assert {str(p) for p in mail.files() + mail.files("Box")} == files
        c.ok("NOOP")


def test_folder_not_readable(mail):
    """One folder that is not for us does not hide the others."""
    d = mail.root / ".Box"
    os.chown(d, 0, 0)
    d.chmod(0o700)
    with session(mail.root) as c:
        assert c.no("SELECT Box").code == "NOPERM"
        assert c.no("STATUS Box (MESSAGES)").code == "NOPERM"
        assert "INBOX" in c.list("", "*")
        r = c.ok('LIST "" "*" RETURN (STATUS (MESSAGES))')
        assert len(r.all("STATUS")) == 1


# ---- not there -------------------------------------------------------------

def test_unmounted_at_login(disk, mail):
    """A bare mount point is not an empty mailbox, and none is made there."""
    subprocess.run(["umount", disk], check=True)
    for make in (False, True):
        if make:
            mail.root.mkdir()       # the mount point is the root itself
        with session(mail.root) as c:
            for command in ("SELECT INBOX", 'LIST "" "*"', 'LSUB "" "*"',
                            "STATUS INBOX (MESSAGES)", "CREATE Box",
                            "SUBSCRIBE Box", "SELECT Box"):
                assert c.no(command).code == "UNAVAILABLE", command
            r = c.no("APPEND INBOX", b"Subject: x\r\n\r\nx\r\n")
            assert r.code == "UNAVAILABLE"
            c.ok("NOOP")
        assert not list(disk.rglob("cur"))


def test_root_removed_under_a_session(disk, mail):
    with session(mail.root) as c:
        c.ok("SELECT INBOX")
        shutil.rmtree(mail.root)
        for command in ("STATUS Box (MESSAGES)", 'LIST "" "*"', "CREATE Box",
                        'LSUB "" "*"', "SELECT INBOX"):
            try:
                r = c.cmd(command)
            except (Closed, ConnectionError):
                break
            assert r.status == "NO" and r.code == "UNAVAILABLE", (command, r)
            assert not r.all("EXPUNGE")
    assert not mail.root.exists()


def test_unmounted_under_a_session(disk, mail):
    """It goes on with the disk that it has; the bare mount point is not
    touched."""
    with session(mail.root) as c:
        assert c.ok("SELECT INBOX").exists() == 3
        subprocess.run(["umount", "-l", disk], check=True)
        assert c.ok("SELECT INBOX").exists() == 3
        assert c.ok("SELECT Box").exists() == 3
        assert set(c.list("", "*")) == {"INBOX", "Box"}
    assert not list(disk.iterdir())
