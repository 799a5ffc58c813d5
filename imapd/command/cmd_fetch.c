/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * cmd_fetch.c: FETCH and UID FETCH (RFC 3501 6.4.5, 6.4.8, 7.4.2; RFC 3516,
 * 8474, 8514, 8970).
 *
 * No message fails the range.  One that another session has expunged answers
 * what can still be said of it, UID and NIL texts, and the command ends with OK
 * [EXPUNGEISSUED] (RFC 2180 4.1.3, RFC 5530).  One that is there but cannot be
 * read answers empty data in every place where the grammar wants some, and the
 * command ends with NO after all the others have been served.
 *
 * A literal is never shorter than announced: see section.h.
 *
 * What was found out about a message before, by whichever session, is copied
 * from where it is kept; if that is all that is asked for, the file is not
 * opened.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "message/header.h"
#include "maildir/maildir.h"
#include "imapd/wire/fmt.h"
#include "imapd/wire/wire_out.h"
#include "imapd/mailbox/fact.h"
#include "imapd/mailbox/kept.h"
#include "imapd/mailbox/mailbox.h"
#include "imapd/mailbox/msgview.h"
#include "imapd/mailbox/section.h"
#include "imapd/mailbox/zone.h"
#include "imapd/command/answer.h"
#include "imapd/command/commands.h"
#include "imapd/command/condstore.h"
#include "imapd/command/fetch_flags.h"
#include "imapd/command/progress.h"

/* Bytes of one ENVELOPE, BODYSTRUCTURE or HEADER.FIELDS. */
#define FETCH_TEXT_MAX	(16 * 1024 * 1024)
#define FETCH_SEEN_BATCH	64	/* messages marked \Seen at a time */

/* What is kept of an item: see kept.h. */
struct fetch_kept {
	bool has_kind;
	unsigned kind;
	struct span value;	/* of the message at hand; p is NULL: none */
};

struct fetch {
	struct session *s;
	struct mailbox *mb;
	struct maildir *md;
	struct msgview *view;
	struct fact fact;
	struct wire_out *out;
	const struct fetch_args *args;
	struct header_set **fields;	/* for each item, or NULL */
	struct fetch_kept *kept;	/* for each item */
	bool with_uid;
	bool wants_text;		/* some item is part of the text */
	bool marks_seen;
	struct buf text;		/* of one item, used again */
	size_t at;			/* for has_mailbox_record() */
	/* of the message at hand: */
	uint32_t uid;
	struct maildir_msg msg;
	bool sets_seen;			/* it is not \Seen yet */
	bool told_flags;
	bool is_first;			/* nothing printed of it yet */
	/* to be marked \Seen: */
	uint32_t seen[FETCH_SEEN_BATCH];
	size_t nseen;
	/* how it went: */
	int err;			/* of the first not to be read */
	bool any_gone, any_cut, any_unknown_cte;
};

/* ---- what is asked for ----------------------------------------------- */

static bool
is_section(const struct fetch_item *item)
{
	return item->what == FETCH_SECTION || item->what == FETCH_BINARY;
}

/* It takes the message's file to answer it. */
static bool
is_about_text(enum fetch_what what)
{
	return what != FETCH_UID && what != FETCH_FLAGS &&
	    what != FETCH_INTERNALDATE && what != FETCH_MODSEQ &&
	    what != FETCH_SAVEDATE && what != FETCH_EMAILID;
}

static void
fetch_init(struct fetch *f, struct session *s, const struct command *cmd)
{
	const struct fetch_args *args = &cmd->u.fetch;
	const struct fetch_item *item;

	*f = (struct fetch){ .s = s, .mb = s->mailbox, .out = s->out,
	    .args = args, .with_uid = cmd->is_uid };
	f->md = mailbox_store(f->mb);
	f->view = mailbox_view(f->mb);
	fact_init(&f->fact, f->md, f->view, s->is_utf8);
	buf_init(&f->text, FETCH_TEXT_MAX);
	f->fields = arena_array(s->arena, args->nitems, sizeof(*f->fields));
	f->kept = arena_array(s->arena, args->nitems, sizeof(*f->kept));
	for (size_t i = 0; i < args->nitems; i++) {
		item = &args->item[i];
		f->kept[i].has_kind = has_kept_kind(f->md, item, s->is_utf8,
		    &f->kept[i].kind);
		if (item->what == FETCH_UID)
			f->with_uid = true;
		if (!is_section(item))
			continue;
		f->wants_text = true;
		if (!item->is_peek && !is_mailbox_readonly(f->mb))
			f->marks_seen = true;
		if (item->section.what == SECTION_FIELDS ||
		    item->section.what == SECTION_FIELDS_NOT)
			f->fields[i] = header_set_new(item->section.fields.v,
			    item->section.fields.n);
	}
}

