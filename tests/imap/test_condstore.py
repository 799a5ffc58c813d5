# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""CONDSTORE (RFC 7162 3.1): every example, and what the text says between
them.  QRESYNC has test_qresync.py."""

import os
import re

import pytest

from imapclient import pairs
from maildirs import message
from uidsets import expand


@pytest.fixture
def pair(account, login):
    """Two sessions on INBOX with ten messages, UIDs 1 to 10."""
    for n in range(10):
        account.mail.deliver(message(n=n), flags="", name=f"{n}.M1P1.host")
    a, b = login(), login()
    a.ok("SELECT INBOX (CONDSTORE)")
    b.ok("SELECT INBOX (CONDSTORE)")
    return a, b


def highest(r):
    """The HIGHESTMODSEQ that an answer tells, or None."""
    codes = r.codes("HIGHESTMODSEQ")
    assert len(codes) <= 1, r
    return codes[0].data[0] if codes else None


def modseqs(c, numbers="1:*"):
    """{UID: mod-sequence}"""
    return {uid: m["MODSEQ"][0] for uid, m in
            c.uid_fetch(numbers, "(UID MODSEQ)").items()}


def modified(r):
    """The set of [MODIFIED set]"""
    return set(expand(r.done.data[0]))


def flags(items):
    return {str(f) for f in items["FLAGS"]} - {"\\Recent"}


# ---- 3.1.2, 3.1.8: SELECT ---------------------------------------------------

@pytest.mark.differs("only after an enabling command")
@pytest.mark.parametrize("verb", ["SELECT", "EXAMINE"])
@pytest.mark.parametrize("parameters", ["", " (CONDSTORE)"])
def test_highestmodseq(inbox, verb, parameters):
    """Examples 1 and 18.  Example 2, NOMODSEQ, cannot happen."""
    r = inbox.ok(f"{verb} INBOX{parameters}")
    assert highest(r) >= 1
    assert not r.codes("NOMODSEQ")
    assert highest(r) >= max(modseqs(inbox).values())
    assert inbox.status("INBOX", "HIGHESTMODSEQ")["HIGHESTMODSEQ"] \
        == highest(r)


def test_highestmodseq_of_an_empty_mailbox(client):
    client.ok("CREATE Empty")
    n = client.status("Empty", "HIGHESTMODSEQ")["HIGHESTMODSEQ"]
    assert n >= 1
    assert highest(client.ok("SELECT Empty")) == n
    assert highest(client.ok("EXAMINE Empty")) == n


@pytest.mark.differs("starts again from 1")
def test_highestmodseq_never_falls(account, inbox):
    """And is the same for each look as long as nothing changes."""
    before = highest(inbox.ok("SELECT INBOX"))
    assert highest(inbox.ok("SELECT INBOX")) == before
    for act in ("STORE 1 +FLAGS (\\Seen)", "STORE 1:2 +FLAGS (\\Deleted)",
                "EXPUNGE", "COPY 1 INBOX"):
        inbox.ok(act)
        after = inbox.status("INBOX", "HIGHESTMODSEQ")["HIGHESTMODSEQ"]
        assert after > before, act
        before = after
    for name in ("imapd.index", "imapd.journal"):
        os.unlink(account.mail.root / name)
    assert highest(inbox.ok("SELECT INBOX")) > before


# ---- 3.1: the enabling commands ---------------------------------------------

@pytest.mark.differs("nothing is told, and no UID with MODSEQ")
@pytest.mark.parametrize("enable", [
    "STATUS INBOX (HIGHESTMODSEQ)", "FETCH 1 (MODSEQ)", "FETCH 1 MODSEQ",
    "UID FETCH 1 (FLAGS) (CHANGEDSINCE 1)", "SEARCH MODSEQ 1",
    "UID SEARCH NOT OR SEEN MODSEQ 1", "SORT (DATE) UTF-8 MODSEQ 1",
    "SEARCH RETURN (COUNT) MODSEQ 1",
    "STORE 1 (UNCHANGEDSINCE 1) +FLAGS.SILENT (\\Seen)", "ENABLE CONDSTORE",
    "ENABLE QRESYNC"])
def test_enabling(account, inbox, login, enable):
    """The first one tells HIGHESTMODSEQ, and MODSEQ comes from then on."""
    other = login()
    other.ok("SELECT INBOX")
    other.ok("STORE 3 +FLAGS (\\Seen)")
    m = inbox.ok("NOOP").fetch()[3]
    assert set(m) == {"FLAGS"}
    r = inbox.ok(enable)
    assert r.untagged[0].code == "HIGHESTMODSEQ"
    first = highest(r)
    assert first >= 1
    other.ok("STORE 3 +FLAGS (\\Flagged)")
    m = inbox.ok("NOOP").fetch()[3]
    assert set(m) == {"UID", "FLAGS", "MODSEQ"} and m["UID"] == 3
    assert m["MODSEQ"][0] > first
    r = inbox.ok("FETCH 2 (MODSEQ)")
    assert highest(r) is None
    assert set(r.fetch()[2]) == {"MODSEQ"}


def test_enabled_by_select_is_not_told_twice(inbox):
    assert len(inbox.ok("SELECT INBOX (CONDSTORE)")
               .codes("HIGHESTMODSEQ")) == 1
    assert highest(inbox.ok("FETCH 1 (MODSEQ)")) is None


@pytest.mark.imapd
def test_list_status(inbox):
    r = inbox.ok('LIST "" INBOX RETURN (STATUS (HIGHESTMODSEQ))')
    assert pairs(r.one("STATUS").data[1])["HIGHESTMODSEQ"] >= 1


def test_status(client):
    """Example 17"""
    client.ok("CREATE blurdybloop")
    assert set(client.status("blurdybloop",
                             "UIDNEXT MESSAGES HIGHESTMODSEQ")) \
        == {"UIDNEXT", "MESSAGES", "HIGHESTMODSEQ"}


@pytest.mark.imapd
def test_enable_answers(client):
    def enabled(c, what):
        return [str(x) for x in c.ok(f"ENABLE {what}").one("ENABLED").data]

    assert enabled(client, "X-NO") == []
    assert enabled(client, "condstore") == ["CONDSTORE"]
    assert sorted(enabled(client, "QRESYNC CONDSTORE X-NO QRESYNC")) \
        == ["CONDSTORE", "QRESYNC"]
    assert {"CONDSTORE", "QRESYNC"} <= client.capability()


@pytest.mark.imapd
def test_what_is_withheld_is_not_enabled(server, new_account):
    account = new_account(extra="capability=-QRESYNC")
    c = server.connect()
    c.login(account.name, account.password)
    assert "QRESYNC" not in c.capability()
    assert c.ok("ENABLE QRESYNC CONDSTORE").one("ENABLED").data == [
        "CONDSTORE"]
    c.bad("SELECT INBOX (QRESYNC (1 1))")
    c.close()


# ---- 3.1.3: STORE -----------------------------------------------------------

def test_all_pass(pair):
    """Example 3"""
    a, _ = pair
    a.ok("UID STORE 1:3,5 +FLAGS.SILENT (\\Deleted)")
    a.ok("UID EXPUNGE 1:3,5")
    since = max(modseqs(a).values())
    r = a.ok(f"UID STORE 6,4,8 (UNCHANGEDSINCE {since}) +FLAGS.SILENT "
             "(\\Deleted)")
    assert r.code is None
    told = r.fetch()
    assert {n: m["UID"] for n, m in told.items()} == {1: 4, 2: 6, 4: 8}
    for m in told.values():
        assert set(m) == {"UID", "MODSEQ"} and m["MODSEQ"][0] > since
    assert modseqs(a, "4,6,8") == {
        m["UID"]: m["MODSEQ"][0] for m in told.values()}


def test_star(pair):
    """Example 4"""
    a, _ = pair
    since = modseqs(a)[10]
    r = a.ok(f"STORE * (UNCHANGEDSINCE {since}) +FLAGS.SILENT "
             "(\\Deleted $Processed)")
    assert list(r.fetch()) == [10] and r.fetch()[10]["MODSEQ"][0] > since
    assert flags(a.fetch_one(10, "FLAGS")) == {"\\Deleted", "$Processed"}


@pytest.mark.differs("HIGHESTMODSEQ only when enabled")
def test_first_enabling_command(inbox):
    """Example 5"""
    since = highest(inbox.ok("SELECT INBOX"))
    r = inbox.ok(f"STORE 3 (UNCHANGEDSINCE {since}) -FLAGS.SILENT "
                 "(\\Deleted)")
    assert r.untagged[0].code == "HIGHESTMODSEQ"
    assert highest(r) == since
    # It was not set: nothing has changed (3.1.11), and MODSEQ is told.
    assert r.fetch()[3]["MODSEQ"][0] <= since


@pytest.mark.differs("no UID with MODSEQ")
def test_some_fail(pair):
    """Example 6, the second form: flags are sent of those that failed."""
    a, b = pair
    since = max(modseqs(a).values())
    b.ok("STORE 7,9 +FLAGS.SILENT (\\Deleted)")
    b.ok("STORE 7 +FLAGS.SILENT (\\Seen)")
    r = a.ok(f"STORE 7,5,9 (UNCHANGEDSINCE {since}) +FLAGS.SILENT "
             "(\\Deleted)")
    assert r.code == "MODIFIED" and modified(r) == {7, 9}
    told = r.fetch()
    assert sorted(told) == [5, 7, 9]
    assert "FLAGS" not in told[5] and told[5]["MODSEQ"][0] > since
    assert flags(told[7]) == {"\\Seen", "\\Deleted"}
    assert flags(told[9]) == {"\\Deleted"}
    for n in (7, 9):
        assert told[n]["MODSEQ"][0] == modseqs(b)[n]


def test_uid_store_fails_with_uids(pair):
    a, b = pair
    a.ok("UID STORE 1:2 +FLAGS.SILENT (\\Deleted)")
    a.ok("EXPUNGE")
    since = max(modseqs(a).values())
    b.ok("UID STORE 7:9 +FLAGS (\\Seen)")
    r = a.ok(f"UID STORE 1:* (UNCHANGEDSINCE {since}) FLAGS (\\Answered)")
    assert r.code == "MODIFIED" and modified(r) == {7, 8, 9}
    assert {u: flags(m) for u, m in a.uid_fetch("6:10", "FLAGS").items()} == {
        6: {"\\Answered"}, 7: {"\\Seen"}, 8: {"\\Seen"}, 9: {"\\Seen"},
        10: {"\\Answered"}}


def test_unchangedsince_0(pair):
    """Examples 7 and 8: fails always, whatever flags there are."""
    a, _ = pair
    before = modseqs(a)
    for what in ("+FLAGS.SILENT ($MDNSent)", "+FLAGS (\\Seen)",
                 "-FLAGS (\\Seen)", "FLAGS ()"):
        r = a.ok(f"STORE 2:4,10 (UNCHANGEDSINCE 0) {what}")
        assert r.code == "MODIFIED" and modified(r) == {2, 3, 4, 10}, what
    assert modseqs(a) == before


def test_the_flag_itself_has_changed(pair):
    """Examples 9 and 10: one of many; the others are done."""
    a, b = pair
    since = max(modseqs(a).values())
    b.ok("STORE 5 +FLAGS ($Processed)")
    r = a.ok(f"STORE 1:10 (UNCHANGEDSINCE {since}) +FLAGS.SILENT "
             "($Processed)")
    assert r.code == "MODIFIED" and modified(r) == {5}
    told = r.fetch()
    assert sorted(told) == list(range(1, 11))
    assert len({m["MODSEQ"][0] for n, m in told.items() if n != 5}) == 1
    assert flags(told[5]) == {"$Processed"}


@pytest.mark.differs("compares mod-sequences only")
def test_another_flag_has_changed(pair):
    """Example 10, the last form ("nice server behavior", 3.1.12)."""
    a, b = pair
    since = max(modseqs(a).values())
    b.ok("STORE 5 +FLAGS (\\Deleted \\Answered)")
    r = a.ok(f"STORE 4:6 (UNCHANGEDSINCE {since}) +FLAGS.SILENT "
             "($Processed)")
    assert r.code is None, r
    told = r.fetch()
    assert flags(told[5]) == {"$Processed", "\\Deleted", "\\Answered"}
    assert "FLAGS" not in told[4]
    # Not so once the client has been told of it: then it had its chance ...
    since = max(modseqs(a).values())
    b.ok("STORE 5 +FLAGS (\\Flagged)")
    a.ok("NOOP")
    r = a.ok(f"STORE 5 (UNCHANGEDSINCE {since}) -FLAGS.SILENT ($Processed)")
    assert r.code == "MODIFIED"
    # ... nor when all flags are to be replaced.
    since = max(modseqs(a).values())
    b.ok("STORE 5 +FLAGS (\\Seen)")
    r = a.ok(f"STORE 5 (UNCHANGEDSINCE {since}) FLAGS ($Processed)")
    assert r.code == "MODIFIED"


def test_retry(pair):
    """Behind example 9: with the new mod-sequence it works."""
    a, b = pair
    since = max(modseqs(a).values())
    b.ok("STORE 3 FLAGS (\\Deleted)")
    m = a.ok(f"STORE 3 (UNCHANGEDSINCE {since}) FLAGS (\\Seen)").fetch()[3]
    assert flags(m) == {"\\Deleted"}
    r = a.ok(f"STORE 3 (UNCHANGEDSINCE {m['MODSEQ'][0]}) FLAGS (\\Seen)")
    assert r.code is None and flags(r.fetch()[3]) == {"\\Seen"}


@pytest.mark.differs("OK")
def test_expunged_and_modified(pair):
    """Example 11"""
    a, b = pair
    since = max(modseqs(a).values())
    b.ok("STORE 4:7 +FLAGS.SILENT (\\Deleted)")
    b.ok("EXPUNGE")
    b.ok("STORE 2 +FLAGS (\\Seen \\Answered)")
    r = a.no(f"STORE 1:3,4:7 (UNCHANGEDSINCE {since}) +FLAGS (\\Seen)")
    assert r.code == "MODIFIED" and modified(r) == {2}
    assert not r.all("EXPUNGE")
    told = r.fetch()
    assert flags(told[1]) == flags(told[3]) == {"\\Seen"}
    r = a.ok("NOOP")
    assert [x.number for x in r.all("EXPUNGE")] == [4, 4, 4, 4]
    since = modseqs(a)[2]
    r = a.ok(f"STORE 2 (UNCHANGEDSINCE {since}) +FLAGS (\\Seen \\Flagged)")
    assert flags(r.fetch()[2]) == {"\\Seen", "\\Answered", "\\Flagged"}


@pytest.mark.differs("MODIFIED")
def test_expunged_uids_are_no_failure(pair):
    a, b = pair
    since = max(modseqs(a).values())
    b.ok("STORE 4:7 +FLAGS.SILENT (\\Deleted)")
    b.ok("EXPUNGE")
    r = a.ok(f"UID STORE 4:8,99 (UNCHANGEDSINCE {since}) +FLAGS (\\Seen)")
    assert r.code != "MODIFIED"
    assert 8 in {m["UID"] for m in r.fetch().values()}


def test_a_message_named_twice(pair):
    a, _ = pair
    since = max(modseqs(a).values())
    r = a.ok(f"STORE 7,3:9 (UNCHANGEDSINCE {since}) +FLAGS.SILENT "
             "(\\Deleted)")
    assert r.code is None
    assert sorted(r.fetch()) == list(range(3, 10))


@pytest.mark.differs("no UID with MODSEQ")
def test_silent_gives_modseq(pair):
    """Example 14; nothing where nothing has changed (3.1.11)."""
    a, b = pair
    r = a.ok("STORE 7 +FLAGS.SILENT (\\Deleted)")
    m = r.fetch()[7]
    assert set(m) == {"UID", "MODSEQ"}
    r = b.ok("NOOP")
    assert r.fetch()[7]["MODSEQ"] == m["MODSEQ"]
    assert flags(r.fetch()[7]) == {"\\Deleted"}
    r = a.ok("STORE 7 +FLAGS.SILENT (\\Deleted)")
    assert not r.all("FETCH")
    assert not b.ok("NOOP").all("FETCH")
    a.ok("STORE 7 +FLAGS.SILENT (\\Answered \\Seen)")
    assert flags(b.ok("NOOP").fetch()[7]) == {
        "\\Deleted", "\\Answered", "\\Seen"}
    a.ok("STORE 7 -FLAGS.SILENT (\\Answered \\Seen)")
    assert flags(b.ok("NOOP").fetch()[7]) == {"\\Deleted"}


def test_what_is_so_already_changes_nothing(pair):
    """3.1.11, for STORE and for FETCH, which sets \\Seen"""
    a, _ = pair
    a.ok("STORE 2 +FLAGS (\\Seen $Label1)")
    before = modseqs(a)
    a.ok("STORE 2 +FLAGS (\\Seen)")
    a.ok("STORE 2 +FLAGS ($label1)")
    a.ok("STORE 2 FLAGS ($Label1 \\Seen)")
    a.ok("STORE 2 -FLAGS (\\Answered)")
    a.ok("FETCH 2 (BODY[])")
    assert modseqs(a) == before


def test_each_store_has_its_own(pair):
    """3.1: different values, and growing"""
    a, b = pair
    seen = []
    for i in range(20):
        c = (a, b)[i % 2]
        m = c.ok(f"STORE {i % 10 + 1} +FLAGS (k{i})").fetch()[i % 10 + 1]
        seen.append(m["MODSEQ"][0])
    assert seen == sorted(set(seen))


@pytest.mark.differs("looks no more than twice a second")
def test_foreign_rename_is_a_change(pair, account):
    """A Maildir's flags are in file names: everybody may change them."""
    a, _ = pair
    since = max(modseqs(a).values())
    path = next(p for p in account.mail.files() if p.name.startswith("4."))
    os.rename(path, path.with_name(path.name + "F"))
    r = a.ok(f"STORE 4:6 (UNCHANGEDSINCE {since}) FLAGS (\\Seen)")
    assert r.code == "MODIFIED" and modified(r) == {5}
    assert flags(r.fetch()[5]) == {"\\Flagged"}
    assert account.mail.flags()["4.M1P1.host"] == "F"


