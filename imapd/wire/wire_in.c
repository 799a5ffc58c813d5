/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * One buffer, filled from the source when it is empty and then from its start,
 * so that a session that sends short commands touches one page of it.  Lines
 * are found with memchr().  A literal for memory is read straight into its
 * place; a streamed one is handed out where it lies.
 */
#include <stdlib.h>
#include <string.h>

#include "base/fdio.h"
#include "base/mem.h"
#include "base/num.h"
#include "imapd/wire/wire_in.h"

#define WIRE_IN_SIZE	(32 * 1024)
#define TAIL_SIZE	32	/* "{" NUM_U64_DIGITS "+}" CR, and some */

enum literal_state {
	LITERAL_NONE,		/* at the end of a command, as far as known */
	LITERAL_ANNOUNCED,	/* {n}: comes if accepted */
	LITERAL_COMING		/* left bytes of it, then more of its line */
};

struct wire_in {
	struct wire_source src;
	int fd;
	uint8_t *p;
	size_t cap;
	size_t start, end;	/* what is not consumed yet */
	size_t high;		/* highest end since the last wipe */
	uint64_t count;
	uint64_t drop_max;
	enum literal_state literal;
	uint64_t left;
	uint8_t tail[TAIL_SIZE];	/* last bytes of the line being read */
	size_t ntail;
};

static int
read_fd(void *cookie, void *p, size_t n, struct deadline d, size_t *ret_n)
{
	const struct wire_in *in = cookie;

	return fdio_read(in->fd, p, n, d, ret_n);
}

struct wire_in *
wire_in_new(struct wire_source src)
{
	struct wire_in *in = mem_zalloc(sizeof(*in));

	in->src = src;
	in->fd = -1;
	in->drop_max = UINT64_MAX;
	in->cap = WIRE_IN_SIZE;
	in->p = mem_alloc(in->cap);
	return in;
}

struct wire_in *
wire_in_new_fd(int fd)
{
	struct wire_in *in = wire_in_new((struct wire_source){ read_fd, NULL });

	in->src.cookie = in;
	in->fd = fd;
	return in;
}

void
wire_in_free(struct wire_in *in)
{
	if (in == NULL)
		return;
	/* Not the pages that were never touched. */
	mem_wipe_free(in->p, in->high);
	free(in);
}

/* Make n bytes of room in front of what is pending. */
static void
make_room(struct wire_in *in, size_t n)
{
	size_t pending = in->end - in->start;
	uint8_t *p;

	if (pending > 0 || n > in->cap) {
		in->cap = n + pending < in->cap ? in->cap : n + pending;
		p = mem_alloc(in->cap);
		memcpy(p + n, in->p + in->start, pending);
		mem_wipe_free(in->p, in->high);
		in->p = p;
		in->high = 0;
	}
	in->start = n;
	in->end = n + pending;
}

void
wire_in_push(struct wire_in *in, struct span s)
{
	if (s.n > in->start)
		make_room(in, s.n);
	in->start -= s.n;
	if (s.n > 0)
		memcpy(in->p + in->start, s.p, s.n);
	if (in->high < in->end)
		in->high = in->end;
}

bool
has_wire_in_pending(const struct wire_in *in)
{
	return in->start < in->end;
}

bool
has_wire_in_line(const struct wire_in *in)
{
	return has_byte(span_of(in->p + in->start, in->end - in->start), '\n');
}

/* Up to max of the bytes that are there, which are then consumed. */
static struct span
consume(struct wire_in *in, uint64_t max)
{
	struct span s = span_of(in->p + in->start, in->end - in->start);

	if (s.n > max)
		s.n = (size_t)max;
	in->start += s.n;
	return s;
}

struct span
wire_in_take(struct wire_in *in)
{
	return consume(in, UINT64_MAX);
}

/* At least one byte is there, or an error. */
static int ERR_CHECK
fill(struct wire_in *in, struct deadline d)
{
	size_t n;
	int err;

	if (in->start < in->end)
		return 0;
	in->start = in->end = 0;
	err = in->src.read(in->src.cookie, in->p, in->cap, d, &n);
	if (err != 0)
		return err;
	in->end = n;
	if (in->high < n)
		in->high = n;
	in->count += n;
	return 0;
}

static void
tail_add(struct wire_in *in, struct span s)
{
	size_t keep;

	if (s.n >= TAIL_SIZE) {
		s = span_skip(s, s.n - TAIL_SIZE);
		in->ntail = 0;
	}
	if (in->ntail + s.n > TAIL_SIZE) {
		keep = TAIL_SIZE - s.n;
		memmove(in->tail, in->tail + (in->ntail - keep), keep);
		in->ntail = keep;
	}
	if (s.n > 0)
		memcpy(in->tail + in->ntail, s.p, s.n);
	in->ntail += s.n;
}

/*
 * The line is complete: does it announce a literal?  Inside a quoted string a
 * line cannot end, and no atom holds a brace: so whatever ends in {n} or {n+}
 * is an announcement, or else malformed beyond repair.
 */
