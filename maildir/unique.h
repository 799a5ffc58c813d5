/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * unique.h: a name that no message has ever had.
 *
 *	SECONDS.M<usec>P<pid>R<random>.HOST
 *
 * Seconds and microseconds never repeat within one struct unique; process and
 * host tell processes apart; the random part tells apart what containers do
 * not: equal host names and process ids in separate pid spaces.
 */
#ifndef MAILDIR_UNIQUE_H
#define MAILDIR_UNIQUE_H

#include <stdint.h>

#include "base/buf.h"

#define UNIQUE_HOST_MAX	64

struct unique {
	uint64_t last;		/* microseconds of the last name */
	uint64_t random;
	uint32_t pid;
	char host[UNIQUE_HOST_MAX + 1];	/* plain, as gethostname() has it */
};

void unique_init(struct unique *u);

/* unique_put(u, b): append a new name, without sizes. */
void unique_put(struct unique *u, struct buf *b);

/* unique_bits(u): 64 bits that are not the same twice; not for secrets. */
uint64_t unique_bits(struct unique *u);

#endif
