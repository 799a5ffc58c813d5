/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/num.h"
#include "base/utf8.h"

/*
 * The state of the log is the process's, like its standard error: one of the
 * few modules with variables of their own.  No allocation happens here, so that
 * running out of memory can still be logged.
 */
#define SESSION_MAX	32

static struct {
	enum log_to to;
	int level;
	int fd;
	char session[SESSION_MAX];
	size_t nsession;
} state = { .to = LOG_TO_STDERR, .level = LOG_INFO, .fd = STDERR_FILENO };

static struct {
	int level;
	bool is_on;
	size_t n;
	char text[LOG_LINE_MAX + 2];	/* and LF or NUL */
} line;

void
log_open(enum log_to to, const char *ident, int level)
{
	state.to = to;
	state.level = level;
	if (to == LOG_TO_SYSLOG)
		openlog(ident, LOG_PID | LOG_NDELAY, LOG_MAIL);
}

void
log_set_fd(int fd)
{
	state.fd = fd;
}

void
log_session(struct span id)
{
	state.nsession = id.n < SESSION_MAX ? id.n : SESSION_MAX;
	if (state.nsession > 0)
		memcpy(state.session, id.p, state.nsession);
}

/* Whether lines of this level are written at all. */
static bool
is_log_on(int level)
{
	return state.to != LOG_TO_NONE && level <= state.level;
}

static void
put(const void *p, size_t n)
{
	if (n <= LOG_LINE_MAX - line.n) {
		memcpy(line.text + line.n, p, n);
		line.n += n;
	}
}

/* Bytes that a value may hold without quotes. */
static bool
is_bare(struct span s)
{
	static const char others[] = "-_.:/@+,%[]^~";

	for (size_t i = 0; i < s.n; i++)
		if (!is_alpha(s.p[i]) && !is_digit(s.p[i]) &&
		    (s.p[i] == '\0' || strchr(others, s.p[i]) == NULL))
			return false;
	return s.n > 0;
}

static void
put_escaped(uint8_t c)
{
	static const char hex[] = "0123456789abcdef";
	char out[4] = { '\\', 'x', hex[c >> 4], hex[c & 15] };

	put(out, sizeof(out));
}

static void
put_quoted(struct span s)
{
	uint32_t cp;
	bool ok;

	put("\"", 1);
	while (s.n > 0) {
		size_t n = utf8_step(s, &cp, &ok);

		/* C1 controls and the line separators end lines somewhere. */
		if (!ok || cp < 0x20 || (cp >= 0x7F && cp < 0xA0) ||
		    cp == 0x2028 || cp == 0x2029 || cp == '"' || cp == '\\')
			for (size_t i = 0; i < n; i++)
				put_escaped(s.p[i]);
		else
			put(s.p, n);
		s = span_skip(s, n);
	}
	put("\"", 1);
}

void
log_begin(int level, const char *event)
{
	line.level = level;
	line.is_on = is_log_on(level);
	line.n = 0;
	if (!line.is_on)
		return;
	put(event, strlen(event));
	if (state.nsession > 0)
		log_span("session", span_of(state.session, state.nsession));
}

void
log_span(const char *key, struct span value)
{
	bool is_cut = value.n > LOG_VALUE_MAX;

	value = span_take(value, LOG_VALUE_MAX);
	/* A quoted byte takes four; keep whole values or none.  A short one
	 * still finds room behind long ones. */
	if (!line.is_on ||
	    LOG_LINE_MAX - line.n < strlen(key) + 8 + 4 * value.n)
		return;
	put(" ", 1);
	put(key, strlen(key));
	put("=", 1);
	if (is_bare(value))
		put(value.p, value.n);
	else
		put_quoted(value);
	if (is_cut)
		put("...", 3);
}

void
log_str(const char *key, const char *value)
{
	log_span(key, span_str(value));
}

void
log_uint(const char *key, uint64_t value)
{
	uint8_t digits[NUM_U64_DIGITS];

	log_span(key, span_of(digits, num_print(value, digits)));
}

void
log_err(int err)
{
	log_str("error", err_text(err));
}

void
log_end(void)
{
	if (!line.is_on)
		return;
	line.is_on = false;
	if (state.to == LOG_TO_SYSLOG) {
		line.text[line.n] = '\0';
		syslog(line.level, "%s", line.text);
		return;
	}
	line.text[line.n] = '\n';
	/* One write, so that lines of several processes do not mix; there is
	 * nobody to tell if it fails. */
	(void)!write(state.fd, line.text, line.n + 1);
}

void
log_line(int level, const char *event, int err)
{
	log_begin(level, event);
	if (err != 0)
		log_err(err);
	log_end();
}

void
log_no_memory(void)
{
	log_line(LOG_ERR, "no-memory", 0);
}
