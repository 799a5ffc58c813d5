/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * roles.h: the mailboxes that clients want to find: which names they have by
 * configuration, and making them.
 */
#ifndef IMAPD_COMMAND_ROLES_H
#define IMAPD_COMMAND_ROLES_H

#include "imapd/command/session_state.h"
#include "imapd/mailbox/special.h"

/* roles_names(conf, role): "Sent|Sent Items|..."; empty: the role is not
 * given. */
struct span roles_names(const struct config *conf, enum special_role role);

/*
 * roles_create(s): make and subscribe those of the key autocreate that are not
 * there, but for one whose role another mailbox has already.  What fails is
 * logged, and is no reason to refuse service.
 */
void roles_create(struct session *s);

#endif
