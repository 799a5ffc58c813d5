/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * imapd.index and imapd.journal: what they say by themselves, and what they say
 * against the files.
 *
 * The record may be behind the files at any time: who sees a change puts it on
 * record, and nobody may have looked.  It is wrong where it contradicts itself
 * or the list, and where it says to be complete for these directories and is
 * not.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/enc.h"
#include "base/mem.h"
#include "maildir/check_look.h"
#include "maildir/index.h"

#define GONE_SIZE	12u
#define LETTERS		((UINT64_C(1) << KEYWORDS_LETTERS) - 1)
#define FOUND_MAX	64u	/* messages of one hash */

static const char *const section_names[INDEX_SECTIONS] = {
	[INDEX_MESSAGES] = "messages", [INDEX_MODSEQS] = "modseqs",
	[INDEX_KEYWORDS] = "keywords", [INDEX_SAVED] = "saved",
	[INDEX_FIELDS] = "fields", [INDEX_GONE] = "gone",
	[INDEX_WORDS] = "words", [INDEX_NAMES] = "names",
	[INDEX_BASES] = "bases"
};

static void
bad_section(struct look *l, enum index_section s)
{
	check_add(l, CHECK_INDEX_SECTION, l->control, INDEX_FILE, "%s",
	    section_names[s]);
}

/* ---- the index ------------------------------------------------------- */

/* Mod-sequences of what is gone: in order, and none of the future. */
static void
check_gone(struct look *l, const struct indexfile *f, const uint8_t *text)
{
	size_t n = (size_t)f->section[INDEX_GONE].n;
	struct dec d = dec_init(span_of(text, n));
	uint64_t last = 0;
	bool is_bad = n % GONE_SIZE != 0;

	while (!is_bad && d.rest.n > 0) {
		uint32_t uid = dec_u32(&d);
		uint64_t modseq = dec_u64(&d);

		is_bad = uid == 0 || uid > UIDLIST_UID_MAX || modseq < last ||
		    modseq > f->h.highest;
		last = modseq;
	}
	if (is_bad)
		bad_section(l, INDEX_GONE);
}

/* Each page by a hash that belongs into it. */
static void
check_bases(struct look *l, const struct indexfile *f)
{
	uint64_t pages = f->section[INDEX_BASES].n / 4096;
	uint32_t uids[FOUND_MAX];
	size_t n;

	for (uint64_t i = 0; i < pages; i++) {
		uint64_t hash = ((i << 32) + pages - 1) / pages;

		if (indexfile_find(f, (uint32_t)hash, uids, FOUND_MAX,
		    &n) == 0)
			continue;
		bad_section(l, INDEX_BASES);
		return;
	}
}

/* false: nothing can be said of its messages. */
static bool
check_sections(struct look *l, const struct indexfile *f)
{
	bool is_usable = true;

	for (int s = 0; s < INDEX_BASES; s++) {
		size_t n = (size_t)f->section[s].n;
		uint8_t *p = mem_alloc(n + 1);

		if (indexfile_read(f, (enum index_section)s, p) != 0) {
			bad_section(l, (enum index_section)s);
			is_usable = false;
		} else if (s == INDEX_GONE) {
			check_gone(l, f, p);
		}
		free(p);
	}
	check_bases(l, f);
	return is_usable;
}

static bool
is_among(const uint32_t *uids, size_t n, uint32_t uid)
{
	for (size_t i = 0; i < n; i++)
		if (uids[i] == uid)
			return true;
	return false;
}

/* One message of the index. */
static const char *
judge_message(const struct picture *p, const struct msg *m)
{
	const struct indexfile *f = &p->file;
	uint64_t modseq = picture_get(p, PICTURE_MODSEQ, m);
	uint32_t uids[FOUND_MAX];
	struct namebuf nb;
	struct span file = picture_name(p, m, &nb);
	struct name n;
	size_t found;

	if (!is_name_usable(file) || has_byte(file, '/') ||
	    name_base(file).n != m->base_len)
		return "name";
	name_parse(file, &n);
	if (msg_flags(m) != name_sys(n.upper))
		return "flags";
	/* P may have been a letter's keyword then. */
	if (!(n.upper & NAME_PASSED) &&
	    ((picture_kw(p, m) ^ n.lower) & LETTERS) != 0)
		return "keywords";
	if (modseq == 0 || modseq > f->h.highest)
		return "mod-sequence";
	if (f->section[INDEX_BASES].n > 0 && (indexfile_find(f,
	    name_hash(span_take(file, m->base_len)), uids, FOUND_MAX,
	    &found) != 0 || !is_among(uids, found, m->uid)))
		return "base";
	return NULL;
}

