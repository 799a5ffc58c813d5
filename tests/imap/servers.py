# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Servers under test, each in a directory of its own on ports of its own.

Imapd runs the installed tree that IMAPD_PREFIX names.  Dovecot is Debian's: the
peer on the same Maildir, and, with IMAPD_TEST_SERVER=dovecot, the referee that
tells whether a test asks for the right thing.
"""

import fcntl
import itertools
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from imapclient import Client
from maildirs import Maildir

PREFIX = pathlib.Path(os.environ.get("IMAPD_PREFIX", "/usr/local"))
IMAPD = PREFIX / "sbin" / "imapd"
# The mail users' uid: any that is nobody else's.
MAIL_UID = 5000 if os.geteuid() == 0 else os.geteuid()
MAIL_GID = 5000 if os.geteuid() == 0 else os.getegid()
PASSWORD = "pass word"


def _port_numbers():
    """Port numbers that nobody is given by chance.

    A port that the kernel has just called free is one that it may give to the
    next outgoing connection, of any of the tests that run meanwhile.  So ours
    lie below the range that it gives out.  A lock, held to the end, keeps a
    stretch of them for this process.
    """
    first, end, stretch = 12000, 32768, 400
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
            end = int(f.read().split()[0])
    except OSError:
        pass
    for start in range(first, end - stretch + 1, stretch):
        lock = open(pathlib.Path(tempfile.gettempdir(),
                                 f"imapd-test-ports.{start}"), "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        while True:
            yield from range(start, start + stretch)
    raise RuntimeError("no free stretch of ports")


_ports = _port_numbers()


def free_ports(n):
    """n ports of 127.0.0.1 that nobody listens at."""
    ports = []
    for port in itertools.islice(_ports, 1000):
        if len(ports) == n:
            return ports
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        ports.append(port)
    raise RuntimeError("no free ports")


def run_dir():
    """A directory that every uid may pass through."""
    d = pathlib.Path(tempfile.mkdtemp(prefix="imapd-test."))
    d.chmod(0o755)
    return d


def make_certificate(directory, name="localhost", kind="rsa", stem="server"):
    """A self-signed certificate and its key: (certificate, key)."""
    cert, key = directory / f"{stem}.crt", directory / f"{stem}.key"
    new = ["-newkey", "rsa:2048"] if kind == "rsa" else [
        "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-days", "30", *new,
         "-subj", f"/CN={name}",
         "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1",
         "-keyout", key, "-out", cert],
        check=True, capture_output=True)
    key.chmod(0o600)
    return cert, key


class Account:
    """A user and their mail."""

    def __init__(self, server, name):
        self.name, self.password = name, PASSWORD
        self.home = server.dir / "home" / name
        self.home.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(self.home, MAIL_UID, MAIL_GID)
        self.mail = Maildir(self.home / "Maildir", MAIL_UID, MAIL_GID)

    def line(self, extra="", password=None):
        password = password or "{PLAIN}" + self.password
        return (f"{self.name}:{password}:{MAIL_UID}:{MAIL_GID}::"
                f"{self.home}::{extra}\n")


class Server:
    """What both have in common: ports, accounts, start and stop."""

    def __init__(self, directory=None):
        self.dir = pathlib.Path(directory) if directory else run_dir()
        (self.dir / "home").mkdir(mode=0o755, exist_ok=True)
        self.port, self.tls_port = free_ports(2)
        self.cert, self.key = make_certificate(self.dir)
        self.log = self.dir / "log"
        self.process = None
        self.accounts = {}

    def account(self, name, extra="", password=None):
        a = self.accounts[name] = Account(self, name)
        self.add_user(a, extra, password)
        return a

    def add_user(self, account, extra, password):
        raise NotImplementedError

    def connect(self, tls=False, **kw):
        if tls:
            return Client.tls("127.0.0.1", self.tls_port, **kw)
        return Client.tcp("127.0.0.1", self.port, **kw)

    def login(self, account, **kw):
        c = self.connect(**kw)
        c.login(account.name, account.password)
        return c

    def wait(self):
        until = time.monotonic() + 10
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as s:
                    if s.recv(4) == b"* OK":
                        return
            except OSError:
                pass
            if self.process and self.process.poll() is not None:
                raise RuntimeError(f"ended: {self.log_text()}")
            if time.monotonic() > until:
                raise RuntimeError(f"does not serve: {self.log_text()}")
            time.sleep(0.02)

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def stop(self):
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise RuntimeError("did not end at SIGTERM") from None
            finally:
                self.process = None

    def remove(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)


class Imapd(Server):
    """imapd -l with a users file."""

    def __init__(self, directory=None, config=None):
        super().__init__(directory)
        self.users = self.dir / "users"
        self.users.write_text("")
        self.users.chmod(0o600)
        self.conf = self.dir / "imapd.conf"
        self.settings = {
            "listen": f"imap:127.0.0.1:{self.port} "
                      f"imaps:127.0.0.1:{self.tls_port}",
            "run_directory": self.dir / "run",
            "users": self.users,
            "mail": "maildir:%h/Maildir",
            "tls_cert": self.cert,
            "tls_key": self.key,
            "log": "stderr",
            # Tests open far more connections from one address than people.
            "max_connections_user": 1000,
            "max_connections_address": 1000,
            **(config or {}),
        }
        (self.dir / "run").mkdir(mode=0o700, exist_ok=True)
        self.write_conf()

    def write_conf(self):
        self.conf.write_text("".join(
            f"{k} = {v}\n" for k, v in self.settings.items()))

    def add_user(self, account, extra, password):
        # Replaced by rename, as an administrator's tool does.
        new = self.users.with_suffix(".new")
        new.write_text(self.users.read_text() + account.line(extra, password))
        new.chmod(0o600)
        new.rename(self.users)

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [IMAPD, "-c", self.conf, "-l"], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)
        self.wait()
        return self

    def pipe_argv(self, account):
        return imapd_pipe_argv(account.mail.root)


def as_mail_user():
    """Popen arguments for a process that runs as the mail's owner."""
    if os.geteuid() != 0:
        return {}
    return {"user": MAIL_UID, "group": MAIL_GID, "extra_groups": []}


