/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * test_mailbox.c: patterns, names, what a client is told when, and what is
 * announced to it.
 *
 * The store is a stand-in of a few lines (the maildir_ functions below), so
 * that each change is there exactly when the test says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "imapd/command/capability.h"
#include "imapd/mailbox/listmatch.h"
#include "imapd/mailbox/mailbox.h"
#include "imapd/mailbox/mailname.h"
#include "imapd/mailbox/msgview.h"
#include "imapd/mailbox/special.h"
#include "imapd/mailbox/uidvec.h"
#include "imapd/wire/reply.h"

/* ---- the store's stand-in -------------------------------------------- */

#define FAKE_MAX	64

struct maildir {
	struct maildir_msg msg[FAKE_MAX];
	size_t n;
	struct maildir_change change[FAKE_MAX];
	size_t nchanges;
	uint32_t uidnext;
	size_t keywords;
	uint64_t highest;
	uint64_t floor;			/* expunges after it are known: */
	uint32_t gone[FAKE_MAX];
	size_t ngone;
};

static struct maildir fake;

uint64_t
maildir_highestmodseq(const struct maildir *md)
{
	return md->highest;
}

int
maildir_vanished(struct maildir *md, uint64_t since, struct arena *arena,
    uint32_t **ret, size_t *ret_n)
{
	(void)arena;
	if (since < md->floor)
		return ERR_GONE;
	*ret = md->gone;
	*ret_n = md->ngone;
	return 0;
}

int
maildir_open(struct maildir_store *store, const struct maildir_path *path,
    bool is_readonly, struct maildir **ret)
{
	(void)store, (void)path, (void)is_readonly;
	*ret = &fake;
	return 0;
}

void
maildir_close(struct maildir *md)
{
	(void)md;
}

bool
is_maildir_readonly(const struct maildir *md)
{
	(void)md;
	return false;
}

uint32_t
maildir_uidvalidity(const struct maildir *md)
{
	(void)md;
	return 7;
}

uint32_t
maildir_uidnext(const struct maildir *md)
{
	return md->uidnext;
}

size_t
maildir_count(const struct maildir *md)
{
	return md->n;
}

void
maildir_get(const struct maildir *md, size_t i, struct maildir_msg *ret)
{
	assert_true(i < md->n);
	*ret = md->msg[i];
}

size_t
maildir_find(const struct maildir *md, uint32_t uid)
{
	size_t i = 0;

	while (i < md->n && md->msg[i].uid < uid)
		i++;
	return i;
}

void
maildir_uids(const struct maildir *md, size_t i, size_t n, uint32_t *ret)
{
	assert_true(i + n <= md->n);
	for (size_t k = 0; k < n; k++)
		ret[k] = md->msg[i + k].uid;
}

void
maildir_tally(const struct maildir *md, size_t from, struct maildir_tally *ret)
{
	struct maildir_tally t = { .first_recent = md->n,
	    .first_unseen = md->n };

	for (size_t i = md->n; i > from; i--) {
		const struct maildir_msg *m = &md->msg[i - 1];

		if (m->is_recent) {
			t.recent++;
			t.first_recent = i - 1;
		}
		if (!(m->flags.sys & MAILDIR_SEEN)) {
			t.unseen++;
			t.first_unseen = i - 1;
		}
	}
	*ret = t;
}

int
maildir_watch(struct maildir *md)
{
	(void)md;
	return -1;
}

int
maildir_check(const struct maildir *md)
{
	(void)md;
	return 0;
}

int
maildir_refresh(struct maildir *md, const struct maildir_change **ret,
    size_t *ret_n)
{
	*ret = md->change;
	*ret_n = md->nchanges;
	md->nchanges = 0;
	return 0;
}

size_t
maildir_keyword_count(const struct maildir *md)
{
	return md->keywords;
}

struct span
maildir_keyword_name(const struct maildir *md, size_t i)
{
	static const struct span name[] = { SPAN("$Forwarded"),
	    SPAN("a) EXISTS"), SPAN("a]b"), SPAN(""), SPAN("Junk") };

	assert_true(i < md->keywords);
	return name[i];
}

bool
has_maildir_keyword_room(const struct maildir *md)
{
	return md->keywords < 26;
}

bool
is_maildir_inbox(const struct maildir_path *path)
{
	return path->n == 1 && is_span_eq(path->level[0], SPAN("INBOX"));
}

/* Not of this test: the view of messages is fetch's. */
void
msgview_free(struct msgview *mv)
{
	(void)mv;
}

struct msgview *
msgview_new(struct maildir *md)
{
	(void)md;
	return NULL;
}

static void
fake_add(uint32_t uid, uint32_t sys, bool is_recent)
{
	fake.msg[fake.n++] = (struct maildir_msg){ uid, is_recent,
	    { sys, 0 }, 1 };
	fake.uidnext = uid + 1;
}

