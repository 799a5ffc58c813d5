/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "base/num.h"

#include "auth/auth.h"
#include "auth/expand.h"

#define C_DEL	0x7f

/* How one variable is to be written. */
struct form {
	bool is_lower;
	bool is_upper;
	size_t skip;
	size_t width;
};

static struct span
local_part(struct span user)
{
	return span_take(user, span_find(user, '@'));
}

static struct span
domain_part(struct span user)
{
	return span_skip(user, span_find(user, '@') + 1);
}

static int
check_part(struct span s)
{
	if (s.n == 0 || has_byte(s, '/') || has_byte(s, '\0') ||
	    is_span_eq(s, SPAN(".")) || is_span_eq(s, SPAN("..")))
		return ERR_NAME;
	return 0;
}

static int
put_part(struct span part, const struct form *form, struct buf *b)
{
	struct span s = span_take(span_skip(part, form->skip), form->width);
	int err = check_part(s);

	if (err != 0)
		return err;
	for (size_t i = 0; i < s.n; i++)
		buf_putc(b, form->is_lower ? to_lower(s.p[i]) :
		    form->is_upper ? to_upper(s.p[i]) : s.p[i]);
	return buf_err(b);
}

/* The letter of a long name, or 0. */
static uint8_t
letter_of(struct span name)
{
	static const struct { const char *name; uint8_t letter; } names[] = {
		{ "user", 'u' }, { "username", 'n' }, { "domain", 'd' },
		{ "home", 'h' }, { "user|username", 'n' },
		{ "user|domain", 'd' }, { "user | username", 'n' },
		{ "user | domain", 'd' },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (is_span_eq(name, span_str(names[i].name)))
			return names[i].letter;
	return 0;
}

/* [L/U] [[skip "."] width] letter, or "{" name "}"; *s is behind the "%". */
static int
parse_variable(struct span *s, struct form *form, uint8_t *ret_letter)
{
	size_t n;

	*form = (struct form){ .width = SIZE_MAX };
	for (; s->n > 0 && (s->p[0] == 'L' || s->p[0] == 'U');
	    *s = span_skip(*s, 1)) {
		form->is_lower = s->p[0] == 'L';
		form->is_upper = s->p[0] == 'U';
	}
	if (s->n > 0 && is_digit(s->p[0])) {
		form->width = (size_t)num_prefix(*s, &n);
		*s = span_skip(*s, n);
		if (s->n > 0 && s->p[0] == '.') {
			form->skip = form->width;
			form->width = (size_t)num_prefix(span_skip(*s, 1), &n);
			*s = span_skip(*s, n + 1);
		}
	}
	if (s->n == 0)
		return ERR_UNSUPPORTED;
	*ret_letter = s->p[0];
	*s = span_skip(*s, 1);
	if (*ret_letter == '{') {
		n = span_find(*s, '}');
		if (n == s->n)
			return ERR_UNSUPPORTED;
		*ret_letter = letter_of(span_take(*s, n));
		*s = span_skip(*s, n + 1);
	}
	return 0;
}

static int
put_variable(struct span *s, const struct expand *e, struct buf *b)
{
	struct form form;
	uint8_t letter;
	int err;

	err = parse_variable(s, &form, &letter);
	if (err != 0)
		return err;
	switch (letter) {
	case '%':
		buf_putc(b, '%');
		return buf_err(b);
	case 'u':
		return put_part(e->user, &form, b);
	case 'n':
		return put_part(local_part(e->user), &form, b);
	case 'd':
		return put_part(domain_part(e->user), &form, b);
	case 'h':	/* the administrator's, slashes and all */
		if (e->home.n == 0)
			return ERR_NAME;
		buf_put_span(b, e->home);
		return buf_err(b);
	default:
		return ERR_UNSUPPORTED;
	}
}

int
expand_put(struct span text, const struct expand *e, struct buf *b)
{
	size_t n;
	int err;

	while (text.n > 0) {
		n = span_find(text, '%');
		buf_put_span(b, span_take(text, n));
		if (n == text.n)
			break;
		text = span_skip(text, n + 1);
		err = put_variable(&text, e, b);
		if (err != 0)
			return err;
	}
	return buf_err(b);
}

int
expand_check_name(struct span user)
{
	struct span domain = domain_part(user);

	if (user.n == 0 || user.n > AUTH_NAME_MAX || user.p[0] == '.' ||
	    (domain.n > 0 && domain.p[0] == '.'))
		return ERR_NAME;
	for (size_t i = 0; i < user.n; i++)
		if (user.p[i] < ' ' || user.p[i] == C_DEL ||
		    user.p[i] == '/' ||
		    (user.p[i] == '.' && i > 0 && user.p[i - 1] == '.'))
			return ERR_NAME;
	return 0;
}
