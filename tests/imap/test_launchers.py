# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Each way to be started, with the real launcher (imapd(8), LAUNCHERS)."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import time

import pytest

import servers
from imapclient import Client, Closed, insecure

pytestmark = pytest.mark.imapd()
CONTRIB = pathlib.Path(__file__).parents[2] / "contrib"


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory):
    """inetd and xinetd cannot be installed together: unpacked, they can."""
    d = tmp_path_factory.mktemp("launchers")
    d.chmod(0o755)
    for package in ("openbsd-inetd", "xinetd"):
        subprocess.run(["apt-get", "-qq", "download", package], cwd=d,
                       capture_output=True)
    for deb in d.glob("*.deb"):
        subprocess.run(["dpkg", "-x", deb, d], check=True)
    return d


def program(name, unpacked=None):
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin")
    if path is None and unpacked:
        path = shutil.which(name, path=f"{unpacked}/usr/sbin")
    if path is None:
        pytest.skip(f"{name} is not here")
    return path


@pytest.fixture
def setup(make_server):
    """An imapd that is configured, not started, and has an account."""
    s = make_server(start=False)
    s.joe = s.account("joe")
    return s


@contextlib.contextmanager
def running(s, argv, **kw):
    with open(s.log, "ab") as log:
        p = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL,
                             stdout=log, stderr=log, **kw)
    s.process = p
    try:
        s.wait()
        yield p
    finally:
        s.process = None
        p.terminate()
        p.wait(10)


def work(s, **kw):
    """A session from greeting to goodbye."""
    c = s.login(s.joe, **kw)
    c.ok("SELECT INBOX")
    c.ok("LOGOUT")


def work_starttls(s):
    c = s.connect()
    c.starttls()
    c.login(s.joe.name, s.joe.password)
    c.ok("LOGOUT")


def imapd(s, *options):
    return [servers.IMAPD, "-c", s.conf, *options]


# ---- our own listener ------------------------------------------------------

def test_listener(setup):
    s = setup
    with running(s, imapd(s, "-l")):
        work(s)
        work(s, tls=True)


def test_listener_addresses(setup):
    s = setup
    with running(s, imapd(s, "-l", f"127.0.0.1:{s.port}",
                          f"imaps:127.0.0.1:{s.tls_port}")):
        work(s)
        work(s, tls=True)


def test_listener_says_why_it_cannot_listen(setup):
    with socket.create_server(("127.0.0.1", setup.tls_port)):
        p = subprocess.run(imapd(setup, "-l"), capture_output=True, timeout=10)
    assert p.returncode == 78
    assert b'listen-failed address=imaps:' in p.stderr
    assert b'error="Address already in use"' in p.stderr


def test_listener_notices_changed_configuration(setup):
    s = setup
    with running(s, imapd(s, "-l")):
        assert "IDLE" in " ".join(s.connect().cmd("CAPABILITY").untagged[0].data)
        s.settings["capability"] = "-IDLE"
        s.write_conf()
        c = s.connect()
        assert "IDLE" not in c.ok("CAPABILITY").untagged[0].data
        # A mistake does not stop the service.
        s.conf.write_text(s.conf.read_text() + "colour = red\n")
        work(s)
        assert "unknown key" in s.log_text()


def test_listener_says_bye(setup):
    s = setup
    with running(s, imapd(s, "-l")) as p:
        fresh, session = s.connect(), s.login(s.joe)
        tls = s.login(s.joe, tls=True)
        p.terminate()
        for c in (fresh, session, tls):
            assert c.read().status == "BYE"
            with pytest.raises(Closed):
                c.read()
        assert p.wait(10) == 0


# ---- systemd ---------------------------------------------------------------

def activate(s, *options):
    return [program("systemd-socket-activate"), "-l", f"127.0.0.1:{s.port}",
            *options]


def test_systemd_accept(setup):
    s = setup
    with running(s, activate(s, "--accept", *imapd(s))):
        work(s)
        work_starttls(s)


