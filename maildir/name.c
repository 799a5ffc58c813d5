/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "base/num.h"
#include "maildir/maildir.h"
#include "maildir/name.h"

struct span
name_base(struct span file)
{
	return span_take(file, span_find(file, ':'));
}

bool
is_name_usable(struct span file)
{
	return file.n > 0 && file.n <= NAME_FILE_MAX && file.p[0] != '.' &&
	    file.p[0] != ':' && !has_byte(file, '\n') && !has_byte(file, '\r');
}

void
name_parse(struct span file, struct name *ret)
{
	size_t colon = span_rfind(file, ':');
	struct span info = span_skip(file, colon + 1);

	*ret = (struct name){ .stem = span_take(file, colon) };
	if (!has_prefix(info, SPAN("2,")))
		return;		/* no info, or one that counts as none */
	info = span_skip(info, 2);
	while (info.n > 0 && is_alpha(info.p[0])) {
		if (is_upper(info.p[0]))
			ret->upper |= 1u << (info.p[0] - 'A');
		else
			ret->lower |= 1u << (info.p[0] - 'a');
		info = span_skip(info, 1);
	}
	ret->rest = info;
}

void
name_put(struct buf *b, const struct name *n)
{
	buf_put_span(b, n->stem);
	buf_puts(b, ":2,");
	for (unsigned i = 0; i < 26; i++)
		if (n->upper & 1u << i)
			buf_putc(b, (uint8_t)('A' + i));
	for (unsigned i = 0; i < 26; i++)
		if (n->lower & 1u << i)
			buf_putc(b, (uint8_t)('a' + i));
	buf_put_span(b, n->rest);
}

uint32_t
name_letters(uint32_t sys)
{
	return (sys & MAILDIR_DRAFT ? NAME_BIT('D') : 0) |
	    (sys & MAILDIR_FLAGGED ? NAME_BIT('F') : 0) |
	    (sys & MAILDIR_ANSWERED ? NAME_BIT('R') : 0) |
	    (sys & MAILDIR_SEEN ? NAME_BIT('S') : 0) |
	    (sys & MAILDIR_DELETED ? NAME_BIT('T') : 0);
}

uint32_t
name_sys(uint32_t upper)
{
	return (upper & NAME_BIT('D') ? MAILDIR_DRAFT : 0u) |
	    (upper & NAME_BIT('F') ? MAILDIR_FLAGGED : 0u) |
	    (upper & NAME_BIT('R') ? MAILDIR_ANSWERED : 0u) |
	    (upper & NAME_BIT('S') ? MAILDIR_SEEN : 0u) |
	    (upper & NAME_BIT('T') ? MAILDIR_DELETED : 0u);
}

int
name_size(struct span base, uint8_t key, uint64_t *ret)
{
	while (base.n > 0) {
		size_t comma = span_find(base, ',');
		size_t digits;
		uint64_t v;

		base = span_skip(base, comma + 1);
		if (base.n < 3 || base.p[0] != key || base.p[1] != '=')
			continue;
		v = num_prefix(span_skip(base, 2), &digits);
		if (digits > 0 && (base.n == 2 + digits ||
		    base.p[2 + digits] == ',' || base.p[2 + digits] == ':')) {
			*ret = v;
			return 0;
		}
	}
	return ERR_NOENT;
}

/* The number behind the first "M" of the part that follows the first dot. */
static uint64_t
micros(struct span rest, size_t *ret_digits)
{
	struct span part;
	size_t m;

	*ret_digits = 0;
	if (rest.n == 0 || rest.p[0] != '.')
		return 0;
	rest = span_skip(rest, 1);
	part = span_take(rest, span_find(rest, '.'));
	m = span_find(part, 'M');
	return num_prefix(span_skip(part, m + 1), ret_digits);
}

void
name_key(struct span file, struct name_key *ret)
{
	size_t digits;

	ret->seconds = num_prefix(file, &digits);
	ret->rest = span_skip(name_base(file), digits);
	ret->micros = micros(ret->rest, &digits);
	ret->has_micros = digits > 0;
}

int
name_key_cmp(const struct name_key *a, const struct name_key *b)
{
	if (a->seconds != b->seconds)
		return a->seconds < b->seconds ? -1 : 1;
	if (a->has_micros && b->has_micros && a->micros != b->micros)
		return a->micros < b->micros ? -1 : 1;
	return span_cmp(a->rest, b->rest);
}

uint32_t
name_hash(struct span base)
{
	const uint64_t k = 0x9e3779b97f4a7c15u;
	uint64_t h = base.n * k, w;
	const uint8_t *p = base.p;
	size_t n = base.n;

	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&w, p, 8);
		h = (h ^ w) * k;
		h ^= h >> 29;
	}
	w = 0;
	if (n > 0)
		memcpy(&w, p, n);
	h = (h ^ w) * k;
	h ^= h >> 32;
	return (uint32_t)h;
}
