/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Stored passwords: each scheme that Dovecot makes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/scheme_crypto.h"

#define DEFAULT	SPAN("CRYPT")

/* Made by doveadm pw: the password "pass" of "testuser". */
static const char *const samples[] = {
	"{PLAIN}pass",
	"{PLAIN-TRUNC}4-pass",
	"{CRYPT}$2y$05$CmgVwY5oLcJCjWQFdCczIe7cJVEGwt3v7W3PhcFhBFHzo6lSwdyn"
	    "m",
	"{BLF-CRYPT}$2y$05$DpOUgGjY5gkSPmLdTf5wUuqwYS2XLPbUHreQRq7cKqSIxJVX"
	    "L32j6",
	"{SHA512-CRYPT}$6$xJStp6IDlVtP/79V$nJv2LKwKJ7vazLsaRZHDHYjm3dbg9mpM"
	    "vAyS9JqZK69qRWtiv2OgWkWNJmED3pRMnm2IwzFfm3Zhl6uOMT7Ji.",
	"{SHA256-CRYPT}$5$PLIztcHpOKogewwC$Jw0nudG9TNHia55fsARqNMrVYJd1WtBi"
	    "je1ouKNByQC",
	"{MD5-CRYPT}$1$PLl8f84r$j498dBBF1TupAniDBoBqM/",
	"{MD5}$1$E.vfQ8Mx$yuffp.zAkM5WTIRkK6pFd/",
	"{DES-CRYPT}XI8/4.ONughXo",
	"{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$3SoQERap+bhl+4FwHB1E/g$CZ"
	    "QQ/6/hL3cGeNg3rj0NjwHzlzhbtpWh3/rytryajEQ",
	"{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$QVz3IC7Vxk5hBvxh/O1P8Q$aS9V"
	    "/UTAKJCa7NG5ijzftnALidAZjHCEbIzswksaY3M",
	"{PBKDF2}$1$WyAAmRJnb2SXl2xV$5000$96ec5a45471f6636acba70e699c220173"
	    "845726f",
	"{SCRAM-SHA-1}4096,A7yyGwG/KoBWKlTrHxpjdA==,Ei/CIHeDlKycBv8TtClmgcN"
	    "36xg=,4kUDHuBTLi/GCYFjRqSPJWj7CcA=",
	"{SCRAM-SHA-256}4096,Sb3WoTeD/gBSv/TAU/wu4A==,7fcHmeT+B/aegXh7NQdvC"
	    "eBGHCGhJdfpax6OTrVwRkQ=,Ipetronk8IzeCBGpF2F1f1be537g9+TpdkbOdkUeEH"
	    "o=",
	"{SHA}nU4eI71bcnBGqeO0t9tXvY1u5oQ=",
	"{SHA256}10/w7o2juYBrGMh32/KbveULW9jk2tejpyUAD+uC6PE=",
	"{SHA256}d74ff0ee8da3b9806b18c877dbf29bbde50b5bd8e4dad7a3a725000feb"
	    "82e8f1",
	"{SHA512}W3IrMH/ObJRJBdEyaR1eSiIUt/6StziSDrP846kEIKGVEcMBCg53ErBU2u"
	    "9bV7rVnsvZOzKA8hBXj1R/Su1NJQ==",
	"{SSHA}rub4E+LTO6HAhH9LYGqOEBxxmgF5x/BA",
	"{SSHA256}fEcYMt1B+UmAE8Leb09RpupYbk1hHRQfscrG2sef7nUQg2+u",
	"{SSHA512}0CNrd064eyz59AziDL9qBqv7qneg3wkK+DRGH16/um8Mb7AANYSOg5TI3"
	    "bdZsI3JscxwSywp7VfioRIl2ETg0HNfJmk=",
	"{SMD5}MnJDyGxl/8Wr8/AOvsjGKP9+9qk=",
	"{PLAIN-MD5}1a1dc91c907325c69271ddf0c944bc72",
	"{LDAP-MD5}Gh3JHJBzJcaScd3wyUS8cg==",
	"{PLAIN-MD4}52e9e9e4f1cd6d1abc78aa866d2a5509",
	"{CRAM-MD5}ff5d74b19e3cb9b2b9f4fcb548fe023aeb44f67f231a5a89714d08b5"
	    "fec22b78",
	"{DIGEST-MD5}5b2eb382eebe1ce724164b064d914b89",
	"{OTP}sha1 1024 daacce7723f492de 15d5218279d745d8",
	/* spelled otherwise */
	"{plain}pass",
	"{CLEAR}pass",
	"{Cleartext}pass",
	"{PLAIN.hex}70617373",
	"{PLAIN.b64}cGFzcw==",
	"{PLAIN.BASE64}cGFzcw==",
	"{PLAIN-TRUNC}8-pass",
	"{SHA1.hex}9d4e1e23bd5b727046a9e3b4b7db57bd8d6ee684",
	"{SHA.HEX}9D4E1E23BD5B727046A9E3B4B7DB57BD8D6EE684",
	"{MD5}1a1dc91c907325c69271ddf0c944bc72",
	"{MD5}Gh3JHJBzJcaScd3wyUS8cg==",
	"{HMAC-MD5}ff5d74b19e3cb9b2b9f4fcb548fe023aeb44f67f231a5a89714d08b5"
	    "fec22b78",
	"{MD5RAW}1a1dc91c907325c69271ddf0c944bc72",
	/* without {SCHEME} */
	"$2y$05$CmgVwY5oLcJCjWQFdCczIe7cJVEGwt3v7W3PhcFhBFHzo6lSwdynm",
	"$5$PLIztcHpOKogewwC$Jw0nudG9TNHia55fsARqNMrVYJd1WtBije1ouKNByQC",
	"$1$PLl8f84r$j498dBBF1TupAniDBoBqM/",
	"XI8/4.ONughXo",
	"$argon2i$v=19$m=32768,t=4,p=1$QVz3IC7Vxk5hBvxh/O1P8Q$aS9V/UTAKJCa7N"
	    "G5ijzftnALidAZjHCEbIzswksaY3M",
	"{CRYPT}$argon2i$v=19$m=32768,t=4,p=1$QVz3IC7Vxk5hBvxh/O1P8Q$aS9V/UT"
	    "AKJCa7NG5ijzftnALidAZjHCEbIzswksaY3M",
	"XI8/4.ONughXo[13]",
	"1a1dc91c907325c69271ddf0c944bc72[34]",
	"5b2eb382eebe1ce724164b064d914b89[56]",
};

