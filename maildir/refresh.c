/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Three ways, the cheapest first:
 *	- events: inotify names what came and went, and only that is looked at;
 *	- times: without inotify, directories that have the mtime of the last
 *	  look, and had it long enough, have not changed;
 *	- a whole new picture, compared with the old one by UID.
 *
 * What is new is only ever taken in under the uidlist lock, after reading what
 * others appended to the list: whoever shows a message holds that lock, writes
 * the record, and then the file, so that no message with a lower UID can turn
 * up after one with a higher UID has been taken in.  Should one do so all the
 * same (an expunged file that was put back, an old copy of the list), it is not
 * shown before the mailbox is opened again: within one session UIDs only grow.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "maildir/build.h"
#include "maildir/refresh.h"

/* Flags before the events of one drain. */
struct before {
	uint32_t uid;
	uint32_t sys;
	uint64_t kw;
};

struct drain {
	struct maildir *md;
	struct scan fresh;	/* names whose base is not known; is_twin: no
				 * longer; uid != 0: recorded */
	VEC(struct before) before;
	size_t suspects;
	int err;
};

/* ---- a whole new picture --------------------------------------------- */

static void
carry_over(struct maildir *md, struct msg *m, const struct msg *old)
{
	m->modseq = old->modseq;
	m->state = (uint16_t)((m->state & ~MSG_RECENT) |
	    (old->state & MSG_RECENT));
	md_flags_changed(md, m, old->sys, old->kw);
}

static void
arrived(struct maildir *md, struct msg *m)
{
	m->modseq = history_change(&md->history, m->uid);
	md_news(md, m->uid, MAILDIR_ADDED);
}

static void
departed(struct maildir *md, struct msg *m)
{
	(void)history_expunge(&md->history, m->uid);
	md_news(md, m->uid, MAILDIR_EXPUNGED);
	m->state |= MSG_GONE;
}

static int
rebuild(struct maildir *md)
{
	uint32_t validity = md->ul.uidvalidity, next = md->uidnext;
	struct picture now;
	size_t i = 0, k = 0;
	struct stat st;
	int r;

	/* A deleted mailbox is gone, not empty. */
	if (fstat(md->box.cur, &st) != 0 || st.st_nlink == 0)
		return ERR_GONE;
	r = build_picture(md, &now);
	if (r != 0)
		return r;
	if (md->ul.uidvalidity != validity) {
		picture_done(&now);
		return ERR_GONE;
	}
	while (i < md->pic.msgs.n || k < now.msgs.n) {
		struct msg *a = i < md->pic.msgs.n ? &md->pic.msgs.v[i] : NULL;
		struct msg *b = k < now.msgs.n ? &now.msgs.v[k] : NULL;

		if (b == NULL || (a != NULL && a->uid < b->uid)) {
			departed(md, a);
			i++;
			continue;
		}
		if (a != NULL && a->uid == b->uid) {
			carry_over(md, b, a);
			i++;
		} else if (b->uid >= next) {
			arrived(md, b);
		} else {
			b->state |= MSG_GONE;	/* not before the next open */
		}
		k++;
	}
	picture_sweep(&now);
	picture_done(&md->pic);
	md->pic = now;
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
	struct before b = { m->uid, m->sys, m->kw };

	if (m->state & MSG_TOUCHED)
		return;
	m->state |= MSG_TOUCHED;
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

	if (m == NULL) {
		add_fresh(d, ev);
		return;
	}
	if (m->state & MSG_SUSPECT) {
		m->state &= (uint16_t)~(MSG_SUSPECT | MSG_DELETED_EVENT);
		d->suspects--;
	}
	if (is_span_eq(picture_name(&md->pic, m), ev->name) &&
	    is_new == ((m->state & MSG_NEW) != 0))
		return;
	touch(d, m);
	d->err = picture_rename(&md->pic, m, ev->name);
	m->state = (uint16_t)((m->state & ~MSG_NEW) | (is_new ? MSG_NEW : 0));
	md_read_flags(md, &md->pic, m);
}

