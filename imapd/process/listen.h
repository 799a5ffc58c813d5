/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * listen.h: the small accept loop of imapd -l and of systemd's Accept=no: a
 * process per connection, with the configuration and the certificates loaded
 * already; changed files are noticed at the next connection.
 */
#ifndef IMAPD_PROCESS_LISTEN_H
#define IMAPD_PROCESS_LISTEN_H

#include "base/log.h"
#include "imapd/process/config.h"
#include "imapd/process/launch.h"

struct listen_options {
	/* make the configuration anew from its files; NULL and a log line if
	 * they have become wrong: then the old one stays */
	struct config *(*reload)(void);
	enum log_to log_to;
};

/*
 * listen_run(conf, addresses, launch, options): addresses as in the listen key;
 * or the sockets of launch.  conf is freed, or what came in its place.  Returns
 * the exit code in the listener after SIGTERM, and in each child at the end of
 * its connection.
 */
int listen_run(struct config *conf, const char *addresses,
    const struct launch *launch, const struct listen_options *options);

#endif
