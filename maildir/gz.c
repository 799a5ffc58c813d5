/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * gzip (RFC 1952), for unpack.c.  Several members make one message; what
 * follows the last and is no member is ignored, as gzip(1) does.
 */
#include <stdbool.h>
#include <stdlib.h>

#include <zlib.h>

#include "base/mem.h"
#include "maildir/unpack.h"

#define WINDOW_GZIP	(15 + 16)	/* inflateInit2(): gzip only */
#define MAGIC		SPAN("\x1f\x8b\x08")

struct gz {
	z_stream z;
	bool is_end;
	bool is_bad;
	struct unpack_in in;
};

struct gz_mark {
	z_stream z;		/* a copy of all its state */
	uint64_t off;		/* of the file */
	bool is_end, is_bad;
};

static void *
gz_new(int fd)
{
	struct gz *gz = mem_zalloc(sizeof(*gz));

	gz->in.fd = fd;
	if (inflateInit2(&gz->z, WINDOW_GZIP) != Z_OK) {
		free(gz);
		return NULL;
	}
	return gz;
}

static void
gz_free(void *state)
{
	struct gz *gz = state;

	if (gz == NULL)
		return;
	(void)inflateEnd(&gz->z);	/* frees; its result tells nothing */
	free(gz);
}

static int
gz_rewind(void *state)
{
	struct gz *gz = state;

	unpack_in_seek(&gz->in, 0);
	gz->is_end = gz->is_bad = false;
	return inflateReset(&gz->z) == Z_OK ? 0 : ERR_CORRUPT;
}

static int
end_of_member(struct gz *gz)
{
	bool more;
	int r = unpack_in_at(&gz->in, MAGIC, &more);

	if (r != 0)
		return r;
	gz->is_end = !more;
	gz->is_bad = more && inflateReset(&gz->z) != Z_OK;
	return 0;
}

static int
gz_next(void *state, uint8_t *p, size_t n, size_t *ret_n)
{
	struct gz *gz = state;
	size_t want = n > UINT32_MAX ? UINT32_MAX : n;
	bool is_cut;
	int r, zr;

	gz->z.next_out = p;
	gz->z.avail_out = (uInt)want;
	while (gz->z.avail_out == want && !gz->is_end && !gz->is_bad) {
		if ((r = unpack_in_fill(&gz->in)) != 0)
			return r;
		gz->z.next_in = (Bytef *)(uintptr_t)gz->in.next;
		gz->z.avail_in = (uInt)gz->in.n;
		is_cut = gz->in.n == 0;
		zr = inflate(&gz->z, Z_NO_FLUSH);
		gz->in.next += gz->in.n - gz->z.avail_in;
		gz->in.n = gz->z.avail_in;
		if (zr == Z_STREAM_END && (r = end_of_member(gz)) != 0)
			return r;
		/* Without input it can give what it has kept back, no more. */
		gz->is_bad |= zr != Z_STREAM_END && zr != Z_OK &&
		    (is_cut || zr != Z_BUF_ERROR);
	}
	*ret_n = want - gz->z.avail_out;
	return *ret_n == 0 && gz->is_bad ? ERR_CORRUPT : 0;
}

static void *
gz_mark(void *state)
{
	struct gz *gz = state;
	struct gz_mark *m = mem_zalloc(sizeof(*m));

	if (inflateCopy(&m->z, &gz->z) != Z_OK) {
		free(m);
		return NULL;
	}
	m->off = gz->in.off - gz->in.n;
	m->is_end = gz->is_end;
	m->is_bad = gz->is_bad;
	return m;
}

static int
gz_go(void *state, const void *mark)
{
	const struct gz_mark *m = mark;
	struct gz *gz = state;
	z_stream z;

	if (inflateCopy(&z, (z_stream *)(uintptr_t)&m->z) != Z_OK)
		return ERR_CORRUPT;
	(void)inflateEnd(&gz->z);
	/* A stream knows its own address: it is copied into place once more. */
	if (inflateCopy(&gz->z, &z) != Z_OK) {
		gz->z = (z_stream){ 0 };
		(void)inflateEnd(&z);
		return ERR_CORRUPT;
	}
	(void)inflateEnd(&z);
	unpack_in_seek(&gz->in, m->off);
	gz->is_end = m->is_end;
	gz->is_bad = m->is_bad;
	return 0;
}

static void
gz_unmark(void *mark)
{
	struct gz_mark *m = mark;

	(void)inflateEnd(&m->z);
	free(m);
}

const struct unpack_codec gz_codec = {
	MAGIC, gz_new, gz_free, gz_rewind, gz_next, gz_mark, gz_go, gz_unmark
};
