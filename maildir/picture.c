/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <malloc.h>
#include <stdlib.h>

#include "base/fdio.h"
#include "base/mem.h"
#include "maildir/name.h"
#include "maildir/picture.h"
#include "maildir/scan.h"

#define WASTE_MIN	4096u	/* not worth tidying up */
#define SETTLE_MIN	256u	/* messages */

void
picture_init(struct picture *p)
{
	*p = (struct picture){ .names_fd = -1 };
	buf_init(&p->pool, SCAN_POOL_MAX);
}

void
picture_names_later(struct picture *p, int fd, uint64_t off, uint32_t n)
{
	p->names_fd = fd;
	p->names_off = off;
	p->names_len = n;
}

/* No check covers the names: one that would lead out of cur/ becomes one that
 * is not found. */
static void
blank_paths(struct picture *p)
{
	for (size_t i = 0; i < p->msgs.n; i++) {
		uint8_t *name = p->pool.p + p->msgs.v[i].name;

		if (has_byte(span_of(name, p->msgs.v[i].name_len), '/'))
			memset(name, 0, p->msgs.v[i].name_len);
	}
}

void
picture_load_names(struct picture *p)
{
	uint8_t *to = p->names_len == 0 ? NULL :
	    buf_room(&p->pool, p->names_len);
	size_t n = 0;

	if (to != NULL) {
		if (fdio_pread(p->names_fd, to, p->names_len, p->names_off,
		    &n) != 0)
			n = 0;
		memset(to + n, 0, p->names_len - n);
		p->pool.n = p->names_len;
		blank_paths(p);
	}
	fdio_close(&p->names_fd);
}

static void
drop_table(struct picture *p)
{
	free(p->table);
	p->table = NULL;
	p->used = 0;
}

void
picture_done(struct picture *p)
{
	VEC_DONE(&p->msgs);
	VEC_DONE(&p->fields);
	buf_done(&p->pool);
	fdio_close(&p->names_fd);
	drop_table(p);
}

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

static void
table_put(struct picture *p, uint32_t hash, uint32_t uid)
{
	size_t i = hash & p->mask;

	while (p->table[i].uid != 0)
		i = (i + 1) & p->mask;
	p->table[i] = (struct picture_slot){ hash, uid };
	p->used++;
}

static void
make_table(struct picture *p)
{
	size_t slots = 64;

	drop_table(p);
	while (slots * 3 < p->msgs.n * 4 + 64)
		slots *= 2;
	p->table = mem_zalloc(slots * sizeof(*p->table));
	p->mask = slots - 1;
	for (size_t i = 0; i < p->msgs.n; i++)
		table_put(p, name_hash(picture_base(p, &p->msgs.v[i])),
		    p->msgs.v[i].uid);
}

struct msg *
picture_by_base(struct picture *p, struct span base)
{
	uint32_t hash = name_hash(base);

	if (p->table == NULL)
		make_table(p);
	for (size_t i = hash & p->mask; p->table[i].uid != 0;
	    i = (i + 1) & p->mask) {
		struct msg *m;

		if (p->table[i].hash != hash)
			continue;
		/* The message may have left; its slot stays. */
		m = picture_find(p, p->table[i].uid);
		if (m != NULL && is_span_eq(picture_base(p, m), base))
			return m;
	}
	return NULL;
}

struct msg *
picture_push(struct picture *p, const struct msg *m)
{
	VEC_PUSH(&p->msgs, *m);
	if (p->table != NULL) {
		if ((p->used + 1) * 4 > (p->mask + 1) * 3)
			drop_table(p);
		else
			table_put(p, name_hash(picture_base(p, m)), m->uid);
	}
	return &p->msgs.v[p->msgs.n - 1];
}

int
picture_add(struct picture *p, uint32_t uid, struct span file,
    struct msg **ret)
{
	struct msg m = {
		.uid = uid,
		.name = (uint32_t)picture_pool(p)->n,
		.base_len = (uint8_t)name_base(file).n,
		.name_len = (uint8_t)file.n
	};

