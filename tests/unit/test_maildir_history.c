/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Mod-sequences and what has vanished: over sessions and between them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/syscall.h>
#include <sys/wait.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/maildir_acts.h"

/* ---- changes ---- */

static void
test_changes(void **state)
{
	struct env *e = *state;
	struct maildir *a, *b;
	uint64_t last, was[4];
	size_t kw;

	act_deliver(e, 1, 3);
	a = act_open(e);
	b = act_open(e);
	for (uint32_t i = 1; i <= 3; i++)
		was[i] = act_modseq(a, i);
	last = maildir_highestmodseq(a);
	act_set(a, 1, MAILDIR_SEEN);
	assert_true(act_modseq(a, 1) > last);
	assert_int_equal(act_modseq(a, 1), maildir_highestmodseq(a));
	assert_int_equal(act_modseq(a, 2), was[2]);
	last = maildir_highestmodseq(a);

	/* by nobody: it is so already */
	act_store(a, 1, MAILDIR_ADD, MAILDIR_SEEN, 0);
	assert_int_equal(maildir_highestmodseq(a), last);

	act_set(b, 2, MAILDIR_FLAGGED);
	assert_true(act_modseq(b, 2) > last);
	act_refresh(a);
	act_refresh(b);
	act_agree(a, b);
	last = maildir_highestmodseq(a);

	act_foreign(e, 3, "T");
	act_refresh(b);
	act_refresh(a);
	assert_true(act_modseq(a, 3) > last);
	act_agree(a, b);
	last = maildir_highestmodseq(a);

	assert_int_equal(maildir_keyword(a, SPAN("Junk"), true, &kw), 0);
	act_store(a, 1, MAILDIR_ADD, 0, UINT64_C(1) << kw);
	assert_true(act_modseq(a, 1) > last);
	last = maildir_highestmodseq(a);

	act_deliver(e, 4, 1);
	act_refresh(a);
	assert_true(act_modseq(a, 4) > last);
	last = maildir_highestmodseq(a);

	act_expunge(b, 2);
	act_refresh(a);
	act_refresh(b);
	assert_true(maildir_highestmodseq(a) > last);
	act_vanished(e, a, last, "2");
	act_vanished(e, b, last, "2");
	act_agree(a, b);
	maildir_close(a);
	maildir_close(b);
}

/* Each in its turn, and a foreign program. */
static void
test_turns(void **state)
{
	struct env *e = *state;
	struct maildir *md[2];

	act_deliver(e, 1, 8);
	md[0] = act_open(e);
	md[1] = act_open(e);
	for (unsigned i = 0; i < 60; i++) {
		uint32_t uid = i % 8 + 1;

		if (i % 5 == 4)
			act_foreign(e, uid, i % 2 == 0 ? "S" : "FS");
		else
			act_set(md[i % 2], uid, 1 + i % 31);
		if (i % 3 == 0)
			act_refresh(md[0]);
		if (i % 4 != 0)
			continue;
		act_refresh(md[1]);
		act_refresh(md[0]);
		act_refresh(md[1]);
		act_agree(md[0], md[1]);
	}
	maildir_close(md[0]);
	maildir_close(md[1]);
}

/* One change, seen by two sessions and by one that comes later. */
static void
test_seen_twice(void **state)
{
	struct env *e = *state;
	struct maildir *a, *b, *c;

	act_deliver(e, 1, 2);
	a = act_open(e);
	b = act_open(e);
	act_foreign(e, 1, "F");
	act_refresh(a);
	act_refresh(b);
	c = act_open(e);
	act_agree(a, b);
	act_agree(a, c);
	maildir_close(c);
	maildir_close(b);
	maildir_close(a);
	c = act_open(e);
	assert_int_equal(act_get(c, 1).flags.sys, MAILDIR_FLAGGED);
	maildir_close(c);
}

static void
test_reopen(void **state)
{
	struct env *e = *state;
	struct maildir *md;
	uint64_t highest, was[6];

	act_deliver(e, 1, 5);
	md = act_open(e);
	act_set(md, 2, MAILDIR_SEEN);
	act_set(md, 4, MAILDIR_SEEN);
	for (int k = 0; k < 3; k++) {
		highest = maildir_highestmodseq(md);
		for (uint32_t i = 1; i <= 5; i++)
			was[i] = act_modseq(md, i);
		maildir_close(md);
		if (k == 1)
			usleep(TICK_US);
		md = act_open(e);
		assert_int_equal(maildir_highestmodseq(md), highest);
		for (uint32_t i = 1; i <= 5; i++)
			assert_int_equal(act_modseq(md, i), was[i]);
	}
	maildir_close(md);
	act_foreign(e, 5, "R");
	md = act_open(e);
	assert_true(act_modseq(md, 5) > highest);
	assert_int_equal(act_modseq(md, 4), was[4]);
	maildir_close(md);
}

