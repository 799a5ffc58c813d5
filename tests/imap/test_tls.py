# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""TLS: certificates, names, tickets, client certificates, the relay.

As a listener (whose imapd-tls is started once) and as a process for each
connection (tcpserver): both must do the same.
"""

import contextlib
import hashlib
import os
import re
import shutil
import socket
import ssl
import subprocess
import time

import pytest

import servers
from imapclient import Client, Closed

pytestmark = pytest.mark.imapd()


def tcpserver(s):
    path = shutil.which("tcpserver")
    if not path:
        pytest.skip("tcpserver is not here")
    return [path, "-HRl0", "-c", "100", "127.0.0.1", str(s.tls_port),
            str(servers.IMAPD), "-S", "-c", str(s.conf)]


@pytest.fixture(params=("listener", "tcpserver"))
def make(request, make_server):
    """make(config) -> a server, started one way or the other."""
    running = []

    def make(config=None):
        s = make_server(config, start=False)
        s.joe = s.account("joe")
        argv = tcpserver(s) if request.param == "tcpserver" else \
            [str(servers.IMAPD), "-l", "-c", str(s.conf)]
        with open(s.log, "ab") as log:
            running.append(subprocess.Popen(argv, stdout=log, stderr=log))
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", s.tls_port), 1).close()
                break
            time.sleep(0.02)
        return s
    yield make
    for p in running:
        p.terminate()
        p.wait(10)


def context(**kw):
    ctx = ssl.create_default_context()
    ctx.check_hostname = False
    ctx.verify_mode = ssl.CERT_NONE
    for k, v in kw.items():
        setattr(ctx, k, v)
    return ctx


def connect(s, ctx=None, **kw):
    return Client.tls("127.0.0.1", s.tls_port, ctx or context(), **kw)


def fingerprint(client):
    return hashlib.sha256(client.sock.getpeercert(True)).hexdigest()


def fingerprint_of(pem):
    text = open(pem).read()
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(
        re.search(r"(?s)-----BEGIN CERT.*?END CERTIFICATE-----",
                  text).group())).hexdigest()


def s_client(s, *options, send=b""):
    return subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{s.tls_port}",
         *options], input=send, capture_output=True, timeout=20)


# ---- certificates ----------------------------------------------------------

def test_rsa_and_ecdsa(make_server, make):
    s = make_server(start=False)
    d = s.dir
    rsa = servers.make_certificate(d, kind="rsa", stem="rsa")
    ec = servers.make_certificate(d, kind="ec", stem="ec")
    s = make({"tls_cert": f"{rsa[0]} {ec[0]}", "tls_key": f"{rsa[1]} {ec[1]}"})
    for auth, pem in (("ECDHE-RSA-AES128-GCM-SHA256", rsa[0]),
                      ("ECDHE-ECDSA-AES128-GCM-SHA256", ec[0])):
        ctx = context(maximum_version=ssl.TLSVersion.TLSv1_2)
        ctx.set_ciphers(auth)
        c = connect(s, ctx)
        assert fingerprint(c) == fingerprint_of(pem)
        c.login(s.joe.name, s.joe.password)
        c.ok("LOGOUT")


def test_names(make_server, make):
    d = servers.run_dir() / "certs"
    for name in ("default", "one.example.org", "*.two.example.org"):
        (d / name).mkdir(parents=True)
        servers.make_certificate(d / name, name=name, stem="x")
        (d / name / "x.crt").rename(d / name / "fullchain.pem")
        (d / name / "x.key").rename(d / name / "privkey.pem")
    s = make({"tls_directory": d, "tls_cert": "", "tls_key": ""})
    wanted = {"one.example.org": "one.example.org",
              "ONE.Example.Org": "one.example.org",
              "mail.two.example.org": "*.two.example.org",
              "other.example.org": "default",
              "default.example": "default", "..": "default"}
    for name, directory in wanted.items():
        with contextlib.suppress(ssl.SSLError, ValueError, UnicodeError):
            c = connect(s, server_name=name)
            assert fingerprint(c) == fingerprint_of(
                d / directory / "fullchain.pem"), name
            c.ok("LOGOUT")
    # A new host needs no restart.
    (d / "new.example.org").mkdir()
    servers.make_certificate(d / "new.example.org", stem="x")
    (d / "new.example.org/x.crt").rename(d / "new.example.org/fullchain.pem")
    (d / "new.example.org/x.key").rename(d / "new.example.org/privkey.pem")
    c = connect(s, server_name="new.example.org")
    assert fingerprint(c) == fingerprint_of(
        d / "new.example.org/fullchain.pem")
    shutil.rmtree(d.parent)


def test_rsa_and_ecdsa_of_a_name(make):
    d = servers.run_dir() / "certs"
    for name in ("default", "one.example.org"):
        (d / name).mkdir(parents=True)
        for kind, end in (("rsa", ""), ("ec", "-ecdsa")):
            cert, key = servers.make_certificate(d / name, name, kind)
            cert.rename(d / name / f"fullchain{end}.pem")
            key.rename(d / name / f"privkey{end}.pem")
    s = make({"tls_directory": d, "tls_cert": "", "tls_key": ""})
    for server_name, name in (("one.example.org", "one.example.org"),
                              ("other.example.org", "default")):
        for kind, end in (("RSA", ""), ("ECDSA", "-ecdsa")):
            ctx = context(maximum_version=ssl.TLSVersion.TLSv1_2)
            ctx.set_ciphers(f"ECDHE-{kind}-AES128-GCM-SHA256")
            c = connect(s, ctx, server_name=server_name)
            assert fingerprint(c) == fingerprint_of(
                d / name / f"fullchain{end}.pem")
            c.ok("LOGOUT")
    shutil.rmtree(d.parent)


def test_renewal(make):
    s = make()
    old = fingerprint(connect(s))
    running = connect(s)
    running.login(s.joe.name, s.joe.password)
    cert, key = servers.make_certificate(s.dir, stem="new")
    key.rename(s.key)
    cert.rename(s.cert)
    new = fingerprint(connect(s))
    assert new == fingerprint_of(s.cert) != old
    running.ok("NOOP")


def test_key_of_another(make):
    """Refused cleanly, logged, and well again when the files are."""
    s = make()
    good = s.key.read_bytes()
    _, other = servers.make_certificate(s.dir, stem="other")
    s.key.write_bytes(other.read_bytes())
    with pytest.raises((OSError, ssl.SSLError, Closed)):
        connect(s)
    assert "certificate-bad" in s.log_text()
    assert "private key mismatch" in s.log_text()
    s.key.write_bytes(good)
    connect(s).ok("LOGOUT")


def test_replaced_in_the_middle(make):
    """The instant between the two renames of a renewal costs a pause."""
    s = make()
    cert, key = servers.make_certificate(s.dir, stem="new")
    key.rename(s.key)
    p = subprocess.Popen(["sh", "-c", f"sleep 0.1; mv {cert} {s.cert}"])
    c = connect(s)
    p.wait()
    assert fingerprint(c) == fingerprint_of(s.cert)


def test_expiry_is_logged(make_server, make):
    s = make_server(start=False)
    subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-days", "3", "-newkey",
         "rsa:2048", "-subj", "/CN=x", "-keyout", s.dir / "k", "-out",
         s.dir / "c"], check=True, capture_output=True)
    s = make({"tls_cert": s.dir / "c", "tls_key": s.dir / "k"})
    connect(s).ok("LOGOUT")
    assert re.search(r"certificate-expiry .*days=[23]\b", s.log_text())


def make_ocsp(s, cert, key):
    """A response of the certificate's own, beside it.  openssl asks for
    nothing but an index, which may be empty."""
    (s.dir / "index").write_text("")
    subprocess.run(["openssl", "ocsp", "-issuer", cert, "-cert", cert,
                    "-reqout", s.dir / "req"], check=True, capture_output=True)
    subprocess.run(["openssl", "ocsp", "-index", s.dir / "index", "-CA", cert,
                    "-rsigner", cert, "-rkey", key, "-reqin", s.dir / "req",
                    "-respout", f"{cert}.new", "-ndays", "7"],
                   check=True, capture_output=True)
    os.rename(f"{cert}.new", f"{cert}.ocsp")


def stapled(s, *options):
    """What `openssl s_client -status` says of the response."""
    out = s_client(s, "-status", *options, send=b"a LOGOUT\r\n").stdout
    m = re.search(rb"OCSP Response Status: (\w+)", out)
    return m and m.group(1)


def test_ocsp(make):
    """A response comes, and goes, without the certificate being touched."""
    s = make()
    assert stapled(s) is None
    make_ocsp(s, s.cert, s.key)
    assert stapled(s) == b"successful"
    os.unlink(f"{s.cert}.ocsp")
    assert stapled(s) is None


def test_ocsp_of_a_name(make):
    d = servers.run_dir() / "certs"
    for name in ("default", "one.example.org"):
        (d / name).mkdir(parents=True)
        for made, end in zip(servers.make_certificate(d / name, name=name),
                             ("fullchain.pem", "privkey.pem")):
            made.rename(d / name / end)
    s = make({"tls_directory": d, "tls_cert": "", "tls_key": ""})
    one = ("-servername", "one.example.org")
    make_ocsp(s, d / "one.example.org/fullchain.pem",
              d / "one.example.org/privkey.pem")
    assert stapled(s, *one) == b"successful"
    assert stapled(s) is None
    make_ocsp(s, d / "default/fullchain.pem", d / "default/privkey.pem")
    assert stapled(s) == b"successful"
    shutil.rmtree(d.parent)


# ---- policy ----------------------------------------------------------------

def test_alpn(make):
    s = make()
    ctx = context()
    ctx.set_alpn_protocols(["imap"])
    assert connect(s, ctx).sock.selected_alpn_protocol() == "imap"
    ctx.set_alpn_protocols(["http/1.1"])
    with pytest.raises(ssl.SSLError):
        connect(s, ctx)
    assert connect(s).sock.selected_alpn_protocol() is None


def test_versions(make):
    s = make()
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        c = connect(s, context(minimum_version=version,
                               maximum_version=version))
        c.login(s.joe.name, s.joe.password)
        c.ok("LOGOUT")
    assert s_client(s, "-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0") \
        .returncode != 0


def test_legacy(make):
    s = make({"tls_legacy": "yes"})
    for option, version in (("-tls1", b"TLSv1"), ("-tls1_1", b"TLSv1.1"),
                            ("-tls1_2", b"TLSv1.2")):
        r = s_client(s, option, "-cipher", "DEFAULT:@SECLEVEL=0", "-ign_eof",
                     send=b"a LOGOUT\r\n")
        assert re.search(rb"Protocol *: %b\n" % re.escape(version), r.stdout)
        assert b"* OK [CAPABILITY" in r.stdout and b"a OK" in r.stdout


def test_plain_text_on_the_tls_port(make):
    s = make()
    sock = socket.create_connection(("127.0.0.1", s.tls_port), 10)
    sock.sendall(b"a1 LOGIN joe secret\r\n")
    data = b""
    with contextlib.suppress(ConnectionError):
        while more := sock.recv(4096):
            data += more
    assert b"OK" not in data
    assert "tls-failed" in s.log_text()
    assert "auth-failed" not in s.log_text()


# ---- resumption ------------------------------------------------------------

@pytest.mark.parametrize("version", (ssl.TLSVersion.TLSv1_2,
                                     ssl.TLSVersion.TLSv1_3))
def test_resumption(make, version):
    """From one process to the next: the keys are in the run directory."""
    s = make()
    ctx = context(minimum_version=version, maximum_version=version)
    session = None
    for i in range(3):
        c = connect(s, ctx, session=session)
        assert c.sock.session_reused == (i > 0)
        c.login(s.joe.name, s.joe.password)
        session = c.sock.session
        c.ok("LOGOUT")
    assert " resumed" in s.log_text()
    assert (s.dir / "run" / "ticket-keys").stat().st_mode & 0o777 == 0o600


def test_tickets_survive_their_key(make):
    """A key that has been replaced once still opens its tickets."""
    s = make({"tls_ticket_lifetime": "2s"})
    ctx = context()
    c = connect(s, ctx)
    c.ok("NOOP")
    session = c.sock.session
    time.sleep(2.2)
    connect(s, ctx).ok("NOOP")          # makes a new key
    c = connect(s, ctx, session=session)
    assert c.sock.session_reused


def test_tickets_end(make):
    """Also when nobody came meanwhile to replace the key."""
    s = make({"tls_ticket_lifetime": "1s"})
    ctx = context()
    c = connect(s, ctx)
    c.ok("NOOP")
    session = c.sock.session
    time.sleep(3.1)
    assert not connect(s, ctx, session=session).sock.session_reused


def test_lifetime_that_clients_are_told(make):
    """As long as the keys: a mail program comes back in the evening."""
    s = make()
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        c = connect(s, context(minimum_version=version,
                               maximum_version=version))
        c.ok("NOOP")
        assert c.sock.session.ticket_lifetime_hint == 24 * 3600


def test_no_tickets(make):
    s = make({"tls_ticket_lifetime": "0"})
    ctx = context()
    c = connect(s, ctx)
    c.ok("NOOP")
    c = connect(s, ctx, session=c.sock.session)
    assert not c.sock.session_reused


def test_without_run_directory(make):
    """Nothing in it is needed."""
    s = make({"run_directory": "/proc/nowhere"})
    c = connect(s)
    c.login(s.joe.name, s.joe.password)
    c.ok("LOGOUT")


# ---- client certificates ---------------------------------------------------

def client_certificate(d, mail, stem, ca=None, days=3):
    key, csr, crt = (d / f"{stem}.{x}" for x in ("key", "csr", "crt"))
    ext = ["-addext", f"subjectAltName=email:{mail}"] if mail else []
    if ca is None:
        subprocess.run(
            ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048",
             "-subj", f"/CN={stem}", *ext, "-keyout", key, "-out", crt],
            check=True, capture_output=True)
        return crt, key
    subprocess.run(
        ["openssl", "req", "-nodes", "-newkey", "rsa:2048", "-subj",
         f"/CN={stem}", *ext, "-keyout", key, "-out", csr],
        check=True, capture_output=True)
    subprocess.run(
        ["openssl", "x509", "-req", "-in", csr, "-CA", ca[0], "-CAkey", ca[1],
         "-CAcreateserial", "-copy_extensions", "copy", "-days", str(days),
         "-out", crt], check=True, capture_output=True)
    return crt, key


@pytest.fixture(scope="module")
def clients():
    d = servers.run_dir()
    ca = client_certificate(d, None, "ca")
    (d / "false").mkdir()
    same_name = client_certificate(d / "false", None, "ca")
    yield {"ca": ca,
           "other ca": same_name,
           "expired": client_certificate(d, None, "late", ca, days=-1),
           "forged": client_certificate(d / "false", None, "joe", same_name),
           "joe": client_certificate(d, None, "joe", ca),
           "mail": client_certificate(d, "joe@example.org", "xyz", ca),
           "stranger": client_certificate(d, None, "joe2")}
    shutil.rmtree(d)


def with_certificate(pair):
    ctx = context()
    ctx.load_cert_chain(*map(str, pair))
    return ctx


@pytest.mark.parametrize("who, user", (("joe", "joe"),
                                       ("mail", "joe@example.org")))
def test_external(make, clients, who, user):
    s = make({"tls_client_ca": clients["ca"][0]})
    if user != "joe":
        s.account(user)
    c = connect(s, with_certificate(clients[who]))
    assert "AUTH=EXTERNAL" in c.capability()
    c.ok("AUTHENTICATE EXTERNAL =")
    c.ok("SELECT INBOX")
    c.logout()
    assert f"user={user}" in s.log_text()


def test_external_as_another(make, clients):
    s = make({"tls_client_ca": clients["ca"][0]})
    s.account("jane")
    c = connect(s, with_certificate(clients["joe"]))
    assert c.cmd("AUTHENTICATE EXTERNAL amFuZQ==").status == "NO"


def test_certificate_of_a_stranger(make, clients):
    s = make({"tls_client_ca": clients["ca"][0]})
    c = connect(s, with_certificate(clients["stranger"]))
    assert "AUTH=EXTERNAL" not in c.capability()
    assert c.cmd("AUTHENTICATE EXTERNAL =").status == "NO"
    c = connect(s)
    assert "AUTH=EXTERNAL" not in c.capability()
    c.login(s.joe.name, s.joe.password)


@pytest.mark.parametrize("version", (ssl.TLSVersion.TLSv1_2,
                                     ssl.TLSVersion.TLSv1_3))
def test_certificate_is_looked_at_each_time(make, clients, version, tmp_path):
    """A ticket is no proof that its authority is trusted today."""
    trusted = shutil.copy(clients["ca"][0], tmp_path)
    s = make({"tls_client_ca": trusted})
    ctx = with_certificate(clients["joe"])
    ctx.minimum_version = ctx.maximum_version = version
    c = connect(s, ctx)
    c.ok("AUTHENTICATE EXTERNAL =")
    session = c.sock.session
    c.logout()
    c = connect(s, ctx, session=session)
    assert not c.sock.session_reused
    assert "AUTH=EXTERNAL" in c.capability()
    session = c.sock.session
    shutil.copy(clients["other ca"][0], trusted)
    c = connect(s, ctx, session=session)
    assert "AUTH=EXTERNAL" not in c.capability()
    # Who has none resumes as ever.
    ctx = context(minimum_version=version, maximum_version=version)
    c = connect(s, ctx)
    c.ok("NOOP")
    assert connect(s, ctx, session=c.sock.session).sock.session_reused


@pytest.mark.parametrize("version", (ssl.TLSVersion.TLSv1_2,
                                     ssl.TLSVersion.TLSv1_3))
def test_certificate_required_of_a_ticket(make_server, clients, version):
    """One that was given before certificates were required is no way in."""
    s = make_server({"tls_client_ca": clients["ca"][0]})
    ctx = context(minimum_version=version, maximum_version=version)
    c = connect(s, ctx)
    c.ok("NOOP")
    session = c.sock.session
    s.settings["tls_client_require"] = "yes"
    s.write_conf()
    with pytest.raises((ssl.SSLError, OSError, Closed)):
        connect(s, ctx, session=session).ok("NOOP")


@pytest.mark.parametrize("who", ("expired", "forged"))
def test_certificate_that_is_no_good(make, clients, who):
    """Of the right name and issuer, but past its date; or by another key."""
    s = make({"tls_client_ca": clients["ca"][0]})
    c = connect(s, with_certificate(clients[who]))
    assert "AUTH=EXTERNAL" not in c.capability()
    assert c.cmd("AUTHENTICATE EXTERNAL =").status == "NO"


def test_certificate_required(make, clients):
    s = make({"tls_client_ca": clients["ca"][0], "tls_client_require": "yes"})
    for ctx in (context(), with_certificate(clients["stranger"])):
        with pytest.raises((ssl.SSLError, OSError, Closed)):
            connect(s, ctx).ok("NOOP")
    connect(s, with_certificate(clients["joe"])).ok("LOGOUT")


# ---- the relay -------------------------------------------------------------

def test_much_in_both_directions(make):
    s = make()
    c = connect(s)
    c.login(s.joe.name, s.joe.password)
    body = b"Subject: x\r\n\r\n" + os.urandom(3 << 20).hex().encode() + b"\r\n"
    for _ in range(2):
        c.ok("APPEND INBOX", body)
    c.ok("SELECT INBOX")
    r = c.ok("FETCH 1:2 BODY.PEEK[]")
    assert len(r.untagged) == 2
    c.ok("LOGOUT")


def test_half_close(make):
    """A client that sends all and closes its half gets all answers."""
    s = make()
    raw = socket.create_connection(("127.0.0.1", s.tls_port), 10)
    tls = context().wrap_socket(raw, server_hostname="localhost")
    tls.sendall(f'a LOGIN {s.joe.name} "{s.joe.password}"\r\nb SELECT INBOX'
                "\r\nc LOGOUT\r\n".encode())
    data = b""
    with contextlib.suppress(ssl.SSLError, OSError):
        while more := tls.recv(4096):
            data += more
    assert b"\r\nc OK" in data


def test_everything_at_once(make):
    """Bytes behind the login belong to the session, in order."""
    s = make()
    c = connect(s)
    c.send(f'a LOGIN {s.joe.name} "{s.joe.password}"\r\nb NOOP\r\n'
           "c SELECT INBOX\r\nd NOOP\r\n")
    for tag in "abcd":
        assert c.tagged(tag).status == "OK"
    c.ok("LOGOUT")


def test_client_vanishes(make):
    s = make()
    c = connect(s)
    c.login(s.joe.name, s.joe.password)
    c.sock.close()
    until = time.monotonic() + 5
    while "reason=" not in s.log_text() and time.monotonic() < until:
        time.sleep(0.05)
    assert re.search(r"(?m)^.*\bsession session=.* reason=", s.log_text())
