/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * image.h: how imapd-login and imapd-tls begin: rights and files are given up
 * before the first byte of the network is read.
 *
 *	imapd-login		one connection: settings on descriptor 3
 *	imapd-login -f		a forker: a process per MON_FORK (spawn.h)
 */
#ifndef IMAPD_PROCESS_IMAGE_H
#define IMAPD_PROCESS_IMAGE_H

#include "base/arena.h"
#include "base/enc.h"
#include "base/err.h"
#include "imapd/process/monitor_client.h"
#include "imapd/process/settings.h"

/* The client, and for imapd-tls its end of the relay (else -1). */
struct image_fds {
	int in, out, relay;
};

struct image {
	const char *name;	/* for the log */
	/* forker: what follows the rights in MON_FORKER; may be NULL */
	int (*prepare)(struct dec *d, struct arena *arena);
	/* one connection, until its end */
	void (*serve)(struct monitor_client *mc, const struct settings *s,
	    const struct image_fds *fds, struct arena *arena);
};

/* image_main(): all of main().  The exit code is 0 for whatever a peer caused,
 * 71 if the process could not be made safe. */
int image_main(int argc, char *argv[], const struct image *image);

/*
 * image_wait(fd, pipe, d): until fd can be read.  ERR_INTR also when the
 * monitor is gone, which is how it tells us to say goodbye; otherwise as
 * fdio_wait().
 */
int image_wait(int fd, int pipe, struct deadline d) ERR_CHECK;

/* image_linger(fds): after the last byte to the client wait a moment for it to
 * close: unread bytes of its would make the kernel reset the connection, and
 * take our goodbye away. */
void image_linger(const struct image_fds *fds);

/*
 * image_proxy(mc, s, fds, arena, ret): read and report the PROXY header if the
 * settings ask for it; *ret is the settings that hold afterwards.
 */
int image_proxy(struct monitor_client *mc, const struct settings *s,
    const struct image_fds *fds, struct arena *arena,
    struct settings_peer *ret) ERR_CHECK;

#endif
