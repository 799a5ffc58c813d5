/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * HTML to text, what of a text is the author's own, and the previews of whole
 * messages; the same however the bytes were cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "message/html_entity.h"
#include "message/html_text.h"
#include "message/own_text.h"
#include "message/part.h"
#include "message/preview.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define CEILING		(8 * 1024 * 1024)
#define NBSP		"\xC2\xA0"

static void
expect(const char *in, struct span got, const char *want)
{
	if (!is_span_eq(got, span_str(want)))
		fail_msg("%s\ngot  %.*s\nwant %s", in, (int)got.n, got.p,
		    want);
}

/* ---- html_entity.h --------------------------------------------------- */

static void
test_entities(void **state)
{
	static const struct {
		const char *name;
		uint32_t cp, bare;	/* with and without semicolon */
	} rows[] = {
		{ "AElig", 0xC6, 0xC6 }, { "zwnj", 0x200C, 0 },
		{ "amp", '&', '&' }, { "AMP", 0, 0 }, { "theta", 0x3B8, 0 },
		{ "thetasym", 0x3D1, 0 }, { "Eacute", 0xC9, 0xC9 },
		{ "eacute", 0xE9, 0xE9 }, { "apos", '\'', '\'' }, { "", 0, 0 },
		{ "eacut", 0, 0 }, { "eacutes", 0, 0 },
		{ "#233", 0xE9, 0xE9 }, { "#xe9", 0xE9, 0xE9 },
		{ "#XE9", 0xE9, 0xE9 }, { "#x1F600", 0x1F600, 0x1F600 },
		{ "#", 0, 0 }, { "#x", 0, 0 }, { "#12a", 0, 0 },
		{ "#0", 0xFFFD, 0xFFFD }, { "#xD800", 0xFFFD, 0xFFFD },
		{ "#1114112", 0xFFFD, 0xFFFD },
		{ "#99999999999999999999", 0xFFFD, 0xFFFD },
		{ "#150", 0x2013, 0x2013 }, { "#x80", 0x20AC, 0x20AC },
		{ "#129", 0x81, 0x81 }
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span name = span_str(rows[i].name);

		assert_int_equal(html_entity(name, true), rows[i].cp);
		assert_int_equal(html_entity(name, false), rows[i].bare);
	}
}

/* ---- html_text.h ----------------------------------------------------- */

static void
html(struct span s, size_t step, struct buf *out)
{
	struct html_text h;

	buf_clear(out);
	html_text_init(&h);
	for (; s.n > 0; s = span_skip(s, step))
		html_text_feed(&h, span_take(s, step), out);
	html_text_finish(&h, out);
}

