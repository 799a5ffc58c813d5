/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * The command parser: what each command is understood as (printed back in one
 * spelling), what is refused where, and every prefix of every valid command.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "imapd/wire/command_table.h"
#include "imapd/wire/parse.h"
#include "maildir/maildir.h"
#include "tests/unit/command_print.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define PRINT_MAX	(16 * 1024 * 1024)

static void
assert_text(struct span got, const char *want)
{
	if (!is_span_eq(got, span_str(want)))
		fail_msg("got  %.*s\nwant %s", (int)got.n, got.p, want);
}

/* What a command is understood as; same: as it stands, but for the tag. */
struct sample {
	const char *text;	/* with the tag "a" */
	const char *print;	/* NULL: same */
};

static const struct sample valid[] = {
	/* RFC 3501, section 6 */
	{ "a CAPABILITY", NULL },
	{ "a noop", "NOOP" },
	{ "a LOGOUT", NULL },
	{ "a STARTTLS", NULL },
	{ "a AUTHENTICATE GSSAPI", NULL },
	{ "a LOGIN SMITH SESAME", "LOGIN \"SMITH\" \"SESAME\"" },
	{ "a LOGIN {5}\r\nSMITH {6}\r\nSESAME", "LOGIN \"SMITH\" \"SESAME\"" },
	{ "a LOGIN {11}\r\nFRED FOOBAR {7}\r\nfat man",
	    "LOGIN \"FRED FOOBAR\" \"fat man\"" },
	{ "a LOGIN {5+}\r\nSMITH {0+}\r\n", "LOGIN \"SMITH\" \"\"" },
	{ "a login \"a\\\"b\\\\c\" \"\xc3\xa9\"",
	    "LOGIN \"a\\\"b\\\\c\" \"\xc3\xa9\"" },
	{ "a LOGIN a]b \"x\"", "LOGIN \"a]b\" \"x\"" },
	{ "a SELECT INBOX", NULL },
	{ "a SELECT \"a b\" ", "SELECT \"a b\"" },
	{ "a EXAMINE blurdybloop", NULL },
	{ "a CREATE owatagusiam/", NULL },
	{ "a DELETE foo/bar", NULL },
	{ "a RENAME blurdybloop sarasoop", NULL },
	{ "a SUBSCRIBE #news.comp.mail.mime", NULL },
	{ "a UNSUBSCRIBE #news.comp.mail.mime", NULL },
	/* QUOTA (RFC 9208) */
	{ "G0001 GETQUOTA \"!partition/sda4\"", "GETQUOTA !partition/sda4" },
	{ "a GETQUOTA \"\"", NULL },
	{ "a getquota \"User quota\"", "GETQUOTA \"User quota\"" },
	{ "G0002 GETQUOTAROOT INBOX", "GETQUOTAROOT INBOX" },
	{ "S0003 STATUS INBOX (MESSAGES DELETED DELETED-STORAGE)",
	    "STATUS INBOX (MESSAGES DELETED DELETED-STORAGE)" },
	{ "a LIST \"\" \"\"", "LIST \"\" \"\"" },
	{ "a LIST #news.comp.mail.misc \"\"", NULL },
	{ "a LIST \"/usr/staff/jones/\" {1}\r\n%",
	    "LIST /usr/staff/jones/ \"%\"" },
	{ "a LIST ~/Mail/ %", "LIST ~/Mail/ \"%\"" },
	{ "a LSUB \"#news.\" comp.mail.*", "LSUB #news. \"comp.mail.*\"" },
	{ "a XLIST \"\" *", "XLIST \"\" \"*\"" },
	{ "a STATUS blurdybloop (UIDNEXT MESSAGES)",
	    "STATUS blurdybloop (MESSAGES UIDNEXT)" },
	{ "a STATUS x (size deleted highestmodseq mailboxid appendlimit "
	    "unseen recent uidvalidity )", "STATUS x (RECENT UIDVALIDITY "
	    "UNSEEN SIZE DELETED HIGHESTMODSEQ MAILBOXID APPENDLIMIT)" },
	{ "a CHECK", NULL }, { "a CLOSE", NULL }, { "a EXPUNGE", NULL },
	{ "a SEARCH FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"",
	    "SEARCH FLAGGED SINCE 1-Feb-1994 NOT FROM Smith" },
	{ "a SEARCH TEXT \"string not in mailbox\"", NULL },
	{ "a SEARCH CHARSET UTF-8 TEXT {6}\r\n\xd0\xb6\xd0\xb7\xd0\xb8",
	    "SEARCH CHARSET UTF-8 TEXT \"\xd0\xb6\xd0\xb7\xd0\xb8\"" },
	{ "a FETCH 2:4 (FLAGS BODY[HEADER.FIELDS (DATE FROM)])", NULL },
	{ "a FETCH 1 ALL",
	    "FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)" },
	{ "a FETCH 1 fast", "FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE)" },
	{ "a FETCH 1 Full",
	    "FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY)" },
	{ "a FETCH 1:* BODY[]<0.2048>", "FETCH 1:* (BODY[]<0.2048>)" },
	{ "a FETCH 1 body.peek[1.2.3.mime]",
	    "FETCH 1 (BODY.PEEK[1.2.3.MIME])" },
	{ "a FETCH 1 (BODY[4.2.HEADER] BODY[4.2.TEXT] BODY[TEXT] BODY[1])",
	    NULL },
	{ "a FETCH 1 (BODY[3.HEADER.FIELDS.NOT (\"a b\" {3}\r\nX:Y)]<5.1>)",
	    "FETCH 1 (BODY[3.HEADER.FIELDS.NOT (\"a b\" X:Y)]<5.1>)" },
	{ "a FETCH 1,3:5,* (RFC822 RFC822.HEADER RFC822.SIZE RFC822.TEXT)",
	    NULL },
	{ "a FETCH 1 (RFC822.PEEK RFC822.TEXT.PEEK RFC822.HEADER.PEEK)",
	    "FETCH 1 (RFC822.PEEK RFC822.TEXT.PEEK RFC822.HEADER)" },
	{ "a FETCH 1 (UID BODY BODYSTRUCTURE )",
	    "FETCH 1 (UID BODY BODYSTRUCTURE)" },
	{ "a STORE 2:4 +FLAGS (\\Deleted)", NULL },
	{ "a STORE 1 -flags.silent \\seen \\Recent foo $Bar",
	    "STORE 1 -FLAGS.SILENT (\\Seen \\Recent foo $Bar)" },
	{ "a STORE 1 FLAGS ()", NULL },
	/* CONDSTORE (RFC 7162 3.1.3, 3.1.4) */
	{ "a STORE 7,5,9 (UNCHANGEDSINCE 320162338) +FLAGS.SILENT (\\Deleted)",
	    NULL },
	{ "a STORE * (unchangedsince 0) flags ($x)",
	    "STORE * (UNCHANGEDSINCE 0) FLAGS ($x)" },
	{ "a UID STORE 1 (UNCHANGEDSINCE 9223372036854775807 ) FLAGS \\Seen",
	    "UID STORE 1 (UNCHANGEDSINCE 9223372036854775807) FLAGS "
	    "(\\Seen)" },
	{ "a STORE 1 FLAGS (\\Seen) (UNCHANGEDSINCE 5)",
	    "STORE 1 (UNCHANGEDSINCE 5) FLAGS (\\Seen)" },
	{ "a FETCH 1:3 modseq", "FETCH 1:3 (MODSEQ)" },
	{ "a UID FETCH 1:* (FLAGS) (CHANGEDSINCE 12345)",
	    "UID FETCH 1:* (FLAGS MODSEQ) (CHANGEDSINCE 12345)" },
	{ "a FETCH 1 (MODSEQ UID) (changedsince 1 )",
	    "FETCH 1 (MODSEQ UID) (CHANGEDSINCE 1)" },
	{ "a UID FETCH 300:500 (FLAGS) (CHANGEDSINCE 12345 VANISHED)",
	    "UID FETCH 300:500 (FLAGS MODSEQ) (CHANGEDSINCE 12345 VANISHED)" },
	{ "a UID FETCH 1 FAST (vanished changedsince 1)", "UID FETCH 1 "
	    "(FLAGS INTERNALDATE RFC822.SIZE MODSEQ) (CHANGEDSINCE 1 "
	    "VANISHED)" },
	{ "a COPY 2:4 MEETING", NULL },
	{ "a UID FETCH 4827313:4828442 FLAGS",
	    "UID FETCH 4827313:4828442 (FLAGS)" },
	{ "a uid store 1:* FLAGS (\\Draft \\Answered \\Flagged)",
	    "UID STORE 1:* FLAGS (\\Answered \\Flagged \\Draft)" },
	{ "a UID COPY 304,319:320 \"A B\"", NULL },
	{ "a UID SEARCH 1:4294967295", "UID SEARCH 1:4294967294" },

	/* Every search key. */
	{ "a SEARCH ALL ANSWERED BCC x BODY x CC x DELETED DRAFT FLAGGED "
	    "FROM x KEYWORD x NEW OLD RECENT SEEN SUBJECT x TEXT x TO x "
	    "UNANSWERED UNDELETED UNDRAFT UNFLAGGED UNKEYWORD x UNSEEN", NULL },
	{ "a SEARCH BEFORE 1-Jan-2000 ON 02-feb-2001 SINCE \"3-MAR-2002\" "
	    "SENTBEFORE 31-Dec-1999 SENTON 29-Feb-2004 SENTSINCE 1-Jan-1970",
	    "SEARCH BEFORE 1-Jan-2000 ON 2-Feb-2001 SINCE 3-Mar-2002 "
	    "SENTBEFORE 31-Dec-1999 SENTON 29-Feb-2004 SENTSINCE 1-Jan-1970" },
	{ "a SEARCH HEADER Message-ID <a@b> LARGER 0 SMALLER 5000000000 "
	    "OLDER 3600 YOUNGER 1 UID 1:3,5 2,4:*", NULL },
	{ "a SEARCH HEADER {2}\r\nTo \"\"", "SEARCH HEADER To \"\"" },
	{ "a SEARCH (SEEN DELETED) (((FLAGGED)))",
	    "SEARCH (SEEN DELETED) FLAGGED" },
	{ "a SEARCH NOT NOT NOT SEEN", "SEARCH NOT SEEN" },
	{ "a SEARCH OR SEEN OR NOT OLD OR (1 2) OR NEW UID 7", "SEARCH OR SEEN "
	    "OR NOT OLD OR (1 2) OR NEW UID 7" },
	{ "a SEARCH OR OR SEEN OLD OR NEW ALL",
	    "SEARCH OR SEEN OR OLD OR NEW ALL" },
	{ "a SEARCH OR NOT OR SEEN OLD NEW", NULL },
	{ "a SEARCH OR NOT (OR SEEN OLD) (OR NEW (1 2))", "SEARCH OR NOT OR "
	    "SEEN OLD (OR NEW (1 2))" },
	{ "a SEARCH NOT (SEEN  NOT (OLD) ) OR 1 2 3",
	    "SEARCH NOT (SEEN NOT OLD) OR 1 2 3" },
	/* CONDSTORE (RFC 7162 3.1.5), SAVEDATE (RFC 8514 4.3) */
	{ "a SEARCH MODSEQ 620162338", NULL },
	{ "a SEARCH MODSEQ \"/flags/\\\\draft\" all 620162338",
	    "SEARCH MODSEQ 620162338" },
	{ "a SEARCH MODSEQ \"/flags/x\" priv 0 OR MODSEQ \"/flags/y\" SHARED "
	    "9223372036854775807 SEEN",
	    "SEARCH MODSEQ 0 OR MODSEQ 9223372036854775807 SEEN" },
	{ "a SEARCH SAVEDBEFORE 1-Jan-2000 SAVEDON \"02-Feb-2001\" SAVEDSINCE "
	    "3-mar-2002 SAVEDATESUPPORTED", "SEARCH SAVEDBEFORE 1-Jan-2000 "
	    "SAVEDON 2-Feb-2001 SAVEDSINCE 3-Mar-2002 SAVEDATESUPPORTED" },
	{ "a SEARCH $", NULL },

	/* ID (RFC 2971), ENABLE (5161), IDLE (2177), NAMESPACE (2342), UNSELECT
	 * (3691), UIDPLUS (4315), MOVE (6851), SASL-IR (4959) */
	{ "a ID (\"name\" \"sodr\" \"version\" \"19.34\" \"vendor\" NIL)",
	    NULL },
	{ "a ID NIL", NULL },
	{ "a ID ()", "ID NIL" },
	{ "a ENABLE CONDSTORE X-GOOD-IDEA", NULL },
	{ "a IDLE", NULL }, { "a NAMESPACE", NULL }, { "a UNSELECT", NULL },
	{ "a UID EXPUNGE 3000:3002", NULL },
	{ "a UID MOVE 42:69 foo", NULL },
	{ "a MOVE 1:* \"\"", NULL },
	{ "a AUTHENTICATE PLAIN dGVzdAB0ZXN0AHRlc3Q=", NULL },
	{ "a AUTHENTICATE EXTERNAL =", NULL },

	/* SORT and THREAD (RFC 5256), DISPLAY (5957), ESORT (5267) */
	{ "a SORT (SUBJECT) UTF-8 SINCE 1-Feb-1994", NULL },
	{ "a SORT (SUBJECT REVERSE DATE) UTF-8 ALL", NULL },
	{ "a SORT (SUBJECT) US-ASCII TEXT \"not in mailbox\"", NULL },
	{ "a uid sort (arrival cc date from size subject to displayfrom "
	    "reverse displayto) \"utf-8\" 1:3 (SEEN)", "UID SORT (ARRIVAL CC "
	    "DATE FROM SIZE SUBJECT TO DISPLAYFROM REVERSE DISPLAYTO) utf-8 "
	    "1:3 SEEN" },
	{ "a SORT (DATE SUBJECT REVERSE DATE DATE) UTF-8 TEXT {3}\r\nabc",
	    "SORT (DATE SUBJECT) UTF-8 TEXT abc" },
	{ "a UID SORT RETURN () (REVERSE DATE) UTF-8 UNDELETED UNKEYWORD $Junk",
	    "UID SORT RETURN (ALL) (REVERSE DATE) UTF-8 UNDELETED UNKEYWORD "
	    "$Junk" },
	{ "a SORT RETURN (MIN MAX ALL COUNT SAVE) (TO) X 1", NULL },
	{ "a SORT (TO) \"a]\\\"\xff\" 1", NULL },
	{ "a THREAD ORDEREDSUBJECT UTF-8 SINCE 5-Mar-2000", NULL },
	{ "a THREAD ORDEREDSUBJECT US-ASCII TEXT \"gewp\"",
	    "THREAD ORDEREDSUBJECT US-ASCII TEXT gewp" },
	{ "a thread references utf-8 all", "THREAD REFERENCES utf-8 ALL" },
	{ "a UID THREAD REFS UTF-8 OR SEEN NEW", NULL },

	/* ESEARCH (RFC 4731), SEARCHRES (5182) */
	{ "a SEARCH RETURN (MIN COUNT) FLAGGED SINCE 1-Feb-1994 NOT FROM Smith",
	    NULL },
	{ "a SEARCH RETURN () FLAGGED", "SEARCH RETURN (ALL) FLAGGED" },
	{ "a SEARCH RETURN (SAVE) CHARSET UTF-8 SUBJECT x", NULL },
	{ "a FETCH $ (UID)", NULL },
	{ "a UID COPY $ Trash", NULL },

	/* LIST-EXTENDED (RFC 5258), SPECIAL-USE (6154), LIST-STATUS (5819) */
	{ "a LIST (SUBSCRIBED) \"\" \"*\"",
	    "LIST (SUBSCRIBED) \"\" (\"*\") RETURN ()" },
	{ "a LIST () \"\" (\"INBOX\" \"Drafts\" Sent/%)",
	    "LIST () \"\" (\"INBOX\" \"Drafts\" \"Sent/%\") RETURN ()" },
	{ "a LIST (REMOTE SUBSCRIBED RECURSIVEMATCH) \"\" % RETURN (CHILDREN "
	    "SUBSCRIBED)", "LIST (SUBSCRIBED REMOTE RECURSIVEMATCH) \"\" "
	    "(\"%\") RETURN (SUBSCRIBED CHILDREN)" },
	{ "a LIST \"\" \"*\" RETURN (SPECIAL-USE STATUS (UNSEEN MESSAGES))",
	    "LIST () \"\" (\"*\") RETURN (SPECIAL-USE STATUS (MESSAGES "
	    "UNSEEN))" },
	{ "a LIST (SPECIAL-USE) \"\" \"%\" RETURN ()",
	    "LIST (SPECIAL-USE) \"\" (\"%\") RETURN ()" },
	{ "a CREATE MySpecial (USE (\\Drafts \\Sent))", NULL },

	/* CONDSTORE and QRESYNC as SELECT parameters (RFC 7162) */
	{ "a SELECT x (CONDSTORE)", NULL },
	{ "a SELECT x (QRESYNC (67890007 20050715194045000 41,43:211,214:541))",
	    NULL },
	{ "a SELECT x (QRESYNC (67890007 90060115194045000 1:29997 (5000,7500 "
	    "15000,22500)) CONDSTORE)", "SELECT x (CONDSTORE QRESYNC (67890007 "
	    "90060115194045000 1:29997 (5000,7500 15000,22500)))" },
	{ "a SELECT x (QRESYNC (1 2))", NULL },
	{ "a EXAMINE x (QRESYNC (1 2 (1 1)))", NULL },

	/* BINARY (RFC 3516) */
	{ "a FETCH 1 (BINARY[1]<0.10> BINARY.PEEK[] BINARY.SIZE[2.1])", NULL },

	/* PREVIEW (RFC 8970), SAVEDATE (RFC 8514), OBJECTID (RFC 8474) */
	{ "a FETCH 1 (RFC822.SIZE PREVIEW)", NULL },
	{ "a FETCH 1:4 (ENVELOPE PREVIEW (LAZY))", NULL },
	{ "a FETCH $ (UID PREVIEW (LAZY))", NULL },
	{ "a FETCH 1 preview (lazy LAZY)", "FETCH 1 (PREVIEW (LAZY))" },
	{ "a FETCH 1 (PREVIEW (LAZY ) UID )", "FETCH 1 (PREVIEW (LAZY) UID)" },
	{ "a FETCH 998 (SAVEDATE)", NULL },
	{ "a SEARCH EMAILID M6d99ac3275bb4e NOT THREADID T64b_478-75b7ea9",
	    NULL },
	{ "a FETCH 1:* (emailid threadid)", "FETCH 1:* (EMAILID THREADID)" },

	/* 8-bit names and names in modified UTF-7 are left as they are. */
	{ "a SELECT &2D0-", "SELECT &2D0-" },
	{ "a SELECT \"Entw\xc3\xbcrfe\"", NULL }
};

