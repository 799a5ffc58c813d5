/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * sortkey.c: see sortkey.h.
 *
 * Packed, integers being big-endian:
 *
 *	u8	what there is: a set of SORTKEY_
 *	u8	1: has_date, 2: is_reply
 *	u64	date, two's complement; 0 without has_date
 *	text	subject, from, to, cc, display_from, display_to, id
 *	text*	references, to the end
 *
 * of which only that is there which the set names (id and references go
 * together), and where a text is a u16 count and so many bytes.
 */
#include <assert.h>

#include "base/enc.h"
#include "base/utf8.h"
#include "message/date.h"
#include "message/msgid.h"
#include "message/part.h"
#include "message/rfc2047.h"
#include "message/subject.h"
#include "message/text.h"
#include "imapd/mailbox/msgview.h"
#include "imapd/mailbox/sortkey.h"

enum { FLAG_DATE = 1, FLAG_REPLY = 2, FLAGS = FLAG_DATE | FLAG_REPLY };

#define OCTETS		0xff		/* before a text that is not UTF-8 */
#define HEAD_SIZE	2u		/* up to the date */
#define FOLD_MAX	(16 * 1024)	/* bytes of a text that are folded:
					 * whatever they become, it is enough
					 * for SORTKEY_TEXT_MAX */

/* ---- texts ------------------------------------------------------------ */

/* At most n bytes, not ending within a character. */
static struct span
cut(struct span s, size_t n)
{
	if (s.n <= n)
		return s;
	while (n > 0 && (s.p[n] & 0xc0) == 0x80)
		n--;
	return span_take(s, n);
}

/* Without NUL, which ENVELOPE leaves out, too: no string may hold it. */
static struct span
without_nul(struct span s, struct arena *arena)
{
	struct span ret;
	struct buf b;

	if (!has_byte(s, 0))
		return s;
	buf_init(&b, SIZE_MAX / 2);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != 0)
			buf_putc(&b, s.p[i]);
	ret = arena_dup(arena, buf_span(&b));
	buf_done(&b);
	return ret;
}

/*
 * The text as it is compared: RFC 5256 7, RFC 5051.  What is in no charset we
 * know is "collated ... using the i;octet comparator", behind all that is (RFC
 * 5255 4.6): a byte that begins no UTF-8 puts it there.
 */
static struct span
collated(struct span s, struct arena *arena)
{
	struct span ret;
	struct buf b;

	s = without_nul(s, arena);
	if (s.n == 0)
		return s;
	buf_init(&b, SIZE_MAX / 2);
	if (is_utf8(s)) {
		text_fold(cut(s, FOLD_MAX), &b);
	} else {
		buf_putc(&b, OCTETS);
		buf_put_span(&b, cut(s, FOLD_MAX));
	}
	ret = arena_dup(arena, cut(buf_span(&b), SORTKEY_TEXT_MAX));
	buf_done(&b);
	return ret;
}

/* "addr-mailbox of the first ... address" (SORT; CC, FROM, TO) */
static struct span
mailbox_of(const struct address *a, struct arena *arena)
{
	return a == NULL ? SPAN_NONE : collated(a->mailbox, arena);
}

/*
 * The value of an address structure (RFC 5957 3): its name, decoded; if there
 * is none or it is empty, addr-mailbox@addr-host; addr-mailbox without a host
 * (the name of a group).
 */
static struct span
display_of(const struct address *a, struct arena *arena)
{
	struct span ret;
	struct buf b;

	if (a == NULL)
		return SPAN_NONE;
	if (a->name.p != NULL) {
		ret = is_utf8(a->name) ? rfc2047_text(a->name, arena) :
		    a->name;
		if (ret.n > 0)
			return collated(ret, arena);
	}
	if (a->host.p == NULL)
		return collated(a->mailbox, arena);
	buf_init(&b, SIZE_MAX / 2);
	buf_put_span(&b, a->mailbox);
	buf_putc(&b, '@');
	buf_put_span(&b, a->host);
	ret = collated(buf_span(&b), arena);
	buf_done(&b);
	return ret;
}

