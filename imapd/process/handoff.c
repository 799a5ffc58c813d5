/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * handoff.c: the monitor becomes the session.
 *
 * The order matters: first the user's rights, then what is still to be opened
 * or made with them, then the sandbox; only then is the first byte of the
 * client looked at.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <malloc.h>
#include <pwd.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "auth/expand.h"
#include "auth/location.h"
#include "auth/quotarule.h"
#include "base/fdio.h"
#include "base/mem.h"
#include "imapd/command/session.h"
#include "imapd/command/trace.h"
#include "imapd/process/connection.h"
#include "imapd/process/privsep.h"
#include "imapd/process/sandbox.h"

#define HELPER_WAIT_MS	5000	/* for imapd-tls to send the rest */
#define BYE_WAIT_MS	1000
#define PATHS_MAX	12

/* What every session may read besides the mail. */
static const char *const readable[] = {
	"/etc/localtime",
	"/usr/share/zoneinfo",
	"/usr/lib/x86_64-linux-gnu/gconv",
	"/usr/lib/aarch64-linux-gnu/gconv",
	"/usr/lib64/gconv",
	"/usr/lib/gconv",
};

/* The mail root, if only its last component is missing and the directory above
 * is the user's own: anything else is a disk that is not mounted. */
static int ERR_CHECK
make_root(const char *root, bool *ret_is_missing)
{
	struct span path = span_str(root), parent;
	struct stat st;
	char *dir;
	bool is_ours;

	*ret_is_missing = false;
	if (stat(root, &st) == 0)
		return S_ISDIR(st.st_mode) ? 0 : ERR_CONFIG;
	if (errno != ENOENT)
		return err_from_errno(errno);
	parent = span_take(path, span_rfind(path, '/'));
	dir = parent.n == 0 ? mem_strdup("/") : mem_dup(parent.p, parent.n);
	is_ours = stat(dir, &st) == 0 && st.st_uid == geteuid();
	free(dir);
	*ret_is_missing = !is_ours || mkdir(root, 0700) == -1;
	return 0;
}

/* What the store would make, and could not from inside the sandbox.  Whatever
 * stands in the way, the store finds and says. */
static void
make_elsewhere(const struct maildir_conf *mail)
{
	bool is_missing;

	if (mail->inbox != NULL)
		(void)!make_root(mail->inbox, &is_missing);
	if (mail->control != NULL)
		(void)mkdir(mail->control, 0700);
}

static int ERR_CHECK
enter_sandbox(const struct config *conf, const struct maildir_conf *mail)
{
	struct sandbox_path paths[PATHS_MAX];
	size_t n = 0;

	paths[n++] = (struct sandbox_path){ mail->root, 1 };
	if (mail->inbox != NULL)
		paths[n++] = (struct sandbox_path){ mail->inbox, 1 };
	if (mail->control != NULL)
		paths[n++] = (struct sandbox_path){ mail->control, 1 };
	for (size_t i = 0; i < sizeof(readable) / sizeof(readable[0]); i++)
		paths[n++] = (struct sandbox_path){ readable[i], 0 };
	tzset();	/* reads the zone now: wanted by log and INTERNALDATE */
	return sandbox_enter(SANDBOX_SESSION, conf->sandbox, paths, n);
}

/* imapd-tls sends what we said last; a launcher that counts us as the service
 * would end it with us. */
static void
wait_for_helper(struct connection *c)
{
	struct deadline until = deadline_in(HELPER_WAIT_MS);
	const struct timespec pause = { 0, 5 * 1000 * 1000 };

	if (c->helper <= 0)
		return;
	(void)shutdown(c->fd_out, SHUT_WR);
	while (!is_deadline_past(until) &&
	    waitpid(c->helper, NULL, WNOHANG) == 0)
		(void)nanosleep(&pause, NULL);
}

