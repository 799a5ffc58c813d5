/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Times are ctimes: rsync and cp -a set the others back.
 *
 * What was counted in a directory is remembered with its ctime, unless that was
 * so young that a change in the same tick of the clock could follow.  Small
 * directories are not worth remembering.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/fdio.h"
#include "maildir/folder.h"
#include "maildir/maildirsize.h"
#include "maildir/name.h"
#include "maildir/quota.h"
#include "maildir/store.h"

#define PATH_BYTES	8192u	/* of a name in the fs layout */
#define CACHE_MAX	1024u	/* directories */
#define CACHE_LEAST	64u	/* messages in one */
#define YOUNG_NS	(UINT64_C(1000) * 1000 * 1000)
#define RELIC_NS	(UINT64_C(3600) * 1000 * 1000 * 1000)

struct walk {
	const struct maildir_store *store;
	struct quota_cache *cache;	/* NULL: nothing is remembered */
	struct quota_cache fresh;
	bool want_sum;
	struct quota_sum sum;
	uint64_t now;
	ino_t inbox[2];			/* its new/ and cur/ */
	dev_t inbox_dev[2];
	bool has_inbox;
};

static uint64_t
ns_of(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * 1000000000 + (uint64_t)t->tv_nsec;
}

static void
add(uint64_t *to, uint64_t n)
{
	if (n > MAILDIRSIZE_TOP - *to)
		*to = MAILDIRSIZE_TOP;
	else
		*to += n;
}

/* What cannot be looked into is not counted; what fails for another reason
 * would make the sum wrong. */
static bool
is_passable(int e)
{
	return e == ENOENT || e == ENOTDIR || e == ELOOP || e == EACCES ||
	    e == ESTALE;
}

int
quota_sum_file(int dir, const char *name, uint64_t *ret)
{
	struct stat st;

	if (name_size(name_base(span_str(name)), 'S', ret) == 0)
		return 0;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return err_from_errno(errno);
	*ret = (uint64_t)st.st_size;
	return 0;
}

/* ---- one directory --------------------------------------------------- */

static int
sum_dir(int at, const char *name, struct quota_dir *d)
{
	struct dirent *e;
	uint64_t size;
	DIR *dp;
	int fd, r = 0;

	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dp = fd < 0 ? NULL : fdopendir(fd);
	if (dp == NULL) {
		r = is_passable(errno) ? 0 : err_from_errno(errno);
		fdio_close(&fd);
		return r;
	}
	while (r == 0) {
		errno = 0;
		e = readdir(dp);
		if (e == NULL) {
			r = errno == 0 ? 0 : err_from_errno(errno);
			break;
		}
		if (e->d_name[0] == '.' || e->d_type == DT_DIR)
			continue;
		r = quota_sum_file(fd, e->d_name, &size);
		if (r == 0) {
			add(&d->bytes, size);
			d->messages++;
		} else if (r == ERR_NOENT) {
			r = 0;
		}
	}
	(void)closedir(dp);
	return r;
}

/* What is remembered of it; asked for in the order of the last walk. */
static const struct quota_dir *
find_cached(struct quota_cache *c, const struct quota_dir *want)
{
	for (size_t i = 0; i < c->dirs.n; i++) {
		size_t at = (c->next + i) % c->dirs.n;
		const struct quota_dir *d = &c->dirs.v[at];

		if (d->ino != want->ino || d->dev != want->dev)
			continue;
		c->next = at + 1;
		return d->ctime == want->ctime ? d : NULL;
	}
	return NULL;
}

static int
sum_cached(struct walk *w, int at, const char *name, struct quota_dir *d)
{
	const struct quota_dir *known = NULL;
	int r = 0;

	if (w->cache != NULL)
		known = find_cached(w->cache, d);
	if (known != NULL)
		*d = *known;
	else
		r = sum_dir(at, name, d);
	if (r != 0)
		return r;
	add(&w->sum.bytes, d->bytes);
	add(&w->sum.messages, d->messages);
	if (d->messages >= CACHE_LEAST && w->fresh.dirs.n < CACHE_MAX &&
	    (known != NULL || d->ctime + YOUNG_NS < w->now))
		VEC_PUSH(&w->fresh.dirs, *d);
	return 0;
}

/* Its new/ and cur/; name is "" for at itself. */
static int
mailbox(struct walk *w, int at, const char *name)
{
	static const char *const subs[] = { "new", "cur" };
	struct buf path;
	int r = 0;

	buf_init(&path, PATH_BYTES);
	for (size_t i = 0; r == 0 && i < 2; i++) {
		struct quota_dir d = { 0 };
		const char *sub;
		struct stat st;

		buf_clear(&path);
		buf_puts(&path, name);
		buf_puts(&path, name[0] == '\0' ? "" : "/");
		buf_puts(&path, subs[i]);
		sub = buf_cstr(&path);
		if (sub == NULL)
			continue;
		if (fstatat(at, sub, &st, 0) != 0) {
			r = is_passable(errno) ? 0 : err_from_errno(errno);
			continue;
		}
		/* In the fs layout INBOX may lie among the others. */
		if (w->has_inbox && st.st_ino == w->inbox[i] &&
		    st.st_dev == w->inbox_dev[i])
			continue;
		if (name[0] == '\0') {
			w->inbox[i] = st.st_ino;
			w->inbox_dev[i] = st.st_dev;
		}
		d.dev = st.st_dev;
		d.ino = st.st_ino;
		d.ctime = ns_of(&st.st_ctim);
		if (d.ctime > w->sum.newest)
			w->sum.newest = d.ctime;
		if (w->want_sum)
			r = sum_cached(w, at, sub, &d);
	}
	buf_done(&path);
	return r;
}

