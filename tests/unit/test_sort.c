/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * test_sort.c: what SORT and THREAD read of a message, the orders and trees
 * they make of it, and the trees below those.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/span.h"
#include "maildir/maildir.h"
#include "imapd/mailbox/forest.h"
#include "imapd/mailbox/msgview.h"
#include "imapd/mailbox/radix.h"
#include "imapd/mailbox/sort.h"
#include "imapd/mailbox/sortkey.h"
#include "imapd/mailbox/thread.h"
#include "imapd/wire/fmt.h"
#include "tests/unit/fake_maildir.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define CEILING		(64 * 1024 * 1024)
#define DEEP		1000000u

static void
expect(struct span s, const char *want)
{
	if (!is_span_eq(s, span_str(want)))
		fail_msg("\"%.*s\" is not \"%s\"", (int)s.n,
		    (const char *)s.p, want);
}

/* The same numbers in each run. */
static uint32_t
random_number(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

/* ---- sortkey.h --------------------------------------------------------- */

struct key_world {
	struct msgview *mv;
	struct arena *arena;
	struct sortkey k;
};

static int
key_setup(void **state)
{
	struct key_world *w = mem_zalloc(sizeof(*w));

	fake_clear(&fake);
	w->mv = msgview_new(NULL);
	w->arena = arena_new(1000);
	*state = w;
	return 0;
}

static int
key_teardown(void **state)
{
	struct key_world *w = *state;

	msgview_free(w->mv);
	arena_free(w->arena);
	fake_clear(&fake);
	free(w);
	return 0;
}

static void
get(struct key_world *w, unsigned want, const char *text)
{
	uint32_t uid = (uint32_t)fake.n + 1;

	(void)fake_add(&fake, uid, 0, span_str(text));
	msgview_set(w->mv, uid);
	assert_int_equal(sortkey_get(w->mv, want, w->arena, &w->k), 0);
}

static void
expect_refs(struct span refs, const char *want)
{
	struct span id;
	struct buf b;

	buf_init(&b, 10000);
	while (sortkey_next_ref(&refs, &id)) {
		buf_put_span(&b, id);
		buf_putc(&b, ' ');
	}
	expect(buf_span(&b), want);
	buf_done(&b);
}

static void
test_key(void **state)
{
	struct key_world *w = *state;

	get(w, SORTKEY_ALL, "Date: 31 Dec 2000 16:01:33 -0800\n"
	    "Subject: Re: =?utf-8?q?H=C3=A9llo?=  (fwd)\n"
	    "From: \"J. Doe\" <Jane.Doe@example.org>, b@c\n"
	    "To: team: x@y, z@y;\nCc: One@example.org\n"
	    "Message-ID: <\"a b\"@c>\n"
	    "References: <1@x>\n <2@x> nonsense <3 @x>\n"
	    "In-Reply-To: <4@x>\n\nbody\n");
	/* RFC 5256 2.2: 1 Jan 2001 00:01:33 +0000 */
	assert_true(w->k.has_date && w->k.date == 978307293);
	assert_true(w->k.is_reply);
	expect(w->k.subject, "HE\xcc\x81LLO");
	expect(w->k.from, "JANE.DOE");
	expect(w->k.display_from, "J. DOE");
	expect(w->k.to, "TEAM");		/* the head of a group */
	expect(w->k.display_to, "TEAM");
	expect(w->k.cc, "ONE");
	expect(w->k.id, "a b@c");
	expect_refs(w->k.refs, "1@x 2@x 3@x ");

	get(w, SORTKEY_ALL, "Subject: x\nFrom: Plain@Example.ORG\n"
	    "To: =?iso-8859-1?q?=E9?= <a@b>\nDate: some day\n"
	    "Message-ID: none\nReferences: <no at>\n"
	    "In-Reply-To: a@b wrote <nothing> <1@x> <2@x>\n\n");
	assert_false(w->k.has_date || w->k.is_reply);
	expect(w->k.display_from, "PLAIN@EXAMPLE.ORG");
	expect(w->k.display_to, "E\xcc\x81");
	expect(w->k.cc, "");
	expect(w->k.id, "");
	expect_refs(w->k.refs, "1@x ");

	/* Nothing but what is wanted; an empty name is none. */
	get(w, SORTKEY_DISPLAYTO, "Subject: x\nFrom: a@b\nTo: \"\" <a@b>\n\n");
	expect(w->k.subject, "");
	expect(w->k.from, "");
	expect(w->k.display_to, "A@B");
	get(w, SORTKEY_ALL, "");
	expect(w->k.subject, "");
}

/* RFC 5255 4.6: behind all that has a charset, byte by byte. */
static void
test_key_octets(void **state)
{
	struct key_world *w = *state;

	get(w, SORTKEY_ALL, "Subject: Re: gr\xfc\xdf =?utf-8?q?x?=\n"
	    "From: \xe9 <a@b>\n\n");
	expect(w->k.subject, "\xffgr\xfc\xdf =?utf-8?q?x?=");
	expect(w->k.display_from, "\xff\xe9");
	expect(w->k.from, "A");
	assert_true(w->k.is_reply);
}

static void
test_key_limits(void **state)
{
	struct key_world *w = *state;
	struct sortkey k = { 0 };
	struct span id, rest;
	size_t n = 0;
	struct buf b, packed;

	buf_init(&b, CEILING);
	buf_puts(&b, "Message-ID: <");
	for (int i = 0; i < SORTKEY_ID_MAX - 1; i++)
		buf_putc(&b, 'x');
	buf_puts(&b, "@y>\nReferences:");
	for (uint64_t i = 0; i < SORTKEY_REFS_MAX + 5; i++) {
		buf_puts(&b, "\n <");
		buf_put_u64(&b, i);
		buf_puts(&b, "@x>");
	}
	buf_puts(&b, "\nSubject: ");
	for (int i = 0; i < SORTKEY_TEXT_MAX; i++)
		buf_puts(&b, "a\xc3\xa9");
	buf_puts(&b, "\n\n");
	buf_putc(&b, 0);
	get(w, SORTKEY_ALL, (const char *)b.p);
	expect(w->k.id, "");			/* one byte too long */
	assert_true(w->k.subject.n > SORTKEY_TEXT_MAX - 4 &&
	    w->k.subject.n <= SORTKEY_TEXT_MAX);
	rest = w->k.refs;
	while (sortkey_next_ref(&rest, &id)) {
		uint64_t v;

		assert_int_equal(num_u64(span_take(id, id.n - 2), 0, 5000, &v),
		    0);
		assert_int_equal(v, n + 5);	/* the last ones */
		n++;
	}
	assert_int_equal(n, SORTKEY_REFS_MAX);
	buf_init(&packed, CEILING);
	sortkey_pack(&w->k, SORTKEY_ALL, &packed);
	assert_int_equal(sortkey_unpack(buf_span(&packed), SORTKEY_ALL, &k), 0);
	buf_done(&packed);
	buf_done(&b);
}

/* What was packed comes out again; cut anywhere, or changed where a change can
 * be seen, it does not. */
static void
test_pack(void **state)
{
	struct key_world *w = *state;
	struct sortkey k = { 0 };
	struct buf b, again;

	get(w, SORTKEY_ALL, "Date: 1 Jan 1960 00:00:00 +0000\nSubject: Re: s\n"
	    "From: A <b@c>\nTo: d\xe9 <d@d>\nMessage-ID: <m@m>\n"
	    "References: <1@x> <22@x>\n\n");
	buf_init(&b, CEILING);
	buf_init(&again, CEILING);
	sortkey_pack(&w->k, SORTKEY_ALL, &b);
	for (size_t n = 0; n < b.n; n++) {
		bool at_ref = n == b.n - 6 || n == b.n - 11;

		if ((sortkey_unpack(span_take(buf_span(&b), n),
		    SORTKEY_ALL, &k) == 0) !=
		    at_ref)
			fail_msg("%zu of %zu bytes", n, b.n);
	}
	assert_int_equal(sortkey_unpack(buf_span(&b), SORTKEY_ALL, &k), 0);
	assert_true(k.has_date && k.is_reply && k.date == w->k.date);
	assert_true(k.date < 0);
	expect(k.display_from, "A");
	expect(k.display_to, "\xff\x64\xe9");
	expect_refs(k.refs, "1@x 22@x ");
	sortkey_pack(&k, SORTKEY_ALL, &again);
	assert_true(is_span_eq(buf_span(&b), buf_span(&again)));
	b.p[0] = SORTKEY_ALL - 1;
	assert_int_equal(sortkey_unpack(buf_span(&b), SORTKEY_ALL, &k),
	    ERR_CORRUPT);
	b.p[0] = SORTKEY_ALL;
	b.p[1] = 4;
	assert_int_equal(sortkey_unpack(buf_span(&b), SORTKEY_ALL, &k),
	    ERR_CORRUPT);
	b.p[1] = 2;				/* a date without has_date */
	assert_int_equal(sortkey_unpack(buf_span(&b), SORTKEY_ALL, &k),
	    ERR_CORRUPT);
	b.p[1] = 3;
	b.p[12] = 0xc3;				/* no UTF-8 */
	assert_int_equal(sortkey_unpack(buf_span(&b), SORTKEY_ALL, &k),
	    ERR_CORRUPT);
	/* Parts of it. */
	for (unsigned want = 1; want < SORTKEY_ALL; want <<= 1) {
		struct sortkey part = { 0 };

		buf_clear(&b);
		buf_clear(&again);
		sortkey_pack(&w->k, want, &b);
		assert_int_equal(sortkey_unpack(buf_span(&b), want, &part), 0);
		assert_int_equal(sortkey_unpack(buf_span(&b), SORTKEY_ALL,
		    &part), ERR_CORRUPT);
		sortkey_pack(&part, SORTKEY_ALL, &again);
		assert_int_equal(sortkey_unpack(buf_span(&again), SORTKEY_ALL,
		    &k), 0);
		assert_int_equal(k.has_date, want == SORTKEY_DATE);
		assert_int_equal(k.subject.n > 0, want == SORTKEY_SUBJECT);
		assert_int_equal(k.refs.n > 0, want == SORTKEY_IDS);
	}
	buf_done(&b);
	buf_done(&again);
}

/* ---- radix.h, sort.h --------------------------------------------------- */

static void
test_radix(void **state)
{
	uint64_t key[1000], seed = 1;
	uint32_t order[1000];

	(void)state;
	for (unsigned turn = 0; turn < 8; turn++) {
		for (uint32_t i = 0; i < 1000; i++) {
			int64_t v = (int64_t)random_number(&seed) - (1 << 30);

			key[i] = radix_signed(v * (turn % 2 == 0 ? 1 : 1 << 20)
			    >> 4 * turn);
			order[i] = i;
		}
		radix_sort(key, order, 1000);
		for (uint32_t i = 0; i + 1 < 1000; i++)
			assert_true(key[order[i]] < key[order[i + 1]] ||
			    (key[order[i]] == key[order[i + 1]] &&
			    order[i] < order[i + 1]));
	}
	radix_sort(key, order, 0);
	assert_true(radix_signed(INT64_MIN) == 0);
	assert_true(radix_signed(-1) < radix_signed(0));
}

static void
check_sort(const struct sort_args *args, const char *want)
{
	static const struct sortkey k[] = {
		{ .subject = { (const uint8_t *)"B", 1 }, .has_date = true,
		    .date = 30, .from = { (const uint8_t *)"X", 1 } },
		{ .subject = { (const uint8_t *)"A", 1 }, .has_date = true,
		    .date = 10 },
		{ .subject = { NULL, 0 }, .from = { (const uint8_t *)"X", 1 } },
		{ .subject = { (const uint8_t *)"B", 1 }, .has_date = true,
		    .date = -5, .from = { (const uint8_t *)"XA", 2 } },
		{ .subject = { (const uint8_t *)"AA", 2 } }
	};
	static const int64_t arrival[] = { 5, 4, 20, 2, 1 };
	static const uint64_t size[] = { 9, 9, 1, UINT64_MAX, 9 };
	const uint32_t *order;
	struct sort *so;
	char got[] = "     ";

	assert_int_equal(sort_new(args, &so), 0);
	for (size_t i = 0; i < COUNT(k); i++)
		sort_add(so, &k[i], arrival[i], size[i], NULL);
	assert_int_equal(sort_order(so, NULL, NULL, &order), 0);
	for (size_t i = 0; i < COUNT(k); i++)
		got[i] = (char)('1' + order[i]);
	assert_string_equal(got, want);
	sort_free(so);
}

static void
test_sort(void **state)
{
	(void)state;
#define SORT1(a, ra) &(struct sort_args){ .ncriteria = 1, \
	.criterion = { { a, ra } } }
#define SORT2(a, ra, b, rb) &(struct sort_args){ .ncriteria = 2, \
	.criterion = { { a, ra }, { b, rb } } }
	check_sort(SORT1(SORT_SUBJECT, false), "32514");
	check_sort(SORT1(SORT_SUBJECT, true), "14523");
	check_sort(SORT1(SORT_DATE, false), "45231");	/* 3, 5: arrival */
	check_sort(SORT1(SORT_ARRIVAL, false), "54213");
	check_sort(SORT1(SORT_SIZE, false), "31254");
	check_sort(SORT1(SORT_FROM, true), "41325");
	check_sort(SORT2(SORT_SUBJECT, false, SORT_DATE, false), "32541");
	check_sort(SORT2(SORT_SIZE, true, SORT_DATE, true), "41253");
	check_sort(SORT2(SORT_FROM, false, SORT_SUBJECT, true), "52134");
	check_sort(SORT1(SORT_CC, true), "12345");
}

