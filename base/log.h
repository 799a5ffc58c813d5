/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * log.h: one line per event, "event key=value key=value".
 *
 *	log_begin(LOG_NOTICE, "auth-failed");
 *	log_span("user", user);
 *	log_uint("attempt", n);
 *	log_end();
 *
 * Values that hold anything but letters, digits and -_.:/@+,%[]^~ are quoted;
 * inside quotes, control bytes, quotes, backslashes and bytes that are not
 * UTF-8 are written \xHH.  So no peer can make a line end or forge a key.  A
 * value is cut at LOG_VALUE_MAX bytes, a line at LOG_LINE_MAX; a cut value ends
 * in "...".  Passwords and message content are never given to this module.
 *
 * Every event is listed in imapd(8); tests/lint compares.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <syslog.h>		/* LOG_ERR .. LOG_DEBUG */

#include "base/span.h"

#define LOG_VALUE_MAX	512
#define LOG_LINE_MAX	4096

enum log_to {
	LOG_TO_NONE,
	LOG_TO_STDERR,
	LOG_TO_SYSLOG		/* connected at once, so that it works in a
				 * chroot and in a sandbox */
};

/* log_open(to, ident, level): where lines go from now on, and the least
 * important level that is written.  ident is kept, not copied. */
void log_open(enum log_to to, const char *ident, int level);

/* log_set_fd(fd): with LOG_TO_STDERR, write to this descriptor instead of 2. */
void log_set_fd(int fd);

/* log_session(id): the value of session= on every line; at most 32 bytes. */
void log_session(struct span id);

/* One line is under construction at a time. */
void log_begin(int level, const char *event);
void log_span(const char *key, struct span value);
void log_str(const char *key, const char *value);
void log_uint(const char *key, uint64_t value);
void log_err(int err);		/* error="err_text(err)" */
void log_end(void);

/* log_no_memory(): the event no-memory, for mem_on_exhausted(). */
void log_no_memory(void);

/* log_line(level, event, err): an event with nothing but an error (0: none). */
void log_line(int level, const char *event, int err);

#endif
