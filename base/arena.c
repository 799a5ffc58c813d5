/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"

/*
 * A list of blocks, newest first.  Small allocations are cut from the newest
 * block; one that does not fit opens a block of at least twice the size of the
 * first, so that the number of blocks stays small.  The first block is the last
 * of the list and survives arena_clear().
 */
#define ARENA_ALIGN	alignof(max_align_t)
#define ARENA_MIN	256
#define ARENA_BLOCK_MAX	(1024 * 1024)	/* blocks grow to this, then stay */

struct block {
	struct block *older;
	size_t cap;
	size_t used;
	alignas(max_align_t) uint8_t bytes[];
};

struct arena {
	struct block *newest;
	size_t next_cap;	/* of the next ordinary block */
	size_t first_cap;
	size_t total;
};

static struct block *
block_new(size_t cap, struct block *older)
{
	struct block *b = mem_resize(NULL, sizeof(*b) + cap, 1);

	b->older = older;
	b->cap = cap;
	b->used = 0;
	return b;
}

struct arena *
arena_new(size_t first)
{
	struct arena *a = mem_zalloc(sizeof(*a));

	a->first_cap = first < ARENA_MIN ? ARENA_MIN : first;
	a->next_cap = a->first_cap;
	return a;	/* the first block comes with the first allocation */
}

static void
release(struct arena *a, struct block *keep)
{
	struct block *b = a->newest, *older;

	for (; b != NULL && b != keep; b = older) {
		older = b->older;
		free(b);
	}
	a->newest = b;
}

void
arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	release(a, NULL);
	free(a);
}

void
arena_clear(struct arena *a)
{
	struct block *first = a->newest;

	while (first != NULL && first->older != NULL)
		first = first->older;
	if (first != NULL && first->cap > a->first_cap)
		first = NULL;	/* an oversized one: do not keep it for ever */
	release(a, first);
	if (a->newest != NULL)
		a->newest->used = 0;
	a->next_cap = a->first_cap;
	a->total = 0;
}

void
arena_wipe(struct arena *a)
{
	for (struct block *b = a->newest; b != NULL; b = b->older)
		explicit_bzero(b->bytes, b->used);
	arena_clear(a);
}

void *
arena_alloc(struct arena *a, size_t n)
{
	struct block *b = a->newest;
	size_t at, cap;
	void *p;

	if (b != NULL) {
		at = (b->used + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1);
		if (at <= b->cap && n <= b->cap - at)
			goto found;
	}
	cap = n > a->next_cap ? n : a->next_cap;
	if (a->next_cap < ARENA_BLOCK_MAX)
		a->next_cap *= 2;
	b = a->newest = block_new(cap, a->newest);
	at = 0;
found:
	p = b->bytes + at;
	b->used = at + n;
	a->total += n;
	memset(p, 0, n);
	return p;
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
	size_t n;

	if (__builtin_mul_overflow(count, size, &n))
		n = SIZE_MAX - 4096;	/* fails in mem_resize() */
	return arena_alloc(a, n);
}

struct span
arena_dup(struct arena *a, struct span s)
{
	uint8_t *p = arena_alloc(a, s.n);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return span_of(p, s.n);
}

char *
arena_cstr(struct arena *a, struct span s)
{
	char *p = arena_alloc(a, s.n + 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

size_t
arena_used(const struct arena *a)
{
	return a->total;
}
