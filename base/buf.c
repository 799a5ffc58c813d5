/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"

#define BUF_FIRST	64	/* smallest allocation */

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void
buf_done(struct buf *b)
{
	free(b->p);
	buf_init(b, b->max);
}

void
buf_wipe_done(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->cap);
	buf_done(b);
}

void
buf_clear(struct buf *b)
{
	b->n = 0;
	b->overflowed = false;
}

int
buf_err(const struct buf *b)
{
	return b->overflowed ? ERR_LIMIT : 0;
}

void
buf_grow(struct buf *b, size_t n)
{
	size_t cap;

	if (b->overflowed || n > b->max - b->n) {
		b->overflowed = true;
		return;
	}
	if (n <= b->cap - b->n)
		return;
	cap = b->cap < BUF_FIRST ? BUF_FIRST : b->cap;
	while (cap - b->n < n)
		cap = cap > b->max / 2 ? b->max : cap * 2;
	if (cap > b->max)	/* a ceiling below BUF_FIRST */
		cap = b->max;
	b->p = mem_resize(b->p, cap, 1);
	b->cap = cap;
}

uint8_t *
buf_room(struct buf *b, size_t n)
{
	buf_grow(b, n);
	return b->overflowed ? NULL : b->p + b->n;
}

void
buf_put_u64(struct buf *b, uint64_t v)
{
	uint8_t digits[NUM_U64_DIGITS];

	buf_put(b, digits, num_print(v, digits));
}

void
buf_consume(struct buf *b, size_t n)
{
	if (n >= b->n) {
		b->n = 0;
		return;
	}
	if (n == 0)
		return;
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

const char *
buf_cstr(struct buf *b)
{
	if (b->overflowed || has_byte(buf_span(b), '\0'))
		return NULL;
	if (b->cap - b->n < 1) {
		b->p = mem_resize(b->p, b->n + 1, 1);
		b->cap = b->n + 1;
	}
	b->p[b->n] = '\0';
	return (const char *)b->p;
}
