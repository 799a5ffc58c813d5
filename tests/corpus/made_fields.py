# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Header fields of an envelope made to be difficult."""

from made import message

ADDRESSES = [
    # RFC 5322 3.4, with comments, quoting and the obsolete forms of 4.4.
    '"a.b" <a@b>', "A.B. <a@b>", "A B. C <a@b>", '"A" "B" <a@b>',
    '"A" B "C" <a@b>', "A (c) B <a@b>", "(c) a@b", "a@b (c) (d)",
    "a@b (c (d) e)", "a@b (c\\) d)", "A <a@b> (c)", "A < a@b >",
    "A <(c)a(d)@(e)b(f)>", '"a\\"b"@c', '"a"."b"@c', 'a."b".c@d', "a . b@c . d",
    "a@b(c).d", "a@[IPv6:::1]", "a@[1.2.\n 3.4]", '""@b', '"" <a@b>',
    "<@r:a@b>", "A <@r,@s:a@b>", "<@r , , @s:a@b>", "<@:a@b>", "<@r a@b>",
    "g:;", "g: ;", "g:(c);", "g: a@b;, c@d", "g: A <a@b>, c@d;", "g: ,, ;",
    '"g, h": a@b;', "g h: a@b;", "(c) g: a@b;", "g: h: a@b;;", "g: a@b; h:;",
    "a@b,,,c@d", ", a@b", "a@b,", ",", "a@b\n ,\n c@d",
    # What mailers have made of it.
    "a@b; c@d", "a@b;", "a@b c@d", "a@b\tc@d", "a b@c", "A <a@b>, B",
    "A, B <a@b>", "a@b@c", "<a@b@c>", "@", "<@>", "@b, c@d", "a@, c@d",
    "<a@b> <c@d>", "<<a@b>>", "A <<a@b>>", "A <a@b>>", "A <a@b", "A <a",
    "A <", "A >", "A <a@b> c@d", "A <a@b>, junk, c@d", "A <a b@c>", "A <>",
    "A <a@b.>", "a@b.", "a@.b", ".a@b", "a.@b", "a..b@c", "'a@b'",
    "'A B' <a@b>", "A@B <a@b>", "A [x] <a@b>", "[x] <a@b>", "A: B <a@b>",
    "mailto:a@b", "<mailto:a@b>", "a@b [mailto:a@b]", "A \\<a@b\\>", '"A <a@b>',
    'A" <a@b>', '"A"B" <a@b>', "A (c <a@b>", "A) <a@b>", "root", "root, a",
    "root (c)", "a@b <c@d>", "Undisclosed recipients <>", "undisclosed",
    "a@b?subject=c", "a%b@c", "a!b!c", "a@b/c", "=?utf-8?q?A?= <a@b>",
    '"=?utf-8?q?A?=" <a@b>', "=?utf-8?q?A?=\n =?utf-8?q?B?= <a@b>",
    "=?utf-8?q?A, B?= <a@b>", "=?utf-8?q?A=40?= <a@b>", "=?x?=<a@b>",
    "\u00e9@b", "\u00e9 <\u00e9@\u00e9>", "\udce9\udce8 <a@b>", '"\udce9" <a@b>',
    "a@b (\udce9)", "A\tB  C <a@b>", '"A\tB  C" <a@b>', '"A\n B" <a@b>',
    "(A\n B) a@b", "a@b (A  B)", "a@b ()", "a@b (  )", "() a@b", "((", "a@(",
    "<(", '"', '"a', '"a"', '"a"@', '"a" b', "\\a@b", "a\\@b@c", "a@b\\", "a\rb@c",
    "A\r <a@b>",
]

DATES = ["", " ", "Thu, 22 Aug 2002 18:26:25 +0700 (ICT)",
         "Thu,\n 22 Aug 2002\n\t18:26:25 +0700", "22  Aug  2002 18:26",
         "(c) 22 Aug 2002 18:26:25 GMT"]

SUBJECTS = ["", " ", "\n ", "a  b", "a\tb", "a\n\tb", "a\n b\n  c\n", "a \n b",
            "\n a", "a:b", ":a", "=?utf-8?q?a?=", "=?utf-8?q?a?= =?utf-8?q?b?=",
            "=?utf-8?q?a b?=", "=?utf-8?q?a", "=?UTF-8*en?Q?a?=", "=?x?y?z?=",
            "\u00e9", "\udce9", "a\\b", "{3}", "\"", "x" * 998, "x " * 5000,
            "a\rb", "\ra", "a\r", "(c)", "NIL"]

IDS = ["<a@b>", "a@b", "<a@b> (c)", "<a@b>\n <c@d>", "", "<a b@c>", '<"a"@b>',
       "Your message of Monday <a@b>", "<a@b", "<<a@b>>", "\u00e9"]