/* ---- all of them ----------------------------------------------------- */

static bool
is_real_dir(int fd, const struct dirent *d)
{
	struct stat st;

	if (d->d_type != DT_UNKNOWN)
		return d->d_type == DT_DIR;
	return fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(st.st_mode);
}

/*
 * At the top: a deletion under way or cut short (its size may not have been
 * taken off yet, and the rename has changed its ctime), and new files that
 * never became maildirsize.
 */
static void
relic(struct walk *w, int fd, const struct dirent *d)
{
	struct span s = span_str(d->d_name);
	bool is_trash = has_prefix(s, SPAN(FOLDER_TRASH));
	struct stat st;
	uint64_t t;

	if ((!is_trash && !has_prefix(s, SPAN(QUOTA_TMP))) ||
	    fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	t = ns_of(&st.st_ctim);
	if (is_trash && t > w->sum.newest)
		w->sum.newest = t;
	else if (!is_trash && S_ISREG(st.st_mode) && t + RELIC_NS < w->now)
		(void)unlinkat(fd, d->d_name, 0);	/* or next time */
}

static bool
is_mailbox_name(const struct walk *w, struct span s)
{
	if (has_prefix(s, SPAN("..")) || is_span_eq(s, SPAN(".")))
		return false;
	if (w->store->conf.layout == MAILDIR_PLUSPLUS)
		return s.p[0] == '.' && !has_prefix(s, SPAN(".nfs"));
	return !is_folder_taken(s);
}

static int
walk_dir(struct walk *w, int at, const char *name, unsigned depth)
{
	struct dirent *d;
	int fd, r = 0;
	DIR *dp;

	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
	    (depth > 0 ? O_NOFOLLOW : 0));
	dp = fd < 0 ? NULL : fdopendir(fd);
	if (dp == NULL) {
		r = is_passable(errno) ? 0 : err_from_errno(errno);
		fdio_close(&fd);
		return r;
	}
	while (r == 0) {
		errno = 0;
		d = readdir(dp);
		if (d == NULL) {
			r = errno == 0 ? 0 : err_from_errno(errno);
			break;
		}
		if (depth == 0)
			relic(w, fd, d);
		if (!is_mailbox_name(w, span_str(d->d_name)) ||
		    !is_real_dir(fd, d))
			continue;
		r = mailbox(w, fd, d->d_name);
		if (r == 0 && w->store->conf.layout == MAILDIR_FS &&
		    depth + 1 < MAILDIR_LEVELS_MAX)
			r = walk_dir(w, fd, d->d_name, depth + 1);
	}
	(void)closedir(dp);
	return r;
}

static int
walk(struct walk *w)
{
	const char *inbox = w->store->conf.inbox;
	struct timespec now;
	int fd = w->store->root, r = 0;

	(void)clock_gettime(CLOCK_REALTIME, &now);	/* cannot fail */
	w->now = ns_of(&now);
	if (inbox != NULL)
		r = open_dir(AT_FDCWD, inbox, &fd);
	if (r == 0) {
		r = mailbox(w, fd, "");
		w->has_inbox = true;
		if (inbox != NULL)
			fdio_close(&fd);
	} else if (r == ERR_NOENT) {
		r = 0;
	}
	return r == 0 ? walk_dir(w, w->store->root, ".", 0) : r;
}

int
quota_sum(const struct maildir_store *store, struct quota_cache *cache,
    struct quota_sum *ret)
{
	struct walk w = { .store = store, .cache = cache, .want_sum = true };
	int r = walk(&w);

	if (r != 0) {
		quota_sum_forget(&w.fresh);
		return r;
	}
	quota_sum_forget(cache);
	*cache = w.fresh;
	*ret = w.sum;
	return 0;
}

int
quota_sum_newest(const struct maildir_store *store, uint64_t *ret)
{
	struct walk w = { .store = store };
	int r = walk(&w);

	if (r == 0)
		*ret = w.sum.newest;
	return r;
}

int
quota_sum_one(int at, const char *name, struct quota_sum *ret)
{
	struct walk w = { .want_sum = true };
	struct stat st;
	int r = 0;

	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		r = is_passable(errno) ? 0 : err_from_errno(errno);
	else if (S_ISDIR(st.st_mode))
		r = mailbox(&w, at, name);
	quota_sum_forget(&w.fresh);
	if (r == 0)
		*ret = w.sum;
	return r;
}

void
quota_sum_forget(struct quota_cache *cache)
{
	VEC_DONE(&cache->dirs);
	cache->next = 0;
}
