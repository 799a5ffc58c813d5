/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * FORMAT, version 3 (shared with Dovecot)
 *	file    = header *record
 *	header  = "3" 1*( SP key value ) LF	V UIDVALIDITY, N UIDNEXT at the
 *						last rewrite, G GUID in 32 hex
 *						digits, others are kept
 *	record  = uid SP *( KEY value SP ) ":" base LF
 *	UIDs are 1..4294967294 and increase from line to line.  A field begins
 *	with an upper-case letter and holds neither SP nor LF.
 *	UIDNEXT = max(N, uid of the last record + 1)
 *
 * FORMAT, version 1 (older Dovecots, and Courier's courierimapuiddb)
 *	header  = "1" SP uidvalidity SP uidnext LF
 *	record  = uid SP base LF
 *	Read, and written as version 3 at the next occasion; Courier's file
 *	stays where it is.
 *
 * Only ever appended to with complete lines in one write, or replaced by
 * rename, both under dovecot-uidlist.lock: Dovecot looks at inode and size
 * only.
 *
 * CRASH STATES
 *	found				what the next opener does
 *	dovecot-uidlist.tmp		nothing; the next writer truncates it
 *	a record without a file		the UID is not used again; the record is
 *					dropped by a later rewrite
 *	a file without a record		it gets a UID (it never had one that
 *					anybody was told of)
 *	last line without LF (torn)	ignored without the lock (somebody may
 *					be writing it), a damaged line with it;
 *					rewrite, for an append would merge two
 *					lines
 *	damaged line			all others are kept, V stays, N is
 *					raised beyond any UID the lost lines can
 *					have held; their files get new UIDs;
 *					rewrite
 *	two records for one base	the higher UID counts; rewrite
 *	header damaged, no UID left,
 *	or no file			new V (higher than any before, see
 *					uidvalidity.c), UIDs from 1
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/num.h"
#include "maildir/name.h"
#include "maildir/replace.h"
#include "maildir/step.h"
#include "maildir/store.h"
#include "maildir/uidlist.h"

#define COURIER_FILE	"courierimapuiddb"
#define HEADER_MAX	4096u
#define TAIL_MAX	4096u	/* longer than any record */
#define LOST_MARGIN	1000u	/* added to N per damaged line: the UIDs of
				 * what was cut off are not known */

void
uidlist_init(struct uidlist *ul)
{
	*ul = (struct uidlist){ .fd = -1 };
	buf_init(&ul->extra, HEADER_MAX);
	buf_init(&ul->text, UIDLIST_MAX);
}

void
uidlist_done(struct uidlist *ul)
{
	buf_done(&ul->extra);
	buf_done(&ul->text);
	fdio_close(&ul->fd);
}

void
uidlist_forget(struct uidlist *ul)
{
	buf_done(&ul->text);
	buf_init(&ul->text, UIDLIST_MAX);
	ul->rest = SPAN_NONE;
}

static bool
get_guid(struct span s, uint8_t guid[16])
{
	uint8_t g[16];

	if (s.n != 32)
		return false;
	for (size_t i = 0; i < 16; i++) {
		int hi = num_hexdigit(s.p[2 * i]);
		int lo = num_hexdigit(s.p[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		g[i] = (uint8_t)(hi << 4 | lo);
	}
	memcpy(guid, g, sizeof(g));
	return true;
}

/* "3" 1*( SP key value ), the "3 " already taken. */
static int
header_v3(struct uidlist *ul, struct span line)
{
	uint32_t v = 0, n = 0;

	while (line.p != NULL) {
		struct span field = span_split(&line, ' ');
		struct span value = span_skip(field, 1);

		if (field.n == 0)
			continue;
		switch (field.p[0]) {
		case 'V':
			if (num_u32(value, 1, UINT32_MAX, &v) != 0)
				return ERR_CORRUPT;
			break;
		case 'N':
			if (num_u32(value, 1, UINT32_MAX, &n) != 0)
				return ERR_CORRUPT;
			break;
		case 'G':
			ul->has_guid = get_guid(value, ul->guid);
			break;
		default:
			buf_putc(&ul->extra, ' ');
			buf_put_span(&ul->extra, field);
			break;
		}
	}
	/* With no UID left, the mailbox needs a new UIDVALIDITY (RFC 3501
	 * 2.3.1.1). */
	if (v == 0 || n == 0 || n > UIDLIST_UID_MAX)
		return ERR_CORRUPT;
	ul->uidvalidity = v;
	ul->next = n;
	ul->must_rewrite = !ul->has_guid;
	return buf_err(&ul->extra);
}

static int
header_v1(struct uidlist *ul, struct span line)
{
	struct span v = span_split(&line, ' ');
	uint32_t validity, next;

	if (num_u32(v, 1, UINT32_MAX, &validity) != 0 ||
	    num_u32(span_trim(line), 1, UIDLIST_UID_MAX, &next) != 0)
		return ERR_CORRUPT;
	ul->uidvalidity = validity;
	ul->next = next;
	ul->is_v1 = true;
	ul->must_rewrite = true;
	return 0;
}

static int
header(struct uidlist *ul)
{
	struct span line, version;

	line = span_split(&ul->rest, '\n');
	if (line.n > HEADER_MAX)
		return ERR_CORRUPT;
	version = span_split(&line, ' ');
	if (line.p == NULL)
		return ERR_CORRUPT;
	if (is_span_eq(version, SPAN("3")))
		return header_v3(ul, line);
	if (is_span_eq(version, SPAN("1")))
		return header_v1(ul, line);
	return ERR_CORRUPT;
}

static void
lose(struct uidlist *ul)
{
	ul->lost++;
	ul->must_rewrite = true;
}

/* Read from ul->size to the end of the last complete line into ul->text. */
static int
read_rest(struct uidlist *ul, uint64_t size, bool is_locked)
{
	uint64_t before = ul->size;
	size_t tail;
	size_t n;
	int r;

	buf_clear(&ul->text);
	ul->rest = SPAN_NONE;
	while (ul->size < size) {
		uint8_t *p = size - ul->size > UIDLIST_MAX ? NULL :
		    buf_room(&ul->text, (size_t)(size - ul->size));

		r = p == NULL ? ERR_LIMIT : fdio_pread(ul->fd, p,
		    (size_t)(size - ul->size), ul->size, &n);
		if (r != 0) {
			ul->size = before;
			return r;
		}
		if (n == 0)
			break;
		ul->text.n += n;
		ul->size += n;
	}
	ul->rest = buf_span(&ul->text);
	tail = span_rfind(ul->rest, '\n');
	tail = tail == ul->rest.n ? ul->rest.n : ul->rest.n - tail - 1;
	ul->rest.n -= tail;
	ul->size -= tail;
	if (tail > 0 && is_locked)
		lose(ul);
	return 0;
}

/* Open only; size is what there is, and nothing of it is read. */
static int
open_file(struct uidlist *ul, int dir, const char *name, uint64_t *ret_size)
{
	struct stat st;

	ul->fd = openat(dir, name, O_RDWR | O_APPEND | O_CLOEXEC |
	    O_NOFOLLOW | O_NONBLOCK);
	if (ul->fd < 0 && (errno == EACCES || errno == EROFS))
		ul->fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
		    O_NONBLOCK);
	if (ul->fd < 0)
		return err_from_errno(errno);
	if (fstat(ul->fd, &st) != 0)
		return err_from_errno(errno);
	if (!S_ISREG(st.st_mode))
		return ERR_CORRUPT;
	ul->dev = st.st_dev;
	ul->ino = st.st_ino;
	*ret_size = (uint64_t)st.st_size;
	return 0;
}

static int
read_file(struct uidlist *ul, int dir, const char *name, bool is_locked)
{
	uint64_t size;
	int r = open_file(ul, dir, name, &size);

	if (r == 0)
		r = read_rest(ul, size, is_locked);
	return r != 0 ? r : header(ul);
}

int
uidlist_read(struct uidlist *ul, const struct uidlist_at *at)
{
	int r;

	uidlist_done(ul);
	uidlist_init(ul);
	r = read_file(ul, at->dir, UIDLIST_FILE, at->is_locked);
	if (r == ERR_NOENT) {
		r = read_file(ul, at->mail, COURIER_FILE, at->is_locked);
		if (r == 0)
			ul->must_rewrite = true;
		fdio_close(&ul->fd);
		ul->dev = 0;
		ul->ino = 0;
	}
	if (r == 0)
		return 0;
	/* Could not be read now: a list of which nothing is known must not look
	 * like one of which the rest is wanted. */
	uidlist_done(ul);
	uidlist_init(ul);
	if (r != ERR_NOENT && r != ERR_CORRUPT)
		return r;
	/* No list, or none that tells anything. */
	ul->next = 1;
	ul->must_rewrite = true;
	return 0;
}

/* uid SP *( KEY value SP ) ":" base */
static int
record_v3(struct span line, struct uidlist_rec *ret)
{
	size_t n;
	uint64_t uid = num_prefix(line, &n);
	struct span s = span_skip(line, n);
	struct span fields;

	if (n == 0 || uid < 1 || uid > UIDLIST_UID_MAX || s.n < 2 ||
	    s.p[0] != ' ')
		return ERR_SYNTAX;
	s = span_skip(s, 1);
	fields = s;
	while (s.n > 0 && s.p[0] != ':') {
		size_t blank = span_find(s, ' ');

		if (!is_upper(s.p[0]) || blank == s.n)
			return ERR_SYNTAX;
		s = span_skip(s, blank + 1);
	}
	if (s.n < 2)
		return ERR_SYNTAX;
	fields.n = s.p > fields.p ? (size_t)(s.p - fields.p) - 1 : 0;
	ret->uid = (uint32_t)uid;
	ret->fields = fields;
	ret->base = span_skip(s, 1);
	return 0;
}

/* uid SP base */
static int
record_v1(struct span line, struct uidlist_rec *ret)
{
	size_t n;
	uint64_t uid = num_prefix(line, &n);

	if (n == 0 || uid < 1 || uid > UIDLIST_UID_MAX || line.n < n + 2 ||
	    line.p[n] != ' ')
		return ERR_SYNTAX;
	ret->uid = (uint32_t)uid;
	ret->fields = SPAN_NONE;
	ret->base = span_skip(line, n + 1);
	return 0;
}

/* The last line of the file: its UID, if there is one. */
static int
read_last(struct uidlist *ul, uint64_t size)
{
	uint8_t tail[TAIL_MAX];
	size_t n, lf;
	uint64_t off = size > TAIL_MAX ? size - TAIL_MAX : 0;
	struct span s;
	struct uidlist_rec rec;
	int r;

	r = fdio_pread(ul->fd, tail, (size_t)(size - off), off, &n);
	if (r != 0)
		return r;
	s = span_of(tail, n);
	if (n == 0 || s.p[n - 1] != '\n')
		return ERR_CORRUPT;
	s.n--;
	lf = span_rfind(s, '\n');
	if (lf == s.n)		/* one line: the header, or beyond all limits */
		return off == 0 ? 0 : ERR_CORRUPT;
	r = record_v3(span_skip(s, lf + 1), &rec);
	if (r != 0)
		return ERR_CORRUPT;
	if (ul->next <= rec.uid)
		ul->next = rec.uid + 1;
	return 0;
}

int
uidlist_read_ends(struct uidlist *ul, const struct uidlist_at *at)
{
	uint64_t size = 0;
	int r;

	uidlist_done(ul);
	uidlist_init(ul);
	r = open_file(ul, at->dir, UIDLIST_FILE, &size);
	if (r == 0)
		r = read_rest(ul, size < HEADER_MAX ? size : HEADER_MAX,
		    false);
	if (r == 0)
		r = header(ul);
	if (r == 0 && !ul->must_rewrite)
		r = read_last(ul, size);
	uidlist_forget(ul);
	ul->size = size;
	if (r == ERR_NOENT || r == ERR_CORRUPT) {
		ul->must_rewrite = true;
		r = 0;
	}
	if (r != 0) {		/* as in uidlist_read() */
		uidlist_done(ul);
		uidlist_init(ul);
	}
	return r;
}

int
uidlist_update(struct uidlist *ul, const struct uidlist_at *at,
    bool *ret_is_new)
{
	struct stat st;

	if (fstatat(at->dir, UIDLIST_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    ul->fd >= 0 && st.st_dev == ul->dev && st.st_ino == ul->ino &&
	    (uint64_t)st.st_size >= ul->size) {
		*ret_is_new = false;
		return read_rest(ul, (uint64_t)st.st_size, at->is_locked);
	}
	*ret_is_new = true;
	return uidlist_read(ul, at);
}

bool
uidlist_next(struct uidlist *ul, struct uidlist_rec *ret)
{
	while (ul->rest.n > 0) {
		struct span line = span_split(&ul->rest, '\n');

		if ((ul->is_v1 ? record_v1(line, ret) :
		    record_v3(line, ret)) != 0 || ret->uid <= ul->last) {
			lose(ul);
			continue;
		}
		/* Tolerated: a name with its info part. */
		ret->base = name_base(ret->base);
		if (ret->base.n == 0 || ret->base.n > NAME_FILE_MAX ||
		    has_byte(ret->base, '/')) {
			lose(ul);
			continue;
		}
		ret->line = line;
		ul->last = ret->uid;
		if (ul->next <= ret->uid)
			ul->next = ret->uid + 1;
		return true;
	}
	if (ul->lost > 0) {
		uint64_t next = (uint64_t)ul->next + ul->lost + LOST_MARGIN;

		ul->next = next > UIDLIST_UID_MAX ? UIDLIST_UID_MAX :
		    (uint32_t)next;
		ul->lost = 0;
	}
	return false;
}

struct span
uidlist_field(struct span fields, uint8_t key)
{
	while (fields.n > 0) {
		struct span f = span_split(&fields, ' ');

		if (f.n > 0 && f.p[0] == key)
			return span_skip(f, 1);
	}
	return SPAN_NONE;
}

void
uidlist_put(struct buf *b, uint32_t uid, struct span fields, struct span base)
{
	buf_put_u64(b, uid);
	buf_putc(b, ' ');
	if (fields.n > 0) {
		buf_put_span(b, fields);
		buf_putc(b, ' ');
	}
	buf_putc(b, ':');
	buf_put_span(b, base);
	buf_putc(b, '\n');
}

int
uidlist_append(struct uidlist *ul, struct span lines)
{
	ssize_t n;

	do {
		n = write(ul->fd, lines.p, lines.n);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_from_errno(errno);
	step("uidlist-appended");
	if ((size_t)n < lines.n) {
		/* Disk full in the middle of a line: take it back, nobody
		 * reads beyond what the lock covers. */
		if (ftruncate(ul->fd, (off_t)ul->size) != 0)
			ul->must_rewrite = true;
		return ERR_NOSPACE;
	}
	ul->size += lines.n;
	return 0;
}

int
uidlist_sync(struct uidlist *ul)
{
	if (ul->fd >= 0 && fdatasync(ul->fd) != 0)
		return err_from_errno(errno);
	return 0;
}

static void
put_header(struct buf *b, const struct uidlist *ul)
{
	buf_puts(b, "3 V");
	buf_put_u64(b, ul->uidvalidity);
	buf_puts(b, " N");
	buf_put_u64(b, ul->next);
	buf_puts(b, " G");
	for (size_t i = 0; i < sizeof(ul->guid); i++) {
		buf_putc(b, (uint8_t)"0123456789abcdef"[ul->guid[i] >> 4]);
		buf_putc(b, (uint8_t)"0123456789abcdef"[ul->guid[i] & 15]);
	}
	buf_put_span(b, buf_span(&ul->extra));
	buf_putc(b, '\n');
}

int
uidlist_rewrite(struct uidlist *ul, int dir, mode_t mode, struct span lines,
    bool sync)
{
	struct buf b;
	struct stat st;
	int r, fd;

	buf_init(&b, UIDLIST_MAX);
	put_header(&b, ul);
	buf_put_span(&b, lines);
	r = buf_err(&b);
	if (r == 0)
		r = replace_file(dir, UIDLIST_FILE, UIDLIST_TMP, mode,
		    buf_span(&b), sync);
	if (r != 0)
		goto done;
	/* Ours by the lock: what we open is what we wrote. */
	fd = openat(dir, UIDLIST_FILE, O_RDWR | O_APPEND | O_CLOEXEC |
	    O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) != 0) {
		r = err_from_errno(errno);
		fdio_close(&fd);
		goto done;
	}
	fdio_close(&ul->fd);
	ul->fd = fd;
	ul->dev = st.st_dev;
	ul->ino = st.st_ino;
	ul->size = (uint64_t)st.st_size;
	ul->must_rewrite = false;
	ul->is_v1 = false;
	ul->rest = SPAN_NONE;
done:
	buf_done(&b);
	return r;
}
