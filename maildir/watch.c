/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/mem.h"
#include "maildir/watch.h"

#define EVENTS		(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | \
			IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define DRAIN_BUF	8192u

/* File systems whose other hosts inotify does not hear; statfs(2). */
static bool
is_network(int fd)
{
	static const unsigned long types[] = {
		0x6969,		/* NFS */
		0xff534d42,	/* CIFS */
		0xfe534d42,	/* SMB2 */
		0x517b,		/* SMB */
		0x00c36400,	/* Ceph */
		0x65735546,	/* FUSE: GlusterFS, sshfs, ... */
		0x5346414f,	/* AFS */
		0x01021997,	/* 9P */
		0x0bd00bd0,	/* Lustre */
		0x7461636f,	/* OCFS2 */
		0x01161970	/* GFS2 */
	};
	struct statfs fs;

	if (fstatfs(fd, &fs) != 0)
		return true;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (((unsigned long)fs.f_type & 0xffffffff) == types[i])
			return true;
	return false;
}

/* inotify wants a path; it must still lead to the directory that is open.
 * Returns the watch descriptor or -1; *ret_err says why it is of no use. */
static int
add(int fd, const struct box *box, const char *sub, int open_fd, int *ret_err)
{
	size_t n = strlen(box->path), k = strlen(sub);
	char *path = mem_alloc(n + k + 2);
	struct stat a, b;
	int wd;

	memcpy(path, box->path, n);
	path[n] = '/';
	memcpy(path + n + 1, sub, k + 1);
	wd = inotify_add_watch(fd, path, EVENTS);
	if (wd < 0)
		*ret_err = err_from_errno(errno);
	else if (stat(path, &a) != 0 || fstat(open_fd, &b) != 0 ||
	    a.st_dev != b.st_dev || a.st_ino != b.st_ino)
		*ret_err = ERR_NOENT;
	free(path);
	return wd;
}

/* Neither watches nor events are left in the instance. */
static void
put_aside(struct watch *w, int *spare)
{
	uint8_t buf[DRAIN_BUF];

	if (w->new >= 0)	/* it fails if the directory is gone */
		(void)inotify_rm_watch(w->fd, w->new);
	if (w->cur >= 0)
		(void)inotify_rm_watch(w->fd, w->cur);
	if (*spare >= 0) {
		fdio_close(&w->fd);
		return;
	}
	while (read(w->fd, buf, sizeof(buf)) > 0)
		;
	*spare = w->fd;
	w->fd = -1;
}

void
watch_start(struct watch *w, const struct box *box, int *spare)
{
	if (w->was_tried)
		return;
	w->was_tried = true;
	if (is_network(box->dir)) {
		w->err = ERR_UNSUPPORTED;
		return;
	}
	w->fd = *spare;
	*spare = -1;
	if (w->fd < 0)
		w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd < 0) {
		w->err = err_from_errno(errno);
		return;
	}
	w->new = add(w->fd, box, "new", box->new, &w->err);
	if (w->err == 0)
		w->cur = add(w->fd, box, "cur", box->cur, &w->err);
	if (w->err != 0)
		put_aside(w, spare);
}

void
watch_stop(struct watch *w, int *spare)
{
	if (w->fd >= 0)
		put_aside(w, spare);
	*w = WATCH_NONE;
}

/* The instance may have watched another mailbox before. */
static bool
is_ours(const struct watch *w, const struct inotify_event *ev)
{
	return ev->wd == w->cur || ev->wd == w->new;
}

static bool
is_lost(const struct watch *w, const struct inotify_event *ev)
{
	if (ev->mask & IN_Q_OVERFLOW)
		return true;
	return is_ours(w, ev) && ev->mask & (IN_IGNORED | IN_UNMOUNT |
	    IN_DELETE_SELF | IN_MOVE_SELF);
}

static void
report(struct watch *w, const struct inotify_event *ev,
    void (*fn)(void *arg, const struct watch_event *ev), void *arg)
{
	struct watch_event out;

	if (ev->len == 0 || ev->mask & IN_ISDIR || !is_ours(w, ev))
		return;
	out.dir = ev->wd == w->cur ? SCAN_CUR : SCAN_NEW;
	out.kind = ev->mask & (IN_CREATE | IN_MOVED_TO) ? WATCH_APPEARED :
	    ev->mask & IN_MOVED_FROM ? WATCH_MOVED_AWAY : WATCH_DELETED;
	out.is_rename = ev->mask & IN_MOVED_TO && ev->cookie == w->cookie;
	w->cookie = ev->mask & IN_MOVED_FROM ? ev->cookie : 0;
	out.name = span_of(ev->name, strnlen(ev->name, ev->len));
	fn(arg, &out);
}

enum watch_result
watch_drain(struct watch *w,
    void (*fn)(void *arg, const struct watch_event *ev), void *arg)
{
	_Alignas(struct inotify_event) uint8_t buf[DRAIN_BUF];
	enum watch_result ret = WATCH_OK;

	for (;;) {
		ssize_t n = read(w->fd, buf, sizeof(buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 && errno == EAGAIN ? ret : WATCH_LOST;
		for (size_t off = 0; off < (size_t)n;) {
			const struct inotify_event *ev =
			    (const void *)(buf + off);

			if (is_lost(w, ev))
				ret = WATCH_LOST;
			else
				report(w, ev, fn, arg);
			off += sizeof(*ev) + ev->len;
		}
		/* A short block was the last: saves the read that says so. */
		if ((size_t)n < sizeof(buf) / 2)
			return ret;
	}
}
