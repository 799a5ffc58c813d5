/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Header fields: splitting, selecting, addresses, content types, dates,
 * identifiers, subjects.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "message/address.h"
#include "message/date.h"
#include "message/envelope.h"
#include "message/header.h"
#include "message/msgid.h"
#include "message/rfc2045.h"
#include "message/rfc2047.h"
#include "message/subject.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define CEILING		(1024 * 1024)

static void
expect(const struct buf *b, const char *want)
{
	assert_int_equal(b->overflowed, false);
	if (!is_span_eq(buf_span(b), span_str(want)))
		fail_msg("got  %.*s\nwant %s", (int)b->n, b->p, want);
}

static void
expect_span(struct span got, const char *want)
{
	if (!is_span_eq(got, span_str(want)))
		fail_msg("got  %.*s\nwant %s", (int)got.n, got.p, want);
}

/* ---- header.h -------------------------------------------------------- */

static void
test_header_next(void **state)
{
	struct span s = SPAN("From x 12:00\nA: 1\r\nB : 2\n\t3 \nnone\nC:\n\n"
	    "D: body");
	struct header_field f;

	(void)state;
	assert_true(header_next(&s, &f));
	expect_span(f.name, "From x 12");
	assert_true(header_next(&s, &f));
	expect_span(f.name, "A");
	expect_span(f.body, " 1");
	expect_span(f.raw, "A: 1\r\n");
	assert_true(header_next(&s, &f));
	expect_span(f.name, "B");
	expect_span(f.body, " 2\n\t3 ");
	assert_true(header_next(&s, &f));
	expect_span(f.name, "");
	expect_span(f.body, "none");
	assert_true(header_next(&s, &f));
	expect_span(f.name, "C");
	expect_span(f.body, "");
	assert_false(header_next(&s, &f));
	expect_span(s, "D: body");
}

static void
test_header_edges(void **state)
{
	struct header_field f;
	struct span s;

	(void)state;
	s = SPAN("");
	assert_false(header_next(&s, &f));
	s = SPAN("\n");
	assert_false(header_next(&s, &f));
	assert_int_equal(s.n, 0);
	s = SPAN(" begins: blank\n x");
	assert_true(header_next(&s, &f));
	expect_span(f.raw, " begins: blank\n x");
	assert_false(header_next(&s, &f));
	s = SPAN("\r");
	assert_true(header_next(&s, &f));
	expect_span(f.raw, "\r");
}

static void
test_unfold(void **state)
{
	static const struct { const char *in, *out; } rows[] = {
		{ "", "" }, { " \t\r\n ", "" }, { " a", "a" },
		{ " a\n b", "a b" }, { " a\r\n\tb\r\n c ", "a\tb c" },
		{ "a\r b", "a\r b" }
	};
	struct arena *a = arena_new(100);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_span(header_unfold(span_str(rows[i].in), a),
		    rows[i].out);
	arena_free(a);
}

static const char select_block[] =
    "Received: a\n\tb\nSubject: x\nno field\nfrom:y\r\n z\nTO : t\n"
    " u\nSubject: again\n\nFrom: body\n";

/* Both selections, the block cut into pieces of every size. */
static void
test_select(void **state)
{
	static const struct span names[] = { SPAN("FROM"), SPAN("subject"),
	    SPAN("To"), SPAN("to"), SPAN("") };
	static const char want[] = "Subject: x\r\nfrom:y\r\n z\r\n"
	    "TO : t\r\n u\r\nSubject: again\r\n\r\n";
	static const char want_not[] = "Received: a\r\n\tb\r\nno field\r\n"
	    "\r\n";
	struct header_set *set = header_set_new(names, COUNT(names));
	struct span block = SPAN("");
	struct buf out;

	(void)state;
	block = span_str(select_block);
	buf_init(&out, CEILING);
	for (size_t step = 1; step <= block.n; step++) {
		for (int is_not = 0; is_not < 2; is_not++) {
			struct header_select hs;
			bool more = true;

			buf_clear(&out);
			header_select_init(&hs, set, is_not == 1);
			for (size_t i = 0; i < block.n && more; i += step)
				more = header_select_feed(&hs, span_take(
				    span_skip(block, i), step), &out);
			assert_false(more);
			header_select_finish(&hs, &out);
			expect(&out, is_not ? want_not : want);
		}
	}
	buf_done(&out);
	header_set_free(set);
}

