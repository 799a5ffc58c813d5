/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * maildir.h: a user's mail as files with UIDs, flags and a history.
 *
 * The only header of this folder that the rest of the tree includes, and
 * therefore longer than 600 lines.  It knows no IMAP syntax and no sequence
 * numbers: messages are named by UID, mailboxes by their path components in
 * UTF-8, flags by bits.
 *
 *	struct maildir_store	one user's mail: a root directory and its layout
 *	struct maildir		one open mailbox
 *	struct maildir_file	one open message
 *	struct maildir_append	messages on their way in
 *
 * What is on disk is shared with delivery agents, mail readers, and Dovecot,
 * any of which may change it at any moment; see imapd-files(5).  A struct
 * maildir is this process's picture of one mailbox.  It changes only inside the
 * calls that say so (maildir_refresh() and those that modify), never behind the
 * caller's back.
 *
 * Errors: every function that returns int gives 0 or a code of base/err.h:
 *	ERR_NOENT	no such mailbox, or no such message any more
 *	ERR_NAME	a name that the store cannot hold
 *	ERR_EXISTS	there is such a mailbox already
 *	ERR_ACCESS, ERR_READONLY, ERR_NOSPACE, ERR_QUOTA, ERR_IO
 *	ERR_BUSY	the lock was held by somebody else until lock_ms ran out
 *	ERR_LIMIT	one of the named limits below
 *	ERR_UNAVAIL	the mail root is not there (disk not mounted)
 * On an error nothing has changed, unless the function says otherwise.
 */
#ifndef MAILDIR_MAILDIR_H
#define MAILDIR_MAILDIR_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/deadline.h"
#include "base/err.h"
#include "base/span.h"

/* Named limits. */
#define MAILDIR_KEYWORDS_MAX	64	/* keywords in one mailbox */
#define MAILDIR_KEYWORD_LEN	128	/* bytes of one keyword */
#define MAILDIR_LEVELS_MAX	32	/* components of a mailbox name */
#define MAILDIR_NAME_MAX	250	/* bytes of one directory's name */

/* ---- the store ------------------------------------------------------- */

enum maildir_layout {
	MAILDIR_PLUSPLUS,	/* .Foo.Bar beside cur/, new/, tmp/ */
	MAILDIR_FS		/* Foo/Bar, directories in directories */
};

/* How much mail a user may have; 0: as much as he likes. */
struct maildir_limits {
	uint64_t bytes;
	uint64_t messages;
};

enum maildir_quota_kind {
	MAILDIR_QUOTA_NONE,	/* nothing is counted; maildirsize is left
				 * alone */
	MAILDIR_QUOTA_FILE,	/* the limits are those in maildirsize; where
				 * there is none, limits are for a new one */
	MAILDIR_QUOTA_LIMITS	/* limits, whatever maildirsize says */
};

struct maildir_conf {
	const char *root;	/* absolute path of the Maildir */
	const char *inbox;	/* directory of INBOX; NULL: root */
	const char *control;	/* directory of the UID lists; NULL: with the
				 * mail (Dovecot's CONTROL=) */
	enum maildir_layout layout;
	bool utf8_names;	/* names on disk are UTF-8, not modified
				 * UTF-7 */
	bool fsync;		/* sync before reporting success */
	bool create;		/* make the root if only its last component is
				 * missing and its parent belongs to us */
	uint64_t lock_ms;	/* patience with a lock held by others */
	enum maildir_quota_kind quota;
	struct maildir_limits limits;

	/* Called, if it is not NULL, when something of a mailbox (the path of
	 * its directory) is found damaged and mended: what an operator wants
	 * to read in the log. */
	void (*note)(void *arg, const char *mailbox, const char *file,
	    const char *text);
	void *note_arg;
};

struct maildir_store;

/*
 * maildir_store_open(conf, ret_store): the store that conf describes; strings
 * are copied.  ERR_UNAVAIL if the root is missing and may not be made: a
 * missing disk must never look like an empty mailbox.
 */
int maildir_store_open(const struct maildir_conf *conf,
    struct maildir_store **ret_store) ERR_CHECK;
void maildir_store_free(struct maildir_store *store);

/*
 * maildir_on_progress(store, tick, cookie): while many messages are stored,
 * copied, moved or expunged, tick is called behind each, with the count of
 * those that are done.  A lock may be held then: tick returns at once, and
 * calls nothing here.  NULL: nobody wants to know.
 */
