# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""FETCH and SEARCH against Dovecot: see compare.py."""

import argparse
import os
import pathlib
import shutil

import compare
from servers import run_dir


def test_compare(capsys):
    """Every item, part and slice of the corpus and of the made messages."""
    given = os.environ.get("IMAPD_TEST_CORPUS")
    args = argparse.Namespace(corpus=given and pathlib.Path(given), limit=None,
                              no_search=False, verbose=20, write=None)
    top = run_dir()
    try:
        status = compare.compare(top, args)
    finally:
        shutil.rmtree(top)
    assert status == 0, capsys.readouterr().out
