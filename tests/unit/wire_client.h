/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * wire_client.h: a client in memory: what it sends comes in pieces of a given
 * size, and it takes no more than that at once.
 */
#ifndef TESTS_UNIT_WIRE_CLIENT_H
#define TESTS_UNIT_WIRE_CLIENT_H

#include "base/buf.h"
#include "imapd/wire/wire_in.h"
#include "imapd/wire/wire_out.h"

struct wire_client {
	struct span send;	/* what it has yet to send; then it closes */
	size_t piece;
	struct buf got;		/* what it was sent */
};

void wire_client_init(struct wire_client *c, struct span send, size_t piece);
void wire_client_done(struct wire_client *c);

struct wire_in *wire_client_in(struct wire_client *c);
struct wire_out *wire_client_out(struct wire_client *c);

#endif
