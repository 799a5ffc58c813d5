/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * cmd_expunge.h: removing what is marked \Deleted.
 */
#ifndef IMAPD_COMMAND_CMD_EXPUNGE_H
#define IMAPD_COMMAND_CMD_EXPUNGE_H

#include "base/err.h"
#include "imapd/command/session_state.h"
#include "imapd/wire/command.h"

/*
 * expunge_deleted(s, cmd, msgs, n): for cmd: remove those of msgs that have
 * \Deleted; with msgs NULL all that the client knows of.  What is gone waits in
 * the news.
 */
int expunge_deleted(struct session *s, const struct command *cmd,
    const struct mailbox_msg *msgs, size_t n) ERR_CHECK;

#endif
