/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * sasl_plain.c: PLAIN (RFC 4616).
 */
#include "auth/sasl_local.h"

/*
 *	message = [authzid] UTF8NUL authcid UTF8NUL passwd	; RFC 4616 2
 *
 * The bytes need not be UTF-8 here: clients that send Latin-1 exist, and what
 * becomes of them is decided where the password is compared.
 */
enum sasl_outcome
sasl_plain_step(struct sasl *sasl, struct span in, struct buf *out,
    struct sasl_request *ret)
{
	struct span rest = in, authzid, user;

	(void)out;
	authzid = span_split(&rest, '\0');
	if (rest.p == NULL)
		return SASL_BAD;
	user = span_split(&rest, '\0');
	if (rest.p == NULL || user.n == 0 || has_byte(rest, '\0'))
		return SASL_BAD;
	if (sasl_take(&sasl->authzid, authzid) != 0 ||
	    sasl_take(&sasl->user, user) != 0 ||
	    sasl_take(&sasl->password, rest) != 0)
		return SASL_BAD;
	ret->ask = SASL_ASK_PASSWORD;
	ret->authzid = buf_span(&sasl->authzid);
	ret->user = buf_span(&sasl->user);
	ret->password = buf_span(&sasl->password);
	return SASL_ASK;
}