static void
fake_note(uint32_t uid, enum maildir_what what)
{
	fake.change[fake.nchanges++] = (struct maildir_change){ uid, what };
}

static void
fake_expunge(uint32_t uid)
{
	size_t i = maildir_find(&fake, uid);

	assert_true(i < fake.n && fake.msg[i].uid == uid);
	memmove(&fake.msg[i], &fake.msg[i + 1],
	    (fake.n - i - 1) * sizeof(fake.msg[0]));
	fake.n--;
}

/* ---- a client that collects what it is told -------------------------- */

static struct buf said;

static int
collect(void *cookie, struct span s, struct deadline d, size_t *ret_n)
{
	(void)cookie, (void)d;
	buf_put_span(&said, s);
	*ret_n = s.n;
	return 0;
}

struct client {
	struct mailbox *mb;
	struct wire_out *out;
	struct arena *arena;
};

static void
expect(struct client *c, const char *text)
{
	assert_int_equal(wire_out_flush(c->out), 0);
	buf_putc(&said, '\0');
	assert_string_equal((const char *)said.p, text);
	buf_clear(&said);
}

static struct client
client_open(bool is_readonly)
{
	const struct span inbox = SPAN("INBOX");
	const struct maildir_path path = { &inbox, 1 };
	struct client c;

	buf_init(&said, 1 << 20);
	c.out = wire_out_new((struct wire_sink){ collect, NULL }, 1000);
	c.arena = arena_new(4096);
	assert_int_equal(mailbox_open(NULL, &path, is_readonly, &c.mb), 0);
	return c;
}

static void
client_close(struct client *c)
{
	mailbox_close(c->mb);
	wire_out_free(c->out);
	arena_free(c->arena);
	buf_done(&said);
}

/* Three messages, UIDs 10, 20 and 30, of which the client has been told. */
static struct client
client_with_three(void)
{
	struct client c;

	memset(&fake, 0, sizeof(fake));
	fake_add(10, MAILDIR_SEEN, false);
	fake_add(20, 0, false);
	fake_add(30, 0, true);
	fake.highest = 5;
	c = client_open(false);
	mailbox_announce(c.mb, c.out);
	assert_int_equal(wire_out_flush(c.out), 0);
	buf_clear(&said);
	return c;
}

static void
sync(struct client *c)
{
	assert_int_equal(mailbox_sync(c->mb), 0);
}

/* ---- news ------------------------------------------------------------ */

static void
test_announce(void **state)
{
	struct client c;

	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake_add(10, MAILDIR_SEEN, false);
	fake_add(20, 0, true);
	fake.keywords = 1;
	fake.highest = 1234567890123456;
	c = client_open(false);
	mailbox_announce(c.mb, c.out);
	expect(&c,
	    "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft "
	    "$Forwarded)\r\n"
	    "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen "
	    "\\Draft $Forwarded \\*)] Flags permitted.\r\n"
	    "* 2 EXISTS\r\n"
	    "* 1 RECENT\r\n"
	    "* OK [UNSEEN 2] First unseen.\r\n"
	    "* OK [UIDVALIDITY 7] UIDs valid.\r\n"
	    "* OK [UIDNEXT 21] Predicted next UID.\r\n"
	    "* OK [HIGHESTMODSEQ 1234567890123456] Highest mod-sequence.\r\n");
	client_close(&c);
}

static void
test_announce_empty_readonly(void **state)
{
	struct client c;

	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.uidnext = 1;
	fake.highest = 1;
	c = client_open(true);
	mailbox_announce(c.mb, c.out);
	expect(&c,
	    "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n"
	    "* OK [PERMANENTFLAGS ()] No flags can be changed here.\r\n"
	    "* 0 EXISTS\r\n"
	    "* 0 RECENT\r\n"
	    "* OK [UIDVALIDITY 7] UIDs valid.\r\n"
	    "* OK [UIDNEXT 1] Predicted next UID.\r\n"
	    "* OK [HIGHESTMODSEQ 1] Highest mod-sequence.\r\n");
	mailbox_tell(c.mb, c.out, MAILBOX_EXPUNGES);
	expect(&c, "");
	client_close(&c);
}

static void
test_arrival(void **state)
{
	struct client c = client_with_three();

	(void)state;
	fake_add(31, 0, true);
	fake_add(32, 0, true);
	fake_note(31, MAILDIR_ADDED);
	fake_note(32, MAILDIR_ADDED);
	sync(&c);
	mailbox_tell(c.mb, c.out, 0);
	expect(&c, "* 5 EXISTS\r\n* 3 RECENT\r\n");
	assert_int_equal(mailbox_uid(c.mb, 5), 32);
	mailbox_tell(c.mb, c.out, MAILBOX_EXPUNGES);
	expect(&c, "");
	client_close(&c);
}

