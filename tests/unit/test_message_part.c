/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * The MIME tree: structure, extents, limits; the same however the bytes were
 * cut, and some tree for every prefix.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "message/boundary.h"
#include "message/part.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define CEILING		(64 * 1024 * 1024)

static const struct part *
parse(struct span s, size_t step, struct arena *a)
{
	struct part_parser *pp = part_parser_new(a);

	for (size_t i = 0; i < s.n; i += step)
		assert_true(part_parser_feed(pp, span_take(span_skip(s, i),
		    step)));
	return part_parser_finish(pp);
}

static void
put_extent(struct buf *b, const struct extent *e, struct span msg)
{
	assert_true(e->off + e->size <= msg.n);
	buf_put_span(b, span_take(span_skip(msg, (size_t)e->off),
	    (size_t)e->size));
	buf_putc(b, '|');
	buf_put_u64(b, e->lines);
	buf_putc(b, ',');
	buf_put_u64(b, e->bare_lf);
}

/* type/subtype{header|lines,bare}{body|...}(children) ; the bytes themselves
 * stand for offset and size. */
static void
put_part(struct buf *b, const struct part *part, struct span msg)
{
	buf_put_span(b, part->content.type);
	buf_putc(b, '/');
	buf_put_span(b, part->content.subtype);
	if (part->envelope != NULL)
		buf_putc(b, '!');
	buf_putc(b, '{');
	put_extent(b, &part->header, msg);
	buf_puts(b, "}{");
	put_extent(b, &part->body, msg);
	buf_putc(b, '}');
	if (part->child == NULL)
		return;
	buf_putc(b, '(');
	for (const struct part *p = part->child; p != NULL; p = p->next) {
		assert_ptr_equal(p->parent, part);
		assert_true(p->header.off >= part->body.off);
		assert_true(p->body.off + p->body.size <=
		    part->body.off + part->body.size);
		put_part(b, p, msg);
	}
	buf_putc(b, ')');
}

#define MP	"Content-Type: multipart/mixed; boundary=x\n\n"

