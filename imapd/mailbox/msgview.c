/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * msgview.c: see msgview.h.
 *
 * What is known of a message grows in steps, each taken when first asked for:
 *
 *	nothing -> file open -> a prefix in memory -> all of it
 *	                     -> header parsed -> tree parsed
 *	                     -> line ends counted
 *
 * If only a part is wanted and it is known where that is, the way is shorter:
 *
 *	nothing -> file open -> tree as it was kept -> the part in memory
 *
 * Sizes, dates and where the parts are, are kept for later sessions; what else
 * is made of a message is kept by those who make it (maildir_keep()).
 */
#include <assert.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/enc.h"
#include "base/mem.h"
#include "maildir/maildir.h"
#include "message/crlf.h"
#include "message/part.h"
#include "message/part_pack.h"
#include "imapd/mailbox/msgview.h"

#define MSGVIEW_ARENA	(16 * 1024)	/* a usual message's parts fit */

enum kept {
	KEPT_SIZE,		/* size, bare_lf, lines, date: 8 each */
	KEPT_DATE,		/* seconds since 1970: 8 */
	KEPT_PARTS,		/* size, date: 8 each; then part_pack() */
	KEPT_COUNT
};

static const struct span kept_name[KEPT_COUNT] = {
	SPAN("size 2"), SPAN("date 1"), SPAN("parts 2")
};

struct msgview {
	struct maildir *md;
	bool has_kind[KEPT_COUNT];
	unsigned kind[KEPT_COUNT];
	uint32_t uid;			/* 0: none */
	int err;			/* why the message cannot be read */
	struct maildir_file *file;	/* NULL: not open */
	uint64_t size;			/* bytes stored; less once it turned
					 * out that the file was cut */
	bool is_held;			/* open since an earlier command */
	bool is_by_piece;		/* large, or only a part is wanted */
	struct buf data;		/* by piece: the one at piece_off;
					 * else: the first bytes of the file */
	uint64_t piece_off;
	struct arena *arena;		/* of header and parts */
	const struct part *header;	/* NULL: not parsed */
	const struct part *parts;
	const struct part *sections;	/* parts, or those that were kept */
	bool has_whole;
	struct extent whole;
	struct msgview_mark mark;
};

struct msgview *
msgview_new(struct maildir *md)
{
	struct msgview *mv = mem_zalloc(sizeof(*mv));

	mv->md = md;
	for (int k = 0; k < KEPT_COUNT; k++)
		mv->has_kind[k] = maildir_kind(md, kept_name[k],
		    &mv->kind[k]) == 0;
	buf_init(&mv->data, MSGVIEW_MEMORY);
	mv->arena = arena_new(MSGVIEW_ARENA);
	return mv;
}

/* Forget the message, keep the memory. */
static void
forget(struct msgview *mv)
{
	maildir_file_close(mv->file);
	mv->file = NULL;
	mv->uid = 0;
	mv->err = 0;
	mv->size = 0;
	mv->is_held = mv->is_by_piece = false;
	buf_clear(&mv->data);
	mv->piece_off = 0;
	arena_clear(mv->arena);
	mv->header = mv->parts = mv->sections = NULL;
	mv->has_whole = false;
	mv->mark = (struct msgview_mark){ 0 };
}

void
msgview_free(struct msgview *mv)
{
	if (mv == NULL)
		return;
	forget(mv);
	buf_done(&mv->data);
	arena_free(mv->arena);
	free(mv);
}

void
msgview_set(struct msgview *mv, uint32_t uid)
{
	if (mv->uid == uid)
		return;
	forget(mv);
	mv->uid = uid;
}

static bool
is_small(const struct msgview *mv)
{
	return mv->size <= MSGVIEW_MEMORY;
}

void
msgview_rest(struct msgview *mv)
{
	if (mv->file == NULL || is_small(mv))
		forget(mv);
	mv->is_held = mv->file != NULL;
	buf_done(&mv->data);
	buf_init(&mv->data, MSGVIEW_MEMORY);
	maildir_keep_flush(mv->md);
}

struct msgview_mark *
msgview_mark(struct msgview *mv)
{
	return &mv->mark;
}

int
msgview_open(struct msgview *mv)
{
	int err;

	assert(mv->uid != 0);
	if (mv->err != 0 || mv->file != NULL)
		return mv->err;
	err = maildir_file_open(mv->md, mv->uid, &mv->file);
	if (err != 0) {
		mv->file = NULL;
		mv->err = err;
		return err;
	}
	mv->size = maildir_file_size(mv->file);
	mv->is_by_piece = !is_small(mv);
	return 0;
}

bool
is_msgview_whole(const struct msgview *mv)
{
	return mv->file != NULL && mv->err == 0 && !mv->is_held &&
	    maildir_file_size(mv->file) == mv->size &&
	    is_maildir_file_settled(mv->file);
}

static bool
has_kept(struct msgview *mv, enum kept k, struct span *ret)
{
	return mv->has_kind[k] &&
	    has_maildir_value(mv->md, mv->kind[k], mv->uid, ret);
}

