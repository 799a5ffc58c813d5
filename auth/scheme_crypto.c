/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * The digests are computed with the one-shot functions of old: MD4 and MD5 are
 * not to be had from EVP where OpenSSL is set to FIPS or has no legacy
 * provider, {CRAM-MD5} needs the state inside MD5, and nothing has to be
 * fetched at the start of a process that lives for a millisecond.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <assert.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/md4.h>
#include <openssl/md5.h>
#include <openssl/sha.h>

#include "base/base64.h"
#include "base/num.h"

#include "auth/auth.h"
#include "auth/scheme_crypto.h"
#include "auth/scheme_local.h"

#define MD5_BLOCK	64
#define SALTED_MAX	(AUTH_PASSWORD_MAX + SCHEME_RAW_MAX)

void
crypto_digest(enum scheme_digest digest, struct span s,
    uint8_t out[CRYPTO_DIGEST_MAX])
{
	switch (digest) {
	case DIGEST_MD4:
		(void)MD4(s.p, s.n, out);
		break;
	case DIGEST_MD5:
		(void)MD5(s.p, s.n, out);
		break;
	case DIGEST_SHA1:
		(void)SHA1(s.p, s.n, out);
		break;
	case DIGEST_SHA256:
		(void)SHA256(s.p, s.n, out);
		break;
	case DIGEST_SHA512:
		(void)SHA512(s.p, s.n, out);
		break;
	case DIGEST_NONE:
		assert(0);
	}
}

static const EVP_MD *
evp_of(enum scheme_digest digest)
{
	switch (digest) {
	case DIGEST_SHA1:
		return EVP_sha1();
	case DIGEST_SHA256:
		return EVP_sha256();
	case DIGEST_SHA512:
		return EVP_sha512();
	default:
		return NULL;
	}
}

int
crypto_hmac(enum scheme_digest digest, struct span key, struct span s,
    uint8_t out[CRYPTO_DIGEST_MAX])
{
	if (key.n > INT_MAX || HMAC(evp_of(digest), key.p, (int)key.n, s.p,
	    s.n, out, NULL) == NULL)
		return ERR_UNSUPPORTED;
	return 0;
}

int
crypto_pbkdf2(enum scheme_digest digest, struct span password,
    struct span salt, uint32_t iterations, uint8_t out[CRYPTO_DIGEST_MAX])
{
	if (password.n > AUTH_PASSWORD_MAX || salt.n > SCHEME_RAW_MAX ||
	    iterations > INT_MAX)
		return ERR_LIMIT;
	if (PKCS5_PBKDF2_HMAC((const char *)password.p, (int)password.n,
	    salt.p, (int)salt.n, (int)iterations, evp_of(digest),
	    (int)scheme_digest_size(digest), out) != 1)
		return ERR_UNSUPPORTED;
	return 0;
}

/* s is base64 of exactly n bytes. */
static int
get_key(struct span s, size_t n, uint8_t *out)
{
	struct buf b;
	int err;

	buf_init(&b, n);
	err = base64_get(s, &b);
	if (err == 0 && b.n != n)
		err = ERR_SYNTAX;
	if (err == 0)
		memcpy(out, b.p, n);
	buf_wipe_done(&b);
	return err == 0 ? 0 : ERR_SYNTAX;
}

int
scram_keys_parse(enum scheme_digest digest, struct span data,
    struct scram_keys *ret)
{
	struct scram_keys keys = { .digest = digest };
	size_t size = scheme_digest_size(digest);
	struct span rest = data, salt, stored;

	buf_init(&keys.salt, SCHEME_RAW_MAX);
	if (num_u32(span_split(&rest, ','), 1, INT32_MAX,
	    &keys.iterations) != 0)
		return ERR_SYNTAX;
	salt = span_split(&rest, ',');
	stored = span_split(&rest, ',');
	if (base64_get(salt, &keys.salt) != 0 || keys.salt.n == 0 ||
	    get_key(stored, size, keys.stored_key) != 0 ||
	    get_key(rest, size, keys.server_key) != 0) {
		scram_keys_done(&keys);
		return ERR_SYNTAX;
	}
	*ret = keys;
	return 0;
}

