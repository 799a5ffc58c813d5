/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * DELETE.
 *
 * A mailbox is renamed to a name that is none (it begins with ".."), and
 * emptied after that: at every moment it is there as a whole or not at all.  In
 * the fs layout its children live inside and stay, so it is cur/ that is
 * renamed: without it the directory is only a parent.
 *
 * CRASH STATES
 *	..imapd-trash.*		a deletion that was not finished: removed by a
 *				LIST or DELETE when it is an hour old
 *	..DOVECOT-TRASHED	Dovecot's: likewise
 *	fs: cur/ is gone, the	no mailbox any more; the next CREATE finishes
 *	rest is there		what is missing, the next DELETE removes it
 *	fs: empty parents	listed as such; DELETE removes them
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/fdio.h"
#include "maildir/folder.h"
#include "maildir/journal.h"
#include "maildir/quota.h"
#include "maildir/replace.h"
#include "maildir/step.h"

#define EMPTY_DEPTH	4u	/* of what is inside ..DOVECOT-TRASHED */
#define RELICS_AGE	3600	/* seconds before we clean up after others */

/* ---- what is hidden goes --------------------------------------------- */

static void
empty(int fd, unsigned depth)
{
	struct dirent *d;
	DIR *dp;
	int sub;

	if (open_list(fd, ".", &dp) != 0)
		return;
	while ((d = readdir(dp)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, d->d_name, 0) == 0 || depth == 0)
			continue;
		sub = openat(fd, d->d_name, O_RDONLY | O_DIRECTORY |
		    O_NOFOLLOW | O_CLOEXEC);
		if (sub < 0)
			continue;
		empty(sub, depth - 1);
		fdio_close(&sub);
		(void)unlinkat(fd, d->d_name, AT_REMOVEDIR);	/* or later */
	}
	(void)closedir(dp);
}

void
folder_remove(int at, const char *name)
{
	int fd;

	if (unlinkat(at, name, 0) == 0)		/* a symbolic link */
		return;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	empty(fd, EMPTY_DEPTH);
	fdio_close(&fd);
	/* What is left has a name that is no mailbox, and is tried again. */
	(void)unlinkat(at, name, AT_REMOVEDIR);
}

bool
is_folder_relic(struct span name)
{
	return has_prefix(name, SPAN(FOLDER_NEW)) ||
	    has_prefix(name, SPAN(FOLDER_TRASH)) ||
	    is_span_eq(name, SPAN(FOLDER_DOVECOT));
}

void
folder_remove_relics(struct maildir_store *store)
{
	struct timespec now;
	struct dirent *d;
	struct stat st;
	DIR *dp;

	if (open_list(store->root, ".", &dp) != 0)
		return;
	(void)clock_gettime(CLOCK_REALTIME, &now);	/* cannot fail */
	while ((d = readdir(dp)) != NULL)
		if (is_folder_relic(span_str(d->d_name)) &&
		    fstatat(store->root, d->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) == 0 &&
		    st.st_ctim.tv_sec + RELICS_AGE < now.tv_sec)
			folder_remove(store->root, d->d_name);
	(void)closedir(dp);
}

/* ---- the fs layout --------------------------------------------------- */

static bool
is_own_dir(const char *name)
{
	return strcmp(name, "cur") == 0 || strcmp(name, "new") == 0 ||
	    strcmp(name, "tmp") == 0;
}

/* Everything that is no child: all files, and the two other directories. */
static void
take_rest(int from, int to)
{
	struct dirent *d;
	DIR *dp;

	if (open_list(from, ".", &dp) != 0)
		return;
	while ((d = readdir(dp)) != NULL)
		/* It is no mailbox any more whatever stays. */
		if (d->d_type == DT_REG || is_own_dir(d->d_name))
			(void)renameat(from, d->d_name, to, d->d_name);
	(void)closedir(dp);
}

/* A symbolic link to a mailbox without children: then, as in Maildir++, it is
 * the link that is deleted. */
static bool
is_plain_link(int at, const char *name)
{
	struct dirent *d;
	struct stat st;
	bool ret = true;
	DIR *dp;

	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISLNK(st.st_mode) || open_list(at, name, &dp) != 0)
		return false;
	while (ret && (d = readdir(dp)) != NULL)
		ret = d->d_type == DT_REG || d->d_name[0] == '.' ||
		    is_own_dir(d->d_name);
	(void)closedir(dp);
	return ret;
}

/* A mailbox that lies on another file system: it is hidden there. */
static int
take_here(int from, const char *trash)
{
	int to, r;

	r = folder_make_dir(from, trash, 0700);
	if (r != 0)
		return r;
	r = open_dir(from, trash, &to);
	if (r == 0 && renameat(from, "cur", to, "cur") != 0)
		r = err_from_errno(errno);
	if (r == 0)
		take_rest(from, to);
	fdio_close(&to);
	folder_remove(from, trash);
	return r;
}

