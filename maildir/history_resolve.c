/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * What others have put on record, beside a picture that comes from the files
 * and is at least as new: where the two differ the picture is right, and that
 * is put on record.  Only keywords without letters are nowhere but on record.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>

#include "maildir/index.h"

/* On record, and not in the picture.  It will be seen by the next look, or has
 * a file and is a message that this session cannot show. */
static bool
is_arrival(const struct maildir *md, const struct history_entry *e)
{
	char name[NAME_FILE_MAX + 1] = "";
	struct stat st;

	if (e->uid >= md->uidnext)
		return true;
	memcpy(name, e->name.p, e->name.n);
	return fstatat(e->is_new ? md->box.new : md->box.cur, name, &st,
	    AT_SYMLINK_NOFOLLOW) == 0;
}

static void
add_strange(struct history *h, const struct history_entry *e, uint64_t modseq,
    uint64_t words)
{
	struct strange s = {
		e->uid, e->saved, modseq, words, (uint32_t)h->strange_names.n,
		(uint8_t)e->name.n, e->is_new
	};

	buf_put_span(&h->strange_names, e->name);
	if (buf_err(&h->strange_names) != 0)
		h->is_partial = true;
	else
		VEC_PUSH(&h->strange, s);
}

/* The record is all there is of these: it is right. */
static void
resolve_words(struct maildir *md, struct msg *m, uint64_t bits,
    uint64_t modseq)
{
	struct picture *p = &md->pic;
	uint64_t was = picture_kw(p, m);

	bits |= was & ~KEYWORDS_WORDS;
	if (bits != was) {
		picture_put(p, PICTURE_KW, m, bits);
		md_news(md, m->uid, MAILDIR_CHANGED);
	}
	if (modseq > picture_get(p, PICTURE_MODSEQ, m))
		picture_put(p, PICTURE_MODSEQ, m, modseq);
}

/* The picture shows a message as the record has it, or newer. */
static void
resolve_message(struct maildir *md, const struct history_entry *e,
    uint64_t modseq)
{
	struct picture *p = &md->pic;
	struct msg *m = picture_find(p, e->uid);
	struct namebuf nb;

	if (m == NULL) {
		if (is_arrival(md, e))
			add_strange(&md->history, e, modseq, 0);
		else
			history_left(md, e->uid);
		return;
	}
	if (modseq > picture_get(p, PICTURE_MODSEQ, m))
		picture_put(p, PICTURE_MODSEQ, m, modseq);
	if (e->saved != 0)
		picture_put(p, PICTURE_SAVED, m, e->saved);
	if (is_span_eq(picture_name(p, m, &nb), e->name) &&
	    e->is_new == ((m->state & MSG_NEW) != 0))
		msg_clear(m, MSG_UNRECORDED);
	else
		history_changed(md, m);
}

/* Those that have been found since; and what has been looked for, and has no
 * file, was recorded by a session that had not seen it go. */
static void
resolve_strange(struct maildir *md)
{
	struct history *h = &md->history;
	size_t n = 0;

	for (size_t i = 0; i < h->strange.n; i++) {
		const struct strange s = h->strange.v[i];
		const struct history_entry e = {
			.uid = s.uid, .is_new = s.is_new, .saved = s.saved,
			.name = span_of(h->strange_names.p + s.name,
			    s.name_len)
		};
		struct msg *m = picture_find(&md->pic, s.uid);

		if (m == NULL) {
			if (is_arrival(md, &e))
				h->strange.v[n++] = s;
			else
				history_left(md, s.uid);
			continue;
		}
		resolve_message(md, &e, s.modseq);
		if (s.words != 0)
			resolve_words(md, m, s.words, s.modseq);
	}
	h->strange.n = n;
	if (n == 0)
		buf_clear(&h->strange_names);
}

static int
resolve_messages(struct maildir *md, struct span body, uint64_t modseq)
{
	struct dec d = dec_init(body);
	struct history_entry e;
	int more;

	while ((more = history_entry(&d, &e)) > 0)
		resolve_message(md, &e, modseq);
	return more;
}

static int
resolve_expunged(struct maildir *md, struct span body, uint64_t modseq)
{
	struct history *h = &md->history;
	struct dec d = dec_init(body);

	while (d.rest.n > 0 && !d.failed) {
		uint32_t uid = dec_u32(&d);
		struct msg *m = picture_find(&md->pic, uid);

		if (m != NULL)
			history_changed(md, m);	/* it is there again */
		history_gone(h, uid, modseq);
	}
	return dec_end(&d) == 0 ? 0 : ERR_CORRUPT;
}

static int
uid_cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static bool
has_uid(const uint32_t *v, size_t n, uint32_t uid)
{
	return bsearch(&uid, v, n, sizeof(*v), uid_cmp) != NULL;
}

/* What others have put on record as gone, from number first on, need not be
 * recorded by us, and is no riddle. */
static void
drop_gone(struct history *h, size_t first)
{
	VEC(uint32_t) uids = VEC_INIT;
	size_t left = 0, strange = 0;

	if (h->gone.n == first || (h->left.n == 0 && h->strange.n == 0))
		return;
	for (size_t i = first; i < h->gone.n; i++)
		VEC_PUSH(&uids, h->gone.v[i].uid);
	qsort(uids.v, uids.n, sizeof(*uids.v), uid_cmp);
	for (size_t i = 0; i < h->left.n; i++)
		if (!has_uid(uids.v, uids.n, h->left.v[i]))
			h->left.v[left++] = h->left.v[i];
	h->left.n = left;
	for (size_t i = 0; i < h->strange.n; i++)
		if (!has_uid(uids.v, uids.n, h->strange.v[i].uid))
			h->strange.v[strange++] = h->strange.v[i];
	h->strange.n = strange;
	VEC_DONE(&uids);
}

