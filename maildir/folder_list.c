/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * LIST: one readdir of the root in Maildir++, one for each directory in the fs
 * layout; no mailbox is opened, and with d_type none is looked at.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <stdlib.h>

#include "base/vec.h"
#include "maildir/folder.h"
#include "maildir/foldername.h"

#define STORED_MAX	65536u
#define FOLDERS_MAX	(1024u * 1024)

struct lister {
	struct maildir_store *store;
	struct arena *arena;
	VEC(struct maildir_entry) v;
	bool has_relics;
};

/* The fs layout: a directory that is being read, and those that led to it. */
struct above {
	int fd;
	unsigned depth;
	const struct above *up;
};

static int
add(struct lister *l, struct span stored, bool is_mailbox)
{
	struct maildir_entry e = { .is_mailbox = is_mailbox };

	if (l->v.n >= FOLDERS_MAX)
		return ERR_LIMIT;
	if (foldername_get(&l->store->conf, stored, l->arena, &e.path) == 0 &&
	    (e.path.n > 1 || !is_maildir_inbox(&e.path)))
		VEC_PUSH(&l->v, e);
	return 0;
}

static bool
is_dir(int fd, const struct dirent *d)
{
	struct stat st;

	if (d->d_type == DT_DIR)
		return true;
	if (d->d_type != DT_LNK && d->d_type != DT_UNKNOWN)
		return false;
	return fstatat(fd, d->d_name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

static int
list_plusplus(struct lister *l)
{
	struct dirent *d;
	DIR *dp;
	int r = open_list(l->store->root, ".", &dp);

	if (r != 0)
		return r;
	while (r == 0 && (d = readdir(dp)) != NULL) {
		struct span s = span_str(d->d_name);

		if (is_folder_relic(s))
			l->has_relics = true;
		if (s.n < 2 || s.p[0] != '.' || s.p[1] == '.' ||
		    has_prefix(s, SPAN(".nfs")) || !is_dir(dirfd(dp), d))
			continue;
		r = add(l, span_skip(s, 1), true);
	}
	(void)closedir(dp);
	return r;
}

/* A symbolic link that leads to where we come from: mailboxes in it would have
 * names without end. */
static bool
is_loop(const struct above *ab, const struct dirent *d)
{
	struct stat st, there;

	if (d->d_type != DT_LNK && d->d_type != DT_UNKNOWN)
		return false;
	if (fstatat(ab->fd, d->d_name, &there, 0) != 0)
		return true;
	for (; ab != NULL; ab = ab->up)
		if (fstat(ab->fd, &st) == 0 && st.st_dev == there.st_dev &&
		    st.st_ino == there.st_ino)
			return true;
	return false;
}

static int list_fs(struct lister *l, const struct above *up, const char *name,
    struct buf *stored);

static int
list_below(struct lister *l, const struct above *ab, const struct dirent *d,
    struct buf *stored)
{
	struct span s = span_str(d->d_name);
	size_t n = stored->n;
	int r = 0;

	if (ab->depth == 0 && is_folder_relic(s))
		l->has_relics = true;
	if (is_span_eq(s, SPAN(".")) || has_prefix(s, SPAN("..")) ||
	    is_folder_taken(s) || !is_dir(ab->fd, d) || is_loop(ab, d))
		return 0;
	if (ab->depth > 0)
		buf_putc(stored, '/');
	buf_puts(stored, d->d_name);
	if (buf_err(stored) == 0)
		r = list_fs(l, ab, d->d_name, stored);
	stored->n = n;
	stored->overflowed = false;
	return r;
}

static int
list_fs(struct lister *l, const struct above *up, const char *name,
    struct buf *stored)
{
	struct above ab = { -1, up == NULL ? 0 : up->depth + 1, up };
	struct dirent *d;
	struct stat st;
	DIR *dp;
	int r;

	if (ab.depth > MAILDIR_LEVELS_MAX)
		return 0;
	r = open_list(up == NULL ? l->store->root : up->fd, name, &dp);
	if (r != 0)		/* gone meanwhile, or not for us */
		return up == NULL ? r : 0;
	ab.fd = dirfd(dp);
	if (up != NULL)
		r = add(l, buf_span(stored), fstatat(ab.fd, "cur", &st,
		    0) == 0);
	while (r == 0 && (d = readdir(dp)) != NULL)
		r = list_below(l, &ab, d, stored);
	(void)closedir(dp);
	return r;
}

static int
path_cmp(const struct maildir_path *a, const struct maildir_path *b)
{
	bool a_in = is_span_eq(a->level[0], SPAN("INBOX"));
	bool b_in = is_span_eq(b->level[0], SPAN("INBOX"));

	if (a_in != b_in)
		return a_in ? -1 : 1;
	for (size_t i = 0; i < a->n && i < b->n; i++) {
		int c = span_cmp(a->level[i], b->level[i]);

		if (c != 0)
			return c;
	}
	return a->n < b->n ? -1 : a->n > b->n;
}

static int
entry_cmp(const void *a, const void *b)
{
	const struct maildir_entry *ea = a, *eb = b;

	return path_cmp(&ea->path, &eb->path);
}

static bool
is_below(const struct maildir_path *p, const struct maildir_path *parent)
{
	if (p->n <= parent->n)
		return false;
	for (size_t i = 0; i < parent->n; i++)
		if (!is_span_eq(p->level[i], parent->level[i]))
			return false;
	return true;
}

/* An entry for each parent that has none: its path is the head of a child's. */
static void
add_parents(struct lister *l)
{
	size_t n = l->v.n;

	for (size_t i = 0; i < n; i++) {
		struct maildir_entry e = l->v.v[i];
		struct maildir_path before = { NULL, 0 };

		if (i > 0)
			before = l->v.v[i - 1].path;
		e.is_mailbox = false;
		while (--e.path.n > 0) {
			/* In sorted order, what the one before is below of,
			 * or is, has been added for it. */
			if (is_below(&before, &e.path) ||
			    path_cmp(&before, &e.path) == 0)
				break;
			VEC_PUSH(&l->v, e);
		}
	}
}

/* Sorted; one entry for a path; who has children. */
static void
finish(struct lister *l)
{
	size_t n = 0;

	qsort(l->v.v, l->v.n, sizeof(*l->v.v), entry_cmp);
	add_parents(l);
	qsort(l->v.v, l->v.n, sizeof(*l->v.v), entry_cmp);
	for (size_t i = 0; i < l->v.n; i++) {
		struct maildir_entry e = l->v.v[i];

		if (n > 0 && path_cmp(&l->v.v[n - 1].path, &e.path) == 0)
			l->v.v[n - 1].is_mailbox |= e.is_mailbox;
		else
			l->v.v[n++] = e;
	}
	l->v.n = n;
	for (size_t i = 0; i + 1 < n; i++)
		l->v.v[i].has_children = is_below(&l->v.v[i + 1].path,
		    &l->v.v[i].path);
}

int
maildir_list(struct maildir_store *store, struct arena *arena,
    struct maildir_entry **ret, size_t *ret_n)
{
	static const struct span inbox = SPAN("INBOX");
	struct lister l = { .store = store, .arena = arena };
	struct maildir_entry e = { .path = { &inbox, 1 }, .is_mailbox = true };
	struct buf stored;
	int r;

	/* The root can be gone and still be read, as empty. */
	if ((r = store_check(store)) != 0)
		return r;
	VEC_PUSH(&l.v, e);
	buf_init(&stored, STORED_MAX);
	if (store->conf.layout == MAILDIR_FS)
		r = list_fs(&l, NULL, ".", &stored);
	else
		r = list_plusplus(&l);
	buf_done(&stored);
	if (r == 0) {
		finish(&l);
		*ret = arena_array(arena, l.v.n, sizeof(**ret));
		memcpy(*ret, l.v.v, l.v.n * sizeof(**ret));
		*ret_n = l.v.n;
	}
	VEC_DONE(&l.v);
	if (r == 0 && l.has_relics)
		folder_remove_relics(store);
	return r;
}
