/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fuzz_text.c: the stream decoders.  The first byte says how to cut, the second
 * picks the transfer encoding and the charset; the rest is a part.  What comes
 * out is UTF-8, and any piece of it is found; cutting does not change it (but
 * where iconv decides what malformed text becomes, it may).
 */
#include <stdlib.h>

#include "base/utf8.h"
#include "message/text.h"
#include "tests/fuzz/fuzz.h"

#define BUILTIN	3	/* the first so many do without iconv */

static struct content_param charsets[] = {
	{ SPAN("charset"), SPAN("us-ascii"), NULL },
	{ SPAN("charset"), SPAN("iso-8859-1"), NULL },
	{ SPAN("charset"), SPAN("windows-1252"), NULL },
	{ SPAN("charset"), SPAN("shift_jis"), NULL },
	{ SPAN("charset"), SPAN("iso-2022-jp"), NULL },
	{ SPAN("charset"), SPAN("utf-16"), NULL },
	{ SPAN("charset"), SPAN("utf-7"), NULL },
	{ SPAN("charset"), SPAN("big5"), NULL }
};
static const struct span encodings[] = { SPAN("8bit"), SPAN("base64"),
    SPAN("quoted-printable"), SPAN("x-uuencode") };

static void
decode(const struct content *c, struct span s, size_t step, struct buf *out)
{
	struct charset_pool pool;
	struct text_part *tp;

	charset_pool_init(&pool);
	tp = text_part_new(c, &pool);
	buf_init(out, 1 << 24);
	for (; s.n > 0; s = span_skip(s, step))
		text_part_feed(tp, span_take(s, step), out);
	text_part_finish(tp, out);
	text_part_free(tp);
	charset_pool_done(&pool);
	if (!is_utf8(buf_span(out)))
		abort();
}

/* A piece from the middle, cut between characters. */
static struct span
pick(struct span text)
{
	struct span s = span_take(span_skip(text, text.n / 3), 20);

	while (s.n > 0 && (s.p[0] & 0xC0) == 0x80)
		s = span_skip(s, 1);
	while (s.n > 0 && !is_utf8(s))
		s.n--;
	return s;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = span_skip(span_of(data, size), 2);
	struct content c = { .type = SPAN("text"), .subtype = SPAN("plain") };
	struct text_window *w;
	struct text_search *ts;
	struct buf whole, cut;
	size_t step;

	if (size < 2)
		return 0;
	step = (size_t)data[0] + 1;
	c.params = &charsets[data[1] & 7];
	c.encoding = encodings[data[1] >> 3 & 3];
	decode(&c, s, s.n, &whole);
	decode(&c, s, step, &cut);
	if ((data[1] & 7) < BUILTIN &&
	    !is_span_eq(buf_span(&whole), buf_span(&cut)))
		abort();
	w = text_window_new();
	ts = text_search_new(pick(buf_span(&whole)), w);
	text_search_reset(ts);
	for (s = buf_span(&whole); s.n > 0; s = span_skip(s, step))
		(void)text_search_feed(ts, span_take(s, step));
	if (!is_text_found(ts))
		abort();
	text_search_free(ts);
	text_window_free(w);
	buf_done(&whole);
	buf_done(&cut);
	return 0;
}
