# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""QUOTA (RFC 9208), and maildirsize kept together with Dovecot."""

import os
import pathlib
import random
import re
import shutil
import subprocess
import threading
import time

import pytest

from imapclient import Client
from maildirs import crlf, message
from servers import IMAPD, MAIL_GID, MAIL_UID, as_mail_user, run_dir

pytestmark = pytest.mark.imapd()

ROOT = "User quota"


@pytest.fixture
def limited(new_account, login):
    """limited(rule) -> (account, client)"""
    def make(rule="*:storage=100:messages=20"):
        a = new_account(f"userdb_quota_rule={rule}" if rule else "")
        return a, login(a)
    return make


def quota(c, verb=f'GETQUOTA "{ROOT}"'):
    """{resource: (used, limit)}"""
    r = c.ok(verb).one("QUOTA")
    root, values = r.data
    assert root == ROOT.encode()
    return {str(values[i]): (values[i + 1], values[i + 2])
            for i in range(0, len(values), 3)}


def lines(account):
    return (account.mail.root / "maildirsize").read_text().splitlines()


def total(account):
    """What maildirsize says: (bytes, messages)"""
    pairs = [x.split() for x in lines(account)[1:]]
    return sum(int(b) for b, _ in pairs), sum(int(n) for _, n in pairs)


def truth(root):
    """What is there: (bytes, messages)"""
    files = [pathlib.Path(d, f) for d, _, names in os.walk(root)
             if d.endswith(("/new", "/cur")) and "/.." not in d for f in names]
    return sum(int(m.group(1)) if (m := re.search(r",S=(\d+)", p.name))
               else p.stat().st_size for p in files), len(files)


# ---- the protocol (RFC 9208) -----------------------------------------------

def test_capability(client):
    assert {"QUOTA", "QUOTA=RES-STORAGE", "QUOTA=RES-MESSAGE"} <= \
        client.capability()
    assert "QUOTASET" not in client.capability()


def test_getquota(limited):
    """4.1.1, 4.2.1"""
    a, c = limited()
    a.mail.deliver(b"x" * 3000)
    assert quota(c) == {"STORAGE": (3, 100), "MESSAGE": (1, 20)}
    assert quota(c, 'getquota {10+}\r\nUser quota') == quota(c)


def test_getquota_of_no_root(limited):
    a, c = limited()
    for root in ('""', "!partition/sda4", '"#user/alice"', '"user quota"'):
        r = c.no(f"GETQUOTA {root}")
        assert r.code == "NONEXISTENT" and not r.untagged


def test_getquotaroot(limited):
    """4.1.2, also of a mailbox that is not there."""
    a, c = limited()
    for sent, told in (("inbox", "INBOX"), ("blurdybloop", "blurdybloop"),
                       ('"Gibt es/nicht"', "Gibt es/nicht")):
        r = c.ok(f"GETQUOTAROOT {sent}")
        name, *roots = r.one("QUOTAROOT").data
        assert str(name) == told or name == told.encode()
        assert roots == [ROOT.encode()]
        assert r.one("QUOTA").data[0] == ROOT.encode()
        assert r.untagged[0].name == "QUOTAROOT"
    assert c.no('GETQUOTAROOT "a//b"').code == "CANNOT"


def test_in_both_states(limited):
    a, c = limited()
    a.mail.deliver()
    c.ok("SELECT INBOX")
    assert quota(c, "GETQUOTAROOT INBOX")["MESSAGE"] == (1, 20)


def test_user_without_quota(client):
    """Zero roots (3.2), and no QUOTA then."""
    r = client.ok("GETQUOTAROOT INBOX")
    assert [str(x) for x in r.one("QUOTAROOT").data] == ["INBOX"]
    assert not r.all("QUOTA")
    client.no(f'GETQUOTA "{ROOT}"')


def test_resources_without_a_limit(limited):
    """Resources not named are not limited (4.2.1)."""
    assert set(quota(limited("*:storage=1M")[1])) == {"STORAGE"}
    assert set(quota(limited("*:messages=7")[1])) == {"MESSAGE"}
    assert quota(limited("*:storage=0")[1]) == {}


def test_setquota_is_no_command(limited):
    """4.1.3: it comes with QUOTASET; else BAD, command unknown."""
    a, c = limited()
    r = c.cmd(f'SETQUOTA "{ROOT}" (STORAGE 510)')
    assert r.status == "BAD"
    r = c.cmd("SETQUOTA {10+}\r\nUser quota (STORAGE 510)")
    assert r.status == "BAD"
    assert quota(c)["STORAGE"][1] == 100


