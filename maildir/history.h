/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * history.h: mod-sequences (RFC 7162), and what is on record of a mailbox.
 *
 * imapd.index says what was, imapd.journal what has happened since; together
 * they are the record.  A picture is compared with the record, never believed
 * against the files: whatever a session sees that is not on record, by whoever
 * it was done, gets the next mod-sequence and goes into the journal.
 *
 *	history_changed(), history_left()	seen, or done, and not on record
 *	history_fetch()		read what others have put on record ...
 *	history_resolve()	... and take it for what it says of the picture
 *	history_record()	put the rest on record
 *	history_rest()		the record is complete for these directory times
 *
 * history_fetch() comes before the files are looked at and history_resolve()
 * after it: then the picture is at least as new as what was fetched, and a
 * difference between the two means that the picture is right.
 *
 * Mod-sequences are microseconds of the clock, or one more than the last if the
 * clock has not moved on.  So they grow when the record is lost, too, and an
 * old copy of it that comes back does no harm: nothing counts that cannot be
 * proved current, and what cannot gets a mod-sequence of now.
 *
 * Nothing here ever fails an operation on mail.  Where the record cannot be
 * written (a full disk, a lock that others hold, mail that may only be read)
 * the mod-sequences hold for this session, and the next one that can write
 * finds the difference again.
 */
#ifndef MAILDIR_HISTORY_H
#define MAILDIR_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/vec.h"
#include "maildir/journal.h"
#include "maildir/picture.h"

#define HISTORY_GONE_MAX	65536u	/* expunges remembered */

struct gone {
	uint32_t uid;
	uint64_t modseq;
};

/* A message that is on record, and not in the picture: somebody else has seen
 * it first.  What the record says of it. */
struct strange {
	uint32_t uid;
	uint32_t saved;
	uint64_t modseq;
	uint64_t words;		/* keywords without letters */
	uint32_t name;		/* offset in strange_names */
	uint8_t name_len;
	bool is_new;
};

struct history {
	struct journal journal;	/* open: there is a record */
	uint64_t highest;	/* HIGHESTMODSEQ */
	uint64_t floor;		/* expunges after this one are known */
	struct index_times times;	/* on record */
	uint64_t index_size;
	VEC(struct gone) gone;	/* in order of mod-sequence */
	bool has_older_gone;	/* and those in the picture's index file */

	struct buf tail;	/* fetched, not resolved */
	bool is_torn;		/* the journal's end is no record */
	bool must_reload;	/* the record was replaced, more than once */

	VEC(uint32_t) changed;	/* not on record: UIDs of messages that are
				 * MSG_UNRECORDED, or were and have left */
	VEC(uint32_t) left;	/* UIDs that were there */
	VEC(struct strange) strange;
	struct buf strange_names;
	uint64_t words;		/* numbers of keywords without a letter */
	bool has_fresh;		/* some of them have no mod-sequence for that */
	bool must_raise;	/* something may have been lost */
	bool must_tell;		/* highest is not on record */
	bool must_save;		/* write a new index */
	bool is_noted;		/* ... for a reason that has been told */
	bool is_partial;	/* the picture lacks what the files have */
	bool is_restless;	/* times may be on record that are not true
				 * any more */
};

struct maildir;
struct lock;

void history_init(struct history *h);
void history_done(struct history *h);

/* history_changed(md, m): m has come, or has other flags or another name than
 * the record says.  history_left(md, uid): it is no longer there. */
void history_changed(struct maildir *md, struct msg *m);
void history_left(struct maildir *md, uint32_t uid);

void history_fetch(struct maildir *md);
void history_resolve(struct maildir *md);

/*
 * history_record(md, lk): afterwards each message of the picture has its
 * mod-sequence.  lk: the uidlist lock, if the caller holds it; NULL: taken here
 * if there is anything to write.
 */
void history_record(struct maildir *md, struct lock *lk);

/*
 * history_rest(md): called when the picture is complete, as far as the caller
 * knows: record the times of the directories, so that the next one who opens
 * the mailbox need not read them.  Does nothing if they are on record, or too
 * young to prove anything.
 */
void history_rest(struct maildir *md);

/*
 * history_times(md, ret): what the directories and the uidlist look like now.
 * ERR_BUSY: they are too young to prove anything (*ret is set); ERR_GONE: the
 * uidlist is not the one that md has read.
 */
int history_times(const struct maildir *md, struct index_times *ret)
    ERR_CHECK;

/* is_history_partial(h): the picture may lack what the files have. */
bool is_history_partial(const struct history *h);

/* history_next(h): the next mod-sequence. */
uint64_t history_next(struct history *h);

/*
 * history_replay(md, p): what was fetched is what happened to p, which is the
 * picture of the index and nothing newer.  ERR_CORRUPT: it cannot have.
 */
int history_replay(struct maildir *md, struct picture *p) ERR_CHECK;

/* An entry of a journal record "messages". */
struct history_entry {
	uint32_t uid;
	bool is_new;
	uint32_t saved;
	struct span name;
	struct span fields;
};

/* history_entry(d, ret): the next one: 1, or 0 at the end, or ERR_CORRUPT. */
int history_entry(struct dec *d, struct history_entry *ret) ERR_CHECK;

/*
 * The bodies of single records, for history_replay.c and history_resolve.c:
 * a keyword's name, times, one message gone.  ERR_CORRUPT: it is none.
 */
int history_word(struct maildir *md, struct span body) ERR_CHECK;
int history_set_times(struct history *h, struct span body) ERR_CHECK;
void history_gone(struct history *h, uint32_t uid, uint64_t modseq);

/* history_drop_times(h, type): a record of this type came after the times. */
void history_drop_times(struct history *h, enum journal_type type);

/* history_lose(md, text): the journal cannot be read on, for this reason; NULL:
 * somebody has removed it. */
void history_lose(struct maildir *md, const char *text);

/* history_keep_gone(md, p): the index file of p is about to be closed. */
void history_keep_gone(struct maildir *md, struct picture *p);

#endif
