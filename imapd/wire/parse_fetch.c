/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * FETCH: items, sections, partial ranges.
 */
#include "imapd/wire/parse_rules.h"

struct items {
	struct fetch_item *v;
	size_t n, cap;
};

static int ERR_CHECK
items_add(struct lex *lx, struct items *items, const struct fetch_item *item)
{
	struct fetch_item *v;

	if (items->n == PARSE_LIST_MAX)
		return lex_bad(lx, "Too many elements in a list");
	if (items->n == items->cap) {
		items->cap = items->cap == 0 ? 8 : 2 * items->cap;
		v = arena_array(lx->arena, items->cap, sizeof(*v));
		if (items->n > 0)
			memcpy(v, items->v, items->n * sizeof(*v));
		items->v = v;
	}
	items->v[items->n++] = *item;
	return 0;
}

/* ---- section --------------------------------------------------------- */

/*
 * section-part = nz-number *("." nz-number)                (RFC 3501 section 9)
 *
 * Takes the "." in front of a section-text as well: *ret_more.
 */
static int ERR_CHECK
section_part(struct lex *lx, struct section *section, bool *ret_more)
{
	uint32_t *part;
	uint64_t number;
	size_t max = 1;
	int err;

	for (size_t i = lx->at; i < lx->text.n && max <= PARSE_PARTS_MAX &&
	    (is_digit(lx->text.p[i]) || lx->text.p[i] == '.'); i++)
		if (lx->text.p[i] == '.')
			max++;
	if (max > PARSE_PARTS_MAX)
		return lex_bad(lx, "Too many part numbers");
	part = arena_array(lx->arena, max, sizeof(*part));
	section->part = part;
	do {
		err = lex_nz_number(lx, UINT32_MAX, &number);
		if (err != 0)
			return err;
		part[section->nparts++] = (uint32_t)number;
		*ret_more = is_lex_at(lx, '.');
		if (*ret_more)
			lex_skip(lx, 1);
	} while (*ret_more && is_lex_digit(lx));
	return 0;
}

/* header-fld-name = astring                             (RFC 3501 section 9) */
static int
header_fld_name(struct lex *lx, void *arg)
{
	struct span s;
	int err = lex_astring(lx, &s);

	return err != 0 ? err : lex_spans_add(lx, arg, s);
}

/* header-list = "(" header-fld-name *(SP header-fld-name) ")" */
static int ERR_CHECK
header_list(struct lex *lx, struct section *section)
{
	struct lex_spans names = { { NULL, 0 }, 0 };
	int err = lex_list1(lx, header_fld_name, &names);

	section->fields = names.list;
	return err;
}

/*
 * section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"
 * section-text    = section-msgtext / "MIME"               (RFC 3501 section 9)
 */
static int ERR_CHECK
section_text(struct lex *lx, struct section *section)
{
	static const struct lex_bit table[] = {
		{ "HEADER", SECTION_HEADER },
		{ "HEADER.FIELDS", SECTION_FIELDS },
		{ "HEADER.FIELDS.NOT", SECTION_FIELDS_NOT },
		{ "TEXT", SECTION_TEXT }, { "MIME", SECTION_MIME }, { NULL, 0 }
	};
	uint32_t what = 0;
	int err = lex_bit(lx, table, "Unknown section", &what);

	if (err != 0)
		return err;
	section->what = what;
	if (what == SECTION_MIME && section->nparts == 0)
		return lex_bad(lx, "MIME needs a part number");
	if (what != SECTION_FIELDS && what != SECTION_FIELDS_NOT)
		return 0;
	err = lex_sp(lx);
	return err != 0 ? err : header_list(lx, section);
}

/*
 * section      = "[" [section-spec] "]"                    (RFC 3501 section 9)
 * section-spec = section-msgtext / (section-part ["." section-text])
 */
static int ERR_CHECK
section(struct lex *lx, struct section *ret)
{
	int err = lex_char(lx, '[', "Expected [");
	bool has_text = !is_lex_at(lx, ']');

	if (err != 0)
		return err;
	if (is_lex_digit(lx) && (err = section_part(lx, ret, &has_text)) != 0)
		return err;
	if (has_text && (err = section_text(lx, ret)) != 0)
		return err;
	return lex_char(lx, ']', "Expected ]");
}

