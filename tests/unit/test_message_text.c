/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * What decodes text: transfer encodings, charsets, encoded words, line ends,
 * folding and searching; the same however the bytes were cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <time.h>

#include "base/buf.h"
#include "message/charset_pool.h"
#include "message/crlf.h"
#include "message/cte.h"
#include "message/rfc2047.h"
#include "message/text.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define CEILING		(1024 * 1024)
#define REPL		"\xef\xbf\xbd"
#define BUILTIN		6	/* the first rows of charset_rows */

static void
expect(const struct buf *b, struct span want)
{
	assert_int_equal(b->overflowed, false);
	if (!is_span_eq(buf_span(b), want))
		fail_msg("got  %.*s\nwant %.*s", (int)b->n, b->p, (int)want.n,
		    want.p);
}

/* ---- cte.h ----------------------------------------------------------- */

static const struct {
	enum cte cte;
	const char *in, *out;
	bool has_error;
} cte_rows[] = {
	{ CTE_NONE, "a=41 \n", "a=41 \n", false },
	{ CTE_QP, "a=3D=c3=A9", "a=\xc3\xa9", false },
	{ CTE_QP, "soft=\nbreak= \t\r\nhere", "softbreakhere", false },
	{ CTE_QP, "blanks \t \nto go \r\nstay=20\n x", "blanks\nto go\r\n"
	    "stay \n x", false },
	{ CTE_QP, "=zz =4 = x =", "=zz =4 = x ", true },
	{ CTE_QP, "a=3", "a=3", true },
	{ CTE_QP, "end  ", "end", false },
	{ CTE_QP, "end =20 \t", "end  ", false },
	{ CTE_QP, "a\nend \t\r", "a\nend\r", false },
	{ CTE_QP, "cr\rin \r it", "cr\rin \r it", false },
	{ CTE_QP, "\n\n=\n\n", "\n\n\n", false },
	{ CTE_BASE64, "SGVsbG8=", "Hello", false },
	{ CTE_BASE64, "SGVs\r\nbG8", "Hello", false },
	{ CTE_BASE64, "SGVs!bG8=", "Hello", true },
	{ CTE_BASE64, "SGVsbG8=SGVsbG8=", "HelloHello", false },
	{ CTE_BASE64, "SGVsbG8gV29ybGQhIQ==\nX", "Hello World!!", true },
	{ CTE_BASE64, "====", "", false },
	{ CTE_UUENCODE, "junk\nbegin 644 f\n%2&5L;&\\`\n`\nend\nmore\n",
	    "Hello", false },
	{ CTE_UUENCODE, "begin 644 f\r\n%2&5L;&\\\r\n", "Hello", true },
	{ CTE_UUENCODE, "", "", false }
};

static void
test_cte(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, CEILING);
	for (size_t i = 0; i < COUNT(cte_rows); i++) {
		struct span in = span_str(cte_rows[i].in);

		for (size_t step = 1; step <= in.n + 1; step++) {
			struct cte_decoder d;

			buf_clear(&out);
			cte_init(&d, cte_rows[i].cte);
			for (size_t at = 0; at < in.n; at += step)
				cte_feed(&d, span_take(span_skip(in, at),
				    step), &out);
			cte_finish(&d, &out);
			expect(&out, span_str(cte_rows[i].out));
			assert_int_equal(d.has_error, cte_rows[i].has_error);
			cte_done(&d);
		}
	}
	buf_done(&out);
	assert_int_equal(cte_find(SPAN(" Base64 ")), CTE_BASE64);
	assert_int_equal(cte_find(SPAN_NONE), CTE_NONE);
	assert_int_equal(cte_find(SPAN("x-other")), CTE_UNKNOWN);
}

/* Blanks without end are passed on, not hoarded; nothing is lost. */
static void
test_qp_blanks(void **state)
{
	struct buf in, out;

	(void)state;
	buf_init(&in, CEILING);
	buf_init(&out, CEILING);
	for (int i = 0; i < 10000; i++)
		buf_putc(&in, ' ');
	buf_putc(&in, 'x');
	for (size_t step = 1; step < in.n; step = step * 3 + 1) {
		struct cte_decoder d;

		buf_clear(&out);
		cte_init(&d, CTE_QP);
		for (size_t at = 0; at < in.n; at += step)
			cte_feed(&d, span_take(span_skip(buf_span(&in), at),
			    step), &out);
		cte_finish(&d, &out);
		expect(&out, buf_span(&in));
		cte_done(&d);
	}
	buf_done(&in);
	buf_done(&out);
}

