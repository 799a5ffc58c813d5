/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <sys/random.h>

#include "base/base64.h"
#include "base/mem.h"

#include "auth/gs2.h"
#include "auth/prep.h"
#include "auth/scheme_crypto.h"
#include "auth/scram.h"

#define NONCE_BYTES	18	/* random; a multiple of 3: no padding */
#define SALT_BYTES	16	/* of salts that are made up, as Dovecot's */

enum { AT_FIRST, AT_FINAL, AT_END };

struct scram {
	struct scram_keys keys;
	bool is_plus;
	bool is_nobody;
	unsigned state;
	struct buf nonce;	/* at first ours alone */
	struct buf header;	/* gs2-header, then the channel binding */
	struct buf auth;	/* AuthMessage, as it grows */
};

static enum scheme_digest
digest_of(struct span *mech, bool *ret_plus)
{
	static const struct { const char *name; enum scheme_digest digest; }
	    names[] = {
		{ "SCRAM-SHA-1", DIGEST_SHA1 },
		{ "SCRAM-SHA-256", DIGEST_SHA256 },
		{ "SCRAM-SHA-512", DIGEST_SHA512 },
	};

	*ret_plus = has_suffix(*mech, SPAN("-PLUS"));
	if (*ret_plus)
		mech->n -= sizeof("-PLUS") - 1;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (is_span_eq(*mech, span_str(names[i].name)))
			return names[i].digest;
	return DIGEST_NONE;
}

/*
 * A salt that is always the same for this name and mechanism, and means nothing
 * to who has not the key: HMAC(key, mechanism NUL name).
 */
static int
make_salt(const struct scram_user *user, struct span mech, struct buf *salt)
{
	uint8_t mac[CRYPTO_DIGEST_MAX];
	struct buf text;
	int err;

	buf_init(&text, AUTH_MESSAGE_MAX);
	buf_put_span(&text, mech);
	buf_putc(&text, '\0');
	buf_put_span(&text, user->name);
	err = buf_err(&text);
	if (err == 0)
		err = crypto_hmac(DIGEST_SHA256, user->key, buf_span(&text),
		    mac);
	if (err == 0)
		buf_put(salt, mac, SALT_BYTES);
	buf_done(&text);
	return err;
}

/* Keys of the plain password, in the form that clients hash. */
static int
keys_of_plain(const struct scheme_hash *hash, struct scram_keys *keys)
{
	struct buf plain, prepared;
	int err;

	buf_init(&plain, AUTH_PASSWORD_MAX);
	buf_init(&prepared, AUTH_PASSWORD_MAX);
	err = scheme_decode(hash, &plain);
	/* RFC 5802 2.2; what SASLprep refuses is used as it is. */
	if (err == 0 && (prep_saslprep(buf_span(&plain), &prepared) != 0 ||
	    prepared.n == 0)) {
		buf_clear(&prepared);
		buf_put_span(&prepared, buf_span(&plain));
	}
	if (err == 0)
		err = scram_keys_make(keys, buf_span(&prepared));
	buf_wipe_done(&plain);
	buf_wipe_done(&prepared);
	return err;
}

/*
 * Nobody's keys: random ones.  Where real ones come from a plain password, they
 * are computed, so that this takes as long.
 */
static int
keys_of_nobody(const struct scram_user *user, struct scram_keys *keys)
{
	uint8_t secret[SALT_BYTES];
	int err = 0;

	if (getrandom(secret, sizeof(secret), 0) != sizeof(secret) ||
	    getrandom(keys->stored_key, sizeof(keys->stored_key), 0) !=
	    sizeof(keys->stored_key))
		return ERR_IO;
	if (user->iterations != 0)
		keys->iterations = user->iterations;
	else
		err = scram_keys_make(keys, span_of(secret, sizeof(secret)));
	explicit_bzero(secret, sizeof(secret));
	return err;
}

static int
find_keys(const struct scram_user *user, struct span mech,
    enum scheme_digest digest, struct scram *scram)
{
	struct scram_keys *keys = &scram->keys;
	struct scheme_hash hash;
	int err;