static const char *const html_rows[][2] = {
	{ "plain  text\r\nhere", "plain text here" },
	{ "<p>One</p><p>Two<br>Three<BR/>Four", "One\nTwo\nThree\nFour" },
	{ "<div><div>a</div></div><div>b</div>", "a\nb" },
	{ "a<b>b</b><i>c</i> <u>d</u>", "abc d" },
	{ "<table><tr><td>a</td><td>b</td></tr><tr><th>c</th></tr></table>",
	    "a b\nc" },
	{ "<ul><li>a<li>b</ul>c", "a\nb\nc" },
	{ "<pre>a  b\n\nc</pre>\nd\ne", "a b\nc\nd e" },
	/* what is not shown */
	{ "<html><head><title>T</title><style>p{}</style></head>x", "x" },
	{ "<head><style>a</style><body>not closed", "not closed" },
	{ "<head>a<title>b<p></title>c<meta>d<div>not closed", "not closed" },
	{ "<head><script>f('<p>')</script>a</head>x", "x" },
	{ "<script>if (a < b) document.write('</p>')</script>x", "x" },
	{ "<script>a</scripty></script >x", "x" },
	{ "<script>a<</script>x", "x" }, { "<script>a</</script>x", "x" },
	{ "<style><!-- </style>x --> y", "x --> y" },
	{ "<svg><text>a</text><svg>b</svg>c</svg>d", "d" },
	{ "<title>a &amp; <b>c</title>d", "d" },
	{ "<select><option>a</select>b", "b" },
	{ "<style>never closed", "" },
	/* comments and declarations */
	{ "a<!-- b -- > c -->d", "ad" }, { "a<!-->b", "ab" },
	{ "a<!--->b", "ab" }, { "a<!-- b --!>c", "ac" },
	{ "a<!-- b", "a" }, { "<!DOCTYPE html>a", "a" },
	{ "<!--[if mso]><table><![endif]-->a", "a" },
	{ "<![if !mso]>a<![endif]>", "a" }, { "<?xml a?>b", "b" },
	{ "a<!>b", "ab" }, { "a<!->b", "ab" }, { "a<!-b>c", "ac" },
	{ "a</>b", "ab" }, { "a</ b>c", "ac" },
	/* tags */
	{ "<a title=\"x > y\">b</a>", "b" }, { "<a title='>'>b", "b" },
	{ "<a title = \">\">b", "b" }, { "<a title=x>b", "b" },
	{ "<p it's>b", "b" }, { "<a href=\"never closed>b", "" },
	{ "<averyveryverylongname>b", "b" }, { "<p/>a<p//>b", "a\nb" },
	{ "a < b <", "a < b <" }, { "1<2 <<b>x</b>", "1<2 <x" },
	{ "a<", "a<" }, { "a</", "a" }, { "a<p", "a" },
	/* references */
	{ "a&amp;b&lt;c&gt;", "a&b<c>" }, { "AT&T &co; &", "AT&T &co; &" },
	{ "caf&eacute &copy2024", "caf\xC3\xA9 &copy2024" },
	{ "a&nbsp;b", "a" NBSP "b" }, { "&#x1F600;&#60b>", "\xF0\x9F\x98\x80"
	    "&#60b>" },
	{ "&#60;b>", "<b>" }, { "?a=1&theta=2", "?a=1&theta=2" },
	{ "&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;",
	    "&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;" },
	{ "a&#10;b", "a b" },
	/* quotations */
	{ "a<blockquote>b<br>c<blockquote>d</blockquote></blockquote>e",
	    "a\n> b\n> c\n> d\ne" },
	{ "</blockquote>a</pre>b", "a\nb" },
	{ "", "" }, { "<p> <p> ", "" }
};

static void
test_html(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, CEILING);
	for (size_t i = 0; i < COUNT(html_rows); i++)
		for (size_t step = 1; step < 80; step = step * 2 + 1) {
			html(span_str(html_rows[i][0]), step, &out);
			expect(html_rows[i][0], buf_span(&out),
			    html_rows[i][1]);
		}
	buf_done(&out);
}

/* Each prefix of all the rows gives some text. */
static void
test_html_prefixes(void **state)
{
	struct buf all, out;

	(void)state;
	buf_init(&all, CEILING);
	buf_init(&out, CEILING);
	for (size_t i = 0; i < COUNT(html_rows); i++)
		buf_puts(&all, html_rows[i][0]);
	for (size_t n = 0; n <= all.n; n++) {
		html(span_take(buf_span(&all), n), SIZE_MAX, &out);
		assert_true(out.n <= 2 * n + HTML_ENTITY_MAX);
	}
	buf_done(&all);
	buf_done(&out);
}

/* ---- own_text.h ------------------------------------------------------ */

static void
check_own(const char *in, const char *want)
{
	struct own_text t;

	for (size_t step = 1; step < 2000; step = step * 4 + 1) {
		struct span s = span_str(in);

		own_text_init(&t);
		while (s.n > 0) {
			size_t n = step < s.n ? step : s.n;

			n -= charset_utf8_tail(span_take(s, n));
			if (n == 0)
				n = utf8_step(s, &(uint32_t){ 0 },
				    &(bool){ false });
			if (!own_text_feed(&t, span_take(s, n)))
				break;
			s = span_skip(s, n);
		}
		expect(in, own_text_finish(&t), want);
		own_text_done(&t);
	}
}

