/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * build.h: a picture of the whole mailbox from its two directories and the
 * uidlist.
 */
#ifndef MAILDIR_BUILD_H
#define MAILDIR_BUILD_H

#include "maildir/md.h"

/*
 * build_picture(md, ret): read everything; give UIDs to files that have none
 * and, unless md is read-only, move new/ to cur/, both under the lock, which is
 * only taken if there is something to do.  md->ul, the directory times and
 * md->uidnext are set; md->pic is not touched.
 */
int build_picture(struct maildir *md, struct picture *ret) ERR_CHECK;

/*
 * What is given a UID, and the writing of it: also for messages that arrive one
 * by one.  build_number(md, p, s, shift, lines): for each entry of s without
 * UID, in order, a message in p; their records are appended to lines.  The
 * names of s lie, or will lie, in p's pool from offset shift on.
 */
int build_number(struct maildir *md, struct picture *p, struct scan *s,
    uint32_t shift, struct buf *lines) ERR_CHECK;

/* build_header(md): the header's values for a list that is new or lacks
 * them. */
int build_header(struct maildir *md) ERR_CHECK;

/* build_write(md, p, lines): record what build_number() gave out; rewrite the
 * whole list from p if appending is not allowed. */
int build_write(struct maildir *md, const struct picture *p,
    const struct buf *lines, bool want_rewrite) ERR_CHECK;

/* build_move_new(md, p, first, ret_again): move the messages from number first
 * on from new/ to cur/.  *ret_again: one was not there any more. */
int build_move_new(struct maildir *md, struct picture *p, size_t first,
    bool *ret_again) ERR_CHECK;

#endif
