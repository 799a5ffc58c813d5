/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Maildir++ quota: maildirsize at the top of the Maildir (of the control
 * directory, if there is one), shared with Dovecot, Courier and delivery
 * agents.  Its bytes are in maildirsize.h.
 *
 * CHANGES append one line, in one write with O_APPEND, after the messages have
 * come or gone: "size 1", "-sizes -n".  A MOVE inside the user's mail changes
 * nothing.  There is no lock anywhere; nobody else takes one.
 *
 * COUNTED ANEW, and the file replaced, by whoever finds that
 *	- there is none (where a quota is configured)
 *	- it has 5120 bytes or more, a NUL or other nonsense, or a negative sum
 *	- line 1 has other limits than those configured
 *	- the sum is over a limit, and it has more than one line to add up or is
 *	  older than 15 minutes
 *	- to append: its last line has no LF, or it may not be written
 *	- for GETQUOTA, and before anything is refused: a new/ or cur/ has
 *	  changed since the file has.  So deliveries and removals by those who
 *	  do not keep it are noticed; a flag that was changed looks the same,
 *	  and so does a change of ours whose line was written in the same tick
 *	  of the clock.  That this may not cost more than it is worth, it is
 *	  left out for twenty times as long as it took.
 *
 * Limits: those configured, or, without, those of line 1, which a new file
 * keeps.  Everything is counted, Trash and messages with T too, as by Dovecot.
 * Courier leaves out .Trash, and what is marked \Deleted; beside it the totals
 * differ, and whoever counted last wins.
 *
 * CRASH STATES, and races, which look the same
 *	message there, no line	the sum is too small.  Its directory is newer
 *				than the file: counted anew by GETQUOTA
 *	message gone, no line	too large; likewise, also before a refusal
 *	mailbox gone, no line	too large; the directory that is being emptied
 *				(..imapd-trash.*) is newer than the file
 *	half a line		not counted by a reader; a writer counts anew
 *	maildirsize.* left	removed by a count an hour later
 *	a line was appended	to the old file while we replaced it: that
 *				message's directory is newer than what we
 *				counted; looked at after the rename, and then
 *				counted again
 *	a line was appended	to the new file for a message that we had
 *				counted.  Who changes something has the file
 *				open from before, and counts himself if it is
 *				another one after.  Others do not, and the sum
 *				is wrong until somebody counts anew, at the
 *				latest before a refusal
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/fdio.h"
#include "maildir/file.h"
#include "maildir/maildirsize.h"
#include "maildir/replace.h"
#include "maildir/step.h"

#define STALE_SECONDS	(15 * 60)
#define TRIES		3	/* counts while others change things */
#define REST		20	/* times as long as a count took, */
#define REST_FROM_NS	(UINT64_C(10) * 1000 * 1000)	/* if that was long */
#define TICK_MS		10	/* of the clock of ctimes, at most */
#define TMP_MAX		(NAME_FILE_MAX + 16)

/* What was found. */
struct found {
	int fd;			/* -1: not there, or not to be written */
	bool is_there;
	uint64_t size;
	uint64_t ctime;		/* nanoseconds */
	time_t mtime;
	struct maildirsize ms;
	struct maildir_limits limits;	/* that hold */
};

void
quota_init(struct quota *q)
{
	*q = (struct quota){ .before = -1 };
}

void
quota_done(struct quota *q)
{
	quota_sum_forget(&q->cache);
	fdio_close(&q->before);
}

bool
has_quota(const struct maildir_store *store)
{
	return store->conf.quota != MAILDIR_QUOTA_NONE;
}

/* ---- the file as it is ----------------------------------------------- */

