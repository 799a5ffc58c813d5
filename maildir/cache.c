/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * A value is looked for in a list of entries by UID, which is made when a kind
 * is first asked for: from the directories of its blocks, 8 bytes a value.
 * Values are read by windows of the file, which hold those of many messages if
 * they are asked for in order of UID.
 *
 * Others append meanwhile; that is looked for once between two flushes, if
 * something is missing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "maildir/cache.h"
#include "maildir/md.h"

#define WINDOW_MIN	(4u * 1024)
#define WINDOW_MAX	(128u * 1024)
#define PENDING_MAX	(24u * 1024 * 1024)	/* bytes of one write */
#define DAY_NOTE	7u	/* days until the last use is noted again */

void
cache_init(struct cache *c)
{
	*c = (struct cache){ .n = 0 };
	cachefile_init(&c->file);
}

void
cache_map_done(struct cache_map *m)
{
	VEC_DONE(&m->entries);
	m->blocks = m->at = 0;
}

/* Forget where values are. */
static void
forget(struct cache *c)
{
	cachefile_done(&c->file);
	for (unsigned i = 0; i < c->n; i++) {
		struct cache_kind *k = &c->kind[i];

		k->number = CACHE_NO_NUMBER;
		cache_map_done(&k->map);
		buf_clear(&k->window.bytes);
	}
}

void
cache_done(struct cache *c)
{
	forget(c);
	for (unsigned i = 0; i < c->n; i++) {
		free(c->kind[i].name);
		buf_done(&c->kind[i].window.bytes);
		cachebatch_done(&c->kind[i].batch);
	}
	c->n = c->nmany = 0;
}

uint32_t
cache_today(void)
{
	return md_seconds() / (24 * 60 * 60);
}

uint32_t
cache_days(uint32_t day)
{
	uint32_t today = cache_today();

	return day > today ? UINT32_MAX : today - day;
}

/* ---- where values are ----------------------------------------------- */

/* Of entries of one UID the one written last comes last. */
static int
entry_cmp(const void *a, const void *b)
{
	const struct cache_entry *x = a, *y = b;

	if (x->uid != y->uid)
		return x->uid < y->uid ? -1 : 1;
	if (x->block != y->block)
		return x->block < y->block ? -1 : 1;
	return x->off < y->off ? -1 : x->off > y->off;
}

/* In order, of each UID the last; how many there are then. */
static size_t
sort(struct cache_entry *e, size_t n)
{
	size_t left = 0;

	qsort(e, n, sizeof(*e), entry_cmp);
	for (size_t i = 0; i < n; i++)
		if (i + 1 == n || e[i].uid != e[i + 1].uid)
			e[left++] = e[i];
	return left;
}

/* The first entries are in order, those behind have just come: of a million, or
 * of a message that was read again.  From the end, so that little is moved. */
static void
merge(struct cache_map *m, size_t first)
{
	struct cache_entry *e = m->entries.v, *late;
	size_t n = m->entries.n, k = sort(e + first, n - first), i = first,
	    to = n;

	late = mem_alloc(k * sizeof(*late));
	memcpy(late, e + first, k * sizeof(*late));
	while (k > 0) {
		if (i > 0 && e[i - 1].uid > late[k - 1].uid) {
			e[--to] = e[--i];
			continue;
		}
		if (i > 0 && e[i - 1].uid == late[k - 1].uid)
			i--;		/* it is replaced */
		e[--to] = late[--k];
	}
	memmove(e + i, e + to, (n - to) * sizeof(*e));
	m->entries.n = i + n - to;
	m->at = 0;
	free(late);
}

