/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * The values in commands and answers: sets, dates, strings, flags.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/civil.h"
#include "imapd/wire/fmt.h"
#include "imapd/wire/imapdate.h"
#include "imapd/wire/seqset.h"
#include "maildir/maildir.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static void
assert_text(struct span got, const char *want)
{
	if (!is_span_eq(got, span_str(want)))
		fail_msg("got  %.*s\nwant %s", (int)got.n, got.p, want);
}

/* ---- sets ------------------------------------------------------------ */

static void
check_resolve(const char *text, uint32_t max, const char *want)
{
	struct arena *arena = arena_new(256);
	struct seqset set;
	struct buf b;

	buf_init(&b, 1024);
	assert_int_equal(seqset_parse(span_str(text), arena, &set), 0);
	seqset_resolve(&set, max);
	for (size_t i = 0; i < set.n; i++) {
		if (i > 0)
			buf_putc(&b, ',');
		buf_put_u64(&b, set.range[i].lo);
		buf_putc(&b, ':');
		buf_put_u64(&b, set.range[i].hi);
	}
	assert_text(buf_span(&b), want);
	buf_done(&b);
	arena_free(arena);
}

static void
test_seqset(void **state)
{
	struct arena *arena = arena_new(256);
	struct seqset set;

	(void)state;
	check_resolve("1", 9, "1:1");
	check_resolve("2,4:7,9,12:*", 15, "2:2,4:7,9:9,12:15");
	check_resolve("*:4,5:7", 10, "4:10");
	check_resolve("3:*", 2, "2:3");
	check_resolve("*", 7, "7:7");
	check_resolve("*", 0, "");
	check_resolve("3:*", 0, "");
	check_resolve("5,*,1", 0, "1:1,5:5");
	check_resolve("7,1:3,3:5,6,1", 9, "1:7");
	check_resolve("4294967295", 9, "4294967294:4294967294");
	check_resolve("4294967294:1", 9, "1:4294967294");
	assert_int_equal(seqset_parse(SPAN("1:3,7,9:*"), arena, &set), 0);
	seqset_resolve(&set, 12);
	for (uint32_t i = 0; i < 15; i++)
		assert_int_equal(is_in_seqset(&set, i), (i >= 1 && i <= 3) ||
		    i == 7 || (i >= 9 && i <= 12));
	assert_int_equal(seqset_parse(SPAN("$"), arena, &set), 0);
	assert_true(set.is_saved && set.n == 0);
	assert_int_equal(seqset_parse(SPAN("$,1"), arena, &set), ERR_SYNTAX);
	assert_int_equal(seqset_parse(SPAN(""), arena, &set), ERR_SYNTAX);
	assert_int_equal(seqset_parse(SPAN("1,"), arena, &set), ERR_SYNTAX);
	assert_int_equal(seqset_parse(SPAN("1:"), arena, &set), ERR_SYNTAX);
	assert_int_equal(seqset_parse(SPAN("01"), arena, &set), ERR_SYNTAX);
	arena_free(arena);
}

static void
test_seqout(void **state)
{
	static const uint32_t num[] = { 1, 2, 3, 7, 9, 10, 4294967294 };
	struct seqout so;
	struct buf b;

	(void)state;
	buf_init(&b, 1024);
	seqout_init(&so, &b);
	for (size_t i = 0; i < COUNT(num); i++)
		seqout_add(&so, num[i]);
	seqout_end(&so);
	assert_text(buf_span(&b), "1:3,7,9:10,4294967294");
	buf_done(&b);
}

/* ---- dates ----------------------------------------------------------- */

static void
test_civil(void **state)
{
	struct civil c;

	(void)state;
	for (int64_t day = -5000000; day < 2900000; day += 17) {
		c = civil_from_days(day);
		if (c.year <= -9999)
			continue;
		assert_true(is_civil(c));
		assert_true(civil_days(c) == day);
	}
	assert_true(civil_days((struct civil){ 1970, 1, 1 }) == 0);
	assert_true(civil_days((struct civil){ 2000, 3, 1 }) == 11017);
	assert_false(is_civil((struct civil){ 1900, 2, 29 }));
	assert_true(is_civil((struct civil){ 2000, 2, 29 }));
	assert_false(is_civil((struct civil){ 2001, 4, 31 }));
	assert_false(is_civil((struct civil){ 2001, 13, 1 }));
	c = civil_from_days(INT64_MAX / 2);
	assert_int_equal(c.year, 9999);
}

static void
check_date(const char *text, int64_t want, int want_zone)
{
	struct buf b;
	int64_t t;
	int zone;

	assert_int_equal(imapdate_time(span_str(text), &t, &zone), 0);
	assert_true(t == want && zone == want_zone);
	buf_init(&b, 64);
	imapdate_put(&b, t, zone);
	assert_text(buf_span(&b), text);
	buf_done(&b);
}

