/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fuzz_date.c: dates and message identifiers.
 */
#include <stdlib.h>

#include "message/date.h"
#include "message/msgid.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_of(data, size), id;
	struct arena *arena = arena_new(4096);
	int64_t t;
	int zone;

	if (date_parse(rest, &t, &zone) == 0 && (zone < -6000 || zone > 6000))
		abort();
	while (msgid_next(&rest, arena, &id))
		if (id.n == 0)
			abort();
	arena_free(arena);
	return 0;
}