/* Messages with texts at random; of some the rank is known. */
enum { RANKED_MAX = 700 };

struct ranked {
	struct sortkey key[RANKED_MAX];
	uint32_t rank[RANKED_MAX][SORT_KEYS];	/* by criterion */
	uint8_t text[RANKED_MAX][2][4];
	uint32_t n;
	unsigned reads, reads_max;
};

static int
read_ranked(void *arg, uint32_t i, unsigned want, struct sortkey *ret)
{
	struct ranked *m = arg;

	assert_true(want == SORTKEY_SUBJECT || want == SORTKEY_FROM);
	m->reads++;
	*ret = m->key[i];
	/* What was not asked for is not there. */
	if (want == SORTKEY_SUBJECT)
		ret->from = SPAN_NONE;
	else
		ret->subject = SPAN_NONE;
	return m->reads == m->reads_max ? ERR_EOF : 0;
}

static void
make_ranked(struct ranked *m, uint64_t *seed)
{
	*m = (struct ranked){ .n = 1 + (uint32_t)(random_number(seed) %
	    RANKED_MAX) };
	for (uint32_t i = 0; i < m->n; i++) {
		for (int t = 0; t < 2; t++)
			for (int k = 0; k < 4; k++)
				m->text[i][t][k] = (uint8_t)('A' +
				    random_number(seed) % 5);
		m->key[i].subject = span_of(m->text[i][0],
		    random_number(seed) % 5);
		m->key[i].from = span_of(m->text[i][1],
		    random_number(seed) % 3);
	}
}

