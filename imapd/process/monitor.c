/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * monitor.c: the process with the rights, until somebody has logged in.
 *
 * It reads nothing that a client wrote, only messages of imapd-login or
 * imapd-tls, and believes none of them: the permit table says which may come
 * now, how often, and how large it may be; every check of the dialogue is made
 * here again; tries are counted and delays slept here.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/sasl.h"
#include "base/log.h"
#include "base/msgpipe.h"
#include "imapd/process/certfile.h"
#include "imapd/process/connection.h"
#include "imapd/process/monitor_msg.h"
#include "imapd/process/policy.h"
#include "imapd/process/runfile.h"

#define TRIES_MAX	3
#define DELAY_MS	1000	/* after the first failure; doubles */
#define DELAY_MAX_MS	8000
#define FREE_FAILURES	10	/* of an address, before they cost time */
#define GRACE_MS	5000	/* beyond the login's own deadline */
#define AUTH_WAIT_MS	30000	/* for one check of a password */
#define CERT_ASKS	6	/* default and name, each twice, and a spare */
#define STEPS_MAX	4	/* of one SASL dialogue */
#define MECH_MAX	32	/* bytes of a mechanism's name */
#define FACT_MAX	255

enum { RULE_PROXY, RULE_CERT, RULE_TLS_DONE, RULE_STARTTLS, RULE_PASSWORD,
	RULE_EXTERNAL, RULE_ANONYMOUS, RULE_DIALOG, RULE_DIALOG_NEXT,
	RULE_HANDOFF, NRULES };

struct monitor {
	struct connection *c;
	enum helper helper;
	int pipe;
	int relay;		/* our end; -1 without imapd-tls */
	struct msgpipe_rule rules[NRULES];
	struct buf in;
	struct settings settings;
	struct auth *auth;
	struct auth_dialog *dialog;
	struct span dialog_user, dialog_mech;
	unsigned tries;
	struct deadline until;
};

/* What a message leads to. */
enum turn { TURN_NEXT, TURN_STARTTLS, TURN_LOGIN, TURN_OVER };

/* ---- the permit table -------------------------------------------------- */

/* Everything closed.  The sizes are those of the fields in monitor_msg.h. */
static const struct msgpipe_rule closed[NRULES] = {
	[RULE_PROXY] = { MON_PROXY, 0, 64, 0 },
	[RULE_CERT] = { MON_CERT, 0, 4 + FACT_MAX, 0 },
	[RULE_TLS_DONE] = { MON_TLS_DONE, 0, 4 * (4 + FACT_MAX) + 1, 0 },
	[RULE_STARTTLS] = { MON_STARTTLS, 0, 0, 0 },
	[RULE_PASSWORD] = { MON_AUTH_PASSWORD, 0, 4 * 4 + MECH_MAX +
	    2 * AUTH_NAME_MAX + AUTH_PASSWORD_MAX, 0 },
	[RULE_EXTERNAL] = { MON_AUTH_EXTERNAL, 0, 4 + AUTH_NAME_MAX, 0 },
	[RULE_ANONYMOUS] = { MON_AUTH_ANONYMOUS, 0, 4 + AUTH_PASSWORD_MAX, 0 },
	[RULE_DIALOG] = { MON_AUTH_DIALOG, 0, 4 * 4 + MECH_MAX +
	    2 * AUTH_NAME_MAX + 2 * AUTH_MESSAGE_MAX, 0 },
	[RULE_DIALOG_NEXT] = { MON_AUTH_DIALOG_NEXT, 0,
	    4 + 2 * AUTH_MESSAGE_MAX, 0 },
	[RULE_HANDOFF] = { MON_HANDOFF, 0, 3 * 4 + MONITOR_TAG_MAX +
	    MONITOR_UNREAD_MAX + MONITOR_ID_MAX, 0 },
};

/* Let a message come n times from now on. */
static void
permit(struct monitor *m, unsigned rule, unsigned n)
{
	m->rules[rule].left = n;
}

static bool
has_mech(const struct monitor *m, enum sasl_mech mech)
{
	return (m->settings.peer.mechs >> mech & 1) != 0;
}

