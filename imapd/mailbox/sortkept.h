/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * sortkept.h: sort keys that are kept beside the mail (maildir_keep()), so that
 * SORT and THREAD open no message twice.
 *
 * They are kept in four parts, since nobody wants all of a key: what is read
 * for SORT DATE is a few bytes of each message.
 */
#ifndef IMAPD_MAILBOX_SORTKEPT_H
#define IMAPD_MAILBOX_SORTKEPT_H

#include "imapd/mailbox/mailbox.h"
#include "imapd/mailbox/sortkey.h"

#define SORTKEPT_PARTS	4u

struct sortkept {
	struct maildir *md;
	struct msgview *mv;
	struct buf packed;		/* one part */
	bool is_partial;		/* something could not be read, or is
					 * not to be kept */
	unsigned nkinds;		/* 0: no more kinds can be kept here */
	unsigned kind[SORTKEPT_PARTS];
};

/* sortkept_init(sk, mb): for messages of mb, which outlives it. */
void sortkept_init(struct sortkept *sk, struct mailbox *mb);
void sortkept_done(struct sortkept *sk);

/*
 * sortkept_get(sk, uid, want, arena, ret): as sortkey_get() for the message
 * that the mailbox's view is set to, whose UID is uid.  What is in *ret lives
 * until the next call, or until the arena is cleared.
 */
int sortkept_get(struct sortkept *sk, uint32_t uid, unsigned want,
    struct arena *arena, struct sortkey *ret) ERR_CHECK;

/* sortkept_use(sk, want): what is kept of these is in use, although it is not
 * asked for (kinds that nobody uses are dropped). */
void sortkept_use(struct sortkept *sk, unsigned want);

#endif
