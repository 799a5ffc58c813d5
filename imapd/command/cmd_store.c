/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * cmd_store.c: STORE and UID STORE (RFC 3501 6.4.6).
 */
#include "imapd/command/answer.h"
#include "imapd/command/commands.h"
#include "imapd/command/progress.h"

/*
 * The flags as the store knows them.  A keyword is made when it is first set;
 * to remove one that nobody has is nothing to do.  ERR_LIMIT: no room for
 * another.
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

/* What a change makes of flags. */
static struct maildir_flags
changed(int op, struct maildir_flags old, struct maildir_flags flags)
{
	switch (op) {
	case MAILDIR_ADD:
		return (struct maildir_flags){ old.sys | flags.sys,
		    old.kw | flags.kw };
	case MAILDIR_REMOVE:
		return (struct maildir_flags){ old.sys & ~flags.sys,
		    old.kw & ~flags.kw };
	default:
		return flags;
	}
}

static bool
is_same_flags(struct maildir_flags a, struct maildir_flags b)
{
	return a.sys == b.sys && a.kw == b.kw;
}

/* The flags of a message as the store has them now; none if it is gone. */
static struct maildir_flags
flags_of(struct maildir *md, uint32_t uid)
{
	size_t i = maildir_find(md, uid);
	struct maildir_msg msg;

	if (i >= maildir_count(md))
		return (struct maildir_flags){ 0, 0 };
	maildir_get(md, i, &msg);
	return msg.flags;
}

/*
 * The client hears of each message, also of one that was so already.  With
 * .SILENT it is spared what it knows: but where somebody else changed the same
 * message at the same time the outcome is not what it expects (RFC 3501 6.4.6).
 */
static int
change(struct session *s, const struct command *cmd,
    const struct mailbox_msg *msgs, size_t n)
{
	const struct store_args *args = &cmd->u.store;
	struct maildir *md = mailbox_store(s->mailbox);
	uint32_t *uids = arena_array(s->arena, n, sizeof(*uids));
	struct maildir_flags *want = arena_array(s->arena,
	    args->is_silent ? n : 0, sizeof(*want));
	struct maildir_flags flags;
	struct progress progress;
	size_t done = 0;
	int err;

	err = to_flags(md, args, &flags);
	if (err != 0)
		return err;
	for (size_t i = 0; i < n; i++) {
		uids[i] = msgs[i].uid;
		if (args->is_silent)
			want[i] = changed(args->op, flags_of(md, uids[i]),
			    flags);
	}
	progress_start(&progress, s, cmd, n);
	progress_begin_store(&progress);
	err = maildir_store_flags(md, uids, n,
	    (enum maildir_store_op)args->op, &flags, &done);
	progress_end_store(&progress);
	for (size_t i = 0; i < done; i++)
		if (!args->is_silent ||
		    !is_same_flags(want[i], flags_of(md, uids[i])))
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
	if (args->flags.has_long && args->op != MAILDIR_REMOVE)
		return answer_no(s, cmd, "LIMIT", "The keyword is too long.");
	err = n == 0 ? 0 : change(s, cmd, msgs, n);
	if (err == ERR_LIMIT)
		return answer_no(s, cmd, "LIMIT",
		    "The mailbox can hold no more keywords.");
	return err == 0 ? answer_done(s, cmd) : answer_err(s, cmd, err);
}
