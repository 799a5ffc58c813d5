/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * charset_pool.h: converters that are used again.
 *
 * glibc loads a shared object for most charsets, and unloads it with the last
 * converter that needs it: a tenth of a millisecond each time.  A message of
 * 50,000 encoded words, each in another charset than the one before, would keep
 * a search busy for seconds.  So what was opened stays open.
 */
#ifndef MESSAGE_CHARSET_POOL_H
#define MESSAGE_CHARSET_POOL_H

#include "base/err.h"
#include "base/span.h"
#include "base/vec.h"
#include "message/charset.h"

#define CHARSET_POOL_MAX	200	/* charsets; glibc has fewer tables */

struct charset_pooled {
	uint8_t name[CHARSET_NAME_MAX];
	size_t n;
	struct charset *cs;
};

struct charset_pool {
	VEC(struct charset_pooled) list;
};

void charset_pool_init(struct charset_pool *pool);
void charset_pool_done(struct charset_pool *pool);

/*
 * charset_pool_get(pool, name, ret): as charset_open(), but *ret stays the
 * pool's.  It is as new, and no longer to be used once the same name was asked
 * for again.  ERR_LIMIT: there are CHARSET_POOL_MAX others.
 */
int charset_pool_get(struct charset_pool *pool, struct span name,
    struct charset **ret) ERR_CHECK;

#endif