#define NSAMPLES	(sizeof(samples) / sizeof(samples[0]))

static const struct scheme_limits all = { true, 0, 0 };

static int
verify(const char *stored, struct span password)
{
	struct scheme_hash hash;
	int err;

	err = scheme_parse(span_str(stored), DEFAULT, &hash);
	if (err == 0)
		err = scheme_admit(&hash, &all);
	if (err == 0)
		err = scheme_verify_crypto(&hash, SPAN("testuser"), password);
	return err;
}

static bool
is_built(const char *stored)
{
#ifdef HAVE_ARGON2
	(void)stored;
	return true;
#else
	return strcasestr(stored, "argon2") == NULL;
#endif
}

static void
test_samples(void **state)
{
	(void)state;
	for (size_t i = 0; i < NSAMPLES; i++) {
		if (!is_built(samples[i]))
			continue;
		if (verify(samples[i], SPAN("pass")) != 0)
			fail_msg("%s: %s", samples[i],
			    err_text(verify(samples[i], SPAN("pass"))));
		if (verify(samples[i], SPAN("Pass")) != ERR_DENIED ||
		    verify(samples[i], SPAN("pas")) != ERR_DENIED ||
		    verify(samples[i], SPAN("")) != ERR_DENIED)
			fail_msg("%s: lets others in", samples[i]);
	}
}

/* Every prefix of every sample: refused in some way, never let in with what it
 * is not, never a crash.  A prefix of plain text is another plain text. */
static void
test_prefixes(void **state)
{
	struct scheme_hash hash;
	struct span s;
	int err;

	(void)state;
	for (size_t i = 0; i < NSAMPLES; i++) {
		for (size_t n = 0; n < strlen(samples[i]); n++) {
			s = span_of(samples[i], n);
			if (scheme_parse(s, DEFAULT, &hash) != 0 ||
			    scheme_admit(&hash, &all) != 0 ||
			    hash.scheme->kind == SCHEME_ARGON2)
				continue;
			err = scheme_verify_crypto(&hash, SPAN("testuser"),
			    SPAN("pass"));
			assert_true(err < 0 ||
			    hash.scheme->kind == SCHEME_PLAIN_TRUNC ||
			    has_suffix(s, SPAN("XI8/4.ONughXo")) ||
			    has_prefix(s, SPAN("$1$")));
		}
	}
}

static void
test_names(void **state)
{
	static const char *const unknown[] = {
		"{NTLM}x", "{}x", "{PLAIN.oct}x", "{PLAIN.}x", "{SHA384}x",
	};
	static const char *const malformed[] = { "", "{PLAIN", "{PLAIN}", "{" };
	struct scheme_hash hash;

	(void)state;
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		assert_int_equal(scheme_parse(span_str(unknown[i]), DEFAULT,
		    &hash), ERR_UNSUPPORTED);
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++)
		assert_int_equal(scheme_parse(span_str(malformed[i]), DEFAULT,
		    &hash), ERR_SYNTAX);
	assert_int_equal(scheme_parse(SPAN("secret"), SPAN("PLAIN"), &hash), 0);
	assert_int_equal(hash.scheme->kind, SCHEME_PLAIN);
	/* A password that looks like another format's. */
	assert_int_equal(scheme_parse(SPAN("{PLAIN}$6$x"), DEFAULT, &hash), 0);
	assert_int_equal(hash.scheme->kind, SCHEME_PLAIN);
	for (size_t i = 0; scheme_row(i) != NULL; i++)
		assert_ptr_equal(scheme_find(span_str(scheme_row(i)->name)),
		    scheme_row(i));
}

