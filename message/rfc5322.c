/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "message/rfc5322.h"

/*
 * RFC 5322 3.2.3:
 *
 *	atext = ALPHA / DIGIT / "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" /
 *	    "-" / "/" / "=" / "?" / "^" / "_" / "`" / "{" / "|" / "}" / "~"
 */
static bool
is_atext(uint8_t b)
{
	switch (b) {
	case '!': case '#': case '$': case '%': case '&': case '\'':
	case '*': case '+': case '-': case '/': case '=': case '?':
	case '^': case '_': case '`': case '{': case '|': case '}':
	case '~':
		return true;
	default:
		return is_alpha(b) || is_digit(b) || b >= 0x80;
	}
}

/*
 * RFC 2045 5.1:
 *
 *	token = 1*<any (US-ASCII) CHAR except SPACE, CTLs, or tspecials>
 */
static bool
is_mime_token(uint8_t b)
{
	switch (b) {
	case '(': case ')': case '<': case '>': case '@': case ',':
	case ';': case ':': case '\\': case '"': case '/': case '[':
	case ']': case '?': case '=': case 0x7f:
		return false;
	default:
		return b > ' ';
	}
}

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

/* The bytes from here on for which is_one holds. */
static bool
take_while(struct rfc5322 *c, bool (*is_one)(uint8_t b), struct buf *out)
{
	const uint8_t *p = c->p;

	while (c->p != c->end && is_one(*c->p))
		c->p++;
	if (c->p == p)
		return false;
	buf_put(out, p, (size_t)(c->p - p));
	return true;
}

/* atom = [CFWS] 1*atext [CFWS] ; what stands before was skipped already */
bool
rfc5322_atom(struct rfc5322 *c, struct buf *out)
{
	if (!take_while(c, is_atext, out))
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

static bool
is_atext_or_dot(uint8_t b)
{
	return b == '.' || is_atext(b);
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
		    !is_atext_or_dot(*c->p)))
			return has_word;
		if (has_word)
			buf_putc(out, ' ');
		if (is_quoted) {
			(void)rfc5322_quoted(c, out);	/* it is there */
		} else {
			(void)take_while(c, is_atext_or_dot, out);
			rfc5322_skip(c);
		}
		has_word = true;
	}
}

bool
rfc5322_mime_token(struct rfc5322 *c, struct buf *out)
{
	if (!take_while(c, is_mime_token, out))
		return false;
	rfc5322_skip(c);
	return true;
}
