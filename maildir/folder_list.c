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

struct lister {
	struct maildir_store *store;
	struct arena *arena;
	VEC(struct maildir_entry) v;
};

static void
add(struct lister *l, struct span stored, bool is_mailbox)
{
	struct maildir_entry e = { .is_mailbox = is_mailbox };

	if (foldername_get(&l->store->conf, stored, l->arena, &e.path) == 0 &&
	    (e.path.n > 1 || !is_maildir_inbox(&e.path)))
		VEC_PUSH(&l->v, e);
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
	while ((d = readdir(dp)) != NULL) {
		struct span s = span_str(d->d_name);

		if (s.n < 2 || s.p[0] != '.' || s.p[1] == '.' ||
		    has_prefix(s, SPAN(".nfs")) || !is_dir(dirfd(dp), d))
			continue;
		add(l, span_skip(s, 1), true);
	}
	(void)closedir(dp);
	return 0;
}

static bool
is_folder_name(struct span s, bool is_top)
{
	if (is_span_eq(s, SPAN(".")) || has_prefix(s, SPAN("..")) ||
	    is_span_eq(s, SPAN("cur")) || is_span_eq(s, SPAN("new")) ||
	    is_span_eq(s, SPAN("tmp")))
		return false;
	return !is_top || !folder_is_taken(s);
}

static int
list_fs(struct lister *l, int at, const char *name, struct buf *stored,
    unsigned depth)
{
	struct dirent *d;
	struct stat st;
	size_t n = stored->n;
	DIR *dp;
	int r;

	if (depth >= MAILDIR_LEVELS_MAX)
		return 0;
	r = open_list(at, name, &dp);
	if (r != 0)		/* gone meanwhile, or not for us */
		return depth == 0 ? r : 0;
	if (depth > 0)
		add(l, buf_span(stored),
		    fstatat(dirfd(dp), "cur", &st, 0) == 0);
	while (r == 0 && (d = readdir(dp)) != NULL) {
		if (!is_folder_name(span_str(d->d_name), depth == 0) ||
		    !is_dir(dirfd(dp), d))
			continue;
		if (depth > 0)
			buf_putc(stored, '/');
		buf_puts(stored, d->d_name);
		if (buf_err(stored) == 0)
			r = list_fs(l, dirfd(dp), d->d_name, stored,
			    depth + 1);
		stored->n = n;
		stored->overflowed = false;
	}
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

	VEC_PUSH(&l.v, e);
	buf_init(&stored, STORED_MAX);
	if (store->conf.layout == MAILDIR_FS)
		r = list_fs(&l, store->root, ".", &stored, 0);
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
	return r;
}
