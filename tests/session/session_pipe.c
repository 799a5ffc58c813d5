/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * session_pipe.c: one pre-authenticated session on standard input and output,
 * without any process around it: for tests of commands and for sanitizers.
 *
 *	session_pipe MAILDIR [KEY=VALUE ...]	keys of imapd.conf(5)
 *
 * The key progress is milliseconds between two signs of life of a command.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "auth/quotarule.h"
#include "base/deadline.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/num.h"
#include "imapd/command/session.h"

static int
set_key(struct config *conf, const char *line)
{
	struct buf complaint;
	int err;

	buf_init(&complaint, CONFIG_ERROR_MAX);
	err = config_set(conf, span_str(line), &complaint);
	if (err != 0)
		fprintf(stderr, "session_pipe: %.*s\n", (int)complaint.n,
		    (const char *)complaint.p);
	buf_done(&complaint);
	return err;
}

static int
set_quota(const struct config *conf, struct maildir_conf *mail)
{
	struct quotarule rule = { QUOTARULE_NONE, 0, 0 };
	int err = 0;

	if (conf->quota != NULL)
		err = quotarule_parse(span_str(conf->quota), &rule);
	mail->quota = rule.kind == QUOTARULE_LIMITS ? MAILDIR_QUOTA_LIMITS :
	    rule.kind == QUOTARULE_FILE ? MAILDIR_QUOTA_FILE :
	    MAILDIR_QUOTA_NONE;
	mail->limits = (struct maildir_limits){ rule.bytes, rule.messages };
	return err;
}

int
main(int argc, char **argv)
{
	struct config *conf = config_new();
	struct session_start start = {
		.fd_in = STDIN_FILENO, .fd_out = STDOUT_FILENO,
		.conf = conf, .user = "test", .method = SPAN("preauth"),
		.started = deadline_now()
	};
	size_t ndigits;
	int status;

	if (argc < 2) {
		fprintf(stderr, "usage: session_pipe MAILDIR [KEY=VALUE]...\n");
		return 64;
	}
	for (int i = 2; i < argc; i++)
		if (has_prefix(span_str(argv[i]), SPAN("progress=")))
			start.progress_ms = num_prefix(
			    span_skip(span_str(argv[i]), 9), &ndigits);
		else if (set_key(conf, argv[i]) != 0)
			return 64;
	tzset();
	signal(SIGPIPE, SIG_IGN);
	if (fdio_stop_on(SIGTERM) != 0)
		return EXIT_FAILURE;
	log_open(LOG_TO_STDERR, "session_pipe", LOG_INFO);
	start.mail = (struct maildir_conf){
		.root = argv[1], .layout = MAILDIR_PLUSPLUS,
		.utf8_names = conf->utf8_names, .fsync = conf->fsync,
		.create = true, .lock_ms = conf->lock_timeout
	};
	if (set_quota(conf, &start.mail) != 0)
		return 64;
	start.capability_mask = conf->capability == NULL ? SPAN_NONE :
	    span_str(conf->capability);
	status = session_run(&start);
	config_free(conf);
	return status;
}
