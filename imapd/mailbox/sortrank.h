/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * sortrank.h: the order of texts that an earlier SORT found, kept beside the
 * mail.
 *
 * What SORT SUBJECT compares of a message never changes, so two messages stay
 * in the order in which they once were: for each of them one number stands for
 * its text and saves reading it.
 */
#ifndef IMAPD_MAILBOX_SORTRANK_H
#define IMAPD_MAILBOX_SORTRANK_H

#include "imapd/mailbox/mailbox.h"
#include "imapd/mailbox/sort.h"

#define SORTRANK_MIN	256u	/* the order of fewer is not kept */

struct sortrank_column {
	bool has_kind;
	unsigned kind;		/* maildir_kind() */
	unsigned want;		/* SORTKEY_ that has the text; 0: no text */
	uint32_t *uid, *rank;	/* n of them, UIDs ascending: those that are
				 * still in the mailbox */
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

/* sortrank_wants(sr): the texts that ranks of it stand for: a set of SORTKEY_.
 */
unsigned sortrank_wants(const struct sortrank *sr);

/*
 * sortrank_get(sr, uid, rank): the ranks of a message, for sort_add().  Result:
 * the texts that it takes besides, a set of SORTKEY_.  Messages are asked for
 * in order.
 */
unsigned sortrank_get(struct sortrank *sr, uint32_t uid,
    uint32_t rank[SORT_KEYS]);

/*
 * sortrank_keep(sr, so, found, n): so has been sorted; keep what it found out
 * about the n messages that were added to it, in order of UID, unless more are
 * kept already, or that takes more than MAILDIR_WHOLE_VALUE_MAX bytes (300,000
 * messages and more).  Every text must have been one that is kept itself, or
 * that can be.
 */
void sortrank_keep(struct sortrank *sr, const struct sort *so,
    const struct mailbox_msg *found, uint32_t n);

#endif
