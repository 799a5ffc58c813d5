/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Mailbox names, LIST, CREATE, DELETE, RENAME, subscriptions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/syscall.h>

#include <time.h>
#include <unistd.h>

#include "maildir/foldername.h"
#include "maildir/maildir.h"
#include "tests/unit/maildir_env.h"

/* The clock of this program, so that an hour can pass. */
static time_t clock_ahead;

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int r = (int)syscall(SYS_clock_gettime, id, ts);

	ts->tv_sec += clock_ahead;
	return r;
}

/* "a/b" to a path; "|" separates where "/" is part of a name. */
static struct maildir_path
path_of(struct env *e, const char *text)
{
	struct span rest = span_str(text), *level;
	struct maildir_path p = { NULL, 0 };
	uint8_t sep = has_byte(rest, '|') ? '|' : '/';

	level = arena_array(e->arena, 64, sizeof(*level));
	while (rest.p != NULL)
		level[p.n++] = span_split(&rest, sep);
	p.level = level;
	return p;
}

static void
assert_path(const struct maildir_path *p, struct env *e, const char *text)
{
	struct maildir_path want = path_of(e, text);

	assert_int_equal(p->n, want.n);
	for (size_t i = 0; i < p->n; i++)
		assert_true(is_span_eq(p->level[i], want.level[i]));
}

/* ---- names ----------------------------------------------------------- */

struct name_case {
	const char *path;
	const char *plusplus;	/* NULL: refused */
	const char *fs;
};

static const struct name_case name_cases[] = {
	{ "Foo", ".Foo", "Foo" },
	{ "Foo/Bar", ".Foo.Bar", "Foo/Bar" },
	{ "a.b", ".a\\2eb", "a.b" },
	{ "x/y.z", ".x.y\\2ez", "x/y.z" },
	{ "~t", ".\\7et", "\\7et" },
	{ "a/~t", ".a.~t", "a/~t" },
	{ ".dot", ".\\2edot", ".dot" },
	{ "back\\slash", ".back\\5cslash", "back\\5cslash" },
	{ "R\xC3\xA9sum\xC3\xA9", ".R&AOk-sum&AOk-", "R&AOk-sum&AOk-" },
	{ "\xC3\xA9.x", ".&AOk-\\2ex", "&AOk-.x" },
	{ "A&B", ".A&-B", "A&-B" },
	{ "a/b|c", ".a\\2fb.c", "a\\2fb/c" },
	{ "INBOX/sub", ".INBOX.sub", "INBOX/sub" },
	{ "cur", ".cur", NULL },
	{ "a/new", ".a.new", NULL },
	{ "subscriptions", ".subscriptions", NULL },
	{ "dovecot-uidlist", ".dovecot-uidlist", NULL },
	{ "..", NULL, NULL },
	{ "a/..", NULL, NULL },
	{ ".", NULL, NULL },
	{ "a//b", NULL, NULL },
	{ "", NULL, NULL },
	{ "a\x01", NULL, NULL },
	{ "a\x7f", NULL, NULL },
	{ "a\xff", NULL, NULL },
	{ "a\xC3", NULL, NULL },
	/* bytes spelled out */
	{ "R\xEF\xBF\xBD" "e9", ".R\xE9", "R\xE9" },
	{ "bad\xEF\xBF\xBD" "26utf7", ".bad&utf7", "bad&utf7" },
	{ "x\xEF\xBF\xBD" "61", NULL, NULL },	/* "xa" has a name */
	{ "x\xEF\xBF\xBD" "2fy", NULL, NULL },
	{ "x\xEF\xBF\xBD" "00", NULL, NULL },
	/* "..", ".", and a separator, spelled out */
	{ "a/\xEF\xBF\xBD" "2e\xEF\xBF\xBD" "2e/b", NULL, NULL },
	{ "\xEF\xBF\xBD" "2e\xEF\xBF\xBD" "2e", NULL, NULL },
	{ "a/\xEF\xBF\xBD" "2e", NULL, NULL },
	{ "x\xEF\xBF\xBD" "2ey", NULL, NULL },
	{ "x\xEF\xBF\xBDyz", ".x&,,0-yz", "x&,,0-yz" },
	{ "inbox", NULL, NULL },		/* a second INBOX */
	{ "\xEF\xBF\xBD" "69nbox/a", ".inbox.a", "inbox/a" },
	{ "a/inbox", ".a.inbox", "a/inbox" },
};

