# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""What clients in the field do, and what they cannot bear.  One test for each
row of the table of client quirks; the name says client and matter."""

import re
import ssl
import subprocess
import time
import warnings

import pytest

from imapclient import Client, insecure, pairs, quote
from maildirs import crlf, message
from servers import as_mail_user, make_certificate

imapd = pytest.mark.imapd


# ---- Outlook ---------------------------------------------------------------

@imapd
def test_outlook_no_uidonly_unasked(connect, client):
    caps = {str(x).upper() for x in connect().greeting.data}
    assert "UIDONLY" not in caps | client.capability()


@imapd
def test_outlook_rfc822_peek(inbox):
    r = inbox.fetch_one(
        1, "(RFC822.PEEK RFC822.HEADER.PEEK RFC822.TEXT.PEEK FLAGS)")
    assert r["RFC822.HEADER"] + r["RFC822.TEXT"] == r["RFC822"]
    assert "\\Seen" not in r["FLAGS"]


def test_outlook_status_responses_carry_text(connect, account):
    """The client of these tests refuses any without; this one walks all."""
    c = connect()
    c.cmd("NONSENSE")
    c.cmd(f'LOGIN {account.name} "wrong"')
    c.login(account.name, account.password)
    for command in ("SELECT INBOX", "SELECT none", "NOOP", "CHECK", "CLOSE",
                    "EXAMINE INBOX", "UNSELECT", "CREATE a", "CREATE a",
                    "DELETE a", "DELETE a", "FETCH 1 FLAGS"):
        assert c.cmd(command).text
    c.logout()
    assert all(r.text for r in c.log if r.status)


@imapd
def test_outlook_xlist(client):
    client.ok("CREATE Trash")
    assert "XLIST" in client.capability()
    names = client.list("", "*", "XLIST")
    assert "\\Inbox" in names["INBOX"]
    assert "\\Trash" in names["Trash"]


@imapd
def test_outlook_special_use(client):
    for name in ("Sent", "Drafts", "Trash", "Junk", "Archive"):
        client.ok(f"CREATE {name}")
    names = client.list("", "*")
    for name in ("Sent", "Drafts", "Trash", "Junk", "Archive"):
        assert f"\\{name}" in names[name]
    assert "SPECIAL-USE" in client.capability()


def test_outlook_edit_is_append_and_uid_expunge(inbox):
    r = inbox.append("INBOX", crlf(message("edited")), "\\Seen")
    assert r.code == "APPENDUID" and r.done.data[1] == 4
    inbox.ok("UID STORE 1 +FLAGS.SILENT (\\Deleted)")
    inbox.ok("UID EXPUNGE 1")
    assert sorted(inbox.uid_fetch("1:*", "FLAGS")) == [2, 3, 4]


@imapd
def test_outlook_rsa_and_ecdsa(make_server):
    """Both kinds of certificate side by side."""
    s = make_server(start=False)
    ec, ec_key = make_certificate(s.dir, kind="ec", stem="ec")
    s.settings["tls_cert"] = f"{s.cert} {ec}"
    s.settings["tls_key"] = f"{s.key} {ec_key}"
    s.write_conf()
    s.start()
    for auth in ("aRSA", "aECDSA"):
        out = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{s.tls_port}",
             "-tls1_2", "-cipher", auth], input=b"", capture_output=True)
        assert b"Cipher is ECDHE" in out.stdout \
            or b"Cipher    : ECDHE" in out.stdout, auth


# ---- Apple -----------------------------------------------------------------

@imapd
def test_apple_list_return_special_use_status(client):
    client.ok("CREATE Sent")
    client.ok("CREATE Parent/Child")
    r = client.ok('LIST "" "*" RETURN (SPECIAL-USE STATUS (UNSEEN))')
    names = {_name(x.data[2]): set(x.data[0]) for x in r.all("LIST")}
    assert "\\Sent" in names["Sent"]
    status = {_name(x.data[0]): pairs(x.data[1]) for x in r.all("STATUS")}
    assert status["INBOX"] == {"UNSEEN": 0}
    assert "Parent/Child" in status
    assert "Parent" not in status, "STATUS of a name that is no mailbox"


def _name(v):
    return v.decode() if isinstance(v, bytes) else str(v)


@imapd
def test_apple_special_use_in_plain_list(client):
    client.ok("CREATE Drafts")
    assert "\\Drafts" in client.list("", "%")["Drafts"]


def test_apple_no_exists_after_expunge(inbox):
    inbox.ok("STORE 1:3 +FLAGS.SILENT (\\Deleted)")
    r = inbox.ok("EXPUNGE")
    assert len(r.all("EXPUNGE")) == 3
    assert not r.all("EXISTS"), "redundant EXISTS behind EXPUNGE"
    assert not inbox.ok("NOOP").all("EXISTS")


@imapd
def test_apple_command_inside_idle(inbox):
    inbox.send("a IDLE\r\n")
    assert inbox.read().tag == "+"
    inbox.send("b IDLE\r\n")
    r = inbox.read()
    while r.tag not in "ab":
        r = inbox.read()
    assert r.status in ("BAD", "OK")
    # Whatever it made of it: the session goes on.
    inbox.send("DONE\r\nc NOOP\r\n")
    while r.tag != "c":
        r = inbox.read()
    assert r.status == "OK"


@imapd
def test_apple_long_command_inside_idle(inbox):
    """It is run whatever its length."""
    uids = ",".join(str(i) for i in range(1, 9000))
    inbox.send(f"a IDLE\r\nb UID FETCH {uids} UID\r\n")
    assert inbox.read().tag == "+"
    assert inbox.tagged("a").status == "BAD"
    r = inbox.tagged("b")
    assert r.status == "OK" and len(r.all("FETCH")) == 3


@imapd
def test_too_long_command_inside_idle(make_server):
    """It is dropped, and what is in its literals is not run."""
    s = make_server({"max_line": 65536})
    with s.login(s.account("u")) as c:
        c.send(b"a IDLE\r\nb LIST \"\" " + b"x" * 100000 + b" {8+}\r\n"
               b"x NOOP\r\n {8+}\r\ny NOOP\r\n\r\nc NOOP\r\n")
        assert c.read().tag == "+"
        r = c.read()
        assert r.tag == "a" and r.status == "BAD"
        r = c.read()
        assert r.tag == "c" and r.status == "OK"


@imapd
def test_apple_empty_lines(inbox):
    inbox.send("\r\na UID SEARCH ALL\r\n")
    r = inbox.tagged("a")
    assert r.search() == [1, 2, 3]
    assert len(r.untagged) == 1


@imapd
def test_apple_move_of_what_is_gone(inbox):
    inbox.ok("CREATE Box")
    inbox.ok("UID MOVE 77:88 Box")
    assert inbox.status("Box", "MESSAGES") == {"MESSAGES": 0}


def test_apple_partial_of_a_part_is_one_literal(account, client):
    body = "".join(f"line {i} of a long text\n" for i in range(40000))
    account.mail.deliver(message(body=body), flags="")
    client.ok("SELECT INBOX")
    r = client.ok("FETCH 1 BODY.PEEK[1]<0.393216>")
    assert len(r.all("FETCH")) == 1
    m = r.fetch()[1]
    assert list(m) == ["BODY[1]<0>"]
    assert m["BODY[1]<0>"] == crlf(body.encode())[:393216]


@imapd
def test_apple_rev2_only_by_enable(connect, client):
    """The answers are those of IMAP4rev1 until rev2 is enabled."""
    client.ok("SELECT INBOX")
    assert client.ok("SEARCH ALL").all("SEARCH")


def test_apple_lsub_and_flag_dump(inbox):
    inbox.ok("SUBSCRIBE INBOX")
    assert "INBOX" in inbox.list("", "*", "LSUB")
    r = inbox.ok("FETCH 1:3 (FLAGS UID)").fetch()
    assert [m["UID"] for m in r.values()] == [1, 2, 3]


@imapd
@pytest.mark.parametrize("name, role", [
    ("Deleted Messages", "Trash"), ("Bin", "Trash"), ("Rubbish", "Trash"),
    ("Sent Messages", "Sent")])
def test_apple_names_of_special_folders(client, name, role):
    client.ok(f'CREATE "{name}"')
    assert f"\\{role}" in client.list("", "*")[name]


def test_apple_empty_personal_prefix(client):
    assert client.ok("NAMESPACE").one("NAMESPACE").data[0][0][0] == b""


@imapd
def test_apple_old_tls_by_switch(make_server):
    s = make_server({"tls_legacy": "yes"})
    ctx = insecure()
    ctx.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ctx.minimum_version = ssl.TLSVersion.TLSv1
        ctx.maximum_version = ssl.TLSVersion.TLSv1_1
    with s.connect(tls=True, context=ctx) as c:
        assert c.sock.version() in ("TLSv1", "TLSv1.1")
        c.ok("NOOP")


# ---- Thunderbird -----------------------------------------------------------

@imapd
def test_thunderbird_uid_comes_first(inbox):
    for command in ("FETCH 1 (FLAGS RFC822.SIZE UID)", "UID FETCH 1 (FLAGS)",
                    "UID FETCH 1 (FLAGS BODY[] UID)",
                    "UID STORE 1 +FLAGS (\\Seen)"):
        for r in inbox.ok(command).all("FETCH"):
            assert r.data[0][0] == "UID", r


@imapd
def test_thunderbird_uid_comes_first_unasked(inbox, login):
    """Also in what another session's change brings with a UID command."""
    other = login()
    other.ok("SELECT INBOX")
    for command in ("UID FETCH 1 RFC822.SIZE", "UID SEARCH 1",
                    "UID STORE 1 +FLAGS.SILENT (\\Draft)"):
        for op in "+-":
            other.ok(f"STORE 2 {op}FLAGS (\\Flagged)")
            r = inbox.ok(command).all("FETCH")
            assert 2 in {x.number for x in r}
            assert all(x.data[0][0] == "UID" for x in r)


