/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * progress.h: INPROGRESS (RFC 9585): a long command tells that it goes on, and
 * notices when nobody waits for it any more.
 *
 * A notification keeps middle boxes from forgetting the connection, and the
 * client from giving up.  None is ever waited for: where the client does not
 * read, it is left out.
 */
#ifndef IMAPD_COMMAND_PROGRESS_H
#define IMAPD_COMMAND_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/err.h"
#include "imapd/command/session_state.h"
#include "imapd/wire/command.h"

#define PROGRESS_MS	10000	/* "every 10-15 seconds" (RFC 9585 4) */
#define PROGRESS_LOOK_MS	100	/* between two looks at the client */

struct progress {
	struct session *s;
	const struct command *cmd;
	uint64_t goal;		/* 0: not known */
	struct deadline next;	/* notification */
	struct deadline look;
	bool is_probed;
};

/* progress_start(p, s, cmd, goal): cmd begins, and will be through with goal
 * messages; 0: nobody knows how many. */
void progress_start(struct progress *p, struct session *s,
    const struct command *cmd, uint64_t goal);

/*
 * progress_check(p, done): for a command that can be left at any message, done
 * of which are done: tell, if it is time.  Cheap enough for every message.
 * ERR_EOF: the client is gone; ERR_INTR: the process is to stop; else
 * wire_out_err().
 */
int progress_check(struct progress *p, uint64_t done) ERR_CHECK;

/*
 * progress_begin_store(p), progress_end_store(p): the same, but for stopping,
 * while the store works on messages (maildir_on_progress()): what was begun
 * there is completed.
 */
void progress_begin_store(struct progress *p);
void progress_end_store(struct progress *p);

#endif
