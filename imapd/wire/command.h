/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * command.h: one client command as data.
 *
 * What the parser makes and the run functions read.  Plain data in the arena of
 * the command: no pointers into the session, no behaviour.  Names of mailboxes
 * are as on the wire (quotes and literals undone); mailname.h turns them into
 * paths.
 */
#ifndef IMAPD_WIRE_COMMAND_H
#define IMAPD_WIRE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "imapd/wire/seqset.h"

/* Every command; the rows of command_table.c are found by it. */
enum command_id {
	CMD_NONE,
	/* any state */
	CMD_CAPABILITY, CMD_NOOP, CMD_LOGOUT, CMD_ID,
	/* not authenticated */
	CMD_STARTTLS, CMD_AUTHENTICATE, CMD_LOGIN,
	/* authenticated */
	CMD_ENABLE, CMD_SELECT, CMD_EXAMINE, CMD_CREATE, CMD_DELETE, CMD_RENAME,
	CMD_SUBSCRIBE, CMD_UNSUBSCRIBE, CMD_LIST, CMD_LSUB, CMD_NAMESPACE,
	CMD_STATUS, CMD_APPEND, CMD_IDLE, CMD_GETQUOTA, CMD_GETQUOTAROOT,
	/* selected */
	CMD_CHECK, CMD_CLOSE, CMD_UNSELECT, CMD_EXPUNGE, CMD_SEARCH, CMD_FETCH,
	CMD_STORE, CMD_COPY, CMD_MOVE, CMD_SORT, CMD_THREAD,
	CMD_UID_EXPUNGE, CMD_UID_SEARCH, CMD_UID_FETCH, CMD_UID_STORE,
	CMD_UID_COPY, CMD_UID_MOVE, CMD_UID_SORT, CMD_UID_THREAD,
	CMD_COUNT
};

struct spans {
	struct span *v;
	size_t n;
};

/* ---- flags ----------------------------------------------------------- */

struct flag_list {
	uint32_t sys;		/* MAILDIR_SEEN and so on (same bits) */
	struct spans keywords;	/* as spelled */
	bool has_recent;	/* \Recent was among them: ignored */
	bool has_long;		/* a keyword was longer than any mailbox can
				 * hold: left out */
};

/* ---- FETCH ----------------------------------------------------------- */

enum fetch_what {
	FETCH_UID, FETCH_FLAGS, FETCH_INTERNALDATE, FETCH_RFC822_SIZE,
	FETCH_ENVELOPE, FETCH_BODY, FETCH_BODYSTRUCTURE,
	FETCH_SECTION,		/* BODY[...], and RFC822* by another name */
	FETCH_MODSEQ, FETCH_BINARY, FETCH_BINARY_SIZE, FETCH_EMAILID,
	FETCH_THREADID, FETCH_SAVEDATE, FETCH_PREVIEW
};

enum section_what {
	SECTION_ALL,		/* BODY[], BODY[1.2] */
	SECTION_HEADER,		/* .HEADER */
	SECTION_FIELDS,		/* .HEADER.FIELDS (...) */
	SECTION_FIELDS_NOT,
	SECTION_TEXT,
	SECTION_MIME
};

struct section {
	const uint32_t *part;	/* 1.2.3; nparts of 0: the message */
	size_t nparts;
	enum section_what what;
	struct spans fields;	/* names as the client wrote them */
};

struct fetch_item {
	enum fetch_what what;
	struct section section;
	bool is_peek;
	bool is_lazy;		/* PREVIEW (LAZY) (RFC 8970 4.1) */
	bool has_partial;
	uint64_t partial_off;	/* <off.len> */
	uint64_t partial_len;
	const char *name;	/* how to answer: "RFC822.HEADER"; NULL: by what
				 * and section */
};

struct fetch_args {
	struct seqset set;
	struct fetch_item *item;
	size_t nitems;
	bool has_modseq;	/* FETCH_MODSEQ is among them */
	/* Modifiers (RFC 7162 3.1.4.1, 3.2.6): */
	bool has_since;		/* CHANGEDSINCE */
	uint64_t since;
	bool wants_vanished;	/* VANISHED: refuse unless QRESYNC is enabled */
};

