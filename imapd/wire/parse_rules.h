/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * parse_rules.h: what the parse_*.c files offer to the command table and to one
 * another.
 *
 * Each reads from the cursor and returns 0 or a code of lex.h.  The functions
 * of the table begin behind the name of the command, so mostly at a space, and
 * end wherever the grammar ends: parse.c then looks for the end of the command.
 */
#ifndef IMAPD_WIRE_PARSE_RULES_H
#define IMAPD_WIRE_PARSE_RULES_H

#include "imapd/wire/command.h"
#include "imapd/wire/lex.h"

typedef int parse_rule(struct lex *lx, struct command *cmd);

/* parse_misc.c */
parse_rule parse_none, parse_id, parse_enable, parse_uid_expunge;
parse_rule parse_getquota;
/* parse_auth.c */
parse_rule parse_login, parse_authenticate;
/* parse_mbox.c */
parse_rule parse_select, parse_create, parse_one_mailbox, parse_rename;
parse_rule parse_status, parse_copy;
/* parse_list.c */
parse_rule parse_list, parse_lsub, parse_xlist;
parse_rule parse_append;	/* parse_append.c */
parse_rule parse_fetch;		/* parse_fetch.c */
parse_rule parse_store;		/* parse_store.c */
parse_rule parse_search;	/* parse_search.c */
parse_rule parse_sort, parse_thread;	/* parse_sort.c */

/* flag-list = "(" [flag *(SP flag)] ")" (parse_store.c) */
int parse_flag_list(struct lex *lx, struct flag_list *ret) ERR_CHECK;

/* "(" status-att *(SP status-att) ")" (parse_mbox.c); a set of STATUS_ */
int parse_status_items(struct lex *lx, uint32_t *ret) ERR_CHECK;

/* search-return-opts and the SP behind them; the cursor is at "RETURN"
 * (parse_search.c) */
int parse_search_return(struct lex *lx, struct search_args *args) ERR_CHECK;

/* search-key *(SP search-key), to the end of the command (parse_search.c) */
int parse_search_keys(struct lex *lx, struct search_args *args) ERR_CHECK;

#endif
