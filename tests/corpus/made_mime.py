# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Multiparts, parts and Content fields made to be difficult."""

from made import message

MIXED = "Content-Type: multipart/mixed; boundary="


def mixed(boundary, *lines, eol="\n"):
    return message("MIME-Version: 1.0", MIXED + boundary, "", *lines, eol=eol)


def part(*lines):
    """A message whose only part has these header lines, and a body."""
    return message("MIME-Version: 1.0", *lines, "", "body of the part",
                   "and more")


BOUNDARIES = {
    "param ends in blank": ('"xx "', "--xx", "", "a", "--xx--"),
    "param ends in blank, lines too": ('"xx "', "--xx ", "", "a", "--xx --"),
    "param begins with blank": ('" xx"', "-- xx", "", "a", "-- xx--"),
    "repeated parameter": ("xx; boundary=yy", "--xx", "", "a", "--yy", "", "b",
                           "--xx--", "--yy--"),
    "specials without quotes": ("=_a/b:c?d=e", "--=_a/b:c?d=e", "", "a",
                                "--=_a/b:c?d=e--"),
    "comment behind": ("xx (comment)", "--xx", "", "a", "--xx--"),
    "quoted pair": ('"x\\"\\\\y"', '--x"\\y', "", "a", '--x"\\y--'),
    "one hyphen": ("-", "---", "", "a", "---", "", "b", "-----"),
    "8-bit": ('"\udce9\udce8"', "--\udce9\udce8", "", "a", "--\udce9\udce8--"),
    "folded": ('"x\n x"', "--x x", "", "a", "--x x--"),
    "quote not closed": ('"xx', "--xx", "", "a", "--xx--"),
    "of 70": ("b" * 70, "--" + "b" * 70, "", "a", "--" + "b" * 70 + "--"),
    "of 150": ("b" * 150, "--" + "b" * 150, "", "a", "--" + "b" * 150 + "--"),
    "of 250": ("b" * 250, "--" + "b" * 250, "", "a", "--" + "b" * 250 + "--"),
    "empty, then another": ("; boundary=xx", "--xx", "", "a", "--xx--"),
    "other case": ("xx", "--XX", "", "a", "--xx", "", "b", "--XX--", "--xx--"),
    "blank in front": ("xx", " --xx", "", "a", "--xx", "", "b", "--xx--"),
    "text behind": ("xx", "--xx junk", "", "a", "--xxjunk", "", "b",
                    "--xx--junk"),
    "closed, then again": ("xx", "--xx", "", "a", "--xx--", "--xx", "", "b",
                           "--xx--"),
    "closed first": ("xx", "--xx--", "--xx", "", "a", "--xx--"),
    "twice in a row": ("xx", "--xx", "--xx", "", "a", "--xx", "--xx--"),
    "no line end at the end": ("xx", "--xx", "", "a", "--xx"),
    "in preamble, not at line start": ("xx", "see --xx", "--xx", "", "a",
                                       "--xx--"),
    "inner is prefix of outer": (
        "xxx", "--xxx", MIXED + "xx", "", "--xx", "", "a", "--xx--", "--xxx",
        "", "b", "--xxx--"),
    "outer is prefix of inner": (
        "xx", "--xx", MIXED + "xxx", "", "--xxx", "", "a", "--xxx--", "--xx",
        "", "b", "--xx--"),
    "inner is the same": ("xx", "--xx", MIXED + "xx", "", "--xx", "", "a",
                          "--xx--", "--xx", "", "b", "--xx--"),
    "inner not closed": ("xx", "--xx", MIXED + "yy", "", "--yy", "", "a",
                         "--xx", "", "b", "--xx--"),
    "inner closed twice": ("xx", "--xx", MIXED + "yy", "", "--yy", "", "a",
                           "--yy--", "--yy--", "--xx", "", "b", "--xx--"),
    "inner goes on in outer": ("xx", "--xx", MIXED + "yy", "", "--yy", "", "a",
                               "--xx", "", "b", "--yy", "", "c", "--xx--"),
    "inner without parameter": ("xx", "--xx", "Content-Type: multipart/mixed",
                                "", "--yy", "", "a", "--xx--"),
    "inner never comes": ("xx", "--xx", MIXED + "yy", "", "text", "--xx--"),
    "part is a header only": ("xx", "--xx", "Content-Type: text/html", "--xx",
                              "Content-Type: text/plain", "", "--xx--"),
    "part without header": ("xx", "--xx", "no header", "", "a", "--xx--"),
    "part is an empty line": ("xx", "--xx", "", "--xx--"),
    "part ends in empty lines": ("xx", "--xx", "", "a", "", "", "--xx--"),
    "message ends at boundary": ("xx", "--xx", "Content-Type: message/rfc822",
                                 "", "Subject: in", "--xx--"),
    "message without header": ("xx", "--xx", "Content-Type: message/rfc822",
                               "", "", "body", "--xx--"),
    "message is empty": ("xx", "--xx", "Content-Type: message/rfc822", "",
                         "--xx--"),
    "message is a multipart": (
        "xx", "--xx", "Content-Type: message/rfc822", "", "Subject: in",
        MIXED + "yy", "", "--yy", "", "a", "--yy", "", "b", "--yy--", "--xx",
        "", "c", "--xx--"),
    "global message": ("xx", "--xx", "Content-Type: message/global", "",
                       "Subject: \u00e9", "", "b", "--xx--"),
    "global message in base64": (
        "xx", "--xx", "Content-Type: message/global",
        "Content-Transfer-Encoding: base64", "", "U3ViamVjdDogaW4KCmIK",
        "--xx--"),
    "message in quoted-printable": (
        "xx", "--xx", "Content-Type: message/rfc822",
        "Content-Transfer-Encoding: quoted-printable", "", "Subject: =41",
        "", "b=3D", "--xx--"),
    "epilogue like a header": ("xx", "--xx", "", "a", "--xx--",
                               "Content-Type: text/html", "", "b"),
}

