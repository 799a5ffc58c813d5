/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * imapd.cache between two system calls of a session, on a disk that is full,
 * by a clock that is wrong, and made up by somebody who means harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "maildir/cachefile.h"
#include "tests/unit/maildir_acts.h"

#define MESSAGES	40u
#define A		SPAN("a kind 1")
#define B		SPAN("another kind 7")
#define DAY		(24 * 60 * 60)

/* ---- the system ----------------------------------------------------- */

static time_t clock_skew;		/* seconds */
static void (*before_flock)(void);	/* once */

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	long r = syscall(SYS_clock_gettime, id, ts);

	if (r == 0 && id == CLOCK_REALTIME)
		ts->tv_sec += clock_skew;
	return (int)r;
}

int
flock(int fd, int op)
{
	void (*fn)(void) = before_flock;

	before_flock = NULL;
	if (fn != NULL)
		fn();
	return (int)syscall(SYS_flock, fd, op);
}

/* ---- sessions ------------------------------------------------------- */

static struct env *env;

static unsigned
kind(struct maildir *md, struct span name)
{
	unsigned k;

	assert_int_equal(maildir_kind(md, name, &k), 0);
	return k;
}

/* Values are n bytes, each the UID. */
static void
keep(struct maildir *md, struct span name, uint32_t uid, size_t n)
{
	uint8_t *p = arena_alloc(env->arena, n);

	memset(p, (int)uid, n);
	maildir_keep(md, kind(md, name), uid, span_of(p, n));
}

static void
keep_all(struct maildir *md, struct span name, size_t n)
{
	for (uint32_t uid = 1; uid <= MESSAGES; uid++)
		keep(md, name, uid, n);
	maildir_keep_flush(md);
}

static unsigned
count(struct maildir *md, struct span name, size_t n)
{
	unsigned found = 0;

	for (uint32_t uid = 1; uid <= MESSAGES; uid++) {
		struct span s;

		if (!has_maildir_value(md, kind(md, name), uid, &s))
			continue;
		assert_int_equal(s.n, n);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(s.p[i], uid);
		found++;
	}
	return found;
}

/* In a session of its own. */
static unsigned
count_anew(struct span name, size_t n)
{
	struct maildir *md = act_open(env);
	unsigned found = count(md, name, n);

	maildir_close(md);
	return found;
}

static void
fill(void)
{
	struct maildir *md = act_open(env);

	keep_all(md, A, 20);
	maildir_close(md);
}

static int
setup(void **state)
{
	act_setup(state);
	env = *state;
	act_deliver(env, 1, MESSAGES);
	maildir_close(act_open(env));
	return 0;
}

/* The file by itself. */
static void
open_file(struct cachefile *f)
{
	struct maildir *md = act_open(env);
	int dir = open(env->root, O_RDONLY | O_DIRECTORY);

	cachefile_init(f);
	assert_int_equal(cachefile_open(f, dir, maildir_uidvalidity(md)), 0);
	maildir_close(md);
	close(dir);
}

/* ---- tests ---------------------------------------------------------- */

/* Two make the first file; the second has opened what the first one has just
 * put into its place. */
static void
test_two_new(void **state)
{
	struct maildir *md;

	(void)state;
	md = act_open(env);
	keep(md, B, 1, 7);
	before_flock = fill;
	maildir_keep_flush(md);
	assert_null(before_flock);
	assert_int_equal(count_anew(A, 20), MESSAGES);
	maildir_close(md);
	assert_int_equal(count_anew(A, 20), MESSAGES);
}

/* What a reader may have seen stays when the disk is full: its place must not
 * be taken by something else. */