/* The messages in their order, those with has[i] by their rank and the others
 * by their text; with has of NULL, all by text, and the ranks are noted. */
static void
sort_ranked(struct ranked *m, const struct sort_args *args, const bool *has,
    uint32_t *order)
{
	static const struct sortkey none = { 0 };
	const uint32_t *sorted;
	struct sort *so;

	assert_int_equal(sort_new(args, &so), 0);
	for (uint32_t i = 0; i < m->n; i++)
		if (has != NULL && has[i])
			sort_add(so, &none, 0, 0, m->rank[i]);
		else
			sort_add(so, &m->key[i], 0, 0, NULL);
	assert_int_equal(sort_order(so, read_ranked, m, &sorted), 0);
	memcpy(order, sorted, m->n * sizeof(*order));
	for (size_t c = 0; c < args->ncriteria && has == NULL; c++) {
		assert_true(has_sort_ranks(so, c));
		/* There may be others between them that are gone by now. */
		for (uint32_t i = 0; i < m->n; i++)
			m->rank[i][c] = 3 * sort_rank(so, c, i);
	}
	sort_free(so);
}

static void
test_sort_ranked(void **state)
{
	static const struct sort_args args[] = {
		{ .ncriteria = 1, .criterion = { { SORT_SUBJECT, false } } },
		{ .ncriteria = 1, .criterion = { { SORT_SUBJECT, true } } },
		{ .ncriteria = 2, .criterion = { { SORT_FROM, true },
		    { SORT_SUBJECT, false } } }
	};
	uint32_t want[RANKED_MAX], got[RANKED_MAX];
	unsigned placed = 0, forgot = 0;
	static struct ranked m;
	bool has[RANKED_MAX];
	uint64_t seed = 11;

	(void)state;
	for (unsigned turn = 0; turn < 1000; turn++) {
		const struct sort_args *a = &args[turn % COUNT(args)];
		/* None, a few, half, all have no rank. */
		static const unsigned share[] = { 0, 20, 500, 1000 };
		unsigned without = share[turn / COUNT(args) % COUNT(share)];
		uint32_t n = 0;

		make_ranked(&m, &seed);
		sort_ranked(&m, a, NULL, want);
		for (uint32_t i = 0; i < m.n; i++) {
			has[i] = random_number(&seed) % 1000 >= without;
			n += has[i];
		}
		m.reads = 0;
		sort_ranked(&m, a, has, got);
		assert_memory_equal(got, want, m.n * sizeof(*got));
		if (n == m.n || n == 0)
			assert_int_equal(m.reads, 0);
		else if (m.reads == n * a->ncriteria)
			forgot++;
		else
			placed++;
	}
	assert_true(placed > 100 && forgot > 100);
}

