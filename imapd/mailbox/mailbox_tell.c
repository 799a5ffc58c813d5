/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * mailbox_tell.c: what the client is told of the mailbox, when it is selected
 * and as it changes.
 */
#include "base/mem.h"
#include "imapd/mailbox/flagnames.h"
#include "imapd/mailbox/mailbox_state.h"
#include "imapd/wire/reply.h"

/*
 * Each EXPUNGE takes its number away at once: those behind it move down (RFC
 * 3501 7.4.1), so the k-th message to go was k numbers higher before.
 */
static void
tell_gone(struct mailbox *mb, struct wire_out *out)
{
	size_t to, from, k = 0;

	uidvec_sort(&mb->gone);
	from = to = mailbox_seq_at(mb, mb->gone.v[0]) - 1;
	for (; from < mb->n; from++) {
		if (k < mb->gone.n && mb->known[from] == mb->gone.v[k]) {
			reply_number(out, (uint32_t)to + 1, "EXPUNGE");
			k++;
		} else {
			mb->known[to++] = mb->known[from];
		}
	}
	mb->n = to;
	uidvec_clear(&mb->gone);
}

static void
known_grow(struct mailbox *mb, size_t n)
{
	if (n <= mb->cap)
		return;
	/* A little room for what arrives: most sessions see a few. */
	mb->cap = n + n / 8 + 16;
	mb->known = mem_resize(mb->known, mb->cap, sizeof(*mb->known));
}

/* Take in what the store has above the last known UID; how many. */
static size_t
take_arrivals(struct mailbox *mb)
{
	size_t i = mb->n == 0 ? 0 : maildir_find(mb->md, mailbox_last(mb) + 1);
	size_t count = maildir_count(mb->md);
	size_t n = count - i;

	if (mb->n > 0 && mailbox_last(mb) == UINT32_MAX)
		return 0;
	if (n > 0) {
		known_grow(mb, mb->n + n);
		maildir_uids(mb->md, i, n, mb->known + mb->n);
		mb->n += n;
	}
	return n;
}

/* Counted when there is something new, from the first message on that can be
 * recent: no list is kept for a number that few clients look at. */
static void
take_recent(struct mailbox *mb, const struct maildir_tally *tally)
{
	mb->recent = tally->recent;
	mb->first_recent = maildir_uidnext(mb->md);
	if (tally->recent > 0)
		maildir_uids(mb->md, tally->first_recent, 1,
		    &mb->first_recent);
}

static void
count_recent(struct mailbox *mb)
{
	struct maildir_tally tally;

	maildir_tally(mb->md, maildir_find(mb->md, mb->first_recent), &tally);
	take_recent(mb, &tally);
}

/*
 * The size of the mailbox (RFC 3501 7.3.1, 7.3.2).  EXPUNGE has said by itself
 * what becomes of EXISTS, but not whether the message was a recent one.
 */
static void
tell_size(struct mailbox *mb, struct wire_out *out, bool was_expunged)
{
	uint32_t before = mb->recent;
	bool has_more = take_arrivals(mb) > 0;

	if (has_more)
		reply_number(out, mailbox_count(mb), "EXISTS");
	if (has_more || (was_expunged && before > 0))
		count_recent(mb);
	if (has_more || mb->recent != before)
		reply_number(out, mb->recent, "RECENT");
}

/* The flags there are, and those that may be set.  "\*" belongs only into the
 * second (RFC 3501 7.1), and only while another keyword can be made. */
static void
tell_flags(struct mailbox *mb, struct wire_out *out)
{
	struct buf *b = wire_out_buf(out);

	buf_puts(b, "* FLAGS (");
	flagnames_put_all(mb->md, b);
	buf_puts(b, ")\r\n");
	reply_begin(out, SPAN_NONE, REPLY_OK);
	b = wire_out_buf(out);
	buf_puts(b, "[PERMANENTFLAGS (");
	if (!mb->is_readonly) {
		flagnames_put_all(mb->md, b);
		if (has_maildir_keyword_room(mb->md))
			buf_puts(b, " \\*");
		buf_puts(b, ")] Flags permitted.");
	} else {
		buf_puts(b, ")] No flags can be changed here.");
	}
	reply_end(out);
	mb->keywords = flagnames_set(mb->md);
}

void
mailbox_put_flags(struct mailbox *mb, struct buf *b,
    const struct maildir_msg *msg)
{
	flagnames_put(mb->md, b, msg);
}

static void
tell_changed(struct mailbox *mb, struct wire_out *out, bool with_uid)
{
	uidvec_sort(&mb->changed);
	for (size_t i = 0; i < mb->changed.n && wire_out_err(out) == 0; i++) {
		uint32_t uid = mb->changed.v[i];
		size_t at = maildir_find(mb->md, uid);
		struct buf *b = wire_out_buf(out);
		struct maildir_msg msg;

		if (!is_mailbox_known(mb, uid) || at >= maildir_count(mb->md))
			continue;
		maildir_get(mb->md, at, &msg);
		if (msg.uid != uid)
			continue;
		buf_puts(b, "* ");
		buf_put_u64(b, mailbox_seq_at(mb, uid));
		buf_puts(b, " FETCH (");
		if (with_uid) {
			buf_puts(b, "UID ");
			buf_put_u64(b, uid);
			buf_putc(b, ' ');
		}
		mailbox_put_flags(mb, b, &msg);
		buf_puts(b, ")\r\n");
		wire_out_check(out);
	}
	uidvec_clear(&mb->changed);
}

void
mailbox_tell(struct mailbox *mb, struct wire_out *out, bool with_expunges,
    bool with_uid)
{
	bool tells_gone = with_expunges && mb->gone.n > 0;

	if (tells_gone)
		tell_gone(mb, out);
	tell_size(mb, out, tells_gone);
	if (flagnames_set(mb->md) != mb->keywords)
		tell_flags(mb, out);
	if (mb->changed.n > 0)
		tell_changed(mb, out, with_uid);
}

/* "* OK [code n] text" */
static void
tell_code(struct wire_out *out, const char *code, uint64_t n, const char *text)
{
	struct buf *b;

	reply_begin(out, SPAN_NONE, REPLY_OK);
	b = wire_out_buf(out);
	buf_putc(b, '[');
	buf_puts(b, code);
	buf_putc(b, ' ');
	buf_put_u64(b, n);
	buf_puts(b, "] ");
	buf_puts(b, text);
	reply_end(out);
}

void
mailbox_announce(struct mailbox *mb, struct wire_out *out)
{
	struct maildir_tally tally;

	(void)take_arrivals(mb);	/* EXISTS is said below in any case */
	maildir_tally(mb->md, 0, &tally);
	take_recent(mb, &tally);
	tell_flags(mb, out);
	reply_number(out, mailbox_count(mb), "EXISTS");
	reply_number(out, mb->recent, "RECENT");
	if (tally.unseen != 0)
		tell_code(out, "UNSEEN", tally.first_unseen + 1,
		    "First unseen.");
	tell_code(out, "UIDVALIDITY", maildir_uidvalidity(mb->md),
	    "UIDs valid.");
	tell_code(out, "UIDNEXT", maildir_uidnext(mb->md),
	    "Predicted next UID.");
}
