/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * session_state.h: one logged-in connection, as the run functions see it.
 *
 * Private to imapd/command; others have session.h.
 */
#ifndef IMAPD_COMMAND_SESSION_STATE_H
#define IMAPD_COMMAND_SESSION_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "imapd/command/session.h"
#include "imapd/mailbox/mailbox.h"
#include "imapd/mailbox/mailname.h"
#include "imapd/wire/read_command.h"
#include "imapd/wire/wire_in.h"
#include "imapd/wire/wire_out.h"
#include "maildir/maildir.h"

/* For the line at the end of the session; counted by the run functions. */
struct session_stats {
	uint64_t commands;
	uint64_t fetched;	/* messages whose text, or a part, was sent */
	uint64_t appended;
	uint64_t expunged;
};

struct session {
	const struct session_start *start;
	const struct config *conf;
	struct trace *trace;		/* NULL: none */
	struct wire_in *in;
	struct wire_out *out;
	struct read_command *rc;
	struct maildir_store *store;	/* opened for the first command that
					 * needs it */
	struct mailbox *mailbox;	/* the selected one, or NULL */
	struct mailname_rules names;	/* how the client spells names */
	struct arena *arena;		/* of the running command */
	bool is_utf8;			/* strings may be 8-bit (UTF8=ACCEPT or
					 * IMAP4rev2 was enabled) */
	bool is_condstore;		/* MODSEQ is told: see condstore.h */
	bool is_qresync;		/* ... and VANISHED */
	bool is_logout;			/* the loop ends after this command */
	bool has_logged_polling;
	bool has_alerted;		/* the user was told of a full disk */
	const char *bye;		/* not NULL: the same, with this BYE */
	uint64_t progress_ms;		/* between two signs of life of a long
					 * command: PROGRESS_MS, in tests 0 */
	unsigned bad_in_row;		/* commands answered BAD */
	const char *last;		/* name of the last command, or NULL */
	struct session_stats stats;
	struct buf client_id;		/* "name version" from ID */
};

#endif
