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
 *	struct text_window *w = text_window_new();
 *	struct text_search *ts = text_search_new(needle, w);
 *	struct text_part *tp = text_part_new(&part->content, &pool);
 *	text_search_reset(ts);
 *	while (... raw bytes of the part's body ...) {
 *		buf_clear(&b);
 *		text_part_feed(tp, raw, &b);
 *		if (text_search_feed(ts, buf_span(&b))) ... found ...
 *	}
 *	text_part_finish(tp, &b) likewise; then is_text_found(ts) tells.
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
 * The folded text that is being searched: one for any number of needles, of
 * which one is searched for at a time.  So a needle costs its own length.
 */
struct text_window;

struct text_window *text_window_new(void);
void text_window_free(struct text_window *w);

/*
 * A substring searcher over a text that comes in pieces.  Time is linear in the
 * lengths of the needle and of the text, whatever they are made of.
 */
struct text_search;

/* text_search_new(needle, w): needle is UTF-8, not folded; w outlives it.  An
 * empty needle is in every text, also in none (RFC 3501 6.4.4). */
struct text_search *text_search_new(struct span needle, struct text_window *w);
void text_search_free(struct text_search *ts);

/* text_search_reset(ts): a new text begins: nothing matches across. */
void text_search_reset(struct text_search *ts);

/* text_search_feed(ts, s): the next piece of the text, UTF-8 not yet folded.
 * true: the needle was found, and nothing more need be fed; false: not yet, or
 * in what has not been looked at yet. */
bool text_search_feed(struct text_search *ts, struct span s);

/* is_text_found(ts): the needle is in what was fed. */
bool is_text_found(struct text_search *ts);

/*
 * Raw text that stands for itself need not be fed.  text_upper(s, out) appends
 * s with ASCII letters in upper case, byte for byte; what text_search_raw(ts,
 * upper) says of that is said of s.  s is ASCII without a CR in the middle of a
 * line, and lines may be folded (RFC 5322 2.2.3) or not: hence TEXT_MAYBE,
 * where the needle has blanks or line ends.
 */
enum text_raw { TEXT_NO, TEXT_MAYBE, TEXT_YES };

void text_upper(struct span s, struct buf *out);
enum text_raw text_search_raw(const struct text_search *ts, struct span upper);

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

/* text_header(s, pool, out): append any header field, or its body, as UTF-8:
 * unfolded, encoded words decoded. */
void text_header(struct span s, struct charset_pool *pool, struct buf *out);

#endif
