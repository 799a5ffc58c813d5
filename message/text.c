/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "message/text.h"

#include <stdlib.h>

#include <utf8proc.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "message/charset.h"
#include "message/cte.h"
#include "message/rfc2047.h"

#define BLOCK		32		/* bytes folded at once */
#define PIECE		(16 * 1024)	/* bytes folded between two searches:
					 * what stays in the first cache */
#define DECOMPOSED_MAX	32		/* code points of one (Unicode has
					 * 18 at most) */
#define GROWTH		33		/* U+FDFA: 3 bytes become 33 */

/* ---- folding --------------------------------------------------------- */

/* Whole blocks of ASCII without CR, from p to q; the count of bytes.  A block
 * at a time, so that the compiler makes vector instructions of it. */
static size_t
fold_blocks(const uint8_t *restrict p, size_t n, uint8_t *restrict q)
{
	size_t i = 0;

	for (; n - i >= BLOCK; i += BLOCK) {
		uint8_t other = 0;

		for (size_t j = 0; j < BLOCK; j++) {
			uint8_t c = p[i + j];
			uint8_t is_low = (uint8_t)(c - 'a') < 26;

			other |= (uint8_t)((c & 0x80) | (c == '\r'));
			q[i + j] = (uint8_t)(c - (is_low << 5));
		}
		if (other != 0)
			break;
	}
	return i;
}

/*
 * RFC 5051 2: a character's title case, and that fully decomposed.
 */
static void
fold_char(uint32_t cp, struct buf *out)
{
	utf8proc_int32_t v[DECOMPOSED_MAX];
	utf8proc_ssize_t n;
	int last = UTF8PROC_BOUNDCLASS_START;

	cp = (uint32_t)utf8proc_totitle((utf8proc_int32_t)cp);
	n = utf8proc_decompose_char((utf8proc_int32_t)cp, v, DECOMPOSED_MAX,
	    UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, &last);
	if (n <= 0 || n > DECOMPOSED_MAX) {
		utf8_put(out, cp);
		return;
	}
	for (utf8proc_ssize_t i = 0; i < n; i++)
		utf8_put(out, (uint32_t)v[i]);
}

/* Append s, which is UTF-8 (malformed bytes become U+FFFD), folded. */
static void
fold(struct span s, struct buf *out)
{
	while (s.n > 0) {
		uint8_t *q = buf_room(out, s.n);
		size_t n = 0;
		uint32_t cp;
		bool ok;

		if (q == NULL)
			return;
		n = fold_blocks(s.p, s.n, q);
		out->n += n;
		s = span_skip(s, n);
		/* What is left of the piece, or the block that stopped it. */
		for (n = 0; n < BLOCK && s.n > 0; n++) {
			if (s.p[0] < 0x80) {
				if (s.p[0] != '\r')
					buf_putc(out, to_upper(s.p[0]));
				s = span_skip(s, 1);
				continue;
			}
			s = span_skip(s, utf8_step(s, &cp, &ok));
			fold_char(cp, out);
		}
	}
}

void
text_fold(struct span s, struct buf *out)
{
	fold(s, out);
}

/* ---- searching ------------------------------------------------------- */

struct text_search {
	struct buf needle;	/* folded */
	struct buf text;	/* the end of what was searched already, one
				 * byte shorter than the needle, and the next
				 * piece, folded */
	size_t nhold;
	uint8_t hold[UTF8_MAX];	/* a character that is cut */
	bool is_found;
};

struct text_search *
text_search_new(struct span needle)
{
	struct text_search *ts = mem_zalloc(sizeof(*ts));

	buf_init(&ts->needle, needle.n * GROWTH);
	fold(needle, &ts->needle);
	buf_init(&ts->text, ts->needle.n + (PIECE + UTF8_MAX) * GROWTH);
	text_search_reset(ts);
	return ts;
}

void
text_search_free(struct text_search *ts)
{
	if (ts == NULL)
		return;
	buf_done(&ts->needle);
	buf_done(&ts->text);
	free(ts);
}

