/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * verify.c: the table of back ends, and the comparison of one password with
 * one stored hash.
 *
 * Time must not tell whether a user exists.  A refusal that has not cost a hash
 * (nobody of that name, a hash that cannot be used, a locked account) costs one
 * like that of the first line of the users file.  That is exact where all lines
 * use one scheme with one cost, as tools make them; where they differ, what
 * shows is which scheme a user has, to somebody who can measure it through the
 * growing delays.
 */
#include "base/num.h"

#include "auth/scheme.h"
#include "auth/verify.h"

static const struct {
	enum auth_source source;
	enum auth_reason (*ask)(struct verify *v, struct auth_user **ret);
	void (*waste)(struct verify *v);	/* NULL: takes its own time */
} backends[] = {
	{ AUTH_USERS_FILE, verify_file, verify_file_waste },
	{ AUTH_SYSTEM, verify_system, verify_system_waste },
	{ AUTH_CHECKPASSWORD, verify_checkpassword, NULL },
};

#define NBACKENDS	(sizeof(backends) / sizeof(backends[0]))

void
verify_init(struct verify *v, struct auth *auth, const struct auth_peer *peer,
    struct deadline until)
{
	*v = (struct verify){ .auth = auth, .peer = *peer, .until = until };
	v->arena = arena_new(8192);
}

void
verify_done(struct verify *v)
{
	helper_stop(v->helper);
	arena_wipe(v->arena);
	arena_free(v->arena);
}

static void
waste(struct verify *v)
{
	unsigned sources = v->auth->conf->sources;

	/* What checkpassword answered took the time it takes. */
	if (v->is_cost_paid || v->ntries == 0 ||
	    (sources & AUTH_CHECKPASSWORD) != 0)
		return;
	for (size_t i = 0; i < NBACKENDS; i++) {
		if ((sources & backends[i].source) == 0 ||
		    backends[i].waste == NULL)
			continue;
		backends[i].waste(v);
		return;
	}
}

enum auth_reason
verify_run(struct verify *v, struct auth_user **ret)
{
	unsigned sources = v->auth->conf->sources;
	enum auth_reason reason = AUTH_UNKNOWN_USER;

	for (size_t i = 0; i < NBACKENDS; i++) {
		if ((sources & backends[i].source) == 0)
			continue;
		reason = backends[i].ask(v, ret);
		if (reason != AUTH_UNKNOWN_USER)
			break;
	}
	if (reason != AUTH_OK)
		waste(v);
	return reason;
}

static int
hash_in_helper(struct verify *v, struct span stored)
{
	int err = 0;

	if (v->auth->conf->helper == NULL)
		return ERR_UNAVAIL;
	if (v->helper == NULL)
		err = helper_start(v->auth->conf->helper, &v->helper);
	if (err != 0)
		return ERR_UNAVAIL;
	err = helper_verify(v->helper, v->user, stored, v->tries, v->ntries,
	    v->until);
	switch (err) {
	case 0:
	case ERR_DENIED:
	case ERR_SYNTAX:
	case ERR_UNSUPPORTED:
		return err;
	default:
		helper_stop(v->helper);
		v->helper = NULL;
		return ERR_UNAVAIL;
	}
}

static struct span
spell(struct verify *v, const struct scheme_hash *hash)
{
	static const char *const encodings[] = { "", ".hex", ".base64" };
	struct buf b;
	struct span copy;

	buf_init(&b, SCHEME_DATA_MAX + 64);
	buf_putc(&b, '{');
	buf_puts(&b, hash->scheme->name);
	buf_puts(&b, encodings[hash->encoding]);
	buf_putc(&b, '}');
	buf_put_span(&b, hash->data);
	copy = arena_dup(v->arena, buf_span(&b));
	buf_wipe_done(&b);
	return copy;
}

struct span
verify_spell(struct verify *v, struct span stored)
{
	struct scheme_hash hash;

	if (verify_parse(v->auth->conf, stored, &hash) != 0)
		return SPAN_NONE;
	return spell(v, &hash);
}

int
verify_parse(const struct auth_conf *conf, struct span stored,
    struct scheme_hash *ret)
{
	return scheme_parse(stored, span_str(conf->default_scheme != NULL ?
	    conf->default_scheme : "CRYPT"), ret);
}

int
verify_admit(const struct auth_conf *conf, const struct scheme_hash *hash)
{
	const struct scheme_limits limits = { conf->allow_weak,
	    conf->argon2_max_kib, conf->crypt_max_ms };

	return scheme_admit(hash, &limits);
}

int
verify_hash(struct verify *v, struct span stored)
{
	struct scheme_hash hash;
	int err;

	err = verify_parse(v->auth->conf, stored, &hash);
	if (err == 0)
		err = verify_admit(v->auth->conf, &hash);
	if (err != 0)
		return err;
	v->is_cost_paid = true;
	if (!is_scheme_local(&hash))
		return hash_in_helper(v, spell(v, &hash));
	err = ERR_DENIED;
	for (size_t i = 0; i < v->ntries && err == ERR_DENIED; i++)
		err = scheme_verify_local(&hash, v->tries[i]);
	return err;
}

struct span
verify_print_id(struct verify *v, uint32_t id)
{
	uint8_t digits[NUM_U64_DIGITS];

	return arena_dup(v->arena, span_of(digits, num_print(id, digits)));
}

const char *
verify_hash_text(int err)
{
	switch (err) {
	case ERR_ACCESS:
		return "weak password scheme, see allow_weak";
	case ERR_LIMIT:
		return "password hash costs more than is allowed";
	case ERR_UNSUPPORTED:
		return "unknown password scheme";
	case ERR_SYNTAX:
		return "malformed password hash";
	case ERR_UNAVAIL:
		return "imapd-auth failed or was too slow";
	default:
		return err_text(err);
	}
}
