/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * SEARCH: the keys as a tree.
 *
 * NOT NOT x is x, (x) is x, and OR a OR b c is one node with three operands: so
 * the long chains that clients make are no deeper than what they mean, and
 * PARSE_DEPTH_MAX is only met by real nesting.
 */
#include "imapd/wire/imapdate.h"
#include "imapd/wire/parse_rules.h"
#include "maildir/maildir.h"

enum operand {
	OPERAND_NONE,
	OPERAND_ASTRING,	/* SP astring */
	OPERAND_HEADER,		/* SP header-fld-name SP astring */
	OPERAND_ATOM,		/* SP flag-keyword */
	OPERAND_DATE,		/* SP date */
	OPERAND_NUMBER,		/* SP number */
	OPERAND_INTERVAL,	/* SP nz-number */
	OPERAND_SET		/* SP sequence-set */
};

struct key {
	const char *name;
	enum search_key key;
	enum operand operand;
	uint32_t sys;
};

/*
 * search-key = "ALL" / "ANSWERED" / "BCC" SP astring / ... (RFC 3501 section 9)
 * search-key =/ "OLDER" SP nz-number / "YOUNGER" SP nz-number
 *                                                          (RFC 5032 section 3)
 */
static const struct key keys[] = {
	{ "ALL", KEY_ALL, OPERAND_NONE, 0 },
	{ "ANSWERED", KEY_FLAG, OPERAND_NONE, MAILDIR_ANSWERED },
	{ "BCC", KEY_BCC, OPERAND_ASTRING, 0 },
	{ "BEFORE", KEY_BEFORE, OPERAND_DATE, 0 },
	{ "BODY", KEY_BODY, OPERAND_ASTRING, 0 },
	{ "CC", KEY_CC, OPERAND_ASTRING, 0 },
	{ "DELETED", KEY_FLAG, OPERAND_NONE, MAILDIR_DELETED },
	{ "DRAFT", KEY_FLAG, OPERAND_NONE, MAILDIR_DRAFT },
	{ "FLAGGED", KEY_FLAG, OPERAND_NONE, MAILDIR_FLAGGED },
	{ "FROM", KEY_FROM, OPERAND_ASTRING, 0 },
	{ "HEADER", KEY_HEADER, OPERAND_HEADER, 0 },
	{ "KEYWORD", KEY_KEYWORD, OPERAND_ATOM, 0 },
	{ "LARGER", KEY_LARGER, OPERAND_NUMBER, 0 },
	{ "NEW", KEY_NEW, OPERAND_NONE, 0 },
	{ "OLD", KEY_OLD, OPERAND_NONE, 0 },
	{ "OLDER", KEY_OLDER, OPERAND_INTERVAL, 0 },
	{ "ON", KEY_ON, OPERAND_DATE, 0 },
	{ "RECENT", KEY_RECENT, OPERAND_NONE, 0 },
	{ "SEEN", KEY_FLAG, OPERAND_NONE, MAILDIR_SEEN },
	{ "SENTBEFORE", KEY_SENTBEFORE, OPERAND_DATE, 0 },
	{ "SENTON", KEY_SENTON, OPERAND_DATE, 0 },
	{ "SENTSINCE", KEY_SENTSINCE, OPERAND_DATE, 0 },
	{ "SINCE", KEY_SINCE, OPERAND_DATE, 0 },
	{ "SMALLER", KEY_SMALLER, OPERAND_NUMBER, 0 },
	{ "SUBJECT", KEY_SUBJECT, OPERAND_ASTRING, 0 },
	{ "TEXT", KEY_TEXT, OPERAND_ASTRING, 0 },
	{ "TO", KEY_TO, OPERAND_ASTRING, 0 },
	{ "UID", KEY_UID, OPERAND_SET, 0 },
	{ "UNANSWERED", KEY_UNFLAG, OPERAND_NONE, MAILDIR_ANSWERED },
	{ "UNDELETED", KEY_UNFLAG, OPERAND_NONE, MAILDIR_DELETED },
	{ "UNDRAFT", KEY_UNFLAG, OPERAND_NONE, MAILDIR_DRAFT },
	{ "UNFLAGGED", KEY_UNFLAG, OPERAND_NONE, MAILDIR_FLAGGED },
	{ "UNKEYWORD", KEY_UNKEYWORD, OPERAND_ATOM, 0 },
	{ "UNSEEN", KEY_UNFLAG, OPERAND_NONE, MAILDIR_SEEN },
	{ "YOUNGER", KEY_YOUNGER, OPERAND_INTERVAL, 0 }
};

