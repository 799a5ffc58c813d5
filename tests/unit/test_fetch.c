/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * test_fetch.c: FETCH and SEARCH from the text of the command to the bytes of
 * the answer, over a mailbox in memory.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/deadline.h"
#include "base/span.h"
#include "maildir/maildir.h"
#include "imapd/wire/command.h"
#include "imapd/wire/parse.h"
#include "imapd/wire/wire_out.h"
#include "imapd/mailbox/mailbox.h"
#include "imapd/command/commands.h"
#include "imapd/command/session_state.h"
#include "tests/unit/fake_maildir.h"

/* ---- a session whose client is a buffer ------------------------------- */

struct world {
	struct session s;
	struct session_start start;
	struct buf sent;
	size_t accept;		/* bytes the client still takes */
};

static int
sink(void *cookie, struct span s, struct deadline d, size_t *ret_n)
{
	struct world *w = cookie;

	(void)d;
	if (w->accept == 0)
		return ERR_EOF;
	s = span_take(s, w->accept);
	if (w->accept != SIZE_MAX)
		w->accept -= s.n;
	buf_put_span(&w->sent, s);
	*ret_n = s.n;
	return 0;
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	setenv("TZ", "UTC", 1);
	tzset();
	fake_clear(&fake);
	buf_init(&w->sent, 256 * 1024 * 1024);
	w->accept = SIZE_MAX;
	w->start.fd_in = w->start.fd_out = -1;
	w->start.user = "test";
	w->s.start = &w->start;
	w->s.out = wire_out_new((struct wire_sink){ sink, w }, 1000);
	w->s.arena = arena_new(4096);
	w->s.progress_ms = 100000;
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	mailbox_close(w->s.mailbox);
	wire_out_free(w->s.out);
	arena_free(w->s.arena);
	buf_done(&w->sent);
	fake_clear(&fake);
	free(w);
	return 0;
}

static void
open_mailbox(struct world *w)
{
	struct span inbox = SPAN("INBOX");
	struct maildir_path path = { &inbox, 1 };

	assert_int_equal(mailbox_open(NULL, &path, fake.is_readonly,
	    &w->s.mailbox), 0);
	mailbox_announce(w->s.mailbox, w->s.out);
}

/* Run a command line; what the server said, with a NUL behind it. */
static const char *
run(struct world *w, const char *line)
{
	struct parse_result res;
	struct command cmd;

	if (w->s.mailbox == NULL)
		open_mailbox(w);
	(void)!wire_out_flush(w->s.out);
	buf_clear(&w->sent);
	arena_clear(w->s.arena);
	memset(&cmd, 0, sizeof(cmd));
	parse_command(span_str(line), w->s.arena, &cmd, &res);
	if (res.outcome != PARSE_DONE)
		fail_msg("%s: %s", line, res.err_text);
	switch (cmd.id) {
	case CMD_FETCH:
	case CMD_UID_FETCH:
		(void)!cmd_fetch(&w->s, &cmd);
		break;
	case CMD_SEARCH:
	case CMD_UID_SEARCH:
		(void)!cmd_search(&w->s, &cmd);
		break;
	default:
		fail_msg("%s: not for this test", line);
	}
	(void)!wire_out_flush(w->s.out);
	buf_putc(&w->sent, 0);
	return (const char *)w->sent.p;
}

#define CHECK(w, line, want)	assert_string_equal(run(w, line), want)

static struct fake_msg *
add(uint32_t uid, uint32_t sys, const char *text)
{
	return fake_add(&fake, uid, sys, span_str(text));
}

/* ---- messages ---------------------------------------------------------- */

#define SIMPLE \
	"From: Alice <alice@example.org>\n" \
	"To: bob@example.net\n" \
	"Subject: simple\n" \
	"Date: Mon, 5 Feb 2024 10:11:12 +0100\n" \
	"\n" \
	"line one\n" \
	"line two\n"

#define PARTS \
	"Subject: parts\n" \
	"Content-Type: multipart/mixed; boundary=xx\n" \
	"\n" \
	"--xx\n" \
	"\n" \
	"first\n" \
	"--xx\n" \
	"Content-Type: message/rfc822\n" \
	"\n" \
	"Subject: inner\n" \
	"\n" \
	"inner text\n" \
	"--xx\n" \
	"Content-Type: application/octet-stream\n" \
	"Content-Transfer-Encoding: base64\n" \
	"\n" \
	"AGFiYw==\n" \
	"--xx--\n"

/* ---- FETCH ------------------------------------------------------------- */

static void
test_flags(void **state)
{
	struct world *w = *state;

	add(3, MAILDIR_SEEN, SIMPLE);
	add(5, 0, SIMPLE)->msg.flags.kw = 2;
	add(9, MAILDIR_SEEN | MAILDIR_DELETED, SIMPLE);
	fake.keyword[0] = "zero";
	fake.keyword[1] = "$Label1";
	CHECK(w, "a FETCH 1:* FLAGS",
	    "* 1 FETCH (FLAGS (\\Seen))\r\n"
	    "* 2 FETCH (FLAGS ($Label1))\r\n"
	    "* 3 FETCH (FLAGS (\\Deleted \\Seen))\r\n"
	    "a OK FETCH completed.\r\n");
	CHECK(w, "a UID FETCH 4:6,100 (FLAGS)",
	    "* 2 FETCH (UID 5 FLAGS ($Label1))\r\n"
	    "a OK UID FETCH completed.\r\n");
	CHECK(w, "a FETCH 2 (FLAGS UID)",
	    "* 2 FETCH (UID 5 FLAGS ($Label1))\r\n"
	    "a OK FETCH completed.\r\n");
	CHECK(w, "a UID FETCH 6 FLAGS", "a OK UID FETCH completed.\r\n");
	CHECK(w, "a FETCH 4 FLAGS", "a BAD No message has that number.\r\n");
	assert_int_equal(fake.opened, 0);
}

