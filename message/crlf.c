/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "message/crlf.h"

#include <string.h>

#define LANES	32	/* bytes compared at once; the compiler makes vector
			 * instructions of it */
#define ROUNDS	255	/* additions before a lane of 8 bits would overflow */

/*
 * The count of line feeds in s, those behind a CR (pairs) or all.  Which of the
 * two is a constant where this is called, and a loop of its own there.
 */
static inline uint64_t
count(struct span s, bool is_pairs)
{
	const uint8_t *p = s.p;
	size_t i = is_pairs ? 1 : 0;
	uint64_t total = 0;

	while (s.n >= LANES + i) {
		uint8_t lane[LANES] = { 0 };

		for (int r = 0; r < ROUNDS && s.n - i >= LANES; r++) {
			for (size_t j = 0; j < LANES; j++) {
				uint8_t is_lf = p[i + j] == '\n';

				if (is_pairs)
					is_lf &= p[i + j - 1] == '\r';
				lane[j] = (uint8_t)(lane[j] + is_lf);
			}
			i += LANES;
		}
		for (size_t j = 0; j < LANES; j++)
			total += lane[j];
	}
	for (; i < s.n; i++)
		total += p[i] == '\n' && (!is_pairs || p[i - 1] == '\r');
	return total;
}

void
crlf_count(struct crlf_count *c, struct span s)
{
	size_t cr;
	uint64_t lines, pairs = 0;

	if (s.n == 0)
		return;
	lines = count(s, false);
	if (c->has_cr && s.p[0] == '\n')
		pairs++;
	/* Stored mail has no CR at all, as a rule: one fast look. */
	cr = span_find(s, '\r');
	if (cr < s.n)
		pairs += count(span_skip(s, cr), true);
	c->lines += lines;
	c->bare += lines - pairs;
	c->has_cr = s.p[s.n - 1] == '\r';
}

void
crlf_init(struct crlf *c, uint64_t off, uint64_t len)
{
	c->skip = off;
	c->left = len;
	c->has_cr = false;
	c->keeps_nul = false;
}

static void
hide_nul(const struct crlf *c, uint8_t *p, size_t n)
{
	const uint8_t *end = p + n;

	if (c->keeps_nul)
		return;
	while (p != end && (p = memchr(p, 0, (size_t)(end - p))) != NULL)
		*p++ = CRLF_NUL;
}

/* s as served, for a range that neither begins nor ends in it. */
static void
put_all(struct crlf *c, struct span s, struct buf *out)
{
	const uint8_t *p = s.p, *end = s.p + s.n, *nl;
	uint8_t *start = buf_room(out, 2 * s.n), *q = start;

	if (q == NULL)
		return;
	while ((nl = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		size_t n = (size_t)(nl - p);
		bool has_cr = nl == s.p ? c->has_cr : nl[-1] == '\r';

		memcpy(q, p, n);
		q += n;
		if (!has_cr)
			*q++ = '\r';
		*q++ = '\n';
		p = nl + 1;
		if (p == end)
			break;
	}
	memcpy(q, p, (size_t)(end - p));
	q += end - p;
	out->n += (size_t)(q - start);
	hide_nul(c, start, (size_t)(q - start));
	c->has_cr = end[-1] == '\r';
}

/* What of s, which is served as it is, lies inside of the range. */
static void
put_some(struct crlf *c, struct span s, struct buf *out)
{
	size_t n = c->skip < s.n ? (size_t)c->skip : s.n;
	uint8_t *p;

	c->skip -= n;
	s = span_skip(s, n);
	if (c->left < s.n)
		s.n = (size_t)c->left;
	if (c->left != UINT64_MAX)
		c->left -= s.n;
	if (s.n == 0 || (p = buf_room(out, s.n)) == NULL)
		return;
	memcpy(p, s.p, s.n);
	out->n += s.n;
	hide_nul(c, p, s.n);
}

/* All of s as served lies inside of the range. */
static bool
is_inside(const struct crlf *c, struct span s)
{
	struct crlf_count count = { .has_cr = c->has_cr };

	if (c->skip > 0 || c->left < s.n)
		return false;
	if (c->left / 2 >= s.n)
		return true;
	crlf_count(&count, s);
	return s.n + count.bare <= c->left;
}

bool
crlf_feed(struct crlf *c, struct span s, struct buf *out)
{
	if (s.n > 0 && is_inside(c, s)) {
		size_t before = out->n;

		put_all(c, s, out);
		if (c->left != UINT64_MAX)
			c->left -= out->n - before;
		return c->left > 0;
	}
	while (s.n > 0 && c->left > 0) {
		size_t n = span_find(s, '\n');

		if (n > 0) {
			put_some(c, span_take(s, n), out);
			c->has_cr = s.p[n - 1] == '\r';
			s = span_skip(s, n);
			continue;
		}
		if (!c->has_cr)
			put_some(c, SPAN("\r"), out);
		put_some(c, SPAN("\n"), out);
		c->has_cr = false;
		s = span_skip(s, 1);
	}
	return c->left > 0;
}
