/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * cmd_list.c: LIST with its extensions (RFC 5258, 5819, 6154, 3348), LSUB and
 * XLIST.
 *
 * All forms are one: a list of nodes, each of which either meets the selection
 * options or not, matches a pattern or not, and has descendants that do.  LSUB
 * is LIST (SUBSCRIBED RECURSIVEMATCH) that spells its answer differently.
 */
#include "base/utf8.h"
#include "imapd/command/answer.h"
#include "imapd/command/cmd_status.h"
#include "imapd/command/commands.h"
#include "imapd/command/condstore.h"
#include "imapd/command/list_nodes.h"
#include "imapd/command/roles.h"
#include "imapd/mailbox/listmatch.h"
#include "imapd/wire/fmt.h"

#define LIST_PATTERNS_MAX	1000	/* patterns of one command */

struct listing {
	struct session *s;
	const struct command *cmd;
	const struct list_args *args;
	struct spans patterns;		/* with the reference before them */
	struct list_node *node;
	size_t n;
	uint32_t select;
};

/* ---- which nodes ----------------------------------------------------- */

/*
 * RFC 3501 6.3.8: the reference and the pattern make one pattern, by putting
 * the one behind the other.  What is too long to match anything is left out: a
 * long reference must not be copied for each of many patterns.
 */
static void
join_patterns(struct listing *ls)
{
	const struct list_args *args = ls->args;
	struct arena *arena = ls->s->arena;

	ls->patterns.v = arena_array(arena, args->patterns.n,
	    sizeof(struct span));
	for (size_t i = 0; i < args->patterns.n; i++) {
		struct span ref = args->reference, pat = args->patterns.v[i];
		uint8_t *p;

		if (ref.n + pat.n > LISTMATCH_MAX)
			continue;
		p = arena_alloc(arena, ref.n + pat.n + 1);
		if (ref.n > 0)
			memcpy(p, ref.p, ref.n);
		if (pat.n > 0)
			memcpy(p + ref.n, pat.p, pat.n);
		ls->patterns.v[ls->patterns.n++] = span_of(p, ref.n + pat.n);
	}
}

static bool
is_matched(const struct listing *ls, const struct list_node *node)
{
	for (size_t i = 0; i < ls->patterns.n; i++)
		if (is_list_match(ls->patterns.v[i], node->name,
		    ls->s->names.delimiter))
			return true;
	return false;
}

/* What no name can match is not what the client meant: it has forgotten to
 * encode the name, or to enable UTF-8. */
static bool
has_bad_pattern(const struct listing *ls)
{
	const struct list_args *args = ls->args;
	bool (*is_good)(struct span) = ls->s->names.is_utf8 ? is_utf8 :
	    is_ascii;

	for (size_t i = 0; i < args->patterns.n; i++)
		if (!is_good(args->patterns.v[i]))
			return true;
	return !is_good(args->reference);
}

static void
give_roles(struct listing *ls)
{
	for (unsigned role = 0; role < SPECIAL_COUNT; role++) {
		struct span names = roles_names(ls->s->conf, role);
		size_t best = SPECIAL_NONE, at = 0;

		for (size_t i = 0; i < ls->n && names.n > 0; i++) {
			const struct list_node *node = &ls->node[i];
			size_t rank;

			if (node->path.n != 1 ||
			    (node->flags & NODE_MAILBOX) == 0)
				continue;
			rank = special_rank(names, node->path.level[0]);
			if (rank < best) {
				best = rank;
				at = i;
			}
		}
		if (best != SPECIAL_NONE)
			ls->node[at].roles |= 1u << role;
	}
}

static bool
is_selected(const struct listing *ls, const struct list_node *node)
{
	if ((ls->select & LIST_SELECT_SUBSCRIBED) != 0 &&
	    (node->flags & NODE_SUBSCRIBED) == 0)
		return false;
	if ((ls->select & LIST_SELECT_SPECIAL_USE) != 0 && node->roles == 0)
		return false;
	/* Without a selection: what is there (RFC 5258 3). */
	if ((ls->select & (LIST_SELECT_SUBSCRIBED |
	    LIST_SELECT_SPECIAL_USE)) == 0)
		return (node->flags & NODE_IN_STORE) != 0;
	return true;
}

