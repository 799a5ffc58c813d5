# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Folders: many of them, odd ones, and those that others have open."""

import base64
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

import pytest

from imapclient import Client, Closed
from maildirs import Maildir, message
from servers import (MAIL_GID, MAIL_UID, as_mail_user, dovecot_pipe_argv,
                     imapd_pipe_argv)

pytestmark = pytest.mark.imapd
MANY = 50000


@pytest.fixture
def top():
    """In memory: it is we who are measured, not the disk."""
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    d = pathlib.Path(tempfile.mkdtemp(prefix="imapd-test.", dir=where))
    d.chmod(0o755)
    os.chown(d, MAIL_UID, MAIL_GID)
    yield d
    shutil.rmtree(d)


def session(argv, **kw):
    return Client.pipe(argv, stderr=subprocess.DEVNULL, **as_mail_user(), **kw)


def names_of(c, command='LIST "" "*"'):
    """Sorted names of LIST, without the parser, which is slow for many."""
    c.send(f"l {command}\r\n")
    data = b""
    while not data.endswith(b"\r\n") or b"\r\nl OK" not in data[-200:]:
        more = c._read(1 << 20)
        assert more, data[-200:]
        data += more
    return [line.rsplit(b' "/" ', 1)[1].strip(b'"')
            for line in data.split(b"\r\n") if line.startswith(b"* L")]


# ---- many ------------------------------------------------------------------

def make_many(root, layout):
    """MANY empty mailboxes, by the fewest system calls."""
    m = Maildir(root, MAIL_UID, MAIL_GID)
    names = [f"List/{i % 500:03}/f{i:05}" for i in range(MANY)]
    for name in names:
        d = root / name if layout == "fs" else \
            root / ("." + name.replace("/", "."))
        os.makedirs(d / "cur")
        os.mkdir(d / "new")
        os.mkdir(d / "tmp")
    subprocess.run(["chown", "-R", f"{MAIL_UID}:{MAIL_GID}", root], check=True)
    m.write(root / "subscriptions", b"V\t2\n\n" + b"".join(
        n.replace("/", "\t").encode() + b"\n" for n in names))
    return {n.encode() for n in names}


def cpu(pid):
    fields = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak(pid):
    """Peak of resident memory in KiB."""
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise AssertionError("no VmHWM")


@pytest.mark.timeout(600)
def test_many_folders(top):
    """Nothing is opened, and neither time nor memory grows beyond them."""
    root = top / "Maildir"
    want = make_many(root, "maildir++")
    with session(imapd_pipe_argv(root), timeout=120) as c:
        before = cpu(c.process.pid)
        got = names_of(c)
        assert want < set(got) and len(got) == MANY + 502
        assert got[0] == b"INBOX"
        ours = cpu(c.process.pid) - before
        memory = peak(c.process.pid)
        assert len(names_of(c, 'LIST (SUBSCRIBED RECURSIVEMATCH) "" "*" RETURN '
                            '(CHILDREN SPECIAL-USE)')) == MANY
        assert set(names_of(c, 'LSUB "" "List/%"')) == {
            b"List/%03d" % i for i in range(500)}
        whole = cpu(c.process.pid) - before
    with session(dovecot_pipe_argv(root, top), timeout=300) as c:
        names_of(c, 'LIST "" "*"')      # makes its index of the list
    with session(dovecot_pipe_argv(root, top), timeout=300) as c:
        before = cpu(c.process.pid)
        assert set(names_of(c)) == set(got)
        theirs = cpu(c.process.pid) - before
        their_memory = peak(c.process.pid)
    print(f"LIST of {MANY}: {ours:.2f} s and {memory} KiB, "
          f"Dovecot {theirs:.2f} s and {their_memory} KiB")
    assert ours <= theirs and memory <= their_memory
    assert whole < 3.0          # one that is quadratic takes minutes


@pytest.mark.timeout(600)
def test_listing_opens_no_folder(top):
    root = top / "Maildir"
    m = Maildir(root, MAIL_UID, MAIL_GID)
    for n in range(300):
        m.make(f"List/{n:03}")
    trace = top / "trace"
    argv = ["strace", "-qq", "-o", str(trace), "-e",
            "trace=openat,newfstatat,fstat,statx", "--", *map(str, (
                imapd_pipe_argv(root)[0], "-o", "sandbox=no",
                *imapd_pipe_argv(root)[1:]))]
    with session(argv) as c:
        c.ok('LIST "" "*"')
        first = len(trace.read_text().splitlines())
        assert len(c.ok('LIST "" "*"').all("LIST")) == 302
        after = trace.read_text().splitlines()[first:]
    assert len(after) <= 6, after
    assert not [line for line in after if "List" in line], after


