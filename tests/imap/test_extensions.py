# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""What the extensions of SEARCH, STATUS and APPEND promise, with the examples
of their RFCs; and for each capability that is announced, the tests of it."""

import pathlib
import time

import pytest

from imapclient import pairs
from maildirs import crlf, message

HERE = pathlib.Path(__file__).parent

# Where each capability is tested; "=" stands for a value.
TESTS = {
    "IMAP4REV1": "test_fetch.py:test_sections",
    "LITERAL+": "test_login.py:test_login_nonsync_literals",
    "ID": "test_quirks.py:test_thunderbird_id_answer",
    "ENABLE": "test_quirks.py:test_imapflow_enable_answers_only_what_works",
    "IDLE": "test_sessions.py:test_idle_flags_and_expunge",
    "NAMESPACE": "test_mailbox.py:test_namespace",
    "UNSELECT": "test_mailbox.py:test_unselect_keeps",
    "CONDSTORE": "test_condstore.py:test_some_fail",
    "QRESYNC": "test_qresync.py:test_pending_changes",
    "UIDPLUS": "test_change.py:test_uid_expunge",
    "MOVE": "test_change.py:test_move",
    "MULTIAPPEND": "test_change.py:test_multiappend_is_atomic",
    "APPENDLIMIT=": "test_extensions.py:test_appendlimit",
    "CHILDREN": "test_list.py:test_children",
    "LIST-EXTENDED": "test_list.py:test_subscribed",
    "LIST-STATUS": "test_list.py:test_status",
    "STATUS=SIZE": "test_extensions.py:test_status_size",
    "SPECIAL-USE": "test_list.py:test_special_use_selection",
    "XLIST": "test_quirks.py:test_outlook_xlist",
    "ESEARCH": "test_search.py:test_esearch",
    "SEARCHRES": "test_extensions.py:test_searchres_with_esearch",
    "WITHIN": "test_extensions.py:test_within",
    "SORT": "test_sort.py:test_examples_of_sort",
    "SORT=DISPLAY": "test_sort.py:test_keys",
    "ESORT": "test_sort.py:test_esort",
    "THREAD=ORDEREDSUBJECT": "test_sort.py:test_examples_of_thread",
    "THREAD=REFERENCES": "test_sort.py:test_examples_of_thread",
    "THREAD=REFS": "test_sort.py:test_refs",
    "INPROGRESS": "test_progress.py:test_search_and_fetch",
    "PREVIEW": "test_preview.py:test_lazy",
    "SAVEDATE": "test_preview.py:test_save_date",
    "OBJECTID": "test_objectid.py:test_mailboxid",
    "QUOTA": "test_quota.py:test_getquotaroot",
    "QUOTA=RES-STORAGE": "test_quota.py:test_getquota",
    "QUOTA=RES-MESSAGE": "test_quota.py:test_resources_without_a_limit",
}


@pytest.mark.imapd
def test_every_capability_is_tested(client):
    caps = {c.partition("=")[0] + "=" if c.startswith("APPENDLIMIT") else c
            for c in client.capability()}
    assert caps == set(TESTS)
    for where in TESTS.values():
        name, _, test = where.partition(":")
        assert f"\ndef {test}(" in (HERE / name).read_text(), where


# ---- SEARCHRES (RFC 5182) --------------------------------------------------

def uids(r):
    return [m["UID"] for m in r.fetch().values()]


@pytest.mark.differs("answers pipelined commands in another order")
def test_searchres(inbox):
    """Examples 1 and 2: waited for, and pipelined."""
    r = inbox.ok("SEARCH RETURN (SAVE) 2:3")
    assert not r.all("SEARCH") and not r.all("ESEARCH")
    assert uids(inbox.ok("FETCH $ UID")) == [2, 3]
    inbox.send("a UID SEARCH RETURN (SAVE) UID 1,3\r\nb UID FETCH $ UID\r\n"
               "c FETCH $ UID\r\n")
    assert inbox.tagged("a").status == "OK"
    assert uids(inbox.tagged("b")) == uids(inbox.tagged("c")) == [1, 3]


def test_searchres_as_a_key(inbox):
    """Examples 3 and 4."""
    inbox.ok("SEARCH RETURN (SAVE) SUBJECT ir")     # First, Third
    assert inbox.ok("UID SEARCH UID $ SUBJECT third").search() == [3]
    assert inbox.ok("UID SEARCH $ SUBJECT third").search() == [3]
    assert inbox.ok("SEARCH NOT $").search() == [2]
    assert inbox.ok("SEARCH CHARSET UTF-8 (OR $ 2) TEXT",
                    "Two".encode()).search() == [2]


def test_searchres_of_failures(inbox):
    """Example 5: NO empties it; BAD, or a search without SAVE, does not."""
    def saved():
        return uids(inbox.ok("FETCH $ UID"))
    assert saved() == []
    inbox.ok("SEARCH RETURN (SAVE) 1:2")
    inbox.bad("SEARCH RETURN (SAVE) NONSENSE")
    inbox.no("SEARCH CHARSET X-NOSUCH TEXT x")
    inbox.ok("SEARCH ALL")
    inbox.ok("SEARCH RETURN (COUNT) ALL")
    assert saved() == [1, 2]
    inbox.no("SEARCH RETURN (SAVE) CHARSET X-NOSUCH TEXT x")
    assert saved() == []


@pytest.mark.differs("answers pipelined commands in another order")
def test_searchres_in_changes(inbox):
    """Examples 6, 7 and 9; what is expunged leaves it; SELECT empties it."""
    inbox.ok("CREATE Box")
    inbox.ok("SEARCH RETURN (SAVE) SUBJECT nothing-like-that")
    inbox.ok("COPY $ Box")
    inbox.send("a SEARCH RETURN (SAVE) 1\r\nb SEARCH RETURN (SAVE) 2:3\r\n"
               "c COPY $ Box\r\nd STORE $ +FLAGS.SILENT (\\Deleted)\r\n")
    for tag in "abcd":
        assert inbox.tagged(tag).status == "OK"
    assert inbox.status("Box", "MESSAGES") == {"MESSAGES": 2}
    assert inbox.ok("SEARCH DELETED").search() == [2, 3]
    inbox.ok("STORE 3 -FLAGS.SILENT (\\Deleted)")
    inbox.ok("EXPUNGE")
    assert inbox.ok("FETCH $ UID").fetch() == {2: {"UID": 3}}
    inbox.ok("UID EXPUNGE $")
    inbox.ok("SELECT INBOX")
    assert uids(inbox.ok("FETCH $ UID")) == []


@pytest.mark.parametrize("options, saved", [
    ("SAVE", [1, 2, 3]), ("SAVE MIN", [1]), ("SAVE MAX", [3]),
    ("MIN MAX SAVE", [1, 3]), ("SAVE ALL MIN", [1, 2, 3]),
    ("SAVE COUNT MAX", [1, 2, 3]), ("SAVE MIN MAX COUNT", [1, 2, 3]),
])
def test_searchres_with_esearch(inbox, options, saved):
    """The table of 2.4."""
    r = inbox.ok(f"UID SEARCH RETURN ({options}) ALL")
    assert len(r.all("ESEARCH")) == (0 if options == "SAVE" else 1)
    assert uids(inbox.ok("FETCH $ UID")) == saved


# ---- WITHIN (RFC 5032) -----------------------------------------------------

def test_within(account, client):
    now = time.time()
    for age in (100, 3000, 9000):
        account.mail.deliver(message(), flags="", mtime=now - age,
                             name=f"{1700000000 - age}.M1P1.h")
    client.ok("SELECT INBOX")
    by_age = client.ok("SEARCH OLDER 2000").search()
    assert len(by_age) == 2
    assert len(client.ok("SEARCH YOUNGER 2000").search()) == 1
    assert len(client.ok("SEARCH OLDER 1000 YOUNGER 5000").search()) == 1
    assert not client.ok("SEARCH OLDER 10000").search()
    assert set(client.ok("SEARCH NOT YOUNGER 2000").search()) == set(by_age)
    client.bad("SEARCH OLDER 0")
    client.bad("SEARCH YOUNGER -1")


# ---- STATUS=SIZE (RFC 8438), APPENDLIMIT (RFC 7889) ------------------------

def test_status_size(inbox):
    sizes = [m["RFC822.SIZE"] for m in inbox.ok(
        "FETCH 1:* RFC822.SIZE").fetch().values()]
    assert inbox.status("INBOX", "SIZE") == {"SIZE": sum(sizes)}
    inbox.append("INBOX", crlf(message("more")))
    more = inbox.fetch_one(4, "RFC822.SIZE")["RFC822.SIZE"]
    assert inbox.status("INBOX", "MESSAGES SIZE") == {
        "MESSAGES": 4, "SIZE": sum(sizes) + more}
    inbox.ok("CREATE Empty")
    assert inbox.status("Empty", "SIZE") == {"SIZE": 0}


@pytest.mark.imapd
def test_appendlimit(make_server):
    """Announced, told by STATUS and LIST, and kept."""
    s = make_server({"append_limit": "100k"})
    with s.connect() as c:
        assert not [x for x in c.capability() if x.startswith("APPENDLIMIT")]
    with s.login(s.account("u")) as c:
        limit = 100 * 1024
        assert f"APPENDLIMIT={limit}" in c.capability()
        assert c.status("INBOX", "APPENDLIMIT") == {"APPENDLIMIT": limit}
        r = c.ok('LIST "" % RETURN (STATUS (APPENDLIMIT))')
        assert pairs(r.one("STATUS").data[1]) == {"APPENDLIMIT": limit}
        c.append("INBOX", b"x" * limit)
        c.send(f"a APPEND INBOX {{{limit + 1}}}\r\n")
        r = c.tagged("a")
        assert r.status == "NO" and r.code == "TOOBIG"
