# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Several sessions and other programs on one mailbox; IDLE; pipelining."""

import os
import socket
import threading
import time

import pytest

from maildirs import message


def idle(c):
    c.send("i IDLE\r\n")
    untagged = []
    while True:
        r = c.read()
        if r.tag == "+":
            return untagged
        untagged.append(r)


def done(c):
    c.send("DONE\r\n")
    r = c.tagged("i")
    assert r.status == "OK"
    return r


# ---- IDLE ------------------------------------------------------------------

def test_idle_delivery(account, inbox):
    idle(inbox)
    t = time.monotonic()
    account.mail.deliver()
    while True:
        r = inbox.read()
        if r.name == "EXISTS":
            break
    assert r.number == 4
    assert time.monotonic() - t < 3
    done(inbox)
    assert 4 in inbox.ok("FETCH 1:* UID").fetch()


@pytest.mark.imapd
def test_idle_is_prompt(account, inbox):
    idle(inbox)
    time.sleep(0.2)
    t = time.monotonic()
    account.mail.deliver()
    while inbox.read().name != "EXISTS":
        pass
    assert time.monotonic() - t < 0.2, "inotify should tell at once"
    done(inbox)


def test_idle_flags_and_expunge(account, inbox, login):
    other = login()
    other.ok("SELECT INBOX")
    idle(inbox)
    other.ok("STORE 2 +FLAGS (\\Flagged)")
    while True:
        r = inbox.read()
        if r.name == "FETCH":
            break
    assert r.number == 2
    other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    other.ok("EXPUNGE")
    while True:
        r = inbox.read()
        if r.name == "EXPUNGE":
            break
    assert r.number == 1
    done(inbox)


def test_idle_without_mailbox(client):
    idle(client)
    done(client)


def test_idle_foreign_removal(account, inbox):
    idle(inbox)
    account.mail.files()[0].unlink()
    while True:
        r = inbox.read()
        if r.name == "EXPUNGE":
            break
    assert r.number == 1
    done(inbox)


def test_commands_behind_done(account, inbox):
    inbox.send("i IDLE\r\nDONE\r\nn NOOP\r\n")
    while inbox.read().tag != "i":
        pass
    assert inbox.tagged("n").status == "OK"


# ---- what other sessions and programs do -----------------------------------

def test_noop_tells_news(account, inbox):
    account.mail.deliver()
    r = inbox.ok("NOOP")
    assert r.exists() == 4


def test_flags_of_another_session(inbox, login):
    other = login()
    other.ok("SELECT INBOX")
    other.ok("STORE 3 +FLAGS (\\Answered custom)")
    r = inbox.ok("NOOP").fetch()
    assert {"\\Answered", "custom"} <= set(r[3]["FLAGS"])


def test_foreign_rename_is_a_flag_change(account, inbox):
    p = account.mail.files()[1]
    p.rename(p.with_name(p.name + "FS"))
    r = inbox.ok("NOOP").fetch()
    assert {"\\Flagged", "\\Seen"} <= set(r[2]["FLAGS"])
    assert not inbox.ok("NOOP").all("EXPUNGE")


def test_no_expunge_during_fetch_store_search(inbox, login):
    """RFC 3501 7.4.1: the numbers of a pipelined command must stay good."""
    other = login()
    other.ok("SELECT INBOX")
    other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    other.ok("EXPUNGE")
    for command in ("FETCH 2:3 FLAGS", "STORE 3 +FLAGS (\\Seen)",
                    "SEARCH ALL"):
        r = inbox.cmd(command)
        assert not r.all("EXPUNGE"), command
    r = inbox.ok("NOOP")
    assert [x.number for x in r.all("EXPUNGE")] == [1]
    assert sorted(inbox.uid_fetch("1:*", "FLAGS")) == [2, 3]


@pytest.mark.imapd
def test_store_passes_over_what_is_gone(inbox, login):
    other = login()
    other.ok("SELECT INBOX")
    other.ok("STORE 1:2 +FLAGS.SILENT (\\Deleted)")
    other.ok("EXPUNGE")
    assert not inbox.ok("STORE 1:2 +FLAGS (\\Seen)").untagged
    assert list(inbox.ok("STORE 1:3 +FLAGS (\\Seen)").fetch()) == [3]


@pytest.mark.imapd
def test_flags_wait_for_who_reads_the_directory(account, inbox):
    """Dovecot holds the lock while it reads cur/; a file renamed meanwhile it
    may take for gone.  Its indexes, and so all signs of it, may be elsewhere."""
    lock = account.mail.write(account.mail.root / "dovecot-uidlist.lock",
                              f"{os.getpid()}:{socket.gethostname()}".encode())
    seen = []

    def release():
        seen.append(account.mail.flags())
        lock.unlink()
    t = threading.Timer(0.4, release)
    t.start()
    inbox.ok("STORE 1 +FLAGS (\\Flagged)")
    t.join()
    assert set(seen[0].values()) == {""}
    assert sorted(account.mail.flags().values()) == ["", "", "F"]


