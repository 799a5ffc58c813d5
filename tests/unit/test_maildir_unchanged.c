/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Flags changed on condition (RFC 7162 3.1.3), and what others do at the same
 * moment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/syscall.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/maildir_acts.h"

#define ANSWERED	MAILDIR_ANSWERED
#define FLAGGED		MAILDIR_FLAGGED
#define SEEN		MAILDIR_SEEN

/* ---- somebody else, in the last moment ------------------------------- */

static struct env *intruder_env;
static unsigned intruder_uid;		/* 0: nobody comes */
static const char *intruder_flags;	/* NULL: the file is removed */

#ifdef HAVE_RENAMEAT2
/* In place of the C library's: replace.c calls it for each change of flags. */
int
renameat2(int fromdir, const char *from, int todir, const char *to,
    unsigned flags)
{
	unsigned uid = intruder_uid;

	intruder_uid = 0;
	if (uid != 0 && intruder_flags != NULL)
		act_foreign(intruder_env, uid, intruder_flags);
	else if (uid != 0)
		act_foreign_unlink(intruder_env, uid);
	return (int)syscall(SYS_renameat2, fromdir, from, todir, to, flags);
}
#endif

/* Before the next rename, this is done to a message. */
static void
intrude(struct env *e, unsigned uid, const char *flags)
{
#ifndef HAVE_RENAMEAT2
	skip();
#endif
	intruder_env = e;
	intruder_uid = uid;
	intruder_flags = flags;
}

/* ---- the call -------------------------------------------------------- */

/* On messages 1 to n; which of them failed, as text. */
static const char *
store(struct maildir *md, unsigned n, enum maildir_store_op op, uint32_t sys,
    uint64_t kw, uint64_t since)
{
	static char text[64];
	const struct maildir_flags flags = { sys, kw };
	uint32_t uids[10] = { 0 };
	bool failed[10];
	size_t done;

	for (unsigned i = 0; i < n; i++)
		uids[i] = i + 1;
	assert_int_equal(maildir_store_unchanged(md, uids, n, op, &flags,
	    since, failed, &done), 0);
	assert_int_equal(done, n);
	text[0] = '\0';
	for (unsigned i = 0; i < n; i++)
		if (failed[i])
			snprintf(text + strlen(text),
			    sizeof(text) - strlen(text), "%u ", i + 1);
	return text;
}

static uint32_t
sys_of(struct maildir *md, uint32_t uid)
{
	return act_get(md, uid).flags.sys;
}

/* ---- tests ----------------------------------------------------------- */

static void
test_all_pass(void **state)
{
	struct env *e = *state;
	struct maildir *md;
	uint64_t since;

	act_deliver(e, 1, 3);
	md = act_open(e);
	since = maildir_highestmodseq(md);
	assert_string_equal(store(md, 3, MAILDIR_ADD, SEEN, 0, since), "");
	for (uint32_t uid = 1; uid <= 3; uid++) {
		assert_int_equal(sys_of(md, uid), SEEN);
		assert_true(act_modseq(md, uid) > since);
		assert_int_equal(act_modseq(md, uid),
		    maildir_highestmodseq(md));
	}
	/* Again: nothing changes, so nothing gets a new one. */
	since = maildir_highestmodseq(md);
	assert_string_equal(store(md, 3, MAILDIR_ADD, SEEN, 0, since), "");
	assert_int_equal(maildir_highestmodseq(md), since);
	/* Our own change is a change, too. */
	act_set(md, 2, FLAGGED);
	assert_string_equal(store(md, 3, MAILDIR_SET, 0, 0, since), "2 ");
	assert_int_equal(sys_of(md, 2), FLAGGED);
	assert_string_equal(store(md, 3, MAILDIR_ADD, SEEN, 0, 0), "1 2 3 ");
	maildir_close(md);
}

/* Another session, a foreign program, and both have not been noticed yet. */
static void
test_others(void **state)
{
	struct env *e = *state;
	struct maildir *a, *b;
	uint64_t since;

	act_deliver(e, 1, 4);
	a = act_open(e);
	b = act_open(e);
	act_refresh(a);
	since = maildir_highestmodseq(a);
	act_set(b, 2, SEEN);
	act_foreign(e, 3, "F");
	act_foreign_unlink(e, 4);
	assert_string_equal(store(a, 4, MAILDIR_SET, ANSWERED, 0, since),
	    "2 3 ");
	assert_int_equal(sys_of(a, 1), ANSWERED);
	assert_int_equal(sys_of(a, 2), SEEN);
	assert_int_equal(sys_of(a, 3), FLAGGED);
	/* What was seen on the way is news. */
	assert_true(act_refresh(a) >= 3);
	act_refresh(b);
	act_agree(a, b);
	assert_true(act_modseq(a, 3) > since);
	maildir_close(a);
	maildir_close(b);
}

