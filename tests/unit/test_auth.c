/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * The privileged side: the users file, its index, and who gets in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "auth/auth.h"
#include "auth/expand.h"
#include "auth/location.h"
#include "auth/prep.h"
#include "auth/quotarule.h"
#include "auth/usersfile.h"
#include "auth/usersindex.h"

static char dir[] = "/tmp/test_auth.XXXXXX";
static char users[64], program[64], secret[64], helper[PATH_MAX];

/* What was noted, as "LINE what;". */
static char notes[4096];

static void
take_note(void *cookie, const char *file, uint64_t line, const char *what)
{
	size_t n = strlen(notes);

	(void)cookie;
	(void)file;
	(void)snprintf(notes + n, sizeof(notes) - n, "%llu %s;",
	    (unsigned long long)line, what);
}

static const struct usersfile_note note = { take_note, NULL };

static void
write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static int
set_up(void **state)
{
	char cwd[PATH_MAX - 16];

	(void)state;
	if (mkdtemp(dir) == NULL || getcwd(cwd, sizeof(cwd)) == NULL)
		return -1;
	(void)snprintf(users, sizeof(users), "%s/users", dir);
	(void)snprintf(program, sizeof(program), "%s/check", dir);
	(void)snprintf(secret, sizeof(secret), "%s/secret", dir);
	(void)snprintf(helper, sizeof(helper), "%s/imapd-auth", cwd);
	return 0;
}

static int
tear_down(void **state)
{
	char index[80];

	(void)state;
	(void)snprintf(index, sizeof(index), "%s.idx", users);
	(void)unlink(index);
	(void)unlink(users);
	(void)unlink(program);
	(void)unlink(secret);
	return rmdir(dir);
}

static void
assert_span(struct span got, const char *want)
{
	if (!is_span_eq(got, span_str(want)))
		fail_msg("\"%.*s\" is not \"%s\"", (int)got.n,
		    (const char *)got.p, want);
}

/* ---- one line ---------------------------------------------------------- */

static int
parse(const char *line, struct usersline *ret)
{
	const char *why;

	return usersline_parse(span_str(line), ret, &why);
}

static void
test_line(void **state)
{
	struct usersline l;

	(void)state;
	assert_int_equal(parse("testuser:{PLAIN}pass:5000:5001::"
	    "/srv/mail/testuser::", &l), 0);
	assert_span(l.user, "testuser");
	assert_span(l.password, "{PLAIN}pass");
	assert_span(l.uid, "5000");
	assert_span(l.gid, "5001");
	assert_span(l.home, "/srv/mail/testuser");
	assert_span(l.mail, "");
	assert_int_equal(parse("extra:{PLAIN}pass:5000:5000:Gecos, x:/srv/x:"
	    "/bin/sh:userdb_mail=maildir:~/M2:LAYOUT=fs "
	    "userdb_quota_rule=*:storage=1G allow_nets=127.0.0.0/8", &l), 0);
	assert_span(l.mail, "maildir:~/M2:LAYOUT=fs");
	assert_span(l.quota, "*:storage=1G");
	assert_true(is_usersline_net(&l, SPAN("127.0.0.1")));
	assert_false(is_usersline_net(&l, SPAN("192.0.2.1")));
	assert_false(is_usersline_net(&l, SPAN("")));
	/* the settings of Dovecot 2.4 */
	assert_int_equal(parse("u:x:1:1::/h::userdb_quota_storage_size=1G "
	    "userdb_quota_message_count=7 userdb_quota=maildir:User", &l), 0);
	assert_span(l.quota, "");
	assert_span(l.quota_size, "1G");
	assert_span(l.quota_count, "7");
	/* an empty 8th field: the location of old */
	assert_int_equal(parse("u:x:1:1::/h:::maildir:/m:INDEX=/i", &l), 0);
	assert_span(l.mail, "maildir:/m:INDEX=/i");
	assert_int_equal(parse("u:p", &l), 0);
	assert_span(l.uid, "");
	assert_int_equal(parse("u:p:1:1::/h::user=other:protected "
	    "user:protected=b user:remove label=phone "
	    "capability=-IDLE,-UIDONLY services=imap,pop3 userdb_uid=7 "
	    "nologin reason=no unknown=1", &l), 0);
	assert_span(l.alias, "b");
	assert_span(l.label, "phone");
	assert_span(l.capability, "-IDLE,-UIDONLY");
	assert_span(l.uid, "7");
	assert_true(l.is_nologin);
	assert_true(is_usersline_service(&l, SPAN("IMAP")));
	assert_false(is_usersline_service(&l, SPAN("ima")));
	assert_int_equal(parse("u:p:1:1::/h::expires=2026-11-21", &l), 0);
	assert_true(l.expires == 1795219200);
	assert_int_equal(parse("u:p:1:1::/h::expires=2000-02-29T12:34:56Z",
	    &l), 0);
	assert_true(l.expires == 951827696);
	assert_int_equal(parse("u:p:1:1::/h::expires=86400", &l), 0);
	assert_true(l.expires == 86400);
	assert_int_equal(parse("u:p:1:1::/h::allow_nets=local,::1", &l), 0);
	assert_true(is_usersline_net(&l, SPAN("")));
	assert_true(is_usersline_net(&l, SPAN("::1")));
}

