/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Whatever gives out UIDs holds the lock from before the scan that finds the
 * files until the records are written: otherwise Dovecot may number the same
 * files.  Most opens find nothing to number, so the first look is taken without
 * the lock, and taken again under it if it showed a reason.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "maildir/build.h"
#include "maildir/replace.h"
#include "maildir/step.h"
#include "maildir/uidvalidity.h"

#define LOOKS_MAX	8	/* at a mailbox that does not come to rest */
#define DEAD_MIN	32u	/* dead records worth a rewrite, and ... */
#define DEAD_SHARE	4u	/* ... their share of all: one in four */

struct build {
	struct maildir *md;
	struct scan scan;
	struct picture pic;
	struct dirtime cur_time, new_time;
	uint32_t validity;	/* of the list as it was known before */
	size_t twins;
	size_t unknown;		/* files without a record */
	size_t records;
	size_t dead;		/* records without a file */
	uint64_t dead_sum;	/* changes with the set of the dead */
	uint32_t dead_last;	/* the highest UID of one */
	bool is_locked;
	bool has_twin;		/* a message wants a base of its own */
	bool is_full;		/* nothing can be written: what has no UID is
				 * not shown */
};

static void
start(struct build *b)
{
	scan_done(&b->scan);
	scan_init(&b->scan);
	picture_done(&b->pic);
	picture_init(&b->pic);
	b->twins = b->unknown = b->records = b->dead = 0;
	b->dead_sum = 0;
	b->dead_last = 0;
	b->has_twin = false;
}

/* A message for a record and the file that it names. */
static int
add(struct build *b, struct scan_ent *e, uint32_t uid, struct span fields)
{
	struct picture *p = &b->pic;
	struct msg m = {
		.uid = uid,
		.name = e->name,
		.base_len = e->base_len,
		.name_len = e->name_len,
		.state = e->dir == SCAN_NEW ? MSG_NEW | MSG_RECENT : 0
	};
	struct msg_fields f = {
		uid, (uint32_t)b->scan.pool.n, (uint32_t)fields.n
	};

	if (fields.n > 0) {
		buf_put_span(&b->scan.pool, fields);
		if (buf_err(&b->scan.pool) != 0)
			return ERR_LIMIT;
		VEC_PUSH(&p->fields, f);
		msg_set(&m, MSG_FIELDS);
	}
	VEC_PUSH(&p->msgs, m);
	e->uid = (uint32_t)p->msgs.n;
	return 0;
}

static int
match(struct build *b)
{
	struct uidlist *ul = &b->md->ul;
	struct uidlist_rec rec;
	int r = 0;

	while (r == 0 && uidlist_next(ul, &rec)) {
		struct scan_ent *e = scan_find(&b->scan, rec.base);

		b->records++;
		if (e == NULL) {
			b->dead++;
			b->dead_sum += rec.uid * UINT64_C(0x9e3779b97f4a7c15);
			b->dead_last = rec.uid;
			continue;
		}
		if (e->uid != 0) {
			/* Two records for one base: the higher UID counts. */
			msg_set(&b->pic.msgs.v[e->uid - 1], MSG_GONE);
			/* The name is the other's. */
			b->pic.msgs.v[e->uid - 1].name_len = 0;
			b->pic.msgs.v[e->uid - 1].base_len = 0;
			ul->must_rewrite = true;
		}
		r = add(b, e, rec.uid, rec.fields);
	}
	uidlist_forget(ul);
	for (size_t i = 0; i < b->scan.ents.n; i++)
		if (b->scan.ents.v[i].uid == 0 && !b->scan.ents.v[i].is_twin)
			b->unknown++;
	return r;
}

/*
 * Two names with one base.  The usual reason is a rename that readdir showed
 * from both sides: then one of them is gone.  Otherwise, hard links to one
 * message count once, and of two messages the second gets a base of its own
 * (under the lock, and if we may write), so that both survive.
 */
