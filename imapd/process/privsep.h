/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * privsep.h: giving up rights, for good.
 */
#ifndef IMAPD_PROCESS_PRIVSEP_H
#define IMAPD_PROCESS_PRIVSEP_H

#include <sys/types.h>

#include <stddef.h>

#include "base/err.h"

/* privsep_find_user(names, ret_uid, ret_gid): the first of the names (or
 * numbers) separated by blanks that is in /etc/passwd and is not root.
 * ERR_NOENT. */
int privsep_find_user(const char *names, uid_t *ret_uid, gid_t *ret_gid)
    ERR_CHECK;

/*
 * privsep_become(uid, gid, groups, ngroups, chroot_dir): with chroot_dir not
 * NULL the root directory is changed first.  Then groups, gid and uid: real,
 * effective and saved; and the proof that none of them can be had back.
 * Started without root, only checks that uid and gid are what they should be.
 * ERR_ACCESS: something is not as it should be; the process must end.
 */
int privsep_become(uid_t uid, gid_t gid, const gid_t *groups, size_t ngroups,
    const char *chroot_dir) ERR_CHECK;

/* No new privileges through exec, no core file, no ptrace by others of the same
 * uid: for all processes that see a client's bytes or a secret. */
int privsep_harden(void) ERR_CHECK;

#endif
