/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Flags are letters in the file's name: a change is a rename inside cur/,
 * without a lock.  Two sessions that change one message at once do not lose
 * either change: the rename of the slower one fails with ENOENT, for it names
 * the file as it was; it looks up the new name and applies its change to the
 * flags there.
 *
 * A Dovecot at work on the same mailbox is another matter: it reads cur/ in
 * small blocks and takes a file that it misses, because it was renamed between
 * two blocks, for expunged; seen again it gets a new UID.  So the renames are
 * made under the lock, which it holds while it reads.  Whether there is a
 * Dovecot cannot be told: its index files may be elsewhere (INDEX=).  It costs
 * little, for the journal wants the lock as well.  That is a courtesy: when the
 * lock cannot be had, the change is made all the same.
 *
 * A change on condition (maildir_store_unchanged()) needs the lock.  Under it
 * nobody who keeps mod-sequences changes anything without our knowing: what
 * they have put on record is read before the first message is looked at.  What
 * others do meanwhile shows in the name of the file: a rename from the name
 * that was compared is the comparison itself, and finds nothing if the file has
 * another one by then.
 *
 * CRASH STATES: none but "renamed" and "not renamed".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "maildir/file.h"
#include "maildir/refresh.h"
#include "maildir/replace.h"
#include "maildir/step.h"

#define POLITE_MS	1000u
#define GUARDED_MAX	1024u	/* messages changed on condition under one
				 * lock */

/* A message as it was at some moment; a mod-sequence of 0: it was not there. */
struct seen {
	uint64_t modseq;
	struct maildir_flags flags;
};

/* The condition of a change. */
struct guard {
	uint64_t since;
	bool was_complete;		/* all that happened until since was
					 * known when before was taken */
	struct seen before[GUARDED_MAX];	/* we looked what is new */
	struct seen now[GUARDED_MAX];		/* under the lock */
};

struct change {
	struct maildir *md;
	enum maildir_store_op op;
	const struct maildir_flags *flags;
	struct buf to;			/* the new name */
	const struct guard *guard;	/* NULL: there is no condition */
	uint32_t uid;			/* the message at hand, */
	size_t i;			/* and its number among those guarded */
	bool is_refused;		/* its condition does not hold */
};

static uint64_t
apply(enum maildir_store_op op, uint64_t old, uint64_t flags)
{
	switch (op) {
	case MAILDIR_ADD:
		return old | flags;
	case MAILDIR_REMOVE:
		return old & ~flags;
	case MAILDIR_SET:
		break;
	}
	return flags;
}

static struct maildir_flags
flags_of(const struct maildir *md, const struct msg *m)
{
	return (struct maildir_flags){ msg_flags(m), picture_kw(&md->pic, m) };
}

/* They agree in all that is set in mask. */
static bool
is_same(struct maildir_flags a, struct maildir_flags b,
    struct maildir_flags mask)
{
	return ((a.sys ^ b.sys) & mask.sys) == 0 &&
	    ((a.kw ^ b.kw) & mask.kw) == 0;
}

/*
 * The message may be changed: nobody else has done so since, nor since we
 * looked; or somebody has, but not those flags that are to be set or cleared.
 * They are as the client knows them: one mod-sequence for all flags of a
 * message must not make it try again (RFC 7162 3.1.12).
 */
static bool
is_allowed(const struct change *c)
{
	const struct maildir_flags all = { UINT32_MAX, UINT64_MAX };
	const struct guard *g = c->guard;
	const struct seen *before = &g->before[c->i], *now = &g->now[c->i];
	struct maildir_flags flags;
	const struct msg *m;

	m = picture_find(&c->md->pic, c->uid);
	if (m == NULL)
		return true;		/* there is nothing to be changed */
	flags = flags_of(c->md, m);
	if (now->modseq <= g->since && is_same(flags, now->flags, all))
		return true;
	return c->op != MAILDIR_SET && g->was_complete &&
	    before->modseq != 0 && before->modseq <= g->since &&
	    is_same(flags, before->flags, *c->flags);
}

