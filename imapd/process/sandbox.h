/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * sandbox.h: what a process can no longer do.  One interface, one mechanism per
 * file: seccomp (which system calls), Landlock (which files), rlimits.
 *
 * The privileges themselves are given up before, in privsep.h.
 */
#ifndef IMAPD_PROCESS_SANDBOX_H
#define IMAPD_PROCESS_SANDBOX_H

#include <stddef.h>

#include "base/err.h"

enum sandbox_kind {
	SANDBOX_FORKER,		/* waits for connections and forks: may become
				 * SANDBOX_LOGIN in the child */
	SANDBOX_LOGIN,		/* imapd-login, imapd-tls: no file, no socket,
				 * no process */
	SANDBOX_SESSION		/* files of one user */
};

/* A tree that a session may use. */
struct sandbox_path {
	const char *path;	/* what is not there is left out */
	int is_writable;
};

/*
 * sandbox_enter(kind, mode, paths, npaths): mode is enum config_sandbox.  With
 * "yes" what the kernel lacks is logged (event sandbox-missing) and we go on;
 * with "require" the result is ERR_UNSUPPORTED.  No file but those of paths can
 * be opened afterwards, whatever the mode of the file.
 */
int sandbox_enter(enum sandbox_kind kind, int mode,
    const struct sandbox_path *paths, size_t npaths) ERR_CHECK;

/* sandbox_tighten(mode): in a child of a SANDBOX_FORKER, which has the rest
 * already: become SANDBOX_LOGIN. */
int sandbox_tighten(int mode) ERR_CHECK;

/* The mechanisms.  ERR_UNSUPPORTED: the kernel does not have it. */
int sandbox_seccomp(enum sandbox_kind kind) ERR_CHECK;
int sandbox_landlock(const struct sandbox_path *paths, size_t npaths)
    ERR_CHECK;
int sandbox_rlimit(enum sandbox_kind kind) ERR_CHECK;

#endif
