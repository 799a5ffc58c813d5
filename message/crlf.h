/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * crlf.h: the stored message as IMAP serves it: every line end is CRLF.
 *
 * Only line feeds without a carriage return before them ("bare") change: each
 * becomes CRLF.  NUL, which no IMAP string may carry (RFC 3501 4.3), is served
 * as 0x80 as Dovecot does; that does not change sizes.
 */
#ifndef MESSAGE_CRLF_H
#define MESSAGE_CRLF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

#define CRLF_NUL	0x80	/* what a NUL is served as */

struct crlf_count {
	uint64_t lines;		/* line feeds */
	uint64_t bare;		/* those without a CR before them */
	bool has_cr;		/* the last byte was CR */
};

/*
 * crlf_count(c, s): count on; c begins zeroed.  Size as served of what was fed
 * = its size + c->bare.  Runs near the speed of memory.
 */
void crlf_count(struct crlf_count *c, struct span s);

/*
 * A range of the text as served, made from the stored bytes pushed from the
 * start of the text.
 */
struct crlf {
	uint64_t skip;		/* bytes as served still to be left out */
	uint64_t left;		/* bytes as served still wanted */
	bool has_cr;		/* the last stored byte was CR */
	bool keeps_nul;		/* for a literal8; set it after crlf_init() */
};

/* crlf_init(c, off, len): the bytes off .. off + len as served; UINT64_MAX for
 * "to the end". */
void crlf_init(struct crlf *c, uint64_t off, uint64_t len);

/*
 * crlf_feed(c, s, out): the next stored bytes; appends at most 2 * s.n bytes.
 * false when the range is complete and no more bytes are needed.
 */
bool crlf_feed(struct crlf *c, struct span s, struct buf *out);

#endif
