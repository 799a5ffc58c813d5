/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fuzz_mailbox.h: five messages, and sessions that find any bytes beside them.
 */
#ifndef TESTS_FUZZ_FUZZ_MAILBOX_H
#define TESTS_FUZZ_FUZZ_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maildir/indexfile.h"
#include "maildir/maildir.h"

/* The generation of the index and the journal that are tried. */
#define FUZZ_GENERATION	UINT64_C(0x0123456789abcdef)

/* fuzz_check(ok): what does not hold ends the program. */
void fuzz_check(bool ok);

/* fuzz_mailbox(): INBOX has the five messages, their list, and no record. */
void fuzz_mailbox(void);

/* fuzz_mailbox_put(name, p, n): a file in its directory; and that. */
void fuzz_mailbox_put(const char *name, const uint8_t *p, size_t n);
const char *fuzz_mailbox_dir(void);

/* fuzz_mailbox_open(): INBOX. */
struct maildir *fuzz_mailbox_open(void);

/*
 * fuzz_mailbox_sessions(is_right): two sessions, one after the other, that ask
 * for all there is.  The record lies beside the files and does not replace
 * them: if is_right is true, UIDs and flags must be theirs.
 */
void fuzz_mailbox_sessions(bool is_right);

/* fuzz_mailbox_times(ret): those that would prove a record current. */
void fuzz_mailbox_times(struct index_times *ret);

/* Big-endian numbers in a file that is being forged. */
uint64_t fuzz_get(const uint8_t *p, size_t n);
void fuzz_set(uint8_t *p, size_t n, uint64_t v);

/* fuzz_times(p, t): as they stand in both files, 52 bytes. */
void fuzz_times(uint8_t *p, const struct index_times *t);

#endif