static const char *const own_rows[][2] = {
	{ "Hello,\r\n\r\n  two\tlines. \r\n", "Hello, two lines." },
	/* quoted */
	{ "> quoted\n>> more\nMine.\n> again\n", "Mine." },
	{ "On Fri, 1 Mar 2024 at 10:00, Anna <a@example.com> wrote:\n\n"
	    "> quoted\n\nMine.", "Mine." },
	{ "Mine.\n\nOn Fri, 1 Mar 2024 at 10:00 Anna Smith\n"
	    "<anna@example.com>\nwrote:\n> quoted\n", "Mine." },
	{ "Mine.\nOn 1 Mar 2024, Anna wrote:\nnot marked", "Mine. not marked" },
	{ "Am 01.03.2024 um 10:00 schrieb Anna:\n> Zitat\nMeins", "Meins" },
	{ "Le ven. 1 mars 2024 \xC3\xA0 10:00, Anna <a@example.com>\n"
	    "a \xC3\xA9" "crit" NBSP ":\n> citation\nR\xC3\xA9ponse",
	    "R\xC3\xA9ponse" },
	{ "2024\xE5\xB9\xB4" "3\xE6\x9C\x88 Anna <a@example.com>:\n> x\ny",
	    "y" },
	{ "Anna writes:\n> x\ny", "y" },
	{ "In article <x@y>, AS wrote:\nAS> x\ny", "y" },
	{ "I think this:\n> x\nis wrong", "I think this: is wrong" },
	{ "Anna writes:\nnothing is quoted", "Anna writes: nothing is quoted" },
	{ "a -> b\nx>y", "a -> b x>y" },
	/* forwarded */
	{ "Mine.\n\n-----Original Message-----\nFrom: Anna\n\nHers.", "Mine." },
	{ "FYI\n---------- Forwarded message ---------\nFrom: Anna", "FYI" },
	{ "FYI\n-----Urspr\xC3\xBCngliche Nachricht-----\nx", "FYI" },
	{ "FYI\nBegin forwarded message:\nx", "FYI" },
	{ "Mine.\n\nFrom: Anna\nSent: Friday\nTo: Bo\nHers.", "Mine." },
	{ "Mine.\n*From:* Anna\n*Sent:* Friday\nHers.", "Mine." },
	{ "Mine.\nVon: Anna\nGesendet: Freitag\nx", "Mine." },
	{ "From: a letter\nto you", "From: a letter to you" },
	{ "Mine.\n________________________________\nFrom: Anna", "Mine." },
	/* signatures */
	{ "Mine.\n-- \nAnna", "Mine." }, { "Mine.\n--\nAnna", "Mine." },
	{ "Mine.\n\nSent from my iPhone\n\n> x", "Mine." },
	{ "Mine.\nGet Outlook for iOS<https://aka.ms/o0ukef>\n", "Mine." },
	{ "Mine.\n\xE2\x80\x94\nReply to this", "Mine." },
	{ "a -- b\n--c", "a -- b --c" },
	/* rules */
	{ "=====\nTitle\n=====\n* * *\ntext", "Title text" },
	{ "..\n:-)", ".. :-)" },
	/* nothing is left: all that there is */
	{ "> quoted\n> > <only>", "quoted <only>" },
	{ "-- \nAnna", "-- Anna" },
	{ "On Fri, 1 Mar 2024, Anna wrote:\n> yes",
	    "On Fri, 1 Mar 2024, Anna wrote: yes" },
	{ "---- Forwarded message ----\nFrom: Anna",
	    "---- Forwarded message ---- From: Anna" },
	/* OpenPGP */
	{ "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nMine.\n"
	    "-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----",
	    "Mine." },
	{ "-----BEGIN PGP MESSAGE-----\nVersion: 1\n\nhQEMA\n"
	    "-----END PGP MESSAGE-----\n", "" },
	{ "-----BEGIN PGP PUBLIC KEY BLOCK-----\nx", "" },
	/* what is not seen */
	{ "a\x01\x7F\xC2\x85" "b", "ab" },
	{ "a" NBSP "\xE2\x80\x83\xE3\x80\x80" "b", "a b" },
	{ "Hi\xE2\x80\x8C " NBSP "\xCD\x8F\xE2\x80\x8C " NBSP "\xCD\x8F there",
	    "Hi there" },
	{ "\xE2\x80\xAE" "abc\xE2\x80\xAC\xEF\xBB\xBF", "abc" },
	{ "so\xC2\xAD" "ft", "soft" }, { "a\xE2\x80\xA8" "b", "a b" },
	/* joiners are seen between characters */
	{ "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7",
	    "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7" },
	{ "a\xE2\x80\x8D b\xE2\x80\x8D", "a b" },
	{ "", "" }, { " \n\n", "" }, { "\xFF\xC3", "" }
};

