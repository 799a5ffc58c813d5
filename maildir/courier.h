/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * courier.h: the keywords of a mailbox that Courier served until now.
 */
#ifndef MAILDIR_COURIER_H
#define MAILDIR_COURIER_H

#include "maildir/md.h"

/*
 * courier_take_keywords(md): if there is no dovecot-keywords but Courier's
 * directory of keywords: record the names, and set the letters of the messages
 * in md's picture.  Courier's files stay as they are.  Nothing to take over, or
 * a mailbox that cannot be written: 0.
 */
int courier_take_keywords(struct maildir *md) ERR_CHECK;

#endif
