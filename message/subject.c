/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "message/subject.h"

#include "base/utf8.h"
#include "message/header.h"
#include "message/rfc2047.h"

/*
 * RFC 5256 2.1 and 5, bottom up:
 *
 *	subject        = *subj-leader [subj-middle] *subj-trailer
 *	subj-leader    = (*subj-blob subj-refwd) / WSP
 *	subj-refwd     = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"
 *	subj-blob      = "[" *BLOBCHAR "]" *WSP
 *	subj-trailer   = "(fwd)" / WSP
 *	subj-fwd       = subj-fwd-hdr subject subj-fwd-trl
 *	subj-fwd-hdr   = "[fwd:"
 *	subj-fwd-trl   = "]"
 *
 * Each function below takes one of these off and says whether it was there.
 */

static struct span
skip_wsp(struct span s)
{
	while (s.n > 0 && is_wsp(s.p[0]))
		s = span_skip(s, 1);
	return s;
}

/* BLOBCHAR is any byte but "[", "]" and NUL */
static bool
take_blob(struct span *s)
{
	size_t i = 1;

	if (s->n == 0 || s->p[0] != '[')
		return false;
	while (i < s->n && s->p[i] != '[' && s->p[i] != ']' && s->p[i] != 0)
		i++;
	if (i == s->n || s->p[i] != ']')
		return false;
	*s = skip_wsp(span_skip(*s, i + 1));
	return true;
}

static bool
take_refwd(struct span *s)
{
	struct span rest;

	if (has_iprefix(*s, SPAN("re")))
		rest = span_skip(*s, 2);
	else if (has_iprefix(*s, SPAN("fwd")))
		rest = span_skip(*s, 3);
	else if (has_iprefix(*s, SPAN("fw")))
		rest = span_skip(*s, 2);
	else
		return false;
	rest = skip_wsp(rest);
	(void)take_blob(&rest);		/* may be there */
	if (rest.n == 0 || rest.p[0] != ':')
		return false;
	*s = skip_wsp(span_skip(rest, 1));
	return true;
}

/* *subj-blob subj-refwd */
static bool
take_leader(struct span *s)
{
	struct span rest = *s;

	while (take_blob(&rest))
		;
	if (!take_refwd(&rest))
		return false;
	*s = rest;
	return true;
}

/* (2) *subj-trailer */
static bool
take_trailers(struct span *s)
{
	bool found = false;

	for (;;) {
		*s = span_trim(*s);
		if (s->n < 5 || !is_span_ieq(span_skip(*s, s->n - 5),
		    SPAN("(fwd)")))
			return found;
		s->n -= 5;
		found = true;
	}
}

/* (6) subj-fwd */
static bool
take_forward(struct span *s)
{
	if (!has_iprefix(*s, SPAN("[fwd:")) || !has_suffix(*s, SPAN("]")))
		return false;
	*s = span_skip(*s, 5);
	s->n--;
	return true;
}

/* (1) Tabs become spaces, and several of them one. */
static struct span
squeeze(struct span s, struct arena *arena)
{
	uint8_t *p = arena_alloc(arena, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		bool is_blank = is_wsp(s.p[i]) || s.p[i] == '\r' ||
		    s.p[i] == '\n';

		if (!is_blank)
			p[n++] = s.p[i];
		else if (n > 0 && p[n - 1] != ' ')
			p[n++] = ' ';
	}
	return span_of(p, n);
}

struct span
subject_base(struct span field, struct arena *arena, bool *ret_is_reply)
{
	struct span s = header_unfold(field, arena);
	bool is_reply = false;

	if (is_utf8(s))
		s = rfc2047_text(s, arena);
	s = squeeze(s, arena);
	do {
		struct span rest;

		if (take_trailers(&s))				/* (2) */
			is_reply = true;
		while (take_leader(&s))				/* (3) */
			is_reply = true;
		/* (5) asks to go on with (3) after each blob; but a leader
		 * behind these blobs would have been taken with them. */
		rest = s;
		while (take_blob(&rest) && rest.n > 0)		/* (4) */
			s = rest;
		if (!take_forward(&s))				/* (6) */
			break;
		is_reply = true;
	} while (s.n > 0);
	*ret_is_reply = is_reply;
	return s;
}
