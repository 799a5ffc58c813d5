/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * prep.h: names and passwords that are not ASCII (SASLprep, RFC 4013).
 *
 * Clients disagree on how "é" is sent: composed, decomposed, or as Latin-1; the
 * stored hash was made of one of them.
 */
#ifndef AUTH_PREP_H
#define AUTH_PREP_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/*
 * prep_saslprep(s, b): append s as SASLprep wants it: odd spaces to SP, soft
 * hyphens and the like dropped, NFKC.  ERR_SYNTAX if it is not UTF-8 or holds
 * what is prohibited (controls, private use, non-characters, directions mixed
 * against RFC 3454 6); ERR_LIMIT.  Unassigned characters pass: the tables of
 * 2002 do not know the ones people use today.
 */
int prep_saslprep(struct span s, struct buf *b) ERR_CHECK;

/* prep_latin1(s, b): append the UTF-8 of s read as ISO 8859-1; ERR_LIMIT. */
int prep_latin1(struct span s, struct buf *b) ERR_CHECK;

/*
 * prep_alternative(s, b): what else s may have been meant as: SASLprep's form
 * if it is UTF-8, else what it is in Latin-1.  ERR_NOENT if there is nothing
 * else (always for ASCII).
 */
int prep_alternative(struct span s, struct buf *b) ERR_CHECK;

#endif
