/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/mem.h"

#include "auth/auth.h"
#include "auth/usersfile.h"
#include "auth/usersindex.h"

#define CHUNK		(256 * 1024)	/* bytes searched at a time */
#define MARGIN		512		/* more than a needle, in any chunk */
#define FIRST_MAX	64		/* lines looked at for the first */

struct usersfile {
	const char *path;
	struct usersfile_note note;
	int fd;
	struct stat st;
};

/* Whoever can write to this file can let anybody in. */
static int
check_mode(struct usersfile *file)
{
	if (!S_ISREG(file->st.st_mode)) {
		file->note.fn(file->note.cookie, file->path, 0,
		    "not a regular file");
		return ERR_ACCESS;
	}
	if ((file->st.st_mode & S_IWOTH) != 0 ||
	    ((file->st.st_mode & S_IWGRP) != 0 && file->st.st_gid != 0 &&
	    file->st.st_gid != getegid())) {
		file->note.fn(file->note.cookie, file->path, 0,
		    "writable by others: chmod go-w");
		return ERR_ACCESS;
	}
	return 0;
}

int
usersfile_open(const char *path, const struct usersfile_note *note,
    struct usersfile **ret)
{
	struct usersfile *file;
	int err;

	file = mem_zalloc(sizeof(*file));
	file->path = path;
	file->note = *note;
	/* O_NONBLOCK: the open of a fifo must not wait for a writer. */
	file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (file->fd < 0 || fstat(file->fd, &file->st) != 0) {
		err = err_from_errno(errno);
		note->fn(note->cookie, path, 0, err_text(err));
		goto fail;
	}
	err = check_mode(file);
	if (err != 0)
		goto fail;
	*ret = file;
	return 0;
fail:
	usersfile_close(file);
	return err;
}

void
usersfile_close(struct usersfile *file)
{
	if (file == NULL)
		return;
	fdio_close(&file->fd);
	free(file);
}

/* The number of the line at offset; only counted when there is something to
 * say about it. */
static uint64_t
line_number(int fd, uint64_t offset)
{
	uint8_t *chunk = mem_alloc(CHUNK);
	uint64_t number = 1, at = 0;
	size_t n;

	while (at < offset) {
		n = offset - at < CHUNK ? (size_t)(offset - at) : CHUNK;
		if (fdio_pread(fd, chunk, n, at, &n) != 0 || n == 0)
			break;
		for (size_t i = 0; i < n; i++)
			number += chunk[i] == '\n';
		at += n;
	}
	mem_wipe_free(chunk, CHUNK);
	return number;
}

void
usersfile_note(struct usersfile *file, uint64_t offset, const char *what)
{
	file->note.fn(file->note.cookie, file->path,
	    line_number(file->fd, offset), what);
}

/* The line at offset, without its line end; ERR_LIMIT if it is longer than
 * USERSLINE_MAX, ERR_EOF behind the end of the file. */
static int ERR_CHECK
read_line(int fd, uint64_t offset, struct arena *arena,
    struct span *ret)
{
	/* Most lines fit at the first try. */
	static const size_t sizes[] = { 512, USERSLINE_MAX + 2 };
	struct span line;
	uint8_t *p;
	size_t n, end;
	int err;

	for (size_t i = 0; i < 2; i++) {
		p = arena_alloc(arena, sizes[i]);
		err = fdio_pread(fd, p, sizes[i], offset, &n);
		if (err != 0)
			return err;
		if (n == 0)
			return ERR_EOF;
		line = span_of(p, n);
		end = span_find(line, '\n');
		if (end < n || n < sizes[i]) {
			line = span_take(line, end);
			if (line.n > 0 && line.p[line.n - 1] == '\r')
				line.n--;
			*ret = line;
			return line.n > USERSLINE_MAX ? ERR_LIMIT : 0;
		}
	}
	return ERR_LIMIT;
}

/* What is being collected for one user. */
struct finder {
	struct usersfile *file;
	struct span user;
	struct arena *arena;
	struct usersfile_lines *lines;
	bool has_bad_main;
	bool has_main;
};

static int
add_line(struct finder *f, uint64_t offset)
{
	struct usersfile_lines *lines = f->lines;
	struct usersline line;
	struct span text;
	const char *why = "line too long";
	int err;

	err = read_line(f->file->fd, offset, f->arena, &text);
	if (err == 0)
		err = usersline_parse(text, &line, &why);
	if (err == ERR_SYNTAX || err == ERR_LIMIT) {
		/* Which of his lines it is cannot be told. */
		f->has_bad_main |= !f->has_main;
		usersfile_note(f->file, offset, why);
		return 0;
	}
	if (err == ERR_NOENT || err == ERR_EOF ||
	    (err == 0 && !is_span_eq(line.user, f->user)))
		return 0;
	if (err != 0)
		return err;
	if (line.label.n == 0 && (f->has_main || lines->n > 0)) {
		usersfile_note(f->file, offset,
		    "second line for this user, without label=");
		return 0;
	}
	if (f->has_bad_main) {
		usersfile_note(f->file, offset,
		    "behind a malformed line for this user");
		return 0;
	}
	if (lines->n == USERSFILE_LINES_MAX) {
		usersfile_note(f->file, offset, "too many lines for one user");
		return 0;
	}
	f->has_main |= line.label.n == 0;
	lines->v[lines->n] = line;
	lines->offset[lines->n++] = offset;
	return 0;
}

