/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * The names of a picture.  Offsets below names_n are those of the index file,
 * the others lie in the pool behind them.
 */
#include <stdlib.h>

#include "base/enc.h"
#include "base/mem.h"
#include "maildir/crc32c.h"
#include "maildir/picture_names.h"

#define POOL_MAX	UINT32_MAX /* bytes of all names together */
#define WASTE_MIN	4096u	/* not worth tidying up */
#define ASK_MIN		32u	/* single questions to the file, and ... */
#define ASK_SHARE	64u	/* ... one more for so many messages */
#define CANDIDATES	8u		/* messages that a base may belong to */
#define FIELDS_SIZE	12u

void
picture_names_init(struct picture *p)
{
	buf_init(&p->pool, POOL_MAX);
}

static void
drop_table(struct picture *p)
{
	free(p->table);
	p->table = NULL;
	p->used = 0;
}

void
picture_names_done(struct picture *p)
{
	buf_done(&p->pool);
	free(p->names);
	p->names = NULL;
	drop_table(p);
}

/* ---- names of the file ------------------------------------------------- */

/* A file name that would lead out of cur/ becomes one that is not there. */
static void
blank_path(uint8_t *name, size_t n)
{
	if (has_byte(span_of(name, n), '/'))
		memset(name, 0, n);
}

void
picture_load_names(struct picture *p)
{
	if (p->names != NULL || p->names_n == 0)
		return;
	p->names = mem_alloc(p->names_n);
	if (indexfile_read(&p->file, INDEX_NAMES, p->names) != 0) {
		memset(p->names, 0, p->names_n);
		p->is_damaged = true;
		return;
	}
	for (size_t i = 0; i < p->msgs.n; i++)
		if (p->msgs.v[i].name < p->names_n)
			blank_path(p->names + p->msgs.v[i].name,
			    p->msgs.v[i].name_len);
}

static bool
is_asked_too_often(const struct picture *p, unsigned count)
{
	return count > ASK_MIN + p->msgs.n / ASK_SHARE;
}

/* One name that has not been read with the others: checked, too. */
static void
read_name(struct picture *p, const struct msg *m, struct namebuf *nb)
{
	size_t n = m->name_len;
	struct dec d = dec_init(span_of(nb->s + n, NAME_CHECK));

	if (indexfile_part(&p->file, INDEX_NAMES, m->name, nb->s,
	    n + NAME_CHECK) != 0 || dec_u32(&d) != crc32c(0, nb->s, n)) {
		memset(nb->s, 0, n);
		p->is_damaged = true;
	}
	blank_path(nb->s, n);
}

struct span
picture_name(const struct picture *cp, const struct msg *m,
    struct namebuf *nb)
{
	/* Reading changes nothing that the caller can see. */
	struct picture *p = (struct picture *)(uintptr_t)cp;

	if (m->name >= p->names_n)
		return span_of(p->pool.p + (m->name - p->names_n),
		    m->name_len);
	if (p->names == NULL && is_asked_too_often(p, ++p->asked))
		picture_load_names(p);
	if (p->names != NULL)
		return span_of(p->names + m->name, m->name_len);
	read_name(p, m, nb);
	return span_of(nb->s, m->name_len);
}

struct span
picture_base(const struct picture *p, const struct msg *m, struct namebuf *nb)
{
	return span_take(picture_name(p, m, nb), m->base_len);
}

const char *
picture_cname(const struct picture *p, const struct msg *m,
    struct namebuf *nb)
{
	struct span s = picture_name(p, m, nb);

	if (s.p != nb->s)
		memcpy(nb->s, s.p, s.n);
	nb->s[s.n] = '\0';
	return (const char *)nb->s;
}

void
picture_spell_keywords(struct picture *p)
{
	struct namebuf nb;
	struct name n;

	for (size_t i = 0; i < p->file_n; i++) {
		name_parse(picture_name(p, &p->msgs.v[i], &nb), &n);
		picture_put(p, PICTURE_KW, &p->msgs.v[i], n.lower);
	}
}

/* ---- names of our own -------------------------------------------------- */

