/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <sys/random.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "base/fdio.h"
#include "imapd/process/connection.h"

#define PROBES		4	/* keepalive probes before a peer is dead */
#define PROBE_SECONDS	30	/* between them */

static void
set_option(int fd, int level, int name, int value)
{
	/* Not a TCP socket: then it needs none of this. */
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

/* A peer that is gone is noticed in minutes: when it is silent by keepalive
 * probes, when we have something to send by the user timeout. */
static void
set_keepalive(int fd, uint64_t ms, uint64_t stall_ms)
{
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)stall_ms);
	if (ms == 0)
		return;
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)(ms / 1000));
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, PROBE_SECONDS);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBES);
}

static void
make_id(char id[CONNECTION_ID + 1])
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
	uint8_t random[CONNECTION_ID];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		memset(random, 0, sizeof(random));	/* only for the log */
	for (size_t i = 0; i < CONNECTION_ID; i++)
		id[i] = digits[random[i] & 31];
	id[CONNECTION_ID] = '\0';
}

/* Whether a local port is one of imaps_ports. */
static bool
is_imaps(const struct config *conf, uint16_t port)
{
	struct span rest = span_str(conf->imaps_ports == NULL ? "" :
	    conf->imaps_ports), word;
	struct buf text;
	bool is_found = false;

	buf_init(&text, 8);
	buf_put_u64(&text, port);
	while (!is_found && (word = config_word(&rest)).n > 0)
		is_found = is_span_eq(word, buf_span(&text));
	buf_done(&text);
	return is_found;
}

void
connection_set_peer(struct connection *c, const struct peer *peer)
{
	c->peer = *peer;
	c->remote[0] = '\0';
	if (peer->has_address)
		ipaddr_print(&peer->remote, c->remote);
}

void
connection_init(struct connection *c, struct config *conf, int fd_in,
    int fd_out, const struct peer *peer, enum log_to log_to)
{
	*c = (struct connection){ .conf = conf, .fd_in = fd_in,
	    .fd_out = fd_out, .log_to = log_to, .slot = -1,
	    .started = deadline_now() };
	c->arena = arena_new(4096);
	connection_set_peer(c, peer);
	c->is_tls_now = is_imaps(conf, peer->local_port);
	make_id(c->id);
	log_session(span_of(c->id, CONNECTION_ID));
	set_keepalive(fd_out, conf->keepalive, conf->stall_timeout);
}

void
connection_done(struct connection *c)
{
	auth_user_free(c->user);
	arena_free(c->arena);
}

void
connection_take_relay(struct connection *c, int fd)
{
	if (c->fd_out != c->fd_in)
		fdio_close(&c->fd_out);
	fdio_close(&c->fd_in);
	c->fd_in = c->fd_out = fd;
}