def imapd_pipe_argv(root):
    """imapd as mutt's tunnel starts it: greets with PREAUTH."""
    return [IMAPD, "-d", root]


DOVECOT_CONF = """\
base_dir = {dir}/dovecot
state_dir = {dir}/dovecot
log_path = {dir}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{cert}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain login scram-sha-1 scram-sha-256
mail_location = maildir:~/Maildir
mail_max_userip_connections = 0
first_valid_uid = 1
default_process_limit = 1000
default_client_limit = 4000
namespace inbox {{
  inbox = yes
  separator = /
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={dir}/home/%u
}}
{extra}
"""


class Dovecot(Server):
    """Debian's Dovecot: any user, one password, the same homes."""

    def __init__(self, directory=None, extra=""):
        super().__init__(directory)
        self.conf = self.dir / "dovecot.conf"
        self.conf.write_text(DOVECOT_CONF.format(
            dir=self.dir, cert=self.cert, key=self.key, port=self.port,
            tls_port=self.tls_port, uid=MAIL_UID, gid=MAIL_GID,
            password=PASSWORD.replace(" ", "_"), extra=extra))

    def add_user(self, account, extra, password):
        # A blank would end the argument of the static driver.
        account.password = PASSWORD.replace(" ", "_")

    def start(self):
        self.process = subprocess.Popen(
            ["/usr/sbin/dovecot", "-F", "-c", self.conf],
            stdin=subprocess.DEVNULL)
        self.wait()
        return self

    def pipe_argv(self, account):
        return dovecot_pipe_argv(account.mail.root, account.home)

    def doveadm(self, *args):
        return subprocess.run(["doveadm", "-c", self.conf, *args], check=True,
                              capture_output=True).stdout.decode()


def dovecot_pipe_argv(root, home):
    """Dovecot's imap without its login, on any Maildir."""
    conf = pathlib.Path(home) / "dovecot-pipe.conf"
    if not conf.exists():
        conf.write_text(
            f"mail_location = maildir:{root}\n"
            f"mail_home = {home}\n"
            f"log_path = {home}/dovecot-pipe.log\n"
            "ssl = no\nstats_writer_socket_path =\n"
            f"mail_uid = {MAIL_UID}\nmail_gid = {MAIL_GID}\n"
            "first_valid_uid = 1\n"
            "namespace inbox {\n  inbox = yes\n  separator = /\n}\n")
        conf.chmod(0o644)
    return ["env", f"USER={MAIL_UID}", f"HOME={home}",
            "/usr/lib/dovecot/imap", "-c", conf]


def stop_gently(process):
    """End a process that a test started."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