static void
keep(struct msgview *mv, enum kept k, const struct buf *b)
{
	if (mv->has_kind[k] && buf_err(b) == 0)
		maildir_keep(mv->md, mv->kind[k], mv->uid, buf_span(b));
}

int
msgview_date(struct msgview *mv, int64_t *ret)
{
	struct maildir_info info;
	bool is_settled;
	struct span kept;
	struct buf b;
	int err;

	if (has_kept(mv, KEPT_DATE, &kept) && kept.n == 8) {
		struct dec d = dec_init(kept);

		*ret = (int64_t)dec_u64(&d);
		return 0;
	}
	if (mv->file != NULL) {
		*ret = maildir_file_date(mv->file);
		is_settled = is_maildir_file_settled(mv->file);
	} else if ((err = maildir_info(mv->md, mv->uid, &info)) != 0) {
		return err;
	} else {
		*ret = info.internal_date;
		is_settled = info.is_settled;
	}
	if (is_settled) {
		buf_init(&b, 8);
		enc_u64(&b, (uint64_t)*ret);
		keep(mv, KEPT_DATE, &b);
		buf_done(&b);
	}
	return 0;
}

/* What was kept of an open file is about these bytes: nobody has written to it
 * since. */
static bool
is_same_file(const struct msgview *mv, uint64_t size, int64_t date)
{
	return mv->file == NULL || (mv->size == size &&
	    maildir_file_date(mv->file) == date);
}

/* A small message: have its first want bytes, or all, in memory. */
static int
fill(struct msgview *mv, uint64_t want)
{
	uint8_t *p;
	size_t n, got;
	int err;

	if (want > mv->size)
		want = mv->size;
	if (want <= mv->data.n)
		return 0;
	n = (size_t)want - mv->data.n;
	p = buf_room(&mv->data, n);
	assert(p != NULL);	/* it is small */
	err = maildir_file_read(mv->file, mv->data.n, p, n, &got);
	if (err != 0) {
		mv->err = err;
		return err;
	}
	mv->data.n += got;
	if (got < n)		/* cut since it was opened */
		mv->size = mv->data.n;
	return 0;
}

/* Have the piece at off in memory: all of n bytes, if there is room. */
static int
load(struct msgview *mv, uint64_t off, uint64_t n)
{
	size_t want = MSGVIEW_PIECE, got;
	uint8_t *p;
	int err;

	if (mv->data.n > 0 && off >= mv->piece_off &&
	    off - mv->piece_off < mv->data.n)
		return 0;
	if (n > want && n <= MSGVIEW_MEMORY)
		want = (size_t)n;
	buf_clear(&mv->data);
	p = buf_room(&mv->data, want);
	assert(p != NULL);
	err = maildir_file_read(mv->file, off, p, want, &got);
	if (err != 0) {
		mv->err = err;
		return err;
	}
	mv->piece_off = off;
	mv->data.n = got;
	if (got < want && off + got < mv->size)
		mv->size = off + got;	/* cut since it was opened */
	return 0;
}

int
msgview_piece(struct msgview *mv, uint64_t off, uint64_t n, struct span *ret)
{
	struct span s;
	int err;

	if ((err = msgview_open(mv)) != 0)
		return err;
	if (off >= mv->size || n == 0) {
		*ret = SPAN_NONE;
		return 0;
	}
	if (n > mv->size - off)
		n = mv->size - off;
	if (mv->is_by_piece) {
		if ((err = load(mv, off, n)) != 0)
			return err;
		s = span_skip(buf_span(&mv->data),
		    (size_t)(off - mv->piece_off));
	} else {
		if ((err = fill(mv, off + n)) != 0)
			return err;
		s = span_skip(buf_span(&mv->data), (size_t)off);
	}
	*ret = span_take(s, n < s.n ? (size_t)n : s.n);
	return 0;
}

static bool
has_kept_size(struct msgview *mv)
{
	struct extent e = { .off = 0 };
	struct span kept;
	int64_t date;
	struct dec d;

	if (!has_kept(mv, KEPT_SIZE, &kept))
		return false;
	d = dec_init(kept);
	e.size = dec_u64(&d);
	e.bare_lf = dec_u64(&d);
	e.lines = dec_u64(&d);
	date = (int64_t)dec_u64(&d);
	if (dec_end(&d) != 0 || e.lines > e.size || e.bare_lf > e.lines ||
	    !is_same_file(mv, e.size, date))
		return false;
	mv->whole = e;
	return true;
}

static void
keep_size(struct msgview *mv)
{
	struct buf b;

	if (!is_msgview_whole(mv))
		return;
	buf_init(&b, 32);
	enc_u64(&b, mv->whole.size);
	enc_u64(&b, mv->whole.bare_lf);
	enc_u64(&b, mv->whole.lines);
	enc_u64(&b, (uint64_t)maildir_file_date(mv->file));
	keep(mv, KEPT_SIZE, &b);
	buf_done(&b);
}

