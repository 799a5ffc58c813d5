# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""STORE, EXPUNGE, COPY, MOVE, APPEND: what changes mail."""

import re
import time

import pytest

from maildirs import crlf, message


# ---- STORE -----------------------------------------------------------------

def test_store_forms(inbox):
    def flags(r):
        return {f for f in r.fetch()[1]["FLAGS"] if f != "\\Recent"}
    assert flags(inbox.ok("STORE 1 FLAGS (\\Seen \\Draft)")) == {
        "\\Seen", "\\Draft"}
    assert flags(inbox.ok("STORE 1 +FLAGS (\\Flagged)")) == {
        "\\Seen", "\\Draft", "\\Flagged"}
    assert flags(inbox.ok("STORE 1 -FLAGS (\\Seen \\Draft)")) == {"\\Flagged"}
    assert flags(inbox.ok("STORE 1 FLAGS \\Answered \\Seen")) == {
        "\\Answered", "\\Seen"}
    assert flags(inbox.ok("STORE 1 FLAGS ()")) == set()


def test_store_silent(inbox):
    r = inbox.ok("STORE 1:3 +FLAGS.SILENT (\\Seen)")
    assert not r.all("FETCH")
    assert "\\Seen" in inbox.fetch_one(3, "FLAGS")["FLAGS"]


def test_store_lands_in_the_file_name(account, inbox):
    inbox.ok("STORE 2 FLAGS (\\Seen \\Flagged \\Answered \\Deleted \\Draft)")
    assert sorted(account.mail.flags().values()) == ["", "", "DFRST"]


def test_unknown_letters_are_kept(account, client):
    account.mail.deliver(flags="PSZ", name="1700000001.M1P1.host")
    client.ok("SELECT INBOX")
    client.ok("STORE 1 +FLAGS (\\Flagged)")
    assert list(account.mail.flags().values()) == ["FPSZ"]


def test_keywords(account, inbox):
    r = inbox.ok("STORE 1 +FLAGS ($Label1 Custom.Word)")
    assert {"$Label1", "Custom.Word"} <= set(r.fetch()[1]["FLAGS"])
    told = [x for x in r.untagged if x.name == "FLAGS"]
    assert told and {"$Label1", "Custom.Word"} <= set(told[-1].data[0])
    lines = (account.mail.root / "dovecot-keywords").read_text().splitlines()
    assert sorted(x.split()[1] for x in lines) == ["$Label1", "Custom.Word"]


def test_recent_cannot_be_stored(inbox):
    assert inbox.cmd("STORE 1 +FLAGS (\\Recent)").status in ("BAD", "NO", "OK")
    assert inbox.cmd("STORE 1 +FLAGS (\\Nonsense)").status in ("BAD", "NO")
    inbox.ok("NOOP")


@pytest.mark.parametrize("command", [
    pytest.param("STORE 1 FLAGS", marks=pytest.mark.differs("takes it")),
    "STORE", "STORE 1", "STORE 1 *FLAGS (\\Seen)",
    "STORE 1 +FLAGS (", "STORE 1 +FLAGS (\\Seen", "STORE 1 +FLAGS \\",
    "STORE x +FLAGS (\\Seen)", "STORE 1 +FLAGS.LOUD (\\Seen)",
])
def test_bad_store(inbox, command):
    inbox.bad(command)
    inbox.ok("NOOP")


def test_store_uid_of_nobody(inbox):
    r = inbox.ok("UID STORE 1000 +FLAGS (\\Seen)")
    assert not r.all("FETCH")


@pytest.mark.imapd
def test_long_keyword(inbox):
    """Longer than any mailbox can hold: refused, and not as a bad name."""
    fits, long = "k" * 128, "k" * 129
    r = inbox.no(f"STORE 1 +FLAGS (good {long})")
    assert r.done.code == "LIMIT" and "keyword" in r.done.text
    assert "good" not in inbox.fetch_one(1, "FLAGS")["FLAGS"]
    inbox.ok(f"STORE 1 +FLAGS ({fits})")
    inbox.ok(f"STORE 1 -FLAGS ({long})")
    inbox.ok(f"APPEND INBOX (good {long})", b"Subject: x\r\n\r\nx\r\n")
    assert "good" in inbox.fetch_one(4, "FLAGS")["FLAGS"]


