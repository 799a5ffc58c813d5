/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * wire_in.h: bytes from the client: lines, literals, streams; ceilings and
 * deadlines.
 *
 * Used by login (small ceilings) and by the session.  Reading blocks until the
 * deadline.  Every function that returns int gives 0 or ERR_EOF (the client
 * closed), ERR_TIMEOUT, ERR_INTR (a termination signal), ERR_IO, and where said
 * ERR_LIMIT; after any but ERR_LIMIT the connection is of no more use.
 */
#ifndef IMAPD_WIRE_WIRE_IN_H
#define IMAPD_WIRE_WIRE_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/deadline.h"
#include "base/err.h"
#include "base/span.h"

struct wire_in;

/*
 * Where bytes come from: a descriptor, or (in the TLS process) a function.
 * read returns as fdio_read().
 */
struct wire_source {
	int (*read)(void *cookie, void *p, size_t n, struct deadline d,
	    size_t *ret_n);
	void *cookie;
};

struct wire_in *wire_in_new(struct wire_source src);
struct wire_in *wire_in_new_fd(int fd);
void wire_in_free(struct wire_in *in);

/* wire_in_push(in, s): bytes that were read before (by login); they come first.
 * wire_in_pending(in): bytes read and not consumed; wire_in_take(): all of them,
 * which are then gone from in (for the handover).  Valid until the next call. */
void wire_in_push(struct wire_in *in, struct span s);
bool has_wire_in_pending(const struct wire_in *in);
struct span wire_in_take(struct wire_in *in);

/*
 * wire_in_line(in, text, d): append the next line to text, without its line
 * end (CRLF; a bare LF is accepted).  ERR_LIMIT: the line would bring text over
 * its ceiling; the rest of the line has been read and dropped, and *ret_skip
 * tells whether it ended in a literal announcement {n+} that must be dropped
 * too (its size).
 */
int wire_in_line(struct wire_in *in, struct buf *text, struct deadline d)
    ERR_CHECK;

/* wire_in_literal(in, text, n, d): append n bytes to text. */
int wire_in_literal(struct wire_in *in, struct buf *text, uint64_t n,
    struct deadline d) ERR_CHECK;

/*
 * wire_in_stream(in, left, d, ret): up to *left bytes in one piece, which is
 * valid until the next call; *left is lowered.
 */
int wire_in_stream(struct wire_in *in, uint64_t *left, struct deadline d,
    struct span *ret) ERR_CHECK;

/* wire_in_skip(in, n, d): read and drop n bytes. */
int wire_in_skip(struct wire_in *in, uint64_t n, struct deadline d) ERR_CHECK;

/* Bytes received since the start. */
uint64_t wire_in_count(const struct wire_in *in);

#endif