/* RFC 7162 3.1.12: a change of other flags is none. */
static void
test_other_flags(void **state)
{
	struct env *e = *state;
	struct maildir *a, *b;
	uint64_t since, later;
	size_t kw;

	act_deliver(e, 1, 4);
	a = act_open(e);
	assert_int_equal(maildir_keyword(a, SPAN("Junk"), true, &kw), 0);
	b = act_open(e);
	act_refresh(a);
	since = maildir_highestmodseq(a);
	act_set(b, 1, SEEN);
	act_set(b, 2, SEEN | FLAGGED);
	act_store(b, 3, MAILDIR_ADD, 0, UINT64_C(1) << kw);
	assert_string_equal(store(a, 4, MAILDIR_ADD, FLAGGED,
	    UINT64_C(1) << kw, since), "2 3 ");
	assert_int_equal(sys_of(a, 1), SEEN | FLAGGED);
	assert_int_equal(sys_of(a, 2), SEEN | FLAGGED);
	assert_int_equal(act_get(a, 2).flags.kw, 0);
	assert_int_equal(sys_of(a, 3), 0);

	/* Not if this session did not know how things were at that time. */
	later = maildir_highestmodseq(a);
	act_refresh(b);
	act_set(b, 4, SEEN);
	since = maildir_highestmodseq(b);
	assert_true(since > later);
	act_set(b, 4, 0);
	assert_string_equal(store(a, 4, MAILDIR_ADD, SEEN, 0, since), "4 ");
	maildir_close(a);
	maildir_close(b);
}

/* Between the look and the rename. */
static void
test_last_moment(void **state)
{
	struct env *e = *state;
	struct maildir *md;
	uint64_t since;

	act_deliver(e, 1, 4);
	md = act_open(e);
	since = maildir_highestmodseq(md);
	intrude(e, 1, "F");
	assert_string_equal(store(md, 2, MAILDIR_SET, SEEN, 0, since), "1 ");
	assert_int_equal(sys_of(md, 1), FLAGGED);
	assert_int_equal(sys_of(md, 2), SEEN);
	/* One that comes later in the row. */
	since = maildir_highestmodseq(md);
	intrude(e, 3, "R");
	assert_string_equal(store(md, 4, MAILDIR_SET, SEEN, 0, since), "3 ");
	assert_int_equal(sys_of(md, 3), ANSWERED);
	/* Another flag; the same flag. */
	since = maildir_highestmodseq(md);
	intrude(e, 4, "FS");
	assert_string_equal(store(md, 4, MAILDIR_ADD, ANSWERED, 0, since), "");
	assert_int_equal(sys_of(md, 4), SEEN | FLAGGED | ANSWERED);
	since = maildir_highestmodseq(md);
	intrude(e, 4, "FS");
	assert_string_equal(store(md, 4, MAILDIR_REMOVE, ANSWERED, 0, since),
	    "4 ");
	/* Gone. */
	since = maildir_highestmodseq(md);
	intrude(e, 2, NULL);
	assert_string_equal(store(md, 4, MAILDIR_ADD, MAILDIR_DRAFT, 0,
	    since), "");
	assert_int_equal(sys_of(md, 1), SEEN | MAILDIR_DRAFT);
	maildir_close(md);
}

/* Keywords without a letter are on record only. */
static void
test_words(void **state)
{
	struct env *e = *state;
	struct maildir *a, *b;
	uint64_t since, bit;
	char name[16];
	size_t kw;

	act_deliver(e, 1, 3);
	a = act_open(e);
	for (unsigned i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "word%u", i);
		assert_int_equal(maildir_keyword(a, span_str(name), true,
		    &kw), 0);
		act_store(a, 1, MAILDIR_ADD, 0, UINT64_C(1) << kw);
	}
	bit = UINT64_C(1) << kw;
	b = act_open(e);
	act_refresh(a);
	since = maildir_highestmodseq(a);
	assert_int_equal(maildir_keyword(b, span_str(name), false, &kw), 0);
	act_store(b, 2, MAILDIR_ADD, 0, UINT64_C(1) << kw);
	assert_string_equal(store(a, 3, MAILDIR_ADD, 0, bit, since), "2 ");
	assert_true((act_get(a, 3).flags.kw & bit) != 0);
	act_refresh(a);
	act_refresh(b);
	act_agree(a, b);
	since = maildir_highestmodseq(a);
	act_store(b, 3, MAILDIR_REMOVE, 0, UINT64_C(1) << kw);
	assert_string_equal(store(a, 3, MAILDIR_SET, 0, 0, since), "3 ");
	assert_true(act_get(a, 1).flags.kw == 0);
	act_refresh(b);
	act_agree(a, b);
	maildir_close(a);
	maildir_close(b);
}

/* Without the lock there is no saying. */
static void
test_locked(void **state)
{
	const struct maildir_flags flags = { SEEN, 0 };
	struct env *e = *state;
	const uint32_t uid = 1;
	struct maildir *md;
	bool failed;
	size_t done;

	act_deliver(e, 1, 1);
	e->conf.lock_ms = 100;
	env_reopen(e);
	md = act_open(e);
	write_text(e, "dovecot-uidlist.lock", "1:otherhost\n");
	assert_int_equal(maildir_store_unchanged(md, &uid, 1, MAILDIR_ADD,
	    &flags, maildir_highestmodseq(md), &failed, &done), ERR_BUSY);
	assert_int_equal(done, 0);
	assert_int_equal(sys_of(md, 1), 0);
	remove_file(e, "dovecot-uidlist.lock");
	assert_string_equal(store(md, 1, MAILDIR_ADD, SEEN, 0,
	    maildir_highestmodseq(md)), "");
	maildir_close(md);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_pass, act_setup,
		    env_teardown),
		cmocka_unit_test_setup_teardown(test_others, act_setup,
		    env_teardown),
		cmocka_unit_test_setup_teardown(test_other_flags, act_setup,
		    env_teardown),
		cmocka_unit_test_setup_teardown(test_last_moment, act_setup,
		    env_teardown),
		cmocka_unit_test_setup_teardown(test_words, act_setup,
		    env_teardown),
		cmocka_unit_test_setup_teardown(test_locked, act_setup,
		    env_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
