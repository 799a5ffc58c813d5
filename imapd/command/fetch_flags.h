/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fetch_flags.h: FETCH of flags, UIDs and mod-sequences alone: what every
 * client does when it opens a mailbox, for all messages.
 */
#ifndef IMAPD_COMMAND_FETCH_FLAGS_H
#define IMAPD_COMMAND_FETCH_FLAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "imapd/command/session_state.h"
#include "imapd/wire/command.h"

/* has_fetch_only_flags(args): FLAGS is asked for, and else nothing but UID and
 * MODSEQ. */
bool has_fetch_only_flags(const struct fetch_args *args);

/* fetch_flags(s, args, with_uid, msgs, n): the answers, and how many of msgs
 * were not there any more. */
size_t fetch_flags(struct session *s, const struct fetch_args *args,
    bool with_uid, const struct mailbox_msg *msgs, size_t n);

#endif
