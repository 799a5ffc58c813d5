/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * scan.h: read new/ and cur/ in one pass each, without a stat per file.
 *
 * All names lie in one pool, one behind the other; an entry is an offset and
 * two lengths.  A table over the hashes of the bases finds an entry by base.
 */
#ifndef MAILDIR_SCAN_H
#define MAILDIR_SCAN_H

#include <sys/stat.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "base/vec.h"

#define SCAN_POOL_MAX	UINT32_MAX	/* bytes of all names together */

/* Behind the name of a file in new/ the pool holds the info it gets in cur/. */
#define SCAN_INFO	":2,"

enum scan_dir { SCAN_CUR, SCAN_NEW };

struct scan_ent {
	uint32_t name;		/* offset in the pool */
	uint32_t hash;		/* of the base */
	uint32_t uid;		/* for whoever merges; 0: none yet */
	uint32_t saved;		/* seconds since 1970; 0: not looked at */
	uint8_t base_len;
	uint8_t name_len;
	uint8_t dir;		/* enum scan_dir */
	bool is_twin;		/* a second file of the same base */
};

struct scan {
	struct buf pool;
	VEC(struct scan_ent) ents;
	uint32_t *table;	/* entry number + 1, 0: empty */
	size_t mask;		/* slots - 1 */
};

void scan_init(struct scan *s);
void scan_done(struct scan *s);

/* scan_dir(s, fd, dir): add the messages in the open directory fd. */
int scan_dir(struct scan *s, int fd, enum scan_dir dir) ERR_CHECK;

/* scan_add(s, file, dir): add one name. */
int scan_add(struct scan *s, struct span file, enum scan_dir dir) ERR_CHECK;

/* scan_index(s): build the table of all entries that are no twins; marks more
 * twins (all but the first of a base), *ret_twins is their count. */
void scan_index(struct scan *s, size_t *ret_twins);

/* scan_find(s, base): the entry, NULL if there is none.  After scan_index(). */
struct scan_ent *scan_find(struct scan *s, struct span base);

static inline struct span
scan_name(const struct scan *s, const struct scan_ent *e)
{
	return (struct span){ s->pool.p + e->name, e->name_len };
}

static inline struct span
scan_base(const struct scan *s, const struct scan_ent *e)
{
	return (struct span){ s->pool.p + e->name, e->base_len };
}

/*
 * The time of a directory as it was before a scan, and whether the scan can be
 * relied on: see the essay in scan.c.
 */
struct dirtime {
	uint64_t ns;		/* ctime: what nobody can put back */
	bool is_young;		/* too young to prove that nothing changed */
};

/* dirtime_get(fd, ret): now. */
int dirtime_get(int fd, struct dirtime *ret) ERR_CHECK;

/* is_dirtime_same(fd, t): certainly unchanged since t was taken. */
bool is_dirtime_same(int fd, const struct dirtime *t);

#endif
