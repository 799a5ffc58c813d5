/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * What lies in the directories of a mailbox: the messages, what is none, and
 * whose it all is.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fdio.h"
#include "maildir/check_look.h"
#include "maildir/unpack.h"

/* Our files, and whether they are only there while somebody writes. */
static const struct {
	const char *name;
	bool is_passing;
} control_files[] = {
	{ UIDLIST_FILE, false }, { KEYWORDS_FILE, false },
	{ INDEX_FILE, false }, { JOURNAL_FILE, false },
	{ UIDLIST_TMP, true }, { KEYWORDS_LOCK, true },
	{ INDEX_TMP, true }, { JOURNAL_TMP, true }
};

static void
check_stat(struct look *l, const char *dir, const char *file,
    const struct stat *st)
{
	mode_t want = S_ISDIR(st->st_mode) ? 0700 : 0600;

	if (st->st_uid != l->owner)
		check_add(l, CHECK_OWNER, dir, file, "uid %lu, not %lu",
		    (unsigned long)st->st_uid, (unsigned long)l->owner);
	if ((st->st_mode & want) != want || (st->st_mode & S_IWOTH))
		check_add(l, CHECK_MODE, dir, file, "%04o",
		    (unsigned)(st->st_mode & 07777));
}

static void
check_control_files(struct look *l)
{
	const size_t n = sizeof(control_files) / sizeof(control_files[0]);
	struct stat st;

	for (size_t i = 0; i < n; i++) {
		const char *name = control_files[i].name;

		if (fstatat(l->md.box.control, name, &st,
		    AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (!S_ISREG(st.st_mode))
			check_add(l, CHECK_NOT_A_FILE, l->control, name, "%s",
			    S_ISLNK(st.st_mode) ? "a symbolic link" : "");
		else if (control_files[i].is_passing)
			check_add(l, CHECK_LEFT_OVER, l->control, name,
			    "%s", "");
		else
			check_stat(l, l->control, name, &st);
	}
}

/* ---- messages -------------------------------------------------------- */

/* S= is the size of what a client gets: unpacked. */
static void
check_size(struct look *l, const char *sub, int dir, const char *name,
    const struct stat *st)
{
	struct unpack *packed;
	uint64_t size = (uint64_t)st->st_size, said;
	char path[NAME_FILE_MAX + 8];
	int fd;

	if (name_size(name_base(span_str(name)), 'S', &said) != 0 ||
	    said == size)
		return;
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return;		/* gone, or unreadable: told elsewhere */
	if (unpack_new(fd, &packed, &size) == 0)
		unpack_free(packed);
	fdio_close(&fd);
	(void)snprintf(path, sizeof(path), "%s/%s", sub, name);
	if (said != size)
		check_add(l, CHECK_SIZE, l->dir, path, "%llu bytes",
		    (unsigned long long)size);
}

static void
check_message(struct look *l, const char *sub, int dir, const char *name)
{
	char path[NAME_FILE_MAX + 8];
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return;		/* moved meanwhile */
	(void)snprintf(path, sizeof(path), "%s/%s", sub, name);
	if (st.st_uid != l->owner)
		check_add(l, CHECK_OWNER, l->dir, path, "uid %lu, not %lu",
		    (unsigned long)st.st_uid, (unsigned long)l->owner);
	if (!(st.st_mode & S_IRUSR) || (st.st_mode & S_IWOTH))
		check_add(l, CHECK_MODE, l->dir, path, "%04o",
		    (unsigned)(st.st_mode & 07777));
	check_size(l, sub, dir, name, &st);
}

/* What kind of thing a name is; 0 if it is gone. */
static mode_t
kind_of(int dir, const struct dirent *d)
{
	struct stat st;

	if (d->d_type == DT_REG)
		return S_IFREG;
	if (fstatat(dir, d->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return 0;
	return st.st_mode & S_IFMT;
}

static int
check_entry(struct look *l, const char *sub, int dir, const struct dirent *d)
{
	struct span s = span_str(d->d_name);
	char path[NAME_FILE_MAX + 8];
	struct name n;
	mode_t kind;

	/* Removed while it was open, over NFS. */
	if (has_prefix(s, SPAN(".nfs")) || is_span_eq(s, SPAN(".")) ||
	    is_span_eq(s, SPAN("..")))
		return 0;
	kind = kind_of(dir, d);
	if (kind == 0)
		return 0;
	if (kind != S_IFREG || !is_name_usable(s)) {
		(void)snprintf(path, sizeof(path), "%s/%s", sub, d->d_name);
		check_add(l, CHECK_NO_MESSAGE, l->dir, path, "%s",
		    kind == S_IFREG ? "its name" : kind == S_IFDIR ?
		    "a directory" : kind == S_IFLNK ? "a symbolic link" :
		    "no regular file");
		return 0;
	}
	name_parse(s, &n);
	l->lower |= n.lower;
	if (l->args->want_sizes)
		check_message(l, sub, dir, d->d_name);
	return scan_add(&l->scan, s, sub[0] == 'n' ? SCAN_NEW : SCAN_CUR);
}

static int
check_dir(struct look *l, const char *sub, int *ret_fd, struct dirtime *time)
{
	struct dirent *d;
	struct stat st;
	DIR *dp;
	int r = open_dir(l->md.box.dir, sub, ret_fd);

	if (r == ERR_NOENT) {
		check_add(l, CHECK_NO_DIRECTORY, l->dir, sub, "%s", "");
		return 0;
	}
	if (r == 0 && fstat(*ret_fd, &st) == 0)
		check_stat(l, l->dir, sub, &st);
	if (r == 0 && time == NULL)
		return 0;
	if (r == 0)
		r = dirtime_get(*ret_fd, time);
	if (r == 0)
		r = open_list(*ret_fd, ".", &dp);
	if (r == ERR_ACCESS) {
		check_add(l, CHECK_UNREADABLE, l->dir, sub, "%s", "");
		return 0;
	}
	if (r != 0)
		return r;
	errno = 0;
	while (r == 0 && (d = readdir(dp)) != NULL)
		r = check_entry(l, sub, *ret_fd, d);
	(void)closedir(dp);
	return r;
}

/* Two files of one base: of one message, or not?  See twin() in build.c. */
static void
check_twin(struct look *l, const struct scan_ent *e)
{
	const struct scan_ent *o = scan_find(&l->scan, scan_base(&l->scan, e));
	const struct box *box = &l->md.box;
	char en[NAME_FILE_MAX + 1] = "", on[NAME_FILE_MAX + 1] = "";
	char path[NAME_FILE_MAX + 8];
	struct stat es, os;

	memcpy(en, l->scan.pool.p + e->name, e->name_len);
	memcpy(on, l->scan.pool.p + o->name, o->name_len);
	if (fstatat(e->dir == SCAN_NEW ? box->new : box->cur, en, &es,
	    AT_SYMLINK_NOFOLLOW) != 0 || fstatat(o->dir == SCAN_NEW ?
	    box->new : box->cur, on, &os, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	(void)snprintf(path, sizeof(path), "%s/%s", e->dir == SCAN_NEW ?
	    "new" : "cur", en);
	check_add(l, es.st_ino == os.st_ino && es.st_dev == os.st_dev ?
	    CHECK_LINK : CHECK_TWIN, l->dir, path, "%s/%s",
	    o->dir == SCAN_NEW ? "new" : "cur", on);
}

static void
check_own_dirs(struct look *l)
{
	struct box *box = &l->md.box;
	struct stat st;

	if (fstat(box->dir, &st) == 0)
		check_stat(l, l->dir, NULL, &st);
	if (l->md.store->conf.layout == MAILDIR_PLUSPLUS &&
	    strcmp(l->dir, l->args->root) != 0 &&
	    (l->md.store->conf.inbox == NULL ||
	    strcmp(l->dir, l->md.store->conf.inbox) != 0) &&
	    fstatat(box->dir, FOLDER_MARK, &st, AT_SYMLINK_NOFOLLOW) != 0)
		check_add(l, CHECK_NO_MARK, l->dir, FOLDER_MARK, "%s", "");
	if (box->control < 0 || box->control == box->dir)
		return;
	if (fstat(box->control, &st) == 0)
		check_stat(l, l->control, NULL, &st);
}

int
check_files(struct look *l)
{
	struct box *box = &l->md.box;
	size_t twins;
	int r;

	check_own_dirs(l);
	if ((r = check_dir(l, "new", &box->new, &l->new_time)) != 0 ||
	    (r = check_dir(l, "cur", &box->cur, &l->cur_time)) != 0 ||
	    (r = check_dir(l, "tmp", &box->tmp, NULL)) != 0)
		return r;
	if (box->control >= 0)
		check_control_files(l);
	scan_index(&l->scan, &twins);
	for (size_t i = 0; twins > 0 && i < l->scan.ents.n; i++)
		if (l->scan.ents.v[i].is_twin)
			check_twin(l, &l->scan.ents.v[i]);
	return 0;
}
