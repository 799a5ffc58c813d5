# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""SORT and THREAD over the corpus: all of it as sortreference.py has it, and
what is not in dispute as Dovecot has it; imapd-conformance(7) has the rest."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

import compare
import made
import made_fields
import made_mime
import sortreference
from differences import squeeze
from servers import MAIL_GID, MAIL_UID, run_dir

# Dates that email.utils does not read, or reads otherwise: what they say.
ODD = {
    b"Sun, 25 Aug 2002 19:21:44 01800": "Sun, 25 Aug 2002 19:21:44 +0000",
    b"Fri, 23 Aug 2002 22:46:34 GMT+1": "Fri, 23 Aug 2002 22:46:34 +0100",
    b"2002/09/14 Sat 02:29:32 CDT": "Sat, 14 Sep 2002 02:29:32 -0500",
    b"2002/09/14 Sat 13:06:03 GMT": "Sat, 14 Sep 2002 13:06:03 +0000",
    b"Mon, 16 Sep 2002 13:12:50 GMT+1": "Mon, 16 Sep 2002 13:12:50 +0100",
    b"Fri, 20 Sep 2002 12:15:37 GMT+1": "Fri, 20 Sep 2002 12:15:37 +0100",
    b"Fri, 20 Sep 2002 12:28:59 GMT+1": "Fri, 20 Sep 2002 12:28:59 +0100",
    b"Fri, 02 Aug 2002 23:37:59 0530": "Fri, 02 Aug 2002 23:37:59 +0000",
    b"Fri, 07 Jun 2002 16:35:51 GMT+1": "Fri, 07 Jun 2002 16:35:51 +0100",
    b"Fri, 07 Jun 2002 16:37:13 GMT+1": "Fri, 07 Jun 2002 16:37:13 +0100",
    b"Tue, 06 Aug 2002 06:50:21 PM -0400": "Tue, 06 Aug 2002 06:50:21 -0400",
    b"2002-08-22T18:26:25Z": "Thu, 22 Aug 2002 18:26:25 +0000",
    b"(c) 22 Aug 2002 18:26:25 GMT": "Thu, 22 Aug 2002 18:26:25 +0000",
}
# RFC 5322 3.3; the year is 1900 or later.
BY_THE_BOOK = re.compile(
    rb"(?i)(?:[a-z]{3}, )?[0-9]{1,2} [a-z]{3} (?:19|20)[0-9]{2} "
    rb"[0-9]{2}:[0-9]{2}(?::[0-9]{2})? (?:[-+][0-9]{4}|GMT)(?: \([^)]*\))?")
ADDRESSES = {"FROM": 2, "DISPLAYFROM": 2, "TO": 5, "DISPLAYTO": 5, "CC": 6}


class Box:
    """Both servers on copies of one mailbox, and what they say of it."""

    def __init__(self, top):
        top.chmod(0o755)
        given = os.environ.get("IMAPD_TEST_CORPUS")
        path = pathlib.Path(given) if given else compare.fetch_corpus(top)
        first, second = top / "dovecot", top / "imapd"
        first.mkdir()
        shutil.chown(first, MAIL_UID, MAIL_GID)
        texts = list(compare.corpus(path))
        texts += [m for _, m in made.messages()]
        # Harder ones, of which every server has an opinion of its own: these
        # are compared with the reference.
        common = len(texts)
        texts += [m for module in (made_mime, made_fields)
                  for _, m in module.messages()]
        compare.deliver(first, texts)
        with compare.dovecot(first) as c:       # numbers the messages
            assert c.ok("SELECT INBOX").exists() == len(texts)
        subprocess.run(["cp", "-a", first, second], check=True)
        self.imapd, self.dovecot = compare.imapd(second), compare.dovecot(first)
        self.imapd.ok("SELECT INBOX")
        self.dovecot.ok("SELECT INBOX")
        self.items = self.imapd.ok(
            f"FETCH 1:* {sortreference.ITEMS}").fetch()
        self.messages = sortreference.messages(self.items)
        for m in self.messages:
            odd = ODD.get(self.envelope(m.number)[0])
            if odd:
                m.date = sortreference.sent_date(odd.encode())
        theirs = self.dovecot.ok("FETCH 1:* ENVELOPE").fetch()
        self.clear = {
            key: {n for n in self.items if n <= common and
                  self.is_clear(key, self.envelope(n), theirs[n]["ENVELOPE"])}
            for key in sortreference.KEYS}

    def envelope(self, n):
        return self.items[n]["ENVELOPE"]

    @staticmethod
    def is_clear(key, ours, theirs):
        """There are no two opinions on the value of a key: the date is by the
        book, the text in a known charset, the address the same to both."""
        if key == "DATE":
            return ours[0] is None or BY_THE_BOOK.fullmatch(ours[0])
        if key == "SUBJECT":
            return is_utf8(ours[1]) and squeeze(ours[1] or b"") == squeeze(
                theirs[1] or b"")
        if key in ADDRESSES:
            i = ADDRESSES[key]
            return (ours[i] or [])[:1] == (theirs[i] or [])[:1] and all(
                map(is_utf8, (ours[i] or [[]])[0]))
        return True


def is_utf8(b):
    try:
        (b or b"").decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.fixture(scope="module")
def box():
    top = run_dir()
    try:
        yield Box(top)
    finally:
        shutil.rmtree(top)


@pytest.mark.parametrize("criteria", [
    *sortreference.KEYS, *("REVERSE " + k for k in sortreference.KEYS),
    "SUBJECT DATE", "FROM REVERSE DATE", "DISPLAYTO SUBJECT REVERSE ARRIVAL",
    "CC TO FROM SIZE"])
def test_sort(box, criteria):
    command = f"SORT ({criteria}) UTF-8 ALL"
    ours = box.imapd.ok(command).one("SORT").data
    assert ours == sortreference.sort(box.messages, criteria.split())
    clear = set.intersection(*(box.clear[k] for k in criteria.split()
                               if k != "REVERSE"))
    theirs = box.dovecot.ok(command).one("SORT").data
    assert len(clear) > 5700
    assert [n for n in ours if n in clear] == \
        [n for n in theirs if n in clear]


def threads(text):
    """One string a child of the root."""
    out, depth, start = [], 0, 0
    for m in re.finditer(r"[()]", text):
        depth += 1 if m.group() == "(" else -1
        if depth == 0:
            out.append(text[start:m.end()])
            start = m.end()
    return out


@pytest.mark.parametrize("algorithm", sortreference.ALGORITHMS)
def test_thread(box, algorithm):
    def thread(client, which):
        r = client.ok(f"THREAD {algorithm} UTF-8 {which}").one("THREAD")
        return r.raw.decode().strip().removeprefix("* THREAD ")

    assert thread(box.imapd, "ALL") == \
        sortreference.thread(box.messages, algorithm)
    clear = sorted(box.clear["DATE"] & box.clear["SUBJECT"])
    which = ",".join(map(str, clear))
    ours, theirs = (threads(thread(c, which))
                    for c in (box.imapd, box.dovecot))
    if algorithm == "REFS":     # they come by another date
        ours, theirs = sorted(ours), sorted(theirs)
    different = [x for x in ours if x not in set(theirs)] + \
        [x for x in theirs if x not in set(ours)]
    assert not different
    assert ours == theirs
