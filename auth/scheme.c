/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <crypt.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/num.h"

#include "auth/auth.h"
#include "auth/scheme.h"

/*
 * Names, aliases included.  Everything that rests on MD4, MD5 or DES is weak,
 * as in Dovecot's auth_allow_weak_schemes; for CRYPT the data decide
 * (scheme_cost.c).
 */
static const struct scheme table[] = {
	{ "PLAIN", SCHEME_PLAIN, DIGEST_NONE, false },
	{ "CLEAR", SCHEME_PLAIN, DIGEST_NONE, false },
	{ "CLEARTEXT", SCHEME_PLAIN, DIGEST_NONE, false },
	{ "PLAIN-TRUNC", SCHEME_PLAIN_TRUNC, DIGEST_NONE, false },
	{ "CRYPT", SCHEME_CRYPT, DIGEST_NONE, false },
	{ "BLF-CRYPT", SCHEME_CRYPT, DIGEST_NONE, false },
	{ "SHA512-CRYPT", SCHEME_CRYPT, DIGEST_NONE, false },
	{ "SHA256-CRYPT", SCHEME_CRYPT, DIGEST_NONE, false },
	{ "MD5-CRYPT", SCHEME_CRYPT, DIGEST_NONE, true },
	{ "DES-CRYPT", SCHEME_CRYPT, DIGEST_NONE, true },
	{ "ARGON2ID", SCHEME_ARGON2, DIGEST_NONE, false },
	{ "ARGON2I", SCHEME_ARGON2, DIGEST_NONE, false },
	{ "PBKDF2", SCHEME_PBKDF2, DIGEST_SHA1, false },
	{ "SCRAM-SHA-1", SCHEME_SCRAM, DIGEST_SHA1, false },
	{ "SCRAM-SHA-256", SCHEME_SCRAM, DIGEST_SHA256, false },
	{ "SCRAM-SHA-512", SCHEME_SCRAM, DIGEST_SHA512, false },
	{ "SHA", SCHEME_DIGEST, DIGEST_SHA1, false },
	{ "SHA1", SCHEME_DIGEST, DIGEST_SHA1, false },
	{ "SHA256", SCHEME_DIGEST, DIGEST_SHA256, false },
	{ "SHA512", SCHEME_DIGEST, DIGEST_SHA512, false },
	{ "SSHA", SCHEME_SALTED, DIGEST_SHA1, false },
	{ "SSHA256", SCHEME_SALTED, DIGEST_SHA256, false },
	{ "SSHA512", SCHEME_SALTED, DIGEST_SHA512, false },
	{ "SMD5", SCHEME_SALTED, DIGEST_MD5, true },
	{ "MD5", SCHEME_MD5, DIGEST_MD5, true },
	{ "PLAIN-MD5", SCHEME_DIGEST, DIGEST_MD5, true },
	{ "LDAP-MD5", SCHEME_DIGEST, DIGEST_MD5, true },
	{ "MD5RAW", SCHEME_DIGEST, DIGEST_MD5, true },	/* Courier's */
	{ "PLAIN-MD4", SCHEME_DIGEST, DIGEST_MD4, true },
	{ "CRAM-MD5", SCHEME_CRAM_MD5, DIGEST_MD5, true },
	{ "HMAC-MD5", SCHEME_CRAM_MD5, DIGEST_MD5, true },
	{ "DIGEST-MD5", SCHEME_DIGEST_MD5, DIGEST_MD5, true },
	{ "OTP", SCHEME_OTP, DIGEST_NONE, true },
};

#define NROWS	(sizeof(table) / sizeof(table[0]))

const struct scheme *
scheme_row(size_t i)
{
	return i < NROWS ? &table[i] : NULL;
}

const struct scheme *
scheme_find(struct span name)
{
	for (size_t i = 0; i < NROWS; i++)
		if (is_span_ieq(name, span_str(table[i].name)))
			return &table[i];
	return NULL;
}

