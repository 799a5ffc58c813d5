/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * snapshot.h: imapd.index: the picture of a mailbox at rest, so that opening it
 * again reads no directory.
 */
#ifndef MAILDIR_SNAPSHOT_H
#define MAILDIR_SNAPSHOT_H

#include "maildir/md.h"

/*
 * snapshot_load(md, ret): the picture, if the snapshot is that of the
 * directories and of the uidlist as they are now; md->ul, the directory times
 * and md->uidnext are set as by build_picture().  ERR_NOENT: look yourself.
 */
int snapshot_load(struct maildir *md, struct picture *ret) ERR_CHECK;

/* snapshot_save(md): write one, if md's picture is worth it and certainly that
 * of the directories as they are.  It is a cache: failures do not matter. */
void snapshot_save(struct maildir *md);

#endif