/* ---- forest.h ---------------------------------------------------------- */

static bool
is_below(const uint32_t *parent, uint32_t x, uint32_t above)
{
	while (x != FOREST_NONE && x != above)
		x = parent[x];
	return x == above;
}

/* At random, against parents in an array. */
static void
test_forest(void **state)
{
	enum { NODES = 60 };
	uint32_t parent[NODES + 1] = { 0 };
	struct forest f;
	uint64_t seed = 5;
	unsigned refused = 0;

	(void)state;
	forest_init(&f);
	for (uint32_t i = 1; i <= NODES; i++)
		assert_int_equal(forest_add(&f), i);
	for (unsigned turn = 0; turn < 100000; turn++) {
		uint32_t a = 1 + random_number(&seed) % NODES;
		uint32_t b = 1 + random_number(&seed) % NODES;

		if (parent[b] != FOREST_NONE) {
			if (random_number(&seed) % 4 == 0) {
				forest_cut(&f, b);
				parent[b] = FOREST_NONE;
			}
		} else {
			forest_link(&f, a, b);
			if (is_below(parent, a, b))
				refused++;
			else
				parent[b] = a;
		}
		assert_int_equal(f.v[b].parent, parent[b]);
	}
	assert_true(refused > 1000);
	forest_done(&f);
}

