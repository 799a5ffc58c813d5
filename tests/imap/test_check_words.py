# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""imapctl check: the findings that test_check.py has not, mailboxes elsewhere,
mail that may only be read, users by name."""

import os
import pathlib
import re
import struct
import subprocess
import time

import pytest

from maildirs import message
from servers import MAIL_UID
from test_check import (IMAPCTL, appended, box, check, clean,  # noqa: F401
                        flipped, removed, replaced, words)

pytestmark = pytest.mark.imapd
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
QUIET = 0.3         # times younger than 20 ms prove nothing


# ---- imapd.journal, byte by byte (maildir/journal.c) -----------------------

def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


class Journal:
    def __init__(self, root):
        self.path = root / "imapd.journal"
        self.data = self.path.read_bytes()
        self.generation = self.data[16:24]
        self.records = []       # (offset, type, mod-sequence)
        at = 32
        while at < len(self.data):
            n, _, kind, modseq = struct.unpack(">IIIQ", self.data[at:at + 20])
            self.records.append((at, kind, modseq))
            at += n
        assert at == len(self.data)

    def append(self, kind, body, modseq=None):
        """A record whose check is right."""
        modseq = self.records[-1][2] if modseq is None else modseq
        rest = struct.pack(">IQ", kind, modseq) + body
        with open(self.path, "ab") as f:
            f.write(struct.pack(">II", 8 + len(rest),
                                crc32c(self.generation + rest)) + rest)


def says_complete(root):
    """A record "times" that is true of the directories as they are."""
    time.sleep(QUIET)
    times = [(root / d).stat().st_ctime_ns for d in ("cur", "new")]
    st = (root / "dovecot-uidlist").stat()
    next_uid = int(re.search(rb" N(\d+)", (root / "dovecot-uidlist")
                             .read_bytes()).group(1))
    Journal(root).append(5, struct.pack(
        ">QQQQQQI", *times, st.st_dev, st.st_ino, st.st_size, st.st_ctime_ns,
        next_uid))


def in_cur(root, n=0):
    return sorted((root / "cur").iterdir())[n]


def incomplete_name(root):
    p = in_cur(root)
    p.rename(f"{p}F" if not p.name.endswith("F") else str(p)[:-1])
    says_complete(root)


def incomplete_gone(root):
    in_cur(root).unlink()
    says_complete(root)


def incomplete_more(root):
    p = root / "cur" / "1795000001.M1P1.host:2,"
    p.write_bytes(message("more"))
    os.chown(p, *[root.stat().st_uid, root.stat().st_gid])
    says_complete(root)


def swapped(root):
    """Two messages have each other's UID."""
    path = root / "dovecot-uidlist"
    lines = path.read_text().splitlines()
    a, b = lines[1].split(" ", 1), lines[2].split(" ", 1)
    lines[1:3] = [f"{a[0]} {b[1]}", f"{b[0]} {a[1]}"]
    path.write_text("\n".join(lines) + "\n")


def other_validity(root):
    path = root / "dovecot-uidlist"
    path.write_text(re.sub(r" V(\d+)", lambda m: f" V{int(m[1]) + 1}",
                           path.read_text(), count=1))


def record(kind, body, modseq=None):
    return lambda root: Journal(root).append(kind, body, modseq)


DAMAGE = [
    ("index-uidvalidity", other_validity),
    ("index-uid", swapped),
    ("index-files", incomplete_name),
    ("index-files", incomplete_gone),
    ("index-files", incomplete_more),
    ("journal-record", record(99, b"")),
    ("journal-record", record(1, b"\0\0\0\1\0\7\0\0\0\0\0\0short")),
    ("journal-record", record(2, b"\0\0\0")),
    ("journal-record", record(3, b"\x30")),
    ("journal-record", record(4, b"12345678")),
    ("journal-record", record(5, b"x" * 51)),
    ("journal-record", record(6, b"", modseq=1)),
]


def dump(root):
    """(the highest mod-sequence of all, {uid: that of the message})"""
    out = check(root, "-d", "-m", "INBOX")
    assert out.returncode == 0, out.stderr
    highest = max(map(int, re.findall(r"modseq=(\d+)", out.stdout)))
    # A record "raised" holds for all messages of the index.
    raised = max(map(int, re.findall(r"journal raised modseq=(\d+)",
                                     out.stdout)), default=0)
    return highest, {int(u): max(int(m), raised) for u, m in re.findall(
        r"^message uid=(\d+) .*?modseq=(\d+)", out.stdout, re.M)}


@pytest.mark.parametrize("word, damage", DAMAGE, ids=[
    f"{d[0]}-{n}" for n, d in enumerate(DAMAGE)])
