/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Maildir++ quota: the text of maildirsize, what each operation adds to it,
 * when it is counted anew, what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "maildir/maildirsize.h"
#include "tests/unit/maildir_env.h"

static const struct span names[] = {
	SPAN("INBOX"), SPAN("Foo"), SPAN("Trash"), SPAN("New")
};
static const struct maildir_path inbox = { &names[0], 1 };
static const struct maildir_path foo = { &names[1], 1 };
static const struct maildir_path trash = { &names[2], 1 };
static const struct maildir_path new = { &names[3], 1 };

/* ---- the text -------------------------------------------------------- */

struct text {
	const char *text;
	bool is_good;
	uint64_t max_bytes, max_messages, bytes, messages;
	size_t lines;
};

static const struct text texts[] = {
	{ "10485760S,1000C\n396 3\n136 1\n138 1\n-268 -2\n", true, 10485760,
	    1000, 402, 3, 4 },
	/* Courier pads */
	{ "1000S\n          12            1\n         -12           -1\n", true,
	    1000, 0, 0, 0, 2 },
	{ "0S\n0 0\n", true, 0, 0, 0, 0, 1 },
	{ "5C\n+1 +1\n", true, 0, 5, 1, 1, 1 },
	{ "\n1 1\n", true, 0, 0, 1, 1, 1 },
	{ "nonsense,7S,8X,9\n1 1\n", true, 7, 0, 1, 1, 1 },
	{ "99999999999999999999S\n1 1\n", true, INT64_MAX, 0, 1, 1, 1 },
	{ "9S, 8C \n1 1\r\n", true, 9, 8, 1, 1, 1 },
	/* the last line has no LF */
	{ "9S\n1 1\n2 2", true, 9, 0, 1, 1, 1 },
	{ "9S\n1 1\n-", true, 9, 0, 1, 1, 1 },
	{ "9223372036854775807S\n9223372036854775807 1\n", true, INT64_MAX, 0,
	    INT64_MAX, 1, 1 },
	/* nothing to add up */
	{ "", false, 0, 0, 0, 0, 0 },
	{ "9S", false, 0, 0, 0, 0, 0 },
	{ "9S\n", false, 9, 0, 0, 0, 0 },
	/* nonsense */
	{ "9S\n\n", false, 9, 0, 0, 0, 0 },
	{ "9S\n1\n", false, 9, 0, 0, 0, 0 },
	{ "9S\n1 \n", false, 9, 0, 0, 0, 0 },
	{ "9S\n1-1\n", false, 9, 0, 0, 0, 0 },
	{ "9S\n1 1 1\n", false, 9, 0, 0, 0, 0 },
	{ "9S\n1 1x\n", false, 9, 0, 0, 0, 0 },
	{ "9S\n-- 1\n", false, 9, 0, 0, 0, 0 },
	{ "9S\n1 1\nx\n1 1\n", false, 9, 0, 0, 0, 1 },
	{ "9S\n9223372036854775808 1\n", false, 9, 0, 0, 0, 0 },
	{ "9S\n9223372036854775807 1\n1 1\n", false, 9, 0, 0, 0, 1 },
	/* less than nothing */
	{ "9S\n-1 0\n", false, 9, 0, 0, 0, 1 },
	{ "9S\n1 1\n1 -2\n", false, 9, 0, 0, 0, 2 },
};

static void
test_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		const struct text *t = &texts[i];
		struct maildirsize ms;

		maildirsize_parse(span_str(t->text), &ms);
		if (ms.is_good != t->is_good ||
		    ms.limits.bytes != t->max_bytes ||
		    ms.limits.messages != t->max_messages ||
		    ms.bytes != t->bytes || ms.messages != t->messages ||
		    ms.lines != t->lines)
			fail_msg("%s", t->text);
	}
}

