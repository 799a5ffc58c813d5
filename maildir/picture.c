/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Messages and columns; the names are in picture_names.c.
 */
#include <sys/mman.h>

#include <malloc.h>
#include <stdlib.h>

#include "base/mem.h"
#include "maildir/crc32c.h"
#include "maildir/picture.h"
#include "maildir/picture_names.h"

#define REST_MIN	256u	/* messages */
#define PIECE		2730u	/* messages: 32 KiB */
#define MANY		10000u
#define SPARE		64u	/* messages that arrive while many are not moved
				 * for them */

static const enum index_section section_of[PICTURE_COLUMNS] = {
	[PICTURE_MODSEQ] = INDEX_MODSEQS,
	[PICTURE_KW] = INDEX_KEYWORDS,
	[PICTURE_SAVED] = INDEX_SAVED
};

void
picture_init(struct picture *p)
{
	*p = (struct picture){ .common = 1, .file = INDEXFILE_NONE };
	picture_names_init(p);
}

void
picture_done(struct picture *p)
{
	VEC_DONE(&p->msgs);
	VEC_DONE(&p->fields);
	for (int c = 0; c < PICTURE_COLUMNS; c++) {
		free(p->column[c].base);
		VEC_DONE(&p->column[c].late);
	}
	picture_names_done(p);
	indexfile_close(&p->file);
}

/* ---- from the file ---------------------------------------------------- */

static bool
is_big_endian(void)
{
	const uint16_t one = 1;
	uint8_t first;

	memcpy(&first, &one, 1);
	return first == 0;
}

/* A message lies in the file as it does in memory, but for the byte order. */
_Static_assert(sizeof(struct msg) == 12, "no holes in struct msg");

static int
take_messages(struct picture *p, struct msg *v, size_t n)
{
	bool swap = !is_big_endian(), is_bad = false;
	uint32_t last = p->file_last;
	unsigned states = p->states;

	for (size_t i = 0; i < n; i++) {
		struct msg *m = &v[i];

		if (swap) {
			m->uid = __builtin_bswap32(m->uid);
			m->name = __builtin_bswap32(m->name);
			m->state = __builtin_bswap16(m->state);
		}
		is_bad |= m->uid <= last || m->base_len == 0 ||
		    m->base_len > m->name_len || (m->state & ~MSG_KEPT) != 0 ||
		    (uint64_t)m->name + m->name_len + NAME_CHECK > p->names_n;
		states |= m->state;
		last = m->uid;
	}
	p->file_last = last;
	p->states = (uint16_t)states;
	return is_bad ? ERR_CORRUPT : 0;
}

/* Memory for n messages; of many, all pages at once, which costs a third of
 * taking them one by one when they are written to. */
static void *
alloc_messages(size_t n)
{
	void *p = mem_resize(NULL, n, sizeof(struct msg));
#ifdef MADV_POPULATE_WRITE
	uintptr_t page = 4096, at = ((uintptr_t)p + page - 1) & ~(page - 1);

	if (n >= MANY)
		(void)madvise((void *)at, n * sizeof(struct msg) - page,
		    MADV_POPULATE_WRITE);
#endif
	return p;
}

/* In pieces, each of which is still in the processor's cache when it is checked
 * and turned round. */
static int
load_messages(struct picture *p, size_t n)
{
	struct msg *v = p->msgs.v;
	uint32_t check = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i += PIECE) {
		size_t k = n - i < PIECE ? n - i : PIECE;

		r = indexfile_part(&p->file, INDEX_MESSAGES, i * sizeof(*v),
		    v + i, k * sizeof(*v));
		if (r != 0)
			break;
		check = crc32c(check, v + i, k * sizeof(*v));
		r = take_messages(p, v + i, k);
	}
	return r != 0 || check != p->file.section[INDEX_MESSAGES].check ?
	    ERR_CORRUPT : 0;
}

