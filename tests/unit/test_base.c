/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/deadline.h"
#include "base/enc.h"
#include "base/err.h"
#include "base/fdio.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/msgpipe.h"
#include "base/mutf7.h"
#include "base/num.h"
#include "base/span.h"
#include "base/utf8.h"
#include "base/vec.h"

#define assert_span(s, lit)	assert_true(is_span_eq((s), SPAN(lit)))

static void
test_err(void **state)
{
	(void)state;
	for (int e = ERR_IO; e >= ERR_INTR; e--)
		assert_string_not_equal(err_text(e), "unknown error");
	assert_string_equal(err_text(ERR_INTR - 1), "unknown error");
	assert_string_equal(err_text(1), "unknown error");
	assert_int_equal(err_from_errno(0), ERR_IO);
	assert_int_equal(err_from_errno(ENOSPC), ERR_NOSPACE);
}

static void
test_span(void **state)
{
	struct span rest = SPAN("a,,b");

	(void)state;
	assert_span(span_split(&rest, ','), "a");
	assert_span(span_split(&rest, ','), "");
	assert_span(span_split(&rest, ','), "b");
	assert_null(rest.p);
	assert_true(is_span_ieq(SPAN("InBoX"), SPAN("INBOX")));
	assert_false(is_span_ieq(SPAN("@"), SPAN("`")));
	assert_int_equal(span_rfind(SPAN("a.b.c"), '.'), 3);
	assert_int_equal(span_rfind(SPAN("abc"), '.'), 3);
	assert_span(span_trim(SPAN(" \t x y\r\n")), "x y");
	assert_true(span_cmp(SPAN("a"), SPAN("ab")) < 0);
	assert_true(has_suffix(SPAN("x.lock"), SPAN(".lock")));
	assert_false(has_prefix(SPAN("a"), SPAN("ab")));
	assert_span(span_skip(SPAN_NONE, 3), "");
}

/* Whatever is appended, the ceiling holds and no hole appears. */
static void
test_buf_ceiling(void **state)
{
	(void)state;
	for (size_t max = 0; max < 200; max++) {
		struct buf b;

		buf_init(&b, max);
		for (size_t i = 0; i < 40; i++) {
			for (size_t k = 0; k < i; k++)
				assert_true(b.n <= max);
			buf_put(&b, "0123456789012345678901234567890123456789",
			    i);
			buf_putc(&b, '|');
		}
		assert_true(b.n <= max);
		assert_int_equal(buf_err(&b), ERR_LIMIT);
		buf_clear(&b);
		assert_int_equal(buf_err(&b), 0);
		buf_done(&b);
	}
}

static void
test_buf(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_string_equal(buf_cstr(&b), "");
	buf_puts(&b, "n=");
	buf_put_u64(&b, UINT64_MAX);
	assert_string_equal(buf_cstr(&b), "n=18446744073709551615");
	buf_consume(&b, 2);
	assert_span(buf_span(&b), "18446744073709551615");
	buf_consume(&b, 1000);
	assert_int_equal(b.n, 0);
	buf_putc(&b, 0);
	assert_null(buf_cstr(&b));
	assert_non_null(buf_room(&b, 99));
	assert_null(buf_room(&b, 100));
	buf_wipe_done(&b);
}

static void
test_arena(void **state)
{
	struct arena *a = arena_new(64);

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t n = 0; n < 3000; n += 7) {
			uint8_t *p = arena_alloc(a, n);

			assert_int_equal((uintptr_t)p % 16, 0);
			for (size_t i = 0; i < n; i++)
				assert_int_equal(p[i], 0);
			memset(p, 0xA5, n);
		}
		assert_true(arena_used(a) > 0);
		if (round == 1)
			arena_wipe(a);
		else
			arena_clear(a);
		assert_int_equal(arena_used(a), 0);
	}
	assert_string_equal(arena_cstr(a, SPAN("xy")), "xy");
	assert_span(arena_dup(a, SPAN("ab")), "ab");
	arena_free(a);
	arena_free(NULL);
}

static void
test_vec(void **state)
{
	VEC(int) v = VEC_INIT;

	(void)state;
	for (int i = 0; i < 1000; i++)
		VEC_PUSH(&v, i);
	assert_int_equal(v.n, 1000);
	assert_int_equal(v.v[999], 999);
	VEC_DONE(&v);
	assert_null(v.v);
}

