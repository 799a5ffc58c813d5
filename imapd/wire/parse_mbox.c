/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Commands that name one or two mailboxes.
 *
 * mailbox = "INBOX" / astring                              (RFC 3501 section 9)
 *
 * Names are left as they are: spelling of INBOX, modified UTF-7 and the
 * delimiter are the business of imapd/mailbox/mailname.h.
 */
#include "imapd/wire/parse_rules.h"

/* SP mailbox */
static int ERR_CHECK
sp_mailbox(struct lex *lx, struct span *ret)
{
	int err = lex_sp(lx);

	return err != 0 ? err : lex_astring(lx, ret);
}

/*
 * delete      = "DELETE" SP mailbox                        (RFC 3501 section 9)
 * subscribe   = "SUBSCRIBE" SP mailbox
 * unsubscribe = "UNSUBSCRIBE" SP mailbox
 * getquotaroot = "GETQUOTAROOT" SP mailbox              (RFC 9208 section 7)
 */
int
parse_one_mailbox(struct lex *lx, struct command *cmd)
{
	return sp_mailbox(lx, &cmd->u.mailbox);
}

/* rename = "RENAME" SP mailbox SP mailbox               (RFC 3501 section 9) */
int
parse_rename(struct lex *lx, struct command *cmd)
{
	int err = sp_mailbox(lx, &cmd->u.rename.from);

	return err != 0 ? err : sp_mailbox(lx, &cmd->u.rename.to);
}

/*
 * copy = "COPY" SP sequence-set SP mailbox                 (RFC 3501 section 9)
 * move = "MOVE" SP sequence-set SP mailbox                 (RFC 6851 section 5)
 */
int
parse_copy(struct lex *lx, struct command *cmd)
{
	int err;

	if ((err = lex_sp(lx)) != 0 ||
	    (err = lex_sequence_set(lx, &cmd->u.copy.set)) != 0)
		return err;
	return sp_mailbox(lx, &cmd->u.copy.mailbox);
}

/* use-attr = "\All" / "\Archive" / ... / use-attr-ext      (RFC 6154 section 6)
 * use-attr-ext = "\" atom */
static int
use_attr(struct lex *lx, void *arg)
{
	size_t start = lx->at;
	struct span s;
	int err;

	if ((err = lex_char(lx, '\\', "Expected an attribute")) != 0 ||
	    (err = lex_atom(lx, &s)) != 0)
		return err;
	return lex_spans_add(lx, arg, span_of(lx->text.p + start, s.n + 1));
}

/* create-param =/ "USE" SP "(" [use-attr *(SP use-attr)] ")" (RFC 6154) */
static int
create_param(struct lex *lx, void *arg)
{
	struct create_args *args = arg;
	struct lex_spans use = { { NULL, 0 }, 0 };
	int err;

	if (!is_lex_word(lx, "USE") || args->use.n > 0)
		return lex_bad(lx, "Unknown CREATE parameter");
	lex_skip(lx, 3);
	if ((err = lex_sp(lx)) != 0 ||
	    (err = lex_list(lx, use_attr, &use)) != 0)
		return err;
	args->use = use.list;
	return 0;
}

/*
 * create = "CREATE" SP mailbox [create-params]             (RFC 4466 section 6)
 * create-params = SP "(" create-param *(SP create-param) ")"
 */
int
parse_create(struct lex *lx, struct command *cmd)
{
	int err = sp_mailbox(lx, &cmd->u.create.mailbox);

	if (err != 0 || is_lex_blank(lx))
		return err;
	err = lex_sp(lx);
	return err != 0 ? err : lex_list1(lx, create_param, &cmd->u.create);
}

/* ---- SELECT ---------------------------------------------------------- */

/* known-uids, known-sequence-set = sequence-set ; "*" is not allowed */
static int ERR_CHECK
known_set(struct lex *lx, struct seqset *ret)
{
	size_t start = lx->at;
	int err = lex_sequence_set(lx, ret);
	bool is_bad;

	if (err != 0)
		return err;
	is_bad = ret->is_saved;
	for (size_t i = 0; i < ret->n; i++)
		if (ret->range[i].lo == SEQSET_STAR ||
		    ret->range[i].hi == SEQSET_STAR)
			is_bad = true;
	if (is_bad) {
		lx->at = start;
		return lex_bad(lx, "No * or $ is allowed in QRESYNC");
	}
	return 0;
}

/* seq-match-data = "(" known-sequence-set SP known-uid-set ")"
 *                                                       (RFC 7162 section 7) */
