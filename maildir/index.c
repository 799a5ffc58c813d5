/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * The record read and written whole.  CRASH STATES: those of indexfile.c and
 * journal.c.  The index is renamed into place before its journal: between the
 * two there is a journal of the generation before, whose records are all in the
 * index.
 */
#include <stdlib.h>

#include "base/enc.h"
#include "base/mem.h"
#include "base/num.h"
#include "maildir/crc32c.h"
#include "maildir/index.h"

#define LOAD_TRIES	4	/* others may replace the record meanwhile */
#define WORDS_MAX	(64u * 1024)
#define SECTION_MAX	UINT32_MAX

/* ---- load ---------------------------------------------------------------- */

/* "number name" LF, as in dovecot-keywords. */
static int
load_words(struct maildir *md, const struct indexfile *f)
{
	size_t n = (size_t)f->section[INDEX_WORDS].n;
	struct span rest;
	uint8_t *text;
	int r;

	if (n == 0)
		return 0;
	if (n > WORDS_MAX)
		return ERR_CORRUPT;
	text = mem_alloc(n);
	r = indexfile_read(f, INDEX_WORDS, text);
	for (rest = span_of(text, n); r == 0 && rest.n > 0;) {
		struct span name = span_split(&rest, '\n');
		struct span number = span_split(&name, ' ');
		uint32_t i;

		r = num_u32(number, 0, KEYWORDS_NUMBERS - 1, &i);
		if (r == 0)
			keywords_set_word(&md->kw, i, name);
	}
	free(text);
	return r == 0 ? 0 : ERR_CORRUPT;
}

enum pair { PAIR_FITS, PAIR_ALONE, PAIR_AGAIN };

/* Does the journal at the path continue this index? */
static enum pair
open_journal(struct maildir *md, const struct indexfile *f, bool is_last)
{
	struct history *h = &md->history;
	const struct index_header *ih = &f->h;
	int r = journal_open(md->box.control, &h->journal);

	if (r == 0 && h->journal.generation == ih->generation)
		r = journal_read(&h->journal, &h->tail, &h->is_torn);
	else if (r == 0 && h->journal.generation != ih->previous && !is_last)
		return PAIR_AGAIN;	/* replaced between the two opens? */
	else if (r == 0 && h->journal.generation == ih->previous) {
		/* Somebody was stopped between the two renames. */
		journal_close(&h->journal);
		h->must_save = true;
		return PAIR_ALONE;
	} else if (r == 0)
		r = ERR_CORRUPT;
	if (r == 0)
		return PAIR_FITS;
	md_note(md, JOURNAL_FILE, err_text(r));
	journal_close(&h->journal);
	h->must_save = h->must_raise = true;
	return PAIR_ALONE;
}

static void
forget(struct maildir *md)
{
	struct history *h = &md->history;

	journal_close(&h->journal);
	buf_clear(&h->tail);
	h->is_torn = h->has_older_gone = h->must_save = h->must_raise = false;
	h->times = (struct index_times){ .uidnext = 0 };
	VEC_DONE(&h->gone);
}

static int
load(struct maildir *md, bool is_last, struct picture *ret,
    enum pair *ret_pair)
{
	struct history *h = &md->history;
	struct indexfile f;
	int r;

	forget(md);
	*ret_pair = PAIR_FITS;
	r = indexfile_open(md->box.control, &f);
	if (r == 0 && f.h.uidvalidity != md->ul.uidvalidity)
		r = ERR_CORRUPT;
	if (r == 0)
		r = load_words(md, &f);
	if (r == 0)
		*ret_pair = open_journal(md, &f, is_last);
	if (r == 0 && *ret_pair != PAIR_AGAIN) {
		if (f.h.highest > h->highest)
			h->highest = f.h.highest;
		h->floor = f.h.floor;
		h->times = f.h.times;
		h->has_older_gone = true;
		h->index_size = f.section[INDEX_BASES].off;
		r = picture_load(ret, &f);
		if (r == 0)
			r = history_replay(md, ret);
	}
	indexfile_close(&f);
	return r;
}

int
index_load(struct maildir *md, struct picture *ret)
{
	struct history *h = &md->history;
	enum pair pair;
	int r = 0;

	for (int i = 0; i < LOAD_TRIES; i++) {
		picture_init(ret);
		r = load(md, i + 1 == LOAD_TRIES, ret, &pair);
		if (r == 0 && pair != PAIR_AGAIN) {
			h->is_noted = false;
			return 0;
		}
		picture_done(ret);
		if (r != 0)
			break;
	}
	picture_init(ret);
	forget(md);
	h->must_save = true;
	if (r != ERR_NOENT) {
		/* It is tried again under the lock. */
		if (!h->is_noted)
			md_note(md, INDEX_FILE, err_text(r));
		h->is_noted = h->must_raise = true;
	}
	return ERR_NOENT;
}

