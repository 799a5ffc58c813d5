/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * relay.c: two flows, one poll().
 *
 *	up	client -> session	tls_try_read, send
 *	down	session -> client	recv, tls_try_write
 *
 * A flow has one bounded buffer and reads only when that is empty, so a side
 * that does not read stops the other one, as a plain TCP connection would.
 * Either side may close its half: the other flow goes on until it is empty.
 * The session has the timeouts; when it ends, so do we.
 *
 * Most of the time nothing flows at all: then the buffers' pages are given back
 * to the system.
 */
#include <sys/mman.h>
#include <sys/socket.h>

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdbool.h>

#include "base/deadline.h"
#include "imapd/process/relay.h"

#define UP_SIZE		(16 * 1024)	/* a TLS record */
#define DOWN_SIZE	(64 * 1024)
#define PAGE		4096
#define IDLE_MS		2000	/* without traffic: give memory back */
#define LAST_MS		30000	/* for the client to take the rest, once the
				 * session has ended */

struct flow {
	uint8_t *p;
	size_t off, n;		/* what is still to be written */
	bool is_ended;		/* nothing more comes in */
	bool is_shut;		/* and the other side has been told */
	enum tls_outcome want;	/* what TLS waits for, on this flow's behalf */
};

struct relay {
	struct tls *tls;
	int session;
	struct flow up, down;
	const char *why;	/* set: it is over */
	bool has_moved;		/* in this turn of the loop */
};

static uint8_t up_bytes[UP_SIZE] __attribute__((aligned(PAGE)));
static uint8_t down_bytes[DOWN_SIZE] __attribute__((aligned(PAGE)));

static bool
has_bytes(const struct flow *f)
{
	return f->n > 0;
}

static void
took(struct relay *r, struct flow *f, size_t n)
{
	f->off += n;
	f->n -= n;
	r->has_moved = true;
}

static void
got(struct relay *r, struct flow *f, size_t n)
{
	f->off = 0;
	f->n = n;
	r->has_moved = true;
}

/* ---- client -> session ------------------------------------------------- */

static void
up_read(struct relay *r)
{
	size_t n = 0;

	switch (r->up.want = tls_try_read(r->tls, r->up.p, UP_SIZE, &n)) {
	case TLS_OK:
		got(r, &r->up, n);
		break;
	case TLS_CLOSED:
		r->up.is_ended = true;
		r->has_moved = true;
		break;
	case TLS_FAILED:
		r->why = tls_error();
		break;
	case TLS_WANT_READ:
	case TLS_WANT_WRITE:
		break;
	}
}

static void
up_write(struct relay *r)
{
	ssize_t n = send(r->session, r->up.p + r->up.off, r->up.n,
	    MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n >= 0) {
		took(r, &r->up, (size_t)n);
	} else if (errno != EAGAIN && errno != EINTR) {
		/* The session has ended; what it still said goes down. */
		r->up.n = 0;
		r->up.is_ended = r->up.is_shut = true;
		r->has_moved = true;
	}
}

/* ---- session -> client ------------------------------------------------- */

static void
down_read(struct relay *r)
{
	ssize_t n = recv(r->session, r->down.p, DOWN_SIZE, MSG_DONTWAIT);

	if (n > 0) {
		got(r, &r->down, (size_t)n);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		r->down.is_ended = true;
		r->has_moved = true;
	}
}

static void
down_write(struct relay *r)
{
	size_t n = 0;

	r->down.want = tls_try_write(r->tls,
	    span_of(r->down.p + r->down.off, r->down.n), &n);
	if (r->down.want == TLS_OK)
		took(r, &r->down, n);
	else if (r->down.want == TLS_FAILED || r->down.want == TLS_CLOSED)
		r->why = tls_error();
}

static void
down_shut(struct relay *r)
{
	r->down.want = tls_try_close(r->tls);
	if (r->down.want == TLS_OK) {
		r->down.is_shut = true;
		r->why = "closed";
	} else if (r->down.want == TLS_FAILED || r->down.want == TLS_CLOSED) {
		r->why = tls_error();
	}
}

