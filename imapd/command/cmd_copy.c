/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * cmd_copy.c: COPY (RFC 3501 6.4.7), MOVE (RFC 6851) and their UID forms, with
 * COPYUID (RFC 4315 3).
 */
#include "imapd/command/answer.h"
#include "imapd/command/commands.h"
#include "imapd/command/progress.h"
#include "imapd/wire/reply.h"

static void
put_set(struct buf *b, const uint32_t *uids, size_t n)
{
	struct seqout so;

	seqout_init(&so, b);
	for (size_t i = 0; i < n; i++)
		seqout_add(&so, uids[i]);
	seqout_end(&so);
}

/* "[COPYUID validity from to] ".  The n-th of one set became the n-th of the
 * other: both are in ascending order.  Sets with many holes can be longer than
 * the output buffer, so they go out by themselves. */
static void
put_copyuid(struct session *s, const struct maildir_copied *done)
{
	struct buf sets, *b = wire_out_buf(s->out);

	buf_init(&sets, SIZE_MAX);
	buf_puts(b, "[COPYUID ");
	buf_put_u64(b, done->uidvalidity);
	buf_putc(&sets, ' ');
	put_set(&sets, done->from, done->n);
	buf_putc(&sets, ' ');
	put_set(&sets, done->to, done->n);
	wire_out_span(s->out, buf_span(&sets));
	buf_puts(wire_out_buf(s->out), "] ");
	buf_done(&sets);
}

/* RFC 6851 4.3: the code comes in an untagged OK before the EXPUNGEs, so that a
 * client can follow each message. */
static int
answer_move(struct session *s, const struct command *cmd,
    const struct maildir_copied *done)
{
	reply_begin(s->out, SPAN_NONE, REPLY_OK);
	put_copyuid(s, done);
	buf_puts(wire_out_buf(s->out), "Moved.");
	reply_end(s->out);
	for (size_t i = 0; i < done->n; i++)
		mailbox_expunged(s->mailbox, done->from[i]);
	s->stats.expunged += done->n;
	return answer_done(s, cmd);
}

static int
answer_copy(struct session *s, const struct command *cmd,
    const struct maildir_copied *done)
{
	answer_begin(s, cmd);
	put_copyuid(s, done);
	return answer_end(s, cmd);
}

static int
transfer(struct session *s, const struct command *cmd,
    const struct mailbox_msg *msgs, size_t n, struct maildir_copied *ret)
{
	struct maildir *md = mailbox_store(s->mailbox);
	uint32_t *uids = arena_array(s->arena, n, sizeof(*uids));
	bool is_move = cmd->id == CMD_MOVE || cmd->id == CMD_UID_MOVE;
	struct maildir_path to;
	struct progress progress;
	int err;

	err = mailname_to_path(&s->names, cmd->u.copy.mailbox, s->arena, &to);
	if (err != 0)
		return err;
	for (size_t i = 0; i < n; i++)
		uids[i] = msgs[i].uid;
	progress_start(&progress, s, cmd, n);
	progress_begin_store(&progress);
	err = is_move ? maildir_move(md, uids, n, &to, s->arena, ret) :
	    maildir_copy(md, uids, n, &to, s->arena, ret);
	progress_end_store(&progress);
	return err;
}

int
cmd_copy(struct session *s, const struct command *cmd)
{
	bool is_move = cmd->id == CMD_MOVE || cmd->id == CMD_UID_MOVE;
	struct seqset set = cmd->u.copy.set;
	struct maildir_copied done = { 0 };
	struct mailbox_msg *msgs;
	size_t n;
	int err;

	err = mailbox_resolve(s->mailbox, &set, cmd->is_uid, s->arena, &msgs,
	    &n);
	if (err != 0)
		return answer_bad(s, cmd, "No such sequence number.");
	if (is_move && is_mailbox_readonly(s->mailbox))
		return answer_no(s, cmd, "READ-ONLY",
		    "The mailbox is open for reading only.");
	if (n > 0)
		err = transfer(s, cmd, msgs, n, &done);
	if (err != 0)
		return answer_err_to(s, cmd, err);
	/* UIDs that are not there are no error (RFC 3501 6.4.8): a client that
	 * is told NO keeps them for ever.  Nor is a "$" without messages (RFC
	 * 5182 2.1), or "1:*" where there are none.  A sequence number, though,
	 * was a message to this client. */
	if (done.n == 0 && (cmd->is_uid || set.is_saved || n == 0))
		return answer_ok(s, cmd, "No messages were there.");
	if (done.n == 0)
		return answer_no(s, cmd, "EXPUNGEISSUED",
		    "The messages are no longer there.");
	return is_move ? answer_move(s, cmd, &done) :
	    answer_copy(s, cmd, &done);
}
