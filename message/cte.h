/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * cte.h: undo content transfer encodings, as a stream (RFC 2045 6).
 *
 * Total: what is no valid encoding is skipped (base64) or passed on as it is
 * (quoted-printable), as every mail reader does; has_error remembers it.
 */
#ifndef MESSAGE_CTE_H
#define MESSAGE_CTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

enum cte {
	CTE_NONE,		/* 7bit, 8bit, binary, absent: as it is */
	CTE_QP,
	CTE_BASE64,
	CTE_UUENCODE,		/* x-uuencode, x-uue, uuencode */
	CTE_UNKNOWN		/* any other name: not to be decoded */
};

/* cte_find(name): by the value of Content-Transfer-Encoding; p == NULL is
 * none. */
enum cte cte_find(struct span name);

struct cte_decoder {
	enum cte cte;
	bool has_error;		/* something was not as it should be */
	/* private: */
	uint8_t state;		/* uuencode: before, in or after the data */
	uint8_t nhold;		/* base64: characters in bits */
	uint32_t bits;
	struct buf hold;	/* bytes that cannot be decided on yet */
};

/* cte_init(d, cte): ready for the first byte.  cte_done() releases. */
void cte_init(struct cte_decoder *d, enum cte cte);
void cte_done(struct cte_decoder *d);

/* cte_feed(d, s, out): append what s decodes to: at most s.n bytes and what was
 * held back before (a few; at most 1000). */
void cte_feed(struct cte_decoder *d, struct span s, struct buf *out);

/* cte_finish(d, out): the end of the part: append what was held back. */
void cte_finish(struct cte_decoder *d, struct buf *out);

#endif
