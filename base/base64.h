/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * base64.h: base64 as protocols use it (RFC 4648 section 4), strictly.  The
 * tolerant decoder for mail is message/cte.h; modified UTF-7 is its own.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/* Append s encoded, with padding and without line ends. */
void base64_put(struct buf *b, struct span s);

/*
 * base64_get(s, b): append the decoded bytes of all of s.  ERR_SYNTAX for a
 * foreign byte, a missing or misplaced pad or non-zero trailing bits; ERR_LIMIT
 * if b is full.  On error b is as it was.
 */
int base64_get(struct span s, struct buf *b) ERR_CHECK;

#endif
