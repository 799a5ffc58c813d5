/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * READING A DIRECTORY THAT OTHERS CHANGE
 *
 * readdir promises little while names come and go: a file that is renamed
 * during the scan may be returned under both names, under one, or under none.
 *
 *   Twice: both names have the same base.  The second is a twin, and is looked
 *   at again before anything is done about it.
 *
 *   None: the message seems to be gone.  Saying so would be wrong for ever (an
 *   expunged UID does not come back), so a message is only called expunged
 *   when the scan that missed it is proved to have seen a directory at rest,
 *   or a second complete scan misses it too.
 *
 *   At rest: the directory's ctime before the scan equals its ctime now, and it
 *   was not young when first read.  (The mtime can be put back: rsync and cp
 *   do.)  Young means that a change in the same tick of the file system's clock
 *   could have left the same time (git's "racy clean" problem).  The kernel's
 *   ticks are 1 to 10 ms long; file systems that keep whole seconds are told by
 *   the zero in the nanoseconds.
 *
 * The same test decides whether a directory need be read at all.
 */
#include <sys/syscall.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "maildir/name.h"
#include "maildir/scan.h"

#define SCAN_BUF	(256u * 1024)	/* of getdents64: some 3,000 names */
#define YOUNG_NS	20000000u	/* two ticks of the slowest clock */
#define YOUNG_COARSE_NS	2500000000u
#define TABLE_MIN	64u

void
scan_init(struct scan *s)
{
	*s = (struct scan){ .mask = 0 };
	buf_init(&s->pool, SCAN_POOL_MAX);
}

void
scan_done(struct scan *s)
{
	buf_done(&s->pool);
	VEC_DONE(&s->ents);
	free(s->table);
	s->table = NULL;
}

int
scan_add(struct scan *s, struct span file, enum scan_dir dir)
{
	struct span base;
	struct scan_ent e;

	if (!is_name_usable(file))
		return 0;	/* not ours to judge; it stays */
	base = name_base(file);
	e = (struct scan_ent){
		.name = (uint32_t)s->pool.n,
		.hash = name_hash(base),
		.base_len = (uint8_t)base.n,
		.name_len = (uint8_t)file.n,
		.dir = (uint8_t)dir
	};
	buf_put_span(&s->pool, file);
	if (dir == SCAN_NEW)	/* room for what it is called in cur/ */
		buf_puts(&s->pool, SCAN_INFO);
	if (buf_err(&s->pool) != 0)
		return ERR_LIMIT;
	VEC_PUSH(&s->ents, e);
	return 0;
}

/* Only regular files are messages; most file systems tell without a stat. */
static bool
is_message(int fd, const struct dirent64 *d)
{
	struct stat st;

	if (d->d_type == DT_REG)
		return true;
	return d->d_type == DT_UNKNOWN && d->d_name[0] != '.' &&
	    fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode);
}

int
scan_dir(struct scan *s, int fd, enum scan_dir dir)
{
	uint8_t *block;
	long n;
	int r = 0;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_from_errno(errno);
	block = mem_alloc(SCAN_BUF);
	while (r == 0) {
		n = syscall(SYS_getdents64, fd, block, SCAN_BUF);
		if (n < 0)
			r = err_from_errno(errno);
		if (n <= 0)
			break;
		for (long off = 0; r == 0 && off < n;) {
			const struct dirent64 *d =
			    (const struct dirent64 *)(const void *)
			    (block + off);

			if (is_message(fd, d))
				r = scan_add(s, span_str(d->d_name), dir);
			off += d->d_reclen;
		}
	}
	free(block);
	return r;
}

struct scan_ent *
scan_find(struct scan *s, struct span base)
{
	uint32_t hash = name_hash(base);

	for (size_t i = hash & s->mask; s->table[i] != 0;
	    i = (i + 1) & s->mask) {
		struct scan_ent *e = &s->ents.v[s->table[i] - 1];

		if (e->hash == hash && is_span_eq(scan_base(s, e), base))
			return e;
	}
	return NULL;
}

void
scan_index(struct scan *s, size_t *ret_twins)
{
	size_t slots = TABLE_MIN;

	while (slots < s->ents.n * 2)
		slots *= 2;
	free(s->table);
	s->table = mem_zalloc(slots * sizeof(*s->table));
	s->mask = slots - 1;
	*ret_twins = 0;
	for (size_t n = 0; n < s->ents.n; n++) {
		struct scan_ent *e = &s->ents.v[n];
		size_t i;

		if (e->is_twin)
			continue;
		for (i = e->hash & s->mask; s->table[i] != 0;
		    i = (i + 1) & s->mask) {
			struct scan_ent *o = &s->ents.v[s->table[i] - 1];

			if (o->hash == e->hash && is_span_eq(scan_base(s, o),
			    scan_base(s, e)))
				break;
		}
		e->is_twin = s->table[i] != 0;
		if (e->is_twin)
			++*ret_twins;
		else
			s->table[i] = (uint32_t)n + 1;
	}
}

static uint64_t
ns_of(const struct timespec *ts)
{
	return (uint64_t)ts->tv_sec * 1000000000u + (uint64_t)ts->tv_nsec;
}

int
dirtime_get(int fd, struct dirtime *ret)
{
	struct timespec now;
	struct stat st;
	uint64_t young;

	/* The clock that the kernel stamps files with.  Cannot fail. */
	(void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
	if (fstat(fd, &st) != 0)
		return err_from_errno(errno);
	young = st.st_ctim.tv_nsec == 0 ? YOUNG_COARSE_NS : YOUNG_NS;
	ret->ns = ns_of(&st.st_ctim);
	ret->is_young = ns_of(&now) < ret->ns + young;
	return 0;
}

bool
is_dirtime_same(int fd, const struct dirtime *t)
{
	struct stat st;

	/* A directory that was removed is not the same. */
	return !t->is_young && fstat(fd, &st) == 0 && st.st_nlink > 0 &&
	    ns_of(&st.st_ctim) == t->ns;
}
