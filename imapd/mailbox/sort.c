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
 *
 * Messages that come with a rank have one already.  A few others are put
 * between them, each by a binary search that reads texts again; if they are
 * many, it is cheaper to read all texts.
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
#define FEW		32u	/* texts to be put between others, and ... */
#define FEW_SHARE	128u	/* ... one more for so many of these */

/* While messages are added, key of a text is its number, or its rank and: */
#define RANKED		(UINT64_C(1) << 63)
/* Then what lies between two ranks has a place for each text. */
#define BETWEEN_BITS	31

struct column {
	struct sort_criterion by;
	VEC(uint64_t) key;
	uint32_t ngiven;	/* messages that came with a rank */
	bool is_compared;	/* the texts of all messages have been */
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
		if (!keys[so->column[i].by.key].is_text)
			want |= keys[so->column[i].by.key].want;
	return want;
}

size_t
sort_count(const struct sort *so)
{
	return so->ncolumn;
}

bool
is_sort_text(const struct sort *so, size_t c, enum sort_key *ret,
    unsigned *ret_want)
{
	*ret = so->column[c].by.key;
	*ret_want = keys[*ret].want;
	return keys[*ret].is_text;
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

static struct span
text_of(const struct sortkey *k, enum sort_key key)
{
	switch (key) {
	case SORT_CC:
		return k->cc;
	case SORT_FROM:
		return k->from;
	case SORT_TO:
		return k->to;
	case SORT_SUBJECT:
		return k->subject;
	case SORT_DISPLAYFROM:
		return k->display_from;
	case SORT_DISPLAYTO:
		return k->display_to;
	case SORT_ARRIVAL: case SORT_DATE: case SORT_SIZE: case SORT_KEYS:
		break;
	}
	return SPAN_NONE;
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
	default:
		return text_number(so, text_of(k, key));
	}
}

void
sort_add(struct sort *so, const struct sortkey *k, int64_t arrival,
    uint64_t size, const uint32_t *rank)
{
	for (size_t i = 0; i < so->ncolumn; i++) {
		struct column *c = &so->column[i];
		uint64_t key;

		if (rank != NULL && keys[c->by.key].is_text &&
		    rank[i] != SORT_NO_RANK) {
			key = RANKED | rank[i];
			c->ngiven++;
		} else {
			key = key_of(so, c->by.key, k, arrival, size);
		}
		VEC_PUSH(&c->key, key);
	}
	so->n++;
}

/* ---- order ------------------------------------------------------------ */

static_assert(TEXTS_MAX < UINT64_C(1) << BETWEEN_BITS, "a place for each");

static struct span
text_at(const struct sort *so, uint32_t num)
{
	size_t start = num == 0 ? 0 : so->end.v[num - 1];

	return span_skip(span_take(buf_span(&so->bytes), so->end.v[num]),
	    start);
}

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
	size_t n = so->texts.n;
	uint32_t *rank = mem_resize(NULL, n, sizeof(*rank));
	struct text *v = mem_resize(NULL, n, sizeof(*v));

	for (uint32_t i = 0; i < n; i++) {
		v[i].s = text_at(so, i);
		v[i].num = i;
	}
	if (n > 0)
		qsort(v, n, sizeof(*v), text_cmp);
	for (uint32_t i = 0; i < n; i++)
		rank[v[i].num] = i;
	free(v);
	return rank;
}

/* How a message is read again. */
struct again {
	sort_read *read;
	void *arg;
};

static int
read_text(const struct again *a, const struct column *col, uint32_t i,
    struct span *ret)
{
	struct sortkey k = { 0 };
	int err = a->read(a->arg, i, keys[col->by.key].want, &k);

	*ret = text_of(&k, col->by.key);
	return err;
}

/* Too many have to be put between the others: all become texts. */
static int
forget_ranks(struct sort *so, struct column *col, const struct again *a)
{
	struct span s;
	int err;

	for (uint32_t i = 0; i < so->n; i++) {
		if (!(col->key.v[i] & RANKED))
			continue;
		if ((err = read_text(a, col, i, &s)) != 0)
			return err;
		col->key.v[i] = text_number(so, s);
	}
	col->ngiven = 0;
	return 0;
}

