/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * STORING A NAME
 *	Each component is converted to modified UTF-7 (unless the store keeps
 *	UTF-8); then what the layout cannot carry becomes "\" and two lower-case
 *	hex digits, as Dovecot's listescape does:
 *		Maildir++	"." "/" "\" anywhere, "~" at the very start
 *		fs		"/" "\" anywhere, "~" at the very start, and the
 *				dots of a component that is "." or ".."
 *	Maildir++ joins components with "." behind a leading ".", fs with "/".
 *
 * NAMES MADE BY OTHERS that are not what we would have made (bytes that are not
 * modified UTF-7, escapes of harmless characters, empty components, "inbox" in
 * another case, which is INBOX to clients) are shown with U+FFFD and two hex
 * digits in place of each byte that is not a plain character, and opened under
 * that name.  A component that holds U+FFFD with two hex digits is therefore
 * taken literally: those digits are a byte, the rest is not converted.  The
 * round trip is checked, so that a client cannot reach a directory under a
 * second name.
 */
#include "base/mutf7.h"
#include "base/num.h"
#include "base/utf8.h"
#include "maildir/foldername.h"

#define REPLACEMENT	SPAN("\xEF\xBF\xBD")	/* U+FFFD */
#define LEVEL_MAX	4096u	/* before the file system's own limit */

static void
put_hex(struct buf *b, uint8_t c)
{
	buf_putc(b, (uint8_t)"0123456789abcdef"[c >> 4]);
	buf_putc(b, (uint8_t)"0123456789abcdef"[c & 15]);
}

/* Two lower-case hex digits: the byte, or -1. */
static int
get_hex(struct span s)
{
	int hi, lo;

	if (s.n < 2 || is_upper(s.p[0]) || is_upper(s.p[1]))
		return -1;
	hi = num_hexdigit(s.p[0]);
	lo = num_hexdigit(s.p[1]);
	return hi < 0 || lo < 0 ? -1 : hi << 4 | lo;
}

/* Is the level spelled byte by byte?  Offset of the first spelled byte. */
static bool
is_literal(struct span level)
{
	for (; level.n > 3; level = span_skip(level, 1))
		if (has_prefix(level, REPLACEMENT) &&
		    get_hex(span_skip(level, 3)) >= 0)
			return true;
	return false;
}

static int
put_literal(struct span level, struct buf *b)
{
	while (level.n > 0) {
		int c = -1;

		if (has_prefix(level, REPLACEMENT))
			c = get_hex(span_skip(level, 3));
		if (c == 0 || c == '/')
			return ERR_NAME;
		if (c > 0) {
			buf_putc(b, (uint8_t)c);
			level = span_skip(level, 5);
		} else if (level.p[0] > ' ' - 1 && level.p[0] < 0x7f) {
			buf_putc(b, level.p[0]);
			level = span_skip(level, 1);
		} else {
			return ERR_NAME;
		}
	}
	return buf_err(b) != 0 ? ERR_NAME : 0;
}

static bool
must_escape(const struct maildir_conf *conf, struct span s, size_t i,
    bool is_first)
{
	uint8_t c = s.p[i];

	if (c == '/' || c == '\\')
		return true;
	if (c == '~')
		return is_first && i == 0;
	if (c != '.')
		return false;
	return conf->layout == MAILDIR_PLUSPLUS ||
	    is_span_eq(s, SPAN(".")) || is_span_eq(s, SPAN(".."));
}

/* One component by the rules, not looking back. */
static int
put_regular(const struct maildir_conf *conf, struct span level, bool is_first,
    struct buf *b)
{
	struct buf plain;
	struct span s;
	int r = 0;

	if (is_first && is_span_ieq(level, SPAN("INBOX")) &&
	    !is_span_eq(level, SPAN("INBOX")))
		return ERR_NAME;
	buf_init(&plain, LEVEL_MAX);
	if (conf->utf8_names) {
		buf_put_span(&plain, level);
		if (!is_utf8(level))
			r = ERR_NAME;
	} else if (mutf7_put(&plain, level) != 0) {
		r = ERR_NAME;
	}
	if (buf_err(&plain) != 0)
		r = ERR_NAME;
	s = buf_span(&plain);
	for (size_t i = 0; r == 0 && i < s.n; i++) {
		if (must_escape(conf, s, i, is_first)) {
			buf_putc(b, '\\');
			put_hex(b, s.p[i]);
		} else {
			buf_putc(b, s.p[i]);
		}
	}
	if (r == 0 && buf_err(b) != 0)
		r = ERR_NAME;
	buf_done(&plain);
	return r;
}

/* The component that is stored as s by the rules; ERR_NAME if none is. */
static int
get_regular(const struct maildir_conf *conf, struct span s, bool is_first,
    struct buf *b)
{
	struct buf plain, again;
	struct span rest = s;
	int r = 0;

	buf_init(&plain, LEVEL_MAX);
	buf_init(&again, LEVEL_MAX);
	while (rest.n > 0) {
		int c = rest.p[0] == '\\' ? get_hex(span_skip(rest, 1)) : -1;

		buf_putc(&plain, c >= 0 ? (uint8_t)c : rest.p[0]);
		rest = span_skip(rest, c >= 0 ? 3 : 1);
	}
	if (buf_err(&plain) != 0)
		r = ERR_NAME;
	else if (conf->utf8_names)
		buf_put_span(b, buf_span(&plain));
	else if (mutf7_get(buf_span(&plain), b) != 0)
		r = ERR_NAME;
	/* Only what we would have written ourselves. */
	if (r == 0 && (is_literal(buf_span(b)) ||
	    put_regular(conf, buf_span(b), is_first, &again) != 0 ||
	    !is_span_eq(buf_span(&again), s)))
		r = ERR_NAME;
	for (size_t i = 0; r == 0 && i < b->n; i++)
		if (b->p[i] < ' ' || b->p[i] == 0x7f)
			r = ERR_NAME;
	buf_done(&plain);
	buf_done(&again);
	return r;
}

