/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * mailname.c: mailbox names between the wire and the store.
 *
 * A name is decoded as a whole before it is cut into levels: modified UTF-7
 * that hides a delimiter in a shift ("a&AC8-b") is not canonical, and
 * mutf7_get() refuses it, so nothing can be smuggled past the checks here.
 *
 * A component can hold the character that is the delimiter to clients: made
 * under another "separator", or by others in the fs layout.  It is shown with
 * U+FFFD and two upper-case hex digits in its place, and reached by that name.
 * (With lower-case digits, foldername.c spells bytes that are no text.)
 */
#include "imapd/mailbox/mailname.h"

#include "base/mutf7.h"
#include "base/utf8.h"

#define MARK_LEAD	0xEF	/* first byte of U+FFFD */

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

/* U+FFFD and the delimiter in hex. */
static struct span
delimiter_mark(const struct mailname_rules *rules)
{
	return rules->delimiter == '.' ? SPAN("\xEF\xBF\xBD" "2E") :
	    SPAN("\xEF\xBF\xBD" "2F");
}

static void
put_marked(const struct mailname_rules *rules, struct span level, struct buf *b)
{
	for (size_t i = 0; i < level.n; i++) {
		if (level.p[i] == rules->delimiter)
			buf_put_span(b, delimiter_mark(rules));
		else
			buf_putc(b, level.p[i]);
	}
}

/* The component that is shown with marks. */
static struct span
unmark(const struct mailname_rules *rules, struct span level,
    struct arena *arena)
{
	struct span mark = delimiter_mark(rules);
	uint8_t *p = arena_alloc(arena, level.n);
	size_t n = 0;

	while (level.n > 0) {
		bool is_mark = has_prefix(level, mark);

		p[n++] = is_mark ? rules->delimiter : level.p[0];
		level = span_skip(level, is_mark ? mark.n : 1);
	}
	return span_of(p, n);
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
		if (has_byte(level[n], MARK_LEAD))
			level[n] = unmark(rules, level[n], arena);
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
		if (i > 0)
			buf_putc(&utf8, rules->delimiter);
		if (has_byte(path->level[i], rules->delimiter))
			put_marked(rules, path->level[i], &utf8);
		else
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
