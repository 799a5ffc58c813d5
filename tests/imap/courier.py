# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Courier's imapd, from Debian's packages, unpacked and not installed: the
packages cannot be installed beside Dovecot.

    courier.py DIRECTORY        fetch and unpack them there

The program that serves mail after the login needs nothing but its libraries and
an environment that says who has logged in.
"""

import os
import pathlib
import subprocess
import sys

PACKAGES = ["courier-imap", "courier-base", "courier-authlib",
            "libcourier-unicode4", "libidn12", "libgdbm6"]
# Its file monitor needs a server of its own, and looks for it for seconds with
# each command.  There is none.
LIBFAM = """
int FAMErrno;
int FAMOpen(void *c) { (void)c; return -1; }
int FAMClose(void *c) { (void)c; return -1; }
int FAMPending(void *c) { (void)c; return 0; }
int FAMNextEvent(void *c, void *e) { (void)c; (void)e; return -1; }
int FAMCancelMonitor(void *c, void *r) { (void)c; (void)r; return -1; }
int FAMMonitorFile(void *c, const char *n, void *r, void *u)
{ (void)c; (void)n; (void)r; (void)u; return -1; }
int FAMMonitorDirectory(void *c, const char *n, void *r, void *u)
{ (void)c; (void)n; (void)r; (void)u; return -1; }
"""
ENVIRONMENT = {
    "AUTHENTICATED": "user", "IMAP_KEYWORDS": "1", "IMAP_UMASK": "022",
    "IMAP_CAPABILITY": "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE",
}


def unpack(directory):
    """Errors: those of subprocess, when there is no apt-get or no network."""
    directory = pathlib.Path(directory)
    packages = directory / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    subprocess.run(["apt-get", "-q", "download", *PACKAGES], cwd=packages,
                   check=True, capture_output=True)
    for p in packages.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", p, directory], check=True)
    subprocess.run(["gcc", "-x", "c", "-shared", "-fPIC", "-o",
                    directory / "usr" / "lib" / "libfam.so.0", "-"],
                   input=LIBFAM.encode(), check=True)
    return directory


def pipe_argv(root, home):
    """Courier's imapd of the tree at root, for home/Maildir."""
    libraries = {str(p.parent) for p in pathlib.Path(root).rglob("lib*.so*")}
    env = {**ENVIRONMENT, "HOME": str(home),
           "LD_LIBRARY_PATH": ":".join(sorted(libraries))}
    return ["env", "-i", "-C", str(home),
            *(f"{k}={v}" for k, v in env.items()),
            str(pathlib.Path(root) / "usr" / "bin" / "imapd"), "Maildir"]


def installed():
    """The tree that the environment names, or None."""
    root = os.environ.get("IMAPD_TEST_COURIER")
    return pathlib.Path(root) if root else None


if __name__ == "__main__":
    unpack(sys.argv[1])
