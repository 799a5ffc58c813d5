/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * sasl_anonymous.c: ANONYMOUS (RFC 4505).
 */
#include "auth/sasl_local.h"
#include "base/utf8.h"

#define TRACE_MAX	(255 * 4)	/* 255 characters, each up to 4 bytes */

/*
 *	message = [ email / token ]	; RFC 4505 2: trace information
 *	token = 1*255TCHAR		; anything UTF-8 but NUL
 */
enum sasl_outcome
sasl_anonymous_step(struct sasl *sasl, struct span in, struct buf *out,
    struct sasl_request *ret)
{
	(void)out;
	if (in.n > TRACE_MAX || has_byte(in, '\0') || !is_utf8(in) ||
	    sasl_take(&sasl->password, in) != 0)
		return SASL_BAD;
	ret->ask = SASL_ASK_ANONYMOUS;
	ret->password = buf_span(&sasl->password);
	return SASL_ASK;
}
