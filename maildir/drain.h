/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * drain.h: names that came and went, by events or by a listing of new/, and
 * what they mean to a picture.
 *
 *	drain_init()
 *	drain_event() ...	or drain_new()
 *	drain_take()		messages that came and went; or
 *	drain_settle()		only what concerns messages that are known
 *	drain_done()
 */
#ifndef MAILDIR_DRAIN_H
#define MAILDIR_DRAIN_H

#include "maildir/md.h"

/* A message before the events of one drain. */
struct drain_before {
	uint32_t uid;
	uint32_t flags;
	uint64_t kw;
	uint32_t name;		/* offset in names */
	uint8_t name_len;
	bool was_away;		/* the name was seen to leave */
	uint16_t state;
};

struct drain {
	struct maildir *md;
	struct lock *lock;	/* the uidlist lock, once it was needed */
	bool is_new_only;	/* no events: a listing of new/ */
	struct scan fresh;	/* names whose base is not known; is_twin: no
				 * longer; uid != 0: recorded */
	VEC(struct drain_before) before;
	struct buf names;
	size_t suspects;
	bool is_flooded;	/* more fresh names than are taken in */
	bool has_returned;	/* a message whose file left and came again */
	int err;
};

/* drain_init(d, md, lk): lk is LOCK_NONE, and taken when it is needed; it is
 * left to the caller.  NULL if drain_take() will not be called. */
void drain_init(struct drain *d, struct maildir *md, struct lock *lk);
void drain_done(struct drain *d);

/* drain_event(d, ev): for watch_drain(); an error is kept in d->err. */
void drain_event(void *d, const struct watch_event *ev);

/* drain_new(d, s): all names in new/, as if they had appeared just now; they
 * stay in s. */
int drain_new(struct drain *d, struct scan *s) ERR_CHECK;

/* There are names that belong to no message that is known. */
bool has_drain_fresh(const struct drain *d);

/* drain_take(d, ret_look): take in what is fresh, let go of what is gone.
 * *ret_look, if it becomes true: only a complete look can tell. */
int drain_take(struct drain *d, bool *ret_look) ERR_CHECK;

/* drain_settle(d, ret_look): the second half of it. */
void drain_settle(struct drain *d, bool *ret_look);

#endif
