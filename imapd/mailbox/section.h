/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * section.h: BODY[...] and BINARY[...] of a message: which bytes, how many, and
 * sending them.
 *
 * The length of a literal is announced before its bytes, so section_find()
 * counts, and section_send() sends exactly that many.  When the file was cut in
 * between the rest is made up with spaces: the protocol stays whole, and the
 * caller says in its tagged response that the data is not to be trusted.
 */
#ifndef IMAPD_MAILBOX_SECTION_H
#define IMAPD_MAILBOX_SECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "message/cte.h"
#include "message/header.h"
#include "message/part.h"
#include "imapd/mailbox/msgview.h"
#include "imapd/wire/command.h"
#include "imapd/wire/wire_out.h"

struct section_data {
	enum {
		SECTION_IS_NIL,		/* there is no such part */
		SECTION_IS_EXTENT,	/* a run of the file, with CRLF ends */
		SECTION_IS_DECODED,	/* the same with its encoding undone */
		SECTION_IS_BYTES	/* made for this answer */
	} kind;
	struct extent extent;
	enum cte cte;			/* of SECTION_IS_DECODED */
	struct span bytes;		/* in the buffer given */
	uint64_t size;			/* as served, before any partial */
	bool has_nul;			/* decoded data that needs a literal8 */
};

/*
 * section_find(mv, sec, fields, scratch, ret): what BODY[sec] is.  fields are
 * the names of HEADER.FIELDS (NULL for other sections); scratch is overwritten.
 * The errors of msgview.h.
 */
int section_find(struct msgview *mv, const struct section *sec,
    const struct header_set *fields, struct buf *scratch,
    struct section_data *ret) ERR_CHECK;

/* section_find_binary(mv, sec, scratch, ret): what BINARY[sec] is (RFC 3516),
 * as section_find().  ERR_UNSUPPORTED: a transfer encoding that nobody knows
 * ([UNKNOWN-CTE]). */
int section_find_binary(struct msgview *mv, const struct section *sec,
    struct buf *scratch, struct section_data *ret) ERR_CHECK;

/*
 * section_send(mv, sd, off, len, out): bytes off .. off + len as served; they
 * lie within sd->size.  Returns how many of them had to be made up.
 */
uint64_t section_send(struct msgview *mv, const struct section_data *sd,
    uint64_t off, uint64_t len, struct wire_out *out);

#endif