/*
 * Asking again and again from the bottom of a long chain: the test ends because
 * the way up is not gone each time.
 */
static void
test_forest_deep(void **state)
{
	struct forest f;
	uint32_t bottom, top, kid;

	(void)state;
	forest_init(&f);
	bottom = top = forest_add(&f);
	for (uint32_t i = 0; i < DEEP; i++) {
		uint32_t x = forest_add(&f);

		forest_link(&f, bottom, x);
		bottom = x;
	}
	for (uint32_t i = 0; i < DEEP / 4; i++) {
		kid = forest_add(&f);
		forest_link(&f, kid, forest_add(&f));
		forest_link(&f, bottom, kid);
		assert_int_equal(f.v[kid].parent, bottom);
	}
	forest_link(&f, bottom, top);
	assert_int_equal(f.v[top].parent, FOREST_NONE);
	forest_cut(&f, DEEP / 2);
	forest_link(&f, bottom, top);
	assert_int_equal(f.v[top].parent, bottom);
	forest_link(&f, top, DEEP / 2);
	assert_int_equal(f.v[DEEP / 2].parent, FOREST_NONE);
	forest_done(&f);
}

/* ---- thread.h ---------------------------------------------------------- */

/* A message: its identifier and its references are letters. */
struct letter {
	const char *id, *refs, *subject;
	int date;
};

static void
letter_key(const struct letter *l, struct arena *arena, struct sortkey *k)
{
	size_t n = strlen(l->refs);
	uint8_t *refs = arena_alloc(arena, 3 * n);

	*k = (struct sortkey){ .has_date = true, .date = l->date,
	    .id = span_str(l->id) };
	for (size_t i = 0; i < n; i++) {
		refs[3 * i + 1] = 1;
		refs[3 * i + 2] = (uint8_t)l->refs[i];
	}
	k->refs = span_of(refs, 3 * n);
	k->is_reply = l->subject[0] == '+';
	k->subject = span_str(l->subject + k->is_reply);
}

