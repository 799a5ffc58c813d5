/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * indexfile.h: imapd.index as a file: a header and sections with a check each.
 * What the sections mean is index.h's business; the format is described at the
 * top of indexfile.c.
 *
 * Read, not mapped: a file that somebody cuts short (a restore in place, a disk
 * that fails) would otherwise kill the session that has it mapped.  Sections
 * are read when they are asked for, so that opening a mailbox reads 12 bytes a
 * message, and names and mod-sequences only if anybody wants them.
 */
#ifndef MAILDIR_INDEXFILE_H
#define MAILDIR_INDEXFILE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

#define INDEX_FILE	"imapd.index"
#define INDEX_TMP	"imapd.index.tmp"

/* index_clock(): microseconds since 1970: what mod-sequences are made of. */
uint64_t index_clock(void);

/*
 * is_index_modseq(v): a mod-sequence, microseconds of a clock that may have
 * been wrong, and not the damage of a file: at most a hundred years ahead.  Who
 * counts on from one that is accepted does not come to one that is not: the
 * clock goes faster.
 */
#define INDEX_MODSEQ_AHEAD	(UINT64_C(100) * 366 * 24 * 60 * 60 * 1000000)
bool is_index_modseq(uint64_t v);

enum index_section {
	INDEX_MESSAGES,		/* what every open needs */
	INDEX_MODSEQS,		/* empty: all have header.common */
	INDEX_KEYWORDS,		/* bits of each message; empty: none has any */
	INDEX_SAVED,		/* save dates; empty: none is known */
	INDEX_FIELDS,		/* of uidlist records */
	INDEX_GONE,		/* expunged messages */
	INDEX_WORDS,		/* names of keywords that have no letter */
	INDEX_NAMES,		/* of the files */
	INDEX_BASES,		/* which UIDs a name may belong to */
	INDEX_SECTIONS
};

/* What cur/, new/ and the uidlist looked like when the list of messages was
 * certainly complete; all zero: never. */
struct index_times {
	uint64_t cur, new;		/* ctime, ns */
	uint64_t dev, ino, size, ctime;	/* of the uidlist */
	uint32_t uidnext;
};

struct index_header {
	uint64_t generation;	/* not 0; the journal has the same */
	uint64_t previous;	/* of the index that this one replaced, or 0 */
	uint64_t highest;	/* mod-sequence */
	uint64_t floor;		/* every expunge after this one is known */
	uint64_t common;	/* see INDEX_MODSEQS */
	struct index_times times;
	uint32_t uidvalidity;
	uint32_t count;		/* messages */
};

struct indexfile {
	int fd;			/* -1: there is none */
	struct index_header h;
	struct {
		uint64_t off;
		uint64_t n;
		uint32_t check;
	} section[INDEX_SECTIONS];
};

#define INDEXFILE_NONE	((struct indexfile){ .fd = -1 })

/*
 * indexfile_open(dir, ret): the header is checked, and that the file is as long
 * as it says.  ERR_NOENT: there is none; ERR_CORRUPT: damaged, or of another
 * version; or the system's error.  On an error ret->fd is -1.
 */
int indexfile_open(int dir, struct indexfile *ret) ERR_CHECK;
void indexfile_close(struct indexfile *f);

/* indexfile_read(f, s, p): all of a section into p, which has room for it.
 * ERR_CORRUPT if it does not check out. */
int indexfile_read(const struct indexfile *f, enum index_section s, void *p)
    ERR_CHECK;

/* indexfile_part(f, s, off, p, n): some bytes of a section, unchecked.
 * ERR_CORRUPT if there are none. */
int indexfile_part(const struct indexfile *f, enum index_section s,
    uint64_t off, void *p, size_t n) ERR_CHECK;

/*
 * indexfile_find(f, hash, uids, max, ret_n): the UIDs, *ret_n of them and at
 * most max, of messages whose base may have this name_hash().  One read of one
 * page, however many messages there are.  ERR_CORRUPT: the page is damaged, or
 * there are more.
 */
int indexfile_find(const struct indexfile *f, uint32_t hash, uint32_t *uids,
    size_t max, size_t *ret_n) ERR_CHECK;

/*
 * The pages for indexfile_find(): indexfile_bases(hashes, uids, n) gives
 * the section of n messages, to be freed by the caller.
 */
struct span indexfile_bases(const uint32_t *hashes, const uint32_t *uids,
    size_t n);

/*
 * indexfile_write(dir, mode, h, sections, sync): replace the file; the caller
 * holds the lock.  If sync is true the new one is on disk before the old one
 * is gone.
 */
int indexfile_write(int dir, mode_t mode, const struct index_header *h,
    const struct span sections[INDEX_SECTIONS], bool sync) ERR_CHECK;

#endif
