/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * envelope.h: the header fields that make an IMAP envelope (RFC 3501 7.4.2),
 * parsed but not decoded: encoded words (RFC 2047) stay as they are.
 */
#ifndef MESSAGE_ENVELOPE_H
#define MESSAGE_ENVELOPE_H

#include <stddef.h>

#include "base/arena.h"
#include "base/span.h"
#include "message/address.h"
#include "message/header.h"

#define ENVELOPE_LISTS		6	/* from ... bcc */
#define ENVELOPE_ADDRESS_MAX	20000	/* in all lists of one envelope */

/* A missing field has p == NULL (text) or is NULL (addresses): the IMAP
 * defaults (Sender from From) are the printer's business.  Of a repeated field
 * the first counts for text, all are joined for addresses. */
struct envelope {
	struct span date;	/* unfolded, trimmed */
	struct span subject;
	struct address *from;
	struct address *sender;
	struct address *reply_to;
	struct address *to;
	struct address *cc;
	struct address *bcc;
	struct span in_reply_to;
	struct span message_id;
	struct span references;	/* not in ENVELOPE; for threading */
	/* private: the ends of the lists, to which a repeated field is added,
	 * and how much is in all of them */
	struct address *last[ENVELOPE_LISTS];
	size_t naddress;
};

/*
 * envelope_field(env, f, arena): if f is one of the fields above, enter it into
 * env; what is kept is copied into the arena.
 */
void envelope_field(struct envelope *env, const struct header_field *f,
    struct arena *arena);

#endif
