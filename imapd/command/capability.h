/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * capability.h: what is announced, and when: the only list.
 *
 * Knows nothing of sessions: the login dialogue prints its part of the list.
 */
#ifndef IMAPD_COMMAND_CAPABILITY_H
#define IMAPD_COMMAND_CAPABILITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

enum {
	CAPABILITY_LOGIN = 1,		/* before login */
	CAPABILITY_STARTTLS = 2,	/* ... and TLS can be started */
	CAPABILITY_NO_PLAINTEXT = 4,	/* ... and LOGIN is not allowed yet */
	CAPABILITY_SESSION = 8		/* after login */
};

/*
 * capability_put(b, now, mask, append_limit): the names, separated by SP, of
 * what holds in now (a set of the above).  mask is a list of words, by blanks:
 * "-NAME" withholds a name, "NAME" or "+NAME" gives one that is off by default;
 * the last word about a name counts.  The mechanisms ("AUTH=PLAIN") are the
 * login dialogue's to add.
 */
void capability_put(struct buf *b, unsigned now, struct span mask,
    uint64_t append_limit);

/* is_capability_withheld(mask, name): the mask says so. */
bool is_capability_withheld(struct span mask, struct span name);

#endif