static void
test_whole(void **state)
{
	struct world *w = *state;

	add(1, MAILDIR_SEEN, "A: b\n\nx\ny\n")->date = 86400 * 31;
	CHECK(w, "a FETCH 1 (RFC822.SIZE BODY.PEEK[] INTERNALDATE)",
	    "* 1 FETCH (RFC822.SIZE 14 BODY[] {14}\r\n"
	    "A: b\r\n\r\nx\r\ny\r\n"
	    " INTERNALDATE \"01-Feb-1970 00:00:00 +0000\")\r\n"
	    "a OK FETCH completed.\r\n");
	assert_int_equal(fake.opened, 1);
	CHECK(w, "a FETCH 1 (RFC822 RFC822.HEADER RFC822.TEXT)",
	    "* 1 FETCH (RFC822 {14}\r\nA: b\r\n\r\nx\r\ny\r\n"
	    " RFC822.HEADER {8}\r\nA: b\r\n\r\n"
	    " RFC822.TEXT {6}\r\nx\r\ny\r\n)\r\n"
	    "a OK FETCH completed.\r\n");
}

static void
test_crlf_stored(void **state)
{
	struct world *w = *state;

	add(1, MAILDIR_SEEN, "A: b\r\n\r\nx\r\ny\n");
	CHECK(w, "a FETCH 1 (RFC822.SIZE BODY[])",
	    "* 1 FETCH (RFC822.SIZE 14 BODY[] {14}\r\n"
	    "A: b\r\n\r\nx\r\ny\r\n)\r\n"
	    "a OK FETCH completed.\r\n");
}

static void
test_partial(void **state)
{
	struct world *w = *state;

	add(1, MAILDIR_SEEN, "A: b\n\nx\ny\n");
	CHECK(w, "a FETCH 1 BODY[]<0.5>",
	    "* 1 FETCH (BODY[]<0> {5}\r\nA: b\r)\r\n"
	    "a OK FETCH completed.\r\n");
	CHECK(w, "a FETCH 1 BODY[]<5.4>",
	    "* 1 FETCH (BODY[]<5> {4}\r\n\n\r\nx)\r\n"
	    "a OK FETCH completed.\r\n");
	CHECK(w, "a FETCH 1 BODY[]<12.100>",
	    "* 1 FETCH (BODY[]<12> {2}\r\n\r\n)\r\n"
	    "a OK FETCH completed.\r\n");
	CHECK(w, "a FETCH 1 (BODY[]<14.1> BODY[TEXT]<99.1>)",
	    "* 1 FETCH (BODY[]<14> \"\" BODY[TEXT]<99> \"\")\r\n"
	    "a OK FETCH completed.\r\n");
}

static void
test_seen(void **state)
{
	struct world *w = *state;

	add(1, 0, SIMPLE);
	add(2, 0, SIMPLE);
	CHECK(w, "a FETCH 1 BODY.PEEK[TEXT]",
	    "* 1 FETCH (BODY[TEXT] {20}\r\nline one\r\nline two\r\n)\r\n"
	    "a OK FETCH completed.\r\n");
	run(w, "a FETCH 1 (RFC822.HEADER BINARY.SIZE[1] BODYSTRUCTURE)");
	assert_int_equal(fake.v[0].msg.flags.sys, 0);
	CHECK(w, "a UID FETCH 1 BODY[TEXT]<0.4>",
	    "* 1 FETCH (UID 1 BODY[TEXT]<0> {4}\r\nline FLAGS (\\Seen))\r\n"
	    "a OK UID FETCH completed.\r\n");
	assert_int_equal(fake.v[0].msg.flags.sys, MAILDIR_SEEN);
	CHECK(w, "a FETCH 1:2 (FLAGS BODY[TEXT]<0.4>)",
	    "* 1 FETCH (FLAGS (\\Seen) BODY[TEXT]<0> {4}\r\nline)\r\n"
	    "* 2 FETCH (FLAGS (\\Seen) BODY[TEXT]<0> {4}\r\nline)\r\n"
	    "a OK FETCH completed.\r\n");
	assert_int_equal(fake.v[1].msg.flags.sys, MAILDIR_SEEN);
}

/* The store refuses: the client hears how it really is. */
static void
test_seen_refused(void **state)
{
	struct world *w = *state;

	add(1, 0, "A: b\n\nx\n");
	fake.store_err = ERR_READONLY;
	CHECK(w, "a FETCH 1 BODY[TEXT]",
	    "* 1 FETCH (BODY[TEXT] {3}\r\nx\r\n FLAGS (\\Seen))\r\n"
	    "* 1 FETCH (FLAGS ())\r\n"
	    "a OK FETCH completed.\r\n");
}

