/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * rfc5322.h: the tokens that structured header fields are made of.
 *
 * A cursor walks over the body of a field.  Comments and folding white space
 * may stand between any two tokens; rfc5322_skip() passes over them.  Total:
 * what is malformed is read as far as it makes sense.
 */
#ifndef MESSAGE_RFC5322_H
#define MESSAGE_RFC5322_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

struct rfc5322 {
	const uint8_t *p;
	const uint8_t *end;
	struct buf *comment;	/* where rfc5322_skip() leaves the text of the
				 * last comment; NULL: nobody asks */
};

static inline struct rfc5322
rfc5322_cursor(struct span s)
{
	return (struct rfc5322){ s.p, s.n == 0 ? s.p : s.p + s.n, NULL };
}

static inline bool
is_rfc5322_end(const struct rfc5322 *c)
{
	return c->p == c->end;
}

/* The byte at the cursor is b. */
static inline bool
is_rfc5322_at(const struct rfc5322 *c, uint8_t b)
{
	return c->p != c->end && *c->p == b;
}

/* [CFWS]; a comment that does not end is white space up to the end. */
void rfc5322_skip(struct rfc5322 *c);

/* Each of these appends what it reads to out and leaves the cursor behind it;
 * false (nothing read, cursor unmoved) if there is no such token here. */
bool rfc5322_atom(struct rfc5322 *c, struct buf *out);
/* dot-atom, with blanks and comments allowed around the dots (obs-domain). */
bool rfc5322_dot_atom(struct rfc5322 *c, struct buf *out);
/* quoted-string, without quotes and escapes; unfolded.  A missing closing quote
 * is supplied at the end. */
bool rfc5322_quoted(struct rfc5322 *c, struct buf *out);
/* domain-literal, with its brackets. */
bool rfc5322_domain_literal(struct rfc5322 *c, struct buf *out);
/* phrase: words joined by one SP; obs-phrase (dots) included. */
bool rfc5322_phrase(struct rfc5322 *c, struct buf *out);
/* token of RFC 2045. */
bool rfc5322_mime_token(struct rfc5322 *c, struct buf *out);

#endif
