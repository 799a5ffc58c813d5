/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "message/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"

#define HOLD_MAX	16	/* bytes of the longest cut character, with the
				 * escape sequences before it */
#define GROWTH		4	/* UTF-8 bytes for one byte of any charset */

enum kind { KIND_UTF8, KIND_LATIN1, KIND_CP1252, KIND_ICONV };

struct charset {
	enum kind kind;
	bool is_ascii;		/* bytes below 0x80 stand for themselves */
	iconv_t cd;
	size_t nhold;
	uint8_t hold[HOLD_MAX];	/* a character that is cut */
};

/* Names that mailers use and what they mean.  GB2312 and KS C 5601 are labels
 * for what in fact is written in their supersets. */
static const struct alias {
	struct span name;
	enum kind kind;
	const char *iconv;
	bool is_ascii;
} aliases[] = {
	{ SPAN(""), KIND_UTF8, NULL, true },
	{ SPAN("us-ascii"), KIND_UTF8, NULL, true },
	{ SPAN("ascii"), KIND_UTF8, NULL, true },
	{ SPAN("ansi_x3.4-1968"), KIND_UTF8, NULL, true },
	{ SPAN("iso646-us"), KIND_UTF8, NULL, true },
	{ SPAN("utf-8"), KIND_UTF8, NULL, true },
	{ SPAN("utf8"), KIND_UTF8, NULL, true },
	{ SPAN("unicode-1-1-utf-8"), KIND_UTF8, NULL, true },
	{ SPAN("iso-8859-1"), KIND_LATIN1, NULL, true },
	{ SPAN("iso8859-1"), KIND_LATIN1, NULL, true },
	{ SPAN("iso_8859-1"), KIND_LATIN1, NULL, true },
	{ SPAN("latin1"), KIND_LATIN1, NULL, true },
	{ SPAN("windows-1252"), KIND_CP1252, NULL, true },
	{ SPAN("cp1252"), KIND_CP1252, NULL, true },
	{ SPAN("x-ansi"), KIND_CP1252, NULL, true },
	{ SPAN("gb2312"), KIND_ICONV, "GB18030", true },
	{ SPAN("gbk"), KIND_ICONV, "GB18030", true },
	{ SPAN("ks_c_5601-1987"), KIND_ICONV, "CP949", true },
	{ SPAN("euc-kr"), KIND_ICONV, "CP949", true },
	{ SPAN("x-sjis"), KIND_ICONV, "SHIFT_JIS", false },
	{ SPAN("x-mac-roman"), KIND_ICONV, "MACINTOSH", true },
	{ SPAN("iso-8859-8-i"), KIND_ICONV, "ISO-8859-8", true },
	{ SPAN("unicode-1-1-utf-7"), KIND_ICONV, "UTF-7", false }
};

/* 0x80 to 0x9f of windows-1252; 0 where there is nothing. */
static const uint16_t cp1252[32] = {
	0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
	0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0,
	0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
	0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178
};

/* ---- opening --------------------------------------------------------- */

static struct charset *
charset_new(enum kind kind, bool is_ascii)
{
	struct charset *cs = mem_zalloc(sizeof(*cs));

	cs->kind = kind;
	cs->is_ascii = is_ascii;
	return cs;
}

static int
open_iconv(const char *name, bool is_ascii, struct charset **ret)
{
	iconv_t cd = iconv_open("UTF-8", name);

	if (cd == (iconv_t)-1)
		return ERR_UNSUPPORTED;
	*ret = charset_new(KIND_ICONV, is_ascii);
	(*ret)->cd = cd;
	return 0;
}

/*
 * RFC 2978 2.3, without the characters that mean something to iconv ("/") or to
 * a file system, where iconv may look for its tables.
 */
static bool
is_charset_name(struct span name)
{
	if (name.n > CHARSET_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i];

		if (!is_alpha(c) && !is_digit(c) && c != '-' && c != '_' &&
		    c != ':' && c != '+' && (c != '.' || i == 0))
			return false;
	}
	return true;
}

