/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * utf8.h: UTF-8 (RFC 3629), without surrogates and overlong forms.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

#define UTF8_REPLACEMENT	0xFFFDu
#define UTF8_MAX		4	/* bytes of one character */

/*
 * utf8_step(s, ret_cp): length in bytes of the character at the start of s
 * (which is not empty), 1 to 4, and its code point.  At a malformed or cut
 * sequence the length is the count of bytes to skip (at least 1: the maximal
 * subpart, as Unicode 3.9 recommends) and the code point UTF8_REPLACEMENT with
 * *ret_ok false.
 */
size_t utf8_step(struct span s, uint32_t *ret_cp, bool *ret_ok);

/* All of s is well-formed. */
bool is_utf8(struct span s);

/* ascii_len(s): count of bytes at the start of s that are below 0x80. */
size_t ascii_len(struct span s);

/* All of s is below 0x80. */
bool is_ascii(struct span s);

/* The character cp, a Unicode scalar value; anything else as U+FFFD. */
void utf8_put(struct buf *b, uint32_t cp);

/* s with each malformed sequence replaced by U+FFFD. */
void utf8_put_clean(struct buf *b, struct span s);

#endif
