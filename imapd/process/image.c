/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <sys/socket.h>

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/msgpipe.h"
#include "imapd/process/image.h"
#include "imapd/process/privsep.h"
#include "imapd/process/sandbox.h"
#include "imapd/process/spawn.h"

#define EXIT_UNSAFE	71	/* EX_OSERR */
#define SETTINGS_WAIT_MS 10000	/* for the first message: it is on its way */
#define ARENA_FIRST	2048
#define LINGER_MS	1500

/* ---- becoming nobody --------------------------------------------------- */

static int ERR_CHECK
give_up_rights(const struct image *image, const struct settings_rights *r)
{
	int err;

	log_open(r->log_to, image->name, r->log_level);
	mem_on_exhausted(log_no_memory);
	err = privsep_harden();
	if (err == 0 && r->is_root)
		err = privsep_become(r->uid, r->gid, NULL, 0,
		    r->chroot[0] == '\0' ? NULL : r->chroot);
	if (err != 0)
		log_line(LOG_ERR, "privsep-failed", err);
	return err;
}

static int ERR_CHECK
set_signals(void)
{
	int err = fdio_ignore(SIGPIPE);

	if (err == 0)
		err = fdio_ignore(SIGHUP);
	return err != 0 ? err : fdio_stop_on(SIGTERM);
}

/* ---- one connection ---------------------------------------------------- */

static int ERR_CHECK
receive_settings(int pipe_fd, struct buf *b, struct arena *arena,
    struct settings *s, struct image_fds *fds)
{
	struct msg m;
	int err;

	err = msgpipe_recv(pipe_fd, b, deadline_in(SETTINGS_WAIT_MS), &m);
	if (err != 0)
		return err;
	settings_get(&m.body, arena, s);
	if (m.type != MON_SETTINGS || m.nfds < 2 || dec_end(&m.body) != 0)
		return ERR_PROTO;
	*fds = (struct image_fds){ m.fds[0], m.fds[1], m.fds[2] };
	return 0;
}

/*
 * is_child: of a forker, which has given up the rights already.  Otherwise this
 * is the whole life of the program.
 */
static int
serve(const struct image *image, int pipe_fd, bool is_child)
{
	struct arena *arena = arena_new(ARENA_FIRST);
	struct monitor_client mc;
	struct settings s;
	struct image_fds fds;
	struct buf b;
	int err;

	buf_init(&b, MSGPIPE_MAX + 2);
	err = receive_settings(pipe_fd, &b, arena, &s, &fds);
	buf_wipe_done(&b);
	if (err == 0 && !is_child)
		err = give_up_rights(image, &s.rights);
	if (err == 0)
		err = set_signals();
	if (err == 0)
		err = is_child ? sandbox_tighten(s.rights.sandbox) :
		    sandbox_enter(SANDBOX_LOGIN, s.rights.sandbox, NULL, 0);
	if (err != 0)
		return EXIT_UNSAFE;
	log_session(s.session);
	monitor_client_init(&mc, pipe_fd, s.until);
	image->serve(&mc, &s, &fds, arena);
	monitor_client_done(&mc);
	return 0;
}

int
image_wait(int fd, int pipe, struct deadline d)
{
	unsigned ready;
	int err = fdio_wait2(fd, pipe, d, &ready);

	/* The monitor says nothing that it was not asked. */
	return err != 0 ? err : (ready & 1) != 0 ? 0 : ERR_INTR;
}

void
image_linger(const struct image_fds *fds)
{
	struct deadline until = deadline_in(LINGER_MS);
	char waste[512];
	size_t n;

	if (shutdown(fds->out, SHUT_WR) == -1)
		return;
	while (fdio_read(fds->in, waste, sizeof(waste), until, &n) == 0)
		continue;
}

int
image_proxy(struct monitor_client *mc, const struct settings *s,
    const struct image_fds *fds, struct arena *arena, struct settings_peer *ret)
{
	struct proxy_header h;
	enum proxy_outcome outcome;
	struct buf b;
	uint8_t *p;
	size_t n;
	int err = 0;

	*ret = s->peer;
	if (!s->want_proxy)
		return 0;
	buf_init(&b, PROXY_MAX);
	while ((outcome = proxy_parse(buf_span(&b), &h, &n)) == PROXY_MORE) {
		if ((p = buf_room(&b, n)) == NULL)
			err = ERR_LIMIT;
		else
			err = fdio_read_full(fds->in, p, n, s->until);
		if (err != 0)
			break;
		b.n += n;
	}
	buf_done(&b);
	if (err == 0 && outcome == PROXY_BAD)
		err = ERR_SYNTAX;
	if (err != 0) {
		/* A proxy's health check sends nothing at all. */
		log_line(err == ERR_EOF ? LOG_DEBUG : LOG_WARNING,
		    "proxy-header", err);
		return err;
	}
	return monitor_proxy(mc, &h, arena, ret);
}

/* ---- a forker ---------------------------------------------------------- */

static int ERR_CHECK
forker_begin(const struct image *image, struct arena *arena, int *ret_mode)
{
	struct settings_rights rights;
	struct msg m;
	struct buf b;
	int err;

	buf_init(&b, MSGPIPE_MAX + 2);
	err = msgpipe_recv(SPAWN_PIPE_FD, &b, deadline_in(SETTINGS_WAIT_MS),
	    &m);
	if (err == 0) {
		settings_get_rights(&m.body, arena, &rights);
		if (m.type != MON_FORKER || m.body.failed || m.nfds != 0)
			err = ERR_PROTO;
	}
	if (err == 0)
		err = give_up_rights(image, &rights);
	if (err == 0 && image->prepare != NULL)
		err = image->prepare(&m.body, arena);
	if (err == 0)
		err = sandbox_enter(SANDBOX_FORKER, rights.sandbox, NULL, 0);
	buf_wipe_done(&b);
	*ret_mode = err == 0 ? rights.sandbox : 0;
	return err;
}

/* Children are nobody's to wait for; the listener's end closes us. */
static int
forker(const struct image *image)
{
	struct arena *arena = arena_new(ARENA_FIRST);
	struct buf b;
	struct msg m;
	int mode;
	pid_t pid;

	/* SIGTERM is for the children, who have a goodbye to say. */
	if (fdio_ignore(SIGCHLD) != 0 || fdio_ignore(SIGTERM) != 0 ||
	    forker_begin(image, arena, &mode) != 0)
		return EXIT_UNSAFE;
	buf_init(&b, MSGPIPE_MAX + 2);
	while (msgpipe_recv(SPAWN_PIPE_FD, &b, DEADLINE_NEVER, &m) == 0) {
		if (m.type == MON_FORK && m.nfds == 1) {
			pid = fork();
			if (pid == 0) {
				close(SPAWN_PIPE_FD);
				buf_done(&b);
				_exit(serve(image, m.fds[0], true));
			}
			if (pid == -1)
				log_line(LOG_ERR, "fork-failed",
				    ERR_UNAVAIL);
		}
		msg_close_fds(&m);
	}
	buf_done(&b);
	arena_free(arena);
	return 0;
}

int
image_main(int argc, char *argv[], const struct image *image)
{
	log_open(LOG_TO_NONE, image->name, LOG_ERR);
	(void)close_range(SPAWN_PIPE_FD + 1, ~0u, 0);	/* old kernel: then
							 * they stay open */
	if (argc == 2 && strcmp(argv[1], "-f") == 0)
		return forker(image);
	return serve(image, SPAWN_PIPE_FD, false);
}
