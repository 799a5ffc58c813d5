/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/deadline.h"
#include "base/enc.h"
#include "base/fdio.h"
#include "base/mem.h"

#include "auth/usersindex.h"

#define MAGIC		SPAN("imapdui1")
#define HEAD_BYTES	48
#define ENTRY_BYTES	16
#define ENTRIES_MAX	((uint64_t)1 << 24)
#define FILE_MAX	((off_t)1 << 30)
#define TRIES		5
#define SETTLE_NS	20000000	/* two ticks of the slowest clock */

struct entry {
	uint64_t hash;
	uint64_t offset;
};

/* An index being made, or only the file being checked. */
struct maker {
	int fd;
	const char *users;
	struct usersfile_note note;
	struct usersindex_stats stats;
	struct entry *v;
	size_t n, cap;
};

/* FNV-1a with a final mix (murmur3's), so that the high bits are good too. */
static uint64_t
hash_of(struct span s)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ s.p[i]) * 0x100000001b3u;
	h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
	h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53u;
	return h ^ h >> 33;
}

static uint64_t
time_ns(struct timespec t)
{
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void
put_head(struct buf *b, const struct stat *st, uint64_t count)
{
	buf_put_span(b, MAGIC);
	enc_u64(b, st->st_ino);
	enc_u64(b, (uint64_t)st->st_size);
	enc_u64(b, time_ns(st->st_mtim));
	enc_u64(b, time_ns(st->st_ctim));
	enc_u64(b, count);
}

/* PATH and a suffix, in path. */
static int
path_of(const char *users, const char *suffix, char path[PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s%s", users, suffix);

	return n < 0 || n >= PATH_MAX ? ERR_NAME : 0;
}

/* Open the index of users; its head must fit st. */
static int
open_index(const char *users, const struct stat *st, int *ret_fd,
    uint64_t *ret_count)
{
	char path[PATH_MAX];
	uint8_t head[HEAD_BYTES];
	struct buf want;
	struct stat own;
	struct dec d;
	size_t n;
	int fd, err;

	err = path_of(users, ".idx", path);
	if (err != 0)
		return err;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return err_from_errno(errno);
	buf_init(&want, HEAD_BYTES);
	if (fstat(fd, &own) != 0 || !S_ISREG(own.st_mode) ||
	    (own.st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
	    (own.st_uid != st->st_uid && own.st_uid != 0)) {
		err = ERR_ACCESS;
		goto fail;
	}
	err = fdio_pread(fd, head, sizeof(head), 0, &n);
	if (err != 0)
		goto fail;
	put_head(&want, st, 0);
	err = n != HEAD_BYTES ? ERR_CORRUPT :
	    memcmp(head, want.p, HEAD_BYTES - 8) != 0 ? ERR_GONE : 0;
	if (err != 0)
		goto fail;
	d = dec_init(span_of(head + HEAD_BYTES - 8, 8));
	*ret_count = dec_u64(&d);
	if (*ret_count > ENTRIES_MAX || (uint64_t)own.st_size !=
	    HEAD_BYTES + *ret_count * ENTRY_BYTES) {
		err = ERR_CORRUPT;
		goto fail;
	}
	buf_done(&want);
	*ret_fd = fd;
	return 0;
fail:
	buf_done(&want);
	fdio_close(&fd);
	return err;
}

static int
read_entry(int fd, uint64_t i, struct entry *ret)
{
	uint8_t raw[ENTRY_BYTES];
	struct dec d = dec_init(span_of(raw, sizeof(raw)));
	size_t n;
	int err;

	err = fdio_pread(fd, raw, sizeof(raw), HEAD_BYTES + i * ENTRY_BYTES,
	    &n);
	if (err != 0)
		return err;
	if (n != sizeof(raw))
		return ERR_CORRUPT;
	ret->hash = dec_u64(&d);
	ret->offset = dec_u64(&d);
	return dec_end(&d);
}

int
usersindex_find(const char *users, const struct stat *st, struct span user,
    uint64_t *ret_offset, size_t max, size_t *ret_n)
{
	struct entry e = { 0, 0 };
	uint64_t want = hash_of(user), count = 0, lo = 0, hi, mid;
	size_t n = 0;
	int fd = -1, err;

	err = open_index(users, st, &fd, &count);
	if (err != 0)
		return err;
	for (hi = count; err == 0 && lo < hi;) {
		mid = lo + (hi - lo) / 2;
		err = read_entry(fd, mid, &e);
		if (e.hash < want)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; err == 0 && n < max && lo < count; lo++) {
		err = read_entry(fd, lo, &e);
		if (err != 0 || e.hash != want)
			break;
		ret_offset[n++] = e.offset;
	}
	fdio_close(&fd);
	if (err == 0)
		*ret_n = n;
	return err;
}

/* One line of the users file, for the index and the statistics. */
static void
take_line(struct maker *m, struct span line, uint64_t offset)
{
	struct usersline parsed;
	struct span user;
	const char *why;
	int err;

	m->stats.lines++;
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	err = usersline_parse(line, &parsed, &why);
	if (err == ERR_NOENT)
		return;
	if (err != 0) {
		m->stats.malformed++;
		m->note.fn(m->note.cookie, m->users, m->stats.lines, why);
	} else {
		m->stats.users++;
	}
	/* Malformed ones too: a login has to come upon them, as it would in
	 * a search for "user:". */
	user = span_take(line, span_find(line, ':'));
	if (user.n == line.n)
		return;
	if (m->n == m->cap) {
		m->cap = m->cap == 0 ? 1024 : m->cap * 2;
		m->v = mem_resize(m->v, m->cap, sizeof(*m->v));
	}
	m->v[m->n++] = (struct entry){ hash_of(user), offset };
}

/* The file as st describes it, read at once: this is a tool's work. */
static int
read_lines(struct maker *m, const struct stat *st)
{
	size_t size = (size_t)st->st_size, n;
	struct span rest, line;
	uint8_t *text;
	int err;

	if (st->st_size > FILE_MAX)
		return ERR_LIMIT;
	text = mem_alloc(size + 1);
	err = fdio_pread(m->fd, text, size, 0, &n);
	rest = err == 0 && n > 0 ? span_of(text, n) : SPAN_NONE;
	while (rest.p != NULL) {
		line = span_split(&rest, '\n');
		if (rest.p != NULL || line.n > 0)
			take_line(m, line, (uint64_t)(line.p - text));
	}
	mem_wipe_free(text, size + 1);
	return err;
}

static int
compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/*
 * A change that comes within the same tick of the kernel's clock as the one
 * before does not show in the file's times (git calls such a file racily
 * clean); so its last change must lie in the past before it is read.
 */
static int
settle(int fd, struct stat *ret)
{
	struct timespec now;
	uint64_t last;

	for (int i = 0; i < TRIES; i++) {
		if (fstat(fd, ret) != 0 ||
		    clock_gettime(CLOCK_REALTIME, &now) != 0)
			return err_from_errno(errno);
		last = time_ns(ret->st_mtim);
		if (last < time_ns(ret->st_ctim))
			last = time_ns(ret->st_ctim);
		if (last + SETTLE_NS < time_ns(now))
			return 0;
		deadline_sleep(deadline_in(2 * SETTLE_NS / 1000000));
	}
	return ERR_BUSY;
}

/* Read the file until it did not change while it was read. */
static int
read_stable(struct maker *m, struct stat *ret)
{
	struct stat after;
	int err;

	for (int i = 0; i < TRIES; i++) {
		err = settle(m->fd, ret);
		if (err != 0)
			return err;
		m->n = 0;
		m->stats = (struct usersindex_stats){ 0 };
		err = read_lines(m, ret);
		if (err != 0)
			return err;
		if (fstat(m->fd, &after) != 0)
			return err_from_errno(errno);
		if (after.st_size == ret->st_size &&
		    time_ns(after.st_mtim) == time_ns(ret->st_mtim) &&
		    time_ns(after.st_ctim) == time_ns(ret->st_ctim))
			return 0;
	}
	return ERR_BUSY;
}

static int
fill_index(int fd, const struct maker *m, const struct stat *st)
{
	struct buf b;
	int err;

	buf_init(&b, HEAD_BYTES + m->n * ENTRY_BYTES);
	put_head(&b, st, m->n);
	for (size_t i = 0; i < m->n; i++) {
		enc_u64(&b, m->v[i].hash);
		enc_u64(&b, m->v[i].offset);
	}
	err = buf_err(&b);
	if (err == 0)
		err = fdio_write_file(fd, buf_span(&b));
	buf_done(&b);
	/* As readable as the users file, and owned by whom it is. */
	if (err == 0 && fchmod(fd, st->st_mode & 0444) != 0)
		err = err_from_errno(errno);
	if (err == 0 && geteuid() == 0 &&
	    fchown(fd, st->st_uid, st->st_gid) != 0)
		err = err_from_errno(errno);
	if (err == 0 && fsync(fd) != 0)
		err = err_from_errno(errno);
	return err;
}

static int
write_index(const struct maker *m, const struct stat *st)
{
	char path[PATH_MAX], new_path[PATH_MAX];
	int fd, err;

	err = path_of(m->users, ".idx", path);
	if (err == 0)
		err = path_of(m->users, ".idx.new", new_path);
	if (err != 0)
		return err;
	(void)unlink(new_path);	/* left by a crash; O_EXCL tells otherwise */
	fd = open(new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_from_errno(errno);
	err = fill_index(fd, m, st);
	fdio_close(&fd);
	/* No fsync of the directory: an index that is lost is only missed. */
	if (err == 0 && rename(new_path, path) != 0)
		err = err_from_errno(errno);
	if (err != 0)
		(void)unlink(new_path);
	return err;
}

static int
run(const char *users, const struct usersfile_note *note, bool is_write,
    struct usersindex_stats *ret)
{
	struct maker m = { .users = users, .note = *note };
	struct stat st;
	int err;

	m.fd = open(users, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (m.fd < 0)
		return err_from_errno(errno);
	err = read_stable(&m, &st);
	if (err == 0 && m.n > ENTRIES_MAX)
		err = ERR_LIMIT;
	if (err == 0 && is_write) {
		qsort(m.v, m.n, sizeof(*m.v), compare);
		err = write_index(&m, &st);
	}
	free(m.v);
	fdio_close(&m.fd);
	if (err == 0)
		*ret = m.stats;
	return err;
}

int
usersindex_make(const char *users, const struct usersfile_note *note,
    struct usersindex_stats *ret)
{
	return run(users, note, true, ret);
}

int
usersindex_check(const char *users, const struct usersfile_note *note,
    struct usersindex_stats *ret)
{
	return run(users, note, false, ret);
}
