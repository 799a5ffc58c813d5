# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""What a server costs, and a client that costs little."""

import contextlib
import os
import pathlib
import re
import time


# ---- processor time of a server --------------------------------------------

class Cgroup:
    """A group that a server starts in and all its children stay in."""

    def __init__(self, name):
        name = f"imapd-bench-{os.getpid()}-{name}"
        self.path = None
        for root, usage in (("/sys/fs/cgroup/cpuacct", "cpuacct.usage"),
                            ("/sys/fs/cgroup", "cpu.stat"),
                            ("/sys/fs/cgroup/unified", "cpu.stat")):
            path = pathlib.Path(root) / name
            if not pathlib.Path(root, "cgroup.procs").exists():
                continue
            try:
                path.mkdir()
            except OSError:
                continue
            if (path / usage).exists():
                self.path, self.usage = path, path / usage
                return
            path.rmdir()

    def enter(self):
        """In the child, before exec."""
        if self.path:
            (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def pids(self, root):
        if self.path:
            return [int(x) for x in
                    (self.path / "cgroup.procs").read_text().split()]
        return tree(root)

    def seconds(self, root):
        if not self.path:
            return sum(ticks(p) for p in tree(root))
        text = self.usage.read_text()
        if self.usage.name == "cpuacct.usage":
            return int(text) / 1e9
        return int(re.search(r"usage_usec (\d+)", text).group(1)) / 1e6

    def remove(self):
        if self.path:
            for _ in range(50):
                with contextlib.suppress(OSError):
                    self.path.rmdir()
                    return
                time.sleep(0.1)


def stat(pid):
    text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    return text.rpartition(")")[2].split()


def tree(root):
    parents = {}
    for p in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            parents[int(p)] = int(stat(p)[1])
    out, again = {root}, True
    while again:
        new = {p for p, up in parents.items() if up in out} - out
        out, again = out | new, bool(new)
    return sorted(out)


def ticks(pid):
    try:
        return sum(map(int, stat(pid)[11:15])) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return 0


def pss(pid):
    """Bytes: memory of its own, and its share of what is shared."""
    try:
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return int(re.search(r"(?m)^Pss:\s+(\d+) kB", text).group(1)) * 1024


# ---- a client that costs little ----------------------------------------------

class Wire:
    """Sends a command, reads up to its answer, looks at nothing else."""

    def __init__(self, sock):
        self.s = sock
        self.n = 0
        self.line()

    def line(self):
        b = b""
        while not b.endswith(b"\n"):
            more = self.s.recv(65536)
            if not more:
                raise ConnectionError(b)
            b += more
        return b

    def cmd(self, text, literal=None):
        self.n += 1
        tag = b"t%d" % self.n
        if literal is not None:
            self.s.sendall(b"%s %s {%d+}\r\n%s\r\n" % (
                tag, text.encode(), len(literal), literal))
        else:
            self.s.sendall(tag + b" " + text.encode() + b"\r\n")
        return self.answer(tag)

    def answer(self, tag):
        keep = b""
        out = []
        while True:
            b = self.s.recv(1 << 18)
            if not b:
                raise ConnectionError(keep)
            out.append(b)
            keep = (keep + b)[-4096:]
            if keep.endswith(b"\r\n"):
                last = keep[keep.rfind(b"\n", 0, -1) + 1:]
                if last.startswith(tag + b" "):
                    assert last.startswith(tag + b" OK"), last
                    return b"".join(out)

    def logout(self):
        self.s.sendall(b"z LOGOUT\r\n")
        while self.s.recv(65536):
            pass
        self.s.close()
