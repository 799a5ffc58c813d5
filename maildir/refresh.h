/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * refresh.h: bring the picture up to date with what others have done.
 */
#ifndef MAILDIR_REFRESH_H
#define MAILDIR_REFRESH_H

#include "maildir/md.h"

/* refresh(md): the cheapest look that finds everything; what it finds is news,
 * and on record. */
int refresh(struct maildir *md) ERR_CHECK;

/*
 * refresh_new(md, lk, ret_look): the same where cur/ is known to be unchanged:
 * only new/ is read.  lk is taken if need be, and left to the caller.
 * *ret_look: that does not suffice.
 */
int refresh_new(struct maildir *md, struct lock *lk, bool *ret_look)
    ERR_CHECK;

/* refresh_own(md): take in the events of what this session has done, but no
 * arrivals: md is about to be closed. */
void refresh_own(struct maildir *md);

/* No event is waiting.  md has a watch. */
bool is_refresh_quiet(const struct maildir *md);

/* refresh_heal(md): a name that the index file gave led nowhere: if the file is
 * damaged, have a picture that is not of it. */
int refresh_heal(struct maildir *md) ERR_CHECK;

/* refresh_check(md, uids, n): the same before names of these messages are used
 * where a picture must not change: under the lock, in the middle of a plan. */
int refresh_check(struct maildir *md, const uint32_t *uids, size_t n)
    ERR_CHECK;

/* refresh_names(md): look for all messages under other names; UIDs are not
 * touched. */
int refresh_names(struct maildir *md) ERR_CHECK;

#endif
