/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * session.c: the loop: read, check, run, report; and how it ends.
 */
#include "imapd/command/session.h"

#include <sys/socket.h>

#include <stdlib.h>

#include "base/fdio.h"
#include "base/log.h"
#include "imapd/command/answer.h"
#include "imapd/command/capability.h"
#include "imapd/command/commands.h"
#include "imapd/command/roles.h"
#include "imapd/command/progress.h"
#include "imapd/command/session_state.h"
#include "imapd/command/trace.h"
#include "imapd/wire/command_table.h"
#include "imapd/wire/reply.h"

/* Named limits. */
#define SESSION_BAD_MAX		10	/* bad commands in a row */
#define SESSION_CLIENT_ID_MAX	256	/* bytes of a client's name to log */
/* A refused command is dropped up to this; a client that goes on sending more
 * is cut off. */
#define SESSION_DROP_MAX	(UINT64_C(1) << 30)

/* How a session ended, for its line in the log. */
struct session_end {
	int err;
	const char *reason;
	const char *bye;	/* what the client is told, if it can be */
};

static const struct session_end ends[] = {
	{ ERR_EOF, "client closed", NULL },
	{ ERR_TIMEOUT, "idle timeout", "Disconnected for inactivity." },
	{ ERR_INTR, "shutdown", "The server is shutting down." },
	{ ERR_PROTO, "command too long", NULL },
	{ 0, "connection lost", NULL }
};

/* ---- the beginning --------------------------------------------------- */

static void
session_init(struct session *s, const struct session_start *start)
{
	const struct config *conf = start->conf;
	struct read_limits limits = {
		.command_max = (size_t)conf->max_line,
		.literal_max = conf->max_line,
		.drop_max = SESSION_DROP_MAX
	};

	if (limits.drop_max < conf->append_limit)
		limits.drop_max = conf->append_limit;
	memset(s, 0, sizeof(*s));
	s->start = start;
	s->conf = conf;
	s->progress_ms = start->progress_ms != 0 ? start->progress_ms :
	    PROGRESS_MS;
	if (start->trace_fd > 0) {
		s->trace = trace_new(start->trace_fd, start->fd_in,
		    start->fd_out);
		s->in = wire_in_new(trace_source(s->trace));
		s->out = wire_out_new(trace_sink(s->trace),
		    conf->stall_timeout);
	} else {
		s->in = wire_in_new_fd(start->fd_in);
		s->out = wire_out_new_fd(start->fd_out, conf->stall_timeout);
	}
	s->rc = read_command_new(s->in, s->out, &limits);
	s->names.delimiter = conf->separator == SEPARATOR_DOT ? '.' : '/';
	s->names.has_prefix = conf->inbox_prefix;
	buf_init(&s->client_id, SESSION_CLIENT_ID_MAX);
	buf_put_span(&s->client_id, start->client_id);
	if (start->unread.n > 0)
		wire_in_push(s->in, start->unread);
}

static void
session_done(struct session *s)
{
	mailbox_close(s->mailbox);
	maildir_store_free(s->store);
	read_command_free(s->rc);
	wire_out_free(s->out);
	wire_in_free(s->in);
	trace_free(s->trace);
	buf_done(&s->client_id);
}

/* The capabilities come with the greeting: one round trip less. */
static void
greet(struct session *s)
{
	bool is_preauth = s->start->tag.n == 0;
	struct buf *b;

	reply_begin(s->out, s->start->tag,
	    is_preauth ? REPLY_PREAUTH : REPLY_OK);
	b = wire_out_buf(s->out);
	buf_puts(b, "[CAPABILITY ");
	capability_put(b, CAPABILITY_SESSION, s->start->capability_mask,
	    s->conf->append_limit);
	buf_puts(b, is_preauth ? "] imapd ready." : "] Logged in.");
	reply_end(s->out);
}

/* ---- commands -------------------------------------------------------- */

/* For maildir_conf.note. */
static void
log_damage(void *arg, const char *mailbox, const char *file, const char *text)
{
	const struct session *s = arg;

	log_begin(LOG_WARNING, "mended");
	log_str("user", s->start->user);
	log_str("mailbox", mailbox);
	log_str("file", file);
	log_str("error", text);
	log_end();
}

/*
 * The store is opened for the first command that needs it: a missing disk is no
 * reason to refuse the login, and may be there at the next try.
 */
