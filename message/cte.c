/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "message/cte.h"

#include <string.h>

#include "base/num.h"

#define LINE_MAX	1000	/* what is held back for a decision; then the
				 * decision is made without knowing the rest */

enum cte
cte_find(struct span name)
{
	static const struct {
		struct span name;
		enum cte cte;
	} rows[] = {
		{ SPAN(""), CTE_NONE },
		{ SPAN("7bit"), CTE_NONE },
		{ SPAN("8bit"), CTE_NONE },
		{ SPAN("binary"), CTE_NONE },
		{ SPAN("quoted-printable"), CTE_QP },
		{ SPAN("base64"), CTE_BASE64 },
		{ SPAN("x-uuencode"), CTE_UUENCODE },
		{ SPAN("x-uue"), CTE_UUENCODE },
		{ SPAN("uuencode"), CTE_UUENCODE }
	};

	name = span_trim(name);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (is_span_ieq(name, rows[i].name))
			return rows[i].cte;
	return CTE_UNKNOWN;
}

void
cte_init(struct cte_decoder *d, enum cte cte)
{
	memset(d, 0, sizeof(*d));
	d->cte = cte;
	buf_init(&d->hold, 2 * LINE_MAX);
}

void
cte_done(struct cte_decoder *d)
{
	buf_done(&d->hold);
}

/* ---- base64 ---------------------------------------------------------- */

#define BAD	64	/* not of the alphabet: ignored (RFC 2045 6.8) */
#define PAD	65

/* The value of each character, or BAD, or PAD. */
static const uint8_t base64[256] = {
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 62, 64, 64, 64, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 65, 64, 64,
	64, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 64,
	64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64
};

/* The bytes that nhold characters (less than four) stand for.  What comes after
 * padding begins anew: mailers put encoded texts one behind the other. */
static void
base64_flush(struct cte_decoder *d, struct buf *out)
{
	if (d->nhold == 1)
		d->has_error = true;
	if (d->nhold >= 2)
		buf_putc(out, (uint8_t)(d->bits >> (d->nhold * 6 - 8)));
	if (d->nhold == 3)
		buf_putc(out, (uint8_t)(d->bits >> 2));
	d->nhold = 0;
	d->bits = 0;
}

static void
base64_char(struct cte_decoder *d, uint8_t c, struct buf *out)
{
	uint8_t v = base64[c];

	if (v == PAD) {
		base64_flush(d, out);
	} else if (v == BAD) {
		if (!is_wsp(c) && c != '\r' && c != '\n')
			d->has_error = true;
	} else {
		d->bits = d->bits << 6 | v;
		if (++d->nhold == 4) {
			buf_putc(out, (uint8_t)(d->bits >> 16));
			buf_putc(out, (uint8_t)(d->bits >> 8));
			buf_putc(out, (uint8_t)d->bits);
			d->nhold = 0;
			d->bits = 0;
		}
	}
}

/* Whole groups of four from p on, as many as there are; out has room. */
static const uint8_t *
base64_groups(const uint8_t *p, const uint8_t *end, struct buf *out)
{
	uint8_t *q = out->p + out->n;

	for (; end - p >= 4; p += 4) {
		uint8_t a = base64[p[0]], b = base64[p[1]];
		uint8_t c = base64[p[2]], d = base64[p[3]];

		if ((a | b | c | d) >= BAD)
			break;
		*q++ = (uint8_t)(a << 2 | b >> 4);
		*q++ = (uint8_t)(b << 4 | c >> 2);
		*q++ = (uint8_t)(c << 6 | d);
	}
	out->n = (size_t)(q - out->p);
	return p;
}

static void
feed_base64(struct cte_decoder *d, struct span s, struct buf *out)
{
	const uint8_t *p = s.p, *end = s.p + s.n;

	if (buf_room(out, s.n + 3) == NULL)
		return;
	while (p != end) {
		if (d->nhold == 0)
			p = base64_groups(p, end, out);
		if (p != end)
			base64_char(d, *p++, out);
	}
}