static void
put_token(void *arg, enum thread_token token, uint32_t num)
{
	struct threadout *to = arg;

	if (token == THREAD_OPEN)
		threadout_open(to);
	else if (token == THREAD_NUMBER)
		threadout_number(to, num);
	else
		threadout_close(to);
}

/* v ends with an id of NULL; the arrivals are the dates, if arrival is NULL. */
static void
check_thread(enum thread_algorithm alg, const struct letter *v,
    const int64_t *arrival, const char *want)
{
	struct arena *arena = arena_new(1000);
	struct thread *th;
	struct threadout to;
	struct buf b;

	buf_init(&b, 10000);
	threadout_init(&to, &b);
	assert_int_equal(thread_new(alg, &th), 0);
	for (uint32_t i = 0; v[i].id != NULL; i++) {
		struct sortkey k = { 0 };

		letter_key(&v[i], arena, &k);
		thread_add(th, &k, arrival == NULL ? v[i].date : arrival[i],
		    i + 1);
	}
	thread_make(th);
	thread_walk(th, put_token, &to);
	expect(buf_span(&b), want);
	buf_done(&b);
	thread_free(th);
	arena_free(arena);
}

#define REFERENCES(want, ...) check_thread(THREAD_REFERENCES, \
	(const struct letter[]){ __VA_ARGS__, { NULL, NULL, NULL, 0 } }, \
	NULL, want)

/* Step 1 */
static void
test_thread_links(void **state)
{
	(void)state;
	check_thread(THREAD_REFERENCES, (const struct letter[]){
	    { NULL, NULL, NULL, 0 } }, NULL, "");
	REFERENCES("(1)", { "a", "", "x", 1 });
	REFERENCES("(1 2 3)", { "a", "", "x", 1 }, { "b", "a", "y", 2 },
	    { "c", "ab", "z", 3 });
	/* in any order */
	REFERENCES("(3 1 2)", { "b", "a", "x", 2 }, { "c", "ab", "y", 3 },
	    { "a", "", "z", 1 });
	/* "the same Message ID": the first has it */
	REFERENCES("(1 3)(2)", { "a", "", "x", 1 }, { "a", "", "y", 2 },
	    { "b", "a", "z", 3 });
	/* no Message-ID at all */
	REFERENCES("(1)(2)", { "", "", "x", 1 }, { "", "", "y", 2 });
	/* "If a message already has a parent, don't change the existing link":
	 * c is b's, whatever the last one says */
	REFERENCES("(1 (2 3)(4))", { "a", "", "x", 1 }, { "b", "a", "y", 2 },
	    { "c", "ab", "z", 3 }, { "d", "ca", "w", 4 });
	/* (B): the message itself knows better than others */
	REFERENCES("(2)(3 1)", { "c", "ba", "x", 3 }, { "b", "", "y", 1 },
	    { "a", "", "z", 2 });
	REFERENCES("(1)(2 3)", { "a", "", "x", 1 }, { "b", "", "y", 2 },
	    { "c", "b", "z", 3 });
	/* no references: no parent any more */
	REFERENCES("(3)(2 1)", { "c", "ab", "x", 3 }, { "b", "", "y", 2 },
	    { "a", "", "z", 1 });
	/* loops: of two, of three, and one alone */
	REFERENCES("(2 1)", { "a", "b", "x", 1 }, { "b", "a", "y", 2 });
	REFERENCES("(3 2 1)", { "a", "b", "x", 1 }, { "b", "c", "y", 2 },
	    { "c", "a", "z", 3 });
	REFERENCES("(1)", { "a", "aaa", "x", 1 });
	REFERENCES("(1 2)", { "a", "abab", "x", 1 }, { "b", "bbaa", "y", 2 });
}

