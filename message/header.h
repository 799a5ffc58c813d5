/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * header.h: a header block as fields (RFC 5322 2.2, 3.6.8, 4.5.8).
 *
 * A header block is what precedes the first empty line, with it or without.
 * Lines end in LF or CRLF, mixed or not; a CR elsewhere is an ordinary byte.
 * Nothing is copied: a field is three spans into the block.
 */
#ifndef MESSAGE_HEADER_H
#define MESSAGE_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/span.h"
#include "message/crlf.h"

#define HEADER_NAME_MAX	1000	/* a longer name, with the blanks behind it,
				 * matches none in a header_set */

struct header_field {
	struct span name;	/* without blanks before the colon; empty: the
				 * line is no field (it has no colon) */
	struct span body;	/* what follows the colon, still folded, without
				 * the line end of its last line */
	struct span raw;	/* all of it as stored, line ends included */
};

/*
 * header_next(rest, ret): take the next field off the front of *rest.  false at
 * the empty line or at the end of the text; *rest is then what follows the
 * empty line.  A first line that begins with a blank is a field of its own
 * (there is nothing that it could continue).
 */
bool header_next(struct span *rest, struct header_field *ret);

/*
 * header_unfold(body, arena): the body on one line: line ends removed, blanks
 * left as they are, trimmed at both ends.  body itself (a part of it) when
 * there was nothing to remove, else a copy in the arena; p is never NULL.
 */
struct span header_unfold(struct span body, struct arena *arena);

/*
 * The names of HEADER.FIELDS and HEADER.FIELDS.NOT, made once for many
 * messages.  Looking one up costs the length of the name, however many there
 * are.
 */
struct header_set;

struct header_set *header_set_new(const struct span *names, size_t n);
void header_set_free(struct header_set *set);
bool has_header_name(const struct header_set *set, struct span name);

/*
 * The fields of a header whose names are in a set (or are not), as IMAP serves
 * them: whole, in their order, with CRLF line ends and the empty line behind
 * (RFC 3501 6.4.5).  The block is pushed in pieces of any size; memory does not
 * grow with it.
 */
struct header_select {
	const struct header_set *set;
	bool is_not;		/* the fields that are not in the set */
	/* private: */
	enum {
		HEADER_SELECT_START,	/* of a line, collected in start */
		HEADER_SELECT_LINE,	/* in the rest of it */
		HEADER_SELECT_END
	} state;
	bool has_line;		/* there was a line already */
	bool is_wanted;		/* this line's field, or the one before */
	bool is_open;		/* the last wanted line has no end yet */
	struct crlf crlf;
	size_t n;		/* bytes in start: a line not yet decided on */
	uint8_t start[HEADER_NAME_MAX + 1];
};

/* header_select_init(hs, set, is_not): set outlives hs. */
void header_select_init(struct header_select *hs, const struct header_set *set,
    bool is_not);

/* header_select_feed(hs, s, out): append what s selects; false once the empty
 * line has come (the rest of s is not looked at). */
bool header_select_feed(struct header_select *hs, struct span s,
    struct buf *out);

/* header_select_finish(hs, out): the header has ended; append what is left, and
 * the empty line. */
void header_select_finish(struct header_select *hs, struct buf *out);

#endif
