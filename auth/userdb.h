/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * userdb.h: what a back end knows of a user -> struct auth_user.
 */
#ifndef AUTH_USERDB_H
#define AUTH_USERDB_H

#include "auth/auth.h"
#include "base/err.h"
#include "base/span.h"

/* Empty where the back end says nothing: then the configuration does. */
struct userdb_facts {
	const char *backend;
	struct span name;	/* expand_check_name() has passed */
	struct span label;
	struct span uid;	/* number or name */
	struct span gid;
	struct span home;	/* may have %variables */
	struct span mail;	/* may have %variables */
	struct span quota;	/* as quotarule.h has it */
	struct span quota_size;	/* if quota is empty: a number with a unit, */
	struct span quota_count; /* and one without */
	struct span capability;
};

/*
 * userdb_make(conf, facts, ret, ret_why): ERR_NAME, ERR_ACCESS (uid 0),
 * ERR_NOENT (no such uid, none given), ERR_UNSUPPORTED (unknown %variable),
 * ERR_SYNTAX (quota), with a text for the administrator in *ret_why.
 */
int userdb_make(const struct auth_conf *conf, const struct userdb_facts *facts,
    struct auth_user **ret, const char **ret_why) ERR_CHECK;

#endif
