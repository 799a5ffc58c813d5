/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "message/header.h"

#include <stdlib.h>

#include "base/mem.h"

/* Length of the line at the start of s, with its line feed if it has one. */
static size_t
line_len(struct span s)
{
	size_t i = span_find(s, '\n');

	return i < s.n ? i + 1 : s.n;
}

/* s without one line end at its end. */
static struct span
chomp(struct span s)
{
	if (s.n > 0 && s.p[s.n - 1] == '\n') {
		s.n--;
		if (s.n > 0 && s.p[s.n - 1] == '\r')
			s.n--;
	}
	return s;
}

static struct span
trim_right(struct span s)
{
	while (s.n > 0 && is_wsp(s.p[s.n - 1]))
		s.n--;
	return s;
}

/*
 * RFC 5322 3.6.8 and 4.5.8:
 *
 *	optional-field = field-name ":" unstructured CRLF
 *	obs-optional   = field-name *WSP ":" unstructured CRLF
 */
bool
header_next(struct span *rest, struct header_field *ret)
{
	struct span s = *rest;
	size_t first, n, colon;

	if (s.n == 0)
		return false;
	first = line_len(s);
	if (chomp(span_take(s, first)).n == 0 && s.p[first - 1] == '\n') {
		*rest = span_skip(s, first);
		return false;
	}
	n = first;
	while (n < s.n && s.p[n - 1] == '\n' && is_wsp(s.p[n]))
		n += line_len(span_skip(s, n));
	ret->raw = span_take(s, n);
	colon = span_find(span_take(s, first), ':');
	if (colon < first) {
		ret->name = trim_right(span_take(s, colon));
		ret->body = chomp(span_skip(ret->raw, colon + 1));
	} else {
		ret->name = span_take(s, 0);
		ret->body = chomp(ret->raw);
	}
	*rest = span_skip(s, n);
	return true;
}

struct span
header_unfold(struct span body, struct arena *arena)
{
	uint8_t *p;
	size_t n = 0;

	body = span_trim(body);
	if (body.n == 0)
		return SPAN("");
	if (!has_byte(body, '\n'))
		return body;
	p = arena_alloc(arena, body.n);
	while (body.n > 0) {
		size_t len = line_len(body);
		struct span line = chomp(span_take(body, len));

		if (line.n > 0)
			memcpy(p + n, line.p, line.n);
		n += line.n;
		body = span_skip(body, len);
	}
	return span_of(p, n);
}

/* ---- sets of names --------------------------------------------------- */

/* Open addressing, at most half full; an empty slot has p == NULL. */
struct header_set {
	size_t mask;
	struct span *slot;
	uint8_t *bytes;		/* of all names, lower case */
};

/* FNV-1a over lower case. */
static uint32_t
name_hash(struct span name)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ to_lower(name.p[i])) * 16777619u;
	return h;
}

/* The slot where name is, or the empty one where it belongs. */
static struct span *
set_slot(const struct header_set *set, struct span name)
{
	size_t i = name_hash(name) & set->mask;

	while (set->slot[i].p != NULL && !is_span_ieq(set->slot[i], name))
		i = (i + 1) & set->mask;
	return &set->slot[i];
}

struct header_set *
header_set_new(const struct span *names, size_t n)
{
	struct header_set *set = mem_zalloc(sizeof(*set));
	size_t slots = 8, total = 0, used = 0;

	while (slots < 2 * n)
		slots *= 2;
	for (size_t i = 0; i < n; i++)
		total += names[i].n;
	set->mask = slots - 1;
	set->slot = mem_zalloc(slots * sizeof(*set->slot));
	set->bytes = mem_alloc(total);
	for (size_t i = 0; i < n; i++) {
		struct span *slot;

		if (names[i].n == 0)
			continue;
		slot = set_slot(set, names[i]);
		if (slot->p != NULL)
			continue;
		for (size_t j = 0; j < names[i].n; j++)
			set->bytes[used + j] = to_lower(names[i].p[j]);
		*slot = span_of(set->bytes + used, names[i].n);
		used += names[i].n;
	}
	return set;
}

