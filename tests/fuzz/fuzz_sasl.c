/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fuzz_sasl.c: a SASL conversation: the first byte is the mechanism, the second
 * says what the monitor answers, then come the messages, one to a line.
 */
#include <stdlib.h>

#include "auth/sasl.h"
#include "tests/fuzz/fuzz.h"

#define STEPS_MAX	8

static void
converse(struct sasl *sasl, struct span rest, enum auth_step step)
{
	enum sasl_outcome outcome = SASL_CHALLENGE;
	struct sasl_request req;
	struct buf out;

	buf_init(&out, 4 * AUTH_MESSAGE_MAX);
	for (int i = 0; i < STEPS_MAX && outcome == SASL_CHALLENGE &&
	    rest.p != NULL; i++) {
		buf_clear(&out);
		outcome = sasl_step(sasl, span_split(&rest, '\n'), &out, &req);
		if (outcome != SASL_ASK)
			continue;
		if (req.user.n > AUTH_NAME_MAX ||
		    req.password.n > AUTH_PASSWORD_MAX)
			abort();
		outcome = sasl_answer(sasl, step, SPAN("answer"), &out);
	}
	buf_done(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sasl_binding binding = { SPAN("0123456789abcdef"),
	    SPAN("fedcba9876543210") };
	struct sasl *sasl;
	struct buf out;

	if (size < 2)
		return 0;
	sasl = sasl_new((enum sasl_mech)(data[0] % SASL_NMECH), &binding,
	    (data[1] & 4) != 0);
	if ((data[1] & 8) != 0) {
		buf_init(&out, AUTH_MESSAGE_MAX);
		(void)sasl_start(sasl, &out);
		buf_done(&out);
	}
	converse(sasl, span_of(data + 2, size - 2), (data[1] & 1) != 0 ?
	    AUTH_CONTINUE : AUTH_DONE);
	sasl_free(sasl);
	return 0;
}
