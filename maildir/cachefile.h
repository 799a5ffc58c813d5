/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * cachefile.h: imapd.cache as a file: blocks of values behind one another; the
 * format is described at the top of cachefile.c.  What the values mean is known
 * to those who put them there.
 *
 * A block is written once and never changed, so that readers need no lock:
 * those who append hold one (flock), and whoever cannot have it at once drops
 * what he has; it would have saved time, no more.  A file that is replaced by a
 * smaller one (cachefile_create(), cachefile_show()) is still right for those
 * who have it open.
 *
 * Read, not mapped, as imapd.index is: see indexfile.h.
 */
#ifndef MAILDIR_CACHEFILE_H
#define MAILDIR_CACHEFILE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "base/vec.h"
#include "maildir/maildir.h"

#define CACHE_FILE	"imapd.cache"
#define CACHE_TMP	"imapd.cache.tmp"
#define CACHE_MAX	(UINT64_C(1) << 30)	/* bytes of a file: no more is
						 * appended, or read */
#define CACHE_BLOCK	(256u * 1024)		/* values of a block are about
						 * so many bytes */
#define CACHE_BLOCK_MAX	(4u * 1024 * 1024)	/* longer ones are damage */
#define CACHE_BLOCKS_MAX	(1u << 16)	/* those behind are cut off */
#define CACHE_KINDS	64u			/* numbers of kinds ... */
#define CACHE_MANY_FROM	32u			/* ... and from here on those
						 * that are one of many */
#define CACHE_VALUE_HEADER	12u

/* A run of values of one kind. */
struct cachefile_block {
	uint64_t off;
	uint32_t n;		/* bytes, all of it */
	uint32_t count;		/* values */
	uint32_t check;		/* of the directory */
	uint16_t kind;
};

struct cachefile_kind {
	char *name;		/* NULL: no kind has this number */
	uint32_t day;		/* last used, days since 1970 */
	uint64_t count;		/* values, those included that have been put
				 * again or whose messages are gone */
};

struct cachefile {
	int fd;			/* -1: there is none */
	uint64_t generation;
	uint64_t end;		/* of what has been read */
	bool is_torn;		/* what follows is no block */
	VEC(struct cachefile_block) blocks;
	struct cachefile_kind kind[CACHE_KINDS];
};

/* cache_value_max(uid): bytes of a value; a longer one is damage. */
static inline size_t
cache_value_max(uint32_t uid)
{
	return uid == 0 ? MAILDIR_WHOLE_VALUE_MAX : MAILDIR_VALUE_MAX;
}

void cachefile_init(struct cachefile *f);
void cachefile_done(struct cachefile *f);

/*
 * cachefile_open(f, dir, uidvalidity): f is cachefile_init()'s.  All headers
 * are read.  ERR_NOENT: there is no file; ERR_CORRUPT: it is damaged, or of
 * another version or UIDVALIDITY; or the system's error.
 */
int cachefile_open(struct cachefile *f, int dir, uint32_t uidvalidity)
    ERR_CHECK;

/* cachefile_update(f): read the headers of what others have appended.
 * ERR_CORRUPT: the file has become shorter. */
int cachefile_update(struct cachefile *f) ERR_CHECK;

/*
 * cachefile_entries(f, i, v): the directory of block i: pairs of UID and the
 * offset of a value in the block; v has room for two numbers for each value.
 * ERR_CORRUPT: it is damaged.
 */
int cachefile_entries(const struct cachefile *f, size_t i, uint32_t *v)
    ERR_CHECK;

/* cachefile_read(f, off, p, n, ret_n): bytes of the file; fewer than n only at
 * its end. */
int cachefile_read(const struct cachefile *f, uint64_t off, void *p, size_t n,
    size_t *ret_n) ERR_CHECK;

/*
 * cachefile_value(f, s, kind, uid, ret, ret_n): the value of this kind and
 * message with which s begins.  ERR_LIMIT: s ends before it does; ERR_CORRUPT:
 * s begins with something else, or it is damaged.  *ret_n, also with ERR_LIMIT
 * if s has the value's header: how long it is, with that.
 */
int cachefile_value(const struct cachefile *f, struct span s, unsigned kind,
    uint32_t uid, struct span *ret, size_t *ret_n) ERR_CHECK;

/* ---- writing ---------------------------------------------------------- */

/* Values of one kind on their way into a block. */
struct cachebatch {
	struct buf entries;
	struct buf values;
	uint32_t count;
};

void cachebatch_init(struct cachebatch *b);
void cachebatch_done(struct cachebatch *b);

/* cachebatch_put(b, uid, value): value is at most cache_value_max(uid) bytes.
 */
void cachebatch_put(struct cachebatch *b, uint32_t uid, struct span value);

/* cachefile_put_block(f, out, kind, b): append b as a block to out; b is empty
 * then.  cachefile_put_kind(): that a kind has this name, and was used on this
 * day. */
void cachefile_put_block(const struct cachefile *f, struct buf *out,
    unsigned kind, struct cachebatch *b);
void cachefile_put_kind(const struct cachefile *f, struct buf *out,
    unsigned kind, struct span name, uint32_t day);

/*
 * cachefile_create(f, dir, mode, uidvalidity): f, whose generation has been set
 * and is not 0, becomes an empty file, which is not at its path yet but at
 * CACHE_TMP, and is locked.  ERR_BUSY: somebody else is making one.
 * cachefile_show(f, dir): rename it into place.
 */
int cachefile_create(struct cachefile *f, int dir, mode_t mode,
    uint32_t uidvalidity) ERR_CHECK;
int cachefile_show(struct cachefile *f, int dir) ERR_CHECK;

/*
 * cachefile_lock(f, dir): the right to append.  ERR_BUSY: somebody else has it;
 * ERR_GONE: f is not the file at the path any more.  What was torn has been cut
 * off, and what others appended has been read.
 */
int cachefile_lock(struct cachefile *f, int dir) ERR_CHECK;
void cachefile_unlock(struct cachefile *f);

/* cachefile_append(f, s): blocks that were put together for f, which is locked.
 * ERR_LIMIT: it would be longer than CACHE_MAX. */
int cachefile_append(struct cachefile *f, struct span s) ERR_CHECK;

#endif
