/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * cmd_quota.c: GETQUOTA and GETQUOTAROOT (RFC 9208, 2087).
 *
 * There is one quota root, for all mailboxes of the user, or none.  SETQUOTA is
 * no command here: it would come with QUOTASET (RFC 9208 4.1.3), and limits are
 * the administrator's business.
 */
#include "imapd/command/answer.h"
#include "imapd/command/commands.h"
#include "imapd/wire/fmt.h"

/* Dovecot's usual name, so that a client that remembers it finds it again. */
#define ROOT	SPAN("User quota")

#define UNIT	1024u		/* octets, of STORAGE (RFC 9208 5.1) */

static uint64_t
units(uint64_t bytes)
{
	return bytes / UNIT + (bytes % UNIT > 0);
}

static const char *
put_resource(struct buf *b, const char *sep, const char *name, uint64_t used,
    uint64_t limit)
{
	/* Not named: not limited (RFC 9208 4.2.1). */
	if (limit == 0)
		return sep;
	buf_puts(b, sep);
	buf_puts(b, name);
	buf_putc(b, ' ');
	buf_put_u64(b, used);
	buf_putc(b, ' ');
	buf_put_u64(b, limit);
	return " ";
}

/* "* QUOTA root (STORAGE used limit MESSAGE used limit)" */
static void
put_quota(struct session *s, const struct maildir_quota *q)
{
	struct buf *b = wire_out_buf(s->out);
	const char *sep = "";

	buf_puts(b, "* QUOTA ");
	fmt_astring(b, ROOT, s->is_utf8);
	buf_puts(b, " (");
	sep = put_resource(b, sep, "STORAGE", units(q->used.bytes),
	    units(q->limits.bytes));
	(void)put_resource(b, sep, "MESSAGE", q->used.messages,
	    q->limits.messages);
	buf_puts(b, ")\r\n");
	wire_out_check(s->out);
}

int
cmd_getquota(struct session *s, const struct command *cmd)
{
	struct maildir_quota q;
	int err = ERR_NOENT;

	if (is_span_eq(cmd->u.quota_root, ROOT))
		err = maildir_quota(s->store, &q);
	if (err == ERR_NOENT)
		return answer_no(s, cmd, "NONEXISTENT",
		    "There is no such quota root.");
	if (err != 0)
		return answer_err(s, cmd, err);
	put_quota(s, &q);
	return answer_done(s, cmd);
}

/* The mailbox need not exist: the same holds for one that is yet to be made
 * (RFC 9208 4.1.2). */
int
cmd_getquotaroot(struct session *s, const struct command *cmd)
{
	struct maildir_path path;
	struct maildir_quota q;
	struct span name;
	struct buf *b;
	int err, has;

	err = mailname_to_path(&s->names, cmd->u.mailbox, s->arena, &path);
	if (err == 0)
		err = mailname_from_path(&s->names, &path, s->arena, &name);
	if (err != 0)
		return answer_err(s, cmd, err);
	has = maildir_quota(s->store, &q);
	if (has != 0 && has != ERR_NOENT)
		return answer_err(s, cmd, has);
	b = wire_out_buf(s->out);
	buf_puts(b, "* QUOTAROOT ");
	fmt_mailbox(b, name);
	if (has == 0) {
		buf_putc(b, ' ');
		fmt_astring(b, ROOT, s->is_utf8);
	}
	buf_puts(b, "\r\n");
	if (has == 0)
		put_quota(s, &q);
	return answer_done(s, cmd);
}
