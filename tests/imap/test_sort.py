# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""SORT and THREAD: the examples of RFC 5256, 5957 and 5267, every key and every
algorithm, and hard mailboxes compared with sortreference.py."""

import email.utils
import random
import re

import pytest

import sortreference
from maildirs import message

START = 952300000       # 5 Mar 2000, in the evening


def fill(mail, messages, folder="INBOX"):
    """Deliver (fields, arrival) in this order."""
    for i, (fields, arrival) in enumerate(messages):
        fields = {"Message-ID": None, "Date": None, **fields}
        body = fields.pop("body", "x\n")
        mail.deliver(message(body=body, **{
            k.replace("-", "_") if k != "subject" else k: v
            for k, v in fields.items()}), folder=folder, flags="S",
            mtime=arrival, name=f"{1000000000 + i}.M{i:06}P1.host")


def date(t):
    return email.utils.formatdate(t)


def thread(r):
    raw = r.one("THREAD").raw.decode()
    assert raw.startswith("* THREAD") and raw.endswith("\r\n")
    return raw[8:-2].removeprefix(" ")


# ---- RFC 5256, BASE.6.4.SORT -----------------------------------------------

@pytest.fixture
def five(account, client):
    """Five messages for "SORT (SUBJECT REVERSE DATE)" to give 5 3 4 1 2."""
    fill(account.mail, [
        ({"subject": "Re: gamma", "Date": date(START + 50), "From": "b@x",
          "To": "Zed <a@b>", "Cc": "k@l", "body": "a" * 500},
         START + 3),
        ({"subject": "[list] Gamma (fwd)", "Date": date(START + 40),
          "From": "A <c@x>", "To": "y@b", "body": "a" * 100}, START + 2),
        ({"subject": "Fwd: beta", "Date": date(START + 30), "From": "D@x",
          "To": "Alf <z@b>", "Cc": "a@l", "body": "a" * 300},
         START + 5),
        ({"subject": "BETA", "Date": "soon", "From": "=?utf-8?q?=C3=84?= <a@x>",
          "To": "Y@b", "body": "a" * 200}, START + 10),
        ({"subject": "alpha", "From": None, "To": "undisclosed:;",
          "body": "a" * 400}, START + 1),
    ])
    client.ok("SELECT INBOX")
    return client


def test_examples_of_sort(five):
    assert five.ok("SORT (SUBJECT) UTF-8 SINCE 1-Feb-1994").one(
        "SORT").data == [5, 3, 4, 1, 2]
    assert five.ok("SORT (SUBJECT REVERSE DATE) UTF-8 ALL").one(
        "SORT").data == [5, 3, 4, 1, 2]
    r = five.ok('SORT (SUBJECT) US-ASCII TEXT "not in mailbox"')
    assert r.one("SORT").raw == b"* SORT\r\n"


@pytest.mark.parametrize("criteria, want", [
    ("ARRIVAL", [5, 2, 1, 3, 4]), ("REVERSE ARRIVAL", [4, 3, 1, 2, 5]),
    ("CC", [2, 4, 5, 3, 1]), ("REVERSE CC", [1, 3, 2, 4, 5]),
    # without a date that can be understood INTERNALDATE counts
    ("DATE", [5, 4, 3, 2, 1]), ("REVERSE DATE", [1, 2, 3, 4, 5]),
    ("FROM", [5, 4, 1, 2, 3]), ("SIZE", [2, 4, 3, 5, 1]),
    ("SUBJECT", [5, 3, 4, 1, 2]), ("REVERSE SUBJECT", [1, 2, 3, 4, 5]),
    # "REVERSE only reverses a single criterion"
    ("SUBJECT DATE", [5, 4, 3, 2, 1]), ("SUBJECT REVERSE SIZE", [5, 3, 4, 1, 2]),
    ("TO", [1, 5, 2, 4, 3]), ("TO SIZE", [1, 5, 2, 4, 3]),
    ("TO REVERSE SIZE", [1, 5, 4, 2, 3]),
    # RFC 5957: names, and addresses where there is none
    ("DISPLAYFROM", [5, 2, 4, 1, 3]), ("DISPLAYTO", [3, 5, 2, 4, 1]),
    ("REVERSE DISPLAYFROM", [3, 1, 4, 2, 5]),
    ("DATE DATE REVERSE DATE", [5, 4, 3, 2, 1]),
    ("displayfrom reverse Arrival", [5, 2, 4, 1, 3]),
])
def test_keys(five, criteria, want):
    assert five.ok(f"SORT ({criteria}) UTF-8 ALL").one("SORT").data == want
    assert five.ok(f'UID SORT ({criteria}) "us-ascii" 2:4').one(
        "SORT").data == [n for n in want if 2 <= n <= 4]


def test_names_and_addresses_are_told_apart(five):
    """"ä" is "A" and an accent: behind A and before b@x (RFC 5051)."""
    assert five.ok("SORT (DISPLAYFROM) UTF-8 2,4,1").one(
        "SORT").data == [2, 4, 1]


@pytest.mark.parametrize("command", [
    "SORT", "SORT ()", "SORT () UTF-8 ALL", "SORT (DATE)", "SORT (DATE) UTF-8",
    "SORT DATE UTF-8 ALL", "SORT (DATE REVERSE) UTF-8 ALL",
    pytest.param("SORT (REVERSE REVERSE DATE) UTF-8 ALL",
                 marks=pytest.mark.differs("it takes that")),
    "SORT (BCC) UTF-8 ALL",
    "SORT (DATE) UTF-8 NONSENSE", "SORT RETURN (DATE) UTF-8 ALL",
    "THREAD", "THREAD REFERENCES", "THREAD REFERENCES UTF-8",
    "THREAD JWZ UTF-8 ALL", "THREAD (REFERENCES) UTF-8 ALL",
])
def test_bad(five, command):
    assert five.cmd(command).status == "BAD"
    five.ok("NOOP")


@pytest.mark.parametrize("command", [
    "SORT (DATE) X-NOSUCH ALL", "UID SORT (DATE) X-NOSUCH SUBJECT x",
    "THREAD REFS X-NOSUCH ALL"])
def test_unknown_charset(five, command):
    assert five.no(command).code == "BADCHARSET"


def test_charset_of_the_search(five):
    assert five.ok("SORT (DATE) UTF-8 FROM", "Ä".encode()).one(
        "SORT").data == [4]


def test_not_selected(account, client):
    for command in ("SORT (DATE) UTF-8 ALL", "UID SORT (DATE) UTF-8 ALL",
                    "THREAD REFS UTF-8 ALL", "UID THREAD REFS UTF-8 ALL"):
        assert client.cmd(command).status == "BAD"


@pytest.mark.differs("a blank behind THREAD")
def test_empty_mailbox(account, client):
    client.ok("SELECT INBOX")
    assert client.ok("SORT (DATE) UTF-8 ALL").one("SORT").data == []
    for algorithm in sortreference.ALGORITHMS:
        assert thread(client.ok(f"THREAD {algorithm} UTF-8 ALL")) == ""


# ---- ESORT (RFC 5267 section 3) --------------------------------------------

def esearch(r):
    return re.sub(r'\(TAG "[^"]*"\)', "(TAG)",
                  r.one("ESEARCH").raw.decode().strip())


def test_esort(five):
    def sort(options, rest="(REVERSE DATE) UTF-8 ALL"):
        return esearch(five.ok(f"SORT RETURN ({options}) {rest}"))
    assert sort("MIN") == "* ESEARCH (TAG) MIN 1"
    assert sort("MAX") == "* ESEARCH (TAG) MAX 5"
    assert sort("MIN", "(SIZE) UTF-8 ALL") == "* ESEARCH (TAG) MIN 2"
    assert sort("COUNT MIN MAX", "(SIZE) UTF-8 1:4") == \
        "* ESEARCH (TAG) MIN 2 MAX 1 COUNT 4"
    assert sort("ALL") == "* ESEARCH (TAG) ALL 1:5"
    assert sort("COUNT", "(DATE) UTF-8 FROM nobody") == \
        "* ESEARCH (TAG) COUNT 0"
    assert sort("MIN ALL", "(DATE) UTF-8 FROM nobody") == "* ESEARCH (TAG)"


def test_example_of_esort(five):
    """No ranges downwards: "the initial three results are not represented as
    the range 23765:23763"."""
    five.ok("STORE 2 +FLAGS.SILENT ($Junk)")
    five.ok("STORE 3 +FLAGS.SILENT (\\Deleted)")
    r = five.ok("UID SORT RETURN () (DATE) UTF-8 UNDELETED UNKEYWORD $Junk")
    assert esearch(r) == "* ESEARCH (TAG) UID ALL 5,4,1"
    assert not r.all("SORT")


