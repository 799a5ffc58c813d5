/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "base/utf8.h"
#include "imapd/wire/fmt.h"
#include "imapd/wire/imapdate.h"
#include "imapd/wire/lex.h"
#include "maildir/maildir.h"

/* What is in a string, as bits. */
#define HAS_SPECIAL	1u	/* a quote or a backslash */
#define HAS_8BIT	2u
#define HAS_LINE	4u	/* CR, LF or NUL: no quoted string has them */

static unsigned
look(struct span s)
{
	static const uint8_t kind[256] = { ['"'] = HAS_SPECIAL,
	    ['\\'] = HAS_SPECIAL, ['\r'] = HAS_LINE, ['\n'] = HAS_LINE,
	    ['\0'] = HAS_LINE };
	unsigned has = 0, all = 0;

	for (size_t i = 0; i < s.n; i++) {
		has |= kind[s.p[i]];
		all |= s.p[i];
	}
	return all >= 0x80 ? has | HAS_8BIT : has;
}

/*
 * quoted = DQUOTE *QUOTED-CHAR DQUOTE                      (RFC 3501 section 9)
 * QUOTED-CHAR =/ UTF8-2 / UTF8-3 / UTF8-4                  (RFC 9051, RFC 9755)
 */
static bool
can_quote(struct span s, unsigned has, bool with_utf8)
{
	return (has & HAS_LINE) == 0 &&
	    ((has & HAS_8BIT) == 0 || (with_utf8 && is_utf8(s)));
}

static void
put_quoted(struct buf *b, struct span s, unsigned has)
{
	buf_putc(b, '"');
	if ((has & HAS_SPECIAL) == 0)
		buf_put_span(b, s);
	else for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_putc(b, '\\');
		buf_putc(b, s.p[i]);
	}
	buf_putc(b, '"');
}

/* literal = "{" number "}" CRLF *CHAR8 ; CHAR8 is any byte but NUL */
static void
put_literal(struct buf *b, struct span s)
{
	size_t nuls = 0;
	struct span piece;

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\0')
			nuls++;
	buf_putc(b, '{');
	buf_put_u64(b, s.n - nuls);
	buf_puts(b, "}\r\n");
	while (s.n > 0) {
		piece = span_split(&s, '\0');
		buf_put_span(b, piece);
	}
}

void
fmt_string(struct buf *b, struct span s, bool with_utf8)
{
	unsigned has = s.n > FMT_QUOTED_MAX ? HAS_LINE : look(s);

	if (can_quote(s, has, with_utf8))
		put_quoted(b, s, has);
	else
		put_literal(b, s);
}

void
fmt_nstring(struct buf *b, struct span s, bool with_utf8)
{
	if (s.p == NULL)
		buf_puts(b, "NIL");
	else
		fmt_string(b, s, with_utf8);
}

void
fmt_astring(struct buf *b, struct span s, bool with_utf8)
{
	/* NIL is an atom that some take for nothing. */
	if (is_lex_astring_atom(s) && !is_span_ieq(s, SPAN("NIL")))
		buf_put_span(b, s);
	else
		fmt_string(b, s, with_utf8);
}

void
fmt_mailbox(struct buf *b, struct span wire_name)
{
	if (is_span_ieq(wire_name, SPAN("INBOX")))
		buf_puts(b, "INBOX");
	else
		fmt_astring(b, wire_name, true);
}

void
fmt_datetime(struct buf *b, int64_t t, int zone)
{
	buf_putc(b, '"');
	imapdate_put(b, t, zone);
	buf_putc(b, '"');
}

bool
fmt_sysflags(struct buf *b, uint32_t sys, bool is_recent)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} flag[] = {
		{ MAILDIR_ANSWERED, "\\Answered" },
		{ MAILDIR_FLAGGED, "\\Flagged" },
		{ MAILDIR_DELETED, "\\Deleted" },
		{ MAILDIR_SEEN, "\\Seen" },
		{ MAILDIR_DRAFT, "\\Draft" }
	};
	const char *sep = "";

	for (size_t i = 0; i < sizeof(flag) / sizeof(flag[0]); i++) {
		if ((sys & flag[i].bit) == 0)
			continue;
		buf_puts(b, sep);
		buf_puts(b, flag[i].name);
		sep = " ";
	}
	if (is_recent) {
		buf_puts(b, sep);
		buf_puts(b, "\\Recent");
		sep = " ";
	}
	return *sep != '\0';
}

void
threadout_init(struct threadout *to, struct buf *out)
{
	*to = (struct threadout){ .out = out };
}

void
threadout_open(struct threadout *to)
{
	buf_puts(to->out, to->is_after_number ? " (" : "(");
	to->is_after_number = false;
}

void
threadout_number(struct threadout *to, uint32_t num)
{
	if (to->is_after_number)
		buf_putc(to->out, ' ');
	buf_put_u64(to->out, num);
	to->is_after_number = true;
}

void
threadout_close(struct threadout *to)
{
	buf_putc(to->out, ')');
	to->is_after_number = false;
}