static const struct sample streams[] = {
	/* RFC 3501 6.3.11, RFC 7888, RFC 3516, RFC 9755 */
	{ "a APPEND saved-messages (\\Seen) {310}", NULL },
	{ "a APPEND x {310+}", "APPEND x () {310}" },
	{ "a APPEND \"a b\" (\\Seen foo) \"17-Jul-1996 02:44:25 -0700\" {0}",
	    NULL },
	{ "a APPEND {1}\r\nx \" 7-Jul-1996 02:44:25 +0000\" ~{5}",
	    "APPEND x () \"07-Jul-1996 02:44:25 +0000\" ~{5}" },
	{ "a APPEND x UTF8 (~{42+}", "APPEND x () UTF8 (~{42}" },
	{ "a APPEND x () {9223372036854775807}", NULL }
};

struct bad {
	const char *text;
	size_t at;
	const char *why;
};

static const struct bad bad[] = {
	{ "", 0, "Invalid tag" },
	{ " NOOP", 0, "Invalid tag" },
	{ "+a NOOP", 0, "Invalid tag" },
	{ "a+ NOOP", 1, "Invalid tag" },
	{ "* NOOP", 0, "Invalid tag" },
	{ "\x16\x03\x01", 0, "Invalid tag" },
	{ "a", 1, "Missing command" },
	{ "a ", 1, "Missing command" },
	{ "a  NOOP", 2, "Expected an atom" },
	{ "a FOO", 5, "Unknown command" },
	{ "a UID", 5, "Missing argument" },
	{ "a UID NOOP", 10, "Unknown command" },
	{ "a NOOP x", 7, "Unexpected text behind the arguments" },
	{ "a NOOP\r", 6, "Unexpected text behind the arguments" },
	{ "a NOOP {3}", 7, "Unexpected text behind the arguments" },
	{ "a LOGIN", 7, "Missing argument" },
	{ "a LOGIN x", 9, "Missing argument" },
	{ "a LOGIN \"x y", 12, "Quoted string without end" },
	{ "a LOGIN \"x\\y\" z", 11, "Only \" and \\ can follow a backslash "
	    "in a quoted string" },
	{ "a LOGIN \"x\"y", 11, "Expected a space" },
	{ "a LOGIN {3} z", 11, "Text behind a literal size" },
	{ "a LOGIN {x} z", 9, "Expected a number" },
	{ "a LOGIN {5\r\n", 10, "Malformed literal size" },
	{ "a LOGIN {99999999999999999999} z", 9, "Number too large" },
	{ "a LOGIN {000000000000000000003}", 9, "Number too large" },
	{ "a LOGIN {5}\r\nab", 13, "Literal cut short" },
	{ "a SELECT (x)", 9, "Expected an atom or string" },
	{ "a SELECT \xc3\xa9", 9, "Expected an atom or string" },
	{ "a SELECT x (FOO)", 12, "Unknown SELECT parameter" },
	{ "a SELECT x (QRESYNC (1 2 1:*))", 25,
	    "No * or $ is allowed in QRESYNC" },
	{ "a SELECT x (QRESYNC (1 2 (1 1) 1))", 30,
	    "Expected a closing parenthesis" },
	{ "a SELECT x ()", 12, "Unknown SELECT parameter" },
	{ "a STATUS x ()", 12, "Unknown STATUS item" },
	{ "a STATUS x (DELETED-)", 12, "Unknown STATUS item" },
	{ "a STATUS x (MESSAGES FOO)", 21, "Unknown STATUS item" },
	{ "a STATUS x MESSAGES", 11, "Expected a parenthesised list" },
	{ "a LIST (RECURSIVEMATCH REMOTE) \"\" *", 30,
	    "RECURSIVEMATCH needs another selection option" },
	{ "a LIST \"\" * RETURN (FOO)", 20, "Unknown LIST return option" },
	{ "a LIST \"\" * FOO", 12, "Expected RETURN" },
	{ "a LIST \"\" ()", 11, "Expected a mailbox pattern" },
	{ "a LSUB \"\" (a b)", 10, "Expected a mailbox pattern" },
	{ "a APPEND x (\\Seen {3}", 18, "Expected an atom" },
	{ "a APPEND x \"1-Foo-2000 00:00:00 +0000\" {3}", 11,
	    "Malformed date-time" },
	{ "a APPEND x foo", 11, "Expected a literal" },
	{ "a APPEND x {3}\r\nabc", 14, "Text behind a literal size" },
	{ "a APPEND x UTF8 ({3}", 17, "Expected a literal8" },
	{ "a APPEND x (\\Foo) {3}", 13, "Unknown system flag" },
	{ "a APPEND x (\\*) {3}", 13, "Unknown system flag" },
	{ "a FETCH 0 FLAGS", 8, "Malformed sequence set" },
	{ "a FETCH 1,,2 FLAGS", 8, "Malformed sequence set" },
	{ "a FETCH 1:2:3 FLAGS", 8, "Malformed sequence set" },
	{ "a FETCH 4294967296 FLAGS", 8, "Malformed sequence set" },
	{ "a FETCH x FLAGS", 8, "Expected a sequence set" },
	{ "a FETCH 1 FOO", 10, "Unknown FETCH item" },
	{ "a FETCH 1 (ALL)", 11, "Unknown FETCH item" },
	{ "a FETCH 1 ()", 11, "Expected a word" },
	{ "a FETCH 1 BODY.PEEK", 10, "Unknown FETCH item" },
	{ "a FETCH 1 PREVIEW (EAGER)", 19, "Unknown PREVIEW modifier" },
	{ "a SEARCH EMAILID \"M6\"", 17, "Expected an atom" },
	{ "a SEARCH THREADID T6+4", 18, "Malformed object identifier" },
	{ "a FETCH 1 PREVIEW ()", 19, "Unknown PREVIEW modifier" },
	{ "a FETCH 1 (UID (LAZY))", 15, "Expected a word" },
	{ "a FETCH 1 RFC822[]", 10, "Unknown FETCH item" },
	{ "a FETCH 1 UID (CHANGEDSINCE 0)", 28,
	    "A number here cannot begin with 0" },
	{ "a FETCH 1 UID (CHANGEDSINCE 1 CHANGEDSINCE 1)", 30,
	    "Unknown FETCH modifier" },
	{ "a FETCH 1 UID (CHANGEDSINCE 1 VANISHED)", 14,
	    "VANISHED is for UID FETCH with CHANGEDSINCE" },
	{ "a UID FETCH 1 UID (VANISHED)", 18,
	    "VANISHED is for UID FETCH with CHANGEDSINCE" },
	{ "a STORE 1 (UNCHANGEDSINCE 1 UNCHANGEDSINCE 1) FLAGS ()", 28,
	    "Unknown STORE modifier" },
	{ "a STORE 1 (UNCHANGEDSINCE 1)", 28, "Missing argument" },
	{ "a FETCH 1 BODY[0]", 15, "A number here cannot begin with 0" },
	{ "a FETCH 1 BODY[1.]", 17, "Unknown section" },
	{ "a FETCH 1 BODY[1 ]", 16, "Expected ]" },
	{ "a FETCH 1 BODY[MIME]", 19, "MIME needs a part number" },
	{ "a FETCH 1 BODY[HEADER.FIELDS ()]", 30,
	    "Expected an atom or string" },
	{ "a FETCH 1 BODY[]<0.0>", 19, "A number here cannot begin with 0" },
	{ "a FETCH 1 BODY[]<0>", 18, "Expected a point" },
	{ "a FETCH 1 BINARY[TEXT]", 17, "Expected ]" },
	{ "a FETCH 1 BINARY.SIZE[1]<0.1>", 24,
	    "Unexpected text behind the arguments" },
	{ "a STORE 1 FOO (x)", 10, "Expected FLAGS or FLAGS.SILENT" },
	{ "a STORE 1 FLAGS.LOUD (x)", 10, "Expected FLAGS or FLAGS.SILENT" },
	{ "a STORE 1 FLAGS (x)(y)", 19,
	    "Unexpected text behind the arguments" },
	{ "a STORE 1 FLAGS (x\"y)", 18,
	    "Expected a space or a closing parenthesis" },
	{ "a SEARCH", 8, "Missing argument" },
	{ "a SEARCH FOO", 9, "Unknown search key" },
	{ "a SEARCH ()", 10, "Expected a word" },
	{ "a SEARCH NOT", 12, "Missing argument" },
	{ "a SEARCH OR SEEN", 16, "Missing argument" },
	{ "a SEARCH ON 30-Feb-2000", 12, "Malformed date" },
	{ "a SEARCH ON 1-1-2000", 12, "Malformed date" },
	{ "a SEARCH OLDER 0", 15, "A number here cannot begin with 0" },
	{ "a SEARCH (SEEN", 14, "Expected a space or a closing parenthesis" },
	{ "a SORT", 6, "Missing argument" },
	{ "a SORT ALL", 7, "Expected a parenthesised list" },
	{ "a SORT () UTF-8 ALL", 8, "Expected a word" },
	{ "a SORT (FOO) UTF-8 ALL", 8, "Unknown sort key" },
	{ "a SORT (REVERSE) UTF-8 ALL", 15, "Expected a space" },
	{ "a SORT (REVERSE REVERSE DATE) UTF-8 ALL", 16, "Unknown sort key" },
	{ "a SORT (DATE)UTF-8 ALL", 13, "Expected a space" },
	{ "a SORT (DATE) UTF-8", 19, "Missing argument" },
	{ "a SORT (DATE) (SEEN)", 14, "Expected an atom" },
	{ "a SORT RETURN (CONTEXT) (DATE) UTF-8 ALL", 15,
	    "Unknown SEARCH return option" },
	{ "a THREAD", 8, "Missing argument" },
	{ "a THREAD JWZ UTF-8 ALL", 9, "Unknown threading algorithm" },
	{ "a THREAD REFS", 13, "Missing argument" },
	{ "a THREAD REFS UTF-8", 19, "Missing argument" },
	{ "a SEARCH (SEEN)OLD", 15, "Expected a space" },
	{ "a SEARCH OR (SEEN) )", 19, "Expected a word" },
	{ "a SEARCH MODSEQ 9223372036854775808", 16, "Number too large" },
	{ "a SEARCH MODSEQ \"/mail/x\" all 1", 16, "Unknown metadata entry" },
	{ "a SEARCH MODSEQ \"/flags/x\" some 1", 27,
	    "Unknown type of a metadata entry" },
	{ "a SEARCH RETURN (FOO) ALL", 17, "Unknown SEARCH return option" },
	{ "a ID (\"a\")", 9, "Expected a space" },
	{ "a ID (a b)", 6, "Expected a string" },
	{ "a ENABLE", 8, "Missing argument" },
	{ "a COPY 1 a b", 11, "Unexpected text behind the arguments" }
};

