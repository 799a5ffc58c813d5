/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * main.c: imapd.  See imapd(8).
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "imapd/process/connection.h"
#include "imapd/process/launch.h"
#include "imapd/process/listen.h"
#include "imapd/process/policy.h"

#define CONFIG_DEFAULT	SYSCONFDIR "/imapd.conf"
#define EXIT_USAGE	64	/* EX_USAGE */
#define SET_MAX		64	/* -o options */

static struct {
	const char *config;	/* -c; NULL: the default, which may be absent */
	const char *dir;	/* -d */
	struct span set[SET_MAX];	/* -o */
	size_t nset;
	bool is_listen;		/* -l */
	bool is_test, is_print;	/* -t, -T */
	bool is_tls_now;	/* -S */
	bool is_tls_outside;	/* -E */
	bool is_login;		/* -L */
} opt;

static int
usage(void)
{
	static const char text[] =
	    "usage: imapd [-ELS] [-c file] [-d maildir] [-o key=value]\n"
	    "       imapd -l [-c file] [-o key=value] [address ...]\n"
	    "       imapd -t | -T [-c file] [-o key=value]\n";

	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	return EXIT_USAGE;
}

static int
parse_options(int argc, char *argv[])
{
	int c;

	while ((c = getopt(argc, argv, "c:d:ELlo:StT")) != -1) {
		switch (c) {
		case 'c':
			opt.config = optarg;
			break;
		case 'd':
			opt.dir = optarg;
			break;
		case 'E':
			opt.is_tls_outside = true;
			break;
		case 'L':
			opt.is_login = true;
			break;
		case 'l':
			opt.is_listen = true;
			break;
		case 'o':
			if (opt.nset == SET_MAX)
				return usage();
			opt.set[opt.nset++] = span_str(optarg);
			break;
		case 'S':
			opt.is_tls_now = true;
			break;
		case 't':
			opt.is_test = true;
			break;
		case 'T':
			opt.is_print = true;
			break;
		default:
			return usage();
		}
	}
	return optind < argc && !opt.is_listen ? usage() : 0;
}

/* The configuration as the options say; NULL and the complaint in err. */
static struct config *
read_config(struct buf *err)
{
	struct config *conf = config_new();
	const char *path = opt.config == NULL ? CONFIG_DEFAULT : opt.config;
	int r = config_read(conf, path, err);

	if (r == ERR_NOENT && opt.config == NULL)
		r = 0;		/* the defaults will do */
	else if (r == ERR_NOENT) {
		buf_puts(err, path);
		buf_puts(err, ": no such file");
	}
	for (size_t i = 0; i < opt.nset && r == 0; i++)
		r = config_set(conf, opt.set[i], err);
	if (r == 0)
		r = config_check(conf, err);
	if (r == 0)
		return conf;
	config_free(conf);
	return NULL;
}

static void
log_config_error(struct buf *err)
{
	log_begin(LOG_ERR, "config-error");
	log_span("reason", buf_span(err));
	log_end();
}

/* For the listener: from where it was first read. */
static struct config *
reload(void)
{
	struct config *conf;
	struct buf err;

	buf_init(&err, CONFIG_ERROR_MAX);
	if ((conf = read_config(&err)) == NULL)
		log_config_error(&err);
	buf_done(&err);
	return conf;
}

static int
print_config(const struct config *conf)
{
	struct buf out;
	int err;

	if (!opt.is_print)
		return 0;
	buf_init(&out, CONFIG_FILE_MAX);
	config_print(conf, &out);
	err = fdio_write(STDOUT_FILENO, buf_span(&out), DEADLINE_NEVER);
	buf_done(&out);
	return err == 0 ? 0 : EXIT_FAULT;
}

/* Standard descriptors that are closed are dangerous: the next open() would get
 * their numbers. */
static int ERR_CHECK
fill_descriptors(void)
{
	int fd;

	do {
		if ((fd = open("/dev/null", O_RDWR)) == -1)
			return ERR_IO;
	} while (fd <= STDERR_FILENO);
	close(fd);
	return 0;
}

/*
 * stderr is the log, except under inetd, where it is the client.  With "auto":
 * syslog there, and for a pipe, whose stderr is some user's terminal.
 */