static void
test_num(void **state)
{
	uint64_t v = 7;
	uint32_t w = 7;
	size_t len;

	(void)state;
	assert_int_equal(num_u64(SPAN("18446744073709551615"), 0, UINT64_MAX,
	    &v), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(num_u64(SPAN("18446744073709551616"), 0, UINT64_MAX,
	    &v), ERR_LIMIT);
	assert_int_equal(num_u64(SPAN(""), 0, 9, &v), ERR_SYNTAX);
	assert_int_equal(num_u64(SPAN("+1"), 0, 9, &v), ERR_SYNTAX);
	assert_int_equal(num_u64(SPAN("1 "), 0, 9, &v), ERR_SYNTAX);
	assert_int_equal(num_u32(SPAN("0"), 1, 9, &w), ERR_LIMIT);
	assert_int_equal(w, 7);
	assert_int_equal(num_u32(SPAN("007"), 1, 9, &w), 0);
	assert_int_equal(num_prefix(SPAN("12ab"), &len), 12);
	assert_int_equal(len, 2);
	assert_true(num_prefix(SPAN("99999999999999999999999"), &len) ==
	    UINT64_MAX);
	assert_int_equal(num_hex32(SPAN("6b00B2cc"), &w), 0);
	assert_int_equal(w, 0x6b00b2cc);
	assert_int_equal(num_hex32(SPAN("123456789"), &w), ERR_SYNTAX);
	assert_int_equal(num_add(UINT64_MAX, 1, &v), ERR_LIMIT);
	assert_int_equal(num_mul(UINT64_MAX, 2, &v), ERR_LIMIT);
}

static void
test_utf8(void **state)
{
	static const char *const bad[] = {
		"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\x80",
		"\xED\xA0\x80", "\xF0\x8F\x80\x80", "\xF4\x90\x80\x80",
		"\xF5\x80\x80\x80", "\xFF", "\xE2\x82", "\xF0\x9F\x98", "a\xC3"
	};
	struct buf b;
	uint32_t cp;
	bool ok;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(is_utf8(span_str(bad[i])));
	buf_init(&b, 16);
	for (uint32_t c = 1; c <= 0x10FFFF; c += c < 0x3000 ? 1 : 97) {
		if (c >= 0xD800 && c <= 0xDFFF)
			continue;
		buf_clear(&b);
		utf8_put(&b, c);
		assert_int_equal(utf8_step(buf_span(&b), &cp, &ok), b.n);
		assert_true(ok && cp == c);
		for (size_t n = 1; n < b.n; n++) {	/* every prefix */
			assert_int_equal(utf8_step(span_of(b.p, n), &cp, &ok),
			    n);
			assert_true(!ok && cp == UTF8_REPLACEMENT);
		}
	}
	buf_clear(&b);
	utf8_put_clean(&b, SPAN("a\xE2\x82" "b\xFF"));
	assert_span(buf_span(&b), "a\xEF\xBF\xBD" "b\xEF\xBF\xBD");
	buf_done(&b);
	assert_true(is_ascii(SPAN("0123456789abcdef")));
	assert_false(is_ascii(SPAN("0123456789abc\xE9")));
}

static void
test_base64(void **state)
{
	static const char *const bad[] = { "Z", "Zg", "Zg=", "Zh==", "Zm9=",
		"Zg==Zg==", "Z===", "====", "Zm 9", "Zm9v\n", "Zm_v" };
	uint8_t bytes[40];
	struct buf b, back;

	(void)state;
	buf_init(&b, 1000);
	buf_init(&back, 1000);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37 + 200);
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		buf_clear(&b);
		buf_clear(&back);
		base64_put(&b, span_of(bytes, n));
		assert_int_equal(base64_get(buf_span(&b), &back), 0);
		assert_true(is_span_eq(buf_span(&back), span_of(bytes, n)));
	}
	buf_clear(&back);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(base64_get(span_str(bad[i]), &back),
		    ERR_SYNTAX);
		assert_int_equal(back.n, 0);
	}
	buf_done(&b);
	buf_done(&back);
	buf_init(&back, 2);
	assert_int_equal(base64_get(SPAN("Zm9v"), &back), ERR_LIMIT);
	assert_int_equal(buf_err(&back), 0);
	buf_done(&back);
}

