/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * passwd.c: imapctl passwd: a password for a line of the users file.
 */
#include <stdio.h>
#include <string.h>

#include "auth/auth.h"
#include "auth/scheme.h"
#include "auth/scheme_make.h"

#include "ctl/ctl.h"

static int
say_schemes(const char *name)
{
	ctl_say("%s cannot be made; what can is:", name);
	for (size_t i = 0; scheme_made(i) != NULL; i++)
		(void)fprintf(stderr, "\t%s\n", scheme_made(i));
	return CTL_USAGE;
}

int
ctl_passwd(const struct ctl *ctl)
{
	const char *name = "CRYPT", *text;
	struct buf password, made;
	int status = CTL_NO, err;

	if (ctl->argc == 3 && strcmp(ctl->argv[1], "-s") == 0)
		name = ctl->argv[2];
	else if (ctl->argc != 1)
		return CTL_USAGE;
	buf_init(&password, AUTH_PASSWORD_MAX);
	buf_init(&made, SCHEME_DATA_MAX);
	err = ctl_read_password(&password);
	if (err == 0)
		err = scheme_make(span_str(name), buf_span(&password), &made);
	text = err == 0 ? buf_cstr(&made) : NULL;
	if (err == ERR_UNSUPPORTED) {
		status = say_schemes(name);
	} else if (text == NULL) {
		ctl_say("not with this password: %s", err_text(err));
	} else {
		(void)puts(text);
		status = CTL_OK;
	}
	buf_wipe_done(&password);
	buf_wipe_done(&made);
	return status;
}
