/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Four ways, the cheapest first:
 *	- events: inotify names what came and went, and only that is looked at;
 *	- times: without inotify, directories that have the mtime of the last
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

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>

#include "maildir/build.h"
#include "maildir/refresh.h"

/* Flags before the events of one drain. */
struct before {
	uint32_t uid;
	uint32_t flags;
	uint64_t kw;
};

struct drain {
	struct maildir *md;
	struct lock *lock;	/* the uidlist lock, once it was needed */
	bool is_new_only;	/* no events: a listing of new/ */
	struct scan fresh;	/* names whose base is not known; is_twin: no
				 * longer; uid != 0: recorded */
	VEC(struct before) before;
	size_t suspects;
	int err;
};

/* ---- a whole new picture --------------------------------------------- */

static uint32_t
now_seconds(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);	/* cannot fail */
	return (uint32_t)ts.tv_sec;
}

/* b, of the new picture, is a, of the old one. */
static void
carry_over(struct maildir *md, struct picture *now, struct msg *b,
    const struct msg *a)
{
	struct picture *old = &md->pic;
	uint64_t kw = picture_kw(old, a);
	struct namebuf an, bn;

	picture_put(now, PICTURE_MODSEQ, b,
	    picture_get(old, PICTURE_MODSEQ, a));
	picture_put(now, PICTURE_SAVED, b,
	    picture_get(old, PICTURE_SAVED, a));
	picture_put(now, PICTURE_KW, b, (picture_kw(now, b) &
	    ~KEYWORDS_WORDS) | (kw & KEYWORDS_WORDS));
	msg_clear(b, MSG_RECENT);
	msg_set(b, a->state & MSG_RECENT);
	if (msg_flags(a) != msg_flags(b) || picture_kw(now, b) != kw)
		md_news(md, b->uid, MAILDIR_CHANGED);
	if (a->state & MSG_UNRECORDED)
		msg_set(b, MSG_UNRECORDED);	/* it is in the list already */
	else if ((a->state & MSG_NEW) != (b->state & MSG_NEW) ||
	    !is_span_eq(picture_name(old, a, &an),
	    picture_name(now, b, &bn)))
		history_changed(md, b);
}

static void
arrived(struct maildir *md, struct picture *p, struct msg *m, uint32_t saved)
{
	picture_put(p, PICTURE_SAVED, m, saved);
	history_changed(md, m);
	md_news(md, m->uid, MAILDIR_ADDED);
}

static void
departed(struct maildir *md, struct msg *m)
{
	history_left(md, m->uid);
	md_news(md, m->uid, MAILDIR_EXPUNGED);
	msg_set(m, MSG_GONE);
}

void
refresh_merge(struct maildir *md, struct picture *now, uint32_t next)
{
	struct picture *old = &md->pic;
	uint32_t last = old->msgs.n == 0 ? 0 :
	    old->msgs.v[old->msgs.n - 1].uid, saved = now_seconds();
	size_t i = 0, k = 0;

	while (i < old->msgs.n || k < now->msgs.n) {
		struct msg *a = i < old->msgs.n ? &old->msgs.v[i] : NULL;
		struct msg *b = k < now->msgs.n ? &now->msgs.v[k] : NULL;

		if (b == NULL || (a != NULL && a->uid < b->uid)) {
			departed(md, a);
			i++;
			continue;
		}
		if (a != NULL && a->uid == b->uid) {
			carry_over(md, now, b, a);
			i++;
		} else if (b->uid >= next) {
			arrived(md, now, b, saved);
			/* A journal is replayed in order of UID. */
			md->history.must_save |= b->uid < last;
		} else {
			msg_set(b, MSG_GONE);	/* not before the next open */
			md->history.is_partial = true;
		}
		k++;
	}
	picture_sweep(now);
	history_keep_gone(md, old);
	picture_done(old);
	*old = *now;
}

static int
rebuild(struct maildir *md)
{
	uint32_t validity = md->ul.uidvalidity, next = md->uidnext;
	bool was_damaged = md->pic.is_damaged;
	struct picture now;
	int r;

	/* Events from here on tell of what the look may have missed; those of
	 * what it has seen do no harm. */
	watch_start(&md->watch, &md->box);
	r = build_picture(md, &now);
	if (r != 0)
		return r;
	if (md->ul.uidvalidity != validity) {
		picture_done(&now);
		return ERR_GONE;
	}
	if (was_damaged) {
		md_note(md, INDEX_FILE, err_text(ERR_CORRUPT));
		md->history.must_save = true;
	}
	refresh_merge(md, &now, next);
	md->was_watched = md->watch.fd >= 0;
	if (md->uidnext < next)
		md->uidnext = next;
	return 0;
}

/* ---- events ---------------------------------------------------------- */

