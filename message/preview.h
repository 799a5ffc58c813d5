/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * preview.h: the first words of a message (RFC 8970).
 *
 * What its author wrote: quoted text and the line that announces it, forwarded
 * originals and signatures are left out, unless nothing else is there.  All
 * blanks are one, characters that are not seen are left out, and what is longer
 * than PREVIEW_CHARS ends between two characters as a reader sees them.
 *
 *	n = preview_parts(top, parts);
 *	for (i = 0; i < n && out->n == 0; i++) {
 *		pv = preview_new(parts[i], &pool);
 *		while (... raw bytes of the part's body ... &&
 *		    preview_feed(pv, raw))
 *			continue;
 *		preview_finish(pv, out);
 *	}
 *
 * An empty text is an answer: the message is encrypted, or has no text.
 */
#ifndef MESSAGE_PREVIEW_H
#define MESSAGE_PREVIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/span.h"
#include "message/charset_pool.h"
#include "message/part.h"

#define PREVIEW_CHARS		200	/* RFC 8970 3.3: should be 200, must not
					 * be more than 256 */
#define PREVIEW_BYTES_MAX	(4 * PREVIEW_CHARS)
#define PREVIEW_PARTS_MAX	8	/* parts that are tried */
#define PREVIEW_READ_MAX	(64 * 1024)	/* bytes of one part looked at,
						 * as they are in the message */

/*
 * preview_parts(top, ret): the parts of type text/plain and text/html that are
 * no attachments, the most telling first: in the order of the message, but of
 * alternatives the plain one, unless it is empty.  Their count.
 */
size_t preview_parts(const struct part *top,
    const struct part *ret[PREVIEW_PARTS_MAX]);

struct preview;

/* preview_new(part, pool): of the text of that part. */
struct preview *preview_new(const struct part *part, struct charset_pool *pool);

/* preview_feed(pv, raw): the next bytes of the part's body; false: enough. */
bool preview_feed(struct preview *pv, struct span raw);

/* preview_finish(pv, out): append the preview, at most PREVIEW_BYTES_MAX bytes
 * of UTF-8 without control characters.  Frees pv. */
void preview_finish(struct preview *pv, struct buf *out);

#endif
