# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Real mail clients, each at the work that people use it for."""

import imaplib
import json
import os
import pathlib
import re
import shutil
import ssl
import subprocess
import time

import pytest

import servers
from conftest import MESSAGES
from maildirs import Maildir, crlf, message

HERE = pathlib.Path(__file__).resolve().parent
NODE_MODULES = os.environ.get("IMAPD_TEST_NODE", "")


@pytest.fixture
def box(account):
    """An INBOX with the three MESSAGES and a folder Work with one more."""
    for n, m in enumerate(MESSAGES):
        account.mail.deliver(m, flags="S" if n == 0 else "",
                             name=f"{1707124272 + n}.M1P1.host")
    account.mail.deliver(message("Work item"), folder="Work", flags="F")
    return account


def run(argv, timeout=60, ok=True, **kw):
    p = subprocess.run([str(a) for a in argv], capture_output=True,
                       timeout=timeout, **kw)
    out = p.stdout.decode(errors="replace") + p.stderr.decode(errors="replace")
    if ok:
        assert p.returncode == 0, out
    return out


# ---- curl ------------------------------------------------------------------

def curl(server, account, path, *args):
    return run(["curl", "-sS", "-k", "--max-time", 30, "--user",
                f"{account.name}:{account.password}",
                f"imaps://127.0.0.1:{server.tls_port}/{path}", *args])


def test_curl(server, box):
    out = curl(server, box, "")
    assert "INBOX" in out and "Work" in out
    assert crlf(MESSAGES[1]).decode() in curl(
        server, box, "INBOX;UID=2").replace("\n", "\r\n").replace("\r\r", "\r")
    assert "SEARCH 2" in curl(server, box, "INBOX?SUBJECT%20Second")
    assert "EXISTS" in curl(server, box, "", "-v", "-X", "SELECT INBOX")


def test_curl_append(server, box, tmp_path):
    mail = tmp_path / "mail"
    mail.write_bytes(crlf(message("by curl")))
    curl(server, box, "Work", "-T", mail)
    assert len(box.mail.files("Work")) == 2


def test_curl_starttls(server, box):
    out = run(["curl", "-sS", "-k", "--ssl-reqd", "--user",
               f"{box.name}:{box.password}",
               f"imap://127.0.0.1:{server.port}/INBOX;UID=1"])
    assert "One." in out


# ---- imaplib ---------------------------------------------------------------

def test_imaplib(server, box):
    ctx = ssl.create_default_context(cafile=server.cert)
    ctx.check_hostname = False
    m = imaplib.IMAP4_SSL("127.0.0.1", server.tls_port, ssl_context=ctx)
    m.login(box.name, box.password)
    assert m.select("INBOX") == ("OK", [b"3"])
    typ, data = m.search(None, "SUBJECT", "Third")
    assert data == [b"3"]
    typ, data = m.fetch("2", "(UID RFC822)")
    assert data[0][1] == crlf(MESSAGES[1])
    typ, data = m.store("1", "+FLAGS", "(\\Answered mykey)")
    assert b"\\Answered" in data[0] and b"mykey" in data[0]
    assert m.append("Work", "(\\Seen)", imaplib.Time2Internaldate(
        time.time()), crlf(message("appended")))[0] == "OK"
    assert m.copy("1:2", "Work")[0] == "OK"
    assert m.status("Work", "(MESSAGES)")[1][0].endswith(b"(MESSAGES 4)")
    m.store("3", "+FLAGS", "\\Deleted")
    assert m.expunge()[1] == [b"3"]
    assert m.create("New")[0] == "OK"
    assert m.rename("New", "Newer")[0] == "OK"
    assert any(b"Newer" in x for x in m.list()[1])
    assert m.delete("Newer")[0] == "OK"
    m.close()
    assert m.logout()[0] == "BYE"


def test_imaplib_starttls_and_plain(server, box):
    m = imaplib.IMAP4("127.0.0.1", server.port)
    ctx = ssl.create_default_context(cafile=server.cert)
    ctx.check_hostname = False
    m.starttls(ctx)
    m.authenticate("PLAIN", lambda _: b"\0%s\0%s" % (
        box.name.encode(), box.password.encode()))
    assert m.select()[1] == [b"3"]
    m.logout()


# ---- mbsync ----------------------------------------------------------------

MBSYNC = """\
IMAPStore far
{connection}

MaildirStore near
Path {local}/
Inbox {local}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
Sync All
SyncState *
"""


def mbsync(directory, connection, *options):
    local = directory / "mail"
    local.mkdir(exist_ok=True)
    rc = directory / "mbsyncrc"
    rc.write_text(MBSYNC.format(connection=connection, local=local))
    return run(["mbsync", "-c", rc, *options, "-a"])


def mbsync_transfers(directory, connection):
    """A run; which kinds of commands that move mail or flags it sent."""
    out = mbsync(directory, connection, "-Dn")
    sent = re.findall(r"(?m)>>> (.*)$", out)
    return {word for word in ("BODY.PEEK[]", "APPEND", "STORE", "EXPUNGE")
            for line in sent if word in line}