static void
test_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(own_rows); i++)
		check_own(own_rows[i][0], own_rows[i][1]);
}

/* A line without end costs no more than its beginning. */
static void
test_own_long_line(void **state)
{
	struct own_text t;
	struct span got;
	struct buf b;

	(void)state;
	buf_init(&b, CEILING);
	for (int i = 0; i < 1000000; i++)
		buf_puts(&b, "\xE2\x82\xAC");
	own_text_init(&t);
	assert_true(own_text_feed(&t, buf_span(&b)));
	assert_false(own_text_feed(&t, SPAN("\n\nx\n")) &&
	    own_text_feed(&t, SPAN("\ny")));
	got = own_text_finish(&t);
	assert_in_range(got.n, 3 * OWN_CHARS_MAX, OWN_LINE_MAX);
	assert_true(is_utf8(got));
	own_text_done(&t);
	buf_done(&b);
}

/* ---- preview.h ------------------------------------------------------- */

static void
preview(const char *message, struct buf *out)
{
	const struct part *parts[PREVIEW_PARTS_MAX], *top;
	struct arena *arena = arena_new(4096);
	struct part_parser *pp = part_parser_new(arena);
	struct span text = span_str(message), s;
	struct charset_pool pool;
	struct preview *pv;
	size_t n;

	(void)part_parser_feed(pp, text);
	top = part_parser_finish(pp);
	n = preview_parts(top, parts);
	charset_pool_init(&pool);
	buf_clear(out);
	for (size_t i = 0; i < n && out->n == 0; i++) {
		pv = preview_new(parts[i], &pool);
		s = span_take(span_skip(text, (size_t)parts[i]->body.off),
		    (size_t)parts[i]->body.size);
		for (; s.n > 0 && preview_feed(pv, span_take(s, 7));
		    s = span_skip(s, 7))
			continue;
		preview_finish(pv, out);
	}
	charset_pool_done(&pool);
	arena_free(arena);
}

#define PART(type, text)	"--b\nContent-Type: " type "\n\n" text "\n"
#define MULTIPART(sub, parts)						\
	"Content-Type: multipart/" sub "; boundary=b\n\n" parts "--b--\n"

static const char *const preview_rows[][2] = {
	{ "Subject: x\n\nHello", "Hello" },
	{ "Subject: x\n", "" }, { "", "" },
	{ "Content-Type: text/html\n\n<p>a &amp; b</p><p>c", "a & b c" },
	{ "Content-Type: text/html\n\n<p>Mine<div>On 1 Mar 2024, Anna wrote:"
	    "</div><blockquote>Hers</blockquote>", "Mine" },
	{ "Content-Type: text/html\n\n<blockquote>All</blockquote>", "All" },
	{ "Content-Type: text/html\n\n<b>From:</b> Anna<br><b>Sent:</b> today"
	    "<br>x", "From: Anna Sent: today x" },
	{ "Content-Type: text/html; charset=iso-8859-1\n"
	    "Content-Transfer-Encoding: quoted-printable\n\n"
	    "<p class=3D\"x\">caf=E9=\n s", "caf\xC3\xA9 s" },
	{ "Content-Type: text/plain; charset=utf-8\n"
	    "Content-Transfer-Encoding: base64\n\nR3LDvMOfZQ==\n",
	    "Gr\xC3\xBC\xC3\x9F" "e" },
	{ "Content-Type: image/png\n\nabc", "" },
	{ "Content-Type: application/pkcs7-mime\n\nabc", "" },
	{ "Content-Disposition: attachment\n\nabc", "abc" },
	/* which part */
	{ MULTIPART("alternative", PART("text/html", "<p>html")
	    PART("text/plain", "plain")), "plain" },
	{ MULTIPART("alternative", PART("text/plain", " \n")
	    PART("text/html", "<p>html")), "html" },
	{ MULTIPART("alternative", PART("text/plain", "")
	    PART("text/html", "<p>html")), "html" },
	{ MULTIPART("mixed", PART("text/html", "<p>html")
	    PART("text/plain", "footer")), "html" },
	{ MULTIPART("mixed", PART("image/png", "abc")
	    PART("text/plain\nContent-Disposition: attachment", "log")
	    PART("TEXT/Plain", "text")), "text" },
	{ MULTIPART("mixed", PART("text/plain\nContent-Disposition: attachment",
	    "log")), "" },
	{ MULTIPART("mixed", PART("text/csv", "1,2")), "" },
	{ MULTIPART("mixed", PART("message/rfc822", "Subject: x\n\ninner")),
	    "inner" },
	{ MULTIPART("encrypted", PART("application/pgp-encrypted", "Version: 1")
	    PART("application/octet-stream", "abc")), "" },
	{ MULTIPART("alternative", "--b\n"
	    "Content-Type: multipart/related; boundary=c\n\n"
	    "--c\nContent-Type: text/html\n\n<p>rich\n--c--\n"
	    PART("text/plain", "plain")), "plain" }
};

