/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * sandbox_rlimit.c: limits of the kernel's own, and sandbox_enter().
 *
 * There is no limit on the address space: it would end sessions on large
 * mailboxes and stops no attack.
 */
#include <sys/resource.h>

#include <errno.h>

#include "base/log.h"
#include "imapd/process/config.h"
#include "imapd/process/sandbox.h"

#define LOGIN_FILES	16	/* descriptors; poll(2) refuses more than this
				 * many, so it cannot be zero */

static int
set_limit(__rlimit_resource_t what, rlim_t value)
{
	const struct rlimit limit = { value, value };

	return setrlimit(what, &limit) == -1 ? err_from_errno(errno) : 0;
}

int
sandbox_rlimit(enum sandbox_kind kind)
{
	int err;

	if (kind == SANDBOX_SESSION)
		return 0;	/* files are its work */
	/* Not RLIMIT_FSIZE: the log on stderr may be a file. */
	err = set_limit(RLIMIT_NOFILE, LOGIN_FILES);
	if (err == 0 && kind == SANDBOX_LOGIN)
		err = set_limit(RLIMIT_NPROC, 0);
	return err;
}

/* Whether to go on although a mechanism gave err. */
static int
judge(const char *what, int err, int mode, enum sandbox_kind kind)
{
	if (err == 0)
		return 0;
	if (err != ERR_UNSUPPORTED || mode == SANDBOX_REQUIRE) {
		log_begin(LOG_ERR, "sandbox-failed");
		log_str("what", what);
		log_err(err);
		log_end();
		return err;
	}
	/* Once per connection: the session's is the one to be seen. */
	log_begin(kind == SANDBOX_SESSION ? LOG_WARNING : LOG_DEBUG,
	    "sandbox-missing");
	log_str("what", what);
	log_end();
	return 0;
}

int
sandbox_enter(enum sandbox_kind kind, int mode,
    const struct sandbox_path *paths, size_t npaths)
{
	int err;

	if (mode == SANDBOX_NO)
		return 0;
	err = judge("rlimit", sandbox_rlimit(kind), mode, kind);
	/* A child of the forker inherits its Landlock domain. */
	if (err == 0)
		err = judge("landlock", sandbox_landlock(paths, npaths),
		    mode, kind);
	if (err == 0)
		err = judge("seccomp", sandbox_seccomp(kind), mode, kind);
	return err;
}

int
sandbox_tighten(int mode)
{
	int err;

	if (mode == SANDBOX_NO)
		return 0;
	err = judge("rlimit", sandbox_rlimit(SANDBOX_LOGIN), mode,
	    SANDBOX_LOGIN);
	if (err == 0)
		err = judge("seccomp", sandbox_seccomp(SANDBOX_LOGIN), mode,
		    SANDBOX_LOGIN);
	return err;
}