typedef void maildir_tick(void *cookie, size_t done);

void maildir_on_progress(struct maildir_store *store, maildir_tick *tick,
    void *cookie);

/* ---- mailboxes ------------------------------------------------------- */

/*
 * A mailbox name: its components from the top, each in UTF-8, none empty.
 * The inbox is the single component "INBOX", upper case; the caller has
 * already folded the case.  Components may hold any character that the layout
 * can store or escape, '.' and '/' among them (as "a.b" is stored ".a\2eb").
 */
struct maildir_path {
	const struct span *level;
	size_t n;
};

bool is_maildir_inbox(const struct maildir_path *path);

/*
 * maildir_path_check(store, path): 0 if a mailbox of this name could be stored:
 * UTF-8, no control characters, not "." or "..", not a name that belongs to a
 * file of ours, not too long.  ERR_NAME otherwise.  Does not touch the disk.
 */
int maildir_path_check(const struct maildir_store *store,
    const struct maildir_path *path) ERR_CHECK;

struct maildir_entry {
	struct maildir_path path;	/* in the arena given to the lister */
	bool is_mailbox;	/* false: only a parent of mailboxes */
	bool has_children;
};

/*
 * maildir_list(store, arena, ret, ret_n): every mailbox and every parent of
 * one, sorted component by component in byte order with INBOX first.  No
 * mailbox is opened.  Directories whose names cannot be decoded are listed
 * under an escaped name by which they can be opened.  ERR_UNAVAIL if the root
 * was removed: it must not look like a store without folders.
 */
int maildir_list(struct maildir_store *store, struct arena *arena,
    struct maildir_entry **ret, size_t *ret_n) ERR_CHECK;

/* maildir_exists(): 0, or ERR_NOENT if it is no mailbox (a mere parent is
 * none). */
int maildir_exists(struct maildir_store *store,
    const struct maildir_path *path) ERR_CHECK;

/*
 * maildir_create(): a complete empty mailbox, with a UIDVALIDITY that no
 * mailbox of this name has had before.  Parents are not made; they show up as
 * entries that are no mailboxes.
 */
int maildir_create(struct maildir_store *store,
    const struct maildir_path *path) ERR_CHECK;

/*
 * maildir_delete(): the mailbox and its messages; its children stay.  INBOX is
 * refused with ERR_NAME.  ERR_NOENT for a mere parent, except one without
 * children, as the fs layout can have: that goes.
 */
int maildir_delete(struct maildir_store *store,
    const struct maildir_path *path) ERR_CHECK;

/*
 * maildir_rename(): with all children; UIDs and UIDVALIDITY go along.  INBOX as
 * the source moves its messages into a new mailbox and leaves INBOX empty and
 * its children where they are (RFC 3501 6.3.5).  Subscriptions are not touched.
 */
int maildir_rename(struct maildir_store *store,
    const struct maildir_path *from, const struct maildir_path *to) ERR_CHECK;

/* maildir_subscriptions(): the subscribed names, sorted; they need not
 * exist. */
int maildir_subscriptions(struct maildir_store *store, struct arena *arena,
    struct maildir_path **ret, size_t *ret_n) ERR_CHECK;

/* maildir_subscribe(): add or remove one; 0 if it was so already. */
int maildir_subscribe(struct maildir_store *store,
    const struct maildir_path *path, bool on) ERR_CHECK;

struct maildir_status {
	uint32_t messages;
	uint32_t recent;	/* what a SELECT now would announce */
	uint32_t unseen;	/* messages without MAILDIR_SEEN */
	uint32_t deleted;
	uint32_t uidvalidity;
	uint32_t uidnext;
	uint64_t highestmodseq;	/* at least 1 */
	uint64_t size;		/* sum of sizes; only if asked for */
	uint8_t guid[16];	/* MAILBOXID */
};

/*
 * maildir_status(store, path, want_size, ret): as SELECT would find it,
 * including mail delivered a moment ago; gives UIDs to new messages but leaves
 * them in new/ (they stay recent).
 */
int maildir_status(struct maildir_store *store,
    const struct maildir_path *path, bool want_size,
    struct maildir_status *ret) ERR_CHECK;

/*
 * maildir_deleted_size(store, path, ret): bytes that an expunge of all messages
 * with MAILDIR_DELETED would take off the quota.
 */
