/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * wire_out.h: bytes to the client, buffered; stop when it does not read.
 *
 * Output goes into a buffer that is written out when it is full and before the
 * server waits for input.  A failure to write is remembered: everything after
 * it is dropped and wire_out_err() says why, so that the code that prints
 * answers need not look after each piece; loops that print much look at it once
 * a turn.
 */
#ifndef IMAPD_WIRE_WIRE_OUT_H
#define IMAPD_WIRE_WIRE_OUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/deadline.h"
#include "base/err.h"
#include "base/span.h"

#define WIRE_OUT_SIZE	(64 * 1024)	/* written when there is so much */
#define WIRE_OUT_MAX	(16 * 1024 * 1024)	/* ceiling of the buffer */

struct wire_out;

/* Where bytes go: a descriptor, or (in the TLS process) a function.  write
 * returns as fdio_write_some(). */
struct wire_sink {
	int (*write)(void *cookie, struct span s, struct deadline d,
	    size_t *ret_n);
	void *cookie;
};

/* stall_ms: how long the client may take no byte at all; counted anew from each
 * time it takes some. */
struct wire_out *wire_out_new(struct wire_sink sink, uint64_t stall_ms);
struct wire_out *wire_out_new_fd(int fd, uint64_t stall_ms);
void wire_out_free(struct wire_out *out);

/*
 * wire_out_buf(out): the buffer to append to.  Call wire_out_check() after
 * every response, or after at most WIRE_OUT_SIZE bytes of one; a single value
 * of any size goes through wire_out_span().  What brings the buffer beyond
 * WIRE_OUT_MAX ends the connection (ERR_LIMIT): half a response is worse.
 */
struct buf *wire_out_buf(struct wire_out *out);

/* wire_out_check(out): write if there is WIRE_OUT_SIZE or more. */
void wire_out_check(struct wire_out *out);

/* wire_out_span(out, s): any number of bytes; much of it is not copied. */
void wire_out_span(struct wire_out *out, struct span s);

/* wire_out_flush(out): write all.  The result is wire_out_err(). */
int wire_out_flush(struct wire_out *out) ERR_CHECK;

/* 0, or why the client can no longer be written to. */
int wire_out_err(const struct wire_out *out) ERR_CHECK;

/* Bytes sent since the start. */
uint64_t wire_out_count(const struct wire_out *out);

#endif
