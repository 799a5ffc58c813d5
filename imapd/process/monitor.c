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
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "imapd/process/certfile.h"
#include "imapd/process/monitor.h"
#include "imapd/process/policy.h"

#define GRACE_MS	5000	/* beyond the login's own deadline */
#define CERT_ASKS	6	/* default and name, each twice, and a spare */
#define BYE_MS		2000	/* for the goodbye of a helper */
#define REAP_PAUSE_NS	(2 * 1000 * 1000)
#define FACT_MAX	255	/* bytes of a fact about TLS */

/* ---- the permit table -------------------------------------------------- */

/* Everything closed.  The sizes are those of the fields in monitor_msg.h. */
static const struct msgpipe_rule closed[NRULES] = {
	[RULE_PROXY] = { MON_PROXY, 0, 64, 0 },
	[RULE_CERT] = { MON_CERT, 0, 4 + FACT_MAX, 0 },
	[RULE_TLS_DONE] = { MON_TLS_DONE, 0, 4 * (4 + FACT_MAX) + 1, 0 },
	[RULE_STARTTLS] = { MON_STARTTLS, 0, 0, 0 },
	[RULE_PASSWORD] = { MON_AUTH_PASSWORD, 0, 4 * 4 + MONITOR_MECH +
	    2 * AUTH_NAME_MAX + AUTH_PASSWORD_MAX, 0 },
	[RULE_EXTERNAL] = { MON_AUTH_EXTERNAL, 0, 4 + AUTH_NAME_MAX, 0 },
	[RULE_ANONYMOUS] = { MON_AUTH_ANONYMOUS, 0, 4 + AUTH_PASSWORD_MAX, 0 },
	[RULE_DIALOG] = { MON_AUTH_DIALOG, 0, 4 * 4 + MONITOR_MECH +
	    2 * AUTH_NAME_MAX + MONITOR_DIALOG, 0 },
	[RULE_DIALOG_NEXT] = { MON_AUTH_DIALOG_NEXT, 0,
	    4 + MONITOR_DIALOG, 0 },
	[RULE_HANDOFF] = { MON_HANDOFF, 0, 3 * 4 + MONITOR_TAG_MAX +
	    MONITOR_UNREAD_MAX + MONITOR_ID_MAX, 0 },
};

void
monitor_permit(struct monitor *m, unsigned rule, unsigned n)
{
	m->rules[rule].left = n;
}

static bool
has_mech(const struct monitor *m, enum sasl_mech mech)
{
	return (m->settings.peer.mechs >> mech & 1) != 0;
}

void
monitor_permit_login(struct monitor *m)
{
	/* Who the client is must be known first. */
	unsigned n = m->c->user != NULL || m->settings.want_proxy ? 0 :
	    monitor_tries_left(m);
	bool is_private = m->settings.peer.is_tls ||
	    m->settings.peer.allow_plaintext;

	monitor_permit(m, RULE_PASSWORD, is_private ? n : 0);
	monitor_permit(m, RULE_EXTERNAL, has_mech(m, SASL_EXTERNAL) ? n : 0);
	monitor_permit(m, RULE_ANONYMOUS, has_mech(m, SASL_ANONYMOUS) ? n : 0);
	monitor_permit(m, RULE_DIALOG, has_mech(m, SASL_SCRAM_SHA_256) ||
	    has_mech(m, SASL_CRAM_MD5) ? n : 0);
	monitor_permit(m, RULE_DIALOG_NEXT, 0);
}

/* What a fresh helper may ask. */
static void
permit_start(struct monitor *m)
{
	memcpy(m->rules, closed, sizeof(closed));
	monitor_permit(m, RULE_PROXY, m->settings.want_proxy ? 1 : 0);
	if (m->helper == HELPER_TLS) {
		monitor_permit(m, RULE_CERT, CERT_ASKS);
		monitor_permit(m, RULE_TLS_DONE, 1);
	} else {
		monitor_permit(m, RULE_STARTTLS,
		    m->settings.peer.offer_starttls &&
		    !m->settings.want_proxy ? 1 : 0);
		monitor_permit_login(m);
	}
}

/* ---- answers ----------------------------------------------------------- */