@pytest.mark.parametrize("line", [
    "GETQUOTA", "GETQUOTA ", "GETQUOTA a b", "GETQUOTA (a)", "GETQUOTAROOT",
    "GETQUOTAROOT a b", "STATUS INBOX (DELETED-STORAGE-)"])
def test_bad_syntax(client, line):
    client.bad(line)
    client.ok("NOOP")


def test_status_deleted_storage(limited):
    """4.1.4"""
    a, c = limited()
    for n in range(12):
        a.mail.deliver(b"x" * (n + 1), flags="T" if n < 4 else "")
    got = c.status("INBOX", "MESSAGES DELETED DELETED-STORAGE")
    assert got == {"MESSAGES": 12, "DELETED": 4, "DELETED-STORAGE": 10}
    before = total(a) if (a.mail.root / "maildirsize").exists() else None
    c.ok("SELECT INBOX")
    assert quota(c)["MESSAGE"] == (12, 20)
    c.ok("EXPUNGE")
    assert quota(c)["MESSAGE"] == (8, 20)
    assert before is None and total(a) == (68, 8)
    assert c.status("INBOX", "DELETED-STORAGE") == {"DELETED-STORAGE": 0}
    r = c.ok('LIST "" INBOX RETURN (STATUS (DELETED-STORAGE DELETED))')
    assert "DELETED-STORAGE 0" in repr(r.one("STATUS").raw)


# ---- refused, and not ------------------------------------------------------

BIG = crlf(message(body="x" * 70 + "\n" * 30000))


def test_overquota_append(limited):
    """4.3.1: refused before the literal is sent."""
    a, c = limited("*:storage=20")
    tag = c.tag()
    c.send(f"{tag} APPEND INBOX (\\Seen) {{{len(BIG)}}}\r\n")
    r = c.read()
    assert r.tag == tag and r.status == "NO" and r.code == "OVERQUOTA"
    # sent all the same
    r = c.cmd(f"APPEND INBOX {{{len(BIG)}+}}\r\n{BIG.decode()}")
    assert r.status == "NO" and r.code == "OVERQUOTA"
    assert not a.mail.files() and not list((a.mail.root / "tmp").iterdir())
    c.append("INBOX", crlf(message()))


def test_overquota_multiappend(limited):
    """All or nothing; the one that is too much is not asked for."""
    a, c = limited("*:messages=3")
    m = crlf(message())
    r = c.cmd("APPEND INBOX", m, "", m, "", m, "", m)
    assert r.status in ("BAD", "NO")
    tag = c.tag()
    c.send(f"{tag} APPEND INBOX {{{len(m)}+}}\r\n".encode() + m
           + f" {{{len(m)}+}}\r\n".encode() + m
           + f" {{{len(m)}+}}\r\n".encode() + m
           + f" {{{len(m)}}}\r\n".encode())
    r = c.tagged(tag)
    assert r.status == "NO" and r.code == "OVERQUOTA"
    assert not a.mail.files()


def test_overquota_copy_and_what_still_works(limited, new_account, login):
    a, c = limited("*:storage=1:messages=2")
    for n in range(4):
        a.mail.deliver(b"x" * 700, flags="")
    c.ok("CREATE Box")
    c.ok("SELECT INBOX")
    assert quota(c) == {"STORAGE": (3, 1), "MESSAGE": (4, 2)}
    assert c.no("COPY 1 Box").code == "OVERQUOTA"
    assert c.no("UID COPY 1:* INBOX").code == "OVERQUOTA"
    c.ok("STORE 2 +FLAGS (\\Deleted keyword)")
    c.ok("UID MOVE 1 Box")
    c.ok("EXPUNGE")
    c.ok("RENAME Box Other")
    c.ok("DELETE Other")
    assert quota(c) == {"STORAGE": (2, 1), "MESSAGE": (2, 2)}
    c.ok("UID STORE 3 +FLAGS (\\Deleted)")
    c.ok("UID EXPUNGE 3")
    assert quota(c)["STORAGE"] == (1, 1)
    assert c.no("COPY 1 INBOX").code == "OVERQUOTA"     # 1400 of 1024 bytes


