/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * FORMAT of imapd.index, version 2, beside the uidlist; integers big-endian,
 * checks are CRC-32C
 *	0	8	"imapdix" and the version, 2
 *	8	4	check of the rest of the header
 *	12	4	UIDVALIDITY
 *	16	8	generation
 *	24	8	generation of the index before this one, or 0
 *	32	8	highest mod-sequence
 *	40	8	floor: expunges after this mod-sequence are all listed
 *	48	8	mod-sequence of all messages, if the section is empty
 *	56	8	ctime of cur/ in nanoseconds
 *	64	8	ctime of new/
 *	72	8	device of dovecot-uidlist
 *	80	8	its inode
 *	88	8	its size
 *	96	8	its ctime
 *	104	4	UIDNEXT
 *	108	4	count of messages
 *	112	16 each	for each section: length (8), check (4), 0 (4)
 *	256		the sections, one behind the other, in this order:
 *	messages	12 each: UID (4), offset of its name in names (4),
 *			length of the base (1) and of the name (1), flags (2)
 *	modseqs		8 each, or empty
 *	keywords	8 each, or empty: bit i for keyword number i
 *	saved		8 each, or empty: seconds since 1970, 0: unknown
 *	fields		12 each: UID (4), offset in names (4), length (4)
 *	gone		12 each: UID (4), mod-sequence (8), in order of these
 *	words		"number name" LF for keywords from number 27 on
 *	names		of the files, each with its check (4) behind it; then
 *			the fields of uidlist records
 *	bases		pages of 4096: check of the rest of the page (4), count
 *			of entries (2), entries of 6: UID (4), the low 16 bits
 *			of name_hash() of the base; the page is the hash times
 *			the number of pages, divided by 2^32.  No check in the
 *			header.
 * Messages and fields are in order of UID.  The flags are those of struct msg.
 *
 * Written whole as imapd.index.tmp under the uidlist lock, renamed, never
 * changed.
 *
 * CRASH STATES
 *	imapd.index.tmp		truncated by the next writer, who holds the lock
 *	imapd.index of a newer	the journal of the one before is still there:
 *	generation than the	its generation is our "previous", and all that
 *	journal			it says is in the index; it is not read
 *	damage of any kind	ERR_CORRUPT for the section that is damaged;
 *				what is done about it stands in index.h
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/fdio.h"
#include "base/mem.h"
#include "maildir/crc32c.h"
#include "maildir/indexfile.h"
#include "maildir/replace.h"
#include "maildir/step.h"

#define MAGIC		SPAN("imapdix\002")
#define HEADER_SIZE	256u
#define CHECKED_FROM	12u
#define MESSAGE_SIZE	12u

#define PAGE		4096u
#define PAGE_HEADER	6u
#define ENTRY		6u
#define PAGE_ENTRIES	((PAGE - PAGE_HEADER) / ENTRY)
#define PAGE_FILL	400u	/* entries aimed at: more than PAGE_ENTRIES in
				 * one page are then no accident */
#define FILL_TRIES	4

uint64_t
index_clock(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);	/* cannot fail */
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000;
}

bool
is_index_modseq(uint64_t v)
{
	return v <= index_clock() + INDEX_MODSEQ_AHEAD;
}

/* ---- reading --------------------------------------------------------- */

/* Each section is as long as the count says, if that says anything. */
static int
check_lengths(const struct indexfile *f)
{
	static const uint8_t each[INDEX_SECTIONS] = {
		[INDEX_MESSAGES] = MESSAGE_SIZE, [INDEX_MODSEQS] = 8,
		[INDEX_KEYWORDS] = 8, [INDEX_SAVED] = 8
	};

	for (int s = 0; s < INDEX_SECTIONS; s++) {
		uint64_t want = (uint64_t)each[s] * f->h.count;

		if (each[s] != 0 && f->section[s].n != want &&
		    (s == INDEX_MESSAGES || f->section[s].n != 0))
			return ERR_CORRUPT;
	}
	return f->section[INDEX_BASES].n % PAGE == 0 &&
	    f->section[INDEX_NAMES].n <= UINT32_MAX ? 0 : ERR_CORRUPT;
}

