/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Lines, literals and replies, and whole commands read through them: what a
 * client sends in pieces of each size must give the same answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "imapd/wire/command_table.h"
#include "imapd/wire/read_command.h"
#include "imapd/wire/reply.h"
#include "imapd/wire/wire_in.h"
#include "imapd/wire/wire_out.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define OUT_MAX		(4 * 1024 * 1024)

static void
assert_text(struct span got, const char *want)
{
	if (!is_span_eq(got, span_str(want)))
		fail_msg("got  %.*s\nwant %s", (int)got.n, got.p, want);
}

/* ---- a client in memory ---------------------------------------------- */

struct client {
	struct span send;	/* what it has yet to send */
	size_t piece;		/* in pieces of this size */
	struct buf got;		/* what it was sent */
};

static int
client_read(void *cookie, void *p, size_t n, struct deadline d, size_t *ret_n)
{
	struct client *c = cookie;

	(void)d;
	if (c->send.n == 0)
		return ERR_EOF;
	if (n > c->piece)
		n = c->piece;
	if (n > c->send.n)
		n = c->send.n;
	memcpy(p, c->send.p, n);
	c->send = span_skip(c->send, n);
	*ret_n = n;
	return 0;
}

static int
client_write(void *cookie, struct span s, struct deadline d, size_t *ret_n)
{
	struct client *c = cookie;

	(void)d;
	*ret_n = s.n < c->piece ? s.n : c->piece;
	buf_put_span(&c->got, span_take(s, *ret_n));
	return 0;
}

static void
client_init(struct client *c, struct span send, size_t piece)
{
	c->send = send;
	c->piece = piece;
	buf_init(&c->got, OUT_MAX);
}

static struct wire_in *
client_in(struct client *c)
{
	return wire_in_new((struct wire_source){ client_read, c });
}

static struct wire_out *
client_out(struct client *c)
{
	return wire_out_new((struct wire_sink){ client_write, c }, 1000);
}

/* ---- wire_in --------------------------------------------------------- */

static void
check_lines(size_t piece)
{
	struct client c;
	struct wire_in *in;
	struct buf b;

	client_init(&c, SPAN("one\r\ntwo\n\r\nthr\ree\r\r\n123456789\r\nend"),
	    piece);
	in = client_in(&c);
	buf_init(&b, 8);
	assert_int_equal(wire_in_line(in, &b, DEADLINE_NEVER), 0);
	assert_text(buf_span(&b), "one");
	assert_int_equal(wire_in_line(in, &b, DEADLINE_NEVER), 0);
	assert_text(buf_span(&b), "onetwo");
	buf_clear(&b);
	assert_int_equal(wire_in_line(in, &b, DEADLINE_NEVER), 0);
	assert_text(buf_span(&b), "");
	assert_int_equal(wire_in_line(in, &b, DEADLINE_NEVER), 0);
	assert_text(buf_span(&b), "thr\ree\r");
	buf_clear(&b);
	assert_int_equal(wire_in_line(in, &b, DEADLINE_NEVER), ERR_LIMIT);
	assert_text(buf_span(&b), "12345678");
	buf_clear(&b);
	assert_int_equal(wire_in_line(in, &b, DEADLINE_NEVER), ERR_EOF);
	assert_true(wire_in_count(in) == 34);
	buf_done(&b);
	wire_in_free(in);
	buf_done(&c.got);
}

static void
test_lines(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < 40; piece++)
		check_lines(piece);
}

static void
test_exact_ceiling(void **state)
{
	struct client c;
	struct wire_in *in;
	struct buf b;

	(void)state;
	client_init(&c, SPAN("12345678\r\n12345678\n123456789\n"), 100);
	in = client_in(&c);
	buf_init(&b, 8);
	for (int i = 0; i < 2; i++) {
		buf_clear(&b);
		assert_int_equal(wire_in_line(in, &b, DEADLINE_NEVER), 0);
		assert_text(buf_span(&b), "12345678");
	}
	buf_clear(&b);
	assert_int_equal(wire_in_line(in, &b, DEADLINE_NEVER), ERR_LIMIT);
	buf_done(&b);
	wire_in_free(in);
	buf_done(&c.got);
}

