/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * Mod-sequences and what has vanished: over sessions, between them, and when
 * imapd.index and imapd.journal are damaged, old or gone.
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

#include "maildir/maildir.h"
#include "tests/unit/maildir_env.h"

#define INDEX	"imapd.index"
#define JOURNAL	"imapd.journal"
#define TICK_US	30000u		/* times older than this prove something */

static const struct span inbox_level = SPAN("INBOX");
static const struct maildir_path inbox = { &inbox_level, 1 };

/* ---- what everybody does ---- */

static struct maildir *
box(struct env *e)
{
	struct maildir *md;

	assert_int_equal(maildir_open(e->store, &inbox, false, &md), 0);
	assert_true(maildir_highestmodseq(md) >= 1);
	return md;
}

static size_t
refresh(struct maildir *md)
{
	const struct maildir_change *c;
	size_t n;

	assert_int_equal(maildir_refresh(md, &c, &n), 0);
	return n;
}

static struct maildir_msg
get(struct maildir *md, uint32_t uid)
{
	size_t i = maildir_find(md, uid);
	struct maildir_msg m;

	assert_true(i < maildir_count(md));
	maildir_get(md, i, &m);
	assert_int_equal(m.uid, uid);
	assert_true(m.modseq >= 1 && m.modseq <= maildir_highestmodseq(md));
	return m;
}

static uint64_t
modseq(struct maildir *md, uint32_t uid)
{
	return get(md, uid).modseq;
}

static void
deliver(struct env *e, unsigned first, unsigned n)
{
	for (unsigned i = first; i < first + n; i++) {
		char name[64];

		snprintf(name, sizeof(name), "new/%u.M1P1.h", i);
		write_text(e, name, "x\n");
	}
}

static void
store_flags(struct maildir *md, uint32_t uid, enum maildir_store_op op,
    uint32_t sys, uint64_t kw)
{
	const struct maildir_flags f = { sys, kw };
	size_t n;

	assert_int_equal(maildir_store_flags(md, &uid, 1, op, &f, &n), 0);
}

static void
set(struct maildir *md, uint32_t uid, uint32_t sys)
{
	store_flags(md, uid, MAILDIR_SET, sys, 0);
}

static void
expunge(struct maildir *md, uint32_t uid)
{
	size_t n;

	assert_int_equal(maildir_expunge(md, &uid, 1, &n), 0);
	assert_int_equal(n, 1);
}

/* Another program renames the message "uid.M1P1.h". */
static void
foreign(struct env *e, unsigned uid, const char *flags)
{
	char prefix[32], name[256], from[300], to[300];

	snprintf(prefix, sizeof(prefix), "%u.", uid);
	find_file(e, "cur", prefix, name);
	snprintf(from, sizeof(from), "cur/%s", name);
	snprintf(to, sizeof(to), "cur/%u.M1P1.h:2,%s", uid, flags);
	move_file(e, from, to);
}

static void
foreign_unlink(struct env *e, unsigned uid)
{
	char prefix[32], name[256], path[300];

	snprintf(prefix, sizeof(prefix), "%u.", uid);
	find_file(e, "cur", prefix, name);
	snprintf(path, sizeof(path), "cur/%s", name);
	remove_file(e, path);
}

static void
remove_if(struct env *e, const char *rel)
{
	if (is_there(e, rel))
		remove_file(e, rel);
}

