/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * FORMAT
 *	dovecot-uidvalidity		the last value given out, 8 lower-case
 *					hex digits, no newline
 *	dovecot-uidvalidity.xxxxxxxx	empty; its name is the same value
 *
 * The next value is taken by renaming the second file to value + 1: rename is
 * the lock.  Then the first is brought up to date.
 *
 * CRASH STATES
 *	the content is behind the name	the name is the truth: it is looked for
 *					when the rename fails
 *	several names			the highest counts, the lowest goes
 *	no name, no content		both are made, with the time of day
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/num.h"
#include "maildir/replace.h"
#include "maildir/step.h"
#include "maildir/store.h"
#include "maildir/uidvalidity.h"

#define FILE_NAME	"dovecot-uidvalidity"
#define DIGITS		8u
#define TRIES		10

struct value_name {
	char s[sizeof(FILE_NAME) + 1 + DIGITS];
};

static struct value_name
name_of(uint32_t v)
{
	struct value_name n = { FILE_NAME "." };
	char *digits = n.s + sizeof(FILE_NAME);

	for (unsigned i = DIGITS; i > 0; i--, v >>= 4)
		digits[i - 1] = "0123456789abcdef"[v & 15];
	return n;
}

static int
read_content(int dir, uint32_t *ret)
{
	struct buf b;
	int r;

	buf_init(&b, 64);
	r = replace_read(dir, FILE_NAME, &b);
	if (r == 0)
		r = b.n == DIGITS ? num_hex32(buf_span(&b), ret) :
		    ERR_CORRUPT;
	buf_done(&b);
	return r;
}

static int
write_content(int dir, mode_t mode, uint32_t v)
{
	struct value_name n = name_of(v);
	int fd, r = 0;

	fd = openat(dir, FILE_NAME, O_WRONLY | O_CREAT | O_CLOEXEC |
	    O_NOFOLLOW | O_NONBLOCK, mode);
	if (fd < 0)
		return err_from_errno(errno);
	if (pwrite(fd, n.s + sizeof(FILE_NAME), DIGITS, 0) != (ssize_t)DIGITS)
		r = ERR_IO;
	fdio_close(&fd);
	return r;
}

static int
make_name(int dir, uint32_t v)
{
	struct value_name n = name_of(v);
	int fd = openat(dir, n.s, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0444);

	if (fd < 0)
		return err_from_errno(errno);
	(void)fchmod(fd, 0444);		/* as Dovecot has it; never read */
	fdio_close(&fd);
	return 0;
}

/* The highest value that a name holds; of several the lowest is removed.
 * ERR_NOENT: there is no name. */
static int
find_name(int dir, uint32_t *ret)
{
	struct dirent *d;
	uint32_t lowest = UINT32_MAX, highest = 0, v;
	size_t count = 0;
	DIR *dp;
	int r;

	if ((r = open_list(dir, ".", &dp)) != 0)
		return r;
	while ((d = readdir(dp)) != NULL) {
		struct span s = span_str(d->d_name);

		if (s.n != sizeof(FILE_NAME) + DIGITS ||
		    !has_prefix(s, SPAN(FILE_NAME ".")) ||
		    num_hex32(span_skip(s, sizeof(FILE_NAME)), &v) != 0)
			continue;
		lowest = v < lowest ? v : lowest;
		highest = v > highest ? v : highest;
		count++;
	}
	(void)closedir(dp);
	if (count == 0)
		return ERR_NOENT;
	if (count > 1)
		(void)unlinkat(dir, name_of(lowest).s, 0);	/* or later */
	*ret = highest;
	return 0;
}

static uint32_t
after(uint32_t v)
{
	return v == UINT32_MAX ? 1 : v + 1;
}

int
uidvalidity_next(int dir, mode_t mode, uint32_t *ret)
{
	uint32_t v = 0, next;
	int r = read_content(dir, &v);

	if (r != 0 || v == 0)
		r = find_name(dir, &v);
	for (int i = 0; i < TRIES && r == 0; i++) {
		next = after(v);
		if (renameat(dir, name_of(v).s, dir, name_of(next).s) == 0) {
			step("uidvalidity-taken");
			*ret = next;
			return write_content(dir, mode, next);
		}
		if (errno != ENOENT)
			return err_from_errno(errno);
		r = find_name(dir, &v);
	}
	if (r != ERR_NOENT)
		return r == 0 ? ERR_BUSY : r;
	/* No name: the first mailbox, or the file was lost. */
	next = (uint32_t)time(NULL);
	if (v >= next)
		next = after(v);
	r = make_name(dir, next);
	if (r != 0)
		return r;
	*ret = next;
	return write_content(dir, mode, next);
}
