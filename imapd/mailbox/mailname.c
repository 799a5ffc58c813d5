/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * mailname.c: mailbox names between the wire and the store.
 *
 * A name is decoded as a whole before it is cut into levels: modified UTF-7
 * that hides a delimiter in a shift ("a&AC8-b") is not canonical, and
 * mutf7_get() refuses it, so nothing can be smuggled past the checks here.
 */
#include "imapd/mailbox/mailname.h"

#include "base/mutf7.h"
#include "base/utf8.h"

static const struct span inbox = SPAN("INBOX");

struct span
mailname_prefix(const struct mailname_rules *rules)
{
	if (!rules->has_prefix)
		return SPAN("");
	return rules->delimiter == '.' ? SPAN("INBOX.") : SPAN("INBOX/");
}

/*
 * Characters that no mailbox name may hold (RFC 9051 5.1, RFC 5198): the
 * controls C0 and C1, DEL, and the line and paragraph separators.
 */
static bool
has_control(struct span s)
{
	while (s.n > 0) {
		uint32_t cp;
		bool ok;
		size_t len = utf8_step(s, &cp, &ok);

		if (!ok || cp < 0x20 || (cp >= 0x7f && cp <= 0x9f) ||
		    cp == 0x2028 || cp == 0x2029)
			return true;
		s = span_skip(s, len);
	}
	return false;
}

/* The name in UTF-8, in the arena. */
static int
decode(const struct mailname_rules *rules, struct span wire,
    struct arena *arena, struct span *ret)
{
	struct buf b;
	int err = 0;

	if (wire.n == 0 || wire.n > MAILNAME_MAX)
		return ERR_NAME;
	if (rules->is_utf8) {
		*ret = wire;
		return has_control(wire) ? ERR_NAME : 0;
	}
	buf_init(&b, MAILNAME_MAX);
	if (mutf7_get(wire, &b) != 0 || buf_err(&b) != 0 ||
	    has_control(buf_span(&b)))
		err = ERR_NAME;
	else
		*ret = arena_dup(arena, buf_span(&b));
	buf_done(&b);
	return err;
}

static bool
is_level_ok(struct span level)
{
	return level.n > 0 && !is_span_eq(level, SPAN(".")) &&
	    !is_span_eq(level, SPAN(".."));
}

/* Cut a decoded name into its levels. */
static int
split(const struct mailname_rules *rules, struct span name,
    struct arena *arena, struct span **ret, size_t *ret_n)
{
	struct span *level = arena_array(arena, MAILDIR_LEVELS_MAX,
	    sizeof(*level));
	size_t n = 0;

	if (name.n > 1 && name.p[name.n - 1] == rules->delimiter)
		name.n--;
	while (name.p != NULL) {
		if (n == MAILDIR_LEVELS_MAX)
			return ERR_NAME;
		level[n] = span_split(&name, rules->delimiter);
		if (!is_level_ok(level[n]))
			return ERR_NAME;
		n++;
	}
	if (is_span_ieq(level[0], inbox))
		level[0] = inbox;
	*ret = level;
	*ret_n = n;
	return 0;
}

int
mailname_to_path(const struct mailname_rules *rules, struct span wire,
    struct arena *arena, struct maildir_path *ret)
{
	struct span name, *level;
	size_t n;
	int err;

	err = decode(rules, wire, arena, &name);
	if (err == 0)
		err = split(rules, name, arena, &level, &n);
	if (err != 0)
		return err;
	if (rules->has_prefix) {
		/* INBOX itself, or something below the prefix; but INBOX.INBOX
		 * would be a second name of the first. */
		if (!is_span_eq(level[0], inbox))
			return ERR_NAME;
		if (n == 2 && is_span_ieq(level[1], inbox))
			return ERR_NAME;
		if (n > 1) {
			level++;
			n--;
		}
	}
	ret->level = level;
	ret->n = n;
	return 0;
}

int
mailname_from_path(const struct mailname_rules *rules,
    const struct maildir_path *path, struct arena *arena, struct span *ret)
{
	struct buf utf8, wire;
	int err = 0;

	buf_init(&utf8, MAILNAME_MAX);
	buf_init(&wire, MAILNAME_MAX);
	if (!is_maildir_inbox(path))
		buf_put_span(&utf8, mailname_prefix(rules));
	for (size_t i = 0; i < path->n; i++) {
		if (has_byte(path->level[i], rules->delimiter))
			err = ERR_NAME;
		if (i > 0)
			buf_putc(&utf8, rules->delimiter);
		buf_put_span(&utf8, path->level[i]);
	}
	if (rules->is_utf8)
		buf_put_span(&wire, buf_span(&utf8));
	else if (mutf7_put(&wire, buf_span(&utf8)) != 0)
		err = ERR_NAME;
	if (buf_err(&utf8) != 0 || buf_err(&wire) != 0)
		err = ERR_NAME;
	if (err == 0)
		*ret = arena_dup(arena, buf_span(&wire));
	buf_done(&utf8);
	buf_done(&wire);
	return err;
}