static void
test_mutf7(void **state)
{
	static const char *const pairs[][2] = {
		{ "INBOX", "INBOX" }, { "A&B", "A&-B" },
		{ "R\xC3\xA9sum\xC3\xA9", "R&AOk-sum&AOk-" },
		{ "~peter/mail/\xE5\x8F\xB0\xE5\x8C\x97/"
		  "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E",
		  "~peter/mail/&U,BTFw-/&ZeVnLIqe-" },
		{ "\xF0\x9F\x98\x80", "&2D3eAA-" }, { "", "" },
		{ "a\x01", "a&AAE-" }
	};
	static const char *const bad[] = { "\xC3\xA9", "&", "a&AOk", "&AOk",
		"&AGE-", "&AOk-&AOk-", "&AOl-&", "&2D0-", "&3gA-", "&AO-",
		"&A-", "&AOkA-", "a\x01", "&AO/-", "&,,-", "&Jjo!-" };
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		buf_clear(&b);
		assert_int_equal(mutf7_put(&b, span_str(pairs[i][0])), 0);
		assert_true(is_span_eq(buf_span(&b), span_str(pairs[i][1])));
		buf_clear(&b);
		assert_int_equal(mutf7_get(span_str(pairs[i][1]), &b), 0);
		assert_true(is_span_eq(buf_span(&b), span_str(pairs[i][0])));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		buf_clear(&b);
		if (mutf7_get(span_str(bad[i]), &b) != ERR_SYNTAX)
			fail_msg("accepted %s", bad[i]);
		assert_int_equal(b.n, 0);
	}
	assert_int_equal(mutf7_put(&b, SPAN("\xFF")), ERR_SYNTAX);
	buf_done(&b);
}

static void
test_enc_number(void **state)
{
	static const struct { uint64_t v; size_t n; } rows[] = {
		{ 0, 1 }, { 127, 1 }, { 128, 2 }, { 16383, 2 }, { 16384, 3 },
		{ UINT32_MAX, 5 }, { INT64_MAX, 9 }, { UINT64_MAX, 10 }
	};
	struct buf b;
	struct dec d;

	(void)state;
	buf_init(&b, 100);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		buf_clear(&b);
		enc_number(&b, rows[i].v);
		assert_int_equal(b.n, rows[i].n);
		for (size_t cut = 0; cut <= b.n; cut++) {
			d = dec_init(span_take(buf_span(&b), cut));
			assert_true(dec_number(&d) ==
			    (cut == b.n ? rows[i].v : 0));
			assert_int_equal(dec_end(&d),
			    cut == b.n ? 0 : ERR_PROTO);
		}
	}
	/* More than 64 bits, and without an end. */
	d = dec_init(SPAN("\x80\x80\x80\x80\x80\x80\x80\x80\x80\2"));
	assert_true(dec_number(&d) == 0 && d.failed);
	d = dec_init(SPAN("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x81\0"));
	assert_true(dec_number(&d) == 0 && d.failed);
	buf_done(&b);
}

static void
test_enc(void **state)
{
	struct buf b;
	struct dec d;

	(void)state;
	buf_init(&b, 100);
	enc_u8(&b, 1);
	enc_u16(&b, 0x0203);
	enc_u32(&b, 0x04050607);
	enc_u64(&b, 0x08090A0B0C0D0E0Fu);
	enc_bytes(&b, SPAN("xyz"));
	for (size_t cut = 0; cut <= b.n; cut++) {
		d = dec_init(span_of(b.p, cut));
		(void)dec_u8(&d);
		(void)dec_u16(&d);
		(void)dec_u32(&d);
		(void)dec_u64(&d);
		(void)dec_bytes(&d, 3);
		assert_int_equal(dec_end(&d), cut == b.n ? 0 : ERR_PROTO);
	}
	d = dec_init(buf_span(&b));
	assert_int_equal(dec_u8(&d), 1);
	assert_int_equal(dec_u16(&d), 0x0203);
	assert_int_equal(dec_end(&d), ERR_PROTO);	/* left over */
	assert_int_equal(dec_u32(&d), 0x04050607);
	assert_true(dec_u64(&d) == 0x08090A0B0C0D0E0Fu);
	assert_span(dec_bytes(&d, 2), "");		/* too long */
	assert_int_equal(dec_end(&d), ERR_PROTO);
	buf_done(&b);
}

static void
test_fdio(void **state)
{
	int sv[2];
	uint8_t bytes[4];
	size_t n;
	unsigned ready;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	assert_int_equal(fdio_read(sv[0], bytes, 4, deadline_in(10), &n),
	    ERR_TIMEOUT);
	assert_int_equal(fdio_write(sv[1], SPAN("abc"), deadline_in(1000)), 0);
	assert_int_equal(fdio_wait2(-1, sv[0], deadline_in(1000), &ready), 0);
	assert_int_equal(ready, 2);
	assert_int_equal(fdio_read(sv[0], bytes, 4, deadline_in(10), &n), 0);
	assert_int_equal(n, 3);
	close(sv[1]);
	assert_int_equal(fdio_read_full(sv[0], bytes, 4, deadline_in(10)),
	    ERR_EOF);
	assert_int_equal(fdio_write(sv[0], SPAN("x"), deadline_in(10)),
	    ERR_EOF);
	close(sv[0]);
}

