/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * journal.h: imapd.journal as a file: what happened since imapd.index was
 * written.
 *
 * Append-only; each record has a length, a type, its mod-sequence and a check.
 * A record says what is, not what was done ("UID 7 is this file"), so that it
 * does no harm when two sessions record one change.  The format and the table
 * of crash states are at the top of journal.c; what the records mean to a
 * mailbox is the business of history.h.
 */
#ifndef MAILDIR_JOURNAL_H
#define MAILDIR_JOURNAL_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "maildir/indexfile.h"

#define JOURNAL_FILE	"imapd.journal"
#define JOURNAL_TMP	"imapd.journal.tmp"
#define JOURNAL_MAX	(256u * 1024 * 1024)	/* a longer one is damaged */

enum journal_type {
	JOURNAL_MESSAGES = 1,	/* arrived, or under another name now */
	JOURNAL_EXPUNGED = 2,
	JOURNAL_WORD = 3,	/* a keyword that has no letter */
	JOURNAL_WORDS_OF = 4,	/* which messages have such keywords */
	JOURNAL_TIMES = 5,	/* the list of messages is complete */
	JOURNAL_RAISED = 6	/* something was lost before this: all have
				 * its mod-sequence */
};

struct journal {
	int fd;			/* -1: there is none */
	dev_t dev;
	ino_t ino;
	uint64_t generation;
	uint64_t previous;
	uint64_t off;		/* up to here it has been read */
	uint64_t size;		/* and so long it was then */
};

#define JOURNAL_NONE	((struct journal){ .fd = -1 })

/*
 * journal_open(dir, ret): open it, to be read from its first record on.
 * ERR_NOENT; ERR_CORRUPT if its header is damaged or of another version.
 */
int journal_open(int dir, struct journal *ret) ERR_CHECK;
void journal_close(struct journal *j);

enum journal_state {
	JOURNAL_SAME,
	JOURNAL_GROWN,		/* there is more to read */
	JOURNAL_REPLACED	/* another file, a shorter one, or none */
};

/* journal_look(j, dir): without reading it.  Of a journal that is not open:
 * whether there is one now. */
enum journal_state journal_look(const struct journal *j, int dir);

/*
 * journal_read(j, b, ret_torn): append to b all records that are complete from
 * j->off on, and move j->off behind them.  *ret_torn: bytes follow that are no
 * record: somebody is writing it (unless the caller holds the lock), or it is
 * damaged.
 */
int journal_read(struct journal *j, struct buf *b, bool *ret_torn) ERR_CHECK;

/* journal_again(j, b): append to b once more what has been read from it so
 * far. */
int journal_again(const struct journal *j, struct buf *b) ERR_CHECK;

struct journal_record {
	enum journal_type type;
	uint64_t modseq;
	struct span body;
};

/* journal_next(rest, ret): the next record of what journal_read() gave; false
 * at the end. */
bool journal_next(struct span *rest, struct journal_record *ret);

/*
 * journal_begin(b) and journal_end(b, at, j, type, modseq): the body of a
 * record is put into b between the two; at is what journal_begin() returned.
 */
size_t journal_begin(struct buf *b);
void journal_end(struct buf *b, size_t at, const struct journal *j,
    enum journal_type type, uint64_t modseq);

/*
 * journal_append(j, s): write complete records behind what was read: what
 * follows there now is cut off.  The caller holds the lock and has read to the
 * end.  On an error the file is as it was, or, if it cannot be cut, torn.
 */
int journal_append(struct journal *j, struct span s) ERR_CHECK;

/* journal_create(dir, mode, h, ret): replace the file by an empty one for the
 * index with this header. */
int journal_create(int dir, mode_t mode, const struct index_header *h,
    struct journal *ret) ERR_CHECK;

#endif
