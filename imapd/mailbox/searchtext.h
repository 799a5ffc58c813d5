/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * searchtext.h: is a text in a message?  (RFC 3501 6.4.4)
 *
 * Texts are compared as characters, not as bytes: transfer encodings, encoded
 * words and charsets are undone and case is folded (message/text.h).  Any
 * substring matches, not only words.
 */
#ifndef IMAPD_MAILBOX_SEARCHTEXT_H
#define IMAPD_MAILBOX_SEARCHTEXT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "message/text.h"
#include "imapd/mailbox/msgview.h"

/* The fields that are looked into. */
struct searchfield {
	struct span name;
	bool has_kind;		/* their texts are kept */
	unsigned kind;
};

/*
 * What one message after the other is looked at with.  What was found out about
 * a message stays until the next: several keys may ask.
 */
struct searchtext {
	struct maildir *md;
	struct msgview *mv;
	struct text_window *window;	/* for text_search_new() */
	struct charset_pool charsets;
	struct buf text;	/* decoded text */
	struct buf fields;	/* the texts of fields, as they are kept */
	struct buf part;	/* the header of a part */
	/* of the message at hand: */
	uint32_t uid;
	bool has_header;	/* of what follows: */
	bool is_short;		/* the header ends in the first piece */
	bool is_plain;		/* it stands for itself: text_search_raw() */
	struct buf header;	/* as stored */
	struct buf upper;	/* in upper case */
	struct arena *arena;	/* of the content fields */
};

void searchtext_init(struct searchtext *st, struct maildir *md,
    struct msgview *mv);
void searchtext_done(struct searchtext *st);

/* searchtext_set(st, uid): from now on this message. */
void searchtext_set(struct searchtext *st, uint32_t uid);

/*
 * searchtext_field(st, field, ts, ret): such a field in the message's header
 * holds the text; with an empty text: there is such a field.  The message is
 * only opened if nobody has asked for these fields before.  Errors as in
 * msgview.h.
 */
int searchtext_field(struct searchtext *st, const struct searchfield *field,
    struct text_search *ts, bool *ret) ERR_CHECK;

/*
 * searchtext_message(st, with_header, ts, ret): the body holds the text: its
 * text parts, and the headers of parts and of messages inside.  with_header:
 * or the message's own header does.
 */
int searchtext_message(struct searchtext *st, bool with_header,
    struct text_search *ts, bool *ret) ERR_CHECK;

#endif
