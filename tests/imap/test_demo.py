# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""The first command of the README, with the programs that are under test."""

import os
import pathlib
import re
import signal
import subprocess

import pytest

import servers

DEMO = pathlib.Path(__file__).resolve().parents[1] / "demo"


def demo(*options, **kw):
    port, tls_port = servers.free_ports(2)
    return [DEMO, "--prefix", servers.PREFIX, "--ports", str(port),
            str(tls_port), *options], tls_port


README = DEMO.parents[1] / "README"


@pytest.mark.imapd
def test_configuration_of_the_readme(make_server):
    """As it stands there, but for where its files are; ten lines at most."""
    text = re.search(r"(?s)/etc/imapd\.conf:\n\n(.*?)\n\n",
                     README.read_text()).group(1)
    assert len(text.splitlines()) <= 10
    s = make_server(start=False)
    for name, own in (("/etc/imapd/users", s.users),
                      ("/srv/mail", s.dir / "mail"),
                      ("vmail", servers.MAIL_UID),
                      ("/etc/letsencrypt/live/mail.example.org/fullchain.pem",
                       s.cert),
                      ("/etc/letsencrypt/live/mail.example.org/privkey.pem",
                       s.key), ("/etc/imapd/certs", s.dir / "certs")):
        assert name in text
        text = text.replace(name, str(own))
    s.conf.write_text(f"{text}\nlog = stderr\nrun_directory = {s.dir}/run\n"
                      "libexec_directory = "
                      f"{servers.PREFIX}/libexec/imapd\nlisten = "
                      f"imap:127.0.0.1:{s.port} imaps:127.0.0.1:{s.tls_port}\n")
    # What an administrator makes: a directory for each user.
    home = s.dir / "mail" / "example.org" / "joe"
    home.mkdir(parents=True)
    if os.geteuid() == 0:
        os.chown(home, servers.MAIL_UID, servers.MAIL_GID)
    made = subprocess.run(
        [servers.PREFIX / "sbin/imapctl", "-c", s.conf, "passwd", "-s",
         "SHA512-CRYPT"], input="pass\n", capture_output=True, text=True)
    (line,) = re.findall(r"(?m)^\tjoe@example.org:.*$", README.read_text())
    s.users.write_text(line.strip().replace(
        "{SHA512-CRYPT}$6$...", made.stdout.strip()) + "\n")
    check = subprocess.run([servers.IMAPD, "-c", s.conf, "-t"],
                           capture_output=True, text=True)
    assert (check.returncode, check.stdout + check.stderr) == (0, "")
    s.start()
    for tls in (False, True):
        c = s.connect(tls=tls)
        c.login("joe@example.org", "pass")
        c.ok("SELECT INBOX")
        c.logout()
    assert (home / "Maildir" / "cur").is_dir()


@pytest.mark.imapd
def test_demo_check():
    argv, _ = demo("--check")
    p = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert p.returncode == 0 and "demo: all well" in p.stdout, \
        p.stdout + p.stderr


@pytest.mark.imapd
def test_demo_until_interrupted():
    argv, tls_port = demo()
    p = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True, start_new_session=True)
    try:
        for line in p.stdout:
            if "mutt -e" in line:
                break
        out = subprocess.run(
            ["curl", "-sS", "-k", "-u", "demo:demo",
             f"imaps://127.0.0.1:{tls_port}/INBOX;UID=2"],
            capture_output=True, text=True, timeout=30)
        assert "Flag me" in out.stdout, out
    finally:
        p.send_signal(signal.SIGTERM)
        p.wait(20)
    directory = [w for w in line.split() if "imapd-demo." in w] or [""]
    assert not pathlib.Path(directory[0].split("=")[-1]).is_file()
