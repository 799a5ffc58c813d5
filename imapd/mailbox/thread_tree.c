/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * thread_tree.c: THREAD, from parents to the finished trees: steps 4 to 6 of
 * REFERENCES, and ORDEREDSUBJECT (RFC 5256, BASE.6.4.THREAD).
 *
 * All messages are sorted by their sent date once.  Going through them in that
 * order and putting each behind its siblings sorts every set of siblings.
 */
#include "imapd/mailbox/thread_tree.h"

#include <stdlib.h>

#include "base/mem.h"
#include "imapd/mailbox/radix.h"

void
tree_done(struct tree *t)
{
	VEC_DONE(&t->msg);
	VEC_DONE(&t->arrival);
	VEC_DONE(&t->parent);
	free(t->order);
	free(t->first);
	free(t->child);
	free(t->next);
}

uint32_t
tree_new_dummy(struct tree *t)
{
	VEC_PUSH(&t->parent, TREE_ROOT);
	return (uint32_t)t->parent.n - 1;
}

/* The messages, sorted; ties "by sequence number" (RFC 5256 2.2). */
static uint32_t *
sorted(const uint64_t *key, uint32_t n)
{
	uint32_t *order = mem_resize(NULL, n, sizeof(*order));

	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	radix_sort(key, order, n);
	for (uint32_t i = 0; i < n; i++)
		order[i]++;
	return order;
}

void
tree_sort(struct tree *t)
{
	uint32_t n = (uint32_t)t->msg.n;
	uint64_t *key = mem_resize(NULL, n, sizeof(*key));

	for (uint32_t i = 0; i < n; i++)
		key[i] = radix_signed(t->msg.v[i].date);
	t->order = sorted(key, n);
	free(key);
}

static const struct tree_msg *
message(const struct tree *t, uint32_t node)
{
	return &t->msg.v[node - 1];
}

/*
 * "In the case of a dummy message ..., use its first child for sorting": the
 * first one met when going through the messages by date.
 */
static void
find_first(struct tree *t)
{
	size_t nmsg = t->msg.n;

	free(t->first);
	t->first = mem_zalloc((t->parent.n - nmsg) * sizeof(*t->first));
	for (size_t i = 0; i < nmsg; i++) {
		uint32_t parent = t->parent.v[t->order[i]];

		if (is_tree_dummy(t, parent) &&
		    t->first[parent - nmsg - 1] == 0)
			t->first[parent - nmsg - 1] = t->order[i];
	}
}

static uint32_t
first_of(const struct tree *t, uint32_t dummy)
{
	return t->first[dummy - t->msg.n - 1];
}

/* ---- ORDEREDSUBJECT --------------------------------------------------- */

/*
 * "The searched messages are sorted by base subject and then by the sent date.
 * The messages are then split into separate threads, with each thread
 * containing messages with the same base subject text. ...  The second message
 * of a thread is the child of the first message, and subsequent messages of the
 * thread are siblings of the second message".
 */
void
tree_by_subject(struct tree *t, uint32_t nsubject)
{
	uint32_t *head = mem_zalloc(nsubject * sizeof(*head));

	for (size_t i = 0; i < t->msg.n; i++) {
		uint32_t node = t->order[i];
		uint32_t *h = &head[message(t, node)->subject];

		if (*h == 0)
			*h = node;
		else
			t->parent.v[node] = *h;
	}
	free(head);
}

/* ---- (4), (5) --------------------------------------------------------- */

/* (4) "Sort the messages under the root (top-level siblings only) by sent
 * date": the children of the root, *ret_n of them; free() it. */
static uint32_t *
sort_roots(const struct tree *t, size_t *ret_n)
{
	uint32_t *roots = mem_resize(NULL, t->parent.n, sizeof(*roots));
	size_t n = 0;

	for (size_t i = 0; i < t->msg.n; i++) {
		uint32_t node = t->order[i], parent = t->parent.v[node];

		if (parent == TREE_ROOT)
			roots[n++] = node;
		else if (is_tree_dummy(t, parent) &&
		    first_of(t, parent) == node)
			roots[n++] = parent;
	}
	*ret_n = n;
	return roots;
}

/* (5.B.i) "the base subject from either the current message or its first child
 * if the current message is a dummy" */
static uint32_t
thread_subject(const struct tree *t, uint32_t node)
{
	if (is_tree_dummy(t, node))
		node = first_of(t, node);
	return message(t, node)->subject;
}

static bool
is_reply(const struct tree *t, uint32_t node)
{
	return !is_tree_dummy(t, node) && message(t, node)->is_reply;
}

/* (5.A), (5.B): the subject table: a child of the root for each subject. */
static uint32_t *
subject_table(const struct tree *t, const uint32_t *roots, size_t n,
    uint32_t nsubject)
{
	uint32_t *table = mem_zalloc(nsubject * sizeof(*table));

	for (size_t i = 0; i < n; i++) {
		uint32_t cur = roots[i], subject = thread_subject(t, cur);
		uint32_t *have = &table[subject];

		if (subject == 0)				/* (ii) */
			continue;
		if (*have == 0 || (!is_tree_dummy(t, *have) &&	/* (iv) */
		    (is_tree_dummy(t, cur) ||
		    (is_reply(t, *have) && !is_reply(t, cur)))))
			*have = cur;
	}
	return table;
}

