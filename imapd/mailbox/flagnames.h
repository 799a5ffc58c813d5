/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * flagnames.h: the flags and keywords of a mailbox, spelled.
 *
 * Keywords that are no atoms are not told: other programs write that file too,
 * and what they write must not end a line of ours.
 */
#ifndef IMAPD_MAILBOX_FLAGNAMES_H
#define IMAPD_MAILBOX_FLAGNAMES_H

#include <stdint.h>

#include "base/buf.h"
#include "maildir/maildir.h"

/* Bit i: keyword number i has a name that can be told. */
uint64_t flagnames_set(const struct maildir *md);

/* "\Answered \Flagged ... $Forwarded": all there are. */
void flagnames_put_all(const struct maildir *md, struct buf *b);

/* "FLAGS (\Seen $Forwarded)" of a message. */
void flagnames_put(const struct maildir *md, struct buf *b,
    const struct maildir_msg *msg);

#endif