/* Tries at logging in that are possible now; 0: none. */
static void
permit_login(struct monitor *m, unsigned n)
{
	bool is_private = m->settings.peer.is_tls ||
	    m->settings.peer.allow_plaintext;

	permit(m, RULE_PASSWORD, is_private ? n : 0);
	permit(m, RULE_EXTERNAL, has_mech(m, SASL_EXTERNAL) ? n : 0);
	permit(m, RULE_ANONYMOUS, has_mech(m, SASL_ANONYMOUS) ? n : 0);
	permit(m, RULE_DIALOG, has_mech(m, SASL_SCRAM_SHA_256) ||
	    has_mech(m, SASL_CRAM_MD5) ? n : 0);
	permit(m, RULE_DIALOG_NEXT, 0);
}

/* What a fresh helper may do. */
static void
permit_start(struct monitor *m)
{
	memcpy(m->rules, closed, sizeof(closed));
	permit(m, RULE_PROXY, m->settings.want_proxy ? 1 : 0);
	if (m->helper == HELPER_TLS) {
		permit(m, RULE_CERT, CERT_ASKS);
		permit(m, RULE_TLS_DONE, 1);
	} else {
		permit(m, RULE_STARTTLS,
		    m->settings.peer.offer_starttls ? 1 : 0);
		permit_login(m, TRIES_MAX - m->tries);
	}
}

/* ---- answers ----------------------------------------------------------- */

static enum turn
answer(struct monitor *m, enum monitor_msg type, struct buf *body)
{
	int err = msgpipe_send(m->pipe, (uint16_t)type, body, NULL, 0,
	    m->until);

	buf_wipe_done(body);
	return err == 0 ? TURN_NEXT : TURN_OVER;
}

static enum turn
answer_auth(struct monitor *m, enum auth_step step, enum monitor_why why,
    struct span data)
{
	struct buf b;

	buf_init(&b, MSGPIPE_MAX);
	enc_u8(&b, (uint8_t)step);
	enc_u8(&b, (uint8_t)why);
	enc_u8(&b, (uint8_t)(TRIES_MAX - m->tries));
	enc_bytes(&b, data);
	return answer(m, MON_AUTH_ANSWER, &b);
}

static enum turn
answer_peer(struct monitor *m, enum monitor_msg type)
{
	struct buf b;

	policy_peer(m->c, &m->settings.peer);
	buf_init(&b, MSGPIPE_MAX);
	settings_put_peer(&b, &m->settings.peer);
	return answer(m, type, &b);
}

/* ---- the connection ---------------------------------------------------- */

/* The addresses of a PROXY header; asked of peers in proxy_networks only. */
static enum turn
on_proxy(struct monitor *m, struct dec *d)
{
	struct connection *c = m->c;
	struct peer peer = { .has_address = dec_u8(d) != 0 };
	struct span remote = dec_bytes(d, 16), local;
	bool is_tls;

	peer.remote_port = dec_u16(d);
	local = dec_bytes(d, 16);
	peer.local_port = dec_u16(d);
	is_tls = dec_u8(d) != 0;
	if (dec_end(d) != 0 || remote.n != 16 || local.n != 16)
		return TURN_OVER;
	memcpy(peer.remote.b, remote.p, 16);
	memcpy(peer.local.b, local.p, 16);
	/* LOCAL and UNKNOWN: the proxy itself is the client. */
	if (peer.has_address)
		connection_set_peer(c, &peer);
	c->is_tls_outside |= is_tls;
	m->settings.want_proxy = false;
	if (m->helper == HELPER_TLS)
		return answer_peer(m, MON_PROXY_ANSWER);
	policy_peer(c, &m->settings.peer);
	permit_start(m);
	return answer_peer(m, MON_PROXY_ANSWER);
}

static enum turn
on_cert(struct monitor *m, struct dec *d)
{
	struct span name = dec_bytes(d, FACT_MAX);
	const char *path;
	struct buf b;
	int err;

	if (dec_end(d) != 0)
		return TURN_OVER;
	buf_init(&b, MSGPIPE_MAX);
	err = certfile_put(m->c->conf, m->c->arena, name, &b, &path);
	if (err != 0) {
		if (err != ERR_SYNTAX) {
			log_begin(LOG_ERR, "certificate-unreadable");
			log_str("file", path);
			log_err(err);
			log_end();
		}
		buf_clear(&b);
		enc_u8(&b, 0);
	}
	return answer(m, MON_CERT_ANSWER, &b);
}

