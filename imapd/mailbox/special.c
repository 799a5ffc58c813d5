/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * special.c: which mailbox is for what (RFC 6154).
 */
#include "imapd/mailbox/special.h"

#include <assert.h>

static const struct {
	const char *attribute, *xlist;
} names[SPECIAL_COUNT] = {
	[SPECIAL_DRAFTS] = { "\\Drafts", "\\Drafts" },
	[SPECIAL_SENT] = { "\\Sent", "\\Sent" },
	[SPECIAL_JUNK] = { "\\Junk", "\\Spam" },
	[SPECIAL_TRASH] = { "\\Trash", "\\Trash" },
	[SPECIAL_ARCHIVE] = { "\\Archive", "\\Archive" },
};

size_t
special_rank(struct span aliases, struct span name)
{
	for (size_t rank = 0; aliases.p != NULL; rank++) {
		struct span alias = span_trim(span_split(&aliases, '|'));

		if (alias.n > 0 && is_span_ieq(alias, name))
			return rank;
	}
	return SPECIAL_NONE;
}

const char *
special_attribute(enum special_role role)
{
	assert(role < SPECIAL_COUNT);
	return names[role].attribute;
}

const char *
special_xlist(enum special_role role)
{
	assert(role < SPECIAL_COUNT);
	return names[role].xlist;
}
