/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Messages on their way in: streamed to tmp/, synced, then, under the lock of
 * the mailbox, recorded and renamed into view.
 *
 * CRASH STATES
 *	a file in tmp/		removed by whoever cleans tmp/, after 36 hours
 *	after that		see deposit.h
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/mem.h"
#include "base/vec.h"
#include "maildir/deposit.h"
#include "maildir/replace.h"
#include "maildir/step.h"

#define OUT_MAX		(64u * 1024)
#define MESSAGES_MAX	100000u		/* in one MULTIAPPEND */
#define KEYWORDS_EACH	MAILDIR_KEYWORDS_MAX

struct incoming {
	char *tmp;		/* name in tmp/; NULL once it is visible */
	char *base;		/* with sizes */
	char *shown;		/* name in new/ or cur/, once it is there */
	int shown_dir;
	uint32_t sys;
	size_t first_keyword;	/* in maildir_append.keywords */
	size_t nkeywords;
	uint32_t uid;
};

struct maildir_append {
	struct deposit dep;
	struct maildir_path path;
	struct arena *arena;		/* path and keywords */
	VEC(struct incoming) msgs;
	VEC(struct span) keywords;
	/* the message that is being written */
	int fd;
	struct buf out;
	struct maildir_append_args args;
	uint64_t size;
	uint64_t crlf_size;
	uint64_t total;			/* sizes of those that are complete */
	uint8_t last;			/* byte stored */
	bool has_cr;			/* one is held back */
	int err;			/* of this message */
};

int
maildir_append_new(struct maildir_store *store,
    const struct maildir_path *path, struct maildir_append **ret)
{
	struct maildir_append *app = mem_zalloc(sizeof(*app));
	struct span *level;
	int r;

	app->fd = -1;
	r = deposit_open(&app->dep, store, path);
	if (r != 0) {
		free(app);
		return r;
	}
	app->arena = arena_new(1024);
	buf_init(&app->out, OUT_MAX);
	level = arena_array(app->arena, path->n, sizeof(*level));
	for (size_t i = 0; i < path->n; i++)
		level[i] = arena_dup(app->arena, path->level[i]);
	app->path = (struct maildir_path){ level, path->n };
	r = box_tmp(&app->dep.box);
	if (r != 0) {
		maildir_append_abort(app);
		return r;
	}
	*ret = app;
	return 0;
}

/* tmp/NAME, which must not exist. */
static int
create_tmp(struct maildir_append *app, char **ret_name)
{
	struct box *box = &app->dep.box;
	struct buf name;
	int fd, r = 0;

	buf_init(&name, NAME_FILE_MAX);
	unique_put(&app->dep.store->unique, &name);
	fd = openat(box->tmp, buf_cstr(&name), O_WRONLY | O_CREAT | O_EXCL |
	    O_CLOEXEC | O_NOFOLLOW, box->file_mode);
	if (fd < 0) {
		r = err_from_errno(errno);
	} else if (box->file_mode != 0600 && fchmod(fd, box->file_mode) != 0) {
		r = err_from_errno(errno);
		(void)unlinkat(box->tmp, buf_cstr(&name), 0);
		fdio_close(&fd);
	} else {
		*ret_name = mem_strdup(buf_cstr(&name));
		app->fd = fd;
	}
	buf_done(&name);
	return r;
}

int
maildir_append_begin(struct maildir_append *app,
    const struct maildir_append_args *args)
{
	struct incoming in = { .sys = args->sys };
	int r;

	if (app->msgs.n >= MESSAGES_MAX || args->nkeywords > KEYWORDS_EACH)
		return ERR_LIMIT;
	r = quota_room(app->dep.store, app->total + args->size,
	    app->msgs.n + 1);
	if (r == 0)
		r = create_tmp(app, &in.tmp);
	if (r != 0)
		return r;
	in.first_keyword = app->keywords.n;
	in.nkeywords = args->nkeywords;
	for (size_t i = 0; i < args->nkeywords; i++)
		VEC_PUSH(&app->keywords,
		    arena_dup(app->arena, args->keywords[i]));
	VEC_PUSH(&app->msgs, in);
	app->args = *args;
	app->size = app->crlf_size = 0;
	app->last = 0;
	app->has_cr = false;
	app->err = 0;
	buf_clear(&app->out);
	return 0;
}

static void
flush(struct maildir_append *app)
{
	if (app->err == 0 && app->out.n > 0)
		app->err = fdio_write_file(app->fd, buf_span(&app->out));
	buf_clear(&app->out);
}

/* Bytes as they are to be stored. */
static void
put(struct maildir_append *app, struct span s)
{
	while (s.n > 0) {
		struct span part = span_take(s, OUT_MAX - app->out.n);

		buf_put_span(&app->out, part);
		app->size += part.n;
		app->crlf_size += part.n;
		app->last = part.p[part.n - 1];
		if (app->out.n == OUT_MAX)
			flush(app);
		s = span_skip(s, part.n);
	}
}

/* A line end: LF, however it was sent.  Behind a CR that belongs to the line
 * CRLF is kept: LF alone would make it the line end when it is read. */
static void
put_lf(struct maildir_append *app)
{
	if (app->last == '\r') {
		put(app, SPAN("\r\n"));
		return;
	}
	app->crlf_size++;
	put(app, SPAN("\n"));
}

int
maildir_append_write(struct maildir_append *app, struct span s)
{
	while (s.n > 0) {
		size_t lf = span_find(s, '\n');
		struct span line = span_take(s, lf);
		bool has_lf = lf < s.n;

		/* A CR held back was no part of a CRLF after all. */
		if (app->has_cr && (line.n > 0 || !has_lf)) {
			put(app, SPAN("\r"));
			app->has_cr = false;
		}
		if (line.n > 0 && line.p[line.n - 1] == '\r') {
			line.n--;
			app->has_cr = true;
		}
		put(app, line);
		if (!has_lf)
			break;
		app->has_cr = false;
		put_lf(app);
		s = span_skip(s, lf + 1);
	}
	return app->err;
}