/*
 * date      = date-text / DQUOTE date-text DQUOTE          (RFC 3501 section 9)
 */
static int ERR_CHECK
date(struct lex *lx, int64_t *ret)
{
	size_t start = lx->at;
	struct span s;
	int err = is_lex_at(lx, '"') ? lex_string(lx, &s) : lex_word(lx, &s);

	if (err != 0)
		return err;
	if (imapdate_day(s, ret) != 0) {
		lx->at = start;
		return lex_bad(lx, "Malformed date");
	}
	return 0;
}

/* SP header-fld-name SP astring, behind the first SP */
static int ERR_CHECK
header_operand(struct lex *lx, struct search_node *node)
{
	int err;

	if ((err = lex_astring(lx, &node->field)) != 0 ||
	    (err = lex_sp(lx)) != 0)
		return err;
	return lex_astring(lx, &node->text);
}

static int ERR_CHECK
operand(struct lex *lx, enum operand what, struct search_node *node)
{
	int err = what == OPERAND_NONE ? 0 : lex_sp(lx);

	if (err != 0)
		return err;
	switch (what) {
	case OPERAND_NONE:
		return 0;
	case OPERAND_ASTRING:
		return lex_astring(lx, &node->text);
	case OPERAND_HEADER:
		return header_operand(lx, node);
	case OPERAND_ATOM:
		return lex_atom(lx, &node->text);
	case OPERAND_DATE:
		return date(lx, &node->day);
	case OPERAND_NUMBER:
		return lex_number(lx, INT64_MAX, &node->number);
	case OPERAND_INTERVAL:
		return lex_nz_number(lx, UINT32_MAX, &node->number);
	case OPERAND_SET:
		return lex_sequence_set(lx, &node->set);
	}
	return lex_bad(lx, "Unknown search key");
}

static struct search_node *
node_new(struct lex *lx, enum search_key key)
{
	struct search_node *node = ARENA_NEW(lx->arena, struct search_node);

	node->key = key;
	return node;
}

/* A key that begins with its name. */
static int ERR_CHECK
named_key(struct lex *lx, struct search_node **ret)
{
	size_t start = lx->at;
	struct span word;
	int err = lex_word(lx, &word);

	if (err != 0)
		return err;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!is_span_ieq(word, span_str(keys[i].name)))
			continue;
		*ret = node_new(lx, keys[i].key);
		(*ret)->sys = keys[i].sys;
		return operand(lx, keys[i].operand, *ret);
	}
	lx->at = start;
	return lex_bad(lx, "Unknown search key");
}

/* search-key =/ sequence-set */
static int ERR_CHECK
set_key(struct lex *lx, struct search_node **ret)
{
	*ret = node_new(lx, KEY_SEQ);
	return lex_sequence_set(lx, &(*ret)->set);
}

static int search_key(struct lex *lx, struct search_node **ret) ERR_CHECK;

/* search-key =/ "OR" SP search-key SP search-key */
static int ERR_CHECK
or_key(struct lex *lx, struct search_node **ret)
{
	struct search_node *node = node_new(lx, KEY_OR);
	struct search_node **tail = &node->child;
	int err;

	while (is_lex_word(lx, "OR")) {
		lex_skip(lx, 2);
		if ((err = lex_sp(lx)) != 0 ||
		    (err = search_key(lx, tail)) != 0 ||
		    (err = lex_sp(lx)) != 0)
			return err;
		tail = &(*tail)->next;
	}
	*ret = node;
	return search_key(lx, tail);
}

/* Appends to the list whose end arg is. */
static int
group_item(struct lex *lx, void *arg)
{
	struct search_node ***tail = arg;
	int err = search_key(lx, *tail);

	if (err == 0)
		*tail = &(**tail)->next;
	return err;
}

