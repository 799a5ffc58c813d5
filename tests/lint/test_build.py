# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""What configure says of a missing library, and what the linker made."""

import os
import re
import subprocess

import pytest

from tree import BUILD, PREFIX, TOP

PROGRAMS = ["sbin/imapd", "sbin/imapctl", "libexec/imapd/imapd-login",
            "libexec/imapd/imapd-tls", "libexec/imapd/imapd-auth"]

# ---- missing libraries -----------------------------------------------------


def source():
    """Where configure is: that of the build, or here."""
    for line in (BUILD / "config.status").read_text().splitlines():
        m = re.match(r"srcdir='(.*)'", line)
        if m:
            return (BUILD / m[1]).resolve()
    return TOP


@pytest.fixture(scope="module")
def configure(tmp_path_factory):
    """configure(missing, options...) where pkg-config knows all but one."""
    d = tmp_path_factory.mktemp("configure")
    tool = d / "pkg-config"
    tool.write_text("#!/bin/sh\n"
                    'case " $* " in *" $MISSING "*) exit 1 ;; esac\n'
                    'exec pkg-config "$@"\n')
    tool.chmod(0o755)

    def run(missing, *options):
        return subprocess.run(
            [source() / "configure", "-q", f"--cache-file={d}/cache",
             f"PKG_CONFIG={tool}", *options], cwd=d, capture_output=True,
            text=True, env={**os.environ, "MISSING": missing})
    return run


@pytest.mark.parametrize("library, package, options", [
    ("zlib", "zlib1g-dev", ()),
    ("libutf8proc", "libutf8proc-dev", ()),
    ("libcrypt", "libcrypt-dev", ()),
    ("libcrypto >= 3.0", "libssl-dev", ()),
    ("libssl >= 3.0", "libssl-dev", ()),
    ("libargon2", "libargon2-dev", ("--with-argon2",)),
])
def test_missing_library(configure, library, package, options):
    out = configure(library, *options)
    assert out.returncode != 0
    assert re.search(rf"{library}.* not found: install the package {package}\b",
                     out.stderr), out.stderr


@pytest.mark.parametrize("library, options", [
    ("libargon2", ()), ("libssl >= 3.0", ("--without-tls",)),
    ("cmocka", ())])
def test_library_that_may_be_missing(configure, library, options):
    out = configure(library, *options)
    assert out.returncode == 0, out.stderr


# ---- hardening -------------------------------------------------------------

def readelf(program, *options):
    return subprocess.run(["readelf", "-W", *options, PREFIX / program],
                          capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("program", PROGRAMS)
def test_hardening(program):
    assert re.search(r"Type: +DYN", readelf(program, "-h"))
    assert re.search(r"FLAGS_1.* NOW.* PIE", readelf(program, "-d")), \
        "no PIE, or symbols are bound late"
    segments = readelf(program, "-l")
    assert "GNU_RELRO" in segments
    assert re.search(r"GNU_STACK.* RW ", segments), "the stack is executable"
    symbols = readelf(program, "--dyn-syms")
    assert "__stack_chk_fail" in symbols, "no stack protector"
    assert re.search(r"__(?:explicit_bzero|memcpy|snprintf)_chk", symbols), \
        "no FORTIFY"


@pytest.mark.parametrize("program, libraries", [
    ("sbin/imapd", {"libc", "libcrypt", "libz", "libutf8proc", "libzstd"}),
    ("libexec/imapd/imapd-login", {"libc"}),
    ("libexec/imapd/imapd-tls", {"libc", "libssl", "libcrypto"}),
])
def test_libraries(program, libraries):
    """What a session maps is what an idle one costs; the process before login
    has no library at all."""
    needed = re.findall(r"NEEDED.*\[(\w+)[\w.-]*\]", readelf(program, "-d"))
    assert set(needed) <= libraries