static void
test_line_malformed(void **state)
{
	static const char *const skipped[] = { "", "#", "# a:b", ":x:1:1" };
	static const char *const bad[] = {
		"u", "u\001:p", "u:p:0:1", "u:p:1:0", "u:p:00:1",
		"u:p:1:1::/h::userdb_uid=0",
		"u:p:1:1::/h::allow_nets=300.0.0.1",
		"u:p:1:1::/h::allow_nets=10.0.0.0/33",
		"u:p:1:1::/h::allow_nets=127.0.0.1,x",
		"u:p:1:1::/h::expires=tomorrow", "u:p:1:1::/h::expires=",
		"u:p:1:1::/h::expires=2026-13-01",
		"u:p:1:1::/h::expires=2026-1-1",
		"u:p:1:1::/h::expires=2026-01-01 12:00",
		"u:p:1:1::/h::nopassword", "u:p:1:1::/h::delay_until=x",
		"u:p:1:1::/h:::allow_nets=127.0.0.1", "u:p:::::::label=x",
	};
	struct usersline l;

	(void)state;
	for (size_t i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++)
		assert_int_equal(parse(skipped[i], &l), ERR_NOENT);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (i == 13)	/* the blank ends the field: a date */
			assert_int_equal(parse(bad[i], &l), 0);
		else if (parse(bad[i], &l) != ERR_SYNTAX)
			fail_msg("%s", bad[i]);
	}
	assert_int_equal(usersline_parse(SPAN("u:a\0b:1:1"), &l,
	    &(const char *){ NULL }), ERR_SYNTAX);
}

/* ---- expansion, locations, normalisation ------------------------------- */

static int
expand(const char *text, const char *user, const char *want)
{
	const struct expand e = { span_str(user), SPAN("/h") };
	struct buf b;
	int err;

	buf_init(&b, 64);
	err = expand_put(span_str(text), &e, &b);
	if (err == 0)
		assert_span(buf_span(&b), want);
	buf_done(&b);
	return err;
}

static void
test_expand(void **state)
{
	static const char *const bad_names[] = {
		"", ".", "..", "a/b", "/", ".a", "a@.b", "a\n", "a\x7f",
		"a..b", "../x@y",
	};

	(void)state;
	assert_int_equal(expand("/m/%d/%n", "jo@ex.org", "/m/ex.org/jo"), 0);
	assert_int_equal(expand("/m/%{domain}/%{user | username}", "a@b",
	    "/m/b/a"), 0);
	assert_int_equal(expand("%h/%u%%", "a@b", "/h/a@b%"), 0);
	assert_int_equal(expand("/m/%1n/%1.1n/%Ln", "Jo", "/m/J/o/jo"), 0);
	assert_int_equal(expand("/m/%d", "jo", ""), ERR_NAME);
	assert_int_equal(expand("/m/%x", "jo", ""), ERR_UNSUPPORTED);
	assert_int_equal(expand("/m/%", "jo", ""), ERR_UNSUPPORTED);
	assert_int_equal(expand("/m/%{user", "jo", ""), ERR_UNSUPPORTED);
	assert_int_equal(expand("/m/%u", "..", ""), ERR_NAME);
	assert_int_equal(expand("/m/%u", "a/b", ""), ERR_NAME);
	assert_int_equal(expand("/m/%u%u%u%u%u%u%u%u%u", "12345678", ""),
	    ERR_LIMIT);
	for (size_t i = 0; i < sizeof(bad_names) / sizeof(bad_names[0]); i++)
		assert_int_equal(expand_check_name(span_str(bad_names[i])),
		    ERR_NAME);
	assert_int_equal(expand_check_name(SPAN("j.o+x*@ex.org")), 0);
	assert_int_equal(expand_check_name(SPAN("j\0o")), ERR_NAME);
}

