/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * FORMAT of the file subscriptions, at the top (with the control files)
 *	version 2 = "V" TAB "2" LF LF *( level *( TAB level ) LF )
 *	version 1 = *( name LF )	levels joined by the layout's separator
 * Names are in storage form (foldername.h).  In version 2, byte 01 escapes:
 * 01 "t" is TAB, "n" LF, "r" CR, "0" NUL, "1" 01, else the byte itself.  A file
 * of version 1 stays one.  Where there is none, Courier's courierimapsubscribed
 * is read.
 *
 * Changed under subscriptions.lock, which becomes the new file by rename.
 *
 * CRASH STATES
 *	subscriptions.lock	overridden after 30 seconds, or at once if its
 *				process is gone; the file is the old one
 */
#include <sys/stat.h>

#include <stdlib.h>
#include <unistd.h>

#include "base/mutf7.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "maildir/foldername.h"
#include "maildir/lock.h"
#include "maildir/replace.h"
#include "maildir/store.h"
#include "maildir/subs.h"

#define FILE_NAME	"subscriptions"
#define LOCK_NAME	"subscriptions.lock"
#define COURIER_NAME	"courierimapsubscribed"
#define HEADER		SPAN("V\t2\n\n")
#define FILE_MAX	(16u * 1024 * 1024)
#define LINE_MAX_BYTES	65536u
#define STALE_MS	30000u

struct subs {
	struct maildir_store *store;
	struct buf text;	/* the file as it is */
	bool is_v1;
	bool is_courier;	/* Courier's, in its own form */
};

static int
load(struct subs *s, struct maildir_store *store)
{
	int r;

	*s = (struct subs){ .store = store };
	buf_init(&s->text, FILE_MAX);
	r = replace_read(store->control, FILE_NAME, &s->text);
	if (r == 0)
		s->is_v1 = !has_prefix(buf_span(&s->text), HEADER);
	if (r == ERR_NOENT) {
		r = replace_read(store->root, COURIER_NAME, &s->text);
		s->is_courier = r == 0;
	}
	/* None subscribed, or no disk to read of it from? */
	return r == ERR_NOENT ? store_check(store) : r;
}

static struct span
lines(const struct subs *s)
{
	struct span all = buf_span(&s->text);

	return s->is_v1 || s->is_courier ? all : span_skip(all, HEADER.n);
}

/* ---- one line to a path ---------------------------------------------- */

static uint8_t
unescape(uint8_t c)
{
	switch (c) {
	case '0':
		return '\0';
	case '1':
		return 1;
	case 't':
		return '\t';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	default:
		return c;
	}
}

static int
get_stored(const struct subs *s, struct span line, struct arena *arena,
    struct maildir_path *ret)
{
	uint8_t sep = s->store->conf.layout == MAILDIR_FS ? '/' : '.';
	struct buf b;
	int r;

	buf_init(&b, LINE_MAX_BYTES);
	for (size_t i = 0; i < line.n; i++) {
		uint8_t c = line.p[i];

		if (!s->is_v1 && c == 1 && i + 1 < line.n)
			c = unescape(line.p[++i]);
		else if (!s->is_v1 && c == '\t')
			c = sep;
		buf_putc(&b, c);
	}
	r = buf_err(&b) != 0 ? ERR_NAME :
	    foldername_get(&s->store->conf, buf_span(&b), arena, ret);
	buf_done(&b);
	return r;
}

/* INBOX.Foo.Bar in UTF-8, before Courier 5 in modified UTF-7.  A name that we
 * could not write down is left out: it can be none of our mailboxes. */
static int
get_courier(const struct subs *s, struct span line, struct arena *arena,
    struct maildir_path *ret)
{
	struct span level[MAILDIR_LEVELS_MAX], *copy;
	struct maildir_path path = { level, 0 };
	struct buf b;
	size_t n = 0;
	int r = 0;