static int
count(struct msgview *mv)
{
	struct crlf_count count = { 0 };
	struct span s;
	uint64_t off = 0;
	int err;

	for (;;) {
		err = msgview_piece(mv, off, UINT64_MAX, &s);
		if (err != 0)
			return err;
		if (s.n == 0)
			break;
		crlf_count(&count, s);
		off += s.n;
	}
	mv->whole = (struct extent){ .off = 0, .size = off,
	    .bare_lf = count.bare, .lines = count.lines };
	return 0;
}

bool
has_msgview_whole(struct msgview *mv, struct extent *ret)
{
	/* It may have been opened since, and be another one. */
	if (mv->has_whole && mv->file != NULL && mv->whole.size != mv->size)
		mv->has_whole = false;
	mv->has_whole = mv->has_whole || has_kept_size(mv);
	if (mv->has_whole)
		*ret = mv->whole;
	return mv->has_whole;
}

int
msgview_stored(struct msgview *mv, uint64_t *ret)
{
	int err = msgview_open(mv);

	if (err == 0)
		*ret = mv->size;
	return err;
}

int
msgview_whole(struct msgview *mv, struct extent *ret)
{
	int err;

	if (mv->err != 0)
		return mv->err;
	if (!has_msgview_whole(mv, ret)) {
		if ((err = count(mv)) != 0)
			return err;
		keep_size(mv);
		mv->has_whole = true;
		*ret = mv->whole;
	}
	return 0;
}

/*
 * Push the file through a parser.  The first piece is small when only the
 * header is wanted: most messages' headers end in it.
 */
static int
parse(struct msgview *mv, bool is_header, const struct part **ret)
{
	struct part_parser *pp = part_parser_new(mv->arena);
	uint64_t off = 0, n = is_header ? MSGVIEW_FIRST : UINT64_MAX;
	struct span s;
	int err;

	if (is_header)
		part_parser_headers_only(pp);
	for (;;) {
		if ((err = msgview_piece(mv, off, n, &s)) != 0) {
			part_parser_free(pp);
			return err;
		}
		if (s.n == 0 || !part_parser_feed(pp, s))
			break;
		off += s.n;
		n = is_header ? MSGVIEW_PIECE : UINT64_MAX;
	}
	*ret = part_parser_finish(pp);
	return 0;
}

int
msgview_header(struct msgview *mv, const struct part **ret)
{
	int err;

	if (mv->parts == NULL && mv->header == NULL &&
	    (err = parse(mv, true, &mv->header)) != 0)
		return err;
	*ret = mv->parts != NULL ? mv->parts : mv->header;
	return 0;
}

/* One part that a single read gives is found as fast by parsing it. */
static void
keep_parts(struct msgview *mv)
{
	struct buf b;

	if (!is_msgview_whole(mv) || (mv->parts->child == NULL &&
	    mv->size <= MSGVIEW_FIRST))
		return;
	buf_init(&b, MAILDIR_VALUE_MAX);
	enc_u64(&b, mv->size);
	enc_u64(&b, (uint64_t)maildir_file_date(mv->file));
	part_pack(mv->parts, &b);
	keep(mv, KEPT_PARTS, &b);
	buf_done(&b);
}

static bool
has_kept_parts(struct msgview *mv)
{
	struct span kept;
	uint64_t size;
	int64_t date;
	struct dec d;

	if (!has_kept(mv, KEPT_PARTS, &kept))
		return false;
	d = dec_init(kept);
	size = dec_u64(&d);
	date = (int64_t)dec_u64(&d);
	if (!d.failed && is_same_file(mv, size, date))
		mv->sections = part_unpack(d.rest, mv->size, mv->arena);
	return mv->sections != NULL;
}

int
msgview_parts(struct msgview *mv, const struct part **ret)
{
	int err;

	if (mv->parts == NULL) {
		if ((err = parse(mv, false, &mv->parts)) != 0)
			return err;
		keep_parts(mv);
	}
	*ret = mv->parts;
	return 0;
}

int
msgview_sections(struct msgview *mv, const struct part **ret)
{
	const struct part *parts;
	int err;

	if ((err = msgview_open(mv)) != 0)
		return err;
	if (mv->sections == NULL && mv->parts == NULL && has_kept_parts(mv) &&
	    mv->data.n == 0 && !is_maildir_file_packed(mv->file))
		mv->is_by_piece = true;
	if (mv->sections == NULL) {
		if ((err = msgview_parts(mv, &parts)) != 0)
			return err;
		mv->sections = parts;
	}
	*ret = mv->sections;
	return 0;
}

int
msgview_beginning(struct msgview *mv, uint64_t n, const struct part **ret,
    bool *ret_all)
{
	struct part_parser *pp;
	uint64_t off = 0;
	struct span s;
	int err;

	if ((err = msgview_open(mv)) != 0)
		return err;
	*ret_all = mv->size <= n;
	if (*ret_all)
		return msgview_parts(mv, ret);
	pp = part_parser_new(mv->arena);
	do {
		if ((err = msgview_piece(mv, off, n - off, &s)) != 0) {
			part_parser_free(pp);
			return err;
		}
		off += s.n;
	} while (s.n > 0 && part_parser_feed(pp, s) && off < n);
	*ret = part_parser_finish(pp);
	return 0;
}
