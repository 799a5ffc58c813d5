/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/fdio.h"
#include "base/mem.h"
#include "maildir/file.h"
#include "maildir/refresh.h"
#include "maildir/unpack.h"

#define TRIES		10	/* renames that we lose against others */
#define KIND_SIZE	SPAN("crlf size 1")	/* of what is kept: 8 bytes */

#define HEAD		16384u	/* most messages fit */

struct maildir_file {
	int fd;
	struct unpack *packed;	/* NULL: not compressed */
	uint64_t size;
	int64_t date;
	bool is_settled;
	size_t nhead;
	uint8_t head[];		/* how it begins, if that had to be read to see
				 * whether it is compressed */
};

int
file_try(struct maildir *md, uint32_t uid,
    int (*fn)(int dir, const char *name, void *arg), void *arg)
{
	struct namebuf nb;
	int r, e;

	for (int i = 0; i < TRIES; i++) {
		struct msg *m = picture_find(&md->pic, uid);

		if (m == NULL)
			return ERR_GONE;
		e = fn(md_dir(md, m), picture_cname(&md->pic, m, &nb), arg);
		if (e != ENOENT && e != ESTALE)
			return e == 0 ? 0 : err_from_errno(e);
		/* Each look counts for all messages, so that many that are
		 * gone cost no more than one. */
		if (m->state & MSG_MISSED_TWICE) {
			/* Or we have its name wrong: the next refresh looks
			 * at everything. */
			md->was_watched = false;
			md->cur_time.is_young = true;
			return ERR_GONE;
		}
		r = i == 0 ? refresh_heal(md) : 0;
		if (r == 0)
			r = refresh_names(md);
		if (r != 0)
			return r;
	}
	return ERR_BUSY;
}

static int
do_open(int dir, const char *name, void *arg)
{
	int *fd = arg;

	*fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK);
	return *fd < 0 ? errno : 0;
}

static int
do_stat(int dir, const char *name, void *arg)
{
	struct stat *st = arg;

	return fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
}

/* By the time of the last write; to those who set it they have come to an end.
 * A server's clock may be ahead of ours. */
static bool
is_settled(const struct stat *st, bool has_named_size)
{
	int64_t age = (int64_t)md_seconds() - st->st_mtim.tv_sec;

	return has_named_size || age >= MAILDIR_SETTLED_S ||
	    age <= -MAILDIR_SETTLED_S;
}

struct asked {
	struct maildir *md;
	uint32_t uid;
};

static int
do_note_saved(int dir, const char *name, void *arg)
{
	struct asked *a = arg;
	struct picture *p = &a->md->pic;

	return md_note_saved(p, picture_find(p, a->uid), dir, name);
}

int
maildir_save_date(struct maildir *md, uint32_t uid, int64_t *ret)
{
	struct asked a = { md, uid };
	struct msg *m;
	int r;

	md_wake(md);
	if ((m = picture_find(&md->pic, uid)) == NULL)
		return ERR_GONE;
	if (picture_get(&md->pic, PICTURE_SAVED, m) == 0) {
		r = file_try(md, uid, do_note_saved, &a);
		if (r != 0)
			return r;
		md->history.must_save = true;
	}
	*ret = (int64_t)picture_get(&md->pic, PICTURE_SAVED,
	    picture_find(&md->pic, uid));
	return 0;
}

int
maildir_info(struct maildir *md, uint32_t uid, struct maildir_info *ret)
{
	struct maildir_info info = { 0 };
	struct maildir_file *f;
	struct namebuf nb;
	const struct msg *m;
	struct span base;
	struct stat st;
	uint64_t hint;
	bool has_hint;
	int r;

	md_wake(md);
	r = file_try(md, uid, do_stat, &st);
	if (r != 0)
		return r;
	m = picture_find(&md->pic, uid);
	info.internal_date = st.st_mtim.tv_sec;
	info.file_size = (uint64_t)st.st_size;
	base = picture_base(&md->pic, m, &nb);
	if (name_size(base, 'W', &info.crlf_size_hint) != 0)
		info.crlf_size_hint = 0;
	has_hint = name_size(base, 'S', &hint) == 0;
	info.has_size = has_hint && hint == info.file_size;
	info.is_settled = is_settled(&st, info.has_size);
	/* Compressed, or a wrong hint. */
	if (has_hint && hint != info.file_size &&
	    maildir_file_open(md, uid, &f) == 0) {
		info.file_size = maildir_file_size(f);
		info.has_size = true;
		maildir_file_close(f);
	}
	*ret = info;
	return 0;
}

int
maildir_check(const struct maildir *md)
{
	struct stat there, ours;

	if (fstat(md->box.dir, &ours) != 0 || ours.st_nlink == 0 ||
	    stat(md->box.path, &there) != 0 ||
	    there.st_dev != ours.st_dev || there.st_ino != ours.st_ino)
		return ERR_NOENT;
	return 0;
}

int
maildir_message_guid(struct maildir *md, uint32_t uid, struct buf *b)
{
	struct namebuf nb;
	const struct msg *m;
	struct span guid;
	size_t before = b->n;
	int r;

	md_wake(md);
	for (int i = 0; i < 2; i++) {
		if ((m = picture_find(&md->pic, uid)) == NULL)
			return ERR_GONE;
		guid = uidlist_field(picture_fields(&md->pic, m), 'G');
		b->n = before;
		buf_put_span(b, guid.n > 0 ? guid :
		    picture_base(&md->pic, m, &nb));
		if (!md->pic.is_damaged)
			break;
		if ((r = refresh_heal(md)) != 0)
			return r;
	}
	return buf_err(b);
}

