/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fuzz_uidlist.c: any bytes as a dovecot-uidlist.  What is believed of them is
 * sound, and written and read again it is the same.
 */
#include <stdbool.h>
#include <string.h>

#include "maildir/uidlist.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_dir.h"

static void
check(bool ok)
{
	if (!ok)
		abort();
}

/* All records, in the form they are written in. */
static void
walk(struct uidlist *ul, struct buf *lines)
{
	struct uidlist_rec rec;
	uint32_t last = 0;

	while (uidlist_next(ul, &rec)) {
		check(rec.uid > last && rec.uid < ul->next);
		check(rec.base.n > 0 && !has_byte(rec.base, '/') &&
		    !has_byte(rec.base, '\n') && !has_byte(rec.base, ':'));
		last = rec.uid;
		uidlist_put(lines, rec.uid, rec.fields, rec.base);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct uidlist_at at = { fuzz_dir_fd(), fuzz_dir_fd(), true };
	struct buf first, second;
	struct uidlist ul, ends;
	uint32_t validity, next;

	fuzz_dir_put("dovecot-uidlist", data, size);
	uidlist_init(&ul);
	uidlist_init(&ends);
	buf_init(&first, UIDLIST_MAX);
	buf_init(&second, UIDLIST_MAX);
	check(uidlist_read(&ul, &at) == 0);
	walk(&ul, &first);
	check(uidlist_read_ends(&ends, &at) == 0);
	if (!ul.must_rewrite && !ends.must_rewrite)
		check(ends.uidvalidity == ul.uidvalidity &&
		    ends.next == ul.next);
	validity = ul.uidvalidity;
	next = ul.next;
	if (validity != 0) {
		check(uidlist_rewrite(&ul, at.dir, 0600, buf_span(&first),
		    false) == 0);
		check(uidlist_read(&ul, &at) == 0);
		walk(&ul, &second);
		check(!ul.must_rewrite && ul.uidvalidity == validity &&
		    ul.next == next);
		check(is_span_eq(buf_span(&first), buf_span(&second)));
	}
	uidlist_done(&ul);
	uidlist_done(&ends);
	buf_done(&first);
	buf_done(&second);
	return 0;
}