/* All at once. */
static void
select_all(struct span block, const struct header_set *set, bool is_not,
    struct buf *out)
{
	struct header_select hs;

	header_select_init(&hs, set, is_not);
	(void)header_select_feed(&hs, block, out);	/* all there is */
	header_select_finish(&hs, out);
}

static void
test_select_edges(void **state)
{
	static const struct span names[] = { SPAN("A") };
	struct header_set *set = header_set_new(names, 1);
	struct header_set *none = header_set_new(NULL, 0);
	struct buf out, big;

	(void)state;
	buf_init(&out, CEILING);
	select_all(SPAN(""), set, false, &out);
	expect(&out, "\r\n");
	buf_clear(&out);
	select_all(SPAN("A: 1"), set, false, &out);
	expect(&out, "A: 1\r\n\r\n");
	buf_clear(&out);
	select_all(SPAN("A"), set, true, &out);
	expect(&out, "A\r\n\r\n");
	buf_clear(&out);
	select_all(SPAN("A: 1\nB: 2\n"), none, true, &out);
	expect(&out, "A: 1\r\nB: 2\r\n\r\n");
	assert_false(has_header_name(none, SPAN("A")));
	/* A name beyond the limit matches nothing and costs nothing. */
	buf_init(&big, CEILING);
	for (int i = 0; i < 5000; i++)
		buf_putc(&big, 'A');
	buf_puts(&big, ": x\nA: 1\n");
	buf_clear(&out);
	select_all(buf_span(&big), set, false, &out);
	expect(&out, "A: 1\r\n\r\n");
	buf_done(&big);
	buf_done(&out);
	header_set_free(set);
	header_set_free(none);
}

/* ---- address.h ------------------------------------------------------- */

static void
put_part(struct buf *b, struct span s)
{
	if (s.p == NULL)
		buf_putc(b, '-');
	buf_put_span(b, s);
}

/* name|route|mailbox|host, separated by "; " */
static void
put_addresses(struct buf *b, const struct address *a)
{
	buf_clear(b);
	for (; a != NULL; a = a->next) {
		put_part(b, a->name);
		buf_putc(b, '|');
		if (a->route.p != NULL) {
			buf_put_span(b, a->route);
			buf_putc(b, '|');
		}
		put_part(b, a->mailbox);
		buf_putc(b, '|');
		put_part(b, a->host);
		if (a->next != NULL)
			buf_puts(b, "; ");
	}
}

