/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * A whole new picture beside the one before: UID by UID.
 */
#include "maildir/merge.h"

/* A name that has changed: is it a UID that was given twice?  That happens
 * where an old list is put back. */
static bool
is_other_message(struct span a, struct span b)
{
	return !is_span_eq(name_base(a), name_base(b));
}

/* b, of the new picture, is a, of the old one. */
static void
carry_over(struct maildir *md, struct picture *now, struct msg *b,
    const struct msg *a)
{
	struct picture *old = &md->pic;
	uint64_t kw = picture_kw(old, a);
	struct namebuf anb, bnb;
	struct span an = picture_name(old, a, &anb);
	struct span bn = picture_name(now, b, &bnb);
	bool is_other;

	picture_put(now, PICTURE_MODSEQ, b,
	    picture_get(old, PICTURE_MODSEQ, a));
	picture_put(now, PICTURE_SAVED, b,
	    picture_get(old, PICTURE_SAVED, a));
	picture_put(now, PICTURE_KW, b, (picture_kw(now, b) &
	    ~KEYWORDS_WORDS) | (kw & KEYWORDS_WORDS));
	msg_clear(b, MSG_RECENT);
	msg_set(b, a->state & MSG_RECENT);
	is_other = msg_flags(a) != msg_flags(b) || picture_kw(now, b) != kw;
	if (is_other)
		md_news(md, b->uid, MAILDIR_CHANGED);
	if (is_other_message(an, bn))
		cache_void(md);
	/* With equal names the record is what lies: its columns are not what
	 * the name says. */
	if (a->state & MSG_UNRECORDED)
		msg_set(b, MSG_UNRECORDED);	/* it is in the list already */
	else if (is_other || (a->state & MSG_NEW) != (b->state & MSG_NEW) ||
	    !is_span_eq(an, bn))
		history_changed(md, b);
}

void
merge_picture(struct maildir *md, struct picture *now, uint32_t next)
{
	struct picture *old = &md->pic;
	uint32_t last = old->msgs.n == 0 ? 0 :
	    old->msgs.v[old->msgs.n - 1].uid;
	size_t i = 0, k = 0;

	md->history.is_partial = md->is_short;
	while (i < old->msgs.n || k < now->msgs.n) {
		struct msg *a = i < old->msgs.n ? &old->msgs.v[i] : NULL;
		struct msg *b = k < now->msgs.n ? &now->msgs.v[k] : NULL;

		if (b == NULL || (a != NULL && a->uid < b->uid)) {
			md_departed(md, a);
			i++;
			continue;
		}
		if (a != NULL && a->uid == b->uid) {
			carry_over(md, now, b, a);
			i++;
		} else if (b->uid >= next) {
			md_arrived(md, now, b);
			/* A journal is replayed in order of UID. */
			md->history.must_save |= b->uid < last;
		} else {
			msg_set(b, MSG_GONE);	/* not before the next open */
			md->history.is_partial = true;
		}
		k++;
	}
	picture_sweep(now);
	history_keep_gone(md, old);
	picture_done(old);
	*old = *now;
}