static void
test_examine(void **state)
{
	struct world *w = *state;

	add(1, 0, "A: b\n\nx\n");
	fake.is_readonly = true;
	CHECK(w, "a FETCH 1 BODY[TEXT]",
	    "* 1 FETCH (BODY[TEXT] {3}\r\nx\r\n)\r\n"
	    "a OK FETCH completed.\r\n");
	assert_int_equal(fake.v[0].msg.flags.sys, 0);
}

static void
test_parts(void **state)
{
	struct world *w = *state;

	add(1, MAILDIR_SEEN, PARTS);
	CHECK(w, "a FETCH 1 (BODY[1] BODY[2.HEADER] BODY[2.TEXT] BODY[2.1] "
	    "BODY[2.MIME] BODY[3] BODY[4] BODY[1.HEADER] BODY[2.1.1.1])",
	    "* 1 FETCH (BODY[1] {5}\r\nfirst"
	    " BODY[2.HEADER] {18}\r\nSubject: inner\r\n\r\n"
	    " BODY[2.TEXT] {10}\r\ninner text"
	    " BODY[2.1] {10}\r\ninner text"
	    " BODY[2.MIME] {32}\r\nContent-Type: message/rfc822\r\n\r\n"
	    " BODY[3] {8}\r\nAGFiYw=="
	    " BODY[4] NIL BODY[1.HEADER] NIL BODY[2.1.1.1] NIL)\r\n"
	    "a OK FETCH completed.\r\n");
}

/* What the kinds of mail become is in test_message_preview. */
static void
test_preview(void **state)
{
	struct world *w = *state;
	struct fake_msg *m;

	add(1, 0, PARTS);
	add(2, 0, "Subject: x\nContent-Type: text/plain; charset=utf-8\n\n"
	    "Gr\xc3\xbc\xc3\x9f" "e\n-- \nA\n");
	add(3, 0, "Subject: x\nContent-Type: image/png\n\nabc\n");
	m = add(4, 0, "A: b\n\nx\n");
	m->open_err = ERR_ACCESS;
	CHECK(w, "a FETCH 1:3 (PREVIEW UID)",
	    "* 1 FETCH (UID 1 PREVIEW \"first\")\r\n"
	    "* 2 FETCH (UID 2 PREVIEW {7}\r\nGr\xc3\xbc\xc3\x9f" "e)\r\n"
	    "* 3 FETCH (UID 3 PREVIEW \"\")\r\n"
	    "a OK FETCH completed.\r\n");
	assert_int_equal(fake.v[0].msg.flags.sys, 0);
	fake.opened = 0;
	CHECK(w, "a FETCH 1 (PREVIEW (LAZY))",
	    "* 1 FETCH (PREVIEW NIL)\r\na OK FETCH completed.\r\n");
	assert_int_equal(fake.opened, 0);
	w->s.is_utf8 = true;
	CHECK(w, "a FETCH 2 PREVIEW",
	    "* 2 FETCH (PREVIEW \"Gr\xc3\xbc\xc3\x9f" "e\")\r\n"
	    "a OK FETCH completed.\r\n");
	/* NIL would be an answer to LAZY only (RFC 8970 3.2). */
	assert_non_null(strstr(run(w, "a FETCH 4 PREVIEW"),
	    "* 4 FETCH (PREVIEW \"\")\r\na NO "));
}

/* The text of a large message is found without reading all of it; and behind
 * a large attachment, too. */
static void
test_preview_large(void **state)
{
	struct world *w = *state;
	struct buf b;

	for (int has_text = 1; has_text >= 0; has_text--) {
		fake_clear(&fake);
		mailbox_close(w->s.mailbox);
		w->s.mailbox = NULL;
		buf_init(&b, 4 * 1024 * 1024);
		buf_puts(&b, "Content-Type: multipart/mixed; boundary=x\n\n");
		if (has_text)
			buf_puts(&b, "--x\n\nfirst\n");
		buf_puts(&b, "--x\nContent-Type: image/png\n\n");
		while (b.n < 3 * 1024 * 1024)
			buf_puts(&b, "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCA\n");
		buf_puts(&b, "--x\n\nlast\n--x--\n");
		fake_add(&fake, 1, 0, buf_span(&b));
		CHECK(w, "a FETCH 1 PREVIEW", has_text ?
		    "* 1 FETCH (PREVIEW \"first\")\r\n"
		    "a OK FETCH completed.\r\n" :
		    "* 1 FETCH (PREVIEW \"last\")\r\n"
		    "a OK FETCH completed.\r\n");
		if (has_text)
			assert_in_range(fake.read, 1, 300 * 1024);
		buf_done(&b);
	}
	fake_clear(&fake);
}

static void
test_save_date(void **state)
{
	struct world *w = *state;

	add(1, 0, SIMPLE)->date = 86400 * 31;
	CHECK(w, "a FETCH 1 SAVEDATE",
	    "* 1 FETCH (SAVEDATE \"01-Feb-1970 00:00:00 +0000\")\r\n"
	    "a OK FETCH completed.\r\n");
	assert_int_equal(fake.opened, 0);
}

