/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * scheme_otp.c: {OTP}algorithm sequence seed hash: the state of a one-time
 * password (RFC 2289), compared with the pass phrase itself.  It is not used
 * up: Dovecot keeps such lines for its OTP mechanism, and lets in with PLAIN
 * too.
 */
#include "base/num.h"

#include "auth/auth.h"
#include "auth/scheme_crypto.h"
#include "auth/scheme_local.h"

#define OTP_BYTES	8
#define SEED_MAX	16
#define SEQUENCE_MAX	9999

/*
 * RFC 2289 appendix A: the digest folded to 64 bits.  That of SHA-1 is folded
 * in 32-bit words, and the result is written with the bytes of each reversed.
 */
static void
fold(enum scheme_digest digest, const uint8_t *d, uint8_t out[OTP_BYTES])
{
	for (size_t i = 0; i < OTP_BYTES; i++) {
		if (digest != DIGEST_SHA1)
			out[i] = d[i] ^ d[i + 8];
		else if (i < 4)
			out[i] = d[3 - i] ^ d[11 - i] ^ d[19 - i];
		else
			out[i] = d[11 - i] ^ d[19 - i];
	}
}

static void
otp_step(enum scheme_digest digest, struct span s, uint8_t out[OTP_BYTES])
{
	uint8_t full[CRYPTO_DIGEST_MAX];

	crypto_digest(digest, s, full);
	fold(digest, full, out);
	explicit_bzero(full, sizeof(full));
}

static int
parse_algorithm(struct span name, enum scheme_digest *ret)
{
	if (is_span_eq(name, SPAN("md4")))
		*ret = DIGEST_MD4;
	else if (is_span_eq(name, SPAN("md5")))
		*ret = DIGEST_MD5;
	else if (is_span_eq(name, SPAN("sha1")))
		*ret = DIGEST_SHA1;
	else
		return ERR_SYNTAX;
	return 0;
}

int
scheme_verify_otp(struct span data, struct span password)
{
	struct span rest = data, seed;
	enum scheme_digest digest;
	uint8_t made[OTP_BYTES], want[OTP_BYTES];
	struct buf text;
	uint32_t sequence;
	int err;

	if (parse_algorithm(span_split(&rest, ' '), &digest) != 0 ||
	    num_u32(span_split(&rest, ' '), 0, SEQUENCE_MAX, &sequence) != 0)
		return ERR_SYNTAX;
	seed = span_split(&rest, ' ');
	if (seed.n == 0 || seed.n > SEED_MAX || rest.n != 2 * OTP_BYTES)
		return ERR_SYNTAX;
	for (size_t i = 0; i < OTP_BYTES; i++) {
		int high = num_hexdigit(rest.p[2 * i]);
		int low = num_hexdigit(rest.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return ERR_SYNTAX;
		want[i] = (uint8_t)(high << 4 | low);
	}
	buf_init(&text, SEED_MAX + AUTH_PASSWORD_MAX);
	for (size_t i = 0; i < seed.n; i++)
		buf_putc(&text, to_lower(seed.p[i]));
	buf_put_span(&text, password);
	err = buf_err(&text);
	if (err == 0) {
		otp_step(digest, buf_span(&text), made);
		for (uint32_t i = 0; i < sequence; i++)
			otp_step(digest, span_of(made, OTP_BYTES), made);
		err = is_secret_eq(span_of(want, OTP_BYTES),
		    span_of(made, OTP_BYTES)) ? 0 : ERR_DENIED;
		explicit_bzero(made, sizeof(made));
	}
	buf_wipe_done(&text);
	return err;
}