def test_kept_line_by_line(limited):
    a, c = limited("*:storage=1M:messages=1000")
    m = message()
    size, m = len(m), crlf(m)
    c.append("INBOX", m, "\\Seen")
    c.append("INBOX", m, "\\Seen")
    assert lines(a) == ["1048576S,1000C", "0 0", f"{size} 1", f"{size} 1"]
    c.ok("CREATE Box")
    c.ok("SELECT INBOX")
    c.ok("COPY 1:2 Box")
    assert lines(a)[-1] == f"{2 * size} 2"
    c.ok("MOVE 1:2 Box")
    assert lines(a)[-1] == f"{2 * size} 2"
    c.ok("DELETE Box")
    assert lines(a)[-1] == f"-{4 * size} -4"
    assert total(a) == (0, 0) == truth(a.mail.root)


def test_two_sessions_count_together(limited, login):
    a, c = limited("*:messages=5")
    d = login(a)
    for x in (c, d, c, d, c):
        x.append("INBOX", crlf(message()))
    for x in (c, d):
        r = x.cmd("APPEND INBOX", crlf(message()))
        assert r.status == "NO" and r.code == "OVERQUOTA"


def test_who_does_not_tell(limited):
    """Deliveries and removals by programs that know no maildirsize."""
    a, c = limited()
    a.mail.deliver(b"x" * 1024)
    assert quota(c)["MESSAGE"] == (1, 20)
    for n in range(2, 6):
        path = a.mail.deliver(b"x" * 1024, "Sub")
        assert quota(c) == {"STORAGE": (n, 100), "MESSAGE": (n, 20)}
    path.unlink()
    assert quota(c) == {"STORAGE": (4, 100), "MESSAGE": (4, 20)}


def test_who_tells(limited):
    """A delivery agent that appends its line is believed."""
    a, c = limited("*:storage=1M")
    c.append("INBOX", crlf(message()))
    time.sleep(0.02)
    a.mail.deliver(b"x" * 100)
    with open(a.mail.root / "maildirsize", "ab") as f:
        f.write(b"100 1\n")
    before = lines(a)
    time.sleep(0.02)
    c.append("INBOX", crlf(message()))
    assert lines(a)[:len(before)] == before
    assert total(a) == truth(a.mail.root)


def busy(account, login, seed, errors):
    """One of several sessions that change what is there all the time."""
    rng = random.Random(seed)
    try:
        c = login(account)
        for _ in range(60):
            what = rng.randrange(5)
            if what <= 1:
                c.append("INBOX", crlf(message(body="z" * rng.randrange(200)
                                               + "\n")), "\\Seen")
            elif what == 2:
                (account.mail.root / "maildirsize").unlink(missing_ok=True)
            else:
                n = c.ok("SELECT INBOX").exists()
                some = f"{rng.randint(1, n)}:{rng.randint(1, n)}" if n else "1"
                if what == 3 and n:
                    c.cmd(f"COPY {some} Box")
                elif n:
                    c.ok(f"UID STORE {some} +FLAGS.SILENT (\\Deleted)")
                    c.ok("EXPUNGE")
    except Exception as e:
        errors.append(e)


