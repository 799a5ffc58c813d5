/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * verify_system.c: the system's own users: passwd and shadow, through NSS.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include <time.h>

#include "base/mem.h"

#include "auth/userdb.h"
#include "auth/verify.h"

#define NSS_BUF		16384
#define DAY_SECONDS	86400
#define GROUPS_MAX	65536	/* the kernel's own limit */

/* What passwd(1) makes on most systems; nobody's password. */
#define DUMMY	SPAN("{CRYPT}$y$j9T$gSkPvFZ9Nu3rq3E1yrHZV0$")

/* shadow(5): days since 1970; -1 and 0 stand for "not set". */
static bool
is_expired(const struct spwd *sp)
{
	long today = (long)(time(NULL) / DAY_SECONDS);

	if (sp->sp_expire > 0 && today >= sp->sp_expire)
		return true;
	return sp->sp_lstchg >= 0 && sp->sp_max > 0 && sp->sp_inact >= 0 &&
	    today > sp->sp_lstchg + sp->sp_max + sp->sp_inact;
}

/*
 * "!" and "*" lock a password, whatever follows; "x" points to a shadow line
 * that is not there; an empty password is none that we let in with.
 */
static bool
is_locked(const char *stored)
{
	if (stored[0] == '!' || stored[0] == '*')
		return true;
	return stored[0] != '$' && stored[0] != '_' && span_str(stored).n < 13;
}

/* The password, unless he came with a certificate; the account's date. */
static enum auth_reason
check_shadow(struct verify *v, const struct passwd *pw)
{
	char *work = mem_alloc(NSS_BUF);
	struct spwd sp, *found = NULL;
	const char *stored = pw->pw_passwd;
	enum auth_reason reason = AUTH_BAD_PASSWORD;
	int errnum, err = 0;

	errnum = getspnam_r(pw->pw_name, &sp, work, NSS_BUF, &found);
	if (found != NULL) {
		stored = sp.sp_pwdp;
	} else if (errnum == EACCES) {
		v->auth->note.fn(v->auth->note.cookie, "/etc/shadow", 0,
		    "cannot be read");
		reason = AUTH_UNAVAILABLE;
		goto out;
	}
	if (!v->is_trusted) {
		if (is_locked(stored))
			goto out;
		err = verify_hash(v, span_str(stored));
	}
	if (err == 0)
		reason = found == NULL || v->is_lookup || !is_expired(found) ?
		    AUTH_OK : AUTH_EXPIRED;
	else if (err != ERR_DENIED)
		reason = err == ERR_UNAVAIL ? AUTH_UNAVAILABLE :
		    AUTH_BAD_SCHEME;
out:
	mem_wipe_free(work, NSS_BUF);
	return reason;
}

static void
set_groups(struct auth_user *user, const char *name)
{
	int n = 32, max;

	do {
		max = n;
		user->groups = mem_resize(user->groups, (size_t)max,
		    sizeof(*user->groups));
		/* Sets n to what it would need. */
	} while (getgrouplist(name, user->gid, user->groups, &n) < 0 &&
	    n > max && n <= GROUPS_MAX);
	user->ngroups = (size_t)(n < max ? n : max);
}

static enum auth_reason
make_user(struct verify *v, const struct passwd *pw, struct auth_user **ret)
{
	struct userdb_facts facts = {
		.backend = "system",
		.name = v->user,
		.uid = verify_print_id(v, pw->pw_uid),
		.gid = verify_print_id(v, pw->pw_gid),
		.home = span_str(pw->pw_dir),
	};
	const char *why;

	if (userdb_make(v->auth->conf, &facts, ret, &why) != 0) {
		v->auth->note.fn(v->auth->note.cookie, "passwd", 0, why);
		return AUTH_BAD_ENTRY;
	}
	set_groups(*ret, pw->pw_name);
	return AUTH_OK;
}

enum auth_reason
verify_system(struct verify *v, struct auth_user **ret)
{
	char *work = mem_alloc(NSS_BUF);
	struct passwd pw, *found = NULL;
	enum auth_reason reason;
	int errnum;

	errnum = getpwnam_r(arena_cstr(v->arena, v->user), &pw, work, NSS_BUF,
	    &found);
	if (found == NULL)
		reason = errnum == 0 || errnum == ENOENT || errnum == ESRCH ?
		    AUTH_UNKNOWN_USER : AUTH_UNAVAILABLE;
	else
		reason = check_shadow(v, found);
	if (reason == AUTH_OK)
		reason = make_user(v, found, ret);
	mem_wipe_free(work, NSS_BUF);
	return reason;
}

void
verify_system_waste(struct verify *v)
{
	(void)!verify_hash(v, DUMMY);	/* only its time is wanted */
}
