/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * cmd_select.c: SELECT, EXAMINE, CLOSE, UNSELECT.
 */
#include "imapd/command/answer.h"
#include "imapd/command/cmd_expunge.h"
#include "imapd/command/commands.h"
#include "imapd/command/condstore.h"
#include "imapd/command/polling.h"
#include "imapd/mailbox/objectid.h"
#include "imapd/wire/reply.h"

static void
unselect(struct session *s)
{
	mailbox_close(s->mailbox);
	s->mailbox = NULL;
}

/* "OK" SP "[" "MAILBOXID" SP "(" objectid ")" "]" SP text (RFC 8474 4.2) */
static void
tell_mailboxid(struct session *s)
{
	struct buf *b = wire_out_buf(s->out);

	reply_begin(s->out, SPAN_NONE, REPLY_OK);
	buf_puts(b, "[MAILBOXID (");
	objectid_mailbox(maildir_guid(mailbox_store(s->mailbox)), b);
	buf_puts(b, ")] Identifier of the mailbox.");
	reply_end(s->out);
}

/*
 * The old mailbox is closed whether or not the new one can be opened (RFC 3501
 * 6.3.1); [CLOSED] marks where the answers begin to speak of the new one (RFC
 * 7162 3.2.11).
 */
int
cmd_select(struct session *s, const struct command *cmd)
{
	bool is_examine = cmd->id == CMD_EXAMINE;
	struct maildir_path path;
	int err;

	if (cmd->u.select.is_qresync && !s->is_qresync)
		return answer_bad(s, cmd, "QRESYNC is not enabled.");
	if (s->mailbox != NULL) {
		unselect(s);
		reply_untagged(s->out, REPLY_OK, "CLOSED",
		    "The previous mailbox is closed.");
	}
	if (cmd->u.select.is_condstore)
		condstore_enable(s);	/* no mailbox is selected now */
	err = mailname_to_path(&s->names, cmd->u.select.mailbox, s->arena,
	    &path);
	if (err == 0)
		err = mailbox_open(s->store, &path, is_examine, &s->mailbox);
	if (err != 0)
		return answer_err(s, cmd, err);
	polling_log(s);
	mailbox_announce(s->mailbox, s->out);
	tell_mailboxid(s);
	if (cmd->u.select.is_qresync)
		qresync_select(s, &cmd->u.select.qresync);
	/* Not by answer.h: there is no news of what was opened just now. */
	reply_tagged(s->out, cmd->tag, REPLY_OK,
	    is_mailbox_readonly(s->mailbox) ? "READ-ONLY" : "READ-WRITE",
	    is_examine ? "EXAMINE completed." : "SELECT completed.");
	return wire_out_err(s->out);
}

/*
 * CLOSE expunges and tells nothing of it; it has no NO (RFC 3501 6.4.2): what
 * could not be removed is still there, marked, for the next session.
 */
int
cmd_close(struct session *s, const struct command *cmd)
{
	if (cmd->id == CMD_CLOSE && !is_mailbox_readonly(s->mailbox)) {
		int err = expunge_deleted(s, cmd, NULL, 0);

		if (err != 0)
			answer_log(s, cmd, err);
	}
	unselect(s);
	return answer_done(s, cmd);
}
