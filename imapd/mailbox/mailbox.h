/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * mailbox.h: the selected mailbox as this client has been told of it.
 *
 * Sequence numbers are given, resolved and withdrawn here only.  A struct
 * mailbox joins a struct maildir (what is there) with what the client knows:
 * the list of UIDs in the order of their sequence numbers.  News found by a
 * refresh wait here until the command table says that they may be told: flags
 * and arrivals at the end of any command, expunges only where no command that
 * uses sequence numbers can be confused by them (RFC 3501 7.4.1).
 */
#ifndef IMAPD_MAILBOX_MAILBOX_H
#define IMAPD_MAILBOX_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "imapd/wire/seqset.h"
#include "imapd/wire/wire_out.h"
#include "maildir/maildir.h"

struct mailbox;
struct msgview;

/*
 * mailbox_open(store, path, is_readonly, ret): the errors of maildir_open().
 * The client has been told nothing yet: mailbox_announce() tells it.
 */
int mailbox_open(struct maildir_store *store, const struct maildir_path *path,
    bool is_readonly, struct mailbox **ret) ERR_CHECK;
void mailbox_close(struct mailbox *mb);

/* The view of this mailbox's messages for FETCH and SEARCH, made when it is
 * first asked for; mailbox_close() frees it. */
struct msgview *mailbox_view(struct mailbox *mb);

/* The store's side; its picture may be ahead of what the client knows. */
struct maildir *mailbox_store(struct mailbox *mb);
const struct maildir_path *mailbox_path(const struct mailbox *mb);
/* mailbox_renamed(mb, from, to): it goes on under another path; from is its
 * path, or how that begins. */
void mailbox_renamed(struct mailbox *mb, const struct maildir_path *from,
    const struct maildir_path *to);
bool is_mailbox_readonly(const struct mailbox *mb);

/*
 * has_mailbox_record(mb, uid, at, ret): what the store says of a message; false
 * if it has none of that UID any more.  *at, zero at first, is where the last
 * call found its message: for a walk in order of UID each call costs the same,
 * however many messages there are.
 */
bool has_mailbox_record(const struct mailbox *mb, uint32_t uid, size_t *at,
    struct maildir_msg *ret);

/* Count of messages the client knows of: the highest sequence number. */
uint32_t mailbox_count(const struct mailbox *mb);

/* UID of sequence number seq (1 .. count). */
uint32_t mailbox_uid(const struct mailbox *mb, uint32_t seq);

/* Sequence number of the first known message with this UID or a higher one;
 * count + 1 if there is none. */
uint32_t mailbox_seq_at(const struct mailbox *mb, uint32_t uid);

/*
 * The messages a command names, as an array of (seq, uid) in ascending order,
 * in the arena.  Sequence numbers: one that is out of range is ERR_LIMIT (the
 * caller answers BAD).  UIDs that are not there are left out.  The set is used
 * up.
 */
struct mailbox_msg {
	uint32_t seq;
	uint32_t uid;
};

int mailbox_resolve(struct mailbox *mb, struct seqset *set, bool is_uid,
    struct arena *arena, struct mailbox_msg **ret, size_t *ret_n) ERR_CHECK;

/*
 * The set of "$" (RFC 5182).  mailbox_save() takes UIDs in ascending order;
 * messages that are expunged leave it.
 */
void mailbox_save(struct mailbox *mb, const uint32_t *uids, size_t n);

/*
 * mailbox_sync(mb): refresh the store and remember the news.  Tells nothing.
 */
int mailbox_sync(struct mailbox *mb) ERR_CHECK;

/* mailbox_changed(mb, uid): this session changed the flags of uid: the client
 * is to be told with the next news.  mailbox_touched(): it knows them, but not
 * the new mod-sequence.  mailbox_told(): it has just been told of both, or does
 * not want to be. */
void mailbox_changed(struct mailbox *mb, uint32_t uid);
void mailbox_touched(struct mailbox *mb, uint32_t uid);
void mailbox_told(struct mailbox *mb, uint32_t uid);
/* mailbox_expunged(mb, uid): gone from the store by our own doing. */
void mailbox_expunged(struct mailbox *mb, uint32_t uid);

/* How the client may and wants to be told: a set of these. */
enum {
	MAILBOX_EXPUNGES = 1,	/* of expunges too */
	MAILBOX_UIDS = 2,	/* FETCH with UID, which comes first */
	MAILBOX_MODSEQS = 4,	/* FETCH with MODSEQ (RFC 7162 3.1) */
	MAILBOX_VANISHED = 8	/* VANISHED in place of EXPUNGE (RFC 7162
				 * 3.2.10.2) */
};

/*
 * mailbox_tell(mb, out, how): the news: EXPUNGE (if allowed), EXISTS (if there
 * is more), RECENT (if that or EXPUNGE changed it), new keywords (FLAGS), FETCH
 * FLAGS of what changed.
 */
void mailbox_tell(struct mailbox *mb, struct wire_out *out, unsigned how);

/*
 * mailbox_modseq(mb): the highest mod-sequence up to which the client has been
 * told of everything: what HIGHESTMODSEQ says.  Never 0, and never lower than
 * before.  The store's own may be higher while expunges wait to be told.
 */
uint64_t mailbox_modseq(const struct mailbox *mb);

/*
 * mailbox_take_modseq(mb): the same, if the client must be told of it now, else
 * 0.  It must when the news had VANISHED in it, which carries no mod-sequence;
 * and when MODSEQs were told that are higher than that of an expunge not yet
 * told, lest it takes them for the state that it has (RFC 7162 3.2, 6).
 */
uint64_t mailbox_take_modseq(struct mailbox *mb);

/* mailbox_announce(mb, out): what SELECT must say before its tagged OK. */
void mailbox_announce(struct mailbox *mb, struct wire_out *out);

/* ---- what a client that comes back has missed (RFC 7162 3.2) ---------- */

/*
 * mailbox_since(mb, since, msgs, n): keep those of msgs that have a higher
 * mod-sequence; returns how many.
 */
size_t mailbox_since(const struct mailbox *mb, uint64_t since,
    struct mailbox_msg *msgs, size_t n);

/*
 * mailbox_tell_earlier(mb, out, arena, since, uids, known_to): VANISHED
 * (EARLIER) of those UIDs of the set that were expunged after since, but for
 * those that this client has numbers for.  If it is not known any more which
 * those are: of all that are not there, above UID known_to, up to which the
 * client is known to know.  The set is used up; "*" is the last UID that was
 * ever given.
 */
void mailbox_tell_earlier(struct mailbox *mb, struct wire_out *out,
    struct arena *arena, uint64_t since, struct seqset *uids,
    uint32_t known_to);

/*
 * mailbox_match(mb, seqs, uids): the highest UID of which the client says that
 * it has the sequence number that it has, 0 if there is none: seq-match-data
 * (RFC 7162 3.2.5.2), in ascending order, as parsed.
 */
uint32_t mailbox_match(const struct mailbox *mb, const struct seqset *seqs,
    const struct seqset *uids);

/*
 * mailbox_tell_since(mb, out, since, uids): FETCH (UID FLAGS MODSEQ) of the
 * messages of the set that have a higher mod-sequence.  The set has been used
 * up by mailbox_tell_earlier().
 */
void mailbox_tell_since(struct mailbox *mb, struct wire_out *out,
    uint64_t since, const struct seqset *uids);

/* mailbox_put_flags(mb, b, msg): "FLAGS (\Seen foo)" of a message. */
void mailbox_put_flags(struct mailbox *mb, struct buf *b,
    const struct maildir_msg *msg);

#endif
