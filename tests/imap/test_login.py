# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Greeting, LOGIN, AUTHENTICATE, STARTTLS, LOGOUT."""

import base64
import hashlib
import hmac
import os
import re
import ssl
import subprocess
import time

import pytest

from imapclient import Client, Closed, insecure
from servers import PASSWORD, as_mail_user


def b64(s):
    return base64.b64encode(s if isinstance(s, bytes) else s.encode()).decode()


def plain(account, authzid=""):
    return b64(f"{authzid}\0{account.name}\0{account.password}")


# ---- greeting, CAPABILITY, ID, NOOP ----------------------------------------

def test_greeting_has_capabilities(connect):
    g = connect().greeting
    assert g.status == "OK" and g.code == "CAPABILITY"
    caps = {str(x) for x in g.data}
    assert {"IMAP4rev1", "STARTTLS", "LITERAL+", "SASL-IR", "ID"} <= caps


def test_capability_equals_greeting(connect):
    c = connect()
    assert {str(x).upper() for x in c.greeting.data} == c.capability()


def test_no_starttls_inside_tls(connect):
    c = connect(tls=True)
    assert "STARTTLS" not in c.capability()
    r = c.cmd("STARTTLS")
    assert r.status in ("NO", "BAD")
    c.ok("NOOP")


def test_capability_after_login_differs(connect, account):
    c = connect()
    r = c.login(account.name, account.password)
    assert r.code == "CAPABILITY"
    caps = {str(x).upper() for x in r.done.data}
    assert caps == c.capability()
    assert not {x for x in caps if x.startswith("AUTH=")}
    assert "STARTTLS" not in caps and "LOGINDISABLED" not in caps
    assert {"IMAP4REV1", "IDLE", "UIDPLUS", "MOVE", "NAMESPACE", "UNSELECT",
            "ENABLE", "LITERAL+"} <= caps


def test_noop_and_id_before_login(connect):
    c = connect()
    c.ok("NOOP")
    r = c.ok('ID ("name" "test" "version" "1")')
    assert r.one("ID")
    c.ok("ID NIL")


def test_logout_before_login(connect):
    r = connect().logout()
    assert r.untagged[0].status == "BYE"


@pytest.mark.parametrize("command", [
    "SELECT INBOX", "EXAMINE INBOX", 'LIST "" *', "FETCH 1 FLAGS", "CLOSE",
    "STATUS INBOX (MESSAGES)", "SEARCH ALL", "EXPUNGE", "CREATE x",
    "APPEND INBOX {3+}\r\nabc", "IDLE", "NAMESPACE", "UID FETCH 1 FLAGS",
])
def test_nothing_before_login(connect, command):
    c = connect()
    assert c.cmd(command).status in ("BAD", "NO")
    c.ok("NOOP")


# ---- LOGIN -----------------------------------------------------------------

def test_login_quoted(login):
    assert login().ok("NOOP")


def test_login_literals(connect, account):
    c = connect()
    r = c.ok("LOGIN", account.name.encode(), account.password.encode())
    assert r.status == "OK"


def test_login_nonsync_literals(connect, account):
    c = connect()
    c.send("a LOGIN {%d+}\r\n%s {%d+}\r\n%s\r\n" % (
        len(account.name), account.name,
        len(account.password), account.password))
    assert c.tagged("a").status == "OK"


def test_login_wrong_password(connect, account):
    c = connect()
    r = c.no(f'LOGIN {account.name} "wrong"')
    assert r.code == "AUTHENTICATIONFAILED"
    c.login(account.name, account.password)


@pytest.mark.imapd
def test_unknown_user_and_wrong_password_look_alike(connect, account):
    answers, seconds = [], []
    for user in (account.name, "nobody-of-that-name"):
        c = connect()
        t = time.monotonic()
        r = c.no(f'LOGIN {user} "wrong"')
        seconds.append(time.monotonic() - t)
        answers.append((r.code, r.text))
    assert answers[0] == answers[1]
    assert abs(seconds[0] - seconds[1]) < 0.5


@pytest.mark.imapd
def test_three_failures_then_bye(connect, account):
    c = connect()
    t = time.monotonic()
    for _ in range(3):
        c.send(f'x LOGIN {account.name} "wrong"\r\n')
        assert c.tagged("x").status == "NO"
    assert time.monotonic() - t > 1, "no growing delay"
    assert c.is_closed()
    assert c.log[-1].status == "BYE"


