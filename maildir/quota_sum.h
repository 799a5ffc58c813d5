/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * quota_sum.h: what all messages of a user add up to, and when a directory of
 * theirs last changed.
 *
 * Mailboxes that are symbolic links are not counted, neither are directories
 * without cur/ and new/ (".dovecot.sieve"), nor files that begin with a dot.
 * The size of a message is S= of its name, else that of the file.
 */
#ifndef MAILDIR_QUOTA_SUM_H
#define MAILDIR_QUOTA_SUM_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"

struct maildir_store;

/* What one directory adds up to, while its ctime is this. */
struct quota_dir {
	dev_t dev;
	ino_t ino;
	uint64_t ctime;		/* nanoseconds */
	uint64_t bytes;
	uint64_t messages;
};

/* Kept between sums, so that a second one reads only what has changed. */
struct quota_cache {
	VEC(struct quota_dir) dirs;	/* in the order of the walk */
	size_t next;			/* expected to be asked for */
};

struct quota_sum {
	uint64_t bytes;
	uint64_t messages;
	uint64_t newest;	/* ctime of a new/ or cur/, nanoseconds */
};

/* quota_sum(store, cache, ret): of all mailboxes. */
int quota_sum(const struct maildir_store *store, struct quota_cache *cache,
    struct quota_sum *ret) ERR_CHECK;

/* quota_sum_newest(store, ret): only the time; reads no message's name. */
int quota_sum_newest(const struct maildir_store *store, uint64_t *ret)
    ERR_CHECK;

/* quota_sum_one(at, name, ret): of one mailbox's directory; nothing if it is a
 * link. */
int quota_sum_one(int at, const char *name, struct quota_sum *ret) ERR_CHECK;

/* quota_sum_file(dir, name, ret): of one message.  ERR_NOENT: it is gone. */
int quota_sum_file(int dir, const char *name, uint64_t *ret) ERR_CHECK;

void quota_sum_forget(struct quota_cache *cache);

#endif
