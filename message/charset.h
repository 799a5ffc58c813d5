/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * charset.h: any charset to UTF-8, as a stream.
 *
 * UTF-8 (and US-ASCII, which is read as UTF-8: 8-bit text under that label
 * usually is), ISO-8859-1 and windows-1252 are built in; all others come from
 * iconv.  What comes out is always well-formed UTF-8: a malformed sequence
 * becomes one U+FFFD, by the maximal subpart rule of Unicode 3.9 for UTF-8 and
 * byte by byte for the others (iconv's among them may place it differently when
 * malformed text comes in other pieces).
 *
 * glibc's iconv reads its tables from files (gconv) when a charset is opened: a
 * sandbox must let it, or those charsets are unsupported.
 */
#ifndef MESSAGE_CHARSET_H
#define MESSAGE_CHARSET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

#define CHARSET_NAME_MAX	40	/* RFC 2978 2.3 */

struct charset;

/*
 * charset_open(name, ret): a converter from the charset of that MIME name;
 * empty: US-ASCII.  ERR_UNSUPPORTED if nobody knows it (or iconv's tables are
 * out of reach); callers then usually go on with charset_open_unknown().
 */
int charset_open(struct span name, struct charset **ret) ERR_CHECK;

/* charset_open_unknown(): for text in an unknown charset: as UTF-8. */
struct charset *charset_open_unknown(void);

void charset_free(struct charset *cs);

/* charset_feed(cs, s, out): append s converted; a character that is cut by the
 * end of s waits for the rest. */
void charset_feed(struct charset *cs, struct span s, struct buf *out);

/* charset_reset(cs): forget what was fed; cs is as new. */
void charset_reset(struct charset *cs);

/* charset_finish(cs, out): the end of the text: a cut character becomes U+FFFD;
 * cs is as new. */
void charset_finish(struct charset *cs, struct buf *out);

/* The next bytes, if they are ASCII, stand for themselves: they need not be
 * fed. */
bool is_charset_ascii(const struct charset *cs);

/* charset_utf8_tail(s): count of bytes at the end of s that are the beginning
 * of a character of UTF-8 whose rest is missing. */
size_t charset_utf8_tail(struct span s);

/* charset_convert(name, s, out): all at once, and strictly; with nothing
 * appended ERR_UNSUPPORTED for a charset nobody knows, ERR_SYNTAX for text that
 * is malformed in it. */
int charset_convert(struct span name, struct span s, struct buf *out) ERR_CHECK;

#endif