/* "M" and "T" with the SHA-256 of "guid-1", "root@x" and so on. */
static void
test_object_ids(void **state)
{
	struct world *w = *state;

	add(1, 0, "Message-ID: <root@x>\n\nx\n");
	add(2, 0, "Message-ID: <2@x>\nReferences: <root@x> <1@x>\n\nx\n");
	add(3, 0, SIMPLE)->open_err = ERR_ACCESS;
	CHECK(w, "a FETCH 1:3 EMAILID",
	    "* 1 FETCH (EMAILID (Mc1ce8282f097d63fd8eb33f7daba41a7))\r\n"
	    "* 2 FETCH (EMAILID (Mb0c6dedc61cecfc7297762f445ec6d4f))\r\n"
	    "* 3 FETCH (EMAILID (Me5a17b127cca7995d084c6f930a3a281))\r\n"
	    "a OK FETCH completed.\r\n");
	assert_int_equal(fake.opened, 0);
	CHECK(w, "a UID FETCH 1:2 (THREADID)",
	    "* 1 FETCH (UID 1 THREADID (T1ab2165f3893136409c0031bd63ed860))\r\n"
	    "* 2 FETCH (UID 2 THREADID (T1ab2165f3893136409c0031bd63ed860))\r\n"
	    "a OK UID FETCH completed.\r\n");
	assert_non_null(strstr(run(w, "a FETCH 3 THREADID"),
	    "* 3 FETCH (THREADID NIL)\r\na NO "));
}

static void
test_fields(void **state)
{
	struct world *w = *state;

	add(1, MAILDIR_SEEN, SIMPLE);
	CHECK(w, "a FETCH 1 BODY.PEEK[HEADER.FIELDS (subject X-none From)]",
	    "* 1 FETCH (BODY[HEADER.FIELDS (subject X-none From)] {52}\r\n"
	    "From: Alice <alice@example.org>\r\nSubject: simple\r\n\r\n)\r\n"
	    "a OK FETCH completed.\r\n");
	CHECK(w, "a FETCH 1 BODY.PEEK[HEADER.FIELDS.NOT (From To Date)]<2.5>",
	    "* 1 FETCH (BODY[HEADER.FIELDS.NOT (From To Date)]<2> {5}\r\n"
	    "bject)\r\n"
	    "a OK FETCH completed.\r\n");
}

static void
test_structure(void **state)
{
	struct world *w = *state;

	add(1, MAILDIR_SEEN, PARTS);
	add(2, MAILDIR_SEEN, SIMPLE);
	add(3, MAILDIR_SEEN, "Content-Type: multipart/mixed; boundary=x\n\n");
	CHECK(w, "a FETCH 1 BODY",
	    "* 1 FETCH (BODY ((\"text\" \"plain\" (\"charset\" \"us-ascii\") "
	    "NIL NIL \"7bit\" 5 0)(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" "
	    "28 (NIL \"inner\" NIL NIL NIL NIL NIL NIL NIL NIL) "
	    "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" "
	    "10 0) 2)(\"application\" \"octet-stream\" NIL NIL NIL \"base64\" "
	    "8) \"mixed\"))\r\n"
	    "a OK FETCH completed.\r\n");
	CHECK(w, "a FETCH 2 (BODYSTRUCTURE ENVELOPE)",
	    "* 2 FETCH (BODYSTRUCTURE (\"text\" \"plain\" (\"charset\" "
	    "\"us-ascii\") NIL NIL \"7bit\" 20 2 NIL NIL NIL NIL) ENVELOPE "
	    "(\"Mon, 5 Feb 2024 10:11:12 +0100\" \"simple\" "
	    "((\"Alice\" NIL \"alice\" \"example.org\")) "
	    "((\"Alice\" NIL \"alice\" \"example.org\")) "
	    "((\"Alice\" NIL \"alice\" \"example.org\")) "
	    "((NIL NIL \"bob\" \"example.net\")) NIL NIL NIL NIL))\r\n"
	    "a OK FETCH completed.\r\n");
	CHECK(w, "a FETCH 3 BODYSTRUCTURE",
	    "* 3 FETCH (BODYSTRUCTURE ((\"text\" \"plain\" (\"charset\" "
	    "\"us-ascii\") NIL NIL \"7bit\" 0 0 NIL NIL NIL NIL) \"mixed\" "
	    "(\"boundary\" \"x\") NIL NIL NIL))\r\n"
	    "a OK FETCH completed.\r\n");
}

static void
test_binary(void **state)
{
	struct world *w = *state;

	add(1, MAILDIR_SEEN, PARTS);
	CHECK(w, "a FETCH 1 (BINARY.SIZE[3] BINARY.PEEK[1])",
	    "* 1 FETCH (BINARY.SIZE[3] 4 BINARY[1] {5}\r\nfirst)\r\n"
	    "a OK FETCH completed.\r\n");
	run(w, "a FETCH 1 BINARY[3]<0.3>");
	assert_memory_equal(w->sent.p,
	    "* 1 FETCH (BINARY[3]<0> ~{3}\r\n\0ab)\r\n", 34);
	add(2, MAILDIR_SEEN, "Content-Type: application/x\n"
	    "Content-Transfer-Encoding: x-odd\n\nx\n");
	mailbox_close(w->s.mailbox);
	w->s.mailbox = NULL;
	CHECK(w, "a FETCH 2 BINARY[1]",
	    "* 2 FETCH (BINARY[1] NIL)\r\n"
	    "a NO [UNKNOWN-CTE] A part has an unknown transfer encoding.\r\n");
}

/* NUL in a part that is not encoded: RFC 3516 has a literal8 for it; elsewhere
 * it is served as 0x80. */