static void
put_size(struct buf *b, char key, uint64_t v)
{
	buf_putc(b, ',');
	buf_putc(b, (uint8_t)key);
	buf_putc(b, '=');
	buf_put_u64(b, v);
}

int
maildir_append_end(struct maildir_append *app)
{
	struct incoming *in = &app->msgs.v[app->msgs.n - 1];
	struct timespec times[2] = { { 0, UTIME_OMIT }, { 0, 0 } };
	struct buf base;
	int r;

	if (app->has_cr)
		put(app, SPAN("\r"));
	app->has_cr = false;
	flush(app);
	r = app->err;
	times[1].tv_sec = app->args.date;
	if (r == 0 && app->args.has_date && futimens(app->fd, times) != 0)
		r = err_from_errno(errno);
	step("append-written");
	if (r == 0 && app->dep.store->conf.fsync && fsync(app->fd) != 0)
		r = err_from_errno(errno);
	if (close(app->fd) != 0 && r == 0)
		r = err_from_errno(errno);
	app->fd = -1;
	if (r != 0)
		return r;
	app->total += app->size;
	buf_init(&base, NAME_FILE_MAX);
	buf_puts(&base, in->tmp);
	put_size(&base, 'S', app->size);
	put_size(&base, 'W', app->crlf_size);
	if (buf_cstr(&base) == NULL)
		r = ERR_NAME;
	else
		in->base = mem_strdup(buf_cstr(&base));
	buf_done(&base);
	return r;
}

/* Make one message visible. */
static int
show(struct maildir_append *app, struct incoming *in, struct buf *name)
{
	struct name n = { .stem = span_str(in->base) };
	uint64_t bits = 0;
	size_t number;
	int r;

	n.upper = name_letters(in->sys);
	for (size_t i = 0; i < in->nkeywords; i++) {
		struct span word = app->keywords.v[in->first_keyword + i];

		if (keywords_find(&app->dep.kw, word, &number) == 0)
			bits |= UINT64_C(1) << number;
		else
			deposit_word(&app->dep, in->uid, word);
	}
	keywords_letters(&app->dep.kw, bits, &n);
	r = deposit_place(&app->dep, &n, name, &in->shown_dir);
	if (r != 0)
		return r;
	r = rename_new(app->dep.box.tmp, in->tmp, in->shown_dir,
	    buf_cstr(name));
	if (r != 0)
		return r;
	step("append-shown");
	free(in->tmp);
	in->tmp = NULL;
	in->shown = mem_strdup(buf_cstr(name));
	lock_touch(&app->dep.lock);
	return 0;
}

static int
show_all(struct maildir_append *app)
{
	struct buf name;
	int r = 0;

	buf_init(&name, NAME_FILE_MAX + 32);
	for (size_t i = 0; r == 0 && i < app->msgs.n; i++)
		r = show(app, &app->msgs.v[i], &name);
	buf_done(&name);
	if (r == 0)
		r = deposit_sync(&app->dep);
	return r;
}

/* All or nothing. */
static void
hide_all(struct maildir_append *app)
{
	for (size_t i = 0; i < app->msgs.n; i++) {
		struct incoming *in = &app->msgs.v[i];

		if (in->shown != NULL)
			(void)unlinkat(in->shown_dir, in->shown, 0);
	}
}

int
maildir_append_commit(struct maildir_append *app, struct arena *arena,
    uint32_t *ret_uidvalidity, uint32_t **ret_uids, size_t *ret_n)
{
	uint32_t *uids;
	int r;

	r = deposit_lock(&app->dep, &app->path, false);
	/* Others may have got there first. */
	if (r == 0)
		r = quota_room(app->dep.store, app->total, app->msgs.n);
	if (r == 0)
		r = deposit_keywords(&app->dep, app->keywords.v,
		    app->keywords.n);
	for (size_t i = 0; r == 0 && i < app->msgs.n; i++) {
		struct incoming *in = &app->msgs.v[i];

		r = in->base == NULL ? ERR_IO : deposit_record(&app->dep,
		    SPAN_NONE, span_str(in->base), &in->uid);
	}
	if (r == 0)
		r = deposit_write(&app->dep);
	if (r == 0) {
		quota_begin(app->dep.store);
		r = show_all(app);
		if (r != 0)
			hide_all(app);
	}
	if (r == 0) {
		quota_added(app->dep.store, app->total, app->msgs.n);
		uids = arena_array(arena, app->msgs.n, sizeof(*uids));
		for (size_t i = 0; i < app->msgs.n; i++)
			uids[i] = app->msgs.v[i].uid;
		*ret_uidvalidity = app->dep.ul.uidvalidity;
		*ret_uids = uids;
		*ret_n = app->msgs.n;
		deposit_words(&app->dep, &app->path);
	}
	maildir_append_abort(app);
	return r;
}

void
maildir_append_abort(struct maildir_append *app)
{
	if (app == NULL)
		return;
	fdio_close(&app->fd);
	for (size_t i = 0; i < app->msgs.n; i++) {
		struct incoming *in = &app->msgs.v[i];

		if (in->tmp != NULL)
			(void)unlinkat(app->dep.box.tmp, in->tmp, 0);
		free(in->tmp);
		free(in->base);
		free(in->shown);
	}
	VEC_DONE(&app->msgs);
	VEC_DONE(&app->keywords);
	buf_done(&app->out);
	arena_free(app->arena);
	deposit_close(&app->dep);
	free(app);
}