def test_esort_saves(five):
    """RFC 5182: "$" are messages, whatever their order was."""
    def saved():
        return sorted(five.ok("FETCH $ UID").fetch())
    r = five.ok("SORT RETURN (SAVE) (SIZE) UTF-8 1:3")
    assert not r.all("SORT") and not r.all("ESEARCH")
    assert saved() == [1, 2, 3]
    five.ok("SORT RETURN (SAVE MIN MAX) (SIZE) UTF-8 ALL")
    assert saved() == [1, 2]
    five.ok("UID SORT RETURN (SAVE MAX COUNT) (SIZE) UTF-8 2:5")
    assert saved() == [2, 3, 4, 5]
    assert five.no("SORT RETURN (SAVE) (SIZE) X-NOSUCH ALL")
    assert not five.ok("FETCH $ UID").fetch()
    assert five.ok("SORT (SIZE) UTF-8 $").one("SORT").data == []


@pytest.mark.differs("answers NO")
def test_unreadable(account, five):
    """What cannot be read is found all the same, and counts as empty."""
    account.mail.files()[0].chmod(0)
    assert five.ok("SORT (SUBJECT) UTF-8 ALL").one("SORT").data == \
        [1, 5, 3, 4, 2]
    # Its INTERNALDATE is known.  With its subject it would be (2 1).
    assert thread(five.ok("THREAD ORDEREDSUBJECT UTF-8 1:2")) == "(1)(2)"


