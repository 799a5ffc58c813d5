/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * hash.h: texts as numbers, by a keyed hash.
 *
 * A table that gives each different text a small number.  It keeps no text, but
 * 128 bits of SipHash-2-4 under a key that is drawn anew for each table: who
 * does not know the key can neither make two texts collide nor fill one place
 * of the table, and by chance it happens to a billion texts with a probability
 * of 2^-69.  So equal numbers mean equal texts, at 16 bytes each, however long
 * they are.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

struct hash_key {
	uint64_t k0, k1;
};

struct hash_value {
	uint64_t lo, hi;
};

/* hash_value(key, s): SipHash-2-4 of s with 128 bits. */
struct hash_value hash_value(const struct hash_key *key, struct span s);

struct hash_table {
	struct hash_key key;
	struct hash_value *value;	/* by number */
	uint32_t *slot;			/* number + 1; 0: empty */
	uint32_t n, cap, mask, max;
};

/*
 * hash_table_init(t, max): an empty table of at most max texts (not more than
 * 2^30), with a key of its own.  ERR_IO: the system has no random bytes.
 */
int hash_table_init(struct hash_table *t, uint32_t max) ERR_CHECK;
void hash_table_done(struct hash_table *t);

/*
 * hash_table_put(t, s, ret): the number of s; a text not seen before gets the
 * next one, from 0 on (so t->n has grown).  ERR_LIMIT: s is new and the table
 * is full.
 */
int hash_table_put(struct hash_table *t, struct span s, uint32_t *ret)
    ERR_CHECK;

#endif
