/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fuzz_message.c: the MIME tree.  Its extents lie within each other and within
 * the message, its counts are right, and cutting the message does not change
 * it.  The first byte says how to cut.
 */
#include <stdlib.h>

#include "message/crlf.h"
#include "message/part.h"
#include "tests/fuzz/fuzz.h"

static struct part *
parse(struct span s, size_t step, struct arena *arena)
{
	struct part_parser *pp = part_parser_new(arena);

	for (; s.n > 0; s = span_skip(s, step))
		if (!part_parser_feed(pp, span_take(s, step)))
			abort();
	return part_parser_finish(pp);
}

static void
check_extent(const struct extent *e, struct span msg)
{
	struct crlf_count c = { 0 };

	if (e->off > msg.n || e->size > msg.n - e->off)
		abort();
	if (e->off > 0)
		c.has_cr = msg.p[e->off - 1] == '\r';
	crlf_count(&c, span_take(span_skip(msg, (size_t)e->off),
	    (size_t)e->size));
	if (c.lines != e->lines || c.bare != e->bare_lf)
		abort();
}

static bool
is_extent_eq(const struct extent *a, const struct extent *b)
{
	return a->off == b->off && a->size == b->size;
}

static void
check(const struct part *a, const struct part *b, struct span msg)
{
	const struct part *p = a->child, *q = b->child;

	if (a->kind != b->kind || !is_extent_eq(&a->header, &b->header) ||
	    !is_extent_eq(&a->body, &b->body) ||
	    !is_span_eq(a->content.type, b->content.type) ||
	    (a->envelope == NULL) != (b->envelope == NULL))
		abort();
	check_extent(&a->header, msg);
	check_extent(&a->body, msg);
	for (; p != NULL && q != NULL; p = p->next, q = q->next) {
		if (p->parent != a || p->header.off < a->body.off ||
		    p->body.off + p->body.size > a->body.off + a->body.size)
			abort();
		check(p, q, msg);
	}
	if (p != NULL || q != NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span msg = span_skip(span_of(data, size), 1);
	struct arena *arena = arena_new(4096);

	if (size > 0)
		check(parse(msg, msg.n, arena), parse(msg,
		    (size_t)data[0] + 1, arena), msg);
	arena_free(arena);
	return 0;
}