/* The print of a command, and its outcome; buf_done() by the caller. */
static enum parse_outcome
parse_print(struct span text, struct parse_result *r, struct buf *b)
{
	struct arena *arena = arena_new(256);
	struct command cmd;

	buf_init(b, PRINT_MAX);
	parse_command(text, arena, &cmd, r);
	if (r->outcome == PARSE_DONE || r->outcome == PARSE_STREAM)
		command_print(b, &cmd);
	arena_free(arena);
	return r->outcome;
}

static void
check_sample(const struct sample *s, enum parse_outcome want)
{
	const char *print = s->print != NULL ? s->print : s->text + 2;
	struct parse_result r;
	struct buf b, again, tagged;

	if (parse_print(span_str(s->text), &r, &b) != want)
		fail_msg("%s: %s at %zu", s->text, r.err_text, r.err_at);
	assert_text(buf_span(&b), print);

	/* What was printed is understood as the same. */
	buf_init(&tagged, PRINT_MAX);
	buf_puts(&tagged, "tag ");
	buf_put_span(&tagged, buf_span(&b));
	assert_int_equal(parse_print(buf_span(&tagged), &r, &again), want);
	assert_text(buf_span(&again), print);
	buf_done(&tagged);
	buf_done(&again);
	buf_done(&b);
}