int maildir_deleted_size(struct maildir_store *store,
    const struct maildir_path *path, uint64_t *ret) ERR_CHECK;

/* ---- quota ----------------------------------------------------------- */

struct maildir_quota {
	struct maildir_limits used;
	struct maildir_limits limits;
};

/*
 * maildir_quota(store, ret): what the user has and may have, counted anew if
 * others have changed something without telling.  ERR_NOENT: there is no quota.
 *
 * maildir_append_begin() and maildir_copy() give ERR_QUOTA where a limit would
 * be passed.  Nothing else is ever refused.
 */
int maildir_quota(struct maildir_store *store, struct maildir_quota *ret)
    ERR_CHECK;

/* ---- one open mailbox ------------------------------------------------ */

struct maildir;

/*
 * maildir_open(store, path, is_readonly, ret): with every message that is there
 * now.  Unless is_readonly, messages are moved from new/ to cur/ and this
 * handle is the one for which they are recent.  A store on a read-only file
 * system opens too; is_maildir_readonly() then says so.
 */
int maildir_open(struct maildir_store *store, const struct maildir_path *path,
    bool is_readonly, struct maildir **ret) ERR_CHECK;
void maildir_close(struct maildir *md);

bool is_maildir_readonly(const struct maildir *md);
uint32_t maildir_uidvalidity(const struct maildir *md);
uint32_t maildir_uidnext(const struct maildir *md);
uint64_t maildir_highestmodseq(const struct maildir *md);
const uint8_t *maildir_guid(const struct maildir *md);	/* 16 bytes */

/* System flags; the letters are those in file names. */
enum {
	MAILDIR_DRAFT = 1,	/* D */
	MAILDIR_FLAGGED = 2,	/* F */
	MAILDIR_ANSWERED = 4,	/* R */
	MAILDIR_SEEN = 8,	/* S */
	MAILDIR_DELETED = 16	/* T */
};

struct maildir_flags {
	uint32_t sys;		/* MAILDIR_SEEN and so on */
	uint64_t kw;		/* bit i: keyword number i of this mailbox */
};

struct maildir_msg {
	uint32_t uid;
	bool is_recent;		/* to this handle */
	struct maildir_flags flags;
	uint64_t modseq;	/* of the last change; at least 1 */
};

/* Messages are numbered 0 .. count - 1 in order of UID, until the next call
 * that may change the picture. */
size_t maildir_count(const struct maildir *md);

/* maildir_get(md, i, ret): message number i; i must be below the count. */
void maildir_get(const struct maildir *md, size_t i, struct maildir_msg *ret);

/* maildir_next_flagged(md, i, mask, sys): the first message from number i on
 * whose system flags are sys as far as mask goes; the count if there is none.
 * A thousand messages take about a microsecond. */
size_t maildir_next_flagged(const struct maildir *md, size_t i, unsigned mask,
    unsigned sys);

/* maildir_find(md, uid): number of the first message whose UID is uid or
 * higher; the count if there is none. */
size_t maildir_find(const struct maildir *md, uint32_t uid);

/* maildir_uids(md, i, n, ret): the UIDs of n messages from number i on, which
 * are all there. */
void maildir_uids(const struct maildir *md, size_t i, size_t n, uint32_t *ret);

/* maildir_tally(md, from, ret): how many of the messages from number from on
 * are what, and which is the first of them (the count, if there is none). */
struct maildir_tally {
	uint32_t recent;
	uint32_t unseen;	/* without MAILDIR_SEEN */
	uint32_t deleted;
	size_t first_recent;
	size_t first_unseen;
};

void maildir_tally(const struct maildir *md, size_t from,
    struct maildir_tally *ret);

/*
 * maildir_rest(md): the caller is about to wait, perhaps for hours: memory that
 * can be had again from the disk is given back.  The next call that needs it
 * takes it again.
 */
void maildir_rest(struct maildir *md);

/*
 * maildir_refresh(md, ret, ret_n): look what others (and deliveries) have
 * changed, cheapest test first, and bring the picture up to date.  *ret are the
 * changes since the last refresh or modification through this handle, at most
 * one for a UID, in order of UID; valid until the next call on md.  ERR_NOENT:
 * the mailbox was deleted; ERR_GONE: it has another UIDVALIDITY.  On an error
 * the picture is as it was.
 */