static void
test_binary_nul(void **state)
{
	static const char want[] = "* 1 FETCH (BINARY[1] ~{7}\r\na\0b\r\n\r\n"
	    " BINARY.SIZE[1] 7 BODY[1] {7}\r\na\x80" "b\r\n\r\n)\r\n";
	struct world *w = *state;

	(void)fake_add(&fake, 1, MAILDIR_SEEN, SPAN("A: b\n\na\0b\n\r\n"));
	run(w, "a FETCH 1 (BINARY.PEEK[1] BINARY.SIZE[1] BODY.PEEK[1])");
	assert_true(w->sent.n > sizeof(want) - 1);
	assert_memory_equal(w->sent.p, want, sizeof(want) - 1);
}

/* To a client of RFC 3501 a message/global is a part like any other (RFC 9755
 * B.2). */
static void
test_global(void **state)
{
	struct world *w = *state;

	add(1, MAILDIR_SEEN, "Content-Type: message/global\n\n"
	    "Subject: x\n\nb\n");
	CHECK(w, "a FETCH 1 (BODY BODY[1.HEADER])",
	    "* 1 FETCH (BODY (\"message\" \"global\" NIL NIL NIL \"7bit\" 17) "
	    "BODY[1.HEADER] {14}\r\nSubject: x\r\n\r\n)\r\n"
	    "a OK FETCH completed.\r\n");
	w->s.is_utf8 = true;
	CHECK(w, "a FETCH 1 BODY",
	    "* 1 FETCH (BODY (\"message\" \"global\" NIL NIL NIL \"7bit\" 17 "
	    "(NIL \"x\" NIL NIL NIL NIL NIL NIL NIL NIL) (\"text\" \"plain\" "
	    "(\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 1) 3))\r\n"
	    "a OK FETCH completed.\r\n");
}

/* What cannot be read never fails the range. */
static void
test_unreadable(void **state)
{
	struct world *w = *state;

	add(1, 0, "A: b\n\nx\n")->open_err = ERR_GONE;
	add(2, 0, "A: b\n\nx\n")->open_err = ERR_ACCESS;
	add(3, 0, "A: b\n\nx\n");
	CHECK(w, "a FETCH 1,3 (UID RFC822.SIZE BODY[TEXT])",
	    "* 1 FETCH (UID 1 BODY[TEXT] NIL)\r\n"
	    "* 3 FETCH (UID 3 RFC822.SIZE 11 BODY[TEXT] {3}\r\nx\r\n"
	    " FLAGS (\\Seen))\r\n"
	    "a OK [EXPUNGEISSUED] FETCH completed.\r\n");
	CHECK(w, "a FETCH 2:3 (RFC822.SIZE ENVELOPE BODY BODY[])",
	    "* 2 FETCH (RFC822.SIZE 0 ENVELOPE (NIL NIL NIL NIL NIL NIL NIL "
	    "NIL NIL NIL) BODY (\"text\" \"plain\" (\"charset\" \"us-ascii\") "
	    "NIL NIL \"7bit\" 0 0) BODY[] NIL)\r\n"
	    "* 3 FETCH (RFC822.SIZE 11 ENVELOPE (NIL NIL NIL NIL NIL NIL NIL "
	    "NIL NIL NIL) BODY (\"text\" \"plain\" (\"charset\" \"us-ascii\") "
	    "NIL NIL \"7bit\" 3 1) BODY[] {11}\r\nA: b\r\n\r\nx\r\n)\r\n"
	    "a NO [NOPERM] Permission denied.\r\n");
	assert_int_equal(fake.v[1].msg.flags.sys, 0);
}

/* ---- large messages ---------------------------------------------------- */

/* A message of n lines of 60 bytes, more than is kept in memory. */
static struct span
large(size_t n)
{
	static const char head[] = "Subject: large\n\n";
	size_t len = sizeof(head) - 1 + 60 * n;
	char *p = malloc(len);

	memcpy(p, head, sizeof(head) - 1);
	for (size_t i = 0; i < n; i++)
		(void)snprintf(p + sizeof(head) - 1 + 60 * i, 60, "%059zu", i);
	for (size_t i = 0; i < n; i++)
		p[sizeof(head) - 1 + 60 * i + 59] = '\n';
	return span_of(p, len);
}

static size_t
served_size(struct span s)
{
	size_t n = s.n;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n';
	return n;
}

/* Slices, one command each, give the same bytes as all at once, and do not
 * read the file anew each time. */
static void
test_slices(void **state)
{
	struct world *w = *state;
	struct span text = large(100000);
	size_t size = served_size(text), off = 0, slice = 70001;
	struct buf whole, slices;
	char line[100];
	uint64_t read;

	buf_init(&whole, 20000000);
	buf_init(&slices, 20000000);
	fake_add(&fake, 1, MAILDIR_SEEN, text);
	run(w, "a FETCH 1 BODY[]");
	buf_put(&whole, strstr((char *)w->sent.p, "}\r\n") + 3, size);
	read = fake.read;
	while (off < size) {
		size_t n = size - off < slice ? size - off : slice;

		(void)snprintf(line, sizeof(line), "a FETCH 1 BODY[]<%zu.%zu>",
		    off, slice);
		run(w, line);
		buf_put(&slices, strstr((char *)w->sent.p, "}\r\n") + 3, n);
		off += n;
	}
	assert_int_equal(slices.n, size);
	assert_memory_equal(whole.p, slices.p, size);
	/* Each slice: its own bytes, and a piece at either end. */
	assert_true(fake.read - read < 5 * text.n);
	buf_done(&whole);
	buf_done(&slices);
	free((void *)(uintptr_t)text.p);
}

