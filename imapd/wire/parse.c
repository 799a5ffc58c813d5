/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "imapd/wire/command_table.h"
#include "imapd/wire/lex.h"
#include "imapd/wire/parse.h"

static bool
is_uid_command(const struct command_row *row)
{
	return has_prefix(span_str(row->name), SPAN("UID "));
}

/*
 * The name, which for uid = "UID" SP (copy / fetch / search / store) is two
 * words (RFC 3501 section 9).  ret_row is NULL if there is no such command.
 */
static int ERR_CHECK
command_name(struct lex *lx, struct span *ret,
    const struct command_row **ret_row)
{
	size_t start = lx->at;
	struct span word;
	int err;

	err = lex_atom(lx, &word);
	if (err != 0)
		return err;
	if (is_span_ieq(word, SPAN("UID")) &&
	    ((err = lex_sp(lx)) != 0 || (err = lex_atom(lx, &word)) != 0))
		return err;
	*ret = span_of(lx->text.p + start, lx->at - start);
	*ret_row = command_find(*ret);
	return 0;
}

/*
 * command = tag SP (command-any / command-auth / command-nonauth /
 *           command-select) CRLF                           (RFC 3501 section 9)
 */
static int
command(struct lex *lx, struct command *cmd)
{
	const struct command_row *row = NULL;
	int err;

	err = lex_tag(lx, &cmd->tag);
	if (err != 0)
		return err;
	if (is_lex_blank(lx))
		return lex_bad(lx, "Missing command");
	if ((err = lex_sp(lx)) != 0 ||
	    (err = command_name(lx, &cmd->name, &row)) != 0)
		return err;
	if (row == NULL) {
		lx->result->is_unknown = true;
		return lex_bad(lx, "Unknown command");
	}
	cmd->id = row->id;
	cmd->is_uid = is_uid_command(row);
	err = row->parse(lx, cmd);
	return err != 0 ? err : lex_end(lx);
}

void
parse_command(struct span text, struct arena *arena, struct command *cmd,
    struct parse_result *ret)
{
	struct lex lx;

	*cmd = (struct command){ .id = CMD_NONE };
	lex_init(&lx, text, arena, ret);
	/* *ret says it all. */
	(void)command(&lx, cmd);
}
