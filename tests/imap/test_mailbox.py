# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""SELECT, EXAMINE, CREATE, DELETE, RENAME, LIST, LSUB, STATUS, NAMESPACE."""

import os

import pytest

from imapclient import pairs, quote
from maildirs import message


# ---- SELECT and EXAMINE ----------------------------------------------------

def test_select_empty(client):
    r = client.ok("SELECT INBOX")
    assert r.exists() == 0
    assert r.one("RECENT").number == 0
    assert {"\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft"} \
        <= set(r.one("FLAGS").data[0])
    for code in ("UIDVALIDITY", "UIDNEXT", "PERMANENTFLAGS"):
        assert len(r.codes(code)) == 1, code
    assert r.codes("UIDNEXT")[0].data == [1]
    assert r.codes("UIDVALIDITY")[0].data[0] > 0
    assert r.code == "READ-WRITE"


def test_select_new_messages(account, client):
    for _ in range(3):
        account.mail.deliver()
    r = client.ok("SELECT INBOX")
    assert r.exists() == 3 and r.one("RECENT").number == 3
    assert r.codes("UNSEEN")[0].data == [1]
    assert r.codes("UIDNEXT")[0].data == [4]
    assert all(p.parent.name == "cur" for p in account.mail.files())


def test_recent_to_one_session_only(account, login):
    account.mail.deliver()
    a, b = login(), login()
    assert a.ok("SELECT INBOX").one("RECENT").number == 1
    assert b.ok("SELECT INBOX").one("RECENT").number == 0
    assert "\\Recent" in a.fetch_one(1, "FLAGS")["FLAGS"]
    assert "\\Recent" not in b.fetch_one(1, "FLAGS")["FLAGS"]


@pytest.mark.differs("it says OK and ignores the STORE")
def test_examine_changes_nothing(account, client):
    account.mail.deliver()
    r = client.ok("EXAMINE INBOX")
    assert r.code == "READ-ONLY" and r.exists() == 1
    client.ok("FETCH 1 BODY[]")
    client.no("STORE 1 +FLAGS (\\Seen)")
    assert account.mail.files()[0].parent.name == "new"
    r = client.ok("SELECT INBOX")
    assert "\\Seen" not in client.fetch_one(1, "FLAGS")["FLAGS"]


@pytest.mark.differs("it says OK and ignores the EXPUNGE")
def test_examine_expunge_refused(account, client):
    account.mail.deliver(flags="T")
    client.ok("EXAMINE INBOX")
    assert client.cmd("EXPUNGE").status in ("NO", "BAD")
    client.ok("CLOSE")
    assert len(account.mail.files()) == 1


def test_select_failure_unselects(inbox):
    inbox.no("SELECT nothing-of-that-name")
    assert inbox.cmd("FETCH 1 FLAGS").status == "BAD"


def test_select_case_of_inbox(inbox):
    assert inbox.ok("SELECT inBox").exists() == 3


def test_uids_and_validity_persist(account, login):
    for _ in range(3):
        account.mail.deliver()
    a = login()
    first = a.ok("SELECT INBOX").codes("UIDVALIDITY")[0].data
    a.ok("UID STORE 2 +FLAGS.SILENT (\\Deleted)")
    a.ok("EXPUNGE")
    a.logout()
    account.mail.deliver()
    b = login()
    r = b.ok("SELECT INBOX")
    assert r.codes("UIDVALIDITY")[0].data == first
    assert sorted(b.uid_fetch("1:*", "(FLAGS)")) == [1, 3, 4]
    assert r.codes("UIDNEXT")[0].data == [5]


def test_uidlist_of_dovecot_is_kept(account, client):
    m = account.mail
    for n in (1, 2):
        m.deliver(message(n=n), flags="", name=f"170000000{n}.M1P1.host")
    m.write(m.root / "dovecot-uidlist",
            b"3 V1700000077 N40 G0123456789abcdef0123456789abcdef\n"
            b"17 :1700000002.M1P1.host\n"
            b"23 :1700000001.M1P1.host\n")
    r = client.ok("SELECT INBOX")
    assert r.codes("UIDVALIDITY")[0].data == [1700000077]
    assert r.codes("UIDNEXT")[0].data == [40]
    got = client.uid_fetch("1:*", "BODY.PEEK[HEADER.FIELDS (Message-ID)]")
    assert sorted(got) == [17, 23]
    assert b"<m2@" in got[17]["BODY[HEADER.FIELDS (MESSAGE-ID)]"]
    m.deliver()
    client.ok("NOOP")
    assert sorted(client.uid_fetch("1:*", "FLAGS")) == [17, 23, 40]
    head, records = m.uidlist()
    assert head["V"] == "1700000077"
    assert head["G"] == "0123456789abcdef0123456789abcdef"
    assert records[17] == "1700000002.M1P1.host" and 40 in records


