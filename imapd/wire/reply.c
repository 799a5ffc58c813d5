/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <assert.h>

#include "imapd/wire/reply.h"

static const char *const status_name[] = {
	[REPLY_OK] = "OK", [REPLY_NO] = "NO", [REPLY_BAD] = "BAD",
	[REPLY_PREAUTH] = "PREAUTH", [REPLY_BYE] = "BYE"
};

void
reply_begin(struct wire_out *out, struct span tag, enum reply_status status)
{
	struct buf *b = wire_out_buf(out);

	if (tag.n == 0)
		buf_putc(b, '*');
	else
		buf_put_span(b, tag);
	buf_putc(b, ' ');
	buf_puts(b, status_name[status]);
	buf_putc(b, ' ');
}

void
reply_end(struct wire_out *out)
{
	buf_puts(wire_out_buf(out), "\r\n");
	wire_out_check(out);
}

void
reply_tagged(struct wire_out *out, struct span tag, enum reply_status status,
    const char *code, const char *text)
{
	struct buf *b = wire_out_buf(out);

	assert(*text != '\0');
	reply_begin(out, tag, status);
	if (code != NULL) {
		buf_putc(b, '[');
		buf_puts(b, code);
		buf_puts(b, "] ");
	}
	buf_puts(b, text);
	reply_end(out);
}

void
reply_untagged(struct wire_out *out, enum reply_status status, const char *code,
    const char *text)
{
	reply_tagged(out, SPAN_NONE, status, code, text);
}

void
reply_continue(struct wire_out *out, struct span text)
{
	struct buf *b = wire_out_buf(out);

	buf_puts(b, "+ ");
	buf_put_span(b, text);
	reply_end(out);
}

void
reply_number(struct wire_out *out, uint32_t n, const char *what)
{
	struct buf *b = wire_out_buf(out);

	buf_puts(b, "* ");
	buf_put_u64(b, n);
	buf_putc(b, ' ');
	buf_puts(b, what);
	reply_end(out);
}

void
reply_code(struct wire_out *out, const char *code, uint64_t n, const char *text)
{
	struct buf *b;

	reply_begin(out, SPAN_NONE, REPLY_OK);
	b = wire_out_buf(out);
	buf_putc(b, '[');
	buf_puts(b, code);
	buf_putc(b, ' ');
	buf_put_u64(b, n);
	buf_puts(b, "] ");
	buf_puts(b, text);
	reply_end(out);
}

void
reply_vanished_begin(struct reply_vanished *rv, struct wire_out *out,
    bool is_earlier)
{
	*rv = (struct reply_vanished){ .out = out, .is_earlier = is_earlier };
}

/*
 * expunged-resp = "VANISHED" [SP "(EARLIER)"] SP known-uids
 *                                                       (RFC 7162 section 7)
 */
void
reply_vanished_add(struct reply_vanished *rv, uint32_t lo, uint32_t hi)
{
	struct buf *b = wire_out_buf(rv->out);

	if (rv->is_open && b->n - rv->start > REPLY_VANISHED_MAX)
		reply_vanished_end(rv);
	if (!rv->is_open) {
		b = wire_out_buf(rv->out);
		rv->start = b->n;
		rv->is_open = true;
		buf_puts(b, "* VANISHED ");
		if (rv->is_earlier)
			buf_puts(b, "(EARLIER) ");
		seqout_init(&rv->so, b);
	}
	seqout_add_range(&rv->so, lo, hi);
}

void
reply_vanished_end(struct reply_vanished *rv)
{
	if (!rv->is_open)
		return;
	rv->is_open = false;
	seqout_end(&rv->so);
	reply_end(rv->out);
}
