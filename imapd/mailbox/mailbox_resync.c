/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * mailbox_resync.c: what a client that comes back has missed (RFC 7162 3.2).
 *
 * The store remembers expunges as long as it can.  Where it does not, all UIDs
 * are gone that the client asks about and that are not there: that is always
 * right, and may be long.
 */
#include "imapd/mailbox/mailbox_state.h"
#include "imapd/wire/reply.h"

size_t
mailbox_since(const struct mailbox *mb, uint64_t since,
    struct mailbox_msg *msgs, size_t n)
{
	struct maildir_msg msg;
	size_t at = 0, kept = 0;

	for (size_t i = 0; i < n; i++)
		if (has_mailbox_record(mb, msgs[i].uid, &at, &msg) &&
		    msg.modseq > since)
			msgs[kept++] = msgs[i];
	return kept;
}

/* ---- expunged -------------------------------------------------------- */

/*
 * Those of the UIDs lo .. hi that are not there.  known[] and the store's
 * messages, both in order, are walked beside them: *known and *at are where the
 * last call came to.
 */
static void
tell_missing(const struct mailbox *mb, struct reply_vanished *rv, uint32_t lo,
    uint32_t hi, size_t *known, size_t *at)
{
	size_t count = maildir_count(mb->md);
	uint64_t next = lo;		/* the first not looked at */

	while (next <= hi) {
		uint64_t there = (uint64_t)hi + 1;
		struct maildir_msg msg;

		while (*known < mb->n && mb->known[*known] < next)
			(*known)++;
		if (*known < mb->n && mb->known[*known] < there)
			there = mb->known[*known];
		for (; *at < count; (*at)++) {
			maildir_get(mb->md, *at, &msg);
			if (msg.uid >= next)
				break;
		}
		if (*at < count && msg.uid < there)
			there = msg.uid;
		if (there > next)
			reply_vanished_add(rv, (uint32_t)next,
			    (uint32_t)(there - 1));
		next = there + 1;
	}
}

void
mailbox_tell_earlier(struct mailbox *mb, struct wire_out *out,
    struct arena *arena, uint64_t since, struct seqset *uids,
    uint32_t known_to)
{
	uint32_t last = maildir_uidnext(mb->md) - 1;
	struct reply_vanished rv;
	size_t n = 0, known = 0, at = 0;
	uint32_t *gone;
	bool is_known;

	is_known = maildir_vanished(mb->md, since, arena, &gone, &n) == 0;
	seqset_resolve(uids, last);
	reply_vanished_begin(&rv, out, true);
	for (size_t i = 0; is_known && i < n; i++)
		if (is_in_seqset(uids, gone[i]) &&
		    !is_mailbox_known(mb, gone[i]))
			reply_vanished_add(&rv, gone[i], gone[i]);
	/* RFC 7162 erratum 3322: no UIDs that never were. */
	for (size_t i = 0; !is_known && i < uids->n; i++) {
		const struct seqrange *r = &uids->range[i];
		uint32_t lo = r->lo > known_to ? r->lo : known_to + 1;
		uint32_t hi = r->hi < last ? r->hi : last;

		if (known_to < UINT32_MAX && lo <= hi)
			tell_missing(mb, &rv, lo, hi, &known, &at);
	}
	reply_vanished_end(&rv);
}

/* ---- seq-match-data -------------------------------------------------- */

/* A walk through the numbers of a set, as they were written. */
struct walk {
	const struct seqset *set;
	size_t i;
	uint32_t num, last;	/* num 0: before the first */
};

/* The next number; false: there is none, or it is not higher. */
static bool
has_next(struct walk *w)
{
	uint32_t before = w->num;

	if (before != 0 && before < w->set->range[w->i].hi) {
		w->num++;
		return true;
	}
	if (before != 0)
		w->i++;
	if (w->i >= w->set->n)
		return false;
	w->num = w->set->range[w->i].lo;
	return w->num > before && w->num <= w->set->range[w->i].hi;
}

uint32_t
mailbox_match(const struct mailbox *mb, const struct seqset *seqs,
    const struct seqset *uids)
{
	struct walk seq = { .set = seqs }, uid = { .set = uids };
	uint32_t found = 0;

	while (has_next(&seq) && has_next(&uid) && seq.num <= mb->n)
		if (mb->known[seq.num - 1] == uid.num)
			found = uid.num;
	return found;
}

/* ---- changed --------------------------------------------------------- */

void
mailbox_tell_since(struct mailbox *mb, struct wire_out *out, uint64_t since,
    const struct seqset *uids)
{
	const unsigned how = MAILBOX_UIDS | MAILBOX_MODSEQS;
	struct maildir_msg msg;
	size_t at = 0;

	for (size_t i = 0; i < uids->n; i++) {
		uint32_t seq = mailbox_seq_at(mb, uids->range[i].lo);

		for (; seq <= mb->n && wire_out_err(out) == 0; seq++) {
			uint32_t uid = mb->known[seq - 1];

			if (uid > uids->range[i].hi)
				break;
			if (has_mailbox_record(mb, uid, &at, &msg) &&
			    msg.modseq > since)
				mailbox_tell_flags(mb, out, seq, &msg, how);
		}
	}
}
