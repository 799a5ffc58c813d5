# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""What a process that was taken over could do: nothing.

tests/process/probe enters a sandbox through the functions that imapd's own
programs use and tries one thing.  A live server is looked at as well.
"""

import contextlib
import errno
import os
import pathlib
import shutil
import socket
import subprocess
import threading
import time

import pytest

import imapclient
import servers

pytestmark = pytest.mark.imapd()
BUILD = pathlib.Path(os.environ.get(
    "IMAPD_BUILD", pathlib.Path(__file__).parents[2]))
PROBE = BUILD / "tests" / "process" / "probe"
KILLED = -31                                        # SIGSYS

if not PROBE.exists():
    pytest.skip("tests/process/probe is not built (make check)",
                allow_module_level=True)


@pytest.fixture(scope="module")
def mails():
    """(one user's mail, another user's mail)"""
    d = servers.run_dir()
    for name in ("mine", "other"):
        for sub in ("cur", "new", "tmp"):
            (d / name / sub).mkdir(parents=True)
        (d / name / "cur" / "1").write_text("mail")
    # Everybody may read and write these: it is not the mode that refuses.
    subprocess.run(["chmod", "-R", "a+rwX", d], check=True)
    yield d / "mine", d / "other"
    subprocess.run(["rm", "-rf", d], check=True)


def probe(kind, mail, *thing):
    r = subprocess.run([PROBE, kind, mail, *map(str, thing)],
                       capture_output=True, text=True)
    if r.returncode == KILLED:
        return "killed"
    assert r.returncode == 0, r.stdout + r.stderr
    return r.stdout.strip()


def refused(*numbers):
    return ["killed"] + [f"refused {n}" for n in numbers]


ALWAYS = ("socket", "unix-socket", "execve", "ptrace", "fork", "kill",
          "tgkill", "setown", "setuid", "chroot", "code")
KINDS = ("login", "forked", "session", "session-nobody")


# The run-time of the sanitizers maps what it likes.
SANITIZED = "define WITH_SANITIZERS" in (BUILD / "config.h").read_text()


@pytest.mark.parametrize("thing", ALWAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_refused(mails, kind, thing):
    if SANITIZED and thing == "code":
        pytest.skip("built with sanitizers")
    assert probe(kind, mails[0], thing) in refused(errno.EPERM, errno.EACCES)


@pytest.mark.parametrize("kind", KINDS)
def test_files_of_others(mails, kind):
    mine, other = mails
    no = refused(errno.EACCES)
    assert probe(kind, mine, "read", "/etc/passwd") in no
    assert probe(kind, mine, "read", other / "cur" / "1") in no
    assert probe(kind, mine, "write", other / "cur" / "2") in no
    assert probe(kind, mine, "read", f"{mine}/../other/cur/1") in no
    assert probe(kind, mine, "write", "/tmp/probe") in no


@pytest.mark.parametrize("kind", ("login", "forked"))
def test_login_has_no_file_at_all(mails, kind):
    assert probe(kind, mails[0], "read", mails[0] / "cur" / "1") in \
        refused(errno.EACCES)
    assert probe(kind, mails[0], "memory") == "allowed"


@pytest.mark.parametrize("kind", ("session", "session-nobody"))
def test_session_can_work(mails, kind):
    mine = mails[0]
    assert probe(kind, mine, "read", mine / "cur" / "1") == "allowed"
    assert probe(kind, mine, "rename") == "allowed"
    assert probe(kind, mine, "alive") == "allowed"
    assert probe(kind, mine, "raise") == "allowed"
    assert probe(kind, mine, "memory") == "allowed"


# ---- a live server ---------------------------------------------------------

def children(pid):
    out = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True,
                         text=True).stdout
    return [int(p) for p in out.split()]


def status(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines()
                if ":\t" in line)


def command(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:           # it has just ended
        return ""
    return text.split(b"\0")[0].decode()


def maps(pid):
    return pathlib.Path(f"/proc/{pid}/maps").read_text()


@pytest.fixture
def live(make_server):
    return make_server()


def find(server, name, before=()):
    """Processes of the server whose command line begins with name."""
    seen, todo = [], [server.process.pid]
    while todo:
        pid = todo.pop()
        todo += children(pid)
        if pid not in before:
            seen.append(pid)
    return [p for p in seen if command(p).endswith(name)]


def test_processes_of_a_plain_session(live):
    account = live.account("joe")
    before = set(find(live, "imapd") + find(live, "imapd-login")
                 + find(live, "imapd-tls"))
    c = live.login(account)
    c.ok("SELECT INBOX")
    new = [p for n in ("imapd", "imapd-login", "imapd-tls")
           for p in find(live, n, before)]
    assert len(new) == 1
    s = status(new[0])
    assert s["Seccomp"] == "2" and s["NoNewPrivs"] == "1"
    if os.geteuid() == 0:
        assert set(s["Uid"].split()) == {str(servers.MAIL_UID)}
        assert set(s["Gid"].split()) == {str(servers.MAIL_GID)}
        assert s["CapEff"] == s["CapPrm"] == "0" * 16
    assert "libssl" not in maps(new[0]) and "libcrypto" not in maps(new[0])
    # The client, its slot and what wakes it up: nothing of the listener.
    fds = [os.readlink(f) for f in
           pathlib.Path(f"/proc/{new[0]}/fd").iterdir()]
    assert len([f for f in fds if f.startswith("socket:")]) == 1, fds
    c.ok("LOGOUT")


def test_processes_of_a_tls_session(live):
    account = live.account("joe")
    before = set(find(live, "imapd") + find(live, "imapd-login")
                 + find(live, "imapd-tls"))
    c = live.login(account, tls=True)
    c.ok("SELECT INBOX")
    session = find(live, "imapd", before)
    relay = find(live, "imapd-tls", before)
    assert len(session) == 1 and len(relay) == 1
    assert not find(live, "imapd-login", before)
    assert "libssl" not in maps(session[0])
    s = status(relay[0])
    assert s["Seccomp"] == "2" and s["NoNewPrivs"] == "1"
    assert s["CapEff"] == "0" * 16
    if os.geteuid() == 0:
        assert "0" not in s["Uid"].split()
    c.ok("LOGOUT")


@pytest.mark.parametrize("tls", (False, True))
def test_descriptors_of_a_session(live, tls):
    """One socket, to the client or its relay: no way to a forker."""
    account = live.account("joe")
    before = set(find(live, "imapd"))
    c = live.login(account, tls=tls)
    c.ok("SELECT INBOX")
    session, = find(live, "imapd", before)
    held = [os.readlink(f) for f in
            pathlib.Path(f"/proc/{session}/fd").iterdir()]
    assert len([f for f in held if f.startswith("socket:")]) == 1, held
    assert not [f for f in held if f.startswith(str(live.users))
                or f.startswith("anon_inode:[signalfd]")], held
    c.ok("LOGOUT")


def memory(pid):
    """What a process can read of itself, without what is shared or huge."""
    data = b""
    with open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps(pid).splitlines():
            first, last = (int(n, 16) for n in line.split()[0].split("-"))
            if line.split()[1][:2] != "rw" or last - first > 64 << 20:
                continue
            mem.seek(first)
            data += mem.read(last - first)
    return data


def secrets_of(server, *passwords):
    found = [p.encode() for p in passwords]
    found += server.key.read_bytes().splitlines()[1:-1]
    tickets = (server.dir / "run" / "ticket-keys").read_bytes()
    # u64 time, then name, AES key and HMAC key: the parts of the keys.
    return found + [tickets[24:40], tickets[56:72]]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the right to look")
@pytest.mark.parametrize("tls", (False, True))
@pytest.mark.parametrize("mode", ("listener", "inetd"))
def test_no_secrets_in_a_session(make_server, mode, tls):
    """It comes after the monitor in the same memory."""
    s = make_server(start=False)
    cert, key = servers.make_certificate(s.dir, kind="ec", stem="second")
    s.settings["tls_cert"] = f"{s.cert} {cert}"
    s.settings["tls_key"] = f"{s.key} {key}"
    s.write_conf()
    s.start()
    joe = s.account("joe")
    s.account("ann", password="{PLAIN}ann's own word")
    s.login(joe, tls=True).ok("LOGOUT")      # there are ticket keys now
    before = set(find(s, "imapd"))
    if mode == "listener":
        c = s.login(joe, tls=tls)
        session, = find(s, "imapd", before)
    else:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            make = imapclient.Client.tls if tls else imapclient.Client.tcp
            made = []
            t = threading.Thread(target=lambda: made.append(
                make("127.0.0.1", port)))
            t.start()
            conn, _ = listener.accept()
        with conn, open(s.log, "ab") as log:
            p = subprocess.Popen([servers.IMAPD, "-c", s.conf]
                                 + ["-S"] * tls, stdin=conn, stdout=conn,
                                 stderr=log)
        t.join(10)
        c, session = made[0], p.pid
        c.login(joe.name, joe.password)
    c.ok("SELECT INBOX")
    data = memory(session)
    assert b"Maildir" in data
    assert not [w for w in secrets_of(s, joe.password, "ann's own word")
                if w in data]
    c.ok("LOGOUT")
    if mode == "inetd":
        p.wait(10)


@pytest.fixture(params=("listener", "tcpserver"))
def started(request, make_server):
    """started(port) -> (server, pid): its clients' processes are below pid."""
    running = []

    def start(port="port"):
        s = make_server(start=False)
        if request.param == "listener":
            s.start()
            return s, s.process.pid
        tcpserver = shutil.which("tcpserver")
        if not tcpserver:
            pytest.skip("tcpserver is not here")
        argv = [tcpserver, "-HRl0", "127.0.0.1", str(getattr(s, port)),
                servers.IMAPD, "-c", s.conf]
        with open(s.log, "ab") as log:
            running.append(subprocess.Popen(
                argv + ["-S"] * (port == "tls_port"), stdout=log, stderr=log))
        time.sleep(0.3)
        return s, running[-1].pid
    yield start
    for p in running:
        p.terminate()
        p.wait(10)


