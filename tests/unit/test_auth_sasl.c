/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * SASL conversations: the network side, and SCRAM and CRAM-MD5 of imapd-auth,
 * with the examples of the RFCs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/gs2.h"
#include "auth/sasl.h"
#include "auth/scheme_crypto.h"
#include "auth/scram.h"
#include "base/base64.h"
#include "base/enc.h"

static void
assert_span(struct span got, const char *want)
{
	if (!is_span_eq(got, span_str(want)))
		fail_msg("\"%.*s\" is not \"%s\"", (int)got.n,
		    (const char *)got.p, want);
}

/* One step of a fresh conversation. */
static enum sasl_outcome
first(enum sasl_mech mech, struct span in, struct sasl **ret,
    struct sasl_request *req)
{
	struct buf out;
	enum sasl_outcome outcome;

	buf_init(&out, AUTH_MESSAGE_MAX);
	*ret = sasl_new(mech, NULL, false);
	outcome = sasl_step(*ret, in, &out, req);
	buf_done(&out);
	return outcome;
}

static void
test_names(void **state)
{
	(void)state;
	for (int i = 0; i < SASL_NMECH; i++)
		assert_int_equal(sasl_find(span_str(
		    sasl_name((enum sasl_mech)i))), i);
	assert_int_equal(sasl_find(SPAN("scram-sha-256-plus")),
	    SASL_SCRAM_SHA_256_PLUS);
	assert_int_equal(sasl_find(SPAN("")), -1);
	assert_int_equal(sasl_find(SPAN("PLAI")), -1);
	assert_int_equal(sasl_find(SPAN("PLAIN ")), -1);
}

static void
test_plain(void **state)
{
	static const struct span bad[] = {
		{ NULL, 0 },
		{ (const uint8_t *)"user", 4 },
		{ (const uint8_t *)"\0user", 5 },
		{ (const uint8_t *)"\0\0pass", 6 },
		{ (const uint8_t *)"\0user\0pa\0ss", 11 },
	};
	struct sasl_request req;
	struct sasl *sasl;
	struct buf out;
	uint8_t huge[AUTH_MESSAGE_MAX];

	(void)state;
	assert_int_equal(first(SASL_PLAIN, SPAN("\0user\0pass"), &sasl, &req),
	    SASL_ASK);
	assert_int_equal(req.ask, SASL_ASK_PASSWORD);
	assert_span(req.authzid, "");
	assert_span(req.user, "user");
	assert_span(req.password, "pass");
	buf_init(&out, AUTH_MESSAGE_MAX);
	/* no second message before the answer */
	assert_int_equal(sasl_step(sasl, SPAN("\0a\0b"), &out, &req),
	    SASL_BAD);
	assert_int_equal(sasl_answer(sasl, AUTH_DONE, SPAN_NONE, &out),
	    SASL_OK);
	assert_int_equal(sasl_answer(sasl, AUTH_DONE, SPAN_NONE, &out),
	    SASL_FAIL);
	sasl_free(sasl);

	assert_int_equal(first(SASL_PLAIN, SPAN("a\0user\0"), &sasl, &req),
	    SASL_ASK);
	assert_span(req.authzid, "a");
	assert_int_equal(sasl_answer(sasl, AUTH_FAILED, SPAN_NONE, &out),
	    SASL_FAIL);
	sasl_free(sasl);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(first(SASL_PLAIN, bad[i], &sasl, &req),
		    SASL_BAD);
		sasl_free(sasl);
	}
	memset(huge, 'a', sizeof(huge));
	huge[0] = huge[2] = 0;		/* password too long */
	assert_int_equal(first(SASL_PLAIN, span_of(huge, sizeof(huge)), &sasl,
	    &req), SASL_BAD);
	sasl_free(sasl);
	buf_done(&out);
}

