/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fuzz_index.c: any bytes as imapd.index: as they are, with all checks made
 * right, and with the times of the mailbox as it is, too, which is as far as a
 * lie can get: then nothing is promised but that no harm is done.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "maildir/crc32c.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_mailbox.h"

#define HEADER		256u
#define SECTIONS	112u
#define TIMES		56u
#define COUNT		108u
#define MESSAGE		12u
#define PAGE		4096u

/* Each name's check lies behind it. */
static void
repair_names(uint8_t *p, size_t count, uint8_t *names, size_t names_n)
{
	for (size_t i = 0; i < count; i++, p += MESSAGE) {
		uint64_t off = fuzz_get(p + 4, 4), n = p[9];

		if (off + n + 4 <= names_n)
			fuzz_set(names + off + n, 4,
			    crc32c(0, names + off, n));
	}
}

/* As good as it can be made without guessing what was meant. */
static void
repair(uint8_t *p, size_t n)
{
	size_t off[INDEX_SECTIONS + 1] = { HEADER }, left = n - HEADER, count;

	memcpy(p, "imapdix\002", 8);
	fuzz_set(p + 12, 4, 1700000000);
	fuzz_set(p + 16, 8, FUZZ_GENERATION);
	for (size_t s = 0; s < INDEX_SECTIONS; s++) {
		uint8_t *h = p + SECTIONS + 16 * s;
		uint64_t len = fuzz_get(h, 8);

		if (len > left || s + 1 == INDEX_SECTIONS)
			len = left;
		fuzz_set(h, 8, len);
		off[s + 1] = off[s] + (size_t)len;
		left -= (size_t)len;
	}
	count = (off[1] - off[0]) / MESSAGE;
	fuzz_set(p + COUNT, 4, count);
	repair_names(p + HEADER, count, p + off[INDEX_NAMES],
	    off[INDEX_NAMES + 1] - off[INDEX_NAMES]);
	for (size_t i = off[INDEX_BASES]; i + PAGE <= n; i += PAGE)
		fuzz_set(p + i, 4, crc32c(0, p + i + 4, PAGE - 4));
	for (size_t s = 0; s < INDEX_SECTIONS; s++)
		fuzz_set(p + SECTIONS + 16 * s + 8, 4,
		    crc32c(0, p + off[s], off[s + 1] - off[s]));
}

static void
put_journal(void)
{
	uint8_t j[32] = "imapdjl\001";

	fuzz_set(j + 16, 8, FUZZ_GENERATION);
	fuzz_set(j + 8, 4, crc32c(0, j + 12, sizeof(j) - 12));
	fuzz_mailbox_put("imapd.journal", j, sizeof(j));
}

static void
try(uint8_t *p, size_t n, bool is_right)
{
	fuzz_set(p + 8, 4, crc32c(0, p + 12, HEADER - 12));
	fuzz_mailbox();
	fuzz_mailbox_put("imapd.index", p, n);
	put_journal();
	fuzz_mailbox_sessions(is_right);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct index_times times;
	uint8_t *p;

	fuzz_mailbox();
	fuzz_mailbox_put("imapd.index", data, size);
	put_journal();
	fuzz_mailbox_sessions(true);
	if (size < HEADER)
		return 0;
	p = mem_dup(data, size);
	repair(p, size);
	try(p, size, true);
	fuzz_mailbox();
	fuzz_mailbox_times(&times);
	fuzz_times(p + TIMES, &times);
	try(p, size, false);
	free(p);
	return 0;
}
