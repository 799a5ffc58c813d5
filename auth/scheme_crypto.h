/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * scheme_crypto.h: the stored passwords that need libcrypto or libargon2.
 * Linked into imapd-auth and imapctl only.
 */
#ifndef AUTH_SCHEME_CRYPTO_H
#define AUTH_SCHEME_CRYPTO_H

#include "auth/scheme.h"

#define CRYPTO_DIGEST_MAX	64

/* crypto_digest(digest, s, out): the digest of s, scheme_digest_size() bytes.
 */
void crypto_digest(enum scheme_digest digest, struct span s,
    uint8_t out[CRYPTO_DIGEST_MAX]);

/* crypto_hmac(digest, key, s, out): ERR_UNSUPPORTED if OpenSSL will not. */
int crypto_hmac(enum scheme_digest digest, struct span key, struct span s,
    uint8_t out[CRYPTO_DIGEST_MAX]) ERR_CHECK;

/* crypto_pbkdf2(): Hi() of RFC 5802; as long as the digest. */
int crypto_pbkdf2(enum scheme_digest digest, struct span password,
    struct span salt, uint32_t iterations, uint8_t out[CRYPTO_DIGEST_MAX])
    ERR_CHECK;

/* A {SCRAM-...} password; each key is as long as the digest. */
struct scram_keys {
	enum scheme_digest digest;
	uint32_t iterations;
	struct buf salt;
	uint8_t stored_key[CRYPTO_DIGEST_MAX];
	uint8_t server_key[CRYPTO_DIGEST_MAX];
};

/* scram_keys_parse(): of "iterations,salt64,StoredKey64,ServerKey64". */
int scram_keys_parse(enum scheme_digest digest, struct span data,
    struct scram_keys *ret) ERR_CHECK;

/* scram_keys_make(): keys of a password; digest, iterations, salt are given. */
int scram_keys_make(struct scram_keys *keys, struct span password) ERR_CHECK;
void scram_keys_done(struct scram_keys *keys);

/*
 * scheme_hmac_md5(password, out): the two states of CRAM-MD5's HMAC, as in
 * {CRAM-MD5}.  scheme_hmac_md5_end(states, s, out): HMAC-MD5 of s from them.
 */
#define HMAC_MD5_STATES	32
void scheme_hmac_md5(struct span password, uint8_t out[HMAC_MD5_STATES]);
void scheme_hmac_md5_end(const uint8_t states[HMAC_MD5_STATES], struct span s,
    uint8_t out[16]);

/* scheme_verify_crypto(hash, user, password): as scheme_verify_local(), for
 * all other schemes; ERR_UNSUPPORTED if this build cannot. */
int scheme_verify_crypto(const struct scheme_hash *hash, struct span user,
    struct span password) ERR_CHECK;

#endif
