/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "tests/unit/maildir_acts.h"

static const struct span inbox_level = SPAN("INBOX");
const struct maildir_path act_inbox = { &inbox_level, 1 };

struct maildir *
act_open(struct env *e)
{
	struct maildir *md;

	assert_int_equal(maildir_open(e->store, &act_inbox, false, &md), 0);
	assert_true(maildir_highestmodseq(md) >= 1);
	return md;
}

size_t
act_refresh(struct maildir *md)
{
	const struct maildir_change *c;
	size_t n;

	assert_int_equal(maildir_refresh(md, &c, &n), 0);
	return n;
}

struct maildir_msg
act_get(struct maildir *md, uint32_t uid)
{
	size_t i = maildir_find(md, uid);
	struct maildir_msg m;

	assert_true(i < maildir_count(md));
	maildir_get(md, i, &m);
	assert_int_equal(m.uid, uid);
	assert_true(m.modseq >= 1 && m.modseq <= maildir_highestmodseq(md));
	return m;
}

uint64_t
act_modseq(struct maildir *md, uint32_t uid)
{
	return act_get(md, uid).modseq;
}

void
act_deliver(struct env *e, unsigned first, unsigned n)
{
	for (unsigned i = first; i < first + n; i++) {
		char name[64];

		snprintf(name, sizeof(name), "new/%u.M1P1.h", i);
		write_text(e, name, "x\n");
	}
}

void
act_store(struct maildir *md, uint32_t uid, enum maildir_store_op op,
    uint32_t sys, uint64_t kw)
{
	const struct maildir_flags f = { sys, kw };
	size_t n;

	assert_int_equal(maildir_store_flags(md, &uid, 1, op, &f, &n), 0);
}

void
act_set(struct maildir *md, uint32_t uid, uint32_t sys)
{
	act_store(md, uid, MAILDIR_SET, sys, 0);
}

void
act_expunge(struct maildir *md, uint32_t uid)
{
	size_t n;

	assert_int_equal(maildir_expunge(md, &uid, 1, &n), 0);
	assert_int_equal(n, 1);
}

void
act_foreign(struct env *e, unsigned uid, const char *flags)
{
	char prefix[32], name[256], from[300], to[300];

	snprintf(prefix, sizeof(prefix), "%u.", uid);
	find_file(e, "cur", prefix, name);
	snprintf(from, sizeof(from), "cur/%s", name);
	snprintf(to, sizeof(to), "cur/%u.M1P1.h:2,%s", uid, flags);
	move_file(e, from, to);
}

void
act_foreign_unlink(struct env *e, unsigned uid)
{
	char prefix[32], name[256], path[300];

	snprintf(prefix, sizeof(prefix), "%u.", uid);
	find_file(e, "cur", prefix, name);
	snprintf(path, sizeof(path), "cur/%s", name);
	remove_file(e, path);
}

void
act_remove(struct env *e, const char *rel)
{
	if (is_there(e, rel))
		remove_file(e, rel);
}

void
act_vanished(struct env *e, struct maildir *md, uint64_t since,
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

void
act_agree(struct maildir *a, struct maildir *b)
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

int
act_setup(void **state)
{
	struct maildir *md;

	env_setup(state);
	md = act_open(*state);		/* makes cur/, new/ and tmp/ */
	maildir_close(md);
	return 0;
}

static void
note(void *arg, const char *mailbox, const char *file, const char *text)
{
	struct act_notes *notes = arg;

	(void)mailbox;
	(void)file;
	(void)text;
	notes->n++;
}

void
act_listen(struct env *e, struct act_notes *notes)
{
	notes->n = 0;
	e->conf.note = note;
	e->conf.note_arg = notes;
	env_reopen(e);
}


/* The last of them leaves the messages without flags. */
void
act_compact(struct env *e, struct maildir *md, unsigned messages)
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
