/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * How the parser reads.  All that matters is seen at the start of a line: an
 * empty line ends a header, a line that begins with "--" may be a boundary.
 * scan() runs to the next line that may be one of these, at the speed of
 * memchr(); only such a line is looked at, and only it is held back when the
 * piece ends before it can be decided (at most HOLD_MAX bytes).  Everything
 * passes through consume(), which counts; so the extents of all parts are
 * differences of one running count, and it cannot matter how the bytes were
 * cut.
 *
 * The line end before a boundary belongs to the boundary (RFC 2046 5.1.1), not
 * to the part: parts are closed at the count of a line end ago.
 */
#include "message/part.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/vec.h"
#include "message/boundary.h"
#include "message/crlf.h"

/* "--", the boundary, and the "--" that makes it the last. */
#define HOLD_MAX	(2 + PART_BOUNDARY_MAX + 2)

enum state {
	IN_HEADER,
	IN_BODY,
	IN_BOUNDARY,		/* on the rest of a boundary line */
	AT_END			/* nothing more is wanted */
};

struct part_parser {
	struct arena *arena;
	size_t arena_start;	/* arena_used() at the beginning */
	struct part *top;
	struct part *cur;	/* the innermost that is open */
	struct part *last;	/* the last child of cur, if it has any */
	size_t nparts;
	size_t depth;		/* of cur; top has 1 */

	struct boundary bounds;
	VEC(struct part *) owner;	/* whose boundary each level is */

	enum state state;
	bool is_headers_only;
	bool is_bol;		/* at the beginning of a line */
	bool is_new_part;	/* after this boundary line */

	uint64_t off;		/* bytes consumed */
	struct crlf_count count;	/* in them */
	uint64_t eol;		/* length of the last line end, 1 or 2 */

	struct buf header;	/* of cur, while it is read */
	size_t nhold;
	uint8_t hold[HOLD_MAX];	/* the start of a line not yet decided on */
};

/* ---- extents --------------------------------------------------------- */

/* While a part is open its extents hold the running counts of their start. */
static struct extent
mark(const struct part_parser *pp)
{
	return (struct extent){ pp->off, 0, pp->count.bare, pp->count.lines };
}

/* The counts before the last line end. */
static struct extent
mark_before_eol(const struct part_parser *pp)
{
	struct extent m = mark(pp);

	if (m.lines > 0) {
		m.off -= pp->eol;
		m.lines--;
		m.bare_lf -= pp->eol == 1;
	}
	return m;
}

static void
extent_close(struct extent *e, struct extent end)
{
	e->size = end.off - e->off;
	e->lines = end.lines - e->lines;
	e->bare_lf = end.bare_lf - e->bare_lf;
}

/* ---- the tree -------------------------------------------------------- */

/* A new part below cur, or the first of all. */
static void
open_part(struct part_parser *pp)
{
	struct part *part = ARENA_NEW(pp->arena, struct part);

	part->parent = pp->cur;
	if (pp->cur == NULL)
		pp->top = part;
	else if (pp->last == NULL)
		pp->cur->child = part;
	else
		pp->last->next = part;
	part->header = mark(pp);
	pp->cur = part;
	pp->last = NULL;
	pp->nparts++;
	pp->depth++;
	pp->state = IN_HEADER;
	buf_clear(&pp->header);
}

/* Close parts from the innermost up to, not including, stop. */
static void
close_parts(struct part_parser *pp, const struct part *stop, struct extent end)
{
	while (pp->cur != stop) {
		/* An empty body: the line end before the boundary is that of
		 * the header, and stays there. */
		if (end.off < pp->cur->body.off)
			end = mark(pp);
		extent_close(&pp->cur->body, end);
		pp->last = pp->cur;
		pp->cur = pp->cur->parent;
		pp->depth--;
	}
}

/* May cur have children? */
static bool
can_nest(const struct part_parser *pp)
{
	return pp->depth < PART_DEPTH_MAX && pp->nparts < PART_COUNT_MAX;
}

static void
parse_header(struct part_parser *pp)
{
	struct part *part = pp->cur, *up = part->parent;
	struct span rest = buf_span(&pp->header);
	struct header_field f;

	if (up == NULL || up->kind == PART_MESSAGE)
		part->envelope = ARENA_NEW(pp->arena, struct envelope);
	if (arena_used(pp->arena) - pp->arena_start > PART_MEMORY_MAX)
		rest = SPAN_NONE;
	while (header_next(&rest, &f)) {
		content_field(&part->content, &f, pp->arena);
		if (part->envelope != NULL)
			envelope_field(part->envelope, &f, pp->arena);
	}
	content_finish(&part->content, up != NULL &&
	    up->kind == PART_MULTIPART &&
	    is_content_type(&up->content, SPAN("multipart"), SPAN("digest")));
}

/* Is there a message inside?  What stands in a message/global may be encoded
 * (RFC 6532 3.7); then it is a part like any other. */
