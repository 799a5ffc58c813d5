# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""FETCH: every item, sections, partials, sizes; messages that are none."""

import calendar
import gzip
import time

import pytest

from maildirs import crlf, message

MULTI = b"""\
From: "Fred Foobar" <foobar@Blurdybloop.example>, team: a@b.example, c@d.example;
To: undisclosed-recipients:;
Subject: =?utf-8?q?caf=C3=A9?=
Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)
Message-ID: <B27397-0100000@cac.washington.edu>
In-Reply-To: <x@y>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="outer"

preamble
--outer
Content-Type: text/plain; charset=us-ascii; format=flowed

Part one.
--outer
Content-Type: multipart/alternative; boundary="inner"

--inner
Content-Type: text/plain

alt text
--inner
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable
Content-ID: <id@x>
Content-Description: the html
Content-Language: en, de
Content-Location: http://example.org/

<b>caf=C3=A9</b>
--inner--
--outer
Content-Type: message/rfc822

Subject: inner message
From: in@example.org
Content-Type: multipart/mixed; boundary=b3

--b3
Content-Type: application/octet-stream; name="a;b"
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="a;b"; size=3

AAEC
--b3--
--outer--
epilogue
"""


@pytest.fixture
def multi(account, client):
    account.mail.deliver(MULTI, flags="", mtime=837595405)
    client.ok("SELECT INBOX")
    return client


def test_macros(inbox):
    assert set(inbox.fetch_one(1, "FAST")) == {
        "FLAGS", "INTERNALDATE", "RFC822.SIZE"}
    assert set(inbox.fetch_one(1, "ALL")) == {
        "FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"}
    assert set(inbox.fetch_one(1, "FULL")) == {
        "FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"}


def test_size_is_length_of_body(inbox):
    for n in (1, 2, 3):
        r = inbox.fetch_one(n, "(RFC822.SIZE BODY.PEEK[])")
        assert r["RFC822.SIZE"] == len(r["BODY[]"])


def test_body_is_the_file_with_crlf(account, inbox):
    for n, path in enumerate(account.mail.files(), 1):
        assert inbox.fetch_one(n, "BODY.PEEK[]")["BODY[]"] \
            == crlf(path.read_bytes())


def test_seen_is_set_and_told(inbox):
    r = inbox.fetch_one(1, "BODY[TEXT]")
    assert "\\Seen" in r["FLAGS"]
    r = inbox.ok("FETCH 2 BODY.PEEK[TEXT]").fetch()
    assert "FLAGS" not in r[2]
    assert "\\Seen" not in inbox.fetch_one(2, "FLAGS")["FLAGS"]


@pytest.mark.parametrize("item, seen", [
    ("RFC822", True), ("RFC822.TEXT", True), ("RFC822.HEADER", False),
    ("BODY[HEADER]", True), ("BODY[1]", True), ("BODY", False),
    ("BODYSTRUCTURE", False), ("ENVELOPE", False), ("BODY[TEXT]<0.1>", True)])
def test_which_items_set_seen(inbox, item, seen):
    inbox.ok(f"FETCH 1 {item}")
    assert ("\\Seen" in inbox.fetch_one(1, "FLAGS")["FLAGS"]) == seen


def test_rfc822_items(inbox):
    r = inbox.fetch_one(1, "(RFC822 RFC822.HEADER RFC822.TEXT BODY.PEEK[])")
    assert r["RFC822"] == r["BODY[]"]
    assert r["RFC822.HEADER"] + r["RFC822.TEXT"] == r["RFC822"]


def test_internaldate(multi):
    d = multi.fetch_one(1, "INTERNALDATE")["INTERNALDATE"].decode()
    t = time.strptime(d[:20].strip(), "%d-%b-%Y %H:%M:%S")
    zone = int(d[21:24]) * 3600
    assert calendar.timegm(t) - zone == 837595405
    assert len(d) == 26


