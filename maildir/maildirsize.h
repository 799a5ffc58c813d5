/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * maildirsize.h: the text of maildirsize, read and written; no files.
 *
 *	file  = [ limit *( "," limit ) ] LF *( line LF )
 *	limit = number ( "S" / "C" )		bytes, messages
 *	line  = [blanks] [sign] number blanks [sign] number [blanks]
 *
 * Line 1 has the limits: one that is 0 or not there limits nothing, what is no
 * limit is skipped.  All other lines are added up: bytes, then messages.  A
 * last line without LF does not count.
 */
#ifndef MAILDIR_MAILDIRSIZE_H
#define MAILDIR_MAILDIRSIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"
#include "maildir/maildir.h"

/* A file of so many bytes is not read, but made anew. */
#define MAILDIRSIZE_MAX		5120u
/* Highest number: others keep them in 63 bits. */
#define MAILDIRSIZE_TOP		((uint64_t)INT64_MAX)

struct maildirsize {
	bool has_limits;	/* line 1 is complete */
	bool is_good;		/* what follows adds up to something */
	bool is_torn;		/* there are bytes behind the last LF */
	struct maildir_limits limits;
	uint64_t bytes;		/* only if is_good */
	uint64_t messages;
	size_t lines;		/* that were added up */
};

/* maildirsize_parse(text, ret): any bytes. */
void maildirsize_parse(struct span text, struct maildirsize *ret);

/* maildirsize_put(b, limits, bytes, messages): a whole new file. */
void maildirsize_put(struct buf *b, const struct maildir_limits *limits,
    uint64_t bytes, uint64_t messages);

/* maildirsize_put_line(b, is_minus, bytes, messages): one line. */
void maildirsize_put_line(struct buf *b, bool is_minus, uint64_t bytes,
    uint64_t messages);

#endif