static void
check_messages(struct look *l, struct picture *p)
{
	for (size_t i = 0; i < p->msgs.n; i++) {
		const char *bad = judge_message(p, &p->msgs.v[i]);

		if (bad != NULL)
			check_add(l, CHECK_INDEX_RECORD, l->control,
			    INDEX_FILE, "UID %lu: %s",
			    (unsigned long)p->msgs.v[i].uid, bad);
	}
}

/* The index alone; *f is open. */
static bool
check_index(struct look *l, struct indexfile *f)
{
	struct indexfile again;
	struct picture p;
	bool is_usable;

	if (l->has_list && f->h.uidvalidity != l->md.ul.uidvalidity)
		check_add(l, CHECK_INDEX_VALIDITY, l->control, INDEX_FILE,
		    "%lu, not %lu", (unsigned long)f->h.uidvalidity,
		    (unsigned long)l->md.ul.uidvalidity);
	is_usable = check_sections(l, f);
	if (!is_usable || indexfile_open(l->md.box.control, &again) != 0)
		return false;
	picture_init(&p);
	if (picture_load(&p, &again) != 0)
		bad_section(l, INDEX_MESSAGES);
	else if (p.file.h.generation == f->h.generation &&
	    picture_load_all(&p) == 0)
		check_messages(l, &p);
	picture_done(&p);
	return true;
}

/* ---- the journal ----------------------------------------------------- */

static bool
is_record_sound(const struct journal_record *rec)
{
	struct dec d = dec_init(rec->body);
	struct history_entry e;
	int more;

	switch (rec->type) {
	case JOURNAL_MESSAGES:
		while ((more = history_entry(&d, &e)) > 0)
			;
		return more == 0;
	case JOURNAL_EXPUNGED:
		return rec->body.n % 4 == 0;
	case JOURNAL_WORD:
		return rec->body.n >= 2;
	case JOURNAL_WORDS_OF:
		return rec->body.n % 12 == 0;
	case JOURNAL_TIMES:
		return rec->body.n == 52;
	case JOURNAL_RAISED:
		return true;
	}
	return false;
}

static void
check_records(struct look *l, struct journal *j, uint64_t highest)
{
	struct journal_record rec;
	struct span rest;
	struct buf b;
	bool is_torn;
	size_t n = 1;

	buf_init(&b, JOURNAL_MAX);
	if (journal_read(j, &b, &is_torn) != 0) {
		check_add(l, CHECK_JOURNAL_HEADER, l->control, JOURNAL_FILE,
		    "cannot be read");
		is_torn = false;
	}
	for (rest = buf_span(&b); journal_next(&rest, &rec); n++) {
		if (rec.modseq < highest || !is_record_sound(&rec))
			check_add(l, CHECK_JOURNAL_RECORD, l->control,
			    JOURNAL_FILE, "record %zu", n);
		else
			highest = rec.modseq;
	}
	if (is_torn && l->is_locked)
		check_add(l, CHECK_JOURNAL_TORN, l->control, JOURNAL_FILE,
		    "%llu bytes from %llu on", (unsigned long long)
		    (j->size - j->off), (unsigned long long)j->off);
	else if (is_torn)	/* or somebody is writing it */
		check_add(l, CHECK_JOURNAL_TORN, l->control, JOURNAL_FILE,
		    "%s", "");
	buf_done(&b);
}

