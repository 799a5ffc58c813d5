/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * check.h: is what lies in a Maildir what should lie there?
 *
 * The second public header of this folder, for ctl/ alone: what serves mail has
 * no use for it, and must not come to depend on it.
 *
 * Others may be at work meanwhile.  A mailbox is looked at without any lock;
 * only if something seems wrong it is looked at again under the uidlist lock,
 * under which nobody writes the files that are checked, and what is found then
 * is told.  What others do without that lock (deliveries, renames for flags,
 * removals) is never a finding.  So a healthy mailbox is not disturbed, and a
 * damaged one for as long as reading it takes.
 */
#ifndef MAILDIR_CHECK_H
#define MAILDIR_CHECK_H

#include "maildir/maildir.h"

struct check_found {
	const char *path;	/* of a file or a directory */
	const char *what;	/* one word, listed in imapctl(8) */
	const char *detail;	/* more for people, may be empty */
	bool is_note;		/* nothing is wrong with that */
	bool can_mend;
};

struct check_args {
	/* What the root and the control directory are called in paths; control
	 * is NULL where there is none. */
	const char *root;
	const char *control;
	bool want_sizes;	/* look at each message's file, too */
	bool mend;
	void (*found)(void *arg, const struct check_found *f);
	void *arg;
};

/* What came of it. */
struct check_sum {
	size_t found;		/* without notes */
	size_t left;		/* of these, not mended */
};

/*
 * check_mailbox(store, path, args, sum): *sum grows.  With args->mend, what can
 * be mended without losing anything is mended after all of it has been told;
 * mail is never touched.  An error: the mailbox could not be read, or locked,
 * or not be mended.
 */
int check_mailbox(struct maildir_store *store, const struct maildir_path *path,
    const struct check_args *args, struct check_sum *sum) ERR_CHECK;

/* check_top(store, args, sum): what belongs to no mailbox but to all. */
int check_top(struct maildir_store *store, const struct check_args *args,
    struct check_sum *sum) ERR_CHECK;

/*
 * check_dump(store, path, put, arg): what imapd.index and imapd.journal say, as
 * lines for people.  ERR_NOENT: no such mailbox, or no index.
 */
int check_dump(struct maildir_store *store, const struct maildir_path *path,
    void (*put)(void *arg, const char *line), void *arg) ERR_CHECK;

#endif