static void
fetch_done(struct fetch *f)
{
	for (size_t i = 0; i < f->args->nitems; i++)
		header_set_free(f->fields[i]);
	fact_done(&f->fact);
	buf_done(&f->text);
	msgview_rest(f->view);
}

/* The message as the store shows it; false: it has left the picture. */
static bool
has_message(struct fetch *f, uint32_t uid)
{
	return has_mailbox_record(f->mb, uid, &f->at, &f->msg);
}

/* ---- \Seen ----------------------------------------------------------- */

/*
 * Mark what was sent.  The client has been told already, in the same answer as
 * the text; where the store refuses (a read-only disk), it is told again how it
 * really is.  A client that wants mod-sequences is told only now, for only now
 * there is one (RFC 7162 3.2.4).
 */
static void
flush_seen(struct fetch *f)
{
	struct maildir_flags flags = { .sys = MAILDIR_SEEN };
	size_t done = 0, i;

	if (f->nseen == 0)
		return;
	if (maildir_store_flags(f->md, f->seen, f->nseen, MAILDIR_ADD, &flags,
	    &done) == 0)
		done = f->nseen;
	for (i = f->s->is_condstore ? 0 : done; i < f->nseen; i++)
		mailbox_changed(f->mb, f->seen[i]);
	f->nseen = 0;
}

/* ---- items ----------------------------------------------------------- */

/* The buffer to print the next item to, after what separates it. */
static struct buf *
next_item(struct fetch *f)
{
	struct buf *b;

	wire_out_check(f->out);
	b = wire_out_buf(f->out);
	if (!f->is_first)
		buf_putc(b, ' ');
	f->is_first = false;
	return b;
}

static void
note_error(struct fetch *f, int err)
{
	if (err == ERR_GONE)
		f->any_gone = true;
	else if (f->err == 0)
		f->err = err;
}

/* The next time this need not be made again. */
static void
keep(struct fetch *f, const struct fetch_kept *k, struct span value)
{
	if (k->has_kind && is_msgview_whole(f->view))
		maildir_keep(f->md, k->kind, f->uid, value);
}

static void
put_flags(struct fetch *f)
{
	if (f->sets_seen && !f->s->is_condstore)
		f->msg.flags.sys |= MAILDIR_SEEN;
	mailbox_put_flags(f->mb, next_item(f), &f->msg);
	f->told_flags = true;
	if (!f->s->is_condstore || f->args->has_modseq)
		mailbox_told(f->mb, f->uid);
}

/* fetch-mod-resp = "MODSEQ" SP "(" permsg-modsequence ")"
 *                                                       (RFC 7162 section 7) */
static void
put_modseq(struct fetch *f)
{
	struct buf *b = next_item(f);

	buf_puts(b, "MODSEQ (");
	buf_put_u64(b, f->msg.modseq);
	buf_putc(b, ')');
}

/* msg-att-static =/ "INTERNALDATE" SP date-time */
static void
put_date(struct fetch *f)
{
	struct buf *b = next_item(f);
	int64_t t = 0;
	int err;

	if ((err = msgview_date(f->view, &t)) != 0)
		note_error(f, err);
	buf_puts(b, "INTERNALDATE ");
	fmt_datetime(b, t, zone_at(t));
}

/* msg-att-static =/ "RFC822.SIZE" SP number */
static void
put_size(struct fetch *f)
{
	struct buf *b = next_item(f);
	struct extent whole = { 0 };
	int err;

	if ((err = msgview_whole(f->view, &whole)) != 0)
		note_error(f, err);
	buf_puts(b, "RFC822.SIZE ");
	buf_put_u64(b, whole.size + whole.bare_lf);
}

/*
 * msg-att-static =/ "ENVELOPE" SP envelope / "BODY" ["STRUCTURE"] SP body
 * msg-att-dynamic =/ "PREVIEW" SP nstring                  (RFC 8970 section 6)
 * msg-att-static =/ "SAVEDATE" SP (date-time / nil)        (RFC 8514 section 5)
 * msg-att-static =/ "EMAILID" SP "(" objectid ")" /
 *                   "THREADID" SP ("(" objectid ")" / nil)
 *                                                          (RFC 8474 section 7)
 */
