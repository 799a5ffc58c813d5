/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * uidvalidity.h: values that no mailbox of this user has had before.
 */
#ifndef MAILDIR_UIDVALIDITY_H
#define MAILDIR_UIDVALIDITY_H

#include <sys/types.h>

#include <stdint.h>

#include "base/err.h"

/* uidvalidity_next(dir, mode, ret): the next value from the two files in dir,
 * shared with Dovecot. */
int uidvalidity_next(int dir, mode_t mode, uint32_t *ret) ERR_CHECK;

#endif
