/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * msgview.h: one message as FETCH and SEARCH look at it: its file, its sizes
 * and its parts, each read or parsed at most once.
 *
 * A mailbox has one view, which is moved from message to message; nothing is
 * opened before somebody asks for something that only the file can tell.
 * Messages of up to MSGVIEW_MEMORY bytes are read once into a buffer that is
 * used again for the next; larger ones are read in pieces, and so is a message
 * of which one part is wanted whose place is known from an earlier time.
 *
 * The file is the truth, not what its name says of its size: sizes are counted
 * in the bytes that are there, once, and kept for later sessions
 * (maildir_keep()); what was kept does not count for an open file of another
 * size.  Somebody may still cut the file afterwards; msgview_piece() then gives
 * fewer bytes than an extent promised, and whoever has announced a length must
 * make it up (imapd/mailbox/section.h).
 */
#ifndef IMAPD_MAILBOX_MSGVIEW_H
#define IMAPD_MAILBOX_MSGVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "maildir/maildir.h"
#include "message/part.h"

#define MSGVIEW_MEMORY	(1024 * 1024)	/* larger messages are not kept whole */
#define MSGVIEW_PIECE	(64 * 1024)	/* read at once of those, or what is
					 * wanted, if that is not too large */
#define MSGVIEW_FIRST	(16 * 1024)	/* read when the header is wanted */

struct msgview;

/* msgview_new(md): a view of messages of md, which outlives it. */
struct msgview *msgview_new(struct maildir *md);
void msgview_free(struct msgview *mv);

/*
 * msgview_set(mv, uid): from now on this message.  Opens nothing.  Setting the
 * message that it is about already keeps what is known of it.
 */
void msgview_set(struct msgview *mv, uint32_t uid);

/*
 * msgview_rest(mv): the command is over.  Memory and the file are given back,
 * except that a large message is kept, with its parts and the position last
 * read, for clients that fetch it in slices, one command each.  What was put by
 * to be kept is written (maildir_keep_flush()).
 */
void msgview_rest(struct msgview *mv);

/* msgview_date(mv, ret): the internal date; needs no open file.
 * Errors here and below: ERR_GONE: the message is no longer there; ERR_ACCESS,
 * ERR_IO, ...: it cannot be read. */
int msgview_date(struct msgview *mv, int64_t *ret) ERR_CHECK;

/*
 * The following open the file when they have to.  The first error is
 * remembered for the message and returned again.  What they return lives until
 * the view is set to another message, or msgview_rest().
 */

/* msgview_open(mv): can it be read? */
int msgview_open(struct msgview *mv) ERR_CHECK;

/* is_msgview_whole(mv): the file was opened for this command, nothing of it was
 * missing so far, and nobody is still writing it.  What comes of any other is
 * not to be kept. */
bool is_msgview_whole(const struct msgview *mv);

/* msgview_whole(mv, ret): the message as an extent.  Its size as served, size +
 * bare_lf, is RFC822.SIZE and the length of BODY[].  If it was counted before,
 * by whichever session, the file is not opened. */
int msgview_whole(struct msgview *mv, struct extent *ret) ERR_CHECK;

/* msgview_header(mv, ret): the message's own header and envelope; the part may
 * be a leaf with an empty body (part_parser_headers_only()). */
int msgview_header(struct msgview *mv, const struct part **ret) ERR_CHECK;

/*
 * has_msgview_whole(mv, ret): the same, if it is known without reading the
 * file.
 * msgview_stored(mv, ret): bytes as stored, which is known once it is open.
 */
bool has_msgview_whole(struct msgview *mv, struct extent *ret);
int msgview_stored(struct msgview *mv, uint64_t *ret) ERR_CHECK;

/* msgview_parts(mv, ret): the whole tree. */
int msgview_parts(struct msgview *mv, const struct part **ret) ERR_CHECK;

/*
 * msgview_sections(mv, ret): the tree as far as part_unpack() gives it.  If it
 * was kept, the file is not read for it, and what is read next is the part that
 * is asked for.
 */
int msgview_sections(struct msgview *mv, const struct part **ret) ERR_CHECK;

/* msgview_beginning(mv, n, ret, ret_all): the tree of the first n bytes, made
 * anew; *ret_all: the message has no more than these. */
int msgview_beginning(struct msgview *mv, uint64_t n, const struct part **ret,
    bool *ret_all) ERR_CHECK;

/*
 * msgview_piece(mv, off, n, ret): stored bytes from off, at most n of them, as
 * many as it is convenient to give at once; empty at the end of the file only.
 * Valid until the next call.
 */
int msgview_piece(struct msgview *mv, uint64_t off, uint64_t n,
    struct span *ret) ERR_CHECK;

/*
 * A place in the text as served, remembered so that slices fetched one after
 * the other do not count line ends from the start each time.
 */
struct msgview_mark {
	uint64_t start;		/* of the extent it belongs to */
	uint64_t stored;	/* offset in the file */
	uint64_t served;	/* bytes as served from start to stored */
	bool has_cr;		/* the byte before it was CR */
};

/* msgview_mark(mv): the mark of this message; the caller reads and sets it. */
struct msgview_mark *msgview_mark(struct msgview *mv);

#endif
