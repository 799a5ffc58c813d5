/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * seqset.h: sets of sequence numbers or UIDs (RFC 3501 sequence-set, RFC 9051,
 * RFC 5182 for "$").
 */
#ifndef IMAPD_WIRE_SEQSET_H
#define IMAPD_WIRE_SEQSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

#define SEQSET_STAR	UINT32_MAX	/* "*": the largest number in use */

struct seqrange {
	uint32_t lo, hi;	/* lo <= hi, once normalised */
};

/*
 * As parsed: ranges in the order given, SEQSET_STAR unresolved.
 * After seqset_resolve(): sorted, merged, no star.
 */
struct seqset {
	struct seqrange *range;	/* in the arena of the command */
	size_t n;
	bool is_saved;		/* "$" (RFC 5182) and nothing else */
};

/*
 * seqset_parse(s, arena, ret): all of s.  ERR_SYNTAX: not a sequence-set (0 is
 * not a number in one).  As many ranges as fit in the text: the length of a
 * command line is the limit.
 */
int seqset_parse(struct span s, struct arena *arena, struct seqset *ret)
    ERR_CHECK;

/* seqset_resolve(set, max, arena): put max in place of "*" ("3:*" with max 2
 * means 2:3), sort and merge.  max of 0 (an empty mailbox) makes "*" vanish:
 * n may become 0. */
void seqset_resolve(struct seqset *set, uint32_t max);

/* seqset_copy(set, arena): the same set; one of the two may be used up. */
struct seqset seqset_copy(const struct seqset *set, struct arena *arena);

/* The resolved set holds num. */
bool is_in_seqset(const struct seqset *set, uint32_t num);

/*
 * Sets to print: struct seqout collects numbers in any order of calls that is
 * ascending, and prints them as ranges.
 */
struct seqout {
	struct buf *out;
	uint32_t lo, hi;	/* range under construction; lo 0: none */
	bool is_empty;
};

void seqout_init(struct seqout *so, struct buf *out);
void seqout_add(struct seqout *so, uint32_t num);	/* ascending */
void seqout_add_range(struct seqout *so, uint32_t lo, uint32_t hi);
void seqout_end(struct seqout *so);

#endif
