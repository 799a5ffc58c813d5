# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""Messages to be searched: the same words in every spelling that mail has."""

import base64
import quopri
import unicodedata

WORDS = [
    "Élan vital à la crème brûlée", "Grüße aus Köln, straße", "Żółć gęślą jaźń",
    "Привет, мир", "こんにちは世界", "ﬁne ligatures and ½ of ①",
    "İstanbul ıssız", "Ελλάδα ΣΊΣΥΦΟΣ σίσυφος", "naïve café résumé", "ﷺ ǆ Ǆ ǅ",
    "e\u0323\u0302 and ê\u0323 and ệ", "ÅÅ Å angstrom", "NBSP\u00a0soft\u00adhyphen",
]
CHARSETS = ["utf-8", "iso-8859-1", "windows-1252", "koi8-r", "iso-2022-jp",
            "shift_jis", "utf-16", "gb2312", "iso-8859-2", "big5"]


def encoded_word(text, charset, encoding):
    b = text.encode(charset)
    if encoding == "b":
        body = base64.b64encode(b).decode()
    else:
        body = "".join(chr(c) if chr(c).isalnum() and c < 128
                       else "_" if c == 32 else f"={c:02X}" for c in b)
    return f"=?{charset}?{encoding}?{body}?="


def fits(text, charset):
    try:
        text.encode(charset)
    except UnicodeError:
        return False
    return True


def body(text, charset, encoding):
    b = text.encode(charset)
    if encoding == "base64":
        return base64.encodebytes(b)
    if encoding == "quoted-printable":
        return quopri.encodestring(b)
    return b


def one(n, text, charset, encoding, word):
    text = f"{text}\nsecond line, {text}\n" * 3
    first = text.split("\n")[0]
    half = len(first) // 2
    subject = encoded_word(first[:half], charset, word) + "\n " + \
        encoded_word(first[half:], charset, word) + "\n\ttail of it"
    return (f"From: {encoded_word(first[:9], charset, word)} <u{n}@example.org>\n"
            f"To: \"quoted, (name)\" <q@example.org>,\n\tother@example.net\n"
            f"Subject: {subject}\n"
            f"Date: {1 + n % 28} Mar 2023 23:59:59 {(n % 24 - 12) * 100:+05d}\n"
            "X-Folded: one\n two\n\tthree\n  four\n"
            "X-Empty:\nNo-Blank:value\nBlank-Before : value\n"
            "MIME-Version: 1.0\n"
            f"Content-Type: text/plain; charset=\"{charset}\"\n"
            f"Content-Transfer-Encoding: {encoding}\n\n").encode() + \
        body(text, charset, encoding)


def messages():
    n = 0
    for text in WORDS:
        for charset in CHARSETS:
            if not fits(text, charset) or \
                    charset not in ("utf-8", "iso-2022-jp", "koi8-r") and n % 3:
                n += 1
                continue
            encoding = ["base64", "quoted-printable", "8bit"][n % 3]
            if charset == "utf-16":
                encoding = "base64"
            yield one(n, text, charset, encoding, "bq"[n % 2])
            n += 1
        # Raw UTF-8 in the header (RFC 6532), in either form of accents.
        for form in ("NFC", "NFD"):
            t = unicodedata.normalize(form, text)
            yield (f"From: {t} <raw@example.org>\nSubject: raw {t}\n\n{t}\n"
                   ).encode()
    # Attachments: what is not text is not searched, whatever it says.
    for kind in ("application/octet-stream", "image/png", "text/x-diff",
                 "message/delivery-status", "application/xml"):
        yield ("Subject: attached\nMIME-Version: 1.0\n"
               "Content-Type: multipart/mixed; boundary=\"=_b\"\n\n"
               "preamble secret\n--=_b\n\nvisible secret\n--=_b\n"
               f"Content-Type: {kind}; name=\"secret.bin\"\n"
               "Content-Transfer-Encoding: base64\n\n"
               + base64.encodebytes(b"hidden secret " * 20).decode() +
               "\n--=_b--\nepilogue secret\n").encode()
    # A needle that lies across what is decoded at a time.
    for size in (16383, 65535, 65536, 131071):
        yield (b"Subject: long\n\n" + b"x" * (size - 4) + b"nee-dle-here\n" +
               "y\u0301".encode() * 1000 + b"\n")
        yield (b"Subject: long qp\nContent-Type: text/plain; charset=utf-8\n"
               b"Content-Transfer-Encoding: quoted-printable\n\n" +
               (b"x" * 70 + b"=\n") * (size // 72) + b"nee=\n-dle=\n-he=\nre\n")
    yield b"Subject: lines\r\n of CRLF\r\n\r\none\r\ntwo\r\nthree\r\n"
    yield b"From someone@example.org  Thu Aug 22 12:36:23 2002\nSubject: mbox\n\nx\n"
