/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Dovecot's zlib plugin leaves files that begin with the magic of gzip or of
 * zstd; no message does, for it begins with the name of a header field.  The
 * size is found by unpacking once, since nothing in the file can be believed:
 * a literal has to be as long as was announced.
 *
 * DAMAGE.  What comes out before the damage is the message; every reader gets
 * the same.  If nothing comes out, or more than UNPACKED_MAX (a bomb), the file
 * is served as it lies there.
 *
 * MEMORY is that of one window, whatever the size of the message.  A client
 * that reads a large message forwards, slice by slice, costs one pass.  Once
 * one goes back, marks are set while unpacking, so that later jumps start no
 * more than a MARKS_MAX-th of the message in front of their target.
 */
#include <stdbool.h>
#include <stdlib.h>

#include "base/fdio.h"
#include "base/mem.h"
#include "maildir/unpack.h"

#define UNPACKED_MAX	(UINT64_C(1) << 30)	/* bytes of one message */
#define MARKS_MAX	16u
#define MARK_EVERY	(UINT64_C(1) << 20)	/* bytes, at least */

struct mark {
	void *state;		/* NULL: none here */
	uint64_t pos;
};

struct unpack {
	const struct unpack_codec *codec;
	void *state;
	uint64_t size;		/* of the message */
	uint64_t pos;
	bool has_marks;
	struct mark marks[MARKS_MAX];
};

static const struct unpack_codec *const codecs[] = {
	&gz_codec,
#ifdef HAVE_ZSTD
	&zst_codec,
#endif
};

/* ---- what codecs read from ------------------------------------------- */

int
unpack_in_fill(struct unpack_in *in)
{
	size_t n;
	int r;

	if (in->n > 0)
		return 0;
	r = fdio_pread(in->fd, in->p, sizeof(in->p), in->off, &n);
	if (r != 0)
		return r;
	in->off += n;
	in->next = in->p;
	in->n = n;
	return 0;
}

void
unpack_in_seek(struct unpack_in *in, uint64_t off)
{
	in->off = off;
	in->n = 0;
}

int
unpack_in_at(const struct unpack_in *in, struct span magic, bool *ret)
{
	uint8_t p[UNPACK_MAGIC_MAX];
	size_t n;
	int r = fdio_pread(in->fd, p, magic.n, in->off - in->n, &n);

	if (r == 0)
		*ret = is_span_eq(span_of(p, n), magic);
	return r;
}

/* ---- the message ----------------------------------------------------- */

static uint64_t
mark_every(const struct unpack *u)
{
	uint64_t v = u->size / MARKS_MAX + 1;

	return v < MARK_EVERY ? MARK_EVERY : v;
}

/* On the way, behind every so many bytes. */
static void
set_mark(struct unpack *u)
{
	uint64_t i = u->pos / mark_every(u);
	struct mark *m;

	if (!u->has_marks || i == 0 || i > MARKS_MAX)
		return;
	m = &u->marks[i - 1];
	if (m->state == NULL) {
		m->state = u->codec->mark(u->state);
		m->pos = u->pos;
	}
}

static int
next(struct unpack *u, uint8_t *p, size_t n, size_t *ret_n)
{
	int r = u->codec->next(u->state, p, n, ret_n);

	if (r != 0)
		return r;
	u->pos += *ret_n;
	set_mark(u);
	return 0;
}

static int
measure(struct unpack *u)
{
	uint8_t skip[UNPACK_IN];
	size_t n = 1;
	int r = 0;

	while (r == 0 && n > 0) {
		r = next(u, skip, sizeof(skip), &n);
		if (u->pos > UNPACKED_MAX)
			return ERR_UNSUPPORTED;
	}
	if (r == ERR_CORRUPT)
		r = u->pos > 0 ? 0 : ERR_UNSUPPORTED;
	u->size = u->pos;
	return r;
}

/* Be at off, or before it on the way there. */
static int
go(struct unpack *u, uint64_t off)
{
	const struct mark *best = NULL;
	int r;

	for (size_t i = 0; i < MARKS_MAX; i++)
		if (u->marks[i].state != NULL && u->marks[i].pos <= off)
			best = &u->marks[i];
	if (off >= u->pos && (best == NULL || best->pos <= u->pos))
		return 0;
	u->has_marks = u->codec->mark != NULL && u->size > MARK_EVERY;
	r = best != NULL ? u->codec->go(u->state, best->state) :
	    u->codec->rewind(u->state);
	if (r == 0)
		u->pos = best != NULL ? best->pos : 0;
	return r;
}

static const struct unpack_codec *
find_codec(struct span head)
{
	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
		if (has_prefix(head, codecs[i]->magic))
			return codecs[i];
	return NULL;
}

bool
is_packed(struct span head)
{
	return find_codec(head) != NULL;
}

int
unpack_new(int fd, struct unpack **ret, uint64_t *ret_size)
{
	const struct unpack_codec *codec;
	uint8_t magic[UNPACK_MAGIC_MAX];
	struct unpack *u;
	size_t n;
	int r;

	r = fdio_pread(fd, magic, sizeof(magic), 0, &n);
	if (r != 0)
		return r;
	codec = find_codec(span_of(magic, n));
	if (codec == NULL)
		return ERR_UNSUPPORTED;
	u = mem_zalloc(sizeof(*u));
	u->codec = codec;
	u->state = codec->new(fd);
	r = u->state == NULL ? ERR_UNSUPPORTED : measure(u);
	if (r == 0) {
		u->pos = 0;
		r = codec->rewind(u->state);
	}
	if (r != 0) {
		unpack_free(u);
		return r;
	}
	*ret = u;
	*ret_size = u->size;
	return 0;
}

void
unpack_free(struct unpack *u)
{
	if (u == NULL)
		return;
	for (size_t i = 0; i < MARKS_MAX; i++)
		if (u->marks[i].state != NULL)
			u->codec->unmark(u->marks[i].state);
	u->codec->free(u->state);
	free(u);
}

int
unpack_read(struct unpack *u, uint64_t off, void *p, size_t n, size_t *ret_n)
{
	uint8_t skip[UNPACK_IN], *out = p;
	size_t got = 0, k = 1;
	int r;

	if (off > u->size)
		off = u->size;
	if (n > u->size - off)
		n = (size_t)(u->size - off);
	r = n == 0 ? 0 : go(u, off);
	while (r == 0 && n > 0 && u->pos < off && k > 0) {
		uint64_t left = off - u->pos;

		r = next(u, skip, left < sizeof(skip) ? (size_t)left :
		    sizeof(skip), &k);
	}
	while (r == 0 && got < n && k > 0) {
		r = next(u, out + got, n - got, &k);
		got += r == 0 ? k : 0;
	}
	/* Cut or damaged since it was measured: that is its end now. */
	if (r != 0 && r != ERR_CORRUPT)
		return r;
	*ret_n = got;
	return 0;
}
