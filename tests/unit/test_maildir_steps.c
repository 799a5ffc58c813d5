/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Every operation is stopped at every step, as by a power cut, and what the
 * next opener finds is compared with what must be: no message lost, none
 * doubled, UIDs unchanged, no mod-sequence that was told taken back, everything
 * usable; with a quota, also that it counts what is there.  Needs configure
 * --enable-steps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <sys/wait.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "maildir/maildir.h"
#include "maildir/step.h"
#include "tests/unit/maildir_env.h"

#ifdef ENABLE_STEPS

#define MESSAGES	3
#define STEPS_MAX	200

static const struct span names[] = {
	SPAN("INBOX"), SPAN("Foo"), SPAN("Bar"), SPAN("New")
};
static const struct maildir_path inbox = { &names[0], 1 };
static const struct maildir_path foo = { &names[1], 1 };
static const struct maildir_path bar = { &names[2], 1 };
static const struct maildir_path new = { &names[3], 1 };

static int
append(struct env *e, const struct maildir_path *path, const char *text)
{
	struct maildir_append_args args = { .sys = MAILDIR_SEEN };
	struct maildir_append *app;
	uint32_t validity, *uids;
	size_t n;
	int r;

	r = maildir_append_new(e->store, path, &app);
	for (int i = 0; r == 0 && i < 2; i++) {
		if ((r = maildir_append_begin(app, &args)) != 0 ||
		    (r = maildir_append_write(app, span_str(text))) != 0 ||
		    (r = maildir_append_end(app)) != 0)
			maildir_append_abort(app);
		args.sys = 0;
	}
	return r != 0 ? r : maildir_append_commit(app, e->arena, &validity,
	    &uids, &n);
}

/* ---- mod-sequences ---------------------------------------------------- */

/* INBOX as a client knows it. */
struct known {
	uint64_t highest;
	struct maildir_msg msg[MESSAGES];
};

/* What the child has told before it was stopped; shared with it. */
static uint64_t *told;

static void
tell(const struct maildir *md)
{
	*told = maildir_highestmodseq(md);
}

static void
know(struct env *e, struct known *known)
{
	static const uint32_t second = 2;
	const struct maildir_flags seen = { MAILDIR_SEEN, 0 };
	struct maildir *md;
	size_t n;

	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	/* Not all of them the same. */
	assert_int_equal(maildir_store_flags(md, &second, 1, MAILDIR_ADD,
	    &seen, &n), 0);
	for (size_t i = 0; i < MESSAGES; i++) {
		maildir_get(md, i, &known->msg[i]);
		assert_int_equal(known->msg[i].uid, i + 1);
	}
	known->highest = maildir_highestmodseq(md);
	assert_true(known->msg[1].modseq > known->msg[0].modseq);
	assert_int_equal(known->msg[1].modseq, known->highest);
	*told = known->highest;
	maildir_close(md);
}

/* A client that asks what has vanished since is told, or to ask for all. */
static void
check_vanished(struct env *e, struct maildir *md, uint32_t uid, uint64_t since)
{
	uint32_t *uids;
	size_t n, i = 0;
	int r = maildir_vanished(md, since, e->arena, &uids, &n);

	if (r == ERR_GONE)
		return;
	assert_int_equal(r, 0);
	while (i < n && uids[i] != uid)
		i++;
	assert_true(i < n);
}

static void
check_modseqs(struct env *e, const struct known *known)
{
	struct maildir *md;
	struct maildir_msg m;

	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	assert_true(*told >= known->highest);
	assert_true(maildir_highestmodseq(md) >= *told);
	for (size_t i = 0; i < MESSAGES; i++) {
		const struct maildir_msg *was = &known->msg[i];
		size_t k = maildir_find(md, was->uid);

		if (k < maildir_count(md))
			maildir_get(md, k, &m);
		if (k == maildir_count(md) || m.uid != was->uid) {
			check_vanished(e, md, was->uid, known->highest);
			continue;
		}
		assert_true(m.modseq >= was->modseq);
		assert_true(m.modseq <= maildir_highestmodseq(md));
		if (m.flags.sys != was->flags.sys ||
		    m.flags.kw != was->flags.kw)
			assert_true(m.modseq > known->highest);
	}
	for (size_t k = maildir_find(md, MESSAGES + 1); k < maildir_count(md);
	    k++) {
		maildir_get(md, k, &m);
		assert_true(m.modseq > known->highest);
	}
	*told = maildir_highestmodseq(md);
	maildir_close(md);
}