def test_systemd_accept_inetd(setup):
    s = setup
    with running(s, activate(s, "--accept", "--inetd", *imapd(s))):
        work(s)
        work_starttls(s)


def test_systemd_no_accept(setup):
    s = setup
    with running(s, activate(s, *imapd(s))):
        work(s)
        work_starttls(s)


def test_systemd_no_accept_two_sockets(setup):
    """Which is the one for TLS is told by its port."""
    s = setup
    s.settings["imaps_ports"] = s.tls_port
    s.write_conf()
    with running(s, activate(s, "-l", f"127.0.0.1:{s.tls_port}",
                             *imapd(s))) as p:
        work(s)
        work(s, tls=True)
        c = s.login(s.joe)
        p.terminate()
        assert c.read().status == "BYE"


def test_systemd_imaps(setup):
    s = setup
    argv = [program("systemd-socket-activate"), "-l",
            f"127.0.0.1:{s.tls_port}", "--accept", *imapd(s, "-S")]
    with open(s.log, "ab") as log:
        p = subprocess.Popen(argv, stdout=log, stderr=log)
    try:
        time.sleep(0.3)
        work(s, tls=True)
    finally:
        p.terminate()
        p.wait(10)


# ---- inetd, xinetd ---------------------------------------------------------

def burst(s, n):
    """n connections at once, each of which is served."""
    socks = [socket.create_connection(("127.0.0.1", s.port), 10)
             for _ in range(n)]
    for sock in socks:
        with sock:
            assert sock.recv(4) == b"* OK"


@pytest.mark.skipif(os.geteuid() != 0, reason="inetd wants root")
def test_inetd(setup, unpacked):
    s = setup
    lines = [x for x in (CONTRIB / "inetd/inetd.conf").read_text().splitlines()
             if re.match(r"imap\t.*\ttcp\t", x)]
    assert len(lines) == 1
    conf = s.dir / "inetd.conf"
    conf.write_text(lines[0].replace("imap", f"127.0.0.1:{s.port}", 1).replace(
        "/usr/sbin/imapd", str(servers.IMAPD)) + f" -c {s.conf}\n")
    with running(s, [program("inetd", unpacked), "-d", conf]):
        work(s)
        work_starttls(s)
        burst(s, 100)


@pytest.mark.skipif(os.geteuid() != 0, reason="xinetd wants root")
def test_xinetd(setup, unpacked):
    """The sample behind the main file that Debian has."""
    s = setup
    (s.dir / "xinetd.d").mkdir()
    text = (CONTRIB / "inetd/xinetd.imapd").read_text()
    for name, port in (("imap", s.port), ("imaps", s.tls_port)):
        text = re.sub(rf"(?m)^service {name}\n{{", f"service {name}\n{{\n"
                      f"\ttype = UNLISTED\n\tport = {port}\n"
                      "\tbind = 127.0.0.1\n"
                      f"\tserver_args = -c {s.conf}", text)
    s.settings["imaps_ports"] = s.tls_port
    s.write_conf()
    (s.dir / "xinetd.d/imapd").write_text(
        text.replace("/usr/sbin/imapd", str(servers.IMAPD)))
    conf = s.dir / "xinetd.conf"
    conf.write_text(f"defaults\n{{\n}}\nincludedir {s.dir}/xinetd.d\n")
    with running(s, [program("xinetd", unpacked), "-dontfork", "-f", conf,
                     "-pidfile", s.dir / "xinetd.pid", "-stayalive"]):
        work(s)
        work_starttls(s)
        work(s, tls=True)
        burst(s, 100)
    # stderr is the client there: not a byte of the log may reach it, which
    # the strict parser has seen to.


# A /dev with little in it but a syslog of our own.
OWN_DEV = """\
cd "$1"
for f in null zero urandom; do
	: >$f
	mount --bind /dev/$f $f
done
mount --rbind . /dev
shift
exec "$@"
"""


