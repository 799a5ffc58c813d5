/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fuzz_maildirsize.c: any bytes as maildirsize: parsed, and parsed again as we
 * would have written it; then as the file of a Maildir whose quota is asked for
 * under each rule, and which gets a message and loses it.
 */
#include <stdbool.h>
#include <string.h>

#include "maildir/maildirsize.h"
#include "maildir/quota.h"
#include "maildir/store.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_dir.h"

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static void
text(struct span s)
{
	struct maildirsize ms, again;
	struct buf b;

	maildirsize_parse(s, &ms);
	check(ms.has_limits || (!ms.is_good && ms.lines == 0));
	check(ms.limits.bytes <= MAILDIRSIZE_TOP &&
	    ms.limits.messages <= MAILDIRSIZE_TOP &&
	    ms.bytes <= MAILDIRSIZE_TOP && ms.messages <= MAILDIRSIZE_TOP);
	if (!ms.is_good)
		return;
	buf_init(&b, MAILDIRSIZE_MAX);
	maildirsize_put(&b, &ms.limits, ms.bytes, ms.messages);
	maildirsize_parse(buf_span(&b), &again);
	check(again.is_good && !again.is_torn && again.lines == 1 &&
	    again.bytes == ms.bytes && again.messages == ms.messages &&
	    again.limits.bytes == ms.limits.bytes &&
	    again.limits.messages == ms.limits.messages);
	buf_done(&b);
}

static void
file(enum maildir_quota_kind kind, const uint8_t *data, size_t size)
{
	static struct maildir_store *stores[3];
	struct maildir_conf conf = { .root = fuzz_dir(), .lock_ms = 1000,
	    .quota = kind, .limits = { 1000, 10 } };
	struct maildir_store *store = stores[kind];
	struct maildir_quota q, after;
	int r;

	if (store == NULL)
		check(maildir_store_open(&conf, &stores[kind]) == 0);
	store = stores[kind];
	fuzz_dir_put(QUOTA_FILE, data, size);
	r = maildir_quota(store, &q);
	check(r == 0);
	check(kind == MAILDIR_QUOTA_FILE || (q.limits.bytes == 1000 &&
	    q.limits.messages == 10));
	r = quota_room(store, 0, 0);
	check(r == 0 || r == ERR_QUOTA);
	quota_begin(store);
	quota_added(store, 0, 1);
	quota_begin(store);
	quota_removed(store, 0, 1);
	check(maildir_quota(store, &after) == 0);
	check(after.limits.bytes == q.limits.bytes &&
	    after.limits.messages == q.limits.messages);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	text(span_of(data, size));
	file(MAILDIR_QUOTA_LIMITS, data, size);
	file(MAILDIR_QUOTA_FILE, data, size);
	return 0;
}