size_t
scheme_digest_size(enum scheme_digest digest)
{
	switch (digest) {
	case DIGEST_MD4:
	case DIGEST_MD5:
		return 16;
	case DIGEST_SHA1:
		return 20;
	case DIGEST_SHA256:
		return 32;
	case DIGEST_SHA512:
		return 64;
	case DIGEST_NONE:
		break;
	}
	return 0;
}

/* "NAME" or "NAME.ENCODING" */
static int
parse_prefix(struct span prefix, struct scheme_hash *ret)
{
	struct span rest = prefix;
	struct span name = span_split(&rest, '.');

	ret->encoding = ENCODING_NONE;
	if (rest.p != NULL) {
		if (is_span_ieq(rest, SPAN("hex")))
			ret->encoding = ENCODING_HEX;
		else if (is_span_ieq(rest, SPAN("b64")) ||
		    is_span_ieq(rest, SPAN("base64")))
			ret->encoding = ENCODING_BASE64;
		else
			return ERR_UNSUPPORTED;
	}
	ret->scheme = scheme_find(name);
	return ret->scheme == NULL ? ERR_UNSUPPORTED : 0;
}

/* Without {SCHEME}: what marks itself, and the forms of libpam-pwdfile. */
static int
parse_bare(struct span field, struct span default_name,
    struct scheme_hash *ret)
{
	static const struct { const char *suffix, *name; } pwdfile[] = {
		{ "[13]", "CRYPT" },
		{ "[34]", "PLAIN-MD5" },
		{ "[56]", "DIGEST-MD5" },
	};
	struct span suffix;
	size_t dollar;

	ret->data = field;
	if (has_prefix(field, SPAN("$argon2i$")))
		return parse_prefix(SPAN("ARGON2I"), ret);
	if (has_prefix(field, SPAN("$argon2id$")))
		return parse_prefix(SPAN("ARGON2ID"), ret);
	dollar = field.n == 0 || field.p[0] != '$' ? field.n :
	    span_find(span_skip(field, 1), '$');
	if (dollar > 0 && dollar <= 3)		/* $1$ $2y$ $6$ $y$ $gy$ */
		return parse_prefix(SPAN("CRYPT"), ret);
	for (size_t i = 0; i < sizeof(pwdfile) / sizeof(pwdfile[0]); i++) {
		suffix = span_str(pwdfile[i].suffix);
		if (has_suffix(field, suffix)) {
			ret->data.n -= suffix.n;
			return parse_prefix(span_str(pwdfile[i].name), ret);
		}
	}
	return parse_prefix(default_name, ret);
}

int
scheme_parse(struct span field, struct span default_name,
    struct scheme_hash *ret)
{
	struct scheme_hash hash = { 0 };
	size_t brace;
	int err;

	if (field.n > SCHEME_DATA_MAX)
		return ERR_SYNTAX;
	if (field.n > 0 && field.p[0] == '{') {
		brace = span_find(field, '}');
		if (brace == field.n)
			return ERR_SYNTAX;
		hash.data = span_skip(field, brace + 1);
		err = parse_prefix(span_skip(span_take(field, brace), 1),
		    &hash);
	} else {
		err = parse_bare(field, default_name, &hash);
	}
	if (err != 0)
		return err;
	if (hash.data.n == 0)
		return ERR_SYNTAX;
	if (hash.scheme->kind == SCHEME_CRYPT &&
	    hash.encoding == ENCODING_NONE &&
	    has_prefix(hash.data, SPAN("$argon2")))
		return parse_bare(hash.data, SPAN("ARGON2ID"), ret);
	if (hash.scheme->kind == SCHEME_MD5 &&
	    hash.encoding == ENCODING_NONE &&
	    has_prefix(hash.data, SPAN("$1$")))
		hash.scheme = scheme_find(SPAN("MD5-CRYPT"));
	*ret = hash;
	return 0;
}

static int
put_hex(struct span s, struct buf *b)
{
	int high, low;

	if (s.n % 2 != 0)
		return ERR_SYNTAX;
	for (size_t i = 0; i < s.n; i += 2) {
		high = num_hexdigit(s.p[i]);
		low = num_hexdigit(s.p[i + 1]);
		if (high < 0 || low < 0)
			return ERR_SYNTAX;
		buf_putc(b, (uint8_t)(high << 4 | low));
	}
	return buf_err(b);
}

