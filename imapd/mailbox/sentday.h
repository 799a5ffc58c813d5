/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * sentday.h: the day on which a message says that it was sent.
 */
#ifndef IMAPD_MAILBOX_SENTDAY_H
#define IMAPD_MAILBOX_SENTDAY_H

#include <stdbool.h>
#include <stdint.h>

#include "imapd/mailbox/msgview.h"

struct sentday {
	struct maildir *md;
	struct msgview *mv;
	bool has_kind;		/* it is kept */
	unsigned kind;
};

/* sentday_init(sd, md, mv): for messages of md, which mv looks at. */
void sentday_init(struct sentday *sd, struct maildir *md, struct msgview *mv);

/*
 * sentday_get(sd, uid, has, ret): the day as it is written in the Date field,
 * "disregarding time and timezone" (RFC 3501 6.4.4), in days since 1970, of the
 * message that the view is set to.  *has is false: there is none.  Errors as in
 * msgview.h.
 */
int sentday_get(struct sentday *sd, uint32_t uid, bool *has, int64_t *ret)
    ERR_CHECK;

#endif