enum maildir_what {
	MAILDIR_ADDED,
	MAILDIR_CHANGED,	/* flags or keywords */
	MAILDIR_EXPUNGED	/* no longer in the picture */
};

struct maildir_change {
	uint32_t uid;
	enum maildir_what what;
};

int maildir_refresh(struct maildir *md, const struct maildir_change **ret,
    size_t *ret_n) ERR_CHECK;

/*
 * maildir_check(md): ERR_NOENT if the mailbox is no longer where it was opened:
 * deleted, or renamed, by somebody else.  The messages of a deleted mailbox
 * vanish one by one before it does; a caller that tells of expunges asks first.
 */
int maildir_check(const struct maildir *md) ERR_CHECK;

/*
 * maildir_watch(md): a descriptor that becomes readable when a refresh may find
 * something, or -1 where there is none to be had (then poll every
 * maildir_watch_ms() milliseconds).  It belongs to md.  maildir_refresh()
 * drains it; call that once between maildir_watch() and the first poll, for
 * what happened before the watch was there.  What happens from here on costs a
 * refresh no look at the directories.
 */
int maildir_watch(struct maildir *md);
unsigned maildir_watch_ms(const struct maildir *md);

/*
 * is_maildir_unsettled(md): something has changed of late, and a refresh
 * MAILDIR_SETTLE_MS from now can put on record that nothing else has, so that
 * who opens the mailbox next need not read the directories.  Worth it for a
 * caller who has nothing else to do.
 */
#define MAILDIR_SETTLE_MS	30u
bool is_maildir_unsettled(const struct maildir *md);

/* maildir_watch_err(md): why maildir_watch() gave -1: ERR_LIMIT or ERR_NOSPACE:
 * the user has no more inotify instances or watches; ERR_UNSUPPORTED: a file
 * system that others may change. */
int maildir_watch_err(const struct maildir *md);

/*
 * maildir_vanished(md, since, arena, ret, ret_n): the UIDs of messages that
 * were expunged after this mod-sequence, ascending, in the arena (RFC 7162
 * 3.2.5.1).  ERR_GONE: that is too long ago to be known completely.
 */
int maildir_vanished(struct maildir *md, uint64_t since, struct arena *arena,
    uint32_t **ret, size_t *ret_n) ERR_CHECK;

/* ---- keywords -------------------------------------------------------- */

/* Names of keyword number i, i below maildir_keyword_count(); the empty span
 * for a number that has no name (yet). */
size_t maildir_keyword_count(const struct maildir *md);
struct span maildir_keyword_name(const struct maildir *md, size_t i);

/*
 * maildir_keyword(md, name, create, ret_i): the number of a keyword, compared
 * without regard to ASCII case.  If there is none: a new one if create is true,
 * spelled as given, recorded on disk before it returns; else ERR_NOENT.
 * ERR_LIMIT when the mailbox can have no more.
 */
int maildir_keyword(struct maildir *md, struct span name, bool create,
    size_t *ret_i) ERR_CHECK;

/* A keyword with any name can still be made. */
bool has_maildir_keyword_room(const struct maildir *md);

/* ---- what was found out about messages ------------------------------- */

/*
 * What a message's file was read for can be kept beside the mail, so that it
 * need not be read again: any bytes, by UID and kind; with UID 0 what is about
 * the mailbox, not one message.  A kind is a name that the caller makes up,
 * with the version of what the bytes mean in it.  All of
 * it may be lost at any time, and a value is checked for damage, not for sense.
 * Kinds that nobody has used for 30 days are dropped; 7 if there is no room for
 * others.
 */
#define MAILDIR_KINDS_MAX	56	/* kinds in one mailbox ... */
#define MAILDIR_MANY_KINDS_MAX	24	/* ... so many of them one of many */
#define MAILDIR_KIND_NAME_MAX	1024	/* bytes of a kind's name */
#define MAILDIR_VALUE_MAX	(128 * 1024) /* bytes of a value of a message;
					 * longer ones are not kept */
#define MAILDIR_WHOLE_VALUE_MAX	(1024 * 1024) /* of a value of the mailbox */

/* maildir_kind(md, name, ret): the number of a kind for the calls below, valid
 * as long as md.  ERR_LIMIT: there are too many, or its name is too long or
 * holds a NUL. */
int maildir_kind(struct maildir *md, struct span name, unsigned *ret)
    ERR_CHECK;