/* Steps 2, 3, 4 and 6 */
static void
test_thread_prune(void **state)
{
	(void)state;
	REFERENCES("((1)(2))", { "a", "q", "x", 1 }, { "b", "q", "y", 2 });
	REFERENCES("((2)(1))", { "a", "q", "x", 2 }, { "b", "q", "y", 1 });
	REFERENCES("(1)", { "a", "qrs", "x", 1 });
	/* dummies inside of a thread, and below the first dummy, are gone */
	REFERENCES("(1 (2)(3))", { "a", "", "x", 1 }, { "b", "aq", "y", 2 },
	    { "c", "aqr", "z", 3 });
	REFERENCES("((1)(2)(3))", { "a", "qr", "x", 1 }, { "b", "qs", "y", 2 },
	    { "c", "qst", "z", 3 });
	/* a dummy that is left without children, and its sibling alone */
	REFERENCES("(2 1)", { "n", "dem", "x", 2 }, { "m", "d", "y", 1 });
	/* a dummy is where its first child is */
	REFERENCES("(4)((3)(1))(2)", { "a", "q", "x", 5 }, { "b", "", "y", 4 },
	    { "c", "q", "z", 2 }, { "d", "", "w", 1 });
	/* children by date, then by number */
	REFERENCES("(1 (4)(2)(3 5))", { "a", "", "x", 9 },
	    { "b", "a", "y", 5 }, { "c", "a", "z", 5 }, { "d", "a", "w", 4 },
	    { "e", "c", "v", 1 });
	REFERENCES("(2)(1)(3)", { "a", "", "x", 1 }, { "b", "", "y", 0 },
	    { "c", "", "z", 1 });
}

/* Step 5; "+" in front of a subject makes it a reply. */
static void
test_thread_subjects(void **state)
{
	(void)state;
	/* neither is a reply, or both are: a new dummy */
	REFERENCES("((1)(2))", { "a", "", "s", 1 }, { "b", "", "s", 2 });
	REFERENCES("((1)(2)(3))", { "a", "", "+s", 1 }, { "b", "", "+s", 2 },
	    { "c", "", "+s", 3 });
	/* the reply is below the other, whichever came first */
	REFERENCES("(1 2)", { "a", "", "s", 1 }, { "b", "", "+s", 2 });
	REFERENCES("(2 1)", { "a", "", "+s", 1 }, { "b", "", "s", 2 });
	REFERENCES("(2 (1)(3))", { "a", "", "+s", 1 }, { "b", "", "s", 2 },
	    { "c", "", "+s", 3 });
	/* A third that is no reply: a dummy over both, and the replies that
	 * come then are its children as well. */
	REFERENCES("((1 2)(3)(4))", { "a", "", "s", 1 }, { "b", "", "+s", 2 },
	    { "c", "", "s", 3 }, { "d", "", "+s", 4 });
	/* two dummies */
	REFERENCES("((1)(2)(3)(4))", { "a", "q", "s", 1 }, { "b", "q", "t", 2 },
	    { "c", "r", "s", 3 }, { "d", "r", "u", 4 });
	/* one dummy, before and behind */
	REFERENCES("((1)(2)(3))", { "a", "q", "s", 1 }, { "b", "q", "t", 2 },
	    { "c", "", "s", 3 });
	REFERENCES("((1)(2)(3))", { "a", "", "s", 1 }, { "b", "q", "s", 2 },
	    { "c", "q", "t", 3 });
	/* a child's subject does not count; nor does an empty one */
	REFERENCES("(1 2)(3)", { "a", "", "s", 1 }, { "b", "a", "t", 2 },
	    { "c", "", "t", 3 });
	REFERENCES("(1)(2)(3)", { "a", "", "", 1 }, { "b", "", "", 2 },
	    { "c", "", "+", 3 });
	/* merged children are sorted */
	REFERENCES("(2 (3)(1)(4))", { "a", "", "+s", 3 }, { "b", "", "s", 1 },
	    { "c", "b", "t", 2 }, { "d", "", "+s", 9 });
}

