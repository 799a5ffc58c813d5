# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""OBJECTID (RFC 8474), with the examples of the RFC."""

import os
import re

import pytest

from imapclient import pairs
from maildirs import crlf, message

pytestmark = pytest.mark.imapd

ID = re.compile(r"[A-Z][0-9a-f]{32}")


def the_id(value):
    assert len(value) == 1 and ID.fullmatch(str(value[0])), value
    return str(value[0])


def code_id(r):
    found = r.codes("MAILBOXID")
    assert len(found) == 1, r
    m = re.search(rb"\[MAILBOXID \(([A-Za-z0-9_-]{1,255})\)\] .", found[0].raw)
    return m.group(1).decode()


def status_id(c, name):
    return the_id(c.status(name, "mailboxid")["MAILBOXID"])


def ids(c, numbers="1:*"):
    return {n: (the_id(m["EMAILID"]), the_id(m["THREADID"])) for n, m in
            c.ok(f"FETCH {numbers} (emailid threadid)").fetch().items()}


# ---- MAILBOXID -------------------------------------------------------------

def test_mailboxid(client, login):
    """The examples of 4.1 to 4.3."""
    foo = code_id(client.ok("CREATE foo"))
    bar = code_id(client.ok("CREATE bar"))
    assert foo != bar and foo.startswith("F")
    assert client.no("CREATE foo").code == "ALREADYEXISTS"
    assert code_id(client.ok("SELECT foo")) == foo
    assert code_id(client.ok("EXAMINE foo")) == foo
    assert status_id(client, "foo") == foo
    assert status_id(client, "bar") == bar
    client.ok("RENAME foo renamed")
    assert status_id(client, "renamed") == foo
    assert status_id(login(), "bar") == bar
    r = client.ok('LIST "" "*" RETURN (STATUS (MAILBOXID))')
    told = {s.data[0]: the_id(pairs(s.data[1])["MAILBOXID"])
            for s in r.all("STATUS")}
    told = {k.decode() if isinstance(k, bytes) else str(k): v
            for k, v in told.items()}
    assert told == {"INBOX": status_id(client, "INBOX"), "bar": bar,
                    "renamed": foo}


def test_mailboxid_again(client):
    """A mailbox of the same name is another one."""
    first = code_id(client.ok("CREATE foo"))
    client.ok("DELETE foo")
    assert code_id(client.ok("CREATE foo")) != first


def test_mailboxid_is_the_guid(account, client):
    """The one of dovecot-uidlist: Dovecot keeps it."""
    told = code_id(client.ok("SELECT INBOX"))
    assert told == "F" + account.mail.uidlist()[0]["G"]


# ---- EMAILID and THREADID --------------------------------------------------

A = message("Message A", Message_ID="<fake.1521475657.54797@example.com>")
RE = message("Re: Message A", Message_ID="<fake.1521475657.21213@example.org>",
             References="<fake.1521475657.54797@example.com>")
C = message("Message C", Message_ID="<fake.1521475657.60280@example.com>")


def test_fetch_and_move(client):
    """The example of 5.3."""
    for m in A, RE, C:
        client.append("INBOX", crlf(m))
    client.ok("CREATE foo")
    client.ok("SELECT INBOX")
    first = ids(client)
    assert first[1][1] == first[2][1] != first[3][1]
    assert len({i for pair in first.values() for i in pair}) == 5
    client.ok("MOVE 2 foo")
    assert ids(client) == {1: first[1], 2: first[3]}
    client.ok("COPY 1 foo")
    client.ok("SELECT foo")
    assert ids(client) == {1: first[2], 2: first[1]}


def test_search(client):
    """The example of 6; what has no such identifier is not found."""
    for m in A, RE, C:
        client.append("INBOX", crlf(m))
    client.ok("SELECT INBOX")
    first = ids(client)
    assert client.ok(f"SEARCH emailid {first[1][0]}").search() == [1]
    assert client.ok(f"SEARCH threadid {first[1][1]}").search() == [1, 2]
    assert client.ok(f"SEARCH EMAILID {first[1][1]}").search() == []
    assert client.ok(f"SEARCH EMAILID {first[1][0].upper()}").search() == []
    assert client.ok(f"UID SEARCH OR EMAILID {first[1][0]} EMAILID "
                     f"{first[3][0]}").search() == [1, 3]
    assert client.ok(f"SEARCH NOT THREADID {first[1][1]}").search() == [3]
    client.bad('SEARCH EMAILID "M1"')
    client.bad("SEARCH THREADID")


def test_the_same_in_every_session(account, login):
    """Delivered, seen, flagged, renamed, its records lost: the same."""
    for n, m in enumerate((A, RE, C, b"\n", message("x", Message_ID=None))):
        account.mail.deliver(m, name=f"{1707124272 + n}.M1P1.host")
    c = login()
    c.ok("EXAMINE INBOX")
    first = ids(c)
    assert len({i for pair in first.values() for i in pair}) == 9
    c.ok("SELECT INBOX")
    c.ok(r"STORE 1:* +FLAGS (\Seen)")
    assert ids(c) == first
    for name in "imapd.cache", "imapd.index", "imapd.journal":
        (account.mail.root / name).unlink(missing_ok=True)
    c = login()
    c.ok("SELECT INBOX")
    assert ids(c) == first


@pytest.mark.skipif(os.geteuid() != 0, reason="mail of a user of its own")
def test_kept(account, login):
    for n, m in enumerate((A, RE, C)):
        account.mail.deliver(m, flags="S", name=f"{1707124272 + n}.M1P1.host",
                             mtime=1707124272 + n)
    c = login()
    c.ok("EXAMINE INBOX")
    first = ids(c)
    for f in account.mail.files():
        os.chmod(f, 0)
    c = login()
    c.ok("EXAMINE INBOX")
    assert ids(c) == first


def test_thread_that_cannot_be_known(account, client):
    """NIL, and the message's own identifier all the same."""
    account.mail.deliver(A, flags="S")
    client.ok("SELECT INBOX")
    path = account.mail.files()[0]
    path.unlink()
    path.mkdir()
    r = client.cmd("FETCH 1 (EMAILID THREADID)")
    m = r.fetch()[1]
    assert r.status == "NO" and m["THREADID"] is None
    the_id(m["EMAILID"])
