/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/mem.h"
#include "maildir/folder.h"
#include "maildir/store.h"

#define TMP_LOOK	(7 * 24 * 3600)	/* seconds */
#define TMP_AGE		(36 * 3600)
#define CONTROL_BYTES	4096u	/* of a directory's name */

mode_t
mode_for_file(mode_t dir_mode)
{
	return (dir_mode & 0666) | 0600;
}

mode_t
mode_for_dir(mode_t dir_mode)
{
	return (dir_mode & 02777) | 0700;
}

/* ESTALE, of a directory: not one message, but the disk below is gone. */
static int
dir_err(int errnum)
{
	return errnum == ESTALE ? ERR_UNAVAIL : err_from_errno(errnum);
}

int
open_dir(int at, const char *name, int *ret)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return dir_err(errno);
	*ret = fd;
	return 0;
}

int
store_check(const struct maildir_store *store)
{
	struct stat st;

	if (fstat(store->root, &st) != 0)
		return dir_err(errno);
	return st.st_nlink == 0 ? ERR_UNAVAIL : 0;
}

int
store_err(const struct maildir_store *store, int r)
{
	return r == ERR_NOENT && store_check(store) != 0 ? ERR_UNAVAIL : r;
}

/*
 * The root is missing.  A user who has no mail yet: his home is there and his,
 * and the Maildir may be made.  Anything else looks like a disk that is not
 * mounted, and must not turn into an empty INBOX.
 */
static int
make_root(const char *root)
{
	struct span s = span_str(root);
	size_t slash;
	char *parent;
	struct stat st;
	int r = ERR_UNAVAIL;

	while (s.n > 1 && s.p[s.n - 1] == '/')
		s.n--;
	slash = span_rfind(s, '/');
	if (slash == s.n)
		return ERR_UNAVAIL;
	parent = mem_dup(slash == 0 ? "/" : root, slash == 0 ? 1 : slash);
	if (stat(parent, &st) == 0 && S_ISDIR(st.st_mode) &&
	    st.st_uid == geteuid())
		r = mkdir(root, 0700) == 0 || errno == EEXIST ? 0 :
		    err_from_errno(errno);
	free(parent);
	return r;
}

/*
 * A root without cur/ becomes an INBOX when that is opened.  One in which
 * nothing can be made is a bare mount point: the mail is elsewhere.
 */
static int
check_root(const struct maildir_store *store)
{
	struct stat st;

	if (store->conf.inbox != NULL ||
	    fstatat(store->root, "cur", &st, 0) == 0)
		return 0;
	return errno == ENOENT && faccessat(store->root, ".", W_OK, 0) != 0 ?
	    ERR_UNAVAIL : 0;
}

static int
open_root(struct maildir_store *store)
{
	int r = open_dir(AT_FDCWD, store->conf.root, &store->root);

	if (r == ERR_NOENT && store->conf.create) {
		r = make_root(store->conf.root);
		if (r == 0)
			r = open_dir(AT_FDCWD, store->conf.root, &store->root);
	}
	if (r == ERR_NOENT)
		return ERR_UNAVAIL;
	if (r == 0)
		r = check_root(store);
	if (r != 0)
		return r;
	if (store->conf.inbox != NULL && store->conf.create &&
	    access(store->conf.inbox, F_OK) != 0)
		(void)make_root(store->conf.inbox);	/* or no INBOX yet */
	if (store->conf.control == NULL) {
		store->control = store->root;
		return 0;
	}
	if (mkdir(store->conf.control, 0700) != 0 && errno != EEXIST)
		return err_from_errno(errno);
	return open_dir(AT_FDCWD, store->conf.control, &store->control);
}

static char *
dup_or_null(const char *s)
{
	return s == NULL ? NULL : mem_strdup(s);
}

int
maildir_store_open(const struct maildir_conf *conf,
    struct maildir_store **ret_store)
{
	struct maildir_store *store = mem_zalloc(sizeof(*store));
	int r;

	store->conf = *conf;
	store->conf.root = mem_strdup(conf->root);
	store->conf.inbox = dup_or_null(conf->inbox);
	store->conf.control = dup_or_null(conf->control);
	store->root = store->control = store->watch_spare = -1;
	unique_init(&store->unique);
	quota_init(&store->quota);
	r = open_root(store);
	if (r != 0) {
		maildir_store_free(store);
		return r;
	}
	*ret_store = store;
	return 0;
}

void
maildir_on_progress(struct maildir_store *store, maildir_tick *tick,
    void *cookie)
{
	store->tick = tick;
	store->tick_cookie = cookie;
}

void
maildir_store_free(struct maildir_store *store)
{
	if (store == NULL)
		return;
	if (store->control != store->root)
		fdio_close(&store->control);
	fdio_close(&store->root);
	fdio_close(&store->watch_spare);
	quota_done(&store->quota);
	free((void *)(uintptr_t)store->conf.root);
	free((void *)(uintptr_t)store->conf.inbox);
	free((void *)(uintptr_t)store->conf.control);
	free(store);
}