uint32_t
index_uidnext(const struct maildir *md, const struct picture *p)
{
	const struct history *h = &md->history;
	uint32_t uid = h->times.uidnext;

	if (p->msgs.n > 0 && p->msgs.v[p->msgs.n - 1].uid >= uid)
		uid = p->msgs.v[p->msgs.n - 1].uid + 1;
	for (size_t i = 0; i < h->gone.n; i++)
		if (h->gone.v[i].uid >= uid)
			uid = h->gone.v[i].uid + 1;
	return uid;
}

/* ---- save ---------------------------------------------------------------- */

struct save {
	struct maildir *md;
	struct buf messages, column[PICTURE_COLUMNS], fields, gone, words,
	    names;
	struct span bases;
	uint32_t *name;			/* offsets */
	struct index_header h;
};

static void
save_done(struct save *s)
{
	buf_done(&s->messages);
	for (int c = 0; c < PICTURE_COLUMNS; c++)
		buf_done(&s->column[c]);
	buf_done(&s->fields);
	buf_done(&s->gone);
	buf_done(&s->words);
	buf_done(&s->names);
	free((void *)(uintptr_t)s->bases.p);
	free(s->name);
}

static void
put_message(struct save *s, size_t i, uint32_t *hash, uint32_t *uid)
{
	const struct picture *p = &s->md->pic;
	const struct msg *m = &p->msgs.v[i];
	struct namebuf nb;
	struct span name = picture_name(p, m, &nb);

	s->name[i] = (uint32_t)s->names.n;
	enc_u32(&s->messages, m->uid);
	enc_u32(&s->messages, s->name[i]);
	enc_u8(&s->messages, m->base_len);
	enc_u8(&s->messages, m->name_len);
	enc_u16(&s->messages, m->state & MSG_KEPT);
	buf_put_span(&s->names, name);
	enc_u32(&s->names, crc32c(0, name.p, name.n));
	*hash = name_hash(span_take(name, m->base_len));
	*uid = m->uid;
}

static void
put_fields(struct save *s)
{
	const struct picture *p = &s->md->pic;

	for (size_t i = 0; i < p->msgs.n; i++) {
		struct span f = picture_fields(p, &p->msgs.v[i]);

		if (!(p->msgs.v[i].state & MSG_FIELDS))
			continue;
		enc_u32(&s->fields, p->msgs.v[i].uid);
		enc_u32(&s->fields, (uint32_t)s->names.n);
		enc_u32(&s->fields, (uint32_t)f.n);
		buf_put_span(&s->names, f);
	}
}

/* A column, if not all messages have the same; for mod-sequences, the one that
 * all have is the header's. */
static void
put_column(struct save *s, enum picture_column c)
{
	const struct picture *p = &s->md->pic;
	uint64_t none = c == PICTURE_MODSEQ && p->msgs.n > 0 ?
	    picture_get(p, c, &p->msgs.v[0]) : 0;
	bool is_plain = true;

	if (c == PICTURE_MODSEQ)
		s->h.common = p->msgs.n > 0 ? none : s->h.highest;
	for (size_t i = 0; is_plain && i < p->msgs.n; i++)
		is_plain = picture_get(p, c, &p->msgs.v[i]) == none;
	for (size_t i = 0; !is_plain && i < p->msgs.n; i++)
		enc_u64(&s->column[c], picture_get(p, c, &p->msgs.v[i]));
}

static void
put_words(struct save *s)
{
	char *const *name = s->md->kw.name;

	for (size_t i = KEYWORDS_PASSED + 1; i < KEYWORDS_NUMBERS; i++) {
		if (name[i] == NULL)
			continue;
		buf_put_u64(&s->words, i);
		buf_putc(&s->words, ' ');
		buf_puts(&s->words, name[i]);
		buf_putc(&s->words, '\n');
	}
}

/* The last HISTORY_GONE_MAX of those that are gone. */
static void
put_gone(struct save *s, uint64_t modseq)
{
	struct history *h = &s->md->history;
	size_t n, skip;

	history_keep_gone(s->md, &s->md->pic);
	n = h->gone.n + h->left.n;
	skip = n > HISTORY_GONE_MAX ? n - HISTORY_GONE_MAX : 0;
	for (size_t i = 0; i < n; i++) {
		struct gone g = { 0, modseq };

		if (i < h->gone.n)
			g = h->gone.v[i];
		else
			g.uid = h->left.v[i - h->gone.n];
		if (i < skip) {
			s->h.floor = g.modseq;
			continue;
		}
		enc_u32(&s->gone, g.uid);
		enc_u64(&s->gone, g.modseq);
	}
}