def below(pid):
    """All processes below this one, whatever they are called."""
    found = children(pid)
    return set(found).union(*(below(p) for p in found))


@pytest.mark.parametrize("way", ("plain", "starttls", "tls"))
def test_how_many_processes(started, way):
    """One for a session, one more for TLS; none of those that checked the
    password, which here is a child of its own, is left."""
    s, top = started("tls_port" if way == "tls" else "port")
    joe = s.account("joe", password="{SHA256}10/w7o2juYBrGMh32/KbveULW9jk2tejp"
                                    "yUAD+uC6PE=")
    before = below(top)
    c = s.connect(tls=way == "tls")
    if way == "starttls":
        c.starttls()
    c.cmd(f"LOGIN {joe.name} wrong")
    c.login(joe.name, "pass")
    c.ok("SELECT INBOX")
    want = ["imapd"] if way == "plain" else ["imapd", "imapd-tls"]
    until = time.monotonic() + 5
    while time.monotonic() < until:
        new = below(top) - before
        if len(new) == len(want):
            break
        time.sleep(0.05)
    assert sorted(pathlib.Path(command(p)).name for p in new) == want
    c.ok("LOGOUT")


def test_process_that_checks_passwords(live):
    """Seen at work on a hash that costs a second or two."""
    if "HAVE_ARGON2 1" not in (BUILD / "config.h").read_text():
        pytest.skip("built without libargon2")
    joe = live.account("joe", password="{ARGON2ID}$argon2id$v=19$m=65536,t=20,"
                                       "p=1$c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2Fsd"
                                       "A")
    c = live.connect()
    c.send(f"a LOGIN {joe.name} wrong\r\n")
    until = time.monotonic() + 10
    seen = {}
    while seen.get("Seccomp") != "2" and time.monotonic() < until:
        with contextlib.suppress(FileNotFoundError):    # it has just ended
            pid, = find(live, "imapd-auth") or [0]
            fds = [os.readlink(f) for f in
                   pathlib.Path(f"/proc/{pid}/fd").iterdir()]
            seen = status(pid)
        time.sleep(0.01)
    assert seen["Seccomp"] == "2" and seen["NoNewPrivs"] == "1"
    assert seen["CapEff"] == seen["CapPrm"] == "0" * 16
    if os.geteuid() == 0:
        assert "0" not in seen["Uid"].split() + seen["Gid"].split()
    assert len([f for f in fds if f.startswith(("socket:", "pipe:"))]) == 1
    assert c.tagged("a").status == "NO"


