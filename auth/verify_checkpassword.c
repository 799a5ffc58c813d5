/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * verify_checkpassword.c: users from a checkpassword program
 * (cr.yp.to/checkpwd/interface.html), see checkpassword.h.
 *
 * On its descriptor 3 the program finds name, password and a timestamp, each
 * ended by NUL, at most 512 bytes in all.  Exit codes: 1 wrong, 111 not now, 2
 * used wrongly; otherwise it has run our report.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/enc.h"
#include "base/fdio.h"

#include "auth/checkpassword.h"
#include "auth/expand.h"
#include "auth/spawn.h"
#include "auth/userdb.h"
#include "auth/verify.h"

#define INPUT_FD	3	/* of the interface */
#define INPUT_MAX	512	/* the same */
#define EXIT_WRONG	1
#define ARGS_MAX	64
#define ENV_MAX		8
#define PATH_DEFAULT	"PATH=/usr/local/bin:/usr/bin:/bin"

struct report {
	struct ucred sender;
	struct span value[CHECKPASSWORD_NVALUES];
};

static void
note(struct verify *v, const char *what)
{
	v->auth->note.fn(v->auth->note.cookie, "checkpassword", 0, what);
}

/* PROGRAM ARGS, split at blanks, and what it is to run in the end. */
static int
make_argv(struct verify *v, char *argv[ARGS_MAX])
{
	struct span rest = span_str(v->auth->conf->checkpassword), word;
	size_t n = 0;

	while (rest.p != NULL) {
		word = span_split(&rest, ' ');
		if (word.n == 0)
			continue;
		if (n + 3 >= ARGS_MAX)
			return ERR_LIMIT;
		argv[n++] = arena_cstr(v->arena, word);
	}
	if (n == 0 || argv[0][0] != '/')
		return ERR_CONFIG;
	argv[n++] = arena_cstr(v->arena, span_str(v->auth->conf->helper));
	argv[n++] = arena_cstr(v->arena, SPAN(CHECKPASSWORD_REPORT));
	argv[n] = NULL;
	return 0;
}

static char *
variable(struct verify *v, const char *name, struct span value)
{
	struct buf b;
	char *made;

	buf_init(&b, INPUT_MAX);
	buf_puts(&b, name);
	buf_put_span(&b, value);
	made = arena_cstr(v->arena, buf_span(&b));
	buf_done(&b);
	return made;
}

/* As tcpserver and Dovecot name things. */
static void
make_envp(struct verify *v, char *envp[ENV_MAX])
{
	size_t n = 0;

	envp[n++] = variable(v, PATH_DEFAULT, SPAN_NONE);
	envp[n++] = variable(v, "SERVICE=imap", SPAN_NONE);
	if (v->peer.address.n > 0) {
		envp[n++] = variable(v, "PROTO=TCP", SPAN_NONE);
		envp[n++] = variable(v, "TCPREMOTEIP=", v->peer.address);
	}
	envp[n] = NULL;
}

/* Name, password and time into the pipe; it holds more than INPUT_MAX. */
static int
write_input(struct verify *v, struct span password, int fd)
{
	struct buf b;
	int err;

	buf_init(&b, INPUT_MAX);
	(void)buf_room(&b, INPUT_MAX);	/* grows once: no copies */
	buf_put_span(&b, v->user);
	buf_putc(&b, '\0');
	buf_put_span(&b, password);
	buf_putc(&b, '\0');
	buf_puts(&b, "0");
	buf_putc(&b, '\0');
	err = buf_err(&b);
	if (err == 0)
		err = fdio_write(fd, buf_span(&b), v->until);
	buf_wipe_done(&b);
	return err;
}

