/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * store.h: one user's mail inside this folder: the root, and the directories of
 * one mailbox.
 */
#ifndef MAILDIR_STORE_H
#define MAILDIR_STORE_H

#include <sys/types.h>

#include <dirent.h>

#include "maildir/lock.h"
#include "maildir/maildir.h"
#include "maildir/quota.h"
#include "maildir/unique.h"

struct maildir_store {
	struct maildir_conf conf;	/* its strings are ours */
	int root;			/* directory of the Maildir */
	int control;			/* of the control files, may be root */
	struct unique unique;
	struct quota quota;
	int watch_spare;		/* see watch.h */
	maildir_tick *tick;		/* of maildir_on_progress(), or NULL */
	void *tick_cookie;
};

/* store_tick(store, done): tell whoever wants to know. */
static inline void
store_tick(const struct maildir_store *store, size_t done)
{
	if (store->tick != NULL)
		store->tick(store->tick_cookie, done);
}

/* Files of one mailbox, one place for their names. */
#define UIDLIST_FILE	"dovecot-uidlist"
#define UIDLIST_LOCK	"dovecot-uidlist.lock"
#define UIDLIST_TMP	"dovecot-uidlist.tmp"
#define KEYWORDS_FILE	"dovecot-keywords"
#define KEYWORDS_LOCK	"dovecot-keywords.lock"
#define FOLDER_MARK	"maildirfolder"

/* The directories of one mailbox, open. */
struct box {
	int dir;		/* the mailbox */
	int control;		/* of its uidlist; may be == dir */
	int cur;
	int new;
	int tmp;		/* -1 until box_tmp() */
	mode_t file_mode;	/* for files in it, from the directory */
	mode_t dir_mode;
	char *path;		/* of the directory, absolute */
};

/*
 * box_open(store, path, ret): ERR_NOENT if there is no such mailbox.  Missing
 * cur, new and tmp are made.  ERR_NAME as maildir_path_check().
 */
int box_open(struct maildir_store *store, const struct maildir_path *path,
    struct box *ret) ERR_CHECK;
/*
 * box_find(store, path, ret): the directories of the mailbox and of its control
 * files alone, and none is made: ret->control is -1 if there is none.
 */
int box_find(struct maildir_store *store, const struct maildir_path *path,
    struct box *ret) ERR_CHECK;
void box_close(struct box *box);

/* box_tmp(box): open tmp/ if it is not yet. */
int box_tmp(struct box *box) ERR_CHECK;

/*
 * box_clean_tmp(box): remove what has been in tmp/ for 36 hours; it looks once
 * a week only, by the access time of tmp/, as Dovecot does.
 */
void box_clean_tmp(struct box *box);

/* box_lock(box, store, lk): the uidlist lock, with the store's patience. */
int box_lock(const struct box *box, const struct maildir_store *store,
    struct lock *lk) ERR_CHECK;

/* box_lock_for(): the same with another patience. */
int box_lock_for(const struct box *box, const struct maildir_store *store,
    uint64_t ms, struct lock *lk) ERR_CHECK;

/*
 * store_check(store): ERR_UNAVAIL if the root that was opened is no longer a
 * directory of any file system: its disk went away, or somebody removed it.
 * Then "no such mailbox" would be a lie that makes clients delete their copy.
 */
int store_check(const struct maildir_store *store) ERR_CHECK;

/* store_err(store, r): r; but where that is ERR_NOENT, store_check() first. */
int store_err(const struct maildir_store *store, int r) ERR_CHECK;

/* open_dir(at, name, ret): a directory.  Symbolic links are followed: mailboxes
 * may be links to elsewhere (the sandbox says how far). */
int open_dir(int at, const char *name, int *ret) ERR_CHECK;

/* open_list(at, name, ret): a directory to be read ("." for at itself); the
 * caller closes it with closedir(). */
int open_list(int at, const char *name, DIR **ret) ERR_CHECK;

/* Modes by Dovecot's rule: a directory's rw bits for files, all for dirs. */
mode_t mode_for_file(mode_t dir_mode);
mode_t mode_for_dir(mode_t dir_mode);

#endif