def mbsync_twice(directory, connection, box):
    """Pull, pull again, push mail and flags, see both sides equal."""
    assert mbsync_transfers(directory, connection) == {"BODY.PEEK[]"}
    local = directory / "mail"
    inbox = Maildir(local / "INBOX")
    # mbsync may leave its mark among the header fields.
    assert {re.sub(rb"X-TUID: .*\n", b"", p.read_bytes().replace(b"\r", b""))
            for p in inbox.files()} == set(MESSAGES)
    assert len(Maildir(local / "Work").files()) == 1
    assert mbsync_transfers(directory, connection) == set()

    # Back: a new message, a flag, a removal.
    inbox.deliver(message("pushed"), flags="F")
    first = [p for p in inbox.files() if b"Second" in p.read_bytes()][0]
    first.rename(first.with_name(first.name + "R"))
    third = [p for p in inbox.files() if b"Third" in p.read_bytes()][0]
    third.rename(third.with_name(third.name + "T"))
    box.mail.deliver(message("arrived meanwhile"))
    mbsync(directory, connection)
    far = {_subject(p): p.name.partition(":2,")[2] for p in box.mail.files()}
    assert far == {"First": "S", "Second": "R", "pushed": "F",
                   "arrived meanwhile": ""}
    near = {_subject(p) for p in inbox.files()}
    assert near == set(far)
    assert mbsync_transfers(directory, connection) == set()


def _subject(path):
    for line in path.read_text().splitlines():
        if line.startswith("Subject: "):
            return line[9:]


def test_mbsync(server, box, tmp_path):
    mbsync_twice(tmp_path, f"""\
Host localhost
Port {server.tls_port}
User {box.name}
Pass "{box.password}"
SSLType IMAPS
CertificateFile {server.cert}
""", box)


def test_mbsync_tunnel(server, box, tmp_path):
    argv = " ".join(str(a) for a in server.pipe_argv(box))
    if os.geteuid() == 0:
        argv = (f"setpriv --reuid={servers.MAIL_UID} --regid="
                f"{servers.MAIL_GID} --clear-groups {argv}")
    mbsync_twice(tmp_path, f'Tunnel "{argv}"\n', box)


# ---- offlineimap -----------------------------------------------------------

def test_offlineimap(server, box, tmp_path):
    rc = tmp_path / "rc"
    rc.write_text(f"""\
[general]
accounts = a
metadata = {tmp_path}/meta
ui = basic
[Account a]
localrepository = l
remoterepository = r
[Repository l]
type = Maildir
localfolders = {tmp_path}/mail
[Repository r]
type = IMAP
remotehost = localhost
remoteport = {server.tls_port}
remoteuser = {box.name}
remotepass = {box.password}
ssl = yes
sslcacertfile = {server.cert}
""")

    def sync():
        out = run(["offlineimap", "-c", rc, "-o", "-1"], timeout=120)
        assert "ERROR" not in out, out
        return out
    sync()
    inbox = Maildir(tmp_path / "mail" / "INBOX")
    assert len(inbox.files()) == 3
    assert len(Maildir(tmp_path / "mail" / "Work").files()) == 1
    out = sync()
    assert "Copy message" not in out
    inbox.deliver(message("pushed"), flags="S")
    sync()
    assert {_subject(p) for p in box.mail.files()} == {
        "First", "Second", "Third", "pushed"}


# ---- imapfilter ------------------------------------------------------------

def test_imapfilter(server, box, tmp_path):
    config = tmp_path / "config.lua"
    config.write_text(f"""\
a = IMAP {{ server = 'localhost', port = {server.tls_port},
    username = '{box.name}', password = '{box.password}', ssl = 'auto' }}
boxes, folders = a:list_all()
for _, b in ipairs(boxes) do print('BOX ' .. b) end
local found = a.INBOX:contain_subject('Second') * a.INBOX:is_unseen()
found:mark_flagged()
print('FOUND ' .. #found)
a:create_mailbox('Filtered')
a.INBOX:contain_body('Three.'):move_messages(a.Filtered)
exist, unread, unseen, uidnext = a.INBOX:check_status()
print('LEFT ' .. exist)
a.INBOX:is_seen():copy_messages(a.Work)
""")
    home = tmp_path / "home"
    home.mkdir()
    out = run(["imapfilter", "-t", server.cert, "-c", config], input=b"p\n",
              env={**os.environ, "HOME": str(home)})
    assert "BOX INBOX" in out and "BOX Work" in out, out
    assert "FOUND 1" in out and "LEFT 2" in out, out
    assert [_subject(p) for p in box.mail.files("Filtered")] == ["Third"]
    assert len(box.mail.files("Work")) == 2
    assert "F" in {_subject(p): p.name[-1] for p in box.mail.files()}["Second"]


# ---- mutt ------------------------------------------------------------------

