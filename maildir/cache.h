/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * cache.h: imapd.cache for one open mailbox: where the values of each kind are
 * (as far as anybody has asked for that kind), and those on their way into the
 * file.
 */
#ifndef MAILDIR_CACHE_H
#define MAILDIR_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/vec.h"
#include "maildir/cachefile.h"
#include "maildir/maildir.h"

#define CACHE_NO_NUMBER	CACHE_KINDS
#define CACHE_ENTRIES_MAX	(1u << 22)	/* of a map: in older blocks;
						 * what is behind is not
						 * there */

struct cache_entry {
	uint32_t uid;
	uint32_t block;		/* in the file's list */
	uint32_t off;		/* in the block */
};

/* Where values are: in order of UID, each UID once. */
struct cache_map {
	VEC(struct cache_entry) entries;
	size_t blocks;		/* of the file, looked at so far */
	size_t at;		/* where the last one was found */
};

/* Bytes of the file. */
struct cache_window {
	struct buf bytes;
	uint64_t off;
};

struct cache_kind {
	char *name;
	unsigned number;	/* in the file, or CACHE_NO_NUMBER */
	bool is_used;
	bool is_one_of_many;
	struct cache_map map;
	struct cache_window window;
	struct cachebatch batch;
};

struct cache {
	struct cachefile file;
	bool is_looked;		/* for the file, or for more of it, since the
				 * last flush */
	bool is_void;		/* the file is wrong, and cannot be removed */
	unsigned n, nmany;
	struct cache_kind kind[MAILDIR_KINDS_MAX];
};

void cache_init(struct cache *c);
void cache_done(struct cache *c);

/* cache_void(md): UIDs may mean other messages than those that the values are
 * about: nothing of it is true.  The file is removed. */
void cache_void(struct maildir *md);

/* cache_rest(md): write, compact if that is worth it, and give back memory. */
void cache_rest(struct maildir *md);

/*
 * cache_map(f, number, m): take in the blocks of the file that m does not have.
 * cache_map_find(m, uid): the entry, or NULL.
 */
void cache_map(const struct cachefile *f, unsigned number,
    struct cache_map *m);
const struct cache_entry *cache_map_find(struct cache_map *m, uint32_t uid);
void cache_map_done(struct cache_map *m);

/* has_cache_value(f, w, number, e, ret): the value of an entry, of the kind
 * with this number in the file; valid until the next call for w; false: it is
 * damaged. */
bool has_cache_value(const struct cachefile *f, struct cache_window *w,
    unsigned number, const struct cache_entry *e, struct span *ret);

/* cache_compact(md): if the file has grown too much for what is in it, write a
 * new one with the values of messages that are there, of kinds in use. */
void cache_compact(struct maildir *md);

/* cache_today(): days since 1970.  cache_days(day): how long ago it was;
 * UINT32_MAX: it is yet to come, so that the clock was wrong then, or is now.
 */
uint32_t cache_today(void);
uint32_t cache_days(uint32_t day);

#endif
