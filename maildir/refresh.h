/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * refresh.h: bring the picture up to date.
 */
#ifndef MAILDIR_REFRESH_H
#define MAILDIR_REFRESH_H

#include "maildir/md.h"

/* refresh(md): look for changes, cheapest test first; they go to md->news. */
int refresh(struct maildir *md) ERR_CHECK;

/*
 * refresh_names(md): where are the files of the messages we know?  Messages
 * that are not found keep their old names; nothing is added or removed.
 * Changed flags go to md->news.
 */
int refresh_names(struct maildir *md) ERR_CHECK;

#endif
