/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * imapd.cache: what was kept comes back, or nothing does; whatever has happened
 * to the file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/wait.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maildir/cachefile.h"
#include "tests/unit/maildir_acts.h"

#define MESSAGES	40u
#define A		SPAN("a kind 1")
#define B		SPAN("another kind 7")

static unsigned
kind(struct maildir *md, struct span name)
{
	unsigned k;

	assert_int_equal(maildir_kind(md, name, &k), 0);
	return k;
}

/* A value that cannot be taken for that of another kind or message. */
static struct span
value(struct env *e, struct span name, uint32_t uid, size_t n)
{
	char *p = arena_alloc(e->arena, n + 64);
	int len = snprintf(p, 64, "%.*s of %u ", (int)name.n,
	    (const char *)name.p, (unsigned)uid);

	assert_true(len > 0 && len < 64);
	memset(p + len, 'x', n);
	return span_of(p, (size_t)len + n);
}

static void
keep(struct env *e, struct maildir *md, struct span name, uint32_t uid,
    size_t n)
{
	maildir_keep(md, kind(md, name), uid, value(e, name, uid, n));
}

static bool
is_kept(struct env *e, struct maildir *md, struct span name, uint32_t uid,
    size_t n)
{
	struct span s;

	if (!has_maildir_value(md, kind(md, name), uid, &s))
		return false;
	assert_true(is_span_eq(s, value(e, name, uid, n)));
	return true;
}

/* How many of the messages have a value. */
static unsigned
count(struct env *e, struct maildir *md, struct span name, size_t n)
{
	unsigned found = 0;

	for (uint32_t uid = 1; uid <= MESSAGES; uid++)
		found += is_kept(e, md, name, uid, n) ? 1 : 0;
	return found;
}

static void
fill(struct env *e, struct span name, size_t n)
{
	struct maildir *md = act_open(e);

	for (uint32_t uid = 1; uid <= MESSAGES; uid++)
		keep(e, md, name, uid, n);
	maildir_close(md);
}

static int
setup(void **state)
{
	struct env *e;

	act_setup(state);
	e = *state;
	act_deliver(e, 1, MESSAGES);
	maildir_close(act_open(e));
	return 0;
}

static void
test_kept(void **state)
{
	struct env *e = *state;
	struct maildir *md = act_open(e), *other;

	assert_false(is_there(e, CACHE_FILE));
	assert_int_equal(count(e, md, A, 10), 0);
	keep(e, md, A, 3, 10);
	keep(e, md, B, 3, 0);
	maildir_keep_flush(md);
	assert_true(is_kept(e, md, A, 3, 10));
	other = act_open(e);
	assert_true(is_kept(e, other, A, 3, 10));
	assert_true(is_kept(e, other, B, 3, 0));
	assert_int_equal(count(e, other, A, 10), 1);
	/* Others see what was kept meanwhile; the last value counts. */
	keep(e, md, A, 2, 10);
	keep(e, md, A, 3, 5);
	maildir_keep_flush(md);
	maildir_keep_flush(other);
	assert_true(is_kept(e, other, A, 2, 10));
	assert_true(is_kept(e, other, A, 3, 5));
	assert_true(is_kept(e, md, A, 3, 5));
	maildir_rest(md);
	assert_true(is_kept(e, md, A, 2, 10));
	maildir_close(other);
	maildir_close(md);
}

/* Long values, and more than one block, in any order. */
static void
test_large(void **state)
{
	struct env *e = *state;
	struct maildir *md = act_open(e);
	const size_t n = MAILDIR_VALUE_MAX - 64;

	for (uint32_t uid = MESSAGES; uid > 0; uid--)
		keep(e, md, A, uid, uid % 2 == 0 ? n : 3);
	keep(e, md, B, 1, MAILDIR_VALUE_MAX);	/* too long, with its name */
	maildir_close(md);
	md = act_open(e);
	for (uint32_t uid = 1; uid <= MESSAGES; uid++)
		assert_true(is_kept(e, md, A, uid, uid % 2 == 0 ? n : 3));
	for (uint32_t uid = MESSAGES; uid > 3; uid -= 3)
		assert_true(is_kept(e, md, A, uid, uid % 2 == 0 ? n : 3));
	assert_false(is_kept(e, md, B, 1, MAILDIR_VALUE_MAX));
	maildir_close(md);
}

/* Nothing wrong is ever read, and what is lost can be kept again. */
static void
check_damaged(struct env *e)
{
	struct maildir *md = act_open(e);

	for (uint32_t uid = 1; uid <= MESSAGES; uid++) {
		if (!is_kept(e, md, A, uid, 20))
			keep(e, md, A, uid, 20);
		if (!is_kept(e, md, B, uid, 7))
			keep(e, md, B, uid, 7);
	}
	maildir_close(md);
	md = act_open(e);
	assert_int_equal(count(e, md, A, 20), MESSAGES);
	assert_int_equal(count(e, md, B, 7), MESSAGES);
	assert_int_equal(maildir_count(md), MESSAGES);
	maildir_close(md);
}

