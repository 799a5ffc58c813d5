/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * FORMAT of imapd.journal, version 1, beside imapd.index; integers big-endian,
 * checks are CRC-32C
 *	0	8	"imapdjl" and the version, 1
 *	8	4	check of the rest of the header
 *	12	4	0
 *	16	8	generation: that of the index which it continues
 *	24	8	generation of the journal before this one, or 0
 *	32		records
 * A record
 *	0	4	length of all of it
 *	4	4	check of the generation (8 bytes) and of what follows
 *	8	4	type
 *	12	8	mod-sequence; never lower than that of the record before
 *	20		body
 * Bodies, by type
 *	1 messages	any number of: UID (4), directory (1; 0 cur, 1 new),
 *			length of the name (1), length of the fields (2), save
 *			date (4; 0: as it was, or unknown), the name, the fields
 *			of the uidlist's record
 *	2 expunged	any number of UIDs (4)
 *	3 word		number (1) and name of a keyword
 *	4 words of	any number of: UID (4), bits of keyword numbers (8)
 *	5 times		as bytes 56 to 107 of imapd.index
 *	6 raised	empty: records were lost before this one, and all
 *			messages have its mod-sequence
 * The generation in the check keeps what a file system leaves in a block of an
 * older journal from being taken for a record.
 *
 * Written under the uidlist lock, with one write behind the last good record.
 * It is not synced: nothing that a session says "OK" to depends on it.  What a
 * power cut takes away is found again as a difference between imapd.index and
 * the files, and gets a new, higher mod-sequence.
 *
 * CRASH STATES
 *	found				what the next opener does
 *	a torn record at the end	ignored; the next writer, who holds the
 *					lock, cuts it off and records "raised"
 *	damage in the middle		the same: what follows it is lost
 *	no journal, or one of another	the index alone counts, and everything
 *	generation			that cannot be proved unchanged gets a
 *					higher mod-sequence (history.c)
 *	imapd.journal.tmp		truncated by the next writer
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/enc.h"
#include "base/fdio.h"
#include "maildir/crc32c.h"
#include "maildir/journal.h"
#include "maildir/step.h"

#define MAGIC		SPAN("imapdjl\001")
#define HEADER_SIZE	32u
#define CHECKED_FROM	12u
#define RECORD_HEADER	20u
#define RECORD_CHECKED	8u

static void
put_header(struct buf *b, uint64_t generation, uint64_t previous)
{
	struct buf rest;

	buf_init(&rest, HEADER_SIZE);
	enc_u32(&rest, 0);
	enc_u64(&rest, generation);
	enc_u64(&rest, previous);
	buf_put_span(b, MAGIC);
	enc_u32(b, crc32c(0, rest.p, rest.n));
	buf_put_span(b, buf_span(&rest));
	buf_done(&rest);
}

static int
read_header(struct journal *j)
{
	uint8_t p[HEADER_SIZE];
	struct stat st;
	struct dec d;
	size_t n;
	int r;

	if (fstat(j->fd, &st) != 0)
		return err_from_errno(errno);
	r = fdio_pread(j->fd, p, sizeof(p), 0, &n);
	if (r != 0)
		return r;
	if (!S_ISREG(st.st_mode) || n != sizeof(p) ||
	    !is_span_eq(span_of(p, MAGIC.n), MAGIC) ||
	    be32_get(p + 8) != crc32c(0, p + CHECKED_FROM, n - CHECKED_FROM))
		return ERR_CORRUPT;
	d = dec_init(span_skip(span_of(p, n), 16));
	j->generation = dec_u64(&d);
	j->previous = dec_u64(&d);
	j->dev = st.st_dev;
	j->ino = st.st_ino;
	j->off = HEADER_SIZE;
	j->size = HEADER_SIZE;
	return j->generation != 0 ? 0 : ERR_CORRUPT;
}

int
journal_open(int dir, struct journal *ret)
{
	struct journal j = JOURNAL_NONE;
	int r = 0;

	j.fd = openat(dir, JOURNAL_FILE, O_RDWR | O_APPEND | O_CLOEXEC |
	    O_NOFOLLOW | O_NONBLOCK);
	if (j.fd < 0 && (errno == EACCES || errno == EROFS))
		j.fd = openat(dir, JOURNAL_FILE, O_RDONLY | O_CLOEXEC |
		    O_NOFOLLOW | O_NONBLOCK);
	if (j.fd < 0)
		r = err_from_errno(errno);
	else
		r = read_header(&j);
	if (r != 0)
		fdio_close(&j.fd);
	*ret = j;
	return r;
}

void
journal_close(struct journal *j)
{
	fdio_close(&j->fd);
}

