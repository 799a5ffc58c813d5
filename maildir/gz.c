/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Dovecot's zlib plugin leaves files that begin with the magic of gzip; no
 * message does, for it begins with the name of a header field.  Memory is that
 * of one window, whatever the size of the message; the size is found by
 * unpacking once, since nothing in the file can be believed.
 */
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/fdio.h"
#include "base/mem.h"
#include "base/span.h"
#include "maildir/gz.h"

#define IN_SIZE		16384u
#define WINDOW_GZIP	(15 + 16)	/* inflateInit2(): gzip only */
#define UNPACKED_MAX	(UINT64_C(1) << 32)	/* bytes of one message */
#define MAGIC		SPAN("\x1f\x8b\x08")

struct gz {
	int fd;
	z_stream z;
	uint64_t in_off;	/* of the file, of the next block */
	uint64_t pos;		/* of the message */
	bool is_end;
	uint8_t in[IN_SIZE];
};

static int
rewind_gz(struct gz *gz)
{
	gz->in_off = gz->pos = 0;
	gz->is_end = false;
	gz->z.avail_in = 0;
	return inflateReset(&gz->z) == Z_OK ? 0 : ERR_CORRUPT;
}

static int
refill(struct gz *gz)
{
	size_t n;
	int r;

	if (gz->z.avail_in > 0)
		return 0;
	r = fdio_pread(gz->fd, gz->in, sizeof(gz->in), gz->in_off, &n);
	if (r != 0)
		return r;
	gz->in_off += n;
	gz->z.next_in = gz->in;
	gz->z.avail_in = (uInt)n;
	return 0;
}

/* The next bytes of the message, at most n; 0 of them at its end. */
static int
next(struct gz *gz, uint8_t *p, size_t n, size_t *ret_n)
{
	size_t want = n > UINT32_MAX ? UINT32_MAX : n;
	int r, zr;

	gz->z.next_out = p;
	gz->z.avail_out = (uInt)want;
	while (gz->z.avail_out == want && !gz->is_end) {
		if ((r = refill(gz)) != 0)
			return r;
		if (gz->z.avail_in == 0)
			return ERR_CORRUPT;	/* cut */
		zr = inflate(&gz->z, Z_NO_FLUSH);
		if (zr == Z_STREAM_END) {
			/* Another member may follow (gzip(1) -c >>). */
			if ((r = refill(gz)) != 0)
				return r;
			gz->is_end = gz->z.avail_in == 0;
			if (!gz->is_end && inflateReset(&gz->z) != Z_OK)
				return ERR_CORRUPT;
		} else if (zr != Z_OK && zr != Z_BUF_ERROR) {
			return ERR_CORRUPT;
		}
	}
	*ret_n = want - gz->z.avail_out;
	gz->pos += *ret_n;
	return 0;
}

static int
measure(struct gz *gz)
{
	uint8_t skip[IN_SIZE];
	size_t n = 1;
	int r = 0;

	while (r == 0 && n > 0) {
		r = next(gz, skip, sizeof(skip), &n);
		if (gz->pos > UNPACKED_MAX)
			r = ERR_CORRUPT;
	}
	return r;
}

int
gz_new(int fd, struct gz **ret, uint64_t *ret_size)
{
	uint8_t magic[3];
	struct gz *gz;
	size_t n;
	int r;

	r = fdio_pread(fd, magic, sizeof(magic), 0, &n);
	if (r != 0)
		return r;
	if (!is_span_eq(span_of(magic, n), MAGIC))
		return ERR_UNSUPPORTED;
	gz = mem_zalloc(sizeof(*gz));
	gz->fd = fd;
	if (inflateInit2(&gz->z, WINDOW_GZIP) != Z_OK) {
		free(gz);
		return ERR_UNSUPPORTED;
	}
	r = measure(gz);
	if (r == 0) {
		*ret_size = gz->pos;
		r = rewind_gz(gz);
	}
	if (r != 0) {
		gz_free(gz);
		return r == ERR_CORRUPT ? ERR_UNSUPPORTED : r;
	}
	*ret = gz;
	return 0;
}

void
gz_free(struct gz *gz)
{
	if (gz == NULL)
		return;
	(void)inflateEnd(&gz->z);	/* frees; its result tells nothing */
	free(gz);
}

int
gz_read(struct gz *gz, uint64_t off, void *p, size_t n, size_t *ret_n)
{
	uint8_t skip[4096];
	uint8_t *out = p;
	size_t got = 0, k = 1;
	int r = 0;

	if (off < gz->pos)
		r = rewind_gz(gz);
	while (r == 0 && gz->pos < off && k > 0) {
		uint64_t left = off - gz->pos;

		r = next(gz, skip, left < sizeof(skip) ? (size_t)left :
		    sizeof(skip), &k);
	}
	while (r == 0 && got < n && k > 0) {
		r = next(gz, out + got, n - got, &k);
		got += r == 0 ? k : 0;
	}
	if (r == 0)
		*ret_n = got;
	return r;
}