/* Parents come before their children: the open ones are a stack. */
static void
mark_nodes(struct listing *ls)
{
	size_t parent[MAILDIR_LEVELS_MAX], depth = 0;

	for (size_t i = 0; i < ls->n; i++) {
		struct list_node *node = &ls->node[i];

		while (depth > 0 &&
		    !is_node_below(&ls->node[parent[depth - 1]], node))
			depth--;
		if (is_matched(ls, node))
			node->flags |= NODE_MATCHED;
		if (is_selected(ls, node))
			node->flags |= NODE_SELECTED;
		for (size_t k = 0; k < depth; k++) {
			struct list_node *p = &ls->node[parent[k]];

			if ((node->flags & NODE_IN_STORE) != 0)
				p->flags |= NODE_CHILDREN;
			if ((node->flags & NODE_SELECTED) == 0)
				continue;
			p->flags |= NODE_CHILD_SELECTED;
			if ((node->flags & NODE_MATCHED) == 0)
				p->flags |= NODE_CHILD_HIDDEN;
		}
		if (depth < MAILDIR_LEVELS_MAX)
			parent[depth++] = i;
	}
	/* With the prefix everything else is below INBOX. */
	if (ls->s->names.has_prefix && ls->n > 1)
		ls->node[0].flags |= NODE_CHILDREN;
}

/* ---- how they are told ----------------------------------------------- */

struct attributes {
	struct buf *b;
	const char *sep;
};

static void
put_attribute(struct attributes *at, const char *name)
{
	buf_puts(at->b, at->sep);
	buf_puts(at->b, name);
	at->sep = " ";
}

static void
put_attributes(const struct listing *ls, const struct list_node *node,
    struct buf *b)
{
	const struct list_args *args = ls->args;
	struct attributes at = { b, "" };

	/* \NonExistent says \Noselect and more (RFC 5258 3), to those who know
	 * it: who uses the extended form does. */
	if ((node->flags & NODE_MAILBOX) == 0)
		put_attribute(&at, args->is_extended ? "\\NonExistent" :
		    "\\Noselect");
	if ((node->flags & NODE_SUBSCRIBED) != 0 &&
	    ((args->want & LIST_WANT_SUBSCRIBED) != 0 ||
	    (args->select & LIST_SELECT_SUBSCRIBED) != 0))
		put_attribute(&at, "\\Subscribed");
	if ((node->flags & NODE_CHILDREN) != 0)
		put_attribute(&at, "\\HasChildren");
	else if ((node->flags & NODE_IN_STORE) != 0 ||
	    (args->want & LIST_WANT_CHILDREN) != 0)
		put_attribute(&at, "\\HasNoChildren");
	if (args->is_xlist && is_maildir_inbox(&node->path))
		put_attribute(&at, "\\Inbox");
	for (unsigned role = 0; role < SPECIAL_COUNT; role++)
		if ((node->roles & 1u << role) != 0)
			put_attribute(&at, args->is_xlist ?
			    special_xlist(role) : special_attribute(role));
}

static void
put_name(const struct listing *ls, struct buf *b, struct span name)
{
	buf_puts(b, ") ");
	fmt_string(b, span_of(&ls->s->names.delimiter, 1), false);
	buf_putc(b, ' ');
	fmt_mailbox(b, name);
}

/* childinfo-extended-item of RFC 5258 section 6. */
static void
put_childinfo(const struct listing *ls, struct buf *b)
{
	const char *sep = "";

	buf_puts(b, " (\"CHILDINFO\" (");
	if ((ls->select & LIST_SELECT_SUBSCRIBED) != 0) {
		buf_puts(b, "\"SUBSCRIBED\"");
		sep = " ";
	}
	if ((ls->select & LIST_SELECT_SPECIAL_USE) != 0) {
		buf_puts(b, sep);
		buf_puts(b, "\"SPECIAL-USE\"");
	}
	buf_puts(b, "))");
}

/* One that cannot be had is left out (RFC 5819 2): the mailbox may have gone
 * between the two. */
