/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * own_text.h: the beginning of what the author of a message wrote, without what
 * is quoted.
 *
 * Text is pushed in; lines are told apart by what mail programs put in front of
 * other people's words:
 *
 *	left out		"> " lines and the line that announces them
 *				("On ... wrote:"), armour of OpenPGP, rules
 *	end of the text		"-- " (RFC 3676 4.3), "-- Original Message --",
 *				a block of From: and Sent:, a line of
 *				underscores
 *
 * A guess, which is why everything is collected as well: where nothing is left
 * of the own text, that is taken.  What is encrypted is in neither.
 *
 * On the way blanks become one blank, and what is not seen is left out: control
 * characters, marks of direction, the fillers with which newsletters pad what
 * is shown of them.
 */
#ifndef MESSAGE_OWN_TEXT_H
#define MESSAGE_OWN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

#define OWN_LINE_MAX	1000	/* bytes of a line; the rest is not looked at */
#define OWN_CHARS_MAX	240	/* characters collected, at least, if there are
				 * so many */
#define OWN_PENDING	3	/* lines that may announce a quotation */

struct own_line {
	uint8_t p[OWN_LINE_MAX];
	size_t n;
};

struct own_text {
	/* private: */
	struct own_line line;			/* the one that is coming */
	bool wants_blank;			/* before its next character */
	uint32_t joiner;			/* the same; 0: none */
	struct own_line pending[OWN_PENDING];	/* not decided on */
	size_t npending;
	bool has_gap;				/* an empty line behind them */
	bool is_over;				/* no more own text comes */
	enum {
		OWN_PLAIN,
		OWN_ARMOUR_HEAD,		/* "Hash: SHA256" */
		OWN_ARMOUR			/* what is encrypted */
	} state;
	struct buf own, all;
	size_t nown, nall;			/* characters in them */
};

void own_text_init(struct own_text *t);
void own_text_done(struct own_text *t);

/* own_text_feed(t, s): the next piece, UTF-8, which ends between two
 * characters; false: more would change nothing. */
bool own_text_feed(struct own_text *t, struct span s);

/* own_text_finish(t): the end; what there is, on one line, until t is done:
 * more than OWN_CHARS_MAX characters only if that was about to be said in one
 * line. */
struct span own_text_finish(struct own_text *t);

#endif
