/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fact.h: those items of FETCH that are made of a message as a whole, as IMAP
 * spells them: ENVELOPE, BODY, BODYSTRUCTURE, PREVIEW, SAVEDATE, EMAILID and
 * THREADID.
 */
#ifndef IMAPD_MAILBOX_FACT_H
#define IMAPD_MAILBOX_FACT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "maildir/maildir.h"
#include "message/charset_pool.h"
#include "imapd/mailbox/msgview.h"
#include "imapd/wire/command.h"

/* What one message after the other is looked at with. */
struct fact {
	struct maildir *md;
	struct msgview *mv;
	bool is_utf8;
	struct charset_pool charsets;
};

/* fact_init(fa, md, mv, is_utf8): mv is a view of md; both outlive fa.
 * is_utf8: strings may be sent as UTF-8 (RFC 9755). */
void fact_init(struct fact *fa, struct maildir *md, struct msgview *mv,
    bool is_utf8);
void fact_done(struct fact *fa);

/* fact_name(what): the item's name, with a blank behind it. */
const char *fact_name(enum fetch_what what);

/*
 * fact_put(fa, uid, what, b): append the value; the view is set to uid.  Errors
 * as in msgview.h, and ERR_LIMIT when b is full; what was appended then is of
 * no use.
 */
int fact_put(struct fact *fa, uint32_t uid, enum fetch_what what,
    struct buf *b) ERR_CHECK;

/* fact_put_none(what, b): the value where there is none to be had: the grammar
 * wants something. */
void fact_put_none(enum fetch_what what, struct buf *b);

#endif