	if (user->stored.n > 0) {
		err = scheme_parse(user->stored, SPAN_NONE, &hash);
		if (err != 0)
			return err;
		if (hash.scheme->kind == SCHEME_SCRAM)
			return hash.scheme->digest != digest ?
			    ERR_UNSUPPORTED :
			    scram_keys_parse(digest, hash.data, keys);
		if (hash.scheme->kind != SCHEME_PLAIN)
			return ERR_UNSUPPORTED;
	}
	keys->digest = digest;
	keys->iterations = SCRAM_ITERATIONS;
	buf_init(&keys->salt, SCHEME_RAW_MAX);
	err = make_salt(user, mech, &keys->salt);
	if (err != 0)
		return err;
	scram->is_nobody = user->stored.n == 0;
	if (scram->is_nobody)
		return keys_of_nobody(user, keys);
	return keys_of_plain(&hash, keys);
}

int
scram_new(const struct scram_user *user, struct scram **ret)
{
	struct scram *scram = mem_zalloc(sizeof(*scram));
	struct span mech = user->mech;
	enum scheme_digest digest = digest_of(&mech, &scram->is_plus);
	uint8_t nonce[NONCE_BYTES];
	int err = ERR_UNSUPPORTED;

	buf_init(&scram->nonce, AUTH_MESSAGE_MAX);
	buf_init(&scram->header, AUTH_MESSAGE_MAX + CRYPTO_DIGEST_MAX);
	buf_init(&scram->auth, 4 * AUTH_MESSAGE_MAX);
	if (digest != DIGEST_NONE)
		err = find_keys(user, mech, digest, scram);
	if (err == 0 && user->nonce.n > 0)
		buf_put_span(&scram->nonce, user->nonce);
	else if (err == 0 &&
	    getrandom(nonce, sizeof(nonce), 0) == sizeof(nonce))
		base64_put(&scram->nonce, span_of(nonce, sizeof(nonce)));
	else if (err == 0)
		err = ERR_IO;
	if (err != 0) {
		scram_free(scram);
		return err;
	}
	*ret = scram;
	return 0;
}

void
scram_free(struct scram *scram)
{
	if (scram == NULL)
		return;
	scram_keys_done(&scram->keys);
	buf_wipe_done(&scram->nonce);
	buf_wipe_done(&scram->header);
	buf_wipe_done(&scram->auth);
	mem_wipe_free(scram, sizeof(*scram));
}

/*
 *	server-first-message = nonce "," salt "," iteration-count
 */
int
scram_first(struct scram *scram, struct span binding, struct span message,
    struct buf *out)
{
	struct buf nonce;
	struct gs2 gs2;
	int err;

	if (scram->state != AT_FIRST)
		return ERR_SYNTAX;
	err = gs2_parse(message, &gs2);
	if (err != 0)
		return err;
	if ((gs2.flag == GS2_REQUIRED) != scram->is_plus ||
	    (binding.n > 0) != scram->is_plus)
		return ERR_SYNTAX;
	buf_init(&nonce, AUTH_MESSAGE_MAX);
	buf_put_span(&nonce, gs2.nonce);
	buf_put_span(&nonce, buf_span(&scram->nonce));
	buf_done(&scram->nonce);
	scram->nonce = nonce;
	buf_put_span(&scram->header, gs2.header);
	buf_put_span(&scram->header, binding);
	buf_puts(out, "r=");
	buf_put_span(out, buf_span(&scram->nonce));
	buf_puts(out, ",s=");
	base64_put(out, buf_span(&scram->keys.salt));
	buf_puts(out, ",i=");
	buf_put_u64(out, scram->keys.iterations);
	buf_put_span(&scram->auth, gs2.bare);
	buf_putc(&scram->auth, ',');
	buf_put_span(&scram->auth, buf_span(out));
	buf_putc(&scram->auth, ',');
	scram->state = AT_FINAL;
	if (buf_err(out) != 0 || buf_err(&scram->nonce) != 0 ||
	    buf_err(&scram->header) != 0)
		return ERR_LIMIT;
	return buf_err(&scram->auth);
}