def test_keywords_of_dovecot_are_kept(account, client):
    m = account.mail
    m.deliver(flags="Sab", name="1700000001.M1P1.host")
    m.write(m.root / "dovecot-keywords", b"0 $Forwarded\n1 holiday\n")
    client.ok("SELECT INBOX")
    assert set(client.fetch_one(1, "FLAGS")["FLAGS"]) \
        == {"\\Seen", "$Forwarded", "holiday"} | ({"\\Recent"} & set(
            client.fetch_one(1, "FLAGS")["FLAGS"]))
    client.ok("STORE 1 +FLAGS (NewOne)")
    client.ok("STORE 1 -FLAGS (holiday)")
    assert [x for x in m.flags().values()] == ["Sac"]
    assert b"2 NewOne" in (m.root / "dovecot-keywords").read_bytes()


def test_close_expunges_silently(account, inbox):
    inbox.ok("STORE 2 +FLAGS (\\Deleted)")
    r = inbox.ok("CLOSE")
    assert not r.untagged
    assert len(account.mail.files()) == 2
    inbox.bad("FETCH 1 FLAGS")


def test_unselect_keeps(account, inbox):
    inbox.ok("STORE 2 +FLAGS (\\Deleted)")
    inbox.ok("UNSELECT")
    assert len(account.mail.files()) == 3
    inbox.bad("FETCH 1 FLAGS")


def test_check_and_noop(inbox):
    inbox.ok("CHECK")
    inbox.ok("NOOP")


# ---- CREATE, DELETE, RENAME ------------------------------------------------

def test_create_and_list(account, client):
    client.ok("CREATE Work")
    client.ok("CREATE Work/2024/May")
    names = client.list("", "*")
    assert {"INBOX", "Work", "Work/2024", "Work/2024/May"} <= set(names)
    assert (account.mail.root / ".Work.2024.May" / "cur").is_dir()
    assert "\\HasChildren" in names["Work"]
    assert "\\HasNoChildren" in names["Work/2024/May"]


def test_create_with_trailing_separator(client):
    client.ok("CREATE Later/")
    client.ok("CREATE Later/Sub")
    assert "Later/Sub" in client.list("", "*")


def test_create_twice(client):
    client.ok("CREATE Work")
    r = client.no("CREATE Work")
    assert r.code == "ALREADYEXISTS"
    client.no("CREATE INBOX")
    client.no("CREATE inbox")


@pytest.mark.parametrize("name", [
    "../x", "a/../../b", "..", "a//b", "/a", "x\x01y", "\x7f", "a/./b", ".",
    "a" * 300, "/".join("a" * 200), "&Jjo!", "&", "x&ZeVnLIqe", "&AGE-",
])
def test_create_bad_names(account, client, name):
    """Nothing outside the Maildir, nothing odd inside; no command lost."""
    before = set(os.listdir(account.home.parent))
    r = client.cmd("CREATE", name.encode())
    if r.status == "OK":
        # A server may store a strange but harmless name.
        assert name not in ("../x", "a/../../b", "..", "x\x01y"), r
        client.ok("STATUS", name.encode(), "(MESSAGES)")
    assert set(os.listdir(account.home.parent)) == before
    assert {p.name for p in account.home.iterdir()} <= {"Maildir"}
    client.ok("NOOP")


@pytest.mark.differs("it cuts the name at the NUL")
def test_create_name_with_nul(client):
    client.send(b"a CREATE {3+}\r\na\0b\r\nb NOOP\r\n")
    assert client.tagged("a").status in ("BAD", "NO")
    assert client.tagged("b").status == "OK"


@pytest.mark.parametrize("name", [
    "a b", "per%cent", "st*ar", 'quo"te', "back\\slash", "(paren)", "{3}",
    "Entw&APw-rfe", "&ZeVnLIqe-", "a.b", "~x", "#x", "&-", "a&-b", "a+b",
])
def test_odd_names_come_back_exactly(client, name):
    r = client.cmd("CREATE", name.encode())
    if r.status == "NO":
        pytest.skip(f"refused: {r.text}")
    assert name in client.list("", "*")
    client.append(name, message())
    assert client.status(name, "MESSAGES") == {"MESSAGES": 1}
    assert client.ok(f"SELECT {quote(name)}").exists() == 1
    client.ok("CLOSE")
    client.ok("DELETE", name.encode())
    assert name not in client.list("", "*")


