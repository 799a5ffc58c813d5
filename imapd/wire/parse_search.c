/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * SEARCH: the keys as a tree.
 *
 * NOT NOT x is x, (x) is x, and OR a OR b c is one node with three operands:
 * the long chains that clients make are no deeper than what they mean.
 *
 * What is nested is kept in frames in the arena, not on the stack: programs are
 * made by programs, and the one limit that they meet is that of the command's
 * length.
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
	OPERAND_SET,		/* SP sequence-set */
	OPERAND_OBJECTID,	/* SP objectid */
	OPERAND_MODSEQ		/* [SP entry-name SP entry-type-req]
				 * SP mod-sequence-valzer */
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
 * search-key =/ search-modsequence                         (RFC 7162 section 7)
 * search-key =/ "SAVEDBEFORE" SP date / "SAVEDON" SP date /
 *               "SAVEDSINCE" SP date / "SAVEDATESUPPORTED" (RFC 8514 section 5)
 * search-key =/ "EMAILID" SP objectid / "THREADID" SP objectid
 *                                                          (RFC 8474 section 7)
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
	{ "EMAILID", KEY_EMAILID, OPERAND_OBJECTID, 0 },
	{ "FROM", KEY_FROM, OPERAND_ASTRING, 0 },
	{ "HEADER", KEY_HEADER, OPERAND_HEADER, 0 },
	{ "KEYWORD", KEY_KEYWORD, OPERAND_ATOM, 0 },
	{ "LARGER", KEY_LARGER, OPERAND_NUMBER, 0 },
	{ "MODSEQ", KEY_MODSEQ, OPERAND_MODSEQ, 0 },
	{ "NEW", KEY_NEW, OPERAND_NONE, 0 },
	{ "OLD", KEY_OLD, OPERAND_NONE, 0 },
	{ "OLDER", KEY_OLDER, OPERAND_INTERVAL, 0 },
	{ "ON", KEY_ON, OPERAND_DATE, 0 },
	{ "RECENT", KEY_RECENT, OPERAND_NONE, 0 },
	{ "SAVEDATESUPPORTED", KEY_SAVEDATESUPPORTED, OPERAND_NONE, 0 },
	{ "SAVEDBEFORE", KEY_SAVEDBEFORE, OPERAND_DATE, 0 },
	{ "SAVEDON", KEY_SAVEDON, OPERAND_DATE, 0 },
	{ "SAVEDSINCE", KEY_SAVEDSINCE, OPERAND_DATE, 0 },
	{ "SEEN", KEY_FLAG, OPERAND_NONE, MAILDIR_SEEN },
	{ "SENTBEFORE", KEY_SENTBEFORE, OPERAND_DATE, 0 },
	{ "SENTON", KEY_SENTON, OPERAND_DATE, 0 },
	{ "SENTSINCE", KEY_SENTSINCE, OPERAND_DATE, 0 },
	{ "SINCE", KEY_SINCE, OPERAND_DATE, 0 },
	{ "SMALLER", KEY_SMALLER, OPERAND_NUMBER, 0 },
	{ "SUBJECT", KEY_SUBJECT, OPERAND_ASTRING, 0 },
	{ "TEXT", KEY_TEXT, OPERAND_ASTRING, 0 },
	{ "THREADID", KEY_THREADID, OPERAND_OBJECTID, 0 },
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

/*
 * objectid = 1*255(ALPHA / DIGIT / "_" / "-")              (RFC 8474 section 7)
 */
