/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * CREATE, DELETE, RENAME.
 *
 * A mailbox is made under a name that is none (it begins with ".."), complete,
 * and renamed into place; it is deleted by a rename to such a name, and emptied
 * after that.  So at every moment it is there as a whole or not at all.
 *
 * CRASH STATES
 *	..imapd-new.*		never was a mailbox: removed by a later DELETE
 *	..imapd-trash.*		a deletion that was not finished: likewise
 *	some children renamed	(Maildir++, where a rename of n directories is n
 *				renames) they have their new names, the others
 *				their old ones; a second RENAME of what is left
 *				finishes it
 *	RENAME INBOX		messages are in one of the two mailboxes
 *	fs: cur/ is gone, the	no mailbox any more; the next CREATE finishes
 *	rest is there		what is missing
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
#include "base/mem.h"
#include "maildir/folder.h"
#include "maildir/foldername.h"
#include "maildir/name.h"
#include "maildir/replace.h"
#include "maildir/step.h"
#include "maildir/journal.h"
#include "maildir/uidlist.h"
#include "maildir/uidvalidity.h"

#define STORED_MAX	65536u
#define EMPTY_DEPTH	3u	/* of what is inside a mailbox directory */
#define RELICS_AGE	3600	/* seconds before we clean up after others */

/* A directory's name as a C string in b. */
static int
stored_name(const struct maildir_store *store, const struct maildir_path *path,
    struct buf *b)
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

static void
hidden_name(struct maildir_store *store, const char *prefix, struct buf *b)
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

static int
make_dir(int at, const char *name, mode_t mode)
{
	if (mkdirat(at, name, mode & 0777) != 0)
		return err_from_errno(errno);
	/* Whatever the umask took; setgid comes from the parent. */
	if (mode != 0700 && fchmodat(at, name, mode, 0) != 0)
		return err_from_errno(errno);
	return 0;
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
		r = make_dir(fd, subs[i], mode);
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
		r = make_dir(at, head, mode);
		if (r == ERR_EXISTS)
			r = 0;
		free(head);
	}
	return r;
}

static int
create_at(struct maildir_store *store, const char *name, mode_t mode)
{
	struct buf hidden;
	int fd, r;

	hidden_name(store, FOLDER_NEW, &hidden);
	r = make_dir(store->root, buf_cstr(&hidden), mode);
	if (r == 0)
		r = open_dir(store->root, buf_cstr(&hidden), &fd);
	if (r == 0) {
		r = fill(store, fd, mode);
		fdio_close(&fd);
		step("create-filled");
		if (r == 0)
			r = folder_rename_dir(store->root,
			    buf_cstr(&hidden), store->root, name);
		if (r != 0)
			folder_remove(store->root, buf_cstr(&hidden));
	}
	buf_done(&hidden);
	return r == 0 ? sync_dir(store->root, store->conf.fsync) : r;
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

int
maildir_create(struct maildir_store *store, const struct maildir_path *path)
{
	struct stat st;
	struct buf name;
	mode_t mode;
	int fd, r;

	if (is_maildir_inbox(path))
		return ERR_EXISTS;
	r = stored_name(store, path, &name);
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
	if (r == 0 && store->conf.control != NULL) {
		r = folder_open_control(store, path, mode, &fd);
		if (r == 0) {
			r = make_list(store, fd, mode_for_file(mode));
			fdio_close(&fd);
		}
	}
done:
	buf_done(&name);
	return r;
}

/* ---- delete ---------------------------------------------------------- */

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

/* What crashes have left behind, when it is old enough to be nobody's work. */
static void
remove_relics(struct maildir_store *store)
{
	struct timespec now;
	struct dirent *d;
	struct stat st;
	DIR *dp;

	if (open_list(store->root, ".", &dp) != 0)
		return;
	(void)clock_gettime(CLOCK_REALTIME, &now);	/* cannot fail */
	while ((d = readdir(dp)) != NULL) {
		struct span s = span_str(d->d_name);

		if (!has_prefix(s, SPAN(FOLDER_NEW)) &&
		    !has_prefix(s, SPAN(FOLDER_TRASH)))
			continue;
		if (fstatat(store->root, d->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) == 0 &&
		    st.st_ctim.tv_sec + RELICS_AGE < now.tv_sec)
			folder_remove(store->root, d->d_name);
	}
	(void)closedir(dp);
}

/*
 * In the fs layout children live inside: only what belongs to the mailbox goes,
 * cur/ first; the directory too, if nothing else is in it.
 */
static int
take_inside(struct maildir_store *store, const char *name, const char *trash)
{
	int from, to = -1, r;

	r = open_dir(store->root, name, &from);
	if (r != 0)
		return r;
	r = make_dir(store->root, trash, 0700);
	if (r == 0)
		r = open_dir(store->root, trash, &to);
	if (r == 0 && renameat(from, "cur", to, "cur") != 0)
		r = err_from_errno(errno);
	step("delete-hidden");
	if (r == 0) {
		static const char *const rest[] = {
			"new", "tmp", UIDLIST_FILE, KEYWORDS_FILE,
			"dovecot-acl", "dovecot.index", "dovecot.index.log",
			"dovecot.index.log.2", "dovecot.index.cache",
			INDEX_FILE, JOURNAL_FILE, "imapd.cache",
			FOLDER_MARK
		};

		for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
			if (renameat(from, rest[i], to, rest[i]) != 0 &&
			    errno != ENOENT)
				break;	/* no mailbox any more all the same */
		(void)unlinkat(store->root, name, AT_REMOVEDIR);
	}
	fdio_close(&from);
	fdio_close(&to);
	return r;
}

static void
remove_control(struct maildir_store *store, const char *name)
{
	static const char *const files[] = {
		UIDLIST_FILE, KEYWORDS_FILE, INDEX_FILE, INDEX_TMP,
		JOURNAL_FILE, JOURNAL_TMP
	};
	int fd;

	if (store->conf.control == NULL ||
	    open_dir(store->control, name, &fd) != 0)
		return;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		(void)unlinkat(fd, files[i], 0);	/* those that exist */
	fdio_close(&fd);
	(void)unlinkat(store->control, name, AT_REMOVEDIR);
}

int
maildir_delete(struct maildir_store *store, const struct maildir_path *path)
{
	struct buf name, trash;
	int r;

	if (is_maildir_inbox(path))
		return ERR_NAME;
	hidden_name(store, FOLDER_TRASH, &trash);
	r = stored_name(store, path, &name);
	if (r == 0)
		r = maildir_exists(store, path);
	quota_begin(store);
	if (r == 0 && store->conf.layout == MAILDIR_FS)
		r = take_inside(store, buf_cstr(&name), buf_cstr(&trash));
	else if (r == 0)
		r = folder_rename_dir(store->root, buf_cstr(&name),
		    store->root, buf_cstr(&trash));
	if (r == 0) {
		step("delete-renamed");
		r = sync_dir(store->root, store->conf.fsync);
		remove_control(store, buf_cstr(&name));
		quota_remove_mailbox(store, buf_cstr(&trash));
		folder_remove(store->root, buf_cstr(&trash));
		remove_relics(store);
	}
	buf_done(&trash);
	buf_done(&name);
	return r;
}
