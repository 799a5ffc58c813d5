/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * span.h: bytes that somebody else owns.
 *
 * All text from outside (network, files, messages) is handled as a pointer and
 * a length; NUL is a byte like any other.  A span never owns its bytes: each
 * function that returns one says whose they are.  Character classes and case
 * are ASCII's, whatever the locale.
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const uint8_t *p;	/* may be NULL when n is 0 */
	size_t n;
};

/* A span over a string literal, usable in initialisers. */
#define SPAN(lit) \
	((struct span){ (const uint8_t *)("" lit), sizeof(lit) - 1 })
#define SPAN_NONE	((struct span){ NULL, 0 })

static inline struct span
span_of(const void *p, size_t n)
{
	return (struct span){ p, n };
}

static inline struct span
span_str(const char *s)
{
	return (struct span){ (const uint8_t *)s, strlen(s) };
}

static inline bool
is_upper(uint8_t c)
{
	return c >= 'A' && c <= 'Z';
}

static inline bool
is_lower(uint8_t c)
{
	return c >= 'a' && c <= 'z';
}

static inline bool
is_alpha(uint8_t c)
{
	return is_upper(c) || is_lower(c);
}

static inline bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* SP or TAB: WSP of RFC 5234. */
static inline bool
is_wsp(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static inline uint8_t
to_lower(uint8_t c)
{
	return is_upper(c) ? (uint8_t)(c | 0x20) : c;
}

static inline uint8_t
to_upper(uint8_t c)
{
	return is_lower(c) ? (uint8_t)(c & ~0x20) : c;
}

static inline bool
is_span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Without regard to ASCII case. */
static inline bool
is_span_ieq(struct span a, struct span b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (to_lower(a.p[i]) != to_lower(b.p[i]))
			return false;
	return true;
}

static inline bool
has_prefix(struct span s, struct span prefix)
{
	return s.n >= prefix.n &&
	    (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool
has_iprefix(struct span s, struct span prefix)
{
	return s.n >= prefix.n &&
	    is_span_ieq((struct span){ s.p, prefix.n }, prefix);
}

static inline bool
has_suffix(struct span s, struct span suffix)
{
	return s.n >= suffix.n && (suffix.n == 0 ||
	    memcmp(s.p + (s.n - suffix.n), suffix.p, suffix.n) == 0);
}

/* Byte order, shorter first: <0, 0, >0. */
static inline int
span_cmp(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	if (c != 0)
		return c;
	return a.n < b.n ? -1 : a.n > b.n;
}

/* What follows the first n bytes; empty when there are not so many. */
static inline struct span
span_skip(struct span s, size_t n)
{
	if (n > s.n)
		n = s.n;
	return (struct span){ n == 0 ? s.p : s.p + n, s.n - n };
}

/* The first n bytes, or all. */
static inline struct span
span_take(struct span s, size_t n)
{
	return (struct span){ s.p, n < s.n ? n : s.n };
}

/* Offset of the first c, or s.n. */
static inline size_t
span_find(struct span s, uint8_t c)
{
	const uint8_t *q = s.n == 0 ? NULL : memchr(s.p, c, s.n);

	return q == NULL ? s.n : (size_t)(q - s.p);
}

/* Offset of the last c, or s.n. */
static inline size_t
span_rfind(struct span s, uint8_t c)
{
	for (size_t i = s.n; i > 0; i--)
		if (s.p[i - 1] == c)
			return i - 1;
	return s.n;
}

static inline bool
has_byte(struct span s, uint8_t c)
{
	return span_find(s, c) < s.n;
}

/*
 * span_split(rest, sep): the text before the first sep; *rest becomes what
 * follows it.  Without a sep all of *rest is returned and *rest becomes empty
 * with p == NULL, so that "is there more" is rest->p != NULL.
 */
static inline struct span
span_split(struct span *rest, uint8_t sep)
{
	size_t i = span_find(*rest, sep);
	struct span head = { rest->p, i };

	if (i == rest->n)
		*rest = SPAN_NONE;
	else
		*rest = (struct span){ rest->p + i + 1, rest->n - i - 1 };
	return head;
}

/* Without SP, TAB, CR and LF at both ends. */
static inline struct span
span_trim(struct span s)
{
	while (s.n > 0 && (is_wsp(s.p[0]) || s.p[0] == '\r' || s.p[0] == '\n'))
		s = span_skip(s, 1);
	while (s.n > 0 && (is_wsp(s.p[s.n - 1]) || s.p[s.n - 1] == '\r' ||
	    s.p[s.n - 1] == '\n'))
		s.n--;
	return s;
}

#endif
