/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * rfc2045.h: the Content-* header fields and their parameters (RFC 2045, 2183,
 * 2231, 3282, 2557, 1864).
 */
#ifndef MESSAGE_RFC2045_H
#define MESSAGE_RFC2045_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"
#include "message/header.h"

#define CONTENT_PARAMS_MAX	200	/* parameters of one field; the rest is
					 * left out */

/*
 * Spans are in the arena of the parse, comments and folding removed, quoted
 * strings unquoted, otherwise as in the message.  The pieces of a continued
 * parameter (RFC 2231 3) are joined, as its section 6 asks of IMAP: "name*0",
 * "name*1" give "name"; if any of them is extended they give "name*", whose
 * value still is charset'language'percent-encoded.
 */
struct content_param {
	struct span name;	/* as written, "name*" if extended */
	struct span value;
	struct content_param *next;
};

struct content {
	struct span type;	/* "text"; as written, default filled in */
	struct span subtype;
	struct content_param *params;
	struct span id;		/* Content-ID; p == NULL: no such field */
	struct span description;
	struct span encoding;	/* Content-Transfer-Encoding; p == NULL: none */
	struct span md5;
	struct span disposition; /* the type alone; p == NULL: none */
	struct content_param *disposition_params;
	struct span *language;	/* tags of Content-Language */
	size_t nlanguage;
	struct span location;
};

/*
 * content_field(c, f, arena): if f is a Content-* field of the above, enter it
 * into c (zeroed before the first); what is kept is copied into the arena.  Of
 * a repeated field the first counts.
 */
void content_field(struct content *c, const struct header_field *f,
    struct arena *arena);

/*
 * content_finish(c, is_digest): the header has ended: fill in the default type,
 * text/plain, or message/rfc822 for a part of a multipart/digest.
 */
void content_finish(struct content *c, bool is_digest);

/* Without regard to case; subtype empty: any. */
bool is_content_type(const struct content *c, struct span type,
    struct span subtype);

/*
 * content_param(list, name, arena, ret_charset): the value of the parameter
 * called name (without regard to case), percent-decoded into the arena if it
 * is extended; *ret_charset is its charset then, else empty.  p == NULL if
 * there is none.
 */
struct span content_param(const struct content_param *list, struct span name,
    struct arena *arena, struct span *ret_charset);

#endif
