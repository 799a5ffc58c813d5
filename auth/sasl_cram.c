/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * sasl_cram.c: CRAM-MD5 (RFC 2195).
 */
#include <sys/random.h>

#include <time.h>

#include "base/enc.h"
#include "base/num.h"

#include "auth/sasl_local.h"

#define NONCE_BYTES	16
#define DIGEST_DIGITS	32

enum { AT_START, AT_RESPONSE, AT_END };

/*
 * The challenge has the form of a message id (RFC 2195 2) and is kept in data
 * until the response comes.
 */
enum sasl_outcome
sasl_cram_start(struct sasl *sasl, struct buf *out)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t nonce[NONCE_BYTES];

	if (getrandom(nonce, sizeof(nonce), 0) != sizeof(nonce))
		return SASL_FAIL;
	buf_clear(&sasl->data);
	buf_putc(&sasl->data, '<');
	for (size_t i = 0; i < sizeof(nonce); i++) {
		buf_putc(&sasl->data, (uint8_t)hex[nonce[i] >> 4]);
		buf_putc(&sasl->data, (uint8_t)hex[nonce[i] & 15]);
	}
	buf_putc(&sasl->data, '.');
	buf_put_u64(&sasl->data, (uint64_t)time(NULL));
	buf_puts(&sasl->data, "@imapd.invalid>");
	buf_put_span(out, buf_span(&sasl->data));
	sasl->state = AT_RESPONSE;
	return SASL_CHALLENGE;
}

static bool
is_digest(struct span s)
{
	if (s.n != DIGEST_DIGITS)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (num_hexdigit(s.p[i]) < 0)
			return false;
	return true;
}

/* user, space, and the digest in lower-case hexadecimal.  User names may hold
 * spaces, the digest does not. */
enum sasl_outcome
sasl_cram_step(struct sasl *sasl, struct span in, struct buf *out,
    struct sasl_request *ret)
{
	size_t space = span_rfind(in, ' ');
	struct buf challenge;

	(void)out;
	if (sasl->state != AT_RESPONSE || space == in.n || space == 0 ||
	    has_byte(in, '\0') || !is_digest(span_skip(in, space + 1)) ||
	    sasl_take(&sasl->user, span_take(in, space)) != 0)
		return SASL_BAD;
	sasl->state = AT_END;
	challenge = sasl->data;
	buf_init(&sasl->data, 2 * AUTH_MESSAGE_MAX);
	enc_bytes(&sasl->data, buf_span(&challenge));
	enc_bytes(&sasl->data, in);
	buf_done(&challenge);
	if (buf_err(&sasl->data) != 0)
		return SASL_BAD;
	ret->ask = SASL_ASK_DIALOG;
	ret->user = buf_span(&sasl->user);
	ret->data = buf_span(&sasl->data);
	return SASL_ASK;
}