@imapd
def test_thunderbird_id_answer(client):
    client.ok('ID ("name" "Thunderbird" "version" "128.0")')
    r = client.log[-2]
    assert r.name == "ID"
    for v in r.data[0] or []:
        assert v is None or type(v) is bytes, f"{v!r} is not a string"


@imapd
def test_thunderbird_many_connections(server, account):
    made = []
    try:
        for _ in range(20):
            made.append(server.login(account))
            made[-1].ok("SELECT INBOX")
        assert all(c.ok("NOOP") for c in made)
    finally:
        for c in made:
            c.close()


def test_thunderbird_draft_is_replaced(client):
    client.ok("CREATE Drafts")
    client.ok("SELECT Drafts")
    for i in range(3):
        r = client.append("Drafts", crlf(message(f"draft {i}")),
                          "\\Seen \\Draft")
        uid = r.done.data[1]
        if i:
            client.ok(f"UID STORE {uid - 1} +FLAGS.SILENT (\\Deleted)")
            client.ok(f"UID EXPUNGE {uid - 1}")
    client.ok("NOOP")
    m = client.uid_fetch("1:*", "FLAGS")
    assert list(m) == [3] and {"\\Seen", "\\Draft"} <= set(m[3]["FLAGS"])


@imapd
@pytest.mark.parametrize("name", ["50% off", "a*b", 'q"q', "b\\b"])
def test_thunderbird_names_with_wildcards(client, name):
    client.ok("CREATE", name.encode())
    assert name in client.list("", "*")
    assert client.ok(f"SELECT {quote(name)}")