/* One packet, and who sent it. */
static int
receive(int fd, struct deadline until, uint8_t *p, size_t *ret_n,
    struct ucred *ret)
{
	union {
		struct cmsghdr align;
		uint8_t room[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec iov = { p, CHECKPASSWORD_MAX };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;
	ssize_t n;
	int err;

	err = fdio_wait(fd, POLLIN, until);
	if (err != 0)
		return err;
	n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return err_from_errno(errno);
	if (n == 0)
		return ERR_EOF;
	c = CMSG_FIRSTHDR(&m);
	if ((m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || c == NULL ||
	    c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS ||
	    c->cmsg_len != CMSG_LEN(sizeof(*ret)))
		return ERR_PROTO;
	memcpy(ret, CMSG_DATA(c), sizeof(*ret));
	*ret_n = (size_t)n;
	return 0;
}

static int
read_report(struct verify *v, int fd, struct report *ret)
{
	uint8_t *p = arena_alloc(v->arena, CHECKPASSWORD_MAX);
	struct dec d;
	size_t n = 0;
	int err;

	err = receive(fd, v->until, p, &n, &ret->sender);
	if (err != 0)
		return err;
	d = dec_init(span_of(p, n));
	for (int i = 0; i < CHECKPASSWORD_NVALUES; i++)
		ret->value[i] = dec_bytes(&d, CHECKPASSWORD_MAX);
	return dec_end(&d);
}

/* Start the program, hand it the password; its end of the report's socket is
 * ret_fd. */
static int
start(struct verify *v, struct span password, pid_t *ret_pid, int *ret_fd)
{
	char *argv[ARGS_MAX], *envp[ENV_MAX];
	int in[2] = { -1, -1 }, report[2] = { -1, -1 }, on = 1, err;
	struct spawn_fd given[] = { { -1, INPUT_FD },
	    { -1, CHECKPASSWORD_FD } };

	err = make_argv(v, argv);
	if (err != 0)
		return err;
	make_envp(v, envp);
	if (pipe2(in, O_CLOEXEC) != 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    report) != 0 || setsockopt(report[0], SOL_SOCKET, SO_PASSCRED,
	    &on, sizeof(on)) != 0) {
		err = err_from_errno(errno);
		goto out;
	}
	given[0].ours = in[0];
	given[1].ours = report[1];
	err = write_input(v, password, in[1]);
	if (err == 0)
		err = spawn_child(argv, envp, given, 2, ret_pid);
	if (err == 0) {
		*ret_fd = report[0];
		report[0] = -1;
	}
out:
	fdio_close(&in[0]);
	fdio_close(&in[1]);
	fdio_close(&report[0]);
	fdio_close(&report[1]);
	return err;
}

static enum auth_reason
make_user(struct verify *v, const struct report *report,
    struct auth_user **ret)
{
	const struct span *value = report->value;
	struct userdb_facts facts = {
		.backend = "checkpassword",
		.name = v->user,
		.home = value[CHECKPASSWORD_HOME],
		.mail = value[CHECKPASSWORD_MAIL],
		.quota = value[CHECKPASSWORD_QUOTA],
	};
	const char *why;

	if (report->sender.uid == 0) {
		facts.uid = value[CHECKPASSWORD_UID];
		facts.gid = value[CHECKPASSWORD_GID];
	} else {
		facts.uid = verify_print_id(v, report->sender.uid);
		facts.gid = verify_print_id(v, report->sender.gid);
	}
	if (facts.mail.n == 0)
		facts.mail = value[CHECKPASSWORD_MAILDIR];
	if (value[CHECKPASSWORD_USER].n > 0 &&
	    expand_check_name(value[CHECKPASSWORD_USER]) == 0)
		facts.name = value[CHECKPASSWORD_USER];
	if (userdb_make(v->auth->conf, &facts, ret, &why) == 0)
		return AUTH_OK;
	note(v, why);
	return AUTH_BAD_ENTRY;
}

static enum auth_reason
ask(struct verify *v, struct span password, struct auth_user **ret)
{
	enum auth_reason reason = AUTH_UNAVAILABLE;
	struct report report;
	int fd = -1, status = 0, err, report_err;
	pid_t pid = 0;

	err = start(v, password, &pid, &fd);
	if (err == ERR_LIMIT)
		return AUTH_BAD_PASSWORD;	/* longer than can be asked */
	if (err != 0) {
		note(v, "cannot be started");
		return AUTH_UNAVAILABLE;
	}
	report_err = read_report(v, fd, &report);
	fdio_close(&fd);
	err = spawn_wait(pid, v->until, &status);
	if (err != 0)
		note(v, "was too slow");
	else if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_WRONG)
		reason = AUTH_BAD_PASSWORD;
	else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		note(v, "failed");
	else if (report_err != 0)
		note(v, "did not run the program it was given");
	else
		reason = make_user(v, &report, ret);
	return reason;
}

enum auth_reason
verify_checkpassword(struct verify *v, struct auth_user **ret)
{
	enum auth_reason reason = AUTH_BAD_PASSWORD;

	/* It cannot say who somebody is without the password. */
	if (v->is_trusted || v->user.n == 0)
		return AUTH_UNKNOWN_USER;
	if (v->auth->conf->checkpassword == NULL ||
	    v->auth->conf->helper == NULL)
		return AUTH_UNAVAILABLE;
	for (size_t i = 0; i < v->ntries && reason == AUTH_BAD_PASSWORD; i++)
		reason = ask(v, v->tries[i], ret);
	return reason;
}
