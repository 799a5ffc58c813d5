/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fuzz_sortkey.c: any bytes as a packed sort key.  What is taken is packed as
 * it was, and has no more than the limits allow; a SORT by everything and each
 * THREAD then live on it.  And any bytes as a message: its key can be packed,
 * and is taken again.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "imapd/mailbox/msgview.h"
#include "imapd/mailbox/sort.h"
#include "imapd/mailbox/sortkey.h"
#include "imapd/mailbox/thread.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/fake_maildir.h"

static void
check_limits(const struct sortkey *k)
{
	struct span rest = k->refs, id;
	size_t n = 0;

	while (sortkey_next_ref(&rest, &id)) {
		n++;
		if (id.n == 0 || id.n > SORTKEY_ID_MAX)
			abort();
	}
	if (n > SORTKEY_REFS_MAX || k->subject.n > SORTKEY_TEXT_MAX)
		abort();
}

static void
count(void *arg, enum thread_token token, uint32_t num)
{
	if (token == THREAD_NUMBER)
		*(uint32_t *)arg += num;
}

/* One message and another that answers it, for each algorithm. */
static void
thread(const struct sortkey *k)
{
	static const enum thread_algorithm algs[] = { THREAD_ORDEREDSUBJECT,
	    THREAD_REFERENCES, THREAD_REFS };
	struct sortkey answer = *k;

	answer.id = SPAN_NONE;
	for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
		struct thread *th;
		uint32_t sum = 0;

		if (thread_new(algs[i], &th) != 0)
			abort();
		thread_add(th, &answer, 1, 1);
		thread_add(th, k, 2, 2);
		thread_add(th, k, 0, 4);
		thread_make(th);
		thread_walk(th, count, &sum);
		if (sum != 7)
			abort();
		thread_free(th);
	}
}

static void
sort(const struct sortkey *k)
{
	struct sort_args args = { .ncriteria = SORT_KEYS };
	const uint32_t *order;
	struct sort *so;

	for (size_t i = 0; i < SORT_KEYS; i++)
		args.criterion[i] = (struct sort_criterion){ (enum sort_key)i,
		    i % 2 == 0 };
	if (sort_new(&args, &so) != 0)
		abort();
	sort_add(so, k, 1, 2, NULL);
	sort_add(so, k, 1, 2, NULL);
	if (sort_order(so, NULL, NULL, &order) != 0 || order[0] != 0 ||
	    order[1] != 1)
		abort();
	sort_free(so);
}

/* Unpack, and pack again; false: it is no key. */
static bool
check_packed(struct span packed)
{
	struct sortkey k = { 0 };
	struct buf b;

	if (sortkey_unpack(packed, SORTKEY_ALL, &k) != 0)
		return false;
	check_limits(&k);
	buf_init(&b, packed.n);
	sortkey_pack(&k, SORTKEY_ALL, &b);
	if (!is_span_eq(buf_span(&b), packed))
		abort();
	buf_done(&b);
	sort(&k);
	thread(&k);
	return true;
}

static void
check_message(struct span text)
{
	struct arena *arena = arena_new(4096);
	struct msgview *mv = msgview_new(NULL);
	struct sortkey k = { 0 };
	struct buf b;

	(void)fake_add(&fake, 1, 0, text);
	msgview_set(mv, 1);
	if (sortkey_get(mv, SORTKEY_ALL, arena, &k) != 0)
		abort();
	buf_init(&b, SIZE_MAX / 2);
	sortkey_pack(&k, SORTKEY_ALL, &b);
	if (!check_packed(buf_span(&b)))
		abort();
	buf_done(&b);
	msgview_free(mv);
	arena_free(arena);
	fake_clear(&fake);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	(void)check_packed(span_of(data, size));
	check_message(span_of(data, size));
	return 0;
}