static const struct { const char *in, *out; } rows[] = {
	{ "", "text/plain!{|0,0}{|0,0}" },
	{ "\n", "text/plain!{\n|1,1}{|0,0}" },
	{ "A: b", "text/plain!{A: b|0,0}{|0,0}" },
	{ "A: b\r\n\r\nx\r\ny\nz",
	    "text/plain!{A: b\r\n\r\n|2,0}{x\r\ny\nz|2,1}" },
	/* A multipart: preamble, parts, epilogue. */
	{ MP "pre\n--x\n\none\n--x\r\nC: d\r\n\r\ntwo\r\n--x--\nepi\n--x\n",
	    "multipart/mixed!{" MP "|2,2}{pre\n--x\n\none\n--x\r\nC: d\r\n\r\n"
	    "two\r\n--x--\nepi\n--x\n|11,7}"
	    "(text/plain{\n|1,1}{one|0,0}"
	    "text/plain{C: d\r\n\r\n|2,0}{two|0,0})" },
	/* No end boundary; the last line end stays. */
	{ MP "--x\n\none\ntwo\n",
	    "multipart/mixed!{" MP "|2,2}{--x\n\none\ntwo\n|4,4}"
	    "(text/plain{\n|1,1}{one\ntwo\n|2,2})" },
	/* An empty body; a header cut short by a boundary; no parts. */
	{ MP "--x\nA: b\n\n--x\nC: d\n--x--",
	    "multipart/mixed!{" MP "|2,2}{--x\nA: b\n\n--x\nC: d\n--x--|5,5}"
	    "(text/plain{A: b\n\n|2,2}{|0,0}text/plain{C: d\n|1,1}{|0,0})" },
	{ MP "nothing", "multipart/mixed!{" MP "|2,2}{nothing|0,0}" },
	{ MP "--x--", "multipart/mixed!{" MP "|2,2}{--x--|0,0}" },
	/* A boundary without anything behind it opens a part. */
	{ MP "--x", "multipart/mixed!{" MP "|2,2}{--x|0,0}"
	    "(text/plain{|0,0}{|0,0})" },
	/* Boundaries are prefixes of lines; blanks may follow. */
	{ MP "--x \t\n\n1\n--xyz\n\n2\n --x\n-x\n--x--  \n",
	    "multipart/mixed!{" MP "|2,2}{--x \t\n\n1\n--xyz\n\n2\n --x\n-x\n"
	    "--x--  \n|9,9}(text/plain{\n|1,1}{1|0,0}"
	    "text/plain{\n|1,1}{2\n --x\n-x|2,2})" },
	/* Blanks at the end of the parameter, and of the lines or not. */
	{ "Content-Type: multipart/mixed; boundary=\"x \"\n\n"
	    "--x\n\n1\n--x \n\n2\n--x --\n--x\n",
	    "multipart/mixed!{Content-Type: multipart/mixed; boundary=\"x \"\n"
	    "\n|2,2}{--x\n\n1\n--x \n\n2\n--x --\n--x\n|8,8}"
	    "(text/plain{\n|1,1}{1|0,0}text/plain{\n|1,1}{2|0,0})" },
	{ "Content-Type: multipart/mixed; boundary=\" \t\"\n\n-- \t\n\n1\n",
	    "multipart/mixed!{Content-Type: multipart/mixed; boundary=\" \t\"\n"
	    "\n|2,2}{-- \t\n\n1\n|3,3}" },
	/* The outer boundary ends everything inside. */
	{ MP "--x\nContent-Type: multipart/digest; boundary=\"xy\"\n\n--xy\n"
	    "\nSubject: i\n\nin\n--x\n\nout\n--x--\n",
	    "multipart/mixed!{" MP "|2,2}{--x\nContent-Type: multipart/digest;"
	    " boundary=\"xy\"\n\n--xy\n\nSubject: i\n\nin\n--x\n\nout\n--x--\n"
	    "|12,12}(multipart/digest{Content-Type: multipart/digest; "
	    "boundary=\"xy\"\n\n|2,2}{--xy\n\nSubject: i\n\nin|4,4}"
	    "(message/rfc822{\n|1,1}{Subject: i\n\nin|2,2}"
	    "(text/plain!{Subject: i\n\n|2,2}{in|0,0}))"
	    "text/plain{\n|1,1}{out|0,0})" },
	/* A message in a message. */
	{ "Content-Type: message/rfc822\n\nContent-Type: message/global\n\n"
	    "S: x\n\nb\n",
	    "message/rfc822!{Content-Type: message/rfc822\n\n|2,2}"
	    "{Content-Type: message/global\n\nS: x\n\nb\n|5,5}"
	    "(message/global!{Content-Type: message/global\n\n|2,2}"
	    "{S: x\n\nb\n|3,3}(text/plain!{S: x\n\n|2,2}{b\n|1,1}))" },
	{ "Content-Type: message/global\nContent-Transfer-Encoding: base64\n\n"
	    "Uw==\n",
	    "message/global!{Content-Type: message/global\n"
	    "Content-Transfer-Encoding: base64\n\n|3,3}{Uw==\n|1,1}" },
	/* Without a boundary it is no multipart. */
	{ "Content-Type: multipart/mixed\n\n--\n",
	    "multipart/mixed!{Content-Type: multipart/mixed\n\n|2,2}"
	    "{--\n|1,1}" },
	{ "Content-Type: multipart/mixed; boundary=\"\"\n\n--\n",
	    "multipart/mixed!{Content-Type: multipart/mixed; boundary=\"\""
	    "\n\n|2,2}{--\n|1,1}" },
	/* The same boundary within itself: the inner one holds. */
	{ MP "--x\n" MP "--x\n\n1\n--x--\n--x\n\n2\n",
	    "multipart/mixed!{" MP "|2,2}{--x\n" MP "--x\n\n1\n--x--\n--x\n\n"
	    "2\n|10,10}(multipart/mixed{" MP "|2,2}{--x\n\n1\n--x--|3,3}"
	    "(text/plain{\n|1,1}{1|0,0})text/plain{\n|1,1}{2\n|1,1})" }
};