	buf_put_span(&p->pool, file);
	if (buf_err(&p->pool) != 0)
		return ERR_LIMIT;
	*ret = picture_push(p, &m);
	return 0;
}

static void
move_names(struct picture *p, struct buf *pool)
{
	for (size_t i = 0; i < p->msgs.n; i++) {
		struct msg *m = &p->msgs.v[i];
		uint32_t off = (uint32_t)pool->n;

		buf_put_span(pool, picture_name(p, m));
		m->name = off;
	}
	for (size_t i = 0; i < p->fields.n; i++) {
		struct msg_fields *f = &p->fields.v[i];
		uint32_t off = (uint32_t)pool->n;

		buf_put(pool, p->pool.p + f->off, f->len);
		f->off = off;
	}
}

/* A pool that is half waste is written anew. */
static void
tidy(struct picture *p)
{
	struct buf pool;

	if (p->names_fd >= 0 || p->waste < WASTE_MIN ||
	    p->waste < p->pool.n / 2)
		return;
	buf_init(&pool, SCAN_POOL_MAX);
	(void)buf_room(&pool, p->pool.n - p->waste + 1);
	move_names(p, &pool);
	buf_done(&p->pool);
	p->pool = pool;
	p->waste = 0;
}

int
picture_rename(struct picture *p, struct msg *m, struct span file)
{
	struct buf *pool = picture_pool(p);

	if (file.n <= m->name_len) {
		memmove(pool->p + m->name, file.p, file.n);
		p->waste += (size_t)(m->name_len - file.n);
	} else {
		uint32_t off = (uint32_t)pool->n;

		buf_put_span(pool, file);
		if (buf_err(pool) != 0)
			return ERR_LIMIT;
		p->waste += m->name_len;
		m->name = off;
	}
	m->name_len = (uint8_t)file.n;
	m->missed = 0;
	tidy(p);
	return 0;
}

struct span
picture_fields(const struct picture *p, const struct msg *m)
{
	size_t lo = 0, hi = p->fields.n;

	if (!(m->state & MSG_FIELDS))
		return SPAN_NONE;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (p->fields.v[mid].uid < m->uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == p->fields.n || p->fields.v[lo].uid != m->uid)
		return SPAN_NONE;
	return span_of(picture_pool(p)->p + p->fields.v[lo].off,
	    p->fields.v[lo].len);
}

int
picture_set_fields(struct picture *p, struct msg *m, struct span fields)
{
	struct msg_fields f = {
		m->uid, (uint32_t)picture_pool(p)->n, (uint32_t)fields.n
	};

	if (fields.n == 0)
		return 0;
	buf_put_span(&p->pool, fields);
	if (buf_err(&p->pool) != 0)
		return ERR_LIMIT;
	VEC_PUSH(&p->fields, f);
	m->state |= MSG_FIELDS;
	return 0;
}

void
picture_settle(struct picture *p)
{
	if (p->msgs.n < SETTLE_MIN)
		return;
	p->msgs.v = mem_resize(p->msgs.v, p->msgs.n, sizeof(*p->msgs.v));
	p->msgs.cap = p->msgs.n;
	p->pool.p = mem_resize(p->pool.p, p->pool.n, 1);
	p->pool.cap = p->pool.n;
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}

void
picture_sweep(struct picture *p)
{
	size_t n = 0, nf = 0;

	for (size_t i = 0; i < p->msgs.n; i++) {
		struct msg *m = &p->msgs.v[i];

		while (nf < p->fields.n && p->fields.v[nf].uid < m->uid)
			nf++;
		if (m->state & MSG_GONE) {
			p->waste += m->name_len;
			if (nf < p->fields.n && p->fields.v[nf].uid == m->uid) {
				p->waste += p->fields.v[nf].len;
				p->fields.v[nf].len = 0;
			}
			continue;
		}
		p->msgs.v[n++] = *m;
	}
	p->msgs.n = n;
	for (size_t i = nf = 0; i < p->fields.n; i++)
		if (p->fields.v[i].len > 0)
			p->fields.v[nf++] = p->fields.v[i];
	p->fields.n = nf;
	tidy(p);
}
