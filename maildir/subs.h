/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * subs.h: the file of subscriptions; what sessions want of it is in maildir.h.
 */
#ifndef MAILDIR_SUBS_H
#define MAILDIR_SUBS_H

#include "maildir/maildir.h"

/*
 * subs_check(store, found, arg): found() for each line, counted from 1, that is
 * no name (ERR_NAME) or repeats one (ERR_EXISTS).  No file is no error.
 */
int subs_check(struct maildir_store *store,
    void (*found)(void *arg, size_t line, int err), void *arg) ERR_CHECK;

#endif
