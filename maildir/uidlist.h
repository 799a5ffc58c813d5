/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * uidlist.h: dovecot-uidlist: which UID belongs to which file.
 *
 * The text is read whole and walked once; it is not kept.  What stays is the
 * header and where the file ended, so that what others append costs one short
 * read.  The format and the table of crash states are at the top of uidlist.c.
 */
#ifndef MAILDIR_UIDLIST_H
#define MAILDIR_UIDLIST_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

#define UIDLIST_MAX	UINT32_MAX	/* bytes of a file we read */
#define UIDLIST_UID_MAX	4294967294u

struct uidlist {
	uint32_t uidvalidity;	/* 0: unknown, there is no list */
	uint32_t next;		/* UIDNEXT as far as the text was walked */
	uint8_t guid[16];
	bool has_guid;
	struct buf extra;	/* unknown header keys: " Pxx Qyy" */

	bool must_rewrite;	/* appending is not allowed: missing, version
				 * 1, Courier's, damaged, no final LF, no G */
	uint32_t lost;		/* lines that did not parse */

	int fd;			/* keeps the inode from being reused; or -1 */
	dev_t dev;
	ino_t ino;
	uint64_t size;		/* what has been read of it */

	struct buf text;	/* read and not yet walked */
	struct span rest;	/* the part of it still to walk */
	bool is_v1;		/* records are "uid base" */
	uint32_t last;		/* highest uid walked */
};

struct uidlist_rec {
	uint32_t uid;
	struct span fields;	/* "G... P..." without the blank before ':' */
	struct span base;
	struct span line;	/* all of it, without LF */
};

void uidlist_init(struct uidlist *ul);
void uidlist_done(struct uidlist *ul);

/* Where the list is, and whether the caller holds its lock: without it, a last
 * line without LF is somebody's write in progress and not damage. */
struct uidlist_at {
	int dir;
	int mail;	/* directory of the mailbox, for Courier's list */
	bool is_locked;
};

/*
 * uidlist_read(ul, at): forget what was known and read the whole file; where
 * there is none, Courier's.  Neither is there: uidvalidity is 0.  A file whose
 * header cannot be read counts as none.
 */
int uidlist_read(struct uidlist *ul, const struct uidlist_at *at) ERR_CHECK;

/*
 * uidlist_read_ends(ul, at): header and last record only: what is needed to add
 * to the list, whatever its length.  On any doubt ul->must_rewrite is set.
 */
int uidlist_read_ends(struct uidlist *ul, const struct uidlist_at *at)
    ERR_CHECK;

/*
 * uidlist_update(ul, at, ret_is_new): read what was appended since; or, if the
 * file was replaced, all of it, and *ret_is_new is true.
 */
int uidlist_update(struct uidlist *ul, const struct uidlist_at *at,
    bool *ret_is_new) ERR_CHECK;

/*
 * uidlist_next(ul, ret): the next record of what was read, with spans into
 * ul->text; false at its end.  Lines that do not parse are counted in ul->lost
 * and skipped.
 */
bool uidlist_next(struct uidlist *ul, struct uidlist_rec *ret);

/* uidlist_forget(ul): release the text. */
void uidlist_forget(struct uidlist *ul);

/* uidlist_field(fields, key): the value of an extension field; p is NULL if
 * there is none. */
struct span uidlist_field(struct span fields, uint8_t key);

/* uidlist_put(b, uid, fields, base): append one line. */
void uidlist_put(struct buf *b, uint32_t uid, struct span fields,
    struct span base);

/*
 * uidlist_append(ul, lines): add complete lines, whose UIDs are ul->next
 * and up, to the file as uidlist_update() has just seen it, in one write, not
 * yet synced.  The caller holds the lock, and sets ul->next himself.
 */
int uidlist_append(struct uidlist *ul, struct span lines) ERR_CHECK;

/* uidlist_sync(ul): the last append survives a power cut. */
int uidlist_sync(struct uidlist *ul) ERR_CHECK;

/*
 * uidlist_rewrite(ul, dir, mode, lines, sync): replace the file by a header
 * with ul's values and lines.  The caller holds the lock.
 */
int uidlist_rewrite(struct uidlist *ul, int dir, mode_t mode,
    struct span lines, bool sync) ERR_CHECK;

#endif
