/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * trace.c: everything a client and its session say to each other, in a file.
 */
#include "imapd/command/trace.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/mem.h"

#define PATH_MAX_BYTES	4096

struct trace {
	int fd, fd_in, fd_out;
	uint64_t started;
};

int
trace_open(const char *directory, const char *user)
{
	struct span name = span_str(user);
	struct buf path;
	int fd = -1;

	if (directory == NULL || name.n == 0 || name.p[0] == '.' ||
	    has_byte(name, '/'))
		return -1;
	buf_init(&path, PATH_MAX_BYTES);
	buf_puts(&path, directory);
	buf_putc(&path, '/');
	buf_put_span(&path, name);
	buf_putc(&path, '/');
	buf_put_u64(&path, (uint64_t)time(NULL));
	buf_putc(&path, '.');
	buf_put_u64(&path, (uint64_t)getpid());
	if (buf_cstr(&path) != NULL)
		fd = open(buf_cstr(&path), O_WRONLY | O_CREAT | O_EXCL |
		    O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	buf_done(&path);
	return fd;
}

struct trace *
trace_new(int fd, int fd_in, int fd_out)
{
	struct trace *tr = mem_zalloc(sizeof(*tr));

	*tr = (struct trace){ fd, fd_in, fd_out, deadline_now() };
	return tr;
}

void
trace_free(struct trace *tr)
{
	free(tr);
}

/* A full disk ends the trace, not the session. */
static void
put(struct trace *tr, uint8_t mark, struct span s)
{
	uint64_t ms = (deadline_now() - tr->started) / 1000000;
	struct buf head;
	int err;

	if (tr->fd < 0)
		return;
	buf_init(&head, 64);
	buf_puts(&head, "\n");
	buf_putc(&head, mark);
	buf_put_u64(&head, ms / 1000);
	buf_putc(&head, '.');
	buf_putc(&head, (uint8_t)('0' + ms / 100 % 10));
	buf_putc(&head, (uint8_t)('0' + ms / 10 % 10));
	buf_putc(&head, (uint8_t)('0' + ms % 10));
	buf_putc(&head, mark);
	buf_puts(&head, "\n");
	err = fdio_write_file(tr->fd, buf_span(&head));
	if (err == 0)
		err = fdio_write_file(tr->fd, s);
	if (err != 0)
		tr->fd = -1;
	buf_done(&head);
}

static int
read_traced(void *cookie, void *p, size_t n, struct deadline d, size_t *ret_n)
{
	struct trace *tr = cookie;
	int err = fdio_read(tr->fd_in, p, n, d, ret_n);

	if (err == 0)
		put(tr, '<', span_of(p, *ret_n));
	return err;
}

static int
write_traced(void *cookie, struct span s, struct deadline d, size_t *ret_n)
{
	struct trace *tr = cookie;
	int err = fdio_write_some(tr->fd_out, s, d, ret_n);

	if (err == 0)
		put(tr, '>', span_take(s, *ret_n));
	return err;
}

struct wire_source
trace_source(struct trace *tr)
{
	return (struct wire_source){ read_traced, tr };
}

struct wire_sink
trace_sink(struct trace *tr)
{
	return (struct wire_sink){ write_traced, tr };
}
