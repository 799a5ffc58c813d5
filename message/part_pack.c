/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * part_pack.c: parts in the order in which they stand in the message.  Numbers
 * as in base/enc.h (enc_number()).  A part:
 *
 *	kind
 *	length of the encoding's name, and that
 *	header: offset, size, bare_lf, lines
 *	body: the same
 *	how many children; then these
 */
#include "base/enc.h"
#include "message/part_pack.h"

/* No encoding that we know has a name this long: of another one it does not
 * matter how it goes on. */
#define ENCODING_MAX	40u

static void
put_extent(const struct extent *e, struct buf *b)
{
	enc_number(b, e->off);
	enc_number(b, e->size);
	enc_number(b, e->bare_lf);
	enc_number(b, e->lines);
}

void
part_pack(const struct part *top, struct buf *b)
{
	struct span encoding = top->content.encoding;
	uint64_t n = 0;

	if (encoding.n > ENCODING_MAX)
		encoding = span_take(encoding, ENCODING_MAX);
	enc_number(b, top->kind);
	enc_number(b, encoding.n);
	buf_put_span(b, encoding);
	put_extent(&top->header, b);
	put_extent(&top->body, b);
	for (const struct part *p = top->child; p != NULL; p = p->next)
		n++;
	enc_number(b, n);
	for (const struct part *p = top->child; p != NULL; p = p->next)
		part_pack(p, b);
}

struct unpack {
	struct dec d;
	uint64_t size;
	struct arena *arena;
	uint64_t left;		/* parts that there may still be */
};

static void
get_extent(struct unpack *u, struct extent *e)
{
	e->off = dec_number(&u->d);
	e->size = dec_number(&u->d);
	e->bare_lf = dec_number(&u->d);
	e->lines = dec_number(&u->d);
	if (e->off > u->size || e->size > u->size - e->off ||
	    e->lines > e->size || e->bare_lf > e->lines)
		u->d.failed = true;
}

static struct span
get_encoding(struct unpack *u)
{
	uint64_t n = dec_number(&u->d);
	struct span s;

	if (n > ENCODING_MAX || n > u->d.rest.n) {
		u->d.failed = true;
		return SPAN_NONE;
	}
	s = span_take(u->d.rest, (size_t)n);
	u->d.rest = span_skip(u->d.rest, (size_t)n);
	return s.n == 0 ? SPAN_NONE : arena_dup(u->arena, s);
}

/* A part and what is in it, depth parts below the message itself. */
static struct part *
get_part(struct unpack *u, struct part *parent, unsigned depth)
{
	struct part *part = ARENA_NEW(u->arena, struct part), **end;
	uint64_t kind = dec_number(&u->d), n;

	part->parent = parent;
	part->content.encoding = get_encoding(u);
	get_extent(u, &part->header);
	get_extent(u, &part->body);
	n = dec_number(&u->d);
	if (kind > PART_MESSAGE || (kind == PART_LEAF && n > 0) ||
	    (kind == PART_MESSAGE && n > 1) || n > u->left ||
	    (n > 0 && depth == PART_DEPTH_MAX))
		u->d.failed = true;
	else
		u->left -= n;	/* those in them get what others leave */
	part->kind = (enum part_kind)kind;
	end = &part->child;
	for (; n > 0 && !u->d.failed; n--) {
		*end = get_part(u, part, depth + 1);
		end = &(*end)->next;
	}
	return part;
}

const struct part *
part_unpack(struct span s, uint64_t size, struct arena *arena)
{
	struct unpack u = { dec_init(s), size, arena, PART_COUNT_MAX - 1 };
	struct part *top = get_part(&u, NULL, 0);

	return dec_end(&u.d) == 0 ? top : NULL;
}
