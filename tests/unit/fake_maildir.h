/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fake_maildir.h: a mailbox in memory behind maildir/maildir.h, for tests of
 * what stands above the store: it can do what no disk does on command.
 */
#ifndef TESTS_UNIT_FAKE_MAILDIR_H
#define TESTS_UNIT_FAKE_MAILDIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "maildir/maildir.h"

#define FAKE_MAX	1000	/* messages */

struct fake_msg {
	struct maildir_msg msg;
	struct span text;
	int64_t date;
	int64_t saved;		/* 0: as date */
	int open_err;		/* of maildir_file_open() */
	uint64_t cut_at;	/* bytes from here on vanish once it is open */
};

struct fake {
	struct fake_msg *v;
	size_t n;
	const char *keyword[8];
	bool is_readonly;
	int store_err;		/* of maildir_store_flags() */
	unsigned opened;	/* files opened so far */
	uint64_t read;		/* bytes read so far */
};

/* fake_add(f, uid, sys, text): text must outlive it. */
struct fake_msg *fake_add(struct fake *f, uint32_t uid, uint32_t sys,
    struct span text);
void fake_clear(struct fake *f);

/* The mailbox that maildir_open() opens. */
extern struct fake fake;

#endif
