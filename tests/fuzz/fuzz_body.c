/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fuzz_body.c: ENVELOPE, BODY and BODYSTRUCTURE of any bytes are what the
 * grammar has (RFC 3501 9; message/global of RFC 9051 for clients that have
 * enabled UTF-8).
 */
#include <stdlib.h>

#include "base/num.h"
#include "base/utf8.h"
#include "message/part.h"
#include "imapd/wire/fmt.h"
#include "tests/fuzz/fuzz.h"

/* What is left of the text, and who reads it. */
struct text {
	struct span s;
	bool is_utf8;
	bool is_extended;
};

static bool
has(const struct text *t, const char *next)
{
	return has_prefix(t->s, span_str(next));
}

static void
want(struct text *t, const char *next)
{
	if (!has(t, next))
		abort();
	t->s = span_skip(t->s, strlen(next));
}

static uint64_t
number(struct text *t)
{
	size_t len;
	uint64_t v = num_prefix(t->s, &len);

	if (len == 0)
		abort();
	t->s = span_skip(t->s, len);
	return v;
}

/* quoted = DQUOTE *QUOTED-CHAR DQUOTE ; what is between the quotes */
static struct span
quoted(struct text *t)
{
	struct span s;
	size_t i = 1;

	for (; t->s.p[i] != '"'; i++) {
		if (i + 2 > t->s.n || t->s.p[i] == '\0' ||
		    t->s.p[i] == '\r' || t->s.p[i] == '\n')
			abort();
		if (t->s.p[i] == '\\' && t->s.p[++i] != '"' &&
		    t->s.p[i] != '\\')
			abort();
		if (t->s.p[i] >= 0x80 && !t->is_utf8)
			abort();
	}
	s = span_skip(span_take(t->s, i), 1);
	if (!is_utf8(s))
		abort();
	t->s = span_skip(t->s, i + 1);
	return s;
}

/* string = quoted / literal */
static struct span
string(struct text *t)
{
	struct span s;
	uint64_t n;

	if (has(t, "\""))
		return quoted(t);
	want(t, "{");
	n = number(t);
	want(t, "}\r\n");
	if (n > t->s.n)
		abort();
	s = span_take(t->s, (size_t)n);
	if (has_byte(s, 0))
		abort();
	t->s = span_skip(t->s, (size_t)n);
	return s;
}

static void
nstring(struct text *t)
{
	if (has(t, "NIL"))
		want(t, "NIL");
	else
		(void)string(t);	/* any */
}

/* body-fld-param = "(" string SP string *(SP string SP string) ")" / nil */
static void
params(struct text *t)
{
	if (has(t, "NIL")) {
		want(t, "NIL");
		return;
	}
	want(t, "(");
	for (;;) {
		(void)string(t);
		want(t, " ");
		(void)string(t);
		if (!has(t, " "))
			break;
		want(t, " ");
	}
	want(t, ")");
}

/* SP body-fld-dsp SP body-fld-lang SP body-fld-loc */
static void
extensions(struct text *t)
{
	want(t, " ");
	if (has(t, "(")) {
		want(t, "(");
		(void)string(t);
		want(t, " ");
		params(t);
		want(t, ")");
	} else {
		want(t, "NIL");
	}
	want(t, " ");
	if (has(t, "(")) {
		want(t, "(");
		for ((void)string(t); has(t, " "); (void)string(t))
			want(t, " ");
		want(t, ")");
	} else {
		nstring(t);
	}
	want(t, " ");
	nstring(t);
}

/* env-from and its like = "(" 1*address ")" / nil */
static void
addresses(struct text *t)
{
	if (has(t, "NIL")) {
		want(t, "NIL");
		return;
	}
	want(t, "(");
	do {
		want(t, "(");
		nstring(t);
		for (int i = 0; i < 3; i++) {
			want(t, " ");
			nstring(t);
		}
		want(t, ")");
	} while (has(t, "("));
	want(t, ")");
}

static void
envelope(struct text *t)
{
	want(t, "(");
	nstring(t);
	want(t, " ");
	nstring(t);
	for (int i = 0; i < 6; i++) {
		want(t, " ");
		addresses(t);
	}
	want(t, " ");
	nstring(t);
	want(t, " ");
	nstring(t);
	want(t, ")");
}

/* media-basic or its like SP body-fields, and the lines */
static void
body_one(struct text *t, void (*inner)(struct text *t))
{
	struct span type = string(t), subtype;

	want(t, " ");
	subtype = string(t);
	want(t, " ");
	params(t);
	want(t, " ");
	nstring(t);
	want(t, " ");
	nstring(t);
	want(t, " ");
	(void)string(t);
	want(t, " ");
	(void)number(t);
	if (is_span_ieq(type, SPAN("message")) &&
	    (is_span_ieq(subtype, SPAN("rfc822")) || (t->is_utf8 &&
	    is_span_ieq(subtype, SPAN("global"))))) {
		want(t, " ");
		envelope(t);
		want(t, " ");
		inner(t);
		want(t, " ");
		(void)number(t);
	} else if (is_span_ieq(type, SPAN("text"))) {
		want(t, " ");
		(void)number(t);
	}
	if (!t->is_extended)
		return;
	want(t, " ");
	nstring(t);
	extensions(t);
}

/* body = "(" (body-type-1part / body-type-mpart) ")" */
static void
body(struct text *t)
{
	want(t, "(");
	if (has(t, "(")) {
		while (has(t, "("))
			body(t);
		want(t, " ");
		(void)string(t);
		if (t->is_extended) {
			want(t, " ");
			params(t);
			extensions(t);
		}
	} else {
		body_one(t, body);
	}
	want(t, ")");
}

static void
check(struct buf *b, void (*rule)(struct text *t), bool is_utf8,
    bool is_extended)
{
	struct text t = { buf_span(b), is_utf8, is_extended };

	if (b->overflowed)
		abort();
	rule(&t);
	if (t.s.n > 0)
		abort();
	buf_clear(b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(4096);
	struct part_parser *pp = part_parser_new(arena);
	const struct part *top;
	struct buf b;

	(void)part_parser_feed(pp, span_of(data, size));
	top = part_parser_finish(pp);
	buf_init(&b, SIZE_MAX / 2);
	for (int i = 0; i < 4; i++) {
		bool is_utf8 = (i & 1) != 0, is_extended = (i & 2) != 0;

		fmt_envelope(&b, top->envelope, is_utf8);
		check(&b, envelope, is_utf8, is_extended);
		fmt_body(&b, top, is_extended, is_utf8);
		check(&b, body, is_utf8, is_extended);
	}
	buf_done(&b);
	arena_free(arena);
	return 0;
}