def test_record(box, login, word, damage):      # noqa: F811
    """What the record says wrongly is made anew; the list and the mail count,
    and stay as they are."""
    highest, _ = dump(box.root)
    damage(box.root)
    files = {p: p.read_bytes() for p in box.files()}
    head, uids = box.uidlist()
    out = check(box.root)
    assert (out.returncode, out.stderr) == (1, "") and word in words(out), out
    assert check(box.root).stdout == out.stdout
    assert word in words(check(box.root, "-r"))
    clean(box.root)
    assert {p: p.read_bytes() for p in box.files()} == files
    now, kept = box.uidlist()
    assert now["V"] == head["V"]
    bases = {p.name.split(":")[0]: p for p in files}
    assert {u: b for u, b in kept.items() if b in bases and u < 7} \
        == {u: b for u, b in uids.items() if b in bases}
    after, modseqs = dump(box.root)
    assert after > highest and min(modseqs.values()) > highest
    c = login()
    assert c.ok("SELECT INBOX").exists() == len(files)
    assert sorted(c.uid_fetch("1:*", "(UID)")) == sorted(modseqs)
    c.ok("LOGOUT")
    clean(box.root)


def test_middle_of_the_journal(box, login):     # noqa: F811
    """Every byte of it: what follows the damage is lost, and counts as
    changed."""
    j = Journal(box.root)
    highest, modseqs = dump(box.root)
    files, (head, uids) = box.files(), box.uidlist()
    index = (box.root / "imapd.index").read_bytes()
    assert len(j.records) >= 3
    for at in (32, j.records[1][0], j.records[1][0] + 4, j.records[1][0] + 9,
               j.records[1][0] + 25, j.records[-1][0] + 21):
        j.path.write_bytes(j.data)
        (box.root / "imapd.index").write_bytes(index)
        flipped("imapd.journal", at)(box.root)
        out = check(box.root)
        assert out.returncode == 1 and words(out) == ["journal-torn"], out
        assert "journal-torn" in words(check(box.root, "-r"))
        clean(box.root)
        assert box.files() == files and box.uidlist() == (head, uids)
        after, now = dump(box.root)
        assert after > highest and now.keys() == modseqs.keys()
        assert min(now.values()) > highest
    c = login()
    assert c.ok("SELECT INBOX").exists() == len(files)


# ---- the files -------------------------------------------------------------

def test_directories_are_made(box):             # noqa: F811
    (box.root / "tmp").rmdir()
    for sub in ("cur", "new"):
        for p in (box.root / ".Foo" / sub).iterdir():
            p.unlink()
        (box.root / ".Foo" / sub).rmdir()
    assert words(check(box.root)).count("no-directory") == 3
    assert words(check(box.root, "-r")).count("no-directory") == 3
    clean(box.root)
    assert (box.root / "tmp").stat().st_uid == MAIL_UID


def finds(root, word, *options, is_note=False, path=None):
    """It is found, and still there after -r; the line."""
    out = check(root, *options)
    assert (out.returncode, out.stderr) == (0 if is_note else 1, ""), out
    assert word in words(out), out.stdout
    line = next(x for x in out.stdout.splitlines() if f": {word}" in x)
    assert path is None or line.startswith(f"{path}: "), line
    again = check(root, "-r", *options)
    end = " (note)" if is_note else " (not mended)"
    assert line.removesuffix(" (note)") + end in again.stdout.splitlines(), \
        again.stdout
    return line


def test_mode(box):                             # noqa: F811
    p = in_cur(box.root, 1)
    p.chmod(0o606)
    clean(box.root)
    finds(box.root, "wrong-mode", "-a", path=p)
    p.chmod(0o600)
    (box.root / "new").chmod(0o707)
    finds(box.root, "wrong-mode", path=box.root / "new")
    (box.root / "new").chmod(0o700)
    (box.root / "dovecot-uidlist").chmod(0o602)
    finds(box.root, "wrong-mode", path=box.root / "dovecot-uidlist")


@root_only
def test_owner(box):                            # noqa: F811
    p = in_cur(box.root, 1)
    os.chown(p, MAIL_UID + 1, -1)
    p.chmod(0o644)
    clean(box.root)
    assert "uid 5001, not 5000" in finds(box.root, "wrong-owner", "-a", path=p)
    os.chown(p, MAIL_UID, -1)
    os.chown(box.root / "dovecot-keywords", MAIL_UID + 1, -1)
    (box.root / "dovecot-keywords").chmod(0o644)
    finds(box.root, "wrong-owner", path=box.root / "dovecot-keywords")