void
cache_map(const struct cachefile *f, unsigned number, struct cache_map *m)
{
	size_t first = m->entries.n;
	bool is_sorted = true;
	uint32_t *v = NULL;

	for (; m->blocks < f->blocks.n; m->blocks++) {
		const struct cachefile_block *b = &f->blocks.v[m->blocks];

		if (b->kind != number || b->count == 0 ||
		    m->entries.n + b->count > CACHE_ENTRIES_MAX)
			continue;
		v = mem_resize(v, b->count, 2 * sizeof(*v));
		if (cachefile_entries(f, m->blocks, v) != 0)
			continue;
		for (size_t i = 0; i < b->count; i++) {
			const struct cache_entry e = {
				v[2 * i], (uint32_t)m->blocks, v[2 * i + 1]
			};

			is_sorted = is_sorted && (m->entries.n == 0 || e.uid >
			    m->entries.v[m->entries.n - 1].uid);
			VEC_PUSH(&m->entries, e);
		}
	}
	free(v);
	if (!is_sorted)
		merge(m, first);
}

const struct cache_entry *
cache_map_find(struct cache_map *m, uint32_t uid)
{
	const struct cache_entry *e = m->entries.v;
	size_t lo = 0, hi = m->entries.n;

	/* Most often it is the one behind the last. */
	if (m->at < hi && e[m->at].uid < uid)
		m->at++;
	if (m->at < hi && e[m->at].uid == uid)
		return &e[m->at];
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (e[mid].uid < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == m->entries.n || e[lo].uid != uid)
		return NULL;
	m->at = lo;
	return &e[lo];
}

/* ---- values --------------------------------------------------------- */

/* What of the window is at off. */
static struct span
window_at(const struct cache_window *w, uint64_t off)
{
	if (off < w->off || off - w->off >= w->bytes.n)
		return SPAN_NONE;
	return span_skip(buf_span(&w->bytes), (size_t)(off - w->off));
}

static int
move_window(const struct cachefile *f, struct cache_window *w, uint64_t off,
    size_t n)
{
	uint8_t *p;
	size_t got;
	int r;

	buf_clear(&w->bytes);
	p = buf_room(&w->bytes, n);
	if (p == NULL)
		return ERR_LIMIT;
	r = cachefile_read(f, off, p, n, &got);
	if (r == 0)
		w->bytes.n = got;
	w->off = off;
	return r;
}

bool
has_cache_value(const struct cachefile *f, struct cache_window *w,
    unsigned number, const struct cache_entry *e, struct span *ret)
{
	const struct cachefile_block *b = &f->blocks.v[e->block];
	uint64_t off = b->off + e->off;
	size_t max = b->n - e->off, n = 0;
	bool is_next = off >= w->off && off - w->off <= w->bytes.n + WINDOW_MIN;
	int r;

	r = cachefile_value(f, span_take(window_at(w, off), max), number,
	    e->uid, ret, &n);
	if (r == ERR_LIMIT && n <= max) {
		/* Into the next blocks, too: they may be of this kind. */
		size_t want = is_next ? WINDOW_MAX : WINDOW_MIN;

		if (want < n)
			want = n;
		r = move_window(f, w, off, want);
		if (r == 0)
			r = cachefile_value(f, span_take(window_at(w, off),
			    max), number, e->uid, ret, &n);
		if (r == ERR_LIMIT && n > want && n <= max) {
			r = move_window(f, w, off, n);
			if (r == 0)
				r = cachefile_value(f, window_at(w, off),
				    number, e->uid, ret, &n);
		}
	}
	return r == 0;
}

/* ---- kinds ---------------------------------------------------------- */

static int
find_kind(struct maildir *md, struct span name, bool is_one_of_many,
    unsigned *ret)
{
	struct cache *c = &md->cache;
	struct cache_kind *k;

	for (unsigned i = 0; i < c->n; i++)
		if (is_span_eq(span_str(c->kind[i].name), name)) {
			*ret = i;
			return 0;
		}
	if (c->n == MAILDIR_KINDS_MAX || (is_one_of_many &&
	    c->nmany == MAILDIR_MANY_KINDS_MAX) || name.n == 0 ||
	    name.n > MAILDIR_KIND_NAME_MAX || has_byte(name, 0))
		return ERR_LIMIT;
	k = &c->kind[c->n];
	*k = (struct cache_kind){ .number = CACHE_NO_NUMBER,
	    .is_one_of_many = is_one_of_many };
	c->nmany += is_one_of_many;
	k->name = mem_dup(name.p, name.n);
	buf_init(&k->window.bytes, CACHE_BLOCK_MAX);
	cachebatch_init(&k->batch);
	*ret = c->n++;
	return 0;
}