int
picture_load(struct picture *p, struct indexfile *f)
{
	size_t n = f->h.count;
	int r;

	p->file = *f;
	*f = INDEXFILE_NONE;
	p->names_n = (uint32_t)p->file.section[INDEX_NAMES].n;
	p->common = p->file.h.common;
	if (n == 0)
		return 0;
	p->msgs.v = alloc_messages(n + SPARE);
	p->msgs.n = n;
	p->msgs.cap = n + SPARE;
	r = load_messages(p, n);
	if (r == 0)
		r = picture_load_fields(p);
	if (r != 0)
		return r;
	p->file_n = n;
	for (int c = 0; c < PICTURE_COLUMNS; c++)
		p->column[c].is_in_file =
		    p->file.section[section_of[c]].n > 0;
	return 0;
}

/* Into the byte order of memory.  A mod-sequence is at most the highest. */
static int
take_column(struct picture *p, enum picture_column c, uint64_t *v)
{
	bool swap = !is_big_endian(), is_bad = false;

	for (size_t i = 0; i < p->file_n; i++) {
		if (swap)
			v[i] = __builtin_bswap64(v[i]);
		is_bad |= c == PICTURE_MODSEQ && (v[i] == 0 ||
		    v[i] > p->file.h.highest);
	}
	return is_bad ? ERR_CORRUPT : 0;
}

static void
load_column(struct picture *p, enum picture_column c)
{
	struct column *col = &p->column[c];

	col->is_in_file = false;
	col->base = mem_resize(NULL, p->file_n, sizeof(*col->base));
	if (indexfile_read(&p->file, section_of[c], col->base) != 0 ||
	    take_column(p, c, col->base) != 0) {
		free(col->base);
		col->base = NULL;
		p->is_damaged = true;
		if (c == PICTURE_MODSEQ)
			p->common = p->file.h.highest;
		if (c == PICTURE_KW)
			picture_spell_keywords(p);
	}
}

int
picture_load_all(struct picture *p)
{
	for (int c = 0; c < PICTURE_COLUMNS; c++)
		if (p->column[c].is_in_file)
			load_column(p, (enum picture_column)c);
	picture_load_names(p);
	return p->is_damaged ? ERR_CORRUPT : 0;
}

/* ---- columns ---------------------------------------------------------- */

static uint64_t
default_of(const struct picture *p, enum picture_column c)
{
	return c == PICTURE_MODSEQ ? p->common : 0;
}

uint64_t
picture_get(const struct picture *p, enum picture_column c,
    const struct msg *m)
{
	const struct column *col = &p->column[c];
	size_t i = (size_t)(m - p->msgs.v);

	if (i >= p->file_n) {
		i -= p->file_n;
		return i < col->late.n ? col->late.v[i] : default_of(p, c);
	}
	/* Reading it changes nothing that the caller can see. */
	if (col->is_in_file)
		load_column((struct picture *)(uintptr_t)p, c);
	return col->base != NULL ? col->base[i] : default_of(p, c);
}

static void
put_late(struct column *col, size_t i, uint64_t v, uint64_t none)
{
	if (i >= col->late.n && v == none)
		return;
	while (i >= col->late.n)
		VEC_PUSH(&col->late, none);
	col->late.v[i] = v;
}

void
picture_put(struct picture *p, enum picture_column c, const struct msg *m,
    uint64_t v)
{
	struct column *col = &p->column[c];
	uint64_t none = default_of(p, c);
	size_t i = (size_t)(m - p->msgs.v);

	if (i >= p->file_n) {
		put_late(col, i - p->file_n, v, none);
		return;
	}
	if (col->is_in_file)
		load_column(p, c);
	if (col->base == NULL) {
		if (v == none)
			return;
		col->base = mem_resize(NULL, p->file_n, sizeof(*col->base));
		for (size_t k = 0; k < p->file_n; k++)
			col->base[k] = none;
	}
	col->is_changed |= col->base[i] != v;
	col->base[i] = v;
}

void
picture_raise(struct picture *p, uint64_t modseq)
{
	struct column *col = &p->column[PICTURE_MODSEQ];

	free(col->base);
	col->base = NULL;
	VEC_DONE(&col->late);
	col->is_in_file = false;
	col->is_changed = true;
	p->common = modseq;
}

bool
has_picture_column(const struct picture *p, enum picture_column c)
{
	const struct column *col = &p->column[c];

	return col->is_in_file || col->base != NULL || col->late.n > 0;
}

/* ---- messages --------------------------------------------------------- */

