/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * probe: what a sandboxed process can still do.  Enters a sandbox through the
 * functions that imapd's programs use, then tries one thing:
 *
 *	probe login|forked|session|session-nobody MAIL THING [ARGUMENT]
 *
 * and prints "allowed" or "refused ERRNO"; killed by SIGSYS it prints nothing.
 */
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "imapd/process/config.h"
#include "imapd/process/privsep.h"
#include "imapd/process/sandbox.h"

#define NOBODY	65534

/* Each gives what its system call gave: -1 and errno, or something else. */

static long
try_read(const char *path)
{
	char c;
	int fd = open(path, O_RDONLY);

	return fd == -1 ? -1 : read(fd, &c, 1);
}

static long
try_write(const char *path)
{
	return open(path, O_WRONLY | O_CREAT, 0600);
}

static long
try_socket(const char *arg)
{
	(void)arg;
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long
try_unix_socket(const char *arg)
{
	(void)arg;
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long
try_execve(const char *arg)
{
	char *const argv[] = { NULL };

	(void)arg;
	return execve("/bin/true", argv, argv);
}

static long
try_ptrace(const char *arg)
{
	(void)arg;
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static long
try_fork(const char *arg)
{
	pid_t pid = fork();

	(void)arg;
	if (pid == 0)
		_exit(0);
	return pid;
}

static long
try_kill(const char *arg)
{
	(void)arg;
	return syscall(SYS_kill, getppid(), SIGURG);	/* harmless */
}

static long
try_tgkill(const char *arg)
{
	(void)arg;
	return syscall(SYS_tgkill, getppid(), getppid(), SIGURG);
}

/* What abort() does. */
static long
try_raise(const char *arg)
{
	(void)arg;
	return syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGURG);
}

/* Signals by way of O_ASYNC. */
static long
try_setown(const char *arg)
{
	(void)arg;
	return fcntl(STDOUT_FILENO, F_SETOWN, getppid());
}

/* Whether a process lives, as for stale locks: the only kill() in a session. */
static long
try_alive(const char *arg)
{
	(void)arg;
	return syscall(SYS_kill, getpid(), 0);
}

static long
try_setuid(const char *arg)
{
	(void)arg;
	return setuid(0);
}

static long
try_code(const char *arg)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)arg;
	return p == MAP_FAILED ? -1 : 0;
}

static long
try_memory(const char *arg)
{
	void *p = malloc(10 * 1024 * 1024);

	(void)arg;
	if (p == NULL)
		return -1;
	memset(p, 1, 10 * 1024 * 1024);
	free(p);
	return 0;
}

/* new/ to cur/, as every session does. */
static long
try_rename(const char *mail)
{
	char from[4096], to[4096];
	int fd;

	(void)snprintf(from, sizeof(from), "%s/new/1.probe", mail);
	(void)snprintf(to, sizeof(to), "%s/cur/1.probe:2,S", mail);
	if ((fd = open(from, O_WRONLY | O_CREAT, 0600)) == -1 ||
	    fsync(fd) == -1 || rename(from, to) == -1)
		return -1;
	return unlink(to);
}

static long
try_escape(const char *arg)
{
	(void)arg;
	return chroot("/");
}

static const struct {
	const char *name;
	long (*run)(const char *arg);
} things[] = {
	{ "read", try_read }, { "write", try_write },
	{ "socket", try_socket }, { "unix-socket", try_unix_socket },
	{ "execve", try_execve }, { "ptrace", try_ptrace },
	{ "fork", try_fork }, { "kill", try_kill },
	{ "tgkill", try_tgkill }, { "raise", try_raise },
	{ "setown", try_setown },
	{ "alive", try_alive }, { "setuid", try_setuid },
	{ "code", try_code }, { "memory", try_memory },
	{ "rename", try_rename }, { "chroot", try_escape },
};

static void
check(int err, const char *what)
{
	if (err == 0)
		return;
	printf("cannot %s: %s\n", what, err_text(err));
	exit(2);
}

/* As image.c and handoff.c do it. */
static void
enter(const char *kind, const char *mail)
{
	const struct sandbox_path paths[] = {
		{ mail, 1 }, { "/etc/localtime", 0 },
	};

	if (geteuid() == 0 && strcmp(kind, "session") != 0)
		check(privsep_become(NOBODY, NOBODY, NULL, 0, NULL),
		    "become nobody");
	check(privsep_harden(), "harden");
	if (strncmp(kind, "session", 7) == 0) {
		check(sandbox_enter(SANDBOX_SESSION, SANDBOX_REQUIRE, paths, 2),
		    "enter the sandbox");
	} else if (strcmp(kind, "forked") == 0) {
		check(sandbox_enter(SANDBOX_FORKER, SANDBOX_REQUIRE, NULL, 0),
		    "enter the sandbox");
		check(sandbox_tighten(SANDBOX_REQUIRE), "tighten");
	} else {
		check(sandbox_enter(SANDBOX_LOGIN, SANDBOX_REQUIRE, NULL, 0),
		    "enter the sandbox");
	}
}

int
main(int argc, char *argv[])
{
	char line[64];
	long r;
	int n;

	if (argc < 4)
		return 2;
	log_open(LOG_TO_STDERR, "probe", LOG_DEBUG);
	enter(argv[1], argv[2]);
	for (size_t i = 0; i < sizeof(things) / sizeof(things[0]); i++) {
		if (strcmp(argv[3], things[i].name) != 0)
			continue;
		r = things[i].run(argc > 4 ? argv[4] : argv[2]);
		n = r == -1 ? snprintf(line, sizeof(line), "refused %d\n",
		    errno) : snprintf(line, sizeof(line), "allowed\n");
		(void)!write(STDOUT_FILENO, line, (size_t)n);
		return 0;
	}
	return 2;
}