/* ---- SEARCH ---------------------------------------------------------- */

enum search_key {
	KEY_ALL,
	KEY_AND, KEY_OR,	/* any number of children, at least one (AND)
				 * or two (OR: OR a OR b c is one node, and so
				 * is OR OR a b c) */
	KEY_NOT,				/* one child */
	KEY_SEQ, KEY_UID,			/* set */
	KEY_FLAG, KEY_UNFLAG,			/* sys: one MAILDIR_ bit */
	KEY_KEYWORD, KEY_UNKEYWORD,		/* text */
	KEY_RECENT, KEY_NEW, KEY_OLD,
	KEY_BEFORE, KEY_ON, KEY_SINCE,		/* date */
	KEY_SENTBEFORE, KEY_SENTON, KEY_SENTSINCE,
	KEY_LARGER, KEY_SMALLER,		/* number */
	KEY_HEADER,				/* field, text */
	KEY_FROM, KEY_TO, KEY_CC, KEY_BCC, KEY_SUBJECT,	/* text */
	KEY_BODY, KEY_TEXT,
	KEY_OLDER, KEY_YOUNGER,			/* number: RFC 5032 */
	KEY_MODSEQ, KEY_EMAILID, KEY_THREADID,
	KEY_SAVEDBEFORE, KEY_SAVEDON, KEY_SAVEDSINCE, KEY_SAVEDATESUPPORTED
};

/* Walked with parent, child and next: a program may be nested as deep as a
 * command is long, and no stack is that deep. */
struct search_node {
	struct search_node *parent;	/* NULL: the root */
	struct search_node *child;	/* first operand */
	struct search_node *next;	/* next operand of the parent */
	enum search_key key;
	/* of imapd/mailbox/search_program.c: */
	uint32_t ntests;		/* at and below this node */
	uint32_t go[2];
	uint8_t cost;
	union {				/* by the key */
		struct seqset set;
		uint32_t sys;
		struct {
			struct span field;
			struct span text;	/* in the charset of the
						 * command */
		};
		int64_t day;		/* days since 1970-01-01, no zone */
		uint64_t number;
	};
};

struct search_args {
	struct span charset;		/* p == NULL: none given */
	struct search_node *root;	/* KEY_AND over the keys given */
	bool has_modseq;		/* KEY_MODSEQ is among them */
	bool has_numbers;		/* ... KEY_SEQ, other than "$" */
	bool has_return;		/* RETURN (...) (RFC 4731) */
	uint32_t want;			/* set of SEARCH_RETURN_ */
};

enum {
	SEARCH_RETURN_MIN = 1, SEARCH_RETURN_MAX = 2, SEARCH_RETURN_ALL = 4,
	SEARCH_RETURN_COUNT = 8, SEARCH_RETURN_SAVE = 16
};

/* ---- SORT, THREAD ---------------------------------------------------- */

/* RFC 5256 sort-key, RFC 5957 */
enum sort_key {
	SORT_ARRIVAL, SORT_CC, SORT_DATE, SORT_DISPLAYFROM, SORT_DISPLAYTO,
	SORT_FROM, SORT_SIZE, SORT_SUBJECT, SORT_TO,
	SORT_KEYS		/* how many there are */
};

struct sort_criterion {
	enum sort_key key;
	bool is_reverse;
};

struct sort_args {
	struct search_args search;	/* has_return: RFC 5267 */
	/* Each key at most once: named again it could decide nothing. */
	struct sort_criterion criterion[SORT_KEYS];
	size_t ncriteria;
};

enum thread_algorithm {
	THREAD_ORDEREDSUBJECT, THREAD_REFERENCES, THREAD_REFS
};

struct thread_args {
	struct search_args search;
	enum thread_algorithm algorithm;
};

/* ---- the others ------------------------------------------------------ */

struct store_args {
	struct seqset set;
	int op;			/* enum maildir_store_op, same values */
	bool is_silent;
	bool has_since;		/* UNCHANGEDSINCE (RFC 7162 3.1.3) */
	uint64_t since;
	struct flag_list flags;
};

