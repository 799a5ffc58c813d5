# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""SORT and THREAD as RFC 5256, RFC 5957 and the REFS draft describe them, step
by step, slowly: what the server's answers are compared with.

It is given what FETCH says of the messages (ENVELOPE, INTERNALDATE,
RFC822.SIZE, and the References field), which other tests look at, and shares
nothing else with the server.
"""

import datetime
import email.header
import email.utils
import re
import sys
import unicodedata


sys.setrecursionlimit(10000)
ITEMS = ("(UID ENVELOPE INTERNALDATE RFC822.SIZE "
         "BODY.PEEK[HEADER.FIELDS (References)])")


# ---- texts -----------------------------------------------------------------

def decode(b):
    """RFC 2047, to str; what is not UTF-8 keeps its bytes (RFC 5255 4.6)."""
    text = b.decode("utf-8", "surrogateescape")
    if any("\udc80" <= c <= "\udcff" for c in text):
        return text
    out = []
    for part, charset in email.header.decode_header(text):
        if isinstance(part, str):
            out.append(part)
        else:
            # RFC 2231 5: a language may stand behind the charset.
            charset = (charset or "utf-8").partition("*")[0]
            out.append(part.decode(charset, "replace"))
    return "".join(out)


def casemap(s):
    """i;unicode-casemap (RFC 5051 2); what is in no known charset comes behind
    all else (RFC 5255 4.6)."""
    if any("\udc80" <= c <= "\udcff" for c in s):
        return b"\xff" + s.encode("utf-8", "surrogateescape")
    out = []
    for c in s:
        title = c.title()
        out.append(unicodedata.normalize("NFKD",
                                         title if len(title) == 1 else c))
    return "".join(out).encode()


# RFC 5256 section 5
BLOB = r"\[[^\[\]\0]*\][ \t]*"
REFWD = rf"(?:re|fwd?)[ \t]*(?:{BLOB})?:"
LEADER = re.compile(rf"(?i)(?:{BLOB})*{REFWD}|[ \t]")
TRAILER = re.compile(r"(?i)(?:\(fwd\)|[ \t])\Z")
BLOB = re.compile(BLOB)


def base_subject(s):
    """(base subject, whether something said that it is a reply or forward):
    RFC 5256 2.1."""
    is_reply = False
    s = re.sub(r"[ \t\r\n]+", " ", s)                       # (1)
    while True:
        while m := TRAILER.search(s):                       # (2)
            is_reply |= m.group() not in " \t"
            s = s[:m.start()]
        while True:
            if m := LEADER.match(s):                        # (3)
                is_reply |= m.group() not in " \t"
                s = s[m.end():]
            elif (m := BLOB.match(s)) and s[m.end():]:      # (4)
                s = s[m.end():]
            else:                                           # (5)
                break
        if s[:5].lower() == "[fwd:" and s[-1] == "]":       # (6)
            is_reply = True
            s = s[5:-1]
            continue
        return s, is_reply                                  # (7)


def message_ids(b):
    """The valid identifiers in a field, normalised."""
    found = []
    for m in re.finditer(rb'<((?:[^<>"]|"(?:\\.|[^"\\])*")*)>', b or b""):
        text = re.sub(rb"\s+(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", b"",
                      m.group(1))
        text = re.sub(rb"\\(.)", rb"\1", text.replace(b'"', b""))
        if re.fullmatch(rb"(?s).+@[^@]+", text):
            found.append(text)
    return found


# ---- a message -------------------------------------------------------------

class Message:
    def __init__(self, number, items):
        envelope = items["ENVELOPE"]
        self.number = number
        self.arrival = internal_date(items["INTERNALDATE"])
        self.size = items["RFC822.SIZE"]
        self.date = sent_date(envelope[0])
        if self.date is None:
            self.date = self.arrival
        subject, self.is_reply = base_subject(decode(envelope[1] or b""))
        self.subject = casemap(subject)
        self.frm, self.display_from = addresses(envelope[2])
        self.to, self.display_to = addresses(envelope[5])
        self.cc, _ = addresses(envelope[6])
        ids = message_ids(envelope[9])
        self.id = ids[0] if ids else None
        field = next(v for k, v in items.items() if "REFERENCES" in k)
        self.references = message_ids(re.sub(rb"\r\n", b"", field))
        if not self.references:
            self.references = message_ids(envelope[8])[:1]


def internal_date(b):
    when = datetime.datetime.strptime(b.decode().strip(),
                                      "%d-%b-%Y %H:%M:%S %z")
    return int(when.timestamp())


def sent_date(b):
    """Dates by the book, and those that email.utils understands too."""
    parsed = email.utils.parsedate_tz((b or b"").decode("latin-1"))
    if not parsed:
        return None
    try:
        datetime.date(*parsed[:3])
    except ValueError:
        return None
    if parsed[0] < 1000:            # 0102 is 2002
        parsed = (parsed[0] + 1900,) + parsed[1:]
    hour, minute, second = parsed[3:6]
    if hour > 23 or minute > 59 or second > 60:
        parsed = parsed[:3] + (0, 0, 0) + parsed[6:]
    return email.utils.mktime_tz(parsed)


def addresses(value):
    """(addr-mailbox, the value of RFC 5957 3) of the first address."""
    if not value:
        return b"", b""
    name, _, mailbox, host = value[0]
    text = decode(name) if name else ""
    if not text:
        both = [x for x in (mailbox, host) if x is not None]
        text = b"@".join(both if mailbox is not None else []).decode(
            "utf-8", "surrogateescape")
    return casemap((mailbox or b"").decode("utf-8", "surrogateescape")), \
        casemap(text)


def messages(fetched):
    """Of Result.fetch() of ITEMS, in the order of the mailbox."""
    return [Message(n, items) for n, items in sorted(fetched.items())]


# ---- SORT ------------------------------------------------------------------

KEYS = {
    "ARRIVAL": lambda m: m.arrival, "CC": lambda m: m.cc,
    "DATE": lambda m: m.date, "FROM": lambda m: m.frm,
    "SIZE": lambda m: m.size, "SUBJECT": lambda m: m.subject,
    "TO": lambda m: m.to, "DISPLAYFROM": lambda m: m.display_from,
    "DISPLAYTO": lambda m: m.display_to,
}


def sort(msgs, criteria):
    """The numbers by ["REVERSE", "DATE", "SUBJECT"]."""
    order = sorted(msgs, key=lambda m: m.number)
    todo = []
    for word in criteria:
        if word == "REVERSE":
            todo.append(True)
        elif todo and todo[-1] is True:
            todo[-1] = (word, True)
        else:
            todo.append((word, False))
    for key, is_reverse in reversed(todo):
        # reverse=True keeps the order of those that are equal
        order.sort(key=KEYS[key], reverse=is_reverse)
    return [m.number for m in order]


# ---- THREAD ----------------------------------------------------------------

class Node:
    """A message or a dummy."""

    def __init__(self, message=None):
        self.message = message
        self.parent = None
        self.children = []

    def adopt(self, child):
        if child.parent:
            child.parent.children.remove(child)
        child.parent = self
        self.children.append(child)

    def leave(self):
        if self.parent:
            self.parent.children.remove(self)
        self.parent = None

    def is_below(self, other):
        node = self
        while node and node is not other:
            node = node.parent
        return node is other

    def key(self):
        """Sent date, then order in the mailbox; a dummy's is that of its first
        child."""
        if self.message:
            return self.message.date, self.message.number
        return min(c.key() for c in self.children)

    def sort(self):
        for c in self.children:
            c.sort()
        self.children.sort(key=Node.key)

    def thread_subject(self):
        return self.message.subject if self.message else \
            min(self.children, key=Node.key).message.subject

    def is_reply(self):
        return bool(self.message and self.message.is_reply)

    def members(self):
        own = [self.message] if self.message else []
        return own + [m for c in self.children for m in c.members()]


def prune(node, is_root):
    """(3)"""
    out = []
    for child in node.children:
        prune(child, False)
        if child.message:
            out.append(child)
        elif not child.children:
            pass
        elif is_root and len(child.children) > 1:
            out.append(child)
        else:
            for c in child.children:
                c.parent = node
            out += child.children
    node.children = out


def link(msgs):
    """(1), (2)"""
    by_id, nodes = {}, []

    def node_of(name):
        if name not in by_id:
            by_id[name] = Node()
            nodes.append(by_id[name])
        return by_id[name]

    for m in msgs:
        node = node_of(m.id) if m.id else None
        if node is None or node.message:
            node = Node()
            nodes.append(node)
        node.message = m
        last = None
        for name in m.references:
            ref = node_of(name)
            if last and not ref.parent and not last.is_below(ref):
                last.adopt(ref)
            last = ref
        node.leave()
        if last and not last.is_below(node):
            last.adopt(node)
    root = Node()
    for node in nodes:
        if not node.parent:
            root.adopt(node)
    return root


def merge_subjects(root):
    """(5)"""
    table = {}
    for cur in root.children:
        subject = cur.thread_subject()
        if not subject:
            continue
        have = table.get(subject)
        if not have or (have.message and (
                not cur.message or (have.is_reply()
                                    and not cur.is_reply()))):
            table[subject] = cur
    for cur in list(root.children):
        if cur.parent is not root:
            continue
        subject = cur.thread_subject()
        have = table.get(subject)
        if not subject or have is cur:
            continue
        if not have.message and not cur.message:
            for c in list(cur.children):
                have.adopt(c)
            cur.leave()
        elif not have.message or (cur.is_reply() and not have.is_reply()):
            have.adopt(cur)
        else:
            dummy = Node()
            root.adopt(dummy)
            dummy.adopt(cur)
            dummy.adopt(have)
            table[subject] = dummy


def references(msgs):
    root = link(msgs)
    prune(root, True)
    root.children.sort(key=Node.key)                        # (4)
    merge_subjects(root)
    root.sort()                                             # (6)
    return root


def refs(msgs):
    root = link(msgs)
    prune(root, True)
    root.sort()
    root.children.sort(key=lambda n: max(
        (m.arrival, m.number) for m in n.members()))
    return root


def orderedsubject(msgs):
    root, heads = Node(), {}
    for m in sorted(msgs, key=lambda m: (m.date, m.number)):
        node = Node(m)
        heads.setdefault(m.subject, root).adopt(node)
        if heads[m.subject] is root:
            heads[m.subject] = node
    return root


ALGORITHMS = {"REFERENCES": references, "REFS": refs,
              "ORDEREDSUBJECT": orderedsubject}


def thread_list(node):
    """ "(" ... ")" of one child of the root."""
    text = "("
    while node.message:
        text += str(node.message.number)
        if len(node.children) != 1:
            break
        text += " "
        node = node.children[0]
    if node.children:
        text += " " if node.message else ""
        text += "".join(map(thread_list, node.children))
    return text + ")"


def thread(msgs, algorithm):
    """What stands behind "* THREAD "."""
    root = ALGORITHMS[algorithm](msgs)
    return "".join(map(thread_list, root.children))
