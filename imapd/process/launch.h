/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * launch.h: who started us, and who is at the other end.
 *
 * Told from descriptors 0 to 2 and the environment (imapd(8), LAUNCHERS).
 */
#ifndef IMAPD_PROCESS_LAUNCH_H
#define IMAPD_PROCESS_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ipnet.h"

#define LAUNCH_FDS_MAX	16	/* listening sockets that are handed over */

enum launch_mode {
	LAUNCH_CONNECTION,	/* fd_in and fd_out are one connection */
	LAUNCH_PIPE,		/* the same, but a pipe: no peer is known */
	LAUNCH_LISTEN,		/* listening sockets */
	LAUNCH_NONE		/* started by hand: a terminal */
};

struct peer {
	bool has_address;	/* no: a pipe or a local socket */
	bool is_gone;		/* it had an address, and has hung up */
	struct ipaddr remote, local;
	uint16_t remote_port, local_port;
};

struct launch {
	enum launch_mode mode;
	int fd_in, fd_out;
	int listen[LAUNCH_FDS_MAX];
	size_t nlisten;
	struct peer peer;
	bool is_stderr_client;	/* fd 2 is the connection: never write to it */
	bool is_tls_outside;	/* SSL_PROTOCOL is set */
};

/* launch_detect(ret): looks, and changes nothing. */
void launch_detect(struct launch *ret);

/* peer_of_socket(fd, ret): getpeername and getsockname.  Whose address is not
 * known any more is not local: what he sent before he hung up must not be read
 * with the rights of those who are. */
void peer_of_socket(int fd, struct peer *ret);

#endif
