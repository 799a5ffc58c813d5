/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * html_text.h: the text of HTML, as a stream.
 *
 * No renderer: what a reader would see, roughly, as lines.  Tags and comments
 * are left out, and with their contents those elements that are not shown
 * (head, style, script, ...).  Blocks and <br> begin a line, cells are
 * separated by a blank, blanks are one blank (but in <pre>), character
 * references are resolved.  A line in a <blockquote> begins with "> ", as in
 * plain text.
 *
 * Total: any bytes give some text, and how they were cut does not matter.  The
 * tokenizer is that of HTML (13.2.5) as far as it decides what is text.  Memory
 * is that of the struct.
 */
#ifndef MESSAGE_HTML_TEXT_H
#define MESSAGE_HTML_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"
#include "message/html_entity.h"

#define HTML_NAME_MAX	16	/* bytes of an element's name; none that
				 * matters here is longer */

struct html_element;

struct html_text {
	/* private: */
	enum {
		HTML_TEXT,
		HTML_REFERENCE,		/* behind "&" */
		HTML_LT,		/* behind "<" */
		HTML_NAME,		/* in the name of a tag */
		HTML_TAG,		/* in the rest of it */
		HTML_VALUE,		/* in a quoted value of an attribute */
		HTML_BANG,		/* behind "<!" */
		HTML_COMMENT,
		HTML_BOGUS		/* <?xml ... >, <!doctype ...>, </3> */
	} state;
	bool is_end;			/* of the tag: "</p" */
	bool after_equals;		/* in the tag: a value may begin */
	uint8_t quote;			/* of the value */
	uint8_t ndash;			/* "-" at the end of what there is of a
					 * comment */
	uint8_t name[HTML_NAME_MAX];	/* of the tag, in lower case */
	size_t nname;
	uint8_t ref[HTML_ENTITY_MAX];
	size_t nref;
	const struct html_element *hidden; /* in such an element: no text */
	unsigned depth;			/* of it in itself */
	bool in_head;
	unsigned quotes;		/* blockquotes that are open */
	unsigned pres;			/* <pre> that are open */
	bool in_line;			/* the line has text */
	bool wants_line, wants_blank;	/* before the next text */
};

void html_text_init(struct html_text *h);

/* html_text_feed(h, s, out): append the text of s, which is ASCII or a charset
 * that holds it, such as UTF-8: at most twice the bytes of s, and a few that
 * were held back. */
void html_text_feed(struct html_text *h, struct span s, struct buf *out);

/* html_text_finish(h, out): the end: append what was held back. */
void html_text_finish(struct html_text *h, struct buf *out);

#endif
