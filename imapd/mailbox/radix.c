/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * radix.c: see radix.h.  Byte by byte, the lowest first; a byte that is the
 * same in all keys costs nothing, and in dates, sizes and ranks most are.
 */
#include "imapd/mailbox/radix.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define BYTES	8
#define VALUES	256

/* By byte at: from order into out; count is how often each value is there. */
static void
pass(const uint64_t *key, unsigned at, const uint32_t *count,
    const uint32_t *order, uint32_t *out, uint32_t n)
{
	uint32_t start[VALUES], sum = 0;

	for (unsigned v = 0; v < VALUES; v++) {
		start[v] = sum;
		sum += count[v];
	}
	for (uint32_t i = 0; i < n; i++)
		out[start[key[order[i]] >> 8 * at & 0xff]++] = order[i];
}

void
radix_sort(const uint64_t *key, uint32_t *order, uint32_t n)
{
	uint32_t (*count)[VALUES] = mem_zalloc(BYTES * sizeof(*count));
	uint32_t *from = order, *to, *spare;

	to = spare = mem_resize(NULL, n, sizeof(*spare));
	for (uint32_t i = 0; i < n; i++)
		for (unsigned at = 0; at < BYTES; at++)
			count[at][key[order[i]] >> 8 * at & 0xff]++;
	for (unsigned at = 0; at < BYTES; at++) {
		uint32_t *was = from;

		if (n == 0 || count[at][key[order[0]] >> 8 * at & 0xff] == n)
			continue;
		pass(key, at, count[at], from, to, n);
		from = to;
		to = was;
	}
	if (from != order)
		memcpy(order, from, n * sizeof(*order));
	free(spare);
	free(count);
}
