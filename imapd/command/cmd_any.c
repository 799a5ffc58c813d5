/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * cmd_any.c: CAPABILITY, NOOP, CHECK, LOGOUT, ID, ENABLE.
 */
#include "imapd/command/answer.h"
#include "imapd/command/capability.h"
#include "imapd/command/commands.h"
#include "imapd/command/condstore.h"
#include "imapd/wire/fmt.h"
#include "imapd/wire/reply.h"

int
cmd_capability(struct session *s, const struct command *cmd)
{
	struct buf *b = wire_out_buf(s->out);

	buf_puts(b, "* CAPABILITY ");
	capability_put(b, CAPABILITY_SESSION, s->start->capability_mask,
	    s->conf->append_limit);
	buf_puts(b, "\r\n");
	return answer_done(s, cmd);
}

/* CHECK too: all that it could ask for has been done when the command that
 * changed something was answered. */
int
cmd_noop(struct session *s, const struct command *cmd)
{
	return answer_done(s, cmd);
}

int
cmd_logout(struct session *s, const struct command *cmd)
{
	s->is_logout = true;
	reply_untagged(s->out, REPLY_BYE, NULL, "Logging out.");
	reply_tagged(s->out, cmd->tag, REPLY_OK, NULL, "LOGOUT completed.");
	return wire_out_err(s->out);
}

/* ---- ID (RFC 2971) --------------------------------------------------- */

/* What the client calls itself, for the line at the end of the session. */
static void
remember_client(struct session *s, const struct spans *kv)
{
	static const struct span wanted[] = { SPAN("name"), SPAN("version") };

	buf_clear(&s->client_id);
	for (size_t w = 0; w < sizeof(wanted) / sizeof(wanted[0]); w++)
		for (size_t i = 0; i + 1 < kv->n; i += 2) {
			if (!is_span_ieq(kv->v[i], wanted[w]) ||
			    kv->v[i + 1].n == 0)
				continue;
			if (s->client_id.n > 0)
				buf_putc(&s->client_id, ' ');
			buf_put_span(&s->client_id, kv->v[i + 1]);
		}
}

/* The words of the key id, "name=imapd version=*": strings only, which is what
 * Thunderbird insists on; "*" is what this is. */
static void
put_id(struct buf *b, struct span conf)
{
	bool is_first = true;

	for (;;) {
		struct span word = config_word(&conf);
		struct span name = span_split(&word, '=');

		if (name.n == 0)
			break;
		buf_putc(b, is_first ? '(' : ' ');
		is_first = false;
		if (is_span_eq(word, SPAN("*")))
			word = is_span_ieq(name, SPAN("version")) ?
			    SPAN(PACKAGE_VERSION) : SPAN(PACKAGE_NAME);
		fmt_string(b, name, false);
		buf_putc(b, ' ');
		fmt_nstring(b, word, false);
	}
	buf_puts(b, is_first ? "NIL" : ")");
}

int
cmd_id(struct session *s, const struct command *cmd)
{
	struct buf *b = wire_out_buf(s->out);
	const char *conf = s->conf->id;

	remember_client(s, &cmd->u.ident.kv);
	buf_puts(b, "* ID ");
	put_id(b, conf == NULL ? SPAN_NONE : span_str(conf));
	buf_puts(b, "\r\n");
	return answer_done(s, cmd);
}

/* ---- ENABLE (RFC 5161) ----------------------------------------------- */

struct feature {
	struct span name;
	void (*enable)(struct session *s);
};

static const struct feature features[] = {
	{ SPAN("CONDSTORE"), condstore_enable },	/* RFC 7162 3.1 */
	{ SPAN("QRESYNC"), qresync_enable },		/* RFC 7162 3.2.3 */
};

static bool
is_asked_for(const struct spans *words, struct span name)
{
	for (size_t i = 0; i < words->n; i++)
		if (is_span_ieq(words->v[i], name))
			return true;
	return false;
}

/* What is not announced is not enabled: a client that asks for more learns it
 * from the answer. */
int
cmd_enable(struct session *s, const struct command *cmd)
{
	const size_t n = sizeof(features) / sizeof(features[0]);
	bool is_on[sizeof(features) / sizeof(features[0])];
	struct buf *b;

	for (size_t i = 0; i < n; i++) {
		is_on[i] = is_asked_for(&cmd->u.words, features[i].name) &&
		    !is_capability_withheld(s->start->capability_mask,
		    features[i].name);
		if (is_on[i])
			features[i].enable(s);
	}
	b = wire_out_buf(s->out);
	buf_puts(b, "* ENABLED");
	for (size_t i = 0; i < n; i++)
		if (is_on[i]) {
			buf_putc(b, ' ');
			buf_put_span(b, features[i].name);
		}
	buf_puts(b, "\r\n");
	return answer_done(s, cmd);
}
