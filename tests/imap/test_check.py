# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""imapctl check: healthy Maildirs, each kind of damage, mailboxes at work."""

import os
import shutil
import subprocess
import threading
import time

import pytest

from maildirs import message
from servers import PREFIX

pytestmark = pytest.mark.imapd

IMAPCTL = PREFIX / "sbin" / "imapctl"


def check(where, *options, conf="/dev/null"):
    return subprocess.run([IMAPCTL, "-c", conf, "check", *options, where],
                          capture_output=True, text=True, timeout=120)


def words(out):
    """The second word of each finding."""
    return [line.split(": ")[1].split()[0] for line in out.stdout.splitlines()]


def clean(where, *options):
    out = check(where, *options)
    assert (out.returncode, out.stdout, out.stderr) == (0, "", "")


@pytest.fixture
def box(account, login):
    """A Maildir that has seen a session: index, journal, cache, keywords, and a
    folder."""
    for n in range(6):
        account.mail.deliver(message(f"m{n}"), mtime=1795000000 + n)
    account.mail.deliver(message("f"), folder="Foo")
    c = login()
    c.ok("SELECT INBOX")
    c.ok("STORE 1:3 +FLAGS (\\Seen Junk)")
    c.ok("UID STORE 4 +FLAGS (\\Deleted)")
    c.ok("EXPUNGE")
    c.ok("FETCH 1:* (ENVELOPE RFC822.SIZE)")
    c.ok("SELECT Foo")
    c.ok("SUBSCRIBE Foo")
    c.ok("LOGOUT")
    return account.mail


def test_clean(box):
    clean(box.root)
    clean(box.root, "-a")


def test_clean_of_dovecot(dovecot):
    account = dovecot.account(f"check{os.getpid()}")
    for n in range(4):
        account.mail.deliver(message(f"m{n}"))
    c = dovecot.login(account)
    c.ok("CREATE Foo")
    c.ok("SELECT INBOX")
    c.ok("STORE 1:2 +FLAGS (\\Seen Junk)")
    c.ok("COPY 1:3 Foo")
    c.ok("COPY 1:3 INBOX")
    c.ok("LOGOUT")
    clean(account.mail.root, "-a")


def replaced(name, old, new):
    def damage(root):
        path = root / name
        data = path.read_bytes()
        assert old in data
        path.write_bytes(data.replace(old, new, 1))
    return damage


def appended(name, more):
    def damage(root):
        with open(root / name, "ab") as f:
            f.write(more)
    return damage


def flipped(name, at):
    def damage(root):
        data = bytearray((root / name).read_bytes())
        data[at] ^= 1
        (root / name).write_bytes(data)
    return damage


def removed(name):
    return lambda root: (root / name).unlink()


def twice(root):
    path = root / "dovecot-uidlist"
    line = path.read_bytes().splitlines()[1]
    appended("dovecot-uidlist", b"9 " + line.split(b" ", 1)[1] + b"\n")(root)


def cut_line(root):
    path = root / "dovecot-uidlist"
    lines = path.read_bytes().splitlines(True)
    path.write_bytes(b"".join(x for x in lines if not x.startswith(b"3 :")))


def old_list(root):
    """As a restored backup: the last records are not there."""
    path = root / "dovecot-uidlist"
    text = path.read_bytes().replace(b" N7 ", b" N1 ", 1)
    path.write_bytes(b"".join(text.splitlines(True)[:4]))


def old_journal(root):
    """One of another index."""
    shutil.copy(root / ".Foo" / "imapd.journal", root / "imapd.journal")


DAMAGE = [
    ("uidlist-line", replaced("dovecot-uidlist", b"\n3 :", b"\n3x:"), True),
    ("uidlist-lost", cut_line, True),
    ("uidlist-next", old_list, True),
    ("uidlist-order", replaced("dovecot-uidlist", b"\n3 :", b"\n1 :"), True),
    ("uidlist-header", replaced("dovecot-uidlist", b"3 V", b"7 V"), True),
    ("uidlist-guid", replaced("dovecot-uidlist", b" G", b" Q"), True),
    ("uidlist-torn", appended("dovecot-uidlist", b"7 :torn"), True),
    ("uidlist-missing", removed("dovecot-uidlist"), True),
    ("uidlist-twice", twice, False),
    ("keywords-line", appended("dovecot-keywords", b"what\n"), True),
    ("keywords-twice", appended("dovecot-keywords", b"3 junk\n"), True),
    ("index-header", flipped("imapd.index", 20), True),
    ("index-section", flipped("imapd.index", 260), True),
    ("index-record", flipped("imapd.index", -4096), True),
    ("journal-missing", removed("imapd.journal"), True),
    ("journal-alone", removed("imapd.index"), True),
    ("journal-header", flipped("imapd.journal", 18), True),
    ("journal-torn", appended("imapd.journal", b"xxxx"), True),
    ("journal-generation", old_journal, True),
    ("cache-header", flipped("imapd.cache", 9), True),
    ("cache-block", flipped("imapd.cache", 30), True),
    ("cache-block", appended("imapd.cache", b"torn"), True),
    ("cache-value", flipped("imapd.cache", -2), True),
]


@pytest.mark.parametrize("word, damage, keeps", DAMAGE,
                         ids=[d[0] for d in DAMAGE])
