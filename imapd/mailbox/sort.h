/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * sort.h: the order of SORT (RFC 5256, 5957).
 *
 * Kept of a message is what the criteria ask for: eight bytes each.  Texts are
 * kept once, however many messages have them; and the text of a message whose
 * place among others is known from an earlier sort (imapd/mailbox/sortrank.h)
 * is not wanted at all, unless new ones have to be put between them.
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

/* What the criteria need of a message besides texts: a set of SORTKEY_;
 * INTERNALDATE; its size. */
unsigned sort_wants(const struct sort *so);
bool has_sort_arrival(const struct sort *so);
bool has_sort_size(const struct sort *so);

/* The criteria are numbered from 0, below sort_count(so).  is_sort_text(so, c,
 * ret, ret_want): criterion c compares texts: which, and the one of SORTKEY_
 * that has them. */
size_t sort_count(const struct sort *so);
bool is_sort_text(const struct sort *so, size_t c, enum sort_key *ret,
    unsigned *ret_want);

/*
 * sort_add(so, k, arrival, size, rank): the next message.  What the criteria do
 * not need may be left 0; arrival also counts where k has no date.  rank: for
 * each criterion its place among all that are added with one, of equal texts
 * the same; then k need not have the text.  SORT_NO_RANK, or NULL for all: its
 * place is not known.
 */
#define SORT_NO_RANK	UINT32_MAX
void sort_add(struct sort *so, const struct sortkey *k, int64_t arrival,
    uint64_t size, const uint32_t *rank);

/* Called for messages that were added with a rank, by number from 0: of its
 * texts those that want names (a set of SORTKEY_).  They live until the next
 * call.  An error ends the sort. */
typedef int sort_read(void *arg, uint32_t i, unsigned want,
    struct sortkey *ret);

/*
 * sort_order(so, read, arg, ret): the messages, by number from 0 in the order
 * in which they were added, sorted; "If two or more messages exactly match ...,
 * these messages are sorted according to the order in which they appear in the
 * mailbox".  *ret belongs to so, which takes no more messages then.  read may
 * be NULL if none was added with a rank; errors are its own.
 */
int sort_order(struct sort *so, sort_read *read, void *arg,
    const uint32_t **ret) ERR_CHECK;

/*
 * has_sort_ranks(so, c): after that, for a criterion of texts: the texts of all
 * messages have been compared.  sort_rank(so, c, i): then the place of message
 * i among them.
 */
bool has_sort_ranks(const struct sort *so, size_t c);
uint32_t sort_rank(const struct sort *so, size_t c, uint32_t i);

#endif