static int
refuse(struct connection *c, const char *what, int err)
{
	log_begin(LOG_ERR, "session-failed");
	log_str("user", c->user->name);
	log_str("what", what);
	log_err(err);
	log_end();
	/* The client may be gone; there is no one else to tell. */
	(void)!fdio_write(c->fd_out, SPAN("* BYE [UNAVAILABLE] the mail cannot "
	    "be opened now\r\n"), deadline_in(BYE_WAIT_MS));
	wait_for_helper(c);
	return EXIT_FAULT;
}

/* All that a session wants to know; what it will not need is given back. */
static int
run_session(struct connection *c, const struct maildir_conf *mail,
    bool is_missing, int trace_fd)
{
	struct session_start start = {
		.fd_in = c->fd_in, .fd_out = c->fd_out, .conf = c->conf,
		.mail = *mail, .is_mail_missing = is_missing,
		.user = c->user->name,
		.capability_mask = c->capability_mask,
		.tag = c->tag, .unread = c->unread,
		.is_tls = c->is_tls || c->is_tls_outside,
		.remote = span_str(c->remote),
		.method = c->method,
		.label = span_str(c->user->label == NULL ? "" :
		    c->user->label),
		.tls = c->tls, .client_id = c->client_id,
		.started = c->started,
		.trace_fd = trace_fd < 0 ? 0 : trace_fd,
	};
	int status;

	(void)malloc_trim(0);
	status = session_run(&start);
	wait_for_helper(c);
	return status;
}

/* The mask of configuration and network, then that of the user. */
static void
join_masks(struct connection *c)
{
	struct buf mask;

	if (c->user->capability == NULL)
		return;
	buf_init(&mask, 2 * CONFIG_MASK_BYTES);
	buf_put_span(&mask, c->capability_mask);
	buf_putc(&mask, ' ');
	buf_puts(&mask, c->user->capability);
	c->capability_mask = arena_dup(c->arena, buf_span(&mask));
	buf_done(&mask);
}

static int ERR_CHECK
find_maildir(const struct connection *c, struct maildir_conf *mail)
{
	struct location loc;
	int err;

	err = location_parse(span_str(c->user->mail), span_str(c->user->home),
	    c->arena, &loc);
	if (err != 0)
		return err;
	/* Mail would be looked for where it is not. */
	if (loc.dirname != NULL || loc.subscriptions != NULL)
		return ERR_UNSUPPORTED;
	mail->root = loc.root;
	mail->inbox = loc.inbox;
	mail->control = loc.control;
	mail->layout = loc.layout == LOCATION_FS ? MAILDIR_FS :
	    MAILDIR_PLUSPLUS;
	mail->utf8_names |= loc.is_utf8;
	return 0;
}

/* What is said of the user, else of all. */
static int ERR_CHECK
find_quota(const struct connection *c, struct maildir_conf *mail)
{
	struct quotarule rule = { QUOTARULE_UNSAID, 0, 0 };
	int err = 0;

	if (c->user->quota != NULL)
		err = quotarule_parse(span_str(c->user->quota), &rule);
	if (err == 0 && rule.kind == QUOTARULE_UNSAID &&
	    c->conf->quota != NULL)
		err = quotarule_parse(span_str(c->conf->quota), &rule);
	if (err != 0)
		return err;
	mail->quota = rule.kind == QUOTARULE_LIMITS ? MAILDIR_QUOTA_LIMITS :
	    rule.kind == QUOTARULE_FILE ? MAILDIR_QUOTA_FILE :
	    MAILDIR_QUOTA_NONE;
	mail->limits = (struct maildir_limits){ rule.bytes, rule.messages };
	return 0;
}

/* The user's rights and nothing else: also not the listener's descriptors. */
static int ERR_CHECK
become_user(struct connection *c)
{
	const struct auth_user *user = c->user;
	int err;

	for (int h = 0; c->forkers != NULL && h < HELPER_COUNT; h++)
		fdio_close(&c->forkers->fd[h]);
	/* Nobody logs in as root; who started us on a pipe did not log in. */
	if (user->uid == 0 && c->tag.n > 0)
		return ERR_ACCESS;
	err = privsep_become(user->uid, user->gid, user->groups,
	    user->ngroups, NULL);
	if (err == 0)
		err = privsep_harden();
	if (err == 0 && chdir("/") == -1)
		err = err_from_errno(errno);
	(void)umask(077);
	return err;
}

