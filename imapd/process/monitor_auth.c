/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * monitor_auth.c: the monitor's answers to who wants to log in.  The checks are
 * auth/'s; here is what surrounds them: tries, delays, the line in the log, the
 * limit of connections.
 */
#include "base/log.h"
#include "imapd/process/monitor.h"
#include "imapd/process/policy.h"
#include "imapd/process/runfile.h"

#define DELAY_MS	1000	/* after the first failure; doubles */
#define DELAY_MAX_MS	8000
#define FREE_FAILURES	10	/* of an address, before they cost more */
#define AUTH_WAIT_MS	30000	/* for one check of a password */
#define STEPS_MAX	4	/* of one SASL dialogue */

static enum turn
answer_auth(struct monitor *m, enum auth_step step, enum monitor_why why,
    struct span data)
{
	struct buf b;

	buf_init(&b, MSGPIPE_MAX);
	enc_u8(&b, (uint8_t)step);
	enc_u8(&b, (uint8_t)why);
	enc_u8(&b, (uint8_t)monitor_tries_left(m));
	enc_bytes(&b, data);
	return monitor_answer(m, MON_AUTH_ANSWER, &b);
}

static void
note(void *cookie, const char *file, uint64_t line, const char *what)
{
	(void)cookie;
	log_begin(LOG_WARNING, "users-problem");
	log_str("file", file);
	if (line > 0)
		log_uint("line", line);
	log_str("what", what);
	log_end();
}

static struct auth *
get_auth(struct monitor *m)
{
	struct auth_conf *conf;

	if (m->auth == NULL) {
		conf = ARENA_NEW(m->c->arena, struct auth_conf);
		policy_auth(m->c->conf, m->c->arena, conf);
		m->auth = auth_new(conf, note, NULL);
	}
	return m->auth;
}

static struct auth_peer
get_peer(const struct monitor *m)
{
	return (struct auth_peer){ .address = span_str(m->c->remote),
	    .is_tls = m->settings.peer.is_tls, .cert_name = m->c->identity };
}

static enum monitor_why
why_of(enum auth_reason reason)
{
	switch (reason) {
	case AUTH_EXPIRED:
		return WHY_EXPIRED;
	case AUTH_NOT_AUTHORIZED:
		return WHY_AUTHZ;
	case AUTH_UNAVAILABLE:
		return WHY_UNAVAILABLE;
	default:
		return WHY_FAILED;
	}
}

/* The line that fail2ban reads: one stable form, at once (imapd(8)). */
static void
log_failure(const struct monitor *m, struct span user, struct span method,
    const char *reason, const char *mark)
{
	log_begin(LOG_NOTICE, "auth-failed");
	log_span("user", user);
	log_str("rip", m->c->remote[0] == '\0' ? "local" : m->c->remote);
	log_span("method", method);
	log_str("reason", reason);
	log_uint("attempt", m->tries);
	if (mark != NULL)
		log_str("mark", mark);
	log_end();
}

/* After the line, before the answer: one more second each time, and more for
 * an address that goes on failing. */
static void
delay(const struct monitor *m, struct span user)
{
	const char *dir = m->c->conf->run_directory;
	struct span rip = span_str(m->c->remote), who;
	uint64_t ms = DELAY_MS;
	struct buf name;
	unsigned before;

	/* A user name that looks like an address is not counted as one. */
	buf_init(&name, AUTH_NAME_MAX + 1);
	buf_putc(&name, '@');
	buf_put_span(&name, user);
	who = buf_span(&name);
	before = runfile_failures(dir, rip) + runfile_failures(dir, who);
	for (unsigned i = 1; i < m->tries; i++)
		ms *= 2;
	if (before > FREE_FAILURES)
		ms *= 4;
	runfile_failed(dir, rip);
	runfile_failed(dir, who);
	buf_done(&name);
	deadline_sleep(deadline_min(m->until,
	    deadline_in(ms > DELAY_MAX_MS ? DELAY_MAX_MS : ms)));
}

/* reason is AUTH_OK and m->c->user set, or it has failed. */
static enum turn
finish(struct monitor *m, enum auth_reason reason, struct span user,
    struct span method, struct span last, const char *mark)
{
	struct connection *c = m->c;

	if (reason == AUTH_OK && runfile_slot(c->conf->run_directory,
	    span_str(c->user->name), c->conf->max_connections_user,
	    &c->slot) != 0) {
		m->tries++;
		log_begin(LOG_NOTICE, "user-limit");
		log_str("user", c->user->name);
		log_str("rip", c->remote);
		log_uint("limit", c->conf->max_connections_user);
		log_end();
		auth_user_free(c->user);
		c->user = NULL;
		monitor_permit_login(m);
		return answer_auth(m, AUTH_FAILED, WHY_LIMIT, SPAN_NONE);
	}
	if (reason == AUTH_OK) {
		c->method = arena_dup(c->arena, method);
		monitor_permit_login(m);
		monitor_permit(m, RULE_HANDOFF, 1);
		return answer_auth(m, AUTH_DONE, WHY_NONE, last);
	}
	m->tries++;
	log_failure(m, user, method, auth_reason_text(reason), mark);
	delay(m, user);
	monitor_permit_login(m);
	return answer_auth(m, AUTH_FAILED, why_of(reason), SPAN_NONE);
}

