/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * dialogue.c: the not authenticated state (RFC 3501 3.1, RFC 9051 3.1).
 *
 * Everything here happens in a process without rights.  What it may do wrong is
 * bounded by the monitor: the number of tries, the delay after each, the time.
 */

#include "base/base64.h"
#include "imapd/command/capability.h"
#include "imapd/process/dialogue.h"
#include "imapd/wire/command_table.h"
#include "imapd/wire/fmt.h"
#include "imapd/wire/read_command.h"
#include "imapd/wire/reply.h"

#define LINE_MAX_LOGIN	(8 * 1024)
#define LITERAL_MAX	(4 * 1024)
#define DROP_MAX	(64 * 1024)
#define BAD_MAX		10	/* bad commands in a row */
#define COMMANDS_MAX	200	/* before login altogether */
#define SASL_LINE_MAX	(AUTH_MESSAGE_MAX * 4 / 3 + 8)

/* What a command leads to. */
enum next { NEXT_COMMAND, NEXT_BAD, NEXT_OVER, NEXT_STARTTLS, NEXT_LOGIN };

struct state {
	struct dialogue *dlg;
	struct read_command *rc;
	struct buf client_id;
};

/* ---- what is offered --------------------------------------------------- */

static bool
is_private(const struct settings_peer *peer)
{
	return peer->is_tls || peer->allow_plaintext;
}

/* Whether a mechanism can be used on this connection as it is now. */
static bool
is_offered(const struct dialogue *dlg, enum sasl_mech mech)
{
	if ((dlg->peer->mechs >> mech & 1) == 0)
		return false;
	if (is_sasl_plus(mech))
		return dlg->binding != NULL;
	return !is_sasl_plaintext(mech) || is_private(dlg->peer);
}

static bool
is_plus_offered(const struct dialogue *dlg)
{
	for (int i = 0; i < SASL_NMECH; i++)
		if (is_sasl_plus((enum sasl_mech)i) &&
		    is_offered(dlg, (enum sasl_mech)i))
			return true;
	return false;
}

/* capability-data of RFC 3501 7.2.1, without "* " and the line end. */
static void
put_capabilities(const struct dialogue *dlg, struct buf *b)
{
	unsigned now = CAPABILITY_LOGIN;

	if (dlg->peer->offer_starttls)
		now |= CAPABILITY_STARTTLS;
	if (!is_private(dlg->peer))
		now |= CAPABILITY_NO_PLAINTEXT;
	buf_puts(b, "CAPABILITY ");
	capability_put(b, now, dlg->peer->capability_mask, 0);
	for (int i = 0; i < SASL_NMECH; i++) {
		if (!is_offered(dlg, (enum sasl_mech)i))
			continue;
		buf_puts(b, " AUTH=");
		buf_puts(b, sasl_name((enum sasl_mech)i));
	}
}

static void
greet(struct dialogue *dlg)
{
	struct buf *b;

	reply_begin(dlg->out, SPAN_NONE, REPLY_OK);
	b = wire_out_buf(dlg->out);
	buf_putc(b, '[');
	put_capabilities(dlg, b);
	buf_puts(b, "] imapd ready");
	reply_end(dlg->out);
}

/* ---- simple commands --------------------------------------------------- */

static enum next
run_capability(struct state *st, const struct command *cmd)
{
	struct buf *b = wire_out_buf(st->dlg->out);

	buf_puts(b, "* ");
	put_capabilities(st->dlg, b);
	buf_puts(b, "\r\n");
	reply_tagged(st->dlg->out, cmd->tag, REPLY_OK, NULL, "listed");
	return NEXT_COMMAND;
}

static enum next
run_noop(struct state *st, const struct command *cmd)
{
	reply_tagged(st->dlg->out, cmd->tag, REPLY_OK, NULL, "nothing to do");
	return NEXT_COMMAND;
}

static enum next
run_logout(struct state *st, const struct command *cmd)
{
	reply_untagged(st->dlg->out, REPLY_BYE, NULL, "logging out");
	reply_tagged(st->dlg->out, cmd->tag, REPLY_OK, NULL, "goodbye");
	return NEXT_OVER;
}