int
scram_keys_make(struct scram_keys *keys, struct span password)
{
	uint8_t salted[CRYPTO_DIGEST_MAX], client[CRYPTO_DIGEST_MAX];
	size_t size = scheme_digest_size(keys->digest);
	int err;

	err = crypto_pbkdf2(keys->digest, password, buf_span(&keys->salt),
	    keys->iterations, salted);
	if (err == 0)
		err = crypto_hmac(keys->digest, span_of(salted, size),
		    SPAN("Client Key"), client);
	if (err == 0)
		err = crypto_hmac(keys->digest, span_of(salted, size),
		    SPAN("Server Key"), keys->server_key);
	if (err == 0)
		crypto_digest(keys->digest, span_of(client, size),
		    keys->stored_key);
	explicit_bzero(salted, sizeof(salted));
	explicit_bzero(client, sizeof(client));
	return err;
}

void
scram_keys_done(struct scram_keys *keys)
{
	buf_wipe_done(&keys->salt);
	explicit_bzero(keys, sizeof(*keys));
}

static int
verify_scram(const struct scheme_hash *hash, struct span password)
{
	struct scram_keys keys, made;
	size_t size = scheme_digest_size(hash->scheme->digest);
	int err;

	err = scram_keys_parse(hash->scheme->digest, hash->data, &keys);
	if (err != 0)
		return err;
	made = keys;
	err = scram_keys_make(&made, password);
	if (err == 0 && !is_secret_eq(span_of(keys.stored_key, size),
	    span_of(made.stored_key, size)))
		err = ERR_DENIED;
	explicit_bzero(&made, sizeof(made));	/* its salt is keys' */
	scram_keys_done(&keys);
	return err;
}

/* The four words of an MD5 state, little-endian. */
static void
put_state(const MD5_CTX *ctx, uint8_t out[16])
{
	const MD5_LONG word[4] = { ctx->A, ctx->B, ctx->C, ctx->D };

	for (size_t i = 0; i < 16; i++)
		out[i] = (uint8_t)(word[i / 4] >> (8 * (i % 4)));
}

static void
get_state(const uint8_t in[16], MD5_CTX *ctx)
{
	MD5_LONG word[4] = { 0, 0, 0, 0 };

	for (size_t i = 0; i < 16; i++)
		word[i / 4] |= (MD5_LONG)in[i] << (8 * (i % 4));
	(void)MD5_Init(ctx);
	ctx->A = word[0];
	ctx->B = word[1];
	ctx->C = word[2];
	ctx->D = word[3];
	ctx->Nl = MD5_BLOCK * 8;	/* bits: the padded key is in it */
}

/* The state after one block: the key, padded with zeros, xor pad. */
static void
pad_state(const uint8_t key[MD5_BLOCK], uint8_t pad, uint8_t out[16])
{
	uint8_t block[MD5_BLOCK];
	MD5_CTX ctx;

	for (size_t i = 0; i < MD5_BLOCK; i++)
		block[i] = key[i] ^ pad;
	(void)MD5_Init(&ctx);
	(void)MD5_Update(&ctx, block, sizeof(block));
	put_state(&ctx, out);
	explicit_bzero(block, sizeof(block));
	explicit_bzero(&ctx, sizeof(ctx));
}

/* RFC 2104 2 */
void
scheme_hmac_md5(struct span password, uint8_t out[HMAC_MD5_STATES])
{
	uint8_t key[MD5_BLOCK] = { 0 };

	if (password.n > MD5_BLOCK)
		(void)MD5(password.p, password.n, key);
	else if (password.n > 0)
		memcpy(key, password.p, password.n);
	pad_state(key, 0x5c, out);
	pad_state(key, 0x36, out + 16);
	explicit_bzero(key, sizeof(key));
}

void
scheme_hmac_md5_end(const uint8_t states[HMAC_MD5_STATES], struct span s,
    uint8_t out[16])
{
	MD5_CTX ctx;

	get_state(states + 16, &ctx);
	(void)MD5_Update(&ctx, s.p, s.n);
	(void)MD5_Final(out, &ctx);
	get_state(states, &ctx);
	(void)MD5_Update(&ctx, out, 16);
	(void)MD5_Final(out, &ctx);
	explicit_bzero(&ctx, sizeof(ctx));
}

/* The digest of the password and what follows it in raw. */
static int
verify_digest(enum scheme_digest digest, struct span raw, bool is_salted,
    struct span password)
{
	size_t size = scheme_digest_size(digest);
	uint8_t made[CRYPTO_DIGEST_MAX];
	struct buf text;
	int err;