# ---- EXPUNGE ---------------------------------------------------------------

@pytest.mark.differs("finds what others have removed")
@pytest.mark.parametrize("command, data", [
    ("SORT (DATE) UTF-8 ALL", "SORT"), ("THREAD REFS UTF-8 ALL", "THREAD")])
def test_when_expunge_may_come(five, login, command, data):
    """"Untagged EXPUNGE responses are not permitted while the server is
    responding to a SORT command, but are permitted during a UID SORT"."""
    other = login()
    other.ok("SELECT INBOX")
    other.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
    other.ok("EXPUNGE")
    r = five.ok(command)
    assert not r.all("EXPUNGE") and len(r.all(data)) == 1
    r = five.ok("UID " + command)
    assert [x.number for x in r.all("EXPUNGE")] == [2]
    assert b"2" not in re.findall(rb"\d+", r.one(data).raw)


# ---- RFC 5256, BASE.6.4.THREAD ---------------------------------------------

ORDEREDSUBJECT = (
    "(166)(167)(168)(169)(172)(170)(171)"
    "(173)(174 (175)(176)(178)(181)(180))(179)(177"
    "(183)(182)(188)(184)(185)(186)(187)(189))(190)"
    "(191)(192)(193)(194 195)(196 (197)(198))(199)"
    "(200 202)(201)(203)(204)(205)(206 207)(208)")
