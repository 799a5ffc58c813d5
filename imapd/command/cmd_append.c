/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * cmd_append.c: APPEND (RFC 3501 6.3.11) with MULTIAPPEND (RFC 3502), APPENDUID
 * (RFC 4315 3) and APPENDLIMIT (RFC 7889).
 *
 * The message goes from the socket to tmp/ as it comes; nothing of it stays in
 * memory.  Whatever can be refused is refused before the client sends it, if it
 * waits for that, a message that would be over the quota among it (RFC 9208
 * 4.3.1); what it sends all the same is dropped.
 */
#include "imapd/command/answer.h"
#include "imapd/command/commands.h"
#include "imapd/command/progress.h"

enum append_outcome {
	APPEND_MORE,		/* another message follows */
	APPEND_DONE,		/* that was the last one */
	APPEND_REFUSED,		/* refusal or err says why; drop the rest */
	APPEND_BAD,		/* malformed, and answered */
	APPEND_LOST		/* the connection is at its end: err */
};

struct appending {
	struct session *s;
	const struct command *cmd;
	struct maildir_append *app;
	uint64_t n;		/* messages so far */
	int err;
	const char *refusal, *code;	/* if NULL: err says it */
	bool is_bad;		/* the refusal is a BAD */
};

static enum append_outcome
refuse(struct appending *ap, const char *code, const char *text)
{
	ap->code = code;
	ap->refusal = text;
	return APPEND_REFUSED;
}

/* What can be known before the message comes. */
static enum append_outcome
check(struct appending *ap)
{
	const struct append_args *args = &ap->cmd->u.append;

	if (args->is_utf8 && !ap->s->is_utf8) {
		ap->is_bad = true;
		return refuse(ap, NULL, "UTF8 is not offered.");
	}
	if (args->is_binary && !args->is_utf8) {
		ap->is_bad = true;
		return refuse(ap, NULL, "BINARY is not offered.");
	}
	if (args->size > ap->s->conf->append_limit)
		return refuse(ap, "TOOBIG", "The message is too large.");
	/* RFC 3502 6.3.11: the way to abandon a row of messages. */
	if (args->size == 0)
		return refuse(ap, NULL, "A message of no bytes is none.");
	return APPEND_MORE;
}

static int
begin(struct appending *ap)
{
	const struct append_args *args = &ap->cmd->u.append;
	const struct maildir_append_args to = {
		.sys = args->flags.sys,
		.keywords = args->flags.keywords.v,
		.nkeywords = args->flags.keywords.n,
		.has_date = args->has_date,
		.date = args->date,
		.size = args->size
	};

	return maildir_append_begin(ap->app, &to);
}

/* The bytes.  A client that pauses is given time for each piece anew: who is
 * logged in may have a slow line. */
static enum append_outcome
stream(struct appending *ap)
{
	struct session *s = ap->s;

	for (;;) {
		struct span piece;

		ap->err = wire_in_stream(s->in,
		    deadline_in(s->conf->stall_timeout), &piece);
		if (ap->err != 0)
			return APPEND_LOST;
		if (piece.n == 0)
			break;
		ap->err = maildir_append_write(ap->app, piece);
		if (ap->err != 0)
			return APPEND_REFUSED;
	}
	ap->err = maildir_append_end(ap->app);
	return ap->err == 0 ? APPEND_MORE : APPEND_REFUSED;
}

static enum append_outcome
append_one(struct appending *ap)
{
	struct session *s = ap->s;
	enum append_outcome outcome = check(ap);

	if (outcome != APPEND_MORE)
		return outcome;
	ap->err = begin(ap);
	if (ap->err != 0)
		return APPEND_REFUSED;
	ap->err = read_command_accept(s->rc);
	if (ap->err != 0)
		return APPEND_LOST;
	outcome = stream(ap);
	if (outcome != APPEND_MORE)
		return outcome;
	switch (read_command_more(s->rc,
	    deadline_in(s->conf->stall_timeout))) {
	case READ_DONE:
		return APPEND_DONE;
	case READ_STREAM:
		return APPEND_MORE;
	case READ_BAD:
	case READ_REFUSED:
		return APPEND_BAD;
	case READ_END:
		break;
	}
	ap->err = read_command_err(s->rc);
	return APPEND_LOST;
}

/* Nothing is kept; what the client still sends of it is dropped. */
static int
finish_refused(struct appending *ap)
{
	struct session *s = ap->s;
	int lost;

	maildir_append_abort(ap->app);
	lost = read_command_refuse(s->rc, s->conf->stall_timeout);
	if (lost != 0)
		return lost;
	if (ap->refusal == NULL)
		return answer_err_to(s, ap->cmd, ap->err);
	if (ap->is_bad)
		return answer_bad(s, ap->cmd, ap->refusal);
	return answer_no(s, ap->cmd, ap->code, ap->refusal);
}

/* "[APPENDUID validity uids]" */
static int
finish_done(struct appending *ap)
{
	struct session *s = ap->s;
	uint32_t uidvalidity, *uids;
	struct seqout so;
	struct buf *b;
	size_t n;
	int err;

	err = maildir_append_commit(ap->app, s->arena, &uidvalidity, &uids,
	    &n);
	if (err != 0)
		return answer_err_to(s, ap->cmd, err);
	s->stats.appended += n;
	answer_begin(s, ap->cmd);
	b = wire_out_buf(s->out);
	buf_puts(b, "[APPENDUID ");
	buf_put_u64(b, uidvalidity);
	buf_putc(b, ' ');
	seqout_init(&so, b);
	for (size_t i = 0; i < n; i++)
		seqout_add(&so, uids[i]);
	seqout_end(&so);
	buf_puts(b, "] ");
	return answer_end(s, ap->cmd);
}

int
cmd_append(struct session *s, const struct command *cmd)
{
	struct appending ap = { .s = s, .cmd = cmd };
	enum append_outcome outcome;
	struct maildir_path path;
	struct progress progress;

	ap.err = mailname_to_path(&s->names, cmd->u.append.mailbox, s->arena,
	    &path);
	if (ap.err == 0)
		ap.err = maildir_append_new(s->store, &path, &ap.app);
	if (ap.err != 0)
		return finish_refused(&ap);
	progress_start(&progress, s, cmd, 0);	/* messages: who knows? */
	do {
		outcome = append_one(&ap);
		ap.n++;
		if (outcome == APPEND_MORE) {
			ap.err = progress_check(&progress, ap.n);
			if (ap.err != 0)
				outcome = APPEND_LOST;
		}
	} while (outcome == APPEND_MORE);
	switch (outcome) {
	case APPEND_DONE:
		return finish_done(&ap);
	case APPEND_BAD:
		s->bad_in_row++;
		maildir_append_abort(ap.app);
		return 0;
	case APPEND_LOST:
		maildir_append_abort(ap.app);
		return ap.err;
	case APPEND_MORE:
	case APPEND_REFUSED:
		break;
	}
	return finish_refused(&ap);
}