enum turn
monitor_answer(struct monitor *m, enum monitor_msg type, struct buf *body)
{
	int err = msgpipe_send(m->pipe, (uint16_t)type, body, NULL, 0,
	    m->until);

	buf_wipe_done(body);
	return err == 0 ? TURN_NEXT : TURN_OVER;
}

static enum turn
answer_peer(struct monitor *m, enum monitor_msg type)
{
	struct buf b;

	policy_peer(m->c, &m->settings.peer);
	buf_init(&b, MSGPIPE_MAX);
	settings_put_peer(&b, &m->settings.peer);
	return monitor_answer(m, type, &b);
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
	(void)buf_room(&b, MSGPIPE_MAX);	/* no copies left behind */
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
	return monitor_answer(m, MON_CERT_ANSWER, &b);
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
	monitor_permit_login(m);
	return answer_peer(m, MON_TLS_DONE_ANSWER);
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
	/* Anything but the next step ends a dialogue that is open, and with
	 * it a try: this message was let in before that was known. */
	if (msg->type != MON_AUTH_DIALOG_NEXT && m->dialog != NULL) {
		monitor_auth_drop(m);
		if (monitor_tries_left(m) == 0)
			return TURN_OVER;
	}
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
	case MON_AUTH_EXTERNAL:
	case MON_AUTH_ANONYMOUS:
	case MON_AUTH_DIALOG:
	case MON_AUTH_DIALOG_NEXT:
		return monitor_auth_message(m, msg);
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
	/* Ticket keys: a buffer that grows would leave copies of them. */
	if (m->helper == HELPER_TLS)
		(void)buf_room(&b, MSGPIPE_MAX);
	settings_put(&b, &m->settings);
	err = msgpipe_send(m->pipe, MON_SETTINGS, &b, fds,
	    m->helper == HELPER_TLS ? 3 : 2, m->until);
	buf_wipe_done(&b);
	fdio_close(&fds[2]);
	return err;
}

/* Wait for our child, at most until d.  One that died of a signal did what its
 * sandbox forbids, or crashed. */
static int ERR_CHECK
reap(pid_t pid, struct deadline d)
{
	const struct timespec pause = { 0, REAP_PAUSE_NS };
	int status = 0;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (is_deadline_past(d))
			return ERR_TIMEOUT;
		(void)nanosleep(&pause, NULL);
	}
	if (WIFSIGNALED(status)) {
		log_begin(LOG_ERR, "helper-died");
		log_uint("signal", (uint64_t)WTERMSIG(status));
		log_end();
	}
	return 0;
}

/* The helper has done its work: imapd-tls stays after a login; otherwise it
 * ends, and must not read on.  When the connection is over it sees the pipe
 * close, and may say goodbye. */
static void
end_helper(struct monitor *m, enum turn turn)
{
	fdio_close(&m->pipe);
	if (m->c->helper <= 0 ||
	    (turn == TURN_LOGIN && m->helper == HELPER_TLS))
		return;
	if (turn != TURN_OVER || reap(m->c->helper, deadline_in(BYE_MS)) != 0) {
		(void)kill(m->c->helper, SIGKILL);
		while (waitpid(m->c->helper, NULL, 0) == -1 && errno == EINTR)
			continue;
	}
	m->c->helper = 0;
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
		log_begin(LOG_ERR, "helper-failed");
		log_str("directory", m->c->conf->libexec_directory);
		log_err(err);
		log_end();
		return TURN_OVER;
	}
	turn = listen_to_helper(m);
	end_helper(m, turn);
	return turn;
}

static void
init(struct monitor *m, struct connection *c)
{
	const struct config *conf = c->conf;

	*m = (struct monitor){ .c = c, .pipe = -1, .relay = -1,
	    .until = deadline_in(conf->login_timeout + GRACE_MS) };
	buf_init(&m->in, MSGPIPE_MAX + 2);
	policy_rights(conf, c->arena, c->log_to, &m->settings.rights);
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
	/* Whoever holds these can have a process that signs with our key. */
	spawn_forget(c->forkers);
	if (turn != TURN_LOGIN) {
		fdio_close(&m.relay);
		return ERR_EOF;
	}
	c->capability_mask = m.settings.peer.capability_mask;
	if (m.relay != -1)
		connection_take_relay(c, m.relay);
	return 0;
}
