/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * A session that waits in IDLE holds no picture: it is on record, and the two
 * files of the record stay open.  On waking, the index and as much of the
 * journal as had been read give the very same picture again, whatever others
 * have replaced or appended meanwhile; that is then news as always.
 *
 * Kept are the runs of UIDs and the list of recent messages, which are nowhere
 * on record.  The runs are for the day on which the record turns out to be
 * damaged: then the files are read, and all messages count as changed.
 */
#include <malloc.h>

#include "maildir/build.h"
#include "maildir/index.h"

#define REST_MIN	256u	/* messages */
#define RUN_SHARE	8u	/* messages to a run, else it is no gain */

/* ---- to rest ---------------------------------------------------------- */

static bool
can_rest(const struct maildir *md)
{
	const struct history *h = &md->history;

	return md->pic.msgs.n >= REST_MIN && md->pic.file.fd >= 0 &&
	    h->journal.fd >= 0 &&
	    h->journal.generation == md->pic.file.h.generation &&
	    !md->pic.is_damaged && h->changed.n == 0 && h->left.n == 0 &&
	    h->tail.n == 0 && !h->must_save && !h->must_raise &&
	    !is_history_partial(h) && !md->has_twins && md->news.n == 0;
}

/* false: they are too many. */
static bool
has_few_runs(struct maildir *md)
{
	struct md_rest *rest = &md->rest;
	size_t most = md->pic.msgs.n / RUN_SHARE;

	for (size_t i = 0; i < md->pic.msgs.n; i++) {
		const struct msg *m = &md->pic.msgs.v[i];
		struct md_run run = { m->uid, 1 };

		if (m->state & MSG_RECENT)
			VEC_PUSH(&rest->recent, m->uid);
		if (rest->uids.n > 0 && m->uid == rest->uids.v[rest->uids.n -
		    1].first + rest->uids.v[rest->uids.n - 1].n)
			rest->uids.v[rest->uids.n - 1].n++;
		else
			VEC_PUSH(&rest->uids, run);
		if (rest->uids.n > most || rest->recent.n > most)
			return false;
	}
	return true;
}

static void
forget(struct md_rest *rest)
{
	VEC_DONE(&rest->uids);
	VEC_DONE(&rest->recent);
	rest->is_resting = false;
}

void
maildir_rest(struct maildir *md)
{
	struct md_rest *rest = &md->rest;
	struct history *h = &md->history;

	if (rest->is_resting)
		return;
	cache_rest(md);
	if (!can_rest(md) || !has_few_runs(md)) {
		forget(rest);
		picture_rest(&md->pic);
		return;
	}
	rest->is_resting = true;
	rest->file = md->pic.file;
	md->pic.file = INDEXFILE_NONE;
	picture_done(&md->pic);
	picture_init(&md->pic);
	VEC_DONE(&h->gone);
	VEC_DONE(&md->told);
	buf_done(&h->tail);
	buf_init(&h->tail, JOURNAL_MAX);
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}

/* ---- awake ------------------------------------------------------------ */

static void
mark_recent(struct maildir *md)
{
	for (size_t i = 0; i < md->rest.recent.n; i++) {
		struct msg *m = picture_find(&md->pic, md->rest.recent.v[i]);

		if (m != NULL)
			msg_set(m, MSG_RECENT);
	}
	for (size_t i = 0; md->pic.states & MSG_PASSED &&
	    i < md->pic.msgs.n; i++)
		if (md->pic.msgs.v[i].state & MSG_PASSED)
			md_read_flags(md, &md->pic, &md->pic.msgs.v[i]);
}

/* As it was: what has been read of the record, and no more. */
static int
from_record(struct maildir *md)
{
	struct history *h = &md->history;
	uint64_t highest = h->highest, floor = h->floor;
	int r;

	h->highest = md->rest.file.h.highest;
	h->has_older_gone = true;
	r = picture_load(&md->pic, &md->rest.file);
	if (r == 0)
		r = journal_again(&h->journal, &h->tail);
	if (r == 0)
		r = history_replay(md, &md->pic);
	if (h->highest < highest)
		h->highest = highest;
	if (h->floor < floor)
		h->floor = floor;
	return r;
}

static bool
has_run(const struct md_rest *rest, uint32_t uid)
{
	size_t lo = 0, hi = rest->uids.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (uid < rest->uids.v[mid].first)
			hi = mid;
		else if (uid - rest->uids.v[mid].first >= rest->uids.v[mid].n)
			lo = mid + 1;
		else
			return true;
	}
	return false;
}

/* The record is damaged. */
static int
from_files(struct maildir *md)
{
	struct history *h = &md->history;
	struct picture now;
	uint32_t next = md->uidnext, validity = md->ul.uidvalidity;
	int r = build_picture(md, &now);

	if (r == 0 && md->ul.uidvalidity != validity) {
		picture_done(&now);
		md->ul.uidvalidity = validity;
		r = ERR_GONE;
	}
	if (r != 0)
		return r;
	md_note(md, INDEX_FILE, err_text(ERR_CORRUPT));
	cache_void(md);		/* as in open.c */
	picture_done(&md->pic);
	md->pic = now;
	for (size_t i = 0; i < md->rest.uids.n; i++)
		for (uint32_t k = 0; k < md->rest.uids.v[i].n; k++)
			if (picture_find(&md->pic, md->rest.uids.v[i].first +
			    k) == NULL)
				md_news(md, md->rest.uids.v[i].first + k,
				    MAILDIR_EXPUNGED);
	for (size_t i = 0; i < md->pic.msgs.n; i++) {
		struct msg *m = &md->pic.msgs.v[i];
		bool is_known = has_run(&md->rest, m->uid);

		msg_clear(m, MSG_RECENT);
		if (!is_known && m->uid < next) {
			msg_set(m, MSG_GONE);	/* as in merge.c */
			h->is_partial = true;
		}
		md_news(md, m->uid, is_known ? MAILDIR_CHANGED :
		    MAILDIR_ADDED);
	}
	picture_sweep(&md->pic);
	journal_close(&h->journal);
	md->pic.common = history_next(h);
	h->floor = md->pic.common;
	h->must_save = true;
	md->was_watched = false;
	return 0;
}

void
md_wake_now(struct maildir *md)
{
	/* What came out of a failed try before. */
	picture_done(&md->pic);
	picture_init(&md->pic);
	if (from_record(md) != 0 && from_files(md) != 0)
		return;		/* an empty picture, until the disk is back */
	mark_recent(md);
	indexfile_close(&md->rest.file);
	forget(&md->rest);
}
