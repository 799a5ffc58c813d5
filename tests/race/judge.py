# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""What must be true when all have stopped.

WHAT IS COUNTED
    A message is known by its name (model.py), a copy of it by mailbox and UID.
    Each name was born some times (delivered, appended, copied, moved to) and
    some of its copies were removed (expunged, moved away).  The difference is
    the number of files that hold it now, neither more nor fewer.

    A removal is only claimed by a session for a UID that it removed itself and
    was told the end of.  Two sessions may claim one UID: it counts once.

    The comparison is with the files, not with what a server says of them; then
    every server must say the same as the files.

WHAT DOVECOT DOES
    It reads a directory in blocks, and believes that a file is gone which was
    renamed between two of them, by a mail reader that knows no locks or by one
    of its own processes.  Then the file has a new UID: to all sessions one
    message is gone and another has come.  Once Dovecot has forgotten the old
    UID, nobody can give it back.  Such events are counted, and each must be
    Dovecot's by one of these signs:

        its log says "Expunged message reappeared, giving a new UID", or
        "Duplicate file entry", with this file
        the record with the old UID was in the list until Dovecot rewrote it
        (the list then belongs to its group)
        both records were in the list at once: imapd gives no UID to a file that
        has one in the list.  That it does not is shown without a Dovecot.

    Any other second UID of a file was given by imapd, and is an error; without
    a Dovecot (--dovecot 0), or without such a mail reader (--no-renamer), there
    may be none at all, for imapd itself renames what Dovecot might be reading
    under the lock.  A removal claimed for a
    UID that was taken from a file in this way is in doubt: it may or may not
    have removed the file.

    Dovecot refuses commands when messages are expunged by others, and may end a
    session as "inconsistent".  That is counted; what it says of damage in a
    file that imapd writes as well is an error.
