/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <limits.h>

#include "auth/location.h"

/*
 * The next part of the text; "::" inside a part stands for a colon.  *text.p
 * is NULL behind the last one.
 */
static struct span
next_part(struct span *text, struct arena *arena)
{
	uint8_t *out = arena_alloc(arena, text->n + 1);
	size_t n = 0, i = 0;

	for (; i < text->n; i++) {
		if (text->p[i] == ':') {
			if (i + 1 == text->n || text->p[i + 1] != ':')
				break;
			i++;
		}
		out[n++] = text->p[i];
	}
	*text = i == text->n ? SPAN_NONE : span_of(text->p + i + 1,
	    text->n - i - 1);
	return span_of(out, n);
}

static int
set_path(struct span value, struct span home, struct arena *arena,
    const char **ret)
{
	char *path = arena_alloc(arena, home.n + value.n + 1);
	struct span tail = value;
	size_t n = 0;

	if (value.n > 0 && value.p[0] == '~' &&
	    (value.n == 1 || value.p[1] == '/')) {
		tail = span_skip(value, 1);
		n = home.n;
		if (n > 0)
			memcpy(path, home.p, n);
	}
	if (tail.n > 0)
		memcpy(path + n, tail.p, tail.n);
	n += tail.n;
	if (n == 0 || n >= PATH_MAX || path[0] != '/' ||
	    has_byte(span_of(path, n), '\0'))
		return ERR_NAME;
	*ret = path;
	return 0;
}

static int
set_name(struct span value, struct arena *arena, const char **ret)
{
	if (value.n == 0 || value.n > NAME_MAX || has_byte(value, '/') ||
	    has_byte(value, '\0') || value.p[0] == '.')
		return ERR_NAME;
	*ret = arena_cstr(arena, value);
	return 0;
}

static int
set_layout(struct span value, struct location *ret)
{
	if (is_span_ieq(value, SPAN("fs")))
		ret->layout = LOCATION_FS;
	else if (is_span_ieq(value, SPAN("Maildir++")))
		ret->layout = LOCATION_MAILDIRPP;
	else
		return ERR_UNSUPPORTED;
	return 0;
}

static int
set_option(struct span option, struct span home, struct arena *arena,
    struct location *ret)
{
	struct span value = option;
	struct span key = span_split(&value, '=');

	if (is_span_eq(option, SPAN("UTF-8"))) {
		ret->is_utf8 = true;
		return 0;
	}
	if (value.p == NULL)
		return ERR_UNSUPPORTED;
	if (is_span_eq(key, SPAN("INBOX")))
		return set_path(value, home, arena, &ret->inbox);
	if (is_span_eq(key, SPAN("CONTROL")))
		return set_path(value, home, arena, &ret->control);
	if (is_span_eq(key, SPAN("INDEX"))) {
		ret->is_index_memory = is_span_eq(value, SPAN("MEMORY"));
		return ret->is_index_memory ? 0 :
		    set_path(value, home, arena, &ret->index);
	}
	if (is_span_eq(key, SPAN("LAYOUT")))
		return set_layout(value, ret);
	if (is_span_eq(key, SPAN("SUBSCRIPTIONS")))
		return set_name(value, arena, &ret->subscriptions);
	if (is_span_eq(key, SPAN("DIRNAME")))
		return set_name(value, arena, &ret->dirname);
	if (is_span_eq(key, SPAN("BROKENCHAR"))) {
		if (value.n != 1)
			return ERR_SYNTAX;
		ret->broken_char = (char)value.p[0];
		return 0;
	}
	/* Where Dovecot keeps its own indexes, and what it does with them,
	 * does not concern us. */
	if (is_span_eq(key, SPAN("INDEXPVT")) ||
	    is_span_eq(key, SPAN("INDEXCACHE")) ||
	    is_span_eq(key, SPAN("VOLATILEDIR")) ||
	    is_span_eq(key, SPAN("NOALTCHECK")))
		return 0;
	return ERR_UNSUPPORTED;
}

int
location_parse(struct span text, struct span home, struct arena *arena,
    struct location *ret)
{
	struct location loc = { 0 };
	struct span rest = text, part;
	int err;

	part = next_part(&rest, arena);
	if (is_span_ieq(part, SPAN("maildir"))) {
		if (rest.p == NULL)
			return ERR_SYNTAX;
		part = next_part(&rest, arena);
	} else if (part.n == 0 || (part.p[0] != '/' && part.p[0] != '~')) {
		return ERR_UNSUPPORTED;
	}
	err = set_path(part, home, arena, &loc.root);
	while (err == 0 && rest.p != NULL) {
		part = next_part(&rest, arena);
		if (part.n > 0)
			err = set_option(part, home, arena, &loc);
	}
	if (err == 0)
		*ret = loc;
	return err;
}
