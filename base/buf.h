/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * buf.h: growable bytes with a ceiling.
 *
 * Every buffer is given its ceiling when it is made.  Appending beyond it adds
 * nothing and marks the buffer as overflowed; later appends add nothing either,
 * so that a sequence of appends is checked once, at its end, with buf_err().
 * An overflowed buffer therefore holds a prefix of what was meant, never a text
 * with a hole.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

struct buf {
	uint8_t *p;
	size_t n;		/* bytes in use */
	size_t cap;		/* bytes allocated */
	size_t max;		/* ceiling for n */
	bool overflowed;
};

/* buf_init(b, max): an empty buffer of at most max bytes; allocates nothing. */
void buf_init(struct buf *b, size_t max);

/* buf_done(b): release the memory; b may be used again after buf_init(). */
void buf_done(struct buf *b);

/* buf_wipe_done(b): overwrite what was in it first. */
void buf_wipe_done(struct buf *b);

/* buf_clear(b): empty, not overflowed, memory kept. */
void buf_clear(struct buf *b);

/* buf_err(b): 0, or ERR_LIMIT once an append did not fit. */
int buf_err(const struct buf *b) ERR_CHECK;

/* buf_span(b): the bytes; valid until the next change of b. */
static inline struct span
buf_span(const struct buf *b)
{
	return (struct span){ b->p, b->n };
}

/*
 * buf_room(b, n): room for n more bytes at p + n, to be filled by the caller,
 * who then adds what was written to b->n.  NULL if the ceiling forbids it (and
 * the buffer is marked).  n must not be 0.
 */
uint8_t *buf_room(struct buf *b, size_t n);

void buf_grow(struct buf *b, size_t n);	/* slow path of the puts below */

static inline void
buf_put(struct buf *b, const void *p, size_t n)
{
	if (n == 0)
		return;
	if (n > b->cap - b->n || b->overflowed) {
		buf_grow(b, n);
		if (b->overflowed)
			return;
	}
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

static inline void
buf_putc(struct buf *b, uint8_t c)
{
	buf_put(b, &c, 1);
}

static inline void
buf_put_span(struct buf *b, struct span s)
{
	buf_put(b, s.p, s.n);
}

/* The C string s, without its NUL. */
static inline void
buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

/* v in decimal. */
void buf_put_u64(struct buf *b, uint64_t v);

/* Remove the first n bytes (all, if there are fewer) and move the rest up. */
void buf_consume(struct buf *b, size_t n);

/*
 * buf_cstr(b): the bytes with a NUL behind them (not counted in n); NULL if
 * they hold a NUL themselves or the buffer has overflowed.  Valid until the
 * next change of b.
 */
const char *buf_cstr(struct buf *b);

#endif
