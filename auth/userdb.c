/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"

#include "auth/expand.h"
#include "auth/quotarule.h"
#include "auth/userdb.h"

#define NSS_BUF		16384	/* for getpwnam_r and getgrnam_r */
#define ID_MAX		(UINT32_MAX - 1) /* -1 means "unchanged" to setuid */
#define ID_NAME_MAX	64
#define MAIL_MAX	8192
#define QUOTA_MAX	16384
#define MAIL_DEFAULT	"maildir:~/Maildir"

static int
name_of(struct span s, char name[ID_NAME_MAX])
{
	if (s.n == 0 || s.n >= ID_NAME_MAX || has_byte(s, '\0'))
		return ERR_NOENT;
	memcpy(name, s.p, s.n);
	name[s.n] = '\0';
	return 0;
}

/* A number, or a name that the system knows; never 0. */
static int
find_uid(struct span s, uid_t *ret)
{
	char name[ID_NAME_MAX], *work;
	struct passwd pw, *found = NULL;
	uint32_t id = 0;
	int err = 0;

	if (num_u32(s, 0, ID_MAX, &id) != 0) {
		if (name_of(s, name) != 0)
			return ERR_NOENT;
		work = mem_alloc(NSS_BUF);
		if (getpwnam_r(name, &pw, work, NSS_BUF, &found) != 0 ||
		    found == NULL)
			err = ERR_NOENT;
		else
			id = pw.pw_uid;
		free(work);
	}
	if (err == 0 && id == 0)
		err = ERR_ACCESS;
	if (err == 0)
		*ret = id;
	return err;
}

static int
find_gid(struct span s, gid_t *ret)
{
	char name[ID_NAME_MAX], *work;
	struct group gr, *found = NULL;
	uint32_t id = 0;
	int err = 0;

	if (num_u32(s, 0, ID_MAX, &id) != 0) {
		if (name_of(s, name) != 0)
			return ERR_NOENT;
		work = mem_alloc(NSS_BUF);
		if (getgrnam_r(name, &gr, work, NSS_BUF, &found) != 0 ||
		    found == NULL)
			err = ERR_NOENT;
		else
			id = gr.gr_gid;
		free(work);
	}
	if (err == 0 && id == 0)
		err = ERR_ACCESS;
	if (err == 0)
		*ret = id;
	return err;
}

/* What the line says, else the configuration, else who we are. */
static int
set_ids(const struct auth_conf *conf, const struct userdb_facts *facts,
    struct auth_user *user, const char **ret_why)
{
	int err;

	*ret_why = "unknown uid, uid 0 or no uid";
	if (facts->uid.n > 0)
		err = find_uid(facts->uid, &user->uid);
	else if (conf->default_uid != NULL)
		err = find_uid(span_str(conf->default_uid), &user->uid);
	else
		err = (user->uid = geteuid()) == 0 ? ERR_NOENT : 0;
	if (err != 0)
		return err;
	*ret_why = "unknown gid, gid 0 or no gid";
	if (facts->gid.n > 0)
		return find_gid(facts->gid, &user->gid);
	if (conf->default_gid != NULL)
		return find_gid(span_str(conf->default_gid), &user->gid);
	return (user->gid = getegid()) == 0 ? ERR_NOENT : 0;
}

static int
expand(struct span text, const struct expand *e, size_t max, char **ret)
{
	struct buf b;
	const char *s;
	int err;

	buf_init(&b, max);
	err = expand_put(text, e, &b);
	if (err == 0) {
		s = buf_cstr(&b);
		if (s == NULL)
			err = ERR_NAME;
		else
			*ret = mem_strdup(s);
	}
	buf_done(&b);
	return err;
}

static int
set_paths(const struct auth_conf *conf, const struct userdb_facts *facts,
    struct auth_user *user, const char **ret_why)
{
	struct expand e = { facts->name, SPAN_NONE };
	struct span home = facts->home, mail = facts->mail;
	int err;

	if (home.n == 0 && conf->home != NULL)
		home = span_str(conf->home);
	if (mail.n == 0)
		mail = span_str(conf->mail != NULL ? conf->mail :
		    MAIL_DEFAULT);
	*ret_why = "home directory cannot be expanded for this user";
	err = expand(home, &e, PATH_MAX, &user->home);
	if (err != 0)
		return err;
	*ret_why = "home directory is not an absolute path";
	if (user->home[0] != '\0' && user->home[0] != '/')
		return ERR_NAME;
	e.home = span_str(user->home);
	*ret_why = "mail location cannot be expanded for this user";
	return expand(mail, &e, MAIL_MAX, &user->mail);
}

/* One text of what was said in one field or in two. */
static int
set_quota(const struct userdb_facts *facts, struct auth_user *user,
    const char **ret_why)
{
	struct span size = facts->quota_size, count = facts->quota_count;
	struct quotarule rule;
	struct buf b;

	*ret_why = "malformed quota";
	buf_init(&b, QUOTA_MAX);
	buf_put_span(&b, facts->quota);
	if (facts->quota.n == 0 && size.n + count.n > 0) {
		buf_puts(&b, "*");
		buf_puts(&b, size.n > 0 ? ":bytes=" : "");
		buf_put_span(&b, size);
		buf_puts(&b, count.n > 0 ? ":messages=" : "");
		buf_put_span(&b, count);
	}
	if (b.n > 0)
		user->quota = mem_dup(b.p, b.n);
	buf_done(&b);
	return user->quota == NULL ? 0 :
	    quotarule_parse(span_str(user->quota), &rule);
}

static char *
dup_or_null(struct span s)
{
	return s.n == 0 ? NULL : mem_dup(s.p, s.n);
}

int
userdb_make(const struct auth_conf *conf, const struct userdb_facts *facts,
    struct auth_user **ret, const char **ret_why)
{
	struct auth_user *user = mem_zalloc(sizeof(*user));
	int err;

	user->name = mem_dup(facts->name.p, facts->name.n);
	user->backend = mem_strdup(facts->backend);
	user->label = dup_or_null(facts->label);
	user->capability = dup_or_null(facts->capability);
	err = set_ids(conf, facts, user, ret_why);
	if (err == 0)
		err = set_paths(conf, facts, user, ret_why);
	if (err == 0)
		err = set_quota(facts, user, ret_why);
	if (err != 0) {
		auth_user_free(user);
		return err;
	}
	*ret = user;
	return 0;
}