static void
test_login(void **state)
{
	struct sasl_request req;
	struct sasl *sasl = sasl_new(SASL_LOGIN, NULL, false);
	struct buf out;

	(void)state;
	buf_init(&out, AUTH_MESSAGE_MAX);
	assert_int_equal(sasl_start(sasl, &out), SASL_CHALLENGE);
	assert_span(buf_span(&out), "Username:");
	buf_clear(&out);
	assert_int_equal(sasl_step(sasl, SPAN("user"), &out, &req),
	    SASL_CHALLENGE);
	assert_span(buf_span(&out), "Password:");
	assert_int_equal(sasl_step(sasl, SPAN("pass"), &out, &req), SASL_ASK);
	assert_span(req.user, "user");
	assert_span(req.password, "pass");
	assert_int_equal(sasl_answer(sasl, AUTH_CONTINUE, SPAN_NONE, &out),
	    SASL_FAIL);
	assert_int_equal(sasl_step(sasl, SPAN("more"), &out, &req), SASL_BAD);
	sasl_free(sasl);
	assert_int_equal(first(SASL_LOGIN, SPAN(""), &sasl, &req), SASL_BAD);
	sasl_free(sasl);
	buf_done(&out);
}

static void
test_external_anonymous(void **state)
{
	struct sasl_request req;
	struct sasl *sasl;

	(void)state;
	assert_int_equal(first(SASL_EXTERNAL, SPAN(""), &sasl, &req), SASL_ASK);
	assert_int_equal(req.ask, SASL_ASK_EXTERNAL);
	sasl_free(sasl);
	assert_int_equal(first(SASL_EXTERNAL, SPAN("a\0b"), &sasl, &req),
	    SASL_BAD);
	sasl_free(sasl);
	assert_int_equal(first(SASL_ANONYMOUS, SPAN("sirhc"), &sasl, &req),
	    SASL_ASK);
	assert_int_equal(req.ask, SASL_ASK_ANONYMOUS);
	assert_span(req.password, "sirhc");
	sasl_free(sasl);
	assert_int_equal(first(SASL_ANONYMOUS, SPAN("\xff"), &sasl, &req),
	    SASL_BAD);
	sasl_free(sasl);
}

/* RFC 2195 2 */
static void
test_cram(void **state)
{
	static const struct span challenge = {
		(const uint8_t *)"<1896.697170952@postoffice.reston.mci.net>",
		42 };
	const struct span right =
	    SPAN("tim b913a602c7eda7a495b4e6e7334d3890");
	struct sasl_request req;
	struct sasl *sasl = sasl_new(SASL_CRAM_MD5, NULL, false);
	struct buf out, hex;
	uint8_t states[HMAC_MD5_STATES];
	struct dec d;

	(void)state;
	buf_init(&out, AUTH_MESSAGE_MAX);
	assert_int_equal(cram_verify(SPAN("{PLAIN}tanstaaftanstaaf"),
	    challenge, right), 0);
	assert_int_equal(cram_verify(SPAN("{PLAIN}tanstaaf"), challenge,
	    right), ERR_DENIED);
	assert_int_equal(cram_verify(SPAN_NONE, challenge, right), ERR_DENIED);
	scheme_hmac_md5(SPAN("tanstaaftanstaaf"), states);
	buf_init(&hex, 128);
	buf_puts(&hex, "{CRAM-MD5.b64}");
	base64_put(&hex, span_of(states, sizeof(states)));
	assert_int_equal(cram_verify(buf_span(&hex), challenge, right), 0);
	buf_done(&hex);

	assert_int_equal(sasl_start(sasl, &out), SASL_CHALLENGE);
	assert_int_equal(out.p[0], '<');
	assert_int_equal(sasl_step(sasl, right, &out, &req), SASL_ASK);
	assert_int_equal(req.ask, SASL_ASK_DIALOG);
	assert_span(req.user, "tim");
	d = dec_init(req.data);
	assert_true(is_span_eq(dec_bytes(&d, 512), buf_span(&out)));
	assert_true(is_span_eq(dec_bytes(&d, 512), right));
	assert_int_equal(dec_end(&d), 0);
	sasl_free(sasl);
	buf_done(&out);
}

