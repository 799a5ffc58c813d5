/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * sasl_external.c: EXTERNAL (RFC 4422 appendix A).
 */
#include "auth/sasl_local.h"

/*
 *	external-initial-response = authz-id-string
 *	authz-id-string = *( UTF8-char-no-nul )
 */
enum sasl_outcome
sasl_external_step(struct sasl *sasl, struct span in, struct buf *out,
    struct sasl_request *ret)
{
	(void)out;
	if (has_byte(in, '\0') || sasl_take(&sasl->authzid, in) != 0)
		return SASL_BAD;
	ret->ask = SASL_ASK_EXTERNAL;
	ret->authzid = buf_span(&sasl->authzid);
	return SASL_ASK;
}
