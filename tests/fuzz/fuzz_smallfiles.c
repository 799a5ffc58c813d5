/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fuzz_smallfiles.c: any bytes as dovecot-keywords, as subscriptions and as
 * Courier's list of them; read, changed, and read again.
 */
#include <stdbool.h>
#include <string.h>

#include "maildir/keywords.h"
#include "maildir/maildir.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_dir.h"

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static void
keywords(void)
{
	struct span name = SPAN("$fuzz");
	struct keywords kw, again;
	size_t i, k;
	bool changed;
	int r;

	keywords_init(&kw);
	keywords_init(&again);
	check(keywords_load(&kw, fuzz_dir_fd(), &changed) == 0);
	r = keywords_add(&kw, fuzz_dir_fd(), 0600, &name, 1, false);
	check(r == 0 || r == ERR_LIMIT);
	if (r == 0)
		check(keywords_find(&kw, name, &i) == 0);
	check(keywords_load(&again, fuzz_dir_fd(), &changed) == 0);
	for (k = 0; k < KEYWORDS_LETTERS; k++)
		check((kw.name[k] == NULL) == (again.name[k] == NULL) &&
		    (kw.name[k] == NULL ||
		    strcmp(kw.name[k], again.name[k]) == 0));
	keywords_done(&kw);
	keywords_done(&again);
}

static size_t
count(struct maildir_store *store)
{
	struct arena *arena = arena_new(4096);
	struct maildir_path *v;
	size_t n;

	check(maildir_subscriptions(store, arena, &v, &n) == 0);
	for (size_t i = 0; i < n; i++)
		check(v[i].n > 0 && v[i].level[0].n > 0);
	arena_free(arena);
	return n;
}

static void
subscriptions(struct maildir_store *store)
{
	static const struct span level = SPAN("fuzz");
	const struct maildir_path path = { &level, 1 };
	size_t n = count(store);

	check(maildir_subscribe(store, &path, true) == 0);
	check(count(store) == n || count(store) == n + 1);
	check(maildir_subscribe(store, &path, false) == 0);
	check(count(store) <= n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct maildir_store *store;
	struct maildir_conf conf = { .root = fuzz_dir(), .lock_ms = 1000 };

	if (store == NULL)
		check(maildir_store_open(&conf, &store) == 0);
	fuzz_dir_put("dovecot-keywords", data, size);
	keywords();
	fuzz_dir_put("subscriptions", data, size);
	subscriptions(store);
	(void)unlinkat(fuzz_dir_fd(), "subscriptions", 0);
	fuzz_dir_put("courierimapsubscribed", data, size);
	subscriptions(store);
	return 0;
}
