/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * wire_out.h: bytes to the client, buffered; stop when it does not read.
 *
 * Output goes into a buffer that is written out when it is full and before the
 * server waits for input.  A failure to write is remembered: everything after it
 * is dropped and wire_out_err() says why, so that the code that prints answers
 * need not look after each piece; loops that print much look at it once a turn.
 */
#ifndef IMAPD_WIRE_WIRE_OUT_H
#define IMAPD_WIRE_WIRE_OUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/deadline.h"
#include "base/err.h"
#include "base/span.h"

#define WIRE_OUT_SIZE	(64 * 1024)	/* flushed at this */

struct wire_out;

struct wire_sink {
	int (*write)(void *cookie, struct span s, struct deadline d);
	void *cookie;
};

/* stall_ms: how long the client may take no byte at all. */
struct wire_out *wire_out_new(struct wire_sink sink, uint64_t stall_ms);
struct wire_out *wire_out_new_fd(int fd, uint64_t stall_ms);
void wire_out_free(struct wire_out *out);

/*
 * wire_out_buf(out): the buffer to append to, with room for WIRE_OUT_SIZE
 * bytes.  Call wire_out_check() after at most that much; larger things go
 * through wire_out_span().
 */
struct buf *wire_out_buf(struct wire_out *out);

/* wire_out_check(out): write if more than half full. */
void wire_out_check(struct wire_out *out);

/* wire_out_span(out, s): any number of bytes. */
void wire_out_span(struct wire_out *out, struct span s);

/* wire_out_flush(out): write all.  The result is wire_out_err(). */
int wire_out_flush(struct wire_out *out) ERR_CHECK;

/* 0, or why the client can no longer be written to. */
int wire_out_err(const struct wire_out *out) ERR_CHECK;

/* Bytes sent since the start. */
uint64_t wire_out_count(const struct wire_out *out);

#endif
