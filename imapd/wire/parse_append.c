/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * APPEND, up to its message; and what may follow the message.
 */
#include "imapd/wire/imapdate.h"
#include "imapd/wire/parse_rules.h"

/* date-time = DQUOTE ... DQUOTE: see imapdate.c         (RFC 3501 section 9) */
static int ERR_CHECK
date_time(struct lex *lx, struct append_args *args)
{
	size_t start = lx->at;
	struct span s;
	int err = lex_string(lx, &s);

	if (err != 0)
		return err;
	if (imapdate_time(s, &args->date, &args->date_zone) != 0) {
		lx->at = start;
		return lex_bad(lx, "Malformed date-time");
	}
	args->has_date = true;
	return 0;
}

/*
 * append-data =/ literal / literal8                        (RFC 4466 section 6)
 * append-data =/ "UTF8" SP "(" literal8 ")"                (RFC 9755 section 4)
 *
 * Ends in front of the bytes of the message, and so always in an error.
 */
static int ERR_CHECK
append_data(struct lex *lx, struct append_args *args)
{
	int err;

	if (is_lex_word(lx, "UTF8")) {
		args->is_utf8 = true;
		lex_skip(lx, 4);
		if ((err = lex_sp(lx)) != 0 ||
		    (err = lex_char(lx, '(', "Expected a parenthesis")) != 0)
			return err;
		if (!is_lex_at(lx, '~'))
			return lex_bad(lx, "Expected a literal8");
	}
	args->is_binary = is_lex_at(lx, '~');
	err = lex_stream(lx);
	args->size = lx->result->literal_size;
	return err;
}

/*
 * append-message = append-opts SP append-data              (RFC 3502 section 7)
 * append-opts    = [SP flag-list] [SP date-time]
 */
static int ERR_CHECK
append_message(struct lex *lx, struct append_args *args)
{
	int err = lex_sp(lx);

	*args = (struct append_args){ .mailbox = args->mailbox };
	if (err != 0)
		return err;
	if (is_lex_at(lx, '(') &&
	    ((err = parse_flag_list(lx, &args->flags)) != 0 ||
	    (err = lex_sp(lx)) != 0))
		return err;
	if (is_lex_at(lx, '"') && ((err = date_time(lx, args)) != 0 ||
	    (err = lex_sp(lx)) != 0))
		return err;
	return append_data(lx, args);
}

/* append = "APPEND" SP mailbox 1*append-message         (RFC 3502 section 7) */
int
parse_append(struct lex *lx, struct command *cmd)
{
	struct append_args *args = &cmd->u.append;
	int err;

	if ((err = lex_sp(lx)) != 0 ||
	    (err = lex_astring(lx, &args->mailbox)) != 0)
		return err;
	return append_message(lx, args);
}

/* [")"] *append-message, behind a message; the ")" is that of UTF8 (...). */
static int
append_next(struct lex *lx, struct append_args *args)
{
	int err;

	if (args->is_utf8) {
		err = lex_char(lx, ')', "Expected a closing parenthesis");
		if (err != 0)
			return err;
	}
	return is_lex_blank(lx) ? 0 : append_message(lx, args);
}

void
parse_append_next(struct span text, struct arena *arena,
    struct append_args *args, struct parse_result *ret)
{
	struct lex lx;

	lex_init(&lx, text, arena, ret);
	/* *ret says it all. */
	(void)append_next(&lx, args);
}
