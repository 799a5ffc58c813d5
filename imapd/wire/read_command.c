/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "imapd/wire/command_table.h"
#include "imapd/wire/parse.h"
#include "imapd/wire/read_command.h"
#include "imapd/wire/reply.h"

#define ARENA_FIRST	4096
#define TEXT_KEPT	(64 * 1024)

struct read_command {
	struct wire_in *in;
	struct wire_out *out;
	struct read_limits limits;
	struct buf text;		/* what is parsed; cmd points into it */
	struct arena *arena;
	struct buf more;		/* the line behind a message */
	struct arena *more_arena;	/* what it was understood as */
	struct command cmd;
	struct parse_result result;
	int err;
};

struct read_command *
read_command_new(struct wire_in *in, struct wire_out *out,
    const struct read_limits *limits)
{
	struct read_command *rc = mem_zalloc(sizeof(*rc));

	rc->in = in;
	rc->out = out;
	rc->limits = *limits;
	wire_in_set_drop_max(in, limits->drop_max);
	buf_init(&rc->text, limits->command_max);
	buf_init(&rc->more, limits->command_max);
	rc->arena = arena_new(ARENA_FIRST);
	rc->more_arena = arena_new(ARENA_FIRST);
	return rc;
}

/* What one long command needed is not kept. */
static void
clear_text(struct buf *b)
{
	if (b->cap > TEXT_KEPT) {
		size_t max = b->max;

		buf_done(b);
		buf_init(b, max);
	}
	buf_clear(b);
}

/* Forget the command before; all traces of it if it held a password. */
static void
forget(struct read_command *rc)
{
	bool is_secret = rc->cmd.id != CMD_NONE &&
	    (command_row(rc->cmd.id)->flags & COMMAND_SECRET) != 0;

	if (is_secret) {
		arena_wipe(rc->arena);
		explicit_bzero(rc->text.p, rc->text.n);
		wire_in_wipe(rc->in);
	} else {
		arena_clear(rc->arena);
	}
	clear_text(&rc->text);
	clear_text(&rc->more);
	arena_clear(rc->more_arena);
	rc->cmd = (struct command){ .id = CMD_NONE };
}

void
read_command_free(struct read_command *rc)
{
	if (rc == NULL)
		return;
	forget(rc);
	arena_free(rc->arena);
	arena_free(rc->more_arena);
	buf_done(&rc->text);
	buf_done(&rc->more);
	free(rc);
}

int
read_command_err(const struct read_command *rc)
{
	return rc->err;
}

struct arena *
read_command_arena(struct read_command *rc)
{
	return rc->arena;
}

/* The connection is at its end, if err is not 0; passes err on. */
static int
note_err(struct read_command *rc, int err)
{
	if (err == ERR_PROTO && rc->err == 0) {
		reply_untagged(rc->out, REPLY_BYE, NULL,
		    "Too much was sent for a command that is refused");
		/* It ends with or without this. */
		(void)!wire_out_flush(rc->out);
	}
	if (rc->err == 0)
		rc->err = err;
	return err;
}

static enum read_outcome
end(struct read_command *rc, int err)
{
	(void)note_err(rc, err);
	return READ_END;
}

/* ---- refusing -------------------------------------------------------- */

/*
 * The client does not wait for answers to what came before if it is sending, so
 * flushing here is only for one that does both.
 */
static int ERR_CHECK
drop(struct read_command *rc, struct deadline d, uint64_t stall_ms)
{
	int err;

	if (wire_in_left(rc->in) > 0) {
		err = wire_out_flush(rc->out);
		if (err != 0)
			return note_err(rc, err);
	}
	return note_err(rc, wire_in_drop_command(rc->in, d, stall_ms));
}

int
read_command_refuse(struct read_command *rc, uint64_t stall_ms)
{
	return drop(rc, DEADLINE_NEVER, stall_ms);
}

static enum read_outcome
refuse(struct read_command *rc, struct deadline d, enum reply_status status,
    const char *code, const char *text)
{
	int err = drop(rc, d, UINT64_MAX);

	if (err != 0)
		return end(rc, err);
	reply_tagged(rc->out, rc->cmd.tag, status, code, text);
	return status == REPLY_BAD ? READ_BAD : READ_REFUSED;
}

