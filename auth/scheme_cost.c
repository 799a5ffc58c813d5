/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * scheme_cost.c: what a stored password asks of us, read from its parameters
 * before anything is computed.
 *
 * The users file is the administrator's, but users and web front ends choose
 * rounds, and an Argon2 hash with m=4 GiB in one line must not take the mail
 * service down.  The factors are those of a small server of 2020, rounded up:
 * an order of magnitude is what is wanted.
 */
#include "base/num.h"

#include "auth/scheme.h"

#define BCRYPT_NS		50000	/* per 2^cost */
#define SHACRYPT_NS		700	/* per round */
#define SHACRYPT_ROUNDS		5000	/* without rounds= */
#define DES_NS			1000	/* per count of extended DES */
#define SUNMD5_NS		1500
#define MEMORY_HARD_NS_KIB	1500	/* yescrypt, scrypt, Argon2: per KiB */
#define PBKDF2_NS		1000	/* per iteration, any digest */

#define NS_PER_MS		1000000u
#define SHIFT_MAX		40	/* a cost of 2^40 is refused anyway */

/* crypt(3)'s digits: ./0-9A-Za-z, 0 to 63; or -1. */
static int
crypt_digit(uint8_t c)
{
	if (c == '.' || c == '/')
		return c - '.';
	if (is_digit(c))
		return c - '0' + 2;
	if (is_upper(c))
		return c - 'A' + 12;
	if (is_lower(c))
		return c - 'a' + 38;
	return -1;
}

static uint64_t
times(uint64_t a, uint64_t b)
{
	uint64_t product;

	return num_mul(a, b, &product) != 0 ? UINT64_MAX : product;
}

static int
shift(int n, uint64_t *ret)
{
	if (n < 0)
		return ERR_SYNTAX;
	if (n > SHIFT_MAX)
		return ERR_LIMIT;
	*ret = (uint64_t)1 << n;
	return 0;
}

/* $2y$NN$ */
static int
cost_bcrypt(struct span rest, uint64_t *ret_ns)
{
	uint32_t log2;
	uint64_t n;
	int err;

	if (num_u32(span_take(rest, 2), 4, 31, &log2) != 0)
		return ERR_SYNTAX;
	err = shift((int)log2, &n);
	if (err == 0)
		*ret_ns = times(n, BCRYPT_NS);
	return err;
}

/* $6$[rounds=N$]salt$ */
static int
cost_sha(struct span rest, uint64_t *ret_ns)
{
	uint64_t rounds = SHACRYPT_ROUNDS;
	size_t digits;

	if (has_prefix(rest, SPAN("rounds="))) {
		rounds = num_prefix(span_skip(rest, 7), &digits);
		if (digits == 0)
			return ERR_SYNTAX;
	}
	*ret_ns = times(rounds, SHACRYPT_NS);
	return 0;
}

/* $sha1$N$salt$ */
static int
cost_sha1(struct span rest, uint64_t *ret_ns)
{
	size_t digits;

	*ret_ns = times(num_prefix(rest, &digits), SHACRYPT_NS);
	return digits == 0 ? ERR_SYNTAX : 0;
}

/* $md5[,rounds=N]$salt$: N on top of 4096 */
static int
cost_sunmd5(struct span rest, uint64_t *ret_ns)
{
	uint64_t rounds = 0;
	size_t digits;

	if (has_prefix(rest, SPAN(",rounds=")))
		rounds = num_prefix(span_skip(rest, 8), &digits);
	*ret_ns = times(rounds > UINT32_MAX ? rounds : rounds + 4096,
	    SUNMD5_NS);
	return 0;
}

/* _CCCCSSSS: four digits of count, the least significant first */
static int
cost_bsdi(struct span rest, uint64_t *ret_ns)
{
	uint64_t count = 0;
	int digit;

	if (rest.n < 8)
		return ERR_SYNTAX;
	for (unsigned i = 0; i < 4; i++) {
		digit = crypt_digit(rest.p[i]);
		if (digit < 0)
			return ERR_SYNTAX;
		count |= (uint64_t)digit << (6 * i);
	}
	*ret_ns = times(count, DES_NS);
	return 0;
}