int
maildir_kind(struct maildir *md, struct span name, unsigned *ret)
{
	return find_kind(md, name, false, ret);
}

int
maildir_one_of_many_kinds(struct maildir *md, struct span name, unsigned *ret)
{
	return find_kind(md, name, true, ret);
}

/* What number does the file give to it? */
static void
find_number(const struct cachefile *f, struct cache_kind *k)
{
	for (unsigned i = 0; i < CACHE_KINDS &&
	    k->number == CACHE_NO_NUMBER; i++)
		if (f->kind[i].name != NULL &&
		    strcmp(f->kind[i].name, k->name) == 0)
			k->number = i;
}

/* Look for the file, or for what others have appended. */
static int
look(struct maildir *md)
{
	struct cache *c = &md->cache;
	int r = 0;

	c->is_looked = true;
	if (c->is_void)
		return ERR_UNAVAIL;
	if (c->file.fd >= 0 && cachefile_update(&c->file) != 0)
		forget(c);
	if (c->file.fd < 0)
		r = cachefile_open(&c->file, md->box.control,
		    md->ul.uidvalidity);
	if (r == ERR_CORRUPT && !md->is_memory_only)
		md_note(md, CACHE_FILE, err_text(r));
	return r;
}

static const struct cache_entry *
find(struct cache *c, struct cache_kind *k, uint32_t uid)
{
	find_number(&c->file, k);
	if (k->number == CACHE_NO_NUMBER)
		return NULL;
	cache_map(&c->file, k->number, &k->map);
	return cache_map_find(&k->map, uid);
}

bool
has_maildir_value(struct maildir *md, unsigned kind, uint32_t uid,
    struct span *ret)
{
	struct cache *c = &md->cache;
	struct cache_kind *k = &c->kind[kind];
	const struct cache_entry *e = find(c, k, uid);

	k->is_used = true;
	if (e == NULL && !c->is_looked) {
		(void)look(md);		/* what is not found is made again */
		e = find(c, k, uid);
	}
	return e != NULL && has_cache_value(&c->file, &k->window, k->number,
	    e, ret);
}

/* ---- keeping -------------------------------------------------------- */

/* Those that are one of many have numbers of their own, so that there is one
 * left for each of the others. */
static unsigned
new_number(const struct cachefile *f, bool is_one_of_many)
{
	unsigned i = is_one_of_many ? CACHE_MANY_FROM : 0;
	unsigned end = is_one_of_many ? CACHE_KINDS : CACHE_MANY_FROM;

	while (i < end && (f->kind[i].name != NULL || f->kind[i].count > 0))
		i++;
	return i == end ? CACHE_NO_NUMBER : i;
}

/* A number for a kind that has none, and the day on which it was used. */
static void
put_kind(struct cache *c, struct cache_kind *k, struct buf *out)
{
	struct cachefile *f = &c->file;
	uint32_t today = cache_today();

	find_number(f, k);
	if (k->number == CACHE_NO_NUMBER) {
		if (k->batch.count == 0)
			return;
		k->number = new_number(f, k->is_one_of_many);
		if (k->number == CACHE_NO_NUMBER)
			return;		/* until others are dropped */
		/* Known before it is read again, for the next one. */
		f->kind[k->number].name = mem_strdup(k->name);
	} else if (!k->is_used || cache_days(f->kind[k->number].day) < DAY_NOTE)
		return;
	cachefile_put_kind(f, out, k->number, span_str(k->name), today);
	f->kind[k->number].day = today;
}

/* All that is to be written, into the file, which is locked. */
static int
write_all(struct cache *c)
{
	struct buf out;
	int r;

	buf_init(&out, PENDING_MAX);
	for (unsigned i = 0; i < c->n; i++) {
		struct cache_kind *k = &c->kind[i];

		put_kind(c, k, &out);
		if (k->number != CACHE_NO_NUMBER)
			cachefile_put_block(&c->file, &out, k->number,
			    &k->batch);
	}
	r = buf_err(&out);
	if (r == 0 && out.n > 0)
		r = cachefile_append(&c->file, buf_span(&out));
	buf_done(&out);
	return r;
}

