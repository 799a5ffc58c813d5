/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * part.h: a message's MIME tree, with offsets, sizes and line counts.
 *
 * The only parser of message bodies.  Bytes are pushed in, in pieces of any
 * size; the tree that comes out is the same however they were cut.  Total: any
 * bytes give some tree.  Memory is bounded by the limits, not by the message.
 *
 * Offsets and sizes are those of the stored bytes.  Lines may end in LF or CRLF
 * as stored; IMAP serves CRLF always, so each size comes with the count of line
 * feeds that lack their carriage return: size as served = size + bare_lf.
 */
#ifndef MESSAGE_PART_H
#define MESSAGE_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"
#include "message/envelope.h"
#include "message/rfc2045.h"

/*
 * Named limits, each with a defined result.  They hold the memory of a parse.
 */
#define PART_DEPTH_MAX		100	/* deeper: the part is a leaf; more than
				 * this kills clients that recurse */
#define PART_COUNT_MAX		10000	/* more: the rest is body of the last */
#define PART_HEADER_MAX		(1024 * 1024)	/* header bytes of one part that
					 * are looked at; the rest still counts
					 * in sizes */
#define PART_MEMORY_MAX		(10 * 1024 * 1024) /* arena bytes of one parse;
				 * beyond it the headers of parts are no longer
				 * looked at */
#define PART_BOUNDARY_MAX	996	/* what fits into a line with the two
				 * hyphens (RFC 5322 2.1.1; RFC 2046 allows
				 * 70); with a longer one, as with none, a
				 * multipart is a leaf */

enum part_kind {
	PART_LEAF,		/* text, application, ... : BODY of one part;
				 * a multipart without boundary too */
	PART_MULTIPART,		/* children: its parts; may have none */
	PART_MESSAGE		/* message/rfc822 or message/global: one child,
				 * the message inside */
};

/* A run of stored bytes. */
struct extent {
	uint64_t off;		/* from the start of the message */
	uint64_t size;		/* bytes as stored */
	uint64_t bare_lf;	/* line feeds without carriage return */
	uint64_t lines;		/* line feeds: a last line without does not
				 * count, as in Dovecot and Cyrus */
};

struct part {
	struct part *parent;	/* NULL for the message itself */
	struct part *child;	/* first */
	struct part *next;	/* sibling */
	enum part_kind kind;
	struct extent header;	/* including the empty line that ends it */
	struct extent body;	/* without the line end before a boundary */
	struct content content;	/* Content-* fields, defaults filled in */
	struct envelope *envelope; /* of the message itself and of the child of
				 * a PART_MESSAGE; NULL for other parts */
};

struct part_parser;

/*
 * part_parser_new(arena): a parser whose tree lives in arena.  Freed with
 * part_parser_free() (or by part_parser_finish()); the arena outlives it.
 */
struct part_parser *part_parser_new(struct arena *arena);
void part_parser_free(struct part_parser *pp);

/*
 * part_parser_headers_only(pp): stop at the end of the message's own header;
 * part_parser_feed() then returns false and the tree is one leaf whose body is
 * empty.  For ENVELOPE and dates without reading the body.
 */
void part_parser_headers_only(struct part_parser *pp);

/*
 * part_parser_feed(pp, s): the next bytes.  true: more are wanted.  s need not
 * outlive the call.
 */
bool part_parser_feed(struct part_parser *pp, struct span s);

/*
 * part_parser_finish(pp): the end of the message; the tree, in the arena.
 * Frees pp.
 */
struct part *part_parser_finish(struct part_parser *pp);

/*
 * part_find(top, nums, n): the part that IMAP calls nums[0].nums[1]... (RFC
 * 3501 6.4.5: part numbers); n of 0 is top itself.  NULL if there is none.
 * A single-part message has part 1: top itself.  Through a PART_MESSAGE the
 * numbers go on with the parts of the message inside.  What HEADER and TEXT
 * mean then: with n > 0 those of the child, the part being a PART_MESSAGE
 * (there is none otherwise); with n of 0 those of top itself.  MIME is the
 * header of the part found.
 */
const struct part *part_find(const struct part *top, const uint32_t *nums,
    size_t n);

#endif