/* A NUL anywhere, as after a power cut, and every prefix. */
static void
test_text_cut(void **state)
{
	static const char whole[] = "100S,10C\n60 6\n-10 -1\n";
	const size_t n = sizeof(whole) - 1;
	struct maildirsize ms;
	char text[sizeof(whole)];

	(void)state;
	for (size_t i = 0; i <= n; i++) {
		maildirsize_parse(span_of(whole, i), &ms);
		assert_int_equal(ms.has_limits, i >= 9);
		assert_int_equal(ms.is_good, i >= 14);
		assert_int_equal(ms.is_torn, i > 0 && whole[i - 1] != '\n');
		if (i >= 14)
			assert_int_equal(ms.bytes, i == n ? 50 : 60);
	}
	for (size_t i = 0; i < n; i++) {
		memcpy(text, whole, n);
		text[i] = '\0';
		maildirsize_parse(span_of(text, n), &ms);
		assert_true(i < 8 ? ms.limits.bytes != 100 ||
		    ms.limits.messages != 10 : !ms.is_good || ms.is_torn ||
		    ms.limits.messages != 10);
	}
}

static void
test_text_made(void **state)
{
	static const struct {
		struct maildir_limits limits;
		const char *text;
	} made[] = {
		{ { 0, 0 }, "0S\n12 3\n-5 -1\n" },
		{ { 7, 0 }, "7S\n12 3\n-5 -1\n" },
		{ { 0, 8 }, "8C\n12 3\n-5 -1\n" },
		{ { 7, 8 }, "7S,8C\n12 3\n-5 -1\n" },
	};
	struct maildirsize ms;
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	for (size_t i = 0; i < sizeof(made) / sizeof(*made); i++) {
		buf_clear(&b);
		maildirsize_put(&b, &made[i].limits, 12, 3);
		maildirsize_put_line(&b, true, 5, 1);
		assert_true(is_span_eq(buf_span(&b), span_str(made[i].text)));
		maildirsize_parse(buf_span(&b), &ms);
		assert_true(ms.is_good && ms.bytes == 7 && ms.messages == 2);
		assert_int_equal(ms.limits.bytes, made[i].limits.bytes);
		assert_int_equal(ms.limits.messages, made[i].limits.messages);
	}
	buf_done(&b);
}

/* ---- a Maildir with a quota ------------------------------------------ */

static void
set_quota(struct env *e, enum maildir_quota_kind kind, uint64_t bytes,
    uint64_t messages)
{
	e->conf.quota = kind;
	e->conf.limits = (struct maildir_limits){ bytes, messages };
	env_reopen(e);
}

/* n messages of 10 bytes, as announced: "12345678\r\n" is stored with LF. */
static int
append_n(struct env *e, const struct maildir_path *path, int n, uint64_t size)
{
	struct maildir_append_args args = { .sys = MAILDIR_SEEN, .size = size };
	struct maildir_append *app;
	uint32_t validity, *uids;
	size_t got;
	int r;

	r = maildir_append_new(e->store, path, &app);
	if (r != 0)
		return r;
	for (int i = 0; i < n; i++)
		if ((r = maildir_append_begin(app, &args)) != 0 ||
		    (r = maildir_append_write(app,
		    SPAN("123456789\r\n"))) != 0 ||
		    (r = maildir_append_end(app)) != 0) {
			maildir_append_abort(app);
			return r;
		}
	return maildir_append_commit(app, e->arena, &validity, &uids, &got);
}

static int
append(struct env *e, const struct maildir_path *path)
{
	return append_n(e, path, 1, 10);
}

#define assert_file(e, text) \
	assert_true(is_span_eq(read_text((e), "maildirsize"), span_str(text)))

static void
assert_used(struct env *e, uint64_t bytes, uint64_t messages)
{
	struct maildir_quota q;

	assert_int_equal(maildir_quota(e->store, &q), 0);
	assert_int_equal(q.used.bytes, bytes);
	assert_int_equal(q.used.messages, messages);
}

/* So that what comes now is later than what was, for ctimes. */
static void
wait_tick(void)
{
	const struct timespec t = { 0, 20 * 1000 * 1000 };

	nanosleep(&t, NULL);
}

static int
copy_all(struct env *e, const struct maildir_path *from,
    const struct maildir_path *to, bool is_move)
{
	static const uint32_t uids[] = { 1, 2, 3 };
	struct maildir_copied c;
	struct maildir *md;
	int r;

	assert_int_equal(maildir_open(e->store, from, false, &md), 0);
	r = is_move ? maildir_move(md, uids, 3, to, e->arena, &c) :
	    maildir_copy(md, uids, 3, to, e->arena, &c);
	if (r == 0)
		assert_int_equal(c.n, 3);
	maildir_close(md);
	return r;
}

