/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * What imapctl check -r does, stopped at every step, as by a power cut: run
 * again it comes to its end, and then nothing is found, the mail is what it
 * was, and UIDs, UIDVALIDITY and keywords are, too.  Needs configure
 * --enable-steps; without it only that all is mended.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/wait.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "maildir/check.h"
#include "maildir/step.h"
#include "tests/unit/maildir_env.h"

#define MESSAGES	4
#define STEPS_MAX	100

static const struct span inbox_level = SPAN("INBOX");
static const struct maildir_path inbox = { &inbox_level, 1 };

/* What must not change. */
struct before {
	uint32_t validity;
	uint32_t next;
	uint64_t highest;
	uint8_t guid[16];
};

/* ---- a mailbox, and damage ---------------------------------------------- */

static const char *const files[MESSAGES] = {
	"cur/1.M1P1.h,S=2:2,S", "cur/1.M2P1.h,S=2:2,a", "cur/1.M3P1.h,S=2:2,FR",
	"cur/1.M4P1.h,S=2:2,"
};

static const char *
text_of(size_t i)
{
	static const char *const text[MESSAGES] = { "0\n", "1\n", "2\n",
	    "3\n" };

	return text[i];
}

static void
prepare(struct env *e, struct before *before)
{
	const struct maildir_change *change;
	struct maildir *md;
	uint32_t gone;
	size_t n;

	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	assert_int_equal(maildir_keyword(md, SPAN("Junk"), true, &n), 0);
	assert_int_equal(n, 0);
	maildir_close(md);
	for (size_t i = 0; i < MESSAGES; i++)
		write_text(e, files[i], text_of(i));
	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	/* Some of it in the journal: one came, and went. */
	write_text(e, "cur/1.M5P1.h,S=2:2,", "4\n");
	assert_int_equal(maildir_refresh(md, &change, &n), 0);
	assert_int_equal(maildir_count(md), MESSAGES + 1);
	gone = MESSAGES + 1;
	assert_int_equal(maildir_expunge(md, &gone, 1, &n), 0);
	assert_int_equal(n, 1);
	before->validity = maildir_uidvalidity(md);
	before->next = maildir_uidnext(md);
	before->highest = maildir_highestmodseq(md);
	memcpy(before->guid, maildir_guid(md), sizeof(before->guid));
	maildir_close(md);
}

/* One byte of a file is another; a negative offset counts from its end. */
static void
flip(struct env *e, const char *rel, long at)
{
	struct span s = read_text(e, rel);
	uint8_t *copy = arena_alloc(e->arena, s.n);

	memcpy(copy, s.p, s.n);
	copy[at < 0 ? s.n - (size_t)-at : (size_t)at] ^= 1;
	write_bytes(e, rel, copy, s.n);
}

static void
append_text(struct env *e, const char *rel, const char *text)
{
	struct span s = read_text(e, rel);
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_put_span(&b, s);
	buf_puts(&b, text);
	write_bytes(e, rel, b.p, b.n);
	buf_done(&b);
}

static void
no_list(struct env *e)
{
	remove_file(e, "dovecot-uidlist");
}

/* The lines of two messages are no lines. */
static void
bad_lines(struct env *e)
{
	struct span s = read_text(e, "dovecot-uidlist");
	size_t header = span_find(s, '\n') + 1;

	flip(e, "dovecot-uidlist", (long)header + 1);
	append_text(e, "dovecot-uidlist", "no line at all");
}

static void
bad_header(struct env *e)
{
	flip(e, "dovecot-uidlist", 0);
}

static void
bad_keywords(struct env *e)
{
	append_text(e, "dovecot-keywords", "what\n0 Again\n");
}

static void
bad_index(struct env *e)
{
	flip(e, "imapd.index", 260);
}

static void
no_index(struct env *e)
{
	remove_file(e, "imapd.index");
}

static void
no_journal(struct env *e)
{
	remove_file(e, "imapd.journal");
}

static void
torn_journal(struct env *e)
{
	append_text(e, "imapd.journal", "torn");
}

static void
bad_journal(struct env *e)
{
	flip(e, "imapd.journal", 40);
}

static void
much(struct env *e)
{
	char path[128];

	bad_lines(e);
	bad_keywords(e);
	bad_journal(e);
	assert_true(snprintf(path, sizeof(path), "%s/tmp", e->root) > 0);
	assert_int_equal(rmdir(path), 0);
}

static const struct damage {
	const char *name;
	void (*make)(struct env *e);
	bool is_of_list;	/* a session would give new UIDs */
} damages[] = {
	{ "no list", no_list, true }, { "bad lines", bad_lines, true },
	{ "bad header", bad_header, true },
	{ "bad keywords", bad_keywords, false },
	{ "bad index", bad_index, false }, { "no index", no_index, false },
	{ "no journal", no_journal, false },
	{ "torn journal", torn_journal, false },
	{ "bad journal", bad_journal, false }, { "much", much, true }
};

#define NDAMAGES	(sizeof(damages) / sizeof(damages[0]))

/* ---- the check ----------------------------------------------------------- */

static void
ignore(void *arg, const struct check_found *f)
{
	(void)arg;
	(void)f;
}