static void
test_location(void **state)
{
	static const struct { const char *text; int err; } rows[] = {
		{ "mbox:~/mail", ERR_UNSUPPORTED },
		{ "maildir", ERR_SYNTAX },
		{ "maildir:", ERR_NAME },
		{ "maildir:Maildir", ERR_NAME },
		{ "maildir:/m:LAYOUT=index", ERR_UNSUPPORTED },
		{ "maildir:/m:FOO=x", ERR_UNSUPPORTED },
		{ "maildir:/m:DIRNAME=a/b", ERR_NAME },
		{ "maildir:/m:DIRNAME=..", ERR_NAME },
		{ "maildir:/m:CONTROL=x", ERR_NAME },
		{ "maildir:/m:BROKENCHAR=xx", ERR_SYNTAX },
		{ "", ERR_UNSUPPORTED },
	};
	struct arena *arena = arena_new(1024);
	struct location loc;

	(void)state;
	assert_int_equal(location_parse(SPAN("maildir:~/Maildir:LAYOUT=fs:"
	    "CONTROL=/c/x:INBOX=~:UTF-8:INDEX=MEMORY:DIRNAME=d:"
	    "SUBSCRIPTIONS=s:BROKENCHAR=_"), SPAN("/home/jo"), arena, &loc), 0);
	assert_string_equal(loc.root, "/home/jo/Maildir");
	assert_string_equal(loc.inbox, "/home/jo");
	assert_string_equal(loc.control, "/c/x");
	assert_string_equal(loc.dirname, "d");
	assert_string_equal(loc.subscriptions, "s");
	assert_null(loc.index);
	assert_true(loc.is_index_memory && loc.is_utf8);
	assert_int_equal(loc.layout, LOCATION_FS);
	assert_int_equal(loc.broken_char, '_');
	assert_int_equal(location_parse(SPAN("/m::n"), SPAN(""), arena, &loc),
	    0);
	assert_string_equal(loc.root, "/m:n");
	assert_int_equal(loc.layout, LOCATION_MAILDIRPP);
	/* no home to start from */
	assert_int_equal(location_parse(SPAN("maildir:~/M"), SPAN(""), arena,
	    &loc), 0);
	assert_string_equal(loc.root, "/M");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (location_parse(span_str(rows[i].text), SPAN("/h"), arena,
		    &loc) != rows[i].err)
			fail_msg("%s", rows[i].text);
	arena_free(arena);
}

/* RFC 4013 3 */
static void
test_prep(void **state)
{
	static const struct { const char *in, *out; } rows[] = {
		{ "I\302\255X", "IX" }, { "user", "user" }, { "USER", "USER" },
		{ "\302\252", "a" }, { "\342\205\250", "IX" },
		{ "\302\240", " " }, { "e\314\201", "\303\251" },
	};
	static const char *const bad[] = { "\007", "\330\247\061", "\xff" };
	struct buf b;

	(void)state;
	buf_init(&b, 64);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&b);
		assert_int_equal(prep_saslprep(span_str(rows[i].in), &b), 0);
		assert_span(buf_span(&b), rows[i].out);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(prep_saslprep(span_str(bad[i]), &b),
		    ERR_SYNTAX);
	buf_clear(&b);
	assert_int_equal(prep_alternative(SPAN("p\351"), &b), 0);
	assert_span(buf_span(&b), "p\303\251");
	buf_clear(&b);
	assert_int_equal(prep_alternative(SPAN("pass"), &b), ERR_NOENT);
	assert_int_equal(prep_alternative(SPAN("p\303\251"), &b), ERR_NOENT);
	buf_done(&b);
}

/* ---- the file ---------------------------------------------------------- */

/* The passwords of a user's lines, joined by blanks. */
static int
find(const char *user, char *out, size_t size)
{
	struct arena *arena = arena_new(1024);
	struct usersfile *file;
	struct usersfile_lines lines;
	size_t n = 0;
	int err;

	out[0] = notes[0] = '\0';
	err = usersfile_open(users, &note, &file);
	if (err == 0) {
		err = usersfile_find(file, span_str(user), arena, &lines);
		for (size_t i = 0; err == 0 && i < lines.n; i++)
			n += (size_t)snprintf(out + n, size - n, "%.*s ",
			    (int)lines.v[i].password.n,
			    (const char *)lines.v[i].password.p);
		usersfile_close(file);
	}
	arena_free(arena);
	return err;
}

static const char *const file_text =
    "# comment\n"
    "\n"
    "bob:b1:1:1\n"
    "bad\n"
    "root:r:0:0\n"
    "root:r2:1:1::::label=x\n"
    "bobby:c:1:1\r\n"
    "bob:b2:1:1::::label=phone\n"
    "bob:b3:1:1\n"
    "bob:b4:1:1::::label=old expires=never\n"
    "al:a1:1:1::::label=one\n"
    "al:a2:1:1::::label=two\n"
    "last:l:1:1";

static void
check_find(void)
{
	char got[128];

	assert_int_equal(find("bob", got, sizeof(got)), 0);
	assert_string_equal(got, "b1 b2 ");
	assert_string_equal(notes, "9 second line for this user, without "
	    "label=;10 malformed expires;");
	assert_int_equal(find("bobby", got, sizeof(got)), 0);
	assert_string_equal(got, "c ");
	assert_int_equal(find("al", got, sizeof(got)), 0);
	assert_string_equal(got, "a1 a2 ");
	assert_int_equal(find("last", got, sizeof(got)), 0);
	assert_string_equal(got, "l ");
	assert_string_equal(notes, "");
	assert_int_equal(find("bad", got, sizeof(got)), ERR_NOENT);
	assert_int_equal(find("root", got, sizeof(got)), ERR_SYNTAX);
	assert_string_equal(notes, "5 uid or gid 0;"
	    "6 behind a malformed line for this user;");
	assert_int_equal(find("bo", got, sizeof(got)), ERR_NOENT);
	assert_int_equal(find("", got, sizeof(got)), ERR_NOENT);
	assert_int_equal(find("# comment", got, sizeof(got)), ERR_NOENT);
	assert_int_equal(find("bob:b1", got, sizeof(got)), ERR_NOENT);
	assert_int_equal(find("x\nbob", got, sizeof(got)), ERR_NOENT);
}

