/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * cmd_expunge.c: EXPUNGE (RFC 3501 6.4.3), UID EXPUNGE (RFC 4315 2.1).
 */
#include "imapd/command/cmd_expunge.h"
#include "imapd/command/answer.h"
#include "imapd/command/commands.h"
#include "imapd/command/progress.h"

/* Message number i of the store is marked. */
static bool
is_deleted(struct maildir *md, size_t i, uint32_t *ret_uid)
{
	struct maildir_msg msg;

	maildir_get(md, i, &msg);
	*ret_uid = msg.uid;
	return (msg.flags.sys & MAILDIR_DELETED) != 0;
}

/* The marked ones among msgs. */
static size_t
choose(struct maildir *md, const struct mailbox_msg *msgs, size_t n,
    uint32_t *uids)
{
	size_t chosen = 0;

	for (size_t k = 0; k < n; k++) {
		size_t i = maildir_find(md, msgs[k].uid);
		uint32_t uid;

		if (i < maildir_count(md) && is_deleted(md, i, &uid) &&
		    uid == msgs[k].uid)
			uids[chosen++] = uid;
	}
	return chosen;
}

/* The marked ones among all the client knows of: what arrived meanwhile is not
 * its to remove. */
static size_t
choose_all(struct mailbox *mb, uint32_t *uids)
{
	struct maildir *md = mailbox_store(mb);
	uint32_t count = mailbox_count(mb);
	uint32_t last = count == 0 ? 0 : mailbox_uid(mb, count);
	size_t chosen = 0;

	for (size_t i = 0; i < maildir_count(md); i++) {
		uint32_t uid;
		bool is_chosen = is_deleted(md, i, &uid);

		if (uid > last)
			break;
		if (is_chosen)
			uids[chosen++] = uid;
	}
	return chosen;
}

int
expunge_deleted(struct session *s, const struct command *cmd,
    const struct mailbox_msg *msgs, size_t n)
{
	struct mailbox *mb = s->mailbox;
	struct maildir *md = mailbox_store(mb);
	struct progress progress;
	size_t chosen, done = 0;
	uint32_t *uids;
	int err;

	/* A mark that another session took back a moment ago counts. */
	err = mailbox_sync(mb);
	if (err != 0)
		return err;
	uids = arena_array(s->arena, msgs == NULL ? maildir_count(md) : n,
	    sizeof(*uids));
	chosen = msgs == NULL ? choose_all(mb, uids) :
	    choose(md, msgs, n, uids);
	if (chosen == 0)
		return 0;
	progress_start(&progress, s, cmd, chosen);
	progress_begin_store(&progress);
	err = maildir_expunge(md, uids, chosen, &done);
	progress_end_store(&progress);
	for (size_t i = 0; i < done; i++)
		mailbox_expunged(mb, uids[i]);
	s->stats.expunged += done;
	return err;
}

int
cmd_expunge(struct session *s, const struct command *cmd)
{
	struct mailbox_msg *msgs = NULL;
	size_t n = 0;
	int err;

	if (is_mailbox_readonly(s->mailbox))
		return answer_no(s, cmd, "READ-ONLY",
		    "The mailbox is open for reading only.");
	if (cmd->id == CMD_UID_EXPUNGE) {
		struct seqset set = cmd->u.expunge;

		err = mailbox_resolve(s->mailbox, &set, true, s->arena, &msgs,
		    &n);
		if (err == 0 && n > 0)
			err = expunge_deleted(s, cmd, msgs, n);
	} else {
		err = expunge_deleted(s, cmd, NULL, 0);
	}
	return err == 0 ? answer_done(s, cmd) : answer_err(s, cmd, err);
}
