# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""The users file against Dovecot's own hashes, and imapctl users and passwd."""

import resource
import shutil
import subprocess

import pytest

from servers import MAIL_GID, MAIL_UID, PREFIX

pytestmark = pytest.mark.imapd

IMAPCTL = PREFIX / "sbin" / "imapctl"
DOVEADM = shutil.which("doveadm")

if DOVEADM:
    SCHEMES = subprocess.run([DOVEADM, "pw", "-l"], capture_output=True,
                             text=True).stdout.split()
else:
    SCHEMES = []

# What an administrator has to allow: allow_weak of imapd.conf(5).
WEAK = {"MD5", "MD5-CRYPT", "SMD5", "HMAC-MD5", "CRAM-MD5", "PLAIN-MD4",
        "PLAIN-MD5", "LDAP-MD5", "DES-CRYPT", "DIGEST-MD5", "OTP"}
# Made by crypt(3) with DES unless told otherwise.
MAYBE_WEAK = {"CRYPT"}

PASSWORDS = ["pass", "pass word", "p\u00e4ss\u20acw\u00f6rd", "x" * 70]


@pytest.fixture
def users(tmp_path):
    return Users(tmp_path)


class Users:
    """A users file and a configuration that names it."""

    def __init__(self, path):
        self.file = path / "users"
        self.conf = path / "imapd.conf"
        self.configure()

    def configure(self, allow_weak="yes", **more):
        lines = {"users": self.file, "allow_weak": allow_weak,
                 "mail_uid": MAIL_UID, "mail_gid": MAIL_GID,
                 "home": "/srv/mail/%u", **more}
        self.conf.write_text(
            "".join(f"{k} = {v}\n" for k, v in lines.items()))

    def write(self, *lines):
        self.file.write_text("".join(line + "\n" for line in lines))
        self.file.chmod(0o600)

    def ctl(self, *args, text=""):
        return subprocess.run([IMAPCTL, "-c", self.conf, *args], input=text,
                              capture_output=True, text=True, timeout=60)

    def test(self, name, password, *options):
        return self.ctl("users", "test", *options, name, text=password + "\n")


def doveadm_pw(scheme, password, user):
    out = subprocess.run([DOVEADM, "pw", "-s", scheme, "-u", user,
                          "-p", password],
                         capture_output=True, text=True, timeout=60)
    assert out.returncode == 0, out.stderr
    stored = out.stdout.strip()
    if scheme == "PLAIN-TRUNC":     # doveadm leaves the length out
        stored = stored.replace("}", "}999-", 1)
    return stored


@pytest.mark.parametrize("scheme", SCHEMES)
def test_fresh_hash_of_doveadm(users, scheme):
    user = "jane@example.org"
    for password in PASSWORDS:
        if scheme == "DES-CRYPT" and len(password) > 8:
            continue        # and no more of it counts
        stored = doveadm_pw(scheme, password, user)
        users.write(f"{user}:{stored}")
        got = users.test(user, password)
        assert got.returncode == 0, (stored, got.stderr)
        assert "name=jane@example.org" in got.stdout
        got = users.test(user, password[::-1] + "x")
        assert got.returncode == 1 and "bad-password" in got.stderr, stored


@pytest.mark.parametrize("scheme", SCHEMES)
def test_weak_schemes_are_refused_by_default(users, scheme):
    users.configure(allow_weak="no")
    users.write("jane:" + doveadm_pw(scheme, "pass", "jane"))
    got = users.test("jane", "pass")
    if scheme in WEAK:
        assert got.returncode == 1 and "bad-scheme" in got.stderr
        assert ":1: weak password scheme" in got.stderr
    elif scheme not in MAYBE_WEAK:
        assert got.returncode == 0, got.stderr


@pytest.mark.parametrize("encoding", ["hex", "b64", "base64"])
@pytest.mark.parametrize("scheme", ["SHA256", "SSHA256", "PLAIN", "SHA512"])
def test_encodings(users, scheme, encoding):
    if not DOVEADM:
        pytest.skip("no doveadm")
    users.write("jane:" + doveadm_pw(f"{scheme}.{encoding}", "pass", "jane"))
    assert users.test("jane", "pass").returncode == 0


@pytest.mark.parametrize("scheme", [
    "CRYPT", "BLF-CRYPT", "SHA512-CRYPT", "SHA256-CRYPT", "SCRAM-SHA-1",
    "SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"])
