/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * crc32c.h: the check of our own files: CRC-32C (Castagnoli; RFC 3720 12.1),
 * which current processors compute themselves.
 */
#ifndef MAILDIR_CRC32C_H
#define MAILDIR_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* crc32c(crc, p, n): of n bytes more; crc is 0 at first, or the result for what
 * stands before them. */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);

#endif