REFERENCES = (
    "(166)(167)(168)(169)(172)((170)(179))"
    "(171)(173)((174)(175)(176)(178)(181)(180))"
    "((177)(183)(182)(188 (184)(189))(185 186)(187))"
    "(190)(191)(192)(193)((194)(195 196))(197 198)"
    "(199)(200 202)(201)(203)(204)(205 206 207)(208)")
# Who refers to whom there; 0 is not in the mailbox.
PARENT = {170: 0, 179: 0, 184: 188, 189: 188, 186: 185, 196: 195, 198: 197,
          202: 200, 206: 205, 207: 206}


@pytest.mark.differs("a blank behind THREAD")
def test_examples_of_thread(account, client):
    """A mailbox that makes these answers: messages with one subject stand in
    one thread of the first, and come in it by date."""
    subjects, dates = {}, {}
    for n, name in enumerate(re.findall(r"(?:\([^()]*(?:\([^()]*\))*\))",
                                        ORDEREDSUBJECT)):
        for number in map(int, re.findall(r"\d+", name)):
            subjects[number] = f"subject {n}"
            dates[number] = START + 60 * len(dates)
    assert sorted(subjects) == list(range(166, 209))
    fill(account.mail, [
        ({"subject": "old"}, START - 10 * 86400) if n < 166 else
        ({"subject": subjects[n], "Date": date(dates[n]),
          "Message-ID": f"<m{n}@x>",
          "References": f"<m{PARENT[n]}@x>" if n in PARENT else None},
         START + 86400 + n) for n in range(1, 209)])
    client.ok("SELECT INBOX")
    # The example has "(177" and "(183)" on two lines; there is a space.
    assert thread(client.ok("THREAD ORDEREDSUBJECT UTF-8 SINCE 5-MAR-2000")) \
        == ORDEREDSUBJECT.replace("(177(", "(177 (")
    r = client.ok('THREAD ORDEREDSUBJECT US-ASCII TEXT "gewp"')
    assert r.one("THREAD").raw == b"* THREAD\r\n"
    assert thread(client.ok("THREAD REFERENCES UTF-8 SINCE 5-MAR-2000")) == \
        REFERENCES


def test_examples_of_the_response(account, client):
    """BASE.7.2.THREAD: numbers 1 to 8 for 2 3 6 4 23 44 7 96."""
    parents = {3: 2, 4: 3, 5: 4, 6: 3, 7: 6, 8: 7}
    fill(account.mail, [
        ({"subject": f"s{n}", "Date": date(START + n),
          "Message-ID": f"<m{n}@x>", "In-Reply-To":
          f"<m{parents[n]}@x>" if n in parents else None}, START + n)
        for n in range(1, 9)])
    client.ok("SELECT INBOX")
    assert thread(client.ok("THREAD REFERENCES UTF-8 ALL")) == \
        "(1)(2 3 (4 5)(6 7 8))"
    # "3 and 5 are siblings of a parent that does not match"
    assert thread(client.ok("UID THREAD REFERENCES UTF-8 NOT 3")) == \
        "(1)(2)((4 5)(6 7 8))"


@pytest.mark.differs("sorts threads by the most recent sent date")
def test_refs(account, client):
    """The thread that has got the latest mail is the last; subjects do not
    matter; In-Reply-To does where there are no References."""
    fill(account.mail, [
        ({"subject": "one", "Message-ID": "<1@x>", "Date": date(START)},
         START),
        ({"subject": "two", "Message-ID": "<2@x>", "Date": date(START + 1)},
         START + 1),
        ({"subject": "one", "Date": date(START + 9)}, START + 2),
        ({"subject": "x", "In-Reply-To": "you <1@x>", "References": "none",
          "Date": date(START - 5)}, START + 4),
        ({"subject": "x", "References": "<1@x>", "Date": date(START - 9)},
         START + 3),
        ({"subject": "y", "References": "<9@x>"}, START - 1),
        ({"subject": "y", "References": "<9@x>"}, START - 2),
    ])
    client.ok("SELECT INBOX")
    assert thread(client.ok("THREAD REFS UTF-8 ALL")) == \
        "((7)(6))(2)(3)(1 (5)(4))"


