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
					 * what stays in the first cache; more
					 * for needles that are longer */
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

struct text_window {
	struct buf text;	/* folded: the end of what was searched already,
				 * one byte shorter than the needle, and what
				 * came since */
	size_t max;
	size_t nhold;
	uint8_t hold[UTF8_MAX];	/* a character that is cut */
	bool is_found;
};

struct text_search {
	struct text_window *w;
	struct buf needle;	/* folded */
	struct span probe;	/* the longest run of it without blanks and line
				 * ends */
	bool is_ascii;
};

struct text_window *
text_window_new(void)
{
	struct text_window *w = mem_zalloc(sizeof(*w));

	buf_init(&w->text, 0);
	return w;
}

void
text_window_free(struct text_window *w)
{
	if (w == NULL)
		return;
	buf_done(&w->text);
	free(w);
}

/* Where a needle may come to lie across two lines that are one. */
static bool
is_fold_place(uint8_t c)
{
	return is_wsp(c) || c == '\n';
}

static struct span
longest_run(struct span s)
{
	struct span best = SPAN_NONE;

	while (s.n > 0) {
		size_t n = 0;

		while (n < s.n && !is_fold_place(s.p[n]))
			n++;
		if (n > best.n)
			best = span_take(s, n);
		s = span_skip(s, n + 1);
	}
	return best;
}

/* How much folded text is searched at once.  At least twice the needle: then
 * what is kept for the next time is no more than what is new. */
static size_t
window_size(const struct text_search *ts)
{
	return ts->needle.n < PIECE / 2 ? PIECE : 2 * ts->needle.n;
}

struct text_search *
text_search_new(struct span needle, struct text_window *w)
{
	struct text_search *ts = mem_zalloc(sizeof(*ts));
	size_t max;

	ts->w = w;
	buf_init(&ts->needle, needle.n * GROWTH);
	fold(needle, &ts->needle);
	ts->is_ascii = is_ascii(buf_span(&ts->needle));
	ts->probe = longest_run(buf_span(&ts->needle));
	max = window_size(ts) + (PIECE + UTF8_MAX) * GROWTH;
	if (w->max < max) {
		buf_done(&w->text);
		buf_init(&w->text, max);
		w->max = max;
	}
	return ts;
}

void
text_search_free(struct text_search *ts)
{
	if (ts == NULL)
		return;
	buf_done(&ts->needle);
	free(ts);
}

void
text_search_reset(struct text_search *ts)
{
	buf_clear(&ts->w->text);
	ts->w->nhold = 0;
	ts->w->is_found = ts->needle.n == 0;
}

/* memmem() is linear: a table for short needles, two-way for long ones, in
 * glibc as in musl. */
static bool
has_needle(struct span text, struct span needle)
{
	return needle.n == 0 || (text.n >= needle.n &&
	    memmem(text.p, text.n, needle.p, needle.n) != NULL);
}

/* Search what is in the window, and keep what may be a beginning. */
static void
look(struct text_search *ts)
{
	struct buf *text = &ts->w->text;
	size_t keep = ts->needle.n - 1;

	if (text->n <= keep)
		return;
	ts->w->is_found = has_needle(buf_span(text), buf_span(&ts->needle));
	buf_consume(text, text->n - keep);
}

bool
is_text_found(struct text_search *ts)
{
	if (!ts->w->is_found)
		look(ts);
	return ts->w->is_found;
}

bool
text_search_feed(struct text_search *ts, struct span s)
{
	struct text_window *w = ts->w;

	while (s.n > 0 && !w->is_found) {
		struct span piece = span_take(s, PIECE);

		if (w->nhold > 0) {
			/* Complete the cut character, byte by byte. */
			w->hold[w->nhold++] = s.p[0];
			s = span_skip(s, 1);
			piece = span_of(w->hold, w->nhold);
			if (charset_utf8_tail(piece) == piece.n)
				continue;
			w->nhold = 0;
		} else {
			s = span_skip(s, piece.n);
			w->nhold = charset_utf8_tail(piece);
			piece.n -= w->nhold;
			if (w->nhold > 0)
				memcpy(w->hold, piece.p + piece.n, w->nhold);
		}
		fold(piece, &w->text);
		if (w->text.n >= window_size(ts))
			look(ts);
	}
	return w->is_found;
}

/* Whole blocks, as fold_blocks(). */
static size_t
upper_blocks(const uint8_t *restrict p, size_t n, uint8_t *restrict q)
{
	size_t i = 0;

	for (; n - i >= BLOCK; i += BLOCK)
		for (size_t j = 0; j < BLOCK; j++) {
			uint8_t c = p[i + j];
			uint8_t is_low = (uint8_t)(c - 'a') < 26;

			q[i + j] = (uint8_t)(c - (is_low << 5));
		}
	return i;
}

void
text_upper(struct span s, struct buf *out)
{
	uint8_t *q = s.n == 0 ? NULL : buf_room(out, s.n);

	if (q == NULL)
		return;
	for (size_t i = upper_blocks(s.p, s.n, q); i < s.n; i++)
		q[i] = to_upper(s.p[i]);
	out->n += s.n;
}

/*
 * To unfold is to remove a line end in front of a blank: a run of the needle
 * without either is in one piece in the raw text too.
 */
enum text_raw
text_search_raw(const struct text_search *ts, struct span upper)
{
	if (ts->needle.n == 0)
		return TEXT_YES;
	if (!ts->is_ascii || !has_needle(upper, ts->probe))
		return TEXT_NO;
	return ts->probe.n == ts->needle.n ? TEXT_YES : TEXT_MAYBE;
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

/* The charset of a part; in the extended form (RFC 2231 4) it stands behind the
 * second quote, and has no reason to be encoded. */
static struct span
charset_of(const struct content *c)
{
	const struct content_param *p;

	for (p = c->params; p != NULL; p = p->next) {
		if (is_span_ieq(p->name, SPAN("charset")))
			return p->value;
		if (is_span_ieq(p->name, SPAN("charset*")))
			return span_skip(p->value,
			    span_rfind(p->value, '\'') + 1);
	}
	return SPAN_NONE;
}

struct text_part *
text_part_new(const struct content *c, struct charset_pool *pool)
{
	struct text_part *tp = mem_zalloc(sizeof(*tp));

	cte_init(&tp->cte, cte_find(c->encoding));
	buf_init(&tp->decoded, SIZE_MAX / 2);
	if (charset_pool_get(pool, charset_of(c), &tp->cs) != 0)
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
text_header(struct span s, struct charset_pool *pool, struct buf *out)
{
	rfc2047_decode(s, pool, out);
}