/* Cut by somebody while it is sent: the literal keeps its length. */
static void
test_cut(void **state)
{
	struct world *w = *state;
	struct span text = large(50000);
	struct fake_msg *m = fake_add(&fake, 1, MAILDIR_SEEN, text);
	const char *p;
	char want[60];

	/* It is counted whole... */
	run(w, "a FETCH 1 RFC822.SIZE");
	/* ...and the view, which is kept, finds half of it when it sends. */
	m->cut_at = text.n / 2;
	run(w, "a FETCH 1 (BODY[] UID)");
	(void)snprintf(want, sizeof(want), "* 1 FETCH (UID 1 BODY[] {%zu}\r\n",
	    served_size(text));
	assert_memory_equal(w->sent.p, want, strlen(want));
	p = (const char *)w->sent.p + strlen(want) + served_size(text);
	assert_string_equal(p, ")\r\na NO A message was cut short by another "
	    "program while it was sent.\r\n");
	assert_memory_equal(p - 5, "     ", 5);
	free((void *)(uintptr_t)text.p);
}

/* A client that goes away ends the command, not the rest of the range. */
static void
test_client_gone(void **state)
{
	struct world *w = *state;
	struct span text = large(20000);

	for (uint32_t uid = 1; uid <= 50; uid++)
		fake_add(&fake, uid, MAILDIR_SEEN, text);
	open_mailbox(w);
	assert_int_equal(wire_out_flush(w->s.out), 0);
	w->accept = 100000;
	run(w, "a FETCH 1:* BODY[]");
	assert_true(fake.opened < 5);
	free((void *)(uintptr_t)text.p);
}

/* ---- SEARCH ------------------------------------------------------------ */

static void
fill_search(void)
{
	struct fake_msg *m;

	m = add(2, MAILDIR_SEEN, SIMPLE);
	m->date = 86400 * 10 + 3600;
	m = add(4, MAILDIR_FLAGGED, PARTS);
	m->date = 86400 * 20;
	m->msg.is_recent = true;
	m->msg.flags.kw = 1;
	m = add(6, MAILDIR_SEEN | MAILDIR_ANSWERED,
	    "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n"
	    "Date: Tue, 6 Feb 2024 00:30:00 +0900\n"
	    "Content-Type: text/plain; charset=iso-8859-1\n"
	    "Content-Transfer-Encoding: quoted-printable\n\n"
	    "=E9t=E9 et hi=\nver\n");
	m->date = 86400 * 30;
	fake.keyword[0] = "work";
}

static void
test_search_flags(void **state)
{
	struct world *w = *state;

	fill_search();
	CHECK(w, "a SEARCH ALL", "* SEARCH 1 2 3\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a UID SEARCH SEEN", "* SEARCH 2 6\r\n"
	    "a OK UID SEARCH completed.\r\n");
	CHECK(w, "a SEARCH DELETED", "* SEARCH\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH OR ANSWERED (RECENT KEYWORD Work)",
	    "* SEARCH 2 3\r\na OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH NOT (OR SEEN FLAGGED)", "* SEARCH\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH NOT NOT UNKEYWORD work", "* SEARCH 1 3\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH NEW", "* SEARCH 2\r\na OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH KEYWORD none", "* SEARCH\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH 2:* UID 1:4", "* SEARCH 2\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH 3,9", "* SEARCH 3\r\na OK SEARCH completed.\r\n");
	assert_int_equal(fake.opened, 0);
}

static void
test_search_dates(void **state)
{
	struct world *w = *state;

	fill_search();
	CHECK(w, "a SEARCH ON 11-Jan-1970", "* SEARCH 1\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH BEFORE 21-Jan-1970", "* SEARCH 1\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH SINCE 21-Jan-1970", "* SEARCH 2 3\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH SENTON 5-Feb-2024", "* SEARCH 1\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH SENTSINCE 6-Feb-2024", "* SEARCH 3\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH YOUNGER 100 ", "* SEARCH\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH OLDER 100", "* SEARCH 1 2 3\r\n"
	    "a OK SEARCH completed.\r\n");
}

static void
test_search_text(void **state)
{
	struct world *w = *state;

	fill_search();
	CHECK(w, "a SEARCH SUBJECT IMPL", "* SEARCH 1\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH CHARSET UTF-8 SUBJECT {7}\r\ngr\xc3\xbc\xc3\x9f" "E",
	    "* SEARCH 3\r\na OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH CHARSET ISO-8859-1 BODY {3}\r\n\xc9T\xc9",
	    "* SEARCH 3\r\na OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH BODY hiver", "* SEARCH 3\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH BODY \"inner text\"", "* SEARCH 2\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH BODY simple", "* SEARCH\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH TEXT simple", "* SEARCH 1\r\n"
	    "a OK SEARCH completed.\r\n");
	/* A field as it is written; the other's is encoded. */
	CHECK(w, "a SEARCH TEXT \"subject: simp\"", "* SEARCH 1\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH CHARSET UTF-8 TEXT \"subject: gr\xc3\xbc\"",
	    "* SEARCH 3\r\na OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH BODY AGFi", "* SEARCH\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH HEADER Date \"\"", "* SEARCH 1 3\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH CHARSET x-none ALL", "a NO [BADCHARSET (US-ASCII "
	    "UTF-8 ISO-8859-1 WINDOWS-1252)] This charset is not known.\r\n");
}

