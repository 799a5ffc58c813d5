/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * scheme.h: stored passwords, {SCHEME}data.
 *
 * One table says of each scheme what its data look like, whether it is weak,
 * and where it is verified: in the monitor (SCHEME_LOCAL: plain text and
 * crypt(3)), or in imapd-auth (scheme_crypto.h), which alone maps libcrypto.
 */
#ifndef AUTH_SCHEME_H
#define AUTH_SCHEME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

#define SCHEME_DATA_MAX	4096	/* bytes of a stored password */
#define SCHEME_RAW_MAX	1024	/* the same, decoded */

enum scheme_kind {
	SCHEME_PLAIN,		/* the password itself */
	SCHEME_PLAIN_TRUNC,	/* n-PREFIX */
	SCHEME_CRYPT,		/* crypt(3) */
	SCHEME_MD5,		/* $1$: SCHEME_CRYPT; else as SCHEME_DIGEST */
	SCHEME_DIGEST,		/* digest of the password */
	SCHEME_SALTED,		/* digest of password and salt, then the salt */
	SCHEME_ARGON2,
	SCHEME_PBKDF2,
	SCHEME_SCRAM,		/* iterations,salt,StoredKey,ServerKey */
	SCHEME_CRAM_MD5,	/* the two inner states of HMAC-MD5 */
	SCHEME_DIGEST_MD5,	/* MD5(user:realm:password) */
	SCHEME_OTP		/* RFC 2289 */
};

enum scheme_digest {
	DIGEST_NONE, DIGEST_MD4, DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256,
	DIGEST_SHA512
};

enum scheme_encoding {
	ENCODING_NONE,		/* as the scheme has it */
	ENCODING_HEX,
	ENCODING_BASE64
};

struct scheme {
	const char *name;
	enum scheme_kind kind;
	enum scheme_digest digest;
	bool is_weak;		/* refused unless weak ones are allowed */
};

/* A stored password; data points into the text it was parsed from. */
struct scheme_hash {
	const struct scheme *scheme;
	enum scheme_encoding encoding;
	struct span data;
};

/* What the administrator allows. */
struct scheme_limits {
	bool allow_weak;
	uint32_t argon2_max_kib; /* 0: SCHEME_ARGON2_KIB */
	uint32_t max_ms;	/* 0: SCHEME_MAX_MS */
};

#define SCHEME_ARGON2_KIB	(256 * 1024)
#define SCHEME_MAX_MS		2000

/* scheme_find(name): the row of this name, any case; NULL. */
const struct scheme *scheme_find(struct span name);

/* scheme_row(i): the i-th row of the table; NULL behind its end. */
const struct scheme *scheme_row(size_t i);

/* Bytes of a digest. */
size_t scheme_digest_size(enum scheme_digest digest);

/*
 * scheme_parse(field, default_name, ret): the password field of a users file.
 * Without {SCHEME}, what crypt(3) and Argon2 mark themselves is recognised,
 * then the [13], [34] and [56] of libpam-pwdfile, and all else is taken for
 * default_name.  ERR_UNSUPPORTED for an unknown scheme, ERR_SYNTAX for an
 * empty or overlong password or an unfinished prefix.
 */
int scheme_parse(struct span field, struct span default_name,
    struct scheme_hash *ret) ERR_CHECK;

/*
 * scheme_admit(hash, limits): may this one be tried?  ERR_ACCESS: weak;
 * ERR_LIMIT: would cost more time or memory than allowed; ERR_UNSUPPORTED: a
 * kind of crypt(3) hash we do not know; ERR_SYNTAX: its parameters are damaged.
 */
int scheme_admit(const struct scheme_hash *hash,
    const struct scheme_limits *limits) ERR_CHECK;

/* It can be verified without libcrypto. */
bool is_scheme_local(const struct scheme_hash *hash);

/*
 * scheme_decode(hash, b): append the bytes that the data stand for: undo hex or
 * base64, which is guessed from the length where no suffix names it.
 * ERR_SYNTAX, ERR_LIMIT.
 */
int scheme_decode(const struct scheme_hash *hash, struct buf *b) ERR_CHECK;

/*
 * scheme_verify_local(hash, password): 0, ERR_DENIED, or ERR_SYNTAX when the
 * stored data are damaged.  Only where is_scheme_local().
 */
int scheme_verify_local(const struct scheme_hash *hash, struct span password)
    ERR_CHECK;

/* The same bytes, compared in a time that does not tell where they differ. */
bool is_secret_eq(struct span a, struct span b);

#endif