void
check_journal(struct look *l, const struct indexfile *f)
{
	struct journal j;
	int r = journal_open(l->md.box.control, &j);

	if (r == ERR_NOENT) {
		if (f->fd >= 0)
			check_add(l, CHECK_JOURNAL_MISSING, l->control,
			    JOURNAL_FILE, "%s is there", INDEX_FILE);
	} else if (r != 0) {
		check_add(l, r == ERR_CORRUPT ? CHECK_JOURNAL_HEADER :
		    CHECK_UNREADABLE, l->control, JOURNAL_FILE, "%s",
		    err_text(r));
	} else if (f->fd < 0) {
		check_add(l, CHECK_JOURNAL_ALONE, l->control, JOURNAL_FILE,
		    "no %s", INDEX_FILE);
	} else if (j.generation != f->h.generation) {
		check_add(l, CHECK_JOURNAL_PAIR, l->control, JOURNAL_FILE,
		    "%s", j.generation == f->h.previous ?
		    "that of the index before" : "of another index");
	} else {
		check_records(l, &j, f->h.highest);
	}
	journal_close(&j);
}

/* ---- both ------------------------------------------------------------ */

void
check_record(struct look *l)
{
	struct indexfile f;
	bool is_usable = false;
	int r = indexfile_open(l->md.box.control, &f);

	if (r == ERR_CORRUPT)
		check_add(l, CHECK_INDEX_HEADER, l->control, INDEX_FILE,
		    "%s", "");
	else if (r != 0 && r != ERR_NOENT)
		check_add(l, CHECK_UNREADABLE, l->control, INDEX_FILE, "%s",
		    err_text(r));
	else if (r == 0)
		is_usable = check_index(l, &f);
	/* A journal is of no use, nor to be judged, beside an index that cannot
	 * be read. */
	if (r == 0 || r == ERR_NOENT)
		check_journal(l, &f);
	indexfile_close(&f);
	if (!is_usable || !l->has_list)
		return;
	l->has_picture = index_load(&l->md, &l->pic) == 0 &&
	    picture_load_all(&l->pic) == 0;
}

/* Do the directories have these times, and had them during the scan, and long
 * enough to prove that the scan was of that state? */
static bool
has_times(const struct look *l, const struct index_times *t)
{
	const struct box *box = &l->md.box;

	return box->cur >= 0 && box->new >= 0 && t->cur == l->cur_time.ns &&
	    t->new == l->new_time.ns &&
	    is_dirtime_same(box->cur, &l->cur_time) &&
	    is_dirtime_same(box->new, &l->new_time);
}

/* The record claims to be complete. */
static void
check_complete(struct look *l)
{
	struct picture *p = &l->pic;
	struct namebuf nb;
	size_t alive = 0;

	for (size_t i = 0; i < p->msgs.n; i++) {
		const struct msg *m = &p->msgs.v[i];
		const struct scan_ent *e = scan_find(&l->scan,
		    picture_base(p, m, &nb));

		if (e != NULL && is_span_eq(scan_name(&l->scan, e),
		    picture_name(p, m, &nb)) &&
		    (e->dir == SCAN_NEW) == ((m->state & MSG_NEW) != 0)) {
			alive++;
			continue;
		}
		check_add(l, CHECK_INDEX_FILES, l->control, INDEX_FILE,
		    "UID %lu: %s", (unsigned long)m->uid, e == NULL ?
		    "no such file" : "has another name");
	}
	if (alive == p->msgs.n && alive < l->scan.ents.n)
		check_add(l, CHECK_INDEX_FILES, l->control, INDEX_FILE,
		    "%zu files are missing", l->scan.ents.n - alive);
}

void
check_against(struct look *l)
{
	const struct index_times *t = &l->md.history.times;
	struct picture *p = &l->pic;
	uint32_t next = l->md.ul.next, known;
	struct namebuf nb;

	if (!l->has_picture)
		return;
	known = index_uidnext(&l->md, p);
	if (known > next)
		check_add(l, CHECK_LIST_NEXT, l->control, UIDLIST_FILE,
		    "%lu, and %s knows of %lu", (unsigned long)next,
		    INDEX_FILE, (unsigned long)known);
	for (size_t i = 0; i < p->msgs.n; i++) {
		const struct msg *m = &p->msgs.v[i];
		const struct scan_ent *e = scan_find(&l->scan,
		    picture_base(p, m, &nb));

		if (e != NULL && e->uid == 0)
			check_add(l, CHECK_LIST_LOST, l->control,
			    UIDLIST_FILE, "UID %lu, by %s",
			    (unsigned long)m->uid, INDEX_FILE);
	}
	if (has_times(l, t))
		check_complete(l);
}
