/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <utf8proc.h>

#include "base/mem.h"
#include "base/utf8.h"

#include "auth/prep.h"

struct range { uint32_t first, last; };

static bool
is_in(uint32_t cp, const struct range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (cp >= ranges[i].first && cp <= ranges[i].last)
			return true;
	return false;
}

#define IS_IN(cp, ranges) \
	is_in(cp, ranges, sizeof(ranges) / sizeof((ranges)[0]))

/* RFC 3454 B.1: commonly mapped to nothing. */
static const struct range to_nothing[] = {
	{ 0x00ad, 0x00ad }, { 0x034f, 0x034f }, { 0x1806, 0x1806 },
	{ 0x180b, 0x180d }, { 0x200b, 0x200d }, { 0x2060, 0x2060 },
	{ 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff },
};

/* RFC 3454 C.1.2: spaces other than ASCII's. */
static const struct range to_space[] = {
	{ 0x00a0, 0x00a0 }, { 0x1680, 0x1680 }, { 0x2000, 0x200a },
	{ 0x202f, 0x202f }, { 0x205f, 0x205f }, { 0x3000, 0x3000 },
};

/* RFC 3454 C.2 to C.9, as RFC 4013 2.3 lists them. */
static const struct range prohibited[] = {
	{ 0x0000, 0x001f }, { 0x007f, 0x009f },		/* C.2 controls */
	{ 0x06dd, 0x06dd }, { 0x070f, 0x070f }, { 0x180e, 0x180e },
	{ 0x2028, 0x2029 }, { 0x2061, 0x2063 }, { 0x206a, 0x206f },
	{ 0xfff9, 0xfffc }, { 0x1d173, 0x1d17a },
	{ 0xe000, 0xf8ff },				/* C.3 private use */
	{ 0xf0000, 0x10ffff },
	{ 0xfdd0, 0xfdef },				/* C.4 */
	{ 0xd800, 0xdfff },				/* C.5 surrogates */
	{ 0xfffd, 0xfffd },				/* C.6 */
	{ 0x2ff0, 0x2ffb },				/* C.7 */
	{ 0x0340, 0x0341 }, { 0x200e, 0x200f },		/* C.8 */
	{ 0x202a, 0x202e },
	{ 0xe0001, 0xe0001 }, { 0xe0020, 0xe007f },	/* C.9 tags */
};

static bool
is_prohibited(uint32_t cp)
{
	return IS_IN(cp, prohibited) || (cp & 0xfffe) == 0xfffe;
}

/* RFC 4013 2.1 */
static int
map(struct span s, struct buf *b)
{
	uint32_t cp;
	bool ok;

	while (s.n > 0) {
		s = span_skip(s, utf8_step(s, &cp, &ok));
		if (!ok)
			return ERR_SYNTAX;
		if (IS_IN(cp, to_nothing))
			continue;
		utf8_put(b, IS_IN(cp, to_space) ? ' ' : cp);
	}
	return buf_err(b);
}

enum direction { DIR_NONE, DIR_LEFT, DIR_RIGHT };

static enum direction
direction_of(uint32_t cp)
{
	switch (utf8proc_get_property((utf8proc_int32_t)cp)->bidi_class) {
	case UTF8PROC_BIDI_CLASS_L:
		return DIR_LEFT;
	case UTF8PROC_BIDI_CLASS_R:
	case UTF8PROC_BIDI_CLASS_AL:
		return DIR_RIGHT;
	default:
		return DIR_NONE;
	}
}

/* RFC 4013 2.3 and 2.4 (RFC 3454 6): with a right-to-left character there is
 * no left-to-right one, and the first and the last are right-to-left. */
static int
check(struct span s)
{
	bool has_left = false, has_right = false, is_first_right = false;
	enum direction dir = DIR_NONE;
	struct span rest = s;
	uint32_t cp;
	bool ok;

	while (rest.n > 0) {
		size_t at = s.n - rest.n;

		rest = span_skip(rest, utf8_step(rest, &cp, &ok));
		if (!ok || is_prohibited(cp))
			return ERR_SYNTAX;
		dir = direction_of(cp);
		has_left |= dir == DIR_LEFT;
		has_right |= dir == DIR_RIGHT;
		if (at == 0)
			is_first_right = dir == DIR_RIGHT;
	}
	if (has_right && (has_left || !is_first_right || dir != DIR_RIGHT))
		return ERR_SYNTAX;
	return 0;
}

/* RFC 4013 2.2 */
static int
normalise(struct span s, struct buf *b)
{
	utf8proc_uint8_t *out = NULL;
	utf8proc_ssize_t n;
	struct span made;
	int err;

	n = utf8proc_map(s.p, (utf8proc_ssize_t)s.n, &out, UTF8PROC_STABLE |
	    UTF8PROC_COMPOSE | UTF8PROC_COMPAT);
	if (n < 0)
		return ERR_SYNTAX;
	made = span_of(out, (size_t)n);
	err = check(made);
	if (err == 0) {
		buf_put_span(b, made);
		err = buf_err(b);
	}
	mem_wipe_free(out, made.n);
	return err;
}

int
prep_saslprep(struct span s, struct buf *b)
{
	struct buf mapped;
	int err;

	buf_init(&mapped, b->max);
	/* A buffer that grows leaves copies of what was in it. */
	(void)buf_room(&mapped, b->max);
	err = map(s, &mapped);
	if (err == 0 && mapped.n > 0)
		err = normalise(buf_span(&mapped), b);
	buf_wipe_done(&mapped);
	return err;
}

int
prep_latin1(struct span s, struct buf *b)
{
	for (size_t i = 0; i < s.n; i++)
		utf8_put(b, s.p[i]);
	return buf_err(b);
}

int
prep_alternative(struct span s, struct buf *b)
{
	int err;

	if (is_ascii(s))
		return ERR_NOENT;
	err = is_utf8(s) ? prep_saslprep(s, b) : prep_latin1(s, b);
	if (err != 0 || is_span_eq(s, buf_span(b)))
		return ERR_NOENT;
	return 0;
}
