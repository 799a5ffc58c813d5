/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * STORE, and the flags that it has in common with APPEND.
 */
#include "imapd/wire/parse_rules.h"
#include "maildir/maildir.h"

#define FLAG_RECENT	0x80000000u	/* no bit of maildir.h */

/*
 * flag = "\Answered" / "\Flagged" / "\Deleted" / "\Seen" / "\Draft" /
 *        flag-keyword / flag-extension                     (RFC 3501 section 9)
 *
 * \Recent, which clients cannot set, is let pass: some send back all the flags
 * that they were given.  Other flags with a backslash are refused, as they
 * would have a meaning that we do not know.
 */
static int ERR_CHECK
system_flag(struct lex *lx, struct flag_list *flags)
{
	static const struct lex_bit table[] = {
		{ "Answered", MAILDIR_ANSWERED },
		{ "Flagged", MAILDIR_FLAGGED },
		{ "Deleted", MAILDIR_DELETED }, { "Seen", MAILDIR_SEEN },
		{ "Draft", MAILDIR_DRAFT }, { "Recent", FLAG_RECENT },
		{ NULL, 0 }
	};
	uint32_t set = flags->sys;
	int err;

	lex_skip(lx, 1);
	err = lex_bit(lx, table, "Unknown system flag", &set);
	if (err != 0)
		return err;
	flags->has_recent |= (set & FLAG_RECENT) != 0;
	flags->sys = set & ~FLAG_RECENT;
	return 0;
}

struct flag_reader {
	struct flag_list *flags;
	struct lex_spans keywords;
};

static int
flag(struct lex *lx, void *arg)
{
	struct flag_reader *rd = arg;
	struct span keyword;
	int err;

	if (is_lex_at(lx, '\\'))
		return system_flag(lx, rd->flags);
	err = lex_atom(lx, &keyword);
	if (err == 0 && keyword.n > MAILDIR_KEYWORD_LEN) {
		rd->flags->has_long = true;
		return 0;
	}
	return err != 0 ? err : lex_spans_add(lx, &rd->keywords, keyword);
}

/* flag-list = "(" [flag *(SP flag)] ")" */
int
parse_flag_list(struct lex *lx, struct flag_list *ret)
{
	struct flag_reader rd = { .flags = ret };
	int err = lex_list(lx, flag, &rd);

	ret->keywords = rd.keywords.list;
	return err;
}

/* flag *(SP flag), up to the end of the command */
static int ERR_CHECK
bare_flags(struct lex *lx, struct flag_list *ret)
{
	struct flag_reader rd = { .flags = ret };
	int err;

	while ((err = flag(lx, &rd)) == 0 && !is_lex_blank(lx))
		if ((err = lex_sp(lx)) != 0)
			break;
	ret->keywords = rd.keywords.list;
	return err;
}

/* ["+" / "-"] "FLAGS" [".SILENT"] */
static int ERR_CHECK
store_op(struct lex *lx, struct store_args *args)
{
	args->op = MAILDIR_SET;
	if (is_lex_at(lx, '+'))
		args->op = MAILDIR_ADD;
	else if (is_lex_at(lx, '-'))
		args->op = MAILDIR_REMOVE;
	if (args->op != MAILDIR_SET)
		lex_skip(lx, 1);
	args->is_silent = is_lex_word(lx, "FLAGS.SILENT");
	if (!args->is_silent && !is_lex_word(lx, "FLAGS"))
		return lex_bad(lx, "Expected FLAGS or FLAGS.SILENT");
	lex_skip(lx, args->is_silent ? strlen("FLAGS.SILENT") :
	    strlen("FLAGS"));
	return 0;
}

/* store-modifier =/ "UNCHANGEDSINCE" SP mod-sequence-valzer
 *                                                       (RFC 7162 section 7) */
static int
store_modifier(struct lex *lx, void *arg)
{
	struct store_args *args = arg;
	int err;

	if (!is_lex_word(lx, "UNCHANGEDSINCE") || args->has_since)
		return lex_bad(lx, "Unknown STORE modifier");
	lex_skip(lx, strlen("UNCHANGEDSINCE"));
	args->has_since = true;
	err = lex_sp(lx);
	return err != 0 ? err : lex_number(lx, INT64_MAX, &args->since);
}

/* store-modifiers = SP "(" store-modifier *(SP store-modifier) ")" SP
 *                                  (RFC 4466 section 6), behind the first SP */
static int ERR_CHECK
store_modifiers(struct lex *lx, struct store_args *args)
{
	int err;

	if (!is_lex_at(lx, '('))
		return 0;
	err = lex_list1(lx, store_modifier, args);
	return err != 0 ? err : lex_sp(lx);
}

/*
 * imapflow sends the modifiers behind the flags.
 */
static int ERR_CHECK
late_modifiers(struct lex *lx, struct store_args *args)
{
	int err;

	if (args->has_since || !is_lex_at(lx, ' ') || is_lex_blank(lx))
		return 0;
	err = lex_sp(lx);
	return err != 0 ? err : lex_list1(lx, store_modifier, args);
}

/*
 * store           = "STORE" SP sequence-set [store-modifiers] SP
 *                   store-att-flags
 * store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP
 *                   (flag-list / (flag *(SP flag)))        (RFC 3501 section 9)
 */
int
parse_store(struct lex *lx, struct command *cmd)
{
	struct store_args *args = &cmd->u.store;
	int err;

	if ((err = lex_sp(lx)) != 0 ||
	    (err = lex_sequence_set(lx, &args->set)) != 0 ||
	    (err = lex_sp(lx)) != 0 ||
	    (err = store_modifiers(lx, args)) != 0 ||
	    (err = store_op(lx, args)) != 0 ||
	    (err = lex_sp(lx)) != 0)
		return err;
	if (!is_lex_at(lx, '('))
		return bare_flags(lx, &args->flags);
	err = parse_flag_list(lx, &args->flags);
	return err != 0 ? err : late_modifiers(lx, args);
}
