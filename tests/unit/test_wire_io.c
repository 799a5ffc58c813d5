/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Lines and literals from a client that sends in pieces of each size; output to
 * one that takes it in pieces, stalls or leaves; replies.
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
#include "imapd/wire/reply.h"
#include "imapd/wire/wire_in.h"
#include "imapd/wire/wire_out.h"
#include "tests/unit/wire_client.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static void
assert_text(struct span got, const char *want)
{
	if (!is_span_eq(got, span_str(want)))
		fail_msg("got  %.*s\nwant %s", (int)got.n, got.p, want);
}

/* ---- wire_in --------------------------------------------------------- */

static void
check_lines(size_t piece)
{
	struct wire_client c;
	struct wire_in *in;
	struct buf b;

	wire_client_init(&c,
	    SPAN("one\r\ntwo\n\r\nthr\ree\r\r\n123456789\r\nend"),
	    piece);
	in = wire_client_in(&c);
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
	wire_client_done(&c);
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
	struct wire_client c;
	struct wire_in *in;
	struct buf b;

	(void)state;
	wire_client_init(&c, SPAN("12345678\r\n12345678\n123456789\n"), 100);
	in = wire_client_in(&c);
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
	wire_client_done(&c);
}

static void
check_literals(size_t piece)
{
	struct wire_client c;
	struct wire_in *in;
	struct span s;
	struct buf b;

	wire_client_init(&c,
	    SPAN("x {5}\r\nab\r\nc d {3+}\r\nefg {7}\r\nnext\r\n"),
	    piece);
	in = wire_client_in(&c);
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
	assert_int_equal(wire_in_drop_command(in, DEADLINE_NEVER, 1000), 0);
	buf_clear(&b);
	assert_int_equal(wire_in_line(in, &b, DEADLINE_NEVER), 0);
	assert_text(buf_span(&b), "next");
	buf_done(&b);
	wire_in_free(in);
	wire_client_done(&c);
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
	struct wire_client c;
	struct wire_in *in;
	struct buf b;

	(void)state;
	wire_client_init(&c, SPAN("x {99999999999999999999999+}\r\nfoo\r\n"),
	    100);
	in = wire_client_in(&c);
	buf_init(&b, 100);
	assert_int_equal(wire_in_line(in, &b, DEADLINE_NEVER), 0);
	assert_true(wire_in_left(in) == UINT64_MAX);
	wire_in_set_drop_max(in, 1 << 20);
	assert_int_equal(wire_in_drop_command(in, DEADLINE_NEVER, 1000),
	    ERR_PROTO);
	buf_done(&b);
	wire_in_free(in);

	/* A line without end behind a literal. */
	wire_client_init(&c, SPAN("x {1+}\r\nyzzzzzzzzzzzzzzzzzzzzzzzz"), 3);
	in = wire_client_in(&c);
	buf_init(&b, 100);
	assert_int_equal(wire_in_line(in, &b, DEADLINE_NEVER), 0);
	wire_in_set_drop_max(in, 9);
	assert_int_equal(wire_in_drop_command(in, DEADLINE_NEVER, 1000),
	    ERR_PROTO);
	buf_done(&b);
	wire_in_free(in);
	wire_client_done(&c);
}

static void
test_push_take(void **state)
{
	struct wire_client c;
	struct wire_in *in;
	struct span big = { mem_zalloc(100000), 100000 };
	struct buf b;

	(void)state;
	wire_client_init(&c, SPAN("c\r\nrest"), 100);
	in = wire_client_in(&c);
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
	wire_client_done(&c);
	free((void *)(uintptr_t)big.p);
}

/* ---- wire_out -------------------------------------------------------- */

static void
check_out(size_t piece, size_t first, size_t span)
{
	uint8_t *p = mem_alloc(span);
	struct wire_client c;
	struct wire_out *out;

	wire_client_init(&c, SPAN_NONE, piece);
	out = wire_client_out(&c);
	for (size_t i = 0; i < span; i++)
		p[i] = (uint8_t)(i * 7 + i / 251);
	for (size_t i = 0; i < first; i++)
		buf_putc(wire_out_buf(out), 'x');
	wire_out_check(out);
	wire_out_span(out, span_of(p, span));
	buf_puts(wire_out_buf(out), "end");
	assert_int_equal(wire_out_flush(out), 0);
	assert_true(c.got.n == first + span + 3);
	assert_true(wire_out_count(out) == c.got.n);
	assert_memory_equal(c.got.p + first, p, span);
	assert_memory_equal(c.got.p + first + span, "end", 3);
	wire_out_free(out);
	wire_client_done(&c);
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
	struct wire_client c;
	struct wire_out *out;

	(void)state;
	wire_client_init(&c, SPAN_NONE, SIZE_MAX);
	out = wire_client_out(&c);
	assert_null(buf_room(wire_out_buf(out), WIRE_OUT_MAX + 1));
	assert_int_equal(wire_out_flush(out), ERR_LIMIT);
	wire_out_free(out);
	wire_client_done(&c);
}

/* A client that takes nothing is given up: on a socket, and on a pipe in
 * blocking mode. */
static void
check_stall(int fd_out, int fd_client)
{
	const size_t n = 8 * 1024 * 1024;
	struct wire_out *out = wire_out_new_fd(fd_out, 50);
	uint8_t *big = mem_zalloc(n), chunk[4096];

	wire_out_span(out, span_of(big, n));
	assert_int_equal(wire_out_err(out), ERR_TIMEOUT);
	assert_true(read(fd_client, chunk, sizeof(chunk)) > 0);
	assert_int_equal(wire_out_flush(out), ERR_TIMEOUT);
	wire_out_free(out);
	close(fd_out);
	close(fd_client);
	free(big);
}

static void
test_stall(void **state)
{
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	check_stall(fd[0], fd[1]);
	assert_int_equal(pipe(fd), 0);
	check_stall(fd[1], fd[0]);
}

/* ---- replies --------------------------------------------------------- */

static void
test_reply(void **state)
{
	struct wire_client c;
	struct wire_out *out;

	(void)state;
	wire_client_init(&c, SPAN_NONE, SIZE_MAX);
	out = wire_client_out(&c);
	reply_tagged(out, SPAN("A1"), REPLY_OK, "READ-WRITE", "SELECT done");
	reply_tagged(out, SPAN(""), REPLY_BAD, NULL, "no tag");
	reply_untagged(out, REPLY_PREAUTH, NULL, "hello");
	reply_untagged(out, REPLY_BYE, "UNAVAILABLE", "later");
	reply_continue(out, SPAN(""));
	reply_number(out, 0, "RECENT");
	reply_begin(out, SPAN("x"), REPLY_NO);
	buf_puts(wire_out_buf(out), "[TRYCREATE] no");
	reply_end(out);
	assert_int_equal(wire_out_flush(out), 0);
	assert_text(buf_span(&c.got), "A1 OK [READ-WRITE] SELECT done\r\n"
	    "* BAD no tag\r\n* PREAUTH hello\r\n* BYE [UNAVAILABLE] later\r\n"
	    "+ \r\n* 0 RECENT\r\nx NO [TRYCREATE] no\r\n");
	wire_out_free(out);
	wire_client_done(&c);
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
		cmocka_unit_test(test_reply)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