static void
test_imapdate(void **state)
{
	static const char *const malformed[] = {
		"", "17-Jul-1996", "17-Jul-1996 02:44:25",
		"17-Jul-1996 02:44:25 ",
		"17-Jul-1996 24:44:25 -0700", "17-Jul-1996 02:60:25 -0700",
		"17-Jul-1996 02:44:61 -0700", "17-Jul-1996 02:44:25 0700",
		"17-Jul-1996 02:44:25 -07000", "31-Jun-1996 02:44:25 -0700",
		"017-Jul-1996 02:44:25 -0700", "17-Jul-96 02:44:25 -0700",
		"17-Jul-1996  02:44:25 -0700", "17-Jul-1996 02:44:25 GMT"
	};
	struct buf b;
	int64_t t, day;
	int zone;

	(void)state;
	check_date("17-Jul-1996 02:44:25 -0700", 837596665, -420);
	check_date("01-Jan-1970 00:00:00 +0000", 0, 0);
	check_date("31-Dec-1969 23:59:59 +0000", -1, 0);
	check_date("31-Dec-9999 23:59:59 +0000", 253402300799, 0);
	check_date("01-Jan-0000 00:00:00 +0530", -62167219200 - 19800, 330);
	for (size_t i = 0; i < COUNT(malformed); i++)
		assert_int_equal(imapdate_time(span_str(malformed[i]), &t,
		    &zone), ERR_SYNTAX);
	assert_int_equal(imapdate_time(SPAN("1-Jan-1970 00:00:01 +0000"), &t,
	    &zone), 0);
	assert_true(t == 1);
	assert_int_equal(imapdate_day(SPAN("1-feb-1994"), &day), 0);
	assert_true(day == 8797);
	assert_int_equal(imapdate_day(SPAN("1-Feb-1994 "), &day), ERR_SYNTAX);
	buf_init(&b, 64);
	imapdate_put(&b, INT64_MAX, 60);
	assert_text(buf_span(&b), "31-Dec-9999 23:59:59 +0100");
	buf_clear(&b);
	imapdate_put(&b, INT64_MIN, -60);
	assert_text(buf_span(&b), "01-Jan-0000 00:00:00 -0100");
	buf_done(&b);
}

/* ---- printing -------------------------------------------------------- */

static void
check_fmt(void (*fmt)(struct buf *, struct span, bool), struct span s,
    bool with_utf8, const char *want)
{
	struct buf b;

	buf_init(&b, 4096);
	fmt(&b, s, with_utf8);
	assert_text(buf_span(&b), want);
	buf_done(&b);
}

static void
fmt_mailbox_any(struct buf *b, struct span s, bool with_utf8)
{
	(void)with_utf8;
	fmt_mailbox(b, s);
}

static void
test_fmt(void **state)
{
	struct buf b;

	(void)state;
	check_fmt(fmt_string, SPAN(""), false, "\"\"");
	check_fmt(fmt_string, SPAN("a\"b\\c"), false, "\"a\\\"b\\\\c\"");
	check_fmt(fmt_string, SPAN("a\r\nb"), false, "{4}\r\na\r\nb");
	check_fmt(fmt_string, SPAN("\0a\0b\0"), false, "{2}\r\nab");
	check_fmt(fmt_string, SPAN("\xc3\xa9"), false, "{2}\r\n\xc3\xa9");
	check_fmt(fmt_string, SPAN("\xc3\xa9"), true, "\"\xc3\xa9\"");
	check_fmt(fmt_string, SPAN("\xe9"), true, "{1}\r\n\xe9");
	check_fmt(fmt_nstring, SPAN_NONE, false, "NIL");
	check_fmt(fmt_nstring, SPAN("NIL"), false, "\"NIL\"");
	check_fmt(fmt_astring, SPAN("a]b"), false, "a]b");
	check_fmt(fmt_astring, SPAN("a b"), false, "\"a b\"");
	check_fmt(fmt_astring, SPAN(""), false, "\"\"");
	check_fmt(fmt_astring, SPAN("nil"), false, "\"nil\"");
	check_fmt(fmt_mailbox_any, SPAN("inBox"), false, "INBOX");
	check_fmt(fmt_mailbox_any, SPAN("100%"), false, "\"100%\"");
	check_fmt(fmt_mailbox_any, SPAN("&AOk-"), false, "&AOk-");

	buf_init(&b, 4096);
	assert_false(fmt_sysflags(&b, 0, false));
	assert_true(fmt_sysflags(&b, MAILDIR_SEEN | MAILDIR_ANSWERED, true));
	assert_text(buf_span(&b), "\\Answered \\Seen \\Recent");
	buf_clear(&b);
	fmt_datetime(&b, 837596665, -420);
	assert_text(buf_span(&b), "\"17-Jul-1996 02:44:25 -0700\"");
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seqset),
		cmocka_unit_test(test_seqout),
		cmocka_unit_test(test_civil),
		cmocka_unit_test(test_imapdate),
		cmocka_unit_test(test_fmt)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