static void
test_thread_others(void **state)
{
	static const struct letter v[] = {
		{ "a", "", "s", 5 }, { "b", "a", "+s", 1 },
		{ "c", "q", "+s", 2 }, { "d", "q", "t", 3 },
		{ "e", "", "", 4 }, { "f", "", "", 4 }, { NULL, NULL, NULL, 0 }
	};
	static const int64_t arrival[] = { 1, 9, 3, 2, 9, 1 };

	(void)state;
	check_thread(THREAD_ORDEREDSUBJECT, v, NULL, "(2 (3)(1))(4)(5 6)");
	check_thread(THREAD_REFS, v, arrival, "(6)((3)(4))(1 2)(5)");
	check_thread(THREAD_REFS, v, NULL, "((3)(4))(5)(6)(1 2)");
	check_thread(THREAD_REFS, &v[6], NULL, "");
	check_thread(THREAD_ORDEREDSUBJECT, &v[6], NULL, "");
}

/* RFC 5256 BASE.7.2.THREAD */
static void
test_thread_response(void **state)
{
	(void)state;
	REFERENCES("(1)(2 3 (4 5)(6 7 8))", { "a", "", "2", 1 },
	    { "b", "", "3", 2 }, { "c", "b", "6", 3 }, { "d", "c", "4", 4 },
	    { "e", "d", "23", 5 }, { "f", "c", "44", 6 }, { "g", "f", "7", 7 },
	    { "h", "g", "96", 8 });
}

/* A chain of a million, its messages in this direction or that. */
static void
count_token(void *arg, enum thread_token token, uint32_t num)
{
	uint32_t *count = arg;

	if (token != THREAD_NUMBER)
		count[0]++;
	else if (num == count[1] + 1 || num == count[1] - 1)
		count[1] = num;
}

static void
check_chain(bool is_reversed)
{
	uint32_t count[2] = { 0, is_reversed ? DEEP + 1 : 0 };
	struct thread *th;

	assert_int_equal(thread_new(THREAD_REFERENCES, &th), 0);
	for (uint32_t i = 1; i <= DEEP; i++) {
		uint32_t parent = is_reversed ? i + 1 : i - 1;
		uint8_t ref[6] = { 0, 4 };
		struct sortkey k = { .has_date = true, .date = i,
		    .id = span_of(&i, 4), .refs = span_of(ref, 6) };

		memcpy(ref + 2, &parent, 4);
		thread_add(th, &k, 0, i);
	}
	thread_make(th);
	thread_walk(th, count_token, count);
	assert_int_equal(count[0], 2);
	assert_int_equal(count[1], is_reversed ? 1 : DEEP);
	thread_free(th);
}

/* Each message of a chain has another child: as many nested lists. */
static void
check_comb(void)
{
	uint32_t count[2] = { 0, 0 };
	struct thread *th;

	assert_int_equal(thread_new(THREAD_REFERENCES, &th), 0);
	for (uint32_t i = 1; i <= DEEP; i++) {
		uint32_t parent = i - 1 - (i & 1);
		uint8_t ref[6] = { 0, 4 };
		struct sortkey k = { .has_date = true, .date = i,
		    .id = span_of(&i, 4), .refs = span_of(ref, 6) };

		memcpy(ref + 2, &parent, 4);
		if (i == 1)
			k.refs = SPAN_NONE;
		thread_add(th, &k, 0, i);
	}
	thread_make(th);
	thread_walk(th, count_token, count);
	assert_int_equal(count[0], 2 * (DEEP - 1));
	assert_int_equal(count[1], DEEP);
	thread_free(th);
}

static void
test_thread_deep(void **state)
{
	(void)state;
	check_chain(false);
	check_chain(true);
	check_comb();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_key, key_setup,
		    key_teardown),
		cmocka_unit_test_setup_teardown(test_key_octets, key_setup,
		    key_teardown),
		cmocka_unit_test_setup_teardown(test_key_limits, key_setup,
		    key_teardown),
		cmocka_unit_test_setup_teardown(test_pack, key_setup,
		    key_teardown),
		cmocka_unit_test(test_radix),
		cmocka_unit_test(test_sort),
		cmocka_unit_test(test_sort_ranked),
		cmocka_unit_test(test_forest),
		cmocka_unit_test(test_forest_deep),
		cmocka_unit_test(test_thread_links),
		cmocka_unit_test(test_thread_prune),
		cmocka_unit_test(test_thread_subjects),
		cmocka_unit_test(test_thread_others),
		cmocka_unit_test(test_thread_response),
		cmocka_unit_test(test_thread_deep)
	};

	return cmocka_run_group_tests_name("sort", tests, NULL, NULL);
}