/* A peer that does not read is given up at the deadline, in blocking mode too.
 */
static void
test_fdio_stall(void **state)
{
	uint8_t *big = mem_zalloc(8 * 1024 * 1024);
	struct deadline d = deadline_in(50);
	int sv[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	assert_int_equal(fdio_write(sv[0], span_of(big, 8 * 1024 * 1024), d),
	    ERR_TIMEOUT);
	assert_true(is_deadline_past(d));
	close(sv[0]);
	close(sv[1]);
	free(big);
}

static void
test_msgpipe(void **state)
{
	struct msgpipe_rule rules[] = {
		{ .type = 2, .left = 1, .max_body = 8, .nfds = 1 },
		{ .type = 4, .left = 0, .max_body = 8, .nfds = 0 }
	};
	struct buf body, in;
	struct msg m;
	int a, b, fd;

	(void)state;
	assert_int_equal(msgpipe_pair(&a, &b), 0);
	buf_init(&body, MSGPIPE_MAX + 1);
	buf_init(&in, MSGPIPE_MAX + 2);
	enc_u32(&body, 77);
	fd = open("/dev/null", O_RDONLY);
	assert_int_equal(msgpipe_send(a, 2, &body, &fd, 1, deadline_in(1000)),
	    0);
	assert_int_equal(msgpipe_send(a, 2, &body, NULL, 0, deadline_in(1000)),
	    0);
	assert_int_equal(msgpipe_send(a, 4, &body, NULL, 0, deadline_in(1000)),
	    0);
	assert_int_equal(msgpipe_recv(b, &in, deadline_in(1000), &m), 0);
	assert_int_equal(msgpipe_permit(rules, 2, &m), 0);
	assert_int_equal(dec_u32(&m.body), 77);
	assert_int_equal(dec_end(&m.body), 0);
	assert_true(m.fds[0] >= 0);
	msg_close_fds(&m);
	assert_int_equal(m.fds[0], -1);
	/* Once only; and without its descriptor. */
	assert_int_equal(msgpipe_recv(b, &in, deadline_in(1000), &m), 0);
	assert_int_equal(msgpipe_permit(rules, 2, &m), ERR_PROTO);
	assert_int_equal(msgpipe_recv(b, &in, deadline_in(1000), &m), 0);
	assert_int_equal(msgpipe_permit(rules, 2, &m), ERR_PROTO);
	msgpipe_allow(rules, 2, 4, 1);
	assert_int_equal(msgpipe_permit(rules, 2, &m), 0);
	/* The largest message, and one that is larger. */
	buf_clear(&body);
	assert_non_null(buf_room(&body, MSGPIPE_MAX));
	memset(body.p, 1, MSGPIPE_MAX);
	body.n = MSGPIPE_MAX;
	assert_int_equal(msgpipe_send(a, 4, &body, NULL, 0, deadline_in(1000)),
	    0);
	assert_int_equal(msgpipe_recv(b, &in, deadline_in(1000), &m), 0);
	assert_int_equal(m.body.rest.n, MSGPIPE_MAX);
	buf_putc(&body, 1);
	assert_int_equal(msgpipe_send(a, 4, &body, NULL, 0, deadline_in(1000)),
	    ERR_LIMIT);
	assert_int_equal(write(a, "x", 1), 1);	/* too short for a type */
	assert_int_equal(msgpipe_recv(b, &in, deadline_in(1000), &m),
	    ERR_PROTO);
	close(a);
	assert_int_equal(msgpipe_recv(b, &in, deadline_in(1000), &m), ERR_EOF);
	close(b);
	close(fd);
	buf_done(&body);
	buf_done(&in);
}

static void
test_log(void **state)
{
	char text[LOG_LINE_MAX + 2];
	uint8_t big[LOG_VALUE_MAX + 1];
	int p[2];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(p), 0);
	log_open(LOG_TO_STDERR, "test", LOG_INFO);
	log_set_fd(p[1]);
	log_session(SPAN("s1"));
	log_begin(LOG_NOTICE, "login");
	log_span("user", SPAN("a b\n=\"\xFF\x01"));
	log_str("rip", "::1");
	log_uint("n", 5);
	log_span("none", SPAN(""));
	log_err(ERR_NOENT);
	log_end();
	log_line(LOG_DEBUG, "unseen", 0);
	n = read(p[0], text, sizeof(text) - 1);
	text[n] = '\0';
	assert_string_equal(text, "login session=s1 user=\"a b\\x0a=\\x22"
	    "\\xff\\x01\" rip=::1 n=5 none=\"\" error=\"not found\"\n");
	memset(big, 1, sizeof(big));
	log_begin(LOG_NOTICE, "big");
	for (int i = 0; i < 10; i++)
		log_span("v", span_of(big, sizeof(big)));
	log_end();
	n = read(p[0], text, sizeof(text));
	assert_true(n > LOG_VALUE_MAX && n <= LOG_LINE_MAX + 1);
	assert_int_equal(text[n - 1], '\n');
	/* What a peer may fill does not push out what counts. */
	log_begin(LOG_NOTICE, "end");
	log_span("client", span_of(big, 256));
	log_span("tls", span_of(big, 512));
	log_uint("seconds", 5);
	log_end();
	n = read(p[0], text, sizeof(text) - 1);
	text[n] = '\0';
	assert_non_null(strstr(text, " seconds=5\n"));
	log_session(SPAN(""));
	log_set_fd(STDERR_FILENO);
	close(p[0]);
	close(p[1]);
}

