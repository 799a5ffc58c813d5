/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "message/rfc2047.h"

#include "base/num.h"
#include "base/utf8.h"
#include "message/cte.h"

/* One encoded word, taken apart. */
struct word {
	struct span charset;
	bool is_base64;
	struct span text;
	size_t len;		/* of all of it */
};

/* A run of adjacent words in one charset, being converted. */
struct run {
	struct charset *cs;	/* NULL: none is going on */
	struct charset_pool *pool;
	struct span name;
	struct buf *out;
};

/*
 * RFC 2047 2, with the language of RFC 2231 5:
 *
 *	encoded-word = "=?" charset ["*" language] "?" encoding "?"
 *	    encoded-text "?="
 *
 * Blanks and line ends are let into the text: mailers put them there.  What
 * follows the last "?=" of the field is no word and is not looked at: without
 * that a field of many beginnings and no end would be read once for each.
 */
static bool
parse_word(struct span s, const uint8_t *last, struct word *ret)
{
	struct span rest, charset;
	size_t i;

	if (!has_prefix(s, SPAN("=?")) || s.p >= last)
		return false;
	rest = span_skip(s, 2);
	i = span_find(span_take(rest, CHARSET_NAME_MAX + 20), '?');
	if (i == 0 || rest.n - i < 3 || rest.p[i] != '?' ||
	    rest.p[i + 2] != '?')
		return false;
	charset = span_take(rest, i);
	ret->charset = span_split(&charset, '*');
	switch (rest.p[i + 1]) {
	case 'q': case 'Q':
		ret->is_base64 = false;
		break;
	case 'b': case 'B':
		ret->is_base64 = true;
		break;
	default:
		return false;
	}
	rest = span_skip(rest, i + 3);
	for (i = 0; i + 1 < rest.n; i++) {
		if (rest.p[i] == '?' && rest.p[i + 1] == '=') {
			ret->text = span_take(rest, i);
			ret->len = (size_t)(rest.p + i + 2 - s.p);
			return true;
		}
	}
	return false;
}

/* The "Q" encoding (RFC 2047 4.2) */
static void
decode_q(struct span s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		int hi = -1, lo = -1;

		if (s.p[i] == '=' && s.n - i > 2) {
			hi = num_hexdigit(s.p[i + 1]);
			lo = num_hexdigit(s.p[i + 2]);
		}
		if (hi >= 0 && lo >= 0) {
			buf_putc(out, (uint8_t)(hi << 4 | lo));
			i += 2;
		} else if (s.p[i] != '\r' && s.p[i] != '\n') {
			buf_putc(out, s.p[i] == '_' ? ' ' : s.p[i]);
		}
	}
}

static void
run_end(struct run *run)
{
	if (run->cs == NULL)
		return;
	charset_finish(run->cs, run->out);
	run->cs = NULL;
}

/* Convert one word; false if its charset is unknown. */
static bool
run_word(struct run *run, const struct word *w)
{
	struct buf raw;

	if (run->cs == NULL || !is_span_ieq(run->name, w->charset)) {
		run_end(run);
		if (charset_pool_get(run->pool, w->charset, &run->cs) != 0) {
			run->cs = NULL;
			return false;
		}
		run->name = w->charset;
	}
	buf_init(&raw, w->text.n + 4);
	if (w->is_base64) {
		struct cte_decoder d;

		cte_init(&d, CTE_BASE64);
		cte_feed(&d, w->text, &raw);
		cte_finish(&d, &raw);
		cte_done(&d);
	} else {
		decode_q(w->text, &raw);
	}
	charset_feed(run->cs, buf_span(&raw), run->out);
	buf_done(&raw);
	return true;
}

/* A word in this charset can be converted; run goes on. */
static bool
is_known(const struct run *run, struct span charset)
{
	struct charset *cs;

	return (run->cs != NULL && is_span_ieq(run->name, charset)) ||
	    charset_pool_get(run->pool, charset, &cs) == 0;
}

/* Text that is not encoded: unfolded, cleaned. */
static void
put_text(struct span s, struct buf *out)
{
	while (s.n > 0) {
		size_t lf = span_find(s, '\n');
		struct span line = span_take(s, lf);

		if (lf < s.n && line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (is_ascii(line))	/* nearly always, and much faster */
			buf_put_span(out, line);
		else
			utf8_put_clean(out, line);
		s = span_skip(s, lf + 1);
	}
}

static struct span
skip_blanks(struct span s)
{
	while (s.n > 0 && (is_wsp(s.p[0]) || s.p[0] == '\r' || s.p[0] == '\n'))
		s = span_skip(s, 1);
	return s;
}

/* Where the last "?=" of s is; its beginning if there is none. */
static const uint8_t *
last_end(struct span s)
{
	if (!has_byte(s, '='))
		return s.p;
	while (s.n > 1 && (s.p[s.n - 2] != '?' || s.p[s.n - 1] != '='))
		s.n--;
	return s.n > 1 ? s.p + s.n - 2 : s.p;
}

void
rfc2047_decode(struct span s, struct charset_pool *pool, struct buf *out)
{
	struct run run = { .pool = pool, .out = out };
	const uint8_t *last = last_end(s);
	struct word w;

	while (s.n > 0) {
		size_t i = 0;
		struct span next;
		bool is_decoded;

		/* The text up to the next word. */
		while (i < s.n && !parse_word(span_skip(s, i), last, &w)) {
			i++;
			i += span_find(span_skip(s, i), '=');
		}
		if (i > 0) {
			run_end(&run);
			put_text(span_take(s, i), out);
			s = span_skip(s, i);
			continue;
		}
		is_decoded = run_word(&run, &w);
		if (!is_decoded)
			put_text(span_take(s, w.len), out);
		s = span_skip(s, w.len);
		/* What separates two words is no text (RFC 2047 6.2), but a
		 * word that stays as it is, is text (6.3). */
		next = skip_blanks(s);
		if (is_decoded && next.n < s.n && parse_word(next, last, &w) &&
		    is_known(&run, w.charset))
			s = next;
	}
	run_end(&run);
}

struct span
rfc2047_text(struct span s, struct arena *arena)
{
	struct charset_pool pool;
	struct buf b;
	struct span ret;

	if (is_ascii(s) && !has_byte(s, '\n') && !has_byte(s, '='))
		return s;
	buf_init(&b, SIZE_MAX / 2);
	charset_pool_init(&pool);
	rfc2047_decode(s, &pool, &b);
	charset_pool_done(&pool);
	ret = arena_dup(arena, buf_span(&b));
	buf_done(&b);
	return ret;
}