static void
test_flips(void **state)
{
	struct env *e = *state;
	struct span good;

	fill(e, A, 20);
	fill(e, B, 7);
	good = read_text(e, CACHE_FILE);
	for (size_t i = 0; i < good.n; i += i < 200 ? 1 : 7) {
		uint8_t *bad = arena_alloc(e->arena, good.n);

		memcpy(bad, good.p, good.n);
		bad[i] ^= (uint8_t)(1 << i % 8);
		remove_file(e, CACHE_FILE);
		write_bytes(e, CACHE_FILE, bad, good.n);
		check_damaged(e);
	}
}

static void
test_truncated(void **state)
{
	struct env *e = *state;
	struct span good;

	fill(e, A, 20);
	fill(e, B, 7);
	good = read_text(e, CACHE_FILE);
	for (size_t i = 0; i < good.n; i += i < 200 ? 1 : 17) {
		remove_file(e, CACHE_FILE);
		write_bytes(e, CACHE_FILE, good.p, i);
		check_damaged(e);
	}
}

/* The file under an open session is cut, replaced, removed. */
static void
test_under_session(void **state)
{
	struct env *e = *state;
	struct maildir *md;
	struct span good;
	char path[96];

	fill(e, A, 20);
	good = read_text(e, CACHE_FILE);
	for (int how = 0; how < 4; how++) {
		write_bytes(e, CACHE_FILE, good.p, good.n);
		md = act_open(e);
		assert_int_equal(count(e, md, A, 20), MESSAGES);
		snprintf(path, sizeof(path), "%s/" CACHE_FILE, e->root);
		if (how == 0)
			assert_int_equal(truncate(path, 300), 0);
		else if (how == 1)
			assert_int_equal(truncate(path, 0), 0);
		else if (how == 2)
			remove_file(e, CACHE_FILE);
		else {
			write_bytes(e, "x", "nonsense", 8);
			move_file(e, "x", CACHE_FILE);
		}
		maildir_keep_flush(md);
		(void)count(e, md, A, 20);
		for (uint32_t uid = 1; uid <= MESSAGES; uid++)
			keep(e, md, A, uid, 20);
		maildir_keep_flush(md);
		assert_int_equal(count(e, md, A, 20), MESSAGES);
		maildir_close(md);
		md = act_open(e);
		assert_int_equal(count(e, md, A, 20), MESSAGES);
		maildir_close(md);
		remove_file(e, CACHE_FILE);
	}
}

/* Values of another UIDVALIDITY are those of other messages. */
static void
test_validity(void **state)
{
	struct env *e = *state;
	struct maildir *md;

	fill(e, A, 20);
	usleep(TICK_US);
	write_text(e, "dovecot-uidlist",
	    "3 V99 N3 G888d381620b5006b6152000083ecc375\n1 :7.M1P1.h\n");
	md = act_open(e);
	assert_int_equal(maildir_uidvalidity(md), 99);
	assert_int_equal(count(e, md, A, 20), 0);
	keep(e, md, A, 1, 20);
	maildir_close(md);
	md = act_open(e);
	assert_int_equal(count(e, md, A, 20), 1);
	maildir_close(md);
}

/* The list is replaced by one of other messages while a session is open: it is
 * not for that session to keep anything under their UIDs. */
static void
test_validity_meanwhile(void **state)
{
	struct env *e = *state;
	const struct maildir_change *change;
	struct maildir *md;
	size_t n;

	for (int how = 0; how < 2; how++) {
		md = act_open(e);
		if (how == 0)
			(void)maildir_watch(md);
		act_refresh(md);
		/* So that a new file is worth it. */
		for (int round = 0; round < 16; round++)
			for (uint32_t uid = 1; uid <= MESSAGES; uid++)
				keep(e, md, A, uid, 100);
		maildir_keep_flush(md);
		assert_int_equal(count(e, md, A, 100), MESSAGES);
		keep(e, md, B, 1, 7);
		usleep(TICK_US);
		write_text(e, "x", how == 0 ?
		    "3 V99 N3 G888d381620b5006b6152000083ecc375\n"
		    "1 :7.M1P1.h\n" :
		    "3 V100 N3 G888d381620b5006b6152000083ecc375\n"
		    "1 :8.M1P1.h\n");
		move_file(e, "x", "dovecot-uidlist");
		act_deliver(e, 1000 + (unsigned)how, 1);
		for (int i = 0; i < 2; i++) {
			assert_int_equal(maildir_refresh(md, &change, &n),
			    ERR_GONE);
			maildir_keep_flush(md);
		}
		maildir_close(md);
		md = act_open(e);
		assert_int_equal(maildir_uidvalidity(md), 99 + how);
		assert_int_equal(count(e, md, A, 100), 0);
		assert_false(is_kept(e, md, B, 1, 7));
		maildir_close(md);
	}
}

