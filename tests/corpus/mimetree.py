# Copyright (c) 2026 the imapd authors
# SPDX-License-Identifier: ISC
"""The parts of a message as two parsers see them: imapd's, from BODYSTRUCTURE
and BINARY[n], and that of Python's email package."""

import binascii
import email
import email.policy
import re


def is_body(x):
    """A child of a multipart, not one of its extension fields."""
    return isinstance(x, list) and bool(x) and (
        isinstance(x[0], list) or (len(x) >= 7 and isinstance(x[6], int)))


def is_message(body):
    """message/global, to a client of RFC 3501, is a part like any other."""
    return [str(x).lower() for x in body[:2]] == [str(b"message"),
                                                  str(b"rfc822")]


def parts(body, path=()):
    """(number as a tuple, BODYSTRUCTURE of the part) of every part, the
    multiparts but for the message itself included."""
    if isinstance(body[0], list):
        if path:
            yield path, body
        for i, child in enumerate(x for x in body if is_body(x)):
            yield from parts(child, path + (i + 1,))
        return
    yield path or (1,), body
    if is_message(body):
        inner = body[8]
        if isinstance(inner[0], list):
            for i, child in enumerate(x for x in inner if is_body(x)):
                yield from parts(child, (path or (1,)) + (i + 1,))
        else:
            yield from parts(inner, (path or (1,)) + (1,))


def ours(body, size, path=()):
    """(type, children or size); size(number) is the decoded size of a part,
    None if there is no such part: the multipart has none."""
    if isinstance(body[0], list):
        children = [x for x in body if is_body(x)]
        subtype = next(x for x in body if isinstance(x, bytes))
        kind = "multipart/" + text(subtype)
        if len(children) == 1 and not isinstance(children[0][0], list) and \
                not is_message(children[0]) and size(path + (1,)) is None:
            return kind, "no parts"
        return kind, [ours(x, size, path + (i + 1,))
                      for i, x in enumerate(children)]
    kind = text(body[0]) + "/" + text(body[1])
    number = path or (1,)
    if is_message(body):
        inner = body[8]
        return kind, [ours(inner, size, number if isinstance(
            inner[0], list) else number + (1,))]
    if kind.startswith("multipart/"):
        return kind, "no parts"
    return kind, "" if is_other_message(kind) else size(number)


def text(b):
    return b.decode("ascii", "replace").lower()


def is_other_message(kind):
    """What Python takes for a message and is none (RFC 3464, 2046 5.2.2)."""
    return kind.startswith("message/") and kind != "message/rfc822"


def python(raw):
    return of(email.message_from_bytes(raw, policy=email.policy.compat32))


def of(message):
    kind = message.get_content_type()
    if is_other_message(kind):
        return kind, ""
    if message.is_multipart():
        return kind, [of(x) for x in message.get_payload()]
    if kind.startswith("multipart/"):
        return kind, "no parts"
    return kind, decoded_size(message)


def decoded_size(message):
    """By Python's decoders, where the text is as it should be: what they make
    of other text is their own."""
    # As it was read: get_payload() would have it in the part's charset.
    raw = message._payload.encode("ascii", "surrogateescape")
    encoding = message.get("content-transfer-encoding", "").lower()
    if encoding == "base64":
        data = message.get_payload(decode=True)
        return len(decode_base64(raw) if message.defects else data)
    if encoding == "quoted-printable":
        raw = strip_blanks(raw)
        if re.search(rb"=(?![0-9A-Fa-f]{2}|\r?\n)", raw):
            return len(decode_qp(raw))
        return len(binascii.a2b_qp(raw))
    return len(message.get_payload(decode=True))


# ---- decoding, slow and obvious --------------------------------------------

def strip_blanks(b):
    """RFC 2045 6.7 rule 3: "any trailing white space on a line must be
    deleted"."""
    return re.sub(rb"[ \t]+(?=\r?\n|\r?$)", b"", b)


def decode_qp(b):
    out = bytearray()
    b = strip_blanks(b)
    i = 0
    while i < len(b):
        m = re.compile(rb"=([0-9A-Fa-f]{2})|=(\r?\n|\r?$)").match(b, i)
        if m:
            out += bytes.fromhex((m.group(1) or b"").decode())
            i = m.end()
        else:
            out.append(b[i])
            i += 1
    return bytes(out)


ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def decode_base64(b):
    """Other characters are ignored (RFC 2045 6.8); padding ends a text, behind
    which another may begin."""
    out = b""
    for text in re.sub(rb"[^A-Za-z0-9+/=]", b"", b).split(b"="):
        bits = "".join(f"{ALPHABET.index(c):06b}" for c in text)
        out += bytes(int(bits[i:i + 8], 2)
                     for i in range(0, len(bits) // 8 * 8, 8))
    return out


def decode_uu(b):
    m = re.search(rb"(?ms)^begin [^\n]*\n(.*?)^end", b)
    return b"".join(binascii.a2b_uu(line.rstrip(b"\r"))
                    for line in m.group(1).split(b"\n") if line.strip())


DECODERS = {b"7bit": bytes, b"8bit": bytes, b"binary": bytes,
            b"quoted-printable": decode_qp, b"base64": decode_base64,
            b"x-uuencode": decode_uu}


def decode(encoding, b):
    """None for an encoding that nobody knows."""
    f = DECODERS.get(encoding.lower())
    return f(b) if f else None
