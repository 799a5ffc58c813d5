/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * imapd.index and imapd.journal as text.  What is in them is printed as it is,
 * also where it contradicts something else; only what has a check that fails is
 * left out, and named.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/enc.h"
#include "base/mem.h"
#include "base/num.h"
#include "maildir/check.h"
#include "maildir/history.h"
#include "maildir/keywords.h"
#include "maildir/name.h"
#include "maildir/store.h"
#include "maildir/uidlist.h"

#define LINE_BYTES	8192u
#define WORD_BYTES	256u
#define GONE_SIZE	12u

struct dump {
	void (*put)(void *arg, const char *line);
	void *arg;
	int control;
	struct keywords kw;
	struct buf line;
};

static void add(struct dump *d, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
add(struct dump *d, const char *format, ...)
{
	char text[WORD_BYTES];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	buf_puts(&d->line, text);
}

/* Names of files and keywords: others choose them. */
static void
add_name(struct dump *d, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < ' ' || s.p[i] == 0x7f || s.p[i] == '\\')
			add(d, "\\x%02x", s.p[i]);
		else
			buf_putc(&d->line, s.p[i]);
	}
}

static void
end(struct dump *d)
{
	const char *text = buf_cstr(&d->line);

	d->put(d->arg, text != NULL ? text : "(too long)");
	buf_clear(&d->line);
}

static void
add_flags(struct dump *d, unsigned state)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
		{ MAILDIR_DRAFT, "\\Draft" }, { MAILDIR_FLAGGED, "\\Flagged" },
		{ MAILDIR_ANSWERED, "\\Answered" }, { MAILDIR_SEEN, "\\Seen" },
		{ MAILDIR_DELETED, "\\Deleted" }, { MSG_PASSED, "P" },
		{ MSG_NEW, "new" }
	};
	bool is_first = true;

	add(d, " flags=(");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!(state & names[i].bit))
			continue;
		add(d, "%s%s", is_first ? "" : " ", names[i].name);
		is_first = false;
	}
	add(d, ")");
}

static void
add_keywords(struct dump *d, uint64_t bits)
{
	bool is_first = true;

	add(d, " keywords=(");
	for (unsigned i = 0; i < KEYWORDS_NUMBERS; i++) {
		if (!(bits & UINT64_C(1) << i))
			continue;
		add(d, "%s", is_first ? "" : " ");
		is_first = false;
		if (d->kw.name[i] != NULL)
			add_name(d, span_str(d->kw.name[i]));
		else
			add(d, "%u", i);
	}
	add(d, ")");
}

static void
put_times(struct dump *d, const struct index_times *t)
{
	add(d, "times cur=%llu new=%llu uidlist-dev=%llu uidlist-ino=%llu",
	    (unsigned long long)t->cur, (unsigned long long)t->new,
	    (unsigned long long)t->dev, (unsigned long long)t->ino);
	add(d, " uidlist-size=%llu uidlist-ctime=%llu uidnext=%lu",
	    (unsigned long long)t->size, (unsigned long long)t->ctime,
	    (unsigned long)t->uidnext);
}

/* ---- the index ------------------------------------------------------- */

static void
dump_header(struct dump *d, const struct index_header *h)
{
	add(d, "index generation=%016llx previous=%016llx uidvalidity=%lu",
	    (unsigned long long)h->generation, (unsigned long long)h->previous,
	    (unsigned long)h->uidvalidity);
	add(d, " highest=%llu floor=%llu common=%llu messages=%lu",
	    (unsigned long long)h->highest, (unsigned long long)h->floor,
	    (unsigned long long)h->common, (unsigned long)h->count);
	end(d);
	put_times(d, &h->times);
	end(d);
}

