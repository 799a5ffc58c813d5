/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fuzz_address.c: address lists: bounded, with groups that open and close.
 */
#include <stdlib.h>

#include "message/address.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(4096);
	const struct address *a = address_list(span_of(data, size), arena);
	bool in_group = false;
	size_t n = 0;

	for (; a != NULL; a = a->next, n++) {
		if (a->host.p == NULL) {
			if (in_group != (a->mailbox.p == NULL))
				abort();
			in_group = !in_group;
		} else if (a->mailbox.p == NULL) {
			abort();
		}
	}
	if (in_group || n > ADDRESS_MAX + 1)
		abort();
	arena_free(arena);
	return 0;
}
