# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Who works on the mailbox.  Each actor is a process of its own.

An actor draws all it decides from a random stream of its own, made from the
seed and its name, and writes all it does and sees to a log of its own.  What
the judge needs is in the dictionary that work() returns.
"""

import json
import os
import random
import time
import traceback

from model import Session, Violation, name_of, text
from servers import MAIL_GID, MAIL_UID

BOXES = ("INBOX", "Other")
SYSTEM = ("\\Seen", "\\Answered", "\\Flagged", "\\Draft")
KEYWORDS = ("$Forwarded", "Junk", "NonJunk", "$Label1", "$Label2", "work",
            "later", "red")
VIOLATIONS_MAX = 5
OTHER_BOX = {"INBOX": "Other", "Other": "INBOX"}


class Actor:
    is_of_disk = False      # runs as the mail's owner

    def __init__(self, name, race):
        self.name, self.race = name, race
        self.violations = []
        self.result = {"name": name, "violations": self.violations}

    def main(self):
        """The life of the process."""
        self.log = open(self.race.dir / f"{self.name}.log", "w", buffering=1,
                        encoding="utf-8", errors="replace")
        out = open(self.race.dir / f"{self.name}.json", "w", encoding="utf-8")
        if self.is_of_disk and os.geteuid() == 0:
            os.setgid(MAIL_GID)
            os.setuid(MAIL_UID)
        self.rng = random.Random(f"{self.race.seed}/{self.name}")
        try:
            self.begin()
            while not self.race.stop.is_set():
                self.guarded(self.step)
            self.race.stopped.wait()
            self.race.settled.wait()
            self.guarded(self.end)
        except Exception:
            self.violation(traceback.format_exc())
        json.dump(self.result, out)
        out.close()

    def guarded(self, do):
        try:
            do()
        except Exception as e:
            what = str(e) if isinstance(e, Violation) \
                else traceback.format_exc()
            self.violation(what)
            self.recover()

    def violation(self, what):
        self.write("VIOLATION " + what)
        self.violations.append(f"{time.monotonic():.3f} {what}")
        if len(self.violations) >= VIOLATIONS_MAX:
            self.race.stop.set()

    def write(self, line):
        self.log.write(f"{time.monotonic():.4f} {line}\n")

    def pause(self, most):
        time.sleep(self.rng.uniform(0, most))

    def begin(self):
        pass

    def step(self):
        raise NotImplementedError

    def recover(self):
        pass

    def end(self):
        pass


# ---- with their hands on the files -----------------------------------------

class Deliverer(Actor):
    """An MDA: tmp/, then link to new/ and unlink, or rename."""
    is_of_disk = True

    def begin(self):
        self.n = 0
        self.result["born"] = self.born = []

    def step(self):
        name = f"{self.name}-{self.n}"
        self.n += 1
        d = self.race.mail.dir("INBOX")
        file = "%d.M%06dP%dQ%d.host" % (time.time(), time.time() % 1 * 1e6,
                                        os.getpid(), self.n)
        tmp, new = d / "tmp" / file, d / "new" / file
        fd = os.open(tmp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(fd, text(name))
        os.close(fd)
        if self.rng.random() < 0.5:
            os.link(tmp, new)
            os.unlink(tmp)
        else:
            os.rename(tmp, new)
        self.write(f"delivered {name} {file}")
        self.born.append(name)
        # In bursts, as mail comes.
        self.pause(0.002 if self.rng.random() < 0.5 else 0.4)


class Renamer(Actor):
    """A mail reader that knows no locks: what it finds in new/ goes to cur/,
    and it toggles flags of some of what it finds in cur/."""
    is_of_disk = True

    def begin(self):
        self.result["renames"] = self.result["lost"] = 0

    def rename(self, a, b):
        try:
            os.rename(a, b)
            self.write(f"{a.parent.name}/{a.name} -> {b.parent.name}/{b.name}")
            self.result["renames"] += 1
        except FileNotFoundError:
            self.result["lost"] += 1

    def step(self):
        d = self.race.mail.dir(
            "Other" if self.rng.random() < 0.25 else "INBOX")
        if self.rng.random() < 0.3:
            for name in os.listdir(d / "new"):
                if self.rng.random() < 0.5:
                    self.rename(d / "new" / name,
                                d / "cur" / (name.split(":")[0] + ":2,"
                                             + self.rng.choice(["", "S"])))
        names = sorted(os.listdir(d / "cur"))
        for name in self.rng.sample(names, min(len(names), 8)):
            base, _, info = name.partition(":2,")
            letters = set(info) ^ {self.rng.choice("DFRS")}
            self.rename(d / "cur" / name, d / "cur" / (
                base + ":2," + "".join(sorted(letters))))
            self.pause(0.005)
        self.pause(0.05)


class Deleter(Actor):
    """Somebody who removes our own files."""
    is_of_disk = True

    def begin(self):
        self.result["deleted"] = 0

    def step(self):
        d = self.race.mail.dir(self.rng.choice(BOXES))
        for name in self.rng.choice([("imapd.index",), ("imapd.journal",),
                                     ("imapd.index", "imapd.journal")]):
            try:
                os.unlink(d / name)
                self.result["deleted"] += 1
                self.write(f"deleted {d / name}")
            except FileNotFoundError:
                pass
        self.pause(1)


class Watcher(Actor):
    """Reads dovecot-uidlist whenever it has changed, and keeps all that it
    ever said."""
    is_of_disk = True

    def begin(self):
        self.seen = {box: None for box in BOXES}
        self.head = {}
        self.next = {box: 1 for box in BOXES}
        self.bases = {box: {} for box in BOXES}
        self.uids = {box: set() for box in BOXES}
        self.dropped = {box: {} for box in BOXES}   # UID: group of the writer
        self.twice = {box: [] for box in BOXES}     # UID superseded in the list
        self.result["bases"] = self.bases
        self.result["twice"] = self.twice
        self.result["dropped"] = self.dropped
        self.result["rewrites"] = 0

    def step(self):
        for box in BOXES:
            self.look(box)
        time.sleep(0.01)

    def look(self, box):
        path = self.race.mail.dir(box) / "dovecot-uidlist"
        with open(path, "rb") as f:
            st = os.fstat(f.fileno())
            state = (st.st_ino, st.st_size)
            if state == self.seen[box]:
                return
            data = f.read()
        is_new = self.seen[box] and self.seen[box][0] != st.st_ino
        self.result["rewrites"] += 1 if is_new else 0
        self.seen[box] = state
        # The last line may be on its way.
        lines = data[:data.rfind(b"\n") + 1].decode().splitlines()
        head = {w[0]: w[1:] for w in lines[0].split()[1:]}
        fixed = (head["V"], head["G"])
        if self.head.setdefault(box, fixed) != fixed:
            raise Violation(f"{box}: header {self.head[box]}, now {fixed}")
        last, uids, of_base = 0, set(), {}
        for line in lines[1:]:
            uid, _, rest = line.partition(" ")
            fields, colon, base = rest.partition(":")
            if not colon or fields and not fields.endswith(" ") \
                    or int(uid) <= last:
                raise Violation(f"{box}: damaged line {line!r} behind {last}")
            last = int(uid)
            uids.add(last)
            if base in of_base:
                self.twice[box].append(of_base[base])
            of_base[base] = last
            if self.bases[box].setdefault(last, base) != base:
                raise Violation(f"{box}: UID {last} was "
                                f"{self.bases[box][last]}, is {base}")
        if is_new:
            gone = self.uids[box] - uids
            self.dropped[box].update(dict.fromkeys(gone, st.st_gid))
            self.write(f"{box}: rewritten by group {st.st_gid}, "
                       f"without {sorted(gone)}")
        self.uids[box] = uids
        uidnext = max(int(head["N"]), last + 1)
        if uidnext < self.next[box]:
            raise Violation(f"{box}: UIDNEXT fell to {uidnext}")
        self.next[box] = uidnext

    def end(self):
        self.step()


# ---- over IMAP -------------------------------------------------------------

class User(Actor):
    """A client of one server.

    born    [box, UID or None, name]: what APPEND, COPY and MOVE made
    copied  [box, UID, box, UID]: what COPY and MOVE made of what
    claimed [box, UID]: what it removed, as far as it can know
    marked  [box, first UID, last]: what it may have given \\Deleted
    blind   how many it was told the end of before it knew their UIDs
    gone    [box, UID]: what it was told to be gone
    unsure  names of messages whose APPEND was not answered by OK
    """

    def __init__(self, name, race, server, account):
        super().__init__(name, race)
        self.server, self.account = server, account
        self.kind = type(server).__name__.lower()
        self.contents, self.n, self.session = {}, 0, None
        self.state = {}
        r = self.result
        r["kind"] = self.kind
        for key in ("born", "copied", "claimed", "marked", "gone", "unsure"):
            r[key] = []
        r["count"], r["refused"], r["blind"] = {}, {}, 0

    def begin(self):
        self.connect("INBOX")

    def connect(self, box):
        s = Session.tcp("127.0.0.1", self.server.port, timeout=60)
        self.session = s.start(self.contents, self.write)
        s.told_gone, s.state = self.result["gone"], self.state
        s.login(self.account.name, self.account.password)
        s.select(box)

    def recover(self):
        """After a violation the model is worth nothing."""
        box = self.session.box or "INBOX"
        self.session.close()
        self.connect(box)

    def end(self):
        """What NOOP tells, for the comparison with a fresh session."""
        s = self.session
        s.run("NOOP")
        s.run("NOOP")
        s.learn()
        self.result["box"] = s.box
        self.result["view"] = [[m.uid, sorted({"?"} if m.flags is None
                                              else m.flags)]
                               for m in s.mails]
        self.result["contents"] = {
            box: list(c.items()) for box, c in self.contents.items()}
        self.result["state"] = [[*k, v] for k, v in self.state.items()]
        s.leave()

    # A step is one or two commands.
    WEIGHTS = {"store": 30, "noop": 12, "fetch": 12, "search": 6, "append": 8,
               "uid_expunge": 5, "expunge": 3, "copy": 5, "move": 7, "idle": 4,
               "status": 2, "switch": 3, "reconnect": 1}

    def step(self):
        what = self.rng.choices(list(self.WEIGHTS),
                                list(self.WEIGHTS.values()))[0]
        self.result["count"][what] = self.result["count"].get(what, 0) + 1
        getattr(self, what)()
        self.session.learn()
        self.pause(0.02)

    # ---- helpers ----------------------------------------------------------

    def ok(self, line, *literals, may_refuse=()):
        """OK, or NO with one of these codes."""
        r = self.session.run(line, *literals)
        if r.status != "OK":
            key = f"{line.split()[0]} {r.code or r.text}"
            self.result["refused"][key] = \
                self.result["refused"].get(key, 0) + 1
            if r.code not in may_refuse:
                raise Violation(f"{line}: {r.done.raw!r}")
        return r

    def some(self, most):
        """Some messages that stand together: numbers from 0, with UIDs."""
        mails = self.session.mails
        if not mails:
            return []
        n = 1 if self.rng.random() < 0.5 else self.rng.randint(1, most)
        first = self.rng.randrange(len(mails))
        # The newest are those that others work on as well.
        if self.rng.random() < 0.3:
            first = max(0, len(mails) - n)
        return [i for i in range(first, min(first + n, len(mails)))
                if mails[i].uid is not None]

    def named(self, numbers):
        """(prefix of the command, set) for these messages."""
        if self.rng.random() < 0.5:
            uids = [self.session.mails[i].uid for i in numbers]
            if self.rng.random() < 0.5:
                return "UID ", f"{uids[0]}:{uids[-1]}"
            return "UID ", ",".join(map(str, uids))
        if len(numbers) == numbers[-1] - numbers[0] + 1 > 1:
            return "", f"{numbers[0] + 1}:{numbers[-1] + 1}"
        return "", ",".join(str(i + 1) for i in numbers)

    def flags(self, most=3, deleted=0.05):
        flags = self.rng.sample(SYSTEM + KEYWORDS, self.rng.randint(0, most))
        if self.rng.random() < deleted:
            flags.append("\\Deleted")
        return flags

    def mark(self, numbers):
        """\\Deleted may be given to these; a range may catch others too."""
        if numbers:
            mails = self.session.mails
            self.result["marked"].append(
                [self.session.box, mails[numbers[0]].uid,
                 mails[numbers[-1]].uid])

    GONE = ("EXPUNGEISSUED",)

    # ---- steps ------------------------------------------------------------

    def store(self):
        numbers = self.some(20)
        if not numbers:
            return
        uid, which = self.named(numbers)
        op = self.rng.choice(["+", "-", "+", "-", ""])
        flags = self.flags()
        if "\\Deleted" in flags and op != "-":
            self.mark(numbers)
        silent = ".SILENT" if self.rng.random() < 0.3 else ""
        mails = [self.session.mails[i] for i in numbers]
        self.ok(f"{uid}STORE {which} {op}FLAGS{silent} ({' '.join(flags)})",
                may_refuse=self.GONE)
        # .SILENT: the client knows what it asked for, and may be told of
        # others' changes before or after: ask.
        if silent and any(m in self.session.mails for m in mails):
            self.ok("NOOP")
            uids = ",".join(str(m.uid) for m in mails)
            self.ok(f"UID FETCH {uids} (FLAGS)", may_refuse=self.GONE)

    def noop(self):
        self.ok(self.rng.choice(["NOOP", "NOOP", "CHECK"]))

    def fetch(self):
        numbers = self.some(30)
        if not numbers:
            return
        uid, which = self.named(numbers)
        what = self.rng.choice([
            "(UID FLAGS)", "(UID FLAGS INTERNALDATE RFC822.SIZE)",
            "(UID BODY.PEEK[])", "(UID FLAGS BODY.PEEK[])", "(UID ENVELOPE)"])
        r = self.ok(f"{uid}FETCH {which} {what}", may_refuse=self.GONE)
        for items in r.fetch().values():
            if items.get("BODY[]") is not None and "RFC822.SIZE" in items:
                assert len(items["BODY[]"]) == items["RFC822.SIZE"]

    def search(self):
        s = self.session
        numbers = self.some(10)
        if not numbers:
            return
        uids = [s.mails[i].uid for i in numbers]
        kind = self.rng.randrange(4)
        before = [m.uid for m in s.mails]
        if kind == 0:
            r = self.ok(f"SEARCH UID {','.join(map(str, uids))}",
                        may_refuse=self.GONE)
            if not s.gone and r.status == "OK" \
                    and not set(r.search()) <= {i + 1 for i in numbers}:
                raise Violation(f"SEARCH UID {uids} gave {r}; "
                                f"awaited {numbers}")
        elif kind == 1:
            r = self.ok(f"UID SEARCH {numbers[0] + 1}", may_refuse=self.GONE)
            if r.status == "OK" and r.search() not in ([], [uids[0]]):
                raise Violation(f"UID SEARCH {numbers[0] + 1} gave {r}; "
                                f"awaited {uids[0]}")
        elif kind == 2:
            r = self.ok("UID SEARCH ALL", may_refuse=self.GONE)
            known = {u for u in before if u is not None}
            new = [u for u in r.search() if u not in known]
            if new and known and min(new) < max(known):
                raise Violation(f"UID SEARCH ALL: {new} below {max(known)}")
        else:
            key = self.rng.choice(["UNSEEN", "FLAGGED", "KEYWORD work",
                                   f"HEADER X-Race {self.name}"])
            r = self.ok(f"SEARCH {key}", may_refuse=self.GONE)
            if any(n < 1 or n > len(before) + 100 for n in r.search()):
                raise Violation(f"SEARCH {key}: {r}")

    def append(self):
        s = self.session
        name = f"{self.name}-{self.n}"
        self.n += 1
        box = self.rng.choice(BOXES + (s.box,))
        flags = self.flags(3, 0) if self.rng.random() < 0.6 else []
        self.result["unsure"].append(name)
        r = self.ok(f"APPEND {box}" + (
            f" ({' '.join(flags)})" if flags else ""),
            text(name).replace(b"\n", b"\r\n"))
        self.result["unsure"].pop()
        uid = r.codes("APPENDUID")[-1].data[1]
        self.result["born"].append([box, uid, name])
        s.check_content(box, uid, name)

    def size(self, most):
        """More if there are too many messages."""
        surplus = len(self.session.mails) - self.race.messages
        return max(most, min(surplus // 3, 40))

    def uid_expunge(self):
        s = self.session
        numbers = self.some(self.size(4))
        if not numbers:
            return
        self.mark(numbers)
        uids = [s.mails[i].uid for i in numbers]
        which = ",".join(map(str, uids))
        self.ok(f"UID STORE {which} +FLAGS.SILENT (\\Deleted)",
                may_refuse=self.GONE)
        r = self.ok(f"UID EXPUNGE {which}", may_refuse=self.GONE)
        if r.status == "OK":
            self.result["claimed"] += [[s.box, u] for u in s.gone
                                       if u in uids]

    def expunge(self):
        s = self.session
        numbers = self.some(2)
        if numbers:
            self.mark(numbers)
            uid, which = self.named(numbers)
            self.ok(f"{uid}STORE {which} +FLAGS (\\Deleted)",
                    may_refuse=self.GONE)
        for _ in range(5):
            s.learn()
        self.ok("EXPUNGE", may_refuse=self.GONE)
        self.result["claimed"] += [[s.box, u] for u in s.gone
                                   if u is not None]
        self.result["blind"] += s.gone.count(None)

    def transfer(self, verb):
        s = self.session
        numbers = self.some(5 if verb == "COPY" else self.size(5))
        if not numbers:
            return
        box, to = s.box, OTHER_BOX[s.box]
        uid, which = self.named(numbers)
        r = self.ok(f"{uid}{verb} {which} {to}", may_refuse=self.GONE)
        for c in r.codes("COPYUID"):
            a, b = uid_set(c.data[1]), uid_set(c.data[2])
            if len(a) != len(b):
                raise Violation(f"COPYUID: {c}")
            for u, v in zip(a, b):
                self.result["copied"].append([box, u, to, v])
                if verb == "MOVE":
                    self.result["claimed"].append([box, u])
                    if u in s.uids():
                        raise Violation(f"{u} was moved and is there")
                if u in self.contents.get(box, {}):
                    s.check_content(to, v, self.contents[box][u])

    def copy(self):
        if len(self.session.mails) < self.race.messages * 2:
            self.transfer("COPY")

    def move(self):
        self.transfer("MOVE")

    def idle(self):
        s = self.session
        s.gone = []
        tag = s.tag()
        self.write("C: IDLE")
        s.send(f"{tag} IDLE\r\n")
        while s.read().tag != "+":
            pass
        until = time.monotonic() + self.rng.uniform(0, 1)
        while s.is_readable(max(0, until - time.monotonic())):
            s.read()
        s.send(b"DONE\r\n")
        if s.tagged(tag).status != "OK":
            raise Violation("IDLE was refused")

    def status(self):
        box = self.rng.choice(BOXES)
        r = self.ok(f"STATUS {box} (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)")
        items = r.one("STATUS").data[1]
        items = dict(zip(items[::2], items[1::2]))
        for key in ("UIDNEXT", "UIDVALIDITY"):
            self.session.check_state(box, key, items[key])
        if items["UNSEEN"] > items["MESSAGES"]:
            raise Violation(f"STATUS: {r}")

    def switch(self):
        self.session.select(self.rng.choice(BOXES))

    def reconnect(self):
        box = self.session.box
        self.session.leave()
        self.connect(box)


def uid_set(value):
    out = []
    for part in str(value).split(","):
        a, _, b = part.partition(":")
        out += range(int(a), int(b or a) + 1)
    return out


__all__ = ["Deleter", "Deliverer", "Renamer", "User", "Watcher", "name_of"]