static void
check_name(struct env *e, const char *text, const char *want)
{
	struct maildir_path p = path_of(e, text), back;
	struct span s;
	struct buf b;

	if (want == NULL) {
		assert_int_equal(maildir_path_check(e->store, &p), ERR_NAME);
		return;
	}
	assert_int_equal(maildir_path_check(e->store, &p), 0);
	buf_init(&b, 1024);
	assert_int_equal(foldername_put(&e->conf, &p, &b), 0);
	s = buf_span(&b);
	assert_true(is_span_eq(s, span_str(want)));
	if (e->conf.layout == MAILDIR_PLUSPLUS)
		s = span_skip(s, 1);
	assert_int_equal(foldername_get(&e->conf, s, e->arena, &back), 0);
	assert_path(&back, e, text);
	buf_done(&b);
}

static void
test_names(void **state)
{
	struct env *e = *state;

	for (size_t i = 0; i < sizeof(name_cases) / sizeof(*name_cases); i++) {
		const struct name_case *c = &name_cases[i];

		env_layout(e, MAILDIR_PLUSPLUS, false);
		check_name(e, c->path, c->plusplus);
		env_layout(e, MAILDIR_FS, false);
		check_name(e, c->path, c->fs);
	}
	env_layout(e, MAILDIR_PLUSPLUS, true);
	check_name(e, "R\xC3\xA9sum\xC3\xA9", ".R\xC3\xA9sum\xC3\xA9");
	check_name(e, "A&B.c", ".A&B\\2ec");
}

/* Whatever lies there has a name, and that name leads back to it. */
static void
test_any_bytes(void **state)
{
	struct env *e = *state;
	static const char *const stored[] = {
		"a..b", "a.", ".a", "\\41", "\\5C", "x\\", "x\\2", "&", "&-&-",
		"\xff\xfe", "\x01", "&AGE-", "a.\xEF\xBF\xBD\x34\x31", "~",
		"a\\2eb\\2e", "\xEF\xBF\xBD", "\\49NBOX", "a\nb", " ",
	};

	for (size_t i = 0; i < sizeof(stored) / sizeof(*stored); i++) {
		struct span s = span_str(stored[i]);
		struct maildir_path p;
		struct buf b;

		assert_int_equal(foldername_get(&e->conf, s, e->arena, &p), 0);
		buf_init(&b, 1024);
		assert_int_equal(foldername_put(&e->conf, &p, &b), 0);
		assert_true(is_span_eq(span_skip(buf_span(&b), 1), s));
		buf_done(&b);
		for (size_t k = 0; k < p.n; k++)
			assert_true(p.level[k].n > 0);
	}
}

/* ---- list ------------------------------------------------------------ */

struct want {
	const char *path;
	bool is_mailbox;
	bool has_children;
};

static void
check_list(struct env *e, const struct want *want, size_t n)
{
	struct maildir_entry *v;
	size_t count;

	assert_int_equal(maildir_list(e->store, e->arena, &v, &count), 0);
	assert_int_equal(count, n);
	for (size_t i = 0; i < n; i++) {
		assert_path(&v[i].path, e, want[i].path);
		assert_int_equal(v[i].is_mailbox, want[i].is_mailbox);
		assert_int_equal(v[i].has_children, want[i].has_children);
	}
}

static void
create(struct env *e, const char *name)
{
	struct maildir_path p = path_of(e, name);

	assert_int_equal(maildir_create(e->store, &p), 0);
	assert_int_equal(maildir_create(e->store, &p), ERR_EXISTS);
	assert_int_equal(maildir_exists(e->store, &p), 0);
}

