/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * cmd_search.c: SEARCH and UID SEARCH (RFC 3501 6.4.4), with the results of
 * ESEARCH (RFC 4731) and SEARCHRES (RFC 5182).
 */
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/vec.h"
#include "imapd/wire/fmt.h"
#include "imapd/wire/seqset.h"
#include "imapd/wire/wire_out.h"
#include "imapd/mailbox/mailbox.h"
#include "imapd/mailbox/msgview.h"
#include "imapd/mailbox/search.h"
#include "imapd/command/answer.h"
#include "imapd/command/cmd_search.h"
#include "imapd/command/commands.h"
#include "imapd/command/condstore.h"
#include "imapd/command/progress.h"
#include "imapd/command/session_state.h"

#define SEARCH_FLUSH	4096	/* numbers printed between two looks at how
				 * full the output is: 11 bytes each at most */
#define SEARCH_PACE_FOUND	16u	/* messages that somebody looks at, most
					 * often at what is kept of them */

/* ---- running --------------------------------------------------------- */

static void
add_found(struct search_result *res, const struct mailbox_msg *msg,
    uint64_t modseq)
{
	if (res->found.n == 0)
		res->first_modseq = modseq;
	res->last_modseq = modseq;
	if (modseq > res->highest_modseq)
		res->highest_modseq = modseq;
	VEC_PUSH(&res->found, *msg);
}

/*
 * Every message.  When nothing but MIN is asked for, the first that is found is
 * the answer; for MAX the same from the other end.  (Not of a SORT, which has
 * to see them all to know.)
 */
int
search_run(struct session *s, const struct command *cmd,
    const struct search_args *args, struct search *se, search_found *found,
    void *arg, struct search_result *res)
{
	uint32_t want = found != NULL ? 0 :
	    args->want & ~(uint32_t)SEARCH_RETURN_SAVE;
	uint32_t pace = found != NULL ? SEARCH_PACE_FOUND : search_pace(se);
	uint32_t count = mailbox_count(s->mailbox), looked = 0;
	struct progress progress;
	int err;

	if (args->has_modseq)
		condstore_enable(s);
	progress_start(&progress, s, cmd, count);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t seq = i + 1;
		struct mailbox_msg msg;

		if (want == SEARCH_RETURN_MAX)
			seq = count - i;
		else if ((seq = search_next(se, seq)) > count)
			break;
		else
			i = seq - 1;
		msg = (struct mailbox_msg){ seq, mailbox_uid(s->mailbox, seq) };
		if (is_search_match(se, &msg)) {
			add_found(res, &msg, search_modseq(se));
			if (found != NULL)
				found(arg, &msg);
			if (want == SEARCH_RETURN_MIN ||
			    want == SEARCH_RETURN_MAX)
				break;
		}
		if (++looked % pace != 0)
			continue;
		if ((err = progress_check(&progress, i + 1)) != 0)
			return err;
	}
	return 0;
}

/* ---- results --------------------------------------------------------- */

static uint32_t
number(const struct search_result *res, size_t i)
{
	return res->is_uid ? res->found.v[i].uid : res->found.v[i].seq;
}

/*
 * mailbox-data        =/ "SEARCH" [1*(SP nz-number) SP search-sort-mod-seq]
 * sort-data            = "SORT" [1*(SP nz-number) SP search-sort-mod-seq]
 * search-sort-mod-seq  = "(" "MODSEQ" SP mod-sequence-value ")"
 *                                                     (RFC 5256 5, RFC 7162 7)
 */
static void
put_numbers(struct session *s, const char *name,
    const struct search_result *res)
{
	struct buf *b = wire_out_buf(s->out);

	buf_puts(b, "* ");
	buf_puts(b, name);
	for (size_t i = 0; i < res->found.n; i++) {
		buf_putc(b, ' ');
		buf_put_u64(b, number(res, i));
		if (i % SEARCH_FLUSH == 0) {
			wire_out_check(s->out);
			b = wire_out_buf(s->out);
		}
	}
	if (res->highest_modseq != 0) {
		buf_puts(b, " (MODSEQ ");
		buf_put_u64(b, res->highest_modseq);
		buf_putc(b, ')');
	}
	buf_puts(b, "\r\n");
	wire_out_check(s->out);
}

/* RFC 4731 3.2: that of the messages that are told. */
static uint64_t
told_modseq(uint32_t want, const struct search_result *res)
{
	uint64_t modseq = 0;

	if ((want & (SEARCH_RETURN_ALL | SEARCH_RETURN_COUNT)) != 0)
		return res->highest_modseq;
	if ((want & SEARCH_RETURN_MIN) != 0)
		modseq = res->first_modseq;
	if ((want & SEARCH_RETURN_MAX) != 0 && res->last_modseq > modseq)
		modseq = res->last_modseq;
	return modseq;
}

/* A range is printed only for numbers that follow one another upwards: "12:10
 * SHOULD be avoided" (RFC 5267 3.2). */
static void
put_all(struct session *s, const struct search_result *res)
{
	struct buf set;
	struct seqout so;

	buf_init(&set, 24 * res->found.n);
	seqout_init(&so, &set);
	for (size_t i = 0; i < res->found.n; i++)
		seqout_add(&so, number(res, i));
	seqout_end(&so);
	buf_puts(wire_out_buf(s->out), " ALL ");
	wire_out_span(s->out, buf_span(&set));
	buf_done(&set);
}

