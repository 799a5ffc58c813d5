/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * searchtext.c: see searchtext.h.
 */
#include "base/buf.h"
#include "message/header.h"
#include "message/part.h"
#include "message/text.h"
#include "imapd/mailbox/msgview.h"
#include "imapd/mailbox/searchtext.h"

#define PIECE		(64 * 1024)	/* raw bytes decoded at a time */
#define TEXT_MAX	(4 * PART_HEADER_MAX)	/* what a header or a piece may
					 * become */

void
searchtext_init(struct searchtext *st, struct msgview *mv)
{
	st->mv = mv;
	buf_init(&st->head, PART_HEADER_MAX);
	buf_init(&st->text, TEXT_MAX);
	charset_pool_init(&st->charsets);
}

void
searchtext_done(struct searchtext *st)
{
	buf_done(&st->head);
	buf_done(&st->text);
	charset_pool_done(&st->charsets);
}

/*
 * The header at e in one piece, as far as PART_HEADER_MAX.  That of a small
 * message is in memory already; that of a large one may have to be put
 * together.
 */
static int
get_header(struct searchtext *st, const struct extent *e, struct span *ret)
{
	uint64_t done = 0, n = e->size;
	struct span s;
	int err;

	if (n > PART_HEADER_MAX)
		n = PART_HEADER_MAX;
	if ((err = msgview_piece(st->mv, e->off, n, &s)) != 0)
		return err;
	if (s.n == n) {
		*ret = s;
		return 0;
	}
	buf_clear(&st->head);
	while (done < n && s.n > 0) {
		buf_put_span(&st->head, s);
		done += s.n;
		err = msgview_piece(st->mv, e->off + done, n - done, &s);
		if (err != 0)
			return err;
	}
	*ret = buf_span(&st->head);
	return 0;
}

/* s holds an empty line: a header that begins with it ends in it. */
static bool
has_header_end(struct span s)
{
	struct span rest = s;

	do {
		if (has_prefix(rest, SPAN("\n")) ||
		    has_prefix(rest, SPAN("\r\n")))
			return true;
		rest = span_skip(rest, span_find(rest, '\n') + 1);
	} while (rest.n > 0);
	return false;
}

/*
 * The message's own header, and maybe some of what follows it: header_next()
 * knows where to stop.  Usually it is at hand, and nothing need be parsed.
 */
static int
get_own_header(struct searchtext *st, struct span *ret)
{
	const struct part *top;
	int err;

	err = msgview_piece(st->mv, 0, MSGVIEW_FIRST, ret);
	if (err != 0 || has_header_end(*ret))
		return err;
	if ((err = msgview_header(st->mv, &top)) != 0)
		return err;
	return get_header(st, &top->header, ret);
}

int
searchtext_field(struct searchtext *st, struct span name,
    struct text_search *ts, bool *ret)
{
	struct header_field f;
	struct span rest;
	bool found = false;
	int err;

	if ((err = get_own_header(st, &rest)) != 0)
		return err;
	while (!found && header_next(&rest, &f)) {
		if (!is_span_ieq(f.name, name))
			continue;
		buf_clear(&st->text);
		text_header(f.body, &st->charsets, &st->text);
		text_search_reset(ts);
		found = text_search_feed(ts, buf_span(&st->text));
	}
	*ret = found;
	return 0;
}

/* Any field of a header, its name as well, as lines of text. */
static bool
search_fields(struct searchtext *st, struct span rest, struct text_search *ts)
{
	struct header_field f;

	text_search_reset(ts);
	buf_clear(&st->text);
	while (header_next(&rest, &f)) {
		buf_put_span(&st->text, f.name);
		buf_puts(&st->text, f.name.n > 0 ? ": " : "");
		text_header(f.body, &st->charsets, &st->text);
		buf_putc(&st->text, '\n');
		if (st->text.n < PIECE)
			continue;
		if (text_search_feed(ts, buf_span(&st->text)))
			return true;
		buf_clear(&st->text);
	}
	return text_search_feed(ts, buf_span(&st->text));
}

/* The text of a leaf. */
static int
search_leaf(struct searchtext *st, const struct part *part,
    struct text_search *ts, bool *ret)
{
	struct text_part *tp = text_part_new(&part->content, &st->charsets);
	uint64_t done = 0;
	struct span s;
	bool found = false;
	int err = 0;

	text_search_reset(ts);
	while (!found && done < part->body.size) {
		err = msgview_piece(st->mv, part->body.off + done,
		    part->body.size - done, &s);
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
		found = text_search_feed(ts, buf_span(&st->text));
	}
	text_part_free(tp);
	if (err == 0)
		*ret = found;
	return err;
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

int
searchtext_message(struct searchtext *st, bool with_header,
    struct text_search *ts, bool *ret)
{
	const struct part *top, *part;
	struct span header;
	bool found = false;
	int err;

	if (with_header) {
		if ((err = get_own_header(st, &header)) != 0)
			return err;
		if (search_fields(st, header, ts)) {
			*ret = true;
			return 0;
		}
	}
	if ((err = msgview_parts(st->mv, &top)) != 0)
		return err;
	for (part = top; part != NULL && !found; part = next_part(part)) {
		if (part != top) {
			err = get_header(st, &part->header, &header);
			if (err != 0)
				return err;
			found = search_fields(st, header, ts);
		}
		if (!found && part->kind == PART_LEAF &&
		    is_text_content(&part->content) &&
		    (err = search_leaf(st, part, ts, &found)) != 0)
			return err;
	}
	*ret = found;
	return 0;
}
