/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * The line is put together from the store's records; most messages have the
 * flags of the one before.
 */
#include "imapd/command/fetch_flags.h"

#define FLAGS_TEXT_MAX	(64 * 1024)	/* bytes of the flags of one message:
					 * MAILDIR_KEYWORDS_MAX of
					 * MAILDIR_KEYWORD_LEN, and to spare */

bool
has_fetch_only_flags(const struct fetch_args *args)
{
	bool has_flags = false;

	for (size_t i = 0; i < args->nitems; i++) {
		if (args->item[i].what == FETCH_FLAGS)
			has_flags = true;
		else if (args->item[i].what != FETCH_UID &&
		    args->item[i].what != FETCH_MODSEQ)
			return false;
	}
	return has_flags;
}

static bool
is_told_same(const struct maildir_msg *a, const struct maildir_msg *b)
{
	return a->flags.sys == b->flags.sys && a->flags.kw == b->flags.kw &&
	    a->is_recent == b->is_recent;
}

size_t
fetch_flags(struct session *s, const struct fetch_args *args, bool with_uid,
    const struct mailbox_msg *msgs, size_t n)
{
	struct maildir_msg msg, last = { 0 };
	size_t at = 0, gone = 0;
	struct buf text, *b;

	buf_init(&text, FLAGS_TEXT_MAX);
	for (size_t i = 0; i < n && wire_out_err(s->out) == 0; i++) {
		if (!has_mailbox_record(s->mailbox, msgs[i].uid, &at, &msg)) {
			gone++;
			continue;
		}
		if (text.n == 0 || !is_told_same(&last, &msg)) {
			buf_clear(&text);
			mailbox_put_flags(s->mailbox, &text, &msg);
			last = msg;
		}
		b = wire_out_buf(s->out);
		buf_put(b, "* ", 2);
		buf_put_u64(b, msgs[i].seq);
		if (with_uid) {
			buf_put(b, " FETCH (UID ", 12);
			buf_put_u64(b, msgs[i].uid);
			buf_putc(b, ' ');
		} else
			buf_put(b, " FETCH (", 8);
		buf_put_span(b, buf_span(&text));
		if (args->has_modseq) {
			buf_put(b, " MODSEQ (", 9);
			buf_put_u64(b, msg.modseq);
			buf_putc(b, ')');
		}
		buf_put(b, ")\r\n", 3);
		wire_out_check(s->out);
	}
	buf_done(&text);
	return gone;
}