	if (!has_iprefix(line, SPAN("INBOX.")))
		return ERR_NAME;	/* other people's */
	line = span_skip(line, 6);
	buf_init(&b, LINE_MAX_BYTES);
	while (r == 0 && line.p != NULL) {
		struct span part = span_split(&line, '.');

		buf_clear(&b);
		if (part.n == 0 || n == MAILDIR_LEVELS_MAX)
			r = ERR_NAME;
		else if (mutf7_get(part, &b) == 0)
			part = buf_span(&b);
		if (!is_utf8(part))
			r = ERR_NAME;
		if (r == 0)
			level[n++] = arena_dup(arena, part);
	}
	path.n = n;
	buf_clear(&b);
	if (r == 0)
		r = foldername_put(&s->store->conf, &path, &b);
	buf_done(&b);
	if (r != 0)
		return r;
	copy = arena_array(arena, n, sizeof(*copy));
	memcpy(copy, level, n * sizeof(*copy));
	*ret = (struct maildir_path){ copy, n };
	return 0;
}

static int
get_line(const struct subs *s, struct span line, struct arena *arena,
    struct maildir_path *ret)
{
	static const struct span inbox = SPAN("INBOX");

	if (is_span_ieq(line, inbox)) {
		*ret = (struct maildir_path){ &inbox, 1 };
		return 0;
	}
	return s->is_courier ? get_courier(s, line, arena, ret) :
	    get_stored(s, line, arena, ret);
}

/* ---- a path to a line ------------------------------------------------ */

/* On an error b is as it was. */
/* The character behind 01 for a byte that cannot stand for itself; or 0. */
static uint8_t
escape_of(uint8_t c)
{
	switch (c) {
	case '\0':
		return '0';
	case 1:
		return '1';
	case '\t':
		return 't';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	default:
		return 0;
	}
}

/* A level in storage form.  A directory of others may have any byte in its name
 * (foldername.h), and only version 2 can write all of them. */
static int
put_level(const struct subs *s, struct span stored, struct buf *b)
{
	for (size_t i = 0; i < stored.n; i++) {
		uint8_t escape = escape_of(stored.p[i]);

		if (escape != 0 && s->is_v1)
			return ERR_NAME;
		if (escape != 0)
			buf_putc(b, 1);
		buf_putc(b, escape != 0 ? escape : stored.p[i]);
	}
	return 0;
}

static int
put_line(const struct subs *s, const struct maildir_path *path, struct buf *b)
{
	size_t before = b->n;
	uint8_t sep = !s->is_v1 ? '\t' :
	    s->store->conf.layout == MAILDIR_FS ? '/' : '.';
	struct buf stored;
	int r = 0;

	buf_init(&stored, LINE_MAX_BYTES);
	for (size_t i = 0; r == 0 && i < path->n; i++) {
		if (i > 0)
			buf_putc(b, sep);
		buf_clear(&stored);
		r = foldername_level(&s->store->conf, path->level[i], i == 0,
		    &stored);
		if (r == 0)
			r = put_level(s, buf_span(&stored), b);
	}
	buf_done(&stored);
	buf_putc(b, '\n');
	if (r != 0)
		b->n = before;
	return r;
}

/* ---- the calls ------------------------------------------------------- */

static int
path_cmp(const void *a, const void *b)
{
	const struct maildir_path *pa = a, *pb = b;

	for (size_t i = 0; i < pa->n && i < pb->n; i++) {
		int c = span_cmp(pa->level[i], pb->level[i]);

		if (c != 0)
			return c;
	}
	return pa->n < pb->n ? -1 : pa->n > pb->n;
}

int
maildir_subscriptions(struct maildir_store *store, struct arena *arena,
    struct maildir_path **ret, size_t *ret_n)
{
	VEC(struct maildir_path) v = VEC_INIT;
	struct subs s;
	struct span rest;
	size_t n = 0;
	int r = load(&s, store);

	if (r != 0)
		goto done;
	rest = lines(&s);
	while (rest.n > 0) {
		struct span line = span_split(&rest, '\n');
		struct maildir_path path;

		if (line.n > 0 && get_line(&s, line, arena, &path) == 0)
			VEC_PUSH(&v, path);
	}
	if (v.n > 1)
		qsort(v.v, v.n, sizeof(*v.v), path_cmp);
	for (size_t i = 0; i < v.n; i++)
		if (n == 0 || path_cmp(&v.v[n - 1], &v.v[i]) != 0)
			v.v[n++] = v.v[i];
	*ret = arena_array(arena, n + 1, sizeof(**ret));
	if (n > 0)
		memcpy(*ret, v.v, n * sizeof(**ret));
	*ret_n = n;
done:
	VEC_DONE(&v);
	buf_done(&s.text);
	return r;
}