struct copy_args {
	struct seqset set;
	struct span mailbox;
};

enum {
	STATUS_MESSAGES = 1, STATUS_RECENT = 2, STATUS_UIDNEXT = 4,
	STATUS_UIDVALIDITY = 8, STATUS_UNSEEN = 16, STATUS_SIZE = 32,
	STATUS_DELETED = 64, STATUS_HIGHESTMODSEQ = 128, STATUS_MAILBOXID = 256,
	STATUS_APPENDLIMIT = 512, STATUS_DELETED_STORAGE = 1024
};

struct status_args {
	struct span mailbox;
	uint32_t items;
};

struct list_args {
	struct span reference;
	struct spans patterns;
	bool is_lsub;
	bool is_xlist;
	bool is_extended;	/* any of: (selection), (patterns), RETURN */
	uint32_t select;	/* set of LIST_SELECT_ */
	uint32_t want;		/* RETURN: set of LIST_WANT_ */
	uint32_t status_items;	/* LIST_WANT_STATUS: set of STATUS_ */
};

/* LIST-EXTENDED (RFC 5258), SPECIAL-USE (6154), LIST-STATUS (5819) */
enum {
	LIST_SELECT_SUBSCRIBED = 1, LIST_SELECT_REMOTE = 2,
	LIST_SELECT_RECURSIVEMATCH = 4, LIST_SELECT_SPECIAL_USE = 8
};
enum {
	LIST_WANT_SUBSCRIBED = 1, LIST_WANT_CHILDREN = 2,
	LIST_WANT_SPECIAL_USE = 4, LIST_WANT_STATUS = 8
};

/* CREATE-SPECIAL-USE (RFC 6154).  The mailbox is u.mailbox as well. */
struct create_args {
	struct span mailbox;
	struct spans use;	/* use-attr: "\Drafts", as spelled */
};

struct append_args {
	struct span mailbox;
	struct flag_list flags;
	bool has_date;
	int64_t date;		/* seconds since 1970 */
	int date_zone;		/* minutes east */
	bool is_utf8;		/* UTF8 (~{n}): refuse unless enabled */
	bool is_binary;		/* literal8: NUL is allowed (RFC 3516) */
	/* The message itself is not here: the parser stops at its literal
	 * (PARSE_STREAM) and the session streams it to the store. */
	uint64_t size;
};

struct id_args {
	struct spans kv;	/* name, value, name, value; p == NULL: NIL */
};

struct login_args {
	struct span user, password;
};

struct auth_args {
	struct span mechanism;
	bool has_initial;	/* SASL-IR (RFC 4959) */
	struct span initial;	/* still base64; "=" means empty */
};

struct rename_args {
	struct span from, to;
};

/* QRESYNC (uidvalidity modseq [uids] [(seqs uids)]) (RFC 7162 3.2.5) */
struct qresync_args {
	uint32_t uidvalidity;
	uint64_t modseq;
	struct seqset known;		/* n of 0: not given */
	struct seqset match_seqs;	/* n of 0: not given */
	struct seqset match_uids;
};

struct select_args {
	struct span mailbox;
	bool is_condstore;
	bool is_qresync;
	struct qresync_args qresync;
};

struct command {
	struct span tag;
	struct span name;	/* as the client wrote it, "UID FETCH" joined */
	enum command_id id;
	bool is_uid;		/* a UID command */
	union {
		struct span mailbox;	/* CREATE, DELETE, (UN)SUBSCRIBE,
					 * GETQUOTAROOT */
		struct span quota_root;	/* GETQUOTA */
		struct create_args create;
		struct spans words;	/* ENABLE */
		struct login_args login;
		struct auth_args auth;
		struct id_args ident;
		struct select_args select;
		struct rename_args rename;
		struct list_args list;
		struct status_args status;
		struct append_args append;
		struct seqset expunge;	/* UID EXPUNGE */
		struct search_args search;
		struct sort_args sort;
		struct thread_args thread;
		struct fetch_args fetch;
		struct store_args store;
		struct copy_args copy;
	} u;
};

#endif