static void
expunge(struct env *e, const struct maildir_path *path, uint32_t first,
    size_t n)
{
	uint32_t uids[4];
	struct maildir *md;
	size_t done;

	for (size_t i = 0; i < n; i++)
		uids[i] = first + (uint32_t)i;
	assert_int_equal(maildir_open(e->store, path, false, &md), 0);
	assert_int_equal(maildir_expunge(md, uids, n, &done), 0);
	assert_int_equal(done, n);
	maildir_close(md);
}

static void
test_each_operation(void **state)
{
	struct env *e = *state;

	set_quota(e, MAILDIR_QUOTA_LIMITS, 1000, 100);
	assert_int_equal(append(e, &inbox), 0);
	assert_file(e, "1000S,100C\n0 0\n10 1\n");
	assert_int_equal(append_n(e, &inbox, 2, 10), 0);
	assert_file(e, "1000S,100C\n0 0\n10 1\n20 2\n");
	assert_int_equal(maildir_create(e->store, &foo), 0);
	assert_int_equal(copy_all(e, &inbox, &foo, false), 0);
	assert_file(e, "1000S,100C\n0 0\n10 1\n20 2\n30 3\n");
	assert_int_equal(maildir_create(e->store, &trash), 0);
	assert_int_equal(copy_all(e, &inbox, &trash, true), 0);
	assert_file(e, "1000S,100C\n0 0\n10 1\n20 2\n30 3\n");
	expunge(e, &trash, 1, 2);
	assert_file(e, "1000S,100C\n0 0\n10 1\n20 2\n30 3\n-20 -2\n");
	assert_int_equal(maildir_rename(e->store, &foo, &new), 0);
	assert_file(e, "1000S,100C\n0 0\n10 1\n20 2\n30 3\n-20 -2\n");
	assert_int_equal(maildir_delete(e->store, &new), 0);
	assert_file(e, "1000S,100C\n0 0\n10 1\n20 2\n30 3\n-20 -2\n-30 -3\n");
	wait_tick();
	assert_used(e, 10, 1);
	expunge(e, &trash, 3, 1);
	assert_int_equal(append(e, &inbox), 0);
	assert_int_equal(maildir_rename(e->store, &inbox, &new), 0);
	assert_used(e, 10, 1);
}

static void
test_none(void **state)
{
	struct env *e = *state;
	struct maildir_quota q;

	assert_int_equal(append(e, &inbox), 0);
	assert_false(is_there(e, "maildirsize"));
	assert_int_equal(maildir_quota(e->store, &q), ERR_NOENT);
	write_text(e, "maildirsize", "1S\n1 1\n");
	assert_int_equal(append(e, &inbox), 0);
	assert_file(e, "1S\n1 1\n");
	assert_int_equal(maildir_quota(e->store, &q), ERR_NOENT);
}

/* No rule: line 1 is obeyed, and without a file there is no quota. */
static void
test_limits_of_the_file(void **state)
{
	struct env *e = *state;
	struct maildir_quota q;

	set_quota(e, MAILDIR_QUOTA_FILE, 0, 0);
	assert_int_equal(maildir_quota(e->store, &q), ERR_NOENT);
	assert_int_equal(append(e, &inbox), 0);
	assert_false(is_there(e, "maildirsize"));
	write_text(e, "maildirsize", "25S\n");
	assert_used(e, 10, 1);
	assert_file(e, "25S\n10 1\n");
	assert_int_equal(append(e, &inbox), 0);
	assert_file(e, "25S\n10 1\n10 1\n");
	assert_int_equal(append(e, &inbox), ERR_QUOTA);
	/* damage behind line 1 */
	write_text(e, "maildirsize", "100S,7C\nx\n");
	assert_int_equal(append(e, &inbox), 0);
	assert_int_equal(maildir_quota(e->store, &q), 0);
	assert_int_equal(q.limits.bytes, 100);
	assert_int_equal(q.limits.messages, 7);
	assert_int_equal(q.used.messages, 3);
	/* 0S: counted, and without limits */
	write_text(e, "maildirsize", "0S\n1 1\n");
	assert_int_equal(append(e, &inbox), 0);
	assert_int_equal(maildir_quota(e->store, &q), 0);
	assert_int_equal(q.limits.bytes, 0);
	assert_int_equal(q.used.messages, 4);
	/* damage in line 1: limits are lost, the file is left alone */
	write_bytes(e, "maildirsize", "\0\0\0\0\0\0", 6);
	assert_int_equal(maildir_quota(e->store, &q), ERR_NOENT);
	assert_int_equal(append(e, &inbox), 0);
	/* limits for a new file */
	remove_file(e, "maildirsize");
	set_quota(e, MAILDIR_QUOTA_FILE, 60, 0);
	assert_int_equal(append(e, &inbox), 0);
	assert_file(e, "60S\n50 5\n10 1\n");
	assert_int_equal(append(e, &inbox), ERR_QUOTA);
	write_text(e, "maildirsize", "70S\n60 6\n");
	assert_int_equal(append(e, &inbox), 0);
	assert_file(e, "70S\n60 6\n10 1\n");
}

