/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * FORMAT of imapd.cache, version 1, beside imapd.index; integers big-endian,
 * checks are CRC-32C
 *	0	8	"imapdch" and the version, 1
 *	8	4	check of the rest of the header
 *	12	4	UIDVALIDITY
 *	16	8	generation: a random number, not 0
 *	24		blocks
 * A block
 *	0	4	check of the generation (8 bytes) and of bytes 4 to 19
 *	4	4	length of all of it
 *	8	2	type: 1 kind, 2 values
 *	10	2	number of a kind
 *	12	4	type 2: count of values
 *	16	4	check of the generation and of the body; type 2: and of
 *			the directory
 *	20		body
 * Body of a kind: the day it was last used on (4; since 1970), and its name.  A
 * later block for the same number with the same name counts instead.
 * Body of values: the directory, for each value its UID (4) and its offset in
 * the block (4); then the values. A value
 *	0	4	check of the generation, the number of the kind (2) and
 *			of what follows
 *	4	4	length of the bytes
 *	8	4	UID; 0: about the mailbox
 *	12		bytes
 * Of several values of one kind and UID the last one in the file counts.
 *
 * Nothing is ever synced, and nothing in it is missed.
 *
 * CRASH STATES, and damage
 *	found				what is done
 *	a block whose header is none,	readers stop there; the next writer
 *	or that ends behind the file	cuts it off
 *	a directory that is damaged	its values are not there
 *	a value that is damaged		it is not there; and is put again
 *	a header that is damaged	there is no cache; the next writer makes
 *					a new one
 *	UIDs that mean other messages	removed (cache_void())
 *	imapd.cache.tmp			truncated by the next who writes a new
 *					file
 */
#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/enc.h"
#include "base/fdio.h"
#include "base/mem.h"
#include "maildir/cachefile.h"
#include "maildir/crc32c.h"
#include "maildir/step.h"

#define MAGIC		SPAN("imapdch\001")
#define HEADER_SIZE	24u
#define CHECKED_FROM	12u
#define BLOCK_HEADER	20u
#define BLOCK_CHECKED	4u
#define VALUE_CHECKED	4u
#define ENTRY_SIZE	8u
#define WINDOW		(64u * 1024)	/* small blocks are read by so many */
#define WINDOW_HEADER	2048u		/* holds a block of a kind, or the
					 * header of a large one */

enum block_type { BLOCK_KIND = 1, BLOCK_VALUES = 2 };

void
cachefile_init(struct cachefile *f)
{
	*f = (struct cachefile){ .fd = -1 };
}

void
cachefile_done(struct cachefile *f)
{
	fdio_close(&f->fd);
	VEC_DONE(&f->blocks);
	for (unsigned i = 0; i < CACHE_KINDS; i++)
		free(f->kind[i].name);
	cachefile_init(f);
}

/* What every check of this file begins with. */
static uint32_t
seed(const struct cachefile *f)
{
	uint8_t g[8];

	be32_put(g, (uint32_t)(f->generation >> 32));
	be32_put(g + 4, (uint32_t)f->generation);
	return crc32c(0, g, sizeof(g));
}

static uint32_t
value_check(const struct cachefile *f, unsigned kind, const uint8_t *p,
    size_t n)
{
	const uint8_t k[2] = { (uint8_t)(kind >> 8), (uint8_t)kind };

	return crc32c(crc32c(seed(f), k, sizeof(k)), p, n);
}

/* ---- reading ------------------------------------------------------------ */

int
cachefile_read(const struct cachefile *f, uint64_t off, void *p, size_t n,
    size_t *ret_n)
{
	return fdio_pread(f->fd, p, n, off, ret_n);
}

static int
read_header(struct cachefile *f, uint32_t uidvalidity)
{
	uint8_t p[HEADER_SIZE];
	struct stat st;
	size_t n;
	int r;

	if (fstat(f->fd, &st) != 0)
		return err_from_errno(errno);
	if (!S_ISREG(st.st_mode))
		return ERR_CORRUPT;
	r = cachefile_read(f, 0, p, sizeof(p), &n);
	if (r != 0)
		return r;
	if (n != sizeof(p) ||
	    !is_span_eq(span_of(p, MAGIC.n), MAGIC) ||
	    be32_get(p + 8) != crc32c(0, p + CHECKED_FROM, n - CHECKED_FROM) ||
	    be32_get(p + 12) != uidvalidity)
		return ERR_CORRUPT;
	f->generation = (uint64_t)be32_get(p + 16) << 32 | be32_get(p + 20);
	f->end = HEADER_SIZE;
	return f->generation != 0 ? 0 : ERR_CORRUPT;
}

