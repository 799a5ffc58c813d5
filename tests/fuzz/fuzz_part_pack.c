/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fuzz_part_pack.c: any bytes as a packed tree, of a message whose size the
 * first byte says.  What comes out lies in the message, and is the same when it
 * is packed and unpacked again.
 */
#include <stdlib.h>

#include "message/part_pack.h"
#include "tests/fuzz/fuzz.h"

#define PACKED_MAX	(1024 * 1024)

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static void
check_extent(const struct extent *a, const struct extent *b, uint64_t size)
{
	check(a->off <= size && a->size <= size - a->off &&
	    a->lines <= a->size && a->bare_lf <= a->lines);
	check(a->off == b->off && a->size == b->size && a->lines == b->lines &&
	    a->bare_lf == b->bare_lf);
}

static size_t
count(const struct part *part)
{
	size_t n = 1;

	for (const struct part *p = part->child; p != NULL; p = p->next)
		n += count(p);
	return n;
}

static void
check_part(const struct part *a, const struct part *b, uint64_t size)
{
	const struct part *p = a->child, *q = b->child;

	check(a->kind == b->kind && (a->kind != PART_LEAF || p == NULL));
	check(is_span_eq(a->content.encoding, b->content.encoding));
	check_extent(&a->header, &b->header, size);
	check_extent(&a->body, &b->body, size);
	for (; p != NULL && q != NULL; p = p->next, q = q->next) {
		check(p->parent == a);
		check_part(p, q, size);
	}
	check(p == NULL && q == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(4096);
	const struct part *top, *again;
	uint64_t of;
	struct buf b;

	if (size > 0) {
		of = (uint64_t)1 << data[0] % 64;
		top = part_unpack(span_of(data + 1, size - 1), of, arena);
		if (top != NULL) {
			buf_init(&b, PACKED_MAX);
			part_pack(top, &b);
			check(buf_err(&b) == 0);
			again = part_unpack(buf_span(&b), of, arena);
			check(again != NULL);
			check(count(top) <= PART_COUNT_MAX);
			check_part(top, again, of);
			buf_done(&b);
		}
	}
	arena_free(arena);
	return 0;
}