/* Give up rights and serve c->user; the exit code. */
static int
become_session(struct connection *c)
{
	const struct auth_user *user = c->user;
	struct maildir_conf mail = { .fsync = c->conf->fsync, .create = true,
	    .utf8_names = c->conf->utf8_names,
	    .lock_ms = c->conf->lock_timeout };
	bool is_missing;
	int trace_fd, err;

	err = find_maildir(c, &mail);
	if (err != 0)
		return refuse(c, "mail location", err);
	if ((err = find_quota(c, &mail)) != 0)
		return refuse(c, "quota", err);
	if ((err = become_user(c)) != 0)
		return refuse(c, "privileges", err);
	if ((err = make_root(mail.root, &is_missing)) != 0)
		return refuse(c, "mail root", err);
	if (!is_missing)
		make_elsewhere(&mail);
	trace_fd = trace_open(c->conf->trace_directory, user->name);
	if ((err = enter_sandbox(c->conf, &mail)) != 0)
		return refuse(c, "sandbox", err);
	join_masks(c);
	return run_session(c, &mail, is_missing, trace_fd);
}

int
connection_run(struct connection *c)
{
	log_begin(LOG_DEBUG, "connected");
	log_str("rip", c->remote);
	log_uint("rport", c->peer.remote_port);
	log_uint("lport", c->peer.local_port);
	log_end();
	if (monitor_run(c) == 0)
		return become_session(c);
	/* No event above debug: a health check must not count as a failed
	 * login, and a failed login has its own. */
	log_line(LOG_DEBUG, "disconnected", 0);
	return 0;
}

/* ---- PREAUTH ----------------------------------------------------------- */

/* Whoever we are already; for a pipe. */
static int ERR_CHECK
find_self(struct connection *c)
{
	struct auth_user *user = mem_zalloc(sizeof(*user));
	const struct passwd *pw = getpwuid(getuid());
	const char *home = getenv("HOME");
	struct buf name;

	buf_init(&name, 32);
	buf_put_u64(&name, getuid());
	if (pw == NULL && home == NULL)
		home = "/";
	user->name = pw != NULL ? mem_strdup(pw->pw_name) :
	    mem_dup(name.p, name.n);
	user->home = mem_strdup(home != NULL ? home : pw->pw_dir);
	buf_done(&name);
	user->backend = mem_strdup("preauth");
	user->uid = getuid();
	user->gid = getgid();
	c->user = user;
	return 0;
}

/* The mail key, or the directory of -d, for ourselves. */
static int ERR_CHECK
find_mail(struct connection *c, const char *dir)
{
	struct expand e = { span_str(c->user->name), span_str(c->user->home) };
	struct buf text;
	char cwd[4096];
	int err = 0;

	buf_init(&text, 2 * sizeof(cwd));
	if (dir == NULL) {
		err = expand_put(span_str(c->conf->mail), &e, &text);
	} else {
		if (dir[0] != '/' && getcwd(cwd, sizeof(cwd)) != NULL) {
			buf_puts(&text, cwd);
			buf_putc(&text, '/');
		}
		buf_puts(&text, dir);
	}
	if (err == 0)
		err = buf_err(&text);
	c->user->mail = mem_dup(text.p, text.n);
	buf_done(&text);
	return err;
}

int
connection_preauth(struct connection *c, const char *dir)
{
	struct buf mask;
	int err;

	if ((err = find_self(c)) != 0)
		return EXIT_FAULT;
	c->method = SPAN("preauth");
	buf_init(&mask, 2 * CONFIG_MASK_BYTES);
	config_capability_put(c->conf, NULL, &mask);
	c->capability_mask = arena_dup(c->arena, buf_span(&mask));
	buf_done(&mask);
	if ((err = find_mail(c, dir)) != 0)
		return refuse(c, "mail location", err);
	return become_session(c);
}
