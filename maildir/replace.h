/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * replace.h: small files are never changed in place: new file, sync, rename,
 * sync of the directory.  A crash leaves the old file or the new one, and at
 * worst a temporary file that the next writer truncates.
 */
#ifndef MAILDIR_REPLACE_H
#define MAILDIR_REPLACE_H

#include <sys/types.h>

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/*
 * replace_file(dir, name, tmp, mode, text, sync): name becomes text, by way of
 * tmp in the same directory, which must be guarded by a lock that the caller
 * holds.  The file gets exactly mode.
 */
int replace_file(int dir, const char *name, const char *tmp, mode_t mode,
    struct span text, bool sync) ERR_CHECK;

/*
 * replace_read(dir, name, b): append the whole file, as far as b's ceiling
 * permits (ERR_LIMIT).  ERR_NOENT if there is none.
 */
int replace_read(int dir, const char *name, struct buf *b) ERR_CHECK;

/*
 * rename_new(fromdir, from, todir, to): move a file to a name that must not
 * exist: ERR_EXISTS if it does, and nothing has happened.
 */
int rename_new(int fromdir, const char *from, int todir, const char *to)
    ERR_CHECK;

/* sync_dir(fd, sync): what was linked, renamed and unlinked in it survives. */
int sync_dir(int fd, bool sync) ERR_CHECK;

#endif