@imapd
def test_thunderbird_append_utf8_without_capability(client):
    client.send("a APPEND INBOX UTF8 (~{20+}\r\nSubject: x\r\n\r\n123456)\r\n"
                "b NOOP\r\n")
    assert client.tagged("a").status in ("BAD", "NO")
    assert client.tagged("b").status == "OK"
    assert client.status("INBOX", "MESSAGES") == {"MESSAGES": 0}


def test_thunderbird_keywords_persist(inbox, login):
    words = {"$label1", "$Forwarded", "Junk", "NonJunk", "$MDNSent"}
    inbox.ok(f"STORE 1 +FLAGS ({' '.join(words)})")
    other = login()
    r = other.ok("SELECT INBOX")
    assert "\\*" in r.codes("PERMANENTFLAGS")[0].data[0]
    assert words <= set(other.fetch_one(1, "FLAGS")["FLAGS"])


def test_thunderbird_chunks_of_a_body(account, client):
    data = message(body="0123456789abcdefgh\n" * 5000)
    account.mail.deliver(data, flags="")
    client.ok("SELECT INBOX")
    size = client.fetch_one(1, "RFC822.SIZE")["RFC822.SIZE"]
    got, step = b"", 16384
    while True:
        b = client.fetch_one(1, f"BODY.PEEK[]<{len(got)}.{step}>")[
            f"BODY[]<{len(got)}>"]
        got += b
        if len(b) < step:
            break
    assert got == crlf(data) and len(got) == size


