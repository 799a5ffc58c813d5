# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""configure --without-tls: everything but TLS, and plain words about that."""

import os
import pathlib
import subprocess

import pytest

import servers

pytestmark = pytest.mark.imapd

CONFIG = pathlib.Path(os.environ.get(
    "IMAPD_BUILD", pathlib.Path(__file__).parents[2])) / "config.h"
if not CONFIG.exists() or "define WITH_TLS" in CONFIG.read_text():
    pytest.skip("built with TLS", allow_module_level=True)


@pytest.fixture
def plain(make_server):
    s = make_server({"tls_cert": "", "tls_key": "", "listen": ""},
                    start=False)
    s.settings["listen"] = f"imap:127.0.0.1:{s.port}"
    s.write_conf()
    return s.start()


def test_what_is_built():
    assert (servers.PREFIX / "libexec/imapd/imapd-login").exists()
    assert not (servers.PREFIX / "libexec/imapd/imapd-tls").exists()


def test_session(plain):
    joe = plain.account("joe", password="{SHA256}10/w7o2juYBrGMh32/KbveULW9jk2"
                                        "tejpyUAD+uC6PE=")
    joe.mail.deliver()
    c = plain.connect()
    assert "STARTTLS" not in c.capability()
    assert c.bad("STARTTLS").text == "TLS is not available"
    c.login(joe.name, "pass")
    assert c.ok("SELECT INBOX").exists() == 1
    c.logout()


def test_certificates_are_a_mistake(plain):
    r = subprocess.run(
        [servers.IMAPD, "-c", plain.conf, "-t", "-o", f"tls_cert={plain.cert}",
         "-o", f"tls_key={plain.key}"], capture_output=True, text=True)
    assert r.returncode == 78
    assert "built without TLS" in r.stderr
