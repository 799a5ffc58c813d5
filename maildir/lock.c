/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * CRASH STATES
 *	lock file without content	whoever made it died between open and
 *					write: "no pid", gone after 120 seconds
 *	lock file of a dead process	same host: removed by the next one who
 *					wants it, after 2 seconds; other host:
 *					after 120 seconds
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/num.h"
#include "maildir/lock.h"
#include "maildir/replace.h"
#include "maildir/step.h"

#define FRESH_NS	2000000000u	/* too young to be called stale */
#define TOUCH_NS	10000000000u
#define WAIT_FIRST_MS	2u
#define WAIT_MOST_MS	200u
#define OVERRIDE_MS	32u
#define CONTENT_MAX	256u

/* What is known of the lock that is in our way. */
struct holder {
	struct stat st;
	uint64_t seen;		/* when we saw it first in this state */
	struct stat guarded;
};

static uint64_t
ts_ns(const struct timespec *ts)
{
	return (uint64_t)ts->tv_sec * 1000000000u + (uint64_t)ts->tv_nsec;
}

static uint64_t
now_real(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);	/* cannot fail */
	return ts_ns(&ts);
}

static bool
is_same_state(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    ts_ns(&a->st_mtim) == ts_ns(&b->st_mtim) &&
	    ts_ns(&a->st_ctim) == ts_ns(&b->st_ctim);
}

enum owner { OWNER_ELSEWHERE, OWNER_ALIVE, OWNER_DEAD };

/* Who holds it, by its content "PID:HOST". */
static enum owner
lock_owner(const struct lock_what *what, const struct unique *u)
{
	struct buf b;
	struct span host, pid;
	enum owner ret = OWNER_ELSEWHERE;
	uint32_t v;

	buf_init(&b, CONTENT_MAX);
	if (replace_read(what->dir, what->name, &b) != 0)
		goto done;
	host = span_trim(buf_span(&b));
	pid = span_split(&host, ':');
	if (num_u32(pid, 1, INT32_MAX, &v) != 0 ||
	    !is_span_eq(host, span_str(u->host)))
		goto done;
	if (v == (uint32_t)getpid())
		ret = OWNER_DEAD;	/* an earlier process had our number */
	else if (kill((pid_t)v, 0) != 0 && errno == ESRCH)
		ret = OWNER_DEAD;
	else
		ret = OWNER_ALIVE;
done:
	buf_done(&b);
	return ret;
}

/* Has nothing moved for so long that the lock of another host is a relic? */
static bool
is_old(const struct lock_what *what, const struct holder *h, uint64_t now)
{
	uint64_t newest = h->seen, v;

	if ((v = ts_ns(&h->st.st_ctim)) > newest)
		newest = v;
	if ((v = ts_ns(&h->st.st_mtim)) > newest)
		newest = v;
	if (what->guarded != NULL) {
		if ((v = ts_ns(&h->guarded.st_ctim)) > newest)
			newest = v;
		if ((v = ts_ns(&h->guarded.st_mtim)) > newest)
			newest = v;
	}
	return now > newest && now - newest > what->stale_ms * 1000000u;
}

/*
 * A first look, h->seen == 0, only remembers.  Later looks: the same lock, in
 * the same state?  The clock of h->seen is ours, the file's times may be those
 * of another machine; both have to agree that it is old, except at the first
 * look, where the file's own times are all we have.
 */
static bool
is_stale(const struct lock_what *what, const struct unique *u,
    struct holder *h)
{
	uint64_t now = now_real(), changed;
	struct stat st, guarded = { 0 };
	bool known;

