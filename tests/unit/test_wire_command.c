/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Whole commands, as the login dialogue and the session read them: what is
 * refused, how, and that the next command is understood after it; the same
 * however the client's bytes are cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "imapd/wire/command_table.h"
#include "imapd/wire/read_command.h"
#include "imapd/wire/reply.h"
#include "tests/unit/wire_client.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static void
assert_text(struct span got, const char *want)
{
	if (!is_span_eq(got, span_str(want)))
		fail_msg("got  %.*s\nwant %s", (int)got.n, got.p, want);
}

static const struct read_limits limits = {
	.command_max = 100, .literal_max = 20, .drop_max = 1000
};

/* What the server under test answers: each command that was read. */
static void
answer(struct wire_out *out, const struct command *cmd)
{
	struct buf *b = wire_out_buf(out);

	reply_begin(out, cmd->tag, REPLY_OK);
	buf_puts(b, command_row(cmd->id)->name);
	if (cmd->id == CMD_LOGIN) {
		buf_putc(b, ' ');
		buf_put_span(b, cmd->u.login.user);
		buf_putc(b, '/');
		buf_put_span(b, cmd->u.login.password);
	}
	reply_end(out);
}

/* Takes the message, unless the mailbox is "no" or, half way, "half". */
static enum read_outcome
take_message(struct read_command *rc, struct wire_in *in, struct wire_out *out,
    const struct command *cmd)
{
	bool is_half = is_span_eq(cmd->u.append.mailbox, SPAN("half"));
	struct span s;

	if (is_span_eq(cmd->u.append.mailbox, SPAN("no")) ||
	    (is_half && read_command_accept(rc) == 0 &&
	    wire_in_stream(in, DEADLINE_NEVER, &s) == 0)) {
		if (read_command_refuse(rc, UINT64_MAX) != 0)
			return READ_END;
		reply_tagged(out, cmd->tag, REPLY_NO, NULL, "refused");
		return READ_REFUSED;
	}
	assert_int_equal(read_command_accept(rc), 0);
	do {
		if (wire_in_stream(in, DEADLINE_NEVER, &s) != 0)
			return READ_END;
		buf_put_span(wire_out_buf(out), s);
	} while (s.n > 0);
	buf_puts(wire_out_buf(out), "|");
	return read_command_more(rc, DEADLINE_NEVER);
}

static int
serve(struct read_command *rc, struct wire_in *in, struct wire_out *out,
    unsigned state)
{
	const struct command *cmd;
	enum read_outcome outcome;
	int err;

	for (;;) {
		outcome = read_command(rc, state, DEADLINE_NEVER, &cmd);
		while (outcome == READ_STREAM)
			outcome = take_message(rc, in, out, cmd);
		if (outcome == READ_DONE)
			answer(out, cmd);
		if (outcome == READ_END)
			break;
	}
	err = read_command_err(rc);
	assert_int_equal(wire_out_flush(out), 0);
	return err;
}

struct dialogue {
	unsigned state;
	const char *in;
	const char *out;
	int err;		/* at the end; 0: ERR_EOF */
};

