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

/* status_put(s, path, name, items): "* STATUS name (...)"; nothing is printed
 * on an error of maildir_status(). */
int status_put(struct session *s, const struct maildir_path *path,
    struct span name, uint32_t items) ERR_CHECK;

#endif
