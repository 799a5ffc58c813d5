/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Putting on record.  history_replay.c reads what is on record.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>

#include "base/enc.h"
#include "maildir/index.h"
#include "maildir/refresh.h"

#define RECORD_WAIT_MS	2000u	/* patience for what can be done later, too */
#define MANY		64u	/* changes; and of half the messages: then a
				 * new index is cheaper */
#define COMPACT_MIN	(128u * 1024)	/* bytes of a journal worth it, and
					 * half of what the index has */

void
history_init(struct history *h)
{
	*h = (struct history){ .journal = JOURNAL_NONE };
	buf_init(&h->tail, JOURNAL_MAX);
	buf_init(&h->strange_names, JOURNAL_MAX);
}

void
history_done(struct history *h)
{
	journal_close(&h->journal);
	buf_done(&h->tail);
	VEC_DONE(&h->gone);
	VEC_DONE(&h->changed);
	VEC_DONE(&h->left);
	VEC_DONE(&h->strange);
	buf_done(&h->strange_names);
}

bool
is_history_partial(const struct history *h)
{
	return h->is_partial || h->strange.n > 0;
}

uint64_t
history_next(struct history *h)
{
	uint64_t usec = index_clock();

	h->highest = usec > h->highest ? usec : h->highest + 1;
	return h->highest;
}

void
history_changed(struct maildir *md, struct msg *m)
{
	md->history.has_fresh = true;
	if (m->state & MSG_UNRECORDED)
		return;
	msg_set(m, MSG_UNRECORDED);
	VEC_PUSH(&md->history.changed, m->uid);
}

void
history_left(struct maildir *md, uint32_t uid)
{
	md->history.has_fresh = true;
	VEC_PUSH(&md->history.left, uid);
}

/* ---- records ---------------------------------------------------------- */

static void
put_message(const struct maildir *md, struct buf *b, const struct msg *m)
{
	const struct picture *p = &md->pic;
	struct span fields = picture_fields(p, m), name;
	struct namebuf nb;

	/* Fields that do not fit are not worth a record of another kind: they
	 * are in the uidlist. */
	if (fields.n > UINT16_MAX)
		fields = SPAN_NONE;
	name = picture_name(p, m, &nb);
	enc_u32(b, m->uid);
	enc_u8(b, m->state & MSG_NEW ? 1 : 0);
	enc_u8(b, m->name_len);
	enc_u16(b, (uint16_t)fields.n);
	enc_u32(b, (uint32_t)picture_get(p, PICTURE_SAVED, m));
	buf_put_span(b, name);
	buf_put_span(b, fields);
}

static void
put_messages(struct maildir *md, struct buf *b, uint64_t modseq)
{
	struct history *h = &md->history;
	size_t at = journal_begin(b);

	for (size_t i = 0; i < h->changed.n; i++) {
		struct msg *m = picture_find(&md->pic, h->changed.v[i]);

		if (m != NULL && m->state & MSG_UNRECORDED)
			put_message(md, b, m);
	}
	journal_end(b, at, &h->journal, JOURNAL_MESSAGES, modseq);
}

/* Names of keywords that have no letter, and who has them. */
static void
put_words(struct maildir *md, struct buf *b, uint64_t modseq)
{
	struct history *h = &md->history;
	bool has_words = false;
	size_t at;

	for (size_t i = KEYWORDS_PASSED + 1; i < KEYWORDS_NUMBERS; i++) {
		has_words |= md->kw.name[i] != NULL;
		if (!(h->words & UINT64_C(1) << i))
			continue;
		at = journal_begin(b);
		enc_u8(b, (uint8_t)i);
		buf_puts(b, md->kw.name[i]);
		journal_end(b, at, &h->journal, JOURNAL_WORD, modseq);
	}
	if (!has_words || h->changed.n == 0)
		return;
	at = journal_begin(b);
	for (size_t i = 0; i < h->changed.n; i++) {
		struct msg *m = picture_find(&md->pic, h->changed.v[i]);

		if (m == NULL || !(m->state & MSG_UNRECORDED))
			continue;
		enc_u32(b, m->uid);
		enc_u64(b, picture_kw(&md->pic, m) & KEYWORDS_WORDS);
	}
	journal_end(b, at, &h->journal, JOURNAL_WORDS_OF, modseq);
}

static void
put_left(struct maildir *md, struct buf *b, uint64_t modseq)
{
	struct history *h = &md->history;
	size_t at = journal_begin(b);

	for (size_t i = 0; i < h->left.n; i++)
		enc_u32(b, h->left.v[i]);
	journal_end(b, at, &h->journal, JOURNAL_EXPUNGED, modseq);
}

static void
put_times(struct maildir *md, struct buf *b, const struct index_times *t)
{
	size_t at = journal_begin(b);

	enc_u64(b, t->cur);
	enc_u64(b, t->new);
	enc_u64(b, t->dev);
	enc_u64(b, t->ino);
	enc_u64(b, t->size);
	enc_u64(b, t->ctime);
	enc_u32(b, t->uidnext);
	journal_end(b, at, &md->history.journal, JOURNAL_TIMES,
	    md->history.highest);
}

