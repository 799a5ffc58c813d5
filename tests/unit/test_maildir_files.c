/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * The files of a mailbox: names, uidlist, keywords, the lock; damage and races.
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
#include <unistd.h>

#include "maildir/crc32c.h"
#include "maildir/lock.h"
#include "maildir/maildir.h"
#include "maildir/name.h"
#include "maildir/uidlist.h"
#include "tests/unit/maildir_env.h"

static const struct span inbox_level = SPAN("INBOX");
static const struct maildir_path inbox = { &inbox_level, 1 };

/* ---- names ----------------------------------------------------------- */

static void
check_name(const char *file, const char *base, uint32_t add, const char *want)
{
	struct name n;
	struct buf b;

	assert_true(is_span_eq(name_base(span_str(file)), span_str(base)));
	name_parse(span_str(file), &n);
	n.upper |= add;
	buf_init(&b, 512);
	name_put(&b, &n);
	assert_true(is_span_eq(buf_span(&b), span_str(want)));
	buf_done(&b);
}

static void
test_name(void **state)
{
	uint64_t v;

	(void)state;
	check_name("1.2.h", "1.2.h", 0, "1.2.h:2,");
	check_name("1.2.h:2,SPZ", "1.2.h", NAME_BIT('F'), "1.2.h:2,FPSZ");
	check_name("1.2.h:2,aSS", "1.2.h", 0, "1.2.h:2,Sa");
	check_name("1.2.h:2,SR,extra", "1.2.h", NAME_BIT('F'),
	    "1.2.h:2,FRS,extra");
	check_name("1.2.h:1,abc", "1.2.h", 0, "1.2.h:2,");
	check_name("1.2.h:", "1.2.h", 0, "1.2.h:2,");
	check_name("1.2.h:2", "1.2.h", 0, "1.2.h:2,");
	check_name("8.M1P1.h:X:2,S", "8.M1P1.h", 0, "8.M1P1.h:X:2,S");
	assert_false(is_name_usable(SPAN(".x")));
	assert_false(is_name_usable(SPAN(":2,S")));
	assert_false(is_name_usable(SPAN("")));
	assert_false(is_name_usable(SPAN("a\nb")));
	assert_int_equal(name_size(SPAN("1.h,S=12,W=34"), 'S', &v), 0);
	assert_int_equal(v, 12);
	assert_int_equal(name_size(SPAN("1.h,S=12,W=34"), 'W', &v), 0);
	assert_int_equal(v, 34);
	assert_int_equal(name_size(SPAN("1.h,S=12x"), 'S', &v), ERR_NOENT);
	assert_int_equal(name_size(SPAN("1.h,S="), 'S', &v), ERR_NOENT);
	assert_int_equal(name_size(SPAN(""), 'S', &v), ERR_NOENT);
}

static void
test_name_order(void **state)
{
	static const char *const sorted[] = {
		"x", "1.2.h", "10.M5P1.a", "10.M40P0.a", "10.M40P1.a",
		"1600000000.123.h", "1600000001.M1.h",
	};

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(sorted) / sizeof(*sorted); i++) {
		struct name_key a, b;

		name_key(span_str(sorted[i]), &a);
		name_key(span_str(sorted[i + 1]), &b);
		assert_true(name_key_cmp(&a, &b) < 0);
		assert_true(name_key_cmp(&b, &a) > 0);
		assert_int_equal(name_key_cmp(&a, &a), 0);
	}
}

/* ---- uidlist --------------------------------------------------------- */

static const char list_text[] =
    "3 V1795208480 N9 Pfoo G888d381620b5006b6152000083ecc375 Xbar\n"
    "1 :1700000000.M1P1.host,S=134,W=141\n"
    "2 :b:2,S\n"
    "3 Gold.guid P O7 :c d\n"
    "5 :e\n";

/* Every prefix of the file: no crash, no UID that is not in it, none twice. */
static void
test_uidlist_prefixes(void **state)
{
	struct env *e = *state;
	int dir = -1;

	for (size_t n = 0; n < sizeof(list_text); n++) {
		char text[sizeof(list_text)];
		struct maildir *md;
		struct uidlist ul;
		struct uidlist_rec rec;
		uint32_t last = 0;

		memcpy(text, list_text, n);
		text[n] = '\0';
		write_text(e, "dovecot-uidlist", text);
		assert_int_equal(maildir_open(e->store, &inbox, true, &md), 0);
		assert_int_equal(maildir_count(md), 0);
		assert_true(maildir_uidvalidity(md) > 0);
		if (n > 80)
			assert_true(maildir_uidvalidity(md) == 1795208480);
		maildir_close(md);
		(void)dir;
		uidlist_init(&ul);
		while (uidlist_next(&ul, &rec)) {
			assert_true(rec.uid > last);
			last = rec.uid;
		}
		uidlist_done(&ul);
	}
}