/* section-binary = "[" [section-part] "]"               (RFC 3516 section 7) */
static int ERR_CHECK
section_binary(struct lex *lx, struct section *ret)
{
	int err = lex_char(lx, '[', "Expected [");
	bool has_more = false;

	if (err != 0)
		return err;
	if (is_lex_digit(lx) && (err = section_part(lx, ret, &has_more)) != 0)
		return err;
	if (has_more)
		return lex_bad(lx, "Expected a part number");
	return lex_char(lx, ']', "Expected ]");
}

/* partial = "<" number "." nz-number ">"                (RFC 3501 section 9) */
static int ERR_CHECK
partial(struct lex *lx, struct fetch_item *item)
{
	int err;

	if ((err = lex_char(lx, '<', "Expected <")) != 0 ||
	    (err = lex_number(lx, INT64_MAX, &item->partial_off)) != 0 ||
	    (err = lex_char(lx, '.', "Expected a point")) != 0 ||
	    (err = lex_nz_number(lx, INT64_MAX, &item->partial_len)) != 0)
		return err;
	item->has_partial = true;
	return lex_char(lx, '>', "Expected >");
}

/* ---- fetch-att ------------------------------------------------------- */

/* How an item goes on behind its name. */
enum form {
	FORM_PLAIN,
	FORM_SECTION,		/* section ["<" ... ">"] */
	FORM_BINARY,		/* section-binary ["<" ... ">"] */
	FORM_BINARY_SIZE,	/* section-binary */
	FORM_PREVIEW		/* [SP "(" preview-mod *(SP preview-mod) ")"] */
};

struct att {
	const char *name;
	enum form form;
	struct fetch_item item;
};

#define SECTION_ITEM(sect, peek, answer) {				\
	.what = FETCH_SECTION, .section = { .what = sect },		\
	.is_peek = peek, .name = answer					\
}

/*
 * fetch-att = "ENVELOPE" / "FLAGS" / "INTERNALDATE" /
 *             "RFC822" [".HEADER" / ".SIZE" / ".TEXT"] /
 *             "BODY" ["STRUCTURE"] / "UID"                 (RFC 3501 section 9)
 * fetch-att =/ "MODSEQ"                                 (RFC 7162 section 7)
 * fetch-att =/ "PREVIEW" [SP "(" preview-mod *(SP preview-mod) ")"]
 *                                                          (RFC 8970 section 6)
 * fetch-att =/ "SAVEDATE"                                  (RFC 8514 section 5)
 * fetch-att =/ "EMAILID" / "THREADID"                      (RFC 8474 section 7)
 * The names that end in .PEEK are those of RFC 1730; Outlook sends them.
 */
static const struct att plain_atts[] = {
	{ "UID", FORM_PLAIN, { .what = FETCH_UID } },
	{ "FLAGS", FORM_PLAIN, { .what = FETCH_FLAGS } },
	{ "INTERNALDATE", FORM_PLAIN, { .what = FETCH_INTERNALDATE } },
	{ "RFC822.SIZE", FORM_PLAIN, { .what = FETCH_RFC822_SIZE } },
	{ "MODSEQ", FORM_PLAIN, { .what = FETCH_MODSEQ } },
	{ "ENVELOPE", FORM_PLAIN, { .what = FETCH_ENVELOPE } },
	{ "BODY", FORM_PLAIN, { .what = FETCH_BODY } },
	{ "BODYSTRUCTURE", FORM_PLAIN, { .what = FETCH_BODYSTRUCTURE } },
	{ "PREVIEW", FORM_PREVIEW, { .what = FETCH_PREVIEW } },
	{ "SAVEDATE", FORM_PLAIN, { .what = FETCH_SAVEDATE } },
	{ "EMAILID", FORM_PLAIN, { .what = FETCH_EMAILID } },
	{ "THREADID", FORM_PLAIN, { .what = FETCH_THREADID } },
	{ "RFC822", FORM_PLAIN, SECTION_ITEM(SECTION_ALL, false, "RFC822") },
	{ "RFC822.PEEK", FORM_PLAIN,
	    SECTION_ITEM(SECTION_ALL, true, "RFC822") },
	{ "RFC822.HEADER", FORM_PLAIN,
	    SECTION_ITEM(SECTION_HEADER, true, "RFC822.HEADER") },
	{ "RFC822.HEADER.PEEK", FORM_PLAIN,
	    SECTION_ITEM(SECTION_HEADER, true, "RFC822.HEADER") },
	{ "RFC822.TEXT", FORM_PLAIN,
	    SECTION_ITEM(SECTION_TEXT, false, "RFC822.TEXT") },
	{ "RFC822.TEXT.PEEK", FORM_PLAIN,
	    SECTION_ITEM(SECTION_TEXT, true, "RFC822.TEXT") },
	{ .name = NULL }
};