/* ---- quoted-printable ------------------------------------------------ */

/* What an "=" begins. */
enum qp_escape { QP_MORE, QP_BYTE, QP_SOFT_BREAK, QP_BAD };

/* The escape at the start of s; *ret_len is its length. */
static enum qp_escape
qp_escape(struct span s, bool is_end, size_t *ret_len)
{
	size_t i = 1;

	if (s.n >= 3 && num_hexdigit(s.p[1]) >= 0 &&
	    num_hexdigit(s.p[2]) >= 0) {
		*ret_len = 3;
		return QP_BYTE;
	}
	if (s.n == 2 && num_hexdigit(s.p[1]) >= 0 && !is_end)
		return QP_MORE;
	while (i < s.n && i < LINE_MAX && is_wsp(s.p[i]))
		i++;
	if (i < s.n && s.p[i] == '\r')
		i++;
	if (i < s.n && s.p[i] == '\n') {
		*ret_len = i + 1;
		return QP_SOFT_BREAK;
	}
	if (i < s.n || i >= LINE_MAX)
		return QP_BAD;
	*ret_len = i;
	return is_end ? QP_SOFT_BREAK : QP_MORE;
}

/* Length of the blanks, and a CR behind them, at the end of s. */
static size_t
blank_tail(struct span s)
{
	size_t n = s.n;

	if (n > 0 && s.p[n - 1] == '\r')
		n--;
	while (n > 0 && is_wsp(s.p[n - 1]))
		n--;
	return s.n - n;
}

/*
 * The text of a whole line without its line feed, or its end behind the last
 * escape: blanks at its end go (RFC 2045 6.7 rule 3).
 */
static void
qp_line(struct span s, struct buf *out)
{
	size_t tail = blank_tail(s);

	buf_put(out, s.p, s.n - tail);
	if (tail > 0 && s.p[s.n - 1] == '\r')
		buf_putc(out, '\r');
}

/*
 * Decode the text before the next escape or line end: the first n bytes of
 * rest, whose line is lf bytes long.  The count of bytes used: fewer when those
 * at the end of rest may be the end of a line.
 */
static size_t
qp_text(struct span rest, size_t lf, size_t n, bool is_end, struct buf *out)
{
	size_t tail;

	if (n == lf && lf < rest.n) {
		qp_line(span_take(rest, lf), out);
		buf_putc(out, '\n');
		return lf + 1;
	}
	if (n == rest.n && is_end) {
		qp_line(rest, out);
		return n;
	}
	tail = n == rest.n ? blank_tail(rest) : 0;
	if (tail > LINE_MAX)
		tail = 0;
	buf_put(out, rest.p, n - tail);
	return n - tail;
}

/*
 * Decode s as far as it can be decided on; the count of bytes used.  What is
 * left is at most LINE_MAX bytes: blanks that may end a line, or an escape that
 * is cut.
 */
static size_t
decode_qp(struct cte_decoder *d, struct span s, bool is_end, struct buf *out)
{
	size_t used = 0, eol = span_find(s, '\n');

	while (used < s.n) {
		struct span rest = span_skip(s, used);
		size_t lf, n, text;

		/* Looked for once a line: a line may be all escapes, and as
		 * long as s. */
		if (used > eol)
			eol = used + span_find(rest, '\n');
		lf = eol - used;
		n = span_find(span_take(rest, lf), '=');
		if (n > 0 || lf == 0) {
			text = qp_text(rest, lf, n, is_end, out);
			used += text;
			if (text < n)
				return used;
			continue;
		}
		switch (qp_escape(rest, is_end, &n)) {
		case QP_MORE:
			return used;
		case QP_BYTE:
			buf_putc(out, (uint8_t)(num_hexdigit(rest.p[1]) << 4 |
			    num_hexdigit(rest.p[2])));
			used += n;
			break;
		case QP_SOFT_BREAK:
			used += n;
			break;
		case QP_BAD:
			d->has_error = true;
			buf_putc(out, '=');
			used++;
			break;
		}
	}
	return used;
}

