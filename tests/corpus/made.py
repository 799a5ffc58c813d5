# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Messages made to be difficult, each for a reason."""


def message(*lines, eol="\n"):
    return eol.join(lines).encode("utf-8", "surrogateescape")


def nested(depth):
    """message/rfc822 inside message/rfc822."""
    head = "Subject: level %d\nMIME-Version: 1.0\n" \
           "Content-Type: message/rfc822\n\n"
    return ("".join(head % i for i in range(depth)) +
            "Subject: innermost\n\nbody\n").encode()


def multiparts(depth):
    """multipart inside multipart."""
    out, tail = "", ""
    for i in range(depth):
        out += f"Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n"
        tail = f"\n--b{i}--\n" + tail
    return ("Subject: deep\nMIME-Version: 1.0\n" + out +
            "Content-Type: text/plain\n\ninnermost" + tail).encode()


MIXED = ("From: Alice <a@example.org>", "Subject: parts", "MIME-Version: 1.0",
         'Content-Type: multipart/mixed; boundary="xx"', "", "preamble", "--xx",
         "Content-Type: text/plain; charset=utf-8",
         "Content-Transfer-Encoding: quoted-printable", "",
         "Gr=C3=BC=C3=9Fe, soft=", "break  ", "end", "--xx",
         "Content-Type: image/png; name=\"a b.png\"",
         "Content-Transfer-Encoding: base64",
         "Content-Disposition: attachment; filename=\"a b.png\"; size=12",
         "Content-ID: <id@example.org>", "Content-Description: a =?x?y?z?=",
         "Content-Language: en, de", "Content-Location: http://example.org/a",
         "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==", "",
         "iVBORw0KGgo=", "", "--xx",
         "Content-Type: message/rfc822", "",
         "From: Bob <b@example.org>", "To: list: x@example.org, Y <y@example"
         ".org>;, z@example.org", "Subject: inside",
         "Content-Type: multipart/alternative; boundary=yy", "",
         "--yy", "", "plain", "--yy", "Content-Type: text/html", "",
         "<b>html</b>", "--yy--", "epilogue of yy", "--xx",
         "Content-Type: multipart/digest; boundary=zz", "", "--zz", "",
         "Subject: digest 1", "", "one", "--zz", "", "Subject: digest 2", "",
         "two", "--zz--", "--xx--", "epilogue")