static const struct { const char *in, *out; } address_rows[] = {
	{ "", "" },
	{ " \r\n (nobody) ", "" },
	{ "a@b", "-|a|b" },
	{ "<a@b>", "-|a|b" },
	{ "a.\"b c\".d@e, \"a\".b . \"c\"@d", "-|a.b c.d|e; -|a.b.c|d" },
	{ "A [x] \"y\"z  <a@b>, c@d <e@f> g, [h](i)<j@k>;l) <m@n> <o@p>",
	    "A [x] yz|a|b; c@d|e|f; [h]|j|k; l)|m|n" },
	{ "a@b \"<c@d>\" (<e@f>), g@h", "-|a|b; -|g|h" },
	{ "\"a.\" b@c", "a. b|MISSING_MAILBOX|MISSING_DOMAIN" },
	{ "\"a name\", b", "a name|MISSING_MAILBOX|MISSING_DOMAIN; "
	    "-|b|MISSING_DOMAIN" },
	{ "Joe Q. Public <john.q@example.com>",
	    "Joe Q. Public|john.q|example.com" },
	{ "\"Joe \\\"Q\\\" P\" <a@b>", "Joe \"Q\" P|a|b" },
	{ "a@b (Joe (the) Man)", "Joe (the) Man|a|b" },
	{ "a@b,\r\n c@d , e@f", "-|a|b; -|c|d; -|e|f" },
	{ ",, a@b ,,", "-|a|b" },
	{ "A Group:Ed <e@x>,j@y;", "-|A Group|-; Ed|e|x; -|j|y; -|-|-" },
	{ "Undisclosed recipients:;", "-|Undisclosed recipients|-; -|-|-" },
	{ "a: b@c", "-|a|-; -|b|c; -|-|-" },
	{ "a: b: c@d; e@f",
	    "-|a|-; -|-|-; -|b|-; -|c|d; -|-|-; -|e|f" },
	{ "a@b; c@d", "-|a|b; -|c|d" },
	{ "Mary <@one.example,@two:joe@three>",
	    "Mary|@one.example,@two|joe|three" },
	{ "Pete(A nice \\) chap) <pete(his)@silly.test(host)>",
	    "Pete|pete|silly.test" },
	{ "\"quoted local\"@x", "-|quoted local|x" },
	{ "\"a\".b@x", "-|a.b|x" },
	{ "a . b @ c . d", "-|a.b|c.d" },
	{ "user@[127.0.0.1]", "-|user|[127.0.0.1]" },
	{ "local", "-|local|MISSING_DOMAIN" },
	{ "two words", "two words|MISSING_MAILBOX|MISSING_DOMAIN" },
	{ "<>", "-|MISSING_MAILBOX|MISSING_DOMAIN" },
	{ "x <a@b> garbage, c@d", "x|a|b; -|c|d" },
	{ "<Undisclosed-Recipient:;>, a@b",
	    "-|Undisclosed-Recipient|SYNTAX_ERROR; -|a|b" },
	{ "\"no end <a@b>", "no end <a@b>|MISSING_MAILBOX|MISSING_DOMAIN" },
	{ "....@x", "-|....|x" },
	{ "a@x.", "-|a|x." },
	{ "\"", "-|MISSING_MAILBOX|MISSING_DOMAIN" },
	{ "\"\"@x", "-||x" },
	{ "J\xc3\xb6rg <j@x>", "J\xc3\xb6rg|j|x" },
	{ "=?utf-8?q?J=C3=B6rg?= <j@x>", "=?utf-8?q?J=C3=B6rg?=|j|x" },
	{ "(a@b", "" },
	{ "a@b (no end", "no end|a|b" }
};

static void
test_address(void **state)
{
	struct arena *a = arena_new(1000);
	struct buf b;

	(void)state;
	buf_init(&b, CEILING);
	for (size_t i = 0; i < COUNT(address_rows); i++) {
		put_addresses(&b, address_list(span_str(address_rows[i].in),
		    a));
		expect(&b, address_rows[i].out);
	}
	buf_done(&b);
	arena_free(a);
}

/* Every prefix of every input gives some list; each address has both halves,
 * or is the mark of a group. */
static void
test_address_prefixes(void **state)
{
	struct arena *a = arena_new(1000);

	(void)state;
	for (size_t i = 0; i < COUNT(address_rows); i++) {
		struct span s = span_str(address_rows[i].in);

		for (size_t n = 0; n <= s.n; n++) {
			const struct address *at = address_list(
			    span_take(s, n), a);
			int depth = 0;

			for (; at != NULL; at = at->next) {
				if (at->host.p == NULL)
					depth += at->mailbox.p != NULL ? 1 : -1;
				else
					assert_non_null(at->mailbox.p);
				assert_in_range(depth, 0, 1);
			}
			assert_int_equal(depth, 0);
		}
	}
	arena_free(a);
}

static void
test_address_limit(void **state)
{
	struct arena *a = arena_new(1000);
	const struct address *at;
	struct buf b;
	size_t n = 0;

	(void)state;
	buf_init(&b, CEILING);
	for (int i = 0; i < 100000; i++)
		buf_puts(&b, "a@b,");
	for (at = address_list(buf_span(&b), a); at != NULL; at = at->next)
		n++;
	assert_int_equal(n, ADDRESS_MAX);
	buf_done(&b);
	arena_free(a);
}

/* ---- envelope.h ------------------------------------------------------ */

static const struct envelope *
parse_envelope(struct span block, struct arena *arena)
{
	struct envelope *env = ARENA_NEW(arena, struct envelope);
	struct header_field f;

	while (header_next(&block, &f))
		envelope_field(env, &f, arena);
	return env;
}