enum journal_state
journal_look(const struct journal *j, int dir)
{
	struct stat st;

	if (fstatat(dir, JOURNAL_FILE, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return j->fd < 0 ? JOURNAL_SAME : JOURNAL_REPLACED;
	if (j->fd < 0 || st.st_dev != j->dev || st.st_ino != j->ino ||
	    (uint64_t)st.st_size < j->size)
		return JOURNAL_REPLACED;
	return (uint64_t)st.st_size > j->size ? JOURNAL_GROWN : JOURNAL_SAME;
}

/* ---- records --------------------------------------------------------- */

static uint32_t
check_of(uint64_t generation, const uint8_t *p, size_t n)
{
	uint8_t g[8];

	for (int i = 0; i < 8; i++)
		g[i] = (uint8_t)(generation >> (56 - 8 * i));
	return crc32c(crc32c(0, g, sizeof(g)), p, n);
}

/* Length of the record that s begins with; 0: it is none. */
static size_t
record_length(const struct journal *j, struct span s)
{
	size_t n;

	if (s.n < RECORD_HEADER)
		return 0;
	n = be32_get(s.p);
	if (n < RECORD_HEADER || n > s.n)
		return 0;
	return check_of(j->generation, s.p + RECORD_CHECKED,
	    n - RECORD_CHECKED) == be32_get(s.p + 4) ? n : 0;
}

int
journal_read(struct journal *j, struct buf *b, bool *ret_torn)
{
	size_t start = b->n, good, n, more;
	struct stat st;
	uint8_t *p;
	int r;

	*ret_torn = false;
	if (fstat(j->fd, &st) != 0)
		return err_from_errno(errno);
	if ((uint64_t)st.st_size > JOURNAL_MAX ||
	    (uint64_t)st.st_size < j->off)
		return ERR_CORRUPT;
	more = (size_t)((uint64_t)st.st_size - j->off);
	j->size = (uint64_t)st.st_size;
	if (more == 0)
		return 0;
	p = buf_room(b, more);
	if (p == NULL)
		return ERR_LIMIT;
	r = fdio_pread(j->fd, p, more, j->off, &n);
	if (r != 0)
		return r;
	for (good = 0; good < n; good += more) {
		more = record_length(j, span_of(p + good, n - good));
		if (more == 0)
			break;
	}
	b->n = start + good;
	j->off += good;
	*ret_torn = j->off < j->size;
	return 0;
}

int
journal_again(const struct journal *j, struct buf *b)
{
	struct journal again = *j;
	size_t before = b->n;
	bool torn;
	int r;

	again.off = HEADER_SIZE;
	r = journal_read(&again, b, &torn);
	if (r == 0 && again.off < j->off)
		r = ERR_CORRUPT;
	if (r == 0)	/* somebody may have written more meanwhile */
		b->n = before + (size_t)(j->off - HEADER_SIZE);
	return r;
}

bool
journal_next(struct span *rest, struct journal_record *ret)
{
	struct dec d = dec_init(*rest);
	uint32_t n;

	if (rest->n == 0)
		return false;
	n = dec_u32(&d);
	(void)dec_u32(&d);
	ret->type = (enum journal_type)dec_u32(&d);
	ret->modseq = dec_u64(&d);
	ret->body = span_take(d.rest, n - RECORD_HEADER);
	*rest = span_skip(*rest, n);
	return true;
}

size_t
journal_begin(struct buf *b)
{
	static const uint8_t room[RECORD_HEADER];
	size_t at = b->n;

	buf_put(b, room, sizeof(room));
	return at;
}

void
journal_end(struct buf *b, size_t at, const struct journal *j,
    enum journal_type type, uint64_t modseq)
{
	struct buf h;

	if (buf_err(b) != 0)
		return;
	buf_init(&h, RECORD_HEADER);
	enc_u32(&h, (uint32_t)(b->n - at));
	enc_u32(&h, 0);
	enc_u32(&h, type);
	enc_u64(&h, modseq);
	memcpy(b->p + at, h.p, RECORD_HEADER);
	buf_clear(&h);
	enc_u32(&h, check_of(j->generation, b->p + at + RECORD_CHECKED,
	    b->n - at - RECORD_CHECKED));
	memcpy(b->p + at + 4, h.p, 4);
	buf_done(&h);
}

int
journal_append(struct journal *j, struct span s)
{
	ssize_t n;

	if (s.n == 0)
		return 0;
	if (s.n > JOURNAL_MAX || j->off > JOURNAL_MAX - s.n)
		return ERR_LIMIT;
	if (j->size > j->off && ftruncate(j->fd, (off_t)j->off) != 0)
		return err_from_errno(errno);
	step("journal-cut");
	j->size = j->off;
	do {
		n = write(j->fd, s.p, s.n);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_from_errno(errno);
	step("journal-appended");
	if ((size_t)n < s.n) {
		/* Disk full: what cannot be taken back is torn, and the next
		 * writer's business. */
		j->size = ftruncate(j->fd, (off_t)j->off) == 0 ? j->off :
		    j->off + (uint64_t)n;
		return ERR_NOSPACE;
	}
	j->off += s.n;
	j->size = j->off;
	return 0;
}

int
journal_create(int dir, mode_t mode, const struct index_header *h,
    struct journal *ret)
{
	struct journal j = JOURNAL_NONE;
	struct buf b;
	int r = 0;

	j.fd = openat(dir, JOURNAL_TMP, O_RDWR | O_APPEND | O_CREAT | O_TRUNC |
	    O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode);
	if (j.fd < 0)
		return err_from_errno(errno);
	buf_init(&b, HEADER_SIZE);
	put_header(&b, h->generation, h->previous);
	if (fchmod(j.fd, mode) != 0)
		r = err_from_errno(errno);
	if (r == 0)
		r = fdio_write_file(j.fd, buf_span(&b));
	buf_done(&b);
	if (r == 0)
		r = read_header(&j);
	step("journal-written");
	if (r == 0 && renameat(dir, JOURNAL_TMP, dir, JOURNAL_FILE) != 0)
		r = err_from_errno(errno);
	if (r != 0) {
		(void)unlinkat(dir, JOURNAL_TMP, 0);	/* or truncated next */
		fdio_close(&j.fd);
		return r;
	}
	step("journal-renamed");
	*ret = j;
	return 0;
}
