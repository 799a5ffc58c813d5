/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fuzz_html.c: HTML to text.  The first byte says how to cut.  Cutting changes
 * nothing, the text is no longer than twice the input, lines and blanks are
 * single, and UTF-8 stays UTF-8.
 */
#include <stdlib.h>

#include "base/utf8.h"
#include "message/html_text.h"
#include "tests/fuzz/fuzz.h"

static void
convert(struct span s, size_t step, struct buf *out)
{
	struct html_text h;

	buf_init(out, 2 * s.n + HTML_ENTITY_MAX);
	html_text_init(&h);
	for (; s.n > 0; s = span_skip(s, step))
		html_text_feed(&h, span_take(s, step), out);
	html_text_finish(&h, out);
	if (out->overflowed)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = span_skip(span_of(data, size), 1), text;
	struct buf whole, cut;

	if (size < 1)
		return 0;
	convert(s, s.n, &whole);
	convert(s, (size_t)data[0] + 1, &cut);
	text = buf_span(&whole);
	if (!is_span_eq(text, buf_span(&cut)))
		abort();
	for (size_t i = 0; i + 1 < text.n; i++)
		if ((text.p[i] == '\n' || text.p[i] == ' ') &&
		    (text.p[i + 1] == '\n' || text.p[i + 1] == ' '))
			abort();
	if (is_utf8(s) && !is_utf8(text))
		abort();
	buf_done(&whole);
	buf_done(&cut);
	return 0;
}
