# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Maildirs of a real Dovecot and of a real Courier, in the forms that they come
in, are taken over and handed back.  Each time, all that a client can see of a
user's mail must be the same to the next server: names, subscriptions, UIDs,
UIDVALIDITY, UIDNEXT, flags, keywords, dates, bytes.

tests/corpus does the same with many messages in one form.
"""

import shutil
import subprocess

import pytest

import courier as courier_packages
from imapclient import Client
from maildirs import crlf, message
from servers import MAIL_GID, MAIL_UID, as_mail_user, run_dir

pytestmark = pytest.mark.imapd

ITEMS = "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])"
UTF7 = "Entw&APw-rfe"
BIG = "".join(f"line {n} of a message that is worth packing\n"
              for n in range(500))

CONF = """\
mail_location = {location}
mail_home = {home}
log_path = {home}/dovecot.log
ssl = no
stats_writer_socket_path =
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = 1
mail_plugins = {plugins}
plugin {{
  zlib_save = gz
}}
namespace inbox {{
  inbox = yes
  separator = {separator}
  prefix = {prefix}
}}
"""


def dovecot(home, location, plugins="listescape", separator="/", prefix=""):
    """Debian's Dovecot on that location, without its login."""
    conf = home / "dovecot.conf"
    conf.write_text(CONF.format(
        home=home, location=location, uid=MAIL_UID, gid=MAIL_GID,
        plugins=plugins, separator=separator, prefix=prefix))
    conf.chmod(0o644)
    return Client.pipe(
        ["env", f"USER={MAIL_UID}", f"HOME={home}", "/usr/lib/dovecot/imap",
         "-c", conf], **as_mail_user())


def words(flags):
    return {str(f) for f in flags} - {"\\Recent"}


def view(c):
    """All that a client sees."""
    names = c.list("", "*")
    out = {"subscribed": set(c.list("", "*", "LSUB")), "boxes": {}}
    for name, attributes in names.items():
        if {"\\Noselect", "\\NonExistent"} & attributes:
            continue
        status = c.status(name, "MESSAGES UIDNEXT UIDVALIDITY UNSEEN")
        r = c.ok(f'SELECT "{name}"')
        messages = c.uid_fetch("1:*", ITEMS) if r.exists() else {}
        for m in messages.values():
            m["FLAGS"] = words(m["FLAGS"])
            assert m["RFC822.SIZE"] == len(m["BODY[]"])
        out["boxes"][name] = {"status": status, "messages": messages}
    return out


def same(a, b):
    """One difference at a time, for whoever has to read it."""
    assert a["subscribed"] == b["subscribed"]
    assert a["boxes"].keys() == b["boxes"].keys()
    for name, box in a["boxes"].items():
        other = b["boxes"][name]
        assert box["status"] == other["status"], name
        assert box["messages"].keys() == other["messages"].keys(), name
        for uid, m in box["messages"].items():
            for item, value in m.items():
                assert value == other["messages"][uid][item], \
                    (name, uid, item)


# ---- Dovecot ---------------------------------------------------------------

# name: (options of the location, plugins, folders that only this form can have)
FORMS = {
    "maildir++": ("", "listescape", ["a.b", "x/y.z", "~t", "x/.dot"]),
    "fs": (":LAYOUT=fs", "listescape", ["a.b", "x/y.z"]),
    "control": (":CONTROL=~/control", "listescape", ["a.b"]),
    "index": (":INDEX=~/index", "listescape", ["a.b"]),
    "fs-control-index": (":LAYOUT=fs:CONTROL=~/control:INDEX=~/index",
                         "listescape", ["a.b"]),
    "utf-8": (":UTF-8", "listescape", ["a.b"]),
    "zlib": ("", "listescape zlib", []),
    "zlib-fs": (":LAYOUT=fs", "listescape zlib", []),
    "subscriptions-1": ("", "listescape", ["a.b"]),
}
FOLDERS = ["Work", "Work/2024", "Work/2024/Q1", "Deep/er/est", UTF7,
           f"{UTF7}/R&AOk-sum&AOk-", "a b", "Copies"]


def years_of_dovecot(c, account, folders):
    for n in range(20):
        account.mail.deliver(
            message(f"delivered {n}", BIG if n % 5 == 0 else "x\n"),
            flags=None if n % 4 == 0 else "S" * (n % 2),
            name=f"{1600000000 + n}.M{n}P1.host", mtime=1600000000 + n * 7919)
    for name in folders:
        c.ok(f'CREATE "{name}"')
        c.append(name, crlf(message(f"first of {name}", BIG)), "\\Seen",
                 "05-Feb-2024 10:11:12 +0100")
        c.append(name, crlf(message(f"second of {name}", "short\n")),
                 "\\Flagged $Forwarded zeta")
        c.ok(f'SUBSCRIBE "{name}"')
    c.ok("SUBSCRIBE INBOX")
    c.ok('UNSUBSCRIBE "a b"')
    c.ok("SELECT INBOX")
    c.ok("UID STORE 1:10 +FLAGS (\\Answered $Label1)")
    c.ok("UID STORE 5:6 +FLAGS ($MDNSent NonJunk work)")
    c.ok("UID STORE 7 FLAGS (\\Draft $Forwarded)")
    c.ok("UID STORE 3,9 +FLAGS (\\Deleted)")
    c.ok("UID EXPUNGE 3")
    c.ok("UID COPY 1:12 Copies")
    c.ok("UID COPY 10:12 Copies")       # a second time: other bases, G fields
    c.ok("CREATE Gone")
    c.ok("SUBSCRIBE Gone")
    c.ok("DELETE Gone")


