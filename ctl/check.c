/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * check.c: imapctl check: is what lies in a Maildir what should lie there?
 *
 * Each Maildir has a process of its own, which gives up root's rights for those
 * of the Maildir's owner before it opens anything in it: what lies there was
 * written by others, and a symbolic link must lead us nowhere that its owner
 * could not go.  The directory whose owner was asked is the one that is
 * checked: it is opened once, and is the working directory from then on.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fdio.h"
#include "maildir/check.h"
#include "maildir/maildir.h"
#include "auth/location.h"
#include "imapd/process/privsep.h"

#include "ctl/ctl.h"

enum check_exit { CHECK_CLEAN, CHECK_FOUND, CHECK_COULD_NOT };

struct run {
	const struct ctl *ctl;
	bool mend, dump, all, verbose, are_users;
	const char *mailbox;	/* -m, or NULL: all of them */
	const char *root;	/* as it is called in what we print */
	struct location loc;
	struct auth_user *user;	/* whose mail it is, or NULL */
	struct arena *arena;
	struct maildir_store *store;
	struct check_args args;
	struct check_sum sum;
	bool has_failed;
};

/* Paths hold what their owners like; a finding is one line. */
static void
print_escaped(const char *s)
{
	for (; *s != '\0'; s++) {
		uint8_t c = (uint8_t)*s;

		if (c < ' ' || c == 0x7f || c == '\\')
			(void)printf("\\x%02x", c);
		else
			(void)putchar(c);
	}
}

static void
print_found(void *arg, const struct check_found *f)
{
	const struct run *run = arg;

	if (f->is_note && !run->verbose)
		return;
	print_escaped(f->path);
	(void)printf(": %s", f->what);
	if (*f->detail != '\0') {
		(void)printf(": ");
		print_escaped(f->detail);
	}
	if (f->is_note)
		(void)printf(" (note)");
	else if (run->mend && !f->can_mend)
		(void)printf(" (not mended)");
	(void)putchar('\n');
}

static void
print_line(void *arg, const char *line)
{
	(void)arg;
	(void)puts(line);
}

static void
say_path(struct run *run, const struct maildir_path *path, int err)
{
	struct buf b;
	const char *text;

	buf_init(&b, PATH_MAX);
	for (size_t i = 0; i < path->n; i++) {
		if (i > 0)
			buf_putc(&b, '/');
		buf_put_span(&b, path->level[i]);
	}
	text = buf_cstr(&b);
	ctl_say("%s: %s: %s", run->root, text != NULL ? text : "?",
	    err_text(err));
	buf_done(&b);
	run->has_failed = true;
}

/* ---- mailboxes ------------------------------------------------------- */

static void
run_mailbox(struct run *run, const struct maildir_path *path)
{
	int err;

	if (!run->dump) {
		err = check_mailbox(run->store, path, &run->args, &run->sum);
		if (err != 0)
			say_path(run, path, err);
		return;
	}
	(void)printf("mailbox ");
	for (size_t i = 0; i < path->n; i++)
		(void)printf("%s%.*s", i > 0 ? "/" : "",
		    (int)path->level[i].n, (const char *)path->level[i].p);
	(void)putchar('\n');
	err = check_dump(run->store, path, print_line, run);
	if (err == ERR_NOENT)
		(void)puts("no index, or no journal");
	else if (err != 0)
		say_path(run, path, err);
}

static void
run_named(struct run *run)
{
	struct span level[MAILDIR_LEVELS_MAX], rest = span_str(run->mailbox);
	struct maildir_path path = { level, 0 };
	int err = 0;

	while (rest.p != NULL && path.n < MAILDIR_LEVELS_MAX)
		level[path.n++] = span_split(&rest, '/');
	if (path.n == 1 && is_span_ieq(level[0], SPAN("INBOX")))
		level[0] = SPAN("INBOX");
	err = rest.p != NULL ? ERR_NAME : maildir_exists(run->store, &path);
	if (err == 0)
		run_mailbox(run, &path);
	else
		say_path(run, &path, err);
}

