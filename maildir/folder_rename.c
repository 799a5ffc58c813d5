/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * RENAME.  In Maildir++ it is one rename for each child, and the mailbox itself
 * is the last: as long as it has its old name, the same RENAME can be asked for
 * again.
 *
 * CRASH STATES
 *	some children renamed	they have their new names, the others their old
 *				ones (Maildir++); a second RENAME finishes it
 *	INBOX			messages are in one of the two mailboxes
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/vec.h"
#include "maildir/folder.h"
#include "maildir/foldername.h"
#include "maildir/replace.h"
#include "maildir/step.h"

#define STORED_MAX	65536u

struct pair {
	char *from;
	char *to;
};

struct renames {
	struct maildir_store *store;
	VEC(struct pair) v;
	size_t done;
};

static void
plan_pair(struct renames *rn, struct span from, struct span to,
    struct span suffix)
{
	struct pair p;
	struct buf b;

	buf_init(&b, STORED_MAX);
	buf_put_span(&b, from);
	buf_put_span(&b, suffix);
	p.from = mem_dup(b.p, b.n);
	buf_clear(&b);
	buf_put_span(&b, to);
	buf_put_span(&b, suffix);
	p.to = mem_dup(b.p, b.n);
	buf_done(&b);
	VEC_PUSH(&rn->v, p);
}

/* From the longest to the shortest: ".From" itself comes last. */
static int
pair_cmp(const void *a, const void *b)
{
	const struct pair *pa = a, *pb = b;
	size_t la = strlen(pa->from), lb = strlen(pb->from);

	return la == lb ? strcmp(pa->from, pb->from) : la > lb ? -1 : 1;
}

/* Maildir++: ".From" itself and every ".From.child". */
static int
plan_plusplus(struct renames *rn, struct span from, struct span to)
{
	struct dirent *d;
	DIR *dp;
	int r;

	if ((r = open_list(rn->store->root, ".", &dp)) != 0)
		return r;
	while ((d = readdir(dp)) != NULL) {
		struct span s = span_str(d->d_name);

		if (has_prefix(s, from) && (s.n == from.n ||
		    s.p[from.n] == '.'))
			plan_pair(rn, from, to, span_skip(s, from.n));
	}
	(void)closedir(dp);
	if (rn->v.n == 0)
		return ERR_NOENT;
	qsort(rn->v.v, rn->v.n, sizeof(*rn->v.v), pair_cmp);
	return 0;
}