static void
put_fact(struct fetch *f, const struct fetch_item *item,
    const struct fetch_kept *k)
{
	struct span value = k->value;
	int err;

	if (value.p == NULL && item->is_lazy) {
		value = SPAN("NIL");
	} else if (value.p == NULL) {
		buf_clear(&f->text);
		err = fact_put(&f->fact, f->uid, item->what, &f->text);
		if (err != 0) {
			note_error(f, err);
			buf_clear(&f->text);
			fact_put_none(item->what, &f->text);
		} else if (item->what != FETCH_THREADID) {	/* is kept */
			keep(f, k, buf_span(&f->text));
		}
		value = buf_span(&f->text);
	}
	buf_puts(next_item(f), fact_name(item->what));
	wire_out_span(f->out, value);
}

/*
 * nstring, or literal8 = "~{" number "}" CRLF *OCTET (RFC 3516 7).  A partial
 * that begins beyond the end is the empty string, one that ends beyond it is
 * cut (RFC 3501 6.4.5).
 */
static void
put_section_data(struct fetch *f, const struct fetch_item *item,
    const struct section_data *sd)
{
	struct buf *b = wire_out_buf(f->out);
	uint64_t off = 0, len = sd->size;

	if (sd->kind == SECTION_IS_NIL) {
		buf_puts(b, "NIL");
		return;
	}
	if (item->has_partial) {
		off = item->partial_off < len ? item->partial_off : len;
		len -= off;
		if (len > item->partial_len)
			len = item->partial_len;
	}
	if (len == 0) {
		buf_puts(b, "\"\"");
		return;
	}
	buf_puts(b, sd->has_nul ? "~{" : "{");
	buf_put_u64(b, len);
	buf_puts(b, "}\r\n");
	wire_out_check(f->out);
	if (section_send(f->view, sd, off, len, f->out) > 0)
		f->any_cut = true;
}

/* msg-att-static =/ "BODY" section ["<" number ">"] SP nstring, RFC822 and its
 * relatives, BINARY, BINARY.SIZE. */
static void
put_section(struct fetch *f, const struct fetch_item *item,
    const struct fetch_kept *k, const struct header_set *fields)
{
	struct section_data sd = { .kind = SECTION_IS_NIL };
	struct buf *b;
	int err = 0;

	if (k->value.p != NULL)
		sd = (struct section_data){ .kind = SECTION_IS_BYTES,
		    .size = k->value.n, .bytes = k->value };
	else if (item->what == FETCH_SECTION)
		err = section_find(f->view, &item->section, fields, &f->text,
		    &sd);
	else
		err = section_find_binary(f->view, &item->section, &f->text,
		    &sd);
	if (err != 0) {
		sd = (struct section_data){ .kind = SECTION_IS_NIL };
		if (err == ERR_UNSUPPORTED)
			f->any_unknown_cte = true;
		else
			note_error(f, err);
	} else if (k->value.p == NULL && sd.kind == SECTION_IS_BYTES)
		keep(f, k, sd.bytes);
	b = next_item(f);
	fmt_section(b, item);
	buf_putc(b, ' ');
	if (item->what == FETCH_BINARY_SIZE)
		buf_put_u64(b, sd.size);
	else
		put_section_data(f, item, &sd);
}

static void
put_item(struct fetch *f, size_t i)
{
	const struct fetch_item *item = &f->args->item[i];

	switch (item->what) {
	case FETCH_UID:
		break;		/* has come first */
	case FETCH_FLAGS:
		put_flags(f);
		break;
	case FETCH_INTERNALDATE:
		put_date(f);
		break;
	case FETCH_RFC822_SIZE:
		put_size(f);
		break;
	case FETCH_ENVELOPE:
	case FETCH_BODY:
	case FETCH_BODYSTRUCTURE:
	case FETCH_PREVIEW:
	case FETCH_SAVEDATE:
	case FETCH_EMAILID:
	case FETCH_THREADID:
		put_fact(f, item, &f->kept[i]);
		break;
	case FETCH_SECTION:
	case FETCH_BINARY:
	case FETCH_BINARY_SIZE:
		put_section(f, item, &f->kept[i], f->fields[i]);
		break;
	case FETCH_MODSEQ:
		put_modseq(f);
		break;
	}
}

/* ---- messages -------------------------------------------------------- */

/* message-data = nz-number SP "FETCH" SP msg-att: as far as "(UID n" */
static void
begin_answer(struct fetch *f, const struct mailbox_msg *msg)
{
	struct buf *b = wire_out_buf(f->out);

	buf_puts(b, "* ");
	buf_put_u64(b, msg->seq);
	buf_puts(b, " FETCH (");
	f->is_first = true;
	if (f->with_uid) {
		buf_puts(next_item(f), "UID ");
		buf_put_u64(wire_out_buf(f->out), msg->uid);
	}
}

