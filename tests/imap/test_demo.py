# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""The first command of the README, with the programs that are under test."""

import pathlib
import signal
import subprocess

import pytest

import servers

DEMO = pathlib.Path(__file__).resolve().parents[1] / "demo"


def demo(*options, **kw):
    port, tls_port = servers.free_ports(2)
    return [DEMO, "--prefix", servers.PREFIX, "--ports", str(port),
            str(tls_port), *options], tls_port


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