/* A line of escapes alone takes time by its length, not by the square of it:
 * anybody can send one. */
static void
test_qp_escapes(void **state)
{
	const size_t n = 512 * 1024;
	struct cte_decoder d;
	struct buf in, out;
	clock_t start;

	(void)state;
	buf_init(&in, 3 * n);
	buf_init(&out, n);
	for (size_t i = 0; i < n; i++)
		buf_puts(&in, "=41");
	start = clock();
	cte_init(&d, CTE_QP);
	cte_feed(&d, buf_span(&in), &out);
	cte_finish(&d, &out);
	assert_true(clock() - start < CLOCKS_PER_SEC);
	assert_int_equal(out.n, n);
	cte_done(&d);
	buf_done(&in);
	buf_done(&out);
}

/* ---- charset.h ------------------------------------------------------- */

static const struct { const char *charset, *in, *out; } charset_rows[] = {
	{ "", "plain", "plain" },
	{ "us-ascii", "caf\xc3\xa9", "caf\xc3\xa9" },
	{ "utf-8", "a\xff\xc3(\xe2\x82\xe2\x82\xac\xf0\x9f\x98\x80\xf0\x9f",
	    "a" REPL REPL "(" REPL "\xe2\x82\xac\xf0\x9f\x98\x80" REPL },
	{ "UTF8", "\xc0\xaf\xed\xa0\x80", REPL REPL REPL REPL REPL },
	{ "iso-8859-1", "\xe9\x80", "\xc3\xa9\xc2\x80" },
	{ "Windows-1252", "\x80\xe9\x81", "\xe2\x82\xac\xc3\xa9" REPL },
	{ "iso-8859-15", "\xa4", "\xe2\x82\xac" },
	{ "koi8-r", "\xc1\x62", "\xd0\xb0" "b" },
	{ "iso-2022-jp", "a\x1b$B$\"\x1b(Bb", "a\xe3\x81\x82" "b" },
	{ "shift_jis", "\x82\xa0\x82", "\xe3\x81\x82" REPL },
	{ "gb2312", "\xb0\xa1", "\xe5\x95\x8a" },
	{ "utf-7", "A+AGE-b", "Aab" },
	{ "big5", "\xa4\x40\xff", "\xe4\xb8\x80" REPL }
};

static void
test_charset(void **state)
{
	struct buf out;
	struct charset *cs;

	(void)state;
	buf_init(&out, CEILING);
	for (size_t i = 0; i < COUNT(charset_rows); i++) {
		struct span in = span_str(charset_rows[i].in);

		/* iconv's tables need not be installed; our own are. */
		if (charset_open(span_str(charset_rows[i].charset), &cs) != 0) {
			assert_true(i >= BUILTIN);
			continue;
		}
		/* One converter for all: finish makes it as new. */
		for (size_t step = 1; step <= in.n; step++) {
			buf_clear(&out);
			for (size_t at = 0; at < in.n; at += step)
				charset_feed(cs, span_take(span_skip(in, at),
				    step), &out);
			charset_finish(cs, &out);
			expect(&out, span_str(charset_rows[i].out));
		}
		charset_free(cs);
	}
	assert_int_equal(charset_open(SPAN("x-nobody"), &cs), ERR_UNSUPPORTED);
	assert_int_equal(charset_open(SPAN("utf-8//IGNORE"), &cs),
	    ERR_UNSUPPORTED);
	assert_int_equal(charset_open(SPAN("../../x"), &cs), ERR_UNSUPPORTED);
	buf_done(&out);
}

/* ---- rfc2047.h ------------------------------------------------------- */