/* Events tell of the past: of what we did ourselves, too.  What counts are the
 * flags before the first event and those after the last. */
static void
touch(struct drain *d, struct msg *m)
{
	struct before b = { m->uid, msg_flags(m),
	    picture_kw(&d->md->pic, m) };

	if (m->state & MSG_TOUCHED)
		return;
	msg_set(m, MSG_TOUCHED);
	VEC_PUSH(&d->before, b);
}

/* The entry of an unknown base that an event named before, or NULL. */
static struct scan_ent *
find_fresh(struct drain *d, struct span file)
{
	struct span base = name_base(file);
	uint32_t hash = name_hash(base);

	for (size_t i = d->fresh.ents.n; i > 0; i--) {
		struct scan_ent *e = &d->fresh.ents.v[i - 1];

		if (e->hash == hash && !e->is_twin &&
		    is_span_eq(scan_base(&d->fresh, e), base))
			return e;
	}
	return NULL;
}

/* A name for an unknown base: the latest counts. */
static void
add_fresh(struct drain *d, const struct watch_event *ev)
{
	struct scan_ent *e = find_fresh(d, ev->name);

	if (e != NULL)
		e->is_twin = true;
	d->err = scan_add(&d->fresh, ev->name, ev->dir);
}

static void
drop_fresh(struct drain *d, const struct watch_event *ev)
{
	struct scan_ent *e = find_fresh(d, ev->name);

	if (e != NULL && e->dir == ev->dir &&
	    is_span_eq(scan_name(&d->fresh, e), ev->name))
		e->is_twin = true;
}

static void
appeared(struct drain *d, const struct watch_event *ev)
{
	struct maildir *md = d->md;
	struct msg *m = picture_by_base(&md->pic, name_base(ev->name));
	bool is_new = ev->dir == SCAN_NEW;
	struct namebuf nb;

	if (m == NULL) {
		add_fresh(d, ev);
		return;
	}
	if (m->state & MSG_SUSPECT) {
		msg_clear(m, MSG_SUSPECT | MSG_DELETED_EVENT);
		d->suspects--;
	}
	if (is_span_eq(picture_name(&md->pic, m, &nb), ev->name) &&
	    is_new == ((m->state & MSG_NEW) != 0))
		return;
	touch(d, m);
	d->err = picture_rename(&md->pic, m, ev->name);
	msg_clear(m, MSG_NEW);
	msg_set(m, is_new ? MSG_NEW : 0);
	md_read_flags(md, &md->pic, m);
	/* On record under its old name; also if the flags are the same. */
	history_changed(md, m);
}

static void
vanished(struct drain *d, const struct watch_event *ev)
{
	struct maildir *md = d->md;
	struct msg *m = picture_by_base(&md->pic, name_base(ev->name));
	struct namebuf nb;

	if (m == NULL) {
		drop_fresh(d, ev);
		return;
	}
	if (!is_span_eq(picture_name(&md->pic, m, &nb), ev->name) ||
	    (ev->dir == SCAN_NEW) != ((m->state & MSG_NEW) != 0))
		return;		/* it has moved on already */
	if (!(m->state & MSG_SUSPECT))
		d->suspects++;
	msg_clear(m, MSG_DELETED_EVENT);
	msg_set(m, MSG_SUSPECT);
	if (ev->kind == WATCH_DELETED)
		msg_set(m, MSG_DELETED_EVENT);
}

static void
on_event(void *arg, const struct watch_event *ev)
{
	struct drain *d = arg;

	if (d->err != 0 || !is_name_usable(ev->name))
		return;
	if (ev->kind == WATCH_APPEARED)
		appeared(d, ev);
	else
		vanished(d, ev);
}

static bool
is_there(struct maildir *md, const struct msg *m)
{
	struct namebuf nb;
	struct stat st;

	return fstatat(md_dir(md, m), picture_cname(&md->pic, m, &nb), &st,
	    AT_SYMLINK_NOFOLLOW) == 0;
}

/*
 * Messages whose names vanished and did not come back.  One that was unlinked
 * is gone.  One that was moved away may be on its way to another name, whose
 * event we have not seen: *ret_look, a complete look decides.
 */
static void
judge(struct drain *d, bool *ret_look)
{
	struct maildir *md = d->md;
	bool any = false;

	*ret_look = false;
	for (size_t i = 0; d->suspects > 0 && i < md->pic.msgs.n; i++) {
		struct msg *m = &md->pic.msgs.v[i];

		if (!(m->state & MSG_SUSPECT))
			continue;
		d->suspects--;
		if (is_there(md, m)) {
			/* put back under the old name */
		} else if (m->state & MSG_DELETED_EVENT) {
			departed(md, m);
			any = true;
		} else {
			*ret_look = true;
		}
		msg_clear(m, MSG_SUSPECT | MSG_DELETED_EVENT);
	}
	if (any)
		picture_sweep(&md->pic);
}