def test_envelope(multi):
    env = multi.fetch_one(1, "ENVELOPE")["ENVELOPE"]
    date, subject, from_, sender, reply_to, to, cc, bcc, irt, mid = env
    assert date == b"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)"
    assert subject == b"=?utf-8?q?caf=C3=A9?="
    assert from_ == [
        [b"Fred Foobar", None, b"foobar", b"Blurdybloop.example"],
        [None, None, b"team", None],
        [None, None, b"a", b"b.example"],
        [None, None, b"c", b"d.example"],
        [None, None, None, None]]
    assert sender == from_ and reply_to == from_
    assert to == [[None, None, b"undisclosed-recipients", None],
                  [None, None, None, None]]
    assert cc is None and bcc is None
    assert irt == b"<x@y>"
    assert mid == b"<B27397-0100000@cac.washington.edu>"


def test_bodystructure(multi):
    bs = multi.fetch_one(1, "BODYSTRUCTURE")["BODYSTRUCTURE"]
    text, alt, msg = bs[0], bs[1], bs[2]
    assert bs[3].lower() == b"mixed"
    assert [x.lower() for x in bs[4]] == [b"boundary", b"outer"]
    assert [x.lower() if isinstance(x, bytes) else x for x in text[:8]] == [
        b"text", b"plain",
        [b"charset", b"us-ascii", b"format", b"flowed"], None, None, b"7bit",
        9, 0] or text[6] == 9
    assert alt[2].lower() == b"alternative"
    html = alt[1]
    assert html[3:6] == [b"<id@x>", b"the html", b"quoted-printable"]
    assert html[6] == len(b"<b>caf=C3=A9</b>")
    assert html[10] == [b"en", b"de"] and html[11] == b"http://example.org/"
    assert msg[:2] == [b"message", b"rfc822"]
    assert msg[7][1] == b"inner message"
    inner = msg[8]
    assert inner[0][8] == [b"attachment", [b"filename", b"a;b", b"size", b"3"]]


def test_body_has_no_extension_data(multi):
    b = multi.fetch_one(1, "BODY")["BODY"]
    assert len(b) == 4 and b[3].lower() == b"mixed"


@pytest.mark.parametrize("section, text", [
    ("1", b"Part one."),
    ("1.MIME",
     b"Content-Type: text/plain; charset=us-ascii; format=flowed\r\n\r\n"),
    ("2.1", b"alt text"),
    ("2.2", b"<b>caf=C3=A9</b>"),
    ("3.HEADER", b"Subject: inner message\r\nFrom: in@example.org\r\n"
     b"Content-Type: multipart/mixed; boundary=b3\r\n\r\n"),
    ("3.HEADER.FIELDS (SUBJECT)", b"Subject: inner message\r\n\r\n"),
    ("3.HEADER.FIELDS.NOT (SUBJECT CONTENT-TYPE)",
     b"From: in@example.org\r\n\r\n"),
    ("3.1", b"AAEC"),
    ("HEADER.FIELDS (DATE)",
     b"Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n\r\n"),
])
def test_sections(multi, section, text):
    r = multi.fetch_one(1, f"BODY.PEEK[{section}]")
    assert r[f"BODY[{section}]".upper()] == text


def test_section_of_no_part(multi):
    for section in ("7", "1.2", "2.9", "3.1.1.1"):
        r = multi.ok(f"FETCH 1 BODY.PEEK[{section}]").fetch()
        assert r[1][f"BODY[{section}]"] in (None, b"")


def test_text_and_header_make_the_message(multi):
    r = multi.fetch_one(1, "(BODY.PEEK[HEADER] BODY.PEEK[TEXT] BODY.PEEK[])")
    assert r["BODY[HEADER]"] + r["BODY[TEXT]"] == r["BODY[]"] == crlf(MULTI)


@pytest.mark.parametrize("offset, length", [
    (0, 10), (5, 7), (0, 100000), (1000000, 10), (20, 1)])
