# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""What imapd.index and imapd.journal say of INBOX, as imapctl check -d has it:
mod-sequences, as clients are told of them."""

import re
import subprocess

from servers import PREFIX


class Record:
    """highest, floor (expunges after it are known), modseq {uid: n}, gone
    {uid: n}; None of it if there is no record."""

    def __init__(self, root):
        out = subprocess.run(
            [PREFIX / "sbin" / "imapctl", "-c", "/dev/null", "check", "-d",
             "-m", "INBOX", str(root)], capture_output=True, text=True,
            timeout=60)
        assert out.returncode == 0, out
        self.highest = self.floor = 0
        self.modseq, self.gone = {}, {}
        for line in out.stdout.splitlines():
            self.line(line)

    def line(self, line):
        m = re.match(r"index .* highest=(\d+) floor=(\d+)", line)
        if m:
            self.highest, self.floor = int(m[1]), int(m[2])
        m = re.match(r"(?:journal )?(gone|expunged|message|messages|words-of)"
                     r" .*", line)
        if m:
            uid = int(re.search(r" uid=(\d+)", line)[1])
            modseq = int(re.search(r" modseq=(\d+)", line)[1])
            if m[1] in ("gone", "expunged"):
                self.modseq.pop(uid, None)
                self.gone[uid] = modseq
            else:
                self.modseq[uid] = modseq
        m = re.match(r"journal (?:raised )?.*?modseq=(\d+)", line)
        if m:
            self.highest = max(self.highest, int(m[1]))
        m = re.match(r"journal raised modseq=(\d+)", line)
        if m:
            self.floor = int(m[1])
            self.modseq = {u: max(n, self.floor)
                           for u, n in self.modseq.items()}


def check_record(before, stopped, now, flags, inject):
    """before: what was on record, and could be told; stopped: what the session
    that met the fault left; now: after another one has been there.  flags: UIDs
    that have others than before."""
    assert now.highest >= before.highest, inject
    assert now.highest >= stopped.highest, inject
    for uid, modseq in before.modseq.items():
        if uid in now.modseq:
            assert now.modseq[uid] >= modseq, inject
            assert now.modseq[uid] <= now.highest, inject
            if uid in flags:
                assert now.modseq[uid] > before.highest, \
                    f"{inject}: {uid} has changed, and nobody will be told"
        elif now.floor <= before.highest:
            assert now.gone.get(uid, 0) > before.highest, \
                f"{inject}: {uid} is gone, and nobody will be told"
    for uid in now.modseq.keys() - before.modseq.keys():
        assert now.modseq[uid] > before.highest, inject