/* A message that is gone keeps its number until EXPUNGE may be told; an arrival
 * in between does not lower EXISTS. */
static void
test_expunge_waits(void **state)
{
	struct client c = client_with_three();

	(void)state;
	fake_expunge(10);
	fake_note(10, MAILDIR_EXPUNGED);
	fake_expunge(20);
	fake_note(20, MAILDIR_EXPUNGED);
	fake_add(40, 0, false);
	fake_note(40, MAILDIR_ADDED);
	sync(&c);
	mailbox_tell(c.mb, c.out, 0);
	expect(&c, "* 4 EXISTS\r\n* 1 RECENT\r\n");
	assert_int_equal(mailbox_uid(c.mb, 1), 10);
	mailbox_tell(c.mb, c.out, MAILBOX_EXPUNGES);
	expect(&c, "* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n");
	assert_int_equal(mailbox_count(c.mb), 2);
	assert_int_equal(mailbox_uid(c.mb, 1), 30);
	assert_int_equal(mailbox_uid(c.mb, 2), 40);
	client_close(&c);
}

/* The client cannot know by itself that a recent message went. */
static void
test_expunge_of_recent(void **state)
{
	struct client c = client_with_three();

	(void)state;
	fake_expunge(20);
	fake_note(20, MAILDIR_EXPUNGED);
	sync(&c);
	mailbox_tell(c.mb, c.out, MAILBOX_EXPUNGES);
	expect(&c, "* 2 EXPUNGE\r\n");
	fake_expunge(30);
	fake_note(30, MAILDIR_EXPUNGED);
	sync(&c);
	mailbox_tell(c.mb, c.out, 0);
	expect(&c, "");
	mailbox_tell(c.mb, c.out, MAILBOX_EXPUNGES);
	expect(&c, "* 2 EXPUNGE\r\n* 0 RECENT\r\n");
	client_close(&c);
}

/* After the last message went there is no "* 0 EXISTS". */
static void
test_expunge_all(void **state)
{
	struct client c = client_with_three();

	(void)state;
	fake.n = 0;
	mailbox_expunged(c.mb, 30);	/* in any order */
	mailbox_expunged(c.mb, 10);
	mailbox_expunged(c.mb, 20);
	mailbox_expunged(c.mb, 20);	/* as often as anyone says so */
	mailbox_tell(c.mb, c.out, MAILBOX_EXPUNGES);
	expect(&c, "* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n"
	    "* 0 RECENT\r\n");
	assert_int_equal(mailbox_count(c.mb), 0);
	client_close(&c);
}

static void
test_came_back(void **state)
{
	struct client c = client_with_three();

	(void)state;
	fake_note(20, MAILDIR_EXPUNGED);
	sync(&c);
	fake_note(20, MAILDIR_ADDED);
	sync(&c);
	mailbox_tell(c.mb, c.out, MAILBOX_EXPUNGES);
	expect(&c, "");
	assert_int_equal(mailbox_count(c.mb), 3);
	client_close(&c);
}

static void
test_flags(void **state)
{
	struct client c = client_with_three();

	(void)state;
	fake.msg[1].flags.sys = MAILDIR_SEEN | MAILDIR_FLAGGED;
	fake.msg[1].flags.kw = 1;
	fake.keywords = 1;
	fake_note(20, MAILDIR_CHANGED);
	sync(&c);
	mailbox_changed(c.mb, 30);
	mailbox_changed(c.mb, 20);
	mailbox_changed(c.mb, 10);
	mailbox_told(c.mb, 10);
	mailbox_tell(c.mb, c.out, MAILBOX_UIDS);
	expect(&c,
	    "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft "
	    "$Forwarded)\r\n"
	    "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen "
	    "\\Draft $Forwarded \\*)] Flags permitted.\r\n"
	    "* 2 FETCH (UID 20 FLAGS (\\Flagged \\Seen $Forwarded))\r\n"
	    "* 3 FETCH (UID 30 FLAGS (\\Recent))\r\n");
	mailbox_changed(c.mb, 10);
	mailbox_tell(c.mb, c.out, 0);
	expect(&c, "* 1 FETCH (FLAGS (\\Seen))\r\n");
	client_close(&c);
}

/* Names that some other program wrote and that are no keywords of IMAP. */
static void
test_odd_keywords(void **state)
{
	struct client c = client_with_three();

	(void)state;
	fake.keywords = 5;
	fake.msg[0].flags.kw = 0x1f;
	mailbox_changed(c.mb, 10);
	mailbox_tell(c.mb, c.out, 0);
	expect(&c,
	    "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft "
	    "$Forwarded Junk)\r\n"
	    "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen "
	    "\\Draft $Forwarded Junk \\*)] Flags permitted.\r\n"
	    "* 1 FETCH (FLAGS (\\Seen $Forwarded Junk))\r\n");
	client_close(&c);
}

