/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * objectid.c: see objectid.h.
 */
#include "imapd/mailbox/objectid.h"

#include "base/arena.h"
#include "message/envelope.h"
#include "message/msgid.h"
#include "imapd/mailbox/kept.h"
#include "imapd/mailbox/sha256.h"

#define GUID_MAX	300	/* bytes: the base of a file name, at most */
#define ID_ARENA	1024	/* a usual identifier fits */

static void
put_id(struct buf *b, uint8_t letter, const uint8_t *p)
{
	static const uint8_t digit[] = "0123456789abcdef";

	buf_putc(b, letter);
	for (size_t i = 0; i < OBJECTID_SIZE / 2; i++) {
		buf_putc(b, digit[p[i] >> 4]);
		buf_putc(b, digit[p[i] & 15]);
	}
}

static void
put_hash(struct buf *b, uint8_t letter, struct span s)
{
	uint8_t hash[SHA256_SIZE];

	sha256(s, hash);
	put_id(b, letter, hash);
}

void
objectid_mailbox(const uint8_t *guid, struct buf *b)
{
	put_id(b, 'F', guid);
}

static int
put_guid_hash(struct maildir *md, uint32_t uid, uint8_t letter, struct buf *b)
{
	struct buf guid;
	int err;

	buf_init(&guid, GUID_MAX);
	err = maildir_message_guid(md, uid, &guid);
	if (err == 0)
		put_hash(b, letter, buf_span(&guid));
	buf_done(&guid);
	return err;
}

int
objectid_email(struct maildir *md, uint32_t uid, struct buf *b)
{
	return put_guid_hash(md, uid, 'M', b);
}

/*
 * In-Reply-To is an identifier, with an address in brackets behind it at times:
 * the first is taken.  Before it was that it was a phrase (RFC 5322 4.5.4), and
 * some programs still write one: "Message from Anna <anna@example.com> of
 * "Fri, 1 Mar 2024" <id@example.com>".  Then it is the last.
 */
static bool
has_in_reply_to(struct span field, struct arena *arena, struct span *ret)
{
	bool is_phrase = field.n > 0 && field.p[0] != '<';
	bool found = msgid_next(&field, arena, ret);

	while (found && is_phrase && msgid_next(&field, arena, ret))
		continue;
	return found;
}

/* The identifier of the message that began the thread. */
static bool
has_root(const struct envelope *env, struct arena *arena, struct span *ret)
{
	struct span references = env->references, own = env->message_id;

	return msgid_next(&references, arena, ret) ||
	    has_in_reply_to(env->in_reply_to, arena, ret) ||
	    msgid_next(&own, arena, ret);
}

static int
make_thread(struct maildir *md, struct msgview *mv, uint32_t uid,
    struct buf *b)
{
	const struct part *top;
	struct arena *arena;
	struct span root;
	int err;

	if ((err = msgview_header(mv, &top)) != 0)
		return err;
	arena = arena_new(ID_ARENA);
	if (has_root(top->envelope, arena, &root))
		put_hash(b, 'T', root);
	else
		err = put_guid_hash(md, uid, 'T', b);
	arena_free(arena);
	return err;
}

/* What is kept is what FETCH answers: "(T...)". */
static bool
has_kept_thread(struct maildir *md, unsigned kind, uint32_t uid,
    struct span *ret)
{
	struct span s;

	if (!has_maildir_value(md, kind, uid, &s) ||
	    s.n != OBJECTID_SIZE + 2 || !has_prefix(s, SPAN("(T")) ||
	    s.p[s.n - 1] != ')')
		return false;
	*ret = span_take(span_skip(s, 1), OBJECTID_SIZE);
	return true;
}

int
objectid_thread(struct maildir *md, struct msgview *mv, uint32_t uid,
    struct buf *b)
{
	static const struct fetch_item item = { .what = FETCH_THREADID };
	struct span id;
	struct buf made;
	unsigned kind;
	bool has_kind = has_kept_kind(md, &item, false, &kind);
	int err;

	if (has_kind && has_kept_thread(md, kind, uid, &id)) {
		buf_put_span(b, id);
		return 0;
	}
	msgview_set(mv, uid);
	buf_init(&made, OBJECTID_SIZE + 2);
	buf_putc(&made, '(');
	err = make_thread(md, mv, uid, &made);
	buf_putc(&made, ')');
	if (err == 0) {
		buf_put(b, made.p + 1, OBJECTID_SIZE);
		if (has_kind && is_msgview_whole(mv))
			maildir_keep(md, kind, uid, buf_span(&made));
	}
	buf_done(&made);
	return err;
}

int
objectid_match(struct maildir *md, struct msgview *mv, uint32_t uid,
    bool is_thread, struct span id, bool *ret)
{
	struct buf b;
	int err;

	buf_init(&b, OBJECTID_SIZE);
	err = is_thread ? objectid_thread(md, mv, uid, &b) :
	    objectid_email(md, uid, &b);
	if (err == 0)
		*ret = is_span_eq(buf_span(&b), id);
	buf_done(&b);
	return err;
}
