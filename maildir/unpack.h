/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * unpack.h: a message that lies compressed, read as if it were not.
 */
#ifndef MAILDIR_UNPACK_H
#define MAILDIR_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

struct unpack;

#define UNPACK_MAGIC_MAX	4u

/* is_packed(head): does a file that begins with these bytes, UNPACK_MAGIC_MAX
 * of them at least, look like a compressed one? */
bool is_packed(struct span head);

/*
 * unpack_new(fd, ret, ret_size): a reader for the file, whose descriptor stays
 * the caller's, and its size when unpacked.  ERR_UNSUPPORTED: it is not
 * compressed, or nothing can be made of it: then it is to be read as it is.
 */
int unpack_new(int fd, struct unpack **ret, uint64_t *ret_size) ERR_CHECK;
void unpack_free(struct unpack *u);

/* unpack_read(u, off, p, n, ret_n): like fdio_pread(). */
int unpack_read(struct unpack *u, uint64_t off, void *p, size_t n,
    size_t *ret_n) ERR_CHECK;

/*
 * One way to compress.  State is what new() gives; next() gives the next bytes
 * of the message, at most n, 0 of them at the end, and ERR_CORRUPT where the
 * file is cut or damaged.  A mark is a place to go back to; mark() may be NULL.
 */
struct unpack_codec {
	struct span magic;
	void *(*new)(int fd);
	void (*free)(void *state);
	int (*rewind)(void *state);
	int (*next)(void *state, uint8_t *p, size_t n, size_t *ret_n);
	void *(*mark)(void *state);		/* NULL: cannot be had */
	int (*go)(void *state, const void *mark);
	void (*unmark)(void *mark);
};

extern const struct unpack_codec gz_codec;
#ifdef HAVE_ZSTD
extern const struct unpack_codec zst_codec;
#endif

/* What codecs read from the file. */
#define UNPACK_IN	16384u

struct unpack_in {
	int fd;
	uint64_t off;		/* in the file, behind what p holds */
	size_t n;		/* bytes of p that are left, ... */
	const uint8_t *next;	/* ... from here */
	uint8_t p[UNPACK_IN];
};

/* unpack_in_fill(in): have a byte at least; n is 0 at the end of the file. */
int unpack_in_fill(struct unpack_in *in) ERR_CHECK;

/* unpack_in_seek(in, off): go on at that offset of the file. */
void unpack_in_seek(struct unpack_in *in, uint64_t off);

/* unpack_in_at(in, magic, ret): does the file go on with these bytes? */
int unpack_in_at(const struct unpack_in *in, struct span magic, bool *ret)
    ERR_CHECK;

#endif