/* An old list was put back, and somebody has given its next UIDs to other
 * messages; our own record is there, or is not. */
static void
test_given_twice(void **state)
{
	struct env *e = *state;
	struct maildir *md, *other;

	for (int how = 0; how < 2; how++) {
		char *text, *one, *two;
		struct span s;

		fill(e, A, 20);
		other = act_open(e);
		assert_int_equal(count(e, other, A, 20), MESSAGES);
		s = read_text(e, "dovecot-uidlist");
		text = arena_alloc(e->arena, s.n + 1);
		memcpy(text, s.p, s.n);
		text[s.n] = '\0';
		one = strstr(text, " :7.M1P1.h\n");
		two = strstr(text, " :8.M1P1.h\n");
		assert_true(one != NULL && two != NULL);
		one[2] = '8';
		two[2] = '7';
		usleep(TICK_US);
		write_text(e, "x", text);
		move_file(e, "x", "dovecot-uidlist");
		if (how == 1) {
			act_remove(e, INDEX);
			act_remove(e, JOURNAL);
		}
		md = act_open(e);
		assert_int_equal(count(e, md, A, 20), 0);
		keep(e, md, A, 7, 20);
		maildir_close(md);
		maildir_close(other);
		md = act_open(e);
		assert_int_equal(count(e, md, A, 20), 1);
		maildir_close(md);
	}
}

static size_t
file_size(struct env *e)
{
	return read_text(e, CACHE_FILE).n;
}

/* Small blocks become large ones, what nobody needs is left out. */
static void
test_compact(void **state)
{
	struct env *e = *state;
	struct maildir *md = act_open(e);
	size_t before;

	for (int round = 0; round < 8; round++)
		for (uint32_t uid = 1; uid <= MESSAGES; uid++) {
			keep(e, md, A, uid, 100);
			maildir_keep_flush(md);
		}
	before = file_size(e);
	for (uint32_t uid = 1; uid <= MESSAGES; uid += 2)
		act_expunge(md, uid);
	maildir_close(md);
	assert_true(file_size(e) < before / 8);
	md = act_open(e);
	assert_int_equal(count(e, md, A, 100), MESSAGES / 2);
	maildir_close(md);
	assert_false(is_there(e, CACHE_TMP));
}

/* A kind that was last used on this day; more than 30 days ago it goes. */
static void
test_forgotten(void **state)
{
	struct env *e = *state;
	struct maildir *md;
	struct cachefile f;
	struct buf out;
	char path[96];
	int dir;

	fill(e, A, 20);
	fill(e, B, 7);
	snprintf(path, sizeof(path), "%s", e->root);
	for (int pass = 0; pass < 2; pass++) {
		dir = open(path, O_RDONLY | O_DIRECTORY);
		md = act_open(e);
		cachefile_init(&f);
		assert_int_equal(cachefile_open(&f, dir,
		    maildir_uidvalidity(md)), 0);
		assert_int_equal(cachefile_lock(&f, dir), 0);
		buf_init(&out, CACHE_BLOCK_MAX);
		for (unsigned i = 0; i < CACHE_KINDS; i++)
			if (f.kind[i].name != NULL && is_span_eq(
			    span_str(f.kind[i].name), A))
				cachefile_put_kind(&f, &out, i, A,
				    f.kind[i].day - (pass == 0 ? 29 : 31));
		assert_true(out.n > 0);
		assert_int_equal(cachefile_append(&f, buf_span(&out)), 0);
		buf_done(&out);
		cachefile_unlock(&f);
		cachefile_done(&f);
		close(dir);
		maildir_close(md);
		md = act_open(e);
		assert_int_equal(count(e, md, B, 7), MESSAGES);
		maildir_close(md);
		md = act_open(e);
		/* Asking for it makes it used again, in the first pass. */
		assert_int_equal(count(e, md, A, 20), pass == 0 ? MESSAGES :
		    0);
		maildir_close(md);
	}
}

/* As many of each sort as there may be. */
static unsigned
numbered(struct maildir *md, const char *what, unsigned i)
{
	char name[32];
	unsigned k;

	snprintf(name, sizeof(name), "%s %u", what, i);
	assert_int_equal(i < MAILDIR_MANY_KINDS_MAX ?
	    maildir_one_of_many_kinds(md, span_str(name), &k) :
	    maildir_kind(md, span_str(name), &k), 0);
	return k;
}