/* The flags that the events left, against those before. */
static void
compare_flags(struct drain *d)
{
	for (size_t i = 0; i < d->before.n; i++) {
		const struct before *b = &d->before.v[i];
		struct msg *m = picture_find(&d->md->pic, b->uid);

		if (m == NULL)
			continue;
		msg_clear(m, MSG_TOUCHED);
		md_flags_changed(d->md, m, b->flags, b->kw);
	}
}

/* Records that others wrote for the fresh names. */
static int
take_recorded(struct drain *d)
{
	struct maildir *md = d->md;
	struct uidlist_rec rec;
	struct msg *m;
	int r = 0;

	while (r == 0 && uidlist_next(&md->ul, &rec)) {
		struct scan_ent *e = scan_find(&d->fresh, rec.base);

		if (e == NULL || e->uid != 0)
			continue;
		e->uid = UINT32_MAX;
		if (rec.uid < md->uidnext)
			continue;	/* see the top */
		r = picture_add(&md->pic, rec.uid, scan_name(&d->fresh, e),
		    &m);
		if (r != 0)
			break;
		if (e->dir == SCAN_NEW)
			msg_set(m, MSG_NEW | MSG_RECENT);
		r = picture_set_fields(&md->pic, m, rec.fields);
	}
	return r;
}

/*
 * A fresh name may be gone by now; a record for it would do no harm, but an
 * EXISTS would.  This is not asked of files that have a record: their flags may
 * be changing this very moment, and the events for that come later; not taking
 * them in now would mean never, since their record has been passed.
 */
static void
drop_absent(struct drain *d)
{
	char name[NAME_FILE_MAX + 1];
	struct stat st;

	for (size_t i = 0; i < d->fresh.ents.n; i++) {
		struct scan_ent *e = &d->fresh.ents.v[i];
		struct span s = scan_name(&d->fresh, e);
		int dir = e->dir == SCAN_NEW ? d->md->box.new : d->md->box.cur;

		if (e->is_twin || e->uid != 0)
			continue;
		memcpy(name, s.p, s.n);
		name[s.n] = '\0';
		if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISREG(st.st_mode))
			e->is_twin = true;
	}
}

static bool
has_fresh(const struct drain *d)
{
	for (size_t i = 0; i < d->fresh.ents.n; i++)
		if (!d->fresh.ents.v[i].is_twin)
			return true;
	return false;
}

/*
 * Is there a file in cur/ that nobody has recorded just now?  Then it may be
 * one that was recorded long ago and put back, and the whole list must be
 * asked.  Deliveries come by way of new/ and do not pay for this.
 */
static bool
has_odd(const struct drain *d)
{
	for (size_t i = 0; i < d->fresh.ents.n; i++) {
		const struct scan_ent *e = &d->fresh.ents.v[i];

		if (e->dir == SCAN_CUR && e->uid == 0 && !e->is_twin)
			return true;
	}
	return false;
}

/* Number what is left of the fresh names, write, move.  Under the lock. */
static int
take_unrecorded(struct drain *d, bool *ret_look)
{
	struct maildir *md = d->md;
	uint32_t shift = md->pic.names_n + (uint32_t)md->pic.pool.n;
	size_t first = md->pic.msgs.n;
	struct buf lines;
	bool again;
	int r;

	buf_init(&lines, UIDLIST_MAX);
	buf_put_span(&md->pic.pool, buf_span(&d->fresh.pool));
	r = buf_err(&md->pic.pool);
	if (r == 0)
		r = build_number(md, &md->pic, &d->fresh, shift, &lines);
	if (r == 0)
		r = build_write(md, &md->pic, &lines, false);
	buf_done(&lines);
	if (r != 0)		/* not recorded: not shown */
		for (size_t i = first; i < md->pic.msgs.n; i++)
			msg_set(&md->pic.msgs.v[i], MSG_GONE);
	else if (!md->is_readonly)
		r = build_move_new(md, &md->pic, first, &again);
	if (r == 0 && !md->is_readonly && again)
		*ret_look = true;
	return r;
}

/* Names in new/, as if they had appeared just now. */
static int
list_new(struct drain *d, struct scan *s)
{
	int r = scan_dir(s, d->md->box.new, SCAN_NEW);

	for (size_t i = 0; r == 0 && i < s->ents.n; i++) {
		struct watch_event ev = { SCAN_NEW, WATCH_APPEARED,
		    scan_name(s, &s->ents.v[i]) };

		on_event(d, &ev);
	}
	return r;
}

