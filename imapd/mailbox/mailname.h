/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * mailname.h: mailbox names between the wire and the store.
 *
 * On the wire a name is one string: modified UTF-7 (RFC 3501 5.1.3), or UTF-8
 * once the client has enabled that; levels are separated by the delimiter; all
 * mailboxes but INBOX may stand below a prefix ("INBOX.", as Courier has it).
 * In the store it is a list of components in UTF-8 (maildir/maildir.h).
 */
#ifndef IMAPD_MAILBOX_MAILNAME_H
#define IMAPD_MAILBOX_MAILNAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "maildir/maildir.h"

#define MAILNAME_MAX	4096	/* bytes of a name, on the wire and in UTF-8 */

struct mailname_rules {
	uint8_t delimiter;	/* '/' or '.' */
	bool has_prefix;	/* other mailboxes are INBOX<delimiter>... */
	bool is_utf8;		/* UTF8=ACCEPT or IMAP4rev2 is enabled */
};

/*
 * mailname_to_path(rules, wire, arena, ret): ERR_NAME for what is no name: a
 * bad encoding, an empty level, control characters, "." or "..", too long, too
 * deep, outside the prefix.  "inbox" in any case, alone or as the first level,
 * is INBOX.  One delimiter at the end is ignored (RFC 3501 6.3.3).
 */
int mailname_to_path(const struct mailname_rules *rules, struct span wire,
    struct arena *arena, struct maildir_path *ret) ERR_CHECK;

/*
 * mailname_from_path(rules, path, arena, ret): the name as this client is to
 * see it.  ERR_NAME where it cannot be spelled: a component holds the
 * delimiter.
 */
int mailname_from_path(const struct mailname_rules *rules,
    const struct maildir_path *path, struct arena *arena, struct span *ret)
    ERR_CHECK;

/* The prefix of the personal namespace: "" or "INBOX.". */
struct span mailname_prefix(const struct mailname_rules *rules);

#endif