void
header_set_free(struct header_set *set)
{
	if (set == NULL)
		return;
	free(set->slot);
	free(set->bytes);
	free(set);
}

bool
has_header_name(const struct header_set *set, struct span name)
{
	return name.n > 0 && name.n <= HEADER_NAME_MAX &&
	    set_slot(set, name)->p != NULL;
}

/* ---- selection ------------------------------------------------------- */

void
header_select_init(struct header_select *hs, const struct header_set *set,
    bool is_not)
{
	hs->set = set;
	hs->is_not = is_not;
	hs->state = HEADER_SELECT_START;
	hs->has_line = false;
	hs->is_wanted = false;
	hs->is_open = false;
	crlf_init(&hs->crlf, 0, UINT64_MAX);
	hs->n = 0;
}

/*
 * What the line that begins with s is: true when s is enough to tell (then
 * hs->state and hs->is_wanted are set), false when more of it is needed.
 */
static bool
select_decide(struct header_select *hs, struct span s)
{
	size_t lf = span_find(s, '\n');
	size_t colon = span_find(span_take(s, lf), ':');
	bool is_known;

	if (hs->has_line && is_wsp(s.p[0])) {
		hs->state = HEADER_SELECT_LINE;
		return true;
	}
	if (lf < s.n && chomp(span_take(s, lf + 1)).n == 0) {
		hs->state = HEADER_SELECT_END;
		return true;
	}
	if (colon == lf && lf == s.n && s.n <= HEADER_NAME_MAX)
		return false;
	is_known = colon < lf && colon <= HEADER_NAME_MAX &&
	    has_header_name(hs->set, trim_right(span_take(s, colon)));
	hs->is_wanted = is_known != hs->is_not;
	hs->has_line = true;
	hs->state = HEADER_SELECT_LINE;
	return true;
}

/* Serve the rest of a line, s, if it is wanted. */
static void
select_pass(struct header_select *hs, struct span s, struct buf *out)
{
	if (s.n == 0)
		return;
	if (hs->is_wanted) {
		(void)crlf_feed(&hs->crlf, s, out);	/* never complete */
		hs->is_open = s.p[s.n - 1] != '\n';
	}
	if (s.p[s.n - 1] == '\n')
		hs->state = HEADER_SELECT_START;
}

/* The start of a line that was cut: add of s what the decision needs. */
static struct span
select_collect(struct header_select *hs, struct span s)
{
	size_t i = 0;

	while (i < s.n && hs->n < sizeof(hs->start)) {
		uint8_t c = s.p[i++];

		hs->start[hs->n++] = c;
		if (c == ':' || c == '\n')
			break;
	}
	return span_skip(s, i);
}

bool
header_select_feed(struct header_select *hs, struct span s, struct buf *out)
{
	while (s.n > 0 && hs->state != HEADER_SELECT_END) {
		size_t n;

		if (hs->state == HEADER_SELECT_START && hs->n == 0 &&
		    select_decide(hs, s))
			continue;
		if (hs->state == HEADER_SELECT_START) {
			s = select_collect(hs, s);
			if (select_decide(hs, span_of(hs->start, hs->n))) {
				n = hs->n;
				hs->n = 0;
				if (hs->state == HEADER_SELECT_LINE)
					select_pass(hs, span_of(hs->start, n),
					    out);
			}
			continue;
		}
		n = line_len(s);
		select_pass(hs, span_take(s, n), out);
		s = span_skip(s, n);
	}
	return hs->state != HEADER_SELECT_END;
}

void
header_select_finish(struct header_select *hs, struct buf *out)
{
	/* A last line without colon and line end is no known field. */
	if (hs->state == HEADER_SELECT_START && hs->n > 0) {
		hs->is_wanted = hs->is_not;
		select_pass(hs, span_of(hs->start, hs->n), out);
	}
	if (hs->is_open)
		buf_puts(out, "\r\n");
	buf_puts(out, "\r\n");
	hs->state = HEADER_SELECT_END;
}