/* Remember "name version" for the log (RFC 2971 3.3). */
static void
keep_client_id(struct state *st, const struct spans *kv)
{
	static const char *const wanted[] = { "name", "version" };

	buf_clear(&st->client_id);
	for (size_t w = 0; w < 2; w++) {
		for (size_t i = 0; i + 1 < kv->n; i += 2) {
			if (!is_span_ieq(kv->v[i], span_str(wanted[w])))
				continue;
			if (st->client_id.n > 0)
				buf_putc(&st->client_id, ' ');
			buf_put_span(&st->client_id,
			    span_take(kv->v[i + 1], 128));
		}
	}
}

/* "* ID (...)" from words name=value. */
static enum next
run_id(struct state *st, const struct command *cmd)
{
	struct buf *b = wire_out_buf(st->dlg->out);
	struct span rest = st->dlg->settings->id, word, name;
	bool is_first = true;

	keep_client_id(st, &cmd->u.ident.kv);
	buf_puts(b, "* ID ");
	while ((word = config_word(&rest)).n > 0) {
		name = span_split(&word, '=');
		if (word.p == NULL)
			continue;
		buf_puts(b, is_first ? "(" : " ");
		is_first = false;
		fmt_string(b, name, false);
		buf_putc(b, ' ');
		fmt_string(b, word, false);
	}
	buf_puts(b, is_first ? "NIL\r\n" : ")\r\n");
	reply_tagged(st->dlg->out, cmd->tag, REPLY_OK, NULL, "pleased to meet");
	return NEXT_COMMAND;
}

static enum next
run_starttls(struct state *st, const struct command *cmd)
{
	struct dialogue *dlg = st->dlg;

	if (!dlg->peer->offer_starttls) {
		reply_tagged(dlg->out, cmd->tag, REPLY_BAD, NULL,
		    dlg->peer->is_tls ? "TLS is on already" :
		    "TLS is not available");
		return NEXT_BAD;
	}
	/* Whatever was sent behind it in the clear is dropped with this
	 * process (RFC 9051 6.2.1; CVE-2011-0411). */
	reply_tagged(dlg->out, cmd->tag, REPLY_OK, NULL, "begin TLS now");
	if (wire_out_flush(dlg->out) != 0 ||
	    monitor_starttls(dlg->monitor) != 0)
		return NEXT_OVER;
	return NEXT_STARTTLS;
}

/* ---- login ------------------------------------------------------------- */

static void
refuse(struct state *st, struct span tag, enum monitor_why why)
{
	static const struct {
		const char *code, *text;
	} answers[] = {
		[WHY_NONE] = { NULL, "login failed" },
		[WHY_FAILED] = { "AUTHENTICATIONFAILED",
		    "wrong user name or password" },
		[WHY_EXPIRED] = { "EXPIRED", "the password has expired" },
		[WHY_AUTHZ] = { "AUTHORIZATIONFAILED",
		    "not allowed to act for that user" },
		[WHY_LIMIT] = { "LIMIT",
		    "too many connections of this user" },
		[WHY_UNAVAILABLE] = { "UNAVAILABLE",
		    "login is not possible now, try again later" },
		[WHY_PRIVACY] = { "PRIVACYREQUIRED",
		    "not without TLS: use STARTTLS or port 993" },
	};

	reply_tagged(st->dlg->out, tag, REPLY_NO, answers[why].code,
	    answers[why].text);
}

/* After a refusal by the monitor. */
static enum next
after_refusal(struct state *st, struct span tag,
    const struct monitor_answer *answer)
{
	refuse(st, tag, answer->why);
	if (answer->tries_left > 0)
		return NEXT_COMMAND;
	reply_untagged(st->dlg->out, REPLY_BYE, NULL,
	    "too many failed logins");
	return NEXT_OVER;
}

/* The monitor has said yes: give it the rest.  The answer to the command is the
 * session's. */
static enum next
hand_off(struct state *st, struct span tag)
{
	struct dialogue *dlg = st->dlg;
	struct span unread = wire_in_take(dlg->in);

	if (wire_out_flush(dlg->out) != 0 ||
	    unread.n > MONITOR_UNREAD_MAX ||
	    monitor_handoff(dlg->monitor, tag, unread,
	    buf_span(&st->client_id)) != 0)
		return NEXT_OVER;
	return NEXT_LOGIN;
}