static const struct dialogue dialogues[] = {
	{ STATE_LOGIN, "a NOOP\r\n\r\n\nb CAPABILITY\nc",
	    "a OK NOOP\r\nb OK CAPABILITY\r\n", 0 },
	{ STATE_LOGIN, "a LOGIN x y\r\n", "a OK LOGIN x/y\r\n", 0 },
	{ STATE_LOGIN, "a LOGIN {1}\r\nx {3}\r\ny z\r\nb NOOP\r\n",
	    "+ OK\r\n+ OK\r\na OK LOGIN x/y z\r\nb OK NOOP\r\n", 0 },
	{ STATE_LOGIN, "a LOGIN {1+}\r\nx {0+}\r\n\r\nb NOOP\r\n",
	    "a OK LOGIN x/\r\nb OK NOOP\r\n", 0 },
	/* Refused before their literals are asked for. */
	{ STATE_LOGIN, "a FROB {5}\r\nb NOOP\r\n",
	    "a BAD Unknown command\r\nb OK NOOP\r\n", 0 },
	{ STATE_LOGIN, "a SELECT {5}\r\nb NOOP\r\n",
	    "a BAD Log in first\r\nb OK NOOP\r\n", 0 },
	{ STATE_AUTH, "a LOGIN {5}\r\nb NOOP\r\n",
	    "a BAD Already logged in\r\nb OK NOOP\r\n", 0 },
	{ STATE_AUTH, "a FETCH 1 FLAGS\r\nb UID FETCH garbage\r\n",
	    "a BAD No mailbox is selected\r\nb BAD No mailbox is selected\r\n",
	    0 },
	{ STATE_LOGIN, "a LOGIN {21}\r\nb NOOP\r\n",
	    "a NO [LIMIT] Literal too large\r\nb OK NOOP\r\n", 0 },
	/* Refused, and all that comes regardless is dropped. */
	{ STATE_LOGIN, "a FROB {5+}\r\na\r\nb {3+}\r\nx\r\n {7}\r\nb NOOP\r\n",
	    "a BAD Unknown command\r\nb OK NOOP\r\n", 0 },
	{ STATE_LOGIN, "a LOGIN {21+}\r\n123456789012345678901 x\r\nb NOOP\r\n",
	    "a NO [LIMIT] Literal too large\r\nb OK NOOP\r\n", 0 },
	{ STATE_LOGIN,
	    "a LOGIN \"x {4+}\r\nb NO {0+}\r\n {0+}\r\nc\r\nd NOOP\n",
	    "a BAD LOGIN: Quoted string without end, at byte 16\r\n"
	    "d OK NOOP\r\n", 0 },
	{ STATE_LOGIN, "a LOGIN {1+}\r\nx y z {6+}\r\nNOOP\r\n\r\nb NOOP\r\n",
	    "a BAD LOGIN: Unexpected text behind the arguments, at byte 19\r\n"
	    "b OK NOOP\r\n", 0 },
	{ STATE_LOGIN, "* x\r\n", "* BAD Invalid tag, at byte 1\r\n", 0 },
	/* A line over the ceiling, with a literal at its end. */
	{ STATE_LOGIN, "a LOGIN xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx {3+}\r\n"
	    "abc\r\nb NOOP\r\n",
	    "a BAD Command line too long\r\nb OK NOOP\r\n", 0 },
	/* More than drop_max. */
	{ STATE_LOGIN, "a FROB {1001+}\r\nxxxxx",
	    "* BYE Too much was sent for a command that is refused\r\n",
	    ERR_PROTO },
	/* APPEND */
	{ STATE_AUTH, "a APPEND x {5}\r\nab\r\nc\r\nb NOOP\r\n",
	    "+ OK\r\nab\r\nc|a OK APPEND\r\nb OK NOOP\r\n", 0 },
	{ STATE_AUTH, "a APPEND x {2+}\r\nab {1}\r\nc {0+}\r\n\r\nb NOOP\r\n",
	    "ab|+ OK\r\nc||a OK APPEND\r\nb OK NOOP\r\n", 0 },
	{ STATE_AUTH, "a APPEND no {2}\r\nb APPEND no {2+}\r\nab {1+}\r\nc\r\n"
	    "c NOOP\r\n", "a NO refused\r\nb NO refused\r\nc OK NOOP\r\n", 0 },
	{ STATE_AUTH, "a APPEND half {5+}\r\nabcde\r\nc NOOP\r\n",
	    "a NO refused\r\nc OK NOOP\r\n", 0 },
	{ STATE_AUTH, "a APPEND x {2+}\r\nabx {1+}\r\nc\r\nb NOOP\r\n",
	    "ab|a BAD APPEND: Expected a space, at byte 1\r\nb OK NOOP\r\n",
	    0 },
	{ STATE_AUTH, "a APPEND x UTF8 (~{2+}\r\nab)\r\nb NOOP\r\n",
	    "ab|a OK APPEND\r\nb OK NOOP\r\n", 0 },
	{ STATE_LOGIN, "a APPEND x {2+}\r\nab {1+}\r\nc\r\nb NOOP\r\n",
	    "a BAD Log in first\r\nb OK NOOP\r\n", 0 }
};

static void
check_dialogue(const struct dialogue *dlg, size_t piece)
{
	struct wire_client c;
	struct wire_in *in;
	struct wire_out *out;
	struct read_command *rc;
	int err;

	wire_client_init(&c, span_str(dlg->in), piece);
	in = wire_client_in(&c);
	out = wire_client_out(&c);
	rc = read_command_new(in, out, &limits);
	err = serve(rc, in, out, dlg->state);
	assert_int_equal(err, dlg->err == 0 ? ERR_EOF : dlg->err);
	assert_text(buf_span(&c.got), dlg->out);
	read_command_free(rc);
	wire_out_free(out);
	wire_in_free(in);
	wire_client_done(&c);
}

static void
test_dialogues(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(dialogues); i++)
		for (size_t piece = 1; piece < 60; piece++)
			check_dialogue(&dialogues[i], piece);
}