/* 0 or an errno value: see file_try(). */
static int
do_rename(int dir, const char *from, void *arg)
{
	struct change *c = arg;
	struct maildir *md = c->md;
	struct msg *m;
	struct name n;
	uint32_t sys;
	const char *to;
	int r;

	if (c->guard != NULL && !is_allowed(c)) {
		c->is_refused = true;
		return ECANCELED;
	}
	name_parse(span_str(from), &n);
	sys = (uint32_t)apply(c->op, name_sys(n.upper), c->flags->sys);
	n.upper = (n.upper & ~NAME_SYSTEM) | name_letters(sys);
	keywords_letters(&md->kw, apply(c->op, keywords_bits(&md->kw, &n),
	    c->flags->kw), &n);
	buf_clear(&c->to);
	name_put(&c->to, &n);
	to = buf_cstr(&c->to);
	if (to == NULL || c->to.n > NAME_FILE_MAX)
		return ENAMETOOLONG;
	if (dir == md->box.cur && is_span_eq(buf_span(&c->to),
	    span_str(from)))
		return faccessat(dir, from, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ?
		    0 : errno;
	if ((m = picture_find(&md->pic, c->uid)) != NULL)
		(void)md_note_saved(&md->pic, m, dir, from);
	r = rename_new(dir, from, md->box.cur, to);
	step("flags-renamed");
	if (r == ERR_NOENT)
		return ENOENT;
	/* Another file has the name: a twin, which the next complete look
	 * gives a base of its own. */
	if (r == ERR_EXISTS)
		return EBUSY;
	return r == 0 ? 0 : r == ERR_NOSPACE ? ENOSPC : r == ERR_READONLY ?
	    EROFS : r == ERR_ACCESS ? EACCES : EIO;
}

static int
store_one(struct change *c, uint32_t uid)
{
	struct maildir *md = c->md;
	struct namebuf nb;
	struct msg *m;
	int r;

	c->uid = uid;
	c->is_refused = false;
	r = file_try(md, uid, do_rename, c);
	if (c->is_refused)
		return 0;
	if (r != 0)
		return r == ERR_GONE ? 0 : r;
	m = picture_find(&md->pic, uid);
	if (!(m->state & MSG_NEW) && is_span_eq(picture_name(&md->pic, m,
	    &nb), buf_span(&c->to)))
		return 0;
	r = picture_rename(&md->pic, m, buf_span(&c->to));
	msg_clear(m, MSG_NEW);
	md_read_flags(md, &md->pic, m);
	history_changed(md, m);
	return r;
}

struct word_change {
	uint32_t uid;
	uint64_t was;
};

/* It was refused: then it must not come true later. */
static void
take_back(struct maildir *md, const struct word_change *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct msg *m = picture_find(&md->pic, v[i].uid);

		if (m != NULL)
			picture_put(&md->pic, PICTURE_KW, m,
			    (picture_kw(&md->pic, m) & ~KEYWORDS_WORDS) |
			    (v[i].was & KEYWORDS_WORDS));
	}
}

/* Keywords that have no letter: they are on record or nowhere, so that the lock
 * and the record's end are needed. */
static int
store_words(struct change *c, const uint32_t *uids, size_t n, struct lock *lk)
{
	struct maildir *md = c->md;
	struct picture *p = &md->pic;
	uint64_t words = c->flags->kw & KEYWORDS_WORDS;
	VEC(struct word_change) undo = VEC_INIT;
	int r = 0;

	if (words == 0 && (c->op != MAILDIR_SET ||
	    !has_keywords_words(&md->kw)))
		return 0;
	if (lk->dir < 0)
		r = box_lock(&md->box, md->store, lk);
	if (r != 0)
		return r;
	history_fetch(md);
	history_resolve(md);
	for (size_t i = 0; i < n; i++) {
		struct msg *m = picture_find(p, uids[i]);
		uint64_t was = m == NULL ? 0 : picture_kw(p, m), kw;

		if (m == NULL)
			continue;
		kw = (was & ~KEYWORDS_WORDS) | (apply(c->op, was, words) &
		    KEYWORDS_WORDS);
		if (kw == was)
			continue;
		VEC_PUSH(&undo, ((struct word_change){ uids[i], was }));
		picture_put(p, PICTURE_KW, m, kw);
		history_changed(md, m);
	}
	history_record(md, lk);
	if (md->history.changed.n > 0) {
		r = ERR_UNAVAIL;
		take_back(md, undo.v, undo.n);
	}
	VEC_DONE(&undo);
	return r;
}

/* lk is LOCK_NONE if there is no need, or it was not to be had. */
static void
be_polite(struct maildir *md, struct lock *lk)
{
	const struct lock_what what = {
		md->box.control, UIDLIST_LOCK, UIDLIST_FILE,
		md->box.file_mode, LOCK_STALE_MS
	};

	*lk = LOCK_NONE;
	if (lock_take(lk, &what, &md->store->unique,
	    deadline_in(POLITE_MS)) != 0)
		*lk = LOCK_NONE;
}