static void
test_valid(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(valid); i++)
		check_sample(&valid[i], PARSE_DONE);
	for (size_t i = 0; i < COUNT(streams); i++)
		check_sample(&streams[i], PARSE_STREAM);
}

static void
test_bad(void **state)
{
	struct parse_result r;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (parse_print(span_str(bad[i].text), &r, &b) != PARSE_BAD)
			fail_msg("%s is not bad", bad[i].text);
		if (r.err_at != bad[i].at ||
		    strcmp(r.err_text, bad[i].why) != 0)
			fail_msg("%s: %s at %zu", bad[i].text, r.err_text,
			    r.err_at);
		assert_int_equal(r.is_unknown,
		    strcmp(bad[i].why, "Unknown command") == 0);
		buf_done(&b);
	}
}

/*
 * Each prefix, in memory of just its size: never a crash, an error inside the
 * text, and a literal asked for exactly where one is announced.
 */
static void
check_prefix(const char *text, size_t n)
{
	uint8_t *copy = mem_dup(text, n);
	struct span s = span_of(copy, n);
	struct parse_result r;
	struct buf b;
	bool is_literal = has_suffix(s, SPAN("}"));

	copy = mem_resize(copy, n == 0 ? 1 : n, 1);
	s.p = copy;
	switch (parse_print(s, &r, &b)) {
	case PARSE_BAD:
		assert_true(r.err_at <= n);
		assert_non_null(r.err_text);
		break;
	case PARSE_LITERAL:
	case PARSE_STREAM:
		assert_true(is_literal);
		break;
	case PARSE_DONE:
		assert_false(is_literal);
		break;
	}
	buf_done(&b);
	free(copy);
}