def test_damage_is_found_and_mended(box, login, word, damage, keeps):
    head, records = box.uidlist()
    files = box.files()
    damage(box.root)
    out = check(box.root)
    assert out.returncode == 1 and word in words(out), out.stdout + out.stderr
    seen = sorted(p.read_bytes() for p in box.files())
    again = check(box.root)
    assert again.stdout == out.stdout       # looking changes nothing
    out = check(box.root, "-r")
    assert out.returncode == 1 and word in words(out), out.stdout + out.stderr
    assert not out.stderr
    clean(box.root)
    assert box.files() == files
    assert sorted(p.read_bytes() for p in box.files()) == seen
    now, kept = box.uidlist()
    assert now["V"] == head["V"] and len(now["G"]) == 32
    if keeps:
        alive = {p.name.split(":")[0] for p in files}
        assert {u: b for u, b in kept.items() if b in alive} \
            == {u: b for u, b in records.items() if b in alive}
    assert max(int(now["N"]), max(kept) + 1) >= 7
    c = login()
    c.ok("SELECT INBOX")
    c.ok("LOGOUT")
    clean(box.root)


def test_modseqs_are_raised(box, login):
    c = login()
    before = c.ok("STATUS INBOX (UIDNEXT)")
    assert before
    old = check(box.root, "-d", "-m", "INBOX").stdout
    highest = max(int(x.split("modseq=")[1].split()[0])
                  for x in old.splitlines() if "modseq=" in x)
    flipped("imapd.index", 260)(box.root)
    assert check(box.root, "-r").returncode == 1
    new = check(box.root, "-d", "-m", "INBOX").stdout
    for line in new.splitlines():
        if line.startswith("message "):
            assert int(line.split("modseq=")[1].split()[0]) > highest


def test_dump(box):
    out = check(box.root, "-d", "-m", "INBOX")
    assert out.returncode == 0
    assert "uidvalidity=" + box.uidlist()[0]["V"] in out.stdout
    assert "journal expunged" in out.stdout
    assert "name=" in out.stdout and "times cur=" in out.stdout


def test_what_is_not_mended(box):
    (box.root / "cur" / "sub").mkdir()
    os.symlink("/etc/passwd", box.root / "cur" / "1.M1P1.link:2,")
    (box.root / "maildirfolder").write_bytes(b"")
    box.deliver(message("x"), name="1795000000.M1P1.host,S=5", flags="Sz")
    out = check(box.root, "-a")
    assert out.returncode == 1
    assert {"not-a-message", "mark-at-top", "wrong-size",
            "keywords-letter"} <= set(words(out)), out.stdout
    out = check(box.root, "-r")
    assert "(not mended)" in out.stdout
    assert not (box.root / "maildirfolder").exists()
    assert (box.root / "cur" / "sub").is_dir()


def test_same_base_twice(box):
    """Of two messages none is touched, and each is named."""
    first = box.files()[0]
    base = first.name.split(":")[0]
    box.write(box.root / "cur" / f"{base}:2,F", message("other"))
    before = box.files()
    out = check(box.root, "-r")
    assert "same-base" in words(out) and out.returncode == 1
    assert box.files() == before


def test_notes_are_not_findings(box):
    box.deliver(message("new"))
    clean(box.root)
    out = check(box.root, "-v")
    assert out.returncode == 0 and "no-record" in words(out)


def test_usage_and_wrong_place(tmp_path):
    assert check(tmp_path).returncode == 2
    assert check(tmp_path / "none").returncode == 2
    assert check(tmp_path, "-x").returncode == 64


def test_options_of_the_mail_key(box, tmp_path):
    """CONTROL= with a variable: where would the lists be?"""
    conf = tmp_path / "imapd.conf"
    conf.write_text("mail = maildir:%h/Maildir:CONTROL=/var/c/%u\n")
    out = check(box.root, conf=conf)
    assert out.returncode == 2 and "CONTROL" in out.stderr
    control = box.root.parent / "control"
    control.mkdir()
    box.own(control)
    where = f"maildir:{box.root}:CONTROL={control}"
    assert check(where, conf=conf).returncode == 0
    assert not list(control.iterdir())      # nothing is made


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_gives_up_its_rights(box, tmp_path):
    """What a user links to root's files stays as it is."""
    target = tmp_path / "target"
    target.write_bytes(b"secret\n")
    target.chmod(0o600)
    for name in ("dovecot-uidlist.tmp", "imapd.index.tmp",
                 "dovecot-keywords.lock", "imapd.journal.tmp"):
        os.symlink(target, box.root / name)
    flipped("imapd.index", 260)(box.root)
    removed("dovecot-uidlist")(box.root)
    check(box.root, "-r")
    assert target.read_bytes() == b"secret\n"
    for p in box.root.iterdir():
        assert p.lstat().st_uid != 0 or p.is_symlink(), p
    os.chown(box.root, 0, 0)
    out = check(box.root, "-r")
    assert out.returncode == 2 and "root" in out.stderr


def test_sessions_at_work(box, login):
    """No finding because somebody changes things meanwhile."""
    stop = threading.Event()
    errors = []

    def work(n):
        try:
            c = login()
            c.ok("SELECT INBOX")
            while not stop.is_set():
                c.ok("STORE 1 +FLAGS (\\Flagged W%d)" % n)
                c.ok("STORE 1 -FLAGS (\\Flagged)")
                c.ok("COPY 1:2 INBOX")
                c.ok("NOOP")
                c.ok("STORE * +FLAGS (\\Deleted)")
                c.ok("EXPUNGE")
                box.deliver(message("d"))
        except Exception as e:          # the main thread tells
            errors.append(e)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
    for t in threads:
        t.start()
    until = time.monotonic() + 5
    runs = 0
    try:
        while time.monotonic() < until:
            clean(box.root)
            runs += 1
    finally:
        stop.set()
        for t in threads:
            t.join()
    assert not errors and runs > 3
    clean(box.root)