/* ---- mod-sequences --------------------------------------------------- */

#define ALL_OF_IT	(MAILBOX_EXPUNGES | MAILBOX_UIDS | MAILBOX_MODSEQS | \
	MAILBOX_VANISHED)

static void
test_modseqs(void **state)
{
	struct client c = client_with_three();

	(void)state;
	assert_int_equal(mailbox_modseq(c.mb), 5);
	fake.msg[0].modseq = 7;
	fake.msg[2].modseq = fake.highest = 8;
	mailbox_touched(c.mb, 30);
	mailbox_changed(c.mb, 10);
	mailbox_touched(c.mb, 10);
	mailbox_touched(c.mb, 20);
	mailbox_told(c.mb, 20);
	mailbox_tell(c.mb, c.out, MAILBOX_UIDS | MAILBOX_MODSEQS);
	expect(&c, "* 1 FETCH (UID 10 FLAGS (\\Seen) MODSEQ (7))\r\n"
	    "* 3 FETCH (UID 30 MODSEQ (8))\r\n");
	assert_int_equal(mailbox_modseq(c.mb), 8);
	assert_int_equal(mailbox_take_modseq(c.mb), 0);
	/* Of no interest to others. */
	mailbox_touched(c.mb, 30);
	mailbox_tell(c.mb, c.out, 0);
	expect(&c, "");
	mailbox_tell(c.mb, c.out, ALL_OF_IT);
	expect(&c, "");
	client_close(&c);
}

static void
test_vanished(void **state)
{
	struct client c = client_with_three();

	(void)state;
	fake_add(31, 0, false);
	mailbox_tell(c.mb, c.out, ALL_OF_IT);
	expect(&c, "* 4 EXISTS\r\n* 1 RECENT\r\n");
	assert_int_equal(mailbox_take_modseq(c.mb), 0);
	fake_expunge(10);
	fake_expunge(30);
	fake_expunge(31);
	fake.highest = 9;
	mailbox_expunged(c.mb, 31);
	mailbox_expunged(c.mb, 30);
	mailbox_expunged(c.mb, 10);
	mailbox_tell(c.mb, c.out, ALL_OF_IT);
	expect(&c, "* VANISHED 10,30:31\r\n* 0 RECENT\r\n");
	assert_int_equal(mailbox_take_modseq(c.mb), 9);
	assert_int_equal(mailbox_take_modseq(c.mb), 0);
	assert_int_equal(mailbox_count(c.mb), 1);
	assert_int_equal(mailbox_uid(c.mb, 1), 20);
	client_close(&c);
}

/* RFC 7162 6: MODSEQ 103 is told while an expunge of 100 waits. */
static void
test_modseq_waits(void **state)
{
	struct client c = client_with_three();

	(void)state;
	fake_expunge(30);
	mailbox_expunged(c.mb, 30);
	mailbox_changed(c.mb, 10);
	fake.msg[0].modseq = fake.highest = 103;
	mailbox_tell(c.mb, c.out, MAILBOX_UIDS | MAILBOX_MODSEQS |
	    MAILBOX_VANISHED);
	expect(&c, "* 1 FETCH (UID 10 FLAGS (\\Seen) MODSEQ (103))\r\n");
	assert_int_equal(mailbox_modseq(c.mb), 5);
	assert_int_equal(mailbox_take_modseq(c.mb), 5);
	mailbox_tell(c.mb, c.out, MAILBOX_EXPUNGES | MAILBOX_UIDS |
	    MAILBOX_MODSEQS);
	expect(&c, "* 3 EXPUNGE\r\n* 0 RECENT\r\n");
	assert_int_equal(mailbox_take_modseq(c.mb), 103);
	client_close(&c);
}

static struct seqset
set_of(struct client *c, const char *text)
{
	struct seqset set = { NULL, 0, false };

	if (*text != '\0')
		assert_int_equal(seqset_parse(span_str(text), c->arena, &set),
		    0);
	return set;
}

static void
earlier(struct client *c, const char *uids, uint64_t since, uint32_t known_to,
    const char *want)
{
	struct seqset set = set_of(c, uids);

	mailbox_tell_earlier(c->mb, c->out, c->arena, since, &set, known_to);
	expect(c, want);
}