/* Those that nobody else has changed; of the others ret_failed[i] is true. */
static int
store_guarded(struct change *c, const uint32_t *uids, size_t n,
    struct lock *lk, bool *ret_failed, size_t *ret_done)
{
	uint32_t changed[GUARDED_MAX];
	size_t done = 0, nchanged = 0;
	int r = 0;

	while (r == 0 && done < n) {
		c->i = done;
		r = store_one(c, uids[done]);
		if (r != 0)
			break;
		ret_failed[done] = c->is_refused;
		if (!c->is_refused)
			changed[nchanged++] = uids[done];
		done++;
		lock_touch(lk);
	}
	if (r == 0)
		r = store_words(c, changed, nchanged, lk);
	*ret_done = done;
	return r;
}

int
maildir_store_flags(struct maildir *md, const uint32_t *uids, size_t n,
    enum maildir_store_op op, const struct maildir_flags *flags, size_t *ret_n)
{
	struct change c = { .md = md, .op = op, .flags = flags };
	struct lock lk;
	size_t done = 0;
	int r = 0, sr;

	*ret_n = 0;
	if (md->is_readonly)
		return ERR_READONLY;
	buf_init(&c.to, NAME_FILE_MAX + 32);
	md_wake(md);
	r = refresh_check(md, uids, n);
	if (r != 0) {
		buf_done(&c.to);
		return r;
	}
	md_watch(md);
	be_polite(md, &lk);
	while (r == 0 && done < n) {
		r = store_one(&c, uids[done]);
		if (r == 0)
			done++;
		lock_touch(&lk);
		store_tick(md->store, done);
	}
	buf_done(&c.to);
	sr = sync_dir(md->box.cur, md->store->conf.fsync && done > 0);
	if (r == 0)
		r = store_words(&c, uids, done, &lk);
	history_record(md, lk.dir >= 0 ? &lk : NULL);
	lock_drop(&lk);
	*ret_n = done;
	return r != 0 ? r : sr;
}

static void
look_at(struct maildir *md, const uint32_t *uids, size_t n, struct seen *ret)
{
	for (size_t i = 0; i < n; i++) {
		const struct msg *m = picture_find(&md->pic, uids[i]);

		ret[i] = (struct seen){ 0, { 0, 0 } };
		if (m != NULL)
			ret[i] = (struct seen){ picture_get(&md->pic,
			    PICTURE_MODSEQ, m), flags_of(md, m) };
	}
}

/* As many as one struct guard holds. */
static int
store_some(struct change *c, struct guard *g, const uint32_t *uids, size_t n,
    bool *ret_failed, size_t *ret_done)
{
	struct maildir *md = c->md;
	struct lock lk;
	int r;

	*ret_done = 0;
	look_at(md, uids, n, g->before);
	g->was_complete = g->since <= md->history.highest;
	r = refresh(md);
	if (r == 0)
		r = refresh_check(md, uids, n);
	if (r != 0)
		return r;
	r = box_lock(&md->box, md->store, &lk);
	if (r != 0)
		return r;
	history_fetch(md);
	history_resolve(md);
	look_at(md, uids, n, g->now);
	r = store_guarded(c, uids, n, &lk, ret_failed, ret_done);
	history_record(md, &lk);
	lock_drop(&lk);
	return r;
}

int
maildir_store_unchanged(struct maildir *md, const uint32_t *uids, size_t n,
    enum maildir_store_op op, const struct maildir_flags *flags,
    uint64_t since, bool *ret_failed, size_t *ret_n)
{
	struct change c = { .md = md, .op = op, .flags = flags };
	struct guard *g;
	int r = 0, sr;

	*ret_n = 0;
	if (md->is_readonly)
		return ERR_READONLY;
	g = mem_zalloc(sizeof(*g));
	g->since = since;
	c.guard = g;
	buf_init(&c.to, NAME_FILE_MAX + 32);
	md_wake(md);
	md_watch(md);
	while (r == 0 && *ret_n < n) {
		size_t done, some = n - *ret_n;

		if (some > GUARDED_MAX)
			some = GUARDED_MAX;
		r = store_some(&c, g, uids + *ret_n, some,
		    ret_failed + *ret_n, &done);
		*ret_n += done;
		store_tick(md->store, *ret_n);
	}
	buf_done(&c.to);
	free(g);
	sr = sync_dir(md->box.cur, md->store->conf.fsync && *ret_n > 0);
	return r != 0 ? r : sr;
}