def test_many_keywords(account, inbox):
    """More than the 26 that Maildir letters can name."""
    words = [f"word{i}" for i in range(26)]
    inbox.ok(f"STORE 1 +FLAGS ({' '.join(words)})")
    assert set(words) <= set(inbox.fetch_one(1, "FLAGS")["FLAGS"])
    r = inbox.cmd("STORE 1 +FLAGS (word27)")
    if r.status == "OK":
        assert "word27" in inbox.fetch_one(1, "FLAGS")["FLAGS"]
    else:
        assert r.status == "NO" and r.code in ("LIMIT", "CANNOT", None)
    inbox.ok("NOOP")


# ---- EXPUNGE ---------------------------------------------------------------

def test_expunge_numbers(inbox):
    inbox.ok("STORE 1,3 +FLAGS.SILENT (\\Deleted)")
    r = inbox.ok("EXPUNGE")
    gone = [x.number for x in r.all("EXPUNGE")]
    assert gone in ([1, 2], [3, 1])
    assert sorted(inbox.uid_fetch("1:*", "FLAGS")) == [2]


def test_uid_expunge(inbox):
    inbox.ok("STORE 1:3 +FLAGS.SILENT (\\Deleted)")
    r = inbox.ok("UID EXPUNGE 2")
    assert [x.number for x in r.all("EXPUNGE")] == [2]
    assert sorted(inbox.uid_fetch("1:*", "FLAGS")) == [1, 3]


def test_uidnext_after_expunge_of_the_last(login, inbox):
    inbox.ok("STORE 3 +FLAGS.SILENT (\\Deleted)")
    inbox.ok("EXPUNGE")
    inbox.append("INBOX", message())
    assert max(inbox.uid_fetch("1:*", "FLAGS")) == 4
    assert login().status("INBOX", "UIDNEXT") == {"UIDNEXT": 5}


# ---- COPY and MOVE ---------------------------------------------------------

def test_copy(account, inbox):
    inbox.ok("CREATE Box")
    inbox.ok("STORE 2 +FLAGS (\\Seen $Label1)")
    before = inbox.uid_fetch("2,3", "(INTERNALDATE BODY.PEEK[])")
    r = inbox.ok("COPY 2:3 Box")
    validity = inbox.status("Box", "UIDVALIDITY")["UIDVALIDITY"]
    assert r.code == "COPYUID"
    assert [str(x) for x in r.done.data] == [str(validity), "2:3", "1:2"]
    inbox.ok("SELECT Box")
    after = inbox.uid_fetch("1:2", "(INTERNALDATE FLAGS BODY.PEEK[])")
    for a, b in ((2, 1), (3, 2)):
        assert before[a]["BODY[]"] == after[b]["BODY[]"]
        assert before[a]["INTERNALDATE"] == after[b]["INTERNALDATE"]
    assert {"\\Seen", "$Label1"} <= set(after[1]["FLAGS"])
    assert len(account.mail.files()) == 3


def test_copy_to_missing(inbox):
    assert inbox.no("COPY 1 Nothing").code == "TRYCREATE"


def test_copy_to_itself(inbox):
    r = inbox.ok("COPY 1 INBOX")
    assert r.code == "COPYUID"
    inbox.ok("NOOP")
    assert sorted(inbox.uid_fetch("1:*", "FLAGS")) == [1, 2, 3, 4]


def test_uid_copy_of_nobody(inbox):
    inbox.ok("CREATE Box")
    r = inbox.ok("UID COPY 4000 Box")
    assert r.code != "COPYUID"
    assert inbox.status("Box", "MESSAGES") == {"MESSAGES": 0}


