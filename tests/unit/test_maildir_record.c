/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * What is on record beside what lies there: several handles on one mailbox, and
 * others who put things back.
 */
#include <sys/resource.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "maildir/maildir.h"
#include "tests/unit/maildir_env.h"

#define OLD_US	60000	/* older than the clock of any file system */
#define MANY	200

static const struct span inbox_level = { (const uint8_t *)"INBOX", 5 };
static const struct maildir_path inbox = { &inbox_level, 1 };

static struct maildir *
opened(struct env *e, bool is_readonly)
{
	struct maildir *md;

	assert_int_equal(maildir_open(e->store, &inbox, is_readonly, &md), 0);
	return md;
}

static void
fill(struct env *e, int n)
{
	char name[64];
	struct maildir *md = opened(e, false);

	maildir_close(md);
	for (int i = 1; i <= n; i++) {
		assert_true(snprintf(name, sizeof(name), "cur/%d.M1P1.h:2,",
		    1000 + i) > 0);
		write_text(e, name, "A: b\n\nx\n");
	}
	usleep(OLD_US);
}

static size_t
refreshed(struct maildir *md)
{
	const struct maildir_change *c;
	size_t n;

	assert_int_equal(maildir_refresh(md, &c, &n), 0);
	return n;
}

static void
at_rest(struct maildir *md)
{
	usleep(OLD_US);
	(void)refreshed(md);
}

/* As a fresh session sees it. */
static size_t
fresh_count(struct env *e)
{
	struct maildir *md = opened(e, true);
	size_t n = maildir_count(md);

	maildir_close(md);
	return n;
}

static struct maildir_msg
msg_at(struct maildir *md, size_t i)
{
	struct maildir_msg m;

	maildir_get(md, i, &m);
	return m;
}

/* A message that was removed and put back is hidden from the session that told
 * of its end, and from nobody else. */
static void
test_put_back(void **state)
{
	struct env *e = *state;
	struct maildir *md;

	fill(e, 3);
	md = opened(e, false);
	at_rest(md);
	at_rest(md);
	move_file(e, "cur/1002.M1P1.h:2,", "tmp/keep");
	assert_int_equal(refreshed(md), 1);
	move_file(e, "tmp/keep", "cur/1002.M1P1.h:2,");
	at_rest(md);
	assert_int_equal(maildir_count(md), 2);
	maildir_close(md);
	for (int i = 0; i < 3; i++)
		assert_int_equal(fresh_count(e), 3);
}

/* One base under many UIDs: the highest counts. */
static void
test_one_base_many_uids(void **state)
{
	struct env *e = *state;
	static char text[20000];
	struct maildir *md;
	size_t n;

	fill(e, 1);
	n = (size_t)snprintf(text, sizeof(text), "3 V5 N1000 "
	    "G888d381620b5006b6152000083ecc375\n");
	for (int i = 1; i <= 500; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "%d :1001.M1P1.h\n", i);
	write_text(e, "dovecot-uidlist", text);
	md = opened(e, false);
	assert_int_equal(maildir_count(md), 1);
	assert_int_equal(msg_at(md, 0).uid, 500);
	maildir_close(md);
	assert_int_equal(fresh_count(e), 1);
}

/* Keywords without letters that go straight into a new index reach the sessions
 * that have read the one before. */
static void
test_words_in_a_new_index(void **state)
{
	struct env *e = *state;
	struct maildir_flags f = { 0, 0 };
	struct maildir *a, *b, *c;
	uint32_t uids[MANY];
	char name[16];
	uint64_t bit;
	size_t i, n;

	fill(e, MANY);
	a = opened(e, false);
	at_rest(a);
	for (int k = 0; k < 27; k++) {
		assert_true(snprintf(name, sizeof(name), "kw%d", k) > 0);
		assert_int_equal(maildir_keyword(a, span_str(name), true, &i),
		    0);
	}
	assert_int_equal(i, 27);
	bit = UINT64_C(1) << i;
	b = opened(e, false);
	at_rest(b);
	(void)refreshed(a);
	for (uint32_t k = 0; k < MANY; k++)
		uids[k] = k + 1;
	f.kw = bit;
	assert_int_equal(maildir_store_flags(b, uids, MANY, MAILDIR_ADD, &f,
	    &n), 0);
	assert_int_equal(refreshed(a), MANY);
	assert_int_equal(msg_at(a, 7).flags.kw, bit);
	assert_true(maildir_highestmodseq(a) == maildir_highestmodseq(b));
	f = (struct maildir_flags){ MAILDIR_FLAGGED, 0 };
	assert_int_equal(maildir_store_flags(a, uids, MANY, MAILDIR_ADD, &f,
	    &n), 0);
	c = opened(e, true);
	assert_int_equal(msg_at(c, 7).flags.kw, bit);
	assert_int_equal(msg_at(c, 7).flags.sys, MAILDIR_FLAGGED);
	maildir_close(c);
	maildir_close(b);
	maildir_close(a);
}

