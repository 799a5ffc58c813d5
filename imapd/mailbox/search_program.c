/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * search_program.c: from keys to tests.
 *
 * The keys of a SEARCH are a tree of AND, OR and NOT over tests.  It is
 * compiled into a list of tests, each of which says where to go on when it
 * holds and when it does not; never back:
 *
 *	UNSEEN OR FROM x FROM y		0  UNFLAG \Seen	true: 1	   false: no
 *					1  FROM x	true: yes  false: 2
 *					2  FROM y	true: yes  false: no
 *
 * AND, OR and NOT are gone then: they were only about where to go.  The tests
 * stand in the order of the keys, so a key's first test has a number that is
 * known from the count of those before.  Neither compiling nor running needs a
 * stack, and no test runs whose outcome could not matter.
 *
 * Before that the operands of each AND and OR are sorted by what they cost, so
 * that a message's file is opened only if nothing cheaper has decided.
 */
#include "imapd/mailbox/search_program.h"

#include "base/buf.h"
#include "message/charset.h"
#include "imapd/mailbox/kept.h"
#include "imapd/wire/seqset.h"

#define SEARCH_NEEDLE_MAX	(1024 * 1024)	/* bytes of a text in UTF-8 */

/* ---- order ----------------------------------------------------------- */

static enum search_cost
key_cost(enum search_key key)
{
	switch (key) {
	case KEY_BEFORE: case KEY_ON: case KEY_SINCE:
	case KEY_OLDER: case KEY_YOUNGER:
	case KEY_SAVEDBEFORE: case KEY_SAVEDON: case KEY_SAVEDSINCE:
	case KEY_EMAILID:
		return COST_INFO;
	case KEY_LARGER: case KEY_SMALLER:
		return COST_SIZE;
	case KEY_SENTBEFORE: case KEY_SENTON: case KEY_SENTSINCE:
	case KEY_HEADER: case KEY_FROM: case KEY_TO: case KEY_CC:
	case KEY_BCC: case KEY_SUBJECT: case KEY_THREADID:
		return COST_HEADER;
	case KEY_BODY: case KEY_TEXT:
		return COST_BODY;
	default:
		return COST_RECORD;
	}
}

/* The next node of a walk that comes to each node after its operands: from the
 * one that was just left; NULL behind the root. */
static struct search_node *
leave(struct search_node *node)
{
	if (node->next == NULL)
		return node->parent;
	node = node->next;
	while (node->child != NULL)
		node = node->child;
	return node;
}

/*
 * Put the operands of node into the order of their cost, those of one cost as
 * they were.
 */
static void
sort_operands(struct search_node *node)
{
	struct search_node *first[COST_COUNT] = { NULL };
	struct search_node **end[COST_COUNT], *child, *next, **link;

	for (int c = 0; c < COST_COUNT; c++)
		end[c] = &first[c];
	for (child = node->child; child != NULL; child = next) {
		next = child->next;
		child->next = NULL;
		*end[child->cost] = child;
		end[child->cost] = &child->next;
	}
	link = &node->child;
	for (int c = 0; c < COST_COUNT; c++) {
		*link = first[c];
		if (first[c] != NULL)
			link = end[c];
	}
}

/* Count the tests of every node, and sort its operands.  The cost of a node is
 * that of its dearest operand. */
static void
sort_nodes(struct search_node *root)
{
	struct search_node *node = root;

	while (node->child != NULL)
		node = node->child;
	for (; node != NULL; node = leave(node)) {
		if (node->child == NULL) {
			node->cost = (uint8_t)key_cost(node->key);
			node->ntests = 1;
		} else {
			sort_operands(node);
		}
		if (node->parent == NULL)
			continue;
		node->parent->ntests += node->ntests;
		if (node->cost > node->parent->cost)
			node->parent->cost = node->cost;
	}
}

/* ---- compiling ------------------------------------------------------- */

/* The text of a key in UTF-8. */
static int
compile_text(struct search *se, const struct search_node *node,
    struct search_test *t)
{
	struct buf b;
	int err;

	buf_init(&b, SEARCH_NEEDLE_MAX);
	err = charset_convert(se->charset, node->text, &b);
	if (err == 0)
		err = buf_err(&b);
	if (err == 0)
		t->text = text_search_new(buf_span(&b),
		    se->st.window);
	buf_done(&b);
	return err;
}

/*
 * A set, resolved against this mailbox.  Numbers and UIDs that are not there
 * match nothing; to be strict about them, as FETCH is, would help nobody whose
 * other keys are right.
 */