@pytest.mark.imapd
@pytest.mark.parametrize("command", [
    "COPY $ Box", "UID COPY $ Box", "MOVE $ Box", "UID MOVE $ Box",
    "FETCH $ FLAGS", "STORE $ +FLAGS (\\Seen)", "UID EXPUNGE $"])
def test_saved_result_of_nobody(inbox, command):
    """RFC 5182 2.1: "$" without messages is valid and matches nothing."""
    inbox.ok("CREATE Box")
    inbox.ok("SEARCH RETURN (SAVE) SUBJECT nothing-like-that")
    r = inbox.ok(command)
    assert not r.untagged and r.code is None


@pytest.mark.imapd
def test_all_of_an_empty_mailbox(inbox):
    """Nobody has expunged anything."""
    inbox.ok("CREATE Box")
    inbox.ok("SELECT Box")
    for command in ("COPY 1:* INBOX", "MOVE 1:* INBOX", "FETCH 1:* FLAGS",
                    "STORE 1:* FLAGS ()"):
        assert inbox.ok(command).code is None, command


@pytest.mark.imapd
def test_no_star_when_keywords_are_used_up(inbox):
    """RFC 3501 7.1: "\\*" says that another keyword can be made."""
    names = " ".join(f"kw{n}" for n in range(62))
    r = inbox.ok(f"STORE 1 +FLAGS ({names})")
    assert "\\*" in r.codes("PERMANENTFLAGS")[0].data[0]
    r = inbox.ok("STORE 1 +FLAGS (kw62)")
    assert "\\*" not in r.codes("PERMANENTFLAGS")[0].data[0]
    assert inbox.no("STORE 1 +FLAGS (kw63)").code == "LIMIT"


@pytest.mark.imapd
def test_more_keywords_than_letters(inbox, login):
    """Letters for 26, the rest is on record; all can be searched for, copied,
    removed, and are seen by others."""
    def flags(c, n):
        return set(c.fetch_one(n, "FLAGS")["FLAGS"])

    names = [f"kw{n}" for n in range(40)]
    inbox.ok(f"STORE 1:2 +FLAGS ({' '.join(names)})")
    inbox.ok("STORE 2 -FLAGS (kw3 kw33)")
    other = login()
    other.ok("SELECT INBOX")
    assert flags(other, 1) >= set(names)
    assert flags(other, 2) >= set(names) - {"kw3", "kw33"}
    assert not flags(other, 2) & {"kw3", "kw33"}
    assert other.ok("SEARCH KEYWORD kw33").search() == [1]
    other.ok("STORE 2 +FLAGS (KW33)")
    other.ok("STORE 1 FLAGS (kw39 \\Seen)")
    inbox.ok("NOOP")
    assert flags(inbox, 1) == {"kw39", "\\Seen", "\\Recent"}
    assert "kw33" in flags(inbox, 2)
    inbox.ok("CREATE Box")
    inbox.ok("COPY 1:2 Box")
    inbox.append("Box", message(), " ".join(["\\Flagged"] + names))
    inbox.ok("SELECT Box")
    assert flags(inbox, 1) == {"kw39", "\\Seen"}
    assert flags(inbox, 2) >= set(names) - {"kw3"}
    assert flags(inbox, 3) >= set(names) | {"\\Flagged"}


@pytest.mark.imapd
def test_recent_only_without_flags(client):
    client.append("INBOX", message())
    client.append("INBOX", message(), "\\Flagged")
    client.ok("SELECT INBOX")
    got = client.uid_fetch("1:2", "FLAGS")
    assert "\\Recent" in got[1]["FLAGS"]
    assert "\\Recent" not in got[2]["FLAGS"]


def test_copy_twice_gives_two(inbox):
    inbox.ok("CREATE Box")
    inbox.ok("COPY 1 Box")
    inbox.ok("COPY 1 Box")
    assert inbox.status("Box", "MESSAGES UIDNEXT") == {
        "MESSAGES": 2, "UIDNEXT": 3}