int
charset_open(struct span name, struct charset **ret)
{
	static const struct span agreeing[] = { SPAN("iso-8859-"),
	    SPAN("iso8859-"), SPAN("windows-"), SPAN("cp125"), SPAN("koi8-"),
	    SPAN("big5"), SPAN("euc-"), SPAN("gb18030"), SPAN("tis-620") };
	char cname[CHARSET_NAME_MAX + 1];
	bool is_ascii = false;

	name = span_trim(name);
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		const struct alias *a = &aliases[i];

		if (!is_span_ieq(name, a->name))
			continue;
		if (a->kind == KIND_ICONV)
			return open_iconv(a->iconv, a->is_ascii, ret);
		*ret = charset_new(a->kind, a->is_ascii);
		return 0;
	}
	if (!is_charset_name(name))
		return ERR_UNSUPPORTED;
	for (size_t i = 0; i < sizeof(agreeing) / sizeof(agreeing[0]); i++)
		is_ascii = is_ascii || has_iprefix(name, agreeing[i]);
	memcpy(cname, name.p, name.n);
	cname[name.n] = '\0';
	return open_iconv(cname, is_ascii, ret);
}

struct charset *
charset_open_unknown(void)
{
	return charset_new(KIND_UTF8, true);
}

void
charset_free(struct charset *cs)
{
	if (cs == NULL)
		return;
	if (cs->kind == KIND_ICONV)
		(void)iconv_close(cs->cd);	/* nothing to be lost */
	free(cs);
}

bool
is_charset_ascii(const struct charset *cs)
{
	return cs->is_ascii && cs->nhold == 0;
}

/* ---- UTF-8 ----------------------------------------------------------- */

size_t
charset_utf8_tail(struct span s)
{
	uint32_t cp;
	bool ok;

	for (size_t n = 1; n < UTF8_MAX && n <= s.n; n++) {
		struct span tail = span_skip(s, s.n - n);

		if (tail.p[0] < 0x80)
			return 0;
		if (tail.p[0] < 0xC0)
			continue;
		if (tail.p[0] < 0xC2 || tail.p[0] > 0xF4)
			return 0;
		/* The maximal subpart reaches to the end: it may go on. */
		return utf8_step(tail, &cp, &ok) == n && !ok ? n : 0;
	}
	return 0;
}

/* Complete the character that was held back; what remains of s. */
static struct span
utf8_complete(struct charset *cs, struct span s, struct buf *out)
{
	while (cs->nhold > 0 && s.n > 0) {
		struct span hold;

		cs->hold[cs->nhold++] = s.p[0];
		hold = span_of(cs->hold, cs->nhold);
		if (charset_utf8_tail(hold) == hold.n) {
			s = span_skip(s, 1);
			continue;
		}
		/* Whole now, or malformed before this byte. */
		if (is_utf8(hold)) {
			s = span_skip(s, 1);
		} else {
			hold.n--;
		}
		utf8_put_clean(out, hold);
		cs->nhold = 0;
	}
	return s;
}

static void
feed_utf8(struct charset *cs, struct span s, struct buf *out)
{
	s = utf8_complete(cs, s, out);
	if (s.n == 0)
		return;
	cs->nhold = charset_utf8_tail(s);
	s.n -= cs->nhold;
	memcpy(cs->hold, s.p + s.n, cs->nhold);
	if (is_utf8(s))
		buf_put_span(out, s);
	else
		utf8_put_clean(out, s);
}

/* ---- one byte, one character ----------------------------------------- */

static void
feed_table(struct charset *cs, struct span s, struct buf *out)
{
	while (s.n > 0) {
		size_t n = ascii_len(s);
		uint32_t cp;

		buf_put(out, s.p, n);
		if (n == s.n)
			return;
		cp = s.p[n];
		if (cs->kind == KIND_CP1252 && cp < 0xA0) {
			cp = cp1252[cp - 0x80];
			if (cp == 0)
				cp = UTF8_REPLACEMENT;
		}
		utf8_put(out, cp);
		s = span_skip(s, n + 1);
	}
}

