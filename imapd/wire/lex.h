/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * lex.h: the tokens of RFC 3501 section 9, read from a cursor on the text of a
 * command.
 *
 * A function that returns int gives 0 and moves the cursor behind what it read,
 * or a code below; the result in the cursor then says all about it, and the
 * caller only passes the code on:
 *	ERR_SYNTAX	the text is wrong (PARSE_BAD)
 *	ERR_EOF		the text ends in the announcement of a literal, whose
 *			bytes are needed to go on (PARSE_LITERAL, PARSE_STREAM)
 * Nothing is ever put back: where the grammar has a choice the next byte or
 * word decides (is_lex_at(), is_lex_word()).
 */
#ifndef IMAPD_WIRE_LEX_H
#define IMAPD_WIRE_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"
#include "imapd/wire/parse.h"

struct lex {
	struct span text;
	size_t at;
	struct arena *arena;
	struct parse_result *result;
};

void lex_init(struct lex *lx, struct span text, struct arena *arena,
    struct parse_result *result);

/* lex_bad(lx, why): the text is wrong at the cursor; returns ERR_SYNTAX. */
int lex_bad(struct lex *lx, const char *why) ERR_CHECK;

/* ---- looking ahead --------------------------------------------------- */

bool is_lex_end(const struct lex *lx);
bool is_lex_at(const struct lex *lx, uint8_t c);
bool is_lex_digit(const struct lex *lx);

/* Nothing but spaces is left: the command is at its end. */
bool is_lex_blank(const struct lex *lx);

/* The next bytes are this word in either case, and no more letters, digits, '.'
 * or '-' follow. */
bool is_lex_word(const struct lex *lx, const char *word);

/* ---- fixed text ------------------------------------------------------ */

/* lex_sp(lx): one space. */
int lex_sp(struct lex *lx) ERR_CHECK;

/* lex_char(lx, c, why): this byte; why is the complaint if it is another. */
int lex_char(struct lex *lx, uint8_t c, const char *why) ERR_CHECK;

/* lex_skip(lx, n): n bytes that were looked at before. */
void lex_skip(struct lex *lx, size_t n);

/* lex_end(lx): the end of the command; spaces before it are let pass. */
int lex_end(struct lex *lx) ERR_CHECK;

/* ---- tokens; the bytes are in the text or in the arena --------------- */

int lex_tag(struct lex *lx, struct span *ret) ERR_CHECK;
int lex_atom(struct lex *lx, struct span *ret) ERR_CHECK;

/* lex_word(lx, ret): letters, digits, '.', '-', at least one: the fixed words
 * of FETCH, STATUS, ... */
int lex_word(struct lex *lx, struct span *ret) ERR_CHECK;

int lex_string(struct lex *lx, struct span *ret) ERR_CHECK;
/* NIL: p is NULL. */
int lex_nstring(struct lex *lx, struct span *ret) ERR_CHECK;
int lex_astring(struct lex *lx, struct span *ret) ERR_CHECK;
int lex_list_mailbox(struct lex *lx, struct span *ret) ERR_CHECK;

/* lex_number(lx, max, ret), lex_nz_number(): decimal, up to max. */
int lex_number(struct lex *lx, uint64_t max, uint64_t *ret) ERR_CHECK;
int lex_nz_number(struct lex *lx, uint64_t max, uint64_t *ret) ERR_CHECK;

/*
 * lex_stream(lx): the announcement of a literal or literal8 that ends the text
 * and is not to be kept in memory.  Never 0: ERR_EOF with PARSE_STREAM, or
 * ERR_SYNTAX.
 */
int lex_stream(struct lex *lx) ERR_CHECK;

/* All of s could be sent as an astring without quotes. */
bool is_lex_astring_atom(struct span s);

/* lex_sequence_set(lx, ret): sequence-set; "*" and "$" are among the bytes. */
int lex_sequence_set(struct lex *lx, struct seqset *ret) ERR_CHECK;

/* ---- lists ----------------------------------------------------------- */

/* Reads one element of a list; arg is lex_list()'s. */
typedef int lex_item(struct lex *lx, void *arg);

/*
 * lex_list(lx, item, arg): "(" [item *(SP item)] ")".  lex_list1(): at least
 * one.  Spaces before the ")" are let pass.
 */
int lex_list(struct lex *lx, lex_item *item, void *arg) ERR_CHECK;
int lex_list1(struct lex *lx, lex_item *item, void *arg) ERR_CHECK;

/* A list under construction; its elements move as it grows. */
struct lex_spans {
	struct spans list;
	size_t cap;
};

/* lex_spans_add(lx, l, s): ERR_SYNTAX beyond PARSE_LIST_MAX. */
int lex_spans_add(struct lex *lx, struct lex_spans *l, struct span s)
    ERR_CHECK;

/* The words a place allows, and a bit for each; the last name is NULL. */
struct lex_bit {
	const char *name;
	uint32_t bit;
};

/* lex_bit(lx, table, why, set): one of the words, whose bit is set in *set; why
 * is the complaint about any other. */
int lex_bit(struct lex *lx, const struct lex_bit *table, const char *why,
    uint32_t *set) ERR_CHECK;

#endif
