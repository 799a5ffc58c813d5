/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <assert.h>

#include "imapd/wire/command_table.h"
#include "imapd/wire/parse_rules.h"

#define IN_MAIL		(STATE_AUTH | STATE_SELECTED)
#define TELLS		COMMAND_TELLS_EXPUNGE
#define SECRET		COMMAND_SECRET

/* Behind the ids: other names of a command, found by name only. */
enum { ROW_XLIST = CMD_COUNT, ROW_COUNT };

#define ROW(id, name, states, flags, parse) \
	[id] = { name, id, states, flags, parse }

static const struct command_row rows[ROW_COUNT] = {
	ROW(CMD_CAPABILITY, "CAPABILITY", STATE_ANY, TELLS, parse_none),
	ROW(CMD_NOOP, "NOOP", STATE_ANY, TELLS, parse_none),
	ROW(CMD_LOGOUT, "LOGOUT", STATE_ANY, 0, parse_none),
	ROW(CMD_ID, "ID", STATE_ANY, TELLS, parse_id),

	ROW(CMD_STARTTLS, "STARTTLS", STATE_LOGIN, 0, parse_none),
	ROW(CMD_AUTHENTICATE, "AUTHENTICATE", STATE_LOGIN, SECRET,
	    parse_authenticate),
	ROW(CMD_LOGIN, "LOGIN", STATE_LOGIN, SECRET, parse_login),

	ROW(CMD_ENABLE, "ENABLE", IN_MAIL, TELLS, parse_enable),
	ROW(CMD_SELECT, "SELECT", IN_MAIL, 0, parse_select),
	ROW(CMD_EXAMINE, "EXAMINE", IN_MAIL, 0, parse_select),
	ROW(CMD_CREATE, "CREATE", IN_MAIL, TELLS, parse_create),
	ROW(CMD_DELETE, "DELETE", IN_MAIL, TELLS, parse_one_mailbox),
	ROW(CMD_RENAME, "RENAME", IN_MAIL, TELLS, parse_rename),
	ROW(CMD_SUBSCRIBE, "SUBSCRIBE", IN_MAIL, TELLS, parse_one_mailbox),
	ROW(CMD_UNSUBSCRIBE, "UNSUBSCRIBE", IN_MAIL, TELLS, parse_one_mailbox),
	ROW(CMD_LIST, "LIST", IN_MAIL, TELLS, parse_list),
	ROW(CMD_LSUB, "LSUB", IN_MAIL, TELLS, parse_lsub),
	ROW(CMD_NAMESPACE, "NAMESPACE", IN_MAIL, TELLS, parse_none),
	ROW(CMD_STATUS, "STATUS", IN_MAIL, TELLS, parse_status),
	ROW(CMD_APPEND, "APPEND", IN_MAIL, TELLS, parse_append),
	ROW(CMD_IDLE, "IDLE", IN_MAIL, TELLS, parse_none),
	ROW(CMD_GETQUOTA, "GETQUOTA", IN_MAIL, TELLS, parse_getquota),
	ROW(CMD_GETQUOTAROOT, "GETQUOTAROOT", IN_MAIL, TELLS,
	    parse_one_mailbox),

	ROW(CMD_CHECK, "CHECK", STATE_SELECTED, TELLS, parse_none),
	ROW(CMD_CLOSE, "CLOSE", STATE_SELECTED, 0, parse_none),
	ROW(CMD_UNSELECT, "UNSELECT", STATE_SELECTED, 0, parse_none),
	ROW(CMD_EXPUNGE, "EXPUNGE", STATE_SELECTED, TELLS, parse_none),
	ROW(CMD_SEARCH, "SEARCH", STATE_SELECTED, 0, parse_search),
	ROW(CMD_FETCH, "FETCH", STATE_SELECTED, 0, parse_fetch),
	ROW(CMD_STORE, "STORE", STATE_SELECTED, 0, parse_store),
	ROW(CMD_COPY, "COPY", STATE_SELECTED, TELLS, parse_copy),
	ROW(CMD_MOVE, "MOVE", STATE_SELECTED, TELLS, parse_copy),
	ROW(CMD_SORT, "SORT", STATE_SELECTED, 0, parse_sort),
	ROW(CMD_THREAD, "THREAD", STATE_SELECTED, 0, parse_thread),

	ROW(CMD_UID_EXPUNGE, "UID EXPUNGE", STATE_SELECTED, TELLS,
	    parse_uid_expunge),
	ROW(CMD_UID_SEARCH, "UID SEARCH", STATE_SELECTED, TELLS, parse_search),
	ROW(CMD_UID_FETCH, "UID FETCH", STATE_SELECTED, TELLS, parse_fetch),
	ROW(CMD_UID_STORE, "UID STORE", STATE_SELECTED, TELLS, parse_store),
	ROW(CMD_UID_COPY, "UID COPY", STATE_SELECTED, TELLS, parse_copy),
	ROW(CMD_UID_MOVE, "UID MOVE", STATE_SELECTED, TELLS, parse_copy),
	ROW(CMD_UID_SORT, "UID SORT", STATE_SELECTED, TELLS, parse_sort),
	ROW(CMD_UID_THREAD, "UID THREAD", STATE_SELECTED, TELLS, parse_thread),

	[ROW_XLIST] = { "XLIST", CMD_LIST, IN_MAIL, TELLS, parse_xlist }
};

const struct command_row *
command_row(enum command_id id)
{
	assert(id > CMD_NONE && id < CMD_COUNT);
	return &rows[id];
}

const struct command_row *
command_find(struct span name)
{
	for (size_t i = CMD_NONE + 1; i < ROW_COUNT; i++)
		if (is_span_ieq(name, span_str(rows[i].name)))
			return &rows[i];
	return NULL;
}
