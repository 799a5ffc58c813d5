/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * parse.h: from the text of a command to struct command.
 *
 * A pure function of the text so far: no I/O, no log, no session.  The text is
 * the command line with the literals received so far in their places, exactly
 * as the client sent it; when another literal is announced at its end, the
 * result says so and the caller decides (imapd/wire/wire_in.h), appends the
 * bytes and calls again from the start.  So a refusal comes before any effect,
 * and the parser can be fuzzed.
 */
#ifndef IMAPD_WIRE_PARSE_H
#define IMAPD_WIRE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"
#include "imapd/wire/command.h"

/* Named limits. */
#define PARSE_TAG_MAX		1024	/* bytes of a tag */
#define PARSE_LIST_MAX		100000	/* elements of one list */
#define PARSE_PARTS_MAX		1000	/* numbers in a section: 1.2.3 */

enum parse_outcome {
	PARSE_DONE,		/* *cmd is complete */
	PARSE_LITERAL,		/* text ends with a literal announcement */
	PARSE_STREAM,		/* the same, and it is the message of an APPEND:
				 * cmd is complete but for it */
	PARSE_BAD		/* err_at, err_text; tag if there was one */
};

struct parse_result {
	enum parse_outcome outcome;
	/* PARSE_LITERAL, PARSE_STREAM: */
	uint64_t literal_size;
	bool literal_is_nonsync;	/* {n+} (RFC 7888) */
	bool literal_is_binary;		/* ~{n} (RFC 3516) */
	/* PARSE_BAD: */
	size_t err_at;		/* offset in the text */
	const char *err_text;	/* a phrase for the client, ASCII */
	bool is_unknown;	/* the tag is good, the command name unknown */
};

/*
 * parse_command(text, arena, cmd, ret): text is without the CRLF that ended the
 * line, unless a literal follows.  cmd->tag and cmd->name are set whenever they
 * could be read, also with PARSE_BAD, so that the answer can be tagged; an
 * unreadable tag is left empty.  Which command may be used when is not known
 * here.
 */
void parse_command(struct span text, struct arena *arena, struct command *cmd,
    struct parse_result *ret);

/*
 * parse_append_next(text, arena, args, ret): the line behind the message of an
 * APPEND, args being those of that message.  PARSE_DONE: there is nothing more;
 * PARSE_STREAM: another message (RFC 3502), args are its own (the mailbox
 * stays); PARSE_BAD.
 */
void parse_append_next(struct span text, struct arena *arena,
    struct append_args *args, struct parse_result *ret);

#endif