static void
note_literal(struct wire_in *in)
{
	struct span s = span_of(in->tail, in->ntail);
	bool is_nonsync;
	size_t open;

	in->literal = LITERAL_NONE;
	in->left = 0;
	if (has_suffix(s, SPAN("\r")))
		s.n--;
	if (!has_suffix(s, SPAN("}")))
		return;
	s.n--;
	is_nonsync = has_suffix(s, SPAN("+"));
	if (is_nonsync)
		s.n--;
	open = span_rfind(s, '{');
	if (open == s.n)
		return;
	s = span_skip(s, open + 1);
	/* A number that is out of range is as good as endless. */
	switch (num_u64(s, 0, UINT64_MAX, &in->left)) {
	case 0:
		break;
	case ERR_LIMIT:
		in->left = UINT64_MAX;
		break;
	default:
		return;
	}
	in->literal = is_nonsync ? LITERAL_COMING : LITERAL_ANNOUNCED;
}

/*
 * Read up to and with the LF.  What fits is added to text, unless that is NULL;
 * no more than *left of the rest is dropped, and *left lowered by it.  *ret_n
 * is the length of all of it.
 */
static int ERR_CHECK
read_line(struct wire_in *in, struct buf *text, uint64_t *left,
    struct deadline d, uint64_t *ret_n)
{
	struct span s, kept;
	bool is_done;
	size_t lf;
	int err;

	*ret_n = 0;
	in->ntail = 0;
	do {
		err = fill(in, d);
		if (err != 0)
			return err;
		s = span_of(in->p + in->start, in->end - in->start);
		lf = span_find(s, '\n');
		is_done = lf < s.n;
		s.n = lf;
		in->start += lf + (is_done ? 1 : 0);
		*ret_n += s.n;
		tail_add(in, s);
		kept = span_take(s, text == NULL ? 0 : text->max - text->n);
		if (text != NULL)
			buf_put_span(text, kept);
		if (s.n - kept.n > *left)
			return ERR_PROTO;
		*left -= s.n - kept.n;
	} while (!is_done);
	note_literal(in);
	return 0;
}

int
wire_in_line(struct wire_in *in, struct buf *text, struct deadline d)
{
	size_t before = text->n;
	uint64_t left = in->drop_max, n;
	int err = read_line(in, text, &left, d, &n);

	if (err != 0)
		return err;
	if (in->ntail > 0 && in->tail[in->ntail - 1] == '\r') {
		n--;
		if (text->n - before > n)
			text->n--;
	}
	return text->n - before < n ? ERR_LIMIT : 0;
}

void
wire_in_accept(struct wire_in *in)
{
	if (in->literal == LITERAL_ANNOUNCED)
		in->literal = LITERAL_COMING;
}

uint64_t
wire_in_left(const struct wire_in *in)
{
	return in->literal == LITERAL_COMING ? in->left : 0;
}

int
wire_in_literal(struct wire_in *in, struct buf *text, struct deadline d)
{
	uint64_t left = wire_in_left(in);
	struct span s;
	uint8_t *room;
	size_t n;
	int err;

	if (left > text->max - text->n)
		return ERR_LIMIT;
	s = consume(in, left);
	buf_put_span(text, s);
	in->left -= s.n;
	while (in->left > 0) {
		n = (size_t)in->left;
		room = buf_room(text, n);
		if (room == NULL)
			return ERR_LIMIT;
		err = in->src.read(in->src.cookie, room, n, d, &n);
		if (err != 0)
			return err;
		text->n += n;
		in->count += n;
		in->left -= n;
	}
	return 0;
}

int
wire_in_stream(struct wire_in *in, struct deadline d, struct span *ret)
{
	uint64_t left = wire_in_left(in);
	int err;

	if (left == 0) {
		*ret = SPAN_NONE;
		return 0;
	}
	err = fill(in, d);
	if (err != 0)
		return err;
	*ret = consume(in, left);
	in->left -= ret->n;
	return 0;
}

void
wire_in_set_drop_max(struct wire_in *in, uint64_t max)
{
	in->drop_max = max;
}

int
wire_in_drop_command(struct wire_in *in, struct deadline d, uint64_t stall_ms)
{
	uint64_t left = in->drop_max, n;
	struct span piece;
	int err;

	while (in->literal == LITERAL_COMING) {
		if (in->left > left)
			return ERR_PROTO;
		left -= in->left;
		do {
			err = wire_in_stream(in, deadline_min(d,
			    deadline_in(stall_ms)), &piece);
			if (err != 0)
				return err;
		} while (piece.n > 0);
		err = read_line(in, NULL, &left, deadline_min(d,
		    deadline_in(stall_ms)), &n);
		if (err != 0)
			return err;
	}
	in->literal = LITERAL_NONE;
	return 0;
}

void
wire_in_wipe(struct wire_in *in)
{
	explicit_bzero(in->p, in->start);
	explicit_bzero(in->p + in->end, in->high - in->end);
	explicit_bzero(in->tail, sizeof(in->tail));
	in->high = in->end;
}

uint64_t
wire_in_count(const struct wire_in *in)
{
	return in->count;
}