/* Each prefix of each dialogue ends in nothing worse than the end. */
static void
test_cut_off(void **state)
{
	struct dialogue cut;
	struct wire_client c;
	struct wire_in *in;
	struct wire_out *out;
	struct read_command *rc;

	(void)state;
	for (size_t i = 0; i < COUNT(dialogues); i++) {
		cut = dialogues[i];
		for (size_t n = 0; n < strlen(cut.in); n++) {
			wire_client_init(&c, span_of(cut.in, n), 7);
			in = wire_client_in(&c);
			out = wire_client_out(&c);
			rc = read_command_new(in, out, &limits);
			(void)serve(rc, in, out, cut.state);
			read_command_free(rc);
			wire_out_free(out);
			wire_in_free(in);
			wire_client_done(&c);
		}
	}
}

/* A line that never ends, and one that ends too late. */
static void
test_endless_line(void **state)
{
	struct wire_client c;
	struct wire_in *in;
	struct wire_out *out;
	struct read_command *rc;
	struct buf b;

	(void)state;
	for (size_t n = 999; n <= 1199; n += 100) {
		buf_init(&b, 1 << 20);
		buf_puts(&b, "a ");
		for (size_t i = 2; i < n; i++)
			buf_putc(&b, 'x');
		buf_puts(&b, "\r\nb NOOP\r\n");
		wire_client_init(&c, buf_span(&b), 90);
		in = wire_client_in(&c);
		out = wire_client_out(&c);
		rc = read_command_new(in, out, &limits);
		assert_int_equal(serve(rc, in, out, STATE_LOGIN),
		    n <= 1099 ? ERR_EOF : ERR_PROTO);
		assert_text(buf_span(&c.got), n <= 1099 ?
		    "a BAD Command line too long\r\nb OK NOOP\r\n" :
		    "* BYE Too much was sent for a command that is refused"
		    "\r\n");
		read_command_free(rc);
		wire_out_free(out);
		wire_in_free(in);
		wire_client_done(&c);
		buf_done(&b);
	}
}

static void
test_many_literals(void **state)
{
	const struct read_limits wide = { 1 << 20, 1 << 20, 1 << 20 };
	struct wire_client c;
	struct wire_in *in;
	struct wire_out *out;
	struct read_command *rc;
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	for (unsigned extra = 0; extra < 2; extra++) {
		buf_puts(&b, "a SEARCH");
		for (unsigned i = 0; i < READ_LITERALS_MAX + extra; i++)
			buf_puts(&b, " TEXT {1+}\r\nx");
		buf_puts(&b, "\r\n");
	}
	wire_client_init(&c, buf_span(&b), SIZE_MAX);
	in = wire_client_in(&c);
	out = wire_client_out(&c);
	rc = read_command_new(in, out, &wide);
	assert_int_equal(serve(rc, in, out, STATE_SELECTED), ERR_EOF);
	assert_text(buf_span(&c.got), "a OK SEARCH\r\n"
	    "a NO [LIMIT] Too many literals in one command\r\n");
	read_command_free(rc);
	wire_out_free(out);
	wire_in_free(in);
	wire_client_done(&c);
	buf_done(&b);
}

/* The arguments of one message do not stay for those behind it. */
static void
test_many_messages(void **state)
{
	const struct read_limits wide = { 1 << 20, 1 << 20, 1 << 20 };
	struct wire_client c;
	struct wire_in *in;
	struct wire_out *out;
	struct read_command *rc;
	const struct command *cmd;
	enum read_outcome outcome;
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	buf_puts(&b, "a APPEND x");
	for (int i = 0; i < 2000; i++)
		buf_puts(&b, " (a b c d e f g h i j k) {1+}\r\nx");
	buf_puts(&b, "\r\n");
	wire_client_init(&c, buf_span(&b), SIZE_MAX);
	in = wire_client_in(&c);
	out = wire_client_out(&c);
	rc = read_command_new(in, out, &wide);
	outcome = read_command(rc, STATE_AUTH, DEADLINE_NEVER, &cmd);
	while (outcome == READ_STREAM) {
		assert_int_equal(cmd->u.append.flags.keywords.n, 11);
		assert_text(cmd->u.append.flags.keywords.v[10], "k");
		assert_text(cmd->u.append.mailbox, "x");
		outcome = take_message(rc, in, out, cmd);
	}
	assert_int_equal(outcome, READ_DONE);
	assert_true(arena_used(read_command_arena(rc)) < 64 * 1024);
	read_command_free(rc);
	wire_out_free(out);
	wire_in_free(in);
	wire_client_done(&c);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dialogues),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_endless_line),
		cmocka_unit_test(test_many_literals),
		cmocka_unit_test(test_many_messages)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
