/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * dialog.c: SCRAM and CRAM-MD5, seen from the monitor.
 *
 * The monitor finds the user's stored password and hands it to an imapd-auth of
 * this conversation's own; the messages pass through unread.  Who is unknown,
 * or has no password for this mechanism, gets the same conversation, with a
 * salt made from his name and a key of this host, and fails at its end: so salt
 * and iterations are the same at each try, and tell nothing.
 */
#include "base/mem.h"
#include "base/num.h"

#include "auth/helper.h"
#include "auth/key.h"
#include "auth/verify.h"

#define MECH_MAX	32

struct auth_dialog {
	struct verify v;
	enum auth_reason reason;	/* other than AUTH_OK: to fail so */
	struct verify_entry entry;	/* when AUTH_OK */
	struct span mech;
	struct span stored;
	uint32_t iterations;	/* to imitate */
	struct buf key;
	bool is_begun;
};

/* The iterations of a {SCRAM-...} line, or 0. */
static uint32_t
iterations_of(const struct auth_conf *conf, struct span stored)
{
	struct scheme_hash hash;
	struct span rest;
	uint32_t n;

	if (verify_parse(conf, stored, &hash) != 0 ||
	    hash.scheme->kind != SCHEME_SCRAM)
		return 0;
	rest = hash.data;
	return num_u32(span_split(&rest, ','), 1, UINT32_MAX, &n) == 0 ? n : 0;
}

/* Before a user whose password is not used: what would his look like? */
static void
imitate(struct auth_dialog *d)
{
	struct span sample;

	if ((d->v.auth->conf->sources & AUTH_USERS_FILE) == 0)
		return;
	sample = verify_file_sample(&d->v);
	if (sample.n > 0)
		d->iterations = iterations_of(d->v.auth->conf, sample);
}

static enum auth_reason
look_up(struct auth_dialog *d, struct span user, struct span authzid)
{
	struct auth *auth = d->v.auth;
	struct span name;

	if (auth_canonical(auth, user, d->v.arena, &d->v.user) != 0) {
		d->v.user = SPAN_NONE;
		return AUTH_UNKNOWN_USER;
	}
	if (authzid.n > 0 && (auth_canonical(auth, authzid, d->v.arena,
	    &name) != 0 || !is_span_eq(name, d->v.user)))
		return AUTH_NOT_AUTHORIZED;
	if ((auth->conf->sources & AUTH_USERS_FILE) == 0)
		return AUTH_BAD_MECHANISM;
	return verify_file_dialog(&d->v, d->mech, &d->entry);
}

int
auth_dialog_new(struct auth *auth, const struct auth_peer *peer,
    struct span mech, struct span user, struct span authzid,
    struct auth_dialog **ret)
{
	struct auth_dialog *d;
	int err;

	if (mech.n > MECH_MAX || auth->conf->helper == NULL)
		return ERR_UNSUPPORTED;
	d = mem_zalloc(sizeof(*d));
	verify_init(&d->v, auth, peer, DEADLINE_NEVER);
	key_find(auth->conf->secret_file, &d->key);
	d->mech = arena_dup(d->v.arena, mech);
	d->reason = look_up(d, user, authzid);
	if (d->reason == AUTH_OK)
		d->stored = d->entry.lines.v[d->entry.i].password;
	else
		imitate(d);
	/* The name that the salt is made from: as typed, if it is nobody's. */
	if (d->v.user.n == 0)
		d->v.user = arena_dup(d->v.arena, span_take(user,
		    AUTH_NAME_MAX));
	err = helper_start(auth->conf->helper, &d->v.helper);
	if (err != 0) {
		auth_dialog_free(d);
		return err;
	}
	*ret = d;
	return 0;
}

/* imapd-auth has found the proof right. */
static enum auth_step
finish(struct auth_dialog *d, struct auth_user **ret_user,
    enum auth_reason *ret_reason)
{
	*ret_reason = d->reason;
	if (d->reason == AUTH_OK)
		*ret_reason = verify_file_finish(&d->v, &d->entry, ret_user);
	return *ret_reason == AUTH_OK ? AUTH_DONE : AUTH_FAILED;
}

enum auth_step
auth_dialog_step(struct auth_dialog *d, struct span in, struct buf *out,
    struct deadline until, struct auth_user **ret_user,
    enum auth_reason *ret_reason)
{
	enum helper_verdict verdict = HELPER_NO;
	enum auth_step step = AUTH_FAILED;
	int err = 0;

	if (!d->is_begun)
		err = helper_dialog(d->v.helper, d->mech, d->v.user,
		    verify_spell(&d->v, d->stored), d->iterations,
		    buf_span(&d->key), until);
	d->is_begun = true;
	if (err == 0)
		err = helper_step(d->v.helper, in, until, out, &step,
		    &verdict);
	if (err != 0) {
		*ret_reason = AUTH_UNAVAILABLE;
		return AUTH_FAILED;
	}
	switch (step) {
	case AUTH_CONTINUE:
		return AUTH_CONTINUE;
	case AUTH_DONE:
		step = finish(d, ret_user, ret_reason);
		if (step == AUTH_FAILED)
			buf_clear(out);
		return step;
	case AUTH_FAILED:
		break;
	}
	*ret_reason = d->reason != AUTH_OK ? d->reason :
	    verdict == HELPER_NO ? AUTH_BAD_PASSWORD : AUTH_BAD_SCHEME;
	return AUTH_FAILED;
}

void
auth_dialog_free(struct auth_dialog *d)
{
	if (d == NULL)
		return;
	verify_done(&d->v);
	buf_wipe_done(&d->key);
	mem_wipe_free(d, sizeof(*d));
}

bool
can_auth_dialog(struct auth *auth, struct span mech)
{
	const struct auth_peer nobody = { 0 };
	struct verify v;
	struct span sample;
	bool can = false;

	if ((auth->conf->sources & AUTH_USERS_FILE) == 0 ||
	    auth->conf->helper == NULL)
		return false;
	verify_init(&v, auth, &nobody, DEADLINE_NEVER);
	sample = verify_file_sample(&v);
	if (sample.n > 0)
		can = is_verify_dialog(mech, sample, auth->conf);
	verify_done(&v);
	return can;
}