static void
test_prefixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(valid); i++)
		for (size_t n = 0; n <= strlen(valid[i].text); n++)
			check_prefix(valid[i].text, n);
	for (size_t i = 0; i < COUNT(streams); i++)
		for (size_t n = 0; n <= strlen(streams[i].text); n++)
			check_prefix(streams[i].text, n);
}

static void
test_literal_result(void **state)
{
	struct arena *arena = arena_new(256);
	struct command cmd;
	struct parse_result r;

	(void)state;
	parse_command(SPAN("tag1 LOGIN {12345678901}"), arena, &cmd, &r);
	assert_int_equal(r.outcome, PARSE_LITERAL);
	assert_true(r.literal_size == 12345678901);
	assert_false(r.literal_is_nonsync);
	assert_text(cmd.tag, "tag1");
	assert_int_equal(cmd.id, CMD_LOGIN);

	parse_command(SPAN("t APPEND {1}\r\nx () ~{7+}"), arena, &cmd, &r);
	assert_int_equal(r.outcome, PARSE_STREAM);
	assert_true(r.literal_size == 7 && cmd.u.append.size == 7);
	assert_true(r.literal_is_nonsync && r.literal_is_binary);
	assert_true(cmd.u.append.is_binary);

	parse_command(SPAN("t SELECT {3}\r\na\0b"), arena, &cmd, &r);
	assert_int_equal(r.outcome, PARSE_BAD);
	assert_string_equal(r.err_text, "NUL in a literal");
	assert_text(cmd.tag, "t");
	assert_int_equal(cmd.id, CMD_SELECT);

	parse_command(SPAN("t.1 uid FROB x"), arena, &cmd, &r);
	assert_true(r.is_unknown);
	assert_text(cmd.tag, "t.1");
	assert_text(cmd.name, "uid FROB");
	assert_int_equal(cmd.id, CMD_NONE);
	arena_free(arena);
}

