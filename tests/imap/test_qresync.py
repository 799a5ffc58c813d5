# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""QRESYNC (RFC 7162 3.2): every example, and clients that come back.

The numbers of the examples are other ones here, and smaller."""

import os

import pytest

from imapclient import pairs
from maildirs import message
from test_condstore import flags, highest, modseqs
from uidsets import expand

BAD_MODSEQ = 2 ** 63


@pytest.fixture
def mailbox(account, login):
    """INBOX with messages 1 to 20; mailbox() -> a client that has selected it
    with QRESYNC enabled."""
    for n in range(1, 21):
        account.mail.deliver(message(n=n), flags="", name=f"{n:02}.M1P1.host")

    def make(enable="QRESYNC", select="SELECT INBOX"):
        c = login()
        if enable:
            c.ok(f"ENABLE {enable}")
        c.ok(select)
        return c
    return make


def vanished(r, earlier):
    """The UIDs of the VANISHED responses of one kind; none may come twice, and
    those of the other kind are not looked at."""
    out = []
    for x in r.all("VANISHED"):
        is_earlier = x.data[0] == ["EARLIER"]
        if is_earlier == earlier:
            out += expand(x.data[-1])
    assert out == sorted(set(out)), r
    return out


def state(c):
    """(uidvalidity, HIGHESTMODSEQ) of INBOX"""
    r = c.ok("SELECT INBOX")
    return r.codes("UIDVALIDITY")[0].data[0], highest(r)


def remove(c, uids):
    c.ok(f"UID STORE {uids} +FLAGS.SILENT (\\Deleted)")
    return c.ok(f"UID EXPUNGE {uids}")


def forget(account):
    """The server does not remember expunges any more."""
    for name in ("imapd.index", "imapd.journal"):
        (account.mail.root / name).unlink()


# ---- 3.2.3, 3.2.5, 3.2.6: what must be BAD ---------------------------------

@pytest.mark.differs("closes the old mailbox")
def test_not_enabled(mailbox):
    c = mailbox("")
    for command in ("SELECT INBOX (QRESYNC (1 1))",
                    "EXAMINE INBOX (CONDSTORE QRESYNC (1 1))",
                    "UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)"):
        c.bad(command)
    # The old mailbox is still there.
    assert len(c.ok("FETCH 1:* UID").fetch()) == 20
    c.ok("ENABLE CONDSTORE")
    c.bad("SELECT INBOX (QRESYNC (1 1))")
    c.bad("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)")
    c.ok("ENABLE QRESYNC CONDSTORE")
    c.ok("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)")
    c.ok("SELECT INBOX (QRESYNC (1 1))")


def test_vanished_belongs_to_changedsince(mailbox):
    c = mailbox()
    c.bad("UID FETCH 1:* (FLAGS) (VANISHED)")
    c.bad("FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)")
    c.ok("UID FETCH 1:* (FLAGS) (VANISHED CHANGEDSINCE 1)")


@pytest.mark.parametrize("parameters", [
    "(QRESYNC)", "(QRESYNC ())", "(QRESYNC (1))", "(QRESYNC (0 1))",
    "(QRESYNC (1 1)", "(QRESYNC (1 1) QRESYNC (1 1))", "(QRESYNC (1 1 1:*))",
    f"(QRESYNC (1 {BAD_MODSEQ}))", "(QRESYNC (1 1 $))",
    "(QRESYNC (1 1 1:5 (1:2)))", "(QRESYNC (1 1 1:5 (1:* 1:*)))",
    "(QRESYNC (1 1 1:5 ()))", "(QRESYNC (4294967296 1))"])
@pytest.mark.imapd
def test_malformed(mailbox, parameters):
    c = mailbox()
    c.bad(f"SELECT INBOX {parameters}")
    c.ok("NOOP")


@pytest.mark.parametrize("form", [
    "(QRESYNC ({v} {m}))", "(QRESYNC ({v} {m} 1:20))",
    "(CONDSTORE QRESYNC ({v} {m} 1:20 (1,5 1,5)))",
    "(QRESYNC ({v} {m} (1:3 1:3)) CONDSTORE)"])
def test_forms(mailbox, form):
    c = mailbox()
    v, m = state(c)
    r = c.ok("SELECT INBOX " + form.format(v=v, m=m))
    assert highest(r) == m
    assert not r.all("VANISHED") and not r.all("FETCH")


# ---- 3.2.5: SELECT ----------------------------------------------------------

def test_uidvalidity_mismatch(mailbox):
    """3.2.5, the example: nothing is told of changes."""
    c = mailbox()
    v, m = state(c)
    remove(c, "1:5")
    c.ok("STORE 1 +FLAGS (\\Seen)")
    r = c.ok(f"SELECT INBOX (QRESYNC ({v + 1} {m} 1:20))")
    assert r.codes("UIDVALIDITY")[0].data == [v]
    assert not r.all("VANISHED") and not r.all("FETCH")
    assert r.exists() == 15


@pytest.mark.parametrize("known", ["", " 1:20", " 1,3:11,14:20"])
@pytest.mark.parametrize("verb", ["SELECT", "EXAMINE"])
def test_pending_changes(mailbox, known, verb):
    """3.2.5.1, the example, in its order"""
    a, b = mailbox(), mailbox()
    v, m = state(a)
    remove(b, "1,3:6,8,10:11,14:18")
    b.ok("UID STORE 7 +FLAGS (\\Seen \\Answered)")
    b.ok("UID STORE 9 +FLAGS (\\Draft $MDNSent)")
    b.ok("UID STORE 20 +FLAGS ($Forwarded)")
    r = a.ok(f"{verb} INBOX (QRESYNC ({v} {m}{known}))")
    assert r.untagged[0].code == "CLOSED"
    assert r.exists() == 7
    assert highest(r) == b.status("INBOX", "HIGHESTMODSEQ")["HIGHESTMODSEQ"]
    assert vanished(r, True) == [1, 3, 4, 5, 6, 8, 10, 11, 14, 15, 16, 17, 18]
    assert not vanished(r, False)
    told = r.fetch()
    assert {n: m["UID"] for n, m in told.items()} == {2: 7, 3: 9, 7: 20}
    assert all(set(m) == {"UID", "FLAGS", "MODSEQ"} for m in told.values())
    assert flags(told[3]) == {"\\Draft", "$MDNSent"}
    names = [x.name or x.code for x in r.untagged]
    assert names.index("HIGHESTMODSEQ") < names.index("VANISHED") \
        < names.index("FETCH")


def test_known_uids_restrict(mailbox):
    a, b = mailbox(), mailbox()
    v, m = state(a)
    remove(b, "2,4,19")
    b.ok("UID STORE 1,5,20 +FLAGS (\\Seen)")
    r = a.ok(f"SELECT INBOX (QRESYNC ({v} {m} 3:6,20:25))")
    assert vanished(r, True) == [4]
    assert sorted(r.fetch(by_uid=True)) == [5, 20]


def test_all_by_section_6(mailbox):
    """Section 6: UIDVALIDITY is the same, HIGHESTMODSEQ is not; and the same
    answers for UID FETCH (CHANGEDSINCE VANISHED)."""
    a, b = mailbox(), mailbox()
    v, m = state(a)
    remove(b, "1:5,7:8,10:15")
    b.ok("UID STORE 6 +FLAGS (\\Deleted)")
    b.ok("UID STORE 9 +FLAGS ($NoJunk $AutoJunk $MDNSent)")
    r = a.ok(f"SELECT INBOX (QRESYNC ({v} {m} 1:19))")
    assert vanished(r, True) == [1, 2, 3, 4, 5, 7, 8, 10, 11, 12, 13, 14, 15]
    assert sorted(r.fetch()) == [1, 2]
    f = a.ok(f"UID FETCH 1:19 (FLAGS) (CHANGEDSINCE {m} VANISHED)")
    assert vanished(f, True) == vanished(r, True)
    assert f.fetch() == r.fetch()


def test_nothing_new_is_nothing(mailbox):
    a = mailbox()
    v, m = state(a)
    remove(a, "3")
    now = state(a)[1]
    assert vanished(a.ok(f"SELECT INBOX (QRESYNC ({v} {m}))"), True) == [3]
    r = a.ok(f"SELECT INBOX (QRESYNC ({v} {now}))")
    assert not r.all("VANISHED") and not r.all("FETCH")


# ---- 3.2.5.2: what the client's numbers say ---------------------------------

@pytest.mark.imapd
def test_sequence_match_data(account, login):
    """The two examples: expunges are not remembered, and only UIDs that are
    divisible by three are there."""
    for n in range(1, 301):
        account.mail.deliver(b"a: b\n\nx\n", flags="",
                             name=f"{n:03}.M1P1.host")
    c = login()
    c.ok("ENABLE QRESYNC")
    v, _ = state(c)
    remove(c, ",".join(str(n) for n in range(1, 301) if n % 3))
    c.ok("UNSELECT")
    forget(account)
    c = login()
    c.ok("ENABLE QRESYNC")
    r = c.ok(f"SELECT INBOX (QRESYNC ({v} 1 1:297))")
    assert r.exists() == 100
    assert vanished(r, True) == [n for n in range(1, 297) if n % 3]
    assert len(r.fetch()) == 99
    uids = ",".join(str(n) for n in range(270, 298, 3))
    r = c.ok(f"SELECT INBOX (QRESYNC ({v} 1 1:297 (50,75,90:99 "
             f"150,225,{uids})))")
    assert not r.all("VANISHED")
    assert len(r.fetch()) == 99
    # 4 <-> 8 fits and 12 <-> 24 does not, there.
    r = c.ok(f"SELECT INBOX (QRESYNC ({v} 1 1:40 (4,8 12,25)))")
    assert vanished(r, True) == [n for n in range(13, 41) if n % 3]
    # Without known UIDs: all that ever were.
    r = c.ok(f"SELECT INBOX (QRESYNC ({v} 1 (90 270)))")
    assert vanished(r, True) == [n for n in range(271, 300) if n % 3]


@pytest.mark.imapd
def test_forgotten_is_all_that_is_missing(account, mailbox):
    """3.2.6, the note; and UIDs that never were are not among them."""
    a = mailbox()
    v, m = state(a)
    remove(a, "2,5,19:20")
    a.ok("UNSELECT")
    forget(account)
    a = mailbox()
    r = a.ok(f"SELECT INBOX (QRESYNC ({v} {m} 1:99))")
    assert vanished(r, True) == [2, 5, 19, 20]
    assert len(r.fetch()) == 16
    r = a.ok(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {m} VANISHED)")
    assert vanished(r, True) == [2, 5, 19, 20]
    r = a.ok(f"UID FETCH 4:6,30:40 (FLAGS) (CHANGEDSINCE {m} VANISHED)")
    assert vanished(r, True) == [5]


@pytest.mark.imapd
def test_client_from_the_future(mailbox):
    """It has seen more than there is: it is told of everything."""
    a = mailbox()
    v, m = state(a)
    remove(a, "7")
    r = a.ok(f"SELECT INBOX (QRESYNC ({v} {2 ** 63 - 1}))")
    assert vanished(r, True) == [7]
    assert len(r.fetch()) == 19


# ---- 3.2.6: UID FETCH -------------------------------------------------------

@pytest.mark.differs("* is the last message there is")
def test_uid_fetch_vanished(mailbox):
    """3.2.6, example 1: in one command, and VANISHED comes first."""
    a, b = mailbox(), mailbox()
    v, m = state(a)
    remove(b, "1:3,5,11")
    b.ok("UID STORE 4 +FLAGS (\\Seen)")
    b.ok("UID STORE 8 +FLAGS ($NoJunk $AutoJunk $MDNSent)")
    a.ok("NOOP")
    r = a.ok(f"UID FETCH 2:15 (FLAGS) (CHANGEDSINCE {m} VANISHED)")
    assert vanished(r, True) == [2, 3, 5, 11]
    assert not vanished(r, False)
    assert r.untagged[0].name == "VANISHED"
    assert {n: x["UID"] for n, x in r.fetch().items()} == {1: 4, 4: 8}
    # "*" is the last UID that ever was.
    remove(a, "20")
    r = a.ok(f"UID FETCH * (FLAGS) (CHANGEDSINCE {m} VANISHED)")
    assert vanished(r, True) == [20]


def test_earlier_is_not_now(mailbox):
    """3.2.10: what the client has a number for is told by VANISHED without
    EARLIER, and once."""
    a, b = mailbox(), mailbox()
    v, m = state(a)
    a.ok("SELECT INBOX")
    remove(b, "5:6")
    r = a.ok(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {m} VANISHED)")
    assert vanished(r, True) == []
    assert vanished(r, False) == [5, 6]


# ---- 3.2.7 - 3.2.10: commands that remove -----------------------------------

@pytest.mark.differs("from the last message to the first")
def test_expunge_examples(mailbox):
    """3.2.7, and 3.2.10.2 with its continuation"""
    a = mailbox()
    old = mailbox("")
    a.ok("UID STORE 5,7,10,20 +FLAGS.SILENT (\\Deleted)")
    before = max(modseqs(a).values())
    r = a.ok("EXPUNGE")
    assert vanished(r, False) == [5, 7, 10, 20]
    assert r.done.raw.split(b" ", 1)[1].startswith(b"OK [HIGHESTMODSEQ ")
    assert r.done.data[0] > before
    assert not r.all("EXPUNGE") and not r.all("EXISTS")
    assert a.status("INBOX", "HIGHESTMODSEQ")["HIGHESTMODSEQ"] \
        == r.done.data[0]
    r = old.ok("NOOP")
    assert [x.number for x in r.all("EXPUNGE")] == [5, 6, 8, 17]
    assert not r.codes("HIGHESTMODSEQ")
    a.ok("UID STORE 4,8 +FLAGS.SILENT (\\Deleted)")
    r = a.ok("EXPUNGE")
    assert vanished(r, False) == [4, 8]
    assert r.code == "HIGHESTMODSEQ"
    assert a.ok("EXPUNGE").code is None


@pytest.mark.differs("from the last message to the first")
def test_uid_expunge_example(mailbox):
    """3.2.9, with and without QRESYNC"""
    a, b = mailbox(), mailbox("CONDSTORE")
    b.ok("UID STORE 3:6 +FLAGS.SILENT (\\Deleted)")
    r = b.ok("UID EXPUNGE 3:5")
    assert [x.number for x in r.all("EXPUNGE")] == [3, 3, 3]
    r = a.ok("UID EXPUNGE 6")
    assert vanished(r, False) == [3, 4, 5, 6]
    assert r.code == "HIGHESTMODSEQ"


def test_close(mailbox):
    """3.2.8: counted, but not told: what others did before has not been."""
    a, b = mailbox(), mailbox()
    v, m = state(a)
    a.ok("UID STORE 3:4 +FLAGS (\\Deleted)")
    r = a.ok("CLOSE")
    assert not r.untagged and r.code is None
    assert vanished(b.ok("NOOP"), False) == [3, 4]
    r = a.ok(f"SELECT INBOX (QRESYNC ({v} {m}))")
    assert vanished(r, True) == [3, 4]
    assert highest(r) > m


def test_move(mailbox):
    """RFC 6851 4.4, 4.5: COPYUID first, then VANISHED and HIGHESTMODSEQ."""
    a, b = mailbox(), mailbox()
    a.ok("CREATE Other")
    v, m = state(a)
    r = a.ok("UID MOVE 2,4:6 Other")
    names = [x.name or x.code for x in r.untagged]
    assert names[:2] == ["COPYUID", "VANISHED"]
    assert vanished(r, False) == [2, 4, 5, 6]
    assert highest(r) > m
    r = b.ok("MOVE 1 Other")
    assert vanished(r, False) == [1, 2, 4, 5, 6]
    r = a.ok(f"SELECT INBOX (QRESYNC ({v} {m}))")
    assert vanished(r, True) == [1, 2, 4, 5, 6]
    # In the other mailbox they are new, with mod-sequences above all others.
    a.ok("SELECT Other")
    top = max(modseqs(a).values())
    b.ok("UID MOVE 3 Other")
    a.ok("NOOP")
    assert modseqs(a)[6] > top


def test_copyuid_and_appenduid_keep_their_place(mailbox):
    """A code each: HIGHESTMODSEQ comes untagged where the tagged response has
    another."""
    a, b = mailbox(), mailbox()
    remove(b, "1:2")
    r = a.ok("UID COPY 5 INBOX")
    assert r.code == "COPYUID" and vanished(r, False) == [1, 2]
    assert highest(r) and r.untagged[-1].code == "HIGHESTMODSEQ"
    remove(b, "3")
    r = a.append("INBOX", message())
    assert r.code == "APPENDUID" and vanished(r, False) == [3]
    assert r.untagged[-1].code == "HIGHESTMODSEQ"


def test_no_uid_that_was_not_told(mailbox, account):
    """3.2.10.2: what came and went unseen is not VANISHED."""
    a, b = mailbox(), mailbox()
    b.append("INBOX", message())
    remove(b, "21,7")
    r = a.ok("NOOP")
    assert vanished(r, False) == [7]
    assert r.exists() is None
    b.append("INBOX", message())
    assert a.ok("NOOP").exists() == 20


@pytest.mark.parametrize("command", [
    "FETCH 1:2 (FLAGS)", "STORE 1 +FLAGS ($X)", "SEARCH ALL",
    "UID SEARCH 1:3", "UID SEARCH NOT (OR UID 1 2:3)",
    "UID SORT (DATE) UTF-8 1:3", "UID THREAD REFERENCES UTF-8 1:3",
    "STORE 1 (UNCHANGEDSINCE 0) FLAGS ()", "SEARCH RETURN (ALL) MODSEQ 1"])
def test_when_it_has_to_wait(mailbox, command):
    a, b = mailbox(), mailbox()
    remove(b, "9")
    r = a.ok(command)
    assert not r.all("VANISHED") and not r.all("EXPUNGE")
    assert vanished(a.ok("NOOP"), False) == [9]


@pytest.mark.differs("not with STATUS")
@pytest.mark.parametrize("command", [
    "NOOP", "CHECK", "UID FETCH 1:2 (FLAGS)", "UID STORE 1 +FLAGS ($X)",
    "UID SEARCH ALL", "UID SEARCH $", "UID SORT (DATE) UTF-8 UID 1:3", "UID COPY 1 INBOX",
    "STATUS INBOX (MESSAGES)"])
def test_when_it_may_come(mailbox, command):
    a, b = mailbox(), mailbox()
    remove(b, "9")
    r = a.ok(command)
    assert vanished(r, False) == [9]
    assert highest(r) is not None


def test_idle(mailbox, account):
    a, b = mailbox(), mailbox()
    a.send("i IDLE\r\n")
    assert a.read().tag == "+"
    remove(b, "3:5")
    r = a.read()
    while r.name == "FETCH":            # \Deleted
        r = a.read()
    assert r.name == "VANISHED" and expand(r.data[0]) == [3, 4, 5]
    assert a.read().name == "RECENT"
    assert a.read().code == "HIGHESTMODSEQ"
    next(p for p in account.mail.files() if p.name.startswith("08")).unlink()
    r = a.read()
    assert r.name == "VANISHED" and expand(r.data[0]) == [8]
    a.send("DONE\r\n")
    assert a.tagged("i").status == "OK"


def test_modseq_does_not_run_ahead(mailbox):
    """Section 6, the example of delayed VANISHED: a client that is cut off
    has not missed anything."""
    a, b = mailbox(), mailbox()
    v, m = state(a)
    remove(b, "8")
    r = a.ok("STORE 1:2 +FLAGS.SILENT (\\Seen)")
    assert not r.all("VANISHED")
    told = max(x["MODSEQ"][0] for x in r.fetch().values())
    assert m <= highest(r) < told
    r = a.ok("STORE 3 +FLAGS.SILENT (\\Seen)")
    assert highest(r) < told
    # Cut off here, it would ask for what has happened since then:
    v2, since = v, highest(r)
    r = a.ok("NOOP")
    assert vanished(r, False) == [8]
    assert highest(r) >= modseqs(a)[3]
    r = b.ok(f"SELECT INBOX (QRESYNC ({v2} {since}))")
    assert vanished(r, True) == [8]


def test_foreign_unlink(mailbox, account):
    a, b = mailbox(), mailbox()
    v, m = state(a)
    a.ok("SELECT INBOX")
    for p in account.mail.files()[2:4]:
        os.unlink(p)
    assert vanished(a.ok("NOOP"), False) == [3, 4]
    r = b.ok(f"SELECT INBOX (QRESYNC ({v} {m}))")
    assert vanished(r, True) == [3, 4]


def test_closed(mailbox):
    """3.2.11: also for those who have enabled nothing"""
    c = mailbox("")
    assert c.ok("SELECT INBOX").untagged[0].code == "CLOSED"
    c.ok("UNSELECT")
    assert not c.ok("SELECT INBOX").codes("CLOSED")
    c.no("SELECT nonexistent")
    assert not c.ok("EXAMINE INBOX").codes("CLOSED")


def test_read_only(mailbox, account):
    """EXAMINE sees and remembers the same."""
    a = mailbox(select="EXAMINE INBOX")
    v, m = state(mailbox())
    account.mail.files()[0].unlink()
    r = a.ok("NOOP")
    assert vanished(r, False) == [1]
    r = a.ok(f"EXAMINE INBOX (QRESYNC ({v} {m}))")
    assert vanished(r, True) == [1]
