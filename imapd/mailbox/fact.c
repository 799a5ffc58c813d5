/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fact.c: see fact.h.
 */
#include "imapd/mailbox/fact.h"

#include "message/preview.h"
#include "imapd/mailbox/objectid.h"
#include "imapd/mailbox/zone.h"
#include "imapd/wire/fmt.h"

#define BEGINNING	(128 * 1024)	/* bytes in which the text is looked
					 * for first */

void
fact_init(struct fact *fa, struct maildir *md, struct msgview *mv, bool is_utf8)
{
	fa->md = md;
	fa->mv = mv;
	fa->is_utf8 = is_utf8;
	charset_pool_init(&fa->charsets);
}

void
fact_done(struct fact *fa)
{
	charset_pool_done(&fa->charsets);
}

const char *
fact_name(enum fetch_what what)
{
	switch (what) {
	case FETCH_ENVELOPE:
		return "ENVELOPE ";
	case FETCH_BODYSTRUCTURE:
		return "BODYSTRUCTURE ";
	case FETCH_PREVIEW:
		return "PREVIEW ";
	case FETCH_SAVEDATE:
		return "SAVEDATE ";
	case FETCH_EMAILID:
		return "EMAILID ";
	case FETCH_THREADID:
		return "THREADID ";
	default:
		return "BODY ";
	}
}

/* ---- PREVIEW --------------------------------------------------------- */

/* The text of a part. */
static int
preview_part(struct fact *fa, const struct part *part, struct buf *out)
{
	struct preview *pv = preview_new(part, &fa->charsets);
	uint64_t done = 0;
	struct span s;
	int err;

	do {
		err = msgview_piece(fa->mv, part->body.off + done,
		    part->body.size - done < PREVIEW_READ_MAX ?
		    part->body.size - done : PREVIEW_READ_MAX, &s);
		if (err != 0)
			s = SPAN_NONE;
		done += s.n;
	} while (s.n > 0 && preview_feed(pv, s));
	preview_finish(pv, out);
	return err;
}

static int
preview_tree(struct fact *fa, const struct part *top, struct buf *out)
{
	const struct part *parts[PREVIEW_PARTS_MAX];
	size_t n = preview_parts(top, parts);
	int err = 0;

	for (size_t i = 0; i < n && err == 0 && out->n == 0; i++)
		err = preview_part(fa, parts[i], out);
	return err;
}

/* In nearly all messages the text is at the beginning, and what it takes to
 * know that is read of those with large attachments. */
static int
put_preview(struct fact *fa, struct buf *b)
{
	const struct part *top;
	bool is_all = false;
	struct buf text;
	int err;

	buf_init(&text, PREVIEW_BYTES_MAX);
	err = msgview_beginning(fa->mv, BEGINNING, &top, &is_all);
	if (err == 0)
		err = preview_tree(fa, top, &text);
	if (err == 0 && text.n == 0 && !is_all && top->kind != PART_LEAF &&
	    (err = msgview_parts(fa->mv, &top)) == 0)
		err = preview_tree(fa, top, &text);
	if (err == 0)
		fmt_string(b, buf_span(&text), fa->is_utf8);
	buf_done(&text);
	return err;
}

/* ---- the others ------------------------------------------------------ */

static int
put_save_date(struct maildir *md, uint32_t uid, struct buf *b)
{
	int64_t t;
	int err;

	if ((err = maildir_save_date(md, uid, &t)) == 0)
		fmt_datetime(b, t, zone_at(t));
	return err;
}

/* "(" objectid ")" */
static int
put_object_id(struct fact *fa, uint32_t uid, enum fetch_what what,
    struct buf *b)
{
	int err;

	buf_putc(b, '(');
	if (what == FETCH_EMAILID)
		err = objectid_email(fa->md, uid, b);
	else
		err = objectid_thread(fa->md, fa->mv, uid, b);
	buf_putc(b, ')');
	return err;
}

static int
put_header_or_parts(struct fact *fa, enum fetch_what what, struct buf *b)
{
	const struct part *top;
	int err;

	err = what == FETCH_ENVELOPE ? msgview_header(fa->mv, &top) :
	    msgview_parts(fa->mv, &top);
	if (err != 0)
		return err;
	if (what == FETCH_ENVELOPE)
		fmt_envelope(b, top->envelope, fa->is_utf8);
	else
		fmt_body(b, top, what == FETCH_BODYSTRUCTURE, fa->is_utf8);
	return 0;
}

int
fact_put(struct fact *fa, uint32_t uid, enum fetch_what what, struct buf *b)
{
	int err;

	msgview_set(fa->mv, uid);
	switch (what) {
	case FETCH_PREVIEW:
		err = put_preview(fa, b);
		break;
	case FETCH_SAVEDATE:
		err = put_save_date(fa->md, uid, b);
		break;
	case FETCH_EMAILID:
	case FETCH_THREADID:
		err = put_object_id(fa, uid, what, b);
		break;
	default:
		err = put_header_or_parts(fa, what, b);
	}
	return err != 0 ? err : buf_err(b);
}

void
fact_put_none(enum fetch_what what, struct buf *b)
{
	static const struct envelope none;

	switch (what) {
	case FETCH_ENVELOPE:
		fmt_envelope(b, &none, false);
		break;
	case FETCH_BODY:
	case FETCH_BODYSTRUCTURE:
		fmt_body_empty(b, what == FETCH_BODYSTRUCTURE);
		break;
	case FETCH_PREVIEW:
		buf_puts(b, "\"\"");	/* NIL would mean: ask again */
		break;
	default:
		buf_puts(b, "NIL");
	}
}
