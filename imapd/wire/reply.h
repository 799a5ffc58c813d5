/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * reply.h: tagged, untagged and continuation responses (RFC 9051 7.1).
 *
 * Every status response has text.  Text and codes come from us: nothing here
 * prints bytes of a peer, but for the tag.
 */
#ifndef IMAPD_WIRE_REPLY_H
#define IMAPD_WIRE_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "imapd/wire/seqset.h"
#include "imapd/wire/wire_out.h"

enum reply_status { REPLY_OK, REPLY_NO, REPLY_BAD, REPLY_PREAUTH, REPLY_BYE };

/*
 * reply_tagged(out, tag, status, code, text): "tag OK [code] text".  code is
 * without brackets and may be NULL; text is not empty.
 */
void reply_tagged(struct wire_out *out, struct span tag,
    enum reply_status status, const char *code, const char *text);

/* reply_untagged(): "* OK [code] text". */
void reply_untagged(struct wire_out *out, enum reply_status status,
    const char *code, const char *text);

/* reply_continue(out, text): "+ text"; text may be empty ("+ " CRLF). */
void reply_continue(struct wire_out *out, struct span text);

/*
 * A tagged or untagged status whose code or text is put together: begin, print
 * to wire_out_buf(), end.  begin prints "tag OK " ("*" for an empty tag).
 */
void reply_begin(struct wire_out *out, struct span tag,
    enum reply_status status);
void reply_end(struct wire_out *out);

/* "* 23 EXISTS" */
void reply_number(struct wire_out *out, uint32_t n, const char *what);

/* "tag OK [code n] text" without a tag: "* OK [UIDNEXT 5] Predicted." */
void reply_code(struct wire_out *out, const char *code, uint64_t n,
    const char *text);

/*
 * "* VANISHED (EARLIER) 1:5,7" of UIDs in ascending order; nothing at all if
 * there are none, and another response when one gets longer than clients should
 * be made to read at once.
 */
#define REPLY_VANISHED_MAX	8000	/* bytes */

struct reply_vanished {
	struct wire_out *out;
	struct seqout so;
	size_t start;		/* of the response in the output's buffer */
	bool is_earlier;
	bool is_open;
};

void reply_vanished_begin(struct reply_vanished *rv, struct wire_out *out,
    bool is_earlier);
void reply_vanished_add(struct reply_vanished *rv, uint32_t lo, uint32_t hi);
void reply_vanished_end(struct reply_vanished *rv);

#endif
