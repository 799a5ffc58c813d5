/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * verify.h: the back ends: a user and a password -> yes, no, or not now.
 *
 * Internal to auth/; callers see auth.h.
 */
#ifndef AUTH_VERIFY_H
#define AUTH_VERIFY_H

#include "auth/auth.h"
#include "auth/helper.h"
#include "auth/scheme.h"
#include "auth/usersfile.h"
#include "base/arena.h"

struct auth {
	const struct auth_conf *conf;
	struct usersfile_note note;
};

/* One question. */
struct verify {
	struct auth *auth;
	struct auth_peer peer;
	struct span user;	/* canonical, see auth_canonical() */
	struct span tries[HELPER_TRIES_MAX]; /* forms of the password */
	size_t ntries;
	bool is_trusted;	/* proven otherwise (a certificate): no password
				 * is asked for, ntries is 0 */
	bool is_lookup;		/* nor whether they may in; also trusted */
	bool is_cost_paid;	/* a hash has been computed */
	struct deadline until;
	struct arena *arena;	/* wiped at the end */
	struct helper *helper;	/* started when first needed */
};

void verify_init(struct verify *v, struct auth *auth,
    const struct auth_peer *peer, struct deadline until);
void verify_done(struct verify *v);

/* verify_run(v, ret): ask the back ends in turn until one knows the user. */
enum auth_reason verify_run(struct verify *v, struct auth_user **ret);

/*
 * verify_hash(v, stored): is one of v->tries the password?  stored is a
 * password field of the users file.  0; ERR_DENIED; ERR_ACCESS, ERR_LIMIT,
 * ERR_UNSUPPORTED, ERR_SYNTAX: this hash is not used, see scheme_admit();
 * ERR_UNAVAIL: it could not be tried now.
 */
int verify_hash(struct verify *v, struct span stored) ERR_CHECK;

/* scheme_parse() and scheme_admit() as this configuration has them. */
int verify_parse(const struct auth_conf *conf, struct span stored,
    struct scheme_hash *ret) ERR_CHECK;
int verify_admit(const struct auth_conf *conf, const struct scheme_hash *hash)
    ERR_CHECK;

/* verify_spell(v, stored): with its scheme named, for imapd-auth, which knows
 * no default; empty if it cannot be parsed. */
struct span verify_spell(struct verify *v, struct span stored);

/* A text for the administrator about an error of verify_hash(). */
const char *verify_hash_text(int err);

/* verify_print_id(v, id): a uid or gid as text, for struct userdb_facts. */
struct span verify_print_id(struct verify *v, uint32_t id);

/* The back ends.  AUTH_UNKNOWN_USER: ask the next one. */
enum auth_reason verify_file(struct verify *v, struct auth_user **ret);
enum auth_reason verify_system(struct verify *v, struct auth_user **ret);
enum auth_reason verify_checkpassword(struct verify *v,
    struct auth_user **ret);

/* What an unknown user costs: verify the password against somebody else's
 * hash, and forget the result. */
void verify_file_waste(struct verify *v);
void verify_system_waste(struct verify *v);

/*
 * The line whose password serves a dialog mechanism (SCRAM, CRAM-MD5), with the
 * lines it belongs to.  AUTH_BAD_MECHANISM if the user has none such.
 */
struct verify_entry {
	struct usersfile_lines lines;
	size_t i;
};

enum auth_reason verify_file_dialog(struct verify *v, struct span mech,
    struct verify_entry *ret);

/* verify_file_finish(v, entry, ret): the password was right: may he in, and
 * who is he? */
enum auth_reason verify_file_finish(struct verify *v,
    const struct verify_entry *entry, struct auth_user **ret);

/* verify_file_sample(v, ret): the first line's password, to imitate; empty if
 * there is none. */
struct span verify_file_sample(struct verify *v);

/* is_verify_dialog(mech, stored, conf): this stored password serves mech. */
bool is_verify_dialog(struct span mech, struct span stored,
    const struct auth_conf *conf);

/* auth_canonical(auth, user, ret): the name as it is looked up: ASCII letters
 * in lower case if so configured, what is not ASCII as SASLprep has it.
 * ERR_NAME: no user can be called so. */
int auth_canonical(const struct auth *auth, struct span user,
    struct arena *arena, struct span *ret) ERR_CHECK;

#endif
