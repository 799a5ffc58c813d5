/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * searchtext.c: see searchtext.h.
 *
 * Most messages do not match, and most of them can be shown not to without
 * being taken apart.  From the cheapest to the dearest:
 *
 * 1. A header that is ASCII and has no encoded word stands for itself: if the
 *    text is not in it as it is stored, it is in none of its fields.
 * 2. A field is looked for by its name at the start of a line, in one pass.
 * 3. A message of one part is searched without being parsed: its body is what
 *    follows the header.
 * 4. Text without an encoding is searched as it is stored.
 *
 * None of these may miss anything; whoever doubts goes the long way.
 */
#include "base/buf.h"
#include "base/enc.h"
#include "message/header.h"
#include "message/part.h"
#include "message/text.h"
#include "maildir/maildir.h"
#include "imapd/mailbox/msgview.h"
#include "imapd/mailbox/searchtext.h"

#define PIECE		(64 * 1024)	/* raw bytes decoded at a time */
#define TEXT_MAX	(4 * PART_HEADER_MAX)	/* what a header or a piece may
					 * become */
#define BLOCK		32		/* bytes looked at at once */
#define KEY_MAX		80		/* of a field's name with a line feed */
#define CONTENT_ARENA	4096		/* usual content fields fit */

void
searchtext_init(struct searchtext *st, struct maildir *md, struct msgview *mv)
{
	*st = (struct searchtext){ .md = md, .mv = mv };
	st->window = text_window_new();
	st->arena = arena_new(CONTENT_ARENA);
	buf_init(&st->header, PART_HEADER_MAX);
	buf_init(&st->upper, PART_HEADER_MAX);
	buf_init(&st->part, PART_HEADER_MAX);
	buf_init(&st->text, TEXT_MAX);
	buf_init(&st->fields, TEXT_MAX);
	charset_pool_init(&st->charsets);
}

void
searchtext_done(struct searchtext *st)
{
	text_window_free(st->window);
	arena_free(st->arena);
	buf_done(&st->header);
	buf_done(&st->upper);
	buf_done(&st->part);
	buf_done(&st->text);
	buf_done(&st->fields);
	charset_pool_done(&st->charsets);
}

void
searchtext_set(struct searchtext *st, uint32_t uid)
{
	msgview_set(st->mv, uid);
	if (st->uid != uid)
		st->has_header = false;
	st->uid = uid;
}

/* ---- the header ------------------------------------------------------ */

/* Where the first empty line ends that begins behind one of the bytes from i to
 * end; 0: there is none. */
static size_t
empty_line_end(struct span s, size_t i, size_t end)
{
	for (; i < end && i + 1 < s.n; i++) {
		if (s.p[i] != '\n')
			continue;
		if (s.p[i + 1] == '\n')
			return i + 2;
		if (s.p[i + 1] == '\r' && i + 2 < s.n && s.p[i + 2] == '\n')
			return i + 3;
	}
	return 0;
}

/* A line ends and another follows that may be empty, somewhere among the BLOCK
 * bytes at p.  The compiler makes vectors of it. */
static bool
has_empty_line(const uint8_t *p)
{
	uint8_t found = 0;

	for (size_t j = 0; j < BLOCK; j++) {
		uint8_t is_end = p[j] == '\n';
		uint8_t is_lf = p[j + 1] == '\n';
		uint8_t is_cr = p[j + 1] == '\r';

		found |= (uint8_t)(is_end & (is_lf | is_cr));
	}
	return found != 0;
}

/* The bytes of s up to and with the first empty line; 0 if there is none. */
static size_t
header_len(struct span s)
{
	size_t i = 0, n;

	if (has_prefix(s, SPAN("\n")))
		return 1;
	if (has_prefix(s, SPAN("\r\n")))
		return 2;
	for (; s.n - i > BLOCK; i += BLOCK)
		if (has_empty_line(s.p + i) &&
		    (n = empty_line_end(s, i, i + BLOCK)) != 0)
			return n;
	return empty_line_end(s, i, s.n);
}

/* Something among the BLOCK bytes at p does not stand for itself: it is not
 * ASCII, begins an encoded word, or is a CR in the middle of a line. */
static bool
has_special(const uint8_t *p)
{
	uint8_t found = 0;

	for (size_t j = 0; j < BLOCK; j++) {
		uint8_t is_word = (p[j] == '=') & (p[j + 1] == '?');
		uint8_t is_cr = (p[j] == '\r') & (p[j + 1] != '\n');

		found |= (uint8_t)((p[j] & 0x80) | is_word | is_cr);
	}
	return found != 0;
}

/* Each byte of a header stands for itself.  The last one is a line feed, or it
 * is not plain. */
