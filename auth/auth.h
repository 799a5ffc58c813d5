/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * auth.h: who is this, and may they in?  The privileged side.
 *
 * Used by the monitor only.  It is given user names and passwords that the
 * unprivileged login process has already taken out of the SASL messages (see
 * sasl.h), so that no protocol text is parsed here.  It never includes
 * libcrypto: what needs it (SCRAM, CRAM-MD5, most {SCHEME}s but crypt(3)'s and
 * PLAIN) runs in the program imapd-auth, a child that ends with its secrets.
 */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/deadline.h"
#include "base/err.h"
#include "base/span.h"

#define AUTH_NAME_MAX		255	/* bytes of a user name */
#define AUTH_PASSWORD_MAX	1024	/* bytes of a password */
#define AUTH_MESSAGE_MAX	4096	/* bytes of one SASL message */

/* Where users come from, in the order they are asked. */
enum auth_source {
	AUTH_USERS_FILE = 1,	/* users = FILE */
	AUTH_SYSTEM = 2,	/* system_users = yes: getpwnam and shadow */
	AUTH_CHECKPASSWORD = 4	/* checkpassword = PROGRAM ARGS */
};

struct auth_conf {
	unsigned sources;	/* set of enum auth_source */
	const char *users_file;
	const char *checkpassword;
	const char *helper;	/* path of imapd-auth */
	const char *secret_file;/* key of what is made up (key.h); made
				 * when missing, if we may.  It should survive
				 * a reboot.  NULL: the machine's id */
	const char *default_scheme; /* of hashes without {SCHEME}: "CRYPT" */
	const char *default_uid;/* name or number, for lines without; or NULL */
	const char *default_gid;
	const char *home;	/* default home, with %u %n %d; or NULL */
	const char *mail;	/* default mail location, with %u %n %d %h */
	bool fold_case;		/* user names are lower-cased before lookup */
	bool allow_weak;	/* MD4, MD5 and DES schemes may be used */
	bool allow_anonymous;
	const char *anonymous_user; /* whom ANONYMOUS becomes */
	uint32_t argon2_max_kib; /* memory cap for Argon2 hashes */
	uint32_t crypt_max_ms;	/* advisory cap on crypt(3) cost, see scheme.h*/
};

/* A verified user.  Strings are owned by the struct; never NULL except as said.
 */
struct auth_user {
	char *name;		/* canonical: also after user=OTHER */
	char *label;		/* of the app password used; NULL: none */
	uid_t uid;
	gid_t gid;
	gid_t *groups;		/* supplementary; system users only */
	size_t ngroups;
	char *home;
	char *mail;		/* mail location, expanded */
	char *quota;		/* quota text as in the users file; or NULL */
	char *capability;	/* capability mask ("-UIDONLY -IDLE") or NULL */
	char *backend;		/* "users", "system", "checkpassword" */
};

void auth_user_free(struct auth_user *user);

/* Why a login was refused: for the log, never for the client. */
enum auth_reason {
	AUTH_OK = 0,
	AUTH_UNKNOWN_USER,
	AUTH_BAD_PASSWORD,
	AUTH_BAD_NETWORK,	/* allow_nets */
	AUTH_EXPIRED,
	AUTH_NOLOGIN,
	AUTH_BAD_SCHEME,	/* unknown or refused {SCHEME}; see the log */
	AUTH_BAD_ENTRY,		/* uid 0, no home, ... */
	AUTH_BAD_MECHANISM,	/* cannot be used for this user */
	AUTH_NOT_AUTHORIZED,	/* authzid is not the user */
	AUTH_ABORTED,		/* by the client */
	AUTH_UNAVAILABLE	/* users file unreadable, program failed, ... */
};

/* A stable word for the log: "unknown-user", "bad-password", ... */
const char *auth_reason_text(enum auth_reason reason);

struct auth;

