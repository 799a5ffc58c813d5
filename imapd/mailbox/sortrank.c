/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * sortrank.c: see sortrank.h.
 *
 * A value of the mailbox itself (UID 0), of numbers as in base/enc.h: for each
 * message, in order of UID, how much its UID is above that of the one before,
 * and its rank.
 */
#include "imapd/mailbox/sortrank.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/mem.h"

/* With the version of what is compared (imapd/mailbox/sortkept.c). */
static const struct span names[SORT_KEYS] = {
	[SORT_CC] = SPAN("order cc 2"),
	[SORT_DISPLAYFROM] = SPAN("order displayfrom 2"),
	[SORT_DISPLAYTO] = SPAN("order displayto 2"),
	[SORT_FROM] = SPAN("order from 2"),
	[SORT_SUBJECT] = SPAN("order subject 2"),
	[SORT_TO] = SPAN("order to 2")
};

/* What is kept of messages that the mailbox still has. */
static void
load(struct sortrank_column *col, const struct mailbox *mb, struct span value)
{
	struct dec d = dec_init(value);
	uint32_t count = mailbox_count(mb), seq = 1;
	uint64_t uid = 0, step, rank;

	col->uid = mem_resize(NULL, count, sizeof(*col->uid));
	col->rank = mem_resize(NULL, count, sizeof(*col->rank));
	while (d.rest.n > 0) {
		step = dec_number(&d);
		rank = dec_number(&d);
		if (d.failed || step == 0 || step > UINT32_MAX - uid ||
		    rank >= SORT_NO_RANK) {
			col->n = 0;	/* it is something else */
			return;
		}
		uid += step;
		while (seq <= count && mailbox_uid(mb, seq) < uid)
			seq++;
		if (seq > count || mailbox_uid(mb, seq) != uid)
			continue;
		col->uid[col->n] = (uint32_t)uid;
		col->rank[col->n++] = (uint32_t)rank;
	}
}

void
sortrank_init(struct sortrank *sr, struct mailbox *mb, const struct sort *so)
{
	*sr = (struct sortrank){ .md = mailbox_store(mb),
	    .ncolumn = sort_count(so) };
	for (size_t c = 0; c < sr->ncolumn; c++) {
		struct sortrank_column *col = &sr->column[c];
		enum sort_key key;
		struct span value;

		if (!is_sort_text(so, c, &key, &col->want)) {
			col->want = 0;
			continue;
		}
		col->has_kind = maildir_kind(sr->md, names[key],
		    &col->kind) == 0;
		if (col->has_kind && has_maildir_value(sr->md, col->kind, 0,
		    &value))
			load(col, mb, value);
	}
}

void
sortrank_done(struct sortrank *sr)
{
	for (size_t c = 0; c < sr->ncolumn; c++) {
		free(sr->column[c].uid);
		free(sr->column[c].rank);
	}
	sr->ncolumn = 0;
}

unsigned
sortrank_wants(const struct sortrank *sr)
{
	unsigned want = 0;

	for (size_t c = 0; c < sr->ncolumn; c++)
		if (sr->column[c].n > 0)
			want |= sr->column[c].want;
	return want;
}

unsigned
sortrank_get(struct sortrank *sr, uint32_t uid, uint32_t rank[SORT_KEYS])
{
	unsigned want = 0;

	for (size_t c = 0; c < sr->ncolumn; c++) {
		struct sortrank_column *col = &sr->column[c];

		while (col->at < col->n && col->uid[col->at] < uid)
			col->at++;
		if (col->at < col->n && col->uid[col->at] == uid) {
			rank[c] = col->rank[col->at];
		} else {
			rank[c] = SORT_NO_RANK;
			want |= col->want;
		}
	}
	return want;
}

void
sortrank_keep(struct sortrank *sr, const struct sort *so,
    const struct mailbox_msg *found, uint32_t n)
{
	struct buf b;

	buf_init(&b, MAILDIR_WHOLE_VALUE_MAX);
	for (size_t c = 0; c < sr->ncolumn; c++) {
		const struct sortrank_column *col = &sr->column[c];
		uint32_t uid = 0;

		if (!col->has_kind || n < SORTRANK_MIN || n < col->n ||
		    !has_sort_ranks(so, c))
			continue;
		buf_clear(&b);
		for (uint32_t i = 0; i < n; i++) {
			enc_number(&b, found[i].uid - uid);
			enc_number(&b, sort_rank(so, c, i));
			uid = found[i].uid;
		}
		if (buf_err(&b) == 0)
			maildir_keep(sr->md, col->kind, 0, buf_span(&b));
	}
	buf_done(&b);
}
