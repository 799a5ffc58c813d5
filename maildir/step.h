/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * step.h: the moments between two durable steps, by name.
 *
 * step("append-linked") does nothing in a normal build.  Configured with
 * --enable-steps it lets a test end the process right there, as a power cut
 * would, and look at what the next opener makes of it.
 */
#ifndef MAILDIR_STEP_H
#define MAILDIR_STEP_H

#ifdef ENABLE_STEPS

/*
 * step(name): if the environment variable IMAPD_STEP is this name, or
 * "name:n" and this is the nth time, end the process with exit code STEP_EXIT
 * without any clean-up.  "*:n" is the nth step of any name.  With
 * IMAPD_STEP_TRACE set, write each name to descriptor 2.
 */
#define STEP_EXIT	98
void step(const char *name);

#else

static inline void
step(const char *name)
{
	(void)name;
}

#endif

#endif
