/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * deadline.h: absolute points on the monotonic clock.
 *
 * Everything that may block is given a deadline, never a period: a peer that
 * sends one byte a minute does not start it anew.
 */
#ifndef BASE_DEADLINE_H
#define BASE_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

struct deadline {
	uint64_t ns;		/* CLOCK_MONOTONIC; UINT64_MAX means never */
};

#define DEADLINE_NEVER	((struct deadline){ UINT64_MAX })

/* Nanoseconds on the monotonic clock. */
uint64_t deadline_now(void);

/* deadline_in(ms): ms milliseconds from now. */
struct deadline deadline_in(uint64_t ms);

/* The sooner of the two. */
struct deadline deadline_min(struct deadline a, struct deadline b);

bool is_deadline_past(struct deadline d);

/* deadline_poll_ms(d): for poll(2): -1 for never, 0 when past, rounded up. */
int deadline_poll_ms(struct deadline d);

/* Sleep until d, unless a signal in fdio.h's sense comes first. */
void deadline_sleep(struct deadline d);

#endif
