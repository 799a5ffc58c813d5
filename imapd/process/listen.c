/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/msgpipe.h"
#include "base/vec.h"
#include "imapd/process/certfile.h"
#include "imapd/process/connection.h"
#include "imapd/process/listen.h"
#include "imapd/process/monitor_msg.h"
#include "imapd/process/policy.h"

#define BACKLOG		1024
#define ADDRESS_MAX	256
#define FORKER_MS	5000
#define FORKER_REST_MS	5000	/* before one that died is started again;
				 * meanwhile connections execute the program */
#define FULL_PAUSE_MS	100	/* when a limit of the system was hit */

struct door {
	int fd;
	bool is_tls_now, is_plain;	/* as the address said */
};

struct child {
	pid_t pid;
	bool has_address;
	struct ipaddr remote;
};

struct listener {
	struct config *conf;
	const struct listen_options *options;
	struct door door[LAUNCH_FDS_MAX];
	size_t ndoors;
	VEC(struct child) children;
	struct forkers forkers;
	pid_t forker[HELPER_COUNT];
	struct deadline forker_rest;	/* none is started again before */
	uint64_t conf_stamp, cert_stamp;
	int signals;		/* signalfd: SIGCHLD, SIGTERM, SIGINT */
	sigset_t old_mask;
};

/* ---- sockets ----------------------------------------------------------- */

static void
log_address(int level, const char *event, struct span address, const char *why)
{
	log_begin(level, event);
	log_span("address", address);
	if (why != NULL)
		log_str("error", why);
	log_end();
}

static int
open_socket(const struct addrinfo *ai)
{
	int one = 1, fd;

	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd == -1)
		return -1;
	/* Failing options cost convenience, no more. */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (ai->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one,
		    sizeof(one));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) == -1 ||
	    listen(fd, BACKLOG) == -1)
		fdio_close(&fd);
	return fd;
}

/* [imap:|imaps:]HOST:PORT; HOST may be *, or an IPv6 address in brackets. */
static int ERR_CHECK
add_address(struct listener *l, struct span address)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_PASSIVE | AI_NUMERICSERV }, *list, *ai;
	struct span host = address, port;
	struct door door = { .fd = -1 };
	char host_text[ADDRESS_MAX], port_text[8];
	size_t before = l->ndoors;
	int r;

	door.is_tls_now = has_prefix(address, SPAN("imaps:"));
	door.is_plain = has_prefix(address, SPAN("imap:"));
	host = span_skip(address, door.is_tls_now ? 6 : door.is_plain ? 5 : 0);
	port = span_skip(host, span_rfind(host, ':') + 1);
	host = span_take(host, span_rfind(host, ':'));
	if (host.n > 1 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = span_take(span_skip(host, 1), host.n - 2);
	if (host.n == 0 || host.n >= ADDRESS_MAX || port.n == 0 || port.n > 5) {
		log_address(LOG_ERR, "listen-failed", address,
		    "not an address");
		return ERR_CONFIG;
	}
	memcpy(host_text, host.p, host.n);
	host_text[host.n] = '\0';
	memcpy(port_text, port.p, port.n);
	port_text[port.n] = '\0';
	r = getaddrinfo(is_span_eq(host, SPAN("*")) ? NULL : host_text,
	    port_text, &hints, &list);
	if (r != 0) {
		log_address(LOG_ERR, "listen-failed", address, gai_strerror(r));
		return ERR_CONFIG;
	}
	for (ai = list; ai != NULL && l->ndoors < LAUNCH_FDS_MAX;
	    ai = ai->ai_next) {
		if ((door.fd = open_socket(ai)) != -1)
			l->door[l->ndoors++] = door;
	}
	r = errno;
	freeaddrinfo(list);
	/* One of "0.0.0.0" and "::" is enough: there may be no IPv6. */
	if (l->ndoors == before) {
		/* The system's own words tell "address already in use" from
		 * "cannot assign requested address", which err.h does not. */
		log_address(LOG_ERR, "listen-failed", address, strerror(r));
		return ERR_CONFIG;
	}
	log_address(LOG_NOTICE, "listening", address, NULL);
	return 0;
}

static int ERR_CHECK
open_doors(struct listener *l, const char *addresses,
    const struct launch *launch)
{
	struct span rest = span_str(addresses == NULL ? "" : addresses), word;
	int err = 0;

	if (launch != NULL) {
		for (size_t i = 0; i < launch->nlisten; i++) {
			/* A client that is gone again must not stop us. */
			if (fcntl(launch->listen[i], F_SETFL, O_RDWR |
			    O_NONBLOCK) == -1)
				return ERR_IO;
			l->door[l->ndoors++] = (struct door){
			    .fd = launch->listen[i] };
		}
		return l->ndoors > 0 ? 0 : ERR_CONFIG;
	}
	while (err == 0 && (word = config_word(&rest)).n > 0)
		err = add_address(l, word);
	return err == 0 && l->ndoors == 0 ? ERR_CONFIG : err;
}

