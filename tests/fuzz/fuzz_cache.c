/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fuzz_cache.c: any bytes as imapd.cache: as they are, and with all checks made
 * right.  What is kept then is there afterwards, and comes back in the next
 * session.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "maildir/cachefile.h"
#include "maildir/crc32c.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_mailbox.h"

#define HEADER		24u
#define BLOCK		20u
#define VALUE		12u
#define VALIDITY	1700000000u

static const struct span kinds[] = { SPAN("a 1"), SPAN("bb 1"), SPAN("c 2") };

static const uint32_t uids[] = { 1, 2, 3, 5, 9 };	/* of fuzz_mailbox.c */

#define KINDS	(sizeof(kinds) / sizeof(*kinds))
#define UIDS	(sizeof(uids) / sizeof(*uids))

/* The checks of the values that the directory points to. */
static void
repair_values(uint8_t *p, size_t n, uint32_t count, uint32_t seed)
{
	for (uint32_t i = 0; i < count; i++) {
		uint64_t off = fuzz_get(p + BLOCK + 8 * i + 4, 4), len;

		if (off + VALUE > n || off < BLOCK)
			continue;
		fuzz_set(p + off + 8, 4, fuzz_get(p + BLOCK + 8 * i, 4));
		len = fuzz_get(p + off + 4, 4);
		if (len > n - off - VALUE)
			continue;
		fuzz_set(p + off, 4, crc32c(crc32c(seed, p + 10, 2),
		    p + off + 4, VALUE - 4 + len));
	}
}

static void
repair(uint8_t *p, size_t n)
{
	uint32_t seed = crc32c(0, p + 16, 8);

	memcpy(p, "imapdch\001", 8);
	fuzz_set(p + 12, 4, VALIDITY);
	p[16] |= 1;
	seed = crc32c(0, p + 16, 8);
	fuzz_set(p + 8, 4, crc32c(0, p + 12, HEADER - 12));
	for (size_t off = HEADER; off + BLOCK <= n;) {
		uint8_t *b = p + off;
		uint64_t len = fuzz_get(b + 4, 4), count, body;

		if (len < BLOCK || len > n - off)
			len = n - off;
		fuzz_set(b + 4, 4, len);
		b[8] = 0;
		b[9] = b[9] % 2 == 0 ? 1 : 2;
		b[10] = 0;
		count = fuzz_get(b + 12, 4);
		if (count > (len - BLOCK) / (8 + VALUE))
			count = (len - BLOCK) / (8 + VALUE);
		if (b[9] == 2) {
			fuzz_set(b + 12, 4, count);
			repair_values(b, len, (uint32_t)count, seed);
		}
		body = b[9] == 2 ? 8 * count : len - BLOCK;
		fuzz_set(b + 16, 4, crc32c(seed, b + BLOCK, body));
		fuzz_set(b, 4, crc32c(seed, b + 4, BLOCK - 4));
		off += len;
	}
}

static void
read_all(struct maildir *md)
{
	for (size_t i = 0; i < KINDS; i++) {
		struct span s;
		unsigned k;

		fuzz_check(maildir_kind(md, kinds[i], &k) == 0);
		for (uint32_t uid = 0; uid < 12; uid++)
			if (has_maildir_value(md, k, uid, &s) && s.n > 0)
				(void)crc32c(0, s.p, s.n);
	}
}

static void
keep_all(struct maildir *md)
{
	for (size_t i = 0; i < KINDS; i++) {
		unsigned k;

		fuzz_check(maildir_kind(md, kinds[i], &k) == 0);
		for (size_t u = 0; u < UIDS; u++)
			maildir_keep(md, k, uids[u], kinds[i]);
	}
	maildir_keep_flush(md);
}

/* There may be no number for a kind, which is no harm: *n. */
static void
check_kept(struct maildir *md, size_t *n)
{
	*n = 0;
	for (size_t i = 0; i < KINDS; i++) {
		struct span s;
		unsigned k;

		fuzz_check(maildir_kind(md, kinds[i], &k) == 0);
		if (!has_maildir_value(md, k, 1, &s))
			continue;
		for (size_t u = 0; u < UIDS; u++)
			fuzz_check(has_maildir_value(md, k, uids[u], &s) &&
			    is_span_eq(s, kinds[i]));
		(*n)++;
	}
}

static void
run(const uint8_t *p, size_t n)
{
	struct maildir *md;
	size_t kept, again;

	/* Without a record nothing in the file would be believed. */
	fuzz_mailbox();
	maildir_close(fuzz_mailbox_open());
	fuzz_mailbox_put(CACHE_FILE, p, n);
	md = fuzz_mailbox_open();
	read_all(md);
	keep_all(md);
	check_kept(md, &kept);
	maildir_close(md);
	md = fuzz_mailbox_open();
	check_kept(md, &again);
	fuzz_check(again >= kept);
	maildir_close(md);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *p;

	if (size > 65536)
		return 0;
	run(data, size);
	if (size < HEADER)
		return 0;
	p = mem_dup(data, size);
	repair(p, size);
	run(p, size);
	free(p);
	return 0;
}
