/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * helper_serve.h: imapd-auth's side of helper_msg.h.
 */
#ifndef AUTH_HELPER_SERVE_H
#define AUTH_HELPER_SERVE_H

#include "base/err.h"

#define HELPER_LIFE_MS	60000	/* no conversation takes longer */

/* helper_serve(fd): answer until the pipe ends: 0; else what went wrong. */
int helper_serve(int fd) ERR_CHECK;

#endif
