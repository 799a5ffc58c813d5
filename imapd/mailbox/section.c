/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * section.c: see section.h.
 */

#include "base/buf.h"
#include "message/crlf.h"
#include "message/cte.h"
#include "message/header.h"
#include "message/part.h"
#include "imapd/mailbox/section.h"
#include "imapd/wire/wire_out.h"

/* Stored bytes turned into served ones at a time: doubled at worst, they fit
 * into the room that wire_out_buf() promises. */
#define PIECE	(WIRE_OUT_SIZE / 2)

/* ---- which bytes ----------------------------------------------------- */

static void
set_extent(struct section_data *sd, const struct extent *e)
{
	sd->kind = SECTION_IS_EXTENT;
	sd->extent = *e;
	sd->size = e->size + e->bare_lf;
}

/* HEADER.FIELDS and HEADER.FIELDS.NOT of the header at e. */
static int
select_fields(struct msgview *mv, const struct extent *e,
    const struct header_set *fields, bool is_not, struct buf *scratch,
    struct section_data *sd)
{
	struct header_select hs;
	struct span s;
	uint64_t done = 0;
	int err;

	buf_clear(scratch);
	header_select_init(&hs, fields, is_not);
	while (done < e->size) {
		err = msgview_piece(mv, e->off + done, e->size - done, &s);
		if (err != 0)
			return err;
		if (s.n == 0 || !header_select_feed(&hs, s, scratch))
			break;
		done += s.n;
	}
	header_select_finish(&hs, scratch);
	sd->kind = SECTION_IS_BYTES;
	sd->bytes = buf_span(scratch);
	sd->size = sd->bytes.n;
	return 0;
}

/* section-msgtext (RFC 3501 9) of the message whose header and body lie at
 * these extents. */
static int
find_text(struct msgview *mv, const struct section *sec,
    const struct extent *header, const struct extent *text,
    const struct header_set *fields, struct buf *scratch,
    struct section_data *sd)
{
	switch (sec->what) {
	case SECTION_HEADER:
		set_extent(sd, header);
		return 0;
	case SECTION_TEXT:
		set_extent(sd, text);
		return 0;
	case SECTION_FIELDS:
	case SECTION_FIELDS_NOT:
		return select_fields(mv, header, fields,
		    sec->what == SECTION_FIELDS_NOT, scratch, sd);
	case SECTION_ALL:
	case SECTION_MIME:
		break;		/* not a section-msgtext */
	}
	return 0;
}

/* section-msgtext: of the message itself.  The body is not parsed for it, and
 * for HEADER not even read. */
static int
find_in_message(struct msgview *mv, const struct section *sec,
    const struct header_set *fields, struct buf *scratch,
    struct section_data *sd)
{
	struct extent whole = { 0 }, text = { 0 };
	const struct part *top;
	int err;

	/* The file that is sent is the one whose size is told. */
	if ((err = msgview_open(mv)) != 0)
		return err;
	if (sec->what == SECTION_ALL || sec->what == SECTION_TEXT) {
		if ((err = msgview_whole(mv, &whole)) != 0)
			return err;
		if (sec->what == SECTION_ALL) {
			set_extent(sd, &whole);
			return 0;
		}
	}
	if ((err = msgview_header(mv, &top)) != 0)
		return err;
	if (sec->what == SECTION_TEXT) {
		text.off = top->header.off + top->header.size;
		/* The two were counted at two moments, and somebody may have
		 * written to the file between them. */
		if (text.off <= whole.size &&
		    top->header.bare_lf <= whole.bare_lf) {
			text.size = whole.size - text.off;
			text.bare_lf = whole.bare_lf - top->header.bare_lf;
		}
	}
	return find_text(mv, sec, &top->header, &text, fields, scratch, sd);
}

int
section_find(struct msgview *mv, const struct section *sec,
    const struct header_set *fields, struct buf *scratch,
    struct section_data *ret)
{
	struct section_data sd = { .kind = SECTION_IS_NIL };
	const struct part *top, *part;
	int err;

