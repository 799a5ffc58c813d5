/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * ctl.h: the verbs of imapctl, one file each.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include "auth/auth.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/buf.h"
#include "imapd/process/config.h"

/* Exit codes, of sysexits.h where it has one. */
enum ctl_exit {
	CTL_OK = 0,
	CTL_NO = 1,		/* the answer is no; something is wrong */
	CTL_USAGE = 64,
	CTL_FAILED = 74,	/* a file could not be read or written */
	CTL_CONFIG = 78
};

/* What a verb is given: what stands behind it on the command line. */
struct ctl {
	const struct config *conf;
	int argc;
	char **argv;
};

int ctl_check(const struct ctl *ctl);	/* exits 0, 1 or 2 */
int ctl_users(const struct ctl *ctl);
int ctl_passwd(const struct ctl *ctl);

/*
 * ctl_read_password(b): one line from the standard input, without its line end,
 * not echoed on a terminal; b is cleared first.
 */
int ctl_read_password(struct buf *b) ERR_CHECK;

/* ctl_auth_conf(conf, file, arena, ret): what auth_new() wants; file is the
 * users file, or NULL.  ctl_auth_note() is its note. */
void ctl_auth_conf(const struct config *conf, const char *file,
    struct arena *arena, struct auth_conf *ret);
void ctl_auth_note(void *cookie, const char *file, uint64_t line,
    const char *what);

/* ctl_say(format, ...): one line on the standard error. */
void ctl_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