static void
test_list(void **state)
{
	struct env *e = *state;
	static const struct want want[] = {
		{ "INBOX", true, true },
		{ "INBOX/sub", true, false },
		{ "a", true, false },
		{ "a b", true, false },
		{ "b", false, true },
		{ "b/c", false, true },
		{ "b/c/d", true, false },
		{ "b/e", true, false },
	};

	create(e, "b/c/d");
	create(e, "a b");
	create(e, "a");
	create(e, "b/e");
	create(e, "INBOX/sub");
	if (e->conf.layout == MAILDIR_PLUSPLUS) {
		make_dir(e, "..DOVECOT-TRASHED");
		make_dir(e, "..x");
		write_text(e, ".file", "");
		assert_true(is_there(e, ".b.c.d/maildirfolder"));
	}
	assert_false(is_there(e, "maildirfolder"));
	check_list(e, want, sizeof(want) / sizeof(*want));
}

static void
test_list_fs(void **state)
{
	struct env *e = *state;

	env_layout(e, MAILDIR_FS, false);
	test_list(state);
	assert_true(is_there(e, "b/c/d/cur"));
	assert_false(is_there(e, "b/c/cur"));
}

static void
test_delete(void **state)
{
	struct env *e = *state;
	static const struct want want[] = {
		{ "INBOX", true, false },
		{ "a", false, true },
		{ "a/b", true, false },
	};
	struct maildir_path a = path_of(e, "a"), x = path_of(e, "INBOX");
	struct maildir *md;
	const struct maildir_change *c;
	uint32_t validity;
	size_t n;

	create(e, "a");
	create(e, "a/b");
	assert_int_equal(maildir_open(e->store, &a, false, &md), 0);
	validity = maildir_uidvalidity(md);
	assert_int_equal(maildir_delete(e->store, &a), 0);
	assert_int_equal(maildir_refresh(md, &c, &n), ERR_NOENT);
	maildir_close(md);
	check_list(e, want, 3);
	assert_int_equal(maildir_exists(e->store, &a), ERR_NOENT);
	assert_int_equal(maildir_delete(e->store, &a), ERR_NOENT);
	assert_int_equal(maildir_delete(e->store, &x), ERR_NAME);
	create(e, "a");
	assert_int_equal(maildir_open(e->store, &a, false, &md), 0);
	assert_true(maildir_uidvalidity(md) > validity);
	maildir_close(md);
}

static void
test_delete_fs(void **state)
{
	env_layout(*state, MAILDIR_FS, false);
	test_delete(state);
}

static void
test_rename(void **state)
{
	struct env *e = *state;
	static const struct want want[] = {
		{ "INBOX", true, false },
		{ "ab", true, false },
		{ "x", false, true },
		{ "x/y", true, true },
		{ "x/y/b", true, false },
	};
	struct maildir_path a = path_of(e, "a"), xy = path_of(e, "x/y");
	struct maildir_path ab = path_of(e, "ab"), no = path_of(e, "no");
	struct maildir_path inside = path_of(e, "a/x");
	struct maildir_status before, after;

	create(e, "a");
	create(e, "a/b");
	create(e, "ab");
	assert_int_equal(maildir_status(e->store, &a, false, &before), 0);
	assert_int_equal(maildir_rename(e->store, &a, &ab), ERR_EXISTS);
	assert_int_equal(maildir_rename(e->store, &no, &xy), ERR_NOENT);
	assert_int_equal(maildir_rename(e->store, &a, &inside), ERR_NAME);
	assert_int_equal(maildir_rename(e->store, &a, &xy), 0);
	check_list(e, want, 5);
	assert_int_equal(maildir_status(e->store, &xy, false, &after), 0);
	assert_int_equal(before.uidvalidity, after.uidvalidity);
	assert_memory_equal(before.guid, after.guid, 16);
}

static void
test_rename_fs(void **state)
{
	env_layout(*state, MAILDIR_FS, false);
	test_rename(state);
}

