# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Where users come from, and what may be said of them (imapd-users(5)), seen by
a client of the whole server: users file, system, checkpassword; app passwords;
mechanisms that have to be turned on."""

import base64
import hmac
import os
import re
import shutil
import subprocess
import time

import pytest

import servers
from test_tls import client_certificate, with_certificate

pytestmark = pytest.mark.imapd

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def crypt(password):
    return subprocess.run(["openssl", "passwd", "-6", "-stdin"],
                          input=password, capture_output=True, text=True,
                          check=True).stdout.strip()


def b64(data):
    return base64.b64encode(data).decode()


def log_lines(s, event):
    return [x for x in s.log_text().splitlines()
            if re.match(rf"{event}\b", x)]


def wait_for_log(s, event, n=1):
    until = time.monotonic() + 5
    while len(log_lines(s, event)) < n and time.monotonic() < until:
        time.sleep(0.02)
    lines = log_lines(s, event)
    assert len(lines) >= n, s.log_text()
    return lines


def refused(s, user, password, code="AUTHENTICATIONFAILED"):
    """A login that fails; the reason in the log."""
    before = len(log_lines(s, "auth-failed"))
    c = s.connect()
    r = c.no(f'LOGIN {user} "{password}"')
    assert r.code == code
    c.logout()
    return re.search(r" reason=(\S+)", log_lines(s, "auth-failed")[before])[1]


# ---- the users file --------------------------------------------------------

def test_malformed_lines(make_server):
    """Logged with their numbers, skipped, and no way in."""
    s = make_server()
    joe = s.account("joe")
    home = joe.home
    s.users.write_text(
        "# comment\n"
        f"root:{{PLAIN}}pass:0:0::{home}::\n"
        "no colon at all\n"
        f"nets:{{PLAIN}}pass:5000:5000::{home}::allow_nets=nonsense\n"
        f"both:{{PLAIN}}pass:5000:5000::{home}::nopassword\n"
        f"what:{{WHAT}}pass:5000:5000::{home}::\n"
        f"empty::5000:5000::{home}::\n"
        f"\x01:{{PLAIN}}pass:5000:5000::{home}::\n" + joe.line())
    for user, line, reason in (("root", 2, "bad-entry"),
                               ("nets", 4, "bad-entry"),
                               ("both", 5, "bad-entry"),
                               ("what", 6, "bad-scheme"),
                               ("empty", None, "bad-password"),
                               ("no", None, "unknown-user")):
        before = len(log_lines(s, "users-problem"))
        assert refused(s, user, "pass") == reason, user
        said = log_lines(s, "users-problem")[before:]
        if line is None:
            assert not said
        else:
            assert f"file={s.users} line={line} what=" in said[0]
    assert refused(s, "empty", "") == "bad-password"
    s.login(joe).ok("SELECT INBOX")


def test_app_passwords(make_server):
    s = make_server()
    joe = s.account("joe")
    s.users.write_text(
        joe.line(password=crypt("main word"))
        + f"joe:{crypt('phone word')}::::::label=phone expires=2999-01-01\n"
        + f"joe:{crypt('old word')}::::::label=old expires=2020-01-01\n"
        + f"joe:{crypt('far word')}::::::label=far allow_nets=192.0.2.0/24\n"
        + f"joe:{crypt('near word')}::::::label=near allow_nets=127.0.0.0/8\n"
        + f"joe:{crypt('pop word')}::::::label=pop services=pop3\n")
    for n, (word, label) in enumerate((("main word", '""'),
                                       ("phone word", "phone"),
                                       ("near word", "near")), 1):
        joe.password = word
        c = s.login(joe)
        c.ok("SELECT INBOX")
        c.logout()
        assert f" label={label} " in wait_for_log(s, "session", n)[-1]
    assert refused(s, "joe", "old word", "EXPIRED") == "expired"
    assert refused(s, "joe", "far word") == "bad-network"
    assert refused(s, "joe", "pop word") == "nologin"
    assert refused(s, "joe", "no word") == "bad-password"


def test_bare_hashes(make_server):
    """Of crypt(3), without a scheme, as htpasswd and shadow have them."""
    s = make_server()
    joe = s.account("joe")
    s.users.write_text(joe.line(password=crypt(joe.password)))
    s.login(joe).ok("SELECT INBOX")
    assert refused(s, "joe", "wrong") == "bad-password"


# ---- system users ----------------------------------------------------------

@pytest.fixture
def system(make_server):
    """imapd with an /etc/passwd and an /etc/shadow of its own."""
    can = subprocess.run(["unshare", "-m", "true"], capture_output=True)
    if can.returncode != 0:
        pytest.skip("no mount namespace to be had")
    # A default scheme is for the users file: what is locked stays locked.
    s = make_server({"users": "", "system_users": "yes",
                     "default_scheme": "PLAIN"}, start=False)
    ca = client_certificate(s.dir, None, "ca")
    s.settings["tls_client_ca"] = ca[0]
    s.write_conf()
    s.certs = {name: client_certificate(s.dir, None, name, ca)
               for name in ("joe", "past")}
    s.system = {
        "joe": (crypt("pass word"), ""),
        "locked": ("!" + crypt("pass word"), ""),
        "closed": ("!by the administrator", ""),
        "past": (crypt("pass word"), "1"),      # day 1 of 1970
    }
    passwd, shadow = (open(f"/etc/{x}").read() for x in ("passwd", "shadow"))
    for n, (name, (word, expires)) in enumerate(s.system.items()):
        home = s.dir / "home" / name
        home.mkdir(mode=0o700)
        os.chown(home, 5100 + n, 5100 + n)
        passwd += f"{name}:x:{5100 + n}:{5100 + n}::{home}:/usr/sbin/nologin\n"
        shadow += f"{name}:{word}:19000:0:99999:7::{expires}:\n"
    (s.dir / "passwd").write_text(passwd)
    (s.dir / "shadow").write_text(shadow)
    (s.dir / "shadow").chmod(0o600)
    with open(s.log, "ab") as log:
        s.process = subprocess.Popen(
            ["unshare", "-m", "sh", "-ec",
             'mount --bind "$1/passwd" /etc/passwd;'
             'mount --bind "$1/shadow" /etc/shadow; shift; exec "$@"',
             "sh", s.dir, servers.IMAPD, "-c", s.conf, "-l"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    s.wait()
    return s


@ROOT
def test_system_users(system):
    s = system
    c = s.connect()
    c.login("joe", "pass word")
    c.ok("SELECT INBOX")
    c.ok("APPEND INBOX", b"Subject: x\r\n\r\nx\r\n")
    c.logout()
    made = [p for p in (s.dir / "home/joe/Maildir").rglob("*")]
    assert made and {p.stat().st_uid for p in made} == {5100}
    assert refused(s, "joe", "wrong") == "bad-password"
    assert refused(s, "nobody-here", "pass word") == "unknown-user"
    assert refused(s, "locked", "pass word") == "bad-password"
    assert refused(s, "closed", "!by the administrator") == "bad-password"
    assert refused(s, "past", "pass word", "EXPIRED") == "expired"
    assert refused(s, "root", "") == "bad-password"
    assert refused(s, "daemon", "*") == "bad-password"


@ROOT
def test_system_users_with_certificates(system):
    s = system
    c = s.connect(tls=True, context=with_certificate(s.certs["joe"]))
    c.ok("AUTHENTICATE EXTERNAL =")
    c = s.connect(tls=True, context=with_certificate(s.certs["past"]))
    assert c.no("AUTHENTICATE EXTERNAL =").code == "EXPIRED"


# ---- checkpassword ---------------------------------------------------------

CHECK = """\
#!/usr/bin/python3
import os
import sys

