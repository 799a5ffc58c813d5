/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * connection.h: one connection as the process that has the rights knows it:
 * from the accepted socket to the session.
 */
#ifndef IMAPD_PROCESS_CONNECTION_H
#define IMAPD_PROCESS_CONNECTION_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "auth/auth.h"
#include "base/arena.h"
#include "base/log.h"
#include "base/span.h"
#include "imapd/process/config.h"
#include "imapd/process/launch.h"
#include "imapd/process/spawn.h"

#define CONNECTION_ID	12	/* characters of the session id */
#define EXIT_CONFIG	78	/* EX_CONFIG */
#define EXIT_FAULT	71	/* EX_OSERR: the system failed us */

struct connection {
	struct config *conf;
	struct forkers *forkers;	/* of the listener, or NULL */
	enum log_to log_to;
	int fd_in, fd_out;
	struct peer peer;
	bool is_tls_now;		/* imaps: the handshake comes first */
	bool is_tls_outside;
	uint64_t started;		/* deadline_now() */
	char id[CONNECTION_ID + 1];

	/* What the login phase finds out. */
	struct arena *arena;
	char remote[IPNET_TEXT_MAX];	/* for the log; empty: local */
	bool is_tls;
	struct span tls;		/* "TLSv1.3 CIPHER" */
	struct span identity;		/* of the client certificate */
	struct auth_user *user;
	struct span method, tag, unread, client_id;
	struct span capability_mask;
	int slot;			/* runfile_slot(), or -1 */
	pid_t helper;			/* imapd-tls as our child, or 0 */
};

/* connection_init(c, conf, fd_in, fd_out, peer, log_to) */
void connection_init(struct connection *c, struct config *conf, int fd_in,
    int fd_out, const struct peer *peer, enum log_to log_to);

/* connection_done(c): its memory; descriptors end with the process. */
void connection_done(struct connection *c);

/* connection_set_peer(c, peer): the client is another than the socket says. */
void connection_set_peer(struct connection *c, const struct peer *peer);

/* connection_take_relay(c, fd): the client is imapd-tls's plain side from now
 * on; the client's own descriptors are closed. */
void connection_take_relay(struct connection *c, int fd);

/* monitor_run(c): the login phase (monitor.c).  0: c->user has logged in and c
 * is complete; else the connection is over. */
int monitor_run(struct connection *c) ERR_CHECK;

/* connection_run(c): both.  The exit code: 0 for whatever a peer caused. */
int connection_run(struct connection *c);

/* connection_preauth(c, dir): as whoever we are, no login; dir may be NULL. */
int connection_preauth(struct connection *c, const char *dir);

#endif