/*
 * $y$FNR$: flavour, log2(N) - 1, r - 1; 128 N r bytes are used.  Each is one
 * digit below 48 in all that crypt_gensalt(3) makes; larger numbers take more
 * digits, cost more than we would allow, and are not looked at.
 */
static int
cost_yescrypt(struct span rest, uint64_t *ret_ns)
{
	int n, r, err;
	uint64_t size;

	if (rest.n < 4)
		return ERR_SYNTAX;
	n = crypt_digit(rest.p[1]);
	r = crypt_digit(rest.p[2]);
	if (n < 0 || r < 0)
		return ERR_SYNTAX;
	if (crypt_digit(rest.p[0]) > 47 || n > 47 || r > 47 ||
	    rest.p[3] != '$')
		return ERR_LIMIT;
	err = shift(n + 1, &size);
	if (err == 0)
		*ret_ns = times(times(size, (uint64_t)(r + 1)),
		    MEMORY_HARD_NS_KIB / 8);
	return err;
}

/* $7$NRRRRRPPPPP: log2(N), r and p of 30 bits each */
static int
cost_scrypt(struct span rest, uint64_t *ret_ns)
{
	uint64_t n, rp[2] = { 0, 0 };
	int digit, err;

	if (rest.n < 11)
		return ERR_SYNTAX;
	err = shift(crypt_digit(rest.p[0]), &n);
	if (err != 0)
		return err;
	for (unsigned i = 0; i < 10; i++) {
		digit = crypt_digit(rest.p[1 + i]);
		if (digit < 0)
			return ERR_SYNTAX;
		rp[i / 5] |= (uint64_t)digit << (6 * (i % 5));
	}
	*ret_ns = times(times(times(n, rp[0]), rp[1]), MEMORY_HARD_NS_KIB / 8);
	return 0;
}

/* $1$ and $3$ have no parameters. */
static int
cost_none(struct span rest, uint64_t *ret_ns)
{
	(void)rest;
	*ret_ns = 0;
	return 0;
}

/* Traditional DES: 2 digits of salt, 11 of hash. */
static bool
is_des(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (crypt_digit(s.p[i]) < 0)
			return false;
	return s.n == 13;
}

static const struct {
	const char *prefix;
	bool is_weak;
	int (*cost)(struct span rest, uint64_t *ret_ns);
} crypts[] = {
	{ "$2a$", false, cost_bcrypt },
	{ "$2b$", false, cost_bcrypt },
	{ "$2y$", false, cost_bcrypt },
	{ "$2x$", true, cost_bcrypt },
	{ "$5$", false, cost_sha },
	{ "$6$", false, cost_sha },
	{ "$y$", false, cost_yescrypt },
	{ "$gy$", false, cost_yescrypt },
	{ "$7$", false, cost_scrypt },
	{ "$1$", true, cost_none },
	{ "$3$", true, cost_none },
	{ "$sha1$", true, cost_sha1 },
	{ "$md5", true, cost_sunmd5 },
	{ "_", true, cost_bsdi },
};

/* What crypt(3) will need for this string, roughly; errors as for
 * scheme_admit(). */
static int ERR_CHECK
crypt_cost(struct span data, uint64_t *ret_ms, bool *ret_weak)
{
	struct span prefix;
	uint64_t ns;
	int err;

	for (size_t i = 0; i < sizeof(crypts) / sizeof(crypts[0]); i++) {
		prefix = span_str(crypts[i].prefix);
		if (!has_prefix(data, prefix))
			continue;
		err = crypts[i].cost(span_skip(data, prefix.n), &ns);
		if (err != 0)
			return err;
		*ret_ms = ns / NS_PER_MS;
		*ret_weak = crypts[i].is_weak;
		return 0;
	}
	if (!is_des(data))
		return ERR_UNSUPPORTED;
	*ret_ms = 0;
	*ret_weak = true;
	return 0;
}