static int
twin(struct build *b, struct scan_ent *e)
{
	struct maildir *md = b->md;
	struct scan_ent *o = scan_find(&b->scan, scan_base(&b->scan, e));
	int de = e->dir == SCAN_NEW ? md->box.new : md->box.cur;
	int dn = o->dir == SCAN_NEW ? md->box.new : md->box.cur;
	char en[NAME_FILE_MAX + 1] = "", on[NAME_FILE_MAX + 1] = "";
	struct stat es, os;
	struct name n;
	struct buf fresh;
	const char *to;
	int r = 0;

	memcpy(en, b->scan.pool.p + e->name, e->name_len);
	memcpy(on, b->scan.pool.p + o->name, o->name_len);
	if (fstatat(de, en, &es, AT_SYMLINK_NOFOLLOW) != 0)
		return 0;
	if (fstatat(dn, on, &os, AT_SYMLINK_NOFOLLOW) != 0) {
		o->name = e->name;
		o->name_len = e->name_len;
		o->dir = e->dir;
		return 0;
	}
	if ((es.st_ino == os.st_ino && es.st_dev == os.st_dev) ||
	    md->is_readonly)
		return 0;
	if (!b->is_locked) {
		b->has_twin = true;
		return 0;
	}
	buf_init(&fresh, NAME_FILE_MAX + 1);
	name_parse(scan_name(&b->scan, e), &n);
	unique_put(&md->store->unique, &fresh);
	buf_put_span(&fresh, span_skip(scan_name(&b->scan, e), e->base_len));
	to = buf_cstr(&fresh);
	if (to != NULL && rename_new(de, en, de, to) == 0)
		r = scan_add(&b->scan, buf_span(&fresh),
		    (enum scan_dir)e->dir);
	buf_done(&fresh);
	return r;
}

static int
index_names(struct build *b)
{
	size_t n = b->scan.ents.n, twins;
	int r = 0;

	scan_index(&b->scan, &b->twins);
	for (size_t i = 0; r == 0 && b->twins > 0 && i < n; i++)
		if (b->scan.ents.v[i].is_twin)
			r = twin(b, &b->scan.ents.v[i]);
	if (b->scan.ents.n > n)
		scan_index(&b->scan, &twins);
	return r;
}

enum look { LOOK_DONE, LOOK_NEEDS_LOCK };

/* One look at everything. */
static int
look(struct build *b, enum look *ret)
{
	struct maildir *md = b->md;
	struct uidlist_at at = md_at(md, b->is_locked);
	bool may_lock = !b->is_locked && !b->is_full;
	int r;

	start(b);
	*ret = LOOK_NEEDS_LOCK;
	if ((r = uidlist_read(&md->ul, &at)) != 0)
		return r;
	/* An old copy that was put back does not know what has been given. */
	if (md->ul.uidvalidity == b->validity && md->ul.next < md->uidnext)
		md->ul.next = md->uidnext;
	if (may_lock && md->ul.must_rewrite)
		return 0;
	if ((r = dirtime_get(md->box.new, &b->new_time)) != 0 ||
	    (r = scan_dir(&b->scan, md->box.new, SCAN_NEW)) != 0)
		return r;
	if (may_lock && !md->is_readonly && b->scan.ents.n > 0)
		return 0;
	if ((r = dirtime_get(md->box.cur, &b->cur_time)) != 0 ||
	    (r = scan_dir(&b->scan, md->box.cur, SCAN_CUR)) != 0 ||
	    (r = index_names(b)) != 0 || (r = match(b)) != 0)
		return r;
	if (may_lock && (b->unknown > 0 || b->has_twin ||
	    md->ul.must_rewrite))
		return 0;
	/* Records at the end without a file may belong to messages that
	 * somebody, under the lock, is about to show. */
	if (may_lock && b->dead_last > 0 && (b->pic.msgs.n == 0 ||
	    b->dead_last > b->pic.msgs.v[b->pic.msgs.n - 1].uid) &&
	    faccessat(md->box.control, UIDLIST_LOCK, F_OK, 0) == 0)
		return 0;
	if (b->is_full)
		b->unknown = 0;
	*ret = LOOK_DONE;
	return 0;
}

static bool
is_at_rest(const struct build *b)
{
	return is_dirtime_same(b->md->box.new, &b->new_time) &&
	    is_dirtime_same(b->md->box.cur, &b->cur_time);
}

/* Look until a message that seems to be gone has been missed by a scan at rest
 * or by two scans: see scan.c. */
static int
settle(struct build *b, enum look *ret)
{
	uint64_t sum = 0;
	int r;

	for (int i = 0; i < LOOKS_MAX; i++) {
		if ((r = look(b, ret)) != 0 || *ret == LOOK_NEEDS_LOCK)
			return r;
		if (b->dead == 0 || is_at_rest(b) ||
		    (i > 0 && b->dead_sum == sum))
			return 0;
		sum = b->dead_sum;
	}
	return 0;		/* it never rests: the last look counts */
}

struct unnumbered {
	struct name_key key;
	struct scan_ent *ent;
};

static int
unnumbered_cmp(const void *a, const void *b)
{
	const struct unnumbered *ua = a, *ub = b;

	return name_key_cmp(&ua->key, &ub->key);
}

