/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * radix.h: an order by numbers, in linear time.
 */
#ifndef IMAPD_MAILBOX_RADIX_H
#define IMAPD_MAILBOX_RADIX_H

#include <stdint.h>

/*
 * radix_sort(key, order, n): order holds n numbers, indices into key; it is
 * brought into ascending order of key.  Those with equal keys stay as they are
 * to one another.
 */
void radix_sort(const uint64_t *key, uint32_t *order, uint32_t n);

/* radix_signed(v): v as a key: negative ones come first. */
static inline uint64_t
radix_signed(int64_t v)
{
	return (uint64_t)v ^ UINT64_C(1) << 63;
}

#endif
