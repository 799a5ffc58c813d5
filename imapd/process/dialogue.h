/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * dialogue.h: IMAP before login, as imapd-login and imapd-tls speak it: the
 * greeting, CAPABILITY, ID, NOOP, LOGOUT, STARTTLS, AUTHENTICATE, LOGIN.
 */
#ifndef IMAPD_PROCESS_DIALOGUE_H
#define IMAPD_PROCESS_DIALOGUE_H

#include <stdbool.h>

#include "auth/sasl.h"
#include "base/arena.h"
#include "imapd/process/monitor_client.h"
#include "imapd/process/settings.h"
#include "imapd/wire/wire_in.h"
#include "imapd/wire/wire_out.h"

struct dialogue {
	struct monitor_client *monitor;
	const struct settings *settings;
	const struct settings_peer *peer;	/* of now */
	struct wire_in *in;
	struct wire_out *out;
	const struct sasl_binding *binding;	/* NULL: no TLS of ours */
	bool is_greeted;	/* after STARTTLS there is no greeting */
};

enum dialogue_end {
	DIALOGUE_OVER,		/* the connection is at its end */
	DIALOGUE_STARTTLS,	/* OK has been sent, the monitor told */
	DIALOGUE_LOGIN		/* handed off; output is flushed */
};

enum dialogue_end dialogue_run(struct dialogue *dlg);

#endif
