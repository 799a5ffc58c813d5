/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * cmd_sort.c: SORT and THREAD (RFC 5256, 5957, the REFS draft), with the
 * results of ESORT (RFC 5267 section 3).
 *
 * A message that is found is looked at in the same turn, while it is open.
 * Whatever cannot be read of it counts as not being there: it is found, so it
 * has to have some place.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "base/mem.h"
#include "imapd/wire/fmt.h"
#include "imapd/wire/wire_out.h"
#include "imapd/mailbox/mailbox.h"
#include "imapd/mailbox/msgview.h"
#include "imapd/mailbox/sort.h"
#include "imapd/mailbox/sortkept.h"
#include "imapd/mailbox/sortrank.h"
#include "imapd/mailbox/thread.h"
#include "imapd/command/cmd_search.h"
#include "imapd/command/commands.h"
#include "imapd/command/progress.h"
#include "imapd/command/session_state.h"

#define KEY_ARENA	4096	/* the key of a usual message fits */
#define FLUSH		4096	/* tokens printed between two looks at how full
				 * the output is: 11 bytes each at most */

/* What is read of messages, and for whom: sort or thread. */
struct reader {
	struct session *s;
	struct arena *arena;		/* of one key */
	struct sortkept kept;
	struct sortrank ranks;		/* sort: of what is known already */
	unsigned want;			/* set of SORTKEY_; sort: texts are
					 * only wanted where there is no rank */
	bool with_arrival, with_size;
	bool is_uid;			/* threads are told by UID */
	bool any_gone;
	struct sort *sort;
	struct thread *thread;
};

static void
note(struct reader *r, int err)
{
	if (err == ERR_GONE)
		r->any_gone = true;
}

/* RFC822.SIZE */
static int
read_size(struct msgview *mv, uint64_t *ret)
{
	struct extent whole;
	int err = msgview_whole(mv, &whole);

	if (err == 0)
		*ret = whole.size + whole.bare_lf;
	return err;
}

/* Of the message that the view is set to. */
static void
read_key(struct reader *r, uint32_t uid, unsigned want, struct sortkey *ret)
{
	arena_clear(r->arena);
	note(r, sortkept_get(&r->kept, uid, want, r->arena, ret));
}

static void
read_found(void *arg, const struct mailbox_msg *msg)
{
	struct reader *r = arg;
	struct msgview *mv = mailbox_view(r->s->mailbox);
	uint32_t rank[SORT_KEYS];
	unsigned want = r->want;
	struct sortkey key = { 0 };
	int64_t arrival = 0;
	uint64_t size = 0;

	if (r->sort != NULL)
		want |= sortrank_get(&r->ranks, msg->uid, rank);
	msgview_set(mv, msg->uid);
	if (want != 0)
		read_key(r, msg->uid, want, &key);
	/* No date, or none that can be understood (RFC 5256 2.2). */
	if (r->with_arrival || ((want & SORTKEY_DATE) != 0 && !key.has_date))
		note(r, msgview_date(mv, &arrival));
	if (r->with_size)
		note(r, read_size(mv, &size));
	if (r->sort != NULL)
		sort_add(r->sort, &key, arrival, size, rank);
	else
		thread_add(r->thread, &key, arrival,
		    r->is_uid ? msg->uid : msg->seq);
}

/* Prints what came of it; res is in the order of the mailbox.  An error is why
 * the session cannot go on. */
typedef int put_result(struct reader *r, const struct command *cmd,
    struct search_result *res);

/* Texts that ranks stand for are used with them: they are wanted again when new
 * ones come. */
static void
begin_sort(struct reader *r)
{
	sortrank_init(&r->ranks, r->s->mailbox, r->sort);
	sortkept_use(&r->kept, sortrank_wants(&r->ranks));
}

/* Search, read what is found, and answer. */
static int ERR_CHECK
run(struct reader *r, const struct command *cmd,
    const struct search_args *args, put_result *put)
{
	struct session *s = r->s;
	struct search_result res = { .found = VEC_INIT, .is_uid = cmd->is_uid };
	struct search *se;
	int err;

	err = search_new(s->mailbox, args, s->arena, &se);
	if (err != 0)
		return search_refuse(s, cmd, args, err);
	r->arena = arena_new(KEY_ARENA);
	sortkept_init(&r->kept, s->mailbox);
	if (r->sort != NULL)
		begin_sort(r);
	err = search_run(s, cmd, args, se, read_found, r, &res);
	if (err == 0)
		err = put(r, cmd, &res);
	sortrank_done(&r->ranks);
	sortkept_done(&r->kept);
	msgview_rest(mailbox_view(s->mailbox));
	arena_free(r->arena);
	if (err == 0)
		err = search_end(s, cmd, r->any_gone || has_search_gone(se));
	VEC_DONE(&res.found);
	search_free(se);
	return err;
}

