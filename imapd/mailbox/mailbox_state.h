/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * mailbox_state.h: the selected mailbox from inside.
 *
 * Private to mailbox*.c, which share sequence numbers and what the client has
 * been told; others have mailbox.h.
 */
#ifndef IMAPD_MAILBOX_MAILBOX_STATE_H
#define IMAPD_MAILBOX_MAILBOX_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imapd/mailbox/mailbox.h"
#include "imapd/mailbox/uidvec.h"

struct mailbox {
	struct maildir *md;
	struct msgview *view;		/* NULL: not asked for yet */
	struct maildir_path path;	/* an own copy, in one block */
	bool is_readonly;
	uint32_t *known;
	size_t n, cap;
	struct uidvec gone;
	struct uidvec changed;
	struct uidvec touched;		/* have another mod-sequence, and the
					 * flags that the client knows of */
	struct uidvec saved;		/* "$" */
	uint64_t modseq;		/* see mailbox_modseq() */
	bool owes_modseq;		/* the client is to be told of it */
	bool is_behind;			/* ... and has been told that it is low,
					 * since some news had to wait */
	uint64_t keywords;		/* set of those the client knows */
	uint32_t recent;		/* as the client was told */
	uint32_t first_recent;		/* no lower UID is recent */
};

/* is_mailbox_known(mb, uid): the client has been told of it, and not that it is
 * gone. */
bool is_mailbox_known(const struct mailbox *mb, uint32_t uid);

/* mailbox_last(mb): the highest UID the client knows of; 0: none. */
uint32_t mailbox_last(const struct mailbox *mb);

/* mailbox_tell_flags(mb, out, seq, msg, how): "* n FETCH (...)" of one message,
 * as mailbox_tell() does it. */
void mailbox_tell_flags(struct mailbox *mb, struct wire_out *out, uint32_t seq,
    const struct maildir_msg *msg, unsigned how);

#endif
