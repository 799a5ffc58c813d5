/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Messages that are gone.  Those that the journal tells of are in memory, in
 * the order in which they went; older ones stay in the index file until
 * somebody asks.
 */
#include <stdlib.h>

#include "base/enc.h"
#include "base/mem.h"
#include "maildir/md.h"

#define GONE_SIZE	12u	/* as in indexfile.c */

/* Those of the index file: sound, or none. */
static int
read_gone(const struct indexfile *f, uint8_t *text, size_t n)
{
	struct dec d = dec_init(span_of(text, n));
	uint64_t last = 0;
	int r = indexfile_read(f, INDEX_GONE, text);

	while (r == 0 && d.rest.n > 0) {
		uint32_t uid = dec_u32(&d);
		uint64_t modseq = dec_u64(&d);

		if (d.failed || uid == 0 || modseq < last ||
		    modseq > f->h.highest)
			r = ERR_CORRUPT;
		last = modseq;
	}
	return r;
}

void
history_keep_gone(struct maildir *md, struct picture *p)
{
	struct history *h = &md->history;
	size_t n;
	uint8_t *text;
	struct dec d;
	VEC(struct gone) all = VEC_INIT;

	if (!h->has_older_gone || p->file.fd < 0)
		return;
	h->has_older_gone = false;
	n = (size_t)p->file.section[INDEX_GONE].n;
	if (n == 0)
		return;
	text = mem_alloc(n);
	if (read_gone(&p->file, text, n) != 0) {
		md_note(md, INDEX_FILE, err_text(ERR_CORRUPT));
		h->must_raise = true;	/* none of them is known any more */
		n = 0;
	}
	for (d = dec_init(span_of(text, n)); d.rest.n >= GONE_SIZE;) {
		struct gone g;

		g.uid = dec_u32(&d);
		g.modseq = dec_u64(&d);
		VEC_PUSH(&all, g);
	}
	free(text);
	for (size_t i = 0; i < h->gone.n; i++)
		VEC_PUSH(&all, h->gone.v[i]);
	VEC_DONE(&h->gone);
	h->gone.v = all.v;
	h->gone.n = all.n;
	h->gone.cap = all.cap;
}

static int
uid_cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

int
maildir_vanished(struct maildir *md, uint64_t since, struct arena *arena,
    uint32_t **ret, size_t *ret_n)
{
	struct history *h = &md->history;
	uint32_t *uids;
	size_t n = 0;

	md_wake(md);
	history_keep_gone(md, &md->pic);
	/* A client that knows of more than we do has seen what was lost. */
	if (since < h->floor || since > h->highest || h->must_raise ||
	    h->journal.fd < 0)
		return ERR_GONE;
	uids = arena_array(arena, h->gone.n + h->left.n + 1, sizeof(*uids));
	for (size_t i = 0; i < h->gone.n; i++)
		if (h->gone.v[i].modseq > since)
			uids[n++] = h->gone.v[i].uid;
	for (size_t i = 0; i < h->left.n; i++)
		uids[n++] = h->left.v[i];
	qsort(uids, n, sizeof(*uids), uid_cmp);
	/* Each once; and what is there is not gone, whoever says so. */
	*ret_n = 0;
	for (size_t i = 0; i < n; i++)
		if ((i == 0 || uids[i] != uids[i - 1]) &&
		    picture_find(&md->pic, uids[i]) == NULL)
			uids[(*ret_n)++] = uids[i];
	*ret = uids;
	return 0;
}
