/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * sasl.h: SASL conversations, the network side (RFC 4422).
 *
 * Runs in the login process, which has no secrets and no rights.  It turns the
 * client's messages into a request for the privileged side (auth.h) and that
 * side's answers into messages for the client.  It does no I/O: the caller
 * moves the bytes.
 *
 *	sasl_new(mechanism)
 *	sasl_step(client message)	-> SASL_CHALLENGE: send out, get another
 *					-> SASL_ASK: put the request to the
 *					   monitor, then sasl_answer()
 *					-> SASL_BAD: malformed; fail
 *	sasl_answer(what the monitor said) -> SASL_CHALLENGE, SASL_OK, SASL_FAIL
 */
#ifndef AUTH_SASL_H
#define AUTH_SASL_H

#include <stdbool.h>

#include "auth/auth.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/* The mechanisms; the order is that of the table and of CAPABILITY. */
enum sasl_mech {
	SASL_PLAIN,
	SASL_LOGIN,
	SASL_SCRAM_SHA_1,
	SASL_SCRAM_SHA_1_PLUS,
	SASL_SCRAM_SHA_256,
	SASL_SCRAM_SHA_256_PLUS,
	SASL_SCRAM_SHA_512,
	SASL_SCRAM_SHA_512_PLUS,
	SASL_EXTERNAL,
	SASL_CRAM_MD5,
	SASL_ANONYMOUS,
	SASL_NMECH
};

/* sasl_find(name): its number, or -1; any case. */
int sasl_find(struct span name);
const char *sasl_name(enum sasl_mech mech);

/* The password crosses the wire as it is: not without TLS. */
bool is_sasl_plaintext(enum sasl_mech mech);
/* Needs channel binding data (the -PLUS ones). */
bool is_sasl_plus(enum sasl_mech mech);

#define SASL_BINDING_MAX	64	/* bytes: the longest hash there is */

/* Channel binding data of this TLS connection; empty where there is none. */
struct sasl_binding {
	struct span exporter;	/* tls-exporter, RFC 9266 */
	struct span end_point;	/* tls-server-end-point, RFC 5929 */
};

/* What the privileged side is asked; all spans are owned by the conversation.
 */
enum sasl_ask {
	SASL_ASK_PASSWORD,	/* authzid, user, password */
	SASL_ASK_EXTERNAL,	/* authzid */
	SASL_ASK_ANONYMOUS,	/* password: the trace */
	SASL_ASK_DIALOG,	/* first step: user, authzid, data: two counted
				 * strings of enc.h.  SCRAM: the channel
				 * binding data, the client's message; CRAM-MD5:
				 * the challenge, the response */
	SASL_ASK_DIALOG_NEXT	/* further step: data */
};

struct sasl_request {
	enum sasl_ask ask;
	struct span authzid;
	struct span user;
	struct span password;
	struct span data;
};

enum sasl_outcome { SASL_CHALLENGE, SASL_ASK, SASL_OK, SASL_FAIL, SASL_BAD };

struct sasl;

/*
 * sasl_new(mech, binding, is_plus_offered): a conversation; binding may be
 * NULL.  is_plus_offered tells whether a -PLUS mechanism was announced (RFC
 * 5802 6: downgrade check).
 */
struct sasl *sasl_new(enum sasl_mech mech, const struct sasl_binding *binding,
    bool is_plus_offered);
/* sasl_free(sasl): overwrites what it held; may be NULL. */
void sasl_free(struct sasl *sasl);

/*
 * sasl_start(sasl, out): what to send before any client message, for mechanisms
 * where the server speaks first or the client sent no initial response:
 * SASL_CHALLENGE with out (perhaps empty).
 */
enum sasl_outcome sasl_start(struct sasl *sasl, struct buf *out);

/* sasl_step(sasl, in, out, ret): one decoded client message. */
enum sasl_outcome sasl_step(struct sasl *sasl, struct span in, struct buf *out,
    struct sasl_request *ret);

/* sasl_answer(sasl, step, data, out): the monitor's answer to the last request.
 */
enum sasl_outcome sasl_answer(struct sasl *sasl, enum auth_step step,
    struct span data, struct buf *out);

#endif