	if (sec->nparts == 0) {
		err = find_in_message(mv, sec, fields, scratch, &sd);
		if (err == 0)
			*ret = sd;
		return err;
	}
	if ((err = msgview_sections(mv, &top)) != 0)
		return err;
	part = part_find(top, sec->part, sec->nparts);
	if (part != NULL && sec->what == SECTION_ALL)
		set_extent(&sd, &part->body);
	else if (part != NULL && sec->what == SECTION_MIME)
		set_extent(&sd, &part->header);
	else if (part != NULL && part->kind == PART_MESSAGE &&
	    part->child != NULL &&
	    (err = find_text(mv, sec, &part->child->header,
	    &part->child->body, fields, scratch, &sd)) != 0)
		return err;
	*ret = sd;
	return 0;
}

/* ---- decoding, for BINARY -------------------------------------------- */

/*
 * A part as served and then decoded, piece by piece.  Quoted-printable sees
 * CRLF line ends, so that its text has them too.
 */
struct decode {
	struct msgview *mv;
	struct extent extent;
	uint64_t done;		/* stored bytes taken */
	struct crlf crlf;
	struct cte_decoder dec;
	struct buf served, out;
	bool is_end;
};

static void
decode_init(struct decode *d, struct msgview *mv, const struct extent *e,
    enum cte cte)
{
	*d = (struct decode){ .mv = mv, .extent = *e };
	crlf_init(&d->crlf, 0, UINT64_MAX);
	d->crlf.keeps_nul = true;	/* RFC 3516 7: literal8 */
	cte_init(&d->dec, cte);
	buf_init(&d->served, 2 * PIECE);
	buf_init(&d->out, MSGVIEW_MEMORY + 4 * PIECE);
}

static void
decode_done(struct decode *d)
{
	cte_done(&d->dec);
	buf_done(&d->served);
	buf_done(&d->out);
}

/* The next decoded bytes; false at the end, or when the file cannot be read. */
static bool
decode_next(struct decode *d, struct span *ret)
{
	struct span s;

	if (d->is_end)
		return false;
	buf_clear(&d->served);
	buf_clear(&d->out);
	if (d->done == d->extent.size || msgview_piece(d->mv, d->extent.off +
	    d->done, d->extent.size - d->done, &s) != 0)
		s = SPAN_NONE;
	s = span_take(s, PIECE);
	if (s.n == 0) {
		cte_finish(&d->dec, &d->out);
		d->is_end = true;
	} else {
		d->done += s.n;
		(void)crlf_feed(&d->crlf, s, &d->served);
		cte_feed(&d->dec, buf_span(&d->served), &d->out);
	}
	*ret = buf_span(&d->out);
	return true;
}

int
section_find_binary(struct msgview *mv, const struct section *sec,
    struct buf *scratch, struct section_data *ret)
{
	struct section_data sd;
	const struct part *top, *part;
	struct decode d;
	struct span s;
	enum cte cte = CTE_NONE;
	int err;

	if ((err = section_find(mv, sec, NULL, scratch, &sd)) != 0)
		return err;
	if (sd.kind == SECTION_IS_NIL) {
		*ret = sd;
		return 0;
	}
	if (sec->nparts > 0) {
		if ((err = msgview_sections(mv, &top)) != 0)
			return err;
		part = part_find(top, sec->part, sec->nparts);
		if (part->kind == PART_LEAF)
			cte = cte_find(part->content.encoding);
	}
	if (cte == CTE_UNKNOWN)
		return ERR_UNSUPPORTED;
	sd.size = 0;
	decode_init(&d, mv, &sd.extent, cte);
	while (decode_next(&d, &s)) {
		sd.size += s.n;
		sd.has_nul = sd.has_nul || has_byte(s, 0);
	}
	if (d.done < sd.extent.size)
		err = ERR_IO;		/* cut since it was parsed */
	decode_done(&d);
	if (err != 0)
		return err;
	/* What stands there as it is, is sent as it is, at full speed. */
	if (cte != CTE_NONE || sd.has_nul) {
		sd.kind = SECTION_IS_DECODED;
		sd.cte = cte;
	}
	*ret = sd;
	return 0;
}

/* ---- sending --------------------------------------------------------- */

