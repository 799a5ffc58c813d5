/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * condstore.h: what CONDSTORE and QRESYNC (RFC 7162) add to several commands.
 */
#ifndef IMAPD_COMMAND_CONDSTORE_H
#define IMAPD_COMMAND_CONDSTORE_H

#include <stddef.h>

#include "imapd/command/session_state.h"
#include "imapd/wire/command.h"

/*
 * condstore_enable(s): the client has sent a CONDSTORE enabling command (RFC
 * 7162 3.1): MODSEQ is told with all changes from here on.  The first one makes
 * us tell HIGHESTMODSEQ of the selected mailbox, so call this before any other
 * response is begun.  qresync_enable(): and VANISHED in place of EXPUNGE.
 */
void condstore_enable(struct session *s);
void qresync_enable(struct session *s);

/*
 * condstore_fetch(s, args, msgs, n): before the answers to a FETCH whose set,
 * args->set, has been resolved to msgs: what its modifiers ask for.  Tells
 * VANISHED (EARLIER), and returns how many of msgs, the first ones afterwards,
 * are to be told of.
 */
size_t condstore_fetch(struct session *s, const struct fetch_args *args,
    struct mailbox_msg *msgs, size_t n);

/* qresync_select(s, args): behind what SELECT tells: what has happened since
 * the client was here (RFC 7162 3.2.5). */
void qresync_select(struct session *s, const struct qresync_args *args);

#endif