static bool
is_index_used(void)
{
	uint64_t offset[4];
	struct stat st;
	size_t n;

	assert_int_equal(stat(users, &st), 0);
	return usersindex_find(users, &st, SPAN("bob"), offset, 4, &n) == 0;
}

static void
test_find(void **state)
{
	struct usersindex_stats stats;
	char got[128];
	FILE *f;

	(void)state;
	write_file(users, file_text, 0600);
	check_find();
	assert_false(is_index_used());
	notes[0] = '\0';
	assert_int_equal(usersindex_make(users, &note, &stats), 0);
	assert_int_equal(stats.lines, 13);
	assert_int_equal(stats.users, 8);
	assert_int_equal(stats.malformed, 3);
	assert_string_equal(notes, "4 no password field;5 uid or gid 0;"
	    "10 malformed expires;");
	assert_true(is_index_used());
	check_find();
	/* an edit makes it out of date */
	f = fopen(users, "a");
	assert_non_null(f);
	(void)fputs("\nnew:n:1:1\n", f);
	(void)fclose(f);
	assert_false(is_index_used());
	check_find();
	assert_int_equal(find("new", got, sizeof(got)), 0);
}

static void
test_index_damaged(void **state)
{
	struct usersindex_stats stats;
	char index[80];
	uint8_t bytes[512];
	FILE *f;
	size_t n;

	(void)state;
	write_file(users, file_text, 0600);
	(void)snprintf(index, sizeof(index), "%s.idx", users);
	assert_int_equal(usersindex_make(users, &note, &stats), 0);
	assert_int_equal(chmod(index, 0600), 0);	/* not only for root */
	f = fopen(index, "r");
	assert_non_null(f);
	n = fread(bytes, 1, sizeof(bytes), f);
	(void)fclose(f);
	/* any byte of the head changed, or its end cut off: not believed */
	for (size_t i = 0; i < 48; i++) {
		bytes[i] ^= 1;
		f = fopen(index, "w");
		(void)fwrite(bytes, 1, n, f);
		(void)fclose(f);
		assert_false(is_index_used());
		bytes[i] ^= 1;
	}
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(truncate(index, (off_t)i), 0);
		assert_false(is_index_used());
	}
	/* others may write to it */
	assert_int_equal(usersindex_make(users, &note, &stats), 0);
	assert_true(is_index_used());
	assert_int_equal(chmod(index, 0666), 0);
	assert_false(is_index_used());
	check_find();
	assert_int_equal(unlink(index), 0);
}

static void
test_modes(void **state)
{
	char got[8];

	(void)state;
	write_file(users, file_text, 0602);
	assert_int_equal(find("bob", got, sizeof(got)), ERR_ACCESS);
	assert_string_equal(notes, "0 writable by others: chmod go-w;");
	assert_int_equal(unlink(users), 0);
	assert_int_equal(find("bob", got, sizeof(got)), ERR_NOENT);
	assert_int_equal(mkfifo(users, 0600), 0);
	assert_int_equal(find("bob", got, sizeof(got)), ERR_ACCESS);
	assert_int_equal(unlink(users), 0);
}

/* 100,000 users: the same answers with and without the index, at once with. */
static void
test_many(void **state)
{
	struct usersindex_stats stats;
	char user[32], got[64], want[64];
	FILE *f = fopen(users, "w");

	(void)state;
	assert_non_null(f);
	for (int i = 0; i < 100000; i++)
		(void)fprintf(f, "user%d@example.org:{SHA512-CRYPT}$6$%d:5000:"
		    "5000::/srv/mail/example.org/user%d::\n", i, i, i);
	assert_int_equal(fclose(f), 0);
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < 100000; i += pass == 0 ? 9999 : 101) {
			(void)snprintf(user, sizeof(user),
			    "user%d@example.org", i);
			(void)snprintf(want, sizeof(want),
			    "{SHA512-CRYPT}$6$%d ", i);
			assert_int_equal(find(user, got, sizeof(got)), 0);
			assert_string_equal(got, want);
		}
		assert_int_equal(find("user100000@example.org", got,
		    sizeof(got)), ERR_NOENT);
		if (pass == 0) {
			assert_int_equal(usersindex_make(users, &note,
			    &stats), 0);
			assert_int_equal(stats.users, 100000);
		}
	}
}

/* A name across the border of two chunks of the search. */
static void
test_chunks(void **state)
{
	char got[64];
	FILE *f;

	(void)state;
	for (int shift = 0; shift < 16; shift++) {
		f = fopen(users, "w");
		assert_non_null(f);
		for (int i = 0; i < 256 * 1024 - 12 + shift; i++)
			(void)fputc(i % 100 == 99 ? '\n' : '#', f);
		(void)fputs("\nneedle:found:1:1\n", f);
		(void)fclose(f);
		assert_int_equal(find("needle", got, sizeof(got)), 0);
		assert_string_equal(got, "found ");
	}
}

