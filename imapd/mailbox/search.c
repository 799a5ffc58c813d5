/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * search.c: see search.h.  How the program is made: search_program.c.
 */
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "message/charset.h"
#include "imapd/mailbox/msgview.h"
#include "imapd/mailbox/objectid.h"
#include "imapd/mailbox/search.h"
#include "imapd/mailbox/search_program.h"
#include "imapd/mailbox/zone.h"
#include "imapd/wire/seqset.h"

#define PACE			(64 * 1024)	/* tests of what is in memory,
						 * in less than a millisecond */
#define PACE_HEADERS		16	/* messages of which the header is read;
					 * most often it is kept */

int
search_new(struct mailbox *mb, const struct search_args *args,
    struct arena *arena, struct search **ret)
{
	struct search *se = mem_zalloc(sizeof(*se));
	struct charset *cs;
	int err;

	se->mb = mb;
	se->md = mailbox_store(mb);
	se->arena = arena;
	se->charset = args->charset;
	se->now = (int64_t)time(NULL);
	searchtext_init(&se->st, se->md, mailbox_view(mb));
	sentday_init(&se->sent, se->md, mailbox_view(mb));

	/* An unknown charset is refused also where no key has a text. */
	if ((err = charset_open(args->charset, &cs)) != 0)
		goto free_search;
	charset_free(cs);
	if ((err = search_compile(se, args->root)) != 0)
		goto free_search;
	*ret = se;
	return 0;

free_search:
	search_free(se);
	return err;
}

void
search_free(struct search *se)
{
	if (se == NULL)
		return;
	for (uint32_t i = 0; i < se->ntest; i++)
		text_search_free(se->test[i].text);
	searchtext_done(&se->st);
	free(se);
}

uint32_t
search_pace(const struct search *se)
{
	if (se->cost == COST_RECORD)
		return 1 + PACE / (1 + se->ntest);
	return se->cost == COST_INFO || se->cost == COST_HEADER ? PACE_HEADERS :
	    1;
}

uint64_t
search_modseq(const struct search *se)
{
	return se->has_modseq ? se->msg.modseq : 0;
}

bool
has_search_gone(const struct search *se)
{
	return se->any_gone;
}

/* ---- running --------------------------------------------------------- */

static uint32_t
uid_at(const struct search *se, size_t at)
{
	uint32_t uid = 0;

	if (at < maildir_count(se->md))
		maildir_uids(se->md, at, 1, &uid);
	return uid;
}

/* How many messages from seq on are, in the same order, those from number
 * se->at of the store on; at most n, of which the first is. */
static uint32_t
count_same(const struct search *se, uint32_t seq, uint32_t n)
{
	uint32_t lo = 1, hi = n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo + 1) / 2;

		if (uid_at(se, se->at + mid - 1) ==
		    mailbox_uid(se->mb, seq + mid - 1))
			lo = mid;
		else
			hi = mid - 1;
	}
	return lo;
}

/*
 * The store has no message that the mailbox does not have, but for new ones at
 * the end; so if as many lie between two that both have, they are the same.
 * One that is gone from the store is not passed over, for it must be told that
 * it is.
 */
uint32_t
search_next(struct search *se, uint32_t seq)
{
	uint32_t count = mailbox_count(se->mb), n;

	if (se->mask == 0 || seq > count ||
	    uid_at(se, se->at) != mailbox_uid(se->mb, seq))
		return seq;
	/* The store is gone through once, whatever is gone from it. */
	if (se->next <= se->at)
		se->next = maildir_next_flagged(se->md, se->at, se->mask,
		    se->sys);
	if (se->next == se->at)
		return seq;
	n = count + 1 - seq;
	if (se->next - se->at < n)
		n = (uint32_t)(se->next - se->at);
	n = count_same(se, seq, n);
	se->at += n;
	return seq + n;
}

/* The keys that compare a day: d against that of the key. */
static bool
is_day_match(enum search_key key, int64_t d, int64_t day)
{
	switch (key) {
	case KEY_BEFORE: case KEY_SENTBEFORE: case KEY_SAVEDBEFORE:
		return d < day;
	case KEY_ON: case KEY_SENTON: case KEY_SAVEDON:
		return d == day;
	default:
		return d >= day;	/* SINCE */
	}
}

/* "whose internal date (disregarding time and timezone) is ...": the day in
 * the zone in which INTERNALDATE is told. */
static int
test_internal(struct search *se, const struct search_test *t, bool *ret)
{
	int64_t date;
	int err;

	if ((err = msgview_date(se->st.mv, &date)) != 0)
		return err;
	if (t->key == KEY_OLDER)
		*ret = date <= se->now - (int64_t)t->node->number;
	else if (t->key == KEY_YOUNGER)
		*ret = date >= se->now - (int64_t)t->node->number;
	else
		*ret = is_day_match(t->key, zone_day(date), t->node->day);
	return 0;
}

static int
test_saved(struct search *se, const struct search_test *t, bool *ret)
{
	int64_t date;
	int err;

	if ((err = maildir_save_date(se->md, se->msg.uid, &date)) != 0)
		return err;
	*ret = is_day_match(t->key, zone_day(date), t->node->day);
	return 0;
}

