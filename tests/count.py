#!/usr/bin/env python3
# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Count tests for tests/run.

    count.py unit NAME BUILD-DIR     from the logs of make check
    count.py xml NAME FILE           from pytest's junit file
    count.py total FILE...           add the counts; the exit status judges

A count is a line "NAME passed failed skipped".  A group that crashed or ran
nothing counts as a failure: silence must never look like success.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree


def unit(directory):
    passed = failed = 0
    results = sorted(pathlib.Path(directory).rglob("*.trs"))
    for trs in results:
        log = trs.with_suffix(".log").read_text(errors="replace")
        ok = ":test-result: PASS" in trs.read_text()
        # cmocka's summary: "[  PASSED  ] 12 test(s)."
        p = sum(map(int, re.findall(r"\[  PASSED  \] (\d+) test", log)))
        f = len(set(re.findall(r"\[  FAILED  \] (\w+)$", log, re.M)))
        passed += p
        failed += f
        if ok and p == 0:
            passed += 1     # a program that is one test
        if not ok and f == 0:
            failed += 1     # it crashed
    return passed, failed, 0


def xml_file(path):
    try:
        root = xml.etree.ElementTree.parse(path).getroot()
    except (OSError, xml.etree.ElementTree.ParseError):
        return 0, 1, 0
    total = {k: sum(int(s.get(k, 0)) for s in root.iter("testsuite"))
             for k in ("tests", "failures", "errors", "skipped")}
    failed = total["failures"] + total["errors"]
    return (max(0, total["tests"] - failed - total["skipped"]), failed,
            total["skipped"])


def never_green(counts):
    passed, failed, skipped = counts
    return (passed, failed or (passed == 0), skipped)


def total(paths):
    passed = failed = skipped = 0
    for path in paths:
        fields = pathlib.Path(path).read_text().split()
        if len(fields) != 4:
            print(f"no count: {path}")
            failed += 1
            continue
        p, f, s = map(int, fields[1:])
        print(f"{fields[0]:20} {p:6} passed {f:4} failed {s:4} skipped")
        passed, failed, skipped = passed + p, failed + f, skipped + s
    if not paths:
        failed += 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


def main(argv):
    if argv[0] == "total":
        return total(argv[1:])
    counts = unit(argv[2]) if argv[0] == "unit" else xml_file(argv[2])
    print(argv[1], *map(int, never_green(counts)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