static enum turn
on_tls_done(struct monitor *m, struct dec *d)
{
	struct connection *c = m->c;
	struct span version = dec_bytes(d, FACT_MAX);
	struct span cipher = dec_bytes(d, FACT_MAX);
	struct span name = dec_bytes(d, FACT_MAX);
	bool is_resumed = dec_u8(d) != 0;
	struct span identity = dec_bytes(d, FACT_MAX);
	struct buf text;

	if (dec_end(d) != 0)
		return TURN_OVER;
	buf_init(&text, 4 * FACT_MAX);
	buf_put_span(&text, version);
	buf_putc(&text, ' ');
	buf_put_span(&text, cipher);
	if (name.n > 0) {
		buf_puts(&text, " sni=");
		buf_put_span(&text, name);
	}
	buf_puts(&text, is_resumed ? " resumed" : "");
	c->tls = arena_dup(c->arena, buf_span(&text));
	buf_done(&text);
	c->identity = arena_dup(c->arena, identity);
	c->is_tls = true;
	c->is_tls_now = false;
	policy_peer(c, &m->settings.peer);
	permit_login(m, TRIES_MAX - m->tries);
	return answer_peer(m, MON_TLS_DONE_ANSWER);
}

/* ---- login ------------------------------------------------------------- */

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
    const char *reason)
{
	log_begin(LOG_NOTICE, "auth-failed");
	log_span("user", user);
	log_str("rip", m->c->remote[0] == '\0' ? "local" : m->c->remote);
	log_span("method", method);
	log_str("reason", reason);
	log_uint("attempt", m->tries);
	log_end();
}

/* After the line, before the answer: one more second each time, and more for
 * an address that goes on failing. */
static void
delay(const struct monitor *m, struct span user)
{
	const char *dir = m->c->conf->run_directory;
	struct span rip = span_str(m->c->remote);
	unsigned before = runfile_failures(dir, rip);
	uint64_t ms = DELAY_MS;

	for (unsigned i = 1; i < m->tries; i++)
		ms *= 2;
	if (before > FREE_FAILURES)
		ms *= 4;
	runfile_failed(dir, rip);
	runfile_failed(dir, user);
	deadline_sleep(deadline_min(m->until,
	    deadline_in(ms > DELAY_MAX_MS ? DELAY_MAX_MS : ms)));
}

/* reason is AUTH_OK and m->c->user set, or it has failed. */
static enum turn
finish(struct monitor *m, enum auth_reason reason, struct span user,
    struct span method, struct span last)
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
		return answer_auth(m, AUTH_FAILED, WHY_LIMIT, SPAN_NONE);
	}
	if (reason == AUTH_OK) {
		c->method = arena_dup(c->arena, method);
		permit_login(m, 0);
		permit(m, RULE_HANDOFF, 1);
		return answer_auth(m, AUTH_DONE, WHY_NONE, last);
	}
	m->tries++;
	log_failure(m, user, method, auth_reason_text(reason));
	delay(m, user);
	permit_login(m, TRIES_MAX - m->tries);
	return answer_auth(m, AUTH_FAILED, why_of(reason), SPAN_NONE);
}

/* A dialogue that was begun and not ended counts as a failure. */
static void
drop_dialog(struct monitor *m)
{
	if (m->dialog == NULL)
		return;
	auth_dialog_free(m->dialog);
	m->dialog = NULL;
	m->tries++;
	log_failure(m, m->dialog_user, m->dialog_mech,
	    auth_reason_text(AUTH_ABORTED));
	permit_login(m, TRIES_MAX - m->tries);
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
	struct span method = dec_bytes(d, MECH_MAX);
	struct span authzid = dec_bytes(d, AUTH_NAME_MAX);
	struct span user = dec_bytes(d, AUTH_NAME_MAX);
	struct span password = dec_bytes(d, AUTH_PASSWORD_MAX);

	if (dec_end(d) != 0)
		return TURN_OVER;
	return finish(m, auth_password(get_auth(m), &peer, authzid, user,
	    password, auth_deadline(m), &m->c->user), user, method,
	    SPAN_NONE);
}

static enum turn
on_external(struct monitor *m, struct dec *d)
{
	struct auth_peer peer = get_peer(m);
	struct span authzid = dec_bytes(d, AUTH_NAME_MAX);

	if (dec_end(d) != 0)
		return TURN_OVER;
	return finish(m, auth_external(get_auth(m), &peer, authzid,
	    &m->c->user), m->c->identity, SPAN("EXTERNAL"), SPAN_NONE);
}

