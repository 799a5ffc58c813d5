# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""imapd-conformance(7) says what the source says."""

import collections
import math
import pathlib
import re

TOP = pathlib.Path(__file__).resolve().parents[2]
PAGE = (TOP / "man/imapd-conformance.7").read_text()


def test_every_capability_is_listed():
    table = (TOP / "imapd/command/capability.c").read_text()
    names = re.findall(r'\{ SPAN\("([^"]+)"\)', table)
    assert len(names) > 10
    missing = [n for n in names if not re.search(
        rf"^\.It {re.escape(n)} Ta ", PAGE, re.M)]
    assert not missing


def test_every_capability_listed_is_there():
    table = (TOP / "imapd/command/capability.c").read_text()
    for name in re.findall(r"^\.It (\S+) Ta (?:RFC|none)", PAGE, re.M):
        if name == "AUTH=":     # put together from the mechanisms
            continue
        assert f'"{name}' in table, name


def test_limits_are_those_of_the_source():
    """Each limit is defined somewhere, as the number the page gives."""
    defined = collections.defaultdict(set)
    for folder in ("message", "maildir", "auth", "imapd"):
        for path in (TOP / folder).rglob("*.[ch]"):
            for name, value, shift in re.findall(
                    r"^#define\s+(\w+)\s+\(?(?:UINT64_C\()?"
                    r"(\d+(?: \* \d+)*)(?:\)? << (\d+))?",
                    path.read_text(), re.M):
                defined[name].add(math.prod(map(int, value.split("*")))
                                  << int(shift or 0))
    found = re.findall(r"^\.It Dv (\w+)\n([\d,]+)( [KMG]iB)?", PAGE, re.M)
    assert len(found) > 20
    for name, number, unit in found:
        value = int(number.replace(",", "")) * {
            "": 1, " KiB": 1024, " MiB": 1 << 20,
            " GiB": 1 << 30}[unit]
        assert value in defined[name], name


def test_differences_are_explained():
    """Each that tests/corpus takes for meant has its place in the page."""
    folder = TOP / "tests/corpus"
    reasons = re.findall(r'@rule\("([^:"]+):',
                         (folder / "differences.py").read_text())
    reasons += re.findall(r"^([^\t#\n][^:\n]*):",
                          (folder / "differences.txt").read_text(), re.M)
    assert len(reasons) > 20
    for heading in reasons:
        assert f"\n.It {heading}\n" in PAGE, heading


def test_the_tests_named_exist():
    for names in re.findall(r"^\.Pq Pa (.*)$", PAGE, re.M):
        for path, _, function in (x.partition(" : ") for x in
                                  names.split(" , ")):
            text = (TOP / path).read_text()
            assert function in text, (path, function)
