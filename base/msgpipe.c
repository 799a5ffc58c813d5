/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <sys/socket.h>

#include <errno.h>
#include <unistd.h>

#include "base/msgpipe.h"

#define HEAD	2u	/* bytes of the type */

/*
 * The kernel doubles what is asked for and counts its own overhead; twice the
 * largest message holds one of that size with certainty.
 */
static int
set_buffers(int fd)
{
	int size = 2 * MSGPIPE_MAX;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) == -1)
		return err_from_errno(errno);
	return 0;
}

int
msgpipe_pair(int *ret_a, int *ret_b)
{
	int sv[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) == -1)
		return err_from_errno(errno);
	err = set_buffers(sv[0]);
	if (err == 0)
		err = set_buffers(sv[1]);
	if (err != 0) {
		close(sv[0]);
		close(sv[1]);
		return err;
	}
	*ret_a = sv[0];
	*ret_b = sv[1];
	return 0;
}

int
msgpipe_send(int fd, uint16_t type, const struct buf *body, const int *fds,
    size_t nfds, struct deadline d)
{
	struct buf packet;
	int err;

	if (body != NULL && (buf_err(body) != 0 || body->n > MSGPIPE_MAX))
		return ERR_LIMIT;
	buf_init(&packet, MSGPIPE_MAX + HEAD);
	enc_u16(&packet, type);
	if (body != NULL)
		buf_put_span(&packet, buf_span(body));
	err = fdio_send(fd, buf_span(&packet), fds, nfds, d);
	buf_wipe_done(&packet);		/* it may have held a password */
	return err;
}

int
msgpipe_recv(int fd, struct buf *b, struct deadline d, struct msg *ret)
{
	struct msg m = { .fds = { -1, -1, -1, -1 } };
	size_t n;
	uint8_t *p;
	int err;

	buf_clear(b);
	p = buf_room(b, MSGPIPE_MAX + HEAD);
	if (p == NULL)
		return ERR_LIMIT;
	err = fdio_recv(fd, p, MSGPIPE_MAX + HEAD, d, &n, m.fds, &m.nfds);
	if (err != 0)
		return err;
	for (size_t i = m.nfds; i < FDIO_FDS_MAX; i++)
		m.fds[i] = -1;
	if (n < HEAD) {
		msg_close_fds(&m);
		return ERR_PROTO;
	}
	b->n = n;
	m.body = dec_init(buf_span(b));
	m.type = dec_u16(&m.body);
	*ret = m;
	return 0;
}

void
msg_close_fds(struct msg *m)
{
	for (size_t i = 0; i < FDIO_FDS_MAX; i++)
		fdio_close(&m->fds[i]);
	m->nfds = 0;
}

static struct msgpipe_rule *
find_rule(struct msgpipe_rule *rules, size_t n, uint16_t type)
{
	for (size_t i = 0; i < n; i++)
		if (rules[i].type == type)
			return &rules[i];
	return NULL;
}

int
msgpipe_permit(struct msgpipe_rule *rules, size_t n, const struct msg *m)
{
	struct msgpipe_rule *r = find_rule(rules, n, m->type);

	if (r == NULL || r->left == 0 || m->body.rest.n > r->max_body ||
	    m->nfds != r->nfds)
		return ERR_PROTO;
	r->left--;
	return 0;
}

void
msgpipe_allow(struct msgpipe_rule *rules, size_t n, uint16_t type,
    unsigned left)
{
	struct msgpipe_rule *r = find_rule(rules, n, type);

	if (r != NULL)
		r->left = left;
}
