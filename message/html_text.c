/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * html_text.c: see html_text.h.
 *
 * Two halves: the tokenizer decides which bytes are text and where tags are,
 * one byte at a time; put_text() and put_tag() make lines of that.
 *
 * Most of mail's HTML was made by a program that thought of one reader, and
 * some of it to mislead another.  Where HTML's own rules would lose everything
 * behind one mistake (a <head> that is never closed), the next sign that it was
 * one is believed.
 */
#include "message/html_text.h"

#include "base/utf8.h"

/* ---- elements -------------------------------------------------------- */

enum kind {
	KIND_BLOCK,		/* begins and ends a line */
	KIND_CELL,
	KIND_QUOTE,
	KIND_PRE,
	KIND_HEAD,
	KIND_HIDDEN,		/* not shown, with what is in it */
	KIND_RAW		/* the same; and there are no tags in it */
};

struct html_element {
	struct span name;
	enum kind kind;
};

static const struct html_element elements[] = {
	{ SPAN("address"), KIND_BLOCK },
	{ SPAN("article"), KIND_BLOCK },
	{ SPAN("aside"), KIND_BLOCK },
	{ SPAN("audio"), KIND_HIDDEN },
	{ SPAN("blockquote"), KIND_QUOTE },
	{ SPAN("body"), KIND_BLOCK },
	{ SPAN("br"), KIND_BLOCK },
	{ SPAN("button"), KIND_BLOCK },
	{ SPAN("caption"), KIND_BLOCK },
	{ SPAN("center"), KIND_BLOCK },
	{ SPAN("dd"), KIND_BLOCK },
	{ SPAN("div"), KIND_BLOCK },
	{ SPAN("dl"), KIND_BLOCK },
	{ SPAN("dt"), KIND_BLOCK },
	{ SPAN("fieldset"), KIND_BLOCK },
	{ SPAN("figcaption"), KIND_BLOCK },
	{ SPAN("figure"), KIND_BLOCK },
	{ SPAN("footer"), KIND_BLOCK },
	{ SPAN("form"), KIND_BLOCK },
	{ SPAN("h1"), KIND_BLOCK },
	{ SPAN("h2"), KIND_BLOCK },
	{ SPAN("h3"), KIND_BLOCK },
	{ SPAN("h4"), KIND_BLOCK },
	{ SPAN("h5"), KIND_BLOCK },
	{ SPAN("h6"), KIND_BLOCK },
	{ SPAN("head"), KIND_HEAD },
	{ SPAN("header"), KIND_BLOCK },
	{ SPAN("hr"), KIND_BLOCK },
	{ SPAN("iframe"), KIND_RAW },
	{ SPAN("li"), KIND_BLOCK },
	{ SPAN("main"), KIND_BLOCK },
	{ SPAN("math"), KIND_HIDDEN },
	{ SPAN("nav"), KIND_BLOCK },
	{ SPAN("noembed"), KIND_RAW },
	{ SPAN("noframes"), KIND_RAW },
	{ SPAN("ol"), KIND_BLOCK },
	{ SPAN("option"), KIND_BLOCK },
	{ SPAN("p"), KIND_BLOCK },
	{ SPAN("pre"), KIND_PRE },
	{ SPAN("script"), KIND_RAW },
	{ SPAN("section"), KIND_BLOCK },
	{ SPAN("select"), KIND_HIDDEN },
	{ SPAN("style"), KIND_RAW },
	{ SPAN("svg"), KIND_HIDDEN },
	{ SPAN("table"), KIND_BLOCK },
	{ SPAN("td"), KIND_CELL },
	{ SPAN("template"), KIND_HIDDEN },
	{ SPAN("textarea"), KIND_RAW },
	{ SPAN("th"), KIND_CELL },
	{ SPAN("title"), KIND_RAW },
	{ SPAN("tr"), KIND_BLOCK },
	{ SPAN("ul"), KIND_BLOCK },
	{ SPAN("video"), KIND_HIDDEN }
};

