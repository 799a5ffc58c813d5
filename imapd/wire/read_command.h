/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * read_command.h: one whole command from the client, or a refusal of it.
 *
 * Joins wire_in, the parser, the table's states and wire_out; used by the login
 * dialogue and by the session.  A command is refused as early as possible:
 * unknown names, wrong states and wrong syntax before any literal of it is
 * asked for, a literal over the limit before it is sent.  Whatever is refused
 * has been answered with its tag, and the rest of it has been dropped.
 */
#ifndef IMAPD_WIRE_READ_COMMAND_H
#define IMAPD_WIRE_READ_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/deadline.h"
#include "base/err.h"
#include "imapd/wire/command.h"
#include "imapd/wire/wire_in.h"
#include "imapd/wire/wire_out.h"

/* The text is parsed again after each literal, so their number is limited:
 * that bounds the cost at this many times the text. */
#define READ_LITERALS_MAX	128	/* of one command */

struct read_limits {
	size_t command_max;	/* lines and literals of one command together;
				 * the message of an APPEND apart */
	uint64_t literal_max;	/* one literal that is kept in memory */
	uint64_t drop_max;	/* of a refused command; more ends the
				 * connection */
};

struct read_command;

/* in and out stay the caller's, and outlive the result. */
struct read_command *read_command_new(struct wire_in *in, struct wire_out *out,
    const struct read_limits *limits);
/* Memory that held secrets is wiped. */
void read_command_free(struct read_command *rc);

enum read_outcome {
	READ_DONE,		/* *ret_cmd is complete */
	READ_STREAM,		/* APPEND: complete but for the message of
				 * u.append.size bytes, which has not been asked
				 * for: next is read_command_accept() or
				 * read_command_refuse() */
	READ_BAD,		/* it was malformed, unknown or not allowed in
				 * this state, and was answered BAD */
	READ_REFUSED,		/* it was over a limit, and was answered NO */
	READ_END		/* the connection is at its end:
				 * read_command_err() */
};

/*
 * read_command(rc, state, d, ret_cmd): state is one STATE_ of command_table.h.
 * Empty lines before a command are skipped.  Output is flushed before waiting.
 * *ret_cmd is valid until the next call; its id is also there with READ_BAD and
 * READ_REFUSED if it could be read.
 */
enum read_outcome read_command(struct read_command *rc, unsigned state,
    struct deadline d, const struct command **ret_cmd);

/* Why READ_END: ERR_EOF, ERR_TIMEOUT, ERR_INTR, ERR_IO; ERR_PROTO when a
 * refused command was longer than drop_max (a BYE has been sent). */
int read_command_err(const struct read_command *rc) ERR_CHECK;

/* The arena of the command: for what lives as long as it. */
struct arena *read_command_arena(struct read_command *rc);

/*
 * After READ_STREAM: read_command_accept(rc) asks for the message if the client
 * waits for that; wire_in_stream() then gives it, all of it must be taken, and
 * read_command_more() reads what follows.  0, or why the client is gone.
 */
int read_command_accept(struct read_command *rc) ERR_CHECK;

/*
 * read_command_more(rc, d): behind the message.  READ_DONE: the command is
 * complete.  READ_STREAM: another message (RFC 3502), its arguments are in
 * u.append, valid until the next call.  READ_BAD (answered), READ_END.
 */
enum read_outcome read_command_more(struct read_command *rc,
    struct deadline d);

/*
 * read_command_refuse(rc, stall_ms): drop the rest of the command, from
 * wherever it stands: before or in the middle of a message.  It may come as
 * slowly as a message that is taken; ERR_TIMEOUT when nothing of it comes for
 * stall_ms.  The caller answers afterwards, if the result is 0; else the
 * connection is at its end.
 */
int read_command_refuse(struct read_command *rc, uint64_t stall_ms) ERR_CHECK;

#endif
