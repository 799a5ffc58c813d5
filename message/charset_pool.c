/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "message/charset_pool.h"

#include <string.h>

void
charset_pool_init(struct charset_pool *pool)
{
	*pool = (struct charset_pool){ VEC_INIT };
}

void
charset_pool_done(struct charset_pool *pool)
{
	for (size_t i = 0; i < pool->list.n; i++)
		charset_free(pool->list.v[i].cs);
	VEC_DONE(&pool->list);
}

int
charset_pool_get(struct charset_pool *pool, struct span name,
    struct charset **ret)
{
	struct charset_pooled new;
	int err;

	name = span_trim(name);
	for (size_t i = 0; i < pool->list.n; i++) {
		const struct charset_pooled *p = &pool->list.v[i];

		if (is_span_ieq(name, span_of(p->name, p->n))) {
			charset_reset(p->cs);
			*ret = p->cs;
			return 0;
		}
	}
	if (name.n > sizeof(new.name))
		return ERR_UNSUPPORTED;
	if (pool->list.n == CHARSET_POOL_MAX)
		return ERR_LIMIT;
	err = charset_open(name, &new.cs);
	if (err != 0)
		return err;
	if (name.n > 0)
		memcpy(new.name, name.p, name.n);
	new.n = name.n;
	VEC_PUSH(&pool->list, new);
	*ret = new.cs;
	return 0;
}