size_t
picture_at(const struct picture *p, uint32_t uid)
{
	size_t lo = 0, hi = p->msgs.n;

	/* Most questions are about the last few, or go through all. */
	if (hi > 0 && p->msgs.v[hi - 1].uid < uid)
		return hi;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (p->msgs.v[mid].uid < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct msg *
picture_find(struct picture *p, uint32_t uid)
{
	size_t i = picture_at(p, uid);

	return i < p->msgs.n && p->msgs.v[i].uid == uid ? &p->msgs.v[i] : NULL;
}

struct msg *
picture_push(struct picture *p, const struct msg *m)
{
	VEC_PUSH(&p->msgs, *m);
	picture_names_pushed(p, &p->msgs.v[p->msgs.n - 1]);
	return &p->msgs.v[p->msgs.n - 1];
}

/* Numbers of messages that stay move to where those messages will be. */
static void
sweep_column(struct picture *p, struct column *col, size_t first)
{
	size_t n = first, k;

	for (size_t i = first; col->base != NULL && i < p->file_n; i++)
		if (!(p->msgs.v[i].state & MSG_GONE))
			col->base[n++] = col->base[i];
	k = first > p->file_n ? first - p->file_n : 0;
	for (size_t i = k; i < col->late.n; i++)
		if (!(p->msgs.v[p->file_n + i].state & MSG_GONE))
			col->late.v[k++] = col->late.v[i];
	if (col->late.n > k)
		col->late.n = k;
	if (first < p->file_n)
		col->is_changed = true;
}

static void
sweep_messages(struct picture *p, size_t first)
{
	size_t n = first, base = p->file_n < first ? p->file_n : first;

	for (size_t i = first; i < p->msgs.n; i++) {
		if (p->msgs.v[i].state & MSG_GONE) {
			picture_drop_name(p, &p->msgs.v[i]);
			continue;
		}
		base += i < p->file_n;
		p->msgs.v[n++] = p->msgs.v[i];
	}
	p->msgs.n = n;
	p->file_n = base;
}

void
picture_sweep(struct picture *p)
{
	size_t first = 0;

	while (first < p->msgs.n && !(p->msgs.v[first].state & MSG_GONE))
		first++;
	if (first == p->msgs.n)
		return;
	for (int c = 0; c < PICTURE_COLUMNS; c++) {
		if (p->column[c].is_in_file && first < p->file_n)
			load_column(p, (enum picture_column)c);
		sweep_column(p, &p->column[c], first);
	}
	sweep_messages(p, first);
	picture_sweep_fields(p);
}

/* ---- at rest ----------------------------------------------------------- */

void
picture_adopt(struct picture *p, struct indexfile *f, const uint32_t *names)
{
	struct picture now;

	picture_init(&now);
	now.msgs.v = p->msgs.v;
	now.msgs.n = p->msgs.n;
	now.msgs.cap = p->msgs.cap;
	p->msgs.v = NULL;
	for (size_t i = 0; i < now.msgs.n; i++)
		now.msgs.v[i].name = names[i];
	now.file = *f;
	*f = INDEXFILE_NONE;
	now.file_n = now.msgs.n;
	now.names_n = (uint32_t)now.file.section[INDEX_NAMES].n;
	now.common = now.file.h.common;
	now.file_last = now.msgs.n == 0 ? 0 : now.msgs.v[now.msgs.n - 1].uid;
	for (int c = 0; c < PICTURE_COLUMNS; c++)
		now.column[c].is_in_file =
		    now.file.section[section_of[c]].n > 0;
	if (picture_load_fields(&now) != 0)
		now.is_damaged = true;
	picture_done(p);
	*p = now;
}

void
picture_rest(struct picture *p)
{
	if (p->msgs.n < REST_MIN)
		return;
	picture_names_rest(p);
	for (int c = 0; c < PICTURE_COLUMNS; c++) {
		struct column *col = &p->column[c];

		if (col->base == NULL || col->is_changed ||
		    p->file.section[section_of[c]].n == 0)
			continue;
		free(col->base);
		col->base = NULL;
		col->is_in_file = true;
	}
	p->msgs.v = mem_resize(p->msgs.v, p->msgs.n, sizeof(*p->msgs.v));
	p->msgs.cap = p->msgs.n;
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}