static int
compile_set(struct search *se, struct search_node *node)
{
	uint32_t count = mailbox_count(se->mb);
	struct seqset *set = &node->set;
	struct mailbox_msg *msg;
	size_t n;
	int err;

	if (set->is_saved) {
		err = mailbox_resolve(se->mb, set, true, se->arena, &msg, &n);
		if (err != 0)
			return err;
		set->range = arena_array(se->arena, n, sizeof(*set->range));
		set->n = n;
		for (size_t i = 0; i < n; i++)
			set->range[i].lo = set->range[i].hi =
			    node->key == KEY_UID ? msg[i].uid : msg[i].seq;
		return 0;
	}
	if (node->key == KEY_UID && count > 0)
		count = mailbox_uid(se->mb, count);
	seqset_resolve(set, count);
	return 0;
}

static int
compile_keyword(struct search *se, const struct search_node *node,
    struct search_test *t)
{
	size_t i;
	int err;

	err = maildir_keyword(se->md, node->text, false, &i);
	if (err == ERR_NOENT)
		return 0;	/* no message has it: kw stays 0 */
	if (err == 0)
		t->kw = UINT64_C(1) << i;
	return err;
}

static int
compile_field(struct search *se, const struct search_node *node,
    struct span name, struct search_test *t)
{
	t->field.name = name;
	t->field.has_kind = has_kept_field(se->md, name, &t->field.kind);
	return compile_text(se, node, t);
}

/* What a test needs beyond its node. */
static int
compile_operands(struct search *se, struct search_node *node,
    struct search_test *t)
{
	switch (node->key) {
	case KEY_SEQ:
	case KEY_UID:
		return compile_set(se, node);
	case KEY_KEYWORD:
	case KEY_UNKEYWORD:
		return compile_keyword(se, node, t);
	case KEY_HEADER:
		return compile_field(se, node, node->field, t);
	case KEY_FROM:
		return compile_field(se, node, SPAN("From"), t);
	case KEY_TO:
		return compile_field(se, node, SPAN("To"), t);
	case KEY_CC:
		return compile_field(se, node, SPAN("Cc"), t);
	case KEY_BCC:
		return compile_field(se, node, SPAN("Bcc"), t);
	case KEY_SUBJECT:
		return compile_field(se, node, SPAN("Subject"), t);
	case KEY_BODY:
	case KEY_TEXT:
		return compile_text(se, node, t);
	case KEY_MODSEQ:
		se->has_modseq = true;
		return 0;
	default:
		return 0;
	}
}

/*
 * Where to go from node, whose first test is number at: what its parent says,
 * unless another operand must still be asked.
 */
static void
aim(struct search_node *node, uint32_t at)
{
	const struct search_node *up = node->parent;
	bool is_last = node->next == NULL;

	if (up == NULL) {
		node->go[false] = GO_NO;
		node->go[true] = GO_YES;
		return;
	}
	node->go[false] = up->go[false];
	node->go[true] = up->go[true];
	if (up->key == KEY_NOT) {
		node->go[false] = up->go[true];
		node->go[true] = up->go[false];
	} else if (!is_last) {
		node->go[up->key == KEY_AND] = at + node->ntests;
	}
}

/* The tests of all nodes, in their order. */
static int
compile(struct search *se, struct search_node *root)
{
	struct search_node *node = root;
	struct search_test *t;
	int err;

	while (node != NULL) {
		aim(node, se->ntest);
		if (node->child != NULL) {
			node = node->child;
			continue;
		}
		t = &se->test[se->ntest++];
		*t = (struct search_test){ .key = node->key,
		    .go = { node->go[0], node->go[1] }, .node = node };
		err = compile_operands(se, node, t);
		if (err != 0)
			return err;
		while (node != NULL && node->next == NULL)
			node = node->parent;
		if (node != NULL)
			node = node->next;
	}
	return 0;
}

/*
 * The flags that every match has, and those that none has: of the tests that
 * all stand in the way of a match.
 */
static void
compile_flags(struct search *se)
{
	for (uint32_t i = 0; i < se->ntest; i++) {
		const struct search_test *t = &se->test[i];
		bool wants = t->go[true] != GO_NO;

		if (t->go[!wants] != GO_NO ||
		    (t->go[wants] != i + 1 && t->go[wants] != GO_YES))
			return;
		if (t->key == KEY_FLAG || t->key == KEY_UNFLAG) {
			if (wants == (t->key == KEY_FLAG))
				se->sys |= t->node->sys;
			se->mask |= t->node->sys;
		}
		if (t->go[wants] == GO_YES)
			return;		/* what follows cannot be reached */
	}
}

int
search_compile(struct search *se, struct search_node *root)
{
	int err;

	sort_nodes(root);
	se->cost = root->cost;
	se->test = arena_array(se->arena, root->ntests, sizeof(*se->test));
	err = compile(se, root);
	if (err == 0)
		compile_flags(se);
	return err;
}
