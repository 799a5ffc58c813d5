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
 *	touched[]	known UIDs whose mod-sequence it has not been told
 *	arrivals	what the store has above the last known UID; needs no
 *			list since UIDs only grow
 *
 * mailbox_tell(), in a file of its own, moves the second picture towards the
 * first, as far as the running command allows.  A message that is gone keeps
 * its sequence number until the client is told (RFC 3501 7.4.1), so known[]
 * changes there alone.
 */
#include "imapd/mailbox/mailbox_state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "imapd/mailbox/msgview.h"

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
	uidvec_done(&mb->touched);
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

bool
is_mailbox_known(const struct mailbox *mb, uint32_t uid)
{
	uint32_t seq = mailbox_seq_at(mb, uid);

	return seq <= mb->n && mb->known[seq - 1] == uid;
}

uint32_t
mailbox_last(const struct mailbox *mb)
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

		if (is_mailbox_known(mb, uid) && !has_uidvec(&mb->gone, uid))
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
	seqset_resolve(set, is_uid ? mailbox_last(mb) : mailbox_count(mb));
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
mailbox_touched(struct mailbox *mb, uint32_t uid)
{
	uidvec_add(&mb->touched, uid);
}

void
mailbox_told(struct mailbox *mb, uint32_t uid)
{
	uidvec_remove(&mb->changed, uid);
	uidvec_remove(&mb->touched, uid);
}

void
mailbox_expunged(struct mailbox *mb, uint32_t uid)
{
	if (is_mailbox_known(mb, uid))
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
		if (uid > mailbox_last(mb))
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
