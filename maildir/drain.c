/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Events tell of the past: of what we did ourselves, too, and of names that
 * have moved on since.  What counts is where the last event left a message.
 *
 * Messages that are not known are taken in under the lock: see refresh.c.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>

#include "maildir/build.h"
#include "maildir/drain.h"

#define FRESH_MAX	2048u	/* more are read from the directories: each is
				 * looked for among the others */

void
drain_init(struct drain *d, struct maildir *md, struct lock *lk)
{
	*d = (struct drain){ .md = md, .lock = lk };
	scan_init(&d->fresh);
	buf_init(&d->names, SCAN_POOL_MAX);
}

void
drain_done(struct drain *d)
{
	VEC_DONE(&d->before);
	buf_done(&d->names);
	scan_done(&d->fresh);
}

/* Events tell of the past: of what we did ourselves, too.  What counts are the
 * flags before the first event and those after the last. */
static void
touch(struct drain *d, struct msg *m, bool was_away)
{
	struct drain_before b = { m->uid, msg_flags(m),
	    picture_kw(&d->md->pic, m), (uint32_t)d->names.n, m->name_len,
	    was_away, m->state };
	struct namebuf nb;

	if (m->state & MSG_TOUCHED)
		return;
	buf_put_span(&d->names, picture_name(&d->md->pic, m, &nb));
	if (buf_err(&d->names) != 0)
		d->err = ERR_LIMIT;
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
	if (d->fresh.ents.n == FRESH_MAX)
		d->is_flooded = true;
	else
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
	bool is_new = ev->dir == SCAN_NEW, was_away;
	struct namebuf nb;

	if (m == NULL) {
		add_fresh(d, ev);
		return;
	}
	was_away = (m->state & MSG_SUSPECT) != 0;
	if (was_away) {
		msg_clear(m, MSG_SUSPECT | MSG_DELETED_EVENT);
		d->suspects--;
		d->has_returned |= !ev->is_rename;
	}
	if (is_span_eq(picture_name(&md->pic, m, &nb), ev->name) &&
	    is_new == ((m->state & MSG_NEW) != 0))
		return;
	touch(d, m, was_away);
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

void
drain_event(void *arg, const struct watch_event *ev)
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
			md_departed(md, m);
			any = true;
		} else {
			*ret_look = true;
		}
		msg_clear(m, MSG_SUSPECT | MSG_DELETED_EVENT);
	}
	if (any)
		picture_sweep(&md->pic);
}

/* The events have led back to where it was, which is on record. */
static bool
is_where_it_was(const struct drain *d, const struct msg *m,
    const struct drain_before *b)
{
	struct namebuf nb;

	return ((m->state ^ b->state) & MSG_NEW) == 0 &&
	    !(b->state & MSG_UNRECORDED) && buf_err(&d->names) == 0 &&
	    is_span_eq(picture_name(&d->md->pic, m, &nb),
	    span_of(d->names.p + b->name, b->name_len));
}

/* It came under another name, and the one that it had is still there. */
static bool
has_twin(const struct drain *d, const struct msg *m,
    const struct drain_before *b)
{
	char name[NAME_FILE_MAX + 1] = "";
	struct namebuf nb;
	struct span was = span_of(d->names.p + b->name, b->name_len);
	struct stat st;

	if (b->was_away || buf_err(&d->names) != 0 || (m->state & MSG_GONE) ||
	    is_span_eq(picture_name(&d->md->pic, m, &nb), was))
		return false;
	memcpy(name, was.p, was.n);
	return fstatat(b->state & MSG_NEW ? d->md->box.new : d->md->box.cur,
	    name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* What the events left, against what was before.  *ret_look: there are two
 * files where there was one. */
static void
compare_flags(struct drain *d, bool *ret_look)
{
	for (size_t i = 0; i < d->before.n; i++) {
		const struct drain_before *b = &d->before.v[i];
		struct msg *m = picture_find(&d->md->pic, b->uid);

		if (m == NULL)
			continue;
		msg_clear(m, MSG_TOUCHED);
		*ret_look = *ret_look || has_twin(d, m, b);
		if (is_where_it_was(d, m, b))
			msg_clear(m, MSG_UNRECORDED);
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
		if (rec.uid < md->uidnext) {
			/* See the top of refresh.c.  It is there all the same:
			 * nobody may say that the record has all. */
			md->history.is_partial = true;
			continue;
		}
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

bool
has_drain_fresh(const struct drain *d)
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
int
drain_new(struct drain *d, struct scan *s)
{
	int r = scan_dir(s, d->md->box.new, SCAN_NEW);

	for (size_t i = 0; r == 0 && i < s->ents.n; i++) {
		struct watch_event ev = { .dir = SCAN_NEW,
		    .kind = WATCH_APPEARED,
		    .name = scan_name(s, &s->ents.v[i]) };

		drain_event(d, &ev);
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
		return watch_drain(&md->watch, drain_event, d) == WATCH_LOST;
	scan_init(&s);
	is_lost = drain_new(d, &s) != 0 ||
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
	uint32_t validity = md->ul.uidvalidity;
	bool is_new, again;
	int r;

	/* If it is another list, or none could be read now, a complete look is
	 * next, and that compares with what this session has told. */
	r = uidlist_update(&md->ul, &at, &is_new);
	md->ul.uidvalidity = validity;
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
		md->ul.uidvalidity = validity;
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
		md_arrived(md, &md->pic, m);
	}
	if (r != 0)
		picture_sweep(&md->pic);
	/* UIDs that could not be written down have not been given. */
	if (r == 0 && md->ul.next > md->uidnext)
		md->uidnext = md->ul.next;
	else if (md->pic.msgs.n > 0 && md->uidnext <=
	    md->pic.msgs.v[md->pic.msgs.n - 1].uid)
		md->uidnext = md->pic.msgs.v[md->pic.msgs.n - 1].uid + 1;
	return r;
}

/*
 * A file left and one of the same base came.  It may be another message with a
 * record of its own: Dovecot calls a copy by its GUID, which is the base of the
 * first of them, if that has gone elsewhere.  Only the list can tell.
 */
static bool
has_another(const struct drain *d)
{
	const struct uidlist *ul = &d->md->ul;
	struct stat st;

	return d->has_returned && (fstatat(d->md->box.control, UIDLIST_FILE,
	    &st, AT_SYMLINK_NOFOLLOW) != 0 || st.st_dev != ul->dev ||
	    st.st_ino != ul->ino || (uint64_t)st.st_size != ul->size);
}

void
drain_settle(struct drain *d, bool *ret_look)
{
	bool look;

	*ret_look = *ret_look || has_another(d);
	compare_flags(d, ret_look);
	if (d->suspects == 0)
		return;
	judge(d, &look);
	*ret_look = *ret_look || look;
}

int
drain_take(struct drain *d, bool *ret_look)
{
	struct maildir *md = d->md;
	int r = 0;

	*ret_look = *ret_look || d->is_flooded || has_another(d);
	if (!*ret_look && d->err == 0 && has_drain_fresh(d)) {
		if (md->is_memory_only) {
			*ret_look = true;
		} else {
			r = box_lock(&md->box, md->store, d->lock);
			if (r == 0)
				r = take_fresh(d, ret_look);
		}
	}
	drain_settle(d, ret_look);
	return d->err != 0 ? d->err : r;
}