static void
test_envelope(void **state)
{
	struct arena *a = arena_new(1000);
	const struct envelope *env = parse_envelope(SPAN(
	    "FROM: a@b\nfrom: c@d\nSubject: one\n two\nsubject: second\n"
	    "Date: \n\nTo: x@y\n"), a);
	struct buf b;

	(void)state;
	buf_init(&b, CEILING);
	put_addresses(&b, env->from);
	expect(&b, "-|a|b; -|c|d");
	expect_span(env->subject, "one two");
	assert_non_null(env->date.p);
	assert_int_equal(env->date.n, 0);
	assert_null(env->to);
	assert_null(env->message_id.p);
	buf_done(&b);
	arena_free(a);
}

/* ---- rfc2045.h ------------------------------------------------------- */

static void
put_params(struct buf *b, const struct content_param *p)
{
	for (; p != NULL; p = p->next) {
		buf_puts(b, "; ");
		buf_put_span(b, p->name);
		buf_putc(b, '=');
		buf_put_span(b, p->value);
	}
}

static const struct { const char *in, *out; } type_rows[] = {
	{ "", "text/plain" },
	{ "text", "text/plain" },
	{ "text/", "text/plain" },
	{ "/plain; charset=x", "text/plain" },
	{ "text/HTML", "text/HTML" },
	{ "text / (what) html ; (a) charset = (b) utf-8 (c)",
	    "text/html; charset=utf-8" },
	{ "text/plain charset=x; format=flowed",
	    "text/plain; format=flowed" },
	{ "a/b; x=\"q \\\" ;\r\n z\"; y=2", "a/b; x=q \" ; z; y=2" },
	{ "a/b; boundary==_x/y:z; c=d", "a/b; boundary==_x/y:z; c=d" },
	{ "a/b;;; c=d;", "a/b; c=d" },
	{ "a/b; c; =x; d=", "a/b; d=" },
	{ "a/b; n*0=one; n*1=\" two\"; m=x", "a/b; n=one two; m=x" },
	{ "a/b; n*1=two; n*0=one", "a/b; n=onetwo" },
	{ "a/b; n*0*=utf-8'en'%41; n*1=\"b c\"",
	    "a/b; n*=utf-8'en'%41b%20c" },
	{ "a/b; n*0=x; n*1*=%41", "a/b; n*=''x%41" },
	{ "a/b; n*1=lost; o*=utf-8''%C3%A9",
	    "a/b; n*1=lost; o*=utf-8''%C3%A9" },
	{ "a/b; n*x=1; n**=2", "a/b; n*x=1; n**=2" }
};

static void
read_type(const char *in, size_t n, struct arena *a, struct content *ret)
{
	struct header_field f = { SPAN("content-type"), span_of(in, n),
	    SPAN_NONE };

	memset(ret, 0, sizeof(*ret));
	content_field(ret, &f, a);
	content_finish(ret, false);
}

static void
test_content_type(void **state)
{
	struct arena *a = arena_new(1000);
	struct content c;
	struct buf b;

	(void)state;
	buf_init(&b, CEILING);
	for (size_t i = 0; i < COUNT(type_rows); i++) {
		const char *in = type_rows[i].in;

		for (size_t n = 0; n <= strlen(in); n++)
			read_type(in, n, a, &c);
		buf_clear(&b);
		buf_put_span(&b, c.type);
		buf_putc(&b, '/');
		buf_put_span(&b, c.subtype);
		put_params(&b, c.params);
		expect(&b, type_rows[i].out);
	}
	buf_done(&b);
	arena_free(a);
}

