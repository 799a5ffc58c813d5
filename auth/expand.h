/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * expand.h: %variables of home directories and mail locations, as Dovecot
 * writes them.
 *
 *	%u %{user}	the user name		%% a percent sign
 *	%n %{username}	what precedes its @	%d %{domain} what follows it
 *	%h %{home}	the home directory
 *	%{user|username} %{user|domain}		the same as %n, %d
 *	%Lx %Ux		in lower, upper case
 *	%Nx %S.Nx	at most N bytes, after skipping S: /mail/%1n/%n
 */
#ifndef AUTH_EXPAND_H
#define AUTH_EXPAND_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

struct expand {
	struct span user;
	struct span home;	/* empty while the home itself is expanded */
};

/*
 * expand_put(text, e, b): append text with its variables replaced.
 * ERR_UNSUPPORTED for an unknown variable, ERR_LIMIT; ERR_NAME when a part of
 * the user name that is used would be empty, "." or "..", or holds a slash:
 * names from the network never climb out of a path.
 */
int expand_put(struct span text, const struct expand *e, struct buf *b)
    ERR_CHECK;

/*
 * expand_check_name(user): 0, or ERR_NAME: empty, longer than AUTH_NAME_MAX,
 * a slash, a control byte, "..", or a part that begins with a dot.
 */
int expand_check_name(struct span user) ERR_CHECK;

#endif