void
monitor_auth_drop(struct monitor *m)
{
	auth_dialog_free(m->dialog);
	m->dialog = NULL;
	m->tries++;
	log_failure(m, m->dialog_user, m->dialog_mech,
	    auth_reason_text(AUTH_ABORTED), NULL);
	monitor_permit_login(m);
}

static struct deadline
auth_deadline(const struct monitor *m)
{
	return deadline_min(m->until, deadline_in(AUTH_WAIT_MS));
}

static enum turn
on_password(struct monitor *m, struct dec *d)
{
	struct auth_peer peer = get_peer(m);
	struct span method = dec_bytes(d, MONITOR_MECH);
	struct span authzid = dec_bytes(d, AUTH_NAME_MAX);
	struct span user = dec_bytes(d, AUTH_NAME_MAX);
	struct span password = dec_bytes(d, AUTH_PASSWORD_MAX);
	enum auth_reason reason;
	char mark[AUTH_MARK + 1] = "";

	if (dec_end(d) != 0)
		return TURN_OVER;
	reason = auth_password(get_auth(m), &peer, authzid, user, password,
	    auth_deadline(m), &m->c->user);
	if (reason != AUTH_OK)
		auth_password_mark(get_auth(m), password, mark);
	return finish(m, reason, user, method, SPAN_NONE, mark);
}

static enum turn
on_external(struct monitor *m, struct dec *d)
{
	struct auth_peer peer = get_peer(m);
	struct span authzid = dec_bytes(d, AUTH_NAME_MAX);

	if (dec_end(d) != 0)
		return TURN_OVER;
	return finish(m, auth_external(get_auth(m), &peer, authzid,
	    &m->c->user), m->c->identity, SPAN("EXTERNAL"), SPAN_NONE, NULL);
}

static enum turn
on_anonymous(struct monitor *m, struct dec *d)
{
	struct auth_peer peer = get_peer(m);
	struct span trace = dec_bytes(d, AUTH_PASSWORD_MAX);

	if (dec_end(d) != 0)
		return TURN_OVER;
	return finish(m, auth_anonymous(get_auth(m), &peer, trace,
	    &m->c->user), trace, SPAN("ANONYMOUS"), SPAN_NONE, NULL);
}

/* One message of a SCRAM or CRAM-MD5 conversation to imapd-auth. */
static enum turn
dialog_step(struct monitor *m, struct span data)
{
	enum auth_reason reason = AUTH_UNAVAILABLE;
	enum auth_step step;
	struct buf out;
	enum turn turn;

	buf_init(&out, MONITOR_DIALOG);
	step = auth_dialog_step(m->dialog, data, &out, auth_deadline(m),
	    &m->c->user, &reason);
	if (step == AUTH_CONTINUE) {
		turn = answer_auth(m, AUTH_CONTINUE, WHY_NONE, buf_span(&out));
	} else {
		auth_dialog_free(m->dialog);
		m->dialog = NULL;
		turn = finish(m, step == AUTH_DONE ? AUTH_OK : reason,
		    m->dialog_user, m->dialog_mech, buf_span(&out), NULL);
	}
	buf_wipe_done(&out);
	return turn;
}

static enum turn
on_dialog(struct monitor *m, struct dec *d)
{
	struct auth_peer peer = get_peer(m);
	struct span mech = dec_bytes(d, MONITOR_MECH);
	struct span user = dec_bytes(d, AUTH_NAME_MAX);
	struct span authzid = dec_bytes(d, AUTH_NAME_MAX);
	struct span data = dec_bytes(d, MONITOR_DIALOG);
	int number = sasl_find(mech);

	if (dec_end(d) != 0 || number < 0 ||
	    (m->settings.peer.mechs >> number & 1) == 0)
		return TURN_OVER;
	m->dialog_user = arena_dup(m->c->arena, user);
	m->dialog_mech = arena_dup(m->c->arena, mech);
	if (auth_dialog_new(get_auth(m), &peer, mech, user, authzid,
	    &m->dialog) != 0)
		return finish(m, AUTH_UNAVAILABLE, user, mech, SPAN_NONE, NULL);
	monitor_permit(m, RULE_DIALOG_NEXT, STEPS_MAX);
	return dialog_step(m, data);
}

static enum turn
on_dialog_next(struct monitor *m, struct dec *d)
{
	struct span data = dec_bytes(d, MONITOR_DIALOG);

	if (dec_end(d) != 0 || m->dialog == NULL)
		return TURN_OVER;
	return dialog_step(m, data);
}

enum turn
monitor_auth_message(struct monitor *m, struct msg *msg)
{
	switch (msg->type) {
	case MON_AUTH_PASSWORD:
		return on_password(m, &msg->body);
	case MON_AUTH_EXTERNAL:
		return on_external(m, &msg->body);
	case MON_AUTH_ANONYMOUS:
		return on_anonymous(m, &msg->body);
	case MON_AUTH_DIALOG:
		return on_dialog(m, &msg->body);
	case MON_AUTH_DIALOG_NEXT:
		return on_dialog_next(m, &msg->body);
	default:
		return TURN_OVER;
	}
}