/* RFC 3501 6.4.4: a text of no characters is in all, whatever there is. */
static void
test_search_empty(void **state)
{
	struct world *w = *state;

	add(1, 0, "Content-Type: image/png\n\nx");
	add(2, 0, "Subject:\n\n");
	add(3, 0, "");
	CHECK(w, "a SEARCH BODY \"\"", "* SEARCH 1 2 3\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH TEXT {1}\r\n\r", "* SEARCH 1 2 3\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH SUBJECT \"\"", "* SEARCH 2\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH HEADER \"\" \"\"", "* SEARCH\r\n"
	    "a OK SEARCH completed.\r\n");
}

static void
test_search_cheap_first(void **state)
{
	struct world *w = *state;

	fill_search();
	CHECK(w, "a SEARCH BODY one SUBJECT simple UNSEEN", "* SEARCH\r\n"
	    "a OK SEARCH completed.\r\n");
	assert_int_equal(fake.opened, 1);	/* message 2 is unseen */
	CHECK(w, "a SEARCH OR BODY \"inner text\" SEEN FLAGGED",
	    "* SEARCH 2\r\na OK SEARCH completed.\r\n");
	assert_int_equal(fake.opened, 2);	/* nor is any other flagged */
}

static void
test_search_size(void **state)
{
	struct world *w = *state;

	add(1, 0, "A: b\n\nx\ny\n");	/* 10 bytes stored, 14 served */
	CHECK(w, "a SEARCH LARGER 13", "* SEARCH 1\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH LARGER 14", "* SEARCH\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH SMALLER 15", "* SEARCH 1\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH SMALLER 14", "* SEARCH\r\n"
	    "a OK SEARCH completed.\r\n");
}

static void
test_esearch(void **state)
{
	struct world *w = *state;

	fill_search();
	CHECK(w, "a UID SEARCH RETURN (MIN MAX COUNT ALL) ALL",
	    "* ESEARCH (TAG \"a\") UID MIN 2 MAX 6 ALL 2,4,6 COUNT 3\r\n"
	    "a OK UID SEARCH completed.\r\n");
	CHECK(w, "a SEARCH RETURN () 1:2",
	    "* ESEARCH (TAG \"a\") ALL 1:2\r\na OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH RETURN (MIN COUNT) DELETED",
	    "* ESEARCH (TAG \"a\") COUNT 0\r\na OK SEARCH completed.\r\n");
	CHECK(w, "a UID SEARCH RETURN (MIN) SEEN",
	    "* ESEARCH (TAG \"a\") UID MIN 2\r\n"
	    "a OK UID SEARCH completed.\r\n");
	CHECK(w, "a UID SEARCH RETURN (MAX) NOT ANSWERED",
	    "* ESEARCH (TAG \"a\") UID MAX 4\r\n"
	    "a OK UID SEARCH completed.\r\n");
	CHECK(w, "a SEARCH RETURN (SAVE) SEEN", "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH $ ANSWERED", "* SEARCH 3\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a UID SEARCH UID $", "* SEARCH 2 6\r\n"
	    "a OK UID SEARCH completed.\r\n");
	CHECK(w, "a SEARCH RETURN (SAVE MAX) SEEN",
	    "* ESEARCH (TAG \"a\") MAX 3\r\na OK SEARCH completed.\r\n");
	CHECK(w, "a FETCH $ UID",
	    "* 3 FETCH (UID 6)\r\na OK FETCH completed.\r\n");
}

static void
test_search_gone(void **state)
{
	struct world *w = *state;

	fill_search();
	fake.v[0].open_err = ERR_GONE;
	CHECK(w, "a SEARCH SUBJECT s", "* SEARCH 2\r\n"
	    "a OK [EXPUNGEISSUED] SEARCH completed.\r\n");
}

/* RFC 9585: between messages, never behind the last; no tag with "]". */
static void
test_progress(void **state)
{
	struct world *w = *state;

	fill_search();
	w->s.progress_ms = 0;
	CHECK(w, "a SEARCH BODY nowhere",
	    "* OK [INPROGRESS (\"a\" 1 3)] 33% is done.\r\n"
	    "* OK [INPROGRESS (\"a\" 2 3)] 66% is done.\r\n"
	    "* SEARCH\r\na OK SEARCH completed.\r\n");
	CHECK(w, "a]b FETCH 1:2 RFC822.SIZE",
	    "* 1 FETCH (RFC822.SIZE 131)\r\n"
	    "* OK [INPROGRESS (NIL 1 2)] 50% is done.\r\n"
	    "* 2 FETCH (RFC822.SIZE 246)\r\n"
	    "a]b OK FETCH completed.\r\n");
	/* What is in memory is not worth a word. */
	CHECK(w, "a SEARCH SEEN", "* SEARCH 1 3\r\n"
	    "a OK SEARCH completed.\r\n");
}

/* SEARCH of n times open, then "SEEN", then n times close. */
static const char *
run_nested(struct world *w, const char *open, const char *close, int n)
{
	const char *sent;
	struct buf b;

	buf_init(&b, 64 * 1024 * 1024);
	buf_puts(&b, "a SEARCH ");
	for (int i = 0; i < n; i++)
		buf_puts(&b, open);
	buf_puts(&b, "SEEN");
	for (int i = 0; i < n; i++)
		buf_puts(&b, close);
	sent = run(w, buf_cstr(&b));
	buf_done(&b);
	return sent;
}