def messages():
    yield "nothing", b""
    yield "an empty line", b"\n"
    yield "no header", b"no header at all"
    yield "no body", b"Subject: no body"
    yield "header and empty line", b"Subject: empty line only\n\n"
    yield "no last line end", b"Subject: no last line end\n\nbody"
    yield "mixed", message(*MIXED)
    yield "mixed, CRLF", message(*MIXED, eol="\r\n")
    yield "mixed line ends", \
        b"Subject: mixed ends\r\nFrom: a@b\n\nline\r\nline\nline\r\r\nend\n"
    yield "NUL", b"Subject: nul \0 byte\n\nbody with \0 nul\n"
    yield "bare CR", b"Subject: bare cr\n\nbody\rwith\rcr\r"
    yield "8-bit header", \
        b"Subject: 8-bit \xe9\xe8 \xc3\xa9\nFrom: \xe9 <x@y>\n\n\xe9\n"
    yield "5 messages inside", nested(5)
    yield "30 messages inside", nested(30)
    yield "5 multiparts inside", multiparts(5)
    yield "30 multiparts inside", multiparts(30)
    # Boundaries: missing, never closed, a prefix of another, with blanks.
    yield "no boundary parameter", message(
        "Content-Type: multipart/mixed", "", "--xx", "", "a",
        "--xx--")
    yield "empty boundary", message(
        'Content-Type: multipart/mixed; boundary=""', "", "--", "",
        "a", "----")
    yield "no delimiter", message(
        "Content-Type: multipart/mixed; boundary=xx", "",
        "no delimiter at all")
    yield "never closed", message(
        "Content-Type: multipart/mixed; boundary=xx", "", "--xx", "",
        "never closed")
    yield "boundary is a prefix", message(
        "Content-Type: multipart/mixed; boundary=xx", "", "--xx",
        "Content-Type: multipart/mixed; boundary=xxx", "", "--xxx",
        "", "inner", "--xxx--", "--xx", "", "outer", "--xx--")
    yield "blanks behind boundary", message(
        "Content-Type: multipart/mixed; boundary=xx", "", "--xx  ",
        "", "blanks behind", "--xx--  ")
    yield "boundary twice", message(
        "Content-Type: multipart/mixed; boundary=xx", "", "--xx",
        "--xx", "--xx--")
    yield "closed at once", message(
        "Content-Type: multipart/mixed; boundary=xx", "", "--xx--",
        "closed at once")
    yield "part without empty line", message(
        "Content-Type: multipart/mixed; boundary=xx", "", "--xx",
        "Content-Type: text/plain", "no empty line", "--xx--")
    yield "digest of text", message(
        "Content-Type: multipart/digest; boundary=xx", "", "--xx",
        "Content-Type: text/plain", "", "not a message", "--xx--")
    # Content fields.
    yield "type without subtype", message("Content-Type: text", "", "x")
    yield "type with slash only", message("Content-Type: text/", "", "x")
    yield "type is missing", message("Content-Type: ; charset=utf-8", "", "x")
    yield "type in capitals", message(
        "Content-Type: TEXT/HTML; CHARSET=\"ISO-8859-1\";;  a=b;",
        "Content-Transfer-Encoding: QUOTED-PRINTABLE (comment)", "",
        "=E9")
    yield "parameter in pieces", message(
        "Content-Type: text/plain; name*0=ab; name*1=\"c d\";",
        " title*=utf-8'en'a%20b", "", "x")
    yield "extended parameter in pieces", message(
        "Content-Type: text/plain; name*0*=utf-8''a%20;",
        " name*1=b; name*2*=c%20", "", "x")
    yield "comments in type", message(
        "Content-Type: text/plain (comment (nested)); charset = "
        "us-ascii (c)", "Content-Disposition: inline", "", "x")
    yield "message in base64", message("Content-Type: message/rfc822",
                  "Content-Transfer-Encoding: base64", "",
                  "U3ViamVjdDogaW4KCmJvZHkK")
    yield "delivery status", message(
        "Content-Type: message/delivery-status", "",
        "Reporting-MTA: dns; x", "", "Final-Recipient: rfc822; y")
    yield "partial message", message(
        "Content-Type: message/partial; id=1; number=1; total=2", "",
        "part")
    yield "other content fields", message(
        "Content-Language: en", "Content-ID: <a@b> (c)",
        "Content-Description: \"quoted\" text", "", "x")
    # Addresses.
    for field in (
            "a@b", "<a@b>", "A B <a@b>", '"A, B" <a@b>', "a@b (Real Name)",
            "undisclosed-recipients:;", "group: a@b, C <c@d>;",
            "group: a@b", "<@route,@route2:a@b>", "a b c", "<>", "<a>", "@b",
            "a@", '"a b"@c', "a@b, , c@d,", "=?utf-8?q?=C3=A9?= <a@b>",
            "a@[127.0.0.1]", "a (c1) @ (c2) b (c3)", "a.b.@c..d",
            "A \"B\\\"C\" <a@b>", "a@b c@d", "<a@b", "a@b>", "A <a@b> junk",
            "\xe9 <a@b>", "very: <a@b>, x:;, y: z@w;", ";", ":", "(", '"',
            "\\", "A\n B\n\t<a@b>"):
        yield f"address: {field}", message(
            f"To: {field}", f"Cc: x@y, {field}", "", "x")
    # Fields.
    yield "empty fields", message(
        "Subject:", "From:", "To: ", "Date:", "Message-ID:", "",
        "empty fields")
    yield "fields twice", message(
        "Subject: one", "Subject: two", "From: a@b", "From: c@d",
        "To: e@f", "To: g@h", "Date: 1", "Date: 2", "Message-ID: <1>",
        "Message-ID: <2>", "", "twice")
    yield "blank before colon", message(
        "Subject : blank before colon", "From\t: a@b", "",
        "x")
    yield "folded subject", message(
        "Subject: folded", " once", "\ttwice", "  ", "   end", "",
        "x")
    yield "begins with a blank", message(
        " Subject: begins with a blank", "From: a@b", "", "x")
    yield "line without colon", message(
        "not a field", "Subject: behind it", "From: a@b", "", "x")
    yield "quotes in subject", message(
        "Subject: \"quotes\" and \\ backslash", "In-Reply-To: "
        "<a@b>\n <c@d>", "References: <r@s>", "", "x")
    yield "long fields", message(
        "Subject: " + "long " * 400, "To: " + ", ".join(
        f"User {i} <u{i}@example.org>" for i in range(300)), "", "x")
    yield "sender and reply-to", message(
        "Sender: s@t", "Reply-To: r@t", "From: f@t", "", "x")
    yield "empty sender", message(
        "Sender: ", "Reply-To: ,", "From: f@t", "", "x")
    for date in ("Thu, 22 Aug 2002 18:26:25 +0700", "22 Aug 02 18:26 EDT",
                 "Thu Aug 22 18:26:25 2002", "2002-08-22T18:26:25Z",
                 "rubbish", "Thu, 22 Aug 2002 23:59:59 -1200",
                 "Thu, 22 Aug 2002 00:00:01 +1400"):
        yield f"date: {date}", message(
            f"Date: {date}", "Subject: date", "", "x")
    # Search text in disguise.
    yield "subject in three charsets", message(
        "Subject: =?utf-8?b?w4TDlsOc?= =?iso-8859-1?q?_=E9t=E9?=",
        "Content-Type: text/plain; charset=iso-8859-1",
        "Content-Transfer-Encoding: quoted-printable", "",
        "=C4pfel und viagra=", " in two lines")
    yield "html in base64", message(
        "Subject: base64", "Content-Type: text/html; charset=utf-8",
        "Content-Transfer-Encoding: base64", "",
        "PGI+Y2xpY2sgaGVyZTwvYj4=")
    yield "no text", message(
        "Subject: no text", "Content-Type: application/octet-stream",
        "Content-Transfer-Encoding: base64", "",
        "Y2xpY2sgaGVyZQ==")
    yield "long line", \
        b"Subject: lines of many bytes\n\n" + b"x" * 300000 + b"\n"
    yield "large", b"Subject: more than is kept in memory\n\n" + \
        b"0123456789 abcdef\n" * 100000
