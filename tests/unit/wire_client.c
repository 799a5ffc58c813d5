/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "tests/unit/wire_client.h"

#define GOT_MAX		(4 * 1024 * 1024)

static int
client_read(void *cookie, void *p, size_t n, struct deadline d, size_t *ret_n)
{
	struct wire_client *c = cookie;

	(void)d;
	if (c->send.n == 0)
		return ERR_EOF;
	if (n > c->piece)
		n = c->piece;
	if (n > c->send.n)
		n = c->send.n;
	memcpy(p, c->send.p, n);
	c->send = span_skip(c->send, n);
	*ret_n = n;
	return 0;
}

static int
client_write(void *cookie, struct span s, struct deadline d, size_t *ret_n)
{
	struct wire_client *c = cookie;

	(void)d;
	*ret_n = s.n < c->piece ? s.n : c->piece;
	buf_put_span(&c->got, span_take(s, *ret_n));
	return 0;
}

void
wire_client_init(struct wire_client *c, struct span send, size_t piece)
{
	c->send = send;
	c->piece = piece;
	buf_init(&c->got, GOT_MAX);
}

struct wire_in *
wire_client_in(struct wire_client *c)
{
	return wire_in_new((struct wire_source){ client_read, c });
}

struct wire_out *
wire_client_out(struct wire_client *c)
{
	return wire_out_new((struct wire_sink){ client_write, c }, 1000);
}

void
wire_client_done(struct wire_client *c)
{
	buf_done(&c->got);
}