static int
read_file(int fd, struct found *f)
{
	uint8_t text[MAILDIRSIZE_MAX];
	struct stat st;
	size_t n;
	int r;

	if (fstat(fd, &st) != 0)
		return err_from_errno(errno);
	f->is_there = true;
	f->ctime = (uint64_t)st.st_ctim.tv_sec * 1000000000 +
	    (uint64_t)st.st_ctim.tv_nsec;
	f->mtime = st.st_mtim.tv_sec;
	if (!S_ISREG(st.st_mode))
		return 0;	/* replaced, if that is possible */
	r = fdio_pread(fd, text, sizeof(text), 0, &n);
	if (r != 0)
		return r;
	f->size = n;
	maildirsize_parse(span_of(text, n), &f->ms);
	if (n == sizeof(text))
		f->ms.is_good = false;
	return 0;
}

static int
load(const struct maildir_store *store, struct found *f)
{
	const int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	int fd, r = 0;
	bool is_writable = true;

	*f = (struct found){ .fd = -1 };
	fd = openat(store->control, QUOTA_FILE, O_RDWR | O_APPEND | flags);
	if (fd < 0 && (errno == EACCES || errno == EROFS)) {
		is_writable = false;
		fd = openat(store->control, QUOTA_FILE, O_RDONLY | flags);
	}
	if (fd >= 0)
		r = read_file(fd, f);
	else if (errno != ENOENT && errno != ELOOP && errno != EISDIR)
		r = err_from_errno(errno);
	if (r == 0 && is_writable)
		f->fd = fd;
	else
		fdio_close(&fd);
	f->limits = store->conf.limits;
	if (store->conf.quota == MAILDIR_QUOTA_FILE && f->ms.has_limits)
		f->limits = f->ms.limits;
	return r;
}

/* There is a quota: one that is configured, or a file. */
static bool
is_on(const struct maildir_store *store, const struct found *f)
{
	return store->conf.quota == MAILDIR_QUOTA_LIMITS ||
	    f->ms.has_limits || f->limits.bytes > 0 || f->limits.messages > 0;
}

static bool
is_over(const struct maildir_limits *limits, uint64_t bytes, uint64_t messages)
{
	return (limits->bytes > 0 && bytes > limits->bytes) ||
	    (limits->messages > 0 && messages > limits->messages);
}

/* Nothing can be added to this file. */
static bool
is_unusable(const struct found *f)
{
	return !f->ms.is_good || f->limits.bytes != f->ms.limits.bytes ||
	    f->limits.messages != f->ms.limits.messages;
}

/* The rule of Maildir++ for a sum that is over a limit. */
static bool
is_doubtful(const struct found *f)
{
	struct timespec now;

	if (!is_over(&f->limits, f->ms.bytes, f->ms.messages))
		return false;
	(void)clock_gettime(CLOCK_REALTIME, &now);	/* cannot fail */
	return f->ms.lines > 1 || f->mtime + STALE_SECONDS < now.tv_sec;
}

/* ---- counting -------------------------------------------------------- */

static int
write_new(struct maildir_store *store, const struct maildir_limits *limits,
    const struct quota_sum *sum)
{
	struct buf text, name;
	struct stat st;
	int r = ERR_NAME;

	buf_init(&text, MAILDIRSIZE_MAX);
	buf_init(&name, TMP_MAX);
	maildirsize_put(&text, limits, sum->bytes, sum->messages);
	buf_puts(&name, QUOTA_TMP);
	unique_put(&store->unique, &name);
	if (fstat(store->root, &st) != 0)
		r = err_from_errno(errno);
	else if (buf_cstr(&name) != NULL)
		r = replace_file(store->control, QUOTA_FILE, buf_cstr(&name),
		    mode_for_file(st.st_mode), buf_span(&text),
		    store->conf.fsync);
	buf_done(&name);
	buf_done(&text);
	return r;
}

/* Removed, the file would take its limits along, if nobody else knows them.
 * What fails here is told by the directories, for some time. */