static void
feed_qp(struct cte_decoder *d, struct span s, struct buf *out)
{
	/* What was held back, together with the next line. */
	while (d->hold.n > 0 && s.n > 0) {
		size_t n = span_find(s, '\n');

		n += n < s.n;
		if (n > LINE_MAX - 1)
			n = LINE_MAX - 1;
		buf_put(&d->hold, s.p, n);
		s = span_skip(s, n);
		buf_consume(&d->hold, decode_qp(d, buf_span(&d->hold), false,
		    out));
	}
	if (s.n > 0)
		buf_put_span(&d->hold, span_skip(s, decode_qp(d, s, false,
		    out)));
}

/* ---- uuencode -------------------------------------------------------- */

enum { UU_BEFORE, UU_DATA, UU_AFTER };

/* One character; what is missing at the end of a line was a blank. */
static uint8_t
uu_value(struct span line, size_t i)
{
	return i < line.n ? (uint8_t)((line.p[i] - ' ') & 0x3f) : 0;
}

/* A whole line: its first character tells how many bytes it holds. */
static void
uu_line(struct cte_decoder *d, struct span line, struct buf *out)
{
	size_t n;

	line = span_trim(line);
	if (d->state == UU_BEFORE && has_prefix(line, SPAN("begin ")))
		d->state = UU_DATA;
	else if (d->state == UU_DATA && is_span_eq(line, SPAN("end")))
		d->state = UU_AFTER;
	else if (d->state == UU_DATA && line.n > 0) {
		n = uu_value(line, 0);
		for (size_t i = 1; n > 0; i += 4) {
			uint32_t bits = (uint32_t)(uu_value(line, i) << 18 |
			    uu_value(line, i + 1) << 12 |
			    uu_value(line, i + 2) << 6 |
			    uu_value(line, i + 3));

			for (int k = 16; k >= 0 && n > 0; k -= 8, n--)
				buf_putc(out, (uint8_t)(bits >> k));
		}
	}
}

static void
feed_uu(struct cte_decoder *d, struct span s, struct buf *out)
{
	while (s.n > 0) {
		size_t lf = span_find(s, '\n');
		size_t room = LINE_MAX - d->hold.n;

		buf_put(&d->hold, s.p, lf < room ? lf : room);
		if (lf == s.n)
			return;
		uu_line(d, buf_span(&d->hold), out);
		buf_clear(&d->hold);
		s = span_skip(s, lf + 1);
	}
}

/* ---- the interface --------------------------------------------------- */

void
cte_feed(struct cte_decoder *d, struct span s, struct buf *out)
{
	if (s.n == 0)
		return;
	switch (d->cte) {
	case CTE_QP:
		feed_qp(d, s, out);
		break;
	case CTE_BASE64:
		feed_base64(d, s, out);
		break;
	case CTE_UUENCODE:
		feed_uu(d, s, out);
		break;
	case CTE_NONE:
	case CTE_UNKNOWN:
		buf_put_span(out, s);
		break;
	}
}

void
cte_finish(struct cte_decoder *d, struct buf *out)
{
	switch (d->cte) {
	case CTE_QP:
		(void)decode_qp(d, buf_span(&d->hold), true, out);
		break;
	case CTE_BASE64:
		base64_flush(d, out);
		break;
	case CTE_UUENCODE:
		uu_line(d, buf_span(&d->hold), out);
		if (d->state == UU_DATA)
			d->has_error = true;	/* no "end" */
		break;
	case CTE_NONE:
	case CTE_UNKNOWN:
		break;
	}
	buf_clear(&d->hold);
}
