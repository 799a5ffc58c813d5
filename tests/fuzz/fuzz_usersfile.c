/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fuzz_usersfile.c: lines of the users file, the stored passwords, variables
 * and mail locations in them.  Nothing is verified: that costs what it costs.
 */
#include <stdlib.h>

#include "auth/expand.h"
#include "auth/location.h"
#include "auth/scheme.h"
#include "auth/usersline.h"
#include "tests/fuzz/fuzz.h"

static const struct scheme_limits limits = { true, 0, 0 };

static void
inspect(const struct usersline *line, struct arena *arena)
{
	const struct expand e = { line->user, SPAN("/home") };
	struct scheme_hash hash;
	struct location loc;
	struct buf b;

	if (scheme_parse(line->password, SPAN("CRYPT"), &hash) == 0)
		(void)!scheme_admit(&hash, &limits);
	buf_init(&b, 1024);
	if (expand_check_name(line->user) == 0 &&
	    expand_put(line->mail, &e, &b) == 0 &&
	    location_parse(buf_span(&b), SPAN("/home"), arena, &loc) == 0 &&
	    loc.root[0] != '/')
		abort();
	buf_done(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_of(data, size), text;
	struct usersline line;
	struct arena *arena = arena_new(4096);
	const char *why;
	int err;

	while (rest.p != NULL) {
		text = span_split(&rest, '\n');
		err = usersline_parse(text, &line, &why);
		if (err == ERR_SYNTAX && why[0] == '\0')
			abort();
		if (err != 0)
			continue;
		if (line.user.n == 0 || has_byte(line.user, ':'))
			abort();
		(void)is_usersline_net(&line, SPAN("192.0.2.1"));
		(void)is_usersline_service(&line, SPAN("imap"));
		inspect(&line, arena);
	}
	arena_free(arena);
	return 0;
}
