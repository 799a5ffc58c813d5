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

/* The same as EXPUNGE below, by UID (RFC 7162 3.2.10.2). */
static void
tell_vanished(struct mailbox *mb, struct wire_out *out)
{
	struct reply_vanished rv;

	reply_vanished_begin(&rv, out, false);
	for (size_t i = 0; i < mb->gone.n; i++)
		reply_vanished_add(&rv, mb->gone.v[i], mb->gone.v[i]);
	reply_vanished_end(&rv);
}

/*
 * Each EXPUNGE takes its number away at once: those behind it move down (RFC
 * 3501 7.4.1), so the k-th message to go was k numbers higher before.
 */
static void
tell_gone(struct mailbox *mb, struct wire_out *out, bool with_numbers)
{
	size_t to, from, k = 0;

	from = to = mailbox_seq_at(mb, mb->gone.v[0]) - 1;
	for (; from < mb->n; from++) {
		if (k < mb->gone.n && mb->known[from] == mb->gone.v[k]) {
			if (with_numbers)
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

/* The FETCH of a message, as far as the opening parenthesis, and its UID. */
static struct buf *
begin_fetch(struct wire_out *out, uint32_t seq, uint32_t uid, unsigned how)
{
	struct buf *b = wire_out_buf(out);

	buf_puts(b, "* ");
	buf_put_u64(b, seq);
	buf_puts(b, " FETCH (");
	if ((how & MAILBOX_UIDS) != 0) {
		buf_puts(b, "UID ");
		buf_put_u64(b, uid);
		buf_putc(b, ' ');
	}
	return b;
}

static void
put_modseq(struct buf *b, uint64_t modseq)
{
	buf_puts(b, "MODSEQ (");
	buf_put_u64(b, modseq);
	buf_putc(b, ')');
}

void
mailbox_tell_flags(struct mailbox *mb, struct wire_out *out, uint32_t seq,
    const struct maildir_msg *msg, unsigned how)
{
	struct buf *b = begin_fetch(out, seq, msg->uid, how);

	mailbox_put_flags(mb, b, msg);
	if ((how & MAILBOX_MODSEQS) != 0) {
		buf_putc(b, ' ');
		put_modseq(b, msg->modseq);
	}
	buf_puts(b, ")\r\n");
	wire_out_check(out);
}

/* Both lists in one walk, so that messages are told of in order. */
static void
tell_changed(struct mailbox *mb, struct wire_out *out, unsigned how)
{
	struct uidvec *ch = &mb->changed, *to = &mb->touched;
	size_t i = 0, k = 0, at = 0;

	uidvec_sort(ch);
	uidvec_sort(to);
	while ((i < ch->n || k < to->n) && wire_out_err(out) == 0) {
		bool is_changed = k == to->n ||
		    (i < ch->n && ch->v[i] <= to->v[k]);
		uint32_t uid = is_changed ? ch->v[i++] : to->v[k++];
		struct maildir_msg msg;

		if (is_changed && k < to->n && to->v[k] == uid)
			k++;
		if (!is_mailbox_known(mb, uid) ||
		    !has_mailbox_record(mb, uid, &at, &msg))
			continue;
		if (is_changed) {
			mailbox_tell_flags(mb, out, mailbox_seq_at(mb, uid),
			    &msg, how);
		} else if ((how & MAILBOX_MODSEQS) != 0) {
			put_modseq(begin_fetch(out, mailbox_seq_at(mb, uid),
			    uid, how), msg.modseq);
			buf_puts(wire_out_buf(out), ")\r\n");
			wire_out_check(out);
		}
	}
	uidvec_clear(ch);
	uidvec_clear(to);
}

/*
 * What is told now, and what has to wait: as far as mb->modseq the client has
 * everything.
 */
static void
count_modseq(struct mailbox *mb, unsigned how, bool told_vanished)
{
	uint64_t highest = maildir_highestmodseq(mb->md);

	if (mb->gone.n > 0) {
		mb->is_behind = (how & MAILBOX_MODSEQS) != 0;
		mb->owes_modseq = mb->is_behind;
		return;
	}
	if (highest > mb->modseq)
		mb->modseq = highest;
	mb->owes_modseq = told_vanished || mb->is_behind;
	mb->is_behind = false;
}

void
mailbox_tell(struct mailbox *mb, struct wire_out *out, unsigned how)
{
	bool tells_gone = (how & MAILBOX_EXPUNGES) != 0 && mb->gone.n > 0;
	bool with_vanished = tells_gone && (how & MAILBOX_VANISHED) != 0;

	if (tells_gone) {
		uidvec_sort(&mb->gone);
		if (with_vanished)
			tell_vanished(mb, out);
		tell_gone(mb, out, !with_vanished);
	}
	tell_size(mb, out, tells_gone);
	if (flagnames_set(mb->md) != mb->keywords)
		tell_flags(mb, out);
	if (mb->changed.n > 0 || mb->touched.n > 0)
		tell_changed(mb, out, how);
	count_modseq(mb, how, with_vanished);
}

uint64_t
mailbox_modseq(const struct mailbox *mb)
{
	return mb->modseq;
}

uint64_t
mailbox_take_modseq(struct mailbox *mb)
{
	bool owes = mb->owes_modseq;

	mb->owes_modseq = false;
	return owes ? mb->modseq : 0;
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
		reply_code(out, "UNSEEN", tally.first_unseen + 1,
		    "First unseen.");
	reply_code(out, "UIDVALIDITY", maildir_uidvalidity(mb->md),
	    "UIDs valid.");
	reply_code(out, "UIDNEXT", maildir_uidnext(mb->md),
	    "Predicted next UID.");
	mb->modseq = maildir_highestmodseq(mb->md);
	reply_code(out, "HIGHESTMODSEQ", mb->modseq, "Highest mod-sequence.");
}