static void
check_literals(size_t piece)
{
	struct client c;
	struct wire_in *in;
	struct span s;
	struct buf b;

	client_init(&c, SPAN("x {5}\r\nab\r\nc d {3+}\r\nefg {7}\r\nnext\r\n"),
	    piece);
	in = client_in(&c);
	buf_init(&b, 100);
	assert_int_equal(wire_in_line(in, &b, DEADLINE_NEVER), 0);
	assert_true(wire_in_left(in) == 0);
	wire_in_accept(in);
	assert_true(wire_in_left(in) == 5);
	assert_int_equal(wire_in_literal(in, &b, DEADLINE_NEVER), 0);
	assert_text(buf_span(&b), "x {5}ab\r\nc");
	buf_clear(&b);
	assert_int_equal(wire_in_line(in, &b, DEADLINE_NEVER), 0);
	assert_text(buf_span(&b), " d {3+}");
	buf_clear(&b);
	do {
		assert_int_equal(wire_in_stream(in, DEADLINE_NEVER, &s), 0);
		buf_put_span(&b, s);
	} while (s.n > 0);
	assert_text(buf_span(&b), "efg");
	/* The rest of the line, whose literal nobody accepted. */
	assert_int_equal(wire_in_drop_command(in, 100, DEADLINE_NEVER), 0);
	buf_clear(&b);
	assert_int_equal(wire_in_line(in, &b, DEADLINE_NEVER), 0);
	assert_text(buf_span(&b), "next");
	buf_done(&b);
	wire_in_free(in);
	buf_done(&c.got);
}

static void
test_literals(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < 40; piece++)
		check_literals(piece);
}

static void
test_drop_limit(void **state)
{
	struct client c;
	struct wire_in *in;
	struct buf b;

	(void)state;
	client_init(&c, SPAN("x {99999999999999999999999+}\r\nfoo\r\n"), 100);
	in = client_in(&c);
	buf_init(&b, 100);
	assert_int_equal(wire_in_line(in, &b, DEADLINE_NEVER), 0);
	assert_true(wire_in_left(in) == UINT64_MAX);
	assert_int_equal(wire_in_drop_command(in, 1 << 20, DEADLINE_NEVER),
	    ERR_LIMIT);
	buf_done(&b);
	wire_in_free(in);

	/* A line without end behind a literal. */
	client_init(&c, SPAN("x {1+}\r\nyzzzzzzzzzzzzzzzzzzzzzzzz"), 3);
	in = client_in(&c);
	buf_init(&b, 100);
	assert_int_equal(wire_in_line(in, &b, DEADLINE_NEVER), 0);
	assert_int_equal(wire_in_drop_command(in, 9, DEADLINE_NEVER),
	    ERR_LIMIT);
	buf_done(&b);
	wire_in_free(in);
	buf_done(&c.got);
}

static void
test_push_take(void **state)
{
	struct client c;
	struct wire_in *in;
	struct span big = { mem_zalloc(100000), 100000 };
	struct buf b;

	(void)state;
	client_init(&c, SPAN("c\r\nrest"), 100);
	in = client_in(&c);
	assert_false(has_wire_in_pending(in));
	wire_in_push(in, SPAN("b"));
	wire_in_push(in, SPAN("a"));
	assert_true(has_wire_in_pending(in));
	assert_false(has_wire_in_line(in));
	buf_init(&b, 100);
	assert_int_equal(wire_in_line(in, &b, DEADLINE_NEVER), 0);
	assert_text(buf_span(&b), "abc");
	assert_text(wire_in_take(in), "rest");
	assert_false(has_wire_in_pending(in));
	wire_in_push(in, SPAN("x\n"));
	wire_in_push(in, big);
	assert_true(has_wire_in_line(in));
	assert_true(wire_in_take(in).n == 100002);
	wire_in_wipe(in);
	buf_done(&b);
	wire_in_free(in);
	buf_done(&c.got);
	free((void *)(uintptr_t)big.p);
}