def test_partials(multi, offset, length):
    whole = crlf(MULTI)
    r = multi.fetch_one(1, f"BODY.PEEK[]<{offset}.{length}>")
    assert r[f"BODY[]<{offset}>"] == whole[offset:offset + length]


def test_every_partial_of_a_message(multi):
    """Line ends are translated: an offset may fall between CR and LF."""
    whole = crlf(MULTI)
    step = 7
    got = b""
    for off in range(0, len(whole) + step, step):
        got += multi.fetch_one(1, f"BODY.PEEK[]<{off}.{step}>")[f"BODY[]<{off}>"]
    assert got == whole


@pytest.mark.parametrize("command", [
    *(pytest.param(x, marks=pytest.mark.differs("takes it")) for x in (
        "FETCH 1 BODY[]<0.0>", "FETCH 1 BODY[]<0>", "FETCH 1 BODY[0]")),
    "FETCH 1 BODY[]<-1.5>", "FETCH 0 FLAGS",
    "FETCH 1:0 FLAGS", "FETCH 1 ()", "FETCH 1 NONSENSE",
    "FETCH 1 BODY[MIME]", "FETCH 1 BODY[HEADER.FIELDS]", "FETCH 1",
    "FETCH 1 BODY[HEADER.FIELDS ()]", "FETCH", "FETCH 1 (FLAGS",
    "FETCH 1 FLAGS)", "FETCH 1 BODY[1.]", "FETCH 1,,2 FLAGS",
    "FETCH 99999999999 FLAGS", "FETCH 1 BODY[",
])
def test_bad_fetch(inbox, command):
    inbox.bad(command)
    inbox.ok("NOOP")


def test_fetch_beyond_the_end(inbox):
    """RFC 9051 6.4.8 allows BAD; nobody may answer for message 4."""
    r = inbox.cmd("FETCH 4 FLAGS")
    assert r.status in ("BAD", "NO", "OK") and not r.all("FETCH")
    r = inbox.ok("UID FETCH 4000 FLAGS")
    assert not r.all("FETCH")
    assert list(inbox.uid_fetch("4000:*", "FLAGS")) == [3]


def test_sequence_sets(inbox):
    for s, want in (("1:3", {1, 2, 3}), ("*", {3}), ("3:1", {1, 2, 3}),
                    ("1,3", {1, 3}), ("2:*", {2, 3}), ("1,1,1:2", {1, 2}),
                    ("*:2", {2, 3})):
        assert set(inbox.ok(f"FETCH {s} FLAGS").fetch()) == want


def test_uid_fetch_includes_uid(inbox):
    assert inbox.uid_fetch("2", "(FLAGS)")[2]["UID"] == 2
    assert inbox.uid_fetch("2", "(UID FLAGS)")[2]["UID"] == 2


ODD = {
    "empty": b"",
    "no-header": b"just some text\nwithout a header\n",
    "only-header": b"Subject: x\n",
    "no-final-newline": b"Subject: x\n\nno newline",
    "crlf": b"Subject: x\r\n\r\nline\r\n",
    "mixed": b"Subject: x\r\n\nline\nline\r\nbare\rcr\n",
    "blank-first": b"\n\nbody\n",
    "eight-bit": b"Subject: caf\xe9 \xff\xfe\n\n\xe9\xe8\n",
    "long-line": b"Subject: " + b"x" * 100000 + b"\n\n" + b"y" * 200000 + b"\n",
    "bad-mime": b"Content-Type: multipart/mixed; boundary=\n\n--\nx\n----\n",
    "unclosed": b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n",
    "deep": b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n"
                     % (i, i) for i in range(500)) + b"\nx\n",
    "rfc822-chain": b"Content-Type: message/rfc822\n\n" * 500 + b"x\n",
    "addresses": b"From: <<>>,@:;(((\"\\\nTo: a@b@c, \"x\" <y, ;;;,,,\n"
                 b"Cc: (un(balanced <a@b>\n\nx\n",
    "colon-only": b":\n: x\n:::\n\nx\n",
    "folded": b"Subject:\n \n\t\n folded\n\nx\n",
    "many-headers": b"".join(b"X-%d: y\n" % i for i in range(20000)) + b"\nx\n",
    "encoded-junk": b"Subject: =?utf-8?b?!!!?= =?x?z?y?= =?utf-8?q?=ZZ?=\n\nx\n",
}