static void
test_limits_changed(void **state)
{
	struct env *e = *state;

	set_quota(e, MAILDIR_QUOTA_LIMITS, 1000, 0);
	assert_int_equal(append(e, &inbox), 0);
	assert_file(e, "1000S\n0 0\n10 1\n");
	set_quota(e, MAILDIR_QUOTA_LIMITS, 1000, 5);
	assert_used(e, 10, 1);
	assert_file(e, "1000S,5C\n10 1\n");
	set_quota(e, MAILDIR_QUOTA_LIMITS, 0, 0);
	assert_int_equal(append(e, &inbox), 0);
	assert_file(e, "0S\n20 2\n");
	assert_int_equal(append(e, &inbox), 0);
	assert_file(e, "0S\n20 2\n10 1\n");
}

/* ---- counted anew ---------------------------------------------------- */

static void
test_damage_is_healed(void **state)
{
	static const char *const damaged[] = {
		"", "1000S", "1000S\n", "1000S\n-1 0\n", "1000S\n1 1\nx y\n",
		"1000S\n99 99", "999S\n1 1\n", "1000S,5C\n1 1\n",
	};
	static const uint8_t nuls[40] = { '1', '0', '0', '0', 'S', '\n' };
	struct env *e = *state;
	char large[MAILDIRSIZE_MAX + 10];

	set_quota(e, MAILDIR_QUOTA_LIMITS, 1000, 0);
	assert_int_equal(append(e, &inbox), 0);
	for (size_t i = 0; i < sizeof(damaged) / sizeof(*damaged); i++) {
		write_text(e, "maildirsize", damaged[i]);
		assert_used(e, 10, 1);
		assert_file(e, "1000S\n10 1\n");
	}
	write_bytes(e, "maildirsize", nuls, sizeof(nuls));
	write_bytes(e, "maildirsize", "1000S\n1 1\n\0 1\n", 14);
	assert_used(e, 10, 1);
	memcpy(large, "1000S\n", 6);
	for (size_t i = 6; i < sizeof(large) - 4; i += 4)
		memcpy(large + i, "0 0\n", 4);
	write_bytes(e, "maildirsize", large, 5118);	/* ends with a LF */
	assert_int_equal(append(e, &inbox), 0);
	assert_file(e, "1000S\n20 2\n");
	write_bytes(e, "maildirsize", large, 5122);
	assert_used(e, 20, 2);
	/* A line is not added to half a line. */
	write_text(e, "maildirsize", "1000S\n20 2\n10");
	assert_int_equal(append(e, &inbox), 0);
	assert_file(e, "1000S\n30 3\n");
	/* Something else of that name, empty, cannot be replaced: no matter. */
	remove_file(e, "maildirsize");
	make_dir(e, "maildirsize");
	assert_used(e, 30, 3);
	assert_int_equal(append(e, &inbox), 0);
	assert_used(e, 40, 4);
}

/* Over the limit: not believed with more than one line, or after 15 minutes. */
static void
test_over_is_doubted(void **state)
{
	struct timespec old[2] = { { 0, UTIME_NOW }, { 0, 0 } };
	struct env *e = *state;
	char path[128];

	set_quota(e, MAILDIR_QUOTA_LIMITS, 100, 0);
	assert_int_equal(append(e, &inbox), 0);
	wait_tick();
	write_text(e, "maildirsize", "100S\n60 1\n60 1\n");
	assert_used(e, 10, 1);
	wait_tick();
	write_text(e, "maildirsize", "100S\n120 1\n");
	assert_used(e, 120, 1);
	assert_int_equal(append(e, &inbox), ERR_QUOTA);
	assert_true(snprintf(path, sizeof(path), "%s/maildirsize", e->root) >
	    0);
	old[1].tv_sec = time(NULL) - 16 * 60;
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	assert_int_equal(append(e, &inbox), 0);
	assert_file(e, "100S\n10 1\n10 1\n");
}

