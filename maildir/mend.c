/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * What is damaged, written anew by the functions that write it always.
 *
 * The list comes first, under its lock: all records that can be read; those
 * that it lost and the record still has; a UIDVALIDITY and a UIDNEXT that are
 * those of the record if the list's own are lost or lower.  So no UID changes
 * as long as one of the two files knows it.  Then the mailbox is opened as a
 * session would (md_mend()), which gives UIDs to what is left, and makes index
 * and journal anew from the files.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "maildir/build.h"
#include "maildir/check_look.h"
#include "maildir/index.h"
#include "maildir/step.h"

struct line {
	uint32_t uid;
	bool is_ours;		/* from the record */
	uint32_t off, n;	/* in the text */
	struct scan_ent *e;	/* its file, or NULL */
};

struct list {
	struct maildir *md;
	struct scan scan;
	struct buf text;
	VEC(struct line) v;
};

/* As Dovecot, the higher UID of two records counts. */
static void
add_line(struct list *s, uint32_t uid, bool is_ours, struct span fields,
    struct span base)
{
	struct line line = { .uid = uid, .is_ours = is_ours,
	    .off = (uint32_t)s->text.n, .e = scan_find(&s->scan, base) };

	if (line.e != NULL && line.e->uid != 0 && is_ours)
		return;
	uidlist_put(&s->text, uid, fields, base);
	line.n = (uint32_t)(s->text.n - line.off);
	if (line.e != NULL)
		line.e->uid = uid;
	VEC_PUSH(&s->v, line);
}

static int
line_cmp(const void *a, const void *b)
{
	const struct line *la = a, *lb = b;

	if (la->uid != lb->uid)
		return la->uid < lb->uid ? -1 : 1;
	return (int)la->is_ours - (int)lb->is_ours;
}

/* The record's UIDs of files that the list does not know. */
static void
add_from_record(struct list *s)
{
	struct maildir *md = s->md;
	struct picture *p = &md->pic;
	struct namebuf nb;

	if (index_load(md, p) != 0 || picture_load_all(p) != 0)
		return;
	for (size_t i = 0; i < p->msgs.n; i++) {
		const struct msg *m = &p->msgs.v[i];
		struct span base = picture_base(p, m, &nb);

		if (scan_find(&s->scan, base) != NULL)
			add_line(s, m->uid, true, picture_fields(p, m), base);
	}
	if (md->ul.next < index_uidnext(md, p))
		md->ul.next = index_uidnext(md, p);
}

/* All lines that are good, in order; one for a UID, one for a file. */
static int
write_lines(struct list *s)
{
	struct maildir *md = s->md;
	struct buf lines;
	uint32_t last = 0;
	int r;

	qsort(s->v.v, s->v.n, sizeof(*s->v.v), line_cmp);
	buf_init(&lines, UIDLIST_MAX);
	for (size_t i = 0; i < s->v.n; i++) {
		const struct line *line = &s->v.v[i];

		if (line->uid == last || (line->e != NULL &&
		    line->e->uid != line->uid))
			continue;
		buf_put(&lines, s->text.p + line->off, line->n);
		last = line->uid;
	}
	r = buf_err(&s->text);
	if (r == 0)
		r = buf_err(&lines);
	if (r == 0)
		r = build_header(md);
	if (r == 0)
		r = uidlist_rewrite(&md->ul, md->box.control,
		    md->box.file_mode, buf_span(&lines),
		    md->store->conf.fsync);
	buf_done(&lines);
	return r;
}

static int
mend_list(struct maildir *md)
{
	const struct uidlist_at at = md_at(md, true);
	struct list s = { .md = md };
	struct uidlist_rec rec;
	struct indexfile f;
	size_t twins;
	int r;

	scan_init(&s.scan);
	buf_init(&s.text, UIDLIST_MAX);
	if ((r = uidlist_read(&md->ul, &at)) != 0 ||
	    (r = scan_dir(&s.scan, md->box.new, SCAN_NEW)) != 0 ||
	    (r = scan_dir(&s.scan, md->box.cur, SCAN_CUR)) != 0)
		goto done;
	scan_index(&s.scan, &twins);
	if (md->ul.uidvalidity == 0) {
		if (indexfile_open(md->box.control, &f) != 0)
			goto done;	/* a session makes a new list */
		md->ul.uidvalidity = f.h.uidvalidity;
		indexfile_close(&f);
	}
	while (uidlist_next(&md->ul, &rec))
		add_line(&s, rec.uid, false, rec.fields, rec.base);
	uidlist_forget(&md->ul);
	add_from_record(&s);
	r = write_lines(&s);
done:
	scan_done(&s.scan);
	buf_done(&s.text);
	VEC_DONE(&s.v);
	return r;
}

/* A journal that is no use to the index there is would only be read again. */
static void
drop_journal(struct maildir *md)
{
	struct picture p;

	if (index_load(md, &p) == 0)
		picture_done(&p);
	if (md->history.journal.fd < 0)
		(void)unlinkat(md->box.control, JOURNAL_FILE, 0);
	step("mend-dropped");
}

static int
mend_under_lock(struct maildir *md, unsigned what)
{
	const struct uidlist_at at = md_at(md, true);
	bool changed;
	int r = 0;

	if (what & MEND_LIST)
		r = mend_list(md);
	if (r == 0 && what & MEND_KEYWORDS)
		r = keywords_load(&md->kw, md->box.control, &changed);
	if (r == 0 && what & MEND_KEYWORDS)
		r = keywords_write(&md->kw, md->box.control,
		    md->box.file_mode, md->store->conf.fsync);
	if (r == 0 && what & (MEND_RECORD | MEND_LIST))
		r = uidlist_read(&md->ul, &at);
	if (r == 0 && what & (MEND_RECORD | MEND_LIST))
		drop_journal(md);
	if (r == 0 && what & MEND_CACHE && unlinkat(md->box.control,
	    CACHE_FILE, 0) != 0 && errno != ENOENT)
		r = err_from_errno(errno);
	return r;
}

int
mend_mailbox(struct maildir_store *store, const struct maildir_path *path,
    unsigned what)
{
	struct maildir md;
	struct lock lk = LOCK_NONE;
	int r;

	md_init(&md, store);
	r = box_open(store, path, &md.box);
	if (r == 0)
		r = box_tmp(&md.box);
	if (r == 0)
		r = box_lock(&md.box, store, &lk);
	if (r == 0)
		r = mend_under_lock(&md, what);
	lock_drop(&lk);
	md_done(&md);
	if (r == 0 && what & (MEND_LIST | MEND_RECORD | MEND_TAIL))
		r = md_mend(store, path, (what & MEND_RECORD) != 0);
	return r;
}