def test_login_twice(client, account):
    client.bad(f'LOGIN {account.name} "{account.password}"')
    client.ok("NOOP")


@pytest.mark.parametrize("name", [
    "../../etc/passwd", "a/b", "..", "x\x7f", "a:b", "#", "",
])
def test_strange_user_names(connect, name):
    c = connect()
    assert c.cmd("LOGIN", name.encode(), b"pass").status in ("NO", "BAD")


@pytest.mark.imapd
def test_login_with_nul_is_bad(connect):
    c = connect()
    c.send(b"a LOGIN {3+}\r\na\0b {1+}\r\nx\r\n")
    assert c.tagged("a").status in ("BAD", "NO")
    c.ok("NOOP")


# ---- AUTHENTICATE ----------------------------------------------------------

def test_plain(connect, account):
    c = connect(tls=True)
    c.send("a AUTHENTICATE PLAIN\r\n")
    assert c.read().tag == "+"
    c.send(plain(account) + "\r\n")
    assert c.tagged("a").status == "OK"


def test_plain_with_initial_response(connect, account):
    c = connect(tls=True)
    c.ok(f"AUTHENTICATE PLAIN {plain(account)}")


def test_plain_with_authzid(connect, account):
    c = connect(tls=True)
    c.ok(f"AUTHENTICATE PLAIN {plain(account, account.name)}")


def test_plain_as_somebody_else(connect, account, new_account):
    other = new_account()
    c = connect(tls=True)
    c.no(f"AUTHENTICATE PLAIN {plain(account, other.name)}")


def test_login_mechanism(connect, account):
    c = connect(tls=True)
    c.send("a AUTHENTICATE LOGIN\r\n")
    for answer in (account.name, account.password):
        assert c.read().tag == "+"
        c.send(b64(answer) + "\r\n")
    assert c.tagged("a").status == "OK"


def test_authenticate_cancelled(connect, account):
    c = connect(tls=True)
    c.send("a AUTHENTICATE PLAIN\r\n")
    assert c.read().tag == "+"
    c.send("*\r\n")
    assert c.tagged("a").status == "BAD"
    c.login(account.name, account.password)


@pytest.mark.parametrize("junk", ["!!!!", "AGE", "====", "AG E=", "A", ""])
def test_authenticate_bad_base64(connect, junk):
    c = connect(tls=True)
    c.send("a AUTHENTICATE PLAIN\r\n")
    assert c.read().tag == "+"
    c.send(f"{junk}\r\n")
    assert c.tagged("a").status in ("BAD", "NO")
    c.ok("NOOP")


@pytest.mark.parametrize("mechanism", ["NTLM", "X", "KERBEROS_V4"])
def test_unknown_mechanism(connect, mechanism):
    c = connect(tls=True)
    assert c.cmd(f"AUTHENTICATE {mechanism}").status in ("NO", "BAD")
    c.ok("NOOP")


class Scram:
    """RFC 5802, the client's side, with channel binding."""

    def __init__(self, name, user, password, binding=None):
        self.hash = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256",
                     "SCRAM-SHA-512": "sha512"}[name.removesuffix("-PLUS")]
        self.password = password
        if binding:
            kind, self.cb = binding
            self.gs2 = f"p={kind},,"
        else:
            self.gs2, self.cb = "n,,", b""
        self.nonce = base64.b64encode(os.urandom(12)).decode()
        user = user.replace("=", "=3D").replace(",", "=2C")
        self.first_bare = f"n={user},r={self.nonce}"

    def first(self):
        return self.gs2 + self.first_bare

    def final(self, server_first):
        f = dict(x.split("=", 1) for x in server_first.split(","))
        assert f["r"].startswith(self.nonce) and f["r"] != self.nonce
        assert int(f["i"]) >= 4096
        salted = hashlib.pbkdf2_hmac(
            self.hash, self.password.encode(), base64.b64decode(f["s"]),
            int(f["i"]))
        bare = f"c={b64(self.gs2.encode() + self.cb)},r={f['r']}"
        auth = f"{self.first_bare},{server_first},{bare}".encode()

        def mac(key, data):
            return hmac.digest(key, data, self.hash)
        key = mac(salted, b"Client Key")
        stored = hashlib.new(self.hash, key).digest()
        proof = bytes(a ^ b for a, b in zip(key, mac(stored, auth)))
        self.signature = mac(mac(salted, b"Server Key"), auth)
        return f"{bare},p={b64(proof)}"

    def run(self, c, name):
        """The tagged answer."""
        c.send(f"a AUTHENTICATE {name} {b64(self.first())}\r\n")
        r = c.read()
        if r.tag != "+":
            return r
        server_first = base64.b64decode(r.text).decode()
        c.send(b64(self.final(server_first)) + "\r\n")
        r = c.read()
        if r.tag != "+":
            return r
        proof = base64.b64decode(r.text).decode()
        assert proof == "v=" + b64(self.signature), "server not proven"
        c.send("\r\n")
        return c.tagged("a").done


