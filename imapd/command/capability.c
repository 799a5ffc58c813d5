/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * capability.c: what is announced, and when: the only list.
 *
 * A name stands here when all of it is done, not before: clients act on these
 * words.
 */
#include "imapd/command/capability.h"

#define LOGIN	CAPABILITY_LOGIN
#define SESSION	CAPABILITY_SESSION

struct capability {
	struct span name;
	unsigned when;		/* set of CAPABILITY_: any of them */
};

/* A name that ends in "=" is followed by its value. */
static const struct capability table[] = {
	{ SPAN("IMAP4rev1"), LOGIN | SESSION },		/* RFC 3501 */
	{ SPAN("STARTTLS"), CAPABILITY_STARTTLS },
	{ SPAN("LOGINDISABLED"), CAPABILITY_NO_PLAINTEXT },
	{ SPAN("SASL-IR"), LOGIN },			/* RFC 4959 */
	{ SPAN("LITERAL+"), LOGIN | SESSION },		/* RFC 7888 */
	{ SPAN("ID"), LOGIN | SESSION },		/* RFC 2971 */
	{ SPAN("ENABLE"), LOGIN | SESSION },		/* RFC 5161 */
	{ SPAN("IDLE"), LOGIN | SESSION },		/* RFC 2177 */
	{ SPAN("NAMESPACE"), SESSION },			/* RFC 2342 */
	{ SPAN("UNSELECT"), SESSION },			/* RFC 3691 */
	{ SPAN("CONDSTORE"), SESSION },			/* RFC 7162 3.1 */
	{ SPAN("QRESYNC"), SESSION },			/* RFC 7162 3.2 */
	{ SPAN("UIDPLUS"), SESSION },			/* RFC 4315 */
	{ SPAN("MOVE"), SESSION },			/* RFC 6851 */
	{ SPAN("MULTIAPPEND"), SESSION },		/* RFC 3502 */
	{ SPAN("APPENDLIMIT="), SESSION },		/* RFC 7889 */
	{ SPAN("CHILDREN"), SESSION },			/* RFC 3348 */
	{ SPAN("LIST-EXTENDED"), SESSION },		/* RFC 5258 */
	{ SPAN("LIST-STATUS"), SESSION },		/* RFC 5819 */
	{ SPAN("STATUS=SIZE"), SESSION },		/* RFC 8438 */
	{ SPAN("SPECIAL-USE"), SESSION },		/* RFC 6154 */
	{ SPAN("XLIST"), SESSION },			/* no RFC: Outlook */
	{ SPAN("ESEARCH"), SESSION },			/* RFC 4731 */
	{ SPAN("SEARCHRES"), SESSION },			/* RFC 5182 */
	{ SPAN("WITHIN"), SESSION },			/* RFC 5032 */
	{ SPAN("SORT"), SESSION },			/* RFC 5256 */
	{ SPAN("SORT=DISPLAY"), SESSION },		/* RFC 5957 */
	{ SPAN("ESORT"), SESSION },			/* RFC 5267 */
	{ SPAN("THREAD=ORDEREDSUBJECT"), SESSION },	/* RFC 5256 */
	{ SPAN("THREAD=REFERENCES"), SESSION },		/* RFC 5256 */
	/* draft-ietf-morg-inthread-01 */
	{ SPAN("THREAD=REFS"), SESSION },
	{ SPAN("INPROGRESS"), SESSION },		/* RFC 9585 */
	{ SPAN("PREVIEW"), SESSION },			/* RFC 8970 */
	{ SPAN("SAVEDATE"), SESSION },			/* RFC 8514 */
	{ SPAN("OBJECTID"), SESSION },			/* RFC 8474 */
	{ SPAN("QUOTA"), SESSION },			/* RFC 2087, 9208 */
	{ SPAN("QUOTA=RES-STORAGE"), SESSION },		/* RFC 9208 5.1 */
	{ SPAN("QUOTA=RES-MESSAGE"), SESSION },		/* RFC 9208 5.2 */
};

/* The last word of the mask about name: -1 withheld, 1 given, 0 none. */
static int
mask_of(struct span mask, struct span name)
{
	int found = 0;

	while (mask.p != NULL) {
		struct span word = span_trim(span_split(&mask, ' '));
		int value = 1;

		if (word.n == 0)
			continue;
		if (word.p[0] == '-' || word.p[0] == '+') {
			value = word.p[0] == '-' ? -1 : 1;
			word = span_skip(word, 1);
		}
		if (is_span_ieq(word, name))
			found = value;
	}
	return found;
}

/* The name as a mask spells it: without the "=" of those with a value. */
static struct span
mask_name(struct span name)
{
	return name.p[name.n - 1] == '=' ? span_take(name, name.n - 1) : name;
}

bool
is_capability_withheld(struct span mask, struct span name)
{
	return mask_of(mask, name) < 0;
}

void
capability_put(struct buf *b, unsigned now, struct span mask,
    uint64_t append_limit)
{
	bool is_first = true;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct capability *cap = &table[i];

		if ((cap->when & now) == 0 ||
		    mask_of(mask, mask_name(cap->name)) < 0)
			continue;
		if (!is_first)
			buf_putc(b, ' ');
		is_first = false;
		buf_put_span(b, cap->name);
		if (cap->name.p[cap->name.n - 1] == '=')
			buf_put_u64(b, append_limit);
	}
}
