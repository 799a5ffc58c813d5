/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "imapd/wire/seqset.h"

/*
 * seq-number = nz-number / "*"                             (RFC 3501 section 9)
 *
 * The largest number there can be, which some clients send for "the end", is
 * taken as one less: it names no message either, and must not become "*".
 */
static int ERR_CHECK
take_number(struct span *s, uint32_t *ret)
{
	size_t ndigits;
	uint64_t v;

	if (s->n > 0 && s->p[0] == '*') {
		*s = span_skip(*s, 1);
		*ret = SEQSET_STAR;
		return 0;
	}
	v = num_prefix(*s, &ndigits);
	if (ndigits == 0 || s->p[0] == '0' || v > UINT32_MAX)
		return ERR_SYNTAX;
	*s = span_skip(*s, ndigits);
	*ret = v == SEQSET_STAR ? SEQSET_STAR - 1 : (uint32_t)v;
	return 0;
}

/* seq-range = seq-number ":" seq-number; a lone number is a range of one. */
static int ERR_CHECK
take_range(struct span *s, struct seqrange *ret)
{
	int err = take_number(s, &ret->lo);

	if (err != 0)
		return err;
	ret->hi = ret->lo;
	if (s->n == 0 || s->p[0] != ':')
		return 0;
	*s = span_skip(*s, 1);
	return take_number(s, &ret->hi);
}

/*
 * sequence-set = (seq-number / seq-range) ["," sequence-set]
 * sequence-set =/ "$"                                      (RFC 5182 section 3)
 */
int
seqset_parse(struct span s, struct arena *arena, struct seqset *ret)
{
	struct seqset set = { NULL, 0, false };
	size_t n = 1;
	int err;

	if (is_span_eq(s, SPAN("$"))) {
		set.is_saved = true;
		*ret = set;
		return 0;
	}
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == ',')
			n++;
	set.range = arena_array(arena, n, sizeof(*set.range));
	for (;;) {
		err = take_range(&s, &set.range[set.n]);
		if (err != 0)
			return err;
		set.n++;
		if (s.n == 0)
			break;
		if (s.p[0] != ',')
			return ERR_SYNTAX;
		s = span_skip(s, 1);
	}
	*ret = set;
	return 0;
}

static bool
has_star(struct seqrange r)
{
	return r.lo == SEQSET_STAR || r.hi == SEQSET_STAR;
}

/* Put max for "*", and the smaller end first. */
static struct seqrange
resolve_range(struct seqrange r, uint32_t max)
{
	uint32_t lo = r.lo == SEQSET_STAR ? max : r.lo;
	uint32_t hi = r.hi == SEQSET_STAR ? max : r.hi;

	if (lo > hi)
		return (struct seqrange){ hi, lo };
	return (struct seqrange){ lo, hi };
}

static int
range_cmp(const void *a, const void *b)
{
	const struct seqrange *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

void
seqset_resolve(struct seqset *set, uint32_t max)
{
	struct seqrange *r = set->range;
	size_t n = 0, last = 0;
	bool is_sorted = true;

	for (size_t i = 0; i < set->n; i++) {
		if (max == 0 && has_star(r[i]))
			continue;
		r[n] = resolve_range(r[i], max);
		if (n > 0 && r[n].lo < r[n - 1].lo)
			is_sorted = false;
		n++;
	}
	set->n = n;
	if (n == 0)
		return;
	if (!is_sorted)
		qsort(r, n, sizeof(*r), range_cmp);
	for (size_t i = 1; i < n; i++) {
		/* hi + 1 cannot wrap round: no number is UINT32_MAX. */
		if (r[i].lo > r[last].hi + 1)
			r[++last] = r[i];
		else if (r[i].hi > r[last].hi)
			r[last].hi = r[i].hi;
	}
	set->n = last + 1;
}

struct seqset
seqset_copy(const struct seqset *set, struct arena *arena)
{
	struct seqset copy = *set;

	copy.range = arena_array(arena, set->n, sizeof(*copy.range));
	if (set->n > 0)
		memcpy(copy.range, set->range, set->n * sizeof(*copy.range));
	return copy;
}

bool
is_in_seqset(const struct seqset *set, uint32_t num)
{
	size_t lo = 0, hi = set->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (num < set->range[mid].lo)
			hi = mid;
		else if (num > set->range[mid].hi)
			lo = mid + 1;
		else
			return true;
	}
	return false;
}

void
seqout_init(struct seqout *so, struct buf *out)
{
	*so = (struct seqout){ .out = out, .is_empty = true };
}

static void
put_range(struct seqout *so)
{
	if (!so->is_empty)
		buf_putc(so->out, ',');
	buf_put_u64(so->out, so->lo);
	if (so->hi > so->lo) {
		buf_putc(so->out, ':');
		buf_put_u64(so->out, so->hi);
	}
	so->is_empty = false;
}

void
seqout_add(struct seqout *so, uint32_t num)
{
	seqout_add_range(so, num, num);
}

void
seqout_add_range(struct seqout *so, uint32_t lo, uint32_t hi)
{
	if (so->lo == 0 || lo != so->hi + 1) {
		seqout_end(so);
		so->lo = lo;
	}
	so->hi = hi;
}

void
seqout_end(struct seqout *so)
{
	if (so->lo != 0)
		put_range(so);
	so->lo = 0;
}
