/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * answer.c: how a command ends: the news, then its tagged response.
 */
#include "imapd/command/answer.h"

#include "base/log.h"
#include "imapd/wire/command_table.h"
#include "imapd/wire/reply.h"

/* What a client reads for an error of the store (RFC 5530). */
struct words {
	int err;
	const char *code, *text;
	bool is_ours;		/* the administrator should hear of it */
};

static const struct words words[] = {
	{ ERR_NOENT, "NONEXISTENT", "There is no such mailbox.", false },
	{ ERR_EXISTS, "ALREADYEXISTS", "There is such a mailbox already.",
	    false },
	{ ERR_NAME, "CANNOT", "This mailbox name cannot be used here.",
	    false },
	{ ERR_ACCESS, "NOPERM", "Permission denied.", true },
	{ ERR_READONLY, "NOPERM", "The mail cannot be changed here.", false },
	{ ERR_NOSPACE, "OVERQUOTA", "The disk is full.", true },
	{ ERR_QUOTA, "OVERQUOTA", "Over quota.", false },
	{ ERR_LIMIT, "LIMIT", "Over a limit of this server.", false },
	{ ERR_GONE, "EXPUNGEISSUED", "Some messages are no longer there.",
	    false },
	{ ERR_BUSY, "INUSE", "The mailbox is locked; try again later.", true },
	{ ERR_NOTEMPTY, "HASCHILDREN", "The mailbox has children.", false },
	{ ERR_UNAVAIL, "UNAVAILABLE", "The mail is not there now.", true },
	{ ERR_CORRUPT, "CORRUPTION", "The mailbox is damaged.", true },
	{ 0, "UNAVAILABLE", "An internal error; the server's log has more.",
	    true }
};

/* Who sends nothing but bad commands is no client: see SESSION_BAD_MAX. */
int
answer_bad(struct session *s, const struct command *cmd, const char *text)
{
	s->bad_in_row++;
	reply_tagged(s->out, cmd->tag, REPLY_BAD, NULL, text);
	return wire_out_err(s->out);
}

/*
 * The store could not be looked at: what the client has is still right, so
 * nothing is said.  But a mailbox that was deleted by somebody else, or made
 * anew, can only be left (RFC 2180 3.3 describes the choices; this is the one
 * that no client misreads).
 */
static void
sync_failed(struct session *s, int err)
{
	switch (err) {
	case ERR_NOENT:
		s->bye = "The selected mailbox was deleted.";
		break;
	case ERR_GONE:
		s->bye = "The selected mailbox has new UIDs.";
		break;
	case ERR_UNAVAIL:
		s->bye = "The mail is not there any more.";
		break;
	default:
		log_begin(LOG_ERR, "refresh-failed");
		log_str("user", s->start->user);
		log_err(err);
		log_end();
	}
}

/* A UID SEARCH, SORT or THREAD with message numbers among its keys: no expunge
 * may be told then, any more than for SEARCH (RFC 7162 3.2.10.2). */
static bool
is_search_by_number(const struct command *cmd)
{
	switch (cmd->id) {
	case CMD_UID_SEARCH:
		return cmd->u.search.has_numbers;
	case CMD_UID_SORT:
		return cmd->u.sort.search.has_numbers;
	case CMD_UID_THREAD:
		return cmd->u.thread.search.has_numbers;
	default:
		return false;
	}
}

/* What may be told of the news at the end of this command, and how. */
static unsigned
how_to_tell(const struct session *s, const struct command *cmd)
{
	const struct command_row *row = command_row(cmd->id);
	unsigned how = 0;

	if ((row->flags & COMMAND_TELLS_EXPUNGE) != 0 &&
	    !is_search_by_number(cmd))
		how |= MAILBOX_EXPUNGES;
	if (cmd->is_uid)
		how |= MAILBOX_UIDS;
	/* RFC 7162 3.2.4: both, for a client that has asked for one. */
	if (s->is_condstore)
		how |= MAILBOX_UIDS | MAILBOX_MODSEQS;
	if (s->is_qresync)
		how |= MAILBOX_VANISHED;
	return how;
}

static void
tell_news(struct session *s, const struct command *cmd)
{
	int err;

	if (s->mailbox == NULL)
		return;
	err = mailbox_sync(s->mailbox);
	if (err != 0)
		sync_failed(s, err);
	mailbox_tell(s->mailbox, s->out, how_to_tell(s, cmd));
}

/* HIGHESTMODSEQ, if it is to be told; 0: no. */
static uint64_t
owed_modseq(struct session *s)
{
	return s->mailbox == NULL ? 0 : mailbox_take_modseq(s->mailbox);
}

void
answer_news(struct session *s, const struct command *cmd)
{
	uint64_t modseq;

	tell_news(s, cmd);
	modseq = owed_modseq(s);
	if (modseq != 0)
		reply_code(s->out, "HIGHESTMODSEQ", modseq,
		    "Highest mod-sequence.");
}

static int
answer(struct session *s, const struct command *cmd, enum reply_status status,
    const char *code, const char *text)
{
	answer_news(s, cmd);
	reply_tagged(s->out, cmd->tag, status, code, text);
	return wire_out_err(s->out);
}

int
answer_ok(struct session *s, const struct command *cmd, const char *text)
{
	return answer(s, cmd, REPLY_OK, NULL, text);
}

void
answer_begin(struct session *s, const struct command *cmd)
{
	answer_news(s, cmd);
	reply_begin(s->out, cmd->tag, REPLY_OK);
}

int
answer_end(struct session *s, const struct command *cmd)
{
	struct buf *b = wire_out_buf(s->out);

	buf_puts(b, command_row(cmd->id)->name);
	buf_puts(b, " completed.");
	reply_end(s->out);
	return wire_out_err(s->out);
}

/* The code belongs into the tagged response where messages were expunged (RFC
 * 7162 3.2.7, 3.2.9), and is as good there for others. */
int
answer_done(struct session *s, const struct command *cmd)
{
	uint64_t modseq;
	struct buf *b;

	tell_news(s, cmd);
	reply_begin(s->out, cmd->tag, REPLY_OK);
	modseq = owed_modseq(s);
	if (modseq != 0) {
		b = wire_out_buf(s->out);
		buf_puts(b, "[HIGHESTMODSEQ ");
		buf_put_u64(b, modseq);
		buf_puts(b, "] ");
	}
	return answer_end(s, cmd);
}

int
answer_no(struct session *s, const struct command *cmd, const char *code,
    const char *text)
{
	return answer(s, cmd, REPLY_NO, code, text);
}

void
answer_log(struct session *s, const struct command *cmd, int err)
{
	log_begin(LOG_ERR, "command-failed");
	log_str("user", s->start->user);
	log_str("command", command_row(cmd->id)->name);
	log_err(err);
	log_end();
}

int
answer_err(struct session *s, const struct command *cmd, int err)
{
	const struct words *w = words;

	while (w->err != 0 && w->err != err)
		w++;
	if (w->is_ours)
		answer_log(s, cmd, err);
	/* A user cannot know what a full disk means to them; once is enough. */
	if (err == ERR_NOSPACE && !s->has_alerted) {
		s->has_alerted = true;
		reply_untagged(s->out, REPLY_NO, "ALERT", "The server's disk "
		    "is full: no message can be stored now.");
	}
	return answer_no(s, cmd, w->code, w->text);
}

int
answer_err_to(struct session *s, const struct command *cmd, int err)
{
	if (err == ERR_NOENT)
		return answer_no(s, cmd, "TRYCREATE",
		    "There is no such mailbox.");
	return answer_err(s, cmd, err);
}
