/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * sasl_scram.c: SCRAM-SHA-1, -256 and -512 (RFC 5802, RFC 7677), the network
 * side.
 *
 * Of the client's first message it takes what decides whom to ask about and
 * which channel binding data to add; everything else, and every proof, is
 * imapd-auth's (scram.c), which gets the messages as they came.
 */
#include "base/enc.h"

#include "auth/gs2.h"
#include "auth/sasl_local.h"

enum { AT_FIRST, AT_FIRST_ASKED, AT_FINAL, AT_END };

/*
 * Which channel binding the client asked for, from what we have: RFC 5802 6.
 * A client that says "y" thinks that we have none; where a -PLUS mechanism was
 * announced, somebody in between has removed it from the list.
 */
static enum sasl_outcome
choose_binding(const struct sasl *sasl, const struct gs2 *gs2,
    struct span *ret)
{
	*ret = SPAN_NONE;
	if ((gs2->flag == GS2_REQUIRED) != sasl->row->is_plus)
		return SASL_BAD;
	if (gs2->flag == GS2_NOT_OFFERED && sasl->is_plus_offered)
		return SASL_FAIL;
	if (gs2->flag != GS2_REQUIRED)
		return SASL_ASK;
	if (is_span_eq(gs2->binding, SPAN("tls-exporter")))
		*ret = buf_span(&sasl->exporter);
	else if (is_span_eq(gs2->binding, SPAN("tls-server-end-point")))
		*ret = buf_span(&sasl->end_point);
	return ret->n == 0 ? SASL_FAIL : SASL_ASK;
}

static enum sasl_outcome
first(struct sasl *sasl, struct span in, struct sasl_request *ret)
{
	struct gs2 gs2;
	struct span binding;
	enum sasl_outcome outcome;

	if (gs2_parse(in, &gs2) != 0)
		return SASL_BAD;
	outcome = choose_binding(sasl, &gs2, &binding);
	if (outcome != SASL_ASK)
		return outcome;
	if (gs2_name(gs2.user, &sasl->user) != 0 || sasl->user.n == 0 ||
	    gs2_name(gs2.authzid, &sasl->authzid) != 0)
		return SASL_BAD;
	buf_clear(&sasl->data);
	enc_bytes(&sasl->data, binding);
	enc_bytes(&sasl->data, in);
	if (buf_err(&sasl->data) != 0)
		return SASL_BAD;
	sasl->state = AT_FIRST_ASKED;
	ret->ask = SASL_ASK_DIALOG;
	ret->authzid = buf_span(&sasl->authzid);
	ret->user = buf_span(&sasl->user);
	ret->data = buf_span(&sasl->data);
	return SASL_ASK;
}

enum sasl_outcome
sasl_scram_step(struct sasl *sasl, struct span in, struct buf *out,
    struct sasl_request *ret)
{
	(void)out;
	if (has_byte(in, '\0'))
		return SASL_BAD;
	switch (sasl->state) {
	case AT_FIRST:
		return first(sasl, in, ret);
	case AT_FINAL:
		if (in.n == 0 || sasl_take(&sasl->data, in) != 0)
			return SASL_BAD;
		sasl->state = AT_END;
		ret->ask = SASL_ASK_DIALOG_NEXT;
		ret->data = buf_span(&sasl->data);
		return SASL_ASK;
	default:
		return SASL_BAD;
	}
}

/* The server's first message; there is only one. */
enum sasl_outcome
sasl_scram_more(struct sasl *sasl, struct span data, struct buf *out)
{
	if (sasl->state != AT_FIRST_ASKED)
		return SASL_FAIL;
	sasl->state = AT_FINAL;
	buf_put_span(out, data);
	return SASL_CHALLENGE;
}
