/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * polling.c: see polling.h.  The operator can raise the limits: see
 * contrib/sysctl.d.
 */
#include "base/log.h"
#include "maildir/maildir.h"
#include "imapd/mailbox/mailbox.h"
#include "imapd/command/polling.h"

static const char *
reason(int err)
{
	if (err == ERR_LIMIT)
		return "no inotify instances left";
	if (err == ERR_NOSPACE)		/* not of the disk */
		return "no inotify watches left";
	return err == ERR_UNSUPPORTED ? "network file system" : err_text(err);
}

void
polling_log(struct session *s)
{
	struct maildir *md = mailbox_store(s->mailbox);

	if (s->has_logged_polling || maildir_watch(md) >= 0)
		return;
	s->has_logged_polling = true;
	log_begin(LOG_NOTICE, "polling");
	log_str("user", s->start->user);
	log_str("reason", reason(maildir_watch_err(md)));
	log_end();
}