static const struct { const char *in, *out; } word_rows[] = {
	{ "", "" }, { "plain text", "plain text" },
	{ "=?utf-8?q?h=C3=A9?=", "h\xc3\xa9" },
	{ "=?ISO-8859-1?Q?Andr=E9?= Pirard", "Andr\xc3\xa9 Pirard" },
	{ "a =?us-ascii?q?b?= c", "a b c" },
	/* RFC 2047 8 */
	{ "(=?ISO-8859-1?Q?a?=)", "(a)" },
	{ "=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab" },
	{ "=?ISO-8859-1?Q?a?=  \r\n\t=?ISO-8859-1?Q?b?=", "ab" },
	{ "=?ISO-8859-1?Q?a_b?=", "a b" },
	{ "=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b" },
	/* A character cut in two by its mailer. */
	{ "=?utf-8?b?w6k=?= =?utf-8?b?ww==?= =?utf-8?b?qQ==?=",
	    "\xc3\xa9\xc3\xa9" },
	{ "=?utf-8*en?q?x?=", "x" },
	{ "=?utf-8?q?with blanks and\r\n folds?=", "with blanks and folds" },
	{ "=?utf-8?b?aGVsbG8?=", "hello" },
	{ "x=?utf-8?q?glued?=y", "xgluedy" },
	{ "=?utf-8?q?" "?=", "" },
	{ "=?x-nobody?q?a=20b?= c", "=?x-nobody?q?a=20b?= c" },
	{ "=?utf-8?q?a?= =?x-nobody?q?b?= =?utf-8?q?c?= =?utf-8?q?d?=",
	    "a =?x-nobody?q?b?= cd" },
	{ "=?utf-8?x?a?=", "=?utf-8?x?a?=" },
	{ "=?utf-8?q?open", "=?utf-8?q?open" },
	{ "=?utf-8?=", "=?utf-8?=" }, { "=??q?a?=", "=??q?a?=" },
	{ "a\r\n\tb = c", "a\tb = c" },
	{ "raw \xe9", "raw " REPL },
	{ "=?utf-8?q?a?= text =?utf-8?q?b?=", "a text b" }
};

static void
test_rfc2047(void **state)
{
	struct charset_pool pool;
	struct buf out;

	(void)state;
	charset_pool_init(&pool);
	buf_init(&out, CEILING);
	for (size_t i = 0; i < COUNT(word_rows); i++) {
		struct span in = span_str(word_rows[i].in);

		for (size_t n = 0; n <= in.n; n++) {
			buf_clear(&out);
			rfc2047_decode(span_take(in, n), &pool, &out);
		}
		expect(&out, span_str(word_rows[i].out));
	}
	charset_pool_done(&pool);
	buf_done(&out);
}

/* A converter is opened once, and is as new each time; so words in many
 * charsets by turns, which anybody can send, do not take long. */
static void
test_charset_pool(void **state)
{
	struct charset_pool pool;
	struct charset *a, *b;
	struct buf in, out;
	clock_t start;

	(void)state;
	charset_pool_init(&pool);
	buf_init(&in, CEILING);
	buf_init(&out, CEILING);
	assert_int_equal(charset_pool_get(&pool, SPAN("euc-jp"), &a), 0);
	charset_feed(a, SPAN("\xa4"), &out);
	assert_int_equal(charset_pool_get(&pool, SPAN(" EUC-JP"), &b), 0);
	assert_ptr_equal(a, b);
	charset_feed(b, SPAN("a\xa4\xa2"), &out);
	charset_finish(b, &out);
	expect(&out, SPAN("a\xe3\x81\x82"));
	assert_int_equal(charset_pool_get(&pool, SPAN("x-nobody"), &b),
	    ERR_UNSUPPORTED);
	for (int i = 0; i < 30000; i++)
		buf_puts(&in, i % 2 == 0 ? "=?iso-2022-jp?q?a?= " :
		    "=?euc-jp?q?a?= ");
	start = clock();
	for (int i = 0; i < 2; i++) {
		buf_clear(&out);
		rfc2047_decode(buf_span(&in), &pool, &out);
		assert_int_equal(out.n, 30001);
	}
	assert_true(clock() - start < CLOCKS_PER_SEC);
	assert_int_equal(pool.list.n, 2);
	/* One that is full still has what is in it. */
	while (pool.list.n < CHARSET_POOL_MAX)
		VEC_PUSH(&pool.list, ((struct charset_pooled){
		    .cs = charset_open_unknown(), .n = 1 }));
	assert_int_equal(charset_pool_get(&pool, SPAN("big5"), &b),
	    ERR_LIMIT);
	assert_int_equal(charset_pool_get(&pool, SPAN("euc-jp"), &b), 0);
	charset_pool_done(&pool);
	buf_done(&in);
	buf_done(&out);
}

