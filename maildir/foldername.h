/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * foldername.h: mailbox names and the names of their directories.
 *
 * One to one: what foldername_get() makes of a directory's name,
 * foldername_put() turns back into the same bytes, and two names never share a
 * directory.  The rules are at the top of foldername.c.
 */
#ifndef MAILDIR_FOLDERNAME_H
#define MAILDIR_FOLDERNAME_H

#include "base/arena.h"
#include "base/buf.h"
#include "maildir/maildir.h"

/*
 * foldername_level(conf, level, is_first, b): append one component as it is
 * stored.  ERR_NAME.
 */
int foldername_level(const struct maildir_conf *conf, struct span level,
    bool is_first, struct buf *b) ERR_CHECK;

/*
 * foldername_put(conf, path, b): append the directory's name relative to the
 * root: ".Foo.Bar" or "Foo/Bar".  Not for INBOX.  ERR_NAME.
 */
int foldername_put(const struct maildir_conf *conf,
    const struct maildir_path *path, struct buf *b) ERR_CHECK;

/*
 * foldername_get(conf, stored, arena, ret): the path for ".Foo.Bar" (Maildir++)
 * without the leading dot, or "Foo/Bar" (fs).  ERR_NAME: it is none.
 */
int foldername_get(const struct maildir_conf *conf, struct span stored,
    struct arena *arena, struct maildir_path *ret) ERR_CHECK;

#endif
