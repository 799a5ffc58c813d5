/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * listmatch.c: the patterns of LIST and LSUB.
 *
 * The obvious matcher tries each length for each wildcard and takes exponential
 * time for a pattern like "%a%a%a%a%b".  This one walks the name once and keeps
 * the set of pattern positions that the bytes so far can have led to.  Nearly
 * always that set has one or two members, which lie between lo and hi.
 */
#include "imapd/mailbox/listmatch.h"

struct match {
	struct span pattern;
	uint8_t delimiter;
	size_t lo, hi;		/* all live positions are in lo .. hi */
	bool live[LISTMATCH_MAX + 1];
};

static bool
is_wildcard(uint8_t c)
{
	return c == '*' || c == '%';
}

/* Position i is reached; a wildcard may stand for nothing, so the one behind it
 * is reached as well.  What was reached before has its followers already: that
 * bounds the work for a long row of wildcards. */
static void
match_reach(struct match *m, size_t i)
{
	if (i < m->lo)
		m->lo = i;
	while (!m->live[i]) {
		m->live[i] = true;
		if (i > m->hi)
			m->hi = i;
		if (i == m->pattern.n || !is_wildcard(m->pattern.p[i]))
			return;
		i++;
	}
}

/* One byte of the name.  From the back, so that a position is left before its
 * predecessor arrives there. */
static void
match_byte(struct match *m, uint8_t c, bool is_folded)
{
	size_t lo = m->lo, hi = m->hi;

	m->lo = m->pattern.n + 1;
	m->hi = 0;
	for (size_t i = hi + 1; i-- > lo;) {
		uint8_t p;

		if (!m->live[i])
			continue;
		m->live[i] = false;
		if (i == m->pattern.n)
			continue;
		p = m->pattern.p[i];
		if (p == '*' || (p == '%' && c != m->delimiter))
			match_reach(m, i);
		else if (p == c || (is_folded && to_upper(p) == to_upper(c)))
			match_reach(m, i + 1);
	}
}

/* How many bytes at the start of name are an INBOX, whose case is nothing. */
static size_t
inbox_prefix(struct span name, uint8_t delimiter)
{
	struct span inbox = SPAN("INBOX");

	if (!has_iprefix(name, inbox) ||
	    (name.n > inbox.n && name.p[inbox.n] != delimiter))
		return 0;
	return inbox.n;
}

bool
is_list_match(struct span pattern, struct span name, uint8_t delimiter)
{
	struct match m;
	size_t folded = inbox_prefix(name, delimiter);

	if (pattern.n > LISTMATCH_MAX)
		return false;
	m.pattern = pattern;
	m.delimiter = delimiter;
	memset(m.live, 0, pattern.n + 1);
	m.lo = pattern.n + 1;
	m.hi = 0;
	match_reach(&m, 0);
	for (size_t i = 0; i < name.n; i++) {
		/* A "*" at the end takes whatever is still to come. */
		if (m.live[pattern.n] && pattern.n > 0 &&
		    pattern.p[pattern.n - 1] == '*')
			return true;
		if (m.lo > m.hi)
			return false;
		match_byte(&m, name.p[i], i < folded);
	}
	return m.live[pattern.n];
}