static void
put_all(struct save *s, uint64_t modseq)
{
	struct picture *p = &s->md->pic;
	size_t n = p->msgs.n;
	uint32_t *hash = mem_resize(NULL, n + 1, sizeof(*hash));
	uint32_t *uid = mem_resize(NULL, n + 1, sizeof(*uid));

	s->name = mem_resize(NULL, n + 1, sizeof(*s->name));
	for (size_t i = 0; i < n; i++)
		put_message(s, i, &hash[i], &uid[i]);
	put_fields(s);
	for (int c = 0; c < PICTURE_COLUMNS; c++)
		put_column(s, (enum picture_column)c);
	put_gone(s, modseq);
	put_words(s);
	s->bases = indexfile_bases(hash, uid, n);
	free(hash);
	free(uid);
}

static int
write_files(struct save *s)
{
	struct maildir *md = s->md;
	struct history *h = &md->history;
	struct index_header continued = s->h;
	struct journal j;
	const struct span sections[INDEX_SECTIONS] = {
		[INDEX_MESSAGES] = buf_span(&s->messages),
		[INDEX_MODSEQS] = buf_span(&s->column[PICTURE_MODSEQ]),
		[INDEX_KEYWORDS] = buf_span(&s->column[PICTURE_KW]),
		[INDEX_SAVED] = buf_span(&s->column[PICTURE_SAVED]),
		[INDEX_FIELDS] = buf_span(&s->fields),
		[INDEX_GONE] = buf_span(&s->gone),
		[INDEX_WORDS] = buf_span(&s->words),
		[INDEX_NAMES] = buf_span(&s->names),
		[INDEX_BASES] = s->bases
	};
	int r;

	/* A first index has no history that a power cut could take. */
	r = indexfile_write(md->box.control, md->box.file_mode, &s->h,
	    sections, md->store->conf.fsync && s->h.previous != 0);
	/* What is in the index and in no journal, other sessions learn only by
	 * reading the index. */
	if (h->changed.n > 0 || h->left.n > 0 || h->words != 0 ||
	    h->must_raise || h->must_tell)
		continued.previous = 0;
	if (r == 0)
		r = journal_create(md->box.control, md->box.file_mode,
		    &continued, &j);
	if (r != 0)
		return r;
	journal_close(&h->journal);
	h->journal = j;
	h->index_size = s->messages.n + s->names.n;
	h->floor = s->h.floor;
	h->is_noted = false;
	return 0;
}

static int
check_buffers(const struct save *s)
{
	int r = buf_err(&s->messages);

	for (int c = 0; r == 0 && c < PICTURE_COLUMNS; c++)
		r = buf_err(&s->column[c]);
	if (r != 0 || (r = buf_err(&s->fields)) != 0 ||
	    (r = buf_err(&s->gone)) != 0 || (r = buf_err(&s->words)) != 0)
		return r;
	return buf_err(&s->names);
}

static void
start_header(struct save *s, const struct index_times *times)
{
	const struct maildir *md = s->md;
	const struct history *h = &md->history;

	s->h.generation = unique_bits(&md->store->unique) | 1;
	s->h.previous = h->journal.fd >= 0 ? h->journal.generation :
	    md->pic.file.fd >= 0 ? md->pic.file.h.generation : 0;
	s->h.highest = h->highest;
	s->h.floor = h->floor;
	s->h.times = *times;
	s->h.uidvalidity = md->ul.uidvalidity;
	s->h.count = (uint32_t)md->pic.msgs.n;
}

int
index_save(struct maildir *md, uint64_t modseq,
    const struct index_times *times)
{
	struct save s = { .md = md };
	struct indexfile f;
	int r;

	r = picture_load_all(&md->pic);
	if (r != 0)
		return r;
	buf_init(&s.messages, SECTION_MAX);
	for (int c = 0; c < PICTURE_COLUMNS; c++)
		buf_init(&s.column[c], SECTION_MAX);
	buf_init(&s.fields, SECTION_MAX);
	buf_init(&s.gone, SECTION_MAX);
	buf_init(&s.words, WORDS_MAX);
	buf_init(&s.names, SECTION_MAX);
	start_header(&s, times);
	if (md->history.must_raise)
		s.h.floor = modseq;
	put_all(&s, modseq);
	r = check_buffers(&s);
	if (r == 0)
		r = write_files(&s);
	/* Ours by the lock.  If it cannot be opened, the picture stays in
	 * memory. */
	if (r == 0 && indexfile_open(md->box.control, &f) == 0)
		picture_adopt(&md->pic, &f, s.name);
	save_done(&s);
	return r;
}
