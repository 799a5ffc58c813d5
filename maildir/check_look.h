/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * check_look.h: one look at a mailbox, inside check*.c.
 */
#ifndef MAILDIR_CHECK_LOOK_H
#define MAILDIR_CHECK_LOOK_H

#include "maildir/check.h"
#include "maildir/md.h"
#include "maildir/subs.h"

/* What may be found; the table of words is in check.c. */
enum check_what {
	CHECK_NO_DIRECTORY,
	CHECK_UNREADABLE,
	CHECK_OWNER,
	CHECK_MODE,
	CHECK_NOT_A_FILE,
	CHECK_NO_MESSAGE,
	CHECK_TWIN,
	CHECK_SIZE,
	CHECK_TOP_MARK,

	CHECK_LIST_MISSING,
	CHECK_LIST_HEADER,
	CHECK_LIST_GUID,
	CHECK_LIST_LINE,
	CHECK_LIST_ORDER,
	CHECK_LIST_TWICE,
	CHECK_LIST_TORN,
	CHECK_LIST_NEXT,
	CHECK_LIST_LOST,
	CHECK_KEYWORDS_LINE,
	CHECK_KEYWORDS_TWICE,
	CHECK_KEYWORDS_LETTER,
	CHECK_SUBS_LINE,
	CHECK_SUBS_TWICE,

	CHECK_INDEX_HEADER,
	CHECK_INDEX_SECTION,
	CHECK_INDEX_VALIDITY,
	CHECK_INDEX_RECORD,
	CHECK_INDEX_UID,
	CHECK_INDEX_FILES,
	CHECK_JOURNAL_MISSING,
	CHECK_JOURNAL_ALONE,
	CHECK_JOURNAL_HEADER,
	CHECK_JOURNAL_PAIR,
	CHECK_JOURNAL_RECORD,
	CHECK_JOURNAL_TORN,
	CHECK_CACHE_HEADER,
	CHECK_CACHE_BLOCK,
	CHECK_CACHE_VALUE,

	CHECK_NO_MARK,		/* notes from here on */
	CHECK_LINK,
	CHECK_LEFT_OVER,
	CHECK_LIST_VERSION,
	CHECK_NO_RECORD,
	CHECK_NO_FILE,
	CHECK_WHATS
};

/* How it is mended. */
enum {
	MEND_OPEN = 1,		/* by any session that opens the mailbox */
	MEND_LIST = 2,		/* dovecot-uidlist written anew */
	MEND_KEYWORDS = 4,	/* dovecot-keywords */
	MEND_RECORD = 8,	/* index and journal */
	MEND_TAIL = 16,		/* the journal's end cut */
	MEND_MARK = 32,		/* maildirfolder removed */
	MEND_CACHE = 64		/* imapd.cache removed */
};

struct look {
	struct maildir md;	/* box, list, keywords, history */
	const struct check_args *args;
	struct arena *arena;
	const char *dir;	/* of the mailbox, for paths */
	const char *control;
	uid_t owner;		/* of the root */
	bool is_locked;
	bool has_list;
	bool has_picture;
	struct scan scan;
	struct dirtime cur_time, new_time;	/* before it */
	uint32_t lower;		/* letters that names have; bit 0 = 'a' */
	struct picture pic;	/* of the record */

	VEC(struct check_found) found;
	size_t count[CHECK_WHATS];
	unsigned mend;		/* what all findings want */
};

/*
 * check_add(l, what, dir, file, format, ...): found; file may be NULL for dir
 * itself.  Beyond some of one kind they are only counted.
 */
void check_add(struct look *l, enum check_what what, const char *dir,
    const char *file, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* check_files(l): the directories and what lies in them; fills l->scan. */
int check_files(struct look *l) ERR_CHECK;

/* check_list(l): dovecot-uidlist against the scan; check_keywords(l). */
int check_list(struct look *l) ERR_CHECK;
int check_keywords(struct look *l) ERR_CHECK;

/* check_record(l): imapd.index and imapd.journal by themselves; fills l->pic.
 * check_against(l): what they say against the list and the scan. */
void check_record(struct look *l);
void check_against(struct look *l);

/* check_journal(l, f): after this index, or none (fd -1). */
void check_journal(struct look *l, const struct indexfile *f);

/* check_cache(l): imapd.cache. */
void check_cache(struct look *l);

/* mend_mailbox(store, path, what): MEND_* bits. */
int mend_mailbox(struct maildir_store *store, const struct maildir_path *path,
    unsigned what) ERR_CHECK;

#endif
