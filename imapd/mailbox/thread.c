/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * thread.c: THREAD, from references to parents: steps 1 to 3 of REFERENCES
 * (RFC 5256, BASE.6.4.THREAD); thread_tree.c goes on from there.
 *
 * REFS (draft-ietf-morg-inthread-01) is REFERENCES without step 5, subjects
 * having no say; and the threads come in the order of the most recent
 * INTERNALDATE in each, in place of step 4: new mail makes its thread the last.
 *
 * Identifiers are numbers by their hash (base/hash.h), so that a message's
 * references need not be kept until all messages are read: a dummy becomes the
 * message when that comes.
 */
#include "imapd/mailbox/thread.h"

#include <assert.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/vec.h"
#include "imapd/mailbox/forest.h"
#include "imapd/mailbox/thread_tree.h"

#define SUBJECTS_MAX	(UINT32_C(1) << 30)

struct thread {
	enum thread_algorithm alg;
	struct hash_table ids;
	VEC(uint32_t) id_node;		/* by number of an identifier */
	struct forest forest;
	VEC(uint32_t) node_msg;		/* by node; 0: a dummy */
	struct hash_table subjects;	/* 0: the empty one */
	struct tree tree;
};

int
thread_new(enum thread_algorithm alg, struct thread **ret)
{
	struct thread *th = mem_zalloc(sizeof(*th));
	uint32_t empty;

	th->alg = alg;
	forest_init(&th->forest);
	VEC_PUSH(&th->node_msg, 0);	/* FOREST_NONE */
	VEC_PUSH(&th->tree.parent, TREE_ROOT);
	if (hash_table_init(&th->ids, THREAD_IDS_MAX) != 0 ||
	    hash_table_init(&th->subjects, SUBJECTS_MAX) != 0 ||
	    hash_table_put(&th->subjects, SPAN_NONE, &empty) != 0) {
		thread_free(th);
		return ERR_IO;
	}
	*ret = th;
	return 0;
}

/* All that step 3 has made of no use. */
static void
forget_links(struct thread *th)
{
	hash_table_done(&th->ids);
	VEC_DONE(&th->id_node);
	forest_done(&th->forest);
	VEC_DONE(&th->node_msg);
}

void
thread_free(struct thread *th)
{
	if (th == NULL)
		return;
	forget_links(th);
	hash_table_done(&th->subjects);
	tree_done(&th->tree);
	free(th);
}

static bool
has_references(const struct thread *th)
{
	return th->alg != THREAD_ORDEREDSUBJECT;
}

static bool
has_subjects(const struct thread *th)
{
	return th->alg != THREAD_REFS;
}

unsigned
thread_wants(const struct thread *th)
{
	return SORTKEY_DATE | (has_subjects(th) ? SORTKEY_SUBJECT : 0u) |
	    (has_references(th) ? SORTKEY_IDS : 0u);
}

bool
has_thread_arrival(const struct thread *th)
{
	return th->alg == THREAD_REFS;
}

/* ---- (1) links -------------------------------------------------------- */

static uint32_t
new_node(struct thread *th, uint32_t msg)
{
	VEC_PUSH(&th->node_msg, msg);
	return forest_add(&th->forest);
}

/* "If no message can be found with a given Message ID, create a dummy message
 * with this ID.  Use this dummy message for all subsequent references to this
 * ID."  FOREST_NONE: there are too many. */
static uint32_t
node_of_id(struct thread *th, struct span id)
{
	uint32_t num;

	if (hash_table_put(&th->ids, id, &num) != 0)
		return FOREST_NONE;
	if (num == th->id_node.n) {
		uint32_t node = new_node(th, 0);

		VEC_PUSH(&th->id_node, node);
	}
	return th->id_node.v[num];
}

/*
 * "If a message does not contain ... a valid Message ID, then assign a unique
 * Message ID to this message.  If two or more messages have the same Message
 * ID, then only use that Message ID in the first (lowest sequence number)
 * message, and assign a unique Message ID to each of the subsequent messages".
 */
static uint32_t
node_of_message(struct thread *th, struct span id, uint32_t msg)
{
	uint32_t node = id.n == 0 ? FOREST_NONE : node_of_id(th, id);

	if (node == FOREST_NONE || th->node_msg.v[node] != 0)
		return new_node(th, msg);
	th->node_msg.v[node] = msg;
	return node;
}

/*
 * (A) "Make the first reference the parent of the second ..., the second the
 * parent of the third".  "If a message already has a parent, don't change the
 * existing link."  Returns the last reference.
 */
static uint32_t
link_references(struct thread *th, struct span refs)
{
	uint32_t last = FOREST_NONE;
	struct span id;

	while (sortkey_next_ref(&refs, &id)) {
		uint32_t node = node_of_id(th, id);

		if (node == FOREST_NONE)
			continue;
		if (last != FOREST_NONE &&
		    th->forest.v[node].parent == FOREST_NONE)
			forest_link(&th->forest, last, node);
		last = node;
	}
	return last;
}