static int
take_inside(struct maildir_store *store, const char *name, const char *trash)
{
	int from, to = -1, r;

	r = open_dir(store->root, name, &from);
	if (r != 0)
		return r;
	r = folder_make_dir(store->root, trash, 0700);
	if (r == 0)
		r = open_dir(store->root, trash, &to);
	if (r == 0 && renameat(from, "cur", to, "cur") != 0)
		r = err_from_errno(errno);
	step("delete-hidden");
	if (r == 0)
		take_rest(from, to);
	else if (r == ERR_CROSSDEV)
		r = take_here(from, trash);
	fdio_close(&from);
	fdio_close(&to);
	if (r != 0) {
		(void)unlinkat(store->root, trash, AT_REMOVEDIR);
		return r;
	}
	(void)unlinkat(store->root, name, AT_REMOVEDIR);	/* or parent */
	return 0;
}

/* A directory without cur/, as crashes leave it, or mkdir(1): there is nothing
 * that could be lost if it is empty. */
static int
remove_parent(struct maildir_store *store, const char *name)
{
	int fd, r;

	r = open_dir(store->root, name, &fd);
	if (r != 0)
		return r;
	(void)unlinkat(fd, "tmp", AT_REMOVEDIR);	/* if they are empty */
	(void)unlinkat(fd, "new", AT_REMOVEDIR);
	(void)unlinkat(fd, UIDLIST_FILE, 0);
	fdio_close(&fd);
	/* With children it is what maildir_exists() said. */
	if (unlinkat(store->root, name, AT_REMOVEDIR) != 0)
		return errno == ENOTEMPTY || errno == EEXIST ? ERR_NOENT :
		    err_from_errno(errno);
	return 0;
}

/* ---- any layout ------------------------------------------------------ */

/* What lies with the UID list when that is kept elsewhere. */
static void
remove_control(struct maildir_store *store, const char *name)
{
	static const char *const files[] = {
		UIDLIST_FILE, KEYWORDS_FILE, INDEX_FILE, INDEX_TMP,
		JOURNAL_FILE, JOURNAL_TMP, "imapd.cache"
	};
	int fd;

	if (store->conf.control == NULL ||
	    open_dir(store->control, name, &fd) != 0)
		return;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		(void)unlinkat(fd, files[i], 0);	/* if it is there */
	fdio_close(&fd);
	if (unlinkat(store->control, name, AT_REMOVEDIR) == 0)
		folder_remove_parents(store->control, name);
}

static int
hide(struct maildir_store *store, const struct maildir_path *path,
    const char *name, const char *trash)
{
	bool is_fs = store->conf.layout == MAILDIR_FS;
	int r = maildir_exists(store, path);

	if (r == ERR_NOENT && is_fs)
		return remove_parent(store, name);
	if (r != 0)
		return r;
	if (is_fs && !is_plain_link(store->root, name))
		return take_inside(store, name, trash);
	return folder_rename_dir(store->root, name, store->root, trash);
}

int
maildir_delete(struct maildir_store *store, const struct maildir_path *path)
{
	struct buf name, trash;
	int r;

	if (is_maildir_inbox(path))
		return ERR_NAME;
	folder_hidden_name(store, FOLDER_TRASH, &trash);
	r = folder_stored_name(store, path, &name);
	quota_begin(store);
	if (r == 0)
		r = hide(store, path, buf_cstr(&name), buf_cstr(&trash));
	if (r == 0) {
		step("delete-renamed");
		/* Parents that have nothing else go with their last child. */
		folder_remove_parents(store->root, buf_cstr(&name));
		r = folder_sync(store->root, buf_cstr(&name),
		    store->conf.fsync);
		remove_control(store, buf_cstr(&name));
		quota_remove_mailbox(store, buf_cstr(&trash));
		folder_remove(store->root, buf_cstr(&trash));
		folder_remove_relics(store);
	}
	buf_done(&trash);
	buf_done(&name);
	return r;
}

void
folder_discard(struct maildir_store *store, const struct maildir_path *path)
{
	char *name;
	int fd, r;

	if (folder_open_dir(store, path, &fd, &name) != 0)
		return;
	free(name);
	/* rmdir is the only test for "empty" that is still true when it has
	 * been acted upon. */
	r = unlinkat(fd, "new", AT_REMOVEDIR);
	if (r == 0 && unlinkat(fd, "cur", AT_REMOVEDIR) != 0) {
		r = -1;
		(void)mkdirat(fd, "new", 0700);	/* or by the next opener */
	}
	/* The fs layout wants to see it once more. */
	if (r == 0 && mkdirat(fd, "cur", 0700) == 0 &&
	    maildir_delete(store, path) != 0)
		(void)mkdirat(fd, "new", 0700);		/* an empty mailbox */
	fdio_close(&fd);
}
