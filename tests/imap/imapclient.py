# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""A raw IMAP client that forgives nothing.

It sends exactly the bytes it is told to and parses every answer by the grammar
of RFC 3501 and RFC 9051: a line that does not end in CRLF, a status response
without text, a literal of the wrong length, an atom with a forbidden byte or
8-bit data outside a literal is a SyntaxError, and so fails the test.

    c = Client.tcp("127.0.0.1", 143)
    r = c.cmd("LOGIN user pass")        # r.status, r.code, r.text, r.data
    c.ok("SELECT INBOX")                # the same, but insists on OK
    c.send(b"a1 NOOP\\r\\na2 NOOP\\r\\n")
    c.tagged("a1"), c.tagged("a2")

Values: list for (...), bytes for strings, None for NIL, int for numbers and
Atom for everything else.
"""

import re
import select
import socket
import ssl
import subprocess
import sys
import time

# A BODYSTRUCTURE may be as deep as PART_DEPTH_MAX.
sys.setrecursionlimit(20000)
TIMEOUT = 20
STATUS = {"OK", "NO", "BAD", "PREAUTH", "BYE"}
# RFC 3501 ATOM-CHAR and what response data adds to it: "\" of flags, "*" of
# "\*", "%" never; "]" ends a code and "[" a section.
ATOM = re.compile(rb'\\?[^(){\x00-\x20%*"\\\]\[\x7f-\xff]+|\\\*')
TAG = re.compile(rb'[^(){\x00-\x20%*"\\\x7f-\xff+]+')
# Inside the brackets of BODY[...]: no string, so a header name with "]" in it
# would have to be sent quoted.
SECTION = re.compile(
    rb'\[[0-9A-Z.]*(?: \((?:[!#-\'*+,\-./0-9:;<=>?@A-Z\[\\^_`a-z|~]+|"[^"]*"| )+\))?\]'
    rb'(?:<[0-9]+>)?')


class Atom(str):
    """An atom, flag or section name: not a string of the protocol."""

    def __repr__(self):
        return f"Atom({str(self)})"


class Closed(Exception):
    """The server closed the connection."""


class Response:
    """One parsed line of the server, literals included."""

    def __init__(self, raw):
        self.raw = raw
        self.tag = self.status = self.code = self.text = None
        self.number = None      # of "* 5 EXISTS"
        self.name = None        # EXISTS, FETCH, LIST, ... in upper case
        self.data = []          # what follows the name
        _Parser(raw, self).response()

    def __repr__(self):
        return f"Response({self.raw!r})"


class _Parser:
    """Recursive descent over one response."""

    def __init__(self, raw, r):
        self.b, self.i, self.r = raw, 0, r

    def fail(self, why):
        raise SyntaxError(f"{why} at byte {self.i} of {self.b[:2000]!r}")

    def peek(self, s):
        return self.b.startswith(s, self.i)

    def eat(self, s):
        if not self.peek(s):
            self.fail(f"expected {s!r}")
        self.i += len(s)

    def match(self, rx, what):
        m = rx.match(self.b, self.i)
        if not m:
            self.fail(f"expected {what}")
        self.i = m.end()
        return m.group()

    # response = continue-req / response-data / response-done
    def response(self):
        r = self.r
        if not self.b.endswith(b"\r\n"):
            self.fail("no CRLF")
        if self.peek(b"+"):
            r.tag = "+"
            self.eat(b"+ ")
            r.text = self.rest("continuation", may_be_empty=True)
            return
        if self.peek(b"* "):
            r.tag = "*"
            self.eat(b"* ")
        else:
            r.tag = self.match(TAG, "tag").decode()
            self.eat(b" ")
        word = self.match(ATOM, "word").decode()
        if word.isdigit():
            if r.tag != "*":
                self.fail("number after a tag")
            self.eat(b" ")
            r.number = int(word)
            word = self.match(ATOM, "name of data").decode()
        if word in STATUS:
            self.status(word)
            return
        if r.tag != "*":
            self.fail("tagged data")
        if word != word.upper():
            self.fail("name not in upper case")
        r.name = word
        # "* SEARCH" may be empty; a blank before the CRLF may not be.  Threads
        # stand without blanks: "* THREAD (1)(2 3)".
        while self.peek(b" ") or (r.data and r.name == "THREAD"
                                  and self.peek(b"(")):
            if self.peek(b" "):
                self.eat(b" ")
            r.data.append(self.value())
        self.eat(b"\r\n")
        if self.i != len(self.b):
            self.fail("bytes behind CRLF")
        if r.name in ("EXISTS", "RECENT", "EXPUNGE", "FETCH"):
            if r.number is None:
                self.fail("no number")
            if r.number == 0 and r.name in ("EXPUNGE", "FETCH"):
                self.fail("message number 0")

    # resp-text = ["[" resp-text-code "]" SP] text
    def status(self, word):
        r = self.r
        r.status = word
        self.eat(b" ")
        if self.peek(b"["):
            self.eat(b"[")
            name = self.match(ATOM, "code").decode()
            r.code = name
            r.data = []
            while self.peek(b" "):
                self.eat(b" ")
                r.data.append(self.value())
            self.eat(b"] ")
        r.text = self.rest("text")

    # text = 1*TEXT-CHAR
    def rest(self, what, may_be_empty=False):
        end = self.b.index(b"\r\n", self.i)
        s = self.b[self.i:end]
        if end + 2 != len(self.b):
            self.fail("bytes behind CRLF")
        if not s and not may_be_empty:
            self.fail(f"empty {what}")
        if re.search(rb"[\x00\r\n]", s):
            self.fail(f"control byte in {what}")
        return s.decode("utf-8")

    def value(self):
        b, i = self.b, self.i
        c = b[i:i + 1]
        if c == b"(":
            return self.list()
        if c == b'"':
            return self.quoted()
        if c == b"{" or b[i:i + 2] == b"~{":
            return self.literal()
        s = self.match(ATOM, "value")
        if self.peek(b"["):
            s += self.match(SECTION, "section")
        if s == b"NIL":
            return None
        if s.isdigit():
            return int(s)
        return Atom(s.decode("ascii"))

    def list(self):
        out = []
        self.eat(b"(")
        while not self.peek(b")"):
            if out:
                # address = "(" ...; env-from = "(" 1*address ")": no blank
                # between addresses and between body parts.
                if not (self.peek(b"(") and isinstance(out[-1], list)):
                    self.eat(b" ")
            out.append(self.value())
        self.eat(b")")
        return out

    # quoted = DQUOTE *QUOTED-CHAR DQUOTE
    def quoted(self):
        m = re.compile(rb'"((?:[^"\\\r\n\x00]|\\["\\])*)"').match(
            self.b, self.i)
        if not m:
            self.fail("bad quoted string")
        self.i = m.end()
        s = re.sub(rb'\\(["\\])', rb"\1", m.group(1))
        if not Client.utf8 and any(x > 127 for x in s):
            self.fail("8-bit quoted string")
        return s

    def literal(self):
        m = re.compile(rb"(~?)\{([0-9]+)\}\r\n").match(self.b, self.i)
        if not m:
            self.fail("bad literal")
        n = int(m.group(2))
        self.i = m.end() + n
        if self.i > len(self.b):
            self.fail("short literal")
        s = self.b[m.end():self.i]
        if not m.group(1) and b"\0" in s:
            self.fail("NUL in a literal that is no literal8")
        return s


class Result:
    """The tagged response and the untagged ones before it."""

    def __init__(self, done, untagged):
        self.done, self.untagged = done, untagged
        self.status, self.code, self.text = done.status, done.code, done.text

    def __repr__(self):
        return "Result(%s)" % b"".join(
            r.raw for r in self.untagged + [self.done]).decode("latin-1")

    def all(self, name):
        """Untagged data responses of that name."""
        return [r for r in self.untagged if r.name == name]

    def one(self, name):
        found = self.all(name)
        assert len(found) == 1, f"{len(found)} {name} in {self}"
        return found[0]

    def codes(self, name):
        """Status responses with that code, the tagged one included."""
        return [r for r in self.untagged + [self.done] if r.code == name]

    def exists(self):
        found = self.all("EXISTS")
        return found[-1].number if found else None

    def fetch(self, by_uid=False):
        """{number: {ITEM: value}} of all FETCH responses."""
        out = {}
        for r in self.all("FETCH"):
            items = pairs(r.data[0])
            key = items["UID"] if by_uid else r.number
            out.setdefault(key, {}).update(items)
        return out

    def search(self):
        return [n for r in self.all("SEARCH") for n in r.data]


def pairs(values):
    """(A 1 B 2) as a dictionary with upper-case keys."""
    assert len(values) % 2 == 0, values
    keys = [str(k).upper() for k in values[::2]]
    assert len(set(keys)) == len(keys), f"an item twice: {values}"
    return dict(zip(keys, values[1::2]))


class Client:
    utf8 = False    # a test that enables UTF8=ACCEPT or IMAP4rev2 sets it

    def __init__(self, read, write, close, timeout=TIMEOUT, fileno=None):
        self._read, self._write, self._close = read, write, close
        self._fileno = fileno
        self.timeout = timeout
        self.buf = b""
        self.n = 0
        self.greeting = None
        self.log = []

    # ---- ways to connect --------------------------------------------------

    @classmethod
    def over(cls, sock, timeout=TIMEOUT, greeting=True):
        sock.settimeout(timeout)
        # A command goes out in pieces: none has to wait for the last one's ACK.
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        c = cls(sock.recv, sock.sendall, sock.close, timeout, sock.fileno)
        c.sock = sock
        if greeting:
            c.greet()
        return c

    @classmethod
    def tcp(cls, host, port, timeout=TIMEOUT, greeting=True):
        return cls.over(socket.create_connection((host, port), timeout),
                        timeout, greeting)

    @classmethod
    def tls(cls, host, port, context=None, server_name="localhost",
            timeout=TIMEOUT, greeting=True, session=None):
        s = socket.create_connection((host, port), timeout)
        s = (context or insecure()).wrap_socket(
            s, server_hostname=server_name, session=session)
        return cls.over(s, timeout, greeting)

    @classmethod
    def pipe(cls, argv, timeout=TIMEOUT, **kw):
        """A server on the other side of a pair of pipes."""
        p = subprocess.Popen(argv, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, bufsize=0, **kw)

        def read(n):
            if not select.select([p.stdout], [], [], c.timeout)[0]:
                raise TimeoutError("server is silent")
            return p.stdout.read(n)

        def write(b):
            view = memoryview(b)
            while view:
                view = view[p.stdin.write(view):]

        def close():
            p.stdin.close()
            p.stdout.close()
            try:
                p.wait(10)
            finally:
                p.kill()
                p.wait()
        c = cls(read, write, close, timeout, p.stdout.fileno)
        c.process = p
        c.greet()
        return c

    def starttls(self, context=None, server_name="localhost", session=None):
        self.ok("STARTTLS")
        assert not self.buf, "bytes behind the answer to STARTTLS"
        self.sock = (context or insecure()).wrap_socket(
            self.sock, server_hostname=server_name, session=session)
        self._read, self._write = self.sock.recv, self.sock.sendall
        self._close, self._fileno = self.sock.close, self.sock.fileno
        return self

    def close(self):
        self._close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    # ---- bytes ------------------------------------------------------------

    def send(self, b):
        self._write(b if isinstance(b, bytes) else b.encode())

    def _more(self):
        b = self._read(65536)
        if not b:
            raise Closed(f"closed; unread: {self.buf!r}")
        self.buf += b

    def _line(self, start):
        while True:
            end = self.buf.find(b"\n", start)
            if end >= 0:
                if self.buf[end - 1:end] != b"\r":
                    raise SyntaxError(f"bare LF in {self.buf[:end + 1]!r}")
                return end + 1
            self._more()

    def read(self):
        """The next response, parsed."""
        end = self._line(0)
        while True:
            m = re.search(rb"\{([0-9]+)\}\r\n$", self.buf[max(0, end - 24):end])
            # Text of a status response never ends in a literal.
            if not m or re.match(rb"\S+ (OK|NO|BAD|BYE|PREAUTH) ", self.buf):
                break
            need = end + int(m.group(1))
            while len(self.buf) < need:
                self._more()
            end = self._line(need)
        raw, self.buf = self.buf[:end], self.buf[end:]
        r = Response(raw)
        self.log.append(r)
        return r

    def is_readable(self, seconds):
        """Does the server say something within that time?"""
        if self.buf:
            return True
        if isinstance(getattr(self, "sock", None), ssl.SSLSocket) \
                and self.sock.pending():
            return True
        return bool(select.select([self._fileno()], [], [], seconds)[0])

    def is_closed(self, seconds=TIMEOUT):
        """Read until the end; responses go to self.log."""
        until = time.monotonic() + seconds
        try:
            while self.is_readable(max(0, until - time.monotonic())):
                self.read()
        except (Closed, ConnectionError):
            return True
        return False

    # ---- commands ---------------------------------------------------------

    def greet(self):
        self.greeting = self.read()
        assert self.greeting.tag == "*" and self.greeting.status
        return self.greeting

    def tag(self):
        self.n += 1
        return f"t{self.n}"

    def tagged(self, tag):
        """Read up to the answer with that tag."""
        untagged = []
        while True:
            r = self.read()
            if r.tag == tag:
                return Result(r, untagged)
            if r.tag != "*":
                raise SyntaxError(f"not awaited: {r}")
            untagged.append(r)

    def cmd(self, *args):
        """One command.  Arguments are sent as they are, put together by
        blanks; a bytes argument becomes a synchronising literal, and must be
        asked for by the server."""
        tag = self.tag()
        self.send(tag)
        untagged = []
        for a in args:
            if not isinstance(a, bytes):
                self.send(f" {a}")
                continue
            self.send(b" {%d}\r\n" % len(a))
            while True:
                r = self.read()
                if r.tag == "+":
                    break
                if r.tag == tag:
                    return Result(r, untagged)
                untagged.append(r)
            self.send(a)
        self.send(b"\r\n")
        r = self.tagged(tag)
        r.untagged[:0] = untagged
        return r

    def _expect(self, status, args):
        r = self.cmd(*args)
        assert r.status == status, f"{args}: {r}"
        return r

    def ok(self, *args):
        return self._expect("OK", args)

    def no(self, *args):
        return self._expect("NO", args)

    def bad(self, *args):
        return self._expect("BAD", args)

    def login(self, user, password):
        return self.ok(f"LOGIN {quote(user)} {quote(password)}")

    def logout(self):
        r = self.ok("LOGOUT")
        assert [x for x in r.untagged if x.status == "BYE"], r
        assert self.is_closed(5)
        self.close()
        return r

    def capability(self):
        return {str(x).upper() for x in self.ok("CAPABILITY").one(
            "CAPABILITY").data}

    # ---- what many tests do -----------------------------------------------

    def append(self, mailbox, message, flags="", date=""):
        flags = f" ({flags})" if flags else ""
        date = f' "{date}"' if date else ""
        return self.ok(f"APPEND {quote(mailbox)}{flags}{date}", message)

    def fetch_one(self, n, items):
        return self.ok(f"FETCH {n} {items}").fetch()[n]

    def uid_fetch(self, uids, items):
        return self.ok(f"UID FETCH {uids} {items}").fetch(by_uid=True)

    def list(self, reference, pattern, verb="LIST"):
        """{name: set of attributes}"""
        r = self.ok(f'{verb} {quote(reference)} {quote(pattern)}')
        return {x.data[2].decode() if isinstance(x.data[2], bytes)
                else str(x.data[2]): {str(a) for a in x.data[0]}
                for x in r.all(verb)}

    def status(self, mailbox, items):
        r = self.ok(f"STATUS {quote(mailbox)} ({items})").one("STATUS")
        return pairs(r.data[1])


def quote(s):
    return '"%s"' % s.replace("\\", "\\\\").replace('"', '\\"')


def insecure():
    """A context that takes any certificate: the tests of TLS have others."""
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    return c
