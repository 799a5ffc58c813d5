/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * sasl.c: the table of mechanisms, and what all conversations have in common:
 * no message out of turn, none longer than AUTH_MESSAGE_MAX, and the server's
 * last message of SCRAM sent as a challenge, because IMAP's OK cannot carry it
 * (RFC 4422 5, RFC 3501 6.2.2).
 */

#include "base/mem.h"

#include "auth/sasl.h"
#include "auth/sasl_local.h"

#define SCRAM(name, plus)						\
	{ name, false, plus, NULL, sasl_scram_step, sasl_scram_more }

/* In the order of enum sasl_mech. */
static const struct sasl_row rows[SASL_NMECH] = {
	[SASL_PLAIN] = { "PLAIN", true, false, NULL,
	    sasl_plain_step, NULL },
	[SASL_LOGIN] = { "LOGIN", true, false, sasl_login_start,
	    sasl_login_step, NULL },
	[SASL_SCRAM_SHA_1] = SCRAM("SCRAM-SHA-1", false),
	[SASL_SCRAM_SHA_1_PLUS] = SCRAM("SCRAM-SHA-1-PLUS", true),
	[SASL_SCRAM_SHA_256] = SCRAM("SCRAM-SHA-256", false),
	[SASL_SCRAM_SHA_256_PLUS] = SCRAM("SCRAM-SHA-256-PLUS", true),
	[SASL_SCRAM_SHA_512] = SCRAM("SCRAM-SHA-512", false),
	[SASL_SCRAM_SHA_512_PLUS] = SCRAM("SCRAM-SHA-512-PLUS", true),
	[SASL_EXTERNAL] = { "EXTERNAL", false, false, NULL,
	    sasl_external_step, NULL },
	[SASL_CRAM_MD5] = { "CRAM-MD5", false, false, sasl_cram_start,
	    sasl_cram_step, NULL },
	[SASL_ANONYMOUS] = { "ANONYMOUS", false, false, NULL,
	    sasl_anonymous_step, NULL },
};

int
sasl_find(struct span name)
{
	for (int i = 0; i < SASL_NMECH; i++)
		if (is_span_ieq(name, span_str(rows[i].name)))
			return i;
	return -1;
}

const char *
sasl_name(enum sasl_mech mech)
{
	return rows[mech].name;
}

bool
is_sasl_plaintext(enum sasl_mech mech)
{
	return rows[mech].is_plaintext;
}

bool
is_sasl_plus(enum sasl_mech mech)
{
	return rows[mech].is_plus;
}

int
sasl_take(struct buf *b, struct span s)
{
	buf_clear(b);
	buf_put_span(b, s);
	return buf_err(b);
}

struct sasl *
sasl_new(enum sasl_mech mech, const struct sasl_binding *binding,
    bool is_plus_offered)
{
	struct sasl *sasl = mem_zalloc(sizeof(*sasl));

	sasl->row = &rows[mech];
	sasl->is_plus_offered = is_plus_offered;
	buf_init(&sasl->user, AUTH_NAME_MAX);
	buf_init(&sasl->authzid, AUTH_NAME_MAX);
	buf_init(&sasl->password, AUTH_PASSWORD_MAX);
	buf_init(&sasl->data, 2 * AUTH_MESSAGE_MAX);
	buf_init(&sasl->exporter, SASL_BINDING_MAX);
	buf_init(&sasl->end_point, SASL_BINDING_MAX);
	if (binding != NULL) {
		buf_put_span(&sasl->exporter, binding->exporter);
		buf_put_span(&sasl->end_point, binding->end_point);
	}
	return sasl;
}

void
sasl_free(struct sasl *sasl)
{
	if (sasl == NULL)
		return;
	buf_wipe_done(&sasl->user);
	buf_wipe_done(&sasl->authzid);
	buf_wipe_done(&sasl->password);
	buf_wipe_done(&sasl->data);
	buf_wipe_done(&sasl->exporter);
	buf_wipe_done(&sasl->end_point);
	mem_wipe_free(sasl, sizeof(*sasl));
}

enum sasl_outcome
sasl_start(struct sasl *sasl, struct buf *out)
{
	if (sasl->row->start != NULL)
		return sasl->row->start(sasl, out);
	return SASL_CHALLENGE;
}

enum sasl_outcome
sasl_step(struct sasl *sasl, struct span in, struct buf *out,
    struct sasl_request *ret)
{
	enum sasl_outcome outcome;

	if (sasl->is_asked || in.n > AUTH_MESSAGE_MAX)
		return SASL_BAD;
	if (sasl->is_final_sent)
		return in.n == 0 ? SASL_OK : SASL_BAD;
	*ret = (struct sasl_request){ 0 };
	outcome = sasl->row->step(sasl, in, out, ret);
	sasl->is_asked = outcome == SASL_ASK;
	return outcome;
}

enum sasl_outcome
sasl_answer(struct sasl *sasl, enum auth_step step, struct span data,
    struct buf *out)
{
	if (!sasl->is_asked)
		return SASL_FAIL;
	sasl->is_asked = false;
	switch (step) {
	case AUTH_CONTINUE:
		if (sasl->row->more == NULL)
			return SASL_FAIL;
		return sasl->row->more(sasl, data, out);
	case AUTH_DONE:
		if (data.n == 0)
			return SASL_OK;
		buf_put_span(out, data);
		sasl->is_final_sent = true;
		return SASL_CHALLENGE;
	case AUTH_FAILED:
		break;
	}
	return SASL_FAIL;
}