static int
read_header(struct indexfile *f)
{
	uint8_t p[HEADER_SIZE];
	struct index_header *h = &f->h;
	struct dec d;
	struct stat st;
	uint64_t off = HEADER_SIZE;
	size_t n;
	int r;

	if (fstat(f->fd, &st) != 0)
		return err_from_errno(errno);
	r = fdio_pread(f->fd, p, sizeof(p), 0, &n);
	if (r != 0)
		return r;
	if (!S_ISREG(st.st_mode) || n != sizeof(p) ||
	    !is_span_eq(span_of(p, MAGIC.n), MAGIC))
		return ERR_CORRUPT;
	d = dec_init(span_skip(span_of(p, n), MAGIC.n));
	if (dec_u32(&d) != crc32c(0, p + CHECKED_FROM, n - CHECKED_FROM))
		return ERR_CORRUPT;
	h->uidvalidity = dec_u32(&d);
	h->generation = dec_u64(&d);
	h->previous = dec_u64(&d);
	h->highest = dec_u64(&d);
	h->floor = dec_u64(&d);
	h->common = dec_u64(&d);
	h->times.cur = dec_u64(&d);
	h->times.new = dec_u64(&d);
	h->times.dev = dec_u64(&d);
	h->times.ino = dec_u64(&d);
	h->times.size = dec_u64(&d);
	h->times.ctime = dec_u64(&d);
	h->times.uidnext = dec_u32(&d);
	h->count = dec_u32(&d);
	for (int s = 0; s < INDEX_SECTIONS; s++) {
		f->section[s].off = off;
		f->section[s].n = dec_u64(&d);
		f->section[s].check = dec_u32(&d);
		(void)dec_u32(&d);
		if (f->section[s].n > (uint64_t)st.st_size - off)
			return ERR_CORRUPT;
		off += f->section[s].n;
	}
	if (h->generation == 0 || off != (uint64_t)st.st_size)
		return ERR_CORRUPT;
	if (h->common == 0 || h->common > h->highest ||
	    h->floor > h->highest || !is_index_modseq(h->highest))
		return ERR_CORRUPT;
	return check_lengths(f);
}

int
indexfile_open(int dir, struct indexfile *ret)
{
	struct indexfile f = INDEXFILE_NONE;
	int r = 0;

	f.fd = openat(dir, INDEX_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK);
	if (f.fd < 0)
		r = err_from_errno(errno);
	else
		r = read_header(&f);
	if (r != 0)
		fdio_close(&f.fd);
	*ret = f;
	return r;
}

void
indexfile_close(struct indexfile *f)
{
	fdio_close(&f->fd);
}

int
indexfile_part(const struct indexfile *f, enum index_section s, uint64_t off,
    void *p, size_t n)
{
	size_t got;
	int r;

	if (off > f->section[s].n || n > f->section[s].n - off)
		return ERR_CORRUPT;
	r = fdio_pread(f->fd, p, n, f->section[s].off + off, &got);
	return r != 0 ? r : got == n ? 0 : ERR_CORRUPT;
}

int
indexfile_read(const struct indexfile *f, enum index_section s, void *p)
{
	size_t n = (size_t)f->section[s].n;
	int r = n == 0 ? 0 : indexfile_part(f, s, 0, p, n);

	if (r == 0 && n > 0 && crc32c(0, p, n) != f->section[s].check)
		r = ERR_CORRUPT;
	return r;
}

/* ---- which messages a name may belong to ------------------------------ */

static uint64_t
page_of(uint32_t hash, uint64_t pages)
{
	return hash * pages >> 32;
}

int
indexfile_find(const struct indexfile *f, uint32_t hash, uint32_t *uids,
    size_t max, size_t *ret_n)
{
	uint8_t page[PAGE];
	uint64_t pages = f->section[INDEX_BASES].n / PAGE;
	size_t count, found = 0;
	struct dec d;
	int r;

	if (pages == 0)
		return ERR_CORRUPT;
	r = indexfile_part(f, INDEX_BASES, page_of(hash, pages) * PAGE, page,
	    PAGE);
	if (r != 0)
		return r;
	d = dec_init(span_of(page, PAGE));
	if (dec_u32(&d) != crc32c(0, page + 4, PAGE - 4))
		return ERR_CORRUPT;
	count = dec_u16(&d);
	if (count > PAGE_ENTRIES)
		return ERR_CORRUPT;
	for (size_t i = 0; i < count; i++) {
		uint32_t uid = dec_u32(&d);

		if (dec_u16(&d) != (hash & 0xffff))
			continue;
		if (found == max)
			return ERR_CORRUPT;
		uids[found++] = uid;
	}
	*ret_n = found;
	return 0;
}

