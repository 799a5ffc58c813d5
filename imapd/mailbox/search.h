/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * search.h: a search program, compiled once and run over messages.
 */
#ifndef IMAPD_MAILBOX_SEARCH_H
#define IMAPD_MAILBOX_SEARCH_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "imapd/mailbox/mailbox.h"
#include "imapd/wire/command.h"

/* The charsets named in [BADCHARSET (...)]: what every build knows. */
#define SEARCH_CHARSETS	"US-ASCII UTF-8 ISO-8859-1 WINDOWS-1252"

struct search;

/*
 * search_new(mb, args, arena, ret): make the program.  The nodes of args are
 * put into a better order and their sets are used up.  ERR_UNSUPPORTED: the
 * charset is not known; ERR_SYNTAX: a text is malformed in
 * the charset; ERR_LIMIT: one is too long.  Free with search_free().
 */
int search_new(struct mailbox *mb, const struct search_args *args,
    struct arena *arena, struct search **ret) ERR_CHECK;
void search_free(struct search *se);

/* search_pace(se): so many messages are searched in about a millisecond; 1 if
 * their bodies are read. */
uint32_t search_pace(const struct search *se);

/*
 * search_next(se, seq): the first message from seq on that may match, as far as
 * flags tell; one more than the count if there is none.  For messages asked for
 * in order.
 */
uint32_t search_next(struct search *se, uint32_t seq);

/*
 * is_search_match(se, msg): run it.  A message that cannot be read, or that
 * another session has expunged, matches nothing.
 */
bool is_search_match(struct search *se, const struct mailbox_msg *msg);

/* search_modseq(se): the mod-sequence of the message that matched last; 0 if
 * the program has no MODSEQ key. */
uint64_t search_modseq(const struct search *se);

/* has_search_gone(se): some message was no longer there. */
bool has_search_gone(const struct search *se);

#endif
