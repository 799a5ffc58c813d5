# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""SEARCH: every key of RFC 3501, charsets, ESEARCH."""

import time

import pytest

from maildirs import message


@pytest.fixture
def box(account, client):
    """Seven messages whose answers are in the table below."""
    day = 86400
    base = 1707124272       # 5 Feb 2024
    mails = [
        (message("apple", "first body\n", n=1, Cc="carl@x.org",
                 Date="Thu, 1 Feb 2024 23:30:00 -0800"), "S"),
        (message("Banana split", "the needle is here\n", n=2), "F"),
        (message("=?utf-8?q?caf=C3=A9?=", "third\n", n=3), "RS"),
        (message("cherry", "x" * 5000 + "\n", n=4, X_Test="yes"), "T"),
        (message("date", "Content\n", n=5, From="Zoe <zoe@z.example>",
                 Date="nonsense"), "DS"),
        (message("encoded", "bmVlZGxlIGluIGJhc2U2NAo=\n", n=6,
                 MIME_Version="1.0", Content_Type="text/plain",
                 Content_Transfer_Encoding="base64"), ""),
        (message("last", "n=C3=A4del\n", n=7, MIME_Version="1.0",
                 Content_Type="text/plain; charset=utf-8",
                 Content_Transfer_Encoding="quoted-printable",
                 Bcc="hidden@h.example"), "S"),
    ]
    for i, (data, flags) in enumerate(mails):
        account.mail.deliver(data, flags=flags, mtime=base + i * day,
                             name=f"{1700000000 + i}.M1P1.host")
    client.ok("SELECT INBOX")
    client.ok("STORE 6 +FLAGS.SILENT ($Work)")
    return client


@pytest.mark.parametrize("key, want", [
    ("ALL", [1, 2, 3, 4, 5, 6, 7]),
    ("SEEN", [1, 3, 5, 7]), ("UNSEEN", [2, 4, 6]),
    ("FLAGGED", [2]), ("UNFLAGGED", [1, 3, 4, 5, 6, 7]),
    ("ANSWERED", [3]), ("UNANSWERED", [1, 2, 4, 5, 6, 7]),
    ("DELETED", [4]), ("UNDELETED", [1, 2, 3, 5, 6, 7]),
    ("DRAFT", [5]), ("UNDRAFT", [1, 2, 3, 4, 6, 7]),
    ("KEYWORD $Work", [6]), ("KEYWORD $work", [6]), ("KEYWORD other", []),
    ("UNKEYWORD $Work", [1, 2, 3, 4, 5, 7]),
    ("SUBJECT apple", [1]), ("SUBJECT APPLE", [1]), ("SUBJECT an", [2]),
    ('SUBJECT "banana SPLIT"', [2]), ('SUBJECT ""', [1, 2, 3, 4, 5, 6, 7]),
    ("FROM alice", [1, 2, 3, 4, 6, 7]), ("FROM zoe@z", [5]),
    ("TO bob@example.net", [1, 2, 3, 4, 5, 6, 7]), ("CC carl", [1]),
    ("BCC hidden", [7]),
    ("HEADER X-Test yes", [4]), ('HEADER X-Test ""', [4]),
    ("HEADER x-test YE", [4]), ("HEADER X-None x", []),
    ("HEADER Message-ID <m3@example.org>", [3]),
    ("BODY needle", [2, 6]), ("TEXT needle", [2, 6]), ("TEXT banana", [2]),
    ("BODY banana", []),
    ("LARGER 4000", [4]), ("SMALLER 4000", [1, 2, 3, 5, 6, 7]),
    ("BEFORE 7-Feb-2024", [1, 2]), ("ON 7-Feb-2024", [3]),
    ("SINCE 9-Feb-2024", [5, 6, 7]), ('ON "07-Feb-2024"', [3]),
    ("SENTON 1-Feb-2024", [1]), ("SENTBEFORE 2-Feb-2024 UNDRAFT", [1]),
    ("SENTON 5-Feb-2024", [2, 3, 4, 6, 7]),
    ("1:3", [1, 2, 3]), ("UID 2:3,5", [2, 3, 5]), ("*", [7]),
    ("UID 100:*", [7]), ("UID 100:200", []),
    ("NOT SEEN", [2, 4, 6]), ("NOT (SEEN)", [2, 4, 6]),
    ("OR FLAGGED ANSWERED", [2, 3]),
    ("OR (FLAGGED UNSEEN) (DRAFT SEEN)", [2, 5]),
    ("OR OR FLAGGED ANSWERED DELETED", [2, 3, 4]),
    ("SEEN UNDRAFT 1:4", [1, 3]), ("(SEEN (UNDRAFT (1:4)))", [1, 3]),
    ("NOT NOT SEEN", [1, 3, 5, 7]),
    ("OLD", None), ("NEW", None), ("RECENT", None),
])
def test_keys(box, key, want):
    got = sorted(box.ok(f"SEARCH {key}").search())
    if want is not None:
        assert got == want
    assert sorted(box.ok(f"UID SEARCH {key}").search()) == got


