/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * polling.h: telling the operator that a session cannot be woken by changes.
 */
#ifndef IMAPD_COMMAND_POLLING_H
#define IMAPD_COMMAND_POLLING_H

#include "imapd/command/session_state.h"

/* polling_log(s): if the selected mailbox has no watch, say so and why; once a
 * session. */
void polling_log(struct session *s);

#endif
