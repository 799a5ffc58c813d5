/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "message/rfc2045.h"

#include "base/buf.h"
#include "base/num.h"
#include "message/rfc5322.h"

#define CONTENT_LANGUAGES_MAX	100	/* tags; the rest is left out */

/* ---- parameters ------------------------------------------------------ */

/* One parameter as it stands in the message. */
struct piece {
	struct span written;	/* "name*1*" */
	struct span name;	/* "name" */
	struct span value;
	uint32_t number;	/* of a continuation, 1 here */
	bool is_numbered;
	bool is_extended;	/* percent-encoded: a star at the end */
	bool is_done;		/* joined into another */
};

/* A field being read. */
struct reader {
	struct rfc5322 c;
	struct buf text;
	struct arena *arena;
};

static void
reader_init(struct reader *r, struct span body, struct arena *arena)
{
	r->c = rfc5322_cursor(body);
	r->arena = arena;
	buf_init(&r->text, 4 * body.n + 4);	/* all may be escaped once */
	rfc5322_skip(&r->c);
}

/* token; p == NULL if there is none */
static struct span
token(struct reader *r)
{
	buf_clear(&r->text);
	if (!rfc5322_mime_token(&r->c, &r->text))
		return SPAN_NONE;
	return arena_dup(r->arena, buf_span(&r->text));
}

/* What a value without quotes may hold: more than RFC 2045 allows, as mailers
 * forget the quotes around "=_boundary" and the like. */
static bool
is_bare_value(uint8_t b)
{
	return b > ' ' && b != ';' && b != ',' && b != '"' && b != '(';
}

/* value := token / quoted-string */
static struct span
value(struct reader *r)
{
	buf_clear(&r->text);
	if (!rfc5322_quoted(&r->c, &r->text)) {
		while (!is_rfc5322_end(&r->c) && is_bare_value(*r->c.p))
			buf_putc(&r->text, *r->c.p++);
		rfc5322_skip(&r->c);
	}
	return arena_dup(r->arena, buf_span(&r->text));
}

/*
 * RFC 2231 7:
 *
 *	attribute = 1*attribute-char [section] ["*"]
 *	section   = "*0" / "*" 1*DIGIT
 */
static void
split_name(struct piece *p)
{
	struct span rest = p->written, digits;

	p->name = span_split(&rest, '*');
	if (rest.p == NULL)
		return;
	if (rest.n == 0) {
		p->is_extended = true;
		return;
	}
	digits = span_split(&rest, '*');
	p->is_extended = rest.p != NULL;
	p->is_numbered = rest.n == 0 &&
	    num_u32(digits, 0, CONTENT_PARAMS_MAX, &p->number) == 0;
}

/*
 * *(";" parameter)
 * parameter := attribute "=" value
 *
 * What is none is passed over up to the next ";".
 */
static size_t
read_pieces(struct reader *r, struct piece *v, size_t max)
{
	size_t n = 0;

	while (!is_rfc5322_end(&r->c) && n < max) {
		struct piece p = { 0 };

		if (*r->c.p != ';') {
			buf_clear(&r->text);
			if (!rfc5322_quoted(&r->c, &r->text))
				r->c.p++;
			continue;
		}
		r->c.p++;
		rfc5322_skip(&r->c);
		p.written = token(r);
		if (p.written.p == NULL || !is_rfc5322_at(&r->c, '='))
			continue;
		r->c.p++;
		rfc5322_skip(&r->c);
		p.value = value(r);
		split_name(&p);
		v[n++] = p;
	}
	return n;
}

static void
put_percent(struct buf *b, struct span s)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n; i++) {
		if (is_alpha(s.p[i]) || is_digit(s.p[i]) || s.p[i] == '.' ||
		    s.p[i] == '-' || s.p[i] == '_') {
			buf_putc(b, s.p[i]);
			continue;
		}
		buf_putc(b, '%');
		buf_putc(b, (uint8_t)hex[s.p[i] >> 4]);
		buf_putc(b, (uint8_t)hex[s.p[i] & 15]);
	}
}

/* The piece of that name and number, or NULL. */
static struct piece *
find_piece(struct piece *v, size_t n, struct span name, uint32_t number)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].is_numbered && !v[i].is_done &&
		    v[i].number == number && is_span_ieq(v[i].name, name))
			return &v[i];
	return NULL;
}

/* Put together name*0, name*1, ... into first, which is the one with number 0;
 * the others are done. */
static void
join_pieces(struct reader *r, struct piece *v, size_t n, struct piece *first)
{
	struct piece *chain[CONTENT_PARAMS_MAX], *p = first;
	uint32_t count = 0;
	bool is_extended = false;

	while (p != NULL && count < CONTENT_PARAMS_MAX) {
		chain[count++] = p;
		p->is_done = true;
		is_extended = is_extended || p->is_extended;
		p = find_piece(v, n, first->name, count);
	}
	buf_clear(&r->text);
	if (is_extended && !first->is_extended)
		buf_puts(&r->text, "''");
	for (uint32_t i = 0; i < count; i++) {
		if (is_extended && !chain[i]->is_extended)
			put_percent(&r->text, chain[i]->value);
		else
			buf_put_span(&r->text, chain[i]->value);
	}
	first->value = arena_dup(r->arena, buf_span(&r->text));
	buf_clear(&r->text);
	buf_put_span(&r->text, first->name);
	if (is_extended)
		buf_putc(&r->text, '*');
	first->written = arena_dup(r->arena, buf_span(&r->text));
	first->is_done = false;
}

/* The parameters from here to the end of the field.  A continuation without
 * those before it stays as it was written. */