@pytest.mark.imapd
@pytest.mark.parametrize("verb", ["COPY", "MOVE"])
def test_copy_and_move_take_flags_as_they_are(account, login, verb):
    """The other session was told OK: what it set must be where the message is,
    although this one has not heard of it yet."""
    for n in range(2):
        account.mail.deliver(message(n=n), flags="", name=f"17{n}.M1P1.host")
    account.mail.make("Box")
    ours, theirs = login(), login()
    ours.ok("SELECT INBOX")
    theirs.ok("SELECT INBOX")
    theirs.ok("STORE 1 +FLAGS (\\Flagged)")
    theirs.ok("STORE 2 +FLAGS (\\Seen fresh)")
    ours.ok(f"{verb} 1:2 Box")
    ours.ok("SELECT Box")
    flags = [set(ours.fetch_one(n, "FLAGS")["FLAGS"]) - {"\\Recent"}
             for n in (1, 2)]
    assert flags == [{"\\Flagged"}, {"\\Seen", "fresh"}]


@pytest.mark.imapd
def test_move_of_what_is_gone(account, inbox):
    """It cannot be moved, but it must leave the client's view."""
    inbox.ok("CREATE Box")
    account.mail.files()[1].unlink()
    r = inbox.ok("UID MOVE 2:3 Box")
    gone = r.all("EXPUNGE") + inbox.ok("NOOP").all("EXPUNGE")
    assert len(gone) == 2
    account.mail.files()[0].unlink()
    r = inbox.cmd("MOVE 1 Box")
    gone = r.all("EXPUNGE") + inbox.ok("NOOP").all("EXPUNGE")
    assert r.status == "NO" and len(gone) == 1


def test_expunge_race(account, login):
    """Two sessions expunge and fetch at once; numbers stay consistent."""
    for n in range(60):
        account.mail.deliver(message(n=n), flags="")
    a, b = login(), login()
    for c in (a, b):
        assert c.ok("SELECT INBOX").exists() == 60
    known = list(range(1, 61))      # what b has been told
    for uids in ("1:10", "20:30", "50:55"):
        a.ok(f"UID STORE {uids} +FLAGS.SILENT (\\Deleted)")
        assert a.ok("EXPUNGE").all("EXPUNGE")
        for command in ("UID SEARCH ALL", "FETCH 1 UID", "NOOP"):
            for x in b.cmd(command).all("EXPUNGE"):
                del known[x.number - 1]
        assert known == b.ok("UID SEARCH ALL").search()
    assert known == a.ok("UID SEARCH ALL").search()
    assert len(known) == 60 - 27


def test_two_writers(account, login):
    """Flags set by both, appends by both: nothing lost, no UID twice."""
    account.mail.deliver(message(), flags="")
    errors = []

    def work(word):
        try:
            c = login()
            c.ok("SELECT INBOX")
            for i in range(25):
                c.append("INBOX", message(f"{word}{i}"))
                c.ok(f"UID STORE 1 +FLAGS ({word})")
            c.logout()
        except BaseException as e:      # noqa: B902 - reported below
            errors.append(e)
    threads = [threading.Thread(target=work, args=(w,))
               for w in ("alpha", "beta", "gamma")]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors, errors
    c = login()
    assert c.ok("SELECT INBOX").exists() == 76
    assert len(set(c.uid_fetch("1:*", "FLAGS"))) == 76
    assert {"alpha", "beta", "gamma"} <= set(c.fetch_one(1, "FLAGS")["FLAGS"])
    _, records = account.mail.uidlist()
    assert len(set(records.values())) == len(records)


@pytest.mark.imapd
def test_beside_dovecot(server, account, login, dovecot):
    """Both serve one Maildir at the same time: same UIDs, news of each other."""
    link = dovecot.dir / "home" / account.name
    link.symlink_to(account.home)
    ours = login()
    theirs = dovecot.connect()
    theirs.login(account.name, "pass_word")
    for n in range(5):
        account.mail.deliver(message(n=n))
    a = ours.ok("SELECT INBOX")
    b = theirs.ok("SELECT INBOX")
    assert a.codes("UIDVALIDITY")[0].data == b.codes("UIDVALIDITY")[0].data
    item = "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]"

    def both_see_the_same():
        ours.ok("NOOP")
        theirs.ok("NOOP")
        x = ours.uid_fetch("1:*", f"(FLAGS {item})")
        y = theirs.uid_fetch("1:*", f"(FLAGS {item})")
        assert sorted(x) == sorted(y)
        for uid in x:
            assert x[uid][item.replace(".PEEK", "")] \
                == y[uid][item.replace(".PEEK", "")]
            assert set(x[uid]["FLAGS"]) - {"\\Recent"} \
                == set(y[uid]["FLAGS"]) - {"\\Recent"}, uid
        return sorted(x)
    assert len(both_see_the_same()) == 5
    ours.ok("UID STORE 2 +FLAGS (\\Flagged ours)")
    theirs.ok("UID STORE 3 +FLAGS (\\Answered theirs)")
    both_see_the_same()
    ours.append("INBOX", message("ours"))
    theirs.append("INBOX", message("theirs"))
    account.mail.deliver()
    assert len(both_see_the_same()) == 8
    ours.ok("UID STORE 1 +FLAGS.SILENT (\\Deleted)")
    ours.ok("EXPUNGE")
    theirs.ok("UID STORE 5 +FLAGS.SILENT (\\Deleted)")
    theirs.ok("EXPUNGE")
    assert both_see_the_same() == [2, 3, 4, 6, 7, 8]
    theirs.close()