/* The element of a tag; NULL: one that changes nothing. */
static const struct html_element *
find_element(struct span name)
{
	size_t lo = 0, hi = sizeof(elements) / sizeof(elements[0]);

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = span_cmp(name, elements[mid].name);

		if (c == 0)
			return &elements[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

/* ---- lines ----------------------------------------------------------- */

static bool
is_blank(uint8_t c)
{
	return is_wsp(c) || c == '\n' || c == '\r' || c == '\f';
}

static bool
is_raw(const struct html_text *h)
{
	return h->hidden != NULL && h->hidden->kind == KIND_RAW;
}

static bool
is_hidden(const struct html_text *h)
{
	return h->hidden != NULL || h->in_head;
}

/* Line ends and blanks come when text follows, so that there are none at the
 * ends and never two. */
static void
begin_text(struct html_text *h, struct buf *out)
{
	if (h->wants_line && h->in_line) {
		buf_putc(out, '\n');
		h->in_line = false;
	}
	if (!h->in_line) {
		if (h->quotes > 0)
			buf_put(out, "> ", 2);
	} else if (h->wants_blank) {
		buf_putc(out, ' ');
	}
	h->in_line = true;
	h->wants_line = h->wants_blank = false;
}

/* One byte of text. */
static void
put_text(struct html_text *h, uint8_t c, struct buf *out)
{
	if (is_hidden(h))
		return;
	if (is_blank(c)) {
		if (c == '\n' && h->pres > 0)
			h->wants_line = true;
		h->wants_blank = true;
		return;
	}
	begin_text(h, out);
	buf_putc(out, c);
}

static void
count(unsigned *n, bool is_end)
{
	if (!is_end)
		++*n;
	else if (*n > 0)
		--*n;
}

/* A tag is complete. */
static void
put_tag(struct html_text *h)
{
	const struct html_element *e = find_element(span_of(h->name,
	    h->nname));

	h->state = HTML_TEXT;
	if (h->hidden != NULL) {
		if (e == h->hidden)
			count(&h->depth, h->is_end);
		if (h->depth == 0)
			h->hidden = NULL;
		return;
	}
	if (e == NULL)
		return;
	switch (e->kind) {
	case KIND_HEAD:
		h->in_head = !h->is_end;
		return;
	case KIND_CELL:
		h->wants_blank = true;
		h->in_head = false;
		return;
	case KIND_QUOTE:
		count(&h->quotes, h->is_end);
		break;
	case KIND_PRE:
		count(&h->pres, h->is_end);
		break;
	case KIND_HIDDEN:
	case KIND_RAW:
		if (h->is_end)
			return;
		h->hidden = e;
		h->depth = 1;
		return;
	case KIND_BLOCK:
		break;
	}
	h->in_head = false;	/* a head has none of these */
	h->wants_line = true;
}

/* ---- tokens ---------------------------------------------------------- */

/* What was taken for the beginning of something is text. */
static void
put_bytes(struct html_text *h, struct span s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++)
		put_text(h, s.p[i], out);
}

/* A reference has ended. */
static void
put_reference(struct html_text *h, bool has_semicolon, struct buf *out)
{
	struct span name = span_of(h->ref, h->nref);
	uint32_t cp = html_entity(name, has_semicolon);

	h->state = HTML_TEXT;
	if (cp == 0) {
		put_text(h, '&', out);
		put_bytes(h, name, out);
		if (has_semicolon)
			put_text(h, ';', out);
	} else if (cp < 0x80) {
		put_text(h, (uint8_t)cp, out);
	} else if (!is_hidden(h)) {
		begin_text(h, out);
		utf8_put(out, cp);
	}
}

static void
begin_tag(struct html_text *h, uint8_t c, bool is_end)
{
	h->state = HTML_NAME;
	h->is_end = is_end;
	h->after_equals = false;
	h->name[0] = to_lower(c);
	h->nname = 1;
}

/* Behind "</". */
static void
feed_end(struct html_text *h, uint8_t c)
{
	if (is_alpha(c)) {
		begin_tag(h, c, true);
	} else if (is_raw(h)) {
		h->is_end = false;
		h->state = c == '<' ? HTML_LT : HTML_TEXT;
	} else {
		h->state = c == '>' ? HTML_TEXT : HTML_BOGUS;
	}
}

/* Behind "<".  In script and its like only their own end tag is a tag. */
static void
feed_lt(struct html_text *h, uint8_t c, struct buf *out)
{
	if (h->is_end) {
		feed_end(h, c);
	} else if (c == '/') {
		h->is_end = true;
	} else if (is_alpha(c) && !is_raw(h)) {
		begin_tag(h, c, false);
	} else if (c == '!' && !is_raw(h)) {
		h->state = HTML_BANG;
		h->ndash = 0;
	} else if (c == '?' && !is_raw(h)) {
		h->state = HTML_BOGUS;
	} else {
		put_text(h, '<', out);
		if (c == '<')
			return;
		h->state = HTML_TEXT;
		put_text(h, c, out);
	}
}

/* In a tag: behind its name when state is HTML_TAG. */
static void
feed_tag(struct html_text *h, uint8_t c)
{
	if (c == '>') {
		put_tag(h);
		return;
	}
	if (h->state == HTML_NAME && !is_blank(c) && c != '/') {
		/* One that is too long is no name that is known. */
		if (h->nname < HTML_NAME_MAX)
			h->name[h->nname++] = to_lower(c);
		return;
	}
	/* "</scripty" does not end a script: nor does it begin a tag there. */
	if (h->state == HTML_NAME && is_raw(h) &&
	    !is_span_eq(span_of(h->name, h->nname), h->hidden->name)) {
		h->state = HTML_TEXT;
		return;
	}
	h->state = HTML_TAG;
	if ((c == '"' || c == '\'') && h->after_equals) {
		h->state = HTML_VALUE;
		h->quote = c;
		h->after_equals = false;
	} else if (!is_blank(c)) {
		h->after_equals = c == '=';
	}
}

/* Behind "<!", when that may become "<!--": the dashes count as those of the
 * end, for "<!-->" is a comment. */
static void
feed_bang(struct html_text *h, uint8_t c)
{
	if (c == '-') {
		if (++h->ndash == 2)
			h->state = HTML_COMMENT;
	} else {
		h->state = c == '>' ? HTML_TEXT : HTML_BOGUS;
	}
}

/* A comment ends in "-->", and by mistake in "--!>". */
static void
feed_comment(struct html_text *h, uint8_t c)
{
	if (c == '>' && h->ndash >= 2)
		h->state = HTML_TEXT;
	else if (c == '-')
		h->ndash = h->ndash < 2 ? h->ndash + 1 : 2;
	else if (c != '!' || h->ndash < 2)
		h->ndash = 0;
}

static bool
is_reference_byte(const struct html_text *h, uint8_t c)
{
	return is_alpha(c) || is_digit(c) || (c == '#' && h->nref == 0);
}

static void
feed_byte(struct html_text *h, uint8_t c, struct buf *out)
{
	if (h->state == HTML_REFERENCE) {
		if (is_reference_byte(h, c) && h->nref < HTML_ENTITY_MAX) {
			h->ref[h->nref++] = c;
			return;
		}
		put_reference(h, c == ';', out);
		if (c == ';')
			return;
	}
	switch (h->state) {
	case HTML_TEXT:
		if (c == '<') {
			h->state = HTML_LT;
			h->is_end = false;
		} else if (c == '&' && !is_hidden(h)) {
			h->state = HTML_REFERENCE;
			h->nref = 0;
		} else {
			put_text(h, c, out);
		}
		break;
	case HTML_LT:
		feed_lt(h, c, out);
		break;
	case HTML_NAME:
	case HTML_TAG:
		feed_tag(h, c);
		break;
	case HTML_VALUE:
		if (c == h->quote)
			h->state = HTML_TAG;
		break;
	case HTML_BANG:
		feed_bang(h, c);
		break;
	case HTML_COMMENT:
		feed_comment(h, c);
		break;
	case HTML_BOGUS:
		if (c == '>')
			h->state = HTML_TEXT;
		break;
	case HTML_REFERENCE:
		break;
	}
}

void
html_text_init(struct html_text *h)
{
	*h = (struct html_text){ .state = HTML_TEXT };
}

void
html_text_feed(struct html_text *h, struct span s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++)
		feed_byte(h, s.p[i], out);
}

void
html_text_finish(struct html_text *h, struct buf *out)
{
	if (h->state == HTML_REFERENCE)
		put_reference(h, false, out);
	else if (h->state == HTML_LT && !h->is_end)
		put_text(h, '<', out);
}