/*
 * fetch-att =/ "BODY" section ["<" number "." nz-number ">"] /
 *              "BODY.PEEK" section ["<" number "." nz-number ">"]
 *                                                          (RFC 3501 section 9)
 * fetch-att =/ "BINARY" [".PEEK"] section-binary [partial] /
 *              "BINARY.SIZE" section-binary                (RFC 3516 section 7)
 */
static const struct att section_atts[] = {
	{ "BODY", FORM_SECTION, SECTION_ITEM(SECTION_ALL, false, NULL) },
	{ "BODY.PEEK", FORM_SECTION, SECTION_ITEM(SECTION_ALL, true, NULL) },
	{ "BINARY", FORM_BINARY, { .what = FETCH_BINARY } },
	{ "BINARY.PEEK", FORM_BINARY,
	    { .what = FETCH_BINARY, .is_peek = true } },
	{ "BINARY.SIZE", FORM_BINARY_SIZE,
	    { .what = FETCH_BINARY_SIZE, .is_peek = true } },
	{ .name = NULL }
};

/* preview-mod = "LAZY" */
static int
preview_mod(struct lex *lx, void *arg)
{
	static const struct lex_bit table[] = { { "LAZY", 1 }, { NULL, 0 } };
	struct fetch_item *item = arg;
	uint32_t bits = 0;
	int err = lex_bit(lx, table, "Unknown PREVIEW modifier", &bits);

	item->is_lazy = true;
	return err;
}

/* Behind PREVIEW a "(" begins its modifiers: no item begins with one. */
static int ERR_CHECK
preview_mods(struct lex *lx, struct fetch_item *item)
{
	struct span rest = span_skip(lx->text, lx->at);

	if (!has_prefix(rest, SPAN(" (")))
		return 0;
	lex_skip(lx, 1);
	return lex_list1(lx, preview_mod, item);
}

static int ERR_CHECK
rest_of_att(struct lex *lx, enum form form, struct fetch_item *item)
{
	int err;

	if (form == FORM_PLAIN)
		return 0;
	if (form == FORM_PREVIEW)
		return preview_mods(lx, item);
	if (form == FORM_SECTION)
		err = section(lx, &item->section);
	else
		err = section_binary(lx, &item->section);
	if (err != 0 || form == FORM_BINARY_SIZE || !is_lex_at(lx, '<'))
		return err;
	return partial(lx, item);
}

static int
fetch_att(struct lex *lx, void *arg)
{
	size_t start = lx->at;
	const struct att *att;
	struct fetch_item item;
	struct span word;
	int err = lex_word(lx, &word);

	if (err != 0)
		return err;
	att = is_lex_at(lx, '[') ? section_atts : plain_atts;
	while (att->name != NULL && !is_span_ieq(word, span_str(att->name)))
		att++;
	if (att->name == NULL) {
		lx->at = start;
		return lex_bad(lx, "Unknown FETCH item");
	}
	item = att->item;
	err = rest_of_att(lx, att->form, &item);
	return err != 0 ? err : items_add(lx, arg, &item);
}

/* "ALL" / "FULL" / "FAST" stand alone: what they are short for (RFC 3501
 * 6.4.5).  NULL if it is none of them. */