/*
 * (5.C): cur goes to *have, the message in the table.  Where cur is a dummy so
 * is that: (5.B) has seen to it.  A deleted dummy points to the one that got
 * its children.
 */
static void
merge(struct tree *t, uint32_t cur, uint32_t *have)
{
	uint32_t dummy;

	if (is_tree_dummy(t, *have) ||
	    (is_reply(t, cur) && !is_reply(t, *have))) {
		t->parent.v[cur] = *have;
		return;
	}
	dummy = tree_new_dummy(t);
	t->parent.v[cur] = dummy;
	t->parent.v[*have] = dummy;
	*have = dummy;
}

void
tree_merge_subjects(struct tree *t, uint32_t nsubject)
{
	uint32_t *roots, *table;
	size_t n;

	find_first(t);
	roots = sort_roots(t, &n);
	table = subject_table(t, roots, n, nsubject);
	for (size_t i = 0; i < n; i++) {
		uint32_t subject = thread_subject(t, roots[i]);

		if (subject != 0 && table[subject] != roots[i])
			merge(t, roots[i], &table[subject]);
	}
	free(table);
	free(roots);
	for (size_t i = 1; i <= t->msg.n; i++) {
		uint32_t *parent = &t->parent.v[i];

		if (is_tree_dummy(t, *parent) &&
		    t->parent.v[*parent] != TREE_ROOT)
			*parent = t->parent.v[*parent];
	}
}

/* ---- (6) -------------------------------------------------------------- */

/* node becomes the first child of its parent. */
static void
put_first(struct tree *t, uint32_t node, uint32_t parent)
{
	t->next[node] = t->child[parent];
	t->child[parent] = node;
}

/* The children of all but the root; for_root: of that too. */
static void
put_children(struct tree *t, bool for_root)
{
	for (size_t i = t->msg.n; i > 0; i--) {
		uint32_t node = t->order[i - 1], parent = t->parent.v[node];

		if (parent != TREE_ROOT || for_root)
			put_first(t, node, parent);
		if (for_root && is_tree_dummy(t, parent) &&
		    first_of(t, parent) == node)
			put_first(t, parent, TREE_ROOT);
	}
}

/* The child of the root above each node: top, remembered by node. */
static uint32_t
top_of(const struct tree *t, uint32_t *top, uint32_t node)
{
	uint32_t at = node, found;

	while (top[at] == 0 && t->parent.v[at] != TREE_ROOT)
		at = t->parent.v[at];
	found = top[at] != 0 ? top[at] : at;
	while (top[node] == 0) {
		top[node] = found;
		if (node == at)
			break;
		node = t->parent.v[node];
	}
	return found;
}

/*
 * REFS: threads by the most recent INTERNALDATE in each.  Going through the
 * messages from the last to the first that arrived, a thread is met first at
 * its most recent message.
 */
static void
put_roots_by_arrival(struct tree *t)
{
	uint32_t n = (uint32_t)t->msg.n, *order;
	uint32_t *top = mem_zalloc(t->parent.n * sizeof(*top));
	uint8_t *is_put = mem_zalloc(t->parent.n);
	uint64_t *key = mem_resize(NULL, n, sizeof(*key));

	for (uint32_t i = 0; i < n; i++)
		key[i] = radix_signed(t->arrival.v[i]);
	order = sorted(key, n);
	free(key);
	for (uint32_t i = n; i > 0; i--) {
		uint32_t root = top_of(t, top, order[i - 1]);

		if (!is_put[root])
			put_first(t, root, TREE_ROOT);
		is_put[root] = 1;
	}
	free(order);
	free(is_put);
	free(top);
}

void
tree_build(struct tree *t, bool by_arrival)
{
	find_first(t);
	t->child = mem_zalloc(t->parent.n * sizeof(*t->child));
	t->next = mem_zalloc(t->parent.n * sizeof(*t->next));
	put_children(t, !by_arrival);
	if (by_arrival)
		put_roots_by_arrival(t);
}

/* ---- walking ---------------------------------------------------------- */

/*
 * thread-list    = "(" (thread-members / thread-nested) ")"
 * thread-members = nz-number *(SP nz-number) [SP thread-nested]
 * thread-nested  = 2*thread-list
 *
 * An only child is a further member of its parent's list, but not under the
 * root and under dummies, which have no number of their own; those have two at
 * least.
 */
static bool
is_member(const struct tree *t, uint32_t node)
{
	uint32_t parent = t->parent.v[node];

	return parent != TREE_ROOT && !is_tree_dummy(t, parent) &&
	    t->child[parent] == node && t->next[node] == 0;
}

void
tree_walk(const struct tree *t, thread_visit *visit, void *arg)
{
	uint32_t node = t->child[TREE_ROOT];

	while (node != TREE_ROOT) {
		if (!is_member(t, node))
			visit(arg, THREAD_OPEN, 0);
		if (!is_tree_dummy(t, node))
			visit(arg, THREAD_NUMBER, message(t, node)->num);
		if (t->child[node] != 0) {
			node = t->child[node];
			continue;
		}
		/* Up, to the first list that has another behind it. */
		for (;;) {
			if (!is_member(t, node))
				visit(arg, THREAD_CLOSE, 0);
			if (t->next[node] != 0) {
				node = t->next[node];
				break;
			}
			node = t->parent.v[node];
			if (node == TREE_ROOT)
				break;
		}
	}
}