static void
test_content_fields(void **state)
{
	struct arena *a = arena_new(1000);
	struct span block = SPAN("Content-ID:  <1@x> \n"
	    "content-transfer-encoding: Base64 (really)\n"
	    "Content-Disposition: attachment; filename*=iso-8859-1''%e9.txt;"
	    " filename=e.txt\nContent-Language: en, de-AT (x),fr\n"
	    "Content-Language: ignored\nContent-MD5: Q2hl\n"
	    "Content-Location: a/b\n c\nContent-Description: \nX-Content: x\n");
	struct content c = { 0 };
	struct header_field f;
	struct span charset;

	(void)state;
	while (header_next(&block, &f))
		content_field(&c, &f, a);
	content_finish(&c, true);
	expect_span(c.type, "message");
	expect_span(c.subtype, "rfc822");
	expect_span(c.id, "<1@x>");
	expect_span(c.encoding, "Base64");
	expect_span(c.disposition, "attachment");
	expect_span(content_param(c.disposition_params, SPAN("FileName"), a,
	    &charset), "\xe9.txt");
	expect_span(charset, "iso-8859-1");
	assert_null(content_param(c.params, SPAN("name"), a, &charset).p);
	assert_int_equal(c.nlanguage, 3);
	expect_span(c.language[1], "de-AT");
	expect_span(c.md5, "Q2hl");
	expect_span(c.location, "a/b c");
	assert_non_null(c.description.p);
	arena_free(a);
}

static void
test_param_limit(void **state)
{
	struct arena *a = arena_new(1000);
	struct content c;
	struct buf b;
	size_t n = 0;

	(void)state;
	buf_init(&b, CEILING);
	buf_puts(&b, "a/b");
	for (int i = 0; i < 1000; i++)
		buf_puts(&b, "; a=b");
	read_type((const char *)b.p, b.n, a, &c);
	for (const struct content_param *p = c.params; p != NULL; p = p->next)
		n++;
	assert_int_equal(n, CONTENT_PARAMS_MAX);
	buf_done(&b);
	arena_free(a);
}

/* ---- date.h ---------------------------------------------------------- */

static const struct {
	const char *in;
	int64_t time;		/* -1: an error */
	int zone;
} date_rows[] = {
	{ "Thu, 22 Aug 2002 18:26:25 +0700", 1030015585, 420 },
	{ "22 Aug 2002 11:26:25 GMT", 1030015585, 0 },
	{ "22 Aug 02 11:26 UT", 1030015560, 0 },
	{ "Thu,22 Aug 102 06:26:25 EST", 1030015585, -300 },
	{ "Thu, 22-Aug-2002 11:26:25 -0000 (nonsense)", 1030015585, 0 },
	{ "22-Aug-2002 11:26:25 +0000", 1030015585, 0 },
	{ "Thu Aug 22 11:26:25 2002", 1030015585, 0 },
	{ "Thu Aug 22 04:26:25 PDT 2002", 1030015585, -420 },
	{ "Thu, 22 August 2002 11:26:25", 1030015585, 0 },
	{ "2002-08-22T11:26:25Z", 1030015585, 0 },
	{ "2002-08-22T13:26:25.123+02:00", 1030015585, 120 },
	{ "2002-08-22 11:26:25", 1030015585, 0 },
	{ "Thu (x), (y) 22 Aug\r\n 2002 (z) 18:26:25\t+0700", 1030015585, 420 },
	{ "Thu, 22 Aug 2002 13:26:25 GMT+0200", 1030015585, 120 },
	{ "1 Jan 1970 00:00:00 +0000", 0, 0 },
	{ "31 Dec 69 23:59:60 +0000", 0, 0 },
	{ "1 Jan 1970 00:00:00 +9999", 0, 0 },
	{ "1 Jan 49 0:0 Z", 2493072000, 0 },
	{ "22 Aug 0102 11:26:25 +0000", 1030015585, 0 },
	{ "1 Jan 0000 00:00:00 +0000", 946684800, 0 },
	{ "29 Feb 2000 12:00:00 +0000", 951825600, 0 },
	{ "Thu, 22 Aug 2002 11:26:25 +-0500", 1030015585, 0 },
	{ "2002/08/22 Thu 06:26:25 CDT", 1030015585, -300 },
	{ "29 Feb 1900 12:00:00 +0000", -1, 0 },
	{ "30 Feb 2002 12:00:00 +0000", -1, 0 },
	{ "0 Jan 2002 12:00:00 +0000", -1, 0 },
	{ "1 Jan 2002 24:00:00 +0000", 1009843200, 0 },
	{ "1 Jan 2002 12:61:00 +0100", 1009839600, 60 },
	{ "1 Jan 2002 12:00:00 +0075", 1009886400, 0 },
	{ "1 Foo 2002 12:00:00 +0000", -1, 0 },
	{ "2002-13-01T00:00:00Z", -1, 0 },
	{ "", -1, 0 }, { "(", -1, 0 }, { "Mon", -1, 0 },
	{ "99999999999999999999", -1, 0 }
};

