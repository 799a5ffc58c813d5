/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * search_program.h: a compiled search program; for imapd/mailbox/search*.c.
 */
#ifndef IMAPD_MAILBOX_SEARCH_PROGRAM_H
#define IMAPD_MAILBOX_SEARCH_PROGRAM_H

#include "base/arena.h"
#include "base/err.h"
#include "message/text.h"
#include "maildir/maildir.h"
#include "imapd/mailbox/mailbox.h"
#include "imapd/mailbox/search.h"
#include "imapd/mailbox/searchtext.h"
#include "imapd/mailbox/sentday.h"
#include "imapd/wire/command.h"

enum search_cost {
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

struct search_test {
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
	struct search_test *test;
	uint32_t ntest;
	uint8_t cost;		/* of the dearest */
	unsigned mask;		/* system flags that decide: every match ... */
	unsigned sys;		/* has these of them, and lacks the others */
	struct span charset;
	int64_t now;
	struct searchtext st;
	struct sentday sent;
	size_t at;		/* the store's number of the message that is
				 * likely next (has_mailbox_record()) */
	size_t next;		/* ... and that of the next one that flags
				 * do not rule out, if it is at least at */
	/* of the message at hand: */
	uint32_t seq;
	struct maildir_msg msg;
	bool any_gone;
	bool has_modseq;	/* a key is MODSEQ */
};

/*
 * search_compile(se, root): make the tests of se, in its arena, from the keys
 * at root, which are put into a better order and whose sets are used up.
 * Errors as search_new().
 */
int search_compile(struct search *se, struct search_node *root) ERR_CHECK;

#endif
