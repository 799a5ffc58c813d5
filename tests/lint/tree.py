# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""The source tree, as the checks see it."""

import functools
import os
import pathlib
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]
# Where configure ran: for config.h and the programs.
BUILD = pathlib.Path(os.environ.get("IMAPD_BUILD", TOP))
PREFIX = pathlib.Path(os.environ.get("IMAPD_PREFIX", "/usr/local"))


@functools.lru_cache
def files():
    """Every file that belongs to the project, by its path below TOP."""
    out = subprocess.run(
        ["git", "-C", TOP, "-c", "safe.directory=*", "ls-files", "-co",
         "--exclude-standard"], capture_output=True)
    if out.returncode == 0:
        names = out.stdout.decode().splitlines()
    else:       # a tarball
        names = [str(p.relative_to(TOP)) for p in TOP.rglob("*")]
    return sorted(n for n in names if (TOP / n).is_file())


def c_files():
    found = [n for n in files() if n.endswith((".c", ".h"))]
    assert len(found) > 50, "the tree was not found"
    return found


def shipped_c_files():
    """Without tests."""
    return [n for n in c_files() if not n.startswith("tests/")]
