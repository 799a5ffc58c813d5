/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * cmd_idle.c: IDLE (RFC 2177): one poll on the client and on the mailbox.
 *
 * No idle timeout applies here: a client in IDLE is there on purpose, and one
 * that vanished is found by TCP (keepalive) or by the next line we send.
 */
#include "base/fdio.h"
#include "imapd/command/answer.h"
#include "imapd/command/commands.h"
#include "imapd/command/polling.h"
#include "imapd/wire/reply.h"

enum { READY_CLIENT = 1, READY_MAILBOX = 2 };

struct idle {
	struct session *s;
	const struct command *cmd;
	struct deadline notify;		/* when to say that we are still here */
	bool has_settled;		/* since the last change, or tried to */
};

static void
start_notify(struct idle *id)
{
	uint64_t ms = id->s->conf->idle_notify;

	id->notify = ms == 0 ? DEADLINE_NEVER : deadline_in(ms);
}

/*
 * What to wait for beside the client: the mailbox's descriptor, or -1, and
 * until when.  A moment after a change is the time to record that there was no
 * other: else whoever opens the mailbox while we wait would have to look.
 */
static int
watch_mailbox(struct idle *id, struct deadline *d)
{
	struct maildir *md = mailbox_store(id->s->mailbox);
	int watch = maildir_watch(md);

	if (watch < 0) {
		polling_log(id->s);
		*d = deadline_min(*d, deadline_in(maildir_watch_ms(md)));
	} else if (!id->has_settled && is_maildir_unsettled(md)) {
		id->has_settled = true;
		*d = deadline_min(*d, deadline_in(MAILDIR_SETTLE_MS));
	} else {
		maildir_rest(md);
	}
	return watch;
}

/* Until the client says something (READY_CLIENT), the mailbox may have changed
 * (READY_MAILBOX), or it is time for a sign of life (0). */
static int
wait_for_news(struct idle *id, unsigned *ret_ready)
{
	struct session *s = id->s;
	struct deadline d = id->notify;
	int watch = -1, err;

	if (has_wire_in_pending(s->in)) {
		*ret_ready = READY_CLIENT;
		return 0;
	}
	if (s->mailbox != NULL)
		watch = watch_mailbox(id, &d);
	err = fdio_wait2(s->start->fd_in, watch, d, ret_ready);
	if (err == 0)
		id->has_settled = false;
	if (err != ERR_TIMEOUT)
		return err;
	*ret_ready = is_deadline_past(id->notify) ? 0 : READY_MAILBOX;
	return 0;
}

/* The next command goes back to where it came from. */
static void
put_back(struct session *s, const struct buf *line)
{
	struct buf again;

	buf_init(&again, line->n + 2);
	buf_put_span(&again, buf_span(line));
	buf_puts(&again, "\r\n");
	wire_in_push(s->in, buf_span(&again));
	buf_done(&again);
}

/*
 * The line that ends IDLE.  DONE is the only right one; iPhones send the next
 * command instead.  That one is put back, to be run after this; so it may be as
 * long as a command may be.  One that is longer is dropped, with the literals
 * that belong to it: what they hold are no commands.
 */
static int
finish(struct idle *id)
{
	struct session *s = id->s;
	struct deadline d = deadline_in(s->conf->stall_timeout);
	struct buf line;
	int err;

	buf_init(&line, (size_t)s->conf->max_line);
	do {
		buf_clear(&line);
		err = wire_in_line(s->in, &line, d);
	} while (err == 0 && line.n == 0);
	if (err == 0 && is_span_ieq(buf_span(&line), SPAN("DONE"))) {
		err = answer_done(s, id->cmd);
	} else if (err == 0) {
		put_back(s, &line);
		reply_tagged(s->out, id->cmd->tag, REPLY_BAD, NULL,
		    "DONE was expected.");
		err = wire_out_err(s->out);
	} else if (err == ERR_LIMIT) {
		err = read_command_refuse(s->rc, s->conf->stall_timeout);
		if (err == 0)
			err = answer_bad(s, id->cmd, "DONE was expected.");
	}
	buf_done(&line);
	return err;
}

int
cmd_idle(struct session *s, const struct command *cmd)
{
	struct idle id = { .s = s, .cmd = cmd, .notify = DEADLINE_NEVER };
	unsigned ready = READY_MAILBOX;
	int err;

	reply_continue(s->out, SPAN("idling"));
	start_notify(&id);
	/* Watch first, look afterwards: what happens in between is seen. */
	if (s->mailbox != NULL)
		(void)maildir_watch(mailbox_store(s->mailbox));
	for (;;) {
		uint64_t before;

		if ((ready & READY_CLIENT) != 0)
			return finish(&id);
		before = wire_out_count(s->out);
		/* Also when nothing was heard: events can be lost, and none
		 * tells of a mailbox that was empty and is deleted. */
		answer_news(s, cmd);
		if ((ready & READY_MAILBOX) == 0)
			reply_untagged(s->out, REPLY_OK, NULL, "Still here.");
		err = wire_out_flush(s->out);
		if (err != 0 || s->bye != NULL)
			return err;
		if (wire_out_count(s->out) != before)
			start_notify(&id);
		err = wait_for_news(&id, &ready);
		if (err != 0)
			return err;
	}
}