static void
test_others_do_not_tell(void **state)
{
	struct env *e = *state;

	set_quota(e, MAILDIR_QUOTA_LIMITS, 100, 0);
	assert_int_equal(append(e, &inbox), 0);
	wait_tick();
	assert_used(e, 10, 1);
	write_text(e, "new/1.1.h", "delivered\n");
	write_text(e, "new/2.1.h,S=50", "hinted\n");
	write_text(e, "cur/3.1.h,S=x:2,", "no hint\n");
	assert_used(e, 78, 4);
	/* Full, until somebody removes what he does not tell of. */
	assert_int_equal(append_n(e, &inbox, 3, 10), ERR_QUOTA);
	assert_used(e, 78, 4);
	wait_tick();
	remove_file(e, "new/2.1.h,S=50");
	assert_int_equal(append_n(e, &inbox, 3, 10), 0);
	assert_used(e, 58, 6);
	/* The first sum of a new process finds it too. */
	wait_tick();
	remove_file(e, "new/1.1.h");
	env_reopen(e);
	assert_used(e, 48, 5);
}

/* More than is remembered, in many mailboxes; then one changes. */
static void
test_many(void **state)
{
	struct env *e = *state;
	char name[64];

	set_quota(e, MAILDIR_QUOTA_LIMITS, 1000000, 0);
	make_dir(e, "new");
	for (int i = 0; i < 20; i++) {
		for (int j = 0; j < 3; j++) {
			static const char *const sub[] = { "", "/cur",
			    "/new" };

			assert_true(snprintf(name, sizeof(name), ".B%d%s", i,
			    sub[j]) > 0);
			make_dir(e, name);
		}
		for (int j = 0; j < 70; j++) {
			assert_true(snprintf(name, sizeof(name),
			    ".B%d/cur/%d.h,S=10:2,", i, j) > 0);
			write_text(e, name, "");
		}
	}
	assert_used(e, 14000, 1400);
	sleep(2);		/* now they are remembered */
	write_text(e, "new/1.h,S=1", "");
	assert_used(e, 14001, 1401);
	remove_file(e, ".B7/cur/3.h,S=10:2,");
	write_text(e, ".B8/new/3.h,S=20", "");
	assert_used(e, 14011, 1401);
	move_file(e, ".B9", ".C9");
	write_text(e, "new/2.h,S=1", "");
	assert_used(e, 14012, 1402);
}

static void
test_what_is_counted(void **state)
{
	struct env *e = *state;
	char path[128];

	set_quota(e, MAILDIR_QUOTA_LIMITS, 1000, 0);
	make_dir(e, "cur");
	assert_int_equal(maildir_create(e->store, &trash), 0);
	write_text(e, ".Trash/cur/1.h,S=10:2,ST", "");
	write_text(e, "cur/.hidden,S=10:2,", "");
	make_dir(e, "cur/directory,S=10");
	make_dir(e, ".dovecot.sieve");
	write_text(e, ".dovecot.sieve/x,S=10", "");
	make_dir(e, ".half");
	make_dir(e, ".half/cur");
	write_text(e, ".half/cur/2.h,S=7:2,", "");
	write_text(e, ".file", "");
	make_dir(e, "..gone");
	make_dir(e, "..gone/cur");
	write_text(e, "..gone/cur/1.h,S=10:2,", "");
	assert_true(snprintf(path, sizeof(path), "%s/.Link", e->root) > 0);
	assert_int_equal(symlink(".Trash", path), 0);
	assert_used(e, 17, 2);
	/* A hint that is absurd does not wrap around. */
	write_text(e, "cur/3.h,S=18446744073709551615:2,", "");
	write_text(e, "cur/4.h,S=18446744073709551615:2,", "");
	assert_used(e, INT64_MAX, 4);
	assert_int_equal(append(e, &inbox), ERR_QUOTA);
	expunge(e, &inbox, 1, 2);
	assert_used(e, 17, 2);
}

