/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * One open mailbox: joins the modules of this folder behind maildir.h.
 *
 * SYSTEM CALLS of this folder, for the session's seccomp list:
 *	files		openat read write pread64 pwrite64 lseek close fstat
 *			newfstatat faccessat faccessat2 ftruncate fsync
 *			fdatasync fchmod fchmodat fchown utimensat statfs
 *			fstatfs copy_file_range
 *	directories	getdents64 mkdirat unlinkat linkat renameat renameat2
 *			mkdir rmdir symlinkat (none is followed blindly)
 *	watch		inotify_init1 inotify_add_watch
 *	time, identity	clock_gettime clock_nanosleep getpid kill(pid, 0)
 *			uname getrandom geteuid
 *	memory		brk mmap munmap mremap
 */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "maildir/build.h"
#include "maildir/courier.h"
#include "maildir/file.h"
#include "maildir/index.h"
#include "maildir/merge.h"
#include "maildir/refresh.h"

bool
is_maildir_readonly(const struct maildir *md)
{
	return md->is_readonly;
}

uint32_t
maildir_uidvalidity(const struct maildir *md)
{
	return md->ul.uidvalidity;
}

uint32_t
maildir_uidnext(const struct maildir *md)
{
	/* Some may be given to messages that have not come into sight. */
	return md->ul.next > md->uidnext ? md->ul.next : md->uidnext;
}

uint64_t
maildir_highestmodseq(const struct maildir *md)
{
	return md->history.highest;
}

const uint8_t *
maildir_guid(const struct maildir *md)
{
	return md->ul.guid;
}

size_t
maildir_count(const struct maildir *md)
{
	md_wake(md);
	return md->pic.msgs.n;
}

void
maildir_get(const struct maildir *md, size_t i, struct maildir_msg *ret)
{
	const struct msg *m;

	md_wake(md);
	if (i >= md->pic.msgs.n) {	/* it could not be had again: rest.c */
		*ret = (struct maildir_msg){ .uid = 0 };
		return;
	}
	m = &md->pic.msgs.v[i];
	*ret = (struct maildir_msg){
		.uid = m->uid,
		.is_recent = (m->state & MSG_RECENT) != 0,
		.flags = { msg_flags(m), picture_kw(&md->pic, m) },
		.modseq = picture_get(&md->pic, PICTURE_MODSEQ, m)
	};
}

size_t
maildir_next_flagged(const struct maildir *md, size_t i, unsigned mask,
    unsigned sys)
{
	const struct msg *m;
	size_t n;

	md_wake(md);
	m = md->pic.msgs.v;
	n = md->pic.msgs.n;
	while (i < n && (msg_flags(&m[i]) & mask) != sys)
		i++;
	return i;
}

void
maildir_uids(const struct maildir *md, size_t i, size_t n, uint32_t *ret)
{
	md_wake(md);
	for (size_t k = 0; k < n; k++)
		ret[k] = i + k < md->pic.msgs.n ? md->pic.msgs.v[i + k].uid :
		    0;
}

/* First message from number i on with, or without, this bit; the count if there
 * is none. */
static size_t
first_with(const struct maildir *md, size_t i, unsigned bit, bool is_set)
{
	while (i < md->pic.msgs.n &&
	    ((md->pic.msgs.v[i].state & bit) != 0) != is_set)
		i++;
	return i;
}

#define ONE_IF(state, bit)	((uint32_t)(state) / (bit) & 1u)

void
maildir_tally(const struct maildir *md, size_t from, struct maildir_tally *ret)
{
	uint32_t seen = 0, recent = 0, deleted = 0, n;

	md_wake(md);
	n = (uint32_t)(md->pic.msgs.n - from);
	for (size_t i = from; i < md->pic.msgs.n; i++) {
		unsigned state = md->pic.msgs.v[i].state;

		seen += ONE_IF(state, MAILDIR_SEEN);
		recent += ONE_IF(state, MSG_RECENT);
		deleted += ONE_IF(state, MAILDIR_DELETED);
	}
	*ret = (struct maildir_tally){
		.recent = recent,
		.unseen = n - seen,
		.deleted = deleted,
		.first_recent = recent == 0 ? md->pic.msgs.n :
		    first_with(md, from, MSG_RECENT, true),
		.first_unseen = n == seen ? md->pic.msgs.n :
		    first_with(md, from, MAILDIR_SEEN, false)
	};
}

size_t
maildir_find(const struct maildir *md, uint32_t uid)
{
	md_wake(md);
	return picture_at(&md->pic, uid);
}

/* ---- news ------------------------------------------------------------ */

static int
change_cmp(const void *a, const void *b)
{
	const struct maildir_change *ca = a, *cb = b;

	if (ca->uid != cb->uid)
		return ca->uid < cb->uid ? -1 : 1;
	return (int)ca->what - (int)cb->what;
}

/*
 * One change for a UID: ADDED hides CHANGED, EXPUNGED hides all; a message that
 * came and went between two refreshes was never there.
 */
static void
tell(struct maildir *md)
{
	size_t n = 0;

	if (md->news.n > 1)
		qsort(md->news.v, md->news.n, sizeof(*md->news.v), change_cmp);
	for (size_t i = 0; i < md->news.n;) {
		struct maildir_change c = md->news.v[i];
		bool was_added = c.what == MAILDIR_ADDED;

		for (; i < md->news.n && md->news.v[i].uid == c.uid; i++)
			if (md->news.v[i].what == MAILDIR_EXPUNGED)
				c.what = MAILDIR_EXPUNGED;
		if (c.what == MAILDIR_EXPUNGED ? was_added :
		    picture_find(&md->pic, c.uid) == NULL)
			continue;
		md->news.v[n++] = c;
	}
	md->news.n = n;
	VEC_DONE(&md->told);
	md->told.v = md->news.v;
	md->told.n = n;
	md->told.cap = md->news.cap;
	md->news.v = NULL;
	md->news.n = md->news.cap = 0;
}

