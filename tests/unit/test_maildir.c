/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * One mailbox, through maildir.h only, with other programs simulated by plain
 * system calls.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "maildir/maildir.h"
#include "tests/unit/maildir_env.h"

static const struct span inbox_level = SPAN("INBOX");
static const struct maildir_path inbox = { &inbox_level, 1 };
static const struct span foo_level = SPAN("Foo");
static const struct maildir_path foo = { &foo_level, 1 };
static const struct span bar_level = SPAN("Bar");
static const struct maildir_path bar = { &bar_level, 1 };

static struct maildir *
open_rw(struct env *e, const struct maildir_path *path)
{
	struct maildir *md;

	assert_int_equal(maildir_open(e->store, path, false, &md), 0);
	return md;
}

static struct maildir_msg
msg(const struct maildir *md, size_t i)
{
	struct maildir_msg m;

	assert_true(i < maildir_count(md));
	maildir_get(md, i, &m);
	return m;
}

static uint32_t
append(struct env *e, const struct maildir_path *path, const char *text,
    uint32_t sys, const char *keyword)
{
	struct maildir_append *app;
	struct span kw = keyword == NULL ? SPAN_NONE : span_str(keyword);
	struct maildir_append_args args = { .sys = sys, .keywords = &kw,
	    .nkeywords = keyword != NULL, .has_date = true,
	    .date = 1000000000 };
	uint32_t validity, *uids;
	size_t n;

	assert_int_equal(maildir_append_new(e->store, path, &app), 0);
	assert_int_equal(maildir_append_begin(app, &args), 0);
	/* byte by byte, so that each CR is held back once */
	for (const char *p = text; *p != '\0'; p++)
		assert_int_equal(maildir_append_write(app, span_of(p, 1)), 0);
	assert_int_equal(maildir_append_end(app), 0);
	assert_int_equal(maildir_append_commit(app, e->arena, &validity, &uids,
	    &n), 0);
	assert_int_equal(n, 1);
	return uids[0];
}

static struct span
body(struct env *e, struct maildir *md, uint32_t uid)
{
	struct maildir_file *f;
	uint8_t *p = arena_alloc(e->arena, 4096);
	size_t n;

	assert_int_equal(maildir_file_open(md, uid, &f), 0);
	assert_int_equal(maildir_file_read(f, 0, p, 4096, &n), 0);
	assert_int_equal(n, maildir_file_size(f));
	maildir_file_close(f);
	return span_of(p, n);
}

#define assert_text(s, lit) do {					\
	struct span assert_span = (s);					\
	assert_int_equal(assert_span.n, sizeof(lit) - 1);		\
	assert_memory_equal(assert_span.p, lit, sizeof(lit) - 1);	\
} while (0)

