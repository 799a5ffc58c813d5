/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * html_entity.h: what "&eacute;" and "&#233;" stand for.
 *
 * The 252 names of HTML 4.01 (24) and "apos", in their case; HTML has ten times
 * as many since, which no mail uses.
 */
#ifndef MESSAGE_HTML_ENTITY_H
#define MESSAGE_HTML_ENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define HTML_ENTITY_MAX	32	/* bytes between "&" and ";" */

/*
 * html_entity(name, has_semicolon): the character of a reference without its
 * "&" and ";": "eacute", "#233", "#xE9"; 0 if it is none.  Without the
 * semicolon names above U+00FF are none, as in every browser: "&theta" may be
 * part of an address.  Numbers of no character give U+FFFD, 128 to 159 are
 * taken from windows-1252 (HTML 13.2.5.80).
 */
uint32_t html_entity(struct span name, bool has_semicolon);

#endif