static void
test_gs2(void **state)
{
	static const char *const bad[] = {
		"", "n", "n,", "n,,", "n,,n=user", "n,,n=user,", "x,,n=u,r=a",
		"p=,,n=u,r=a", "p=a b,,n=u,r=a", "n,a=,n=u,r=a",
		"n,b=x,n=u,r=a", "n,,r=a,n=u", "n,,n=u,r=", "n,,n=u,r=a\x7f",
	};
	const struct span good =
	    SPAN("p=tls-exporter,a=a=2Cb,n=u=3D=2C,r=ab,x");
	struct gs2 gs2;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (gs2_parse(span_str(bad[i]), &gs2) != ERR_SYNTAX)
			fail_msg("%s", bad[i]);
	assert_int_equal(gs2_parse(SPAN("n,,m=x,n=u,r=a"), &gs2),
	    ERR_UNSUPPORTED);
	assert_int_equal(gs2_parse(good, &gs2), 0);
	assert_int_equal(gs2.flag, GS2_REQUIRED);
	assert_span(gs2.binding, "tls-exporter");
	assert_span(gs2.header, "p=tls-exporter,a=a=2Cb,");
	assert_span(gs2.bare, "n=u=3D=2C,r=ab,x");
	buf_init(&b, 8);
	assert_int_equal(gs2_name(gs2.user, &b), 0);
	assert_span(buf_span(&b), "u=,");
	assert_int_equal(gs2_name(gs2.authzid, &b), 0);
	assert_span(buf_span(&b), "a,b");
	assert_int_equal(gs2_name(SPAN("a=2c"), &b), ERR_SYNTAX);
	assert_int_equal(gs2_name(SPAN("a="), &b), ERR_SYNTAX);
	buf_done(&b);
	for (size_t n = 0; n < good.n; n++)
		(void)!gs2_parse(span_take(good, n), &gs2);
}

/* {SCRAM-...} of a password and a salt. */
static void
store(enum scheme_digest digest, const char *name, struct span password,
    struct span salt64, struct buf *b)
{
	struct scram_keys keys = { .digest = digest, .iterations = 4096 };
	size_t size = scheme_digest_size(digest);

	buf_init(&keys.salt, 64);
	assert_int_equal(base64_get(salt64, &keys.salt), 0);
	assert_int_equal(scram_keys_make(&keys, password), 0);
	buf_init(b, 512);
	buf_putc(b, '{');
	buf_puts(b, name);
	buf_puts(b, "}4096,");
	buf_put_span(b, salt64);
	buf_putc(b, ',');
	base64_put(b, span_of(keys.stored_key, size));
	buf_putc(b, ',');
	base64_put(b, span_of(keys.server_key, size));
	scram_keys_done(&keys);
}

struct vector {
	const char *mech;
	enum scheme_digest digest;
	const char *salt, *nonce, *c1, *s1, *c2, *s2;
};

/* RFC 5802 5, RFC 7677 3 */
static const struct vector vectors[] = {
	{ "SCRAM-SHA-1", DIGEST_SHA1, "QSXCR+Q6sek8bf92",
	  "3rfcNHYJY1ZVvWVs7j",
	  "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
	  "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,"
	  "i=4096",
	  "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
	  "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
	  "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=" },
	{ "SCRAM-SHA-256", DIGEST_SHA256, "W22ZaJ0SNY7soEsUEjb6gQ==",
	  "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
	  "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
	  "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
	  "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
	  "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
	  "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
	  "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=" },
};

static int
run_vector(const struct vector *v, struct span stored, struct span c2,
    const char *s2)
{
	struct scram_user user = { span_str(v->mech), SPAN("user"), stored, 0,
	    SPAN("key"), span_str(v->nonce) };
	struct scram *scram;
	struct buf out;
	int err;

	buf_init(&out, AUTH_MESSAGE_MAX);
	assert_int_equal(scram_new(&user, &scram), 0);
	assert_int_equal(scram_first(scram, SPAN_NONE, span_str(v->c1), &out),
	    0);
	assert_span(buf_span(&out), v->s1);
	buf_clear(&out);
	err = scram_final(scram, c2, &out);
	if (err == 0)
		assert_span(buf_span(&out), s2);
	scram_free(scram);
	buf_done(&out);
	return err;
}