/* ---- identifiers ------------------------------------------------------ */

/* The next valid one. */
static bool
next_id(struct span *field, struct arena *arena, struct span *ret)
{
	while (msgid_next(field, arena, ret))
		if (ret->n <= SORTKEY_ID_MAX)
			return true;
	return false;
}

static void
put_text(struct buf *b, struct span s)
{
	assert(s.n <= UINT16_MAX);
	enc_u16(b, (uint16_t)s.n);
	buf_put_span(b, s);
}

bool
sortkey_next_ref(struct span *rest, struct span *ret)
{
	size_t n;

	if (rest->n < 2)
		return false;
	n = (size_t)(rest->p[0] << 8 | rest->p[1]);
	*ret = span_take(span_skip(*rest, 2), n);
	*rest = span_skip(*rest, 2 + n);
	return true;
}

/*
 * "If a message contains a References header line, then use the Message IDs in
 * the References header line ... or the References header line does not contain
 * any valid Message IDs, then use the first (if any) valid Message ID found in
 * the In-Reply-To header line" (RFC 5256, REFERENCES).
 */
static struct span
references(const struct envelope *env, struct arena *arena)
{
	struct span field = env->references, id, ret;
	size_t n = 0;
	struct buf b;

	buf_init(&b, SIZE_MAX / 2);
	while (next_id(&field, arena, &id)) {
		put_text(&b, id);
		n++;
	}
	field = env->in_reply_to;
	if (n == 0 && next_id(&field, arena, &id))
		put_text(&b, id);
	ret = buf_span(&b);
	for (; n > SORTKEY_REFS_MAX; n--)
		(void)sortkey_next_ref(&ret, &id);	/* there are n */
	ret = arena_dup(arena, ret);
	buf_done(&b);
	return ret;
}

/* ---- the message ------------------------------------------------------ */

static void
fill(const struct envelope *env, unsigned want, struct arena *arena,
    struct sortkey *k)
{
	struct span field = env->message_id;
	int zone;

	if ((want & SORTKEY_DATE) != 0 && env->date.p != NULL)
		k->has_date = date_parse(env->date, &k->date, &zone) == 0;
	if ((want & SORTKEY_SUBJECT) != 0 && env->subject.p != NULL)
		k->subject = collated(subject_base(
		    without_nul(env->subject, arena), arena,
		    &k->is_reply), arena);
	if ((want & SORTKEY_FROM) != 0)
		k->from = mailbox_of(env->from, arena);
	if ((want & SORTKEY_TO) != 0)
		k->to = mailbox_of(env->to, arena);
	if ((want & SORTKEY_CC) != 0)
		k->cc = mailbox_of(env->cc, arena);
	if ((want & SORTKEY_DISPLAYFROM) != 0)
		k->display_from = display_of(env->from, arena);
	if ((want & SORTKEY_DISPLAYTO) != 0)
		k->display_to = display_of(env->to, arena);
	if ((want & SORTKEY_IDS) == 0)
		return;
	if (!next_id(&field, arena, &k->id))
		k->id = SPAN_NONE;
	k->refs = references(env, arena);
}

int
sortkey_get(struct msgview *mv, unsigned want, struct arena *arena,
    struct sortkey *ret)
{
	const struct part *top;
	struct sortkey k = { 0 };
	int err;

	if ((err = msgview_header(mv, &top)) != 0)
		return err;
	if (top->envelope != NULL)
		fill(top->envelope, want, arena, &k);
	*ret = k;
	return 0;
}

/* ---- bytes ------------------------------------------------------------ */

/* The texts that a set names, in order; id comes behind them. */
static size_t
texts_of(struct sortkey *k, unsigned want, struct span *v[6])
{
	const struct {
		unsigned want;
		struct span *text;
	} all[] = {
		{ SORTKEY_SUBJECT, &k->subject }, { SORTKEY_FROM, &k->from },
		{ SORTKEY_TO, &k->to }, { SORTKEY_CC, &k->cc },
		{ SORTKEY_DISPLAYFROM, &k->display_from },
		{ SORTKEY_DISPLAYTO, &k->display_to }
	};
	size_t n = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].want & want)
			v[n++] = all[i].text;
	return n;
}