static void
test_trees(void **state)
{
	struct arena *a = arena_new(1000);
	struct buf b;

	(void)state;
	buf_init(&b, CEILING);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span in = span_str(rows[i].in);

		for (size_t step = 1; step <= in.n + 1; step++) {
			arena_clear(a);
			buf_clear(&b);
			put_part(&b, parse(in, step, a), in);
			if (!is_span_eq(buf_span(&b), span_str(rows[i].out)))
				fail_msg("step %zu\ngot  %.*s\nwant %s", step,
				    (int)b.n, b.p, rows[i].out);
		}
		for (size_t n = 0; n < in.n; n++) {
			buf_clear(&b);
			put_part(&b, parse(span_take(in, n), n + 1, a),
			    span_take(in, n));
		}
	}
	buf_done(&b);
	arena_free(a);
}

static void
test_headers_only(void **state)
{
	struct arena *a = arena_new(1000);
	struct part_parser *pp = part_parser_new(a);
	const struct part *top;

	(void)state;
	part_parser_headers_only(pp);
	assert_true(part_parser_feed(pp, SPAN("Subject: x\r")));
	assert_true(part_parser_feed(pp, SPAN("\nContent-Type: ")));
	assert_false(part_parser_feed(pp, SPAN("message/rfc822\n\nTo: y\n")));
	assert_false(part_parser_feed(pp, SPAN("more")));
	top = part_parser_finish(pp);
	assert_true(is_span_eq(top->envelope->subject, SPAN("x")));
	assert_int_equal(top->kind, PART_LEAF);
	assert_int_equal(top->header.size, 42);
	assert_int_equal(top->body.size, 0);
	arena_free(a);
}

static void
test_find(void **state)
{
	static const struct {
		uint32_t nums[4];
		size_t n;
		const char *body;	/* NULL: there is none */
	} finds[] = {
		{ { 1 }, 1, "one" }, { { 2, 1 }, 2, "two" },
		{ { 1, 1 }, 2, NULL }, { { 2, 2 }, 2, NULL },
		{ { 3, 1 }, 2, "a" }, { { 3, 2 }, 2, "b" },
		{ { 0 }, 1, NULL }, { { 4 }, 1, NULL },
		{ { 2, 1, 1 }, 3, NULL }, { { UINT32_MAX }, 1, NULL }
	};
	struct span in = SPAN(MP "--x\n\none\n--x\n"
	    "Content-Type: message/rfc822\n\n\ntwo\n--x\n"
	    "Content-Type: message/rfc822\n\n"
	    "Content-Type: multipart/mixed; boundary=y\n\n"
	    "--y\n\na\n--y\n\nb\n--y--\n--x--\n");
	struct arena *a = arena_new(1000);
	const struct part *top = parse(in, in.n, a), *part;
	const uint32_t one[] = { 1, 1 };

	(void)state;
	assert_ptr_equal(part_find(top, NULL, 0), top);
	for (size_t i = 0; i < COUNT(finds); i++) {
		part = part_find(top, finds[i].nums, finds[i].n);
		assert_int_equal(part != NULL, finds[i].body != NULL);
		if (part != NULL)
			assert_true(is_span_eq(span_take(span_skip(in,
			    (size_t)part->body.off), (size_t)part->body.size),
			    span_str(finds[i].body)));
	}
	in = SPAN("\nbody");
	top = parse(in, in.n, a);
	assert_ptr_equal(part_find(top, one, 1), top);
	assert_null(part_find(top, one, 2));
	arena_free(a);
}

/* Depth and number of the parts of a tree. */
static size_t
count(const struct part *part, size_t depth, size_t *deepest)
{
	size_t n = 1;

	if (depth > *deepest)
		*deepest = depth;
	for (part = part->child; part != NULL; part = part->next)
		n += count(part, depth + 1, deepest);
	return n;
}