@pytest.mark.imapd
@pytest.mark.parametrize("name", [
    "a b", "per%cent", "st*ar", 'quo"te', "back\\slash", "a.b", "Entw&APw-rfe",
])
def test_odd_names_are_taken(client, name):
    client.ok("CREATE", name.encode())


def test_delete(account, client):
    client.ok("CREATE Old")
    client.append("Old", message())
    client.ok("DELETE Old")
    assert "Old" not in client.list("", "*")
    r = client.no("SELECT Old")
    assert r.code in (None, "NONEXISTENT")
    assert not (account.mail.root / ".Old").exists()


@pytest.mark.differs("its list cache forgets \\\\Noselect")
def test_delete_keeps_children(client):
    client.ok("CREATE Old")
    client.ok("CREATE Old/Child")
    client.append("Old/Child", message())
    client.ok("DELETE Old")
    names = client.list("", "*")
    assert "Old/Child" in names
    assert client.status("Old/Child", "MESSAGES") == {"MESSAGES": 1}
    assert "\\Noselect" in names["Old"] or "\\NonExistent" in names["Old"]


def test_delete_inbox_refused(client):
    client.no("DELETE INBOX")
    client.ok("SELECT INBOX")


def test_delete_missing(client):
    assert client.no("DELETE Nothing").code in ("NONEXISTENT", None)


def test_recreated_has_higher_uidvalidity(client):
    client.ok("CREATE Box")
    old = client.status("Box", "UIDVALIDITY")["UIDVALIDITY"]
    client.ok("DELETE Box")
    client.ok("CREATE Box")
    assert client.status("Box", "UIDVALIDITY")["UIDVALIDITY"] > old


def test_rename_with_children(client):
    client.ok("CREATE One")
    client.ok("CREATE One/Sub")
    client.append("One/Sub", message())
    old = client.status("One/Sub", "UIDVALIDITY UIDNEXT MESSAGES")
    client.ok("RENAME One Two/Three")
    names = client.list("", "*")
    assert {"Two/Three", "Two/Three/Sub"} <= set(names)
    assert not [n for n in names if n.startswith("One")]
    assert client.status("Two/Three/Sub", "UIDVALIDITY UIDNEXT MESSAGES") == old


def test_rename_onto_existing(client):
    client.ok("CREATE One")
    client.ok("CREATE Two")
    assert client.no("RENAME One Two").code in ("ALREADYEXISTS", None)
    assert {"One", "Two"} <= set(client.list("", "*"))


def test_rename_missing(client):
    client.no("RENAME Nothing Two")


def test_rename_below_itself(client):
    client.ok("CREATE One")
    client.no("RENAME One One/Sub")


@pytest.mark.imapd
@pytest.mark.parametrize("renamed", ["Top", "Top/Box"])
def test_rename_of_the_selected(inbox, renamed):
    """It stays selected, and is known by its new name from then on."""
    inbox.ok("CREATE Top")
    inbox.ok("CREATE Top/Box")
    inbox.ok("COPY 1:3 Top/Box")
    inbox.ok("SELECT Top/Box")
    inbox.ok(f"RENAME {renamed} New")
    name = "Top/Box".replace(renamed, "New")
    assert sorted(inbox.ok("FETCH 1:* UID").fetch()) == [1, 2, 3]
    # Another of the old name is not the selected one.
    if renamed == "Top":
        inbox.ok("CREATE Top")
    inbox.ok("CREATE Top/Box")
    inbox.ok("DELETE Top/Box")
    assert sorted(inbox.ok("FETCH 1:* UID").fetch()) == [1, 2, 3]
    inbox.ok(f"DELETE {name}")
    inbox.bad("FETCH 1 UID")
    inbox.ok("NOOP")


@pytest.mark.differs("it refuses to rename INBOX in Maildir++")
def test_rename_inbox_moves_the_messages(account, client):
    """RFC 3501 6.3.5"""
    client.ok("CREATE INBOX/Child")
    account.mail.deliver()
    client.ok("RENAME INBOX Saved")
    assert client.status("Saved", "MESSAGES") == {"MESSAGES": 1}
    assert client.status("INBOX", "MESSAGES") == {"MESSAGES": 0}
    assert "INBOX/Child" in client.list("", "*")


# ---- LIST, LSUB, SUBSCRIBE -------------------------------------------------

@pytest.fixture
def tree(client):
    for name in ("A", "A/B", "A/B/C", "D", "D/E"):
        client.ok(f"CREATE {name}")
    return client


