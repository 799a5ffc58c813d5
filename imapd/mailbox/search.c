/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * search.c: see search.h.
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
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "message/charset.h"
#include "message/text.h"
#include "maildir/maildir.h"
#include "imapd/mailbox/kept.h"
#include "imapd/mailbox/mailbox.h"
#include "imapd/mailbox/msgview.h"
#include "imapd/mailbox/objectid.h"
#include "imapd/mailbox/search.h"
#include "imapd/mailbox/searchtext.h"
#include "imapd/mailbox/sentday.h"
#include "imapd/mailbox/zone.h"
#include "imapd/wire/seqset.h"

#define SEARCH_NEEDLE_MAX	(1024 * 1024)	/* bytes of a text in UTF-8 */
#define PACE			(64 * 1024)	/* tests of what is in memory,
						 * in less than a millisecond */
#define PACE_HEADERS		16	/* messages of which the header is read;
					 * most often it is kept */

enum cost {
	COST_RECORD,		/* in memory */
	COST_INFO,		/* the file's dates and size */
	COST_SIZE,		/* may have to count the file's lines */
	COST_HEADER,		/* reads the header */
	COST_BODY,		/* reads all and decodes it */
	COST_COUNT
};

/* Where a test may lead other than to another test. */
#define GO_YES	UINT32_MAX	/* the message matches */
#define GO_NO	(UINT32_MAX - 1)

struct test {
	enum search_key key;
	uint32_t go[2];		/* where to, if it does not hold; if it does */
	const struct search_node *node;
	uint64_t kw;		/* KEY_KEYWORD: its bit */
	struct searchfield field;	/* keys that look into one */
	struct text_search *text;
};

struct search {
	struct mailbox *mb;
	struct maildir *md;
	struct arena *arena;
	struct test *test;
	uint32_t ntest;
	uint8_t cost;		/* of the dearest */
	unsigned mask, sys;	/* no message matches without these flags */
	struct span charset;
	int64_t now;
	struct searchtext st;
	struct sentday sent;
	size_t at;		/* for has_mailbox_record() */
	/* of the message at hand: */
	uint32_t seq;
	struct maildir_msg msg;
	bool any_gone;
	bool has_modseq;	/* a key is MODSEQ */
};

/* ---- order ----------------------------------------------------------- */

static enum cost
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
compile_text(struct search *se, const struct search_node *node, struct test *t)
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
    struct test *t)
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
    struct span name, struct test *t)
{
	t->field.name = name;
	t->field.has_kind = has_kept_field(se->md, name, &t->field.kind);
	return compile_text(se, node, t);
}

/* What a test needs beyond its node. */
static int
compile_operands(struct search *se, struct search_node *node, struct test *t)
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
	struct test *t;
	int err;

	while (node != NULL) {
		aim(node, se->ntest);
		if (node->child != NULL) {
			node = node->child;
			continue;
		}
		t = &se->test[se->ntest++];
		*t = (struct test){ .key = node->key, .go = { node->go[0],
		    node->go[1] }, .node = node };
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
		const struct test *t = &se->test[i];
		bool wants = t->go[true] != GO_NO;

		if (t->go[!wants] != GO_NO ||
		    (t->go[wants] != i + 1 && t->go[wants] != GO_YES))
			return;
		if (t->key != KEY_FLAG && t->key != KEY_UNFLAG)
			continue;
		if (wants == (t->key == KEY_FLAG))
			se->sys |= t->node->sys;
		se->mask |= t->node->sys;
	}
}

int
search_new(struct mailbox *mb, const struct search_args *args,
    struct arena *arena, struct search **ret)
{
	struct search *se = mem_zalloc(sizeof(*se));
	struct charset *cs;
	int err;

	se->mb = mb;
	se->md = mailbox_store(mb);
	se->arena = arena;
	se->charset = args->charset;
	se->now = (int64_t)time(NULL);
	searchtext_init(&se->st, se->md, mailbox_view(mb));
	sentday_init(&se->sent, se->md, mailbox_view(mb));

