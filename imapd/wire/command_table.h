/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * command_table.h: every command: name, when it is allowed, what must be known
 * about it before it runs, and the function that reads its arguments.
 *
 * The only such list.  What runs for a command is found by its id: in
 * imapd/command/commands.c for the session, in the login dialogue for the
 * commands before login; so neither image links the other's code.
 */
#ifndef IMAPD_WIRE_COMMAND_TABLE_H
#define IMAPD_WIRE_COMMAND_TABLE_H

#include "base/err.h"
#include "base/span.h"
#include "imapd/wire/command.h"

struct lex;

/* RFC 3501 section 3: the states a command is allowed in. */
enum {
	STATE_LOGIN = 1,	/* not authenticated */
	STATE_AUTH = 2,		/* authenticated, nothing selected */
	STATE_SELECTED = 4,
	STATE_ANY = STATE_LOGIN | STATE_AUTH | STATE_SELECTED
};

enum {
	/* Its news may hold EXPUNGE.  Not so for those that name messages by
	 * sequence numbers, or answer with nothing else (RFC 3501 7.4.1). */
	COMMAND_TELLS_EXPUNGE = 1,
	/* Its arguments are secrets: wiped after use. */
	COMMAND_SECRET = 2
};

struct command_row {
	const char *name;
	enum command_id id;
	unsigned states;	/* set of STATE_ */
	unsigned flags;		/* set of COMMAND_ */
	/* 0, or an error of lex.h */
	int (*parse)(struct lex *lx, struct command *cmd);
};

/* command_row(id): never NULL for an id below CMD_COUNT but CMD_NONE. */
const struct command_row *command_row(enum command_id id);

/* command_find(name): by name, without regard to case; "UID FETCH" is one name.
 * NULL if there is none.  XLIST is found as a row of its own with CMD_LIST. */
const struct command_row *command_find(struct span name);

#endif