/* ---- crlf.h ---------------------------------------------------------- */

static const char stored[] = "one\ntwo\r\n\r\n\nthree\rfour\r\n\0five";

static struct span
served(struct buf *b)
{
	buf_clear(b);
	for (size_t i = 0; i < sizeof(stored) - 1; i++) {
		if (stored[i] == '\n' && (i == 0 || stored[i - 1] != '\r'))
			buf_putc(b, '\r');
		buf_putc(b, stored[i] == '\0' ? CRLF_NUL :
		    (uint8_t)stored[i]);
	}
	return buf_span(b);
}

/* Every range, cut in every way. */
static void
test_crlf(void **state)
{
	struct span in = span_of(stored, sizeof(stored) - 1), all;
	struct buf want, out;
	struct crlf_count count;

	(void)state;
	buf_init(&want, CEILING);
	buf_init(&out, CEILING);
	all = served(&want);
	for (size_t step = 1; step <= in.n; step++) {
		count = (struct crlf_count){ 0 };
		for (size_t at = 0; at < in.n; at += step)
			crlf_count(&count, span_take(span_skip(in, at), step));
		assert_int_equal(count.lines, 5);
		assert_int_equal(count.bare, all.n - in.n);
		for (size_t off = 0; off <= all.n + 1; off++) {
			for (size_t len = 0; len <= all.n + 1; len++) {
				struct crlf c;
				bool more = true;

				buf_clear(&out);
				crlf_init(&c, off, len);
				for (size_t at = 0; at < in.n && more;
				    at += step)
					more = crlf_feed(&c, span_take(
					    span_skip(in, at), step), &out);
				expect(&out, span_take(span_skip(all, off),
				    len));
			}
		}
	}
	buf_done(&want);
	buf_done(&out);
}

/* Long enough for the vector loop and its rest. */
static void
test_crlf_count(void **state)
{
	struct crlf_count c = { 0 };
	struct buf b;

	(void)state;
	buf_init(&b, CEILING);
	for (int i = 0; i < 20000; i++)
		buf_puts(&b, i % 3 == 0 ? "\r\n" : i % 3 == 1 ? "\n" : "xx\r");
	crlf_count(&c, buf_span(&b));
	/* "xx\r" stands before "\r\n". */
	assert_int_equal(c.lines, 6667 + 6667);
	assert_int_equal(c.bare, 6667);
	/* Any beginning and any length, against one byte at a time. */
	for (size_t at = 0; at < 70; at++) {
		struct crlf_count slow = { 0 };

		for (size_t n = 1; n < 300; n++) {
			struct span s = span_take(span_skip(buf_span(&b), at),
			    n);

			crlf_count(&slow, span_skip(s, n - 1));
			c = (struct crlf_count){ 0 };
			crlf_count(&c, s);
			assert_int_equal(c.lines, slow.lines);
			assert_int_equal(c.bare, slow.bare);
			assert_int_equal(c.has_cr, slow.has_cr);
		}
	}
	buf_done(&b);
}

/* ---- text.h ---------------------------------------------------------- */

static const struct {
	const char *needle, *text;
	bool is_found;
} search_rows[] = {
	{ "", "", true }, { "", "x", true }, { "x", "", false },
	{ "hello", "say HeLLo world", true },
	{ "hello", "hell o", false },
	{ "\xc3\xa9t\xc3\xa9", "ETE", false },
	/* precomposed, decomposed, either way round */
	{ "\xc3\xa9t\xc3\xa9", "l'\xc3\x89T\xc3\x89", true },
	{ "\xc3\xa9", "e\xcc\x81", true },
	{ "e\xcc\x81", "\xc3\x89", true },
	{ "\xd0\xbf\xd1\x80", "\xd0\x9f\xd0\xa0\xd0\x98", true },
	{ "k", "\xe2\x84\xaa", true },		/* Kelvin sign */
	{ "aaab", "aaaaaaab", true },
	{ "a\r\nb", "A\nB", true }, { "a\nb", "a\r\nb", true },
	{ "0123456789012345678901234567890123456789",
	    "xx0123456789012345678901234567890123456789", true },
	{ "\xff", "\xfe", true }	/* both are U+FFFD */
};