static void
test_scram_vectors(void **state)
{
	struct buf stored, bent;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct vector *v = &vectors[i];

		store(v->digest, v->mech, SPAN("pencil"), span_str(v->salt),
		    &stored);
		assert_int_equal(run_vector(v, buf_span(&stored),
		    span_str(v->c2), v->s2), 0);
		/* every prefix, and every byte changed, is refused */
		for (size_t n = 0; n < strlen(v->c2); n++) {
			assert_int_not_equal(run_vector(v, buf_span(&stored),
			    span_of(v->c2, n), ""), 0);
			buf_init(&bent, 512);
			buf_puts(&bent, v->c2);
			bent.p[n] ^= 1;
			assert_int_not_equal(run_vector(v, buf_span(&stored),
			    buf_span(&bent), ""), 0);
			buf_done(&bent);
		}
		buf_done(&stored);
		store(v->digest, v->mech, SPAN("pen"), span_str(v->salt),
		    &stored);
		assert_int_equal(run_vector(v, buf_span(&stored),
		    span_str(v->c2), ""), ERR_DENIED);
		buf_done(&stored);
	}
}

/* A client that knows the password: its second message. */
static void
client_final(enum scheme_digest digest, struct span password,
    struct span header, struct span bare, struct span server_first,
    struct buf *ret)
{
	struct scram_keys keys = { .digest = digest };
	size_t size = scheme_digest_size(digest);
	uint8_t salted[64], client[64], stored[64], proof[64];
	struct span rest = server_first, nonce, salt, count;
	struct buf auth;

	nonce = span_split(&rest, ',');
	salt = span_split(&rest, ',');
	count = rest;
	assert_span(count, "i=4096");
	buf_init(&keys.salt, 64);
	assert_int_equal(base64_get(span_skip(salt, 2), &keys.salt), 0);
	assert_int_equal(crypto_pbkdf2(digest, password, buf_span(&keys.salt),
	    4096, salted), 0);
	assert_int_equal(crypto_hmac(digest, span_of(salted, size),
	    SPAN("Client Key"), client), 0);
	crypto_digest(digest, span_of(client, size), stored);
	buf_init(ret, AUTH_MESSAGE_MAX);
	buf_puts(ret, "c=");
	base64_put(ret, header);
	buf_putc(ret, ',');
	buf_put_span(ret, nonce);
	buf_init(&auth, AUTH_MESSAGE_MAX);
	buf_put_span(&auth, bare);
	buf_putc(&auth, ',');
	buf_put_span(&auth, server_first);
	buf_putc(&auth, ',');
	buf_put_span(&auth, buf_span(ret));
	assert_int_equal(crypto_hmac(digest, span_of(stored, size),
	    buf_span(&auth), proof), 0);
	for (size_t i = 0; i < size; i++)
		proof[i] ^= client[i];
	buf_puts(ret, ",p=");
	base64_put(ret, span_of(proof, size));
	buf_done(&auth);
	scram_keys_done(&keys);
}

/* Both sides of ours, with channel binding, for a {PLAIN} password. */
static int
run_plus(struct span binding_server, struct span binding_client,
    struct span stored)
{
	struct scram_user user = { SPAN("SCRAM-SHA-512-PLUS"), SPAN("user"),
	    stored, 0, SPAN("key"), SPAN_NONE };
	const struct span header = SPAN("p=tls-exporter,,");
	const struct span bare = SPAN("n=user,r=abc");
	struct sasl_binding binding = { binding_server, SPAN_NONE };
	struct sasl *sasl = sasl_new(SASL_SCRAM_SHA_512_PLUS, &binding, true);
	struct sasl_request req;
	struct scram *scram;
	struct buf out, final, text;
	struct span a, b;
	struct dec d;
	int err;