/* refresh, and expect exactly one change */
static void
one_change(struct maildir *md, uint32_t uid, enum maildir_what what)
{
	const struct maildir_change *c;
	size_t n;

	assert_int_equal(maildir_refresh(md, &c, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(c[0].uid, uid);
	assert_int_equal(c[0].what, what);
}

static void
no_change(struct maildir *md)
{
	const struct maildir_change *c;
	size_t n;

	assert_int_equal(maildir_refresh(md, &c, &n), 0);
	assert_int_equal(n, 0);
}

/* ---- tests ----------------------------------------------------------- */

static void
test_empty(void **state)
{
	struct env *e = *state;
	struct maildir *md = open_rw(e, &inbox);

	assert_int_equal(maildir_count(md), 0);
	assert_int_equal(maildir_uidnext(md), 1);
	assert_true(maildir_uidvalidity(md) > 0);
	assert_true(maildir_highestmodseq(md) >= 1);
	assert_false(is_maildir_readonly(md));
	no_change(md);
	maildir_close(md);
	assert_true(is_there(e, "dovecot-uidlist"));
	assert_true(is_there(e, "dovecot-uidvalidity"));
	assert_false(is_there(e, "dovecot-uidlist.lock"));
}

static void
test_first_order(void **state)
{
	struct env *e = *state;
	struct maildir *md;

	md = open_rw(e, &inbox);
	maildir_close(md);
	remove_file(e, "dovecot-uidlist");
	write_text(e, "cur/1700000000.V803I1234M5_1.host:2,S", "c\n");
	write_text(e, "new/1600000000.123.oldhost", "a\n");
	write_text(e, "cur/1650000000.77_1.oldhost,S=999:2,FR", "b\n");
	write_text(e, "new/1795207867.M000001P19489.vm", "d\n");
	write_text(e, "cur/.hidden", "x");
	md = open_rw(e, &inbox);
	assert_int_equal(maildir_count(md), 4);
	for (uint32_t i = 0; i < 4; i++) {
		char text[3] = { (char)('a' + i), '\n', '\0' };

		assert_int_equal(msg(md, i).uid, i + 1);
		assert_true(msg(md, i).is_recent);
		assert_true(is_span_eq(body(e, md, i + 1), span_str(text)));
	}
	assert_int_equal(msg(md, 1).flags.sys,
	    MAILDIR_FLAGGED | MAILDIR_ANSWERED);
	assert_true(is_there(e, "cur/1600000000.123.oldhost:2,"));
	assert_int_equal(maildir_uidnext(md), 5);
	maildir_close(md);
	md = open_rw(e, &inbox);
	assert_int_equal(maildir_count(md), 4);
	assert_false(msg(md, 0).is_recent);
	maildir_close(md);
}

/* A CR before a line end belongs to the line: what is served, lone LF as CRLF,
 * is what was sent. */
static void
test_append_cr(void **state)
{
	struct env *e = *state;
	struct maildir *md = open_rw(e, &inbox);
	char name[256];

	assert_int_equal(append(e, &inbox, "x\r\r\ny\r\r\r\nz\r\n", 0,
	    NULL), 1);
	find_file(e, "new", "", name);
	assert_non_null(strstr(name, ",S=11,W=12"));
	one_change(md, 1, MAILDIR_ADDED);
	assert_text(body(e, md, 1), "x\r\r\ny\r\r\r\nz\n");
	maildir_close(md);
}

static void
test_append(void **state)
{
	struct env *e = *state;
	struct maildir *md = open_rw(e, &inbox);
	char name[256];
	size_t i;

	assert_int_equal(append(e, &inbox, "a: b\r\n\r\nx\ry\nz\r", 0, NULL),
	    1);
	find_file(e, "new", "", name);
	assert_non_null(strstr(name, ",S=12,W=15"));
	one_change(md, 1, MAILDIR_ADDED);
	assert_true(msg(md, 0).is_recent);
	assert_text(body(e, md, 1), "a: b\n\nx\ry\nz\r");
	assert_int_equal(append(e, &inbox, "m\r\n", MAILDIR_SEEN, "$Junk"), 2);
	one_change(md, 2, MAILDIR_ADDED);
	assert_int_equal(maildir_keyword(md, SPAN("$junk"), false, &i), 0);
	assert_int_equal(i, 0);
	assert_int_equal(msg(md, 1).flags.kw, 1);
	assert_int_equal(msg(md, 1).flags.sys, MAILDIR_SEEN);
	assert_text(read_text(e, "dovecot-keywords"), "0 $Junk\n");
	no_change(md);
	maildir_close(md);
}

/* Two that another session appended, seen in one refresh: each keeps its name
 * on the way from new/ to cur/. */
static void
test_two_arrivals(void **state)
{
	struct env *e = *state;
	struct maildir *md, *there;
	const struct maildir_change *c;
	const uint32_t uids[2] = { 4, 5 };
	struct maildir_copied copied;
	size_t n;

	for (uint32_t i = 1; i <= 3; i++)
		assert_int_equal(append(e, &inbox, "old\r\n", 0, NULL), i);
	md = open_rw(e, &inbox);
	no_change(md);
	assert_int_equal(append(e, &inbox, "one\r\n", 0, NULL), 4);
	assert_int_equal(append(e, &inbox, "two\r\n", 0, NULL), 5);
	assert_int_equal(maildir_refresh(md, &c, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(maildir_create(e->store, &foo), 0);
	assert_int_equal(maildir_copy(md, uids, 2, &foo, e->arena, &copied), 0);
	assert_int_equal(copied.n, 2);
	there = open_rw(e, &foo);
	assert_text(body(e, there, 1), "one\n");
	assert_text(body(e, there, 2), "two\n");
	maildir_close(there);
	maildir_close(md);
}

static void
test_store(void **state)
{
	struct env *e = *state;
	struct maildir *md;
	struct maildir_flags f = { MAILDIR_SEEN, 0 };
	uint32_t uid = 1;
	uint64_t modseq;
	size_t n;

	md = open_rw(e, &inbox);
	write_text(e, "cur/1.1.h:2,PZ,extra", "x\n");
	one_change(md, 1, MAILDIR_ADDED);
	modseq = maildir_highestmodseq(md);
	assert_int_equal(maildir_store_flags(md, &uid, 1, MAILDIR_ADD, &f,
	    &n), 0);
	assert_int_equal(n, 1);
	assert_true(is_there(e, "cur/1.1.h:2,PSZ,extra"));
	assert_true(msg(md, 0).modseq > modseq);
	no_change(md);
	f.sys = MAILDIR_FLAGGED | MAILDIR_DELETED;
	assert_int_equal(maildir_store_flags(md, &uid, 1, MAILDIR_SET, &f,
	    &n), 0);
	/* SET without $Forwarded takes P away */
	assert_true(is_there(e, "cur/1.1.h:2,FTZ,extra"));
	/* somebody else is faster: nothing of either is lost */
	move_file(e, "cur/1.1.h:2,FTZ,extra", "cur/1.1.h:2,FRTZ,extra");
	f.sys = MAILDIR_DELETED;
	assert_int_equal(maildir_store_flags(md, &uid, 1, MAILDIR_REMOVE, &f,
	    &n), 0);
	assert_true(is_there(e, "cur/1.1.h:2,FRZ,extra"));
	assert_int_equal(msg(md, 0).flags.sys,
	    MAILDIR_FLAGGED | MAILDIR_ANSWERED);
	maildir_close(md);
}

static void
test_expunge(void **state)
{
	struct env *e = *state;
	struct maildir *md, *other;
	uint32_t uids[2] = { 1, 3 };
	size_t n;

	for (int i = 0; i < 4; i++)
		append(e, &inbox, "x\r\n", 0, NULL);
	md = open_rw(e, &inbox);
	other = open_rw(e, &inbox);
	no_change(other);
	assert_int_equal(maildir_expunge(md, uids, 2, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(maildir_count(md), 2);
	assert_int_equal(msg(md, 0).uid, 2);
	no_change(md);
	{
		const struct maildir_change *c;

		assert_int_equal(maildir_refresh(other, &c, &n), 0);
		assert_int_equal(n, 2);
		assert_int_equal(c[0].uid, 1);
		assert_int_equal(c[1].uid, 3);
		assert_int_equal(c[1].what, MAILDIR_EXPUNGED);
	}
	maildir_close(other);
	maildir_close(md);
	assert_int_equal(append(e, &inbox, "x\r\n", 0, NULL), 5);
}

static void
test_foreign(void **state)
{
	struct env *e = *state;
	struct maildir *md = open_rw(e, &inbox);

	no_change(md);
	write_text(e, "tmp/9.9.h", "x\n");
	move_file(e, "tmp/9.9.h", "new/9.9.h");
	one_change(md, 1, MAILDIR_ADDED);
	assert_true(is_there(e, "cur/9.9.h:2,"));
	move_file(e, "cur/9.9.h:2,", "cur/9.9.h:2,S");
	one_change(md, 1, MAILDIR_CHANGED);
	/* there and back: nothing happened */
	move_file(e, "cur/9.9.h:2,S", "cur/9.9.h:2,FS");
	move_file(e, "cur/9.9.h:2,FS", "cur/9.9.h:2,S");
	no_change(md);
	/* moved out of the mailbox */
	move_file(e, "cur/9.9.h:2,S", "tmp/9.9.h");
	one_change(md, 1, MAILDIR_EXPUNGED);
	/* came and went */
	write_text(e, "new/8.8.h", "x\n");
	remove_file(e, "new/8.8.h");
	no_change(md);
	maildir_close(md);
}

static void
test_polling(void **state)
{
	struct env *e = *state;
	struct maildir *md = open_rw(e, &inbox);

	/* changes between the open and the first refresh, which has no
	 * events for them */
	write_text(e, "new/1.M1P1.h", "x\n");
	one_change(md, 1, MAILDIR_ADDED);
	maildir_close(md);
	md = open_rw(e, &inbox);
	move_file(e, "cur/1.M1P1.h:2,", "cur/1.M1P1.h:2,S");
	one_change(md, 1, MAILDIR_CHANGED);
	maildir_close(md);
	md = open_rw(e, &inbox);
	remove_file(e, "cur/1.M1P1.h:2,S");
	one_change(md, 1, MAILDIR_EXPUNGED);
	maildir_close(md);
}

static void
test_copy(void **state)
{
	struct env *e = *state;
	struct maildir *md, *there;
	struct maildir_copied c;
	struct buf guid;
	int64_t saved;
	uint32_t uids[2] = { 1, 2 };
	char name[256];

	append(e, &inbox, "one\r\n", 0, NULL);
	append(e, &inbox, "two\r\n", MAILDIR_SEEN, "Work");
	md = open_rw(e, &inbox);
	assert_int_equal(maildir_copy(md, uids, 2, &foo, e->arena, &c),
	    ERR_NOENT);
	assert_int_equal(maildir_create(e->store, &foo), 0);
	append(e, &foo, "zero\r\n", 0, "Play");
	assert_int_equal(maildir_copy(md, uids, 2, &foo, e->arena, &c), 0);
	assert_int_equal(c.n, 2);
	assert_int_equal(c.from[1], 2);
	assert_int_equal(c.to[0], 2);
	assert_int_equal(c.to[1], 3);
	there = open_rw(e, &foo);
	assert_int_equal(maildir_count(there), 3);
	assert_text(body(e, there, 3), "two\n");
	/* letter 0 there is Play */
	assert_int_equal(msg(there, 2).flags.kw, 2);
	assert_true(is_span_eq(maildir_keyword_name(there, 1), SPAN("Work")));
	/* a second copy has another base and the same GUID */
	assert_int_equal(maildir_copy(md, uids, 1, &foo, e->arena, &c), 0);
	one_change(there, 4, MAILDIR_ADDED);
	for (uint32_t uid = 3; uid <= 4; uid++) {
		assert_int_equal(maildir_save_date(there, uid, &saved), 0);
		assert_in_range((uint64_t)saved, (uint64_t)time(NULL) - 100,
		    (uint64_t)time(NULL));
	}
	assert_int_equal(maildir_save_date(there, 9, &saved), ERR_GONE);
	buf_init(&guid, 512);
	assert_int_equal(maildir_message_guid(there, 4, &guid), 0);
	assert_int_equal(maildir_message_guid(md, 1, &guid), 0);
	assert_true(is_span_eq(span_take(buf_span(&guid), guid.n / 2),
	    span_skip(buf_span(&guid), guid.n / 2)));
	buf_done(&guid);
	/* move one */
	assert_int_equal(maildir_move(md, uids + 1, 1, &foo, e->arena, &c), 0);
	assert_int_equal(c.n, 1);
	assert_int_equal(c.to[0], 5);
	assert_int_equal(maildir_count(md), 1);
	no_change(md);
	one_change(there, 5, MAILDIR_ADDED);
	assert_text(body(e, there, 5), "two\n");
	find_file(e, "cur", "", name);
	maildir_close(there);
	maildir_close(md);
}

static void
test_status(void **state)
{
	struct env *e = *state;
	struct maildir_status st;
	struct maildir *md;

	append(e, &inbox, "one\r\n", 0, NULL);
	write_text(e, "new/1.1.h", "a\nb\r\n");
	assert_int_equal(maildir_status(e->store, &inbox, true, &st), 0);
	assert_int_equal(st.messages, 2);
	assert_int_equal(st.recent, 2);
	assert_int_equal(st.unseen, 2);
	assert_int_equal(st.uidnext, 3);
	assert_int_equal(st.size, 5 + 6);
	assert_true(is_there(e, "new/1.1.h"));
	assert_int_equal(maildir_open(e->store, &inbox, true, &md), 0);
	assert_int_equal(maildir_uidvalidity(md), st.uidvalidity);
	assert_true(msg(md, 1).is_recent);
	assert_true(is_maildir_readonly(md));
	maildir_close(md);
	md = open_rw(e, &inbox);
	assert_true(msg(md, 0).is_recent);
	maildir_close(md);
	assert_int_equal(maildir_status(e->store, &inbox, false, &st), 0);
	assert_int_equal(st.recent, 0);
}

/* A message that gzip packed, and one that was cut: as far as it goes. */
static void
test_gzip(void **state)
{
	static const uint8_t packed[] = {
		0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff,
		0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xe7, 0x02, 0x00, 0x20, 0x30,
		0x3a, 0x36, 0x06, 0x00, 0x00, 0x00,
	};
	struct env *e = *state;
	struct maildir *md = open_rw(e, &inbox);
	struct maildir_file *f;
	char two[4] = "";
	size_t n;

	write_bytes(e, "cur/1.1.h:2,S", packed, sizeof(packed));
	write_bytes(e, "cur/2.1.h,S=3:2,S", packed, sizeof(packed) - 9);
	maildir_close(md);
	md = open_rw(e, &inbox);
	assert_text(body(e, md, 1), "hello\n");
	assert_int_equal(maildir_file_open(md, 1, &f), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(maildir_file_read(f, 4, two, 2, &n), 0);
		assert_int_equal(n, 2);
		assert_memory_equal(two, "o\n", 2);
	}
	assert_int_equal(maildir_file_read(f, 6, two, 2, &n), 0);
	assert_int_equal(n, 0);
	maildir_file_close(f);
	assert_true(has_prefix(SPAN("hello\n"), body(e, md, 2)));
	maildir_close(md);
}

/* Control files elsewhere, and INBOX on another file system. */
static void
test_elsewhere(void **state)
{
	struct env *e = *state;
	char control[128], shm[] = "/dev/shm/test_maildir.XXXXXX";
	struct maildir *md;
	struct maildir_copied c;
	uint32_t uids[2] = { 1, 2 };

	if (mkdtemp(shm) == NULL)
		skip();
	assert_true(snprintf(control, sizeof(control), "%s/control",
	    e->root) > 0);
	e->conf.control = control;
	e->conf.inbox = shm;
	env_reopen(e);
	append(e, &inbox, "one\r\n", MAILDIR_SEEN, "Work");
	append(e, &inbox, "two\r\n", 0, NULL);
	assert_true(is_there(e, "control/.INBOX/dovecot-uidlist"));
	assert_true(is_there(e, "control/.INBOX/dovecot-keywords"));
	assert_int_equal(maildir_create(e->store, &foo), 0);
	assert_true(is_there(e, "control/.Foo/dovecot-uidlist"));
	assert_false(is_there(e, ".Foo/dovecot-uidlist"));
	md = open_rw(e, &inbox);
	assert_int_equal(maildir_copy(md, uids, 2, &foo, e->arena, &c), 0);
	assert_int_equal(c.n, 2);
	assert_int_equal(maildir_move(md, uids, 2, &foo, e->arena, &c), 0);
	assert_int_equal(c.n, 2);
	assert_int_equal(maildir_count(md), 0);
	no_change(md);
	maildir_close(md);
	md = open_rw(e, &foo);
	assert_int_equal(maildir_count(md), 4);
	assert_text(body(e, md, 3), "one\n");
	assert_int_equal(msg(md, 2).flags.sys, MAILDIR_SEEN);
	assert_int_equal(msg(md, 2).flags.kw, 1);
	maildir_close(md);
	assert_int_equal(maildir_rename(e->store, &foo, &bar), 0);
	assert_true(is_there(e, "control/.Bar/dovecot-uidlist"));
	assert_int_equal(maildir_delete(e->store, &bar), 0);
	assert_false(is_there(e, "control/.Bar"));
	remove_tree(shm);
}

/* A Maildir that we may read and not write: UIDs for this session only. */
static void
unwritable(struct env *e)
{
	struct maildir_flags f = { MAILDIR_SEEN, 0 };
	struct maildir *md;
	uint32_t uid = 1;
	size_t n;

	if (geteuid() == 0 && setuid(65534) != 0)
		_exit(1);
	env_reopen(e);
	md = open_rw(e, &inbox);
	assert_true(is_maildir_readonly(md));
	assert_int_equal(maildir_count(md), 2);
	assert_true(maildir_uidvalidity(md) > 0);
	assert_text(body(e, md, 1), "x\n");
	assert_int_equal(maildir_store_flags(md, &uid, 1, MAILDIR_ADD, &f,
	    &n), ERR_READONLY);
	no_change(md);
	maildir_close(md);
	_exit(0);
}

static void
test_unwritable(void **state)
{
	struct env *e = *state;
	int status;
	pid_t pid;

	make_dir(e, "cur");
	make_dir(e, "new");
	make_dir(e, "tmp");
	write_text(e, "cur/1.1.h:2,S", "x\n");
	write_text(e, "new/2.1.h", "y\n");
	change_mode(e, "cur/1.1.h:2,S", 0444);
	change_mode(e, "cur", 0555);
	change_mode(e, "new", 0555);
	change_mode(e, ".", 0555);
	pid = fork();
	if (pid == 0)
		unwritable(e);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	change_mode(e, ".", 0755);
	change_mode(e, "cur", 0755);
	change_mode(e, "new", 0755);
	assert_int_equal(status, 0);
}

/* What was left in tmp/ long ago goes, what is young stays. */
static void
test_tmp(void **state)
{
	struct env *e = *state;
	const struct timespec old[2] = { { 1000000000, 0 },
	    { 0, UTIME_OMIT } };
	char path[128];

	maildir_close(open_rw(e, &inbox));
	write_text(e, "tmp/young", "x");
	assert_true(snprintf(path, sizeof(path), "%s/tmp", e->root) > 0);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	maildir_close(open_rw(e, &inbox));
	assert_true(is_there(e, "tmp/young"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f)	cmocka_unit_test_setup_teardown(f, env_setup, env_teardown)
		T(test_empty),
		T(test_first_order),
		T(test_append),
		T(test_append_cr),
		T(test_two_arrivals),
		T(test_store),
		T(test_expunge),
		T(test_foreign),
		T(test_polling),
		T(test_copy),
		T(test_status),
		T(test_gzip),
		T(test_elsewhere),
		T(test_unwritable),
		T(test_tmp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