def test_move(account, inbox):
    inbox.ok("CREATE Box")
    r = inbox.ok("MOVE 1,3 Box")
    assert r.untagged[0].code == "COPYUID", "before EXPUNGE: RFC 6851"
    assert len(r.all("EXPUNGE")) == 2
    assert sorted(inbox.uid_fetch("1:*", "FLAGS")) == [2]
    assert inbox.status("Box", "MESSAGES") == {"MESSAGES": 2}
    assert len(account.mail.files()) == 1


def test_uid_move(inbox):
    inbox.ok("CREATE Box")
    r = inbox.ok("UID MOVE 2 Box")
    assert [x.number for x in r.all("EXPUNGE")] == [2]


def test_move_to_missing(inbox):
    assert inbox.no("MOVE 1 Nothing").code == "TRYCREATE"
    assert sorted(inbox.uid_fetch("1:*", "FLAGS")) == [1, 2, 3]


# ---- APPEND ----------------------------------------------------------------

def test_append(account, client):
    data = crlf(message("Sent"))
    r = client.append("INBOX", data, "\\Seen $Forwarded",
                      "05-Feb-2024 10:11:12 +0100")
    assert r.code == "APPENDUID" and r.done.data[1] == 1
    client.ok("SELECT INBOX")
    m = client.fetch_one(
        1, "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")
    assert m["BODY[]"] == data and m["RFC822.SIZE"] == len(data)
    assert {"\\Seen", "$Forwarded"} <= set(m["FLAGS"])
    t = m["INTERNALDATE"].decode()
    got = time.mktime(time.strptime(t[:20].strip(), "%d-%b-%Y %H:%M:%S"))
    want = time.mktime((2024, 2, 5, 10, 11, 12, 0, 0, 0)) - 3600
    assert got - int(t[21:24]) * 3600 == want
    path, = account.mail.files()
    assert path.read_bytes() == data.replace(b"\r\n", b"\n")
    assert int(path.stat().st_mtime) == 1707124272


def test_append_to_selected_is_told(inbox):
    r = inbox.append("INBOX", message())
    if r.exists() is None:
        r = inbox.ok("NOOP")
    assert r.exists() == 4


def test_append_missing_mailbox(client):
    """Refused before the literal is sent."""
    client.send(b"a APPEND Nothing {10}\r\n")
    r = client.read()
    assert r.tag == "a" and r.status == "NO" and r.code == "TRYCREATE"
    client.ok("NOOP")


def test_append_missing_mailbox_nonsync(client):
    client.send(b"a APPEND Nothing {10+}\r\n0123456789\r\nb NOOP\r\n")
    r = client.tagged("a")
    assert r.status == "NO" and r.code == "TRYCREATE"
    assert client.tagged("b").status == "OK"


def test_append_empty(client):
    r = client.cmd("APPEND INBOX", b"")
    assert r.status in ("NO", "BAD", "OK")
    client.ok("NOOP")


@pytest.mark.differs("takes what it can, or reads the literal as commands")
@pytest.mark.parametrize("date", [
    "32-Feb-2024 10:11:12 +0100", "05-Foo-2024 10:11:12 +0100",
    "05-Feb-2024 25:11:12 +0100", "05-Feb-2024 10:11:12",
    "05-Feb-2024 10:11:12 +9900x", ""])
def test_append_bad_date(client, date):
    client.send(f'a APPEND INBOX "{date}" {{4+}}\r\na: b\r\nb NOOP\r\n')
    assert client.tagged("a").status in ("BAD", "NO")
    assert client.tagged("b").status == "OK"
    assert client.status("INBOX", "MESSAGES") == {"MESSAGES": 0}


@pytest.mark.imapd
def test_append_too_large_is_refused_first(make_server):
    s = make_server({"append_limit": "100k"})
    c = s.login(s.account("u"))
    c.send(b"a APPEND INBOX {200000}\r\n")
    r = c.read()
    assert r.tag == "a" and r.status == "NO" and r.code in (
        "LIMIT", "TOOBIG"), r
    c.send(b"b APPEND INBOX {200000+}\r\n" + b"x" * 200000 + b"\r\n")
    assert c.tagged("b").status in ("NO", "BAD")
    c.append("INBOX", b"x" * 90000)
    assert c.status("INBOX", "MESSAGES") == {"MESSAGES": 1}


