/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * COPY is a link, MOVE is a rename; where the file system allows neither, the
 * bytes are copied by way of tmp/.  Only the destination is locked.
 *
 * The base goes along, unless the destination has a record of it already: then
 * the message gets a new base, and its record remembers the old one as the
 * GUID.  An existing file is never replaced.
 *
 * Flags are those of the name that the file has at the moment of the link or
 * rename, not those of the picture: somebody may have changed them since, was
 * told OK, and must find them in the destination.
 *
 * CRASH STATES: those of deposit.h.  A moved message is in one of the two
 * mailboxes at every moment, except where bytes had to be copied: then it may
 * be in both.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/num.h"
#include "maildir/deposit.h"
#include "maildir/file.h"
#include "maildir/refresh.h"
#include "maildir/replace.h"
#include "maildir/step.h"

struct item {
	uint32_t from;
	uint32_t to;
	struct span base;	/* in the destination; in the arena */
	struct span name;	/* the same with flags, once it is tried */
	uint64_t kw;		/* numbers here, when it was tried */
	int dir;
	int from_dir;		/* where it came from, and as what */
	struct span from_name;
	bool is_done;
	bool was_copied;	/* bytes, not a link */
	uint64_t size;		/* for the quota; of a COPY */
};

struct copy {
	struct maildir *md;
	struct deposit dep;
	struct arena *arena;
	struct item *items;
	size_t n;
	bool is_move;
	uint64_t mapped;			/* numbers here with a letter */
	uint64_t letter[KEYWORDS_NUMBERS];	/* bit there for number here */
};

/* ---- flags ----------------------------------------------------------- */

/* Keywords of this mailbox as letters of the destination; but not yet those
 * whose names this session has not read. */
static int
map_keywords(struct copy *c, uint64_t used)
{
	const struct keywords *here = &c->md->kw;
	struct span names[KEYWORDS_NUMBERS];
	size_t n = 0, there;
	int r;

	for (size_t i = 0; i < KEYWORDS_NUMBERS; i++)
		if (used & UINT64_C(1) << i && here->name[i] != NULL)
			names[n++] = span_str(here->name[i]);
	r = deposit_keywords(&c->dep, names, n);
	if (r != 0)
		return r;
	for (size_t i = 0; i < KEYWORDS_NUMBERS; i++) {
		if (!(used & UINT64_C(1) << i) || here->name[i] == NULL)
			continue;
		c->mapped |= UINT64_C(1) << i;
		if (keywords_find(&c->dep.kw, span_str(here->name[i]),
		    &there) == 0)
			c->letter[i] = UINT64_C(1) << there;
	}
	return 0;
}

/* Name and directory in the destination for a message that is called from. */
static int
give_place(struct copy *c, struct item *it, const char *from)
{
	struct picture *p = &c->md->pic;
	struct name n;
	struct buf name;
	uint64_t there = 0;
	int r = 0;

	name_parse(span_str(from), &n);
	it->kw = keywords_bits(&c->md->kw, &n) |
	    (picture_kw(p, picture_find(p, it->from)) & KEYWORDS_WORDS);
	if (it->kw & ~c->mapped) {	/* set since, perhaps new as well */
		r = md_keywords(c->md);
		if (r == 0)
			r = map_keywords(c, it->kw & ~c->mapped);
		if (r != 0)
			return r;
		c->mapped |= it->kw;	/* a letter may have no name */
	}
	for (size_t i = 0; i < KEYWORDS_NUMBERS; i++)
		if (it->kw & UINT64_C(1) << i)
			there |= c->letter[i];
	n.stem = it->base;
	keywords_letters(&c->dep.kw, there, &n);
	buf_init(&name, NAME_FILE_MAX + 32);
	r = deposit_place(&c->dep, &n, &name, &it->dir);
	if (r == 0)
		it->name = arena_dup(c->arena, span_of(name.p, name.n + 1));
	buf_done(&name);
	return r;
}

/* Keywords that there is no letter for.  The names are copied: ours may be
 * read again before they are used. */