@pytest.mark.parametrize("name", [
    "SCRAM-SHA-1", "SCRAM-SHA-256",
    pytest.param("SCRAM-SHA-512", marks=pytest.mark.imapd)])
def test_scram(connect, account, name):
    c = connect(tls=True)
    assert f"AUTH={name}" in c.capability()
    r = Scram(name, account.name, account.password).run(c, name)
    assert r.status == "OK", r
    c.ok("SELECT INBOX")


@pytest.mark.imapd
@pytest.mark.parametrize("nets, status", [("127.0.0.0/8", "OK"),
                                          ("192.0.2.0/24", "NO")])
def test_scram_from_where(connect, new_account, nets, status):
    """Who may come from where is asked at the end of the conversation."""
    account = new_account(f"allow_nets={nets}")
    c = connect(tls=True)
    r = Scram("SCRAM-SHA-256", account.name, account.password).run(
        c, "SCRAM-SHA-256")
    assert r.status == status


@pytest.mark.parametrize("name", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_scram_wrong_password(connect, account, name):
    c = connect(tls=True)
    r = Scram(name, account.name, "wrong").run(c, name)
    assert r.status == "NO"
    c.login(account.name, account.password)


@pytest.mark.imapd
def test_scram_unknown_user_goes_on_alike(connect):
    c = connect(tls=True)
    r = Scram("SCRAM-SHA-256", "nobody-here", "x").run(c, "SCRAM-SHA-256")
    assert r.status == "NO"


def certificate_hash(sock):
    return hashlib.sha256(sock.getpeercert(True)).digest()


@pytest.mark.imapd
@pytest.mark.parametrize("name", [
    "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512-PLUS"])
def test_scram_plus_server_end_point(connect, account, name):
    c = connect(tls=True)
    assert f"AUTH={name}" in c.capability()
    binding = ("tls-server-end-point", certificate_hash(c.sock))
    r = Scram(name, account.name, account.password, binding).run(c, name)
    assert r.status == "OK", r


@pytest.mark.imapd
def test_scram_plus_tls_exporter(server, account):
    """Python's ssl has no exporter: openssl s_client prints the key."""
    p = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{server.tls_port}",
         "-tls1_3", "-keymatexport", "EXPORTER-Channel-Binding",
         "-keymatexportlen", "32", "-ign_eof", "-nocommands"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, bufsize=0)
    seen = b""
    while b"* OK " not in seen or not seen.endswith(b"\r\n"):
        b = p.stdout.read(4096)
        assert b, seen
        seen += b
    key = re.search(rb"Keying material: ([0-9A-F]{64})", seen).group(1)

    try:
        c = Client(p.stdout.read, p.stdin.write, lambda: None)
        s = Scram("SCRAM-SHA-256-PLUS", account.name, account.password,
                  ("tls-exporter", bytes.fromhex(key.decode())))
        r = s.run(c, "SCRAM-SHA-256-PLUS")
        assert r.status == "OK", r
    finally:
        p.kill()
        p.wait()


@pytest.mark.imapd
def test_scram_plus_wrong_binding(connect, account):
    c = connect(tls=True)
    name = "SCRAM-SHA-256-PLUS"
    r = Scram(name, account.name, account.password,
              ("tls-server-end-point", b"\0" * 32)).run(c, name)
    assert r.status == "NO"


@pytest.mark.imapd
def test_scram_downgrade_is_noticed(connect, account):
    """gs2 flag y: the client could bind and believes that we cannot."""
    c = connect(tls=True)
    s = Scram("SCRAM-SHA-256", account.name, account.password)
    s.gs2 = "y,,"
    assert s.run(c, "SCRAM-SHA-256").status == "NO"


@pytest.mark.imapd
def test_no_plus_in_plain(connect):
    assert not [x for x in connect().capability() if x.endswith("-PLUS")]


# ---- clear text ------------------------------------------------------------

