/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fuzz_rfc2047.c: encoded words, and the subjects made of them: UTF-8, the
 * latter if the field was.
 */
#include <stdlib.h>

#include "base/utf8.h"
#include "message/rfc2047.h"
#include "message/subject.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(4096);
	struct charset_pool pool;
	bool is_reply;
	struct buf out;

	buf_init(&out, 64 * size + 64);
	charset_pool_init(&pool);
	rfc2047_decode(span_of(data, size), &pool, &out);
	charset_pool_done(&pool);
	if (out.overflowed || !is_utf8(buf_span(&out)))
		abort();
	if (!is_utf8(subject_base(span_of(data, size), arena, &is_reply)) &&
	    is_utf8(span_of(data, size)))
		abort();
	buf_done(&out);
	arena_free(arena);
	return 0;
}
