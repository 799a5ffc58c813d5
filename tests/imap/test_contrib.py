# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""The samples in contrib/ do what they say."""

import configparser
import pathlib
import re
import shutil
import subprocess

import pytest

import servers

pytestmark = pytest.mark.imapd()
CONTRIB = pathlib.Path(__file__).parents[2] / "contrib"
FILTER = CONTRIB / "fail2ban" / "imapd.conf"
UNITS = sorted((CONTRIB / "systemd").iterdir())


def failregex():
    """The filter's expression, with what fail2ban puts in for its tags."""
    conf = configparser.RawConfigParser()
    conf.read(FILTER)
    text = conf["Definition"]["failregex"]
    text = text.replace("%(__prefix_line)s", r"(?:.*?imapd(?:\[\d+\])?: )?")
    return re.compile(text.replace("<HOST>", r"(?P<host>[0-9a-f:.]+)"))


def samples():
    want = None
    for line in (CONTRIB / "fail2ban" / "sample.log").read_text().splitlines():
        if line.startswith("# failure: "):
            want = line.removeprefix("# failure: ")
        elif line == "# none":
            want = None
        elif not line.startswith("#"):
            yield line, want


@pytest.mark.parametrize("line, want", samples())
def test_fail2ban_sample(line, want):
    m = failregex().search(line)
    assert (m.group("host") if m else None) == want


def test_fail2ban_itself(tmp_path):
    tool = shutil.which("fail2ban-regex")
    common = pathlib.Path("/etc/fail2ban/filter.d/common.conf")
    if not tool or not common.exists():
        pytest.skip("fail2ban is not here")
    shutil.copy(common, tmp_path)       # as where the filter is installed
    shutil.copy(FILTER, tmp_path)
    out = subprocess.run(
        [tool, CONTRIB / "fail2ban" / "sample.log", tmp_path / FILTER.name],
        capture_output=True, text=True).stdout
    wanted = sum(want is not None for _, want in samples())
    assert f"{wanted} matched" in out, out


def test_fail2ban_reads_our_log(make_server):
    s = make_server()
    s.account("joe")
    for user in ("joe", "nobody", '"x rip=1.2.3.4 y"', '"a\\"b"'):
        c = s.connect()
        c.cmd(f"LOGIN {user} wrong")
    lines = [x for x in s.log_text().splitlines() if "auth-failed" in x]
    assert len(lines) == 4
    for line in lines:
        m = failregex().search(line)
        assert m and m.group("host") == "127.0.0.1", line


@pytest.mark.parametrize("unit", [u.name for u in UNITS])
def test_unit(unit, tmp_path):
    tool = shutil.which("systemd-analyze")
    if not tool:
        pytest.skip("systemd is not here")
    for u in UNITS:
        (tmp_path / u.name).write_text(u.read_text().replace(
            "/usr/sbin/imapd", str(servers.IMAPD)))
    (tmp_path / "imapd-accept-tls@.service").symlink_to(
        "imapd-accept@.service")
    out = subprocess.run(
        [tool, "verify", "--man=no", tmp_path / unit], capture_output=True,
        text=True, env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:"})
    bad = [x for x in (out.stdout + out.stderr).splitlines()
           if "imapd" in x and "PollLimit" not in x]
    assert not bad


@pytest.mark.parametrize("unit", [u.name for u in UNITS
                                  if u.suffix == ".service"])
def test_unit_exposure(unit):
    tool = shutil.which("systemd-analyze")
    if not tool:
        pytest.skip("systemd is not here")
    out = subprocess.run([tool, "security", "--offline=yes", "--threshold=20",
                          "--no-pager", CONTRIB / "systemd" / unit],
                         capture_output=True, text=True)
    assert out.returncode == 0, out.stdout[-400:]
