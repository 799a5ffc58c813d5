/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "base/base64.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_put(struct buf *b, struct span s)
{
	for (; s.n > 0; s = span_skip(s, 3)) {
		uint32_t v = (uint32_t)s.p[0] << 16;
		uint8_t out[4];

		if (s.n > 1)
			v |= (uint32_t)s.p[1] << 8;
		if (s.n > 2)
			v |= s.p[2];
		out[0] = (uint8_t)alphabet[v >> 18];
		out[1] = (uint8_t)alphabet[v >> 12 & 63];
		out[2] = s.n > 1 ? (uint8_t)alphabet[v >> 6 & 63] : '=';
		out[3] = s.n > 2 ? (uint8_t)alphabet[v & 63] : '=';
		buf_put(b, out, sizeof(out));
	}
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
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* One group of four; the count of bytes it stands for, 0 if malformed. */
static size_t
group(const uint8_t *p, uint8_t out[3])
{
	int a = value(p[0]), b = value(p[1]), c = value(p[2]), d = value(p[3]);

	if (a < 0 || b < 0)
		return 0;
	out[0] = (uint8_t)(a << 2 | b >> 4);
	if (c < 0)
		return p[2] == '=' && p[3] == '=' && (b & 15) == 0 ? 1 : 0;
	out[1] = (uint8_t)((b & 15) << 4 | c >> 2);
	if (d < 0)
		return p[3] == '=' && (c & 3) == 0 ? 2 : 0;
	out[2] = (uint8_t)((c & 3) << 6 | d);
	return 3;
}

int
base64_get(struct span s, struct buf *b)
{
	size_t start = b->n;

	if (s.n % 4 != 0)
		return ERR_SYNTAX;
	for (; s.n > 0; s = span_skip(s, 4)) {
		uint8_t out[3];
		size_t n = group(s.p, out);

		if (n == 0 || (n < 3 && s.n > 4)) {
			b->n = start;
			return ERR_SYNTAX;
		}
		buf_put(b, out, n);
	}
	if (b->overflowed) {
		b->n = start;
		b->overflowed = false;
		return ERR_LIMIT;
	}
	return 0;
}
