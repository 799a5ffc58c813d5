/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * sort.c: see sort.h.
 *
 * Each criterion is a column of 64-bit keys.  Texts are numbers while messages
 * are added; then the different texts are sorted, once, and each number becomes
 * its rank.  So the messages themselves are only ever sorted by numbers: by the
 * last criterion first, each time keeping the order of those that are equal.
 */
#include "imapd/mailbox/sort.h"

#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/vec.h"
#include "imapd/mailbox/radix.h"

#define TEXTS_MAX	(UINT32_C(1) << 30)

struct column {
	struct sort_criterion by;
	VEC(uint64_t) key;
};

struct sort {
	struct column column[SORT_KEYS];
	size_t ncolumn;
	uint32_t n;			/* messages */
	struct hash_table texts;	/* the different ones */
	VEC(size_t) end;		/* of each in bytes */
	struct buf bytes;
	uint32_t *order;
};

static const struct {
	unsigned want;
	bool is_text;
} keys[SORT_KEYS] = {
	[SORT_ARRIVAL] = { 0, false },
	[SORT_CC] = { SORTKEY_CC, true },
	[SORT_DATE] = { SORTKEY_DATE, false },
	[SORT_DISPLAYFROM] = { SORTKEY_DISPLAYFROM, true },
	[SORT_DISPLAYTO] = { SORTKEY_DISPLAYTO, true },
	[SORT_FROM] = { SORTKEY_FROM, true },
	[SORT_SIZE] = { 0, false },
	[SORT_SUBJECT] = { SORTKEY_SUBJECT, true },
	[SORT_TO] = { SORTKEY_TO, true }
};

int
sort_new(const struct sort_args *args, struct sort **ret)
{
	struct sort *so = mem_zalloc(sizeof(*so));
	int err = hash_table_init(&so->texts, TEXTS_MAX);

	if (err != 0) {
		free(so);
		return err;
	}
	assert(args->ncriteria <= SORT_KEYS);
	so->ncolumn = args->ncriteria;
	for (size_t i = 0; i < so->ncolumn; i++)
		so->column[i].by = args->criterion[i];
	buf_init(&so->bytes, SIZE_MAX / 2);
	*ret = so;
	return 0;
}

void
sort_free(struct sort *so)
{
	if (so == NULL)
		return;
	for (size_t i = 0; i < so->ncolumn; i++)
		VEC_DONE(&so->column[i].key);
	hash_table_done(&so->texts);
	VEC_DONE(&so->end);
	buf_done(&so->bytes);
	free(so->order);
	free(so);
}

static bool
has_key(const struct sort *so, enum sort_key key)
{
	for (size_t i = 0; i < so->ncolumn; i++)
		if (so->column[i].by.key == key)
			return true;
	return false;
}

unsigned
sort_wants(const struct sort *so)
{
	unsigned want = 0;

	for (size_t i = 0; i < so->ncolumn; i++)
		want |= keys[so->column[i].by.key].want;
	return want;
}

bool
has_sort_arrival(const struct sort *so)
{
	return has_key(so, SORT_ARRIVAL);
}

bool
has_sort_size(const struct sort *so)
{
	return has_key(so, SORT_SIZE);
}

/* ---- messages --------------------------------------------------------- */

/* The number of a text. */
static uint64_t
text_number(struct sort *so, struct span s)
{
	uint32_t num = 0, n = so->texts.n;
	int err = hash_table_put(&so->texts, s, &num);

	assert(err == 0);	/* there are fewer messages than that */
	(void)err;
	if (so->texts.n > n) {
		buf_put_span(&so->bytes, s);
		VEC_PUSH(&so->end, so->bytes.n);
	}
	return num;
}

static uint64_t
key_of(struct sort *so, enum sort_key key, const struct sortkey *k,
    int64_t arrival, uint64_t size)
{
	switch (key) {
	case SORT_ARRIVAL:
		return radix_signed(arrival);
	case SORT_DATE:
		return radix_signed(k->has_date ? k->date : arrival);
	case SORT_SIZE:
		return size;
	case SORT_CC:
		return text_number(so, k->cc);
	case SORT_FROM:
		return text_number(so, k->from);
	case SORT_TO:
		return text_number(so, k->to);
	case SORT_SUBJECT:
		return text_number(so, k->subject);
	case SORT_DISPLAYFROM:
		return text_number(so, k->display_from);
	case SORT_DISPLAYTO:
		return text_number(so, k->display_to);
	case SORT_KEYS:
		break;
	}
	return 0;
}

void
sort_add(struct sort *so, const struct sortkey *k, int64_t arrival,
    uint64_t size)
{
	for (size_t i = 0; i < so->ncolumn; i++) {
		struct column *c = &so->column[i];
		uint64_t key = key_of(so, c->by.key, k, arrival, size);

		VEC_PUSH(&c->key, key);
	}
	so->n++;
}

/* ---- order ------------------------------------------------------------ */

struct text {
	struct span s;
	uint32_t num;
};

static int
text_cmp(const void *a, const void *b)
{
	return span_cmp(((const struct text *)a)->s,
	    ((const struct text *)b)->s);
}

/* By number of a text: its place among all of them. */
static uint32_t *
rank_texts(const struct sort *so)
{
	size_t n = so->texts.n, start = 0;
	uint32_t *rank = mem_resize(NULL, n, sizeof(*rank));
	struct text *v = mem_resize(NULL, n, sizeof(*v));

	for (uint32_t i = 0; i < n; i++) {
		v[i].s = span_skip(span_take(buf_span(&so->bytes),
		    so->end.v[i]), start);
		v[i].num = i;
		start = so->end.v[i];
	}
	if (n > 0)
		qsort(v, n, sizeof(*v), text_cmp);
	for (uint32_t i = 0; i < n; i++)
		rank[v[i].num] = i;
	free(v);
	return rank;
}

const uint32_t *
sort_order(struct sort *so)
{
	uint32_t *rank = rank_texts(so);

	assert(so->order == NULL);
	so->order = mem_resize(NULL, so->n, sizeof(*so->order));
	for (uint32_t i = 0; i < so->n; i++)
		so->order[i] = i;
	for (size_t c = so->ncolumn; c > 0; c--) {
		struct column *col = &so->column[c - 1];
		bool is_text = keys[col->by.key].is_text;

		for (uint32_t i = 0; i < so->n; i++) {
			uint64_t *key = &col->key.v[i];

			if (is_text)
				*key = rank[*key];
			if (col->by.is_reverse)
				*key = ~*key;
		}
		radix_sort(col->key.v, so->order, so->n);
	}
	free(rank);
	return so->order;
}