@pytest.mark.imapd
def test_append_of_nul(account, client):
    """No literal holds it, but messages do: kept, as any other byte is."""
    client.append("INBOX", b"a: b\r\n\r\nx\0y\r\n")
    assert account.mail.files()[0].read_bytes() == b"a: b\n\nx\0y\n"


@pytest.mark.imapd
def test_append_refused_to_a_slow_client(make_server):
    """It is told, however long it takes to send what nobody wants."""
    s = make_server({"stall_timeout": "10s"})
    with s.login(s.account("u")) as c:
        c.send("a APPEND none {26+}\r\n")
        for _ in range(13):
            time.sleep(1)
            c.send("x\n")
        c.send("\r\nb NOOP\r\n")
        r = c.tagged("a")
        assert r.status == "NO" and r.code == "TRYCREATE"
        assert c.tagged("b").status == "OK"


def test_append_half_and_hang_up(account, connect, login):
    """A message that did not come in whole never was."""
    c = login()
    c.send(b"a APPEND INBOX {1000}\r\n")
    assert c.read().tag == "+"
    c.send(b"Subject: half\r\n")
    c.sock.close()
    time.sleep(0.5)
    assert not account.mail.files()
    assert not list((account.mail.root / "tmp").iterdir())


def test_multiappend(client):
    client.send(b"a APPEND INBOX (\\Seen) {5+}\r\na: b\n (\\Flagged) {5+}\r\n"
                b"c: d\n\r\n")
    r = client.tagged("a")
    assert r.status == "OK" and r.code == "APPENDUID"
    assert [str(x) for x in r.done.data][1] == "1:2"


@pytest.mark.imapd
def test_multiappend_is_atomic(account, client):
    client.send(b"a APPEND INBOX {5+}\r\na: b\n (\\Bad\\Flag) {5+}\r\n"
                b"c: d\n\r\nb NOOP\r\n")
    assert client.tagged("a").status == "BAD"
    assert client.tagged("b").status == "OK"
    assert not account.mail.files()


def test_append_large_streams(account, client):
    data = b"Subject: large\r\n\r\n" + b"x" * 76 * 1000 + b"\r\n"
    data += b"0123456789abcdef\r\n" * 1000000
    client.append("INBOX", data)
    client.ok("SELECT INBOX")
    assert client.fetch_one(1, "RFC822.SIZE")["RFC822.SIZE"] == len(data)
    assert account.mail.files()[0].stat().st_size \
        == len(data) - data.count(b"\r\n")


def test_append_crlf_split_anywhere(account, client):
    """CR at the end of one packet, LF at the start of the next."""
    data = b"a: b\r\n\r\nx\r\ny\r\n"
    client.send(b"a APPEND INBOX {%d}\r\n" % len(data))
    assert client.read().tag == "+"
    for i in range(len(data)):
        client.send(data[i:i + 1])
        time.sleep(0.003)
    client.send(b"\r\n")
    assert client.tagged("a").status == "OK"
    client.ok("SELECT INBOX")
    assert client.fetch_one(1, "BODY.PEEK[]")["BODY[]"] == data


def test_append_modes_follow_the_mailbox(account, client):
    account.mail.root.chmod(0o700)
    client.append("INBOX", message())
    assert account.mail.files()[0].stat().st_mode & 0o777 == 0o600


def test_names_follow_maildir_rules(account, client):
    client.append("INBOX", message(), "\\Seen")
    name = account.mail.files()[0].name
    assert re.fullmatch(r"\d+\.[^/:]+,S=\d+(,W=\d+)?:2,S", name), name
    size = account.mail.files()[0].stat().st_size
    assert f",S={size}" in name