static struct maildir_file *
file_new(int fd, const struct stat *st, size_t head)
{
	struct maildir_file *f = mem_alloc(sizeof(*f) + head);

	f->fd = fd;
	f->packed = NULL;
	f->size = (uint64_t)st->st_size;
	f->date = st->st_mtim.tv_sec;
	f->nhead = 0;
	return f;
}

/* Is it compressed?  What is read for that is not read again. */
static int
read_head(struct maildir_file *f)
{
	int r = fdio_pread(f->fd, f->head, HEAD, 0, &f->nhead);

	if (r == 0 && is_packed(span_of(f->head, f->nhead)))
		r = unpack_new(f->fd, &f->packed, &f->size);
	return r == ERR_UNSUPPORTED ? 0 : r;
}

int
maildir_file_open(struct maildir *md, uint32_t uid, struct maildir_file **ret)
{
	struct maildir_file *f;
	struct namebuf nb;
	struct msg *m;
	struct stat st;
	uint64_t hint;
	bool has_named_size;
	int fd, r;

	md_wake(md);
	r = file_try(md, uid, do_open, &fd);
	if (r != 0)
		return r;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		fdio_close(&fd);
		return ERR_IO;
	}
	/* S= is the size unpacked: if it is that of the file, so is this. */
	m = picture_find(&md->pic, uid);
	has_named_size = name_size(picture_base(&md->pic, m, &nb), 'S',
	    &hint) == 0 && hint == (uint64_t)st.st_size;
	f = file_new(fd, &st, has_named_size ? 0 : HEAD);
	f->is_settled = is_settled(&st, has_named_size);
	if (!has_named_size && (r = read_head(f)) != 0) {
		maildir_file_close(f);
		return r;
	}
	*ret = f;
	return 0;
}

void
maildir_file_close(struct maildir_file *f)
{
	if (f == NULL)
		return;
	unpack_free(f->packed);
	fdio_close(&f->fd);
	free(f);
}

uint64_t
maildir_file_size(const struct maildir_file *f)
{
	return f->size;
}

bool
is_maildir_file_packed(const struct maildir_file *f)
{
	return f->packed != NULL;
}

int64_t
maildir_file_date(const struct maildir_file *f)
{
	return f->date;
}

bool
is_maildir_file_settled(const struct maildir_file *f)
{
	return f->is_settled;
}

int
maildir_file_read(struct maildir_file *f, uint64_t off, void *p, size_t n,
    size_t *ret_n)
{
	size_t have = off < f->nhead ? f->nhead - (size_t)off : 0, more = 0;
	int r = 0;

	if (f->packed != NULL)
		return unpack_read(f->packed, off, p, n, ret_n);
	if (have > n)
		have = n;
	if (have > 0)
		memcpy(p, f->head + off, have);
	/* Not beyond the end as it was: it takes a call to see that. */
	if (off + n > f->size)
		n = off < f->size ? (size_t)(f->size - off) : 0;
	if (have < n)
		r = fdio_pread(f->fd, (uint8_t *)p + have, n - have,
		    off + have, &more);
	*ret_n = have + more;
	return r;
}

/* All of it, with each lone LF as CRLF. */
static int
count(struct maildir_file *f, uint64_t *ret)
{
	uint8_t buf[16384], last = 0;
	uint64_t off = 0, lone = 0;
	size_t n;
	int r;

	while ((r = maildir_file_read(f, off, buf, sizeof(buf), &n)) == 0 &&
	    n > 0) {
		for (size_t i = 0; i < n; i++) {
			if (buf[i] == '\n' && last != '\r')
				lone++;
			last = buf[i];
		}
		off += n;
	}
	*ret = off + lone;
	return r;
}

static int
count_and_keep(struct maildir *md, uint32_t uid, uint64_t *ret)
{
	struct maildir_file *f;
	struct span kept;
	struct dec d;
	struct buf b;
	unsigned kind;
	bool has_kind = maildir_kind(md, KIND_SIZE, &kind) == 0;
	int r;

	if (has_kind && has_maildir_value(md, kind, uid, &kept)) {
		d = dec_init(kept);
		*ret = dec_u64(&d);
		if (dec_end(&d) == 0)
			return 0;
	}
	r = maildir_file_open(md, uid, &f);
	if (r != 0)
		return r;
	r = count(f, ret);
	if (r == 0 && has_kind && is_maildir_file_settled(f)) {
		buf_init(&b, 8);
		enc_u64(&b, *ret);
		maildir_keep(md, kind, uid, buf_span(&b));
		buf_done(&b);
	}
	maildir_file_close(f);
	return r;
}

int
file_crlf_size(struct maildir *md, uint32_t uid, uint64_t *ret)
{
	struct msg *m = picture_find(&md->pic, uid);
	struct namebuf nb;
	struct span base;
	uint64_t size;

	if (m == NULL)
		return ERR_GONE;
	base = picture_base(&md->pic, m, &nb);
	if (name_size(base, 'S', &size) == 0 &&
	    name_size(base, 'W', ret) == 0 && *ret >= size &&
	    *ret - size <= size)
		return 0;
	return count_and_keep(md, uid, ret);
}