	/* An unknown charset is refused also where no key has a text. */
	if ((err = charset_open(args->charset, &cs)) != 0)
		goto free_search;
	charset_free(cs);
	sort_nodes(args->root);
	se->cost = args->root->cost;
	se->test = arena_array(arena, args->root->ntests, sizeof(*se->test));
	err = compile(se, args->root);
	if (err != 0)
		goto free_search;
	compile_flags(se);
	*ret = se;
	return 0;

free_search:
	search_free(se);
	return err;
}

void
search_free(struct search *se)
{
	if (se == NULL)
		return;
	for (uint32_t i = 0; i < se->ntest; i++)
		text_search_free(se->test[i].text);
	searchtext_done(&se->st);
	free(se);
}

uint32_t
search_pace(const struct search *se)
{
	if (se->cost == COST_RECORD)
		return 1 + PACE / (1 + se->ntest);
	return se->cost == COST_INFO || se->cost == COST_HEADER ? PACE_HEADERS :
	    1;
}

uint64_t
search_modseq(const struct search *se)
{
	return se->has_modseq ? se->msg.modseq : 0;
}

bool
has_search_gone(const struct search *se)
{
	return se->any_gone;
}

/* ---- running --------------------------------------------------------- */

static uint32_t
uid_at(const struct search *se, size_t at)
{
	uint32_t uid = 0;

	if (at < maildir_count(se->md))
		maildir_uids(se->md, at, 1, &uid);
	return uid;
}

/*
 * The store has no message that the mailbox does not have, but for new ones at
 * the end; so if as many lie between two that both have, they are the same.
 * Where some are gone each is looked at, for it must be told that they are.
 */
uint32_t
search_next(struct search *se, uint32_t seq)
{
	uint32_t end = mailbox_count(se->mb) + 1;
	size_t next;

	if (se->mask == 0 || seq >= end ||
	    uid_at(se, se->at) != mailbox_uid(se->mb, seq))
		return seq;
	next = maildir_next_flagged(se->md, se->at, se->mask, se->sys);
	if (next == se->at)
		return seq;
	if (next < maildir_count(se->md))
		end = mailbox_seq_at(se->mb, uid_at(se, next));
	if (uid_at(se, se->at + (end - seq) - 1) !=
	    mailbox_uid(se->mb, end - 1))
		return seq;
	se->at += end - seq;
	return end;
}

/* The keys that compare a day: d against that of the key. */
static bool
is_day_match(enum search_key key, int64_t d, int64_t day)
{
	switch (key) {
	case KEY_BEFORE: case KEY_SENTBEFORE: case KEY_SAVEDBEFORE:
		return d < day;
	case KEY_ON: case KEY_SENTON: case KEY_SAVEDON:
		return d == day;
	default:
		return d >= day;	/* SINCE */
	}
}

/* "whose internal date (disregarding time and timezone) is ...": the day in
 * the zone in which INTERNALDATE is told. */
static int
test_internal(struct search *se, const struct test *t, bool *ret)
{
	int64_t date;
	int err;

	if ((err = msgview_date(se->st.mv, &date)) != 0)
		return err;
	if (t->key == KEY_OLDER)
		*ret = date <= se->now - (int64_t)t->node->number;
	else if (t->key == KEY_YOUNGER)
		*ret = date >= se->now - (int64_t)t->node->number;
	else
		*ret = is_day_match(t->key, zone_day(date), t->node->day);
	return 0;
}

static int
test_saved(struct search *se, const struct test *t, bool *ret)
{
	int64_t date;
	int err;

	if ((err = msgview_save_date(se->st.mv, &date)) != 0)
		return err;
	*ret = is_day_match(t->key, zone_day(date), t->node->day);
	return 0;
}

/* "whose [RFC-2822] Date: header (disregarding time and timezone) is ...": the
 * day as it was written.  A message without a date matches none of them. */
static int
test_sent(struct search *se, const struct test *t, bool *ret)
{
	int64_t day;
	bool has;
	int err = sentday_get(&se->sent, se->msg.uid, &has, &day);

	if (err == 0)
		*ret = has && is_day_match(t->key, day, t->node->day);
	return err;
}