static void
put_words(struct copy *c, const struct item *it)
{
	char *const *name = c->md->kw.name;

	for (size_t i = 0; i < KEYWORDS_NUMBERS; i++)
		if (it->kw & UINT64_C(1) << i && c->letter[i] == 0 &&
		    name[i] != NULL)
			deposit_word(&c->dep, it->to,
			    arena_dup(c->arena, span_str(name[i])));
}

/* ---- one file -------------------------------------------------------- */

struct attempt {
	struct copy *c;
	struct item *item;
	int err;		/* of err.h, when the call below gives EIO */
};

static int
done(struct attempt *a, int dir, const char *name)
{
	a->item->is_done = true;
	a->item->from_dir = dir;
	a->item->from_name = arena_dup(a->c->arena, span_of(name,
	    strlen(name) + 1));
	put_words(a->c, a->item);
	step("copy-shown");
	return 0;
}

static bool
is_linkless(int r)
{
	/* EXDEV, EMLINK, and EPERM of file systems without links. */
	return r == ERR_CROSSDEV || r == ERR_ACCESS || r == ERR_LIMIT ||
	    r == ERR_UNSUPPORTED;
}

/* A link changes the time that says when the message came. */
static void
note_saved(struct copy *c, uint32_t uid, int dir, const char *name)
{
	struct picture *p = &c->md->pic;
	struct msg *m = picture_find(p, uid);

	if (m == NULL || picture_get(p, PICTURE_SAVED, m) != 0)
		return;
	if (md_note_saved(p, m, dir, name) == 0)
		c->md->history.must_save = true;
}

/* For file_try(): 0 or an errno value. */
static int
do_copy(int dir, const char *name, void *arg)
{
	struct attempt *a = arg;
	struct item *it = a->item;
	const char *to;
	int r;

	r = give_place(a->c, it, name);
	if (r != 0) {
		a->err = r;
		return EIO;
	}
	to = (const char *)it->name.p;
	if (a->c->is_move) {
		r = rename_new(dir, name, it->dir, to);
	} else {
		note_saved(a->c, it->from, dir, name);
		r = linkat(dir, name, it->dir, to, 0) == 0 ? 0 :
		    errno == EMLINK ? ERR_CROSSDEV : err_from_errno(errno);
	}
	if (r == 0)
		return done(a, dir, name);
	/* What cannot be removed here cannot be moved: copied, it would be in
	 * both for good. */
	if (is_linkless(r) && a->c->is_move &&
	    faccessat(dir, ".", W_OK, 0) != 0)
		r = err_from_errno(errno);
	else if (is_linkless(r)) {
		r = deposit_copy(&a->c->dep, dir, name, it->dir,
		    (const char *)it->name.p);
		if (r == 0) {
			it->was_copied = true;
			return done(a, dir, name);
		}
	}
	a->err = r;
	return r == ERR_NOENT ? ENOENT : EIO;
}

/* ---- the plan -------------------------------------------------------- */

/* Which bases does the destination have already?  Marked by uid != 0. */
static int
find_taken(struct copy *c, struct scan *bases)
{
	struct picture *p = &c->md->pic;
	struct uidlist_rec rec;
	struct namebuf nb;
	size_t twins;
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n; i++)
		r = scan_add(bases, picture_base(p, picture_find(p,
		    c->items[i].from), &nb), SCAN_CUR);
	if (r != 0)
		return r;
	scan_index(bases, &twins);
	while (uidlist_next(&c->dep.ul, &rec)) {
		struct scan_ent *e = scan_find(bases, rec.base);

		if (e != NULL)
			e->uid = rec.uid;
	}
	uidlist_forget(&c->dep.ul);
	return 0;
}

/* A new base that keeps what the old one said of sizes. */
static void
put_fresh_base(struct copy *c, struct span old, struct buf *b)
{
	uint64_t v;

	unique_put(&c->dep.store->unique, b);
	for (const char *key = "SW"; *key != '\0'; key++) {
		if (name_size(old, (uint8_t)*key, &v) != 0)
			continue;
		buf_putc(b, ',');
		buf_putc(b, (uint8_t)*key);
		buf_putc(b, '=');
		buf_put_u64(b, v);
	}
}

