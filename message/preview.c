/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * preview.c: see preview.h.
 *
 *	raw -> text.c: decoded, UTF-8 -> html_text.c -> own_text.c -> cut
 */
#include "message/preview.h"

#include <stdlib.h>

#include <utf8proc.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "message/html_text.h"
#include "message/own_text.h"
#include "message/text.h"

#define STEP	4096		/* raw bytes decoded at a time: often it is
				 * enough */

/* ---- parts ----------------------------------------------------------- */

struct list {
	const struct part **v;
	size_t n;
};

static bool
is_attachment(const struct part *part)
{
	/* What is all of the message is what it says. */
	return part->parent != NULL &&
	    is_span_ieq(part->content.disposition, SPAN("attachment"));
}

static bool
is_plain(const struct part *part)
{
	return part->kind == PART_LEAF &&
	    is_content_type(&part->content, SPAN("text"), SPAN("plain"));
}

static bool
is_html(const struct part *part)
{
	return part->kind == PART_LEAF &&
	    is_content_type(&part->content, SPAN("text"), SPAN("html"));
}

/* part and what is in it; PART_DEPTH_MAX bounds the depth. */
static void
list_add(struct list *list, const struct part *part)
{
	bool is_choice = is_content_type(&part->content, SPAN("multipart"),
	    SPAN("alternative"));
	const struct part *child;

	if (list->n == PREVIEW_PARTS_MAX || is_attachment(part))
		return;
	if (part->kind == PART_LEAF) {
		if (part->body.size > 0 && (is_plain(part) || is_html(part)))
			list->v[list->n++] = part;
		return;
	}
	for (child = part->child; is_choice && child != NULL;
	    child = child->next)
		if (is_plain(child))
			list_add(list, child);
	for (child = part->child; child != NULL; child = child->next)
		if (!is_choice || !is_plain(child))
			list_add(list, child);
}

size_t
preview_parts(const struct part *top,
    const struct part *ret[PREVIEW_PARTS_MAX])
{
	struct list list = { ret, 0 };

	list_add(&list, top);
	return list.n;
}

/* ---- text ------------------------------------------------------------ */

struct preview {
	bool is_html;
	size_t raw;			/* bytes fed */
	struct text_part *part;
	struct html_text html;
	struct own_text own;
	struct buf decoded, lines;	/* of a step */
};

struct preview *
preview_new(const struct part *part, struct charset_pool *pool)
{
	struct preview *pv = mem_alloc(sizeof(*pv));

	pv->is_html = is_html(part);
	pv->raw = 0;
	pv->part = text_part_new(&part->content, pool);
	html_text_init(&pv->html);
	own_text_init(&pv->own);
	buf_init(&pv->decoded, SIZE_MAX / 2);
	buf_init(&pv->lines, SIZE_MAX / 2);
	return pv;
}

/* What was decoded goes on. */
static bool
pass_on(struct preview *pv)
{
	struct span s = buf_span(&pv->decoded);

	if (!pv->is_html)
		return own_text_feed(&pv->own, s);
	buf_clear(&pv->lines);
	html_text_feed(&pv->html, s, &pv->lines);
	return own_text_feed(&pv->own, buf_span(&pv->lines));
}

bool
preview_feed(struct preview *pv, struct span raw)
{
	raw = span_take(raw, PREVIEW_READ_MAX - pv->raw);
	while (raw.n > 0) {
		struct span step = span_take(raw, STEP);

		raw = span_skip(raw, step.n);
		pv->raw += step.n;
		buf_clear(&pv->decoded);
		text_part_feed(pv->part, step, &pv->decoded);
		if (!pass_on(pv))
			return false;
	}
	return pv->raw < PREVIEW_READ_MAX;
}

/*
 * s, or as many of its first PREVIEW_CHARS characters as make whole grapheme
 * clusters (Unicode UAX 29).  One that is longer than that is cut: it is no
 * text of any language.
 */
static struct span
cut(struct span s)
{
	utf8proc_int32_t state = 0;
	uint32_t cp, before = 0;
	size_t n = 0, end = 0, chars = 0;
	bool ok;

	while (n < s.n) {
		size_t step = utf8_step(span_skip(s, n), &cp, &ok);

		if (chars > 0 && utf8proc_grapheme_break_stateful(
		    (utf8proc_int32_t)before, (utf8proc_int32_t)cp, &state))
			end = n;
		if (chars == PREVIEW_CHARS)
			return span_trim(span_take(s, end > 0 ? end : n));
		n += step;
		chars++;
		before = cp;
	}
	return s;
}

void
preview_finish(struct preview *pv, struct buf *out)
{
	buf_clear(&pv->decoded);
	text_part_finish(pv->part, &pv->decoded);
	(void)pass_on(pv);
	if (pv->is_html) {
		buf_clear(&pv->lines);
		html_text_finish(&pv->html, &pv->lines);
		(void)own_text_feed(&pv->own, buf_span(&pv->lines));
	}
	buf_put_span(out, cut(own_text_finish(&pv->own)));
	own_text_done(&pv->own);
	text_part_free(pv->part);
	buf_done(&pv->decoded);
	buf_done(&pv->lines);
	free(pv);
}