	if (fstatat(what->dir, what->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	if (what->guarded != NULL && fstatat(what->dir, what->guarded,
	    &guarded, AT_SYMLINK_NOFOLLOW) != 0)
		guarded = (struct stat){ 0 };
	known = is_same_state(&st, &h->st) && is_same_state(&guarded,
	    &h->guarded);
	if (!known) {
		/* Seen changing: alive now.  Seen for the first time: as old
		 * as the file says. */
		h->seen = h->st.st_ino != 0 ? now : 0;
		h->st = st;
		h->guarded = guarded;
	}
	changed = ts_ns(&st.st_ctim);
	if (now < changed + FRESH_NS)
		return false;
	switch (lock_owner(what, u)) {
	case OWNER_ALIVE:
		return false;
	case OWNER_DEAD:
		return true;
	case OWNER_ELSEWHERE:
		break;
	}
	return is_old(what, h, now);
}

/* Remove a stale lock, unless it changed since it was judged.  Another process
 * may be doing the same: then wait a random moment, so that neither removes
 * the new lock of the other. */
static int ERR_CHECK
override(const struct lock_what *what, const struct unique *u,
    const struct holder *h)
{
	struct stat st;
	uint64_t ms;

	if (fstatat(what->dir, what->name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !is_same_state(&st, &h->st))
		return 0;
	if (unlinkat(what->dir, what->name, 0) != 0 && errno != ENOENT)
		return err_from_errno(errno);
	ms = 1 + (u->random ^ deadline_now() >> 10) % OVERRIDE_MS;
	deadline_sleep(deadline_in(ms));
	return 0;
}

/* ERR_EXISTS: somebody else has it. */
static int
try_take(struct lock *lk, const struct lock_what *what, const struct unique *u)
{
	uint8_t text[NUM_U64_DIGITS + 1 + UNIQUE_HOST_MAX];
	struct stat st;
	size_t n;
	int fd, r = 0;

	fd = openat(what->dir, what->name, O_RDWR | O_CREAT | O_EXCL |
	    O_CLOEXEC | O_NOFOLLOW, what->mode);
	if (fd < 0)
		return err_from_errno(errno);
	n = num_print((uint64_t)getpid(), text);
	text[n++] = ':';
	memcpy(text + n, u->host, strlen(u->host));
	n += strlen(u->host);
	step("lock-created");
	if (fstat(fd, &st) != 0)
		r = err_from_errno(errno);
	else if ((st.st_mode & 0777) != what->mode &&
	    fchmod(fd, what->mode) != 0)
		r = err_from_errno(errno);
	if (r == 0)
		r = fdio_write_file(fd, span_of(text, n));
	fdio_close(&fd);
	if (r != 0) {
		(void)unlinkat(what->dir, what->name, 0);	/* our own */
		return r;
	}
	*lk = (struct lock){ what->dir, st.st_dev, st.st_ino, deadline_now(),
	    what->name };
	step("lock-taken");
	return 0;
}

int
lock_take(struct lock *lk, const struct lock_what *what,
    const struct unique *u, struct deadline d)
{
	struct holder h = { .seen = 0 };
	uint64_t wait = WAIT_FIRST_MS;
	int r;

	while ((r = try_take(lk, what, u)) == ERR_EXISTS) {
		/* A directory, or another's file in a sticky directory, stays
		 * where it is. */
		if (is_stale(what, u, &h) && override(what, u, &h) == 0)
			continue;
		if (is_deadline_past(d))
			return ERR_BUSY;
		if (fdio_stopped() != 0)
			return ERR_INTR;
		deadline_sleep(deadline_min(d, deadline_in(wait)));
		wait = wait * 3 / 2 > WAIT_MOST_MS ? WAIT_MOST_MS :
		    wait * 3 / 2;
	}
	return r;
}

int
lock_check(const struct lock *lk)
{
	struct stat st;

	if (fstatat(lk->dir, lk->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? ERR_BUSY : err_from_errno(errno);
	return st.st_dev == lk->dev && st.st_ino == lk->ino ? 0 : ERR_BUSY;
}

void
lock_touch(struct lock *lk)
{
	uint64_t now = deadline_now();

	if (lk->dir < 0 || now - lk->touched < TOUCH_NS)
		return;
	lk->touched = now;
	/* If it is no longer ours, lock_check() will say so. */
	if (lock_check(lk) == 0)
		(void)utimensat(lk->dir, lk->name, NULL, AT_SYMLINK_NOFOLLOW);
}

void
lock_drop(struct lock *lk)
{
	if (lk->dir < 0)
		return;
	step("lock-dropping");
	if (lock_check(lk) == 0)
		(void)unlinkat(lk->dir, lk->name, 0);	/* stale at worst */
	*lk = LOCK_NONE;
}
