/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * history.h: mod-sequences.  The seam for imapd.journal: everything that
 * changes a message goes through history_change(), everything that removes one
 * through history_expunge(), and these two are what the journal will record.
 *
 * Until it is there, mod-sequences are microseconds of the real-time clock: the
 * value of a mailbox at rest is the time its directories last changed, so that
 * it is the same for everybody who opens it and grows with every change made by
 * anyone; and each change within a session gets a higher one.
 */
#ifndef MAILDIR_HISTORY_H
#define MAILDIR_HISTORY_H

#include <stdint.h>

struct history {
	uint64_t highest;
};

/* history_open(h, changed_ns): a mailbox whose directories changed last at this
 * time. */
void history_open(struct history *h, uint64_t changed_ns);

/* history_change(h, uid): the mod-sequence of a change of this message. */
uint64_t history_change(struct history *h, uint32_t uid);

/* history_expunge(h, uid): the same for its end. */
uint64_t history_expunge(struct history *h, uint32_t uid);

#endif