def test_uidlist_that_others_rewrite(account, inbox):
    """A new inode with the same content: nothing may happen."""
    p = account.mail.root / "dovecot-uidlist"
    new = account.mail.write(p.with_suffix(".new"), p.read_bytes())
    new.rename(p)
    r = inbox.ok("NOOP")
    assert not r.all("EXPUNGE") and not r.all("EXISTS")
    account.mail.deliver()
    assert inbox.ok("NOOP").exists() == 4
    assert sorted(inbox.uid_fetch("1:*", "FLAGS")) == [1, 2, 3, 4]


@pytest.mark.differs("renumbers")
@pytest.mark.parametrize("damage", [
    b"garbage\n", b"7 x\n", b"20:name\n", b"0 :zero\n", b"\0\0\0\n",
    b"2 :again\n"])
def test_damaged_uidlist(account, login, damage):
    """UIDVALIDITY and every UID that can be read survive."""
    for n in range(4):
        account.mail.deliver(message(n=n), flags="",
                             name=f"17000000{n}.M1P1.host")
    c = login()
    validity = c.ok("SELECT INBOX").codes("UIDVALIDITY")[0].data
    c.logout()
    p = account.mail.root / "dovecot-uidlist"
    lines = p.read_bytes().splitlines(keepends=True)
    account.mail.write(p, b"".join(lines[:3] + [damage] + lines[3:]))
    c = login()
    r = c.ok("SELECT INBOX")
    assert r.codes("UIDVALIDITY")[0].data == validity
    got = c.uid_fetch("1:*", "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]")
    assert sorted(got) == [1, 2, 3, 4]
    for uid, m in got.items():
        assert b"<m%d@" % (uid - 1) in m["BODY[HEADER.FIELDS (MESSAGE-ID)]"]


@pytest.mark.imapd
def test_vanished_root_is_no_empty_inbox(account, login):
    """A disk that is not mounted."""
    for n in range(2):
        account.mail.deliver(message(n=n))
    login().logout()
    away = account.home.with_name(account.home.name + ".away")
    account.home.rename(away)
    try:
        c = login()
        r = c.no("SELECT INBOX")
        assert r.code == "UNAVAILABLE"
        assert not account.home.exists()
    finally:
        if not account.home.exists():
            away.rename(account.home)


# ---- pipelining and literals -----------------------------------------------

@pytest.mark.differs("it searches before the STORE is seen")
def test_pipelining(inbox):
    inbox.send("a FETCH 1 UID\r\nb STORE 2 +FLAGS (\\Seen)\r\n"
               "c SEARCH SEEN\r\nd NOOP\r\ne FETCH 3 FLAGS\r\n")
    assert inbox.tagged("a").fetch()[1]["UID"] == 1
    assert inbox.tagged("b").status == "OK"
    assert inbox.tagged("c").search() == [2]
    assert inbox.tagged("d").status == "OK"
    assert 3 in inbox.tagged("e").fetch()


def test_a_thousand_pipelined(inbox):
    n = 1000
    inbox.send("".join(f"p{i} NOOP\r\n" for i in range(n)))
    for i in range(n):
        assert inbox.tagged(f"p{i}").status == "OK"


def test_byte_by_byte(inbox):
    for b in b"z FETCH 1 (UID)\r\n":
        inbox.send(bytes([b]))
        time.sleep(0.002)
    assert inbox.tagged("z").fetch()[1]["UID"] == 1


def test_literals_in_search(inbox):
    assert inbox.ok("SEARCH SUBJECT", b"Second").search() == [2]
    inbox.send(b"a SEARCH SUBJECT {6+}\r\nSecond BODY {3+}\r\nTwo\r\n")
    assert inbox.tagged("a").search() == [2]


def test_reader_that_is_slow(account, login):
    """Much output, read late: nothing is lost and nothing is mixed up."""
    for n in range(20):
        account.mail.deliver(message(body="x" * 70 + "\n" + "y\n" * 50000),
                             flags="")
    c = login()
    c.ok("SELECT INBOX")
    c.send("a FETCH 1:* BODY.PEEK[]\r\nb NOOP\r\n")
    time.sleep(1)
    assert len(c.tagged("a").fetch()) == 20
    assert c.tagged("b").status == "OK"


def test_client_vanishes(server, account, login):
    """A closed connection ends the session's processes."""
    c = login()
    c.ok("SELECT INBOX")
    c.sock.close()
    time.sleep(0.5)
    left = [p for p in os.listdir("/proc") if p.isdigit()
            and account.name in _cmdline(p)]
    assert not left


def _cmdline(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read().decode(errors="replace")
    except OSError:
        return ""