static int
write_new(struct maildir *md)
{
	struct cache *c = &md->cache;
	int r;

	forget(c);
	c->file.generation = unique_bits(&md->store->unique) | 1;
	r = cachefile_create(&c->file, md->box.control, md->box.file_mode,
	    md->ul.uidvalidity);
	if (r == 0)
		r = write_all(c);
	if (r == 0)
		r = cachefile_show(&c->file, md->box.control);
	if (c->file.fd >= 0)
		cachefile_unlock(&c->file);
	return r;
}

/* Is there anything to write? */
static bool
has_pending(const struct cache *c)
{
	for (unsigned i = 0; i < c->n; i++) {
		const struct cache_kind *k = &c->kind[i];

		if (k->batch.count > 0 || (k->is_used &&
		    k->number != CACHE_NO_NUMBER &&
		    cache_days(c->file.kind[k->number].day) >= DAY_NOTE))
			return true;
	}
	return false;
}

/* There is no file, or none of which anything can come: no link, for instance.
 * One that cannot be read just now is not among them. */
static bool
is_useless(int r)
{
	return r == ERR_NOENT || r == ERR_GONE || r == ERR_CORRUPT ||
	    r == ERR_ACCESS;
}

static int
write_pending(struct maildir *md)
{
	struct cache *c = &md->cache;
	int r = c->file.fd < 0 ? look(md) : 0;

	if (r == 0)
		r = cachefile_lock(&c->file, md->box.control);
	if (r == ERR_GONE) {		/* it was replaced */
		forget(c);
		r = look(md);
		if (r == 0)
			r = cachefile_lock(&c->file, md->box.control);
	}
	if (r == 0) {
		r = write_all(c);
		cachefile_unlock(&c->file);
	}
	return is_useless(r) ? write_new(md) : r;
}

/* Nothing is pending any more, and more may have come into the file. */
static void
clear(struct cache *c)
{
	for (unsigned i = 0; i < c->n; i++) {
		struct cachebatch *b = &c->kind[i].batch;

		buf_clear(&b->entries);
		buf_clear(&b->values);
		b->count = 0;
		/* What is behind the end may be cut off and written anew. */
		buf_clear(&c->kind[i].window.bytes);
		c->kind[i].is_used = false;
	}
	c->is_looked = false;
}

/* Values that were asked for are still used: their bytes stay where they are.
 */
static void
flush(struct maildir *md)
{
	struct cache *c = &md->cache;

	if (has_pending(c) && !md->is_memory_only && write_pending(md) != 0)
		forget(c);
	clear(c);
}

void
maildir_keep(struct maildir *md, unsigned kind, uint32_t uid,
    struct span value)
{
	struct cache_kind *k = &md->cache.kind[kind];

	if (value.n > cache_value_max(uid) || md->is_memory_only)
		return;
	cachebatch_put(&k->batch, uid, value);
	if (k->batch.values.n >= CACHE_BLOCK)
		flush(md);
}

void
maildir_keep_flush(struct maildir *md)
{
	struct cache *c = &md->cache;

	flush(md);
	for (unsigned i = 0; i < c->n; i++) {
		struct cache_kind *k = &c->kind[i];

		buf_done(&k->window.bytes);
		buf_init(&k->window.bytes, CACHE_BLOCK_MAX);
		cachebatch_done(&k->batch);
		cachebatch_init(&k->batch);
	}
}

void
cache_void(struct maildir *md)
{
	struct cache *c = &md->cache;

	forget(c);
	clear(c);
	c->is_void = unlinkat(md->box.control, CACHE_FILE, 0) != 0 &&
	    errno != ENOENT;
}

void
cache_rest(struct maildir *md)
{
	struct cache *c = &md->cache;

	maildir_keep_flush(md);
	if (c->file.fd >= 0)
		cache_compact(md);
	forget(c);
}
