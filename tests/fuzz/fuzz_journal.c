/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fuzz_journal.c: any bytes as imapd.journal, beside an index that a session
 * has written: as they are, with the checks made right, and beside an index
 * that is current, which lets the journal say what it likes: then nothing is
 * promised but that no harm is done.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "maildir/crc32c.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_mailbox.h"

#define HEADER		32u
#define RECORD		20u
#define INDEX_HEADER	256u
#define INDEX_MAX	16384u
#define TIMES		56u

/* The index that a first session writes. */
static struct span
index_made(void)
{
	static uint8_t p[INDEX_MAX];
	static size_t n;
	char path[256];
	FILE *f;

	if (n > 0)
		return span_of(p, n);
	fuzz_mailbox();
	maildir_close(fuzz_mailbox_open());
	(void)snprintf(path, sizeof(path), "%s/imapd.index",
	    fuzz_mailbox_dir());
	f = fopen(path, "rb");
	fuzz_check(f != NULL);
	n = fread(p, 1, sizeof(p), f);
	fuzz_check(n > INDEX_HEADER && n < sizeof(p));
	fclose(f);
	fuzz_set(p + 16, 8, FUZZ_GENERATION);
	fuzz_set(p + 32, 8, 2);	/* no record is too old for it */
	fuzz_set(p + 40, 8, 1);
	fuzz_set(p + 48, 8, 1);
	return span_of(p, n);
}

static void
put_index(bool is_current)
{
	struct index_times t = { .uidnext = 0 };
	struct span s = index_made();
	uint8_t *p = mem_dup(s.p, s.n);

	fuzz_mailbox();
	if (is_current)
		fuzz_mailbox_times(&t);
	fuzz_times(p + TIMES, &t);
	fuzz_set(p + 8, 4, crc32c(0, p + 12, INDEX_HEADER - 12));
	fuzz_mailbox_put("imapd.index", p, s.n);
	free(p);
}

static void
repair(uint8_t *p, size_t n)
{
	uint8_t g[8];
	size_t at, len;

	memcpy(p, "imapdjl\001", 8);
	fuzz_set(p + 16, 8, FUZZ_GENERATION);
	fuzz_set(p + 8, 4, crc32c(0, p + 12, HEADER - 12));
	fuzz_set(g, 8, FUZZ_GENERATION);
	for (at = HEADER; n - at >= RECORD; at += len) {
		len = (size_t)fuzz_get(p + at, 4);
		if (len < RECORD || len > n - at)
			break;
		fuzz_set(p + at + 4, 4, crc32c(crc32c(0, g, sizeof(g)),
		    p + at + 8, len - 8));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *p;

	put_index(false);
	fuzz_mailbox_put("imapd.journal", data, size);
	fuzz_mailbox_sessions(true);
	if (size < HEADER)
		return 0;
	p = mem_dup(data, size);
	repair(p, size);
	put_index(false);
	fuzz_mailbox_put("imapd.journal", p, size);
	fuzz_mailbox_sessions(true);
	put_index(true);
	fuzz_mailbox_put("imapd.journal", p, size);
	fuzz_mailbox_sessions(false);
	free(p);
	return 0;
}
