/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <sys/wait.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>

#include "base/fdio.h"

#include "auth/spawn.h"

#define FIRST_FREE	32	/* above every descriptor a child is given */
#define NAP_MS		2

static int
add_fds(posix_spawn_file_actions_t *actions, const struct spawn_fd *fds,
    const int *high, size_t n)
{
	unsigned given = 0;
	int top = 2, err;

	for (size_t i = 0; i < n; i++) {
		err = posix_spawn_file_actions_adddup2(actions, high[i],
		    fds[i].to);
		if (err != 0)
			return err;
		given |= 1u << fds[i].to;
		if (fds[i].to > top)
			top = fds[i].to;
	}
	for (int fd = 0; fd <= 2; fd++) {
		if ((given & 1u << fd) != 0)
			continue;
		err = posix_spawn_file_actions_addopen(actions, fd,
		    "/dev/null", O_RDWR, 0);
		if (err != 0)
			return err;
	}
	/* What lies between is close-on-exec like all our descriptors. */
	return posix_spawn_file_actions_addclosefrom_np(actions, top + 1);
}

static int
set_signals(posix_spawnattr_t *attr)
{
	sigset_t all, none;
	int err;

	sigfillset(&all);
	sigemptyset(&none);
	err = posix_spawnattr_setsigdefault(attr, &all);
	if (err == 0)
		err = posix_spawnattr_setsigmask(attr, &none);
	if (err == 0)
		err = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGDEF |
		    POSIX_SPAWN_SETSIGMASK);
	return err;
}

int
spawn_child(char *const argv[], char *const envp[],
    const struct spawn_fd *fds, size_t n, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int high[SPAWN_FDS_MAX] = { -1, -1, -1, -1 };
	int errnum;

	assert(n <= SPAWN_FDS_MAX);
	errnum = posix_spawn_file_actions_init(&actions);
	if (errnum != 0)
		return err_from_errno(errnum);
	errnum = posix_spawnattr_init(&attr);
	if (errnum != 0)
		goto free_actions;
	/* Out of the way of one another: 3 may be wanted as 4 and 4 as 3. */
	for (size_t i = 0; i < n; i++) {
		high[i] = fcntl(fds[i].ours, F_DUPFD_CLOEXEC, FIRST_FREE);
		if (high[i] < 0) {
			errnum = errno;
			goto free_attr;
		}
	}
	errnum = add_fds(&actions, fds, high, n);
	if (errnum == 0)
		errnum = set_signals(&attr);
	if (errnum == 0)
		errnum = posix_spawn(ret, argv[0], &actions, &attr, argv,
		    envp);
free_attr:
	for (size_t i = 0; i < n; i++)
		fdio_close(&high[i]);
	posix_spawnattr_destroy(&attr);
free_actions:
	posix_spawn_file_actions_destroy(&actions);
	return errnum == 0 ? 0 : err_from_errno(errnum);
}

int
spawn_wait(pid_t pid, struct deadline until, int *ret_status)
{
	pid_t got;
	int status = 0;

	for (;;) {
		got = waitpid(pid, &status, WNOHANG);
		if (got == pid)
			break;
		if (got < 0 && errno != EINTR)
			return err_from_errno(errno);
		if (is_deadline_past(until) || fdio_stopped() != 0) {
			spawn_kill(pid);
			return ERR_TIMEOUT;
		}
		/* It is about to end: it has closed its pipe. */
		deadline_sleep(deadline_min(until, deadline_in(NAP_MS)));
	}
	*ret_status = status;
	return 0;
}

void
spawn_kill(pid_t pid)
{
	(void)kill(pid, SIGKILL);	/* or it has ended already */
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}
