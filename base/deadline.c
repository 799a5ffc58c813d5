/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <limits.h>
#include <poll.h>
#include <time.h>

#include "base/deadline.h"
#include "base/fdio.h"

#define NS_PER_MS	1000000u
#define NS_PER_S	1000000000u

uint64_t
deadline_now(void)
{
	struct timespec ts;

	/* CLOCK_MONOTONIC cannot fail on a system that has it. */
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

struct deadline
deadline_in(uint64_t ms)
{
	uint64_t ns;

	if (__builtin_mul_overflow(ms, (uint64_t)NS_PER_MS, &ns) ||
	    __builtin_add_overflow(ns, deadline_now(), &ns))
		return DEADLINE_NEVER;
	return (struct deadline){ ns };
}

struct deadline
deadline_min(struct deadline a, struct deadline b)
{
	return a.ns < b.ns ? a : b;
}

bool
is_deadline_past(struct deadline d)
{
	return d.ns != UINT64_MAX && deadline_now() >= d.ns;
}

int
deadline_poll_ms(struct deadline d)
{
	uint64_t now, ms;

	if (d.ns == UINT64_MAX)
		return -1;
	now = deadline_now();
	if (now >= d.ns)
		return 0;
	ms = (d.ns - now + NS_PER_MS - 1) / NS_PER_MS;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

void
deadline_sleep(struct deadline d)
{
	unsigned ready;

	/* The result says only why it ended: in time or by a signal. */
	(void)!fdio_wait2(-1, -1, d, &ready);
}