void
sortkey_pack(const struct sortkey *k, unsigned want, struct buf *out)
{
	struct sortkey copy = *k;
	struct span *text[6];
	size_t n = texts_of(&copy, want, text);

	enc_u8(out, (uint8_t)want);
	enc_u8(out, (uint8_t)((want & SORTKEY_DATE && k->has_date ?
	    FLAG_DATE : 0) | (want & SORTKEY_SUBJECT && k->is_reply ?
	    FLAG_REPLY : 0)));
	if (want & SORTKEY_DATE)
		enc_u64(out, k->has_date ? (uint64_t)k->date : 0);
	for (size_t i = 0; i < n; i++)
		put_text(out, *text[i]);
	if (want & SORTKEY_IDS) {
		put_text(out, k->id);
		buf_put_span(out, k->refs);
	}
}

/* A text of up to max bytes. */
static int ERR_CHECK
get_text(struct span *rest, size_t max, struct span *ret)
{
	size_t n;

	if (rest->n < 2)
		return ERR_CORRUPT;
	n = (size_t)(rest->p[0] << 8 | rest->p[1]);
	if (n > max || n > rest->n - 2)
		return ERR_CORRUPT;
	(void)sortkey_next_ref(rest, ret);	/* there is one */
	return 0;
}

/* As collated() makes them. */
static bool
is_text(struct span s)
{
	return is_utf8(s) || s.p[0] == OCTETS;
}

static int ERR_CHECK
check_refs(struct span refs)
{
	struct span id;
	int err;

	for (size_t n = 0; refs.n > 0; n++) {
		if (n == SORTKEY_REFS_MAX)
			return ERR_CORRUPT;
		if ((err = get_text(&refs, SORTKEY_ID_MAX, &id)) != 0)
			return err;
		if (id.n == 0)
			return ERR_CORRUPT;
	}
	return 0;
}

/* The numbers before the texts. */
static int ERR_CHECK
get_head(struct span *rest, unsigned want, struct sortkey *k)
{
	size_t n = want & SORTKEY_DATE ? HEAD_SIZE + 8 : HEAD_SIZE;
	uint64_t date = 0;

	if (rest->n < n || rest->p[0] != want || (rest->p[1] & ~FLAGS) != 0)
		return ERR_CORRUPT;
	for (size_t i = HEAD_SIZE; i < n; i++)
		date = date << 8 | rest->p[i];
	if (want & SORTKEY_DATE) {
		k->has_date = (rest->p[1] & FLAG_DATE) != 0;
		k->date = (int64_t)date;
		if (!k->has_date && date != 0)
			return ERR_CORRUPT;
	}
	if (want & SORTKEY_SUBJECT)
		k->is_reply = (rest->p[1] & FLAG_REPLY) != 0;
	*rest = span_skip(*rest, n);
	return 0;
}

int
sortkey_unpack(struct span packed, unsigned want, struct sortkey *ret)
{
	struct sortkey k = *ret;
	struct span *text[6];
	size_t n = texts_of(&k, want, text);
	int err = get_head(&packed, want, &k);

	for (size_t i = 0; i < n && err == 0; i++) {
		err = get_text(&packed, SORTKEY_TEXT_MAX, text[i]);
		if (err == 0 && !is_text(*text[i]))
			err = ERR_CORRUPT;
	}
	if (err == 0 && want & SORTKEY_IDS) {
		err = get_text(&packed, SORTKEY_ID_MAX, &k.id);
		if (err == 0)
			err = check_refs(packed);
		k.refs = packed;
		packed.n = 0;
	}
	if (err == 0 && packed.n > 0)
		err = ERR_CORRUPT;
	if (err == 0)
		*ret = k;
	return err;
}
