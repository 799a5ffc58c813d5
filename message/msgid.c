/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "message/msgid.h"

#include "message/rfc5322.h"

/*
 * msg-id   = [CFWS] "<" id-left "@" id-right ">" [CFWS]	(RFC 5322 3.6.4)
 * id-left  = dot-atom-text / obs-id-left
 *
 * What is between the brackets: real identifiers hold whatever their makers
 * fancied.  A "<" inside begins anew.  A ">" in quotes is part of it; a quote
 * that nothing closes is a byte like others, and there can be only one of these
 * in a field, so that the field is still read in one go.
 */
static struct span
take_bracketed(struct span *rest)
{
	struct span s = *rest;
	bool in_quotes = false, has_quotes = true;
	size_t i = span_find(s, '<'), start = i, quote = 0;

	for (i++;; i++) {
		if (i >= s.n && in_quotes) {
			in_quotes = has_quotes = false;
			i = quote + 1;
		}
		if (i >= s.n || (s.p[i] == '>' && !in_quotes))
			break;
		if (s.p[i] == '<' && !in_quotes) {
			start = i;
		} else if (s.p[i] == '\\' && in_quotes && i + 1 < s.n) {
			i++;
		} else if (s.p[i] == '"' && has_quotes) {
			in_quotes = !in_quotes;
			quote = i;
		}
	}
	*rest = span_skip(s, i + 1);
	return i < s.n ? span_skip(span_take(s, i), start + 1) : SPAN_NONE;
}

/*
 * "Implementations ... MUST normalize any msg-id in order to avoid false
 * non-matches due to differences in quoting" (RFC 5256, REFERENCES).  Blanks
 * outside of quotes are those of a folded field or of the obsolete form.
 */
static struct span
normalize(struct span s, struct arena *arena)
{
	uint8_t *p = arena_alloc(arena, s.n);
	bool in_quotes = false;
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"') {
			in_quotes = !in_quotes;
			continue;
		}
		if (s.p[i] == '\r' || s.p[i] == '\n' ||
		    (is_wsp(s.p[i]) && !in_quotes))
			continue;
		if (s.p[i] == '\\' && i + 1 < s.n)
			i++;
		p[n++] = s.p[i];
	}
	return span_of(p, n);
}

bool
msgid_next(struct span *rest, struct arena *arena, struct span *ret)
{
	while (rest->n > 0) {
		struct span s = take_bracketed(rest), id;
		size_t at;

		if (s.n == 0)
			continue;
		id = normalize(s, arena);
		at = span_rfind(id, '@');
		if (at == 0 || at + 1 >= id.n)
			continue;	/* id-left "@" id-right */
		*ret = id;
		return true;
	}
	return false;
}