int
scheme_decode(const struct scheme_hash *hash, struct buf *b)
{
	enum scheme_encoding encoding = hash->encoding;
	size_t size = scheme_digest_size(hash->scheme->digest);

	if (hash->scheme->kind == SCHEME_CRAM_MD5)
		size *= 2;
	if (encoding == ENCODING_NONE) {
		switch (hash->scheme->kind) {
		case SCHEME_MD5:
		case SCHEME_DIGEST:
		case SCHEME_CRAM_MD5:
		case SCHEME_DIGEST_MD5:
			encoding = hash->data.n == 2 * size ? ENCODING_HEX :
			    ENCODING_BASE64;
			break;
		case SCHEME_SALTED:
			encoding = ENCODING_BASE64;
			break;
		default:
			break;
		}
	}
	switch (encoding) {
	case ENCODING_HEX:
		return put_hex(hash->data, b);
	case ENCODING_BASE64:
		return base64_get(hash->data, b);
	case ENCODING_NONE:
		break;
	}
	buf_put_span(b, hash->data);
	return buf_err(b);
}

bool
is_scheme_local(const struct scheme_hash *hash)
{
	switch (hash->scheme->kind) {
	case SCHEME_PLAIN:
	case SCHEME_PLAIN_TRUNC:
	case SCHEME_CRYPT:
		return true;
	default:
		return false;
	}
}

bool
is_secret_eq(struct span a, struct span b)
{
	uint8_t differ = 0;

	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		differ |= (uint8_t)(a.p[i] ^ b.p[i]);
	return differ == 0;
}

/* The data are crypt(3)'s own, with a NUL behind them. */
static int
verify_crypt(const char *setting, struct span password)
{
	struct crypt_data *work;
	char key[AUTH_PASSWORD_MAX + 1];
	const char *made;
	int err = ERR_DENIED;

	if (password.n > AUTH_PASSWORD_MAX || has_byte(password, '\0'))
		return ERR_DENIED;
	memcpy(key, password.p, password.n);
	key[password.n] = '\0';
	work = mem_zalloc(sizeof(*work));
	/* libxcrypt's crypt_rn, whose failures are NULL and not "*0". */
	made = crypt_rn(key, setting, work, (int)sizeof(*work));
	if (made == NULL)
		err = ERR_SYNTAX;
	else if (is_secret_eq(span_str(made), span_str(setting)))
		err = 0;
	explicit_bzero(key, sizeof(key));
	mem_wipe_free(work, sizeof(*work));
	return err;
}

/* n-PREFIX: PREFIX is the whole password if it is shorter than n, else the
 * first n characters of it. */
static int
verify_trunc(struct span data, struct span password)
{
	struct span rest = data;
	struct span digits = span_split(&rest, '-');
	uint32_t n;

	if (rest.p == NULL || num_u32(digits, 1, AUTH_PASSWORD_MAX, &n) != 0)
		return ERR_SYNTAX;
	return is_secret_eq(rest, span_take(password, n)) ? 0 : ERR_DENIED;
}

int
scheme_verify_local(const struct scheme_hash *hash, struct span password)
{
	struct buf data;
	const char *setting;
	int err;

	buf_init(&data, SCHEME_DATA_MAX);
	err = scheme_decode(hash, &data);
	if (err != 0)
		goto out;
	switch (hash->scheme->kind) {
	case SCHEME_PLAIN:
		err = is_secret_eq(buf_span(&data), password) ? 0 : ERR_DENIED;
		break;
	case SCHEME_PLAIN_TRUNC:
		err = verify_trunc(buf_span(&data), password);
		break;
	case SCHEME_CRYPT:
		setting = buf_cstr(&data);
		err = setting == NULL ? ERR_SYNTAX :
		    verify_crypt(setting, password);
		break;
	default:
		err = ERR_UNSUPPORTED;
	}
out:
	buf_wipe_done(&data);
	return err;
}
