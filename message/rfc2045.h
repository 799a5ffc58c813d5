/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * rfc2045.h: the Content-* header fields and their parameters (RFC 2045, 2183,
 * 2231, 3282, 2557, 1864).
 */
#ifndef MESSAGE_RFC2045_H
#define MESSAGE_RFC2045_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"

#define CONTENT_PARAMS_MAX	200	/* parameters of one field; the rest is
					 * left out */

/* Spans are in the arena of the parse, comments and folding removed, quoted
 * strings unquoted, otherwise as in the message. */
struct content_param {
	struct span name;	/* as written, "name*0*" and all */
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

/* content_param(list, name): the value of the parameter called name (without
 * regard to case; RFC 2231 pieces joined and percent-decoded into the arena,
 * *ret_charset its charset or empty); p == NULL if there is none. */
struct span content_param(const struct content_param *list, struct span name,
    struct arena *arena, struct span *ret_charset);

#endif