/* ---- wire_out -------------------------------------------------------- */

static void
check_out(size_t piece, size_t first, size_t span)
{
	uint8_t *p = mem_alloc(span);
	struct client c;
	struct wire_out *out;

	client_init(&c, SPAN_NONE, piece);
	out = client_out(&c);
	for (size_t i = 0; i < span; i++)
		p[i] = (uint8_t)(i * 7 + i / 251);
	for (size_t i = 0; i < first; i++)
		buf_putc(wire_out_buf(out), 'x');
	wire_out_check(out);
	wire_out_span(out, span_of(p, span));
	buf_puts(wire_out_buf(out), "end");
	assert_int_equal(wire_out_flush(out), 0);
	assert_true(is_wire_out_empty(out));
	assert_true(c.got.n == first + span + 3);
	assert_true(wire_out_count(out) == c.got.n);
	assert_memory_equal(c.got.p + first, p, span);
	assert_memory_equal(c.got.p + first + span, "end", 3);
	wire_out_free(out);
	buf_done(&c.got);
	free(p);
}

static void
test_out(void **state)
{
	static const size_t first[] = { 0, 1, WIRE_OUT_SIZE - 1, WIRE_OUT_SIZE,
		WIRE_OUT_SIZE + 1, 3 * WIRE_OUT_SIZE };
	static const size_t span[] = { 1, WIRE_OUT_SIZE - 1, WIRE_OUT_SIZE,
		WIRE_OUT_SIZE + 1, 5 * WIRE_OUT_SIZE, 5 * WIRE_OUT_SIZE + 77 };

	(void)state;
	for (size_t i = 0; i < COUNT(first); i++) {
		for (size_t j = 0; j < COUNT(span); j++) {
			check_out(SIZE_MAX, first[i], span[j]);
			check_out(10007, first[i], span[j]);
		}
	}
}

static int
broken_write(void *cookie, struct span s, struct deadline d, size_t *ret_n)
{
	int *calls = cookie;

	(void)d;
	if ((*calls)++ > 0)
		return ERR_EOF;
	*ret_n = s.n;
	return 0;
}

static void
test_out_error(void **state)
{
	int calls = 0;
	struct wire_out *out = wire_out_new((struct wire_sink){ broken_write,
	    &calls }, 1000);

	(void)state;
	reply_number(out, 23, "EXISTS");
	assert_int_equal(wire_out_flush(out), 0);
	reply_number(out, 24, "EXISTS");
	assert_int_equal(wire_out_flush(out), ERR_EOF);
	wire_out_span(out, SPAN(""));
	for (int i = 0; i < 100000; i++)
		reply_number(out, 25, "EXISTS");
	assert_int_equal(wire_out_err(out), ERR_EOF);
	assert_int_equal(wire_out_flush(out), ERR_EOF);
	assert_int_equal(calls, 2);
	wire_out_free(out);
}

static void
test_out_overflow(void **state)
{
	struct client c;
	struct wire_out *out;

	(void)state;
	client_init(&c, SPAN_NONE, SIZE_MAX);
	out = client_out(&c);
	assert_null(buf_room(wire_out_buf(out), WIRE_OUT_MAX + 1));
	assert_int_equal(wire_out_flush(out), ERR_LIMIT);
	wire_out_free(out);
	buf_done(&c.got);
}

/* A client that takes nothing is given up; one that takes a little is not. */
static void
test_stall(void **state)
{
	uint8_t chunk[4096];
	struct wire_out *out;
	uint8_t *big = mem_zalloc(8 * 1024 * 1024);
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	out = wire_out_new_fd(fd[0], 50);
	wire_out_span(out, span_of(big, 8 * 1024 * 1024));
	assert_int_equal(wire_out_err(out), ERR_TIMEOUT);
	assert_true(read(fd[1], chunk, sizeof(chunk)) > 0);
	assert_int_equal(wire_out_flush(out), ERR_TIMEOUT);
	wire_out_free(out);
	close(fd[0]);
	close(fd[1]);
	free(big);
}

