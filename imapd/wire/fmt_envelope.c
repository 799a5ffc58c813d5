/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fmt_envelope.c: ENVELOPE as IMAP spells it (RFC 3501 7.4.2 and 9).
 */
#include "base/buf.h"
#include "base/span.h"
#include "message/envelope.h"
#include "imapd/wire/fmt.h"

/*
 * address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"
 *
 * The marks of a group need no case of their own: the start has its name in
 * mailbox and NIL for host, the end has NIL for all four (RFC 3501 7.4.2).
 */
static void
put_address(struct buf *b, const struct address *a, bool is_utf8)
{
	buf_putc(b, '(');
	fmt_nstring(b, a->name, is_utf8);
	buf_putc(b, ' ');
	fmt_nstring(b, a->route, is_utf8);
	buf_putc(b, ' ');
	fmt_nstring(b, a->mailbox, is_utf8);
	buf_putc(b, ' ');
	fmt_nstring(b, a->host, is_utf8);
	buf_putc(b, ')');
}

/* env-from = "(" 1*address ")" / nil, and so for the other five; with the
 * space before it. */
static void
put_addresses(struct buf *b, const struct address *a, bool is_utf8)
{
	if (a == NULL) {
		buf_puts(b, " NIL");
		return;
	}
	buf_puts(b, " (");
	for (; a != NULL; a = a->next)
		put_address(b, a, is_utf8);
	buf_putc(b, ')');
}

/*
 * envelope = "(" env-date SP env-subject SP env-from SP env-sender SP
 *            env-reply-to SP env-to SP env-cc SP env-bcc SP
 *            env-in-reply-to SP env-message-id ")"
 *
 * "If the Sender or Reply-To lines are absent in the [RFC-2822] header, or are
 * present but empty, the server sets the corresponding member of the envelope
 * to be the same value as the from member."
 */
void
fmt_envelope(struct buf *b, const struct envelope *env, bool is_utf8)
{
	const struct address *sender, *reply_to;

	sender = env->sender != NULL ? env->sender : env->from;
	reply_to = env->reply_to != NULL ? env->reply_to : env->from;

	buf_putc(b, '(');
	fmt_nstring(b, env->date, is_utf8);
	buf_putc(b, ' ');
	fmt_nstring(b, env->subject, is_utf8);
	put_addresses(b, env->from, is_utf8);
	put_addresses(b, sender, is_utf8);
	put_addresses(b, reply_to, is_utf8);
	put_addresses(b, env->to, is_utf8);
	put_addresses(b, env->cc, is_utf8);
	put_addresses(b, env->bcc, is_utf8);
	buf_putc(b, ' ');
	fmt_nstring(b, env->in_reply_to, is_utf8);
	buf_putc(b, ' ');
	fmt_nstring(b, env->message_id, is_utf8);
	buf_putc(b, ')');
}