def work_of_imapd(c):
    c.ok("SELECT INBOX")
    c.ok("UID STORE 10:15 +FLAGS (\\Flagged fresh $Label1)")
    c.ok("UID STORE 5 -FLAGS (NonJunk)")
    c.ok("UID STORE 16:17 +FLAGS (\\Deleted)")
    c.ok("UID EXPUNGE 16:17")
    c.ok("UID COPY 1:4 Copies")
    c.ok("UID COPY 5:7 Work/2024")
    c.ok(f'UID MOVE 18:19 "{UTF7}"')
    c.append("INBOX", crlf(message("appended", BIG)), "\\Seen own $Forwarded")
    c.append("a b", crlf(message("without flags")))
    c.ok("SELECT Copies")
    c.ok("UID MOVE 2:3 INBOX")          # back, where the bases are known
    c.ok("UID STORE 13:15 FLAGS (zeta)")
    c.ok("CREATE Late/r")
    c.ok('CREATE "Late/&IKw-"')
    c.ok("SUBSCRIBE Late/r")
    c.ok("UNSUBSCRIBE Gone")
    c.ok('UNSUBSCRIBE "Work"')
    c.ok("RENAME Work Office")
    c.ok("DELETE Deep/er/est")


def check_places(form, account):
    """Whose files lie where."""
    root, home = account.mail.root, account.home
    if "control" in form:
        assert not list(root.rglob("dovecot-uidlist"))
        assert len(list(home.joinpath("control").rglob(
            "dovecot-uidlist"))) > 8
        assert home.joinpath("control", "subscriptions").exists()
    if "index" in form:
        assert not list(root.rglob("dovecot.index*"))
        assert list(home.joinpath("index").rglob("dovecot.index.log"))
    if "zlib" in form:
        packed = [p for p in root.rglob("*") if p.is_file()
                  and p.read_bytes()[:2] == b"\x1f\x8b"]
        assert len(packed) > 10
    if form == "subscriptions-1":
        lines = (root / "subscriptions").read_text().splitlines()
        assert "Work.2024" in lines and "V\t2" not in lines
    else:
        assert [p for p in home.rglob("subscriptions")
                if p.read_bytes().startswith(b"V\t2\n\n")]


@pytest.mark.parametrize("form", FORMS)
def test_from_dovecot_and_back(form, server, new_account):
    options, plugins, folders = FORMS[form]
    location = f"maildir:~/Maildir{options}"
    account = new_account(f"userdb_mail={location}")

    def theirs():
        return dovecot(account.home, location, plugins)

    if form == "subscriptions-1":
        account.mail.write(account.mail.root / "subscriptions", b"INBOX\n")
    with theirs() as c:
        years_of_dovecot(c, account, FOLDERS + folders)
        before = view(c)
    assert len(before["boxes"]) >= len(FOLDERS) + len(folders)
    check_places(form, account)
    with server.login(account) as c:
        same(before, view(c))
        work_of_imapd(c)
        after = view(c)
    assert after["boxes"].keys() ^ before["boxes"].keys()
    with theirs() as c:
        same(after, view(c))
        c.ok("SELECT INBOX")
        c.ok("UID STORE 1:* +FLAGS (\\Answered again)")
        c.ok("UID COPY 1:2 Office")
        c.append("Copies", crlf(message("appended at last", BIG)))
        last = view(c)
    with server.login(account) as c:
        same(last, view(c))
    check_places(form, account)
    log = account.home / "dovecot.log"
    text = log.read_text() if log.exists() else ""
    assert "Error:" not in text and "Warning:" not in text, text


def test_lists_of_version_1(server, new_account):
    """Courier's form under Dovecot's name, as old Dovecots left it."""
    account = new_account()
    mail = account.mail
    for n in range(3):
        mail.deliver(message(n=n), flags="", name=f"{1600000000 + n}.M1P1.h")
    mail.write(mail.root / "dovecot-uidlist",
               b"1 1234567890 42\n10 1600000000.M1P1.h\n20 1600000001.M1P1.h\n")
    with server.login(account) as c:
        ours = view(c)
    assert ours["boxes"]["INBOX"]["status"] == {
        "MESSAGES": 3, "UIDNEXT": 43, "UIDVALIDITY": 1234567890, "UNSEEN": 3}
    with dovecot(account.home, "maildir:~/Maildir") as c:
        same(ours, view(c))


# ---- Courier ---------------------------------------------------------------