/* A message that has just been given a UID. */
static int
number_one(struct maildir *md, struct picture *p, const struct scan *s,
    const struct scan_ent *e, uint32_t shift, struct buf *lines)
{
	struct msg m = {
		.uid = md->ul.next,
		.name = e->name + shift,
		.base_len = e->base_len,
		.name_len = e->name_len,
		.state = MSG_RECENT
	};

	if (md->ul.next > UIDLIST_UID_MAX)
		return ERR_LIMIT;
	md->ul.next++;
	if (e->dir == SCAN_NEW)
		msg_set(&m, MSG_NEW);
	uidlist_put(lines, m.uid, SPAN_NONE, scan_base(s, e));
	(void)picture_push(p, &m);
	return buf_err(lines);
}

int
build_number(struct maildir *md, struct picture *p, struct scan *s,
    uint32_t shift, struct buf *lines)
{
	VEC(struct unnumbered) todo = VEC_INIT;
	int r = 0;

	for (size_t i = 0; i < s->ents.n; i++) {
		struct unnumbered u = { .ent = &s->ents.v[i] };

		if (u.ent->uid != 0 || u.ent->is_twin)
			continue;
		name_key(scan_name(s, u.ent), &u.key);
		VEC_PUSH(&todo, u);
	}
	if (todo.n > 1)
		qsort(todo.v, todo.n, sizeof(*todo.v), unnumbered_cmp);
	for (size_t i = 0; r == 0 && i < todo.n; i++)
		r = number_one(md, p, s, todo.v[i].ent, shift, lines);
	VEC_DONE(&todo);
	return r;
}

int
build_header(struct maildir *md)
{
	uint64_t bits[2];
	int r = 0;

	if (!md->ul.has_guid) {
		bits[0] = unique_bits(&md->store->unique);
		bits[1] = unique_bits(&md->store->unique);
		memcpy(md->ul.guid, bits, sizeof(md->ul.guid));
		md->ul.has_guid = true;
	}
	if (md->ul.uidvalidity == 0 && md->is_memory_only)
		md->ul.uidvalidity = (uint32_t)time(NULL);
	else if (md->ul.uidvalidity == 0)
		r = uidvalidity_next(md->store->control,
		    mode_for_file(md->box.dir_mode), &md->ul.uidvalidity);
	return r;
}

static int
rewrite(struct maildir *md, const struct picture *p)
{
	struct namebuf nb;
	struct buf lines;
	int r = build_header(md);

	if (r != 0 || md->is_memory_only)
		return r;
	buf_init(&lines, UIDLIST_MAX);
	for (size_t i = 0; i < p->msgs.n; i++) {
		const struct msg *m = &p->msgs.v[i];

		if (!(m->state & MSG_GONE))
			uidlist_put(&lines, m->uid, picture_fields(p, m),
			    picture_base(p, m, &nb));
	}
	r = buf_err(&lines);
	if (r == 0)
		r = uidlist_rewrite(&md->ul, md->box.control,
		    md->box.file_mode, buf_span(&lines), md->store->conf.fsync);
	buf_done(&lines);
	return r;
}

int
build_write(struct maildir *md, const struct picture *p,
    const struct buf *lines, bool want_rewrite)
{
	int r;

	if (md->ul.must_rewrite || want_rewrite)
		return rewrite(md, p);
	if (lines->n == 0 || md->is_memory_only)
		return 0;
	r = uidlist_append(&md->ul, buf_span(lines));
	if (r == 0 && md->store->conf.fsync)
		r = uidlist_sync(&md->ul);
	return r;
}

/*
 * Most names come from scan_add(), which leaves the info behind the name; then
 * it only has to be counted in.  (No other name or field begins with a colon.)
 */
static int
add_info(struct picture *p, struct msg *m, struct span to)
{
	struct span behind = SPAN_NONE;

	if (m->name >= p->names_n)
		behind = span_skip(buf_span(&p->pool),
		    (size_t)(m->name - p->names_n) + m->name_len);
	if (!has_prefix(behind, SPAN(SCAN_INFO)))
		return picture_rename(p, m, to);
	m->name_len = (uint8_t)to.n;
	return 0;
}