static void
run_compaction(struct env *e, int times)
{
	struct maildir *a, *b;
	uint64_t start, was;

	act_deliver(e, 1, 200);
	a = act_open(e);
	b = act_open(e);
	start = maildir_highestmodseq(b);
	act_expunge(b, 150);
	act_set(b, 7, MAILDIR_SEEN);
	for (int i = 0; i < times; i++) {
		act_compact(e, b, 200);
		act_set(b, 9, i % 2 == 0 ? MAILDIR_SEEN : MAILDIR_FLAGGED);
	}
	act_expunge(b, 151);
	act_deliver(e, 201, 1);
	act_refresh(b);
	act_refresh(a);
	act_refresh(b);
	act_agree(a, b);
	act_vanished(e, b, start, "150 151");
	act_vanished(e, a, start, "150 151");
	was = act_modseq(b, 7);
	act_set(a, 8, MAILDIR_SEEN);
	act_refresh(b);
	act_agree(a, b);
	maildir_close(a);
	maildir_close(b);
	a = act_open(e);
	assert_int_equal(act_modseq(a, 7), was);
	act_vanished(e, a, start, "150 151");
	maildir_close(a);
}

static void
test_compaction_once(void **state)
{
	run_compaction(*state, 1);
}

static void
test_compaction_twice(void **state)
{
	run_compaction(*state, 2);
}

static void
test_compaction_often(void **state)
{
	run_compaction(*state, 5);
}

/* ---- vanished ---- */

static void
test_vanished(void **state)
{
	struct env *e = *state;
	struct maildir *md;
	uint64_t h0, h1, h2;

	act_deliver(e, 1, 6);
	md = act_open(e);
	h0 = maildir_highestmodseq(md);
	act_vanished(e, md, h0, "");
	act_expunge(md, 2);
	h1 = maildir_highestmodseq(md);
	assert_true(h1 > h0);
	maildir_close(md);
	act_foreign_unlink(e, 5);		/* while nobody looks */
	md = act_open(e);
	h2 = maildir_highestmodseq(md);
	assert_true(h2 > h1);
	act_vanished(e, md, h0, "2 5");
	act_vanished(e, md, h1, "5");
	act_vanished(e, md, h2, "");
	act_foreign_unlink(e, 1);		/* while somebody does */
	act_refresh(md);
	act_vanished(e, md, h1, "1 5");
	act_vanished(e, md, h2, "1");
	maildir_close(md);
	/* below the floor: what was before the record */
	md = act_open(e);
	act_vanished(e, md, 0, "gone");
	act_vanished(e, md, h0, "1 2 5");
	maildir_close(md);
	/* and lost with it */
	remove_file(e, JOURNAL);
	md = act_open(e);
	act_vanished(e, md, h2, "gone");
	act_vanished(e, md, maildir_highestmodseq(md), "");
	maildir_close(md);
}

/* A file that was removed, and is put back under its old name. */
static void
test_put_back(void **state)
{
	struct env *e = *state;
	struct maildir *md;
	uint64_t h0;

	act_deliver(e, 1, 3);
	md = act_open(e);
	h0 = maildir_highestmodseq(md);
	act_expunge(md, 2);
	maildir_close(md);
	write_text(e, "cur/2.M1P1.h:2,S", "x\n");
	md = act_open(e);
	for (size_t i = 0; i < maildir_count(md); i++) {
		struct maildir_msg m;

		maildir_get(md, i, &m);
		assert_true(m.uid != 2 || m.modseq > h0);
	}
	/* It has its UID again: then it is not gone. */
	act_vanished(e, md, h0, maildir_find(md, 2) <
	    maildir_find(md, 3) ? "" : "2");
	maildir_close(md);
}

/* The same while a session looks, which does not show it: the next one does,
 * although nothing has changed since. */
static void
test_put_back_open(void **state)
{
	struct env *e = *state;
	struct maildir *md;

	act_deliver(e, 1, 3);
	md = act_open(e);
	act_expunge(md, 2);
	act_refresh(md);
	write_text(e, "cur/2.M1P1.h:2,S", "x\n");
	act_refresh(md);
	usleep(TICK_US);
	act_refresh(md);
	assert_int_equal(maildir_count(md), 2);
	maildir_close(md);
	md = act_open(e);
	assert_int_equal(maildir_count(md), 3);
	assert_int_equal(act_get(md, 2).flags.sys, MAILDIR_SEEN);
	maildir_close(md);
}

