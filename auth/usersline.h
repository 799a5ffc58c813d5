/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * usersline.h: one line of the users file (Dovecot's passwd-file).
 *
 *	user:password:uid:gid:gecos:home:shell:extra
 *
 * A pure function of the bytes: no files, no clock, no name service.
 */
#ifndef AUTH_USERSLINE_H
#define AUTH_USERSLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

#define USERSLINE_MAX	16384	/* bytes of one line */

/* Everything points into the line; empty where nothing was said. */
struct usersline {
	struct span user;
	struct span password;
	struct span uid;	/* number or name */
	struct span gid;
	struct span home;
	struct span mail;	/* userdb_mail=, or the old-style location */
	struct span quota;	/* userdb_quota_rule= */
	struct span quota_size;	/* the two settings of Dovecot 2.4 */
	struct span quota_count;
	struct span label;	/* label=: an app password */
	struct span alias;	/* user=: go on as this one */
	struct span nets;	/* allow_nets= */
	struct span services;	/* services= */
	struct span capability;	/* capability= */
	bool is_nologin;	/* nologin, fail, proxy, host= */
	bool is_nopassword;	/* anybody who knows the name */
	bool has_nets;
	bool has_services;
	int64_t expires;	/* from then on refused; 0: never */
	int64_t not_before;	/* delay_until= */
};

/*
 * usersline_parse(line, ret, ret_why): line without its line end.  ERR_NOENT
 * for an empty line and a comment; ERR_SYNTAX and a reason in *ret_why for a
 * malformed one: no colon, a NUL or control byte in the user name, uid or gid
 * 0, an allow_nets, expires or delay_until that cannot be read.  A line that is
 * malformed in any of its fields is malformed as a whole.
 */
int usersline_parse(struct span line, struct usersline *ret,
    const char **ret_why) ERR_CHECK;

/* is_usersline_service(line, name): services= is absent, or has this one. */
bool is_usersline_service(const struct usersline *line, struct span name);

/*
 * is_usersline_net(line, address): allow_nets= is absent, or has a network with
 * this textual address.  An empty address is "local".
 */
bool is_usersline_net(const struct usersline *line, struct span address);

#endif