/* The number of findings. */
static size_t
run_check(struct env *e, bool mend)
{
	struct check_args args = { .root = e->root, .mend = mend,
	    .found = ignore };
	struct check_sum sum = { 0, 0 };

	assert_int_equal(check_mailbox(e->store, &inbox, &args, &sum), 0);
	if (mend)
		assert_int_equal(sum.left, 0);
	return sum.found;
}

/* The mail is there, under its names. */
static void
check_files(struct env *e)
{
	for (size_t i = 0; i < MESSAGES; i++)
		assert_true(is_span_eq(read_text(e, files[i]),
		    span_str(text_of(i))));
}

static void
check_mailbox_is(struct env *e, const struct before *before)
{
	static const uint32_t sys[MESSAGES] = { MAILDIR_SEEN, 0,
	    MAILDIR_FLAGGED | MAILDIR_ANSWERED, 0 };
	struct maildir *md;
	size_t n;

	check_files(e);
	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	assert_int_equal(maildir_count(md), MESSAGES);
	for (uint32_t i = 0; i < MESSAGES; i++) {
		struct maildir_file *f;
		struct maildir_msg m;
		char text[8] = "";

		maildir_get(md, i, &m);
		assert_int_equal(m.uid, i + 1);
		assert_int_equal(m.flags.sys, sys[i]);
		assert_int_equal(m.flags.kw, i == 1);
		assert_int_equal(maildir_file_open(md, m.uid, &f), 0);
		assert_int_equal(maildir_file_read(f, 0, text, 7, &n), 0);
		maildir_file_close(f);
		assert_string_equal(text, text_of(i));
	}
	assert_true(is_span_eq(maildir_keyword_name(md, 0), SPAN("Junk")));
	assert_int_equal(maildir_uidvalidity(md), before->validity);
	assert_true(maildir_uidnext(md) >= before->next);
	assert_true(maildir_highestmodseq(md) >= before->highest);
	maildir_close(md);
}

static void
test_mend(void **state)
{
	for (size_t i = 0; i < NDAMAGES; i++) {
		struct before before;
		struct env *e;

		assert_int_equal(env_setup(state), 0);
		e = *state;
		prepare(e, &before);
		assert_int_equal(run_check(e, true), 0);
		damages[i].make(e);
		assert_true(run_check(e, false) > 0);
		assert_true(run_check(e, true) > 0);
		assert_int_equal(run_check(e, false), 0);
		check_mailbox_is(e, &before);
		assert_int_equal(run_check(e, false), 0);
		env_teardown(state);
	}
}

/* ---- stopped ------------------------------------------------------------- */

#ifdef ENABLE_STEPS

/* A child of ours that mends and is stopped at the nth step.  True if it got to
 * its end before. */
static bool
mend_until(struct env *e, int nth)
{
	char step[32];
	int status;
	pid_t pid;

	assert_true(snprintf(step, sizeof(step), "*:%d", nth) > 0);
	pid = fork();
	if (pid == 0) {
		struct check_args args = { .root = e->root, .mend = true,
		    .found = ignore };
		struct check_sum sum = { 0, 0 };

		setenv("IMAPD_STEP", step, 1);
		/* its own pid in the lock */
		maildir_store_free(e->store);
		if (maildir_store_open(&e->conf, &e->store) != 0)
			_exit(1);
		_exit(check_mailbox(e->store, &inbox, &args, &sum) == 0 ? 0 :
		    2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 0)
		assert_int_equal(WEXITSTATUS(status), STEP_EXIT);
	return WEXITSTATUS(status) == 0;
}

/* Afterwards it is run again; or, if by_session is true, a session comes first.
 */
static bool
stop_at(const struct damage *d, int nth, bool by_session)
{
	struct before before;
	bool is_end;
	struct env *e;
	void *env;

	assert_int_equal(env_setup(&env), 0);
	e = env;
	prepare(e, &before);
	d->make(e);
	is_end = mend_until(e, nth);
	/* A lock of a dead process: time would override it. */
	if (is_there(e, "dovecot-uidlist.lock"))
		remove_file(e, "dovecot-uidlist.lock");
	env_reopen(e);
	check_files(e);
	if (by_session)
		check_mailbox_is(e, &before);
	(void)run_check(e, true);
	assert_int_equal(run_check(e, false), 0);
	check_mailbox_is(e, &before);
	assert_false(is_there(e, "dovecot-uidlist.lock"));
	assert_int_equal(env_teardown(&env), 0);
	return is_end;
}

static void
test_stopped(void **state)
{
	(void)state;
	for (size_t i = 0; i < NDAMAGES; i++) {
		bool is_end = false;
		int nth;

		for (nth = 1; !is_end && nth < STEPS_MAX; nth++) {
			is_end = stop_at(&damages[i], nth, false);
			if (!damages[i].is_of_list)
				(void)stop_at(&damages[i], nth, true);
		}
		print_message("%s: stopped at %d steps\n", damages[i].name,
		    nth - 2);
		assert_true(is_end && nth > 2);
	}
}

#else

static void
test_stopped(void **state)
{
	(void)state;
	skip();
}

#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mend),
		cmocka_unit_test(test_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