/* Nothing but the mod-sequence and UIDNEXT. */
static void
put_highest(struct maildir *md, struct buf *b)
{
	const struct index_times t = { .uidnext = md->uidnext };

	put_times(md, b, &t);
	md->history.times = t;
}

/* Something was lost.  What has been found to be missing is not to be found
 * again: the UIDs so far are known of. */
static void
put_raised(struct maildir *md, struct buf *b, uint64_t modseq)
{
	size_t at = journal_begin(b);

	journal_end(b, at, &md->history.journal, JOURNAL_RAISED, modseq);
	put_highest(md, b);
}

/* ---- what is not on record --------------------------------------------- */

static bool
has_unrecorded(const struct history *h)
{
	return h->changed.n > 0 || h->left.n > 0 || h->words != 0 ||
	    h->must_raise || h->must_tell || h->must_save || h->must_reload;
}

/* Everything that is not on record has this mod-sequence now; and if something
 * was lost, everything that it may have been about. */
static void
give_modseq(struct maildir *md, uint64_t modseq)
{
	struct history *h = &md->history;

	if (h->must_raise)
		picture_raise(&md->pic, modseq);
	for (size_t i = 0; i < h->changed.n; i++) {
		struct msg *m = picture_find(&md->pic, h->changed.v[i]);

		if (m != NULL && m->state & MSG_UNRECORDED)
			picture_put(&md->pic, PICTURE_MODSEQ, m, modseq);
	}
}

static void
all_recorded(struct maildir *md, uint64_t modseq)
{
	struct history *h = &md->history;

	for (size_t i = 0; i < h->changed.n; i++) {
		struct msg *m = picture_find(&md->pic, h->changed.v[i]);

		if (m != NULL)
			msg_clear(m, MSG_UNRECORDED);
	}
	for (size_t i = 0; i < h->left.n; i++) {
		struct gone g = { h->left.v[i], modseq };

		VEC_PUSH(&h->gone, g);
	}
	if (h->must_raise)
		h->floor = modseq;
	VEC_DONE(&h->changed);
	VEC_DONE(&h->left);
	h->words = 0;
	h->has_fresh = false;
	h->must_raise = h->must_tell = false;
}

/* The mailbox as it can be had without writing: a mod-sequence that all
 * sessions agree on as long as nothing changes. */
static void
without_record(struct maildir *md)
{
	struct history *h = &md->history;
	uint64_t ns = md->cur_time.ns > md->new_time.ns ? md->cur_time.ns :
	    md->new_time.ns;

	if (h->changed.n == 0 && h->left.n == 0 && h->highest > 0)
		return;
	h->highest = ns / 1000 > h->highest ? ns / 1000 : h->highest + 1;
	give_modseq(md, h->highest);
	all_recorded(md, h->highest);	/* as far as this session can */
}

static bool
is_journal_long(const struct history *h)
{
	return h->journal.off > COMPACT_MIN &&
	    h->journal.off > h->index_size / 2;
}

/* ---- times --------------------------------------------------------------- */

static bool
is_times_same(const struct index_times *a, const struct index_times *b)
{
	return a->cur == b->cur && a->new == b->new && a->dev == b->dev &&
	    a->ino == b->ino && a->size == b->size && a->ctime == b->ctime &&
	    a->uidnext == b->uidnext;
}

int
history_times(const struct maildir *md, struct index_times *ret)
{
	struct dirtime cur, new, list;
	struct stat st;
	int r;

	if ((r = dirtime_get(md->box.cur, &cur)) != 0 ||
	    (r = dirtime_get(md->box.new, &new)) != 0)
		return r;
	if (md->ul.fd < 0 || dirtime_get(md->ul.fd, &list) != 0 ||
	    fstatat(md->box.control, UIDLIST_FILE, &st,
	    AT_SYMLINK_NOFOLLOW) != 0 || st.st_dev != md->ul.dev ||
	    st.st_ino != md->ul.ino ||
	    (uint64_t)st.st_size != md->ul.size)
		return ERR_GONE;
	*ret = (struct index_times){ cur.ns, new.ns, (uint64_t)st.st_dev,
	    (uint64_t)st.st_ino, md->ul.size, list.ns, md->uidnext };
	return cur.is_young || new.is_young ? ERR_BUSY : 0;
}

/* Is the picture certainly that of the directories as they are now? */
static bool
is_complete(struct maildir *md, const struct index_times *t)
{
	struct dirtime cur, new;

	if (md->watch.fd >= 0 && md->was_watched)
		return is_refresh_quiet(md);
	cur = md->cur_time;
	new = md->new_time;
	return !cur.is_young && !new.is_young && cur.ns == t->cur &&
	    new.ns == t->new;
}

