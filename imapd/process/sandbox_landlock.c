/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * sandbox_landlock.c: which files may still be opened (Linux 5.13 and later).
 *
 * glibc has no wrappers for these system calls.  The structures are spelled out
 * here, because the kernel's header on the building machine may be older than
 * the kernel that runs; the kernel accepts longer and shorter ones.
 */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#include "base/fdio.h"
#include "imapd/process/sandbox.h"

#ifdef WITH_SANDBOX

#define NR_CREATE_RULESET	444	/* the same on every architecture */
#define NR_ADD_RULE		445
#define NR_RESTRICT_SELF	446
#define CREATE_VERSION		1u
#define RULE_PATH_BENEATH	1

enum {			/* LANDLOCK_ACCESS_FS_ */
	FS_EXECUTE = 1 << 0, FS_WRITE_FILE = 1 << 1, FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3, FS_REMOVE_DIR = 1 << 4, FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_CHAR = 1 << 6, FS_MAKE_DIR = 1 << 7, FS_MAKE_REG = 1 << 8,
	FS_MAKE_SOCK = 1 << 9, FS_MAKE_FIFO = 1 << 10,
	FS_MAKE_BLOCK = 1 << 11, FS_MAKE_SYM = 1 << 12,
	FS_REFER = 1 << 13,	/* version 2 */
	FS_TRUNCATE = 1 << 14,	/* version 3 */
	FS_IOCTL_DEV = 1 << 15	/* version 5 */
};

#define NET_ALL		3u	/* bind and connect, TCP; version 4 */
#define SCOPE_ALL	3u	/* abstract sockets, signals; version 6 */

struct ruleset_attr {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

struct path_attr {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));

/* What the kernel of this version can forbid: all of it. */
static struct ruleset_attr
everything(long version)
{
	struct ruleset_attr attr = { .fs = (1u << 13) - 1 };

	if (version >= 2)
		attr.fs |= FS_REFER;
	if (version >= 3)
		attr.fs |= FS_TRUNCATE;
	if (version >= 5)
		attr.fs |= FS_IOCTL_DEV;
	if (version >= 4)
		attr.net = NET_ALL;
	if (version >= 6)
		attr.scoped = SCOPE_ALL;
	return attr;
}

static uint64_t
wanted_access(const struct sandbox_path *p, bool is_dir)
{
	uint64_t access = FS_READ_FILE;

	if (is_dir)
		access |= FS_READ_DIR;
	if (p->is_writable)
		access |= FS_WRITE_FILE | FS_TRUNCATE;
	if (p->is_writable && is_dir)
		access |= FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR |
		    FS_MAKE_REG | FS_MAKE_SYM | FS_REFER;
	return access;
}

static int ERR_CHECK
add_path(int ruleset, const struct sandbox_path *p, uint64_t handled)
{
	struct path_attr attr;
	struct stat st;
	int fd, err = 0;

	fd = open(p->path, O_PATH | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT || errno == EACCES ||
		    errno == ENOTDIR ? 0 : err_from_errno(errno);
	if (fstat(fd, &st) == -1) {
		err = err_from_errno(errno);
	} else {
		attr.access = wanted_access(p, S_ISDIR(st.st_mode)) & handled;
		attr.fd = fd;
		if (syscall(NR_ADD_RULE, ruleset, RULE_PATH_BENEATH, &attr,
		    0) == -1)
			err = err_from_errno(errno);
	}
	fdio_close(&fd);
	return err;
}

int
sandbox_landlock(const struct sandbox_path *paths, size_t npaths)
{
	struct ruleset_attr attr;
	long version;
	int ruleset, err = 0;

	version = syscall(NR_CREATE_RULESET, NULL, 0, CREATE_VERSION);
	/* Version 1 forbids every rename from one directory to another, which
	 * is what a Maildir is made of. */
	if (version < 1 || (version < 2 && npaths > 0))
		return ERR_UNSUPPORTED;
	attr = everything(version);
	ruleset = (int)syscall(NR_CREATE_RULESET, &attr, sizeof(attr), 0);
	if (ruleset == -1 && errno == E2BIG)	/* older: knows less fields */
		ruleset = (int)syscall(NR_CREATE_RULESET, &attr,
		    version < 4 ? sizeof(attr.fs) : 2 * sizeof(attr.fs), 0);
	if (ruleset == -1)
		return err_from_errno(errno);
	for (size_t i = 0; i < npaths && err == 0; i++)
		err = add_path(ruleset, &paths[i], attr.fs);
	if (err == 0 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    syscall(NR_RESTRICT_SELF, ruleset, 0) == -1))
		err = err_from_errno(errno);
	fdio_close(&ruleset);
	return err;
}

#else

int
sandbox_landlock(const struct sandbox_path *paths, size_t npaths)
{
	(void)paths;
	(void)npaths;
	return ERR_UNSUPPORTED;
}

#endif
