/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * own_text.c: see own_text.h.
 *
 * A line is judged when it is complete, and the last few lines of a paragraph
 * wait: whether "Anna Smith <anna@example.com>:" announces a quotation is known
 * from the ">" that follows.
 */
#include "message/own_text.h"

#include <utf8proc.h>

#include "base/utf8.h"

#define TEXT_MAX	(4 * OWN_CHARS_MAX + OWN_LINE_MAX + 1)
#define ATTRIBUTION_MAX	(OWN_PENDING * OWN_LINE_MAX + OWN_PENDING)
#define SHORT_LINE	40	/* "wrote:", left of a line that was wrapped */
#define SIGNATURE_MAX	80	/* bytes of "Sent from my ..." */
#define RULE_MIN	20	/* underscores of a rule */

/* ---- lines ----------------------------------------------------------- */

static struct span
line_span(const struct own_line *line)
{
	return span_of(line->p, line->n);
}

static bool
has_digit(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (is_digit(s.p[i]))
			return true;
	return false;
}

static struct span
strip(struct span s, const char *set)
{
	struct span bytes = span_str(set);

	while (s.n > 0 && has_byte(bytes, s.p[0]))
		s = span_skip(s, 1);
	while (s.n > 0 && has_byte(bytes, s.p[s.n - 1]))
		s.n--;
	return s;
}

/* "> text", "AS> text" */
static bool
is_quoted(struct span s)
{
	size_t i = 0;

	while (i < s.n && i < 4 && is_alpha(s.p[i]))
		i++;
	return i < s.n && s.p[i] == '>' && (i == 0 || i + 1 == s.n ||
	    s.p[i + 1] == ' ' || s.p[i + 1] == '>');
}

static struct span
unquoted(struct span s)
{
	if (is_quoted(s))
		s = span_skip(s, span_find(s, '>'));
	while (s.n > 0 && (s.p[0] == '>' || s.p[0] == ' '))
		s = span_skip(s, 1);
	return s;
}

/* "=====", "* * *" */
static bool
is_ornament(struct span s)
{
	return s.n >= 3 && strip(s, "-=_*~#+. ").n == 0;
}

/* One of Outlook or of a mailing list: what follows is not the author's. */
static bool
is_rule(struct span s)
{
	return s.n >= RULE_MIN && strip(s, "_").n == 0;
}

/* "-- ", of which the blank is gone by now; an em dash (GitHub); what programs
 * say of themselves. */
static bool
is_signature(struct span s)
{
	static const struct span starts[] = {
		SPAN("Sent from my "), SPAN("Sent from Mail for "),
		SPAN("Get Outlook for "), SPAN("Envoy\xC3\xA9 de mon "),
		SPAN("Enviado desde mi "), SPAN("Von meinem iP")
	};

	if (is_span_eq(s, SPAN("--")) ||
	    is_span_eq(s, SPAN("\xE2\x80\x94")))
		return true;
	for (size_t i = 0; s.n <= SIGNATURE_MAX &&
	    i < sizeof(starts) / sizeof(starts[0]); i++)
		if (has_prefix(s, starts[i]))
			return true;
	return false;
}

/* "-----Original Message-----" */
static bool
is_original(struct span s)
{
	static const struct span words[] = {
		SPAN("original message"), SPAN("forwarded message"),
		SPAN("original appointment"), SPAN("reply message"),
		SPAN("urspr\xC3\xBCngliche nachricht"),
		SPAN("original-nachricht"), SPAN("weitergeleitete nachricht"),
		SPAN("message d'origine"), SPAN("message original"),
		SPAN("message transf\xC3\xA9r\xC3\xA9"),
		SPAN("mensaje original"), SPAN("mensaje reenviado"),
		SPAN("messaggio originale"), SPAN("messaggio inoltrato"),
		SPAN("mensagem original"), SPAN("oorspronkelijk bericht"),
		SPAN("doorgestuurd bericht"), SPAN("ursprungligt meddelande"),
		SPAN("oprindelig meddelelse"), SPAN("opprinnelig melding")
	};
	struct span inner = strip(s, "-_=* ");

	if (is_span_ieq(s, SPAN("begin forwarded message:")))
		return true;
	if (!has_prefix(s, SPAN("--")) && !has_prefix(s, SPAN("__")))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (is_span_ieq(inner, words[i]))
			return true;
	return false;
}

/* "From: Anna" and "Sent: Friday", one behind the other, as Outlook writes
 * them, in bold ("*From:*") or not. */
