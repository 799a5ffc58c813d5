/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * mailbox.h: the selected mailbox as this client has been told of it.
 *
 * The only place where sequence numbers exist.  A struct mailbox joins a struct
 * maildir (what is there) with what the client knows: the list of UIDs in the
 * order of their sequence numbers.  News found by a refresh wait here until the
 * command table says that they may be told: flags and arrivals at the end of
 * any command, expunges only where no command that uses sequence numbers can be
 * confused by them (RFC 3501 7.4.1).
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
 * is to be told with the next news; mailbox_told(): it has just been told, or
 * does not want to be. */
void mailbox_changed(struct mailbox *mb, uint32_t uid);
void mailbox_told(struct mailbox *mb, uint32_t uid);
/* mailbox_expunged(mb, uid): gone from the store by our own doing. */
void mailbox_expunged(struct mailbox *mb, uint32_t uid);

/*
 * mailbox_tell(mb, out, with_expunges, with_uid): the news: EXPUNGE (if
 * allowed), EXISTS (if there is more), RECENT (if that or EXPUNGE changed it),
 * new keywords (FLAGS), FETCH FLAGS of what changed.  UID comes first in FETCH
 * if with_uid.
 */
void mailbox_tell(struct mailbox *mb, struct wire_out *out, bool with_expunges,
    bool with_uid);

/* mailbox_announce(mb, out): what SELECT must say before its tagged OK. */
void mailbox_announce(struct mailbox *mb, struct wire_out *out);

/* mailbox_put_flags(mb, b, msg): "FLAGS (\Seen foo)" of a message. */
void mailbox_put_flags(struct mailbox *mb, struct buf *b,
    const struct maildir_msg *msg);

#endif
