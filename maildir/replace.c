/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fdio.h"
#include "maildir/replace.h"
#include "maildir/step.h"

int
replace_file(int dir, const char *name, const char *tmp, mode_t mode,
    struct span text, bool sync)
{
	int fd, r;

	/* O_NONBLOCK: the open of a fifo must not wait for a reader. */
	fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
	    O_NOFOLLOW | O_NONBLOCK, mode);
	if (fd < 0)
		return err_from_errno(errno);
	if (fchmod(fd, mode) != 0)	/* whatever the umask left of it */
		r = err_from_errno(errno);
	else
		r = fdio_write_file(fd, text);
	step("replace-written");
	if (r == 0 && sync && fdatasync(fd) != 0)
		r = err_from_errno(errno);
	if (close(fd) != 0 && r == 0)
		r = err_from_errno(errno);
	if (r == 0 && renameat(dir, tmp, dir, name) != 0)
		r = err_from_errno(errno);
	if (r != 0) {
		(void)unlinkat(dir, tmp, 0);	/* truncated by the next */
		return r;
	}
	step("replace-renamed");
	return sync_dir(dir, sync);
}

int
replace_read(int dir, const char *name, struct buf *b)
{
	struct stat st;
	int fd, r = 0;

	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return err_from_errno(errno);
	if (fstat(fd, &st) != 0)
		r = err_from_errno(errno);
	else if (!S_ISREG(st.st_mode))
		r = ERR_CORRUPT;
	for (uint64_t off = 0; r == 0;) {
		/* One byte more than it had: the next read finds the end. */
		uint64_t left = (uint64_t)st.st_size > off ?
		    (uint64_t)st.st_size - off + 1 : 4096;
		uint8_t *p = left > b->max ? NULL : buf_room(b, (size_t)left);
		size_t n;

		if (p == NULL) {
			r = ERR_LIMIT;
			break;
		}
		r = fdio_pread(fd, p, (size_t)left, off, &n);
		if (r != 0)
			break;
		b->n += n;
		off += n;
		if (n < left)
			break;
	}
	fdio_close(&fd);
	return r;
}

/* For file systems that know no RENAME_NOREPLACE. */
static int
link_unlink(int fromdir, const char *from, int todir, const char *to)
{
	if (linkat(fromdir, from, todir, to, 0) != 0)
		return err_from_errno(errno);
	step("rename-linked");
	if (unlinkat(fromdir, from, 0) != 0 && errno != ENOENT)
		return err_from_errno(errno);
	return 0;
}

int
rename_new(int fromdir, const char *from, int todir, const char *to)
{
#ifdef HAVE_RENAMEAT2
	if (renameat2(fromdir, from, todir, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return err_from_errno(errno);
#endif
	return link_unlink(fromdir, from, todir, to);
}

int
sync_dir(int fd, bool sync)
{
	/* EINVAL: a file system that cannot sync directories. */
	if (sync && fsync(fd) != 0 && errno != EINVAL)
		return err_from_errno(errno);
	return 0;
}
