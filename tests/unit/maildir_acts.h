/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * What sessions and other programs do to the INBOX of an environment.  What
 * fails ends the test.
 */
#ifndef TESTS_UNIT_MAILDIR_ACTS_H
#define TESTS_UNIT_MAILDIR_ACTS_H

#include "maildir/maildir.h"
#include "tests/unit/maildir_env.h"

#define INDEX	"imapd.index"
#define JOURNAL	"imapd.journal"
#define TICK_US	30000u		/* times older than this prove something */

extern const struct maildir_path act_inbox;

/* env_setup(), and the directories of INBOX. */
int act_setup(void **state);

struct maildir *act_open(struct env *e);
size_t act_refresh(struct maildir *md);	/* how many changes */
struct maildir_msg act_get(struct maildir *md, uint32_t uid);
uint64_t act_modseq(struct maildir *md, uint32_t uid);
void act_store(struct maildir *md, uint32_t uid, enum maildir_store_op op,
    uint32_t sys, uint64_t kw);
void act_set(struct maildir *md, uint32_t uid, uint32_t sys);
void act_expunge(struct maildir *md, uint32_t uid);

/* n messages whose files are called "first.M1P1.h" and so on. */
void act_deliver(struct env *e, unsigned first, unsigned n);

/* Another program renames, or removes, the message "uid.M1P1.h". */
void act_foreign(struct env *e, unsigned uid, const char *flags);
void act_foreign_unlink(struct env *e, unsigned uid);
void act_remove(struct env *e, const char *rel);	/* if it is there */

/* So many changes of messages 1 and up that a new index is written. */
void act_compact(struct env *e, struct maildir *md, unsigned messages);

/* The UIDs as text, or "gone". */
void act_vanished(struct env *e, struct maildir *md, uint64_t since,
    const char *want);

/* Both handles show the same. */
void act_agree(struct maildir *a, struct maildir *b);

/* Open the store again, and count what is noted from now on. */
struct act_notes {
	unsigned n;
};

void act_listen(struct env *e, struct act_notes *notes);

#endif