/* ---- logging in -------------------------------------------------------- */

static struct auth_conf conf;

static void
reset_conf(void)
{
	conf = (struct auth_conf){
		.sources = AUTH_USERS_FILE, .users_file = users,
		.helper = helper, .secret_file = secret,
		.default_scheme = "CRYPT", .fold_case = true,
		.home = "/srv/%n", .mail = "maildir:%h/Maildir",
		.default_uid = "5000", .default_gid = "5000",
	};
}

/* A login; what came of it in *ret, if it is not NULL. */
static enum auth_reason
login_as(const char *authzid, const char *user, const char *password,
    const char *address, struct auth_user **ret)
{
	const struct auth_peer peer = { span_str(address), true, SPAN_NONE };
	struct auth *auth = auth_new(&conf, take_note, NULL);
	struct auth_user *made = NULL;
	enum auth_reason reason;

	notes[0] = '\0';
	reason = auth_password(auth, &peer, span_str(authzid), span_str(user),
	    span_str(password), deadline_in(10000), &made);
	assert_true((reason == AUTH_OK) == (made != NULL));
	if (ret != NULL)
		*ret = made;
	else
		auth_user_free(made);
	auth_free(auth);
	return reason;
}

static enum auth_reason
login(const char *user, const char *password)
{
	return login_as("", user, password, "192.0.2.1", NULL);
}

/* ---- quota ----------------------------------------------------------- */

static void
test_quota_rule(void **state)
{
	static const struct {
		const char *text;
		enum quotarule_kind kind;
		uint64_t bytes, messages;
	} good[] = {
		{ "", QUOTARULE_UNSAID, 0, 0 },
		{ "none", QUOTARULE_NONE, 0, 0 },
		{ "maildirsize", QUOTARULE_FILE, 0, 0 },
		{ "*:storage=1G:messages=1000", QUOTARULE_LIMITS, 1 << 30,
		    1000 },
		{ "*:storage=5", QUOTARULE_LIMITS, 5 * 1024, 0 },
		{ "*:storage=5B", QUOTARULE_LIMITS, 5, 0 },
		{ "*:bytes=1m", QUOTARULE_LIMITS, 1 << 20, 0 },
		{ "*:bytes=2T:bytes=7", QUOTARULE_LIMITS, 7, 0 },
		{ "*:messages=2K", QUOTARULE_LIMITS, 0, 2048 },
		{ "*:storage=0", QUOTARULE_LIMITS, 0, 0 },
		{ "?:storage=1M", QUOTARULE_FILE, 1 << 20, 0 },
		{ "storage=1M:messages=1", QUOTARULE_LIMITS, 1 << 20, 1 },
		{ "*:ignore", QUOTARULE_NONE, 0, 0 },
		{ "*:backend=10000000S,1000C", QUOTARULE_LIMITS, 10000000,
		    1000 },
		{ "10000000S,1000C", QUOTARULE_LIMITS, 10000000, 1000 },
		{ "7C", QUOTARULE_LIMITS, 0, 7 },
		{ "NOQUOTA", QUOTARULE_LIMITS, 0, 0 },
		{ "Trash:storage=+10%", QUOTARULE_UNSAID, 0, 0 },
		{ "Trash:ignore", QUOTARULE_UNSAID, 0, 0 },
	};
	static const char *const bad[] = {
		"*", "*:", "?:", "1G", "S", ",", "1S,", "1X", "-1S", "*:1G",
		"*:storage", "*:storage=", "*:storage=G", "*:storage=1GB",
		"*:storage=10%", "*:storage=-1", "*:storage=+1",
		"*:storage=1G:", "*:size=1", "*:storage=1 G",
		"*:storage=9223372036854775807", "*:bytes=9223372036854775808",
		"*:bytes=18446744073709551616", "*:storage=8388608T",
		"*:backend=", "*:backend=x", "storage=",
	};
	struct quotarule rule;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (quotarule_parse(span_str(good[i].text), &rule) != 0 ||
		    rule.kind != good[i].kind ||
		    rule.bytes != good[i].bytes ||
		    rule.messages != good[i].messages)
			fail_msg("%s", good[i].text);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (quotarule_parse(span_str(bad[i]), &rule) != ERR_SYNTAX)
			fail_msg("%s", bad[i]);
}

static enum auth_reason
external(const char *cert, const char *authzid, bool is_tls)
{
	const struct auth_peer peer = { SPAN("192.0.2.1"), is_tls,
	    span_str(cert) };
	struct auth *auth = auth_new(&conf, take_note, NULL);
	struct auth_user *user = NULL;
	enum auth_reason reason;

	reason = auth_external(auth, &peer, span_str(authzid), &user);
	auth_user_free(user);
	auth_free(auth);
	return reason;
}