@pytest.mark.parametrize("seed", range(3))
def test_many_sessions_at_once(limited, login, seed):
    """Nobody's change is lost, or counted twice, while others count anew."""
    a, c = limited("*:storage=100M:messages=100000")
    c.ok("CREATE Box")
    errors = []
    threads = [threading.Thread(target=busy, args=(a, login, seed * 10 + i,
                                                   errors)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors
    n, messages = truth(a.mail.root)
    if (a.mail.root / "maildirsize").exists():      # not deleted at the end
        assert total(a) == (n, messages) or total(a)[0] < 0
    assert quota(c)["MESSAGE"][0] == messages
    assert total(a) == (n, messages)


# ---- where limits come from ------------------------------------------------

def test_key_of_the_configuration(make_server):
    s = make_server({"quota": "*:storage=10M"})
    one = s.login(s.account("one"))
    assert quota(one) == {"STORAGE": (0, 10240)}
    two = s.login(s.account("two", "userdb_quota_rule=*:messages=5"))
    assert quota(two) == {"MESSAGE": (0, 5)}
    three = s.login(s.account("three", "userdb_quota_rule=none"))
    assert not three.ok("GETQUOTAROOT INBOX").all("QUOTA")
    four = s.login(s.account("four", "userdb_quota_rule=Trash:ignore"))
    assert quota(four) == {"STORAGE": (0, 10240)}
    five = s.login(s.account("five", "userdb_quota_storage_size=1G "
                             "userdb_quota_message_count=9"))
    assert quota(five) == {"STORAGE": (0, 1 << 20), "MESSAGE": (0, 9)}


def test_maildirsize_has_the_limits(make_server):
    s = make_server({"quota": "maildirsize"})
    a = s.account("joe")
    c = s.login(a)
    assert not c.ok("GETQUOTAROOT INBOX").all("QUOTA")
    c.append("INBOX", crlf(message()))
    assert not (a.mail.root / "maildirsize").exists()
    a.mail.write(a.mail.root / "maildirsize", b"2048S,7C\n")
    assert quota(c) == {"STORAGE": (1, 2), "MESSAGE": (1, 7)}
    assert lines(a)[0] == "2048S,7C" and total(a) == truth(a.mail.root)


def test_malformed_rule(make_server):
    s = make_server()
    a = s.account("joe", "userdb_quota_rule=*:storage=1Q")
    assert s.connect().cmd(f'LOGIN joe "{a.password}"').status == "NO"
    assert "malformed quota" in s.log_text()
    out = subprocess.run([IMAPD, "-c", "/dev/null", "-o", "quota=1Q", "-T"],
                         capture_output=True, text=True)
    assert out.returncode != 0 and "quota" in out.stderr


def calls(root, quota):
    """The system calls of three APPENDs, a COPY and an EXPUNGE.  Not of imapd:
    strace may not read the memory of a session."""
    log = root.parent / "strace"
    build = pathlib.Path(os.environ.get("IMAPD_BUILD", "../.."))
    with Client.pipe(["strace", "-qq", "-o", str(log), "-s", "9999",
                      str(build / "tests/session/session_pipe"), str(root),
                      f"quota={quota}"],
                     stderr=subprocess.DEVNULL, **as_mail_user()) as c:
        for _ in range(3):
            c.append("INBOX", crlf(message(n=1)), "\\Deleted")
        c.ok("SELECT INBOX")
        c.ok("COPY 1:3 INBOX")
        c.ok("EXPUNGE")
        c.ok("LOGOUT")
    text = log.read_text(errors="replace")
    log.unlink()
    return text


def test_without_quota_nothing_is_looked_at(account):
    text = calls(account.mail.root, "none")
    assert '"dovecot-uidlist"' in text and "maildirsize" not in text
    text = calls(account.mail.root, "*:storage=1M")
    assert text.count("maildirsize") > 5


# ---- Dovecot on the same Maildir -------------------------------------------

def dovecot(home, rule, options=""):
    conf = home / "dovecot.conf"
    conf.write_text(
        f"mail_location = maildir:{home}/Maildir{options}\n"
        f"mail_home = {home}\n"
        f"log_path = {home}/dovecot.log\nssl = no\n"
        "stats_writer_socket_path =\n"
        f"mail_uid = {MAIL_UID}\nmail_gid = {MAIL_GID}\nfirst_valid_uid = 1\n"
        "namespace inbox {\n  inbox = yes\n  separator = /\n}\n"
        "mail_plugins = quota imap_quota\n"
        f"plugin {{\n  quota = maildir:{ROOT}\n"
        + (f"  quota_rule = {rule}\n" if rule else "") + "}\n")
    conf.chmod(0o644)
    return Client.pipe(
        ["env", f"USER={MAIL_UID}", f"HOME={home}", "/usr/lib/dovecot/imap",
         "-c", str(conf)], stderr=subprocess.DEVNULL, **as_mail_user())


def imapd(home, rule, options=""):
    return Client.pipe(
        [str(IMAPD), "-o", f"quota={rule or 'maildirsize'}", "-d",
         f"{home}/Maildir{options}"], stderr=subprocess.DEVNULL, **as_mail_user())


def some_change(c, rng, can_copy=True):
    """One of the things that change what is there."""
    boxes = ["INBOX", "A", "B", "Trash"]
    box, other = rng.sample(boxes, 2)
    what = rng.randrange(7)
    if what <= 2:
        m = crlf(message(body="y" * rng.randrange(400) + "\n"))
        c.cmd(f"APPEND {box} (\\Seen)", m)
        return
    r = c.cmd(f"SELECT {box}")
    if r.status == "NO":
        # Dovecot, once, after the other has made it anew.
        assert "deleted under us" in r.text
        return
    n = r.exists()
    if n == 0:
        pass
    elif what == 3:
        if can_copy:
            c.cmd(f"COPY 1:{rng.randint(1, n)} {other}")
    elif what == 4:
        c.ok(f"MOVE 1:{rng.randint(1, n)} {other}")
    elif what == 5:
        c.ok(f"STORE {rng.randint(1, n)} +FLAGS (\\Deleted)")
        c.ok("EXPUNGE")
    # The other may delete it: Dovecot would end a session that has it selected.
    c.ok("CLOSE")
    if what == 6 and box != "INBOX":
        c.ok(f"DELETE {box}")
        c.ok(f"CREATE {box}")


@pytest.fixture
def top():
    d = run_dir()
    os.chown(d, MAIL_UID, MAIL_GID)
    yield d
    shutil.rmtree(d)


@pytest.mark.parametrize("rule, seed", [
    ("*:storage=1M:messages=1000", 1), ("*:storage=6:messages=15", 2),
    ("", 3)])
def test_beside_dovecot(top, rule, seed):
    """A mixed run by both: each sees what is there, and both the same."""
    rng = random.Random(seed)
    with imapd(top, rule) as a:
        for box in ("A", "B", "Trash"):
            a.ok(f"CREATE {box}")
    if not rule:
        path = top / "Maildir" / "maildirsize"
        path.write_text("1000000S,500C\n0 0\n")
        os.chown(path, MAIL_UID, MAIL_GID)
    with imapd(top, rule) as a, dovecot(top, rule) as b:
        for i in range(120):
            c = rng.choice((a, b))
            # The text of Dovecot's NO to a COPY is memory that was freed.
            some_change(c, rng, c is a or "messages=15" not in rule)
            if i % 10 == 9:
                check_equal(top, a, b)
    with imapd(top, rule) as a, dovecot(top, rule) as b:
        check_equal(top, a, b)
        limits = quota(a)
    assert (top / "Maildir" / "maildirsize").read_text().count("\n") >= 2
    assert set(limits) == {"STORAGE", "MESSAGE"}


@pytest.mark.parametrize("options", [
    ":LAYOUT=fs", ":CONTROL={}/control", ":UTF-8", ":INBOX={}/Inbox"])
def test_beside_dovecot_in_other_layouts(top, options):
    options = options.format(top)
    rule = "*:storage=1M:messages=1000"
    rng = random.Random(options.count("/"))
    for name in ("control", "Inbox"):
        (top / name).mkdir()
        os.chown(top / name, MAIL_UID, MAIL_GID)
    with imapd(top, rule, options) as a:
        for box in ("A", "B", "Trash", '"C/Entw&APw-rfe"'):
            a.ok(f"CREATE {box}")
        a.append("C/Entw&APw-rfe", crlf(message()), "\\Seen")
    with imapd(top, rule, options) as a, dovecot(top, rule, options) as b:
        for _ in range(60):
            c = rng.choice((a, b))
            some_change(c, rng, c is a or "fs" not in options)
        # INBOX= is a directory beside the others
        check_equal(top, a, b, "" if "INBOX" in options else "Maildir")
    where = "control" if "CONTROL" in options else "Maildir"
    assert (top / where / "maildirsize").exists()


def check_equal(top, a, b, below="Maildir"):
    n, messages = truth(top / below)
    theirs = quota(b)       # first: we might count anew
    ours = quota(a)
    assert ours == theirs
    assert ours["STORAGE"][0] == (n + 1023) // 1024
    assert ours["MESSAGE"][0] == messages


def test_dovecot_makes_the_file_and_we_keep_it(top):
    rule = "*:storage=100:messages=10"
    with dovecot(top, rule) as b:
        b.append("INBOX", crlf(message()), "\\Seen")
        b.append("INBOX", crlf(message()), "\\Seen")
    path = top / "Maildir" / "maildirsize"
    before = path.read_text()
    with imapd(top, rule) as a:
        a.append("INBOX", crlf(message()), "\\Seen")
    after = path.read_text()
    assert after.startswith(before) and after.count("\n") == \
        before.count("\n") + 1
    with dovecot(top, rule) as b:
        b.append("INBOX", crlf(message()), "\\Seen")
        assert path.read_text().startswith(after)
        assert quota(b)["MESSAGE"] == (4, 10)