@pytest.mark.imapd
def test_plain_text_disabled(make_server):
    s = make_server({"plaintext_networks": "10.255.0.0/16"})
    a = s.account("u")
    c = s.connect()
    caps = {str(x) for x in c.greeting.data}
    assert "LOGINDISABLED" in caps
    assert "AUTH=PLAIN" not in caps and "AUTH=LOGIN" not in caps
    r = c.no(f'LOGIN u "{a.password}"')
    assert r.code == "PRIVACYREQUIRED"
    r = c.cmd(f"AUTHENTICATE PLAIN {plain(a)}")
    assert r.status in ("NO", "BAD")
    c.starttls()
    assert "LOGINDISABLED" not in c.capability()
    c.login("u", a.password)


# ---- STARTTLS --------------------------------------------------------------

def test_starttls(connect, account):
    c = connect()
    c.starttls()
    assert "STARTTLS" not in c.capability()
    c.login(account.name, account.password)
    c.ok("SELECT INBOX")


def test_starttls_injection(connect, account):
    """What was pipelined behind STARTTLS in clear text is thrown away."""
    c = connect()
    c.send("s STARTTLS\r\n"
           f'x LOGIN {account.name} "{account.password}"\r\n'
           "y CAPABILITY\r\n")
    assert c.tagged("s").status == "OK"
    assert not c.buf, "answered in clear text behind STARTTLS"
    try:
        c.sock = insecure().wrap_socket(c.sock, server_hostname="localhost")
    except (ssl.SSLError, ConnectionError):
        return      # taken for the handshake: refused, which is as good
    c._read, c._write = c.sock.recv, c.sock.sendall
    r = c.cmd("NOOP")
    assert r.status == "OK"
    assert not r.untagged, f"the injected command was run: {r}"
    assert c.cmd("SELECT INBOX").status in ("NO", "BAD"), "logged in"


def test_starttls_after_login(client):
    assert client.cmd("STARTTLS").status in ("BAD", "NO")
    client.ok("NOOP")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_tls_refused(server):
    ctx = insecure()
    ctx.set_ciphers("ALL:@SECLEVEL=0")
    ctx.minimum_version = ssl.TLSVersion.TLSv1
    ctx.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError, Closed)):
        server.connect(tls=True, context=ctx)


@pytest.mark.imapd
@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_resumption_across_processes(server, account, version):
    """Each connection is a process of its own; tickets still work."""
    ctx = insecure()
    v = getattr(ssl.TLSVersion, version)
    ctx.minimum_version = ctx.maximum_version = v
    c = server.connect(tls=True, context=ctx)
    c.login(account.name, account.password)     # TLS 1.3 tickets come late
    session = c.sock.session
    c.logout()
    c = server.connect(tls=True, context=ctx, session=session)
    assert c.sock.session_reused
    c.login(account.name, account.password)
    c.logout()


# ---- the pipe --------------------------------------------------------------

def test_preauth(server, account):
    account.mail.deliver()
    with Client.pipe(server.pipe_argv(account), **as_mail_user()) as c:
        assert c.greeting.status == "PREAUTH"
        assert c.ok("SELECT INBOX").exists() == 1
        c.bad(f'LOGIN x "{PASSWORD}"')
        c.ok("LOGOUT")


def test_handed_over_bytes(connect, account):
    """Commands pipelined behind LOGIN are not lost at the handover."""
    account.mail.deliver()
    c = connect()
    c.send(f'a LOGIN {account.name} "{account.password}"\r\n'
           "b SELECT INBOX\r\nc FETCH 1 (UID)\r\nd LOGOUT\r\n")
    assert c.tagged("a").status == "OK"
    assert c.tagged("b").exists() == 1
    assert c.tagged("c").fetch()[1]["UID"] == 1
    assert c.tagged("d").status == "OK"


def test_handed_over_half_a_command(connect, account):
    c = connect()
    c.send(f'a LOGIN {account.name} "{account.password}"\r\nb APPEND INBOX {{5')
    assert c.tagged("a").status == "OK"
    c.send("}\r\n")
    assert c.read().tag == "+"
    c.send("a: b\n\r\n")
    assert c.tagged("b").status == "OK"


def test_handed_over_bytes_in_tls(connect, account):
    c = connect(tls=True)
    c.send(f'a LOGIN {account.name} "{account.password}"\r\n'
           "b SELECT INBOX\r\nc LOGOUT\r\n")
    assert [c.tagged(t).status for t in "abc"] == ["OK"] * 3
