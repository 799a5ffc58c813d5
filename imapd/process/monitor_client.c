/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "base/msgpipe.h"
#include "imapd/process/monitor_client.h"

void
monitor_client_init(struct monitor_client *mc, int fd, struct deadline until)
{
	mc->fd = fd;
	mc->until = until;
	buf_init(&mc->in, MSGPIPE_MAX + 2);
}

void
monitor_client_done(struct monitor_client *mc)
{
	buf_wipe_done(&mc->in);
}

/* Send a request and free its body, which may hold a password. */
static int ERR_CHECK
tell(struct monitor_client *mc, enum monitor_msg type, struct buf *body)
{
	int err = msgpipe_send(mc->fd, (uint16_t)type, body, NULL, 0,
	    mc->until);

	buf_wipe_done(body);
	return err;
}

/* The same, and the body of the answer. */
static int ERR_CHECK
ask(struct monitor_client *mc, enum monitor_msg type, struct buf *body,
    enum monitor_msg answer, struct dec *ret)
{
	struct msg m;
	int err = tell(mc, type, body);

	if (err == 0)
		err = msgpipe_recv(mc->fd, &mc->in, mc->until, &m);
	if (err != 0)
		return err;
	if (m.type != answer || m.nfds != 0) {
		msg_close_fds(&m);
		return ERR_PROTO;
	}
	*ret = m.body;
	return 0;
}

int
monitor_proxy(struct monitor_client *mc, const struct proxy_header *h,
    struct arena *arena, struct settings_peer *ret)
{
	struct buf b;
	struct dec d;
	int err;

	buf_init(&b, MSGPIPE_MAX);
	enc_u8(&b, h->has_addresses);
	enc_bytes(&b, span_of(h->remote.b, sizeof(h->remote.b)));
	enc_u16(&b, h->remote_port);
	enc_bytes(&b, span_of(h->local.b, sizeof(h->local.b)));
	enc_u16(&b, h->local_port);
	enc_u8(&b, h->is_tls);
	if ((err = ask(mc, MON_PROXY, &b, MON_PROXY_ANSWER, &d)) != 0)
		return err;
	settings_get_peer(&d, arena, ret);
	return dec_end(&d);
}

int
monitor_cert(struct monitor_client *mc, struct span name,
    struct cert_files *ret)
{
	struct buf b;
	struct dec d;
	int err;

	buf_init(&b, MSGPIPE_MAX);
	enc_bytes(&b, name);
	if ((err = ask(mc, MON_CERT, &b, MON_CERT_ANSWER, &d)) != 0)
		return err;
	certfile_get(&d, ret);
	return dec_end(&d);
}

int
monitor_tls_done(struct monitor_client *mc, const struct tls_facts *facts,
    struct arena *arena, struct settings_peer *ret)
{
	struct buf b;
	struct dec d;
	int err;

	buf_init(&b, MSGPIPE_MAX);
	enc_bytes(&b, facts->version);
	enc_bytes(&b, facts->cipher);
	enc_bytes(&b, facts->server_name);
	enc_u8(&b, facts->is_resumed);
	enc_bytes(&b, facts->identity);
	if ((err = ask(mc, MON_TLS_DONE, &b, MON_TLS_DONE_ANSWER, &d)) != 0)
		return err;
	settings_get_peer(&d, arena, ret);
	return dec_end(&d);
}

int
monitor_starttls(struct monitor_client *mc)
{
	struct buf b;

	buf_init(&b, MSGPIPE_MAX);
	return tell(mc, MON_STARTTLS, &b);
}

/* The body of each kind of request; see monitor_msg.h. */
static enum monitor_msg
put_request(struct buf *b, const char *method, const struct sasl_request *req)
{
	switch (req->ask) {
	case SASL_ASK_PASSWORD:
		enc_bytes(b, span_str(method));
		enc_bytes(b, req->authzid);
		enc_bytes(b, req->user);
		enc_bytes(b, req->password);
		return MON_AUTH_PASSWORD;
	case SASL_ASK_EXTERNAL:
		enc_bytes(b, req->authzid);
		return MON_AUTH_EXTERNAL;
	case SASL_ASK_ANONYMOUS:
		enc_bytes(b, req->password);
		return MON_AUTH_ANONYMOUS;
	case SASL_ASK_DIALOG:
		enc_bytes(b, span_str(method));
		enc_bytes(b, req->user);
		enc_bytes(b, req->authzid);
		enc_bytes(b, req->data);
		return MON_AUTH_DIALOG;
	case SASL_ASK_DIALOG_NEXT:
		break;
	}
	enc_bytes(b, req->data);
	return MON_AUTH_DIALOG_NEXT;
}

int
monitor_auth(struct monitor_client *mc, const char *method,
    const struct sasl_request *req, struct monitor_answer *ret)
{
	struct monitor_answer answer;
	enum monitor_msg type;
	struct buf b;
	struct dec d;
	uint8_t step, why;
	int err;

	buf_init(&b, MSGPIPE_MAX);
	type = put_request(&b, method, req);
	if ((err = ask(mc, type, &b, MON_AUTH_ANSWER, &d)) != 0)
		return err;
	step = dec_u8(&d);
	why = dec_u8(&d);
	answer.tries_left = dec_u8(&d);
	answer.data = dec_bytes(&d, 2 * AUTH_MESSAGE_MAX);
	if (step > AUTH_FAILED || why > WHY_PRIVACY)
		return ERR_PROTO;
	answer.step = (enum auth_step)step;
	answer.why = (enum monitor_why)why;
	if ((err = dec_end(&d)) == 0)
		*ret = answer;
	return err;
}

int
monitor_handoff(struct monitor_client *mc, struct span tag, struct span unread,
    struct span client_id)
{
	struct buf b;

	buf_init(&b, MSGPIPE_MAX);
	enc_bytes(&b, tag);
	enc_bytes(&b, unread);
	enc_bytes(&b, client_id);
	return tell(mc, MON_HANDOFF, &b);
}
