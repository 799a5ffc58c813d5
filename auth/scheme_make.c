/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <sys/random.h>

#include <crypt.h>

#include "base/base64.h"
#include "base/mem.h"

#include "auth/auth.h"
#include "auth/prep.h"
#include "auth/scheme_crypto.h"
#include "auth/scheme_make.h"

#define SCRAM_MADE_ITERATIONS	15000	/* RFC 7677 5 asks for that many */
#define SCRAM_SALT_BYTES	16

static const struct {
	const char *name;
	const char *prefix;	/* of crypt_gensalt(3); NULL: the system's */
	unsigned long count;	/* its cost; 0: the usual one */
	enum scheme_digest digest; /* of SCRAM; DIGEST_NONE: crypt(3) */
	bool is_plain;
} made[] = {
	{ "CRYPT", NULL, 0, DIGEST_NONE, false },
	{ "BLF-CRYPT", "$2y$", 10, DIGEST_NONE, false },
	{ "SHA512-CRYPT", "$6$", 0, DIGEST_NONE, false },
	{ "SHA256-CRYPT", "$5$", 0, DIGEST_NONE, false },
	{ "SCRAM-SHA-1", NULL, 0, DIGEST_SHA1, false },
	{ "SCRAM-SHA-256", NULL, 0, DIGEST_SHA256, false },
	{ "SCRAM-SHA-512", NULL, 0, DIGEST_SHA512, false },
	{ "PLAIN", NULL, 0, DIGEST_NONE, true },
};

#define NMADE	(sizeof(made) / sizeof(made[0]))

const char *
scheme_made(size_t i)
{
	return i < NMADE ? made[i].name : NULL;
}

static int
make_crypt(const char *prefix, unsigned long count, struct span password,
    struct buf *b)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	struct crypt_data *work;
	const char *hash = NULL;
	char *key;

	if (crypt_gensalt_rn(prefix, count, NULL, 0, setting,
	    (int)sizeof(setting)) == NULL)
		return ERR_UNSUPPORTED;
	key = mem_dup(password.p, password.n);
	work = mem_zalloc(sizeof(*work));
	hash = crypt_rn(key, setting, work, (int)sizeof(*work));
	if (hash != NULL)
		buf_puts(b, hash);
	mem_wipe_free(key, password.n);
	mem_wipe_free(work, sizeof(*work));
	return hash == NULL ? ERR_UNSUPPORTED : buf_err(b);
}

static int
make_scram(enum scheme_digest digest, struct span password, struct buf *b)
{
	struct scram_keys keys = { .digest = digest,
	    .iterations = SCRAM_MADE_ITERATIONS };
	size_t size = scheme_digest_size(digest);
	uint8_t salt[SCRAM_SALT_BYTES];
	struct buf prepared;
	int err;

	if (getrandom(salt, sizeof(salt), 0) != sizeof(salt))
		return ERR_IO;
	buf_init(&keys.salt, sizeof(salt));
	buf_put(&keys.salt, salt, sizeof(salt));
	buf_init(&prepared, AUTH_PASSWORD_MAX);
	err = prep_saslprep(password, &prepared);
	if (err == 0)
		err = scram_keys_make(&keys, buf_span(&prepared));
	if (err == 0) {
		buf_put_u64(b, keys.iterations);
		buf_putc(b, ',');
		base64_put(b, buf_span(&keys.salt));
		buf_putc(b, ',');
		base64_put(b, span_of(keys.stored_key, size));
		buf_putc(b, ',');
		base64_put(b, span_of(keys.server_key, size));
		err = buf_err(b);
	}
	buf_wipe_done(&prepared);
	scram_keys_done(&keys);
	return err;
}

int
scheme_make(struct span name, struct span password, struct buf *b)
{
	/* A line of the users file has to hold it. */
	if (password.n == 0 || password.n > AUTH_PASSWORD_MAX ||
	    has_byte(password, '\0') || has_byte(password, '\n'))
		return ERR_SYNTAX;
	for (size_t i = 0; i < NMADE; i++) {
		if (!is_span_ieq(name, span_str(made[i].name)))
			continue;
		if (made[i].is_plain && has_byte(password, ':'))
			return ERR_SYNTAX;
		buf_putc(b, '{');
		buf_puts(b, made[i].name);
		buf_putc(b, '}');
		if (made[i].is_plain) {
			buf_put_span(b, password);
			return buf_err(b);
		}
		if (made[i].digest != DIGEST_NONE)
			return make_scram(made[i].digest, password, b);
		return make_crypt(made[i].prefix, made[i].count, password, b);
	}
	return ERR_UNSUPPORTED;
}
