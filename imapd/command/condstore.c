/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "imapd/command/condstore.h"
#include "imapd/wire/reply.h"

void
condstore_enable(struct session *s)
{
	if (s->is_condstore)
		return;
	s->is_condstore = true;
	if (s->mailbox != NULL)
		reply_code(s->out, "HIGHESTMODSEQ", mailbox_modseq(s->mailbox),
		    "Highest mod-sequence.");
}

void
qresync_enable(struct session *s)
{
	condstore_enable(s);
	s->is_qresync = true;
}

size_t
condstore_fetch(struct session *s, const struct fetch_args *args,
    struct mailbox_msg *msgs, size_t n)
{
	if (args->wants_vanished) {
		struct seqset set = seqset_copy(&args->set, s->arena);

		mailbox_tell_earlier(s->mailbox, s->out, s->arena,
		    args->since, &set, 0);
	}
	return args->has_since ?
	    mailbox_since(s->mailbox, args->since, msgs, n) : n;
}

/*
 * A client that knows of a higher mod-sequence than there is has seen what was
 * lost since (an old copy of the mailbox came back): there is no telling what
 * has changed, so it is told of everything.
 */
void
qresync_select(struct session *s, const struct qresync_args *args)
{
	struct seqset uids = seqset_copy(&args->known, s->arena);
	struct seqrange all = { 1, SEQSET_STAR };
	struct mailbox *mb = s->mailbox;
	bool is_ahead = args->modseq > mailbox_modseq(mb);

	if (args->uidvalidity != maildir_uidvalidity(mailbox_store(mb)))
		return;
	if (uids.n == 0)
		uids = (struct seqset){ .range = &all, .n = 1 };
	mailbox_tell_earlier(mb, s->out, s->arena, args->modseq, &uids,
	    mailbox_match(mb, &args->match_seqs, &args->match_uids));
	mailbox_tell_since(mb, s->out, is_ahead ? 0 : args->modseq, &uids);
}
