/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * list_nodes.c: mailboxes, parents and subscriptions as one sorted list.
 */
#include "imapd/command/list_nodes.h"

#include <stdlib.h>

/* Component by component, so that children follow their parent; INBOX first. */
static int
cmp_path(const struct maildir_path *a, const struct maildir_path *b)
{
	size_t n = a->n < b->n ? a->n : b->n;

	for (size_t i = 0; i < n; i++) {
		int c;

		if (i == 0 && is_span_eq(a->level[0], b->level[0]))
			continue;
		if (i == 0 && is_span_eq(a->level[0], SPAN("INBOX")))
			return -1;
		if (i == 0 && is_span_eq(b->level[0], SPAN("INBOX")))
			return 1;
		c = span_cmp(a->level[i], b->level[i]);
		if (c != 0)
			return c;
	}
	return a->n < b->n ? -1 : a->n > b->n;
}

static int
cmp_node(const void *a, const void *b)
{
	const struct list_node *x = a, *y = b;

	return cmp_path(&x->path, &y->path);
}

bool
is_node_below(const struct list_node *a, const struct list_node *b)
{
	if (b->path.n <= a->path.n)
		return false;
	for (size_t i = 0; i < a->path.n; i++)
		if (!is_span_eq(a->path.level[i], b->path.level[i]))
			return false;
	return true;
}

/* One node of each name, with the flags of all. */
static size_t
merge(struct list_node *node, size_t n)
{
	size_t to = 0;

	qsort(node, n, sizeof(*node), cmp_node);
	for (size_t i = 0; i < n; i++) {
		if (to > 0 && cmp_node(&node[to - 1], &node[i]) == 0)
			node[to - 1].flags |= node[i].flags;
		else
			node[to++] = node[i];
	}
	return to;
}

static size_t
put_entries(struct list_node *node, const struct maildir_entry *entry,
    size_t n)
{
	for (size_t i = 0; i < n; i++) {
		node[i].path = entry[i].path;
		node[i].flags = NODE_IN_STORE;
		if (entry[i].is_mailbox)
			node[i].flags |= NODE_MAILBOX;
		if (entry[i].has_children)
			node[i].flags |= NODE_CHILDREN;
	}
	return n;
}

/* A subscribed name and its parents. */
static size_t
put_subs(struct list_node *node, const struct maildir_path *sub, size_t n)
{
	size_t to = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t depth = 1; depth <= sub[i].n; depth++) {
			node[to].path.level = sub[i].level;
			node[to].path.n = depth;
			node[to].flags = depth == sub[i].n ?
			    NODE_SUBSCRIBED : 0;
			to++;
		}
	return to;
}

/* Spell the names; those without a spelling go. */
static size_t
put_names(struct session *s, struct list_node *node, size_t n)
{
	size_t to = 0;

	for (size_t i = 0; i < n; i++) {
		struct list_node *nd = &node[i];

		if (mailname_from_path(&s->names, &nd->path, s->arena,
		    &nd->name) == 0)
			node[to++] = *nd;
	}
	return to;
}

int
list_nodes(struct session *s, bool with_store, bool with_subs,
    struct list_node **ret, size_t *ret_n)
{
	struct maildir_entry *entry = NULL;
	struct maildir_path *sub = NULL;
	size_t nentries = 0, nsubs = 0, max, n = 0;
	struct list_node *node;
	int err = 0;

	if (with_store)
		err = maildir_list(s->store, s->arena, &entry, &nentries);
	if (err == 0 && with_subs)
		err = maildir_subscriptions(s->store, s->arena, &sub, &nsubs);
	if (err != 0)
		return err;
	max = nentries;
	for (size_t i = 0; i < nsubs; i++)
		max += sub[i].n;
	node = arena_array(s->arena, max, sizeof(*node));
	n = put_entries(node, entry, nentries);
	n += put_subs(node + n, sub, nsubs);
	if (nsubs > 0)
		n = merge(node, n);
	*ret = node;
	*ret_n = put_names(s, node, n);
	return 0;
}