@pytest.mark.timeout(600)
def test_many_folders_fs(make_server, top):
    """Each directory is read once: that is where its children are."""
    s = make_server({"mail": f"maildir:{top}/Maildir:LAYOUT=fs"})
    a = s.account("u")
    want = make_many(top / "Maildir", "fs")
    with s.login(a, timeout=120) as c:
        start = time.monotonic()
        got = names_of(c)
        print(f"fs: LIST of {MANY}: {time.monotonic() - start:.2f} s")
        assert want < set(got) and len(got) == MANY + 502


# ---- open in another session -----------------------------------------------

def idle(c):
    c.send("i IDLE\r\n")
    while c.read().tag != "+":
        pass


def said(c, seconds=5):
    """What a session is told until it is told BYE, or goes silent."""
    out = []
    try:
        while c.is_readable(seconds):
            out.append(c.read())
            if out[-1].status == "BYE":
                break
    except (Closed, ConnectionError):
        pass
    return out


@pytest.fixture
def box(account, login):
    """Box with 50 messages, and a session that has it selected."""
    for n in range(50):
        account.mail.deliver(message(n=n), folder="Box", flags="",
                             name=f"17000000{n:02}.M1P1.host")
    c = login()
    assert c.ok("SELECT Box").exists() == 50
    return c


def assert_left_cleanly(responses):
    """BYE, and before it nothing that makes a client drop what it has."""
    assert responses and responses[-1].status == "BYE", responses
    assert not [r for r in responses if r.name in ("EXPUNGE", "VANISHED")
                or r.name == "EXISTS" and r.number < 50], responses


@pytest.mark.parametrize("how", ["idle", "noop", "fetch", "silent"])
def test_delete_under_a_session(account, login, box, how):
    if how == "idle":
        idle(box)
    else:
        box.ok("NOOP")
    with login() as other:
        other.ok("DELETE Box")
        assert set(other.list("", "*")) == {"INBOX"}
    if how == "idle":
        assert_left_cleanly(said(box))
    else:
        box.send({"noop": "n NOOP\r\n", "silent": "n LOGOUT\r\n",
                  "fetch": "n UID FETCH 1:* (BODY.PEEK[])\r\n"
                           "o NOOP\r\n"}[how])
        responses = said(box)
        if how != "silent":
            assert_left_cleanly(responses)
    assert not account.mail.dir("Box").exists()


def test_delete_seen_half_way(account, box):
    """Hidden, some of it removed, cur/ still there: not an empty mailbox."""
    idle(box)
    d = account.mail.dir("Box")
    hidden = d.with_name("..imapd-trash.test")
    d.rename(hidden)
    for p in sorted((hidden / "cur").iterdir())[:30]:
        p.unlink()
    time.sleep(0.2)
    box.send("DONE\r\n")
    assert_left_cleanly(said(box) + (
        [] if not box.is_readable(0.2) else said(box)))
    shutil.rmtree(hidden)


def test_changes_in_a_deleted_mailbox(account, login, box):
    """Nothing comes back: neither the directory nor the message."""
    with login() as other:
        other.ok("DELETE Box")
    for command in ("STORE 1 +FLAGS (\\Flagged)", "COPY 1 Box",
                    "APPEND Box {5+}\r\nab\r\nc"):
        try:
            r = box.cmd(command)
        except (Closed, ConnectionError):
            break
        assert r.status == "NO" or command.startswith("STORE"), r
    assert not account.mail.dir("Box").exists()


def test_recreated_under_a_session(login, box):
    """A new mailbox of that name is not the one that is selected."""
    with login() as other:
        other.ok("DELETE Box")
        other.ok("CREATE Box")
    box.send("n NOOP\r\n")
    assert_left_cleanly(said(box))


