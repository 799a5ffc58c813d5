/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * fuzz_fetch.c: any bytes as a message, through FETCH and SEARCH.  Whatever the
 * message is, the answer is well-formed, RFC822.SIZE is the length of BODY[],
 * header and text make up the whole, and a slice is a slice of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/num.h"
#include "maildir/maildir.h"
#include "message/preview.h"
#include "imapd/wire/parse.h"
#include "imapd/wire/wire_out.h"
#include "imapd/mailbox/mailbox.h"
#include "imapd/mailbox/objectid.h"
#include "imapd/command/commands.h"
#include "imapd/command/progress.h"
#include "imapd/command/session_state.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/fake_maildir.h"

static struct session s;
static struct session_start start;
static struct buf sent;

static int
sink(void *cookie, struct span b, struct deadline d, size_t *ret_n)
{
	(void)cookie;
	(void)d;
	buf_put_span(&sent, b);
	*ret_n = b.n;
	return 0;
}

static void
fail(const char *why, struct span at)
{
	fprintf(stderr, "%s at: %.*s\nin: %.*s\n", why, (int)span_take(at,
	    200).n, (const char *)at.p, (int)sent.n, (const char *)sent.p);
	abort();
}

/* Run a command; what was said is in sent. */
static void
run(const char *line)
{
	struct parse_result res;
	struct command cmd;

	buf_clear(&sent);
	arena_clear(s.arena);
	parse_command(span_str(line), s.arena, &cmd, &res);
	if (res.outcome != PARSE_DONE)
		fail("not parsed", span_str(line));
	if ((cmd.id == CMD_FETCH ? cmd_fetch(&s, &cmd) :
	    cmd_search(&s, &cmd)) != 0 || wire_out_flush(s.out) != 0)
		fail("no answer", span_str(line));
}

static void
expect(struct span *rest, const char *text)
{
	if (!has_prefix(*rest, span_str(text)))
		fail(text, *rest);
	*rest = span_skip(*rest, strlen(text));
}

static uint64_t
take_number(struct span *rest)
{
	size_t n;
	uint64_t v = num_prefix(*rest, &n);

	if (n == 0)
		fail("number", *rest);
	*rest = span_skip(*rest, n);
	return v;
}

/* string = quoted / literal; and literal8 */
static struct span
take_string(struct span *rest)
{
	struct span text = span_skip(*rest, 1);
	uint64_t n;
	size_t i;

	if (has_prefix(*rest, SPAN("~")))
		*rest = span_skip(*rest, 1);
	if (has_prefix(*rest, SPAN("{"))) {
		*rest = span_skip(*rest, 1);
		n = take_number(rest);
		expect(rest, "}\r\n");
		if (n > rest->n)
			fail("short literal", *rest);
		text = span_take(*rest, (size_t)n);
		*rest = span_skip(*rest, (size_t)n);
		return text;
	}
	for (i = 0; i < text.n && text.p[i] != '"'; i++) {
		if (text.p[i] == '\\')
			i++;
		if (i == text.n || text.p[i] == '\r' || text.p[i] == '\n' ||
		    text.p[i] == 0 || text.p[i] >= 0x80)
			fail("bad quoted string", *rest);
	}
	if (i == text.n)
		fail("open quoted string", *rest);
	*rest = span_skip(text, i + 1);
	return span_take(text, i);
}

/* One value: a list of values, a string, NIL or a number. */
static void
take_value(struct span *rest)
{
	size_t depth = 0;

	do {
		if (rest->n == 0)
			fail("end", *rest);
		if (rest->p[0] == '(') {
			depth++;
			expect(rest, "(");
		} else if (rest->p[0] == ')') {
			if (depth-- == 0)
				fail("closed too often", *rest);
			expect(rest, ")");
		} else if (has_prefix(*rest, SPAN("NIL")))
			expect(rest, "NIL");
		else if (is_digit(rest->p[0]))
			(void)take_number(rest);
		else
			(void)take_string(rest);
		if (depth > 0 && has_prefix(*rest, SPAN(" ")))
			expect(rest, " ");
	} while (depth > 0);
}

/* A text: NIL is empty. */
static struct span
take_nstring(struct span *rest)
{
	if (!has_prefix(*rest, SPAN("NIL")))
		return take_string(rest);
	expect(rest, "NIL");
	return SPAN_NONE;
}