static int
need_store(struct session *s)
{
	struct maildir_conf conf = s->start->mail;
	int err;

	if (s->store != NULL)
		return 0;
	conf.note = log_damage;
	conf.note_arg = s;
	err = maildir_store_open(&conf, &s->store);
	if (err == 0)
		roles_create(s);
	return err != 0 && s->start->is_mail_missing ? ERR_UNAVAIL : err;
}

/* The mail is not there: whatever else the client sends of the command is
 * dropped, and it is told. */
static int
refuse(struct session *s, const struct command *cmd, bool is_stream, int err)
{
	int lost = 0;

	if (is_stream)
		lost = read_command_refuse(s->rc, s->conf->stall_timeout);
	return lost != 0 ? lost : answer_err(s, cmd, err);
}

/* is_stream: cmd is an APPEND whose message has not been asked for. */
static int
run(struct session *s, const struct command *cmd, bool is_stream)
{
	const struct command_entry *entry = command_entry(cmd->id);
	unsigned bad = s->bad_in_row;
	int err;

	s->stats.commands++;
	s->last = command_row(cmd->id)->name;
	s->arena = read_command_arena(s->rc);
	if (entry->run == NULL)
		return answer_bad(s, cmd, "Already logged in.");
	err = entry->needs_mail ? need_store(s) : 0;
	err = err == 0 ? entry->run(s, cmd) : refuse(s, cmd, is_stream, err);
	if (s->bad_in_row == bad)
		s->bad_in_row = 0;
	return err;
}

/* One command.  0, or why the connection is at its end. */
static int
turn(struct session *s)
{
	unsigned state = s->mailbox != NULL ? STATE_SELECTED : STATE_AUTH;
	const struct command *cmd;

	/* A client that keeps us busy does not keep us for ever. */
	if (fdio_stopped() != 0)
		return ERR_INTR;
	switch (read_command(s->rc, state, deadline_in(s->conf->idle_timeout),
	    &cmd)) {
	case READ_DONE:
		return run(s, cmd, false);
	case READ_STREAM:
		return run(s, cmd, true);
	case READ_BAD:
	case READ_REFUSED:	/* over a limit: no better than malformed */
		s->bad_in_row++;
		return 0;
	case READ_END:
		break;
	}
	return read_command_err(s->rc);
}

/* ---- the end --------------------------------------------------------- */

static void
log_end_of(const struct session *s, const char *reason)
{
	const struct session_start *start = s->start;
	uint64_t ns = deadline_now() - start->started;

	log_begin(LOG_INFO, "session");
	log_str("user", start->user);
	log_span("remote", start->remote);
	log_span("tls", start->tls);
	log_span("method", start->method);
	log_span("label", start->label);
	log_span("client", buf_span(&s->client_id));
	log_uint("seconds", ns / 1000000000);
	log_uint("in", wire_in_count(s->in));
	log_uint("out", wire_out_count(s->out));
	log_uint("commands", s->stats.commands);
	log_uint("fetched", s->stats.fetched);
	log_uint("appended", s->stats.appended);
	log_uint("expunged", s->stats.expunged);
	log_str("last", s->last == NULL ? "" : s->last);
	log_str("reason", reason);
	log_end();
}

/* Why it ended, said to the client if there is a way, and to the log. */
static void
end(struct session *s, int err)
{
	const struct session_end *e = ends;
	const char *bye = s->bye, *reason = s->bye;

	if (s->is_logout) {
		bye = NULL;
		reason = "logout";
	} else if (s->bad_in_row >= SESSION_BAD_MAX) {
		bye = "Too many bad commands.";
		reason = "too many bad commands";
	} else if (bye == NULL) {
		while (e->err != 0 && e->err != err)
			e++;
		bye = e->bye;
		reason = e->reason;
	}
	if (bye != NULL)
		reply_untagged(s->out, REPLY_BYE, NULL, bye);
	if (wire_out_flush(s->out) == ERR_TIMEOUT)
		reason = "client stopped reading";
	log_end_of(s, reason);
	/* Who waits for the end sees it now: to close what watches a mailbox
	 * takes the kernel 10 ms. */
	(void)shutdown(s->start->fd_out, SHUT_WR);
}

int
session_run(const struct session_start *start)
{
	struct session s;
	int err = 0;

	session_init(&s, start);
	greet(&s);
	while (err == 0 && !s.is_logout && s.bye == NULL &&
	    s.bad_in_row < SESSION_BAD_MAX)
		err = turn(&s);
	end(&s, err);
	session_done(&s);
	return EXIT_SUCCESS;
}