/* rsync and cp put the time of a directory back. */
static void
test_time_put_back(void **state)
{
	struct env *e = *state;
	struct timespec times[2];
	struct maildir *md;
	struct stat st;
	char path[256];

	fill(e, 3);
	md = opened(e, false);
	at_rest(md);
	at_rest(md);
	maildir_close(md);
	assert_true(snprintf(path, sizeof(path), "%s/new", e->root) > 0);
	assert_int_equal(stat(path, &st), 0);
	write_text(e, "new/2000.M1P1.h", "x\n");
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	assert_int_equal(fresh_count(e), 4);
}

/* UIDs that could not be written down were not given. */
static void
test_no_room_for_uids(void **state)
{
	struct env *e = *state;
	const struct maildir_change *c;
	struct rlimit before, now;
	struct maildir *md;
	struct stat st;
	char path[256];
	size_t n;

	fill(e, 3);
	md = opened(e, false);
	at_rest(md);
	at_rest(md);
	assert_true(snprintf(path, sizeof(path), "%s/dovecot-uidlist",
	    e->root) > 0);
	assert_int_equal(stat(path, &st), 0);
	write_text(e, "new/2000.M1P1.h", "x\n");
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	now = before;
	now.rlim_cur = (rlim_t)st.st_size;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
	(void)!maildir_refresh(md, &c, &n);	/* it may fail, or show 3 */
	assert_int_equal(maildir_count(md), 3);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	at_rest(md);
	assert_int_equal(maildir_count(md), 4);
	maildir_close(md);
}

/* A session that has not looked since does not make others believe what it
 * remembers. */
static void
test_stale_session(void **state)
{
	struct env *e = *state;
	struct maildir_flags f = { MAILDIR_SEEN, 0 };
	struct maildir *a, *b, *c;
	uint32_t uid = 2;
	size_t n;

	fill(e, 5);
	a = opened(e, false);
	at_rest(a);
	b = opened(e, false);
	at_rest(b);
	assert_int_equal(maildir_expunge(b, &uid, 1, &n), 0);
	uid = 4;
	assert_int_equal(maildir_store_flags(b, &uid, 1, MAILDIR_ADD, &f, &n),
	    0);
	at_rest(b);
	f.sys = MAILDIR_FLAGGED;
	uid = 3;
	assert_int_equal(maildir_store_flags(a, &uid, 1, MAILDIR_ADD, &f, &n),
	    0);
	for (int i = 0; i < 2; i++) {
		c = opened(e, true);
		assert_int_equal(maildir_count(c), 4);
		assert_int_equal(msg_at(c, 1).flags.sys, MAILDIR_FLAGGED);
		assert_int_equal(msg_at(c, 2).flags.sys, MAILDIR_SEEN);
		maildir_close(c);
		at_rest(a);
		at_rest(b);
	}
	assert_int_equal(maildir_count(a), 4);
	assert_true(maildir_highestmodseq(a) == maildir_highestmodseq(b));
	maildir_close(a);
	maildir_close(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f)	cmocka_unit_test_setup_teardown(f, env_setup, env_teardown)
		TEST(test_put_back),
		TEST(test_one_base_many_uids),
		TEST(test_words_in_a_new_index),
		TEST(test_time_put_back),
		TEST(test_no_room_for_uids),
		TEST(test_stale_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
