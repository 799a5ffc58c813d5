/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * usersfile.h: find the lines of one user in the users file.
 *
 * With an index (usersindex.h) that fits the file, a few dozen bytes are read
 * for it, however long the file is.  Without one, or when it is out of date,
 * the file is searched from its start; the result is the same.
 */
#ifndef AUTH_USERSFILE_H
#define AUTH_USERSFILE_H

#include <stddef.h>
#include <stdint.h>

#include "auth/usersline.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"

#define USERSFILE_LINES_MAX	64	/* lines of one user */

/* Told what the administrator should know: line 0 is the file as a whole. */
struct usersfile_note {
	void (*fn)(void *cookie, const char *file, uint64_t line,
	    const char *what);
	void *cookie;
};

struct usersfile;

/*
 * usersfile_open(path, note, ret): path must outlive it.  ERR_ACCESS, and a
 * note, if it is no regular file or if others than its owner and root may write
 * to it; errors of open(2).
 */
int usersfile_open(const char *path, const struct usersfile_note *note,
    struct usersfile **ret) ERR_CHECK;
void usersfile_close(struct usersfile *file);

/* The lines of a user, in the order of the file, in the arena. */
struct usersfile_lines {
	struct usersline *v;
	uint64_t *offset;	/* of each; for usersfile_note() */
	size_t n;
};

/*
 * usersfile_find(file, user, arena, ret): his lines; ERR_NOENT if there are
 * none, ERR_SYNTAX if none can be used.  A malformed line is noted with its
 * number and skipped; so are labelled lines behind a malformed main line,
 * because what it would have said (nologin) is not known, and a second line
 * without a label.
 */
int usersfile_find(struct usersfile *file, struct span user,
    struct arena *arena, struct usersfile_lines *ret) ERR_CHECK;

/* usersfile_first(file, arena, ret): the first well-formed line near the start
 * of the file; ERR_NOENT. */
int usersfile_first(struct usersfile *file, struct arena *arena,
    struct usersline *ret) ERR_CHECK;

/* usersfile_note(file, offset, what): note the line at this offset. */
void usersfile_note(struct usersfile *file, uint64_t offset, const char *what);

#endif
