# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Random searches against a reference: see search_compare.py."""

import argparse
import os
import pathlib
import shutil

import pytest

import compare
import search_compare
from servers import run_dir


@pytest.mark.parametrize("changes, uncached", [
    (False, False), (False, True), (True, False)],
    ids=["alone", "without the cache", "while flags change"])
def test_500_programs(changes, uncached):
    given = os.environ.get("IMAPD_TEST_CORPUS")
    top = run_dir()
    try:
        corpus = pathlib.Path(given) if given else compare.fetch_corpus(top)
        found = search_compare.search(top, argparse.Namespace(
            corpus=corpus, messages=600, programs=500, seed=2024,
            changes=changes, uncached=uncached))
    finally:
        shutil.rmtree(top)
    assert not found, "\n".join(found[:20])
