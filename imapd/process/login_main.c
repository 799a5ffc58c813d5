/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * login_main.c: the program imapd-login: a plain connection until it has logged
 * in or wants TLS.  It links neither the TLS library nor the session.
 */
#include <signal.h>

#include "imapd/process/dialogue.h"
#include "imapd/process/image.h"

static void
serve(struct monitor_client *mc, const struct settings *s,
    const struct image_fds *fds, struct arena *arena)
{
	struct settings_peer peer;
	struct dialogue dlg = { .monitor = mc, .settings = s, .peer = &peer };

	if (image_proxy(mc, s, fds, arena, &peer) != 0)
		return;
	if (peer.is_tls_now)
		return;		/* the monitor starts imapd-tls for those */
	dlg.in = wire_in_new_fd(fds->in);
	dlg.out = wire_out_new_fd(fds->out, s->stall_ms);
	(void)dialogue_run(&dlg);	/* the monitor knows how it ended */
	wire_out_free(dlg.out);
	wire_in_free(dlg.in);
}

int
main(int argc, char *argv[])
{
	static const struct image image = { "imapd-login", NULL, serve };

	return image_main(argc, argv, &image);
}