static bool
is_header_block(struct span first, struct span second)
{
	static const struct { struct span first, second; } pairs[] = {
		{ SPAN("From:"), SPAN("Sent:") },
		{ SPAN("From:"), SPAN("Date:") },
		{ SPAN("Von:"), SPAN("Gesendet:") },
		{ SPAN("De :"), SPAN("Envoy\xC3\xA9") },
		{ SPAN("De:"), SPAN("Envoy\xC3\xA9") },
		{ SPAN("De:"), SPAN("Enviad") },
		{ SPAN("Da:"), SPAN("Inviato:") },
		{ SPAN("Van:"), SPAN("Verzonden:") },
		{ SPAN("Fr\xC3\xA5n:"), SPAN("Skickat:") },
		{ SPAN("Fra:"), SPAN("Sendt:") }
	};

	first = strip(first, "*");
	second = strip(second, "*");
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (has_prefix(first, pairs[i].first) &&
		    has_prefix(second, pairs[i].second))
			return true;
	return false;
}

/* ---- who is quoted --------------------------------------------------- */

static bool
has_verb_at_end(struct span s)
{
	static const struct span verbs[] = {
		SPAN("wrote"), SPAN("writes"), SPAN("said"), SPAN("says"),
		SPAN("schrieb"), SPAN("geschrieben"), SPAN("\xC3\xA9" "crit"),
		SPAN("escribi\xC3\xB3"), SPAN("ha scritto"), SPAN("escreveu"),
		SPAN("schreef"), SPAN("skrev"), SPAN("kirjoitti"),
		SPAN("napisa\xC5\x82"), SPAN("napsal"),
		SPAN("\xD0\xBF\xD0\xB8\xD1\x88\xD0\xB5\xD1\x82"),
		SPAN("\xD0\xBD\xD0\xB0\xD0\xBF\xD0\xB8\xD1\x81\xD0\xB0\xD0\xBB")
	};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (has_suffix(s, verbs[i]))
			return true;
	return false;
}

/* "On Fri, 1 Mar 2024, Anna wrote:" needs no quotation behind it to be known;
 * it may be on several lines. */
static bool
is_sure_attribution(struct span s)
{
	return has_prefix(s, SPAN("On ")) && has_suffix(s, SPAN("wrote:")) &&
	    has_digit(s);
}

/* Any language, in front of a quotation: a line with a colon at its end, and a
 * date, an address or a verb of saying. */
static bool
is_attribution(struct span s)
{
	struct span inner = strip(s, ": ");

	return has_suffix(s, SPAN(":")) && (has_digit(inner) ||
	    has_byte(inner, '@') || has_verb_at_end(inner));
}

static void
drop_sure_attribution(struct own_text *t)
{
	uint8_t text[ATTRIBUTION_MAX];

	for (size_t from = 0; from < t->npending; from++) {
		size_t n = 0;

		for (size_t i = from; i < t->npending; i++) {
			struct span s = line_span(&t->pending[i]);

			if (i > from)
				text[n++] = ' ';
			memcpy(text + n, s.p, s.n);
			n += s.n;
		}
		if (is_sure_attribution(span_of(text, n))) {
			t->npending = from;
			return;
		}
	}
}

/* A quotation begins. */
static void
drop_attribution(struct own_text *t)
{
	struct span last;

	drop_sure_attribution(t);
	if (t->npending == 0)
		return;
	last = line_span(&t->pending[t->npending - 1]);
	if (!is_attribution(last))
		return;
	t->npending--;
	if (last.n <= SHORT_LINE && !has_digit(last) && t->npending > 0 &&
	    has_digit(line_span(&t->pending[t->npending - 1])))
		t->npending--;
}

/* ---- collecting ------------------------------------------------------ */

static void
collect(struct buf *b, size_t *nchars, struct span s)
{
	if (*nchars >= OWN_CHARS_MAX || s.n == 0)
		return;
	if (b->n > 0) {
		buf_putc(b, ' ');
		++*nchars;
	}
	buf_put_span(b, s);
	for (size_t i = 0; i < s.n; i++)
		*nchars += (s.p[i] & 0xC0) != 0x80;
}

/* The first n lines that wait are the author's. */
static void
commit(struct own_text *t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		collect(&t->own, &t->nown, line_span(&t->pending[i]));
	for (size_t i = n; i < t->npending; i++)
		t->pending[i - n] = t->pending[i];
	t->npending -= n;
	t->has_gap = false;
}

static void
put_own_line(struct own_text *t, const struct own_line *line)
{
	struct span s = line_span(line), last = SPAN_NONE;

	if (t->npending > 0 && !t->has_gap)
		last = line_span(&t->pending[t->npending - 1]);
	if (is_quoted(s)) {
		drop_attribution(t);
		commit(t, t->npending);
	} else if (is_header_block(last, s)) {
		commit(t, t->npending - 1);
		t->npending = 0;
		t->is_over = true;
	} else if (is_signature(s) || is_original(s) || is_rule(s)) {
		commit(t, t->npending);
		t->is_over = true;
	} else if (is_ornament(s)) {
		t->has_gap = true;
	} else {
		if (t->has_gap)
			commit(t, t->npending);
		else if (t->npending == OWN_PENDING)
			commit(t, 1);
		t->pending[t->npending++] = *line;
		drop_sure_attribution(t);
	}
}

