# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Every key, option, log event and command is in a manual page, and nothing
else is (HACKING rule 31)."""

import re
import subprocess

import pytest

from tree import PREFIX, TOP, files, shipped_c_files

PAGES = [f for f in files() if re.fullmatch(r"man/[\w.-]+\.[1-8]", f)]


def page(name):
    return (TOP / "man" / name).read_text()


def test_the_pages_are_there():
    assert {p.removeprefix("man/") for p in PAGES} >= {
        "imapd.8", "imapd.conf.5", "imapd-users.5", "imapd-files.5",
        "imapd-conformance.7"}


@pytest.mark.parametrize("path", PAGES)
def test_mandoc_is_content(path):
    """The standard's own names are known to be missing on a build machine:
    only references to our pages are looked up, below."""
    out = subprocess.run(
        ["mandoc", "-Tlint", "-Wstyle", TOP / path], capture_output=True,
        text=True)
    lines = [x for x in (out.stdout + out.stderr).splitlines()
             if "referenced manual not found" not in x
             and "outdated mandoc.db" not in x]
    assert not lines, "\n".join(lines)


@pytest.mark.parametrize("path", PAGES)
def test_references_to_our_pages(path):
    for name, section in re.findall(r"\.Xr (imapd[\w.-]*) (\d)",
                                    (TOP / path).read_text()):
        assert (TOP / "man" / f"{name}.{section}").exists(), f"{name}({section})"


def keys():
    text = (TOP / "imapd/process/config_keys.h").read_text()
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    found = re.findall(r"(?s)CONFIG_KEY\((\w+), (\w+), ((?:[^,\"]|\"(?:\\.|"
                       r"[^\"\\])*\")*),", text)
    assert len(found) > 20
    return found


@pytest.mark.parametrize("kind, key, default", keys(),
                         ids=[k[1] for k in keys()])
def test_key_is_documented(kind, key, default):
    text = page("imapd.conf.5")
    m = re.search(rf"(?ms)^\.It (?:Ic|Cm|Va|Sy|Li) {key}\b.*?(?=^\.It |^\.El)",
                  text)
    assert m, f"{key} is not in imapd.conf(5)"
    value = re.fullmatch(r'"((?:\\.|[^"\\])*)"', default.strip())
    if value and re.fullmatch(r"[\w.:/]+", value.group(1)):
        assert value.group(1) in m.group(), \
            f"{key}: the default {default} is not named"


def test_no_key_is_invented():
    known = {k[1] for k in keys()} | {"include"}
    for name in re.findall(r"(?m)^\.It (?:Ic|Cm|Va|Sy|Li) (\w+)",
                           page("imapd.conf.5")):
        assert name in known or name.upper() == name, name


def test_effective_values_name_every_key():
    """imapd -T prints what the table holds, and imapd reads it back."""
    out = subprocess.run([PREFIX / "sbin" / "imapd", "-c", "/dev/null", "-T"],
                         capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    printed = {line.split("=")[0].strip().lstrip("# ")
               for line in out.stdout.splitlines() if "=" in line}
    assert {k[1] for k in keys()} <= printed


def test_options_are_documented():
    main = "".join((TOP / f).read_text() for f in shipped_c_files()
                   if f.startswith("imapd/process/"))
    options = set()
    for text in re.findall(r'getopt\([^"]*"([^"]+)"', main):
        options |= set(text) - set(":+")
    assert options, "no getopt() found"
    documented = set(re.findall(r"(?m)^\.It Fl (\w)\b", page("imapd.8")))
    assert documented == options


def events():
    found = {}
    for path in shipped_c_files():
        for m in re.finditer(r'log_(?:begin|line)\([^,()]+,\s*"([\w-]+)"',
                             (TOP / path).read_text()):
            found.setdefault(m.group(1), path)
    return found


@pytest.mark.parametrize("event", sorted(events()))
def test_event_is_documented(event):
    assert re.search(rf"(?m)^\.It (?:Li|Sy|Ic|Cm) {event}\b",
                     page("imapd.8")), \
        f"{event} of {events()[event]} is not in imapd(8)"


def test_no_event_is_invented():
    assert events(), "no event found"
    text = page("imapd.8")
    m = re.search(r"(?ms)^\.Sh (?:LOG|LOGGING|DIAGNOSTICS|LOG EVENTS)\b.*?"
                  r"(?=^\.Sh |\Z)", text)
    assert m, "imapd(8) has no section about the log"


def test_contrib_files_parse():
    """Units: systemd-analyze has its say where there is one."""
    units = [f for f in files() if f.startswith("contrib/systemd/")]
    assert units
    for f in units:
        text = (TOP / f).read_text()
        assert re.search(r"(?m)^\[(Unit|Socket|Service|Slice)\]", text), f
