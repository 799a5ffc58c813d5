/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * forest.c: see forest.h.
 *
 * Link-cut trees.  Each tree is divided into paths that lead straight up; each
 * path is a splay tree whose in-order is from the top down.  access(x) makes
 * one path of all between x and its root; what a splay tree costs, spread over
 * all that is done to it, is O(log n).
 */
#include "imapd/mailbox/forest.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"

enum { ABOVE, BELOW };		/* the kids of a node */

void
forest_init(struct forest *f)
{
	*f = (struct forest){ 0 };
}

void
forest_done(struct forest *f)
{
	free(f->v);
	free(f->had_child);
	forest_init(f);
}

uint32_t
forest_add(struct forest *f)
{
	if (f->n + 1 >= f->cap) {
		f->cap += f->cap / 2 + 64;
		f->v = mem_resize(f->v, f->cap, sizeof(*f->v));
		f->had_child = mem_resize(f->had_child, f->cap / 8 + 1, 1);
	}
	f->n++;
	f->v[f->n] = (struct forest_node){ 0 };
	f->had_child[f->n / 8] &= (uint8_t)~(1u << f->n % 8);
	return f->n;
}

static bool
has_had_child(const struct forest *f, uint32_t x)
{
	return (f->had_child[x / 8] >> x % 8 & 1) != 0;
}

/* x is at the top of its splay tree. */
static bool
is_top(const struct forest_node *v, uint32_t x)
{
	uint32_t up = v[x].up;

	return up == FOREST_NONE ||
	    (v[up].kid[ABOVE] != x && v[up].kid[BELOW] != x);
}

/* Exchange x with the node over it. */
static void
rotate(struct forest_node *v, uint32_t x)
{
	uint32_t p = v[x].up, g = v[p].up, kid;
	int side = v[p].kid[BELOW] == x;

	if (!is_top(v, p))
		v[g].kid[v[g].kid[BELOW] == p] = x;
	kid = v[x].kid[!side];
	v[p].kid[side] = kid;
	if (kid != FOREST_NONE)
		v[kid].up = p;
	v[x].kid[!side] = p;
	v[p].up = x;
	v[x].up = g;
}

static void
splay(struct forest_node *v, uint32_t x)
{
	while (!is_top(v, x)) {
		uint32_t p = v[x].up, g = v[p].up;

		if (!is_top(v, p)) {
			bool is_line = (v[p].kid[BELOW] == x) ==
			    (v[g].kid[BELOW] == p);

			rotate(v, is_line ? p : x);
		}
		rotate(v, x);
	}
}

/* One path from the root down to x, and x on top of it. */
static void
access_node(struct forest_node *v, uint32_t x)
{
	uint32_t below = FOREST_NONE;

	for (uint32_t at = x; at != FOREST_NONE; at = v[at].up) {
		splay(v, at);
		v[at].kid[BELOW] = below;
		below = at;
	}
	splay(v, x);
}

static uint32_t
root_of(struct forest_node *v, uint32_t x)
{
	access_node(v, x);
	while (v[x].kid[ABOVE] != FOREST_NONE)
		x = v[x].kid[ABOVE];
	splay(v, x);
	return x;
}

/* A root is above parent only if parent is in its tree. */
static bool
is_loop(struct forest *f, uint32_t parent, uint32_t child)
{
	if (parent == child)
		return true;
	if (!has_had_child(f, child) || f->v[parent].parent == FOREST_NONE)
		return false;
	return root_of(f->v, parent) == child;
}

void
forest_link(struct forest *f, uint32_t parent, uint32_t child)
{
	assert(f->v[child].parent == FOREST_NONE);
	if (is_loop(f, parent, child))
		return;
	f->v[child].parent = parent;
	f->had_child[parent / 8] |= (uint8_t)(1u << parent % 8);
	splay(f->v, child);
	f->v[child].up = parent;	/* a path of its own, under parent */
}

void
forest_cut(struct forest *f, uint32_t x)
{
	uint32_t above;

	if (f->v[x].parent == FOREST_NONE)
		return;
	access_node(f->v, x);
	above = f->v[x].kid[ABOVE];
	f->v[above].up = FOREST_NONE;
	f->v[x].kid[ABOVE] = FOREST_NONE;
	f->v[x].parent = FOREST_NONE;
}
