/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Commands without arguments, ID, ENABLE, UID EXPUNGE, GETQUOTA.
 */
#include "imapd/wire/parse_rules.h"

/*
 * command-any      = "CAPABILITY" / "LOGOUT" / "NOOP"      (RFC 3501 section 9)
 * command-nonauth  =/ "STARTTLS"
 * command-select   = "CHECK" / "CLOSE" / "EXPUNGE"
 * namespace        = "NAMESPACE"                           (RFC 2342 section 5)
 * idle             = "IDLE" CRLF "DONE"                    (RFC 2177 section 4)
 * unselect         = "UNSELECT"                            (RFC 3691 section 2)
 */
int
parse_none(struct lex *lx, struct command *cmd)
{
	(void)lx;
	(void)cmd;
	return 0;
}

/* string SP nstring */
static int
id_pair(struct lex *lx, void *arg)
{
	struct lex_spans *kv = arg;
	struct span s;
	int err;

	if ((err = lex_string(lx, &s)) != 0 ||
	    (err = lex_spans_add(lx, kv, s)) != 0 ||
	    (err = lex_sp(lx)) != 0 ||
	    (err = lex_nstring(lx, &s)) != 0)
		return err;
	return lex_spans_add(lx, kv, s);
}

/*
 * id             = "ID" SPACE id_params_list               (RFC 2971 section 4)
 * id_params_list = "(" #(string SPACE nstring) ")" / nil
 */
int
parse_id(struct lex *lx, struct command *cmd)
{
	struct lex_spans kv = { { NULL, 0 }, 0 };
	int err = lex_sp(lx);

	if (err != 0)
		return err;
	if (is_lex_word(lx, "NIL")) {
		lex_skip(lx, 3);
		return 0;
	}
	err = lex_list(lx, id_pair, &kv);
	cmd->u.ident.kv = kv.list;
	return err;
}

/*
 * enable     = "ENABLE" 1*(SP capability)                  (RFC 5161 section 4)
 * capability = ("AUTH=" auth-type) / atom
 */
int
parse_enable(struct lex *lx, struct command *cmd)
{
	struct lex_spans words = { { NULL, 0 }, 0 };
	struct span s;
	int err;

	do {
		if ((err = lex_sp(lx)) != 0 || (err = lex_atom(lx, &s)) != 0 ||
		    (err = lex_spans_add(lx, &words, s)) != 0)
			return err;
	} while (!is_lex_blank(lx));
	cmd->u.words = words.list;
	return 0;
}

/* uid-expunge = "UID" SP "EXPUNGE" SP sequence-set      (RFC 4315 section 4) */
int
parse_uid_expunge(struct lex *lx, struct command *cmd)
{
	int err = lex_sp(lx);

	return err != 0 ? err : lex_sequence_set(lx, &cmd->u.expunge);
}

/*
 * getquota        = "GETQUOTA" SP quota-root-name          (RFC 9208 section 7)
 * quota-root-name = astring
 */
int
parse_getquota(struct lex *lx, struct command *cmd)
{
	int err = lex_sp(lx);

	return err != 0 ? err : lex_astring(lx, &cmd->u.quota_root);
}
