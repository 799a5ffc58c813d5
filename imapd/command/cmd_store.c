/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * cmd_store.c: STORE and UID STORE (RFC 3501 6.4.6).
 */
#include "imapd/command/answer.h"
#include "imapd/command/commands.h"

/*
 * The flags as the store knows them.  A keyword is made when it is first set; to
 * remove one that nobody has is nothing to do.  ERR_LIMIT: no room for another.
 */
static int
to_flags(struct maildir *md, const struct store_args *args,
    struct maildir_flags *ret)
{
	struct maildir_flags flags = { args->flags.sys, 0 };
	bool is_removal = args->op == MAILDIR_REMOVE;

	for (size_t k = 0; k < args->flags.keywords.n; k++) {
		size_t i;
		int err = maildir_keyword(md, args->flags.keywords.v[k],
		    !is_removal, &i);

		if (err == ERR_NOENT && is_removal)
			continue;
		if (err != 0)
			return err;
		flags.kw |= UINT64_C(1) << i;
	}
	*ret = flags;
	return 0;
}

static int
change(struct session *s, const struct store_args *args,
    const struct mailbox_msg *msgs, size_t n)
{
	struct maildir *md = mailbox_store(s->mailbox);
	uint32_t *uids = arena_array(s->arena, n, sizeof(*uids));
	struct maildir_flags flags;
	size_t done = 0;
	int err;

	err = to_flags(md, args, &flags);
	if (err != 0)
		return err;
	for (size_t i = 0; i < n; i++)
		uids[i] = msgs[i].uid;
	err = maildir_store_flags(md, uids, n, args->op, &flags, &done);
	/* The client hears of each, also of one that was so already; with
	 * .SILENT only of what others changed. */
	for (size_t i = 0; i < done && !args->is_silent; i++)
		mailbox_changed(s->mailbox, uids[i]);
	return err;
}

int
cmd_store(struct session *s, const struct command *cmd)
{
	const struct store_args *args = &cmd->u.store;
	struct seqset set = args->set;
	struct mailbox_msg *msgs;
	size_t n;
	int err;

	err = mailbox_resolve(s->mailbox, &set, cmd->is_uid, s->arena, &msgs,
	    &n);
	if (err != 0)
		return answer_bad(s, cmd, "No such sequence number.");
	if (is_mailbox_readonly(s->mailbox))
		return answer_no(s, cmd, "READ-ONLY",
		    "The mailbox is open for reading only.");
	err = n == 0 ? 0 : change(s, args, msgs, n);
	if (err == ERR_LIMIT)
		return answer_no(s, cmd, "LIMIT",
		    "The mailbox can hold no more keywords.");
	return err == 0 ? answer_done(s, cmd) : answer_err(s, cmd, err);
}