DIGESTS = {
    "plain": ("--xx", "", "Subject: in", "", "a", "--xx--"),
    "header of the part": ("--xx", "Content-ID: <a@b>", "", "Subject: in", "",
                           "a", "--xx--"),
    "explicit type": ("--xx", "Content-Type: message/rfc822", "",
                      "Subject: in", "", "a", "--xx--"),
    "no empty line": ("--xx", "Subject: in", "", "a", "--xx--"),
    "type that makes no sense": ("--xx", "Content-Type: text", "", "a",
                                 "--xx--"),
    "digest inside": ("--xx", MIXED.replace("mixed", "digest") + "yy", "",
                      "--yy", "", "Subject: in", "", "a", "--yy--", "--xx--"),
    "mixed inside": ("--xx", MIXED + "yy", "", "--yy", "", "a", "--yy--",
                     "--xx--"),
}

TYPES = """\
text/plain
text/html;charset=utf-8
text/html;charset="utf-8
text/html; charset
text/html; charset=
text/html; charset=""
text/html; =x; charset=utf-8
text/html; charset==utf-8
text/html; charset: utf-8
text/html charset=utf-8
text/html, text/plain
text / html ; charset = utf-8
"text/html"
text/html; charset="utf-8" junk; a=b
text/html;;; charset=utf-8;
text/html; charset=utf-8; charset=us-ascii
text/html; a="b;c=d"; e=f
text/html; a=b c; e=f
text/html; a=(comment) b; e=f
(comment) text/html
text/
/html
text
text/html/x; a=b
multipart/
multipart/mixed/x
image/jpeg; name=photo (1).jpg
image/jpeg; name="=?utf-8?q?=C3=A9?=.jpg"
image/jpeg; name==?utf-8?q?=C3=A9?=.jpg
image/jpeg; name="\\a\\"b\\\\"
image/jpeg; NAME=A; name=b
application/octet-stream; name="a@b"; x-y=1
application/x+y.z; a=1
message/partial; id="a"; number=1; total=2
message/external-body; access-type=ANON-FTP; site=a.b
message/delivery-status
message/disposition-notification
""".splitlines() + ["text/html;\n\tcharset=utf-8;\n format=flowed",
                    "text/html; charset=\"us\n -ascii\"",
                    "text/html; a=\udce9; b=\"\udce9\"", ""]

# RFC 2231
PARAMETERS = """\
filename=plain
filename*=utf-8''%e2%82%ac
filename*=utf-8'en'%e2%82%ac%20rates
filename*=iso-8859-1'en'%A3
filename*=%e2%82%ac
filename*=utf-8'%41
filename="x"; filename*=utf-8''%e2%82%ac
filename*=utf-8''%e2%82%ac; filename="x"
filename*0=a; filename*1=b; filename*2=c
filename*2=c; filename*0=a; filename*1=b
filename*1=b; filename*2=c
filename*0=a; filename*2=c
filename*0=a; filename*1=b; filename*1=x
filename*0*=utf-8''%e2; filename*1*=%82%ac; filename*2=" x"
filename*0="a b"; filename*1*=%20c
filename*00=a; filename*01=b
filename*0=a; x=y; FILENAME*1=b
filename*a=b
filename*0*a=b
filename**=b
filename*
*=b
filename*-1=a
""".splitlines() + ["; ".join(f"filename*{i}=p{i}" for i in range(12)),
                    "; ".join(f"filename*{i}=p{i}"
                              for i in reversed(range(12)))]

