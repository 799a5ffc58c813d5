/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * sasl_login.c: LOGIN, which no RFC describes (draft-murchison-sasl-login):
 * two prompts, two answers.  Some clients send the user name at once as the
 * initial response, so that the first prompt is left out.
 */
#include "auth/sasl_local.h"

enum { AT_USER, AT_PASSWORD, AT_END };

enum sasl_outcome
sasl_login_start(struct sasl *sasl, struct buf *out)
{
	(void)sasl;
	buf_puts(out, "Username:");
	return SASL_CHALLENGE;
}

enum sasl_outcome
sasl_login_step(struct sasl *sasl, struct span in, struct buf *out,
    struct sasl_request *ret)
{
	if (has_byte(in, '\0'))
		return SASL_BAD;
	switch (sasl->state) {
	case AT_USER:
		if (in.n == 0 || sasl_take(&sasl->user, in) != 0)
			return SASL_BAD;
		sasl->state = AT_PASSWORD;
		buf_puts(out, "Password:");
		return SASL_CHALLENGE;
	case AT_PASSWORD:
		if (sasl_take(&sasl->password, in) != 0)
			return SASL_BAD;
		sasl->state = AT_END;
		ret->ask = SASL_ASK_PASSWORD;
		ret->user = buf_span(&sasl->user);
		ret->password = buf_span(&sasl->password);
		return SASL_ASK;
	default:
		return SASL_BAD;
	}
}