static struct content_param *
params(struct reader *r)
{
	struct content_param *head = NULL, **tail = &head;
	struct piece v[CONTENT_PARAMS_MAX];
	size_t n = read_pieces(r, v, CONTENT_PARAMS_MAX);

	for (size_t i = 0; i < n; i++)
		if (v[i].is_numbered && v[i].number == 0 && !v[i].is_done)
			join_pieces(r, v, n, &v[i]);
	for (size_t i = 0; i < n; i++) {
		struct content_param *out;

		if (v[i].is_done)
			continue;
		out = ARENA_NEW(r->arena, struct content_param);
		out->name = v[i].written;
		out->value = v[i].value;
		*tail = out;
		tail = &out->next;
	}
	return head;
}

/* charset "'" [language] "'" *(ext-octet / attribute-char) */
static struct span
decode_extended(struct span s, struct arena *arena, struct span *ret_charset)
{
	struct span charset, rest = s;
	uint8_t *p;
	size_t n = 0;

	charset = span_split(&rest, '\'');
	if (rest.p != NULL)
		(void)span_split(&rest, '\'');	/* the language */
	if (rest.p == NULL) {
		charset = SPAN("");
		rest = s;
	}
	p = arena_alloc(arena, rest.n + 1);
	for (size_t i = 0; i < rest.n; i++) {
		int hi = -1, lo = -1;

		if (rest.p[i] == '%' && rest.n - i > 2) {
			hi = num_hexdigit(rest.p[i + 1]);
			lo = num_hexdigit(rest.p[i + 2]);
		}
		if (hi >= 0 && lo >= 0) {
			p[n++] = (uint8_t)(hi << 4 | lo);
			i += 2;
		} else {
			p[n++] = rest.p[i];
		}
	}
	*ret_charset = charset;
	return span_of(p, n);
}

struct span
content_param(const struct content_param *list, struct span name,
    struct arena *arena, struct span *ret_charset)
{
	struct span plain = SPAN_NONE;

	for (; list != NULL; list = list->next) {
		if (list->name.n == name.n + 1 &&
		    list->name.p[name.n] == '*' &&
		    has_iprefix(list->name, name))
			return decode_extended(list->value, arena,
			    ret_charset);
		if (plain.p == NULL && is_span_ieq(list->name, name))
			plain = list->value;
	}
	*ret_charset = SPAN("");
	return plain;
}

/* ---- fields ---------------------------------------------------------- */

/*
 * content := type "/" subtype *(";" parameter)
 *
 * What cannot be parsed is text/plain; charset=us-ascii (RFC 2045 5.2).
 */
static void
read_type(struct reader *r, struct content *c)
{
	struct span type = token(r), subtype = SPAN_NONE;

	if (type.p != NULL && is_rfc5322_at(&r->c, '/')) {
		r->c.p++;
		rfc5322_skip(&r->c);
		subtype = token(r);
	}
	if (subtype.p == NULL) {
		c->type = SPAN("text");
		c->subtype = SPAN("plain");
		return;
	}
	c->type = type;
	c->subtype = subtype;
	c->params = params(r);
}

/* disposition := disposition-type *(";" disposition-parm)	(RFC 2183 2) */
static void
read_disposition(struct reader *r, struct content *c)
{
	c->disposition = token(r);
	if (c->disposition.p != NULL)
		c->disposition_params = params(r);
}

/* Language-List = Language-Tag [CFWS] *("," [CFWS] Language-Tag [CFWS])
 * (RFC 3282 2) */
static void
read_language(struct reader *r, struct content *c)
{
	struct span tags[CONTENT_LANGUAGES_MAX];
	size_t n = 0;

	while (n < CONTENT_LANGUAGES_MAX) {
		tags[n] = token(r);
		if (tags[n].p != NULL)
			n++;
		if (!is_rfc5322_at(&r->c, ','))
			break;
		r->c.p++;
		rfc5322_skip(&r->c);
	}
	if (n == 0)
		return;
	c->language = arena_array(r->arena, n, sizeof(*tags));
	memcpy(c->language, tags, n * sizeof(*tags));
	c->nlanguage = n;
}

static void
read_text(struct span *ret, const struct header_field *f, struct arena *arena)
{
	if (ret->p == NULL)
		*ret = arena_dup(arena, header_unfold(f->body, arena));
}

static bool
is_named(const struct header_field *f, const char *rest)
{
	return is_span_ieq(span_skip(f->name, 8), span_str(rest));
}

void
content_field(struct content *c, const struct header_field *f,
    struct arena *arena)
{
	struct reader r;

	if (!has_iprefix(f->name, SPAN("Content-")))
		return;
	reader_init(&r, f->body, arena);
	if (is_named(f, "Type") && c->type.p == NULL)
		read_type(&r, c);
	else if (is_named(f, "Transfer-Encoding") && c->encoding.p == NULL)
		c->encoding = token(&r);
	else if (is_named(f, "Disposition") && c->disposition.p == NULL)
		read_disposition(&r, c);
	else if (is_named(f, "Language") && c->language == NULL)
		read_language(&r, c);
	else if (is_named(f, "ID"))
		read_text(&c->id, f, arena);
	else if (is_named(f, "Description"))
		read_text(&c->description, f, arena);
	else if (is_named(f, "MD5"))
		read_text(&c->md5, f, arena);
	else if (is_named(f, "Location"))
		read_text(&c->location, f, arena);
	buf_done(&r.text);
}

void
content_finish(struct content *c, bool is_digest)
{
	if (c->type.p != NULL)
		return;
	c->type = is_digest ? SPAN("message") : SPAN("text");
	c->subtype = is_digest ? SPAN("rfc822") : SPAN("plain");
}

bool
is_content_type(const struct content *c, struct span type, struct span subtype)
{
	return is_span_ieq(c->type, type) &&
	    (subtype.n == 0 || is_span_ieq(c->subtype, subtype));
}