int
picture_put_name(struct picture *p, struct span s, uint32_t *ret)
{
	uint64_t off = (uint64_t)p->names_n + p->pool.n;

	if (off + s.n > POOL_MAX)
		return ERR_LIMIT;
	buf_put_span(&p->pool, s);
	if (buf_err(&p->pool) != 0)
		return ERR_LIMIT;
	*ret = (uint32_t)off;
	return 0;
}

int
picture_add(struct picture *p, uint32_t uid, struct span file,
    struct msg **ret)
{
	struct msg m = {
		.uid = uid,
		.base_len = (uint8_t)name_base(file).n,
		.name_len = (uint8_t)file.n
	};
	int r = picture_put_name(p, file, &m.name);

	if (r == 0)
		*ret = picture_push(p, &m);
	return r;
}

static void
move_name(struct picture *p, struct buf *pool, uint32_t *off, size_t n)
{
	uint32_t to = p->names_n + (uint32_t)pool->n;

	if (*off < p->names_n)
		return;
	buf_put(pool, p->pool.p + (*off - p->names_n), n);
	*off = to;
}

/* A pool that is half waste is written anew. */
static void
tidy(struct picture *p)
{
	struct buf pool;

	if (p->waste < WASTE_MIN || p->waste < p->pool.n / 2)
		return;
	buf_init(&pool, POOL_MAX);
	(void)buf_room(&pool, p->pool.n);	/* waste is an estimate */
	for (size_t i = 0; i < p->msgs.n; i++)
		move_name(p, &pool, &p->msgs.v[i].name,
		    p->msgs.v[i].name_len);
	for (size_t i = 0; i < p->fields.n; i++)
		move_name(p, &pool, &p->fields.v[i].off, p->fields.v[i].len);
	buf_done(&p->pool);
	p->pool = pool;
	p->waste = 0;
}

void
picture_drop_name(struct picture *p, const struct msg *m)
{
	if (m->name >= p->names_n)
		p->waste += m->name_len;
}

int
picture_rename(struct picture *p, struct msg *m, struct span file)
{
	int r;

	if (m->name >= p->names_n && file.n <= m->name_len) {
		memmove(p->pool.p + (m->name - p->names_n), file.p, file.n);
		p->waste += (size_t)(m->name_len - file.n);
	} else {
		uint32_t off;

		if ((r = picture_put_name(p, file, &off)) != 0)
			return r;
		picture_drop_name(p, m);
		m->name = off;
	}
	m->name_len = (uint8_t)file.n;
	msg_clear(m, MSG_MISSED | MSG_MISSED_TWICE);
	tidy(p);
	return 0;
}

/* ---- fields ------------------------------------------------------------- */

int
picture_load_fields(struct picture *p)
{
	size_t n = (size_t)p->file.section[INDEX_FIELDS].n;
	uint32_t last = 0;
	uint8_t *text;
	struct dec d;
	int r;

	if (n == 0)
		return 0;
	text = mem_alloc(n);
	r = indexfile_read(&p->file, INDEX_FIELDS, text);
	d = dec_init(span_of(text, n));
	while (r == 0 && d.rest.n >= FIELDS_SIZE) {
		struct msg_fields f;

		f.uid = dec_u32(&d);
		f.off = dec_u32(&d);
		f.len = dec_u32(&d);
		if (f.uid <= last || (uint64_t)f.off + f.len > p->names_n)
			r = ERR_CORRUPT;
		VEC_PUSH(&p->fields, f);
		last = f.uid;
	}
	free(text);
	return r != 0 || d.rest.n != 0 ? ERR_CORRUPT : 0;
}

struct span
picture_fields(const struct picture *p, const struct msg *m)
{
	const struct msg_fields *f;
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
	f = &p->fields.v[lo];
	if (f->off >= p->names_n)
		return span_of(p->pool.p + (f->off - p->names_n), f->len);
	/* Whoever asks for these reads all, and a namebuf could not hold
	 * them. */
	picture_load_names((struct picture *)(uintptr_t)p);
	return p->is_damaged ? SPAN_NONE : span_of(p->names + f->off, f->len);
}

