/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * cmd_search.h: a search as the first half of SORT and THREAD.
 */
#ifndef IMAPD_COMMAND_CMD_SEARCH_H
#define IMAPD_COMMAND_CMD_SEARCH_H

#include <stdbool.h>

#include "base/err.h"
#include "base/vec.h"
#include "imapd/command/session_state.h"
#include "imapd/mailbox/search.h"
#include "imapd/wire/command.h"

struct search_result {
	VEC(struct mailbox_msg) found;	/* as they are to be told */
	bool is_uid;			/* by UID */
	/* Mod-sequences of what was found, if MODSEQ was searched for, else 0:
	 * the first, the last, the highest. */
	uint64_t first_modseq, last_modseq, highest_modseq;
};

/* Called for each message that is found, in the order of the mailbox; the view
 * may be set to it already. */
typedef void search_found(void *arg, const struct mailbox_msg *msg);

/*
 * search_run(s, cmd, args, se, found, arg, res): search, showing signs of life
 * to the client (RFC 9585).  found may be NULL.  An error is why the session
 * cannot go on.
 */
int search_run(struct session *s, const struct command *cmd,
    const struct search_args *args, struct search *se, search_found *found,
    void *arg, struct search_result *res) ERR_CHECK;

/*
 * search_put(s, cmd, args, name, res): "* SEARCH 2 84 882", or what RETURN asks
 * for: "* ESEARCH ...", the first of res being MIN and the last MAX (RFC 5267
 * 3.1); and SAVE.
 */
void search_put(struct session *s, const struct command *cmd,
    const struct search_args *args, const char *name,
    const struct search_result *res);

/* search_refuse(s, cmd, args, err): the tagged answer for an error of
 * search_new(). */
int search_refuse(struct session *s, const struct command *cmd,
    const struct search_args *args, int err) ERR_CHECK;

/* search_end(s, cmd, any_gone): the tagged OK. */
int search_end(struct session *s, const struct command *cmd, bool any_gone)
    ERR_CHECK;

#endif
