/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * text.h: text to be searched: decoded, converted, folded.
 *
 * Two texts match without regard to case and to the way accents are written
 * (RFC 5051, i;unicode-casemap): each character is replaced by its title case
 * and then by its full compatibility decomposition.  CR is left out, so that
 * line ends match however they are stored.
 *
 *	struct text_search *ts = text_search_new(needle);
 *	struct text_part *tp = text_part_new(&part->content);
 *	while (... raw bytes of the part's body ...) {
 *		buf_clear(&b);
 *		text_part_feed(tp, raw, &b);
 *		if (text_search_feed(ts, buf_span(&b))) ... found ...
 *	}
 *	text_part_finish(tp, &b) likewise; text_search_reset(ts) for the next.
 */
#ifndef MESSAGE_TEXT_H
#define MESSAGE_TEXT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/span.h"
#include "message/charset_pool.h"
#include "message/rfc2045.h"

/* text_fold(s, out): append s, which is UTF-8, as it is compared: two texts are
 * equal, or come one before the other, as the bytes of this do. */
void text_fold(struct span s, struct buf *out);

/*
 * A substring searcher over a text that comes in pieces.
 */
struct text_search;

/* text_search_new(needle): needle is UTF-8, not folded.  An empty needle is in
 * every text, also in none (RFC 3501 6.4.4). */
struct text_search *text_search_new(struct span needle);
void text_search_free(struct text_search *ts);

/* text_search_feed(ts, s): the next piece of the text, UTF-8 not yet folded;
 * true once the needle was found (and from then on). */
bool text_search_feed(struct text_search *ts, struct span s);

/* text_search_reset(ts): a new text begins: nothing matches across. */
void text_search_reset(struct text_search *ts);

bool is_text_found(const struct text_search *ts);

/* is_text_content(c): text/... and message/...: what SEARCH BODY looks at; the
 * children of a multipart are asked themselves. */
bool is_text_content(const struct content *c);

/*
 * The body of a part as UTF-8: transfer encoding undone, charset converted.
 * Unknown encodings are taken as they are, unknown charsets as UTF-8.
 * pool has the charsets; it serves one part at a time.
 */
struct text_part;

struct text_part *text_part_new(const struct content *c,
    struct charset_pool *pool);
void text_part_free(struct text_part *tp);

/* text_part_feed(tp, raw, out): append what raw stands for.  Where raw already
 * is what it stands for (no encoding, ASCII), see is_text_part_plain(). */
void text_part_feed(struct text_part *tp, struct span raw, struct buf *out);
void text_part_finish(struct text_part *tp, struct buf *out);

/*
 * is_text_part_plain(tp, raw): raw can be searched as it is: there is no
 * transfer encoding to undo, and raw is ASCII in a charset that agrees with it.
 * Ask for each piece; if true, do not feed it.
 */
bool is_text_part_plain(const struct text_part *tp, struct span raw);

/* text_header(body, pool, out): append the body of any header field as UTF-8:
 * unfolded, encoded words decoded. */
void text_header(struct span body, struct charset_pool *pool, struct buf *out);

#endif