/* maildir_one_of_many_kinds(md, name, ret): the same for kinds that come of
 * what clients ask for: however many they make up, there is room for the
 * others. */
int maildir_one_of_many_kinds(struct maildir *md, struct span name,
    unsigned *ret) ERR_CHECK;

/* has_maildir_value(md, kind, uid, ret): what was kept; valid until the next
 * call for this kind, or maildir_keep_flush(). */
bool has_maildir_value(struct maildir *md, unsigned kind, uint32_t uid,
    struct span *ret);

/* maildir_keep(md, kind, uid, value): to be kept.  maildir_keep_flush(md): what
 * was put by is written now, and buffers are given back; called when nothing
 * more is to come for a while.  Neither can fail: what cannot be written is not
 * kept. */
void maildir_keep(struct maildir *md, unsigned kind, uint32_t uid,
    struct span value);
void maildir_keep_flush(struct maildir *md);

/* ---- reading --------------------------------------------------------- */

struct maildir_info {
	int64_t internal_date;	/* seconds since 1970: the file's mtime */
	uint64_t file_size;	/* as maildir_file_size(), if ... */
	bool has_size;		/* the name says so, too (S=); else it may be
				 * that of a compressed file */
	uint64_t crlf_size_hint;/* W= of the name, 0 if it has none */
	bool is_settled;	/* as is_maildir_file_settled() */
};

/* maildir_info(md, uid, ret): without opening the file. ERR_GONE if it is no
 * longer there under any name. */
int maildir_info(struct maildir *md, uint32_t uid, struct maildir_info *ret)
    ERR_CHECK;

/*
 * maildir_save_date(md, uid, ret): when the message came into its mailbox (RFC
 * 8514).  Of one that was there before there was a record it is the time of the
 * last change of its file when this is first asked, or before we first renamed
 * or linked it, and goes on record.  Errors as of maildir_info().
 */
int maildir_save_date(struct maildir *md, uint32_t uid, int64_t *ret)
    ERR_CHECK;

/* maildir_message_guid(md, uid, b): append the message's GUID: G of its record
 * in the uidlist, else the base of its name.  ERR_GONE: no such message. */
int maildir_message_guid(struct maildir *md, uint32_t uid, struct buf *b)
    ERR_CHECK;

struct maildir_file;

/*
 * maildir_file_open(md, uid, ret): the message for reading, found again if it
 * was renamed meanwhile.  ERR_GONE if it is no longer there.  The descriptor
 * stays valid when the message is expunged.
 */
int maildir_file_open(struct maildir *md, uint32_t uid,
    struct maildir_file **ret) ERR_CHECK;
void maildir_file_close(struct maildir_file *f);

/* Size in bytes as stored (uncompressed), and the dates, at open time. */
uint64_t maildir_file_size(const struct maildir_file *f);
int64_t maildir_file_date(const struct maildir_file *f);

/* is_maildir_file_packed(f): it is compressed, so reading backwards is dear. */
bool is_maildir_file_packed(const struct maildir_file *f);

/*
 * is_maildir_file_settled(f): it was as long as its name says (S=), or nobody
 * had written to it for MAILDIR_SETTLED_S seconds.  There are programs that
 * write into new/ or cur/ (cp, rsync --inplace): what is read of a file
 * meanwhile is not to be kept.
 */
#define MAILDIR_SETTLED_S	2
bool is_maildir_file_settled(const struct maildir_file *f);

/*
 * maildir_file_read(f, off, p, n, ret_n): up to n bytes from off, as stored
 * (line ends not touched); fewer than n only at the end of the file, which may
 * come before maildir_file_size() if somebody cut it.
 */
int maildir_file_read(struct maildir_file *f, uint64_t off, void *p, size_t n,
    size_t *ret_n) ERR_CHECK;

/* ---- changing -------------------------------------------------------- */

enum maildir_store_op {
	MAILDIR_SET,		/* replace all flags and keywords */
	MAILDIR_ADD,
	MAILDIR_REMOVE
};

/*
 * maildir_store_flags(md, uids, n, op, flags, ret_n): change flags of n
 * messages, UIDs in ascending order.  Returns 0 when each was changed, already
 * so, or gone; *ret_n is the count of leading UIDs that were dealt with, also
 * on an error.  The picture shows the new flags.  Durable on return.
 */