/*
 * auth_new(conf): ready to verify; opens nothing yet.  conf and its strings
 * must outlive it.  note, if not NULL, is called for what the administrator
 * should know (a malformed line with its number, an unreadable file): the
 * caller logs it.
 */
struct auth *auth_new(const struct auth_conf *conf,
    void (*note)(void *cookie, const char *file, uint64_t line,
    const char *what), void *cookie);
void auth_free(struct auth *auth);

/* What is known of the connection. */
struct auth_peer {
	struct span address;	/* textual IP address, or empty: local */
	bool is_tls;
	struct span cert_name;	/* identity in the verified client certificate,
				 * or empty */
};

/*
 * auth_password(auth, peer, authzid, user, password, until, ret_user): PLAIN,
 * LOGIN and the LOGIN command.  The result is AUTH_OK and *ret_user, or a
 * reason.  authzid may be empty; another than the user is refused.  An unknown
 * user costs the same time as a wrong password.
 */
enum auth_reason auth_password(struct auth *auth, const struct auth_peer *peer,
    struct span authzid, struct span user, struct span password,
    struct deadline until, struct auth_user **ret_user);

/*
 * auth_password_mark(auth, password, out): for the log: two characters that are
 * the same for the same password on this host.  12 bits: enough to see that an
 * old password is tried again and again, which is no attack, and too few to
 * guess by.  It costs a millisecond.
 */
#define AUTH_MARK	2
void auth_password_mark(const struct auth *auth, struct span password,
    char out[AUTH_MARK + 1]);

/* auth_external(): the identity of the client certificate; no secret. */
enum auth_reason auth_external(struct auth *auth, const struct auth_peer *peer,
    struct span authzid, struct auth_user **ret_user);

/*
 * auth_lookup(auth, user, ret_user): who that would be, for the administrator's
 * tools.  Nothing is proved, and whether they may log in now is not asked.  A
 * checkpassword program tells nothing without a password: AUTH_UNKNOWN_USER.
 */
enum auth_reason auth_lookup(struct auth *auth, struct span user,
    struct auth_user **ret_user);

/* auth_anonymous(): trace is what the client sent (RFC 4505). */
enum auth_reason auth_anonymous(struct auth *auth,
    const struct auth_peer *peer, struct span trace,
    struct auth_user **ret_user);

/*
 * Conversations whose secret part runs in imapd-auth: SCRAM and CRAM-MD5.
 *
 * auth_dialog_new(auth, peer, mech, user, authzid, ret): look up the user and
 * start the helper with that user's secret (for an unknown user, with a
 * made-up one that is the same each time).  The texts of peer outlive the
 * dialog.
 *
 * auth_dialog_step(dialog, in, out, until, ret_user): hand the helper one
 * client message.  AUTH_CONTINUE: out is the next challenge.  AUTH_DONE:
 * *ret_user, and out is the server's last message (empty if there is none).
 * AUTH_FAILED: *ret_reason.
 *
 * For SCRAM the first in is the complete client-first-message, preceded by the
 * channel binding data as sasl.h encodes it; for CRAM-MD5 it is the challenge
 * that login sent and the client's response.
 */
struct auth_dialog;

enum auth_step { AUTH_CONTINUE, AUTH_DONE, AUTH_FAILED };

int auth_dialog_new(struct auth *auth, const struct auth_peer *peer,
    struct span mech, struct span user, struct span authzid,
    struct auth_dialog **ret) ERR_CHECK;
enum auth_step auth_dialog_step(struct auth_dialog *dialog, struct span in,
    struct buf *out, struct deadline until, struct auth_user **ret_user,
    enum auth_reason *ret_reason);
void auth_dialog_free(struct auth_dialog *dialog);

/*
 * can_auth_dialog(auth, mech): the password of the users file's first line
 * would serve this mechanism, so that it is worth announcing.
 */
bool can_auth_dialog(struct auth *auth, struct span mech);

#endif
