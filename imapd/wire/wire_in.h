/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * wire_in.h: bytes from the client: lines, literals, streams; ceilings and
 * deadlines.
 *
 * Used by login (small ceilings) and by the session.  Reading blocks until the
 * deadline.  Every function that returns int gives 0 or ERR_EOF (the client
 * closed), ERR_TIMEOUT, ERR_INTR (a termination signal), ERR_IO, ERR_PROTO
 * (more would have to be dropped than the limit allows), and where said
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

/*
 * wire_in_push(in, s): bytes that were read before (by login); they come first.
 * has_wire_in_pending(in): there are bytes read and not consumed.
 * wire_in_take(in): all of them, which are then gone from in (for the
 * handover); valid until the next call.
 */
void wire_in_push(struct wire_in *in, struct span s);
bool has_wire_in_pending(const struct wire_in *in);
struct span wire_in_take(struct wire_in *in);

/* The next wire_in_line() will not have to wait: a whole line is there. */
bool has_wire_in_line(const struct wire_in *in);

/*
 * wire_in_line(in, text, d): append the next line to text, without its line
 * end (CRLF; a bare LF is accepted).  ERR_LIMIT: the line would bring text over
 * its ceiling: text holds as much of it as fits, the rest was read and dropped.
 */
int wire_in_line(struct wire_in *in, struct buf *text, struct deadline d)
    ERR_CHECK;

/*
 * Literals.  A line that ends in {n} or {n+} announces n bytes.  wire_in keeps
 * count of them, so that the rest of a command can be dropped at any point:
 *
 *	{n+}	the bytes come whatever we say (RFC 7888)
 *	{n}	they come after "+": wire_in_accept() says that it was sent
 *
 * wire_in_literal() and wire_in_stream() take no more than what is left of such
 * a literal; what follows it is the rest of the line, which is read by the next
 * wire_in_line().
 */
void wire_in_accept(struct wire_in *in);

/* wire_in_left(in): bytes of the literal that are still to be read. */
uint64_t wire_in_left(const struct wire_in *in);

/* wire_in_literal(in, text, d): append all that is left of the literal. */
int wire_in_literal(struct wire_in *in, struct buf *text, struct deadline d)
    ERR_CHECK;

/*
 * wire_in_stream(in, d, ret): more of the literal in one piece, which is valid
 * until the next call; empty once nothing is left.
 */
int wire_in_stream(struct wire_in *in, struct deadline d, struct span *ret)
    ERR_CHECK;

/*
 * wire_in_drop_command(in, d, stall_ms): read and drop what the client sends of
 * the command that is not to be carried out: what is left of a literal that is
 * on its way, the line behind it, the literal {n+} that this line announces,
 * and so on, until d at the latest and waiting for no piece of it longer than
 * stall_ms.  Ends behind the first line that announces nothing, or announces a
 * literal {n} that was not accepted and so does not come.  The tagged answer is
 * given afterwards.
 */
int wire_in_drop_command(struct wire_in *in, struct deadline d,
    uint64_t stall_ms) ERR_CHECK;

/* wire_in_set_drop_max(in, max): how much of one line or one command may be
 * read only to be dropped; more is ERR_PROTO.  At first there is no limit. */
void wire_in_set_drop_max(struct wire_in *in, uint64_t max);

/* wire_in_wipe(in): overwrite what was read and consumed (passwords). */
void wire_in_wipe(struct wire_in *in);

/* Bytes received since the start. */
uint64_t wire_in_count(const struct wire_in *in);

#endif