/* The UIDs as text, or "gone". */
static void
check_vanished(struct env *e, struct maildir *md, uint64_t since,
    const char *want)
{
	uint32_t *uids;
	char text[512] = "";
	size_t n, len = 0;
	int r = maildir_vanished(md, since, e->arena, &uids, &n);

	if (r == ERR_GONE)
		snprintf(text, sizeof(text), "gone");
	else
		assert_int_equal(r, 0);
	for (size_t i = 0; r == 0 && i < n && len < sizeof(text); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s%u", i == 0 ? "" : " ", (unsigned)uids[i]);
	assert_string_equal(text, want);
}

/* Both handles show the same. */
static void
check_agree(struct maildir *a, struct maildir *b)
{
	assert_int_equal(maildir_count(a), maildir_count(b));
	assert_int_equal(maildir_highestmodseq(a), maildir_highestmodseq(b));
	for (size_t i = 0; i < maildir_count(a); i++) {
		struct maildir_msg x, y;

		maildir_get(a, i, &x);
		maildir_get(b, i, &y);
		assert_int_equal(x.uid, y.uid);
		assert_int_equal(x.flags.sys, y.flags.sys);
		assert_int_equal(x.flags.kw, y.flags.kw);
		assert_int_equal(x.modseq, y.modseq);
	}
}

static int
setup(void **state)
{
	struct maildir *md;

	env_setup(state);
	md = box(*state);		/* makes cur/, new/ and tmp/ */
	maildir_close(md);
	return 0;
}

struct notes {
	unsigned n;
};

static void
note(void *arg, const char *mailbox, const char *file, const char *text)
{
	struct notes *notes = arg;

	(void)mailbox;
	(void)file;
	(void)text;
	notes->n++;
}

static void
listen(struct env *e, struct notes *notes)
{
	notes->n = 0;
	e->conf.note = note;
	e->conf.note_arg = notes;
	env_reopen(e);
}

/* ---- changes ---- */

static void
test_changes(void **state)
{
	struct env *e = *state;
	struct maildir *a, *b;
	uint64_t last, was[4];
	size_t kw;

	deliver(e, 1, 3);
	a = box(e);
	b = box(e);
	for (uint32_t i = 1; i <= 3; i++)
		was[i] = modseq(a, i);
	last = maildir_highestmodseq(a);
	set(a, 1, MAILDIR_SEEN);
	assert_true(modseq(a, 1) > last);
	assert_int_equal(modseq(a, 1), maildir_highestmodseq(a));
	assert_int_equal(modseq(a, 2), was[2]);
	last = maildir_highestmodseq(a);

	/* by nobody: it is so already */
	store_flags(a, 1, MAILDIR_ADD, MAILDIR_SEEN, 0);
	assert_int_equal(maildir_highestmodseq(a), last);

	set(b, 2, MAILDIR_FLAGGED);
	assert_true(modseq(b, 2) > last);
	refresh(a);
	refresh(b);
	check_agree(a, b);
	last = maildir_highestmodseq(a);

	foreign(e, 3, "T");
	refresh(b);
	refresh(a);
	assert_true(modseq(a, 3) > last);
	check_agree(a, b);
	last = maildir_highestmodseq(a);

	assert_int_equal(maildir_keyword(a, SPAN("Junk"), true, &kw), 0);
	store_flags(a, 1, MAILDIR_ADD, 0, UINT64_C(1) << kw);
	assert_true(modseq(a, 1) > last);
	last = maildir_highestmodseq(a);

	deliver(e, 4, 1);
	refresh(a);
	assert_true(modseq(a, 4) > last);
	last = maildir_highestmodseq(a);

	expunge(b, 2);
	refresh(a);
	refresh(b);
	assert_true(maildir_highestmodseq(a) > last);
	check_vanished(e, a, last, "2");
	check_vanished(e, b, last, "2");
	check_agree(a, b);
	maildir_close(a);
	maildir_close(b);
}

/* Each in its turn, and a foreign program. */
static void
test_turns(void **state)
{
	struct env *e = *state;
	struct maildir *md[2];

	deliver(e, 1, 8);
	md[0] = box(e);
	md[1] = box(e);
	for (unsigned i = 0; i < 60; i++) {
		uint32_t uid = i % 8 + 1;

		if (i % 5 == 4)
			foreign(e, uid, i % 2 == 0 ? "S" : "FS");
		else
			set(md[i % 2], uid, 1 + i % 31);
		if (i % 3 == 0)
			refresh(md[0]);
		if (i % 4 != 0)
			continue;
		refresh(md[1]);
		refresh(md[0]);
		refresh(md[1]);
		check_agree(md[0], md[1]);
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

	deliver(e, 1, 2);
	a = box(e);
	b = box(e);
	foreign(e, 1, "F");
	refresh(a);
	refresh(b);
	c = box(e);
	check_agree(a, b);
	check_agree(a, c);
	maildir_close(c);
	maildir_close(b);
	maildir_close(a);
	c = box(e);
	assert_int_equal(get(c, 1).flags.sys, MAILDIR_FLAGGED);
	maildir_close(c);
}

static void
test_reopen(void **state)
{
	struct env *e = *state;
	struct maildir *md;
	uint64_t highest, was[6];

	deliver(e, 1, 5);
	md = box(e);
	set(md, 2, MAILDIR_SEEN);
	set(md, 4, MAILDIR_SEEN);
	for (int k = 0; k < 3; k++) {
		highest = maildir_highestmodseq(md);
		for (uint32_t i = 1; i <= 5; i++)
			was[i] = modseq(md, i);
		maildir_close(md);
		if (k == 1)
			usleep(TICK_US);
		md = box(e);
		assert_int_equal(maildir_highestmodseq(md), highest);
		for (uint32_t i = 1; i <= 5; i++)
			assert_int_equal(modseq(md, i), was[i]);
	}
	maildir_close(md);
	foreign(e, 5, "R");
	md = box(e);
	assert_true(modseq(md, 5) > highest);
	assert_int_equal(modseq(md, 4), was[4]);
	maildir_close(md);
}

/* ---- compaction ---- */

/* Enough changes for a new index; the last leaves them without flags. */
static void
compact(struct env *e, struct maildir *md, unsigned messages)
{
	struct span before = read_text(e, INDEX);
	uint32_t uids[512];
	size_t n = 0, done;

	for (uint32_t i = 1; i <= messages && n < 512; i++)
		if (maildir_find(md, i) < maildir_find(md, i + 1))
			uids[n++] = i;
	for (int k = 0; k < 2; k++) {
		const struct maildir_flags f = { MAILDIR_DRAFT, 0 };

		assert_int_equal(maildir_store_flags(md, uids, n, k == 0 ?
		    MAILDIR_ADD : MAILDIR_REMOVE, &f, &done), 0);
	}
	/* the generation is another one */
	assert_memory_not_equal(read_text(e, INDEX).p, before.p, 24);
}

static void
run_compaction(struct env *e, int times)
{
	struct maildir *a, *b;
	uint64_t start, was;

	deliver(e, 1, 200);
	a = box(e);
	b = box(e);
	start = maildir_highestmodseq(b);
	expunge(b, 150);
	set(b, 7, MAILDIR_SEEN);
	for (int i = 0; i < times; i++) {
		compact(e, b, 200);
		set(b, 9, i % 2 == 0 ? MAILDIR_SEEN : MAILDIR_FLAGGED);
	}
	expunge(b, 151);
	deliver(e, 201, 1);
	refresh(b);
	refresh(a);
	refresh(b);
	check_agree(a, b);
	check_vanished(e, b, start, "150 151");
	check_vanished(e, a, start, "150 151");
	was = modseq(b, 7);
	set(a, 8, MAILDIR_SEEN);
	refresh(b);
	check_agree(a, b);
	maildir_close(a);
	maildir_close(b);
	a = box(e);
	assert_int_equal(modseq(a, 7), was);
	check_vanished(e, a, start, "150 151");
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

	deliver(e, 1, 6);
	md = box(e);
	h0 = maildir_highestmodseq(md);
	check_vanished(e, md, h0, "");
	expunge(md, 2);
	h1 = maildir_highestmodseq(md);
	assert_true(h1 > h0);
	maildir_close(md);
	foreign_unlink(e, 5);		/* while nobody looks */
	md = box(e);
	h2 = maildir_highestmodseq(md);
	assert_true(h2 > h1);
	check_vanished(e, md, h0, "2 5");
	check_vanished(e, md, h1, "5");
	check_vanished(e, md, h2, "");
	foreign_unlink(e, 1);		/* while somebody does */
	refresh(md);
	check_vanished(e, md, h1, "1 5");
	check_vanished(e, md, h2, "1");
	maildir_close(md);
	/* below the floor: what was before the record */
	md = box(e);
	check_vanished(e, md, 0, "gone");
	check_vanished(e, md, h0, "1 2 5");
	maildir_close(md);
	/* and lost with it */
	remove_file(e, JOURNAL);
	md = box(e);
	check_vanished(e, md, h2, "gone");
	check_vanished(e, md, maildir_highestmodseq(md), "");
	maildir_close(md);
}

/* A file that was removed, and is put back under its old name. */
static void
test_put_back(void **state)
{
	struct env *e = *state;
	struct maildir *md;
	uint64_t h0;

	deliver(e, 1, 3);
	md = box(e);
	h0 = maildir_highestmodseq(md);
	expunge(md, 2);
	maildir_close(md);
	write_text(e, "cur/2.M1P1.h:2,S", "x\n");
	md = box(e);
	for (size_t i = 0; i < maildir_count(md); i++) {
		struct maildir_msg m;

		maildir_get(md, i, &m);
		assert_true(m.uid != 2 || m.modseq > h0);
	}
	/* It has its UID again: then it is not gone. */
	check_vanished(e, md, h0, maildir_find(md, 2) <
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

	deliver(e, 1, 3);
	md = box(e);
	expunge(md, 2);
	refresh(md);
	write_text(e, "cur/2.M1P1.h:2,S", "x\n");
	refresh(md);
	usleep(TICK_US);
	refresh(md);
	assert_int_equal(maildir_count(md), 2);
	maildir_close(md);
	md = box(e);
	assert_int_equal(maildir_count(md), 3);
	assert_int_equal(get(md, 2).flags.sys, MAILDIR_SEEN);
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
	deliver(e, 1, most + 2 * extra);
	md = box(e);
	h0 = maildir_highestmodseq(md);
	for (uint32_t i = 0; i < most + extra; i++)
		uids[i] = extra + i + 1;
	assert_int_equal(maildir_expunge(md, uids, extra, &n), 0);
	h1 = maildir_highestmodseq(md);
	assert_int_equal(maildir_expunge(md, uids + extra, most, &n), 0);
	/* a new index, which is where they are forgotten */
	compact(e, md, extra);
	maildir_close(md);
	md = box(e);
	check_vanished(e, md, h0, "gone");
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

	deliver(e, 1, 200);
	md = box(e);
	other = box(e);
	for (int i = 0; i < 30; i++) {
		char name[16];

		snprintf(name, sizeof(name), "word%d", i);
		assert_int_equal(maildir_keyword(md, span_str(name), true,
		    &kw), 0);
	}
	assert_true(kw >= 26);
	bit = UINT64_C(1) << kw;
	last = maildir_highestmodseq(md);
	store_flags(md, 3, MAILDIR_ADD, 0, bit);
	assert_true(modseq(md, 3) > last);
	refresh(other);
	assert_true((get(other, 3).flags.kw & bit) != 0);
	assert_true(is_span_eq(maildir_keyword_name(other, kw),
	    SPAN("word29")));
	refresh(md);
	check_agree(md, other);
	compact(e, md, 200);
	foreign(e, 3, "S");
	refresh(other);
	refresh(md);
	check_agree(md, other);
	maildir_close(other);
	maildir_close(md);
	md = box(e);
	assert_int_equal(get(md, 3).flags.kw, bit);
	assert_int_equal(maildir_keyword(md, SPAN("word29"), false, &kw), 0);
	assert_int_equal(bit, UINT64_C(1) << kw);
	maildir_close(md);
}

/* ---- damage ---- */

#define DAMAGE_MESSAGES	5u

/* What the record is about: an index, and a journal of many kinds of records.
 * Afterwards the times on record are true. */
static uint64_t
prepare(struct env *e)
{
	struct maildir *md;
	uint64_t highest;
	size_t kw;

	deliver(e, 1, 6);
	md = box(e);
	for (int i = 0; i < 27; i++) {
		char name[16];

		snprintf(name, sizeof(name), "word%d", i);
		assert_int_equal(maildir_keyword(md, span_str(name), true,
		    &kw), 0);
	}
	store_flags(md, 2, MAILDIR_ADD, 0, UINT64_C(1) << kw);
	expunge(md, 6);
	set(md, 1, MAILDIR_SEEN);
	set(md, 3, MAILDIR_FLAGGED | MAILDIR_SEEN);
	usleep(TICK_US);
	refresh(md);
	highest = maildir_highestmodseq(md);
	maildir_close(md);
	return highest;
}

/* UIDs and flags as the files have them, whatever the record says. */
static void
check_files(struct maildir *md)
{
	static const uint32_t sys[DAMAGE_MESSAGES + 1] = {
		0, MAILDIR_SEEN, 0, MAILDIR_FLAGGED | MAILDIR_SEEN, 0, 0
	};

	assert_int_equal(maildir_count(md), DAMAGE_MESSAGES);
	for (uint32_t i = 1; i <= DAMAGE_MESSAGES; i++)
		assert_int_equal(get(md, i).flags.sys, sys[i]);
	assert_int_equal(maildir_uidnext(md), 7);
}

/* Two sessions; what they find is mended by the first. */
static void
check_healed(struct env *e, struct notes *notes, uint64_t least,
    unsigned most_notes)
{
	struct maildir *md;

	notes->n = 0;
	md = box(e);
	check_files(md);
	assert_true(maildir_highestmodseq(md) >= least);
	(void)refresh(md);
	check_files(md);
	least = maildir_highestmodseq(md);
	maildir_close(md);
	assert_true(notes->n <= most_notes);
	most_notes = notes->n;
	md = box(e);
	check_files(md);
	assert_true(maildir_highestmodseq(md) >= least);
	maildir_close(md);
	assert_int_equal(notes->n, most_notes);
}

static void
flip(struct env *e, const char *rel, struct span good, size_t i, int bit)
{
	uint8_t *bad = arena_alloc(e->arena, good.n);

	memcpy(bad, good.p, good.n);
	bad[i] ^= (uint8_t)(1 << bit);
	write_bytes(e, rel, bad, good.n);
}

static void
test_journal_flips(void **state)
{
	struct env *e = *state;
	struct notes notes;
	uint64_t highest = prepare(e);
	struct span index = read_text(e, INDEX), journal = read_text(e,
	    JOURNAL);

	assert_true(journal.n > 300);
	listen(e, &notes);
	for (size_t i = 0; i < journal.n; i++) {
		write_bytes(e, INDEX, index.p, index.n);
		flip(e, JOURNAL, journal, i, (int)(i % 8));
		check_healed(e, &notes, highest, 1);
		assert_int_equal(notes.n, 1);
	}
}

static void
test_index_flips(void **state)
{
	struct env *e = *state;
	struct notes notes;
	uint64_t highest = prepare(e);
	struct span index = read_text(e, INDEX), journal = read_text(e,
	    JOURNAL);

	listen(e, &notes);
	for (size_t i = 0; i < index.n; i += i < 600 ? 1 : 37) {
		write_bytes(e, JOURNAL, journal.p, journal.n);
		flip(e, INDEX, index, i, (int)(i % 8));
		check_healed(e, &notes, highest, 1);
	}
}

/* The end of a journal that was cut between two records cannot be told from
 * one that was never longer; what is told later is higher all the same. */
static void
test_truncated(void **state)
{
	struct env *e = *state;
	struct notes notes;
	uint64_t highest = prepare(e), told;
	struct span index = read_text(e, INDEX), journal = read_text(e,
	    JOURNAL);

	listen(e, &notes);
	for (size_t i = 0; i < journal.n; i++) {
		struct maildir *md;

		write_bytes(e, INDEX, index.p, index.n);
		write_bytes(e, JOURNAL, journal.p, i);
		check_healed(e, &notes, notes.n > 0 ? highest : 1, 1);
		if (notes.n > 0 || i % 16 != 0)
			continue;
		md = box(e);
		told = maildir_highestmodseq(md);
		set(md, 1, MAILDIR_SEEN | MAILDIR_DRAFT);
		assert_true(modseq(md, 1) > told && modseq(md, 1) > highest);
		set(md, 1, MAILDIR_SEEN);
		maildir_close(md);
	}
	for (size_t i = 0; i < index.n; i += i < 600 ? 1 : 37) {
		write_bytes(e, JOURNAL, journal.p, journal.n);
		write_bytes(e, INDEX, index.p, i);
		check_healed(e, &notes, highest, 1);
		assert_int_equal(notes.n, 1);
	}
}

/* Garbage behind the last record: cut off, nothing else is lost. */
static void
test_torn(void **state)
{
	struct env *e = *state;
	struct notes notes;
	uint64_t highest = prepare(e);
	struct span journal = read_text(e, JOURNAL);
	uint8_t *torn = arena_alloc(e->arena, journal.n + 10);

	memcpy(torn, journal.p, journal.n);
	memcpy(torn + journal.n, "\0\0\0\050abcdef", 10);
	listen(e, &notes);
	write_bytes(e, JOURNAL, torn, journal.n + 10);
	check_healed(e, &notes, highest, 1);
	assert_int_equal(notes.n, 1);
}

/* The gone list is damaged when a new index is written: what is not known any
 * more is not said to be complete. */
static void
test_gone_damaged(void **state)
{
	struct env *e = *state;
	struct maildir *md;
	struct notes notes;
	struct span index;
	uint64_t h0;
	size_t off = 256;

	deliver(e, 1, 200);
	md = box(e);
	h0 = maildir_highestmodseq(md);
	expunge(md, 150);
	compact(e, md, 200);
	maildir_close(md);
	index = read_text(e, INDEX);
	for (int s = 0; s < 5; s++) {	/* the lengths before "gone" */
		uint64_t n = 0;

		for (int i = 0; i < 8; i++)
			n = n << 8 | index.p[112 + 16 * s + i];
		off += (size_t)n;
	}
	listen(e, &notes);
	flip(e, INDEX, index, off + 3, 0);
	md = box(e);
	compact(e, md, 200);
	maildir_close(md);
	assert_int_equal(notes.n, 1);
	md = box(e);
	check_vanished(e, md, h0, "gone");
	maildir_close(md);
	assert_int_equal(notes.n, 1);
}

/* ---- lost and old ---- */

/* Bit 0: the index goes, bit 1: the journal. */
static void
lose(struct env *e, int what)
{
	if (what & 1)
		remove_if(e, INDEX);
	if (what & 2)
		remove_if(e, JOURNAL);
}

static void
test_deleted(void **state)
{
	struct env *e = *state;
	struct maildir *md, *other;
	uint64_t last, h;

	deliver(e, 1, 4);
	md = box(e);
	set(md, 1, MAILDIR_SEEN);
	last = maildir_highestmodseq(md);
	maildir_close(md);
	for (int what = 1; what <= 3; what++) {
		lose(e, what);		/* while nobody looks */
		md = box(e);
		h = maildir_highestmodseq(md);
		assert_true(h >= last);
		last = h;
		for (uint32_t i = 1; i <= 4; i++)
			(void)modseq(md, i);
		other = box(e);
		lose(e, what);		/* behind two backs */
		set(md, 2, what % 2 == 0 ? MAILDIR_SEEN : MAILDIR_FLAGGED);
		assert_true(modseq(md, 2) > last);
		last = maildir_highestmodseq(md);
		refresh(other);
		assert_int_equal(get(other, 2).flags.sys, get(md,
		    2).flags.sys);
		assert_true(maildir_highestmodseq(other) >= last);
		refresh(md);
		refresh(other);
		check_agree(md, other);
		last = maildir_highestmodseq(md);
		lose(e, what);
		maildir_close(other);
		maildir_close(md);
		md = box(e);
		assert_true(maildir_highestmodseq(md) >= last);
		last = maildir_highestmodseq(md);
		maildir_close(md);
	}
}

/* Copies from a time before some changes come back. */
static void
run_restored(struct env *e, int what, bool is_open)
{
	struct maildir *md;
	struct span index, journal;
	uint64_t before, last;

	deliver(e, 1, 4);
	md = box(e);
	set(md, 1, MAILDIR_SEEN);
	usleep(TICK_US);
	refresh(md);
	before = maildir_highestmodseq(md);
	maildir_close(md);
	index = read_text(e, INDEX);
	journal = read_text(e, JOURNAL);
	md = box(e);
	set(md, 2, MAILDIR_FLAGGED);
	expunge(md, 3);
	deliver(e, 5, 1);
	refresh(md);
	if (what & 4) {			/* comes and goes in between */
		usleep(TICK_US);
		expunge(md, 5);
	}
	if (what & 8)			/* and the record is another one */
		remove_file(e, JOURNAL);
	refresh(md);
	last = maildir_highestmodseq(md);
	if (!is_open)
		maildir_close(md);
	if (what & 1)
		write_bytes(e, INDEX, index.p, index.n);
	if (what & 2)
		write_bytes(e, JOURNAL, journal.p, journal.n);
	if (is_open) {
		refresh(md);
		assert_true(maildir_highestmodseq(md) >= last);
		set(md, 4, MAILDIR_SEEN);
		assert_true(modseq(md, 4) > last);
		last = maildir_highestmodseq(md);
		maildir_close(md);
	}
	md = box(e);
	assert_true(maildir_highestmodseq(md) >= last);
	assert_int_equal(maildir_count(md), what & 4 ? 3 : 4);
	assert_int_equal(get(md, 2).flags.sys, MAILDIR_FLAGGED);
	assert_true(modseq(md, 2) > before);
	/* What is said to be all is all. */
	{
		uint32_t *uids;
		size_t n;

		if (maildir_vanished(md, before, e->arena, &uids, &n) == 0)
			check_vanished(e, md, before, what & 4 ? "3 5" : "3");
	}
	last = maildir_highestmodseq(md);
	set(md, 1, MAILDIR_DRAFT);
	assert_true(modseq(md, 1) > last);
	maildir_close(md);
}

static void
test_restored(void **state)
{
	(void)state;
	for (int what = 1; what < 16; what++)
		for (int is_open = 0; is_open < 2; is_open++) {
			void *env;

			if ((what & 3) == 0)
				continue;
			setup(&env);
			run_restored(env, what, is_open != 0);
			env_teardown(&env);
		}
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
	md = box(e);
	refresh(md);
	refresh(md);
	assert_int_equal(maildir_count(md), count);
	maildir_close(md);
	assert_int_equal(maildir_status(e->store, &inbox, false, &st), 0);
	assert_int_equal(st.messages, count);
}

static void
test_at_rest(void **state)
{
	struct env *e = *state;
	struct maildir *md;

	deliver(e, 1, 50);
	md = box(e);
	set(md, 3, MAILDIR_SEEN);
	usleep(TICK_US);
	refresh(md);
	maildir_close(md);
	for (int i = 0; i < 2; i++) {
		look_in(e, 50);
		assert_int_equal(reads_of_new + reads_of_other, 0);
	}
	deliver(e, 51, 1);
	usleep(TICK_US);
	reads_of_new = reads_of_other = 0;
	md = box(e);
	assert_int_equal(maildir_count(md), 51);
	assert_true(reads_of_new > 0);
	assert_int_equal(reads_of_other, 0);
	maildir_close(md);
	foreign(e, 4, "F");
	usleep(TICK_US);
	look_in(e, 51);
	assert_true(reads_of_other > 0);
	md = box(e);
	usleep(TICK_US);
	refresh(md);
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

	deliver(e, 1, 3);
	md = box(e);
	expunge(md, 2);
	last = maildir_highestmodseq(md);
	maildir_close(md);
	usleep(TICK_US);
	write_text(e, "dovecot-uidlist",
	    "3 V99 N20 G888d381620b5006b6152000083ecc375\n"
	    "11 :3.M1P1.h\n12 :1.M1P1.h\n");
	md = box(e);
	assert_int_equal(maildir_uidvalidity(md), 99);
	assert_int_equal(maildir_count(md), 2);
	assert_true(modseq(md, 11) > last && modseq(md, 12) > last);
	check_vanished(e, md, last, "gone");
	check_vanished(e, md, maildir_highestmodseq(md), "");
	maildir_close(md);
	md = box(e);
	assert_int_equal(maildir_count(md), 2);
	(void)modseq(md, 12);
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

		MUST(maildir_open(e->store, &inbox, false, &md) == 0);
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
	md = box(e);
	set(md, 1, MAILDIR_FLAGGED);
	maildir_close(md);
	check_reader(e, 1);
	deliver(e, 2, 1);
	foreign(e, 1, "R");
	check_reader(e, 2);
}

int
main(void)
{
#define T(name)	cmocka_unit_test_setup_teardown(name, setup, env_teardown)
	const struct CMUnitTest tests[] = {
		T(test_changes), T(test_turns), T(test_seen_twice),
		T(test_reopen), T(test_compaction_once),
		T(test_compaction_twice), T(test_compaction_often),
		T(test_vanished), T(test_put_back), T(test_put_back_open),
		T(test_vanished_bound),
		T(test_words), T(test_journal_flips), T(test_index_flips),
		T(test_truncated), T(test_torn), T(test_gone_damaged),
		T(test_deleted), T(test_restored), T(test_validity),
		T(test_at_rest), T(test_readonly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