/* There is no depth and no length that a stack or a square would show. */
static void
test_search_deep(void **state)
{
	struct world *w = *state;
	const char *seen = "* SEARCH 1 3\r\na OK SEARCH completed.\r\n";

	fill_search();
	assert_string_equal(run_nested(w, "NOT (OR DELETED ", ")", 100000),
	    seen);
	assert_string_equal(run_nested(w, "(OR (DELETED 9) ", ")", 100000),
	    seen);
	assert_string_equal(run_nested(w, "OR DELETED ", "", 100000), seen);
	assert_string_equal(run_nested(w, "OR ", " DRAFT", 100000), seen);
	assert_string_equal(run_nested(w, "1:3 ", "", 100000), seen);
	assert_string_equal(run_nested(w, "UNDELETED ", "", 100000), seen);
	/* Keys with a text hold no more than that between messages. */
	assert_string_equal(run_nested(w, "OR SUBJECT nowhere ", "", 100000),
	    seen);
	assert_string_equal(run_nested(w, "OR BODY nowhere ", "", 20000),
	    seen);
}

/* Sets of megabytes, the wrong way round, with ranges that overlap. */
static void
test_search_sets(void **state)
{
	struct world *w = *state;
	struct buf b;

	fill_search();
	buf_init(&b, 16 * 1024 * 1024);
	buf_puts(&b, "a SEARCH UID ");
	for (uint64_t i = 1000000; i > 4; i -= 4) {
		buf_put_u64(&b, i + 4);
		buf_putc(&b, ':');
		buf_put_u64(&b, i);
		buf_putc(&b, ',');
	}
	buf_puts(&b, "4 3:*,1,2");
	assert_true(b.n > 3 * 1024 * 1024);
	CHECK(w, buf_cstr(&b), "* SEARCH 2\r\na OK SEARCH completed.\r\n");
	buf_done(&b);
}

static void
test_search_modseq(void **state)
{
	struct world *w = *state;

	fill_search();
	fake.v[0].msg.modseq = 7;
	fake.v[1].msg.modseq = 9;
	fake.v[2].msg.modseq = 8;
	CHECK(w, "a SEARCH MODSEQ 8",
	    "* OK [HIGHESTMODSEQ 1] Highest mod-sequence.\r\n"
	    "* SEARCH 2 3 (MODSEQ 9)\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH OR MODSEQ 10 SEEN", "* SEARCH 1 3 (MODSEQ 8)\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH MODSEQ \"/flags/\\\\Seen\" all 10", "* SEARCH\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH RETURN (ALL) MODSEQ 0",
	    "* ESEARCH (TAG \"a\") ALL 1:3 MODSEQ 9\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH RETURN (MIN) MODSEQ 0",
	    "* ESEARCH (TAG \"a\") MIN 1 MODSEQ 7\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH RETURN (MAX) MODSEQ 0",
	    "* ESEARCH (TAG \"a\") MAX 3 MODSEQ 8\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH RETURN (MIN MAX) MODSEQ 0",
	    "* ESEARCH (TAG \"a\") MIN 1 MAX 3 MODSEQ 8\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH RETURN (COUNT MIN) MODSEQ 0",
	    "* ESEARCH (TAG \"a\") MIN 1 COUNT 3 MODSEQ 9\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH RETURN (COUNT) MODSEQ 10",
	    "* ESEARCH (TAG \"a\") COUNT 0\r\n"
	    "a OK SEARCH completed.\r\n");
	assert_int_equal(fake.opened, 0);
}

/* RFC 8514 4.3: the day a message came into this mailbox. */
static void
test_search_saved(void **state)
{
	struct world *w = *state;

	fill_search();
	fake.v[0].saved = 86400 * 40 + 86399;
	fake.v[1].saved = 86400 * 41;
	fake.v[2].saved = 86400 * 42;
	CHECK(w, "a SEARCH SAVEDBEFORE 11-Feb-1970", "* SEARCH 1\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH SAVEDON 11-Feb-1970", "* SEARCH 2\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH SAVEDSINCE 11-Feb-1970", "* SEARCH 2 3\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH SAVEDATESUPPORTED", "* SEARCH 1 2 3\r\n"
	    "a OK SEARCH completed.\r\n");
	CHECK(w, "a SEARCH NOT SAVEDATESUPPORTED", "* SEARCH\r\n"
	    "a OK SEARCH completed.\r\n");
}

int
main(void)
{
#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_flags),
		TEST(test_whole),
		TEST(test_crlf_stored),
		TEST(test_partial),
		TEST(test_seen),
		TEST(test_seen_refused),
		TEST(test_examine),
		TEST(test_parts),
		TEST(test_preview),
		TEST(test_preview_large),
		TEST(test_save_date),
		TEST(test_object_ids),
		TEST(test_fields),
		TEST(test_structure),
		TEST(test_binary),
		TEST(test_binary_nul),
		TEST(test_global),
		TEST(test_unreadable),
		TEST(test_slices),
		TEST(test_cut),
		TEST(test_client_gone),
		TEST(test_search_flags),
		TEST(test_search_dates),
		TEST(test_search_text),
		TEST(test_search_empty),
		TEST(test_search_cheap_first),
		TEST(test_search_size),
		TEST(test_esearch),
		TEST(test_search_gone),
		TEST(test_progress),
		TEST(test_search_deep),
		TEST(test_search_sets),
		TEST(test_search_modseq),
		TEST(test_search_saved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