int maildir_store_flags(struct maildir *md, const uint32_t *uids, size_t n,
    enum maildir_store_op op, const struct maildir_flags *flags,
    size_t *ret_n) ERR_CHECK;

/*
 * maildir_store_unchanged(md, uids, n, op, flags, since, ret_failed, ret_n):
 * the same on condition (RFC 7162 3.1.3): a message that somebody has changed
 * after the mod-sequence since is left as it is, and ret_failed[i], of n, is
 * true; of those that were dealt with the others are false.  A change of other
 * flags than those to be added or removed does not count if the picture, when
 * this was called, showed the message as it was at since (RFC 7162 3.1.12).
 * No change by anybody goes unnoticed between the look and the change.  The
 * picture is brought up to date first, which is news for the next refresh.
 * ERR_BUSY: the lock, without which there is no saying, was not to be had.
 */
int maildir_store_unchanged(struct maildir *md, const uint32_t *uids, size_t n,
    enum maildir_store_op op, const struct maildir_flags *flags,
    uint64_t since, bool *ret_failed, size_t *ret_n) ERR_CHECK;

/*
 * maildir_expunge(md, uids, n, ret_n): remove messages, UIDs in ascending
 * order; those already gone count as removed.  All of them leave the picture
 * (on an error: the first *ret_n).
 */
int maildir_expunge(struct maildir *md, const uint32_t *uids, size_t n,
    size_t *ret_n) ERR_CHECK;

/* Where messages went: n pairs in ascending order of source UID. */
struct maildir_copied {
	uint32_t uidvalidity;	/* of the destination */
	size_t n;
	uint32_t *from;		/* UIDs here (in the arena) */
	uint32_t *to;		/* UIDs there */
};

/*
 * maildir_copy(md, uids, n, to, arena, ret): copy with flags, keywords and
 * dates.  All or nothing, except that messages already gone are left out.
 * ERR_NOENT: no destination mailbox.  ERR_QUOTA: too much.
 */
int maildir_copy(struct maildir *md, const uint32_t *uids, size_t n,
    const struct maildir_path *to, struct arena *arena,
    struct maildir_copied *ret) ERR_CHECK;

/*
 * maildir_move(): the same, and the sources leave this mailbox and the picture.
 * Each message is in exactly one of the two at every moment a crash can show.
 */
int maildir_move(struct maildir *md, const uint32_t *uids, size_t n,
    const struct maildir_path *to, struct arena *arena,
    struct maildir_copied *ret) ERR_CHECK;

/* ---- appending ------------------------------------------------------- */

struct maildir_append;

/*
 * maildir_append_new(store, path, ret): begin; ERR_NOENT if there is no such
 * mailbox.  Messages are written one after the other to tmp/ and become visible
 * together, or not at all, in maildir_append_commit().
 */
int maildir_append_new(struct maildir_store *store,
    const struct maildir_path *path, struct maildir_append **ret) ERR_CHECK;

/* What a message is appended with. */
struct maildir_append_args {
	uint32_t sys;			/* MAILDIR_SEEN and so on */
	const struct span *keywords;	/* by name: numbers differ by mailbox */
	size_t nkeywords;
	bool has_date;
	int64_t date;			/* seconds since 1970 */
	uint64_t size;			/* announced, for the quota; 0: not
					 * known before it is all there */
};

/* maildir_append_begin(app, args): the next message.  ERR_QUOTA: with it and
 * those before it the user would have too much. */
int maildir_append_begin(struct maildir_append *app,
    const struct maildir_append_args *args) ERR_CHECK;

/* maildir_append_write(app, s): the next bytes of the message, as the client
 * sent them, in pieces of any size; CRLF is stored as LF. */
int maildir_append_write(struct maildir_append *app, struct span s) ERR_CHECK;

/* maildir_append_end(app): the message is complete. */
int maildir_append_end(struct maildir_append *app) ERR_CHECK;

/*
 * maildir_append_commit(app, arena, ret_uidvalidity, ret_uids, ret_n): sync,
 * number and show all messages; their UIDs in order.  On an error none of them
 * is there.  app is freed in both cases.
 */
int maildir_append_commit(struct maildir_append *app, struct arena *arena,
    uint32_t *ret_uidvalidity, uint32_t **ret_uids, size_t *ret_n) ERR_CHECK;

/* maildir_append_abort(app): nothing happened.  app is freed; may be NULL. */
void maildir_append_abort(struct maildir_append *app);

#endif