/* ---- the operations -------------------------------------------------- */

static int
op_append(struct env *e)
{
	return append(e, &inbox, "new\r\n");
}

static int
op_open(struct env *e)
{
	struct maildir *md;
	int r;

	write_text(e, "new/1.1.h", "new\n");
	write_text(e, "new/2.1.h", "new\n");
	r = maildir_open(e->store, &inbox, false, &md);
	if (r == 0) {
		tell(md);
		maildir_close(md);
	}
	return r;
}

static int
with_inbox(struct env *e, int (*fn)(struct env *e, struct maildir *md,
    const uint32_t *uids))
{
	static const uint32_t uids[MESSAGES] = { 1, 2, 3 };
	struct maildir *md;
	int r = maildir_open(e->store, &inbox, false, &md);

	if (r != 0)
		return r;
	tell(md);
	r = fn(e, md, uids);
	if (r == 0)
		tell(md);
	maildir_close(md);
	return r;
}

static int
do_copy(struct env *e, struct maildir *md, const uint32_t *uids)
{
	struct maildir_copied c;

	return maildir_copy(md, uids, MESSAGES, &foo, e->arena, &c);
}

static int
op_copy(struct env *e)
{
	return with_inbox(e, do_copy);
}

static int
do_move(struct env *e, struct maildir *md, const uint32_t *uids)
{
	struct maildir_copied c;

	return maildir_move(md, uids, MESSAGES, &foo, e->arena, &c);
}

static int
op_move(struct env *e)
{
	return with_inbox(e, do_move);
}

static int
do_flags(struct env *e, struct maildir *md, const uint32_t *uids)
{
	struct maildir_flags f = { MAILDIR_FLAGGED, 0 };
	size_t i, n;
	int r = maildir_keyword(md, SPAN("Junk"), true, &i);

	(void)e;
	if (r != 0)
		return r;
	f.kw = UINT64_C(1) << i;
	return maildir_store_flags(md, uids, MESSAGES, MAILDIR_ADD, &f, &n);
}

static int
op_flags(struct env *e)
{
	return with_inbox(e, do_flags);
}

static int
op_create(struct env *e)
{
	return maildir_create(e->store, &new);
}

static int
op_delete(struct env *e)
{
	return maildir_delete(e->store, &bar);
}

static int
op_rename(struct env *e)
{
	return maildir_rename(e->store, &foo, &new);
}

static int
op_rename_inbox(struct env *e)
{
	return maildir_rename(e->store, &inbox, &new);
}

#define CHILDREN	1000

static struct maildir_path
child_of(struct env *e, const struct maildir_path *parent, int n)
{
	struct span *level = arena_array(e->arena, 2, sizeof(*level));
	char text[16];

	level[0] = parent->level[0];
	level[1] = arena_dup(e->arena, span_of(text,
	    (size_t)snprintf(text, sizeof(text), "%d", n)));
	return (struct maildir_path){ level, 2 };
}

/* How many of Foo's children are there under its old name, and its new. */
static void
count_children(struct env *e, size_t *ret_old, size_t *ret_new)
{
	*ret_old = *ret_new = 0;
	for (int i = 0; i < CHILDREN; i++) {
		struct maildir_path p = child_of(e, &foo, i);

		*ret_old += maildir_exists(e->store, &p) == 0;
		p = child_of(e, &new, i);
		*ret_new += maildir_exists(e->store, &p) == 0;
	}
}