static void
test_rename_inbox(void **state)
{
	struct env *e = *state;
	struct maildir_path in = path_of(e, "INBOX"), to = path_of(e, "old");
	struct maildir_status st;

	assert_int_equal(maildir_status(e->store, &in, false, &st), 0);
	write_text(e, "cur/1.1.h:2,S", "x\n");
	write_text(e, "new/2.1.h", "y\n");
	create(e, "INBOX/child");
	assert_int_equal(maildir_rename(e->store, &in, &to), 0);
	assert_int_equal(maildir_status(e->store, &in, false, &st), 0);
	assert_int_equal(st.messages, 0);
	assert_int_equal(maildir_status(e->store, &to, false, &st), 0);
	assert_int_equal(st.messages, 2);
	assert_int_equal(st.unseen, 1);
	assert_true(is_there(e, ".INBOX.child/cur"));
}

/* ---- subscriptions --------------------------------------------------- */

static void
check_subs(struct env *e, const char *const *want, size_t n)
{
	struct maildir_path *v;
	size_t count;

	assert_int_equal(maildir_subscriptions(e->store, e->arena, &v,
	    &count), 0);
	assert_int_equal(count, n);
	for (size_t i = 0; i < n; i++)
		assert_path(&v[i], e, want[i]);
}

static void
subscribe(struct env *e, const char *name, bool on)
{
	struct maildir_path p = path_of(e, name);

	assert_int_equal(maildir_subscribe(e->store, &p, on), 0);
}

static void
test_subs(void **state)
{
	struct env *e = *state;
	static const char *const want[] = { "Foo/Bar", "INBOX", "a.b" };
	static const char *const rest[] = { "INBOX", "a.b" };

	check_subs(e, NULL, 0);
	subscribe(e, "Foo/Bar", true);
	subscribe(e, "INBOX", true);
	subscribe(e, "a.b", true);
	subscribe(e, "a.b", true);
	assert_true(is_span_eq(read_text(e, "subscriptions"),
	    SPAN("V\t2\n\nFoo\tBar\nINBOX\na\\2eb\n")));
	check_subs(e, want, 3);
	subscribe(e, "Foo/Bar", false);
	subscribe(e, "Foo/Bar", false);
	check_subs(e, rest, 2);
	assert_false(is_there(e, "subscriptions.lock"));
}

static void
test_subs_v1(void **state)
{
	struct env *e = *state;
	static const char *const want[] = { "Bar/Baz", "INBOX", "new/x" };

	write_text(e, "subscriptions", "inbox\nBar.Baz\n");
	subscribe(e, "new/x", true);
	assert_true(is_span_eq(read_text(e, "subscriptions"),
	    SPAN("inbox\nBar.Baz\nnew.x\n")));
	check_subs(e, want, 3);
}

static void
test_subs_courier(void **state)
{
	struct env *e = *state;
	static const char *const want[] = { "Foo/Bar", "INBOX",
	    "R\xC3\xA9sum\xC3\xA9" };

	write_text(e, "courierimapsubscribed", "INBOX.Foo.Bar\n"
	    "INBOX.R\xC3\xA9sum\xC3\xA9\nINBOX\n#shared.joe.Pub\n");
	check_subs(e, want, 3);
	subscribe(e, "Foo/Bar", false);
	check_subs(e, want + 1, 2);
	assert_true(has_prefix(read_text(e, "subscriptions"),
	    SPAN("V\t2\n\n")));
}

/* What crashes have left, ours and Dovecot's, goes when it is an hour old. */
static void
test_relics(void **state)
{
	struct env *e = *state;
	static const char *const dirs[] = {
		"..imapd-trash.1", "..imapd-new.1", "..DOVECOT-TRASHED",
		"..DOVECOT-TRASHED/a", "..DOVECOT-TRASHED/a/cur", "..keep"
	};
	struct maildir_entry *v;
	size_t n;

	for (int layout = 0; layout < 2; layout++) {
		env_layout(e, layout == 0 ? MAILDIR_PLUSPLUS : MAILDIR_FS,
		    false);
		for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++)
			if (!is_there(e, dirs[i]))
				make_dir(e, dirs[i]);
		write_text(e, "..DOVECOT-TRASHED/a/cur/1.1.h:2,S", "x\n");
		assert_int_equal(maildir_list(e->store, e->arena, &v, &n), 0);
		assert_int_equal(n, 1);
		assert_true(is_there(e, dirs[0]));
		clock_ahead = 3700;
		assert_int_equal(maildir_list(e->store, e->arena, &v, &n), 0);
		clock_ahead = 0;
		assert_int_equal(n, 1);
		for (size_t i = 0; i < 3; i++)
			assert_false(is_there(e, dirs[i]));
		assert_true(is_there(e, "..keep"));
	}
}

