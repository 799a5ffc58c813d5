/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 */
#include <sys/prctl.h>
#include <sys/resource.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "base/num.h"
#include "imapd/process/config.h"
#include "imapd/process/privsep.h"

/*
 * A user of /etc/passwd, or a number.  Not getpwnam(): asking every name
 * service for a name that may well not exist costs more than all the rest of a
 * login, and this is a service's user, which is kept in the file.
 */
static int ERR_CHECK
find_user(struct span name, uid_t *ret_uid, gid_t *ret_gid)
{
	const struct passwd *pw;
	uint32_t n;
	FILE *f;
	int err = ERR_NOENT;

	if (num_u32(name, 0, UINT32_MAX - 1, &n) == 0) {
		*ret_uid = *ret_gid = n;
		return 0;
	}
	if ((f = fopen("/etc/passwd", "re")) == NULL)
		return err_from_errno(errno);
	while (err != 0 && (pw = fgetpwent(f)) != NULL) {
		if (!is_span_eq(span_str(pw->pw_name), name))
			continue;
		*ret_uid = pw->pw_uid;
		*ret_gid = pw->pw_gid;
		err = 0;
	}
	(void)fclose(f);	/* only read */
	return err;
}

int
privsep_find_user(const char *names, uid_t *ret_uid, gid_t *ret_gid)
{
	struct span rest = span_str(names), word;

	while ((word = config_word(&rest)).n > 0)
		if (find_user(word, ret_uid, ret_gid) == 0 && *ret_uid != 0)
			return 0;
	return ERR_NOENT;
}

/* Whether the old rights are gone: nothing may bring them back. */
static int
prove(uid_t uid, gid_t gid)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;

	if (getresuid(&ruid, &euid, &suid) == -1 ||
	    getresgid(&rgid, &egid, &sgid) == -1)
		return ERR_ACCESS;
	if (ruid != uid || euid != uid || suid != uid ||
	    rgid != gid || egid != gid || sgid != gid)
		return ERR_ACCESS;
	if (uid == 0)
		return 0;	/* as told: nothing was to be given up */
	if (setuid(0) != -1 || seteuid(0) != -1 || setgid(0) != -1 ||
	    setgroups(0, NULL) != -1)
		return ERR_ACCESS;
	return 0;
}

int
privsep_become(uid_t uid, gid_t gid, const gid_t *groups, size_t ngroups,
    const char *chroot_dir)
{
	gid_t only[1] = { gid };

	if (geteuid() != 0)
		return geteuid() == uid && getuid() == uid ? 0 : ERR_ACCESS;
	if (chroot_dir != NULL &&
	    (chroot(chroot_dir) == -1 || chdir("/") == -1))
		return ERR_ACCESS;
	if (ngroups == 0) {
		groups = only;
		ngroups = 1;
	}
	if (setgroups(ngroups, groups) == -1 ||
	    setresgid(gid, gid, gid) == -1 || setresuid(uid, uid, uid) == -1)
		return ERR_ACCESS;
	return prove(uid, gid);
}

int
privsep_harden(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) == -1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return err_from_errno(errno);
	return 0;
}
