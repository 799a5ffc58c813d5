# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "imap")]