int
build_move_new(struct maildir *md, struct picture *p, size_t first,
    bool *ret_again)
{
	struct namebuf nb;
	struct buf to;
	int r = 0, moved;

	*ret_again = false;
	buf_init(&to, NAME_FILE_MAX + 1);
	for (size_t i = first; r == 0 && i < p->msgs.n; i++) {
		struct msg *m = &p->msgs.v[i];
		const char *cto, *from;
		struct span name;
		bool has_info;

		if (!(m->state & MSG_NEW) || m->state & MSG_GONE)
			continue;
		from = picture_cname(p, m, &nb);
		name = span_str(from);
		has_info = has_byte(name, ':');
		buf_clear(&to);
		buf_put_span(&to, name);
		if (!has_info)
			buf_puts(&to, SCAN_INFO);
		cto = buf_cstr(&to);
		if (cto == NULL || to.n > NAME_FILE_MAX)
			continue;	/* too long for cur/: stays */
		(void)md_note_saved(p, m, md->box.new, from);
		moved = rename_new(md->box.new, from, md->box.cur, cto);
		step("new-moved");
		if (moved == ERR_NOENT)
			*ret_again = true;
		if (moved != 0)
			continue;	/* it stays in new/, and readable */
		msg_clear(m, MSG_NEW);
		if (!has_info)
			r = add_info(p, m, buf_span(&to));
	}
	buf_done(&to);
	return r;
}

/* What has to be written, once everything is known and the lock is held. */
static int
finish(struct build *b, bool *ret_again)
{
	struct maildir *md = b->md;
	struct buf lines;
	bool can_write = b->is_locked && !b->is_full;
	bool is_sparse = can_write && b->dead >= DEAD_MIN &&
	    b->dead >= b->records / DEAD_SHARE;
	int r = 0;

	*ret_again = false;
	buf_init(&lines, UIDLIST_MAX);
	if (b->unknown > 0)
		r = build_number(md, &b->pic, &b->scan, 0, &lines);
	/* The names belong to the picture from here on. */
	b->pic.pool = b->scan.pool;
	buf_init(&b->scan.pool, SCAN_POOL_MAX);
	if (r == 0 && can_write)
		r = build_write(md, &b->pic, &lines, is_sparse);
	if (r == 0 && can_write && !md->is_readonly)
		r = build_move_new(md, &b->pic, 0, ret_again);
	buf_done(&lines);
	return r;
}

/* ERR_ACCESS and ERR_READONLY: a mailbox that we can only read. */
static int
take_lock(struct build *b, struct lock *lk)
{
	struct maildir *md = b->md;
	int r = box_lock(&md->box, md->store, lk);

	if (r == ERR_ACCESS || r == ERR_READONLY) {
		md->is_readonly = md->is_memory_only = true;
		r = 0;
	}
	if (r == 0)
		b->is_locked = true;
	return r;
}

/*
 * There is no room for the UIDs of new messages.  The others can be shown all
 * the same: how else should the user delete some?
 */
static bool
is_disk_full(const struct build *b, int r)
{
	return !b->is_full && (r == ERR_NOSPACE || r == ERR_QUOTA) &&
	    b->md->ul.uidvalidity != 0 && b->md->ul.fd >= 0;
}

int
build_picture(struct maildir *md, struct picture *ret)
{
	struct build b = {
		.md = md, .validity = md->ul.uidvalidity,
		.is_locked = md->is_memory_only
	};
	struct uidlist before = md->ul;
	struct lock lk = LOCK_NONE;
	enum look look;
	bool again = false;
	int r;

	/* What was known of the list counts until something better is. */
	uidlist_init(&md->ul);
	scan_init(&b.scan);
	picture_init(&b.pic);
	for (int i = 0; i < LOOKS_MAX; i++) {
		if ((r = settle(&b, &look)) != 0)
			break;
		r = look == LOOK_NEEDS_LOCK ? take_lock(&b, &lk) :
		    finish(&b, &again);
		if (is_disk_full(&b, r))
			b.is_full = true;
		else if (r != 0 || (look == LOOK_DONE && !again))
			break;
	}
	lock_drop(&lk);
	if (r == 0) {
		picture_sweep(&b.pic);
		for (size_t i = 0; i < b.pic.msgs.n; i++)
			md_read_flags(md, &b.pic, &b.pic.msgs.v[i]);
		md->new_time = b.new_time;
		md->cur_time = b.cur_time;
		md->is_short = b.is_full;
		md->history.is_partial |= b.is_full;
		md->uidnext = md->ul.next;
		md->has_twins = b.twins > 0;
		*ret = b.pic;
		picture_init(&b.pic);
	}
	scan_done(&b.scan);
	picture_done(&b.pic);
	if (r != 0) {
		uidlist_done(&md->ul);
		md->ul = before;
		return r;
	}
	uidlist_done(&before);
	return 0;
}
