/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * special.h: which mailbox is for what (RFC 6154).
 *
 * Nothing on disk says that a folder is for sent mail; its name does.  Each
 * role has a list of names that clients and servers have used for it, and the
 * first of them that exists has the role: at most one mailbox a role, since two
 * make clients choose, each its own way.
 */
#ifndef IMAPD_MAILBOX_SPECIAL_H
#define IMAPD_MAILBOX_SPECIAL_H

#include <stddef.h>

#include "base/span.h"

enum special_role {
	SPECIAL_DRAFTS, SPECIAL_SENT, SPECIAL_JUNK, SPECIAL_TRASH,
	SPECIAL_ARCHIVE,
	SPECIAL_COUNT
};

#define SPECIAL_NONE	((size_t)-1)

/* special_rank(aliases, name): the place of name in "Sent|Sent Items|...",
 * ASCII case apart; SPECIAL_NONE if it is not there. */
size_t special_rank(struct span aliases, struct span name);

/* "\Sent", and as XLIST spells it ("\Spam" for \Junk). */
const char *special_attribute(enum special_role role);
const char *special_xlist(enum special_role role);

#endif