static int ERR_CHECK
seq_match_data(struct lex *lx, struct qresync_args *args)
{
	int err;

	if ((err = lex_char(lx, '(', "Expected a parenthesis")) != 0 ||
	    (err = known_set(lx, &args->match_seqs)) != 0 ||
	    (err = lex_sp(lx)) != 0 ||
	    (err = known_set(lx, &args->match_uids)) != 0)
		return err;
	return lex_char(lx, ')', "Expected a closing parenthesis");
}

/*
 * select-param =/ "QRESYNC" SP "(" uidvalidity SP mod-sequence-value
 *                 [SP known-uids] [SP seq-match-data] ")"  (RFC 7162 section 7)
 */
static int ERR_CHECK
qresync_param(struct lex *lx, struct qresync_args *args)
{
	uint64_t uidvalidity;
	int err;

	if ((err = lex_sp(lx)) != 0 ||
	    (err = lex_char(lx, '(', "Expected a parenthesis")) != 0 ||
	    (err = lex_nz_number(lx, UINT32_MAX, &uidvalidity)) != 0 ||
	    (err = lex_sp(lx)) != 0 ||
	    (err = lex_nz_number(lx, INT64_MAX, &args->modseq)) != 0)
		return err;
	args->uidvalidity = (uint32_t)uidvalidity;
	if (!is_lex_at(lx, ')') && (err = lex_sp(lx)) != 0)
		return err;
	if (!is_lex_at(lx, ')') && !is_lex_at(lx, '(')) {
		err = known_set(lx, &args->known);
		if (err != 0)
			return err;
		if (!is_lex_at(lx, ')') && (err = lex_sp(lx)) != 0)
			return err;
	}
	if (is_lex_at(lx, '(') && (err = seq_match_data(lx, args)) != 0)
		return err;
	return lex_char(lx, ')', "Expected a closing parenthesis");
}

/* select-param =/ "CONDSTORE" / "QRESYNC" ...           (RFC 7162 section 7) */
static int
select_param(struct lex *lx, void *arg)
{
	struct select_args *args = arg;

	if (is_lex_word(lx, "CONDSTORE")) {
		lex_skip(lx, 9);
		args->is_condstore = true;
		return 0;
	}
	if (is_lex_word(lx, "QRESYNC") && !args->is_qresync) {
		lex_skip(lx, 7);
		args->is_qresync = true;
		return qresync_param(lx, &args->qresync);
	}
	return lex_bad(lx, "Unknown SELECT parameter");
}

/*
 * select  = "SELECT" SP mailbox [select-params]            (RFC 4466 section 6)
 * examine = "EXAMINE" SP mailbox [select-params]
 * select-params = SP "(" select-param *(SP select-param) ")"
 */
int
parse_select(struct lex *lx, struct command *cmd)
{
	int err = sp_mailbox(lx, &cmd->u.select.mailbox);

	if (err != 0 || is_lex_blank(lx))
		return err;
	err = lex_sp(lx);
	return err != 0 ? err : lex_list1(lx, select_param, &cmd->u.select);
}

/* ---- STATUS ---------------------------------------------------------- */

/*
 * status-att = "MESSAGES" / "RECENT" / "UIDNEXT" / "UIDVALIDITY" / "UNSEEN"
 *                                                          (RFC 3501 section 9)
 * status-att =/ "SIZE" (RFC 8438) / "DELETED" (RFC 9051) / "HIGHESTMODSEQ" (RFC
 *               7162) / "MAILBOXID" (RFC 8474) / "APPENDLIMIT" (RFC 7889) /
 *               "DELETED-STORAGE" (RFC 9208)
 */
static int
status_att(struct lex *lx, void *arg)
{
	static const struct lex_bit table[] = {
		{ "MESSAGES", STATUS_MESSAGES }, { "RECENT", STATUS_RECENT },
		{ "UIDNEXT", STATUS_UIDNEXT },
		{ "UIDVALIDITY", STATUS_UIDVALIDITY },
		{ "UNSEEN", STATUS_UNSEEN }, { "SIZE", STATUS_SIZE },
		{ "DELETED", STATUS_DELETED },
		{ "DELETED-STORAGE", STATUS_DELETED_STORAGE },
		{ "HIGHESTMODSEQ", STATUS_HIGHESTMODSEQ },
		{ "MAILBOXID", STATUS_MAILBOXID },
		{ "APPENDLIMIT", STATUS_APPENDLIMIT }, { NULL, 0 }
	};

	return lex_bit(lx, table, "Unknown STATUS item", arg);
}

int
parse_status_items(struct lex *lx, uint32_t *ret)
{
	return lex_list1(lx, status_att, ret);
}

/* status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")" */
int
parse_status(struct lex *lx, struct command *cmd)
{
	int err;

	if ((err = sp_mailbox(lx, &cmd->u.status.mailbox)) != 0 ||
	    (err = lex_sp(lx)) != 0)
		return err;
	return parse_status_items(lx, &cmd->u.status.items);
}
