/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <time.h>

#include "maildir/history.h"

void
history_open(struct history *h, uint64_t changed_ns)
{
	uint64_t usec = changed_ns / 1000;

	if (usec > h->highest)
		h->highest = usec;
	if (h->highest == 0)
		h->highest = 1;
}

static uint64_t
next(struct history *h)
{
	struct timespec ts;
	uint64_t usec;

	(void)clock_gettime(CLOCK_REALTIME, &ts);	/* cannot fail */
	usec = (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000;
	h->highest = usec > h->highest ? usec : h->highest + 1;
	return h->highest;
}

uint64_t
history_change(struct history *h, uint32_t uid)
{
	(void)uid;		/* the journal will want it */
	return next(h);
}

uint64_t
history_expunge(struct history *h, uint32_t uid)
{
	(void)uid;
	return next(h);
}