/* Bytes off .. off + len of a decoded part; how many are missing. */
static uint64_t
send_decoded(struct msgview *mv, const struct section_data *sd, uint64_t off,
    uint64_t len, struct wire_out *out)
{
	struct decode d;
	struct span s;

	decode_init(&d, mv, &sd->extent, sd->cte);
	while (len > 0 && decode_next(&d, &s) && wire_out_err(out) == 0) {
		if (s.n <= off) {
			off -= s.n;
			continue;
		}
		s = span_skip(s, (size_t)off);
		off = 0;
		if (s.n > len)
			s.n = (size_t)len;
		wire_out_span(out, s);
		len -= s.n;
	}
	decode_done(&d);
	return len;
}

/*
 * Where to begin looking for byte off of the extent as served: at the mark, if
 * it lies on the way, else at the start.
 */
static struct msgview_mark
start_at(struct msgview *mv, const struct extent *e, uint64_t off)
{
	const struct msgview_mark *mark = msgview_mark(mv);

	if (mark->start == e->off && mark->served <= off &&
	    mark->stored >= e->off && mark->stored <= e->off + e->size)
		return *mark;
	return (struct msgview_mark){ .start = e->off, .stored = e->off };
}

/* Nothing is read that will not be sent now: no byte is served as less than
 * one. */
static uint64_t
at_most(uint64_t n, uint64_t served)
{
	return n < served ? n : served;
}

/*
 * Pass over whole pieces in front of byte off, counting line ends.  On return
 * the piece that holds it begins at *at.
 */
static void
skip_to(struct msgview *mv, const struct extent *e, uint64_t off,
    struct msgview_mark *at)
{
	uint64_t end = e->off + e->size;
	struct crlf_count count;
	struct span s;

	while (at->stored < end && at->served < off) {
		if (msgview_piece(mv, at->stored, at_most(end - at->stored,
		    off - at->served), &s) != 0)
			return;
		s = span_take(s, PIECE);
		count = (struct crlf_count){ .has_cr = at->has_cr };
		crlf_count(&count, s);
		if (s.n == 0 || at->served + s.n + count.bare > off)
			return;
		at->stored += s.n;
		at->served += s.n + count.bare;
		at->has_cr = count.has_cr;
	}
}

/* Bytes off .. off + len of a run of the file; how many are missing. */
static uint64_t
send_extent(struct msgview *mv, const struct extent *e, uint64_t off,
    uint64_t len, struct wire_out *out)
{
	struct msgview_mark at = start_at(mv, e, off);
	uint64_t pos, end = e->off + e->size;
	struct crlf crlf;
	struct span s;
	bool more = true;

	skip_to(mv, e, off, &at);
	crlf_init(&crlf, off - at.served, len);
	crlf.has_cr = at.has_cr;
	for (pos = at.stored; more && crlf.left > 0 && pos < end;
	    pos += s.n) {
		if (wire_out_err(out) != 0 || msgview_piece(mv, pos,
		    at_most(end - pos, crlf.skip + crlf.left), &s) != 0 ||
		    s.n == 0)
			break;
		s = span_take(s, PIECE);
		more = crlf_feed(&crlf, s, wire_out_buf(out));
		wire_out_check(out);
	}
	if (len > 0 && off + len < e->size + e->bare_lf) {
		/* A slice, and there is more: the next one is likely asked for
		 * next. */
		skip_to(mv, e, off + len, &at);
		*msgview_mark(mv) = at;
	}
	return crlf.left;
}

uint64_t
section_send(struct msgview *mv, const struct section_data *sd, uint64_t off,
    uint64_t len, struct wire_out *out)
{
	static const uint8_t spaces[] = "                                ";
	uint64_t missing = 0;

	switch (sd->kind) {
	case SECTION_IS_NIL:
		return 0;
	case SECTION_IS_BYTES:
		wire_out_span(out, span_of(sd->bytes.p + off, (size_t)len));
		return 0;
	case SECTION_IS_EXTENT:
		missing = send_extent(mv, &sd->extent, off, len, out);
		break;
	case SECTION_IS_DECODED:
		missing = send_decoded(mv, sd, off, len, out);
		break;
	}
	for (uint64_t left = missing; left > 0 && wire_out_err(out) == 0; ) {
		size_t n = sizeof(spaces) - 1;

		if (n > left)
			n = (size_t)left;
		wire_out_span(out, span_of(spaces, n));
		left -= n;
	}
	return missing;
}
