# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Sets of numbers as they stand in responses."""


def expand(text):
    """"1:3,7" as [1, 2, 3, 7]."""
    out = []
    for part in str(text).split(","):
        lo, _, hi = part.partition(":")
        out += range(int(lo), int(hi or lo) + 1)
    return out


def compact(numbers):
    """[1, 2, 3, 7] as "1:3,7"; the numbers ascend."""
    out = []
    for n in numbers:
        if out and out[-1][1] == n - 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return ",".join(str(a) if a == b else f"{a}:{b}" for a, b in out)