static void
run_all(struct run *run)
{
	struct maildir_entry *v;
	size_t n;
	int err;

	if (!run->dump) {
		err = check_top(run->store, &run->args, &run->sum);
		if (err != 0) {
			ctl_say("%s: %s", run->root, err_text(err));
			run->has_failed = true;
		}
	}
	err = maildir_list(run->store, run->arena, &v, &n);
	if (err != 0) {
		ctl_say("%s: %s", run->root, err_text(err));
		run->has_failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (v[i].is_mailbox)
			run_mailbox(run, &v[i].path);
}

/* ---- one Maildir ----------------------------------------------------- */

/* A session would make it; a check that was pointed at the wrong place must
 * not. */
static int
find_control(const struct run *run)
{
	struct stat st;

	if (run->loc.control == NULL)
		return 0;
	if (stat(run->loc.control, &st) != 0)
		return err_from_errno(errno);
	return S_ISDIR(st.st_mode) ? 0 : ERR_NOENT;
}

static int
open_store(struct run *run)
{
	const struct config *conf = run->ctl->conf;
	const struct maildir_conf mail = {
		.root = ".",
		.inbox = run->loc.inbox,
		.control = run->loc.control,
		.layout = run->loc.layout == LOCATION_FS ? MAILDIR_FS :
		    MAILDIR_PLUSPLUS,
		.utf8_names = conf->utf8_names || run->loc.is_utf8,
		.fsync = conf->fsync,
		.lock_ms = conf->lock_timeout
	};

	run->args = (struct check_args){ run->root, run->loc.control,
	    run->all, run->mend, print_found, run };
	return maildir_store_open(&mail, &run->store);
}

/* In a process of its own. */
static int
run_root(struct run *run, int fd, const struct stat *st)
{
	int err = 0;

	if (geteuid() == 0)
		err = privsep_become(st->st_uid, run->user != NULL ?
		    run->user->gid : st->st_gid, NULL, 0, NULL);
	(void)umask(077);
	if (err == 0 && fchdir(fd) != 0)
		err = err_from_errno(errno);
	if (err == 0 && (err = find_control(run)) != 0) {
		ctl_say("%s: %s", run->loc.control, err_text(err));
		return CHECK_COULD_NOT;
	}
	if (err == 0)
		err = open_store(run);
	if (err != 0) {
		ctl_say("%s: %s", run->root, err_text(err));
		return CHECK_COULD_NOT;
	}
	if (run->mailbox != NULL)
		run_named(run);
	else
		run_all(run);
	maildir_store_free(run->store);
	if (fflush(stdout) != 0)
		run->has_failed = true;
	return run->has_failed ? CHECK_COULD_NOT : run->sum.found > 0 ?
	    CHECK_FOUND : CHECK_CLEAN;
}

static int
fork_root(struct run *run, int fd, const struct stat *st)
{
	int status;
	pid_t pid;

	if (fflush(stdout) != 0 || (pid = fork()) < 0)
		return CHECK_COULD_NOT;
	if (pid == 0)
		_exit(run_root(run, fd, st));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return CHECK_COULD_NOT;
	return WIFEXITED(status) ? WEXITSTATUS(status) : CHECK_COULD_NOT;
}

/*
 * Options of the mail key that hold for every user.  One that has a variable
 * does not, and to check without it could look for the lists where they are
 * not.
 */
static int
add_options(const struct run *run, struct buf *b)
{
	struct span rest = span_str(run->ctl->conf->mail);

	(void)span_split(&rest, ':');	/* maildir: */
	(void)span_split(&rest, ':');	/* the path */
	while (rest.n > 0) {
		struct span option = span_split(&rest, ':');

		if (has_prefix(option, SPAN("INDEX=")))
			continue;	/* ours are not there */
		if (has_byte(option, '%') || has_byte(option, '~')) {
			ctl_say("%s: mail in imapd.conf has %.*s: give the "
			    "whole location, maildir:DIRECTORY:...",
			    run->root, (int)option.n,
			    (const char *)option.p);
			return ERR_CONFIG;
		}
		buf_putc(b, ':');
		buf_put_span(b, option);
	}
	return 0;
}

/* A user, as a login would find him. */
static int
find_user(struct run *run, const char *name)
{
	struct auth_conf conf;
	enum auth_reason reason;
	struct auth *auth;

	ctl_auth_conf(run->ctl->conf, run->ctl->conf->users, run->arena,
	    &conf);
	auth = auth_new(&conf, ctl_auth_note, NULL);
	reason = auth_lookup(auth, span_str(name), &run->user);
	auth_free(auth);
	if (reason == AUTH_OK)
		return 0;
	ctl_say("%s: %s", name, auth_reason_text(reason));
	return ERR_CONFIG;	/* it has been said */
}

/* A user's location, one that is given, or a directory with the options of the
 * configuration. */
static int
find_location(struct run *run, const char *arg)
{
	bool is_location = run->are_users ||
	    has_prefix(span_str(arg), SPAN("maildir:"));
	struct buf b;
	int err = 0;

	run->root = arg;
	buf_init(&b, 2 * PATH_MAX);
	if (run->are_users) {
		err = find_user(run, arg);
		if (err == 0)
			buf_puts(&b, run->user->mail);
	} else if (is_location) {
		buf_puts(&b, arg);
	} else {
		/* The path does not matter: a colon in ours would. */
		buf_puts(&b, "maildir:/");
		err = add_options(run, &b);
	}
	if (err == 0)
		err = buf_err(&b);
	if (err == 0)
		err = location_parse(buf_span(&b), run->user != NULL ?
		    span_str(run->user->home) : SPAN("/"), run->arena,
		    &run->loc);
	/* As for sessions. */
	if (err == 0 && (run->loc.dirname != NULL ||
	    run->loc.subscriptions != NULL))
		err = ERR_UNSUPPORTED;
	if (err == 0 && is_location)
		run->root = run->loc.root;
	else if (err != 0 && err != ERR_CONFIG)
		ctl_say("%s: %s", arg, err_text(err));
	buf_done(&b);
	return err;
}

static int
run_argument(struct run *run, const char *arg)
{
	int status = CHECK_COULD_NOT, fd = -1;
	struct stat st;

	run->arena = arena_new(4096);
	if (find_location(run, arg) != 0)
		goto done;
	fd = open(run->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		ctl_say("%s: %s", run->root,
		    err_text(err_from_errno(errno)));
	else if (fstatat(fd, "cur", &(struct stat){ 0 }, 0) != 0 &&
	    run->loc.inbox == NULL)
		ctl_say("%s: no Maildir", run->root);
	else if (geteuid() == 0 && st.st_uid == 0)
		ctl_say("%s: belongs to root, and mail never does", run->root);
	else if (run->user != NULL && st.st_uid != run->user->uid)
		ctl_say("%s: belongs to uid %lu, and %s is %lu", run->root,
		    (unsigned long)st.st_uid, arg,
		    (unsigned long)run->user->uid);
	else
		status = fork_root(run, fd, &st);
done:
	fdio_close(&fd);
	auth_user_free(run->user);
	run->user = NULL;
	arena_free(run->arena);
	return status;
}

/* check [-adruv] [-m MAILBOX] DIRECTORY|LOCATION|USER... */
int
ctl_check(const struct ctl *ctl)
{
	struct run run = { .ctl = ctl };
	int option, status = CHECK_CLEAN, one;

	optind = 1;
	while ((option = getopt(ctl->argc, ctl->argv, "+adm:ruv")) != -1) {
		switch (option) {
		case 'a':
			run.all = true;
			break;
		case 'd':
			run.dump = true;
			break;
		case 'm':
			run.mailbox = optarg;
			break;
		case 'r':
			run.mend = true;
			break;
		case 'u':
			run.are_users = true;
			break;
		case 'v':
			run.verbose = true;
			break;
		default:
			return CTL_USAGE;
		}
	}
	if (optind == ctl->argc || (run.dump && run.mend))
		return CTL_USAGE;
	for (int i = optind; i < ctl->argc; i++) {
		one = run_argument(&run, ctl->argv[i]);
		if (one > status)
			status = one;
	}
	return status;
}