def test_recent_old_new(box):
    def find(key):
        return set(box.ok(f"SEARCH {key}").search())
    assert find("RECENT") | find("OLD") == {1, 2, 3, 4, 5, 6, 7}
    assert not find("RECENT") & find("OLD")
    assert find("NEW") == find("RECENT UNSEEN")


def test_charset(box):
    assert box.ok("SEARCH CHARSET UTF-8 SUBJECT",
                  "café".encode()).search() == [3]
    assert box.ok("SEARCH CHARSET UTF-8 SUBJECT",
                  "CAFÉ".encode()).search() == [3]
    assert box.ok("SEARCH CHARSET UTF-8 BODY", "näd".encode()).search() == [7]
    assert box.ok("SEARCH CHARSET US-ASCII SUBJECT apple").search() == [1]


def test_unknown_charset(box):
    assert box.no("SEARCH CHARSET X-NOSUCH SUBJECT x").code == "BADCHARSET"


def test_no_match_is_still_an_answer(box):
    r = box.ok("SEARCH SUBJECT nothing-like-that")
    assert r.one("SEARCH").data == []


@pytest.mark.parametrize("command", [
    "SEARCH", "SEARCH NONSENSE", "SEARCH (", "SEARCH (SEEN", "SEARCH OR SEEN",
    "SEARCH NOT", "SEARCH SINCE yesterday", "SEARCH ON 31-Foo-2024",
    "SEARCH LARGER x", "SEARCH UID", "SEARCH UID x", "SEARCH SEEN)",
    "SEARCH HEADER X", "SEARCH CHARSET", "SEARCH CHARSET UTF-8",
    pytest.param("SEARCH " + "(" * 5000 + "SEEN" + ")" * 4999, id="deep"),
])
def test_bad_search(box, command):
    assert box.cmd(command).status in ("BAD", "NO")
    box.ok("NOOP")


def test_esearch(box):
    if "ESEARCH" not in box.capability():
        pytest.skip("not announced")
    r = box.ok("SEARCH RETURN (MIN MAX COUNT ALL) SEEN").one("ESEARCH")
    text = r.raw.decode()
    assert "MIN 1" in text and "MAX 7" in text and "COUNT 4" in text
    assert "ALL 1,3,5,7" in text
    r = box.ok("UID SEARCH RETURN () UNSEEN").one("ESEARCH")
    assert " UID " in r.raw.decode() and "ALL 2,4,6" in r.raw.decode()


def test_search_sees_a_new_message(account, box):
    account.mail.deliver(message("fresh"))
    box.ok("NOOP")
    assert box.ok("SEARCH SUBJECT fresh").search() == [8]


@pytest.mark.imapd
@pytest.mark.parametrize("gone", [[1], [2], [3], [4], [6, 7], [1, 7],
                                  [1, 2, 3, 4, 5, 6, 7]])
def test_what_is_gone_is_told(account, login, box, gone):
    """SEARCH cannot tell it with EXPUNGE; flags alone may pass over it."""
    seen = {1, 3, 5, 7}
    other = login()
    other.ok("SELECT INBOX")
    other.ok("STORE 4 -FLAGS (\\Deleted)")
    other.ok(f"STORE {','.join(map(str, gone))} +FLAGS (\\Deleted)")
    box.ok("NOOP")
    other.ok("EXPUNGE")
    account.mail.deliver(message("fresh"))
    box.ok("SEARCH ALL")            # from now on the session knows
    for key, want in (("UNSEEN", {2, 4, 6}), ("SEEN", seen),
                      ("NOT SEEN", {2, 4, 6}), ("UNSEEN UNANSWERED SUBJECT x",
                                                set()),
                      ("FLAGGED DRAFT", set()), ("ALL", set(range(1, 8)))):
        r = box.ok(f"SEARCH {key}")
        assert set(r.search()) - {8} == want - set(gone), key
        assert r.code == "EXPUNGEISSUED", key


@pytest.mark.imapd
def test_one_gone_does_not_make_it_slow(account, client):
    """The store is gone through once, not once for each message."""
    for n in range(30000):
        account.mail.deliver(b"\n", flags="S", name=f"1700000000.M{n}P1.host")
    client.ok("SELECT INBOX")

    def seconds():
        start = time.monotonic()
        r = client.ok("SEARCH UNSEEN")
        return time.monotonic() - start, r.code
    client.ok("SEARCH ALL")
    before = min(seconds()[0] for _ in range(5))
    for f in sorted(account.mail.files())[-1:]:
        f.unlink()
    client.ok("SEARCH ALL")
    after, code = min(seconds() for _ in range(5))
    assert code == "EXPUNGEISSUED"
    # 200 times as long when each message looked for the next match.
    assert after < 30 * before + 0.02