static bool
is_header_plain(struct span s)
{
	size_t i = 0;

	if (s.n == 0 || s.p[s.n - 1] != '\n')
		return false;
	for (; s.n - i > BLOCK; i += BLOCK)
		if (has_special(s.p + i))
			return false;
	for (; i + 1 < s.n; i++)
		if ((s.p[i] & 0x80) != 0 ||
		    (s.p[i] == '=' && s.p[i + 1] == '?') ||
		    (s.p[i] == '\r' && s.p[i + 1] != '\n'))
			return false;
	return true;
}

/* Append the header at e, as far as PART_HEADER_MAX. */
static int
read_header(struct searchtext *st, const struct extent *e, struct buf *out)
{
	uint64_t done = 0, n = e->size;
	struct span s;
	int err;

	if (n > PART_HEADER_MAX)
		n = PART_HEADER_MAX;
	while (done < n) {
		err = msgview_piece(st->mv, e->off + done, n - done, &s);
		if (err != 0)
			return err;
		if (s.n == 0)
			break;
		buf_put_span(out, s);
		done += s.n;
	}
	return 0;
}

/* The message's own header.  Usually it is in the first bytes that are read,
 * and nothing need be parsed. */
static int
own_header(struct searchtext *st)
{
	const struct part *top;
	struct span s;
	int err;

	if (st->has_header)
		return 0;
	buf_clear(&st->header);
	buf_clear(&st->upper);
	if ((err = msgview_piece(st->mv, 0, MSGVIEW_FIRST, &s)) != 0)
		return err;
	s = span_take(s, header_len(s));
	st->is_short = s.n > 0;
	if (st->is_short) {
		buf_put_span(&st->header, s);
	} else if ((err = msgview_header(st->mv, &top)) != 0 ||
	    (err = read_header(st, &top->header, &st->header)) != 0) {
		return err;
	}
	text_upper(buf_span(&st->header), &st->upper);
	st->is_plain = is_header_plain(buf_span(&st->header));
	st->has_header = true;
	return 0;
}

/*
 * The next field whose line begins with key (in upper case) behind its line
 * feed; *at, zero at first, is where to go on.  A field that is found begins
 * with it, but need not be called so.
 */
static bool
find_field(const struct searchtext *st, struct span key, size_t *at,
    struct header_field *ret)
{
	struct span upper = buf_span(&st->upper), name = span_skip(key, 1);
	struct span rest;
	const uint8_t *p;

	if (*at == 0 && has_prefix(upper, name)) {
		*at = 1;
		rest = buf_span(&st->header);
		return header_next(&rest, ret);
	}
	upper = span_skip(upper, *at == 0 ? 0 : *at - 1);
	p = upper.n == 0 ? NULL : memmem(upper.p, upper.n, key.p, key.n);
	if (p == NULL)
		return false;
	*at = (size_t)(p - st->upper.p) + 2;
	rest = span_skip(buf_span(&st->header), *at - 1);
	return header_next(&rest, ret);
}

/* The text of a field, its length (4) before it. */
static void
add_field(struct searchtext *st, const struct header_field *f)
{
	buf_clear(&st->text);
	text_header(f->body, &st->charsets, &st->text);
	enc_u32(&st->fields, (uint32_t)st->text.n);
	buf_put_span(&st->fields, buf_span(&st->text));
}

/* Those of that name, as far as TEXT_MAX. */
static void
collect_fields(struct searchtext *st, struct span name)
{
	uint8_t key[KEY_MAX] = { '\n' };
	struct span rest = buf_span(&st->header);
	struct header_field f;
	size_t at = 0;

	buf_clear(&st->fields);
	if (name.n == 0 || name.n >= KEY_MAX || is_wsp(name.p[0]) ||
	    has_byte(name, '\n')) {
		/* No line begins with it as it is. */
		while (header_next(&rest, &f))
			if (is_span_ieq(f.name, name))
				add_field(st, &f);
		return;
	}
	for (size_t i = 0; i < name.n; i++)
		key[i + 1] = to_upper(name.p[i]);
	while (find_field(st, span_of(key, name.n + 1), &at, &f))
		if (is_span_ieq(f.name, name))
			add_field(st, &f);
}

/* Texts as add_field() puts them; what has no length of its own is none. */
static bool
is_in_fields(struct span fields, struct text_search *ts)
{
	struct dec d = dec_init(fields);

	while (d.rest.n > 0) {
		struct span text = dec_bytes(&d, TEXT_MAX);

		if (d.failed)
			return false;
		text_search_reset(ts);
		(void)text_search_feed(ts, text);	/* told next */
		if (is_text_found(ts))
			return true;
	}
	return false;
}

int
searchtext_field(struct searchtext *st, const struct searchfield *field,
    struct text_search *ts, bool *ret)
{
	struct span kept;
	int err;

	if (field->has_kind && has_maildir_value(st->md, field->kind, st->uid,
	    &kept)) {
		*ret = is_in_fields(kept, ts);
		return 0;
	}
	if ((err = own_header(st)) != 0)
		return err;
	*ret = false;
	if (!field->has_kind && st->is_plain &&
	    text_search_raw(ts, buf_span(&st->upper)) == TEXT_NO)
		return 0;
	collect_fields(st, field->name);
	*ret = is_in_fields(buf_span(&st->fields), ts);
	if (field->has_kind && buf_err(&st->fields) == 0 &&
	    is_msgview_whole(st->mv))
		maildir_keep(st->md, field->kind, st->uid,
		    buf_span(&st->fields));
	return 0;
}

