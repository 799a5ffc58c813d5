/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * list_nodes.h: mailboxes, their parents and subscriptions as one sorted list,
 * for LIST and LSUB.
 */
#ifndef IMAPD_COMMAND_LIST_NODES_H
#define IMAPD_COMMAND_LIST_NODES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "imapd/command/session_state.h"
#include "maildir/maildir.h"

enum {
	NODE_IN_STORE = 1,	/* a mailbox, or a parent of one */
	NODE_MAILBOX = 2,	/* can be selected */
	NODE_CHILDREN = 4,
	NODE_SUBSCRIBED = 8,
	/* set by cmd_list.c: */
	NODE_SELECTED = 16,	/* meets the selection options */
	NODE_MATCHED = 32,	/* its name matches a pattern */
	NODE_CHILD_SELECTED = 64,	/* a descendant is NODE_SELECTED */
	NODE_CHILD_HIDDEN = 128	/* ... and does not match any pattern */
};

struct list_node {
	struct maildir_path path;
	struct span name;	/* on the wire */
	uint32_t flags;
	unsigned roles;		/* set of 1 << enum special_role */
};

/*
 * list_nodes(s, with_store, with_subs, ret, ret_n): in the command's arena,
 * sorted so that a parent stands before its children.  Every parent of a
 * subscribed name has a node, with flags 0 if there is nothing else to say of
 * it.  Names that cannot be spelled to this client are left out.
 */
int list_nodes(struct session *s, bool with_store, bool with_subs,
    struct list_node **ret, size_t *ret_n) ERR_CHECK;

/* is_node_below(a, b): b is a descendant of a. */
bool is_node_below(const struct list_node *a, const struct list_node *b);

#endif