static void
check_items(void)
{
	struct span rest, whole, header, text;
	uint64_t size;

	run("a FETCH 1 (UID ENVELOPE BODY BODYSTRUCTURE PREVIEW THREADID "
	    "RFC822.SIZE BODY.PEEK[] BODY.PEEK[HEADER] BODY.PEEK[TEXT])");
	rest = buf_span(&sent);
	expect(&rest, "* 1 FETCH (UID 1 ENVELOPE ");
	take_value(&rest);
	expect(&rest, " BODY ");
	take_value(&rest);
	expect(&rest, " BODYSTRUCTURE ");
	take_value(&rest);
	expect(&rest, " PREVIEW ");
	if (take_string(&rest).n > PREVIEW_BYTES_MAX)
		fail("long preview", rest);
	expect(&rest, " THREADID (T");
	rest = span_skip(rest, OBJECTID_SIZE - 1);
	expect(&rest, ") RFC822.SIZE ");
	size = take_number(&rest);
	expect(&rest, " BODY[] ");
	whole = take_string(&rest);
	expect(&rest, " BODY[HEADER] ");
	header = take_string(&rest);
	expect(&rest, " BODY[TEXT] ");
	text = take_string(&rest);
	expect(&rest, ")\r\na OK FETCH completed.\r\n");
	if (whole.n != size || header.n + text.n != size ||
	    !has_prefix(whole, header) || !has_suffix(whole, text))
		fail("header and text are not the whole", whole);
}

/* Slices of a section, and the section. */
static void
check_slices(const char *section, size_t at, size_t len)
{
	char line[200];
	struct span rest, whole, slice;

	(void)snprintf(line, sizeof(line), "a FETCH 1 (BODY.PEEK[%s] "
	    "BODY.PEEK[%s]<%zu.%zu> BODY.PEEK[%s]<%zu.%zu>)", section,
	    section, at, len, section, at + len, len);
	run(line);
	rest = buf_span(&sent);
	rest = span_skip(rest, strlen("* 1 FETCH (BODY[] ") + strlen(section));
	whole = take_nstring(&rest);
	for (int i = 0; i < 2; i++, at += len) {
		(void)snprintf(line, sizeof(line), " BODY[%s]<%zu> ", section,
		    at);
		expect(&rest, line);
		slice = take_nstring(&rest);
		if (!is_span_eq(slice, span_take(span_skip(whole, at), len)))
			fail("not a slice", slice);
	}
	expect(&rest, ")\r\na OK FETCH completed.\r\n");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const section[] = { "", "HEADER", "TEXT", "1",
	    "1.MIME", "2", "1.1", "2.HEADER", "1.1.TEXT",
	    "HEADER.FIELDS (Subject To)", "HEADER.FIELDS.NOT (To)" };
	static const char *const search[] = { "BODY abc", "TEXT \"a b\"",
	    "SUBJECT x", "SENTON 1-Jan-2000", "LARGER 10",
	    "CHARSET UTF-8 NOT OR FROM \"\" TO {2+}\r\n\xc3\xa9" };
	struct span inbox = SPAN("INBOX");
	struct maildir_path path = { &inbox, 1 };
	char line[200];

	fake_clear(&fake);
	fake_add(&fake, 1, MAILDIR_SEEN, span_of(data, size));
	start.user = "fuzz";
	start.fd_in = start.fd_out = -1;
	s.start = &start;
	s.progress_ms = PROGRESS_MS;
	s.out = wire_out_new((struct wire_sink){ sink, NULL }, 1000);
	s.arena = arena_new(4096);
	buf_init(&sent, 256 * 1024 * 1024);
	if (mailbox_open(NULL, &path, false, &s.mailbox) != 0)
		abort();
	mailbox_announce(s.mailbox, s.out);
	(void)!wire_out_flush(s.out);

	check_items();
	for (size_t i = 0; i < sizeof(section) / sizeof(section[0]); i++)
		check_slices(section[i], size / 3, size % 17 + 1);
	run("a FETCH 1 (BINARY.SIZE[1] BINARY.PEEK[1] BINARY.PEEK[2]<1.5>)");
	for (size_t i = 0; i < sizeof(search) / sizeof(search[0]); i++) {
		(void)snprintf(line, sizeof(line), "a SEARCH %s", search[i]);
		run(line);
	}

	mailbox_close(s.mailbox);
	wire_out_free(s.out);
	arena_free(s.arena);
	buf_done(&sent);
	fake_clear(&fake);
	return 0;
}