/* Everything that can be known to fail, before anything is done. */
static int
check(const struct renames *rn, const char *to)
{
	struct stat st;

	/* Also when what is renamed is only a parent, and the target a mailbox:
	 * RFC 3501 6.3.5 wants a name that does not exist. */
	if (fstatat(rn->store->root, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return ERR_EXISTS;
	for (size_t i = 0; i < rn->v.n; i++) {
		const struct pair *p = &rn->v.v[i];
		const char *slash = strrchr(p->to, '/');

		if (strlen(slash == NULL ? p->to : slash + 1) >
		    MAILDIR_NAME_MAX)
			return ERR_NAME;
		if (fstatat(rn->store->root, p->to, &st,
		    AT_SYMLINK_NOFOLLOW) == 0)
			return ERR_EXISTS;
	}
	return 0;
}

static int
rename_control(const struct maildir_store *store, const char *from,
    const char *to)
{
	if (store->conf.control == NULL)
		return 0;
	if (renameat(store->control, from, store->control, to) != 0 &&
	    errno != ENOENT)
		return err_from_errno(errno);
	return 0;
}

static int
carry_out(struct renames *rn)
{
	struct maildir_store *store = rn->store;
	int r = 0;

	for (; r == 0 && rn->done < rn->v.n; rn->done++) {
		const struct pair *p = &rn->v.v[rn->done];

		r = folder_rename_dir(store->root, p->from, store->root,
		    p->to);
		if (r != 0)
			break;
		r = rename_control(store, p->from, p->to);
		step("rename-one");
	}
	return r;
}

static void
undo(struct renames *rn)
{
	while (rn->done > 0) {
		const struct pair *p = &rn->v.v[--rn->done];

		/* Best effort: each mailbox is whole under either name. */
		if (folder_rename_dir(rn->store->root, p->to,
		    rn->store->root, p->from) == 0 &&
		    rename_control(rn->store, p->to, p->from) != 0)
			continue;
	}
	if (rn->store->conf.layout == MAILDIR_FS)
		folder_remove_parents(rn->store->root, rn->v.v[0].to);
}

/* RFC 3501 6.3.5: the messages move to a new mailbox, INBOX stays. */
static int
rename_inbox(struct maildir_store *store, const struct maildir_path *from,
    const struct maildir_path *to)
{
	struct arena *arena = arena_new(4096);
	struct maildir_copied copied;
	struct maildir *md;
	uint32_t *uids;
	bool is_made;
	size_t n;
	int r;

	r = maildir_create(store, to);
	is_made = r == 0;
	if (r == 0)
		r = maildir_open(store, from, false, &md);
	if (r == 0) {
		n = maildir_count(md);
		uids = arena_array(arena, n + 1, sizeof(*uids));
		for (size_t i = 0; i < n; i++) {
			struct maildir_msg m;

			maildir_get(md, i, &m);
			uids[i] = m.uid;
		}
		r = maildir_move(md, uids, n, to, arena, &copied);
		maildir_close(md);
	}
	/* Without the messages it would only be in the way of a second try. */
	if (r != 0 && is_made)
		folder_discard(store, to);
	arena_free(arena);
	return r;
}

static int
plan_fs(struct renames *rn, struct span from, struct span to)
{
	struct stat st;
	char *name;
	int r;

	name = mem_dup(from.p, from.n);
	r = fstatat(rn->store->root, name, &st, 0) == 0 ? 0 :
	    err_from_errno(errno);
	free(name);
	if (r == 0)
		plan_pair(rn, from, to, SPAN_NONE);
	return r;
}

static int
make_parents(struct maildir_store *store, const char *name)
{
	struct stat st;
	mode_t mode = fstat(store->root, &st) == 0 ?
	    mode_for_dir(st.st_mode) : 0700;
	int r;

	r = folder_make_parents(store->root, name, mode);
	if (r == 0 && store->conf.control != NULL)
		r = folder_make_parents(store->control, name, mode);
	if (r != 0)
		folder_remove_parents(store->root, name);
	return r;
}

/* It all survives: the pairs of one rename have the same parents. */
static int
sync_parents(const struct maildir_store *store, const struct pair *p)
{
	bool sync = store->conf.fsync;
	int r = folder_sync(store->root, p->to, sync);

	if (store->conf.layout == MAILDIR_FS) {
		/* Parents that had nothing else. */
		folder_remove_parents(store->root, p->from);
		if (r == 0)
			r = folder_sync(store->root, p->from, sync);
	}
	if (r == 0 && store->conf.control != NULL)
		r = folder_sync(store->control, p->to, sync);
	return r;
}

static int
prepare(struct renames *rn, const struct maildir_path *from,
    const struct maildir_path *to)
{
	struct maildir_store *store = rn->store;
	struct buf a, b;
	uint8_t sep;
	int r;

	buf_init(&a, STORED_MAX);
	buf_init(&b, STORED_MAX);
	if ((r = foldername_put(&store->conf, from, &a)) != 0 ||
	    (r = foldername_put(&store->conf, to, &b)) != 0)
		goto done;
	/* Nothing can be moved into itself. */
	sep = store->conf.layout == MAILDIR_FS ? '/' : '.';
	if (b.n > a.n && has_prefix(buf_span(&b), buf_span(&a)) &&
	    b.p[a.n] == sep) {
		r = ERR_NAME;
		goto done;
	}
	if (store->conf.layout == MAILDIR_FS)
		r = plan_fs(rn, buf_span(&a), buf_span(&b));
	else
		r = plan_plusplus(rn, buf_span(&a), buf_span(&b));
	if (r == 0)
		r = buf_cstr(&b) == NULL ? ERR_NAME : check(rn, buf_cstr(&b));
	if (r == 0 && store->conf.layout == MAILDIR_FS)
		r = make_parents(store, buf_cstr(&b));
done:
	buf_done(&a);
	buf_done(&b);
	return r;
}

int
maildir_rename(struct maildir_store *store, const struct maildir_path *from,
    const struct maildir_path *to)
{
	struct renames rn = { .store = store };
	int r;

	if ((r = maildir_path_check(store, from)) != 0 ||
	    (r = maildir_path_check(store, to)) != 0)
		return r;
	if (is_maildir_inbox(to))
		return ERR_EXISTS;
	if (is_maildir_inbox(from))
		return rename_inbox(store, from, to);
	r = prepare(&rn, from, to);
	if (r == 0) {
		r = carry_out(&rn);
		if (r == 0)
			r = sync_parents(store, &rn.v.v[0]);
		else
			undo(&rn);
	}
	for (size_t i = 0; i < rn.v.n; i++) {
		free(rn.v.v[i].from);
		free(rn.v.v[i].to);
	}
	VEC_DONE(&rn.v);
	return store_err(store, r);
}
