/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * mailbox.c: the selected mailbox as this client has been told of it.
 *
 * Two pictures of one mailbox live side by side: that of the store, which is as
 * new as the last refresh, and that of the client, which is what it was told.
 * The second is known[], the UIDs in the order of their sequence numbers, four
 * bytes a message and nothing else.  What separates the two is the news:
 *
 *	gone[]		known UIDs that the store has no more
 *	changed[]	known UIDs whose flags the client has not been told
 *	arrivals	what the store has above the last known UID; needs no
 *			list since UIDs only grow
 *
 * mailbox_tell() moves the second picture towards the first, as far as the
 * running command allows.  A message that is gone keeps its sequence number
 * until the client is told (RFC 3501 7.4.1), so known[] changes there alone.
 */
#include "imapd/mailbox/mailbox.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "imapd/mailbox/flagnames.h"
#include "imapd/mailbox/msgview.h"
#include "imapd/mailbox/uidvec.h"
#include "imapd/wire/reply.h"

struct mailbox {
	struct maildir *md;
	struct msgview *view;		/* NULL: not asked for yet */
	struct maildir_path path;	/* an own copy, in one block */
	bool is_readonly;
	uint32_t *known;
	size_t n, cap;
	struct uidvec gone;
	struct uidvec changed;
	struct uidvec saved;		/* "$" */
	uint64_t keywords;		/* set of those the client knows */
	uint32_t recent;		/* as the client was told */
	uint32_t first_recent;		/* no lower UID is recent */
};

/* ---- open and close -------------------------------------------------- */

static struct maildir_path
path_dup(const struct maildir_path *path)
{
	size_t n = path->n * sizeof(struct span);
	struct span *level;
	uint8_t *text;

	for (size_t i = 0; i < path->n; i++)
		n += path->level[i].n;
	level = mem_alloc(n);
	text = (uint8_t *)(level + path->n);
	for (size_t i = 0; i < path->n; i++) {
		memcpy(text, path->level[i].p, path->level[i].n);
		level[i] = span_of(text, path->level[i].n);
		text += path->level[i].n;
	}
	return (struct maildir_path){ level, path->n };
}

int
mailbox_open(struct maildir_store *store, const struct maildir_path *path,
    bool is_readonly, struct mailbox **ret)
{
	struct maildir *md;
	struct mailbox *mb;
	int err;

	err = maildir_open(store, path, is_readonly, &md);
	if (err != 0)
		return err;
	(void)maildir_watch(md);	/* without it, each sync looks */
	mb = mem_zalloc(sizeof(*mb));
	mb->md = md;
	mb->path = path_dup(path);
	mb->is_readonly = is_readonly || is_maildir_readonly(md);
	*ret = mb;
	return 0;
}

void
mailbox_close(struct mailbox *mb)
{
	if (mb == NULL)
		return;
	msgview_free(mb->view);
	maildir_close(mb->md);
	uidvec_done(&mb->gone);
	uidvec_done(&mb->changed);
	uidvec_done(&mb->saved);
	free((void *)(uintptr_t)mb->path.level);
	free(mb->known);
	free(mb);
}

struct maildir *
mailbox_store(struct mailbox *mb)
{
	return mb->md;
}

struct msgview *
mailbox_view(struct mailbox *mb)
{
	if (mb->view == NULL)
		mb->view = msgview_new(mb->md);
	return mb->view;
}

const struct maildir_path *
mailbox_path(const struct mailbox *mb)
{
	return &mb->path;
}

void
mailbox_renamed(struct mailbox *mb, const struct maildir_path *from,
    const struct maildir_path *to)
{
	size_t nrest = mb->path.n - from->n;
	struct span *level = mem_alloc((to->n + nrest) * sizeof(*level));
	struct maildir_path path = { level, to->n + nrest };

	memcpy(level, to->level, to->n * sizeof(*level));
	if (nrest > 0)
		memcpy(level + to->n, mb->path.level + from->n,
		    nrest * sizeof(*level));
	path = path_dup(&path);
	free(level);
	free((void *)(uintptr_t)mb->path.level);
	mb->path = path;
}

bool
is_mailbox_readonly(const struct mailbox *mb)
{
	return mb->is_readonly;
}

bool
has_mailbox_record(const struct mailbox *mb, uint32_t uid, size_t *at,
    struct maildir_msg *ret)
{
	size_t n = maildir_count(mb->md);

	if (*at < n)
		maildir_get(mb->md, *at, ret);
	if (*at >= n || ret->uid != uid) {
		*at = maildir_find(mb->md, uid);
		if (*at == n)
			return false;
		maildir_get(mb->md, *at, ret);
		if (ret->uid != uid)
			return false;
	}
	(*at)++;
	return true;
}

/* ---- numbers --------------------------------------------------------- */

uint32_t
mailbox_count(const struct mailbox *mb)
{
	return (uint32_t)mb->n;
}

uint32_t
mailbox_uid(const struct mailbox *mb, uint32_t seq)
{
	assert(seq >= 1 && seq <= mb->n);
	return mb->known[seq - 1];
}