/* Any field of a header, its name as well, as lines of text. */
static bool
is_in_header(struct searchtext *st, struct span rest, struct text_search *ts)
{
	struct header_field f;

	text_search_reset(ts);
	buf_clear(&st->text);
	while (header_next(&rest, &f)) {
		text_header(f.raw, &st->charsets, &st->text);
		buf_putc(&st->text, '\n');
		if (st->text.n < PIECE)
			continue;
		if (text_search_feed(ts, buf_span(&st->text)))
			return true;
		buf_clear(&st->text);
	}
	(void)text_search_feed(ts, buf_span(&st->text)); /* told below */
	return is_text_found(ts);
}

static bool
is_in_own_header(struct searchtext *st, struct text_search *ts)
{
	enum text_raw raw = TEXT_MAYBE;

	if (st->is_plain)
		raw = text_search_raw(ts, buf_span(&st->upper));
	return raw == TEXT_YES || (raw == TEXT_MAYBE &&
	    is_in_header(st, buf_span(&st->header), ts));
}

/* ---- the body -------------------------------------------------------- */

/* The text of a leaf: the bytes from off on, at most size. */
static int
search_leaf(struct searchtext *st, const struct content *content, uint64_t off,
    uint64_t size, struct text_search *ts, bool *ret)
{
	struct text_part *tp;
	uint64_t done = 0;
	struct span s;
	bool found = false;
	int err = 0;

	*ret = false;
	if (!is_text_content(content))
		return 0;
	tp = text_part_new(content, &st->charsets);
	text_search_reset(ts);
	while (!found && done < size) {
		err = msgview_piece(st->mv, off + done, size - done, &s);
		if (err != 0 || s.n == 0)
			break;
		s = span_take(s, PIECE);
		done += s.n;
		if (is_text_part_plain(tp, s)) {
			found = text_search_feed(ts, s);
			continue;
		}
		buf_clear(&st->text);
		text_part_feed(tp, s, &st->text);
		found = text_search_feed(ts, buf_span(&st->text));
	}
	if (!found) {
		buf_clear(&st->text);
		text_part_finish(tp, &st->text);
		(void)text_search_feed(ts, buf_span(&st->text));
		found = is_text_found(ts);
	}
	text_part_free(tp);
	if (err == 0)
		*ret = found;
	return err;
}

/* Is the message one part without a structure?  Then what its body is. */
static bool
has_one_part(struct searchtext *st, struct content *ret)
{
	static const struct span key = SPAN("\nCONTENT-T");
	struct header_field f;
	size_t at = 0;

	if (!st->is_short)
		return false;
	arena_clear(st->arena);
	*ret = (struct content){ .type = SPAN_NONE };
	while (find_field(st, key, &at, &f))
		content_field(ret, &f, st->arena);
	content_finish(ret, false);
	return !is_content_type(ret, SPAN("multipart"), SPAN("")) &&
	    !is_content_type(ret, SPAN("message"), SPAN(""));
}

/* The part behind part in the order of the message; NULL: there is none. */
static const struct part *
next_part(const struct part *part)
{
	if (part->child != NULL)
		return part->child;
	while (part != NULL && part->next == NULL)
		part = part->parent;
	return part == NULL ? NULL : part->next;
}

static int
search_part(struct searchtext *st, const struct part *part,
    struct text_search *ts, bool *ret)
{
	int err;

	if (part->parent != NULL) {
		buf_clear(&st->part);
		if ((err = read_header(st, &part->header, &st->part)) != 0)
			return err;
		*ret = is_in_header(st, buf_span(&st->part), ts);
		if (*ret)
			return 0;
	}
	*ret = false;
	return part->kind != PART_LEAF ? 0 : search_leaf(st, &part->content,
	    part->body.off, part->body.size, ts, ret);
}

int
searchtext_message(struct searchtext *st, bool with_header,
    struct text_search *ts, bool *ret)
{
	const struct part *part;
	struct content content;
	int err;

	if ((err = own_header(st)) != 0)
		return err;
	/* An empty text is in every body, also in one of no text. */
	if (text_search_raw(ts, SPAN_NONE) == TEXT_YES ||
	    (with_header && is_in_own_header(st, ts))) {
		*ret = true;
		return 0;
	}
	if (has_one_part(st, &content))
		return search_leaf(st, &content, st->header.n, UINT64_MAX, ts,
		    ret);
	if ((err = msgview_parts(st->mv, &part)) != 0)
		return err;
	for (*ret = false; part != NULL && !*ret; part = next_part(part))
		if ((err = search_part(st, part, ts, ret)) != 0)
			return err;
	return 0;
}