static enum log_to
open_log(const struct config *conf, const struct launch *launch)
{
	enum log_to to = LOG_TO_STDERR;

	if (conf->log == CONFIG_LOG_NONE)
		to = LOG_TO_NONE;
	else if (conf->log == CONFIG_LOG_SYSLOG ||
	    launch->is_stderr_client ||
	    (conf->log == CONFIG_LOG_AUTO && launch->mode == LAUNCH_PIPE))
		to = LOG_TO_SYSLOG;
	log_open(to, "imapd", policy_log_level(conf));
	mem_on_exhausted(log_no_memory);
	return to;
}

/* The connection gets numbers of its own; 0 and 1 (and 2 if it was the client)
 * become /dev/null, so that nobody writes to the client by mistake, and the
 * connection ends when it is closed. */
static int ERR_CHECK
move_descriptors(struct launch *l)
{
	int null, in, out;

	if ((in = fcntl(l->fd_in, F_DUPFD_CLOEXEC, 3)) == -1)
		return ERR_IO;
	out = l->fd_out == l->fd_in ? in :
	    fcntl(l->fd_out, F_DUPFD_CLOEXEC, 3);
	if (out == -1 || (null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
		return ERR_IO;
	if (dup2(null, STDIN_FILENO) == -1 || dup2(null, STDOUT_FILENO) == -1 ||
	    (l->is_stderr_client && dup2(null, STDERR_FILENO) == -1))
		return ERR_IO;
	close(null);
	if (l->fd_in > STDERR_FILENO)
		close(l->fd_in);
	l->fd_in = in;
	l->fd_out = out;
	return 0;
}

static int
serve_one(struct config *conf, struct launch *launch, enum log_to log_to)
{
	struct connection c;
	int status;

	if (move_descriptors(launch) != 0 || fdio_stop_on(SIGTERM) != 0)
		return EXIT_FAULT;
	connection_init(&c, conf, launch->fd_in, launch->fd_out,
	    &launch->peer, log_to);
	c.is_tls_now |= opt.is_tls_now;
	c.is_tls_outside = launch->is_tls_outside || opt.is_tls_outside;
	if (c.is_tls_outside)
		c.is_tls_now = false;
	if (opt.dir != NULL ||
	    (launch->mode == LAUNCH_PIPE && !opt.is_login && geteuid() != 0))
		status = connection_preauth(&c, opt.dir);
	else
		status = connection_run(&c);
	connection_done(&c);
	return status;
}

static int
listen_here(struct config *conf, char *argv[], const struct launch *launch,
    enum log_to log_to)
{
	struct listen_options options = { reload, log_to };
	struct buf addresses;
	const char *text = conf->listen;
	int status;

	if (launch->mode == LAUNCH_LISTEN && !opt.is_listen)
		return listen_run(conf, NULL, launch, &options);
	buf_init(&addresses, 8192);
	for (int i = optind; argv[i] != NULL; i++) {
		buf_puts(&addresses, argv[i]);
		buf_putc(&addresses, ' ');
	}
	if (addresses.n > 0 && (text = buf_cstr(&addresses)) == NULL)
		return usage();
	status = listen_run(conf, text, NULL, &options);
	buf_done(&addresses);
	return status;
}

int
main(int argc, char *argv[])
{
	struct launch launch;
	struct config *conf;
	struct buf err;
	enum log_to log_to;
	int status;

	/* Who started us may have ignored SIGCHLD, and we do wait. */
	if (fill_descriptors() != 0 || fdio_ignore(SIGPIPE) != 0 ||
	    fdio_ignore(SIGHUP) != 0 ||
	    fdio_ignore(SIGXFSZ) != 0 ||	/* softlimit -f */
	    sigaction(SIGCHLD, &(struct sigaction){ .sa_handler = SIG_DFL },
	    NULL) == -1)
		return EXIT_FAULT;
	if ((status = parse_options(argc, argv)) != 0)
		return status;
	launch_detect(&launch);
	buf_init(&err, CONFIG_ERROR_MAX);
	if ((conf = read_config(&err)) == NULL) {
		if (launch.is_stderr_client)
			log_open(LOG_TO_SYSLOG, "imapd", LOG_INFO);
		log_config_error(&err);
		buf_done(&err);
		return EXIT_CONFIG;
	}
	buf_done(&err);
	log_to = open_log(conf, &launch);
	if (opt.is_test || opt.is_print)
		status = print_config(conf);
	else if (opt.is_listen || launch.mode == LAUNCH_LISTEN)
		return listen_here(conf, argv, &launch, log_to);
	else if (launch.mode == LAUNCH_NONE && opt.dir == NULL)
		status = usage();
	else if (!launch.peer.is_gone)
		status = serve_one(conf, &launch, log_to);
	config_free(conf);
	return status;
}
