/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * session.h: one logged-in connection, from the handover to its end.
 *
 * The process layer (imapd/process) calls session_run() once, after rights have
 * been dropped and the sandbox is up.  The session reads commands, checks them
 * against the command table, runs them and reports, until the client leaves.
 */
#ifndef IMAPD_COMMAND_SESSION_H
#define IMAPD_COMMAND_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "imapd/process/config.h"
#include "maildir/maildir.h"

/* What passes from the login phase to the user's process. */
struct session_start {
	int fd_in, fd_out;	/* the client, or the plain side of the TLS
				 * process: one descriptor, or two (pipe) */
	const struct config *conf;
	struct maildir_conf mail;
	bool is_mail_missing;	/* mail root not there: answer UNAVAILABLE */
	const char *user;
	struct span capability_mask;	/* "-UIDONLY ..." of the user */
	struct span tag;	/* of the command that logged in; empty:
				 * greet with PREAUTH */
	struct span unread;	/* bytes that the login process had read behind
				 * that command */
	bool is_tls;
	struct span remote;	/* address for the log, or empty */
	/* What goes into the line at the end of the session. */
	struct span method;	/* "PLAIN", "SCRAM-SHA-256", "preauth" */
	struct span label;	/* of the app password, or empty */
	struct span tls;	/* "TLSv1.3 TLS_AES_256_GCM_SHA384", or empty */
	struct span client_id;	/* "name version" from an ID before login */
	uint64_t started;	/* deadline_now() at the connection's start */
	uint64_t progress_ms;	/* between two signs of life of a long command;
				 * 0: PROGRESS_MS */
	int trace_fd;		/* file for the protocol trace; 0: none */
};

/*
 * session_run(start): greets (PREAUTH) or answers the tag with OK and the
 * capabilities, then serves until the end and logs the session's line.  Returns
 * the exit status of the process: 0 for whatever a peer caused.
 */
int session_run(const struct session_start *start);

#endif