static enum turn
on_anonymous(struct monitor *m, struct dec *d)
{
	struct auth_peer peer = get_peer(m);
	struct span trace = dec_bytes(d, AUTH_PASSWORD_MAX);

	if (dec_end(d) != 0)
		return TURN_OVER;
	return finish(m, auth_anonymous(get_auth(m), &peer, trace,
	    &m->c->user), trace, SPAN("ANONYMOUS"), SPAN_NONE);
}

/* One message of a SCRAM or CRAM-MD5 conversation to imapd-auth. */
static enum turn
dialog_step(struct monitor *m, struct span data)
{
	enum auth_reason reason = AUTH_UNAVAILABLE;
	enum auth_step step;
	struct buf out;
	enum turn turn;

	buf_init(&out, 2 * AUTH_MESSAGE_MAX);
	step = auth_dialog_step(m->dialog, data, &out, auth_deadline(m),
	    &m->c->user, &reason);
	if (step == AUTH_CONTINUE) {
		turn = answer_auth(m, AUTH_CONTINUE, WHY_NONE, buf_span(&out));
	} else {
		auth_dialog_free(m->dialog);
		m->dialog = NULL;
		turn = finish(m, step == AUTH_DONE ? AUTH_OK : reason,
		    m->dialog_user, m->dialog_mech, buf_span(&out));
	}
	buf_wipe_done(&out);
	return turn;
}

static enum turn
on_dialog(struct monitor *m, struct dec *d)
{
	struct auth_peer peer = get_peer(m);
	struct span mech = dec_bytes(d, MECH_MAX);
	struct span user = dec_bytes(d, AUTH_NAME_MAX);
	struct span authzid = dec_bytes(d, AUTH_NAME_MAX);
	struct span data = dec_bytes(d, 2 * AUTH_MESSAGE_MAX);
	int number = sasl_find(mech);

	if (dec_end(d) != 0 || number < 0 ||
	    !has_mech(m, (enum sasl_mech)number))
		return TURN_OVER;
	m->dialog_user = arena_dup(m->c->arena, user);
	m->dialog_mech = arena_dup(m->c->arena, mech);
	if (auth_dialog_new(get_auth(m), &peer, mech, user, authzid,
	    &m->dialog) != 0)
		return finish(m, AUTH_UNAVAILABLE, user, mech, SPAN_NONE);
	permit(m, RULE_DIALOG_NEXT, STEPS_MAX);
	return dialog_step(m, data);
}

static enum turn
on_dialog_next(struct monitor *m, struct dec *d)
{
	struct span data = dec_bytes(d, 2 * AUTH_MESSAGE_MAX);

	if (dec_end(d) != 0 || m->dialog == NULL)
		return TURN_OVER;
	return dialog_step(m, data);
}

static enum turn
on_handoff(struct monitor *m, struct dec *d)
{
	struct connection *c = m->c;
	struct span tag = dec_bytes(d, MONITOR_TAG_MAX);
	struct span unread = dec_bytes(d, MONITOR_UNREAD_MAX);
	struct span client_id = dec_bytes(d, MONITOR_ID_MAX);

	if (dec_end(d) != 0 || tag.n == 0 || c->user == NULL)
		return TURN_OVER;
	c->tag = arena_dup(c->arena, tag);
	c->unread = arena_dup(c->arena, unread);
	c->client_id = arena_dup(c->arena, client_id);
	return TURN_LOGIN;
}

/* ---- the loop ---------------------------------------------------------- */

static enum turn
dispatch(struct monitor *m, struct msg *msg)
{
	/* Anything but the next step ends a dialogue that is open. */
	if (msg->type != MON_AUTH_DIALOG_NEXT)
		drop_dialog(m);
	switch (msg->type) {
	case MON_PROXY:
		return on_proxy(m, &msg->body);
	case MON_CERT:
		return on_cert(m, &msg->body);
	case MON_TLS_DONE:
		return on_tls_done(m, &msg->body);
	case MON_STARTTLS:
		return TURN_STARTTLS;
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
	case MON_HANDOFF:
		return on_handoff(m, &msg->body);
	default:
		return TURN_OVER;
	}
}