@pytest.mark.parametrize("how", ["idle", "noop"])
def test_rename_under_a_session(account, login, box, how):
    """It goes on with the mailbox that it has, or is told BYE; the mail is at
    the new name and nowhere else."""
    if how == "idle":
        idle(box)
    with login() as other:
        other.ok("RENAME Box New")
        if how == "idle":
            box.send("DONE\r\n")
        else:
            box.send("n UID STORE 1 +FLAGS.SILENT (\\Flagged)\r\n")
        responses = said(box, 0.5)
        assert not [r for r in responses if r.name == "EXPUNGE"], responses
        assert other.status("New", "MESSAGES") == {"MESSAGES": 50}
        assert set(other.list("", "*")) == {"INBOX", "New"}
    assert not account.mail.dir("Box").exists()
    if responses[-1].status == "OK" and how == "noop":
        assert "F" in account.mail.flags("New")["1700000000.M1P1.host"]


def test_rename_with_many_children_under_a_session(account, login, box):
    for n in range(200):
        account.mail.make(f"Box/{n:03}")
    box.ok("SELECT Box/199")
    idle(box)
    with login() as other:
        other.ok("RENAME Box A/B")
        got = set(other.list("", "*"))
        assert got == {"INBOX", "A", "A/B"} | {
            f"A/B/{n:03}" for n in range(200)}
    assert not [r for r in said(box, 0.3) if r.name == "EXPUNGE"]


# ---- what crashes leave ----------------------------------------------------

@pytest.mark.parametrize("name", [
    "..imapd-trash.1.M1P1.host", "..imapd-new.1.M1P1.host",
    "..DOVECOT-TRASHED"])
@pytest.mark.parametrize("layout", ["", ":LAYOUT=fs"])
def test_relics_are_not_listed(make_server, name, layout):
    """Nor touched while they may be somebody's work; the unit tests let an
    hour pass."""
    s = make_server({"mail": f"maildir:%h/Maildir{layout}"})
    a = s.account("u")
    for d in (a.mail.root / name, a.mail.root / name / "unique"):
        for sub in ("", "cur", "new", "tmp"):
            (d / sub).mkdir(exist_ok=True)
        (d / "cur" / "1.M1P1.host:2,S").write_bytes(b"x")
    subprocess.run(["chown", "-R", f"{MAIL_UID}:{MAIL_GID}", a.mail.root],
                   check=True)
    with s.login(a) as c:
        assert set(c.list("", "*")) == {"INBOX"}
        c.no(f'SELECT "{name}"')
    assert (a.mail.root / name / "cur" / "1.M1P1.host:2,S").exists()


# ---- names -----------------------------------------------------------------

@pytest.fixture
def fs(make_server):
    s = make_server({"mail": "maildir:%h/Maildir:LAYOUT=fs"})
    a = s.account("u")
    with s.login(a) as c:
        c.account, c.server = a, s
        yield c


def fs_box(c, rel):
    d = c.account.mail.root
    for part in rel.split("/"):
        d = d / part
        d.mkdir(exist_ok=True)
        c.account.mail.own(d)
    for sub in ("cur", "new", "tmp"):
        (d / sub).mkdir()
        c.account.mail.own(d / sub)
    return d


@pytest.mark.parametrize("name", [
    "cur", "new", "tmp", "a/cur", "a/new/b", "subscriptions",
    "dovecot-uidlist", "a/dovecot-uidlist", "a/dovecot-keywords",
    "a/dovecot.index.log", "a/maildirfolder", "a/imapd.index", "maildirsize",
    "a/dovecot-uidlist.lock", "..x", "a/..x", "a/courierimapkeywords"])
def test_fs_names_of_files(fs, name):
    """A directory there would break the mailbox or the whole Maildir."""
    fs.ok("CREATE a")
    assert fs.no(f"CREATE {name}").code == "CANNOT"
    fs.ok("SELECT a")
    fs.ok("SUBSCRIBE a")
    assert set(fs.list("", "*")) == {"INBOX", "a"}


@pytest.mark.parametrize("name", ["dovecot", "lists/dovecot", "courier",
                                  "dovecot-users", "imapd.", ".dot"])
def test_fs_names_that_only_look_so(fs, name):
    fs.ok(f"CREATE {name}")
    fs.ok(f"SELECT {name}")
    assert name in fs.list("", "*")


