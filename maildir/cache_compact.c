/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * A new imapd.cache with what is worth keeping of the old one: large blocks, in
 * order of UID, so that one read gets the values of many messages.
 */
#include "maildir/cache.h"
#include "maildir/md.h"

#define FORGET		30u	/* days without use until a kind is dropped */
#define FORGET_FULL	7u	/* ... when there are no numbers left */
#define BLOCKS_MIN	64u	/* more than this, and ... */
#define BLOCKS_SHARE	4u	/* ... than so many in the room of a full one */
#define DEAD_MIN	256u	/* values; and half of all */
#define DEAD_BYTES_MIN	(1u << 20)	/* of values that have been put again;
					 * and an eighth of the file */

/* Nobody has used it for a long time; by a clock that makes sense. */
static bool
is_forgotten(const struct cachefile *f, unsigned kind)
{
	uint32_t days = cache_days(f->kind[kind].day);
	unsigned end = kind < CACHE_MANY_FROM ? CACHE_MANY_FROM : CACHE_KINDS;
	bool is_full = true;

	for (unsigned i = kind < CACHE_MANY_FROM ? 0 : CACHE_MANY_FROM;
	    i < end; i++)
		is_full = is_full && f->kind[i].name != NULL;
	return f->kind[kind].name != NULL && days != UINT32_MAX &&
	    days > (is_full ? FORGET_FULL : FORGET);
}

/* Bytes of values of the mailbox (UID 0) that have been put again: each is a
 * block by itself.  One of a message may be, too, and is small then. */
static uint64_t
dead_bytes(const struct cachefile *f)
{
	uint32_t last[CACHE_KINDS] = { 0 };
	uint64_t dead = 0;

	for (size_t i = 0; i < f->blocks.n; i++) {
		const struct cachefile_block *b = &f->blocks.v[i];

		if (b->count != 1)
			continue;
		dead += last[b->kind];
		last[b->kind] = b->n;
	}
	return dead;
}

static bool
is_worth_it(const struct maildir *md)
{
	const struct cachefile *f = &md->cache.file;
	uint64_t all = 0, dead = 0, bytes = dead_bytes(f);

	for (unsigned i = 0; i < CACHE_KINDS; i++) {
		const struct cachefile_kind *k = &f->kind[i];

		if (is_forgotten(f, i))
			return true;
		all += k->count;
		if (k->name == NULL)
			dead += k->count;
		else if (k->count > md->pic.msgs.n)
			dead += k->count - md->pic.msgs.n;
	}
	return (dead > DEAD_MIN && dead > all / 2) ||
	    (bytes > DEAD_BYTES_MIN && bytes > f->end / 8) || f->blocks.n >
	    BLOCKS_MIN + BLOCKS_SHARE * (f->end / CACHE_BLOCK);
}

static int
flush(struct cachefile *to, unsigned kind, struct cachebatch *b)
{
	struct buf out;
	int r;

	buf_init(&out, CACHE_BLOCK_MAX);
	cachefile_put_block(to, &out, kind, b);
	r = buf_err(&out);
	if (r == 0)
		r = cachefile_append(to, buf_span(&out));
	buf_done(&out);
	return r;
}

/* The values of one kind. */
static int
copy_values(const struct maildir *md, struct cachefile *to, unsigned kind)
{
	const struct cachefile *from = &md->cache.file;
	struct cache_map map = { .blocks = 0 };
	struct cache_window w = { .off = 0 };
	struct cachebatch b;
	int r = 0;

	buf_init(&w.bytes, CACHE_BLOCK_MAX);
	cachebatch_init(&b);
	cache_map(from, kind, &map);
	/* That of the mailbox, which has UID 0, and those of messages. */
	for (size_t i = 0; r == 0 && i < md->pic.msgs.n + 1; i++) {
		uint32_t uid = i == 0 ? 0 : md->pic.msgs.v[i - 1].uid;
		const struct cache_entry *e = cache_map_find(&map, uid);
		struct span value;

		if (e == NULL || !has_cache_value(from, &w, kind, e, &value))
			continue;
		cachebatch_put(&b, uid, value);
		if (b.values.n >= CACHE_BLOCK)
			r = flush(to, kind, &b);
	}
	if (r == 0 && b.count > 0)
		r = flush(to, kind, &b);
	cachebatch_done(&b);
	buf_done(&w.bytes);
	cache_map_done(&map);
	return r;
}

static int
copy_kind(const struct maildir *md, struct cachefile *to, unsigned kind)
{
	const struct cachefile_kind *k = &md->cache.file.kind[kind];
	struct buf out;
	int r;

	if (k->name == NULL || is_forgotten(&md->cache.file, kind))
		return 0;
	buf_init(&out, CACHE_BLOCK_MAX);
	cachefile_put_kind(to, &out, kind, span_str(k->name), k->day);
	r = cachefile_append(to, buf_span(&out));
	buf_done(&out);
	return r != 0 ? r : copy_values(md, to, kind);
}

void
cache_compact(struct maildir *md)
{
	struct cachefile *from = &md->cache.file, to;
	int r;

	if (md->is_memory_only || !is_worth_it(md) ||
	    cachefile_lock(from, md->box.control) != 0)
		return;
	cachefile_init(&to);
	to.generation = unique_bits(&md->store->unique) | 1;
	r = cachefile_create(&to, md->box.control, md->box.file_mode,
	    md->ul.uidvalidity);
	for (unsigned i = 0; r == 0 && i < CACHE_KINDS; i++)
		r = copy_kind(md, &to, i);
	/* On an error the old one stays; the next one may have more luck. */
	if (r == 0)
		(void)!cachefile_show(&to, md->box.control);
	cachefile_done(&to);
	cachefile_unlock(from);
}
