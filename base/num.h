/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * num.h: decimal and hexadecimal numbers, strictly; additions that notice.
 *
 * Strict means: the whole span, digits only, at least one, no sign, no blank,
 * in range.  Leading zeros are accepted.
 */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

#define NUM_U64_DIGITS	20	/* digits of UINT64_MAX */

/*
 * num_u64(s, min, max, ret): all of s as a decimal number.  ERR_SYNTAX if it
 * is not one, ERR_LIMIT if it is outside min..max.
 */
int num_u64(struct span s, uint64_t min, uint64_t max, uint64_t *ret) ERR_CHECK;
int num_u32(struct span s, uint32_t min, uint32_t max, uint32_t *ret) ERR_CHECK;

/*
 * num_prefix(s, ret_len): the decimal number at the start of s; *ret_len is
 * the count of its digits, 0 if there are none.  Saturates at UINT64_MAX.
 */
uint64_t num_prefix(struct span s, size_t *ret_len);

/* num_hex32(s, ret): all of s, 1 to 8 hexadecimal digits of either case. */
int num_hex32(struct span s, uint32_t *ret) ERR_CHECK;

/* The value of one hexadecimal digit, or -1. */
int num_hexdigit(uint8_t c);

/* num_print(v, out): v in decimal into out; the count of digits; no NUL. */
size_t num_print(uint64_t v, uint8_t out[NUM_U64_DIGITS]);

/* a + b, a * b: 0, or ERR_LIMIT when the result does not fit. */
static inline int ERR_CHECK
num_add(uint64_t a, uint64_t b, uint64_t *ret)
{
	return __builtin_add_overflow(a, b, ret) ? ERR_LIMIT : 0;
}

static inline int ERR_CHECK
num_mul(uint64_t a, uint64_t b, uint64_t *ret)
{
	return __builtin_mul_overflow(a, b, ret) ? ERR_LIMIT : 0;
}

#endif