static void
test_search(void **state)
{
	struct text_window *w = text_window_new();

	(void)state;
	for (size_t i = 0; i < COUNT(search_rows); i++) {
		struct span s = span_str(search_rows[i].text);
		struct text_search *ts = text_search_new(
		    span_str(search_rows[i].needle), w);

		for (size_t step = 1; step <= s.n; step++) {
			text_search_reset(ts);
			for (size_t at = 0; at < s.n; at += step)
				(void)text_search_feed(ts, span_take(
				    span_skip(s, at), step));
			assert_int_equal(is_text_found(ts),
			    search_rows[i].is_found);
		}
		text_search_reset(ts);
		assert_int_equal(is_text_found(ts), s.n == 0 ?
		    search_rows[i].is_found : search_rows[i].needle[0] == '\0');
		text_search_free(ts);
	}
	text_window_free(w);
}

/* A needle across every place where pieces of a long text meet. */
static void
test_search_borders(void **state)
{
	struct text_window *w = text_window_new();
	struct text_search *ts = text_search_new(SPAN("N\xc3\xa9" "edle"), w);
	struct buf b;

	(void)state;
	buf_init(&b, CEILING);
	for (size_t at = 16 * 1024 - 20; at < 16 * 1024 + 20; at++) {
		buf_clear(&b);
		while (b.n < at)
			buf_putc(&b, 'n');
		text_search_reset(ts);
		(void)text_search_feed(ts, buf_span(&b));
		assert_false(is_text_found(ts));
		text_search_reset(ts);
		buf_puts(&b, "NE\xcc\x81" "EDLE");
		(void)text_search_feed(ts, buf_span(&b));
		assert_true(is_text_found(ts));
	}
	buf_done(&b);
	text_search_free(ts);
	text_window_free(w);
}

/* n times c, then d, in pieces of 1 kB. */
static void
feed_run(struct text_search *ts, uint8_t c, size_t n, const char *d)
{
	uint8_t piece[1024];

	memset(piece, c, sizeof(piece));
	text_search_reset(ts);
	for (; n > 0; n -= n < sizeof(piece) ? n : sizeof(piece))
		(void)text_search_feed(ts, span_take(span_of(piece,
		    sizeof(piece)), n));
	(void)text_search_feed(ts, span_str(d));
}

/* Needles and texts that are nothing but repetitions: what is quadratic in
 * either takes hours here. */
static void
test_search_long(void **state)
{
	enum { NEEDLE = 1024 * 1024, TEXT = 32 * 1024 * 1024 };
	struct text_window *w = text_window_new();
	struct text_search *all, *end, *begin, *even;
	uint8_t *p = malloc(NEEDLE);
	clock_t start = clock();

	(void)state;
	assert_non_null(p);
	memset(p, 'a', NEEDLE);
	all = text_search_new(span_of(p, NEEDLE), w);
	p[NEEDLE - 1] = 'b';
	end = text_search_new(span_of(p, NEEDLE), w);
	p[NEEDLE - 1] = 'a';
	p[0] = 'b';
	begin = text_search_new(span_of(p, NEEDLE), w);
	for (size_t i = 0; i < 256; i++)
		p[i] = i % 2 == 0 ? 'a' : 'b';
	even = text_search_new(span_of(p, 256), w);

	feed_run(all, 'a', NEEDLE - 1, "b");
	assert_false(is_text_found(all));
	feed_run(all, 'a', NEEDLE - 1, "A");
	assert_true(is_text_found(all));
	feed_run(end, 'a', TEXT, "");
	assert_false(is_text_found(end));
	feed_run(end, 'a', TEXT, "b");
	assert_true(is_text_found(end));
	feed_run(begin, 'a', TEXT, "");
	assert_false(is_text_found(begin));
	feed_run(even, 'a', TEXT, "b");
	assert_false(is_text_found(even));
	assert_true((clock() - start) / CLOCKS_PER_SEC < 30);
	text_search_free(all);
	text_search_free(end);
	text_search_free(begin);
	text_search_free(even);
	text_window_free(w);
	free(p);
}

