/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "base/hash.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/mem.h"

#define SLOTS_MIN	64

/* ---- SipHash-2-4 (Aumasson and Bernstein, 2012), 128 bits ------------- */

struct sip {
	uint64_t a, b, c, d;
};

static inline uint64_t
rotl(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

static inline void
sip_round(struct sip *s)
{
	s->a += s->b;
	s->c += s->d;
	s->b = rotl(s->b, 13) ^ s->a;
	s->d = rotl(s->d, 16) ^ s->c;
	s->a = rotl(s->a, 32);
	s->c += s->b;
	s->a += s->d;
	s->b = rotl(s->b, 17) ^ s->c;
	s->d = rotl(s->d, 21) ^ s->a;
	s->c = rotl(s->c, 32);
}

static inline void
sip_word(struct sip *s, uint64_t w)
{
	s->d ^= w;
	sip_round(s);
	sip_round(s);
	s->a ^= w;
}

/* Little-endian; the compiler makes one load of it. */
static inline uint64_t
load64(const uint8_t *p)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 8; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static inline uint64_t
sip_finish(struct sip *s)
{
	for (int i = 0; i < 4; i++)
		sip_round(s);
	return s->a ^ s->b ^ s->c ^ s->d;
}

struct hash_value
hash_value(const struct hash_key *key, struct span s)
{
	struct sip v = {
		.a = key->k0 ^ UINT64_C(0x736f6d6570736575),
		.b = key->k1 ^ UINT64_C(0x646f72616e646f6d) ^ 0xee,
		.c = key->k0 ^ UINT64_C(0x6c7967656e657261),
		.d = key->k1 ^ UINT64_C(0x7465646279746573)
	};
	uint64_t last = (uint64_t)s.n << 56;
	struct hash_value ret;

	while (s.n >= 8) {
		sip_word(&v, load64(s.p));
		s = span_skip(s, 8);
	}
	for (size_t i = 0; i < s.n; i++)
		last |= (uint64_t)s.p[i] << (8 * i);
	sip_word(&v, last);
	v.c ^= 0xee;
	ret.lo = sip_finish(&v);
	v.b ^= 0xdd;
	ret.hi = sip_finish(&v);
	return ret;
}

/* ---- the table -------------------------------------------------------- */

int
hash_table_init(struct hash_table *t, uint32_t max)
{
	assert(max <= UINT32_C(1) << 30);
	*t = (struct hash_table){ .max = max };
	if (getrandom(&t->key, sizeof(t->key), 0) != (ssize_t)sizeof(t->key))
		return ERR_IO;
	t->mask = SLOTS_MIN - 1;
	t->slot = mem_zalloc(SLOTS_MIN * sizeof(*t->slot));
	return 0;
}

void
hash_table_done(struct hash_table *t)
{
	free(t->value);
	free(t->slot);
	*t = (struct hash_table){ 0 };
}

/* The slot of a value: where it is, or the empty one where it belongs. */
static uint32_t *
find(const struct hash_table *t, struct hash_value v)
{
	uint32_t i = (uint32_t)v.lo & t->mask;

	while (t->slot[i] != 0) {
		const struct hash_value *have = &t->value[t->slot[i] - 1];

		if (have->lo == v.lo && have->hi == v.hi)
			break;
		i = (i + 1) & t->mask;
	}
	return &t->slot[i];
}

/* Open addressing, at most two thirds full. */
static void
grow(struct hash_table *t)
{
	if (t->n == t->cap) {
		t->cap += t->cap / 2 + SLOTS_MIN;
		t->value = mem_resize(t->value, t->cap, sizeof(*t->value));
	}
	if (t->n < t->mask / 3 * 2)
		return;
	free(t->slot);
	t->mask = t->mask * 2 + 1;
	t->slot = mem_zalloc(((size_t)t->mask + 1) * sizeof(*t->slot));
	for (uint32_t i = 0; i < t->n; i++)
		*find(t, t->value[i]) = i + 1;
}

int
hash_table_put(struct hash_table *t, struct span s, uint32_t *ret)
{
	struct hash_value v = hash_value(&t->key, s);
	uint32_t *slot = find(t, v);

	if (*slot == 0) {
		if (t->n == t->max)
			return ERR_LIMIT;
		grow(t);
		slot = find(t, v);
		t->value[t->n++] = v;
		*slot = t->n;
	}
	*ret = *slot - 1;
	return 0;
}