static const char *const login_text =
    "first:$5$PLIztcHpOKogewwC$Jw0nudG9TNHia55fsARqNMrVYJd1WtBije1ouKNByQC\n"
    "sha:{SHA256}10/w7o2juYBrGMh32/KbveULW9jk2tejpyUAD+uC6PE=:5001:5002::"
    "/home/sha::userdb_mail=maildir:~/M userdb_quota_rule=*:bytes=1M "
    "capability=-IDLE\n"
    "weak:{PLAIN-MD5}1a1dc91c907325c69271ddf0c944bc72\n"
    "odd:{NTLM}x\n"
    "multi:{PLAIN}main:5001:5001::/home/multi::\n"
    "multi:{PLAIN}phone::::::label=phone allow_nets=192.0.2.0/24\n"
    "multi:{PLAIN}tv::::::label=tv expires=2001-01-01\n"
    "multi:{PLAIN}pop::::::label=pop services=pop3\n"
    "shut:{PLAIN}pass:5001:5001::/h::nologin\n"
    "shut:{PLAIN}app::::::label=a\n"
    "free::5001:5001::/h::nopassword\n"
    "much:{PLAIN}pass:5001:5001::/h::userdb_quota_storage_size=1G "
    "userdb_quota_message_count=9\n"
    "typo:{PLAIN}pass:5001:5001::/h::userdb_quota_rule=*:storge=1G\n"
    "none::5001:5001::/h::\n"
    "alias:{PLAIN}pass::::::user=multi\n"
    "lost:{PLAIN}pass::::::user=nobody-here\n"
    "p\303\251:{PLAIN}\303\251t\303\251\n"
    "nouid:{PLAIN}pass:no-such-user-here:1\n"
    "dear:$2y$31$CmgVwY5oLcJCjWQFdCczIe7cJVEGwt3v7W3PhcFhBFHzo6lSwdynm\n"
    "daemon:{PLAIN}pass:0:0\n"
    "u@example.org:{PLAIN}pass\n";

static void
test_login(void **state)
{
	struct auth_user *user;

	(void)state;
	reset_conf();
	write_file(users, login_text, 0600);
	assert_int_equal(login("first", "pass"), AUTH_OK);
	assert_int_equal(login("FIRST", "pass"), AUTH_OK);
	assert_int_equal(login("first", "Pass"), AUTH_BAD_PASSWORD);
	assert_int_equal(login("first", ""), AUTH_BAD_PASSWORD);
	assert_int_equal(login("ghost", "pass"), AUTH_UNKNOWN_USER);
	assert_int_equal(login("", "pass"), AUTH_UNKNOWN_USER);
	assert_int_equal(login("../first", "pass"), AUTH_UNKNOWN_USER);
	assert_int_equal(login("#", "pass"), AUTH_UNKNOWN_USER);
	assert_int_equal(login_as("other", "first", "pass", "", NULL),
	    AUTH_NOT_AUTHORIZED);
	assert_int_equal(login_as("First", "first", "pass", "", NULL), AUTH_OK);
	/* by imapd-auth */
	assert_int_equal(login_as("", "sha", "pass", "", &user), AUTH_OK);
	assert_int_equal(user->uid, 5001);
	assert_int_equal(user->gid, 5002);
	assert_string_equal(user->home, "/home/sha");
	assert_string_equal(user->mail, "maildir:~/M");
	assert_string_equal(user->quota, "*:bytes=1M");
	assert_string_equal(user->capability, "-IDLE");
	assert_string_equal(user->backend, "users");
	assert_null(user->label);
	auth_user_free(user);
	assert_int_equal(login("sha", "passe"), AUTH_BAD_PASSWORD);
	assert_int_equal(login_as("", "u@example.org", "pass", "", &user),
	    AUTH_OK);
	assert_string_equal(user->home, "/srv/u");
	assert_string_equal(user->mail, "maildir:/srv/u/Maildir");
	auth_user_free(user);
	assert_int_equal(login("weak", "pass"), AUTH_BAD_SCHEME);
	assert_string_equal(notes, "3 weak password scheme, see allow_weak;");
	conf.allow_weak = true;
	assert_int_equal(login("weak", "pass"), AUTH_OK);
	assert_int_equal(login_as("", "much", "pass", "", &user), AUTH_OK);
	assert_string_equal(user->quota, "*:bytes=1G:messages=9");
	auth_user_free(user);
	assert_int_equal(login("typo", "pass"), AUTH_BAD_ENTRY);
	assert_non_null(strstr(notes, "malformed quota"));
	assert_int_equal(login("odd", "pass"), AUTH_BAD_SCHEME);
	assert_string_equal(notes, "4 unknown password scheme;");
	assert_int_equal(login("dear", "pass"), AUTH_BAD_SCHEME);
	assert_int_equal(login("nouid", "pass"), AUTH_BAD_ENTRY);
	conf.sources |= AUTH_SYSTEM;
	assert_int_equal(login("daemon", "pass"), AUTH_BAD_ENTRY);
	assert_int_equal(external("daemon", "", true), AUTH_BAD_ENTRY);
	assert_int_equal(login("none", ""), AUTH_BAD_PASSWORD);
	assert_int_equal(login("free", "anything"), AUTH_OK);
}