static void
test_limits(void **state)
{
	struct arena *a = arena_new(1000);
	struct buf b;
	size_t deepest;

	(void)state;
	buf_init(&b, CEILING);
	for (int i = 0; i < 3000; i++)
		buf_puts(&b, "Content-Type: message/rfc822\n\n");
	deepest = 0;
	assert_int_equal(count(parse(buf_span(&b), 4096, a), 1, &deepest),
	    PART_DEPTH_MAX);
	buf_clear(&b);
	for (int i = 0; i < 3000; i++)
		buf_puts(&b, MP "--x\n");
	/* Those that may not nest stand side by side in the last that may. */
	deepest = 0;
	assert_int_equal(count(parse(buf_span(&b), 4096, a), 1, &deepest),
	    3001);
	assert_int_equal(deepest, PART_DEPTH_MAX);
	buf_clear(&b);
	buf_puts(&b, MP);
	for (int i = 0; i < 30000; i++)
		buf_puts(&b, "--x\n\ny\n");
	deepest = 0;
	assert_int_equal(count(parse(buf_span(&b), 4096, a), 1, &deepest),
	    PART_COUNT_MAX);
	buf_done(&b);
	arena_free(a);
}

/* The longest boundary is found and closed; with a longer one there is none. */
static void
test_boundary_limit(void **state)
{
	struct arena *a = arena_new(1000);
	struct buf b;

	(void)state;
	buf_init(&b, CEILING);
	for (size_t n = PART_BOUNDARY_MAX; n < PART_BOUNDARY_MAX + 2; n++) {
		const struct part *top;
		struct buf name;

		buf_init(&name, CEILING);
		for (size_t i = 0; i < n; i++)
			buf_putc(&name, 'b');
		buf_clear(&b);
		buf_puts(&b, "Content-Type: multipart/mixed; boundary=");
		buf_put_span(&b, buf_span(&name));
		buf_puts(&b, "\n\n--");
		buf_put_span(&b, buf_span(&name));
		buf_puts(&b, "\n\npart\n--");
		buf_put_span(&b, buf_span(&name));
		buf_puts(&b, "--\n");
		for (size_t step = 1; step < 10 * b.n; step = step * 7 + 1) {
			top = parse(buf_span(&b), step, a);
			if (n > PART_BOUNDARY_MAX) {
				assert_int_equal(top->kind, PART_LEAF);
				continue;
			}
			assert_int_equal(top->kind, PART_MULTIPART);
			assert_int_equal(top->child->body.size, 4);
			assert_null(top->child->next);
		}
		buf_done(&name);
	}
	buf_done(&b);
	arena_free(a);
}

/* Parts beyond the limit of memory are there, but nobody looked at their
 * headers. */
static void
test_memory_limit(void **state)
{
	struct arena *a = arena_new(1000);
	const struct part *p;
	struct buf b;
	size_t n = 0, known = 0;

	(void)state;
	buf_init(&b, CEILING);
	buf_puts(&b, MP);
	for (int i = 0; i < 5000; i++) {
		buf_puts(&b, "--x\nContent-Type: image/png; a=");
		for (int k = 0; k < 5000; k++)
			buf_putc(&b, 'a');
		buf_puts(&b, "\n\ny\n");
	}
	p = parse(buf_span(&b), 65536, a)->child;
	assert_in_range(arena_used(a), PART_MEMORY_MAX, PART_MEMORY_MAX * 6 /
	    5);
	for (; p != NULL; p = p->next) {
		bool is_known = is_content_type(&p->content, SPAN("image"),
		    SPAN("png"));

		assert_true(!is_known || n == known);	/* they come first */
		known += is_known;
		n++;
		assert_true(is_known || is_content_type(&p->content,
		    SPAN("text"), SPAN("plain")));
		assert_int_equal(p->header.lines, 2);
		assert_int_equal(p->body.size, p->next == NULL ? 2 : 1);
	}
	assert_int_equal(n, 5000);
	assert_in_range(known, PART_MEMORY_MAX / 5000 / 5 * 4, 4000);
	buf_done(&b);
	arena_free(a);
}

