/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * mutf7.h: modified UTF-7 of mailbox names (RFC 3501 5.1.3).
 *
 * In base/ because two folders need it: mailbox names on the wire
 * (imapd/mailbox/mailname.c) and directory names on disk (maildir/).
 */
#ifndef BASE_MUTF7_H
#define BASE_MUTF7_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/*
 * mutf7_put(b, utf8): append the canonical modified UTF-7 of utf8.  ERR_SYNTAX
 * if it is not UTF-8; b is then as it was.
 */
int mutf7_put(struct buf *b, struct span utf8) ERR_CHECK;

/*
 * mutf7_get(s, b): append the UTF-8 of s.  ERR_SYNTAX for 8-bit bytes,
 * controls, an unfinished or empty shift, base64 of printable ASCII, a shift
 * that immediately follows another, lone surrogates, non-zero trailing bits: so
 * that what is accepted is exactly what mutf7_put() makes.  b is then as it
 * was.
 */
int mutf7_get(struct span s, struct buf *b) ERR_CHECK;

#endif
