/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * imapd.cache by itself: what it says of messages is not compared with them,
 * only whether it is what was once written.
 */
#include <sys/file.h>

#include <stdlib.h>

#include "base/mem.h"
#include "maildir/check_look.h"

static void
check_value(struct look *l, const struct cachefile *f,
    const struct cachefile_block *b, struct cache_window *w,
    const struct cache_entry *e)
{
	struct span value;

	if (!has_cache_value(f, w, b->kind, e, &value))
		check_add(l, CHECK_CACHE_VALUE, l->control, CACHE_FILE,
		    "UID %lu, block at %llu", (unsigned long)e->uid,
		    (unsigned long long)b->off);
}

static void
check_block(struct look *l, const struct cachefile *f, size_t i,
    struct cache_window *w)
{
	const struct cachefile_block *b = &f->blocks.v[i];
	uint32_t *v = mem_resize(NULL, (size_t)b->count + 1, 2 * sizeof(*v));

	if (cachefile_entries(f, i, v) != 0 || f->kind[b->kind].name == NULL)
		check_add(l, CHECK_CACHE_BLOCK, l->control, CACHE_FILE,
		    "at %llu", (unsigned long long)b->off);
	else
		for (size_t k = 0; k < b->count; k++) {
			const struct cache_entry e = {
				v[2 * k], (uint32_t)i, v[2 * k + 1]
			};

			check_value(l, f, b, w, &e);
		}
	free(v);
}

void
check_cache(struct look *l)
{
	struct cachefile f;
	struct cache_window w = { .off = 0 };
	int r;

	cachefile_init(&f);
	buf_init(&w.bytes, CACHE_BLOCK_MAX);
	r = cachefile_open(&f, l->md.box.control, l->md.ul.uidvalidity);
	if (r != 0) {
		if (r != ERR_NOENT)
			check_add(l, CHECK_CACHE_HEADER, l->control,
			    CACHE_FILE, "%s", r == ERR_CORRUPT ?
			    "damaged, or of another UIDVALIDITY" : err_text(r));
		goto done;
	}
	/* While somebody writes the end may be torn. */
	if (flock(f.fd, LOCK_SH | LOCK_NB) != 0)
		goto done;
	if (cachefile_update(&f) != 0 || f.is_torn)
		check_add(l, CHECK_CACHE_BLOCK, l->control, CACHE_FILE,
		    "at %llu", (unsigned long long)f.end);
	for (size_t i = 0; i < f.blocks.n; i++)
		check_block(l, &f, i, &w);
done:
	buf_done(&w.bytes);
	cachefile_done(&f);
}
