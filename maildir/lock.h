/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * lock.h: dovecot-uidlist.lock, and the one lock order.
 *
 * The dotlock beside the uidlist guards dovecot-uidlist, dovecot-keywords and
 * the giving out of UIDs, against us and against Dovecot.  Reading, renames for
 * flags, and unlinking messages need no lock.
 *
 * LOCK ORDER
 *	1. the uidlist lock of one mailbox
 *	2. dovecot-keywords.lock inside it (a name for the new file, in truth)
 *	3. subscriptions.lock: never together with the others
 * No operation holds the uidlist locks of two mailboxes: COPY and MOVE lock the
 * destination only, for leaving a mailbox needs no lock.  Should one ever need
 * both: in byte order of the paths of the directories.
 *
 * Dovecot's rules, which are ours:
 *	- made with O_EXCL, holds "PID:HOST", readable for the mail's owner;
 *	- one that changed within the last 2 seconds is left alone;
 *	- one of this host: its process is gone: removed; it lives: never;
 *	- one of another host, or without a pid: removed when nothing about it
 *	  or the uidlist has changed for 120 seconds;
 *	- touched every 10 seconds by whoever holds it longer;
 *	- removed by us only if it still is ours.
 */
#ifndef MAILDIR_LOCK_H
#define MAILDIR_LOCK_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/err.h"
#include "maildir/unique.h"

struct lock {
	int dir;		/* borrowed; -1: not held */
	dev_t dev;
	ino_t ino;
	uint64_t touched;	/* deadline_now() */
	const char *name;	/* borrowed */
};

#define LOCK_NONE	((struct lock){ .dir = -1 })

/* What to lock: name in dir; guarded is a file whose changes prove that the
 * owner of the lock is at work, or NULL. */
struct lock_what {
	int dir;
	const char *name;
	const char *guarded;
	mode_t mode;
	uint64_t stale_ms;	/* rule for other hosts */
};

#define LOCK_STALE_MS	120000u

/*
 * lock_take(lk, what, u, d): wait until d.  ERR_BUSY: somebody else held it all
 * the time.  what's directory and name must outlive the lock.
 */
int lock_take(struct lock *lk, const struct lock_what *what,
    const struct unique *u, struct deadline d) ERR_CHECK;

/* lock_touch(lk): to be called now and then by whoever works under the lock;
 * does something every 10 seconds. */
void lock_touch(struct lock *lk);

/*
 * lock_check(lk): 0 while the lock is ours; ERR_BUSY if somebody took it away
 * (we slept too long): what is about to be written must not be.
 */
int lock_check(const struct lock *lk) ERR_CHECK;

/* lock_drop(lk): release; nothing if it is not held. */
void lock_drop(struct lock *lk);

#endif