user, password, stamp, _ = os.read(3, 512).split(b"\\0", 3)
if user == b"tempo":
    sys.exit(111)
if (user, password) != (b"joe", b"pass word"):
    sys.exit(1)
with open("{dir}/seen", "w") as f:
    f.write(f"{{os.environ['SERVICE']}} {{os.environ['TCPREMOTEIP']}}")
os.environ["USER"] = "joe"
os.environ["HOME"] = "{home}"
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid({gid})
    os.setuid({uid})
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_checkpassword(make_server):
    s = make_server({"users": ""}, start=False)
    joe = servers.Account(s, "joe")
    program = s.dir / "check"
    program.write_text(CHECK.format(dir=s.dir, home=joe.home,
                                    uid=servers.MAIL_UID,
                                    gid=servers.MAIL_GID))
    program.chmod(0o755)
    s.settings["checkpassword"] = program
    s.write_conf()
    s.start()
    c = s.login(joe)
    c.ok("SELECT INBOX")
    assert (s.dir / "seen").read_text() == "imap 127.0.0.1"
    assert joe.mail.root.stat().st_uid == servers.MAIL_UID
    assert refused(s, "joe", "wrong") == "bad-password"
    assert refused(s, "tempo", "x", "UNAVAILABLE") == "unavailable"


# ---- mechanisms that are off by default ------------------------------------

def cram(c, user, password):
    c.send("a AUTHENTICATE CRAM-MD5\r\n")
    r = c.read()
    if r.tag != "+":
        return r
    digest = hmac.digest(password.encode(), base64.b64decode(r.text), "md5")
    c.send(b64(f"{user} {digest.hex()}".encode()) + "\r\n")
    return c.tagged("a").done


def test_off_by_default(connect, account):
    for tls in (False, True):
        c = connect(tls=tls)
        assert not {"AUTH=CRAM-MD5", "AUTH=ANONYMOUS"} & c.capability()
        assert cram(c, account.name, account.password).status == "NO"
        c.no(f"AUTHENTICATE ANONYMOUS {b64(b'x')}")
        c.bad("SELECT INBOX")


def test_cram_md5(make_server):
    s = make_server({"cram_md5": "yes"})
    joe = s.account("joe")
    c = s.connect()
    assert "AUTH=CRAM-MD5" in c.capability()
    assert cram(c, "joe", "wrong").status == "NO"
    assert cram(c, "joe", joe.password).status == "OK"
    c.ok("SELECT INBOX")
    c.logout()
    # Of the states of HMAC-MD5 too, which doveadm makes.
    if not shutil.which("doveadm"):
        return
    stored = subprocess.run(
        ["doveadm", "pw", "-s", "CRAM-MD5", "-p", joe.password],
        capture_output=True, text=True, check=True).stdout.strip()
    s.users.write_text(joe.line(password=stored))
    c = s.connect()
    assert cram(c, "joe", joe.password).status == "OK"


def test_anonymous(make_server):
    s = make_server({"anonymous": "yes", "anonymous_user": "guest"})
    guest = s.account("guest")
    guest.mail.deliver()
    c = s.connect()
    assert "AUTH=ANONYMOUS" in c.capability()
    c.ok(f"AUTHENTICATE ANONYMOUS {b64(b'somebody')}")
    assert c.ok("SELECT INBOX").exists() == 1
    c.logout()
    assert " method=ANONYMOUS " in wait_for_log(s, "session")[0]
