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
#include "maildir/refresh.h"
#include "maildir/snapshot.h"

/* From the snapshot if nothing has changed since, else from the files. */
static int
open_picture(struct maildir *md)
{
	if (snapshot_load(md, &md->pic) == 0) {
		md->is_snapshot = true;
		return 0;
	}
	return build_picture(md, &md->pic);
}

/* Everything but the keywords' names, which STATUS does not want. */
static int
open_box(struct maildir_store *store, const struct maildir_path *path,
    bool is_readonly, bool want_keywords, struct maildir **ret)
{
	struct maildir *md = mem_zalloc(sizeof(*md));
	uint64_t changed;
	int r;

	md->store = store;
	md->is_readonly = is_readonly;
	md->watch = WATCH_NONE;
	md->box.dir = md->box.control = md->box.cur = md->box.new =
	    md->box.tmp = -1;
	uidlist_init(&md->ul);
	keywords_init(&md->kw);
	picture_init(&md->pic);
	r = box_open(store, path, &md->box);
	if (r == 0 && !is_readonly)
		box_clean_tmp(&md->box);
	if (r == 0 && want_keywords)
		r = md_keywords(md);
	if (r == 0)
		r = open_picture(md);
	if (r != 0) {
		maildir_close(md);
		return r;
	}
	changed = md->cur_time.ns > md->new_time.ns ? md->cur_time.ns :
	    md->new_time.ns;
	history_open(&md->history, changed);
	for (size_t i = 0; i < md->pic.msgs.n; i++)
		md->pic.msgs.v[i].modseq = md->history.highest;
	if (want_keywords) {
		r = courier_take_keywords(md);
		if (r != 0) {
			maildir_close(md);
			return r;
		}
	}
	*ret = md;
	return 0;
}

int
maildir_open(struct maildir_store *store, const struct maildir_path *path,
    bool is_readonly, struct maildir **ret)
{
	return open_box(store, path, is_readonly, true, ret);
}

void
maildir_close(struct maildir *md)
{
	if (md == NULL)
		return;
	snapshot_save(md);
	watch_stop(&md->watch);
	VEC_DONE(&md->news);
	VEC_DONE(&md->told);
	picture_done(&md->pic);
	keywords_done(&md->kw);
	uidlist_done(&md->ul);
	box_close(&md->box);
	free(md);
}

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
	return md->uidnext;
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
	return md->pic.msgs.n;
}

void
maildir_get(const struct maildir *md, size_t i, struct maildir_msg *ret)
{
	const struct msg *m = &md->pic.msgs.v[i];

	*ret = (struct maildir_msg){
		.uid = m->uid,
		.is_recent = (m->state & MSG_RECENT) != 0,
		.flags = { m->sys, m->kw },
		.modseq = m->modseq
	};
}

size_t
maildir_find(const struct maildir *md, uint32_t uid)
{
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
	int r = refresh(md);

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
	watch_start(&md->watch, &md->box);
	return md->watch.fd;
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
	size_t n = KEYWORDS_LETTERS;

	if (md->has_passed && md->kw.passed == KEYWORDS_PASSED)
		return KEYWORDS_NUMBERS;
	while (n > 0 && md->kw.name[n - 1] == NULL)
		n--;
	return n;
}

struct span
maildir_keyword_name(const struct maildir *md, size_t i)
{
	return i >= KEYWORDS_NUMBERS || md->kw.name[i] == NULL ? SPAN_NONE :
	    span_str(md->kw.name[i]);
}

bool
has_maildir_keyword_room(const struct maildir *md)
{
	for (size_t i = 0; i < KEYWORDS_LETTERS; i++)
		if (md->kw.name[i] == NULL)
			return true;
	return false;
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
	lock_drop(&lk);
	md_reread_passed(md, passed);
	return r;
}

int
maildir_keyword(struct maildir *md, struct span name, bool create,
    size_t *ret_i)
{
	size_t i;
	int r = keywords_find(&md->kw, name, &i);

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
	struct maildir *md;
	uint64_t size;
	int r;

	r = open_box(store, path, true, false, &md);
	if (r != 0)
		return r;
	st.messages = (uint32_t)md->pic.msgs.n;
	st.uidvalidity = md->ul.uidvalidity;
	st.uidnext = md->uidnext;
	st.highestmodseq = md->history.highest;
	memcpy(st.guid, md->ul.guid, sizeof(st.guid));
	for (size_t i = 0; r == 0 && i < md->pic.msgs.n; i++) {
		const struct msg *m = &md->pic.msgs.v[i];

		st.recent += (m->state & MSG_RECENT) != 0;
		st.unseen += !(m->sys & MAILDIR_SEEN);
		st.deleted += (m->sys & MAILDIR_DELETED) != 0;
		if (!want_size)
			continue;
		r = file_crlf_size(md, m->uid, &size);
		if (r == 0)
			st.size += size;
		else if (r == ERR_GONE)
			r = 0;
	}
	maildir_close(md);
	if (r == 0)
		*ret = st;
	return r;
}