void
text_search_reset(struct text_search *ts)
{
	buf_clear(&ts->text);
	ts->nhold = 0;
	ts->is_found = ts->needle.n == 0;
}

bool
is_text_found(const struct text_search *ts)
{
	return ts->is_found;
}

/* The next piece, which ends between two characters. */
static void
search_piece(struct text_search *ts, struct span s)
{
	size_t keep = ts->needle.n - 1;

	fold(s, &ts->text);
	if (ts->text.n <= keep)
		return;
	ts->is_found = memmem(ts->text.p, ts->text.n, ts->needle.p,
	    ts->needle.n) != NULL;
	buf_consume(&ts->text, ts->text.n - keep);
}

bool
text_search_feed(struct text_search *ts, struct span s)
{
	while (s.n > 0 && !ts->is_found) {
		struct span piece = span_take(s, PIECE);

		if (ts->nhold > 0) {
			/* Complete the cut character, byte by byte. */
			ts->hold[ts->nhold++] = s.p[0];
			s = span_skip(s, 1);
			piece = span_of(ts->hold, ts->nhold);
			if (charset_utf8_tail(piece) == piece.n)
				continue;
			ts->nhold = 0;
			search_piece(ts, piece);
			continue;
		}
		s = span_skip(s, piece.n);
		ts->nhold = charset_utf8_tail(piece);
		piece.n -= ts->nhold;
		if (ts->nhold > 0)
			memcpy(ts->hold, piece.p + piece.n, ts->nhold);
		search_piece(ts, piece);
	}
	return ts->is_found;
}

/* ---- parts ----------------------------------------------------------- */

struct text_part {
	struct cte_decoder cte;
	struct charset *cs;	/* the pool's, or own */
	struct charset *own;
	struct buf decoded;
};

bool
is_text_content(const struct content *c)
{
	return is_content_type(c, SPAN("text"), SPAN("")) ||
	    is_content_type(c, SPAN("message"), SPAN(""));
}

struct text_part *
text_part_new(const struct content *c, struct charset_pool *pool)
{
	struct text_part *tp = mem_zalloc(sizeof(*tp));
	const struct content_param *p = c->params;

	while (p != NULL && !is_span_ieq(p->name, SPAN("charset")))
		p = p->next;
	cte_init(&tp->cte, cte_find(c->encoding));
	buf_init(&tp->decoded, SIZE_MAX / 2);
	if (charset_pool_get(pool, p == NULL ? SPAN_NONE : p->value,
	    &tp->cs) != 0)
		tp->own = tp->cs = charset_open_unknown();
	return tp;
}

void
text_part_free(struct text_part *tp)
{
	if (tp == NULL)
		return;
	cte_done(&tp->cte);
	charset_free(tp->own);
	buf_done(&tp->decoded);
	free(tp);
}

static bool
has_encoding(const struct text_part *tp)
{
	return tp->cte.cte != CTE_NONE && tp->cte.cte != CTE_UNKNOWN;
}

void
text_part_feed(struct text_part *tp, struct span raw, struct buf *out)
{
	if (has_encoding(tp)) {
		buf_clear(&tp->decoded);
		cte_feed(&tp->cte, raw, &tp->decoded);
		raw = buf_span(&tp->decoded);
	}
	charset_feed(tp->cs, raw, out);
}

void
text_part_finish(struct text_part *tp, struct buf *out)
{
	buf_clear(&tp->decoded);
	cte_finish(&tp->cte, &tp->decoded);
	charset_feed(tp->cs, buf_span(&tp->decoded), out);
	charset_finish(tp->cs, out);
}

bool
is_text_part_plain(const struct text_part *tp, struct span raw)
{
	return !has_encoding(tp) && is_charset_ascii(tp->cs) && is_ascii(raw);
}

void
text_header(struct span body, struct charset_pool *pool, struct buf *out)
{
	rfc2047_decode(body, pool, out);
}