/* Older ones than HISTORY_GONE_MAX are forgotten, and the floor says so. */
static void
test_vanished_bound(void **state)
{
	struct env *e = *state;
	const unsigned most = 65536, extra = 200;
	struct maildir *md;
	uint32_t *uids, *gone;
	uint64_t h0, h1;
	size_t n;

	uids = arena_array(e->arena, most + extra, sizeof(*uids));
	/* the last to be delivered are the first in the list */
	act_deliver(e, 1, most + 2 * extra);
	md = act_open(e);
	h0 = maildir_highestmodseq(md);
	for (uint32_t i = 0; i < most + extra; i++)
		uids[i] = extra + i + 1;
	assert_int_equal(maildir_expunge(md, uids, extra, &n), 0);
	h1 = maildir_highestmodseq(md);
	assert_int_equal(maildir_expunge(md, uids + extra, most, &n), 0);
	/* a new index, which is where they are forgotten */
	act_compact(e, md, extra);
	maildir_close(md);
	md = act_open(e);
	act_vanished(e, md, h0, "gone");
	assert_int_equal(maildir_vanished(md, h1, e->arena, &gone, &n), 0);
	assert_int_equal(n, most);
	maildir_close(md);
}

/* ---- keywords without letters ---- */

static void
test_words(void **state)
{
	struct env *e = *state;
	struct maildir *md, *other;
	uint64_t bit, last;
	size_t kw;

	act_deliver(e, 1, 200);
	md = act_open(e);
	other = act_open(e);
	for (int i = 0; i < 30; i++) {
		char name[16];

		snprintf(name, sizeof(name), "word%d", i);
		assert_int_equal(maildir_keyword(md, span_str(name), true,
		    &kw), 0);
	}
	assert_true(kw >= 26);
	bit = UINT64_C(1) << kw;
	last = maildir_highestmodseq(md);
	act_store(md, 3, MAILDIR_ADD, 0, bit);
	assert_true(act_modseq(md, 3) > last);
	act_refresh(other);
	assert_true((act_get(other, 3).flags.kw & bit) != 0);
	assert_true(is_span_eq(maildir_keyword_name(other, kw),
	    SPAN("word29")));
	act_refresh(md);
	act_agree(md, other);
	act_compact(e, md, 200);
	act_foreign(e, 3, "S");
	act_refresh(other);
	act_refresh(md);
	act_agree(md, other);
	maildir_close(other);
	maildir_close(md);
	md = act_open(e);
	assert_int_equal(act_get(md, 3).flags.kw, bit);
	assert_int_equal(maildir_keyword(md, SPAN("word29"), false, &kw), 0);
	assert_int_equal(bit, UINT64_C(1) << kw);
	maildir_close(md);
}

/* ---- at rest ---- */

/* How often directories were read, by the first letter of their name. */
static unsigned reads_of_new, reads_of_other;

/* In place of the C library's: scan.c calls it for getdents64. */
long
syscall(long number, ...)
{
	static long (*real)(long, ...);
	char link[64], path[512] = "";
	long a[3];
	va_list ap;

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	va_start(ap, number);
	for (int i = 0; i < 3; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_getdents64) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", (int)a[0]);
		if (readlink(link, path, sizeof(path) - 1) > 4 &&
		    strcmp(path + strlen(path) - 4, "/new") == 0)
			reads_of_new++;
		else
			reads_of_other++;
	}
	return real(number, a[0], a[1], a[2]);
}

/* A session in which nothing happens. */
static void
look_in(struct env *e, size_t count)
{
	struct maildir_status st;
	struct maildir *md;

	reads_of_new = reads_of_other = 0;
	md = act_open(e);
	act_refresh(md);
	act_refresh(md);
	assert_int_equal(maildir_count(md), count);
	maildir_close(md);
	assert_int_equal(maildir_status(e->store, &act_inbox, false, &st), 0);
	assert_int_equal(st.messages, count);
}

