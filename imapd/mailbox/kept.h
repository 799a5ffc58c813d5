/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * kept.h: what is kept beside the mail for FETCH and SEARCH, under which names
 * (maildir_kind()).  Sizes, dates and parts are kept by msgview.c, sent days by
 * sentday.c, what SORT and THREAD compare by sortkept.c and sortrank.c.
 *
 * For SEARCH the texts of fields that were searched are kept, decoded.
 *
 * ENVELOPE, BODY, BODYSTRUCTURE, PREVIEW and THREADID are kept as IMAP spells
 * them, so that a warm FETCH is a copy; and header fields by the list of names
 * that was asked for, since a client asks for the same list each time.
 */
#ifndef IMAPD_MAILBOX_KEPT_H
#define IMAPD_MAILBOX_KEPT_H

#include <stdbool.h>

#include "imapd/wire/command.h"
#include "maildir/maildir.h"

#define KEPT_FIELDS_MAX	64	/* names in a list; longer ones are not kept */

/*
 * has_kept_kind(md, item, is_utf8, ret): the kind of what answers the item;
 * false: such a thing is not kept, or there are MAILDIR_KINDS_MAX others in use
 * already, or its name would be too long.  is_utf8: strings may be sent as
 * UTF-8 (RFC 9755), which is another spelling.
 */
bool has_kept_kind(struct maildir *md, const struct fetch_item *item,
    bool is_utf8, unsigned *ret);

/* has_kept_field(md, name, ret): the kind of the texts of fields of that name;
 * false: that is no name of a field, or as above. */
bool has_kept_field(struct maildir *md, struct span name, unsigned *ret);

#endif
