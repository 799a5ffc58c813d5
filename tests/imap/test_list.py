# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""LIST-EXTENDED (RFC 5258, examples of its section 5), LIST-STATUS (RFC 5819),
SPECIAL-USE (RFC 6154), CHILDREN (RFC 3348); prefix and separator."""

import pytest

from imapclient import pairs

pytestmark = pytest.mark.imapd


def listed(client, command):
    """Name -> (attributes, criteria of CHILDINFO)."""
    out = {}
    for r in client.ok(command).all("LIST"):
        name = r.data[2].decode() if isinstance(r.data[2], bytes) \
            else str(r.data[2])
        assert name not in out, "listed twice"
        info = r.data[3] if len(r.data) > 3 else [b"CHILDINFO", []]
        assert len(info) == 2 and info[0] == b"CHILDINFO"
        out[name] = ({str(x) for x in r.data[0]},
                     {x.decode() for x in info[1]})
    return out


@pytest.fixture
def fruit(client):
    """The mailboxes of RFC 5258 section 5; Peach is subscribed and gone."""
    for name in ("Fruit", "Fruit/Apple", "Fruit/Banana", "Tofu",
                 "Vegetable", "Vegetable/Broccoli", "Vegetable/Corn"):
        client.ok(f"CREATE {name}")
    for name in ("INBOX", "Fruit/Banana", "Fruit/Peach", "Vegetable",
                 "Vegetable/Broccoli"):
        client.ok(f"SUBSCRIBE {name}")
    return client


def test_subscribed(fruit):
    """Example 2: also what is not there, as \\NonExistent."""
    got = listed(fruit, 'LIST (SUBSCRIBED) "" "*"')
    assert set(got) == {"INBOX", "Fruit/Banana", "Fruit/Peach", "Vegetable",
                        "Vegetable/Broccoli"}
    assert all("\\Subscribed" in a for a, _ in got.values())
    assert "\\NonExistent" in got["Fruit/Peach"][0]
    assert "\\NonExistent" not in got["Fruit/Banana"][0]


def test_children(fruit):
    """Example 3."""
    got = listed(fruit, 'LIST () "" "%" RETURN (CHILDREN)')
    assert "\\HasChildren" in got["Fruit"][0]
    assert "\\HasNoChildren" in got["Tofu"][0]


def test_children_of_what_is_gone(fruit):
    """4: who asks for CHILDREN is told of every name."""
    got = listed(fruit, 'LIST (SUBSCRIBED) "" "*" RETURN (CHILDREN)')
    assert {"\\NonExistent", "\\HasNoChildren"} <= got["Fruit/Peach"][0]
    for attributes, _ in got.values():
        assert len({"\\HasChildren", "\\HasNoChildren"} & attributes) == 1


def test_return_subscribed(fruit):
    """Example 6: what is there, and which of it is subscribed."""
    got = listed(fruit, 'LIST (REMOTE) "" "*" RETURN (SUBSCRIBED)')
    assert "Fruit/Peach" not in got
    assert "\\Subscribed" in got["Vegetable"][0]
    assert "\\Subscribed" not in got["Tofu"][0]


def test_several_patterns(fruit):
    """Example 7: each name once."""
    got = listed(fruit, 'LIST "" ("INBOX" "Fruit/*" "%/Apple" "Tofu")')
    assert set(got) == {"INBOX", "Fruit/Apple", "Fruit/Banana", "Tofu"}


def test_recursivematch(client):
    """Examples 8 to 10."""
    client.ok("CREATE Foo")
    client.ok("CREATE Foo/Bar")
    command = 'LIST (SUBSCRIBED RECURSIVEMATCH) "" "%"'
    assert listed(client, command) == {}
    client.ok("SUBSCRIBE Foo/Bar")
    attributes, info = listed(client, command)["Foo"]
    assert "\\Subscribed" not in attributes and info == {"SUBSCRIBED"}
    client.ok("SUBSCRIBE Foo")
    attributes, info = listed(client, command)["Foo"]
    assert "\\Subscribed" in attributes and info == {"SUBSCRIBED"}
    client.ok("UNSUBSCRIBE Foo")
    client.ok("DELETE Foo/Bar")
    client.ok("DELETE Foo")
    attributes, info = listed(client, command)["Foo"]
    assert "\\NonExistent" in attributes and info == {"SUBSCRIBED"}


def test_recursivematch_is_not_redundant(client):
    """3.5: a parent stands only for what is not told itself."""
    client.ok("CREATE Foo/Bar")
    client.ok("SUBSCRIBE Foo/Bar")
    got = listed(client, 'LIST (SUBSCRIBED RECURSIVEMATCH) "" "*"')
    assert set(got) == {"Foo/Bar"}


def test_recursivematch_alone_is_bad(client):
    client.bad('LIST (RECURSIVEMATCH) "" "*"')
    client.bad('LIST (REMOTE RECURSIVEMATCH) "" "*"')


def test_recursivematch_of_special_use(client):
    client.ok("CREATE Sent")
    assert set(listed(client, 'LIST (SPECIAL-USE RECURSIVEMATCH) "" "%"')) == {
        "Sent"}


@pytest.mark.parametrize("command", [
    'LIST (NONSENSE) "" "*"', 'LIST "" "*" RETURN (NONSENSE)',
    'LIST (SUBSCRIBED "" "*"', 'LIST "" ("*"', 'LIST "" "*" RETURN',
    'LIST "" "*" RETURN (STATUS)', 'LIST "" "*" RETURN (STATUS ())',
])
def test_bad_extended_list(client, command):
    client.bad(command)
    client.ok("NOOP")


def test_status(account, client):
    """RFC 5819: a STATUS for each that can be selected, none for others."""
    client.ok("CREATE A/B")
    account.mail.deliver()
    r = client.ok('LIST "" "*" RETURN (STATUS (MESSAGES UNSEEN SIZE))')
    status = {x.data[0] if isinstance(x.data[0], str) else
              x.data[0].decode(): pairs(x.data[1]) for x in r.all("STATUS")}
    assert set(status) == {"INBOX", "A/B"}
    assert status["INBOX"]["MESSAGES"] == status["INBOX"]["UNSEEN"] == 1
    assert status["INBOX"]["SIZE"] > 0 and status["A/B"]["SIZE"] == 0


# ---- SPECIAL-USE -----------------------------------------------------------

def test_special_use_selection(client):
    for name in ("Sent", "Trash", "Other"):
        client.ok(f"CREATE {name}")
    got = listed(client, 'LIST (SPECIAL-USE) "" "*"')
    assert {n: a & {"\\Sent", "\\Trash"} for n, (a, _) in got.items()} == {
        "Sent": {"\\Sent"}, "Trash": {"\\Trash"}}
    got = listed(client, 'LIST "" "*" RETURN (SPECIAL-USE)')
    assert "Other" in got and "\\Sent" in got["Sent"][0]


def test_one_mailbox_a_role(client):
    for name in ("Sent Messages", '"Sent Items"', "Sent", "Gesendet"):
        client.ok("CREATE " + (name if name[0] == '"' else f'"{name}"'))
    got = listed(client, 'LIST "" "*"')
    assert [n for n, (a, _) in got.items() if "\\Sent" in a] == ["Sent"]
    client.ok("DELETE Sent")
    got = listed(client, 'LIST "" "*"')
    assert [n for n, (a, _) in got.items() if "\\Sent" in a] == ["Sent Items"]


def test_translated_role(client):
    client.ok("CREATE Entw&APw-rfe")
    assert "\\Drafts" in listed(client, 'LIST "" "*"')["Entw&APw-rfe"][0]


def test_roles_by_configuration(make_server):
    s = make_server({"special_sent": "Out|Sent", "special_trash": ""})
    with s.login(s.account("u")) as c:
        for name in ("Sent", "Out", "Trash"):
            c.ok(f"CREATE {name}")
        got = listed(c, 'LIST "" "*"')
        assert "\\Sent" in got["Out"][0] and "\\Sent" not in got["Sent"][0]
        assert "\\Trash" not in got["Trash"][0]


def test_autocreate(make_server):
    s = make_server({"autocreate": "Drafts|Sent|Trash"})
    a = s.account("u")
    with s.login(a) as c:
        assert set(listed(c, 'LIST (SUBSCRIBED) "" "*"')) == {
            "Drafts", "Sent", "Trash"}
        c.ok('CREATE "Deleted Items"')
        c.ok("DELETE Trash")
    with s.login(a) as c:
        assert "Trash" not in listed(c, 'LIST "" "*"')


# ---- prefix and separator --------------------------------------------------

@pytest.fixture
def courier(make_server):
    """As Courier shows it: everything below INBOX, with dots."""
    s = make_server({"separator": ".", "inbox_prefix": "yes"})
    a = s.account("u")
    with s.login(a) as c:
        c.account = a
        yield c


def test_prefix(courier):
    c = courier
    assert c.ok("NAMESPACE").one("NAMESPACE").data[0] == [[b"INBOX.", b"."]]
    c.ok("CREATE INBOX.Work.2024")
    assert (c.account.mail.root / ".Work.2024" / "cur").is_dir()
    got = listed(c, 'LIST "" "*"')
    assert set(got) == {"INBOX", "INBOX.Work", "INBOX.Work.2024"}
    assert "\\HasChildren" in got["INBOX"][0]
    assert set(listed(c, 'LIST "" "%"')) == {"INBOX"}
    assert set(listed(c, 'LIST "" "INBOX.%"')) == {"INBOX.Work"}
    assert set(listed(c, 'LIST "INBOX." "%"')) == {"INBOX.Work"}
    c.ok("SUBSCRIBE INBOX.Work.2024")
    assert (c.account.mail.root / "subscriptions").read_text() \
        .splitlines()[-1] in ("Work.2024", "Work\t2024")
    assert set(c.list("", "*", "LSUB")) == {"INBOX.Work.2024"}
    c.ok("SELECT inbox.Work.2024")


def test_prefix_is_needed(courier):
    courier.no("CREATE Work")
    courier.no("SELECT Work")
    courier.no("CREATE INBOX.INBOX")
    courier.ok("NOOP")


def test_dot_separator(make_server):
    s = make_server({"separator": "."})
    with s.login(s.account("u")) as c:
        c.ok("CREATE a.b")
        assert set(c.list("", "*")) == {"INBOX", "a", "a.b"}
        assert c.ok('LIST "" ""').one("LIST").data[1] == b"."


def test_inbox_is_told_once(account, client):
    """A directory that is INBOX but for its case has a name of its own."""
    account.mail.deliver(folder="inbox")
    account.mail.make("inbox/Sub")
    got = listed(client, 'LIST "" "*"')
    assert set(got) == {"INBOX", "&,,0-69nbox", "&,,0-69nbox/Sub"}
    assert client.status("&,,0-69nbox", "MESSAGES") == {"MESSAGES": 1}
    assert client.status("inbox", "MESSAGES") == {"MESSAGES": 0}


def test_many_patterns(client):
    """A long reference is not copied for each of many patterns."""
    client.ok("CREATE Box")
    many = " ".join(["Nothing"] * 999 + ["Box"])
    assert set(listed(client, f'LIST "" ({many})')) == {"Box"}
    assert not listed(client, f'LIST {"x" * 100000} ({"% " * 999}%)')
    assert client.no(f'LIST "" ({many} %)').done.code == "LIMIT"
    client.bad('LIST {4+}\r\ncaf\xe9 (a b)')


@pytest.mark.imapd
def test_no_line_gets_into_the_subscriptions(client, account):
    """U+FFFD and two digits are how a byte of somebody else's directory name is
    spelled, a line feed among them."""
    r = client.cmd('SUBSCRIBE "F&,,0-0aEvil&,,0-09x"')
    names = [x.data[2] for x in client.ok('LSUB "" *').all("LSUB")]
    assert names == (["F&,,0-0aEvil&,,0-09x"] if r.status == "OK" else [])
    text = (account.mail.root / "subscriptions").read_bytes() \
        if r.status == "OK" else b""
    assert text.count(b"\n") == (3 if text else 0)