static void
test_at_rest(void **state)
{
	struct env *e = *state;
	struct maildir *md;

	act_deliver(e, 1, 50);
	md = act_open(e);
	act_set(md, 3, MAILDIR_SEEN);
	usleep(TICK_US);
	act_refresh(md);
	maildir_close(md);
	for (int i = 0; i < 2; i++) {
		look_in(e, 50);
		assert_int_equal(reads_of_new + reads_of_other, 0);
	}
	act_deliver(e, 51, 1);
	usleep(TICK_US);
	reads_of_new = reads_of_other = 0;
	md = act_open(e);
	assert_int_equal(maildir_count(md), 51);
	assert_true(reads_of_new > 0);
	assert_int_equal(reads_of_other, 0);
	maildir_close(md);
	act_foreign(e, 4, "F");
	usleep(TICK_US);
	look_in(e, 51);
	assert_true(reads_of_other > 0);
	md = act_open(e);
	usleep(TICK_US);
	act_refresh(md);
	maildir_close(md);
	look_in(e, 51);
	assert_int_equal(reads_of_new + reads_of_other, 0);
}

/* ---- the rest ---- */

static void
test_validity(void **state)
{
	struct env *e = *state;
	struct maildir *md;
	uint64_t last;

	act_deliver(e, 1, 3);
	md = act_open(e);
	act_expunge(md, 2);
	last = maildir_highestmodseq(md);
	maildir_close(md);
	usleep(TICK_US);
	write_text(e, "dovecot-uidlist",
	    "3 V99 N20 G888d381620b5006b6152000083ecc375\n"
	    "11 :3.M1P1.h\n12 :1.M1P1.h\n");
	md = act_open(e);
	assert_int_equal(maildir_uidvalidity(md), 99);
	assert_int_equal(maildir_count(md), 2);
	assert_true(act_modseq(md, 11) > last && act_modseq(md, 12) > last);
	act_vanished(e, md, last, "gone");
	act_vanished(e, md, maildir_highestmodseq(md), "");
	maildir_close(md);
	md = act_open(e);
	assert_int_equal(maildir_count(md), 2);
	(void)act_modseq(md, 12);
	maildir_close(md);
}

#define MUST(x)	do {							\
	if (!(x)) {							\
		fprintf(stderr, "line %d: %s\n", __LINE__, #x);		\
		_exit(1);						\
	}								\
} while (0)

/* In a process of its own, which is not root and so may not write. */
static void
be_reader(struct env *e, size_t count)
{
	struct maildir *md;
	uint64_t first = 0;

	MUST(geteuid() != 0 || setuid(65534) == 0);
	for (int i = 0; i < 3; i++) {
		const struct maildir_change *c;
		size_t n;

		MUST(maildir_open(e->store, &act_inbox, false, &md) == 0);
		MUST(maildir_count(md) == count);
		if (i == 0)
			first = maildir_highestmodseq(md);
		MUST(first >= 1 && maildir_highestmodseq(md) == first);
		MUST(maildir_refresh(md, &c, &n) == 0);
		MUST(maildir_highestmodseq(md) == first);
		maildir_close(md);
		usleep(2000);
	}
	_exit(0);
}

static void
check_reader(struct env *e, size_t count)
{
	static const char *const files[] = {
		"dovecot-uidlist", INDEX, JOURNAL, "dovecot-keywords"
	};
	int status;
	pid_t pid;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (is_there(e, files[i]))
			change_mode(e, files[i], 0644);
	usleep(TICK_US);
	change_mode(e, "", 0555);
	change_mode(e, "cur", 0555);
	change_mode(e, "new", 0555);
	pid = fork();
	if (pid == 0)
		be_reader(e, count);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	change_mode(e, "", 0755);
	change_mode(e, "cur", 0755);
	change_mode(e, "new", 0755);
}

/* Mail that may only be read: all sessions say the same. */
static void
test_readonly(void **state)
{
	struct env *e = *state;
	struct maildir *md;

	write_text(e, "cur/1.M1P1.h:2,S", "x\n");
	check_reader(e, 1);
	md = act_open(e);
	act_set(md, 1, MAILDIR_FLAGGED);
	maildir_close(md);
	check_reader(e, 1);
	act_deliver(e, 2, 1);
	act_foreign(e, 1, "R");
	check_reader(e, 2);
}

int
main(void)
{
#define T(name)	cmocka_unit_test_setup_teardown(name, act_setup, env_teardown)
	const struct CMUnitTest tests[] = {
		T(test_changes), T(test_turns), T(test_seen_twice),
		T(test_reopen), T(test_compaction_once),
		T(test_compaction_twice), T(test_compaction_often),
		T(test_vanished), T(test_put_back), T(test_put_back_open),
		T(test_vanished_bound), T(test_words), T(test_validity),
		T(test_at_rest), T(test_readonly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