	buf_init(&out, AUTH_MESSAGE_MAX);
	buf_init(&text, AUTH_MESSAGE_MAX);
	assert_int_equal(sasl_step(sasl, SPAN("p=tls-exporter,,n=user,r=abc"),
	    &out, &req), SASL_ASK);
	assert_int_equal(req.ask, SASL_ASK_DIALOG);
	assert_span(req.user, "user");
	d = dec_init(req.data);
	a = dec_bytes(&d, 4096);
	b = dec_bytes(&d, 4096);
	assert_int_equal(dec_end(&d), 0);
	assert_int_equal(scram_new(&user, &scram), 0);
	assert_int_equal(scram_first(scram, a, b, &out), 0);
	buf_put_span(&text, header);
	buf_put_span(&text, binding_client);
	client_final(DIGEST_SHA512, SPAN("pass"), buf_span(&text), bare,
	    buf_span(&out), &final);
	buf_clear(&text);
	assert_int_equal(sasl_answer(sasl, AUTH_CONTINUE, buf_span(&out),
	    &text), SASL_CHALLENGE);
	assert_int_equal(sasl_step(sasl, buf_span(&final), &text, &req),
	    SASL_ASK);
	assert_int_equal(req.ask, SASL_ASK_DIALOG_NEXT);
	buf_clear(&out);
	err = scram_final(scram, req.data, &out);
	if (err == 0) {
		buf_clear(&text);
		assert_int_equal(sasl_answer(sasl, AUTH_DONE, buf_span(&out),
		    &text), SASL_CHALLENGE);
		assert_true(has_prefix(buf_span(&text), SPAN("v=")));
		assert_int_equal(sasl_step(sasl, SPAN(""), &text, &req),
		    SASL_OK);
	}
	scram_free(scram);
	sasl_free(sasl);
	buf_done(&out);
	buf_done(&text);
	buf_done(&final);
	return err;
}

static void
test_scram_plus(void **state)
{
	(void)state;
	assert_int_equal(run_plus(SPAN("0123"), SPAN("0123"),
	    SPAN("{PLAIN}pass")), 0);
	assert_int_equal(run_plus(SPAN("0123"), SPAN("0124"),
	    SPAN("{PLAIN}pass")), ERR_DENIED);
	assert_int_equal(run_plus(SPAN("0123"), SPAN("0123"),
	    SPAN("{PLAIN}Pass")), ERR_DENIED);
	assert_int_equal(run_plus(SPAN("0123"), SPAN("0123"), SPAN_NONE),
	    ERR_DENIED);
}

/* RFC 5802 6: what the flags mean for which mechanism. */
static void
test_scram_flags(void **state)
{
	static const struct {
		enum sasl_mech mech;
		const char *in;
		bool offered;
		enum sasl_outcome want;
	} rows[] = {
		{ SASL_SCRAM_SHA_1, "n,,n=u,r=a", true, SASL_ASK },
		{ SASL_SCRAM_SHA_1, "y,,n=u,r=a", false, SASL_ASK },
		{ SASL_SCRAM_SHA_1, "y,,n=u,r=a", true, SASL_FAIL },
		{ SASL_SCRAM_SHA_1, "p=tls-exporter,,n=u,r=a", true,
		    SASL_BAD },
		{ SASL_SCRAM_SHA_1_PLUS, "n,,n=u,r=a", true, SASL_BAD },
		{ SASL_SCRAM_SHA_1_PLUS, "y,,n=u,r=a", true, SASL_BAD },
		{ SASL_SCRAM_SHA_1_PLUS, "p=tls-exporter,,n=u,r=a", true,
		    SASL_ASK },
		{ SASL_SCRAM_SHA_1_PLUS, "p=tls-unique,,n=u,r=a", true,
		    SASL_FAIL },
		/* there is none of this kind */
		{ SASL_SCRAM_SHA_1_PLUS, "p=tls-server-end-point,,n=u,r=a",
		    true, SASL_FAIL },
		{ SASL_SCRAM_SHA_1, "n,,n=,r=a", false, SASL_BAD },
		{ SASL_SCRAM_SHA_1, "n,,n==,r=a", false, SASL_BAD },
	};
	struct sasl_binding binding = { SPAN("0123"), SPAN_NONE };
	struct sasl_request req;
	struct sasl *sasl;
	struct buf out;

	(void)state;
	buf_init(&out, AUTH_MESSAGE_MAX);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sasl = sasl_new(rows[i].mech, &binding, rows[i].offered);
		if (sasl_step(sasl, span_str(rows[i].in), &out, &req) !=
		    rows[i].want)
			fail_msg("row %zu", i);
		sasl_free(sasl);
	}
	buf_done(&out);
}

