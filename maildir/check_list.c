/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * dovecot-uidlist and dovecot-keywords, line by line, with the readers that
 * sessions use (uidlist.c, keywords.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/num.h"
#include "maildir/check_look.h"
#include "maildir/replace.h"

#define KEYWORDS_MAX	(64u * 1024)

/* Where we are in the text of the list. */
struct walk {
	struct look *l;
	const uint8_t *at;	/* behind the last line that was judged */
	const uint8_t *end;
	size_t line;		/* number of the line at it */
	uint32_t last;		/* highest UID so far */
	uint32_t last_alive;
};

/* Lines up to this place were skipped by uidlist_next(). */
static void
judge_skipped(struct walk *w, const uint8_t *to)
{
	struct span rest = span_of(w->at, (size_t)(to - w->at));

	while (rest.n > 0) {
		struct span line = span_split(&rest, '\n');
		size_t digits;
		uint64_t uid = num_prefix(line, &digits);
		bool is_late = digits > 0 && uid > 0 && uid <= w->last &&
		    has_byte(line, ':');

		check_add(w->l, is_late ? CHECK_LIST_ORDER : CHECK_LIST_LINE,
		    w->l->control, UIDLIST_FILE, is_late ?
		    "line %zu: UID %llu after %lu" : "line %zu", w->line,
		    (unsigned long long)uid, (unsigned long)w->last);
		w->line++;
	}
	w->at = to;
}

/* The record says of this UID something else? */
static void
compare_record(struct look *l, const struct uidlist_rec *rec)
{
	struct msg *m = l->has_picture ? picture_find(&l->pic, rec->uid) :
	    NULL;
	struct namebuf nb;

	if (m != NULL && !is_span_eq(picture_base(&l->pic, m, &nb), rec->base))
		check_add(l, CHECK_INDEX_UID, l->control, INDEX_FILE,
		    "UID %lu is another message in %s",
		    (unsigned long)rec->uid, UIDLIST_FILE);
}

static void
judge_record(struct walk *w, const struct uidlist_rec *rec)
{
	struct look *l = w->l;
	struct scan_ent *e = scan_find(&l->scan, rec->base);

	judge_skipped(w, rec->line.p);
	w->at = rec->line.p + rec->line.n + 1;
	w->last = rec->uid;
	compare_record(l, rec);
	if (e == NULL) {
		check_add(l, CHECK_NO_FILE, l->control, UIDLIST_FILE,
		    "line %zu: UID %lu", w->line, (unsigned long)rec->uid);
	} else {
		if (e->uid != 0)
			check_add(l, CHECK_LIST_TWICE, l->control,
			    UIDLIST_FILE, "line %zu: UID %lu and %lu",
			    w->line, (unsigned long)e->uid,
			    (unsigned long)rec->uid);
		e->uid = rec->uid;
	}
	w->line++;
}

static void
walk(struct look *l)
{
	struct uidlist *ul = &l->md.ul;
	struct span all = buf_span(&ul->text);
	struct uidlist_rec rec;
	struct walk w = { .l = l, .at = ul->rest.p,
	    .end = ul->rest.p + ul->rest.n, .line = 2 };

	/* Behind the last line that ends.  Without the lock it may be one that
	 * somebody is writing: a reason to look again. */
	if (ul->rest.p != NULL && w.end < all.p + all.n)
		check_add(l, CHECK_LIST_TORN, l->control, UIDLIST_FILE,
		    "line without an end");
	while (uidlist_next(ul, &rec))
		judge_record(&w, &rec);
	if (w.at != NULL)
		judge_skipped(&w, w.end);
}

/* No list is no damage where none was ever made. */
static void
no_list(struct look *l)
{
	struct indexfile f;

	if (faccessat(l->md.box.control, UIDLIST_FILE, F_OK, 0) == 0)
		check_add(l, CHECK_LIST_HEADER, l->control, UIDLIST_FILE,
		    "line 1");
	else if (indexfile_open(l->md.box.control, &f) == 0) {
		check_add(l, CHECK_LIST_MISSING, l->control, UIDLIST_FILE,
		    "%s is there", INDEX_FILE);
		indexfile_close(&f);
	}
}

static void
check_header(struct look *l)
{
	const struct uidlist *ul = &l->md.ul;

	if (ul->is_v1 || ul->fd < 0)
		check_add(l, CHECK_LIST_VERSION, l->control, UIDLIST_FILE,
		    ul->fd < 0 ? "Courier's" : "1");
	else if (!ul->has_guid)
		check_add(l, CHECK_LIST_GUID, l->control, UIDLIST_FILE,
		    "line 1");
}

int
check_list(struct look *l)
{
	const struct uidlist_at at = md_at(&l->md, l->is_locked);
	struct uidlist *ul = &l->md.ul;
	int r = uidlist_read(ul, &at);

	if (r == ERR_ACCESS) {
		check_add(l, CHECK_UNREADABLE, l->control, UIDLIST_FILE,
		    "%s", "");
		return 0;
	}
	if (r != 0)
		return r;
	l->has_list = ul->uidvalidity != 0;
	if (l->has_list)
		check_header(l);
	else
		no_list(l);
	check_record(l);
	if (l->has_list)
		walk(l);
	for (size_t i = 0; i < l->scan.ents.n; i++) {
		const struct scan_ent *e = &l->scan.ents.v[i];

		if (e->uid == 0 && !e->is_twin)
			check_add(l, CHECK_NO_RECORD, l->dir, e->dir ==
			    SCAN_NEW ? "new" : "cur", "%.*s", e->name_len,
			    (const char *)l->scan.pool.p + e->name);
	}
	return 0;
}

int
check_keywords(struct look *l)
{
	struct keywords *kw = &l->md.kw;
	struct buf b;
	struct span rest;
	int r;

	buf_init(&b, KEYWORDS_MAX);
	r = replace_read(l->md.box.control, KEYWORDS_FILE, &b);
	if (r != 0 && r != ERR_NOENT)
		check_add(l, CHECK_UNREADABLE, l->control, KEYWORDS_FILE,
		    "%s", err_text(r));
	rest = buf_span(&b);
	for (size_t n = 1; r == 0 && rest.n > 0; n++) {
		int bad = keywords_line(kw, span_split(&rest, '\n'));

		if (bad != 0)
			check_add(l, bad == ERR_EXISTS ? CHECK_KEYWORDS_TWICE :
			    CHECK_KEYWORDS_LINE, l->control, KEYWORDS_FILE,
			    "line %zu", n);
	}
	buf_done(&b);
	for (unsigned i = 0; i < KEYWORDS_LETTERS; i++)
		if (l->lower & 1u << i && kw->name[i] == NULL)
			check_add(l, CHECK_KEYWORDS_LETTER, l->control,
			    KEYWORDS_FILE, "no name for the letter %c",
			    (char)('a' + i));
	return 0;
}
