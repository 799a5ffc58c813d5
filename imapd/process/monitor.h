/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * monitor.h: the monitor's state, for monitor.c (messages, helpers) and
 * monitor_auth.c (who may log in).  Private to the two; others have
 * monitor_run() of connection.h.
 */
#ifndef IMAPD_PROCESS_MONITOR_H
#define IMAPD_PROCESS_MONITOR_H

#include "auth/auth.h"
#include "auth/sasl.h"
#include "base/msgpipe.h"
#include "imapd/process/connection.h"
#include "imapd/process/monitor_msg.h"
#include "imapd/process/settings.h"

#define MONITOR_TRIES	3	/* at logging in, for one connection */
#define MONITOR_MECH	32	/* bytes of a mechanism's name */
#define MONITOR_DIALOG	(2 * AUTH_MESSAGE_MAX)	/* bytes of one step */

/* The rows of the permit table. */
enum { RULE_PROXY, RULE_CERT, RULE_TLS_DONE, RULE_STARTTLS, RULE_PASSWORD,
	RULE_EXTERNAL, RULE_ANONYMOUS, RULE_DIALOG, RULE_DIALOG_NEXT,
	RULE_HANDOFF, NRULES };

struct monitor {
	struct connection *c;
	enum helper helper;
	int pipe;		/* to the helper */
	int relay;		/* our end; -1 without imapd-tls */
	struct msgpipe_rule rules[NRULES];
	struct buf in;		/* the last message */
	struct settings settings;
	struct auth *auth;	/* NULL: nobody has tried yet */
	struct auth_dialog *dialog;	/* SCRAM or CRAM-MD5 under way */
	struct span dialog_user, dialog_mech;
	unsigned tries;
	struct deadline until;
};

/* What a message leads to. */
enum turn { TURN_NEXT, TURN_STARTTLS, TURN_LOGIN, TURN_OVER };

/* monitor_permit(m, rule, n): let a message come n times from now on. */
void monitor_permit(struct monitor *m, unsigned rule, unsigned n);

/* Tries at logging in that are left; a failure may be counted when there are
 * none, so this does not simply subtract. */
static inline unsigned
monitor_tries_left(const struct monitor *m)
{
	return m->tries < MONITOR_TRIES ? MONITOR_TRIES - m->tries : 0;
}

/* monitor_permit_login(m): as many tries as are left. */
void monitor_permit_login(struct monitor *m);

/* monitor_answer(m, type, body): the body is wiped and freed. */
enum turn monitor_answer(struct monitor *m, enum monitor_msg type,
    struct buf *body);

/* monitor_auth_message(m, msg): one of MON_AUTH_*; permitted already. */
enum turn monitor_auth_message(struct monitor *m, struct msg *msg);

/* monitor_auth_drop(m): a dialogue that was begun and not ended: a failure. */
void monitor_auth_drop(struct monitor *m);

#endif
