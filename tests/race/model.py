# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""One IMAP connection that keeps the client's model of the selected mailbox
and checks every answer against it, as it comes:

    EXISTS never shrinks; only EXPUNGE takes a message away, and never in the
    answer to FETCH, STORE or SEARCH (RFC 3501 7.4.1)
    sequence numbers name the message with the UID that the model has there
    UIDs ascend; a UID never gets other content; UIDNEXT lies above all UIDs and
    never falls; UIDVALIDITY stays; HIGHESTMODSEQ, if announced, never falls
    no BAD, and no BYE that was not asked for
    content is, byte for byte, what its sender wrote

The content of a message is made from its name, which stands in its header
X-Race, so whoever reads a message can tell what should be in it.
"""

import hashlib
import re

from imapclient import Client, pairs

HEADER = "BODY.PEEK[HEADER.FIELDS (X-Race)]"
HEADER_ITEM = HEADER.replace(".PEEK", "").upper()


def text(name):
    """The message of that name, with LF line ends."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    lines = int(digest[:2], 16) % 60
    return (f"From: a@example.org\nSubject: {name}\nX-Race: {name}\n\n"
            + "".join(f"{n} {digest}\n" for n in range(lines))).encode()


def name_of(data):
    """The name in a message or in its header field; None if there is none."""
    m = re.search(rb"^X-Race: (\S+)\r?$", data or b"", re.M | re.I)
    return m.group(1).decode() if m else None


class Violation(Exception):
    """A server did what no server may do."""


class Mail:
    __slots__ = ("uid", "flags")

    def __init__(self):
        self.uid = self.flags = None


class Session(Client):
    """A logged-in client with a model."""

    def start(self, contents, log):
        """contents: {box: {uid: name}}, shared by the sessions of one actor;
        log: a function of one line of text."""
        self.contents, self.write_log = contents, log
        self.box = None
        self.mails = []
        self.gone = []          # UIDs (or None) of the last command's EXPUNGE
        self.told_gone = []     # [box, UID] of all of them
        self.verb = ""          # of the command that is being answered
        self.state = {}         # box: what may only grow
        self.is_leaving = False
        return self

    # ---- what comes in ----------------------------------------------------

    def fail(self, why):
        raise Violation(f"{why} [{self.box}, {len(self.mails)} messages, "
                        f"in {self.verb or 'nothing'}]")

    def read(self):
        r = super().read()
        del self.log[:-50]
        if hasattr(self, "write_log"):
            self.write_log("S: " + r.raw[:400].decode("latin-1").rstrip())
            self.check(r)
        return r

    def check(self, r):
        if r.status == "BAD":
            self.fail(f"BAD: {r.raw!r}")
        if r.status == "BYE" and not self.is_leaving:
            self.fail(f"BYE: {r.raw!r}")
        if r.code in ("UIDVALIDITY", "UIDNEXT", "HIGHESTMODSEQ") and self.box:
            self.check_state(self.box, r.code, r.data[0])
        if r.tag != "*" or not self.box:
            return
        if r.name == "EXISTS":
            if r.number < len(self.mails):
                self.fail(f"EXISTS fell to {r.number}")
            while len(self.mails) < r.number:
                self.mails.append(Mail())
        elif r.name == "EXPUNGE":
            self.check_number(r)
            if self.verb in ("FETCH", "STORE", "SEARCH"):
                self.fail("EXPUNGE in an answer that must keep numbers")
            self.gone.append(self.mails.pop(r.number - 1).uid)
            self.told_gone.append([self.box, self.gone[-1]])
        elif r.name == "FETCH":
            self.check_number(r)
            self.check_fetch(r.number - 1, pairs(r.data[0]))

    def check_number(self, r):
        if not 1 <= r.number <= len(self.mails):
            self.fail(f"no message {r.number}: {r.raw[:100]!r}")

    def check_state(self, box, code, value):
        old = self.state.get((box, code), value)
        if code == "UIDVALIDITY" and value != old or value < old or value < 1:
            self.fail(f"{box}: {code} was {old}, is {value}")
        self.state[box, code] = value

    def check_fetch(self, i, items):
        m = self.mails[i]
        uid = items.get("UID")
        if uid is not None and uid != m.uid:
            if m.uid is not None:
                self.fail(f"message {i + 1} has UID {m.uid}, now {uid}")
            m.uid = uid
            known = [x.uid for x in self.mails if x.uid is not None]
            if any(a >= b for a, b in zip(known, known[1:])):
                self.fail(f"UIDs do not ascend at message {i + 1}, UID {uid}")
            self.gave(self.box, uid)
        if "FLAGS" in items:
            m.flags = {str(f) for f in items["FLAGS"]} - {"\\Recent"}
        if m.uid is None:
            return
        if items.get(HEADER_ITEM) is not None:
            self.check_content(self.box, m.uid, name_of(items[HEADER_ITEM]))
        if items.get("BODY[]") is not None:
            name = name_of(items["BODY[]"])
            self.check_content(self.box, m.uid, name)
            if items["BODY[]"] != text(name).replace(b"\n", b"\r\n"):
                self.fail(f"UID {m.uid}, {name}: not the bytes sent")

    def gave(self, box, uid):
        """UIDNEXT is not announced with each UID, but lies above it."""
        if uid >= self.state.get((box, "UIDNEXT"), 0):
            self.state[box, "UIDNEXT"] = uid + 1

    def check_content(self, box, uid, name):
        known = self.contents.setdefault(box, {}).setdefault(uid, name)
        if name is None or known != name:
            self.fail(f"{box} UID {uid} was {known}, is {name}")

    # ---- commands ---------------------------------------------------------

    def run(self, line, *literals):
        """A command; what it was told by EXPUNGE is in self.gone."""
        self.gone = []
        self.verb = line.split()[0]
        self.write_log(f"C: {line}")
        r = self.cmd(line, *literals)
        self.verb = ""
        return r

    def select(self, box):
        self.box, self.mails = box, []
        r = self.run(f"SELECT {box}")
        if r.status != "OK":
            self.fail(f"SELECT: {r}")
        self.learn(True)
        return r

    def learn(self, everything=False):
        """Ask for what EXISTS alone does not tell."""
        first = 1 if everything else next(
            (i + 1 for i, m in enumerate(self.mails) if m.uid is None), 0)
        if not first or not self.mails:
            return
        r = self.run(f"FETCH {first}:* (UID FLAGS {HEADER})")
        if r.status != "OK" and r.code != "EXPUNGEISSUED":
            self.fail(f"FETCH: {r}")

    def uids(self):
        return [m.uid for m in self.mails if m.uid is not None]

    def leave(self):
        self.is_leaving = True
        self.box = None
        self.run("LOGOUT")
        self.close()