# ---- K-9, FairEmail, Roundcube, others -------------------------------------

def test_k9_copyuid_of_move(inbox):
    inbox.ok("CREATE Box")
    r = inbox.ok("UID MOVE 2 Box")
    copyuid = [x for x in r.untagged if x.code == "COPYUID"]
    assert copyuid and [str(v) for v in copyuid[0].data[1:]] == ["2", "1"]


@imapd
def test_k9_connection_limit_is_no_wrong_password(make_server):
    s = make_server({"max_connections_user": 2})
    a = s.account("u")
    held = [s.login(a), s.login(a)]
    for c in held:
        c.send("i IDLE\r\n")
        assert c.read().tag == "+"
    with s.connect() as c:
        r = c.cmd(f'LOGIN u "{a.password}"')
        if r.status == "OK":
            return      # an idle session made room
        assert r.status == "NO" and r.code in ("LIMIT", "UNAVAILABLE"), r


def test_k9_examine_like_select(account, login):
    for flags in ("", "S", "F"):
        account.mail.deliver(flags=flags)
    a, b = login(), login()

    def told(c, verb):
        r = c.ok(f"{verb} INBOX")
        return {(x.name or x.code) for x in r.untagged}
    select = told(a, "SELECT")
    assert told(b, "EXAMINE") == select


@imapd
def test_k9_still_here_is_rare(make_server):
    s = make_server({"idle_notify": "20m"})
    with s.login(s.account("u")) as c:
        c.ok("SELECT INBOX")
        c.send("i IDLE\r\n")
        assert c.read().tag == "+"
        assert not c.is_readable(3)


def test_k9_moves_without_message_id(inbox):
    r = inbox.append("INBOX", b"Subject: none\r\n\r\nx\r\n")
    assert r.code == "APPENDUID"
    inbox.ok("CREATE Box")
    assert inbox.ok("UID COPY 4 Box").code == "COPYUID"


@pytest.mark.differs("its own spelling of children")
def test_fairemail_inbox_is_upper_case(client):
    client.ok("CREATE inbox/Sub")
    names = client.list("", "*")
    assert "INBOX" in names and "INBOX/Sub" in names
    assert client.ok("STATUS inBOX (MESSAGES)").one("STATUS").data[0] \
        == "INBOX"


@imapd
def test_roundcube_new_connections_are_fast(server, account):
    """A connection per click."""
    account.mail.deliver()
    server.login(account).logout()
    t = time.monotonic()
    for _ in range(20):
        c = server.login(account)
        c.ok("SELECT INBOX")
        c.logout()
    assert (time.monotonic() - t) / 20 < 0.25


def test_roundcube_trusts_the_size(account, client):
    for data in (b"a: b\n\nx", b"a: b\r\n\r\nx\r\n", message(), b"\n"):
        account.mail.deliver(data, flags="")
    client.ok("SELECT INBOX")
    for m in client.ok("FETCH 1:* (RFC822.SIZE BODY.PEEK[])").fetch().values():
        assert m["RFC822.SIZE"] == len(m["BODY[]"])


@imapd
def test_roundcube_highestmodseq_is_not_zero(client):
    r = client.ok("SELECT INBOX")
    assert r.codes("HIGHESTMODSEQ")[0].data[0] >= 1


def test_nextcloud_status_is_fresh(account, client):
    before = client.status("INBOX", "UIDNEXT MESSAGES")
    account.mail.deliver()
    after = client.status("INBOX", "UIDNEXT MESSAGES")
    assert after["UIDNEXT"] == before["UIDNEXT"] + 1


@pytest.mark.differs("64 KiB")
def test_sogo_long_command_lines(inbox):
    uids = ",".join(str(i) for i in range(1, 100000, 2))
    assert len(uids) > 250000
    assert sorted(inbox.uid_fetch(uids, "FLAGS")) == [1, 3]


@imapd
@pytest.mark.parametrize("parameters", [
    "(CONDSTORE)", "(CONDSTORE QRESYNC (1 1))", "(QRESYNC (1 1) CONDSTORE)"])
