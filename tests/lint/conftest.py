# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
