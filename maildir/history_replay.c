/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Reading what is on record into the picture of the index, of which it is the
 * continuation.  The bodies of records are described in journal.c; they have a
 * check, and are read as if they had none.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>

#include "base/enc.h"
#include "maildir/index.h"

static struct span
take(struct dec *d, size_t n)
{
	struct span s = span_take(d->rest, n);

	if (s.n < n)
		d->failed = true;
	d->rest = span_skip(d->rest, n);
	return s;
}

int
history_entry(struct dec *d, struct history_entry *ret)
{
	size_t name_n, fields_n;

	if (d->rest.n == 0)
		return 0;
	ret->uid = dec_u32(d);
	ret->is_new = dec_u8(d) != 0;
	name_n = dec_u8(d);
	fields_n = dec_u16(d);
	ret->saved = dec_u32(d);
	ret->name = take(d, name_n);
	ret->fields = take(d, fields_n);
	if (d->failed || ret->uid == 0 || ret->uid > UIDLIST_UID_MAX ||
	    !is_name_usable(ret->name) || has_byte(ret->name, '/') ||
	    name_base(ret->name).n == 0)
		return ERR_CORRUPT;
	return 1;
}

/* ---- also for history_resolve.c ----------------------------------------- */

int
history_word(struct maildir *md, struct span body)
{
	if (body.n < 2)
		return ERR_CORRUPT;
	keywords_set_word(&md->kw, body.p[0], span_skip(body, 1));
	return 0;
}

int
history_set_times(struct history *h, struct span body)
{
	struct dec d = dec_init(body);
	struct index_times t;

	t.cur = dec_u64(&d);
	t.new = dec_u64(&d);
	t.dev = dec_u64(&d);
	t.ino = dec_u64(&d);
	t.size = dec_u64(&d);
	t.ctime = dec_u64(&d);
	t.uidnext = dec_u32(&d);
	if (dec_end(&d) != 0)
		return ERR_CORRUPT;
	h->times = t;
	return 0;
}

void
history_gone(struct history *h, uint32_t uid, uint64_t modseq)
{
	struct gone g = { uid, modseq };

	if (uid != 0)		/* whoever wrote that */
		VEC_PUSH(&h->gone, g);
}

/* Messages came, changed or went since: the times on record prove nothing. */
void
history_drop_times(struct history *h, enum journal_type type)
{
	if (type == JOURNAL_MESSAGES || type == JOURNAL_EXPUNGED ||
	    type == JOURNAL_WORDS_OF)
		h->times.cur = h->times.new = 0;
}

/* ---- replay -------------------------------------------------------------- */

static int
replay_messages(struct maildir *md, struct picture *p, struct span body,
    uint64_t modseq)
{
	struct dec d = dec_init(body);
	struct history_entry e;
	struct msg *m;
	int more, r;

	while ((more = history_entry(&d, &e)) > 0) {
		m = picture_find(p, e.uid);
		if (m != NULL) {
			r = picture_rename(p, m, e.name);
			m->base_len = (uint8_t)name_base(e.name).n;
		} else if (p->msgs.n > 0 &&
		    p->msgs.v[p->msgs.n - 1].uid > e.uid) {
			/* Recorded again by a session that had not seen it go.
			 * The files will tell: no times are on record now. */
			md->history.must_save = true;
			continue;
		} else {
			r = picture_add(p, e.uid, e.name, &m);
			if (r == 0)
				r = picture_set_fields(p, m, e.fields);
		}
		if (r != 0)
			return r;
		msg_clear(m, MSG_NEW | MSG_GONE);
		msg_set(m, e.is_new ? MSG_NEW : 0);
		md_read_flags(md, p, m);
		p->states |= m->state;
		picture_put(p, PICTURE_MODSEQ, m, modseq);
		if (e.saved != 0)
			picture_put(p, PICTURE_SAVED, m, e.saved);
	}
	return more;
}

static int
replay_expunged(struct maildir *md, struct picture *p, struct span body,
    uint64_t modseq)
{
	struct dec d = dec_init(body);

	while (d.rest.n > 0 && !d.failed) {
		uint32_t uid = dec_u32(&d);
		struct msg *m = picture_find(p, uid);

		if (m != NULL) {
			msg_set(m, MSG_GONE);
			p->states |= MSG_GONE;
		}
		history_gone(&md->history, uid, modseq);
	}
	return dec_end(&d) == 0 ? 0 : ERR_CORRUPT;
}

