/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * forest.h: trees that are linked and cut, and never become a loop.
 *
 * THREAD=REFERENCES makes message A the parent of B unless A is a descendant of
 * B.  To walk up from A costs the depth of the tree, for each link: a single
 * message with a long References field, well chosen, would keep a server busy
 * for hours.  Here the question costs O(log n), however deep the trees are
 * (Sleator and Tarjan, "A Data Structure for Dynamic Trees", 1983), and nothing
 * at all for links to a message that has no children yet: nearly always.
 */
#ifndef IMAPD_MAILBOX_FOREST_H
#define IMAPD_MAILBOX_FOREST_H

#include <stddef.h>
#include <stdint.h>

#define FOREST_NONE	0u	/* no node */

struct forest_node {
	uint32_t parent;	/* FOREST_NONE: a root */
	/* private: the node's place among those on its path to a root, a splay
	 * tree ordered by depth; at the top of that, up is the parent of the
	 * path's first node */
	uint32_t kid[2];
	uint32_t up;
};

struct forest {
	struct forest_node *v;	/* from 1 on */
	uint8_t *had_child;	/* a bit each */
	uint32_t n, cap;
};

void forest_init(struct forest *f);
void forest_done(struct forest *f);

/* forest_add(f): a new root without children; its number, at least 1. */
uint32_t forest_add(struct forest *f);

/* forest_link(f, parent, child): child, which is a root, gets that parent,
 * unless it would be its own ancestor. */
void forest_link(struct forest *f, uint32_t parent, uint32_t child);

/* forest_cut(f, x): x becomes a root, with all below it. */
void forest_cut(struct forest *f, uint32_t x);

#endif
