/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/num.h"
#include "imapd/process/launch.h"

#define SYSTEMD_FD	3	/* the first of LISTEN_FDS: sd_listen_fds(3) */

/* ---- the peer ---------------------------------------------------------- */

static bool
take_sockaddr(const struct sockaddr_storage *ss, struct ipaddr *addr,
    uint16_t *port)
{
	const struct sockaddr_in *in = (const void *)ss;
	const struct sockaddr_in6 *in6 = (const void *)ss;

	if (ss->ss_family == AF_INET) {
		*addr = (struct ipaddr){ .b = { [10] = 0xff, [11] = 0xff } };
		memcpy(addr->b + 12, &in->sin_addr, 4);
		*port = ntohs(in->sin_port);
		return true;
	}
	if (ss->ss_family == AF_INET6) {
		memcpy(addr->b, &in6->sin6_addr, 16);
		*port = ntohs(in6->sin6_port);
		return true;
	}
	return false;
}

void
peer_of_socket(int fd, struct peer *ret)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	socklen_t n = sizeof(ss);
	struct peer peer = { .has_address = false };

	if (getpeername(fd, (struct sockaddr *)&ss, &n) == 0)
		peer.has_address = take_sockaddr(&ss, &peer.remote,
		    &peer.remote_port);
	n = sizeof(ss);
	if (getsockname(fd, (struct sockaddr *)&ss, &n) == 0)
		peer.is_gone = take_sockaddr(&ss, &peer.local,
		    &peer.local_port) && !peer.has_address;
	*ret = peer;
}

/* An address and a port from two variables; false if the first is unset. */
static bool
peer_from_env(const char *addr_name, const char *port_name,
    struct ipaddr *addr, uint16_t *port)
{
	const char *addr_text = getenv(addr_name);
	const char *port_text = getenv(port_name);
	uint32_t n = 0;

	if (addr_text == NULL || ipaddr_parse(span_str(addr_text), addr) != 0)
		return false;
	if (port_text != NULL &&
	    num_u32(span_str(port_text), 0, UINT16_MAX, &n) == 0)
		*port = (uint16_t)n;
	return true;
}

/*
 * In order of preference: UCSPI variables (tcpserver, s6-tcpserver: PROTO says
 * that they are there), REMOTE_ADDR (systemd), the socket itself.
 */
static void
find_peer(int fd, struct peer *peer)
{
	const char *proto = getenv("PROTO");

	peer_of_socket(fd, peer);
	if (proto != NULL && peer_from_env("TCPREMOTEIP", "TCPREMOTEPORT",
	    &peer->remote, &peer->remote_port)) {
		(void)peer_from_env("TCPLOCALIP", "TCPLOCALPORT", &peer->local,
		    &peer->local_port);
		peer->has_address = true;
		peer->is_gone = false;
	} else if (peer_from_env("REMOTE_ADDR", "REMOTE_PORT", &peer->remote,
	    &peer->remote_port)) {
		peer->has_address = true;
		peer->is_gone = false;
	}
}

/* ---- descriptors ------------------------------------------------------- */

enum fd_kind { FD_OTHER, FD_STREAM, FD_LISTENING };

static enum fd_kind
kind_of(int fd)
{
	int is_listening = 0, type = 0;
	socklen_t n = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == -1 ||
	    type != SOCK_STREAM)
		return FD_OTHER;
	n = sizeof(is_listening);
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &n) == -1)
		return FD_STREAM;
	return is_listening ? FD_LISTENING : FD_STREAM;
}

static bool
is_same_file(int a, int b)
{
	struct stat sa, sb;

	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 &&
	    sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

/* LISTEN_FDS of systemd, if they are meant for this process. */
static uint32_t
systemd_fds(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint32_t n;

	if (pid == NULL || fds == NULL ||
	    num_u32(span_str(pid), 1, UINT32_MAX, &n) != 0 ||
	    n != (uint32_t)getpid() ||
	    num_u32(span_str(fds), 0, LAUNCH_FDS_MAX, &n) != 0)
		return 0;
	return n;
}

static void
detect_systemd(uint32_t n, struct launch *l)
{
	if (kind_of(SYSTEMD_FD) == FD_STREAM) {
		l->mode = LAUNCH_CONNECTION;
		l->fd_in = l->fd_out = SYSTEMD_FD;
		return;
	}
	l->mode = LAUNCH_LISTEN;
	for (uint32_t i = 0; i < n; i++)
		if (kind_of((int)(SYSTEMD_FD + i)) == FD_LISTENING)
			l->listen[l->nlisten++] = (int)(SYSTEMD_FD + i);
}

static void
detect_stdin(struct launch *l)
{
	switch (kind_of(STDIN_FILENO)) {
	case FD_LISTENING:	/* inetd's "wait" */
		l->mode = LAUNCH_LISTEN;
		l->listen[l->nlisten++] = STDIN_FILENO;
		return;
	case FD_STREAM:
	case FD_OTHER:
		break;
	}
	l->fd_in = STDIN_FILENO;
	l->fd_out = STDOUT_FILENO;
	find_peer(STDIN_FILENO, &l->peer);
	/* A connection that was reset is one, although nobody is there: what
	 * was sent on it must not be taken for the words of our own user. */
	if (l->peer.has_address || l->peer.is_gone)
		l->mode = LAUNCH_CONNECTION;
	else if (isatty(STDIN_FILENO))
		l->mode = LAUNCH_NONE;
	else
		l->mode = LAUNCH_PIPE;
}

void
launch_detect(struct launch *ret)
{
	struct launch l = { .mode = LAUNCH_NONE, .fd_in = -1, .fd_out = -1 };
	uint32_t n = systemd_fds();

	if (n > 0)
		detect_systemd(n, &l);
	else
		detect_stdin(&l);
	if (n > 0 && l.mode == LAUNCH_CONNECTION)
		find_peer(l.fd_in, &l.peer);
	/* inetd and xinetd give the socket as all three. */
	l.is_stderr_client = l.mode != LAUNCH_LISTEN && l.fd_in != -1 &&
	    kind_of(STDERR_FILENO) == FD_STREAM &&
	    is_same_file(l.fd_in, STDERR_FILENO);
	l.is_tls_outside = getenv("SSL_PROTOCOL") != NULL;
	*ret = l;
}
