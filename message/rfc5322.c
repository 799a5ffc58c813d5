/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "message/rfc5322.h"

/*
 * What each byte may be part of:
 *
 *	atext = ALPHA / DIGIT / "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" /
 *	    "-" / "/" / "=" / "?" / "^" / "_" / "`" / "{" / "|" / "}" / "~" /
 *	    UTF8-non-ascii			(RFC 5322 3.2.3, RFC 6532 3.2)
 *	token = 1*<any (US-ASCII) CHAR except SPACE, CTLs, or tspecials>
 *						(RFC 2045 5.1)
 *
 * and a dot, which obs-phrase has among its atoms.  Other bytes above 127 are
 * let into all three.
 */
#define ATEXT		1
#define TOKEN		2
#define ATEXT_OR_DOT	4

static const uint8_t class[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 7, 0, 7, 7, 7, 7, 7, 0, 0, 7, 7, 0, 7, 6, 5,
	7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 0, 0, 0, 5, 0, 5,
	0, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
	7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 0, 0, 0, 7, 7,
	7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
	7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 0,
	7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
	7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
	7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
	7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
	7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
	7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
	7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
	7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7
};

/*
 * comment = "(" *([FWS] ccontent) [FWS] ")"	(RFC 5322 3.2.2)
 *
 * The cursor is at the parenthesis.  The text goes to c->comment without the
 * outer parentheses, escapes and line ends.
 */
static void
skip_comment(struct rfc5322 *c)
{
	unsigned depth = 0;

	if (c->comment != NULL)
		buf_clear(c->comment);
	for (; c->p != c->end; c->p++) {
		uint8_t b = *c->p;

		if (b == '\\' && c->p + 1 != c->end) {
			b = *++c->p;
		} else if (b == '(') {
			if (depth++ == 0)
				continue;
		} else if (b == ')') {
			if (--depth == 0) {
				c->p++;
				return;
			}
		} else if (b == '\r' || b == '\n') {
			continue;
		}
		if (c->comment != NULL)
			buf_putc(c->comment, b);
	}
}

void
rfc5322_skip(struct rfc5322 *c)
{
	while (c->p != c->end) {
		switch (*c->p) {
		case ' ': case '\t': case '\r': case '\n':
			c->p++;
			break;
		case '(':
			skip_comment(c);
			break;
		default:
			return;
		}
	}
}

/* The bytes from here on that are of a class. */
static bool
take_class(struct rfc5322 *c, uint8_t which, struct buf *out)
{
	const uint8_t *p = c->p, *end = c->end;

	while (p != end && (class[*p] & which) != 0)
		p++;
	if (c->p == p)
		return false;
	buf_put(out, c->p, (size_t)(p - c->p));
	c->p = p;
	return true;
}

/* atom = [CFWS] 1*atext [CFWS] ; what stands before was skipped already */
bool
rfc5322_atom(struct rfc5322 *c, struct buf *out)
{
	if (!take_class(c, ATEXT, out))
		return false;
	rfc5322_skip(c);
	return true;
}

/*
 * dot-atom-text = 1*atext *("." 1*atext)
 * obs-domain    = atom *("." atom)
 *
 * Dots too many, at the start, in the middle or at the end, are kept.
 */
bool
rfc5322_dot_atom(struct rfc5322 *c, struct buf *out)
{
	if (!is_rfc5322_at(c, '.') && !rfc5322_atom(c, out))
		return false;
	while (is_rfc5322_at(c, '.')) {
		c->p++;
		buf_putc(out, '.');
		rfc5322_skip(c);
		(void)rfc5322_atom(c, out);	/* may be missing */
	}
	return true;
}

/* quoted-string = [CFWS] DQUOTE *([FWS] qcontent) [FWS] DQUOTE [CFWS] */
bool
rfc5322_quoted(struct rfc5322 *c, struct buf *out)
{
	if (!is_rfc5322_at(c, '"'))
		return false;
	for (c->p++; c->p != c->end; c->p++) {
		uint8_t b = *c->p;

		if (b == '"') {
			c->p++;
			break;
		}
		if (b == '\n' || (b == '\r' && c->p + 1 != c->end &&
		    c->p[1] == '\n'))
			continue;
		if (b == '\\' && c->p + 1 != c->end)
			b = *++c->p;
		buf_putc(out, b);
	}
	rfc5322_skip(c);
	return true;
}

/* domain-literal = [CFWS] "[" *([FWS] dtext) [FWS] "]" [CFWS] */
bool
rfc5322_domain_literal(struct rfc5322 *c, struct buf *out)
{
	if (!is_rfc5322_at(c, '['))
		return false;
	for (; c->p != c->end && *c->p != ']'; c->p++)
		if (*c->p != '\r' && *c->p != '\n')
			buf_putc(out, *c->p);
	if (c->p != c->end)
		c->p++;
	buf_putc(out, ']');
	rfc5322_skip(c);
	return true;
}

/*
 * phrase     = 1*word / obs-phrase
 * obs-phrase = word *(word / "." / CFWS)
 */
bool
rfc5322_phrase(struct rfc5322 *c, struct buf *out)
{
	bool has_word = false;

	for (;;) {
		bool is_quoted = is_rfc5322_at(c, '"');

		if (!is_quoted && (is_rfc5322_end(c) ||
		    (class[*c->p] & ATEXT_OR_DOT) == 0))
			return has_word;
		if (has_word)
			buf_putc(out, ' ');
		if (is_quoted) {
			(void)rfc5322_quoted(c, out);	/* it is there */
		} else {
			(void)take_class(c, ATEXT_OR_DOT, out);
			rfc5322_skip(c);
		}
		has_word = true;
	}
}

bool
rfc5322_mime_token(struct rfc5322 *c, struct buf *out)
{
	if (!take_class(c, TOKEN, out))
		return false;
	rfc5322_skip(c);
	return true;
}
