/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * login_main.c: the program imapd-login: a plain connection until it has logged
 * in or wants TLS.  It links neither the TLS library nor the session.
 */
#include "base/fdio.h"
#include "imapd/process/dialogue.h"
#include "imapd/process/image.h"

struct client {
	int fd, pipe;
};

static int
read_client(void *cookie, void *p, size_t n, struct deadline d, size_t *ret_n)
{
	const struct client *client = cookie;
	int err = image_wait(client->fd, client->pipe, d);

	return err != 0 ? err : fdio_read(client->fd, p, n, d, ret_n);
}

static void
serve(struct monitor_client *mc, const struct settings *s,
    const struct image_fds *fds, struct arena *arena)
{
	struct client client = { fds->in, mc->fd };
	struct settings_peer peer;
	struct dialogue dlg = { .monitor = mc, .settings = s, .peer = &peer };

	if (image_proxy(mc, s, fds, arena, &peer) != 0)
		return;
	if (peer.is_tls_now)
		return;		/* the monitor starts imapd-tls for those */
	dlg.in = wire_in_new((struct wire_source){ read_client, &client });
	dlg.out = wire_out_new_fd(fds->out, s->stall_ms);
	if (dialogue_run(&dlg) == DIALOGUE_OVER)
		image_linger(fds);
	wire_out_free(dlg.out);
	wire_in_free(dlg.in);
}

int
main(int argc, char *argv[])
{
	static const struct image image = { "imapd-login", NULL, serve };

	return image_main(argc, argv, &image);
}
