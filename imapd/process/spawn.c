/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>

#include "base/buf.h"
#include "base/deadline.h"
#include "base/msgpipe.h"
#include "imapd/process/monitor_msg.h"
#include "imapd/process/spawn.h"

#define FORKER_WAIT_MS	2000	/* for room in the forker's queue */
#define PATH_TEXT_MAX	4096

static const char *const programs[HELPER_COUNT] = {
	[HELPER_LOGIN] = "imapd-login",
	[HELPER_TLS] = "imapd-tls",
};

/*
 * 0 and 1 are /dev/null, 2 is our log (never the client: main() has put
 * /dev/null there if it was), 3 is the pipe; everything else of ours is
 * close-on-exec, and close_range() in the program sees to the rest.
 */
static int
set_actions(posix_spawn_file_actions_t *fa, int pipe_fd)
{
	if (posix_spawn_file_actions_addopen(fa, 0, "/dev/null", O_RDWR,
	    0) != 0 || posix_spawn_file_actions_adddup2(fa, 0, 1) != 0)
		return ERR_IO;
	/* dup2 onto itself clears close-on-exec here (POSIX 2024, glibc). */
	if (posix_spawn_file_actions_adddup2(fa, pipe_fd,
	    SPAWN_PIPE_FD) != 0)
		return ERR_IO;
	return 0;
}

static int
run(const char *path, char *const argv[], int pipe_fd, pid_t *ret_pid)
{
	static char *const empty[] = { NULL };
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none;
	int err, r;

	if (posix_spawn_file_actions_init(&fa) != 0)
		return ERR_IO;
	if (posix_spawnattr_init(&attr) != 0) {
		err = ERR_IO;
		goto done_actions;
	}
	sigemptyset(&none);
	err = set_actions(&fa, pipe_fd);
	if (err == 0 && (posix_spawnattr_setsigmask(&attr, &none) != 0 ||
	    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK) != 0))
		err = ERR_IO;
	if (err == 0) {
		r = posix_spawn(ret_pid, path, &fa, &attr, argv, empty);
		if (r != 0)
			err = err_from_errno(r);
	}
	(void)posix_spawnattr_destroy(&attr);	/* cannot fail */
done_actions:
	(void)posix_spawn_file_actions_destroy(&fa);
	return err;
}

static int ERR_CHECK
start(const char *dir, enum helper helper, const char *option, int *ret_pipe,
    pid_t *ret_pid)
{
	char *argv[3];
	struct buf path;
	const char *file;
	int ours, theirs, err;

	if ((err = msgpipe_pair(&ours, &theirs)) != 0)
		return err;
	buf_init(&path, PATH_TEXT_MAX);
	buf_puts(&path, dir);
	buf_putc(&path, '/');
	buf_puts(&path, programs[helper]);
	file = buf_cstr(&path);
	argv[0] = (char *)(uintptr_t)programs[helper];
	argv[1] = (char *)(uintptr_t)option;
	argv[2] = NULL;
	err = file == NULL ? ERR_LIMIT : run(file, argv, theirs, ret_pid);
	buf_done(&path);
	fdio_close(&theirs);
	if (err != 0)
		fdio_close(&ours);
	else
		*ret_pipe = ours;
	return err;
}

int
spawn_forker(const char *dir, enum helper helper, int *ret_pipe,
    pid_t *ret_pid)
{
	return start(dir, helper, "-f", ret_pipe, ret_pid);
}

/* Ask a forker for a process at the other end of a new pipe. */
static int ERR_CHECK
ask_forker(int forker, int *ret_pipe)
{
	int ours, theirs, err;

	if ((err = msgpipe_pair(&ours, &theirs)) != 0)
		return err;
	err = msgpipe_send(forker, MON_FORK, NULL, &theirs, 1,
	    deadline_in(FORKER_WAIT_MS));
	fdio_close(&theirs);
	if (err != 0)
		fdio_close(&ours);
	else
		*ret_pipe = ours;
	return err;
}

int
spawn_helper(const char *dir, enum helper helper, const struct forkers *forkers,
    int *ret_pipe, pid_t *ret_pid)
{
	/* A forker that has died is no reason to refuse service. */
	if (forkers != NULL && forkers->fd[helper] != -1 &&
	    ask_forker(forkers->fd[helper], ret_pipe) == 0) {
		*ret_pid = 0;
		return 0;
	}
	return start(dir, helper, NULL, ret_pipe, ret_pid);
}

void
spawn_forget(struct forkers *forkers)
{
	for (int i = 0; forkers != NULL && i < HELPER_COUNT; i++)
		fdio_close(&forkers->fd[i]);
}