static const char *
expand_macro(const struct lex *lx)
{
	if (is_lex_word(lx, "ALL"))
		return "(FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)";
	if (is_lex_word(lx, "FAST"))
		return "(FLAGS INTERNALDATE RFC822.SIZE)";
	if (is_lex_word(lx, "FULL"))
		return "(FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY)";
	return NULL;
}

static int ERR_CHECK
macro(struct lex *lx, const char *text, struct items *items)
{
	struct span word;
	struct lex sub;
	int err = lex_word(lx, &word);

	if (err != 0)
		return err;
	lex_init(&sub, span_str(text), lx->arena, lx->result);
	return lex_list1(&sub, fetch_att, items);
}

/*
 * fetch-modifier  =/ "CHANGEDSINCE" SP mod-sequence-value  (RFC 7162 section 7)
 * fetch-modifier  =/ "VANISHED"
 */
static int
fetch_modifier(struct lex *lx, void *arg)
{
	struct fetch_args *args = arg;

	if (is_lex_word(lx, "CHANGEDSINCE") && !args->has_since) {
		int err;

		lex_skip(lx, strlen("CHANGEDSINCE"));
		args->has_since = true;
		err = lex_sp(lx);
		return err != 0 ? err :
		    lex_nz_number(lx, INT64_MAX, &args->since);
	}
	if (is_lex_word(lx, "VANISHED") && !args->wants_vanished) {
		lex_skip(lx, strlen("VANISHED"));
		args->wants_vanished = true;
		return 0;
	}
	return lex_bad(lx, "Unknown FETCH modifier");
}

/*
 * fetch-modifiers = SP "(" fetch-modifier *(SP fetch-modifier) ")"
 *                                                          (RFC 4466 section 6)
 * VANISHED is for UID FETCH, and goes with CHANGEDSINCE (RFC 7162 3.2.6).
 */
static int ERR_CHECK
fetch_modifiers(struct lex *lx, bool is_uid, struct fetch_args *args)
{
	size_t start;
	int err = lex_sp(lx);

	start = lx->at;
	if (err != 0 || (err = lex_list1(lx, fetch_modifier, args)) != 0)
		return err;
	if (args->wants_vanished && (!is_uid || !args->has_since)) {
		lx->at = start;
		return lex_bad(lx, "VANISHED is for UID FETCH with "
		    "CHANGEDSINCE");
	}
	return 0;
}

/* CHANGEDSINCE asks for MODSEQ as well (RFC 7162 3.1.4.1). */
static int ERR_CHECK
add_modseq(struct lex *lx, struct fetch_args *args, struct items *items)
{
	const struct fetch_item modseq = { .what = FETCH_MODSEQ };

	for (size_t i = 0; i < items->n; i++)
		if (items->v[i].what == FETCH_MODSEQ)
			args->has_modseq = true;
	if (args->has_modseq || !args->has_since)
		return 0;
	args->has_modseq = true;
	return items_add(lx, items, &modseq);
}

/*
 * fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att /
 *         "(" fetch-att *(SP fetch-att) ")") [fetch-modifiers]
 *                                                          (RFC 4466 section 6)
 */
int
parse_fetch(struct lex *lx, struct command *cmd)
{
	struct items items = { NULL, 0, 0 };
	const char *expansion;
	int err;

	if ((err = lex_sp(lx)) != 0 ||
	    (err = lex_sequence_set(lx, &cmd->u.fetch.set)) != 0 ||
	    (err = lex_sp(lx)) != 0)
		return err;
	expansion = expand_macro(lx);
	if (expansion != NULL)
		err = macro(lx, expansion, &items);
	else if (is_lex_at(lx, '('))
		err = lex_list1(lx, fetch_att, &items);
	else
		err = fetch_att(lx, &items);
	if (err == 0 && is_lex_at(lx, ' ') && !is_lex_blank(lx))
		err = fetch_modifiers(lx, cmd->is_uid, &cmd->u.fetch);
	if (err == 0)
		err = add_modseq(lx, &cmd->u.fetch, &items);
	cmd->u.fetch.item = items.v;
	cmd->u.fetch.nitems = items.n;
	return err;
}
