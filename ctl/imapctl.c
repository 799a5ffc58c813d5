/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * imapctl.c: the administrator's tool: options, and the table of verbs.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "ctl/ctl.h"

#define CONFIG_FILE	SYSCONFDIR "/imapd.conf"
#define MESSAGE_MAX	4096

static const struct {
	const char *name;
	const char *usage;
	int (*run)(const struct ctl *ctl);
} verbs[] = {
	{ "users", "index|check [FILE] | test [-a ADDRESS] [-f FILE] NAME",
	    ctl_users },
	{ "passwd", "[-s SCHEME]", ctl_passwd },
	{ "check", "[-adruv] [-m MAILBOX] DIRECTORY|LOCATION|USER...",
	    ctl_check },
};

#define NVERBS	(sizeof(verbs) / sizeof(verbs[0]))

void
ctl_say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)fputs("imapctl: ", stderr);
	(void)vfprintf(stderr, format, args);
	(void)fputc('\n', stderr);
	va_end(args);
}

static int
usage(void)
{
	for (size_t i = 0; i < NVERBS; i++)
		(void)fprintf(stderr, "%s imapctl [-c FILE] %s %s\n",
		    i == 0 ? "usage:" : "      ", verbs[i].name,
		    verbs[i].usage);
	return CTL_USAGE;
}

static int
read_line(struct buf *b)
{
	ssize_t n;
	uint8_t c;

	for (;;) {
		n = read(STDIN_FILENO, &c, 1);
		if (n < 0)
			return ERR_IO;
		if (n == 0 && b->n == 0)
			return ERR_EOF;
		if (n == 0 || c == '\n')
			return buf_err(b);
		buf_putc(b, c);
	}
}

int
ctl_read_password(struct buf *b)
{
	struct termios old, quiet;
	bool is_terminal = tcgetattr(STDIN_FILENO, &old) == 0;
	int err;

	buf_clear(b);
	if (is_terminal) {
		quiet = old;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		(void)fputs("Password: ", stderr);
		if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) != 0)
			return ERR_IO;
	}
	err = read_line(b);
	if (is_terminal) {
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
		(void)fputc('\n', stderr);
	}
	return err;
}

/* A file that was named must be there; the usual one need not. */
static int
read_config(struct config *conf, const char *path, bool is_named)
{
	struct buf why;
	const char *text;
	int err;

	buf_init(&why, MESSAGE_MAX);
	err = config_read(conf, path, &why);
	if (err == ERR_NOENT && !is_named)
		err = 0;
	if (err != 0) {
		text = buf_cstr(&why);
		ctl_say("%s", text != NULL && *text != '\0' ? text :
		    err_text(err));
	}
	buf_done(&why);
	return err;
}

static int
run(const char *path, bool is_named, int argc, char **argv)
{
	struct ctl ctl = { .argc = argc, .argv = argv };
	struct config *conf;
	int status = CTL_CONFIG;

	for (size_t i = 0; i < NVERBS; i++) {
		if (argc == 0 || strcmp(argv[0], verbs[i].name) != 0)
			continue;
		conf = config_new();
		if (read_config(conf, path, is_named) == 0) {
			ctl.conf = conf;
			status = verbs[i].run(&ctl);
		}
		config_free(conf);
		return status == CTL_USAGE ? usage() : status;
	}
	return usage();
}

int
main(int argc, char **argv)
{
	const char *path = CONFIG_FILE;
	bool is_named = false;
	int option;

	/* "+": options behind the verb are the verb's. */
	while ((option = getopt(argc, argv, "+c:")) != -1) {
		if (option != 'c')
			return usage();
		path = optarg;
		is_named = true;
	}
	return run(path, is_named, argc - optind, argv + optind);
}