/* The salt of nobody is the same each time, and another for another name. */
static void
test_scram_nobody(void **state)
{
	const struct span first_message = SPAN("n,,n=x,r=a");
	struct scram_user user = { SPAN("SCRAM-SHA-256"), SPAN("ghost"),
	    SPAN_NONE, 0, SPAN("key"), SPAN("n") };
	struct buf out[4];
	struct scram *scram;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		if (i == 2)
			user.name = SPAN("other");
		if (i == 3)
			user.iterations = 9999;
		buf_init(&out[i], AUTH_MESSAGE_MAX);
		assert_int_equal(scram_new(&user, &scram), 0);
		assert_int_equal(scram_first(scram, SPAN_NONE, first_message,
		    &out[i]), 0);
		scram_free(scram);
	}
	assert_true(is_span_eq(buf_span(&out[0]), buf_span(&out[1])));
	assert_false(is_span_eq(buf_span(&out[0]), buf_span(&out[2])));
	assert_true(has_suffix(buf_span(&out[3]), SPAN(",i=9999")));
	for (size_t i = 0; i < 4; i++)
		buf_done(&out[i]);
}

/* ---- through the monitor's side and imapd-auth -------------------------- */

static char users[] = "/tmp/test_auth_sasl.XXXXXX", secret[64];
static char helper[PATH_MAX];
static struct auth_conf conf;

static int
set_up(void **state)
{
	char cwd[PATH_MAX - 16];
	FILE *f;
	int fd = mkstemp(users);

	(void)state;
	if (fd < 0 || getcwd(cwd, sizeof(cwd)) == NULL)
		return -1;
	(void)snprintf(helper, sizeof(helper), "%s/imapd-auth", cwd);
	(void)snprintf(secret, sizeof(secret), "%s.secret", users);
	f = fdopen(fd, "w");
	if (f == NULL)
		return -1;
	(void)fputs("plain:{PLAIN}pass:5000:5000::/srv/plain::\n"
	    "scram:{SCRAM-SHA-256}4096,Sb3WoTeD/gBSv/TAU/wu4A==,7fcHmeT+B/aeg"
	    "Xh7NQdvCeBGHCGhJdfpax6OTrVwRkQ=,Ipetronk8IzeCBGpF2F1f1be537g9+Tp"
	    "dkbOdkUeEHo=:5000:5000::/srv/scram::\n"
	    "crypt:$1$PLl8f84r$j498dBBF1TupAniDBoBqM/:5000:5000::/h::\n"
	    "shut:{PLAIN}pass:5000:5000::/h::nologin\n"
	    "bent:{SCRAM-SHA-256}4096,x,y,z:5000:5000::/h::\n", f);
	conf = (struct auth_conf){ .sources = AUTH_USERS_FILE,
	    .users_file = users, .helper = helper, .secret_file = secret,
	    .fold_case = true };
	return fclose(f);
}

static int
tear_down(void **state)
{
	(void)state;
	(void)unlink(secret);
	return unlink(users);
}

/* A whole conversation; the server's first message is left in server_first. */
static enum auth_reason
talk(const char *user, struct span authzid, const char *password,
    struct buf *server_first)
{
	const struct auth_peer peer = { SPAN("192.0.2.1"), true, SPAN_NONE };
	struct auth *auth = auth_new(&conf, NULL, NULL);
	struct auth_dialog *dialog;
	struct auth_user *made = NULL;
	enum auth_reason reason = AUTH_OK;
	enum auth_step step;
	struct buf first_message, bare, out;

