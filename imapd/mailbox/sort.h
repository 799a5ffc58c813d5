/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * sort.h: the order of SORT (RFC 5256, 5957).
 *
 * Kept of a message is what the criteria ask for: eight bytes each.  Texts are
 * kept once, however many messages have them.
 */
#ifndef IMAPD_MAILBOX_SORT_H
#define IMAPD_MAILBOX_SORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "imapd/mailbox/sortkey.h"
#include "imapd/wire/command.h"

struct sort;

/* sort_new(args, ret): ERR_IO: the system has no random bytes. */
int sort_new(const struct sort_args *args, struct sort **ret) ERR_CHECK;
void sort_free(struct sort *so);

/* What the criteria need of a message: a set of SORTKEY_; INTERNALDATE; its
 * size. */
unsigned sort_wants(const struct sort *so);
bool has_sort_arrival(const struct sort *so);
bool has_sort_size(const struct sort *so);

/* sort_add(so, k, arrival, size): the next message.  What the criteria do not
 * need may be left 0; arrival also counts where k has no date. */
void sort_add(struct sort *so, const struct sortkey *k, int64_t arrival,
    uint64_t size);

/*
 * sort_order(so): the messages, by number from 0 in the order in which they
 * were added, sorted; "If two or more messages exactly match ..., these
 * messages are sorted according to the order in which they appear in the
 * mailbox".  Belongs to so, which takes no more messages then.
 */
const uint32_t *sort_order(struct sort *so);

#endif
