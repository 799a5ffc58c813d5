/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * sortrank.h: the order of texts that an earlier SORT found, kept beside the
 * mail.
 *
 * What SORT SUBJECT compares of a message never changes, so two messages stay
 * in the order in which they once were: for all that were there then, a number
 * tells what takes their texts else.
 */
#ifndef IMAPD_MAILBOX_SORTRANK_H
#define IMAPD_MAILBOX_SORTRANK_H

#include "imapd/mailbox/mailbox.h"
#include "imapd/mailbox/sort.h"

#define SORTRANK_MIN	256u	/* the order of fewer is not kept */

struct sortrank_column {
	bool is_text;
	bool has_kind;
	unsigned kind;		/* maildir_kind() */
	unsigned want;		/* SORTKEY_ that has the text */
	uint32_t *uid, *rank;	/* n of them, UIDs ascending */
	size_t n, at;
};

struct sortrank {
	struct maildir *md;
	size_t ncolumn;
	struct sortrank_column column[SORT_KEYS];
};

/* sortrank_init(sr, mb, so): what is kept for the criteria of so. */
void sortrank_init(struct sortrank *sr, struct mailbox *mb,
    const struct sort *so);
void sortrank_done(struct sortrank *sr);

/*
 * sortrank_get(sr, uid, rank): the ranks of a message, for sort_add().  Result:
 * the texts that it takes besides, a set of SORTKEY_.  Messages are asked for
 * in order.
 */
unsigned sortrank_get(struct sortrank *sr, uint32_t uid,
    uint32_t rank[SORT_KEYS]);

/*
 * sortrank_keep(sr, so, found, n): so has been sorted; keep what it found out
 * about the n messages that were added to it, in order of UID, if that is more
 * than is kept.  Every text must have been one that is kept itself, or that can
 * be.
 */
void sortrank_keep(struct sortrank *sr, const struct sort *so,
    const struct mailbox_msg *found, uint32_t n);

#endif