"""

import collections
import re

REAPPEARED = re.compile(r"Expunged message reappeared, giving a new UID "
                        r"\(old uid=(\d+), file=([^)]*)\)")
DUPLICATE = re.compile(r"Duplicate file entry at line \d+: (.*?) "
                       r"\(uid (\d+) -> ")
# What Dovecot says when a file that we write too is not as it should be.
DAMAGE = re.compile(r"Broken file|Invalid data|UIDs not ordered|"
                    r"Corrupted|Panic|lowered|Invalid keyword|invalid", re.I)


class Judge:
    def __init__(self, results, dovecot_log, boxes, dovecot_gid):
        self.results, self.boxes = results, boxes
        self.errors = []
        self.notes = collections.Counter()
        self.by_name = {r["name"]: r for r in results}
        self.bases = {box: {int(u): b for u, b in m.items()} for box, m
                      in self.by_name["watcher"]["bases"].items()}
        self.dropped = {box: {int(u) for u, gid in m.items()
                              if gid == dovecot_gid} for box, m
                        in self.by_name["watcher"]["dropped"].items()}
        self.twice = {box: set(uids) for box, uids
                      in self.by_name["watcher"]["twice"].items()}
        self.has_excuse = "renamer" in self.by_name and any(
            r.get("kind") == "dovecot" for r in results)
        self.logged = {(int(uid), file.partition(":")[0]) for uid, file
                       in REAPPEARED.findall(dovecot_log)}
        self.logged |= {(int(uid), base) for base, uid
                        in DUPLICATE.findall(dovecot_log)}
        for line in dovecot_log.splitlines():
            if DAMAGE.search(line):
                self.error(f"Dovecot's log: {line}")

    def error(self, text):
        self.errors.append(text)

    def check_log(self, who, text):
        """A sanitizer writes where the log goes."""
        for sign in ("AddressSanitizer", "runtime error:", "LeakSanitizer"):
            if sign in text:
                self.error(f"{who}: {text[text.index(sign) - 200:][:2000]}")

    def users(self):
        return [r for r in self.results if "claimed" in r]

    # ---- content and numbers ----------------------------------------------

    def contents(self, fresh):
        """{(box, UID): name} of all that anybody ever saw."""
        out = {}

        def add(who, box, uid, name):
            if out.setdefault((box, uid), name) != name:
                self.error(f"{box} UID {uid} is {out[box, uid]} to one and "
                           f"{name} to {who}")
        for r in self.users():
            for box, pairs in r.get("contents", {}).items():
                for uid, name in pairs:
                    add(r["name"], box, uid, name)
            for box, uid, name in r["born"]:
                add(r["name"], box, uid, name)
        for who, views in fresh.items():
            for box, view in views.items():
                for uid, (_, name) in view.items():
                    add(who, box, uid, name)
        self.names = out
        # The source of a copy may have been gone before anybody saw it.
        for _ in range(3):
            for r in self.users():
                for box, uid, to, new in r["copied"]:
                    if (box, uid) in out:
                        add(r["name"], to, new, out[box, uid])
                    elif (to, new) in out:
                        add(r["name"], box, uid, out[to, new])

    def numbers(self):
        """Files that were given a second UID; sets self.renumbered."""
        made = {(box, uid) for r in self.users() for box, uid, _ in r["born"]}
        made |= {(to, new) for r in self.users()
                 for _, _, to, new in r["copied"]}
        self.renumbered = set()         # (box, old UID)
        self.uids_of = {box: collections.defaultdict(list)
                        for box in self.boxes}
        for box in self.boxes:
            for uid, base in sorted(self.bases[box].items()):
                self.uids_of[box][base].append(uid)
            for base, uids in self.uids_of[box].items():
                for old, new in zip(uids, uids[1:]):
                    if (box, new) in made:
                        continue
                    if (box, new) not in self.names:
                        # A MOVE that came too late leaves a record.
                        self.notes["records that never had a file"] += 1
                        continue
                    self.notes["second UIDs of a file"] += 1
                    self.renumbered.add((box, old))
                    if not self.has_excuse \
                            or (old, base) not in self.logged \
                            and old not in self.dropped[box] | self.twice[box]:
                        self.error(f"{box}: {base} had UID {old}, got {new}, "
                                   "and not from Dovecot")

    # ---- lost, doubled, invented ------------------------------------------

    def count(self, files):
        """files: [(box, base, name)] as they are on disk."""
        born, there = collections.Counter(), collections.Counter()
        for r in self.results:
            if "claimed" not in r:
                born.update(r.get("born", []))
        claimed, marked = set(), []
        for r in self.users():
            born.update(name for _, _, name in r["born"])
            for box, uid, to, new in r["copied"]:
                name = self.names.get((box, uid)) or self.names.get((to, new))
                if name is None:
                    self.notes["copies of messages nobody saw"] += 1
                born[name] += 1
            claimed |= {tuple(c) for c in r["claimed"]}
            marked += r["marked"]
        blind = sum(r["blind"] for r in self.users())
        unsure = {name for r in self.users() for name in r["unsure"]}
        self.check_marks(claimed, marked)
        bases = {(box, base): name for box, base, name in files}
        there.update(name for _, _, name in files)
        removed, void = collections.Counter(), collections.Counter()
        for box, uid in claimed:
            name = self.names.get((box, uid))
            base = self.bases[box].get(uid)
            if (box, base) in bases and self.uids_of[box][base][-1] == uid:
                self.error(f"{box} UID {uid}, {name}, was removed and is "
                           f"there: {base}")
            elif (box, uid) in self.renumbered:
                # Somebody removed it, or Dovecot took the number away.
                void[name] += 1
            else:
                removed[name] += 1
        self.notes["births"] = sum(born.values())
        self.notes["removals"] = sum(removed.values())
        self.notes["messages at the end"] = len(files)
        for name in born.keys() | there.keys():
            if name in unsure or name is None or None in born:
                self.notes["names not judged"] += 1
                continue
            most = born[name] - removed[name]
            least = most - void[name]
            if born[name] == 0:
                self.error(f"{name} was invented: {there[name]} files")
            elif there[name] < least and blind > 0:
                blind -= least - there[name]
                self.notes["removals that nobody could name"] += 1
            elif not least <= there[name] <= most:
                self.error(f"{name}: born {born[name]} times, removed "
                           f"{removed[name]} (in doubt {void[name]}), and "
                           f"{there[name]} files are there")

    def check_marks(self, claimed, marked):
        """What was expunged had been given \\Deleted, or was moved."""
        moved = {(box, uid) for r in self.users()
                 for box, uid, _, _ in r["copied"]}
        may = {(box, uid) for box, a, b in marked for uid in range(a, b + 1)}
        for _ in range(5):
            may |= {(to, new) for r in self.users()
                    for box, uid, to, new in r["copied"] if (box, uid) in may}
        for box, uid in sorted(claimed - may - moved - self.renumbered):
            self.error(f"{box} UID {uid}, {self.names.get((box, uid))}, was "
                       "expunged, and nobody had marked it")

    def gone(self, files):
        """What imapd called gone is gone, unless Dovecot gave it a new UID."""
        bases = {(box, base) for box, base, _ in files}
        for r in self.users():
            for box, uid in r["gone"]:
                base = self.bases[box].get(uid)
                if base is None or (box, base) not in bases \
                        or self.uids_of[box][base][-1] != uid:
                    continue
                if r["kind"] == "imapd":
                    self.error(f"{r['name']} was told that {box} UID {uid} "
                               f"is gone; it is there: {base}")
                else:
                    self.notes["told by Dovecot to be gone, and there"] += 1

    # ---- who says what ----------------------------------------------------

    def agree(self, fresh, files):
        """fresh: {who: {box: {UID: (flags, name)}}}"""
        (first, views), *others = fresh.items()
        for who, other in others:
            for box in self.boxes:
                self.same(f"{first} and {who}, {box}", views[box], other[box])
        for box in self.boxes:
            a = collections.Counter(n for b, _, n in files if b == box)
            b = collections.Counter(n for _, n in views[box].values())
            if a != b:
                self.error(f"{first}, {box}: has {b - a}, lacks {a - b}")
        for r in self.users():
            if "view" not in r:
                self.error(f"{r['name']} did not come to its end")
                continue
            box = r["box"]
            view = {uid: tuple(flags) for uid, flags in r["view"]}
            which = "dovecot" if r["kind"] == "dovecot" else first
            other = {uid: flags for uid, (flags, _)
                     in fresh[which][box].items()}
            self.same(f"{r['name']} after NOOP and a fresh session, {box}",
                      view, other)
            for box, key, value in r.get("state", []):
                if key == "HIGHESTMODSEQ" and r["kind"] == "imapd" \
                        and value > self.highest.get(box, value):
                    self.error(f"{box}: HIGHESTMODSEQ was {value}, is "
                               f"{self.highest[box]}")

    def same(self, what, a, b):
        for uid in sorted(a.keys() | b.keys()):
            if a.get(uid) != b.get(uid):
                self.error(f"{what}: UID {uid} is {a.get(uid)} and "
                           f"{b.get(uid)}")

    def judge(self, fresh, files, highest):
        self.highest = highest
        for r in self.results:
            for v in r["violations"]:
                if r.get("kind") == "dovecot" and "inconsistent" in v:
                    self.notes["sessions that Dovecot ended"] += 1
                else:
                    self.error(f"{r['name']}: {v}")
            for what, n in r.get("refused", {}).items():
                self.notes[f"{r['kind']} refused {what}"] += n
        self.contents(fresh)
        self.numbers()
        self.count(files)
        self.gone(files)
        self.agree(fresh, files)
        return self.errors
