/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * progress.c: see progress.h.
 */
#include <poll.h>

#include "base/buf.h"
#include "base/fdio.h"
#include "imapd/wire/fmt.h"
#include "imapd/wire/reply.h"
#include "imapd/wire/wire_out.h"
#include "imapd/command/progress.h"
#include "maildir/maildir.h"

#ifndef POLLRDHUP
#define POLLRDHUP	0	/* then a client that is gone is noticed later,
				 * by the next notification */
#endif

/* What can be seen of the client. */
struct client {
	bool is_gone;		/* the connection is down */
	bool is_done;		/* it will send no more */
	bool is_reading;	/* a line would go out at once */
};

void
progress_start(struct progress *p, struct session *s,
    const struct command *cmd, uint64_t goal)
{
	*p = (struct progress){ .s = s, .cmd = cmd, .goal = goal,
	    .next = deadline_in(s->progress_ms),
	    .look = deadline_in(s->progress_ms < PROGRESS_LOOK_MS ?
	    s->progress_ms : PROGRESS_LOOK_MS) };
}

static struct client
look_at_client(const struct session *s)
{
	struct pollfd p[2] = {
		{ .fd = s->start->fd_out, .events = POLLOUT },
		{ .fd = s->start->fd_in, .events = POLLRDHUP }
	};
	struct client c = { false, false, true };

	if (s->start->fd_out < 0 || poll(p, 2, 0) < 0)
		return c;
	c.is_gone = (p[0].revents & (POLLHUP | POLLERR)) != 0;
	c.is_done = (p[1].revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
	c.is_reading = (p[0].revents & POLLOUT) != 0;
	return c;
}

/*
 * inprogress-tag   = quoted / nil
 * inprogress-state = nil SP nil / number SP nil / number SP nz-number
 * resp-text-code   =/ "INPROGRESS" [SP "(" inprogress-tag SP
 *                     inprogress-state ")"]                (RFC 9585 5)
 *
 * A tag with "]" must not be told (RFC 9585 4): it would end the code for those
 * who look for its end only.
 */
static void
put_notification(struct progress *p, uint64_t done)
{
	struct span tag = p->cmd->tag;
	struct buf *b;

	reply_begin(p->s->out, SPAN_NONE, REPLY_OK);
	b = wire_out_buf(p->s->out);
	buf_puts(b, "[INPROGRESS (");
	if (has_byte(tag, ']'))
		buf_puts(b, "NIL");
	else
		fmt_string(b, tag, false);
	buf_putc(b, ' ');
	buf_put_u64(b, done);
	buf_putc(b, ' ');
	if (p->goal == 0)
		buf_puts(b, "NIL)] Still working.");
	else {
		buf_put_u64(b, p->goal);
		buf_puts(b, ")] ");
		buf_put_u64(b, done * 100 / p->goal);
		buf_puts(b, "% is done.");
	}
	reply_end(p->s->out);
}

/*
 * A client that is gone looks like one that has closed its sending half alone,
 * and still wants the answer, until something is sent to it.  So that is done
 * as soon as there is the doubt, once.
 */
static int ERR_CHECK
tell(struct progress *p, const struct client *c, uint64_t done)
{
	bool is_probe = c->is_done && !p->is_probed;

	if (!is_deadline_past(p->next) && !is_probe)
		return wire_out_err(p->s->out);
	/* With all done the answer comes next (RFC 9585 4). */
	if (!c->is_reading || (p->goal != 0 && done >= p->goal))
		return wire_out_err(p->s->out);
	p->is_probed = p->is_probed || is_probe;
	p->next = deadline_in(p->s->progress_ms);
	put_notification(p, done);
	return wire_out_flush(p->s->out);
}

/* It is time to look at the client again. */
static bool
is_look_due(struct progress *p)
{
	if (!is_deadline_past(p->look))
		return false;
	p->look = deadline_in(p->s->progress_ms < PROGRESS_LOOK_MS ?
	    p->s->progress_ms : PROGRESS_LOOK_MS);
	return true;
}

int
progress_check(struct progress *p, uint64_t done)
{
	struct client c;

	if (!is_look_due(p))
		return wire_out_err(p->s->out);
	if (fdio_stopped() != 0)
		return ERR_INTR;
	c = look_at_client(p->s);
	if (c.is_gone)
		return ERR_EOF;
	return tell(p, &c, done);
}

/* maildir_tick: nothing may be waited for, so nothing that other commands have
 * left in the buffer is sent along. */
static void
tick(void *cookie, size_t done)
{
	struct progress *p = cookie;
	struct client c;

	if (!is_look_due(p))
		return;
	c = look_at_client(p->s);
	c.is_done = false;		/* it goes on in any case */
	if (c.is_gone || wire_out_buf(p->s->out)->n > 0)
		return;
	if (tell(p, &c, done) != 0)
		p->look = DEADLINE_NEVER;	/* nobody listens any more */
}

void
progress_begin_store(struct progress *p)
{
	maildir_on_progress(p->s->store, tick, p);
}

void
progress_end_store(struct progress *p)
{
	maildir_on_progress(p->s->store, NULL, NULL);
}