static void
test_date(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(date_rows); i++) {
		struct span s = span_str(date_rows[i].in);
		int64_t t = -1;
		int zone = 0, err = 0;

		for (size_t n = 0; n <= s.n; n++)
			err = date_parse(span_take(s, n), &t, &zone);
		assert_int_equal(err == 0, date_rows[i].time >= 0);
		if (err != 0)
			continue;
		if (t != date_rows[i].time || zone != date_rows[i].zone)
			fail_msg("%s: %lld %d", date_rows[i].in, (long long)t,
			    zone);
	}
}

/* ---- msgid.h, subject.h ---------------------------------------------- */

static void
test_msgid(void **state)
{
	struct arena *a = arena_new(1000);
	struct span id, rest = SPAN("Your message <a@b>\r\n <\"c d\"@e>, <>"
	    " < f@g\n h> <x <i@j> <\"k\\\"l\"@m> <@x> <x@> <no at> <n\"o@p>"
	    " <q@r> <open");

	(void)state;
	assert_true(msgid_next(&rest, a, &id));
	expect_span(id, "a@b");
	assert_true(msgid_next(&rest, a, &id));
	expect_span(id, "c d@e");
	assert_true(msgid_next(&rest, a, &id));
	expect_span(id, "f@gh");
	assert_true(msgid_next(&rest, a, &id));
	expect_span(id, "i@j");
	assert_true(msgid_next(&rest, a, &id));
	expect_span(id, "k\"l@m");
	assert_true(msgid_next(&rest, a, &id));
	expect_span(id, "no@p");
	assert_true(msgid_next(&rest, a, &id));
	expect_span(id, "q@r");
	rest = SPAN("<\"01KF8JCEOCBS0045PS\"@xxx.yyy.com>"
	    "<01KF8JCEOCBS0045PS@xxx.yyy.com>");
	for (int i = 0; i < 2; i++) {
		assert_true(msgid_next(&rest, a, &id));
		expect_span(id, "01KF8JCEOCBS0045PS@xxx.yyy.com");
	}
	assert_false(msgid_next(&rest, a, &id));
	arena_free(a);
}