# ---- hard mailboxes --------------------------------------------------------

def random_messages(rnd, n):
    """Few identifiers, subjects and dates: duplicates, loops, parents that are
    missing, truncated and contradicting References."""
    ids = [f"<{i}@x>" for i in range(max(2, n * 2 // 3))]
    subjects = ["", "a", "b", "Re: a", "[x] A (fwd)", "fwd: b", "Re: ", "c"]

    def some(k):
        return " ".join(rnd.choice(ids) for _ in range(rnd.randint(0, k)))
    for _ in range(n):
        t = START + rnd.randint(0, 8) * 3600
        yield {
            "subject": rnd.choice(subjects),
            "Message-ID": rnd.choice(ids + [None, "no identifier"]),
            "References": rnd.choice([None, some(2), some(6)]),
            "In-Reply-To": rnd.choice([None, some(2)]),
            "Date": rnd.choice([date(t), date(t), None, "nonsense"]),
            "To": rnd.choice(["a@b", "A <b@c>", "B@x", None]),
        }, START + rnd.randint(0, 8) * 3600


CRITERIA = ["DATE", "SUBJECT", "REVERSE SUBJECT TO", "TO REVERSE DATE",
            "ARRIVAL REVERSE SIZE", "DISPLAYTO SUBJECT DATE",
            "SIZE REVERSE CC FROM"]


def compare(client, folder):
    client.ok(f"SELECT {folder}")
    msgs = sortreference.messages(
        client.ok(f"FETCH 1:* {sortreference.ITEMS}").fetch())
    for criteria in CRITERIA:
        assert client.ok(f"SORT ({criteria}) UTF-8 ALL").one("SORT").data == \
            sortreference.sort(msgs, criteria.split()), (folder, criteria)
    for algorithm in sortreference.ALGORITHMS:
        assert thread(client.ok(f"THREAD {algorithm} UTF-8 ALL")) == \
            sortreference.thread(msgs, algorithm), (folder, algorithm)
        half = [m for m in msgs if m.number % 2]
        odd = ",".join(str(m.number) for m in half)
        assert thread(client.ok(f"THREAD {algorithm} UTF-8 {odd}")) == \
            sortreference.thread(half, algorithm), (folder, algorithm, "odd")


@pytest.mark.differs("of two orders with equal dates, and of dummies")
@pytest.mark.parametrize("seed", range(5))
def test_random_mailboxes(account, client, seed):
    rnd = random.Random(seed)
    for i in range(16):
        fill(account.mail, random_messages(rnd, rnd.randint(2, 40)),
             f"r{seed}-{i}")
        compare(client, f"r{seed}-{i}")


@pytest.mark.differs("sorts threads by the most recent sent date")
def test_one_subject(account, client):
    """Three hundred of the same subject, half of them replies."""
    fill(account.mail, [
        ({"subject": "Re: same" if n % 2 else "same",
          "Date": date(START + n * 7919 % 300)}, START)
        for n in range(300)])
    compare(client, "INBOX")


@pytest.mark.differs("it has no limit")
def test_long_references(account, client):
    """1,500 ancestors in one field: the nearest 1,000 count, and all of them
    are one chain."""
    ids = [f"<{n}@x>" for n in range(1500)]
    fill(account.mail, [
        ({"subject": "a", "Message-ID": "<499@x>"}, START),
        ({"subject": "b", "Message-ID": "<500@x>"}, START),
        ({"subject": "c", "Message-ID": "<1499@x>"}, START),
        ({"subject": "d", "References": "\n ".join(ids)}, START)])
    client.ok("SELECT INBOX")
    assert thread(client.ok("THREAD REFERENCES UTF-8 ALL")) == "(1)(2 3 4)"
