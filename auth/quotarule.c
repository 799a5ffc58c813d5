/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "base/num.h"

#include "auth/quotarule.h"

#define TOP	((uint64_t)INT64_MAX)	/* others keep limits in 63 bits */

/* number [unit] */
static int
get_size(struct span s, uint64_t scale, uint64_t *ret)
{
	static const char units[] = "bkmgt";
	uint64_t v;
	size_t n;

	v = num_prefix(s, &n);
	if (n == 0 || s.n > n + 1)
		return ERR_SYNTAX;
	if (s.n == n + 1) {
		const char *unit = strchr(units, to_lower(s.p[n]));

		if (unit == NULL || *unit == '\0')
			return ERR_SYNTAX;
		scale = UINT64_C(1) << 10 * (unit - units);
	}
	if (num_mul(v, scale, &v) != 0 || v > TOP)
		return ERR_SYNTAX;
	*ret = v;
	return 0;
}

static int
get_limit(struct span value, struct quotarule *rule)
{
	struct span key = span_split(&value, '=');

	if (is_span_eq(key, SPAN("storage")))
		return get_size(value, 1024, &rule->bytes);
	if (is_span_eq(key, SPAN("bytes")))
		return get_size(value, 1, &rule->bytes);
	if (is_span_eq(key, SPAN("messages")))
		return get_size(value, 1, &rule->messages);
	return ERR_SYNTAX;
}

static int
get_limits(struct span text, struct quotarule *rule)
{
	int r = text.n == 0 ? ERR_SYNTAX : 0;

	while (r == 0 && text.p != NULL)
		r = get_limit(span_split(&text, ':'), rule);
	return r;
}

static int
get_sizes(struct span text, struct quotarule *rule)
{
	int r = 0;

	if (is_span_eq(text, SPAN("NOQUOTA")))
		return 0;
	if (text.n == 0)
		return ERR_SYNTAX;
	while (r == 0 && text.p != NULL) {
		struct span s = span_split(&text, ',');
		uint8_t key = s.n == 0 ? 0 : s.p[s.n - 1];

		s.n -= s.n > 0;
		if (key == 'S')
			r = num_u64(s, 0, TOP, &rule->bytes);
		else if (key == 'C')
			r = num_u64(s, 0, TOP, &rule->messages);
		else
			r = ERR_SYNTAX;
	}
	return r == 0 ? 0 : ERR_SYNTAX;
}

/* What stands behind the mask. */
static int
get_body(struct span text, struct quotarule *rule)
{
	if (is_span_eq(text, SPAN("ignore"))) {
		rule->kind = QUOTARULE_NONE;
		return 0;
	}
	if (has_prefix(text, SPAN("backend=")))
		return get_sizes(span_skip(text, 8), rule);
	return get_limits(text, rule);
}

static bool
is_limit(struct span s)
{
	return has_prefix(s, SPAN("storage=")) ||
	    has_prefix(s, SPAN("bytes=")) || has_prefix(s, SPAN("messages="));
}

int
quotarule_parse(struct span text, struct quotarule *ret)
{
	struct quotarule rule = { .kind = QUOTARULE_LIMITS };
	struct span rest = text;
	struct span mask = span_split(&rest, ':');
	int r = 0;

	if (text.n == 0)
		rule.kind = QUOTARULE_UNSAID;
	else if (is_span_eq(text, SPAN("none")))
		rule.kind = QUOTARULE_NONE;
	else if (is_span_eq(text, SPAN("maildirsize")))
		rule.kind = QUOTARULE_FILE;
	else if (is_limit(text))
		r = get_limits(text, &rule);
	else if (rest.p == NULL)
		r = get_sizes(text, &rule);
	else if (is_span_eq(mask, SPAN("*")))
		r = get_body(rest, &rule);
	else if (is_span_eq(mask, SPAN("?"))) {
		rule.kind = QUOTARULE_FILE;
		r = get_body(rest, &rule);
	} else {
		rule.kind = QUOTARULE_UNSAID;
	}
	if (r == 0)
		*ret = rule;
	return r;
}