/* Give one message its base and record in the destination. */
static int
plan_one(struct copy *c, struct item *it, bool is_taken, struct buf *base)
{
	struct picture *p = &c->md->pic;
	const struct msg *m = picture_find(p, it->from);
	struct namebuf nb;
	struct span old = picture_base(p, m, &nb);
	struct span guid = uidlist_field(picture_fields(p, m), 'G');
	struct buf fields;
	int r;

	buf_clear(base);
	if (is_taken)
		put_fresh_base(c, old, base);
	else
		buf_put_span(base, old);
	buf_init(&fields, NAME_FILE_MAX + 64);
	if (guid.n > 0 || is_taken) {
		buf_putc(&fields, 'G');
		buf_put_span(&fields, guid.n > 0 ? guid : old);
		/* A blank would end the field. */
		if (has_byte(old, ' ') && guid.n == 0)
			buf_clear(&fields);
	}
	it->base = arena_dup(c->arena, buf_span(base));
	r = deposit_record(&c->dep, buf_span(&fields), it->base, &it->to);
	buf_done(&fields);
	return r;
}

/* The keywords that the messages have, as far as is known. */
static uint64_t
keywords_used(struct copy *c)
{
	struct picture *p = &c->md->pic;
	uint64_t used = 0;

	for (size_t i = 0; i < c->n; i++)
		used |= picture_kw(p, picture_find(p, c->items[i].from));
	return used;
}

static int
plan(struct copy *c)
{
	struct scan bases;
	struct buf base;
	int r;

	scan_init(&bases);
	buf_init(&base, NAME_FILE_MAX);
	r = find_taken(c, &bases);
	for (size_t i = 0; r == 0 && i < c->n; i++)
		r = plan_one(c, &c->items[i], bases.ents.v[i].uid != 0, &base);
	buf_done(&base);
	scan_done(&bases);
	return r;
}

/* ---- all of it ------------------------------------------------------- */

static void
undo(struct copy *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct item *it = &c->items[i];
		const char *name = (const char *)it->name.p;

		if (!it->is_done)
			continue;
		/* What cannot be moved back stays where it is: never lost. */
		if (!c->is_move || it->was_copied)
			(void)unlinkat(it->dir, name, 0);
		else if (rename_new(it->dir, name, it->from_dir,
		    (const char *)it->from_name.p) != 0)
			continue;
	}
}

static int
carry_out(struct copy *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n; i++) {
		struct attempt a = { c, &c->items[i], 0 };

		r = file_try(c->md, c->items[i].from, do_copy, &a);
		if (r == ERR_GONE)
			r = 0;		/* left out */
		else if (r != 0 && a.err != 0)
			r = a.err;
		lock_touch(&c->dep.lock);
		store_tick(c->md->store, i + 1);
	}
	return r == 0 ? deposit_sync(&c->dep) : r;
}

/*
 * The sources of a move leave: the files that were copied, and the picture.
 * Those that were not there do not: nobody has told the caller yet, and the
 * next refresh will.
 */
static int
leave(struct copy *c)
{
	struct maildir *md = c->md;
	int r = 0;

	for (size_t i = 0; i < c->n; i++) {
		struct item *it = &c->items[i];
		struct msg *m = picture_find(&md->pic, it->from);

		if (!it->is_done)
			continue;
		if (it->was_copied && unlinkat(it->from_dir,
		    (const char *)it->from_name.p, 0) != 0 &&
		    errno != ENOENT) {
			r = err_from_errno(errno);
			continue;
		}
		history_left(md, it->from);
		if (m != NULL)
			msg_set(m, MSG_GONE);
	}
	picture_sweep(&md->pic);
	history_record(md, NULL);
	return r != 0 ? r : sync_dir(md->box.cur, md->store->conf.fsync);
}

static void
report(struct copy *c, struct maildir_copied *ret)
{
	*ret = (struct maildir_copied){ .uidvalidity = c->dep.ul.uidvalidity };
	ret->from = arena_array(c->arena, c->n + 1, sizeof(*ret->from));
	ret->to = arena_array(c->arena, c->n + 1, sizeof(*ret->to));
	for (size_t i = 0; i < c->n; i++) {
		if (!c->items[i].is_done)
			continue;
		ret->from[ret->n] = c->items[i].from;
		ret->to[ret->n++] = c->items[i].to;
	}
}

/* ---- quota ----------------------------------------------------------- */