static void
test_preview(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, PREVIEW_BYTES_MAX);
	for (size_t i = 0; i < COUNT(preview_rows); i++) {
		preview(preview_rows[i][0], &out);
		expect(preview_rows[i][0], buf_span(&out), preview_rows[i][1]);
	}
	buf_done(&out);
}

/* s, n times, in a message of that type. */
static void
preview_of_many(const char *type, const char *s, size_t n, struct buf *out)
{
	struct buf b;

	buf_init(&b, CEILING);
	buf_puts(&b, "Content-Type: ");
	buf_puts(&b, type);
	buf_puts(&b, "\n\n");
	for (size_t i = 0; i < n; i++)
		buf_puts(&b, s);
	preview(buf_cstr(&b), out);
	assert_true(is_utf8(buf_span(out)));
	buf_done(&b);
}

/* Where what is longer than 200 characters ends. */
static void
test_preview_ends(void **state)
{
	static const struct {
		const char *s;
		size_t n, bytes;
	} rows[] = {
		{ "a", 199, 199 }, { "a", 200, 200 }, { "a", 201, 200 },
		{ "a", 5000, 200 }, { "a\n\n", 5000, 199 },
		{ "\xE2\x82\xAC", 5000, 600 },
		/* e and an accent: 200 is between two of them */
		{ "e\xCC\x81", 5000, 300 },
		/* two and an accent: 200 is in the 67th */
		{ "ee\xCC\x81", 5000, 4 * 66 + 1 },
		/* a family, 5 characters */
		{ "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D"
		    "\xF0\x9F\x91\xA7", 100, 18 * 40 },
		/* flags are pairs */
		{ "x\xF0\x9F\x87\xAA\xF0\x9F\x87\xBA", 100, 9 * 66 + 1 },
		/* nothing but accents: no text of any language */
		{ "\xCC\x81", 5000, 400 }
	};
	struct buf out;

	(void)state;
	buf_init(&out, PREVIEW_BYTES_MAX);
	for (size_t i = 0; i < COUNT(rows); i++) {
		preview_of_many("text/plain; charset=utf-8", rows[i].s,
		    rows[i].n, &out);
		if (out.n != rows[i].bytes)
			fail_msg("%s: %zu bytes", rows[i].s, out.n);
	}
	buf_done(&out);
}

/* No more than PREVIEW_READ_MAX of a part is looked at. */
static void
test_preview_reads(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, PREVIEW_BYTES_MAX);
	preview_of_many("text/html", "<b> </b>", PREVIEW_READ_MAX / 8, &out);
	assert_int_equal(out.n, 0);
	preview_of_many("text/html\n\n<p>Text<style>", "p { color: red }\n",
	    100000, &out);
	expect("style", buf_span(&out), "Text");
	preview_of_many("text/html\n\n", "<blockquote>", 100000, &out);
	assert_int_equal(out.n, 0);
	preview_of_many("text/plain\n\n", "> ", 1000000, &out);
	assert_int_equal(out.n, 0);
	buf_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entities),
		cmocka_unit_test(test_html),
		cmocka_unit_test(test_html_prefixes),
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_own_long_line),
		cmocka_unit_test(test_preview),
		cmocka_unit_test(test_preview_ends),
		cmocka_unit_test(test_preview_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