static enum next
run_login(struct state *st, const struct command *cmd)
{
	struct dialogue *dlg = st->dlg;
	const struct login_args *args = &cmd->u.login;
	struct sasl_request req = { .ask = SASL_ASK_PASSWORD,
	    .user = args->user, .password = args->password };
	struct monitor_answer answer;

	if (!is_private(dlg->peer)) {
		refuse(st, cmd->tag, WHY_PRIVACY);
		return NEXT_COMMAND;
	}
	if (args->user.n == 0 || args->user.n > AUTH_NAME_MAX ||
	    args->password.n > AUTH_PASSWORD_MAX) {
		refuse(st, cmd->tag, WHY_FAILED);
		return NEXT_BAD;
	}
	if (monitor_auth(dlg->monitor, "LOGIN", &req, &answer) != 0)
		return NEXT_OVER;
	if (answer.step != AUTH_DONE)
		return after_refusal(st, cmd->tag, &answer);
	return hand_off(st, cmd->tag);
}

/*
 * continue-req = "+" SP base64 CRLF, and the client's answer: base64 CRLF or
 * "*" CRLF to cancel (RFC 3501 6.2.2).  ERR_DENIED: cancelled.
 */
static int ERR_CHECK
exchange(struct dialogue *dlg, struct span challenge, struct buf *ret)
{
	struct buf text;
	int err;

	buf_init(&text, SASL_LINE_MAX);
	base64_put(&text, challenge);
	reply_continue(dlg->out, buf_span(&text));
	buf_clear(&text);
	buf_clear(ret);
	err = wire_out_flush(dlg->out);
	if (err == 0)
		err = wire_in_line(dlg->in, &text, dlg->settings->until);
	if (err == 0 && is_span_eq(buf_span(&text), SPAN("*")))
		err = ERR_DENIED;
	if (err == 0)
		err = base64_get(buf_span(&text), ret);
	buf_wipe_done(&text);
	return err;
}

/* The initial response of SASL-IR (RFC 4959): base64, or "=" for empty. */
static int ERR_CHECK
initial_response(const struct auth_args *args, struct buf *ret)
{
	if (is_span_eq(args->initial, SPAN("=")))
		return 0;
	return base64_get(args->initial, ret);
}

/* One conversation with client and monitor in turn.  0: *ret_answer is the
 * monitor's last word.  ERR_SYNTAX, ERR_LIMIT, ERR_DENIED: the client's fault,
 * to be answered; everything else: the end. */
static int ERR_CHECK
converse(struct state *st, const struct auth_args *args, struct sasl *sasl,
    const char *method, struct buf *in, struct monitor_answer *ret_answer)
{
	struct dialogue *dlg = st->dlg;
	enum sasl_outcome outcome = SASL_CHALLENGE;
	struct sasl_request req;
	struct buf out;
	int err = 0;

	buf_init(&out, 2 * AUTH_MESSAGE_MAX);
	if (args->has_initial) {
		if ((err = initial_response(args, in)) == 0)
			outcome = sasl_step(sasl, buf_span(in), &out, &req);
	} else {
		outcome = sasl_start(sasl, &out);
	}
	while (err == 0 && outcome != SASL_OK && outcome != SASL_FAIL) {
		if (outcome == SASL_BAD) {
			err = ERR_SYNTAX;
		} else if (outcome == SASL_ASK) {
			err = monitor_auth(dlg->monitor, method, &req,
			    ret_answer);
			buf_clear(&out);
			if (err == 0)
				outcome = sasl_answer(sasl, ret_answer->step,
				    ret_answer->data, &out);
		} else if ((err = exchange(dlg, buf_span(&out), in)) == 0) {
			buf_clear(&out);
			outcome = sasl_step(sasl, buf_span(in), &out, &req);
		}
	}
	buf_wipe_done(&out);
	return err;
}

