/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * spawn.h: starting imapd-login and imapd-tls, the two programs that read the
 * network before login.
 *
 * Either each connection executes the program, or (imapd -l) the listener has
 * started it once as a "forker": libraries mapped, certificates read, rights
 * given up; it forks for each connection and so saves the exec.  Both ways the
 * new process gets nothing but one end of a message pipe, as descriptor 3 or by
 * MON_FORK, and learns the rest from MON_SETTINGS.
 */
#ifndef IMAPD_PROCESS_SPAWN_H
#define IMAPD_PROCESS_SPAWN_H

#include <sys/types.h>

#include "base/err.h"

#define SPAWN_PIPE_FD	3	/* of an executed program */

enum helper { HELPER_LOGIN, HELPER_TLS, HELPER_COUNT };

/* The forkers of a listener: descriptors to send MON_FORK to, or -1. */
struct forkers {
	int fd[HELPER_COUNT];
};

/*
 * spawn_helper(dir, helper, forkers, ret_pipe, ret_pid): dir is
 * libexec_directory; forkers may be NULL.  *ret_pid is 0 if a forker did it:
 * then it is not our child.
 */
int spawn_helper(const char *dir, enum helper helper,
    const struct forkers *forkers, int *ret_pipe, pid_t *ret_pid) ERR_CHECK;

/* spawn_forget(forkers): no more helpers are wanted; forkers may be NULL. */
void spawn_forget(struct forkers *forkers);

/* spawn_forker(): the program as a forker, with the same kind of pipe. */
int spawn_forker(const char *dir, enum helper helper, int *ret_pipe,
    pid_t *ret_pid) ERR_CHECK;

#endif
