/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * address.h: address lists (RFC 5322 3.4 with the obsolete forms of 4.4).
 */
#ifndef MESSAGE_ADDRESS_H
#define MESSAGE_ADDRESS_H

#include <stddef.h>

#include "base/arena.h"
#include "base/span.h"

#define ADDRESS_MAX	10000	/* in one list; the rest is left out */

/*
 * One address, or a mark.  As in IMAP, a group is a mark with its name in
 * mailbox and host.p == NULL, its members, and a mark with both NULL.
 */
struct address {
	struct span name;	/* display name, quotes and escapes removed;
				 * p == NULL: none */
	struct span route;	/* obsolete source route; p == NULL: none */
	struct span mailbox;	/* local part */
	struct span host;
	struct address *next;
};

/*
 * address_list(s, arena): the field body s (folded or not) as a list; NULL if
 * there is no address in it.  Total: what cannot be understood is given as a
 * mailbox at the host MISSING_DOMAIN or skipped, never an error.
 */
struct address *address_list(struct span s, struct arena *arena);

#endif
