/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Opening a mailbox, and leaving it so that the next one opens it fast.
 *
 * The record (history.h) is the picture if the times of the directories and the
 * uidlist are those on record.  If only new/ has another time, only new/ is
 * read.  In any other case the files are, and what is different goes on record.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "maildir/build.h"
#include "maildir/courier.h"
#include "maildir/index.h"
#include "maildir/merge.h"
#include "maildir/refresh.h"

#define REST_TRIES	3
#define REST_WAIT_MS	12u
#define REST_MIN	1000u	/* messages */

/* What a message that was left in new/, or has a P, means to this session. */
static void
after_load(struct maildir *md)
{
	struct picture *p = &md->pic;

	if (!(p->states & (MSG_NEW | MSG_PASSED)))
		return;
	for (size_t i = 0; i < p->msgs.n; i++) {
		struct msg *m = &p->msgs.v[i];

		if (m->state & MSG_NEW)
			msg_set(m, MSG_RECENT);
		if (m->state & MSG_PASSED)
			md_read_flags(md, p, m);
	}
}

enum change { CHANGE_NONE, CHANGE_NEW, CHANGE_ANY };

/* What has changed since the times on record? */
static enum change
compare_times(struct maildir *md)
{
	const struct index_times *t = &md->history.times;
	struct dirtime list;
	bool is_same_list;

	md->cur_time = (struct dirtime){ t->cur, t->cur == 0 };
	md->new_time = (struct dirtime){ t->new, t->new == 0 };
	if (md->ul.must_rewrite || t->ino != (uint64_t)md->ul.ino ||
	    t->dev != (uint64_t)md->ul.dev || t->size > md->ul.size ||
	    !is_dirtime_same(md->box.cur, &md->cur_time) ||
	    dirtime_get(md->ul.fd, &list) != 0)
		return CHANGE_ANY;
	is_same_list = md->ul.size == t->size && md->ul.next == t->uidnext &&
	    list.ns == t->ctime;
	if (md->ul.size == t->size && !is_same_list)
		return CHANGE_ANY;
	return is_same_list && is_dirtime_same(md->box.new, &md->new_time) &&
	    (md->is_readonly || !(md->pic.states & MSG_NEW)) ?
	    CHANGE_NONE : CHANGE_NEW;
}

/* The picture on record, and what is in new/.  ERR_NOENT: that does not
 * suffice. */
static int
open_recorded(struct maildir *md, struct lock *lk)
{
	enum change change;
	uint64_t list_size;
	bool look;
	int r;

	after_load(md);
	md->uidnext = md->history.times.uidnext;
	change = compare_times(md);
	if (change == CHANGE_NONE)
		return 0;
	md->history.is_restless = true;
	if (change == CHANGE_ANY)
		return ERR_NOENT;
	if (!md->is_readonly)
		md_watch(md);
	/* A change of cur/ before there was a watch has no event. */
	if (!is_dirtime_same(md->box.cur, &md->cur_time))
		return ERR_NOENT;
	/* What was appended since has not been read. */
	list_size = md->ul.size;
	md->ul.size = md->history.times.size;
	r = refresh_new(md, lk, &look);
	/* Records, and none of them of a file in new/: what they are about is
	 * in cur/, or nowhere. */
	look = look || (r == 0 && md->ul.size < list_size);
	if (r == ERR_ACCESS || r == ERR_READONLY || (r == 0 && (look ||
	    (md->is_readonly &&
	    !is_dirtime_same(md->box.cur, &md->cur_time)))))
		r = ERR_NOENT;
	md->was_watched = r == 0 && md->watch.fd >= 0;
	return r;
}

/* When the directories changed last, in ns. */
static uint64_t
newest(const struct maildir *md)
{
	return md->cur_time.ns > md->new_time.ns ? md->cur_time.ns :
	    md->new_time.ns;
}

/* No record: everything is as of now, or, if nothing is to be written, as of
 * the last change. */
static void
start_record(struct maildir *md)
{
	struct history *h = &md->history;

	if (!md->is_memory_only && (md->pic.msgs.n > 0 || md->uidnext > 1 ||
	    h->must_raise)) {
		h->floor = history_next(h);
	} else {
		h->must_save = false;
		h->highest = newest(md) / 1000 > 0 ? newest(md) / 1000 : 1;
	}
	h->must_raise = false;
	md->pic.common = h->highest;
}

/*
 * The directories were changed after the last thing on record, and nothing has
 * come of it: somebody may have changed a message and changed it back, and have
 * told a client of both, and the record of that may be lost.  A mod-sequence of
 * now goes on record; those who cannot write agree on that of the change.
 */
static void
pass_lost(struct maildir *md)
{
	struct history *h = &md->history;
	uint64_t usec = newest(md) / 1000;

	if (h->changed.n == 0 && h->left.n == 0 && !h->must_raise &&
	    usec > h->highest) {
		h->highest = usec;
		h->must_tell = true;
	}
}

