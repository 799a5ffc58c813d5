/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * zstd (RFC 8878), for unpack.c; configure --with-zstd.  Several frames make
 * one message; what follows the last and is no frame is ignored.
 *
 * Memory is the window that the frame asks for.  WINDOW_LOG_MAX permits all
 * that zstd(1) makes at levels up to 19 and Dovecot at any; a frame that wants
 * more is not unpacked.
 */
#include <stdbool.h>
#include <stdlib.h>

#include <zstd.h>

#include "base/mem.h"
#include "maildir/unpack.h"

#define MAGIC		SPAN("\x28\xb5\x2f\xfd")
#define WINDOW_LOG_MAX	23	/* 8 MiB, as RFC 8878 3.1.1.1.2 wants */

struct zst {
	ZSTD_DCtx *z;
	bool is_end;
	bool is_bad;
	struct unpack_in in;
};

static void
zst_free(void *state)
{
	struct zst *zst = state;

	if (zst == NULL)
		return;
	(void)ZSTD_freeDCtx(zst->z);	/* frees; its result tells nothing */
	free(zst);
}

static void *
zst_new(int fd)
{
	struct zst *zst = mem_zalloc(sizeof(*zst));

	zst->in.fd = fd;
	zst->z = ZSTD_createDCtx();
	if (zst->z == NULL || ZSTD_isError(ZSTD_DCtx_setParameter(zst->z,
	    ZSTD_d_windowLogMax, WINDOW_LOG_MAX))) {
		zst_free(zst);
		return NULL;
	}
	return zst;
}

static int
zst_rewind(void *state)
{
	struct zst *zst = state;

	unpack_in_seek(&zst->in, 0);
	zst->is_end = zst->is_bad = false;
	return ZSTD_isError(ZSTD_DCtx_reset(zst->z,
	    ZSTD_reset_session_only)) ? ERR_CORRUPT : 0;
}

static int
zst_next(void *state, uint8_t *p, size_t n, size_t *ret_n)
{
	struct zst *zst = state;
	ZSTD_outBuffer out = { p, n, 0 };
	bool more;
	int r;

	while (out.pos == 0 && !zst->is_end && !zst->is_bad) {
		ZSTD_inBuffer in;
		size_t zr;

		if ((r = unpack_in_fill(&zst->in)) != 0)
			return r;
		in = (ZSTD_inBuffer){ zst->in.next, zst->in.n, 0 };
		zr = ZSTD_decompressStream(zst->z, &out, &in);
		/* Nothing more comes in, and nothing came out: cut. */
		zst->is_bad = ZSTD_isError(zr) ||
		    (zst->in.n == 0 && out.pos == 0 && zr != 0);
		zst->in.next += in.pos;
		zst->in.n -= in.pos;
		if (zr != 0)
			continue;
		if ((r = unpack_in_at(&zst->in, MAGIC, &more)) != 0)
			return r;
		zst->is_end = !more;
	}
	*ret_n = out.pos;
	return out.pos == 0 && zst->is_bad ? ERR_CORRUPT : 0;
}

const struct unpack_codec zst_codec = {
	MAGIC, zst_new, zst_free, zst_rewind, zst_next, NULL, NULL, NULL
};