@pytest.mark.parametrize("program", ("imapd-login", "imapd-tls"))
def test_process_before_login(started, program):
    port = "tls_port" if program == "imapd-tls" else "port"
    s, top = started(port)
    before = below(top)
    with socket.create_connection(("127.0.0.1", getattr(s, port)), 10) as c:
        if program == "imapd-login":
            assert c.recv(4) == b"* OK"
        else:
            # What it says to a first byte that is none of TLS, or nothing;
            # it has its sandbox before it reads.
            time.sleep(0.5)
        login, = [p for p in below(top) - before if command(p) == program]
        seen = status(login)
        assert seen["Seccomp"] == "2" and seen["NoNewPrivs"] == "1"
        assert seen["CapEff"] == seen["CapPrm"] == "0" * 16
        assert ("libssl" in maps(login)) == (program == "imapd-tls")
        limits = pathlib.Path(f"/proc/{login}/limits").read_text()
        assert "Max processes             0 " in limits
        assert "Max core file size        0 " in limits
        if os.geteuid() == 0:
            assert "0" not in seen["Uid"].split() + seen["Gid"].split()
            assert seen["Groups"].split() == seen["Gid"].split()[:1]
            root = pathlib.Path(f"/proc/{login}/root")
            assert os.readlink(root) != "/"
            assert not list(root.iterdir())
