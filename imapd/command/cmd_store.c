/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * cmd_store.c: STORE and UID STORE (RFC 3501 6.4.6, RFC 7162 3.1.3).
 */
#include "imapd/command/answer.h"
#include "imapd/command/commands.h"
#include "imapd/command/condstore.h"
#include "imapd/command/progress.h"
#include "imapd/wire/reply.h"

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

/* A message as the store has it now; UID 0 if it is gone. */
static struct maildir_msg
look_at(struct maildir *md, uint32_t uid)
{
	size_t i = maildir_find(md, uid);
	struct maildir_msg msg = { .uid = 0 };

	if (i < maildir_count(md))
		maildir_get(md, i, &msg);
	return msg.uid == uid ? msg : (struct maildir_msg){ .uid = 0 };
}

/* What a .SILENT client expects of a message. */
struct expected {
	struct maildir_flags flags;
	uint64_t modseq;	/* as it was */
};

/* A STORE that is running. */
struct storing {
	struct session *s;
	const struct store_args *args;
	const struct mailbox_msg *msgs;
	size_t n;
	uint32_t *uids;
	struct expected *want;	/* NULL: not .SILENT */
	bool *failed;		/* UNCHANGEDSINCE; NULL: there is none */
	bool has_gone;		/* some messages were not there any more */
	size_t nfailed;
};

static void
start(struct storing *st, struct maildir_flags flags)
{
	struct maildir *md = mailbox_store(st->s->mailbox);
	struct arena *arena = st->s->arena;

	st->uids = arena_array(arena, st->n, sizeof(*st->uids));
	if (st->args->is_silent)
		st->want = arena_array(arena, st->n, sizeof(*st->want));
	if (st->args->has_since)
		st->failed = arena_array(arena, st->n, sizeof(*st->failed));
	for (size_t i = 0; i < st->n; i++) {
		struct maildir_msg msg = { .uid = 0 };

		st->uids[i] = st->msgs[i].uid;
		if (!st->args->is_silent)
			continue;
		msg = look_at(md, st->uids[i]);
		st->want[i].flags = changed(st->args->op, msg.flags, flags);
		st->want[i].modseq = msg.modseq;
	}
}

/*
 * The client hears of each message, also of one that was so already, and of
 * those that were left alone, so that it sees why (RFC 7162 3.1.3).  With
 * .SILENT it is spared what it knows: but where somebody else changed the same
 * message at the same time the outcome is not what it expects (RFC 3501 6.4.6).
 * What it cannot know is the new mod-sequence.
 */
static void
tell(struct storing *st, size_t done)
{
	struct mailbox *mb = st->s->mailbox;

	for (size_t i = 0; i < done; i++) {
		struct maildir_msg msg = look_at(mailbox_store(mb),
		    st->uids[i]);
		bool has_failed = st->failed != NULL && st->failed[i];

		if (msg.uid == 0) {
			st->has_gone = true;
			if (has_failed)
				st->failed[i] = false;
			continue;
		}
		if (has_failed)
			st->nfailed++;
		if (has_failed || st->want == NULL ||
		    !is_same_flags(st->want[i].flags, msg.flags))
			mailbox_changed(mb, st->uids[i]);
		else if (st->s->is_condstore && (st->args->has_since ||
		    st->want[i].modseq != msg.modseq))
			mailbox_touched(mb, st->uids[i]);
	}
}

static int
change(struct storing *st, const struct command *cmd)
{
	struct maildir *md = mailbox_store(st->s->mailbox);
	const struct store_args *args = st->args;
	enum maildir_store_op op = (enum maildir_store_op)args->op;
	struct maildir_flags flags;
	struct progress progress;
	size_t done = 0;
	int err;

	err = to_flags(md, args, &flags);
	if (err != 0)
		return err;
	start(st, flags);
	progress_start(&progress, st->s, cmd, st->n);
	progress_begin_store(&progress);
	if (args->has_since)
		err = maildir_store_unchanged(md, st->uids, st->n, op, &flags,
		    args->since, st->failed, &done);
	else
		err = maildir_store_flags(md, st->uids, st->n, op, &flags,
		    &done);
	progress_end_store(&progress);
	tell(st, done);
	return err;
}

/*
 * resp-text-code =/ "MODIFIED" SP sequence-set          (RFC 7162 section 7)
 *
 * NO where the client named messages by numbers of which some are no longer
 * there, as in example 11: what it asked for has not been done.
 */
static int
answer_modified(struct storing *st, const struct command *cmd)
{
	struct session *s = st->s;
	bool is_no = st->has_gone && !cmd->is_uid;
	struct seqout so;
	struct buf set;

	buf_init(&set, SIZE_MAX);
	seqout_init(&so, &set);
	for (size_t i = 0; i < st->n; i++)
		if (st->failed[i])
			seqout_add(&so, cmd->is_uid ? st->msgs[i].uid :
			    st->msgs[i].seq);
	seqout_end(&so);
	answer_news(s, cmd);
	reply_begin(s->out, cmd->tag, is_no ? REPLY_NO : REPLY_OK);
	buf_puts(wire_out_buf(s->out), "[MODIFIED ");
	wire_out_span(s->out, buf_span(&set));
	buf_puts(wire_out_buf(s->out), is_no ?
	    "] Some of the messages no longer exist." :
	    "] Conditional STORE failed.");
	reply_end(s->out);
	buf_done(&set);
	return wire_out_err(s->out);
}

int
cmd_store(struct session *s, const struct command *cmd)
{
	const struct store_args *args = &cmd->u.store;
	struct storing st = { .s = s, .args = args };
	struct seqset set = args->set;
	struct mailbox_msg *msgs;
	int err;

	err = mailbox_resolve(s->mailbox, &set, cmd->is_uid, s->arena, &msgs,
	    &st.n);
	if (err != 0)
		return answer_bad(s, cmd, "No such sequence number.");
	st.msgs = msgs;
	if (args->has_since)
		condstore_enable(s);
	if (is_mailbox_readonly(s->mailbox))
		return answer_no(s, cmd, "READ-ONLY",
		    "The mailbox is open for reading only.");
	if (args->flags.has_long && args->op != MAILDIR_REMOVE)
		return answer_no(s, cmd, "LIMIT", "The keyword is too long.");
	err = st.n == 0 ? 0 : change(&st, cmd);
	if (err == ERR_LIMIT)
		return answer_no(s, cmd, "LIMIT",
		    "The mailbox can hold no more keywords.");
	if (err != 0)
		return answer_err(s, cmd, err);
	return st.nfailed > 0 ? answer_modified(&st, cmd) :
	    answer_done(s, cmd);
}