# Header blocks; the text of the body is on a line of its own.
BLOCKS = {
    "names in capitals": ("SUBJECT:x", "FROM:a@b", "TO:c@d"),
    "no blank behind colon": ("Subject:x", "From:a@b"),
    "blanks in front of colon": ("Subject  :x", "From\t:a@b"),
    "mbox line": ("From a@b Thu Aug 22 18:26:25 2002", "Subject: x"),
    ">mbox line": (">From a@b Thu Aug 22 18:26:25 2002", "Subject: x"),
    "line without colon": ("Subject: x", "no colon", "From: a@b"),
    "colon only": (":", ": x", "Subject: x"),
    "name with blanks": ("Sub ject: x", "From: a@b"),
    "8-bit name": ("Subj\u00e9ct: x", "From: a@b"),
    "folded with an empty line": ("Subject: x", " ", "From: a@b"),
    "folded before the first field": (" folded", "Subject: x"),
    "folded behind a line without colon": ("none", " Subject: x", "From: a@b"),
    "name without a body": ("Subject", "From: a@b"),
    "name alone, then folded": ("Subject", " : x", "From: a@b"),
    "fields joined": ("From: a@b", "From: c@d", "To: e@f", "To: g@h, i@j",
                      "Cc: k@l", "Cc:", "Cc: m@n"),
    "resent fields": ("Resent-From: a@b", "From: c@d", "Resent-To: e@f"),
    "sender only": ("Sender: a@b",),
    "empty from": ("From:", "Sender: a@b", "Reply-To: c@d"),
    "reply to a group": ("From: a@b", "Reply-To: g:;"),
    "many colons": ("Subject: a: b: c", "From: a@b"),
    "long name": ("X" * 2000 + ": x", "Subject: y"),
    "apparently to": ("Apparently-To: a@b", "Subject: x"),
}

# The bytes as they are.
RAW = {
    "bare CR ends lines": b"Subject: x\rFrom: a@b\r\rbody\r",
    "CR CR LF ends lines": b"Subject: x\r\r\nFrom: a@b\r\r\n\r\r\nbody\r\r\n",
    "LF CR ends lines": b"Subject: x\n\rFrom: a@b\n\r\n\rbody\n\r",
    "CR at the end of a field": b"Subject: x\r\r\nFrom: a@b\n\nbody\n",
    "header ends in CR": b"Subject: x\n\r",
    "NUL in a name": b"Sub\0ject: x\nFrom: a@b\n\nbody\n",
    "NUL in an address": b"From: a\0b@c\nTo: \"a\0b\" <c@d>\n\nbody\n",
    "NUL in a boundary": b"Content-Type: multipart/mixed; boundary=\"x\0x\"\n\n"
                         b"--x\0x\n\na\n--x\0x--\n",
    "NUL in a type": b"Content-Type: te\0xt/plain; a=\"b\0c\"\n\nbody\n",
    "NULs only": b"\0" * 100,
    "LFs only": b"\n" * 100,
    "CRs only": b"\r" * 100,
    "CRLFs only": b"\r\n" * 100,
    "body only, CRLF": b"\r\nbody\r\n",
    "control characters": bytes(range(1, 10)) + b": x\n\n" + bytes(range(256)),
    "8-bit in all fields": b"".join(
        n + b": \xe9\xff\x80 \xc3\xa9\n" for n in (
            b"Subject", b"From", b"To", b"Date", b"Message-ID", b"In-Reply-To",
            b"Content-Type", b"Content-ID", b"Content-Disposition")) +
    b"\n\xe9\n",
    "long header lines": b"Subject: " + b"x" * 100000 + b"\nTo: " +
                         b"a@b, " * 2000 + b"\n\nbody\n",
    "long folded field": b"Subject: x\n" + b" folded\n" * 5000 + b"\nbody\n",
}


def messages():
    for field in ADDRESSES:
        yield "addresses: " + field, message(f"To: {field}",
                                             f"Cc: {field}, x@y", "", "body")
    for field in DATES:
        yield "date field: " + field, message(f"Date: {field}", "", "body")
    for field in SUBJECTS:
        yield "subject: " + field, message(f"Subject: {field}", "", "body")
    for field in IDS:
        yield "id: " + field, message(f"Message-ID: {field}",
                                      f"In-Reply-To: {field}", "", "body")
    for name, block in BLOCKS.items():
        yield "header: " + name, message(*block, "", "body")
        yield f"header: {name}, CRLF", message(*block, "", "body", eol="\r\n")
        yield f"header: {name}, no body", message(*block)
    for name, raw in RAW.items():
        yield "raw: " + name, raw