/* The place of rank, and that just before it for a text of some rank. */
static uint64_t
place_at(uint64_t rank)
{
	return (2 * rank + 1) << BETWEEN_BITS;
}

static uint64_t
place_before(uint64_t rank, uint32_t text)
{
	return 2 * rank << BETWEEN_BITS | text;
}

/* Where text number num belongs among the n messages at by, which are in the
 * order of their ranks. */
static int
find_place(const struct sort *so, const struct column *col,
    const struct again *a, const uint32_t *by, uint32_t n, uint32_t num,
    uint32_t rank, uint64_t *ret)
{
	struct span s = text_at(so, num), there;
	uint32_t lo = 0, hi = n;
	int err, cmp;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if ((err = read_text(a, col, by[mid], &there)) != 0)
			return err;
		cmp = span_cmp(s, there);
		if (cmp == 0) {
			*ret = place_at(col->key.v[by[mid]] & ~RANKED);
			return 0;
		}
		if (cmp > 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*ret = lo == n ? place_before(SORT_NO_RANK, rank) :
	    place_before(col->key.v[by[lo]] & ~RANKED, rank);
	return 0;
}

/* Put the few that have no rank between those that have. */
static int
place(struct sort *so, struct column *col, const struct again *a,
    const uint32_t *rank)
{
	uint32_t *by = mem_resize(NULL, so->n, sizeof(*by)), n = 0;
	int err = 0;

	for (uint32_t i = 0; i < so->n; i++)
		if (col->key.v[i] & RANKED)
			by[n++] = i;
	radix_sort(col->key.v, by, n);
	for (uint32_t i = 0; err == 0 && i < so->n; i++)
		if (!(col->key.v[i] & RANKED)) {
			uint32_t num = (uint32_t)col->key.v[i];

			err = find_place(so, col, a, by, n, num, rank[num],
			    &col->key.v[i]);
		}
	for (uint32_t k = 0; k < n; k++)
		col->key.v[by[k]] = place_at(col->key.v[by[k]] & ~RANKED);
	free(by);
	return err;
}

/* From numbers of texts, or ranks, to what can be compared. */
static int
finish_texts(struct sort *so, struct column *col, const struct again *a,
    const uint32_t *rank)
{
	if (col->ngiven == so->n)
		return 0;
	if (col->ngiven > 0)
		return place(so, col, a, rank);
	for (uint32_t i = 0; i < so->n; i++)
		col->key.v[i] = rank[col->key.v[i]];
	col->is_compared = true;
	return 0;
}

/* By the last criterion first. */
static int
sort_columns(struct sort *so, const struct again *a, const uint32_t *rank)
{
	int err;

	for (size_t c = so->ncolumn; c > 0; c--) {
		struct column *col = &so->column[c - 1];

		if (keys[col->by.key].is_text &&
		    (err = finish_texts(so, col, a, rank)) != 0)
			return err;
		for (uint32_t i = 0; col->by.is_reverse && i < so->n; i++)
			col->key.v[i] = ~col->key.v[i];
		radix_sort(col->key.v, so->order, so->n);
	}
	return 0;
}

int
sort_order(struct sort *so, sort_read *read, void *arg, const uint32_t **ret)
{
	const struct again a = { read, arg };
	uint32_t *rank;
	int err;

	assert(so->order == NULL);
	for (size_t c = 0; c < so->ncolumn; c++) {
		struct column *col = &so->column[c];

		if (col->ngiven > 0 &&
		    so->n - col->ngiven > FEW + col->ngiven / FEW_SHARE &&
		    (err = forget_ranks(so, col, &a)) != 0)
			return err;
	}
	so->order = mem_resize(NULL, so->n, sizeof(*so->order));
	for (uint32_t i = 0; i < so->n; i++)
		so->order[i] = i;
	rank = rank_texts(so);
	err = sort_columns(so, &a, rank);
	free(rank);
	*ret = so->order;
	return err;
}

bool
has_sort_ranks(const struct sort *so, size_t c)
{
	return so->column[c].is_compared;
}

uint32_t
sort_rank(const struct sort *so, size_t c, uint32_t i)
{
	const struct column *col = &so->column[c];

	return (uint32_t)(col->by.is_reverse ? ~col->key.v[i] :
	    col->key.v[i]);
}