/* From the files. */
static int
open_files(struct maildir *md, bool is_recorded)
{
	uint32_t validity = md->ul.uidvalidity;
	struct picture now;
	int r;

	md->was_watched = false;
	if (!md->is_readonly)
		watch_start(&md->watch, &md->box, &md->store->watch_spare);
	r = build_picture(md, &now);
	if (r != 0)
		return r;
	md->was_watched = md->watch.fd >= 0;
	if (is_recorded && md->ul.uidvalidity == validity) {
		merge_picture(md, &now, 0);
		pass_lost(md);
		return 0;
	}
	/* Nobody can tell whether UIDs mean what they did. */
	cache_void(md);
	picture_done(&md->pic);
	md->pic = now;
	journal_close(&md->history.journal);
	start_record(md);
	return 0;
}

/*
 * A UID that was given out, and of which neither the files nor the record know
 * anything: the record is older than somebody's picture, and what else it lacks
 * nobody can tell.
 */
static bool
has_gap(const struct maildir *md, uint32_t first)
{
	size_t n = md->pic.msgs.n - picture_at(&md->pic, first);

	return first < md->uidnext && n < md->uidnext - first;
}

static int
open_picture(struct maildir *md)
{
	const struct uidlist_at at = md_at(md, false);
	struct lock lk = LOCK_NONE;
	bool is_recorded;
	uint32_t first;
	int r;

	r = uidlist_read_ends(&md->ul, &at);
	if (r != 0)
		return r;
	is_recorded = index_load(md, &md->pic) == 0;
	first = index_uidnext(md, &md->pic);
	r = is_recorded ? open_recorded(md, &lk) : ERR_NOENT;
	if (r == ERR_NOENT) {
		lock_drop(&lk);
		if (is_recorded && md->uidnext < first)
			md->uidnext = first;
		r = open_files(md, is_recorded);
	}
	if (r == 0 && is_recorded && has_gap(md, first))
		md->history.must_raise = true;
	if (r == 0)
		history_record(md, lk.dir >= 0 ? &lk : NULL);
	lock_drop(&lk);
	if (r == 0 && md->history.is_restless)
		history_rest(md);
	return r;
}

int
md_open(struct maildir_store *store, const struct maildir_path *path,
    bool is_readonly, struct maildir **ret)
{
	struct maildir *md = mem_zalloc(sizeof(*md));
	int r;

	md_init(md, store);
	md->is_readonly = is_readonly;
	r = box_open(store, path, &md->box);
	if (r == 0 && !is_readonly)
		box_clean_tmp(&md->box);
	if (r == 0)
		r = md_keywords(md);
	if (r == 0)
		r = open_picture(md);
	VEC_DONE(&md->news);
	if (r != 0) {
		md->history.is_restless = false;
		maildir_close(md);
		return r;
	}
	*ret = md;
	return 0;
}

int
maildir_open(struct maildir_store *store, const struct maildir_path *path,
    bool is_readonly, struct maildir **ret)
{
	struct maildir *md;
	int r;

	r = md_open(store, path, is_readonly, &md);
	if (r != 0)
		return r;
	r = courier_take_keywords(md);
	if (r != 0) {
		maildir_close(md);
		return r;
	}
	if (md->history.is_restless)
		picture_rest(&md->pic);
	*ret = md;
	return 0;
}

/*
 * The next session reads no directory if the times on record are true; and they
 * can only be put on record when they are old enough (scan.c).  For a large
 * mailbox that is worth the wait.
 */
static void
leave_at_rest(struct maildir *md)
{
	for (int i = 0; i < REST_TRIES; i++) {
		if (i > 0)
			deadline_sleep(deadline_in(REST_WAIT_MS));
		refresh_own(md);
		history_record(md, NULL);
		history_rest(md);
		if (!md->history.is_restless || !md->was_watched ||
		    md->pic.msgs.n < REST_MIN)
			return;
	}
}

void
maildir_close(struct maildir *md)
{
	if (md == NULL)
		return;
	if (!md->rest.is_resting)
		cache_rest(md);
	if (md->history.is_restless) {
		md_wake(md);
		leave_at_rest(md);
	}
	md_done(md);
	free(md);
}

/* ---- mend ------------------------------------------------------------- */

/* The record as far as it can be read, and beside it the files. */
static int
mend_picture(struct maildir *md, bool raise)
{
	const struct uidlist_at at = md_at(md, false);
	struct history *h = &md->history;
	bool is_recorded;
	int r;

	r = uidlist_read_ends(&md->ul, &at);
	if (r != 0)
		return r;
	is_recorded = index_load(md, &md->pic) == 0;
	if (is_recorded && picture_load_all(&md->pic) != 0)
		raise = true;
	md->uidnext = h->times.uidnext;
	r = open_files(md, is_recorded);
	if (r != 0)
		return r;
	for (size_t i = 0; raise && i < md->pic.msgs.n; i++)
		history_changed(md, &md->pic.msgs.v[i]);
	h->must_raise |= raise;
	h->must_save |= raise;
	history_record(md, NULL);
	return md->is_memory_only ? ERR_READONLY : md->is_short ? ERR_NOSPACE :
	    h->must_save || h->journal.size > h->journal.off ? ERR_IO : 0;
}

int
md_mend(struct maildir_store *store, const struct maildir_path *path,
    bool raise)
{
	struct maildir md;
	int r;

	md_init(&md, store);
	md.is_readonly = true;
	r = box_open(store, path, &md.box);
	if (r == 0)
		r = md_keywords(&md);
	if (r == 0)
		r = mend_picture(&md, raise);
	md_done(&md);
	return r;
}