static void
test_append_next(void **state)
{
	struct arena *arena = arena_new(256);
	struct append_args args = { .mailbox = SPAN("x") };
	struct parse_result r;

	(void)state;
	parse_append_next(SPAN(""), arena, &args, &r);
	assert_int_equal(r.outcome, PARSE_DONE);
	parse_append_next(SPAN(" (\\Seen) {17+}"), arena, &args, &r);
	assert_int_equal(r.outcome, PARSE_STREAM);
	assert_true(args.size == 17 && args.flags.sys == MAILDIR_SEEN);
	assert_text(args.mailbox, "x");
	parse_append_next(SPAN(" UTF8 (~{3}"), arena, &args, &r);
	assert_int_equal(r.outcome, PARSE_STREAM);
	assert_true(args.is_utf8 && args.flags.sys == 0);
	parse_append_next(SPAN(""), arena, &args, &r);
	assert_int_equal(r.outcome, PARSE_BAD);
	parse_append_next(SPAN(") "), arena, &args, &r);
	assert_int_equal(r.outcome, PARSE_DONE);
	parse_append_next(SPAN("x"), arena, &(struct append_args){ .size = 1 },
	    &r);
	assert_int_equal(r.outcome, PARSE_BAD);
	arena_free(arena);
}

/* n times piece, between head and tail */
static void
repeat(struct buf *b, const char *head, const char *piece, size_t n,
    const char *tail)
{
	buf_init(b, PRINT_MAX);
	buf_puts(b, head);
	for (size_t i = 0; i < n; i++)
		buf_puts(b, piece);
	buf_puts(b, tail);
}

