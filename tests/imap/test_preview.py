# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""PREVIEW (RFC 8970) and SAVEDATE (RFC 8514), with the examples of the RFCs."""

import os
import time

import pytest

from maildirs import crlf, message

pytestmark = pytest.mark.imapd

LOREM = ("Lorem ipsum dolor sit amet, consectetur adipiscing elit.\n"
         "Curabitur aliquam turpis et ante dictum, et pulvinar dui congue.\n"
         "Maecenas hendrerit, lorem non imperdiet pellentesque, nulla\n"
         "ligula nullam est, in dictum nulla.\n")


def deliver(account, *bodies, **fields):
    for n, body in enumerate(bodies):
        account.mail.deliver(message(f"Number {n}", body, **fields), flags="",
                             mtime=1707124272 + n,
                             name=f"{1707124272 + n}.M1P1.host")


def previews(r):
    return {n: m["PREVIEW"] for n, m in r.fetch().items()}


def test_without_lazy(account, client):
    """Example 1."""
    deliver(account, LOREM)
    client.ok("SELECT INBOX")
    r = client.ok("FETCH 1 (RFC822.SIZE PREVIEW)").fetch()[1]
    assert r["PREVIEW"] == " ".join(LOREM.split())[:200].encode()
    assert r["RFC822.SIZE"] > 200
    assert "\\Seen" not in client.fetch_one(1, "FLAGS")["FLAGS"]


def test_lazy(account, login):
    """Example 2: what was made is kept, for other sessions too; an empty one is
    no reason to ask again."""
    deliver(account, "Preview text for message 1.\n", "",
            "Message data from message 3.\n", "Message 4 preview\n")
    c = login()
    c.ok("EXAMINE INBOX")
    assert previews(c.ok("FETCH 1:4 (ENVELOPE PREVIEW (LAZY))")) == {
        1: None, 2: None, 3: None, 4: None}
    assert previews(c.ok("FETCH 1:2 PREVIEW")) == {
        1: b"Preview text for message 1.", 2: b""}
    for c in c, login():
        c.ok("EXAMINE INBOX")
        assert previews(c.ok("FETCH 1:4 (ENVELOPE PREVIEW (LAZY))")) == {
            1: b"Preview text for message 1.", 2: b"", 3: None, 4: None}
    assert previews(c.ok("FETCH 3:4 (PREVIEW)")) == {
        3: b"Message data from message 3.", 4: b"Message 4 preview"}


def test_search_result(account, client):
    """Example 3."""
    deliver(account, "Preview!\n", "Another preview!\n")
    client.ok("SELECT INBOX")
    client.ok("FETCH 1 PREVIEW")
    client.send("c2 SEARCH RETURN (SAVE) FROM alice\r\n"
                "c3 FETCH $ (UID PREVIEW (LAZY))\r\n")
    assert client.tagged("c2").status == "OK"
    assert previews(client.tagged("c3")) == {1: b"Preview!", 2: None}
    r = client.ok("UID FETCH 2 (PREVIEW)").fetch(by_uid=True)
    assert r == {2: {"UID": 2, "PREVIEW": b"Another preview!"}}


@pytest.mark.skipif(os.geteuid() != 0, reason="mail of a user of its own")
def test_kept(account, login):
    """The files are not opened again."""
    deliver(account, "One.\n", "")
    c = login()
    c.ok("EXAMINE INBOX")
    first = previews(c.ok("FETCH 1:* PREVIEW"))
    for f in account.mail.files():
        os.chmod(f, 0)
    c = login()
    c.ok("EXAMINE INBOX")
    assert previews(c.ok("FETCH 1:* PREVIEW")) == first == {1: b"One.", 2: b""}


@pytest.mark.parametrize("body, fields, want", [
    ("Gr=C3=BC=C3=9Fe\n",
     {"Content_Type": "text/plain; charset=utf-8",
      "Content_Transfer_Encoding": "quoted-printable"}, "Grüße"),
    ("<html><head><title>T</title></head><p>caf\xe9 &#8364;<br>x</html>\n",
     {"Content_Type": "text/html; charset=utf-8"}, "café € x"),
    ("On 1 Mar 2024, Anna <a@example.com> wrote:\n> Hers\n\nMine\n-- \nBo\n",
     {}, "Mine"),
    ("あ" * 300 + "\n", {"Content_Type": "text/plain; charset=utf-8"},
     "あ" * 200),
    ("-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n", {},
     ""),
])
def test_texts(account, client, body, fields, want):
    """More of them in tests/unit/test_message_preview.c."""
    deliver(account, body, **fields)
    client.ok("SELECT INBOX")
    got = previews(client.ok("FETCH 1 PREVIEW"))[1]
    assert got.decode() == want


def test_unreadable(account, client):
    deliver(account, "One.\n")
    client.ok("SELECT INBOX")
    path = account.mail.files()[0]
    path.unlink()
    path.mkdir()        # nothing that could be read
    r = client.cmd("FETCH 1 PREVIEW")
    assert previews(r) == {1: b""} and r.status == "NO"