/*
 * (B) "Create a parent/child link between the last reference (or NIL if there
 * are no references) and the current message.  If the current message already
 * has a parent, ... break the current parent/child link before creating the new
 * correct one."
 */
static void
link_message(struct thread *th, const struct sortkey *k, uint32_t msg)
{
	uint32_t node = node_of_message(th, k->id, msg);
	uint32_t last = link_references(th, k->refs);

	forest_cut(&th->forest, node);
	if (last != FOREST_NONE)
		forest_link(&th->forest, last, node);
}

static uint32_t
subject_number(struct thread *th, struct span subject)
{
	uint32_t num = 0;
	int err = hash_table_put(&th->subjects, subject, &num);

	assert(err == 0);	/* there are fewer messages than that */
	(void)err;
	return num;
}

void
thread_add(struct thread *th, const struct sortkey *k, int64_t arrival,
    uint32_t num)
{
	struct tree_msg m = { .date = k->has_date ? k->date : arrival,
	    .num = num, .is_reply = k->is_reply };

	assert(num != 0);
	if (has_subjects(th))
		m.subject = subject_number(th, k->subject);
	VEC_PUSH(&th->tree.msg, m);
	VEC_PUSH(&th->tree.parent, TREE_ROOT);
	if (has_thread_arrival(th))
		VEC_PUSH(&th->tree.arrival, arrival);
	if (has_references(th))
		link_message(th, k, (uint32_t)th->tree.msg.n);
}

/* ---- (2), (3) --------------------------------------------------------- */

/*
 * Where the children of a node of the forest are when the dummies are gone: at
 * the message itself, or at what is nearest above a dummy; a dummy that has
 * nothing above but dummies gathers them under the root.  place remembers it by
 * node, so that no way is gone twice.
 */
static uint32_t
place_of(struct thread *th, uint32_t *place, uint32_t node)
{
	const struct forest_node *v = th->forest.v;
	const uint32_t *msg = th->node_msg.v;
	uint32_t at = node, found;

	while (place[at] == 0 && msg[at] == 0 && v[at].parent != FOREST_NONE)
		at = v[at].parent;
	found = place[at] != 0 ? place[at] : msg[at];
	if (found == 0)
		found = tree_new_dummy(&th->tree);
	while (place[node] == 0) {
		place[node] = found;
		if (node == at)
			break;
		node = v[node].parent;
	}
	return found;
}

/*
 * (2) "Gather together all of the messages that have no parents and make them
 * all children ... of a dummy parent (the "root")."
 *
 * (3) "If it is a dummy message with NO children, delete it.  If it is a dummy
 * message with children, delete it, but promote its children to the current
 * level. ...  Do not promote the children if doing so would make them children
 * of the root, unless there is only one child."
 *
 * Only what has a message below it is ever asked for its place: dummies without
 * are never made.  Whether there is only one child is counted when the dummies
 * below are gone: "((3))" would be no thread-list.
 */
static void
prune(struct thread *th)
{
	struct tree *t = &th->tree;
	uint32_t n = th->forest.n, nmsg = (uint32_t)t->msg.n;
	uint32_t *place = mem_zalloc((n + 1) * sizeof(*place)), *children;

	for (uint32_t node = 1; node <= n; node++) {
		uint32_t up = th->forest.v[node].parent;
		uint32_t msg = th->node_msg.v[node];

		if (msg != 0 && up != FOREST_NONE) {
			up = place_of(th, place, up);
			t->parent.v[msg] = up;
		}
	}
	free(place);
	children = mem_zalloc(t->parent.n * sizeof(*children));
	for (uint32_t msg = 1; msg <= nmsg; msg++)
		children[t->parent.v[msg]]++;
	for (uint32_t msg = 1; msg <= nmsg; msg++) {
		uint32_t *parent = &t->parent.v[msg];

		if (is_tree_dummy(t, *parent) && children[*parent] == 1)
			*parent = TREE_ROOT;
	}
	free(children);
}

/* ---- the whole -------------------------------------------------------- */

void
thread_make(struct thread *th)
{
	uint32_t nsubject = th->subjects.n;

	hash_table_done(&th->subjects);
	if (has_references(th))
		prune(th);			/* (2), (3) */
	forget_links(th);
	tree_sort(&th->tree);
	if (th->alg == THREAD_REFERENCES)
		tree_merge_subjects(&th->tree, nsubject);	/* (4), (5) */
	if (th->alg == THREAD_ORDEREDSUBJECT)
		tree_by_subject(&th->tree, nsubject);
	tree_build(&th->tree, th->alg == THREAD_REFS);		/* (6) */
}

void
thread_walk(const struct thread *th, thread_visit *visit, void *arg)
{
	tree_walk(&th->tree, visit, arg);
}