static void
test_earlier(void **state)
{
	struct client c = client_with_three();

	(void)state;
	fake.uidnext = 41;
	fake.floor = 3;
	/* Known: from the list.  20 is known to this client, too. */
	fake.gone[0] = 5;
	fake.gone[1] = 6;
	fake.gone[2] = 20;
	fake.gone[3] = 40;
	fake.ngone = 4;
	earlier(&c, "1:*", 3, 0, "* VANISHED (EARLIER) 5:6,40\r\n");
	earlier(&c, "1:*", 3, 35, "* VANISHED (EARLIER) 5:6,40\r\n");
	earlier(&c, "6,11:39", 3, 0, "* VANISHED (EARLIER) 6\r\n");
	earlier(&c, "*", 3, 0, "* VANISHED (EARLIER) 40\r\n");
	earlier(&c, "7:39", 3, 0, "");
	/* Forgotten: all that are missing, and no more than ever were. */
	earlier(&c, "1:*", 2, 0,
	    "* VANISHED (EARLIER) 1:9,11:19,21:29,31:40\r\n");
	earlier(&c, "10,15:25,30,39:4294967295", 2, 0,
	    "* VANISHED (EARLIER) 15:19,21:25,39:40\r\n");
	earlier(&c, "1:*", 2, 20, "* VANISHED (EARLIER) 21:29,31:40\r\n");
	earlier(&c, "1:*", 2, 40, "");
	earlier(&c, "10,20,30", 2, 0, "");
	/* Not yet told of, and arrived meanwhile: neither is missing. */
	fake_expunge(20);
	mailbox_expunged(c.mb, 20);
	fake_add(41, 0, false);
	earlier(&c, "18:22,40:*", 2, 0,
	    "* VANISHED (EARLIER) 18:19,21:22,40\r\n");
	client_close(&c);
}

/* RFC 7162 3.2.5.2 */
static void
test_match(void **state)
{
	static const struct {
		const char *seqs, *uids;
		uint32_t want;
	} rows[] = {
		{ "1", "10", 10 }, { "1", "11", 0 }, { "3", "30", 30 },
		{ "1,3", "10,30", 30 }, { "1:3", "10,20,30", 30 },
		{ "1:3", "9,20,31", 20 }, { "2,3", "20,31", 20 },
		{ "1:3", "10", 10 }, { "1", "10,20,30", 10 },
		{ "2:4000000000", "20,30:4000000000", 30 },
		{ "4:9", "40:45", 0 }, { "3,1", "30,10", 30 },
		{ "2:1", "20:10", 0 }, { "", "", 0 }
	};
	struct client c = client_with_three();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct seqset seqs = set_of(&c, rows[i].seqs);
		struct seqset uids = set_of(&c, rows[i].uids);

		assert_int_equal(mailbox_match(c.mb, &seqs, &uids),
		    rows[i].want);
	}
	client_close(&c);
}

static void
test_since(void **state)
{
	struct client c = client_with_three();
	struct mailbox_msg msgs[] = { { 1, 10 }, { 2, 20 }, { 3, 30 } };
	struct seqset set = set_of(&c, "10:20,30");

	(void)state;
	fake.msg[1].modseq = 8;
	seqset_resolve(&set, 30);
	mailbox_tell_since(c.mb, c.out, 7, &set);
	expect(&c, "* 2 FETCH (UID 20 FLAGS () MODSEQ (8))\r\n");
	assert_int_equal(mailbox_since(c.mb, 7, msgs, 3), 1);
	assert_int_equal(msgs[0].uid, 20);
	mailbox_tell_since(c.mb, c.out, 0, &set);
	expect(&c, "* 1 FETCH (UID 10 FLAGS (\\Seen) MODSEQ (1))\r\n"
	    "* 2 FETCH (UID 20 FLAGS () MODSEQ (8))\r\n"
	    "* 3 FETCH (UID 30 FLAGS (\\Recent) MODSEQ (1))\r\n");
	set = set_of(&c, "11:19,21:29");
	seqset_resolve(&set, 30);
	mailbox_tell_since(c.mb, c.out, 0, &set);
	expect(&c, "");
	client_close(&c);
}

/* A long list is told in pieces. */
static void
test_long_vanished(void **state)
{
	struct client c = client_with_three();
	struct reply_vanished rv;
	unsigned lines = 0;
	uint32_t next = 1;
	char *p;

	(void)state;
	reply_vanished_begin(&rv, c.out, true);
	for (uint32_t uid = 1; uid < 20000; uid += 2)
		reply_vanished_add(&rv, uid, uid);
	reply_vanished_end(&rv);
	assert_int_equal(wire_out_flush(c.out), 0);
	buf_putc(&said, '\0');
	for (p = (char *)said.p; *p != '\0'; p += 2) {
		size_t n = strcspn(p, "\r");

		assert_true(n < REPLY_VANISHED_MAX + 32);
		assert_memory_equal(p, "* VANISHED (EARLIER) ", 21);
		for (p += 20; *p != '\r'; next += 2)
			assert_int_equal(strtoul(p + 1, &p, 10), next);
		lines++;
	}
	assert_int_equal(next, 20001);
	assert_true(lines > 5 && lines < 10);
	buf_clear(&said);
	client_close(&c);
}