static void
end_answer(struct fetch *f)
{
	buf_puts(wire_out_buf(f->out), ")\r\n");
	wire_out_check(f->out);
}

/*
 * Another session has removed it, and this client may not be told yet (RFC 3501
 * 7.4.1).  NIL is an answer for texts; there is no such thing for the rest.
 */
static void
fetch_gone(struct fetch *f, const struct mailbox_msg *msg)
{
	struct buf *b;

	f->any_gone = true;
	if (!f->wants_text)
		return;
	begin_answer(f, msg);
	for (size_t i = 0; i < f->args->nitems; i++)
		if (is_section(&f->args->item[i])) {
			b = next_item(f);
			fmt_section(b, &f->args->item[i]);
			buf_puts(b, " NIL");
		}
	end_answer(f);
}

/* Have at hand what is kept, or the file. */
static int
prepare(struct fetch *f)
{
	struct extent whole;
	int err = 0;

	for (size_t i = 0; i < f->args->nitems && err == 0; i++) {
		enum fetch_what what = f->args->item[i].what;
		struct fetch_kept *k = &f->kept[i];

		k->value = SPAN_NONE;
		if ((k->has_kind && has_maildir_value(f->md, k->kind, f->uid,
		    &k->value)) || f->args->item[i].is_lazy)
			continue;
		if (what == FETCH_RFC822_SIZE)
			err = msgview_whole(f->view, &whole);
		else if (is_about_text(what))
			err = msgview_open(f->view);
	}
	return err;
}

static void
fetch_message(struct fetch *f, const struct mailbox_msg *msg)
{
	int err = 0;

	f->uid = msg->uid;
	f->told_flags = false;
	if (has_message(f, msg->uid)) {
		msgview_set(f->view, msg->uid);
		err = prepare(f);
	} else
		err = ERR_GONE;
	if (err == ERR_GONE) {
		fetch_gone(f, msg);
		return;
	}
	f->sets_seen = f->marks_seen && err == 0 &&
	    (f->msg.flags.sys & MAILDIR_SEEN) == 0;
	begin_answer(f, msg);
	for (size_t i = 0; i < f->args->nitems; i++)
		put_item(f, i);
	if (f->sets_seen) {
		if (!f->told_flags && !f->s->is_condstore)
			put_flags(f);
		f->seen[f->nseen++] = msg->uid;
	}
	end_answer(f);
	if (f->nseen == FETCH_SEEN_BATCH)
		flush_seen(f);
	if (f->wants_text && err == 0)
		f->s->stats.fetched++;
}

/* ---- the command ----------------------------------------------------- */

static int ERR_CHECK
fetch_answer(struct fetch *f, const struct command *cmd)
{
	if (f->any_cut)
		return answer_no(f->s, cmd, NULL, "A message was cut short by "
		    "another program while it was sent.");
	if (f->err != 0)
		return answer_err(f->s, cmd, f->err);
	if (f->any_unknown_cte)
		return answer_no(f->s, cmd, "UNKNOWN-CTE",
		    "A part has an unknown transfer encoding.");
	answer_begin(f->s, cmd);
	if (f->any_gone)
		buf_puts(wire_out_buf(f->out), "[EXPUNGEISSUED] ");
	return answer_end(f->s, cmd);
}

int
cmd_fetch(struct session *s, const struct command *cmd)
{
	const struct fetch_args *args = &cmd->u.fetch;
	struct seqset set = seqset_copy(&args->set, s->arena);
	struct mailbox_msg *msg;
	struct progress progress;
	struct fetch f;
	size_t n;
	int err;

	if (args->wants_vanished && !s->is_qresync)
		return answer_bad(s, cmd, "QRESYNC is not enabled.");
	err = mailbox_resolve(s->mailbox, &set, cmd->is_uid, s->arena, &msg,
	    &n);
	if (err != 0)
		return answer_bad(s, cmd, "No message has that number.");
	if (args->has_modseq)
		condstore_enable(s);
	if (args->has_since)
		n = condstore_fetch(s, args, msg, n);
	fetch_init(&f, s, cmd);
	progress_start(&progress, s, cmd, n);
	if (has_fetch_only_flags(args))
		f.any_gone = fetch_flags(s, args, f.with_uid, msg, n) > 0;
	else
		for (size_t i = 0; i < n && err == 0; i++) {
			fetch_message(&f, &msg[i]);
			err = progress_check(&progress, i + 1);
		}
	flush_seen(&f);
	if (err == 0)
		err = fetch_answer(&f, cmd);
	fetch_done(&f);
	return err;
}
