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

/* is_folder_taken(s): a name that is no mailbox in the fs layout, at no level:
 * cur, new and tmp, and the files that lie beside them. */
bool is_folder_taken(struct span s);

/*
 * A crash leaves directories that are no mailboxes any more, or not yet, of
 * ours and of Dovecot's.  is_folder_relic(): by its name, this may be one.
 * folder_remove_relics() removes those at the top that have been left alone for
 * an hour, as far as it goes.
 */
bool is_folder_relic(struct span name);
void folder_remove_relics(struct maildir_store *store);

/* folder_control_name(store, path, b): what that directory is called, below the
 * control directory.  ERR_NAME. */
int folder_control_name(const struct maildir_store *store,
    const struct maildir_path *path, struct buf *b) ERR_CHECK;

/* folder_remove(at, name): a directory and what is in it, as far as it goes. */
void folder_remove(int at, const char *name);

/* folder_stored_name(store, path, b): initialises b, and puts the directory's
 * name there as a C string.  ERR_NAME. */
int folder_stored_name(const struct maildir_store *store,
    const struct maildir_path *path, struct buf *b) ERR_CHECK;

/* folder_hidden_name(store, prefix, b): initialises b; FOLDER_NEW or
 * FOLDER_TRASH and what makes it unique. */
void folder_hidden_name(struct maildir_store *store, const char *prefix,
    struct buf *b);

/* folder_make_dir(at, name, mode): with exactly that mode. */
int folder_make_dir(int at, const char *name, mode_t mode) ERR_CHECK;

/* folder_discard(store, path): take back a mailbox that was made a moment ago;
 * it stays if a message has come into it. */
void folder_discard(struct maildir_store *store,
    const struct maildir_path *path);

/* folder_rename_dir(): like rename_new(), for directories, which have no
 * link(2) to fall back to. */
int folder_rename_dir(int fromdir, const char *from, int todir, const char *to)
    ERR_CHECK;

/* folder_make_parents(at, name, mode): for "a/b/c", a and a/b. */
int folder_make_parents(int at, const char *name, mode_t mode) ERR_CHECK;

/* folder_remove_parents(at, name): the reverse, as far as they are empty. */
void folder_remove_parents(int at, const char *name);

/* folder_sync(at, name, sync): what was made, renamed or removed at "a/b/c"
 * survives: at, a and a/b as far as they are there. */
int folder_sync(int at, const char *name, bool sync) ERR_CHECK;

/* The names of directories that are not (yet, or any more) mailboxes. */
#define FOLDER_NEW	"..imapd-new."
#define FOLDER_TRASH	"..imapd-trash."
#define FOLDER_DOVECOT	"..DOVECOT-TRASHED"

#endif
