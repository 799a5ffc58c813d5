/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * quota.h: how much a user has, and may have, inside this folder; the rest of
 * quota.c is declared in maildir.h.
 *
 * Without a quota none of these makes a system call.
 */
#ifndef MAILDIR_QUOTA_H
#define MAILDIR_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "maildir/quota_sum.h"

struct maildir_store;

#define QUOTA_FILE	"maildirsize"
/* The next one: this and something unique. */
#define QUOTA_TMP	"maildirsize."

struct quota {
	struct quota_cache cache;
	uint64_t rest_until;	/* CLOCK_MONOTONIC; counted too recently for
				 * what it costs */
	int before;		/* the file at quota_begin(), or -1 */
};

void quota_init(struct quota *q);

void quota_done(struct quota *q);

bool has_quota(const struct maildir_store *store);

/* quota_room(store, bytes, messages): ERR_QUOTA if a user who gets these too
 * has more than he may. */
int quota_room(struct maildir_store *store, uint64_t bytes, uint64_t messages)
    ERR_CHECK;

/* quota_begin(store): messages are about to come or go, and one of the
 * following will be called for them, if they do. */
void quota_begin(struct maildir_store *store);

/*
 * quota_added(store, bytes, messages), quota_removed(): these are there now, or
 * are no longer.  If that cannot be written down, the next who asks counts.
 */
void quota_added(struct maildir_store *store, uint64_t bytes,
    uint64_t messages);
void quota_removed(struct maildir_store *store, uint64_t bytes,
    uint64_t messages);

/* quota_doubt(store): what is written down is not true any more, and whoever
 * reads it next shall see that. */
void quota_doubt(struct maildir_store *store);

/* quota_remove_mailbox(store, name): the mailbox in this directory of the root
 * is about to be emptied, and no mailbox any more. */
void quota_remove_mailbox(struct maildir_store *store, const char *name);

#endif