ENCODINGS = {
    "7bit": "plain =41\n",
    "8BIT": "\udce9 \u00e9\n",
    "binary": "a\rb\n",
    "7bit;": "=41\n",
    "(c) 8bit (d)": "=41\n",
    "": "=41\n",
    "\"base64\"": "YWJj\n",
    "base64 junk": "YWJj\n",
    "base64;": "YWJj\n",
    "Base64": "YWJj\nZGVm\n",
    "base-64": "YWJj\n",
    "quoted printable": "=41\n",
    "x-unknown": "=41\n",
    "x-uuencode": "begin 644 a\n#86)C\n`\nend\n",
}

BASE64 = {
    "no padding": "YWI\n", "one byte more": "YWJjZ\n", "no line end": "YWJj",
    "padding in the middle": "YWI=\nYWJj\n", "padding too long": "YWI====\n",
    "blanks": "Y W J j\n  ZGVm\n", "bad bytes": "YW!Jj-ZG_Vm\n",
    "empty": "", "line ends only": "\n\n", "trailer of a list":
    "YWJj\n_______\nlist\n", "padding only": "====\n",
    "long line": "YWJj" * 1000 + "\n",
}

QP = {
    "lower case": "=c3=a9\n", "not hexadecimal": "=XY =4\n",
    "equals at the end": "a=", "soft break at the end": "a=\n",
    "blanks behind a soft break": "a= \t\nb\n", "blanks at line end":
    "a \t\nb  \n", "8-bit": "\u00e9=C3=A9\n", "soft breaks only": "=\n=\n=\n",
    "encoded line end": "a=0D=0Ab=0Ac\n", "encoded blank at line end":
    "a=20\nb\n", "blanks at the end": "a  ", "long line": "=41" * 1000 + "\n",
    "CR before LF": "a=\r\nb\r\n", "equals twice": "a==41\n",
}


def messages():
    for name, lines in BOUNDARIES.items():
        yield "boundary: " + name, mixed(*lines)
    for name in ("inner is the same", "closed first", "text behind"):
        yield f"boundary: {name}, CRLF", mixed(*BOUNDARIES[name], eol="\r\n")
    yield "boundary: continued", message(
        "MIME-Version: 1.0",
        "Content-Type: multipart/mixed; boundary*0=x; boundary*1=x", "",
        "--xx", "", "a", "--xx--")
    yield "boundary: extended", message(
        "MIME-Version: 1.0",
        "Content-Type: multipart/mixed; boundary*=us-ascii'en'x%78", "",
        "--xx", "", "a", "--xx--")
    for name, lines in DIGESTS.items():
        yield "digest: " + name, message(
            "MIME-Version: 1.0", MIXED.replace("mixed", "digest") + "xx", "", *lines)
    for value in TYPES:
        yield "type: " + value, part("Content-Type: " + value)
    yield "type: repeated", part("Content-Type: text/html",
                                 "Content-Type: text/plain; a=b")
    yield "type: lower case name", part("content-type:text/html")
    for value in PARAMETERS:
        yield "parameter: " + value, part(
            "Content-Type: text/plain; charset=utf-8",
            "Content-Disposition: attachment; " + value)
    for value in ("inline", "inline;", "; filename=x", "attachment filename=x",
                  "ATTACHMENT; filename=a b", "(c) inline (d)", '"inline"', ""):
        yield "disposition: " + value, part("Content-Disposition: " + value)
    for value in ("en", "en, de", "en de", "en,,de,", "(c) en", "", "en;q=1"):
        yield "language: " + value, part("Content-Language: " + value)
    for field in ("ID", "Description", "MD5", "Location"):
        for value in ("a", "", " ", "<a@b>\n (c)", "\"a  b\" =?utf-8?q?c?=",
                      "\udce9"):
            yield f"{field}: {value}", part(f"Content-{field}: {value}")
    for name, body in ENCODINGS.items():
        yield "encoding: " + name, message(
            "MIME-Version: 1.0", "Content-Transfer-Encoding: " + name, "", body)
    for kind, rows in (("base64", BASE64), ("quoted-printable", QP)):
        for name, body in rows.items():
            yield f"{kind}: {name}", message(
                "MIME-Version: 1.0", "Content-Type: text/plain",
                "Content-Transfer-Encoding: " + kind, "", body)
            yield f"{kind}: {name}, in a part", mixed(
                "xx", "--xx", "Content-Transfer-Encoding: " + kind, "", body,
                "--xx--")