def test_fs_parents_come_and_go(fs):
    fs.ok("CREATE a/b/c")
    assert set(fs.list("", "*")) == {"INBOX", "a", "a/b", "a/b/c"}
    fs.no("DELETE a")
    fs.ok("RENAME a/b/c x/y")
    assert set(fs.list("", "*")) == {"INBOX", "x", "x/y"}
    fs.ok("DELETE x/y")
    assert set(fs.list("", "*")) == {"INBOX"}
    d = fs.account.mail.root / "bare"
    d.mkdir()
    fs.account.mail.own(d)
    fs.ok("DELETE bare")
    assert not d.exists()


def test_fs_inbox_children(fs):
    fs.ok("CREATE INBOX/sub")
    assert (fs.account.mail.root / "INBOX" / "sub" / "cur").is_dir()
    fs.account.mail.deliver()
    fs.ok("RENAME INBOX INBOX/old")
    assert fs.status("INBOX/old", "MESSAGES") == {"MESSAGES": 1}
    assert fs.status("INBOX", "MESSAGES") == {"MESSAGES": 0}
    assert set(fs.list("", "*")) == {"INBOX", "INBOX/sub", "INBOX/old"}


@pytest.mark.timeout(60)
def test_fs_links(fs):
    """Links to mailboxes are followed, and links in circles end."""
    root = fs.account.mail.root
    fs_box(fs, "a/b")
    for link, to in (("a/up", ".."), ("a/self", "."), ("a/down", "../a"),
                     ("l", "a/b"), ("gone", "nowhere")):
        (root / link).symlink_to(to)
        fs.account.mail.own(root / link)
    got = set(fs.list("", "*"))
    assert got == {"INBOX", "a", "a/b", "l"}
    fs.ok("SELECT l")
    fs.ok("CLOSE")
    fs.ok("DELETE l")
    assert (root / "a" / "b" / "cur").is_dir()
    assert not (root / "l").is_symlink()


def test_linked_folder(account, client):
    """Maildir++: listed, opened, renamed and deleted as a link."""
    d = account.mail.make("Real")
    account.mail.deliver(folder="Real")
    link = account.mail.root / ".Link"
    link.symlink_to(".Real")
    account.mail.own(link)
    assert set(client.list("", "*")) == {"INBOX", "Real", "Link"}
    assert client.status("Link", "MESSAGES") == {"MESSAGES": 1}
    client.ok("RENAME Link Other")
    client.ok("DELETE Other")
    assert client.status("Real", "MESSAGES") == {"MESSAGES": 1}
    assert d.is_dir()


@pytest.mark.parametrize("layout, stored", [
    ("", b".bad&utf7"), ("", b".R\xe9sum\xe9"), ("", b".a..b"), ("", b".a."),
    ("", b".\\5C"), ("", b".inbox"), ("", b".tab\there"), ("", b".&AGE-"),
    ("", b".INBOX.\xff"),
    (":LAYOUT=fs", b"bad&utf7"), (":LAYOUT=fs", b"R\xe9sum\xe9/sub\xff"),
    (":LAYOUT=fs", b"a\\2eb"), (":LAYOUT=fs", b"Inbox"),
    (":LAYOUT=fs:UTF-8", b"\xc3\xa9\xff"), (":UTF-8", b".\xc3\xa9\xff"),
])
def test_names_made_by_others(make_server, layout, stored):
    """Listed under an escaped name that works in every command; the directory
    keeps its name until the user renames it."""
    s = make_server({"mail": f"maildir:%h/Maildir{layout}"})
    a = s.account("u")
    root = os.fsencode(a.mail.root)
    d = os.path.join(root, stored)
    for sub in (b"cur", b"new", b"tmp"):
        os.makedirs(os.path.join(d, sub))
    with open(os.path.join(d, b"new", b"1.M1P1.host"), "wb") as f:
        f.write(message())
    subprocess.run([b"chown", b"-R", b"%d:%d" % (MAIL_UID, MAIL_GID), root],
                   check=True)
    with s.login(a) as c:
        r = c.ok('LIST "" "*"')
        found = [x.data[2] for x in r.all("LIST")
                 if "\\Noselect" not in [str(y) for y in x.data[0]]]
        name, = (n if isinstance(n, bytes) else n.encode() for n in found
                 if n not in ("INBOX", b"INBOX"))
        assert c.ok("SELECT", name).exists() == 1
        assert c.fetch_one(1, "BODY.PEEK[]")["BODY[]"]
        c.ok("SUBSCRIBE", name)
        assert os.path.isdir(os.path.join(d, b"cur"))
        assert [x.data[2] for x in c.ok('LSUB "" "*"').all("LSUB")]
        c.ok("APPEND", name, b"Subject: x\r\n\r\nx\r\n")
        c.ok("CLOSE")
        if stored not in (b".a..b", b".a."):    # these cannot have any
            c.ok("CREATE", name + b"/below")
            c.ok("DELETE", name + b"/below")
        c.ok("RENAME", name, b"plain")
        assert c.status("plain", "MESSAGES") == {"MESSAGES": 2}
        c.ok("DELETE plain")
        c.ok("UNSUBSCRIBE", name)
    assert not os.path.exists(d)


