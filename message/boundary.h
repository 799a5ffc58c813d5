/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * boundary.h: the boundaries that may end the part being read.
 *
 * A stack: the innermost multipart's boundary is on top.  A line ends a part if
 * it begins with "--" and one of the boundaries; nothing need follow (RFC 2046
 * 5.1.1: "it is sufficient that the boundary appear in its entirety following
 * the CRLF").  Where several fit, the longest does, and among equals the
 * innermost.
 *
 * A hostile message has a thousand boundaries, many alike, and millions of
 * lines that nearly match.  So they are kept as one tree of bytes, walked once
 * per line: the cost is that of the line, however many there are.
 */
#ifndef MESSAGE_BOUNDARY_H
#define MESSAGE_BOUNDARY_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "base/vec.h"

struct boundary_node {
	uint8_t byte;
	uint32_t child;		/* first; 0: none (the root is no child) */
	uint32_t next;		/* sibling */
	uint32_t level;		/* 1 + stack index of the innermost boundary
				 * that ends here; 0: none does */
};

struct boundary_level {
	uint32_t nodes;		/* how many there were before */
	uint32_t parent;	/* where the first new one was hung */
	uint32_t last;		/* the node where this boundary ends */
	uint32_t outer;		/* level of the same boundary further out */
};

struct boundary {
	VEC(struct boundary_node) node;		/* [0] is the root */
	VEC(struct boundary_level) level;
};

void boundary_init(struct boundary *b);
void boundary_done(struct boundary *b);

/* boundary_push(b, s): s, not empty, is now the innermost. */
void boundary_push(struct boundary *b, struct span s);

/* boundary_pop(b, n): forget all but the n outermost. */
void boundary_pop(struct boundary *b, size_t n);

/*
 * boundary_find(b, s, ret_len): stack index of the boundary that s (a line
 * without its "--") begins with, and that boundary's length; -1 if there is
 * none.
 */
int boundary_find(const struct boundary *b, struct span s, size_t *ret_len);

#endif