/* "a BAD FETCH: Unknown FETCH item, at byte 10" */
static enum read_outcome
refuse_syntax(struct read_command *rc, struct deadline d)
{
	const struct parse_result *r = &rc->result;
	struct buf *b = wire_out_buf(rc->out);
	int err = drop(rc, d, UINT64_MAX);

	if (err != 0)
		return end(rc, err);
	reply_begin(rc->out, rc->cmd.tag, REPLY_BAD);
	if (rc->cmd.id != CMD_NONE) {
		buf_puts(b, command_row(rc->cmd.id)->name);
		buf_puts(b, ": ");
	}
	buf_puts(b, r->err_text);
	if (!r->is_unknown) {
		buf_puts(b, ", at byte ");
		buf_put_u64(b, r->err_at + 1);
	}
	reply_end(rc->out);
	return READ_BAD;
}

static const char *
wrong_state_text(unsigned state, unsigned states)
{
	if (state == STATE_LOGIN)
		return "Log in first";
	if (states == STATE_LOGIN)
		return "Already logged in";
	return "No mailbox is selected";
}

/* ---- reading --------------------------------------------------------- */

static int ERR_CHECK
read_line(struct read_command *rc, struct buf *b, struct deadline d)
{
	int err;

	if (!has_wire_in_line(rc->in)) {
		err = wire_out_flush(rc->out);
		if (err != 0)
			return err;
	}
	return wire_in_line(rc->in, b, d);
}

/* "+ OK", if the client waits for that. */
int
read_command_accept(struct read_command *rc)
{
	if (rc->result.literal_is_nonsync)
		return 0;
	wire_in_accept(rc->in);
	reply_continue(rc->out, SPAN("OK"));
	return wire_out_flush(rc->out);
}

/* The literal that the text announces, and the line behind it. */
static int ERR_CHECK
read_literal(struct read_command *rc, struct deadline d)
{
	int err = read_command_accept(rc);

	if (err != 0)
		return err;
	buf_puts(&rc->text, "\r\n");
	err = wire_in_literal(rc->in, &rc->text, d);
	return err != 0 ? err : read_line(rc, &rc->text, d);
}

/* Why the next literal is not taken, or NULL. */
static const char *
refusal(const struct read_command *rc, unsigned nliterals)
{
	uint64_t size = rc->result.literal_size;
	size_t room = rc->text.max - rc->text.n;

	if (nliterals == READ_LITERALS_MAX)
		return "Too many literals in one command";
	if (size > rc->limits.literal_max || room < 2 || size > room - 2)
		return "Literal too large";
	return NULL;
}

static void
parse(struct read_command *rc)
{
	arena_clear(rc->arena);
	parse_command(buf_span(&rc->text), rc->arena, &rc->cmd, &rc->result);
}

static enum read_outcome
line_failed(struct read_command *rc, int err, struct deadline d)
{
	if (err != ERR_LIMIT)
		return end(rc, err);
	parse(rc);		/* for the tag */
	return refuse(rc, d, REPLY_BAD, NULL, "Command line too long");
}

enum read_outcome
read_command(struct read_command *rc, unsigned state, struct deadline d,
    const struct command **ret_cmd)
{
	unsigned nliterals = 0, states;
	const char *why;
	int err;

	*ret_cmd = &rc->cmd;
	forget(rc);
	do {
		err = read_line(rc, &rc->text, d);
	} while (err == 0 && rc->text.n == 0);
	for (;;) {
		if (err != 0)
			return line_failed(rc, err, d);
		parse(rc);
		if (rc->cmd.id != CMD_NONE) {
			states = command_row(rc->cmd.id)->states;
			if ((states & state) == 0)
				return refuse(rc, d, REPLY_BAD, NULL,
				    wrong_state_text(state, states));
		}
		if (rc->result.outcome == PARSE_DONE)
			return READ_DONE;
		if (rc->result.outcome == PARSE_STREAM)
			return READ_STREAM;
		if (rc->result.outcome == PARSE_BAD)
			return refuse_syntax(rc, d);
		why = refusal(rc, nliterals++);
		if (why != NULL)
			return refuse(rc, d, REPLY_NO, "LIMIT", why);
		err = read_literal(rc, d);
	}
}

enum read_outcome
read_command_more(struct read_command *rc, struct deadline d)
{
	int err;

	/* Not on top of those before: there may be 100,000 of them. */
	buf_clear(&rc->more);
	arena_clear(rc->more_arena);
	err = read_line(rc, &rc->more, d);
	if (err == ERR_LIMIT)
		return refuse(rc, d, REPLY_BAD, NULL, "Command line too long");
	if (err != 0)
		return end(rc, err);
	parse_append_next(buf_span(&rc->more), rc->more_arena,
	    &rc->cmd.u.append, &rc->result);
	if (rc->result.outcome == PARSE_DONE)
		return READ_DONE;
	if (rc->result.outcome == PARSE_STREAM)
		return READ_STREAM;
	return refuse_syntax(rc, d);
}
