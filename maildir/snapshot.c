/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * FORMAT of imapd.index, version 1, beside the uidlist; integers big-endian
 *	0	8	"imapdix" and the version, 1
 *	8	8	check of all that follows, but the names
 *	16	8	mtime of cur/, in nanoseconds
 *	24	8	mtime of new/
 *	32	8	device of dovecot-uidlist
 *	40	8	its inode
 *	48	8	its size
 *	56	4	UIDVALIDITY
 *	60	4	count of records
 *	64	4	count of fields
 *	68	4	bytes of names
 *	72	8	mtime of dovecot-uidlist: inodes are used again
 *	80	16 each	record: UID (4), offset of its name (4), length of the
 *			base (1) and of the name (1), flags (1), MSG_PASSED or
 *			MSG_FIELDS (1), letters a-z as bits (4)
 *	then	12 each	fields: UID (4), offset among the names (4), length (4)
 *	then		the names, one behind the other
 * Records and fields in order of UID.
 *
 * It counts only while cur/, new/ and the uidlist are exactly as they were when
 * it was made, and it is made only when the directories had been at rest long
 * enough to prove that (scan.c).  Written as imapd.index.tmp, renamed, never
 * changed.  The names are not read before one of them is needed: a session that
 * waits need not hold them.
 *
 * CRASH STATES
 *	imapd.index.tmp		removed by the next writer when a minute old
 *	damage of any kind	the snapshot is ignored, the directories are
 *				read, and the next one replaces it; a damaged
 *				name is a file that is not found, which leads to
 *				a complete look as well
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/enc.h"
#include "base/fdio.h"
#include "maildir/snapshot.h"
#include "maildir/step.h"

#define FILE_NAME	"imapd.index"
#define TMP_NAME	"imapd.index.tmp"
#define MAGIC		SPAN("imapdix\001")
#define CHECKED_FROM	16u
#define HEADER_SIZE	80u
#define RECORD_SIZE	16u
#define FIELDS_SIZE	12u
#define MESSAGES_MIN	64u	/* fewer are as fast to find */
#define TMP_AGE		60	/* seconds */
#define KEPT_STATE	(MSG_PASSED | MSG_FIELDS)

struct header {
	uint64_t check, cur, new, dev, ino, size, mtime;
	uint32_t uidvalidity, records, fields, names;
};

static uint32_t
get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap32(v);
}

static uint64_t
get64(const uint8_t *p)
{
	return (uint64_t)get32(p) << 32 | get32(p + 4);
}

static uint64_t
check_of(struct span s)
{
	const uint64_t k = 0x9e3779b97f4a7c15u;
	uint64_t h = s.n, w;

	for (; s.n >= 8; s = span_skip(s, 8)) {
		memcpy(&w, s.p, 8);
		h = (h ^ w) * k;
		h ^= h >> 32;
	}
	for (; s.n > 0; s = span_skip(s, 1))
		h = (h ^ s.p[0]) * k;
	return h ^ h >> 29;
}

/* ---- load ------------------------------------------------------------ */

static int
get_header(int fd, struct header *ret)
{
	uint8_t p[HEADER_SIZE];
	struct stat st;
	uint64_t want;
	size_t n;

	if (fstat(fd, &st) != 0 ||
	    fdio_pread(fd, p, sizeof(p), 0, &n) != 0 || n != sizeof(p) ||
	    !is_span_eq(span_of(p, MAGIC.n), MAGIC))
		return ERR_NOENT;
	*ret = (struct header){ get64(p + 8), get64(p + 16), get64(p + 24),
	    get64(p + 32), get64(p + 40), get64(p + 48), get64(p + 72),
	    get32(p + 56), get32(p + 60), get32(p + 64), get32(p + 68) };
	want = HEADER_SIZE + (uint64_t)ret->records * RECORD_SIZE +
	    (uint64_t)ret->fields * FIELDS_SIZE + ret->names;
	return (uint64_t)st.st_size == want ? 0 : ERR_NOENT;
}

/* mtime of the uidlist in nanoseconds; 0 if it cannot be had. */
static uint64_t
list_time(const struct maildir *md)
{
	struct dirtime t;

	return dirtime_get(md->ul.fd, &t) == 0 ? t.ns : 0;
}

