# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Maildirs as delivery agents make them, and a look at what lies in them."""

import itertools
import os
import pathlib
import re
import time

_serial = itertools.count(1)


def message(subject="Hello", body="Hello, world.\n", n=None, **fields):
    """A small message with LF line ends, as a delivery agent writes it."""
    n = next(_serial) if n is None else n
    head = {
        "From": "Alice Example <alice@example.org>",
        "To": "bob@example.net",
        "Subject": subject,
        "Date": "Mon, 5 Feb 2024 10:11:12 +0100",
        "Message-ID": f"<m{n}@example.org>",
    }
    head.update({k.replace("_", "-"): v for k, v in fields.items()})
    return ("".join(f"{k}: {v}\n" for k, v in head.items() if v is not None)
            + "\n" + body).encode()


def crlf(b):
    """As the client sees it."""
    return re.sub(rb"(?<!\r)\n", b"\r\n", b)


class Maildir:
    """One user's mail root with Maildir++ folders."""

    def __init__(self, root, uid=None, gid=None):
        self.root = pathlib.Path(root)
        self.uid, self.gid = uid, gid
        self.make()

    def dir(self, folder="INBOX"):
        if folder == "INBOX":
            return self.root
        return self.root / ("." + folder.replace("/", "."))

    def own(self, path):
        if self.uid is not None and os.geteuid() == 0:
            os.lchown(path, self.uid, self.gid)

    def make(self, folder="INBOX"):
        d = self.dir(folder)
        for sub in ("", "cur", "new", "tmp"):
            (d / sub).mkdir(mode=0o700, parents=True, exist_ok=True)
            self.own(d / sub)
        if folder != "INBOX":
            self.write(d / "maildirfolder", b"")
        return d

    def write(self, path, data):
        path = pathlib.Path(path)
        path.write_bytes(data)
        self.own(path)
        return path

    def deliver(self, data=None, folder="INBOX", flags=None, name=None,
                mtime=None):
        """tmp/, then new/ (or cur/ if flags are given); returns the path."""
        data = message() if data is None else data
        d = self.dir(folder)
        if not d.is_dir():
            self.make(folder)
        name = name or "%d.M%06dP%d.host" % (
            time.time(), next(_serial), os.getpid())
        tmp = self.write(d / "tmp" / name, data)
        if mtime is not None:
            os.utime(tmp, (mtime, mtime))
        to = d / "new" / name if flags is None \
            else d / "cur" / f"{name}:2,{flags}"
        os.rename(tmp, to)
        return to

    def files(self, folder="INBOX"):
        """Every message file, new/ and cur/, sorted by name."""
        d = self.dir(folder)
        return sorted((p for sub in ("new", "cur") for p in (d / sub).iterdir()
                       if not p.name.startswith(".")), key=lambda p: p.name)

    def flags(self, folder="INBOX"):
        """{base: flag letters}"""
        out = {}
        for p in self.files(folder):
            base, _, info = p.name.partition(":")
            out[base] = info.removeprefix("2,")
        return out

    def uidlist(self, folder="INBOX"):
        """(header fields, {uid: base}) of dovecot-uidlist."""
        lines = (self.dir(folder) / "dovecot-uidlist").read_text(
            "latin-1").splitlines()
        head = {f[0]: f[1:] for f in lines[0].split()[1:]}
        records = {}
        for line in lines[1:]:
            m = re.match(r"(\d+) (?:[A-Z]\S* )*:(.+)$", line)
            assert m, line
            records[int(m.group(1))] = m.group(2)
        return head, records
