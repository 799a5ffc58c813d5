/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * cmd_mbox.c: CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE, NAMESPACE.
 */
#include "imapd/command/answer.h"
#include "imapd/command/commands.h"
#include "imapd/mailbox/objectid.h"
#include "imapd/wire/fmt.h"

static int
to_path(struct session *s, struct span name, struct maildir_path *ret)
{
	return mailname_to_path(&s->names, name, s->arena, ret);
}

/* b is a, or below it. */
static bool
is_path_in(const struct maildir_path *a, const struct maildir_path *b)
{
	if (a->n > b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!is_span_eq(a->level[i], b->level[i]))
			return false;
	return true;
}

static bool
is_same_path(const struct maildir_path *a, const struct maildir_path *b)
{
	return a->n == b->n && is_path_in(a, b);
}

/* OK [MAILBOXID (...)] (RFC 8474 4.1).  A mailbox that cannot be read back is
 * there all the same. */
static int ERR_CHECK
answer_created(struct session *s, const struct command *cmd,
    const struct maildir_path *path)
{
	struct maildir_status st;
	struct buf *b;
	int err = maildir_status(s->store, path, false, &st);

	if (err != 0) {
		answer_log(s, cmd, err);
		return answer_done(s, cmd);
	}
	answer_begin(s, cmd);
	b = wire_out_buf(s->out);
	buf_puts(b, "[MAILBOXID (");
	objectid_mailbox(st.guid, b);
	buf_puts(b, ")] ");
	return answer_end(s, cmd);
}

/* The name at the end of a "foo/" says that children are to come (RFC 3501
 * 6.3.3); every mailbox can have them, so it is the same as "foo". */
int
cmd_create(struct session *s, const struct command *cmd)
{
	struct maildir_path path;
	int err;

	if (cmd->u.create.use.n > 0)
		return answer_no(s, cmd, "USEATTR",
		    "A mailbox gets its use by its name here.");
	err = to_path(s, cmd->u.create.mailbox, &path);
	if (err == 0)
		err = is_maildir_inbox(&path) ? ERR_EXISTS :
		    maildir_create(s->store, &path);
	return err == 0 ? answer_created(s, cmd, &path) :
	    answer_err(s, cmd, err);
}

int
cmd_delete(struct session *s, const struct command *cmd)
{
	struct maildir_path path;
	int err;

	err = to_path(s, cmd->u.mailbox, &path);
	if (err != 0)
		return answer_err(s, cmd, err);
	if (is_maildir_inbox(&path))
		return answer_no(s, cmd, "CANNOT", "INBOX cannot be deleted.");
	err = maildir_delete(s->store, &path);
	if (err != 0)
		return answer_err(s, cmd, err);
	/* What was deleted under the client by itself is closed, not mourned
	 * with a BYE. */
	if (s->mailbox != NULL &&
	    is_same_path(mailbox_path(s->mailbox), &path)) {
		mailbox_close(s->mailbox);
		s->mailbox = NULL;
	}
	return answer_done(s, cmd);
}

int
cmd_rename(struct session *s, const struct command *cmd)
{
	struct maildir_path from, to;
	int err;

	err = to_path(s, cmd->u.rename.from, &from);
	if (err == 0)
		err = to_path(s, cmd->u.rename.to, &to);
	if (err != 0)
		return answer_err(s, cmd, err);
	if (is_maildir_inbox(&to) || is_same_path(&from, &to))
		err = ERR_EXISTS;
	else if (!is_maildir_inbox(&from) && is_path_in(&from, &to))
		err = ERR_NAME;		/* below itself */
	else
		err = maildir_rename(s->store, &from, &to);
	if (err != 0)
		return answer_err(s, cmd, err);
	/* The selected one stays selected, under its new name.  INBOX, and what
	 * is below it, is where it was: only its messages went. */
	if (s->mailbox != NULL && !is_maildir_inbox(&from) &&
	    is_path_in(&from, mailbox_path(s->mailbox)))
		mailbox_renamed(s->mailbox, &from, &to);
	return answer_done(s, cmd);
}

/* SUBSCRIBE and UNSUBSCRIBE.  The mailbox need not exist (RFC 3501 6.3.6 leaves
 * that open): those that move mail here subscribe before they create. */
int
cmd_subscribe(struct session *s, const struct command *cmd)
{
	struct maildir_path path;
	int err;

	err = to_path(s, cmd->u.mailbox, &path);
	if (err == 0)
		err = maildir_path_check(s->store, &path);
	if (err == 0)
		err = maildir_subscribe(s->store, &path,
		    cmd->id == CMD_SUBSCRIBE);
	return err == 0 ? answer_done(s, cmd) : answer_err(s, cmd, err);
}

/* RFC 2342: one personal namespace, no others. */
int
cmd_namespace(struct session *s, const struct command *cmd)
{
	struct buf *b = wire_out_buf(s->out);

	buf_puts(b, "* NAMESPACE ((");
	fmt_string(b, mailname_prefix(&s->names), false);
	buf_putc(b, ' ');
	fmt_string(b, span_of(&s->names.delimiter, 1), false);
	buf_puts(b, ")) NIL NIL\r\n");
	return answer_done(s, cmd);
}