static void
test_uidlist_kept(void **state)
{
	struct env *e = *state;
	struct maildir *md;
	struct maildir_msg m;

	write_text(e, "dovecot-uidlist", list_text);
	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	maildir_close(md);
	write_text(e, "cur/c d:2,S", "x");
	write_text(e, "cur/b:2,F", "x");
	write_text(e, "cur/new:2,", "x");
	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	assert_int_equal(maildir_count(md), 3);
	maildir_get(md, 0, &m);
	assert_int_equal(m.uid, 2);
	maildir_get(md, 1, &m);
	assert_int_equal(m.uid, 3);
	assert_false(m.is_recent);
	maildir_get(md, 2, &m);
	assert_int_equal(m.uid, 9);
	assert_int_equal(maildir_uidnext(md), 10);
	maildir_close(md);
	/* appended, nothing else touched */
	assert_true(has_prefix(read_text(e, "dovecot-uidlist"),
	    span_of(list_text, sizeof(list_text) - 1)));
	assert_true(has_suffix(read_text(e, "dovecot-uidlist"),
	    SPAN("5 :e\n9 :new\n")));
}

/* Damage: what parses keeps its UID, V stays, N grows, fields are kept. */
static void
test_uidlist_damage(void **state)
{
	struct env *e = *state;
	struct maildir *md;
	struct maildir_msg m;
	struct span text;

	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	maildir_close(md);
	write_text(e, "cur/a:2,", "x");
	write_text(e, "cur/b:2,", "x");
	write_text(e, "cur/c:2,", "x");
	write_text(e, "cur/d:2,", "x");
	write_text(e, "dovecot-uidlist",
	    "3 V77 N3 G888d381620b5006b6152000083ecc375 Xbar\n"
	    "4 Gq Zz :a\n"
	    "garbage\n"
	    "3 :b\n"
	    "7:c\n"
	    "9 :d\n"
	    "10 :tor");
	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	assert_int_equal(maildir_uidvalidity(md), 77);
	assert_int_equal(maildir_count(md), 4);
	maildir_get(md, 0, &m);
	assert_int_equal(m.uid, 4);
	maildir_get(md, 1, &m);
	assert_int_equal(m.uid, 9);
	maildir_get(md, 2, &m);
	assert_true(m.uid > 10);
	maildir_close(md);
	text = read_text(e, "dovecot-uidlist");
	assert_true(has_prefix(text, SPAN("3 V77 N10")));
	assert_true(span_find(text, 'X') < text.n);
	(void)span_split(&text, '\n');
	assert_true(has_prefix(text, SPAN("4 Gq Zz :a\n9 :d\n10")));
}

static void
test_uidlist_two_records(void **state)
{
	struct env *e = *state;
	struct maildir *md;
	struct maildir_msg m;

	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	maildir_close(md);
	write_text(e, "cur/a:2,", "x");
	write_text(e, "dovecot-uidlist",
	    "3 V77 N3 G888d381620b5006b6152000083ecc375\n1 :a\n2 :a\n");
	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	assert_int_equal(maildir_count(md), 1);
	maildir_get(md, 0, &m);
	assert_int_equal(m.uid, 2);
	maildir_close(md);
	assert_true(is_span_eq(read_text(e, "dovecot-uidlist"),
	    SPAN("3 V77 N3 G888d381620b5006b6152000083ecc375\n2 :a\n")));
}

static void
check_v1(struct env *e)
{
	struct maildir *md;
	struct maildir_msg m;

	write_text(e, "cur/x y:2,", "x");
	write_text(e, "cur/b,S=1:2,", "x");
	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	assert_int_equal(maildir_uidvalidity(md), 795208773);
	assert_int_equal(maildir_uidnext(md), 42);
	assert_int_equal(maildir_count(md), 2);
	maildir_get(md, 0, &m);
	assert_int_equal(m.uid, 10);
	assert_false(m.is_recent);
	maildir_get(md, 1, &m);
	assert_int_equal(m.uid, 20);
	maildir_close(md);
	assert_true(has_prefix(read_text(e, "dovecot-uidlist"),
	    SPAN("3 V795208773 N42 G")));
}