struct subs_line {
	struct maildir_path path;
	size_t number;
};

static int
subs_line_cmp(const void *a, const void *b)
{
	const struct subs_line *la = a, *lb = b;
	int c = path_cmp(&la->path, &lb->path);

	return c != 0 ? c : la->number < lb->number ? -1 : 1;
}

int
subs_check(struct maildir_store *store,
    void (*found)(void *arg, size_t line, int err), void *arg)
{
	struct arena *arena = arena_new(4096);
	VEC(struct subs_line) v = VEC_INIT;
	struct subs s;
	struct span rest;
	int r = load(&s, store);

	if (r != 0)
		goto done;
	rest = lines(&s);
	/* The header of version 2 is two lines. */
	for (size_t n = s.is_v1 || s.is_courier ? 1 : 3; rest.n > 0; n++) {
		struct span line = span_split(&rest, '\n');
		struct subs_line sl = { .number = n };

		if (line.n > 0 && get_line(&s, line, arena, &sl.path) == 0)
			VEC_PUSH(&v, sl);
		else if (!s.is_courier)
			found(arg, n, ERR_NAME);
	}
	if (v.n > 1)
		qsort(v.v, v.n, sizeof(*v.v), subs_line_cmp);
	for (size_t i = 1; i < v.n; i++)
		if (path_cmp(&v.v[i - 1].path, &v.v[i].path) == 0)
			found(arg, v.v[i].number, ERR_EXISTS);
done:
	VEC_DONE(&v);
	arena_free(arena);
	buf_done(&s.text);
	return r;
}

/*
 * The text with path added or taken out; *ret_changed: it differs.  Lines that
 * we cannot read are kept as they are.
 */
static int
edit(struct subs *s, const struct maildir_path *path, bool on, struct buf *out,
    bool *ret_changed)
{
	struct arena *arena = arena_new(4096);
	struct span rest = lines(s);
	bool was_on = false;
	int r = 0;

	if (!s->is_v1)
		buf_put_span(out, HEADER);
	while (r == 0 && rest.n > 0) {
		struct span line = span_split(&rest, '\n');
		struct maildir_path p;
		int bad = get_line(s, line, arena, &p);

		if (bad == 0 && path_cmp(&p, path) == 0) {
			was_on = true;
			if (!on)
				continue;
		}
		if (!s->is_courier) {
			buf_put_span(out, line);
			buf_putc(out, '\n');
		} else if (bad == 0 && put_line(s, &p, out) != 0) {
			continue;	/* no name that we can keep */
		}
	}
	if (r == 0 && on && !was_on)
		r = put_line(s, path, out);
	*ret_changed = on != was_on;
	arena_free(arena);
	return r != 0 ? r : buf_err(out);
}

int
maildir_subscribe(struct maildir_store *store, const struct maildir_path *path,
    bool on)
{
	const struct lock_what what = {
		store->control, LOCK_NAME, NULL, 0600, STALE_MS
	};
	struct lock lk;
	struct subs s;
	struct buf out;
	struct stat st;
	bool changed;
	int r;

	r = maildir_path_check(store, path);
	if (r == 0)
		r = lock_take(&lk, &what, &store->unique,
		    deadline_in(store->conf.lock_ms));
	if (r != 0)
		return store_err(store, r);
	buf_init(&out, FILE_MAX);
	r = load(&s, store);
	if (r == 0)
		r = edit(&s, path, on, &out, &changed);
	if (r == 0 && changed) {
		r = lock_check(&lk);
		if (r == 0)
			r = replace_file(store->control, FILE_NAME, LOCK_NAME,
			    fstat(store->root, &st) == 0 ?
			    mode_for_file(st.st_mode) : 0600, buf_span(&out),
			    store->conf.fsync);
		if (r == 0)
			lk = LOCK_NONE;		/* it is the file now */
	}
	lock_drop(&lk);
	buf_done(&s.text);
	buf_done(&out);
	return r;
}