static int
replay_words_of(struct picture *p, struct span body, uint64_t modseq)
{
	struct dec d = dec_init(body);

	while (d.rest.n > 0 && !d.failed) {
		struct msg *m = picture_find(p, dec_u32(&d));
		uint64_t bits = dec_u64(&d) & KEYWORDS_WORDS;

		if (m == NULL || d.failed)
			continue;
		bits |= picture_kw(p, m) & ~KEYWORDS_WORDS;
		picture_put(p, PICTURE_KW, m, bits);
		picture_put(p, PICTURE_MODSEQ, m, modseq);
	}
	return dec_end(&d) == 0 ? 0 : ERR_CORRUPT;
}

static int
replay_one(struct maildir *md, struct picture *p,
    const struct journal_record *rec)
{
	struct history *h = &md->history;

	if (rec->modseq < h->highest || !is_index_modseq(rec->modseq))
		return ERR_CORRUPT;
	h->highest = rec->modseq;
	history_drop_times(h, rec->type);
	switch (rec->type) {
	case JOURNAL_MESSAGES:
		return replay_messages(md, p, rec->body, rec->modseq);
	case JOURNAL_EXPUNGED:
		return replay_expunged(md, p, rec->body, rec->modseq);
	case JOURNAL_WORD:
		return history_word(md, rec->body);
	case JOURNAL_WORDS_OF:
		return replay_words_of(p, rec->body, rec->modseq);
	case JOURNAL_TIMES:
		return history_set_times(h, rec->body);
	case JOURNAL_RAISED:
		h->floor = rec->modseq;
		picture_raise(p, rec->modseq);
		return 0;
	}
	return ERR_CORRUPT;
}

int
history_replay(struct maildir *md, struct picture *p)
{
	struct history *h = &md->history;
	struct span rest = buf_span(&h->tail);
	struct journal_record rec;
	int r = 0;

	if (h->tail.n == 0)
		return 0;
	while (r == 0 && journal_next(&rest, &rec))
		r = replay_one(md, p, &rec);
	buf_done(&h->tail);
	buf_init(&h->tail, JOURNAL_MAX);
	if (p->states & MSG_GONE)
		picture_sweep(p);
	return r;
}

/* ---- fetch --------------------------------------------------------------- */

void
history_lose(struct maildir *md, const char *text)
{
	struct history *h = &md->history;

	journal_close(&h->journal);
	if (text != NULL && !h->must_raise)	/* else it has been told */
		md_note(md, JOURNAL_FILE, text);
	h->must_save = true;
	h->must_raise = true;
	h->strange.n = 0;	/* they are on record no more */
	buf_clear(&h->strange_names);
}

/* The file at the path is another one: read to the end of the old one, then
 * the new one from its beginning, if it continues the old one. */
static void
switch_journal(struct maildir *md)
{
	struct history *h = &md->history;
	struct journal now;
	bool torn;
	int r;

	r = journal_open(md->box.control, &now);
	if (r != 0) {
		history_lose(md, r == ERR_NOENT ? NULL : err_text(r));
		return;
	}
	if (h->journal.fd < 0 || now.previous != h->journal.generation ||
	    journal_read(&h->journal, &h->tail, &torn) != 0) {
		journal_close(&h->journal);
		h->must_reload = true;
	}
	journal_close(&h->journal);
	h->journal = now;
	h->is_torn = false;
	if (!h->must_reload && journal_read(&h->journal, &h->tail,
	    &h->is_torn) != 0)
		history_lose(md, err_text(ERR_CORRUPT));
}

void
history_fetch(struct maildir *md)
{
	struct history *h = &md->history;
	int r;

	if (md->is_memory_only)
		return;
	switch (journal_look(&h->journal, md->box.control)) {
	case JOURNAL_REPLACED:
		switch_journal(md);
		break;
	case JOURNAL_SAME:
		if (!h->is_torn)
			break;
		/* FALLTHROUGH */
	case JOURNAL_GROWN:
		r = journal_read(&h->journal, &h->tail, &h->is_torn);
		if (r != 0)
			history_lose(md, err_text(r));
		break;
	}
}