/*
 * RFC822.SIZE is between the size of the file and twice that: for most messages
 * that decides, and the lines need not be counted.
 */
static int
test_size(struct search *se, const struct test *t, bool *ret)
{
	bool is_larger = t->key == KEY_LARGER;
	uint64_t limit = t->node->number, served;
	struct maildir_info info;
	struct extent whole;
	int err;

	if ((err = maildir_info(se->md, se->msg.uid, &info)) != 0)
		return err;
	if (info.file_size > limit) {
		*ret = is_larger;
		return 0;
	}
	if (info.file_size < limit / 2) {
		*ret = !is_larger;
		return 0;
	}
	if ((err = msgview_whole(se->st.mv, &whole)) != 0)
		return err;
	served = whole.size + whole.bare_lf;
	*ret = is_larger ? served > limit : served < limit;
	return 0;
}

/* Tests on the store's record of the message; false: it is none of them. */
static bool
is_record_test(const struct search *se, const struct test *t, bool *ret)
{
	const struct maildir_msg *msg = &se->msg;
	bool is_seen = (msg->flags.sys & MAILDIR_SEEN) != 0;

	switch (t->key) {
	case KEY_ALL:
	case KEY_SAVEDATESUPPORTED:
		*ret = true;
		return true;
	case KEY_SEQ:
		*ret = is_in_seqset(&t->node->set, se->seq);
		return true;
	case KEY_UID:
		*ret = is_in_seqset(&t->node->set, msg->uid);
		return true;
	case KEY_FLAG:
		*ret = (msg->flags.sys & t->node->sys) != 0;
		return true;
	case KEY_UNFLAG:
		*ret = (msg->flags.sys & t->node->sys) == 0;
		return true;
	case KEY_KEYWORD:
		*ret = (msg->flags.kw & t->kw) != 0;
		return true;
	case KEY_UNKEYWORD:
		*ret = (msg->flags.kw & t->kw) == 0;
		return true;
	case KEY_RECENT:
		*ret = msg->is_recent;
		return true;
	case KEY_NEW:
		*ret = msg->is_recent && !is_seen;
		return true;
	case KEY_OLD:
		*ret = !msg->is_recent;
		return true;
	case KEY_MODSEQ:
		*ret = msg->modseq >= t->node->number;
		return true;
	default:
		return false;
	}
}

static int
test_file(struct search *se, const struct test *t, bool *ret)
{
	searchtext_set(&se->st, se->msg.uid);
	if (t->key == KEY_EMAILID || t->key == KEY_THREADID)
		return objectid_match(se->md, se->st.mv, se->msg.uid,
		    t->key == KEY_THREADID, t->node->text, ret);
	switch (key_cost(t->key)) {
	case COST_INFO:
		if (t->key == KEY_SAVEDBEFORE || t->key == KEY_SAVEDON ||
		    t->key == KEY_SAVEDSINCE)
			return test_saved(se, t, ret);
		return test_internal(se, t, ret);
	case COST_SIZE:
		return test_size(se, t, ret);
	case COST_HEADER:
		if (t->text == NULL)
			return test_sent(se, t, ret);
		return searchtext_field(&se->st, &t->field, t->text, ret);
	case COST_BODY:
		return searchtext_message(&se->st, t->key == KEY_TEXT, t->text,
		    ret);
	case COST_RECORD:
	case COST_COUNT:
		break;
	}
	*ret = false;
	return 0;
}

bool
is_search_match(struct search *se, const struct mailbox_msg *msg)
{
	uint32_t i = 0;
	bool holds;
	int err;

	if (!has_mailbox_record(se->mb, msg->uid, &se->at, &se->msg)) {
		se->any_gone = true;
		return false;
	}
	se->seq = msg->seq;
	while (i < se->ntest) {
		const struct test *t = &se->test[i];

		if (!is_record_test(se, t, &holds)) {
			err = test_file(se, t, &holds);
			if (err == ERR_GONE)
				se->any_gone = true;
			if (err != 0)
				return false;
		}
		i = t->go[holds];
	}
	return i == GO_YES;
}