static int
op_subscribe(struct env *e)
{
	return maildir_subscribe(e->store, &foo, true);
}

static int
do_expunge(struct env *e, struct maildir *md, const uint32_t *uids)
{
	size_t n;

	(void)e;
	return maildir_expunge(md, uids, MESSAGES, &n);
}

static int
op_expunge(struct env *e)
{
	return with_inbox(e, do_expunge);
}

/* The first who looks makes the file. */
static int
op_quota(struct env *e)
{
	struct maildir_quota q;

	remove_file(e, "maildirsize");
	return maildir_quota(e->store, &q);
}

struct operation {
	const char *name;
	int (*run)(struct env *e);
	bool is_move;		/* INBOX's messages may be elsewhere */
};

static const struct operation operations[] = {
	{ "append", op_append, false },
	{ "open", op_open, false },
	{ "copy", op_copy, false },
	{ "move", op_move, true },
	{ "flags", op_flags, false },
	{ "create", op_create, false },
	{ "delete", op_delete, false },
	{ "rename", op_rename, false },
	{ "rename-inbox", op_rename_inbox, true },
	{ "subscribe", op_subscribe, false },
};

/* With a quota; messages may go. */
static const struct operation quota_operations[] = {
	{ "append", op_append, false },
	{ "copy", op_copy, false },
	{ "move", op_move, false },
	{ "delete", op_delete, false },
	{ "rename-inbox", op_rename_inbox, false },
	{ "expunge", op_expunge, false },
	{ "quota", op_quota, false },
};

/* ---- what must hold -------------------------------------------------- */

/* Adds the messages "0", "1", ... of a mailbox to seen[]; their UIDs in INBOX
 * are what they were. */
static void
count(struct env *e, const struct maildir_path *path, unsigned seen[MESSAGES])
{
	struct maildir *md;
	uint32_t last = 0;
	int r = maildir_open(e->store, path, false, &md);

	if (r == ERR_NOENT)
		return;
	assert_int_equal(r, 0);
	for (size_t i = 0; i < maildir_count(md); i++) {
		struct maildir_file *f;
		struct maildir_msg m;
		char text[8] = "";
		size_t n;

		maildir_get(md, i, &m);
		assert_true(m.uid > last);
		last = m.uid;
		assert_int_equal(maildir_file_open(md, m.uid, &f), 0);
		assert_int_equal(maildir_file_read(f, 0, text, 7, &n), 0);
		maildir_file_close(f);
		if (n != 2 || text[0] < '0' || text[0] >= '0' + MESSAGES) {
			assert_string_equal(text, "new\n");
			continue;
		}
		seen[text[0] - '0']++;
		if (is_maildir_inbox(path))
			assert_int_equal(m.uid, text[0] - '0' + 1);
	}
	assert_true(maildir_uidnext(md) > last);
	maildir_close(md);
}

/* What time would do: a lock of a dead process is overridden after 2 seconds,
 * one without content after 120 (test_maildir_files has the former). */
static void
wait_for_locks(struct env *e)
{
	static const char *const locks[] = {
		"dovecot-uidlist.lock", ".Foo/dovecot-uidlist.lock",
		".Bar/dovecot-uidlist.lock", ".New/dovecot-uidlist.lock",
		"subscriptions.lock"
	};

	for (size_t i = 0; i < sizeof(locks) / sizeof(*locks); i++)
		if (is_there(e, locks[i]))
			remove_file(e, locks[i]);
}