/* ---- hash.h ----------------------------------------------------------- */

static void
test_hash(void **state)
{
	/* The vectors of the reference implementation. */
	static const struct hash_key key = { UINT64_C(0x0706050403020100),
	    UINT64_C(0x0f0e0d0c0b0a0908) };
	static const uint8_t text[15] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
	    12, 13, 14 };
	struct hash_value v = hash_value(&key, SPAN_NONE);
	struct hash_table t;
	uint8_t name[4];
	uint32_t num;

	(void)state;
	assert_true(v.lo == UINT64_C(0xe6a825ba047f81a3));
	assert_true(v.hi == UINT64_C(0x930255c71472f66d));
	v = hash_value(&key, span_of(text, 1));
	assert_true(v.lo == UINT64_C(0x44af996bd8c187da));
	v = hash_value(&key, span_of(text, 15));
	assert_true(v.lo == UINT64_C(0x11a8b03399e99354));

	assert_int_equal(hash_table_init(&t, 5000), 0);
	for (uint32_t turn = 0; turn < 2; turn++) {
		for (uint32_t i = 0; i < 5000; i++) {
			memcpy(name, &i, sizeof(name));
			assert_int_equal(hash_table_put(&t, span_of(name, 4),
			    &num), 0);
			assert_int_equal(num, i);
		}
	}
	assert_int_equal(t.n, 5000);
	assert_int_equal(hash_table_put(&t, SPAN("new"), &num), ERR_LIMIT);
	assert_int_equal(num, 4999);
	hash_table_done(&t);
}

/* Out of memory: one line, and the end. */
static void
test_no_memory(void **state)
{
	char text[LOG_LINE_MAX + 2];
	int p[2], status;
	ssize_t n;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(p), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		log_open(LOG_TO_STDERR, "test", LOG_INFO);
		log_set_fd(p[1]);
		mem_on_exhausted(log_no_memory);
		(void)mem_resize(NULL, SIZE_MAX, 2);
		_exit(0);
	}
	close(p[1]);
	n = read(p[0], text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	assert_string_equal(text, "no-memory\n");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), MEM_EXIT);
	close(p[0]);
}

/* Last: a stopped process stays stopped. */
static void
test_stop(void **state)
{
	uint8_t byte;
	size_t n;
	int sv[2];

	(void)state;
	assert_int_equal(fdio_stop_on(SIGTERM), 0);
	assert_int_equal(fdio_stopped(), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	assert_int_equal(raise(SIGTERM), 0);
	assert_int_equal(fdio_read(sv[0], &byte, 1, DEADLINE_NEVER, &n),
	    ERR_INTR);
	assert_int_equal(fdio_stopped(), SIGTERM);
	close(sv[0]);
	close(sv[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_err),
		cmocka_unit_test(test_span),
		cmocka_unit_test(test_buf_ceiling),
		cmocka_unit_test(test_buf),
		cmocka_unit_test(test_arena),
		cmocka_unit_test(test_vec),
		cmocka_unit_test(test_num),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_mutf7),
		cmocka_unit_test(test_enc),
		cmocka_unit_test(test_enc_number),
		cmocka_unit_test(test_fdio),
		cmocka_unit_test(test_fdio_stall),
		cmocka_unit_test(test_msgpipe),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
