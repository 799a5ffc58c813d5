/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "base/mutf7.h"
#include "base/utf8.h"

/*
 * RFC 3501 5.1.3: printable ASCII stands for itself, "&" is "&-", everything
 * else is UTF-16 in base64 with "," for "/", between "&" and "-", unpadded.
 */
static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static bool
is_direct(uint32_t cp)
{
	return cp >= 0x20 && cp <= 0x7E;
}

struct encoder {
	struct buf *b;
	uint32_t bits;		/* not yet printed, right-aligned */
	unsigned nbits;
	bool is_shifted;
};

static void
put_unit(struct encoder *e, uint32_t unit)
{
	e->bits = e->bits << 16 | unit;
	e->nbits += 16;
	while (e->nbits >= 6) {
		e->nbits -= 6;
		buf_putc(e->b, (uint8_t)alphabet[e->bits >> e->nbits & 63]);
		e->bits &= (1u << e->nbits) - 1;
	}
}

static void
shift(struct encoder *e)
{
	if (!e->is_shifted)
		buf_putc(e->b, '&');
	e->is_shifted = true;
}

static void
unshift(struct encoder *e)
{
	if (!e->is_shifted)
		return;
	if (e->nbits > 0)
		buf_putc(e->b,
		    (uint8_t)alphabet[e->bits << (6 - e->nbits) & 63]);
	buf_putc(e->b, '-');
	e->bits = 0;
	e->nbits = 0;
	e->is_shifted = false;
}

int
mutf7_put(struct buf *b, struct span utf8)
{
	struct encoder e = { .b = b };
	uint32_t cp;
	bool ok;

	if (!is_utf8(utf8))
		return ERR_SYNTAX;
	while (utf8.n > 0) {
		utf8 = span_skip(utf8, utf8_step(utf8, &cp, &ok));
		if (is_direct(cp)) {
			unshift(&e);
			buf_putc(b, (uint8_t)cp);
			if (cp == '&')
				buf_putc(b, '-');
			continue;
		}
		shift(&e);
		if (cp >= 0x10000) {
			put_unit(&e, 0xD800 + ((cp - 0x10000) >> 10));
			cp = 0xDC00 + (cp & 0x3FF);
		}
		put_unit(&e, cp);
	}
	unshift(&e);
	return 0;
}

static int
value(uint8_t c)
{
	if (is_upper(c))
		return c - 'A';
	if (is_lower(c))
		return c - 'a' + 26;
	if (is_digit(c))
		return c - '0' + 52;
	return c == '+' ? 62 : c == ',' ? 63 : -1;
}

/* A UTF-16 unit; *high holds a high surrogate that waits for its other half. */
static int
get_unit(struct buf *b, uint32_t unit, uint32_t *high)
{
	if (*high != 0) {
		if (unit < 0xDC00 || unit > 0xDFFF)
			return ERR_SYNTAX;
		utf8_put(b, 0x10000 + ((*high - 0xD800) << 10) +
		    (unit - 0xDC00));
		*high = 0;
		return 0;
	}
	if (unit >= 0xDC00 && unit <= 0xDFFF)
		return ERR_SYNTAX;
	if (unit >= 0xD800 && unit <= 0xDBFF) {
		*high = unit;
		return 0;
	}
	if (is_direct(unit))	/* must not be hidden in base64 */
		return ERR_SYNTAX;
	utf8_put(b, unit);
	return 0;
}

/* What stands between "&" and "-": s holds no "-". */
static int
get_shifted(struct buf *b, struct span s)
{
	uint32_t bits = 0, high = 0;
	unsigned nbits = 0;

	for (size_t i = 0; i < s.n; i++) {
		int v = value(s.p[i]);

		if (v < 0)
			return ERR_SYNTAX;
		bits = bits << 6 | (uint32_t)v;
		nbits += 6;
		if (nbits >= 16) {
			nbits -= 16;
			if (get_unit(b, bits >> nbits, &high) != 0)
				return ERR_SYNTAX;
			bits &= (1u << nbits) - 1;
		}
	}
	/* Fewer than six bits are left over, all zero, no half pair. */
	return nbits >= 6 || bits != 0 || high != 0 ? ERR_SYNTAX : 0;
}

static int
get_all(struct buf *b, struct span s)
{
	bool was_shifted = false;	/* "&...-" ended just before s */

	while (s.n > 0) {
		size_t end;

		if (!is_direct(s.p[0]))
			return ERR_SYNTAX;
		if (s.p[0] != '&') {
			buf_putc(b, s.p[0]);
			s = span_skip(s, 1);
			was_shifted = false;
			continue;
		}
		s = span_skip(s, 1);
		end = span_find(s, '-');
		if (end == s.n)
			return ERR_SYNTAX;
		if (end == 0) {
			buf_putc(b, '&');
			was_shifted = false;
		} else {
			if (was_shifted ||
			    get_shifted(b, span_take(s, end)) != 0)
				return ERR_SYNTAX;
			was_shifted = true;
		}
		s = span_skip(s, end + 1);
	}
	return 0;
}

int
mutf7_get(struct span s, struct buf *b)
{
	size_t start = b->n;
	int err = get_all(b, s);

	if (err != 0)
		b->n = start;
	return err;
}