static void
test_kinds(void **state)
{
	struct env *e = *state;
	struct maildir *md = act_open(e);
	char name[MAILDIR_KIND_NAME_MAX + 2];
	struct span s;
	unsigned k;

	memset(name, 'n', sizeof(name));
	assert_int_equal(maildir_kind(md, span_of(name, sizeof(name) - 1), &k),
	    ERR_LIMIT);
	assert_int_equal(maildir_kind(md, span_of("a\0b", 3), &k), ERR_LIMIT);
	assert_int_equal(maildir_kind(md, SPAN_NONE, &k), ERR_LIMIT);
	for (unsigned i = 0; i < MAILDIR_KINDS_MAX; i++) {
		k = numbered(md, "kind", i);
		snprintf(name, sizeof(name), "kind %u", i);
		maildir_keep(md, k, i + 1, span_str(name));
	}
	assert_int_equal(maildir_kind(md, SPAN("one more"), &k), ERR_LIMIT);
	assert_int_equal(maildir_one_of_many_kinds(md, SPAN("and more"), &k),
	    ERR_LIMIT);
	maildir_close(md);
	/* The next session has other kinds; the file has numbers for some. */
	md = act_open(e);
	for (unsigned i = MAILDIR_KINDS_MAX; i > 0; i--) {
		k = numbered(md, "other", i - 1);
		assert_false(has_maildir_value(md, k, 1, &s));
		maildir_keep(md, k, 1, SPAN("other"));
	}
	maildir_close(md);
	md = act_open(e);
	for (unsigned i = 0; i < MAILDIR_KINDS_MAX; i++) {
		k = numbered(md, "kind", i);
		snprintf(name, sizeof(name), "kind %u", i);
		assert_true(has_maildir_value(md, k, i + 1, &s));
		assert_true(is_span_eq(s, span_str(name)));
	}
	maildir_close(md);
}

/* Whatever there is of those that are many, the others have room. */
static void
test_many_kinds(void **state)
{
	struct env *e = *state;
	struct maildir *md;
	char name[32];
	unsigned k;

	for (unsigned round = 0; round < 5; round++) {
		md = act_open(e);
		for (unsigned i = 0; i < MAILDIR_MANY_KINDS_MAX; i++) {
			snprintf(name, sizeof(name), "many %u %u", round, i);
			assert_int_equal(maildir_one_of_many_kinds(md,
			    span_str(name), &k), 0);
			maildir_keep(md, k, 1, SPAN("x"));
		}
		assert_int_equal(maildir_one_of_many_kinds(md, SPAN("more"),
		    &k), ERR_LIMIT);
		maildir_close(md);
	}
	fill(e, A, 20);
	md = act_open(e);
	assert_int_equal(count(e, md, A, 20), MESSAGES);
	maildir_close(md);
}

/* UID 0: longer than those of messages may be; it lives as long as its kind,
 * and when it is put again the old one does not stay. */
static void
test_of_the_mailbox(void **state)
{
	struct env *e = *state;
	struct maildir *md;

	for (size_t i = 0; i < 40; i++) {
		md = act_open(e);
		keep(e, md, A, 0, 200000 + i);
		keep(e, md, A, 1, MAILDIR_VALUE_MAX + 1);
		maildir_keep_flush(md);
		assert_true(is_kept(e, md, A, 0, 200000 + i));
		assert_false(is_kept(e, md, A, 1, MAILDIR_VALUE_MAX + 1));
		maildir_close(md);
		assert_true(file_size(e) < 2 * 1024 * 1024);
	}
	md = act_open(e);
	assert_true(is_kept(e, md, A, 0, 200039));
	maildir_close(md);
}

/* Several at once. */
static void
test_together(void **state)
{
	struct env *e = *state;
	pid_t pid[4];

	for (int i = 0; i < 4; i++) {
		pid[i] = fork();
		if (pid[i] != 0)
			continue;
		for (int round = 0; round < 30; round++) {
			struct maildir *md = act_open(e);
			uint32_t uid = 1 + (uint32_t)(i * 7 + round) % MESSAGES;

			(void)is_kept(e, md, A, uid, 20);
			keep(e, md, A, uid, 20);
			keep(e, md, i % 2 == 0 ? B : A, uid, i % 2 == 0 ? 7 :
			    20);
			maildir_keep_flush(md);
			(void)count(e, md, A, 20);
			(void)count(e, md, B, 7);
			maildir_close(md);
		}
		_exit(0);
	}
	for (int i = 0; i < 4; i++) {
		int status;

		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	check_damaged(e);
}

int
main(void)
{
#define T(name)	cmocka_unit_test_setup_teardown(name, setup, env_teardown)
	const struct CMUnitTest tests[] = {
		T(test_kept), T(test_large), T(test_flips), T(test_truncated),
		T(test_under_session), T(test_validity),
		T(test_validity_meanwhile), T(test_given_twice),
		T(test_compact),
		T(test_many_kinds),
		T(test_of_the_mailbox),
		T(test_forgotten), T(test_kinds), T(test_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
