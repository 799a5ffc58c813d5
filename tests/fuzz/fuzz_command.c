/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fuzz_command.c: the bytes of a client, from wire_in to struct command.  Each
 * command that was understood is printed; parsing the print must give the same.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "imapd/wire/command_table.h"
#include "imapd/wire/parse.h"
#include "imapd/wire/read_command.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/command_print.h"

#define PRINT_MAX	(4 * 1024 * 1024)

static int
read_input(void *cookie, void *p, size_t n, struct deadline d, size_t *ret_n)
{
	struct span *input = cookie;

	(void)d;
	if (input->n == 0)
		return ERR_EOF;
	*ret_n = n < input->n ? n : input->n;
	memcpy(p, input->p, *ret_n);
	*input = span_skip(*input, *ret_n);
	return 0;
}

static int
drop_output(void *cookie, struct span s, struct deadline d, size_t *ret_n)
{
	(void)cookie;
	(void)d;
	*ret_n = s.n;
	return 0;
}

/* "a ", and the command in its canonical spelling */
static void
print(struct buf *b, const struct command *cmd)
{
	buf_init(b, PRINT_MAX);
	buf_puts(b, "a ");
	command_print(b, cmd);
}

static void
check_print(const struct command *cmd)
{
	struct arena *arena = arena_new(1024);
	struct command again;
	struct parse_result r;
	struct buf first, second;

	print(&first, cmd);
	if (first.overflowed)
		goto done;
	parse_command(buf_span(&first), arena, &again, &r);
	if (r.outcome != PARSE_DONE && r.outcome != PARSE_STREAM) {
		fprintf(stderr, "%.*s\n%s at %zu\n", (int)first.n, first.p,
		    r.err_text, r.err_at);
		abort();
	}
	print(&second, &again);
	if (!is_span_eq(buf_span(&first), buf_span(&second))) {
		fprintf(stderr, "%.*s\n%.*s\n", (int)first.n, first.p,
		    (int)second.n, second.p);
		abort();
	}
	buf_done(&second);
done:
	buf_done(&first);
	arena_free(arena);
}

static enum read_outcome
take_message(struct read_command *rc, struct wire_in *in)
{
	struct span s;

	if (read_command_accept(rc) != 0)
		return READ_END;
	do {
		if (wire_in_stream(in, DEADLINE_NEVER, &s) != 0)
			return READ_END;
	} while (s.n > 0);
	return read_command_more(rc, DEADLINE_NEVER);
}

static void
run(struct span input, unsigned state, const struct read_limits *limits)
{
	struct wire_in *in = wire_in_new((struct wire_source){ read_input,
	    &input });
	struct wire_out *out = wire_out_new((struct wire_sink){ drop_output,
	    NULL }, 1000);
	struct read_command *rc = read_command_new(in, out, limits);
	const struct command *cmd;
	enum read_outcome outcome;

	do {
		outcome = read_command(rc, state, DEADLINE_NEVER, &cmd);
		if (outcome == READ_DONE || outcome == READ_STREAM)
			check_print(cmd);
		while (outcome == READ_STREAM)
			outcome = take_message(rc, in);
	} while (outcome != READ_END);
	read_command_free(rc);
	wire_out_free(out);
	wire_in_free(in);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct read_limits small = { 256, 32, 1024 };
	static const struct read_limits large = { 1 << 20, 1 << 16, 1 << 20 };

	run(span_of(data, size), STATE_LOGIN, &small);
	run(span_of(data, size), STATE_SELECTED, &large);
	return 0;
}
