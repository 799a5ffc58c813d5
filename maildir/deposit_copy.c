/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * A message copied byte by byte, by way of tmp/, where it cannot be linked.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fdio.h"
#include "maildir/deposit.h"
#include "maildir/replace.h"
#include "maildir/step.h"

static int
copy_bytes(int from, int to)
{
	uint8_t buf[65536];
	uint64_t off = 0;
	size_t n;
	int r;

	while ((r = fdio_pread(from, buf, sizeof(buf), off, &n)) == 0 &&
	    n > 0) {
		r = fdio_write_file(to, span_of(buf, n));
		if (r != 0)
			return r;
		off += n;
	}
	return r;
}

static int
copy_attributes(const struct deposit *d, int from, int to)
{
	struct timespec times[2] = { { 0, UTIME_OMIT }, { 0, 0 } };
	struct stat st;

	if (fstat(from, &st) != 0)
		return err_from_errno(errno);
	times[1] = st.st_mtim;
	if (futimens(to, times) != 0 ||
	    fchmod(to, d->box.file_mode) != 0 ||
	    (d->store->conf.fsync && fsync(to) != 0))
		return err_from_errno(errno);
	return 0;
}

int
deposit_copy(struct deposit *d, int dir, const char *name, int todir,
    const char *toname)
{
	char tmp[NAME_FILE_MAX + 1] = "";
	struct buf b;
	int from, to = -1, r;

	from = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK);
	if (from < 0)
		return err_from_errno(errno);
	buf_init(&b, NAME_FILE_MAX);
	unique_put(&d->store->unique, &b);
	memcpy(tmp, b.p, b.n);
	buf_done(&b);
	r = box_tmp(&d->box);
	if (r == 0) {
		to = openat(d->box.tmp, tmp, O_WRONLY | O_CREAT | O_EXCL |
		    O_CLOEXEC | O_NOFOLLOW, d->box.file_mode);
		if (to < 0)
			r = err_from_errno(errno);
	}
	if (r == 0)
		r = copy_bytes(from, to);
	if (r == 0)
		r = copy_attributes(d, from, to);
	step("copy-written");
	if (r == 0)
		r = rename_new(d->box.tmp, tmp, todir, toname);
	if (r != 0 && to >= 0)
		(void)unlinkat(d->box.tmp, tmp, 0);	/* cleaned later */
	fdio_close(&from);
	fdio_close(&to);
	return r;
}