def test_unreadable(box):                       # noqa: F811
    (box.root / ".Foo" / "cur").chmod(0)
    finds(box.root, "unreadable", path=box.root / ".Foo" / "cur")
    (box.root / ".Foo" / "cur").chmod(0o700)
    path = box.root / "dovecot-keywords"
    path.chmod(0)
    finds(box.root, "unreadable", path=path)
    path.chmod(0o600)
    clean(box.root)


@pytest.mark.parametrize("name", ["dovecot-uidlist", "dovecot-keywords",
                                  "imapd.index", "imapd.journal"])
def test_not_a_file(box, name):                 # noqa: F811
    """Links lead nowhere, and directories stay."""
    away = box.root.parent / "away"
    (box.root / name).rename(away)
    before = away.read_bytes()
    os.symlink(away, box.root / name)
    out = check(box.root)
    assert out.returncode == 1 and "not-a-file" in words(out), out
    out = check(box.root, "-r")
    assert "not-a-file" in words(out), out
    assert away.read_bytes() == before


def test_subscriptions(box):                    # noqa: F811
    path = box.root / "subscriptions"
    text = path.read_bytes()
    path.write_bytes(text + b"Foo\n")
    line = finds(box.root, "subscriptions-twice", path=path)
    assert "line 4" in line or "line 2" in line
    path.write_bytes(text + b"a\t\tb\n\nlast\n")
    finds(box.root, "subscriptions-line", path=path)
    assert path.read_bytes() == text + b"a\t\tb\n\nlast\n"


def test_notes(box):                            # noqa: F811
    """Nothing to mend, and told only if asked for."""
    p = in_cur(box.root, 2)
    os.link(p, f"{p}T" if not p.name.endswith("T") else str(p)[:-1])
    in_cur(box.root, 0).unlink()
    (box.root / ".Foo" / "maildirfolder").unlink()
    (box.root / "imapd.index.tmp").write_bytes(b"x")
    clean(box.root)
    for word in ("hard-link", "no-file", "no-mark", "left-over"):
        finds(box.root, word, "-v", is_note=True)


def test_old_list(box):                         # noqa: F811
    """Version 1, as Dovecot 1.0 wrote it."""
    head, uids = box.uidlist()
    for name in ("imapd.index", "imapd.journal"):
        (box.root / name).unlink()
    (box.root / "dovecot-uidlist").write_text("".join(
        [f"1 {head['V']} {head['N']}\n"]
        + [f"{u} {b}\n" for u, b in uids.items()]))
    clean(box.root)
    finds(box.root, "uidlist-version", "-v", is_note=True)


def test_all_words_are_known():
    """The table of words is that of the manual page, and each is in a test."""
    here = pathlib.Path(__file__).parent
    source = (here.parents[1] / "maildir" / "check.c").read_text()
    table = re.findall(r'\[CHECK_\w+\] = \{ "([a-z-]+)"', source)
    assert len(table) > 35
    page = (here.parents[1] / "man" / "imapctl.8").read_text()
    page = set(re.findall(r"[a-z-]+", " ".join(
        re.findall(r"^\.It (.*)$", page, re.M))))
    tests = "".join((here / name).read_text() for name in (
        "test_check.py", "test_check_words.py"))
    for word in table:
        assert word in page, f"{word} is not in imapctl(8)"
        assert f'"{word}"' in tests, f"{word} is not tested"


# ---- elsewhere -------------------------------------------------------------

def ctl(s, *args):
    return subprocess.run([IMAPCTL, "-c", s.conf, "check", *args],
                          capture_output=True, text=True, timeout=60)


def use(s, a, folder):
    for n in range(4):
        a.mail.deliver(message(n=n))
    with s.login(a) as c:
        c.ok(f"CREATE {folder}")
        c.ok(f"SUBSCRIBE {folder}")
        c.ok("SELECT INBOX")
        c.ok(f"COPY 1:3 {folder}")
        c.ok("STORE 1 +FLAGS (Junk)")
        c.ok(f"SELECT {folder}")
        c.ok("UID STORE 2 +FLAGS (\\Deleted Junk)")
        c.ok("EXPUNGE")
        c.ok("LOGOUT")


def mends(s, a, control, folder):
    """Damage of a folder's files is found where they are, and mended."""
    before = (control / "dovecot-uidlist").read_bytes()
    for name, word in (("dovecot-uidlist", "uidlist-missing"),
                       ("imapd.index", "journal-alone"),
                       ("imapd.journal", "journal-missing")):
        removed(name)(control)
        for option in ("-v", "-r"):
            out = ctl(s, "-u", option, "-m", folder, a.name)
            assert out.returncode == 1 and word in words(out), out
            assert f"{control}/" in out.stdout
        out = ctl(s, "-u", a.name)
        assert (out.returncode, out.stdout, out.stderr) == (0, "", "")
    after = (control / "dovecot-uidlist").read_bytes()
    alive = rb"(?m)^[13] .*?:.*$"
    assert len(re.findall(alive, before)) == 2
    assert re.findall(alive, before) == re.findall(alive, after)
    assert re.search(rb"V\d+", before)[0] == re.search(rb"V\d+", after)[0]
    with s.login(a) as c:
        c.ok(f"SELECT {folder}")
        assert sorted(c.uid_fetch("1:*", "(UID)")) == [1, 3]


