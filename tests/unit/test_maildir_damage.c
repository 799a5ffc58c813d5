/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * imapd.index, imapd.journal and dovecot-uidlist damaged, old or gone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "tests/unit/maildir_acts.h"

#define DAMAGE_MESSAGES	5u

/* What the record is about: an index, and a journal of many kinds of records.
 * Afterwards the times on record are true. */
static uint64_t
prepare(struct env *e)
{
	struct maildir *md;
	uint64_t highest;
	size_t kw;

	act_deliver(e, 1, 6);
	md = act_open(e);
	for (int i = 0; i < 27; i++) {
		char name[16];

		snprintf(name, sizeof(name), "word%d", i);
		assert_int_equal(maildir_keyword(md, span_str(name), true,
		    &kw), 0);
	}
	act_store(md, 2, MAILDIR_ADD, 0, UINT64_C(1) << kw);
	act_expunge(md, 6);
	act_set(md, 1, MAILDIR_SEEN);
	act_set(md, 3, MAILDIR_FLAGGED | MAILDIR_SEEN);
	usleep(TICK_US);
	act_refresh(md);
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
		assert_int_equal(act_get(md, i).flags.sys, sys[i]);
	assert_int_equal(maildir_uidnext(md), 7);
}

/* Two sessions; what they find is mended by the first. */
static void
check_healed(struct env *e, struct act_notes *notes, uint64_t least,
    unsigned most_notes)
{
	struct maildir *md;

	notes->n = 0;
	md = act_open(e);
	check_files(md);
	assert_true(maildir_highestmodseq(md) >= least);
	(void)act_refresh(md);
	check_files(md);
	least = maildir_highestmodseq(md);
	maildir_close(md);
	assert_true(notes->n <= most_notes);
	most_notes = notes->n;
	md = act_open(e);
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
	struct act_notes notes;
	uint64_t highest = prepare(e);
	struct span index = read_text(e, INDEX), journal = read_text(e,
	    JOURNAL);

	assert_true(journal.n > 300);
	act_listen(e, &notes);
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
	struct act_notes notes;
	uint64_t highest = prepare(e);
	struct span index = read_text(e, INDEX), journal = read_text(e,
	    JOURNAL);

	act_listen(e, &notes);
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
	struct act_notes notes;
	uint64_t highest = prepare(e), told;
	struct span index = read_text(e, INDEX), journal = read_text(e,
	    JOURNAL);

	act_listen(e, &notes);
	for (size_t i = 0; i < journal.n; i++) {
		struct maildir *md;

		write_bytes(e, INDEX, index.p, index.n);
		write_bytes(e, JOURNAL, journal.p, i);
		check_healed(e, &notes, highest, 1);
		if (notes.n > 0 || i % 16 != 0)
			continue;
		md = act_open(e);
		told = maildir_highestmodseq(md);
		act_set(md, 1, MAILDIR_SEEN | MAILDIR_DRAFT);
		assert_true(act_modseq(md, 1) > told &&
		    act_modseq(md, 1) > highest);
		act_set(md, 1, MAILDIR_SEEN);
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
	struct act_notes notes;
	uint64_t highest = prepare(e);
	struct span journal = read_text(e, JOURNAL);
	uint8_t *torn = arena_alloc(e->arena, journal.n + 10);

	memcpy(torn, journal.p, journal.n);
	memcpy(torn + journal.n, "\0\0\0\050abcdef", 10);
	act_listen(e, &notes);
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
	struct act_notes notes;
	struct span index;
	uint64_t h0;
	size_t off = 256;

	act_deliver(e, 1, 200);
	md = act_open(e);
	h0 = maildir_highestmodseq(md);
	act_expunge(md, 150);
	act_compact(e, md, 200);
	maildir_close(md);
	index = read_text(e, INDEX);
	for (int s = 0; s < 5; s++) {	/* the lengths before "gone" */
		uint64_t n = 0;

		for (int i = 0; i < 8; i++)
			n = n << 8 | index.p[112 + 16 * s + i];
		off += (size_t)n;
	}
	act_listen(e, &notes);
	flip(e, INDEX, index, off + 3, 0);
	md = act_open(e);
	act_compact(e, md, 200);
	maildir_close(md);
	assert_int_equal(notes.n, 1);
	md = act_open(e);
	act_vanished(e, md, h0, "gone");
	maildir_close(md);
	assert_int_equal(notes.n, 1);
}

/* ---- lost and old ---- */

/* Bit 0: the index goes, bit 1: the journal. */
static void
lose(struct env *e, int what)
{
	if (what & 1)
		act_remove(e, INDEX);
	if (what & 2)
		act_remove(e, JOURNAL);
}

static void
test_deleted(void **state)
{
	struct env *e = *state;
	struct maildir *md, *other;
	uint64_t last, h;

	act_deliver(e, 1, 4);
	md = act_open(e);
	act_set(md, 1, MAILDIR_SEEN);
	last = maildir_highestmodseq(md);
	maildir_close(md);
	for (int what = 1; what <= 3; what++) {
		lose(e, what);		/* while nobody looks */
		md = act_open(e);
		h = maildir_highestmodseq(md);
		assert_true(h >= last);
		last = h;
		for (uint32_t i = 1; i <= 4; i++)
			(void)act_modseq(md, i);
		other = act_open(e);
		lose(e, what);		/* behind two backs */
		act_set(md, 2, what % 2 == 0 ? MAILDIR_SEEN : MAILDIR_FLAGGED);
		assert_true(act_modseq(md, 2) > last);
		last = maildir_highestmodseq(md);
		act_refresh(other);
		assert_int_equal(act_get(other, 2).flags.sys, act_get(md,
		    2).flags.sys);
		assert_true(maildir_highestmodseq(other) >= last);
		act_refresh(md);
		act_refresh(other);
		act_agree(md, other);
		last = maildir_highestmodseq(md);
		lose(e, what);
		maildir_close(other);
		maildir_close(md);
		md = act_open(e);
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

	act_deliver(e, 1, 4);
	md = act_open(e);
	act_set(md, 1, MAILDIR_SEEN);
	usleep(TICK_US);
	act_refresh(md);
	before = maildir_highestmodseq(md);
	maildir_close(md);
	index = read_text(e, INDEX);
	journal = read_text(e, JOURNAL);
	md = act_open(e);
	act_set(md, 2, MAILDIR_FLAGGED);
	act_expunge(md, 3);
	act_deliver(e, 5, 1);
	act_refresh(md);
	if (what & 4) {			/* comes and goes in between */
		usleep(TICK_US);
		act_expunge(md, 5);
	}
	if (what & 8)			/* and the record is another one */
		remove_file(e, JOURNAL);
	act_refresh(md);
	last = maildir_highestmodseq(md);
	if (!is_open)
		maildir_close(md);
	if (what & 1)
		write_bytes(e, INDEX, index.p, index.n);
	if (what & 2)
		write_bytes(e, JOURNAL, journal.p, journal.n);
	if (is_open) {
		act_refresh(md);
		assert_true(maildir_highestmodseq(md) >= last);
		act_set(md, 4, MAILDIR_SEEN);
		assert_true(act_modseq(md, 4) > last);
		last = maildir_highestmodseq(md);
		maildir_close(md);
	}
	md = act_open(e);
	assert_true(maildir_highestmodseq(md) >= last);
	assert_int_equal(maildir_count(md), what & 4 ? 3 : 4);
	assert_int_equal(act_get(md, 2).flags.sys, MAILDIR_FLAGGED);
	assert_true(act_modseq(md, 2) > before);
	/* What is said to be all is all. */
	{
		uint32_t *uids;
		size_t n;

		if (maildir_vanished(md, before, e->arena, &uids, &n) == 0)
			act_vanished(e, md, before, what & 4 ? "3 5" : "3");
	}
	last = maildir_highestmodseq(md);
	act_set(md, 1, MAILDIR_DRAFT);
	assert_true(act_modseq(md, 1) > last);
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
			act_setup(&env);
			run_restored(env, what, is_open != 0);
			env_teardown(&env);
		}
}

/* A change and its undoing were told of, and what is on record of them is lost:
 * the files are as before. */
static void
test_unmade(void **state)
{
	struct env *e = *state;
	struct maildir *md;
	struct span index, journal;
	uint64_t first, told;

	act_deliver(e, 1, 3);
	md = act_open(e);
	usleep(TICK_US);
	act_refresh(md);
	first = maildir_highestmodseq(md);
	maildir_close(md);
	index = read_text(e, INDEX);
	journal = read_text(e, JOURNAL);
	md = act_open(e);
	act_set(md, 2, MAILDIR_SEEN);
	act_set(md, 2, 0);
	usleep(TICK_US);
	act_refresh(md);
	told = maildir_highestmodseq(md);
	assert_true(told > first);
	maildir_close(md);
	write_bytes(e, INDEX, index.p, index.n);
	write_bytes(e, JOURNAL, journal.p, journal.n);
	md = act_open(e);
	assert_true(maildir_highestmodseq(md) >= told);
	act_vanished(e, md, told, "");
	act_vanished(e, md, maildir_highestmodseq(md) + 1, "gone");
	usleep(TICK_US);
	act_refresh(md);
	told = maildir_highestmodseq(md);
	maildir_close(md);
	md = act_open(e);			/* it is on record now */
	assert_int_equal(maildir_highestmodseq(md), told);
	maildir_close(md);
}

/* An old copy of the list: no UID is given twice. */
static void
test_old_list(void **state)
{
	struct env *e = *state;
	struct maildir *md;
	struct span list;
	uint64_t last;

	act_deliver(e, 1, 2);
	md = act_open(e);
	maildir_close(md);
	list = read_text(e, "dovecot-uidlist");
	act_deliver(e, 3, 3);
	md = act_open(e);
	act_expunge(md, 5);
	last = maildir_highestmodseq(md);
	assert_int_equal(maildir_uidnext(md), 6);
	maildir_close(md);
	write_bytes(e, "copy", list.p, list.n);
	move_file(e, "copy", "dovecot-uidlist");
	for (int i = 0; i < 2; i++) {
		md = act_open(e);
		assert_int_equal(maildir_count(md), 4);
		(void)act_get(md, 1);
		(void)act_get(md, 2);
		(void)act_get(md, 6);
		(void)act_get(md, 7);
		assert_int_equal(maildir_uidnext(md), 8);
		act_vanished(e, md, last, "3 4");
		maildir_close(md);
	}
	/* The same while somebody is looking. */
	md = act_open(e);
	write_bytes(e, "copy", list.p, list.n);
	move_file(e, "copy", "dovecot-uidlist");
	act_deliver(e, 8, 1);
	act_refresh(md);
	assert_int_equal(maildir_count(md), 5);
	assert_true(maildir_uidnext(md) >= 9);
	maildir_close(md);
}

/* Records of messages that do not exist: read once, not each time. */
static void
test_list_grown(void **state)
{
	struct env *e = *state;
	struct span list, now;
	struct maildir *md;
	char text[512];

	act_deliver(e, 1, 2);
	md = act_open(e);
	usleep(TICK_US);
	act_refresh(md);
	maildir_close(md);
	list = read_text(e, "dovecot-uidlist");
	snprintf(text, sizeof(text), "%.*s3 :3.nobody.h\n", (int)list.n,
	    (const char *)list.p);
	write_text(e, "dovecot-uidlist", text);
	usleep(TICK_US);
	md = act_open(e);
	assert_int_equal(maildir_count(md), 2);
	assert_int_equal(maildir_uidnext(md), 4);
	maildir_close(md);
	list = read_text(e, JOURNAL);
	md = act_open(e);
	maildir_close(md);
	now = read_text(e, JOURNAL);
	assert_true(is_span_eq(list, now));
}

/* A second file with the base of a message, while a session looks: both are
 * shown in the end, and the first keeps its UID. */
static void
test_twin(void **state)
{
	struct env *e = *state;
	struct maildir *md;

	act_deliver(e, 1, 2);
	md = act_open(e);
	act_refresh(md);
	write_text(e, "cur/2.M1P1.h:2,F", "another\n");
	for (int i = 0; i < 3 && maildir_count(md) < 3; i++)
		act_refresh(md);
	assert_int_equal(maildir_count(md), 3);
	(void)act_get(md, 2);
	(void)act_get(md, 3);
	maildir_close(md);
	md = act_open(e);
	assert_int_equal(maildir_count(md), 3);
	maildir_close(md);
}

/* A message goes elsewhere, and a copy with its base, and a UID of its own,
 * comes: as Dovecot calls copies. */
static void
test_returned(void **state)
{
	struct env *e = *state;
	struct maildir *md, *other;
	struct span list;
	char text[512];

	act_deliver(e, 1, 3);
	md = act_open(e);
	other = act_open(e);
	act_refresh(md);
	act_refresh(other);
	move_file(e, "cur/2.M1P1.h:2,", "tmp/2.M1P1.h");
	list = read_text(e, "dovecot-uidlist");
	snprintf(text, sizeof(text), "%.*s9 :2.M1P1.h\n", (int)list.n,
	    (const char *)list.p);
	write_text(e, "dovecot-uidlist", text);
	move_file(e, "tmp/2.M1P1.h", "cur/2.M1P1.h:2,S");
	for (int i = 0; i < 2; i++) {
		act_refresh(md);
		act_refresh(other);
		assert_int_equal(maildir_count(md), 3);
		(void)act_get(md, 1);
		(void)act_get(md, 3);
		assert_int_equal(act_get(md, 9).flags.sys, MAILDIR_SEEN);
		act_agree(md, other);
	}
	maildir_close(md);
	maildir_close(other);
	md = act_open(e);
	assert_int_equal(maildir_count(md), 3);
	(void)act_get(md, 9);
	maildir_close(md);
}

int
main(void)
{
#define T(name)	cmocka_unit_test_setup_teardown(name, act_setup, env_teardown)
	const struct CMUnitTest tests[] = {
		T(test_journal_flips), T(test_index_flips), T(test_truncated),
		T(test_torn), T(test_gone_damaged), T(test_deleted),
		T(test_restored), T(test_unmade), T(test_old_list),
		T(test_list_grown), T(test_twin), T(test_returned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
