/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * sortkey.h: all that SORT and THREAD read from a message (RFC 5256, 5957).
 *
 * The only way from a message to its place in an order.  A key can be packed
 * into bytes, for a cache to keep, and taken from such bytes again.
 *
 * Texts are as they are compared, byte by byte (i;unicode-casemap, RFC 5051;
 * message/text.h), and at most SORTKEY_TEXT_MAX bytes of them are: a longer one
 * is cut.
 */
#ifndef IMAPD_MAILBOX_SORTKEY_H
#define IMAPD_MAILBOX_SORTKEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

struct msgview;

#define SORTKEY_TEXT_MAX	1000	/* bytes of a text that are compared */
#define SORTKEY_ID_MAX		998	/* bytes of a message identifier; a
					 * longer one is not valid (RFC 5322
					 * 2.1.1: no line is longer) */
#define SORTKEY_REFS_MAX	1000	/* references of a message: its nearest
					 * ancestors, the last ones named */

/* What of a key is wanted. */
enum {
	SORTKEY_DATE = 1, SORTKEY_SUBJECT = 2, SORTKEY_FROM = 4,
	SORTKEY_TO = 8, SORTKEY_CC = 16, SORTKEY_DISPLAYFROM = 32,
	SORTKEY_DISPLAYTO = 64, SORTKEY_IDS = 128,
	SORTKEY_ALL = 255
};

struct sortkey {
	bool has_date;		/* false: INTERNALDATE counts (2.2) */
	bool is_reply;		/* or a forward, as THREAD has it */
	int64_t date;		/* sent, in UTC: seconds since 1970 */
	struct span subject;	/* base subject (2.1) */
	struct span from;	/* addr-mailbox of the first address */
	struct span to;
	struct span cc;
	struct span display_from;	/* RFC 5957 3 */
	struct span display_to;
	struct span id;		/* Message-ID, normalised; n of 0: none */
	/*
	 * The references: the identifiers in References, or else the first in
	 * In-Reply-To.  Oldest ancestor first; see sortkey_next_ref().
	 */
	struct span refs;
};

/*
 * sortkey_get(mv, want, arena, ret): the key of the message that the view is
 * set to; what is not in want (a set of SORTKEY_) is left empty.  Its texts are
 * in the arena.  Errors as in msgview.h.
 */
int sortkey_get(struct msgview *mv, unsigned want, struct arena *arena,
    struct sortkey *ret) ERR_CHECK;

/* sortkey_next_ref(rest, ret): the next of key.refs, a copy of which *rest is
 * at first; false when there is none any more. */
bool sortkey_next_ref(struct span *rest, struct span *ret);

/* sortkey_pack(k, want, out): append that of k (a set of SORTKEY_) as bytes. */
void sortkey_pack(const struct sortkey *k, unsigned want, struct buf *out);

/*
 * sortkey_unpack(packed, want, ret): what was packed; the rest of *ret stays as
 * it is.  Texts are in packed.  ERR_CORRUPT: it is something else.
 */
int sortkey_unpack(struct span packed, unsigned want, struct sortkey *ret)
    ERR_CHECK;

#endif
