/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * watch.h: be told of names that come and go in new/ and cur/ (inotify).
 *
 * Where there is none to be had (128 instances per user is a common limit; a
 * network file system never tells of other hosts) the caller polls the times of
 * the directories.
 */
#ifndef MAILDIR_WATCH_H
#define MAILDIR_WATCH_H

#include <stdbool.h>

#include "base/span.h"
#include "maildir/scan.h"
#include "maildir/store.h"

#define WATCH_POLL_MS	1000u

struct watch {
	int fd;			/* -1: none */
	int cur;		/* watch descriptors */
	int new;
	bool was_tried;
	int err;		/* why there is none */
};

#define WATCH_NONE	((struct watch){ -1, -1, -1, false, 0 })

/* watch_start(w, box): at most one attempt; w->fd says whether it worked. */
void watch_start(struct watch *w, const struct box *box);
void watch_stop(struct watch *w);

enum watch_kind {
	WATCH_APPEARED,
	WATCH_MOVED_AWAY,
	WATCH_DELETED
};

struct watch_event {
	enum scan_dir dir;
	enum watch_kind kind;
	struct span name;
};

/*
 * watch_drain(w, fn, arg): fn for each event that is there now, without
 * waiting.  WATCH_LOST: events were lost or a directory went away, look at
 * everything.
 */
enum watch_result { WATCH_OK, WATCH_LOST };

enum watch_result watch_drain(struct watch *w,
    void (*fn)(void *arg, const struct watch_event *ev), void *arg);

#endif