/* The root is removed under an open store: never "no such mailbox", which would
 * make clients drop what they have; and nothing is made in its place. */
static void
test_root_gone(void **state)
{
	struct env *e = *state;
	struct maildir_path in = path_of(e, "INBOX"), a = path_of(e, "a");
	struct maildir_path b = path_of(e, "b");
	struct maildir_status st;
	struct maildir_entry *v;
	struct maildir_path *subs;
	size_t n;

	create(e, "a");
	assert_int_equal(maildir_status(e->store, &in, false, &st), 0);
	remove_tree(e->root);
	assert_int_equal(maildir_list(e->store, e->arena, &v, &n),
	    ERR_UNAVAIL);
	assert_int_equal(maildir_status(e->store, &in, false, &st),
	    ERR_UNAVAIL);
	assert_int_equal(maildir_status(e->store, &a, false, &st),
	    ERR_UNAVAIL);
	assert_int_equal(maildir_create(e->store, &b), ERR_UNAVAIL);
	assert_int_equal(maildir_delete(e->store, &a), ERR_UNAVAIL);
	assert_int_equal(maildir_rename(e->store, &a, &b), ERR_UNAVAIL);
	assert_int_equal(maildir_rename(e->store, &in, &b), ERR_UNAVAIL);
	assert_int_equal(maildir_subscribe(e->store, &b, true), ERR_UNAVAIL);
	assert_int_equal(maildir_subscriptions(e->store, e->arena, &subs, &n),
	    ERR_UNAVAIL);
	assert_false(is_there(e, ""));
}

/* Names of the greatest length and depth, wherever the root is. */
static void
test_limits(void **state)
{
	struct env *e = *state;
	char name[MAILDIR_NAME_MAX + 1], deep[2 * MAILDIR_LEVELS_MAX];
	struct maildir_entry *v;
	struct maildir_path p;
	size_t n;

	memset(name, 'x', sizeof(name));
	name[MAILDIR_NAME_MAX] = '\0';
	for (size_t i = 0; i < sizeof(deep); i++)
		deep[i] = i % 2 == 0 ? 'd' : '/';
	deep[sizeof(deep) - 1] = '\0';
	p = path_of(e, name);
	assert_int_equal(maildir_create(e->store, &p), ERR_NAME);
	create(e, name + 1);
	env_layout(e, MAILDIR_FS, false);
	create(e, name);
	create(e, deep);
	assert_int_equal(maildir_list(e->store, e->arena, &v, &n), 0);
	assert_int_equal(n, 3 + MAILDIR_LEVELS_MAX);
	assert_int_equal(v[n - 2].path.n, MAILDIR_LEVELS_MAX);
	assert_true(v[n - 2].is_mailbox);
}

/* A lock that a dead process left. */
static void
test_subs_lock(void **state)
{
	struct env *e = *state;
	struct maildir_path p = path_of(e, "x");

	write_text(e, "subscriptions.lock", "");
	e->conf.lock_ms = 300;
	env_reopen(e);
	assert_int_equal(maildir_subscribe(e->store, &p, true), ERR_BUSY);
	assert_true(is_there(e, "subscriptions.lock"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f)	cmocka_unit_test_setup_teardown(f, env_setup, env_teardown)
		T(test_names),
		T(test_any_bytes),
		T(test_list),
		T(test_list_fs),
		T(test_delete),
		T(test_delete_fs),
		T(test_rename),
		T(test_rename_fs),
		T(test_rename_inbox),
		T(test_subs),
		T(test_subs_v1),
		T(test_subs_courier),
		T(test_subs_lock),
		T(test_relics),
		T(test_root_gone),
		T(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