/* ---- the forkers ------------------------------------------------------- */

/* How to give up rights, then for imapd-tls its policy and certificates. */
static int ERR_CHECK
instruct(struct listener *l, enum helper helper, int fd)
{
	struct arena *arena = arena_new(1024);
	struct settings_rights rights;
	struct settings_tls tls;
	const char *path;
	struct buf b;
	size_t at;
	int err;

	buf_init(&b, MSGPIPE_MAX);
	/* A buffer that grows leaves copies of what was in it, and sessions
	 * are forked from here. */
	(void)buf_room(&b, MSGPIPE_MAX);
	policy_rights(l->conf, arena, l->options->log_to, &rights);
	settings_put_rights(&b, &rights);
	if (helper == HELPER_TLS) {
		policy_tls(l->conf, arena, &tls);
		settings_put_tls(&b, &tls);
		explicit_bzero(&tls, sizeof(tls));
		at = b.n;
		if (certfile_put(l->conf, arena, SPAN_NONE, &b, &path) != 0) {
			b.n = at;	/* each connection says so itself */
			enc_u8(&b, 0);
		}
	}
	err = msgpipe_send(fd, MON_FORKER, &b, NULL, 0, deadline_in(FORKER_MS));
	buf_wipe_done(&b);
	arena_free(arena);
	return err;
}

static void
log_helper(const char *directory, int err)
{
	log_begin(LOG_ERR, "helper-failed");
	log_str("directory", directory);
	log_err(err);
	log_end();
}

static void
start_forker(struct listener *l, enum helper helper)
{
	int fd, err;
	pid_t pid;

	fdio_close(&l->forkers.fd[helper]);	/* the old one ends now */
	l->forker[helper] = 0;
	l->forker_rest = deadline_in(FORKER_REST_MS);
	err = spawn_forker(l->conf->libexec_directory, helper, &fd, &pid);
	if (err == 0 && (err = instruct(l, helper, fd)) != 0)
		fdio_close(&fd);
	if (err == 0) {
		l->forkers.fd[helper] = fd;
		l->forker[helper] = pid;
	} else {
		log_helper(l->conf->libexec_directory, err);
	}
}

static void
start_forkers(struct listener *l)
{
	start_forker(l, HELPER_LOGIN);
	if (has_certificates(l->conf))
		start_forker(l, HELPER_TLS);
	else
		fdio_close(&l->forkers.fd[HELPER_TLS]);
	l->cert_stamp = certfile_stamp(l->conf);
}

/* ---- changed files ----------------------------------------------------- */

static uint64_t
config_stamp(const struct config *conf)
{
	uint64_t h = 0;
	struct stat st;

	for (size_t i = 0; i < conf->files.n; i++)
		if (stat(conf->files.v[i], &st) == 0)
			h = h * 31 + (uint64_t)st.st_ino * 7 +
			    (uint64_t)st.st_mtim.tv_sec * 1000000000u +
			    (uint64_t)st.st_mtim.tv_nsec;
	return h;
}

static bool
has_lost_forker(const struct listener *l)
{
	return l->forkers.fd[HELPER_LOGIN] == -1 ||
	    (l->forkers.fd[HELPER_TLS] == -1 && has_certificates(l->conf));
}

static void
notice_changes(struct listener *l)
{
	uint64_t stamp = config_stamp(l->conf);
	struct config *conf;

	if (stamp != l->conf_stamp) {
		l->conf_stamp = stamp;
		if ((conf = l->options->reload()) != NULL) {
			config_free(l->conf);
			l->conf = conf;
			l->conf_stamp = config_stamp(conf);
			log_line(LOG_NOTICE, "config-reloaded", 0);
			start_forkers(l);
			return;
		}
	}
	if (has_certificates(l->conf) &&
	    certfile_stamp(l->conf) != l->cert_stamp) {
		log_line(LOG_NOTICE, "certificates-reloaded", 0);
		start_forkers(l);
	} else if (is_deadline_past(l->forker_rest) && has_lost_forker(l)) {
		start_forkers(l);
	}
}

/* ---- connections ------------------------------------------------------- */

/* In the child: serve, and end.  What the listener holds is let go. */
static int
serve(struct listener *l, int fd, const struct peer *peer,
    const struct door *door)
{
	struct connection c;
	int status;

	for (size_t i = 0; i < l->ndoors; i++)
		close(l->door[i].fd);
	close(l->signals);
	if (sigprocmask(SIG_SETMASK, &l->old_mask, NULL) == -1 ||
	    fdio_stop_on(SIGTERM) != 0 || fdio_stop_on(SIGINT) != 0)
		return EXIT_FAULT;
	connection_init(&c, l->conf, fd, fd, peer, l->options->log_to);
	c.forkers = &l->forkers;
	if (door->is_tls_now || door->is_plain)
		c.is_tls_now = door->is_tls_now;
	status = connection_run(&c);
	connection_done(&c);
	return status;
}

