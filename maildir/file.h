/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * file.h: the files of messages that are there, found again when renamed.
 */
#ifndef MAILDIR_FILE_H
#define MAILDIR_FILE_H

#include "maildir/md.h"

/*
 * file_try(md, uid, fn, arg): run fn(dir, name, arg) on the file of a message.
 * It returns 0 or an errno value; for ENOENT the message is looked for under
 * its new name and fn runs again.  ERR_GONE: no longer there; ERR_BUSY: others
 * renamed it faster than we could look.
 */
int file_try(struct maildir *md, uint32_t uid,
    int (*fn)(int dir, const char *name, void *arg), void *arg) ERR_CHECK;

/* file_crlf_size(md, uid, ret): the size with each lone LF counted as CRLF;
 * from W= of the name, if S= makes it credible, else by reading it, once: it is
 * kept. */
int file_crlf_size(struct maildir *md, uint32_t uid, uint64_t *ret) ERR_CHECK;

#endif
