/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * thread.h: the trees of THREAD (RFC 5256; REFS: draft-ietf-morg-inthread-01).
 *
 * Time and memory grow with the number of messages and of the identifiers they
 * name, whatever the shape of the trees; nothing here recurses.
 */
#ifndef IMAPD_MAILBOX_THREAD_H
#define IMAPD_MAILBOX_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "imapd/mailbox/sortkey.h"
#include "imapd/wire/command.h"

/* Different identifiers in one THREAD; more are as if they were not named. */
#define THREAD_IDS_MAX	(4 * 1000 * 1000)

struct thread;

/* thread_new(alg, ret): ERR_IO: the system has no random bytes. */
int thread_new(enum thread_algorithm alg, struct thread **ret) ERR_CHECK;
void thread_free(struct thread *th);

/* What is needed of a message: a set of SORTKEY_; INTERNALDATE. */
unsigned thread_wants(const struct thread *th);
bool has_thread_arrival(const struct thread *th);

/*
 * thread_add(th, k, arrival, num): the next message in the order of the
 * mailbox; num is what it is called, not 0.  arrival, the INTERNALDATE, is
 * needed if has_thread_arrival() or k has no date.
 */
void thread_add(struct thread *th, const struct sortkey *k, int64_t arrival,
    uint32_t num);

/* thread_make(th): all messages are there: make the trees. */
void thread_make(struct thread *th);

/* The trees, in the order in which they are written. */
enum thread_token {
	THREAD_OPEN,		/* "(" */
	THREAD_NUMBER,		/* a message */
	THREAD_CLOSE		/* ")" */
};

/* Called for each; num is that of a message. */
typedef void thread_visit(void *arg, enum thread_token token, uint32_t num);

void thread_walk(const struct thread *th, thread_visit *visit, void *arg);

#endif