static void
test_disk_full(void **state)
{
	struct rlimit old, small;
	struct cachefile f;
	struct maildir *md;
	struct stat st;
	char path[96];

	(void)state;
	fill();
	snprintf(path, sizeof(path), "%s/" CACHE_FILE, env->root);
	assert_int_equal(stat(path, &st), 0);
	md = act_open(env);
	for (uint32_t uid = 1; uid <= MESSAGES; uid++) {
		keep(md, SPAN("first"), uid, 20);
		keep(md, SPAN("second"), uid, 1000);
	}
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = (rlim_t)st.st_size + 20000;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	maildir_keep_flush(md);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	open_file(&f);
	assert_false(f.is_torn);
	cachefile_done(&f);
	assert_int_equal(count(md, SPAN("second"), 1000), 0);
	assert_int_equal(count_anew(SPAN("first"), 20), MESSAGES);
	keep_all(md, SPAN("second"), 1000);
	maildir_close(md);
	assert_int_equal(count_anew(SPAN("second"), 1000), MESSAGES);
	assert_int_equal(count_anew(A, 20), MESSAGES);
}

/* Something that cannot be replaced by a file: it is not tried. */
static void
test_no_file(void **state)
{
	struct maildir *md;

	(void)state;
	make_dir(env, CACHE_FILE);
	md = act_open(env);
	keep_all(md, A, 20);
	maildir_close(md);
	assert_int_equal(count_anew(A, 20), 0);
	assert_false(is_there(env, CACHE_TMP));
}

/* A computer that starts without knowing the time loses nothing. */
static void
test_clock_back(void **state)
{
	(void)state;
	fill();
	clock_skew = -time(NULL) + 5 * DAY;
	assert_int_equal(count_anew(B, 7), 0);
	clock_skew = 0;
	assert_int_equal(count_anew(A, 20), MESSAGES);
}

/* What was noted while the clock was ahead is noted again. */
static void
test_clock_ahead(void **state)
{
	struct cachefile f;

	(void)state;
	clock_skew = 1000 * DAY;
	fill();
	clock_skew = 0;
	assert_int_equal(count_anew(A, 20), MESSAGES);
	open_file(&f);
	for (unsigned i = 0; i < CACHE_KINDS; i++)
		if (f.kind[i].name != NULL)
			assert_true(f.kind[i].day <=
			    (uint32_t)(time(NULL) / DAY));
	cachefile_done(&f);
}

/* More blocks than anybody would write. */
static void
test_many_blocks(void **state)
{
	struct maildir *md;
	struct cachefile f;
	struct cachebatch b;
	struct buf out;
	int dir = open(env->root, O_RDONLY | O_DIRECTORY);

	(void)state;
	fill();
	open_file(&f);
	assert_int_equal(cachefile_lock(&f, dir), 0);
	cachebatch_init(&b);
	buf_init(&out, 100u * CACHE_BLOCKS_MAX);
	for (size_t i = 0; i < CACHE_BLOCKS_MAX; i++) {
		cachebatch_put(&b, 1000, SPAN_NONE);
		cachefile_put_block(&f, &out, 0, &b);
	}
	assert_int_equal(buf_err(&out), 0);
	assert_int_equal(cachefile_append(&f, buf_span(&out)), 0);
	cachefile_done(&f);
	open_file(&f);
	assert_int_equal(f.blocks.n, CACHE_BLOCKS_MAX);
	cachefile_done(&f);
	cachebatch_done(&b);
	buf_done(&out);
	md = act_open(env);
	assert_int_equal(count(md, A, 20), MESSAGES);
	keep_all(md, B, 7);
	maildir_close(md);		/* it is made smaller */
	md = act_open(env);
	keep_all(md, B, 7);
	maildir_close(md);
	assert_int_equal(count_anew(A, 20), MESSAGES);
	assert_int_equal(count_anew(B, 7), MESSAGES);
	open_file(&f);
	assert_true(f.blocks.n < 10);
	cachefile_done(&f);
	close(dir);
}

int
main(void)
{
#define T(name)	cmocka_unit_test_setup_teardown(name, setup, env_teardown)
	const struct CMUnitTest tests[] = {
		T(test_two_new), T(test_disk_full), T(test_no_file),
		T(test_clock_back), T(test_clock_ahead), T(test_many_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
