/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "message/address.h"

#include "base/buf.h"
#include "message/rfc5322.h"

#define NO_MAILBOX	SPAN("MISSING_MAILBOX")
#define NO_HOST		SPAN("MISSING_DOMAIN")
#define BAD_HOST	SPAN("SYNTAX_ERROR")

/* One list being read. */
struct list {
	struct rfc5322 c;
	struct arena *arena;
	struct buf text;	/* the token being read */
	struct buf comment;	/* the last comment passed over */
	struct address **tail;
	size_t n;
	bool in_group;
};

/* The token in l->text, for good. */
static struct span
keep(struct list *l)
{
	return arena_dup(l->arena, buf_span(&l->text));
}

static struct address *
add(struct list *l)
{
	struct address *a = ARENA_NEW(l->arena, struct address);

	*l->tail = a;
	l->tail = &a->next;
	l->n++;
	return a;
}

/* A mailbox whose missing halves get names that show it: a NULL host would be
 * the mark of a group. */
static void
add_mailbox(struct list *l, const struct address *found)
{
	struct address *a = add(l);

	a->name = found->name;
	a->route = found->route;
	a->mailbox = found->mailbox;
	a->host = found->host;
	if (a->mailbox.p == NULL || (a->mailbox.n == 0 && a->host.n == 0))
		a->mailbox = NO_MAILBOX;
	if (a->host.n == 0)
		a->host = NO_HOST;
}

/* domain = dot-atom / domain-literal / obs-domain ; the cursor is at the "@" */
static bool
domain(struct list *l)
{
	l->c.p++;
	rfc5322_skip(&l->c);
	return rfc5322_domain_literal(&l->c, &l->text) ||
	    rfc5322_dot_atom(&l->c, &l->text);
}

/* local-part = dot-atom / quoted-string / obs-local-part
 * obs-local-part = word *("." word) ; word = atom / quoted-string
 *
 * A dot-atom takes all atoms and dots from here on, also a dot that a
 * quoted-string follows. */
static bool
local_part(struct list *l)
{
	bool is_first = true, has_dot = false;

	while (is_first || has_dot || is_rfc5322_at(&l->c, '.')) {
		if (rfc5322_dot_atom(&l->c, &l->text))
			has_dot = l->text.p[l->text.n - 1] == '.';
		else if (rfc5322_quoted(&l->c, &l->text))
			has_dot = false;
		else
			return !is_first;
		is_first = false;
	}
	return true;
}

/* addr-spec = local-part "@" domain */
static void
addr_spec(struct list *l, struct address *a)
{
	buf_clear(&l->text);
	if (local_part(l))
		a->mailbox = keep(l);
	if (!is_rfc5322_at(&l->c, '@'))
		return;
	buf_clear(&l->text);
	if (domain(l))
		a->host = keep(l);
}

/* obs-route = obs-domain-list ":"
 * obs-domain-list = *(CFWS / ",") "@" domain *("," [CFWS] ["@" domain]) */
static void
route(struct list *l, struct address *a)
{
	buf_clear(&l->text);
	while (is_rfc5322_at(&l->c, '@')) {
		if (l->text.n > 0)
			buf_putc(&l->text, ',');
		buf_putc(&l->text, '@');
		(void)domain(l);	/* "@" alone stays "@" */
		while (is_rfc5322_at(&l->c, ',')) {
			l->c.p++;
			rfc5322_skip(&l->c);
		}
	}
	a->route = keep(l);
	if (is_rfc5322_at(&l->c, ':')) {
		l->c.p++;
		rfc5322_skip(&l->c);
	}
}

/* angle-addr = [CFWS] "<" [obs-route] addr-spec ">" [CFWS]
 *
 * Whatever else stands before the ">" is passed over. */
static void
angle_addr(struct list *l, struct address *a)
{
	l->c.p++;
	rfc5322_skip(&l->c);
	if (is_rfc5322_at(&l->c, '@'))
		route(l, a);
	if (!is_rfc5322_at(&l->c, '>'))
		addr_spec(l, a);
	if (a->host.p == NULL && !is_rfc5322_end(&l->c) && *l->c.p != '>')
		a->host = BAD_HOST;
	while (!is_rfc5322_end(&l->c) && *l->c.p != '>' && *l->c.p != ',')
		l->c.p++;
	if (is_rfc5322_at(&l->c, '>'))
		l->c.p++;
	rfc5322_skip(&l->c);
}

/*
 * An address without angle brackets.  Its name is the last comment, as mailers
 * wrote it before RFC 822.  A single word without "@" is a local mailbox; more
 * words, and a quoted one, are a name that lost its address.
 */