def test_modified_of_many(account, login):
    """Sets of any length, and more messages than are done at once."""
    n = 2500
    for i in range(n):
        account.mail.deliver(b"a: b\n\nx\n", flags="",
                             name=f"{i:04}.M1P1.host")
    a, b = login(), login()
    since = highest(a.ok("SELECT INBOX (CONDSTORE)"))
    b.ok("SELECT INBOX")
    odd = set(range(1, n + 1, 2))
    b.ok("STORE %s +FLAGS.SILENT (\\Seen)" % ",".join(map(str, sorted(odd))))
    r = a.ok(f"STORE 1:* (UNCHANGEDSINCE {since}) FLAGS.SILENT (\\Answered)")
    assert modified(r) == odd
    assert {k: flags(m) for k, m in a.ok("FETCH 1:* FLAGS").fetch().items()} \
        == {i: {"\\Seen"} if i in odd else {"\\Answered"}
            for i in range(1, n + 1)}


def test_only_one_wins(account, login):
    """Ten sessions take a job each: +FLAGS of a keyword on condition."""
    for i in range(30):
        account.mail.deliver(message(n=i), flags="")
    clients = [login() for _ in range(10)]
    since = {}
    for c in clients:
        since[c] = highest(c.ok("SELECT INBOX (CONDSTORE)"))
    for c in clients:
        c.send("".join(
            f"s{n} STORE {n} (UNCHANGEDSINCE {since[c]}) +FLAGS.SILENT "
            "($Taken)\r\n" for n in range(1, 31)))
    taken = []
    for c in clients:
        for n in range(1, 31):
            r = c.tagged(f"s{n}")
            assert r.status == "OK", r
            if r.code != "MODIFIED":
                taken.append(n)
    assert sorted(taken) == list(range(1, 31))