static void
put_status(const struct listing *ls, const struct list_node *node)
{
	int err;

	if ((node->flags & NODE_MAILBOX) == 0)
		return;
	err = status_put(ls->s, &node->path, node->name,
	    ls->args->status_items);
	if (err != 0 && err != ERR_NOENT)
		answer_log(ls->s, ls->cmd, err);
}

static void
tell_list(const struct listing *ls, const struct list_node *node)
{
	bool is_recursive = (ls->select & LIST_SELECT_RECURSIVEMATCH) != 0;
	bool is_hit = (node->flags & NODE_SELECTED) != 0;
	struct buf *b = wire_out_buf(ls->s->out);

	/* A parent that is not asked for itself is told only if it stands for
	 * a child that is not told (RFC 5258 3.5). */
	if ((node->flags & NODE_MATCHED) == 0 || (!is_hit &&
	    (!is_recursive || (node->flags & NODE_CHILD_HIDDEN) == 0)))
		return;
	buf_puts(b, ls->args->is_xlist ? "* XLIST (" : "* LIST (");
	put_attributes(ls, node, b);
	put_name(ls, b, node->name);
	if (is_recursive && (node->flags & NODE_CHILD_SELECTED) != 0)
		put_childinfo(ls, b);
	buf_puts(b, "\r\n");
	wire_out_check(ls->s->out);
	if ((ls->args->want & LIST_WANT_STATUS) != 0)
		put_status(ls, node);
}

/* RFC 3501 6.3.9: \Noselect stands for "not subscribed, but something below is,
 * which your % does not reach". */
static void
tell_lsub(const struct listing *ls, const struct list_node *node)
{
	bool is_hit = (node->flags & NODE_SELECTED) != 0;
	struct buf *b = wire_out_buf(ls->s->out);

	if ((node->flags & NODE_MATCHED) == 0 ||
	    (!is_hit && (node->flags & NODE_CHILD_HIDDEN) == 0))
		return;
	buf_puts(b, is_hit ? "* LSUB (" : "* LSUB (\\Noselect");
	put_name(ls, b, node->name);
	buf_puts(b, "\r\n");
	wire_out_check(ls->s->out);
}

/* LIST "" "": what is the delimiter? (RFC 3501 6.3.8) */
static int
tell_delimiter(struct listing *ls, const struct command *cmd)
{
	struct buf *b = wire_out_buf(ls->s->out);

	buf_puts(b, ls->args->is_xlist ? "* XLIST (\\Noselect" :
	    "* LIST (\\Noselect");
	put_name(ls, b, SPAN_NONE);
	buf_puts(b, "\r\n");
	return answer_done(ls->s, cmd);
}

int
cmd_list(struct session *s, const struct command *cmd)
{
	struct listing ls = { .s = s, .cmd = cmd, .args = &cmd->u.list };
	const struct list_args *args = ls.args;
	bool with_subs = args->is_lsub ||
	    (args->select & LIST_SELECT_SUBSCRIBED) != 0 ||
	    (args->want & LIST_WANT_SUBSCRIBED) != 0;
	int err;

	if (!args->is_lsub && !args->is_extended && args->patterns.n == 1 &&
	    args->patterns.v[0].n == 0)
		return tell_delimiter(&ls, cmd);
	/* As STATUS does (RFC 5819 2). */
	if ((args->status_items & STATUS_HIGHESTMODSEQ) != 0)
		condstore_enable(s);
	if (args->patterns.n > LIST_PATTERNS_MAX)
		return answer_no(s, cmd, "LIMIT", "Too many patterns.");
	if (has_bad_pattern(&ls))
		return answer_bad(s, cmd, "The pattern is not modified UTF-7.");
	ls.select = args->is_lsub ? LIST_SELECT_SUBSCRIBED : args->select;
	join_patterns(&ls);
	err = list_nodes(s, !args->is_lsub, with_subs, &ls.node, &ls.n);
	if (err != 0)
		return answer_err(s, cmd, err);
	if (!args->is_lsub)
		give_roles(&ls);
	mark_nodes(&ls);
	for (size_t i = 0; i < ls.n && wire_out_err(s->out) == 0; i++) {
		if (args->is_lsub)
			tell_lsub(&ls, &ls.node[i]);
		else
			tell_list(&ls, &ls.node[i]);
	}
	return answer_done(s, cmd);
}
