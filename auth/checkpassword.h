/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * checkpassword.h: the report of a checkpassword program.
 *
 * A checkpassword program reads name and password from descriptor 3, and when
 * they are right becomes the user and runs the program in its arguments.  That
 * program is imapd-auth in its report mode (argument CHECKPASSWORD_REPORT): it
 * says over the socket on descriptor CHECKPASSWORD_FD who it has become.
 *
 * The uid and gid are not what it says but what the kernel says of the sender
 * (SCM_CREDENTIALS): a user who stops or debugs a process of his own can make
 * it lie about anything else, but not about that.  Only a sender that still is
 * root is believed in userdb_uid and userdb_gid.
 */
#ifndef AUTH_CHECKPASSWORD_H
#define AUTH_CHECKPASSWORD_H

#include "base/err.h"

#define CHECKPASSWORD_FD	4
#define CHECKPASSWORD_REPORT	"--report"
#define CHECKPASSWORD_MAX	4096	/* bytes of one report */

/* Environment variables that are reported, in this order, each as a counted
 * string of enc.h; empty if unset. */
#define CHECKPASSWORD_NAMES	{ "USER", "HOME", "userdb_uid",		\
	"userdb_gid", "userdb_mail", "MAILDIR", "userdb_quota_rule" }
enum checkpassword_value {
	CHECKPASSWORD_USER, CHECKPASSWORD_HOME, CHECKPASSWORD_UID,
	CHECKPASSWORD_GID, CHECKPASSWORD_MAIL, CHECKPASSWORD_MAILDIR,
	CHECKPASSWORD_QUOTA, CHECKPASSWORD_NVALUES
};

/* checkpassword_report(envp): the report mode: send it; an error of send(2). */
int checkpassword_report(char *const envp[]) ERR_CHECK;

#endif