# ---- 3.1.4: FETCH -----------------------------------------------------------

@pytest.mark.differs("no UID with MODSEQ")
def test_changedsince(pair):
    """Example 12"""
    a, b = pair
    since = max(modseqs(a).values())
    b.ok("STORE 1 +FLAGS (\\Seen)")
    b.ok("STORE 4 +FLAGS ($NoJunk $AutoJunk $MDNSent)")
    r = a.ok(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {since})")
    told = r.fetch()
    assert sorted(told) == [1, 4]
    assert set(told[4]) == {"UID", "FLAGS", "MODSEQ"}
    assert not a.ok("UID FETCH 1:* (FLAGS) (CHANGEDSINCE %d)" % max(
        m["MODSEQ"][0] for m in told.values())).all("FETCH")
    assert len(a.ok("FETCH 1:* (FLAGS) (CHANGEDSINCE 1)").fetch()) == 10
    top = 2 ** 63 - 1
    assert not a.ok(f"FETCH 1:* FLAGS (CHANGEDSINCE {top})").all("FETCH")


@pytest.mark.parametrize("items", [
    "FAST", "ALL", "ENVELOPE", "(UID)", "(BODY.PEEK[HEADER] MODSEQ)",
    "(MODSEQ FLAGS)", "UID"])
def test_changedsince_with_all_items(inbox, items):
    """It asks for MODSEQ, once, whatever else is asked for."""
    r = inbox.ok(f"FETCH 1:3 {items} (CHANGEDSINCE 1)")
    told = r.fetch()
    assert sorted(told) == [1, 2, 3]
    assert all("MODSEQ" in m for m in told.values())