	if (raw.n < size || (!is_salted && raw.n != size))
		return ERR_SYNTAX;
	buf_init(&text, SALTED_MAX);
	buf_put_span(&text, password);
	buf_put_span(&text, span_skip(raw, size));
	err = buf_err(&text);
	if (err == 0) {
		crypto_digest(digest, buf_span(&text), made);
		err = is_secret_eq(span_take(raw, size),
		    span_of(made, size)) ? 0 : ERR_DENIED;
		explicit_bzero(made, sizeof(made));
	}
	buf_wipe_done(&text);
	return err;
}

/* MD5(user:realm:password); the realm is what follows the last "@". */
static int
verify_digest_md5(struct span raw, struct span user, struct span password)
{
	size_t at = span_rfind(user, '@');
	struct buf text;
	int err;

	buf_init(&text, AUTH_NAME_MAX + 2 + AUTH_PASSWORD_MAX);
	buf_put_span(&text, span_take(user, at));
	buf_putc(&text, ':');
	buf_put_span(&text, span_skip(user, at + 1));
	buf_putc(&text, ':');
	buf_put_span(&text, password);
	err = buf_err(&text);
	if (err == 0)
		err = verify_digest(DIGEST_MD5, raw, false, buf_span(&text));
	buf_wipe_done(&text);
	return err;
}

static int
verify_cram_md5(struct span raw, struct span password)
{
	uint8_t made[HMAC_MD5_STATES];
	int err;

	if (raw.n != sizeof(made))
		return ERR_SYNTAX;
	scheme_hmac_md5(password, made);
	err = is_secret_eq(raw, span_of(made, sizeof(made))) ? 0 : ERR_DENIED;
	explicit_bzero(made, sizeof(made));
	return err;
}

/* $1$salt$rounds$hex */
static int
verify_pbkdf2(struct span data, struct span password)
{
	uint8_t made[CRYPTO_DIGEST_MAX];
	struct scheme_hash hex = { scheme_find(SPAN("SHA1")), ENCODING_HEX,
	    SPAN_NONE };
	struct span rest = data, salt;
	struct buf raw;
	uint32_t rounds;
	int err;

	if (!has_prefix(rest, SPAN("$1$")))
		return ERR_SYNTAX;
	rest = span_skip(rest, 3);
	salt = span_split(&rest, '$');
	if (num_u32(span_split(&rest, '$'), 1, INT32_MAX, &rounds) != 0)
		return ERR_SYNTAX;
	hex.data = rest;
	buf_init(&raw, SHA_DIGEST_LENGTH);
	err = scheme_decode(&hex, &raw);
	if (err != 0 || raw.n != SHA_DIGEST_LENGTH)
		err = ERR_SYNTAX;
	if (err == 0)
		err = crypto_pbkdf2(DIGEST_SHA1, password, salt, rounds, made);
	if (err == 0 && !is_secret_eq(buf_span(&raw),
	    span_of(made, SHA_DIGEST_LENGTH)))
		err = ERR_DENIED;
	buf_wipe_done(&raw);
	return err;
}

int
scheme_verify_crypto(const struct scheme_hash *hash, struct span user,
    struct span password)
{
	const struct scheme *scheme = hash->scheme;
	struct buf raw;
	int err;

	if (is_scheme_local(hash))
		return scheme_verify_local(hash, password);
	buf_init(&raw, SCHEME_DATA_MAX);
	err = scheme_decode(hash, &raw);
	if (err != 0)
		goto out;
	switch (scheme->kind) {
	case SCHEME_MD5:
	case SCHEME_DIGEST:
		err = verify_digest(scheme->digest, buf_span(&raw), false,
		    password);
		break;
	case SCHEME_SALTED:
		err = verify_digest(scheme->digest, buf_span(&raw), true,
		    password);
		break;
	case SCHEME_ARGON2:
		err = scheme_verify_argon2(buf_span(&raw), password);
		break;
	case SCHEME_PBKDF2:
		err = verify_pbkdf2(buf_span(&raw), password);
		break;
	case SCHEME_SCRAM:
		err = verify_scram(hash, password);
		break;
	case SCHEME_CRAM_MD5:
		err = verify_cram_md5(buf_span(&raw), password);
		break;
	case SCHEME_DIGEST_MD5:
		err = verify_digest_md5(buf_span(&raw), user, password);
		break;
	case SCHEME_OTP:
		err = scheme_verify_otp(buf_span(&raw), password);
		break;
	default:
		err = ERR_UNSUPPORTED;
	}
out:
	buf_wipe_done(&raw);
	return err;
}