static int ERR_CHECK
objectid(struct lex *lx, struct span *ret)
{
	size_t start = lx->at;
	int err = lex_atom(lx, ret);
	bool is_fit = err == 0 && ret->n <= 255;

	for (size_t i = 0; is_fit && i < ret->n; i++)
		is_fit = is_alpha(ret->p[i]) || is_digit(ret->p[i]) ||
		    ret->p[i] == '_' || ret->p[i] == '-';
	if (err != 0 || is_fit)
		return err;
	lx->at = start;
	return lex_bad(lx, "Malformed object identifier");
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

/*
 * search-modsequence  = "MODSEQ" [search-modseq-ext] SP mod-sequence-valzer
 * search-modseq-ext   = SP entry-name SP entry-type-req    (RFC 7162 section 7)
 * entry-name          = entry-flag-name
 * entry-flag-name     = DQUOTE "/flags/" attr-flag DQUOTE
 * entry-type-req      = "priv" / "shared" / "all"          (RFC 4551 section 4)
 *
 * There is one mod-sequence for all of a message: which entry is meant must
 * then be ignored (RFC 7162 3.1.5).
 */
static int ERR_CHECK
modseq_operand(struct lex *lx, struct search_node *node)
{
	struct span entry;
	size_t start = lx->at;
	int err;

	if (is_lex_at(lx, '"')) {
		if ((err = lex_string(lx, &entry)) != 0)
			return err;
		if (!has_iprefix(entry, SPAN("/flags/"))) {
			lx->at = start;
			return lex_bad(lx, "Unknown metadata entry");
		}
		if ((err = lex_sp(lx)) != 0)
			return err;
		if (!is_lex_word(lx, "priv") && !is_lex_word(lx, "shared") &&
		    !is_lex_word(lx, "all"))
			return lex_bad(lx, "Unknown type of a metadata entry");
		if ((err = lex_word(lx, &entry)) != 0 ||
		    (err = lex_sp(lx)) != 0)
			return err;
	}
	return lex_number(lx, INT64_MAX, &node->number);
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
	case OPERAND_OBJECTID:
		return objectid(lx, &node->text);
	case OPERAND_DATE:
		return date(lx, &node->day);
	case OPERAND_NUMBER:
		return lex_number(lx, INT64_MAX, &node->number);
	case OPERAND_INTERVAL:
		return lex_nz_number(lx, UINT32_MAX, &node->number);
	case OPERAND_SET:
		return lex_sequence_set(lx, &node->set);
	case OPERAND_MODSEQ:
		return modseq_operand(lx, node);
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
		if (keys[i].sys != 0)
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

/* ---- nesting --------------------------------------------------------- */

/* What is open: the whole program, a "(" or an OR. */
struct frame {
	struct frame *up;
	struct search_node *node;	/* AND or OR */
	struct search_node **tail;	/* where the next operand goes */
	bool is_not;			/* NOT stood before it */
	uint32_t missing;		/* OR: operands still to come */
};

static struct frame *
frame_open(struct lex *lx, struct frame *up, enum search_key key, bool is_not)
{
	struct frame *f = ARENA_NEW(lx->arena, struct frame);

	f->up = up;
	f->node = node_new(lx, key);
	f->tail = &f->node->child;
	f->is_not = is_not;
	f->missing = key == KEY_OR ? 2 : 0;
	return f;
}

/* node, or NOT node, is the next operand of what is open. */
static void
frame_add(struct lex *lx, struct frame *f, struct search_node *node,
    bool is_not)
{
	struct search_node *not;

	if (is_not) {
		not = node_new(lx, KEY_NOT);
		not->child = node;
		node->parent = not;
		node = not;
	}
	node->parent = f->node;
	*f->tail = node;
	f->tail = &node->next;
	if (f->node->key == KEY_OR)
		f->missing--;
}

/* The frame is complete: an operand of the one above. */
static struct frame *
frame_close(struct lex *lx, struct frame *f)
{
	struct search_node *node = f->node;

	if (node->key == KEY_AND && node->child->next == NULL)
		node = node->child;	/* (x) is x */
	frame_add(lx, f->up, node, f->is_not);
	return f->up;
}

/*
 * search-key =/ "NOT" SP search-key
 * search-key =/ "OR" SP search-key SP search-key
 * search-key =/ "(" search-key *(SP search-key) ")"
 *
 * As far as the next key that has no key inside, and that.
 */
static int ERR_CHECK
next_key(struct lex *lx, struct frame **top)
{
	struct search_node *node = NULL;
	bool is_not = false;
	int err;

	for (;;) {
		if (is_lex_word(lx, "NOT")) {
			lex_skip(lx, 3);
			if ((err = lex_sp(lx)) != 0)
				return err;
			is_not = !is_not;
		} else if (is_lex_word(lx, "OR")) {
			lex_skip(lx, 2);
			if ((err = lex_sp(lx)) != 0)
				return err;
			if ((*top)->node->key == KEY_OR && !is_not)
				(*top)->missing++;	/* two in place of
							 * one */
			else
				*top = frame_open(lx, *top, KEY_OR, is_not);
			is_not = false;
		} else if (is_lex_at(lx, '(')) {
			lex_skip(lx, 1);
			*top = frame_open(lx, *top, KEY_AND, is_not);
			is_not = false;
		} else {
			break;
		}
	}
	if (is_lex_digit(lx) || is_lex_at(lx, '*') || is_lex_at(lx, '$'))
		err = set_key(lx, &node);
	else
		err = named_key(lx, &node);
	if (err == 0)
		frame_add(lx, *top, node, is_not);
	return err;
}

/*
 * Behind a key: close what it completes.  *ret_end: it was the last one.
 */
static int ERR_CHECK
close_frames(struct lex *lx, struct frame **top, bool *ret_end)
{
	struct frame *f = *top;

	while (f->up != NULL) {
		bool has_blank = is_lex_at(lx, ' ');

		if (f->node->key == KEY_OR) {
			if (f->missing > 0)
				break;
			f = frame_close(lx, f);
			continue;
		}
		while (is_lex_at(lx, ' '))
			lex_skip(lx, 1);
		*top = f;
		if (!is_lex_at(lx, ')'))
			return has_blank ? 0 : lex_bad(lx, "Expected a space "
			    "or a closing parenthesis");
		lex_skip(lx, 1);
		f = frame_close(lx, f);
	}
	*top = f;
	*ret_end = f->up == NULL && is_lex_blank(lx);
	return *ret_end ? 0 : lex_sp(lx);
}

/* What has to be known of a program before it runs. */
static void
note_keys(struct search_args *args)
{
	const struct search_node *node = args->root;

	while (node != NULL) {
		if (node->key == KEY_MODSEQ)
			args->has_modseq = true;
		if (node->key == KEY_SEQ && !node->set.is_saved)
			args->has_numbers = true;
		if (node->child != NULL) {
			node = node->child;
			continue;
		}
		while (node != NULL && node->next == NULL)
			node = node->parent;
		if (node != NULL)
			node = node->next;
	}
}

/* search-key *(SP search-key) */
int
parse_search_keys(struct lex *lx, struct search_args *args)
{
	struct frame *top = frame_open(lx, NULL, KEY_AND, false);
	bool is_end = false;
	int err = 0;

	args->root = top->node;
	while (err == 0 && !is_end) {
		err = next_key(lx, &top);
		if (err == 0)
			err = close_frames(lx, &top, &is_end);
	}
	if (err == 0)
		note_keys(args);
	return err;
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
