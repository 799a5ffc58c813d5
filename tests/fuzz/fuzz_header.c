/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fuzz_header.c: header blocks.  The first byte says how to cut, the first line
 * which fields to select.  What is selected and what is not are all there is.
 */
#include <stdlib.h>

#include "message/envelope.h"
#include "message/header.h"
#include "message/rfc2045.h"
#include "tests/fuzz/fuzz.h"

static void
check_select(struct span block, size_t step, const struct header_set *set,
    bool is_not, struct buf *whole)
{
	struct header_select hs;
	struct buf cut;

	buf_init(whole, 4 * block.n + 4);
	buf_init(&cut, 4 * block.n + 4);
	header_select_init(&hs, set, is_not);
	(void)header_select_feed(&hs, block, whole);	/* all there is */
	header_select_finish(&hs, whole);
	header_select_init(&hs, set, is_not);
	for (; block.n > 0; block = span_skip(block, step))
		if (!header_select_feed(&hs, span_take(block, step), &cut))
			break;
	header_select_finish(&hs, &cut);
	if (cut.overflowed || !is_span_eq(buf_span(whole), buf_span(&cut)))
		abort();
	buf_done(&cut);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = span_skip(span_of(data, size), 1), name, rest;
	struct arena *arena = arena_new(4096);
	struct content content = { 0 };
	struct envelope envelope = { 0 };
	struct header_field f;
	struct header_set *set;
	struct buf yes, no;
	size_t total = 0;

	name = span_split(&s, '\n');
	set = header_set_new(&name, 1);
	check_select(s, size > 0 ? (size_t)data[0] + 1 : 1, set, false, &yes);
	check_select(s, size > 0 ? (size_t)data[0] + 1 : 1, set, true, &no);
	for (rest = s; header_next(&rest, &f); total += f.raw.n) {
		content_field(&content, &f, arena);
		envelope_field(&envelope, &f, arena);
		if (header_unfold(f.body, arena).n > f.body.n)
			abort();
	}
	if (yes.n + no.n < total + 4)	/* and two empty lines */
		abort();
	content_finish(&content, false);
	buf_done(&yes);
	buf_done(&no);
	header_set_free(set);
	arena_free(arena);
	return 0;
}
