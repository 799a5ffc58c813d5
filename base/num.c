/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "base/num.h"

uint64_t
num_prefix(struct span s, size_t *ret_len)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < s.n && is_digit(s.p[i]); i++)
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			v = UINT64_MAX;
	*ret_len = i;
	return v;
}

int
num_u64(struct span s, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.n == 0)
		return ERR_SYNTAX;
	for (size_t i = 0; i < s.n; i++)
		if (!is_digit(s.p[i]))
			return ERR_SYNTAX;
	for (size_t i = 0; i < s.n; i++)
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return ERR_LIMIT;
	if (v < min || v > max)
		return ERR_LIMIT;
	*ret = v;
	return 0;
}

int
num_u32(struct span s, uint32_t min, uint32_t max, uint32_t *ret)
{
	uint64_t v;
	int err = num_u64(s, min, max, &v);

	if (err == 0)
		*ret = (uint32_t)v;
	return err;
}

int
num_hexdigit(uint8_t c)
{
	if (is_digit(c))
		return c - '0';
	c = to_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
num_hex32(struct span s, uint32_t *ret)
{
	uint32_t v = 0;

	if (s.n == 0 || s.n > 8)
		return ERR_SYNTAX;
	for (size_t i = 0; i < s.n; i++) {
		int d = num_hexdigit(s.p[i]);

		if (d < 0)
			return ERR_SYNTAX;
		v = v << 4 | (uint32_t)d;
	}
	*ret = v;
	return 0;
}

size_t
num_print(uint64_t v, uint8_t out[NUM_U64_DIGITS])
{
	uint8_t tmp[NUM_U64_DIGITS];
	size_t n = 0;

	do {
		tmp[n++] = (uint8_t)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	for (size_t i = 0; i < n; i++)
		out[i] = tmp[n - 1 - i];
	return n;
}
