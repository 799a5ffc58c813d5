/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Four ways, the cheapest first:
 *	- events: inotify names what came and went, and only that is looked at;
 *	- times: without inotify, directories that have the time of the last
 *	  look, and had it long enough, have not changed;
 *	- new/ alone, where only its time has changed: what it holds is treated
 *	  as if events had named it;
 *	- a whole new picture, compared with the old one by UID.
 *
 * What is new is only ever taken in under the uidlist lock, after reading what
 * others appended to the list: whoever shows a message holds that lock, writes
 * the record, and then the file, so that no message with a lower UID can turn
 * up after one with a higher UID has been taken in.  Should one do so all the
 * same (an expunged file that was put back, an old copy of the list), it is not
 * shown before the mailbox is opened again: within one session UIDs only grow.
 *
 * Around each look stand the steps of history.h.
 */
#include <sys/stat.h>

#include <poll.h>

#include "maildir/build.h"
#include "maildir/drain.h"
#include "maildir/merge.h"
#include "maildir/refresh.h"

static int
rebuild(struct maildir *md)
{
	uint32_t validity = md->ul.uidvalidity, next = md->uidnext;
	bool was_damaged = md->pic.is_damaged;
	struct picture now;
	int r;

	/* Events from here on tell of what the look may have missed; those of
	 * what it has seen do no harm. */
	watch_start(&md->watch, &md->box, &md->store->watch_spare);
	r = build_picture(md, &now);
	if (r != 0)
		return r;
	if (md->ul.uidvalidity != validity) {
		picture_done(&now);
		/* As long as md is open: its UIDs are those of the other. */
		md->ul.uidvalidity = validity;
		md->uidnext = next;
		return ERR_GONE;
	}
	if (was_damaged) {
		md_note(md, INDEX_FILE, err_text(ERR_CORRUPT));
		md->history.must_save = true;
	}
	merge_picture(md, &now, next);
	md->was_watched = md->watch.fd >= 0;
	if (md->uidnext < next)
		md->uidnext = next;
	return 0;
}

/* What the events say.  *ret_look: they do not suffice. */
static int
by_events(struct maildir *md, struct lock *lk, bool *ret_look)
{
	struct drain d;
	int r;

	drain_init(&d, md, lk);
	*ret_look = watch_drain(&md->watch, drain_event, &d) == WATCH_LOST;
	if (*ret_look)
		watch_stop(&md->watch, &md->store->watch_spare);
	r = drain_take(&d, ret_look);
	drain_done(&d);
	return r;
}

/* Messages that are in new/, by the picture, and not in this scan of it. */
static void
miss_in_new(struct drain *d, struct scan *s)
{
	struct picture *p = &d->md->pic;
	struct namebuf nb;

	for (size_t i = 0; i < p->msgs.n; i++) {
		struct watch_event ev = { .dir = SCAN_NEW,
		    .kind = WATCH_MOVED_AWAY };

		if (!(p->msgs.v[i].state & MSG_NEW) || scan_find(s,
		    picture_base(p, &p->msgs.v[i], &nb)) != NULL)
			continue;
		ev.name = picture_name(p, &p->msgs.v[i], &nb);
		drain_event(d, &ev);
	}
}

/* Messages that were left in new/ by those who may not move them. */
static int
move_left_over(struct drain *d, bool *ret_look)
{
	struct maildir *md = d->md;
	size_t i = 0;
	bool again = false;
	int r = 0;

	while (i < md->pic.msgs.n && !(md->pic.msgs.v[i].state & MSG_NEW))
		i++;
	if (md->is_readonly || i == md->pic.msgs.n)
		return 0;
	if (d->lock->dir < 0)
		r = box_lock(&md->box, md->store, d->lock);
	for (size_t k = i; r == 0 && k < md->pic.msgs.n; k++)
		if (md->pic.msgs.v[k].state & MSG_NEW)
			history_changed(md, &md->pic.msgs.v[k]);
	if (r == 0)
		r = build_move_new(md, &md->pic, i, &again);
	*ret_look = *ret_look || again;
	return r;
}

int
refresh_new(struct maildir *md, struct lock *lk, bool *ret_look)
{
	struct drain d;
	struct scan s;
	struct dirtime time;
	size_t twins;
	int r;

	drain_init(&d, md, lk);
	d.is_new_only = true;
	scan_init(&s);
	*ret_look = false;
	if ((r = dirtime_get(md->box.new, &time)) != 0 ||
	    (r = drain_new(&d, &s)) != 0)
		goto done;
	scan_index(&s, &twins);
	miss_in_new(&d, &s);
	r = drain_take(&d, ret_look);
	if (r == 0 && !*ret_look)
		r = move_left_over(&d, ret_look);
	if (r == 0)
		md->new_time = time;
done:
	scan_done(&s);
	drain_done(&d);
	return r;
}

