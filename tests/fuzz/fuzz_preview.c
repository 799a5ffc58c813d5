/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fuzz_preview.c: previews of messages.  The first byte says how to cut a part.
 * Whatever the message: UTF-8, within the limits, on one line, without control
 * characters; and cutting does not change it (but where iconv decides what
 * malformed text becomes, it may).
 */
#include <stdlib.h>

#include "base/utf8.h"
#include "message/preview.h"
#include "tests/fuzz/fuzz.h"

static void
make(const struct part *part, struct span message, size_t step,
    struct charset_pool *pool, struct buf *out)
{
	struct preview *pv = preview_new(part, pool);
	struct span s = span_take(span_skip(message, (size_t)part->body.off),
	    (size_t)part->body.size);

	buf_init(out, PREVIEW_BYTES_MAX);
	while (s.n > 0 && preview_feed(pv, span_take(s, step)))
		s = span_skip(s, step);
	preview_finish(pv, out);
}

/* No charset so far took iconv. */
static bool
is_builtin(const struct charset_pool *pool)
{
	static const struct span names[] = { SPAN(""), SPAN("us-ascii"),
	    SPAN("utf-8"), SPAN("iso-8859-1"), SPAN("windows-1252") };
	size_t n = 0;

	for (size_t i = 0; i < pool->list.n; i++)
		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
			n += is_span_ieq(names[k], span_of(
			    pool->list.v[i].name, pool->list.v[i].n));
	return n == pool->list.n;
}

static void
check(struct span text)
{
	size_t chars = 0;
	uint32_t cp;
	bool ok;

	while (text.n > 0) {
		text = span_skip(text, utf8_step(text, &cp, &ok));
		if (!ok || cp < ' ' || (cp >= 0x7F && cp < 0xA0))
			abort();
		chars++;
	}
	if (chars > PREVIEW_CHARS)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = span_skip(span_of(data, size), 1);
	const struct part *parts[PREVIEW_PARTS_MAX], *top;
	struct arena *arena = arena_new(4096);
	struct part_parser *pp = part_parser_new(arena);
	struct charset_pool pool;
	struct buf whole, cut;
	size_t n;

	(void)part_parser_feed(pp, s);
	top = part_parser_finish(pp);
	charset_pool_init(&pool);
	n = preview_parts(top, parts);
	for (size_t i = 0; i < n && size > 0; i++) {
		make(parts[i], s, SIZE_MAX, &pool, &whole);
		make(parts[i], s, (size_t)data[0] + 1, &pool, &cut);
		check(buf_span(&whole));
		check(buf_span(&cut));
		if (is_builtin(&pool) &&
		    !is_span_eq(buf_span(&whole), buf_span(&cut)))
			abort();
		buf_done(&whole);
		buf_done(&cut);
	}
	charset_pool_done(&pool);
	arena_free(arena);
	return 0;
}