static void
dump_messages(struct dump *d, const struct picture *p)
{
	struct namebuf nb;

	for (size_t i = 0; i < p->msgs.n; i++) {
		const struct msg *m = &p->msgs.v[i];
		struct span fields = picture_fields(p, m);

		add(d, "message uid=%lu modseq=%llu", (unsigned long)m->uid,
		    (unsigned long long)picture_get(p, PICTURE_MODSEQ, m));
		add_flags(d, m->state);
		add_keywords(d, picture_kw(p, m));
		add(d, " saved=%llu name=", (unsigned long long)
		    picture_get(p, PICTURE_SAVED, m));
		add_name(d, picture_name(p, m, &nb));
		if (fields.n > 0) {
			add(d, " fields=");
			add_name(d, fields);
		}
		end(d);
	}
}

/* A section of text or of entries, or NULL. */
static uint8_t *
get_section(struct dump *d, const struct indexfile *f, enum index_section s)
{
	size_t n = (size_t)f->section[s].n;
	uint8_t *p = mem_alloc(n + 1);

	if (indexfile_read(f, s, p) == 0)
		return p;
	add(d, "damaged section=%s", s == INDEX_GONE ? "gone" : "words");
	end(d);
	free(p);
	return NULL;
}

static void
dump_gone(struct dump *d, const struct indexfile *f)
{
	uint8_t *text = get_section(d, f, INDEX_GONE);
	struct dec dec;

	if (text == NULL)
		return;
	dec = dec_init(span_of(text, (size_t)f->section[INDEX_GONE].n));
	while (dec.rest.n >= GONE_SIZE) {
		uint32_t uid = dec_u32(&dec);

		add(d, "gone uid=%lu modseq=%llu", (unsigned long)uid,
		    (unsigned long long)dec_u64(&dec));
		end(d);
	}
	free(text);
}

static void
dump_words(struct dump *d, const struct indexfile *f)
{
	uint8_t *text = get_section(d, f, INDEX_WORDS);
	struct span rest;

	if (text == NULL)
		return;
	rest = span_of(text, (size_t)f->section[INDEX_WORDS].n);
	while (rest.n > 0) {
		struct span name = span_split(&rest, '\n');
		struct span number = span_split(&name, ' ');
		uint32_t i;

		if (num_u32(number, 0, KEYWORDS_NUMBERS - 1, &i) == 0)
			keywords_set_word(&d->kw, i, name);
		add(d, "word number=");
		add_name(d, number);
		add(d, " name=");
		add_name(d, name);
		end(d);
	}
	free(text);
}

static int
dump_index(struct dump *d)
{
	struct indexfile f;
	struct picture p;
	int r = indexfile_open(d->control, &f);

	if (r != 0)
		return r;
	dump_header(d, &f.h);
	dump_words(d, &f);
	dump_gone(d, &f);
	picture_init(&p);
	if (picture_load(&p, &f) != 0) {
		add(d, "damaged section=messages");
		end(d);
	} else {
		if (picture_load_all(&p) != 0) {
			add(d, "damaged section=other");
			end(d);
		}
		dump_messages(d, &p);
	}
	picture_done(&p);
	return 0;
}

/* ---- the journal ----------------------------------------------------- */

static void
dump_entries(struct dump *d, struct span body, const char *modseq)
{
	struct dec dec = dec_init(body);
	struct history_entry e;
	int more;

	while ((more = history_entry(&dec, &e)) > 0) {
		add(d, "journal messages modseq=%s uid=%lu dir=%s saved=%lu"
		    " name=", modseq, (unsigned long)e.uid,
		    e.is_new ? "new" : "cur", (unsigned long)e.saved);
		add_name(d, e.name);
		if (e.fields.n > 0) {
			add(d, " fields=");
			add_name(d, e.fields);
		}
		end(d);
	}
	if (more < 0) {
		add(d, "damaged journal messages modseq=%s", modseq);
		end(d);
	}
}

static void
dump_words_of(struct dump *d, struct dec dec, const char *modseq)
{
	while (dec.rest.n > 0 && !dec.failed) {
		uint32_t uid = dec_u32(&dec);

		add(d, "journal words-of modseq=%s uid=%lu", modseq,
		    (unsigned long)uid);
		add_keywords(d, dec_u64(&dec));
		end(d);
	}
}

