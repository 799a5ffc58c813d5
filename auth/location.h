/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * location.h: Dovecot's mail locations, taken apart.
 *
 *	maildir:~/Maildir:LAYOUT=fs:CONTROL=/var/control/jane:INBOX=~/Inbox
 *
 * auth/ does not know maildir/, so these are plain fields; the caller makes of
 * them what maildir.h wants.
 */
#ifndef AUTH_LOCATION_H
#define AUTH_LOCATION_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"

enum location_layout { LOCATION_MAILDIRPP, LOCATION_FS };

/* Paths are absolute; NULL where nothing was said. */
struct location {
	const char *root;	/* never NULL */
	const char *inbox;	/* INBOX= */
	const char *control;	/* CONTROL= */
	const char *index;	/* INDEX= */
	const char *subscriptions; /* SUBSCRIPTIONS=: a file name */
	const char *dirname;	/* DIRNAME=: a file name */
	enum location_layout layout;
	bool is_utf8;		/* UTF-8 */
	bool is_index_memory;	/* INDEX=MEMORY: keep none */
	char broken_char;	/* BROKENCHAR=; 0: none */
};

/*
 * location_parse(text, home, arena, ret): text has no %variables left; "~/" is
 * home.  In arena: the strings.  ERR_UNSUPPORTED for a format that is not
 * Maildir or an option we do not have; ERR_NAME for a path that is not absolute
 * and a file name with a slash; ERR_SYNTAX otherwise.
 */
int location_parse(struct span text, struct span home, struct arena *arena,
    struct location *ret) ERR_CHECK;

#endif