static void
test_app_passwords(void **state)
{
	struct auth_user *user;

	(void)state;
	reset_conf();
	assert_int_equal(login_as("", "multi", "phone", "192.0.2.9", &user),
	    AUTH_OK);
	assert_string_equal(user->label, "phone");
	assert_string_equal(user->home, "/home/multi");
	assert_int_equal(user->uid, 5001);
	auth_user_free(user);
	assert_int_equal(login_as("", "multi", "phone", "10.0.0.1", NULL),
	    AUTH_BAD_NETWORK);
	assert_int_equal(login_as("", "multi", "main", "10.0.0.1", NULL),
	    AUTH_OK);
	assert_int_equal(login("multi", "tv"), AUTH_EXPIRED);
	assert_int_equal(login("multi", "pop"), AUTH_NOLOGIN);
	assert_int_equal(login("multi", "else"), AUTH_BAD_PASSWORD);
	assert_int_equal(login("shut", "pass"), AUTH_NOLOGIN);
	assert_int_equal(login("shut", "app"), AUTH_NOLOGIN);
	assert_int_equal(login("shut", "x"), AUTH_BAD_PASSWORD);
	assert_int_equal(login_as("", "alias", "pass", "", &user), AUTH_OK);
	assert_string_equal(user->name, "multi");
	assert_string_equal(user->home, "/home/multi");
	auth_user_free(user);
	assert_int_equal(login("lost", "pass"), AUTH_BAD_ENTRY);
}

/* The same letters, however the client spells them. */
static void
test_spellings(void **state)
{
	(void)state;
	reset_conf();
	assert_int_equal(login("p\303\251", "\303\251t\303\251"), AUTH_OK);
	assert_int_equal(login("pe\314\201", "e\314\201te\314\201"), AUTH_OK);
	assert_int_equal(login("p\351", "\351t\351"), AUTH_OK);
	assert_int_equal(login("p\303\251", "ete"), AUTH_BAD_PASSWORD);
}

static void
test_external(void **state)
{
	struct auth *auth;
	struct auth_user *user = NULL;
	const struct auth_peer peer = { 0 };

	(void)state;
	reset_conf();
	assert_int_equal(external("multi", "", true), AUTH_OK);
	assert_int_equal(external("multi", "MULTI", true), AUTH_OK);
	assert_int_equal(external("multi", "first", true),
	    AUTH_NOT_AUTHORIZED);
	assert_int_equal(external("multi", "", false), AUTH_BAD_MECHANISM);
	assert_int_equal(external("", "multi", true), AUTH_BAD_MECHANISM);
	assert_int_equal(external("ghost", "", true), AUTH_UNKNOWN_USER);
	assert_int_equal(external("shut", "", true), AUTH_NOLOGIN);
	auth = auth_new(&conf, NULL, NULL);
	assert_int_equal(auth_anonymous(auth, &peer, SPAN("x"), &user),
	    AUTH_BAD_MECHANISM);
	conf.allow_anonymous = true;
	conf.anonymous_user = "first";
	assert_int_equal(auth_anonymous(auth, &peer, SPAN("x"), &user),
	    AUTH_OK);
	assert_string_equal(user->name, "first");
	auth_user_free(user);
	auth_free(auth);
}

/* The mark of a wrong password: the same for the same, on this host. */
static void
test_mark(void **state)
{
	char a[AUTH_MARK + 1], b[AUTH_MARK + 1], c[AUTH_MARK + 1];
	struct auth *auth;
	unsigned differ = 0;

	(void)state;
	reset_conf();
	auth = auth_new(&conf, NULL, NULL);
	auth_password_mark(auth, SPAN("old"), a);
	auth_password_mark(auth, SPAN("old"), b);
	assert_string_equal(a, b);
	assert_int_equal(strlen(a), AUTH_MARK);
	for (uint8_t i = 'a'; i < 'k'; i++) {
		auth_password_mark(auth, span_of(&i, 1), c);
		differ += strcmp(a, c) != 0;
	}
	assert_true(differ > 7);
	auth_password_mark(auth, SPAN(""), c);
	/* another host */
	assert_int_equal(unlink(secret), 0);
	for (int i = 0; i < 3; i++) {
		auth_password_mark(auth, SPAN("old"), b);
		differ += strcmp(a, b) != 0;
		assert_int_equal(unlink(secret), 0);
	}
	assert_true(differ > 8);
	auth_free(auth);
}