/* The name of a kind, if it is sound. */
static void
take_kind(struct cachefile *f, unsigned kind, uint32_t check, struct span body)
{
	struct cachefile_kind *k = &f->kind[kind];
	struct span name = span_skip(body, 4);

	if (body.n <= 4 || name.n > MAILDIR_KIND_NAME_MAX ||
	    has_byte(name, 0) || crc32c(seed(f), body.p, body.n) != check)
		return;
	if (k->name != NULL && !is_span_eq(span_str(k->name), name))
		return;		/* a number never gets another name */
	if (k->name == NULL)
		k->name = mem_dup(name.p, name.n);
	k->day = be32_get(body.p);
}

/* The block at f->end, of which s is what is in memory.  ERR_LIMIT: not all
 * that is wanted of it. */
static int
take_block(struct cachefile *f, uint64_t size, struct span s)
{
	struct cachefile_block b = { .off = f->end };
	unsigned type;

	if (s.n < BLOCK_HEADER)
		return size - f->end < BLOCK_HEADER ? ERR_CORRUPT : ERR_LIMIT;
	b.n = be32_get(s.p + 4);
	type = be32_get(s.p + 8) >> 16;
	b.kind = (uint16_t)be32_get(s.p + 8);
	b.count = be32_get(s.p + 12);
	b.check = be32_get(s.p + 16);
	if (be32_get(s.p) != crc32c(seed(f), s.p + BLOCK_CHECKED, BLOCK_HEADER -
	    BLOCK_CHECKED) || b.n < BLOCK_HEADER || b.n > CACHE_BLOCK_MAX ||
	    b.n > size - f->end || b.kind >= CACHE_KINDS ||
	    b.count > (b.n - BLOCK_HEADER) / (ENTRY_SIZE +
	    CACHE_VALUE_HEADER) || f->blocks.n == CACHE_BLOCKS_MAX)
		return ERR_CORRUPT;
	if (type == BLOCK_KIND) {
		if (b.n > BLOCK_HEADER + 4 + MAILDIR_KIND_NAME_MAX)
			return ERR_CORRUPT;
		if (s.n < b.n)
			return ERR_LIMIT;
		take_kind(f, b.kind, b.check, span_skip(span_take(s, b.n),
		    BLOCK_HEADER));
	} else if (type == BLOCK_VALUES) {
		VEC_PUSH(&f->blocks, b);
		f->kind[b.kind].count += b.count;
	}
	f->end += b.n;
	return 0;
}

int
cachefile_update(struct cachefile *f)
{
	uint8_t *window;
	struct stat st;
	uint64_t size, off = 0, last = 0;
	size_t n = 0;
	int r = 0;

	if (fstat(f->fd, &st) != 0)
		return err_from_errno(errno);
	size = (uint64_t)st.st_size;
	if (size < f->end)
		return ERR_CORRUPT;
	f->is_torn = size > CACHE_MAX;
	if (f->is_torn)
		size = CACHE_MAX;
	if (size <= f->end)
		return 0;
	window = mem_alloc(WINDOW);
	while (r == 0 && f->end < size) {
		struct span s = SPAN_NONE;

		if (f->end >= off && f->end - off < n)
			s = span_skip(span_of(window, n),
			    (size_t)(f->end - off));
		if (s.n > 0)
			last = f->end;
		r = take_block(f, size, s);
		if (r != ERR_LIMIT)
			continue;
		/* After a large block there is most likely another one. */
		r = cachefile_read(f, f->end, window, f->end - last > WINDOW ?
		    WINDOW_HEADER : WINDOW, &n);
		off = last = f->end;
		if (r == 0)
			r = take_block(f, size, span_of(window, n));
		if (r == ERR_LIMIT)	/* the file has just been cut */
			r = ERR_CORRUPT;
	}
	free(window);
	if (r == ERR_CORRUPT) {
		f->is_torn = true;
		r = 0;
	}
	return r;
}

int
cachefile_open(struct cachefile *f, int dir, uint32_t uidvalidity)
{
	int r;

	f->fd = openat(dir, CACHE_FILE, O_RDWR | O_APPEND | O_CLOEXEC |
	    O_NOFOLLOW | O_NONBLOCK);
	if (f->fd < 0 && (errno == EACCES || errno == EROFS))
		f->fd = openat(dir, CACHE_FILE, O_RDONLY | O_CLOEXEC |
		    O_NOFOLLOW | O_NONBLOCK);
	if (f->fd < 0)
		return err_from_errno(errno);
	r = read_header(f, uidvalidity);
	if (r == 0)
		r = cachefile_update(f);
	if (r != 0)
		cachefile_done(f);
	return r;
}