static struct span
get_literal(struct span s, struct arena *arena)
{
	struct buf b;
	struct span ret;

	buf_init(&b, 5 * LEVEL_MAX);
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		/* "." is spelled too: it is there because a component is
		 * empty, and nothing may be split again. */
		if (c >= ' ' && c < 0x7f && c != '&' && c != '\\' && c != '.') {
			buf_putc(&b, c);
			continue;
		}
		buf_put_span(&b, REPLACEMENT);
		put_hex(&b, c);
	}
	/* Nothing stood out, so the first byte must. */
	if (!is_literal(buf_span(&b)) && s.n > 0) {
		buf_clear(&b);
		buf_put_span(&b, REPLACEMENT);
		put_hex(&b, s.p[0]);
		buf_put_span(&b, span_skip(s, 1));
	}
	ret = arena_dup(arena, buf_span(&b));
	buf_done(&b);
	return ret;
}

/* The component for one stored level, in UTF-8; one that cannot be decoded is
 * spelled as said above. */
static struct span
get_level(const struct maildir_conf *conf, struct span stored,
    bool is_first, struct arena *arena)
{
	struct buf b;
	struct span ret;

	buf_init(&b, 2 * LEVEL_MAX);
	if (stored.n > 0 && get_regular(conf, stored, is_first, &b) == 0 &&
	    b.n > 0)
		ret = arena_dup(arena, buf_span(&b));
	else
		ret = get_literal(stored, arena);
	buf_done(&b);
	return ret;
}

int
foldername_level(const struct maildir_conf *conf, struct span level,
    bool is_first, struct buf *b)
{
	size_t before = b->n;
	struct arena *arena;
	int r;

	if (level.n == 0)
		return ERR_NAME;
	if (!is_literal(level))
		return put_regular(conf, level, is_first, b);
	r = put_literal(level, b);
	/* No file of a listing has these names, but every directory. */
	if (r == 0 && conf->layout == MAILDIR_FS &&
	    (is_span_eq(span_skip(buf_span(b), before), SPAN(".")) ||
	    is_span_eq(span_skip(buf_span(b), before), SPAN(".."))))
		r = ERR_NAME;
	if (r != 0)
		return r;
	arena = arena_new(1024);
	if (!is_span_eq(get_level(conf, span_of(b->p + before,
	    b->n - before), is_first, arena), level))
		r = ERR_NAME;
	arena_free(arena);
	return r;
}

/* Is stored called path, and nothing else?  A separator that is spelled out
 * would make two levels of one. */
static bool
is_name_of(const struct maildir_conf *conf, struct span stored,
    const struct maildir_path *path)
{
	struct arena *arena = arena_new(1024);
	struct maildir_path back;
	bool is_same;

	is_same = foldername_get(conf, stored, arena, &back) == 0 &&
	    back.n == path->n;
	for (size_t i = 0; is_same && i < path->n; i++)
		is_same = is_span_eq(back.level[i], path->level[i]);
	arena_free(arena);
	return is_same;
}

int
foldername_put(const struct maildir_conf *conf,
    const struct maildir_path *path, struct buf *b)
{
	uint8_t sep = conf->layout == MAILDIR_FS ? '/' : '.';
	size_t before = b->n;
	size_t first = before + (conf->layout == MAILDIR_FS ? 0 : 1);
	bool has_literal = false;
	int r = 0;

	if (path->n == 0 || path->n > MAILDIR_LEVELS_MAX)
		return ERR_NAME;
	for (size_t i = 0; r == 0 && i < path->n; i++) {
		size_t start;

		if (i > 0 || conf->layout == MAILDIR_PLUSPLUS)
			buf_putc(b, sep);
		start = b->n;
		has_literal |= is_literal(path->level[i]);
		r = foldername_level(conf, path->level[i], i == 0, b);
		if (r == 0 && b->n - start > MAILDIR_NAME_MAX)
			r = ERR_NAME;
	}
	if (r == 0 && conf->layout == MAILDIR_PLUSPLUS &&
	    b->n - before > MAILDIR_NAME_MAX)
		r = ERR_NAME;
	if (r == 0 && buf_err(b) != 0)
		r = ERR_NAME;
	if (r == 0 && has_literal &&
	    !is_name_of(conf, span_skip(buf_span(b), first), path))
		r = ERR_NAME;
	return r;
}

int
foldername_get(const struct maildir_conf *conf, struct span stored,
    struct arena *arena, struct maildir_path *ret)
{
	uint8_t sep = conf->layout == MAILDIR_FS ? '/' : '.';
	struct span level[MAILDIR_LEVELS_MAX], rest = stored;
	struct span *copy;
	size_t n = 0;

	if (stored.n == 0)
		return ERR_NAME;
	while (rest.p != NULL) {
		struct span s = span_split(&rest, sep);

		if (s.n == 0 || n == MAILDIR_LEVELS_MAX) {
			/* Empty components: all of it is one. */
			if (conf->layout == MAILDIR_FS)
				return ERR_NAME;
			level[0] = get_literal(stored, arena);
			n = 1;
			break;
		}
		level[n] = get_level(conf, s, n == 0, arena);
		n++;
	}
	copy = arena_array(arena, n, sizeof(*copy));
	memcpy(copy, level, n * sizeof(*copy));
	ret->level = copy;
	ret->n = n;
	return 0;
}