	buf_init(&first_message, 512);
	buf_init(&bare, 512);
	buf_init(&out, AUTH_MESSAGE_MAX);
	buf_puts(&bare, "n=");
	buf_puts(&bare, user);
	buf_puts(&bare, ",r=abc");
	buf_puts(&out, "n,,");
	buf_put_span(&out, buf_span(&bare));
	enc_bytes(&first_message, SPAN_NONE);
	enc_bytes(&first_message, buf_span(&out));
	buf_clear(&out);
	buf_clear(server_first);
	assert_int_equal(auth_dialog_new(auth, &peer, SPAN("SCRAM-SHA-256"),
	    span_str(user), authzid, &dialog), 0);
	step = auth_dialog_step(dialog, buf_span(&first_message), server_first,
	    deadline_in(10000), &made, &reason);
	if (step == AUTH_CONTINUE) {
		buf_done(&first_message);
		client_final(DIGEST_SHA256, span_str(password), SPAN("n,,"),
		    buf_span(&bare), buf_span(server_first), &first_message);
		step = auth_dialog_step(dialog, buf_span(&first_message), &out,
		    deadline_in(10000), &made, &reason);
	}
	assert_int_not_equal(step, AUTH_CONTINUE);
	assert_true((step == AUTH_DONE) == (made != NULL));
	if (step == AUTH_DONE) {
		assert_true(has_prefix(buf_span(&out), SPAN("v=")));
		assert_string_equal(made->name, user);
	}
	assert_true((step == AUTH_DONE) == (reason == AUTH_OK));
	auth_user_free(made);
	auth_dialog_free(dialog);
	auth_free(auth);
	buf_done(&first_message);
	buf_done(&bare);
	buf_done(&out);
	return reason;
}

/* Behind "r=abc" and the server's part of the nonce. */
static struct span
salt_of(const struct buf *server_first)
{
	struct span rest = buf_span(server_first);

	(void)span_split(&rest, ',');
	return rest;
}

static void
test_dialog(void **state)
{
	struct buf a, b;

	(void)state;
	buf_init(&a, AUTH_MESSAGE_MAX);
	buf_init(&b, AUTH_MESSAGE_MAX);
	assert_int_equal(talk("plain", SPAN_NONE, "pass", &a), AUTH_OK);
	assert_int_equal(talk("plain", SPAN("plain"), "pass", &b), AUTH_OK);
	/* the salt stays, the nonce does not */
	assert_true(is_span_eq(salt_of(&a), salt_of(&b)));
	assert_false(is_span_eq(buf_span(&a), buf_span(&b)));
	assert_int_equal(talk("plain", SPAN("scram"), "pass", &a),
	    AUTH_NOT_AUTHORIZED);
	assert_int_equal(talk("plain", SPAN_NONE, "Pass", &a),
	    AUTH_BAD_PASSWORD);
	assert_int_equal(talk("scram", SPAN_NONE, "pass", &a), AUTH_OK);
	assert_int_equal(talk("scram", SPAN_NONE, "pas", &a),
	    AUTH_BAD_PASSWORD);
	assert_int_equal(talk("shut", SPAN_NONE, "pass", &a), AUTH_NOLOGIN);
	assert_int_equal(talk("bent", SPAN_NONE, "pass", &a), AUTH_BAD_SCHEME);
	/* who cannot, and who is not there, is asked all the same */
	assert_int_equal(talk("crypt", SPAN_NONE, "pass", &a),
	    AUTH_BAD_MECHANISM);
	assert_int_equal(talk("ghost", SPAN_NONE, "pass", &a),
	    AUTH_UNKNOWN_USER);
	assert_int_equal(talk("ghost", SPAN_NONE, "other", &b),
	    AUTH_UNKNOWN_USER);
	assert_true(a.n > 0 && is_span_eq(salt_of(&a), salt_of(&b)));
	assert_int_equal(talk("../x", SPAN_NONE, "pass", &a),
	    AUTH_UNKNOWN_USER);
	buf_done(&a);
	buf_done(&b);
}

