# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""SEARCH as slowly and as obviously as it can be written.

A Mail is the bytes of one message and what IMAP knows beside them; matches()
says whether a search program holds for it.  Nothing here is shared with imapd.
Python's email package reads Content-Type and Date fields.  The rest is written
out from the RFCs, where the package does something else than they say:

    fields      email ends a header at the first line that is no field; RFC
                5322 2.1 ends it at the empty line
    parts       email takes message/delivery-status and other message/* apart;
                RFC 2046 5.2 has a message only in message/rfc822 (and RFC 6532
                3.7 in message/global)
    RFC 2047    email.header gives pieces and lets go of the blanks between
                them that are text (6.2)
    base64, quoted-printable
                binascii ends at the first "=" of base64; RFC 2045 6.8 ignores
                what is not of the alphabet.  quopri keeps blanks at the ends
                of lines, which RFC 2045 6.7 (3) deletes

A program is a nested tuple, printed by spell():

    ("AND", [p, ...])  ("OR", p, p)  ("NOT", p)  ("SEEN",)  ("FROM", "text")
    ("HEADER", "name", "text")  ("SINCE", day)  ("UID", "1:*")  ...
"""

import base64
import codecs
import datetime
import email.message
import email.utils
import re
import time
import unicodedata

MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


# ---- text ------------------------------------------------------------------

def fold(text):
    """RFC 5051 2: each character's title case, then its full decomposition."""
    out = []
    for c in text:
        if c == "\r":
            continue        # line ends match however they are stored
        # str.title() may give several characters, by SpecialCasing.txt; RFC
        # 5051 knows UnicodeData.txt alone, which has at most one.
        title = c.title()
        out.append(unicodedata.normalize("NFKD",
                                         title if len(title) == 1 else c))
    return "".join(out)


# Labels for what in fact is written in a superset (as browsers have it), and
# what Python spells otherwise.
ALIASES = {"gb2312": "gb18030", "gbk": "gb18030", "euc-kr": "cp949",
           "ks_c_5601-1987": "cp949", "us-ascii": "utf-8", "ascii": "utf-8",
           "": "utf-8", "x-ansi": "cp1252", "x-mac-roman": "mac-roman"}


def codec(charset):
    """Python's name for a MIME charset, or None."""
    name = charset.strip().lower()
    name = ALIASES.get(name, name)
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    return name if info._is_text_encoding else None


def to_text(b, charset):
    """RFC 2045 6.4 and 2047 leave unknown charsets open: they are UTF-8."""
    return b.decode(codec(charset) or "utf-8", "replace")


def decode_q(b):
    """RFC 2047 4.2."""
    b = b.replace(b"_", b" ")
    return re.sub(rb"=([0-9A-Fa-f]{2})",
                  lambda m: bytes([int(m.group(1), 16)]), b)


def decode_base64(b):
    """RFC 2045 6.8.  Padding ends a text; another may follow."""
    out = b""
    for text in re.split(rb"=+", b):
        text = re.sub(rb"[^A-Za-z0-9+/]", b"", text)
        if len(text) % 4 == 1:
            text = text[:-1]
        out += base64.b64decode(text + b"=" * (-len(text) % 4))
    return out


def decode_qp(b):
    """RFC 2045 6.7."""
    b = re.sub(rb"[ \t]+(\r?\n|\Z)", rb"\1", b)     # rule 3
    b = re.sub(rb"=[ \t]*(\r?\n|$)", b"", b)        # rule 5
    return re.sub(rb"=([0-9A-Fa-f]{2})",
                  lambda m: bytes([int(m.group(1), 16)]), b)


WORD = re.compile(rb"=\?([^?*]+)(?:\*[^?]*)?\?([bBqQ])\?(.*?)\?=", re.S)


def decode_field(raw):
    """The text of a field: unfolded (RFC 5322 2.2.3), words decoded (RFC 2047,
    also where they may not be: in quotes, glued to other text)."""
    raw = re.sub(rb"\r?\n", b"", raw)
    out, at, run, run_charset = "", 0, b"", None

    def end_run():
        return to_text(run, run_charset) if run_charset is not None else ""
    for m in WORD.finditer(raw):
        charset = m.group(1).decode("latin-1")
        between = raw[at:m.start()]
        if codec(charset) is None:
            continue                    # stays as it is
        if run_charset is None or between.strip(b" \t"):
            out += end_run() + between.decode("utf-8", "replace")
            run, run_charset = b"", None
        # Blanks between two words are no text (6.2).  Words of one charset
        # make one text: mailers cut characters in two.
        if run_charset is not None and run_charset.lower() != charset.lower():
            out += end_run()
            run = b""
        run_charset = charset
        run += (decode_base64 if m.group(2) in b"bB" else decode_q)(m.group(3))
        at = m.end()
    return out + end_run() + raw[at:].decode("utf-8", "replace")


# ---- structure -------------------------------------------------------------

def split_header(raw):
    """(fields, body).  A field is (name, what follows the colon, all of it)."""
    m = re.search(rb"(?:\A|(?<=\n))\r?\n", raw)
    head, body = (raw[:m.start()], raw[m.end():]) if m else (raw, b"")
    fields = []
    for line in re.findall(rb"[^\n]*\n|[^\n]+\Z", head):
        if fields and line[:1] in (b" ", b"\t"):
            fields[-1] += line
        else:
            fields.append(line)
    out = []
    for f in fields:
        f = re.sub(rb"\r?\n\Z", b"", f)
        name, colon, value = f.partition(b":")
        if b"\n" in name or not colon:
            out.append((b"", f, f))
        else:
            out.append((name.rstrip(b" \t"), value, f))
    return out, body


def header_text(fields):
    """Each field as it stands there, name and colon too, a line each."""
    return "".join(decode_field(f) + "\n" for _, _, f in fields)


def without_comments(value):
    """RFC 2045 5.1 allows comments in Content-Type; email does not."""
    out, depth, quoted, i = "", 0, False, 0
    while i < len(value):
        c = value[i]
        if c == "\\":
            out += "" if depth else value[i:i + 2]
            i += 2
            continue
        if not depth and c == '"':
            quoted = not quoted
        if not quoted and c == "(":
            depth += 1
        elif not quoted and c == ")" and depth:
            depth -= 1
        elif not depth:
            out += c
        i += 1
    return out


class Content:
    """What the Content- fields of a part say."""

    def __init__(self, fields, default):
        found = {}
        for name, value, _ in fields:       # the first one counts
            found.setdefault(name.lower(), re.sub(
                rb"\r?\n", b"", value).decode("latin-1").strip())
        m = email.message.Message()
        if b"content-type" in found:
            m["Content-Type"] = without_comments(found[b"content-type"])
            self.type = m.get_content_type()
        else:
            self.type = default
        charset = m.get_param("charset", "")
        # RFC 2231: (charset, language, value)
        self.charset = charset[2] if isinstance(charset, tuple) else charset
        boundary = m.get_boundary("") if b"content-type" in found else ""
        self.boundary = boundary.encode("latin-1", "replace")
        self.encoding = without_comments(
            found.get(b"content-transfer-encoding", "")).strip().lower()

    def is_message(self):
        """RFC 6532 3.7: a message/global may be encoded; then it is a part like
        any other."""
        return self.type == "message/rfc822" or (
            self.type == "message/global" and
            self.encoding not in ("base64", "quoted-printable"))


def parts(raw, default="text/plain", boundaries=None):
    """Each part as (fields, content, body), in the order of the message.
    Boundaries by RFC 2046 5.1.1: a line that begins with "--" and the boundary,
    whatever follows; the line end before it belongs to it.  Where "b1" and
    "b10" are boundaries of one message, the longer one is meant."""
    if boundaries is None:
        boundaries = re.findall(rb'boundary="?([^"\s;]+)', raw, re.I)
    fields, body = split_header(raw)
    content = Content(fields, default)
    yield fields, content, body
    if content.is_message():
        yield from parts(body, "text/plain", boundaries)
    if not content.type.startswith("multipart/") or not content.boundary:
        return
    longer = [re.escape(b[len(content.boundary):]) for b in boundaries
              if b.startswith(content.boundary) and b != content.boundary]
    line = rb"(?:\A|\r?\n)--" + re.escape(content.boundary) + \
        (rb"(?!" + rb"|".join(longer) + rb")" if longer else rb"") + \
        rb"(--)?[^\n]*"
    starts = list(re.finditer(line, body))
    for m, following in zip(starts, starts[1:] + [None]):
        if m.group(1):
            break
        piece = body[m.end():following.start() if following else len(body)]
        # The line end behind the delimiter is its own.
        piece = piece[1:]
        yield from parts(piece, "message/rfc822" if
                         content.type == "multipart/digest" else "text/plain",
                         boundaries)


# ---- one message -----------------------------------------------------------

class Mail:
    """seq, uid, flags (a set, system flags with their backslash), is_recent,
    internal and saved (seconds since 1970), modseq: set by the caller."""

    def __init__(self, raw):
        self.raw = raw
        self.size = len(re.sub(rb"(?<!\r)\n", b"\r\n", raw))    # as served
        self.fields, _ = split_header(raw)
        self.header = fold(header_text(self.fields))
        self.values = {}
        for name, value, _ in self.fields:
            self.values.setdefault(name.lower(), []).append(
                fold(decode_field(value)))
        self.body = list(self.body_texts())
        self.sent = self.sent_day()

    def body_texts(self):
        """What BODY looks at: the text of each text part, the headers of the
        parts and of messages inside; none of it across two of them."""
        for i, (fields, content, body) in enumerate(parts(self.raw)):
            if i > 0:
                yield fold(header_text(fields))
            if not content.type.startswith(("text/", "message/")) or \
                    content.is_message():
                continue
            if content.encoding == "base64":
                body = decode_base64(body)
            elif content.encoding == "quoted-printable":
                body = decode_qp(body)
            yield fold(to_text(body, content.charset))

    def sent_day(self):
        """The day as written in the first Date field; None: there is none."""
        for name, value, _ in self.fields:
            if name.lower() == b"date":
                value = re.sub(rb"\r?\n", b"", value).decode("latin-1")
                value = without_comments(value).strip()
                iso = re.match(r"(\d{4})[-/](\d\d)[-/](\d\d)", value)
                t = email.utils.parsedate_tz(value)
                try:
                    if iso:         # some mailers; email knows RFC 5322 only
                        return datetime.date(*map(int, iso.groups()))
                    # RFC 5322 4.3: 1900 is added to a year of three digits;
                    # 0102 is one, for there is no year before 1900 (3.3).
                    year = t[0] + 1900 if 100 <= t[0] < 1000 else t[0]
                    return datetime.date(year, *t[1:3])
                except (TypeError, ValueError):
                    return None
        return None


def day_of(t):
    """The day in the server's zone, in which INTERNALDATE is told."""
    return datetime.date(*time.localtime(t)[:3])


def in_set(text, n, last):
    """sequence-set; last is what "*" stands for, None if there is nothing."""
    for piece in text.split(","):
        ends = [last if x == "*" else int(x) for x in piece.split(":")]
        if None not in ends and min(ends) <= n <= max(ends):
            return True
    return False


def matches(program, mail, now, last_seq, last_uid):
    """RFC 3501 6.4.4, RFC 5032, RFC 7162 3.1.5, RFC 8514 4.3."""
    key, args = program[0], program[1:]
    before = {"BEFORE": lambda d: d < args[0], "ON": lambda d: d == args[0],
              "SINCE": lambda d: d >= args[0]}

    def holds(p):
        return matches(p, mail, now, last_seq, last_uid)
    if key == "AND":
        return all(holds(p) for p in args[0])
    if key == "OR":
        return holds(args[0]) or holds(args[1])
    if key == "NOT":
        return not holds(args[0])
    if key in ("ALL", "SAVEDATESUPPORTED"):
        return True
    if key == "SEQ":
        return in_set(args[0], mail.seq, last_seq)
    if key == "UID":
        return in_set(args[0], mail.uid, last_uid)
    if key in ("ANSWERED", "DELETED", "DRAFT", "FLAGGED", "SEEN"):
        return "\\" + key.capitalize() in mail.flags
    if key in ("UNANSWERED", "UNDELETED", "UNDRAFT", "UNFLAGGED", "UNSEEN"):
        return "\\" + key[2:].capitalize() not in mail.flags
    if key in ("KEYWORD", "UNKEYWORD"):
        has = args[0].lower() in {f.lower() for f in mail.flags}
        return has == (key == "KEYWORD")
    if key == "RECENT":
        return mail.is_recent
    if key == "OLD":
        return not mail.is_recent
    if key == "NEW":
        return mail.is_recent and "\\Seen" not in mail.flags
    if key in before:
        return before[key](day_of(mail.internal))
    if key.startswith("SENT"):
        return mail.sent is not None and before[key[4:]](mail.sent)
    if key.startswith("SAVED"):
        return before[key[5:]](day_of(mail.saved))
    if key == "OLDER":
        return mail.internal <= now - args[0]
    if key == "YOUNGER":
        return mail.internal >= now - args[0]
    if key == "LARGER":
        return mail.size > args[0]
    if key == "SMALLER":
        return mail.size < args[0]
    if key == "MODSEQ":
        return mail.modseq >= args[0]
    if key == "HEADER":
        return any(fold(args[1]) in v
                   for v in mail.values.get(args[0].lower().encode(), []))
    if key in ("FROM", "TO", "CC", "BCC", "SUBJECT"):
        return any(fold(args[0]) in v
                   for v in mail.values.get(key.lower().encode(), []))
    needle = fold(args[0])
    if key == "BODY":
        return needle == "" or any(needle in t for t in mail.body)
    assert key == "TEXT", key
    return needle == "" or needle in mail.header or \
        any(needle in t for t in mail.body)


# ---- programs --------------------------------------------------------------

def text_literal(text):
    """As a literal that need not be waited for (RFC 7888)."""
    b = text.encode()
    return b"{%d+}\r\n%s" % (len(b), b)


def spell(program):
    """The program as it is sent."""
    key, args = program[0], program[1:]
    if key == "AND":
        return b"(" + b" ".join(spell(p) for p in args[0]) + b")"
    if key == "OR":
        return b"OR " + spell(args[0]) + b" " + spell(args[1])
    if key == "NOT":
        return b"NOT " + spell(args[0])
    if key == "SEQ":
        return args[0].encode()
    out = [key.encode()]
    for a in args:
        if isinstance(a, datetime.date):
            out.append(f"{a.day}-{MONTHS[a.month - 1]}-{a.year:04}".encode())
        elif isinstance(a, int):
            out.append(b"%d" % a)
        elif key in ("UID", "KEYWORD", "UNKEYWORD"):
            out.append(a.encode())
        else:
            out.append(text_literal(a))
    return b" ".join(out)