/* Messages until the helper ends or hands over. */
static enum turn
listen_to_helper(struct monitor *m)
{
	enum turn turn = TURN_NEXT;
	struct msg msg;

	while (turn == TURN_NEXT) {
		if (msgpipe_recv(m->pipe, &m->in, m->until, &msg) != 0)
			return TURN_OVER;
		if (msgpipe_permit(m->rules, NRULES, &msg) != 0) {
			log_begin(LOG_ERR, "monitor-refused");
			log_uint("type", msg.type);
			log_str("rip", m->c->remote);
			log_end();
			msg_close_fds(&msg);
			return TURN_OVER;
		}
		turn = dispatch(m, &msg);
	}
	return turn;
}

/* Start imapd-login or imapd-tls and give it the client. */
static int ERR_CHECK
start_helper(struct monitor *m)
{
	struct connection *c = m->c;
	int fds[3] = { c->fd_in, c->fd_out, -1 }, err, pair[2];
	struct buf b;

	err = spawn_helper(c->conf->libexec_directory, m->helper, c->forkers,
	    &m->pipe, &c->helper);
	if (err != 0)
		return err;
	if (m->helper == HELPER_TLS) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
		    pair) == -1)
			return ERR_UNAVAIL;
		/* The TLS library reads with read(2), and must not block. */
		if (fcntl(c->fd_in, F_SETFL, O_RDWR | O_NONBLOCK) == -1 ||
		    fcntl(c->fd_out, F_SETFL, O_RDWR | O_NONBLOCK) == -1)
			return ERR_IO;
		m->relay = pair[0];
		fds[2] = pair[1];
		policy_tls(c->conf, c->arena, &m->settings.tls);
	}
	buf_init(&b, MSGPIPE_MAX);
	settings_put(&b, &m->settings);
	err = msgpipe_send(m->pipe, MON_SETTINGS, &b, fds,
	    m->helper == HELPER_TLS ? 3 : 2, m->until);
	buf_wipe_done(&b);
	fdio_close(&fds[2]);
	return err;
}

/* The helper has done its work: imapd-login ends, imapd-tls stays. */
static void
end_helper(struct monitor *m, bool is_staying)
{
	fdio_close(&m->pipe);
	if (is_staying)
		return;
	if (m->c->helper > 0) {
		/* It has nothing left to do, and must not read on. */
		(void)kill(m->c->helper, SIGKILL);
		while (waitpid(m->c->helper, NULL, 0) == -1 && errno == EINTR)
			continue;
		m->c->helper = 0;
	}
}

static enum turn
run_helper(struct monitor *m, enum helper helper)
{
	enum turn turn;
	int err;

	m->helper = helper;
	policy_peer(m->c, &m->settings.peer);
	permit_start(m);
	if ((err = start_helper(m)) != 0) {
		log_line(LOG_ERR, "helper-failed", err);
		return TURN_OVER;
	}
	turn = listen_to_helper(m);
	end_helper(m, turn == TURN_LOGIN && helper == HELPER_TLS);
	return turn;
}

static void
init(struct monitor *m, struct connection *c)
{
	const struct config *conf = c->conf;

	*m = (struct monitor){ .c = c, .pipe = -1, .relay = -1,
	    .until = deadline_in(conf->login_timeout + GRACE_MS) };
	buf_init(&m->in, MSGPIPE_MAX + 2);
	policy_rights(conf, c->log_to, &m->settings.rights);
	m->settings.tls.ciphers = "";
	m->settings.until = deadline_in(conf->login_timeout);
	m->settings.stall_ms = conf->login_timeout;
	m->settings.session = span_str(c->id);
	m->settings.id = span_str(conf->id == NULL ? "" : conf->id);
	m->settings.want_proxy = c->peer.has_address &&
	    is_config_net(&conf->proxy_networks, &c->peer.remote);
}

int
monitor_run(struct connection *c)
{
	struct monitor m;
	enum turn turn;

	init(&m, c);
	turn = run_helper(&m, c->is_tls_now ? HELPER_TLS : HELPER_LOGIN);
	if (turn == TURN_STARTTLS) {
		m.settings.is_starttls = true;
		m.settings.want_proxy = false;
		c->is_tls_now = true;
		turn = run_helper(&m, HELPER_TLS);
	}
	auth_dialog_free(m.dialog);
	auth_free(m.auth);
	buf_wipe_done(&m.in);
	explicit_bzero(&m.settings.tls, sizeof(m.settings.tls));
	if (turn != TURN_LOGIN) {
		fdio_close(&m.relay);
		return ERR_EOF;
	}
	c->capability_mask = m.settings.peer.capability_mask;
	if (m.relay != -1)
		connection_take_relay(c, m.relay);
	return 0;
}
