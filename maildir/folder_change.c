/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * CREATE.
 *
 * A mailbox is made under a name that is none (it begins with ".."), complete,
 * and renamed into place: at every moment it is there as a whole or not at all.
 *
 * CRASH STATES
 *	..imapd-new.*		never was a mailbox; removed by a LIST or DELETE
 *				when it is an hour old
 *	fs: a parent without	listed as such; DELETE removes it
 *	children
 *	fs: a parent with tmp/,	still only a parent; the next CREATE finishes
 *	new/, but no cur/	what is missing
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/mem.h"
#include "maildir/folder.h"
#include "maildir/foldername.h"
#include "maildir/name.h"
#include "maildir/replace.h"
#include "maildir/step.h"
#include "maildir/uidlist.h"
#include "maildir/uidvalidity.h"

#define STORED_MAX	65536u

int
folder_stored_name(const struct maildir_store *store,
    const struct maildir_path *path, struct buf *b)
{
	int r;

	buf_init(b, STORED_MAX);
	r = maildir_path_check(store, path);
	if (r == 0)
		r = foldername_put(&store->conf, path, b);
	if (r == 0 && buf_cstr(b) == NULL)
		r = ERR_NAME;
	return r;
}

void
folder_hidden_name(struct maildir_store *store, const char *prefix,
    struct buf *b)
{
	buf_init(b, NAME_FILE_MAX);
	buf_puts(b, prefix);
	unique_put(&store->unique, b);
}