/* An index only offers offsets. */
static bool
is_line_start(int fd, uint64_t offset)
{
	uint8_t before;
	size_t n;

	if (offset == 0)
		return true;
	return fdio_pread(fd, &before, 1, offset - 1, &n) == 0 && n == 1 &&
	    before == '\n';
}

/* The needles in a chunk of n bytes; at is the file offset behind it. */
static int
search_chunk(struct finder *f, struct span needle, const uint8_t *chunk,
    size_t n, uint64_t at)
{
	const uint8_t *hit, *end = chunk + n;
	int err = 0;

	while (err == 0) {
		hit = memmem(chunk, (size_t)(end - chunk), needle.p, needle.n);
		if (hit == NULL)
			break;
		chunk = hit + 1;
		err = add_line(f, at - (uint64_t)(end - chunk));
	}
	return err;
}

/*
 * Search the whole file for lines that begin with "user:".  A chunk starts
 * with what a needle could have begun in the one before; a line feed stands
 * before the first line, so that all lines look the same.
 */
static int
search(struct finder *f)
{
	uint64_t size = (uint64_t)f->file->st.st_size;
	size_t room = size < CHUNK ? (size_t)size + MARGIN : CHUNK;
	struct buf needle;
	uint8_t *chunk = mem_alloc(room);
	uint64_t at = 0;
	size_t keep = 1, n;
	int err;

	buf_init(&needle, AUTH_NAME_MAX + 2);
	buf_putc(&needle, '\n');
	buf_put_span(&needle, f->user);
	buf_putc(&needle, ':');
	chunk[0] = '\n';
	for (;;) {
		err = fdio_pread(f->file->fd, chunk + keep, room - keep, at,
		    &n);
		if (err != 0 || n == 0)
			break;
		at += n;
		n += keep;
		err = search_chunk(f, buf_span(&needle), chunk, n, at);
		if (err != 0)
			break;
		keep = n < needle.n - 1 ? n : needle.n - 1;
		memmove(chunk, chunk + n - keep, keep);
	}
	mem_wipe_free(chunk, room);
	buf_done(&needle);
	return err;
}

int
usersfile_find(struct usersfile *file, struct span user, struct arena *arena,
    struct usersfile_lines *ret)
{
	struct usersfile_lines lines = { 0 };
	struct finder f = { file, user, arena, &lines, false, false };
	uint64_t offset[USERSFILE_LINES_MAX];
	size_t n = 0;
	int err;

	/* Such a name cannot be in the file, and would match across fields. */
	if (user.n == 0 || user.n > AUTH_NAME_MAX || user.p[0] == '#' ||
	    has_byte(user, ':') || has_byte(user, '\n') ||
	    has_byte(user, '\0'))
		return ERR_NOENT;
	lines.v = arena_array(arena, USERSFILE_LINES_MAX, sizeof(*lines.v));
	lines.offset = arena_array(arena, USERSFILE_LINES_MAX,
	    sizeof(*lines.offset));
	err = usersindex_find(file->path, &file->st, user, offset,
	    USERSFILE_LINES_MAX, &n);
	if (err == 0) {
		for (size_t i = 0; i < n && err == 0; i++)
			if (is_line_start(file->fd, offset[i]))
				err = add_line(&f, offset[i]);
	} else {
		err = search(&f);
	}
	if (err == 0 && lines.n == 0)
		err = f.has_bad_main ? ERR_SYNTAX : ERR_NOENT;
	if (err == 0)
		*ret = lines;
	return err;
}

int
usersfile_first(struct usersfile *file, struct arena *arena,
    struct usersline *ret)
{
	struct span head, line;
	const char *why;
	uint8_t *p = arena_alloc(arena, USERSLINE_MAX);
	size_t n;
	int err;

	err = fdio_pread(file->fd, p, USERSLINE_MAX, 0, &n);
	if (err != 0)
		return err;
	head = span_of(p, n);
	for (int i = 0; i < FIRST_MAX && head.p != NULL; i++) {
		line = span_split(&head, '\n');
		if (head.p == NULL && n == USERSLINE_MAX)
			break;		/* cut */
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (usersline_parse(line, ret, &why) == 0)
			return 0;
	}
	return ERR_NOENT;
}
