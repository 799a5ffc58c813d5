/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * relay.h: carries bytes between the client's TLS and the session, after login.
 */
#ifndef IMAPD_PROCESS_RELAY_H
#define IMAPD_PROCESS_RELAY_H

#include "imapd/process/tls.h"

/* relay_run(tls, fd_in, fd_out, session): until both sides are done; session is
 * a stream socket.  Returns why it ended, for the log: "closed", or the
 * library's reason. */
const char *relay_run(struct tls *tls, int fd_in, int fd_out, int session);

#endif