static void
check_repeated(const char *head, const char *piece, size_t n, const char *tail,
    enum parse_outcome want)
{
	struct arena *arena = arena_new(256);
	struct command cmd;
	struct parse_result r;
	struct buf b;

	repeat(&b, head, piece, n, tail);
	parse_command(buf_span(&b), arena, &cmd, &r);
	assert_int_equal(r.outcome, want);
	buf_done(&b);
	arena_free(arena);
}

/* A search that is nested n deep. */
static void
check_nested(const char *open, const char *close, size_t n)
{
	struct buf b;

	repeat(&b, "ALL", close, n, "");
	check_repeated("a SEARCH ", open, n, buf_cstr(&b), PARSE_DONE);
	buf_done(&b);
}

static void
test_limits(void **state)
{
	(void)state;
	check_repeated("a SEARCH ", "(", 999, "ALL", PARSE_BAD);
	check_repeated("a SEARCH ", "(", 100000, "ALL", PARSE_BAD);
	check_repeated("a SEARCH ", "OR ALL ", 100000, "ALL", PARSE_DONE);
	check_repeated("a SEARCH ", "NOT ", 100000, "ALL", PARSE_DONE);
	check_repeated("a SEARCH ", "OR ", 100000, "ALL", PARSE_BAD);
	check_nested("(", ")", 500000);
	check_nested("NOT (1 ", ")", 100000);
	check_nested("OR NOT ", " 2", 100000);
	check_nested("NOT OR (1 2) ", "", 100000);
	check_repeated("a SEARCH ALL", " ALL", 300000, "", PARSE_DONE);
	check_repeated("a FETCH 1", ",3:5", 1000000, " FLAGS", PARSE_DONE);
	check_repeated("a FETCH 1 (UID", " UID", PARSE_LIST_MAX - 1, ")",
	    PARSE_DONE);
	check_repeated("a FETCH 1 (UID", " UID", PARSE_LIST_MAX, ")",
	    PARSE_BAD);
	check_repeated("a FETCH 1 BODY[1", ".1", PARSE_PARTS_MAX - 1, "]",
	    PARSE_DONE);
	check_repeated("a FETCH 1 BODY[1", ".1", PARSE_PARTS_MAX, "]",
	    PARSE_BAD);
	check_repeated("", "a", PARSE_TAG_MAX, " NOOP", PARSE_DONE);
	check_repeated("", "a", PARSE_TAG_MAX + 1, " NOOP", PARSE_BAD);
}

/* ---- the table ------------------------------------------------------- */

static void
test_table(void **state)
{
	const struct command_row *row;

	(void)state;
	for (enum command_id id = CMD_NONE + 1; id < CMD_COUNT; id++) {
		row = command_row(id);
		assert_int_equal(row->id, id);
		assert_non_null(row->parse);
		assert_true(row->states != 0);
		assert_ptr_equal(command_find(span_str(row->name)), row);
	}
	assert_false(command_row(CMD_FETCH)->flags & COMMAND_TELLS_EXPUNGE);
	assert_false(command_row(CMD_STORE)->flags & COMMAND_TELLS_EXPUNGE);
	assert_false(command_row(CMD_SEARCH)->flags & COMMAND_TELLS_EXPUNGE);
	assert_true(command_row(CMD_UID_FETCH)->flags & COMMAND_TELLS_EXPUNGE);
	assert_int_equal(command_find(SPAN("xList"))->id, CMD_LIST);
	assert_null(command_find(SPAN("UID")));
	assert_null(command_find(SPAN("")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_literal_result),
		cmocka_unit_test(test_append_next),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_table)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
