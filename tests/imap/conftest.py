# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Fixtures.  One server for all tests of a worker, a new user for each test.

    server      imapd -l (or Dovecot, if IMAPD_TEST_SERVER=dovecot)
    account     a user with an empty Maildir: account.mail.deliver(...)
    login       login() -> a logged-in Client, closed at the end of the test
    client      one such client
    inbox       the same, INBOX selected, with the three messages of MESSAGES
    dovecot     a Dovecot for tests that need the peer
"""

import itertools
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import servers                                       # noqa: E402
from maildirs import message                         # noqa: E402

REFEREE = os.environ.get("IMAPD_TEST_SERVER") == "dovecot"
_names = itertools.count(1)


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "imapd: about imapd alone; Dovecot is not asked")
    config.addinivalue_line(
        "markers", "differs(why): Dovecot decides otherwise")


def pytest_collection_modifyitems(items):
    if not REFEREE:
        return
    for item in items:
        mark = item.get_closest_marker("imapd") \
            or item.get_closest_marker("differs")
        if mark:
            item.add_marker(pytest.mark.skip(reason=" ".join(
                ("Dovecot:",) + mark.args)))


@pytest.fixture(scope="session")
def server():
    s = servers.Dovecot() if REFEREE else servers.Imapd()
    try:
        yield s.start()
        text = s.log_text()
    finally:
        s.remove()
    # A sanitizer writes where the log goes: no test may hide its report.
    for sign in ("AddressSanitizer", "runtime error:", "LeakSanitizer"):
        assert sign not in text, text[text.index(sign) - 200:][:4000]


@pytest.fixture
def make_server():
    """make_server(config) -> an imapd of its own for this test."""
    made = []

    def make(config=None, start=True):
        s = servers.Imapd(config=config)
        made.append(s)
        return s.start() if start else s
    yield make
    for s in made:
        s.remove()


@pytest.fixture(scope="session")
def dovecot():
    s = servers.Dovecot()
    try:
        yield s.start()
    finally:
        s.remove()


@pytest.fixture
def new_account(server):
    """new_account() -> a user of the server with an empty Maildir."""
    def make(extra="", password=None, name=None):
        return server.account(name or f"u{os.getpid()}-{next(_names)}",
                              extra, password)
    return make


@pytest.fixture
def account(new_account):
    return new_account()


@pytest.fixture
def connect(server):
    """connect(tls=False) -> a Client that has read the greeting."""
    made = []

    def make(**kw):
        made.append(server.connect(**kw))
        return made[-1]
    yield make
    for c in made:
        c.close()


@pytest.fixture
def login(connect, account):
    def make(who=account, **kw):
        c = connect(**kw)
        c.login(who.name, who.password)
        return c
    return make


@pytest.fixture
def client(login):
    return login()


MESSAGES = [
    message("First", "One.\n", n=101),
    message("Second", "Two.\nTwo.\n", n=102),
    message("Third", "Three.\nThree.\nThree.\n", n=103),
]


@pytest.fixture
def inbox(account, login):
    """A client with INBOX selected, holding MESSAGES with UIDs 1 to 3."""
    for n, m in enumerate(MESSAGES):
        account.mail.deliver(m, flags="", mtime=1707124272 + n,
                             name=f"{1707124272 + n}.M1P1.host")
    c = login()
    c.ok("SELECT INBOX")
    return c
