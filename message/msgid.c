/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "message/msgid.h"

#include "message/rfc5322.h"

/*
 * msg-id = [CFWS] "<" id-left "@" id-right ">" [CFWS]	(RFC 5322 3.6.4)
 *
 * Blanks and quotes go; anything else between the brackets is taken, as real
 * identifiers hold whatever their makers fancied.  A "<" inside begins anew.
 */
static struct span
take_bracketed(struct span *rest)
{
	struct span s = *rest;
	bool in_quotes = false;
	size_t i = span_find(s, '<'), start = i;

	while (++i < s.n && (s.p[i] != '>' || in_quotes)) {
		if (s.p[i] == '<' && !in_quotes)
			start = i;
		if (s.p[i] == '\\' && in_quotes && i + 1 < s.n)
			i++;
		else if (s.p[i] == '"')
			in_quotes = !in_quotes;
	}
	*rest = span_skip(s, i + 1);
	return i < s.n ? span_skip(span_take(s, i), start + 1) : SPAN_NONE;
}

bool
msgid_next(struct span *rest, struct arena *arena, struct span *ret)
{
	while (rest->n > 0) {
		struct span s = take_bracketed(rest);
		uint8_t *p;
		size_t n = 0;

		if (s.n == 0)
			continue;
		p = arena_alloc(arena, s.n);
		for (size_t i = 0; i < s.n; i++) {
			if (s.p[i] == '"' || is_wsp(s.p[i]) ||
			    s.p[i] == '\r' || s.p[i] == '\n')
				continue;
			if (s.p[i] == '\\' && i + 1 < s.n)
				i++;
			p[n++] = s.p[i];
		}
		*ret = span_of(p, n);
		if (n > 0)
			return true;
	}
	return false;
}