/*
 * esearch-response = "ESEARCH" [search-correlator] [SP "UID"]
 *                    *(SP search-return-data)
 *
 * MIN, MAX and ALL are left out if nothing was found (RFC 4731 3.1); COUNT is
 * then 0.
 */
static void
put_esearch(struct session *s, const struct command *cmd, uint32_t want,
    const struct search_result *res)
{
	struct buf *b = wire_out_buf(s->out);
	size_t n = res->found.n;
	uint64_t modseq;

	buf_puts(b, "* ESEARCH (TAG ");
	fmt_string(b, cmd->tag, false);
	buf_putc(b, ')');
	if (res->is_uid)
		buf_puts(b, " UID");
	if ((want & SEARCH_RETURN_MIN) != 0 && n > 0) {
		buf_puts(b, " MIN ");
		buf_put_u64(b, number(res, 0));
	}
	if ((want & SEARCH_RETURN_MAX) != 0 && n > 0) {
		buf_puts(b, " MAX ");
		buf_put_u64(b, number(res, n - 1));
	}
	if ((want & SEARCH_RETURN_ALL) != 0 && n > 0)
		put_all(s, res);
	b = wire_out_buf(s->out);
	if ((want & SEARCH_RETURN_COUNT) != 0) {
		buf_puts(b, " COUNT ");
		buf_put_u64(b, n);
	}
	if ((modseq = told_modseq(want, res)) != 0) {
		buf_puts(b, " MODSEQ ");
		buf_put_u64(b, modseq);
	}
	buf_puts(b, "\r\n");
	wire_out_check(s->out);
}

static int
uid_cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * RFC 5182 2.4: with MIN or MAX or both, and neither ALL nor COUNT, the first
 * or the last found or both are saved; else all.
 */
static void
save_result(struct session *s, uint32_t want, const struct search_result *res)
{
	size_t n = res->found.n, m = 0;
	bool some = (want & (SEARCH_RETURN_MIN | SEARCH_RETURN_MAX)) != 0 &&
	    (want & (SEARCH_RETURN_ALL | SEARCH_RETURN_COUNT)) == 0;
	uint32_t *uid = arena_array(s->arena, n, sizeof(*uid));

	for (size_t i = 0; i < n; i++)
		if (!some || (i == 0 && (want & SEARCH_RETURN_MIN) != 0) ||
		    (i == n - 1 && (want & SEARCH_RETURN_MAX) != 0))
			uid[m++] = res->found.v[i].uid;
	if (m > 0)
		qsort(uid, m, sizeof(*uid), uid_cmp);	/* after a SORT */
	mailbox_save(s->mailbox, uid, m);
}

void
search_put(struct session *s, const struct command *cmd,
    const struct search_args *args, const char *name,
    const struct search_result *res)
{
	uint32_t want = args->want;

	if (!args->has_return) {
		put_numbers(s, name, res);
		return;
	}
	if (want == 0)
		want = SEARCH_RETURN_ALL;	/* RETURN () */
	if ((want & SEARCH_RETURN_SAVE) != 0)
		save_result(s, want, res);
	if (want != SEARCH_RETURN_SAVE)
		put_esearch(s, cmd, want, res);
}

/* ---- the command ----------------------------------------------------- */

/*
 * A search that ends with NO and was to be saved leaves "$" empty, one that
 * ends with BAD leaves it alone (RFC 5182 2.1).  Text that is not in the
 * charset is BAD: with something in place of what is wrong in it, it would find
 * all messages in which anything is wrong.
 */
int
search_refuse(struct session *s, const struct command *cmd,
    const struct search_args *args, int err)
{
	if (err == ERR_SYNTAX)
		return answer_bad(s, cmd,
		    "A text is malformed in the charset of the search.");
	if ((args->want & SEARCH_RETURN_SAVE) != 0)
		mailbox_save(s->mailbox, NULL, 0);
	if (err == ERR_UNSUPPORTED)
		return answer_no(s, cmd, "BADCHARSET (" SEARCH_CHARSETS ")",
		    "This charset is not known.");
	return answer_err(s, cmd, err);
}

int
search_end(struct session *s, const struct command *cmd, bool any_gone)
{
	answer_begin(s, cmd);
	if (any_gone)
		buf_puts(wire_out_buf(s->out), "[EXPUNGEISSUED] ");
	return answer_end(s, cmd);
}

int
cmd_search(struct session *s, const struct command *cmd)
{
	const struct search_args *args = &cmd->u.search;
	struct search_result res = { .found = VEC_INIT, .is_uid = cmd->is_uid };
	struct search *se;
	int err;

	err = search_new(s->mailbox, args, s->arena, &se);
	if (err != 0)
		return search_refuse(s, cmd, args, err);
	err = search_run(s, cmd, args, se, NULL, NULL, &res);
	msgview_rest(mailbox_view(s->mailbox));
	if (err == 0) {
		search_put(s, cmd, args, "SEARCH", &res);
		err = search_end(s, cmd, has_search_gone(se));
	}
	VEC_DONE(&res.found);
	search_free(se);
	return err;
}