@pytest.mark.parametrize("name", ODD)
def test_odd_messages(account, client, name):
    """A message that is no message is still served, to the byte."""
    account.mail.deliver(message(), flags="")
    account.mail.deliver(ODD[name], flags="")
    account.mail.deliver(message(), flags="")
    client.ok("SELECT INBOX")
    r = client.ok("FETCH 1:3 (RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY "
                  "INTERNALDATE BODY.PEEK[HEADER] BODY.PEEK[TEXT] "
                  "BODY.PEEK[1] BODY.PEEK[])").fetch()
    assert set(r) == {1, 2, 3}
    m = r[2]
    assert m["BODY[]"] == crlf(ODD[name])
    assert m["RFC822.SIZE"] == len(m["BODY[]"])
    assert m["BODY[HEADER]"] + m["BODY[TEXT]"] == m["BODY[]"]


@pytest.mark.imapd
def test_nul_in_message(account, client):
    """A literal cannot hold NUL: it is served as 0x80, at the same place."""
    account.mail.deliver(b"Subject: a\0b\n\nx\0y\n", flags="")
    client.ok("SELECT INBOX")
    r = client.fetch_one(1, "(RFC822.SIZE BODY.PEEK[] ENVELOPE)")
    assert r["BODY[]"] == b"Subject: a\x80b\r\n\r\nx\x80y\r\n"
    assert r["RFC822.SIZE"] == len(r["BODY[]"])


@pytest.mark.differs("fails the FETCH and drops the connection")
@pytest.mark.parametrize("hint", [",S=1", ",S=99999", ",S=10,W=12",
                                  ",W=1", ",W=99999", ",S=x,W="])
def test_wrong_size_hints(account, client, hint):
    data = message()
    account.mail.deliver(data, flags="", name=f"1700000000.M1P1.h{hint}")
    client.ok("SELECT INBOX")
    r = client.fetch_one(1, "RFC822.SIZE")
    assert r["RFC822.SIZE"] == len(crlf(data)) or hint == ",W=1", r
    r = client.fetch_one(1, "(RFC822.SIZE BODY.PEEK[])")
    assert r["BODY[]"] == crlf(data)
    assert r["RFC822.SIZE"] == len(crlf(data))


def test_big_message(account, client):
    data = message(body="".join(f"line {i} {'x' * 60}\n"
                                for i in range(150000)))
    account.mail.deliver(data, flags="")
    client.ok("SELECT INBOX")
    r = client.fetch_one(1, "(RFC822.SIZE BODY.PEEK[])")
    assert r["BODY[]"] == crlf(data)
    assert r["RFC822.SIZE"] == len(crlf(data))


def test_fetch_of_message_removed_behind_us(account, inbox):
    """A file that vanished fails itself, not the range."""
    account.mail.files()[1].unlink()
    r = inbox.cmd("FETCH 1:3 (UID BODY.PEEK[])")
    assert {1, 3} <= set(r.fetch())
    inbox.ok("NOOP")
    assert sorted(inbox.uid_fetch("1:*", "FLAGS")) == [1, 3]


@pytest.mark.imapd
def test_gzip_file_is_read_transparently(account, client):
    data = message(body="squeezed\n" * 100)
    account.mail.deliver(gzip.compress(data), flags="")
    client.ok("SELECT INBOX")
    r = client.fetch_one(1, "(RFC822.SIZE BODY.PEEK[])")
    assert r["BODY[]"] == crlf(data)
    assert r["RFC822.SIZE"] == len(crlf(data))
