/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * An expunge is an unlink; no lock.  The record in the uidlist stays until
 * somebody rewrites the list.  What the messages add up to is taken off the
 * quota at the end, in one line.
 *
 * CRASH STATES: each message is there or not; records without files are no
 * harm (uidlist.c), a quota that counts too much is noticed (quota.c).
 */
#include <errno.h>
#include <unistd.h>

#include "maildir/file.h"
#include "maildir/replace.h"
#include "maildir/step.h"

struct removed {
	int new;		/* the directory, and whether one lay there */
	bool has_new;
	bool is_counted;
	bool is_unsure;		/* of bytes */
	uint64_t bytes;
	uint64_t n;
};

static int
do_unlink(int dir, const char *name, void *arg)
{
	struct removed *rem = arg;
	uint64_t size = 0;
	int r = 0;

	if (rem->is_counted)
		r = quota_sum_file(dir, name, &size);
	if (unlinkat(dir, name, 0) != 0)
		return errno;
	step("expunge-unlinked");
	rem->has_new |= dir == rem->new;
	/* A size that is not to be had is no reason to keep the message. */
	rem->is_unsure |= r != 0;
	rem->bytes += size;
	rem->n++;
	return 0;
}

int
maildir_expunge(struct maildir *md, const uint32_t *uids, size_t n,
    size_t *ret_n)
{
	struct removed rem = { .new = md->box.new,
	    .is_counted = has_quota(md->store) };
	size_t done = 0;
	int r = 0, sr;

	*ret_n = 0;
	if (md->is_readonly)
		return ERR_READONLY;
	md_wake(md);
	md_watch(md);
	quota_begin(md->store);
	while (done < n) {
		r = file_try(md, uids[done], do_unlink, &rem);
		if (r != 0 && r != ERR_GONE)
			break;
		r = 0;
		done++;
		store_tick(md->store, done);
	}
	sr = sync_dir(md->box.cur, md->store->conf.fsync && done > 0);
	if (sr == 0)
		sr = sync_dir(md->box.new, md->store->conf.fsync &&
		    rem.has_new);
	if (rem.is_unsure)
		quota_doubt(md->store);
	else
		quota_removed(md->store, rem.bytes, rem.n);
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
