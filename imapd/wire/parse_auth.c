/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * LOGIN and AUTHENTICATE.
 */
#include "imapd/wire/parse_rules.h"

/*
 * login    = "LOGIN" SP userid SP password                 (RFC 3501 section 9)
 * userid   = astring
 * password = astring
 */
int
parse_login(struct lex *lx, struct command *cmd)
{
	struct login_args *args = &cmd->u.login;
	int err;

	if ((err = lex_sp(lx)) != 0 ||
	    (err = lex_astring(lx, &args->user)) != 0 ||
	    (err = lex_sp(lx)) != 0)
		return err;
	return lex_astring(lx, &args->password);
}

/*
 * base64     = *(4base64-char) [base64-terminal]
 * initial-resp = base64 / "="                              (RFC 4959 section 7)
 *
 * All these bytes may stand in an atom.  Whether it is base64 is for the
 * mechanism to say, as it is for the lines that follow without SASL-IR.
 */
static int ERR_CHECK
initial_resp(struct lex *lx, struct auth_args *args)
{
	args->has_initial = true;
	return lex_atom(lx, &args->initial);
}

/*
 * authenticate = "AUTHENTICATE" SP auth-type [SP initial-resp] *(CRLF base64)
 * auth-type    = atom                                      (RFC 3501 section 9)
 */
int
parse_authenticate(struct lex *lx, struct command *cmd)
{
	struct auth_args *args = &cmd->u.auth;
	int err;

	if ((err = lex_sp(lx)) != 0 ||
	    (err = lex_atom(lx, &args->mechanism)) != 0)
		return err;
	if (is_lex_blank(lx))
		return 0;
	err = lex_sp(lx);
	return err != 0 ? err : initial_resp(lx, args);
}