static int
save(struct maildir *md)
{
	struct history *h = &md->history;
	uint64_t modseq;
	struct index_times t;
	int r;

	/* First, for it may turn out that they are lost. */
	history_keep_gone(md, &md->pic);
	modseq = h->highest;
	if (h->changed.n > 0 || h->left.n > 0 || h->must_raise ||
	    h->must_tell || h->highest == 0)
		modseq = history_next(h);
	give_modseq(md, modseq);
	if (history_times(md, &t) != 0 || md->has_twins ||
	    !is_complete(md, &t))
		t = (struct index_times){ .uidnext = md->uidnext };
	r = index_save(md, modseq, &t);
	if (r != 0)
		return r;
	h->must_save = false;
	h->is_torn = false;
	h->times = t;
	all_recorded(md, modseq);
	if (md->pic.file.fd >= 0 &&
	    md->pic.file.h.generation == h->journal.generation) {
		/* They are in the index, and will be asked for there. */
		VEC_DONE(&h->gone);
		h->has_older_gone = true;
	}
	return 0;
}

/* Under the lock, with the journal's end resolved. */
static int
write_record(struct maildir *md)
{
	struct history *h = &md->history;
	uint64_t modseq, before = h->highest;
	struct buf b;
	int r;

	if ((h->must_save || h->journal.fd < 0 || is_journal_long(h) ||
	    (h->changed.n > MANY && h->changed.n > md->pic.msgs.n / 2)) &&
	    !is_history_partial(h))
		return save(md);
	if (h->journal.fd < 0 || h->must_save)
		return ERR_UNAVAIL;	/* not by this session */
	modseq = history_next(h);
	buf_init(&b, JOURNAL_MAX);
	if (h->must_raise)
		put_raised(md, &b, modseq);
	else if (h->must_tell)
		put_highest(md, &b);
	if (h->changed.n > 0)
		put_messages(md, &b, modseq);
	put_words(md, &b, modseq);
	if (h->left.n > 0)
		put_left(md, &b, modseq);
	r = buf_err(&b);
	if (r == 0)
		r = journal_append(&h->journal, buf_span(&b));
	buf_done(&b);
	if (r != 0) {
		h->highest = before;
		return r;
	}
	give_modseq(md, modseq);
	all_recorded(md, modseq);
	/* They prove nothing until history_rest(). */
	h->times.cur = h->times.new = 0;
	return 0;
}

static bool
can_write(const struct maildir *md)
{
	return !md->is_memory_only;
}

static int
take_lock(struct maildir *md, struct lock *lk)
{
	uint64_t ms = md->store->conf.lock_ms;

	return box_lock_for(&md->box, md->store,
	    ms < RECORD_WAIT_MS ? ms : RECORD_WAIT_MS, lk);
}

void
history_record(struct maildir *md, struct lock *held)
{
	struct history *h = &md->history;
	struct lock lk = LOCK_NONE;
	int r = 0;

	if (!has_unrecorded(h) && !h->is_torn)
		return;
	h->is_restless = true;
	if (!can_write(md)) {
		without_record(md);
		return;
	}
	if (held == NULL)
		r = take_lock(md, &lk);
	if (r == 0) {
		history_fetch(md);
		history_resolve(md);
		/* Nobody writes now: what is torn stays torn. */
		if (h->is_torn && !h->must_raise) {
			h->must_raise = true;
			md_note(md, JOURNAL_FILE, err_text(ERR_CORRUPT));
		}
		r = lock_check(held != NULL ? held : &lk);
		if (r == 0 && has_unrecorded(h))
			r = write_record(md);
	}
	lock_drop(&lk);
	/* It will be tried again, with each look; no need for a higher one each
	 * time. */
	if (r != 0 && (h->has_fresh || h->highest == 0)) {
		give_modseq(md, history_next(h));
		h->has_fresh = false;
	}
}

/* ---- at rest ------------------------------------------------------------ */

void
history_rest(struct maildir *md)
{
	struct history *h = &md->history;
	struct index_times t, after;
	struct lock lk;
	struct buf b;

	if (!h->is_restless || !can_write(md) || is_history_partial(h) ||
	    md->has_twins || h->journal.fd < 0 || has_unrecorded(h) ||
	    history_times(md, &t) != 0)
		return;
	h->is_restless = !is_times_same(&t, &h->times);
	if (!h->is_restless || !is_complete(md, &t) ||
	    take_lock(md, &lk) != 0)
		return;
	history_fetch(md);
	history_resolve(md);
	if (!has_unrecorded(h) && !h->is_torn && !is_history_partial(h) &&
	    lock_check(&lk) == 0 && history_times(md, &after) == 0 &&
	    is_times_same(&t, &after)) {
		buf_init(&b, 256);
		put_times(md, &b, &t);
		/* Without it the next one reads the directories. */
		if (journal_append(&h->journal, buf_span(&b)) == 0) {
			h->times = t;
			h->is_restless = false;
		}
		buf_done(&b);
	}
	lock_drop(&lk);
}