/* ---- the loop ---------------------------------------------------------- */

/* Everything that is possible without waiting. */
static void
move(struct relay *r)
{
	do {
		r->has_moved = false;
		if (!has_bytes(&r->up) && !r->up.is_ended)
			up_read(r);
		if (r->why == NULL && has_bytes(&r->up))
			up_write(r);
		if (!has_bytes(&r->up) && r->up.is_ended && !r->up.is_shut) {
			(void)shutdown(r->session, SHUT_WR);
			r->up.is_shut = true;
		}
		if (r->why == NULL && !has_bytes(&r->down) &&
		    !r->down.is_ended)
			down_read(r);
		if (r->why == NULL && has_bytes(&r->down))
			down_write(r);
		if (r->why == NULL && !has_bytes(&r->down) &&
		    r->down.is_ended && !r->down.is_shut)
			down_shut(r);
	} while (r->has_moved && r->why == NULL);
}

static void
set_events(const struct relay *r, struct pollfd pfd[3])
{
	short in = 0, out = 0, session = 0;

	/* What each flow waits for: TLS itself knows the direction. */
	if (!has_bytes(&r->up) && !r->up.is_ended) {
		if (r->up.want == TLS_WANT_WRITE)
			out |= POLLOUT;
		else
			in |= POLLIN;
	}
	if (has_bytes(&r->up))
		session |= POLLOUT;
	if (has_bytes(&r->down) || r->down.is_ended) {
		if (r->down.want == TLS_WANT_READ)
			in |= POLLIN;
		else
			out |= POLLOUT;
	} else {
		session |= POLLIN;
	}
	pfd[0].events = in;
	pfd[1].events = out;
	pfd[2].events = session;
	/* poll(2) reports errors unasked: do not look where nothing is wanted,
	 * or a half that is closed makes us spin.  Of a client that sends no
	 * more, though, they say whether it still listens. */
	for (int i = 0; i < 3; i++)
		if (pfd[i].events == 0 && (i != 1 || !r->up.is_shut))
			pfd[i].fd = -1;
}

/* The client has sent all, and it does not listen either. */
static bool
is_client_gone(const struct relay *r, const struct pollfd *out)
{
	return r->up.is_shut && (out->revents & (POLLERR | POLLHUP)) != 0;
}

static void
release_memory(void)
{
	(void)madvise(up_bytes, sizeof(up_bytes), MADV_DONTNEED);
	(void)madvise(down_bytes, sizeof(down_bytes), MADV_DONTNEED);
	(void)malloc_trim(0);
}

const char *
relay_run(struct tls *tls, int fd_in, int fd_out, int session)
{
	struct relay r = { .tls = tls, .session = session,
	    .up = { .p = up_bytes, .want = TLS_WANT_READ },
	    .down = { .p = down_bytes, .want = TLS_WANT_WRITE } };
	struct deadline last = DEADLINE_NEVER;
	bool is_released = false;
	struct pollfd pfd[3];
	int n;

	for (;;) {
		move(&r);
		if (r.why != NULL)
			return r.why;
		if (r.down.is_ended && last.ns == DEADLINE_NEVER.ns)
			last = deadline_in(LAST_MS);
		pfd[0] = (struct pollfd){ .fd = fd_in };
		pfd[1] = (struct pollfd){ .fd = fd_out };
		pfd[2] = (struct pollfd){ .fd = session };
		set_events(&r, pfd);
		n = poll(pfd, 3, is_released ? deadline_poll_ms(last) :
		    deadline_poll_ms(deadline_min(last,
		    deadline_in(IDLE_MS))));
		if (n > 0 && is_client_gone(&r, &pfd[1]))
			return "client closed";
		if (n > 0)
			is_released = false;
		else if (is_deadline_past(last))
			return "client does not read";
		else if (n == 0 && !has_bytes(&r.up) && !has_bytes(&r.down)) {
			release_memory();
			is_released = true;
		}
	}
}