/* Header bytes beyond the limit count, but are not looked at. */
static void
test_header_limit(void **state)
{
	struct arena *a = arena_new(1000);
	const struct part *top;
	struct buf b;

	(void)state;
	buf_init(&b, CEILING);
	buf_puts(&b, "Subject: early\n");
	while (b.n <= PART_HEADER_MAX)
		buf_puts(&b, "X-Filler: filler\n");
	buf_puts(&b, "To: late@x\n\nbody");
	for (size_t step = 1; step < 10 * b.n; step = step * 7 + 1) {
		top = parse(buf_span(&b), step, a);
		assert_int_equal(top->header.size, b.n - 4);
		assert_int_equal(top->body.size, 4);
		assert_true(is_span_eq(top->envelope->subject, SPAN("early")));
		assert_null(top->envelope->to);
	}
	buf_done(&b);
	arena_free(a);
}

/*
 * What would take hours if any of it cost more than its length: the test has no
 * clock, but make check does not end if this is not linear.
 */
static void
test_hostile(void **state)
{
	static const struct {
		const char *head, *unit;
		size_t n;
	} bad[] = {
		{ "\n", ">", 20000000 },
		{ "", ">", 20000000 },
		{ MP "--x\n\n", "--\n", 3000000 },
		{ MP, "--x\n", 1000000 },
		{ "", "a\n", 1000000 },
		{ "", "To: a\n", 1000000 },
		{ "To: ", "a@b,\n ", 100000 },
		{ "To: ", "(", 1000000 },
		{ "To: ", "\"", 1000000 },
		{ "To: ", "<@", 500000 },
		{ "To: ", "a:", 500000 },
		{ "Content-Type: a/b", "; a*0=b", 100000 },
		{ "Content-Language: a", ",a", 500000 }
	};
	struct arena *a = arena_new(1000);
	struct buf b;

	(void)state;
	buf_init(&b, CEILING);
	for (size_t i = 0; i < COUNT(bad); i++) {
		buf_clear(&b);
		buf_puts(&b, bad[i].head);
		for (size_t k = 0; k < bad[i].n; k++)
			buf_puts(&b, bad[i].unit);
		assert_non_null(parse(buf_span(&b), 65536, a));
		arena_clear(a);
	}
	/* Many nested boundaries that are alike, many lines that are nearly
	 * one of them. */
	buf_clear(&b);
	for (int i = 0; i < PART_DEPTH_MAX; i++) {
		buf_puts(&b, "Content-Type: multipart/mixed; boundary=b");
		for (int k = 0; k < i; k++)
			buf_putc(&b, 'b');
		buf_puts(&b, "\n\n--b");
		for (int k = 0; k < i; k++)
			buf_putc(&b, 'b');
		buf_putc(&b, '\n');
	}
	for (int i = 0; i < 1000000; i++)
		buf_puts(&b, "\n--cbbbbbb\n-- b");
	assert_non_null(parse(buf_span(&b), 65536, a));
	buf_done(&b);
	arena_free(a);
}

static void
test_boundary(void **state)
{
	struct boundary b;
	size_t len = 0;

	(void)state;
	boundary_init(&b);
	assert_int_equal(boundary_find(&b, SPAN("a"), &len), -1);
	boundary_push(&b, SPAN("abc"));
	boundary_push(&b, SPAN("ab"));
	boundary_push(&b, SPAN("abd"));
	boundary_push(&b, SPAN("ab"));
	assert_int_equal(boundary_find(&b, SPAN("abcd"), &len), 0);
	assert_int_equal(len, 3);
	assert_int_equal(boundary_find(&b, SPAN("abx"), &len), 3);
	assert_int_equal(len, 2);
	boundary_pop(&b, 3);
	assert_int_equal(boundary_find(&b, SPAN("ab"), &len), 1);
	assert_int_equal(boundary_find(&b, SPAN("abd"), &len), 2);
	boundary_pop(&b, 1);
	assert_int_equal(boundary_find(&b, SPAN("abd"), &len), -1);
	assert_int_equal(boundary_find(&b, SPAN("abc"), &len), 0);
	boundary_pop(&b, 0);
	assert_int_equal(b.node.n, 1);
	assert_int_equal(boundary_find(&b, SPAN("abc"), &len), -1);
	boundary_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trees),
		cmocka_unit_test(test_headers_only),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_boundary_limit),
		cmocka_unit_test(test_memory_limit),
		cmocka_unit_test(test_header_limit),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_boundary)
	};

	return cmocka_run_group_tests_name("part", tests, NULL, NULL);
}