static void
check(struct env *e, const struct operation *op)
{
	unsigned in[MESSAGES] = { 0 }, out[MESSAGES] = { 0 };
	struct maildir_entry *v;
	size_t n;

	assert_int_equal(maildir_list(e->store, e->arena, &v, &n), 0);
	for (size_t i = 0; i < n; i++)
		assert_true(v[i].is_mailbox);
	count(e, &inbox, in);
	count(e, &foo, out);
	count(e, &new, out);
	for (size_t i = 0; i < MESSAGES; i++) {
		if (op->is_move)
			assert_int_equal(in[i] + out[i], 1);
		else
			assert_int_equal(in[i], 1);
		assert_true(out[i] <= 1);
	}
	/* and it goes on */
	assert_int_equal(append(e, &inbox, "new\r\n"), 0);
	if (maildir_exists(e->store, &new) == ERR_NOENT)
		assert_int_equal(maildir_create(e->store, &new), 0);
	assert_int_equal(maildir_subscribe(e->store, &bar, true), 0);
	assert_false(is_there(e, "dovecot-uidlist.lock"));
}

/* What all messages of all mailboxes add up to. */
static struct maildir_limits
add_up(struct env *e)
{
	struct maildir_limits sum = { 0, 0 };
	struct maildir_entry *v;
	struct maildir *md;
	size_t n;

	assert_int_equal(maildir_list(e->store, e->arena, &v, &n), 0);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(maildir_open(e->store, &v[i].path, true, &md),
		    0);
		for (size_t j = 0; j < maildir_count(md); j++) {
			struct maildir_info info;
			struct maildir_msg m;

			maildir_get(md, j, &m);
			assert_int_equal(maildir_info(md, m.uid, &info), 0);
			sum.bytes += info.file_size;
			sum.messages++;
		}
		maildir_close(md);
	}
	return sum;
}

static void
check_quota(struct env *e, const struct operation *op)
{
	struct maildir_limits sum;
	struct maildir_quota q;

	(void)op;
	for (int i = 0; i < 2; i++) {
		sum = add_up(e);
		assert_int_equal(maildir_quota(e->store, &q), 0);
		assert_int_equal(q.used.bytes, sum.bytes);
		assert_int_equal(q.used.messages, sum.messages);
		/* and it goes on */
		assert_int_equal(append(e, &inbox, "new\r\n"), 0);
	}
}

/* A child of ours that runs the operation and is stopped at the nth step.  True
 * if it got to its end before. */