static int
do_size(int dir, const char *name, void *arg)
{
	int r = quota_sum_file(dir, name, arg);

	return r == 0 ? 0 : r == ERR_NOENT ? ENOENT : EIO;
}

/* A MOVE stays inside what the user has: it is how he gets below his quota. */
static int
check_quota(struct copy *c)
{
	uint64_t total = 0;
	int r = 0;

	if (c->is_move || !has_quota(c->md->store))
		return 0;
	for (size_t i = 0; r == 0 && i < c->n; i++) {
		r = file_try(c->md, c->items[i].from, do_size,
		    &c->items[i].size);
		if (r == ERR_GONE)
			r = 0;
		if (r == 0 && num_add(total, c->items[i].size, &total) != 0)
			total = UINT64_MAX;
	}
	return r == 0 ? quota_room(c->md->store, total, c->n) : r;
}

static void
tell_quota(struct copy *c)
{
	uint64_t total = 0, n = 0;

	for (size_t i = 0; !c->is_move && i < c->n; i++) {
		if (!c->items[i].is_done)
			continue;
		total += c->items[i].size;
		n++;
	}
	quota_added(c->md->store, total, n);
}

/* ---- the whole ------------------------------------------------------- */

static int
do_look(int dir, const char *name, void *arg)
{
	(void)arg;
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? 0 :
	    errno;
}

/*
 * Messages that are gone are left out before they have a record in the
 * destination: one without a file is nothing to us, but a Dovecot shows a
 * message there until it has looked at all files.  If nothing has happened in
 * this mailbox all are there.
 */
static int
drop_gone(struct copy *c)
{
	struct maildir *md = c->md;
	bool is_quiet = md->watch.fd >= 0 && md->was_watched &&
	    is_refresh_quiet(md);
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < c->n; i++) {
		struct item *it = &c->items[i];

		if (r == 0 && !is_quiet)
			r = file_try(md, it->from, do_look, NULL);
		if (r == ERR_GONE || picture_find(&md->pic, it->from) == NULL)
			r = 0;
		else
			c->items[n++] = *it;
	}
	c->n = n;
	return r;
}

static int
transfer(struct maildir *md, const uint32_t *uids, size_t n,
    const struct maildir_path *to, bool is_move, struct arena *arena,
    struct maildir_copied *ret)
{
	struct copy c = { .md = md, .arena = arena, .is_move = is_move };
	int r;

	if (is_move && md->is_readonly)
		return ERR_READONLY;
	md_wake(md);
	r = refresh_check(md, uids, n);
	if (r != 0)
		return r;
	if (is_move)
		md_watch(md);
	r = deposit_open(&c.dep, md->store, to);
	if (r != 0)
		return r;
	c.items = arena_array(arena, n + 1, sizeof(*c.items));
	for (size_t i = 0; i < n; i++)
		if (picture_find(&md->pic, uids[i]) != NULL)
			c.items[c.n++].from = uids[i];
	r = deposit_lock(&c.dep, to, true);
	if (r == 0)
		r = check_quota(&c);
	if (r == 0)
		r = drop_gone(&c);
	if (r == 0)
		r = map_keywords(&c, keywords_used(&c));
	if (r == 0)
		r = plan(&c);
	if (r == 0 && c.n > 0)
		r = deposit_write(&c.dep);
	if (r == 0) {
		if (!is_move)
			quota_begin(md->store);
		r = carry_out(&c);
		if (r != 0)
			undo(&c);
	}
	if (r == 0) {
		tell_quota(&c);
		report(&c, ret);
		deposit_words(&c.dep, to);
	}
	deposit_close(&c.dep);
	if (r == 0 && is_move)
		r = leave(&c);
	return r;
}

int
maildir_copy(struct maildir *md, const uint32_t *uids, size_t n,
    const struct maildir_path *to, struct arena *arena,
    struct maildir_copied *ret)
{
	return transfer(md, uids, n, to, false, arena, ret);
}

int
maildir_move(struct maildir *md, const uint32_t *uids, size_t n,
    const struct maildir_path *to, struct arena *arena,
    struct maildir_copied *ret)
{
	return transfer(md, uids, n, to, true, arena, ret);
}