static void
bare_addr(struct list *l, struct address *a)
{
	bool is_quoted = is_rfc5322_at(&l->c, '"');

	buf_clear(&l->comment);
	addr_spec(l, a);
	if (l->comment.n > 0) {
		a->name = arena_dup(l->arena, buf_span(&l->comment));
		return;
	}
	if (a->host.p != NULL || a->mailbox.p == NULL)
		return;
	buf_clear(&l->text);
	buf_put_span(&l->text, a->mailbox);
	buf_putc(&l->text, ' ');
	if (rfc5322_phrase(&l->c, &l->text)) {
		a->name = keep(l);
		a->mailbox = SPAN_NONE;
	} else if (is_quoted && a->mailbox.n > 0) {
		a->name = a->mailbox;
		a->mailbox = SPAN_NONE;
	}
}

/* The cursor is moved to the "<" that stands in this element; false, and it is
 * not, if there is none. */
static bool
find_angle(struct list *l)
{
	struct rfc5322 c = l->c;

	c.comment = NULL;
	for (;;) {
		rfc5322_skip(&c);
		if (is_rfc5322_end(&c) || *c.p == ',' || *c.p == ';')
			return false;
		if (*c.p == '<')
			break;
		buf_clear(&l->text);
		if (!rfc5322_quoted(&c, &l->text))
			c.p++;
	}
	l->c.p = c.p;
	return true;
}

/* The name that stands from start up to the cursor and is no phrase: its words
 * and whatever else, joined as in the message. */
static struct span
odd_name(struct list *l, const uint8_t *start)
{
	struct rfc5322 c = { start, l->c.p, NULL };

	buf_clear(&l->text);
	while (!is_rfc5322_end(&c)) {
		const uint8_t *p = c.p;

		rfc5322_skip(&c);
		if (c.p != p && l->text.n > 0 && !is_rfc5322_end(&c))
			buf_putc(&l->text, ' ');
		if (!is_rfc5322_end(&c) && !rfc5322_quoted(&c, &l->text))
			buf_putc(&l->text, *c.p++);
	}
	return keep(l);
}

/* Up to the next separator: what follows an address and is none. */
static void
skip_garbage(struct list *l)
{
	for (;;) {
		rfc5322_skip(&l->c);
		if (is_rfc5322_end(&l->c) || *l->c.p == ',' || *l->c.p == ';')
			return;
		buf_clear(&l->text);
		if (!rfc5322_quoted(&l->c, &l->text))
			l->c.p++;
	}
}

/* The mark that ends a group, if one is open. */
static void
end_group(struct list *l)
{
	if (l->in_group)
		(void)add(l);
	l->in_group = false;
}

/*
 * address = mailbox / group
 * mailbox = name-addr / addr-spec
 * group   = display-name ":" [group-list] ";" [CFWS]
 *
 * Of a group only the head is read; its members are next.
 */
static void
address(struct list *l)
{
	struct address a = { 0 };
	const uint8_t *start = l->c.p;
	bool has_phrase;

	buf_clear(&l->text);
	has_phrase = rfc5322_phrase(&l->c, &l->text);
	if (has_phrase && is_rfc5322_at(&l->c, ':')) {
		l->c.p++;
		end_group(l);
		add(l)->mailbox = keep(l);
		l->in_group = true;
		return;
	}
	if (is_rfc5322_at(&l->c, '<')) {
		if (l->text.n > 0)
			a.name = keep(l);
		angle_addr(l, &a);
	} else {
		l->c.p = start;
		bare_addr(l, &a);
		/* "A [b] <c@d>", "a@b <c@d>": readers see the one in the
		 * brackets as the address. */
		if (find_angle(l)) {
			a = (struct address){ .name = odd_name(l, start) };
			angle_addr(l, &a);
		}
	}
	add_mailbox(l, &a);
	skip_garbage(l);
}

/*
 * address-list = (address *("," address)) / obs-addr-list
 *
 * A ";" ends a group; outside of one it separates like ",", as some mailers
 * have it.
 */
static void
list(struct list *l)
{
	for (;;) {
		rfc5322_skip(&l->c);
		if (is_rfc5322_end(&l->c) || l->n >= ADDRESS_MAX)
			break;
		if (*l->c.p != ',' && *l->c.p != ';') {
			address(l);
			continue;
		}
		if (*l->c.p == ';')
			end_group(l);
		l->c.p++;
	}
	end_group(l);
}

struct address *
address_list(struct span s, struct arena *arena)
{
	struct address *head = NULL;
	struct list l = { .c = rfc5322_cursor(s), .arena = arena };

	buf_init(&l.text, s.n + 1);
	buf_init(&l.comment, s.n + 1);
	l.c.comment = &l.comment;
	l.tail = &head;
	list(&l);
	buf_done(&l.text);
	buf_done(&l.comment);
	return head;
}
