/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * spawn.h: short-lived children that check passwords.
 */
#ifndef AUTH_SPAWN_H
#define AUTH_SPAWN_H

#include <sys/types.h>

#include <stddef.h>

#include "base/deadline.h"
#include "base/err.h"

/* In the child, descriptor to becomes a copy of ours. */
struct spawn_fd {
	int ours;
	int to;
};

#define SPAWN_FDS_MAX	4

/*
 * spawn_child(argv, envp, fds, n, ret): run argv[0], an absolute path, with
 * exactly these descriptors; 0, 1 and 2 that are not among them are /dev/null:
 * under inetd our own are the client's socket.  Signals are as at login.  Like
 * vfork(2), it costs the same however much the caller has mapped.
 */
int spawn_child(char *const argv[], char *const envp[],
    const struct spawn_fd *fds, size_t n, pid_t *ret) ERR_CHECK;

/*
 * spawn_wait(pid, until, ret_status): the status of waitpid(2).  ERR_TIMEOUT:
 * it was killed.  Either way there is nothing left of it.
 */
int spawn_wait(pid_t pid, struct deadline until, int *ret_status) ERR_CHECK;

/* spawn_kill(pid): end it now and reap it. */
void spawn_kill(pid_t pid);

#endif