static void
dump_word(struct dump *d, struct span body, const char *modseq)
{
	struct span name = span_skip(body, 1);

	if (body.n < 2)
		return;
	keywords_set_word(&d->kw, body.p[0], name);
	add(d, "journal word modseq=%s number=%u name=", modseq, body.p[0]);
	add_name(d, name);
	end(d);
}

static void
dump_times(struct dump *d, struct dec dec, const char *modseq)
{
	struct index_times t;

	t.cur = dec_u64(&dec);
	t.new = dec_u64(&dec);
	t.dev = dec_u64(&dec);
	t.ino = dec_u64(&dec);
	t.size = dec_u64(&dec);
	t.ctime = dec_u64(&dec);
	t.uidnext = dec_u32(&dec);
	add(d, "journal modseq=%s ", modseq);
	put_times(d, &t);
	end(d);
}

static void
dump_record(struct dump *d, const struct journal_record *rec)
{
	struct dec dec = dec_init(rec->body);
	char modseq[32];

	(void)snprintf(modseq, sizeof(modseq), "%llu",
	    (unsigned long long)rec->modseq);
	switch (rec->type) {
	case JOURNAL_MESSAGES:
		dump_entries(d, rec->body, modseq);
		return;
	case JOURNAL_EXPUNGED:
		while (dec.rest.n >= 4) {
			add(d, "journal expunged modseq=%s uid=%lu", modseq,
			    (unsigned long)dec_u32(&dec));
			end(d);
		}
		return;
	case JOURNAL_WORD:
		dump_word(d, rec->body, modseq);
		return;
	case JOURNAL_WORDS_OF:
		dump_words_of(d, dec, modseq);
		return;
	case JOURNAL_TIMES:
		dump_times(d, dec, modseq);
		return;
	case JOURNAL_RAISED:
		add(d, "journal raised modseq=%s", modseq);
		end(d);
		return;
	}
	add(d, "journal type=%u modseq=%s", (unsigned)rec->type, modseq);
	end(d);
}

static int
dump_journal(struct dump *d)
{
	struct journal j;
	struct journal_record rec;
	struct span rest;
	struct buf b;
	bool is_torn;
	int r = journal_open(d->control, &j);

	if (r != 0)
		return r;
	add(d, "journal generation=%016llx previous=%016llx",
	    (unsigned long long)j.generation, (unsigned long long)j.previous);
	end(d);
	buf_init(&b, JOURNAL_MAX);
	r = journal_read(&j, &b, &is_torn);
	for (rest = buf_span(&b); r == 0 && journal_next(&rest, &rec);)
		dump_record(d, &rec);
	if (r == 0 && is_torn) {
		add(d, "torn from=%llu size=%llu", (unsigned long long)j.off,
		    (unsigned long long)j.size);
		end(d);
	}
	buf_done(&b);
	journal_close(&j);
	return r;
}

int
check_dump(struct maildir_store *store, const struct maildir_path *path,
    void (*put)(void *arg, const char *line), void *arg)
{
	struct dump d = { .put = put, .arg = arg };
	struct box box = { -1, -1, -1, -1, -1, 0, 0, NULL };
	bool changed;
	int r, rj;

	r = box_find(store, path, &box);
	if (r != 0)
		return r;
	d.control = box.control;
	keywords_init(&d.kw);
	buf_init(&d.line, LINE_BYTES);
	r = box.control < 0 ? ERR_NOENT : keywords_load(&d.kw, box.control,
	    &changed);
	if (r == 0)
		r = dump_index(&d);
	if (box.control >= 0) {
		rj = dump_journal(&d);
		r = r != 0 ? r : rj;
	}
	keywords_done(&d.kw);
	buf_done(&d.line);
	box_close(&box);
	return r;
}