int
maildir_refresh(struct maildir *md, const struct maildir_change **ret,
    size_t *ret_n)
{
	int r;

	md_wake(md);
	if (md->rest.is_resting)
		return ERR_UNAVAIL;	/* no picture: see rest.c */
	r = refresh(md);
	if (r != 0)
		return r;
	if (md->news.n > 0 || md->told.n > 0)
		tell(md);
	*ret = md->told.v;
	*ret_n = md->told.n;
	return 0;
}

int
maildir_watch(struct maildir *md)
{
	md_watch(md);
	return md->watch.fd;
}

bool
is_maildir_unsettled(const struct maildir *md)
{
	return md->history.is_restless && md->was_watched &&
	    !md->is_memory_only;
}

int
maildir_watch_err(const struct maildir *md)
{
	return md->watch.err;
}

unsigned
maildir_watch_ms(const struct maildir *md)
{
	(void)md;
	return WATCH_POLL_MS;
}

/* ---- keywords -------------------------------------------------------- */

size_t
maildir_keyword_count(const struct maildir *md)
{
	size_t n = KEYWORDS_NUMBERS;

	while (n > 0 && maildir_keyword_name(md, n - 1).n == 0)
		n--;
	return n;
}

struct span
maildir_keyword_name(const struct maildir *md, size_t i)
{
	if (i >= KEYWORDS_NUMBERS || md->kw.name[i] == NULL ||
	    (i == KEYWORDS_PASSED && (!md->has_passed ||
	    md->kw.passed != KEYWORDS_PASSED)))
		return SPAN_NONE;
	return span_str(md->kw.name[i]);
}

bool
has_maildir_keyword_room(const struct maildir *md)
{
	for (size_t i = 0; i < KEYWORDS_NUMBERS; i++)
		if (md->kw.name[i] == NULL)
			return true;
	return false;
}

/* One that has no letter. */
static int
add_word(struct maildir *md, struct span name, struct lock *lk)
{
	size_t i;
	int r;

	history_fetch(md);
	history_resolve(md);
	if (keywords_find(&md->kw, name, &i) == 0)
		return 0;	/* somebody else has just made it */
	r = keywords_add_word(&md->kw, name, &i);
	if (r != 0)
		return r;
	md->history.words |= UINT64_C(1) << i;
	history_record(md, lk);
	if (md->history.words == 0)
		return 0;
	md->history.words = 0;
	free(md->kw.name[i]);
	md->kw.name[i] = NULL;
	return ERR_UNAVAIL;
}

/* A new name, under the lock. */
static int
add_keyword(struct maildir *md, struct span name)
{
	struct lock lk;
	unsigned passed;
	int r;

	r = box_lock(&md->box, md->store, &lk);
	if (r != 0)
		return r;
	r = md_keywords(md);
	passed = md->kw.passed;
	if (r == 0)
		r = keywords_add(&md->kw, md->box.control, md->box.file_mode,
		    &name, 1, md->store->conf.fsync);
	/* Not if it was the system that had no more of something. */
	if (r == ERR_LIMIT && !has_keywords_letter(&md->kw))
		r = add_word(md, name, &lk);
	lock_drop(&lk);
	md_reread_passed(md, passed);
	return r;
}

int
maildir_keyword(struct maildir *md, struct span name, bool create,
    size_t *ret_i)
{
	size_t i;
	int r;

	md_wake(md);
	r = keywords_find(&md->kw, name, &i);

	/* P stands for $Forwarded only while there is no letter for it. */
	if (r == 0 && i == KEYWORDS_PASSED && (create || !md->has_passed))
		r = ERR_NOENT;
	if (r == ERR_NOENT && create) {
		if (md->is_readonly)
			return ERR_READONLY;
		r = add_keyword(md, name);
		if (r == 0)
			r = keywords_find(&md->kw, name, &i);
		if (r == 0 && i == KEYWORDS_PASSED)
			md->has_passed = true;
	}
	if (r == 0)
		*ret_i = i;
	return r;
}

/* ---- STATUS ---------------------------------------------------------- */

int
maildir_status(struct maildir_store *store, const struct maildir_path *path,
    bool want_size, struct maildir_status *ret)
{
	struct maildir_status st = { 0 };
	struct maildir_tally tally;
	struct maildir *md;
	uint64_t size;
	int r;

	r = md_open(store, path, true, &md);
	if (r != 0)
		return r;
	st.messages = (uint32_t)md->pic.msgs.n;
	st.uidvalidity = md->ul.uidvalidity;
	st.uidnext = maildir_uidnext(md);
	st.highestmodseq = md->history.highest;
	memcpy(st.guid, md->ul.guid, sizeof(st.guid));
	maildir_tally(md, 0, &tally);
	st.recent = tally.recent;
	st.unseen = tally.unseen;
	st.deleted = tally.deleted;
	for (size_t i = 0; want_size && r == 0 && i < md->pic.msgs.n; i++) {
		r = file_crlf_size(md, md->pic.msgs.v[i].uid, &size);
		if (r == 0)
			st.size += size;
		else if (r != ERR_INTR)
			r = 0;	/* gone, or unreadable: not STATUS's matter */
	}
	maildir_close(md);
	if (r == 0)
		*ret = st;
	return r;
}
