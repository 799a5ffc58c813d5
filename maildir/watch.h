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
	uint32_t cookie;	/* of a name that has just left; or 0 */
};

#define WATCH_NONE	((struct watch){ -1, -1, -1, false, 0, 0 })

/*
 * watch_start(w, box, spare): at most one attempt until watch_stop(); w->fd
 * says whether it worked.
 *
 * *spare is an inotify instance that watches nothing, or -1.  watch_start()
 * takes it, and watch_stop(w, spare) leaves one there: closing an instance
 * makes the process wait for all processors, some 10 ms, and a client that goes
 * from mailbox to mailbox would wait with it.
 */
void watch_start(struct watch *w, const struct box *box, int *spare);
void watch_stop(struct watch *w, int *spare);

enum watch_kind {
	WATCH_APPEARED,
	WATCH_MOVED_AWAY,
	WATCH_DELETED
};

struct watch_event {
	enum scan_dir dir;
	enum watch_kind kind;
	bool is_rename;		/* WATCH_APPEARED: certainly the file whose name
				 * left with the event before */
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