static void
test_dialog_cram(void **state)
{
	static const struct {
		const char *user, *response;
		enum auth_reason want;
	} rows[] = {
		/* a digest of nothing */
		{ "plain", "plain cb6d67ed5ad0d8ed5ae2cbd7b3b9a7c1",
		    AUTH_BAD_PASSWORD },
		{ "ghost", "ghost cb6d67ed5ad0d8ed5ae2cbd7b3b9a7c1",
		    AUTH_UNKNOWN_USER },
		{ "crypt", "crypt cb6d67ed5ad0d8ed5ae2cbd7b3b9a7c1",
		    AUTH_BAD_MECHANISM },
		{ "plain", NULL, AUTH_OK },
	};
	static const char digits[] = "0123456789abcdef";
	const struct auth_peer peer = { 0 };
	struct auth *auth = auth_new(&conf, NULL, NULL);
	struct auth_dialog *dialog;
	uint8_t states[HMAC_MD5_STATES], mac[16];
	struct buf in, out, right;

	(void)state;
	buf_init(&right, 64);
	buf_puts(&right, "plain ");
	scheme_hmac_md5(SPAN("pass"), states);
	scheme_hmac_md5_end(states, SPAN("<x>"), mac);
	for (size_t i = 0; i < sizeof(mac); i++) {
		buf_putc(&right, (uint8_t)digits[mac[i] >> 4]);
		buf_putc(&right, (uint8_t)digits[mac[i] & 15]);
	}
	buf_init(&in, 512);
	buf_init(&out, AUTH_MESSAGE_MAX);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct auth_user *user = NULL;
		enum auth_reason reason = AUTH_OK;
		enum auth_step step;

		buf_clear(&in);
		enc_bytes(&in, SPAN("<x>"));
		enc_bytes(&in, rows[i].response != NULL ?
		    span_str(rows[i].response) : buf_span(&right));
		assert_int_equal(auth_dialog_new(auth, &peer, SPAN("CRAM-MD5"),
		    span_str(rows[i].user), SPAN_NONE, &dialog), 0);
		step = auth_dialog_step(dialog, buf_span(&in), &out,
		    deadline_in(10000), &user, &reason);
		assert_int_equal(step, rows[i].want == AUTH_OK ? AUTH_DONE :
		    AUTH_FAILED);
		assert_int_equal(reason, rows[i].want);
		auth_user_free(user);
		auth_dialog_free(dialog);
	}
	assert_int_equal(out.n, 0);
	buf_done(&in);
	buf_done(&out);
	buf_done(&right);
	assert_true(can_auth_dialog(auth, SPAN("SCRAM-SHA-512")));
	assert_true(can_auth_dialog(auth, SPAN("CRAM-MD5")));
	auth_free(auth);
}

/* Any bytes to any mechanism: an outcome, never a crash. */
static void
test_noise(void **state)
{
	static const uint8_t alphabet[] = "\0nyp=,ar:<>@ 2CD\xff\xc3\xa9";
	uint32_t seed = 1;
	uint8_t bytes[40];
	struct sasl_request req;
	struct sasl *sasl;
	struct buf out;

	(void)state;
	buf_init(&out, 4 * AUTH_MESSAGE_MAX);
	for (int i = 0; i < 20000; i++) {
		sasl = sasl_new((enum sasl_mech)(i % SASL_NMECH), NULL, false);
		if ((i & 64) != 0)
			(void)sasl_start(sasl, &out);
		for (int step = 0; step < 3; step++) {
			for (size_t k = 0; k < sizeof(bytes); k++) {
				seed = seed * 1664525 + 1013904223;
				bytes[k] = alphabet[(seed >> 24) %
				    sizeof(alphabet)];
			}
			if (sasl_step(sasl, span_of(bytes, (seed >> 8) %
			    sizeof(bytes)), &out, &req) == SASL_ASK)
				(void)sasl_answer(sasl, AUTH_CONTINUE,
				    SPAN("x"), &out);
		}
		sasl_free(sasl);
		buf_clear(&out);
	}
	buf_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_login),
		cmocka_unit_test(test_external_anonymous),
		cmocka_unit_test(test_cram),
		cmocka_unit_test(test_gs2),
		cmocka_unit_test(test_scram_vectors),
		cmocka_unit_test(test_scram_plus),
		cmocka_unit_test(test_scram_flags),
		cmocka_unit_test(test_scram_nobody),
		cmocka_unit_test(test_dialog),
		cmocka_unit_test(test_dialog_cram),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
