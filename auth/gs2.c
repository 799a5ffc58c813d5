/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "auth/gs2.h"

/* RFC 5802 7: printable = %x21-2B / %x2D-7E, at least one. */
/* A nonce as RFC 5802 wants it: 1*(%x21-2B / %x2D-7E). */
static bool
is_printable(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x21 || s.p[i] > 0x7e || s.p[i] == ',')
			return false;
	return s.n > 0;
}

/* RFC 5801 4: cb-name = 1*(ALPHA / DIGIT / "." / "-") */
static bool
is_cb_name(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_alpha(s.p[i]) && !is_digit(s.p[i]) &&
		    s.p[i] != '.' && s.p[i] != '-')
			return false;
	return s.n > 0;
}

/*
 *	gs2-header = gs2-cbind-flag "," [ authzid ] ","
 *	gs2-cbind-flag = ("p=" cb-name) / "n" / "y"
 *	authzid = "a=" saslname
 *
 * Leaves *rest at client-first-message-bare.
 */
static int
parse_header(struct span *rest, struct gs2 *ret)
{
	struct span flag = span_split(rest, ',');
	struct span authzid;

	if (is_span_eq(flag, SPAN("n"))) {
		ret->flag = GS2_NONE;
	} else if (is_span_eq(flag, SPAN("y"))) {
		ret->flag = GS2_NOT_OFFERED;
	} else if (has_prefix(flag, SPAN("p="))) {
		ret->flag = GS2_REQUIRED;
		ret->binding = span_skip(flag, 2);
		if (!is_cb_name(ret->binding))
			return ERR_SYNTAX;
	} else {
		return ERR_SYNTAX;
	}
	if (rest->p == NULL)
		return ERR_SYNTAX;
	authzid = span_split(rest, ',');
	if (rest->p == NULL)
		return ERR_SYNTAX;
	if (authzid.n > 0) {
		if (!has_prefix(authzid, SPAN("a=")) || authzid.n == 2)
			return ERR_SYNTAX;
		ret->authzid = span_skip(authzid, 2);
	}
	return 0;
}

/*
 *	client-first-message-bare =
 *		[reserved-mext ","] username "," nonce ["," extensions]
 *	username = "n=" saslname
 *	nonce = "r=" c-nonce [s-nonce]
 */
int
gs2_parse(struct span message, struct gs2 *ret)
{
	struct gs2 gs2 = { 0 };
	struct span rest = message, part;
	int err;

	err = parse_header(&rest, &gs2);
	if (err != 0)
		return err;
	gs2.header = span_take(message, (size_t)(rest.p - message.p));
	gs2.bare = rest;
	if (has_prefix(rest, SPAN("m=")))
		return ERR_UNSUPPORTED;
	part = span_split(&rest, ',');
	if (!has_prefix(part, SPAN("n=")) || rest.p == NULL)
		return ERR_SYNTAX;
	gs2.user = span_skip(part, 2);
	part = span_split(&rest, ',');
	if (!has_prefix(part, SPAN("r=")))
		return ERR_SYNTAX;
	gs2.nonce = span_skip(part, 2);
	if (!is_printable(gs2.nonce))
		return ERR_SYNTAX;
	*ret = gs2;
	return 0;
}

/*
 *	saslname = 1*(value-safe-char / "=2C" / "=3D")
 *
 * Upper case only: RFC 5802 5.1 has the server refuse every other "=".
 */
int
gs2_name(struct span s, struct buf *b)
{
	buf_clear(b);
	while (s.n > 0) {
		if (has_prefix(s, SPAN("=2C"))) {
			buf_putc(b, ',');
			s = span_skip(s, 3);
		} else if (has_prefix(s, SPAN("=3D"))) {
			buf_putc(b, '=');
			s = span_skip(s, 3);
		} else if (s.p[0] == '=' || s.p[0] == '\0') {
			return ERR_SYNTAX;
		} else {
			buf_putc(b, s.p[0]);
			s = span_skip(s, 1);
		}
	}
	return buf_err(b);
}