int
cachefile_entries(const struct cachefile *f, size_t i, uint32_t *v)
{
	const struct cachefile_block *b = &f->blocks.v[i];
	size_t want = (size_t)b->count * ENTRY_SIZE, n;
	uint8_t *p = (uint8_t *)v;
	int r;

	r = cachefile_read(f, b->off + BLOCK_HEADER, p, want, &n);
	if (r != 0)
		return r;
	if (n != want || crc32c(seed(f), p, n) != b->check)
		return ERR_CORRUPT;
	for (size_t k = 0; k < 2 * (size_t)b->count; k++)
		v[k] = be32_get(p + 4 * k);
	for (size_t k = 0; k < b->count; k++)
		if (v[2 * k + 1] < BLOCK_HEADER || v[2 * k + 1] > b->n)
			return ERR_CORRUPT;
	return 0;
}

int
cachefile_value(const struct cachefile *f, struct span s, unsigned kind,
    uint32_t uid, struct span *ret, size_t *ret_n)
{
	size_t n;

	if (s.n < CACHE_VALUE_HEADER)
		return ERR_LIMIT;
	n = be32_get(s.p + 4);
	if (n > cache_value_max(uid) || be32_get(s.p + 8) != uid)
		return ERR_CORRUPT;
	*ret_n = CACHE_VALUE_HEADER + n;
	if (s.n < *ret_n)
		return ERR_LIMIT;
	if (value_check(f, kind, s.p + VALUE_CHECKED, *ret_n - VALUE_CHECKED) !=
	    be32_get(s.p))
		return ERR_CORRUPT;
	*ret = span_of(s.p + CACHE_VALUE_HEADER, n);
	return 0;
}

/* ---- blocks ------------------------------------------------------------- */

void
cachebatch_init(struct cachebatch *b)
{
	buf_init(&b->entries, CACHE_BLOCK_MAX);
	buf_init(&b->values, CACHE_BLOCK_MAX);
	b->count = 0;
}

void
cachebatch_done(struct cachebatch *b)
{
	buf_done(&b->entries);
	buf_done(&b->values);
	b->count = 0;
}

void
cachebatch_put(struct cachebatch *b, uint32_t uid, struct span value)
{
	enc_u32(&b->entries, uid);
	enc_u32(&b->entries, (uint32_t)b->values.n);
	enc_u32(&b->values, 0);
	enc_u32(&b->values, (uint32_t)value.n);
	enc_u32(&b->values, uid);
	buf_put_span(&b->values, value);
	b->count++;
}

/* Offset of the block's header in out. */
static size_t
begin_block(struct buf *out, size_t body, enum block_type type, unsigned kind,
    uint32_t count)
{
	size_t at = out->n;

	enc_u32(out, 0);
	enc_u32(out, (uint32_t)(BLOCK_HEADER + body));
	enc_u16(out, (uint16_t)type);
	enc_u16(out, (uint16_t)kind);
	enc_u32(out, count);
	enc_u32(out, 0);
	return at;
}

/* The first n bytes of the body have a check of their own. */
static void
end_block(const struct cachefile *f, struct buf *out, size_t at, size_t n)
{
	uint8_t *p = out->p + at;

	if (buf_err(out) != 0)
		return;
	be32_put(p + 16, crc32c(seed(f), p + BLOCK_HEADER, n));
	be32_put(p, crc32c(seed(f), p + BLOCK_CHECKED, BLOCK_HEADER -
	    BLOCK_CHECKED));
}

/* The checks of the values, and the offsets from the start of the block. */
static void
complete(const struct cachefile *f, unsigned kind, struct cachebatch *b)
{
	uint32_t first = (uint32_t)(BLOCK_HEADER + b->entries.n);

	for (size_t i = 0; i < b->count; i++) {
		uint8_t *off = b->entries.p + ENTRY_SIZE * i + 4;
		uint8_t *p = b->values.p + be32_get(off);

		be32_put(p, value_check(f, kind, p + VALUE_CHECKED,
		    CACHE_VALUE_HEADER - VALUE_CHECKED + be32_get(p + 4)));
		be32_put(off, be32_get(off) + first);
	}
}

void
cachefile_put_block(const struct cachefile *f, struct buf *out, unsigned kind,
    struct cachebatch *b)
{
	size_t n = b->entries.n + b->values.n, at;