def test_fetch_modseq(pair):
    """Example 13"""
    a, _ = pair
    told = a.ok("FETCH 1:3 (MODSEQ)").fetch()
    assert [set(told[n]) for n in (1, 2, 3)] == [{"MODSEQ"}] * 3
    assert all(m["MODSEQ"][0] >= 1 for m in told.values())


@pytest.mark.differs("no UID with MODSEQ")
@pytest.mark.parametrize("items", [
    "(BODY[])", "(FLAGS BODY[TEXT])", "(MODSEQ FLAGS BODY[])"])
def test_seen_by_fetch_has_a_modseq(pair, items):
    """3.2.4: \\Seen is told with the mod-sequence that it got."""
    a, b = pair
    since = max(modseqs(a).values())
    r = a.ok(f"FETCH 2:3 {items}")
    last = [pairs(x.data[0]) for x in r.all("FETCH")][-2:]
    for uid, m in zip((2, 3), last):
        assert m["UID"] == uid and flags(m) == {"\\Seen"}
        assert m["MODSEQ"][0] > since
        assert m["MODSEQ"][0] == modseqs(b)[uid]
    assert not a.ok("NOOP").all("FETCH")


def test_arrivals_are_higher(pair, account):
    """3.1: by APPEND, by COPY, and by a delivery"""
    a, b = pair
    before = max(modseqs(a).values())
    for act in (lambda: a.append("INBOX", message()),
                lambda: b.ok("COPY 1 INBOX"), account.mail.deliver):
        act()
        a.ok("NOOP")
        now = modseqs(a)
        assert now[max(now)] > before
        before = max(now.values())


