/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * thread_tree.h: private to thread.c and thread_tree.c: messages and dummies
 * under one root, and who is whose child.
 *
 * A node is a number: TREE_ROOT; 1 to nmsg are the messages, in the order of
 * the mailbox; what is above nmsg are dummies.  Until tree_build() only parents
 * are known: the order of siblings is always that of a date, so that no list of
 * them has to be kept, and none has to be sorted.
 */
#ifndef IMAPD_MAILBOX_THREAD_TREE_H
#define IMAPD_MAILBOX_THREAD_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"
#include "imapd/mailbox/thread.h"

#define TREE_ROOT	0u

struct tree_msg {
	int64_t date;		/* sent date (RFC 5256 2.2) */
	uint32_t subject;	/* number of its base subject; 0: empty */
	uint32_t num;		/* what it is called */
	bool is_reply;		/* or a forward */
};

struct tree {
	VEC(struct tree_msg) msg;	/* message i is msg.v[i - 1] */
	VEC(int64_t) arrival;		/* the same; only for REFS */
	VEC(uint32_t) parent;		/* by node, from TREE_ROOT on */
	uint32_t *order;		/* the messages by sent date */
	uint32_t *first;		/* by dummy, from msg.n + 1 on: its
					 * first child */
	uint32_t *child, *next;		/* by node; 0: none */
};

/* tree_new_dummy(t): a dummy under the root.  All messages are there. */
uint32_t tree_new_dummy(struct tree *t);

/* Messages are numbers up to msg.n. */
static inline bool
is_tree_dummy(const struct tree *t, uint32_t node)
{
	return node > t->msg.n;
}

/* tree_sort(t): the messages into the order of their sent dates. */
void tree_sort(struct tree *t);

/* tree_by_subject(t, nsubject): ORDEREDSUBJECT; messages have so many different
 * subjects. */
void tree_by_subject(struct tree *t, uint32_t nsubject);

/* tree_merge_subjects(t, nsubject): steps 4 and 5 of REFERENCES; subjects are
 * numbers below nsubject. */
void tree_merge_subjects(struct tree *t, uint32_t nsubject);

/* tree_build(t, by_arrival): step 6: child and next from parent.  by_arrival:
 * the threads come in the order of their most recent INTERNALDATE. */
void tree_build(struct tree *t, bool by_arrival);

void tree_walk(const struct tree *t, thread_visit *visit, void *arg);
void tree_done(struct tree *t);

#endif
