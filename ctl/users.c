/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * users.c: imapctl users index, check, test.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "auth/auth.h"
#include "auth/usersindex.h"
#include "base/arena.h"

#include "ctl/ctl.h"

#define TEST_MS		60000

void
ctl_auth_note(void *cookie, const char *file, uint64_t line, const char *what)
{
	(void)cookie;
	if (line > 0)
		ctl_say("%s:%" PRIu64 ": %s", file, line, what);
	else
		ctl_say("%s: %s", file, what);
}

/* The file named, or that of the configuration. */
static const char *
find_file(const struct ctl *ctl, const char *named)
{
	if (named != NULL)
		return named;
	if (ctl->conf->users == NULL)
		ctl_say("no users file: name one, or set users in imapd.conf");
	return ctl->conf->users;
}

static int
index_or_check(const struct ctl *ctl, bool is_index)
{
	const struct usersfile_note to = { ctl_auth_note, NULL };
	struct usersindex_stats stats;
	const char *file;
	int err;

	if (ctl->argc > 3)
		return CTL_USAGE;
	file = find_file(ctl, ctl->argc == 3 ? ctl->argv[2] : NULL);
	if (file == NULL)
		return CTL_CONFIG;
	err = is_index ? usersindex_make(file, &to, &stats) :
	    usersindex_check(file, &to, &stats);
	if (err != 0) {
		ctl_say("%s: %s", file, err_text(err));
		return CTL_FAILED;
	}
	(void)printf("%" PRIu64 " lines, %" PRIu64 " of users, %" PRIu64
	    " malformed\n", stats.lines, stats.users, stats.malformed);
	return stats.malformed > 0 ? CTL_NO : CTL_OK;
}

/* As the monitor has it (imapd/process/policy.c). */
void
ctl_auth_conf(const struct config *conf, const char *file, struct arena *arena,
    struct auth_conf *ret)
{
	struct buf path;

	*ret = (struct auth_conf){
		.users_file = file,
		.checkpassword = conf->checkpassword,
		.default_scheme = conf->default_scheme,
		.default_uid = conf->mail_uid,
		.default_gid = conf->mail_gid,
		.home = conf->home,
		.mail = conf->mail,
		.fold_case = conf->fold_user_names,
		.allow_weak = conf->allow_weak,
		.argon2_max_kib = (uint32_t)(conf->argon2_max_memory / 1024),
		.crypt_max_ms = (uint32_t)conf->crypt_max_time,
	};
	ret->sources = (file != NULL ? AUTH_USERS_FILE : 0u) |
	    (conf->system_users ? AUTH_SYSTEM : 0u) |
	    (conf->checkpassword != NULL ? AUTH_CHECKPASSWORD : 0u);
	buf_init(&path, PATH_MAX);
	buf_puts(&path, conf->libexec_directory);
	buf_puts(&path, "/imapd-auth");
	ret->helper = arena_cstr(arena, buf_span(&path));
	buf_done(&path);
}

static void
print_user(const struct auth_user *user)
{
	(void)printf("name=%s backend=%s uid=%u gid=%u home=%s mail=%s",
	    user->name, user->backend, (unsigned)user->uid,
	    (unsigned)user->gid, user->home, user->mail);
	if (user->label != NULL)
		(void)printf(" label=%s", user->label);
	if (user->quota != NULL)
		(void)printf(" quota=%s", user->quota);
	if (user->capability != NULL)
		(void)printf(" capability=%s", user->capability);
	(void)putchar('\n');
}

static int
test_user(const struct ctl *ctl, const char *file, const char *address,
    const char *name)
{
	const struct auth_peer peer = { .address = span_str(address),
	    .is_tls = true };
	struct arena *arena = arena_new(1024);
	struct auth_user *user = NULL;
	enum auth_reason reason = AUTH_ABORTED;
	struct auth_conf conf;
	struct auth *auth;
	struct buf password;

	ctl_auth_conf(ctl->conf, file, arena, &conf);
	auth = auth_new(&conf, ctl_auth_note, NULL);
	buf_init(&password, AUTH_PASSWORD_MAX);
	if (ctl_read_password(&password) == 0)
		reason = auth_password(auth, &peer, SPAN_NONE, span_str(name),
		    buf_span(&password), deadline_in(TEST_MS), &user);
	buf_wipe_done(&password);
	if (reason == AUTH_OK)
		print_user(user);
	else
		ctl_say("%s: %s", name, auth_reason_text(reason));
	auth_user_free(user);
	auth_free(auth);
	arena_free(arena);
	return reason == AUTH_OK ? CTL_OK : CTL_NO;
}

/* test [-a ADDRESS] [-f FILE] NAME */
static int
test(const struct ctl *ctl)
{
	const char *file = ctl->conf->users, *address = "";
	int i = 2;

	for (; i + 1 < ctl->argc && ctl->argv[i][0] == '-'; i += 2) {
		if (strcmp(ctl->argv[i], "-a") == 0)
			address = ctl->argv[i + 1];
		else if (strcmp(ctl->argv[i], "-f") == 0)
			file = ctl->argv[i + 1];
		else
			return CTL_USAGE;
	}
	if (i + 1 != ctl->argc)
		return CTL_USAGE;
	return test_user(ctl, file, address, ctl->argv[i]);
}

int
ctl_users(const struct ctl *ctl)
{
	if (ctl->argc < 2)
		return CTL_USAGE;
	if (strcmp(ctl->argv[1], "index") == 0)
		return index_or_check(ctl, true);
	if (strcmp(ctl->argv[1], "check") == 0)
		return index_or_check(ctl, false);
	if (strcmp(ctl->argv[1], "test") == 0)
		return test(ctl);
	return CTL_USAGE;
}