static int
admit_crypt(const struct scheme_hash *hash, const struct scheme_limits *limits,
    uint64_t max_ms)
{
	struct buf data;
	uint64_t ms;
	bool is_weak;
	int err;

	buf_init(&data, SCHEME_DATA_MAX);
	err = scheme_decode(hash, &data);
	if (err == 0)
		err = crypt_cost(buf_span(&data), &ms, &is_weak);
	buf_wipe_done(&data);
	if (err != 0)
		return err;
	if (is_weak && !limits->allow_weak)
		return ERR_ACCESS;
	return ms > max_ms ? ERR_LIMIT : 0;
}

/* "k=NUMBER" at the start of *s, then sep */
static int
parameter(struct span *s, struct span key, uint8_t sep, uint64_t *ret)
{
	size_t digits;

	if (!has_prefix(*s, key))
		return ERR_SYNTAX;
	*s = span_skip(*s, key.n);
	*ret = num_prefix(*s, &digits);
	if (digits == 0 || digits == s->n || s->p[digits] != sep)
		return ERR_SYNTAX;
	*s = span_skip(*s, digits + 1);
	return 0;
}

/* $argon2id$[v=19$]m=65536,t=3,p=1$salt$hash */
static int
admit_argon2(struct span data, uint64_t max_kib, uint64_t max_ms)
{
	struct span s = data, rest;
	uint64_t v, m, t, p;

	(void)span_split(&s, '$');	/* what is before the first $ */
	(void)span_split(&s, '$');	/* argon2id: libargon2 compares it */
	if (has_prefix(s, SPAN("v="))) {
		rest = s;
		if (parameter(&rest, SPAN("v="), '$', &v) != 0)
			return ERR_SYNTAX;
		s = rest;
	}
	if (parameter(&s, SPAN("m="), ',', &m) != 0 ||
	    parameter(&s, SPAN("t="), ',', &t) != 0 ||
	    parameter(&s, SPAN("p="), '$', &p) != 0)
		return ERR_SYNTAX;
	if (m > max_kib ||
	    times(times(m, t), MEMORY_HARD_NS_KIB) / NS_PER_MS > max_ms)
		return ERR_LIMIT;
	return 0;
}

/* {PBKDF2}$1$salt$rounds$hash */
static int
admit_pbkdf2(struct span data, uint64_t max_ms)
{
	struct span s = data;
	uint32_t rounds;

	for (int i = 0; i < 3; i++)
		(void)span_split(&s, '$');
	if (num_u32(span_split(&s, '$'), 1, UINT32_MAX, &rounds) != 0)
		return ERR_SYNTAX;
	return times(rounds, PBKDF2_NS) / NS_PER_MS > max_ms ? ERR_LIMIT : 0;
}

/* {SCRAM-SHA-256}iterations,... */
static int
admit_scram(struct span data, uint64_t max_ms)
{
	struct span s = data;
	uint32_t rounds;

	if (num_u32(span_split(&s, ','), 1, UINT32_MAX, &rounds) != 0)
		return ERR_SYNTAX;
	return times(rounds, PBKDF2_NS) / NS_PER_MS > max_ms ? ERR_LIMIT : 0;
}

int
scheme_admit(const struct scheme_hash *hash, const struct scheme_limits *limits)
{
	uint64_t max_ms = limits->max_ms != 0 ? limits->max_ms : SCHEME_MAX_MS;
	uint64_t max_kib = limits->argon2_max_kib != 0 ?
	    limits->argon2_max_kib : SCHEME_ARGON2_KIB;

	if (hash->scheme->is_weak && !limits->allow_weak)
		return ERR_ACCESS;
	switch (hash->scheme->kind) {
	case SCHEME_CRYPT:
		return admit_crypt(hash, limits, max_ms);
	case SCHEME_ARGON2:
		return admit_argon2(hash->data, max_kib, max_ms);
	case SCHEME_PBKDF2:
		return admit_pbkdf2(hash->data, max_ms);
	case SCHEME_SCRAM:
		return admit_scram(hash->data, max_ms);
	default:
		return 0;
	}
}