/* cur, new or tmp: made if it is missing, for a mailbox directory without them
 * is a mailbox, and mkdir of the three is not atomic.  Whoever lacks one lacks
 * tmp/ too, which deliveries want. */
static int
open_sub(const struct box *box, const char *name, int *ret)
{
	int r = open_dir(box->dir, name, ret);

	if (r != ERR_NOENT)
		return r;
	if (mkdirat(box->dir, name, box->dir_mode & 0777) != 0 &&
	    errno != EEXIST)
		return err_from_errno(errno);
	if (mkdirat(box->dir, "tmp", box->dir_mode & 0777) != 0 &&
	    errno != EEXIST)
		return err_from_errno(errno);
	return open_dir(box->dir, name, ret);
}

int
box_find(struct maildir_store *store, const struct maildir_path *path,
    struct box *ret)
{
	struct box box = { -1, -1, -1, -1, -1, 0, 0, NULL };
	struct stat st;
	struct buf b;
	int r;

	r = folder_open_dir(store, path, &box.dir, &box.path);
	if (r == 0 && fstat(box.dir, &st) != 0)
		r = err_from_errno(errno);
	if (r != 0)
		goto fail;
	box.file_mode = mode_for_file(st.st_mode);
	box.dir_mode = mode_for_dir(st.st_mode);
	box.control = box.dir;
	if (store->conf.control != NULL) {
		box.control = -1;
		buf_init(&b, CONTROL_BYTES);
		r = folder_control_name(store, path, &b);
		if (r == 0)
			r = buf_cstr(&b) == NULL ? ERR_NAME :
			    open_dir(store->control, buf_cstr(&b),
			    &box.control);
		buf_done(&b);
		if (r != 0 && r != ERR_NOENT)
			goto fail;
	}
	*ret = box;
	return 0;
fail:
	box_close(&box);
	return r;
}

int
box_open(struct maildir_store *store, const struct maildir_path *path,
    struct box *ret)
{
	struct box box = { -1, -1, -1, -1, -1, 0, 0, NULL };
	struct stat st;
	int r;

	r = folder_open_dir(store, path, &box.dir, &box.path);
	if (r == 0 && fstat(box.dir, &st) != 0)
		r = err_from_errno(errno);
	if (r != 0)
		goto fail;
	box.file_mode = mode_for_file(st.st_mode);
	box.dir_mode = mode_for_dir(st.st_mode);
	if ((r = open_sub(&box, "cur", &box.cur)) != 0 ||
	    (r = open_sub(&box, "new", &box.new)) != 0)
		goto fail;
	box.control = box.dir;
	if (store->conf.control != NULL) {
		box.control = -1;
		r = folder_open_control(store, path, box.dir_mode,
		    &box.control);
		if (r != 0)
			goto fail;
	}
	*ret = box;
	return 0;
fail:
	box_close(&box);
	return r;
}

void
box_close(struct box *box)
{
	if (box->control != box->dir)
		fdio_close(&box->control);
	fdio_close(&box->cur);
	fdio_close(&box->new);
	fdio_close(&box->tmp);
	fdio_close(&box->dir);
	free(box->path);
	box->path = NULL;
}

int
box_tmp(struct box *box)
{
	return box->tmp >= 0 ? 0 : open_sub(box, "tmp", &box->tmp);
}

int
box_lock_for(const struct box *box, const struct maildir_store *store,
    uint64_t ms, struct lock *lk)
{
	const struct lock_what what = {
		box->control, UIDLIST_LOCK, UIDLIST_FILE, box->file_mode,
		LOCK_STALE_MS
	};

	return lock_take(lk, &what, &store->unique, deadline_in(ms));
}

int
box_lock(const struct box *box, const struct maildir_store *store,
    struct lock *lk)
{
	return box_lock_for(box, store, store->conf.lock_ms, lk);
}

int
open_list(int at, const char *name, DIR **ret)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dp = fd < 0 ? NULL : fdopendir(fd);

	if (dp == NULL) {
		int r = dir_err(errno);

		fdio_close(&fd);
		return r;
	}
	*ret = dp;
	return 0;
}

static void
remove_old(int tmp, time_t before)
{
	struct dirent *d;
	struct stat st;
	DIR *dp;

	if (open_list(tmp, ".", &dp) != 0)
		return;
	while ((d = readdir(dp)) != NULL)
		if (fstatat(tmp, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && st.st_ctim.tv_sec < before)
			(void)unlinkat(tmp, d->d_name, 0);	/* next time */
	(void)closedir(dp);
}

void
box_clean_tmp(struct box *box)
{
	const struct timespec times[2] = { { 0, UTIME_NOW },
	    { 0, UTIME_OMIT } };
	struct timespec now;
	struct stat st;

	(void)clock_gettime(CLOCK_REALTIME, &now);	/* cannot fail */
	if (fstatat(box->dir, "tmp", &st, 0) != 0 ||
	    st.st_atim.tv_sec + TMP_LOOK > now.tv_sec || box_tmp(box) != 0)
		return;
	/* Touched first: nobody else needs to look. */
	(void)futimens(box->tmp, times);
	remove_old(box->tmp, now.tv_sec - TMP_AGE);
}