def test_em_client_select_parameters(inbox, parameters):
    """In any order; and a BAD is one BAD, the rest is not run."""
    inbox.send(f"a SELECT INBOX {parameters}\r\nb NOOP\r\n")
    assert inbox.tagged("a").status == \
        ("BAD" if "QRESYNC" in parameters else "OK")
    assert inbox.tagged("b").status == "OK"
    inbox.ok("ENABLE QRESYNC")
    inbox.ok(f"SELECT INBOX {parameters}")


@imapd
def test_imapflow_enable_answers_only_what_works(client):
    r = client.ok("ENABLE CONDSTORE X-NOSUCH UTF8=NOSUCH")
    enabled = {str(x).upper() for x in r.one("ENABLED").data}
    assert enabled == {"CONDSTORE"} <= client.capability()


def test_mbsync_u_in_names(account, client):
    """A Maildir that mbsync shares: ",U=nnn" is just part of the name."""
    name = "1700000000.M1P1.host,U=17"
    account.mail.deliver(message(), flags="S", name=name)
    client.ok("SELECT INBOX")
    assert "\\Seen" in client.fetch_one(1, "FLAGS")["FLAGS"]
    client.ok("STORE 1 +FLAGS (\\Flagged)")
    assert account.mail.flags() == {name: "FS"}


def test_mbsync_first_spelling_of_a_keyword(inbox):
    inbox.ok("STORE 1 +FLAGS ($MdnSent)")
    inbox.ok("STORE 2 +FLAGS ($MDNSENT)")
    for n in (1, 2):
        flags = inbox.fetch_one(n, "FLAGS")["FLAGS"]
        assert "$MdnSent" in flags and "$MDNSENT" not in flags


def test_offlineimap_preauth_tunnel(server, account):
    account.mail.deliver()
    with Client.pipe(server.pipe_argv(account), **as_mail_user()) as c:
        assert c.greeting.status == "PREAUTH"
        assert c.greeting.code == "CAPABILITY"
        assert c.ok("SELECT INBOX").exists() == 1


def test_mutt_opens_with_a_flag_dump(inbox):
    assert len(inbox.ok("UID FETCH 1:3 (UID FLAGS)").fetch()) == 3


def test_deltachat_uidnext_in_select(client):
    assert client.ok("SELECT INBOX").codes("UIDNEXT")
    assert client.ok("EXAMINE INBOX").codes("UIDNEXT")


@imapd
def test_imaplib_auth_plain_with_initial_response(connect):
    caps = connect(tls=True).capability()
    assert {"AUTH=PLAIN", "SASL-IR"} <= caps


def test_mailkit_crlf_after_the_literal(client):
    data = crlf(message())
    client.send(b"a APPEND INBOX {%d}\r\n" % len(data))
    assert client.read().tag == "+"
    client.send(data)
    assert not client.is_readable(0.3), "answered before the line ended"
    client.send(b"\r\n")
    assert client.tagged("a").status == "OK"


def test_net_imap_star_only_in_permanentflags(client):
    r = client.ok("SELECT INBOX")
    assert "\\*" not in r.one("FLAGS").data[0]
    assert "\\*" in r.codes("PERMANENTFLAGS")[0].data[0]


def test_strict_continuation_has_a_blank(client):
    """The parser insists on "+ "."""
    client.send("a APPEND INBOX {5}\r\n")
    assert client.read().raw.startswith(b"+ ")
    client.send("a: b\n\r\n")
    assert client.tagged("a").status == "OK"


def test_strict_no_response_splitting(client):
    client.send(b"a SELECT {18+}\r\nx\r\n* BYE injected\r\n")
    r = client.read()
    assert r.tag == "a" and r.status in ("NO", "BAD")
    client.ok("NOOP")


def test_wino_id_before_login(connect):
    c = connect()
    assert c.ok('ID ("name" "Wino Mail")').one("ID")


def test_buggy_login_after_authenticate(client, account):
    client.bad(f'LOGIN {account.name} "{account.password}"')
    client.ok("SELECT INBOX")


def test_himalaya_sort_and_thread(inbox):
    caps = inbox.capability()
    assert {"SORT", "THREAD=REFERENCES"} <= caps
    assert inbox.ok("SORT (SUBJECT) UTF-8 ALL").one("SORT").data == [1, 2, 3]
    assert re.match(rb"\* THREAD ", inbox.ok(
        "THREAD REFERENCES UTF-8 ALL").one("THREAD").raw)
