/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * rfc2047.h: encoded words in header fields, to UTF-8.
 */
#ifndef MESSAGE_RFC2047_H
#define MESSAGE_RFC2047_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/span.h"
#include "message/charset_pool.h"

/*
 * rfc2047_decode(s, pool, out): append s (the body of a field, folded or not,
 * or a display name) as UTF-8; pool has the charsets.  Line ends are removed;
 * blanks between two encoded words are removed; adjacent words of one charset
 * are decoded together, so that a character cut in two by a bad mailer is whole
 * again.  Lenient: words longer than 75 bytes, blanks inside of them, words
 * glued to other text or inside quotes, Q encoding with spaces, B encoding
 * without padding, RFC 2231 language tags.  What cannot be decoded stays as it
 * is; bytes that are not UTF-8 outside of encoded words become U+FFFD.
 */
void rfc2047_decode(struct span s, struct charset_pool *pool, struct buf *out);

/* rfc2047_text(s, arena): the same into the arena; s itself when it is plain
 * ASCII on one line. */
struct span rfc2047_text(struct span s, struct arena *arena);

#endif
