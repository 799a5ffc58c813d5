/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * deposit.h: a mailbox that messages come into, by APPEND, COPY and MOVE.
 *
 *	deposit_open()
 *	deposit_lock()		the list is read, UIDs can be given out
 *	deposit_keywords()	names to letters of this mailbox
 *	deposit_record() ...	one for each message
 *	deposit_write()		the records are in the list
 *	...			the caller makes the files appear
 *	deposit_sync()		all of it survives
 *	deposit_words()		keywords that have no letter there
 *	deposit_close()
 *
 * The record comes before the file and both under the lock, so that the UID in
 * the answer is the one that Dovecot will show, whoever looks first.
 *
 * CRASH STATES
 *	records without files	the UIDs are not used again (uidlist.c)
 *	some files, not all	those are there; nobody was told of success
 */
#ifndef MAILDIR_DEPOSIT_H
#define MAILDIR_DEPOSIT_H

#include "base/vec.h"
#include "maildir/keywords.h"
#include "maildir/store.h"
#include "maildir/uidlist.h"

/* A keyword of one message that the mailbox has no letter for. */
struct deposit_word {
	uint32_t uid;
	struct span name;	/* borrowed until deposit_words() */
};

struct deposit {
	struct maildir_store *store;
	struct box box;
	struct uidlist ul;
	struct keywords kw;
	struct lock lock;
	struct buf lines;
	VEC(struct deposit_word) words;
	bool has_new;		/* a file went to new/, to cur/ */
	bool has_cur;
};

int deposit_open(struct deposit *d, struct maildir_store *store,
    const struct maildir_path *path) ERR_CHECK;
void deposit_close(struct deposit *d);

/*
 * deposit_lock(d, path, want_records): with want_records all records can then
 * be walked with uidlist_next(&d->ul), and must be, before one is added;
 * otherwise only the ends of the list are read.
 */
int deposit_lock(struct deposit *d, const struct maildir_path *path,
    bool want_records) ERR_CHECK;

/* deposit_keywords(d, names, n): have letters for these; those that there is
 * no letter for any more are left out, and not found later: they go to
 * deposit_word(), message by message in order of UID. */
int deposit_keywords(struct deposit *d, const struct span *names, size_t n)
    ERR_CHECK;

void deposit_word(struct deposit *d, uint32_t uid, struct span name);

/* deposit_words(d, path): give the messages those keywords, which are nowhere
 * but on record (history.h).  Releases the lock.  The messages are there, and
 * that matters more: what cannot be done here is left. */
void deposit_words(struct deposit *d, const struct maildir_path *path);

int deposit_record(struct deposit *d, struct span fields, struct span base,
    uint32_t *ret_uid) ERR_CHECK;
int deposit_write(struct deposit *d) ERR_CHECK;
int deposit_sync(struct deposit *d) ERR_CHECK;

/*
 * deposit_place(d, n, name, ret_dir): the file name for a message of this base
 * (n->stem) and letters, and the directory it belongs in: new/ if there are no
 * letters.  d->has_new or has_cur is set.
 */
int deposit_place(struct deposit *d, const struct name *n, struct buf *name,
    int *ret_dir) ERR_CHECK;

/*
 * deposit_copy(d, dir, name, todir, toname): a file as a new file of the
 * mailbox, with its date.  ERR_NOENT: it is not there; ERR_EXISTS: the other
 * one is.
 */
int deposit_copy(struct deposit *d, int dir, const char *name, int todir,
    const char *toname) ERR_CHECK;

#endif
