/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * enc.h: integers and counted strings, written to a buffer and read back
 * through a cursor that notices the end.  Integers are big-endian, but for
 * enc_number().
 *
 * Reading is sticky: after the first failure every further get returns zero
 * values and dec_end() returns ERR_PROTO.  So a reader takes all fields, then
 * calls dec_end() once, and believes nothing before it returned 0.
 */
#ifndef BASE_ENC_H
#define BASE_ENC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

void enc_u8(struct buf *b, uint8_t v);
void enc_u16(struct buf *b, uint16_t v);
void enc_u32(struct buf *b, uint32_t v);
void enc_u64(struct buf *b, uint64_t v);

/* 7 bits a byte, the low ones first; the last byte has its top bit clear: small
 * numbers take little (LEB128 of DWARF 5, 7.6). */
void enc_number(struct buf *b, uint64_t v);

/* A 32-bit count, then the bytes. */
void enc_bytes(struct buf *b, struct span s);

/* be32_get(p), be32_put(p, v): four bytes in place. */
static inline uint32_t
be32_get(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

static inline void
be32_put(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

struct dec {
	struct span rest;
	bool failed;
};

static inline struct dec
dec_init(struct span s)
{
	return (struct dec){ s, false };
}

uint8_t dec_u8(struct dec *d);
uint16_t dec_u16(struct dec *d);
uint32_t dec_u32(struct dec *d);
uint64_t dec_u64(struct dec *d);
uint64_t dec_number(struct dec *d);

/* dec_bytes(d, max): a counted string of at most max bytes, in the input. */
struct span dec_bytes(struct dec *d, size_t max);

/* dec_end(d): 0 if nothing failed and nothing is left over; else ERR_PROTO. */
int dec_end(const struct dec *d) ERR_CHECK;

#endif