static void
test_layouts(void **state)
{
	struct env *e = *state;
	char inner[128], control[128];

	e->conf.layout = MAILDIR_FS;
	set_quota(e, MAILDIR_QUOTA_LIMITS, 1000, 0);
	assert_int_equal(append(e, &inbox), 0);
	assert_int_equal(maildir_create(e->store, &foo), 0);
	assert_int_equal(append(e, &foo), 0);
	make_dir(e, "Foo/Bar");
	make_dir(e, "Foo/Bar/cur");
	write_text(e, "Foo/Bar/cur/1.h,S=5:2,", "");
	assert_used(e, 25, 3);
	assert_int_equal(maildir_delete(e->store, &foo), 0);
	assert_used(e, 15, 2);
	/* INBOX among the others, control files elsewhere */
	assert_true(snprintf(inner, sizeof(inner), "%s/INBOX", e->root) > 0);
	assert_true(snprintf(control, sizeof(control), "%s/tmp", e->root) > 0);
	make_dir(e, "INBOX");
	e->conf.inbox = inner;
	e->conf.control = control;
	env_reopen(e);
	assert_int_equal(append(e, &inbox), 0);
	assert_used(e, 15, 2);
	assert_true(is_there(e, "tmp/maildirsize"));
}

/* ---- refused, and not ------------------------------------------------ */

static void
test_refused(void **state)
{
	static const uint32_t uids[] = { 1, 2 };
	struct maildir_flags flags = { MAILDIR_DELETED, 0 };
	struct maildir_status st;
	struct env *e = *state;
	struct maildir *md;
	size_t n;

	set_quota(e, MAILDIR_QUOTA_LIMITS, 45, 0);
	assert_int_equal(append_n(e, &inbox, 3, 10), 0);
	assert_int_equal(maildir_create(e->store, &foo), 0);
	/* by the size announced, by the size stored, by all of them */
	assert_int_equal(append_n(e, &inbox, 1, 16), ERR_QUOTA);
	assert_int_equal(append_n(e, &inbox, 2, 10), ERR_QUOTA);
	assert_int_equal(append_n(e, &inbox, 2, 0), ERR_QUOTA);
	assert_int_equal(copy_all(e, &inbox, &foo, false), ERR_QUOTA);
	assert_int_equal(maildir_status(e->store, &inbox, false, &st), 0);
	assert_int_equal(st.messages, 3);
	assert_int_equal(maildir_status(e->store, &foo, false, &st), 0);
	assert_int_equal(st.messages, 0);
	assert_used(e, 30, 3);
	/* exactly full is not over */
	set_quota(e, MAILDIR_QUOTA_LIMITS, 40, 4);
	assert_int_equal(append(e, &inbox), 0);
	assert_int_equal(append(e, &inbox), ERR_QUOTA);
	/* far over: what makes room, and what needs none */
	set_quota(e, MAILDIR_QUOTA_LIMITS, 5, 1);
	assert_int_equal(copy_all(e, &inbox, &foo, true), 0);
	assert_int_equal(maildir_open(e->store, &foo, false, &md), 0);
	assert_int_equal(maildir_store_flags(md, uids, 2, MAILDIR_ADD, &flags,
	    &n), 0);
	maildir_close(md);
	assert_int_equal(maildir_deleted_size(e->store, &foo, &st.size), 0);
	assert_int_equal(st.size, 20);
	expunge(e, &foo, 1, 3);
	assert_used(e, 10, 1);
	assert_int_equal(append(e, &inbox), ERR_QUOTA);
	expunge(e, &inbox, 4, 1);
	assert_used(e, 0, 0);
	/* messages alone */
	set_quota(e, MAILDIR_QUOTA_LIMITS, 0, 2);
	assert_int_equal(append_n(e, &inbox, 3, 1), ERR_QUOTA);
	assert_int_equal(append_n(e, &inbox, 2, 1), 0);
	assert_int_equal(append(e, &inbox), ERR_QUOTA);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, env_setup, \
	env_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_cut),
		cmocka_unit_test(test_text_made),
		TEST(test_each_operation),
		TEST(test_none),
		TEST(test_limits_of_the_file),
		TEST(test_limits_changed),
		TEST(test_damage_is_healed),
		TEST(test_over_is_doubted),
		TEST(test_others_do_not_tell),
		TEST(test_many),
		TEST(test_what_is_counted),
		TEST(test_layouts),
		TEST(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