static bool
is_message(const struct content *c)
{
	return is_content_type(c, SPAN("message"), SPAN("rfc822")) ||
	    (is_content_type(c, SPAN("message"), SPAN("global")) &&
	    !is_span_ieq(c->encoding, SPAN("base64")) &&
	    !is_span_ieq(c->encoding, SPAN("quoted-printable")));
}

/*
 * Where the boundary of cur, a multipart, is looked for from now on; false if
 * it has none that can be.  It never ends in blanks (RFC 2046 5.1.1:
 * bcharsnospace), and those that a mailer put there are lost on the way.
 */
static bool
push_boundary(struct part_parser *pp)
{
	struct span charset, s = content_param(pp->cur->content.params,
	    SPAN("boundary"), pp->arena, &charset);

	while (s.n > 0 && is_wsp(s.p[s.n - 1]))
		s.n--;
	if (s.n == 0 || s.n > PART_BOUNDARY_MAX)
		return false;
	boundary_push(&pp->bounds, s);
	VEC_PUSH(&pp->owner, pp->cur);
	return true;
}

/* The header of cur is complete: see what its body will be. */
static void
end_header(struct part_parser *pp)
{
	struct part *part = pp->cur;

	extent_close(&part->header, mark(pp));
	part->body = mark(pp);
	pp->state = IN_BODY;
	parse_header(pp);
	if (pp->is_headers_only) {
		pp->state = AT_END;
	} else if (is_message(&part->content)) {
		if (can_nest(pp)) {
			part->kind = PART_MESSAGE;
			open_part(pp);
			return;
		}
		/* A limit: no client must look for an envelope here. */
		part->content.type = SPAN("application");
		part->content.subtype = SPAN("octet-stream");
	} else if (is_content_type(&part->content, SPAN("multipart"),
	    SPAN("")) && can_nest(pp) && push_boundary(pp)) {
		part->kind = PART_MULTIPART;
	}
}

/* ---- lines ----------------------------------------------------------- */

/* Boundaries are looked for: there is one, and room for what it begins. */
static bool
has_boundary(const struct part_parser *pp)
{
	return pp->owner.n > 0 && pp->nparts < PART_COUNT_MAX;
}

/* The bytes s have found their place. */
static void
consume(struct part_parser *pp, struct span s)
{
	bool had_cr = pp->count.has_cr;

	if (s.n == 0)
		return;
	crlf_count(&pp->count, s);
	pp->off += s.n;
	pp->is_bol = s.p[s.n - 1] == '\n';
	if (pp->is_bol) {
		if (s.n > 1)
			had_cr = s.p[s.n - 2] == '\r';
		pp->eol = had_cr ? 2 : 1;
	}
}

/* s is ordinary text of a header or a body. */
static void
consume_text(struct part_parser *pp, struct span s)
{
	/* A header beyond its limit is only counted. */
	if (pp->state == IN_HEADER)
		buf_put_span(&pp->header, span_take(s, PART_HEADER_MAX -
		    pp->header.n));
	consume(pp, s);
}

/*
 * How many bytes of s, read from the middle or the beginning of a line, are
 * certainly ordinary text: up to the next line that may mean something.
 */
static size_t
scan(const struct part_parser *pp, struct span s)
{
	bool in_header = pp->state == IN_HEADER, has_bound = has_boundary(pp);
	const uint8_t *p = s.p, *end = s.p + s.n;
	bool is_bol = pp->is_bol;

	if (!in_header && !has_bound)
		return s.n;
	while (p != end) {
		if (is_bol) {
			if (*p == '-' && has_bound &&
			    (p + 1 == end || p[1] == '-'))
				break;
			if (in_header && (*p == '\n' || *p == '\r'))
				break;
		}
		p = memchr(p, '\n', (size_t)(end - p));
		if (p == NULL)
			return s.n;
		p++;
		is_bol = true;
	}
	return (size_t)(p - s.p);
}

/* A boundary line: level says whose; the parts inside of it are complete. */
static void
end_part(struct part_parser *pp, size_t level, bool is_last)
{
	struct extent end = mark_before_eol(pp);

	/* A header that the boundary cuts short keeps its last line end. */
	while (pp->state == IN_HEADER) {
		end_header(pp);
		end = mark(pp);
	}
	close_parts(pp, pp->owner.v[level], end);
	pp->owner.n = is_last ? level : level + 1;
	boundary_pop(&pp->bounds, pp->owner.n);
	pp->is_new_part = !is_last;
	pp->state = IN_BOUNDARY;
}

/*
 * The line that begins with s; s reaches to its end or is HOLD_MAX bytes long.
 * RFC 2046 5.1.1:
 *
 *	delimiter = CRLF "--" boundary
 *	close-delimiter = delimiter "--"
 */