static int
admit(const char *stored, const struct scheme_limits *limits)
{
	struct scheme_hash hash;

	assert_int_equal(scheme_parse(span_str(stored), DEFAULT, &hash), 0);
	return scheme_admit(&hash, limits);
}

static void
test_weak(void **state)
{
	static const struct scheme_limits strict = { false, 0, 0 };
	static const char *const weak[] = {
		"XI8/4.ONughXo", "{CRYPT}$1$PLl8f84r$j498dBBF1TupAniDBoBqM/",
		"{MD5}1a1dc91c907325c69271ddf0c944bc72", "{SMD5}x",
		"{DES-CRYPT}XI8/4.ONughXo", "{PLAIN-MD4}x", "{PLAIN-MD5}x",
		"{LDAP-MD5}x", "{HMAC-MD5}x", "{CRAM-MD5}x", "{DIGEST-MD5}x",
		"{OTP}x", "{MD5-CRYPT}$1$PLl8f84r$j498dBBF1TupAniDBoBqM/",
		"_J9..CCCCXBrJUJV154M", "$3$$8846f7eaee8fb117ad06bdd830b7586c",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(weak) / sizeof(weak[0]); i++)
		assert_int_equal(admit(weak[i], &strict), ERR_ACCESS);
	assert_int_equal(admit("{SHA}nU4eI71bcnBGqeO0t9tXvY1u5oQ=", &strict),
	    0);
	assert_int_equal(admit("{PLAIN}pass", &strict), 0);
}

static void
test_cost(void **state)
{
	static const struct scheme_limits small = { true, 1024, 100 };
	static const char *const dear[] = {
		"$2y$31$CmgVwY5oLcJCjWQFdCczIe7cJVEGwt3v7W3PhcFhBFHzo6lSwdynm",
		"$6$rounds=999999999$xJStp6IDlVtP$x",
		"$6$rounds=99999999999999999999999$xJStp6IDlVtP$x",
		"{PBKDF2}$1$x$4000000000$00", "{SCRAM-SHA-1}4000000000,x,y,z",
		"{ARGON2ID}$argon2id$v=19$m=4194304,t=3,p=1$x$y",
		"{ARGON2ID}$argon2id$v=19$m=1024,t=4000000000,p=1$x$y",
		"{ARGON2ID}$argon2id$v=19$m=99999999999999999999,t=1,p=1$x$y",
		"$y$jzT$x$y", "$y$jHT$x$y", "$7$zzzzzzzzzzzx$y",
		"$sha1$4000000000$x$y",
	};
	static const char *const damaged[] = {
		"$2y$xx$x", "$2y$", "$6$rounds=$x", "$y$", "$7$",
		"{ARGON2ID}x", "{ARGON2ID}$argon2id$m=1,t=1", "{PBKDF2}x",
		"{SCRAM-SHA-1}x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(dear) / sizeof(dear[0]); i++)
		if (admit(dear[i], &small) != ERR_LIMIT)
			fail_msg("%s", dear[i]);
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++)
		if (admit(damaged[i], &small) != ERR_SYNTAX)
			fail_msg("%s", damaged[i]);
	assert_int_equal(admit("$x$abc", &small), ERR_UNSUPPORTED);
	/* what passwd(1) makes */
	assert_int_equal(admit("$y$j9T$F5Jx5fExrKuPp53xLKQ..1$x", &small), 0);
}

static void
test_plain(void **state)
{
	(void)state;
	assert_int_equal(verify("{PLAIN} a b ", SPAN(" a b ")), 0);
	assert_int_equal(verify("{PLAIN} a b ", SPAN("a b")), ERR_DENIED);
	assert_int_equal(verify("{PLAIN}a{b}:c", SPAN("a{b}:c")), 0);
	assert_int_equal(verify("{PLAIN}p\303\251", SPAN("p\303\251")), 0);
	assert_int_equal(verify("{PLAIN-TRUNC}4-pass", SPAN("passage")), 0);
	assert_int_equal(verify("{PLAIN-TRUNC}x-pass", SPAN("pass")),
	    ERR_SYNTAX);
	/* crypt(3) would stop at the NUL. */
	assert_int_equal(verify("XI8/4.ONughXo", SPAN("pass\0x")), ERR_DENIED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_weak),
		cmocka_unit_test(test_cost),
		cmocka_unit_test(test_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
