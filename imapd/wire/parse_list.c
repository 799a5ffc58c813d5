/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * LIST in its plain and extended forms, LSUB, and XLIST.
 */
#include "imapd/wire/parse_rules.h"

/*
 * list-select-option = "SUBSCRIBED" / "REMOTE" / "RECURSIVEMATCH" / ...
 *                                                          (RFC 5258 section 6)
 * list-select-base-opt =/ "SPECIAL-USE"                    (RFC 6154 section 6)
 */
static int
select_option(struct lex *lx, void *arg)
{
	static const struct lex_bit table[] = {
		{ "SUBSCRIBED", LIST_SELECT_SUBSCRIBED },
		{ "REMOTE", LIST_SELECT_REMOTE },
		{ "RECURSIVEMATCH", LIST_SELECT_RECURSIVEMATCH },
		{ "SPECIAL-USE", LIST_SELECT_SPECIAL_USE }, { NULL, 0 }
	};

	return lex_bit(lx, table, "Unknown LIST selection option", arg);
}

/*
 * list-select-opts = "(" [ (*(list-select-opt SP) list-select-base-opt
 *                    *(SP list-select-opt))
 *                    / (list-select-independent-opt
 *                    *(SP list-select-independent-opt)) ] ")"
 *                                                          (RFC 5258 section 6)
 * That is: RECURSIVEMATCH needs an option that it modifies, and REMOTE is none.
 */
static int ERR_CHECK
list_select_opts(struct lex *lx, struct list_args *args)
{
	int err = lex_list(lx, select_option, &args->select);

	if (err != 0)
		return err;
	args->is_extended = true;
	if ((args->select & LIST_SELECT_RECURSIVEMATCH) != 0 &&
	    (args->select & (LIST_SELECT_SUBSCRIBED |
	    LIST_SELECT_SPECIAL_USE)) == 0)
		return lex_bad(lx, "RECURSIVEMATCH needs another selection "
		    "option");
	return 0;
}

static int
list_mailbox(struct lex *lx, void *arg)
{
	struct span s;
	int err = lex_list_mailbox(lx, &s);

	return err != 0 ? err : lex_spans_add(lx, arg, s);
}

/*
 * mbox-or-pat = list-mailbox / patterns                    (RFC 5258 section 6)
 * patterns    = "(" list-mailbox *(SP list-mailbox) ")"
 */
static int ERR_CHECK
mbox_or_pat(struct lex *lx, struct list_args *args)
{
	struct lex_spans patterns = { { NULL, 0 }, 0 };
	int err;

	if (is_lex_at(lx, '(')) {
		args->is_extended = true;
		err = lex_list1(lx, list_mailbox, &patterns);
	} else {
		err = list_mailbox(lx, &patterns);
	}
	args->patterns = patterns.list;
	return err;
}

/*
 * return-option = "SUBSCRIBED" / "CHILDREN" / option-extension
 *                                                          (RFC 5258 section 6)
 * return-option =/ "SPECIAL-USE"                           (RFC 6154 section 6)
 * return-option =/ "STATUS" SP "(" status-att *(SP status-att) ")"
 *                                                          (RFC 5819 section 4)
 */
static int
return_option(struct lex *lx, void *arg)
{
	static const struct lex_bit table[] = {
		{ "SUBSCRIBED", LIST_WANT_SUBSCRIBED },
		{ "CHILDREN", LIST_WANT_CHILDREN },
		{ "SPECIAL-USE", LIST_WANT_SPECIAL_USE },
		{ "STATUS", LIST_WANT_STATUS }, { NULL, 0 }
	};
	struct list_args *args = arg;
	bool is_status = is_lex_word(lx, "STATUS");
	int err = lex_bit(lx, table, "Unknown LIST return option", &args->want);

	if (err != 0 || !is_status)
		return err;
	err = lex_sp(lx);
	return err != 0 ? err : parse_status_items(lx, &args->status_items);
}

/* list-return-opts = "RETURN" SP "(" [return-option *(SP return-option)] ")" */
static int ERR_CHECK
list_return_opts(struct lex *lx, struct list_args *args)
{
	int err;

	if (!is_lex_word(lx, "RETURN"))
		return lex_bad(lx, "Expected RETURN");
	lex_skip(lx, 6);
	args->is_extended = true;
	err = lex_sp(lx);
	return err != 0 ? err : lex_list(lx, return_option, args);
}

/*
 * list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat
 *        [SP list-return-opts]                             (RFC 5258 section 6)
 */
int
parse_list(struct lex *lx, struct command *cmd)
{
	struct list_args *args = &cmd->u.list;
	int err = lex_sp(lx);

	if (err != 0)
		return err;
	if (is_lex_at(lx, '(') && ((err = list_select_opts(lx, args)) != 0 ||
	    (err = lex_sp(lx)) != 0))
		return err;
	if ((err = lex_astring(lx, &args->reference)) != 0 ||
	    (err = lex_sp(lx)) != 0 ||
	    (err = mbox_or_pat(lx, args)) != 0)
		return err;
	if (is_lex_blank(lx))
		return 0;
	err = lex_sp(lx);
	return err != 0 ? err : list_return_opts(lx, args);
}

/* SP mailbox SP list-mailbox */
static int ERR_CHECK
plain_list(struct lex *lx, struct list_args *args)
{
	struct lex_spans patterns = { { NULL, 0 }, 0 };
	int err;

	if ((err = lex_sp(lx)) != 0 ||
	    (err = lex_astring(lx, &args->reference)) != 0 ||
	    (err = lex_sp(lx)) != 0 ||
	    (err = list_mailbox(lx, &patterns)) != 0)
		return err;
	args->patterns = patterns.list;
	return 0;
}

/* lsub = "LSUB" SP mailbox SP list-mailbox              (RFC 3501 section 9) */
int
parse_lsub(struct lex *lx, struct command *cmd)
{
	cmd->u.list.is_lsub = true;
	return plain_list(lx, &cmd->u.list);
}

/* xlist = "XLIST" SP mailbox SP list-mailbox: what came before SPECIAL-USE, and
 * all that some versions of Outlook know. */
int
parse_xlist(struct lex *lx, struct command *cmd)
{
	cmd->u.list.is_xlist = true;
	return plain_list(lx, &cmd->u.list);
}
