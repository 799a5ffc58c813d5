/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "base/num.h"
#include "maildir/maildirsize.h"

/* A number with an optional sign, and the blanks before it. */
static int
get_number(struct span *rest, int64_t *ret)
{
	bool is_minus = false;
	struct span s = *rest;
	uint64_t v;
	size_t n;

	while (s.n > 0 && is_wsp(s.p[0]))
		s = span_skip(s, 1);
	if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+')) {
		is_minus = s.p[0] == '-';
		s = span_skip(s, 1);
	}
	v = num_prefix(s, &n);
	if (n == 0 || v > MAILDIRSIZE_TOP)
		return ERR_SYNTAX;
	*ret = is_minus ? -(int64_t)v : (int64_t)v;
	*rest = span_skip(s, n);
	return 0;
}

static int
get_line(struct span line, int64_t *ret_bytes, int64_t *ret_messages)
{
	int r = get_number(&line, ret_bytes);

	if (r == 0 && (line.n == 0 || !is_wsp(line.p[0])))
		r = ERR_SYNTAX;
	if (r == 0)
		r = get_number(&line, ret_messages);
	if (r == 0 && span_trim(line).n > 0)
		r = ERR_SYNTAX;
	return r;
}

static void
get_limits(struct span line, struct maildir_limits *ret)
{
	while (line.p != NULL) {
		struct span s = span_trim(span_split(&line, ','));
		uint64_t v;
		size_t n;

		v = num_prefix(s, &n);
		if (v > MAILDIRSIZE_TOP)
			v = MAILDIRSIZE_TOP;
		if (n == 0 || n + 1 != s.n || v == 0)
			continue;
		if (s.p[n] == 'S')
			ret->bytes = v;
		else if (s.p[n] == 'C')
			ret->messages = v;
	}
}

void
maildirsize_parse(struct span text, struct maildirsize *ret)
{
	size_t end = span_rfind(text, '\n');
	int64_t bytes = 0, messages = 0, b, m;

	*ret = (struct maildirsize){ .is_torn = text.n > 0 };
	if (end == text.n)
		return;
	ret->is_torn = end + 1 < text.n;
	ret->has_limits = true;
	text = span_take(text, end);
	get_limits(span_split(&text, '\n'), &ret->limits);
	while (text.p != NULL) {
		if (get_line(span_split(&text, '\n'), &b, &m) != 0 ||
		    __builtin_add_overflow(bytes, b, &bytes) ||
		    __builtin_add_overflow(messages, m, &messages))
			return;
		ret->lines++;
	}
	/* No line at all: somebody has written down his limits and waits for
	 * us to count. */
	if (ret->lines == 0 || bytes < 0 || messages < 0)
		return;
	ret->is_good = true;
	ret->bytes = (uint64_t)bytes;
	ret->messages = (uint64_t)messages;
}

void
maildirsize_put_line(struct buf *b, bool is_minus, uint64_t bytes,
    uint64_t messages)
{
	if (is_minus && bytes > 0)
		buf_putc(b, '-');
	buf_put_u64(b, bytes);
	buf_putc(b, ' ');
	if (is_minus && messages > 0)
		buf_putc(b, '-');
	buf_put_u64(b, messages);
	buf_putc(b, '\n');
}

/* "0S" where there are no limits, as Dovecot does: an empty first line would be
 * read by nobody. */
void
maildirsize_put(struct buf *b, const struct maildir_limits *limits,
    uint64_t bytes, uint64_t messages)
{
	bool has_bytes = limits->bytes > 0 || limits->messages == 0;

	if (has_bytes) {
		buf_put_u64(b, limits->bytes);
		buf_putc(b, 'S');
	}
	if (limits->messages > 0) {
		if (has_bytes)
			buf_putc(b, ',');
		buf_put_u64(b, limits->messages);
		buf_putc(b, 'C');
	}
	buf_putc(b, '\n');
	maildirsize_put_line(b, false, bytes, messages);
}