static bool
run_until(struct env *e, const struct operation *op, int nth)
{
	char step[32];
	int status;
	pid_t pid;

	assert_true(snprintf(step, sizeof(step), "*:%d", nth) > 0);
	pid = fork();
	if (pid == 0) {
		setenv("IMAPD_STEP", step, 1);
		/* its own pid in the lock */
		maildir_store_free(e->store);
		if (maildir_store_open(&e->conf, &e->store) != 0)
			_exit(1);
		_exit(op->run(e) == 0 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 0)
		assert_int_equal(WEXITSTATUS(status), STEP_EXIT);
	return WEXITSTATUS(status) == 0;
}

static void
prepare(struct env *e)
{
	static const char *const files[MESSAGES] = {
		"cur/1.M1P1.h,S=2,W=3:2,S", "cur/1.M2P1.h,S=2,W=3:2,",
		"cur/1.M3P1.h,S=2,W=3:2,FR"
	};
	char text[3] = "0\n";
	struct maildir *md;

	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	maildir_close(md);
	for (int i = 0; i < MESSAGES; i++) {
		text[0] = (char)('0' + i);
		write_text(e, files[i], text);
	}
	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	maildir_close(md);
	assert_int_equal(maildir_create(e->store, &foo), 0);
	assert_int_equal(maildir_create(e->store, &bar), 0);
	if (e->conf.quota != MAILDIR_QUOTA_NONE) {
		assert_int_equal(append(e, &bar, "in Bar\r\n"), 0);
		assert_true(is_there(e, "maildirsize"));
	}
}

/* The journal is not synced: a power cut can take away, all or in part, what
 * was appended. */
enum loss { KEPT, LOST, TORN };

static void
lose(struct env *e, size_t before, enum loss loss)
{
	struct span s;

	if (loss == KEPT || !is_there(e, "imapd.journal"))
		return;
	s = read_text(e, "imapd.journal");
	if (loss == TORN)
		before += 7;
	if (s.n > before)
		write_bytes(e, "imapd.journal", s.p, before);
}

static void
stop_everywhere(const struct operation *op, enum maildir_quota_kind quota,
    enum loss loss, void (*check_fn)(struct env *e, const struct operation *op))
{
	bool is_end = false;
	int nth;

	for (nth = 1; !is_end && nth < STEPS_MAX; nth++) {
		struct known known;
		size_t journal;
		struct env *e;
		void *env;

		env_setup(&env);
		e = env;
		e->conf.quota = quota;
		e->conf.limits = (struct maildir_limits){ 1000000, 0 };
		env_reopen(e);
		prepare(e);
		know(e, &known);
		journal = read_text(e, "imapd.journal").n;
		is_end = run_until(e, op, nth);
		wait_for_locks(e);
		lose(e, journal, loss);
		env_reopen(e);
		check_modseqs(e, &known);
		check_fn(e, op);
		check_modseqs(e, &known);
		env_teardown(&env);
	}
	print_message("%s: stopped at %d steps\n", op->name, nth - 2);
	assert_true(is_end && nth > 2);
}

/*
 * A rename of n directories is n renames.  Wherever it stops, each mailbox is
 * there once, and the same command again finishes it.
 */
static void
test_rename_children(void **state)
{
	static const struct operation op = { "rename", op_rename, false };
	static const int stops[] = { 1, 2, 500, CHILDREN, CHILDREN + 1 };
	size_t old, moved;

	(void)state;
	for (size_t i = 0; i < sizeof(stops) / sizeof(*stops); i++) {
		void *s;
		struct env *e;
		char dir[64];

		assert_int_equal(env_setup(&s), 0);
		e = s;
		prepare(e);
		for (int k = 0; k < CHILDREN; k++) {
			assert_true(snprintf(dir, sizeof(dir), ".Foo.%d", k) >
			    0);
			make_dir(e, dir);
		}
		assert_false(run_until(e, &op, stops[i]));
		count_children(e, &old, &moved);
		assert_int_equal(old + moved, CHILDREN);
		assert_int_equal(moved, stops[i] > CHILDREN ? CHILDREN :
		    stops[i]);
		if (stops[i] <= CHILDREN)
			assert_int_equal(op_rename(e), 0);
		count_children(e, &old, &moved);
		assert_int_equal(moved, CHILDREN);
		assert_int_equal(maildir_exists(e->store, &new), 0);
		assert_int_equal(maildir_exists(e->store, &foo), ERR_NOENT);
		assert_int_equal(env_teardown(&s), 0);
	}
}

static void
test_steps(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++)
		stop_everywhere(&operations[i], MAILDIR_QUOTA_NONE, KEPT,
		    check);
}

static void
test_steps_power_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
		stop_everywhere(&operations[i], MAILDIR_QUOTA_NONE, LOST,
		    check);
		stop_everywhere(&operations[i], MAILDIR_QUOTA_NONE, TORN,
		    check);
	}
}

static void
test_steps_quota(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(quota_operations) /
	    sizeof(*quota_operations); i++)
		stop_everywhere(&quota_operations[i], MAILDIR_QUOTA_LIMITS,
		    KEPT, check_quota);
}

static int
share(void **state)
{
	(void)state;
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return told == MAP_FAILED ? -1 : 0;
}

#else

static int
share(void **state)
{
	(void)state;
	return 0;
}

static void
test_steps_quota(void **state)
{
	(void)state;
	skip();
}

static void
test_steps(void **state)
{
	(void)state;
	skip();
}

static void
test_steps_power_cut(void **state)
{
	(void)state;
	skip();
}

static void
test_rename_children(void **state)
{
	(void)state;
	skip();
}

#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_steps_power_cut),
		cmocka_unit_test(test_steps_quota),
		cmocka_unit_test(test_rename_children),
	};

	return cmocka_run_group_tests(tests, share, NULL);
}