/* Look again, under the lock.  true: that does not suffice. */
static bool
is_more_lost(struct drain *d)
{
	struct maildir *md = d->md;
	struct scan s;
	bool is_lost;

	if (!d->is_new_only)
		return watch_drain(&md->watch, on_event, d) == WATCH_LOST;
	scan_init(&s);
	is_lost = list_new(d, &s) != 0 ||
	    !is_dirtime_same(md->box.cur, &md->cur_time);
	scan_done(&s);
	return is_lost;
}

/* The fresh names, under the lock. */
static int
take_fresh(struct drain *d, bool *ret_look)
{
	struct maildir *md = d->md;
	struct uidlist_at at = md_at(md, true);
	size_t first = md->pic.msgs.n, twins, moved;
	uint32_t saved = now_seconds();
	bool is_new, again;
	int r;

	r = uidlist_update(&md->ul, &at, &is_new);
	if (r != 0)
		return r;
	/* What came between the last look and the lock: its record has just
	 * been read, and will not be again. */
	if (is_new || md->ul.must_rewrite || is_more_lost(d)) {
		*ret_look = true;
		return d->err;
	}
	if (d->err != 0)
		return d->err;
	scan_index(&d->fresh, &twins);
	r = take_recorded(d);
	drop_absent(d);
	if (r == 0 && has_odd(d)) {
		r = uidlist_read(&md->ul, &at);
		if (r == 0)
			r = take_recorded(d);
	}
	uidlist_forget(&md->ul);
	if (r != 0)
		return r;
	moved = md->pic.msgs.n;
	r = take_unrecorded(d, ret_look);
	if (r == 0 && !md->is_readonly && moved > first) {
		r = build_move_new(md, &md->pic, first, &again);
		if (again)
			*ret_look = true;
	}
	for (size_t i = first; i < md->pic.msgs.n; i++) {
		struct msg *m = &md->pic.msgs.v[i];

		if (m->state & MSG_GONE)
			continue;
		md_read_flags(md, &md->pic, m);
		arrived(md, &md->pic, m, saved);
	}
	if (md->ul.next > md->uidnext)
		md->uidnext = md->ul.next;
	if (r != 0)
		picture_sweep(&md->pic);
	return r;
}

/* The fresh names, and then messages whose names vanished. */
static int
take_all(struct drain *d, bool *ret_look)
{
	struct maildir *md = d->md;
	int r = 0;

	if (!*ret_look && d->err == 0 && has_fresh(d)) {
		if (md->is_memory_only) {
			*ret_look = true;
		} else {
			r = box_lock(&md->box, md->store, d->lock);
			if (r == 0)
				r = take_fresh(d, ret_look);
		}
	}
	compare_flags(d);
	if (d->suspects > 0) {
		bool look;

		judge(d, &look);
		*ret_look = *ret_look || look;
	}
	return d->err != 0 ? d->err : r;
}

static void
drain_init(struct drain *d, struct maildir *md, struct lock *lk)
{
	*d = (struct drain){ .md = md, .lock = lk };
	scan_init(&d->fresh);
}

static void
drain_done(struct drain *d)
{
	VEC_DONE(&d->before);
	scan_done(&d->fresh);
}

/* What the events say.  *ret_look: they do not suffice. */
static int
by_events(struct maildir *md, struct lock *lk, bool *ret_look)
{
	struct drain d;
	int r;

	drain_init(&d, md, lk);
	*ret_look = watch_drain(&md->watch, on_event, &d) == WATCH_LOST;
	if (*ret_look)
		watch_stop(&md->watch);
	r = take_all(&d, ret_look);
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
		struct watch_event ev = { SCAN_NEW, WATCH_MOVED_AWAY,
		    SPAN_NONE };

		if (!(p->msgs.v[i].state & MSG_NEW) || scan_find(s,
		    picture_base(p, &p->msgs.v[i], &nb)) != NULL)
			continue;
		ev.name = picture_name(p, &p->msgs.v[i], &nb);
		vanished(d, &ev);
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
	    (r = list_new(&d, &s)) != 0)
		goto done;
	scan_index(&s, &twins);
	miss_in_new(&d, &s);
	r = take_all(&d, ret_look);
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
	if (r == 0 && (want || md->pic.is_damaged)) {
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

void
refresh_own(struct maildir *md)
{
	struct drain d;
	bool look = false;

	if (md->watch.fd < 0 || !md->was_watched)
		return;
	drain_init(&d, md, NULL);
	if (watch_drain(&md->watch, on_event, &d) == WATCH_LOST ||
	    d.err != 0 || has_fresh(&d)) {
		md->was_watched = false;
		look = true;
	}
	compare_flags(&d);
	if (d.suspects > 0 && !look)
		judge(&d, &look);
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
