/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * folder.h: the directories of mailboxes, inside this folder; the rest of
 * folder.c is declared in maildir.h.
 */
#ifndef MAILDIR_FOLDER_H
#define MAILDIR_FOLDER_H

#include <sys/types.h>

#include "maildir/maildir.h"
#include "maildir/store.h"

/*
 * folder_open_dir(store, path, ret_fd, ret_path): the directory of a mailbox
 * and its absolute path (to be freed).  ERR_NOENT: there is no such mailbox.
 */
int folder_open_dir(struct maildir_store *store,
    const struct maildir_path *path, int *ret_fd, char **ret_path) ERR_CHECK;

/* folder_open_control(store, path, mode, ret_fd): where its uidlist is kept;
 * made if it is missing. */
int folder_open_control(struct maildir_store *store,
    const struct maildir_path *path, mode_t mode, int *ret_fd) ERR_CHECK;

/* folder_is_taken(s): a name at the top of an fs layout that belongs to a file
 * of ours, or of another program's. */
bool folder_is_taken(struct span s);

/* folder_remove(at, name): a directory and what is in it, as far as it goes. */
void folder_remove(int at, const char *name);

/* folder_rename_dir(): like rename_new(), for directories, which have no
 * link(2) to fall back to. */
int folder_rename_dir(int fromdir, const char *from, int todir, const char *to)
    ERR_CHECK;

/* folder_make_parents(at, name, mode): for "a/b/c", a and a/b. */
int folder_make_parents(int at, const char *name, mode_t mode) ERR_CHECK;

/* The names of directories that are not (yet, or any more) mailboxes. */
#define FOLDER_NEW	"..imapd-new."
#define FOLDER_TRASH	"..imapd-trash."

#endif