/* ---- replies --------------------------------------------------------- */

static void
test_reply(void **state)
{
	struct client c;
	struct wire_out *out;

	(void)state;
	client_init(&c, SPAN_NONE, SIZE_MAX);
	out = client_out(&c);
	reply_tagged(out, SPAN("A1"), REPLY_OK, "READ-WRITE", "SELECT done");
	reply_tagged(out, SPAN(""), REPLY_BAD, NULL, "no tag");
	reply_untagged(out, REPLY_PREAUTH, NULL, "hello");
	reply_untagged(out, REPLY_BYE, "UNAVAILABLE", "later");
	reply_continue(out, SPAN(""));
	reply_number(out, 0, "RECENT");
	reply_begin(out, SPAN("x"), REPLY_NO);
	reply_text_span(out, SPAN("a\r\n\xff\0b"));
	reply_end(out);
	assert_int_equal(wire_out_flush(out), 0);
	assert_text(buf_span(&c.got), "A1 OK [READ-WRITE] SELECT done\r\n"
	    "* BAD no tag\r\n* PREAUTH hello\r\n* BYE [UNAVAILABLE] later\r\n"
	    "+ \r\n* 0 RECENT\r\nx NO a????b\r\n");
	wire_out_free(out);
	buf_done(&c.got);
}

/* ---- whole commands -------------------------------------------------- */

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
		if (read_command_refuse(rc, DEADLINE_NEVER) != 0)
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
	    ERR_LIMIT },
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
	struct client c;
	struct wire_in *in;
	struct wire_out *out;
	struct read_command *rc;
	int err;

	client_init(&c, span_str(dlg->in), piece);
	in = client_in(&c);
	out = client_out(&c);
	rc = read_command_new(in, out, &limits);
	err = serve(rc, in, out, dlg->state);
	assert_int_equal(err, dlg->err == 0 ? ERR_EOF : dlg->err);
	assert_text(buf_span(&c.got), dlg->out);
	read_command_free(rc);
	wire_out_free(out);
	wire_in_free(in);
	buf_done(&c.got);
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
	struct client c;
	struct wire_in *in;
	struct wire_out *out;
	struct read_command *rc;

	(void)state;
	for (size_t i = 0; i < COUNT(dialogues); i++) {
		cut = dialogues[i];
		for (size_t n = 0; n < strlen(cut.in); n++) {
			client_init(&c, span_of(cut.in, n), 7);
			in = client_in(&c);
			out = client_out(&c);
			rc = read_command_new(in, out, &limits);
			(void)serve(rc, in, out, cut.state);
			read_command_free(rc);
			wire_out_free(out);
			wire_in_free(in);
			buf_done(&c.got);
		}
	}
}

static void
test_many_literals(void **state)
{
	const struct read_limits wide = { 1 << 20, 1 << 20, 1 << 20 };
	struct client c;
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
	client_init(&c, buf_span(&b), SIZE_MAX);
	in = client_in(&c);
	out = client_out(&c);
	rc = read_command_new(in, out, &wide);
	assert_int_equal(serve(rc, in, out, STATE_SELECTED), ERR_EOF);
	assert_text(buf_span(&c.got), "a OK SEARCH\r\n"
	    "a NO [LIMIT] Too many literals in one command\r\n");
	read_command_free(rc);
	wire_out_free(out);
	wire_in_free(in);
	buf_done(&c.got);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_exact_ceiling),
		cmocka_unit_test(test_literals),
		cmocka_unit_test(test_drop_limit),
		cmocka_unit_test(test_push_take),
		cmocka_unit_test(test_out),
		cmocka_unit_test(test_out_error),
		cmocka_unit_test(test_out_overflow),
		cmocka_unit_test(test_stall),
		cmocka_unit_test(test_reply),
		cmocka_unit_test(test_dialogues),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_many_literals)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
