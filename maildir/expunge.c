/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * An expunge is an unlink; no lock.  The record in the uidlist stays until
 * somebody rewrites the list.
 *
 * CRASH STATES: each message is there or not; records without files are no
 * harm (uidlist.c).
 */
#include <errno.h>
#include <unistd.h>

#include "maildir/file.h"
#include "maildir/replace.h"
#include "maildir/step.h"

static int
do_unlink(int dir, const char *name, void *arg)
{
	(void)arg;
	if (unlinkat(dir, name, 0) != 0)
		return errno;
	step("expunge-unlinked");
	return 0;
}

int
maildir_expunge(struct maildir *md, const uint32_t *uids, size_t n,
    size_t *ret_n)
{
	size_t done = 0;
	int r = 0, sr;

	*ret_n = 0;
	if (md->is_readonly)
		return ERR_READONLY;
	md_wake(md);
	md_watch(md);
	while (done < n) {
		r = file_try(md, uids[done], do_unlink, NULL);
		if (r != 0 && r != ERR_GONE)
			break;
		r = 0;
		done++;
	}
	sr = sync_dir(md->box.cur, md->store->conf.fsync && done > 0);
	for (size_t i = 0; i < done; i++) {
		struct msg *m = picture_find(&md->pic, uids[i]);

		if (m == NULL)
			continue;
		history_left(md, m->uid);
		msg_set(m, MSG_GONE);
	}
	picture_sweep(&md->pic);
	history_record(md, NULL);
	*ret_n = done;
	return r != 0 ? r : sr;
}
