/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fmt_section.c: the name under which a section is answered (RFC 3501 7.4.2,
 * RFC 3516 4.3).
 */
#include "base/buf.h"
#include "base/span.h"
#include "imapd/wire/fmt.h"

/* section-part = nz-number *("." nz-number) */
static void
put_part(struct buf *b, const struct section *sec)
{
	for (size_t i = 0; i < sec->nparts; i++) {
		if (i > 0)
			buf_putc(b, '.');
		buf_put_u64(b, sec->part[i]);
	}
}

/*
 * header-list = "(" header-fld-name *(SP header-fld-name) ")"
 *
 * "]" may stand in an atom here, but who looks for the end of the section
 * would stop at it.
 */
static void
put_fields(struct buf *b, const struct spans *fields)
{
	buf_puts(b, " (");
	for (size_t i = 0; i < fields->n; i++) {
		if (i > 0)
			buf_putc(b, ' ');
		if (has_byte(fields->v[i], ']'))
			fmt_string(b, fields->v[i], false);
		else
			fmt_astring(b, fields->v[i], false);
	}
	buf_putc(b, ')');
}

/*
 * section-spec    = section-msgtext / (section-part ["." section-text])
 * section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"
 */
static void
put_spec(struct buf *b, const struct section *sec)
{
	static const char *const name[] = {
		[SECTION_ALL] = "",
		[SECTION_HEADER] = "HEADER",
		[SECTION_FIELDS] = "HEADER.FIELDS",
		[SECTION_FIELDS_NOT] = "HEADER.FIELDS.NOT",
		[SECTION_TEXT] = "TEXT",
		[SECTION_MIME] = "MIME",
	};

	put_part(b, sec);
	if (sec->what == SECTION_ALL)
		return;
	if (sec->nparts > 0)
		buf_putc(b, '.');
	buf_puts(b, name[sec->what]);
	if (sec->what == SECTION_FIELDS || sec->what == SECTION_FIELDS_NOT)
		put_fields(b, &sec->fields);
}

/*
 * msg-att-static =/ "BODY" section ["<" number ">"] SP nstring
 *
 * The length asked for is not repeated, only the origin is.  BINARY.SIZE has
 * no partial.
 */
void
fmt_section(struct buf *b, const struct fetch_item *item)
{
	if (item->name != NULL) {
		buf_puts(b, item->name);
		return;
	}
	if (item->what == FETCH_BINARY_SIZE)
		buf_puts(b, "BINARY.SIZE[");
	else if (item->what == FETCH_BINARY)
		buf_puts(b, "BINARY[");
	else
		buf_puts(b, "BODY[");
	put_spec(b, &item->section);
	buf_putc(b, ']');
	if (item->has_partial) {
		buf_putc(b, '<');
		buf_put_u64(b, item->partial_off);
		buf_putc(b, '>');
	}
}