def test_made_by_imapctl(users, scheme):
    stored = users.ctl("passwd", "-s", scheme, text="pass\n").stdout.strip()
    assert stored.startswith("{" + scheme + "}")
    users.write("jane:" + stored)
    assert users.test("jane", "pass").returncode == 0
    assert users.test("jane", "Pass").returncode == 1
    if DOVEADM and scheme in SCHEMES:
        check = subprocess.run([DOVEADM, "pw", "-t", stored, "-p", "pass"],
                               capture_output=True, text=True)
        assert "(verified)" in check.stdout, check.stderr


def test_passwd_refuses(users):
    assert users.ctl("passwd", "-s", "MD5", text="pass\n").returncode == 64
    assert users.ctl("passwd", text="\n").returncode == 1
    assert users.ctl("passwd", text="").returncode == 1
    assert users.ctl("passwd", "-s", "PLAIN", text="a:b\n").returncode == 1


def test_index_and_check(users):
    users.write("# comment", "jane:{PLAIN}pass", "bad line", "root:x:0:0")
    got = users.ctl("users", "check")
    assert got.returncode == 1
    assert got.stdout == "4 lines, 1 of users, 2 malformed\n"
    assert f"{users.file}:3: no password field" in got.stderr
    assert f"{users.file}:4: uid or gid 0" in got.stderr
    index = users.file.with_name("users.idx")
    assert not index.exists()
    assert users.ctl("users", "index").returncode == 1
    assert index.exists()
    assert index.stat().st_mode & 0o777 == 0o400
    assert users.test("jane", "pass").returncode == 0
    assert users.test("root", "x").returncode == 1
    # An edit: the index is out of date at once, and nobody is lost.
    with users.file.open("a") as f:
        f.write("joe:{PLAIN}pass\n")
    assert users.test("joe", "pass").returncode == 0
    assert users.ctl("users", "index", users.file).returncode == 1
    assert users.test("joe", "pass").returncode == 0
    assert not users.file.with_name("users.idx.new").exists()
    assert users.ctl("users", "index", "/nonexistent").returncode == 74


def cpu_of_children():
    """Not the time on the wall: others run tests at the same time."""
    u = resource.getrusage(resource.RUSAGE_CHILDREN)
    return u.ru_utime + u.ru_stime


def bytes_read():
    """By this process and its children that have ended; None if the kernel
    does not count."""
    try:
        with open("/proc/self/io") as f:
            return int(f.readline().split()[1])
    except OSError:
        return None


def test_100000_users(users):
    """With the index a login reads next to nothing; without, it is right."""
    n = 100_000
    with users.file.open("w") as f:
        for i in range(n):
            f.write(f"user{i}@example.org:{{PLAIN}}pw{i}:{MAIL_UID}:{MAIL_GID}"
                    f"::/srv/mail/example.org/user{i}::userdb_quota_rule=*:"
                    "storage=1G\n")
    users.file.chmod(0o600)
    took, read = {}, {}
    for what in "scan", "index":
        start, start_read = cpu_of_children(), bytes_read()
        for i in (0, 4711, n - 1):
            got = users.test(f"user{i}@example.org", f"pw{i}")
            assert got.returncode == 0, got.stderr
            assert f"home=/srv/mail/example.org/user{i} " in got.stdout
        assert users.test(f"user{n}@example.org", "pw").returncode == 1
        took[what] = cpu_of_children() - start
        if start_read is not None:
            read[what] = bytes_read() - start_read
        if what == "scan":
            got = users.ctl("users", "index")
            assert got.stdout.startswith(f"{n} lines, {n} of users, 0 ")
    assert took["index"] < took["scan"]
    if read:    # programs and libraries are in it: four times some 10 KB
        assert read["scan"] > users.file.stat().st_size
        assert read["index"] < users.file.stat().st_size / 20


def test_networks(users):
    users.write("jane:{PLAIN}pass::::::allow_nets=192.0.2.0/24,2001:db8::/32")
    for address, want in (("192.0.2.9", 0), ("2001:db8::1", 0),
                          ("::ffff:192.0.2.9", 0), ("192.0.3.1", 1),
                          ("127.0.0.1", 1)):
        got = users.test("jane", "pass", "-a", address)
        assert got.returncode == want, (address, got.stderr)
    assert "bad-network" in got.stderr


def test_costly_argon2_is_refused(users):
    users.configure(argon2_max_memory="1M")
    users.write("jane:{ARGON2ID}$argon2id$v=19$m=4096,t=3,p=1$c2FsdHNhbHQ$"
                "c2FsdHNhbHRzYWx0c2FsdA")
    got = users.test("jane", "pass")
    assert got.returncode == 1
    assert "costs more than is allowed" in got.stderr
