/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "base/span.h"
#include "maildir/step.h"

#ifdef ENABLE_STEPS

static void
trace(const char *name)
{
	if (write(STDERR_FILENO, name, strlen(name)) < 0 ||
	    write(STDERR_FILENO, "\n", 1) < 0)
		return;		/* only a test reads this */
}

void
step(const char *name)
{
	/* A count of calls, not a state of the store: the one test that
	 * reads it is a process of its own. */
	static uint64_t calls;
	const char *env = getenv("IMAPD_STEP");
	struct span want, which;
	uint64_t nth = 1;

	if (getenv("IMAPD_STEP_TRACE") != NULL)
		trace(name);
	if (env == NULL)
		return;
	want = span_str(env);
	which = span_split(&want, ':');
	if (!is_span_eq(which, span_str(name)) &&
	    !is_span_eq(which, SPAN("*")))
		return;
	if (want.p != NULL && num_u64(want, 1, UINT64_MAX, &nth) != 0)
		return;
	if (++calls == nth)
		_exit(STEP_EXIT);
}

#else

typedef int step_is_empty;	/* ISO C wants a declaration in each file */

#endif