@pytest.mark.parametrize("separator, layout, name", [
    (".", "", ".a\\2eb"), (".", ":LAYOUT=fs", "a.b"), ("/", "", ".a\\2fb")])
def test_separator_in_a_name(make_server, separator, layout, name):
    """Made under another separator: still there, and reachable."""
    s = make_server({"mail": f"maildir:%h/Maildir{layout}",
                     "separator": separator})
    a = s.account("u")
    d = a.mail.root / name
    for sub in ("cur", "new", "tmp"):
        (d / sub).mkdir(parents=True)
    subprocess.run(["chown", "-R", f"{MAIL_UID}:{MAIL_GID}", a.mail.root],
                   check=True)
    with s.login(a) as c:
        shown, = set(c.list("", "*")) - {"INBOX"}
        assert separator not in shown
        c.ok(f"SELECT {shown}")
        c.ok("CLOSE")
        c.ok(f"SUBSCRIBE {shown}")
        assert set(c.list("", "*", "LSUB")) == {shown}
        c.ok(f"DELETE {shown}")
    assert not d.exists()


def encode(text):
    """Modified UTF-7 (RFC 3501 5.1.3)."""
    def shift(m):
        b = base64.b64encode(m.group().encode("utf-16-be"), b"+,")
        return "&" + b.rstrip(b"=").decode() + "-"
    return re.sub("[^\x20-\x7e]+", shift, text.replace("&", "&-")).encode()


TEXTS = [
    "x" * 200, "\u00e9" * 60, "\u65e5\u672c\u8a9e", "\U0001f4e7 mail",
    "a\u0301", "\u00e1", "tilde~", "a\\b", "100%", "a.b.c", ".x", "..x", "x..",
    "&", "&-", "new", "a\u00a0b", '"q"', "(x)", "{5}", "\u202ertl", "\ufffdx"]


@pytest.mark.parametrize("layout", ["", ":LAYOUT=fs", ":UTF-8"])
def test_utf8_names(make_server, layout):
    """Every class of character, on the wire and on disk, byte for byte."""
    s = make_server({"mail": f"maildir:%h/Maildir{layout}"})
    a = s.account("u")
    with s.login(a) as c:
        for text in TEXTS:
            if layout == ":LAYOUT=fs" and text in ("..x", "new"):
                continue        # no names of the fs layout
            name = encode(text)
            c.ok("CREATE", name)
            c.ok("CREATE", name + b"/sub")
            assert c.no("CREATE", name).code == "ALREADYEXISTS"
            got = {n if isinstance(n, bytes) else n.encode() for n in (
                r.data[2] for r in c.ok('LIST "" "*"').all("LIST"))}
            assert got == {b"INBOX", name, name + b"/sub"}
            c.ok("SELECT", name + b"/sub")
            c.ok("UNSELECT")
            c.ok("RENAME", name, b"plain")
            assert "plain/sub" in c.list("", "*")
            c.ok("DELETE plain/sub")
            c.ok("DELETE plain")


def test_length_of_names(account, client):
    """250 bytes on disk: room for what others add; one more is refused."""
    client.ok("CREATE " + "x" * 249)
    assert client.no("CREATE " + "x" * 250).code == "CANNOT"
    client.ok("CREATE short")
    client.ok("CREATE short/" + "y" * 240)
    assert client.no("RENAME short " + "z" * 20).code == "CANNOT"
    assert "short" in client.list("", "*")


def test_rename_onto_a_mailbox_of_a_mere_parent(client):
    client.ok("CREATE a/b")
    client.ok("CREATE c")
    assert client.no("RENAME a c").code == "ALREADYEXISTS"
    assert set(client.list("", "*")) == {"INBOX", "a", "a/b", "c"}
