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
#include <sys/random.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/mem.h"
#include "base/num.h"

#include "auth/helper.h"
#include "auth/verify.h"

#define MACHINE_ID	"/etc/machine-id"
#define SECRET_BYTES	32
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

/* A file's first bytes; ERR_CORRUPT if it is shorter than min. */
static int
read_key(const char *path, size_t min, struct buf *key)
{
	size_t n;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return ERR_NOENT;
	err = fdio_pread(fd, buf_room(key, HELPER_KEY_MAX), HELPER_KEY_MAX, 0,
	    &n);
	fdio_close(&fd);
	if (err == 0 && n < min)
		err = ERR_CORRUPT;
	if (err == 0)
		key->n = n;
	return err;
}

/* Make the secret file.  Two at once: the second finds it there. */
static int
make_key(const char *path)
{
	uint8_t secret[SECRET_BYTES];
	int fd, err;

	if (getrandom(secret, sizeof(secret), 0) != sizeof(secret))
		return ERR_IO;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd < 0)
		return ERR_ACCESS;
	err = fdio_write_file(fd, span_of(secret, sizeof(secret)));
	fdio_close(&fd);
	explicit_bzero(secret, sizeof(secret));
	return err;
}

/*
 * The key of made-up salts: the secret file's, or else the machine's id, which
 * local users know, and with which they could tell an unknown user from a real
 * one.
 */
static void
find_key(const char *path, struct buf *key)
{
	buf_init(key, HELPER_KEY_MAX);
	if (path != NULL && (read_key(path, SECRET_BYTES, key) == 0 ||
	    (make_key(path) == 0 && read_key(path, SECRET_BYTES, key) == 0)))
		return;
	(void)!read_key(MACHINE_ID, 1, key);	/* empty at worst */
}

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
	find_key(auth->conf->secret_file, &d->key);
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