@pytest.mark.parametrize("reference, pattern, names", [
    ("", "%", {"INBOX", "A", "D"}),
    ("", "*", {"INBOX", "A", "A/B", "A/B/C", "D", "D/E"}),
    ("", "A/%", {"A/B"}),
    ("", "%/%", {"A/B", "D/E"}),
    ("", "A*", {"A", "A/B", "A/B/C"}),
    ("", "*C", {"A/B/C"}),
    ("", "%B", set()),
    ("", "*E*", {"D/E"}),
    ("A/", "%", {"A/B"}),
    ("A/", "B/*", {"A/B/C"}),
    ("", "inbox", {"INBOX"}),
    ("", "InBoX", {"INBOX"}),
    ("", "Nothing", set()),
    ("", "D/E", {"D/E"}),
])
def test_list_patterns(tree, reference, pattern, names):
    assert set(tree.list(reference, pattern)) == names


def test_list_separator(client):
    r = client.ok('LIST "" ""').one("LIST")
    assert "\\Noselect" in r.data[0]
    assert r.data[1] == b"/" and r.data[2] == b""


def test_list_pattern_cannot_hang(client):
    """Backtracking must not be exponential."""
    client.ok("CREATE " + "a" * 60)
    client.ok('LIST "" "%s"' % ("*a" * 40 + "b"))


def test_subscriptions(account, client):
    client.ok("CREATE A")
    client.ok("CREATE A/B")
    client.ok("SUBSCRIBE A/B")
    client.ok("SUBSCRIBE INBOX")
    assert set(client.list("", "*", "LSUB")) == {"A/B", "INBOX"}
    # RFC 3501 6.3.9: a parent of a subscribed name, not itself subscribed.
    r = client.list("", "%", "LSUB")
    assert r["A"] >= {"\\Noselect"}
    client.ok("UNSUBSCRIBE A/B")
    assert set(client.list("", "*", "LSUB")) == {"INBOX"}


def test_subscription_survives_deletion(client):
    client.ok("CREATE A")
    client.ok("SUBSCRIBE A")
    client.ok("DELETE A")
    assert "A" in client.list("", "*", "LSUB")


def test_unsubscribe_what_is_not(client):
    assert client.cmd("UNSUBSCRIBE Nothing").status in ("OK", "NO")


def test_hidden_directories_are_no_mailboxes(account, client):
    m = account.mail
    for name in ("..DOVECOT-TRASHED", "courierimapkeywords", "sub"):
        (m.root / name).mkdir()
        m.own(m.root / name)
    (m.root / ".file").write_text("no directory")
    assert set(client.list("", "*")) == {"INBOX"}


def test_namespace(client):
    r = client.ok("NAMESPACE").one("NAMESPACE")
    assert r.data[0] == [[b"", b"/"]]
    assert len(r.data) == 3


# ---- STATUS ----------------------------------------------------------------

def test_status(account, client):
    client.ok("CREATE Box")
    account.mail.deliver(folder="Box")
    account.mail.deliver(folder="Box", flags="S")
    s = client.status("Box", "MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN")
    assert s.pop("UIDVALIDITY") > 0
    assert s.pop("RECENT") >= 1
    assert s == {"MESSAGES": 2, "UIDNEXT": 3, "UNSEEN": 1}
    # STATUS must not take \Recent away.
    assert client.ok("SELECT Box").one("RECENT").number >= 1


def test_status_sees_foreign_delivery(account, client):
    account.mail.deliver()
    assert client.status("INBOX", "MESSAGES")["MESSAGES"] == 1
    account.mail.deliver()
    assert client.status("INBOX", "MESSAGES")["MESSAGES"] == 2
    for p in account.mail.files():
        p.unlink()
    assert client.status("INBOX", "MESSAGES")["MESSAGES"] == 0


def test_status_of_selected(inbox):
    assert inbox.status("INBOX", "MESSAGES UIDNEXT") == {
        "MESSAGES": 3, "UIDNEXT": 4}


def test_status_missing(client):
    assert client.no("STATUS Nothing (MESSAGES)").code in (
        "NONEXISTENT", None)


def test_status_bad_item(client):
    client.bad("STATUS INBOX (NONSENSE)")
    client.bad("STATUS INBOX ()")
    client.bad("STATUS INBOX MESSAGES")


# ---- names in answers ------------------------------------------------------

def test_name_that_needs_a_literal_or_quotes(client):
    """LIST, STATUS and LSUB answer a name as it was given."""
    name = 'a"b\\c'
    if client.cmd("CREATE", name.encode()).status != "OK":
        pytest.skip("refused")
    client.ok("SUBSCRIBE", name.encode())
    assert name in client.list("", "*", "LSUB")
    r = client.ok("STATUS", name.encode(), "(MESSAGES)").one("STATUS")
    assert r.data[0] == name.encode()
    assert pairs(r.data[1]) == {"MESSAGES": 0}