@pytest.fixture(scope="module")
def courier_root():
    root = courier_packages.installed()
    if root:
        yield root
        return
    d = run_dir()
    try:
        yield courier_packages.unpack(d)
    except (OSError, subprocess.CalledProcessError) as e:
        pytest.skip(f"no packages of Courier: {e}")
    finally:
        shutil.rmtree(d)


COURIER_FOLDERS = ["INBOX.Work", "INBOX.Work.2024", "INBOX.R&AOk-sum&AOk-",
                   "INBOX.a b", "INBOX.Copies"]


def years_of_courier(c, account):
    for n in range(12):
        account.mail.deliver(
            message(f"delivered {n}"), name=f"{1600000000 + n}.M{n}P1.host",
            mtime=1600000000 + n * 7919)
    for name in COURIER_FOLDERS:
        c.ok(f'CREATE "{name}"')
        c.ok(f'SUBSCRIBE "{name}"')
        c.append(name, crlf(message(f"in {name}")), "\\Seen")
    c.ok("SUBSCRIBE INBOX")
    c.ok("SELECT INBOX")
    c.ok("UID STORE 1:6 +FLAGS (\\Answered)")
    c.ok("UID STORE 2:4 +FLAGS (Junk $Forwarded)")
    c.ok("UID STORE 4:5 +FLAGS (zeta)")
    c.ok("UID STORE 7 +FLAGS (\\Deleted)")
    c.ok("EXPUNGE")
    c.ok("UID COPY 1:4 INBOX.Copies")
    c.ok("SELECT INBOX.Copies")
    c.ok("UID STORE 2 +FLAGS (\\Flagged alpha)")
    c.ok("UID STORE 3 -FLAGS (Junk)")


def contents(v, drop_keywords=False):
    """{box: {bytes: flags}}: what is left when UIDs are another server's."""
    return {name: sorted(
        (m["BODY[]"], sorted(f for f in m["FLAGS"]
                             if f.startswith("\\") or not drop_keywords))
        for m in box["messages"].values())
        for name, box in v["boxes"].items()}


def test_from_courier_to_dovecot(make_server, courier_root):
    ours = make_server({"separator": ".", "inbox_prefix": "yes",
                        "utf8_names": "yes"})
    account = ours.account("u")
    argv = courier_packages.pipe_argv(courier_root, account.home)

    def theirs():
        return Client.pipe(argv, stderr=subprocess.DEVNULL, **as_mail_user())

    with theirs() as c:
        years_of_courier(c, account)
        before = view(c)
    assert set(before["boxes"]) == {"INBOX", *COURIER_FOLDERS}
    assert account.mail.root.joinpath(".Résumé").is_dir()
    assert not list(account.mail.root.rglob("dovecot*"))
    files = {p: p.read_bytes() for p in account.mail.root.rglob("courier*")
             if p.is_file()}
    with ours.login(account) as c:
        same(before, view(c))
        c.ok("SELECT INBOX")
        c.ok("UID STORE 8:9 +FLAGS (\\Flagged fresh zeta)")
        c.ok("UID STORE 10 +FLAGS.SILENT (\\Deleted)")
        c.ok("UID EXPUNGE 10")
        c.ok("UID MOVE 11 INBOX.Work")
        c.append("INBOX.R&AOk-sum&AOk-", crlf(message("appended")), "own")
        c.ok("CREATE INBOX.&IKw-")
        c.ok("SUBSCRIBE INBOX.&IKw-")
        c.ok('UNSUBSCRIBE "INBOX.a b"')
        after = view(c)
    # A copy of the Maildir as it was may still be served by Courier.
    assert files == {p: p.read_bytes() for p in files}
    with dovecot(account.home, "maildir:~/Maildir:UTF-8", "", ".",
                 "INBOX.") as c:
        same(after, view(c))
    # Courier has UIDs of its own for what it does not know, and no letters.
    with theirs() as c:
        again = view(c)
    assert contents(again, True) == contents(after, True)
    assert again["boxes"]["INBOX"]["status"]["UIDVALIDITY"] \
        == after["boxes"]["INBOX"]["status"]["UIDVALIDITY"]


def test_courier_and_dovecot_lists_at_once(make_server, courier_root):
    """Where both have been, Dovecot's lists count: they are the later ones."""
    ours = make_server({"separator": ".", "inbox_prefix": "yes",
                        "utf8_names": "yes"})
    account = ours.account("u")
    argv = courier_packages.pipe_argv(courier_root, account.home)
    with Client.pipe(argv, stderr=subprocess.DEVNULL, **as_mail_user()) as c:
        years_of_courier(c, account)
    account.mail.deliver(message("later"), name="1500000000.M1P1.host")
    with dovecot(account.home, "maildir:~/Maildir:UTF-8", "", ".",
                 "INBOX.") as c:
        c.ok("SELECT INBOX")
        c.ok("UID STORE 1:3 +FLAGS (of_dovecot)")
        want = view(c)["boxes"]["INBOX"]
    with ours.login(account) as c:
        got = view(c)["boxes"]["INBOX"]
    assert got == want