static void
put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static int
fill_pages(uint8_t *p, uint64_t pages, const uint32_t *hashes,
    const uint32_t *uids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t *page = p + page_of(hashes[i], pages) * PAGE;
		unsigned count = (unsigned)page[4] << 8 | page[5];
		uint8_t *e = page + PAGE_HEADER + count * ENTRY;

		if (count == PAGE_ENTRIES)
			return ERR_LIMIT;
		put32(e, uids[i]);
		put16(e + 4, hashes[i] & 0xffff);
		put16(page + 4, count + 1);
	}
	for (uint64_t i = 0; i < pages; i++)
		put32(p + i * PAGE, crc32c(0, p + i * PAGE + 4, PAGE - 4));
	return 0;
}

struct span
indexfile_bases(const uint32_t *hashes, const uint32_t *uids, size_t n)
{
	uint64_t pages = n / PAGE_FILL + 1;

	for (int i = 0; i < FILL_TRIES; i++, pages *= 2) {
		uint8_t *p = mem_zalloc(pages * PAGE);

		if (fill_pages(p, pages, hashes, uids, n) == 0)
			return span_of(p, pages * PAGE);
		free(p);
	}
	return SPAN_NONE;	/* readers make a table of their own */
}

/* ---- writing --------------------------------------------------------- */

static void
put_header(struct buf *b, const struct index_header *h,
    const struct span sections[INDEX_SECTIONS])
{
	struct buf rest;

	buf_init(&rest, HEADER_SIZE);
	enc_u32(&rest, h->uidvalidity);
	enc_u64(&rest, h->generation);
	enc_u64(&rest, h->previous);
	enc_u64(&rest, h->highest);
	enc_u64(&rest, h->floor);
	enc_u64(&rest, h->common);
	enc_u64(&rest, h->times.cur);
	enc_u64(&rest, h->times.new);
	enc_u64(&rest, h->times.dev);
	enc_u64(&rest, h->times.ino);
	enc_u64(&rest, h->times.size);
	enc_u64(&rest, h->times.ctime);
	enc_u32(&rest, h->times.uidnext);
	enc_u32(&rest, h->count);
	for (int s = 0; s < INDEX_SECTIONS; s++) {
		enc_u64(&rest, sections[s].n);
		enc_u32(&rest, s == INDEX_BASES ? 0 :
		    crc32c(0, sections[s].p, sections[s].n));
		enc_u32(&rest, 0);
	}
	buf_put_span(b, MAGIC);
	enc_u32(b, crc32c(0, rest.p, rest.n));
	buf_put_span(b, buf_span(&rest));
	buf_done(&rest);
}

static int
write_all(int fd, const struct index_header *h,
    const struct span sections[INDEX_SECTIONS])
{
	struct buf b;
	int r;

	buf_init(&b, HEADER_SIZE);
	put_header(&b, h, sections);
	r = buf_err(&b);
	if (r == 0)
		r = fdio_write_file(fd, buf_span(&b));
	for (int s = 0; r == 0 && s < INDEX_SECTIONS; s++)
		if (sections[s].n > 0)
			r = fdio_write_file(fd, sections[s]);
	buf_done(&b);
	return r;
}

int
indexfile_write(int dir, mode_t mode, const struct index_header *h,
    const struct span sections[INDEX_SECTIONS], bool sync)
{
	int fd, r = 0;

	fd = openat(dir, INDEX_TMP, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
	    O_NOFOLLOW | O_NONBLOCK, mode);
	if (fd < 0)
		return err_from_errno(errno);
	if (fchmod(fd, mode) != 0)
		r = err_from_errno(errno);
	if (r == 0)
		r = write_all(fd, h, sections);
	step("index-written");
	if (r == 0 && sync && fdatasync(fd) != 0)
		r = err_from_errno(errno);
	if (close(fd) != 0 && r == 0)
		r = err_from_errno(errno);
	if (r == 0 && renameat(dir, INDEX_TMP, dir, INDEX_FILE) != 0)
		r = err_from_errno(errno);
	if (r != 0)
		(void)unlinkat(dir, INDEX_TMP, 0);	/* or truncated next */
	else
		step("index-renamed");
	return r;
}
