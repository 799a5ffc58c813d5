/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include "base/num.h"
#include "imapd/wire/lex.h"

void
lex_init(struct lex *lx, struct span text, struct arena *arena,
    struct parse_result *result)
{
	*lx = (struct lex){ .text = text, .arena = arena, .result = result };
	*result = (struct parse_result){ .outcome = PARSE_DONE };
}

int
lex_bad(struct lex *lx, const char *why)
{
	lx->result->outcome = PARSE_BAD;
	lx->result->err_at = lx->at;
	lx->result->err_text = why;
	return ERR_SYNTAX;
}

static struct span
rest(const struct lex *lx)
{
	return span_skip(lx->text, lx->at);
}

/* ---- looking ahead --------------------------------------------------- */

bool
is_lex_end(const struct lex *lx)
{
	return lx->at == lx->text.n;
}

bool
is_lex_at(const struct lex *lx, uint8_t c)
{
	return lx->at < lx->text.n && lx->text.p[lx->at] == c;
}

bool
is_lex_digit(const struct lex *lx)
{
	return lx->at < lx->text.n && is_digit(lx->text.p[lx->at]);
}

bool
is_lex_blank(const struct lex *lx)
{
	struct span s = rest(lx);

	while (s.n > 0 && s.p[0] == ' ')
		s = span_skip(s, 1);
	return s.n == 0;
}

static bool
is_word_char(uint8_t c)
{
	return is_alpha(c) || is_digit(c) || c == '.' || c == '-';
}

bool
is_lex_word(const struct lex *lx, const char *word)
{
	struct span s = rest(lx), w = span_str(word);

	return has_iprefix(s, w) && (s.n == w.n || !is_word_char(s.p[w.n]));
}

/* ---- fixed text ------------------------------------------------------ */

int
lex_char(struct lex *lx, uint8_t c, const char *why)
{
	if (!is_lex_at(lx, c))
		return lex_bad(lx, why);
	lx->at++;
	return 0;
}

int
lex_sp(struct lex *lx)
{
	if (is_lex_end(lx))
		return lex_bad(lx, "Missing argument");
	return lex_char(lx, ' ', "Expected a space");
}

void
lex_skip(struct lex *lx, size_t n)
{
	lx->at += n;
}

static void
skip_spaces(struct lex *lx)
{
	while (is_lex_at(lx, ' '))
		lx->at++;
}

int
lex_end(struct lex *lx)
{
	skip_spaces(lx);
	if (!is_lex_end(lx))
		return lex_bad(lx, "Unexpected text behind the arguments");
	return 0;
}

/* ---- runs of characters of one class --------------------------------- */

/*
 * ATOM-CHAR     = <any CHAR except atom-specials>
 * atom-specials = "(" / ")" / "{" / SP / CTL / list-wildcards /
 *                 quoted-specials / resp-specials
 */
static bool
is_atom_char(uint8_t c)
{
	switch (c) {
	case '(': case ')': case '{': case '%': case '*':
	case '"': case '\\': case ']':
		return false;
	default:
		return c > ' ' && c < 0x7f;
	}
}

/* ASTRING-CHAR = ATOM-CHAR / resp-specials */
static bool
is_astring_char(uint8_t c)
{
	return is_atom_char(c) || c == ']';
}

/* list-char = ATOM-CHAR / list-wildcards / resp-specials */
static bool
is_list_char(uint8_t c)
{
	return is_astring_char(c) || c == '%' || c == '*';
}

/* tag = 1*<any ASTRING-CHAR except "+"> */
static bool
is_tag_char(uint8_t c)
{
	return is_astring_char(c) && c != '+';
}

static int ERR_CHECK
lex_run(struct lex *lx, bool (*is_member)(uint8_t), const char *why,
    struct span *ret)
{
	struct span s = rest(lx);
	size_t n = 0;

	while (n < s.n && is_member(s.p[n]))
		n++;
	if (n == 0)
		return lex_bad(lx, why);
	lx->at += n;
	*ret = span_take(s, n);
	return 0;
}

int
lex_tag(struct lex *lx, struct span *ret)
{
	struct span tag;
	int err = lex_run(lx, is_tag_char, "Invalid tag", &tag);

	if (err != 0)
		return err;
	if (tag.n > PARSE_TAG_MAX)
		return lex_bad(lx, "Tag too long");
	if (!is_lex_end(lx) && !is_lex_at(lx, ' '))
		return lex_bad(lx, "Invalid tag");
	*ret = tag;
	return 0;
}

