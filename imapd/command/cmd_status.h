/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * cmd_status.h: a STATUS response, for STATUS and for LIST-STATUS (RFC 5819).
 */
#ifndef IMAPD_COMMAND_CMD_STATUS_H
#define IMAPD_COMMAND_CMD_STATUS_H

#include <stdint.h>

#include "base/err.h"
#include "imapd/command/session_state.h"

/* Those of the STATUS_ items that this server has answers for. */
#define STATUS_KNOWN	(STATUS_MESSAGES | STATUS_RECENT |		\
	STATUS_UIDNEXT | STATUS_UIDVALIDITY | STATUS_UNSEEN |		\
	STATUS_SIZE | STATUS_DELETED | STATUS_MAILBOXID |		\
	STATUS_APPENDLIMIT | STATUS_DELETED_STORAGE)

/* status_put(s, path, name, items): "* STATUS name (...)"; nothing is printed
 * on an error of maildir_status(). */
int status_put(struct session *s, const struct maildir_path *path,
    struct span name, uint32_t items) ERR_CHECK;

#endif
