/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * msgid.h: message identifiers in Message-ID, In-Reply-To and References
 * (RFC 5322 3.6.4, 4.5.4).
 */
#ifndef MESSAGE_MSGID_H
#define MESSAGE_MSGID_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/span.h"

/*
 * msgid_next(rest, arena, ret): the next valid identifier in *rest: something
 * in angle brackets with an "@" between two other things.  It comes without the
 * brackets and normalised: without quotes, escapes and blanks (RFC 5256:
 * <"01KF8JCEOCBS0045PS"@x> and <01KF8JCEOCBS0045PS@x> are equal), in the arena.
 * *rest is left behind it.  false when there is none any more.  Words outside
 * of brackets (obsolete phrases) are passed over.
 */
bool msgid_next(struct span *rest, struct arena *arena, struct span *ret);

#endif