@pytest.fixture
def syslog(setup):
    """(socket that gets what is logged, how to start imapd with it)"""
    if subprocess.run(["unshare", "-m", "true"],
                      capture_output=True).returncode != 0:
        pytest.skip("no mount namespace to be had")
    dev = setup.dir / "dev"
    dev.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(str(dev / "log"))
        (dev / "log").chmod(0o666)
        log.settimeout(10)
        yield log, ["unshare", "-m", "sh", "-ec", OWN_DEV, "sh", dev]


@pytest.mark.parametrize("tls", (False, True))
def test_log_under_inetd(setup, syslog, tls):
    """stderr is the client: all processes log to syslog, to the end, those in
    an empty root directory and those in a sandbox too."""
    s = setup
    log, start = syslog
    del s.settings["log"]
    s.settings["log_level"] = "debug"
    s.write_conf()
    with socket.create_server(("127.0.0.1", s.tls_port)) as listener:
        client = socket.create_connection(listener.getsockname(), 10)
        conn, _ = listener.accept()
    with conn:
        p = subprocess.Popen([*start, *imapd(s, *["-S"] * tls)], stdin=conn,
                             stdout=conn, stderr=conn)
    if tls:
        client = insecure().wrap_socket(client, server_hostname="localhost")
    c = Client.over(client)
    c.no("LOGIN joe wrong")
    c.login(s.joe.name, s.joe.password)
    c.ok("SELECT INBOX")
    c.logout()
    assert p.wait(20) == 0
    wanted = ["connected", "auth-failed", "session"]
    wanted += ["tls-end"] if tls else []
    while wanted:
        line = log.recv(8192).decode()
        m = re.fullmatch(r"<(\d+)>.*? imapd(?:-tls)?\[\d+\]: (\S+) .*", line)
        assert m and int(m[1]) >> 3 == 2, line      # LOG_MAIL
        if m[2] in wanted:
            wanted.remove(m[2])


# ---- UCSPI -----------------------------------------------------------------

def test_tcpserver(setup):
    """As the sample run script starts it."""
    s = setup
    program("tcpserver")
    run = s.dir / "run-tcpserver"
    run.write_text((CONTRIB / "tcpserver/run").read_text().replace(
        " 0 143 /usr/sbin/imapd",
        f" 127.0.0.1 {s.port} {servers.IMAPD} -c {s.conf}"))
    assert str(s.conf) in run.read_text()
    with running(s, ["sh", run]):
        work(s)
        work_starttls(s)
        burst(s, 60)
        c = s.connect()
        c.cmd("LOGIN joe wrong")
        assert "auth-failed" in s.log_text()


def test_ucspi_address(setup):
    """The variables count, not the socket."""
    s = setup
    env = {**os.environ, "PROTO": "TCP", "TCPREMOTEIP": "192.0.2.77",
           "TCPREMOTEPORT": "1234"}
    a, b = socket.socketpair()
    p = subprocess.Popen(imapd(s), stdin=b, stdout=b, env=env,
                         stderr=open(s.log, "ab"))
    b.close()
    c = Client.over(a)
    assert c.greeting.status == "OK"
    # Not a local network: no password in the clear.
    assert "LOGINDISABLED" in c.ok("CAPABILITY").untagged[0].data
    assert c.cmd("LOGIN joe x").code == "PRIVACYREQUIRED"
    c.ok("LOGOUT")
    assert p.wait(10) == 0


def test_tls_outside(setup):
    """Behind stunnel and its like: SSL_PROTOCOL, or -E."""
    s = setup
    for env, options in (({"SSL_PROTOCOL": "TLSv1.3"}, ()), ({}, ("-E",))):
        a, b = socket.socketpair()
        p = subprocess.Popen(
            imapd(s, *options), stdin=b, stdout=b,
            stderr=open(s.log, "ab"),
            env={**os.environ, "PROTO": "TCP", "TCPREMOTEIP": "192.0.2.77",
                 **env})
        b.close()
        c = Client.over(a)
        caps = c.ok("CAPABILITY").untagged[0].data
        assert "LOGINDISABLED" not in caps and "STARTTLS" not in caps
        c.login(s.joe.name, s.joe.password)
        c.ok("LOGOUT")
        assert p.wait(10) == 0


