/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * commands.h: what runs for each command of imapd/wire/command_table.h.
 *
 * A run function does what the parsed command says, prints its untagged
 * responses, and ends with one call of answer.h, which gives the news and the
 * tagged response.  It returns 0, or why the session cannot go on (the client
 * is gone): the result of that last call.  States and flags of the command have
 * been checked against the table before.
 */
#ifndef IMAPD_COMMAND_COMMANDS_H
#define IMAPD_COMMAND_COMMANDS_H

#include <stdbool.h>

#include "base/err.h"
#include "imapd/wire/command.h"

struct session;

typedef int command_run(struct session *s, const struct command *cmd);

/* What runs for a command; run is NULL for those that do not belong into a
 * session (LOGIN, STARTTLS). */
struct command_entry {
	command_run *run;
	bool needs_mail;	/* of no use while the store is not there */
};

const struct command_entry *command_entry(enum command_id id);

command_run cmd_capability, cmd_noop, cmd_logout, cmd_id, cmd_enable;
command_run cmd_select;			/* SELECT, EXAMINE */
command_run cmd_close;			/* CLOSE, UNSELECT */
command_run cmd_create, cmd_delete, cmd_rename, cmd_subscribe, cmd_status;
command_run cmd_namespace;
command_run cmd_list;			/* LIST, LSUB, XLIST */
command_run cmd_append;
command_run cmd_getquota, cmd_getquotaroot;
command_run cmd_idle;
command_run cmd_expunge;		/* EXPUNGE, UID EXPUNGE */
command_run cmd_search;			/* SEARCH, UID SEARCH */
command_run cmd_sort, cmd_thread;	/* and their UID forms */
command_run cmd_fetch;			/* FETCH, UID FETCH */
command_run cmd_store;			/* STORE, UID STORE */
command_run cmd_copy;			/* COPY, MOVE and their UID forms */

#endif