/* ---- sets ------------------------------------------------------------ */

static void
resolve(struct client *c, const char *text, bool is_uid, const char *want)
{
	struct mailbox_msg *msg;
	struct seqset set;
	char got[256] = "";
	size_t n, len = 0;
	int err;

	assert_int_equal(seqset_parse(span_str(text), c->arena, &set), 0);
	err = mailbox_resolve(c->mb, &set, is_uid, c->arena, &msg, &n);
	if (err != 0) {
		assert_null(want);
		assert_int_equal(err, ERR_LIMIT);
		return;
	}
	assert_non_null(want);
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(got + len, sizeof(got) - len, "%u=%u ",
		    msg[i].seq, msg[i].uid);
	assert_string_equal(got, want);
}

static void
test_resolve(void **state)
{
	struct client c = client_with_three();
	uint32_t saved[] = { 10, 25, 30 };

	(void)state;
	resolve(&c, "1:*", false, "1=10 2=20 3=30 ");
	resolve(&c, "3,1:2,2", false, "1=10 2=20 3=30 ");
	resolve(&c, "*", false, "3=30 ");
	resolve(&c, "4", false, NULL);
	resolve(&c, "2:4", false, NULL);
	resolve(&c, "1:*", true, "1=10 2=20 3=30 ");
	resolve(&c, "11:29,999", true, "2=20 ");
	resolve(&c, "500:*", true, "3=30 ");
	resolve(&c, "1:4294967295", true, "1=10 2=20 3=30 ");
	resolve(&c, "31:40", true, "");
	/* Gone and not told yet: it has a number, but no UID any more. */
	fake_expunge(20);
	mailbox_expunged(c.mb, 20);
	resolve(&c, "1:3", false, "1=10 2=20 3=30 ");
	resolve(&c, "20:30", true, "3=30 ");
	mailbox_save(c.mb, saved, 3);
	resolve(&c, "$", true, "1=10 3=30 ");
	resolve(&c, "$", false, "1=10 3=30 ");
	client_close(&c);
}

static void
test_uidvec(void **state)
{
	struct uidvec uv = { 0 };

	(void)state;
	for (uint32_t i = 1000; i > 0; i--) {
		uidvec_add(&uv, i);
		uidvec_add(&uv, 500);
	}
	assert_true(has_uidvec(&uv, 1));
	assert_true(has_uidvec(&uv, 1000));
	assert_false(has_uidvec(&uv, 1001));
	assert_int_equal(uv.n, 1000);
	uidvec_remove(&uv, 500);
	uidvec_remove(&uv, 500);
	assert_false(has_uidvec(&uv, 500));
	assert_int_equal(uv.n, 999);
	uidvec_clear(&uv);
	assert_false(has_uidvec(&uv, 1));
	uidvec_done(&uv);
}

/* ---- patterns -------------------------------------------------------- */