def test_grammar(inbox):
    inbox.bad("FETCH 1 PREVIEW (EAGER)")
    inbox.bad("FETCH 1 PREVIEW ()")
    assert previews(inbox.ok("FETCH 1 preview (lazy lazy)")) == {1: None}


# ---- SAVEDATE (RFC 8514) ---------------------------------------------------

def when(s):
    return time.mktime(time.strptime(s.decode()[:20].strip(),
                                     "%d-%b-%Y %H:%M:%S"))


@pytest.mark.parametrize("how", ["copy", "delivery"])
def test_save_date_before_it_was_seen(account, login, how):
    """It is not when somebody first looked, in a mailbox with a record too."""
    deliver(account, "x\n")
    c = login()
    c.ok("CREATE Box")
    for _ in range(2):
        c.ok("SELECT INBOX")
        c.ok("COPY 1 Box")
        c.ok("SELECT Box")
        c.ok("FETCH 1 SAVEDATE")
        c.ok("UNSELECT")
    before = int(time.time())
    if how == "copy":
        c.ok("SELECT INBOX")
        c.ok("COPY 1 Box")
    else:
        account.mail.deliver(message(), folder="Box")
    after = time.time()
    time.sleep(2.1)
    c = login()
    c.ok("SELECT Box")
    first = c.fetch_one(3, "SAVEDATE")["SAVEDATE"]
    assert before <= when(first) <= after
    c.ok(r"STORE 3 +FLAGS (\Flagged)")
    assert login().ok("SELECT Box") and c.fetch_one(
        3, "SAVEDATE")["SAVEDATE"] == first


@pytest.mark.parametrize("what", ["store", "copy", "fetch"])
@pytest.mark.imapd
def test_save_date_of_old_mail(account, login, what):
    """Of a message older than our record it is not changed by what we do to
    its file, nor by the loss of the cache (RFC 8514 3: it MUST NOT change)."""
    deliver(account, "x\n")
    c = login()
    c.ok("CREATE Box")
    c.ok("SELECT INBOX")
    c.ok("LOGOUT")
    for name in ("imapd.index", "imapd.journal", "imapd.cache"):
        (account.mail.root / name).unlink(missing_ok=True)
    path = account.mail.files()[0]
    came = int(path.stat().st_ctime)
    time.sleep(1.1)
    c = login()
    c.ok("SELECT INBOX")
    if what == "store":
        c.ok(r"STORE 1 +FLAGS (\Flagged)")
    elif what == "copy":
        c.ok("COPY 1 Box")
    else:
        c.ok("FETCH 1 SAVEDATE")
        c.ok(r"STORE 1 +FLAGS (\Flagged)")
    c.ok("LOGOUT")
    assert account.mail.files()[0].stat().st_ctime > came + 1
    (account.mail.root / "imapd.cache").unlink(missing_ok=True)
    c = login()
    c.ok("SELECT INBOX")
    assert when(c.fetch_one(1, "SAVEDATE")["SAVEDATE"]) == came


def test_save_date(account, login):
    """When it came into this mailbox, whatever its internal date; a copy has a
    date of its own, and flags change none."""
    deliver(account, "x\n")
    path = account.mail.files()[0]
    os.utime(path, (1600000000, 1600000000))
    c = login()
    c.ok("CREATE Box")
    c.ok("SELECT INBOX")
    dates = [c.fetch_one(1, "SAVEDATE")["SAVEDATE"]]
    c.append("INBOX", crlf(message()), date="01-Jan-2015 18:50:53 +0100")
    dates.append(c.fetch_one(2, "SAVEDATE")["SAVEDATE"])
    time.sleep(1.1)
    c.ok("COPY 1 Box")
    c.ok(r"STORE 1:2 +FLAGS (\Flagged)")
    for c in c, login():
        c.ok("SELECT INBOX")
        r = c.ok("FETCH 1:2 SAVEDATE").fetch()
        assert [m["SAVEDATE"] for m in r.values()] == dates
    today = dates[0].decode().split()[0]
    assert c.ok(f"SEARCH SAVEDON {today}").search() == [1, 2]
    assert c.ok(f"SEARCH SAVEDBEFORE {today}").search() == []
    assert c.ok("SEARCH SAVEDATESUPPORTED").search() == [1, 2]
    c.ok("SELECT Box")
    r = c.fetch_one(1, "(SAVEDATE INTERNALDATE)")
    assert when(r["INTERNALDATE"]) == 1600000000
    assert when(dates[0]) < when(r["SAVEDATE"]) <= time.time()
    c.ok(r"STORE 1 +FLAGS (\Flagged)")
    assert c.fetch_one(1, "SAVEDATE")["SAVEDATE"] == r["SAVEDATE"]
    assert time.time() - when(dates[0]) < 60