static void
test_uidlist_v1(void **state)
{
	struct env *e = *state;
	struct maildir *md;

	assert_int_equal(maildir_open(e->store, &inbox, true, &md), 0);
	maildir_close(md);
	write_text(e, "dovecot-uidlist",
	    "1 795208773 42\n10 x y\n20 b,S=1\n30 gone\n");
	check_v1(e);
}

static void
test_uidlist_courier(void **state)
{
	struct env *e = *state;

	make_dir(e, "cur");
	make_dir(e, "new");
	make_dir(e, "tmp");
	write_text(e, "courierimapuiddb",
	    "1 795208773 42\n10 x y\n20 b,S=1\n30 gone\n");
	check_v1(e);
	assert_true(is_there(e, "courierimapuiddb"));
}

/* An expunged file that was put back does not disturb a running session. */
static void
test_reappeared(void **state)
{
	struct env *e = *state;
	struct maildir *md;
	const struct maildir_change *c;
	struct maildir_msg m;
	uint32_t uid = 1;
	size_t n;

	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	write_text(e, "cur/1.1.h:2,", "x");
	write_text(e, "cur/2.1.h:2,", "y");
	assert_int_equal(maildir_refresh(md, &c, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(maildir_expunge(md, &uid, 1, &n), 0);
	assert_int_equal(maildir_refresh(md, &c, &n), 0);
	write_text(e, "cur/1.1.h:2,", "x");
	assert_int_equal(maildir_refresh(md, &c, &n), 0);
	for (size_t i = 0; i < maildir_count(md); i++) {
		maildir_get(md, i, &m);
		assert_int_not_equal(m.uid, 1);
	}
	maildir_close(md);
}

/* ---- imapd.index ----------------------------------------------------- */

#define MANY	70

/* What a mailbox of MANY messages must look like. */
static void
check_many(struct env *e, uint32_t flagged)
{
	struct maildir_msg m;
	struct maildir *md;
	struct buf guid;

	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	assert_int_equal(maildir_count(md), MANY);
	assert_int_equal(maildir_uidnext(md), MANY + 1);
	for (uint32_t i = 0; i < MANY; i++) {
		maildir_get(md, i, &m);
		assert_int_equal(m.uid, i + 1);
		assert_int_equal(m.flags.sys, i + 1 == flagged ?
		    MAILDIR_SEEN | MAILDIR_FLAGGED : MAILDIR_SEEN);
		assert_int_equal(m.flags.kw, i % 2);
		assert_true(m.modseq >= 1 &&
		    m.modseq <= maildir_highestmodseq(md));
	}
	buf_init(&guid, 256);
	assert_int_equal(maildir_message_guid(md, 5, &guid), 0);
	assert_true(is_span_eq(buf_span(&guid), SPAN("5.M1P1.h")));
	buf_done(&guid);
	maildir_close(md);
}

static void
make_many(struct env *e)
{
	char name[64];
	struct maildir *md;

	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	maildir_close(md);
	write_text(e, "dovecot-keywords", "0 Work\n");
	for (int i = 1; i <= MANY; i++) {
		assert_true(snprintf(name, sizeof(name),
		    "cur/%d.M1P1.h:2,S%s", i, i % 2 ? "" : "a") > 0);
		write_text(e, name, "x\n");
	}
	usleep(60000);		/* older than the file system's clock */
	check_many(e, 0);	/* numbered, under the lock */
	usleep(60000);
	check_many(e, 0);
	assert_true(is_there(e, "imapd.index"));
	assert_false(is_there(e, "imapd.index.tmp"));
	check_many(e, 0);
}

static void
test_snapshot(void **state)
{
	struct env *e = *state;
	struct maildir_flags f = { MAILDIR_FLAGGED, 0 };
	const struct maildir_change *c;
	struct span before;
	struct maildir *md;
	uint32_t uid = 3;
	size_t n;

	make_many(e);
	before = read_text(e, "imapd.index");
	/* changed behind its back */
	move_file(e, "cur/7.M1P1.h:2,S", "cur/7.M1P1.h:2,FS");
	check_many(e, 7);
	move_file(e, "cur/7.M1P1.h:2,FS", "cur/7.M1P1.h:2,S");
	usleep(60000);
	check_many(e, 0);
	check_many(e, 0);
	/* an old copy of the snapshot */
	move_file(e, "cur/9.M1P1.h:2,S", "cur/9.M1P1.h:2,FS");
	write_bytes(e, "imapd.index", before.p, before.n);
	check_many(e, 9);
	move_file(e, "cur/9.M1P1.h:2,FS", "cur/9.M1P1.h:2,S");
	usleep(60000);
	check_many(e, 0);
	/* work on a picture that came from it */
	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	assert_int_equal(maildir_store_flags(md, &uid, 1, MAILDIR_ADD, &f,
	    &n), 0);
	assert_true(is_there(e, "cur/3.M1P1.h:2,FS"));
	write_text(e, "new/1000.M1P1.h", "new\n");
	assert_int_equal(maildir_refresh(md, &c, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(c[0].uid, MANY + 1);
	assert_int_equal(maildir_expunge(md, &uid, 1, &n), 0);
	assert_int_equal(maildir_refresh(md, &c, &n), 0);
	assert_int_equal(n, 0);
	maildir_close(md);
	assert_int_equal(maildir_open(e->store, &inbox, true, &md), 0);
	assert_int_equal(maildir_count(md), MANY);
	maildir_close(md);
}

/* Cut anywhere, or with any byte changed: as if it were not there. */
static void
test_snapshot_damage(void **state)
{
	struct env *e = *state;
	struct span good;
	uint8_t *bad;

	make_many(e);
	good = read_text(e, "imapd.index");
	bad = arena_alloc(e->arena, good.n);
	for (size_t i = 0; i < good.n; i += i < 120 ? 1 : 31) {
		write_bytes(e, "imapd.index", good.p, i);
		check_many(e, 0);
		memcpy(bad, good.p, good.n);
		bad[i] ^= 0x41;
		/* a name: the message is looked for, and found */
		if (i < good.n - (size_t)MANY * 10)
			write_bytes(e, "imapd.index", bad, good.n);
		check_many(e, 0);
	}
}

#define NAMES_CHECK	(112 + 7 * 16 + 8)	/* where it is in the header */

static void
put_check(uint8_t *p, uint32_t check)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(check >> (24 - 8 * i));
}

/* The first name of an index of n bytes becomes another one, as long as it was;
 * with all the checks that belong to it. */
static void
forge_name(uint8_t *index, size_t n, const char *name)
{
	size_t len = strlen(name), at = 256, size = 0;

	while (memcmp(index + at, "1.M1P1.h:2,S", len) != 0)
		assert_true(++at < n - len);
	memcpy(index + at, name, len);
	put_check(index + at + len, crc32c(0, name, len));
	for (int i = 0; i < 8; i++)
		size = size << 8 | index[NAMES_CHECK - 8 + i];
	put_check(index + NAMES_CHECK, crc32c(0, index + at, size));
	put_check(index + 8, crc32c(0, index + 12, 256 - 12));
}

static void
check_first(struct maildir *md)
{
	struct maildir_file *f;
	uint8_t text[8];
	size_t n;

	assert_int_equal(maildir_file_open(md, 1, &f), 0);
	assert_int_equal(maildir_file_read(f, 0, text, sizeof(text), &n), 0);
	assert_int_equal(n, 2);
	assert_memory_equal(text, "x\n", 2);
	maildir_file_close(f);
}

/* A name that somebody wrote into it leads nowhere but into cur/. */
static void
test_snapshot_path(void **state)
{
	struct env *e = *state;
	const struct maildir_change *c;
	struct maildir_file *f;
	struct maildir *md;
	struct span good;
	uint8_t *bad;
	size_t n;

	make_many(e);
	write_text(e, "secret:2,", "secret\n");
	good = read_text(e, "imapd.index");
	bad = arena_alloc(e->arena, good.n);
	memcpy(bad, good.p, good.n);
	forge_name(bad, good.n, "../secret:2,");
	write_bytes(e, "imapd.index", bad, good.n);
	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	/* Not there, as long as nobody has looked; and back, as it was. */
	assert_int_equal(maildir_file_open(md, 1, &f), ERR_GONE);
	assert_int_equal(maildir_refresh(md, &c, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(maildir_count(md), MANY);
	check_first(md);
	maildir_close(md);
	/* Damage by accident does not even get so far. */
	memcpy(bad, good.p, good.n);
	for (n = 256; memcmp(bad + n, "1.M1P1.h:2,S", 12) != 0; n++)
		assert_true(n < good.n - 12);
	memcpy(bad + n, "../secret:2,", 12);
	write_bytes(e, "imapd.index", bad, good.n);
	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	check_first(md);
	maildir_close(md);
}

/* ---- twins ----------------------------------------------------------- */

static void
test_twins(void **state)
{
	struct env *e = *state;
	struct maildir *md;
	char link_from[128], link_to[128];

	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	maildir_close(md);
	/* two messages of one base, and one message with two names */
	write_text(e, "cur/1.1.h:2,S", "one\n");
	write_text(e, "new/1.1.h", "two\n");
	write_text(e, "cur/2.1.h:2,", "three\n");
	assert_true(snprintf(link_from, 128, "%s/cur/2.1.h:2,", e->root) > 0);
	assert_true(snprintf(link_to, 128, "%s/cur/2.1.h:2,F", e->root) > 0);
	assert_int_equal(link(link_from, link_to), 0);
	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	assert_int_equal(maildir_count(md), 3);
	maildir_close(md);
	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	assert_int_equal(maildir_count(md), 3);
	maildir_close(md);
}

/* ---- keywords -------------------------------------------------------- */

static void
test_keywords(void **state)
{
	struct env *e = *state;
	struct maildir *md;
	struct maildir_flags f = { 0, 0 };
	uint32_t uid = 1;
	char name[3] = "k ", word[7] = "word  ";
	size_t i, n;

	write_text(e, "dovecot-keywords",
	    "0 $Forwarded\nno\n30 x\n1 Junk\n3 JUNK\n3 zeta\n");
	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	maildir_close(md);
	write_text(e, "cur/1.1.h:2,P", "x");
	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	assert_int_equal(maildir_keyword_count(md), 4);
	assert_int_equal(maildir_keyword_name(md, 2).n, 0);
	assert_true(is_span_eq(maildir_keyword_name(md, 3), SPAN("zeta")));
	assert_int_equal(maildir_keyword(md, SPAN("$forwarded"), false, &i),
	    0);
	assert_int_equal(i, 0);
	/* P counts, and goes with the keyword */
	f.kw = 1;
	assert_int_equal(maildir_store_flags(md, &uid, 1, MAILDIR_REMOVE, &f,
	    &n), 0);
	assert_true(is_there(e, "cur/1.1.h:2,"));
	assert_int_equal(maildir_store_flags(md, &uid, 1, MAILDIR_ADD, &f,
	    &n), 0);
	assert_true(is_there(e, "cur/1.1.h:2,a"));
	/* the lowest free number; 23 more fit */
	for (int k = 0; k < 23; k++) {
		name[1] = (char)('a' + k);
		assert_int_equal(maildir_keyword(md, span_str(name), true,
		    &i), 0);
		assert_int_equal(i, k == 0 ? 2 : 3 + k);
	}
	/* 37 more have no letters, and are on record all the same */
	for (int k = 0; k < 37; k++) {
		word[4] = (char)('A' + k / 10);
		word[5] = (char)('0' + k % 10);
		assert_int_equal(maildir_keyword(md, span_str(word), true,
		    &i), 0);
		assert_int_equal(i, 27 + k);
	}
	assert_int_equal(maildir_keyword(md, SPAN("WORDa3"), false, &i), 0);
	assert_int_equal(i, 30);
	assert_int_equal(maildir_keyword(md, SPAN("more"), true, &i),
	    ERR_LIMIT);
	assert_int_equal(maildir_keyword(md, SPAN("a b"), true, &i),
	    ERR_NAME);
	assert_false(is_there(e, "dovecot-keywords.lock"));
	maildir_close(md);
}

static void
test_forwarded_without_letter(void **state)
{
	struct env *e = *state;
	struct maildir *md;
	struct maildir_msg m;
	size_t i;

	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	maildir_close(md);
	write_text(e, "cur/1.1.h:2,P", "x");
	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	maildir_get(md, 0, &m);
	assert_int_equal(maildir_keyword(md, SPAN("$Forwarded"), false, &i),
	    0);
	assert_int_equal(m.flags.kw, UINT64_C(1) << i);
	/* a letter takes over, and the message keeps the keyword */
	assert_int_equal(maildir_keyword(md, SPAN("$Forwarded"), true, &i), 0);
	assert_int_equal(i, 0);
	maildir_get(md, 0, &m);
	assert_int_equal(m.flags.kw, 1);
	maildir_close(md);
}

static void
check_keyword(struct maildir *md, size_t i, const char *name, bool want)
{
	struct maildir_msg m;
	size_t k;

	assert_int_equal(maildir_keyword(md, span_str(name), false, &k), 0);
	maildir_get(md, i, &m);
	assert_int_equal((m.flags.kw >> k) & 1, want);
}

static void
test_keywords_courier(void **state)
{
	struct env *e = *state;
	struct maildir *md;

	make_dir(e, "cur");
	make_dir(e, "new");
	make_dir(e, "tmp");
	make_dir(e, "courierimapkeywords");
	write_text(e, "cur/1:2,S", "x");
	write_text(e, "cur/2,S=1:2,", "x");
	write_text(e, "cur/3:2,", "x");
	write_text(e, "courierimapuiddb", "1 7 4\n1 1\n2 2,S=1\n3 3\n");
	write_text(e, "courierimapkeywords/:list", "Junk\n$Forwarded\nzeta\n"
	    "\n1:2 0\n2,S=1:1\ngone:0\n3:0 9 x\n");
	write_text(e, "courierimapkeywords/.5.2,S=1", "zeta\n");
	write_text(e, "courierimapkeywords/.12.2,S=1", "Junk\n");
	write_text(e, "courierimapkeywords/.99.3", "zeta\n");
	write_text(e, "courierimapkeywords/3", "");
	assert_int_equal(maildir_open(e->store, &inbox, true, &md), 0);
	check_keyword(md, 0, "Junk", true);
	check_keyword(md, 0, "zeta", true);
	check_keyword(md, 0, "$Forwarded", false);
	check_keyword(md, 1, "Junk", true);
	check_keyword(md, 1, "zeta", false);
	check_keyword(md, 1, "$Forwarded", false);
	check_keyword(md, 2, "Junk", false);
	check_keyword(md, 2, "zeta", false);
	maildir_close(md);
	assert_true(is_there(e, "cur/1:2,Sac"));
	assert_true(is_there(e, "courierimapkeywords/:list"));
}

/* ---- the lock -------------------------------------------------------- */

static void
test_lock_dead(void **state)
{
	struct env *e = *state;
	struct maildir *md;
	char text[128], host[65] = "";
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(gethostname(host, 64), 0);
	assert_true(snprintf(text, 128, "%ld:%s", (long)pid, host) > 0);
	write_text(e, "dovecot-uidlist.lock", text);
	/* younger than two seconds: left alone, then removed */
	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	maildir_close(md);
	assert_false(is_there(e, "dovecot-uidlist.lock"));
}

/* No UID is left: all are given anew, the mail stays reachable. */
static void
test_uids_used_up(void **state)
{
	struct env *e = *state;
	struct maildir *md;

	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	maildir_close(md);
	write_text(e, "cur/1.M1P1.h:2,S", "x\n");
	write_text(e, "dovecot-uidlist", "3 V5 N4294967295 "
	    "G00000000000000000000000000000000\n");
	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	assert_int_equal(maildir_count(md), 1);
	assert_int_not_equal(maildir_uidvalidity(md), 5);
	maildir_close(md);
}

/* Fifos where files are to be written are not waited for. */
static void
test_fifos(void **state)
{
	static const char *const names[] = {
		"dovecot-uidlist.tmp", "dovecot-uidvalidity"
	};
	struct env *e = *state;
	struct maildir *md;
	int dir = open(e->conf.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	alarm(20);
	for (size_t i = 0; i < 2; i++) {
		(void)unlinkat(dir, names[i], 0);
		assert_int_equal(mkfifoat(dir, names[i], 0600), 0);
		if (maildir_open(e->store, &inbox, false, &md) == 0)
			maildir_close(md);
		(void)unlinkat(dir, names[i], 0);
		(void)unlinkat(dir, "dovecot-uidlist", 0);
	}
	alarm(0);
	close(dir);
}

/* Stale, and not to be removed: the deadline counts. */
static void
test_lock_stuck(void **state)
{
	struct env *e = *state;
	struct lock_what what = { .name = "stuck.lock", .mode = 0600,
	    .stale_ms = 1 };
	struct unique u;
	struct lock lk;

	unique_init(&u);
	what.dir = open(e->conf.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(what.dir, what.name, 0700), 0);
	alarm(20);
	assert_int_equal(lock_take(&lk, &what, &u, deadline_in(3000)),
	    ERR_BUSY);
	alarm(0);
	assert_int_equal(unlinkat(what.dir, what.name, AT_REMOVEDIR), 0);
	close(what.dir);
}

static void
test_lock_alive(void **state)
{
	struct env *e = *state;
	struct maildir *md;

	write_text(e, "dovecot-uidlist.lock", "4711:some.other.host");
	e->conf.lock_ms = 100;
	env_reopen(e);
	assert_int_equal(maildir_open(e->store, &inbox, false, &md), ERR_BUSY);
	assert_true(is_there(e, "dovecot-uidlist.lock"));
}

/* ---- races ----------------------------------------------------------- */

#define RACERS	4
#define ROUNDS	60

/* One process: appends, stores on everything, reads. */
static void
racer(struct env *e, int who)
{
	struct maildir_flags f = { 0, 0 };
	struct maildir *md;
	size_t n, k;
	char name[3] = { 'r', (char)('0' + who), '\0' };

	env_reopen(e);
	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	assert_int_equal(maildir_keyword(md, span_str(name), true, &k), 0);
	f.kw = UINT64_C(1) << k;
	for (int i = 0; i < ROUNDS; i++) {
		struct maildir_append_args args = { .nkeywords = 0 };
		struct maildir_append *app;
		const struct maildir_change *c;
		uint32_t validity, *uids;

		assert_int_equal(maildir_append_new(e->store, &inbox, &app),
		    0);
		assert_int_equal(maildir_append_begin(app, &args), 0);
		assert_int_equal(maildir_append_write(app, SPAN("x\r\n")), 0);
		assert_int_equal(maildir_append_end(app), 0);
		assert_int_equal(maildir_append_commit(app, e->arena,
		    &validity, &uids, &n), 0);
		assert_int_equal(maildir_refresh(md, &c, &n), 0);
		for (k = 1; k < n; k++)
			assert_true(c[k - 1].uid < c[k].uid);
		for (k = 0; k < n; k++)
			assert_int_not_equal(c[k].what, MAILDIR_EXPUNGED);
		for (k = 0; k < maildir_count(md); k++) {
			struct maildir_msg m;

			maildir_get(md, k, &m);
			if (m.flags.kw & f.kw)
				continue;
			assert_int_equal(maildir_store_flags(md, &m.uid, 1,
			    MAILDIR_ADD, &f, &n), 0);
		}
	}
	maildir_close(md);
	_exit(0);
}

/*
 * Each process marks every message that it saw with a keyword of its own:
 * nobody's message and nobody's mark may be lost, no UID used twice.
 */
static void
test_race(void **state)
{
	struct env *e = *state;
	struct maildir *md;
	pid_t pid[RACERS];
	uint64_t all = 0;
	int status;

	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	maildir_close(md);
	for (int i = 0; i < RACERS; i++) {
		pid[i] = fork();
		if (pid[i] == 0)
			racer(e, i);
	}
	for (int i = 0; i < RACERS; i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	assert_int_equal(maildir_count(md), RACERS * ROUNDS);
	assert_int_equal(maildir_uidnext(md), RACERS * ROUNDS + 1);
	for (size_t i = 0; i < maildir_count(md); i++) {
		struct maildir_msg m;

		maildir_get(md, i, &m);
		assert_int_equal(m.uid, i + 1);
		assert_true(m.flags.kw != 0);
		all |= m.flags.kw;
		/* early messages were seen by all */
		if (i < ROUNDS / 2)
			assert_int_equal(__builtin_popcountll(m.flags.kw),
			    RACERS);
	}
	assert_int_equal(__builtin_popcountll(all), RACERS);
	maildir_close(md);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f)	cmocka_unit_test_setup_teardown(f, env_setup, env_teardown)
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_name_order),
		T(test_uidlist_prefixes),
		T(test_uidlist_kept),
		T(test_uidlist_damage),
		T(test_uidlist_two_records),
		T(test_uidlist_v1),
		T(test_uidlist_courier),
		T(test_reappeared),
		T(test_snapshot),
		T(test_snapshot_damage),
		T(test_snapshot_path),
		T(test_twins),
		T(test_keywords),
		T(test_keywords_courier),
		T(test_forwarded_without_letter),
		T(test_lock_dead),
		T(test_uids_used_up),
		T(test_fifos),
		T(test_lock_stuck),
		T(test_lock_alive),
		T(test_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