/* Is everything as it was?  md->ul has been read. */
static bool
is_current(struct maildir *md, const struct header *h)
{
	struct dirtime cur = { h->cur, false }, new = { h->new, false };

	if (md->ul.must_rewrite || md->ul.uidvalidity != h->uidvalidity ||
	    (uint64_t)md->ul.dev != h->dev || (uint64_t)md->ul.ino != h->ino ||
	    md->ul.size != h->size || list_time(md) != h->mtime ||
	    !is_dirtime_same(md->box.new, &new) ||
	    !is_dirtime_same(md->box.cur, &cur))
		return false;
	md->cur_time = cur;
	md->new_time = new;
	return true;
}

static int
get_records(struct maildir *md, const struct header *h, const uint8_t *p,
    struct picture *ret)
{
	uint32_t last = 0;

	ret->msgs.v = mem_resize(NULL, h->records, sizeof(*ret->msgs.v));
	ret->msgs.cap = h->records;
	for (uint32_t i = 0; i < h->records; i++, p += RECORD_SIZE) {
		struct msg m = {
			.uid = get32(p),
			.name = get32(p + 4),
			.base_len = p[8],
			.name_len = p[9],
			.sys = p[10],
			.state = p[11],
			.kw = get32(p + 12)
		};

		if (m.uid <= last || m.base_len == 0 ||
		    m.base_len > m.name_len || m.state & ~KEPT_STATE ||
		    (uint64_t)m.name + m.name_len > h->names)
			return ERR_NOENT;
		if (m.state & MSG_PASSED) {
			m.kw |= UINT64_C(1) << md->kw.passed;
			md->has_passed = true;
		}
		ret->msgs.v[ret->msgs.n++] = m;
		last = m.uid;
	}
	if (last >= md->ul.next)
		return ERR_NOENT;
	for (uint32_t i = 0; i < h->fields; i++, p += FIELDS_SIZE) {
		struct msg_fields f = { get32(p), get32(p + 4), get32(p + 8) };

		if ((uint64_t)f.off + f.len > h->names)
			return ERR_NOENT;
		VEC_PUSH(&ret->fields, f);
	}
	return 0;
}

static int
get_body(struct maildir *md, int fd, const struct header *h,
    struct picture *ret)
{
	size_t size = HEADER_SIZE + (size_t)h->records * RECORD_SIZE +
	    (size_t)h->fields * FIELDS_SIZE, n;
	uint8_t *p = mem_alloc(size);
	int r = ERR_NOENT;

	if (fdio_pread(fd, p, size, 0, &n) == 0 && n == size &&
	    check_of(span_of(p + CHECKED_FROM, size - CHECKED_FROM)) ==
	    h->check)
		r = get_records(md, h, p + HEADER_SIZE, ret);
	free(p);
	if (r == 0)
		picture_names_later(ret, fd, size, h->names);
	return r;
}

