/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * merge.h: a mailbox that has been read anew, compared with what was known.
 */
#ifndef MAILDIR_MERGE_H
#define MAILDIR_MERGE_H

#include "maildir/md.h"

/*
 * merge_picture(md, now, next): md's picture becomes now, which is newer; what
 * is different is news and not on record.  Messages with a UID below next that
 * were not in the picture are left out.
 */
void merge_picture(struct maildir *md, struct picture *now, uint32_t next);

#endif
