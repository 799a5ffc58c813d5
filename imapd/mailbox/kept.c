/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * kept.c: see kept.h.  The number in a name is the version of what the values
 * mean: whoever changes what is made of a message raises it.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "message/text.h"
#include "imapd/mailbox/kept.h"

static int
name_cmp(const void *a, const void *b)
{
	return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

/* A field-name of RFC 5322 3.6.8; IMAP lets clients ask for others, too. */
static bool
is_field_name(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 127 || s.p[i] == ':')
			return false;
	return s.n > 0;
}

/* "fields 1 DATE FROM": upper case, in order, each once, for neither case nor
 * order changes the answer. */
static bool
put_fields(struct buf *b, const struct section *sec)
{
	struct span name[KEPT_FIELDS_MAX];
	struct buf upper;
	size_t n = sec->fields.n;
	bool is_fit = n <= KEPT_FIELDS_MAX;

	buf_init(&upper, MAILDIR_KIND_NAME_MAX);
	for (size_t i = 0; is_fit && i < n; i++) {
		is_fit = is_field_name(sec->fields.v[i]);
		text_upper(sec->fields.v[i], &upper);
	}
	is_fit = is_fit && buf_err(&upper) == 0;
	for (size_t i = 0, off = 0; is_fit && i < n; i++) {
		name[i] = span_of(upper.p + off, sec->fields.v[i].n);
		off += name[i].n;
	}
	if (is_fit)
		qsort(name, n, sizeof(*name), name_cmp);
	buf_puts(b, sec->what == SECTION_FIELDS ? "fields 1" :
	    "fields not 1");
	for (size_t i = 0; is_fit && i < n; i++) {
		if (i > 0 && is_span_eq(name[i], name[i - 1]))
			continue;
		buf_putc(b, ' ');
		buf_put_span(b, name[i]);
	}
	buf_done(&upper);
	return is_fit;
}

bool
has_kept_kind(struct maildir *md, const struct fetch_item *item, bool is_utf8,
    unsigned *ret)
{
	struct buf b;
	bool is_kept = true;

	buf_init(&b, MAILDIR_KIND_NAME_MAX);
	switch (item->what) {
	case FETCH_ENVELOPE:
		buf_puts(&b, is_utf8 ? "envelope utf8 1" : "envelope 1");
		break;
	case FETCH_BODY:
		buf_puts(&b, is_utf8 ? "body utf8 1" : "body 1");
		break;
	case FETCH_BODYSTRUCTURE:
		buf_puts(&b, is_utf8 ? "bodystructure utf8 1" :
		    "bodystructure 1");
		break;
	case FETCH_PREVIEW:
		buf_puts(&b, is_utf8 ? "preview utf8 1" : "preview 1");
		break;
	case FETCH_THREADID:
		buf_puts(&b, "threadid 1");
		break;
	case FETCH_SECTION:
		is_kept = item->section.nparts == 0 && !item->has_partial &&
		    (item->section.what == SECTION_FIELDS ||
		    item->section.what == SECTION_FIELDS_NOT) &&
		    put_fields(&b, &item->section);
		break;
	default:
		is_kept = false;
	}
	is_kept = is_kept && buf_err(&b) == 0 && (item->what == FETCH_SECTION ?
	    maildir_one_of_many_kinds(md, buf_span(&b), ret) :
	    maildir_kind(md, buf_span(&b), ret)) == 0;
	buf_done(&b);
	return is_kept;
}

bool
has_kept_field(struct maildir *md, struct span name, unsigned *ret)
{
	struct buf b;
	bool is_kept = is_field_name(name);

	buf_init(&b, MAILDIR_KIND_NAME_MAX);
	buf_puts(&b, "text 1 ");
	text_upper(name, &b);
	is_kept = is_kept && buf_err(&b) == 0 &&
	    maildir_one_of_many_kinds(md, buf_span(&b), ret) == 0;
	buf_done(&b);
	return is_kept;
}
