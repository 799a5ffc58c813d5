/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * usersindex.h: FILE.idx, which tells where in the users file a user's lines
 * are.
 *
 * The format, all integers big-endian:
 *
 *	offset	bytes
 *	0	8	"imapdui1": magic and version
 *	8	8	users file: inode
 *	16	8	size
 *	24	8	time of last change of its content, nanoseconds
 *	32	8	time of last change of its inode, nanoseconds
 *	40	8	count of entries
 *	48	16 each	hash of the user name, offset of the line; sorted by
 *			hash, then offset
 *
 * It is written whole under another name and renamed, so that a crash leaves
 * the old one or the new one, and perhaps a FILE.idx.new that the next maker
 * writes over.  An index is believed only if all that it says of the users file
 * is still so, and even then only where to look: the line found must begin a
 * line and name the user.  One that was not made again after an edit therefore
 * costs time, never a wrong answer.
 */
#ifndef AUTH_USERSINDEX_H
#define AUTH_USERSINDEX_H

#include <sys/stat.h>

#include <stddef.h>
#include <stdint.h>

#include "auth/usersfile.h"
#include "base/err.h"
#include "base/span.h"

/*
 * usersindex_find(users, st, user, ret_offset, max, ret_n): where the lines of
 * user begin in the file users, whose stat is st; at most max.  Offsets may be
 * those of other users with the same hash.  ERR_NOENT: no index; ERR_GONE: out
 * of date; ERR_CORRUPT; ERR_ACCESS: others may write to it.  Then search.
 */
int usersindex_find(const char *users, const struct stat *st, struct span user,
    uint64_t *ret_offset, size_t max, size_t *ret_n) ERR_CHECK;

struct usersindex_stats {
	uint64_t lines;		/* of the file */
	uint64_t users;		/* well-formed lines with a user */
	uint64_t malformed;
};

/*
 * usersindex_make(users, note, ret): write USERS.idx anew; every malformed line
 * is noted.  Waits up to a moment until the file's time is in the past, so that
 * a later edit is sure to be seen.  ERR_BUSY if the file keeps changing.
 */
int usersindex_make(const char *users, const struct usersfile_note *note,
    struct usersindex_stats *ret) ERR_CHECK;

/* usersindex_check(users, note, ret): the same without writing anything. */
int usersindex_check(const char *users, const struct usersfile_note *note,
    struct usersindex_stats *ret) ERR_CHECK;

#endif
