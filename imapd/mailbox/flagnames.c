/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * flagnames.c: the flags and keywords of a mailbox, spelled.
 */
#include "imapd/mailbox/flagnames.h"

#include "imapd/wire/fmt.h"
#include "imapd/wire/lex.h"

/* The flags every mailbox has (RFC 3501 2.3.2); \Recent cannot be set. */
#define ALL_FLAGS	(MAILDIR_ANSWERED | MAILDIR_FLAGGED |		\
	MAILDIR_DELETED | MAILDIR_SEEN | MAILDIR_DRAFT)

/* Empty if it has none, or one that is no flag-keyword (RFC 3501 9). */
static struct span
keyword_name(const struct maildir *md, size_t i)
{
	struct span name = SPAN_NONE;

	if (i < maildir_keyword_count(md))
		name = maildir_keyword_name(md, i);
	return is_lex_astring_atom(name) && !has_byte(name, ']') ? name :
	    SPAN_NONE;
}

uint64_t
flagnames_set(const struct maildir *md)
{
	uint64_t set = 0;

	for (size_t i = 0; i < maildir_keyword_count(md); i++)
		if (keyword_name(md, i).n > 0)
			set |= UINT64_C(1) << i;
	return set;
}

/* The system flags, then each keyword of the set that has a name. */
static void
put_names(const struct maildir *md, struct buf *b, uint32_t sys,
    bool is_recent, uint64_t set)
{
	bool has_flag = fmt_sysflags(b, sys, is_recent);

	for (uint64_t kw = set; kw != 0; kw &= kw - 1) {
		struct span name = keyword_name(md,
		    (size_t)__builtin_ctzll(kw));

		if (name.n == 0)
			continue;
		if (has_flag)
			buf_putc(b, ' ');
		buf_put_span(b, name);
		has_flag = true;
	}
}

void
flagnames_put_all(const struct maildir *md, struct buf *b)
{
	put_names(md, b, ALL_FLAGS, false, flagnames_set(md));
}

void
flagnames_put(const struct maildir *md, struct buf *b,
    const struct maildir_msg *msg)
{
	buf_puts(b, "FLAGS (");
	put_names(md, b, msg->flags.sys, msg->is_recent, msg->flags.kw);
	buf_putc(b, ')');
}