# ---- 3.1.5, 3.1.6, 3.1.10: SEARCH -------------------------------------------

def searched(r):
    """(numbers, mod-sequence) of a SEARCH response."""
    data = r.one("SEARCH").data
    if data and isinstance(data[-1], list):
        assert data[-1][0] == "MODSEQ"
        return data[:-1], data[-1][1]
    return data, None


def test_search(pair):
    """Examples 15, 16"""
    a, b = pair
    since = max(modseqs(a).values()) + 1
    b.ok("STORE 2,5:7 +FLAGS (\\Draft)")
    b.ok("STORE 6 +FLAGS (\\Seen)")
    a.ok("NOOP")
    now = modseqs(a)
    for entry in ("", '"/flags/\\\\draft" all ', '"/flags/$x" shared ',
                  '"/flags/\\\\Seen" priv '):
        found, m = searched(a.ok(f"SEARCH MODSEQ {entry}{since}"))
        assert found == [2, 5, 6, 7] and m == now[6]
    found, m = searched(a.ok(f"UID SEARCH MODSEQ {since} NOT SEEN"))
    assert found == [2, 5, 7] and m == now[5]
    found, m = searched(a.ok(f"SEARCH NOT MODSEQ {since}"))
    assert found == [1, 3, 4, 8, 9, 10] and m == max(now[n] for n in found)
    r = a.ok("SEARCH OR NOT MODSEQ 1 LARGER 50000")
    assert searched(r) == ([], None)
    assert searched(a.ok("SEARCH ALL")) == (list(range(1, 11)), None)
    found, m = searched(a.ok("SEARCH MODSEQ 0"))
    assert len(found) == 10 and m == max(now.values())


