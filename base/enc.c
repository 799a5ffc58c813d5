/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "base/enc.h"

static void
put_be(struct buf *b, uint64_t v, size_t n)
{
	uint8_t bytes[8];

	for (size_t i = n; i > 0; i--) {
		bytes[i - 1] = (uint8_t)v;
		v >>= 8;
	}
	buf_put(b, bytes, n);
}

void
enc_u8(struct buf *b, uint8_t v)
{
	put_be(b, v, 1);
}

void
enc_u16(struct buf *b, uint16_t v)
{
	put_be(b, v, 2);
}

void
enc_u32(struct buf *b, uint32_t v)
{
	put_be(b, v, 4);
}

void
enc_u64(struct buf *b, uint64_t v)
{
	put_be(b, v, 8);
}

void
enc_number(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_putc(b, (uint8_t)(v | 0x80));
	buf_putc(b, (uint8_t)v);
}

void
enc_bytes(struct buf *b, struct span s)
{
	if (s.n > UINT32_MAX) {
		b->overflowed = true;
		return;
	}
	enc_u32(b, (uint32_t)s.n);
	buf_put_span(b, s);
}

static uint64_t
get_be(struct dec *d, size_t n)
{
	uint64_t v = 0;

	if (d->failed || d->rest.n < n) {
		d->failed = true;
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		v = v << 8 | d->rest.p[i];
	d->rest = span_skip(d->rest, n);
	return v;
}

uint8_t
dec_u8(struct dec *d)
{
	return (uint8_t)get_be(d, 1);
}

uint16_t
dec_u16(struct dec *d)
{
	return (uint16_t)get_be(d, 2);
}

uint32_t
dec_u32(struct dec *d)
{
	return (uint32_t)get_be(d, 4);
}

uint64_t
dec_u64(struct dec *d)
{
	return get_be(d, 8);
}

uint64_t
dec_number(struct dec *d)
{
	uint64_t v = 0;
	uint8_t byte = 0x80;

	for (unsigned shift = 0; byte >= 0x80 && !d->failed; shift += 7) {
		byte = dec_u8(d);
		/* The tenth has room for one bit. */
		if (shift > 63 || (shift == 63 && byte > 1))
			d->failed = true;
		else
			v |= (uint64_t)(byte & 0x7f) << shift;
	}
	return d->failed ? 0 : v;
}

struct span
dec_bytes(struct dec *d, size_t max)
{
	uint32_t n = dec_u32(d);
	struct span s;

	if (d->failed || n > max || n > d->rest.n) {
		d->failed = true;
		return SPAN("");
	}
	s = span_take(d->rest, n);
	d->rest = span_skip(d->rest, n);
	return s;
}

int
dec_end(const struct dec *d)
{
	return d->failed || d->rest.n != 0 ? ERR_PROTO : 0;
}
