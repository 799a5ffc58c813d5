/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"

#include "auth/auth.h"
#include "auth/expand.h"
#include "auth/prep.h"
#include "auth/verify.h"

static void
no_note(void *cookie, const char *file, uint64_t line, const char *what)
{
	(void)cookie;
	(void)file;
	(void)line;
	(void)what;
}

struct auth *
auth_new(const struct auth_conf *conf,
    void (*note)(void *cookie, const char *file, uint64_t line,
    const char *what), void *cookie)
{
	struct auth *auth = mem_zalloc(sizeof(*auth));

	auth->conf = conf;
	auth->note.fn = note != NULL ? note : no_note;
	auth->note.cookie = cookie;
	return auth;
}

void
auth_free(struct auth *auth)
{
	free(auth);
}

void
auth_user_free(struct auth_user *user)
{
	if (user == NULL)
		return;
	free(user->name);
	free(user->label);
	free(user->groups);
	free(user->home);
	free(user->mail);
	free(user->quota);
	free(user->capability);
	free(user->backend);
	free(user);
}

const char *
auth_reason_text(enum auth_reason reason)
{
	static const char *const texts[] = {
		[AUTH_OK] = "ok",
		[AUTH_UNKNOWN_USER] = "unknown-user",
		[AUTH_BAD_PASSWORD] = "bad-password",
		[AUTH_BAD_NETWORK] = "bad-network",
		[AUTH_EXPIRED] = "expired",
		[AUTH_NOLOGIN] = "nologin",
		[AUTH_BAD_SCHEME] = "bad-scheme",
		[AUTH_BAD_ENTRY] = "bad-entry",
		[AUTH_BAD_MECHANISM] = "bad-mechanism",
		[AUTH_NOT_AUTHORIZED] = "not-authorized",
		[AUTH_ABORTED] = "aborted",
		[AUTH_UNAVAILABLE] = "unavailable",
	};

	return texts[reason];
}

int
auth_canonical(const struct auth *auth, struct span user, struct arena *arena,
    struct span *ret)
{
	struct buf b;
	int err = 0;

	buf_init(&b, AUTH_NAME_MAX);
	if (is_ascii(user))
		buf_put_span(&b, user);
	else if (is_utf8(user))
		err = prep_saslprep(user, &b);
	else
		err = prep_latin1(user, &b);
	if (err == 0)
		err = buf_err(&b);
	if (err == 0)
		err = expand_check_name(buf_span(&b));
	if (err == 0) {
		for (size_t i = 0; auth->conf->fold_case && i < b.n; i++)
			b.p[i] = to_lower(b.p[i]);
		*ret = arena_dup(arena, buf_span(&b));
	}
	buf_done(&b);
	return err == 0 ? 0 : ERR_NAME;
}

/*
 * The authorization identity must be the authentication identity: nobody may
 * act as somebody else.  Compared as names are looked up.
 */
static bool
is_same_user(const struct auth *auth, struct span authzid, struct span user,
    struct arena *arena)
{
	struct span name;

	return authzid.n == 0 || (auth_canonical(auth, authzid, arena,
	    &name) == 0 && is_span_eq(name, user));
}

/* The password as it came, and what else it may have been meant as. */
static void
set_tries(struct verify *v, struct span password)
{
	struct buf b;

	v->tries[v->ntries++] = password;
	buf_init(&b, AUTH_PASSWORD_MAX);
	(void)buf_room(&b, AUTH_PASSWORD_MAX);	/* grows once: no copies */
	if (prep_alternative(password, &b) == 0)
		v->tries[v->ntries++] = arena_dup(v->arena, buf_span(&b));
	buf_wipe_done(&b);
}

enum auth_reason
auth_password(struct auth *auth, const struct auth_peer *peer,
    struct span authzid, struct span user, struct span password,
    struct deadline until, struct auth_user **ret_user)
{
	enum auth_reason reason;
	struct verify v;

	if (password.n > AUTH_PASSWORD_MAX || has_byte(password, '\0'))
		return AUTH_BAD_PASSWORD;
	verify_init(&v, auth, peer, until);
	set_tries(&v, password);
	if (auth_canonical(auth, user, v.arena, &v.user) != 0)
		v.user = SPAN_NONE;	/* nobody's name, at the usual price */
	if (v.user.n > 0 && !is_same_user(auth, authzid, v.user, v.arena))
		reason = AUTH_NOT_AUTHORIZED;
	else
		reason = verify_run(&v, ret_user);
	verify_done(&v);
	return reason;
}

/* Let in a user whose identity is known without a password. */
static enum auth_reason
trusted(struct auth *auth, const struct auth_peer *peer, struct span authzid,
    struct span user, struct auth_user **ret_user)
{
	enum auth_reason reason = AUTH_UNKNOWN_USER;
	struct verify v;

	verify_init(&v, auth, peer, DEADLINE_NEVER);
	v.is_trusted = true;
	if (auth_canonical(auth, user, v.arena, &v.user) == 0) {
		if (is_same_user(auth, authzid, v.user, v.arena))
			reason = verify_run(&v, ret_user);
		else
			reason = AUTH_NOT_AUTHORIZED;
	}
	verify_done(&v);
	return reason;
}

enum auth_reason
auth_external(struct auth *auth, const struct auth_peer *peer,
    struct span authzid, struct auth_user **ret_user)
{
	if (!peer->is_tls || peer->cert_name.n == 0)
		return AUTH_BAD_MECHANISM;
	return trusted(auth, peer, authzid, peer->cert_name, ret_user);
}

enum auth_reason
auth_lookup(struct auth *auth, struct span user, struct auth_user **ret_user)
{
	const struct auth_peer nobody = { .is_tls = true };
	enum auth_reason reason = AUTH_UNKNOWN_USER;
	struct verify v;

	verify_init(&v, auth, &nobody, DEADLINE_NEVER);
	v.is_trusted = v.is_lookup = true;
	if (auth_canonical(auth, user, v.arena, &v.user) == 0)
		reason = verify_run(&v, ret_user);
	verify_done(&v);
	return reason;
}

enum auth_reason
auth_anonymous(struct auth *auth, const struct auth_peer *peer,
    struct span trace, struct auth_user **ret_user)
{
	(void)trace;	/* the caller logs it */
	if (!auth->conf->allow_anonymous || auth->conf->anonymous_user == NULL)
		return AUTH_BAD_MECHANISM;
	return trusted(auth, peer, SPAN_NONE,
	    span_str(auth->conf->anonymous_user), ret_user);
}