static size_t
count_address(const struct listener *l, const struct ipaddr *addr)
{
	size_t n = 0;

	for (size_t i = 0; i < l->children.n; i++)
		if (l->children.v[i].has_address && memcmp(
		    &l->children.v[i].remote, addr, sizeof(*addr)) == 0)
			n++;
	return n;
}

/* Over a limit: told so, and not served. */
static bool
is_admitted(const struct listener *l, const struct peer *peer, int fd)
{
	static const char bye[] = "* BYE [LIMIT] too many connections\r\n";
	char text[IPNET_TEXT_MAX] = "";

	if (l->children.n < l->conf->max_connections && (!peer->has_address ||
	    is_config_net(&l->conf->proxy_networks, &peer->remote) ||
	    count_address(l, &peer->remote) <
	    l->conf->max_connections_address))
		return true;
	if (peer->has_address)
		ipaddr_print(&peer->remote, text);
	log_begin(LOG_WARNING, "connection-limit");
	log_str("rip", text);
	log_uint("connections", l->children.n);
	log_end();
	/* A courtesy; the connection is closed in any case. */
	(void)!send(fd, bye, sizeof(bye) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	return false;
}

/* -1: in the listener; else the exit code of a child. */
static int
accept_one(struct listener *l, const struct door *door)
{
	struct child child = { .pid = -1 };
	struct peer peer;
	int fd;

	fd = accept4(door->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd == -1) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM)
			deadline_sleep(deadline_in(FULL_PAUSE_MS));
		return -1;
	}
	peer_of_socket(fd, &peer);
	notice_changes(l);
	if (!peer.is_gone && is_admitted(l, &peer, fd)) {
		child.pid = fork();
		if (child.pid == 0)
			return serve(l, fd, &peer, door);
		if (child.pid == -1)
			log_line(LOG_ERR, "fork-failed",
			    err_from_errno(errno));
	}
	if (child.pid > 0) {
		child.has_address = peer.has_address;
		child.remote = peer.remote;
		VEC_PUSH(&l->children, child);
	}
	close(fd);
	return -1;
}

static void
reap(struct listener *l)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
		for (int h = 0; h < HELPER_COUNT; h++)
			if (l->forker[h] == pid)
				fdio_close(&l->forkers.fd[h]);
		for (size_t i = 0; i < l->children.n; i++) {
			if (l->children.v[i].pid != pid)
				continue;
			l->children.v[i] = l->children.v[--l->children.n];
			break;
		}
	}
}

/* true: SIGTERM or SIGINT came, and was passed on to the connections. */
static bool
take_signals(struct listener *l)
{
	struct signalfd_siginfo si;
	bool is_over = false;

	while (read(l->signals, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGCHLD)
			reap(l);
		else
			is_over = true;
	}
	for (size_t i = 0; is_over && i < l->children.n; i++)
		(void)kill(l->children.v[i].pid, SIGTERM);
	return is_over;
}

static int
loop(struct listener *l)
{
	struct pollfd pfd[LAUNCH_FDS_MAX + 1];
	int status;

	for (;;) {
		for (size_t i = 0; i < l->ndoors; i++)
			pfd[i] = (struct pollfd){ .fd = l->door[i].fd,
			    .events = POLLIN };
		pfd[l->ndoors] = (struct pollfd){ .fd = l->signals,
		    .events = POLLIN };
		if (poll(pfd, l->ndoors + 1, -1) == -1 && errno != EINTR)
			return EXIT_FAULT;
		if (pfd[l->ndoors].revents != 0 && take_signals(l))
			return 0;
		for (size_t i = 0; i < l->ndoors; i++)
			if (pfd[i].revents != 0 &&
			    (status = accept_one(l, &l->door[i])) != -1)
				return status;
	}
}

/* Everything but the sockets: signals, forkers, the loop. */
static int
run(struct listener *l)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	if (sigprocmask(SIG_BLOCK, &mask, &l->old_mask) == -1 ||
	    (l->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK)) ==
	    -1)
		return EXIT_FAULT;
	l->conf_stamp = config_stamp(l->conf);
	start_forkers(l);
	(void)malloc_trim(0);	/* children share what is left */
	return loop(l);
}

int
listen_run(struct config *conf, const char *addresses,
    const struct launch *launch, const struct listen_options *options)
{
	struct listener l = { .conf = conf, .options = options,
	    .children = VEC_INIT, .forkers = { { -1, -1 } } };
	int status = EXIT_CONFIG;

	if (open_doors(&l, addresses, launch) == 0)
		status = run(&l);
	VEC_DONE(&l.children);
	config_free(l.conf);
	return status;
}