int
picture_set_fields(struct picture *p, struct msg *m, struct span fields)
{
	struct msg_fields f = { m->uid, 0, (uint32_t)fields.n };
	int r;

	if (fields.n == 0)
		return 0;
	r = picture_put_name(p, fields, &f.off);
	if (r != 0)
		return r;
	VEC_PUSH(&p->fields, f);
	msg_set(m, MSG_FIELDS);
	return 0;
}

void
picture_sweep_fields(struct picture *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->fields.n; i++) {
		const struct msg_fields *f = &p->fields.v[i];

		if (picture_find(p, f->uid) != NULL)
			p->fields.v[n++] = *f;
		else if (f->off >= p->names_n)
			p->waste += f->len;
	}
	p->fields.n = n;
	tidy(p);
}

/* ---- by base ------------------------------------------------------------ */

static void
table_put(struct picture *p, uint32_t hash, uint32_t uid)
{
	size_t i = hash & p->mask;

	while (p->table[i].uid != 0)
		i = (i + 1) & p->mask;
	p->table[i] = (struct picture_slot){ hash, uid };
	p->used++;
}

/* A table of all messages, or of those that the file does not know. */
static void
make_table(struct picture *p, bool is_whole)
{
	size_t first = is_whole ? 0 : picture_at(p, p->file_last + 1);
	size_t slots = 64;
	struct namebuf nb;

	drop_table(p);
	if (is_whole)
		picture_load_names(p);
	while (slots * 3 < (p->msgs.n - first) * 4 + 64)
		slots *= 2;
	p->table = mem_zalloc(slots * sizeof(*p->table));
	p->mask = slots - 1;
	p->is_table_whole = is_whole;
	for (size_t i = first; i < p->msgs.n; i++)
		table_put(p, name_hash(picture_base(p, &p->msgs.v[i], &nb)),
		    p->msgs.v[i].uid);
}

/* The message, if it has this base.  It may have left by now. */
static struct msg *
if_base(struct picture *p, uint32_t uid, struct span base)
{
	struct msg *m = picture_find(p, uid);
	struct namebuf nb;

	return m != NULL && is_span_eq(picture_base(p, m, &nb), base) ? m :
	    NULL;
}

static struct msg *
in_table(struct picture *p, uint32_t hash, struct span base)
{
	struct msg *m;

	for (size_t i = hash & p->mask; p->table[i].uid != 0;
	    i = (i + 1) & p->mask)
		if (p->table[i].hash == hash &&
		    (m = if_base(p, p->table[i].uid, base)) != NULL)
			return m;
	return NULL;
}

/* Can the file say which of its messages has this base, if any? */
static bool
can_ask_file(struct picture *p, uint32_t hash, struct span base,
    struct msg **ret)
{
	uint32_t uids[CANDIDATES];
	size_t n;

	*ret = NULL;
	if (p->file.fd < 0 || is_asked_too_often(p, ++p->looked) ||
	    indexfile_find(&p->file, hash, uids, CANDIDATES, &n) != 0)
		return false;
	for (size_t i = 0; *ret == NULL && i < n; i++)
		*ret = if_base(p, uids[i], base);
	return true;
}

struct msg *
picture_by_base(struct picture *p, struct span base)
{
	uint32_t hash = name_hash(base);
	struct msg *m;

	if (p->table == NULL || !p->is_table_whole) {
		if (!can_ask_file(p, hash, base, &m)) {
			make_table(p, true);
			return in_table(p, hash, base);
		}
		if (m != NULL)
			return m;
		if (p->table == NULL)
			make_table(p, false);
	}
	return in_table(p, hash, base);
}

void
picture_names_pushed(struct picture *p, const struct msg *m)
{
	struct namebuf nb;

	if (p->table == NULL)
		return;
	if ((p->used + 1) * 4 > (p->mask + 1) * 3)
		drop_table(p);
	else
		table_put(p, name_hash(picture_base(p, m, &nb)), m->uid);
}

void
picture_names_rest(struct picture *p)
{
	if (!p->is_damaged) {
		free(p->names);
		p->names = NULL;
	}
	drop_table(p);
	p->asked = p->looked = 0;
	if (p->pool.cap > p->pool.n + 1) {
		p->pool.cap = p->pool.n + 1;
		p->pool.p = mem_resize(p->pool.p, p->pool.cap, 1);
	}
}
