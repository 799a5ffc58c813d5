/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * monitor_client.h: the monitor's requests as functions, for the processes that
 * may ask them.  An error means that the monitor is gone or has thrown us out;
 * there is nothing left to do but to end.
 */
#ifndef IMAPD_PROCESS_MONITOR_CLIENT_H
#define IMAPD_PROCESS_MONITOR_CLIENT_H

#include <stdbool.h>

#include "auth/sasl.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"
#include "imapd/process/certfile.h"
#include "imapd/process/monitor_msg.h"
#include "imapd/process/proxy.h"
#include "imapd/process/settings.h"

struct monitor_client {
	int fd;
	struct deadline until;
	struct buf in;		/* the last answer */
};

void monitor_client_init(struct monitor_client *mc, int fd,
    struct deadline until);
void monitor_client_done(struct monitor_client *mc);

/* monitor_proxy(): what the PROXY header said; *ret is what follows from it. */
int monitor_proxy(struct monitor_client *mc, const struct proxy_header *h,
    struct arena *arena, struct settings_peer *ret) ERR_CHECK;

/* monitor_cert(): spans of *ret are valid until the next request. */
int monitor_cert(struct monitor_client *mc, struct span name,
    struct cert_files *ret) ERR_CHECK;

struct tls_facts {
	struct span version, cipher, server_name;
	bool is_resumed;
	struct span identity;	/* in the verified client certificate */
};

int monitor_tls_done(struct monitor_client *mc, const struct tls_facts *facts,
    struct arena *arena, struct settings_peer *ret) ERR_CHECK;

int monitor_starttls(struct monitor_client *mc) ERR_CHECK;

struct monitor_answer {
	enum auth_step step;
	enum monitor_why why;
	unsigned tries_left;
	struct span data;	/* valid until the next request */
};

/* monitor_auth(mc, method, req, ret): method is the mechanism, or "LOGIN
 * command" in short: "login". */
int monitor_auth(struct monitor_client *mc, const char *method,
    const struct sasl_request *req, struct monitor_answer *ret) ERR_CHECK;

int monitor_handoff(struct monitor_client *mc, struct span tag,
    struct span unread, struct span client_id) ERR_CHECK;

#endif