static void
test_listmatch(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool is_match;
	} row[] = {
		{ "*", "a/b/c", true },
		{ "%", "a", true },
		{ "%", "a/b", false },
		{ "%/%", "a/b", true },
		{ "%/%", "a/b/c", false },
		{ "a/*", "a/b/c", true },
		{ "a*", "a", true },
		{ "a%", "a", true },
		{ "a/%", "a", false },
		{ "*c", "a/b/c", true },
		{ "%c", "a/b/c", false },
		{ "*%", "a/b/c", true },
		{ "%*", "a/b/c", true },
		{ "**%%**", "a/b", true },
		{ "a", "A", false },
		{ "inbox", "INBOX", true },
		{ "InBoX/%", "INBOX/sub", true },
		{ "inbox/%", "INBOX/sub/sub", false },
		{ "%box", "INBOX", true },
		{ "inboxes", "INBOXES", false },
		{ "*ab*ab*", "xabyabz", true },
		{ "*ab*ab*", "xaby", false },
		{ "%a%b%", "xaybz", true },
		{ "", "", true },
		{ "", "a", false },
		{ "*", "", true },
		{ "a/b", "a/b/", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		if (is_list_match(span_str(row[i].pattern),
		    span_str(row[i].name), '/') != row[i].is_match)
			fail_msg("%s %s", row[i].pattern, row[i].name);
}

/* A pattern that takes a matcher by trial longer than the age of the world. */
static void
test_listmatch_hostile(void **state)
{
	static uint8_t pattern[LISTMATCH_MAX + 1], name[4096];

	(void)state;
	memset(name, 'a', sizeof(name));
	for (size_t i = 0; i < LISTMATCH_MAX; i++)
		pattern[i] = i % 2 == 0 ? '%' : 'a';
	pattern[LISTMATCH_MAX - 1] = 'b';
	assert_false(is_list_match(span_of(pattern, LISTMATCH_MAX),
	    span_of(name, sizeof(name)), '/'));
	memset(pattern, '*', sizeof(pattern));
	pattern[LISTMATCH_MAX - 1] = 'b';
	assert_false(is_list_match(span_of(pattern, LISTMATCH_MAX),
	    span_of(name, sizeof(name)), '/'));
	assert_false(is_list_match(span_of(pattern, LISTMATCH_MAX + 1),
	    span_of(name, sizeof(name)), '/'));
}

/* ---- names ----------------------------------------------------------- */

/* want: the components with '|' between them, NULL: refused; back: how it is
 * spelled to the client, NULL: as it came. */
static void
name_is(const struct mailname_rules *rules, struct span wire,
    const char *want, const char *back)
{
	struct arena *arena = arena_new(4096);
	struct maildir_path path;
	struct span again;
	struct buf b;
	int err;

	err = mailname_to_path(rules, wire, arena, &path);
	if (want == NULL) {
		if (err != ERR_NAME)
			fail_msg("accepted %.*s", (int)wire.n,
			    (const char *)wire.p);
		arena_free(arena);
		return;
	}
	if (err != 0)
		fail_msg("refused %.*s", (int)wire.n, (const char *)wire.p);
	buf_init(&b, 10000);
	for (size_t i = 0; i < path.n; i++) {
		if (i > 0)
			buf_putc(&b, '|');
		buf_put_span(&b, path.level[i]);
	}
	assert_string_equal(buf_cstr(&b), want);
	buf_done(&b);
	assert_int_equal(mailname_from_path(rules, &path, arena, &again), 0);
	assert_true(is_span_eq(again, back == NULL ? wire : span_str(back)));
	arena_free(arena);
}

static void
test_mailname(void **state)
{
	const struct mailname_rules r = { '/', false, false };

	(void)state;
	name_is(&r, SPAN("INBOX"), "INBOX", NULL);
	name_is(&r, SPAN("inBox"), "INBOX", "INBOX");
	name_is(&r, SPAN("inbox/Sub"), "INBOX|Sub", "INBOX/Sub");
	name_is(&r, SPAN("inboxes"), "inboxes", NULL);
	name_is(&r, SPAN("a/b.c/d e"), "a|b.c|d e", NULL);
	name_is(&r, SPAN("a/"), "a", "a");
	name_is(&r, SPAN("100% \"*\\"), "100% \"*\\", NULL);
	name_is(&r, SPAN("Entw&APw-rfe"), "Entwürfe", NULL);
	name_is(&r, SPAN("&ZeVnLIqe-"), "日本語", NULL);
	name_is(&r, SPAN("a&-b"), "a&b", NULL);
	name_is(&r, SPAN(""), NULL, NULL);
	name_is(&r, SPAN("/"), NULL, NULL);
	name_is(&r, SPAN("/a"), NULL, NULL);
	name_is(&r, SPAN("a//b"), NULL, NULL);
	name_is(&r, SPAN("a//"), NULL, NULL);
	name_is(&r, SPAN(".."), NULL, NULL);
	name_is(&r, SPAN("a/../b"), NULL, NULL);
	name_is(&r, SPAN("a/./b"), NULL, NULL);
	name_is(&r, SPAN("a\0b"), NULL, NULL);
	name_is(&r, SPAN("a\nb"), NULL, NULL);
	name_is(&r, SPAN("a\x7f"), NULL, NULL);
	name_is(&r, SPAN("Entw\xc3\xbcrfe"), NULL, NULL);
	name_is(&r, SPAN("a&AC8-b"), NULL, NULL);	/* "a/b" hidden */
	name_is(&r, SPAN("&AIU-"), NULL, NULL);		/* U+0085 */
	name_is(&r, SPAN("&ICg-"), NULL, NULL);		/* U+2028 */
	name_is(&r, SPAN("a&b"), NULL, NULL);
}

static void
test_mailname_utf8(void **state)
{
	const struct mailname_rules r = { '/', false, true };

	(void)state;
	name_is(&r, SPAN("Entw\xc3\xbcrfe/a&b"), "Entwürfe|a&b", NULL);
	name_is(&r, SPAN("a\xff"), NULL, NULL);
	name_is(&r, SPAN("a\0b"), NULL, NULL);
	name_is(&r, SPAN("a\xc2\x85"), NULL, NULL);
}

static void
test_mailname_prefix(void **state)
{
	const struct mailname_rules r = { '.', true, false };

	(void)state;
	assert_true(is_span_eq(mailname_prefix(&r), SPAN("INBOX.")));
	name_is(&r, SPAN("INBOX"), "INBOX", NULL);
	name_is(&r, SPAN("inbox.Sent.2024"), "Sent|2024", "INBOX.Sent.2024");
	name_is(&r, SPAN("Sent"), NULL, NULL);
	name_is(&r, SPAN("INBOX.inbox"), NULL, NULL);
}

static void
test_mailname_limits(void **state)
{
	const struct mailname_rules r = { '/', false, false };
	static uint8_t text[MAILNAME_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 == 0 ? 'a' : '/';
	name_is(&r, span_of(text, 2 * MAILDIR_LEVELS_MAX + 1), NULL, NULL);
	memset(text, 'a', sizeof(text));
	name_is(&r, span_of(text, MAILNAME_MAX + 1), NULL, NULL);
}

static void
test_special(void **state)
{
	struct span sent = SPAN("Sent|Sent Items| Gesendet");

	(void)state;
	assert_int_equal(special_rank(sent, SPAN("sent")), 0);
	assert_int_equal(special_rank(sent, SPAN("Sent items")), 1);
	assert_int_equal(special_rank(sent, SPAN("Gesendet")), 2);
	assert_int_equal(special_rank(sent, SPAN("Sen")), SPECIAL_NONE);
	assert_int_equal(special_rank(sent, SPAN("")), SPECIAL_NONE);
	assert_int_equal(special_rank(SPAN_NONE, SPAN("a")), SPECIAL_NONE);
}

/* ---- capabilities ---------------------------------------------------- */

/* Is name in the list that is announced? */
static bool
is_announced(unsigned now, const char *mask, const char *name)
{
	struct span rest;
	struct buf b;
	bool found = false;

	buf_init(&b, 4096);
	capability_put(&b, now, span_str(mask), 1000);
	assert_int_equal(buf_err(&b), 0);
	rest = buf_span(&b);
	while (rest.p != NULL) {
		struct span word = span_split(&rest, ' ');

		assert_true(word.n > 0);
		if (is_span_eq(word, span_str(name)))
			found = true;
	}
	buf_done(&b);
	return found;
}

static void
test_capability(void **state)
{
	unsigned login = CAPABILITY_LOGIN, session = CAPABILITY_SESSION;

	(void)state;
	assert_true(is_announced(login, "", "IMAP4rev1"));
	assert_true(is_announced(session, "", "IMAP4rev1"));
	assert_true(is_announced(login, "", "SASL-IR"));
	assert_false(is_announced(session, "", "SASL-IR"));
	assert_false(is_announced(login, "", "STARTTLS"));
	assert_true(is_announced(login | CAPABILITY_STARTTLS, "", "STARTTLS"));
	assert_true(is_announced(login | CAPABILITY_NO_PLAINTEXT, "",
	    "LOGINDISABLED"));
	assert_true(is_announced(session, "", "APPENDLIMIT=1000"));
	assert_true(is_announced(session, "", "QUOTA=RES-STORAGE"));
	assert_false(is_announced(session, "", "QUOTASET"));
}

static void
test_capability_mask(void **state)
{
	unsigned session = CAPABILITY_SESSION;

	(void)state;
	assert_false(is_announced(session, "-MOVE", "MOVE"));
	assert_false(is_announced(session, "-move -IDLE", "MOVE"));
	assert_false(is_announced(session, "-move -IDLE", "IDLE"));
	assert_true(is_announced(session, "-MOVE  +MOVE", "MOVE"));
	assert_true(is_announced(session, "-MOV -MOVED", "MOVE"));
	assert_false(is_announced(session, "-APPENDLIMIT",
	    "APPENDLIMIT=1000"));
	assert_false(is_announced(session, "NOSUCH", "NOSUCH"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_announce),
		cmocka_unit_test(test_announce_empty_readonly),
		cmocka_unit_test(test_arrival),
		cmocka_unit_test(test_expunge_waits),
		cmocka_unit_test(test_expunge_of_recent),
		cmocka_unit_test(test_expunge_all),
		cmocka_unit_test(test_came_back),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_odd_keywords),
		cmocka_unit_test(test_modseqs),
		cmocka_unit_test(test_vanished),
		cmocka_unit_test(test_modseq_waits),
		cmocka_unit_test(test_earlier),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_since),
		cmocka_unit_test(test_long_vanished),
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_uidvec),
		cmocka_unit_test(test_listmatch),
		cmocka_unit_test(test_listmatch_hostile),
		cmocka_unit_test(test_mailname),
		cmocka_unit_test(test_mailname_utf8),
		cmocka_unit_test(test_mailname_prefix),
		cmocka_unit_test(test_mailname_limits),
		cmocka_unit_test(test_special),
		cmocka_unit_test(test_capability),
		cmocka_unit_test(test_capability_mask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