/* The armour of OpenPGP (RFC 9580 6.2, 7); true: the line belongs to it. */
static bool
is_armour(struct own_text *t, struct span s)
{
	if (t->state == OWN_ARMOUR) {
		if (has_prefix(s, SPAN("-----END PGP")))
			t->state = OWN_PLAIN;
		return true;
	}
	if (t->state == OWN_ARMOUR_HEAD)
		return true;
	if (!has_prefix(s, SPAN("-----BEGIN PGP ")))
		return false;
	t->state = has_prefix(s, SPAN("-----BEGIN PGP SIGNED")) ?
	    OWN_ARMOUR_HEAD : OWN_ARMOUR;
	return true;
}

static void
end_line(struct own_text *t)
{
	const struct own_line *line = &t->line;
	struct span s = line_span(line);

	if (s.n == 0) {
		t->has_gap = true;
		if (t->state == OWN_ARMOUR_HEAD)
			t->state = OWN_PLAIN;
	} else if (!is_armour(t, s)) {
		if (!is_ornament(s))
			collect(&t->all, &t->nall, unquoted(s));
		if (!t->is_over)
			put_own_line(t, line);
	}
	t->line.n = 0;
	t->wants_blank = false;
	t->joiner = 0;
}

/* ---- characters ------------------------------------------------------ */

enum look { LOOK_SEEN, LOOK_BLANK, LOOK_NOTHING, LOOK_JOINER, LOOK_LINE };

static enum look
look_of(uint32_t cp)
{
	if (cp > ' ' && cp < 0x7F)
		return LOOK_SEEN;
	if (cp == '\n' || cp == 0x2028 || cp == 0x2029)
		return LOOK_LINE;
	if (cp == ' ' || (cp >= '\t' && cp <= '\r') || cp == 0x2800)
		return LOOK_BLANK;
	if (cp == 0x200C || cp == 0x200D)
		return LOOK_JOINER;
	/* A filler; what stands for an embedded object. */
	if (cp == 0x34F || cp == 0xFFFC)
		return LOOK_NOTHING;
	switch (utf8proc_category((utf8proc_int32_t)cp)) {
	case UTF8PROC_CATEGORY_ZS:
		return LOOK_BLANK;
	case UTF8PROC_CATEGORY_CC:
		return LOOK_NOTHING;
	case UTF8PROC_CATEGORY_CF:
		/* Some signs of Arabic and Syriac are seen; tags make flags. */
		return (cp >= 0x600 && cp < 0x900) || cp >= 0xE0020 ?
		    LOOK_SEEN : LOOK_NOTHING;
	default:
		return LOOK_SEEN;
	}
}

static void
put_seen(struct own_text *t, struct span s)
{
	struct own_line *line = &t->line;
	struct buf b = { line->p, line->n, sizeof(line->p), sizeof(line->p),
	    false };

	/* The longest addition fits, or nothing more does. */
	if (line->n > sizeof(line->p) - 3 * UTF8_MAX)
		return;
	if (t->wants_blank && line->n > 0)
		buf_putc(&b, ' ');
	else if (t->joiner != 0 && line->n > 0)
		utf8_put(&b, t->joiner);
	buf_put_span(&b, s);
	line->n = b.n;
	t->wants_blank = false;
	t->joiner = 0;
}

static void
put_char(struct own_text *t, struct span s, uint32_t cp)
{
	switch (look_of(cp)) {
	case LOOK_SEEN:
		put_seen(t, s);
		break;
	case LOOK_BLANK:
		t->wants_blank = true;
		break;
	case LOOK_JOINER:
		t->joiner = cp;
		break;
	case LOOK_LINE:
		end_line(t);
		break;
	case LOOK_NOTHING:
		break;
	}
}

void
own_text_init(struct own_text *t)
{
	t->line.n = 0;
	t->wants_blank = t->has_gap = t->is_over = false;
	t->joiner = 0;
	t->npending = t->nown = t->nall = 0;
	t->state = OWN_PLAIN;
	buf_init(&t->own, TEXT_MAX);
	buf_init(&t->all, TEXT_MAX);
}

void
own_text_done(struct own_text *t)
{
	buf_done(&t->own);
	buf_done(&t->all);
}

static bool
is_enough(const struct own_text *t)
{
	return t->nown >= OWN_CHARS_MAX || (t->is_over &&
	    (t->nown > 0 || t->nall >= OWN_CHARS_MAX));
}

bool
own_text_feed(struct own_text *t, struct span s)
{
	while (s.n > 0 && !is_enough(t)) {
		uint32_t cp;
		bool ok;
		size_t n = utf8_step(s, &cp, &ok);

		if (ok)
			put_char(t, span_take(s, n), cp);
		s = span_skip(s, n);
	}
	return !is_enough(t);
}

struct span
own_text_finish(struct own_text *t)
{
	if (!is_enough(t)) {
		end_line(t);
		commit(t, t->npending);
	}
	return buf_span(t->nown > 0 ? &t->own : &t->all);
}
