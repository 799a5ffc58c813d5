/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * quotarule.h: how much mail a user may have, as administrators write it.
 *
 *	quota   = "none" / "maildirsize" / rule / sizes
 *	rule    = [ mask ":" ] ( limits / "backend=" sizes / "ignore" )
 *	mask    = "*" / "?"
 *	limits  = limit *( ":" limit )
 *	limit   = ( "storage" / "bytes" / "messages" ) "=" number [ unit ]
 *	unit    = "B" / "K" / "M" / "G" / "T"	; either case
 *	sizes   = "NOQUOTA" / number ( "S" / "C" ) *( "," number ( "S" / "C" ) )
 *
 * A rule is Dovecot's (quota_rule), sizes are Courier's.  Storage without a
 * unit is in KiB, a limit of 0 is none.  "?" is what holds for a user who has
 * no maildirsize yet.  Dovecot's rules for single mailboxes
 * ("Trash:storage=+10%") say nothing of the whole.
 */
#ifndef AUTH_QUOTARULE_H
#define AUTH_QUOTARULE_H

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

enum quotarule_kind {
	QUOTARULE_UNSAID,	/* empty, or about one mailbox */
	QUOTARULE_NONE,
	QUOTARULE_FILE,		/* what maildirsize says, else these limits */
	QUOTARULE_LIMITS
};

struct quotarule {
	enum quotarule_kind kind;
	uint64_t bytes;		/* 0: no limit */
	uint64_t messages;
};

/* quotarule_parse(text, ret): ERR_SYNTAX. */
int quotarule_parse(struct span text, struct quotarule *ret) ERR_CHECK;

#endif