int
lex_atom(struct lex *lx, struct span *ret)
{
	return lex_run(lx, is_atom_char, "Expected an atom", ret);
}

int
lex_word(struct lex *lx, struct span *ret)
{
	return lex_run(lx, is_word_char, "Expected a word", ret);
}

bool
is_lex_astring_atom(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_astring_char(s.p[i]))
			return false;
	return s.n > 0;
}

/* ---- strings --------------------------------------------------------- */

/* The inside of a quoted string with its backslashes taken out. */
static struct span
unescape(struct lex *lx, struct span s)
{
	uint8_t *p = arena_alloc(lx->arena, s.n);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		p[n++] = s.p[i];
	}
	return span_of(p, n);
}

/*
 * quoted          = DQUOTE *QUOTED-CHAR DQUOTE
 * QUOTED-CHAR     = <any TEXT-CHAR except quoted-specials> /
 *                   "\" quoted-specials
 * TEXT-CHAR       = <any CHAR except CR and LF>
 * quoted-specials = DQUOTE / "\"
 *
 * Bytes of 0x80 and above are let pass: UTF-8 in a quoted string is IMAP4rev2
 * and UTF8=ACCEPT, and passwords and names come that way from clients that know
 * neither.  Whoever uses the string checks its encoding.
 */
static int ERR_CHECK
lex_quoted(struct lex *lx, struct span *ret)
{
	bool has_escape = false;
	size_t start = lx->at + 1;

	for (lx->at = start; !is_lex_at(lx, '"'); lx->at++) {
		if (is_lex_at(lx, '\\')) {
			has_escape = true;
			lx->at++;
			if (!is_lex_at(lx, '"') && !is_lex_at(lx, '\\'))
				return lex_bad(lx, "Only \" and \\ can follow "
				    "a backslash in a quoted string");
		}
		if (is_lex_end(lx))
			return lex_bad(lx, "Quoted string without end");
		if (is_lex_at(lx, '\0') || is_lex_at(lx, '\r') ||
		    is_lex_at(lx, '\n'))
			return lex_bad(lx, "NUL, CR or LF in a quoted string");
	}
	*ret = span_of(lx->text.p + start, lx->at - start);
	if (has_escape)
		*ret = unescape(lx, *ret);
	lx->at++;
	return 0;
}

/*
 * literal  = "{" number64 ["+"] "}" CRLF *CHAR8        (RFC 3501, RFC 7888)
 *
 * Reads up to the "}"; if the text ends there, the result says what is needed.
 */
static int ERR_CHECK
lex_announcement(struct lex *lx, uint64_t *ret_size)
{
	struct parse_result *r = lx->result;
	uint64_t size;
	int err;

	if ((err = lex_char(lx, '{', "Expected a literal")) != 0 ||
	    (err = lex_number(lx, INT64_MAX, &size)) != 0)
		return err;
	r->literal_size = size;
	r->literal_is_nonsync = is_lex_at(lx, '+');
	if (r->literal_is_nonsync)
		lx->at++;
	err = lex_char(lx, '}', "Malformed literal size");
	if (err != 0)
		return err;
	if (is_lex_end(lx)) {
		r->outcome = PARSE_LITERAL;
		return ERR_EOF;
	}
	*ret_size = size;
	return 0;
}

static int ERR_CHECK
lex_literal(struct lex *lx, struct span *ret)
{
	struct span s;
	uint64_t size;
	int err = lex_announcement(lx, &size);

	if (err != 0)
		return err;
	if (!has_prefix(rest(lx), SPAN("\r\n")))
		return lex_bad(lx, "Text behind a literal size");
	lx->at += 2;
	s = rest(lx);
	if (size > s.n)
		return lex_bad(lx, "Literal cut short");
	s.n = (size_t)size;
	if (has_byte(s, '\0'))
		return lex_bad(lx, "NUL in a literal");
	lx->at += s.n;
	*ret = s;
	return 0;
}

/* literal8 = "~{" number64 ["+"] "}" CRLF *OCTET       (RFC 3516 section 7) */
int
lex_stream(struct lex *lx)
{
	uint64_t size;
	int err;

	lx->result->literal_is_binary = is_lex_at(lx, '~');
	if (lx->result->literal_is_binary)
		lx->at++;
	err = lex_announcement(lx, &size);
	if (err == 0)
		return lex_bad(lx, "Text behind a literal size");
	if (err == ERR_EOF)
		lx->result->outcome = PARSE_STREAM;
	return err;
}