bool
is_refresh_quiet(const struct maildir *md)
{
	struct pollfd pfd = { .fd = md->watch.fd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 0;
}

/* A deleted mailbox is gone, not empty.  No event tells of it: the directory is
 * still open. */
static bool
is_box_gone(const struct maildir *md)
{
	struct stat st;

	return fstat(md->box.cur, &st) != 0 || st.st_nlink == 0;
}

/* The cheapest look that finds everything. */
static int
look(struct maildir *md, struct lock *lk)
{
	bool want = true;
	int r = 0;

	if (is_box_gone(md))
		return ERR_NOENT;
	if (md->watch.fd >= 0 && md->was_watched) {
		r = by_events(md, lk, &want);
	} else {
		md_watch(md);
		if (!md->was_watched)
			want = !is_dirtime_same(md->box.cur, &md->cur_time);
		else
			want = false;
		if (!want && !is_dirtime_same(md->box.new, &md->new_time)) {
			r = refresh_new(md, lk, &want);
			md->was_watched = md->watch.fd >= 0;
		}
	}
	if (r == ERR_NOSPACE) {		/* it shows what has UIDs */
		want = true;
		r = 0;
	}
	if (r == 0 && (want || md->pic.is_damaged || md->is_short)) {
		lock_drop(lk);	/* it takes its own, if it needs one */
		r = rebuild(md);
	}
	return r;
}

int
refresh(struct maildir *md)
{
	struct lock lk = LOCK_NONE;
	int r;

	history_fetch(md);
	r = look(md, &lk);
	if (r == 0) {
		history_resolve(md);
		history_record(md, lk.dir >= 0 ? &lk : NULL);
	}
	lock_drop(&lk);
	if (r == 0 && md->news.n > 0)
		r = md_keywords(md);
	if (r == 0)
		history_rest(md);
	if (r != 0) {
		/* The events are spent, and part of the list has been read:
		 * only a complete look makes good for that. */
		md->was_watched = false;
		md->cur_time.is_young = true;
	}
	return r;
}

int
refresh_heal(struct maildir *md)
{
	int r;

	if (md->pic.file.fd < 0 || picture_load_all(&md->pic) == 0)
		return 0;
	r = rebuild(md);
	if (r == 0)
		history_record(md, NULL);
	return r;
}

int
refresh_check(struct maildir *md, const uint32_t *uids, size_t n)
{
	struct namebuf nb;

	if (md->rest.is_resting)
		return ERR_UNAVAIL;	/* no picture: see rest.c */
	for (size_t i = 0; i < n && md->pic.file.fd >= 0 &&
	    !md->pic.is_damaged; i++) {
		const struct msg *m = picture_find(&md->pic, uids[i]);

		if (m != NULL)
			(void)picture_name(&md->pic, m, &nb);
	}
	return md->pic.is_damaged ? refresh_heal(md) : 0;
}

void
refresh_own(struct maildir *md)
{
	struct drain d;
	bool look = false;

	if (md->watch.fd < 0 || !md->was_watched)
		return;
	drain_init(&d, md, NULL);
	if (watch_drain(&md->watch, drain_event, &d) == WATCH_LOST ||
	    d.err != 0 || has_drain_fresh(&d))
		look = true;
	drain_settle(&d, &look);
	if (look)
		md->was_watched = false;
	drain_done(&d);
}

int
refresh_names(struct maildir *md)
{
	struct namebuf nb;
	struct scan s;
	size_t twins;
	int r;

	scan_init(&s);
	r = scan_dir(&s, md->box.new, SCAN_NEW);
	if (r == 0)
		r = scan_dir(&s, md->box.cur, SCAN_CUR);
	if (r != 0)
		goto done;
	scan_index(&s, &twins);
	for (size_t i = 0; r == 0 && i < md->pic.msgs.n; i++) {
		struct msg *m = &md->pic.msgs.v[i];
		struct scan_ent *e = scan_find(&s, picture_base(&md->pic, m,
		    &nb));
		uint32_t flags = msg_flags(m);
		uint64_t kw = picture_kw(&md->pic, m);

		if (e == NULL) {
			msg_set(m, m->state & MSG_MISSED ? MSG_MISSED_TWICE :
			    MSG_MISSED);
			continue;
		}
		msg_clear(m, MSG_MISSED | MSG_MISSED_TWICE);
		if (is_span_eq(scan_name(&s, e), picture_name(&md->pic, m,
		    &nb)) && (e->dir == SCAN_NEW) ==
		    ((m->state & MSG_NEW) != 0))
			continue;
		msg_clear(m, MSG_NEW);
		msg_set(m, e->dir == SCAN_NEW ? MSG_NEW : 0);
		r = picture_rename(&md->pic, m, scan_name(&s, e));
		history_changed(md, m);
		md_read_flags(md, &md->pic, m);
		md_flags_changed(md, m, flags, kw);
	}
done:
	scan_done(&s);
	return r;
}
