/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fmt_body.c: BODY and BODYSTRUCTURE as IMAP spells them (RFC 3501 7.4.2, 9).
 *
 * The tree may be PART_DEPTH_MAX deep, so it is walked with the parts' own
 * links, not by recursion.  Each part is opened before its children and closed
 * after them:
 *
 *	multipart	"("  children  SP subtype [extensions] ")"
 *	message		"(" fields SP octets SP envelope SP  child  SP lines
 *			[extensions] ")"
 *	any other	"(" fields SP octets [SP lines] [extensions] ")"
 */
#include "base/buf.h"
#include "base/span.h"
#include "message/envelope.h"
#include "message/part.h"
#include "imapd/wire/fmt.h"

/* What a place that needs a body gets when there is none: a multipart whose
 * boundary never came, a message that is too deep to be looked into. */
#define EMPTY_BODY \
	"(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0"
#define EMPTY_EXTENSIONS " NIL NIL NIL NIL"

void
fmt_body_empty(struct buf *b, bool is_extended)
{
	buf_puts(b, EMPTY_BODY);
	if (is_extended)
		buf_puts(b, EMPTY_EXTENSIONS);
	buf_putc(b, ')');
}

static bool
is_text(const struct part *part)
{
	return is_content_type(&part->content, SPAN("text"), SPAN(""));
}

/*
 * A part that has an envelope and a body (body-type-msg), also if it is too
 * deep to be looked into.  The grammar of RFC 3501 has them for message/rfc822
 * alone, and a client of that time cannot read the response if message/global
 * has them too (RFC 9755 6, B.2).
 */
static bool
is_message(const struct part *part, bool is_utf8)
{
	const struct content *c = &part->content;

	return is_content_type(c, SPAN("message"), SPAN("rfc822")) ||
	    (is_utf8 && is_content_type(c, SPAN("message"), SPAN("global")));
}

/* Its children are told. */
static bool
has_children(const struct part *part, bool is_utf8)
{
	return part->child != NULL && (part->kind == PART_MULTIPART ||
	    is_message(part, is_utf8));
}

/* ---- parameters ------------------------------------------------------ */

/*
 * body-fld-param = "(" string SP string *(SP string SP string) ")" / nil
 *
 * with_charset: a text part has one by default (RFC 2046 4.1.2), which is told
 * so that clients need not know.
 */
static void
put_params(struct buf *b, const struct content_param *p, bool with_charset,
    bool is_utf8)
{
	bool is_first = true;

	for (; p != NULL; p = p->next) {
		buf_putc(b, is_first ? '(' : ' ');
		is_first = false;
		if (is_span_ieq(p->name, SPAN("charset")))
			with_charset = false;
		fmt_string(b, p->name, is_utf8);
		buf_putc(b, ' ');
		fmt_string(b, p->value, is_utf8);
	}
	if (with_charset) {
		buf_putc(b, is_first ? '(' : ' ');
		is_first = false;
		buf_puts(b, "\"charset\" \"us-ascii\"");
	}
	buf_puts(b, is_first ? "NIL" : ")");
}

/* ---- extension data -------------------------------------------------- */

/*
 * body-fld-dsp  = "(" string SP body-fld-param ")" / nil
 * body-fld-lang = nstring / "(" string *(SP string) ")"
 * with the spaces before them, and body-fld-loc = nstring.
 */
static void
put_dsp_lang_loc(struct buf *b, const struct content *c, bool is_utf8)
{
	if (c->disposition.p == NULL)
		buf_puts(b, " NIL");
	else {
		buf_puts(b, " (");
		fmt_string(b, c->disposition, is_utf8);
		buf_putc(b, ' ');
		put_params(b, c->disposition_params, false, is_utf8);
		buf_putc(b, ')');
	}
	if (c->nlanguage == 0)
		buf_puts(b, " NIL");
	for (size_t i = 0; i < c->nlanguage; i++) {
		buf_puts(b, i == 0 ? " (" : " ");
		fmt_string(b, c->language[i], is_utf8);
	}
	buf_puts(b, c->nlanguage == 0 ? " " : ") ");
	fmt_nstring(b, c->location, is_utf8);
}

/* ---- parts ----------------------------------------------------------- */

/*
 * media-basic SP body-fields:
 * body-fields = body-fld-param SP body-fld-id SP body-fld-desc SP
 *               body-fld-enc SP body-fld-octets
 *
 * The octets are those served: each line ends in CRLF.
 */
static void
put_fields(struct buf *b, const struct part *part, bool is_utf8)
{
	const struct content *c = &part->content;

	fmt_string(b, c->type, is_utf8);
	buf_putc(b, ' ');
	fmt_string(b, c->subtype, is_utf8);
	buf_putc(b, ' ');
	put_params(b, c->params, is_text(part), is_utf8);
	buf_putc(b, ' ');
	fmt_nstring(b, c->id, is_utf8);
	buf_putc(b, ' ');
	fmt_nstring(b, c->description, is_utf8);
	buf_putc(b, ' ');
	fmt_string(b, c->encoding.p != NULL ? c->encoding : SPAN("7bit"),
	    is_utf8);
	buf_putc(b, ' ');
	buf_put_u64(b, part->body.size + part->body.bare_lf);
}

/* "(" and what stands before the children. */
static void
open_part(struct buf *b, const struct part *part, bool is_extended,
    bool is_utf8)
{
	static const struct envelope none;

	buf_putc(b, '(');
	if (part->kind == PART_MULTIPART) {
		if (part->child == NULL)
			fmt_body_empty(b, is_extended);
		return;
	}
	put_fields(b, part, is_utf8);
	if (is_message(part, is_utf8)) {
		buf_putc(b, ' ');
		fmt_envelope(b, part->child != NULL &&
		    part->child->envelope != NULL ? part->child->envelope :
		    &none, is_utf8);
		buf_putc(b, ' ');
		if (part->child == NULL)
			fmt_body_empty(b, is_extended);
	}
}

/* What stands behind the children, and ")". */
static void
close_part(struct buf *b, const struct part *part, bool is_extended,
    bool is_utf8)
{
	if (part->kind == PART_MULTIPART) {
		buf_putc(b, ' ');
		fmt_string(b, part->content.subtype, is_utf8);
		if (is_extended) {	/* body-ext-mpart */
			buf_putc(b, ' ');
			put_params(b, part->content.params, false, is_utf8);
		}
	} else {
		if (is_text(part) || is_message(part, is_utf8)) {
			buf_putc(b, ' ');
			buf_put_u64(b, part->body.lines);
		}
		if (is_extended) {	/* body-ext-1part */
			buf_putc(b, ' ');
			fmt_nstring(b, part->content.md5, is_utf8);
		}
	}
	if (is_extended)
		put_dsp_lang_loc(b, &part->content, is_utf8);
	buf_putc(b, ')');
}

/* body = "(" (body-type-1part / body-type-mpart) ")" */
void
fmt_body(struct buf *b, const struct part *top, bool is_extended, bool is_utf8)
{
	const struct part *part = top;

	for (;;) {
		open_part(b, part, is_extended, is_utf8);
		if (has_children(part, is_utf8)) {
			part = part->child;
			continue;
		}
		while (part != top && part->next == NULL) {
			close_part(b, part, is_extended, is_utf8);
			part = part->parent;
		}
		close_part(b, part, is_extended, is_utf8);
		if (part == top)
			return;
		part = part->next;
	}
}
