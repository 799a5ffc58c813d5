/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "base/msgpipe.h"

#include "auth/auth.h"
#include "auth/helper.h"
#include "auth/helper_msg.h"
#include "auth/helper_serve.h"
#include "auth/key.h"
#include "auth/scheme_crypto.h"
#include "auth/scram.h"
#include "auth/usersfile.h"

#define STEPS_MAX	2	/* messages of the longest conversation */

/* What is left of a permitted body is checked by dec_end(). */
static const struct msgpipe_rule rules[] = {
	{ HELPER_VERIFY, USERSFILE_LINES_MAX, MSGPIPE_MAX, 0 },
	{ HELPER_DIALOG, 1, MSGPIPE_MAX, 0 },
	{ HELPER_STEP, 0, 4 * AUTH_MESSAGE_MAX, 0 },
};

#define NRULES	(sizeof(rules) / sizeof(rules[0]))

struct server {
	int fd;
	struct deadline until;
	struct buf in;
	struct buf out;
	struct msgpipe_rule rules[NRULES];
	int dialog_err;		/* of HELPER_DIALOG, told at the first step */
	unsigned steps;
	struct scram *scram;
	bool is_cram;
	struct buf stored;	/* of CRAM-MD5 */
};

static enum helper_verdict
verdict_of(int err)
{
	switch (err) {
	case 0:
		return HELPER_YES;
	case ERR_DENIED:
		return HELPER_NO;
	case ERR_SYNTAX:
	case ERR_LIMIT:
		return HELPER_DAMAGED;
	default:
		return HELPER_UNSUPPORTED;
	}
}

static int
on_verify(struct server *s, struct dec *d)
{
	struct span user, stored, tries[HELPER_TRIES_MAX];
	struct scheme_hash hash;
	size_t n;
	int err;

	user = dec_bytes(d, AUTH_NAME_MAX);
	stored = dec_bytes(d, 2 * SCHEME_DATA_MAX);
	n = dec_u8(d);
	if (n == 0 || n > HELPER_TRIES_MAX)
		return ERR_PROTO;
	for (size_t i = 0; i < n; i++)
		tries[i] = dec_bytes(d, AUTH_PASSWORD_MAX);
	err = dec_end(d);
	if (err != 0)
		return err;
	err = scheme_parse(stored, SPAN_NONE, &hash);
	if (err == 0)
		err = ERR_DENIED;
	for (size_t i = 0; i < n && err == ERR_DENIED; i++)
		err = scheme_verify_crypto(&hash, user, tries[i]);
	enc_u8(&s->out, (uint8_t)verdict_of(err));
	return msgpipe_send(s->fd, HELPER_VERDICT, &s->out, NULL, 0, s->until);
}

static int
on_dialog(struct server *s, struct dec *d)
{
	struct scram_user user = { 0 };
	int err;

	user.mech = dec_bytes(d, AUTH_NAME_MAX);
	user.name = dec_bytes(d, AUTH_NAME_MAX);
	user.stored = dec_bytes(d, 2 * SCHEME_DATA_MAX);
	user.iterations = dec_u32(d);
	user.key = dec_bytes(d, KEY_MAX);
	err = dec_end(d);
	if (err != 0)
		return err;
	msgpipe_allow(s->rules, NRULES, HELPER_STEP, STEPS_MAX);
	s->is_cram = is_span_eq(user.mech, SPAN("CRAM-MD5"));
	if (s->is_cram) {
		buf_put_span(&s->stored, user.stored);
		return buf_err(&s->stored);
	}
	s->dialog_err = scram_new(&user, &s->scram);
	return 0;
}

/* Of a first message: two counted strings, see sasl.h. */
static int
split(struct span in, struct span *ret_a, struct span *ret_b)
{
	struct dec d = dec_init(in);

	*ret_a = dec_bytes(&d, AUTH_MESSAGE_MAX);
	*ret_b = dec_bytes(&d, AUTH_MESSAGE_MAX);
	return dec_end(&d) == 0 ? 0 : ERR_SYNTAX;
}

static int
run_step(struct server *s, struct span in, struct buf *out,
    enum auth_step *ret)
{
	bool is_first = s->steps++ == 0;
	struct span a, b;
	int err;

	*ret = AUTH_DONE;
	if (s->dialog_err != 0)
		return s->dialog_err;
	if (is_first && split(in, &a, &b) != 0)
		return ERR_DENIED;
	if (s->is_cram)
		return is_first ? cram_verify(buf_span(&s->stored), a, b) :
		    ERR_DENIED;
	if (is_first) {
		*ret = AUTH_CONTINUE;
		err = scram_first(s->scram, a, b, out);
	} else {
		err = scram_final(s->scram, in, out);
	}
	/* The client's mistakes are wrong passwords. */
	return err == 0 ? 0 : ERR_DENIED;
}

static int
on_step(struct server *s, struct dec *d)
{
	enum auth_step step = AUTH_FAILED;
	struct span in;
	struct buf answer;
	int err;

	in = dec_bytes(d, 3 * AUTH_MESSAGE_MAX);
	err = dec_end(d);
	if (err != 0)
		return err;
	buf_init(&answer, AUTH_MESSAGE_MAX);
	err = run_step(s, in, &answer, &step);
	enc_u8(&s->out, (uint8_t)(err == 0 ? step : AUTH_FAILED));
	enc_bytes(&s->out, err == 0 ? buf_span(&answer) : SPAN_NONE);
	enc_u8(&s->out, (uint8_t)verdict_of(err));
	buf_wipe_done(&answer);
	return msgpipe_send(s->fd, HELPER_STEP_ANSWER, &s->out, NULL, 0,
	    s->until);
}

static int
serve_one(struct server *s)
{
	struct msg m;
	int err;

	err = msgpipe_recv(s->fd, &s->in, s->until, &m);
	if (err != 0)
		return err;
	err = msgpipe_permit(s->rules, NRULES, &m);
	if (err != 0) {
		msg_close_fds(&m);
		return err;
	}
	buf_clear(&s->out);
	switch (m.type) {
	case HELPER_VERIFY:
		return on_verify(s, &m.body);
	case HELPER_DIALOG:
		return on_dialog(s, &m.body);
	default:
		return on_step(s, &m.body);
	}
}

int
helper_serve(int fd)
{
	struct server s = { .fd = fd };
	int err = 0;

	s.until = deadline_in(HELPER_LIFE_MS);
	buf_init(&s.in, MSGPIPE_MAX + 2);
	buf_init(&s.out, MSGPIPE_MAX);
	buf_init(&s.stored, 2 * SCHEME_DATA_MAX);
	memcpy(s.rules, rules, sizeof(rules));
	while (err == 0)
		err = serve_one(&s);
	scram_free(s.scram);
	buf_wipe_done(&s.stored);
	buf_wipe_done(&s.in);
	buf_wipe_done(&s.out);
	return err == ERR_EOF ? 0 : err;
}
