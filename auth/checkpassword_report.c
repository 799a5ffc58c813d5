/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "base/enc.h"
#include "base/fdio.h"

#include "auth/checkpassword.h"

#define REPORT_MS	5000

static struct span
value_of(char *const envp[], struct span name)
{
	struct span value, key;

	for (; *envp != NULL; envp++) {
		value = span_str(*envp);
		key = span_split(&value, '=');
		if (is_span_eq(key, name) && value.p != NULL)
			return value;
	}
	return SPAN_NONE;
}

int
checkpassword_report(char *const envp[])
{
	static const char *const names[CHECKPASSWORD_NVALUES] =
	    CHECKPASSWORD_NAMES;
	struct buf b;
	int err;

	buf_init(&b, CHECKPASSWORD_MAX);
	for (int i = 0; i < CHECKPASSWORD_NVALUES; i++)
		enc_bytes(&b, value_of(envp, span_str(names[i])));
	err = buf_err(&b);
	if (err == 0)
		err = fdio_send(CHECKPASSWORD_FD, buf_span(&b), NULL, 0,
		    deadline_in(REPORT_MS));
	buf_done(&b);
	return err;
}
