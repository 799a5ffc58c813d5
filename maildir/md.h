/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * md.h: one open mailbox, as the modules that work on it see it.
 */
#ifndef MAILDIR_MD_H
#define MAILDIR_MD_H

#include "base/vec.h"
#include "maildir/cache.h"
#include "maildir/history.h"
#include "maildir/keywords.h"
#include "maildir/maildir.h"
#include "maildir/picture.h"
#include "maildir/scan.h"
#include "maildir/store.h"
#include "maildir/uidlist.h"
#include "maildir/watch.h"

/* UIDs that follow one another. */
struct md_run {
	uint32_t first;
	uint32_t n;
};

/* What is left of a picture while the session waits: see rest.c. */
struct md_rest {
	bool is_resting;
	struct indexfile file;
	VEC(struct md_run) uids;
	VEC(uint32_t) recent;
};

struct maildir {
	struct maildir_store *store;
	struct box box;
	bool is_readonly;	/* asked for, or all we may have */
	bool is_memory_only;	/* the list cannot be written: UIDs for new
				 * files last as long as this handle */
	bool has_passed;	/* some name has a P */
	bool has_twins;		/* two files of one base */
	bool is_short;		/* files without UIDs, for the disk is full:
				 * to be looked for again */
	struct uidlist ul;
	struct keywords kw;
	struct picture pic;
	uint32_t uidnext;
	struct history history;
	struct md_rest rest;
	struct cache cache;
	struct dirtime cur_time;	/* as of the last complete look */
	struct dirtime new_time;
	struct watch watch;
	bool was_watched;	/* since the last complete look */
	VEC(struct maildir_change) news;	/* not yet told */
	VEC(struct maildir_change) told;	/* the caller's until his next
						 * call */
};

/* md_init(md, store): nothing is open yet.  md_done(md) lets go of everything
 * but the memory of md itself. */
void md_init(struct maildir *md, struct maildir_store *store);
void md_done(struct maildir *md);

/*
 * md_mend(store, path, raise): open a mailbox from its files whatever the
 * record says of them, and put it on record anew; nothing is moved or renamed.
 * If raise is true all messages get a new mod-sequence.  ERR_READONLY: it
 * cannot be written.
 */
int md_mend(struct maildir_store *store, const struct maildir_path *path,
    bool raise) ERR_CHECK;

/* The directory that a message's file is in. */
static inline int
md_dir(const struct maildir *md, const struct msg *m)
{
	return m->state & MSG_NEW ? md->box.new : md->box.cur;
}

/* md_at(md, is_locked): for the functions of uidlist.h. */
static inline struct uidlist_at
md_at(const struct maildir *md, bool is_locked)
{
	return (struct uidlist_at){ md->box.control, md->box.dir, is_locked };
}

/* md_open(): maildir_open(), but for what only a session wants. */
int md_open(struct maildir_store *store, const struct maildir_path *path,
    bool is_readonly, struct maildir **ret) ERR_CHECK;

/* md_read_flags(md, p, m): the flags of m from its name. */
void md_read_flags(struct maildir *md, const struct picture *p, struct msg *m);

/* md_news(md, uid, what): to be told by the next refresh. */
void md_news(struct maildir *md, uint32_t uid, enum maildir_what what);

/* md_flags_changed(md, m, flags, kw): m had these before; if they differ, that
 * is news, and not on record. */
void md_flags_changed(struct maildir *md, struct msg *m, uint32_t flags,
    uint64_t kw);

/*
 * md_note_saved(p, m, dir, name): when m, of picture p, came into the mailbox,
 * unless that is known: when its file, which has this name now, was last
 * changed; for that is when it was put here as long as nobody has renamed or
 * linked it.  So before we do.  0, or an errno value: it cannot be asked.
 */
int md_note_saved(struct picture *p, struct msg *m, int dir,
    const char *name);

/* md_arrived(md, p, m): m, of picture p, is new.  md_departed(md, m): the file
 * is gone, and m with the next sweep.  Both are news, and not on record. */
void md_arrived(struct maildir *md, struct picture *p, struct msg *m);
void md_departed(struct maildir *md, struct msg *m);
uint32_t md_seconds(void);	/* now */

/*
 * md_keywords(md): look whether the keywords file changed; P may mean another
 * number now, which is no change of any message.
 */
int md_keywords(struct maildir *md) ERR_CHECK;

/* md_reread_passed(md, before): P stood for this number before. */
void md_reread_passed(struct maildir *md, unsigned before);

/* md_note(md, file, text): tell the store's owner of something that was found
 * damaged and is being mended. */
void md_note(const struct maildir *md, const char *file, const char *text);

/* md_wake(md): after maildir_rest(), before the picture is used. */
void md_wake_now(struct maildir *md);

static inline void
md_wake(const struct maildir *md)
{
	/* Nothing that the caller can see changes. */
	if (md->rest.is_resting)
		md_wake_now((struct maildir *)(uintptr_t)md);
}

/* md_watch(md): from here on every change is seen, if events can be had: before
 * the first one that we make ourselves. */
void md_watch(struct maildir *md);

#endif
