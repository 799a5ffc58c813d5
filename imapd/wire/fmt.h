/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fmt.h: IMAP's spelling of values: quoted, literal, nstring, flags, dates.
 *
 * The only place (with fmt_*.c and reply.c) that writes protocol syntax.  All
 * append to a buffer; see base/buf.h for its ceiling.
 */
#ifndef IMAPD_WIRE_FMT_H
#define IMAPD_WIRE_FMT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"
#include "message/envelope.h"
#include "message/part.h"
#include "imapd/wire/command.h"

#define FMT_QUOTED_MAX	1000	/* longer strings are sent as literals */

/* string: quoted where that is allowed, else a literal.  NUL, which no string
 * may carry (RFC 3501 4.3), is left out.  8-bit goes out as a literal unless
 * is_utf8 (RFC 9051, 9755). */
void fmt_string(struct buf *b, struct span s, bool is_utf8);
/* nstring: NIL if s.p is NULL. */
void fmt_nstring(struct buf *b, struct span s, bool is_utf8);
/* astring: an atom where possible. */
void fmt_astring(struct buf *b, struct span s, bool is_utf8);
/* mailbox: an atom where possible, else a string; INBOX in upper case.  8-bit
 * names are given only where the client may see them (UTF8=ACCEPT, rev2). */
void fmt_mailbox(struct buf *b, struct span wire_name);
/* date-time with its quotes, "17-Jul-1996 02:44:25 -0700", of a time (seconds
 * since 1970) at a zone (minutes east). */
void fmt_datetime(struct buf *b, int64_t t, int zone);
/* Names of system flags in the set, separated by SP, without parentheses;
 * returns whether any was printed. */
bool fmt_sysflags(struct buf *b, uint32_t sys, bool is_recent);

/*
 * thread-list (RFC 5256 section 5), token by token: "(2)(3 6 (4 23)(44 7 96))".
 */
struct threadout {
	struct buf *out;
	bool is_after_number;
};

void threadout_init(struct threadout *to, struct buf *out);
void threadout_open(struct threadout *to);
void threadout_number(struct threadout *to, uint32_t num);
void threadout_close(struct threadout *to);

/* (date subject ((from)) ...) RFC 3501 7.4.2 */
void fmt_envelope(struct buf *b, const struct envelope *env, bool is_utf8);
/* BODY and BODYSTRUCTURE; is_extended adds the extension data. */
void fmt_body(struct buf *b, const struct part *part, bool is_extended,
    bool is_utf8);
/* A body where there is none to describe: an empty text. */
void fmt_body_empty(struct buf *b, bool is_extended);
/* BODY[1.2.HEADER.FIELDS (DATE FROM)]<0> : the name of an answer. */
void fmt_section(struct buf *b, const struct fetch_item *item);

#endif