	if (b->count > 0 && buf_err(&b->entries) == 0 &&
	    buf_err(&b->values) == 0 && n <= CACHE_BLOCK_MAX - BLOCK_HEADER) {
		complete(f, kind, b);
		at = begin_block(out, n, BLOCK_VALUES, kind, b->count);
		buf_put_span(out, buf_span(&b->entries));
		buf_put_span(out, buf_span(&b->values));
		end_block(f, out, at, b->entries.n);
	}
	buf_clear(&b->entries);
	buf_clear(&b->values);
	b->count = 0;
}

void
cachefile_put_kind(const struct cachefile *f, struct buf *out, unsigned kind,
    struct span name, uint32_t day)
{
	size_t at = begin_block(out, 4 + name.n, BLOCK_KIND, kind, 0);

	enc_u32(out, day);
	buf_put_span(out, name);
	end_block(f, out, at, 4 + name.n);
}

/* ---- writing ------------------------------------------------------------ */

/* Is it this file that has the name? */
static bool
is_named(const struct cachefile *f, int dir, const char *name)
{
	struct stat ours, there;

	return fstat(f->fd, &ours) == 0 &&
	    fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    there.st_dev == ours.st_dev && there.st_ino == ours.st_ino;
}

int
cachefile_create(struct cachefile *f, int dir, mode_t mode,
    uint32_t uidvalidity)
{
	struct buf b, rest;
	int r = 0;

	f->fd = openat(dir, CACHE_TMP, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC |
	    O_NOFOLLOW | O_NONBLOCK, mode);
	if (f->fd < 0)
		return err_from_errno(errno);
	buf_init(&rest, HEADER_SIZE);
	enc_u32(&rest, uidvalidity);
	enc_u64(&rest, f->generation);
	buf_init(&b, HEADER_SIZE);
	buf_put_span(&b, MAGIC);
	enc_u32(&b, crc32c(0, rest.p, rest.n));
	buf_put_span(&b, buf_span(&rest));
	/* Somebody is making one; or has made it, and what was at CACHE_TMP
	 * when we opened it is in use. */
	if (flock(f->fd, LOCK_EX | LOCK_NB) != 0 ||
	    !is_named(f, dir, CACHE_TMP))
		r = ERR_BUSY;
	if (r == 0 && (ftruncate(f->fd, 0) != 0 || fchmod(f->fd, mode) != 0))
		r = err_from_errno(errno);
	if (r == 0)
		r = fdio_write_file(f->fd, buf_span(&b));
	if (r == 0)
		r = read_header(f, uidvalidity);
	buf_done(&b);
	buf_done(&rest);
	step("cache-created");
	if (r != 0)
		fdio_close(&f->fd);
	return r;
}

int
cachefile_show(struct cachefile *f, int dir)
{
	/* It is ours by its lock; unless somebody has removed it. */
	if (!is_named(f, dir, CACHE_TMP))
		return ERR_GONE;
	if (renameat(dir, CACHE_TMP, dir, CACHE_FILE) != 0)
		return err_from_errno(errno);
	step("cache-renamed");
	return 0;
}

static int
cut_torn(struct cachefile *f)
{
	if (!f->is_torn)
		return 0;
	if (ftruncate(f->fd, (off_t)f->end) != 0)
		return err_from_errno(errno);
	f->is_torn = false;
	return 0;
}

int
cachefile_lock(struct cachefile *f, int dir)
{
	int r;

	if (flock(f->fd, LOCK_EX | LOCK_NB) != 0)
		return ERR_BUSY;
	r = is_named(f, dir, CACHE_FILE) ? cachefile_update(f) : ERR_GONE;
	if (r == 0)
		r = cut_torn(f);
	if (r != 0)
		cachefile_unlock(f);
	return r;
}

void
cachefile_unlock(struct cachefile *f)
{
	(void)flock(f->fd, LOCK_UN);	/* closing does it, too */
}

int
cachefile_append(struct cachefile *f, struct span s)
{
	ssize_t n;
	int r;

	if (f->end > CACHE_MAX || s.n > CACHE_MAX - f->end)
		return ERR_LIMIT;
	do {
		n = write(f->fd, s.p, s.n);
	} while (n < 0 && errno == EINTR);
	step("cache-appended");
	if (n < 0)
		return err_from_errno(errno);
	r = cachefile_update(f);
	if (r != 0 || (size_t)n == s.n)
		return r;
	/* Whole blocks stay: somebody may have read them already, and would
	 * not learn that others have taken their place. */
	r = cut_torn(f);
	return r != 0 ? r : ERR_NOSPACE;
}
