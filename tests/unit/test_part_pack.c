/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * A tree packed and unpacked is the same as far as parts are found by it; and
 * other bytes give no tree that points out of the message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "message/part.h"
#include "message/part_pack.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define MULTI		"Content-Type: multipart/mixed; boundary=x\n\n"

static const char *const messages[] = {
	"",
	"A: b\r\n\r\nbody\r\n",
	MULTI "--x\n\none\n--x\nContent-Transfer-Encoding: BASE64\n\nb25l\n"
	    "--x--\n",
	MULTI "no parts",
	MULTI "--x\nContent-Type: message/rfc822\n\n" "Content-Type: "
	    "multipart/digest; boundary=y\n\n--y\n\nSubject: s\n\nt\n--y\n\n"
	    "Content-Transfer-Encoding: quoted-printable\n\n=41\n--y--\n"
	    "--x\nContent-Transfer-Encoding: x-a-name-that-is-longer-than-any-"
	    "that-is-known-to-anybody\n\nwhat\n--x\n"
};

static const struct part *
parse(struct span s, struct arena *a)
{
	struct part_parser *pp = part_parser_new(a);

	if (s.n > 0)
		assert_true(part_parser_feed(pp, s));
	return part_parser_finish(pp);
}

static void
assert_extent_equal(const struct extent *a, const struct extent *b)
{
	assert_true(a->off == b->off && a->size == b->size &&
	    a->bare_lf == b->bare_lf && a->lines == b->lines);
}

static void
assert_same(const struct part *a, const struct part *b)
{
	const struct part *p = a->child, *q = b->child;

	assert_int_equal(a->kind, b->kind);
	assert_extent_equal(&a->header, &b->header);
	assert_extent_equal(&a->body, &b->body);
	assert_int_equal(a->content.encoding.n == 0,
	    b->content.encoding.n == 0);
	assert_true(has_prefix(a->content.encoding, b->content.encoding));
	for (; p != NULL && q != NULL; p = p->next, q = q->next) {
		assert_ptr_equal(q->parent, b);
		assert_same(p, q);
	}
	assert_true(p == NULL && q == NULL);
}

static void
test_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(messages); i++) {
		struct span s = span_str(messages[i]);
		struct arena *a = arena_new(4096);
		const struct part *top = parse(s, a), *got;
		struct buf b;

		buf_init(&b, 65536);
		part_pack(top, &b);
		assert_int_equal(buf_err(&b), 0);
		got = part_unpack(buf_span(&b), s.n, a);
		assert_non_null(got);
		assert_same(top, got);
		/* Of a message that is shorter by now it is no tree. */
		if (s.n > 0)
			assert_null(part_unpack(buf_span(&b), s.n - 1, a));
		buf_done(&b);
		arena_free(a);
	}
}

static void
check_within(const struct part *part, uint64_t size, unsigned depth)
{
	assert_true(depth <= PART_DEPTH_MAX);
	assert_true(part->header.off <= size &&
	    part->header.size <= size - part->header.off);
	assert_true(part->body.off <= size &&
	    part->body.size <= size - part->body.off);
	for (const struct part *p = part->child; p != NULL; p = p->next)
		check_within(p, size, depth + 1);
}

/* Cut anywhere, with more behind it, and with each bit the other way. */
static void
test_damaged(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(messages); i++) {
		struct span s = span_str(messages[i]);
		struct arena *a = arena_new(4096);
		const struct part *got;
		struct buf b;

		buf_init(&b, 65536);
		part_pack(parse(s, a), &b);
		for (size_t n = 0; n < b.n; n++)
			assert_null(part_unpack(span_take(buf_span(&b), n),
			    s.n, a));
		for (size_t bit = 0; bit < 8 * b.n; bit++) {
			b.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
			got = part_unpack(buf_span(&b), s.n, a);
			if (got != NULL)
				check_within(got, s.n, 0);
			b.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		buf_putc(&b, 0);
		assert_null(part_unpack(buf_span(&b), s.n, a));
		buf_done(&b);
		arena_free(a);
	}
}

/* What a parser makes at its limits comes back; one part in another without
 * end, or as many as there is room for, does not. */
static void
test_limits(void **state)
{
	struct arena *a = arena_new(4096);
	struct buf msg, b;
	const struct part *top, *got;

	(void)state;
	buf_init(&msg, 1024 * 1024);
	for (int i = 0; i < PART_DEPTH_MAX + 5; i++)
		buf_puts(&msg, "Content-Type: message/rfc822\n\n");
	buf_init(&b, 1024 * 1024);
	top = parse(buf_span(&msg), a);
	part_pack(top, &b);
	got = part_unpack(buf_span(&b), msg.n, a);
	assert_non_null(got);
	assert_same(top, got);

	buf_clear(&msg);
	buf_clear(&b);
	buf_puts(&msg, MULTI);
	for (int i = 0; i < PART_COUNT_MAX + 5; i++)
		buf_puts(&msg, "--x\n\n\n");
	top = parse(buf_span(&msg), a);
	part_pack(top, &b);
	got = part_unpack(buf_span(&b), msg.n, a);
	assert_non_null(got);
	assert_same(top, got);

	buf_clear(&b);
	for (int i = 0; i < 200000; i++)	/* one child each */
		buf_put(&b, "\2\0\0\0\0\0\0\0\0\0\1", 11);
	assert_null(part_unpack(buf_span(&b), 10, a));
	buf_clear(&b);
	buf_put(&b, "\1\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
	    19);
	for (int i = 0; i < PART_COUNT_MAX + 5; i++)
		buf_put(&b, "\0\0\0\0\0\0\0\0\0\0\0", 11);
	assert_null(part_unpack(buf_span(&b), 10, a));

	/* Each of the first in a row has as many as there may be in all. */
	buf_clear(&b);
	buf_put(&b, "\1\0\0\0\0\0\0\0\0\0\5", 11);
	for (int k = 0; k < 5; k++) {
		buf_put(&b, "\1\0\0\0\0\0\0\0\0\0\xf0\x4d", 12);
		for (int i = 0; i < 9968; i++)
			buf_put(&b, "\0\0\0\0\0\0\0\0\0\0\0", 11);
	}
	assert_null(part_unpack(buf_span(&b), 10, a));
	buf_done(&b);
	buf_done(&msg);
	arena_free(a);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_limits)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