uint32_t
mailbox_seq_at(const struct mailbox *mb, uint32_t uid)
{
	size_t lo = 0, hi = mb->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (mb->known[mid] < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (uint32_t)lo + 1;
}

static bool
is_known(const struct mailbox *mb, uint32_t uid)
{
	uint32_t seq = mailbox_seq_at(mb, uid);

	return seq <= mb->n && mb->known[seq - 1] == uid;
}

/* The highest UID the client knows of; 0: none. */
static uint32_t
last_known(const struct mailbox *mb)
{
	return mb->n == 0 ? 0 : mb->known[mb->n - 1];
}

/* The messages with sequence numbers lo .. hi, but for those whose UIDs are
 * asked for and that are gone. */
static size_t
put_range(struct mailbox *mb, uint32_t lo, uint32_t hi, bool is_uid,
    struct mailbox_msg *to)
{
	size_t n = 0;

	for (uint32_t seq = lo; seq <= hi; seq++) {
		uint32_t uid = mb->known[seq - 1];

		if (is_uid && has_uidvec(&mb->gone, uid))
			continue;
		to[n++] = (struct mailbox_msg){ seq, uid };
	}
	return n;
}

static size_t
resolve_saved(struct mailbox *mb, struct arena *arena,
    struct mailbox_msg **ret)
{
	struct mailbox_msg *to = arena_array(arena, mb->saved.n, sizeof(*to));
	size_t n = 0;

	for (size_t i = 0; i < mb->saved.n; i++) {
		uint32_t uid = mb->saved.v[i];

		if (is_known(mb, uid) && !has_uidvec(&mb->gone, uid))
			to[n++] = (struct mailbox_msg){
			    mailbox_seq_at(mb, uid), uid };
	}
	*ret = to;
	return n;
}

/*
 * "*" is the last message (RFC 3501 9, seq-number), also as a UID; then each
 * range is a run of known[].
 */
int
mailbox_resolve(struct mailbox *mb, struct seqset *set, bool is_uid,
    struct arena *arena, struct mailbox_msg **ret, size_t *ret_n)
{
	struct mailbox_msg *to;
	size_t total = 0, n = 0;

	if (set->is_saved) {
		*ret_n = resolve_saved(mb, arena, ret);
		return 0;
	}
	seqset_resolve(set, is_uid ? last_known(mb) : mailbox_count(mb));
	if (!is_uid && set->n > 0 && set->range[set->n - 1].hi > mb->n)
		return ERR_LIMIT;
	for (size_t i = 0; is_uid && i < set->n; i++) {
		struct seqrange *r = &set->range[i];

		/* From here on the range is of sequence numbers, and empty if
		 * its lo is above its hi. */
		r->lo = mailbox_seq_at(mb, r->lo);
		r->hi = r->hi == UINT32_MAX ? mailbox_count(mb) :
		    mailbox_seq_at(mb, r->hi + 1) - 1;
	}
	for (size_t i = 0; i < set->n; i++)
		if (set->range[i].lo <= set->range[i].hi)
			total += set->range[i].hi - set->range[i].lo + 1;
	to = arena_array(arena, total, sizeof(*to));
	for (size_t i = 0; i < set->n; i++)
		n += put_range(mb, set->range[i].lo, set->range[i].hi, is_uid,
		    to + n);
	*ret = to;
	*ret_n = n;
	return 0;
}

void
mailbox_save(struct mailbox *mb, const uint32_t *uids, size_t n)
{
	uidvec_clear(&mb->saved);
	for (size_t i = 0; i < n; i++)
		uidvec_add(&mb->saved, uids[i]);
}

/* ---- news coming in -------------------------------------------------- */

void
mailbox_changed(struct mailbox *mb, uint32_t uid)
{
	uidvec_add(&mb->changed, uid);
}

void
mailbox_told(struct mailbox *mb, uint32_t uid)
{
	uidvec_remove(&mb->changed, uid);
}

void
mailbox_expunged(struct mailbox *mb, uint32_t uid)
{
	if (is_known(mb, uid))
		uidvec_add(&mb->gone, uid);
}

static bool
has_expunge(const struct maildir_change *change, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (change[i].what == MAILDIR_EXPUNGED)
			return true;
	return false;
}

int
mailbox_sync(struct mailbox *mb)
{
	const struct maildir_change *change;
	size_t n;
	int err;

	err = maildir_refresh(mb->md, &change, &n);
	if (err != 0)
		return err;
	/* Messages that go because their mailbox does are not expunged: a
	 * client that was told so would believe in an empty mailbox. */
	if (has_expunge(change, n) && (err = maildir_check(mb->md)) != 0)
		return err;
	for (size_t i = 0; i < n; i++) {
		uint32_t uid = change[i].uid;

		/* Above what the client knows there are only arrivals, which
		 * come with the flags they have when they are told. */
		if (uid > last_known(mb))
			break;
		switch (change[i].what) {
		case MAILDIR_EXPUNGED:
			mailbox_expunged(mb, uid);
			break;
		case MAILDIR_ADDED:
			/* A file came back under its name: as long as the
			 * client was not told of the loss, there was none.
			 * Later its number cannot be given again; it will be
			 * seen by the next SELECT. */
			uidvec_remove(&mb->gone, uid);
			break;
		case MAILDIR_CHANGED:
			mailbox_changed(mb, uid);
			break;
		}
	}
	return 0;
}

/* ---- telling --------------------------------------------------------- */

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
	size_t i = mb->n == 0 ? 0 : maildir_find(mb->md, last_known(mb) + 1);
	size_t count = maildir_count(mb->md);
	size_t n = count - i;

	if (mb->n > 0 && last_known(mb) == UINT32_MAX)
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

		if (!is_known(mb, uid) || at >= maildir_count(mb->md))
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