/* ---- SORT ------------------------------------------------------------- */

static uint64_t
modseq_of(const struct mailbox *mb, uint32_t uid)
{
	struct maildir_msg m;
	size_t at = 0;

	return has_mailbox_record(mb, uid, &at, &m) ? m.modseq : 0;
}

/* What sort_order() wants to know of messages that were found. */
struct again {
	struct reader *r;
	const struct search_result *res;
	struct progress progress;
	uint32_t n;
};

static int
read_again(void *arg, uint32_t i, unsigned want, struct sortkey *ret)
{
	struct again *a = arg;
	uint32_t uid = a->res->found.v[i].uid;

	msgview_set(mailbox_view(a->r->s->mailbox), uid);
	read_key(a->r, uid, want, ret);
	return progress_check(&a->progress, ++a->n);
}

/* The result into the order of the sort. */
static int
reorder(struct reader *r, const struct command *cmd,
    struct search_result *res)
{
	const struct mailbox *mb = r->s->mailbox;
	struct again again = { .r = r, .res = res };
	struct mailbox_msg *v;
	const uint32_t *order;
	int err;

	progress_start(&again.progress, r->s, cmd, 0);
	err = sort_order(r->sort, read_again, &again, &order);
	if (err != 0)
		return err;
	if (!r->kept.is_partial)
		sortrank_keep(&r->ranks, r->sort, res->found.v,
		    (uint32_t)res->found.n);
	v = mem_resize(NULL, res->found.n, sizeof(*v));
	for (size_t i = 0; i < res->found.n; i++)
		v[i] = res->found.v[order[i]];
	free(res->found.v);
	res->found.v = v;
	res->found.cap = res->found.n;
	/* MIN is the first of this order, and MAX the last (RFC 5267 3.1). */
	if (res->highest_modseq != 0) {
		res->first_modseq = modseq_of(mb, v[0].uid);
		res->last_modseq = modseq_of(mb, v[res->found.n - 1].uid);
	}
	return 0;
}

static int
put_sorted(struct reader *r, const struct command *cmd,
    struct search_result *res)
{
	int err = reorder(r, cmd, res);

	if (err == 0)
		search_put(r->s, cmd, &cmd->u.sort.search, "SORT", res);
	return err;
}

int
cmd_sort(struct session *s, const struct command *cmd)
{
	const struct search_args *args = &cmd->u.sort.search;
	struct reader r = { .s = s };
	int err = sort_new(&cmd->u.sort, &r.sort);

	if (err != 0)
		return search_refuse(s, cmd, args, err);
	r.want = sort_wants(r.sort);
	r.with_arrival = has_sort_arrival(r.sort);
	r.with_size = has_sort_size(r.sort);
	err = run(&r, cmd, args, put_sorted);
	sort_free(r.sort);
	return err;
}

/* ---- THREAD ----------------------------------------------------------- */

struct printer {
	struct wire_out *out;
	struct threadout to;
	uint32_t n;
};

static void
print_token(void *arg, enum thread_token token, uint32_t num)
{
	struct printer *p = arg;

	if (p->n++ % FLUSH == 0)
		wire_out_check(p->out);
	p->to.out = wire_out_buf(p->out);
	switch (token) {
	case THREAD_OPEN:
		threadout_open(&p->to);
		break;
	case THREAD_NUMBER:
		threadout_number(&p->to, num);
		break;
	case THREAD_CLOSE:
		threadout_close(&p->to);
		break;
	}
}

/* thread-data = "THREAD" [SP 1*thread-list] */
static int
put_threads(struct reader *r, const struct command *cmd,
    struct search_result *res)
{
	struct wire_out *out = r->s->out;
	struct printer p = { .out = out };

	(void)cmd;
	buf_puts(wire_out_buf(out), res->found.n == 0 ? "* THREAD" :
	    "* THREAD ");
	threadout_init(&p.to, wire_out_buf(out));
	thread_make(r->thread);
	thread_walk(r->thread, print_token, &p);
	buf_puts(wire_out_buf(out), "\r\n");
	wire_out_check(out);
	return 0;
}

int
cmd_thread(struct session *s, const struct command *cmd)
{
	const struct search_args *args = &cmd->u.thread.search;
	struct reader r = { .s = s, .is_uid = cmd->is_uid };
	int err = thread_new(cmd->u.thread.algorithm, &r.thread);

	if (err != 0)
		return search_refuse(s, cmd, args, err);
	r.want = thread_wants(r.thread);
	r.with_arrival = has_thread_arrival(r.thread);
	err = run(&r, cmd, args, put_threads);
	thread_free(r.thread);
	return err;
}