static void
decide(struct part_parser *pp, struct span s)
{
	struct span rest = span_skip(s, 2);
	size_t len = 0;
	int level = -1;

	if (pp->state == IN_HEADER &&
	    (is_span_eq(s, SPAN("\n")) || is_span_eq(s, SPAN("\r\n")))) {
		consume(pp, s);
		end_header(pp);
		return;
	}
	if (has_prefix(s, SPAN("--")) && has_boundary(pp))
		level = boundary_find(&pp->bounds, rest, &len);
	if (level < 0) {
		consume_text(pp, s);
		return;
	}
	rest = span_skip(rest, len);
	while (rest.n > 0 && is_wsp(rest.p[0]))
		rest = span_skip(rest, 1);	/* those of push_boundary() */
	end_part(pp, (size_t)level, has_prefix(rest, SPAN("--")));
	consume(pp, s);
}

/* The boundary line is over. */
static void
end_boundary(struct part_parser *pp)
{
	pp->state = IN_BODY;
	if (pp->is_new_part)
		open_part(pp);
}

/*
 * At a line that may mean something, s: decide on it if enough of it is there,
 * else hold it back.  What remains of s.
 */
static struct span
take_line(struct part_parser *pp, struct span s)
{
	size_t room = HOLD_MAX - pp->nhold;
	struct span look = span_take(s, room);
	size_t lf = span_find(look, '\n');
	bool is_enough = lf < look.n || look.n == room;

	if (lf < look.n)
		look.n = lf + 1;
	if (pp->nhold == 0 && is_enough) {
		decide(pp, look);
		return span_skip(s, look.n);
	}
	memcpy(pp->hold + pp->nhold, look.p, look.n);
	pp->nhold += look.n;
	if (is_enough) {
		struct span line = span_of(pp->hold, pp->nhold);

		pp->nhold = 0;
		decide(pp, line);
	}
	return span_skip(s, look.n);
}

/* ---- the interface --------------------------------------------------- */

struct part_parser *
part_parser_new(struct arena *arena)
{
	struct part_parser *pp = mem_zalloc(sizeof(*pp));

	pp->arena = arena;
	pp->arena_start = arena_used(arena);
	boundary_init(&pp->bounds);
	buf_init(&pp->header, PART_HEADER_MAX);
	pp->is_bol = true;
	open_part(pp);
	return pp;
}

void
part_parser_free(struct part_parser *pp)
{
	if (pp == NULL)
		return;
	boundary_done(&pp->bounds);
	VEC_DONE(&pp->owner);
	buf_done(&pp->header);
	free(pp);
}

void
part_parser_headers_only(struct part_parser *pp)
{
	pp->is_headers_only = true;
}

bool
part_parser_feed(struct part_parser *pp, struct span s)
{
	while (s.n > 0 && pp->state != AT_END) {
		size_t n;

		if (pp->state == IN_BOUNDARY && !pp->is_bol) {
			n = span_find(s, '\n');
			n += n < s.n;
			consume(pp, span_take(s, n));
			s = span_skip(s, n);
			continue;
		}
		if (pp->state == IN_BOUNDARY)
			end_boundary(pp);
		if (pp->nhold == 0) {
			n = scan(pp, s);
			consume_text(pp, span_take(s, n));
			s = span_skip(s, n);
		}
		if (s.n > 0)
			s = take_line(pp, s);
	}
	return pp->state != AT_END;
}

struct part *
part_parser_finish(struct part_parser *pp)
{
	struct part *top = pp->top;

	if (pp->nhold > 0) {
		struct span line = span_of(pp->hold, pp->nhold);

		pp->nhold = 0;
		decide(pp, line);
	}
	if (pp->state == IN_BOUNDARY)
		end_boundary(pp);
	while (pp->state == IN_HEADER)
		end_header(pp);
	close_parts(pp, NULL, mark(pp));
	part_parser_free(pp);
	return top;
}

/* Child number i, from 1, or NULL. */
static const struct part *
nth_child(const struct part *part, uint32_t i)
{
	const struct part *child = i == 0 ? NULL : part->child;

	while (child != NULL && --i > 0)
		child = child->next;
	return child;
}

/*
 * RFC 3501 6.4.5: a message that is no multipart has one part, 1; the numbers
 * below a message/rfc822 part are those of the message inside.
 */
const struct part *
part_find(const struct part *top, const uint32_t *nums, size_t n)
{
	const struct part *part = top, *in = top;

	for (size_t i = 0; i < n; i++) {
		if (in == NULL)
			return NULL;
		if (in->kind == PART_MULTIPART)
			part = nth_child(in, nums[i]);
		else
			part = nums[i] == 1 ? in : NULL;
		if (part == NULL)
			return NULL;
		switch (part->kind) {
		case PART_LEAF:
			in = NULL;
			break;
		case PART_MULTIPART:
			in = part;
			break;
		case PART_MESSAGE:
			in = part->child;
			break;
		}
	}
	return part;
}