/* string = quoted / literal */
int
lex_string(struct lex *lx, struct span *ret)
{
	if (is_lex_at(lx, '"'))
		return lex_quoted(lx, ret);
	if (is_lex_at(lx, '{'))
		return lex_literal(lx, ret);
	return lex_bad(lx, "Expected a string");
}

/* nstring = string / nil */
int
lex_nstring(struct lex *lx, struct span *ret)
{
	if (!is_lex_word(lx, "NIL"))
		return lex_string(lx, ret);
	lx->at += 3;
	*ret = SPAN_NONE;
	return 0;
}

static bool
is_at_string(const struct lex *lx)
{
	return is_lex_at(lx, '"') || is_lex_at(lx, '{');
}

/* astring = 1*ASTRING-CHAR / string */
int
lex_astring(struct lex *lx, struct span *ret)
{
	if (is_at_string(lx))
		return lex_string(lx, ret);
	return lex_run(lx, is_astring_char, "Expected an atom or string", ret);
}

/* list-mailbox = 1*list-char / string */
int
lex_list_mailbox(struct lex *lx, struct span *ret)
{
	if (is_at_string(lx))
		return lex_string(lx, ret);
	return lex_run(lx, is_list_char, "Expected a mailbox pattern", ret);
}

/* ---- numbers --------------------------------------------------------- */

/* number = 1*DIGIT */
int
lex_number(struct lex *lx, uint64_t max, uint64_t *ret)
{
	size_t ndigits;
	uint64_t v = num_prefix(rest(lx), &ndigits);

	if (ndigits == 0)
		return lex_bad(lx, "Expected a number");
	if (ndigits > NUM_U64_DIGITS || v > max)
		return lex_bad(lx, "Number too large");
	lx->at += ndigits;
	*ret = v;
	return 0;
}

/* nz-number = digit-nz *DIGIT */
int
lex_nz_number(struct lex *lx, uint64_t max, uint64_t *ret)
{
	if (is_lex_at(lx, '0'))
		return lex_bad(lx, "A number here cannot begin with 0");
	return lex_number(lx, max, ret);
}

static bool
is_set_char(uint8_t c)
{
	return is_digit(c) || c == ':' || c == ',' || c == '*' || c == '$';
}

int
lex_sequence_set(struct lex *lx, struct seqset *ret)
{
	size_t start = lx->at;
	struct span s;
	int err = lex_run(lx, is_set_char, "Expected a sequence set", &s);

	if (err != 0)
		return err;
	err = seqset_parse(s, lx->arena, ret);
	if (err != 0) {
		lx->at = start;
		return lex_bad(lx, "Malformed sequence set");
	}
	return 0;
}

/* ---- lists ----------------------------------------------------------- */

int
lex_list1(struct lex *lx, lex_item *item, void *arg)
{
	int err = lex_char(lx, '(', "Expected a parenthesised list");

	if (err != 0)
		return err;
	for (;;) {
		err = item(lx, arg);
		if (err != 0)
			return err;
		if (is_lex_at(lx, ' '))
			skip_spaces(lx);
		else if (!is_lex_at(lx, ')'))
			return lex_bad(lx, "Expected a space or a closing "
			    "parenthesis");
		if (is_lex_at(lx, ')'))
			break;
	}
	lex_skip(lx, 1);
	return 0;
}

int
lex_list(struct lex *lx, lex_item *item, void *arg)
{
	if (!has_prefix(rest(lx), SPAN("()")))
		return lex_list1(lx, item, arg);
	lex_skip(lx, 2);
	return 0;
}

int
lex_spans_add(struct lex *lx, struct lex_spans *l, struct span s)
{
	struct span *v;

	if (l->list.n == PARSE_LIST_MAX)
		return lex_bad(lx, "Too many elements in a list");
	if (l->list.n == l->cap) {
		l->cap = l->cap == 0 ? 8 : 2 * l->cap;
		v = arena_array(lx->arena, l->cap, sizeof(*v));
		if (l->list.n > 0)
			memcpy(v, l->list.v, l->list.n * sizeof(*v));
		l->list.v = v;
	}
	l->list.v[l->list.n++] = s;
	return 0;
}

int
lex_bit(struct lex *lx, const struct lex_bit *table, const char *why,
    uint32_t *set)
{
	for (; table->name != NULL; table++) {
		if (is_lex_word(lx, table->name)) {
			lex_skip(lx, strlen(table->name));
			*set |= table->bit;
			return 0;
		}
	}
	return lex_bad(lx, why);
}
