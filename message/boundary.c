/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "message/boundary.h"

void
boundary_init(struct boundary *b)
{
	struct boundary_node root = { 0 };

	memset(b, 0, sizeof(*b));
	VEC_PUSH(&b->node, root);
}

void
boundary_done(struct boundary *b)
{
	VEC_DONE(&b->node);
	VEC_DONE(&b->level);
}

/* The child of node at for byte c, or 0. */
static uint32_t
find_child(const struct boundary *b, uint32_t at, uint8_t c)
{
	uint32_t i = b->node.v[at].child;

	while (i != 0 && b->node.v[i].byte != c)
		i = b->node.v[i].next;
	return i;
}

/*
 * New nodes go to the end of the array, and the first of them becomes the first
 * child of a node that was there before: cutting the array and that one link
 * undoes it all.
 */
void
boundary_push(struct boundary *b, struct span s)
{
	struct boundary_level level = { .nodes = (uint32_t)b->node.n };
	uint32_t at = 0;
	size_t i = 0;

	for (; i < s.n; i++) {
		uint32_t child = find_child(b, at, s.p[i]);

		if (child == 0)
			break;
		at = child;
	}
	level.parent = at;
	for (; i < s.n; i++) {
		struct boundary_node node = { .byte = s.p[i],
		    .next = b->node.v[at].child };

		VEC_PUSH(&b->node, node);
		b->node.v[at].child = (uint32_t)(b->node.n - 1);
		at = b->node.v[at].child;
	}
	level.last = at;
	level.outer = b->node.v[at].level;
	VEC_PUSH(&b->level, level);
	b->node.v[at].level = (uint32_t)b->level.n;
}

void
boundary_pop(struct boundary *b, size_t n)
{
	while (b->level.n > n) {
		const struct boundary_level *l = &b->level.v[--b->level.n];
		struct boundary_node *parent = &b->node.v[l->parent];

		b->node.v[l->last].level = l->outer;
		if (b->node.n > l->nodes)
			parent->child = b->node.v[l->nodes].next;
		b->node.n = l->nodes;
	}
}

int
boundary_find(const struct boundary *b, struct span s, size_t *ret_len)
{
	uint32_t at = 0;
	int found = -1;

	for (size_t i = 0; i < s.n; i++) {
		at = find_child(b, at, s.p[i]);
		if (at == 0)
			break;
		if (b->node.v[at].level != 0) {
			found = (int)b->node.v[at].level - 1;
			*ret_len = i + 1;
		}
	}
	return found;
}