# ---- a pipe ----------------------------------------------------------------

def test_pipe(setup):
    s = setup
    p = subprocess.Popen(
        [servers.IMAPD, "-o", "capability=-MOVE", "-d",
         s.joe.home / "Maildir"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    out, _ = p.communicate(b"a SELECT INBOX\r\nb LOGOUT\r\n", timeout=10)
    assert out.startswith(b"* PREAUTH ")
    assert b" UIDPLUS" in out and b" MOVE" not in out
    assert b"\r\nb OK" in out
    assert p.returncode == 0


def reset_connection(data, port=0):
    """(listener, connection): what a client sent before it hung up hard."""
    listener = socket.create_server(("127.0.0.1", port))
    c = socket.create_connection(listener.getsockname())
    conn, _ = listener.accept()
    c.sendall(data)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                 struct.pack("ii", 1, 0))
    c.close()
    with pytest.raises(OSError):
        for _ in range(100):
            conn.getpeername()
            time.sleep(0.01)
    return listener, conn


@pytest.mark.parametrize("options", [[], ["-d"]])
def test_reset_connection_is_no_pipe(setup, options):
    """Its peer has no address any more, and is not our own user for that."""
    s = setup
    mail = s.joe.home / "Maildir"
    if options:
        options = ["-d", mail]
    listener, conn = reset_connection(b"a CREATE pwned\r\n")
    with listener, conn:
        p = subprocess.run(
            [servers.IMAPD, "-o", f"mail=maildir:{mail}", "-o", "log=stderr",
             *options],
            stdin=conn, stdout=conn, stderr=subprocess.PIPE, timeout=20,
            env={"HOME": str(s.joe.home)}, **servers.as_mail_user())
    assert not (mail / ".pwned").exists()
    assert (p.returncode, p.stderr) == (0, b"")


# ---- PROXY protocol --------------------------------------------------------

V2_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def v2(address, port, command=0x21, tlvs=b""):
    body = socket.inet_aton(address) + socket.inet_aton("192.0.2.1") + \
        struct.pack("!HH", port, 143) + tlvs
    return V2_SIGNATURE + bytes([command, 0x11]) + \
        struct.pack("!H", len(body)) + body


def behind_proxy(make_server, **config):
    s = make_server({"proxy_networks": "127.0.0.1", **config}, start=False)
    s.joe = s.account("joe")
    with open(s.log, "ab") as log:
        s.process = subprocess.Popen(imapd(s, "-l"), stdout=log, stderr=log)
    time.sleep(0.5)
    return s


def send_header(s, header, pieces=False):
    sock = socket.create_connection(("127.0.0.1", s.port), 10)
    for i in range(len(header)) if pieces else ():
        sock.sendall(header[i:i + 1])
        time.sleep(0.002)
    if not pieces:
        sock.sendall(header)
    return sock


@pytest.mark.parametrize("pieces", (False, True))
@pytest.mark.parametrize("header", (
    b"PROXY TCP4 192.0.2.55 192.0.2.1 4000 143\r\n",
    v2("192.0.2.55", 4000)))
def test_proxy_address(make_server, header, pieces):
    s = behind_proxy(make_server)
    c = Client.over(send_header(s, header, pieces))
    assert "LOGINDISABLED" in c.ok("CAPABILITY").untagged[0].data
    c.starttls()
    c.cmd("LOGIN joe wrong")
    assert "rip=192.0.2.55" in s.log_text()


def test_proxy_tls(make_server):
    s = behind_proxy(make_server)
    ssl_tlv = b"\x20" + struct.pack("!HBI", 5, 1, 0)
    c = Client.over(send_header(s, v2("192.0.2.55", 4000, tlvs=ssl_tlv)))
    assert "LOGINDISABLED" not in c.ok("CAPABILITY").untagged[0].data
    c.login(s.joe.name, s.joe.password)


@pytest.mark.parametrize("header", (
    b"PROXY UNKNOWN\r\n", v2("192.0.2.55", 4000, command=0x20)))
def test_proxy_itself(make_server, header):
    s = behind_proxy(make_server)
    c = Client.over(send_header(s, header))
    c.login(s.joe.name, s.joe.password)


@pytest.mark.parametrize("header", (
    b"a1 CAPABILITY\r\n" * 4, b"PROXY TCP4 1.2.3.4\r\n" + b"x" * 200,
    b"PROXY " + b"x" * 200, V2_SIGNATURE + b"\x31\x11\x00\x0c" + b"x" * 12,
    V2_SIGNATURE + b"\x21\x11\xff\xff"))
def test_proxy_nonsense(make_server, header):
    s = behind_proxy(make_server)
    sock = send_header(s, header)
    with contextlib.suppress(ConnectionResetError):
        assert sock.recv(100) == b""


def test_proxy_from_strangers(setup):
    """Without proxy_networks the header is a bad command."""
    s = setup
    with running(s, imapd(s, "-l")):
        sock = send_header(s, b"PROXY TCP4 192.0.2.55 192.0.2.1 4000 143\r\n")
        c = Client.over(sock)
        assert c.read().status == "BAD"
        c.login(s.joe.name, s.joe.password)


@pytest.mark.parametrize("version", ("send-proxy", "send-proxy-v2"))
def test_haproxy(make_server, version):
    haproxy = program("haproxy")
    s = behind_proxy(make_server)
    front, tls_front = servers.free_ports(2)
    conf = s.dir / "haproxy.cfg"
    conf.write_text(f"""
defaults
	mode tcp
	timeout connect 5s
	timeout client 60s
	timeout server 60s
listen imap
	bind 127.0.0.1:{front}
	server one 127.0.0.1:{s.port} {version}
listen imaps
	bind 127.0.0.1:{tls_front}
	server one 127.0.0.1:{s.tls_port} {version}
""")
    p = subprocess.Popen([haproxy, "-f", conf])
    try:
        time.sleep(0.5)
        s.port, s.tls_port = front, tls_front
        work(s)
        work_starttls(s)
        work(s, tls=True)
        # An address that is not also the proxy's.
        c = Client.over(socket.create_connection(
            ("127.0.0.1", front), 10, source_address=("127.0.0.9", 0)))
        c.cmd("LOGIN joe wrong")
        assert "rip=127.0.0.9" in s.log_text()
        c.login(s.joe.name, s.joe.password)
        c.logout()
        until = time.monotonic() + 5
        while "remote=127.0.0.9" not in s.log_text():
            assert time.monotonic() < until, s.log_text()
            time.sleep(0.05)
    finally:
        p.terminate()
        p.wait(10)


# ---- the end ---------------------------------------------------------------

def test_exit_status(setup):
    """0 for whatever a peer does, so that no unit is left as failed."""
    s = setup
    doings = (b"", b"\0\xff\r\n" * 20, b"a LOGIN joe wrong\r\n", b"\r\n" * 50,
              b"a LOGOUT\r\n", b"A" * 20000, b"a LOGIN {100}\r\n")
    for sent in doings:
        a, b = socket.socketpair()
        p = subprocess.Popen(
            imapd(s), stdin=b, stdout=b, stderr=open(s.log, "ab"),
            env={**os.environ, "PROTO": "TCP", "TCPREMOTEIP": "127.0.0.1"})
        b.close()
        a.sendall(sent)
        a.close()
        assert p.wait(20) == 0, sent


def test_configuration_errors(setup):
    s = setup
    s.conf.write_text("users = /x\nmax_line = lots\n")
    r = subprocess.run(imapd(s, "-t"), capture_output=True, text=True)
    assert r.returncode == 78
    assert f"{s.conf}:2: max_line is not a number" in r.stderr
    r = subprocess.run(imapd(s, "-T", "-o", "max_line=100k"),
                       capture_output=True, text=True)
    assert r.returncode == 78
    s.conf.write_text("users = /x\n")
    r = subprocess.run(imapd(s, "-T", "-o", "max_line=100k"),
                       capture_output=True, text=True)
    assert r.returncode == 0 and "max_line = 102400\n" in r.stdout


def test_forker_that_died(setup):
    """The listener serves on, and starts it again."""
    s = setup
    with running(s, imapd(s, "-l")) as p:
        for _ in range(2):
            out = subprocess.run(["pgrep", "-P", str(p.pid), "-f",
                                  "^imapd-(login|tls) -f"],
                                 capture_output=True, text=True).stdout
            assert len(out.split()) == 2
            for pid in out.split():
                os.kill(int(pid), signal.SIGKILL)
            time.sleep(0.2)
            work(s)
            work(s, tls=True)
            time.sleep(5.2)
            work(s)


def test_helper_that_crashes(setup):
    s = setup
    with running(s, [program("tcpserver"), "-HRl0", "127.0.0.1", s.port,
                     *imapd(s)]):
        c = s.connect()
        pid = subprocess.run(["pgrep", "-f", "^imapd-login$"],
                             capture_output=True, text=True).stdout.split()[-1]
        os.kill(int(pid), signal.SIGSYS)      # as seccomp does
        with pytest.raises((Closed, ConnectionError)):
            c.ok("NOOP")
        time.sleep(0.2)
        assert "helper-died" in s.log_text()


# ---- without root, and with few rights -------------------------------------

def unprivileged(s, *argv):
    """setpriv ... argv, as the mail users' uid and nobody else."""
    if os.geteuid() != 0:
        return list(argv)
    for path in (s.users, s.key, s.conf):
        os.chown(path, servers.MAIL_UID, servers.MAIL_GID)
    os.chown(s.dir / "run", servers.MAIL_UID, servers.MAIL_GID)
    return [program("setpriv"), f"--reuid={servers.MAIL_UID}",
            f"--regid={servers.MAIL_GID}", "--clear-groups", *argv]


def test_as_the_mail_user(setup):
    """Virtual users, no root anywhere: sandbox and all."""
    s = setup
    build = pathlib.Path(os.environ.get("IMAPD_BUILD", "."), "config.h")
    if build.exists() and "define WITH_SANDBOX" not in build.read_text():
        pytest.skip("built without sandbox")
    s.settings["sandbox"] = "require"
    s.write_conf()
    with running(s, unprivileged(s, *imapd(s, "-l"))):
        work(s)
        work(s, tls=True)
    assert "sandbox-" not in s.log_text()


def test_as_a_stranger(setup):
    """Started without root it can be nobody else."""
    s = setup
    s.users.write_text(s.joe.line().replace(
        f":{servers.MAIL_UID}:", ":12345:", 1))
    with running(s, unprivileged(s, *imapd(s, "-l"))):
        c = s.connect()
        with pytest.raises((Closed, AssertionError)):
            c.login(s.joe.name, s.joe.password)
            c.ok("NOOP")
        assert "session-failed" in s.log_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="root is started with less")
def test_capabilities_of_the_unit(setup):
    """What contrib/systemd leaves of root is enough."""
    s = setup
    unit = (CONTRIB / "systemd" / "imapd.service").read_text()
    (line,) = [x for x in unit.splitlines()
               if x.startswith("CapabilityBoundingSet=")]
    caps = ",".join("+" + c.lower().removeprefix("cap_")
                    for c in line.partition("=")[2].split())
    with running(s, [program("setpriv"), "--no-new-privs",
                     f"--bounding-set=-all,{caps}", *imapd(s, "-l")]):
        work(s)
        work(s, tls=True)