/* What can be said of raw text. */
static void
test_search_raw(void **state)
{
	static const struct {
		const char *needle, *upper;
		enum text_raw want;
	} rows[] = {
		{ "", "", TEXT_YES }, { "", "X", TEXT_YES },
		{ "abc", "A: XABC\n", TEXT_YES },
		{ "abc", "A: AB\n C\n", TEXT_NO },
		{ "ab c", "A: AB\n C\n", TEXT_MAYBE },
		{ "ab c", "A: AB C\n", TEXT_MAYBE },
		{ "ab longest", "A: LONG\n", TEXT_NO },
		{ "ab longest", "A: LONGEST\n", TEXT_MAYBE },
		{ "\r\n", "A: B\n", TEXT_MAYBE },
		{ "\xc2\xb2", "A: 2\n", TEXT_YES },	/* superscript */
		/* The ligature fi has no title case (RFC 5051 2). */
		{ "\xef\xac\x81", "A: FINE\n", TEXT_NO },
		{ "\xc3\xa9", "A: E\n", TEXT_NO }
	};
	struct text_window *w = text_window_new();
	struct buf b;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct text_search *ts = text_search_new(
		    span_str(rows[i].needle), w);

		assert_int_equal(text_search_raw(ts, span_str(rows[i].upper)),
		    rows[i].want);
		text_search_free(ts);
	}
	text_window_free(w);
	buf_init(&b, CEILING);
	text_upper(SPAN("az{`@AZ[ \xc3\xa9 0123456789 abcdefghijklm"), &b);
	text_upper(SPAN("nop"), &b);
	expect(&b, SPAN("AZ{`@AZ[ \xc3\xa9 0123456789 ABCDEFGHIJKLMNOP"));
	buf_done(&b);
}

static void
test_text_part(void **state)
{
	struct content_param charset = { SPAN("CHARSET"),
	    SPAN("iso-8859-1"), NULL };
	struct content c = { .type = SPAN("text"), .subtype = SPAN("plain"),
	    .params = &charset, .encoding = SPAN("Quoted-Printable") };
	struct charset_pool pool;
	struct text_part *tp;
	struct buf out;

	(void)state;
	charset_pool_init(&pool);
	tp = text_part_new(&c, &pool);
	buf_init(&out, CEILING);
	assert_false(is_text_part_plain(tp, SPAN("abc")));
	text_part_feed(tp, SPAN("caf=E"), &out);
	text_part_feed(tp, SPAN("9 =\n"), &out);
	text_part_finish(tp, &out);
	expect(&out, SPAN("caf\xc3\xa9 "));
	text_part_free(tp);
	c.encoding = SPAN("8bit");
	charset.value = SPAN("x-nobody");
	tp = text_part_new(&c, &pool);
	assert_true(is_text_part_plain(tp, SPAN("abc")));
	assert_false(is_text_part_plain(tp, SPAN("\xc3")));
	buf_clear(&out);
	text_part_feed(tp, SPAN("\xc3"), &out);
	assert_false(is_text_part_plain(tp, SPAN("abc")));
	text_part_feed(tp, SPAN("\xa9"), &out);
	assert_true(is_text_part_plain(tp, SPAN("abc")));
	expect(&out, SPAN("\xc3\xa9"));
	text_part_free(tp);
	assert_true(is_text_content(&c));
	charset_pool_done(&pool);
	buf_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cte),
		cmocka_unit_test(test_qp_blanks),
		cmocka_unit_test(test_qp_escapes),
		cmocka_unit_test(test_charset),
		cmocka_unit_test(test_rfc2047),
		cmocka_unit_test(test_charset_pool),
		cmocka_unit_test(test_crlf),
		cmocka_unit_test(test_crlf_count),
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_search_borders),
		cmocka_unit_test(test_search_long),
		cmocka_unit_test(test_search_raw),
		cmocka_unit_test(test_text_part)
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
