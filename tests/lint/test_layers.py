# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Who may include whom (HACKING rules 3, 4 and 21), and that each header needs
nothing but itself."""

import os
import re
import subprocess

import pytest

from tree import BUILD, TOP, c_files

# What each folder may include, besides itself.
MAY = {
    "base": set(),
    "message": {"base"},
    "maildir": {"base"},
    "auth": {"base"},
    "imapd": {"base", "message", "maildir", "auth"},
    "ctl": {"base", "maildir", "auth", "imapd/process/config",
            "imapd/process/privsep"},
    # Tests look into everything but one another's folders' layers: what a unit
    # test links is its business, stated in Makefile.am.
    "tests": {"base", "message", "maildir", "auth", "imapd", "tests"},
}

# Inside imapd, from the bottom: a file may include its own row and those above.
ROWS = [
    r"wire/(command|seqset|imapdate)\.|process/(monitor_msg|config|config_keys)\.",
    r"wire/(lex|parse\w*|command_table)\.",
    r"wire/wire_",
    r"wire/(fmt\w*|reply)\.",
    r"wire/read_command\.",
    r"mailbox/(mailname|listmatch)\.",
    r"mailbox/",
    r"command/",
    r"process/",
]


def includes(path):
    """The names in #include "..." lines."""
    return re.findall(r'(?m)^\s*#\s*include\s+"([^"]+)"',
                      (TOP / path).read_text())


@pytest.mark.parametrize("path", c_files())
def test_no_upward_or_sideways_include(path):
    own = path.split("/")[0]
    for name in includes(path):
        assert "/" in name or own == "tests", \
            f'{path}: "{name}" does not name its folder'
        folder = name.split("/")[0]
        if folder == own or "/" not in name:
            continue
        allowed = MAY[own]
        assert folder in allowed or name.rpartition(".")[0] in allowed, \
            f"{path} includes {name}"


@pytest.mark.parametrize("path", c_files())
def test_maildir_has_one_door(path):
    if path.startswith(("maildir/", "tests/")):
        return
    doors = {"maildir/maildir.h"}
    if path.startswith("ctl/"):
        doors.add("maildir/check.h")        # sessions have no use for it
    for name in includes(path):
        assert not name.startswith("maildir/") or name in doors, \
            f"{path} includes {name}"


def row(name):
    for i, rx in enumerate(ROWS):
        if re.match(rx, name):
            return i
    raise AssertionError(f"{name} has no row")


@pytest.mark.parametrize("path", [
    f for f in c_files() if f.startswith("imapd/")])
def test_order_inside_imapd(path):
    mine = row(path.removeprefix("imapd/"))
    for name in includes(path):
        if name.startswith("imapd/"):
            assert row(name.removeprefix("imapd/")) <= mine, \
                f"{path} includes {name}"


@pytest.mark.parametrize("path", c_files())
def test_libraries_have_one_user(path):
    text = (TOP / path).read_text()
    base = os.path.basename(path)
    if "openssl/ssl.h" in text:
        assert base == "tls.c" or base.startswith("tls_"), path
    if re.search(r"#\s*include\s+<openssl/", text):
        assert path.startswith(("auth/", "imapd/process/", "tests/")), path
    if "<argon2.h>" in text:
        assert path.startswith(("auth/", "tests/")), path
    if path.startswith("imapd/") and "/wire/" not in path \
            and "/process/" not in path:
        assert not re.search(r"\b(recv|send|sendmsg|recvmsg)\(", text), \
            f"{path} touches the socket"


@pytest.mark.parametrize("path", [
    f for f in c_files() if f.endswith(".h") and f != "imapd/process/"
    "config_keys.h"])
def test_header_compiles_alone(path):
    """config_keys.h is a table of macros, included by config.h many times."""
    subprocess.run(
        [os.environ.get("CC", "gcc"), "-std=c11", "-fsyntax-only", "-Wall",
         "-Werror", "-D_GNU_SOURCE", "-include", BUILD / "config.h",
         "-I", TOP, "-x", "c", TOP / path],
        check=True)
    text = (TOP / path).read_text()
    guard = path.upper().replace("/", "_").replace(".", "_")
    assert f"#ifndef {guard}\n#define {guard}\n" in text, f"guard of {path}"