int
folder_rename_dir(int fromdir, const char *from, int todir, const char *to)
{
	struct stat st;
	int r = rename_new(fromdir, from, todir, to);

	if (r != ERR_ACCESS && r != ERR_IO)
		return r;
	if (fstatat(todir, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return ERR_EXISTS;
	return renameat(fromdir, from, todir, to) == 0 ? 0 :
	    err_from_errno(errno);
}

int
maildir_exists(struct maildir_store *store, const struct maildir_path *path)
{
	char *name;
	int fd, r;

	r = folder_open_dir(store, path, &fd, &name);
	if (r != 0)
		return r;
	fdio_close(&fd);
	free(name);
	return 0;
}

/* ---- create ---------------------------------------------------------- */

int
folder_make_dir(int at, const char *name, mode_t mode)
{
	int r;

	if (mkdirat(at, name, mode & 0777) != 0)
		return err_from_errno(errno);
	/* Whatever the umask took; setgid comes from the parent. */
	if (mode == 0700 || fchmodat(at, name, mode, 0) == 0)
		return 0;
	r = err_from_errno(errno);
	(void)unlinkat(at, name, AT_REMOVEDIR);	/* a parent at worst */
	return r;
}

static int
make_mark(int at, mode_t mode)
{
	int fd = openat(at, FOLDER_MARK, O_WRONLY | O_CREAT | O_CLOEXEC |
	    O_NOFOLLOW, mode);

	if (fd < 0)
		return err_from_errno(errno);
	fdio_close(&fd);
	return 0;
}

/* An empty list with a UIDVALIDITY of its own. */
static int
make_list(struct maildir_store *store, int at, mode_t mode)
{
	struct uidlist ul;
	uint64_t bits[2];
	int r;

	uidlist_init(&ul);
	bits[0] = unique_bits(&store->unique);
	bits[1] = unique_bits(&store->unique);
	memcpy(ul.guid, bits, sizeof(ul.guid));
	ul.next = 1;
	r = uidvalidity_next(store->control, mode, &ul.uidvalidity);
	if (r == 0)
		r = uidlist_rewrite(&ul, at, mode, SPAN_NONE,
		    store->conf.fsync);
	uidlist_done(&ul);
	return r;
}

/* cur/ last: in the fs layout it is what makes a mailbox. */
static int
fill(struct maildir_store *store, int fd, mode_t mode)
{
	static const char *const subs[] = { "tmp", "new", "cur" };
	mode_t file_mode = mode_for_file(mode);
	int r = 0;

	if (store->conf.layout == MAILDIR_PLUSPLUS)
		r = make_mark(fd, file_mode);
	if (r == 0 && store->conf.control == NULL)
		r = make_list(store, fd, file_mode);
	for (size_t i = 0; r == 0 && i < 3; i++) {
		r = folder_make_dir(fd, subs[i], mode);
		if (r == ERR_EXISTS)
			r = 0;
	}
	return r == 0 ? sync_dir(fd, store->conf.fsync) : r;
}

int
folder_make_parents(int at, const char *name, mode_t mode)
{
	struct span s = span_str(name);
	int r = 0;

	for (size_t i = 1; r == 0 && i < s.n; i++) {
		char *head;

		if (s.p[i] != '/')
			continue;
		head = mem_dup(s.p, i);
		r = folder_make_dir(at, head, mode);
		if (r == ERR_EXISTS)
			r = 0;
		free(head);
	}
	return r;
}

void
folder_remove_parents(int at, const char *name)
{
	char *head = mem_strdup(name), *slash;

	while ((slash = strrchr(head, '/')) != NULL) {
		*slash = '\0';
		if (unlinkat(at, head, AT_REMOVEDIR) != 0)
			break;
	}
	free(head);
}

int
folder_sync(int at, const char *name, bool sync)
{
	struct span s = span_str(name);
	int fd, r = sync_dir(at, sync);

	for (size_t i = 1; sync && r == 0 && i < s.n; i++) {
		char *head;

		if (s.p[i] != '/')
			continue;
		head = mem_dup(s.p, i);
		r = open_dir(at, head, &fd);
		if (r == 0) {
			r = sync_dir(fd, sync);
			fdio_close(&fd);
		} else if (r == ERR_NOENT) {
			r = 0;		/* removed with its last child */
		}
		free(head);
	}
	return r;
}

static int
create_at(struct maildir_store *store, const char *name, mode_t mode)
{
	struct buf hidden;
	int fd, r;

	folder_hidden_name(store, FOLDER_NEW, &hidden);
	r = folder_make_dir(store->root, buf_cstr(&hidden), mode);
	if (r != 0)
		goto done;
	step("create-hidden");
	r = open_dir(store->root, buf_cstr(&hidden), &fd);
	if (r == 0) {
		r = fill(store, fd, mode);
		fdio_close(&fd);
	}
	step("create-filled");
	if (r == 0)
		r = folder_rename_dir(store->root, buf_cstr(&hidden),
		    store->root, name);
	if (r != 0)
		folder_remove(store->root, buf_cstr(&hidden));
done:
	buf_done(&hidden);
	return r;
}

/* A directory that is there as a mere parent (fs) becomes a mailbox. */
static int
create_inside(struct maildir_store *store, const char *name, mode_t mode)
{
	int fd, r;

	r = open_dir(store->root, name, &fd);
	if (r != 0)
		return r;
	r = fill(store, fd, mode);
	fdio_close(&fd);
	return r;
}

/* The list, where it is kept elsewhere. */
static int
make_control(struct maildir_store *store, const struct maildir_path *path,
    mode_t mode)
{
	int fd, r;

	if (store->conf.control == NULL)
		return 0;
	r = folder_open_control(store, path, mode, &fd);
	if (r != 0)
		return r;
	r = make_list(store, fd, mode_for_file(mode));
	fdio_close(&fd);
	return r;
}

int
maildir_create(struct maildir_store *store, const struct maildir_path *path)
{
	struct stat st;
	struct buf name;
	mode_t mode;
	int r;

	if (is_maildir_inbox(path))
		return ERR_EXISTS;
	r = folder_stored_name(store, path, &name);
	if (r == 0)
		r = maildir_exists(store, path);
	if (r == 0)
		r = ERR_EXISTS;
	if (r != ERR_NOENT)
		goto done;
	if (fstat(store->root, &st) != 0) {
		r = err_from_errno(errno);
		goto done;
	}
	mode = mode_for_dir(st.st_mode);
	r = folder_make_parents(store->root, buf_cstr(&name), mode);
	if (r == 0)
		r = create_at(store, buf_cstr(&name), mode);
	if (r == ERR_EXISTS && store->conf.layout == MAILDIR_FS)
		r = create_inside(store, buf_cstr(&name), mode);
	if (r == 0) {
		r = make_control(store, path, mode);
		if (r != 0)
			folder_discard(store, path);
	}
	if (r == 0)
		r = folder_sync(store->root, buf_cstr(&name),
		    store->conf.fsync);
	else if (store->conf.layout == MAILDIR_FS)
		folder_remove_parents(store->root, buf_cstr(&name));
done:
	buf_done(&name);
	return r == ERR_NOENT ? ERR_UNAVAIL : r;
}
