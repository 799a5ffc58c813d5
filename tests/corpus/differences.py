# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""The differences from Dovecot, and from Python's email package, that are
meant.  What stands in front of the colon of each reason is where
imapd-conformance(7) has it at length.

They are those of Dovecot 2.3.19 and Python 3.11.

Some are rules: what one server says follows from what the other says.  All
others are listed in differences.txt, value by value: when either side says
anything else, the comparison fails.  A line that is no longer needed fails it
too.
"""

import pathlib
import re
import zlib

TABLE = pathlib.Path(__file__).with_name("differences.txt")
SHORT = 300     # longer values stand in the table by their ends and a checksum

RULES = []


def rule(reason):
    def add(f):
        RULES.append((reason, f))
        return f
    return add


# ---- how the same thing is spelled -----------------------------------------

def squeeze(x):
    if isinstance(x, list):
        return [squeeze(y) for y in x]
    if isinstance(x, bytes):
        return re.sub(rb"[ \t]+", b" ", x).strip()
    return x


def lower_params(params):
    out = []
    for name, value in zip(params[::2], params[1::2]):
        name = name.lower()
        out += [name, value.lower() if name == b"charset" else value]
    return out


def lower_types(body):
    """A body with types, parameter names, charsets and encodings in lower
    case."""
    if not isinstance(body[0], list):
        out = [body[0].lower(), body[1].lower(),
               lower_params(body[2]) if body[2] else body[2], *body[3:5],
               body[5].lower(), *body[6:]]
        if out[:2] == [b"message", b"rfc822"]:
            out[8] = lower_types(out[8])
        return out
    n = next(i for i, x in enumerate(body) if not isinstance(x, list))
    out = [lower_types(x) for x in body[:n]] + [body[n].lower()]
    if len(body) > n + 1:
        out.append(lower_params(body[n + 1]) if body[n + 1] else body[n + 1])
    return out + body[n + 2:]


BODIES = ("BODY", "BODYSTRUCTURE")


@rule("Content-Type: types, parameter names, charsets and encodings are "
      "spelled as in the message")
def _(item, ours, theirs, have):
    return item in BODIES and lower_types(ours) == lower_types(theirs)


@rule("Blanks: those in fields are those of the message")
def _(item, ours, theirs, have):
    return item in ("ENVELOPE",) + BODIES and squeeze(ours) == squeeze(theirs)


@rule("Blanks: they are kept, and types spelled, as in the message")
def _(item, ours, theirs, have):
    return item in BODIES and \
        squeeze(lower_types(ours)) == squeeze(lower_types(theirs))


@rule("MIME-Version: Content fields count also without it")
def _(item, ours, theirs, have):
    # Of a part that is none of a multipart, Dovecot takes the type alone.
    lines = ours[7:8] if ours[0].lower() == b"text" else []
    extensions = [None] * 4 if item == "BODYSTRUCTURE" else []
    return item in BODIES and \
        not re.search(rb"(?im)^mime-version:", have("BODY[HEADER]")) and \
        lower_types(ours[:3] + [None, None, b"7bit", ours[6]] + lines +
                    extensions) == lower_types(theirs)


# ---- ends of headers and of parts ------------------------------------------

@rule("HEADER.FIELDS: it always ends in an empty line")
def _(item, ours, theirs, have):
    if "HEADER.FIELDS" not in item:
        return False
    end = b"\r\n" if theirs.endswith(b"\n") or not theirs else b"\r\n\r\n"
    return ours == theirs + end and not re.search(
        rb"\r?\n\r?\n", have(re.sub(r"\.FIELDS.*\]", "]", item)))


@rule("Missing ends: a header that a boundary cuts short keeps its last "
      "line end")
def _(item, ours, theirs, have):
    return re.search(r"MIME\]|[0-9]\.HEADER\]", item) and \
        ours == (theirs or b"") + b"\r\n"


@rule("Missing ends: the line end before a boundary is not part of the "
      "multipart inside")
def _(item, ours, theirs, have):
    m = re.fullmatch(r"(BODY\[[0-9.]+(?:TEXT)?\])(<[0-9]+>)?", item)
    return m and have(m.group(1)).endswith(b"--") and \
        theirs == ours + b"\r\n"


@rule("Parts that do not exist: they are NIL, not an empty string")
def _(item, ours, theirs, have):
    return re.match(r"(BODY|BINARY)\[[0-9]", item) and ours is None and \
        theirs == b""


# ---- decoding --------------------------------------------------------------

@rule("BINARY: its SIZE is the size of it, which is the same")
def _(item, ours, theirs, have):
    return item.startswith("BINARY.SIZE") and theirs != "absent" and \
        ours == len(have(item.replace(".SIZE", "")))


@rule("BINARY: what is no valid encoding is skipped or given as it is, not "
      "refused")
def _(item, ours, theirs, have):
    # The decoded bytes themselves are compared with another decoder's.
    return item.startswith("BINARY") and theirs == "absent"


# ---- the table -------------------------------------------------------------

def short(value):
    s = repr(value)
    return s if len(s) <= SHORT else "%s... %d %08x ...%s" % (
        s[:SHORT // 2], len(s), zlib.crc32(s.encode()), s[-SHORT // 2:])


class Table:
    """reason lines begin with a letter, then come items of messages:

    \tmessage: item
    \t\tours
    \t\ttheirs
    """

    def __init__(self, path=TABLE):
        self.rows = {}          # (item, ours, theirs): reason
        self.names = {}         # the same: message
        self.used = set()
        reason = key = None
        for line in path.read_text().splitlines() if path.exists() else []:
            if line.startswith("\t\t"):
                key += (line[2:],)
                if len(key) == 3:
                    self.rows[key] = reason
                    self.names[key] = name
            elif line.startswith("\t"):
                name, item = line[1:].rsplit(": ", 1)
                key = (item,)
            elif line and line[0] != "#":
                reason = line

    def find(self, item, ours, theirs):
        key = (item, short(ours), short(theirs))
        self.used.add(key)
        return self.rows.get(key)

    def unused(self):
        return [(name, key[0]) for key, name in self.names.items()
                if key not in self.used]


def one_line(name):
    return repr(name)[1:-1]


TABLE_ROWS = Table()


def why(item, ours, theirs, have):
    """The reason for a difference, or None.  have(item) is what we said of any
    other item of the message."""
    for reason, f in RULES:
        try:
            if f(item, ours, theirs, have):
                return reason
        except (TypeError, AttributeError, IndexError, KeyError):
            pass        # a value of another kind: no rule is about it
    return TABLE_ROWS.find(item, ours, theirs)