def test_esearch(pair):
    """Example 19; the rules of RFC 4731 3.2 with its examples"""
    a, b = pair
    since = max(modseqs(a).values()) + 1
    for n in (5, 3, 1, 2):
        b.ok(f"STORE {n} +FLAGS (\\Seen)")
    a.ok("NOOP")
    now = modseqs(a)

    def result(options):
        return pairs(a.ok(f"SEARCH RETURN ({options}) MODSEQ {since}")
                     .one("ESEARCH").data[1:])

    assert result("ALL") == {"ALL": "1:3,5", "MODSEQ": now[2]}
    assert result("") == {"ALL": "1:3,5", "MODSEQ": now[2]}
    assert result("MIN") == {"MIN": 1, "MODSEQ": now[1]}
    assert result("MAX") == {"MAX": 5, "MODSEQ": now[5]}
    assert result("MIN MAX") == {"MIN": 1, "MAX": 5, "MODSEQ": now[1]}
    assert result("MIN COUNT") == {"MIN": 1, "COUNT": 4, "MODSEQ": now[2]}
    r = a.ok(f"SEARCH RETURN (COUNT) MODSEQ {max(now.values()) + 1}")
    assert pairs(r.one("ESEARCH").data[1:]) == {"COUNT": 0}


@pytest.mark.differs("no (MODSEQ n) in SORT")
def test_sort(pair):
    """3.1.9, and example 20; THREAD is as it was."""
    a, b = pair
    since = max(modseqs(a).values()) + 1
    for n in (5, 3, 1, 2):
        b.ok(f"STORE {n} +FLAGS (\\Seen)")
    a.ok("NOOP")
    now = modseqs(a)
    r = a.ok(f"SORT (REVERSE ARRIVAL) UTF-8 MODSEQ {since}").one("SORT")
    assert sorted(r.data[:-1]) == [1, 2, 3, 5]
    assert r.data[-1] == ["MODSEQ", now[2]]
    r = a.ok(f"SORT RETURN (ALL COUNT) (DATE) UTF-8 MODSEQ {since}")
    got = pairs(r.one("ESEARCH").data[1:])
    assert got["MODSEQ"] == now[2] and got["COUNT"] == 4
    assert a.ok("SORT (DATE) UTF-8 MODSEQ %d" % (max(now.values()) + 1)).one(
        "SORT").data == []
    assert b"MODSEQ" not in a.ok(
        f"THREAD ORDEREDSUBJECT UTF-8 MODSEQ {since}").one("THREAD").raw