class Tmux:
    """mutt on a terminal of its own."""

    def __init__(self, directory, command):
        self.socket = directory / "tmux"
        self.run("-f", "/dev/null", "new-session", "-d", "-x", "100",
                 "-y", "30", command)

    def run(self, *args):
        return run(["tmux", "-S", self.socket, *args], ok=False,
                   env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"})

    def keys(self, *keys):
        self.run("send-keys", *keys)

    def wait(self, *texts, seconds=20):
        until = time.monotonic() + seconds
        while True:
            screen = self.run("capture-pane", "-p")
            if all(t in screen for t in texts):
                return screen
            assert time.monotonic() < until, f"{texts} not on:\n{screen}"
            time.sleep(0.1)

    def close(self):
        self.run("kill-server")


MUTT = """\
set header_cache = "" ssl_verify_host = no ssl_verify_dates = no
set certificate_file = {cert}
set ssl_force_tls = {tls}
set imap_user = "{user}" imap_pass = "{password}"
set sort = mailbox-order sleep_time = 0 mail_check = 1 timeout = 1
set imap_keepalive = 1 imap_idle = yes quit = yes move = no
set postponed = "" record = "" confirmappend = no delete = yes
{tunnel}
set folder = "{url}" spoolfile = "{url}INBOX"
"""


@pytest.mark.parametrize("way", ["tls", "tunnel"])
def test_mutt(server, box, tmp_path, way):
    tunnel = ""
    url = f"imaps://127.0.0.1:{server.tls_port}/"
    if way == "tunnel":
        argv = " ".join(str(a) for a in server.pipe_argv(box))
        if os.geteuid() == 0:
            argv = (f"setpriv --reuid={servers.MAIL_UID} --regid="
                    f"{servers.MAIL_GID} --clear-groups {argv}")
        tunnel = f'set tunnel = "exec {argv}"'
        url = "imap://127.0.0.1/"
    rc = tmp_path / "muttrc"
    rc.write_text(MUTT.format(
        cert=server.cert, user=box.name, password=box.password,
        tunnel=tunnel, url=url, tls="yes" if way == "tls" else "no"))
    t = Tmux(tmp_path, f"mutt -n -F {rc}; echo mutt is gone; sleep 60")
    try:
        t.wait("First", "Second", "Third")
        t.keys("2", "Enter")
        t.wait("Second")
        t.keys("Enter")
        t.wait("Subject: Second", "Two.")
        t.keys("i")
        t.wait("First", "Third")
        t.keys("F")
        t.keys("$")
        box.mail.deliver(message("Fresh mail"))
        t.wait("Fresh mail", seconds=40)
        t.keys("q")
        t.wait("mutt is gone")      # and has told the server everything
    finally:
        t.close()
    flags = {_subject(p): p.name.partition(":2,")[2]
             for p in box.mail.files()}
    assert "S" in flags["Second"] and "F" in flags["Second"], flags


# ---- imapflow --------------------------------------------------------------

@pytest.mark.skipif(not NODE_MODULES, reason="IMAPD_TEST_NODE is not set: "
                    "tests/run installs imapflow and sets it")
def test_imapflow(server, box):
    out = run(["node", HERE / "imapflow_scenario.js", server.tls_port,
               box.name, box.password],
              env={**os.environ, "NODE_PATH": NODE_MODULES})
    r = json.loads(out.strip().splitlines()[-1])
    assert r["mailboxes"] == ["INBOX", "Work"]
    assert r["exists"] == 3
    assert [s[:3] for s in r["subjects"]] == [
        [n + 1, s, len(crlf(MESSAGES[n]))]
        for n, s in enumerate(("First", "Second", "Third"))]
    assert r["search"] == [2]
    assert r["appended"] == 4
    assert r["moved"] == [[1, 1]]
    flags = box.mail.flags()
    assert any("F" in f for f in flags.values())
    assert [_subject(p) for p in box.mail.files("Node")] == ["First"]


@pytest.mark.skipif(not NODE_MODULES, reason="IMAPD_TEST_NODE is not set: "
                    "tests/run installs imapflow and sets it")
def test_imapflow_qresync(server, box):
    out = run(["node", HERE / "imapflow_qresync.js", server.tls_port,
               box.name, box.password],
              env={**os.environ, "NODE_PATH": NODE_MODULES})
    r = json.loads(out.strip().splitlines()[-1])
    assert {"CONDSTORE", "QRESYNC"} <= set(r["enabled"])
    # By NOOP; and again by FETCH, which it sends with VANISHED.
    assert r["live"]["expunged"] == [[2, False], [2, True]]
    assert [f[0] for f in r["live"]["flags"]] == [3, 3]     # and of STORE
    assert all("\\Flagged" in f[1] for f in r["live"]["flags"])
    assert [c[0] for c in r["changed"]] == [3] and r["changed"][0][2]
    assert "\\Flagged" in r["changed"][0][1]
    assert r["status"] and r["is_qresync"]
    assert r["back"]["expunged"] == [[2, True]]
    assert [f[0] for f in r["back"]["flags"]] == [3]
    # It was not to be changed any more.
    assert "S" not in box.mail.flags()[[p.name.partition(":")[0] for p in
                                        box.mail.files()
                                        if _subject(p) == "Third"][0]]


def test_the_clients_are_there():
    """A client that is missing must not make its tests vanish."""
    for name in ("curl", "mbsync", "offlineimap", "imapfilter", "mutt",
                 "tmux", "node"):
        assert shutil.which(name), name
