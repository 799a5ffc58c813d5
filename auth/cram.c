/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * cram.c: the server's side of CRAM-MD5 (RFC 2195 2).
 */
#include "base/num.h"

#include "auth/scheme_crypto.h"
#include "auth/scram.h"

/* The two states of HMAC-MD5 that the stored password stands for. */
static int
states_of(struct span stored, uint8_t out[HMAC_MD5_STATES])
{
	struct scheme_hash hash;
	struct buf raw;
	int err;

	err = scheme_parse(stored, SPAN_NONE, &hash);
	if (err != 0)
		return err;
	buf_init(&raw, SCHEME_DATA_MAX);
	err = scheme_decode(&hash, &raw);
	if (err == 0 && hash.scheme->kind == SCHEME_PLAIN)
		scheme_hmac_md5(buf_span(&raw), out);
	else if (err == 0 && hash.scheme->kind != SCHEME_CRAM_MD5)
		err = ERR_UNSUPPORTED;
	else if (err == 0 && raw.n != HMAC_MD5_STATES)
		err = ERR_SYNTAX;
	else if (err == 0)
		memcpy(out, raw.p, HMAC_MD5_STATES);
	buf_wipe_done(&raw);
	return err;
}

int
cram_verify(struct span stored, struct span challenge, struct span response)
{
	uint8_t states[HMAC_MD5_STATES] = { 0 }, made[16], given[16];
	struct span text = span_skip(response, span_rfind(response, ' ') + 1);
	int err;

	if (text.n != 2 * sizeof(given))
		return ERR_DENIED;
	for (size_t i = 0; i < sizeof(given); i++) {
		int high = num_hexdigit(text.p[2 * i]);
		int low = num_hexdigit(text.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return ERR_DENIED;
		given[i] = (uint8_t)(high << 4 | low);
	}
	err = stored.n == 0 ? 0 : states_of(stored, states);
	if (err != 0)
		return err;
	scheme_hmac_md5_end(states, challenge, made);
	if (!is_secret_eq(span_of(made, 16), span_of(given, 16)) ||
	    stored.n == 0)
		err = ERR_DENIED;
	explicit_bzero(states, sizeof(states));
	return err;
}