static enum next
run_authenticate(struct state *st, const struct command *cmd)
{
	struct dialogue *dlg = st->dlg;
	struct monitor_answer answer = { .step = AUTH_FAILED,
	    .why = WHY_FAILED, .tries_left = 1 };
	int mech = sasl_find(cmd->u.auth.mechanism), err;
	struct sasl *sasl;
	struct buf in;

	if (mech < 0 || !is_offered(dlg, (enum sasl_mech)mech)) {
		if (mech >= 0 && is_sasl_plaintext((enum sasl_mech)mech) &&
		    !is_private(dlg->peer))
			refuse(st, cmd->tag, WHY_PRIVACY);
		else
			reply_tagged(dlg->out, cmd->tag, REPLY_NO, "CANNOT",
			    "no such mechanism");
		return NEXT_BAD;
	}
	sasl = sasl_new((enum sasl_mech)mech, dlg->binding,
	    is_plus_offered(dlg));
	buf_init(&in, AUTH_MESSAGE_MAX);
	err = converse(st, &cmd->u.auth, sasl, sasl_name((enum sasl_mech)mech),
	    &in, &answer);
	buf_wipe_done(&in);
	sasl_free(sasl);
	if (err == ERR_SYNTAX || err == ERR_LIMIT || err == ERR_DENIED) {
		reply_tagged(dlg->out, cmd->tag, REPLY_BAD, NULL,
		    err == ERR_DENIED ? "cancelled" : "malformed response");
		return NEXT_BAD;
	}
	if (err != 0)
		return NEXT_OVER;
	if (answer.step != AUTH_DONE)
		return after_refusal(st, cmd->tag, &answer);
	return hand_off(st, cmd->tag);
}

/* ---- the loop ---------------------------------------------------------- */

/* By enum command_id; the command table lets no other command through in
 * STATE_LOGIN. */
static enum next (*const run[CMD_COUNT])(struct state *,
    const struct command *) = {
	[CMD_CAPABILITY] = run_capability,
	[CMD_NOOP] = run_noop,
	[CMD_LOGOUT] = run_logout,
	[CMD_ID] = run_id,
	[CMD_STARTTLS] = run_starttls,
	[CMD_AUTHENTICATE] = run_authenticate,
	[CMD_LOGIN] = run_login,
};

/* Why the client could not be read from any more, told to it if possible. */
static void
say_bye(struct state *st)
{
	int err = read_command_err(st->rc);

	if (err == ERR_TIMEOUT)
		reply_untagged(st->dlg->out, REPLY_BYE, NULL,
		    "login took too long");
	else if (err == ERR_INTR)
		reply_untagged(st->dlg->out, REPLY_BYE, "UNAVAILABLE",
		    "server is shutting down");
}

static enum next
one_command(struct state *st)
{
	const struct command *cmd;

	switch (read_command(st->rc, STATE_LOGIN, st->dlg->settings->until,
	    &cmd)) {
	case READ_DONE:
		if (run[cmd->id] != NULL)
			return run[cmd->id](st, cmd);
		reply_tagged(st->dlg->out, cmd->tag, REPLY_BAD, NULL,
		    "log in first");
		return NEXT_BAD;
	case READ_BAD:
	case READ_REFUSED:
		return NEXT_BAD;
	case READ_STREAM:	/* APPEND: not in this state */
	case READ_END:
		break;
	}
	say_bye(st);
	return NEXT_OVER;
}

static enum next
loop(struct state *st)
{
	enum next next = NEXT_COMMAND;
	unsigned bad = 0;

	for (unsigned n = 0; n < COMMANDS_MAX; n++) {
		next = one_command(st);
		if (next != NEXT_COMMAND && next != NEXT_BAD)
			return next;
		bad = next == NEXT_BAD ? bad + 1 : 0;
		if (bad == BAD_MAX)
			break;
	}
	reply_untagged(st->dlg->out, REPLY_BYE, NULL,
	    bad == BAD_MAX ? "too many bad commands" : "too many commands");
	return NEXT_OVER;
}

enum dialogue_end
dialogue_run(struct dialogue *dlg)
{
	static const struct read_limits limits = {
		.command_max = LINE_MAX_LOGIN,
		.literal_max = LITERAL_MAX,
		.drop_max = DROP_MAX,
	};
	struct state st = { .dlg = dlg };
	enum next next;

	buf_init(&st.client_id, MONITOR_ID_MAX);
	st.rc = read_command_new(dlg->in, dlg->out, &limits);
	if (!dlg->is_greeted)
		greet(dlg);
	next = loop(&st);
	if (next == NEXT_OVER)
		(void)!wire_out_flush(dlg->out);	/* it may be gone */
	read_command_free(st.rc);
	buf_done(&st.client_id);
	return next == NEXT_LOGIN ? DIALOGUE_LOGIN :
	    next == NEXT_STARTTLS ? DIALOGUE_STARTTLS : DIALOGUE_OVER;
}
