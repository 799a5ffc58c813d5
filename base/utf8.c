/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "base/utf8.h"

/* Continuation byte i of s is there and within lo..hi. */
static bool
is_tail(struct span s, size_t i, uint8_t lo, uint8_t hi)
{
	return i < s.n && s.p[i] >= lo && s.p[i] <= hi;
}

/*
 * RFC 3629 section 4: the second byte's range depends on the first, which is
 * what keeps out overlong forms, surrogates and values above U+10FFFF.
 */
size_t
utf8_step(struct span s, uint32_t *ret_cp, bool *ret_ok)
{
	uint8_t c = s.p[0], lo = 0x80, hi = 0xBF;
	size_t need, i;
	uint32_t cp;

	*ret_ok = true;
	if (c < 0x80) {
		*ret_cp = c;
		return 1;
	}
	*ret_ok = false;
	*ret_cp = UTF8_REPLACEMENT;
	if (c >= 0xC2 && c <= 0xDF) {
		need = 2;
		cp = c & 0x1Fu;
	} else if (c >= 0xE0 && c <= 0xEF) {
		need = 3;
		cp = c & 0x0Fu;
		if (c == 0xE0)
			lo = 0xA0;
		else if (c == 0xED)
			hi = 0x9F;
	} else if (c >= 0xF0 && c <= 0xF4) {
		need = 4;
		cp = c & 0x07u;
		if (c == 0xF0)
			lo = 0x90;
		else if (c == 0xF4)
			hi = 0x8F;
	} else {
		return 1;
	}
	for (i = 1; i < need; i++) {
		if (!is_tail(s, i, lo, hi))
			return i;
		cp = cp << 6 | (s.p[i] & 0x3Fu);
		lo = 0x80;
		hi = 0xBF;
	}
	*ret_cp = cp;
	*ret_ok = true;
	return need;
}

size_t
ascii_len(struct span s)
{
	size_t i = 0;
	uint64_t w;

	for (; s.n - i >= sizeof(w); i += sizeof(w)) {
		memcpy(&w, s.p + i, sizeof(w));
		if ((w & 0x8080808080808080u) != 0)
			break;
	}
	while (i < s.n && s.p[i] < 0x80)
		i++;
	return i;
}

bool
is_ascii(struct span s)
{
	return ascii_len(s) == s.n;
}

/* Length of the well-formed text at the start of s. */
static size_t
clean_len(struct span s)
{
	size_t n = ascii_len(s);
	uint32_t cp;
	bool ok;

	while (n < s.n) {
		size_t step = utf8_step(span_skip(s, n), &cp, &ok);

		if (!ok)
			break;
		n += step;
		n += ascii_len(span_skip(s, n));
	}
	return n;
}

bool
is_utf8(struct span s)
{
	return clean_len(s) == s.n;
}

void
utf8_put(struct buf *b, uint32_t cp)
{
	uint8_t c[UTF8_MAX];
	size_t n;

	if (cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
		cp = UTF8_REPLACEMENT;
	if (cp < 0x80) {
		buf_putc(b, (uint8_t)cp);
		return;
	}
	n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--) {
		c[i] = (uint8_t)(0x80 | (cp & 0x3F));
		cp >>= 6;
	}
	c[0] = (uint8_t)((n == 2 ? 0xC0 : n == 3 ? 0xE0 : 0xF0) | cp);
	buf_put(b, c, n);
}

void
utf8_put_clean(struct buf *b, struct span s)
{
	uint32_t cp;
	bool ok;

	while (s.n > 0) {
		size_t n = clean_len(s);

		buf_put(b, s.p, n);
		s = span_skip(s, n);
		if (s.n > 0) {
			s = span_skip(s, utf8_step(s, &cp, &ok));
			utf8_put(b, UTF8_REPLACEMENT);
		}
	}
}