# ---- grammar ----------------------------------------------------------------

@pytest.mark.parametrize("command", [
    "STORE 1 (UNCHANGEDSINCE) +FLAGS (\\Seen)",
    "STORE 1 (UNCHANGEDSINCE -1) +FLAGS (\\Seen)",
    "STORE 1 (UNCHANGEDSINCE 9223372036854775808) +FLAGS (\\Seen)",
    "STORE 1 (UNCHANGEDSINCE 5 UNCHANGEDSINCE 5) +FLAGS (\\Seen)",
    "STORE 1 (CHANGEDSINCE 5) +FLAGS (\\Seen)",
    "STORE 1 () +FLAGS (\\Seen)",
    "FETCH 1 FLAGS (CHANGEDSINCE)",
    "FETCH 1 FLAGS (CHANGEDSINCE 0)",
    "FETCH 1 FLAGS (CHANGEDSINCE 9223372036854775808)",
    "FETCH 1 FLAGS (CHANGEDSINCE 1 CHANGEDSINCE 1)",
    "FETCH 1 FLAGS ()", "FETCH 1 FLAGS (UNCHANGEDSINCE 1)",
    "FETCH 1 FLAGS(CHANGEDSINCE 1)",
    "SEARCH MODSEQ", "SEARCH MODSEQ x",
    'SEARCH MODSEQ "/flags/\\\\draft" 5',
    'SEARCH MODSEQ "/flags/\\\\draft" none 5',
    "SELECT INBOX (CONDSTORE 1)", "SELECT INBOX ()"])
@pytest.mark.imapd
def test_malformed(inbox, command):
    inbox.bad(command)
    # Nothing has been enabled by it.
    assert highest(inbox.ok("FETCH 1 (MODSEQ)")) >= 1


def test_case_does_not_matter(inbox):
    r = inbox.ok("fetch 1:* (modseq) (changedsince 1)")
    assert len(r.fetch()) == 3
    assert re.search(rb"MODSEQ \(\d+\)", r.untagged[-1].raw)
    inbox.ok(f"store 1 (unchangedsince {2 ** 63 - 1}) +flags.silent "
             "(\\seen)")
    inbox.ok('search modseq "/FLAGS/\\\\SEEN" ALL 1')