static void
test_subject(void **state)
{
	static const struct {
		const char *in, *out;
		bool is_reply;
	} rows[] = {
		{ "", "", false },
		{ " Hello \t World ", "Hello World", false },
		{ "Re: hello", "hello", true },
		{ "re[2]: FW: Fwd : hello (fwd) (fwd)", "hello", true },
		{ "[list] Re: [list] hello", "hello", true },
		{ "[list] hello", "hello", false },
		{ "[a][b] x", "x", false },
		{ "[only]", "[only]", false },
		{ "[Fwd: Re: hello]", "hello", true },
		{ "[Fwd: [x] a ] (fwd)", "a", true },
		{ "Reply: x", "Reply: x", false },
		{ "Re: ", "", true },
		{ "=?utf-8?q?Re=3A?= =?utf-8?q?_h=C3=A9?=", "h\xc3\xa9", true },
		{ "Re: a\r\n\tb", "a b", true },
		/* subj-refwd */
		{ "fw:x", "x", true }, { "fwd:x", "x", true },
		{ "fwdd: x", "fwdd: x", false }, { "Re x", "Re x", false },
		{ "re [a] [b]: x", "re [a] [b]: x", false },
		{ "RE\t[ 1 ]\t: x", "x", true }, { "re[]:x", "x", true },
		{ "Re: Re: re:re:x", "x", true }, { "re : x", "x", true },
		{ "Re: x: re: y", "x: re: y", true },
		{ "AW: x", "AW: x", false },
		/* subj-blob */
		{ "[a] [b] Re: [c] Fw: [d] x", "x", true },
		{ "[a] [b]", "[b]", false }, { "[a]x", "x", false },
		{ "[a[b] x", "[a[b] x", false }, { "[a]] x", "] x", false },
		{ "[a] Re: [b]", "[b]", true }, { "[ ", "[", false },
		{ "[]", "[]", false }, { "[] []", "[]", false },
		{ "Re: [a] re: [b] x [c]", "x [c]", true },
		/* subj-trailer */
		{ "x(fwd)", "x", true }, { "x (FWD) \t(fwd)", "x", true },
		{ "(fwd)", "", true }, { "x (fwd) y", "x (fwd) y", false },
		{ "[a] (fwd)", "[a]", true }, { "x ( fwd)", "x ( fwd)", false },
		/* subj-fwd */
		{ "[fwd:]", "", true }, { "[FWD:x]", "x", true },
		{ "[fwd: [fwd: re: [a] x (fwd)]]", "x", true },
		{ "[a] [fwd: x] ", "x", true },
		{ "[fwd: x] y", "y", false }, { "[fwd: x", "[fwd: x", false },
		{ "[fwd: [x]]", "[x]", true }, { "[fw: x]", "[fw: x]", false },
		{ "[fwd : x]", "[fwd : x]", false },
		{ "re: [fwd: x] (fwd)", "x", true },
		/* (1): what is decoded counts like what was written */
		{ "=?us-ascii?q?Re=3A_=5Bfwd=3A_x=09_y=5D?=", "x y", true },
		{ "=?utf-8?b?UmU6?= x", "x", true },
		{ "Re: =?utf-8?q?=C2=A0x?=", "\xc2\xa0x", true }
	};
	struct arena *a = arena_new(1000);
	bool is_reply;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		expect_span(subject_base(span_str(rows[i].in), a, &is_reply),
		    rows[i].out);
		assert_int_equal(is_reply, rows[i].is_reply);
	}
	/* NUL is no BLOBCHAR */
	assert_true(is_span_eq(subject_base(SPAN("[a\0b] x"), a, &is_reply),
	    SPAN("[a\0b] x")));
	arena_free(a);
}

/* Fields of a megabyte: the test ends because each is read in one go. */
static void
test_hostile(void **state)
{
	static const char *const units[] = { "=?a?q?", "=?utf-8?q?a?= ",
	    "=?x?q?a?= ", "=?", "?=", "[", "[]", "[a] ", "[fwd:", "re: ",
	    "(fwd)", "re[a]", "<", "<>", "<a> ", "\"", "<\"", "(", "a ",
	    "1 ", "-", "1:" };
	struct arena *a = arena_new(1000);
	struct charset_pool pool;
	struct buf b, out;

	(void)state;
	charset_pool_init(&pool);
	buf_init(&b, CEILING);
	buf_init(&out, 8 * CEILING);
	for (size_t i = 0; i < COUNT(units); i++) {
		struct span id, rest;
		bool is_reply;
		int64_t t;
		int zone;

		buf_clear(&b);
		buf_clear(&out);
		while (b.n < CEILING - 100)
			buf_puts(&b, units[i]);
		rest = buf_span(&b);
		rfc2047_decode(rest, &pool, &out);
		(void)subject_base(rest, a, &is_reply);
		assert_int_not_equal(date_parse(rest, &t, &zone), 0);
		while (msgid_next(&rest, a, &id))
			assert_true(id.n > 0);
		arena_clear(a);
	}
	buf_done(&b);
	buf_done(&out);
	charset_pool_done(&pool);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header_next),
		cmocka_unit_test(test_header_edges),
		cmocka_unit_test(test_unfold),
		cmocka_unit_test(test_select),
		cmocka_unit_test(test_select_edges),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_address_prefixes),
		cmocka_unit_test(test_address_limit),
		cmocka_unit_test(test_envelope),
		cmocka_unit_test(test_content_type),
		cmocka_unit_test(test_content_fields),
		cmocka_unit_test(test_param_limit),
		cmocka_unit_test(test_date),
		cmocka_unit_test(test_msgid),
		cmocka_unit_test(test_subject),
		cmocka_unit_test(test_hostile)
	};

	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
