/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * answer.h: how a command ends: the news, then its tagged response.
 *
 * Every run function ends with one of these.  They return wire_out_err(): 0, or
 * why the client can no longer be written to.
 */
#ifndef IMAPD_COMMAND_ANSWER_H
#define IMAPD_COMMAND_ANSWER_H

#include "base/err.h"
#include "imapd/command/session_state.h"
#include "imapd/wire/command.h"

/* "tag OK NAME completed.", after the news of the selected mailbox. */
int answer_done(struct session *s, const struct command *cmd) ERR_CHECK;

/* The same with a code that is put together: answer_begin(), print "[...] " to
 * wire_out_buf(), answer_end(). */
void answer_begin(struct session *s, const struct command *cmd);
int answer_end(struct session *s, const struct command *cmd) ERR_CHECK;

/* "tag OK text", after the news of the selected mailbox. */
int answer_ok(struct session *s, const struct command *cmd, const char *text)
    ERR_CHECK;

/* "tag NO [code] text"; code may be NULL. */
int answer_no(struct session *s, const struct command *cmd, const char *code,
    const char *text) ERR_CHECK;

/*
 * answer_err(s, cmd, err): NO with the response code (RFC 5530) and the words
 * that belong to err; failures of ours (disk, damaged files) are logged.  For
 * a destination mailbox that is not there use answer_err_to(): [TRYCREATE]
 * instead of [NONEXISTENT].
 */
int answer_err(struct session *s, const struct command *cmd, int err)
    ERR_CHECK;
int answer_err_to(struct session *s, const struct command *cmd, int err)
    ERR_CHECK;

/* answer_log(s, cmd, err): for an error that the client is not told. */
void answer_log(struct session *s, const struct command *cmd, int err);

/* "tag BAD text", and counts it: ten in a row end the session. */
int answer_bad(struct session *s, const struct command *cmd, const char *text)
    ERR_CHECK;

/* answer_news(s, cmd): only the news, as far as the table allows them to cmd;
 * for commands that print their tagged response themselves. */
void answer_news(struct session *s, const struct command *cmd);

#endif
