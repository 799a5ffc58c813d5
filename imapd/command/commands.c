/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * commands.c: what runs for each command.
 */
#include "imapd/command/commands.h"

#include <assert.h>

static const struct command_entry entries[CMD_COUNT] = {
	[CMD_CAPABILITY] =	{ cmd_capability, false },
	[CMD_NOOP] =		{ cmd_noop, false },
	[CMD_LOGOUT] =		{ cmd_logout, false },
	[CMD_ID] =		{ cmd_id, false },
	[CMD_ENABLE] =		{ cmd_enable, false },
	[CMD_SELECT] =		{ cmd_select, true },
	[CMD_EXAMINE] =		{ cmd_select, true },
	[CMD_CREATE] =		{ cmd_create, true },
	[CMD_DELETE] =		{ cmd_delete, true },
	[CMD_RENAME] =		{ cmd_rename, true },
	[CMD_SUBSCRIBE] =	{ cmd_subscribe, true },
	[CMD_UNSUBSCRIBE] =	{ cmd_subscribe, true },
	[CMD_LIST] =		{ cmd_list, true },
	[CMD_LSUB] =		{ cmd_list, true },
	[CMD_NAMESPACE] =	{ cmd_namespace, false },
	[CMD_STATUS] =		{ cmd_status, true },
	[CMD_APPEND] =		{ cmd_append, true },
	[CMD_IDLE] =		{ cmd_idle, false },
	[CMD_GETQUOTA] =	{ cmd_getquota, true },
	[CMD_GETQUOTAROOT] =	{ cmd_getquotaroot, true },
	[CMD_CHECK] =		{ cmd_noop, false },
	[CMD_CLOSE] =		{ cmd_close, false },
	[CMD_UNSELECT] =	{ cmd_close, false },
	[CMD_EXPUNGE] =		{ cmd_expunge, false },
	[CMD_SEARCH] =		{ cmd_search, false },
	[CMD_FETCH] =		{ cmd_fetch, false },
	[CMD_STORE] =		{ cmd_store, false },
	[CMD_COPY] =		{ cmd_copy, false },
	[CMD_MOVE] =		{ cmd_copy, false },
	[CMD_UID_EXPUNGE] =	{ cmd_expunge, false },
	[CMD_UID_SEARCH] =	{ cmd_search, false },
	[CMD_UID_FETCH] =	{ cmd_fetch, false },
	[CMD_UID_STORE] =	{ cmd_store, false },
	[CMD_UID_COPY] =	{ cmd_copy, false },
	[CMD_UID_MOVE] =	{ cmd_copy, false },
	[CMD_SORT] =		{ cmd_sort, false },
	[CMD_UID_SORT] =	{ cmd_sort, false },
	[CMD_THREAD] =		{ cmd_thread, false },
	[CMD_UID_THREAD] =	{ cmd_thread, false },
};

const struct command_entry *
command_entry(enum command_id id)
{
	assert(id < CMD_COUNT);
	return &entries[id];
}
