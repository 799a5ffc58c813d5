/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * policy.h: what the configuration means for a process and a peer: struct
 * config made into the settings of settings.h and auth.h.
 */
#ifndef IMAPD_PROCESS_POLICY_H
#define IMAPD_PROCESS_POLICY_H

#include "auth/auth.h"
#include "base/arena.h"
#include "base/log.h"
#include "imapd/process/config.h"
#include "imapd/process/connection.h"
#include "imapd/process/settings.h"

/* The level of log.h that the log_level key names. */
int policy_log_level(const struct config *conf);

/* How imapd-login and imapd-tls give up their rights. */
void policy_rights(const struct config *conf, struct arena *arena,
    enum log_to log_to, struct settings_rights *ret);

/* How they speak TLS; ticket keys are read, made and renewed here. */
void policy_tls(const struct config *conf, struct arena *arena,
    struct settings_tls *ret);

/* What the client of c may do, by what is known of it now. */
void policy_peer(const struct connection *c, struct settings_peer *ret);

/* The configuration of auth/; strings are those of conf, or in the arena. */
void policy_auth(const struct config *conf, struct arena *arena,
    struct auth_conf *ret);

#endif
