/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * objectid.h: identifiers of mailboxes, messages and threads (RFC 8474).
 *
 *	MAILBOXID	"F" and the mailbox's GUID
 *	EMAILID		"M" and a hash of the message's GUID, which goes with it
 *			when it is copied or moved
 *	THREADID	"T" and a hash of the identifier of the message that
 *			began the thread: the first of References, else that of
 *			In-Reply-To, else its own; without any of them, of its
 *			GUID: a thread of one
 *
 * Each in 32 lower case hexadecimal digits; a hash is the first half of a
 * SHA-256.  Nothing is remembered: from the same message comes the same
 * identifier, in any mailbox and after any loss (5.2: it must not change).  The
 * price: of a thread whose programs write In-Reply-To alone, each pair is a
 * thread.  A letter in front keeps the three apart, and from being taken for
 * something else (8.1).
 */
#ifndef IMAPD_MAILBOX_OBJECTID_H
#define IMAPD_MAILBOX_OBJECTID_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "maildir/maildir.h"
#include "imapd/mailbox/msgview.h"

#define OBJECTID_SIZE	33

/* objectid_mailbox(guid, b): append the MAILBOXID of a mailbox with that GUID
 * (16 bytes). */
void objectid_mailbox(const uint8_t *guid, struct buf *b);

/* objectid_email(md, uid, b): append the EMAILID of a message.  Opens nothing.
 * ERR_GONE: there is no such message. */
int objectid_email(struct maildir *md, uint32_t uid, struct buf *b) ERR_CHECK;

/*
 * objectid_thread(md, mv, uid, b): append its THREADID, and keep it (kept.h).
 * If it was kept already, nothing is opened; else mv, a view of md, is set to
 * the message.  Errors as in msgview.h; then nothing is appended.
 */
int objectid_thread(struct maildir *md, struct msgview *mv, uint32_t uid,
    struct buf *b) ERR_CHECK;

/*
 * objectid_match(md, mv, uid, is_thread, id, ret): the message's THREADID, or
 * EMAILID, is exactly id (RFC 8474 6).  Errors as above.
 */
int objectid_match(struct maildir *md, struct msgview *mv, uint32_t uid,
    bool is_thread, struct span id, bool *ret) ERR_CHECK;

#endif