/*
 *	client-final-message = channel-binding "," nonce ["," extensions]
 *		"," proof
 *	channel-binding = "c=" base64
 *	proof = "p=" base64
 *
 * The extensions are between the two and signed like all else; we know none.
 */
static int
parse_final(const struct scram *scram, struct span message,
    struct span *ret_signed, uint8_t proof[CRYPTO_DIGEST_MAX])
{
	size_t size = scheme_digest_size(scram->keys.digest);
	size_t comma = span_rfind(message, ',');
	struct span rest = span_take(message, comma), binding, nonce, text;
	struct buf raw;
	int err;

	text = span_skip(message, comma + 1);
	binding = span_split(&rest, ',');
	nonce = span_split(&rest, ',');
	if (!has_prefix(binding, SPAN("c=")) || !has_prefix(nonce, SPAN("r="))
	    || !has_prefix(text, SPAN("p=")))
		return ERR_SYNTAX;
	if (has_prefix(rest, SPAN("m=")))
		return ERR_UNSUPPORTED;
	if (!is_span_eq(span_skip(nonce, 2), buf_span(&scram->nonce)))
		return ERR_SYNTAX;
	buf_init(&raw, AUTH_MESSAGE_MAX);
	err = base64_get(span_skip(binding, 2), &raw);
	/* A binding that differs is a man in the middle. */
	if (err == 0 && !is_span_eq(buf_span(&raw), buf_span(&scram->header)))
		err = ERR_DENIED;
	buf_clear(&raw);
	if (err == 0)
		err = base64_get(span_skip(text, 2), &raw);
	if (err == 0 && raw.n != size)
		err = ERR_SYNTAX;
	if (err == 0) {
		memcpy(proof, raw.p, size);
		*ret_signed = span_take(message, comma);
	}
	buf_wipe_done(&raw);
	return err;
}

/* H(proof xor HMAC(StoredKey, AuthMessage)) is the StoredKey. */
static int
check_proof(const struct scram *scram,
    const uint8_t proof[CRYPTO_DIGEST_MAX])
{
	const struct scram_keys *keys = &scram->keys;
	size_t size = scheme_digest_size(keys->digest);
	uint8_t key[CRYPTO_DIGEST_MAX], made[CRYPTO_DIGEST_MAX];
	int err;

	err = crypto_hmac(keys->digest, span_of(keys->stored_key, size),
	    buf_span(&scram->auth), key);
	if (err != 0)
		return err;
	for (size_t i = 0; i < size; i++)
		key[i] ^= proof[i];
	crypto_digest(keys->digest, span_of(key, size), made);
	if (!is_secret_eq(span_of(made, size), span_of(keys->stored_key,
	    size)) || scram->is_nobody)
		err = ERR_DENIED;
	explicit_bzero(key, sizeof(key));
	return err;
}

/*
 *	server-final-message = "v=" base64
 */
int
scram_final(struct scram *scram, struct span message, struct buf *out)
{
	uint8_t proof[CRYPTO_DIGEST_MAX], signature[CRYPTO_DIGEST_MAX];
	size_t size = scheme_digest_size(scram->keys.digest);
	struct span text = SPAN_NONE;
	int err;

	if (scram->state != AT_FINAL)
		return ERR_SYNTAX;
	scram->state = AT_END;
	err = parse_final(scram, message, &text, proof);
	if (err != 0)
		return err;
	buf_put_span(&scram->auth, text);
	err = buf_err(&scram->auth);
	if (err == 0)
		err = check_proof(scram, proof);
	if (err == 0)
		err = crypto_hmac(scram->keys.digest,
		    span_of(scram->keys.server_key, size),
		    buf_span(&scram->auth), signature);
	if (err == 0) {
		buf_puts(out, "v=");
		base64_put(out, span_of(signature, size));
		err = buf_err(out);
	}
	return err;
}
