/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * test_objectid.c: SHA-256, and the identifiers made with it, over a mailbox in
 * memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <time.h>

#include "base/buf.h"
#include "imapd/mailbox/mailbox.h"
#include "imapd/mailbox/objectid.h"
#include "imapd/mailbox/sha256.h"
#include "tests/unit/fake_maildir.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static void
expect(struct buf *b, const char *want)
{
	assert_int_equal(buf_err(b), 0);
	assert_string_equal(buf_cstr(b), want);
}

static void
check_sha256(struct span s, const char *want)
{
	uint8_t hash[SHA256_SIZE];
	char text[2 * SHA256_SIZE + 1];

	sha256(s, hash);
	for (size_t i = 0; i < SHA256_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", hash[i]);
	assert_string_equal(text, want);
}

/* The examples of FIPS 180, and the lengths at which the padding changes. */
static void
test_sha256(void **state)
{
	static const struct {
		size_t n;		/* times "a" */
		const char *hash;
	} rows[] = {
		{ 0, "e3b0c44298fc1c149afbf4c8996fb924"
		    "27ae41e4649b934ca495991b7852b855" },
		{ 55, "9f4390f8d30c2dd92ec9f095b65e2b9a"
		    "e9b0a925a5258e241c9f1e910f734318" },
		{ 56, "b35439a4ac6f0948b6d6f9e3c6af0f5f"
		    "590ce20f1bde7090ef7970686ec6738a" },
		{ 63, "7d3e74a05d7db15bce4ad9ec0658ea98"
		    "e3f06eeecf16b4c6fff2da457ddc2f34" },
		{ 64, "ffe054fe7ae0cb6dc65c3af9b61d5209"
		    "f439851db43d0ba5997337df154668eb" },
		{ 65, "635361c48bb9eab14198e76ea8ab7f1a"
		    "41685d6ad62aa9146d301d4f17eb0ae0" },
		{ 119, "31eba51c313a5c08226adf18d4a359cf"
		    "dfd8d2e816b13f4af952f7ea6584dcfb" },
		{ 120, "2f3d335432c70b580af0e8e1b3674a7c"
		    "020d683aa5f73aaaedfdc55af904c21c" },
		{ 1000000, "cdc76e5c9914fb9281a1c7e284d73e67"
		    "f1809a48a497200e046d39ccc7112cd0" }
	};
	struct buf b;

	(void)state;
	check_sha256(SPAN("abc"),
	    "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad");
	buf_init(&b, 1000000);
	for (size_t i = 0; i < COUNT(rows); i++) {
		while (b.n < rows[i].n)
			buf_putc(&b, 'a');
		check_sha256(buf_span(&b), rows[i].hash);
	}
	buf_done(&b);
}

static void
test_mailbox_id(void **state)
{
	static const uint8_t guid[16] = { 0x01, 0xFF, 0xA0, 0x0B, 4, 5, 6, 7,
	    8, 9, 10, 11, 12, 13, 14, 15 };
	struct buf b;

	(void)state;
	buf_init(&b, OBJECTID_SIZE);
	objectid_mailbox(guid, &b);
	expect(&b, "F01ffa00b0405060708090a0b0c0d0e0f");
	buf_done(&b);
}

/* ---- of messages ----------------------------------------------------- */

static struct mailbox *
open_inbox(void)
{
	struct span inbox = SPAN("INBOX");
	struct maildir_path path = { &inbox, 1 };
	struct mailbox *mb;

	assert_int_equal(mailbox_open(NULL, &path, false, &mb), 0);
	return mb;
}

#define ROOT	"T1ab2165f3893136409c0031bd63ed860"
#define OWN	"T6274663db063901efff54fea9f675273"
#define PARENT	"T636c6958fd0e9fc28328d1333070b69b"
#define GUID_1	"Tc1ce8282f097d63fd8eb33f7daba41a7"

static bool
is_match(struct mailbox *mb, bool is_thread, const char *id)
{
	bool is = false;

	assert_int_equal(objectid_match(mailbox_store(mb), mailbox_view(mb),
	    1, is_thread, span_str(id), &is), 0);
	return is;
}

/* Which identifier a message's thread is called by. */
static void
test_thread_id(void **state)
{
	static const struct {
		const char *header, *id;
	} rows[] = {
		{ "Message-ID: <own@x>\n", OWN },
		{ "Message-ID: \n <own@x> (comment)\n", OWN },
		{ "Message-ID: <\"own\"@x>\n", OWN },
		{ "Message-ID: <own@x>\nReferences: <root@x>\n\t<parent@x>\n"
		    "In-Reply-To: <parent@x>\n", ROOT },
		{ "Message-ID: <own@x>\nIn-Reply-To: <parent@x>\n", PARENT },
		{ "Message-ID: <own@x>\nReferences: none\n"
		    "In-Reply-To: <parent@x> (Anna's message) <a@x>\n",
		    PARENT },
		{ "Message-ID: <own@x>\nIn-Reply-To: Message from Anna <a@x>\n"
		    "   of \"Fri, 1 Mar 2024.\" <parent@x>\n", PARENT },
		{ "Message-ID: <own@x>\nIn-Reply-To: your letter\n", OWN },
		{ "References: <> <root@x>\n", ROOT },
		{ "Subject: x\n", GUID_1 },
		{ "Message-ID: own@x\n", GUID_1 }, { "", GUID_1 }
	};
	struct buf b, text;

	(void)state;
	buf_init(&b, 100);
	buf_init(&text, 1000);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mailbox *mb;

		buf_clear(&text);
		buf_clear(&b);
		buf_puts(&text, rows[i].header);
		buf_puts(&text, "\nbody <root@x>\n");
		fake_add(&fake, 1, 0, buf_span(&text));
		mb = open_inbox();
		assert_int_equal(objectid_thread(mailbox_store(mb),
		    mailbox_view(mb), 1, &b), 0);
		expect(&b, rows[i].id);
		assert_true(is_match(mb, true, rows[i].id));
		assert_false(is_match(mb, false, rows[i].id));
		assert_false(is_match(mb, true, "T"));
		mailbox_close(mb);
		fake_clear(&fake);
	}
	buf_done(&b);
	buf_done(&text);
}

static void
test_no_message(void **state)
{
	struct mailbox *mb;
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	fake_add(&fake, 1, 0, SPAN("A: b\n\n"))->open_err = ERR_IO;
	mb = open_inbox();
	assert_int_equal(objectid_email(mailbox_store(mb), 2, &b), ERR_GONE);
	assert_int_equal(objectid_thread(mailbox_store(mb), mailbox_view(mb),
	    2, &b), ERR_GONE);
	assert_int_equal(objectid_thread(mailbox_store(mb), mailbox_view(mb),
	    1, &b), ERR_IO);
	assert_int_equal(b.n, 0);
	assert_int_equal(objectid_email(mailbox_store(mb), 1, &b), 0);
	expect(&b, "Mc1ce8282f097d63fd8eb33f7daba41a7");
	assert_true(is_match(mb, false, "Mc1ce8282f097d63fd8eb33f7daba41a7"));
	mailbox_close(mb);
	fake_clear(&fake);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_mailbox_id),
		cmocka_unit_test(test_thread_id),
		cmocka_unit_test(test_no_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