static void
vanished(struct drain *d, const struct watch_event *ev)
{
	struct maildir *md = d->md;
	struct msg *m = picture_by_base(&md->pic, name_base(ev->name));

	if (m == NULL) {
		drop_fresh(d, ev);
		return;
	}
	if (!is_span_eq(picture_name(&md->pic, m), ev->name) ||
	    (ev->dir == SCAN_NEW) != ((m->state & MSG_NEW) != 0))
		return;		/* it has moved on already */
	if (!(m->state & MSG_SUSPECT))
		d->suspects++;
	m->state |= MSG_SUSPECT;
	m->state &= (uint16_t)~MSG_DELETED_EVENT;
	if (ev->kind == WATCH_DELETED)
		m->state |= MSG_DELETED_EVENT;
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
	char name[NAME_FILE_MAX + 1];
	struct stat st;

	return fstatat(md_dir(md, m), md_cname(&md->pic, m, name), &st,
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
		m->state &= (uint16_t)~(MSG_SUSPECT | MSG_DELETED_EVENT);
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
		m->state &= (uint16_t)~MSG_TOUCHED;
		md_flags_changed(d->md, m, b->sys, b->kw);
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
			m->state |= MSG_NEW | MSG_RECENT;
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
	uint32_t shift = (uint32_t)picture_pool(&md->pic)->n;
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
			md->pic.msgs.v[i].state |= MSG_GONE;
	else if (!md->is_readonly)
		r = build_move_new(md, &md->pic, first, &again);
	if (r == 0 && !md->is_readonly && again)
		*ret_look = true;
	return r;
}

/* The fresh names, under the lock. */
static int
take_fresh(struct drain *d, bool *ret_look)
{
	struct maildir *md = d->md;
	struct uidlist_at at = md_at(md, true);
	size_t first = md->pic.msgs.n, twins, moved;
	bool is_new, again;
	int r;

	r = uidlist_update(&md->ul, &at, &is_new);
	if (r != 0)
		return r;
	if (is_new || md->ul.must_rewrite ||
	    watch_drain(&md->watch, on_event, d) == WATCH_LOST) {
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
		arrived(md, m);
	}
	if (md->ul.next > md->uidnext)
		md->uidnext = md->ul.next;
	if (r != 0)
		picture_sweep(&md->pic);
	return r;
}

/* What the events say.  *ret_look: they do not suffice. */
static int
by_events(struct maildir *md, bool *ret_look)
{
	struct drain d = { .md = md };
	struct lock lk = LOCK_NONE;
	int r = 0;

	scan_init(&d.fresh);
	*ret_look = watch_drain(&md->watch, on_event, &d) == WATCH_LOST;
	if (*ret_look)
		watch_stop(&md->watch);
	if (!*ret_look && d.err == 0 && has_fresh(&d)) {
		if (md->is_memory_only) {
			*ret_look = true;
		} else {
			r = box_lock(&md->box, md->store, &lk);
			if (r == 0)
				r = take_fresh(&d, ret_look);
			lock_drop(&lk);
		}
	}
	compare_flags(&d);
	if (d.suspects > 0) {
		bool look;

		judge(&d, &look);
		*ret_look = *ret_look || look;
	}
	VEC_DONE(&d.before);
	scan_done(&d.fresh);
	return d.err != 0 ? d.err : r;
}

int
refresh(struct maildir *md)
{
	bool look = true;
	int r = 0;

	if (md->watch.fd >= 0 && md->was_watched) {
		r = by_events(md, &look);
	} else {
		/* A new watch knows nothing of what happened before it. */
		watch_start(&md->watch, &md->box);
		md->was_watched = true;
		look = !is_dirtime_same(md->box.new, &md->new_time) ||
		    !is_dirtime_same(md->box.cur, &md->cur_time);
	}
	if (r == 0 && look)
		r = rebuild(md);
	if (r == 0 && md->news.n > 0)
		r = md_keywords(md);
	if (r != 0) {
		/* The events are spent, and part of the list has been read:
		 * only a complete look makes good for that. */
		md->was_watched = false;
		md->cur_time.is_young = true;
	}
	return r;
}

int
refresh_names(struct maildir *md)
{
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
		struct scan_ent *e = scan_find(&s, picture_base(&md->pic, m));
		uint32_t sys = m->sys;
		uint64_t kw = m->kw;

		if (e == NULL) {
			if (m->missed < UINT8_MAX)
				m->missed++;
			continue;
		}
		m->missed = 0;
		m->state = (uint16_t)((m->state & ~MSG_NEW) |
		    (e->dir == SCAN_NEW ? MSG_NEW : 0));
		if (is_span_eq(scan_name(&s, e), picture_name(&md->pic, m)))
			continue;
		r = picture_rename(&md->pic, m, scan_name(&s, e));
		md_read_flags(md, &md->pic, m);
		md_flags_changed(md, m, sys, kw);
	}
done:
	scan_done(&s);
	return r;
}
