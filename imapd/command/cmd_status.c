/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * cmd_status.c: STATUS (RFC 3501 6.3.10, 7162, 7889, 8438, 8474, 9208).
 */
#include "imapd/command/cmd_status.h"
#include "imapd/command/answer.h"
#include "imapd/command/commands.h"
#include "imapd/command/condstore.h"
#include "imapd/mailbox/objectid.h"
#include "imapd/wire/fmt.h"

struct printer {
	struct buf *b;
	uint32_t items;
	const char *sep;
};

static bool
put_name(struct printer *pr, uint32_t item, const char *name)
{
	if ((pr->items & item) == 0)
		return false;
	buf_puts(pr->b, pr->sep);
	buf_puts(pr->b, name);
	buf_putc(pr->b, ' ');
	pr->sep = " ";
	return true;
}

static void
put_number(struct printer *pr, uint32_t item, const char *name, uint64_t value)
{
	if (put_name(pr, item, name))
		buf_put_u64(pr->b, value);
}

int
status_put(struct session *s, const struct maildir_path *path,
    struct span name, uint32_t items)
{
	struct printer pr = { wire_out_buf(s->out), items, "" };
	struct maildir_status st;
	uint64_t deleted_size = 0;
	int err;

	err = maildir_status(s->store, path, (items & STATUS_SIZE) != 0, &st);
	if (err == 0 && (items & STATUS_DELETED_STORAGE) != 0 && st.deleted > 0)
		err = maildir_deleted_size(s->store, path, &deleted_size);
	if (err != 0)
		return err;
	buf_puts(pr.b, "* STATUS ");
	fmt_mailbox(pr.b, name);
	buf_puts(pr.b, " (");
	put_number(&pr, STATUS_MESSAGES, "MESSAGES", st.messages);
	put_number(&pr, STATUS_RECENT, "RECENT", st.recent);
	put_number(&pr, STATUS_UIDNEXT, "UIDNEXT", st.uidnext);
	put_number(&pr, STATUS_UIDVALIDITY, "UIDVALIDITY", st.uidvalidity);
	put_number(&pr, STATUS_UNSEEN, "UNSEEN", st.unseen);
	put_number(&pr, STATUS_DELETED, "DELETED", st.deleted);
	put_number(&pr, STATUS_DELETED_STORAGE, "DELETED-STORAGE",
	    deleted_size);
	put_number(&pr, STATUS_HIGHESTMODSEQ, "HIGHESTMODSEQ",
	    st.highestmodseq);
	put_number(&pr, STATUS_SIZE, "SIZE", st.size);
	put_number(&pr, STATUS_APPENDLIMIT, "APPENDLIMIT",
	    s->conf->append_limit);
	if (put_name(&pr, STATUS_MAILBOXID, "MAILBOXID")) {
		buf_putc(pr.b, '(');
		objectid_mailbox(st.guid, pr.b);
		buf_putc(pr.b, ')');
	}
	buf_puts(pr.b, ")\r\n");
	wire_out_check(s->out);
	return 0;
}

int
cmd_status(struct session *s, const struct command *cmd)
{
	struct maildir_path path;
	struct span name;
	int err;

	if ((cmd->u.status.items & STATUS_HIGHESTMODSEQ) != 0)
		condstore_enable(s);
	err = mailname_to_path(&s->names, cmd->u.status.mailbox, s->arena,
	    &path);
	/* In the answer the name is spelled as LIST spells it. */
	if (err == 0)
		err = mailname_from_path(&s->names, &path, s->arena, &name);
	if (err == 0)
		err = status_put(s, &path, name, cmd->u.status.items);
	return err == 0 ? answer_done(s, cmd) : answer_err(s, cmd, err);
}