static int
resolve_words_of(struct maildir *md, struct span body, uint64_t modseq)
{
	struct history *h = &md->history;
	struct dec d = dec_init(body);

	while (d.rest.n > 0 && !d.failed) {
		uint32_t uid = dec_u32(&d);
		struct msg *m = picture_find(&md->pic, uid);
		uint64_t bits = dec_u64(&d) & KEYWORDS_WORDS;

		if (d.failed)
			break;
		if (m != NULL)
			resolve_words(md, m, bits, modseq);
		/* The last of them counts, and takes effect last. */
		for (size_t i = h->strange.n; m == NULL && i > 0; i--)
			if (h->strange.v[i - 1].uid == uid) {
				h->strange.v[i - 1].words = bits;
				break;
			}
	}
	return dec_end(&d) == 0 ? 0 : ERR_CORRUPT;
}

static int
resolve_one(struct maildir *md, const struct journal_record *rec)
{
	struct history *h = &md->history;

	if (!is_index_modseq(rec->modseq))
		return ERR_CORRUPT;
	if (rec->modseq > h->highest)
		h->highest = rec->modseq;
	history_drop_times(h, rec->type);
	switch (rec->type) {
	case JOURNAL_MESSAGES:
		return resolve_messages(md, rec->body, rec->modseq);
	case JOURNAL_EXPUNGED:
		return resolve_expunged(md, rec->body, rec->modseq);
	case JOURNAL_WORD:
		return history_word(md, rec->body);
	case JOURNAL_WORDS_OF:
		return resolve_words_of(md, rec->body, rec->modseq);
	case JOURNAL_TIMES:
		return history_set_times(h, rec->body);
	case JOURNAL_RAISED:
		h->floor = rec->modseq;
		picture_raise(&md->pic, rec->modseq);
		for (size_t i = 0; i < h->strange.n; i++)
			h->strange.v[i].modseq = rec->modseq;
		return 0;
	}
	return ERR_CORRUPT;
}

/* UIDs of messages that are on record again leave the list of changes. */
static void
drop_recorded(struct maildir *md)
{
	struct history *h = &md->history;
	size_t n = 0;

	for (size_t i = 0; i < h->changed.n; i++) {
		struct msg *m = picture_find(&md->pic, h->changed.v[i]);

		if (m != NULL && m->state & MSG_UNRECORDED)
			h->changed.v[n++] = h->changed.v[i];
	}
	h->changed.n = n;
}

/* Keywords without letters are on record and nowhere else. */
static void
reload_words(struct maildir *md, const struct msg *m, uint64_t words)
{
	uint64_t was = picture_kw(&md->pic, m);

	if ((was & KEYWORDS_WORDS) == words)
		return;
	picture_put(&md->pic, PICTURE_KW, m, (was & ~KEYWORDS_WORDS) | words);
	md_news(md, m->uid, MAILDIR_CHANGED);
}

/*
 * The record was replaced more than once since it was last read, or made anew
 * by somebody who did not have it: what it says now counts, message by message.
 */
static void
reload(struct maildir *md)
{
	struct history *h = &md->history;
	struct picture p;

	h->must_reload = false;
	keywords_forget_words(&md->kw);	/* numbers may have been given anew */
	if (index_load(md, &p) != 0) {
		history_lose(md, NULL);
		return;
	}
	for (size_t i = 0; i < md->pic.msgs.n; i++) {
		struct msg *m = &md->pic.msgs.v[i];
		struct msg *o = picture_find(&p, m->uid);
		struct namebuf mb, ob;

		if (o == NULL) {
			history_changed(md, m);
			continue;
		}
		picture_put(&md->pic, PICTURE_MODSEQ, m,
		    picture_get(&p, PICTURE_MODSEQ, o));
		reload_words(md, m, picture_kw(&p, o) & KEYWORDS_WORDS);
		if ((m->state & MSG_NEW) == (o->state & MSG_NEW) &&
		    is_span_eq(picture_name(&md->pic, m, &mb),
		    picture_name(&p, o, &ob)))
			msg_clear(m, MSG_UNRECORDED);
		else
			history_changed(md, m);
	}
	h->strange.n = 0;
	buf_clear(&h->strange_names);
	for (size_t i = 0; i < p.msgs.n; i++) {
		const struct msg *o = &p.msgs.v[i];
		struct namebuf nb;
		const struct history_entry e = {
			.uid = o->uid, .is_new = (o->state & MSG_NEW) != 0,
			.saved = (uint32_t)picture_get(&p, PICTURE_SAVED, o),
			.name = picture_name(&p, o, &nb)
		};

		if (picture_find(&md->pic, o->uid) == NULL)
			add_strange(h, &e, picture_get(&p, PICTURE_MODSEQ, o),
			    picture_kw(&p, o) & KEYWORDS_WORDS);
	}
	history_keep_gone(md, &p);
	picture_done(&p);
}

void
history_resolve(struct maildir *md)
{
	struct history *h = &md->history;
	struct span rest = buf_span(&h->tail);
	struct journal_record rec;
	size_t first = h->gone.n;
	int r = 0;

	if (h->must_reload) {
		buf_clear(&h->tail);
		reload(md);
		drop_recorded(md);
		return;
	}
	resolve_strange(md);
	if (h->tail.n == 0) {
		drop_recorded(md);
		return;
	}
	while (r == 0 && journal_next(&rest, &rec))
		r = resolve_one(md, &rec);
	if (r != 0)
		history_lose(md, err_text(r));
	drop_gone(h, first);
	buf_done(&h->tail);
	buf_init(&h->tail, JOURNAL_MAX);
	drop_recorded(md);
}