int
snapshot_load(struct maildir *md, struct picture *ret)
{
	const struct uidlist_at at = md_at(md, false);
	struct picture p;
	struct header h;
	int fd, r;

	fd = openat(md->box.control, FILE_NAME, O_RDONLY | O_CLOEXEC |
	    O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return ERR_NOENT;
	picture_init(&p);
	r = get_header(fd, &h);
	if (r == 0)
		r = uidlist_read_ends(&md->ul, &at);
	if (r == 0)
		r = is_current(md, &h) ? get_body(md, fd, &h, &p) : ERR_NOENT;
	if (r != 0) {
		fdio_close(&fd);
		picture_done(&p);
		return ERR_NOENT;
	}
	md->uidnext = md->ul.next;
	*ret = p;
	return 0;
}

/* ---- save ------------------------------------------------------------ */

static bool
is_worth_it(struct maildir *md)
{
	if (md->is_memory_only || md->is_snapshot || md->has_twins ||
	    md->pic.msgs.n < MESSAGES_MIN || md->ul.fd < 0 ||
	    !is_dirtime_same(md->box.new, &md->new_time) ||
	    !is_dirtime_same(md->box.cur, &md->cur_time))
		return false;
	for (size_t i = 0; i < md->pic.msgs.n; i++)
		if (md->pic.msgs.v[i].state & (MSG_NEW | MSG_GONE))
			return false;
	return true;
}

static void
put_records(const struct maildir *md, struct buf *b, uint32_t *ret_names)
{
	const struct picture *p = &md->pic;
	uint32_t names = 0;

	for (size_t i = 0; i < p->msgs.n; i++) {
		const struct msg *m = &p->msgs.v[i];
		struct name n;

		name_parse(picture_name(p, m), &n);
		enc_u32(b, m->uid);
		enc_u32(b, names);
		enc_u8(b, m->base_len);
		enc_u8(b, m->name_len);
		enc_u8(b, m->sys);
		enc_u8(b, (uint8_t)(m->state & KEPT_STATE));
		enc_u32(b, n.lower);
		names += m->name_len;
	}
	for (size_t i = 0; i < p->msgs.n; i++) {
		struct span f = picture_fields(p, &p->msgs.v[i]);

		if (f.n == 0)
			continue;
		enc_u32(b, p->msgs.v[i].uid);
		enc_u32(b, names);
		enc_u32(b, (uint32_t)f.n);
		names += (uint32_t)f.n;
	}
	*ret_names = names;
}

static void
put_names(const struct maildir *md, struct buf *b)
{
	const struct picture *p = &md->pic;

	for (size_t i = 0; i < p->msgs.n; i++)
		buf_put_span(b, picture_name(p, &p->msgs.v[i]));
	for (size_t i = 0; i < p->msgs.n; i++)
		buf_put_span(b, picture_fields(p, &p->msgs.v[i]));
}

static void
put_header(const struct maildir *md, struct buf *b, uint64_t check,
    uint32_t fields, uint32_t names)
{
	buf_put_span(b, MAGIC);
	enc_u64(b, check);
	enc_u64(b, md->cur_time.ns);
	enc_u64(b, md->new_time.ns);
	enc_u64(b, (uint64_t)md->ul.dev);
	enc_u64(b, (uint64_t)md->ul.ino);
	enc_u64(b, md->ul.size);
	enc_u32(b, md->ul.uidvalidity);
	enc_u32(b, (uint32_t)md->pic.msgs.n);
	enc_u32(b, fields);
	enc_u32(b, names);
	enc_u64(b, list_time(md));
}

/* The whole file. */
static int
encode(const struct maildir *md, struct buf *b)
{
	struct buf body, header;
	uint32_t names, fields;
	struct span checked;
	uint64_t check;
	int r;

	buf_init(&body, SCAN_POOL_MAX);
	buf_init(&header, HEADER_SIZE);
	put_records(md, &body, &names);
	fields = (uint32_t)((body.n - md->pic.msgs.n * RECORD_SIZE) /
	    FIELDS_SIZE);
	/* Once without the check, to have the bytes that it is of. */
	put_header(md, b, 0, fields, names);
	buf_put_span(b, buf_span(&body));
	checked = span_skip(buf_span(b), CHECKED_FROM);
	check = check_of(checked);
	put_header(md, &header, check, fields, names);
	r = buf_err(b);
	if (r == 0) {
		memcpy(b->p, header.p, HEADER_SIZE);
		put_names(md, b);
		r = buf_err(b);
	}
	buf_done(&body);
	buf_done(&header);
	return r;
}

/* The temporary file, which is ours alone, or -1. */
static int
open_tmp(int dir)
{
	struct timespec now;
	struct stat st;
	int fd;

	fd = openat(dir, TMP_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (fd >= 0 || errno != EEXIST ||
	    fstatat(dir, TMP_NAME, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return fd;
	(void)clock_gettime(CLOCK_REALTIME, &now);	/* cannot fail */
	if (st.st_ctim.tv_sec + TMP_AGE < now.tv_sec)
		(void)unlinkat(dir, TMP_NAME, 0);	/* for the next one */
	return -1;
}

void
snapshot_save(struct maildir *md)
{
	int dir = md->box.control, fd;
	struct buf b;
	int r;

	if (!is_worth_it(md) || (fd = open_tmp(dir)) < 0)
		return;
	buf_init(&b, SCAN_POOL_MAX);
	r = encode(md, &b);
	if (r == 0)
		r = fdio_write_file(fd, buf_span(&b));
	if (r == 0 && fchmod(fd, md->box.file_mode) != 0)
		r = ERR_IO;
	if (r == 0 && md->store->conf.fsync && fdatasync(fd) != 0)
		r = ERR_IO;
	step("snapshot-written");
	/* Still true?  Whoever changed something since has changed a time. */
	if (r == 0 && is_dirtime_same(md->box.cur, &md->cur_time) &&
	    is_dirtime_same(md->box.new, &md->new_time) &&
	    renameat(dir, TMP_NAME, dir, FILE_NAME) == 0)
		md->is_snapshot = true;
	else
		(void)unlinkat(dir, TMP_NAME, 0);	/* or in a minute */
	buf_done(&b);
	fdio_close(&fd);
}