/* ---- iconv ----------------------------------------------------------- */

/* glibc lets code points beyond Unicode through; nobody above us must see
 * them.  What was appended to out from start on is made clean. */
static void
clean_from(struct buf *out, size_t start)
{
	struct span s = span_skip(buf_span(out), start);
	struct buf copy;

	if (is_utf8(s))
		return;
	buf_init(&copy, s.n);
	buf_put_span(&copy, s);
	out->n = start;
	utf8_put_clean(out, buf_span(&copy));
	buf_done(&copy);
}

/*
 * Convert all of s but a character that is cut at its end; the count of bytes
 * used.  A byte that makes no sense becomes U+FFFD.
 */
static size_t
iconv_some(struct charset *cs, struct span s, struct buf *out)
{
	char *in = (char *)(uintptr_t)s.p;
	size_t left = s.n;

	while (left > 0) {
		size_t room = left * GROWTH + HOLD_MAX, rest = room;
		char *to = (char *)buf_room(out, room);
		size_t r;

		if (to == NULL)
			return s.n;
		r = iconv(cs->cd, &in, &left, &to, &rest);
		out->n += room - rest;
		clean_from(out, out->n - (room - rest));
		if (r != (size_t)-1)
			break;
		if (errno == EINVAL && left < HOLD_MAX)
			break;
		if (errno != E2BIG) {
			utf8_put(out, UTF8_REPLACEMENT);
			in++;
			left--;
		}
	}
	return s.n - left;
}

static void
feed_iconv(struct charset *cs, struct span s, struct buf *out)
{
	/* A few bytes at a time until what was held back is used up. */
	while (cs->nhold > 0 && s.n > 0) {
		size_t used;

		cs->hold[cs->nhold++] = s.p[0];
		s = span_skip(s, 1);
		used = iconv_some(cs, span_of(cs->hold, cs->nhold), out);
		cs->nhold -= used;
		memmove(cs->hold, cs->hold + used, cs->nhold);
	}
	if (s.n > 0) {
		s = span_skip(s, iconv_some(cs, s, out));
		memcpy(cs->hold, s.p, s.n);
		cs->nhold = s.n;
	}
}

/* ---- the interface --------------------------------------------------- */

void
charset_feed(struct charset *cs, struct span s, struct buf *out)
{
	if (s.n == 0)
		return;
	switch (cs->kind) {
	case KIND_UTF8:
		feed_utf8(cs, s, out);
		break;
	case KIND_LATIN1:
	case KIND_CP1252:
		feed_table(cs, s, out);
		break;
	case KIND_ICONV:
		feed_iconv(cs, s, out);
		break;
	}
}

void
charset_reset(struct charset *cs)
{
	cs->nhold = 0;
	if (cs->kind == KIND_ICONV)
		(void)iconv(cs->cd, NULL, NULL, NULL, NULL); /* cannot fail */
}

void
charset_finish(struct charset *cs, struct buf *out)
{
	if (cs->nhold > 0)
		utf8_put(out, UTF8_REPLACEMENT);
	charset_reset(cs);
}

static bool
has_replacement(struct span s)
{
	uint32_t cp;
	bool ok;

	while (s.n > 0) {
		s = span_skip(s, utf8_step(s, &cp, &ok));
		if (cp == UTF8_REPLACEMENT)
			return true;
	}
	return false;
}

int
charset_convert(struct span name, struct span s, struct buf *out)
{
	size_t start = out->n;
	struct charset *cs;
	bool is_malformed;
	int err = charset_open(name, &cs);

	if (err != 0)
		return err;
	charset_feed(cs, s, out);
	charset_finish(cs, out);
	is_malformed = cs->kind == KIND_UTF8 ? !is_utf8(s) :
	    has_replacement(span_skip(buf_span(out), start));
	charset_free(cs);
	if (!is_malformed)
		return 0;
	out->n = start;
	return ERR_SYNTAX;
}