/* "whose [RFC-2822] Date: header (disregarding time and timezone) is ...": the
 * day as it was written.  A message without a date matches none of them. */
static int
test_sent(struct search *se, const struct search_test *t, bool *ret)
{
	int64_t day;
	bool has;
	int err = sentday_get(&se->sent, se->msg.uid, &has, &day);

	if (err == 0)
		*ret = has && is_day_match(t->key, day, t->node->day);
	return err;
}

/* Bytes of the message as it is stored: of the file, which most often need not
 * be opened for it. */
static int
stored_size(struct search *se, uint64_t *ret)
{
	struct maildir_info info;
	int err = maildir_info(se->md, se->msg.uid, &info);

	if (err != 0)
		return err;
	*ret = info.file_size;
	return info.has_size ? 0 : msgview_stored(se->st.mv, ret);
}

/*
 * RFC822.SIZE is between the size of what is stored and twice that: for most
 * messages that decides, and the lines need not be counted.
 */
static int
test_size(struct search *se, const struct search_test *t, bool *ret)
{
	bool is_larger = t->key == KEY_LARGER;
	uint64_t limit = t->node->number, served, stored;
	struct extent whole;
	int err;

	if (!has_msgview_whole(se->st.mv, &whole)) {
		if ((err = stored_size(se, &stored)) != 0)
			return err;
		if (stored > limit) {
			*ret = is_larger;
			return 0;
		}
		if (stored < limit / 2) {
			*ret = !is_larger;
			return 0;
		}
		if ((err = msgview_whole(se->st.mv, &whole)) != 0)
			return err;
	}
	served = whole.size + whole.bare_lf;
	*ret = is_larger ? served > limit : served < limit;
	return 0;
}

/* Tests on the store's record of the message; false: it is none of them. */
static bool
is_record_test(const struct search *se, const struct search_test *t, bool *ret)
{
	const struct maildir_msg *msg = &se->msg;
	bool is_seen = (msg->flags.sys & MAILDIR_SEEN) != 0;

	switch (t->key) {
	case KEY_ALL:
	case KEY_SAVEDATESUPPORTED:
		*ret = true;
		return true;
	case KEY_SEQ:
		*ret = is_in_seqset(&t->node->set, se->seq);
		return true;
	case KEY_UID:
		*ret = is_in_seqset(&t->node->set, msg->uid);
		return true;
	case KEY_FLAG:
		*ret = (msg->flags.sys & t->node->sys) != 0;
		return true;
	case KEY_UNFLAG:
		*ret = (msg->flags.sys & t->node->sys) == 0;
		return true;
	case KEY_KEYWORD:
		*ret = (msg->flags.kw & t->kw) != 0;
		return true;
	case KEY_UNKEYWORD:
		*ret = (msg->flags.kw & t->kw) == 0;
		return true;
	case KEY_RECENT:
		*ret = msg->is_recent;
		return true;
	case KEY_NEW:
		*ret = msg->is_recent && !is_seen;
		return true;
	case KEY_OLD:
		*ret = !msg->is_recent;
		return true;
	case KEY_MODSEQ:
		*ret = msg->modseq >= t->node->number;
		return true;
	default:
		return false;
	}
}

/* The other tests. */
static int
test_file(struct search *se, const struct search_test *t, bool *ret)
{
	searchtext_set(&se->st, se->msg.uid);
	switch (t->key) {
	case KEY_BEFORE: case KEY_ON: case KEY_SINCE:
	case KEY_OLDER: case KEY_YOUNGER:
		return test_internal(se, t, ret);
	case KEY_SAVEDBEFORE: case KEY_SAVEDON: case KEY_SAVEDSINCE:
		return test_saved(se, t, ret);
	case KEY_SENTBEFORE: case KEY_SENTON: case KEY_SENTSINCE:
		return test_sent(se, t, ret);
	case KEY_LARGER: case KEY_SMALLER:
		return test_size(se, t, ret);
	case KEY_EMAILID: case KEY_THREADID:
		return objectid_match(se->md, se->st.mv, se->msg.uid,
		    t->key == KEY_THREADID, t->node->text, ret);
	case KEY_BODY: case KEY_TEXT:
		return searchtext_message(&se->st, t->key == KEY_TEXT, t->text,
		    ret);
	default:		/* HEADER, FROM, ... */
		return searchtext_field(&se->st, &t->field, t->text, ret);
	}
}

bool
is_search_match(struct search *se, const struct mailbox_msg *msg)
{
	uint32_t i = 0;
	bool holds;
	int err;

	if (!has_mailbox_record(se->mb, msg->uid, &se->at, &se->msg)) {
		se->any_gone = true;
		return false;
	}
	se->seq = msg->seq;
	while (i < se->ntest) {
		const struct search_test *t = &se->test[i];

		if (!is_record_test(se, t, &holds)) {
			err = test_file(se, t, &holds);
			if (err == ERR_GONE)
				se->any_gone = true;
			if (err != 0)
				return false;
		}
		i = t->go[holds];
	}
	return i == GO_YES;
}