/* A refusal takes what a real user's refusal takes. */
static double
time_of(const char *user)
{
	struct timespec a, b;

	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < 10; i++)
		(void)login(user, "wrong");
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	return (double)(b.tv_sec - a.tv_sec) +
	    (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

static void
test_equal_time(void **state)
{
	double known, unknown, none, bad_name;

	(void)state;
	reset_conf();
	(void)time_of("first");
	known = time_of("first");
	unknown = time_of("ghost");
	none = time_of("none");
	bad_name = time_of("a/b");
	assert_true(unknown > known / 3 && unknown < known * 3);
	assert_true(none > known / 3 && none < known * 3);
	assert_true(bad_name > known / 3 && bad_name < known * 3);
}

static void
test_helper_fails(void **state)
{
	(void)state;
	reset_conf();
	conf.helper = "/nonexistent/imapd-auth";
	assert_int_equal(login("sha", "pass"), AUTH_UNAVAILABLE);
	conf.helper = "/bin/sleep";	/* ends at once */
	assert_int_equal(login("sha", "pass"), AUTH_UNAVAILABLE);
	conf.helper = NULL;
	assert_int_equal(login("sha", "pass"), AUTH_UNAVAILABLE);
	assert_int_equal(login("first", "pass"), AUTH_OK);
	reset_conf();
	conf.users_file = "/nonexistent/users";
	assert_int_equal(login("first", "pass"), AUTH_UNAVAILABLE);
}

static const char *const check_text =
    "#!/bin/sh\n"
    "input=$(tr '\\0' '\\n' <&3)\n"
    "case $input in\n"
    "tester*) ;;\n"
    "slow*) sleep 20 ;;\n"
    "broken*) exit 111 ;;\n"
    "silent*) exit 0 ;;\n"
    "*) exit 1 ;;\n"
    "esac\n"
    "[ \"$(echo \"$input\" | sed -n 2p)\" = pass ] || exit 1\n"
    "export USER=tester HOME=/srv/tester userdb_uid=5007 userdb_gid=5008\n"
    "export MAILDIR='maildir:~/M' TESTED=\"$TCPREMOTEIP\"\n"
    "exec \"$@\"\n";

static void
test_checkpassword(void **state)
{
	struct auth_user *user;
	const struct auth_peer peer = { SPAN("192.0.2.1"), true, SPAN_NONE };
	struct auth *auth;

	(void)state;
	reset_conf();
	write_file(program, check_text, 0755);
	conf.sources = AUTH_CHECKPASSWORD;
	conf.checkpassword = program;
	if (login_as("", "tester", "pass", "", &user) != AUTH_OK)
		fail_msg("%s", notes);
	if (geteuid() == 0) {
		assert_int_equal(user->uid, 5007);
		assert_int_equal(user->gid, 5008);
	} else {
		assert_int_equal(user->uid, geteuid());
	}
	assert_string_equal(user->home, "/srv/tester");
	assert_string_equal(user->mail, "maildir:~/M");
	assert_string_equal(user->backend, "checkpassword");
	auth_user_free(user);
	assert_int_equal(login("tester", "wrong"), AUTH_BAD_PASSWORD);
	assert_int_equal(login("ghost", "pass"), AUTH_BAD_PASSWORD);
	assert_int_equal(login("broken", "pass"), AUTH_UNAVAILABLE);
	assert_int_equal(login("silent", "pass"), AUTH_UNAVAILABLE);
	auth = auth_new(&conf, take_note, NULL);
	notes[0] = '\0';
	assert_int_equal(auth_password(auth, &peer, SPAN_NONE, SPAN("slow"),
	    SPAN("pass"), deadline_in(200), &user), AUTH_UNAVAILABLE);
	assert_string_equal(notes, "0 was too slow;");
	auth_free(auth);
	/* the users file is asked first */
	conf.sources |= AUTH_USERS_FILE;
	assert_int_equal(login("first", "pass"), AUTH_OK);
	assert_int_equal(login("tester", "pass"), AUTH_OK);
	conf.checkpassword = "/nonexistent";
	assert_int_equal(login("tester", "pass"), AUTH_UNAVAILABLE);
}

/* An account of the system whose password nobody knows. */
static void
test_system(void **state)
{
	(void)state;
	reset_conf();
	conf.sources = AUTH_SYSTEM;
	assert_int_equal(login("no-such-user-here", "x"), AUTH_UNKNOWN_USER);
	assert_int_not_equal(login("daemon", ""), AUTH_OK);
	assert_int_not_equal(login("daemon", "*"), AUTH_OK);
	/* The date of the account is in a file that not everybody may read. */
	if (geteuid() != 0)
		return;
	assert_int_equal(external("daemon", "", true), AUTH_OK);
	assert_int_equal(external("root", "", true), AUTH_BAD_ENTRY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_line_malformed),
		cmocka_unit_test(test_quota_rule),
		cmocka_unit_test(test_expand),
		cmocka_unit_test(test_location),
		cmocka_unit_test(test_prep),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_index_damaged),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_login),
		cmocka_unit_test(test_app_passwords),
		cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_external),
		cmocka_unit_test(test_mark),
		cmocka_unit_test(test_equal_time),
		cmocka_unit_test(test_helper_fails),
		cmocka_unit_test(test_checkpassword),
		cmocka_unit_test(test_system),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
