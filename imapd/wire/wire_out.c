/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>

#include "base/fdio.h"
#include "base/mem.h"
#include "imapd/wire/wire_out.h"

struct wire_out {
	struct wire_sink sink;
	int fd;
	uint64_t stall_ms;
	struct buf buf;
	uint64_t count;
	int err;		/* the first failure: the end */
};

static int
write_fd(void *cookie, struct span s, struct deadline d, size_t *ret_n)
{
	const struct wire_out *out = cookie;

	return fdio_write_some(out->fd, s, d, ret_n);
}

struct wire_out *
wire_out_new(struct wire_sink sink, uint64_t stall_ms)
{
	struct wire_out *out = mem_zalloc(sizeof(*out));

	out->sink = sink;
	out->fd = -1;
	out->stall_ms = stall_ms;
	buf_init(&out->buf, WIRE_OUT_MAX);
	return out;
}

struct wire_out *
wire_out_new_fd(int fd, uint64_t stall_ms)
{
	struct wire_out *out;

	out = wire_out_new((struct wire_sink){ write_fd, NULL }, stall_ms);
	out->sink.cookie = out;
	out->fd = fd;
	return out;
}

void
wire_out_free(struct wire_out *out)
{
	if (out == NULL)
		return;
	buf_done(&out->buf);
	free(out);
}

struct buf *
wire_out_buf(struct wire_out *out)
{
	return &out->buf;
}

static void
write_all(struct wire_out *out, struct span s)
{
	size_t n;

	while (s.n > 0 && out->err == 0) {
		out->err = out->sink.write(out->sink.cookie, s,
		    deadline_in(out->stall_ms), &n);
		if (out->err != 0)
			return;
		out->count += n;
		s = span_skip(s, n);
	}
}

/* Write the buffer; it is empty afterwards, whatever came of it. */
static void
write_buf(struct wire_out *out)
{
	if (out->err == 0)
		out->err = buf_err(&out->buf);
	write_all(out, buf_span(&out->buf));
	/* What one large response needed is not kept. */
	if (out->buf.cap > 2 * WIRE_OUT_SIZE) {
		buf_done(&out->buf);
		buf_init(&out->buf, WIRE_OUT_MAX);
	}
	buf_clear(&out->buf);
}

void
wire_out_check(struct wire_out *out)
{
	if (out->buf.n >= WIRE_OUT_SIZE || out->buf.overflowed)
		write_buf(out);
}

/*
 * The buffer is topped up first, so that no short segment goes out before a
 * long one; then whole buffers are written from where they lie.
 */
void
wire_out_span(struct wire_out *out, struct span s)
{
	size_t n;

	if (out->buf.n < WIRE_OUT_SIZE) {
		n = WIRE_OUT_SIZE - out->buf.n;
		buf_put_span(&out->buf, span_take(s, n));
		s = span_skip(s, n);
	}
	if (s.n == 0)
		return;
	write_buf(out);
	n = s.n - s.n % WIRE_OUT_SIZE;
	write_all(out, span_take(s, n));
	buf_put_span(&out->buf, span_skip(s, n));
}

int
wire_out_flush(struct wire_out *out)
{
	if (out->buf.n > 0 || out->buf.overflowed)
		write_buf(out);
	return out->err;
}

int
wire_out_err(const struct wire_out *out)
{
	return out->err;
}

uint64_t
wire_out_count(const struct wire_out *out)
{
	return out->count;
}