/* search-key =/ "(" search-key *(SP search-key) ")" */
static int ERR_CHECK
group_key(struct lex *lx, struct search_node **ret)
{
	struct search_node *node = node_new(lx, KEY_AND);
	struct search_node **tail = &node->child;
	int err = lex_list1(lx, group_item, &tail);

	if (err != 0)
		return err;
	*ret = node->child->next == NULL ? node->child : node;
	return 0;
}

/* search-key =/ "NOT" SP search-key; and all the others */
static int
search_key(struct lex *lx, struct search_node **ret)
{
	struct search_node *node = NULL, *not;
	bool is_not = false;
	int err;

	while (is_lex_word(lx, "NOT")) {
		lex_skip(lx, 3);
		err = lex_sp(lx);
		if (err != 0)
			return err;
		is_not = !is_not;
	}
	if (++lx->depth > PARSE_DEPTH_MAX)
		return lex_bad(lx, "Search keys nested too deep");
	if (is_lex_at(lx, '('))
		err = group_key(lx, &node);
	else if (is_lex_word(lx, "OR"))
		err = or_key(lx, &node);
	else if (is_lex_digit(lx) || is_lex_at(lx, '*') || is_lex_at(lx, '$'))
		err = set_key(lx, &node);
	else
		err = named_key(lx, &node);
	lx->depth--;
	if (err != 0)
		return err;
	if (is_not) {
		not = node_new(lx, KEY_NOT);
		not->child = node;
		node = not;
	}
	*ret = node;
	return 0;
}

/*
 * search-return-opt = "MIN" / "MAX" / "ALL" / "COUNT"      (RFC 4731 section 3)
 * search-return-opt =/ "SAVE"                              (RFC 5182 section 3)
 */
static int
search_return_opt(struct lex *lx, void *arg)
{
	static const struct lex_bit table[] = {
		{ "MIN", SEARCH_RETURN_MIN }, { "MAX", SEARCH_RETURN_MAX },
		{ "ALL", SEARCH_RETURN_ALL }, { "COUNT", SEARCH_RETURN_COUNT },
		{ "SAVE", SEARCH_RETURN_SAVE }, { NULL, 0 }
	};

	return lex_bit(lx, table, "Unknown SEARCH return option", arg);
}

/*
 * search-return-opts = SP "RETURN" SP "(" [search-return-opt
 *                      *(SP search-return-opt)] ")"        (RFC 4466 section 6)
 * An empty list means ALL (RFC 4731 3.1).
 */
int
parse_search_return(struct lex *lx, struct search_args *args)
{
	int err;

	lex_skip(lx, 6);
	args->has_return = true;
	if ((err = lex_sp(lx)) != 0 ||
	    (err = lex_list(lx, search_return_opt, &args->want)) != 0)
		return err;
	if (args->want == 0)
		args->want = SEARCH_RETURN_ALL;
	return lex_sp(lx);
}

int
parse_search_keys(struct lex *lx, struct search_args *args)
{
	struct search_node **tail;
	int err;

	args->root = node_new(lx, KEY_AND);
	tail = &args->root->child;
	for (;;) {
		err = group_item(lx, &tail);
		if (err != 0 || is_lex_blank(lx))
			return err;
		err = lex_sp(lx);
		if (err != 0)
			return err;
	}
}

/*
 * search         = "SEARCH" [search-return-opts] SP search-program
 * search-program = ["CHARSET" SP charset SP] search-key *(SP search-key)
 *                                                          (RFC 4466 section 6)
 */
int
parse_search(struct lex *lx, struct command *cmd)
{
	struct search_args *args = &cmd->u.search;
	int err = lex_sp(lx);

	if (err == 0 && is_lex_word(lx, "RETURN"))
		err = parse_search_return(lx, args);
	if (err == 0 && is_lex_word(lx, "CHARSET")) {
		lex_skip(lx, 7);
		if ((err = lex_sp(lx)) != 0 ||
		    (err = lex_astring(lx, &args->charset)) != 0)
			return err;
		err = lex_sp(lx);
	}
	return err != 0 ? err : parse_search_keys(lx, args);
}