def test_fs_layout(make_server):
    s = make_server({"mail": "maildir:%h/Maildir:LAYOUT=fs"})
    a = s.account("jane")
    use(s, a, "Foo/Bar")
    assert ctl(s, "-u", "jane").stdout == ""
    # The options of the mail key hold for directories, too.
    assert ctl(s, a.mail.root).stdout == ""
    mends(s, a, a.mail.root / "Foo" / "Bar", "Foo/Bar")
    out = ctl(s, "-v", a.mail.root)
    assert "no-mark" not in out.stdout      # there are none in this layout


def test_control_elsewhere(make_server, tmp_path):
    s = make_server({"mail": "maildir:%h/Maildir:CONTROL=%h/control"})
    a = s.account("jane")
    use(s, a, "Foo")
    control = a.home / "control"
    before = sorted(p for p in a.mail.root.rglob("*"))
    assert not [p for p in before if "uidlist" in p.name]
    assert ctl(s, "-u", "jane").stdout == ""
    mends(s, a, control / ".Foo", "Foo")
    path = control / "subscriptions"
    path.write_bytes(path.read_bytes() + b"Foo\n")
    out = ctl(s, "-u", "jane")
    assert out.stdout.startswith(f"{path}: subscriptions-twice")
    assert sorted(p for p in a.mail.root.rglob("*")) == before
    # without the directory of the lists: neither found nor made
    control.rename(a.home / "away")
    out = ctl(s, "-ur", "jane")
    assert out.returncode == 2 and str(control) in out.stderr
    assert not control.exists()


@root_only
def test_may_only_be_read(box):                 # noqa: F811
    def mount(*args):
        r = subprocess.run(["mount", *map(str, args)], capture_output=True)
        if r.returncode != 0:
            pytest.skip(f"cannot mount: {r.stderr.decode()}")

    mount("--bind", box.root, box.root)
    try:
        mount("-o", "remount,bind,ro", box.root)
        clean(box.root)
        clean(box.root, "-r")
        mount("-o", "remount,bind,rw", box.root)
        flipped("imapd.index", 260)(box.root)
        removed("dovecot-keywords")(box.root)
        appended("dovecot-uidlist", b"7 :torn")(box.root)
        before = {p: p.read_bytes() for p in box.root.rglob("*")
                  if p.is_file()}
        mount("-o", "remount,bind,ro", box.root)
        out = check(box.root)
        assert out.returncode == 1 and not out.stderr
        assert {"index-section", "uidlist-torn"} <= set(words(out))
        out = check(box.root, "-r")
        assert out.returncode == 2 and "read-only" in out.stderr, out
        assert {p: p.read_bytes() for p in box.root.rglob("*")
                if p.is_file()} == before
    finally:
        subprocess.run(["umount", box.root], check=True)
    assert check(box.root, "-r").returncode == 1
    out = check(box.root)
    assert set(words(out)) <= {"keywords-letter"}, out


# ---- users -----------------------------------------------------------------

def test_users(make_server):
    s = make_server()
    jane, joe = s.account("jane"), s.account("joe", "nologin allow_nets=::1")
    s.users.write_text(s.users.read_text() + "alias:{PLAIN}x::::::user=jane\n")
    use(s, jane, "Foo")
    for name in ("jane", "joe", "alias"):
        out = ctl(s, "-u", name)
        assert (out.returncode, out.stdout, out.stderr) == (0, "", "")
    removed("imapd.journal")(jane.mail.root)
    out = ctl(s, "-u", "joe", "alias")
    assert out.returncode == 1
    assert words(out) == ["journal-missing"]
    assert out.stdout.startswith(f"{jane.mail.root}/imapd.journal: ")
    out = ctl(s, "-ur", "joe", "nobody", "jane")
    assert out.returncode == 2 and "nobody: unknown-user" in out.stderr
    out = ctl(s, "-u", "jane")
    assert (out.returncode, out.stdout) == (0, "")
    assert ctl(s, "-u").returncode == 64
    assert joe.mail.root.exists()


@root_only
def test_mail_of_another_user(make_server):
    s = make_server()
    a = s.account("jane")
    os.chown(a.mail.root, MAIL_UID + 1, -1)
    out = ctl(s, "-u", "jane")
    assert out.returncode == 2 and "belongs to uid" in out.stderr