void
quota_doubt(struct maildir_store *store)
{
	/* A sum that cannot be, by everybody's rules. */
	static const struct span never = SPAN("-9223372036854775807 0\n");
	int fd;

	if (store->conf.quota == MAILDIR_QUOTA_LIMITS)
		(void)unlinkat(store->control, QUOTA_FILE, 0);
	if (store->conf.quota != MAILDIR_QUOTA_FILE)
		return;
	fd = openat(store->control, QUOTA_FILE, O_WRONLY | O_APPEND |
	    O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0 && fdio_write_file(fd, never) == 0)
		step("quota-doubted");
	fdio_close(&fd);
}

/* The clock that ctimes are taken from: it stands still for a tick. */
static uint64_t
ctime_now(void)
{
	struct timespec now;

	/* cannot fail */
	(void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/*
 * The newest ctime before a count.  If it is of this very tick, a change during
 * the count may not show: the next tick is waited for, once, as the clock may
 * be that of another host.
 */
static int
settle(const struct maildir_store *store, uint64_t *ret_newest)
{
	uint64_t tick = ctime_now();
	int r = quota_sum_newest(store, ret_newest);

	if (r == 0 && *ret_newest >= tick) {
		deadline_sleep(deadline_in(TICK_MS));
		r = quota_sum_newest(store, ret_newest);
	}
	return r;
}

/*
 * Count, write the file, look whether anything has changed meanwhile.  What was
 * counted is good for now in any case; that it could not be written is no
 * error: a Maildir may be read-only, a disk full.
 */
static int
recount(struct maildir_store *store, struct found *f)
{
	struct quota_sum sum;
	uint64_t start, before, after, took = 0;
	bool is_true = false;
	int r;

	for (int i = 0; !is_true && i < TRIES; i++) {
		r = settle(store, &before);
		start = deadline_now();
		if (r == 0)
			r = quota_sum(store, &store->quota.cache, &sum);
		took += deadline_now() - start;
		if (r != 0)
			return r;
		step("quota-counted");
		f->ms.bytes = sum.bytes;
		f->ms.messages = sum.messages;
		if (write_new(store, &f->limits, &sum) != 0)
			break;
		is_true = quota_sum_newest(store, &after) == 0 &&
		    after <= before;
	}
	if (!is_true)
		quota_doubt(store);
	if (took >= REST_FROM_NS)
		store->quota.rest_until = deadline_now() + REST * took;
	return 0;
}

/* Somebody has changed a mailbox after the file, or in the same tick: perhaps
 * without telling. */
static bool
is_behind(struct maildir_store *store, const struct found *f)
{
	uint64_t newest;

	return deadline_now() >= store->quota.rest_until &&
	    quota_sum_newest(store, &newest) == 0 && newest >= f->ctime;
}

/* ---- what the others want to know ------------------------------------ */

int
maildir_quota(struct maildir_store *store, struct maildir_quota *ret)
{
	struct found f;
	int r;

	if (!has_quota(store))
		return ERR_NOENT;
	r = load(store, &f);
	if (r == 0 && !is_on(store, &f))
		r = ERR_NOENT;
	if (r == 0 && (is_unusable(&f) || is_doubtful(&f) ||
	    is_behind(store, &f)))
		r = recount(store, &f);
	fdio_close(&f.fd);
	if (r != 0)
		return r;
	ret->used = (struct maildir_limits){ f.ms.bytes, f.ms.messages };
	ret->limits = f.limits;
	return 0;
}

static bool
is_too_much(const struct found *f, uint64_t bytes, uint64_t messages)
{
	uint64_t b = f->ms.bytes, m = f->ms.messages;

	/* Neither can be near the end of its type: no overflow. */
	return bytes > MAILDIRSIZE_TOP || messages > MAILDIRSIZE_TOP ||
	    is_over(&f->limits, b + bytes, m + messages);
}

int
quota_room(struct maildir_store *store, uint64_t bytes, uint64_t messages)
{
	struct found f;
	int r;

	if (!has_quota(store))
		return 0;
	r = load(store, &f);
	if (r != 0 || (f.limits.bytes == 0 && f.limits.messages == 0)) {
		fdio_close(&f.fd);
		return r;
	}
	if (is_unusable(&f) || is_doubtful(&f) ||
	    (is_too_much(&f, bytes, messages) && is_behind(store, &f)))
		r = recount(store, &f);
	fdio_close(&f.fd);
	if (r == 0 && is_too_much(&f, bytes, messages))
		r = ERR_QUOTA;
	return r;
}

void
quota_begin(struct maildir_store *store)
{
	struct quota *q = &store->quota;

	if (!has_quota(store))
		return;
	/* Open, so that no other file can get its inode number. */
	fdio_close(&q->before);
	q->before = openat(store->control, QUOTA_FILE, O_RDONLY | O_CLOEXEC |
	    O_NOFOLLOW | O_NONBLOCK);
}

/* The file is not the one that was there at quota_begin(). */
static bool
is_replaced(struct quota *q, const struct found *f)
{
	struct stat a, b;
	bool is_same = q->before >= 0 && fstat(q->before, &a) == 0 &&
	    fstat(f->fd, &b) == 0 && a.st_ino == b.st_ino &&
	    a.st_dev == b.st_dev;

	fdio_close(&q->before);
	return !is_same;
}

static void
change(struct maildir_store *store, bool is_minus, uint64_t bytes,
    uint64_t messages)
{
	struct found f;
	struct buf line;

	if (!has_quota(store) || messages == 0)
		return;
	if (load(store, &f) != 0) {
		quota_doubt(store);
		return;
	}
	if (!is_on(store, &f)) {
		fdio_close(&f.fd);
		return;
	}
	buf_init(&line, MAILDIRSIZE_MAX);
	maildirsize_put_line(&line, is_minus, bytes, messages);
	if (f.fd < 0 || is_replaced(&store->quota, &f) || is_unusable(&f) ||
	    f.ms.is_torn || bytes > MAILDIRSIZE_TOP ||
	    f.size + line.n >= MAILDIRSIZE_MAX) {
		/* It counts what has just changed, too. */
		if (recount(store, &f) != 0)
			quota_doubt(store);
	} else if (fdio_write_file(f.fd, buf_span(&line)) != 0) {
		quota_doubt(store);
	}
	step("quota-changed");
	buf_done(&line);
	fdio_close(&f.fd);
}

void
quota_added(struct maildir_store *store, uint64_t bytes, uint64_t messages)
{
	change(store, false, bytes, messages);
}

void
quota_removed(struct maildir_store *store, uint64_t bytes, uint64_t messages)
{
	change(store, true, bytes, messages);
}

void
quota_remove_mailbox(struct maildir_store *store, const char *name)
{
	struct quota_sum sum;

	if (!has_quota(store))
		return;
	if (quota_sum_one(store->root, name, &sum) == 0)
		quota_removed(store, sum.bytes, sum.messages);
	else
		quota_doubt(store);
}

/* ---- DELETED-STORAGE ------------------------------------------------- */

static int
add_size(int dir, const char *name, void *arg)
{
	uint64_t *total = arg, size;
	int r = quota_sum_file(dir, name, &size);

	if (r != 0)
		return r == ERR_NOENT ? ENOENT : EIO;
	if (size > MAILDIRSIZE_TOP - *total)
		size = MAILDIRSIZE_TOP - *total;
	*total += size;
	return 0;
}

int
maildir_deleted_size(struct maildir_store *store,
    const struct maildir_path *path, uint64_t *ret)
{
	struct maildir *md;
	uint64_t total = 0;
	int r;

	r = maildir_open(store, path, true, &md);
	if (r != 0)
		return r;
	for (size_t i = 0; r == 0 && i < maildir_count(md); i++) {
		struct maildir_msg m;

		maildir_get(md, i, &m);
		if (!(m.flags.sys & MAILDIR_DELETED))
			continue;
		r = file_try(md, m.uid, add_size, &total);
		if (r == ERR_GONE)
			r = 0;
	}
	maildir_close(md);
	if (r == 0)
		*ret = total;
	return r;
}
